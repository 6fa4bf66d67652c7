/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * build.c - the whole core has everything.
 */
#include "build.h"

const struct build build = { .ip6 = true, .raw = true };
