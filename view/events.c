/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * events.c - the list of events that pictures are drawn from.
 *
 * Frames are found by number through an open hash table. A delivered frame shares the bytes of the
 * sent one unless a bit was flipped. Bytes and texts live in blocks that only grow and are freed
 * with the view.
 */
#include "events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"

enum { BLOCK_SIZE = 64 * 1024 };

struct view_block {
	struct view_block *next;
	size_t used, size;
	uint8_t bytes[];
};

struct view *view_new(uint32_t keep)
{
	struct view *v = calloc(1, sizeof(*v));

	if (v)
		v->keep = keep;
	return v;
}

bool view_reserve(struct view *v, size_t n)
{
	struct view_event *grown = realloc(v->event, n * sizeof(*grown));

	if (!grown)
		return false;
	v->event = grown;
	v->events_cap = n;
	return true;
}

void view_free(struct view *v)
{
	struct view_block *b, *next;

	if (!v)
		return;
	for (b = v->blocks; b; b = next) {
		next = b->next;
		free(b);
	}
	free(v->event);
	free(v->frame);
	free(v->frame_slot);
	free(v);
}

static uint8_t *take_room(struct view *v, size_t len)
{
	struct view_block *b = v->blocks;

	if (!b || b->size - b->used < len) {
		size_t size = len > BLOCK_SIZE ? len : BLOCK_SIZE;

		b = malloc(sizeof(*b) + size);
		if (!b) {
			v->incomplete = true;
			return NULL;
		}
		*b = (struct view_block){ .next = v->blocks, .size = size };
		v->blocks = b;
	}
	b->used += len;
	return b->bytes + b->used - len;
}

static const uint8_t *keep_bytes(struct view *v, const uint8_t *bytes, uint32_t len)
{
	uint8_t *copy = take_room(v, len);

	if (copy && len)
		memcpy(copy, bytes, len);
	return copy;
}

static const char *keep_text(struct view *v, const char *text)
{
	return (const char *)keep_bytes(v, (const uint8_t *)text, (uint32_t)strlen(text) + 1);
}

/* The slot of the frame, or the empty one where it belongs. There are slots. */
static size_t find_slot(const struct view *v, uint64_t id)
{
	size_t mask = v->n_frame_slots - 1;
	size_t i = (size_t)(id * 0x9e3779b97f4a7c15U >> 32) & mask;

	while (v->frame_slot[i] && v->frame[v->frame_slot[i] - 1].id != id)
		i = (i + 1) & mask;
	return i;
}

const struct view_frame *view_find_frame(const struct view *v, uint64_t id)
{
	uint32_t found = v->n_frame_slots ? v->frame_slot[find_slot(v, id)] : 0;

	return found ? &v->frame[found - 1] : NULL;
}

static bool grow_slots(struct view *v)
{
	size_t n = v->n_frame_slots ? v->n_frame_slots * 2 : 256;
	uint32_t *slots;

	if ((v->n_frames + 1) * 2 <= v->n_frame_slots)
		return true;
	slots = v->n_frames < UINT32_MAX ? calloc(n, sizeof(*slots)) : NULL;
	if (!slots)
		return false;
	free(v->frame_slot);
	v->frame_slot = slots;
	v->n_frame_slots = n;
	for (size_t i = 0; i < v->n_frames; i++)
		slots[find_slot(v, v->frame[i].id)] = (uint32_t)i + 1;
	return true;
}

static bool add_frame(struct view *v, struct view_frame f)
{
	struct view_frame *grown;

	if (f.id == 0 || view_find_frame(v, f.id))
		return false;
	grown = array_grow(v->frame, v->n_frames, &v->frames_cap, sizeof(*grown));
	if (grown)
		v->frame = grown;
	if (!grown || !grow_slots(v)) {
		v->incomplete = true;
		return false;
	}
	v->frame[v->n_frames++] = f;
	v->frame_slot[find_slot(v, f.id)] = (uint32_t)v->n_frames;
	return true;
}

/* Appends the event itself; its bytes are already the view's, its text becomes so. */
static bool append(struct view *v, struct view_event ev)
{
	struct view_event *grown =
		array_grow(v->event, v->n_events, &v->events_cap, sizeof(*grown));

	if (grown)
		v->event = grown;
	if (ev.text && *ev.text)
		ev.text = keep_text(v, ev.text);
	else
		ev.text = "";
	if (!grown || !ev.text || (ev.len && !ev.bytes)) {
		v->incomplete = true;
		return false;
	}
	if (!*ev.text)
		ev.text = NULL;
	v->event[v->n_events++] = ev;
	return true;
}

static bool add_sent(struct view *v, struct view_event ev)
{
	struct view_host *h = &v->host[ev.host];
	const struct view_frame frame = { .id = ev.frame, .sent = v->n_events };

	if (ev.frame == 0 || view_find_frame(v, ev.frame) || !ev.bytes || ev.kept > ev.len)
		return false;
	if (!ev.text)
		ev.text = h->cause;
	h->cause = NULL;
	h->delivered = 0;
	if (v->keep && ev.kept > v->keep)
		ev.kept = v->keep;
	ev.bytes = keep_bytes(v, ev.bytes, ev.kept);
	ev.lost = NULL;
	ev.corrupted = false;
	if (!append(v, ev))
		return false;
	if (!add_frame(v, frame)) {
		v->n_events--;
		return false;
	}
	return true;
}

