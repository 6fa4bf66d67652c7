/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reassemble.c - fragments of IPv4 (RFC 791) and IPv6 (RFC 8200 4.5) put together.
 *
 * At most DATAGRAMS_MAX datagrams of at most 64 KiB are awaited; the oldest gives way. Which units
 * of eight bytes are here stands in a bitmap; where fragments overlap the first counts. A capture
 * may have cut a fragment: the whole packet then counts as kept only up to the cut.
 */
#include "reassemble.h"

#include <stdlib.h>
#include <string.h>

enum { DATAGRAMS_MAX = 64, PAYLOAD_MAX = 65535, HEADER_MAX = 256, UNITS = 8192 };

static const tern_time wait_max = 30 * TERN_SEC;

struct datagram {
	bool used;
	tern_time since, last_at;
	struct addr src, dst;
	uint32_t id;
	uint8_t proto;
	uint16_t header_len; /* 0: the first fragment is missing */
	uint32_t total;	     /* of the payload; 0: the last fragment is missing */
	uint32_t n_units;    /* here */
	uint32_t kept;	     /* the payload is there up to here */
	uint32_t end;	     /* of the furthest fragment */
	uint8_t here[UNITS / 8];
	uint8_t *bytes; /* HEADER_MAX for the header, then the payload */
};

struct reassembly {
	struct datagram datagram[DATAGRAMS_MAX];
	struct datagram *done; /* lent by the last call */
};

/* A fragment taken apart. */
struct fragment {
	struct addr src, dst;
	uint32_t id;
	uint8_t proto;
	uint16_t header_len;  /* that the whole packet will have */
	uint16_t payload_off; /* in the fragment */
	uint16_t next_at;     /* IPv6: where the number of the next header stands */
	uint32_t off, len, kept;
	bool more, is6;
};

struct reassembly *reassembly_new(void)
{
	return calloc(1, sizeof(struct reassembly));
}

static void forget(struct datagram *d)
{
	free(d->bytes);
	memset(d, 0, sizeof(*d));
}

void reassembly_free(struct reassembly *r)
{
	for (size_t i = 0; r && i < DATAGRAMS_MAX; i++)
		forget(&r->datagram[i]);
	free(r);
}

/* ---- taking apart ---- */

enum parsed { NO_FRAGMENT, FRAGMENT, BAD_FRAGMENT };

static enum parsed parse4(struct fragment *f, const struct ip_bytes *in)
{
	struct ip4 ip;

	if (!ip4_parse_quoted(&ip, in->bytes, in->kept) || (!ip.mf && ip.frag_off == 0))
		return NO_FRAGMENT;
	if (ip.total_len <= ip.hdr_len || ip.total_len > in->len)
		return BAD_FRAGMENT;
	*f = (struct fragment){ .src = ip.src,
				.dst = ip.dst,
				.id = ip.id,
				.proto = ip.proto,
				.header_len = ip.hdr_len,
				.payload_off = ip.hdr_len,
				.off = ip.frag_off,
				.len = ip.total_len - ip.hdr_len,
				.more = ip.mf };
	return FRAGMENT;
}

/* The byte that names the fragment header: the IPv6 header's, or that of an extension before it. */
static uint16_t find_next_at(const uint8_t *p, uint16_t fragment_at)
{
	uint16_t at = IP6_HDR_LEN, next_at = 6;

	while (at < fragment_at) {
		next_at = at;
		at = (uint16_t)(at + (p[at + 1] + 1) * 8);
	}
	return next_at;
}

static enum parsed parse6(struct fragment *f, const struct ip_bytes *in)
{
	struct ip6 ip;
	struct ip6_walk walk;
	uint32_t total;

	if (!ip6_parse_quoted(&ip, in->bytes, in->kept) || !ip6_walk(&walk, in->bytes, in->kept))
		return NO_FRAGMENT;
	if (!walk.fragment || (walk.frag_off == 0 && !walk.mf))
		return NO_FRAGMENT;
	total = IP6_HDR_LEN + (uint32_t)ip.payload_len;
	if (total > in->len || total <= walk.frag_hdr_off + 8U || walk.frag_hdr_off > HEADER_MAX)
		return BAD_FRAGMENT;
	*f = (struct fragment){ .src = ip.src,
				.dst = ip.dst,
				.id = walk.frag_id,
				.proto = in->bytes[walk.frag_hdr_off],
				.header_len = walk.frag_hdr_off,
				.payload_off = (uint16_t)(walk.frag_hdr_off + 8),
				.next_at = find_next_at(in->bytes, walk.frag_hdr_off),
				.off = walk.frag_off,
				.len = total - walk.frag_hdr_off - 8,
				.more = walk.mf,
				.is6 = true };
	return FRAGMENT;
}

static enum parsed parse(struct fragment *f, const struct ip_bytes *in)
{
	enum parsed parsed;

	if (in->kept == 0)
		return NO_FRAGMENT;
	parsed = in->bytes[0] >> 4 == 6 ? parse6(f, in) : parse4(f, in);
	if (parsed != FRAGMENT)
		return parsed;
	if (f->off + f->len > PAYLOAD_MAX || (f->more && f->len % 8))
		return BAD_FRAGMENT;
	f->kept = in->kept > f->payload_off ? in->kept - f->payload_off : 0;
	f->kept = MIN(f->kept, f->len);
	return FRAGMENT;
}

