/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * records.h - how many records does a stack hold? For the fixtures of this directory.
 */
#ifndef TERN_TEST_RECORDS_H
#define TERN_TEST_RECORDS_H

#include "../../include/tern.h"

/* Of connections, begun, open or in TIME-WAIT: all but listeners. */
static inline unsigned records_of(const struct tern_stack *st)
{
	struct tern_sock_info info;
	uint64_t cursor = 0;
	unsigned n = 0;

	while (tern_sock_next(st, &cursor, &info))
		n += info.state != TERN_TCP_LISTEN;
	return n;
}

#endif
