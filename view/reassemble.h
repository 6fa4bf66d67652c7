/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reassemble.h - IP fragments of a capture put together, in bounded memory.
 */
#ifndef TERN_VIEW_REASSEMBLE_H
#define TERN_VIEW_REASSEMBLE_H

#include "../core/wire/wire.h"
#include "../include/tern.h"

struct ip_bytes {
	const uint8_t *bytes; /* from the IP header on */
	uint32_t kept, len;
};

enum reassembly_verdict {
	REASSEMBLY_WHOLE, /* no fragment: as it came */
	REASSEMBLY_HELD,  /* its fellows are awaited */
	REASSEMBLY_DONE,  /* *out is the whole packet, valid until the next call */
	REASSEMBLY_BAD,	  /* a fragment that cannot be */
};

struct reassembly;

struct reassembly *reassembly_new(void); /* NULL: no memory */
void reassembly_free(struct reassembly *);
enum reassembly_verdict reassemble(struct reassembly *, tern_time now, const struct ip_bytes *,
				   struct ip_bytes *out);
/*
 * Gives up the oldest datagram when it has waited too long (at TERN_NEVER: any has); false: none.
 * *out is its beginning as far as it is there, empty when the first fragment is missing; *at is
 * when the last one that is there came.
 */
bool reassembly_give_up(struct reassembly *, tern_time now, struct ip_bytes *out, tern_time *at);

#endif
