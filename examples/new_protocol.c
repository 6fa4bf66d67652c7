/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * new_protocol.c - a protocol of one's own on raw sockets: "knock", protocol number 253.
 *
 * RFC 3692 sets 253 aside for experiments. A knock is a four-byte number; the answer is its double.
 * Both hosts are simulated; over a real device nothing changes.
 */
#include <stdio.h>

#include <tern_sim.h>

enum { PROTO_KNOCK = 253 };

struct hosts {
	struct tern_sim_pair net;
	tern_sock a, b;
	uint32_t answer;
};

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

/* A raw IPv4 socket gives the IP header, too. */
static const uint8_t *after_ip(const uint8_t *packet)
{
	return packet + (packet[0] & 15) * 4;
}

static void on_knock(void *ctx, int host, const struct tern_event *ev)
{
	struct hosts *h = ctx;
	struct tern_addr from;
	uint8_t packet[64], reply[4];

	(void)host;
	while (tern_recvfrom(h->net.b, ev->sock, packet, sizeof(packet), 0, &from) >= 24) {
		put32(reply, 2 * get32(after_ip(packet)));
		tern_sendto(h->net.b, ev->sock, reply, 4, 0, &from);
	}
}

static void on_answer(void *ctx, int host, const struct tern_event *ev)
{
	struct hosts *h = ctx;
	uint8_t packet[64];

	(void)host;
	if (tern_recv(h->net.a, ev->sock, packet, sizeof(packet), 0) >= 24)
		h->answer = get32(after_ip(packet));
}

int main(void)
{
	struct tern_weather wire = { .delay = 5 * TERN_MS };
	struct hosts h = { .answer = 0 };
	uint8_t knock[4];

	if (tern_sim_pair(&h.net, 1, TERN_AF_INET, TERN_LINK_ETHERNET, 1500, &wire) != 0)
		return 1;
	tern_socket(h.net.a, TERN_AF_INET, TERN_SOCK_RAW, PROTO_KNOCK, &h.a);
	tern_socket(h.net.b, TERN_AF_INET, TERN_SOCK_RAW, PROTO_KNOCK, &h.b);
	tern_sim_on_event(h.net.sim, 0, on_answer, &h);
	tern_sim_on_event(h.net.sim, 1, on_knock, &h);
	put32(knock, 21);
	tern_sendto(h.net.a, h.a, knock, sizeof(knock), 0, &h.net.addr_b);
	tern_sim_run(h.net.sim, TERN_SEC);
	printf("knocked 21, heard %u\n", (unsigned)h.answer);
	tern_sim_free(h.net.sim);
	return h.answer == 42 ? 0 : 1;
}
