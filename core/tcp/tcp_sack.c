/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_sack.c - which of the bytes we sent have arrived?
 *
 * The number of an ACK and its SACK blocks are turned into fates of sent records (tcp_sent.h), and
 * into one struct delivery for all who draw conclusions from it. A block is believed only inside
 * [snd.una, snd.nxt); it changes nothing but what is believed to be in flight. Bytes that were
 * sacked stay in the send buffer until they are acknowledged, because a receiver may renege.
 *
 * Sources: RFC 2018 (5: the sender), RFC 2883 (duplicates), RFC 6675 (3: which blocks count).
 */
#include "tcp_impl.h"

/* What lies below hi of a record has arrived. */
static void note_delivered(struct arrival *a, const struct sent *s, uint64_t hi)
{
	struct delivery *d = &a->d;
	const struct tcp *c = a->c;

	d->bytes += hi - sent_lo(s);
	d->again = d->again || s->again;
	if (!s->again) {
		d->size = MAX(d->size, (uint32_t)MIN(hi - sent_lo(s), s->mss));
		d->once_at = MAX(d->once_at, MAX(s->sent_at, 1));
		d->original = d->original || hi <= c->work->recover;
	}
	tcp_rack_delivered(a, s, hi);
	tcp_rate_delivered(a, s, hi);
}

/* The part of a record in [lo, hi), as a record of its own. NULL: no memory, or too many. */
static struct sent *isolate(struct arrival *a, struct sent *s, uint64_t lo, uint64_t hi)
{
	const struct tcp *c = a->c;
	struct sent_log *log = &c->work->sent;
	uint64_t segments = (c->snd.nxt - c->snd.una) / c->snd_mss;

	/* one for each segment, and some more */
	if (log->n >= a->x->cfg->tcp_ranges_max + segments && (sent_lo(s) < lo || s->hi > hi))
		return NULL;
	if (!sent_cut(log, a->x->mem, lo) || !sent_cut(log, a->x->mem, hi))
		return NULL;
	return sent_find(log, MAX(lo, sent_lo(s)));
}

static void take_block(struct arrival *a, uint64_t lo, uint64_t hi)
{
	struct sent_log *log = &a->c->work->sent;
	struct sent *s;

	for (; lo < hi && (s = sent_find(log, lo)) && sent_lo(s) < hi;) {
		if (s->fate == SENT_SACKED) {
			lo = s->hi;
			continue;
		}
		s = isolate(a, s, lo, hi);
		if (!s)
			return;
		lo = s->hi;
		note_delivered(a, s, s->hi);
		a->d.sacked = true;
		sent_set_sacked(log, a->x->mem, s);
	}
}

/* RFC 2883 section 4: the first block is below the ACK, or inside the second. */
static bool is_dsack(const struct arrival *a, uint64_t lo, uint64_t hi)
{
	const struct tcp_hdr *h = &a->seg->h;
	uint64_t una = a->c->snd.una;

	if (hi <= a->ack)
		return true;
	return h->n_sack > 1 && lo >= seq_unwrap(h->sack[1].lo, una) &&
	       hi <= seq_unwrap(h->sack[1].hi, una);
}

COLD void tcp_take_sack(struct arrival *a)
{
	const struct tcp_hdr *h = &a->seg->h;
	struct tcp *c = a->c;
	uint64_t known = MAX(c->snd.una, a->ack);

	for (unsigned i = 0; i < h->n_sack; i++) {
		uint64_t lo = seq_unwrap(h->sack[i].lo, c->snd.una);
		uint64_t hi = seq_unwrap(h->sack[i].hi, c->snd.una);

		if (lo >= hi || hi > c->snd.nxt)
			continue;
		if (i == 0 && is_dsack(a, lo, hi)) {
			a->d.dsack = true;
			tcp_undo_note_dsack(c, lo, hi);
			continue;
		}
		if (lo + c->snd.max_wnd >= c->snd.una) /* else as with an ACK: RFC 5961 5.2 */
			take_block(a, MAX(lo, known), hi);
	}
}

/* Before snd.una moves to the ACK. */
void tcp_take_cumulative_ack(struct arrival *a)
{
	struct sent_log *log = &a->c->work->sent;
	struct sent *s;

	while ((s = sent_first(log)) && sent_lo(s) < a->ack) {
		if (s->fate != SENT_SACKED)
			note_delivered(a, s, MIN(s->hi, a->ack));
		sent_drop_first(log, a->x->mem, a->ack);
	}
}

/*
 * The same where that is (a part of) the oldest record, which went once, and nothing behind it has
 * arrived yet: of what note_delivered asks, all is known but when it went.
 */
void tcp_take_oldest(struct arrival *a, const struct sent *s)
{
	struct tcp_rack *r = &a->c->work->rack;
	uint64_t n = a->ack - sent_lo(s);
	struct delivery *d = &a->d;

	d->size = (uint32_t)MIN(n, s->mss);
	d->once_at = MAX(s->sent_at, 1);
	d->youngest_at = s->sent_at;
	d->fack = r->end = a->ack;
	if (a->c->sack_ok)
		r->fack = a->ack;
	r->sent_at = s->sent_at;
	r->rtt = a->x->now - s->sent_at;
	tcp_rate_take_oldest(a, s, n);
	sent_drop_first(&a->c->work->sent, a->x->mem, a->ack);
}

/* ---- the receiver's side of RFC 2883 ---- */

/* [lo, hi) is here already: the next ACK says so, once. */
COLD void tcp_note_duplicate(struct tcp *c, uint64_t lo, uint64_t hi)
{
	c->dsack_lo = (uint32_t)lo;
	c->dsack_hi = (uint32_t)hi;
}
