/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockopt_ip.c - the options of the internet layer that are one integer: levels IP and IPV6.
 *
 * An IPv6 socket has those of both levels, and both hold: IPv4's for what it sends to and hears
 * from IPv4-mapped addresses (RFC 3493 3.7), IPv6's for all else. Neither says anything of the
 * other.
 */
#include "sockopt.h"

FLAG(freebind)
FLAG(v6only)
FLAG(recvflow)
FLAG(old_pktinfo)
FLAG(old_recvhops)
FLAG(sends_label)
PLAIN(pktinfo4, ip4.pktinfo, bool)
PLAIN(pktinfo6, ip6.pktinfo, bool)
PLAIN(recvttl, ip4.recvttl, bool)
PLAIN(recvhops, ip6.recvttl, bool)
PLAIN(recvtos, ip4.recvtos, bool)
PLAIN(recvtclass, ip6.recvtos, bool)
PLAIN(recverr4, ip4.recverr, bool)
PLAIN(recverr6, ip6.recverr, bool)
PLAIN(mcast_loop4, dgram->mcast4.loop, bool)
PLAIN(mcast_loop6, dgram->mcast6.loop, bool)
PLAIN(mcast_all4, dgram->mcast4.all, bool)
PLAIN(mcast_all6, dgram->mcast6.all, bool)
PLAIN(dontfrag, dgram->dontfrag, bool)
PLAIN(tells_path_mtu, dgram->tells_path_mtu, bool)
PLAIN(hdrincl, dgram->hdrincl, bool)
PLAIN(checksum, dgram->checksum_off, int32_t)

/* What was cached with the route depends on it. */
static void refresh_route(struct sockets *ss, struct sock *s)
{
	struct hop hop;

	if (s->out_ifindex)
		sock_find_route(ss, s, &hop);
}

/* ---- TOS ---- */

/* The ECN bits of a stream are TCP's own (RFC 3168 6.1), as on Linux. */
static void choose_tos(struct sock *s, struct ip_choice *c, int32_t v)
{
	c->tos = (uint8_t)(sock_is_stream(s) ? v & ~3 : v);
	s->tos = sock_choice(s, addr_is4(&s->t.remote))->tos;
}

static void set_tos(struct sockets *ss, struct sock *s, int32_t v)
{
	(void)ss;
	choose_tos(s, &s->ip4, v);
}

/* -1: the default (RFC 3542 section 6.5) */
static void set_tclass(struct sockets *ss, struct sock *s, int32_t v)
{
	(void)ss;
	choose_tos(s, &s->ip6, v == -1 ? 0 : v);
}

GETTER(tos, ip4.tos)
GETTER(tclass, ip6.tos)

/* ---- TTL ---- */

static void choose_ttl(struct ip_choice *c, int32_t v)
{
	c->ttl_chosen = v >= 0;
	c->ttl = (uint8_t)MAX(v, 0);
}

static void set_ttl(struct sockets *ss, struct sock *s, int32_t v)
{
	(void)ss;
	choose_ttl(&s->ip4, v);
}

static void set_hops(struct sockets *ss, struct sock *s, int32_t v)
{
	(void)ss;
	choose_ttl(&s->ip6, v);
}

static int32_t get_ttl(const struct sockets *ss, const struct sock *s)
{
	return s->ip4.ttl_chosen ? s->ip4.ttl : ss->cfg->ttl;
}

static int32_t get_hops(const struct sockets *ss, const struct sock *s)
{
	return s->ip6.ttl_chosen ? s->ip6.ttl : ss->cfg->hop_limit;
}

/* ---- path MTU discovery ---- */

static void set_mtu_discover4(struct sockets *ss, struct sock *s, int32_t v)
{
	s->ip4.mtu_discover = (uint8_t)v & 7u;
	refresh_route(ss, s);
}

static void set_mtu_discover6(struct sockets *ss, struct sock *s, int32_t v)
{
	s->ip6.mtu_discover = (uint8_t)v & 7u;
	refresh_route(ss, s);
}

