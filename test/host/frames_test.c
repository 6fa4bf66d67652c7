/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frames_test.c - frames through a socket pair into a stack: all lengths and all cuts (SEC-01,
 * SEC-02, SEC-149), tags upon tags (SEC-03), what stands behind a short packet (SEC-04, SEC-05), a
 * far end that closes, and memory that runs out.
 */
#define _GNU_SOURCE
#include "pair_fixture.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hunger.h"

enum { FRAME_CAP = 3000 };

static struct dev *dev;
static int far;
static uint8_t frame[FRAME_CAP];
static uint32_t frame_len;

static struct dev *open_pair(int type, bool ethernet, int *far_fd)
{
	int fd[2], room = 4 << 20;
	struct dev_wish w = { .mtu = 0 };
	struct dev *d;

	check_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fd), 0);
	for (int i = 0; i < 2; i++)
		setsockopt(fd[i], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	d = fd_open(fd[0], ethernet, &w);
	close(fd[0]); /* the device has its own */
	check(d != NULL);
	d->ifindex = 2;
	*far_fd = fd[1];
	return d;
}

static void close_pair(void)
{
	dev_close(dev);
	close(far);
}

/* A frame comes and is read: how many packets, freed again; or an error. */
static int read_all(unsigned max, uint32_t *total)
{
	struct tern_pkt *list = NULL, *next;
	int n = dev->ops->read(dev, st, max, &list);

	for (int i = 0; i < n; i++, list = next) {
		next = list->next;
		*total += list->total_len;
		tern_pkt_free(st, list);
	}
	return n;
}

/* SEC-149 */
static void frames_of_every_size(void)
{
	static const struct {
		uint32_t len;
		int n;
	} sizes[] = { { 0, 0 },	    { 1, 1 },	   { 65535, 1 },      { 65536, 1 },
		      { 65549, 1 }, { 65557, 1 },  { 65558, 0 },      { 65536 + 60, 0 },
		      { 70000, 0 }, { 131072, 0 }, { 131072 + 60, 0 } };
	static const int types[] = { SOCK_SEQPACKET, SOCK_DGRAM };
	static uint8_t bytes[140000];

	for (unsigned i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint32_t total = 0, len = sizes[i / 2].len;
		int n = sizes[i / 2].n;

		test_at("%u bytes, type %u", len, i % 2);
		new_stack(1);
		dev = open_pair(types[i % 2], true, &far);
		check_eq(send(far, bytes, len, 0), len);
		check_eq(send(far, bytes, 60, 0), 60); /* the next one is not touched by it */
		check_eq(read_all(64, &total), n + 1);
		check_eq(total, (n ? len : 0) + 60);
		check_eq(dev->refused, n ? 0 : 1);
		check_eq(read_all(64, &total), 0);
		close_pair();
		end_stack();
	}
}

static void refused_frames_are_in_the_budget(void)
{
	uint32_t total = 0;

	new_stack(1);
	dev = open_pair(SOCK_DGRAM, false, &far);
	for (int i = 0; i < 50; i++)
		check_eq(send(far, "", 0, 0), 0);
	check_eq(read_all(20, &total), 0);
	check_eq(dev->refused, 20);
	check_eq(read_all(64, &total), 0);
	check_eq(dev->refused, 50);
	close_pair();
	end_stack();
}

