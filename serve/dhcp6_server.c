/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp6_server.c - a DHCP server of IPv6 for one link.
 *
 * One address for each client, or none (then it only says what else there is to know). What was not
 * given is NoBinding; an address of another link is NotOnLink.
 *
 * Sources: RFC 8415 16 (which messages are valid), 18.3 (the server), 21.13 (status codes).
 */
#include "serve.h"

#include <stdlib.h>

#define ADVERTISED_TIME (60 * TERN_SEC)
#define DECLINED_TIME6 (3600 * TERN_SEC)
enum { PREFIX_LEN = 64 };

struct dhcp6_server {
	struct tern_stack *st;
	struct dhcp6_server_config cfg;
	tern_sock sock;
	struct pool pool;
	struct dhcp6_duid duid;
};

/* 7.1: All_DHCP_Relay_Agents_and_Servers, as struct ipv6_mreq has it. */
static bool join_servers(struct dhcp6_server *s)
{
	struct {
		uint8_t group[16];
		uint32_t ifindex;
	} mreq = { { 0xff, 0x02, [13] = 1, [15] = 2 }, s->cfg.ifindex };

	return tern_setsockopt(s->st, s->sock, TERN_IPPROTO_IPV6, TERN_IPV6_ADD_MEMBERSHIP, &mreq,
			       sizeof(mreq)) == 0;
}

static bool open_server6(struct dhcp6_server *s)
{
	struct tern_addr any = { .family = TERN_AF_INET6, .port = DHCP6_SERVER_PORT };
	int ifindex = (int)s->cfg.ifindex;

	return tern_socket(s->st, TERN_AF_INET6, TERN_SOCK_DGRAM, 0, &s->sock) == 0 &&
	       tern_setsockopt(s->st, s->sock, TERN_SOL_SOCKET, TERN_SO_BINDTOIFINDEX, &ifindex,
			       sizeof(ifindex)) == 0 &&
	       tern_bind(s->st, s->sock, &any) == 0 && join_servers(s);
}

struct dhcp6_server *dhcp6_server_new(struct tern_stack *st, const struct dhcp6_server_config *cfg)
{
	struct dhcp6_server *s;
	struct tern_iface iface;

	if (tern_iface_get(st, cfg->ifindex, &iface) || iface.link != TERN_LINK_ETHERNET)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	*s = (struct dhcp6_server){ .st = st, .cfg = *cfg, .duid = duid_from_mac(iface.mac) };
	if (!pool_init(&s->pool, cfg->n_addrs) || !open_server6(s)) {
		dhcp6_server_free(s);
		return NULL;
	}
	return s;
}

void dhcp6_server_free(struct dhcp6_server *s)
{
	if (!s)
		return;
	if (s->sock)
		tern_close(s->st, s->sock);
	pool_fini(&s->pool);
	free(s);
}

/* ---- addresses and places ---- */

static struct addr address_at(const struct dhcp6_server *s, int at)
{
	struct addr a = addr_from6(s->cfg.first.ip);

	put_be32(a.b + 12, get_be32(a.b + 12) + (uint32_t)at);
	return a;
}

/* -1: not in the pool. */
static int place_of6(const struct dhcp6_server *s, const struct addr *a)
{
	uint32_t at = get_be32(a->b + 12) - get_be32(s->cfg.first.ip + 12);

	return memcmp(a->b, s->cfg.first.ip, 12) == 0 && at < s->pool.n ? (int)at : -1;
}

static bool is_on_link6(const struct dhcp6_server *s, const struct dhcp6_ia *ia)
{
	struct addr prefix = addr_from6(s->cfg.first.ip);

	for (unsigned i = 0; i < ia->n; i++)
		if (!addr_in_prefix(&ia->addr[i].addr, &prefix, PREFIX_LEN))
			return false;
	return true;
}

/* The one that is asked about; -1: none, or not in the pool. */
static int place_asked(const struct dhcp6_server *s, const struct dhcp6_ia *ia)
{
	return ia->n ? place_of6(s, &ia->addr[0].addr) : -1;
}

/* ---- answers ---- */

static struct dhcp6 begin_answer(const struct dhcp6_server *s, const struct dhcp6 *asked,
				 enum dhcp6_type type)
{
	struct dhcp6 m = s->cfg.says;

	m.type = (uint8_t)type;
	m.xid = asked->xid;
	m.client = asked->client;
	m.server = s->duid;
	m.ia = (struct dhcp6_ia){ .is_there = asked->ia.is_there, .iaid = asked->ia.iaid };
	m.has_refresh = m.has_refresh && asked->type == DHCP6_INFORM;
	m.preference = type == DHCP6_ADVERTISE ? m.preference : 0;
	return m;
}

/* `at` -1: no address for it. */
static void give_address(struct dhcp6_server *s, const struct dhcp6 *asked, struct dhcp6 *m, int at,
			 enum place_state state)
{
	tern_time now = tern_now(s->st), until = now + ADVERTISED_TIME;

	if (at < 0) {
		m->ia.status = DHCP6_NO_ADDRS_AVAIL;
		return;
	}
	if (state == PLACE_LEASED)
		until = s->cfg.valid == DHCP_FOREVER ? TERN_NEVER : now + s->cfg.valid * TERN_SEC;
	if (state == PLACE_LEASED || s->pool.place[at].state != PLACE_LEASED)
		pool_put(&s->pool, at, state, &asked->client, until);
	m->ia.t1 = s->cfg.says.ia.t1;
	m->ia.t2 = s->cfg.says.ia.t2;
	m->ia.n = 1;
	m->ia.addr[0] = (struct dhcp6_addr){ .addr = address_at(s, at),
					     .preferred = s->cfg.preferred,
					     .valid = s->cfg.valid };
}

