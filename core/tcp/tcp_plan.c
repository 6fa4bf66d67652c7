/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_plan.c - what should be sent next? The only decision maker.
 *
 * tcp_plan is a list of rules in order of priority; the first that has something to send wins. It
 * changes nothing: asking twice gives the same plan. Timers make something due by setting a flag
 * (tcp_timer.c); tcp_output carries a plan out.
 *
 * One plan covers one burst: a single segment, or up to burst_max bytes where the device cuts.
 *
 * Sources: RFC 9293 3.8.6 (windows, silly window avoidance), 3.7.4 (Nagle), RFC 5681, RFC 3042.
 */
#include "tcp_impl.h"

/*
 * What is unacknowledged, but without limited transmit (RFC 5681 3.2 step 2), and never more than
 * the window: what a long repair has sacked beyond it left the network long ago.
 */
uint64_t tcp_flight_size(const struct tcp *c)
{
	uint64_t sent = c->snd.nxt - c->snd.una;

	if (c->work)
		sent -= MIN(c->work->limited, sent);
	return MIN(sent, c->cc.cwnd);
}

static uint64_t cwnd_room(const struct tcp *c)
{
	uint64_t flight = tcp_flight(c);

	if (c->ecn_held) /* RFC 3168 6.1.2 */
		return 0;
	return c->cc.cwnd > flight ? c->cc.cwnd - flight : 0;
}

/* What n holds beyond whole segments; no window is so large that 32 bits do not do. */
static uint32_t odd_bytes(const struct tcp *c, uint64_t n)
{
	return (uint32_t)n % c->snd_mss;
}

/* RFC 9293 3.8.6.2.1: SND.UNA + SND.WND - SND.NXT; never negative (MUST-34). */
static uint64_t usable_window(const struct tcp *c)
{
	uint64_t edge = c->snd.una + c->snd.wnd;

	return edge > c->snd.nxt ? edge - c->snd.nxt : 0;
}

static uint64_t unsent(const struct tcp *c)
{
	return c->snd.end > c->snd.nxt ? c->snd.end - c->snd.nxt : 0;
}

static bool fin_waits(const struct tcp *c)
{
	return c->fin_queued && !c->fin_sent;
}

/* Whole segments only, unless it is less than one. */
static uint64_t whole_segments(const struct tcp *c, uint64_t n, uint32_t burst_max)
{
	uint32_t mss = c->snd_mss;

	if (burst_max <= mss)
		return MIN(n, mss);
	n = MIN(n, burst_max);
	return n <= mss ? n : n - odd_bytes(c, n);
}

/* Inside the peer's window (SHLD-16), which may have shrunk. */
static COLD void plan_retransmission(const struct tcp *c, uint32_t burst_max, struct tcp_plan *p)
{
	const struct sent *lost = sent_first_lost(&c->work->sent);
	uint64_t edge = c->snd.una + MAX(c->snd.wnd, 1);
	uint64_t hi = MIN(MIN(lost->hi, c->snd.end), edge);
	uint64_t n, room = cwnd_room(c);
	uint64_t lo = sent_lo(lost);
	bool fin = lost->hi > c->snd.end;

	if (lo >= hi && !(fin && lo == c->snd.end))
		return;
	n = hi > lo ? hi - lo : 0;
	if (c->rtx_forced)
		n = MIN(n, c->snd_mss);
	else if (n > room)
		n = room - odd_bytes(c, room);
	if (n > c->snd_mss)
		n = whole_segments(c, n, burst_max);
	if (n == 0 && lo < c->snd.end)
		return;
	p->what = SEND_DATA;
	p->cause = lost->cause;
	p->lo = lo;
	p->hi = lo + n;
	p->fin = fin && p->hi == c->snd.end;
	p->again = true;
}

/*
 * Nagle as Minshall modified it: one small segment may be outstanding (RFC 9293 3.7.4). A cork
 * holds without him, too; what is urgent waits for neither.
 */
static bool small_may_go(const struct tcp *c)
{
	if (c->fin_queued || (c->work && c->work->up > c->snd.nxt))
		return true;
	return !c->cork && (c->opt.nodelay || !c->work || c->work->small_end <= c->snd.una);
}

