/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * close.c - what a stream holds, and which closes are a RST: with SO_LINGER and no time, and with
 * bytes that nobody has read (RFC 2525 2.17).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/tcp.h>

#include "close.h"

bool stream_holds(struct tern_stack *st, tern_sock s, int which)
{
	int32_t left = 0;
	size_t len = sizeof(left);

	return tern_getsockopt(st, s, TERN_SOL_SOCKET, which, &left, &len) == 0 && left > 0;
}

int stream_unsent(struct tern_stack *st, tern_sock s)
{
	struct tern_tcp_info info = { 0 };
	size_t len = sizeof(info);
	int err = tern_getsockopt(st, s, TERN_IPPROTO_TCP, TERN_TCP_INFO, &info, &len);

	if (err)
		return err;
	return info.state == TCP_LISTEN ? -EINVAL : (int)info.notsent_bytes;
}

bool close_discards(struct tern_stack *st, tern_sock s)
{
	struct tern_linger l = { 0, 0 };
	size_t len = sizeof(l);

	if (!stream_holds(st, s, TERN_SO_SIOCOUTQ))
		return false;
	tern_getsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_LINGER, &l, &len);
	return (l.onoff && l.linger == 0) || stream_holds(st, s, TERN_SO_SIOCINQ);
}
