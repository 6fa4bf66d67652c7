/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_opt.c - what did both sides agree on in the SYN? Timestamps and PAWS.
 *
 * Options are offered in our SYN as the configuration says, and used only when both SYNs carried
 * them. The timestamp clock ticks in milliseconds (RFC 7323 5.4), shifted by a secret offset.
 *
 * Sources: RFC 9293 3.7.1, RFC 7323, RFC 2018, RFC 6691.
 */
#include "tcp_impl.h"

enum { WSCALE_MAX = 14 };

/* RFC 7323 5.5: a TS.Recent older than 24 days says nothing any more. */
enum { TS_VALID_SECONDS = 24 * 24 * 3600 };

uint32_t tcp_ts_clock(const struct tcp_ctx *x, uint32_t ts_off)
{
	return x->ms + ts_off;
}

/* The least shift with which the whole buffer can be shown. */
uint8_t tcp_wscale_for(uint32_t rcv_buf_max)
{
	uint8_t shift = 0;

	while (shift < WSCALE_MAX && (rcv_buf_max >> shift) > 65535)
		shift++;
	return shift;
}

static uint32_t peer_allows(const struct tcp *c, const struct tcp_ctx *x)
{
	return MAX(c->peer_mss, x->cfg->tcp_min_snd_mss);
}

/* The least of what peer, path and user allow; options not deducted. */
uint32_t tcp_most_mss(const struct tcp *c, const struct tcp_ctx *x)
{
	uint32_t mss = MIN(peer_allows(c, x), c->path_mss);

	return c->opt.user_mss ? MIN(mss, c->opt.user_mss) : mss;
}

/* RFC 9293 3.7.1; while larger segments are searched for, what is known to arrive. */
void tcp_set_snd_mss(struct tcp *c, const struct tcp_ctx *x)
{
	uint32_t mss = tcp_most_mss(c, x);

	if (c->search_low)
		mss = MIN(mss, c->search_low);
	mss -= tcp_options_room(c);
	c->snd_mss = (uint16_t)mss;
	cc_set_mss(&c->cc, mss);
}

/* Who takes small segments alone sends such, until there are others to be seen. */
void tcp_set_peer_mss(struct tcp *c, const struct tcp_ctx *x, uint16_t mss)
{
	c->peer_mss = mss;
	c->rcv_mss = (uint16_t)MIN(c->rcv_mss, peer_allows(c, x));
}

void tcp_take_syn_options(struct tcp *c, const struct tcp_ctx *x, const struct tcp_hdr *h)
{
	if (h->has_mss)
		tcp_set_peer_mss(c, x, h->mss);
	c->wscale_ok = h->has_wscale && x->cfg->tcp_window_scaling;
	c->snd_wscale = c->wscale_ok ? MIN(h->wscale, WSCALE_MAX) & 15u : 0u;
	if (!c->wscale_ok)
		c->rcv_wscale = 0;
	c->sack_ok = h->sack_permitted && x->cfg->tcp_sack;
	c->ts_ok = h->has_ts && x->cfg->tcp_timestamps;
	if (c->ts_ok) {
		c->rcv.ts_recent = h->ts_val;
		c->rcv.ts_recent_at = x->s;
	}
}

/* RFC 7323 5.3 R1; of a segment with timestamps, where they were agreed on. */
bool tcp_paws_rejects(const struct tcp *c, const struct tcp_ctx *x, const struct tcp_hdr *h)
{
	if (x->s - c->rcv.ts_recent_at > TS_VALID_SECONDS)
		return false;
	return (int32_t)(h->ts_val - c->rcv.ts_recent) < 0;
}

/* RFC 7323 4.3 (2) and 5.3 R3: of acceptable segments that reach back to our last ACK. */
void tcp_take_timestamp(struct arrival *a)
{
	struct tcp *c = a->c;
	const struct tcp_hdr *h = &a->seg->h;

	if (!c->ts_ok || !h->has_ts)
		return;
	if (seq_unwrap(h->seq, c->rcv.nxt) > c->rcv.acked)
		return;
	c->rcv.ts_recent = h->ts_val;
	c->rcv.ts_recent_at = a->x->s;
}

