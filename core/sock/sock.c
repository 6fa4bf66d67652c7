/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock.c - how does a socket come into being, get its name, tell its news, and end?
 *
 * A handle is (shard, generation, slot). A slot's generation changes when its socket goes, so that
 * a stale handle finds nothing. A connection has no slot before accept and after close: it lives on
 * by its tuple alone until TCP is done with it.
 */
#include "sock_tcp.h"

#include "../base/build.h"

/* What section 8 of the architecture promises, on the machines that count. */
_Static_assert(sizeof(void *) != 8 || sizeof(struct half) <= 128, "a half-open connection");
_Static_assert(sizeof(void *) != 8 || sizeof(struct time_wait) <= 96, "a TIME-WAIT record");
_Static_assert(sizeof(void *) != 8 || sizeof(struct stream) <= 592, "an idle stream endpoint");

/* ---- the whole ---- */

bool sockets_init(struct sockets *ss)
{
	ss->ctx = (struct tcp_ctx){ .mem = ss->mem, .cfg = ss->cfg };
	tcp_set_time(&ss->ctx, ss->timers->now);
	list_init(&ss->news);
	list_init(&ss->raws);
	list_init(&ss->time_waits);
	timer_init(&ss->time_wait_timer, TIMER_TIME_WAIT);
	timer_init(&ss->memory_timer, TIMER_MEMORY);
	ss->free_slot = NO_INDEX;
	if (!table_init(&ss->tuples, ss->mem, 64))
		return false;
	if (!table_init(&ss->ports, ss->mem, 16)) {
		table_fini(&ss->tuples);
		return false;
	}
	return true;
}

static void end_socks_of(struct sockets *ss)
{
	for (uint32_t i = 0; i < ss->n_slots; i++) {
		struct sock *s = ss->pages[i / SLOTS_PER_PAGE][i % SLOTS_PER_PAGE].sock;

		if (s && sock_is_stream(s))
			sock_tcp_close(ss, s, true);
		else if (s)
			sock_free(ss, s);
	}
}

/* What is left in the table after all handles are closed: orphans and records. */
static void end_tuples(struct sockets *ss)
{
	uint64_t cursor = 0;
	struct table_node *n;

	while ((n = table_walk(&ss->tuples, &cursor))) {
		struct tuple *t = CONTAINER_OF(n, struct tuple, node);

		if (t->kind == TUPLE_HALF)
			half_end(ss, CONTAINER_OF(t, struct half, t));
		else if (t->kind == TUPLE_TIME_WAIT)
			time_wait_end(ss, CONTAINER_OF(t, struct time_wait, t));
		else
			sock_free(ss, CONTAINER_OF(t, struct sock, t));
	}
}

void sockets_fini(struct sockets *ss)
{
	end_socks_of(ss);
	end_tuples(ss);
	fast_open_forget_peers(ss);
	timers_disarm(ss->timers, &ss->time_wait_timer);
	timers_disarm(ss->timers, &ss->memory_timer);
	table_fini(&ss->tuples);
	table_fini(&ss->ports);
	for (uint32_t i = 0; i < ss->n_pages; i++)
		mem_free(ss->mem, ss->pages[i], SLOTS_PER_PAGE * sizeof(struct slot));
	mem_free(ss->mem, ss->pages, ss->pages_cap * sizeof(*ss->pages));
}

/* ---- slots and handles ---- */

enum { GENERATION = 0xffffff }; /* of a tag */

static struct slot *slot_at(const struct sockets *ss, uint32_t index)
{
	return &ss->pages[index / SLOTS_PER_PAGE][index % SLOTS_PER_PAGE];
}

static bool add_page(struct sockets *ss)
{
	struct slot *page;

	if (ss->n_pages == ss->pages_cap) {
		struct slot **grown = mem_grow(ss->mem, ss->pages, &ss->pages_cap, sizeof(*grown));

		if (!grown)
			return false;
		ss->pages = grown;
	}
	page = mem_new(ss->mem, SLOTS_PER_PAGE * sizeof(*page));
	if (!page)
		return false;
	ss->pages[ss->n_pages++] = page;
	return true;
}

