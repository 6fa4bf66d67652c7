/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * copies_test.c - packets that several interfaces captured: which are copies and left out, and which
 * were sent again.
 */
#include "../../view/copies.h"
#include "../../view/link_layer.h"
#include "capture_file.h"
#include "test.h"

enum { LINK_COOKED2 = 276, COOKED2_LEN = 20, SLOW = 11 };

/* ---- one packet after another ---- */

struct packet {
	uint8_t bytes[4096];
	struct ip_bytes ip;
};

static void take_packet(struct packet *p, const struct view_event *ev)
{
	memcpy(p->bytes, ev->bytes, ev->len);
	p->ip = (struct ip_bytes){ p->bytes, ev->kept, ev->len };
}

/* From side 0; UDP has what TCP would have. */
static void make_packet(struct packet *p, bool ip6, uint8_t proto, uint32_t len)
{
	struct scene s = scene_new(ip6);

	s.raw_ip = true;
	s.proto = proto;
	scene_send(&s, 0, TCP_ACK, SEG(1, 1, len, 1000));
	take_packet(p, &s.view->event[0]);
	view_free(s.view);
}

/* What became of a byte of the second one: of IPv4 and of IPv6; 0: nothing. */
static const struct {
	const char *name;
	bool is_copy;
	uint8_t proto;
	uint16_t at[2];
	uint8_t flip;
} changes[] = {
	{ "nothing", true, 6, { 0, 0 }, 0 },
	{ "the hop limit", true, 6, { 8, 7 }, 1 },
	{ "congestion marked", true, 6, { 1, 1 }, 0 },
	{ "TCP's checksum", true, 6, { 36, 56 }, 0xff },
	{ "UDP's checksum", true, 17, { 26, 46 }, 0xff },
	{ "the source", false, 6, { 15, 23 }, 1 },
	{ "the destination", false, 6, { 19, 39 }, 1 },
	{ "a port", false, 6, { 21, 41 }, 1 },
	{ "the sequence number", false, 6, { 27, 47 }, 1 },
	{ "the acknowledgment", false, 6, { 31, 51 }, 1 },
	{ "the window", false, 6, { 35, 55 }, 1 },
	{ "where UDP's checksum would be", false, 6, { 26, 46 }, 1 },
	{ "where TCP's checksum would be", false, 17, { 36, 56 }, 1 },
	{ "the first byte", false, 6, { 40, 60 }, 1 },
	{ "a byte far behind", false, 6, { 1200, 1200 }, 1 },
	{ "the last byte", false, 6, { 1339, 1359 }, 1 },
};

static bool is_copy(const struct packet *a, const struct packet *b, tern_time delay)
{
	struct copies *c = copies_new();
	bool copy;

	check(!copies_recognize(c, TERN_SEC, 1, &a->ip));
	copy = copies_recognize(c, TERN_SEC + delay, 2, &b->ip);
	copies_free(c);
	return copy;
}

static void copies_differ_as_routers_make_them(void)
{
	static struct packet a, b;

	for (size_t i = 0; i < 2 * N_TESTS(changes); i++) {
		bool ip6 = i % 2;
		uint16_t at = changes[i / 2].at[ip6];
		uint8_t flip = changes[i / 2].flip;

		make_packet(&a, ip6, changes[i / 2].proto, 1300);
		b = a;
		b.ip.bytes = b.bytes;
		b.bytes[at] ^= at == 1 ? (ip6 ? 0x30 : 3) : flip;
		test_at("%s, IPv%d", changes[i / 2].name, ip6 ? 6 : 4);
		check_eq(is_copy(&a, &b, TERN_MS), changes[i / 2].is_copy);
	}
}

static void the_checksum_of_ip4_differs(void)
{
	static struct packet a, b;

	make_packet(&a, false, TERN_IPPROTO_TCP, 100);
	b = a;
	b.ip.bytes = b.bytes;
	b.bytes[10] ^= 0xff;
	check(is_copy(&a, &b, TERN_MS));
}

