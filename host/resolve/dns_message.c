/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns_message.c - messages of the domain name system (RFC 1035 4.1) with EDNS (RFC 6891).
 *
 * Counts and lengths of a message are claims. A walk goes over what is there, and a record whose
 * data does not have exactly the size of its type makes the whole message malformed: who ignores it
 * and waits on loses nothing (RFC 5452 9.1).
 */
#include "dns.h"

enum { SOA_NUMBERS_LEN = 20, RECORD_FIXED_LEN = 10 };

size_t dns_emit_query(uint8_t *buf, uint16_t id, const struct dns_question *q, bool edns)
{
	uint8_t *p = buf + DNS_HEADER_LEN;

	memset(buf, 0, DNS_HEADER_LEN);
	put_be16(buf, id);
	put_be16(buf + 2, DNS_RD);
	put_be16(buf + 4, 1);
	put_be16(buf + 10, edns);
	memcpy(p, q->name.wire, q->name.len);
	p += q->name.len;
	put_be16(p, q->type);
	put_be16(p + 2, DNS_IN);
	p += 4;
	if (edns) { /* of the root; version, extended code and flags are 0: RFC 6891 6.1.2 */
		memset(p, 0, 11);
		put_be16(p + 1, DNS_OPT);
		put_be16(p + 3, DNS_UDP_MAX);
		p += 11;
	}
	return (size_t)(p - buf);
}

bool dns_read_head(const uint8_t *msg, size_t len, struct dns_head *h)
{
	if (len < DNS_HEADER_LEN)
		return false;
	h->id = get_be16(msg);
	h->flags = get_be16(msg + 2);
	for (unsigned i = 0; i < DNS_N_SECTIONS; i++)
		h->n[i] = get_be16(msg + 4 + 2 * i);
	h->rcode = h->flags & DNS_RCODE;
	return true;
}

bool dns_asks(const uint8_t *msg, size_t len, const struct dns_question *q)
{
	struct dns_head h;
	struct dns_name name;
	size_t at;

	if (!dns_read_head(msg, len, &h) || h.n[DNS_QUESTION] != 1)
		return false;
	at = dns_name_read(msg, len, DNS_HEADER_LEN, &name);
	return at && at + 4 <= len && dns_name_equal(&name, &q->name) &&
	       get_be16(msg + at) == q->type && get_be16(msg + at + 2) == DNS_IN;
}

bool dns_walk_begin(struct dns_walk *w, const uint8_t *msg, size_t len)
{
	struct dns_name name;
	struct dns_head h;

	memset(w, 0, sizeof(*w));
	if (!dns_read_head(msg, len, &h))
		return false;
	w->msg = msg;
	w->len = len;
	w->at = DNS_HEADER_LEN;
	w->section = DNS_ANSWER;
	memcpy(w->left, h.n, sizeof(w->left));
	for (; w->left[DNS_QUESTION] > 0; w->left[DNS_QUESTION]--) {
		w->at = dns_name_read(msg, len, w->at, &name);
		if (!w->at || w->at + 4 > len)
			return false;
		w->at += 4;
	}
	return true;
}

bool dns_walk_next(struct dns_walk *w, struct dns_record *r)
{
	const uint8_t *p;
	size_t at;

	while (w->section < DNS_ADDITIONAL && w->left[w->section] == 0)
		w->section++;
	if (w->malformed || w->left[w->section] == 0)
		return false;
	at = dns_name_read(w->msg, w->len, w->at, &r->owner);
	w->malformed = !at || at + RECORD_FIXED_LEN > w->len;
	if (w->malformed)
		return false;
	p = w->msg + at;
	r->section = w->section;
	r->type = get_be16(p);
	r->class = get_be16(p + 2);
	r->ttl = get_be32(p + 4);
	r->data_len = get_be16(p + 8);
	r->data = at + RECORD_FIXED_LEN;
	w->malformed = r->data + r->data_len > w->len;
	w->at = r->data + r->data_len;
	w->left[w->section]--;
	return !w->malformed;
}

/* Is the data as long as its type says? Of types that we do not read it may be anything. */
static bool is_data_whole(const struct dns_walk *w, const struct dns_record *r)
{
	size_t end = r->data + r->data_len, at;
	struct dns_name name;

	if (r->type == DNS_OPT)
		return r->section == DNS_ADDITIONAL && r->owner.len == 1;
	if (r->class != DNS_IN)
		return true;
	switch (r->type) {
	case DNS_A:
		return r->data_len == 4;
	case DNS_AAAA:
		return r->data_len == 16;
	case DNS_NS:
	case DNS_CNAME:
	case DNS_PTR:
		return dns_name_read(w->msg, end, r->data, &name) == end;
	case DNS_SOA:
		at = dns_name_read(w->msg, end, r->data, &name);
		at = at ? dns_name_read(w->msg, end, at, &name) : 0;
		return at && at + SOA_NUMBERS_LEN == end;
	default:
		return true;
	}
}

bool dns_check(const uint8_t *msg, size_t len, struct dns_head *h)
{
	unsigned n_opts = 0;
	struct dns_record r;
	struct dns_walk w;

	if (!dns_read_head(msg, len, h) || !dns_walk_begin(&w, msg, len))
		return false;
	while (dns_walk_next(&w, &r)) {
		if (!is_data_whole(&w, &r))
			return false;
		if (r.type != DNS_OPT)
			continue;
		if (++n_opts > 1) /* RFC 6891 6.1.1 */
			return false;
		h->rcode |= r.ttl >> 24 << 4;
	}
	return !w.malformed;
}
