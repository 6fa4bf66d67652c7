/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * track.c - what a TCP segment means in the light of those before it.
 *
 * Each side has its ISN, the highest number sent, and the set of numbers that have arrived at the
 * other side. From these follow the relative numbers and the marks, whether the frames come from a
 * stack that says why it sent them or from a capture that does not.
 *
 * Where a capture begins in the middle of a connection, the first number seen counts as 1.
 */
#include "track.h"

#include <string.h>

#include "../core/base/seq.h"

/* Relative numbers as positions for the sets: an old duplicate may lie before 0. */
static const int64_t position_of_zero = (int64_t)1 << 33;

static int64_t relative(const struct flow_side *s, uint32_t number)
{
	uint64_t first = seq_first(s->isn);

	return (int64_t)(seq_unwrap(number, first + (uint64_t)s->nxt) - first);
}

static void learn_isn(struct flow_side *s, uint32_t isn)
{
	s->isn_known = true;
	s->isn = isn;
}

/*
 * Who answers with SYN cookies keeps nothing: to a SYN that comes again goes another number. The
 * last counts, until something has been acknowledged.
 */
static bool answers_anew(const struct flow_side *s, const struct segment *g)
{
	const uint16_t both = TCP_SYN | TCP_ACK;

	return (g->tcp.flags & both) == both && s->nxt == 1 && s->acked == 0;
}

static void learn_from(struct flow *f, const struct segment *g)
{
	struct flow_side *s = &f->side[g->from], *other = &f->side[1 - g->from];
	uint16_t flags = g->tcp.flags;

	if (flags & TCP_SYN) {
		if (s->nxt == 0 || answers_anew(s, g))
			learn_isn(s, g->tcp.seq);
		s->wscale_known = g->tcp.has_wscale;
		s->wscale = MIN(g->tcp.wscale, 14);
		s->opened_by_syn |= !(flags & TCP_ACK);
	}
	if (!s->isn_known)
		learn_isn(s, flags & TCP_RST ? g->tcp.seq : g->tcp.seq - 1);
	if (!other->isn_known && (flags & TCP_ACK) && !f->to_itself)
		learn_isn(other, g->tcp.ack - 1);
}

/* The window field is scaled when both SYNs offered it; in a SYN it never is (RFC 7323 2.2). */
static uint64_t scaled_window(const struct flow *f, const struct segment *g)
{
	const struct flow_side *s = &f->side[g->from];
	bool both = s->wscale_known && (f->side[1 - g->from].wscale_known || f->to_itself);

	return both && !(g->tcp.flags & TCP_SYN) ? (uint64_t)g->tcp.wnd << s->wscale : g->tcp.wnd;
}

static bool is_syn_ack(const struct segment *g)
{
	return (g->tcp.flags & TCP_SYN) && (g->tcp.flags & TCP_ACK);
}

static int64_t end_of(const struct segment *g)
{
	return g->seq + g->len + !!(g->tcp.flags & TCP_SYN) + !!(g->tcp.flags & TCP_FIN);
}

static bool has_cause(const struct segment *g, enum tern_cause cause)
{
	return g->sent->text && strcmp(g->sent->text, tern_cause_name(cause)) == 0;
}

/*
 * A capture at the receiver shows what was overtaken on the way behind what overtook it. Timestamps
 * tell what was sent first (RFC 7323 5.4: they never go back). Without, or where they are the same:
 * so soon after a gap nobody has sent it again.
 */
static bool was_overtaken(const struct flow_side *s, const struct segment *g)
{
	if (g->tcp.flags & TCP_SYN) /* of SYN cookies the timestamp holds options */
		return false;
	if (g->sent->flow && g->tcp.has_ts && s->has_ts && g->tcp.ts_val != s->ts_val)
		return (int32_t)(g->tcp.ts_val - s->ts_val) < 0;
	return g->sent->flow && g->len > 0 && g->seq >= s->gap_from && end_of(g) <= s->gap_to &&
	       g->sent->at - s->gap_at <= 3 * TERN_MS;
}

