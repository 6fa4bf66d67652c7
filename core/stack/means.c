/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * means.c - by which means can an interface configure itself?
 */
#include "means.h"

const struct means *const all_means[] = { &ra_means,	&dhcp6_means,	&link_local4_means,
					  &dhcp4_means, &inform4_means, NULL };
