/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock_mtu.c - how large may a packet of this socket be, and may a router cut it?
 *
 * The user says it by IP_MTU_DISCOVER for what goes by IPv4, by IPV6_MTU_DISCOVER for what goes by
 * IPv6, with the meaning that ip(7) gives the values:
 *
 *		   bytes of a datagram	  of a stream	"don't fragment"   hears routers
 *	DONT	   any, cut to path's	  path's	no		   yes
 *	WANT	   any, cut to path's	  path's	as far as it fits  yes
 *	DO	   path's		  path's	yes		   yes
 *	PROBE	   link's		  path's	yes		   yes
 *	INTERFACE  link's		  link's	no		   no
 *	OMIT	   any, cut to link's	  link's	no		   no
 */
#include "sock_tcp.h"

uint32_t sock_mtu(const struct sock *s, const struct hop *hop, bool v4)
{
	uint8_t choice = sock_choice(s, v4)->mtu_discover;
	bool by_link = choice >= TERN_IP_PMTUDISC_INTERFACE ||
		       (choice == TERN_IP_PMTUDISC_PROBE && !sock_is_stream(s));

	return by_link ? hop->link_mtu : hop->mtu;
}

uint32_t dgram_size_max(const struct sock *s, const struct hop *hop, bool v4)
{
	uint8_t choice = sock_choice(s, v4)->mtu_discover;

	if (s->dgram->dontfrag && !v4) /* RFC 3542 11.2 */
		return sock_mtu(s, hop, v4);
	if (choice < TERN_IP_PMTUDISC_DO || choice == TERN_IP_PMTUDISC_OMIT)
		return v4 ? 65535 : 65535 + IP6_HDR_LEN;
	return sock_mtu(s, hop, v4);
}

static bool never_sets_df(const struct ip_choice *c)
{
	return c->mtu_discover == TERN_IP_PMTUDISC_DONT ||
	       c->mtu_discover >= TERN_IP_PMTUDISC_INTERFACE;
}

/* A router's word never makes a stream give its "don't fragment" up. */
bool stream_may_be_cut(const struct sock *s)
{
	return never_sets_df(&s->ip4);
}

bool dgram_may_be_cut(const struct sock *s, const struct hop *hop, uint32_t len)
{
	return never_sets_df(&s->ip4) ||
	       (s->ip4.mtu_discover == TERN_IP_PMTUDISC_WANT && len > hop->mtu);
}

bool sock_hears_too_big(const struct sock *s, bool v4)
{
	return sock_choice(s, v4)->mtu_discover < TERN_IP_PMTUDISC_INTERFACE;
}

uint32_t sock_path_mtu(const struct sockets *ss, const struct sock *s)
{
	struct hop hop;

	if (!s->t.rport && !s->connected)
		return 0;
	return sock_lookup_route(ss, s, &hop) ? 0 : hop.mtu;
}

static uint32_t header_len(const struct sock *s)
{
	return (addr_is4(&s->t.remote) ? IP4_HDR_LEN : IP6_HDR_LEN) + TCP_HDR_LEN;
}

COLD void sock_tell_path_mtu(struct sockets *ss, struct sock *s)
{
	path_mtu_learn(ss->net, &s->t.remote, s->tcp->path_mss + header_len(s));
}

void sock_take_path_mtu(struct sockets *ss, struct sock *s, const struct hop *hop)
{
	const struct tcp_ctx *x = sock_ctx(ss);

	s->out_mtu = (uint16_t)MIN(sock_mtu(s, hop, addr_is4(&s->t.remote)), 65535);
	if (sock_is_stream(s) && s->tcp && s->state != TERN_TCP_LISTEN)
		tcp_set_path_mss(s->tcp, x, mss_for(&s->t, s->out_mtu));
}
