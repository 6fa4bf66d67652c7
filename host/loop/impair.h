/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * impair.h - weather on a real wire: a device over a device, with link/ in both directions.
 */
#ifndef TERN_HOST_IMPAIR_H
#define TERN_HOST_IMPAIR_H

#include "../../include/tern_sim.h"
#include "../dev/dev.h"

/*
 * The same weather, from one seed, for what goes and for what comes. Takes inner, which should be
 * open without offload: a super-frame would be one frame to the weather. NULL: no memory, inner
 * stays the caller's.
 */
struct dev *impair_open(struct dev *inner, const struct tern_weather *, uint64_t seed);
/* Is anything that was written to it still on its way? */
bool impair_is_sending(const struct dev *);

#endif
