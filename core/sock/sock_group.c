/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock_group.c - a socket as a member of multicast groups: joins, sources, what it is given.
 *
 * A membership is of a group on one interface. It lets all sources in but those that are blocked
 * (any-source), or those alone that were joined (source-specific); the two do not mix. Linux's
 * structs and errors: ip(7), ipv6(7), RFC 3678.
 *
 * Where no interface is named it is that of the route to the group, else the first that is not lo.
 */
#include "sock_dgram.h"
#include "sockopt.h"

/* A request, whatever struct it came in. */
struct request {
	struct addr group, source;
	bool has_source;
	unsigned ifindex; /* 0: not named */
};

/* ---- reading requests ---- */

static unsigned interface_of(const struct net *net, const struct addr *ours)
{
	const struct ifaddr *a = ifaddr_find(net, ours);

	return a ? a->ifindex : 0;
}

static uint32_t read_u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* struct sockaddr_in or sockaddr_in6: the family in the host's order. */
static bool read_sockaddr(const uint8_t *p, const struct sock *s, struct addr *out)
{
	uint16_t family;

	memcpy(&family, p, sizeof(family));
	if (family != s->family)
		return false;
	*out = family == TERN_AF_INET ? addr_from4(p + 4) : addr_from6(p + 8);
	return true;
}

enum { SOCKADDR_STORAGE = 128, GROUP_REQ_AT = 8 };

static bool read_group_req(const struct sock *s, const struct sock_option *o, struct request *r)
{
	const uint8_t *p = o->given;
	size_t size = GROUP_REQ_AT + SOCKADDR_STORAGE * (r->has_source ? 2 : 1);

	if (o->len < size || !read_sockaddr(p + GROUP_REQ_AT, s, &r->group))
		return false;
	r->ifindex = read_u32(p);
	return !r->has_source || read_sockaddr(p + GROUP_REQ_AT + SOCKADDR_STORAGE, s, &r->source);
}

/* struct ip_mreq, ip_mreqn, ip_mreq_source. */
static bool read_ip_mreq(const struct sockets *ss, const struct sock_option *o, struct request *r)
{
	const uint8_t *p = o->given;
	struct addr ours;

	if (o->len < (r->has_source ? 12u : 8u))
		return false;
	r->group = addr_from4(p);
	ours = addr_from4(p + 4);
	if (r->has_source)
		r->source = addr_from4(p + 8);
	else if (o->len >= 12)
		r->ifindex = read_u32(p + 8);
	if (!r->ifindex && !addr_is_unspecified(&ours)) {
		r->ifindex = interface_of(ss->net, &ours);
		return r->ifindex != 0;
	}
	return true;
}

static bool read_ipv6_mreq(const struct sock_option *o, struct request *r)
{
	const uint8_t *p = o->given;

	if (o->len < 20)
		return false;
	r->group = addr_from6(p);
	r->ifindex = read_u32(p + 16);
	return true;
}

static unsigned default_interface(struct net *net, const struct addr *group)
{
	struct route_key key = { .dst = *group };
	struct hop hop;

	if (route_lookup(net, &key, &hop) == 0 && hop.ifindex != LO_INDEX)
		return hop.ifindex;
	for (unsigned k = LO_INDEX + 1; k <= IFACES_MAX; k++)
		if (iface_get(net, k) && iface_is_up(iface_get(net, k)))
			return k;
	return LO_INDEX;
}

/* ---- memberships ---- */

static struct membership *find_membership(const struct sock *s, const struct request *r)
{
	for (const struct list *l = s->dgram->groups.next; l != &s->dgram->groups; l = l->next) {
		struct membership *m = CONTAINER_OF(l, struct membership, of_sock);

		if (m->ifindex == r->ifindex && addr_equal(&m->addr, &r->group))
			return m;
	}
	return NULL;
}

static void free_membership(struct sockets *ss, struct sock *s, struct membership *m)
{
	group_leave(ss->net, m);
	list_unlink(&m->of_sock);
	s->dgram->n_groups--;
	mem_free(ss->mem, m->sources, m->cap * sizeof(*m->sources));
	mem_free(ss->mem, m, sizeof(*m));
}

