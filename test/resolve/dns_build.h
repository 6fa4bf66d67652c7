/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns_build.h - messages for tests, part by part, as wrong as a test wants them.
 */
#ifndef TERN_TEST_DNS_BUILD_H
#define TERN_TEST_DNS_BUILD_H

#include <stdlib.h>
#include <string.h>

#include "../../host/resolve/dns.h"
#include "../../include/tern.h"

struct build {
	uint8_t b[65535];
	size_t len;
};

static inline void build_u16(struct build *m, unsigned v)
{
	put_be16(m->b + m->len, v);
	m->len += 2;
}

static inline void build_u32(struct build *m, uint32_t v)
{
	put_be32(m->b + m->len, v);
	m->len += 4;
}

static inline void build_bytes(struct build *m, const void *p, size_t len)
{
	memcpy(m->b + m->len, p, len);
	m->len += len;
}

static inline void build_name(struct build *m, const char *text)
{
	struct dns_name n;

	if (!dns_name_parse(&n, text, strlen(text)))
		abort();
	build_bytes(m, n.wire, n.len);
}

static inline void build_head(struct build *m, unsigned id, unsigned flags)
{
	memset(m->b, 0, DNS_HEADER_LEN);
	put_be16(m->b, id);
	put_be16(m->b + 2, flags);
	m->len = DNS_HEADER_LEN;
}

static inline void build_count(struct build *m, unsigned section)
{
	put_be16(m->b + 4 + 2 * section, get_be16(m->b + 4 + 2 * section) + 1u);
}

static inline void build_question(struct build *m, const char *name, unsigned type)
{
	build_name(m, name);
	build_u16(m, type);
	build_u16(m, DNS_IN);
	build_count(m, DNS_QUESTION);
}

/* The fixed part of a record; its data_len bytes of data follow. */
static inline void build_record(struct build *m, unsigned section, const char *name, unsigned type,
				uint32_t ttl, unsigned data_len)
{
	build_name(m, name);
	build_u16(m, type);
	build_u16(m, DNS_IN);
	build_u32(m, ttl);
	build_u16(m, data_len);
	build_count(m, section);
}

static inline void build_address(struct build *m, const char *name, const char *address,
				 uint32_t ttl)
{
	struct tern_addr a;
	bool four;

	if (tern_addr_parse(address, 0, &a))
		abort();
	four = a.family == TERN_AF_INET;
	build_record(m, DNS_ANSWER, name, four ? DNS_A : DNS_AAAA, ttl, four ? 4 : 16);
	build_bytes(m, a.ip, four ? 4 : 16);
}

/* CNAME, PTR, NS: the data is a name. */
static inline void build_link(struct build *m, unsigned section, const char *name, unsigned type,
			      uint32_t ttl, const char *to)
{
	struct dns_name n;

	if (!dns_name_parse(&n, to, strlen(to)))
		abort();
	build_record(m, section, name, type, ttl, n.len);
	build_bytes(m, n.wire, n.len);
}

static inline void build_soa(struct build *m, const char *zone, uint32_t ttl, uint32_t minimum)
{
	build_record(m, DNS_AUTHORITY, zone, DNS_SOA, ttl, 1 + 1 + 20);
	build_name(m, ".");
	build_name(m, ".");
	for (int i = 0; i < 4; i++)
		build_u32(m, 1);
	build_u32(m, minimum);
}

static inline void build_opt(struct build *m, unsigned extended_rcode)
{
	build_record(m, DNS_ADDITIONAL, ".", DNS_OPT, (uint32_t)extended_rcode << 24, 0);
	put_be16(m->b + m->len - 8, 1232); /* the class: its size of datagrams */
}

#endif
