/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock_udp.c - datagram sockets: RFC 768, with Linux's meaning.
 *
 * A connected socket is found by its five-tuple, others through their port. A broadcast or
 * multicast datagram goes to every socket that could take it.
 */
#include "sock_dgram.h"

enum { PARTS_MAX = 128 }; /* of a message that is cut: Linux's UDP_MAX_SEGMENTS */

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

static enum tern_drop deliver_to(struct sockets *ss, struct sock *s, const struct dgram_in *in)
{
	enum tern_drop drop = dgram_put(ss, s, in);

	if (drop == TERN_DROP_NONE)
		ss->counters[COUNT_UDP_IN_DATAGRAMS]++;
	return drop;
}

/* As Linux: each who hears it counts. It is dropped only if none does. */
static void deliver_to_members(struct sockets *ss, const struct list *socks,
			       const struct dgram_in *in, enum tern_drop *drop)
{
	for (const struct list *l = socks->next; l != socks; l = l->next) {
		struct sock *s = CONTAINER_OF(l, struct sock, bind_link);
		enum tern_drop why;

		if (!takes_group(s, in))
			continue;
		why = deliver_to(ss, s, in);
		if (*drop != TERN_DROP_NONE)
			*drop = why;
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
	struct sock *s;

	if (in->group)
		return deliver_to_group(ss, in);
	s = sock_match(ss, &key, in->ifindex);
	if (!s) {
		ss->counters[COUNT_UDP_NO_PORTS]++;
		return TERN_DROP_UDP_NO_SOCKET;
	}
	return deliver_to(ss, s, in);
}

static uint16_t udp_checksum(const struct sockets *ss, const struct tern_pkt *p,
			     const struct dgram_path *path)
{
	uint32_t sum = checksum_pseudo(&path->src, &path->dst, TERN_IPPROTO_UDP, p->total_len);
	uint16_t check = checksum_finish(pkt_sum(p, 0, ss->env->sum, sum));

	return check ? check : 0xffff; /* RFC 768: zero would mean "none" */
}

/* A datagram of len bytes of the message, from `at` on. false: there is no memory. */
static bool send_part(struct sockets *ss, struct sock *s, const struct tern_msg *m,
		      const struct dgram_path *path, size_t at, size_t len)
{
	struct udp h = { .src_port = s->any_port ? m->local.port : s->t.lport,
			 .dst_port = path->dport,
			 .len = (uint16_t)(UDP_HDR_LEN + len) };
	struct tern_pkt *p = pkt_new(ss->mem, PKT_HEAD_ROOM, h.len);

	if (!p)
		return false;
	udp_emit(&h, p->data);
	dgram_gather_part(m, at, p->data + UDP_HDR_LEN, len);
	h.checksum = udp_checksum(ss, p, path);
	udp_emit(&h, p->data);
	p->flags |= TERN_PKT_CSUM_GOOD;
	dgram_push_ip(ss, s, p, path, m);
	dgram_enqueue(ss, s, p, path);
	ss->counters[COUNT_UDP_OUT_DATAGRAMS]++;
	return true;
}

/* part: what the message is cut into (0: nothing), of which each goes whole, as on Linux. */
static int check_send(struct sockets *ss, struct sock *s, const struct tern_msg *m,
		      const struct dgram_path *path, size_t len, size_t part)
{
	bool v4 = addr_is4(&path->dst);
	size_t ip_len = v4 ? IP4_HDR_LEN : IP6_HDR_LEN;
	uint32_t max = part ? sock_mtu(s, &path->hop, v4) : dgram_size_max(s, &path->hop, v4);

	if (path->dport == 0 || (s->any_port && m->local.port == 0))
		return -TERN_EINVAL;
	if (len > 65535 || ip_len + UDP_HDR_LEN + (part ? MIN(part, len) : len) > max)
		return dgram_refuse_large(ss, s, path);
	return part && len > PARTS_MAX * part ? -TERN_EINVAL : 0;
}

int64_t udp_send(struct sockets *ss, struct sock *s, const struct tern_msg *m,
		 const struct dgram_path *path)
{
	size_t len = dgram_msg_len(m), part = m->segment ? m->segment : s->dgram->segment, at = 0;
	int err = check_send(ss, s, m, path, len, part);

	if (err)
		return err;
	do {
		size_t n = part ? MIN(part, len - at) : len;

		if (!send_part(ss, s, m, path, at, n))
			return at ? (int64_t)at : -TERN_ENOBUFS;
		at += n;
	} while (at < len);
	return (int64_t)len;
}
