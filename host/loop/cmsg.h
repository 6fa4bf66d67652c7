/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmsg.h - control messages: what ip(7), ipv6(7) and socket(7) let a datagram bring along, in the
 * layout of Linux's programs on this machine.
 */
#ifndef TERN_HOST_LOOP_CMSG_H
#define TERN_HOST_LOOP_CMSG_H

#include <sys/socket.h>

#include "../../include/tern.h"

/* Which of them a receive brings, as the user asked for them. */
enum cmsg_wanted {
	CMSG_WANT_PKTINFO = 1,
	CMSG_WANT_TTL = 2,
	CMSG_WANT_TOS = 4,
	CMSG_WANT_PKTINFO6 = 8,
	CMSG_WANT_HOPLIMIT = 16,
	CMSG_WANT_TCLASS = 32,
	CMSG_WANT_TIMESTAMP = 64,
	CMSG_WANT_TIMESTAMPNS = 128,
	CMSG_WANT_STAMPS = CMSG_WANT_TIMESTAMP | CMSG_WANT_TIMESTAMPNS,
	CMSG_WANT_FLOWINFO = 256,
	CMSG_WANT_OLD_PKTINFO6 = 512, /* of RFC 2292 */
	CMSG_WANT_OLD_HOPLIMIT = 1024,
};

/* The one that an option asks for; 0: the option is none of these. */
uint32_t cmsg_wanted_by(int level, int name);
/* SO_TIMESTAMP or SO_TIMESTAMPNS, which no stack needs to be told of. */
bool cmsg_is_stamp(int level, int name);
/* *wanted after that option has been set to a value. */
void cmsg_note_option(uint32_t *wanted, int level, int name, bool on);

/*
 * What a send brings along (msg_control and msg_controllen); 0 or -EINVAL. Levels that are not of
 * the socket say nothing to it: of a stream (family AF_UNSPEC) all but SOL_SOCKET.
 */
int cmsg_to_msg(const struct msghdr *, int family, struct tern_msg *);
/*
 * Writes what is wanted into msg_control; msg_controllen becomes its length, and MSG_CTRUNC says
 * that there was too little room. The record of an error queue is always wanted.
 */
void cmsg_from_msg(uint32_t wanted, bool v6_socket, const struct tern_msg *, struct msghdr *);

#endif
