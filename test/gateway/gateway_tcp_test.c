/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gateway_tcp_test.c - streams through the gateway: opened, refused or left alone as the host says;
 * bytes, half-close and reset each way; back-pressure; want of descriptors; hostile destinations.
 */
#define _GNU_SOURCE
#include "gateway_fixture.h"

#include <sys/resource.h>

static const int families[] = { AF_INET, AF_INET6 };

enum { PIECE = 16384 };
static uint8_t piece[PIECE];

/* Sends bytes of the pattern up to total from inside; the position reached. */
static uint64_t inner_send(tern_sock s, uint64_t pos, uint64_t total)
{
	int64_t n = 1;

	while (pos < total && n > 0) {
		size_t len = total - pos < PIECE ? (size_t)(total - pos) : PIECE;

		fill(piece, len, pos);
		n = tern_send(st, s, piece, len, 0);
		pos += n > 0 ? (uint64_t)n : 0;
	}
	return pos;
}

static uint64_t inner_recv(tern_sock s, uint64_t pos)
{
	int64_t n;

	while ((n = tern_recv(st, s, piece, PIECE, 0)) > 0) {
		check(is_filled(piece, (size_t)n, pos));
		pos += (uint64_t)n;
	}
	return pos;
}

static uint64_t host_send(int fd, uint64_t pos, uint64_t total)
{
	ssize_t n = 1;

	while (pos < total && n > 0) {
		size_t len = total - pos < PIECE ? (size_t)(total - pos) : PIECE;

		fill(piece, len, pos);
		n = send(fd, piece, len, MSG_NOSIGNAL);
		pos += n > 0 ? (uint64_t)n : 0;
	}
	return pos;
}

static uint64_t host_recv(int fd, uint64_t pos)
{
	ssize_t n;

	while ((n = recv(fd, piece, PIECE, 0)) > 0) {
		check(is_filled(piece, (size_t)n, pos));
		pos += (uint64_t)n;
	}
	return pos;
}

static bool host_ended(int fd)
{
	return recv(fd, piece, 1, 0) == 0;
}

static bool inner_ended(tern_sock s)
{
	return tern_recv(st, s, piece, 1, 0) == 0;
}

static bool both_gone(void)
{
	return gateway_flows(g) == 0;
}

static void bytes_go_both_ways_and_both_ends_close(void)
{
	enum { TOTAL = 5 << 20 };

	for (unsigned i = 0; i < 2; i++) {
		struct stream s;
		uint64_t out = 0, in = 0, out_got = 0, in_got = 0;

		test_at("family %d", families[i]);
		open_world();
		s = open_stream(families[i]);
		wait_until((out = inner_send(s.inner, out, TOTAL),
			    in = host_send(s.outer, in, TOTAL),
			    out_got = host_recv(s.outer, out_got),
			    in_got = inner_recv(s.inner, in_got), out_got + in_got == 2 * TOTAL));
		check_eq(tern_shutdown(st, s.inner, TERN_SHUT_WR), 0);
		wait_until(host_ended(s.outer));
		check_eq(gateway_flows(g), 1);
		check_eq(shutdown(s.outer, SHUT_WR), 0);
		wait_until(inner_ended(s.inner));
		wait_until(both_gone());
		check_eq(gateway_counts(g).bytes_out, TOTAL);
		check_eq(gateway_counts(g).bytes_in, TOTAL);
		check_eq(gateway_counts(g).tcp, 1);
		close_stream(&s);
		close_world();
	}
}

static void the_host_may_end_first_and_hear_on(void)
{
	struct stream s;
	uint64_t out = 0, got = 0;

	open_world();
	s = open_stream(AF_INET);
	check_eq(host_send(s.outer, 0, 1000), 1000);
	shutdown(s.outer, SHUT_WR);
	wait_until((got = inner_recv(s.inner, got)) == 1000);
	wait_until(inner_ended(s.inner));
	got = 0;
	wait_until((out = inner_send(s.inner, out, 300000), got = host_recv(s.outer, got),
		    got == 300000));
	tern_close(st, s.inner);
	wait_until(host_ended(s.outer));
	wait_until(both_gone());
	close_stream(&s);
	close_world();
}

