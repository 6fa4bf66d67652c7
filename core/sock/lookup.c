/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lookup.c - which endpoint is this packet for, and which names are free?
 *
 * Connected endpoints of every kind are in one table keyed by the five-tuple. Others are on the
 * list of their (protocol, port); among those the most specific wins, by Linux's scores. Names are
 * refused by Linux's rules for SO_REUSEADDR, SO_REUSEPORT and dual-stack sockets. Automatic ports
 * of connections are chosen by the double-hash algorithm of RFC 6056 (3.3.4): unpredictable from
 * outside, and far from one another in time for the same destination.
 */
#include "sock.h"

enum { SIDE_BY_SIDE = 32 }; /* a cache line of the table's census */

/* ---- tuples ---- */

/* What is hashed of a tuple: of IPv4 addresses two words, without the prefix that all share. */
struct tuple_key {
	struct addr local, remote;
	uint32_t ports, proto;
};

struct ports {
	uint32_t local, remote;
};

static struct ports ports_of(const struct tuple *t)
{
	return (struct ports){ t->lport, t->rport };
}

static struct tuple_key key_of_names(const struct tuple *t, struct ports p)
{
	return (struct tuple_key){ t->local, t->remote, le32(p.local | p.remote << 16),
				   le32(t->proto) };
}

static uint64_t word_of_ips(const struct tuple *t)
{
	return (uint64_t)get_be32(t->local.b + 12) << 32 | get_be32(t->remote.b + 12);
}

static uint64_t word_of_ports(const struct tuple *t, struct ports p)
{
	return (uint64_t)p.local << 32 | (uint64_t)p.remote << 16 | t->proto;
}

static uint32_t hash_with(const struct sockets *ss, const struct tuple *t, struct ports p)
{
	struct tuple_key key;

	if (addr_is4(&t->remote))
		return (uint32_t)siphash13_of_two(&ss->table_key, word_of_ips(t),
						  word_of_ports(t, p));
	key = key_of_names(t, p);
	return (uint32_t)siphash13(&ss->table_key, &key, sizeof(key));
}

/*
 * Its place in the table. A client's next connection to the same peer has the next port, mostly
 * (RFC 6056 3.3.4), so names that differ in the last bits of the client's port, which is the higher
 * one, are in buckets side by side: what the processor has fetched for one serves the others. Who
 * chooses names gains nothing by it: no two of these share a bucket.
 */
static uint32_t hash_tuple(const struct sockets *ss, const struct tuple *t)
{
	struct ports p = ports_of(t);
	uint32_t *client = p.local > p.remote ? &p.local : &p.remote;
	uint32_t last_bits = *client % SIDE_BY_SIDE;

	*client -= last_bits;
	return hash_with(ss, t, p) + last_bits;
}

uint64_t tuple_hash_secretly(const struct sip_key *secret, const struct tuple *t)
{
	struct tuple_key key;

	if (addr_is4(&t->remote))
		return siphash24_of_two(secret, word_of_ips(t), word_of_ports(t, ports_of(t)));
	key = key_of_names(t, ports_of(t));
	return siphash24(secret, &key, sizeof(key));
}

static bool same_tuple(const struct tuple *a, const struct tuple *b)
{
	return a->lport == b->lport && a->rport == b->rport && a->proto == b->proto &&
	       addr_equal(&a->remote, &b->remote) && addr_equal(&a->local, &b->local);
}

static struct tuple *find_tuple(const struct sockets *ss, const struct tuple *key, uint32_t hash)
{
	struct table_node *n;

	for (n = table_first(&ss->tuples, hash); n; n = table_next(n, hash)) {
		struct tuple *t = CONTAINER_OF(n, struct tuple, node);

		if (same_tuple(t, key))
			return t;
	}
	return NULL;
}

static bool is_known_free(const struct sockets *ss, const struct tuple *key)
{
	return ss->free_name_known && same_tuple(&ss->free_name, key);
}

/* Packets come in trains: the one found last is asked first. Who is not there comes next, often. */
struct tuple *tuple_find(struct sockets *ss, const struct tuple *key)
{
	struct tuple *t = ss->recent;
	uint32_t hash;

	if (t && same_tuple(t, key))
		return t;
	if (is_known_free(ss, key))
		return NULL;
	hash = hash_tuple(ss, key);
	t = find_tuple(ss, key, hash);
	if (t) {
		ss->recent = t;
	} else {
		ss->free_name = *key;
		ss->free_name.node.hash = hash;
		ss->free_name_known = true;
	}
	return t;
}

