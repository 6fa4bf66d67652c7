/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * addr.c - questions about one address, in the mapped form of addr.h.
 *
 * Sources: RFC 4291 2.4 and 2.5 (IPv6), RFC 1122 3.2.1.3 and RFC 3927 2.1 (IPv4).
 */
#include "addr.h"

struct addr addr_from6(const uint8_t ip[16])
{
	struct addr a;

	memcpy(a.b, ip, 16);
	return a;
}

bool addr_is_unspecified(const struct addr *a)
{
	static const uint8_t zero[16];

	return memcmp(a->b, zero, 16) == 0 || (addr_is4(a) && memcmp(a->b + 12, zero, 4) == 0);
}

bool addr_is_loopback(const struct addr *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	return addr_is4(a) ? a->b[12] == 127 : memcmp(a->b, one, 16) == 0;
}

bool addr_is_multicast(const struct addr *a)
{
	return addr_is4(a) ? a->b[12] >> 4 == 14 : a->b[0] == 0xff;
}

bool addr_is_limited_broadcast(const struct addr *a)
{
	return addr_is4(a) && get_be32(a->b + 12) == 0xffffffff;
}

bool addr_is_link_local(const struct addr *a)
{
	if (addr_is4(a))
		return a->b[12] == 169 && a->b[13] == 254;
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

bool addrs_agree(const struct addr *local, const struct addr *remote)
{
	return addr_is4(local) == addr_is4(remote) ||
	       (!addr_is4(local) && addr_is_unspecified(local));
}

bool addr_needs_scope(const struct addr *a)
{
	if (addr_is4(a))
		return false;
	return addr_is_link_local(a) ||
	       (addr_is_multicast(a) && (addr_group_scope(a) == 1 || addr_group_scope(a) == 2));
}

bool addr_in_prefix(const struct addr *a, const struct addr *prefix, unsigned len)
{
	bool is4 = addr_is4(a);

	if (is4 != addr_is4(prefix))
		return false;
	return addr_has_prefix(a, prefix, len + (is4 ? 96 : 0));
}

/* As addr_common_bits, which counts them one by one. */
bool addr_has_prefix(const struct addr *a, const struct addr *prefix, unsigned len)
{
	const unsigned whole = len / 8, rest = len % 8;

	return memcmp(a->b, prefix->b, whole) == 0 &&
	       (!rest || !((a->b[whole] ^ prefix->b[whole]) >> (8 - rest)));
}

void addr_clear_beyond(struct addr *a, unsigned len)
{
	for (unsigned i = 0; i < 16; i++, len -= MIN(len, 8))
		a->b[i] &= (uint8_t)(0xff00 >> MIN(len, 8));
}

struct addr addr_prefix(const struct addr *a, unsigned len)
{
	struct addr prefix = *a;

	addr_clear_beyond(&prefix, len + (addr_is4(a) ? 96 : 0));
	return prefix;
}

unsigned addr_common_bits(const struct addr *a, const struct addr *b)
{
	unsigned n = 0;
	uint32_t diff = 0;

	for (; n < 128; n += 32) {
		diff = get_be32(a->b + n / 8) ^ get_be32(b->b + n / 8);
		if (diff)
			break;
	}
	for (; diff && !(diff & 0x80000000); diff <<= 1)
		n++;
	return n;
}