/* All that was said before the end is heard, however fast the end follows. */
static void nothing_is_lost_at_the_end(void)
{
	for (unsigned i = 0; i < 40; i++) {
		uint64_t total = 1 + i * 4099, got = 0;
		struct stream s;

		test_at("%u bytes", (unsigned)total);
		open_world();
		s = open_stream(AF_INET);
		if (i & 1) {
			check_eq(host_send(s.outer, 0, total), total);
			close(s.outer);
			s.outer = -1;
			wait_until((got = inner_recv(s.inner, got)) == total);
			wait_until(inner_ended(s.inner));
		} else {
			check_eq(inner_send(s.inner, 0, total), total);
			tern_close(st, s.inner);
			wait_until((got = host_recv(s.outer, got)) == total);
			wait_until(host_ended(s.outer));
		}
		close_stream(&s);
		wait_until(both_gone());
		close_world();
	}
}

static void a_reset_of_the_hosts_arrives_inside(void)
{
	struct stream s;

	open_world();
	s = open_stream(AF_INET);
	turns(3);
	host_reset(s.outer);
	s.outer = -1;
	wait_until(tern_recv(st, s.inner, piece, 1, 0) == -TERN_ECONNRESET);
	wait_until(both_gone());
	close_stream(&s);
	/* behind text, and while the inside has ended already */
	s = open_stream(AF_INET);
	tern_shutdown(st, s.inner, TERN_SHUT_WR);
	wait_until(host_ended(s.outer));
	check_eq(host_send(s.outer, 0, 10), 10);
	turns(3);
	host_reset(s.outer);
	s.outer = -1;
	wait_until((inner_recv(s.inner, 0), tern_poll(st, s.inner) & TERN_POLLHUP));
	wait_until(both_gone());
	close_stream(&s);
	close_world();
}

static void a_reset_of_the_insides_arrives_outside(void)
{
	struct stream s;

	open_world();
	s = open_stream(AF_INET);
	check_eq(inner_send(s.inner, 0, 100), 100);
	turns(3);
	tern_abort(st, s.inner);
	wait_until(recv(s.outer, piece, 100, 0) < 0 && errno == ECONNRESET);
	wait_until(both_gone());
	close_stream(&s);
	/* when the host has ended already */
	s = open_stream(AF_INET);
	shutdown(s.outer, SHUT_WR);
	wait_until(inner_ended(s.inner));
	tern_abort(st, s.inner);
	wait_until(recv(s.outer, piece, 100, 0) < 0 && errno == ECONNRESET);
	wait_until(both_gone());
	close_stream(&s);
	close_world();
}

static void a_refused_port_is_refused(void)
{
	for (unsigned i = 0; i < 2; i++) {
		uint16_t port = 0;
		int fd = host_bind(families[i], SOCK_STREAM, &port); /* nobody listens */
		struct tern_addr to = own_addr(families[i], port);
		tern_sock s;

		open_world();
		s = inner_connect(&to);
		wait_until(tern_poll(st, s) & TERN_POLLERR);
		check_eq(inner_error(s), TERN_ECONNREFUSED);
		check_eq(gateway_counts(g).refused, 1);
		wait_until(both_gone());
		tern_close(st, s);
		close(fd);
		close_world();
	}
}

/* A listener whose queue is full answers nobody. */
static void who_is_silent_is_left_unanswered(void)
{
	uint16_t port = 0;
	int listener = host_listen(AF_INET, 0, &port), filler[4];
	struct tern_addr to = own_addr(AF_INET, port);
	tern_sock s;

	for (int i = 0; i < 4; i++)
		filler[i] = host_connect(AF_INET, SOCK_STREAM, port);
	wish.connect_timeout = 300 * TERN_MS;
	open_world();
	s = inner_connect(&to);
	wait_until(gateway_flows(g) == 1);
	wait_until(gateway_counts(g).timed_out == 1);
	check_eq(gateway_flows(g), 0);
	check_eq(tern_poll(st, s), 0);
	check_eq(gateway_counts(g).refused, 0);
	tern_close(st, s);
	for (int i = 0; i < 4; i++)
		close(filler[i]);
	close(listener);
	close_world();
}

