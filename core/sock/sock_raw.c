/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock_raw.c - raw and echo sockets: IP and ICMP themselves.
 *
 * A raw socket names a protocol and gets a copy of every packet of it that its addresses and
 * filter let through; the stack handles the packet all the same. IPv4 data begins with the IP
 * header, IPv6 data after the headers (RFC 3542 section 3). An echo socket sends echo requests
 * under an identifier that is its port, and gets the replies.
 */
#include "sock_dgram.h"

static bool filter_blocks(const struct dgram *d, int icmp_type)
{
	return icmp_type >= 0 && (d->icmp_filter[icmp_type / 32] >> icmp_type % 32 & 1);
}

bool sock_raw_speaks(const struct sock *s, const struct tuple *names, unsigned ifindex)
{
	if (s->protocol != names->proto || (s->family == TERN_AF_INET) != addr_is4(&names->local))
		return false;
	if (s->bound_ifindex && s->bound_ifindex != ifindex)
		return false;
	if (!addr_is_unspecified(&s->t.local) && !addr_equal(&s->t.local, &names->local))
		return false;
	return !s->connected || addr_equal(&s->t.remote, &names->remote);
}

static bool wants(const struct sock *s, const struct dgram_in *in, int icmp_type)
{
	const struct tuple names = { .local = in->dst, .remote = in->src, .proto = in->proto };

	return sock_raw_speaks(s, &names, in->ifindex) && sock_wants_group(s, in) &&
	       !filter_blocks(s->dgram, icmp_type);
}

/* RFC 3542 3.1: with IPV6_CHECKSUM what does not verify is dropped. */
static bool checksum_is_wrong(const struct sockets *ss, const struct sock *s,
			      const struct dgram_in *in)
{
	uint32_t sum;

	if (s->family != TERN_AF_INET6 || s->dgram->checksum_off < 0)
		return false;
	if ((uint32_t)s->dgram->checksum_off + 2 > in->len)
		return true;
	sum = checksum_pseudo(&in->src, &in->dst, in->proto, in->len);
	return checksum_finish(pkt_sum(in->pkt, in->off, ss->env->sum, sum)) != 0;
}

bool sock_raw_input(struct sockets *ss, const struct dgram_in *in, int icmp_type)
{
	bool wanted = false;

	for (struct list *l = ss->raws.next; l != &ss->raws; l = l->next) {
		struct sock *s = CONTAINER_OF(l, struct sock, bind_link);

		if (!wants(s, in, icmp_type) || checksum_is_wrong(ss, s, in))
			continue;
		dgram_put(ss, s, in);
		wanted = true;
	}
	return wanted;
}

/* ---- sending ---- */

/* The message as a packet, of max bytes at most; a negative error. */
static int gather_packet(struct sockets *ss, struct sock *s, const struct tern_msg *m,
			 const struct dgram_path *path, uint32_t max, struct tern_pkt **p)
{
	uint32_t len = (uint32_t)dgram_msg_len(m);

	if (len > max)
		return dgram_refuse_large(ss, s, path);
	*p = pkt_new(ss->mem, PKT_HEAD_ROOM, len);
	if (!*p)
		return -TERN_ENOBUFS;
	dgram_gather(m, (*p)->data);
	return 0;
}

/* Without a header of IP, which is ours to write. */
static uint32_t payload_max(const struct sock *s, const struct dgram_path *path)
{
	bool v4 = addr_is4(&path->dst);

	return dgram_size_max(s, &path->hop, v4) - (v4 ? IP4_HDR_LEN : IP6_HDR_LEN);
}

/* IP_HDRINCL: the user wrote the header; as Linux we fill length, checksum and zero fields. */
static int64_t send_with_header(struct sockets *ss, struct sock *s, const struct tern_msg *m,
				const struct dgram_path *path)
{
	uint32_t len = (uint32_t)dgram_msg_len(m);
	bool v4 = s->family == TERN_AF_INET;
	struct tern_pkt *p;
	int err;

	if (len < (v4 ? IP4_HDR_LEN : IP6_HDR_LEN))
		return -TERN_EINVAL;
	err = gather_packet(ss, s, m, path, path->hop.link_mtu, &p);
	if (err)
		return err;
	if (v4) {
		uint32_t hdr_len = (p->data[0] & 15) * 4;

		if (hdr_len < IP4_HDR_LEN || hdr_len > len) {
			pkt_free(ss->mem, p);
			return -TERN_EINVAL;
		}
		put_be16(p->data + 2, len);
		if (get_be16(p->data + 4) == 0)
			put_be16(p->data + 4, rand_u32(ss->rand) & 0xffff);
		if (get_be32(p->data + 12) == 0)
			memcpy(p->data + 12, path->src.b + 12, 4);
		ip4_set_checksum(p->data);
	}
	dgram_enqueue(ss, s, p, path);
	return len;
}

