/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp6.c - the DHCP client of IPv6: addresses (IA_NA), or only what else there is to know.
 *
 *	OFF --M--> SOLICITING --best ADVERTISE--> REQUESTING --REPLY--> BOUND --T1--> RENEWING
 *	--T2--> REBINDING --end--> SOLICITING; a REPLY leads back to BOUND
 *	OFF --O--> INFORMING --REPLY--> INFORMED --refresh time--> INFORMING
 *	link up: CONFIRMING; a conflict: DECLINING, then SOLICITING
 *
 * Each state that sends is one line of a table: the message, and how often it goes (section 15).
 * Advertisements are collected until the first Solicit has had its time.
 *
 * Sources: RFC 8415 7.6 (times), 14, 15 (retransmission), 16 (which messages are valid), 18.2 (the
 * client), 21.4, 21.6 (T1, T2, lifetimes), 21.23 (refresh), 21.24, 21.25 (SOL_MAX_RT, INF_MAX_RT).
 */
#include "dhcp.h"

/* ---- section 15 ---- */

struct exchange {
	uint8_t type;		    /* enum dhcp6_type; 0: nothing is sent */
	uint8_t first_s, count_max; /* 0: no limit */
	uint16_t most_s;	    /* 0: no limit */
	uint16_t delay_ms;	    /* before the first, at most */
};

static const struct exchange exchanges[DHCP6_N_STATES] = {
	[DHCP6_SOLICITING] = { DHCP6_SOLICIT, 1, 0, 3600, 1000 },
	[DHCP6_REQUESTING] = { DHCP6_REQUEST, 1, 10, 30, 0 },
	[DHCP6_RENEWING] = { DHCP6_RENEW, 10, 0, 600, 0 },
	[DHCP6_REBINDING] = { DHCP6_REBIND, 10, 0, 600, 0 },
	[DHCP6_CONFIRMING] = { DHCP6_CONFIRM, 1, 0, 4, 1000 },
	[DHCP6_DECLINING] = { DHCP6_DECLINE, 1, 4, 0, 0 },
	[DHCP6_INFORMING] = { DHCP6_INFORM, 1, 0, 3600, 1000 },
};
#define CONFIRM_TIME (10 * TERN_SEC)
enum { MAX_RT_LEAST = 60, MAX_RT_MOST = 86400 };       /* 21.24 */
enum { REFRESH_DEFAULT = 86400, REFRESH_LEAST = 600 }; /* 7.6 */
enum { BEST_PREFERENCE = 255 };

static tern_time most_rt(const struct dhcp6_client *c)
{
	if (c->state == DHCP6_SOLICITING && c->sol_max_rt)
		return c->sol_max_rt;
	if (c->state == DHCP6_INFORMING && c->inf_max_rt)
		return c->inf_max_rt;
	return exchanges[c->state].most_s * TERN_SEC;
}

/* A tenth more or less; of the first Solicit only more (18.2.1). */
static tern_time spread(struct net *net, tern_time t, bool only_more)
{
	tern_time tenth = t / 10;

	return only_more ? t + 1 + rand_below(net->rand, tenth) :
			   t - tenth + rand_below(net->rand, 2 * tenth + 1);
}

static tern_time next_rt(struct net *net, const struct dhcp6_client *c)
{
	tern_time most = most_rt(c), rt;

	if (c->n_sent == 0)
		return spread(net, exchanges[c->state].first_s * TERN_SEC,
			      c->state == DHCP6_SOLICITING);
	rt = c->rt + spread(net, c->rt, false);
	return most && rt > most ? spread(net, most, false) : rt;
}

/* ---- birth and death ---- */

struct dhcp6_client *dhcp6_new(struct net *net, const struct dhcp_parts *parts)
{
	const struct iface *i = iface_get(net, parts->ifindex);
	struct dhcp6_client *c = mem_new(net->mem, sizeof(*c));

	if (!c)
		return NULL;
	*c = (struct dhcp6_client){ .ifindex = i->index,
				    .link_is_down = !iface_is_up(i),
				    .iaid = dhcp_iaid(i->cfg.mac),
				    .duid = dhcp_duid(net, i->cfg.mac) };
	timer_init(&c->timer, parts->timer_kind);
	return c;
}

void dhcp6_free(struct net *net, struct dhcp6_client *c)
{
	if (!c)
		return;
	timers_disarm(net->timers, &c->timer);
	mem_free(net->mem, c, sizeof(*c));
}

/* ---- to another state ---- */

