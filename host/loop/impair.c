/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * impair.c - delay, rate, loss, reordering, duplication, corruption and marks (CE) of a device's
 * frames.
 */
#include "impair.h"

#include <stdlib.h>
#include <string.h>

#include "../../core/base/rand.h"
#include "../../core/wire/wire.h"

enum { READ_MAX = 64, SPARED_MAX = 512 };

/* A full device is asked again so soon: no descriptor tells the loop of it. */
static const tern_time RETRY_AFTER = TERN_MS;

struct impair {
	struct dev dev;
	struct link out, in;
	struct link_frame *stuck; /* due, but the inner device has no room */
	tern_time now;
	bool gone;
	bool (*spares)(void *ctx, const uint8_t *packet, size_t len);
	void *spares_ctx;
	struct impair_watcher watcher; /* decided NULL: nobody */
};

static struct link_frame *frame_of(const struct tern_pkt *p)
{
	struct link_frame *f = malloc(sizeof(*f) + p->total_len);

	if (!f)
		return NULL;
	*f = (struct link_frame){ .flags = (uint16_t)(p->flags & DEV_FLAGS_KEPT),
				  .csum_start = p->csum_start,
				  .csum_off = p->csum_off,
				  .gso_size = p->gso_size,
				  .len = p->total_len };
	tern_pkt_copy(p, 0, f->data, f->len);
	return f;
}

/* An open checksum is closed before a bit is flipped, or it would be right for the wrong bytes. */
static void corrupt(struct link_frame *f, const struct link_fate *fate)
{
	uint32_t at = f->csum_start, field = at + f->csum_off;

	if (f->len == 0)
		return;
	if ((f->flags & TERN_PKT_CSUM_PARTIAL) && field + 2 <= f->len)
		put_be16(f->data + field,
			 checksum_finish(checksum_add(f->data + at, f->len - at, 0)));
	f->data[fate->bit / 8 % f->len] ^= (uint8_t)(1 << fate->bit % 8);
	f->flags = 0; /* of a super-frame, too: whoever gets it verifies it as one segment */
	f->gso_size = 0;
}

static struct tern_pkt *packet_of_frame(struct tern_stack *st, const struct link_frame *f)
{
	struct tern_pkt *p = tern_pkt_new(st, f->len);

	if (!p)
		return NULL;
	memcpy(p->data, f->data, f->len);
	p->flags = f->flags;
	p->csum_start = f->csum_start;
	p->csum_off = f->csum_off;
	p->gso_size = f->gso_size;
	return p;
}

static enum impair_way way_of(const struct impair *m, const struct link *l)
{
	return l == &m->out ? IMPAIR_OUT : IMPAIR_IN;
}

static void tell_left(const struct impair *m, enum impair_way way, const struct tern_pkt *p,
		      const struct link_frame *f)
{
	if (m->watcher.decided)
		m->watcher.left(m->watcher.ctx, way, p, f->id);
}

static void put_copy(struct impair *m, struct link *l, const struct tern_pkt *p,
		     const struct link_fate *fate, uint64_t number)
{
	struct link_frame *f = frame_of(p);

	if (!f)
		return;
	f->id = number;
	if (fate->marked)
		link_mark((enum tern_link)m->dev.iface.link, f->data, f->len);
	if (fate->corrupted)
		corrupt(f, fate);
	link_put(l, f, fate);
}

static bool is_spared(const struct impair *m, const struct link *l, const struct tern_pkt *p)
{
	uint32_t at = m->dev.iface.link == TERN_LINK_ETHERNET ? ETH_HDR_LEN : 0;
	uint8_t packet[SPARED_MAX];

	return m->spares && !l->weather.down && p->total_len <= at + SPARED_MAX &&
	       m->spares(m->spares_ctx, packet, tern_pkt_copy(p, at, packet, SPARED_MAX));
}

static void put_frame(struct impair *m, struct link *l, const struct tern_pkt *p)
{
	struct link_fate fate = { .due = m->now,
				  .held = true }; /* it overtakes what the weather has */
	const struct impair_watcher *w = &m->watcher;
	uint64_t number = 0;

	if (!is_spared(m, l, p))
		fate = link_decide(l, m->now, p->total_len);

	if (w->decided)
		number = w->decided(w->ctx, way_of(m, l), p, &fate);
	if (fate.lost)
		return;
	put_copy(m, l, p, &fate, number);
	if (fate.duplicated)
		put_copy(m, l, p, &fate, w->decided ? w->copied(w->ctx, number) : 0);
}

/* What is due goes to the inner device, as far as that has room. */
static void send_due(struct impair *m, struct tern_stack *st)
{
	struct link_frame *f;

	while (!m->gone && (f = m->stuck ? m->stuck : link_take(&m->out, m->now))) {
		struct tern_pkt *p = packet_of_frame(st, f);
		int err = p ? m->dev.inner->ops->write(m->dev.inner, st, p) : 0;

		if (p && err != -TERN_EAGAIN)
			tell_left(m, IMPAIR_OUT, p, f);
		tern_pkt_free(st, p);
		m->stuck = err == -TERN_EAGAIN ? f : NULL;
		m->gone = err == -TERN_ENODEV;
		if (m->stuck)
			return;
		free(f);
	}
}

