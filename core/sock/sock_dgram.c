/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock_dgram.c - where does what a datagram, raw or echo socket sends go, and when does it go?
 *
 * Packets to send are charged to SO_SNDBUF until the interface takes them.
 */
#include "sock_dgram.h"

enum { LOOPED_MAX = 1024 };

/* ---- sending ---- */

/* What the message or the socket names; else unspecified: it depends on the route. */
static int choose_source(struct sockets *ss, struct sock *s, const struct tern_msg *m,
			 struct addr *src)
{
	int err;

	*src = s->t.local;
	if (m->local.family) {
		err = sock_addr_in(s, &m->local, src);
		if (err)
			return err;
		if (!s->any_port && addr_classify(ss->net, src, 0) != ADDR_OURS)
			return s->family == TERN_AF_INET ? -TERN_ENETUNREACH : -TERN_EINVAL;
	}
	if (addr_is_multicast(src) || addr_is_limited_broadcast(src))
		*src = addr_any(s->family);
	if (addr_is_unspecified(src) || s->any_port || s->freebind || ss->cfg->ip_nonlocal_bind)
		return 0;
	/* bound to what is ours no longer */
	return addr_classify(ss->net, src, 0) == ADDR_OURS ? 0 : -TERN_EINVAL;
}

/* A source of one family, a destination of the other: only what was chosen for a peer gives way. */
static int match_families(const struct sock *s, const struct addr *dst, struct addr *src)
{
	if (addrs_agree(src, dst))
		return 0;
	if (!addr_is4(dst))
		return -TERN_EAFNOSUPPORT;
	if (s->bound_addr)
		return -TERN_ENETUNREACH;
	*src = addr_any(s->family);
	return 0;
}

/*
 * Who has no address yet says 0.0.0.0 to all on the wire (RFC 1122 3.2.1.3 (a), RFC 2131 4.1); who
 * writes the header says what he likes.
 */
static bool may_go_nameless(const struct sock *s, const struct addr *dst)
{
	return addr_is_limited_broadcast(dst) || (addr_is4(dst) && dgram_has_header(s));
}

int dgram_find_path(struct sockets *ss, struct sock *s, const struct tern_msg *m,
		    struct dgram_path *path)
{
	struct route_key key = { .ifindex = m->ifindex ? m->ifindex : s->bound_ifindex };
	int err;

	sock_name_this_host(s, &path->dst);
	key.dst = path->dst;
	if (!key.ifindex && (addr_needs_scope(&path->dst) || addr_is_multicast(&path->dst)))
		key.ifindex = m->addr.scope_id;
	if (!key.ifindex && addr_is_multicast(&path->dst))
		key.ifindex = dgram_choice(s->dgram, addr_is4(&path->dst))->ifindex;
	if (m->ifindex && !iface_get(ss->net, m->ifindex))
		return -TERN_ENODEV;
	err = choose_source(ss, s, m, &key.src);
	if (!err)
		err = match_families(s, &path->dst, &key.src);
	if (!err)
		err = route_lookup(ss->net, &key, &path->hop);
	if (err)
		return err;
	if (path->hop.to == ADDR_BROADCAST && !s->broadcast)
		return -TERN_EACCES;
	path->src = key.src;
	if (addr_is_loopback(&key.src) && path->hop.ifindex != LO_INDEX)
		return -TERN_EINVAL; /* RFC 1122 3.2.1.3 (g): it never leaves this host */
	if (!addr_is_unspecified(&key.src))
		return 0;
	err = source_select(ss->net, &path->dst, path->hop.ifindex, &path->src);
	if (err && may_go_nameless(s, &path->dst))
		return 0;
	key.src = path->src; /* the route may depend on it */
	return err ? err : route_lookup(ss->net, &key, &path->hop);
}

size_t dgram_msg_len(const struct tern_msg *m)
{
	size_t len = 0;

	for (size_t i = 0; i < m->n_iov; i++) {
		if (m->iov[i].len > SIZE_MAX - len)
			return SIZE_MAX; /* too much, however it is counted */
		len += m->iov[i].len;
	}
	return len;
}

void dgram_gather_part(const struct tern_msg *m, size_t at, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < m->n_iov && len; i++) {
		size_t before = MIN(at, m->iov[i].len), n = MIN(m->iov[i].len - before, len);

		if (n)
			memcpy(out, (const uint8_t *)m->iov[i].base + before, n);
		at -= before;
		out += n;
		len -= n;
	}
}

void dgram_gather(const struct tern_msg *m, uint8_t *out)
{
	dgram_gather_part(m, 0, out, dgram_msg_len(m));
}

/* Beside the datagram, with its address, or when the socket got its peer; 0: nowhere. */
static uint32_t label_given_for(const struct sock *s, const struct tern_msg *m)
{
	if (m->flow_label & IP6_LABEL_MASK)
		return m->flow_label & IP6_LABEL_MASK;
	if (m->addr.family)
		return s->sends_label ? m->addr.flow_label & IP6_LABEL_MASK : 0;
	return s->label_given ? s->flow_label : 0;
}

