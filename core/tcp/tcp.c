/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp.c - how does a connection open, close, abort, and change state?
 *
 * The states and their edges are RFC 9293 3.3.2 and 3.10; passive opens begin in tcp_listen.c and
 * TIME-WAIT lives on in tcp_timewait.c. Every change of state goes through tcp_enter, which keeps
 * a short log for the owner.
 *
 * Invariants (tcp_check): snd.una <= snd.nxt; what is unacknowledged is in the send buffer; the
 * read position <= rcv.nxt <= rcv.adv + 1; deadlines run only in states that need them.
 */
#include "tcp_impl.h"

static void log_state(struct tcp *c, enum tern_tcp_state state)
{
	if (c->state_log_len < 8)
		c->state_log |= (uint32_t)state << 4 * c->state_log_len++;
}

void tcp_enter(struct tcp *c, enum tern_tcp_state state)
{
	if (c->state == state)
		return;
	c->state = (uint8_t)state;
	c->not_open = state != TERN_TCP_ESTABLISHED;
	log_state(c, state);
}

bool tcp_state_change(struct tcp *c, enum tern_tcp_state *state)
{
	if (c->state_log_len == 0)
		return false;
	*state = (enum tern_tcp_state)(c->state_log & 15);
	c->state_log >>= 4;
	c->state_log_len--;
	return true;
}

/* Everything that is the same however a connection begins. */
void tcp_reset_fields(struct tcp *c, const struct tcp_ctx *x, const struct tcp_open *open)
{
	struct tcp_options opt = c->opt;
	const struct tern_cc_ops *cc = c->cc.ops;

	memset(c, 0, sizeof(*c));
	c->not_open = true;
	c->opt = opt;
	c->cork = opt.cork;
	c->adv_mss = open->adv_mss;
	c->path_mss = open->path_mss;
	c->carries_1280 = open->carries_1280;
	c->peer_mss = open->default_mss;
	c->rcv_mss = MIN(open->adv_mss, 536);
	c->snd.ts_off = open->ts_off;
	c->rcv.fin = c->rcv.up = TCP_NO_POS;
	c->rtx_at = c->ack_at = c->keep_at = c->idle_at = TERN_NEVER;
	c->sent_ms = c->rcvd_ms = x->ms;
	c->snd.iss = open->iss;
	c->snd.una = c->snd.nxt = tcp_syn_pos(c);
	c->snd.end = c->snd.nxt + 1;
	tcp_rtt_init(c, x);
	cc_init(&c->cc, cc, open->default_mss, x->cfg->tcp_initial_cwnd);
}

void tcp_connect(struct tcp *c, const struct tcp_ctx *x, const struct tcp_open *open)
{
	tcp_reset_fields(c, x, open);
	if (x->cfg->tcp_window_scaling)
		c->rcv_wscale = tcp_wscale_for(open->rcv_buf_max) & 15u;
	c->syn_due = true;
	tcp_enter(c, TERN_TCP_SYN_SENT);
}

void tcp_free_early(struct tcp *c, struct mem *mem)
{
	if (!c->early)
		return;
	ranges_fini(&c->early->set, mem);
	mem_free(mem, c->early, sizeof(*c->early));
	c->early = NULL;
	c->has_early = false;
}

void tcp_renege(struct tcp *c, const struct tcp_ctx *x)
{
	tcp_free_early(c, x->mem);
	buf_cut(&c->rcv_buf, x->mem, tcp_data_end(c));
}

void tcp_fini(struct tcp *c, const struct tcp_ctx *x)
{
	tcp_drop_work(c, x);
	buf_fini(&c->rcv_buf, x->mem);
	tcp_free_early(c, x->mem);
	tcp_accecn_end(c, x->mem);
	if (c->tally)
		mem_free(x->mem, c->tally, sizeof(*c->tally));
	c->tally = NULL;
}

/* What both SYNs said is known: text and FIN may go. */
void tcp_begin_transfer(struct tcp *c, const struct tcp_ctx *x)
{
	tcp_begin_search(c, x);
	tcp_set_snd_mss(c, x);
	cc_init(&c->cc, c->cc.ops, c->snd_mss, x->cfg->tcp_initial_cwnd);
	if (c->work)
		cc_set_state(&c->cc, c->work->cc_state);
}

/* RFC 6298 5.7: a SYN was repeated and nothing was measured: 3 s to begin with. */
enum { RTO_AFTER_LOST_SYN_US = 3000000 };

