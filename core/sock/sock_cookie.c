/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock_cookie.c - SYN cookies: a handshake of which nothing is kept (RFC 4987 3.6).
 *
 * When there is no room for a half-open record, our initial number says what the record would have:
 *
 *     31     30..28   27..0
 *     slot   MSS      MAC of the five-tuple, the peer's number, and of all that is said here
 *
 * and, if the peer has timestamps, the low six bits of our first TSval tell window scale, SACK and
 * ECN; they come back with its ACK. Without timestamps a connection has none of the three. A slot
 * is a minute; each has a key of its own, drawn when its first cookie is sent, and only those of
 * this and the last slot count. So a cookie is good for one to two minutes and without a flood no
 * number is. It cannot keep RFC 6528's order of numbers and is not used where RFC 6191 needs that.
 */
#include "sock_tcp.h"

enum { SLOT_SECONDS = 64, MAC_BITS = 28, MSS_BITS = 3, TS_BITS = 6 };
enum {
	TS_MASK = (1 << TS_BITS) - 1,
	TS_WSCALE = 15,
	TS_NO_WSCALE = 15,
	TS_SACK = 1 << 4,
	TS_ECN = 1 << 5
};

/* The least MSS that we take, the defaults of RFC 9293 3.7.1, and what paths carry. */
static const uint16_t mss_table[1 << MSS_BITS] = { 48, 536, 1220, 1300, 1400, 1440, 1460, 8960 };

static unsigned mss_index(uint16_t mss)
{
	unsigned i = N_ELEMENTS(mss_table) - 1;

	while (i > 0 && mss_table[i] > mss)
		i--;
	return i;
}

static uint32_t present_slot(const struct sockets *ss)
{
	return (uint32_t)(ss->timers->now / (SLOT_SECONDS * TERN_SEC)) + 1; /* 0: never */
}

static struct cookie_key *present_key(struct sockets *ss)
{
	uint32_t slot = present_slot(ss);
	struct cookie_key *key = &ss->cookie_keys[slot & 1];

	if (key->slot != slot) {
		key->slot = slot;
		key->of_names = rand_sip_key(ss->rand);
		key->of_rest = rand_sip_key(ss->rand);
	}
	return key;
}

static unsigned ts_bits_of(const struct tcp_hdr *syn)
{
	unsigned ecn = TCP_ECE | TCP_CWR;

	if (!syn->has_ts)
		return 0;
	return (syn->has_wscale ? MIN(syn->wscale, 14u) : TS_NO_WSCALE) |
	       (syn->sack_permitted ? TS_SACK : 0) | ((syn->flags & ecn) == ecn ? TS_ECN : 0);
}

/* The number that says what is known of a SYN from t. */
static uint32_t cookie_of(const struct cookie_key *key, const struct tuple *t,
			  const struct tcp_hdr *syn)
{
	uint32_t head = (key->slot & 1) << 31 | mss_index(syn->mss) << MAC_BITS;
	uint64_t names = tuple_hash_secretly(&key->of_names, t);
	uint64_t rest = (uint64_t)syn->seq << 32 | head | ts_bits_of(syn);

	return head | (siphash24_of_two(&key->of_rest, names, rest) & ((1u << MAC_BITS) - 1));
}

uint32_t cookie_bake(struct sockets *ss, const struct tuple *t, struct tcp_hdr *syn)
{
	if (!syn->has_mss)
		syn->mss = addr_is4(&t->remote) ? 536 : 1220; /* MUST-15 */
	syn->has_mss = true;
	syn->flags &= (uint16_t)~TCP_AE; /* it knows of RFC 3168 alone */
	if (!syn->has_ts) {
		syn->has_wscale = syn->sack_permitted = false;
		syn->flags = TCP_SYN;
	}
	return cookie_of(present_key(ss), t, syn);
}

/* The newest value of our clock that ends in what is to be said, and is not ahead of it. */
uint32_t cookie_ts_val(uint32_t clock, const struct tcp_hdr *syn)
{
	uint32_t v = (clock & ~(uint32_t)TS_MASK) | ts_bits_of(syn);

	return (int32_t)(v - clock) > 0 ? v - TS_MASK - 1 : v;
}

bool cookie_taste(const struct sockets *ss, const struct tuple *t, const struct tcp_hdr *ack,
		  struct tcp_hdr *syn)
{
	uint32_t cookie = ack->ack - 1;
	const struct cookie_key *key = &ss->cookie_keys[cookie >> 31];
	unsigned bits = ack->has_ts ? ack->ts_ecr & TS_MASK : 0;

	if (key->slot == 0 || present_slot(ss) - key->slot > 1)
		return false;
	tcp_hdr_init(syn);
	syn->seq = ack->seq - 1;
	syn->wnd = ack->wnd;
	syn->flags = TCP_SYN | (bits & TS_ECN ? TCP_ECE | TCP_CWR : 0);
	syn->has_mss = true;
	syn->mss = mss_table[cookie >> MAC_BITS & ((1u << MSS_BITS) - 1)];
	syn->has_ts = ack->has_ts;
	syn->ts_val = ack->ts_val;
	syn->sack_permitted = (bits & TS_SACK) != 0;
	syn->wscale = bits & TS_WSCALE;
	syn->has_wscale = ack->has_ts && syn->wscale != TS_NO_WSCALE;
	return cookie_of(key, t, syn) == cookie;
}
