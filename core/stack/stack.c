/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stack.c - the stack as one value: made, moved through time, ended.
 */
#include "stack.h"

#include "../base/build.h"

/* ---- making ---- */

TERN_API const char *tern_config_fault(const struct tern_config *c)
{
	if (c->size != sizeof(*c))
		return "size";
	if (c->shard >= 256)
		return "shard";
	if (c->sockets_max == 0)
		return "sockets_max";
	if (c->memory_max < sizeof(struct tern_stack))
		return "memory_max";
	if (!cc_find(NULL, c->tcp_congestion_control))
		return "net.ipv4.tcp_congestion_control";
	return config_out_of_range(c);
}

static void draw_keys(struct tern_stack *st, const uint8_t seed[32])
{
	struct rand labels;

	rand_init(&st->rand, seed, 0);
	st->ss.isn_key = rand_sip_key(&st->rand);
	st->ss.port_key = rand_sip_key(&st->rand);
	rand_init(&labels, seed, 1);
	st->ss.label_key = rand_sip_key(&labels);
	st->ss.fast_open_hour = 0;
	memset(st->ss.cookie_keys, 0, sizeof(st->ss.cookie_keys));
}

void stack_copy_limits(struct tern_stack *st)
{
	const struct tern_config *c = &st->cfg;

	st->net_cfg = (struct net_config){
		.neighbours_max = c->neighbours_max,
		.neighbour_queue_max = c->neighbour_queue_max,
		.neighbour_reachable_ms = c->neighbour_reachable_ms,
		.neighbour_delay_ms = c->neighbour_delay_ms,
		.routes_max = c->routes_max,
		.addresses_max = c->addresses_max,
		.icmp_ratelimit_ms = c->icmp_ratelimit_ms,
		.icmp_burst = c->icmp_burst,
		.path_mtus_max = c->path_mtus_max,
		.path_mtu_min = c->path_mtu_min,
		.path_mtu_expires_ms = c->path_mtu_expires_ms,
		.group_sources_max = c->group_sources_max,
		.frag_memory_max = c->frag_memory_max,
		.frag_source_max = c->frag_source_max,
		.frag_time_ms = c->frag_time_ms,
		.routers_max = c->routers_max,
		.prefixes_max = c->prefixes_max,
		.servers_max = c->servers_max,
		.dad_transmits = c->dad_transmits,
		.use_tempaddr = c->use_tempaddr,
		.strong_host = c->strong_host,
	};
}

static bool init_parts(struct tern_stack *st)
{
	struct net_parts parts = { .mem = &st->mem,
				   .timers = &st->timers,
				   .rand = &st->rand,
				   .cfg = &st->net_cfg,
				   .timer_kind = TIMER_NEIGH,
				   .path_timer_kind = TIMER_PATH_MTU,
				   .life_timer_kind = TIMER_LIFE,
				   .dad_timer_kind = TIMER_DAD,
				   .frag_timer_kind = TIMER_FRAG,
				   .group_timer_kind = TIMER_GROUP,
				   .announce_timer_kind = TIMER_ANNOUNCE };
	struct sockets *ss = &st->ss;

	timers_init(&st->timers, 0);
	draw_keys(st, st->env.seed);
	ss->table_key = rand_sip_key(&st->rand);
	ss->ts_key = rand_sip_key(&st->rand);
	ss->mem = &st->mem;
	ss->timers = &st->timers;
	ss->net = &st->net;
	ss->rand = &st->rand;
	ss->cfg = &st->cfg;
	ss->env = &st->env;
	ss->counters = st->counters;
	ss->cc = cc_find(NULL, st->cfg.tcp_congestion_control);
	if (!net_init(&st->net, &parts))
		return false;
	if (!sockets_init(ss)) {
		net_fini(&st->net);
		return false;
	}
	return true;
}

/* As iface_add. */
static int add_iface(struct tern_stack *st, const struct tern_iface *cfg, unsigned index)
{
	int added = iface_add(&st->net, cfg, index);
	struct burst *b = added > 0 ? mem_new(&st->mem, sizeof(*b)) : NULL;

	if (added <= 0)
		return added;
	if (!b) {
		iface_del(&st->net, (unsigned)added);
		return -TERN_ENOMEM;
	}
	memset(b, 0, sizeof(*b));
	iface_get(&st->net, (unsigned)added)->burst = b;
	return added;
}