int sock_give_slot(struct sockets *ss, struct sock *s)
{
	struct slot *slot;

	if (ss->free_slot != NO_INDEX) {
		s->index = ss->free_slot;
		slot = slot_at(ss, s->index);
		ss->free_slot = slot->next_free;
		slot->sock = s;
		return 0;
	}
	if (ss->n_slots == ss->n_pages * SLOTS_PER_PAGE && !add_page(ss))
		return -TERN_ENOMEM;
	s->index = ss->n_slots++;
	*slot_at(ss, s->index) =
		(struct slot){ .sock = s, .tag = (uint32_t)ss->cfg->shard << 24 | 1 };
	return 0;
}

void sock_drop_slot(struct sockets *ss, struct sock *s)
{
	struct slot *slot;

	if (s->index == NO_INDEX)
		return;
	slot = slot_at(ss, s->index);
	slot->sock = NULL;
	slot->tag = (slot->tag & ~GENERATION) | ((slot->tag + 1) & GENERATION);
	slot->next_free = ss->free_slot;
	ss->free_slot = s->index;
	s->index = NO_INDEX;
	s->user = NULL;
	list_unlink(&s->news_link);
}

struct sock *sock_at(const struct sockets *ss, uint32_t index)
{
	return slot_at(ss, index)->sock;
}

tern_sock sock_handle(const struct sockets *ss, const struct sock *s)
{
	if (s->index == NO_INDEX)
		return 0;
	return (uint64_t)slot_at(ss, s->index)->tag << 32 | (s->index + 1);
}

struct sock *sock_by_handle(const struct sockets *ss, tern_sock handle)
{
	uint32_t index = (uint32_t)handle - 1;
	struct slot *slot;

	if (index >= ss->n_slots)
		return NULL;
	slot = slot_at(ss, index);
	return slot->tag == handle >> 32 ? slot->sock : NULL;
}

/* ---- making and freeing ---- */

static int check_kind(int family, int type, int *protocol)
{
	int icmp = family == TERN_AF_INET ? TERN_IPPROTO_ICMP : TERN_IPPROTO_ICMPV6;

	if (family != TERN_AF_INET && !(family == TERN_AF_INET6 && build.ip6))
		return -TERN_EAFNOSUPPORT;
	if (*protocol < 0 || *protocol > 262) /* Linux's IPPROTO_MAX */
		return -TERN_EINVAL;
	switch (type) {
	case TERN_SOCK_STREAM:
		if (*protocol != 0 && *protocol != TERN_IPPROTO_TCP)
			return -TERN_EPROTONOSUPPORT;
		*protocol = TERN_IPPROTO_TCP;
		return 0;
	case TERN_SOCK_DGRAM:
		if (*protocol == 0)
			*protocol = TERN_IPPROTO_UDP;
		if (*protocol == TERN_IPPROTO_UDP || (*protocol == icmp && build.raw))
			return 0;
		return -TERN_EPROTONOSUPPORT;
	case TERN_SOCK_RAW:
		if (!build.raw)
			return -TERN_ESOCKTNOSUPPORT;
		return *protocol > 0 && *protocol <= 255 ? 0 : -TERN_EPROTONOSUPPORT;
	default:
		return -TERN_ESOCKTNOSUPPORT;
	}
}

void sock_name_this_host(const struct sock *s, struct addr *remote)
{
	static const uint8_t loopback4[4] = { 127, 0, 0, 1 };
	static const uint8_t loopback6[16] = { [15] = 1 };

	if (addr_is_unspecified(remote))
		*remote = addr_is4(remote) || addr_is4(&s->t.local) ? addr_from4(loopback4) :
								      addr_from6(loopback6);
}

struct addr addr_any(int family)
{
	static const uint8_t zero[16];

	return family == TERN_AF_INET ? addr_from4(zero) : addr_from6(zero);
}

static void set_defaults(const struct sockets *ss, struct sock *s)
{
	s->t.local = s->t.remote = addr_any(s->family);
	s->t.proto = s->protocol;
	s->t.kind = TUPLE_SOCK;
	s->rcvlowat = 1;
	s->linger_s = -1;
	s->index = NO_INDEX;
	s->ip4.mtu_discover = ss->cfg->ip_no_pmtu_disc == 1 || ss->cfg->ip_no_pmtu_disc == 2 ?
				      TERN_IP_PMTUDISC_DONT :
				      TERN_IP_PMTUDISC_WANT;
	s->ip6.mtu_discover = TERN_IP_PMTUDISC_WANT;
	list_init(&s->bind_link);
	list_init(&s->news_link);
	list_init(&s->ready_link);
	timer_init(&s->timer, TIMER_SOCK);
}

