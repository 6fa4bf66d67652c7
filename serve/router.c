/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * router.c - a router's side of advertisements, for one link.
 *
 * One message says all: to everybody, now and then, sooner at the beginning and when somebody asks,
 * and never twice in three seconds. Who asks in bad form is not heard. When the server ends it says
 * that it is no router any more.
 *
 * Sources: RFC 4861 6.1.1 (valid solicitations), 6.2.1 to 6.2.6, 10 (constants); RFC 4191 2.3;
 * RFC 8106 5.1, 5.2.
 */
#include "serve.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_INTERVAL_S = 600, MAX_INTERVAL_LEAST_S = 4, MAX_INTERVAL_MOST_S = 1800 };
enum { INITIAL_ADVERTS = 3, INITIAL_INTERVAL_MAX_S = 16 };
#define ANSWER_DELAY_MAX (500 * TERN_MS)
#define BETWEEN_ADVERTS (3 * TERN_SEC)
enum { ADVERT_MAX = 1232 }; /* what every link takes whole, without the IPv6 header */

struct router {
	struct tern_stack *st;
	struct router_config cfg;
	tern_sock sock;
	struct tern_addr self; /* its link-local address */
	uint8_t mac[6];
	uint64_t noise;
	unsigned n_sent;
	tern_time sent_at, next_at;
};

/* ---- chance: splitmix64 ---- */

static tern_time draw_below(struct router *r, tern_time n)
{
	uint64_t z = r->noise += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (z ^ z >> 31) % n;
}

/* ---- what it says ---- */

static uint32_t default_lifetime(const struct router *r)
{
	return 3 * r->cfg.max_interval_s;
}

static size_t emit_mac(const struct router *r, uint8_t *p)
{
	p[0] = ND_SOURCE_MAC;
	p[1] = 1;
	memcpy(p + 2, r->mac, 6);
	return 8;
}

static size_t emit_mtu(uint32_t mtu, uint8_t *p)
{
	memset(p, 0, 8);
	p[0] = ND_MTU;
	p[1] = 1;
	put_be32(p + 4, mtu);
	return 8;
}

static size_t emit_route(const struct nd_route *route, uint8_t *p)
{
	memset(p, 0, 24);
	p[0] = ND_ROUTE;
	p[1] = 3;
	p[2] = route->len;
	p[3] = (uint8_t)((route->preference & 3) << 3);
	put_be32(p + 4, route->lifetime);
	memcpy(p + 8, route->prefix.b, 16);
	return 24;
}

static size_t emit_servers(const struct router *r, uint8_t *p)
{
	memset(p, 0, 8);
	p[0] = ND_RDNSS;
	p[1] = (uint8_t)(1 + 2 * r->cfg.n_servers);
	put_be32(p + 4, default_lifetime(r));
	for (unsigned i = 0; i < r->cfg.n_servers; i++)
		memcpy(p + 8 + 16 * i, r->cfg.servers[i].ip, 16);
	return p[1] * 8u;
}

/* Labels, then a root; false: no name that can be written. */
static bool emit_name(const char *name, uint8_t *out, size_t *at, size_t room)
{
	while (*name) {
		size_t len = strcspn(name, ".");

		if (len == 0 || len > 63 || *at + len + 2 > room)
			return false;
		out[(*at)++] = (uint8_t)len;
		memcpy(out + *at, name, len);
		*at += len;
		name += len;
		name += *name == '.';
	}
	out[(*at)++] = 0;
	return true;
}

/* 0: a name is no name, or there are too many. */
static size_t emit_search(const struct router *r, uint8_t *p, size_t room)
{
	size_t len = 8;

	if (room < 8)
		return 0;
	memset(p, 0, room);
	p[0] = ND_DNSSL;
	put_be32(p + 4, default_lifetime(r));
	for (unsigned i = 0; i < r->cfg.n_domains; i++)
		if (!emit_name(r->cfg.domains[i], p, &len, room))
			return 0;
	len = (len + 7) / 8 * 8;
	if (len > room || len > 255 * 8u)
		return 0;
	p[1] = (uint8_t)(len / 8);
	return len;
}