/* ---- putting together ---- */

static bool belongs(const struct datagram *d, const struct fragment *f)
{
	return d->used && d->id == f->id && d->proto == f->proto && addr_equal(&d->src, &f->src) &&
	       addr_equal(&d->dst, &f->dst);
}

/* The datagram of the fragment, or a new one; the oldest has been given up when all are used. */
static struct datagram *find_datagram(struct reassembly *r, tern_time now, const struct fragment *f)
{
	struct datagram *free_one = NULL;

	for (size_t i = 0; i < DATAGRAMS_MAX; i++) {
		if (belongs(&r->datagram[i], f))
			return &r->datagram[i];
		if (!r->datagram[i].used)
			free_one = &r->datagram[i];
	}
	if (!free_one)
		return NULL;
	free_one->bytes = calloc(1, HEADER_MAX + PAYLOAD_MAX + 1);
	if (!free_one->bytes)
		return NULL;
	free_one->used = true;
	free_one->since = now;
	free_one->src = f->src;
	free_one->dst = f->dst;
	free_one->id = f->id;
	free_one->proto = f->proto;
	free_one->kept = PAYLOAD_MAX;
	return free_one;
}

static void take_header(struct datagram *d, const struct fragment *f, const uint8_t *bytes)
{
	uint8_t *header = d->bytes + HEADER_MAX - f->header_len;

	d->header_len = f->header_len;
	memcpy(header, bytes, f->header_len);
	if (f->is6)
		header[f->next_at] = f->proto;
	else
		put_be16(header + 6, 0);
}

static void take_payload(struct datagram *d, const struct fragment *f, const uint8_t *payload)
{
	for (uint32_t at = 0; at < f->len; at += 8) {
		uint32_t unit = (f->off + at) / 8;

		if (d->here[unit / 8] & 1 << unit % 8)
			continue;
		d->here[unit / 8] |= (uint8_t)(1 << unit % 8);
		d->n_units++;
		if (at < f->kept)
			memcpy(d->bytes + HEADER_MAX + f->off + at, payload + at,
			       MIN(f->kept - at, 8U));
	}
	if (f->kept < f->len)
		d->kept = MIN(d->kept, f->off + f->kept);
	d->end = MAX(d->end, f->off + f->len);
	if (!f->more)
		d->total = f->off + f->len;
}

static struct ip_bytes packet_of(const struct datagram *d, uint32_t len, uint32_t kept)
{
	uint8_t *header = d->bytes + HEADER_MAX - d->header_len;
	uint32_t whole = MIN(d->header_len + len, (uint32_t)UINT16_MAX);

	if (header[0] >> 4 == 6)
		put_be16(header + 4, (uint16_t)(whole - IP6_HDR_LEN));
	else
		put_be16(header + 2, (uint16_t)whole);
	return (struct ip_bytes){ header, d->header_len + MIN(kept, len), whole };
}

static bool is_complete(const struct datagram *d)
{
	return d->header_len && d->total && d->end == d->total && d->n_units == (d->total + 7) / 8;
}

static void end_loan(struct reassembly *r)
{
	if (r->done)
		forget(r->done);
	r->done = NULL;
}

enum reassembly_verdict reassemble(struct reassembly *r, tern_time now, const struct ip_bytes *in,
				   struct ip_bytes *out)
{
	struct fragment f;
	struct datagram *d;
	enum parsed parsed = parse(&f, in);

	end_loan(r);
	if (parsed != FRAGMENT)
		return parsed == BAD_FRAGMENT ? REASSEMBLY_BAD : REASSEMBLY_WHOLE;
	d = find_datagram(r, now, &f);
	if (!d)
		return REASSEMBLY_BAD;
	if (f.off == 0 && d->header_len == 0)
		take_header(d, &f, in->bytes);
	take_payload(d, &f, in->bytes + MIN(f.payload_off, in->kept));
	d->last_at = now;
	if (!is_complete(d))
		return REASSEMBLY_HELD;
	*out = packet_of(d, d->total, d->kept);
	r->done = d;
	return REASSEMBLY_DONE;
}

/* How much of the payload is there without a gap. */
static uint32_t beginning_of(const struct datagram *d)
{
	uint32_t unit = 0;

	while (unit < UNITS && d->here[unit / 8] & 1 << unit % 8)
		unit++;
	return MIN(unit * 8, MIN(d->end, d->kept));
}

bool reassembly_give_up(struct reassembly *r, tern_time now, struct ip_bytes *out, tern_time *at)
{
	struct datagram *oldest = NULL;
	size_t n_used = 0;

	end_loan(r);
	for (size_t i = 0; i < DATAGRAMS_MAX; i++) {
		struct datagram *d = &r->datagram[i];

		n_used += d->used;
		if (d->used && (!oldest || d->since < oldest->since))
			oldest = d;
	}
	if (!oldest)
		return false;
	if (now != TERN_NEVER && now - oldest->since < wait_max && n_used < DATAGRAMS_MAX)
		return false;
	*out = (struct ip_bytes){ NULL, 0, 0 };
	if (oldest->header_len)
		*out = packet_of(oldest, oldest->end, beginning_of(oldest));
	*at = oldest->last_at;
	r->done = oldest;
	return true;
}