static void set_stream_defaults(const struct sockets *ss, struct tcp *c)
{
	c->opt = (struct tcp_options){ .sndbuf = ss->cfg->tcp_sndbuf_default,
				       .rcvbuf = ss->cfg->tcp_rcvbuf_default };
	c->cc.ops = ss->cc;
}

/* Of IPv4 an IPv6 socket hears the groups alone that it has joined itself, as on Linux. */
static struct dgram *new_dgram(struct sockets *ss, int family)
{
	struct dgram *d = mem_new(ss->mem, sizeof(*d));

	if (!d)
		return NULL;
	memset(d, 0, sizeof(*d));
	d->recv.tail = &d->recv.head;
	d->errors.tail = &d->errors.head;
	d->checksum_off = -1;
	d->mcast6 = d->mcast4 = (struct mcast_choice){ .loop = true, .all = true, .ttl = 1 };
	d->mcast4.all = family == TERN_AF_INET;
	list_init(&d->groups);
	d->rcvbuf = ss->cfg->rcvbuf_default;
	d->sndbuf = ss->cfg->sndbuf_default;
	pkt_queue_init(&d->send);
	return d;
}

static size_t size_of_sock(int type)
{
	return type == TERN_SOCK_STREAM ? sizeof(struct stream) : sizeof(struct sock);
}

int sock_take_room(struct sockets *ss, int type, struct sock **out)
{
	if (ss->n_socks >= ss->cfg->sockets_max)
		return -TERN_ENFILE;
	*out = mem_new(ss->mem, size_of_sock(type));
	if (!*out)
		return -TERN_ENOMEM;
	ss->n_socks++;
	return 0;
}

int sock_new(struct sockets *ss, int family, int type, int protocol, struct sock **out)
{
	int err = check_kind(family, type, &protocol);
	struct sock *s;

	if (!err)
		err = sock_take_room(ss, type, &s);
	if (err)
		return err;
	memset(s, 0, sizeof(*s));
	s->family = (uint8_t)family & 15u;
	s->type = (uint8_t)type & 15u;
	s->protocol = (uint8_t)protocol;
	set_defaults(ss, s);
	if (type == TERN_SOCK_STREAM) {
		set_stream_defaults(ss, stream_tcp(s));
	} else {
		s->dgram = new_dgram(ss, family);
		if (!s->dgram) {
			mem_free(ss->mem, s, size_of_sock(type));
			ss->n_socks--;
			return -TERN_ENOMEM;
		}
		if (type == TERN_SOCK_RAW)
			list_put_tail(&ss->raws, &s->bind_link);
	}
	*out = s;
	return 0;
}

static void free_stream_part(struct sockets *ss, struct sock *s)
{
	const struct tcp_ctx *x = sock_ctx(ss);

	if (s->state == TERN_TCP_LISTEN) {
		mem_free(ss->mem, s->listener, sizeof(*s->listener));
	} else if (s->tcp) {
		tcp_fini(s->tcp, x);
	}
}

void sock_free(struct sockets *ss, struct sock *s)
{
	sock_drop_slot(ss, s);
	tuple_remove(ss, &s->t);
	if (s->type == TERN_SOCK_RAW)
		list_unlink(&s->bind_link);
	else
		port_detach(ss, s);
	list_unlink(&s->news_link);
	list_unlink(&s->ready_link);
	timers_disarm(ss->timers, &s->timer);
	if (sock_is_stream(s))
		free_stream_part(ss, s);
	else
		sock_dgram_fini(ss, s);
	ss->n_orphans -= s->orphan;
	mem_free(ss->mem, s, size_of_sock(s->type));
	ss->n_socks--;
}

/* ---- names ---- */

