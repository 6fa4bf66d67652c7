/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * embedded_loop.c - the main loop of a device without an operating system: an echo server.
 *
 * The network card here is a second stack in the same program that plays the peer; on hardware
 * nic_read and nic_write move frames to and from the controller, and clock_ns reads a timer.
 */
#include "common.h"

enum { ECHO_PORT = 7, NIC = 2, MTU = 1500, FRAME = MTU + 14, TEXT = 1 << 20 };

static struct {
	struct tern_stack *st, *peer; /* the device, and who is at the other end of the wire */
	tern_sock listener, client;
	tern_time now;
	char answer[6];	  /* what the peer has heard begins so, */
	unsigned n_heard; /* and is so long */
} device;

static tern_time clock_ns(void)
{
	return device.now += TERN_MS;
}

/* A frame that one side sends, as a packet of the other; NULL: there is none. */
static struct tern_pkt *frame_from(struct tern_stack *from, struct tern_stack *to)
{
	struct tern_pkt *p = tern_pkt_new(to, FRAME);
	int64_t len = p ? tern_output_to(from, NIC, p->data, FRAME) : 0;

	if (len <= 0) {
		tern_pkt_free(to, p);
		return NULL;
	}
	p->len = p->total_len = (uint32_t)len;
	p->ifindex = NIC;
	return p;
}

static struct tern_pkt *nic_read(void)
{
	return frame_from(device.peer, device.st);
}

/* A controller has a buffer for each frame that is to go: tern_output_to writes it there. */
static bool nic_write(void)
{
	struct tern_pkt *frame = frame_from(device.st, device.peer);

	if (frame)
		tern_input(device.peer, frame);
	return frame != NULL;
}

static void on_event(const struct tern_event *ev)
{
	char buf[256];
	tern_sock sock;
	int64_t n;

	if (ev->sock == device.listener) {
		while (tern_accept(device.st, device.listener, &sock, NULL) == 0)
			continue;
		return;
	}
	/* What there is no room for stays where it is until TERN_POLLOUT brings the next event. */
	while ((n = tern_recv(device.st, ev->sock, buf, sizeof(buf), TERN_MSG_PEEK)) > 0) {
		n = tern_send(device.st, ev->sock, buf, (size_t)n, 0);
		if (n < 0)
			break;
		tern_recv(device.st, ev->sock, buf, (size_t)n, 0);
	}
	if (n != -TERN_EAGAIN)
		tern_close(device.st, ev->sock);
}

/* One turn of the loop that tern.h describes. */
static void turn(void)
{
	struct tern_event ev;
	struct tern_pkt *p;

	tern_advance(device.st, clock_ns());
	for (int n = 0; n < 64 && (p = nic_read()); n++)
		tern_input(device.st, p);
	while (tern_event(device.st, &ev))
		on_event(&ev);
	while (nic_write())
		continue;
}

static struct tern_stack *host(uint8_t last)
{
	struct tern_iface nic = {
		"nic", TERN_LINK_ETHERNET, MTU, TERN_IFACE_CSUM, { 2, 0, 0, 0, 0, last }
	};
	struct tern_addr addr = tern_ip4(192, 0, 2, last, 0);
	struct tern_stack *st = new_stack(last);

	if (!st || tern_iface_add(st, &nic) != NIC || tern_addr_add(st, NIC, &addr, 24) != 0)
		exit(1);
	return st;
}

/* The peer says all of its text before it reads a word of the answers: they wait in the device. */
static void play_peer(int i)
{
	static const char text[TEXT] = "hello";
	static unsigned n_said;
	char buf[1024];
	int64_t n;

	tern_advance(device.peer, device.now);
	while (n_said < TEXT &&
	       (n = tern_send(device.peer, device.client, text + n_said, TEXT - n_said, 0)) > 0)
		n_said += (unsigned)n;
	while (i > 200 && (n = tern_recv(device.peer, device.client, buf, sizeof(buf), 0)) > 0) {
		if (device.n_heard == 0)
			memcpy(device.answer, buf, 5);
		device.n_heard += (unsigned)n;
	}
}

int main(void)
{
	struct tern_addr at = tern_ip4(192, 0, 2, 1, ECHO_PORT);
	int32_t little = 4096;

	device.st = host(1);
	device.peer = host(2);
	tern_socket(device.st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &device.listener);
	tern_setsockopt(device.st, device.listener, TERN_SOL_SOCKET, TERN_SO_SNDBUF, &little, 4);
	tern_setsockopt(device.st, device.listener, TERN_SOL_SOCKET, TERN_SO_RCVBUF, &little, 4);
	tern_bind(device.st, device.listener, &at);
	tern_listen(device.st, device.listener, 4);
	tern_socket(device.peer, TERN_AF_INET, TERN_SOCK_STREAM, 0, &device.client);
	tern_connect(device.peer, device.client, &at);
	for (int i = 0; i < 20000 && device.n_heard < TEXT; i++) {
		turn();
		play_peer(i);
	}
	printf("echoed: %s, and %u bytes in all\n", device.answer, device.n_heard);
	tern_free(device.peer);
	tern_free(device.st);
	return strcmp(device.answer, "hello") == 0 && device.n_heard == TEXT ? 0 : 1;
}
