/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp4.c - the DHCP client of IPv4.
 *
 *	INIT --wait--> SELECTING --OFFER--> REQUESTING --ACK--> BOUND --T1--> RENEWING --T2-->
 *	REBINDING --end of the lease--> INIT; an ACK leads back to BOUND, a NAK to INIT
 *	link down: INIT-REBOOT; up again: REBOOTING --ACK or silence--> BOUND
 *
 * One that informs has an address of the user's, and asks for the rest (RFC 2131 3.4, 4.4.3):
 *
 *	INIT --address, wait--> INFORMING --ACK--> INFORMED --a day--> INFORMING --silence--> INIT
 *
 * The first offer that can be used is taken. A lease is checked as a whole when it comes: what is
 * not an address of a host, has no end or no server, changes nothing. Whoever fails waits longer
 * before each new beginning, until a lease was renewed.
 *
 * Sources: RFC 2131 3.1, 4.1 (retransmission), 4.3.2 (what each REQUEST holds), 4.4 (the states),
 * 4.4.5 (times); RFC 4361 (identity); RFC 6842 (identity in answers); RFC 5227 2.1 (probing, which
 * is dad.c's).
 */
#include "dhcp.h"

enum { REQUESTS_MAX = 4 }; /* 4 + 8 + 16 + 32 s: RFC 2131 3.1 (5) */
enum { RETRY_S = 4, RETRY_SHIFT_MAX = 4 };
/* What was told by the way has no end; as of DHCPv6 (RFC 8415 21.23) it is asked for once a day. */
#define INFORM_REFRESH (86400 * TERN_SEC)
#define INFORM_AGAIN (3600 * TERN_SEC) /* when nobody has answered */
#define RENEW_MIN (60 * TERN_SEC)
#define DECLINE_WAIT (10 * TERN_SEC)
#define T1_LEAST (10 * TERN_SEC) /* an address must have been found good before it speaks */

/* ---- birth and death ---- */

static tern_time first_delay(struct net *net, uint32_t delay_ms)
{
	tern_time most = delay_ms * TERN_MS, least = most / 10;

	return least + rand_below(net->rand, most - least + 1);
}

struct dhcp4_client *dhcp4_new(struct net *net, const struct dhcp_parts *parts)
{
	const struct iface *i = iface_get(net, parts->ifindex);
	struct dhcp4_client *c = mem_new(net->mem, sizeof(*c));
	struct dhcp6_duid duid;

	if (!c)
		return NULL;
	*c = (struct dhcp4_client){ .ifindex = i->index,
				    .link_is_down = !iface_is_up(i),
				    .informs = parts->informs,
				    .delay_ms = parts->delay_ms };
	timer_init(&c->timer, parts->timer_kind);
	memcpy(c->mac, i->cfg.mac, 6);
	c->max_len = (uint16_t)MIN(MAX(i->cfg.mtu, 576), 1500);
	duid = dhcp_duid(net, c->mac);
	c->client_id.b[0] = 255; /* RFC 4361 6.1 */
	put_be32(c->client_id.b + 1, dhcp_iaid(c->mac));
	memcpy(c->client_id.b + 5, duid.b, duid.len);
	c->client_id.len = (uint8_t)(5 + duid.len);
	if (!c->link_is_down && !c->informs)
		timers_arm(net->timers, &c->timer,
			   net->timers->now + first_delay(net, c->delay_ms));
	return c;
}

void dhcp4_free(struct net *net, struct dhcp4_client *c)
{
	if (!c)
		return;
	timers_disarm(net->timers, &c->timer);
	mem_free(net->mem, c, sizeof(*c));
}

/* ---- to another state ---- */

static void arm4(struct net *net, struct dhcp4_client *c, tern_time at)
{
	if (at == TERN_NEVER)
		timers_disarm(net->timers, &c->timer);
	else
		timers_arm(net->timers, &c->timer, at);
}

/* Without a lease. Returns the acts that belong to it. */
static unsigned begin_anew(struct net *net, struct dhcp4_client *c, tern_time wait_min)
{
	tern_time pause = dhcp_pause(net, c->n_failures);
	bool had_lease = c->lease.ip != 0;

	c->n_failures = (uint8_t)MIN(c->n_failures + 1, 255);
	c->state = DHCP4_INIT;
	c->lease = (struct dhcp4_lease){ .ip = 0 };
	arm4(net, c, c->link_is_down ? TERN_NEVER : net->timers->now + MAX(pause, wait_min));
	return had_lease ? DHCP_DROP : DHCP_NOTHING;
}

/* The lease is in use: until T1, or T2, or its end, whichever is next. */
static void rest_until_t1(struct net *net, struct dhcp4_client *c)
{
	c->state = DHCP4_BOUND;
	arm4(net, c, c->lease.t1_at);
}

static void begin_exchange4(struct net *net, struct dhcp4_client *c, enum dhcp4_state state)
{
	c->state = (uint8_t)state;
	c->n_sent = 0;
	c->xid = rand_u32(net->rand);
	c->began_at = net->timers->now;
}

/* ---- sending, and when again ---- */

/* RFC 2131 4.1: 4, 8, 16, 32, 64 s, each up to a second more or less. */
static tern_time back_off4(struct net *net, unsigned n_before)
{
	tern_time whole = RETRY_S * TERN_SEC << MIN(n_before, RETRY_SHIFT_MAX);

	return whole - TERN_SEC + rand_below(net->rand, 2 * TERN_SEC + 1);
}

/* 4.4.5: half of what remains, a minute at least, and not beyond the end of the state. */
static tern_time renew_again_at(const struct net *net, tern_time end)
{
	tern_time now = net->timers->now, half = end == TERN_NEVER ? TERN_NEVER : (end - now) / 2;

	if (half == TERN_NEVER || half < RENEW_MIN)
		return end - now < RENEW_MIN ? end : now + RENEW_MIN;
	return now + half;
}

static unsigned send4(struct net *net, struct dhcp4_client *c, enum dhcp4_type type)
{
	tern_time now = net->timers->now;

	c->sends = (uint8_t)type;
	/* 3.1 (3): a REQUEST says what the DISCOVER before it said */
	if (c->state != DHCP4_REQUESTING)
		c->secs = (uint16_t)MIN((now - c->began_at) / TERN_SEC, 0xffff);
	if (c->state == DHCP4_RENEWING)
		arm4(net, c, renew_again_at(net, c->lease.t2_at));
	else if (c->state == DHCP4_REBINDING)
		arm4(net, c, renew_again_at(net, c->lease.expires_at));
	else
		arm4(net, c, now + back_off4(net, c->n_sent));
	c->n_sent = (uint8_t)MIN(c->n_sent + 1, 255);
	return DHCP_SEND;
}

static unsigned on_renew_timer(struct net *net, struct dhcp4_client *c)
{
	tern_time now = net->timers->now;

	if (now >= c->lease.expires_at)
		return begin_anew(net, c, 0);
	if (now >= c->lease.t2_at && c->state != DHCP4_REBINDING)
		begin_exchange4(net, c, DHCP4_REBINDING);
	else if (c->state == DHCP4_BOUND)
		begin_exchange4(net, c, DHCP4_RENEWING);
	return send4(net, c, DHCP4_REQUEST);
}

/* 3.2 (4): nobody answers; the lease holds all the same. */
static unsigned on_reboot_timer(struct net *net, struct dhcp4_client *c)
{
	if (net->timers->now >= c->lease.expires_at)
		return begin_anew(net, c, 0);
	if (c->n_sent < REQUESTS_MAX)
		return send4(net, c, DHCP4_REQUEST);
	rest_until_t1(net, c);
	return DHCP_NOTHING;
}

static unsigned on_inform_timer(struct net *net, struct dhcp4_client *c)
{
	if (c->state == DHCP4_INFORMING && c->n_sent >= REQUESTS_MAX) { /* 4.4.3 */
		c->state = DHCP4_INIT;
		arm4(net, c, net->timers->now + INFORM_AGAIN);
		return DHCP_NOTHING;
	}
	if (c->state != DHCP4_INFORMING)
		begin_exchange4(net, c, DHCP4_INFORMING);
	return send4(net, c, DHCP4_INFORM);
}

unsigned dhcp4_on_timer(struct net *net, struct dhcp4_client *c)
{
	if (c->informs)
		return on_inform_timer(net, c);
	switch ((enum dhcp4_state)c->state) {
	case DHCP4_INIT:
		begin_exchange4(net, c, DHCP4_SELECTING);
		return send4(net, c, DHCP4_DISCOVER);
	case DHCP4_SELECTING:
		return send4(net, c, DHCP4_DISCOVER);
	case DHCP4_REQUESTING:
		return c->n_sent < REQUESTS_MAX ? send4(net, c, DHCP4_REQUEST) :
						  begin_anew(net, c, 0);
	case DHCP4_BOUND:
	case DHCP4_RENEWING:
	case DHCP4_REBINDING:
		return on_renew_timer(net, c);
	case DHCP4_INIT_REBOOT: /* the lease has ended while the link was down */
		return begin_anew(net, c, 0);
	case DHCP4_REBOOTING:
		return on_reboot_timer(net, c);
	case DHCP4_INFORMING:
	case DHCP4_INFORMED:
	case DHCP4_N_STATES:
		break;
	}
	return DHCP_NOTHING;
}

/* ---- what a lease must be ---- */

/* What it is without option 1, or with one that cannot be: the class of old. */
static uint32_t mask_of(const struct dhcp4 *m)
{
	bool is_contiguous = (~m->mask & (~m->mask + 1)) == 0;

	if (m->mask && is_contiguous)
		return m->mask;
	return m->yiaddr >> 31 == 0 ? 0xff000000 : m->yiaddr >> 30 == 2 ? 0xffff0000 : 0xffffff00;
}

/* Neither the network's own address nor its broadcast address, where it has these (RFC 3021). */
static bool is_inside(uint32_t ip, uint32_t mask)
{
	uint32_t host = ip & ~mask;

	return ~mask < 3 || (host != 0 && host != ~mask);
}

static bool is_offer_good(const struct dhcp4 *m)
{
	return dhcp4_is_for_a_host(m->yiaddr) && dhcp4_is_for_a_host(m->server) &&
	       is_inside(m->yiaddr, mask_of(m));
}

/* 4.4.5: with some fuzz, so that clients that began together do not go on so: up to 1/32 sooner. */
static tern_time fuzzed(struct net *net, tern_time t)
{
	return t - rand_below(net->rand, t / 32 + 1);
}

static void set_times(struct net *net, struct dhcp4_lease *l, const struct dhcp4 *m)
{
	tern_time now = net->timers->now, whole = m->lease * TERN_SEC;
	tern_time t1 = whole / 2, t2 = whole / 8 * 7;

	l->t1_at = l->t2_at = l->expires_at = TERN_NEVER;
	if (m->lease == DHCP_FOREVER)
		return;
	if (m->t1 && m->t1 < m->t2 && m->t2 < m->lease) {
		t1 = m->t1 * TERN_SEC;
		t2 = m->t2 * TERN_SEC;
	}
	t2 = fuzzed(net, t2);
	t1 = MIN(MAX(fuzzed(net, t1), T1_LEAST), t2);
	l->t1_at = now + t1;
	l->t2_at = now + t2;
	l->expires_at = now + whole;
}

/* ---- messages ---- */

/* RFC 2131 4.4.1: also what came for another client. */
static bool is_for_us4(const struct dhcp4_client *c, const struct dhcp4 *m)
{
	return m->is_reply && m->xid == c->xid && memcmp(m->mac, c->mac, 6) == 0 &&
	       (m->client_id.len == 0 || /* RFC 6842 3 */
		(m->client_id.len == c->client_id.len &&
		 memcmp(m->client_id.b, c->client_id.b, m->client_id.len) == 0));
}

static unsigned on_offer(struct net *net, struct dhcp4_client *c, const struct dhcp4 *m)
{
	if (c->state != DHCP4_SELECTING || !is_offer_good(m))
		return DHCP_NOTHING;
	c->offered = m->yiaddr;
	c->offered_by = m->server;
	c->state = DHCP4_REQUESTING;
	c->n_sent = 0;
	return send4(net, c, DHCP4_REQUEST);
}

/* Is it what was asked for, from whom it was asked for? */
static bool is_answer_to_us(const struct dhcp4_client *c, const struct dhcp4 *m)
{
	bool is_ack = m->type == DHCP4_ACK;

	switch ((enum dhcp4_state)c->state) {
	case DHCP4_REQUESTING:
		return m->server == c->offered_by && (!is_ack || m->yiaddr == c->offered);
	case DHCP4_RENEWING:
		return m->server == c->lease.server && (!is_ack || m->yiaddr == c->lease.ip);
	case DHCP4_REBINDING:
	case DHCP4_REBOOTING:
		return !is_ack || m->yiaddr == c->lease.ip;
	default:
		return false;
	}
}

static bool says_other_routes(const struct dhcp4_lease *l, const struct dhcp4 *m)
{
	return l->ip == 0 || memcmp(&l->routers, &m->routers, sizeof(l->routers)) != 0 ||
	       memcmp(&l->routes, &m->routes, sizeof(l->routes)) != 0;
}

static unsigned on_ack(struct net *net, struct dhcp4_client *c, const struct dhcp4 *m)
{
	if (!is_answer_to_us(c, m) || !is_offer_good(m) || m->lease == 0)
		return DHCP_NOTHING;
	if (c->state != DHCP4_REQUESTING)
		c->n_failures = 0;
	c->routes_are_new = c->routes_are_new || says_other_routes(&c->lease, m);
	c->lease = (struct dhcp4_lease){ .ip = m->yiaddr,
					 .mask = mask_of(m),
					 .server = m->server,
					 .routers = m->routers,
					 .routes = m->routes };
	c->last_ip = m->yiaddr;
	set_times(net, &c->lease, m);
	rest_until_t1(net, c);
	return DHCP_TAKE;
}

/* 4.3.5: no address and no times are in it; who fills them in all the same says nothing by that. */
static unsigned on_informed(struct net *net, struct dhcp4_client *c, const struct dhcp4 *m)
{
	if (!dhcp4_is_for_a_host(m->server) || (m->ciaddr && m->ciaddr != c->own))
		return DHCP_NOTHING;
	c->lease = (struct dhcp4_lease){ .routers = m->routers, .routes = m->routes };
	c->state = DHCP4_INFORMED;
	arm4(net, c, net->timers->now + INFORM_REFRESH);
	return DHCP_TAKE;
}

static unsigned on_nak(struct net *net, struct dhcp4_client *c, const struct dhcp4 *m)
{
	if (!is_answer_to_us(c, m) || m->server == 0) /* table 3: a NAK says who sends it */
		return DHCP_NOTHING;
	c->last_ip = 0;
	return begin_anew(net, c, 0);
}

unsigned dhcp4_input(struct net *net, struct dhcp4_client *c, const struct dhcp4 *m)
{
	if (!is_for_us4(c, m))
		return DHCP_NOTHING;
	switch (m->type) {
	case DHCP4_OFFER:
		return on_offer(net, c, m);
	case DHCP4_ACK:
		return c->state == DHCP4_INFORMING ? on_informed(net, c, m) : on_ack(net, c, m);
	case DHCP4_NAK:
		return on_nak(net, c, m);
	default:
		return DHCP_NOTHING;
	}
}

/* ---- other news ---- */

unsigned dhcp4_on_link(struct net *net, struct dhcp4_client *c, bool is_up)
{
	c->link_is_down = !is_up;
	c->n_failures = 0;
	if (!is_up) {
		c->state = c->lease.ip ? DHCP4_INIT_REBOOT : DHCP4_INIT;
		arm4(net, c, c->lease.ip ? c->lease.expires_at : TERN_NEVER);
		return DHCP_NOTHING;
	}
	if (!c->lease.ip) {
		if (!c->informs || c->own)
			arm4(net, c, net->timers->now + rand_below(net->rand, TERN_SEC));
		return DHCP_NOTHING;
	}
	begin_exchange4(net, c, DHCP4_REBOOTING);
	return send4(net, c, DHCP4_REQUEST);
}

unsigned dhcp4_on_own_address(struct net *net, struct dhcp4_client *c, uint32_t ip)
{
	if (!c->informs || ip == c->own)
		return DHCP_NOTHING;
	c->own = ip;
	c->state = DHCP4_INIT;
	arm4(net, c,
	     ip && !c->link_is_down ? net->timers->now + first_delay(net, c->delay_ms) :
				      TERN_NEVER);
	return ip ? DHCP_NOTHING : DHCP_DROP;
}

unsigned dhcp4_on_conflict(struct net *net, struct dhcp4_client *c)
{
	c->offered = c->lease.ip;
	c->offered_by = c->lease.server;
	c->xid = rand_u32(net->rand);
	c->sends = DHCP4_DECLINE;
	c->last_ip = 0;
	return begin_anew(net, c, DECLINE_WAIT) | DHCP_SEND; /* 3.1 (5) */
}

void dhcp4_forget(struct net *net, struct dhcp4_client *c)
{
	begin_anew(net, c, 0);
}

unsigned dhcp4_end(struct net *net, struct dhcp4_client *c)
{
	timers_disarm(net->timers, &c->timer);
	if (!c->lease.ip)
		return c->informs ? DHCP_DROP : DHCP_NOTHING;
	c->xid = rand_u32(net->rand);
	c->sends = DHCP4_RELEASE;
	return c->link_is_down ? DHCP_DROP : DHCP_SEND | DHCP_DROP;
}

/* ---- what is sent ---- */

/* 4.3.2: the REQUEST of each state. */
static void say_what_is_requested(const struct dhcp4_client *c, struct dhcp4 *m,
				  struct dhcp4_path *path)
{
	if (c->state == DHCP4_REQUESTING) {
		m->requested = c->offered;
		m->server = c->offered_by;
	} else if (c->state == DHCP4_REBOOTING) {
		m->requested = c->lease.ip;
	} else {
		m->ciaddr = path->src = c->lease.ip;
		if (c->state == DHCP4_RENEWING)
			path->dst = c->lease.server;
	}
}

/* Table 5: what only a REQUEST, a DISCOVER and an INFORM say. */
static void say_what_we_want(const struct dhcp4_client *c, struct dhcp4 *m)
{
	static const struct dhcp4_bytes asked = {
		10,
		/* RFC 3442: routes before routers */
		{ DHCP4_OPT_MASK, DHCP4_OPT_ROUTES, DHCP4_OPT_ROUTERS, DHCP4_OPT_DNS,
		  DHCP4_OPT_DOMAIN, DHCP4_OPT_MTU, DHCP4_OPT_NTP, DHCP4_OPT_SEARCH, DHCP4_OPT_T1,
		  DHCP4_OPT_T2 }
	};

	m->asked = asked;
	if (c->informs) /* without a lease it has no times */
		m->asked.len -= 2;
	m->max_len = c->max_len;
	m->secs = c->secs;
}

void dhcp4_output(const struct dhcp4_client *c, struct dhcp4 *m, struct dhcp4_path *path)
{
	*m = (struct dhcp4){ .type = c->sends, .xid = c->xid, .client_id = c->client_id };
	memcpy(m->mac, c->mac, 6);
	*path = (struct dhcp4_path){ 0, 0xffffffff };
	switch (c->sends) {
	case DHCP4_DISCOVER:
		say_what_we_want(c, m);
		m->requested = c->last_ip;
		break;
	case DHCP4_REQUEST:
		say_what_we_want(c, m);
		say_what_is_requested(c, m, path);
		break;
	case DHCP4_INFORM: /* 4.4.3: by broadcast, since no server is known */
		say_what_we_want(c, m);
		m->ciaddr = path->src = c->own;
		break;
	case DHCP4_DECLINE:
		m->requested = c->offered;
		m->server = c->offered_by;
		break;
	case DHCP4_RELEASE:
		m->ciaddr = path->src = c->lease.ip;
		m->server = path->dst = c->lease.server;
		break;
	}
}

bool dhcp4_awaits(const struct dhcp4_client *c, uint32_t dst)
{
	if (c->state == DHCP4_SELECTING)
		return dhcp4_is_for_a_host(dst);
	return c->state == DHCP4_REQUESTING && dst == c->offered;
}