int sock_addr_in(const struct sock *s, const struct tern_addr *a, struct addr *out)
{
	if (a->family == TERN_AF_INET && s->family == TERN_AF_INET6)
		return -TERN_EINVAL; /* a v6 socket says ::ffff:a.b.c.d */
	if (a->family != s->family || !addr_from_public(out, a))
		return -TERN_EAFNOSUPPORT;
	if (s->family == TERN_AF_INET6 && s->v6only && addr_is4(out))
		return -TERN_ENETUNREACH;
	return 0;
}

void sock_addr_out(const struct sock *s, const struct addr *a, uint16_t port, struct tern_addr *out)
{
	addr_to_public(out, a, port);
	if (s->family == TERN_AF_INET6 && out->family == TERN_AF_INET) {
		out->family = TERN_AF_INET6;
		memcpy(out->ip, a->b, sizeof(out->ip));
	}
	if (addr_is_link_local(a) && !addr_is4(a))
		out->scope_id = s->out_ifindex ? s->out_ifindex : s->bound_ifindex;
}

void sock_take_label(struct sock *s, const struct tern_addr *peer)
{
	uint32_t label = peer->flow_label & IP6_LABEL_MASK;

	s->label_given = s->sends_label && label && peer->family == TERN_AF_INET6;
	if (s->label_given)
		s->flow_label = label & IP6_LABEL_MASK;
}

/* The interface of an address that is bound, in *ifindex; 0: any. */
static int bind_scope(const struct sockets *ss, const struct sock *s, const struct tern_addr *a,
		      const struct addr *local, unsigned *ifindex)
{
	if (sock_is_stream(s) && !addr_is4(local) && addr_is_multicast(local))
		return -TERN_EINVAL;
	*ifindex = addr_needs_scope(local) && a->scope_id ? a->scope_id : s->bound_ifindex;
	if (!addr_needs_scope(local))
		return 0;
	if (!*ifindex)
		return -TERN_EINVAL;
	return iface_get(ss->net, *ifindex) ? 0 : -TERN_ENODEV;
}

static int check_bind_address(struct sockets *ss, const struct sock *s, const struct addr *a,
			      unsigned ifindex)
{
	enum addr_kind kind;

	if (addr_is_unspecified(a) || s->freebind || ss->cfg->ip_nonlocal_bind)
		return 0;
	kind = addr_classify(ss->net, a, 0);
	if (kind == ADDR_OURS && (!addr_needs_scope(a) || ifaddr_on(ss->net, ifindex, a)))
		return 0;
	if (!sock_is_stream(s) && (kind == ADDR_MULTICAST || kind == ADDR_BROADCAST))
		return 0;
	return -TERN_EADDRNOTAVAIL;
}

int sock_bind_port(struct sockets *ss, struct sock *s, unsigned number)
{
	struct port *p;

	if (number == 0)
		return port_pick_for_bind(ss, s);
	p = port_find(ss, s->t.proto, number);
	if (p && port_conflicts(ss, s, p, false))
		return -TERN_EADDRINUSE;
	p = port_get(ss, s->t.proto, number);
	if (!p)
		return -TERN_ENOMEM;
	s->t.lport = (uint16_t)number;
	port_attach(s, p, false);
	return 0;
}

/* A name that is still there stays; a connection that is over has left its own. */
static bool may_be_bound(const struct sock *s)
{
	if (s->type == TERN_SOCK_RAW)
		return !s->bound_addr;
	if (sock_is_stream(s) && s->state != TERN_TCP_CLOSED && s->state != TERN_TCP_TIME_WAIT)
		return false;
	return !s->port;
}

int sock_bind(struct sockets *ss, struct sock *s, const struct tern_addr *a)
{
	struct addr local, old_local;
	int err = sock_addr_in(s, a, &local);
	unsigned ifindex;

	if (err)
		return err == -TERN_ENETUNREACH ? -TERN_EINVAL : err;
	if (!may_be_bound(s))
		return -TERN_EINVAL;
	err = bind_scope(ss, s, a, &local, &ifindex);
	if (!err)
		err = check_bind_address(ss, s, &local, ifindex);
	if (err)
		return err;
	s->bound_ifindex = (uint16_t)ifindex;
	old_local = s->t.local;
	s->t.local = local;
	if (s->type != TERN_SOCK_RAW)
		err = sock_bind_port(ss, s, a->port);
	if (err) {
		s->t.local = old_local;
		return err;
	}
	s->bound_addr = !addr_is_unspecified(&local);
	s->bound_port = a->port != 0;
	if (s->bound_addr && !addr_is4(&local)) /* as Linux: it has no peers in the other family */
		s->v6only = true;
	return 0;
}