/* ---- requests: false: nothing is answered ---- */

static bool on_solicit(struct dhcp6_server *s, const struct dhcp6 *m, struct dhcp6 *r)
{
	bool at_once = m->rapid_commit && s->cfg.rapid_commit;

	if (!m->ia.is_there)
		return false;
	*r = begin_answer(s, m, at_once ? DHCP6_REPLY : DHCP6_ADVERTISE);
	r->rapid_commit = at_once;
	give_address(s, m, r, pool_choose(&s->pool, &m->client, place_asked(s, &m->ia)),
		     at_once ? PLACE_LEASED : PLACE_OFFERED);
	return true;
}

static bool on_request6(struct dhcp6_server *s, const struct dhcp6 *m, struct dhcp6 *r)
{
	give_address(s, m, r, pool_choose(&s->pool, &m->client, place_asked(s, &m->ia)),
		     PLACE_LEASED);
	return m->ia.is_there;
}

static bool on_confirm(const struct dhcp6_server *s, const struct dhcp6 *m, struct dhcp6 *r)
{
	r->ia.is_there = false;
	r->status = is_on_link6(s, &m->ia) ? DHCP6_SUCCESS : DHCP6_NOT_ON_LINK;
	return m->ia.n > 0 && s->pool.n > 0;
}

static bool on_renewal(struct dhcp6_server *s, const struct dhcp6 *m, struct dhcp6 *r)
{
	int at = pool_find(&s->pool, &m->client);

	if (at >= 0 && place_asked(s, &m->ia) == at)
		give_address(s, m, r, at, PLACE_LEASED);
	else
		r->ia.status = DHCP6_NO_BINDING;
	return m->ia.is_there;
}

/* It comes back, or somebody else has it. */
static bool on_return(struct dhcp6_server *s, const struct dhcp6 *m, struct dhcp6 *r)
{
	static const struct dhcp6_duid nobody = { .len = 0 };
	int at = pool_find(&s->pool, &m->client);

	r->ia.is_there = false;
	if (at < 0 || place_asked(s, &m->ia) != at)
		return true;
	if (m->type == DHCP6_DECLINE)
		pool_put(&s->pool, at, PLACE_DECLINED, &nobody, tern_now(s->st) + DECLINED_TIME6);
	else
		s->pool.place[at].state = PLACE_FREE;
	return true;
}

/* 16: some name the server, some must not. */
static bool is_for_this_server(const struct dhcp6_server *s, const struct dhcp6 *m)
{
	bool is_ours =
		m->server.len == s->duid.len && memcmp(m->server.b, s->duid.b, s->duid.len) == 0;

	switch (m->type) {
	case DHCP6_SOLICIT:
	case DHCP6_CONFIRM:
	case DHCP6_REBIND:
		return m->client.len && !m->server.len;
	case DHCP6_INFORM:
		return !m->server.len || is_ours;
	default:
		return m->client.len && is_ours;
	}
}

static bool make_answer(struct dhcp6_server *s, const struct dhcp6 *m, struct dhcp6 *r)
{
	if (!is_for_this_server(s, m))
		return false;
	*r = begin_answer(s, m, DHCP6_REPLY);
	switch (m->type) {
	case DHCP6_SOLICIT:
		return on_solicit(s, m, r);
	case DHCP6_REQUEST:
		return on_request6(s, m, r);
	case DHCP6_CONFIRM:
		return on_confirm(s, m, r);
	case DHCP6_RENEW:
	case DHCP6_REBIND:
		return on_renewal(s, m, r);
	case DHCP6_RELEASE:
	case DHCP6_DECLINE:
		return on_return(s, m, r);
	case DHCP6_INFORM:
		return true;
	default:
		return false;
	}
}

static void send_answer6(struct dhcp6_server *s, const struct dhcp6 *m, const struct tern_addr *to)
{
	uint8_t buf[DHCP6_LEN_MAX];
	struct tern_iovec iov = { buf, dhcp6_emit(m, buf, sizeof(buf)) };
	struct tern_msg msg;

	if (iov.len == 0)
		return;
	tern_msg_init(&msg, &iov, 1);
	msg.addr = *to;
	msg.ifindex = s->cfg.ifindex;
	tern_sendmsg(s->st, s->sock, &msg, 0);
}

/* ---- time and news ---- */

bool dhcp6_server_on_event(struct dhcp6_server *s, const struct tern_event *ev)
{
	uint8_t buf[DHCP6_LEN_MAX];
	struct dhcp6 m, reply;
	struct tern_addr from;
	int64_t n;

	if (ev->sock != s->sock)
		return false;
	dhcp6_server_advance(s);
	while ((n = tern_recvfrom(s->st, s->sock, buf, sizeof(buf), 0, &from)) >= 0)
		if (dhcp6_parse(&m, buf, (size_t)n) && make_answer(s, &m, &reply))
			send_answer6(s, &reply, &from);
	return true;
}

void dhcp6_server_advance(struct dhcp6_server *s)
{
	pool_expire(&s->pool, tern_now(s->st));
}

tern_time dhcp6_server_deadline(const struct dhcp6_server *s)
{
	return pool_deadline(&s->pool);
}

const struct pool *dhcp6_server_pool(const struct dhcp6_server *s)
{
	return &s->pool;
}