static bool add_lo(struct tern_stack *st)
{
	static const struct tern_iface lo = { "lo",
					      TERN_LINK_LOOPBACK,
					      65535,
					      TERN_IFACE_CSUM | TERN_IFACE_TSO4 | TERN_IFACE_TSO6,
					      { 0 } };
	struct tern_addr v4 = tern_ip4(127, 0, 0, 1, 0);
	struct tern_addr v6 = { .family = TERN_AF_INET6, .ip = { [15] = 1 } };
	struct addr a4, a6;

	addr_from_public(&a4, &v4);
	addr_from_public(&a6, &v6);
	return add_iface(st, &lo, LO_INDEX) == LO_INDEX &&
	       ifaddr_add(&st->net, LO_INDEX, &a4, 8) == 0 &&
	       (!build.ip6 || ifaddr_add(&st->net, LO_INDEX, &a6, 128) == 0);
}

TERN_API struct tern_stack *tern_new(const struct tern_config *cfg, const struct tern_env *env)
{
	struct tern_stack *st;

	if (tern_config_fault(cfg) || !env->alloc || !env->free)
		return NULL;
	st = env->alloc(env->ctx, sizeof(*st));
	if (!st)
		return NULL;
	memset(st, 0, sizeof(*st));
	st->env = *env;
	st->cfg = *cfg;
	if (!st->env.sum)
		st->env.sum = checksum_add;
	if (!st->env.copy_sum)
		st->env.copy_sum = checksum_copy_add;
	stack_copy_limits(st);
	mem_init(&st->mem, env->alloc, env->free, env->ctx, cfg->memory_max - sizeof(*st));
	if (!init_parts(st)) {
		mem_fini(&st->mem);
		env->free(env->ctx, st, sizeof(*st));
		return NULL;
	}
	if (!add_lo(st)) {
		tern_free(st);
		return NULL;
	}
	return st;
}

/* ---- ending ---- */

/* Sockets without a handle that still had something to send. */
static void drain_ready(struct tern_stack *st, struct list *ready)
{
	struct list *l;

	while ((l = list_take(ready))) {
		struct sock *s = CONTAINER_OF(l, struct sock, ready_link);

		if (s->index != NO_INDEX || s->in_accept_queue || s->t.in_table)
			continue;
		sock_free(&st->ss, s);
	}
}

static void drain_iface(struct tern_stack *st, struct iface *i)
{
	drain_ready(st, &i->ready);
	drain_ready(st, &i->cutting);
	pkt_queue_fini(&i->control, &st->mem);
}

static void end_iface(struct tern_stack *st, struct iface *i)
{
	if (st->configuring)
		st->configuring->forget(st, i);
	drain_iface(st, i);
	mem_free(&st->mem, i->burst, sizeof(*i->burst));
}

static void drain_neighbours(struct tern_stack *st)
{
	struct neigh *n;
	uint64_t cursor = 0;

	while ((n = neigh_walk(&st->net, &cursor))) {
		pkt_queue_fini(&n->queue, &st->mem);
		drain_ready(st, &n->waiters);
	}
}

TERN_API void tern_free(struct tern_stack *st)
{
	struct tern_env env;
	void *cookie;

	if (!st)
		return;
	env = st->env;
	st->env.trace = NULL;
	drain_neighbours(st);
	for (unsigned i = 1; i <= IFACES_MAX; i++)
		if (iface_get(&st->net, i))
			drain_iface(st, iface_get(&st->net, i));
	sockets_fini(&st->ss);
	for (unsigned i = 1; i <= IFACES_MAX; i++)
		if (iface_get(&st->net, i))
			end_iface(st, iface_get(&st->net, i));
	while (tern_reclaim(st, &cookie))
		continue;
	net_fini(&st->net);
	mem_fini(&st->mem);
	env.free(env.ctx, st, sizeof(*st));
}

TERN_API void tern_reseed(struct tern_stack *st, const uint8_t seed[32])
{
	memcpy(st->env.seed, seed, sizeof(st->env.seed));
	draw_keys(st, seed);
}

/* ---- time ---- */

enum { EXPIRIES_MAX = 4096 };

static void expire(struct tern_stack *st, struct timer *t)
{
	struct tcp_reply reply;

	switch ((enum timer_kind)t->kind) {
	case TIMER_SOCK:
		sock_tcp_on_timer(&st->ss, CONTAINER_OF(t, struct sock, timer));
		break;
	case TIMER_HALF:
		sock_half_on_timer(&st->ss, CONTAINER_OF(t, struct half, timer), &reply);
		if (reply.due)
			stack_send_reply(st, &reply);
		break;
	case TIMER_NEIGH:
		neighbour_on_timer(st, CONTAINER_OF(t, struct neigh, timer));
		break;
	case TIMER_PATH_MTU:
		path_mtu_expire(&st->net);
		break;
	case TIMER_GROUP:
		group_timer(st, CONTAINER_OF(t, struct group, timer));
		break;
	case TIMER_FRAG:
		fragment_on_timer(st);
		break;
	case TIMER_LIFE:
		net_on_life_timer(&st->net);
		break;
	case TIMER_DAD:
		detect_on_timer(st, CONTAINER_OF(t, struct dad, timer));
		break;
	case TIMER_ANNOUNCE:
		announce_on_timer(st, CONTAINER_OF(t, struct iface, announce_timer));
		break;
	case TIMER_SLAAC:
	case TIMER_DHCP4:
	case TIMER_DHCP6:
	case TIMER_LINK_LOCAL4:
		st->configuring->on_timer(st, t);
		break;
	case TIMER_MEMORY:
		sock_memory_on_timer(&st->ss);
		break;
	case TIMER_TIME_WAIT:
		sock_time_wait_on_timer(&st->ss);
		break;
	}
}