static int add_source(struct sockets *ss, struct membership *m, const struct addr *source)
{
	struct addr *grown;

	for (uint32_t i = 0; i < m->n_sources; i++)
		if (addr_equal(&m->sources[i], source))
			return -TERN_EADDRNOTAVAIL;
	if (m->n_sources >= ss->cfg->group_sources_max)
		return -TERN_ENOBUFS;
	if (m->n_sources == m->cap) {
		grown = mem_grow(ss->mem, m->sources, &m->cap, sizeof(*grown));
		if (!grown)
			return -TERN_ENOBUFS;
		m->sources = grown;
	}
	m->sources[m->n_sources++] = *source;
	return 0;
}

static int remove_source(struct membership *m, const struct addr *source)
{
	for (uint32_t i = 0; i < m->n_sources; i++) {
		if (!addr_equal(&m->sources[i], source))
			continue;
		m->n_sources--; /* the others keep their order, as on Linux */
		memmove(&m->sources[i], &m->sources[i + 1],
			(m->n_sources - i) * sizeof(*m->sources));
		return 0;
	}
	return -TERN_EADDRNOTAVAIL;
}

static int join(struct sockets *ss, struct sock *s, const struct request *r)
{
	struct membership *m;

	if (s->dgram->n_groups >= ss->cfg->groups_max)
		return -TERN_ENOBUFS;
	m = mem_new(ss->mem, sizeof(*m));
	if (!m)
		return -TERN_ENOBUFS;
	*m = (struct membership){ .addr = r->group,
				  .ifindex = r->ifindex,
				  .exclude = !r->has_source };
	list_init(&m->of_group);
	list_put_tail(&s->dgram->groups, &m->of_sock);
	s->dgram->n_groups++;
	if ((r->has_source && add_source(ss, m, &r->source)) ||
	    !group_join(ss->net, m->ifindex, &m->addr, m)) {
		free_membership(ss, s, m);
		return -TERN_ENOBUFS;
	}
	return 0;
}

enum action { JOIN, LEAVE, JOIN_SOURCE, LEAVE_SOURCE, BLOCK, UNBLOCK };

/* On a membership that is there. */
static int change_sources(struct sockets *ss, struct sock *s, struct membership *m,
			  const struct addr *source, enum action what)
{
	bool of_any = what == BLOCK || what == UNBLOCK;
	int err;

	if (m->exclude != of_any)
		return -TERN_EINVAL;
	err = what == BLOCK || what == JOIN_SOURCE ? add_source(ss, m, source) :
						     remove_source(m, source);
	if (err)
		return err;
	if (!m->exclude && m->n_sources == 0)
		free_membership(ss, s, m);
	else
		group_change(ss->net, m);
	return 0;
}

static int act(struct sockets *ss, struct sock *s, struct request *r, enum action what)
{
	struct membership *m;

	if (!addr_is_multicast(&r->group))
		return -TERN_EINVAL;
	if (!r->ifindex)
		r->ifindex = default_interface(ss->net, &r->group);
	if (!iface_get(ss->net, r->ifindex))
		return -TERN_ENODEV;
	m = find_membership(s, r);
	switch (what) {
	case JOIN:
		return m ? -TERN_EADDRINUSE : join(ss, s, r);
	case LEAVE:
		if (!m)
			return -TERN_EADDRNOTAVAIL;
		free_membership(ss, s, m);
		return 0;
	case JOIN_SOURCE:
		if (!m)
			return join(ss, s, r);
		break;
	case LEAVE_SOURCE:
		if (!m)
			return -TERN_EADDRNOTAVAIL;
		break;
	case BLOCK:
	case UNBLOCK:
		if (!m)
			return -TERN_EINVAL;
		break;
	}
	return change_sources(ss, s, m, &r->source, what);
}

/* ---- the options ---- */

enum request_kind { IP_MREQ, IPV6_MREQ, GROUP_REQ };

