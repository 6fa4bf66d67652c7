/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * membership.c - what hosts and routers say of multicast groups: IGMP and MLD.
 *
 * The two differ in the size of an address and of the header; records are alike.
 *
 * Sources: RFC 3376 4.1, 4.2 with RFC 2236 2 and RFC 1112 (IGMP), RFC 3810 5.1, 5.2 with RFC 2710 3
 * (MLD). Which version a query is of: RFC 3376 7.1, RFC 3810 8.1.
 */
#include "wire.h"

enum { IGMP_OLD_LEN = 8, IGMP3_QUERY_LEN = 12, MLD1_LEN = 24, MLD2_QUERY_LEN = 28 };

static size_t addr_len(bool v6)
{
	return v6 ? 16 : 4;
}

static struct addr read_addr(const uint8_t *p, bool v6)
{
	return v6 ? addr_from6(p) : addr_from4(p);
}

/* RFC 3376 4.1.1: tenths of a second; from 128 on a mantissa of four bits, an exponent of three. */
static uint32_t igmp_delay_ms(uint8_t code)
{
	uint32_t tenths = code;

	if (code >= 128)
		tenths = ((code & 15u) | 16u) << ((code >> 4 & 7) + 3);
	return tenths * 100;
}

/* RFC 3810 5.1.3: from 32768 on a mantissa of twelve bits. */
static uint32_t mld_delay_ms(uint32_t code)
{
	return code < 32768 ? code : ((code & 0xfff) | 0x1000) << ((code >> 12 & 7) + 3);
}

/* Who is asked for some sources tells of all it has: they are to be there, and not looked at. */
static bool sources_are_there(const uint8_t *count, const uint8_t *end, bool v6)
{
	return get_be16(count) <= (size_t)(end - (count + 2)) / addr_len(v6);
}

bool group_query_parse(struct group_query *q, bool v6, const uint8_t *p, size_t len)
{
	size_t newest = v6 ? MLD2_QUERY_LEN : IGMP3_QUERY_LEN;

	*q = (struct group_query){ .version = 1 };
	if (len < (v6 ? MLD1_LEN : IGMP_OLD_LEN) || (len > (v6 ? MLD1_LEN : 8) && len < newest))
		return false;
	if (v6) {
		q->version = len >= newest ? 2 : 1;
		q->max_delay_ms = len >= newest ? mld_delay_ms(get_be16(p + 4)) : get_be16(p + 4);
		q->group = read_addr(p + 8, true);
	} else {
		q->version = len >= newest ? 3 : p[1] ? 2 : 1;
		q->max_delay_ms = q->version == 3 ? igmp_delay_ms(p[1]) : p[1] * 100u;
		q->group = read_addr(p + 4, false);
	}
	if (q->version == 1 && !v6)
		q->max_delay_ms = 10000;
	if (!addr_is_unspecified(&q->group) && !addr_is_multicast(&q->group))
		return false;
	return len < newest || sources_are_there(p + newest - 2, p + len, v6);
}

/* ---- reports ---- */

size_t group_report_begin(uint8_t *p, bool v6)
{
	memset(p, 0, GROUP_REPORT_HDR);
	p[0] = v6 ? MLD2_REPORT : IGMP3_REPORT;
	return GROUP_REPORT_HDR;
}

size_t group_record_len(bool v6, uint32_t n_sources)
{
	return 4 + addr_len(v6) * (1u + n_sources);
}

static void write_addr(uint8_t *p, const struct addr *a, bool v6)
{
	memcpy(p, v6 ? a->b : a->b + 12, addr_len(v6));
}

size_t group_report_add(uint8_t *p, size_t len, bool v6, const struct group_record_body *r)
{
	uint8_t *at = p + len;

	at[0] = (uint8_t)r->type;
	at[1] = 0;
	put_be16(at + 2, r->n_sources);
	write_addr(at + 4, &r->group, v6);
	for (uint32_t i = 0; i < r->n_sources; i++)
		write_addr(at + group_record_len(v6, i), &r->sources[i], v6);
	put_be16(p + 6, get_be16(p + 6) + 1);
	return len + group_record_len(v6, r->n_sources);
}

size_t group_report_old(uint8_t *p, uint8_t type, const struct addr *group)
{
	bool v6 = type == MLD1_REPORT || type == MLD1_DONE;
	size_t len = v6 ? MLD1_LEN : IGMP_OLD_LEN;

	memset(p, 0, len);
	p[0] = type;
	write_addr(p + (v6 ? 8 : 4), group, v6);
	return len;
}
