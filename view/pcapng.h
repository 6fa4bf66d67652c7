/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcapng.h - a view as a capture file, and back.
 *
 * The file has one interface for each host (and kind of link), frames as that host's packets, out
 * or in, and the rest as comments that people and tern read alike:
 *
 *	tern: frame 12                      on every packet: the number that pairs its two ends
 *	tern: cause rto                     why it was sent
 *	tern: corrupted                     a bit was flipped on the way
 *	tern: lost (filter) at 0.010000000  it never arrives
 *	tern: copied as frame 13            a second copy arrives too
 *	tern: dropped (tcp-checksum)        its receiver refused it
 *	tern: state 10.0.0.1:40000 > 10.0.0.2:80 SYN-SENT -> ESTABLISHED at 0.010000000
 *		host 0 conn 1 active        (one line) happened before the packet it stands on
 *	tern: timer rto 10.0.0.1:40000 > 10.0.0.2:80 at 1.000000000 host 0 conn 1
 *	tern: drop (no-route) at 0.500000000 host 1
 *
 * What happens after the last packet stands on a statistics block at the end.
 */
#ifndef TERN_VIEW_PCAPNG_H
#define TERN_VIEW_PCAPNG_H

#include <stdio.h>

#include "events.h"

/* false: memory ran out or the stream failed. */
bool pcapng_write(FILE *, const struct view *);

/*
 * Reads a capture: tern's own gives the events it was written from; another one's packets count as
 * sent and delivered at once, at times relative to the first. NULL: *why says what is wrong.
 */
struct view *pcapng_read(FILE *, const char **why);

#endif
