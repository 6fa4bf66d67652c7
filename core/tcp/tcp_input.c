/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_input.c - a segment arrived: what does RFC 9293 3.10.7 say, step by step?
 *
 * LISTEN and the passive SYN-RECEIVED are in tcp_listen.c, CLOSED is tcp_rst_for, TIME-WAIT is
 * tcp_timewait.c. Here are SYN-SENT (3.10.7.3) and all other states (3.10.7.4) with the rules of
 * RFC 5961 against blind attacks. A step returns false when the segment goes no further; if it was
 * refused, it has then named the reason. Nothing is sent here: a RST is returned, an ACK is owed.
 */
#include "tcp_impl.h"

static COLD bool drop_segment(struct arrival *a, enum tern_drop why)
{
	a->r.drop = why;
	return false;
}

/* ---- SYN-SENT, RFC 9293 3.10.7.3 ---- */

static bool check_syn_sent_ack(struct arrival *a)
{
	const struct tcp *c = a->c;
	const struct tcp_hdr *h = &a->seg->h;

	if (!(h->flags & TCP_ACK))
		return true;
	if (a->ack > tcp_syn_pos(c) && a->ack <= tcp_syn_end(c))
		return true;
	if (!(h->flags & TCP_RST))
		a->r.rst = (struct tcp_rst){ .due = true, .seq = h->ack };
	return drop_segment(a, TERN_DROP_TCP_ACK_RANGE);
}

static bool check_syn_sent_rst(struct arrival *a)
{
	if (!(a->seg->h.flags & TCP_RST))
		return true;
	if (!(a->seg->h.flags & TCP_ACK))
		return drop_segment(a, TERN_DROP_TCP_RESET);
	tcp_end(a->c, a->x, TERN_ECONNREFUSED);
	a->r.events |= TCP_ENDED;
	return false;
}

/* The peer's SYN gives the receive side its numbers. */
static void take_syn(struct arrival *a)
{
	struct tcp *c = a->c;
	const struct tcp_hdr *h = &a->seg->h;

	c->rcv.irs = h->seq;
	c->rcv.nxt = c->rcv.acked = seq_first(c->rcv.irs) + 1;
	c->rcv.adv = c->rcv.nxt + MIN(tcp_window_max(&c->opt), 65535); /* as our SYN shows */
	buf_init(&c->rcv_buf, c->rcv.nxt);
	tcp_take_syn_options(c, a->x, h);
	c->snd.wnd = c->snd.max_wnd = h->wnd; /* never scaled in a SYN, RFC 7323 2.2 */
	c->snd.wl1 = c->rcv.irs;
	c->snd.wl2 = (uint32_t)c->snd.una;
	c->rcvd_ms = a->x->ms;
	a->seq = c->rcv.nxt; /* text begins one after the SYN */
}

/* What is remembered of our SYN is about to be written over, and will be asked for. */
static bool goes_on_opening(struct tcp *c, const struct tcp_ctx *x)
{
	tern_time opened_at = c->rcv.opened_at;

	if (c->work)
		return true;
	if (!tcp_new_work(c, x))
		return false;
	tcp_time_syn(c, opened_at);
	if (c->n_rtx) /* Karn */
		c->work->timed_pos = TCP_NO_POS;
	return true;
}

/* Cuts what lies outside [rcv.nxt, rcv.adv). */
static void trim_to_window(struct arrival *a)
{
	struct tcp *c = a->c;
	uint64_t old = a->seq < c->rcv.nxt ? c->rcv.nxt - a->seq : 0;

	old = MIN(old, a->len);
	if (old)
		tcp_note_duplicate(c, a->seq, a->seq + old);
	a->seq += old;
	a->data += old;
	a->len -= (uint32_t)old;
	if (a->seq < c->rcv.nxt) { /* nothing but a FIN that we know */
		a->fin = false;
		a->seq = c->rcv.nxt;
	}
	if (a->seq + a->len > c->rcv.adv) {
		a->len = a->seq < c->rcv.adv ? (uint32_t)(c->rcv.adv - a->seq) : 0;
		a->fin = false;
	}
	if (a->fin && a->seq + a->len >= c->rcv.adv)
		a->fin = false; /* the FIN itself is beyond the edge */
}

