/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loop_test.c - the loop over devices that do what a test tells them: budgets, a device without
 * room, devices that vanish, deadlines, descriptors, signals, several devices, and its end.
 */
#define _GNU_SOURCE
#include "pair_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

struct fake {
	struct dev dev;
	uint64_t to_read; /* frames that it has, of one meaningless byte */
	unsigned n_reads, n_writes, n_advances, most_read;
	unsigned n_taken;
	uint8_t taken[4000]; /* the last byte of each packet it took */
	unsigned full;	     /* so many writes find no room */
	unsigned at_once;    /* packets that a write takes */
	bool gone;
	bool closed;
};

static int fake_read(struct dev *d, struct tern_stack *st, unsigned max, struct tern_pkt **list)
{
	struct fake *f = (struct fake *)d;
	unsigned n = 0;

	f->n_reads++;
	*list = NULL;
	for (; n < max && f->to_read; n++, f->to_read--) {
		struct tern_pkt *p = tern_pkt_new(st, 1);

		p->data[0] = 0;
		p->ifindex = (uint16_t)d->ifindex;
		p->next = NULL;
		*list = p;
		list = &p->next;
	}
	f->most_read = n > f->most_read ? n : f->most_read;
	return f->gone && n == 0 ? -TERN_ENODEV : (int)n;
}

static int fake_write(struct dev *d, struct tern_stack *st, const struct tern_pkt *p)
{
	struct fake *f = (struct fake *)d;
	unsigned n = 0;

	(void)st;
	f->n_writes++;
	if (f->gone)
		return -TERN_ENODEV;
	if (f->full) {
		f->full--;
		return -TERN_EAGAIN;
	}
	for (; p && n < f->at_once; p = p->next, n++, f->n_taken++)
		if (f->n_taken < sizeof(f->taken))
			tern_pkt_copy(p, p->total_len - 1, &f->taken[f->n_taken], 1);
	return (int)n;
}

static tern_time fake_advance(struct dev *d, struct tern_stack *st, tern_time now)
{
	struct fake *f = (struct fake *)d;

	(void)st;
	f->n_advances++;
	return f->gone ? now : TERN_NEVER; /* one that has gone must not be asked */
}

static void fake_close(struct dev *d)
{
	((struct fake *)d)->closed = true;
}

static struct fake fake_make(const char *name)
{
	static const struct dev_ops ops = {
		.read = fake_read, .write = fake_write, .advance = fake_advance, .close = fake_close
	};
	struct fake f = { .dev = { .ops = &ops, .fd = -1 }, .at_once = 1 };

	snprintf(f.dev.iface.name, sizeof(f.dev.iface.name), "%s", name);
	f.dev.iface.link = TERN_LINK_IP;
	f.dev.iface.mtu = 1500;
	return f;
}

static struct loop l;
static struct tern_stack *one;
static tern_sock udp;

static void begin(void)
{
	struct tern_config cfg;

	loop_init(&l);
	tern_config_default(&cfg);
	cfg.tcp_rto_initial_ms = 200;
	cfg.tcp_syn_retries = 1;
	one = loop_new_stack(&l, &cfg, NULL, NULL);
	check_eq(tern_socket(one, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &udp), 0);
}

/* Device i has the network 10.0.i.0/24. */
static void add(struct fake *f, uint8_t i)
{
	struct tern_addr a = tern_ip4(10, 0, i, 1, 0);

	check(loop_add(&l, one, &f->dev) > 0);
	check_eq(tern_addr_add(one, f->dev.ifindex, &a, 24), 0);
}

static int64_t say(uint8_t network, uint8_t byte)
{
	struct tern_addr to = tern_ip4(10, 0, network, 2, 9);

	return tern_sendto(one, udp, &byte, 1, 0, &to);
}

static void reads_and_writes_in_turns(void)
{
	struct fake a = fake_make("a"), b = fake_make("b");

	begin();
	add(&a, 0);
	add(&b, 1);
	a.to_read = 1000;
	b.to_read = 10;
	for (int i = 0; i < 100; i++)
		check_eq(say(0, (uint8_t)i), 1);
	loop_pump(&l);
	check_eq(a.most_read, 64);
	check_eq(a.to_read, 1000 - 64);
	check_eq(b.to_read, 0); /* the busy one did not keep it waiting */
	check_eq(a.n_taken, 64);
	loop_wait(&l, loop_now() + TERN_SEC, NULL, 0); /* the rest goes, and it does not sleep */
	check_eq(a.n_taken, 100);
	check_eq(tern_counter(one, "Drop-ip-malformed") + tern_counter(one, "Drop-no-proto"),
		 64 + 10);
	loop_fini(&l);
	check(a.closed && b.closed);
}