/* The whole message in out[ADVERT_MAX]; 0: it does not fit. */
static size_t make_advert(const struct router *r, bool ends, uint8_t *out)
{
	const struct router_config *c = &r->cfg;
	struct ra says = c->says;
	size_t len, search;

	if (ends)
		says.lifetime = 0;
	len = ra_emit(&says, out);
	len += emit_mac(r, out + len);
	if (c->mtu)
		len += emit_mtu(c->mtu, out + len);
	for (unsigned i = 0; i < c->n_prefixes; i++)
		len += nd_prefix_emit(&c->prefixes[i], out + len);
	for (unsigned i = 0; i < c->n_routes; i++)
		len += emit_route(&c->routes[i], out + len);
	if (c->n_servers)
		len += emit_servers(r, out + len);
	if (!c->n_domains)
		return len;
	search = emit_search(r, out + len, ADVERT_MAX - len);
	return search ? len + search : 0;
}

static void say(struct router *r, bool ends)
{
	uint8_t message[ADVERT_MAX];
	struct tern_iovec iov = { message, make_advert(r, ends, message) };
	struct tern_msg m;

	tern_msg_init(&m, &iov, 1);
	tern_addr_parse("ff02::1", 0, &m.addr);
	m.addr.scope_id = r->cfg.ifindex;
	m.local = r->self;
	m.ttl = 255;
	tern_sendmsg(r->st, r->sock, &m, 0);
	r->sent_at = tern_now(r->st);
}

/* 6.2.4: between a third of the longest interval and all of it, but soon at first. */
static void plan_next(struct router *r)
{
	tern_time longest = r->cfg.max_interval_s * TERN_SEC, least = longest / 3;
	tern_time interval = least + draw_below(r, longest - least + 1);

	if (r->n_sent < INITIAL_ADVERTS && interval > INITIAL_INTERVAL_MAX_S * TERN_SEC)
		interval = INITIAL_INTERVAL_MAX_S * TERN_SEC;
	r->next_at = r->sent_at + interval;
}

void router_advance(struct router *r)
{
	if (tern_now(r->st) < r->next_at)
		return;
	say(r, false);
	r->n_sent++;
	plan_next(r);
}

tern_time router_deadline(const struct router *r)
{
	return r->next_at;
}

/* ---- who asks ---- */

/* 6.1.1; the checksum was the stack's to verify. */
static bool is_valid_question(const uint8_t *p, size_t len, const struct tern_msg *m)
{
	static const uint8_t nobody[16];
	struct nd_option o;
	size_t at = RS_LEN;

	if (len < RS_LEN || m->ttl != 255 || p[1] != 0 || !nd_options_are_sound(p, len, RS_LEN))
		return false;
	while (nd_option_next(p, len, &at, &o))
		if (o.type == ND_SOURCE_MAC && memcmp(m->addr.ip, nobody, 16) == 0)
			return false;
	return true;
}

/* 6.2.6: after a moment, not too soon after the last, and not later than planned. */
static void answer(struct router *r)
{
	tern_time at = tern_now(r->st) + draw_below(r, ANSWER_DELAY_MAX + 1);

	if (r->n_sent && at < r->sent_at + BETWEEN_ADVERTS)
		at = r->sent_at + BETWEEN_ADVERTS;
	if (at < r->next_at)
		r->next_at = at;
}

bool router_on_event(struct router *r, const struct tern_event *e)
{
	uint8_t bytes[256];
	struct tern_iovec iov = { bytes, sizeof(bytes) };
	struct tern_msg m;
	int64_t len;

	if (e->sock != r->sock)
		return false;
	for (;;) {
		tern_msg_init(&m, &iov, 1);
		len = tern_recvmsg(r->st, r->sock, &m, 0);
		if (len == -TERN_EAGAIN)
			return true;
		if (len > 0 && !(m.flags & TERN_MSG_TRUNC) &&
		    is_valid_question(bytes, (size_t)len, &m))
			answer(r);
	}
}

