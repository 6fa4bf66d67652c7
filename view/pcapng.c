/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcapng.c - a view as a capture file that any analyser opens (draft-ietf-opsawg-pcapng).
 *
 * Blocks are little-endian. A packet block carries, as comments, first what happened since the
 * packet before, then what is to be said about itself, so that the order of events is the order of
 * the file.
 */
#include "pcapng.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "label.h"
#include "pcapng_impl.h"

/* A block that is being put together. */
struct block {
	uint8_t *bytes;
	size_t len, cap;
	bool failed;
};

struct writer {
	FILE *out;
	const struct view *view;
	struct block block;
	struct {
		int host;
		bool raw_ip;
	} iface[2 * VIEW_HOSTS_MAX];
	uint32_t n_ifaces;
	size_t next; /* event whose comment is still to be written */
};

/* ---- blocks ---- */

static void add_bytes(struct block *b, const void *bytes, size_t len)
{
	size_t padded = (len + 3) & ~(size_t)3, cap = b->cap ? b->cap : 4096;
	uint8_t *grown = b->bytes;

	while (cap - b->len < padded)
		cap *= 2;
	if (cap != b->cap)
		grown = realloc(b->bytes, cap);
	if (!grown) {
		b->failed = true;
		return;
	}
	b->bytes = grown;
	b->cap = cap;
	if (len)
		memcpy(b->bytes + b->len, bytes, len);
	memset(b->bytes + b->len + len, 0, padded - len);
	b->len += padded;
}

static void add_u32(struct block *b, uint32_t v)
{
	uint8_t bytes[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16),
			     (uint8_t)(v >> 24) };

	add_bytes(b, bytes, 4);
}

static void add_option(struct block *b, uint32_t code, const void *value, size_t len)
{
	add_u32(b, code | (uint32_t)len << 16);
	add_bytes(b, value, len);
}

static void add_text_option(struct block *b, uint32_t code, const char *text)
{
	add_option(b, code, text, strlen(text));
}