/* Our SYN is acknowledged. RFC 6928 2: the initial window survives one lost SYN, not two. */
void tcp_syn_acked(struct tcp *c)
{
	if (c->n_rtx > 1)
		c->cc.cwnd = MIN(c->cc.cwnd, c->cc.mss);
	if (c->srtt_us == 0)
		c->rto_us = MAX(c->rto_us, RTO_AFTER_LOST_SYN_US);
	c->n_rtx = 0;
	c->backoff = 0;
}

/* The handshake is over: RFC 9293 3.10.7.3 and 3.10.7.4. */
void tcp_established(struct tcp *c, const struct tcp_ctx *x)
{
	if (c->snd.end == tcp_syn_pos(c) + 1)
		tcp_drop_work(c, x);
	tcp_begin_transfer(c, x);
	tcp_syn_acked(c);
	tcp_tune_begin(c, x);
	tcp_begin_quick_acks(c, x);
	tcp_enter(c, TERN_TCP_ESTABLISHED);
	tcp_touch_keepalive(c, x);
}

/* The connection is over, in order (error 0) or not. What arrived stays readable. */
void tcp_end(struct tcp *c, const struct tcp_ctx *x, int error)
{
	if (c->state == TERN_TCP_CLOSED)
		return;
	c->error = (uint8_t)error;
	c->rtx_at = c->ack_at = c->keep_at = c->idle_at = TERN_NEVER;
	c->syn_due = c->probe_due = c->keepalive_due = c->probing = false;
	c->ack_due = ACK_NONE;
	c->dup_acks_due = 0;
	tcp_drop_work(c, x);
	tcp_free_early(c, x->mem);
	tcp_accecn_end(c, x->mem);
	if (tcp_is_synchronized(c))
		buf_cut(&c->rcv_buf, x->mem, MAX(c->rcv_buf.head, tcp_data_end(c)));
	tcp_enter(c, TERN_TCP_CLOSED);
}

bool tcp_fin_acked(const struct tcp *c)
{
	return c->fin_sent && c->snd.una > c->snd.end;
}

/* CLOSE of the sending side, RFC 9293 3.10.4. A second one changes nothing. */
void tcp_close_send(struct tcp *c, const struct tcp_ctx *x)
{
	if (c->fin_queued)
		return;
	switch (c->state) {
	case TERN_TCP_SYN_SENT:
		tcp_end(c, x, 0);
		return;
	case TERN_TCP_SYN_RECEIVED: /* nothing can be queued yet: the FIN follows our SYN */
		tcp_begin_transfer(c, x);
		tcp_enter(c, TERN_TCP_FIN_WAIT_1);
		break;
	case TERN_TCP_ESTABLISHED:
		tcp_enter(c, TERN_TCP_FIN_WAIT_1);
		break;
	case TERN_TCP_CLOSE_WAIT:
		tcp_enter(c, TERN_TCP_LAST_ACK);
		break;
	default:
		return;
	}
	c->fin_queued = true;
	c->cork = false;
}

/* Nobody will read what the peer still sends: it gets tcp_fin_timeout_ms (or TCP_LINGER2). */
static void limit_fin_wait_2(struct tcp *c, const struct tcp_ctx *x)
{
	int linger2 = c->opt.linger2_s;
	uint32_t ms = linger2 ? (uint32_t)MAX(linger2, 0) * 1000 : x->cfg->tcp_fin_timeout_ms;

	if (c->state != TERN_TCP_FIN_WAIT_2 || !c->user_gone)
		return;
	c->idle_at = x->now + ms * TERN_MS;
	tcp_touch_keepalive(c, x);
}

void tcp_enter_fin_wait_2(struct tcp *c, const struct tcp_ctx *x)
{
	tcp_drop_work(c, x); /* the last word is said */
	tcp_enter(c, TERN_TCP_FIN_WAIT_2);
	limit_fin_wait_2(c, x);
}

/* An urgent octet still in its place counts, as on Linux also when it was read by MSG_OOB. */
static bool is_unread(const struct tcp *c)
{
	return tcp_recv_ready(c) > 0 || tcp_at_urgent_octet(c);
}

/* The user has gone; RFC 9293 3.6.1 and RFC 2525 2.17: unread data means a reset. */
void tcp_close(struct tcp *c, const struct tcp_ctx *x)
{
	c->user_gone = true;
	if (is_unread(c)) {
		tcp_abort(c, x, 0);
		return;
	}
	tcp_close_send(c, x);
	limit_fin_wait_2(c, x);
}