/* RFC 9293 3.8.6.2.1: what is worth sending of n bytes that may go, of `waiting`. */
static uint64_t worthwhile(const struct tcp *c, uint64_t n, uint64_t waiting, uint32_t burst_max)
{
	uint32_t mss = c->snd_mss;

	if (n < mss) {
		if (n == waiting && small_may_go(c))
			return n;
		/* (3) half the largest window ever: a peer with a small buffer */
		return n < waiting && n >= (c->snd.max_wnd + 1) / 2 ? n : 0;
	}
	if (n == waiting && n <= MAX(burst_max, mss) && small_may_go(c))
		return n;
	return whole_segments(c, n, burst_max);
}

static void plan_new_data(const struct tcp *c, uint32_t burst_max, struct tcp_plan *p)
{
	uint64_t waiting = unsent(c), window = usable_window(c), room = cwnd_room(c);
	uint64_t n = MIN(waiting, window);

	if (n > room)
		n = room - odd_bytes(c, room); /* a cut by cwnd is never worth a small segment */
	if (!tcp_has_unsent(c))
		return;
	p->lo = p->hi = c->snd.nxt;
	if (waiting) {
		n = worthwhile(c, n, waiting, burst_max);
		if (n == 0)
			return;
		p->what = SEND_DATA;
		p->hi += n;
	}
	/* The FIN goes with the last byte, or alone once all is sent; it takes window, too. */
	if (fin_waits(c) && p->hi == c->snd.end && window > n) {
		p->what = SEND_DATA;
		p->fin = true;
	}
}

/* RFC 9293 3.8.6.1: what the window takes, or one octet beyond it. */
static COLD void plan_probe(const struct tcp *c, struct tcp_plan *p)
{
	uint64_t window = MAX(c->snd.wnd, 1);
	uint64_t hi = MIN(c->snd.una + MIN(window, c->snd_mss), c->snd.end);

	p->what = SEND_PROBE;
	p->lo = c->snd.una;
	p->hi = MAX(hi, p->lo);
	p->fin = p->lo == c->snd.end && c->fin_queued;
	p->again = c->snd.nxt > c->snd.una;
	if (c->snd.wnd == 0) /* else the override time-out of silly window avoidance: no probe */
		p->cause = TERN_CAUSE_PROBE;
}

/*
 * RFC 8985 7.3: new data if there is some that the peer takes, else the last segment again; in a
 * recovery the first, which is missing for certain.
 */
static COLD void plan_loss_probe(const struct tcp *c, struct tcp_plan *p)
{
	uint64_t n = MIN(MIN(unsent(c), usable_window(c)), c->snd_mss);
	const struct sent_log *log = &c->work->sent;
	const struct sent *s = c->in_recovery ? sent_first(log) : sent_last(log);

	p->what = SEND_DATA;
	p->cause = TERN_CAUSE_TLP;
	if (n > 0) {
		p->lo = c->snd.nxt;
		p->hi = p->lo + n;
		p->fin = p->hi == c->snd.end && fin_waits(c) && usable_window(c) > n;
		return;
	}
	p->again = true;
	p->lo = sent_lo(s);
	p->hi = MIN(s->hi, c->snd.end);
	if (c->in_recovery)
		p->hi = MIN(p->hi, p->lo + c->snd_mss);
	else
		p->lo = MAX(p->lo, p->hi - MIN(p->hi, c->snd_mss));
	p->fin = s->hi > c->snd.end && p->hi == c->snd.end;
}

/*
 * RFC 4821 7.4: a larger segment asks whether the path carries it. There must be text and window
 * for it and for the three that follow it, whose SACKs will tell if it alone is lost. Where only
 * the congestion window has no room yet nothing else takes it: true, though nothing is planned.
 */
static bool plan_path_probe(const struct tcp *c, struct tcp_plan *p)
{
	uint64_t size = c->work ? c->work->probe_next : 0, need = size + 3 * (uint64_t)c->snd_mss;

	if (size == 0 || tcp_is_repairing(c) || c->work->sent.n_sacked)
		return false;
	if (c->early || c->dsack_lo != c->dsack_hi) /* SACK blocks would make it larger */
		return false;
	if (unsent(c) < need || usable_window(c) < need || c->cc.cwnd < need)
		return false;
	if (cwnd_room(c) < size)
		return true;
	p->what = SEND_DATA;
	p->lo = c->snd.nxt;
	p->hi = p->lo + size;
	p->path_probe = true;
	return true;
}