TERN_API void tern_advance(struct tern_stack *st, tern_time now)
{
	struct timer *t;

	if (now > st->timers.now) {
		timers_advance(&st->timers, now);
		tcp_set_time(&st->ss.ctx, now);
	}
	for (int i = 0; i < EXPIRIES_MAX && (t = timers_take(&st->timers)); i++)
		expire(st, t);
	stack_lo_run(st);
	stack_down_run(st);
	sockets_review_memory(&st->ss);
}

TERN_API tern_time tern_deadline(const struct tern_stack *st)
{
	bool now = stack_lo_has_work(st) || stack_down_has_work(st);

	return now ? st->timers.now : timers_deadline(&st->timers);
}

TERN_API tern_time tern_now(const struct tern_stack *st)
{
	return st->timers.now;
}

TERN_API uint64_t tern_memory(const struct tern_stack *st)
{
	return st->mem.used + sizeof(*st);
}

TERN_API void tern_check(const struct tern_stack *st)
{
	timers_check(&st->timers);
	net_check(&st->net);
	sockets_check(&st->ss);
	assert(st->mem.used <= st->mem.max);
}

/* ---- packets of the user ---- */

/* So the text behind 40 bytes of headers begins at a multiple of 16: it is copied faster. */
enum { TEXT_ALIGN_ROOM = 8 };

TERN_API struct tern_pkt *tern_pkt_new(struct tern_stack *st, uint32_t len)
{
	return pkt_new(&st->mem, TEXT_ALIGN_ROOM, len);
}

TERN_API struct tern_pkt *tern_pkt_new_external(struct tern_stack *st, void *data, uint32_t len,
						void *cookie)
{
	struct tern_pkt *p = pkt_new(&st->mem, 0, 0);

	if (!p)
		return NULL;
	p->data = data;
	p->len = p->total_len = len;
	p->flags = TERN_PKT_EXTERNAL;
	p->cookie = cookie;
	return p;
}

TERN_API uint32_t tern_pkt_copy(const struct tern_pkt *p, uint32_t offset, void *buf, uint32_t len)
{
	return pkt_copy_out(p, offset, buf, len);
}

/* ---- interfaces, addresses, routes, neighbours ---- */

TERN_API int tern_iface_add(struct tern_stack *st, const struct tern_iface *cfg)
{
	return cfg->link == TERN_LINK_LOOPBACK ? -TERN_EINVAL : add_iface(st, cfg, 0);
}

TERN_API int tern_iface_del(struct tern_stack *st, unsigned ifindex)
{
	struct iface *i = iface_get(&st->net, ifindex);

	if (ifindex == LO_INDEX || !i)
		return -TERN_ENODEV;
	iface_set(&st->net, ifindex, i->cfg.mtu, i->cfg.flags | TERN_IFACE_DOWN);
	if (st->configuring)
		st->configuring->forget(st, i);
	while (!list_empty(&i->neigh_lru))
		neighbour_forget(st, CONTAINER_OF(i->neigh_lru.next, struct neigh, lru));
	stack_drop_output(st, i);
	mem_free(&st->mem, i->burst, sizeof(*i->burst));
	return iface_del(&st->net, ifindex);
}

TERN_API int tern_iface_get(const struct tern_stack *st, unsigned ifindex, struct tern_iface *out)
{
	const struct iface *i = iface_get(&st->net, ifindex);

	if (!i)
		return -TERN_ENODEV;
	*out = i->cfg;
	return 0;
}

TERN_API int tern_iface_set(struct tern_stack *st, unsigned ifindex, uint32_t mtu, uint32_t flags)
{
	struct iface *i = iface_get(&st->net, ifindex);
	bool was_up = i && iface_is_up(i);
	int err = iface_set(&st->net, ifindex, mtu, flags);

	if (err)
		return err;
	i->burst->repeated.len = 0; /* of a packet made for the flags of before */
	if (iface_is_up(i) == was_up)
		return 0;
	if (was_up)
		stack_drop_output(st, i);
	if (!was_up) {
		/* RFC 4862 5.4.2: perhaps another link, where nobody knows what we listen to */
		groups_tell_again(&st->net, ifindex, false);
		groups_tell_again(&st->net, ifindex, true);
	}
	if (st->configuring)
		st->configuring->on_link(st, i);
	return 0;
}