static void padding_is_no_difference(void)
{
	static struct packet a, b;

	for (int ip6 = 0; ip6 < 2; ip6++) {
		make_packet(&a, ip6, TERN_IPPROTO_TCP, 0);
		make_packet(&b, ip6, TERN_IPPROTO_TCP, 0);
		b.ip.len = b.ip.kept += 6;
		test_at("IPv%d", ip6 ? 6 : 4);
		check(is_copy(&a, &b, TERN_MS));
		check(is_copy(&b, &a, TERN_MS));
	}
}

/* The rest of what is cut shorter cannot be compared. */
static void cut_copies_are_copies(void)
{
	static struct packet a, b;

	for (uint32_t kept = 52; kept < 300; kept += 31) {
		make_packet(&a, true, TERN_IPPROTO_TCP, 1300);
		make_packet(&b, true, TERN_IPPROTO_TCP, 1300);
		b.ip.kept = kept;
		test_at("%u bytes", kept);
		check(is_copy(&a, &b, TERN_MS));
		check(is_copy(&b, &a, TERN_MS));
		a.ip.kept = kept;
		check(is_copy(&a, &b, TERN_MS));
	}
}

static void any_cut_does_no_harm(void)
{
	static struct packet a;

	for (uint32_t kept = 0; kept < 160; kept++) {
		make_packet(&a, kept % 2, TERN_IPPROTO_TCP, 100);
		a.ip.kept = MIN(kept, a.ip.len);
		test_at("%u bytes", kept);
		check_eq(is_copy(&a, &a, TERN_MS), kept >= (kept % 2 ? 40 : 20));
	}
}

/* Of a later fragment what stands at the place of a checksum is data. */
static void fragments_have_no_checksum(void)
{
	static struct packet a, b;

	make_packet(&a, false, TERN_IPPROTO_TCP, 100);
	put_be16(a.bytes + 6, 100);
	b = a;
	b.ip.bytes = b.bytes;
	check(is_copy(&a, &b, TERN_MS));
	b.bytes[36] ^= 1;
	check(!is_copy(&a, &b, TERN_MS));
}

static void copies_come_soon(void)
{
	static struct packet a;

	make_packet(&a, false, TERN_IPPROTO_TCP, 100);
	check(is_copy(&a, &a, 10 * TERN_MS));
	check(!is_copy(&a, &a, SLOW * TERN_MS));
	test_at("clocks of interfaces are not the same");
	check(is_copy(&a, &a, 0 - 10 * TERN_MS));
	check(!is_copy(&a, &a, 0 - SLOW * TERN_MS));
}

/* The same bytes again and again, on interfaces A to C: how many of them were sent? */
static const struct {
	const char *ifaces;
	unsigned n_sent;
} orders[] = {
	{ "A", 1 },	 { "AA", 2 },	    { "AB", 1 },     { "ABC", 1 },	 { "BA", 1 },
	{ "ABABAB", 3 }, { "AAABBB", 3 },   { "ABBAAB", 3 }, { "ABCABCABC", 3 }, { "AABBCC", 2 },
	{ "ABB", 2 },	 { "AAABBBBB", 5 }, { "ABCCBA", 2 },
};

static void a_packet_has_one_copy_on_each_interface(void)
{
	static struct packet a;

	make_packet(&a, false, TERN_IPPROTO_TCP, 0);
	for (size_t i = 0; i < N_TESTS(orders); i++) {
		struct copies *c = copies_new();
		unsigned n_sent = 0;

		for (const char *iface = orders[i].ifaces; *iface; iface++)
			n_sent += !copies_recognize(c, 0, (uint64_t)*iface, &a.ip);
		test_at("%s", orders[i].ifaces);
		check_eq(n_sent, orders[i].n_sent);
		copies_free(c);
	}
}

/* As a bridge floods them. Where there are too many interfaces, too much is drawn, not too little. */
static void many_interfaces_have_copies(void)
{
	static struct packet a;
	struct copies *c = copies_new();

	make_packet(&a, false, TERN_IPPROTO_TCP, 100);
	for (uint64_t iface = 1; iface <= 200; iface++)
		check_eq(copies_recognize(c, 0, iface << 32, &a.ip), iface > 1 && iface <= 64);
	copies_free(c);
}

