/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcapng_read.c - a capture file as a view.
 *
 * The file is read block by block; every length is checked against its block before it is used.
 * Blocks, options, links and comments that mean nothing to us are passed over; a file that ends in
 * the middle of a block is read as far as it goes, as live captures end so.
 */
#include <stdlib.h>
#include <string.h>

#include "capture_impl.h"
#include "comment.h"
#include "pcapng_impl.h"

enum { BLOCK_MAX = CAPTURE_FRAME_MAX + 65536, IFACES_MAX = 2 * VIEW_HOSTS_MAX };
enum { OWN_EVENTS_MAX = 400000 }; /* of tern's own captures all is kept, up to here */

struct iface {
	uint16_t link;
	uint8_t resolution; /* if_tsresol */
	uint64_t offset;    /* if_tsoffset: seconds */
	uint32_t snap_len;
	int host;
};

struct reader {
	struct capturing *c;
	struct view *view;
	bool in_section;
	bool big_endian;
	const uint8_t *block; /* the body of the block, without its head and tail */
	size_t len;
	struct iface iface[IFACES_MAX];
	uint32_t n_ifaces;
	uint32_t n_ifaces_before; /* in sections before this one */
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

/* The byte order is in the first four bytes of a section's body; until then it is unknown. */
static bool read_byte_order(struct reader *r)
{
	uint8_t magic[4];

	if (!capture_take(r->c, magic, 4))
		return false;
	r->big_endian = magic[0] == 0x1a;
	if (get32(r, magic) != BYTE_ORDER_MAGIC) {
		r->c->broken = "a pcapng section has no byte-order magic";
		return false;
	}
	r->n_ifaces_before += r->n_ifaces;
	r->n_ifaces = 0;
	r->in_section = true;
	return true;
}

static bool ends_within(struct reader *r, const char *what)
{
	r->c->broken = what;
	return false;
}

/* The head of a block; the first one's type is the magic of the file. */
static bool read_head(struct reader *r, uint8_t head[8])
{
	uint64_t before = r->c->bytes_read;

	memcpy(head, r->c->magic, 4);
	if (!r->in_section ? capture_take(r->c, head + 4, 4) : capture_take(r->c, head, 8))
		return true;
	if (r->c->bytes_read > before || !r->in_section)
		ends_within(r, "the file ends within the head of a block");
	return false;
}

/* Reads the next block, false: the end. */
static bool read_block(struct reader *r, uint32_t *type)
{
	uint8_t head[8];
	uint32_t total, taken = 8;

	if (!read_head(r, head))
		return false;
	*type = get32(r, head);
	if (*type == BLOCK_SECTION) { /* a palindrome: reads the same in either order */
		if (!read_byte_order(r))
			return r->c->broken ? false : ends_within(r, "the file is too short");
		taken = 12;
	}
	total = get32(r, head + 4);
	if (total < taken + 4 || total > BLOCK_MAX || total % 4)
		return ends_within(r, "a block has an impossible length: the file is broken from "
				      "there on");
	r->len = total - taken - 4;
	r->block = capture_take_block(r->c, r->len + 4);
	if (!r->block)
		return ends_within(r, "the file ends within a block");
	return true;
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

	/* It may be printed on a terminal: no escapes. */
	for (size_t i = 0; i < n; i++)
		buf[i] = (char)(o->value[i] < 0x20 || o->value[i] >= 0x7f ? '?' : o->value[i]);
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
	i.snap_len = get32(r, r->block + 4);
	while (next_option(r, &at, &o)) {
		if (o.code == OPT_IF_TSRESOL && o.len == 1)
			i.resolution = o.value[0];
		if (o.code == OPT_IF_TSOFFSET && o.len == 8)
			i.offset = (uint64_t)get32(r, o.value + (r->big_endian ? 0 : 4)) << 32 |
				   get32(r, o.value + (r->big_endian ? 4 : 0));
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

/* The number that tern gave the packet, or 0. */
static uint64_t find_frame(struct reader *r, size_t at)
{
	struct option o;
	struct comment c;

	while (next_option(r, &at, &o))
		if (read_comment(&o, &c) && c.kind == COMMENT_FRAME)
			return c.event.frame;
	return 0;
}

/* What happened before the packet, and what is said about it. */
static void read_remarks(struct reader *r, size_t at, struct view_event *ev, struct comment *said)
{
	struct option o;
	struct comment c;

	ev->frame = find_frame(r, at);
	while (next_option(r, &at, &o)) {
		if (o.code == OPT_EPB_FLAGS && o.len == 4)
			ev->kind = (get32(r, o.value) & 3) == DIRECTION_IN ? VIEW_DELIVERED :
									     VIEW_SENT;
		if (!read_comment(&o, &c))
			continue;
		if (is_event(c.kind)) {
			if (ev->frame) /* else the states are deduced */
				view_add(r->view, &c.event);
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

/* A packet that tern wrote, with its number. */
static void add_own(struct reader *r, const struct iface *i, size_t options, struct view_event ev)
{
	if (ev.kept > ev.len || (i->link != LINKTYPE_ETHERNET && i->link != LINKTYPE_RAW))
		return;
	ev.raw_ip = i->link == LINKTYPE_RAW;
	ev.host = i->host;
	r->c->out->own = true;
	r->c->out->n_packets++;
	if (r->view->n_events >= OWN_EVENTS_MAX) {
		capture_count(r->c, &r->c->beyond);
		return;
	}
	if (view_add(r->view, &ev) && ev.kind == VIEW_SENT)
		read_fate(r, options, &ev);
}

static tern_time time_of(const struct reader *r, const struct iface *i, const uint8_t *stamp)
{
	uint64_t ticks = (uint64_t)get32(r, stamp) << 32 | get32(r, stamp + 4);

	return to_nanoseconds(ticks, i->resolution) + i->offset * TERN_SEC;
}

/* Counted through all sections; 0: there is only one. */
static uint32_t number_of_iface(const struct reader *r, const struct iface *i)
{
	if (r->n_ifaces_before + r->n_ifaces < 2)
		return 0;
	return r->n_ifaces_before + (uint32_t)(i - r->iface) + 1;
}

/* An enhanced packet, or one of the obsolete form, whose number of the interface is shorter. */
static void on_packet(struct reader *r, bool obsolete)
{
	struct view_event ev = { .kind = VIEW_SENT };
	const struct iface *i;
	struct comment said = { .kind = COMMENT_FOREIGN };
	size_t options;
	uint32_t number;

	if (r->len < 20)
		return;
	number = obsolete ? get16(r, r->block) : get32(r, r->block);
	ev.kept = get32(r, r->block + 12);
	ev.len = get32(r, r->block + 16);
	if (number >= r->n_ifaces || ev.kept > r->len - 20) {
		r->c->out->n_packets++;
		capture_count(r->c, &r->c->malformed);
		return;
	}
	i = &r->iface[number];
	ev.at = time_of(r, i, r->block + 4);
	ev.bytes = r->block + 20;
	options = 20 + (((size_t)ev.kept + 3) & ~(size_t)3);
	if (!obsolete)
		read_remarks(r, options, &ev, &said);
	if (ev.frame)
		add_own(r, i, options, ev);
	else
		capture_packet(r->c,
			       &(struct captured){ .at = ev.at,
						   .link_type = i->link,
						   .iface = number_of_iface(r, i),
						   .bytes = ev.bytes,
						   .kept = ev.kept,
						   .len = ev.len,
						   .cause = said.kind == COMMENT_CAUSE ? said.word :
											 NULL });
}

/* A packet without a time, of the first interface. */
static void on_simple_packet(struct reader *r)
{
	struct captured p = { .timeless = true };

	if (r->len < 4 || r->n_ifaces == 0)
		return;
	p.link_type = r->iface[0].link;
	p.bytes = r->block + 4;
	p.len = get32(r, r->block);
	p.kept = (uint32_t)(r->len - 4);
	if (p.kept > p.len)
		p.kept = p.len;
	if (r->iface[0].snap_len && p.kept > r->iface[0].snap_len)
		p.kept = r->iface[0].snap_len;
	capture_packet(r->c, &p);
}

static void on_statistics(struct reader *r)
{
	struct option o;
	struct comment c;
	size_t at = 12;

	while (next_option(r, &at, &o))
		if (r->c->out->own && read_comment(&o, &c) && is_event(c.kind))
			view_add(r->view, &c.event);
}

static void on_block(struct reader *r, uint32_t type)
{
	switch (type) {
	case BLOCK_INTERFACE:
		on_interface(r);
		break;
	case BLOCK_PACKET:
		on_packet(r, false);
		break;
	case BLOCK_OBSOLETE_PACKET:
		on_packet(r, true);
		break;
	case BLOCK_SIMPLE_PACKET:
		on_simple_packet(r);
		break;
	case BLOCK_STATISTICS:
		on_statistics(r);
		break;
	default:
		break;
	}
}

void pcapng_read_packets(struct capturing *c)
{
	struct reader *r = calloc(1, sizeof(*r));
	uint32_t type;

	if (!r) {
		c->out_of_memory = true;
		return;
	}
	r->c = c;
	r->view = c->out->view;
	while (!c->out_of_memory && read_block(r, &type))
		on_block(r, type);
	free(r);
}
