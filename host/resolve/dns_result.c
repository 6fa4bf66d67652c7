/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns_result.c - what does an answer say of its question?
 *
 * Only records on the chain from the question's name by its aliases count (RFC 5452 9.1, RFC 2181
 * 5.4.1); everything else an answer brings is left alone, wherever it stands. The chain is walked a
 * bounded number of times, so that it may loop as it likes.
 */
#include "dns.h"

/* RFC 2181 8: a time with its top bit set is none. */
static uint32_t time_to_live(uint32_t ttl)
{
	return ttl & 0x80000000 ? 0 : ttl;
}

struct chain {
	const uint8_t *msg;
	size_t len;
	const struct dns_question *asked;
	struct dns_name name; /* where it has come to */
	uint32_t ttl;	      /* the least on the way */
};

static void note_ttl(struct chain *c, uint32_t ttl)
{
	c->ttl = MIN(c->ttl, time_to_live(ttl));
}

static void take_result_address(struct dns_result *out, const uint8_t *data, size_t len)
{
	for (unsigned i = 0; i < out->n_addrs; i++)
		if (memcmp(out->addr[i], data, len) == 0) /* RFC 2181 5.5 */
			return;
	if (out->n_addrs < DNS_ADDRS_MAX)
		memcpy(out->addr[out->n_addrs++], data, len);
}

/* Takes the records of the type at the name where the chain is; false: there are none. */
static bool take_records(struct chain *c, struct dns_result *out)
{
	struct dns_record r;
	struct dns_walk w;
	bool found = false;

	dns_walk_begin(&w, c->msg, c->len);
	while (dns_walk_next(&w, &r) && r.section == DNS_ANSWER) {
		if (r.type != c->asked->type || r.class != DNS_IN ||
		    !dns_name_equal(&r.owner, &c->name))
			continue;
		note_ttl(c, r.ttl);
		if (r.type != DNS_PTR)
			take_result_address(out, c->msg + r.data, r.data_len);
		else if (!found)
			dns_name_read(c->msg, c->len, r.data, &out->canonical);
		found = true;
	}
	return found;
}

/* The name has an alias: the chain goes on there. */
static bool follow_alias(struct chain *c)
{
	struct dns_record r;
	struct dns_walk w;

	dns_walk_begin(&w, c->msg, c->len);
	while (dns_walk_next(&w, &r) && r.section == DNS_ANSWER) {
		if (r.type != DNS_CNAME || r.class != DNS_IN || !dns_name_equal(&r.owner, &c->name))
			continue;
		note_ttl(c, r.ttl);
		dns_name_read(c->msg, c->len, r.data, &c->name);
		return true;
	}
	return false;
}

/* How long may it be kept that there is nothing? RFC 2308 5. *delegates: others are to know. */
static void read_authority(struct chain *c, struct dns_result *out, bool *delegates)
{
	struct dns_record r;
	struct dns_walk w;

	*delegates = false;
	dns_walk_begin(&w, c->msg, c->len);
	while (dns_walk_next(&w, &r)) {
		if (r.section != DNS_AUTHORITY || r.class != DNS_IN ||
		    !dns_name_is_under(&c->name, &r.owner))
			continue;
		if (r.type == DNS_SOA) {
			uint32_t minimum = get_be32(c->msg + r.data + r.data_len - 4);

			note_ttl(c, MIN(time_to_live(r.ttl), time_to_live(minimum)));
			out->ttl = c->ttl;
			*delegates = false;
			return;
		}
		*delegates = *delegates || r.type == DNS_NS;
	}
}

void dns_read_result(const uint8_t *msg, size_t len, const struct dns_question *asked,
		     struct dns_result *out)
{
	struct chain c = { msg, len, asked, asked->name, INT32_MAX };
	unsigned links = 0, flags = get_be16(msg + 2);
	bool delegates;

	memset(out, 0, sizeof(*out));
	while (!take_records(&c, out)) {
		if (!follow_alias(&c))
			break;
		if (++links > DNS_CHAIN_MAX) {
			out->kind = DNS_LOOPS;
			return;
		}
	}
	if (asked->type != DNS_PTR)
		out->canonical = c.name;
	if (out->n_addrs > 0 || (asked->type == DNS_PTR && out->canonical.len > 0)) {
		out->kind = DNS_FOUND;
		out->ttl = c.ttl;
		return;
	}
	read_authority(&c, out, &delegates);
	out->kind = (flags & DNS_RCODE) == DNS_NXDOMAIN ? DNS_NO_NAME : DNS_NO_DATA;
	/* it sends us elsewhere, and elsewhere nobody goes for us: RFC 2308 2.2 */
	if (out->kind == DNS_NO_DATA && delegates && !(flags & (DNS_AA | DNS_RA)))
		out->kind = DNS_LAME;
}
