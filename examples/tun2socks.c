/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tun2socks.c - a TUN device whose every flow goes on through a SOCKS5 server: IPv4 and IPv6, TCP
 * and UDP. It is the local end of a VPN in fifty lines: host/gateway does the rest, which is
 * compiled from the tree with the program: no header of it is installed.
 *
 *	ip tuntap add tun0 mode tun
 *	tun2socks tun0 127.0.0.1 1080 [USER PASSWORD] &
 *	ip addr add 10.9.0.1/24 dev tun0 && ip link set tun0 up
 *	ip route add 198.51.100.0/24 dev tun0
 *
 * The way to the server itself must not lead through the device.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "../host/gateway/gateway.h"

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static int usage(void)
{
	fprintf(stderr, "usage: tun2socks DEVICE SERVER PORT [USER PASSWORD]\n");
	return 2;
}

static int serve(struct loop *l, struct gateway *g)
{
	const char *gone = NULL;

	while (!stop && !gone) {
		struct pollfd own = { gateway_fd(g), POLLIN, 0 };

		loop_pump(l);
		gateway_turn(g);
		loop_wait(l, gateway_deadline(g), &own, 1);
		gone = loop_take_gone(l);
	}
	if (gone)
		fprintf(stderr, "tun2socks: the device %s has gone\n", gone);
	return gone ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct gateway_wish wish = { .no_loopback = true };
	struct dev_wish dev_wish = { .mtu = 0 };
	unsigned long port = argc >= 4 ? strtoul(argv[3], NULL, 10) : 0;
	struct gateway *g;
	struct dev *d;
	struct loop l;
	int code;

	if ((argc != 4 && argc != 6) || port == 0 || port > 65535 ||
	    tern_addr_parse(argv[2], (uint16_t)port, &wish.socks) != 0)
		return usage();
	wish.socks_user = argc == 6 ? argv[4] : NULL;
	wish.socks_password = argc == 6 ? argv[5] : NULL;
	d = tap_open(argv[1], false, &dev_wish);
	if (!d) {
		fprintf(stderr, "tun2socks: %s\n", dev_wish.error);
		return 1;
	}
	loop_init(&l);
	g = gateway_new(&l, d, &wish);
	if (!g) {
		fprintf(stderr, "tun2socks: %s\n", wish.error);
		dev_close(d);
		loop_fini(&l);
		return 1;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	code = serve(&l, g);
	gateway_free(g);
	loop_fini(&l);
	return code;
}
