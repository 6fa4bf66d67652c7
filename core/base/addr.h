/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * addr.h - one 16-byte form for addresses of both families inside the core.
 *
 * An IPv4 address is held as its IPv4-mapped IPv6 form (::ffff:a.b.c.d, RFC 4291 2.5.5.2), so that
 * keys have one size and one compare. The wire never carries the mapped form.
 */
#ifndef TERN_ADDR_H
#define TERN_ADDR_H

#include "../../include/tern.h"
#include "base.h"

struct addr {
	uint8_t b[16];
};

static inline struct addr addr_from4(const uint8_t ip[4])
{
	return (struct addr){ { [10] = 0xff, 0xff, ip[0], ip[1], ip[2], ip[3] } };
}
static inline struct addr addr_from_number4(uint32_t ip)
{
	const uint8_t b[4] = { (uint8_t)(ip >> 24), (uint8_t)(ip >> 16), (uint8_t)(ip >> 8),
			       (uint8_t)ip };

	return addr_from4(b);
}
struct addr addr_from6(const uint8_t ip[16]);
static inline bool addr_equal(const struct addr *a, const struct addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}
static inline bool addr_is_mapped(const uint8_t ip[16])
{
	uint64_t zeros;
	uint32_t mark;

	memcpy(&zeros, ip, 8);
	memcpy(&mark, ip + 8, 4);
	return zeros == 0 && mark == be32(0xffff);
}
static inline bool addr_is4(const struct addr *a)
{
	return addr_is_mapped(a->b);
}
/* Of the public form: one that is mapped, as the IPv4 address that it is. */
static inline struct tern_addr addr_plain(const struct tern_addr *a)
{
	if (a->family != TERN_AF_INET6 || !addr_is_mapped(a->ip))
		return *a;
	return tern_ip4(a->ip[12], a->ip[13], a->ip[14], a->ip[15], a->port);
}
bool addr_is_unspecified(const struct addr *);	     /* ::, or ::ffff:0.0.0.0 */
bool addr_is_loopback(const struct addr *);	     /* 127/8, ::1 */
bool addr_is_multicast(const struct addr *);	     /* 224/4, ff00::/8 */
bool addr_is_limited_broadcast(const struct addr *); /* 255.255.255.255 */
bool addr_is_link_local(const struct addr *);	     /* 169.254/16, fe80::/10 */
/* How far a group of IPv6 reaches, RFC 4291 2.7: 1 is the host, 2 the link, 14 everywhere. */
static inline unsigned addr_group_scope(const struct addr *group)
{
	return group->b[1] & 15;
}
/* RFC 4291 2.5.6, 2.7: of one link, or of one interface; which, is to be said. */
bool addr_needs_scope(const struct addr *);
/* Can whoever has the one speak to the other? "::" is of both families. */
bool addrs_agree(const struct addr *local, const struct addr *remote);
/* Do the first len bits (of the family's own form: 0..32 or 0..128) agree? Same family only. */
bool addr_in_prefix(const struct addr *, const struct addr *prefix, unsigned len);
/* The same of the whole 128, whatever the families. */
bool addr_has_prefix(const struct addr *, const struct addr *prefix, unsigned len);
/* The bits that a prefix of this length holds (0..32 or 0..128); the family stays. */
struct addr addr_prefix(const struct addr *, unsigned len);
/* The first len of the whole 128 bits stay. */
void addr_clear_beyond(struct addr *, unsigned len);
/* Number of leading bits that agree, of the whole 128. */
unsigned addr_common_bits(const struct addr *, const struct addr *);

#endif
