/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmsg.c - control messages: struct tern_msg and what programs write and read beside a datagram.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include <linux/errqueue.h> /* after time.h, which it needs */

#include "../../core/base/addr.h"
#include "cmsg.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#ifndef IPV6_FLOWINFO
#define IPV6_FLOWINFO 11 /* of linux/in6.h, which does not go with netinet/in.h */
#endif
#ifndef IPV6_2292HOPLIMIT
#define IPV6_2292PKTINFO 2
#define IPV6_2292HOPLIMIT 8
#endif

enum { CLASS_SHIFT = 20 }; /* of the first word of an IPv6 header */

/* ---- asking for them ---- */

static const struct {
	int level, name;
	uint32_t bit;
} askable[] = {
	{ SOL_SOCKET, SO_TIMESTAMP, CMSG_WANT_TIMESTAMP },
	{ SOL_SOCKET, SO_TIMESTAMPNS, CMSG_WANT_TIMESTAMPNS },
	{ IPPROTO_IP, IP_PKTINFO, CMSG_WANT_PKTINFO },
	{ IPPROTO_IP, IP_RECVTTL, CMSG_WANT_TTL },
	{ IPPROTO_IP, IP_RECVTOS, CMSG_WANT_TOS },
	{ IPPROTO_IPV6, IPV6_RECVPKTINFO, CMSG_WANT_PKTINFO6 },
	{ IPPROTO_IPV6, IPV6_RECVHOPLIMIT, CMSG_WANT_HOPLIMIT },
	{ IPPROTO_IPV6, IPV6_RECVTCLASS, CMSG_WANT_TCLASS },
	{ IPPROTO_IPV6, IPV6_FLOWINFO, CMSG_WANT_FLOWINFO },
	{ IPPROTO_IPV6, IPV6_2292PKTINFO, CMSG_WANT_OLD_PKTINFO6 },
	{ IPPROTO_IPV6, IPV6_2292HOPLIMIT, CMSG_WANT_OLD_HOPLIMIT },
};

uint32_t cmsg_wanted_by(int level, int name)
{
	for (size_t i = 0; i < sizeof(askable) / sizeof(askable[0]); i++)
		if (askable[i].level == level && askable[i].name == name)
			return askable[i].bit;
	return 0;
}

bool cmsg_is_stamp(int level, int name)
{
	return (cmsg_wanted_by(level, name) & CMSG_WANT_STAMPS) != 0;
}

/* Linux has one stamp or the other: the option that was set last. */
void cmsg_note_option(uint32_t *wanted, int level, int name, bool on)
{
	uint32_t bit = cmsg_wanted_by(level, name);

	if (cmsg_is_stamp(level, name))
		*wanted &= ~(uint32_t)CMSG_WANT_STAMPS;
	*wanted = on ? *wanted | bit : *wanted & ~bit;
}

/* ---- sending ---- */

static bool read_value(const struct cmsghdr *c, void *out, size_t size)
{
	if (c->cmsg_len < CMSG_LEN(size))
		return false;
	memcpy(out, CMSG_DATA(c), size);
	return true;
}

static bool read_int(const struct cmsghdr *c, int *out)
{
	return read_value(c, out, sizeof(*out));
}

static int take_pktinfo(const struct cmsghdr *c, struct tern_msg *m)
{
	struct in_pktinfo info;

	if (!read_value(c, &info, sizeof(info)) || info.ipi_ifindex < 0)
		return -EINVAL;
	m->ifindex = (uint32_t)info.ipi_ifindex;
	if (info.ipi_spec_dst.s_addr) {
		m->local = (struct tern_addr){ .family = TERN_AF_INET };
		memcpy(m->local.ip, &info.ipi_spec_dst, 4);
	}
	return 0;
}

