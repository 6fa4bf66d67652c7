/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control.c - what comes and goes beside a datagram: ip(7), ipv6(7).
 *
 * The stack knows where a datagram went to, its TTL and its TOS; the program gets of these what it
 * has asked for by an option, in the layout of its own machine.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "inside.h"

enum { CONTROL_MAX = 256 };

static const struct {
	int level, name;
} askable[] = {
	{ IPPROTO_IP, IP_PKTINFO },	     { IPPROTO_IP, IP_RECVTTL },
	{ IPPROTO_IP, IP_RECVTOS },	     { IPPROTO_IPV6, IPV6_RECVPKTINFO },
	{ IPPROTO_IPV6, IPV6_RECVHOPLIMIT }, { IPPROTO_IPV6, IPV6_RECVTCLASS },
};
enum { ASK_INFO = 1, ASK_TTL = 2, ASK_TOS = 4, ASK_INFO6 = 8, ASK_HOPS = 16, ASK_CLASS = 32 };

void control_note_option(struct pair *p, int level, int name, bool on)
{
	for (unsigned i = 0; i < sizeof(askable) / sizeof(askable[0]); i++)
		if (askable[i].level == level && askable[i].name == name)
			p->controls = on ? p->controls | 1u << i : p->controls & ~(1u << i);
}

/* ---- with what is sent ---- */

static bool value_of(const struct cmsghdr *h, void *out, size_t size)
{
	if (h->cmsg_len < CMSG_LEN(size))
		return false;
	memcpy(out, CMSG_DATA(h), size);
	return true;
}

static int take_info(const struct cmsghdr *h, struct tern_msg *m)
{
	struct in_pktinfo info;

	if (!value_of(h, &info, sizeof(info)) || info.ipi_ifindex < 0)
		return -EINVAL;
	m->ifindex = (uint32_t)info.ipi_ifindex;
	if (info.ipi_spec_dst.s_addr) {
		m->local = (struct tern_addr){ .family = TERN_AF_INET };
		memcpy(m->local.ip, &info.ipi_spec_dst, 4);
	}
	return 0;
}

static int take_info6(const struct cmsghdr *h, struct tern_msg *m)
{
	static const uint8_t any[16];
	struct in6_pktinfo info;

	if (!value_of(h, &info, sizeof(info)))
		return -EINVAL;
	m->ifindex = info.ipi6_ifindex;
	if (memcmp(&info.ipi6_addr, any, 16) != 0) {
		m->local = (struct tern_addr){ .family = TERN_AF_INET6 };
		memcpy(m->local.ip, &info.ipi6_addr, 16);
	}
	return 0;
}

static int take_number_in(const struct cmsghdr *h, int min, int *out)
{
	int v;

	if (!value_of(h, &v, sizeof(v)) || v < min || v > 255)
		return -EINVAL;
	*out = v;
	return 0;
}

static int take_control(const struct cmsghdr *h, struct tern_msg *m)
{
	uint8_t tos;

	if (h->cmsg_level == IPPROTO_IP && h->cmsg_type == IP_PKTINFO)
		return take_info(h, m);
	if (h->cmsg_level == IPPROTO_IPV6 && h->cmsg_type == IPV6_PKTINFO)
		return take_info6(h, m);
	if (h->cmsg_level == IPPROTO_IP && h->cmsg_type == IP_TTL)
		return take_number_in(h, 1, &m->ttl);
	if (h->cmsg_level == IPPROTO_IPV6 && h->cmsg_type == IPV6_HOPLIMIT)
		return take_number_in(h, -1, &m->ttl);
	if (h->cmsg_level == IPPROTO_IPV6 && h->cmsg_type == IPV6_TCLASS)
		return take_number_in(h, -1, &m->tos);
	if (h->cmsg_level == IPPROTO_IP && h->cmsg_type == IP_TOS) {
		if (h->cmsg_len != CMSG_LEN(1) || !value_of(h, &tos, 1))
			return take_number_in(h, 0, &m->tos);
		m->tos = tos;
		return 0;
	}
	return -EINVAL;
}

int control_read(const struct call *c, uint64_t at, uint64_t len, struct tern_msg *m)
{
	_Alignas(struct cmsghdr) char room[CONTROL_MAX];
	struct msghdr h = { .msg_control = room, .msg_controllen = len };

	if (len == 0)
		return 0;
	if (len > sizeof(room))
		return -ENOBUFS;
	if (!tracee_read(c, at, room, len))
		return -EFAULT;
	for (struct cmsghdr *one = CMSG_FIRSTHDR(&h); one; one = CMSG_NXTHDR(&h, one)) {
		int err = one->cmsg_len < sizeof(*one) ||
					  one->cmsg_len > len - (size_t)((char *)one - room) ?
				  -EINVAL :
				  take_control(one, m);

		if (err)
			return err;
	}
	return 0;
}

/* ---- with what has come ---- */

struct writer {
	_Alignas(struct cmsghdr) char room[CONTROL_MAX];
	size_t len;
};

static void put_control(struct writer *w, int level, int type, const void *value, size_t size)
{
	struct cmsghdr h = { .cmsg_len = CMSG_LEN(size), .cmsg_level = level, .cmsg_type = type };

	memcpy(w->room + w->len, &h, sizeof(h));
	memcpy(w->room + w->len + CMSG_LEN(0), value, size);
	w->len += CMSG_SPACE(size);
}

static void put_four(struct writer *w, uint32_t asked, const struct letter *l)
{
	struct in_pktinfo info = { .ipi_ifindex = (int)l->ifindex };
	const uint8_t *ip = l->local.ip + (l->local.family == TERN_AF_INET ? 0 : 12);
	uint8_t tos = (uint8_t)l->tos;

	memcpy(&info.ipi_addr, ip, 4);
	memcpy(&info.ipi_spec_dst, ip, 4);
	if (asked & ASK_INFO)
		put_control(w, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
	if (asked & ASK_TTL)
		put_control(w, IPPROTO_IP, IP_TTL, &l->ttl, sizeof(l->ttl));
	if (asked & ASK_TOS)
		put_control(w, IPPROTO_IP, IP_TOS, &tos, 1);
}

static void put_six(struct writer *w, uint32_t asked, const struct letter *l)
{
	struct in6_pktinfo info = { .ipi6_ifindex = l->ifindex };

	memcpy(&info.ipi6_addr, l->local.ip, 16);
	if (asked & ASK_INFO6)
		put_control(w, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	if (asked & ASK_HOPS)
		put_control(w, IPPROTO_IPV6, IPV6_HOPLIMIT, &l->ttl, sizeof(l->ttl));
	if (asked & ASK_CLASS)
		put_control(w, IPPROTO_IPV6, IPV6_TCLASS, &l->tos, sizeof(l->tos));
}

static bool is_of_four(const struct tern_addr *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return a->family == TERN_AF_INET || memcmp(a->ip, mapped, sizeof(mapped)) == 0;
}

bool control_write(const struct call *c, const struct letter *l, uint64_t at, uint64_t len,
		   struct msghdr *m)
{
	struct writer w = { .len = 0 };

	if (l && is_of_four(&l->local))
		put_four(&w, c->pair->controls, l);
	else if (l)
		put_six(&w, c->pair->controls, l);
	if (w.len > len) {
		w.len = len;
		m->msg_flags |= MSG_CTRUNC;
	}
	m->msg_controllen = w.len;
	return tracee_write(c, at, w.room, w.len);
}