/* The inside gives up while the host is still being asked, and asks again when it answers. */
static void an_impatient_inside_leaves_nothing_behind(void)
{
	uint16_t port = 0;
	int listener = host_listen(AF_INET, 0, &port), filler[4];
	struct tern_addr to = own_addr(AF_INET, port), from = tern_ip4(10, 0, 2, 15, 5555);
	tern_sock s = 0;

	for (int i = 0; i < 4; i++)
		filler[i] = host_connect(AF_INET, SOCK_STREAM, port);
	wish.connect_timeout = 300 * TERN_MS;
	open_world();
	for (unsigned i = 1; i <= 3; i++) {
		check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s), 0);
		check_eq(tern_bind(st, s, &from), 0);
		check_eq(tern_connect(st, s, &to), -TERN_EINPROGRESS);
		wait_until(gateway_counts(g).tcp == i);
		check_eq(gateway_flows(g), 1);
		if (i < 3)
			tern_abort(st, s);
		wait_until(both_gone());
	}
	for (int i = 0; i < 4; i++)
		close(filler[i]);
	close(listener);
	wait_until(tern_poll(st, s) & TERN_POLLERR); /* by now the port is closed */
	check_eq(inner_error(s), TERN_ECONNREFUSED);
	tern_close(st, s);
	close_world();
}

/* ---- back-pressure ---- */

static void a_host_that_does_not_read_stops_the_inside(void)
{
	struct tern_stack *gate;
	uint64_t sent = 0, before = 1, got = 0;
	struct stream s;

	open_world();
	gate = l.stack[1];
	s = open_stream(AF_INET);
	for (int idle = 0; idle < 50; idle = sent == before ? idle + 1 : 0) {
		before = sent;
		sent = inner_send(s.inner, sent, 1 << 30);
		turn();
	}
	check(sent > 100000);
	check(sent < 100 << 20);
	check(tern_memory(gate) < 40 << 20);
	check_eq(gateway_deadline(g), TERN_NEVER); /* and it waits, it does not spin */
	wait_until((got = host_recv(s.outer, got)) == sent);
	close_stream(&s);
	close_world();
}

static void an_inside_that_does_not_read_stops_the_host(void)
{
	uint64_t sent = 0, before = 1, got = 0;
	struct tern_stack *gate;
	struct stream s;

	open_world();
	gate = l.stack[1];
	s = open_stream(AF_INET);
	for (int idle = 0; idle < 50; idle = sent == before ? idle + 1 : 0) {
		before = sent;
		sent = host_send(s.outer, sent, 1 << 30);
		turn();
	}
	check(sent > 100000);
	check(sent < 100 << 20);
	check(tern_memory(gate) < 40 << 20);
	check_eq(gateway_deadline(g), TERN_NEVER);
	shutdown(s.outer, SHUT_WR);
	wait_until((got = inner_recv(s.inner, got)) == sent);
	wait_until(inner_ended(s.inner));
	close_stream(&s);
	close_world();
}

/* A reset is heard even where nothing can be handed on. */
static void a_reset_passes_a_host_that_does_not_read(void)
{
	uint64_t sent = 0, before = 1;
	struct stream s;

	open_world();
	s = open_stream(AF_INET);
	for (int idle = 0; idle < 50; idle = sent == before ? idle + 1 : 0) {
		before = sent;
		sent = inner_send(s.inner, sent, 1 << 30);
		turn();
	}
	tern_abort(st, s.inner);
	wait_until(both_gone());
	close_stream(&s);
	close_world();
}

