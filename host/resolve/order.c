/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * order.c - of several addresses of one host, which is to be tried first? RFC 6724 6.
 *
 * The rules are asked in turn, and the first that knows decides. What tern does not have decides
 * nothing: home addresses (rule 4) and encapsulating interfaces (rule 7).
 */
#include "resolve_impl.h"

enum { SCOPE_LINK = 2, SCOPE_SITE = 5, SCOPE_GLOBAL = 14 };

static unsigned common_prefix(const uint8_t *a, const uint8_t *b, unsigned max)
{
	unsigned n = 0;

	while (n < max && ((a[n / 8] ^ b[n / 8]) & 0x80 >> n % 8) == 0)
		n++;
	return n;
}

/* 3.1, 3.2 */
static unsigned scope_of_address(const struct tern_addr *a)
{
	static const uint8_t loopback[16] = { [15] = 1 };
	const uint8_t *ip = a->ip;

	if (a->family == TERN_AF_INET)
		return ip[0] == 127 || (ip[0] == 169 && ip[1] == 254) ? SCOPE_LINK : SCOPE_GLOBAL;
	if (ip[0] == 0xff)
		return ip[1] & 15;
	if ((ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80) || memcmp(ip, loopback, 16) == 0)
		return SCOPE_LINK;
	return ip[0] == 0xfe && (ip[1] & 0xc0) == 0xc0 ? SCOPE_SITE : SCOPE_GLOBAL;
}

static bool scopes_match(const struct order_route *r)
{
	return scope_of_address(&r->dst) == scope_of_address(&r->src);
}

static bool labels_match(const struct order_route *r)
{
	return r->dst_policy.label == r->src_policy.label;
}

/* Above 0: a is better; below: b is; 0: they are equal. */
static int compare_routes(const struct order_route *a, const struct order_route *b)
{
	bool a_reached = a->src.family != TERN_AF_UNSPEC, b_reached = b->src.family != 0;
	int d = a_reached - b_reached; /* rule 1 */

	if (d || !a_reached)
		return d;
	d = scopes_match(a) - scopes_match(b); /* 2 */
	if (d == 0)
		d = b->src_deprecated - a->src_deprecated; /* 3 */
	if (d == 0)
		d = labels_match(a) - labels_match(b); /* 5 */
	if (d == 0)
		d = (a->dst_policy.precedence > b->dst_policy.precedence) -
		    (a->dst_policy.precedence < b->dst_policy.precedence); /* 6 */
	if (d == 0)
		d = (int)scope_of_address(&b->dst) - (int)scope_of_address(&a->dst); /* 8 */
	if (d == 0 && a->dst.family == b->dst.family)				     /* 9 */
		d = (int)common_prefix(a->dst.ip, a->src.ip, a->src_prefix_len) -
		    (int)common_prefix(b->dst.ip, b->src.ip, b->src_prefix_len);
	return d;
}

/* Rule 10: equals stay in their order. */
void order_routes(const struct tern_stack *st, struct order_route *r, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		tern_policy_of(st, &r[i].dst, &r[i].dst_policy);
		tern_policy_of(st, &r[i].src, &r[i].src_policy);
	}
	for (unsigned i = 1; i < n; i++) {
		struct order_route moved = r[i];
		unsigned to = i;

		for (; to > 0 && compare_routes(&moved, &r[to - 1]) > 0; to--)
			r[to] = r[to - 1];
		r[to] = moved;
	}
}

/* Connecting a datagram socket sends nothing, and finds the source that the stack would take. */
static void find_route_source(struct tern_stack *st, struct order_route *r)
{
	struct tern_addr to = r->dst;
	struct tern_iface_addr a;
	unsigned cursor = 0;
	tern_sock s;

	to.port = 9;
	if (tern_socket(st, to.family, TERN_SOCK_DGRAM, 0, &s) != 0)
		return;
	if (tern_connect(st, s, &to) == 0 && tern_getsockname(st, s, &r->src) != 0)
		r->src.family = TERN_AF_UNSPEC;
	tern_close(st, s);
	r->src_prefix_len = r->dst.family == TERN_AF_INET ? 32 : 128;
	while (r->src.family && tern_addr_next(st, &cursor, &a))
		if (a.addr.family == r->src.family && memcmp(a.addr.ip, r->src.ip, 16) == 0) {
			r->src_prefix_len = a.prefix_len;
			r->src_deprecated = (a.flags & TERN_ADDR_DEPRECATED) != 0;
			return;
		}
}

void order_addresses(struct tern_stack *st, struct tern_addr *addr, unsigned n)
{
	struct order_route route[TERN_RESOLVER_ADDRS_MAX];

	assert(n <= TERN_RESOLVER_ADDRS_MAX);
	for (unsigned i = 0; i < n; i++) {
		route[i] = (struct order_route){ .dst = addr[i] };
		find_route_source(st, &route[i]);
	}
	order_routes(st, route, n);
	for (unsigned i = 0; i < n; i++)
		addr[i] = route[i].dst;
}
