/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * get_connect.h - how tern get comes by a connection to the host of a URL.
 */
#ifndef TERN_CMD_GET_CONNECT_H
#define TERN_CMD_GET_CONNECT_H

#include "net.h"

enum { CONNECT_WHY_MAX = 600 };

struct get_connect {
	struct net *n;
	const char *host;
	uint16_t port;
	tern_time timeout; /* for all of it */
	/* the result */
	tern_sock s;
	char why[CONNECT_WHY_MAX]; /* there is none: one line without its end */
};

/* An exit code. */
int get_connect(struct get_connect *);

#endif