static void note_gap(struct flow_side *s, const struct segment *g)
{
	if (g->marks & MARK_GAP) {
		s->gap_from = s->nxt;
		s->gap_to = g->seq;
		s->gap_at = g->sent->at;
	} else if (g->marks & MARK_OUT_OF_ORDER && g->seq == s->gap_from) {
		s->gap_from = end_of(g);
	}
}

/*
 * RFC 9293 3.8.4: a segment of a number that has been, without text or with one octet of garbage.
 * What nobody has acknowledged may be that octet again: it counts as text.
 */
static bool is_keepalive(const struct flow_side *s, const struct flow_side *other,
			 const struct segment *g)
{
	if (s->nxt == 0 || g->seq != s->nxt - 1 || g->sent->text)
		return false;
	if (g->ack < other->acked) /* sent before the last, and overtaken */
		return false;
	return g->len == 0 || (g->len == 1 && s->acked >= s->nxt);
}

/* An octet that may be taken or not, or, as from Linux, none and a number that has been. */
static bool is_probe(const struct flow_side *s, const struct flow_side *other,
		     const struct segment *g)
{
	if (other->wnd != 0 || other->n_segments == 0)
		return false;
	return g->len == 1 || (g->len == 0 && is_keepalive(s, other, g));
}

static void note_timestamp(struct flow_side *s, bool has_ts, uint32_t ts_val)
{
	if (!has_ts || (s->has_ts && (int32_t)(ts_val - s->ts_val) < 0))
		return;
	s->has_ts = true;
	s->ts_val = ts_val;
}

static uint32_t marks_of_sent(const struct flow *f, const struct segment *g)
{
	const struct flow_side *s = &f->side[g->from], *other = &f->side[1 - g->from];
	uint16_t flags = g->tcp.flags;
	bool is_plain = !(flags & (TCP_SYN | TCP_FIN | TCP_RST));
	uint32_t marks = 0;

	if (g->tcp.wnd == 0 && !(flags & TCP_RST))
		marks |= MARK_ZERO_WINDOW;
	if (g->sent->corrupted)
		marks |= MARK_CORRUPTED;
	if (s->nxt > 0 && g->seq > s->nxt && !(flags & (TCP_SYN | TCP_RST)))
		marks |= MARK_GAP;
	if (has_cause(g, TERN_CAUSE_PROBE) || (is_plain && is_probe(s, other, g)))
		return marks | MARK_PROBE;
	if (has_cause(g, TERN_CAUSE_KEEPALIVE) || (is_plain && is_keepalive(s, other, g)))
		return marks | MARK_KEEPALIVE;
	/* The first SYN,ACK of a simultaneous open repeats the SYN's number, but says more. */
	if (is_syn_ack(g) && !s->syn_ack_sent)
		return marks;
	if (end_of(g) > g->seq && g->seq < s->nxt)
		marks |= was_overtaken(s, g) ? MARK_OUT_OF_ORDER : MARK_RETRANSMITTED;
	return marks;
}

static void count_sent(struct flow_side *s, const struct segment *g)
{
	s->n_segments++;
	s->n_data += g->len > 0;
	s->n_retransmitted += !!(g->marks & MARK_RETRANSMITTED);
	s->n_lost += g->sent->lost != NULL;
}

static void count_bytes(struct flow_side *s, int64_t end)
{
	if (end > 1)
		s->n_bytes = MAX(s->n_bytes, (uint64_t)end - 1);
}

static void note_ack(struct flow_side *s, int64_t ack)
{
	s->acked = MAX(s->acked, ack);
	if (s->probe_end == 0 || s->acked < s->probe_end)
		return;
	/* Its octet was taken after all: it is not sent again. */
	s->nxt = MAX(s->nxt, s->probe_end);
	count_bytes(s, s->probe_end);
	s->probe_end = 0;
}