static int take_pktinfo6(const struct cmsghdr *c, struct tern_msg *m)
{
	static const struct in6_addr any;
	struct in6_pktinfo info;

	if (!read_value(c, &info, sizeof(info)))
		return -EINVAL;
	m->ifindex = info.ipi6_ifindex;
	if (memcmp(&info.ipi6_addr, &any, 16) != 0) {
		m->local = (struct tern_addr){ .family = TERN_AF_INET6 };
		memcpy(m->local.ip, &info.ipi6_addr, 16);
	}
	return 0;
}

static int take_number(const struct cmsghdr *c, int min, int max, int *out)
{
	int v;

	if (!read_int(c, &v) || v < min || v > max)
		return -EINVAL;
	*out = v;
	return 0;
}

static int take_flow_info(const struct cmsghdr *c, struct tern_msg *m)
{
	uint32_t info;

	if (!read_value(c, &info, sizeof(info)))
		return -EINVAL;
	m->flow_label = ntohl(info);
	return 0;
}

static int take_one6(const struct cmsghdr *c, struct tern_msg *m)
{
	switch (c->cmsg_type) {
	case IPV6_PKTINFO:
	case IPV6_2292PKTINFO:
		return take_pktinfo6(c, m);
	case IPV6_FLOWINFO:
		return take_flow_info(c, m);
	case IPV6_HOPLIMIT:
	case IPV6_2292HOPLIMIT:
		return take_number(c, -1, 255, &m->ttl);
	case IPV6_TCLASS:
		return take_number(c, -1, 255, &m->tos);
	default:
		return -EINVAL;
	}
}

/* Of a socket of IPv6 it is for mapped addresses. */
static int take_one4(const struct cmsghdr *c, int family, struct tern_msg *m)
{
	uint8_t tos;

	switch (c->cmsg_type) {
	case IP_PKTINFO:
		return take_pktinfo(c, m);
	case IP_TTL:
		return take_number(c, 1, 255, &m->ttl);
	case IP_TOS:
		if (c->cmsg_len != CMSG_LEN(1) || !read_value(c, &tos, 1))
			return take_number(c, 0, 255, &m->tos);
		m->tos = tos;
		return 0;
	default:
		return family == AF_INET ? -EINVAL : 0;
	}
}

static int take_one_of_udp(const struct cmsghdr *c, struct tern_msg *m)
{
	if (c->cmsg_type != UDP_SEGMENT || c->cmsg_len != CMSG_LEN(2))
		return -EINVAL;
	return read_value(c, &m->segment, 2) ? 0 : -EINVAL;
}

static int take_one(const struct cmsghdr *c, int family, struct tern_msg *m)
{
	if (c->cmsg_level == SOL_SOCKET) /* for sockets of a host's own, and no harm here */
		return c->cmsg_type == SCM_RIGHTS || c->cmsg_type == SCM_CREDENTIALS ? 0 : -EINVAL;
	if (c->cmsg_level == IPPROTO_IPV6 && family == AF_INET6)
		return take_one6(c, m);
	if (c->cmsg_level == IPPROTO_IP && family != AF_UNSPEC)
		return take_one4(c, family, m);
	if (c->cmsg_level == IPPROTO_UDP && family != AF_UNSPEC)
		return take_one_of_udp(c, m);
	return 0;
}

int cmsg_to_msg(const struct msghdr *h, int family, struct tern_msg *m)
{
	struct msghdr copy = *h; /* CMSG_NXTHDR takes no const */

	if (!h->msg_control || !h->msg_controllen)
		return 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&copy); c; c = CMSG_NXTHDR(&copy, c)) {
		int err;

		if (c->cmsg_len < sizeof(*c) ||
		    c->cmsg_len > h->msg_controllen - (size_t)((char *)c - (char *)h->msg_control))
			return -EINVAL;
		err = take_one(c, family, m);
		if (err)
			return err;
	}
	return 0;
}

/* ---- receiving ---- */

struct writer {
	char *at;
	size_t left;
	bool cut;
};

