/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * path_mtu.c - which MTU does the path to this address have?
 *
 * What routers say of packets that were too big is remembered by destination: all who send there
 * hear of it, because every change counts as one of the routes, and is looked at before the next
 * packet (RFC 8201 5.2, RFC 1191 6.2). Who believes a message is not asked here: TCP looks at the
 * number that it quotes, a datagram socket at its names. After some time an entry is forgotten, and
 * larger packets are tried again (RFC 1191 6.3).
 *
 * The number of entries is bounded; the oldest gives way. An entry that changes is as good as new,
 * so the list is by the time of learning, and one timer serves all.
 *
 * Invariants: each entry is in the table and in the list, which is sorted by learned_at; while
 * there are any and they age, the timer is armed.
 */
#include "net.h"

#include "../wire/wire.h"

static struct path_mtu *find_path(const struct net *net, const struct addr *dst)
{
	uint32_t hash;

	if (net->path_mtu_table.n == 0)
		return NULL;
	hash = net_hash(net, dst);
	for (struct table_node *n = table_first(&net->path_mtu_table, hash); n;
	     n = table_next(n, hash)) {
		struct path_mtu *p = CONTAINER_OF(n, struct path_mtu, node);

		if (addr_equal(&p->dst, dst))
			return p;
	}
	return NULL;
}

uint32_t path_mtu_of(const struct net *net, const struct addr *dst)
{
	const struct path_mtu *p = find_path(net, dst);

	return p ? p->mtu : UINT32_MAX;
}

static struct path_mtu *oldest_path(const struct net *net)
{
	return list_empty(&net->path_mtus) ?
		       NULL :
		       CONTAINER_OF(net->path_mtus.next, struct path_mtu, age);
}

static void forget_path(struct net *net, struct path_mtu *p)
{
	table_remove(&net->path_mtu_table, &p->node);
	list_unlink(&p->age);
	mem_free(net->mem, p, sizeof(*p));
	net->routes_version++;
}

void path_mtu_expire(struct net *net)
{
	tern_time life = net->cfg->path_mtu_expires_ms * TERN_MS;
	struct path_mtu *p;

	timers_disarm(net->timers, &net->path_timer);
	while (net->path_mtu_table.n > net->cfg->path_mtus_max)
		forget_path(net, oldest_path(net));
	while (life && (p = oldest_path(net))) {
		if (p->learned_at + life > net->timers->now) {
			timers_arm(net->timers, &net->path_timer, p->learned_at + life);
			return;
		}
		forget_path(net, p);
	}
}

static struct path_mtu *new_path(struct net *net, const struct addr *dst)
{
	struct path_mtu *p;

	if (net->cfg->path_mtus_max == 0)
		return NULL;
	while (net->path_mtu_table.n >= net->cfg->path_mtus_max)
		forget_path(net, oldest_path(net));
	p = mem_new(net->mem, sizeof(*p));
	if (!p)
		return NULL;
	*p = (struct path_mtu){ .dst = *dst };
	list_init(&p->age);
	table_put(&net->path_mtu_table, &p->node, net_hash(net, dst));
	return p;
}

/* No router stands between us and these. */
static bool has_no_path(const struct addr *dst)
{
	return addr_is_link_local(dst) || addr_is_loopback(dst);
}

bool path_mtu_learn(struct net *net, const struct addr *dst, uint32_t mtu)
{
	uint32_t least = addr_is4(dst) ? net->cfg->path_mtu_min : IP6_MTU_MIN;
	struct route_key key = { .dst = *dst };
	struct path_mtu *p;
	struct hop hop;

	mtu = MAX(mtu, least);
	p = find_path(net, dst);
	if (has_no_path(dst) || (p && mtu >= p->mtu))
		return false;
	if (route_lookup(net, &key, &hop) == 0 && mtu >= hop.mtu)
		return false;
	if (!p)
		p = new_path(net, dst);
	if (!p)
		return false;
	p->mtu = mtu;
	p->learned_at = net->timers->now;
	list_unlink(&p->age);
	list_put_tail(&net->path_mtus, &p->age);
	net->routes_version++;
	if (!timer_armed(&net->path_timer))
		path_mtu_expire(net);
	return true;
}

void path_mtu_fini(struct net *net)
{
	while (!list_empty(&net->path_mtus))
		forget_path(net, oldest_path(net));
	timers_disarm(net->timers, &net->path_timer);
	table_fini(&net->path_mtu_table);
}

void path_mtu_check(const struct net *net)
{
	tern_time before = 0;
	uint32_t n = 0;

	table_check(&net->path_mtu_table);
	for (const struct list *l = net->path_mtus.next; l != &net->path_mtus; l = l->next) {
		const struct path_mtu *p = CONTAINER_OF(l, const struct path_mtu, age);

		assert(find_path(net, &p->dst) == p && p->learned_at >= before);
		before = p->learned_at;
		n++;
	}
	assert(n == net->path_mtu_table.n && n <= net->cfg->path_mtus_max);
	assert(n == 0 || !net->cfg->path_mtu_expires_ms || timer_armed(&net->path_timer));
}