static void syn_sent_input(struct arrival *a)
{
	struct tcp *c = a->c;
	uint16_t flags = a->seg->h.flags;
	tern_time opened_at;
	bool timed;

	if (!check_syn_sent_ack(a) || !check_syn_sent_rst(a))
		return;
	if (!(flags & TCP_SYN)) {
		drop_segment(a, TERN_DROP_TCP_FLAGS);
		return;
	}
	if ((!(flags & TCP_ACK) && !goes_on_opening(c, a->x)) || !tcp_take_ecn_answer(a)) {
		drop_segment(a, TERN_DROP_NO_MEMORY);
		return;
	}
	timed = !c->work && c->n_rtx == 0; /* Karn */
	opened_at = c->rcv.opened_at;
	take_syn(a);
	if (!(flags & TCP_ACK)) { /* simultaneous open */
		c->syn_due = true;
		c->n_rtx = 0;
		c->fast_open = FAST_OPEN_NONE; /* text waits for the end of the handshake */
		tcp_enter(c, TERN_TCP_SYN_RECEIVED);
		return;
	}
	if (timed)
		tcp_measure_handshake(a, opened_at);
	else
		tcp_measure_rtt(a);
	tcp_take_syn_text_ack(a);
	c->snd.wl2 = (uint32_t)a->ack;
	c->rtx_at = TERN_NEVER;
	c->syn_due = false;
	tcp_established(c, a->x);
	if (a->marks)
		tcp_answer_marked_syn(c);
	a->r.events |= TCP_CONNECTED;
	a->r.progress = true;
	tcp_owe_ack(c, a->x, ACK_NOW);
	tcp_take_urgent(a);
	trim_to_window(a);
	tcp_take_text(a);
	tcp_take_fin(a);
}

/* ---- all other states, RFC 9293 3.10.7.4 ---- */

/*
 * An ACK that answers an unacceptable segment, not more often than the configuration says for
 * segments that nobody repeats until it comes, and for SYNs: that ends wars of ACKs (RFC 5961
 * section 7).
 */
static COLD void answer_unacceptable(struct arrival *a)
{
	struct tcp *c = a->c;
	uint32_t now = a->x->ms;
	bool limited = a->seg->len == 0 && (a->seg->h.flags & (TCP_FIN | TCP_SYN)) != TCP_FIN;

	if (limited && c->oow_at && now - c->oow_at < a->x->cfg->tcp_invalid_ratelimit_ms)
		return;
	if (limited)
		c->oow_at = MAX(now, 1);
	if (a->len && a->seq < c->rcv.nxt)
		tcp_note_duplicate(c, a->seq, MIN(a->seq + a->len, c->rcv.nxt));
	tcp_owe_ack(c, a->x, ACK_NOW);
	if (c->accecn)
		tcp_accecn_take_synack_again(a);
}

/*
 * RFC 7323 5.3, before the sequence check; a RST is judged by its number alone. A segment without
 * the timestamps that were agreed on is dropped without a word (3.2), but for a SYN: its sender,
 * who began anew, has agreed on none, and must hear of us (RFC 5961 4.2).
 */
static bool check_paws(struct arrival *a)
{
	uint16_t flags = a->seg->h.flags;

	if ((flags & TCP_RST) || !a->c->ts_ok)
		return true;
	if (!a->seg->h.has_ts)
		return ((flags & TCP_SYN) && !a->syn_known) || drop_segment(a, TERN_DROP_TCP_PAWS);
	if (!tcp_paws_rejects(a->c, a->x, &a->seg->h)) {
		a->later = (int32_t)(a->seg->h.ts_val - a->c->rcv.ts_recent) > 0;
		return true;
	}
	answer_unacceptable(a);
	return drop_segment(a, TERN_DROP_TCP_PAWS);
}

/*
 * Simultaneous open: the peer's SYN,ACK repeats the SYN that we know. Without it the segment is
 * what finishes the handshake (RFC 9293 3.5, figure 7).
 */
static void strip_known_syn(struct arrival *a)
{
	struct tcp *c = a->c;
	uint16_t both = TCP_SYN | TCP_ACK;

	if ((a->seg->h.flags & both) == both && c->snd.una == tcp_syn_pos(c) &&
	    a->seq == seq_first(c->rcv.irs)) {
		a->seq++;
		a->syn_known = true;
		tcp_owe_ack(c, a->x, ACK_NOW);
		if (c->accecn)
			tcp_accecn_take_synack_again(a);
	}
}

