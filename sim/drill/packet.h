/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet.h - packets as scripts write them: names, bytes and text.
 */
#ifndef TERN_DRILL_PACKET_H
#define TERN_DRILL_PACKET_H

#include "script.h"

/* ---- packet_names.c ---- */

uint16_t packet_flag(char letter); /* 0: no such flag */
bool icmp_type_find(int family, struct slice name, uint8_t *type);
bool icmp_code_find(int family, uint8_t type, struct slice name, uint8_t *code);
bool icmp_is_error(int family, uint8_t type);
/* Into buf of 40 bytes; returns buf. */
char *icmp_type_name(int family, uint8_t type, char *buf);
char *icmp_code_name(int family, uint8_t type, uint8_t code, char *buf);

/* ---- packet_bytes.c ---- */

/* Addresses and ports a packet is sent between. */
struct flow {
	struct addr src, dst;
	uint16_t src_port, dst_port;
};

enum { FRAME_MAX = 65535 + 40 };

/*
 * The frame that p describes (numbers as on the wire), into FRAME_MAX bytes. 0: longer than an IP
 * packet can be. Of ICMP, flow is that of the packet and the quoted one goes the other way.
 */
size_t packet_build(const struct packet *p, const struct flow *, int family, uint8_t *frame);
/* What a frame holds; NULL, or what is wrong with it. */
const char *packet_read(struct packet *p, struct flow *, const uint8_t *frame, size_t len);

/* ---- packet_text.c ---- */

enum { PACKET_TEXT_MAX = 512 };

/* The packet as a script writes it, in PACKET_TEXT_MAX bytes; returns buf. */
char *packet_text(const struct packet *, int family, char *buf);
/* The same for two, with equal parts below each other. */
void packet_texts(const struct packet *a, const struct packet *b, int family, char *buf_a,
		  char *buf_b);

#endif
