/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire_bench.c - tern and the kernel's TCP over the same bad wire: see bench/run-goodput-kernel.
 *
 *	wire_bench wire TAP TAP MBIT_S ONE_WAY_US LOSS_PPM QUEUE_BYTES SEED
 *	wire_bench server                        the far end, until it is killed
 *	wire_bench tern|kernel tx|rx ADDR DEVICE SECONDS
 *
 * The wire makes two TAP devices and carries frames between them with that weather in each
 * direction. The far end takes what comes, or sends for as long as it is connected. A client
 * connects to it, by tern over the device or by the kernel, with CUBIC, and prints the megabits per
 * second that arrived at the end they were sent to.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../host/dev/dev.h"
#include "../host/loop/impair.h"
#include "../host/loop/loop.h"

enum { PORT_TAKES = 5001, PORT_SENDS = 5002, PIECE = 1 << 17 };

static void die(const char *what)
{
	perror(what);
	exit(2);
}

/* ---- the wire ---- */

static struct dev *open_end(const char *name)
{
	struct dev_wish w = { .no_offload = true };
	struct dev *d = tap_open(name, true, &w);

	if (!d) {
		fprintf(stderr, "%s\n", w.error);
		exit(2);
	}
	return d;
}

static bool carry(struct tern_stack *st, struct dev *from, struct dev *to)
{
	struct tern_pkt *p, *next;
	int n = from->ops->read(from, st, 64, &p);

	if (n < 0)
		exit(0); /* the device has gone: it is over */
	for (; n > 0 && p; p = next) {
		next = p->next;
		p->next = NULL;
		to->ops->write(to, st, p);
		tern_pkt_free(st, p);
	}
	return n > 0;
}

static _Noreturn void run_wire(char **arg)
{
	struct tern_weather w[IMPAIR_WAYS] = { { .rate_bps = strtoull(arg[2], NULL, 10) * 1000000,
						 .delay = strtoull(arg[3], NULL, 10) * TERN_US,
						 .loss_ppm = (uint32_t)strtoul(arg[4], NULL, 10),
						 .queue_bytes = strtoull(arg[5], NULL, 10) } };
	struct dev *a = open_end(arg[0]), *b = open_end(arg[1]), *bad;
	struct tern_config cfg;
	struct tern_stack *st;
	struct loop l;

	loop_init(&l);
	tern_config_default(&cfg);
	st = loop_new_stack(&l, &cfg, NULL, NULL);
	w[IMPAIR_IN] = w[IMPAIR_OUT];
	bad = impair_open(a, w, strtoull(arg[6], NULL, 10));
	if (!st || !bad)
		die("wire");
	puts("ready");
	fflush(stdout);
	for (;;) {
		struct pollfd fd[2] = { { bad->fd, POLLIN, 0 }, { b->fd, POLLIN, 0 } };
		tern_time due, now = loop_now();
		bool there, back;
		struct timespec wait;

		tern_advance(st, now);
		bad->ops->advance(bad, st, now);
		there = carry(st, bad, b);
		back = carry(st, b, bad);
		if (there || back)
			continue;
		due = bad->ops->advance(bad, st, now); /* what was read just now, too */
		due = due > now ? due - now : 0;
		wait = (struct timespec){ due >= TERN_SEC, (long)(due >= TERN_SEC ? 0 : due) };
		ppoll(fd, 2, &wait, NULL);
	}
}

/* ---- the kernel's sockets ---- */

static int new_kernel_socket(void)
{
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (s < 0 || setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5))
		die("a socket with CUBIC");
	return s;
}

/* ---- the far end ---- */

static int listen_at(uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	int s = new_kernel_socket(), on = 1;

	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(s, (struct sockaddr *)&at, sizeof(at)) || listen(s, 8))
		die("the far end");
	return s;
}

static void serve(int s, bool sends)
{
	static char bytes[PIECE];

	prctl(PR_SET_PDEATHSIG, SIGKILL); /* its peer may be gone without a word */
	if (sends)
		while (send(s, bytes, sizeof(bytes), MSG_NOSIGNAL) > 0)
			continue;
	else
		while (recv(s, bytes, sizeof(bytes), MSG_TRUNC) > 0)
			continue;
	_exit(0);
}

