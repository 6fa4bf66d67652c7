/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capture_file.h - capture files of the classic format made by hand, from what a scene sent, and
 * read back.
 */
#ifndef TERN_TEST_CAPTURE_FILE_H
#define TERN_TEST_CAPTURE_FILE_H

#include <string.h>

#include "../../view/capture.h"
#include "scene.h"
#include "test.h"

struct file {
	uint8_t bytes[8192];
	size_t len;
	bool big_endian;
};

static inline void put32(struct file *f, uint32_t v)
{
	uint8_t *p = f->bytes + f->len;

	put_be32(p, v);
	if (!f->big_endian)
		for (int i = 0; i < 4; i++)
			p[i] = (uint8_t)(v >> 8 * i);
	f->len += 4;
}

static inline void put16s(struct file *f, uint16_t a, uint16_t b)
{
	put32(f, f->big_endian ? (uint32_t)a << 16 | b : (uint32_t)b << 16 | a);
}

static inline void put_bytes(struct file *f, const void *p, size_t n)
{
	memcpy(f->bytes + f->len, p, n);
	f->len += n;
}

static inline void put_head(struct file *f, uint32_t magic, uint32_t link_type)
{
	put32(f, magic);
	put16s(f, 2, 4);
	put32(f, 0);
	put32(f, 0);
	put32(f, 65535);
	put32(f, link_type);
}

static inline void put_packet(struct file *f, const uint32_t time[2], const struct view_event *ev)
{
	put32(f, time[0]);
	put32(f, time[1]);
	put32(f, ev->kept);
	put32(f, ev->len);
	put_bytes(f, ev->bytes, ev->kept);
}

/* From the beginning; closes it. */
static inline struct capture *read_stream(FILE *in, bool table_only, const char **why)
{
	const struct capture_options options = { .table_only = table_only };
	struct capture *c;

	if (!in)
		abort();
	rewind(in);
	c = capture_read(in, &options, why);
	fclose(in);
	return c;
}

static inline struct capture *read_file(const uint8_t *p, size_t len, bool table_only,
					const char **why)
{
	FILE *in = tmpfile();

	if (!in || fwrite(p, 1, len, in) != len)
		abort();
	return read_stream(in, table_only, why);
}

static inline bool has_remark(const struct capture *c, const char *words)
{
	for (int i = 0; c && i < c->n_remarks; i++)
		if (strstr(c->remark[i], words))
			return true;
	return false;
}

/* Does the picture of a capture, which must be there, hold these words? */
enum picture { FOLDED, FULL };
static inline bool shows(const struct capture *c, enum picture how, const char *words)
{
	char *text = c ? scene_draw(c->view, ladder_text, how == FULL) : NULL;
	bool found;

	check(text != NULL);
	found = text && strstr(text, words);
	free(text);
	return found;
}

/* What a scene sent as a capture without states, each packet a millisecond after the one before. */
static inline struct capture *capture_of(struct scene *s)
{
	struct file f = { 0 };
	const char *why;

	put_head(&f, 0xa1b2c3d4, 1);
	for (uint32_t i = 0; i < s->view->n_events; i++)
		put_packet(&f, (const uint32_t[2]){ 0, i * 1000 }, &s->view->event[i]);
	view_free(s->view);
	return read_file(f.bytes, f.len, false, &why);
}

#endif