static void a_full_device_loses_and_doubles_nothing(void)
{
	for (unsigned at_once = 1; at_once < 9; at_once++) {
		struct fake a = fake_make("a");

		test_at("%u at once", at_once);
		a.at_once = at_once;
		begin();
		add(&a, 0);
		for (int i = 0; i < 200; i++)
			check_eq(say(0, (uint8_t)i), 1);
		for (int i = 0; i < 100 && a.n_taken < 200; i++) {
			a.full = i % 3;
			loop_pump(&l);
			loop_wait(&l, loop_now() + TERN_US, NULL, 0);
		}
		check_eq(a.n_taken, 200);
		for (int i = 0; i < 200; i++)
			check_eq(a.taken[i], (uint8_t)i);
		loop_fini(&l);
	}
}

/* A full one leaves off in the middle of what was pulled for it. */
static void what_waits_goes_with_the_loop(void)
{
	struct fake a = fake_make("a");

	begin();
	add(&a, 0);
	for (int i = 0; i < 10; i++)
		check_eq(say(0, (uint8_t)i), 1);
	a.full = 1;
	loop_pump(&l);
	check_eq(a.n_taken, 0);
	check(l.port[0].held && l.port[0].held->next);
	loop_fini(&l); /* the sanitizers see what is left */
	check(a.closed);
}

static void a_full_device_is_waited_for_asleep(void)
{
	struct fake a = fake_make("a");
	tern_time begun = loop_now();

	begin();
	add(&a, 0);
	a.full = 1000000;
	check_eq(say(0, 1), 1);
	check_eq(say(0, 2), 1);
	for (int i = 0; i < 10; i++) {
		loop_wait(&l, loop_now() + 5 * TERN_MS, NULL, 0);
		loop_pump(&l);
	}
	check(loop_now() - begun >= 45 * TERN_MS);
	check(a.n_writes <= 20);
	loop_fini(&l); /* with the packet in its port */
	check(a.closed);
}

/* What the wait itself sends makes room, of which the user is to hear now. */
static void room_for_datagrams_ends_the_wait(void)
{
	struct fake a = fake_make("a");
	struct tern_event ev;
	int32_t small = 1;
	tern_time begun;
	int n = 0;

	begin();
	add(&a, 0);
	check_eq(tern_setsockopt(one, udp, TERN_SOL_SOCKET, TERN_SO_SNDBUF, &small, sizeof(small)),
		 0);
	while (n < 64 && say(0, (uint8_t)n) == 1)
		n++;
	check(n > 2 && n < 64);
	while (tern_event(one, &ev))
		continue;
	begun = loop_now();
	loop_wait(&l, begun + 5 * TERN_SEC, NULL, 0);
	check(loop_now() - begun < TERN_SEC);
	check(tern_event(one, &ev) && (ev.news & TERN_POLLOUT));
	loop_fini(&l);
}

static void a_full_descriptor_wakes_when_it_has_room(void)
{
	struct fake a = fake_make("a");
	tern_time begun;
	char bytes[4096] = "";
	int fd[2];

	check_eq(pipe2(fd, O_NONBLOCK | O_CLOEXEC), 0);
	while (write(fd[1], bytes, sizeof(bytes)) > 0)
		continue;
	begin();
	add(&a, 0);
	a.dev.fd = fd[1];
	a.full = 1;
	check_eq(say(0, 1), 1);
	begun = loop_now();
	loop_wait(&l, begun + 20 * TERN_MS, NULL, 0);
	check(loop_now() - begun >= 19 * TERN_MS);
	while (read(fd[0], bytes, sizeof(bytes)) > 0)
		continue;
	a.full = 1; /* loop_wait tries once more before it sleeps */
	begun = loop_now();
	loop_wait(&l, begun + 5 * TERN_SEC, NULL, 0);
	check(loop_now() - begun < TERN_SEC);
	loop_pump(&l);
	check_eq(a.n_taken, 1);
	loop_fini(&l);
	close(fd[0]);
	close(fd[1]);
}

/* What a loop does of a device that has gone: told once, interface down, and no more of it. */
static void check_gone(struct fake *f)
{
	struct tern_iface now;
	tern_time begun;
	unsigned n;

	check_str(loop_take_gone(&l), f->dev.iface.name);
	check(loop_take_gone(&l) == NULL);
	check_eq(tern_iface_get(one, f->dev.ifindex, &now), 0);
	check(now.flags & TERN_IFACE_DOWN);
	n = f->n_reads + f->n_writes + f->n_advances;
	begun = loop_now();
	for (int i = 0; i < 3; i++) {
		loop_wait(&l, loop_now() + 10 * TERN_MS, NULL, 0);
		loop_pump(&l);
	}
	check(loop_now() - begun >= 29 * TERN_MS);
	check_eq(f->n_reads + f->n_writes + f->n_advances, n);
	check(loop_take_gone(&l) == NULL);
}