static _Noreturn void run_server(void)
{
	struct pollfd at[2] = { { listen_at(PORT_TAKES), POLLIN, 0 },
				{ listen_at(PORT_SENDS), POLLIN, 0 } };

	signal(SIGCHLD, SIG_IGN);
	puts("ready");
	fflush(stdout);
	for (;;) {
		poll(at, 2, -1);
		for (int i = 0; i < 2; i++) {
			int s = at[i].revents ? accept4(at[i].fd, NULL, NULL, SOCK_CLOEXEC) : -1;

			if (s >= 0 && fork() == 0)
				serve(s, i == 1);
			if (s >= 0)
				close(s);
		}
	}
}

/* ---- clients ---- */

static double seconds_since(tern_time begin)
{
	return (double)(loop_now() - begin) / 1e9;
}

static double run_kernel(bool tx, const char *addr, double seconds)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(tx ? PORT_TAKES : PORT_SENDS) };
	struct timeval patience = { 0, 50000 };
	int s = new_kernel_socket(), left = 0;
	static char bytes[PIECE];
	uint64_t moved = 0;
	tern_time begin = loop_now();

	inet_pton(AF_INET, addr, &to.sin_addr);
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	while (connect(s, (struct sockaddr *)&to, sizeof(to)) && seconds_since(begin) < seconds)
		continue;
	while (seconds_since(begin) < seconds) {
		ssize_t n = tx ? send(s, bytes, sizeof(bytes), MSG_NOSIGNAL) :
				 recv(s, bytes, sizeof(bytes), MSG_TRUNC);

		moved += n > 0 ? (uint64_t)n : 0;
	}
	if (tx)
		ioctl(s, SIOCOUTQ, &left);
	close(s);
	return (double)(moved - (uint64_t)left) * 8e-6 / seconds;
}

static tern_sock connect_tern(struct tern_stack *st, bool tx, const char *addr)
{
	struct tern_addr ours = tern_ip4(10, 9, 0, 5, 0), to;
	tern_sock s = 0;

	if (tern_addr_add(st, 2, &ours, 24) ||
	    tern_addr_parse(addr, tx ? PORT_TAKES : PORT_SENDS, &to) ||
	    tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s) ||
	    tern_connect(st, s, &to) != -TERN_EINPROGRESS)
		die("tern");
	return s;
}

static uint64_t move_tern(struct tern_stack *st, tern_sock s, bool tx)
{
	static char bytes[PIECE];
	uint64_t moved = 0;
	int64_t n;

	while ((n = tx ? tern_send(st, s, bytes, sizeof(bytes), 0) :
			 tern_recv(st, s, bytes, sizeof(bytes), 0)) > 0)
		moved += (uint64_t)n;
	return moved;
}

static double run_tern(bool tx, const char *addr, const char *device, double seconds)
{
	struct dev_wish w = { .no_offload = true };
	struct dev *d = packet_open(device, &w);
	struct tern_event ev;
	struct tern_stack *st;
	struct tern_config cfg;
	struct loop l;
	uint64_t moved = 0;
	int32_t left = 0;
	size_t len = sizeof(left);
	tern_time begin = loop_now();
	tern_sock s;

	if (!d) {
		fprintf(stderr, "%s\n", w.error);
		exit(2);
	}
	loop_init(&l);
	tern_config_default(&cfg);
	st = loop_new_stack(&l, &cfg, NULL, NULL);
	if (!st || loop_add(&l, st, d) != 2)
		die("tern");
	s = connect_tern(st, tx, addr);
	while (seconds_since(begin) < seconds) {
		loop_wait(&l, loop_now() + 10 * TERN_MS, NULL, 0);
		loop_pump(&l);
		while (tern_event(st, &ev))
			continue;
		moved += move_tern(st, s, tx);
	}
	if (tx)
		tern_getsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_SIOCOUTQ, &left, &len);
	loop_fini(&l);
	return (double)(moved - (uint64_t)left) * 8e-6 / seconds;
}

int main(int argc, char **argv)
{
	bool client = argc == 6 && (strcmp(argv[1], "tern") == 0 || strcmp(argv[1], "kernel") == 0);

	if (argc == 9 && strcmp(argv[1], "wire") == 0)
		run_wire(argv + 2);
	if (argc == 2 && strcmp(argv[1], "server") == 0)
		run_server();
	if (client) {
		bool tx = strcmp(argv[2], "tx") == 0, tern = strcmp(argv[1], "tern") == 0;
		double seconds = atof(argv[5]);

		printf("%.4f\n", tern ? run_tern(tx, argv[3], argv[4], seconds) :
					run_kernel(tx, argv[3], seconds));
		return 0;
	}
	fprintf(stderr, "usage: wire_bench wire|server|tern|kernel ...; see bench/wire_bench.c\n");
	return 2;
}