/* The table of RFC 9293 3.10.7.4, first step. */
static bool is_in_window(const struct arrival *a, uint64_t seg_len)
{
	const struct tcp *c = a->c;
	uint64_t nxt = c->rcv.nxt, wnd = c->rcv.adv > nxt ? c->rcv.adv - nxt : 0;
	uint64_t last = a->seq + seg_len - 1;

	if (wnd == 0)
		return seg_len == 0 && a->seq == nxt;
	if (a->seq >= nxt && a->seq < nxt + wnd)
		return true;
	return seg_len > 0 && last >= nxt && last < nxt + wnd;
}

static bool check_sequence(struct arrival *a)
{
	struct tcp *c = a->c;
	uint16_t flags = a->seg->h.flags;
	bool syn = (flags & TCP_SYN) && !a->syn_known;
	uint64_t seg_len = a->len + (syn ? 1 : 0) + (flags & TCP_FIN ? 1 : 0);

	if (flags & TCP_RST) /* RFC 5961 3.2 looks at its number only; it may carry text (SHLD-2) */
		return is_in_window(a, 0) || drop_segment(a, TERN_DROP_TCP_RESET);
	if (is_in_window(a, seg_len)) {
		trim_to_window(a);
		return true;
	}
	/* Zero window: ACK, URG and RST of what comes next count (MUST-66), its text does not */
	if (a->seq <= c->rcv.nxt && a->seq + seg_len > c->rcv.nxt && !syn &&
	    c->rcv.adv <= c->rcv.nxt) {
		a->seq = c->rcv.nxt;
		tcp_owe_ack(c, a->x, ACK_NOW);
		a->len = 0;
		a->fin = false;
		return true;
	}
	if (a->len && a->seq < c->rcv.nxt && c->accecn)
		tcp_accecn_note_again(a);
	answer_unacceptable(a);
	return drop_segment(a, TERN_DROP_TCP_SEQUENCE);
}

/* RFC 5961 section 7: a limit of its own for each connection (RFC errata 4772). */
COLD void tcp_challenge(struct arrival *a)
{
	struct tcp *c = a->c;
	uint32_t now = a->x->ms;

	if (now - c->challenge_at >= 5000 || c->challenge_n == 0) {
		c->challenge_at = now;
		c->challenge_n = 0;
	}
	if (c->challenge_n >= a->x->cfg->tcp_challenge_ack_limit)
		return;
	c->challenge_n++;
	tcp_owe_ack(c, a->x, ACK_CHALLENGE);
}

static COLD int error_of_reset(const struct tcp *c)
{
	switch (c->state) {
	case TERN_TCP_SYN_RECEIVED: /* nobody refuses who asked, by Fast Open */
		return c->opened_passively ? TERN_ECONNRESET : TERN_ECONNREFUSED;
	case TERN_TCP_CLOSE_WAIT:
		return TERN_EPIPE; /* as Linux: the peer had finished sending */
	case TERN_TCP_CLOSING:
	case TERN_TCP_LAST_ACK:
		/* MUST-12: what the peer has not acknowledged is lost */
		return c->snd.una < c->snd.end ? TERN_ECONNRESET : 0;
	default:
		return TERN_ECONNRESET;
	}
}

/* RFC 5961 3.2: exactly rcv.nxt resets, the rest of the window is challenged. */
static bool check_reset(struct arrival *a)
{
	struct tcp *c = a->c;
	uint64_t seq = seq_unwrap(a->seg->h.seq, c->rcv.nxt);

	if (!(a->seg->h.flags & TCP_RST))
		return true;
	if (seq != c->rcv.nxt) {
		tcp_challenge(a);
		return drop_segment(a, TERN_DROP_TCP_RESET);
	}
	tcp_end(c, a->x, error_of_reset(c));
	a->r.events |= TCP_ENDED;
	return false;
}

/* RFC 5961 4.2: a SYN is challenged whatever its number. */
static bool check_syn(struct arrival *a)
{
	if (!(a->seg->h.flags & TCP_SYN) || a->syn_known)
		return true;
	tcp_challenge(a);
	return drop_segment(a, TERN_DROP_TCP_SYN_CHALLENGED);
}

/*
 * The segment that was to come: an ACK with the next text, whose last octet is not the last that we
 * would take, or with none. All checks but PAWS would let it pass, and change nothing.
 */