static void vanishes_while_reading(void)
{
	struct fake a = fake_make("reader");

	begin();
	add(&a, 0);
	loop_pump(&l);
	check(loop_take_gone(&l) == NULL);
	a.gone = true;
	loop_pump(&l);
	check_gone(&a);
	check(say(0, 1) < 0);
	loop_fini(&l);
}

static void vanishes_while_writing(void)
{
	struct fake a = fake_make("writer");
	tern_time begun;

	begin();
	add(&a, 0);
	a.full = 1;
	check_eq(say(0, 1), 1);
	check_eq(say(0, 2), 1);
	loop_pump(&l); /* a packet is held now */
	a.gone = true;
	begun = loop_now();
	loop_wait(&l, begun + 2 * TERN_SEC, NULL, 0);
	check(loop_now() - begun < TERN_SEC); /* its user wants to know now */
	check_gone(&a);
	loop_fini(&l);
}

static void each_that_vanishes_is_told(void)
{
	struct fake a = fake_make("a"), b = fake_make("b"), c = fake_make("c");

	begin();
	add(&a, 0);
	add(&b, 1);
	add(&c, 2);
	a.gone = c.gone = true;
	loop_pump(&l);
	check_str(loop_take_gone(&l), "a");
	check_str(loop_take_gone(&l), "c");
	check(loop_take_gone(&l) == NULL);
	check_eq(say(1, 7), 1); /* the one in between is as it was */
	loop_pump(&l);
	check_eq(b.n_taken, 1);
	check_eq(b.taken[0], 7);
	loop_fini(&l);
}

/* A connection over a device that vanishes ends by its timer, not at once and not never. */
static void a_connection_times_out(void)
{
	struct tern_addr to = tern_ip4(10, 0, 0, 2, 80);
	struct fake a = fake_make("a");
	tern_time end = loop_now() + 10 * TERN_SEC;
	int32_t err = 0;
	size_t len = sizeof(err);
	struct tern_event ev;
	tern_sock s;

	begin();
	add(&a, 0);
	check_eq(tern_socket(one, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s), 0);
	check_eq(tern_connect(one, s, &to), -TERN_EINPROGRESS);
	loop_pump(&l);
	check_eq(a.n_taken, 1);
	a.gone = true;
	while (!(tern_poll(one, s) & TERN_POLLERR) && loop_now() < end) {
		while (tern_event(one, &ev))
			continue;
		loop_wait(&l, end, NULL, 0);
		loop_pump(&l);
	}
	check_eq(tern_getsockopt(one, s, TERN_SOL_SOCKET, TERN_SO_ERROR, &err, &len), 0);
	check(err == TERN_ETIMEDOUT || err == TERN_ENETUNREACH || err == TERN_EHOSTUNREACH);
	loop_fini(&l);
}

static volatile sig_atomic_t n_alarms;

static void on_alarm(int sig)
{
	(void)sig;
	n_alarms++;
}

static void a_signal_ends_the_wait(void)
{
	struct itimerval soon = { .it_value = { 0, 20000 } };
	struct pollfd in = { .fd = -1, .events = POLLIN, .revents = POLLIN };
	tern_time begun = loop_now();

	begin();
	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &soon, NULL);
	loop_wait(&l, begun + 5 * TERN_SEC, &in, 1);
	check_eq(n_alarms, 1);
	check(loop_now() - begun < 4 * TERN_SEC);
	check_eq(in.revents, 0); /* nothing of before is left in it */
	loop_fini(&l);
}

