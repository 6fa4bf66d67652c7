/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * far.c - a socket that is bound to the loopback, and the host's loopback.
 *
 * What leaves a stack never bears an address of its loopback (RFC 1122 3.2.1.3 (g)), and on that
 * address nothing comes in. So such a datagram socket has a second one of the stack, without a
 * name: by it goes what is for the host's loopback, and what comes back by it is the first one's.
 * The program sees one socket, whose peers are at the loopback; which port the host sees is the
 * gateway's matter anyway. A stream has one peer: when it is to connect there, another socket of
 * the stack with the same port takes the place of its own.
 */
#include "inside.h"

static bool is_bound_to_loopback(const struct run *r, const struct pair *p)
{
	struct tern_addr at;

	if (tern_getsockname(r->st, p->s, &at) != 0)
		return false;
	at = addr_plain(&at);
	return address_is_loopback(&at);
}

static bool goes_far(const struct run *r, const struct pair *p, const struct tern_addr *to)
{
	return address_is_hosts_loopback(r, to) && is_bound_to_loopback(r, p);
}

/* Its news are the pair's. */
static bool open_far(struct run *r, struct pair *p)
{
	if (p->far)
		return true;
	if (tern_socket(r->st, p->family, TERN_SOCK_DGRAM, p->protocol, &p->far) != 0)
		return false;
	tern_set_user(r->st, p->far, p);
	said_again(r, p, p->far);
	return true;
}

tern_sock far_or_near_of_peer(const struct pair *p)
{
	return p->far_has_peer ? p->far : p->s;
}

tern_sock far_or_near(struct run *r, struct pair *p, const struct tern_addr *to)
{
	to = cork_to(&p->cork) ? cork_to(&p->cork) : to;
	if (!to || !to->family)
		return far_or_near_of_peer(p);
	return goes_far(r, p, to) && open_far(r, p) ? p->far : p->s;
}

int far_connect(struct run *r, struct pair *p, const struct tern_addr *to)
{
	static const struct tern_addr nobody = { .family = TERN_AF_UNSPEC };
	bool far = to->family && goes_far(r, p, to);
	int err;

	if (!far && p->far_has_peer) {
		tern_connect(r->st, p->far, &nobody);
		p->far_has_peer = false;
	}
	if (!far)
		return tern_connect(r->st, p->s, to);
	if (!open_far(r, p))
		return -TERN_ENOBUFS;
	err = tern_connect(r->st, p->far, to);
	if (err)
		return err;
	tern_connect(r->st, p->s, &nobody); /* it may have had another one */
	p->far_has_peer = true;
	return 0;
}

void far_close(struct run *r, struct pair *p)
{
	if (p->far)
		tern_close(r->st, p->far);
	p->far = 0;
	p->far_has_peer = false;
}

int far_leave_loopback(struct run *r, struct pair *p, const struct tern_addr *to)
{
	struct tern_addr any = { .family = (uint16_t)p->family };
	struct tern_addr at;

	if (!goes_far(r, p, to))
		return 0;
	if (tern_getsockname(r->st, p->s, &at) == 0)
		any.port = at.port;
	return pair_renew(r, p, &any);
}
