/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_output.c - build what the plan chose, move on, and hand it out in pieces.
 *
 * Every segment but a SYN and a RST from nowhere acknowledges all that has arrived and shows the
 * current window, so sending anything settles what was owed; ACKs alone may do so in steps. A burst
 * is remembered by positions alone: what is acknowledged or given up before its piece is taken is
 * not sent. The payload is lent from the send buffer; the owner pins the spans for as long as the
 * packet lives.
 */
#include "tcp_impl.h"

/* What is acknowledged below rcv.nxt only delays what else is owed. */
static void settle_ack(struct tcp *c, struct tcp_hdr *h, uint64_t ack)
{
	uint64_t edge;

	h->ack = (uint32_t)ack;
	tcp_put_echo(c, h);
	h->wnd = tcp_window_field(c, ack, &edge);
	c->rcv.adv = edge;
	c->rcv.acked = ack;
	if (ack < c->rcv.nxt)
		return;
	if (c->dsack_lo != c->dsack_hi && c->sack_ok)
		c->notes |= TCP_NOTE_DSACK_SENT;
	c->dsack_lo = c->dsack_hi;
	c->ack_at = TERN_NEVER;
	if (c->dup_acks_due)
		c->dup_acks_due--;
	else
		c->ack_due = ACK_NONE;
}

static void note_first_syn(struct tcp *c, const struct tcp_ctx *x)
{
	if (c->work)
		tcp_time_syn(c, x->now);
	else
		c->rcv.opened_at = x->now;
}

static void put_syn(struct tcp *c, const struct tcp_ctx *x, struct tcp_out *out)
{
	struct tcp_work *w = c->work;
	struct tcp_hdr *h = &out->h;

	out->lo = out->hi = tcp_syn_pos(c);
	h->flags = TCP_SYN;
	h->wnd = (uint16_t)MIN(tcp_window_max(&c->opt), 65535);
	if (c->state == TERN_TCP_SYN_SENT) {
		tcp_ask_for_ecn(c, x, h);
	} else {
		h->flags |= TCP_ACK;
		h->ack = (uint32_t)c->rcv.nxt;
		c->ack_due = ACK_NONE;
		c->ack_at = TERN_NEVER;
		c->rcv.acked = c->rcv.nxt;
		tcp_put_ecn_answer(c, h);
	}
	tcp_put_syn_options(c, x, h);
	tcp_put_fast_open(c, out);
	if (c->snd.nxt == tcp_syn_pos(c)) {
		c->snd.nxt++;
		note_first_syn(c, x);
	} else if (c->syn_timed_out) {
		if (w)
			w->timed_pos = TCP_NO_POS;
		if (tcp_take_tally(c, x))
			c->tally->total_rtx++;
	}
	c->syn_timed_out = c->syn_asked = false;
	c->syn_due = false;
	if (c->rtx_at == TERN_NEVER)
		tcp_arm_rtx(c, x);
}

static COLD void put_rst(struct tcp *c, const struct tcp_ctx *x, struct tcp_out *out)
{
	struct tcp_hdr *h = &out->h;

	out->lo = out->hi = c->snd.nxt;
	h->flags = TCP_RST | TCP_ACK;
	h->ack = (uint32_t)c->rcv.nxt;
	tcp_put_options(c, x, h); /* RFC 7323 3.2: timestamps SHOULD be in it */
	c->rst_due = false;
}

static void put_urgent(const struct tcp_work *w, uint64_t lo, struct tcp_hdr *h)
{
	h->flags &= (uint16_t)~TCP_URG;
	h->urg = 0;
	if (w->up <= lo)
		return;
	h->flags |= TCP_URG;
	h->urg = (uint16_t)MIN(w->up - lo, 65535);
}