static const struct group_option {
	int level, name; /* level 0: that of the socket's family */
	enum request_kind kind;
	enum action what;
} group_options[] = {
	{ TERN_IPPROTO_IP, TERN_IP_ADD_MEMBERSHIP, IP_MREQ, JOIN },
	{ TERN_IPPROTO_IP, TERN_IP_DROP_MEMBERSHIP, IP_MREQ, LEAVE },
	{ TERN_IPPROTO_IP, TERN_IP_ADD_SOURCE_MEMBERSHIP, IP_MREQ, JOIN_SOURCE },
	{ TERN_IPPROTO_IP, TERN_IP_DROP_SOURCE_MEMBERSHIP, IP_MREQ, LEAVE_SOURCE },
	{ TERN_IPPROTO_IP, TERN_IP_BLOCK_SOURCE, IP_MREQ, BLOCK },
	{ TERN_IPPROTO_IP, TERN_IP_UNBLOCK_SOURCE, IP_MREQ, UNBLOCK },
	{ TERN_IPPROTO_IPV6, TERN_IPV6_ADD_MEMBERSHIP, IPV6_MREQ, JOIN },
	{ TERN_IPPROTO_IPV6, TERN_IPV6_DROP_MEMBERSHIP, IPV6_MREQ, LEAVE },
	{ 0, TERN_MCAST_JOIN_GROUP, GROUP_REQ, JOIN },
	{ 0, TERN_MCAST_LEAVE_GROUP, GROUP_REQ, LEAVE },
	{ 0, TERN_MCAST_JOIN_SOURCE_GROUP, GROUP_REQ, JOIN_SOURCE },
	{ 0, TERN_MCAST_LEAVE_SOURCE_GROUP, GROUP_REQ, LEAVE_SOURCE },
	{ 0, TERN_MCAST_BLOCK_SOURCE, GROUP_REQ, BLOCK },
	{ 0, TERN_MCAST_UNBLOCK_SOURCE, GROUP_REQ, UNBLOCK },
};

static const struct group_option *find_group_option(const struct sock *s,
						    const struct sock_option *o)
{
	int own = s->family == TERN_AF_INET ? TERN_IPPROTO_IP : TERN_IPPROTO_IPV6;

	for (size_t i = 0; i < N_ELEMENTS(group_options); i++) {
		const struct group_option *g = &group_options[i];

		if (g->name == o->name && o->level == (g->kind == GROUP_REQ ? own : g->level))
			return g;
	}
	return NULL;
}

/* ---- whole filters: RFC 3678 4.2 (IP_MSFILTER), 5.2 (MCAST_MSFILTER) ---- */

enum { FILTER_EXCLUDE, FILTER_INCLUDE }; /* MCAST_EXCLUDE, MCAST_INCLUDE */

/* Where struct ip_msfilter and struct group_filter have their mode, number and list of sources. */
static const struct filter_shape {
	uint32_t mode_at, n_at, list_at, source_size;
} ip_shape = { 8, 12, 16, 4 }, group_shape = { 136, 140, 144, SOCKADDR_STORAGE };

static const struct filter_shape *find_filter_shape(const struct sock *s,
						    const struct sock_option *o)
{
	int own = s->family == TERN_AF_INET ? TERN_IPPROTO_IP : TERN_IPPROTO_IPV6;

	if (sock_is_stream(s))
		return NULL;
	if (o->level == TERN_IPPROTO_IP && o->name == TERN_IP_MSFILTER)
		return &ip_shape;
	return o->level == own && o->name == TERN_MCAST_MSFILTER ? &group_shape : NULL;
}

/* no_family: what Linux says to an address of another family. */
static int read_filter_names(const struct sockets *ss, const struct sock *s,
			     const struct filter_shape *shape, const uint8_t *p, struct request *r,
			     int no_family)
{
	struct addr ours = addr_any(TERN_AF_INET);

	if (shape == &ip_shape) {
		r->group = addr_from4(p);
		ours = addr_from4(p + 4);
	} else {
		r->ifindex = read_u32(p);
		if (!read_sockaddr(p + GROUP_REQ_AT, s, &r->group))
			return no_family;
	}
	if (!addr_is_multicast(&r->group))
		return -TERN_EINVAL;
	if (addr_is_unspecified(&ours))
		return 0;
	r->ifindex = interface_of(ss->net, &ours);
	return r->ifindex ? 0 : -TERN_ENODEV;
}

static bool read_filter_source(const struct sock *s, const struct filter_shape *shape,
			       const uint8_t *p, struct addr *out)
{
	if (shape == &group_shape)
		return read_sockaddr(p, s, out);
	*out = addr_from4(p);
	return true;
}

