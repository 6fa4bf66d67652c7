/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp_tap_bench.c - datagrams of 64 bytes over TAP to the kernel: tern, and no stack at all.
 *
 *	udp_tap_bench tern|tern-turns|blast DEVICE MAC SECONDS
 *
 * MAC is the host's address on the device, which bench/run-tap has set up; a socket of the
 * kernel's has the port, and nobody reads it. The blaster writes one frame, made beforehand, again
 * and again. Prints the name and thousands of datagrams a second of wall time: those that the
 * socket got, most of which it drops. tern's go as super-frames (host/dev/uso.c) where the kernel
 * knows them; `tern-turns` sends by two sockets in turn, so that no two in a row are alike.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../core/wire/wire.h"
#include "../host/dev/dev.h"
#include "../host/loop/loop.h"

enum { PORT = 5001, LEN = 64, VNET_LEN = 10, BATCH = 64 };

static const uint8_t our_mac[6] = { 2, 0, 0, 0, 0, 5 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static int open_sink(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (s < 0 || bind(s, (struct sockaddr *)&at, sizeof(at)))
		die("sink");
	return s;
}

static uint32_t dropped_by(int sink)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(info);

	if (getsockopt(sink, SOL_SOCKET, SO_MEMINFO, info, &len))
		die("SO_MEMINFO");
	return info[SK_MEMINFO_DROPS];
}

/* ---- tern ---- */

static void send_batch(struct tern_stack *st, const tern_sock s[2])
{
	static const char text[LEN];

	for (int i = 0; i < BATCH; i++)
		tern_send(st, s[i & 1], text, LEN, 0);
}

static void run_tern(const char *device, const uint8_t host_mac[6], double seconds, bool in_turn)
{
	struct dev_wish w = { .no_offload = false };
	struct dev *d = tap_open(device, true, &w);
	struct tern_addr ours = tern_ip4(10, 0, 0, 5, 0), to = tern_ip4(10, 0, 0, 1, PORT);
	struct tern_neigh host = { .addr = to, .ifindex = 2 };
	struct tern_config cfg;
	struct tern_stack *st;
	struct loop l;
	double begin;
	tern_sock s[2];

	if (!d)
		die(w.error);
	memcpy(d->iface.mac, our_mac, 6);
	memcpy(host.mac, host_mac, 6);
	loop_init(&l);
	tern_config_default(&cfg);
	st = loop_new_stack(&l, &cfg, NULL, NULL);
	if (loop_add(&l, st, d) != 2 || tern_addr_add(st, 2, &ours, 24) ||
	    tern_neigh_add(st, &host))
		die("tern");
	for (int i = 0; i < 2; i++)
		if (tern_socket(st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &s[i]) ||
		    tern_connect(st, s[i], &to))
			die("tern");
	if (!in_turn)
		s[1] = s[0];
	begin = now();
	while (now() - begin < seconds) {
		send_batch(st, s);
		loop_wait(&l, loop_now(), NULL, 0);
		loop_pump(&l);
	}
	loop_fini(&l);
}

/* ---- no stack ---- */

static size_t make_frame(uint8_t *f, const uint8_t host_mac[6])
{
	static const uint8_t ours[4] = { 10, 0, 0, 5 }, host[4] = { 10, 0, 0, 1 };
	struct ip4 ip = { .ttl = 64,
			  .proto = 17,
			  .hdr_len = IP4_HDR_LEN,
			  .total_len = IP4_HDR_LEN + UDP_HDR_LEN + LEN,
			  .src = addr_from4(ours),
			  .dst = addr_from4(host) };
	struct udp udp = { .src_port = 4000, .dst_port = PORT, .len = UDP_HDR_LEN + LEN };
	uint8_t *l4 = f + VNET_LEN + ETH_HDR_LEN + IP4_HDR_LEN;
	uint32_t sum = checksum_pseudo(&ip.src, &ip.dst, 17, udp.len);

	memset(f, 0, VNET_LEN + ETH_HDR_LEN);
	memcpy(f + VNET_LEN, host_mac, 6);
	memcpy(f + VNET_LEN + 6, our_mac, 6);
	put_be16(f + VNET_LEN + 12, ETH_IP4);
	ip4_emit(&ip, f + VNET_LEN + ETH_HDR_LEN);
	memset(l4, 0, UDP_HDR_LEN + LEN);
	udp_emit(&udp, l4);
	udp.checksum = checksum_finish(checksum_add(l4, udp.len, sum));
	udp_emit(&udp, l4);
	return VNET_LEN + ETH_HDR_LEN + IP4_HDR_LEN + UDP_HDR_LEN + LEN;
}

static void run_blast(const char *device, const uint8_t host_mac[6], double seconds)
{
	struct ifreq req = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), vnet_len = VNET_LEN;
	uint8_t frame[200];
	size_t len = make_frame(frame, host_mac);
	double begin;

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", device);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &req) || ioctl(fd, TUNSETVNETHDRSZ, &vnet_len))
		die(device);
	begin = now();
	while (now() - begin < seconds)
		for (int i = 0; i < BATCH; i++)
			if (write(fd, frame, len) < 0 && errno != EAGAIN && errno != EIO)
				die("write");
	close(fd);
}

int main(int argc, char **argv)
{
	uint8_t mac[6];
	double seconds;
	int sink;

	if (argc != 5 || sscanf(argv[3], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2],
				&mac[3], &mac[4], &mac[5]) != 6)
		return 2;
	seconds = atof(argv[4]);
	sink = open_sink();
	if (strncmp(argv[1], "tern", 4) == 0)
		run_tern(argv[2], mac, seconds, strcmp(argv[1], "tern-turns") == 0);
	else
		run_blast(argv[2], mac, seconds);
	printf("%s-udp %.4g\n", argv[1], dropped_by(sink) / seconds / 1000);
	return 0;
}