/* RFC 6691 2: SACK blocks take room that snd_mss does not reckon with; too many are left out. */
static uint16_t text_beside_options(const struct tcp *c, struct tcp_hdr *h)
{
	uint32_t blocks = (uint32_t)tcp_options_len(h) - tcp_options_room(c);

	if (2 * blocks > c->snd_mss) {
		h->n_sack = 0;
		blocks = 0;
	}
	return (uint16_t)(c->snd_mss - blocks);
}

static COLD void note_path_probe(struct tcp *c, uint64_t hi)
{
	c->work->probe_end = hi;
	c->work->probe_next = 0;
}

/* Bookkeeping of bytes and a FIN that go for the first time; while nothing is missing, of bytes. */
static inline void note_sent(struct tcp *c, const struct tcp_ctx *x, uint64_t hi, bool fin,
			     bool calm)
{
	uint64_t lo = c->snd.nxt, len = hi - lo;
	struct tcp_work *w = c->work;
	struct sent *s;

	if (c->snd.nxt == c->snd.una) {
		w->first_rtx_at = x->now;
		c->idle_at = TERN_NEVER;
	}
	if (fin)
		c->fin_sent = true;
	c->snd.nxt = hi + (fin ? 1 : 0);
	s = sent_put(&w->sent, lo, c->snd.nxt, x->now);
	tcp_rate_sent(c, x, s, c->snd.nxt - lo, calm ? c->snd.nxt - c->snd.una : tcp_flight(c));
	if (!calm && (w->dup_acks || w->sent.n_sacked) && !tcp_is_repairing(c))
		w->limited += len;
	if (len && (len < c->snd_mss || (uint32_t)len % c->snd_mss) && hi > w->probe_end)
		w->small_end = hi;
	if (w->timed_pos == TCP_NO_POS && (calm || !c->probing)) {
		w->timed_pos = MIN(c->snd.nxt, lo + c->snd_mss); /* the first of a burst */
		w->timed_at = x->now;
	}
}

static COLD void note_sent_again(struct tcp *c, const struct tcp_ctx *x, const struct tcp_plan *p)
{
	uint32_t segments = MAX(1, tcp_in_segments(c, p->hi - p->lo));
	uint64_t end = p->hi + (p->fin ? 1 : 0);
	struct tcp_work *w = c->work;
	struct sent *s = sent_find(&w->sent, p->lo);

	sent_renew(&w->sent, s, end, x->now);
	tcp_rate_sent(c, x, s, end - p->lo, tcp_flight(c));
	w->timed_pos = TCP_NO_POS;
	if (c->tally) {
		c->tally->total_rtx += segments;
		c->tally->bytes_rtx += p->hi - p->lo;
	}
	c->rtx_forced = false;
	tcp_undo_note_again(c, x, p->lo, end);
}

/*
 * A loss probe is out; the flag says whether it repeats something. RFC 8985 TLP_send_probe. In a
 * recovery what it repairs has been answered for.
 */
static COLD void note_probe(struct tcp *c, bool again)
{
	c->work->tlp_end = c->snd.nxt;
	c->work->tlp_is_again = again && !c->in_recovery;
	c->work->tlp_timed = false;
	c->tlp_due = false;
}

/*
 * RFC 6298 section 5: never less than an RTO after the last transmission. With the partial ACKs of
 * NewReno only the first restarts the timer (RFC 6582 3.2 step 3).
 */
static bool restarts_timer(const struct tcp *c, const struct tcp_plan *p)
{
	return p->again && c->in_recovery && p->lo == c->snd.una &&
	       p->cause == TERN_CAUSE_FAST_RETRANSMIT;
}

/* n bytes go now, and RFC 6298 5.1. */
static inline void note_departure(struct tcp *c, const struct tcp_ctx *x, uint64_t n)
{
	tcp_pace_sent(c, x, n);
	c->sent_ms = x->ms;
	if (c->heard_text)
		c->answers = true;
	c->heard_text = false;
	if (c->rtx_at == TERN_NEVER)
		tcp_arm_rtx(c, x);
}

