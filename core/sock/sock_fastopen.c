/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock_fastopen.c - who may open with text (RFC 7413): cookies we give, and those we were given.
 *
 * A server's cookie is a MAC of both addresses under a key that only this stack knows; keys last an
 * hour, and cookies of this hour's and the last one's are good, so that a client that comes once an
 * hour keeps its right. Who brings none, or an old one, gets a new one with an ordinary handshake.
 * How many may wait for the end of their handshake is counted for each port, so that it does not
 * matter which listener they came by and whether it is still there.
 *
 * As a client, a stack remembers for so many peers their cookie and MSS, and for how long Fast Open
 * is not tried with them: when a SYN with text was answered by silence, or its text by none of both
 * (4.1.3.1). The one not used for longest goes for a new one.
 */
#include "sock_tcp.h"

enum { KEY_SECONDS = 3600, COOKIE_LEN = 8 };
#define NOT_BEFORE (3600 * TERN_SEC)
#define FAILED_COUNTS (60 * TERN_SEC)

/* ---- server ---- */

static void make_cookie(const struct sip_key *key, const struct addr *client,
			const struct addr *server, uint8_t cookie[COOKIE_LEN])
{
	struct tuple names = { .local = *server, .remote = *client };
	uint64_t mac = tuple_hash_secretly(key, &names);

	put_be32(cookie, (uint32_t)(mac >> 32));
	put_be32(cookie + 4, (uint32_t)mac);
}

/* Of this hour: the other key is that of the last, or nobody's. */
static unsigned present_hour_key(struct sockets *ss)
{
	uint32_t hour = (uint32_t)(ss->timers->now / (KEY_SECONDS * TERN_SEC)) + 1;

	if (ss->fast_open_hour == hour)
		return hour & 1;
	ss->fast_open_keys[hour & 1] = rand_sip_key(ss->rand);
	if (ss->fast_open_hour == 0 || hour - ss->fast_open_hour > 1)
		ss->fast_open_keys[~hour & 1] = rand_sip_key(ss->rand);
	ss->fast_open_hour = hour;
	return hour & 1;
}

void fast_open_give_cookie(struct sockets *ss, const struct tuple *t, struct tcp_hdr *h)
{
	h->has_cookie = true;
	h->has_accecn = false; /* there is no room for both, and it may come later */
	h->cookie_len = COOKIE_LEN;
	make_cookie(&ss->fast_open_keys[present_hour_key(ss)], &t->remote, &t->local, h->cookie);
}

static bool is_our_cookie(struct sockets *ss, const struct tuple *t, const struct tcp_hdr *h)
{
	unsigned present = present_hour_key(ss), differs[2] = { 0 };
	uint8_t ours[COOKIE_LEN];

	if (h->cookie_len != COOKIE_LEN)
		return false;
	for (unsigned i = 0; i < 2; i++) {
		make_cookie(&ss->fast_open_keys[present ^ i], &t->remote, &t->local, ours);
		for (unsigned k = 0; k < COOKIE_LEN; k++) /* in a time that tells nothing */
			differs[i] |= ours[k] ^ h->cookie[k];
	}
	return !differs[0] || !differs[1];
}

/* How many may wait that opened with text; 0: it is not served. */
static uint32_t fast_open_limit(const struct sockets *ss, const struct sock *listener)
{
	if (!(ss->cfg->tcp_fastopen & FAST_OPEN_SERVER))
		return 0;
	if (listener->fast_open_max == 0 && (ss->cfg->tcp_fastopen & FAST_OPEN_ALL_LISTENERS))
		return listener->listener->backlog;
	return listener->fast_open_max;
}

/* How many wait, with those of the last minute that came to nothing (5.1). */
static uint32_t n_waiting(const struct sockets *ss, struct port *p)
{
	if (p->fast_failed_until <= ss->timers->now)
		p->n_fast_failed = 0;
	return p->n_fast + p->n_fast_failed;
}

void fast_open_begins(struct sockets *ss, struct sock *child)
{
	child->fast_waits = true;
	child->port->n_fast++;
	ss->counters[COUNT_TCP_FAST_OPEN_PASSIVE]++;
}

void fast_open_review(struct sockets *ss, struct sock *child)
{
	bool acked = child->tcp->snd.una > seq_first(child->tcp->snd.iss);

	if (!acked && child->tcp->state != TERN_TCP_CLOSED)
		return;
	child->fast_waits = false;
	child->port->n_fast--;
	if (acked)
		return;
	child->port->n_fast_failed++;
	child->port->fast_failed_until = ss->timers->now + FAILED_COUNTS;
}