/* Half-closed either way, a flow asks for no turn of its own. */
static void nothing_spins_while_half_closed(void)
{
	struct pollfd own;
	struct stream s;

	for (int way = 0; way < 2; way++) {
		open_world();
		s = open_stream(AF_INET);
		if (way)
			shutdown(s.outer, SHUT_WR);
		else
			tern_shutdown(st, s.inner, TERN_SHUT_WR);
		wait_until(way ? inner_ended(s.inner) : host_ended(s.outer));
		turns(20);
		own = (struct pollfd){ gateway_fd(g), POLLIN, 0 };
		check_eq(poll(&own, 1, 0), 0);
		check_eq(gateway_deadline(g), TERN_NEVER);
		check_eq(gateway_flows(g), 1);
		close_stream(&s);
		close_world();
	}
}

/* ---- bad input, want ---- */

static void addresses_that_lead_nowhere(void)
{
	static const char *const to[] = { "0.0.0.1", "224.0.0.1", "255.255.255.255", "ff02::1" };
	uint16_t port = 0;
	int listener = host_listen(AF_INET, 4, &port);

	open_world();
	for (unsigned i = 0; i < sizeof(to) / sizeof(to[0]); i++) {
		struct tern_addr a;
		tern_sock s = 0;

		test_at("%s", to[i]);
		check_eq(tern_addr_parse(to[i], port, &a), 0);
		check_eq(tern_socket(st, a.family, TERN_SOCK_STREAM, 0, &s), 0);
		tern_connect(st, s, &a);
		turns(10);
		check(!is_open(s) || tern_poll(st, s) & TERN_POLLHUP);
		check_eq(accept_now(listener), -1);
		check_eq(gateway_flows(g), 0);
		tern_abort(st, s);
	}
	close(listener);
	close_world();
}

static void without_loopback_its_own_addresses_refuse(void)
{
	uint16_t port = 0;
	int listener = host_listen(AF_INET, 4, &port);
	struct tern_addr to = own_addr(AF_INET, port);
	tern_sock s;

	wish.no_loopback = true;
	open_world();
	s = inner_connect(&to);
	wait_until(tern_poll(st, s) & TERN_POLLERR);
	check_eq(inner_error(s), TERN_ECONNREFUSED);
	check_eq(accept_now(listener), -1);
	tern_close(st, s);
	close(listener);
	close_world();
}

static void more_than_flows_max_are_left_alone(void)
{
	uint16_t port = 0;
	int listener = host_listen(AF_INET, 64, &port);
	struct tern_addr to = own_addr(AF_INET, port);
	tern_sock s[6];
	unsigned n_open = 0;

	wish.flows_max = 4;
	open_world();
	for (unsigned i = 0; i < 6; i++)
		s[i] = inner_connect(&to);
	wait_until(gateway_counts(g).tcp >= 6 || tern_counter(l.stack[1], "TcpExtListenDrops") > 0);
	turns(20);
	for (unsigned i = 0; i < 6; i++)
		n_open += is_open(s[i]);
	check_eq(n_open, 4);
	check_eq(gateway_flows(g), 4);
	for (unsigned i = 0; i < 6; i++)
		tern_abort(st, s[i]);
	wait_until(both_gone());
	close(listener);
	close_world();
}

/* Without descriptors a SYN is left alone and counted; when there are some again, it works. */
static void descriptors_run_out(void)
{
	struct rlimit all, few;
	int hoard[64], n = 0;
	uint16_t port = 0;
	struct tern_addr to;
	tern_sock s;
	int listener = host_listen(AF_INET, 16, &port);

	open_world();
	getrlimit(RLIMIT_NOFILE, &all);
	few = all;
	few.rlim_cur = 60;
	setrlimit(RLIMIT_NOFILE, &few);
	while (n < 64 && (hoard[n] = dup(listener)) >= 0)
		n++;
	to = own_addr(AF_INET, port);
	s = inner_connect(&to);
	wait_until(gateway_counts(g).starved == 1);
	check_eq(gateway_flows(g), 0);
	check_eq(tern_poll(st, s), 0);
	while (n > 0)
		close(hoard[--n]);
	wait_until(is_open(s)); /* the SYN comes again */
	tern_abort(st, s);
	wait_until(both_gone());
	setrlimit(RLIMIT_NOFILE, &all);
	close(listener);
	close_world();
}

