/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tap_bench.c - a TCP stream over TAP to and from the kernel: tern, and no stack at all.
 *
 *	tap_bench WHO WAY FRAMES DEVICE MAC SECONDS [FRAMES_PER_ACK]
 *	tap_bench echo                           the kernel's end of a ping-pong, until it is killed
 *	tap_bench tern-rr|kernel-rr ADDR DEVICE SECONDS
 *
 * WHO is tern or blast, WAY is tx or rx, FRAMES is tso or plain; MAC is the host's address on the
 * device, which bench/run-tap has set up. The blaster replays one hand-made connection: a
 * handshake, then frames made beforehand whose numbers alone change; inwards it reads and
 * acknowledges each frame, or as many at once as it is told. Prints the name, Gbit/s of wall time
 * and the frames that came for each ACK. A ping-pong is one byte there and back to an echo of the
 * kernel's at ADDR, by tern over the device or by the kernel's own TCP; it prints the median in
 * microseconds.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/wire/wire.h"
#include "../host/dev/dev.h"
#include "../host/loop/loop.h"
#include "../host/simd/simd.h"

enum { PORT = 5001, MSS = 1460, SUPER = 44 * MSS, PIECE = 1 << 18 };

static bool tx, tso;
static const char *device;
static uint8_t host_mac[6], our_mac[6] = { 2, 0, 0, 0, 0, 5 };
static double seconds;
static double frames_per_ack = 1; /* of what comes: measured of tern, told to the blaster */

static double now(void)
{
	return (double)loop_now() / 1e9;
}

static void die(const char *what)
{
	perror(what);
	exit(2);
}

/* ---- the kernel's end ---- */

static void serve_kernel(int listener)
{
	static char bytes[PIECE];
	int s = accept(listener, NULL, NULL);

	if (tx)
		while (recv(s, bytes, sizeof(bytes), MSG_TRUNC) > 0)
			continue;
	else
		while (send(s, bytes, sizeof(bytes), MSG_NOSIGNAL) > 0)
			continue;
	_exit(0);
}

static int listen_here(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(s, (struct sockaddr *)&at, sizeof(at)) || listen(s, 1))
		die("kernel's end");
	return s;
}

static pid_t start_kernel(void)
{
	int s = listen_here();
	pid_t child = fork();

	if (child == 0)
		serve_kernel(s);
	close(s);
	return child;
}

/* ---- tern ---- */

struct tern_end {
	struct loop l;
	struct tern_stack *st;
	tern_sock s;
};

/* A stack over the device, connecting to the port at addr; buffer: its size, 0: the usual one. */
static void open_tern(struct tern_end *t, const char *addr, bool offload, uint32_t buffer)
{
	struct dev_wish w = { .no_offload = !offload };
	struct dev *d = tap_open(device, true, &w);
	struct tern_addr ours = tern_ip4(10, 0, 0, 5, 0), to;
	struct tern_config cfg;

	if (!d) {
		fprintf(stderr, "%s\n", w.error);
		exit(2);
	}
	memcpy(d->iface.mac, our_mac, 6);
	loop_init(&t->l);
	tern_config_default(&cfg);
	if (buffer)
		cfg.tcp_rcvbuf_default = cfg.tcp_sndbuf_default = buffer;
	t->st = loop_new_stack(&t->l, &cfg, NULL, NULL);
	if (loop_add(&t->l, t->st, d) != 2 || tern_addr_add(t->st, 2, &ours, 24) ||
	    tern_addr_parse(addr, PORT, &to) ||
	    tern_socket(t->st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &t->s) ||
	    tern_connect(t->st, t->s, &to) != -TERN_EINPROGRESS)
		die("tern");
}

static uint64_t turn_tern(struct tern_stack *st, tern_sock s)
{
	struct tern_span span[6];
	uint64_t moved = 0;
	int n;

	while ((n = tx ? tern_send_space(st, s, span, 6) : tern_recv_data(st, s, span, 6)) > 0) {
		size_t len = 0;

		for (int i = 0; i < n; i++)
			len += span[i].len;
		if (tx ? tern_send_commit(st, s, len, 0) : tern_recv_consume(st, s, len))
			break;
		moved += len;
	}
	return moved;
}

static double run_tern(void)
{
	static struct tern_end t;
	struct tern_event ev;
	uint64_t moved = 0;
	double begin;

	open_tern(&t, "10.0.0.1", tso, 4 << 20);
	begin = now();
	while (now() - begin < seconds) {
		loop_wait(&t.l, loop_now() + TERN_MS, NULL, 0);
		loop_pump(&t.l);
		while (tern_event(t.st, &ev))
			continue;
		if (tern_poll(t.st, t.s) & TERN_POLLOUT || !tx)
			moved += turn_tern(t.st, t.s);
	}
	frames_per_ack =
		(double)tern_counter(t.st, "TcpInSegs") / (double)tern_counter(t.st, "TcpOutSegs");
	loop_fini(&t.l);
	return (double)moved * 8 / 1e9 / seconds;
}

/* ---- no stack ---- */