static void arm6(struct net *net, struct dhcp6_client *c, tern_time at)
{
	if (at == TERN_NEVER || c->link_is_down)
		timers_disarm(net->timers, &c->timer);
	else
		timers_arm(net->timers, &c->timer, at);
}

/* The first message goes after `wait`; the last answer counts until `ends_at`. */
static void begin_exchange6(struct net *net, struct dhcp6_client *c, enum dhcp6_state state,
			    tern_time wait)
{
	uint32_t spread_ms = exchanges[state].delay_ms;

	c->state = (uint8_t)state;
	c->n_sent = 0;
	c->xid = rand_u32(net->rand) & 0xffffff;
	c->ends_at = TERN_NEVER;
	if (state == DHCP6_SOLICITING)
		c->server.len = c->best_preference = 0;
	if (spread_ms)
		wait += rand_below(net->rand, spread_ms * TERN_MS);
	arm6(net, c, net->timers->now + wait);
}

static unsigned solicit(struct net *net, struct dhcp6_client *c)
{
	bool had_lease = c->lease.n > 0;

	c->lease.n = 0;
	begin_exchange6(net, c, DHCP6_SOLICITING,
			c->n_failures ? dhcp_pause(net, c->n_failures - 1u) : 0);
	c->n_failures = (uint8_t)MIN(c->n_failures + 1, 255);
	return had_lease ? DHCP_DROP : DHCP_NOTHING;
}

static void rest_bound(struct net *net, struct dhcp6_client *c)
{
	c->state = DHCP6_BOUND;
	arm6(net, c, MIN(c->lease.t1_at, c->lease.valid_until));
}

/* ---- time ---- */

static unsigned send6(struct net *net, struct dhcp6_client *c)
{
	tern_time now = net->timers->now;

	if (c->n_sent == 0) {
		c->began_at = now;
		if (c->state == DHCP6_CONFIRMING)
			c->ends_at = now + CONFIRM_TIME;
	}
	c->rt = next_rt(net, c);
	c->n_sent = (uint8_t)MIN(c->n_sent + 1, 255);
	arm6(net, c, MIN(now + c->rt, c->ends_at));
	return DHCP_SEND;
}

/* The best of those that advertised is asked. */
static unsigned request(struct net *net, struct dhcp6_client *c)
{
	begin_exchange6(net, c, DHCP6_REQUESTING, 0);
	return send6(net, c);
}

static unsigned renew6(struct net *net, struct dhcp6_client *c, enum dhcp6_state state,
		       tern_time ends_at)
{
	begin_exchange6(net, c, state, 0);
	c->ends_at = ends_at;
	return send6(net, c);
}

static unsigned on_lease_timer(struct net *net, struct dhcp6_client *c)
{
	tern_time now = net->timers->now;

	if (now >= c->lease.valid_until)
		return solicit(net, c);
	if (now >= c->lease.t2_at)
		return renew6(net, c, DHCP6_REBINDING, c->lease.valid_until);
	return renew6(net, c, DHCP6_RENEWING, MIN(c->lease.t2_at, c->lease.valid_until));
}

/* An exchange has had its time, or its number of messages. */
static unsigned on_silence(struct net *net, struct dhcp6_client *c)
{
	switch ((enum dhcp6_state)c->state) {
	case DHCP6_RENEWING:
	case DHCP6_REBINDING:
		return on_lease_timer(net, c);
	case DHCP6_CONFIRMING: /* 18.2.3: it may go on with what it has */
		rest_bound(net, c);
		return DHCP_NOTHING;
	default:
		return solicit(net, c);
	}
}

unsigned dhcp6_on_timer(struct net *net, struct dhcp6_client *c)
{
	const struct exchange *x = &exchanges[c->state];

	switch ((enum dhcp6_state)c->state) {
	case DHCP6_OFF:
	case DHCP6_N_STATES:
		return DHCP_NOTHING;
	case DHCP6_BOUND:
		return on_lease_timer(net, c);
	case DHCP6_INFORMED:
		begin_exchange6(net, c, DHCP6_INFORMING, 0);
		return DHCP_NOTHING;
	case DHCP6_SOLICITING:
		if (c->server.len)
			return request(net, c);
		break;
	default:
		break;
	}
	if (net->timers->now >= c->ends_at || (x->count_max && c->n_sent >= x->count_max))
		return on_silence(net, c);
	return send6(net, c);
}

