/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frag.h - which fragments belong together, and are they whole? RFC 791, RFC 8200 4.5, RFC 5722
 */
#ifndef TERN_FRAG_H
#define TERN_FRAG_H

#include "net.h"

enum { FRAG_HDR_MAX = 128 }; /* headers before the payload: IPv4 has 60 at most, IPv6 a chain */

struct frag_key {
	struct addr src, dst;
	uint32_t id;
	uint32_t proto; /* IPv4 only, RFC 791 3.2 */
	uint32_t zone;	/* frag_zone */
};
/* It is hashed by its bytes. */
_Static_assert(sizeof(struct frag_key) == 44, "a key has no holes");

struct frag {
	struct frag_key key;
	const uint8_t *hdr, *bytes; /* IP headers that are not cut; payload */
	uint32_t hdr_len, len, off; /* bytes; len > 0 */
	bool last;
	uint8_t ecn;
	uint16_t ifindex, link_flags; /* of tern_pkt.flags */
};

struct frag_piece {
	struct tree_node node; /* key: offset */
	uint32_t len;
	uint8_t bytes[];
};

struct frag_source;
struct frag_set {
	struct table_node node;
	struct list age, of_source;
	struct frag_source *source;
	struct frag_key key;
	struct tree_node *pieces;
	uint32_t n_pieces, have, used;
	uint32_t end; /* of the payload; 0: not known yet */
	tern_time since;
	uint16_t ifindex, hdr_len, link_flags; /* of the first fragment; hdr_len 0: not here yet */
	uint8_t ecn_seen;		       /* a bit for each codepoint */
	bool spoiled;
	uint8_t hdr[FRAG_HDR_MAX];
};

bool frag_init(struct net *, uint32_t timer_kind);
void frag_fini(struct net *);
void frag_check(const struct net *);
/* RFC 4007 6, RFC 3927 7: the interface, if one of the addresses is of its link alone; else 0. */
uint32_t frag_zone(const struct addr *src, const struct addr *dst, unsigned ifindex);
/*
 * A fragment; *whole is the set that is complete now: the caller takes what it wants of it and
 * frees it.
 */
enum tern_drop frag_put(struct net *, const struct frag *, struct frag_set **whole);
/* The ECN field of the datagram, in *ecn if it differs; false: marks that cannot be (RFC 3168). */
bool frag_ecn(const struct frag_set *, uint8_t *ecn);
/* The payload, set->end bytes; and as much of the first fragment's as there is room for. */
void frag_copy(const struct frag_set *, uint8_t *out);
uint32_t frag_copy_first(const struct frag_set *, uint8_t *out, uint32_t room);
/* One whose time is over, which the caller frees; NULL: none, and the timer is armed. */
struct frag_set *frag_take_expired(struct net *);
void frag_free(struct net *, struct frag_set *);

#endif