/* ---- beginning and end ---- */

static bool find_link_local(struct router *r)
{
	struct tern_iface_addr a;
	unsigned cursor = 0;

	while (tern_addr_next(r->st, &cursor, &a)) {
		if (a.ifindex != r->cfg.ifindex || a.addr.family != TERN_AF_INET6 ||
		    a.addr.ip[0] != 0xfe || (a.addr.ip[1] & 0xc0) != 0x80)
			continue;
		r->self = a.addr;
		r->self.scope_id = r->cfg.ifindex;
		return true;
	}
	return false;
}

static bool set_int(struct router *r, int level, int name, int32_t v)
{
	return tern_setsockopt(r->st, r->sock, level, name, &v, sizeof(v)) == 0;
}

static bool open_router(struct router *r)
{
	uint32_t blocked[8];
	struct {
		uint8_t group[16];
		uint32_t ifindex;
	} all_routers = { { 0xff, 0x02, [15] = 2 }, r->cfg.ifindex };

	memset(blocked, 0xff, sizeof(blocked));
	blocked[ICMP6_ROUTER_SOLICIT / 32] &= ~(1U << ICMP6_ROUTER_SOLICIT % 32);
	return tern_socket(r->st, TERN_AF_INET6, TERN_SOCK_RAW, TERN_IPPROTO_ICMPV6, &r->sock) ==
		       0 &&
	       tern_setsockopt(r->st, r->sock, TERN_IPPROTO_ICMPV6, TERN_ICMPV6_FILTER, blocked,
			       sizeof(blocked)) == 0 &&
	       set_int(r, TERN_SOL_SOCKET, TERN_SO_BINDTOIFINDEX, (int32_t)r->cfg.ifindex) &&
	       set_int(r, TERN_IPPROTO_IPV6, TERN_IPV6_MULTICAST_LOOP, 0) &&
	       tern_setsockopt(r->st, r->sock, TERN_IPPROTO_IPV6, TERN_IPV6_ADD_MEMBERSHIP,
			       &all_routers, sizeof(all_routers)) == 0;
}

static bool is_sane(const struct router_config *c)
{
	return c->n_prefixes <= ROUTER_LIST_MAX && c->n_routes <= ROUTER_LIST_MAX &&
	       c->n_servers <= ROUTER_LIST_MAX && c->n_domains <= ROUTER_LIST_MAX &&
	       c->max_interval_s >= MAX_INTERVAL_LEAST_S &&
	       c->max_interval_s <= MAX_INTERVAL_MOST_S;
}

struct router *router_new(struct tern_stack *st, const struct router_config *cfg)
{
	uint8_t message[ADVERT_MAX];
	struct tern_iface iface;
	struct router *r;

	if (tern_iface_get(st, cfg->ifindex, &iface) || iface.link != TERN_LINK_ETHERNET)
		return NULL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	*r = (struct router){ .st = st, .cfg = *cfg, .noise = cfg->seed };
	if (!r->cfg.max_interval_s)
		r->cfg.max_interval_s = MAX_INTERVAL_S;
	memcpy(r->mac, iface.mac, 6);
	if (!is_sane(&r->cfg) || !make_advert(r, false, message) || !find_link_local(r) ||
	    !open_router(r)) {
		if (r->sock)
			tern_close(st, r->sock);
		free(r);
		return NULL;
	}
	r->next_at = tern_now(st) + draw_below(r, ANSWER_DELAY_MAX + 1);
	return r;
}

void router_free(struct router *r)
{
	if (!r)
		return;
	if (r->n_sent)
		say(r, true);
	tern_close(r->st, r->sock);
	free(r);
}