unsigned dhcp6_on_flags(struct net *net, struct dhcp6_client *c, bool managed, bool other)
{
	bool has_none = c->state == DHCP6_OFF;

	if (managed && (has_none || c->state == DHCP6_INFORMING || c->state == DHCP6_INFORMED))
		return solicit(net, c);
	if (other && has_none)
		begin_exchange6(net, c, DHCP6_INFORMING, 0);
	return DHCP_NOTHING;
}

/* ---- what a lease must be ---- */

static bool is_good_address(const struct dhcp6_addr *a)
{
	return a->status == DHCP6_SUCCESS && a->valid > 0 && a->preferred <= a->valid &&
	       !addr_is_unspecified(&a->addr) && !addr_is_multicast(&a->addr) &&
	       !addr_is_loopback(&a->addr) && !addr_is_link_local(&a->addr) && !addr_is4(&a->addr);
}

/* Is there an address in it, of ours? 21.4: T1 is not after T2. */
static bool is_good_ia(const struct dhcp6_client *c, const struct dhcp6_ia *ia)
{
	if (!ia->is_there || ia->iaid != c->iaid || ia->status != DHCP6_SUCCESS ||
	    (ia->t2 && ia->t1 > ia->t2))
		return false;
	for (unsigned i = 0; i < ia->n; i++)
		if (is_good_address(&ia->addr[i]))
			return true;
	return false;
}

/* 21.4: a server that leaves it to the client says 0; then half and four fifths of the shortest. */
static void set_renewal(const struct net *net, struct dhcp6_lease *l, const struct dhcp6_ia *ia,
			uint32_t shortest)
{
	tern_time now = net->timers->now, whole = shortest * TERN_SEC;

	l->t1_at = net_after_seconds(net, ia->t1);
	l->t2_at = net_after_seconds(net, ia->t2);
	if (ia->t1 == 0)
		l->t1_at = shortest == DHCP_FOREVER ? TERN_NEVER : now + whole / 2;
	if (ia->t2 == 0)
		l->t2_at = shortest == DHCP_FOREVER ? TERN_NEVER : now + whole / 5 * 4;
	l->t1_at = MIN(l->t1_at, l->t2_at);
}

static unsigned take_lease(struct net *net, struct dhcp6_client *c, const struct dhcp6 *m)
{
	struct dhcp6_lease *l = &c->lease;
	uint32_t shortest = DHCP_FOREVER;

	if (c->state == DHCP6_RENEWING || c->state == DHCP6_REBINDING)
		c->n_failures = 0;
	memset(l, 0, sizeof(*l));
	l->server = m->server;
	for (unsigned i = 0; i < m->ia.n; i++) {
		const struct dhcp6_addr *a = &m->ia.addr[i];

		if (!is_good_address(a))
			continue;
		l->addr[l->n++] =
			(struct dhcp6_leased){ a->addr, net_after_seconds(net, a->preferred),
					       net_after_seconds(net, a->valid) };
		l->valid_until = MAX(l->valid_until, net_after_seconds(net, a->valid));
		shortest = MIN(shortest, a->preferred ? a->preferred : a->valid);
	}
	set_renewal(net, l, &m->ia, shortest);
	rest_bound(net, c);
	return DHCP_TAKE;
}

/* ---- messages ---- */

static bool is_same_duid(const struct dhcp6_duid *a, const struct dhcp6_duid *b)
{
	return a->len == b->len && memcmp(a->b, b->b, a->len) == 0;
}

/* 16.3, 16.10 */
static bool is_for_us6(const struct dhcp6_client *c, const struct dhcp6 *m)
{
	return m->xid == c->xid && c->n_sent > 0 && m->server.len > 0 &&
	       is_same_duid(&m->client, &c->duid);
}

static void take_limits(struct dhcp6_client *c, const struct dhcp6 *m)
{
	if (m->sol_max_rt >= MAX_RT_LEAST && m->sol_max_rt <= MAX_RT_MOST)
		c->sol_max_rt = m->sol_max_rt * TERN_SEC;
	if (m->inf_max_rt >= MAX_RT_LEAST && m->inf_max_rt <= MAX_RT_MOST)
		c->inf_max_rt = m->inf_max_rt * TERN_SEC;
}

/* 18.2.9: until the first Solicit has had its time the best is looked for, then the first is. */
static unsigned on_advertise(struct net *net, struct dhcp6_client *c, const struct dhcp6 *m)
{
	if (c->state != DHCP6_SOLICITING)
		return DHCP_NOTHING;
	take_limits(c, m);
	if (m->status != DHCP6_SUCCESS || !is_good_ia(c, &m->ia))
		return DHCP_NOTHING;
	if (c->server.len && m->preference <= c->best_preference)
		return DHCP_NOTHING;
	c->server = m->server;
	c->best_preference = m->preference;
	c->offer = m->ia;
	return m->preference == BEST_PREFERENCE || c->n_sent > 1 ? request(net, c) : DHCP_NOTHING;
}