static void put_timestamp(const struct tcp *c, const struct tcp_ctx *x, struct tcp_hdr *h)
{
	h->has_ts = true;
	h->ts_val = tcp_ts_clock(x, c->snd.ts_off);
	h->ts_ecr = c->rcv.ts_recent;
}

/* The peer's FIN is here, and not what it follows. */
static bool has_early_fin(const struct tcp *c)
{
	return c->rcv.fin != TCP_NO_POS && c->rcv.nxt < c->rcv.fin;
}

/* Unless it is among those from `first` on. The number of a FIN that has come counts. */
static void put_block(const struct tcp *c, struct tcp_hdr *h, unsigned first, const struct range *r)
{
	uint64_t hi = r->hi + (r->hi == c->rcv.fin ? 1 : 0);

	for (unsigned i = first; i < h->n_sack; i++)
		if (h->sack[i].lo == (uint32_t)r->lo)
			return;
	h->sack[h->n_sack++] = (struct tcp_sack){ (uint32_t)r->lo, (uint32_t)hi };
}

/* RFC 2018 section 4: first the block of the newest segment, then those told last, then others. */
static void put_early(const struct tcp *c, struct tcp_hdr *h, unsigned max)
{
	const struct tcp_early *early = c->early;
	unsigned first = h->n_sack;
	struct range r;
	uint64_t pos;

	for (unsigned i = 0; i < TCP_SACK_MAX && h->n_sack < max; i++) {
		pos = early->recent[i];
		if (pos && ranges_find(&early->set, pos, &r) && r.lo <= pos)
			put_block(c, h, first, &r);
	}
	for (pos = 0; h->n_sack < max && ranges_find(&early->set, pos, &r); pos = r.hi)
		put_block(c, h, first, &r);
}

/* Without a block of its own the loss of all that it follows could not be seen. */
static bool has_fin_alone(const struct tcp *c)
{
	struct range last;

	return has_early_fin(c) &&
	       !(c->early && ranges_last(&c->early->set, &last) && last.hi == c->rcv.fin);
}

static COLD void put_sack(const struct tcp *c, struct tcp_hdr *h)
{
	unsigned max = c->ts_ok ? 3 : 4;

	if (c->dsack_lo != c->dsack_hi) /* RFC 2883 section 4: the duplicate first */
		h->sack[h->n_sack++] = (struct tcp_sack){ c->dsack_lo, c->dsack_hi };
	if (c->early)
		put_early(c, h, max);
	if (h->n_sack < max && has_fin_alone(c))
		h->sack[h->n_sack++] =
			(struct tcp_sack){ (uint32_t)c->rcv.fin, (uint32_t)c->rcv.fin + 1 };
}

void tcp_put_options(const struct tcp *c, const struct tcp_ctx *x, struct tcp_hdr *h)
{
	if (c->ts_ok)
		put_timestamp(c, x, h);
	if (c->sack_ok && (c->early || c->dsack_lo != c->dsack_hi || has_early_fin(c)) &&
	    (h->flags & TCP_ACK) && !c->ack_first) /* RFC 9768 3.2.2.1: no blocks */
		put_sack(c, h);
}

uint16_t tcp_told_mss(const struct tcp *c)
{
	return c->opt.user_mss ? MIN(c->opt.user_mss, c->adv_mss) : c->adv_mss;
}

void tcp_put_syn_options(const struct tcp *c, const struct tcp_ctx *x, struct tcp_hdr *h)
{
	bool answer = c->state != TERN_TCP_SYN_SENT;

	h->has_mss = true;
	h->mss = tcp_told_mss(c);
	h->sack_permitted = answer ? c->sack_ok : x->cfg->tcp_sack;
	h->has_wscale = answer ? c->wscale_ok : x->cfg->tcp_window_scaling;
	h->wscale = c->rcv_wscale;
	if (answer ? c->ts_ok : x->cfg->tcp_timestamps)
		put_timestamp(c, x, h);
}
