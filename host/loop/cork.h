/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cork.h - a datagram that is put together from several sends: MSG_MORE and UDP_CORK, as udp(7).
 *
 * The first send says where it goes and what goes along; the others add bytes. It goes with the
 * first send that holds nothing back, or when UDP_CORK is taken off.
 */
#ifndef TERN_HOST_LOOP_CORK_H
#define TERN_HOST_LOOP_CORK_H

#include "../../include/tern.h"

/* All zero: neither on, nor is anything held back. */
struct cork {
	bool on; /* UDP_CORK */
	struct corked *held;
};

/* Where what is held back goes; NULL: nothing is. */
const struct tern_addr *cork_to(const struct cork *);
/*
 * tern_sendmsg of a message, or of a part of one: the bytes taken, or also -TERN_EDESTADDRREQ,
 * -TERN_ENOMEM or -TERN_EMSGSIZE. After -TERN_EAGAIN all but these bytes is still held.
 */
int64_t cork_send(struct cork *, struct tern_stack *, tern_sock, const struct tern_msg *,
		  int flags);
/* Sends what is held back; -TERN_EAGAIN: it still is. */
int64_t cork_push(struct cork *, struct tern_stack *, tern_sock);
void cork_drop(struct cork *);
/* UDP_CORK, of a datagram socket; 0 or -EINVAL. What is held back goes by this socket. */
bool cork_is_option(int type, int level, int name);
int cork_set(struct cork *, struct tern_stack *, tern_sock, const void *value, size_t len);

#endif
