/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capture_impl.h - between the readers of file formats and what sorts their packets.
 */
#ifndef TERN_VIEW_CAPTURE_IMPL_H
#define TERN_VIEW_CAPTURE_IMPL_H

#include "capture.h"
#include "copies.h"
#include "reassemble.h"

enum { CAPTURE_FRAME_MAX = 16 * 1024 * 1024 }; /* longer ones are taken for a broken file */

struct captured {
	tern_time at; /* since 1970 */
	bool timeless;
	uint32_t link_type;
	uint32_t iface; /* which of several captured it; 0: the only one, or unknown */
	const uint8_t *bytes;
	uint32_t kept, len;
	const char *cause; /* why a stack of tern's sent it; NULL: unknown */
};

/* How often something happened, and the packet where it did first. */
struct tally {
	uint64_t n, first;
};

struct capturing {
	FILE *in;
	uint8_t magic[4]; /* the first bytes of the file, already read */
	const struct capture_options *options;
	struct capture *out;
	struct copies *copies; /* NULL: no frame was of one of several interfaces yet */
	struct reassembly *fragments;
	uint8_t *block; /* capture_take_block's */
	size_t block_size;
	uint32_t *slot; /* of the newest conversation of each pair of endpoints: 1 + index */
	size_t n_slots;
	uint64_t bytes_read;
	tern_time last_at;
	bool any;
	uint64_t n_kept;
	const char *broken; /* reading ended early: why */
	bool out_of_memory;
	uint32_t unknown_link;
	struct tally unknown, cut_link, not_ip, malformed, cut_header, cut_tcp, no_transport;
	struct tally bad_checksum, went_back, kept_beyond, fragments_lost, uncounted, beyond;
	struct tally bursts, reassembled, copied;
};

/* For hashes: h, and v with it. */
static inline uint64_t capture_mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15U;
	return h ^ h >> 29;
}

/* Exactly n bytes; false: the file ends before. */
bool capture_take(struct capturing *, void *buf, size_t n);
/* The same into room that the next one reuses; NULL: the file ends before, or out_of_memory. */
const uint8_t *capture_take_block(struct capturing *, size_t n);
uint32_t capture_drawn_max(const struct capture_options *);
void capture_count(struct capturing *, struct tally *);

/* Each reads a file whose magic has been read; sets broken when it must stop before the end. */
void pcap_read_packets(struct capturing *);
void pcapng_read_packets(struct capturing *);

/* A packet in the order of the file. */
void capture_packet(struct capturing *, const struct captured *);

/* conns.c: an IP packet that is whole; at is relative. */
struct whole_packet {
	tern_time at;
	const uint8_t *bytes;
	uint32_t kept, len;
	const char *cause;
	bool incomplete; /* fragments are missing: it never arrived */
};
void conns_packet(struct capturing *, const struct whole_packet *);
void conns_end(struct capturing *);

#endif
