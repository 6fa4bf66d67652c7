/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cc.h - what lwIP wants to know of its compiler.
 */
#ifndef BENCH_ARCH_CC_H
#define BENCH_ARCH_CC_H

#include <stdio.h>
#include <stdlib.h>

#define LWIP_PLATFORM_DIAG(x)                                                                      \
	do {                                                                                       \
		printf x;                                                                          \
	} while (0)
#define LWIP_PLATFORM_ASSERT(x)                                                                    \
	do {                                                                                       \
		printf("lwIP: %s\n", x);                                                           \
		abort();                                                                           \
	} while (0)
#define LWIP_RAND() ((unsigned)rand())

#endif
