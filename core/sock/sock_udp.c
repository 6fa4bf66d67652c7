/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock_udp.c - datagram sockets: RFC 768, with Linux's meaning.
 *
 * A connected socket is found by its five-tuple, others through their port. A broadcast or
 * multicast datagram goes to every socket that could take it.
 */
#include "sock_dgram.h"

static struct sock *find_receiver(struct sockets *ss, const struct tuple *key, unsigned ifindex)
{
	struct tuple *t = tuple_find(ss, key);

	return t ? CONTAINER_OF(t, struct sock, t) : port_match(ss, key, ifindex);
}

static bool takes_group(const struct sock *s, const struct dgram_in *in)
{
	if (!sock_takes_family(s, addr_is4(&in->dst)))
		return false;
	if (s->bound_ifindex && s->bound_ifindex != in->ifindex)
		return false;
	if (!addr_is_unspecified(&s->t.local) && !addr_equal(&s->t.local, &in->dst))
		return false;
	if (!sock_wants_group(s, in))
		return false;
	return !s->t.rport || (s->t.rport == in->sport && addr_equal(&s->t.remote, &in->src));
}

static void deliver_to_members(struct sockets *ss, const struct list *socks,
			       const struct dgram_in *in, enum tern_drop *drop)
{
	for (const struct list *l = socks->next; l != socks; l = l->next) {
		struct sock *s = CONTAINER_OF(l, struct sock, bind_link);

		if (takes_group(s, in))
			*drop = dgram_put(ss, s, in);
	}
}

static enum tern_drop deliver_to_group(struct sockets *ss, const struct dgram_in *in)
{
	const struct port *p = port_find(ss, TERN_IPPROTO_UDP, in->dport);
	enum tern_drop drop = TERN_DROP_UDP_NO_SOCKET;

	if (p) {
		deliver_to_members(ss, &p->open, in, &drop);
		deliver_to_members(ss, &p->conns, in, &drop);
	}
	return drop;
}

enum tern_drop sock_udp_input(struct sockets *ss, const struct dgram_in *in)
{
	struct tuple key = { .local = in->dst,
			     .remote = in->src,
			     .lport = in->dport,
			     .rport = in->sport,
			     .proto = TERN_IPPROTO_UDP };
	enum tern_drop drop;
	struct sock *s;

	if (in->group)
		return deliver_to_group(ss, in);
	s = find_receiver(ss, &key, in->ifindex);
	if (!s) {
		ss->counters[COUNT_UDP_NO_PORTS]++;
		return TERN_DROP_UDP_NO_SOCKET;
	}
	drop = dgram_put(ss, s, in);
	if (drop == TERN_DROP_NONE)
		ss->counters[COUNT_UDP_IN_DATAGRAMS]++;
	return drop;
}

static uint16_t udp_checksum(const struct sockets *ss, const struct tern_pkt *p,
			     const struct dgram_path *path)
{
	uint32_t sum = checksum_pseudo(&path->src, &path->dst, TERN_IPPROTO_UDP, p->total_len);
	uint16_t check = checksum_finish(pkt_sum(p, 0, ss->env->sum, sum));

	return check ? check : 0xffff; /* RFC 768: zero would mean "none" */
}

int64_t udp_send(struct sockets *ss, struct sock *s, const struct tern_msg *m,
		 const struct dgram_path *path)
{
	uint32_t ip_len = addr_is4(&path->dst) ? IP4_HDR_LEN : IP6_HDR_LEN;
	uint32_t len = (uint32_t)dgram_msg_len(m);
	struct udp h = { .dst_port = path->dport };
	struct tern_pkt *p;
	int err;

	if (path->dport == 0 || (s->any_port && m->local.port == 0))
		return -TERN_EINVAL;
	if (len + UDP_HDR_LEN + ip_len > dgram_size_max(s, &path->hop, addr_is4(&path->dst)))
		return dgram_refuse_large(ss, s, path);
	if (!s->port) {
		err = port_pick_for_bind(ss, s);
		if (err)
			return err;
	}
	p = pkt_new(ss->mem, PKT_HEAD_ROOM, UDP_HDR_LEN + len);
	if (!p)
		return -TERN_ENOBUFS;
	h.src_port = s->any_port ? m->local.port : s->t.lport;
	h.len = (uint16_t)(UDP_HDR_LEN + len);
	udp_emit(&h, p->data);
	dgram_gather(m, p->data + UDP_HDR_LEN);
	h.checksum = udp_checksum(ss, p, path);
	udp_emit(&h, p->data);
	p->flags |= TERN_PKT_CSUM_GOOD;
	dgram_push_ip(ss, s, p, path, m);
	dgram_enqueue(ss, s, p, path);
	ss->counters[COUNT_UDP_OUT_DATAGRAMS]++;
	return len;
}
