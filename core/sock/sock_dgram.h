/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock_dgram.h - what the files of datagram, raw and echo sockets say to each other.
 */
#ifndef TERN_SOCK_DGRAM_H
#define TERN_SOCK_DGRAM_H

#include "sock.h"

/* Where a datagram goes. */
struct dgram_path {
	struct addr src, dst;
	uint16_t dport;
	struct hop hop;
};

/* The user writes the IP header, too. */
static inline bool dgram_has_header(const struct sock *s)
{
	return s->dgram->hdrincl || s->protocol == TERN_IPPROTO_RAW;
}

int dgram_find_path(struct sockets *, struct sock *, const struct tern_msg *, struct dgram_path *);
/* It is larger than may be sent: tells who asked to be told. -TERN_EMSGSIZE */
int dgram_refuse_large(struct sockets *, struct sock *, const struct dgram_path *);
size_t dgram_msg_len(const struct tern_msg *);
void dgram_gather(const struct tern_msg *, uint8_t *out);
/* len bytes of it, from the byte numbered `at` on. */
void dgram_gather_part(const struct tern_msg *, size_t at, uint8_t *out, size_t len);
void dgram_push_ip(struct sockets *, const struct sock *, struct tern_pkt *,
		   const struct dgram_path *, const struct tern_msg *);
int64_t dgram_enqueue(struct sockets *, struct sock *, struct tern_pkt *,
		      const struct dgram_path *);

/* All that waits to be read. */
void dgram_drop_queues(struct sockets *, struct dgram *);

int64_t udp_send(struct sockets *, struct sock *, const struct tern_msg *,
		 const struct dgram_path *);
int64_t ping_send(struct sockets *, struct sock *, const struct tern_msg *,
		  const struct dgram_path *);
int64_t raw_send(struct sockets *, struct sock *, const struct tern_msg *,
		 const struct dgram_path *);

#endif
