/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * address.c - addresses between the program and the stack, and what the loopback means.
 *
 * 127.0.0.0/8 and ::1 lead to a socket of the program's tree that listens or is bound there; when
 * there is none, to the address of the gateway that stands for the host's own loopback. The program
 * sees the address that it used.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "inside.h"

static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

struct tern_addr address_for_stack(const struct pair *p, const struct tern_addr *a)
{
	struct tern_addr six = { .family = TERN_AF_INET6, .port = a->port };

	if (p->family != AF_INET6 || a->family != TERN_AF_INET)
		return *a;
	memcpy(six.ip, mapped_prefix, 12);
	memcpy(six.ip + 12, a->ip, 4);
	return six;
}

static int read_name(const struct call *c, uint64_t at, uint64_t len, struct sockaddr_storage *s)
{
	memset(s, 0, sizeof(*s));
	if ((int32_t)len < 0 || (uint32_t)len > sizeof(*s))
		return -EINVAL;
	if (!tracee_read(c, at, s, (uint32_t)len))
		return -EFAULT;
	return (uint32_t)len < sizeof(s->ss_family) ? -EINVAL : 0;
}

static int parse_name(const struct sockaddr_storage *s, uint64_t len, int family,
		      struct tern_addr *out)
{
	int err = sockaddr_read(family, (const struct sockaddr *)(const void *)s, (socklen_t)len,
				out);

	if (!err)
		*out = addr_plain(out);
	return err;
}

int address_read_family(const struct call *c, uint64_t at, uint64_t len, int *family)
{
	struct sockaddr_storage s;
	int err = read_name(c, at, len, &s);

	*family = s.ss_family;
	return err;
}

int address_read(const struct call *c, uint64_t at, uint64_t len, int family, struct tern_addr *out)
{
	struct sockaddr_storage s;
	int err = read_name(c, at, len, &s);

	return err ? err : parse_name(&s, len, family, out);
}

int address_read_peer(const struct call *c, uint64_t at, uint64_t len, struct tern_addr *out)
{
	struct sockaddr_storage s;
	int err = read_name(c, at, len, &s);

	if (err)
		return err;
	return parse_name(&s, len, s.ss_family == AF_INET ? AF_INET : c->pair->family, out);
}

socklen_t address_put(const struct pair *p, const struct tern_addr *a, struct sockaddr_storage *s)
{
	struct sockaddr_in *four = (struct sockaddr_in *)(void *)s;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)s;

	memset(s, 0, sizeof(*s));
	if (p->family == AF_INET) {
		four->sin_family = AF_INET;
		four->sin_port = htons(a->port);
		memcpy(&four->sin_addr, a->ip, 4);
		return sizeof(*four);
	}
	six->sin6_family = AF_INET6;
	six->sin6_port = htons(a->port);
	six->sin6_scope_id = a->scope_id;
	six->sin6_flowinfo = htonl(a->flow_label);
	if (a->family == TERN_AF_INET && !address_is_any(a)) {
		memcpy(&six->sin6_addr, mapped_prefix, 12);
		memcpy((uint8_t *)&six->sin6_addr + 12, a->ip, 4);
	} else {
		memcpy(&six->sin6_addr, a->ip, 16);
	}
	return sizeof(*six);
}

int address_write(const struct call *c, const struct pair *p, const struct tern_addr *a,
		  uint64_t at, uint64_t len_at)
{
	struct sockaddr_storage s;
	socklen_t len = address_put(p, a, &s);
	int32_t room;

	if (!tracee_read(c, len_at, &room, sizeof(room)))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	if (!tracee_write(c, at, &s, (socklen_t)room < len ? (size_t)room : len) ||
	    !tracee_write(c, len_at, &len, sizeof(len)))
		return -EFAULT;
	return 0;
}

bool address_is_any(const struct tern_addr *a)
{
	static const uint8_t none[16];

	return memcmp(a->ip, none, a->family == TERN_AF_INET ? 4 : 16) == 0;
}

bool address_is_loopback(const struct tern_addr *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	if (a->family == TERN_AF_INET)
		return a->ip[0] == 127;
	return a->family == TERN_AF_INET6 && memcmp(a->ip, one, 16) == 0;
}

static struct tern_addr loopback_of(int family, uint16_t port)
{
	struct tern_addr a = tern_ip4(127, 0, 0, 1, port);

	if (family == TERN_AF_INET)
		return a;
	a = (struct tern_addr){ .family = TERN_AF_INET6, .port = port };
	a.ip[15] = 1;
	return a;
}

/* Does q take what goes to this address of the loopback? */
static bool takes(struct run *r, const struct pair *q, int type, const struct tern_addr *to)
{
	struct tern_addr at;

	if (q->type != type || !q->s || (type == SOCK_STREAM && q->state != PAIR_LISTENING) ||
	    tern_getsockname(r->st, q->s, &at) != 0 || at.port != to->port)
		return false;
	at = addr_plain(&at);
	if (address_is_any(&at))
		return at.family == TERN_AF_INET6 || to->family == TERN_AF_INET;
	return at.family == to->family && memcmp(at.ip, to->ip, 16) == 0;
}

/* Who has an address of IPv4 means IPv4's loopback by "::". */
static bool has_four(struct run *r, const struct pair *p)
{
	struct tern_addr at;

	return tern_getsockname(r->st, p->s, &at) == 0 && addr_plain(&at).family == TERN_AF_INET;
}

struct tern_addr address_route(struct run *r, struct pair *p, struct tern_addr *to)
{
	struct tern_addr far;

	if (address_is_any(to))
		*to = loopback_of(has_four(r, p) ? TERN_AF_INET : to->family, to->port);
	if (!address_is_loopback(to))
		return address_for_stack(p, to);
	for (struct list *l = r->named.next; l != &r->named; l = l->next)
		if (takes(r, CONTAINER_OF(l, struct pair, named_link), p->type, to))
			return address_for_stack(p, to);
	far = to->family == TERN_AF_INET ? r->loopback : r->loopback6;
	if (far.family == TERN_AF_UNSPEC)
		return address_for_stack(p, to);
	far.port = to->port;
	p->by_gateway = true;
	return address_for_stack(p, &far);
}

bool address_is_hosts_loopback(const struct run *r, const struct tern_addr *a)
{
	struct tern_addr is = addr_plain(a);
	const struct tern_addr *far = is.family == TERN_AF_INET ? &r->loopback : &r->loopback6;

	return far->family == is.family && is.family != TERN_AF_UNSPEC &&
	       memcmp(far->ip, is.ip, 16) == 0;
}

struct tern_addr address_shown(const struct run *r, const struct pair *p, const struct tern_addr *a)
{
	if (p->by_gateway && address_is_hosts_loopback(r, a))
		return loopback_of(addr_plain(a).family, a->port);
	return *a;
}

void address_show_message(const struct run *r, const struct pair *p, struct tern_msg *m)
{
	struct tern_addr from = address_shown(r, p, &m->addr), here;

	if (m->local.family && address_is_loopback(&from) && !address_is_loopback(&m->addr)) {
		here = loopback_of(from.family, m->local.port);
		m->local = address_for_stack(p, &here);
		m->ifindex = 1;
	}
	m->addr = from;
}

void address_leave_loopback(const struct pair *p, struct tern_msg *m)
{
	struct tern_addr here = addr_plain(&m->local);

	if (p->by_gateway && address_is_loopback(&here))
		m->local.family = TERN_AF_UNSPEC;
}
