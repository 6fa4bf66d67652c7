/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_mtu.c - how large a segment does the path carry?
 *
 * Routers tell (RFC 1191, RFC 8201), but forgers do, too: a message is believed at once only while
 * nothing as large has arrived. Else it waits for a time-out, and the ACK of what it quotes belies
 * it (RFC 5927 7.2). Where routers are silent, segments that time out again and again are taken for
 * too large: smaller ones go instead, and from then on larger ones are tried (RFC 4821).
 *
 * path_mss is what the network has told. search_low is known, or believed, to arrive and is what
 * goes; between it and the lesser of search_high and path_mss a probe looks for more: a segment of
 * text, larger than others. Lost alone, it is no sign of congestion. All sizes here are with
 * options, as those of an MSS option; those of records are of text alone.
 *
 * Sources: RFC 5927 7.2, RFC 4821 7, RFC 8201 5.4.
 */
#include "tcp_impl.h"

static uint16_t clock_minutes(const struct tcp_ctx *x)
{
	return (uint16_t)(x->now / (60 * TERN_SEC));
}

static uint32_t size_with_options(const struct tcp *c, const struct sent *s)
{
	return sent_size(s) + tcp_options_room(c);
}

/* ---- what the network tells ---- */

void tcp_set_path_mss(struct tcp *c, const struct tcp_ctx *x, uint16_t mss)
{
	if (mss == c->path_mss)
		return;
	c->path_mss = mss;
	c->acked_size = MIN(c->acked_size, mss);
	if (tcp_is_synchronized(c))
		tcp_set_snd_mss(c, x);
}

/* What is larger than the path carries has not arrived. It is no congestion (RFC 8201 5.4). */
static void send_in_pieces(struct tcp *c)
{
	struct sent_log *log = &c->work->sent;
	struct sent *s;

	for (uint64_t pos = c->snd.una; (s = sent_find(log, pos)); pos = s->hi)
		if (s->fate == SENT_IN_FLIGHT && size_with_options(c, s) > c->path_mss)
			sent_set_lost(log, s, TERN_CAUSE_PATH_MTU);
	c->rtx_forced = log->n_lost > 0;
	c->work->timed_pos = TCP_NO_POS;
}

static void believe_router(struct tcp *c, const struct tcp_ctx *x, uint16_t mss)
{
	tcp_set_path_mss(c, x, mss);
	c->path_news = true;
	if (!c->work)
		return;
	c->work->too_big = 0;
	c->work->probe_next = 0;
	if (tcp_is_synchronized(c))
		send_in_pieces(c);
}

/*
 * A router says that of the segment at pos, which is in flight, it could have taken mss. false:
 * that cannot be, because the segment is no larger, or it is nothing new. So a burst of messages
 * about one burst of segments counts once.
 */
bool tcp_take_too_big(struct tcp *c, const struct tcp_ctx *x, uint64_t pos, uint16_t mss)
{
	struct tcp_work *w = c->work;
	const struct sent *s = w ? sent_find(&w->sent, pos) : NULL;

	if (mss >= c->path_mss)
		return false;
	if (tcp_is_synchronized(c) && (!s || size_with_options(c, s) <= mss))
		return false;
	if (mss >= c->acked_size || !w) {
		believe_router(c, x, mss);
		return true;
	}
	w->too_big = mss;
	w->too_big_pos = pos;
	return true;
}

/* ---- no ACK comes: RFC 5927 7.2, RFC 4821 7.7 ---- */

enum { MSS_OF_1280 = 1220 };

/* search_low to begin with (RFC 4821 7.2, 7.7). */
static uint32_t first_guess(const struct tcp *c, const struct tcp_ctx *x)
{
	uint32_t base = x->cfg->tcp_base_mss + tcp_options_room(c);

	return c->carries_1280 ? MAX(base, MSS_OF_1280) : base;
}

static void begin_search_at(struct tcp *c, const struct tcp_ctx *x, uint32_t size)
{
	c->search_low = (uint16_t)MIN(size, UINT16_MAX);
	c->search_high = UINT16_MAX;
	c->search_min = clock_minutes(x);
}

/* With tcp_mtu_probing 2 a connection begins small. */
void tcp_begin_search(struct tcp *c, const struct tcp_ctx *x)
{
	enum { ALWAYS = 2 };

	if (x->cfg->tcp_mtu_probing == ALWAYS)
		begin_search_at(c, x, first_guess(c, x));
}

/*
 * The size to try after so many time-outs beyond R1: the one to begin with, half for each more,
 * or half of what goes already, down to the floor.
 */
static uint32_t smaller_guess(const struct tcp *c, const struct tcp_ctx *x, uint32_t n_more)
{
	uint32_t room = tcp_options_room(c);
	uint32_t guess = (first_guess(c, x) - room) >> MIN(n_more, 16);

	if (c->search_low && c->snd_mss <= guess)
		guess = c->snd_mss / 2;
	return MAX(guess, x->cfg->tcp_mtu_probe_floor) + room;
}

/* What every host and, but for oddities, every path carries (RFC 9293 3.7.1): not suspected. */
enum { SURE_MSS = 536 };

static bool is_suspicious(const struct tcp *c, const struct sent *s)
{
	return s && (sent_size(s) >= c->snd_mss || size_with_options(c, s) > SURE_MSS);
}

