/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow_tcp.h - a stream through the gateway.
 */
#ifndef TERN_HOST_FLOW_TCP_H
#define TERN_HOST_FLOW_TCP_H

#include "join.h"

/* A connection that somebody made to a port of the host's is to be one to `to` inside. */
bool tcp_flow_from_host(struct gateway *, int fd, const struct tern_addr *to);

#endif