/* As Linux: what does not fit whole is cut, and MSG_CTRUNC says so. */
static void put(struct writer *w, int level, int type, const void *data, size_t size)
{
	struct cmsghdr c = { .cmsg_level = level, .cmsg_type = type };
	size_t space = CMSG_SPACE(size), len = CMSG_LEN(size);

	if (w->left < sizeof(c)) {
		w->cut = true;
		return;
	}
	if (w->left < len) {
		w->cut = true;
		len = w->left;
	}
	c.cmsg_len = len;
	memcpy(w->at, &c, sizeof(c));
	memcpy(w->at + CMSG_LEN(0), data, len - CMSG_LEN(0));
	space = space < w->left ? space : w->left;
	w->at += space;
	w->left -= space;
}

static bool is_v4(const struct tern_addr *a)
{
	return addr_plain(a).family == TERN_AF_INET;
}

/* As Linux: beside an error there is no address to send from. */
static void put_pktinfo(struct writer *w, const struct tern_msg *m)
{
	const uint8_t *ip = m->local.family == TERN_AF_INET ? m->local.ip : m->local.ip + 12;
	struct in_pktinfo info = { .ipi_ifindex = (int)m->ifindex };

	memcpy(&info.ipi_addr, ip, 4);
	if (!(m->flags & TERN_MSG_ERRQUEUE))
		memcpy(&info.ipi_spec_dst, ip, 4);
	put(w, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
}

static void put_pktinfo6(struct writer *w, int type, const struct tern_msg *m)
{
	struct in6_pktinfo info = { .ipi6_ifindex = m->ifindex };

	memcpy(&info.ipi6_addr, m->local.ip, 16);
	put(w, IPPROTO_IPV6, type, &info, sizeof(info));
}

/* The packet's instant is of the monotonic clock. */
static void put_timestamp(struct writer *w, uint32_t wanted, const struct tern_msg *m)
{
	struct timespec mono, wall;
	struct timeval tv;
	int64_t ns;

	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_REALTIME, &wall);
	ns = (int64_t)(wall.tv_sec - mono.tv_sec) * (int64_t)TERN_SEC + wall.tv_nsec -
	     mono.tv_nsec + (int64_t)m->at;
	wall = (struct timespec){ ns / (int64_t)TERN_SEC, ns % (int64_t)TERN_SEC };
	tv = (struct timeval){ wall.tv_sec, wall.tv_nsec / 1000 };
	if (wanted & CMSG_WANT_TIMESTAMPNS)
		put(w, SOL_SOCKET, SCM_TIMESTAMPNS, &wall, sizeof(wall));
	else
		put(w, SOL_SOCKET, SCM_TIMESTAMP, &tv, sizeof(tv));
}

static void put_name(const struct tern_addr *a, void *out)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(a->port) };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(a->port) };

	if (a->family == TERN_AF_INET6) {
		memcpy(&in6.sin6_addr, a->ip, 16);
		in6.sin6_scope_id = a->scope_id;
		memcpy(out, &in6, sizeof(in6));
		return;
	}
	memcpy(&in.sin_addr, a->ip, 4);
	memcpy(out, &in, sizeof(in));
}

/* To an IPv6 socket a router of IPv4's is a mapped address (RFC 4291 2.5.5.2). */
static void put_offender(bool v6, const struct tern_addr *a, void *out)
{
	struct tern_addr mapped = { .family = TERN_AF_INET6, .ip = { [10] = 0xff, 0xff } };

	memcpy(mapped.ip + 12, a->ip, 4);
	put_name(v6 && a->family == TERN_AF_INET ? &mapped : a, out);
}