enum { HEADERS = 14 + 20 + 20 };

struct blast {
	int fd;
	uint32_t nxt, una, rcv_nxt;
	uint64_t wnd;
	uint16_t port; /* the last blaster's connection may not be over */
	uint8_t wscale;
	uint64_t moved;
	uint8_t in[70000];
};

static int open_tap(void)
{
	struct ifreq req = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK), len = 10;

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", device);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &req) || ioctl(fd, TUNSETVNETHDRSZ, &len) ||
	    ioctl(fd, TUNSETOFFLOAD, tso ? TUN_F_CSUM | TUN_F_TSO4 : 0))
		die(device);
	return fd;
}

/* Headers of a segment of len bytes with its checksum complete, but for the payload's sum. */
static uint32_t make_headers(const struct blast *b, uint8_t *p, uint16_t flags, uint32_t len)
{
	static const uint8_t ours[4] = { 10, 0, 0, 5 }, host[4] = { 10, 0, 0, 1 };
	struct tcp_hdr h = { .src_port = b->port,
			     .dst_port = PORT,
			     .seq = b->nxt,
			     .ack = b->rcv_nxt,
			     .flags = flags,
			     .wnd = 65535 };
	struct ip4 ip = { .ttl = 64,
			  .proto = 6,
			  .df = true,
			  .hdr_len = 20,
			  .src = addr_from4(ours),
			  .dst = addr_from4(host) };
	struct eth eth = { .type = ETH_IP4 };
	uint32_t tcp_len, sum;

	if (flags & TCP_SYN) {
		h.has_mss = h.has_wscale = true;
		h.mss = MSS;
		h.wscale = 10;
	}
	memcpy(eth.dst, host_mac, 6);
	memcpy(eth.src, our_mac, 6);
	tcp_len = (uint32_t)tcp_emit(&h, p + 34) + len;
	ip.total_len = (uint16_t)(20 + tcp_len);
	eth_emit(&eth, p);
	ip4_emit(&ip, p + 14);
	sum = checksum_pseudo(&ip.src, &ip.dst, 6, tcp_len);
	return sum;
}

static void put_frame(struct blast *b, uint16_t flags, const uint8_t *text, uint32_t len,
		      uint32_t text_sum)
{
	uint8_t head[128];
	uint32_t sum = make_headers(b, head, flags, len), head_len = HEADERS;
	struct virtio_net_hdr vnet = { .flags = 0 };
	struct iovec iov[3] = { { &vnet, 10 },
				{ head, HEADERS },
				{ (void *)(uintptr_t)text, len } };

	if (flags & TCP_SYN)
		head_len += (uint32_t)(head[46] >> 4) * 4 - 20;
	iov[1].iov_len = head_len;
	if (tso && len) {
		vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		vnet.csum_start = 34;
		vnet.csum_offset = 16;
		if (len > MSS) {
			vnet.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
			vnet.gso_size = MSS;
			vnet.hdr_len = (uint16_t)head_len;
		}
		put_be16(head + 50, (uint16_t)~checksum_finish(sum));
	} else {
		sum += checksum_header(head + 34, head_len - 34) + text_sum;
		put_be16(head + 50, checksum_finish(sum));
	}
	while (writev(b->fd, iov, 3) < 0)
		poll(&(struct pollfd){ b->fd, POLLOUT, 0 }, 1, 10);
	b->nxt += len + (flags & TCP_SYN ? 1 : 0);
}

/* One frame that came, if it is of our connection: its text is counted. 0: none waits. */
static int take_frame(struct blast *b, bool *text)
{
	ssize_t n = read(b->fd, b->in, sizeof(b->in));
	const uint8_t *ip = b->in + 10 + 14;
	struct tcp_hdr h;
	uint32_t len;

	*text = false;
	if (n <= 0)
		return 0;
	if (n < 10 + HEADERS || get_be16(b->in + 22) != ETH_IP4 || ip[9] != 6 ||
	    !tcp_parse(&h, ip + 20, (size_t)n - 44))
		return 1;
	len = (uint32_t)n - 44 - h.hdr_len;
	if (h.flags & TCP_SYN) {
		b->rcv_nxt = h.seq + 1;
		b->wscale = h.has_wscale ? h.wscale : 0;
	}
	b->una = h.ack;
	b->wnd = (uint64_t)h.wnd << (h.flags & TCP_SYN ? 0 : b->wscale);
	if (len && h.seq == b->rcv_nxt) {
		b->rcv_nxt += len;
		b->moved += len;
	}
	*text = len > 0;
	return 1;
}