/* What the inner device has comes into the other link. */
static void fetch(struct impair *m, struct tern_stack *st)
{
	struct tern_pkt *p, *next;
	int n = m->gone ? 0 : m->dev.inner->ops->read(m->dev.inner, st, READ_MAX, &p);

	if (n < 0)
		m->gone = true;
	for (; n > 0 && p; p = next) {
		next = p->next;
		put_frame(m, &m->in, p);
		tern_pkt_free(st, p);
	}
	m->dev.refused = m->dev.inner->refused;
}

static int impair_read(struct dev *d, struct tern_stack *st, unsigned max, struct tern_pkt **list)
{
	struct impair *m = (struct impair *)d;
	struct link_frame *f;
	int n = 0;

	*list = NULL;
	m->now = tern_now(st);
	send_due(m, st);
	fetch(m, st);
	while ((unsigned)n < max && (f = link_take(&m->in, m->now))) {
		struct tern_pkt *p = packet_of_frame(st, f);

		if (p) {
			p->ifindex = (uint16_t)d->ifindex;
			tell_left(m, IMPAIR_IN, p, f);
		}
		free(f);
		if (!p) {
			d->refused++;
			continue;
		}
		p->next = NULL;
		*list = p;
		list = &p->next;
		n++;
	}
	return n || !m->gone ? n : -TERN_ENODEV;
}

static int impair_write(struct dev *d, struct tern_stack *st, const struct tern_pkt *p)
{
	struct impair *m = (struct impair *)d;

	if (m->gone)
		return -TERN_ENODEV;
	if (m->stuck)
		return -TERN_EAGAIN;
	m->now = tern_now(st);
	put_frame(m, &m->out, p);
	return 1;
}

static tern_time impair_advance(struct dev *d, struct tern_stack *st, tern_time now)
{
	struct impair *m = (struct impair *)d;
	tern_time in, out, inner = TERN_NEVER;

	m->now = now;
	if (m->dev.inner->ops->advance)
		inner = m->dev.inner->ops->advance(m->dev.inner, st, now);
	send_due(m, st);
	in = link_deadline(&m->in);
	out = m->stuck ? now + RETRY_AFTER : link_deadline(&m->out);
	return MIN(inner, MIN(in, out));
}

static bool impair_pending(const struct dev *d)
{
	const struct impair *m = (const struct impair *)d;

	return m->dev.inner->ops->pending && m->dev.inner->ops->pending(m->dev.inner);
}

static void free_frames(struct link *l)
{
	struct link_frame *f;

	while ((f = link_take(l, TERN_NEVER)))
		free(f);
}

static void impair_close(struct dev *d)
{
	struct impair *m = (struct impair *)d;

	free_frames(&m->in);
	free_frames(&m->out);
	free(m->stuck);
	dev_close(m->dev.inner);
	free(m);
}

bool impair_is_sending(const struct dev *d)
{
	const struct impair *m = (const struct impair *)d;

	return !m->gone && (m->stuck || link_deadline(&m->out) != TERN_NEVER);
}

void impair_spare(struct dev *d, bool (*spares)(void *ctx, const uint8_t *packet, size_t len),
		  void *ctx)
{
	struct impair *m = (struct impair *)d;

	m->spares = spares;
	m->spares_ctx = ctx;
}

void impair_watch(struct dev *d, const struct impair_watcher *w)
{
	struct impair *m = (struct impair *)d;

	m->watcher = *w;
}

void impair_change(struct dev *d, const struct tern_weather way[IMPAIR_WAYS])
{
	struct impair *m = (struct impair *)d;

	m->out.weather = way[IMPAIR_OUT];
	m->in.weather = way[IMPAIR_IN];
}

struct dev *impair_open(struct dev *inner, const struct tern_weather way[IMPAIR_WAYS],
			uint64_t seed)
{
	static const struct dev_ops ops = { .read = impair_read,
					    .write = impair_write,
					    .advance = impair_advance,
					    .pending = impair_pending,
					    .close = impair_close };
	struct impair *m = calloc(1, sizeof(*m));
	uint8_t key[32];
	struct rand r;

	if (!m)
		return NULL;
	rand_seed_of(key, seed);
	m->dev = *inner;
	m->dev.ops = &ops;
	/* A checksum made behind the weather would be right for what the weather left. */
	m->dev.iface.flags &= ~(uint32_t)(TERN_IFACE_CSUM | TERN_IFACE_TSO4 | TERN_IFACE_TSO6);
	m->dev.inner = inner;
	rand_init(&r, key, 1);
	link_init(&m->out, &way[IMPAIR_OUT], &r);
	rand_init(&r, key, 2);
	link_init(&m->in, &way[IMPAIR_IN], &r);
	return &m->dev;
}