GETTER(mtu_discover4, ip4.mtu_discover)
GETTER(mtu_discover6, ip6.mtu_discover)

static int32_t get_mtu(const struct sockets *ss, const struct sock *s)
{
	return (int32_t)sock_path_mtu(ss, s);
}

/* ---- labels of flows ---- */

static void set_flow_label(struct sockets *ss, struct sock *s, int32_t v)
{
	s->label_choice = v ? LABEL_ALWAYS : LABEL_NEVER;
	refresh_route(ss, s);
}

static int32_t get_flow_label(const struct sockets *ss, const struct sock *s)
{
	return ip_has_label(ss, (enum label_choice)s->label_choice);
}

/* ---- groups: a stream, which has none, tells what all begin with ---- */

static void set_mcast_ttl(struct sockets *ss, struct sock *s, int32_t v)
{
	(void)ss;
	s->dgram->mcast4.ttl = (uint8_t)(v < 0 ? 1 : v);
}

static void set_mcast_hops(struct sockets *ss, struct sock *s, int32_t v)
{
	(void)ss;
	s->dgram->mcast6.ttl = (uint8_t)(v < 0 ? 1 : v);
}

static int32_t get_mcast_ttl(const struct sockets *ss, const struct sock *s)
{
	(void)ss;
	return sock_is_stream(s) ? 1 : s->dgram->mcast4.ttl;
}

static int32_t get_mcast_hops(const struct sockets *ss, const struct sock *s)
{
	(void)ss;
	return sock_is_stream(s) ? 1 : s->dgram->mcast6.ttl;
}

/* ---- the table ---- */

enum { OMIT = TERN_IP_PMTUDISC_OMIT };