static bool is_expected(const struct arrival *a)
{
	const struct tcp *c = a->c;
	const struct tcp_hdr *h = &a->seg->h;

	return (h->flags & ~TCP_PSH) == TCP_ACK && a->seq == c->rcv.nxt &&
	       a->seq + a->len < c->rcv.adv && tcp_is_synchronized(c);
}

static bool pass_checks(struct arrival *a)
{
	strip_known_syn(a);
	if (tcp_repeats_fast_syn(a)) {
		a->c->syn_due = true;
		a->c->syn_asked = true;
		return false;
	}
	if (!check_paws(a) || !check_sequence(a) || !check_reset(a) || !check_syn(a))
		return false;
	return true;
}

/* Of a segment that is the peer's for certain. */
static inline void note_heard(struct arrival *a)
{
	struct tcp *c = a->c;
	uint32_t now = a->x->ms;

	tcp_take_timestamp(a);
	if (now - c->rcvd_ms > c->rto_us / 1024)
		tcp_begin_quick_acks(c, a->x);
	c->rcvd_ms = now;
	if (c->opt.keepalive)
		tcp_touch_keepalive(c, a->x);
}

static void synchronized_input(struct arrival *a)
{
	if (is_expected(a) ? !check_paws(a) : !pass_checks(a))
		return;
	if (a->c->ecn != ECN_NONE)
		tcp_take_mark(a);
	if (!tcp_take_ack(a))
		return;
	note_heard(a);
	tcp_take_urgent(a);
	tcp_take_text(a);
	if (a->c->state != TERN_TCP_CLOSED)
		tcp_take_fin(a);
	if (a->c->accecn)
		tcp_accecn_owe_ack(a);
}

static inline void count_segments_in(struct tcp *c, const struct tcp_ctx *x, uint32_t n, bool text)
{
	c->segs_in += n;
	if (text && tcp_take_tally(c, x))
		c->tally->data_segs_in += n;
}

/* Is memory for the text at hand, once the ACK has given back what it gives? Nobody is asked. */
static inline bool will_have_piece(const struct arrival *a)
{
	const struct buf *b = &a->c->work->snd_buf;

	if (mem_has_piece(a->x->mem, 0))
		return true;
	return b->n_chunks == 1 && b->dir_cap == 0 && b->end == a->ack && b->only->refs == 1 &&
	       b->only->size == CHUNK_FIRST_SIZE;
}

bool tcp_input_message(struct tcp *c, const struct tcp_ctx *x, const struct tcp_seg *seg)
{
	const struct sent *oldest;
	struct arrival a;
	uint8_t *place = NULL;

	if (seg->h.seq != (uint32_t)c->rcv.nxt || c->rcv.nxt + seg->len >= c->rcv.adv ||
	    c->ecn != ECN_NONE || seg->h.has_ts != c->ts_ok)
		return false;
	tcp_arrival_init(&a, c, x, seg);
	a.seq = c->rcv.nxt;
	oldest = tcp_plain_progress(&a);
	if (!oldest || !c->tally || (c->ts_ok && tcp_paws_rejects(c, x, &seg->h)))
		return false;
	if (c->rcv_buf.n_chunks)
		place = buf_place(&c->rcv_buf, x->mem, a.seq, seg->len);
	if (!place && (c->rcv_buf.n_chunks || c->rcv_buf.head != a.seq || !will_have_piece(&a)))
		return false;
	count_segments_in(c, x, 1, true);
	tcp_take_plain_progress(&a, oldest);
	note_heard(&a);
	if (!place)
		place = buf_place(&c->rcv_buf, x->mem, a.seq, seg->len);
	assert(place);
	memcpy(place, seg->data, seg->len);
	tcp_take_placed_text(&a);
	return true;
}

struct tcp_result tcp_input(struct tcp *c, const struct tcp_ctx *x, const struct tcp_seg *seg)
{
	struct arrival a;

	tcp_arrival_init(&a, c, x, seg);
	count_segments_in(c, x, tcp_n_segments(seg), seg->len > 0);
	if (c->state == TERN_TCP_CLOSED) {
		drop_segment(&a, TERN_DROP_TCP_NO_SOCKET);
		return a.r;
	}
	if (c->state == TERN_TCP_SYN_SENT) {
		syn_sent_input(&a);
	} else {
		a.seq = seq_unwrap(seg->h.seq, c->rcv.nxt);
		synchronized_input(&a);
	}
	if (seg->landed)
		tcp_unland(c, x); /* nothing, when the text was taken */
	return a.r;
}