static void put_data(struct tcp *c, const struct tcp_ctx *x, const struct tcp_plan *p,
		     struct tcp_out *out)
{
	struct tcp_hdr *h = &out->h;
	uint64_t hi = p->hi;
	bool fin = p->fin;

	out->lo = p->lo;
	out->hi = hi;
	out->has_text = p->lo < hi;
	out->path_probe = p->path_probe;
	h->flags = TCP_ACK;
	tcp_take_tally(c, x);
	if (hi == c->snd.end && out->has_text)
		out->end_flags |= TCP_PSH; /* MUST-61: it empties the queue */
	if (fin)
		out->end_flags |= TCP_FIN;
	tcp_put_options(c, x, h);
	if (c->accecn) /* a full segment has no room for it */
		tcp_accecn_put_option(c, x, h, c->snd_mss - MIN(hi - p->lo, c->snd_mss));
	settle_ack(c, h, c->rcv.nxt);
	out->mss = p->path_probe ? (uint16_t)(hi - p->lo) : text_beside_options(c, h);
	c->work->sent.mss = out->mss;
	if (p->path_probe)
		note_path_probe(c, hi);
	if (p->what == SEND_PROBE) {
		c->probe_due = false;
		if (hi + (fin ? 1 : 0) > c->snd.nxt)
			note_sent(c, x, MAX(hi, c->snd.nxt), fin && !c->fin_sent, false);
	} else if (p->again) {
		note_sent_again(c, x, p);
	} else {
		note_sent(c, x, hi, fin, false);
		tcp_mark_as_able(c, out);
	}
	if (c->in_recovery)
		c->work->prr.out += hi - p->lo;
	note_departure(c, x, hi - p->lo);
	if (restarts_timer(c, p))
		tcp_arm_rtx(c, x);
	if (p->cause == TERN_CAUSE_TLP)
		note_probe(c, p->again);
	else if (!p->again || c->in_recovery)
		tcp_schedule_probe(c, x);
}

/*
 * SHLD-19: one ACK for two segments, or so many, even where a whole batch has come before anything
 * could be sent. A peer whose window grows by the count of ACKs (RFC 5681 3.1) opens faster so.
 */
static uint32_t ack_step(const struct tcp *c, const struct tcp_ctx *x)
{
	uint32_t step = x->cfg->tcp_ack_segments * c->rcv_mss;

	return step ? step : UINT32_MAX;
}

static void put_ack(struct tcp *c, const struct tcp_ctx *x, uint64_t seq, struct tcp_out *out)
{
	out->lo = out->hi = seq;
	out->h.seq = (uint32_t)seq;
	out->h.flags = TCP_ACK;
	tcp_put_options(c, x, &out->h);
	out->ack_step = out->h.n_sack ? UINT32_MAX : ack_step(c, x); /* blocks are told once */
	if (c->accecn)
		tcp_accecn_put_option(c, x, &out->h, c->snd_mss);
}

/*
 * Where the peer has taken its window back below what flies, and by more than its scale hides, the
 * next number lies beyond it: the ACK would be dropped, and what it acknowledges with it.
 */
static uint64_t acceptable_seq(const struct tcp *c)
{
	uint64_t edge = c->snd.una + c->snd.wnd;

	return c->snd.nxt < edge + (1u << c->snd_wscale) ? c->snd.nxt : edge;
}

/* What goes again is a lost record's beginning; a loss probe makes its segment one. */
static bool prepare_records(struct tcp *c, const struct tcp_ctx *x, const struct tcp_plan *p)
{
	struct sent_log *log = &c->work->sent;
	bool probe = p->cause == TERN_CAUSE_TLP && p->again;

	if (probe && !(sent_cut(log, x->mem, p->lo) && sent_cut(log, x->mem, p->hi + p->fin)))
		return false;
	if (!sent_reserve(log, x->mem))
		return false;
	if (probe)
		sent_set_lost(log, sent_find(log, p->lo), TERN_CAUSE_TLP);
	return true;
}