/* SO_BINDTOIFINDEX; RFC 4007 6: a link-local peer is another one on another link. */
bool tuple_hears(const struct tuple *t, unsigned ifindex)
{
	const struct sock *s = CONTAINER_OF(t, const struct sock, t);

	return t->kind != TUPLE_SOCK || !s->bound_ifindex || s->bound_ifindex == ifindex;
}

struct tuple *tuple_find_on(struct sockets *ss, const struct tuple *key, unsigned ifindex)
{
	struct tuple *t = tuple_find(ss, key);

	return t && tuple_hears(t, ifindex) ? t : NULL;
}

/* false: another has this name. */
bool tuple_put(struct sockets *ss, struct tuple *t)
{
	bool known = is_known_free(ss, t);
	uint32_t hash = known ? ss->free_name.node.hash : hash_tuple(ss, t);

	if (!known && find_tuple(ss, t, hash))
		return false;
	ss->free_name_known = false;
	table_put(&ss->tuples, &t->node, hash);
	t->in_table = true;
	ss->recent = t; /* the answer to what is sent now will be for it */
	return true;
}

void tuple_replace(struct sockets *ss, struct tuple *old, struct tuple *t)
{
	assert(old->in_table);
	table_remove(&ss->tuples, &old->node);
	table_put(&ss->tuples, &t->node, old->node.hash);
	old->in_table = false;
	t->in_table = true;
	ss->recent = t;
}

void tuple_remove(struct sockets *ss, struct tuple *t)
{
	if (!t->in_table)
		return;
	table_remove(&ss->tuples, &t->node);
	t->in_table = false;
	if (ss->recent == t)
		ss->recent = NULL;
}

/* ---- ports ---- */

/* Numbers that differ are in different buckets, as far as there are; strangers choose none. */
static uint32_t hash_port(unsigned proto, unsigned number)
{
	return proto << 16 | number;
}

struct port *port_find(const struct sockets *ss, unsigned proto, unsigned number)
{
	uint32_t hash = hash_port(proto, number);
	struct table_node *n;

	for (n = table_first(&ss->ports, hash); n; n = table_next(n, hash)) {
		struct port *p = CONTAINER_OF(n, struct port, node);

		if (p->number == number && p->proto == proto)
			return p;
	}
	return NULL;
}

struct port *port_get(struct sockets *ss, unsigned proto, unsigned number)
{
	struct port *p = port_find(ss, proto, number);

	if (p)
		return p;
	p = mem_new(ss->mem, sizeof(*p));
	if (!p)
		return NULL;
	*p = (struct port){ .number = (uint16_t)number, .proto = (uint8_t)proto };
	list_init(&p->open);
	list_init(&p->conns);
	table_put(&ss->ports, &p->node, hash_port(proto, number));
	return p;
}

void port_release(struct sockets *ss, struct port *p)
{
	if (p->n_time_wait || !list_empty(&p->open) || !list_empty(&p->conns))
		return;
	table_remove(&ss->ports, &p->node);
	mem_free(ss->mem, p, sizeof(*p));
}

void port_attach(struct sock *s, struct port *p, bool connected)
{
	struct list *l = connected ? &p->conns : &p->open;

	list_unlink(&s->bind_link);
	list_put_tail(l->next, &s->bind_link); /* first: of equals the last that bound hears */
	s->port = p;
}

void port_detach(struct sockets *ss, struct sock *s)
{
	struct port *p = s->port;

	if (!p)
		return;
	list_unlink(&s->bind_link);
	s->port = NULL;
	port_release(ss, p);
}

/* ---- matching a packet to an unconnected socket ---- */

/*
 * -1: not for this socket. Otherwise the more of family, local address, peer and interface it
 * names, the higher.
 */
static int score(const struct sock *s, const struct tuple *key, unsigned ifindex)
{
	int points = s->family == TERN_AF_INET ? 2 : 1;

	if (!sock_takes_family(s, addr_is4(&key->local)))
		return -1;
	if (!addr_is_unspecified(&s->t.local)) {
		if (!addr_equal(&s->t.local, &key->local))
			return -1;
		points += 4;
	}
	if (s->t.rport) {
		if (s->t.rport != key->rport || !addr_equal(&s->t.remote, &key->remote))
			return -1;
		points += 4;
	}
	if (s->bound_ifindex) {
		if (s->bound_ifindex != ifindex)
			return -1;
		points += 4;
	}
	if (key->proto == TERN_IPPROTO_TCP && s->state != TERN_TCP_LISTEN)
		return -1;
	return points;
}