/* 18.2.10.1: no binding: it is asked for again. */
static unsigned on_no_binding(struct net *net, struct dhcp6_client *c, const struct dhcp6 *m)
{
	c->server = m->server;
	c->offer = (struct dhcp6_ia){ .n = c->lease.n };
	for (unsigned i = 0; i < c->lease.n; i++)
		c->offer.addr[i].addr = c->lease.addr[i].addr;
	return request(net, c);
}

static unsigned on_reply_to_request(struct net *net, struct dhcp6_client *c, const struct dhcp6 *m)
{
	uint16_t status = m->status ? m->status : m->ia.status;

	if (!is_same_duid(&m->server, &c->server))
		return DHCP_NOTHING;
	if (status == DHCP6_SUCCESS && is_good_ia(c, &m->ia))
		return take_lease(net, c, m);
	/* else the Request goes again, as it would without an answer: 18.2.10 */
	return status == DHCP6_NO_ADDRS_AVAIL || status == DHCP6_NOT_ON_LINK ? solicit(net, c) :
									       DHCP_NOTHING;
}

/* Has each address of the lease ended? */
static bool has_ended(const struct dhcp6_lease *l, const struct dhcp6_ia *ia)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->n; i++)
		for (unsigned k = 0; k < ia->n; k++)
			n += dhcp6_addr_ends(&ia->addr[k]) &&
			     addr_equal(&ia->addr[k].addr, &l->addr[i].addr);
	return n >= l->n;
}

static unsigned on_reply_to_renewal(struct net *net, struct dhcp6_client *c, const struct dhcp6 *m)
{
	if (c->state == DHCP6_RENEWING && !is_same_duid(&m->server, &c->lease.server))
		return DHCP_NOTHING;
	if (!m->ia.is_there || m->ia.iaid != c->iaid)
		return DHCP_NOTHING;
	if (m->ia.status == DHCP6_NO_BINDING)
		return on_no_binding(net, c, m);
	if (m->status != DHCP6_SUCCESS)
		return DHCP_NOTHING;
	if (is_good_ia(c, &m->ia))
		return take_lease(net, c, m);
	return m->ia.status == DHCP6_SUCCESS && has_ended(&c->lease, &m->ia) ? solicit(net, c) :
									       DHCP_NOTHING;
}

static unsigned on_reply_to_inform(struct net *net, struct dhcp6_client *c, const struct dhcp6 *m)
{
	uint32_t refresh = m->has_refresh ? m->refresh : REFRESH_DEFAULT;

	if (m->status != DHCP6_SUCCESS)
		return DHCP_NOTHING;
	c->state = DHCP6_INFORMED;
	c->n_failures = 0;
	arm6(net, c, net_after_seconds(net, MAX(refresh, REFRESH_LEAST)));
	return DHCP_TAKE;
}

static unsigned on_reply(struct net *net, struct dhcp6_client *c, const struct dhcp6 *m)
{
	take_limits(c, m);
	switch ((enum dhcp6_state)c->state) {
	case DHCP6_SOLICITING: /* 18.2.10: only with rapid commit */
		return m->rapid_commit && m->status == DHCP6_SUCCESS && is_good_ia(c, &m->ia) ?
			       take_lease(net, c, m) :
			       DHCP_NOTHING;
	case DHCP6_REQUESTING:
		return on_reply_to_request(net, c, m);
	case DHCP6_RENEWING:
	case DHCP6_REBINDING:
		return on_reply_to_renewal(net, c, m);
	case DHCP6_CONFIRMING:
		if (m->status == DHCP6_NOT_ON_LINK)
			return solicit(net, c);
		if (m->status == DHCP6_SUCCESS)
			rest_bound(net, c);
		return DHCP_NOTHING;
	case DHCP6_DECLINING:
		return solicit(net, c);
	case DHCP6_INFORMING:
		return on_reply_to_inform(net, c, m);
	default:
		return DHCP_NOTHING;
	}
}

unsigned dhcp6_input(struct net *net, struct dhcp6_client *c, const struct dhcp6 *m)
{
	if (!is_for_us6(c, m))
		return DHCP_NOTHING;
	if (m->type == DHCP6_ADVERTISE)
		return on_advertise(net, c, m);
	return m->type == DHCP6_REPLY ? on_reply(net, c, m) : DHCP_NOTHING;
}

