/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * own_loopback.h - the side of the kernel in a network of its own.
 */
#ifndef TERN_TEST_TWIN_OWN_LOOPBACK_H
#define TERN_TEST_TWIN_OWN_LOOPBACK_H

#include <sched.h>
#include <unistd.h>

#include "../../host/dev/dev.h"

/*
 * A loopback of its own, where it may have one: another program's port is never in the way of one
 * that a program binds by its number.
 */
static inline void leave_other_ports(void)
{
	char error[DEV_ERROR_MAX];

	if (unshare(CLONE_NEWNET) == 0 && host_link_up("lo", error) != 0)
		_exit(98);
}

#endif