/* Lost data goes first; once in F-RTO new data does (RFC 5682 2.1 step 2b). */
static void plan_data(const struct tcp *c, uint32_t burst_max, struct tcp_plan *p)
{
	bool lost = tcp_has_lost(c);

	if (burst_max > c->snd_mss && c->work)
		burst_max = c->cwr_due ? 0 : MIN(burst_max, tcp_pace_burst(c));
	if (!lost && plan_path_probe(c, p))
		return;
	if (!lost || c->frto == FRTO_NEW_DATA)
		plan_new_data(c, burst_max, p);
	if (lost && p->what == SEND_NOTHING)
		plan_retransmission(c, burst_max, p);
}

static void plan_transmission(const struct tcp *c, uint32_t burst_max, struct tcp_plan *p)
{
	if (!tcp_may_transmit(c))
		return;
	if (c->probe_due)
		plan_probe(c, p);
	else if (c->probing)
		return;
	else if (c->tlp_due)
		plan_loss_probe(c, p);
	else if (!c->paced)
		plan_data(c, burst_max, p);
}

static void plan_ack(const struct tcp *c, struct tcp_plan *p)
{
	if (c->ack_due >= ACK_NOW)
		p->what = SEND_ACK;
	if (c->ack_due == ACK_CHALLENGE)
		p->cause = TERN_CAUSE_CHALLENGE;
}

/* Most connections most of the time: there is nothing to say but what was received. */
static bool has_only_acks(const struct tcp *c)
{
	if (c->unusual && (c->rst_due || c->syn_due || c->probe_due || c->keepalive_due ||
			   c->tlp_due || fin_waits(c)))
		return false;
	return c->snd.nxt >= c->snd.end && !tcp_has_lost(c);
}

bool tcp_has_message(const struct tcp *c)
{
	uint64_t n = c->snd.end - c->snd.nxt, flight = c->snd.nxt - c->snd.una;

	if (!tcp_is_calm(c) || c->paced || tcp_has_lost(c))
		return false;
	return n - 1 < c->snd_mss && flight + n <= MIN(c->snd.wnd, c->cc.cwnd) && small_may_go(c);
}

bool tcp_may_speak(const struct tcp *c)
{
	return c->ack_due >= ACK_NOW || !has_only_acks(c);
}

bool tcp_waits_for_timer(const struct tcp *c)
{
	return c->rtx_at != TERN_NEVER && c->snd.una == c->snd.nxt;
}

static inline void make_plan(const struct tcp *c, uint32_t burst_max, struct tcp_plan *p)
{
	*p = (struct tcp_plan){ .what = SEND_NOTHING };
	if (has_only_acks(c)) {
		plan_ack(c, p);
		return;
	}
	if (tcp_has_message(c)) {
		p->what = SEND_DATA;
		p->lo = c->snd.nxt;
		p->hi = c->snd.end;
		return;
	}
	if (c->rst_due) {
		p->what = SEND_RST;
		return;
	}
	if (c->syn_due) {
		p->what = SEND_SYN;
		p->cause = c->syn_timed_out ? TERN_CAUSE_RTO :
			   c->syn_asked	    ? TERN_CAUSE_SYN_AGAIN :
					      TERN_CAUSE_NONE;
		p->again = c->snd.nxt > tcp_syn_pos(c);
		return;
	}
	if (c->ack_first) {
		plan_ack(c, p);
		return;
	}
	plan_transmission(c, burst_max, p);
	if (p->what != SEND_NOTHING)
		return;
	if (c->keepalive_due) {
		p->what = SEND_KEEPALIVE;
		p->cause = TERN_CAUSE_KEEPALIVE;
		return;
	}
	plan_ack(c, p);
}

struct tcp_plan tcp_plan(const struct tcp *c, uint32_t burst_max)
{
	struct tcp_plan p;

	make_plan(c, burst_max, &p);
	return p;
}

enum tcp_send tcp_next(const struct tcp *c)
{
	struct tcp_plan p;

	make_plan(c, 0, &p);
	return p.what;
}