static struct sock *match_among(const struct sockets *ss, const struct port *p,
				const struct tuple *key, unsigned ifindex)
{
	struct sock *best = NULL;
	int best_score = -1;
	uint32_t n_equal = 0, draw = 0;

	for (const struct list *l = p->open.next; l != &p->open; l = l->next) {
		struct sock *s = CONTAINER_OF(l, struct sock, bind_link);
		int points = score(s, key, ifindex);

		if (points > best_score) {
			best = s;
			best_score = points;
			n_equal = 1;
			draw = s->reuseport ? hash_with(ss, key, ports_of(key)) : 0;
		} else if (points == best_score && points >= 0 && s->reuseport && best->reuseport) {
			/* SO_REUSEPORT shares flows out by their hash, evenly */
			n_equal++;
			if ((uint64_t)draw * n_equal >> 32 == 0)
				best = s;
			draw = draw * 1664525 + 1013904223;
		}
	}
	return best;
}

/* Sockets that take any port are on the list of number 0, and asked last. */
struct sock *port_match(const struct sockets *ss, const struct tuple *key, unsigned ifindex)
{
	struct port *p = port_find(ss, key->proto, key->lport);
	struct sock *s = p ? match_among(ss, p, key, ifindex) : NULL;

	if (s)
		return s;
	p = port_find(ss, key->proto, 0);
	return p ? match_among(ss, p, key, ifindex) : NULL;
}

struct sock *sock_match(struct sockets *ss, const struct tuple *key, unsigned ifindex)
{
	struct tuple *t = tuple_find_on(ss, key, ifindex);

	return t ? CONTAINER_OF(t, struct sock, t) : port_match(ss, key, ifindex);
}

/* ---- conflicts ---- */

static bool families_meet(const struct sock *a, const struct sock *b)
{
	return (sock_takes_family(a, true) && sock_takes_family(b, true)) ||
	       (sock_takes_family(a, false) && sock_takes_family(b, false));
}

/* Could one packet be for both addresses? */
static bool addresses_overlap(const struct sock *a, const struct sock *b)
{
	bool any_a = addr_is_unspecified(&a->t.local), any_b = addr_is_unspecified(&b->t.local);

	if (!any_a && !any_b)
		return addr_equal(&a->t.local, &b->t.local);
	if (any_a && any_b)
		return families_meet(a, b);
	if (any_a)
		return sock_takes_family(a, addr_is4(&b->t.local));
	return sock_takes_family(b, addr_is4(&a->t.local));
}

static bool pair_conflicts(const struct sock *s, const struct sock *other, bool to_listen)
{
	bool listening = sock_is_stream(s) && (other->state == TERN_TCP_LISTEN || to_listen);

	if (s == other || !addresses_overlap(s, other))
		return false;
	if (s->bound_ifindex && other->bound_ifindex && s->bound_ifindex != other->bound_ifindex)
		return false;
	if (s->reuseport && other->reuseport)
		return false;
	if (s->reuseaddr && other->reuseaddr)
		return listening && other->state == TERN_TCP_LISTEN;
	return true;
}

static bool list_conflicts(const struct sock *s, const struct list *others, bool to_listen)
{
	for (const struct list *l = others->next; l != others; l = l->next)
		if (pair_conflicts(s, CONTAINER_OF(l, struct sock, bind_link), to_listen))
			return true;
	return false;
}

/* On the record's own port. */
static bool record_conflicts(const struct sock *s, const struct time_wait *tw)
{
	if (s->reuseaddr && (tw->t.flags & TW_REUSEADDR))
		return false;
	if (addr_is_unspecified(&s->t.local))
		return s->family == TERN_AF_INET6 || addr_is4(&tw->t.local);
	return addr_equal(&s->t.local, &tw->t.local);
}

static bool time_wait_conflicts(const struct sockets *ss, const struct sock *s,
				const struct port *p)
{
	if (p->n_time_wait == 0)
		return false;
	for (const struct list *l = ss->time_waits.next; l != &ss->time_waits; l = l->next) {
		const struct time_wait *tw = CONTAINER_OF(l, struct time_wait, link);

		if (tw->t.lport == p->number && tw->t.proto == p->proto && record_conflicts(s, tw))
			return true;
	}
	return false;
}

static bool users_conflict(const struct sock *s, const struct port *p, bool to_listen)
{
	return list_conflicts(s, &p->open, to_listen) || list_conflicts(s, &p->conns, to_listen);
}

bool port_conflicts(const struct sockets *ss, const struct sock *s, const struct port *p,
		    bool to_listen)
{
	if (users_conflict(s, p, to_listen))
		return true;
	return sock_is_stream(s) && !to_listen && time_wait_conflicts(ss, s, p);
}