/* All that the gateway's stack may have, in packets of no use. */
static struct tern_pkt *take_all_memory(struct tern_stack *gate)
{
	struct tern_pkt *hoard = NULL, *p;

	for (uint32_t len = 65536; len > 0; len /= 2) {
		while ((p = tern_pkt_new(gate, len))) {
			p->next = hoard;
			hoard = p;
		}
	}
	return hoard;
}

/* Without memory bytes wait, new streams are left alone, and nobody spins; with it they go on. */
static void memory_runs_out(void)
{
	uint64_t sent = 0, got = 0;
	struct tern_pkt *hoard, *next;
	struct stream s;

	open_world();
	s = open_stream(AF_INET);
	check_eq(host_send(s.outer, 0, 1), 1);
	wait_until((got = inner_recv(s.inner, got)) == 1);
	hoard = take_all_memory(l.stack[1]);
	sent = host_send(s.outer, 1, 200000);
	turns(20);
	check_eq(gateway_flows(g), 1);
	check(!tern_event_ready(l.stack[1]) && gateway_deadline(g) != 0);
	check(tern_deadline(l.stack[1]) != TERN_NEVER);
	for (; hoard; hoard = next) {
		next = hoard->next;
		tern_pkt_free(l.stack[1], hoard);
	}
	wait_until((sent = host_send(s.outer, sent, 200000), got = inner_recv(s.inner, got),
		    got == 200000));
	close_stream(&s);
	wait_until(both_gone());
	close_world();
}

static void a_gateway_that_goes_closes_what_it_has(void)
{
	struct stream s, t;

	open_world();
	s = open_stream(AF_INET);
	t = open_stream(AF_INET6);
	gateway_free(g);
	g = NULL;
	check(recv(s.outer, piece, 1, 0) <= 0);
	check(recv(t.outer, piece, 1, 0) <= 0);
	turns(5);
	close_stream(&s);
	close_stream(&t);
	close_world();
}

static void refuses_wishes_that_make_no_sense(void)
{
	static const struct gateway_wish bad[] = {
		{ .socks = { .family = TERN_AF_INET, .ip = { 127, 0, 0, 1 } } },
		{ .socks = { .family = TERN_AF_INET, .port = 1080 }, .socks_user = "" },
		{ .socks = { .family = TERN_AF_INET, .port = 1080 }, .socks_user = "a" },
		{ .addr = { .family = TERN_AF_INET, .ip = { 224, 0, 0, 1 } } },
	};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct gateway_wish w = bad[i];
		struct dev_wish dw = { .mtu = 0 };
		struct dev *end[2];

		test_at("wish %u", i);
		loop_init(&l);
		check(pipe_open(end, &dw));
		check(gateway_new(&l, end[0], &w) == NULL);
		check(strlen(w.error) > 0);
		dev_close(end[0]); /* still ours */
		dev_close(end[1]);
		loop_fini(&l);
	}
}

static const struct test tests[] = {
	TEST(bytes_go_both_ways_and_both_ends_close),
	TEST(the_host_may_end_first_and_hear_on),
	TEST(nothing_is_lost_at_the_end),
	TEST(a_reset_of_the_hosts_arrives_inside),
	TEST(a_reset_of_the_insides_arrives_outside),
	TEST(a_refused_port_is_refused),
	TEST(who_is_silent_is_left_unanswered),
	TEST(an_impatient_inside_leaves_nothing_behind),
	TEST(a_host_that_does_not_read_stops_the_inside),
	TEST(an_inside_that_does_not_read_stops_the_host),
	TEST(a_reset_passes_a_host_that_does_not_read),
	TEST(nothing_spins_while_half_closed),
	TEST(addresses_that_lead_nowhere),
	TEST(without_loopback_its_own_addresses_refuse),
	TEST(more_than_flows_max_are_left_alone),
	TEST(descriptors_run_out),
	TEST(memory_runs_out),
	TEST(a_gateway_that_goes_closes_what_it_has),
	TEST(refuses_wishes_that_make_no_sense),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