static double run_blast(void)
{
	static uint8_t payload[SUPER];
	static struct blast b;
	uint32_t len = tso ? SUPER : MSS, text_sum;
	unsigned unacked = 0;
	double begin;
	bool text;

	for (unsigned i = 0; i < SUPER; i++)
		payload[i] = (uint8_t)i;
	text_sum = checksum_add(payload, len, 0);
	text_sum = (text_sum & 0xffff) + (text_sum >> 16);
	b.fd = open_tap();
	b.port = (uint16_t)(32768 + getpid() % 16384);
	for (int i = 0; b.rcv_nxt == 0 && i < 30;
	     i++) { /* a host just attached to drops its answers */
		b.nxt = 1000;
		put_frame(&b, TCP_SYN, NULL, 0, 0);
		begin = now();
		while (b.rcv_nxt == 0 && now() - begin < 0.1)
			take_frame(&b, &text);
	}
	put_frame(&b, TCP_ACK, NULL, 0, 0);
	begin = now();
	while (now() - begin < seconds) {
		if (tx && b.nxt - b.una + len <= b.wnd) {
			put_frame(&b, TCP_ACK, payload, len, text_sum);
			b.moved += len;
		}
		if (!take_frame(&b, &text)) {
			if (unacked) /* nobody waits for the rest of them */
				put_frame(&b, TCP_ACK, NULL, 0, 0);
			unacked = 0;
			if (!tx || b.nxt - b.una + len > b.wnd)
				poll(&(struct pollfd){ b.fd, POLLIN, 0 }, 1, 1);
		} else if (text && ++unacked >= frames_per_ack) {
			put_frame(&b, TCP_ACK, NULL, 0, 0);
			unacked = 0;
		}
	}
	close(b.fd);
	return (double)b.moved * 8 / 1e9 / seconds;
}

/* ---- ping-pong ---- */

enum { SAMPLES_MAX = 1000000 };

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void serve_echo(void)
{
	int l = listen_here(), on = 1, s;
	char byte;

	while ((s = accept(l, NULL, NULL)) >= 0) {
		setsockopt(s, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof(on));
		while (recv(s, &byte, 1, 0) == 1)
			send(s, &byte, 1, MSG_NOSIGNAL);
		close(s);
	}
}

static bool kernel_round(int s)
{
	char byte = 'x';

	return send(s, &byte, 1, MSG_NOSIGNAL) == 1 && recv(s, &byte, 1, 0) == 1;
}

static bool tern_round(struct tern_end *t)
{
	struct tern_event ev;
	char byte = 'x';

	if (tern_send(t->st, t->s, &byte, 1, 0) != 1)
		return false;
	do {
		loop_wait(&t->l, loop_now() + TERN_SEC, NULL, 0);
		loop_pump(&t->l);
		while (tern_event(t->st, &ev))
			continue;
	} while (tern_recv(t->st, t->s, &byte, 1, 0) == -TERN_EAGAIN);
	return true;
}

static int open_kernel(const char *addr)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	struct tern_addr a;
	int s = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (tern_addr_parse(addr, 0, &a))
		die(addr);
	memcpy(&to.sin_addr, a.ip, 4);
	setsockopt(s, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof(on));
	if (connect(s, (struct sockaddr *)&to, sizeof(to)))
		die("connect");
	return s;
}

static int ping_pong(const char *who, const char *addr)
{
	static double sample[SAMPLES_MAX];
	static struct tern_end t;
	bool tern = strcmp(who, "tern-rr") == 0;
	int s = tern ? -1 : open_kernel(addr);
	unsigned n = 0;
	double begin;

	if (tern)
		open_tern(&t, addr, true, 0);
	while (tern && !(tern_poll(t.st, t.s) & TERN_POLLOUT)) {
		loop_wait(&t.l, loop_now() + TERN_SEC, NULL, 0);
		loop_pump(&t.l);
	}
	begin = now();
	while (now() - begin < seconds && n < SAMPLES_MAX) {
		double at = now();

		if (!(tern ? tern_round(&t) : kernel_round(s)))
			die("ping-pong");
		sample[n++] = (now() - at) * 1e6;
	}
	if (tern) { /* the echo serves one after the other */
		tern_abort(t.st, t.s);
		loop_wait(&t.l, loop_now(), NULL, 0);
		loop_fini(&t.l);
	}
	qsort(sample, n, sizeof(sample[0]), compare);
	printf("%s %.4g\n", who, sample[n / 2]);
	return 0;
}

int main(int argc, char **argv)
{
	bool tern;
	double rate;
	pid_t child;

	if (argc == 2 && strcmp(argv[1], "echo") == 0) {
		serve_echo();
		return 0;
	}
	if (argc == 5) {
		device = argv[3];
		seconds = atof(argv[4]);
		return ping_pong(argv[1], argv[2]);
	}
	if (argc == 8)
		frames_per_ack = atof(argv[--argc]);
	if (argc != 7 ||
	    sscanf(argv[5], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &host_mac[0], &host_mac[1],
		   &host_mac[2], &host_mac[3], &host_mac[4], &host_mac[5]) != 6)
		return 2;
	tern = strcmp(argv[1], "tern") == 0;
	tx = strcmp(argv[2], "tx") == 0;
	tso = strcmp(argv[3], "tso") == 0;
	device = argv[4];
	seconds = atof(argv[6]);
	child = start_kernel();
	rate = tern ? run_tern() : run_blast();
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	printf("%s-%s-%s %.4g %.1f\n", argv[1], argv[2], argv[3], rate, frames_per_ack);
	return 0;
}