/* Puts the IP header before what the packet holds. */
void dgram_push_ip(struct sockets *ss, const struct sock *s, struct tern_pkt *p,
		   const struct dgram_path *path, const struct tern_msg *m)
{
	bool v4 = addr_is4(&path->dst);
	uint32_t len = p->total_len + (v4 ? IP4_HDR_LEN : IP6_HDR_LEN);
	const struct ip_choice *choice = sock_choice(s, v4);
	struct ip_names n = { .src = path->src,
			      .dst = path->dst,
			      .proto = s->protocol,
			      .tos = choice->tos,
			      .ttl = ip_ttl(choice),
			      .may_fragment = dgram_may_be_cut(s, &path->hop, len) };

	if (addr_is_multicast(&path->dst))
		n.ttl = dgram_choice(s->dgram, v4)->ttl;
	if (m->tos >= 0)
		n.tos = (uint8_t)m->tos;
	if (m->ttl >= 0)
		n.ttl = (int16_t)m->ttl;
	n.flow_label = label_given_for(s, m);
	if (!n.flow_label)
		ip_label(ss, &n, s->any_port ? m->local.port : s->t.lport, path->dport,
			 (enum label_choice)s->label_choice);
	p->cut_to = sock_mtu(s, &path->hop, v4);
	ip_push(ss, p, &n);
}

/* RFC 1112 6.1: members on this host get a copy, by way of lo, as if it had come in. */
static void loop_back(struct sockets *ss, const struct tern_pkt *p, const struct dgram_path *path)
{
	struct iface *lo = iface_get(ss->net, LO_INDEX);
	struct tern_pkt *copy;

	if (lo->control.n >= LOOPED_MAX || path->hop.ifindex == LO_INDEX ||
	    !group_is_joined(ss->net, &path->dst, path->hop.ifindex))
		return;
	copy = pkt_copy(ss->mem, p, 0);
	if (!copy)
		return;
	copy->ifindex = (uint16_t)path->hop.ifindex;
	pkt_queue_put(&lo->control, copy);
}

/* Takes the packet; it waits for its interface. */
int64_t dgram_enqueue(struct sockets *ss, struct sock *s, struct tern_pkt *p,
		      const struct dgram_path *path)
{
	struct dgram *d = s->dgram;
	const struct mcast_choice *choice = dgram_choice(d, addr_is4(&path->dst));
	bool group = addr_is_multicast(&path->dst);

	if (group && choice->loop)
		loop_back(ss, p, path);
	if (group && choice->ttl == 0) { /* for this host alone */
		pkt_free(ss->mem, p);
		return 0;
	}
	p->ifindex = (uint16_t)path->hop.ifindex;
	d->send_bytes += p->cap;
	pkt_queue_put(&d->send, p);
	sock_set_ready_on(ss, s, p->ifindex);
	return 0;
}

struct tern_pkt *sock_dgram_take(struct sockets *ss, struct sock *s)
{
	struct dgram *d = s->dgram;
	struct tern_pkt *p = pkt_queue_take(&d->send);

	if (!p)
		return NULL;
	if (2 * d->send_bytes > d->sndbuf)
		sock_news(ss, s, NEWS_OUT);
	d->send_bytes -= p->cap;
	return p;
}

static int find_destination(const struct sock *s, const struct tern_msg *m, struct dgram_path *path)
{
	if (m->addr.family == TERN_AF_UNSPEC) {
		if (!s->t.rport && !s->connected)
			return -TERN_EDESTADDRREQ;
		path->dst = s->t.remote;
		path->dport = s->t.rport;
		return 0;
	}
	path->dport = m->addr.port;
	return sock_addr_in(s, &m->addr, &path->dst);
}

/* What the message says of its header; no TTL of 0 (RFC 1122 3.2.1.7). */
static bool has_good_header(const struct tern_msg *m, bool v4)
{
	return m->ttl >= -1 && m->ttl <= 255 && !(m->ttl == 0 && v4) && m->tos >= -1 &&
	       m->tos <= 255;
}