/*
 * Does the peer have to hear of an ABORT? RFC 9293 3.10.5. CLOSE, which waits there until all has
 * been sent (3.10.4), has its state at once here; and in any state what nobody will read was not
 * delivered (RFC 1122 4.2.2.13).
 */
static bool needs_reset(const struct tcp *c)
{
	switch (c->state) {
	case TERN_TCP_SYN_RECEIVED:
	case TERN_TCP_ESTABLISHED:
	case TERN_TCP_FIN_WAIT_1:
	case TERN_TCP_FIN_WAIT_2:
	case TERN_TCP_CLOSE_WAIT:
		return true;
	case TERN_TCP_CLOSING:
	case TERN_TCP_LAST_ACK:
		return tcp_has_unsent(c) || (c->user_gone && is_unread(c));
	default:
		return false;
	}
}

/* ABORT, RFC 9293 3.10.5. */
COLD void tcp_abort(struct tcp *c, const struct tcp_ctx *x, int error)
{
	bool reset = needs_reset(c);

	tcp_end(c, x, error);
	c->rst_due = c->rst_due || reset;
}

/* RFC 5927 section 4.1: only what is in flight may be complained about. */
bool tcp_on_icmp(struct tcp *c, const struct tcp_ctx *x, const struct tcp_icmp_news *news,
		 struct tcp_result *r)
{
	uint64_t pos = seq_unwrap(news->seq, c->snd.nxt);

	if (c->state == TERN_TCP_CLOSED || pos < c->snd.una || pos >= c->snd.nxt)
		return false;
	switch (news->kind) {
	case TCP_ICMP_HARD:
		/* RFC 5927 section 5.2: hard errors end only a handshake. */
		if (tcp_is_synchronized(c))
			break;
		tcp_end(c, x, news->error);
		r->events |= TCP_ENDED;
		break;
	case TCP_ICMP_TOO_BIG:
		return tcp_take_too_big(c, x, pos, news->mss);
	case TCP_ICMP_NO_ROUTE:
		if (pos == c->snd.una)
			tcp_take_back_doubling(c, x);
		break;
	case TCP_ICMP_SOFT:
		break;
	}
	return true;
}

static void check_send_side(const struct tcp *c)
{
	assert(c->snd.una <= c->snd.nxt);
	assert(c->snd.nxt <= c->snd.end + (c->fin_sent ? 1 : 0));
	assert(!c->fin_sent || c->fin_queued);
	if (!c->work)
		return;
	buf_check(&c->work->snd_buf);
	assert(c->work->snd_buf.end <= c->snd.end || c->work->snd_buf.n_chunks);
	assert(c->work->snd_buf.head <= MAX(c->snd.una, tcp_syn_pos(c) + 1));
	if (c->snd.una > tcp_syn_pos(c)) {
		const struct sent *first = sent_first(&c->work->sent);

		sent_check(&c->work->sent, c->snd.nxt);
		assert(first ? sent_lo(first) == c->snd.una : c->snd.una == c->snd.nxt);
	}
}

void tcp_check(const struct tcp *c)
{
	assert(c->state < TERN_TCP_N_STATES && c->state != TERN_TCP_LISTEN);
	assert(c->not_open == (c->state != TERN_TCP_ESTABLISHED));
	assert(c->has_early == (c->early != NULL) && c->has_accecn == (c->accecn != NULL));
	assert(c->fin_came == (c->rcv.fin != TCP_NO_POS));
	assert(c->urgent_came == (c->rcv.up != TCP_NO_POS));
	check_send_side(c);
	if (c->state != TERN_TCP_SYN_SENT)
		assert((c->ecn == ECN_ACCURATE) == (c->accecn != NULL));
	if (!tcp_is_synchronized(c))
		return;
	buf_check(&c->rcv_buf);
	assert(c->rcv_buf.head <= tcp_data_end(c));
	assert(c->rcv.nxt <= c->rcv.adv + 1); /* a FIN may stand at the edge */
	assert(c->rcv.acked <= c->rcv.nxt);
	if (c->early) {
		struct range first;

		ranges_check(&c->early->set);
		if (ranges_find(&c->early->set, 0, &first))
			assert(first.lo > c->rcv.nxt);
	}
	if (tcp_may_transmit(c)) {
		assert(c->work || c->snd.nxt >= c->snd.end);
		assert(c->work || c->snd.una >= c->snd.nxt || c->opened_passively);
		assert(c->snd.una >= c->snd.nxt || c->rtx_at != TERN_NEVER);
	}
}
