/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * close.h - what a stream holds, and what a close of it would cost.
 *
 * Linux has sent what was written when write returns; here the devices have their turn later. So
 * who closes by a RST lets them have it before.
 */
#ifndef TERN_HOST_LOOP_CLOSE_H
#define TERN_HOST_LOOP_CLOSE_H

#include "../../include/tern.h"

/* TERN_SO_SIOCOUTQ, TERN_SO_SIOCINQ: is there any? */
bool stream_holds(struct tern_stack *, tern_sock, int which);
/* What of a stream has not been sent at all: how much, or a negative error. -EINVAL: it listens. */
int stream_unsent(struct tern_stack *, tern_sock);
/* Would tern_close discard, by a RST, bytes that are not with the peer yet? */
bool close_discards(struct tern_stack *, tern_sock);

#endif
