/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcap_read_test.c - capture files of every form, whole, cut off anywhere and damaged: a picture of
 * what is there, a remark on what is not, or one line that refuses.
 */
#include "capture_file.h"
#include "test.h"

/* A handshake; the fraction of a second of the n-th packet is n times step. */
static struct file handshake(bool big_endian, uint32_t magic, uint32_t step)
{
	struct scene s = scene_new(false);
	struct file f = { .big_endian = big_endian };

	scene_send(&s, 0, TCP_SYN, SEG(0, 0, 0, 1000));
	scene_send(&s, 1, TCP_SYN | TCP_ACK, SEG(0, 1, 0, 1000));
	scene_send(&s, 0, TCP_ACK, SEG(1, 1, 0, 1000));
	put_head(&f, magic, 1);
	for (size_t i = 0; i < s.view->n_events; i++)
		put_packet(&f, (const uint32_t[2]){ 1700000000, (uint32_t)i * step },
			   &s.view->event[i]);
	view_free(s.view);
	return f;
}

static const struct {
	const char *name;
	bool big_endian;
	uint32_t magic, step; /* of a millisecond */
} forms[] = {
	{ "microseconds", false, 0xa1b2c3d4, 1000 },
	{ "microseconds, big-endian", true, 0xa1b2c3d4, 1000 },
	{ "nanoseconds", false, 0xa1b23c4d, 1000000 },
	{ "nanoseconds, big-endian", true, 0xa1b23c4d, 1000000 },
};

static void reads_every_form(void)
{
	for (size_t i = 0; i < N_TESTS(forms); i++) {
		struct file f = handshake(forms[i].big_endian, forms[i].magic, forms[i].step);
		const char *why;
		struct capture *c = read_file(f.bytes, f.len, false, &why);
		char *text;

		test_at("%s", forms[i].name);
		check(c != NULL);
		if (!c)
			continue;
		check_eq(c->n_packets, 3);
		check_eq(c->n_conns, 1);
		check_eq(c->n_remarks, 0);
		check_eq(c->conn[0].deduced.state[0], TERN_TCP_ESTABLISHED);
		check_eq(c->conn[0].flow.last_at, 2 * TERN_MS);
		text = scene_draw(c->view, ladder_text, false);
		check(strstr(text, "   0.001000  |") != NULL);
		free(text);
		capture_free(c);
	}
}

/* Any result will do, as long as it is one, and can be drawn in every way. */
static void try_to_read(const uint8_t *p, size_t len)
{
	static scene_draw_fn *const draws[] = { ladder_text, ladder_svg, ladder_html,
						ladder_mermaid, ladder_json };
	const char *why = NULL;
	struct capture *c = read_file(p, len, false, &why);

	check(c != NULL || why != NULL);
	for (size_t i = 0; c && i < N_TESTS(draws); i++)
		free(scene_draw(c->view, draws[i], i % 2));
	capture_free(c);
}

static void survives_files_that_end_anywhere(void)
{
	struct file f = handshake(false, 0xa1b2c3d4, 1000);

	for (size_t len = 0; len < f.len; len++) {
		test_at("%zu bytes", len);
		try_to_read(f.bytes, len);
	}
}

