/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * socks5.h - the client's side of SOCKS5 (RFC 1928, RFC 1929), pure: bytes in, bytes out.
 *
 *	socks5_begin(&s, &ask);
 *	while (socks5_status(&s) == SOCKS5_GOING) {
 *		send what socks5_out lends, socks5_sent(&s, n);
 *		read at most socks5_wants(&s) bytes, socks5_input(&s, bytes, n);
 *	}
 */
#ifndef TERN_HOST_SOCKS5_H
#define TERN_HOST_SOCKS5_H

#include "../../include/tern.h"

enum socks5_command { SOCKS5_CONNECT = 1, SOCKS5_UDP_ASSOCIATE = 3 };
enum socks5_status { SOCKS5_GOING, SOCKS5_DONE, SOCKS5_REFUSED, SOCKS5_FAILED };
enum {
	SOCKS5_TEXT_MAX = 255,	    /* of a name or a password */
	SOCKS5_IN_MAX = 262,	    /* the longest message of a server: a reply with a name */
	SOCKS5_OUT_MAX = 515,	    /* the longest of ours: name and password, then a request */
	SOCKS5_UDP_HEADER_MAX = 22, /* before a datagram to an IPv6 address */
	SOCKS5_UDP_IN_MAX = 262,    /* before one from wherever */
};

struct socks5_ask {
	enum socks5_command command;
	struct tern_addr to;	     /* AF_UNSPEC: zeros (an association may ask so) */
	const char *user, *password; /* user NULL: without; they outlive the struct socks5 */
};

struct socks5 {
	struct socks5_ask ask;
	uint8_t state;
	uint8_t in[SOCKS5_IN_MAX], out[SOCKS5_OUT_MAX];
	uint16_t in_len, in_need, out_len, out_off;
	struct tern_addr bound; /* when done: what the server says; AF_UNSPEC: a name */
};

/* false: name or password are empty or too long. */
bool socks5_credentials_fit(const char *user, const char *password);

void socks5_begin(struct socks5 *, const struct socks5_ask *);
enum socks5_status socks5_status(const struct socks5 *);
/* What is to be sent; *len 0: nothing now. */
const uint8_t *socks5_out(const struct socks5 *, size_t *len);
void socks5_sent(struct socks5 *, size_t len);
/*
 * How many bytes to read, not one more: what follows the last message is the stream's. 0: none
 * until our own have been sent, or it is over.
 */
size_t socks5_wants(const struct socks5 *);
/* len is at most socks5_wants. */
void socks5_input(struct socks5 *, const uint8_t *, size_t len);

/* Writes the header of a datagram (at most SOCKS5_UDP_HEADER_MAX bytes); its length. */
size_t socks5_udp_emit(const struct tern_addr *to, uint8_t *out);
/* The length of the header and where it is from; 0: not one for us (cut, named, short). */
size_t socks5_udp_parse(const uint8_t *, size_t len, struct tern_addr *from);

#endif
