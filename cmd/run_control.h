/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run_control.h - the socket by which a run that lives is asked to change its weather.
 */
#ifndef TERN_CMD_RUN_CONTROL_H
#define TERN_CMD_RUN_CONTROL_H

#include "net.h"
#include "run_place.h"

struct run_control {
	int fd; /* -1: none */
	struct sockaddr_un at;
};

/* false: error says why in one line. */
bool run_control_open(struct run_control *, const char *name, char *error, size_t room);
/* Answers one request, when fd is readable. */
void run_control_turn(struct run_control *, struct net *);
void run_control_close(struct run_control *);

#endif
