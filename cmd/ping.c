/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ping.c - tern ping: echo requests over tern's own stack, on an echo socket.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "net.h"

enum { SIZE_MAX_BYTES = 65507, HDR_LEN = 8, LINGER_S = 2 };

struct ping {
	struct net_options net;
	uint64_t count, size;
	uint64_t interval; /* ns */
	const char *host;

	struct tern_addr to;
	tern_sock s;
	uint32_t sent, received, again; /* again: of requests that were answered already */
	tern_time sent_at[65536];	/* 0: never, or it is answered */
	tern_time least, most, sum;
	double sum_of_squares; /* ms */
	int error;	       /* that a send reported last */
};

static void print_help(void)
{
	printf("usage: tern ping [OPTIONS] HOST\n\n"
	       "Sends echo requests and prints the answers.\n\n"
	       "  -c N              how many (default: until interrupted; with sim 4)\n"
	       "  -i T              one each T, such as 200ms (default 1s)\n"
	       "  -s N              bytes of each (default 56)\n");
	net_print_help();
	printf("\nExit: 0 at least one was answered, 1 none was, 2 usage or no such device.\n");
}

static enum taken take_option(struct args *a, void *ctx)
{
	struct ping *p = ctx;

	if (args_is(a, "-c"))
		return args_taken(args_count(a, UINT32_MAX, &p->count));
	if (args_is(a, "-i"))
		return args_taken(args_time(a, &p->interval));
	if (args_is(a, "-s"))
		return args_taken(args_count(a, SIZE_MAX_BYTES, &p->size));
	return net_take_option(a, &p->net);
}

static int read_options(struct ping *p, struct args *a)
{
	int code = args_read(a, print_help, take_option, p);

	if (code >= 0)
		return code;
	if (a->n_words != 1)
		return args_error(a, "one host is needed");
	p->host = a->word[0];
	if (p->interval < TERN_MS)
		return args_error(a, "-i: at least 1ms");
	return -1;
}

static void put16(uint8_t *b, uint32_t v)
{
	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}

static void send_request(struct ping *p, struct net *n)
{
	static uint8_t msg[HDR_LEN + SIZE_MAX_BYTES];
	int64_t got;

	memset(msg, 0, HDR_LEN);
	msg[0] = p->to.family == TERN_AF_INET ? 8 : 128;
	p->sent++;
	put16(msg + 6, p->sent);
	for (uint64_t i = 0; i < p->size; i++)
		msg[HDR_LEN + i] = (uint8_t)i;
	p->sent_at[p->sent & 0xffff] = loop_now();
	got = tern_send(n->st, p->s, msg, HDR_LEN + p->size, 0);
	if (got < 0 && got != -TERN_EAGAIN) {
		p->error = (int)-got;
		fprintf(stderr, "%s: icmp_seq=%u: %s\n", n->command, p->sent, strerror(p->error));
	}
}

static void note_reply(struct ping *p, const uint8_t *msg, int64_t len, int ttl)
{
	char from[TERN_ADDR_TEXT_MAX];
	uint32_t seq = (uint32_t)msg[6] << 8 | msg[7];
	tern_time took = loop_now() - p->sent_at[seq];

	if (!p->sent_at[seq]) {
		p->again++;
		return;
	}
	p->sent_at[seq] = 0;
	p->received++;
	p->least = p->received == 1 || took < p->least ? took : p->least;
	p->most = took > p->most ? took : p->most;
	p->sum += took;
	p->sum_of_squares += (double)took / 1e6 * ((double)took / 1e6);
	printf("%" PRId64 " bytes from %s: icmp_seq=%u ttl=%d time=%.3f ms\n", len,
	       tern_addr_format(&p->to, false, from), seq, ttl, (double)took / 1e6);
}

static void read_replies(struct ping *p, struct net *n)
{
	static uint8_t msg[HDR_LEN + SIZE_MAX_BYTES];
	struct tern_iovec iov = { msg, sizeof(msg) };
	struct tern_msg m;
	int64_t len;

	for (;;) {
		tern_msg_init(&m, &iov, 1);
		len = tern_recvmsg(n->st, p->s, &m, 0);
		if (len == -TERN_EAGAIN || len == -TERN_EBADF)
			return;
		if (len < 0)
			fprintf(stderr, "%s: %s\n", n->command, strerror((int)-len));
		else if (len >= HDR_LEN)
			note_reply(p, msg, len, m.ttl);
	}
}

static void print_summary(const struct ping *p)
{
	double n = p->received, mean;

	printf("--- %s ---\n%u sent, %u received, %u%% lost", p->host, p->sent, p->received,
	       p->sent ? (unsigned)((uint64_t)(p->sent - p->received) * 100 / p->sent) : 0);
	if (p->again)
		printf(", %u answers nobody waited for", p->again);
	putchar('\n');
	if (p->received == 0)
		return;
	mean = (double)p->sum / 1e6 / n;
	printf("round trip min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n", (double)p->least / 1e6,
	       mean, (double)p->most / 1e6, sqrt(fabs(p->sum_of_squares / n - mean * mean)));
}

/* Everything so far: false when nobody reads it any more. */
static bool is_printed(void)
{
	return fflush(stdout) == 0 && !ferror(stdout);
}

static int run(struct ping *p, struct net *n)
{
	char to[TERN_ADDR_TEXT_MAX];
	struct tern_event ev;
	tern_time next = 0, end = TERN_NEVER;
	int err = net_parse_host(n, p->host, 0, &p->to);

	if (err != EXIT_DONE)
		return err;
	err = tern_socket(n->st, p->to.family, TERN_SOCK_DGRAM,
			  p->to.family == TERN_AF_INET ? TERN_IPPROTO_ICMP : TERN_IPPROTO_ICMPV6,
			  &p->s);
	if (!err)
		err = tern_connect(n->st, p->s, &p->to);
	if (err) {
		fprintf(stderr, "%s: %s: %s\n", n->command, p->host, strerror(-err));
		return EXIT_NO;
	}
	printf("%s from %s: %" PRIu64 " bytes\n", "ping", tern_addr_format(&p->to, false, to),
	       p->size);
	while (p->received < p->count && loop_now() < end) {
		if (net_interrupted() || !is_printed())
			break;
		if (loop_now() >= next && p->sent < p->count) {
			send_request(p, n);
			next = loop_now() + p->interval;
			if (p->sent == p->count)
				end = loop_now() + LINGER_S * TERN_SEC;
		}
		net_turn(n, p->sent < p->count ? next : end, NULL, 0);
		while (tern_event(n->st, &ev))
			continue;
		read_replies(p, n);
	}
	print_summary(p);
	if (!is_printed()) {
		fprintf(stderr, "%s: standard output: it cannot be written\n", n->command);
		return EXIT_USAGE;
	}
	return p->received ? EXIT_DONE : EXIT_NO;
}

int cmd_ping(int argc, char **argv)
{
	static struct ping p;
	struct args a = args_of("tern ping", argc, argv);
	struct net n;
	int code;

	p = (struct ping){ .count = UINT32_MAX, .size = 56, .interval = TERN_SEC };
	code = read_options(&p, &a);
	if (code >= 0)
		return code;
	code = net_open(&n, &p.net, &a);
	if (code != EXIT_DONE)
		return code;
	if (n.peer && p.count == UINT32_MAX)
		p.count = 4;
	code = run(&p, &n);
	return net_close(&n, code);
}