static void put_error(struct writer *w, bool v6, const struct tern_msg *m)
{
	struct {
		struct sock_extended_err err;
		struct sockaddr_in6 offender; /* or a struct sockaddr_in */
	} e = { .err = { .ee_errno = (uint32_t)m->error,
			 .ee_origin = m->origin,
			 .ee_type = m->type,
			 .ee_code = m->code,
			 .ee_info = m->info } };
	size_t room = v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

	if (m->offender.family)
		put_offender(v6, &m->offender, &e.offender);
	put(w, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVERR : IP_RECVERR, &e,
	    sizeof(e.err) + room);
}

static void put_path_mtu(struct writer *w, const struct tern_msg *m)
{
	struct ip6_mtuinfo info = { .ip6m_mtu = m->info };

	put_name(&m->addr, &info.ip6m_addr);
	put(w, IPPROTO_IPV6, IPV6_PATHMTU, &info, sizeof(info));
}

/* As Linux: where both are 0 there is nothing to tell. */
static void put_flow_info(struct writer *w, const struct tern_msg *m)
{
	uint32_t info = htonl((uint32_t)m->tos << CLASS_SHIFT | m->flow_label);

	if (info)
		put(w, IPPROTO_IPV6, IPV6_FLOWINFO, &info, sizeof(info));
}

static void put_fields4(struct writer *w, uint32_t wanted, const struct tern_msg *m)
{
	uint8_t tos = (uint8_t)m->tos;

	if (wanted & CMSG_WANT_PKTINFO)
		put_pktinfo(w, m);
	if (wanted & CMSG_WANT_TTL)
		put(w, IPPROTO_IP, IP_TTL, &m->ttl, sizeof(m->ttl));
	if (wanted & CMSG_WANT_TOS)
		put(w, IPPROTO_IP, IP_TOS, &tos, 1);
}

static void put_fields6(struct writer *w, uint32_t wanted, const struct tern_msg *m)
{
	if (wanted & CMSG_WANT_HOPLIMIT)
		put(w, IPPROTO_IPV6, IPV6_HOPLIMIT, &m->ttl, sizeof(m->ttl));
	if (wanted & CMSG_WANT_TCLASS)
		put(w, IPPROTO_IPV6, IPV6_TCLASS, &m->tos, sizeof(m->tos));
	if (wanted & CMSG_WANT_FLOWINFO)
		put_flow_info(w, m);
	if (wanted & CMSG_WANT_OLD_PKTINFO6)
		put_pktinfo6(w, IPV6_2292PKTINFO, m);
	if (wanted & CMSG_WANT_OLD_HOPLIMIT)
		put(w, IPPROTO_IPV6, IPV6_2292HOPLIMIT, &m->ttl, sizeof(m->ttl));
}

/* What this host says itself came in no packet. */
static bool came_in_packet(const struct tern_msg *m)
{
	return !(m->flags & TERN_MSG_ERRQUEUE) || m->origin != SO_EE_ORIGIN_LOCAL;
}

void cmsg_from_msg(uint32_t wanted, bool v6_socket, const struct tern_msg *m, struct msghdr *h)
{
	struct writer w = { h->msg_control, h->msg_control ? h->msg_controllen : 0, false };

	if (wanted & (CMSG_WANT_TIMESTAMP | CMSG_WANT_TIMESTAMPNS))
		put_timestamp(&w, wanted, m);
	if ((wanted & CMSG_WANT_PKTINFO6) && m->local.family == TERN_AF_INET6 && came_in_packet(m))
		put_pktinfo6(&w, IPV6_PKTINFO, m);
	if (came_in_packet(m) && is_v4(&m->local))
		put_fields4(&w, wanted, m);
	else if (came_in_packet(m))
		put_fields6(&w, wanted, m);
	if (m->flags & TERN_MSG_PATHMTU)
		put_path_mtu(&w, m);
	if (m->flags & TERN_MSG_ERRQUEUE)
		put_error(&w, v6_socket, m);
	h->msg_controllen = h->msg_control ? (size_t)(w.at - (char *)h->msg_control) : 0;
	if (w.cut)
		h->msg_flags |= MSG_CTRUNC;
}
