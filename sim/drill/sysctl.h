/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sysctl.h - settings of other systems, by the names they have there.
 */
#ifndef TERN_DRILL_SYSCTL_H
#define TERN_DRILL_SYSCTL_H

#include "../../include/tern.h"

/*
 * Sets what name (Linux's, FreeBSD's or tern's own, with dots or as a path below /proc/sys) means
 * here. NULL, or why it cannot be.
 */
const char *sysctl_apply(struct tern_stack *, const char *name, const char *value);
/* A setting of tern's by its name, with or without "net.ipv4."; false: no such name or value. */
bool setting_apply(struct tern_stack *, const char *name, const char *value);

#endif
