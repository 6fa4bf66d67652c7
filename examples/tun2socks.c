/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tun2socks.c - a TUN device whose every flow goes on through a SOCKS5 server: IPv4 and IPv6, TCP
 * and UDP. It is the local end of a VPN in fifty lines: tern_gateway.h does the rest.
 *
 *	cc tun2socks.c $(pkg-config --cflags --libs tern_posix) -o tun2socks
 *	ip tuntap add tun0 mode tun
 *	tun2socks tun0 127.0.0.1 1080 [USER PASSWORD] &
 *	ip addr add 10.9.0.1/24 dev tun0 && ip link set tun0 up
 *	ip route add 198.51.100.0/24 dev tun0
 *
 * The way to the server itself must not lead through the device.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <tern_gateway.h>

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

static int serve(struct tern_gateway *g, const char *device)
{
	while (!stop) {
		struct pollfd p = { tern_gateway_fd(g), POLLIN, 0 };

		if (tern_gateway_turn(g) != 0) {
			fprintf(stderr, "tun2socks: the device %s has gone\n", device);
			return 1;
		}
		poll(&p, 1, 1000); /* for signals that came just before */
	}
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long port = argc >= 4 ? strtoul(argv[3], NULL, 10) : 0;
	char error[TERN_GATEWAY_ERROR_MAX];
	struct tern_gateway_config cfg;
	struct tern_gateway *g;
	int code;

	tern_gateway_config_default(&cfg);
	if ((argc != 4 && argc != 6) || port == 0 || port > 65535 ||
	    tern_addr_parse(argv[2], (uint16_t)port, &cfg.socks) != 0)
		return usage();
	cfg.device = argv[1];
	cfg.no_loopback = true;
	cfg.socks_user = argc == 6 ? argv[4] : NULL;
	cfg.socks_password = argc == 6 ? argv[5] : NULL;
	g = tern_gateway_new(&cfg, error);
	if (!g) {
		fprintf(stderr, "tun2socks: %s\n", error);
		return 1;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	code = serve(g, argv[1]);
	tern_gateway_free(g);
	return code;
}
