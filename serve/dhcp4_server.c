/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp4_server.c - a DHCP server of IPv4 for one network.
 *
 * It is the network's only one: what is asked for and was not given is refused (NAK), also when
 * nothing is known of the client. Who has no address yet is answered by broadcast.
 *
 * Sources: RFC 2131 4.3 (each message), 4.1 (where answers go), table 3 (what they hold); RFC 6842.
 */
#include "serve.h"

#include <stdlib.h>

#define OFFER_TIME (60 * TERN_SEC)
#define DECLINED_TIME (3600 * TERN_SEC)
enum { MESSAGE_MAX = 1472 };

struct dhcp4_server {
	struct tern_stack *st;
	struct dhcp4_server_config cfg;
	tern_sock sock;
	struct pool pool;
	uint32_t self, first;
};

static uint32_t number_of(const struct tern_addr *a)
{
	return get_be32(a->ip);
}

static bool open_server4(struct dhcp4_server *s)
{
	struct tern_addr any = tern_ip4(0, 0, 0, 0, DHCP4_SERVER_PORT);
	int on = 1, ifindex = (int)s->cfg.ifindex;

	return tern_socket(s->st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &s->sock) == 0 &&
	       tern_setsockopt(s->st, s->sock, TERN_SOL_SOCKET, TERN_SO_BROADCAST, &on,
			       sizeof(on)) == 0 &&
	       tern_setsockopt(s->st, s->sock, TERN_SOL_SOCKET, TERN_SO_BINDTOIFINDEX, &ifindex,
			       sizeof(ifindex)) == 0 &&
	       tern_bind(s->st, s->sock, &any) == 0;
}

struct dhcp4_server *dhcp4_server_new(struct tern_stack *st, const struct dhcp4_server_config *cfg)
{
	uint32_t first = number_of(&cfg->first), last = number_of(&cfg->last);
	struct dhcp4_server *s;

	if (last < first || last - first >= SERVE_POOL_MAX || cfg->says.lease == 0)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	*s = (struct dhcp4_server){
		.st = st, .cfg = *cfg, .self = number_of(&cfg->self), .first = first
	};
	if (!pool_init(&s->pool, last - first + 1) || !open_server4(s)) {
		dhcp4_server_free(s);
		return NULL;
	}
	return s;
}

void dhcp4_server_free(struct dhcp4_server *s)
{
	if (!s)
		return;
	if (s->sock)
		tern_close(s->st, s->sock);
	pool_fini(&s->pool);
	free(s);
}

/* ---- answers ---- */

/* RFC 2131 4.2: the identifier, or the hardware address. */
static struct dhcp6_duid key_of(const struct dhcp4 *m)
{
	struct dhcp6_duid key = { .len = 7, .b = { 1 } };

	memcpy(key.b + 1, m->mac, 6);
	if (m->client_id.len) {
		key.len = m->client_id.len;
		memcpy(key.b, m->client_id.b, key.len);
	}
	return key;
}

/* The place of an address; -1: not in the pool. */
static int place_of(const struct dhcp4_server *s, uint32_t ip)
{
	return ip >= s->first && ip - s->first < s->pool.n ? (int)(ip - s->first) : -1;
}

static void send_answer(struct dhcp4_server *s, const struct dhcp4 *asked, const struct dhcp4 *m)
{
	struct tern_addr to = tern_ip4(255, 255, 255, 255, DHCP4_CLIENT_PORT);
	uint8_t buf[MESSAGE_MAX];
	struct tern_iovec iov = { buf, dhcp4_emit(m, buf, sizeof(buf)) };
	struct tern_msg msg;

	if (iov.len == 0)
		return;
	if (asked->ciaddr && m->type != DHCP4_NAK)
		put_be32(to.ip, asked->ciaddr);
	tern_msg_init(&msg, &iov, 1);
	msg.addr = to;
	msg.local = s->cfg.self;
	msg.ifindex = s->cfg.ifindex;
	tern_sendmsg(s->st, s->sock, &msg, 0);
}