TERN_API unsigned tern_iface_next(const struct tern_stack *st, unsigned after)
{
	for (unsigned i = after + 1; i <= st->net.top_ifindex; i++)
		if (iface_get(&st->net, i))
			return i;
	return 0;
}

static void tell_of_addresses(struct tern_stack *st, unsigned ifindex)
{
	if (st->configuring)
		st->configuring->review(st, iface_get(&st->net, ifindex));
}

TERN_API int tern_addr_add(struct tern_stack *st, unsigned ifindex, const struct tern_addr *addr,
			   unsigned prefix_len)
{
	struct addr a;
	int err;

	if (!addr_from_public(&a, addr))
		return iface_get(&st->net, ifindex) ? -TERN_EINVAL : -TERN_ENODEV;
	if (!addr_is4(&a) && !build.ip6)
		return -TERN_EAFNOSUPPORT;
	err = ifaddr_add(&st->net, ifindex, &a, prefix_len);
	if (err == 0)
		tell_of_addresses(st, ifindex);
	return err;
}

TERN_API int tern_addr_del(struct tern_stack *st, unsigned ifindex, const struct tern_addr *addr)
{
	struct addr a;
	int err;

	if (!addr_from_public(&a, addr))
		return -TERN_EADDRNOTAVAIL;
	err = ifaddr_del(&st->net, ifindex, &a);
	if (err == 0)
		tell_of_addresses(st, ifindex);
	return err;
}

TERN_API bool tern_addr_next(const struct tern_stack *st, unsigned *cursor,
			     struct tern_iface_addr *out)
{
	const struct ifaddr *a;

	if (*cursor >= st->net.n_addrs)
		return false;
	a = &st->net.addrs[(*cursor)++];
	*out = (struct tern_iface_addr){ .ifindex = a->ifindex,
					 .prefix_len = a->prefix_len,
					 .origin = a->origin,
					 .flags = a->flags,
					 .preferred_until = a->preferred_until,
					 .valid_until = a->valid_until };
	addr_to_public(&out->addr, &a->addr, 0);
	if (!addr_is4(&a->addr) && addr_is_link_local(&a->addr))
		out->addr.scope_id = a->ifindex;
	return true;
}

TERN_API int tern_route_add(struct tern_stack *st, const struct tern_route *r)
{
	struct tern_route by_user = *r;

	if (r->dst.family == TERN_AF_INET6 && !build.ip6)
		return -TERN_EAFNOSUPPORT;
	by_user.origin = TERN_ORIGIN_STATIC;
	return route_add(&st->net, &by_user);
}

TERN_API int tern_route_del(struct tern_stack *st, const struct tern_route *r)
{
	return route_del(&st->net, r);
}

TERN_API bool tern_route_next(const struct tern_stack *st, unsigned *cursor, struct tern_route *out)
{
	return route_next(&st->net, cursor, out);
}

TERN_API bool tern_server_next(const struct tern_stack *st, unsigned *cursor,
			       struct tern_server *out)
{
	if (*cursor >= st->net.n_servers)
		return false;
	*out = st->net.servers[(*cursor)++];
	return true;
}

TERN_API bool tern_net_event(struct tern_stack *st, struct tern_net_event *out)
{
	return net_take_news(&st->net, out);
}

TERN_API int tern_neigh_add(struct tern_stack *st, const struct tern_neigh *n)
{
	struct addr a;

	if (!iface_get(&st->net, n->ifindex))
		return -TERN_ENODEV;
	if (!addr_from_public(&a, &n->addr) || (n->mac[0] & 1))
		return -TERN_EINVAL;
	return neigh_add_permanent(&st->net, n->ifindex, &a, n->mac);
}

TERN_API int tern_neigh_del(struct tern_stack *st, unsigned ifindex, const struct tern_addr *addr)
{
	struct neigh *n;
	struct addr a;

	if (!addr_from_public(&a, addr))
		return -TERN_ENOENT;
	n = neigh_find(&st->net, ifindex, &a);
	if (!n)
		return -TERN_ENOENT;
	neighbour_forget(st, n);
	return 0;
}

TERN_API bool tern_neigh_next(const struct tern_stack *st, unsigned *cursor, struct tern_neigh *out)
{
	uint64_t walk = 0;
	struct neigh *n = NULL;

	for (unsigned i = 0; i <= *cursor; i++) {
		n = neigh_walk(&st->net, &walk);
		if (!n)
			return false;
	}
	++*cursor;
	out->ifindex = n->ifindex;
	out->state = n->state;
	memcpy(out->mac, n->mac, 6);
	addr_to_public(&out->addr, &n->addr, 0);
	return true;
}
