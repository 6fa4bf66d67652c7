/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * option.h - socket options of Linux's that a stack does not know: names of interfaces, numbers in
 * one byte, those for the administrator, and those that mean nothing on a stack of one's own.
 */
#ifndef TERN_HOST_LOOP_OPTION_H
#define TERN_HOST_LOOP_OPTION_H

#include "../../include/tern.h"

/* A number as a program gives it: of level IP one byte is one, too, and none is 0. 0 or -EINVAL. */
int option_read_number(int level, const void *value, size_t len, int *out);
/* And as it gets it: of level IP one below 256 in a byte, if there is room for less than four. */
void option_put_number(int level, int v, void *value, size_t *len);

/* tern_setsockopt and tern_getsockopt, and their errors, or -ENODEV (no such interface). */
int option_set(struct tern_stack *, tern_sock, int level, int name, const void *value, size_t len);
int option_get(struct tern_stack *, tern_sock, int level, int name, void *value, size_t *len);

/* ---- accepted, told back, and without effect ---- */

enum { IDLE_OPTIONS_MAX = 9 };
struct idle_options {
	int as_set[IDLE_OPTIONS_MAX];
};

bool idle_option_is(int level, int name);
/* Of one that is; the former: 0 or -EINVAL. */
int idle_option_set(struct idle_options *, int level, int name, const void *value, size_t len);
void idle_option_get(const struct idle_options *, int level, int name, void *value, size_t *len);

#endif
