/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcap_read.c - the classic format: a head of 24 bytes, then packets, each with a head of 16.
 *
 * The magic number tells the byte order and whether times are in micro- or nanoseconds. Lengths are
 * checked before they are used; a file that ends within a packet is read as far as it goes.
 */
#include "capture_impl.h"

enum { HEAD_LEN = 24, PACKET_HEAD_LEN = 16 };

struct pcap {
	struct capturing *c;
	bool big_endian, nanoseconds;
	uint32_t link_type;
};

static uint32_t get32(const struct pcap *p, const uint8_t *b)
{
	if (p->big_endian)
		return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	return (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}

static bool read_head(struct pcap *p)
{
	uint8_t head[HEAD_LEN];
	struct capturing *c = p->c;

	memcpy(head, c->magic, 4);
	if (!capture_take(c, head + 4, HEAD_LEN - 4)) {
		c->broken = "the file ends within its head";
		return false;
	}
	p->big_endian = head[0] == 0xa1;
	p->nanoseconds = get32(p, head) == 0xa1b23c4d;
	p->link_type = get32(p, head + 20) & 0xffff; /* above: how long a checksum follows */
	return true;
}

/* false: the end. */
static bool read_packet(struct pcap *p)
{
	uint8_t head[PACKET_HEAD_LEN];
	struct capturing *c = p->c;
	struct captured packet = { .link_type = p->link_type };
	uint64_t before = c->bytes_read;

	if (!capture_take(c, head, sizeof(head))) {
		if (c->bytes_read > before)
			c->broken = "the file ends within the head of a packet";
		return false;
	}
	packet.at = get32(p, head) * TERN_SEC +
		    (uint64_t)get32(p, head + 4) * (p->nanoseconds ? 1 : 1000);
	packet.kept = get32(p, head + 8);
	packet.len = get32(p, head + 12);
	if (packet.kept > CAPTURE_FRAME_MAX) {
		c->broken = "a packet has an impossible length: the file is broken from there on";
		return false;
	}
	packet.bytes = capture_take_block(c, packet.kept);
	if (!packet.bytes) {
		c->broken = "the file ends within a packet";
		return false;
	}
	capture_packet(c, &packet);
	return !c->out_of_memory;
}

void pcap_read_packets(struct capturing *c)
{
	struct pcap p = { .c = c };

	if (read_head(&p))
		while (read_packet(&p))
			continue;
}
