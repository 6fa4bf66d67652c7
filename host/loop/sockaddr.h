/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockaddr.h - the names of the C library as the stack's, judged in Linux's order.
 */
#ifndef TERN_HOST_LOOP_SOCKADDR_H
#define TERN_HOST_LOOP_SOCKADDR_H

#include <sys/socket.h>

#include "../../include/tern.h"

/* What a name of a socket of this family has at least. */
socklen_t sockaddr_least_len(int family);
/*
 * For a socket of that family: 0, -EINVAL (the length), -EFAULT or -EAFNOSUPPORT. One of AF_UNSPEC
 * may have any length; its port and address are what would be IPv4's, if they are there.
 */
int sockaddr_read(int family, const struct sockaddr *, socklen_t, struct tern_addr *);

#endif