/* ip 0: an answer without an address, or a refusal. */
static void answer(struct dhcp4_server *s, const struct dhcp4 *asked, enum dhcp4_type type,
		   uint32_t ip)
{
	struct dhcp4 m = { .is_reply = true };

	if (type != DHCP4_NAK)
		m = s->cfg.says;
	m.is_reply = true;
	m.type = (uint8_t)type;
	m.xid = asked->xid;
	m.broadcast = asked->broadcast;
	m.ciaddr = type == DHCP4_NAK ? 0 : asked->ciaddr;
	m.yiaddr = ip;
	m.server = s->self;
	m.client_id = asked->client_id; /* RFC 6842 3 */
	memcpy(m.mac, asked->mac, 6);
	if (type != DHCP4_NAK && m.mask == 0)
		m.mask = s->cfg.prefix_len ? 0xffffffffu << (32 - s->cfg.prefix_len) : 0;
	if (!ip)
		m.lease = m.t1 = m.t2 = 0;
	send_answer(s, asked, &m);
}

/* ---- requests ---- */

static void on_discover(struct dhcp4_server *s, const struct dhcp4 *m)
{
	struct dhcp6_duid key = key_of(m);
	int at = pool_choose(&s->pool, &key, place_of(s, m->requested));

	if (at < 0)
		return;
	if (s->pool.place[at].state != PLACE_LEASED)
		pool_put(&s->pool, at, PLACE_OFFERED, &key, tern_now(s->st) + OFFER_TIME);
	answer(s, m, DHCP4_OFFER, s->first + (uint32_t)at);
}

static void on_request4(struct dhcp4_server *s, const struct dhcp4 *m)
{
	struct dhcp6_duid key = key_of(m);
	uint32_t wanted = m->ciaddr ? m->ciaddr : m->requested;
	int at = pool_find(&s->pool, &key);
	tern_time until = TERN_NEVER;

	if (m->server && m->server != s->self) { /* it has chosen another */
		if (at >= 0 && s->pool.place[at].state == PLACE_OFFERED)
			s->pool.place[at].state = PLACE_FREE;
		return;
	}
	if (at < 0 || place_of(s, wanted) != at) {
		answer(s, m, DHCP4_NAK, 0);
		return;
	}
	if (s->cfg.says.lease != DHCP_FOREVER)
		until = tern_now(s->st) + s->cfg.says.lease * TERN_SEC;
	pool_put(&s->pool, at, PLACE_LEASED, &key, until);
	answer(s, m, DHCP4_ACK, wanted);
}

static void on_decline(struct dhcp4_server *s, const struct dhcp4 *m)
{
	struct dhcp6_duid key = key_of(m);
	int at = pool_find(&s->pool, &key);

	if (at >= 0 && m->server == s->self && place_of(s, m->requested) == at) {
		key.len = 0; /* it is nobody's */
		pool_put(&s->pool, at, PLACE_DECLINED, &key, tern_now(s->st) + DECLINED_TIME);
	}
}

static void on_release(struct dhcp4_server *s, const struct dhcp4 *m)
{
	struct dhcp6_duid key = key_of(m);
	int at = pool_find(&s->pool, &key);

	if (at >= 0 && m->server == s->self && place_of(s, m->ciaddr) == at)
		s->pool.place[at].state = PLACE_FREE;
}

static void on_message4(struct dhcp4_server *s, const struct dhcp4 *m)
{
	if (m->is_reply || m->giaddr)
		return;
	switch (m->type) {
	case DHCP4_DISCOVER:
		on_discover(s, m);
		break;
	case DHCP4_REQUEST:
		on_request4(s, m);
		break;
	case DHCP4_DECLINE:
		on_decline(s, m);
		break;
	case DHCP4_RELEASE:
		on_release(s, m);
		break;
	case DHCP4_INFORM:
		answer(s, m, DHCP4_ACK, 0);
		break;
	}
}

/* ---- time and news ---- */

bool dhcp4_server_on_event(struct dhcp4_server *s, const struct tern_event *ev)
{
	uint8_t buf[MESSAGE_MAX];
	struct dhcp4 m;
	int64_t n;

	if (ev->sock != s->sock)
		return false;
	dhcp4_server_advance(s);
	while ((n = tern_recv(s->st, s->sock, buf, sizeof(buf), 0)) >= 0)
		if (dhcp4_parse(&m, buf, (size_t)n))
			on_message4(s, &m);
	return true;
}

void dhcp4_server_advance(struct dhcp4_server *s)
{
	pool_expire(&s->pool, tern_now(s->st));
}

tern_time dhcp4_server_deadline(const struct dhcp4_server *s)
{
	return pool_deadline(&s->pool);
}

const struct pool *dhcp4_server_pool(const struct dhcp4_server *s)
{
	return &s->pool;
}
