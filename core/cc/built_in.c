/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * built_in.c - the algorithms of congestion control that the whole core has.
 */
#include "cc.h"

const struct tern_cc_ops *const cc_built_in[] = { &cc_reno, &cc_cubic, &cc_bbr, &cc_fixed, NULL };