/* The membership has these sources, and no others. */
static int replace_sources(struct sockets *ss, const struct sock *s, struct membership *m,
			   const struct filter_shape *shape, const uint8_t *list, uint32_t n)
{
	struct addr *sources = n ? mem_new(ss->mem, n * sizeof(*sources)) : NULL;

	if (n && !sources)
		return -TERN_ENOBUFS;
	for (uint32_t i = 0; i < n; i++)
		read_filter_source(s, shape, list + i * shape->source_size, &sources[i]);
	mem_free(ss->mem, m->sources, m->cap * sizeof(*m->sources));
	m->sources = sources;
	m->n_sources = m->cap = n;
	return 0;
}

static int set_filter(struct sockets *ss, struct sock *s, const struct sock_option *o,
		      const struct filter_shape *shape)
{
	const uint8_t *p = o->given;
	struct request r = { .ifindex = 0 };
	struct membership *m;
	struct addr source;
	uint32_t mode, n;
	int err;

	if (o->len < shape->list_at)
		return -TERN_EINVAL;
	mode = read_u32(p + shape->mode_at);
	n = read_u32(p + shape->n_at);
	if (n > ss->cfg->group_sources_max)
		return -TERN_ENOBUFS;
	if (o->len < shape->list_at + n * shape->source_size)
		return -TERN_EINVAL;
	for (uint32_t i = 0; i < n; i++)
		if (!read_filter_source(s, shape, p + shape->list_at + i * shape->source_size,
					&source))
			return -TERN_EADDRNOTAVAIL;
	err = read_filter_names(ss, s, shape, p, &r, -TERN_EADDRNOTAVAIL);
	if (err)
		return err;
	if (mode > FILTER_INCLUDE)
		return -TERN_EINVAL;
	if (mode == FILTER_INCLUDE && n == 0) /* nobody is heard: RFC 3376 2 */
		return act(ss, s, &r, LEAVE);
	if (!r.ifindex && s->family == TERN_AF_INET)
		r.ifindex = default_interface(ss->net, &r.group);
	if (r.ifindex && !iface_get(ss->net, r.ifindex))
		return -TERN_ENODEV;
	m = find_membership(s, &r);
	err = m ? replace_sources(ss, s, m, shape, p + shape->list_at, n) : -TERN_EINVAL;
	if (err)
		return err;
	m->exclude = mode == FILTER_EXCLUDE;
	group_change(ss->net, m);
	return 0;
}

/* ---- the options ---- */

int sock_group_option(struct sockets *ss, struct sock *s, const struct sock_option *o)
{
	const struct filter_shape *shape = find_filter_shape(s, o);
	const struct group_option *g = sock_is_stream(s) ? NULL : find_group_option(s, o);
	struct request r = { .ifindex = 0 };
	bool read = false;

	if (shape)
		return set_filter(ss, s, o, shape);
	if (!g || (g->kind == IPV6_MREQ && s->family != TERN_AF_INET6))
		return -TERN_ENOPROTOOPT;
	r.has_source = g->what != JOIN && g->what != LEAVE;
	switch (g->kind) {
	case IP_MREQ:
		read = read_ip_mreq(ss, o, &r);
		if (!read && o->len >= (r.has_source ? 12u : 8u))
			return -TERN_ENODEV; /* no interface has that address */
		break;
	case IPV6_MREQ:
		read = read_ipv6_mreq(o, &r);
		break;
	case GROUP_REQ:
		read = read_group_req(s, o, &r);
		break;
	}
	return read ? act(ss, s, &r, g->what) : -TERN_EINVAL;
}

static void write_filter_source(const struct sock *s, const struct filter_shape *shape,
				const struct addr *source, uint8_t *p)
{
	if (shape == &ip_shape) {
		memcpy(p, source->b + 12, 4);
		return;
	}
	memset(p, 0, SOCKADDR_STORAGE);
	memcpy(p, &(uint16_t){ s->family }, 2);
	if (s->family == TERN_AF_INET)
		memcpy(p + 4, source->b + 12, 4);
	else
		memcpy(p + 8, source->b, 16);
}