static void only_the_last_are_remembered(void)
{
	enum { N = 20000 };
	static struct packet a;
	struct copies *c = copies_new();
	unsigned n_copies = 0;

	make_packet(&a, true, TERN_IPPROTO_TCP, 100);
	for (uint32_t i = 0; i < N; i++) {
		put_be32(a.bytes + 44, i);
		check(!copies_recognize(c, 0, 1, &a.ip));
	}
	for (uint32_t i = 0; i < N; i++) {
		put_be32(a.bytes + 44, i);
		n_copies += copies_recognize(c, 0, 2, &a.ip);
	}
	check_eq(n_copies, 0); /* each takes the place of one that could be known */
	for (uint32_t i = N - 1; i > N - 4096; i--) {
		put_be32(a.bytes + 44, i);
		n_copies += copies_recognize(c, 0, 1, &a.ip);
	}
	check_eq(n_copies, 4095);
	copies_free(c);
}

/* ---- whole captures ---- */

/* Each packet of the scene on as many interfaces, one after the other, as a router has them. */
static void put_forwarded(struct file *f, const struct scene *s, uint32_t n_ifaces)
{
	for (uint32_t i = 0; i < s->view->n_events; i++) {
		struct view_event ev = s->view->event[i];
		uint8_t frame[256] = { ev.bytes[0] >> 4 == 6 ? 0x86 : 0x08,
				       ev.bytes[0] >> 4 == 6 ? 0xdd : 0x00 };

		memcpy(frame + COOKED2_LEN, ev.bytes, ev.len);
		ev.bytes = frame;
		ev.len = ev.kept += COOKED2_LEN;
		for (uint32_t iface = 1; iface <= n_ifaces; iface++) {
			put_be32(frame + 4, iface);
			put_packet(f, (const uint32_t[2]){ 0, i * 1000 + iface * 20 }, &ev);
			frame[COOKED2_LEN + (ev.bytes[COOKED2_LEN] >> 4 == 6 ? 7 : 8)]--;
		}
	}
}

/* A handshake and three dup ACKs. */
static struct scene dup_acks(bool ip6)
{
	struct scene s = scene_new(ip6);

	s.raw_ip = true;
	scene_send(&s, 0, TCP_SYN, SEG(0, 0, 0, 1000));
	scene_send(&s, 1, TCP_SYN | TCP_ACK, SEG(0, 1, 0, 1000));
	scene_send(&s, 0, TCP_ACK, SEG(1, 1, 0, 1000));
	for (int i = 0; i < 3; i++)
		scene_send(&s, 0, TCP_ACK, SEG(1, 1, 0, 1000));
	scene_send(&s, 0, TCP_ACK, SEG(1, 1, 100, 1000));
	return s;
}

static void check_capture(struct capture *c, uint64_t n_packets, const char *said)
{
	check(c && c->n_conns == 1);
	if (!c || c->n_conns != 1)
		return;
	check_eq(c->conn[0].n_packets[0] + c->conn[0].n_packets[1], n_packets);
	check_eq(c->conn[0].flow.side[0].n_bytes, 100);
	if (said)
		check(has_remark(c, said));
	check_eq(has_remark(c, "another interface"), said != NULL);
}

static void what_is_forwarded_is_drawn_once(void)
{
	static const char *const said[] = {
		NULL,
		"7 packets were captured on another interface just before: left out, the first is "
		"packet 2",
		"14 packets were captured on another interface just before",
	};

	for (uint32_t i = 0; i < 6; i++) {
		struct scene s = dup_acks(i % 2);
		struct file f = { 0 };
		const char *why;
		struct capture *c;

		put_head(&f, 0xa1b2c3d4, LINK_COOKED2);
		put_forwarded(&f, &s, i / 2 + 1);
		c = read_file(f.bytes, f.len, false, &why);
		test_at("%u interfaces, IPv%d", i / 2 + 1, i % 2 ? 6 : 4);
		check_capture(c, 7, said[i / 2]);
		check_eq(c ? c->conn[0].flow.side[0].n_retransmitted : 9, 0);
		check(!shows(c, FULL, "retransmission"));
		capture_free(c);
		view_free(s.view);
	}
}