/* ---- any port ---- */

/* It has a name then: none that a peer could say, so it is found after all others. */
int port_take_any(struct sockets *ss, struct sock *s)
{
	struct port *p;

	if (s->any_port)
		return 0;
	if (s->port || s->bound_addr || s->connected || s->protocol == TERN_IPPROTO_ICMP ||
	    s->protocol == TERN_IPPROTO_ICMPV6)
		return -TERN_EINVAL;
	p = port_get(ss, s->t.proto, 0);
	if (!p)
		return -TERN_ENOMEM;
	if (port_conflicts(ss, s, p, sock_is_stream(s)))
		return -TERN_EADDRINUSE;
	port_attach(s, p, false);
	s->any_port = true;
	return 0;
}

/* ---- automatic ports ---- */

static uint32_t n_ephemeral(const struct sockets *ss)
{
	return (uint32_t)ss->cfg->port_max - ss->cfg->port_min + 1;
}

static int take_port(struct sockets *ss, struct sock *s, unsigned number, bool connected)
{
	struct port *p = port_get(ss, s->t.proto, number);

	if (!p) {
		s->t.lport = 0;
		return -TERN_ENOMEM;
	}
	s->t.lport = (uint16_t)number;
	port_attach(s, p, connected);
	return 0;
}

/* One walk over the records, though every port is to be asked about. */
static void mark_held_ports(struct sockets *ss, const struct sock *s)
{
	ss->bind_round++;
	for (const struct list *l = ss->time_waits.next; l != &ss->time_waits; l = l->next) {
		const struct time_wait *tw = CONTAINER_OF(l, struct time_wait, link);

		if (tw->t.proto == s->t.proto && record_conflicts(s, tw))
			port_find(ss, tw->t.proto, tw->t.lport)->held_in = ss->bind_round;
	}
}

/* First a port that nobody uses, then one that may be shared. */
int port_pick_for_bind(struct sockets *ss, struct sock *s)
{
	uint32_t n = n_ephemeral(ss), first = (uint32_t)rand_below(ss->rand, n);

	for (uint32_t i = 0; i < 2 * n; i++) {
		unsigned number = ss->cfg->port_min + (first + i) % n;
		struct port *p = port_find(ss, s->t.proto, number);

		if (i == n)
			mark_held_ports(ss, s);
		if (!p || (i >= n && p->held_in != ss->bind_round && !users_conflict(s, p, false)))
			return take_port(ss, s, number, false);
	}
	return -TERN_EADDRINUSE;
}

bool tuple_is_free(struct sockets *ss, const struct tuple *key)
{
	struct tuple *t = tuple_find(ss, key);

	return !t || (t->kind == TUPLE_TIME_WAIT &&
		      time_wait_may_go(ss, CONTAINER_OF(t, struct time_wait, t)));
}

/* Of several shards: would answers to this five-tuple come to us? */
static bool belongs_here(const struct sockets *ss, const struct tuple *t)
{
	struct tern_addr local, remote;

	if (!ss->env->belongs_here)
		return true;
	addr_to_public(&local, &t->local, t->lport);
	addr_to_public(&remote, &t->remote, t->rport);
	return ss->env->belongs_here(ss->env->ctx, t->proto, &local, &remote);
}

/* Free for a new connection: nobody is bound to it, and no connection has the five-tuple. */
static bool port_is_free_for(struct sockets *ss, struct sock *s, unsigned number)
{
	struct port *p = port_find(ss, s->t.proto, number);

	s->t.lport = (uint16_t)number;
	if (p && !list_empty(&p->open))
		return false;
	if (p && !tuple_is_free(ss, &s->t))
		return false;
	return belongs_here(ss, &s->t);
}

/* RFC 6056 3.3.4: F and G are keyed; G picks one of several counters. */
int port_pick_for_connect(struct sockets *ss, struct sock *s)
{
	uint32_t n = n_ephemeral(ss), *counter;
	uint64_t hash;

	s->t.lport = 0; /* not chosen yet: no part of the key */
	hash = tuple_hash_secretly(&ss->port_key, &s->t);
	counter = &ss->port_counter[(hash >> 32) % EPHEMERAL_COUNTERS];
	for (uint32_t i = 0; i < n; i++) {
		unsigned number = ss->cfg->port_min + ((uint32_t)hash + (*counter)++) % n;

		if (port_is_free_for(ss, s, number))
			return take_port(ss, s, number, true);
	}
	s->t.lport = 0;
	return -TERN_EADDRNOTAVAIL;
}
