/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_info.c - what TCP_INFO says, in Linux's struct and units.
 */
#include "tcp_impl.h"

static const uint8_t linux_state[TERN_TCP_N_STATES] = {
	[TERN_TCP_ESTABLISHED] = 1, [TERN_TCP_SYN_SENT] = 2,   [TERN_TCP_SYN_RECEIVED] = 3,
	[TERN_TCP_FIN_WAIT_1] = 4,  [TERN_TCP_FIN_WAIT_2] = 5, [TERN_TCP_TIME_WAIT] = 6,
	[TERN_TCP_CLOSED] = 7,	    [TERN_TCP_CLOSE_WAIT] = 8, [TERN_TCP_LAST_ACK] = 9,
	[TERN_TCP_LISTEN] = 10,	    [TERN_TCP_CLOSING] = 11,
};

enum { CA_OPEN, CA_DISORDER, CA_CWR, CA_RECOVERY, CA_LOSS };
enum { INFO_TIMESTAMPS = 1, INFO_SACK = 2, INFO_WSCALE = 4, INFO_ECN = 8, INFO_SYN_TEXT = 32 };

static uint8_t ca_state(const struct tcp *c)
{
	if (c->in_rto_recovery)
		return CA_LOSS;
	if (c->in_recovery)
		return CA_RECOVERY;
	if (c->ecn && c->work && c->snd.una < c->work->ecn_end)
		return CA_CWR;
	return c->work && (c->work->sent.n_sacked || c->work->dup_acks) ? CA_DISORDER : CA_OPEN;
}

/* What only a connection that sends knows. */
static void fill_work(const struct tcp *c, struct tern_tcp_info *i)
{
	const struct tcp_work *w = c->work;

	i->sacked = tcp_in_segments(c, w->sent.n_sacked);
	if (!c->sack_ok)
		i->sacked = tcp_in_segments(c, w->dup_bytes);
	/* as Linux: also what has gone again since; not a probe's segment, which was never lost */
	i->lost = tcp_in_segments(c, w->sent.n_lost + w->sent.n_again);
	i->lost -= i->lost && w->tlp_end != TCP_NO_POS && w->tlp_is_again;
	i->retrans = tcp_in_segments(c, w->sent.n_again);
	i->pacing_rate = w->pace_rate ? w->pace_rate : UINT64_MAX;
	i->delivery_rate = w->rate.last;
	i->app_limited = w->rate.last_limited;
	i->dsack_dups = w->undo.n_dsacks;
	i->reord_seen = w->rack.reordering_seen;
}

static void fill_tally(const struct tcp_tally *t, struct tern_tcp_info *i)
{
	i->total_retrans = t->total_rtx;
	i->delivered_ce = t->delivered_ce;
	i->rcv_ooopack = t->n_early;
	i->data_segs_in = t->data_segs_in;
	i->data_segs_out = t->data_segs_out;
	i->delivered += t->delivered;
	i->bytes_retrans = t->bytes_rtx;
}

static void fill_state(const struct tcp *c, struct tern_tcp_info *i)
{
	i->state = linux_state[c->state];
	i->ca_state = ca_state(c);
	i->retransmits = c->n_rtx;
	i->probes = c->n_probes;
	i->backoff = c->backoff;
	i->options = (uint8_t)((c->ts_ok ? INFO_TIMESTAMPS : 0) | (c->sack_ok ? INFO_SACK : 0) |
			       (c->wscale_ok ? INFO_WSCALE : 0) | (c->ecn ? INFO_ECN : 0) |
			       (c->syn_text_acked ? INFO_SYN_TEXT : 0));
	i->wscale = (uint8_t)(c->snd_wscale | c->rcv_wscale << 4);
}

void tcp_info(const struct tcp *c, const struct tcp_ctx *x, struct tern_tcp_info *i)
{
	uint64_t first = tcp_syn_pos(c) + 1;

	memset(i, 0, sizeof(*i));
	fill_state(c, i);
	i->rto = (uint32_t)(tcp_rto(c, x) / TERN_US);
	i->ato = x->cfg->tcp_delayed_ack_ms * 1000;
	i->snd_mss = c->snd_mss;
	i->rcv_mss = c->rcv_mss;
	i->advmss = tcp_told_mss(c);
	i->unacked = tcp_in_segments(c, c->snd.nxt - c->snd.una);
	i->last_data_sent = x->ms - c->sent_ms;
	i->last_data_recv = i->last_ack_recv = x->ms - c->rcvd_ms;
	i->pmtu = c->path_mss;
	i->rtt = c->srtt_us;
	i->rttvar = c->rttvar_us;
	i->min_rtt = c->min_rtt_us;
	i->snd_cwnd = tcp_in_segments(c, c->cc.cwnd);
	i->snd_ssthresh = tcp_in_segments(c, c->cc.ssthresh);
	i->reordering = 3;
	i->rcv_rtt = c->rcv.rtt_us;
	i->rcv_space = c->opt.rcvbuf;
	i->pacing_rate = UINT64_MAX;
	i->max_pacing_rate = c->opt.max_pacing_rate ? c->opt.max_pacing_rate : UINT64_MAX;
	if (c->work)
		fill_work(c, i);
	i->segs_in = c->segs_in;
	i->segs_out = c->segs_out;
	i->delivered = c->snd.una > tcp_syn_pos(c) ? 1 : 0; /* our SYN */
	if (c->tally)
		fill_tally(c->tally, i);
	if (c->accecn)
		i->delivered_ce = c->accecn->told_ce;
	i->rcv_ssthresh =
		(uint32_t)(c->rcv.adv - MIN(c->rcv.nxt, c->rcv.adv)); /* as Linux: the window */
	tcp_waits(c, x, i);
	i->snd_wnd = c->snd.wnd;
	i->notsent_bytes = c->snd.end > c->snd.nxt ? (uint32_t)(c->snd.end - c->snd.nxt) : 0;
	i->bytes_acked = MIN(c->snd.una, c->snd.end) - MIN(first, c->snd.una);
	i->bytes_sent = MIN(c->snd.nxt, c->snd.end) - MIN(first, c->snd.nxt) + i->bytes_retrans;
	if (c->rcv.nxt)
		i->bytes_received = tcp_data_end(c) - (seq_first(c->rcv.irs) + 1);
}