void track_sent(struct flow *f, struct segment *g)
{
	struct flow_side *s = &f->side[g->from], *other = &f->side[1 - g->from];

	learn_from(f, g);
	g->wnd = scaled_window(f, g);
	g->seq = relative(s, g->tcp.seq);
	g->ack = g->tcp.flags & TCP_ACK ? relative(f->to_itself ? s : other, g->tcp.ack) : 0;
	g->marks = marks_of_sent(f, g);
	note_gap(s, g);
	note_timestamp(s, g->tcp.has_ts, g->tcp.ts_val);
	count_sent(s, g);
	/* The byte of a probe will be sent again with its fellows: until it is acknowledged it does
	 * not count as sent. */
	if (g->marks & MARK_PROBE) {
		s->probe_end = g->len ? end_of(g) : s->probe_end;
	} else if (!(g->tcp.flags & TCP_RST)) {
		s->nxt = MAX(s->nxt, end_of(g));
		if (g->len)
			count_bytes(s, g->seq + !!(g->tcp.flags & TCP_SYN) + g->len);
	}
	s->wnd = g->wnd;
	s->syn_ack_sent |= is_syn_ack(g);
	if ((g->tcp.flags & TCP_FIN) && !s->fin_sent) {
		s->fin_sent = true;
		s->fin_first = !other->fin_sent; /* instants may be equal */
		s->fin_at = g->sent->at;
	}
	if (g->tcp.flags & TCP_RST) {
		s->rst_sent = true;
		s->gave_up |= s->repeats;
	} else {
		s->repeats = g->marks & (MARK_RETRANSMITTED | MARK_KEEPALIVE | MARK_PROBE);
	}
	if (g->tcp.flags & TCP_ACK)
		note_ack(f->to_itself ? s : other, g->ack);
	if (other->fin_sent && (g->tcp.flags & TCP_ACK) && g->ack >= other->nxt)
		other->fin_acked = true;
}

void track_arrival(struct flow *f, struct segment *g, struct step *step, struct mem *mem)
{
	struct flow_side *s = &f->side[g->from];
	uint64_t lo = (uint64_t)(position_of_zero + g->seq);
	uint64_t hi = (uint64_t)(position_of_zero + end_of(g));
	struct range last;
	bool overtaken, known;

	if (step->text)
		s->n_dropped++;
	else
		f->side[1 - g->from].repeats = false;
	if (step->text || hi <= lo || (g->tcp.flags & TCP_RST) ||
	    (g->marks & (MARK_PROBE | MARK_KEEPALIVE)))
		return;
	if ((g->tcp.flags & TCP_FIN) && s->fin_arrived_at == TERN_NEVER)
		s->fin_arrived_at = step->at;
	/* In a foreign capture, or on a real wire, nobody knows whether it had come already. */
	known = !g->sent->flow && (step->copy || !step->guessed);
	step->duplicate = known && ranges_contain(&s->arrived, lo, hi);
	s->n_duplicate += step->duplicate;
	overtaken = ranges_last(&s->arrived, &last) && lo < last.hi;
	ranges_add(&s->arrived, mem, lo, hi);
	/* A copy has a line of its own; the first SYN,ACK is never old. */
	if (step->copy || (is_syn_ack(g) && !(g->marks & MARK_RETRANSMITTED)))
		return;
	if (step->duplicate)
		g->marks |= MARK_DUPLICATE;
	else if (overtaken && !(g->marks & MARK_RETRANSMITTED))
		g->marks |= MARK_OUT_OF_ORDER;
}

void track_left_out(struct flow *f, int side, const struct view_fold *fold, struct mem *mem)
{
	struct flow_side *s = &f->side[side];
	uint64_t from = (uint64_t)(position_of_zero + s->nxt), n = fold->n_new[side];

	s->n_segments += fold->n_data[side] + fold->n_acks[side];
	s->n_data += fold->n_data[side];
	s->n_retransmitted += fold->n_retransmitted[side];
	s->n_bytes += f->proto == TERN_IPPROTO_TCP ? n : fold->n_bytes[side];
	if (n) {
		s->nxt += (int64_t)n;
		ranges_add(&s->arrived, mem, from, from + n);
	}
	note_ack(s, s->acked + (int64_t)fold->n_acked[side]);
	note_timestamp(s, fold->has_ts[side], fold->ts_val[side]);
}