static const struct {
	const char *name;
	uint32_t iface[3]; /* of the first packet, its copy, and the rest */
	uint32_t described[2];
	uint64_t n_packets;
} sections[] = {
	{ "one interface", { 0, 0, 0 }, { 1, 0 }, 8 },
	{ "two interfaces", { 0, 1, 0 }, { 2, 0 }, 7 },
	{ "two interfaces, the same one", { 1, 1, 1 }, { 2, 0 }, 8 },
	{ "a section behind another", { 0, 1, 0 }, { 1, 2 }, 7 },
};

static void put_section(struct file *f)
{
	const uint32_t words[] = { 0x0a0d0d0a, 28, 0x1a2b3c4d, 1, 0xffffffff, 0xffffffff, 28 };

	for (size_t i = 0; i < N_TESTS(words); i++)
		put32(f, words[i]);
}

static void put_ifaces(struct file *f, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t words[] = { 1, 20, 101, 0, 20 };

		for (size_t j = 0; j < N_TESTS(words); j++)
			put32(f, words[j]);
	}
}

static void put_block(struct file *f, uint32_t iface, uint32_t at_us, const struct view_event *ev)
{
	uint32_t padded = (ev->kept + 3) & ~3U;
	const uint32_t words[] = { 6, 32 + padded, iface, 0, at_us, ev->kept, ev->len };

	for (size_t i = 0; i < N_TESTS(words); i++)
		put32(f, words[i]);
	put_bytes(f, ev->bytes, ev->kept);
	f->len += padded - ev->kept;
	put32(f, 32 + padded);
}

static void interfaces_of_pcapng_are_told_apart(void)
{
	for (size_t i = 0; i < N_TESTS(sections); i++) {
		const uint32_t *iface = sections[i].iface;
		struct scene s = dup_acks(false);
		struct file f = { 0 };
		const char *why;
		struct capture *c;

		for (int j = 0; j < 2 && sections[i].described[j]; j++) {
			put_section(&f);
			put_ifaces(&f, sections[i].described[j]);
		}
		for (uint32_t j = 0; j < s.view->n_events; j++)
			put_block(&f, iface[j ? 2 : 0], 1000 * j, &s.view->event[j]);
		put_block(&f, iface[1], 7000, &s.view->event[6]);
		c = read_file(f.bytes, f.len, false, &why);
		test_at("%s", sections[i].name);
		check_capture(c, sections[i].n_packets,
			      sections[i].n_packets == 7 ? "packet 8 was captured on another" :
							   NULL);
		capture_free(c);
		view_free(s.view);
	}
}

/* Two files in one: at the same place of another section is another interface. */
static void sections_have_interfaces_of_their_own(void)
{
	struct scene s = dup_acks(false);
	struct file f = { 0 };
	const char *why;
	struct capture *c;

	for (int section = 0; section < 2; section++) {
		put_section(&f);
		put_ifaces(&f, 2);
		for (uint32_t i = 0; i < s.view->n_events; i++)
			put_block(&f, 1, 1000 * i, &s.view->event[i]);
	}
	c = read_file(f.bytes, f.len, false, &why);
	check_capture(c, 7, "7 packets were captured on another");
	capture_free(c);
	view_free(s.view);
}

static void only_the_newer_cooked_header_tells_the_interface(void)
{
	const uint8_t header[COOKED2_LEN] = { 8, 0, 0, 0, 1, 2, 3, 4 };

	check_eq(link_find_iface(LINK_COOKED2, header, 8), 0x01020304);
	check_eq(link_find_iface(LINK_COOKED2, header, 7), 0);
	check_eq(link_find_iface(113, header, sizeof(header)), 0);
}

static const struct test tests[] = {
	TEST(copies_differ_as_routers_make_them),
	TEST(the_checksum_of_ip4_differs),
	TEST(padding_is_no_difference),
	TEST(cut_copies_are_copies),
	TEST(any_cut_does_no_harm),
	TEST(fragments_have_no_checksum),
	TEST(copies_come_soon),
	TEST(a_packet_has_one_copy_on_each_interface),
	TEST(many_interfaces_have_copies),
	TEST(only_the_last_are_remembered),
	TEST(what_is_forwarded_is_drawn_once),
	TEST(interfaces_of_pcapng_are_told_apart),
	TEST(sections_have_interfaces_of_their_own),
	TEST(only_the_newer_cooked_header_tells_the_interface),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
