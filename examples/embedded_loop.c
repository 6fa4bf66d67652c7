/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * embedded_loop.c - the main loop of a device without an operating system: an echo server.
 *
 * The network card here is a second stack in the same program that plays the peer; on hardware
 * nic_read and nic_write move frames to and from the controller, and clock_ns reads a timer.
 */
#include "common.h"

enum { ECHO_PORT = 7, NIC = 2, MTU = 1500, FRAME = MTU + 14 };

static struct {
	struct tern_stack *st, *peer; /* the device, and who is at the other end of the wire */
	tern_sock listener, client;
	tern_time now;
	unsigned n_echoed;
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
	while ((n = tern_recv(device.st, ev->sock, buf, sizeof(buf), 0)) > 0) {
		tern_send(device.st, ev->sock, buf, (size_t)n, 0);
		device.n_echoed++;
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

int main(void)
{
	struct tern_addr at = tern_ip4(192, 0, 2, 1, ECHO_PORT);
	char answer[6] = "";

	device.st = host(1);
	device.peer = host(2);
	tern_socket(device.st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &device.listener);
	tern_bind(device.st, device.listener, &at);
	tern_listen(device.st, device.listener, 4);
	tern_socket(device.peer, TERN_AF_INET, TERN_SOCK_STREAM, 0, &device.client);
	tern_connect(device.peer, device.client, &at);
	for (int i = 0; i < 100; i++) {
		turn();
		tern_advance(device.peer, device.now);
		if (i == 20)
			tern_send(device.peer, device.client, "hello", 5, 0);
	}
	tern_recv(device.peer, device.client, answer, 5, 0);
	printf("echoed: %s\n", answer);
	tern_free(device.peer);
	tern_free(device.st);
	return strcmp(answer, "hello") == 0 && device.n_echoed == 1 ? 0 : 1;
}
