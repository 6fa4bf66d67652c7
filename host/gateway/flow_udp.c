/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow_udp.c - datagrams through the gateway.
 *
 * A flow is what goes between two endpoints; with a proxy it is all that one endpoint inside says,
 * because an association serves any number of far ends. It ends when nothing has come for a while:
 * soon, while nobody has answered and where names are asked for (port 53), else after udp_idle.
 * There is no back-pressure: a datagram that finds no room is lost, as on any hop.
 */
#include <errno.h>

#include "gateway_impl.h"

enum { UDP_SHARE = 64 };

struct udp_flow {
	struct flow f;
	struct relay relay;
	bool answered;
	size_t last_len; /* of what the inside said last */
};

static struct udp_flow *udp_flow_of(struct flow *f)
{
	return CONTAINER_OF(f, struct udp_flow, f);
}

static void touch(struct gateway *g, struct udp_flow *u)
{
	bool short_lived = !u->answered || u->f.outer.port == DNS_PORT;

	flow_set_age(g, &u->f, short_lived ? AGE_FRESH : AGE_IDLE);
}

/* ---- inwards ---- */

static void hand_in(struct gateway *g, struct udp_flow *u, const struct tern_addr *from, size_t off,
		    size_t len)
{
	struct tern_iovec iov = { g->scratch + off, len };
	struct tern_msg m;

	tern_msg_init(&m, &iov, 1);
	m.addr = u->f.inner;
	m.local = *from;
	u->answered = true;
	touch(g, u);
	if (tern_sendmsg(g->st, g->udp[from->family == TERN_AF_INET ? V4 : V6], &m, 0) >= 0)
		g->counts.bytes_in += len;
}

static void move_udp(struct gateway *g, struct flow *f)
{
	struct udp_flow *u = udp_flow_of(f);

	for (int i = 0; i < UDP_SHARE; i++) {
		struct tern_addr from = f->outer;
		size_t off;
		ssize_t n =
			relay_is_dead(&u->relay) ? -EPIPE : relay_recv(g, &u->relay, &off, &from);

		if (n == -EPIPE) {
			flow_end(g, f);
			return;
		}
		if (n == -ECONNREFUSED)
			raw_port_unreachable(g, &f->inner, &f->outer, u->last_len);
		if (n == -EAGAIN)
			return;
		if (n >= 0 && from.family == f->inner.family)
			hand_in(g, u, &from, off, (size_t)n);
	}
	flow_wake(g, f);
}

static void on_relay_ready(struct gateway *g, struct source *src, uint32_t events)
{
	(void)events;
	flow_wake(g, &CONTAINER_OF(src, struct udp_flow, relay.src)->f);
}

static void close_udp(struct gateway *g, struct flow *f)
{
	relay_end(g, &udp_flow_of(f)->relay);
}

static const struct flow_ops udp_ops = { FLOW_UDP, move_udp, flow_end, close_udp };

/* ---- outwards ---- */

static struct udp_flow *new_udp_flow(struct gateway *g, const struct tern_msg *m,
				     const struct flow_key *key)
{
	struct udp_flow *u = flow_new(g, &udp_ops, sizeof(*u));

	g->counts.udp++;
	if (!u) {
		g->counts.starved++;
		return NULL;
	}
	u->relay.src.on_ready = on_relay_ready;
	u->f.inner = m->addr;
	u->f.outer = m->local;
	flow_put(g, &u->f, key);
	return u;
}

static void hand_out(struct gateway *g, const struct tern_msg *m, size_t len)
{
	bool any = g->wish.socks.family && !is_own_address(g, &m->local);
	struct tern_addr nowhere = { .family = m->local.family };
	struct flow_key key = flow_key(FLOW_UDP, &m->addr, any ? &nowhere : &m->local);
	struct flow *f = flow_find(g, &key);
	struct udp_flow *u = f ? udp_flow_of(f) : new_udp_flow(g, m, &key);
	int err = 0;

	if (!u)
		return;
	u->f.outer = m->local;
	u->last_len = len;
	if (!f)
		err = relay_open(g, &u->relay, &m->local);
	if (!err) {
		touch(g, u);
		err = relay_send(g, &u->relay, &m->local, len);
		g->counts.bytes_out += err ? 0 : len;
		f = &u->f;
	}
	if (err == -ECONNREFUSED)
		raw_port_unreachable(g, &m->addr, &m->local, len);
	if (!f)
		flow_end(g, &u->f);
}

void udp_flows_take(struct gateway *g, unsigned family)
{
	struct tern_iovec iov = { g->scratch + SCRATCH_OFF, SCRATCH_CAP - SCRATCH_OFF };
	struct tern_msg m;
	int64_t n;

	for (;;) {
		tern_msg_init(&m, &iov, 1);
		n = tern_recvmsg(g->st, g->udp[family], &m, 0);
		if (n == -TERN_EAGAIN || n == -TERN_EBADF)
			return;
		if (n >= 0 && !(m.local.port == DNS_PORT && names_answer(g, &m, (size_t)n)))
			hand_out(g, &m, (size_t)n);
	}
}
