/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcapng_read.c - a capture file as a view.
 *
 * The file is read block by block; every length is checked against its block before it is used.
 * Blocks, options, links and comments that mean nothing to us are passed over; a file that ends in
 * the middle of a block is read as far as it goes, as live captures end so.
 */
#include "pcapng.h"

#include <stdlib.h>
#include <string.h>

#include "comment.h"
#include "pcapng_impl.h"

enum { BLOCK_MAX = 16 * 1024 * 1024, IFACES_MAX = 2 * VIEW_HOSTS_MAX };

struct iface {
	uint16_t link;
	uint8_t resolution; /* if_tsresol */
	int host;
};

struct reader {
	FILE *in;
	struct view *view;
	const char *why;
	bool in_section;
	bool big_endian;
	uint8_t *block; /* the body of the block, without its head and tail */
	size_t len, cap;
	struct iface iface[IFACES_MAX];
	uint32_t n_ifaces;
	tern_time first_at; /* of a foreign capture */
	bool first_known;
};

struct option {
	uint16_t code, len;
	const uint8_t *value;
};

static uint32_t get32(const struct reader *r, const uint8_t *p)
{
	if (r->big_endian)
		return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static uint16_t get16(const struct reader *r, const uint8_t *p)
{
	return (uint16_t)(r->big_endian ? p[0] << 8 | p[1] : p[1] << 8 | p[0]);
}

/* ---- blocks ---- */

static bool make_room(struct reader *r, size_t len)
{
	uint8_t *grown;

	if (len <= r->cap)
		return true;
	grown = realloc(r->block, len);
	if (!grown) {
		r->why = "out of memory";
		return false;
	}
	r->block = grown;
	r->cap = len;
	return true;
}

/* The byte order is in the first four bytes of a section's body; until then it is unknown. */
static bool read_byte_order(struct reader *r)
{
	uint8_t magic[4];

	if (fread(magic, 1, 4, r->in) != 4)
		return false;
	r->big_endian = magic[0] == 0x1a;
	if (get32(r, magic) != BYTE_ORDER_MAGIC) {
		r->why = "not a pcapng file: no byte-order magic";
		return false;
	}
	r->n_ifaces = 0;
	r->in_section = true;
	return true;
}

/* Reads the next block, false: the end. */
static bool read_block(struct reader *r, uint32_t *type)
{
	uint8_t head[8];
	uint32_t total, taken = 8;

	if (fread(head, 1, 8, r->in) != 8)
		return false;
	*type = get32(r, head);
	if (*type == BLOCK_SECTION) { /* a palindrome: reads the same in either order */
		if (!read_byte_order(r))
			return false;
		taken = 12;
	} else if (!r->in_section) {
		r->why = "not a pcapng file: it does not begin with a section";
		return false;
	}
	total = get32(r, head + 4);
	if (total < taken + 4 || total > BLOCK_MAX || total % 4) {
		r->why = "a block has an impossible length";
		return false;
	}
	r->len = total - taken - 4;
	if (!make_room(r, r->len + 4))
		return false;
	return fread(r->block, 1, r->len + 4, r->in) == r->len + 4;
}

/* ---- options ---- */

/* The option at *at, which moves on to the next; false: there are no more. */
static bool next_option(const struct reader *r, size_t *at, struct option *o)
{
	size_t left = r->len - *at;

	if (*at > r->len || left < 4)
		return false;
	o->code = get16(r, r->block + *at);
	o->len = get16(r, r->block + *at + 2);
	o->value = r->block + *at + 4;
	if (o->code == OPT_END || o->len > left - 4)
		return false;
	*at += 4 + (((size_t)o->len + 3) & ~(size_t)3);
	return true;
}

static void option_text(const struct option *o, char *buf, size_t size)
{
	size_t n = o->len < size ? o->len : size - 1;

	memcpy(buf, o->value, n);
	buf[n] = 0;
}

static bool read_comment(const struct option *o, struct comment *c)
{
	char text[PCAPNG_COMMENT_MAX];

	if (o->code != OPT_COMMENT)
		return false;
	option_text(o, text, sizeof(text));
	comment_parse(c, text);
	return c->kind != COMMENT_FOREIGN;
}

/* ---- interfaces ---- */

static void on_interface(struct reader *r)
{
	struct iface i = { .resolution = 6 };
	char text[64], name[VIEW_NAME_MAX] = "";
	struct option o;
	size_t at = 8;

	if (r->len < 8 || r->n_ifaces == IFACES_MAX)
		return;
	i.link = get16(r, r->block);
	while (next_option(r, &at, &o)) {
		if (o.code == OPT_IF_TSRESOL && o.len == 1)
			i.resolution = o.value[0];
		if (o.code == OPT_IF_NAME)
			option_text(&o, name, sizeof(name));
		option_text(&o, text, sizeof(text));
		if (o.code == OPT_IF_DESCRIPTION && strncmp(text, "tern: host ", 11) == 0) {
			i.host = (int)(strtoul(text + 11, NULL, 10) % VIEW_HOSTS_MAX);
			view_name_host(r->view, i.host, name);
		}
	}
	r->iface[r->n_ifaces++] = i;
}

static tern_time to_nanoseconds(uint64_t ticks, uint8_t resolution)
{
	unsigned power = resolution & 0x7f;
	uint64_t fraction;

	if (!(resolution & 0x80)) {
		for (; power < 9; power++)
			ticks *= 10;
		for (; power > 9 && ticks; power--)
			ticks /= 10;
		return ticks;
	}
	if (power > 63)
		return 0;
	fraction = ticks & (((uint64_t)1 << power) - 1);
	ticks >>= power;
	for (; power > 32; power--)
		fraction >>= 1;
	return ticks * TERN_SEC + (fraction * TERN_SEC >> power);
}

/* ---- packets ---- */

static bool is_event(enum comment_kind kind)
{
	return kind == COMMENT_STATE || kind == COMMENT_TIMER || kind == COMMENT_DROP;
}

/* What happened before the packet, and what is said about it. */
static void read_remarks(struct reader *r, size_t at, struct view_event *ev, struct comment *said)
{
	struct option o;
	struct comment c;

	while (next_option(r, &at, &o)) {
		if (o.code == OPT_EPB_FLAGS && o.len == 4)
			ev->kind = (get32(r, o.value) & 3) == DIRECTION_IN ? VIEW_DELIVERED :
									     VIEW_SENT;
		if (!read_comment(&o, &c))
			continue;
		if (is_event(c.kind)) {
			view_add(r->view, &c.event);
		} else if (c.kind == COMMENT_FRAME) {
			ev->frame = c.event.frame;
		} else if (c.kind == COMMENT_CAUSE || c.kind == COMMENT_DROPPED) {
			*said = c;
			ev->text = said->word;
		}
	}
}

/* What became of the packet after it was sent. */
static void read_fate(struct reader *r, size_t at, const struct view_event *sent)
{
	struct option o;
	struct comment c;

	while (next_option(r, &at, &o)) {
		if (!read_comment(&o, &c))
			continue;
		if (c.kind == COMMENT_COPIED)
			c.event.copy_of = sent->frame;
		else if (c.kind == COMMENT_LOST || c.kind == COMMENT_CORRUPTED)
			c.event.frame = sent->frame;
		else
			continue;
		c.event.host = sent->host;
		view_add(r->view, &c.event);
	}
}

/* A packet that another program captured: it was sent, and it arrived. */
static void add_foreign(struct reader *r, struct view_event ev)
{
	const struct view *v = r->view;

	if (!r->first_known)
		r->first_at = ev.at;
	r->first_known = true;
	ev.at = ev.at > r->first_at ? ev.at - r->first_at : 0;
	ev.frame = v->n_frames + 1;
	ev.kind = VIEW_SENT;
	if (!view_add(r->view, &ev))
		return;
	ev.kind = VIEW_DELIVERED;
	view_add(r->view, &ev);
}

static void on_packet(struct reader *r)
{
	struct view_event ev = { .kind = VIEW_SENT };
	const struct iface *i;
	struct comment said;
	size_t options;

	if (r->len < 20 || get32(r, r->block) >= r->n_ifaces)
		return;
	i = &r->iface[get32(r, r->block)];
	ev.at = to_nanoseconds((uint64_t)get32(r, r->block + 4) << 32 | get32(r, r->block + 8),
			       i->resolution);
	ev.kept = get32(r, r->block + 12);
	ev.len = get32(r, r->block + 16);
	if (ev.kept > r->len - 20 || ev.kept > ev.len)
		return;
	if (i->link != LINKTYPE_ETHERNET && i->link != LINKTYPE_RAW)
		return;
	ev.bytes = r->block + 20;
	ev.raw_ip = i->link == LINKTYPE_RAW;
	ev.host = i->host;
	options = 20 + (((size_t)ev.kept + 3) & ~(size_t)3);
	read_remarks(r, options, &ev, &said);
	if (ev.frame == 0)
		add_foreign(r, ev);
	else if (view_add(r->view, &ev) && ev.kind == VIEW_SENT)
		read_fate(r, options, &ev);
}

static void on_statistics(struct reader *r)
{
	struct option o;
	struct comment c;
	size_t at = 12;

	while (next_option(r, &at, &o))
		if (read_comment(&o, &c) && is_event(c.kind))
			view_add(r->view, &c.event);
}

static void read_blocks(struct reader *r)
{
	uint32_t type;

	while (!r->why && read_block(r, &type)) {
		if (type == BLOCK_INTERFACE)
			on_interface(r);
		else if (type == BLOCK_PACKET)
			on_packet(r);
		else if (type == BLOCK_STATISTICS)
			on_statistics(r);
	}
	if (!r->why && !r->in_section)
		r->why = "not a pcapng file: it is too short";
	if (!r->why && r->view->incomplete)
		r->why = "out of memory";
}

struct view *pcapng_read(FILE *in, const char **why)
{
	struct reader *r = calloc(1, sizeof(*r));
	struct view *v = view_new(0);

	if (!r || !v) {
		*why = "out of memory";
		free(r);
		view_free(v);
		return NULL;
	}
	r->in = in;
	r->view = v;
	read_blocks(r);
	*why = r->why;
	if (r->why) {
		view_free(v);
		v = NULL;
	}
	free(r->block);
	free(r);
	return v;
}
