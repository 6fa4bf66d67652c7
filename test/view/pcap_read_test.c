/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcap_read_test.c - capture files of every form, whole, cut off anywhere and damaged: a picture of
 * what is there, a remark on what is not, or one line that refuses.
 */
#include <stdarg.h>

#include "../../view/list.h"
#include "scene.h"
#include "test.h"

struct file {
	uint8_t bytes[8192];
	size_t len;
	bool big_endian;
};

static void put32(struct file *f, uint32_t v)
{
	uint8_t *p = f->bytes + f->len;

	put_be32(p, v);
	if (!f->big_endian)
		for (int i = 0; i < 4; i++)
			p[i] = (uint8_t)(v >> 8 * i);
	f->len += 4;
}

static void put16s(struct file *f, uint16_t a, uint16_t b)
{
	put32(f, f->big_endian ? (uint32_t)a << 16 | b : (uint32_t)b << 16 | a);
}

static void put_bytes(struct file *f, const void *p, size_t n)
{
	memcpy(f->bytes + f->len, p, n);
	f->len += n;
}

static void put_head(struct file *f, uint32_t magic, uint32_t link_type)
{
	put32(f, magic);
	put16s(f, 2, 4);
	put32(f, 0);
	put32(f, 0);
	put32(f, 65535);
	put32(f, link_type);
}

static void put_packet(struct file *f, const uint32_t time[2], const struct view_event *ev)
{
	put32(f, time[0]);
	put32(f, time[1]);
	put32(f, ev->kept);
	put32(f, ev->len);
	put_bytes(f, ev->bytes, ev->kept);
}

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

static struct capture *read_file(const uint8_t *p, size_t len, bool table_only, const char **why)
{
	const struct capture_options options = { .table_only = table_only };
	FILE *in = tmpfile();
	struct capture *c;

	if (!in || fwrite(p, 1, len, in) != len)
		abort();
	rewind(in);
	c = capture_read(in, &options, why);
	fclose(in);
	return c;
}