/* A client's SYN with neither text nor cookie is remembered by its time alone. */
static bool needs_work(const struct tcp *c, const struct tcp_plan *p)
{
	if (p->what == SEND_SYN)
		return c->state != TERN_TCP_SYN_SENT || c->fast_open;
	return p->what == SEND_DATA || p->what == SEND_PROBE;
}

bool tcp_output(struct tcp *c, const struct tcp_ctx *x, const struct tcp_plan *p,
		struct tcp_out *out)
{
	bool data = p->what == SEND_DATA || p->what == SEND_PROBE;

	if (needs_work(c, p) && !(tcp_take_work(c, x) && prepare_records(c, x, p)))
		return false;
	tcp_hdr_init(&out->h);
	out->end_flags = 0;
	out->mss = UINT16_MAX;
	out->ack_step = 0;
	out->cause = (uint8_t)p->cause;
	out->again = p->again;
	out->has_text = out->done = out->ect = out->path_probe = false;
	if (data) {
		put_data(c, x, p, out);
		return true;
	}
	switch (p->what) {
	case SEND_NOTHING:
	case SEND_DATA:
	case SEND_PROBE:
		assert(false);
		break;
	case SEND_RST:
		put_rst(c, x, out);
		break;
	case SEND_SYN:
		put_syn(c, x, out);
		break;
	case SEND_KEEPALIVE: /* SHLD-12: a number that was acknowledged long ago */
		c->keepalive_due = false;
		put_ack(c, x, c->snd.nxt - 1, out);
		break;
	case SEND_ACK:
		put_ack(c, x, acceptable_seq(c), out);
		break;
	}
	return true;
}

/* ---- a message ---- */

/* Segments count, not what a device cuts. */
static inline void count_segments(struct tcp *c, uint32_t n, bool with_text)
{
	c->segs_out += n;
	if (with_text && c->tally)
		c->tally->data_segs_out += n;
}

/* Nothing else is to be said, or asked. */
static bool is_alone(const struct tcp *c)
{
	const struct tcp_work *w = c->work;

	return c->ecn == ECN_NONE && c->dsack_lo == c->dsack_hi &&
	       !(c->dup_acks_due | w->dup_acks) && !w->sent.n_sacked &&
	       w->loss_timer == LOSS_TIMER_PROBE && w->up <= c->snd.nxt;
}

bool tcp_put_message(struct tcp *c, const struct tcp_ctx *x, struct tcp_message *m)
{
	uint64_t lo = c->snd.nxt, hi = c->snd.end, edge;
	struct tcp_work *w = c->work;

	if (!tcp_has_message(c) || !is_alone(c))
		return false;
	if (!buf_one_span(&w->snd_buf, lo, (uint32_t)(hi - lo), &m->text) ||
	    !sent_reserve(&w->sent, x->mem))
		return false;
	tcp_take_tally(c, x);
	m->seq = (uint32_t)lo;
	m->ack = (uint32_t)c->rcv.nxt;
	m->wnd = tcp_window_field(c, c->rcv.nxt, &edge);
	m->has_ts = c->ts_ok;
	if (c->ts_ok) {
		m->ts_val = tcp_ts_clock(x, c->snd.ts_off);
		m->ts_ecr = c->rcv.ts_recent;
	}
	c->rcv.adv = edge;
	c->rcv.acked = c->rcv.nxt;
	c->ack_at = TERN_NEVER;
	c->ack_due = ACK_NONE;
	w->sent.mss = c->snd_mss;
	note_sent(c, x, hi, false, true);
	note_departure(c, x, hi - lo);
	w->loss_at = TERN_NEVER;
	tcp_arm_probe(c, x);
	count_segments(c, 1, true);
	return true;
}

/* ---- pieces ---- */

/* A path that has turned out to be smaller while the burst was under way counts at once. */
uint32_t tcp_piece_mss(const struct tcp *c, const struct tcp_out *out)
{
	if (out->path_probe || (out->h.flags & TCP_SYN))
		return out->mss;
	return MIN(out->mss, c->snd_mss);
}

