/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcapng_test.c - captures: what is written reads back as the same picture, and no file, however
 * broken, does harm.
 */
#include "scene.h"
#include "test.h"

struct bytes {
	uint8_t *p;
	size_t len;
};

static struct bytes written(const struct view *v)
{
	struct bytes b;
	FILE *f = tmpfile();

	if (!f || !pcapng_write(f, v))
		abort();
	b.len = (size_t)ftell(f);
	b.p = malloc(b.len);
	rewind(f);
	if (!b.p || fread(b.p, 1, b.len, f) != b.len)
		abort();
	fclose(f);
	return b;
}

static struct view *read_back(const uint8_t *p, size_t len, const char **why)
{
	FILE *f = tmpfile();
	struct view *v;

	if (!f || fwrite(p, 1, len, f) != len)
		abort();
	rewind(f);
	v = pcapng_read(f, why);
	fclose(f);
	return v;
}

/* Something of everything that a capture can hold. */
static struct scene rich_scene(bool ip6, bool raw_ip)
{
	struct scene s = scene_new(ip6);
	uint64_t f;

	s.raw_ip = raw_ip;
	scene_handshake(&s);
	scene_send(&s, 0, TCP_PSH | TCP_ACK, SEG(1, 1, 100, 512));
	scene_tell(&s, VIEW_LOST, 0, "filter");
	scene_wait(&s, TERN_SEC);
	scene_time_out(&s);
	scene_tell(&s, VIEW_CAUSE, 0, "rto");
	f = scene_send(&s, 0, TCP_PSH | TCP_ACK, SEG(1, 1, 100, 512));
	scene_tell(&s, VIEW_CORRUPTED, 0, NULL);
	scene_duplicate(&s, f);
	scene_wait(&s, TERN_MS);
	scene_arrive(&s, 1, f);
	scene_tell(&s, VIEW_DROP, 1, "tcp-checksum");
	scene_arrive(&s, 1, f + 1);
	scene_wait(&s, TERN_MS);
	scene_tell(&s, VIEW_DROP, 1, "no-route");
	scene_pass(&s, 1, TCP_ACK, SEG(1, 101, 0, 0));
	scene_close(&s, 100, 0);
	return s;
}

static void check_same_pictures(const struct view *a, const struct view *b)
{
	static scene_draw_fn *const draws[] = { ladder_text, ladder_svg, ladder_html,
						ladder_mermaid, ladder_json };

	for (size_t i = 0; i < N_TESTS(draws); i++) {
		char *first = scene_draw(a, draws[i], true);
		char *second = scene_draw(b, draws[i], true);

		check_str(second, first);
		free(first);
		free(second);
	}
}

static void reads_back_the_same_picture(void)
{
	for (int i = 0; i < 4; i++) {
		struct scene s = rich_scene(i & 1, i & 2);
		struct bytes b = written(s.view);
		const char *why = "";
		struct view *v = read_back(b.p, b.len, &why);

		test_at("ip6 %d raw %d", i & 1, !!(i & 2));
		check(v != NULL);
		if (v) {
			check_eq(v->n_events, s.view->n_events);
			check_same_pictures(s.view, v);
		}
		view_free(v);
		view_free(s.view);
		free(b.p);
	}
}

static void keeps_only_the_beginning_when_asked(void)
{
	struct scene s = scene_new(false);
	struct bytes b;
	const char *why;
	struct view *v;

	view_free(s.view);
	s.view = view_new(80);
	scene_pass(&s, 0, TCP_PSH | TCP_ACK, SEG(1, 1, 1000, 512));
	b = written(s.view);
	check(b.len < 600);
	v = read_back(b.p, b.len, &why);
	check(v && v->event[0].len == 1054 && v->event[0].kept == 80);
	if (v)
		check_same_pictures(s.view, v);
	view_free(v);
	view_free(s.view);
	free(b.p);
}

/* Any result will do, as long as it is one, and can be drawn. */
static void try_to_read(const uint8_t *p, size_t len)
{
	const char *why = NULL;
	struct view *v = read_back(p, len, &why);

	check(v != NULL || why != NULL);
	if (v)
		free(scene_draw(v, ladder_text, false));
	view_free(v);
}

static void survives_files_that_end_anywhere(void)
{
	struct scene s = rich_scene(false, false);
	struct bytes b = written(s.view);

	for (size_t len = 0; len < b.len; len += len < 400 ? 1 : 13)
		try_to_read(b.p, len);
	view_free(s.view);
	free(b.p);
}

