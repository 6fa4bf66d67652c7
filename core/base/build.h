/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * build.h - what this build of the core has. A lean one, core/lean, has less: whoever asks it for
 * the rest gets an error at once. There is no #if in the core, so it is a value.
 */
#ifndef TERN_BUILD_H
#define TERN_BUILD_H

#include "base.h"

struct build {
	bool ip6;
	bool raw; /* raw and ping sockets */
};
extern const struct build build;

#endif