/* The names and the room for sources are read where the answer goes. */
int sock_get_filter(struct sockets *ss, const struct sock *s, struct sock_option *o)
{
	const struct filter_shape *shape = find_filter_shape(s, o);
	struct request r = { .ifindex = 0 };
	const struct membership *m;
	uint8_t *p = o->place;
	uint32_t n, mode;
	int err;

	if (!shape)
		return -TERN_ENOPROTOOPT;
	if (o->len < shape->list_at)
		return -TERN_EINVAL;
	err = read_filter_names(ss, s, shape, p, &r,
				s->family == TERN_AF_INET ? -TERN_EINVAL : -TERN_EADDRNOTAVAIL);
	if (err)
		return err;
	if (shape == &ip_shape && !r.ifindex)
		r.ifindex = default_interface(ss->net, &r.group);
	m = find_membership(s, &r);
	if (!m)
		return -TERN_EADDRNOTAVAIL;
	n = MIN(read_u32(p + shape->n_at), m->n_sources);
	n = (uint32_t)MIN(n, (o->len - shape->list_at) / shape->source_size);
	mode = m->exclude ? FILTER_EXCLUDE : FILTER_INCLUDE;
	memcpy(p + shape->mode_at, &mode, sizeof(mode));
	memcpy(p + shape->n_at, &m->n_sources, sizeof(m->n_sources));
	for (uint32_t i = 0; i < n; i++)
		write_filter_source(s, shape, &m->sources[i],
				    p + shape->list_at + i * shape->source_size);
	o->len = shape->list_at + n * shape->source_size;
	return 0;
}

/* IPV6_MULTICAST_IF: its number; 0: any. */
static int set_mcast_if6(struct sockets *ss, struct sock *s, const struct sock_option *o)
{
	unsigned ifindex;

	if (o->len < sizeof(ifindex))
		return -TERN_EINVAL;
	ifindex = read_u32(o->given);
	if (ifindex && !iface_get(ss->net, ifindex))
		return -TERN_ENODEV;
	s->dgram->mcast6.ifindex = (uint16_t)ifindex;
	return 0;
}

/* IP_MULTICAST_IF: struct ip_mreqn, ip_mreq, or an address of ours alone; 0.0.0.0: any. */
int sock_set_mcast_if(struct sockets *ss, struct sock *s, const struct sock_option *o)
{
	const uint8_t *p = o->given;
	unsigned ifindex = 0;
	struct addr ours;

	if (o->level == TERN_IPPROTO_IPV6)
		return set_mcast_if6(ss, s, o);
	if (o->len < 4)
		return -TERN_EINVAL;
	ours = addr_from4(o->len >= 8 ? p + 4 : p);
	if (o->len >= 12)
		ifindex = read_u32(p + 8);
	if (ifindex || !addr_is_unspecified(&ours)) {
		ifindex = ifindex ? ifindex : interface_of(ss->net, &ours);
		if (!iface_get(ss->net, ifindex))
			return -TERN_EADDRNOTAVAIL;
	}
	s->dgram->mcast4.ifindex = (uint16_t)ifindex;
	memcpy(s->dgram->mcast_ip4, ours.b + 12, 4);
	return 0;
}

void sock_get_mcast_if(const struct sock *s, struct sock_option *o)
{
	uint32_t ifindex = s->dgram->mcast6.ifindex;

	if (o->level == TERN_IPPROTO_IPV6)
		sockopt_put(o, &ifindex, sizeof(ifindex));
	else
		sockopt_put(o, s->dgram->mcast_ip4, sizeof(s->dgram->mcast_ip4));
}

/* ---- what it is given ---- */

bool sock_wants_group(const struct sock *s, const struct dgram_in *in)
{
	const struct request r = { .group = in->dst, .ifindex = in->ifindex };
	const struct membership *m;

	if (!addr_is_multicast(&in->dst))
		return true;
	m = find_membership(s, &r);
	return m ? membership_passes(m, &in->src) : dgram_choice(s->dgram, addr_is4(&in->dst))->all;
}

void sock_leave_groups(struct sockets *ss, struct sock *s)
{
	while (!list_empty(&s->dgram->groups))
		free_membership(ss, s,
				CONTAINER_OF(s->dgram->groups.next, struct membership, of_sock));
}