enum fast_open_verdict fast_open_judge(struct sockets *ss, const struct sock *listener,
				       const struct tuple *t, const struct tcp_seg *syn)
{
	uint32_t limit = fast_open_limit(ss, listener);
	bool free_for_all = (ss->cfg->tcp_fastopen & FAST_OPEN_SERVER_FREE) != 0;

	if (limit == 0 || (!syn->h.has_cookie && !free_for_all))
		return FAST_OPEN_ORDINARY;
	if (!free_for_all && syn->h.cookie_len == 0)
		return FAST_OPEN_GIVE;
	if (!free_for_all && !is_our_cookie(ss, t, &syn->h)) {
		ss->counters[COUNT_TCP_FAST_OPEN_PASSIVE_FAIL]++;
		return FAST_OPEN_GIVE;
	}
	if (syn->len == 0)
		return FAST_OPEN_ORDINARY;
	if (n_waiting(ss, listener->port) >= limit) {
		ss->counters[COUNT_TCP_FAST_OPEN_OVERFLOW]++;
		return FAST_OPEN_ORDINARY;
	}
	return FAST_OPEN_TAKE;
}

/* ---- client ---- */

/* NULL: not known. */
static struct fast_open_peer *find_peer(const struct sockets *ss, const struct addr *a)
{
	for (unsigned i = 0; ss->fast_open_peers && i < FAST_OPEN_PEERS; i++) {
		struct fast_open_peer *p = &ss->fast_open_peers[i];

		if (p->used_at && addr_equal(&p->addr, a))
			return p;
	}
	return NULL;
}

/* Its place, that of the one not used for longest; NULL: no memory. */
static struct fast_open_peer *place_for_peer(struct sockets *ss, const struct addr *a)
{
	struct fast_open_peer *peers = ss->fast_open_peers, *oldest;
	size_t size = FAST_OPEN_PEERS * sizeof(*peers);

	if (!peers) {
		peers = ss->fast_open_peers = mem_new(ss->mem, size);
		if (!peers)
			return NULL;
		memset(peers, 0, size);
	}
	oldest = find_peer(ss, a);
	if (oldest)
		return oldest;
	oldest = peers;
	for (unsigned i = 1; i < FAST_OPEN_PEERS; i++)
		if (peers[i].used_at < oldest->used_at)
			oldest = &peers[i];
	*oldest = (struct fast_open_peer){ .addr = *a };
	return oldest;
}

void fast_open_forget_peers(struct sockets *ss)
{
	if (ss->fast_open_peers)
		mem_free(ss->mem, ss->fast_open_peers,
			 FAST_OPEN_PEERS * sizeof(*ss->fast_open_peers));
	ss->fast_open_peers = NULL;
}

/* Of a peer that is not known, what RFC 7413 4.2.1 says: the least that all paths carry. */
static uint16_t likely_mss(const struct sock *s, const struct fast_open_peer *p)
{
	return p && p->mss ? p->mss : addr_is4(&s->t.remote) ? 536 : 1220;
}

void fast_open_offer(struct sockets *ss, struct sock *s, bool with_text)
{
	struct fast_open_peer *p = find_peer(ss, &s->t.remote);
	struct tcp *c = s->tcp;
	const struct tcp_ctx *x = sock_ctx(ss);
	bool without =
		c->opt.fast_open_no_cookie || (ss->cfg->tcp_fastopen & FAST_OPEN_CLIENT_FREE) != 0;
	struct tcp_fast_offer offer = { .mss = MIN(likely_mss(s, p), c->path_mss),
					.without_cookie = without };

	if (p && p->not_before > ss->timers->now && p->bad_port == s->t.rport)
		return;
	if (p) {
		p->used_at = ss->timers->now;
		offer.cookie = p->cookie;
		offer.cookie_len = without ? 0 : p->cookie_len;
	}
	offer.wait_for_text = with_text && (offer.cookie_len || without);
	if (tcp_offer_fast_open(c, x, &offer))
		ss->counters[COUNT_TCP_FAST_OPEN_ACTIVE] += offer.wait_for_text;
}

void fast_open_learn(struct sockets *ss, const struct sock *s, const struct tcp_hdr *synack)
{
	const struct tcp *c = s->tcp;
	bool refused = c->fast_open == FAST_OPEN_TIMED_OUT ||
		       (!synack->has_cookie && tcp_syn_text_refused(c));
	struct fast_open_peer *p;

	if (!refused && !(synack->has_cookie && synack->cookie_len))
		return;
	p = place_for_peer(ss, &s->t.remote);
	if (!p)
		return;
	p->used_at = ss->timers->now;
	p->mss = synack->has_mss ? synack->mss : 0;
	if (synack->has_cookie && synack->cookie_len) {
		p->cookie_len = synack->cookie_len;
		memcpy(p->cookie, synack->cookie, synack->cookie_len);
	}
	if (refused) {
		p->not_before = ss->timers->now + NOT_BEFORE;
		p->bad_port = s->t.rport;
		ss->counters[COUNT_TCP_FAST_OPEN_ACTIVE_FAIL]++;
	}
}