static bool add_delivered(struct view *v, struct view_event ev)
{
	const struct view_frame *f = view_find_frame(v, ev.frame);
	const struct view_event *sent;

	if (!f)
		return false;
	sent = &v->event[f->sent];
	if (!ev.bytes || ev.kept > sent->kept)
		ev.kept = sent->kept;
	ev.len = sent->len;
	ev.copy_of = f->copy_of;
	ev.raw_ip = sent->raw_ip;
	ev.corrupted = sent->corrupted && !f->copy_of;
	if (!ev.bytes || (ev.kept == sent->kept && memcmp(ev.bytes, sent->bytes, ev.kept) == 0))
		ev.bytes = sent->bytes;
	else
		ev.bytes = keep_bytes(v, ev.bytes, ev.kept);
	if (!append(v, ev))
		return false;
	v->host[ev.host].delivered = v->n_events;
	return true;
}

static bool add_left_out(struct view *v, struct view_event ev)
{
	uint8_t *room = take_room(v, sizeof(*ev.fold) + _Alignof(struct view_fold));
	struct view_fold *fold;

	if (!room) {
		v->incomplete = true;
		return false;
	}
	room += -(uintptr_t)room % _Alignof(struct view_fold);
	fold = (struct view_fold *)(void *)room;
	*fold = *ev.fold;
	ev.fold = fold;
	return append(v, ev);
}

/* A drop belongs to the frame that the host got at this instant, unless it has answered since. */
static bool add_drop(struct view *v, const struct view_event *ev)
{
	struct view_host *h = &v->host[ev->host];
	struct view_event *got = h->delivered ? &v->event[h->delivered - 1] : NULL;

	if (!ev->text)
		return false;
	if (!got || got->at != ev->at || got->text)
		return append(v, *ev);
	got->text = keep_text(v, ev->text);
	return got->text != NULL;
}

/* What is said later about a frame that was sent. */
static bool amend_sent(struct view *v, const struct view_event *ev)
{
	const struct view_frame *f = view_find_frame(v, ev->frame);
	struct view_event *sent = f ? &v->event[f->sent] : NULL;

	if (!f || f->copy_of)
		return f != NULL; /* what happens to a copy changes nothing of the original */
	if (ev->kind == VIEW_CORRUPTED) {
		sent->corrupted = true;
		return true;
	}
	sent->lost_at = ev->at;
	sent->lost = keep_text(v, ev->text ? ev->text : "lost");
	return sent->lost != NULL;
}

static bool add_copy(struct view *v, const struct view_event *ev)
{
	const struct view_frame *f = view_find_frame(v, ev->copy_of);

	if (!f)
		return false;
	return add_frame(
		v, (struct view_frame){ .id = ev->frame, .copy_of = ev->copy_of, .sent = f->sent });
}

bool view_add(struct view *v, const struct view_event *ev)
{
	if (ev->host < 0 || ev->host >= VIEW_HOSTS_MAX)
		return false;
	if (ev->host >= v->n_hosts)
		v->n_hosts = ev->host + 1;
	switch (ev->kind) {
	case VIEW_SENT:
		return add_sent(v, *ev);
	case VIEW_DELIVERED:
		return add_delivered(v, *ev);
	case VIEW_STATE:
		if (ev->old_state >= TERN_TCP_N_STATES || ev->new_state >= TERN_TCP_N_STATES)
			return false;
		return append(v, *ev);
	case VIEW_TIMER:
		return append(v, *ev);
	case VIEW_LEFT_OUT:
		return ev->fold && add_left_out(v, *ev);
	case VIEW_DROP:
		return add_drop(v, ev);
	case VIEW_CAUSE:
		v->host[ev->host].cause = ev->text && *ev->text ? keep_text(v, ev->text) : NULL;
		return true;
	case VIEW_LOST:
	case VIEW_CORRUPTED:
		return amend_sent(v, ev);
	case VIEW_DUPLICATED:
		return add_copy(v, ev);
	default:
		return false;
	}
}

bool view_event_of_trace(struct view_event *ev, const struct tern_trace *t)
{
	*ev = (struct view_event){ .conn = t->conn,
				   .local = t->local,
				   .remote = t->remote,
				   .old_state = t->old_state,
				   .new_state = t->new_state,
				   .by_listen = t->by_listen };
	switch (t->kind) {
	case TERN_TRACE_PACKET_OUT:
		ev->kind = VIEW_CAUSE;
		ev->text = t->cause ? tern_cause_name((enum tern_cause)t->cause) : NULL;
		return ev->text != NULL;
	case TERN_TRACE_DROP:
		ev->kind = VIEW_DROP;
		ev->text = tern_drop_name((enum tern_drop)t->drop);
		return true;
	case TERN_TRACE_STATE:
		ev->kind = VIEW_STATE;
		return true;
	case TERN_TRACE_TIMER:
		ev->kind = VIEW_TIMER;
		ev->text = t->timer;
		return true;
	default:
		return false;
	}
}

/* As much as fits of whole characters of UTF-8; what would move a terminal's cursor is '?'. */
static void put_name_of_host(char to[VIEW_NAME_MAX], const char *name)
{
	size_t len = 0;

	while (name[len] && len < VIEW_NAME_MAX - 1)
		len++;
	while (len > 0 && ((unsigned char)name[len] & 0xc0) == 0x80) /* in the middle of one */
		len--;
	for (size_t i = 0; i < len; i++)
		to[i] = (unsigned char)name[i] < ' ' || name[i] == 127 ? '?' : name[i];
	to[len] = 0;
}

void view_name_host(struct view *v, int host, const char *name)
{
	if (host < 0 || host >= VIEW_HOSTS_MAX)
		return;
	if (host >= v->n_hosts)
		v->n_hosts = host + 1;
	put_name_of_host(v->host[host].name, name);
}