int64_t sock_dgram_send(struct sockets *ss, struct sock *s, const struct tern_msg *m, int flags)
{
	struct dgram_path path = { .dport = 0 };
	bool udp6 = s->family == TERN_AF_INET6 && s->type != TERN_SOCK_RAW &&
		    s->protocol == TERN_IPPROTO_UDP;
	bool oob = flags & TERN_MSG_OOB;
	size_t len = dgram_msg_len(m);
	bool unnamed = !s->port && s->type != TERN_SOCK_RAW;
	int err = unnamed ? port_pick_for_bind(ss, s) : 0; /* also by one that fails */

	if (err)
		return err;
	if (oob && !udp6)
		return -TERN_EOPNOTSUPP;
	err = find_destination(s, m, &path);
	/* as Linux: UDP over IPv6 takes the one for nothing, the other for all that does not fit */
	udp6 = udp6 && !addr_is4(&path.dst);
	if (!err && !udp6)
		err = oob ? -TERN_EOPNOTSUPP : len > 65535 ? -TERN_EMSGSIZE : 0;
	if (!err && !has_good_header(m, addr_is4(&path.dst)))
		err = -TERN_EINVAL;
	if (err)
		return err;
	err = dgram_find_path(ss, s, m, &path);
	if (err)
		return err;
	if (s->error)
		return sock_take_error(s);
	if (s->shut_wr)
		return -TERN_EPIPE;
	if (s->dgram->send_bytes >= s->dgram->sndbuf) /* as Linux: the last may exceed it */
		return -TERN_EAGAIN;
	if (flags & TERN_MSG_PROBE)
		return (int64_t)len;
	if (s->type == TERN_SOCK_RAW)
		return raw_send(ss, s, m, &path);
	return s->protocol == TERN_IPPROTO_UDP ? udp_send(ss, s, m, &path) :
						 ping_send(ss, s, m, &path);
}

/* ---- its states ---- */

unsigned sock_dgram_poll(const struct sock *s)
{
	const struct dgram *d = s->dgram;
	unsigned ready = 0;

	if (d->recv.head || d->path_mtu || s->shut_rd)
		ready |= TERN_POLLIN;
	if (s->shut_rd)
		ready |= TERN_POLLRDHUP;
	if (s->shut_rd && s->shut_wr)
		ready |= TERN_POLLHUP;
	if (s->error || d->errors.head)
		ready |= TERN_POLLERR;
	if (2 * d->send_bytes <= d->sndbuf)
		ready |= TERN_POLLOUT;
	return ready;
}

/* What was found for the peer goes with it. */
static void leave_peer(struct sockets *ss, struct sock *s)
{
	tuple_remove(ss, &s->t);
	s->label_given = false;
	s->out_ifindex = 0;
}

static void dissolve(struct sockets *ss, struct sock *s)
{
	struct addr any = addr_any(s->family);

	leave_peer(ss, s);
	s->t.remote = any;
	s->t.rport = 0;
	s->connected = false;
	if (!s->bound_addr)
		s->t.local = any;
	if (s->port && s->bound_port)
		port_attach(s, s->port, false);
	else if (s->port) {
		port_detach(ss, s);
		s->t.lport = 0;
	}
}

/* Who is connected already goes on with its own name; where that cannot be, nothing has changed. */
int sock_dgram_connect(struct sockets *ss, struct sock *s, const struct tern_addr *to)
{
	struct tern_msg m = { .addr = *to };
	struct dgram_path path = { .dport = to->port };
	int err;

	if (to->family == TERN_AF_UNSPEC) {
		dissolve(ss, s);
		return 0;
	}
	err = s->any_port ? -TERN_EINVAL : sock_addr_in(s, to, &path.dst);
	if (err)
		return err;
	err = dgram_find_path(ss, s, &m, &path);
	if (err)
		return err;
	leave_peer(ss, s);
	s->t.remote = path.dst;
	s->t.rport = to->port;
	/* a group, or everybody, is what it hears, not who it is */
	if (!addr_is_multicast(&s->t.local) && !addr_is_limited_broadcast(&s->t.local))
		s->t.local = path.src;
	if (s->type != TERN_SOCK_RAW && !s->port)
		err = port_pick_for_connect(ss, s);
	if (err) {
		dissolve(ss, s);
		return err;
	}
	s->connected = true;
	sock_take_label(s, to);
	if (s->type == TERN_SOCK_RAW)
		return 0;
	/* A second socket of the same name (SO_REUSEADDR) is found through the port. */
	port_attach(s, s->port, tuple_put(ss, &s->t));
	return 0;
}

/* As on Linux: without a peer it wakes who waits all the same; and what comes is read first. */
int sock_dgram_shutdown(struct sockets *ss, struct sock *s, int how)
{
	if (how < TERN_SHUT_RD || how > TERN_SHUT_RDWR)
		return -TERN_EINVAL;
	s->shut_rd = s->shut_rd || how != TERN_SHUT_WR;
	s->shut_wr = s->shut_wr || how != TERN_SHUT_RD;
	sock_news(ss, s, NEWS_ALL);
	return s->connected ? 0 : -TERN_ENOTCONN;
}

void sock_dgram_fini(struct sockets *ss, struct sock *s)
{
	sock_leave_groups(ss, s);
	dgram_drop_queues(ss, s->dgram);
	pkt_queue_fini(&s->dgram->send, ss->mem);
	mem_free(ss->mem, s->dgram, sizeof(*s->dgram));
}

void sock_dgram_close(struct sockets *ss, struct sock *s)
{
	dgram_drop_queues(ss, s->dgram);
	sock_leave_groups(ss, s);
	sock_drop_slot(ss, s);
	tuple_remove(ss, &s->t);
	/* What was sent before close still goes; the stack frees the socket after the last. */
	if (s->dgram->send.n == 0)
		sock_free(ss, s);
}