static void survives_damage(void)
{
	struct scene s = rich_scene(true, true);
	struct bytes b = written(s.view);
	uint8_t *copy = malloc(b.len);
	uint32_t random = 1;

	for (int i = 0; copy && i < 1500; i++) {
		memcpy(copy, b.p, b.len);
		for (int j = 0; j < 4; j++) {
			random = random * 1664525 + 1013904223;
			copy[(random >> 8) % b.len] = (uint8_t)(random >> 3);
		}
		test_at("round %d", i);
		try_to_read(copy, b.len);
	}
	free(copy);
	view_free(s.view);
	free(b.p);
}

static void says_what_is_wrong(void)
{
	static const uint8_t text[] = "this is no capture file at all, not even a little";
	const char *why = "";

	check(!read_back(text, sizeof(text), &why));
	check(strstr(why, "neither a pcap nor a pcapng file"));
	check(!read_back(text, 3, &why));
	check(strstr(why, "neither a pcap nor a pcapng file"));
}

/* Sets all numbers of a block of 32-bit words to the other byte order. */
static void put_words_big_endian(uint8_t *p, const uint32_t *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put_be32(p + 4 * i, words[i]);
}

/* A capture by someone else: big-endian, microseconds, no comments, an epoch. */
static void reads_a_foreign_capture(void)
{
	static const uint32_t head[] = {
		0x0a0d0d0a, 28, 0x1a2b3c4d, 0x00010000, 0xffffffff, 0xffffffff,
		28,	    1,	20,	    101 << 16,	0,	    20,
	};
	struct scene s = scene_new(false);
	uint8_t file[1024];
	size_t len = sizeof(head);
	const char *why = "";
	struct view *v;
	char *text;

	s.raw_ip = true;
	put_words_big_endian(file, head, N_TESTS(head));
	for (int i = 0; i < 2; i++) {
		uint64_t at = 1700000000000000 + 250000 * (uint64_t)i;
		const struct view_event *ev;
		uint32_t words[7];

		scene_send(&s, i, i ? TCP_SYN | TCP_ACK : TCP_SYN, SEG(0, 1, 0, 1000));
		ev = &s.view->event[i];
		words[0] = 6;
		words[1] = 32 + ev->len;
		words[2] = 0;
		words[3] = (uint32_t)(at >> 32);
		words[4] = (uint32_t)at;
		words[5] = words[6] = ev->len;
		put_words_big_endian(file + len, words, 7);
		memcpy(file + len + 28, ev->bytes, ev->len);
		put_be32(file + len + 28 + ev->len, words[1]);
		len += words[1];
	}
	v = read_back(file, len, &why);
	check(v != NULL);
	if (!v)
		return;
	text = scene_draw(v, ladder_text, false);
	check(strstr(text, "   0.000000  SYN-SENT "));
	check(strstr(text, "             |<-- SYN,ACK seq=0 ack=1 win=1000 ---"));
	check(strstr(text, "left opened, none closed"));
	free(text);
	view_free(v);
	view_free(s.view);
}

/* Packets of the simple and of the obsolete form, and a section after another. */
static void reads_other_packet_blocks(void)
{
	static const uint32_t head[] = {
		0x0a0d0d0a, 28, 0x1a2b3c4d, 0x00010000, 0xffffffff, 0xffffffff,
		28,	    1,	20,	    101 << 16,	0,	    20,
	};
	struct scene s = scene_new(false);
	uint8_t file[1024];
	size_t len = 0;
	const char *why = "";
	struct view *v;

	s.raw_ip = true;
	for (uint32_t type = 2; type <= 3; type++) {
		const struct view_event *ev;
		uint32_t n = type == 2 ? 28 : 12, total;

		scene_send(&s, 0, TCP_ACK, SEG(type, 1, 0, 1000));
		ev = &s.view->event[type - 2];
		total = n + ev->len + 4;
		put_words_big_endian(file + len, head, N_TESTS(head));
		len += sizeof(head);
		memset(file + len, 0, n);
		put_be32(file + len, type);
		put_be32(file + len + 4, total);
		put_be32(file + len + n - 4, ev->len);
		if (type == 2)
			put_be32(file + len + n - 8, ev->len);
		memcpy(file + len + n, ev->bytes, ev->len);
		put_be32(file + len + n + ev->len, total);
		len += total;
	}
	v = read_back(file, len, &why);
	check(v != NULL);
	check_eq(v ? v->n_frames : 0, 2);
	view_free(v);
	view_free(s.view);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(reads_back_the_same_picture),
		TEST(keeps_only_the_beginning_when_asked),
		TEST(survives_files_that_end_anywhere),
		TEST(survives_damage),
		TEST(says_what_is_wrong),
		TEST(reads_a_foreign_capture),
		TEST(reads_other_packet_blocks),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