static void survives_every_flipped_bit(void)
{
	struct file f = handshake(false, 0xa1b2c3d4, 1000);

	for (size_t bit = 0; bit < 8 * f.len; bit++) {
		test_at("bit %zu", bit);
		f.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		try_to_read(f.bytes, f.len);
		f.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static const struct {
	const char *bytes;
	size_t len;
	const char *why;
} refused[] = {
	{ "", 0, "empty" },
	{ "\xd4\xc3", 2, "neither" },
	{ "GET / HTTP/1.1\r\n", 16, "neither a pcap nor a pcapng file" },
	{ "\x1f\x8b\x08\x00", 4, "gzip" },
	{ "\x28\xb5\x2f\xfd", 4, "zstd" },
	{ "\xd4\xc3\xb2\xa1\x02\x00", 6, "ends within its head" },
	{ "\x0a\x0d\x0d\x0a\x1c\x00\x00\x00xxxx", 12, "no byte-order magic" },
	{ "\x0a\x0d\x0d\x0a\x04\x00\x00\x00\x4d\x3c\x2b\x1a", 12, "impossible length" },
	{ "\x0a\x0d\x0d\x0a\xff\xff\xff\x7f\x4d\x3c\x2b\x1a", 12, "impossible length" },
	{ "\x0a\x0d\x0d\x0a\x1c\x00\x00\x00\x4d\x3c\x2b\x1a", 12, "ends within a block" },
};

static void refuses_with_one_line(void)
{
	for (size_t i = 0; i < N_TESTS(refused); i++) {
		const char *why = "";
		struct capture *c =
			read_file((const uint8_t *)refused[i].bytes, refused[i].len, false, &why);

		test_at("case %zu", i);
		check(c == NULL);
		check(why && strstr(why, refused[i].why));
		capture_free(c);
	}
}

/* Where the head of the n-th packet begins; all are alike but the first, which has options. */
enum { PACKET_HEAD = 16, FIRST = 24 };

static void a_gigantic_length_ends_the_picture(void)
{
	struct file f = handshake(false, 0xa1b2c3d4, 1000), broken;
	const char *why;
	struct capture *c;

	broken = f;
	put_be32(broken.bytes + FIRST + 8, 0xffffffff);
	c = read_file(broken.bytes, broken.len, false, &why);
	check(c == NULL);
	check(strstr(why, "impossible length"));
	capture_free(c);
	/* Of the second packet: the first is drawn. */
	broken = f;
	put_be32(broken.bytes + FIRST + PACKET_HEAD + broken.bytes[FIRST + 8] + 8, 0xffffffff);
	c = read_file(broken.bytes, broken.len, false, &why);
	check(c && c->n_packets == 1);
	check(has_remark(c, "impossible length"));
	capture_free(c);
}

static void remarks_on_what_is_odd(void)
{
	struct file f = handshake(false, 0xa1b2c3d4, 1000);
	const char *why;
	struct capture *c;

	f.bytes[FIRST + 12] = 10; /* shorter than what is there */
	f.bytes[FIRST] = 1;	  /* a second later than the others */
	f.bytes[f.len - 1] ^= 1;  /* a wrong checksum */
	c = read_file(f.bytes, f.len - 1, false, &why);
	check(has_remark(c, "claims fewer bytes"));
	check(has_remark(c, "earlier time"));
	check(has_remark(c, "ends within a packet"));
	capture_free(c);
	c = read_file(f.bytes, f.len, false, &why);
	check(has_remark(c, "wrong checksum"));
	capture_free(c);
}

static void an_unknown_link_type_is_named(void)
{
	struct file f = handshake(false, 0xa1b2c3d4, 1000);
	const char *why;
	struct capture *c;

	f.bytes[20] = 105;
	c = read_file(f.bytes, f.len, false, &why);
	check(has_remark(c, "3 packets of link type 105, which is not read"));
	check(c && c->n_conns == 0);
	capture_free(c);
}

/* Headers cut by the snap length: as long as the ports, numbers and flags are there. */
static void a_short_snap_length_cuts_options_first(void)
{
	struct scene s = scene_new(false);

	s.options.has_mss = true;
	s.options.mss = 1460;
	s.options.has_ts = true;
	scene_send(&s, 0, TCP_SYN, SEG(0, 0, 0, 1000));
	for (uint32_t kept = 0; kept < s.view->event[0].len; kept++) {
		struct file f = { 0 };
		struct view_event ev = s.view->event[0];
		const char *why;
		struct capture *c;

		ev.kept = kept;
		put_head(&f, 0xa1b2c3d4, 1);
		put_packet(&f, (const uint32_t[2]){ 0, 0 }, &ev);
		c = read_file(f.bytes, f.len, false, &why);
		test_at("%u bytes", kept);
		check(c && c->n_conns == (kept >= 14 + 20 + 16));
		check(c && c->n_remarks == 1 && strstr(c->remark[0], "ends within its"));
		capture_free(c);
	}
	view_free(s.view);
}

/*
 * A burst that the card was to cut: an IP length of 0, of either family. So much text is captured, of
 * len bytes.
 */
static struct capture *read_burst(bool ip6, uint32_t captured, uint32_t len)
{
	struct scene s = scene_new(ip6);
	struct file f = { 0 };
	const char *why;

	scene_send(&s, 0, TCP_ACK, SEG(1, 1, captured, 1000));
	s.view->event[0].len += len - captured;
	put_head(&f, 0xa1b2c3d4, 1);
	put_packet(&f, (const uint32_t[2]){ 0, 0 }, &s.view->event[0]);
	put_be16(f.bytes + FIRST + PACKET_HEAD + 14 + (ip6 ? 4 : 2), 0);
	view_free(s.view);
	test_at("IPv%d", ip6 ? 6 : 4);
	return read_file(f.bytes, f.len, false, &why);
}

static void bursts_take_the_captured_length(void)
{
	for (int ip6 = 0; ip6 < 2; ip6++) {
		struct capture *c = read_burst(ip6, 1400, 1400);

		check(c && c->n_conns == 1 && c->conn[0].flow.side[0].n_bytes == 1400);
		check(has_remark(c, "packet 1 is a burst"));
		capture_free(c);
	}
}

/* Such bursts may be longer than any length of IP can say. */
static void bursts_are_longer_than_any_packet(void)
{
	enum { LEN = 150000 };

	for (int ip6 = 0; ip6 < 2; ip6++) {
		struct capture *c = read_burst(ip6, 1400, LEN);

		check_eq(c && c->n_conns == 1 ? c->conn[0].flow.side[0].n_bytes : 0, LEN);
		capture_free(c);
	}
}

static const struct {
	const char *name;
	uint8_t next_header, header[8];
	bool no_length;
} on_the_way[] = {
	{ "a route with segments left", 43, { 6, 0, 4, 1, 0, 0, 0, 0 }, false },
	{ "an option that a receiver must know", 60, { 6, 0, 0x9e, 4, 0, 0, 0, 0 }, false },
	{ "a burst with the option of jumbograms", 0, { 6, 0, 0xc2, 4, 0, 2, 0, 0 }, true },
};

/* What a receiver refuses is not malformed: it may be on its way, or what a card is to cut. */
static void extension_headers_are_passed_over(void)
{
	for (size_t i = 0; i < N_TESTS(on_the_way); i++) {
		struct scene s = scene_new(true);
		struct view_event ev;
		struct file f = { 0 };
		uint8_t frame[4096];
		const char *why;
		struct capture *c;

		scene_send(&s, 0, TCP_ACK, SEG(1, 1, 1400, 1000));
		ev = s.view->event[0];
		memcpy(frame, ev.bytes, 54);
		memcpy(frame + 54, on_the_way[i].header, 8);
		memcpy(frame + 62, ev.bytes + 54, ev.len - 54);
		put_be16(frame + 18, on_the_way[i].no_length ? 0 : (uint16_t)(ev.len - 54 + 8));
		frame[20] = on_the_way[i].next_header;
		ev.bytes = frame;
		ev.len = ev.kept = ev.len + 8;
		put_head(&f, 0xa1b2c3d4, 1);
		put_packet(&f, (const uint32_t[2]){ 0, 0 }, &ev);
		c = read_file(f.bytes, f.len, false, &why);
		test_at("%s", on_the_way[i].name);
		check(!has_remark(c, "malformed"));
		check_eq(c && c->n_conns == 1 ? c->conn[0].flow.side[0].n_bytes : 0, 1400);
		capture_free(c);
		view_free(s.view);
	}
}

static const struct {
	const char *name;
	bool ip6;
	uint8_t header[40], len, proto; /* of what is inserted */
	uint16_t kept;			/* of the packet; 0: all */
	const char *said;		/* NULL: it is drawn */
} authentic[] = {
	{ "IPv4", false, { 6, 4 }, 24, 51, 0, NULL },
	{ "IPv6", true, { 6, 4 }, 24, 51, 0, NULL },
	{ "IPv6, and an option for the destination",
	  true,
	  { 60, 4, [24] = 6, 0, 1, 4, 0, 0, 0, 0 },
	  32,
	  51,
	  0,
	  NULL },
	{ "IPv6, behind an option", true, { 51, 0, 1, 4, 0, 0, 0, 0, 6, 4 }, 32, 60, 0, NULL },
	{ "twice", false, { 51, 1, [12] = 6, 1 }, 24, 51, 0, NULL },
	{ "what is encrypted", false, { 50, 4 }, 24, 51, 0, "is neither TCP, UDP nor ICMP" },
	{ "cut in the header", false, { 6, 4 }, 24, 51, 14 + 20 + 20, "ends within its IP" },
	{ "cut in the first word", true, { 6, 4 }, 24, 51, 14 + 40 + 1, "ends within its IP" },
	{ "cut behind it", false, { 6, 4 }, 24, 51, 14 + 20 + 24 + 4, "ends within its IP" },
	{ "longer than the packet", false, { 6, 255 }, 24, 51, 0, "is malformed" },
};

/* RFC 4302: an authentication header hides nothing of what it protects. */
static void authentication_headers_are_passed_over(void)
{
	for (size_t i = 0; i < N_TESTS(authentic); i++) {
		struct scene s = scene_new(authentic[i].ip6);
		uint32_t ip = authentic[i].ip6 ? 40 : 20, len = authentic[i].len;
		struct view_event ev;
		struct file f = { 0 };
		uint8_t frame[4096];
		const char *why;
		struct capture *c;

		scene_send(&s, 0, TCP_ACK, SEG(1, 1, 100, 1000));
		ev = s.view->event[0];
		memcpy(frame, ev.bytes, 14 + ip);
		memcpy(frame + 14 + ip, authentic[i].header, len);
		memcpy(frame + 14 + ip + len, ev.bytes + 14 + ip, ev.len - 14 - ip);
		put_be16(frame + (ip == 40 ? 18 : 16), (uint16_t)(ip % 40 + 120 + len));
		frame[ip == 40 ? 20 : 23] = authentic[i].proto;
		ev.bytes = frame;
		ev.len = ev.kept = ev.len + len;
		if (authentic[i].kept)
			ev.kept = authentic[i].kept;
		put_head(&f, 0xa1b2c3d4, 1);
		put_packet(&f, (const uint32_t[2]){ 0, 0 }, &ev);
		c = read_file(f.bytes, f.len, false, &why);
		test_at("%s", authentic[i].name);
		check_eq(c ? c->n_conns : 9, !authentic[i].said);
		check(!authentic[i].said || has_remark(c, authentic[i].said));
		check(authentic[i].said || !has_remark(c, "checksum"));
		if (c && c->n_conns)
			check_eq(c->conn[0].flow.side[0].n_bytes, 100);
		capture_free(c);
		view_free(s.view);
	}
}

static const struct test tests[] = {
	TEST(reads_every_form),
	TEST(survives_files_that_end_anywhere),
	TEST(survives_every_flipped_bit),
	TEST(refuses_with_one_line),
	TEST(a_gigantic_length_ends_the_picture),
	TEST(remarks_on_what_is_odd),
	TEST(an_unknown_link_type_is_named),
	TEST(a_short_snap_length_cuts_options_first),
	TEST(bursts_take_the_captured_length),
	TEST(bursts_are_longer_than_any_packet),
	TEST(extension_headers_are_passed_over),
	TEST(authentication_headers_are_passed_over),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