/* Over the pseudo-header: ICMPv6 always has one, others where IPV6_CHECKSUM says. -1: none. */
static int32_t checksum_at(const struct sock *s)
{
	if (s->family != TERN_AF_INET6)
		return -1;
	return s->protocol == TERN_IPPROTO_ICMPV6 ? 2 : s->dgram->checksum_off;
}

static void fill_checksum(const struct sockets *ss, const struct sock *s, struct tern_pkt *p,
			  const struct dgram_path *path, int32_t at)
{
	uint32_t sum;

	put_be16(p->data + at, 0);
	sum = checksum_pseudo(&path->src, &path->dst, s->protocol, p->len);
	put_be16(p->data + at, checksum_finish(pkt_sum(p, 0, ss->env->sum, sum)));
}

int64_t raw_send(struct sockets *ss, struct sock *s, const struct tern_msg *m,
		 const struct dgram_path *path)
{
	int32_t at = checksum_at(s);
	struct tern_pkt *p;
	int err;

	if (s->protocol == TERN_IPPROTO_ICMPV6 && addr_is4(&path->dst))
		return -TERN_ENETUNREACH;
	if (dgram_has_header(s))
		return send_with_header(ss, s, m, path);
	if (at >= 0 &&
	    dgram_msg_len(m) < (size_t)at + 2) /* as Linux: it ends before its checksum */
		return -TERN_EINVAL;
	err = gather_packet(ss, s, m, path, payload_max(s, path), &p);
	if (err)
		return err;
	if (at >= 0)
		fill_checksum(ss, s, p, path, at);
	dgram_push_ip(ss, s, p, path, m);
	dgram_enqueue(ss, s, p, path);
	return (int64_t)dgram_msg_len(m);
}

/* ---- echo sockets ---- */

static bool is_echo(const struct sock *s, uint8_t type)
{
	return type == (s->family == TERN_AF_INET ? ICMP4_ECHO : ICMP6_ECHO);
}

int64_t ping_send(struct sockets *ss, struct sock *s, const struct tern_msg *m,
		  const struct dgram_path *path)
{
	uint32_t len = (uint32_t)dgram_msg_len(m);
	bool v6 = s->family == TERN_AF_INET6;
	struct tern_pkt *p;
	uint32_t sum;
	int err;

	if (len < ICMP_HDR_LEN || (v6 && addr_is4(&path->dst))) /* no ICMPv6 over IPv4 */
		return -TERN_EINVAL;
	err = gather_packet(ss, s, m, path, payload_max(s, path), &p);
	if (err)
		return err;
	if (!is_echo(s, p->data[0]) || p->data[1] != 0) {
		pkt_free(ss->mem, p);
		return -TERN_EINVAL;
	}
	put_be16(p->data + 4, s->t.lport); /* the identifier is ours to say */
	put_be16(p->data + 2, 0);
	sum = v6 ? checksum_pseudo(&path->src, &path->dst, TERN_IPPROTO_ICMPV6, len) : 0;
	put_be16(p->data + 2, checksum_finish(pkt_sum(p, 0, ss->env->sum, sum)));
	dgram_push_ip(ss, s, p, path, m);
	dgram_enqueue(ss, s, p, path);
	return len;
}

enum tern_drop sock_ping_input(struct sockets *ss, const struct dgram_in *in)
{
	struct tuple key = {
		.local = in->dst, .remote = in->src, .lport = in->dport, .proto = in->proto
	};
	struct port *p = port_find(ss, key.proto, key.lport);
	struct sock *s = port_match(ss, &key, in->ifindex);

	/* A connected one is on the other list: its peer has no port. */
	for (struct list *l = p ? p->conns.next : NULL; p && !s && l != &p->conns; l = l->next) {
		struct sock *other = CONTAINER_OF(l, struct sock, bind_link);

		if (addr_equal(&other->t.remote, &in->src))
			s = other;
	}
	return s ? dgram_put(ss, s, in) : TERN_DROP_NONE;
}