static void descriptors_of_the_user_wake_it(void)
{
	struct pollfd many[80];
	tern_time begun = loop_now();
	struct fake a = fake_make("a");
	int fd[2];

	check_eq(pipe2(fd, O_CLOEXEC), 0);
	begin();
	add(&a, 0);
	a.dev.fd = fd[1]; /* its own come first in the list */
	for (int i = 0; i < 80; i++)
		many[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	many[63].fd = fd[0];
	check_eq(write(fd[1], "x", 1), 1);
	loop_wait(&l, begun + 5 * TERN_SEC, many, 80); /* the first 64 of them */
	check(loop_now() - begun < 4 * TERN_SEC);
	check_eq(many[63].revents, POLLIN);
	check_eq(many[0].revents, 0);
	loop_fini(&l);
	close(fd[0]);
	close(fd[1]);
}

static void sleeps_until_the_deadline_and_no_longer(void)
{
	struct tern_addr to = tern_ip4(10, 0, 0, 2, 80);
	struct fake a = fake_make("a");
	tern_time begun = loop_now();
	tern_sock s;

	begin();
	add(&a, 0);
	loop_wait(&l, begun + 30 * TERN_MS, NULL, 0);
	check(loop_now() - begun >= 30 * TERN_MS);
	loop_wait(&l, 0, NULL, 0); /* in the past */
	check_eq(tern_socket(one, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s), 0);
	check_eq(tern_connect(one, s, &to), -TERN_EINPROGRESS);
	while (a.n_taken < 2 && loop_now() - begun < 8 * TERN_SEC) { /* a SYN, and it again */
		loop_wait(&l, TERN_NEVER, NULL, 0);
		loop_pump(&l);
	}
	check_eq(a.n_taken, 2);
	check(a.n_reads < 20);
	loop_fini(&l);
}

static void refuses_too_many(void)
{
	struct fake f[LOOP_PORTS_MAX + 1];
	struct tern_config cfg;
	char name[8];

	begin();
	for (unsigned i = 0; i <= LOOP_PORTS_MAX; i++) {
		snprintf(name, sizeof(name), "d%u", i % LOOP_PORTS_MAX);
		f[i] = fake_make(name);
		check_eq(loop_add(&l, one, &f[i].dev) > 0, i < LOOP_PORTS_MAX);
	}
	tern_config_default(&cfg);
	for (unsigned i = 1; i <= LOOP_STACKS_MAX; i++)
		check_eq(loop_new_stack(&l, &cfg, NULL, NULL) != NULL, i < LOOP_STACKS_MAX);
	loop_fini(&l);
	check(!f[LOOP_PORTS_MAX].closed); /* it stayed its opener's */
}

static void one_stack_uses_several_devices(void)
{
	struct dev_wish w = { .mtu = 0 };
	struct tern_addr any = { .family = TERN_AF_INET, .port = 9 };
	struct dev *end[2][2];
	struct tern_stack *far[2];
	struct tern_config cfg;
	uint8_t byte;
	tern_sock s;

	begin();
	tern_config_default(&cfg);
	for (uint8_t i = 0; i < 2; i++) {
		struct tern_addr ours = tern_ip4(10, 0, i, 1, 0), theirs = tern_ip4(10, 0, i, 2, 0);

		check(pipe_open(end[i], &w));
		snprintf(end[i][0]->iface.name, sizeof(end[i][0]->iface.name), "wire%u", i);
		far[i] = loop_new_stack(&l, &cfg, NULL, NULL);
		check(loop_add(&l, one, end[i][0]) > 0);
		check(loop_add(&l, far[i], end[i][1]) > 0);
		check_eq(tern_addr_add(one, end[i][0]->ifindex, &ours, 24), 0);
		check_eq(tern_addr_add(far[i], end[i][1]->ifindex, &theirs, 24), 0);
	}
	for (uint8_t i = 0; i < 2; i++) {
		check_eq(tern_socket(far[i], TERN_AF_INET, TERN_SOCK_DGRAM, 0, &s), 0);
		check_eq(tern_bind(far[i], s, &any), 0);
		check_eq(say(i, (uint8_t)(40 + i)), 1);
		loop_wait(&l, 0, NULL, 0);
		loop_pump(&l);
		check_eq(tern_recv(far[i], s, &byte, 1, 0), 1);
		check_eq(byte, 40 + i);
		check_eq(tern_recv(far[i], s, &byte, 1, 0), -TERN_EAGAIN);
	}
	loop_fini(&l);
}

static const struct test tests[] = {
	TEST(reads_and_writes_in_turns),
	TEST(a_full_device_loses_and_doubles_nothing),
	TEST(what_waits_goes_with_the_loop),
	TEST(a_full_device_is_waited_for_asleep),
	TEST(room_for_datagrams_ends_the_wait),
	TEST(a_full_descriptor_wakes_when_it_has_room),
	TEST(vanishes_while_reading),
	TEST(vanishes_while_writing),
	TEST(each_that_vanishes_is_told),
	TEST(a_connection_times_out),
	TEST(a_signal_ends_the_wait),
	TEST(descriptors_of_the_user_wake_it),
	TEST(sleeps_until_the_deadline_and_no_longer),
	TEST(refuses_too_many),
	TEST(one_stack_uses_several_devices),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