static const struct option options_of_ip[] = {
	{ TERN_IPPROTO_IP, TERN_IP_TOS, ALL, ANY, RW(tos) },
	{ TERN_IPPROTO_IP, TERN_IP_TTL, ALL | NOT_EMPTY, -1, 255, RW(ttl) },
	{ TERN_IPPROTO_IP, TERN_IP_HDRINCL, RAW, ANY, RW(hdrincl) },
	{ TERN_IPPROTO_IP, TERN_IP_PKTINFO, ALL, ANY, RW(pktinfo4) },
	{ TERN_IPPROTO_IP, TERN_IP_RECVTTL, ALL, ANY, RW(recvttl) },
	{ TERN_IPPROTO_IP, TERN_IP_RECVTOS, ALL, ANY, RW(recvtos) },
	{ TERN_IPPROTO_IP, TERN_IP_RECVERR, ALL, ANY, RW(recverr4) },
	{ TERN_IPPROTO_IP, TERN_IP_MTU_DISCOVER, ALL, 0, OMIT, RW(mtu_discover4) },
	{ TERN_IPPROTO_IP, TERN_IP_MTU, ALL, ANY, RO(mtu) },
	{ TERN_IPPROTO_IP, TERN_IP_FREEBIND, ALL | NOT_EMPTY, ANY, RW(freebind) },
	{ TERN_IPPROTO_IP, TERN_IP_MULTICAST_TTL, ALL | NOT_EMPTY, -1, 255, RW(mcast_ttl) },
	{ TERN_IPPROTO_IP, TERN_IP_MULTICAST_LOOP, DGRAM | RAW | NOT_EMPTY, ANY, RW(mcast_loop4) },
	{ TERN_IPPROTO_IP, TERN_IP_MULTICAST_ALL, DGRAM | RAW | NOT_EMPTY, 0, 1, RW(mcast_all4) },
	{ TERN_IPPROTO_IPV6, TERN_IPV6_MULTICAST_LOOP, DGRAM | RAW | V6, 0, 1, RW(mcast_loop6) },
	{ TERN_IPPROTO_IPV6, TERN_IPV6_MULTICAST_ALL, DGRAM | RAW | V6, 0, 1, RW(mcast_all6) },
	{ TERN_IPPROTO_IPV6, TERN_IPV6_V6ONLY, ALL | V6, ANY, RW(v6only) },
	{ TERN_IPPROTO_IPV6, TERN_IPV6_UNICAST_HOPS, ALL | V6, -1, 255, RW(hops) },
	{ TERN_IPPROTO_IPV6, TERN_IPV6_MULTICAST_HOPS, ALL | V6, -1, 255, RW(mcast_hops) },
	{ TERN_IPPROTO_IPV6, TERN_IPV6_TCLASS, ALL | V6, -1, 255, RW(tclass) },
	{ TERN_IPPROTO_IPV6, TERN_IPV6_RECVERR, ALL | V6, ANY, RW(recverr6) },
	{ TERN_IPPROTO_IPV6, TERN_IPV6_RECVPKTINFO, ALL | V6, ANY, RW(pktinfo6) },
	{ TERN_IPPROTO_IPV6, TERN_IPV6_RECVHOPLIMIT, ALL | V6, ANY, RW(recvhops) },
	{ TERN_IPPROTO_IPV6, TERN_IPV6_RECVTCLASS, ALL | V6, ANY, RW(recvtclass) },
	{ TERN_IPPROTO_IPV6, TERN_IPV6_2292PKTINFO, ALL | V6, ANY, RW(old_pktinfo) },
	{ TERN_IPPROTO_IPV6, TERN_IPV6_2292HOPLIMIT, ALL | V6, ANY, RW(old_recvhops) },
	{ TERN_IPPROTO_IPV6, TERN_IPV6_MTU_DISCOVER, ALL | V6, 0, OMIT, RW(mtu_discover6) },
	{ TERN_IPPROTO_IPV6, TERN_IPV6_MTU, ALL | V6, ANY, RO(mtu) },
	{ TERN_IPPROTO_IPV6, TERN_IPV6_DONTFRAG, DGRAM | RAW | V6, ANY, RW(dontfrag) },
	{ TERN_IPPROTO_IPV6, TERN_IPV6_RECVPATHMTU, DGRAM | RAW | V6, ANY, RW(tells_path_mtu) },
	{ TERN_IPPROTO_IPV6, TERN_IPV6_FLOWINFO, ALL | V6, ANY, RW(recvflow) },
	{ TERN_IPPROTO_IPV6, TERN_IPV6_FLOWINFO_SEND, ALL | V6, ANY, RW(sends_label) },
	{ TERN_IPPROTO_IPV6, TERN_IPV6_AUTOFLOWLABEL, ALL | V6, ANY, RW(flow_label) },
	{ TERN_IPPROTO_IPV6, TERN_IPV6_HDRINCL, RAW | V6, ANY, RW(hdrincl) },
	{ TERN_IPPROTO_IPV6, TERN_IPV6_CHECKSUM, RAW | V6, -1, 65534, RW(checksum) },
	{ TERN_IPPROTO_RAW, TERN_IPV6_CHECKSUM, RAW | V6, -1, 65534, RW(checksum) },
};

const struct option *sockopt_ip_table(size_t *n)
{
	*n = N_ELEMENTS(options_of_ip);
	return options_of_ip;
}

int sockopt_ip_refuses(const struct sock *s, const struct option *o, int32_t v)
{
	if (o->set == set_mcast_ttl && sock_is_stream(s))
		return -TERN_EINVAL; /* though it may be asked for */
	if (o->set == set_mcast_hops && sock_is_stream(s))
		return -TERN_ENOPROTOOPT;
	if (o->set == set_v6only && s->port)
		return -TERN_EINVAL; /* the name is taken already */
	/* RFC 3542 3.1: of ICMPv6 the stack says it; of the other level Linux lets it pass */
	if (o->set == set_checksum && o->level == TERN_IPPROTO_IPV6 &&
	    s->protocol == TERN_IPPROTO_ICMPV6)
		return -TERN_EINVAL;
	if (o->set == set_checksum && (v & 1) && v != -1)
		return -TERN_EINVAL;
	return o->set == set_ttl && v == 0 ? -TERN_EINVAL : 0;
}