static void a_frame_without_memory_is_counted(void)
{
	uint32_t total = 0;

	new_small_stack();
	dev = open_pair(SOCK_SEQPACKET, false, &far);
	take_memory();
	for (int i = 0; i < 3; i++)
		check_eq(send(far, "abc", 3, 0), 3);
	check_eq(read_all(64, &total), 0);
	check_eq(dev->refused, 3);
	check(recv(far, frame, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN);
	give_memory_back();
	check_eq(send(far, "abcd", 4, 0), 4); /* and the device is as it was */
	check_eq(read_all(64, &total), 1);
	check_eq(total, 4);
	close_pair();
	end_stack();
}

/* ---- a stack behind the device ---- */

static const uint8_t our_mac[6] = { 2, 0, 0, 0, 0, 1 }, peer_mac[6] = { 2, 0, 0, 0, 0, 9 };
static tern_sock udp;

/* As in the fixture, but on Ethernet when asked; a listener at 80, a datagram socket at 9. */
static void begin(bool ethernet)
{
	struct tern_addr a = tern_ip4(10, 0, 0, 1, 0), six, any = { .family = TERN_AF_INET6 };
	struct tern_iface wire = { "wire", TERN_LINK_ETHERNET, 1500, 0, { 0 } };

	new_stack(1);
	if (ethernet) {
		memcpy(wire.mac, our_mac, 6);
		tern_iface_del(st, 2);
		check_eq(tern_iface_add(st, &wire), 2);
		check_eq(tern_addr_add(st, 2, &a, 24), 0);
		tern_addr_parse("fd00::1", 0, &six);
		check_eq(tern_addr_add(st, 2, &six, 64), 0);
	}
	tern_advance(st, 5 * TERN_SEC); /* duplicate address detection is over */
	while (next_out(frame, sizeof(frame)))
		continue;
	any.port = 80;
	listen_on(any);
	any.port = 9;
	check_eq(tern_socket(st, TERN_AF_INET6, TERN_SOCK_DGRAM, 0, &udp), 0);
	check_eq(tern_bind(st, udp, &any), 0);
	dev = open_pair(SOCK_SEQPACKET, ethernet, &far);
}

static void end(void)
{
	close_pair();
	end_stack();
}

enum what { SYN, RST_WANTED, UDP, UDP_CLOSED, ECHO, ARP, N_WHAT };

static uint32_t put_transport(enum what what, bool v6, uint8_t *b)
{
	struct addr src = parse_addr(v6 ? "fd00::9" : "10.0.0.9");
	struct addr dst = parse_addr(v6 ? "fd00::1" : "10.0.0.1");
	struct tcp_hdr h = { .src_port = 5000,
			     .dst_port = what == SYN ? 80 : 81,
			     .seq = 1000,
			     .flags = TCP_SYN,
			     .wnd = 9000,
			     .has_mss = true,
			     .mss = 1400 };
	uint8_t proto = what <= RST_WANTED ? 6 : what <= UDP_CLOSED ? 17 : v6 ? 58 : 1;
	uint32_t len = 12, sum, field = what <= RST_WANTED ? 16 : what <= UDP_CLOSED ? 6 : 2;

	memset(b, 0, 100);
	if (what <= RST_WANTED) {
		len = (uint32_t)tcp_emit(&h, b);
	} else if (what <= UDP_CLOSED) {
		put_be16(b, 5000);
		put_be16(b + 2, what == UDP ? 9 : 10);
		put_be16(b + 4, (uint16_t)len);
		memcpy(b + 8, "text", 4);
	} else {
		b[0] = v6 ? 128 : 8;
		b[7] = 1;
		memcpy(b + 8, "ping", 4);
	}
	sum = proto == 1 ? 0 : checksum_pseudo(&src, &dst, proto, len);
	put_be16(b + field, checksum_finish(checksum_add(b, len, sum)));
	return len;
}

static void make_arp(uint8_t *b)
{
	static const uint8_t fixed[8] = { 0, 1, 8, 0, 6, 4, 0, 1 }, ask[4] = { 10, 0, 0, 1 },
			     from[4] = { 10, 0, 0, 9 };

	memset(b, 0, 28);
	memcpy(b, fixed, 8);
	memcpy(b + 8, peer_mac, 6);
	memcpy(b + 14, from, 4);
	memcpy(b + 24, ask, 4);
}

/* A valid frame, in frame[]. */
static void make(enum what what, bool ethernet, bool v6)
{
	uint32_t at = ethernet ? 14 : 0, len;
	uint8_t text[100];
	struct addr src = parse_addr(v6 ? "fd00::9" : "10.0.0.9");
	struct addr dst = parse_addr(v6 ? "fd00::1" : "10.0.0.1");
	uint8_t proto = what <= RST_WANTED ? 6 : what <= UDP_CLOSED ? 17 : v6 ? 58 : 1;

	memset(frame, 0xee, sizeof(frame));
	memcpy(frame, our_mac, 6);
	memcpy(frame + 6, peer_mac, 6);
	put_be16(frame + 12, what == ARP ? ETH_ARP : v6 ? ETH_IP6 : ETH_IP4);
	if (what == ARP) {
		make_arp(frame + 14);
		frame_len = 14 + 28;
		return;
	}
	len = put_transport(what, v6, text);
	if (v6) {
		struct ip6 h = { .hop_limit = 9, .next_header = proto, .src = src, .dst = dst };

		h.payload_len = (uint16_t)len;
		at += (uint32_t)ip6_emit(&h, frame + at);
	} else {
		struct ip4 h = { .ttl = 9, .proto = proto, .hdr_len = 20, .src = src, .dst = dst };

		h.total_len = (uint16_t)(20 + len);
		at += (uint32_t)ip4_emit(&h, frame + at);
	}
	memcpy(frame + at, text, len);
	frame_len = at + len;
}

/* len bytes of frame[] come over the wire. */
static void arrive(uint32_t len)
{
	struct tern_pkt *list = NULL;
	int n;

	check_eq(send(far, frame, len, 0), len);
	n = dev->ops->read(dev, st, 64, &list);
	check(n >= 0);
	if (n > 0)
		tern_input_batch(st, list);
}

/* All that a frame that is dropped must not change, and how many were. */
struct state {
	uint64_t n_dropped;
	unsigned n_records, n_neighbours, n_out, recv_queue;
};

static struct state look(void)
{
	struct state s = { .n_dropped = dev->refused, .n_records = n_records() };
	struct tern_sock_info i;
	struct tern_neigh neigh;
	unsigned cursor = 0;
	uint64_t sock_cursor = 0, v;
	const char *name;
	uint8_t out[FRAME_CAP];

	while (tern_counter_next(st, &cursor, &name, &v))
		s.n_dropped += strncmp(name, "Drop-", 5) == 0 ? v : 0;
	for (cursor = 0; tern_neigh_next(st, &cursor, &neigh);)
		s.n_neighbours++;
	while (tern_sock_next(st, &sock_cursor, &i))
		s.recv_queue += (unsigned)i.recv_queue;
	while (next_out(out, sizeof(out)))
		s.n_out++;
	return s;
}

static void check_dropped(const struct state *before)
{
	struct state now = look();

	check_eq(now.n_dropped, before->n_dropped + 1);
	check_eq(now.n_records, before->n_records);
	check_eq(now.n_neighbours, before->n_neighbours);
	check_eq(now.recv_queue, before->recv_queue);
	check_eq(now.n_out, 0);
}

/* SEC-01 */
static void valid_frames_cut_at_every_byte(void)
{
	for (unsigned i = 0; i < 4 * N_WHAT; i++) {
		enum what what = (enum what)(i / 4);
		bool ethernet = i & 1, v6 = i & 2;
		struct state before;

		if (what == ARP && (!ethernet || v6))
			continue;
		begin(ethernet);
		make(what, ethernet, v6);
		for (uint32_t len = 0; len < frame_len; len++) {
			test_at("frame %d, ethernet %d, v6 %d, %u bytes", what, ethernet, v6, len);
			before = look();
			arrive(len);
			check_dropped(&before);
		}
		before = look();
		arrive(frame_len); /* the whole of it does something */
		{
			struct state now = look();

			check(now.n_records > before.n_records || now.n_out > 0 ||
			      now.recv_queue > before.recv_queue ||
			      now.n_neighbours > before.n_neighbours);
		}
		end();
	}
}

/* SEC-02 */
static void every_length_of_nonsense(void)
{
	static const uint8_t fills[] = { 0x00, 0xff, 0x45, 0x60, 0x81 };

	for (int ethernet = 0; ethernet < 2; ethernet++) {
		begin(ethernet);
		for (uint32_t len = 0; len <= 64; len++) {
			for (unsigned f = 0; f < 2 * sizeof(fills); f++) {
				struct state before = look();

				test_at("ethernet %d, %u bytes, fill %u", ethernet, len, f);
				memset(frame, fills[f / 2], sizeof(frame));
				if (f & 1)
					memcpy(frame, our_mac, 6);
				arrive(len);
				check_dropped(&before);
			}
		}
		end();
	}
}

/* SEC-02, SEC-03: tags, of which the stack knows none. */
static void tags_upon_tags(void)
{
	begin(true);
	for (uint32_t n = 1; n <= 64; n++) {
		for (uint32_t less = 0; less < 4; less++) {
			struct state before = look();

			make(UDP, true, false);
			memmove(frame + 12 + 4 * n, frame + 12, frame_len - 12);
			for (uint32_t i = 0; i < n; i++)
				put_be32(frame + 12 + 4 * i, 0x81000000u + i);
			test_at("%u tags, %u bytes less", n, less);
			arrive(frame_len + 4 * n - less);
			check_dropped(&before);
			before = look();
			arrive(12 + 4 * n - less); /* nothing behind them */
			check_dropped(&before);
		}
	}
	end();
}

/* SEC-04: what goes out ends where the packet ends, or with zeroes. */
static void nothing_stands_behind_what_goes_out(void)
{
	static const enum what whats[] = { ARP, ARP, SYN, RST_WANTED, UDP_CLOSED, ECHO };
	uint8_t out[FRAME_CAP];
	unsigned n_out = 0;

	begin(true);
	for (unsigned i = 0; i < sizeof(whats) / sizeof(whats[0]); i++) {
		struct tern_pkt *p;
		ssize_t n;

		make(whats[i], true, false);
		arrive(frame_len);
		while ((p = tern_output(st, 2))) {
			check_eq(dev->ops->write(dev, st, p), 1);
			tern_pkt_free(st, p);
		}
		while ((n = recv(far, out, sizeof(out), 0)) > 0) {
			uint32_t len = get_be16(out + 12) == ETH_ARP ?
					       14 + 28 :
					       14 + (uint32_t)get_be16(out + 16);

			test_at("packet %u, %d bytes", i, (int)n);
			check(n >= (ssize_t)len);
			for (ssize_t at = len; at < n; at++)
				check_eq(out[at], 0);
			n_out++;
		}
	}
	check(n_out >= 6);
	end();
}

/* What a packet with so many bytes behind it brings about: the answers and the text. */
static uint32_t effect_of(enum what what, bool ethernet, uint32_t surplus, uint8_t *out)
{
	uint32_t n = 0;
	int64_t got;

	begin(ethernet);
	make(ARP, true, false);
	if (ethernet)
		arrive(frame_len); /* so that answers go at once */
	make(what, ethernet, false);
	memset(frame + frame_len, (int)surplus, surplus);
	arrive(frame_len + surplus);
	for (uint32_t len; (len = next_out(out + n, FRAME_CAP - n));)
		n += len;
	got = tern_recv(st, udp, out + n, FRAME_CAP - n, 0);
	n += got > 0 ? (uint32_t)got : 0;
	out[n++] = (uint8_t)n_records();
	end();
	return n;
}

/* SEC-05 */
static void what_stands_behind_a_packet_is_nothing(void)
{
	static const enum what whats[] = { SYN, RST_WANTED, UDP, ECHO };
	static uint8_t plain[FRAME_CAP], out[FRAME_CAP];

	for (unsigned i = 0; i < 8; i++) {
		enum what what = whats[i / 2];
		uint32_t len = effect_of(what, i & 1, 0, plain);

		for (uint32_t surplus = 1; surplus <= 1400; surplus += surplus < 70 ? 1 : 35) {
			test_at("packet %d, ethernet %u, %u more", what, i & 1, surplus);
			check_eq(effect_of(what, i & 1, surplus, out), len);
			check_mem(out, plain, len);
		}
	}
}

/* ---- the far end ---- */

static void a_far_end_that_closes_is_told_once(void)
{
	static const int types[] = { SOCK_SEQPACKET, SOCK_DGRAM };

	for (int i = 0; i < 2; i++) {
		struct pair p;
		struct dev *a, *b;
		tern_time begun;
		int fd[2];

		test_at("type %d", i);
		a = open_pair(types[i], false, &fd[0]);
		b = open_pair(types[i], false, &fd[1]);
		snprintf(a->iface.name, sizeof(a->iface.name), "near");
		pair_open(&p, a, b);
		close(fd[0]);
		if (i == 1) { /* a datagram socket learns it when it sends */
			struct tern_addr to = tern_ip4(10, 0, 0, 2, 9);
			tern_sock s;

			tern_socket(p.st[0], TERN_AF_INET, TERN_SOCK_DGRAM, 0, &s);
			check_eq(tern_sendto(p.st[0], s, "x", 1, 0, &to), 1);
		}
		pair_turn(&p, loop_now() + TERN_SEC);
		check_str(loop_take_gone(&p.l), "near");
		begun = loop_now();
		for (int k = 0; k < 5; k++)
			pair_turn(&p, loop_now() + 10 * TERN_MS);
		check(loop_now() - begun >= 49 * TERN_MS); /* it slept */
		check(loop_take_gone(&p.l) == NULL);
		close(fd[1]);
		pair_close(&p);
	}
}

/* Two stacks over the two ends of one socket pair. */
static void carries_streams(void)
{
	static const int types[] = { SOCK_SEQPACKET, SOCK_DGRAM };

	for (int i = 0; i < 2; i++) {
		struct dev_wish w = { .mtu = 0 };
		struct pair p;
		int fd[2];

		check_eq(socketpair(AF_UNIX, types[i] | SOCK_CLOEXEC, 0, fd), 0);
		pair_open(&p, fd_open(fd[0], i, &w), fd_open(fd[1], i, &w));
		close(fd[0]);
		close(fd[1]);
		pair_connect(&p, false);
		pair_transfer(&p, 3000000);
		pair_close(&p);
	}
}

static void refuses_descriptors_that_carry_no_frames(void)
{
	struct dev_wish w = { .mtu = 0 };
	int fd[2];

	check(fd_open(999, true, &w) == NULL);
	check(strstr(w.error, "descriptor 999") != NULL);
	check_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	check(fd_open(fd[0], true, &w) == NULL);
	check(strstr(w.error, "is a stream") != NULL);
	close(fd[0]);
	close(fd[1]);
}

static const struct test tests[] = {
	TEST(frames_of_every_size),
	TEST(refused_frames_are_in_the_budget),
	TEST(a_frame_without_memory_is_counted),
	TEST(valid_frames_cut_at_every_byte),
	TEST(every_length_of_nonsense),
	TEST(tags_upon_tags),
	TEST(nothing_stands_behind_what_goes_out),
	TEST(what_stands_behind_a_packet_is_nothing),
	TEST(a_far_end_that_closes_is_told_once),
	TEST(carries_streams),
	TEST(refuses_descriptors_that_carry_no_frames),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