/* ---- other news ---- */

unsigned dhcp6_on_link(struct net *net, struct dhcp6_client *c, bool is_up)
{
	c->link_is_down = !is_up;
	c->n_failures = 0;
	if (!is_up || c->state == DHCP6_OFF) {
		timers_disarm(net->timers, &c->timer);
		return DHCP_NOTHING;
	}
	if (c->state == DHCP6_INFORMING || c->state == DHCP6_INFORMED) {
		begin_exchange6(net, c, DHCP6_INFORMING, 0);
		return DHCP_NOTHING;
	}
	if (!c->lease.n || net->timers->now >= c->lease.valid_until)
		return solicit(net, c);
	begin_exchange6(net, c, DHCP6_CONFIRMING, 0);
	return DHCP_NOTHING;
}

/* What another host has is declined; the rest of the lease is asked for anew. */
unsigned dhcp6_on_conflict(struct net *net, struct dhcp6_client *c, const struct addr *addr)
{
	c->offer = (struct dhcp6_ia){ .n = 1, .addr = { { .addr = *addr } } };
	c->server = c->lease.server;
	c->lease.n = 0;
	begin_exchange6(net, c, DHCP6_DECLINING, 0);
	return send6(net, c) | DHCP_DROP;
}

void dhcp6_forget(struct net *net, struct dhcp6_client *c)
{
	if (c->lease.n)
		solicit(net, c);
	else
		begin_exchange6(net, c, DHCP6_INFORMING, TERN_SEC);
}

unsigned dhcp6_end(struct net *net, struct dhcp6_client *c)
{
	bool had_lease = c->lease.n > 0;

	timers_disarm(net->timers, &c->timer);
	c->xid = rand_u32(net->rand) & 0xffffff;
	c->began_at = net->timers->now;
	c->releases = true;
	return DHCP_DROP | (had_lease && !c->link_is_down ? DHCP_SEND : 0);
}

/* ---- what is sent ---- */

static void say_leased(const struct dhcp6_client *c, struct dhcp6_ia *ia)
{
	ia->n = c->lease.n;
	for (unsigned i = 0; i < c->lease.n; i++)
		ia->addr[i].addr = c->lease.addr[i].addr;
}

static void say_offered(const struct dhcp6_client *c, struct dhcp6_ia *ia)
{
	ia->n = c->offer.n;
	for (unsigned i = 0; i < c->offer.n; i++)
		ia->addr[i].addr = c->offer.addr[i].addr;
}

/* 18.2: whom each message is for, and about which addresses. */
static void say_who_and_what(const struct dhcp6_client *c, struct dhcp6 *m)
{
	m->ia = (struct dhcp6_ia){ .is_there = m->type != DHCP6_INFORM, .iaid = c->iaid };
	switch (m->type) {
	case DHCP6_REQUEST:
	case DHCP6_DECLINE:
		m->server = c->server;
		say_offered(c, &m->ia);
		break;
	case DHCP6_RENEW:
	case DHCP6_RELEASE:
		m->server = c->lease.server;
		say_leased(c, &m->ia);
		break;
	case DHCP6_CONFIRM:
	case DHCP6_REBIND:
		say_leased(c, &m->ia);
		break;
	}
}

/* 21.7, 18.2.6 */
static void say_what_is_asked(struct dhcp6 *m)
{
	static const uint16_t asked[] = { DHCP6_OPT_DNS, DHCP6_OPT_SEARCH, DHCP6_OPT_SOL_MAX_RT,
					  DHCP6_OPT_INF_MAX_RT, DHCP6_OPT_REFRESH };

	if (m->type == DHCP6_CONFIRM || m->type == DHCP6_DECLINE || m->type == DHCP6_RELEASE)
		return;
	m->n_asked = m->type == DHCP6_INFORM ? 5 : 3;
	memcpy(m->asked, asked, sizeof(asked));
}

void dhcp6_output(const struct net *net, const struct dhcp6_client *c, struct dhcp6 *m)
{
	tern_time elapsed = (net->timers->now - c->began_at) / (10 * TERN_MS);

	*m = (struct dhcp6){ .type = c->releases ? DHCP6_RELEASE : exchanges[c->state].type,
			     .xid = c->xid,
			     .client = c->duid,
			     .has_elapsed = true,
			     .elapsed = (uint16_t)MIN(elapsed, 0xffff) };
	m->rapid_commit = m->type == DHCP6_SOLICIT;
	say_who_and_what(c, m);
	say_what_is_asked(m);
}
