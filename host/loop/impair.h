/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * impair.h - weather on a real wire: a device over a device, with link/ in both directions.
 */
#ifndef TERN_HOST_IMPAIR_H
#define TERN_HOST_IMPAIR_H

#include "../../include/tern_sim.h"
#include "../../link/link.h"
#include "../dev/dev.h"

enum impair_way { IMPAIR_OUT, IMPAIR_IN, IMPAIR_WAYS };

/*
 * Weather from one seed for what goes and for what comes. Takes inner, which should be plain
 * (dev_ops): a super-frame would be one frame to the weather. NULL: no memory, inner stays the
 * caller's.
 */
struct dev *impair_open(struct dev *inner, const struct tern_weather way[IMPAIR_WAYS],
			uint64_t seed);
/*
 * Packets for which this is true meet no weather, but for its being down. It is handed them from
 * their IP header on; those of more than 512 bytes are not asked about.
 */
void impair_spare(struct dev *, bool (*)(void *ctx, const uint8_t *packet, size_t len), void *ctx);
/* The weather from now on; what is on its way arrives as it would have. */
void impair_change(struct dev *, const struct tern_weather way[IMPAIR_WAYS]);
/*
 * Who watches what becomes of each frame, such as a recorder. Frames have the watcher's numbers,
 * the second copy of one another than the first.
 */
struct impair_watcher {
	uint64_t (*decided)(void *ctx, enum impair_way, const struct tern_pkt *,
			    const struct link_fate *); /* the number; of what is lost for nothing */
	uint64_t (*copied)(void *ctx, uint64_t number);
	/* To the device below, or as this packet to the stack. */
	void (*left)(void *ctx, enum impair_way, const struct tern_pkt *, uint64_t number);
	void *ctx;
};
void impair_watch(struct dev *, const struct impair_watcher *);
/* Is anything that was written to it still on its way? */
bool impair_is_sending(const struct dev *);

#endif