int sock_lookup_route(const struct sockets *ss, const struct sock *s, struct hop *hop)
{
	const struct route_key key = { s->t.remote, s->t.local, s->bound_ifindex };

	return route_lookup(ss->net, &key, hop);
}

/* RFC 1122 3.2.1.3: nothing bears what is not ours, unless the user wants it or all are ours. */
static bool may_bear(const struct sockets *ss, const struct sock *s, const struct hop *hop)
{
	return s->freebind || ss->cfg->ip_nonlocal_bind ||
	       (iface_get(ss->net, hop->ifindex)->cfg.flags & TERN_IFACE_ANY_ADDRESS) ||
	       addr_classify(ss->net, &s->t.local, 0) == ADDR_OURS;
}

/* The source depends on the interface, and the route may depend on the source. */
int sock_find_route(struct sockets *ss, struct sock *s, struct hop *hop)
{
	int err = sock_lookup_route(ss, s, hop);

	if (!err && addr_is_unspecified(&s->t.local)) {
		err = source_select(ss->net, &s->t.remote, hop->ifindex, &s->t.local);
		if (!err && routes_look_at_sources(ss->net))
			err = sock_lookup_route(ss, s, hop);
	}
	if (err)
		return err;
	if (addr_is_loopback(&s->t.local) && hop->ifindex != LO_INDEX)
		return -TERN_EINVAL; /* RFC 1122 3.2.1.3 (g): it never leaves this host */
	if (!may_bear(ss, s, hop))
		return -TERN_EADDRNOTAVAIL;
	s->out_ifindex = (uint16_t)hop->ifindex;
	s->next_hop = hop->next;
	s->addr_sum = (uint16_t)~checksum_finish(checksum_addresses(&s->t.local, &s->t.remote));
	if (!s->label_given)
		s->flow_label = ip_flow_label(ss, &s->t, (enum label_choice)s->label_choice) &
				IP6_LABEL_MASK;
	s->tos = sock_choice(s, addr_is4(&s->t.remote))->tos;
	s->route_version = ss->net->routes_version;
	sock_take_path_mtu(ss, s, hop);
	return 0;
}

/* ---- news ---- */

void sock_news(struct sockets *ss, struct sock *s, unsigned news)
{
	s->news = (s->news | news) & 7u;
	if (s->index != NO_INDEX && list_empty(&s->news_link))
		list_put_tail(&ss->news, &s->news_link);
}

unsigned sock_poll(const struct sock *s)
{
	return sock_is_stream(s) ? sock_tcp_poll(s) : sock_dgram_poll(s);
}

COLD int sock_take_error(struct sock *s)
{
	int err = s->error;

	s->error = 0;
	return -err;
}

/* On lo when that interface has gone: its turn comes there, and it looks for another way. */
void sock_set_ready_on(struct sockets *ss, struct sock *s, unsigned ifindex)
{
	struct iface *i;

	if (!list_empty(&s->ready_link))
		return;
	i = iface_get(ss->net, ifindex);
	if (!i)
		i = iface_get(ss->net, LO_INDEX);
	list_put_tail(&i->ready, &s->ready_link);
}

void sockets_check(const struct sockets *ss)
{
	uint64_t cursor = 0;
	struct table_node *n;
	uint32_t n_half = 0, n_time_wait = 0;

	table_check(&ss->tuples);
	while ((n = table_walk(&ss->tuples, &cursor))) {
		struct tuple *t = CONTAINER_OF(n, struct tuple, node);
		struct sock *s = CONTAINER_OF(t, struct sock, t);

		assert(t->in_table);
		n_half += t->kind == TUPLE_HALF;
		n_time_wait += t->kind == TUPLE_TIME_WAIT;
		if (t->kind == TUPLE_SOCK && sock_is_stream(s) && s->tcp)
			tcp_check(s->tcp);
	}
	assert(n_half == ss->n_half && n_time_wait == ss->n_time_wait);
}
