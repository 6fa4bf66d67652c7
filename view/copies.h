/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * copies.h - packets that several interfaces of one machine captured, told from those sent again.
 */
#ifndef TERN_VIEW_COPIES_H
#define TERN_VIEW_COPIES_H

#include "reassemble.h"

struct copies;

struct copies *copies_new(void); /* NULL: no memory */
void copies_free(struct copies *);
/*
 * An interface captured this packet at this time. true: another one captured it just before, so
 * that it is a copy; false: it is remembered, as one whose copies may follow.
 */
bool copies_recognize(struct copies *, tern_time at, uint64_t iface, const struct ip_bytes *);

#endif