static bool has_remark(const struct capture *c, const char *words)
{
	for (int i = 0; c && i < c->n_remarks; i++)
		if (strstr(c->remark[i], words))
			return true;
	return false;
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

/* A burst that the card was to cut: an IP length of 0, of either family. */
static void bursts_take_the_captured_length(void)
{
	for (int ip6 = 0; ip6 < 2; ip6++) {
		struct scene s = scene_new(ip6);
		struct file f = { 0 };
		const char *why;
		struct capture *c;

		scene_send(&s, 0, TCP_ACK, SEG(1, 1, 1400, 1000));
		put_head(&f, 0xa1b2c3d4, 1);
		put_packet(&f, (const uint32_t[2]){ 0, 0 }, &s.view->event[0]);
		put_be16(f.bytes + FIRST + PACKET_HEAD + 14 + (ip6 ? 4 : 2), 0);
		c = read_file(f.bytes, f.len, false, &why);
		test_at("IPv%d", ip6 ? 6 : 4);
		check(c && c->n_conns == 1 && c->conn[0].flow.side[0].n_bytes == 1400);
		check(has_remark(c, "packet 1 is a burst"));
		capture_free(c);
		view_free(s.view);
	}
}

/* The same ports again: another conversation; the table has both, --conn takes one. */
static void a_new_number_opens_another_conversation(void)
{
	struct scene s = scene_new(false);
	struct file f = { 0 };
	const char *why;
	struct capture *c;

	scene_send(&s, 0, TCP_SYN, SEG(0, 0, 0, 1000));
	s.isn[0] += 100000;
	scene_send(&s, 0, TCP_SYN, SEG(0, 0, 0, 1000));
	scene_send(&s, 1, TCP_SYN | TCP_ACK, SEG(0, 1, 0, 1000));
	put_head(&f, 0xa1b2c3d4, 1);
	for (size_t i = 0; i < s.view->n_events; i++)
		put_packet(&f, (const uint32_t[2]){ 0, 0 }, &s.view->event[i]);
	c = read_file(f.bytes, f.len, true, &why);
	check(c && c->n_conns == 2 && c->view->n_events == 0);
	if (c) {
		check_eq(c->conn[0].n_packets[0], 1);
		check_eq(c->conn[1].n_packets[0] + c->conn[1].n_packets[1], 2);
		check_str(list_ended(&c->conn[0].flow), "no answer");
		check_str(list_ended(&c->conn[1].flow), "open");
	}
	capture_free(c);
	view_free(s.view);
}

/* What a scene sent as a capture without states, each packet a millisecond after the one before. */
static struct capture *capture_of(struct scene *s)
{
	struct file f = { 0 };
	const char *why;

	put_head(&f, 0xa1b2c3d4, 1);
	for (uint32_t i = 0; i < s->view->n_events; i++)
		put_packet(&f, (const uint32_t[2]){ 0, i * 1000 }, &s->view->event[i]);
	view_free(s->view);
	return read_file(f.bytes, f.len, false, &why);
}

/* Who answers with SYN cookies has another number for a SYN that comes again. */
static void the_last_answer_has_the_number(void)
{
	struct scene s = scene_new(false);
	struct capture *c;

	scene_send(&s, 0, TCP_SYN, SEG(0, 0, 0, 1000));
	scene_send(&s, 1, TCP_SYN | TCP_ACK, SEG(0, 1, 0, 1000));
	scene_send(&s, 0, TCP_SYN, SEG(0, 0, 0, 1000));
	s.isn[1] += 777000;
	scene_send(&s, 1, TCP_SYN | TCP_ACK, SEG(0, 1, 0, 1000));
	scene_send(&s, 0, TCP_ACK, SEG(1, 1, 50, 1000));
	scene_send(&s, 1, TCP_ACK, SEG(1, 51, 20, 1000));
	c = capture_of(&s);
	check(c && c->n_conns == 1);
	check_eq(c ? c->conn[0].flow.side[0].n_bytes : 0, 50);
	check_eq(c ? c->conn[0].flow.side[1].n_bytes : 0, 20);
	capture_free(c);
}

/* But not when the first has been acknowledged: a stray changes nothing. */
static void an_answer_that_counts_stays(void)
{
	struct scene s = scene_new(false);
	struct capture *c;

	scene_send(&s, 0, TCP_SYN, SEG(0, 0, 0, 1000));
	scene_send(&s, 1, TCP_SYN | TCP_ACK, SEG(0, 1, 0, 1000));
	scene_send(&s, 0, TCP_ACK, SEG(1, 1, 0, 1000));
	s.isn[1] -= 777000;
	scene_send(&s, 1, TCP_SYN | TCP_ACK, SEG(0, 1, 0, 1000));
	s.isn[1] += 777000;
	scene_send(&s, 1, TCP_ACK, SEG(1, 1, 20, 1000));
	c = capture_of(&s);
	check(c && c->n_conns == 1);
	check_eq(c ? c->conn[0].flow.side[1].n_bytes : 0, 20);
	capture_free(c);
}

/* The same ports again, captured only where the answers come from. */
static void an_answer_to_another_call_is_another_conversation(void)
{
	struct scene s = scene_new(false);
	struct capture *c;

	for (uint32_t i = 0; i < 2; i++) {
		scene_send(&s, 1, TCP_SYN | TCP_ACK, SEG(0, 1, 0, 1000));
		scene_send(&s, 1, TCP_ACK, SEG(1, 1, 1000 - i * 500, 1000));
		scene_send(&s, 1, TCP_FIN | TCP_ACK, SEG(1001 - i * 500, 2, 0, 1000));
		s.isn[0] += 900000000;
		s.isn[1] += 3000000000U;
	}
	c = capture_of(&s);
	check(c && c->n_conns == 2);
	for (size_t i = 0; c && i < c->n_conns; i++) {
		check_eq(c->conn[i].flow.side[1].n_bytes, 1000 - i * 500);
		check_eq(c->conn[i].flow.side[1].n_retransmitted, 0);
	}
	capture_free(c);
}

/* RFC 9293 3.8.4: it may contain one octet of garbage. One that nobody has acknowledged is text. */
static void an_octet_of_garbage_keeps_alive(void)
{
	for (uint32_t acked = 0; acked < 2; acked++) {
		struct scene s = scene_new(false);
		struct capture *c;
		char *text;

		scene_send(&s, 0, TCP_ACK, SEG(1, 1, 10, 1000));
		scene_send(&s, 1, TCP_ACK, SEG(1, acked ? 11 : 10, 0, 1000));
		scene_send(&s, 0, TCP_ACK, SEG(10, 1, 1, 1000));
		c = capture_of(&s);
		text = c ? scene_draw(c->view, ladder_text, true) : NULL;
		test_at("acknowledged: %u", acked);
		check(text && (strstr(text, "[keepalive]") != NULL) == acked);
		check_eq(c ? c->conn[0].flow.side[0].n_retransmitted : 9, 1 - acked);
		free(text);
		capture_free(c);
	}
}

/* As Linux asks whether a closed window has opened: no text, the number before the next. */
static void a_number_that_has_been_asks_for_a_window(void)
{
	for (uint32_t open = 0; open < 2; open++) {
		struct scene s = scene_new(false);
		struct capture *c;
		char *text;

		scene_send(&s, 0, TCP_ACK, SEG(1, 1, 1000, 1000));
		scene_send(&s, 1, TCP_ACK, SEG(1, 1001, 0, open));
		scene_send(&s, 0, TCP_ACK, SEG(1000, 1, 0, 1000));
		c = capture_of(&s);
		text = c ? scene_draw(c->view, ladder_text, true) : NULL;
		test_at("open: %u", open);
		check(text && (strstr(text, "[probe]") != NULL) == !open);
		check(text && (strstr(text, "[keepalive]") != NULL) == open);
		free(text);
		capture_free(c);
	}
}

/* RFC 9293 3.8.6.1: of one octet that is taken when the window has opened. */
static void the_octet_of_a_probe_counts_when_it_is_taken(void)
{
	struct scene s = scene_new(false);
	struct capture *c;
	char *text;

	scene_send(&s, 0, TCP_ACK, SEG(1, 1, 1000, 1000));
	scene_send(&s, 1, TCP_ACK, SEG(1, 1001, 0, 0));
	scene_send(&s, 0, TCP_ACK, SEG(1001, 1, 1, 1000));
	scene_send(&s, 1, TCP_ACK, SEG(1, 1002, 0, 1000));
	scene_send(&s, 0, TCP_FIN | TCP_ACK, SEG(1002, 1, 0, 1000));
	c = capture_of(&s);
	text = c ? scene_draw(c->view, ladder_text, true) : NULL;
	check(text && strstr(text, "[probe]") && !strstr(text, "gap before it"));
	check(text && strstr(text, "1001 bytes >, 0 <"));
	free(text);
	capture_free(c);
}

/* The octet is not taken: a reset with its number is the next. */
static void a_reset_behind_a_refused_probe_counts(void)
{
	struct scene s = scene_new(false);
	struct capture *c;

	scene_send(&s, 0, TCP_ACK, SEG(1, 1, 1000, 1000));
	scene_send(&s, 1, TCP_ACK, SEG(1, 1001, 0, 0));
	scene_send(&s, 0, TCP_ACK, SEG(1001, 1, 1, 1000));
	scene_send(&s, 1, TCP_ACK, SEG(1, 1001, 0, 0));
	scene_send(&s, 0, TCP_RST | TCP_ACK, SEG(1001, 1, 0, 1000));
	c = capture_of(&s);
	check_eq(c ? c->conn[0].deduced.n_resets_ignored : 9, 0);
	check_eq(c ? c->conn[0].deduced.state[1] : 99, TERN_TCP_CLOSED);
	capture_free(c);
}

/* Behind a gap, at once: overtaken on the way. Later: sent again. */
static void reordering_is_no_retransmission(void)
{
	for (uint32_t late = 0; late < 2; late++) {
		struct scene s = scene_new(false);
		struct file f = { 0 };
		const char *why;
		struct capture *c;
		char *text;

		scene_send(&s, 0, TCP_ACK, SEG(1, 1, 10, 1000));
		scene_send(&s, 0, TCP_ACK, SEG(31, 1, 10, 1000));
		scene_send(&s, 0, TCP_ACK, SEG(11, 1, 10, 1000));
		scene_send(&s, 0, TCP_ACK, SEG(21, 1, 10, 1000));
		put_head(&f, 0xa1b2c3d4, 1);
		for (uint32_t i = 0; i < 4; i++)
			put_packet(&f, (const uint32_t[2]){ 0, i * 100 + (i > 1) * late * 50000 },
				   &s.view->event[i]);
		c = read_file(f.bytes, f.len, false, &why);
		text = c ? scene_draw(c->view, ladder_text, true) : NULL;
		test_at("late %u", late);
		check(text && strstr(text, "seq=31 ack=1 len=10 win=1000 [gap before it]"));
		check(text && (strstr(text, "out-of-order") != NULL) == !late);
		check(text && (strstr(text, "retransmission") != NULL) == late);
		check_eq(c ? c->conn[0].flow.side[0].n_retransmitted : 9, 2 * late);
		free(text);
		capture_free(c);
		view_free(s.view);
	}
}

/* Ten thousand packets: the view holds few, the table and the picture count all. */
static void a_long_conversation_is_folded(void)
{
	enum { N = 10000 };
	const struct capture_options options = { 0 };
	struct scene s = scene_new(false);
	FILE *in = tmpfile();
	const char *why;
	struct capture *c;
	char *text;

	for (uint32_t i = 0; in && i < N; i++) {
		struct file f = { 0 };

		view_free(s.view);
		s.view = view_new(0);
		s.n_frames = 0;
		scene_send(&s, 0, TCP_ACK, SEG(1 + i * 10, 1, 10, 1000));
		if (i == 0)
			put_head(&f, 0xa1b2c3d4, 1);
		put_packet(&f, (const uint32_t[2]){ 0, i }, &s.view->event[0]);
		fwrite(f.bytes, 1, f.len, in);
	}
	rewind(in);
	c = capture_read(in, &options, &why);
	check(c && c->n_packets == N && c->view->n_events < 1500);
	check(has_remark(c, "counted in the picture, not drawn"));
	text = c ? scene_draw(c->view, ladder_text, false) : NULL;
	check(text && strstr(text, "9998 segments 99980 bytes >"));
	check(text && strstr(text, "100000 bytes >, 0 <"));
	free(text);
	capture_free(c);
	fclose(in);
	view_free(s.view);
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
	TEST(a_new_number_opens_another_conversation),
	TEST(the_last_answer_has_the_number),
	TEST(an_answer_that_counts_stays),
	TEST(an_answer_to_another_call_is_another_conversation),
	TEST(an_octet_of_garbage_keeps_alive),
	TEST(a_number_that_has_been_asks_for_a_window),
	TEST(the_octet_of_a_probe_counts_when_it_is_taken),
	TEST(a_reset_behind_a_refused_probe_counts),
	TEST(reordering_is_no_retransmission),
	TEST(a_long_conversation_is_folded),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