static void add_comment(struct block *b, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add_comment(struct block *b, const char *format, ...)
{
	char text[PCAPNG_COMMENT_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	add_text_option(b, OPT_COMMENT, text);
}

/* Writes the block with its type and its length at both ends, and empties it. */
static void emit_block(struct writer *w, uint32_t type)
{
	struct block head = { .len = 0 };

	add_u32(&head, type);
	add_u32(&head, (uint32_t)w->block.len + 12);
	fwrite(head.bytes, 1, head.len, w->out);
	fwrite(w->block.bytes, 1, w->block.len, w->out);
	if (head.bytes)
		fwrite(head.bytes + 4, 1, 4, w->out);
	w->block.failed |= head.failed;
	free(head.bytes);
	w->block.len = 0;
}

static void emit_section(struct writer *w)
{
	add_u32(&w->block, BYTE_ORDER_MAGIC);
	add_u32(&w->block, 1);		/* version 1.0 */
	add_u32(&w->block, UINT32_MAX); /* length of the section: not given */
	add_u32(&w->block, UINT32_MAX);
	add_text_option(&w->block, OPT_SHB_USERAPPL, "tern " TERN_VERSION);
	add_u32(&w->block, OPT_END);
	emit_block(w, BLOCK_SECTION);
}

/*
 * The interface of a host for a kind of link, described in the file when it is first used. No
 * other block may have been begun.
 */
static uint32_t iface_of(struct writer *w, int host, bool raw_ip)
{
	static const uint8_t nanoseconds = 9;
	char text[64];
	uint32_t i;

	for (i = 0; i < w->n_ifaces; i++)
		if (w->iface[i].host == host && w->iface[i].raw_ip == raw_ip)
			return i;
	w->iface[i].host = host;
	w->iface[i].raw_ip = raw_ip;
	w->n_ifaces++;
	add_u32(&w->block, raw_ip ? LINKTYPE_RAW : LINKTYPE_ETHERNET);
	add_u32(&w->block, 0); /* no limit on the bytes kept */
	if (w->view->host[host].name[0])
		add_text_option(&w->block, OPT_IF_NAME, w->view->host[host].name);
	snprintf(text, sizeof(text), "tern: host %d", host);
	add_text_option(&w->block, OPT_IF_DESCRIPTION, text);
	add_option(&w->block, OPT_IF_TSRESOL, &nanoseconds, 1);
	add_u32(&w->block, OPT_END);
	emit_block(w, BLOCK_INTERFACE);
	return i;
}

/* ---- comments ---- */

static void comment_on_state(struct block *b, const struct view_event *ev)
{
	char local[TERN_ADDR_TEXT_MAX], remote[TERN_ADDR_TEXT_MAX], at[TIME_TEXT_MAX];

	add_comment(b, "tern: state %s > %s %s -> %s at %s host %d conn %llu %s",
		    tern_addr_format(&ev->local, true, local),
		    tern_addr_format(&ev->remote, true, remote),
		    tern_tcp_state_name((enum tern_tcp_state)ev->old_state),
		    tern_tcp_state_name((enum tern_tcp_state)ev->new_state),
		    label_time(at, ev->at, 9), ev->host, (unsigned long long)ev->conn,
		    ev->by_listen ? "passive" : "active");
}

static void comment_on_timer(struct block *b, const struct view_event *ev)
{
	char local[TERN_ADDR_TEXT_MAX], remote[TERN_ADDR_TEXT_MAX], at[TIME_TEXT_MAX];

	add_comment(b, "tern: timer %s %s > %s at %s host %d conn %llu", ev->text ? ev->text : "-",
		    tern_addr_format(&ev->local, true, local),
		    tern_addr_format(&ev->remote, true, remote), label_time(at, ev->at, 9),
		    ev->host, (unsigned long long)ev->conn);
}

static bool has_packet(const struct view_event *ev)
{
	return ev->kind == VIEW_SENT || ev->kind == VIEW_DELIVERED;
}

/* Everything that happened before the event `end` and after the last packet. */
static void comment_on_events(struct writer *w, size_t end)
{
	char at[TIME_TEXT_MAX];

	for (; w->next < end; w->next++) {
		const struct view_event *ev = &w->view->event[w->next];

		if (ev->kind == VIEW_STATE)
			comment_on_state(&w->block, ev);
		else if (ev->kind == VIEW_TIMER)
			comment_on_timer(&w->block, ev);
		else if (ev->kind == VIEW_DROP)
			add_comment(&w->block, "tern: drop (%s) at %s host %d", ev->text,
				    label_time(at, ev->at, 9), ev->host);
	}
}

static void comment_on_sent(struct writer *w, const struct view_event *ev)
{
	const struct view_frame *end = w->view->frame + w->view->n_frames;
	const struct view_frame *f = view_find_frame(w->view, ev->frame);
	char at[TIME_TEXT_MAX];

	if (ev->text)
		add_comment(&w->block, "tern: cause %s", ev->text);
	if (ev->corrupted)
		add_comment(&w->block, "tern: corrupted");
	if (ev->lost)
		add_comment(&w->block, "tern: lost (%s) at %s", ev->lost,
			    label_time(at, ev->lost_at, 9));
	/* Copies are made while the frame is sent, so their numbers follow its own. */
	for (f = f ? f + 1 : end; f < end && f->copy_of == ev->frame; f++)
		add_comment(&w->block, "tern: copied as frame %llu", (unsigned long long)f->id);
}

/* ---- packets ---- */

static void emit_packet(struct writer *w, size_t event)
{
	const struct view_event *ev = &w->view->event[event];
	uint32_t iface = iface_of(w, ev->host, ev->raw_ip);
	uint8_t direction[4] = { ev->kind == VIEW_SENT ? DIRECTION_OUT : DIRECTION_IN };

	add_u32(&w->block, iface);
	add_u32(&w->block, (uint32_t)(ev->at >> 32));
	add_u32(&w->block, (uint32_t)ev->at);
	add_u32(&w->block, ev->kept);
	add_u32(&w->block, ev->len);
	add_bytes(&w->block, ev->bytes, ev->kept);
	add_option(&w->block, OPT_EPB_FLAGS, direction, sizeof(direction));
	comment_on_events(w, event);
	add_comment(&w->block, "tern: frame %llu", (unsigned long long)ev->frame);
	if (ev->kind == VIEW_SENT)
		comment_on_sent(w, ev);
	else if (ev->text)
		add_comment(&w->block, "tern: dropped (%s)", ev->text);
	add_u32(&w->block, OPT_END);
	emit_block(w, BLOCK_PACKET);
	w->next = event + 1;
}

static void emit_rest(struct writer *w)
{
	const struct view *v = w->view;
	tern_time at = v->n_events ? v->event[v->n_events - 1].at : 0;
	uint32_t iface = 0;

	if (w->next == v->n_events)
		return;
	if (w->n_ifaces == 0)
		iface = iface_of(w, v->event[w->next].host, false);
	add_u32(&w->block, iface);
	add_u32(&w->block, (uint32_t)(at >> 32));
	add_u32(&w->block, (uint32_t)at);
	comment_on_events(w, v->n_events);
	add_u32(&w->block, OPT_END);
	emit_block(w, BLOCK_STATISTICS);
}

bool pcapng_write(FILE *out, const struct view *v)
{
	struct writer *w = calloc(1, sizeof(*w));
	bool good;

	if (!w)
		return false;
	w->out = out;
	w->view = v;
	emit_section(w);
	for (size_t i = 0; i < v->n_events; i++)
		if (has_packet(&v->event[i]))
			emit_packet(w, i);
	emit_rest(w);
	good = !w->block.failed && !ferror(out) && !v->incomplete;
	free(w->block.bytes);
	free(w);
	return good;
}
