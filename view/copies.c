/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * copies.c - was this packet captured on another interface just before?
 *
 * Where a machine forwards, or bridges, a capture on all its interfaces holds a packet once for
 * each that it passed. Copies are the same but for what a router (RFC 1812 5.3.1, RFC 8200 3), a
 * queue (RFC 3168) or a card that computes checksums changes. A packet has one copy on each other
 * interface: what comes there again, or on the same one, was sent again.
 *
 * The last REMEMBERED packets are known by digests of their bytes, those of one hash in a chain
 * from the newest to the oldest; numbers that count all packets tell links that are overwritten.
 */
#include "capture_impl.h"

#include <stdlib.h>
#include <string.h>

enum {
	REMEMBERED = 4096, /* packets; a power of two */
	BUCKETS = 8192,	   /* the same */
	LOOK_MAX = 64,	   /* packets of one bucket, that a file of one packet is read in time */
	IFACES_MAX = 64,   /* the last stands for all beyond it */
	HEAD_MAX = 128,	   /* what may change stands there */
	KEY_LEN = 52,	   /* that every copy holds, wherever it is cut: up to TCP's numbers */
	ECN_BITS_6 = 0x30, /* of the second byte */
	TCP_CHECKSUM_AT = 16,
	UDP_CHECKSUM_AT = 6,
};

/* Forwarding takes less; who sends again waits longer, or sends another identification. */
static const tern_time just_before = 10 * TERN_MS;

struct identity {
	uint64_t key;	   /* of the beginning and the length */
	uint64_t head;	   /* of HEAD_MAX bytes */
	uint32_t rest_sum; /* of what is behind them, a sum: quick, and enough behind all headers */
	uint32_t kept;
};

struct seen {
	struct identity identity;
	tern_time at;
	uint64_t ifaces; /* that captured it: a bit for each */
	uint64_t older;	 /* in the same bucket: 1 + number */
};

struct copies {
	struct seen seen[REMEMBERED];
	uint64_t newest[BUCKETS]; /* 1 + number */
	uint64_t n;
	uint64_t iface[IFACES_MAX];
	unsigned n_ifaces;
};

struct copies *copies_new(void)
{
	return calloc(1, sizeof(struct copies));
}

void copies_free(struct copies *c)
{
	free(c);
}

/* ---- what stays the same ---- */

static uint64_t digest(uint64_t h, const uint8_t *p, size_t n)
{
	for (;;) {
		uint64_t word = 0;
		size_t step = MIN(n, sizeof(word));

		memcpy(&word, p, step);
		h = capture_mix(h, word);
		if (step < sizeof(word))
			return h;
		p += step;
		n -= step;
	}
}

/* A card that computes it leaves it partial on the interface before. */
static void blank_checksum(uint8_t *head, size_t n, size_t transport_at, uint8_t proto)
{
	size_t at = transport_at;

	if (proto == TERN_IPPROTO_TCP)
		at += TCP_CHECKSUM_AT;
	else if (proto == TERN_IPPROTO_UDP)
		at += UDP_CHECKSUM_AT;
	else
		return;
	if (at + 2 <= n)
		put_be16(head + at, 0);
}

/* Each blanks what may change, and says how long the packet is, 0: as long as the frame. */
static bool blank_ip4(uint8_t *head, size_t n, uint32_t *len)
{
	struct ip4 ip;

	if (!ip4_parse_quoted(&ip, head, n))
		return false;
	*len = ip.total_len;
	head[1] &= (uint8_t)~IP_ECN_CE;
	head[8] = 0;
	put_be16(head + 10, 0);
	if (ip.frag_off == 0)
		blank_checksum(head, n, ip.hdr_len, ip.proto);
	return true;
}

static bool blank_ip6(uint8_t *head, size_t n, uint32_t *len)
{
	struct ip6 ip;
	uint8_t proto;
	uint32_t at;

	if (!ip6_parse_quoted(&ip, head, n))
		return false;
	*len = ip.payload_len ? IP6_HDR_LEN + (uint32_t)ip.payload_len : 0;
	head[1] &= (uint8_t)~ECN_BITS_6;
	head[7] = 0;
	at = ip6_find_transport(head, n, &proto);
	blank_checksum(head, n, at, proto);
	return true;
}

/* false: nothing that could be known again. */
static bool identify(struct identity *id, const struct ip_bytes *in)
{
	uint8_t head[HEAD_MAX];
	size_t n = MIN(in->kept, (uint32_t)HEAD_MAX), key_len;
	uint32_t len;

	if (n == 0)
		return false;
	memcpy(head, in->bytes, n);
	if (!(head[0] >> 4 == 4 ? blank_ip4(head, n, &len) : blank_ip6(head, n, &len)))
		return false;
	len = len ? MIN(len, in->len) : in->len; /* behind it is padding */
	id->kept = MIN(in->kept, len);
	n = MIN(n, id->kept);
	key_len = MIN(n, (size_t)KEY_LEN);
	id->key = digest(len, head, key_len);
	id->head = digest(id->key, head + key_len, n - key_len);
	id->rest_sum = checksum_add(in->bytes + n, id->kept - n, 0);
	return true;
}

/* Where one is cut shorter than the other their beginnings must do. */
static bool is_same(const struct identity *a, const struct identity *b)
{
	if (a->key != b->key)
		return false;
	return a->kept != b->kept || (a->head == b->head && a->rest_sum == b->rest_sum);
}

/* ---- what was seen ---- */

static uint64_t bit_of(struct copies *c, uint64_t iface)
{
	unsigned i = 0;

	while (i < c->n_ifaces && c->iface[i] != iface)
		i++;
	if (i == IFACES_MAX)
		i--;
	else if (i == c->n_ifaces)
		c->iface[c->n_ifaces++] = iface;
	return (uint64_t)1 << i;
}

static uint64_t *bucket_of(struct copies *c, const struct identity *id)
{
	return &c->newest[id->key % BUCKETS];
}

static bool is_just_before(tern_time before, tern_time at)
{
	return (at > before ? at - before : before - at) <= just_before;
}

/* The packet of which this is the copy: one that this interface has not had yet. */
static struct seen *find_original(struct copies *c, const struct seen *copy)
{
	uint64_t next = *bucket_of(c, &copy->identity);

	for (int i = 0; i < LOOK_MAX && next && c->n - (next - 1) <= REMEMBERED; i++) {
		struct seen *s = &c->seen[(next - 1) % REMEMBERED];

		if (is_same(&s->identity, &copy->identity) && !(s->ifaces & copy->ifaces) &&
		    is_just_before(s->at, copy->at))
			return s;
		next = s->older;
	}
	return NULL;
}

static void remember(struct copies *c, struct seen s)
{
	uint64_t *newest = bucket_of(c, &s.identity);

	s.older = *newest;
	c->seen[c->n % REMEMBERED] = s;
	*newest = ++c->n;
}

bool copies_recognize(struct copies *c, tern_time at, uint64_t iface, const struct ip_bytes *in)
{
	struct seen s = { .at = at, .ifaces = bit_of(c, iface) }, *original;

	if (!identify(&s.identity, in))
		return false;
	original = find_original(c, &s);
	if (!original) {
		remember(c, s);
		return false;
	}
	original->ifaces |= s.ifaces;
	return true;
}