/* A full-stop time-out: of a segment for which smaller ones can stand in? */
static void suspect_black_hole(struct tcp *c, const struct tcp_ctx *x)
{
	const struct sent *s = sent_first(&c->work->sent);
	uint32_t r1 = x->cfg->tcp_retries1, guess;

	if (!x->cfg->tcp_mtu_probing || c->n_rtx <= r1)
		return;
	guess = smaller_guess(c, x, c->n_rtx - r1 - 1);
	if (!is_suspicious(c, s) || size_with_options(c, s) <= guess)
		return;
	begin_search_at(c, x, guess);
	c->acked_size = MIN(c->acked_size, c->search_low);
	tcp_set_snd_mss(c, x);
}

/* RFC 4821 7.6.3: for five times as long as after a probe that was lost alone. */
enum { PATIENCE_AFTER_TIMEOUT = 5 };

/* 7.6.2: as many round trips as the window has segments. */
static tern_time until_next_probe(const struct tcp *c)
{
	return (tern_time)c->srtt_us * TERN_US * (c->cc.cwnd / c->snd_mss + 1);
}

static void end_probe(struct tcp *c, const struct tcp_ctx *x, const struct sent *probe)
{
	c->search_high = (uint16_t)(size_with_options(c, probe) - 1);
	c->search_min = clock_minutes(x);
	c->work->probe_end = 0;
	c->work->probe_at = x->now + until_next_probe(c);
}

static bool is_path_probe(const struct tcp *c, const struct sent *s)
{
	return s && c->work->probe_end == s->hi && sent_size(s) > c->snd_mss && !s->again;
}

/* On a retransmission time-out, before what is lost is marked. */
void tcp_doubt_path(struct tcp *c, const struct tcp_ctx *x)
{
	struct tcp_work *w = c->work;
	const struct sent *first = sent_first(&w->sent);

	if (is_path_probe(c, first)) {
		end_probe(c, x, first);
		w->probe_at += (PATIENCE_AFTER_TIMEOUT - 1) * until_next_probe(c);
	}
	w->probe_next = 0;
	if (w->too_big)
		believe_router(c, x, w->too_big);
	else
		suspect_black_hole(c, x);
}

/* ---- probing, RFC 4821 7.3 to 7.6 ---- */

/* Something was found lost: is it the probe alone? Then that goes again in pieces, no more. */
COLD bool tcp_probe_failed(struct tcp *c, const struct tcp_ctx *x)
{
	struct sent_log *log = &c->work->sent;
	const struct sent *s = sent_first_lost(log);

	if (tcp_is_repairing(c) || !is_path_probe(c, s))
		return false;
	if (s->hi - sent_lo(s) != log->n_lost)
		return false;
	end_probe(c, x, s);
	c->rtx_forced = true;
	return true;
}

/* 7.3: not sooner than the configuration says, in whole minutes. */
static bool search_is_old(const struct tcp *c, const struct tcp_ctx *x)
{
	uint32_t minutes = (x->cfg->tcp_probe_interval_ms + 59999) / 60000;

	return (uint16_t)(clock_minutes(x) - c->search_min) > minutes;
}

/* 7.3: halfway; so little above what goes that one congestion window has room for it. */
static uint32_t probe_size(struct tcp *c, const struct tcp_ctx *x)
{
	uint32_t low = c->search_low, most = tcp_most_mss(c, x);
	uint32_t high = MIN(c->search_high, most);

	if (high < low + x->cfg->tcp_probe_threshold && c->search_high < most &&
	    search_is_old(c, x)) {
		c->search_high = UINT16_MAX; /* the path may have changed */
		high = most;
	}
	if (high < low + x->cfg->tcp_probe_threshold)
		return 0;
	return MIN((low + high + 1) / 2, 2 * low);
}

static void plan_next_probe(struct arrival *a)
{
	struct tcp *c = a->c;
	struct tcp_work *w = c->work;
	uint32_t size;

	w->probe_next = 0;
	if (!c->sack_ok || tcp_is_repairing(c) || w->sent.n_lost)
		return;
	if (w->probe_end > c->snd.una || w->probe_at > a->x->now)
		return;
	size = probe_size(c, a->x);
	if (size)
		w->probe_next = (uint16_t)(size - tcp_options_room(c));
}

/* What has arrived, the path carries; of an ACK that tells something new of that. */
void tcp_take_path_news(struct arrival *a)
{
	uint32_t size = a->d.size ? a->d.size + tcp_options_room(a->c) : 0;
	struct tcp *c = a->c;
	struct tcp_work *w = c->work;

	c->acked_size = (uint16_t)MIN(MAX(c->acked_size, size), c->path_mss);
	if (w->too_big && c->snd.una > w->too_big_pos)
		w->too_big = 0;
	if (!c->search_low)
		return;
	if (!c->sack_ok && search_is_old(c, a->x)) { /* no search without SACK: all again */
		c->search_low = 0;
		tcp_set_snd_mss(c, a->x);
		return;
	}
	if (size > c->search_low) { /* 7.6.1 */
		c->search_low = (uint16_t)size;
		c->search_min = clock_minutes(a->x);
		tcp_set_snd_mss(c, a->x);
	}
	plan_next_probe(a);
}