/* Inside a burst: less than asked, but whole segments, unless it is the end. */
static uint32_t piece_len(const struct tcp *c, const struct tcp_out *out, uint32_t max)
{
	uint64_t left = out->hi - out->lo;

	if (out->h.flags & TCP_SYN) /* cut to size already */
		return (uint32_t)left;
	return (uint32_t)MIN(left, MAX(max, tcp_piece_mss(c, out)));
}

static COLD void shorten(struct tcp_piece *piece, uint32_t by)
{
	piece->len -= by;
	while (by > 0) {
		struct buf_span *last = &piece->span[piece->n_spans - 1];
		uint32_t n = MIN(by, last->len);

		last->len -= n;
		by -= n;
		if (last->len == 0)
			piece->n_spans--;
	}
}

static void lend_payload(const struct tcp *c, struct tcp_out *out, uint32_t len,
			 struct tcp_piece *piece)
{
	piece->n_spans = buf_spans(&c->work->snd_buf, out->lo, len, piece->span, TCP_PIECE_SPANS);
	piece->len = 0;
	for (int i = 0; i < piece->n_spans; i++)
		piece->len += piece->span[i].len;
	if (piece->len < len && piece->len > tcp_piece_mss(c, out)) /* no span for all of it */
		shorten(piece, piece->len % tcp_piece_mss(c, out));
}

/* One of the ACKs alone, and whether it is the last. */
static inline void put_next_ack(struct tcp *c, struct tcp_out *out)
{
	out->h.flags = TCP_ACK;
	settle_ack(c, &out->h, MIN(c->rcv.nxt, c->rcv.acked + out->ack_step));
	out->done = c->rcv.acked == c->rcv.nxt;
	if (c->work)
		put_urgent(c->work, out->lo, &out->h);
	count_segments(c, 1, false);
}

int tcp_next_alike(struct tcp *c, struct tcp_out *out, uint32_t len,
		   struct buf_span span[TCP_ALIKE_SPANS])
{
	const struct tcp_work *w = c->work;

	if (out->ack_step) {
		put_next_ack(c, out);
		return 0;
	}
	if (!w || out->lo < w->snd_buf.head || w->up > out->lo || out->hi - out->lo < len ||
	    len > c->snd_mss)
		return -1;
	out->h.seq = (uint32_t)out->lo;
	out->lo += len;
	out->done = out->lo == out->hi;
	if (out->done)
		out->h.flags |= out->end_flags;
	count_segments(c, 1, true);
	return buf_spans(&w->snd_buf, out->lo - len, len, span, TCP_ALIKE_SPANS);
}

bool tcp_next_piece(struct tcp *c, struct tcp_out *out, uint32_t max, struct tcp_piece *piece)
{
	const struct tcp_work *w = c->work;

	piece->h = &out->h;
	piece->n_spans = 0;
	piece->len = 0;
	if (out->ack_step) {
		put_next_ack(c, out);
		return true;
	}
	if (out->has_text) {
		if (!w)
			return false;
		if (out->lo < w->snd_buf.head)
			out->lo = MIN(w->snd_buf.head, out->hi);
		if (out->lo == out->hi)
			return false;
		lend_payload(c, out, piece_len(c, out, max), piece);
	}
	out->done = out->lo + piece->len == out->hi;
	out->h.seq = (uint32_t)out->lo;
	if (out->has_text && (out->h.flags & TCP_SYN))
		out->h.seq--; /* the SYN comes before its text */
	if (w && !(out->h.flags & (TCP_SYN | TCP_RST)))
		put_urgent(w, out->lo, &out->h);
	out->lo += piece->len;
	if (out->done)
		out->h.flags |= out->end_flags;
	count_segments(c, MAX(1, tcp_in_segments(c, piece->len)),
		       piece->len > 0); /* a SYN's is one */
	return true;
}
