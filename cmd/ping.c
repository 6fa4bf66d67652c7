/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ping.c - tern ping: echo requests over tern's own stack, on an echo socket, whose error queue
 * tells what routers, and this host, say of them.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../view/json.h"
#include "cmd.h"
#include "net.h"
#include "trace.h"

enum { SIZE_MAX_BYTES = 65507, HDR_LEN = 8, QUOTED_MAX = 576 };
/* This host, or a router, says after three seconds that nobody has the next address. */
enum { LINGER_S = 2, LINGER_FOR_WORD_S = 4 };

struct ping {
	struct net_options net;
	uint64_t count, size;
	uint64_t interval; /* ns */
	const char *host;
	bool is_json;
	struct json json;

	struct tern_addr to, us;
	tern_sock s;
	uint32_t sent, received, again; /* again: of requests that were answered already */
	uint32_t errors;		/* messages of ICMP */
	tern_time sent_at[65536];	/* 0: never, or it is answered */
	tern_time least, most, sum;
	double sum_of_squares; /* ms */
};

static void print_help(void)
{
	printf("usage: tern ping [OPTIONS] HOST\n\n"
	       "Sends echo requests and prints the answers.\n\n"
	       "  -c N              how many (default: until interrupted; with sim 4)\n"
	       "  -i T              one each T, such as 200ms (default 1s)\n"
	       "  -s N              bytes of each (default 56)\n"
	       "  -4, -6            the host's IPv4 or IPv6 address\n"
	       "  --json            one object: each answer as it comes, the sums at the end\n");
	net_print_help("sim");
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
	if (args_is(a, "--json"))
		return args_taken(p->is_json = true);
	if (names_take_family(a, &p->net) == TAKEN)
		return TAKEN;
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
	if (p->count == 0)
		return args_error(a, "-c: at least 1");
	if (p->interval < TERN_MS)
		return args_error(a, "-i: at least 1ms");
	return -1;
}

/* ---- what is printed ---- */

static void print_begin(struct ping *p, struct net *n)
{
	char to[NET_ADDR_TEXT_MAX];

	net_format_addr(n, &p->to, to);
	if (!p->is_json) {
		printf("PING %s (%s): %" PRIu64 " data bytes\n", p->host, to, p->size);
		return;
	}
	putchar('{');
	json_string(&p->json, "host", p->host);
	json_string(&p->json, "address", to);
	json_number(&p->json, "size", p->size);
	json_list(&p->json, "answers");
}

/* One answer. */
struct reply {
	char from[NET_ADDR_TEXT_MAX];
	uint32_t seq;
	int64_t len;
	int ttl;
	tern_time took;
};

static void print_reply(struct ping *p, const struct reply *r)
{
	if (!p->is_json) {
		printf("%" PRId64 " bytes from %s: icmp_seq=%u ttl=%d time=%.3f ms\n", r->len,
		       r->from, r->seq, r->ttl, (double)r->took / 1e6);
		return;
	}
	json_open(&p->json, NULL, '{');
	json_number(&p->json, "seq", r->seq);
	json_string(&p->json, "from", r->from);
	json_signed(&p->json, "bytes", r->len);
	json_signed(&p->json, "ttl", r->ttl);
	json_ms(&p->json, "ms", r->took);
	json_close(&p->json, '}');
}

/* The words of Linux's ping about RFC 792 and RFC 4443. */
static const char *words_of(const struct tern_msg *m)
{
	static const char *const four[] = { "Destination Net Unreachable",
					    "Destination Host Unreachable",
					    "Destination Protocol Unreachable",
					    "Destination Port Unreachable",
					    "Frag needed and DF set",
					    [7] = "Destination Host Unreachable",
					    [9] = "Destination Net Prohibited",
					    [10] = "Destination Host Prohibited",
					    [13] = "Packet filtered" };
	static const char *const six[] = {
		"Destination unreachable: No route",
		"Destination unreachable: Administratively prohibited",
		"Destination unreachable: Beyond scope of source address",
		"Destination unreachable: Address unreachable",
		"Destination unreachable: Port unreachable",
	};
	bool v6 = m->origin == 3;

	if (m->error == TERN_EMSGSIZE)
		return v6 ? "Packet too big" : four[4];
	if (m->type == (v6 ? 3 : 11))
		return v6 ? "Time exceeded: Hop limit" : "Time to live exceeded";
	if (v6 && m->type == 1 && m->code < sizeof(six) / sizeof(six[0]))
		return six[m->code];
	if (!v6 && m->type == 3 && m->code < sizeof(four) / sizeof(four[0]) && four[m->code])
		return four[m->code];
	return strerror(m->error);
}

static void print_error(struct ping *p, const char *from, uint32_t seq, const struct tern_msg *m)
{
	if (!p->is_json) {
		printf("From %s: icmp_seq=%u %s", from, seq, words_of(m));
		if (m->error == TERN_EMSGSIZE)
			printf(" (mtu = %" PRIu32 ")", m->info);
		putchar('\n');
		return;
	}
	json_open(&p->json, NULL, '{');
	json_number(&p->json, "seq", seq);
	json_string(&p->json, "from", from);
	json_string(&p->json, "error", words_of(m));
	if (m->error == TERN_EMSGSIZE)
		json_number(&p->json, "mtu", m->info);
	json_close(&p->json, '}');
}

static void print_json_end(struct ping *p, unsigned lost, double mean, double deviation)
{
	json_close(&p->json, ']');
	json_number(&p->json, "sent", p->sent);
	json_number(&p->json, "received", p->received);
	json_number(&p->json, "lost_percent", lost);
	json_number(&p->json, "errors", p->errors);
	json_number(&p->json, "duplicates", p->again);
	if (p->received > 0) {
		json_ms(&p->json, "min_ms", p->least);
		json_ms(&p->json, "avg_ms", (uint64_t)(mean * 1e6));
		json_ms(&p->json, "max_ms", p->most);
		json_ms(&p->json, "mdev_ms", (uint64_t)(deviation * 1e6));
	}
	printf("}\n");
}

static void print_summary(struct ping *p)
{
	double n = p->received, mean = n > 0 ? (double)p->sum / 1e6 / n : 0;
	double deviation = n > 0 ? sqrt(fabs(p->sum_of_squares / n - mean * mean)) : 0;
	unsigned lost = p->sent ? (unsigned)((uint64_t)(p->sent - p->received) * 100 / p->sent) : 0;

	if (p->is_json) {
		print_json_end(p, lost, mean, deviation);
		return;
	}
	printf("--- %s ---\n%u sent, %u received, %u%% lost", p->host, p->sent, p->received, lost);
	if (p->errors)
		printf(", %u errors", p->errors);
	if (p->again)
		printf(", %u answers nobody waited for", p->again);
	putchar('\n');
	if (p->received > 0)
		printf("round trip min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n",
		       (double)p->least / 1e6, mean, (double)p->most / 1e6, deviation);
}

/* ---- asking and hearing ---- */

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
	if (got < 0 && got != -TERN_EAGAIN)
		fprintf(stderr, "%s: icmp_seq=%u: %s\n", n->command, p->sent, strerror((int)-got));
}

static void note_reply(struct ping *p, struct reply *r)
{
	double ms;

	if (!p->sent_at[r->seq]) {
		p->again++;
		return;
	}
	r->took = loop_now() - p->sent_at[r->seq];
	ms = (double)r->took / 1e6;
	print_reply(p, r);
	p->sent_at[r->seq] = 0;
	p->received++;
	p->least = p->received == 1 || r->took < p->least ? r->took : p->least;
	p->most = r->took > p->most ? r->took : p->most;
	p->sum += r->took;
	p->sum_of_squares += ms * ms;
}

static void read_replies(struct ping *p, struct net *n)
{
	static uint8_t msg[HDR_LEN + SIZE_MAX_BYTES];
	struct tern_iovec iov = { msg, sizeof(msg) };
	struct tern_msg m;
	struct reply r;

	for (;;) {
		tern_msg_init(&m, &iov, 1);
		r.len = tern_recvmsg(n->st, p->s, &m, 0);
		if (r.len == -TERN_EAGAIN || r.len == -TERN_EBADF)
			return;
		if (r.len < HDR_LEN) /* an error is on its queue, too */
			continue;
		net_format_addr(n, &m.addr, r.from);
		r.seq = (uint32_t)msg[6] << 8 | msg[7];
		r.ttl = m.ttl;
		note_reply(p, &r);
	}
}

/* What routers say of requests, and this host, when nobody has the next address. */
static void read_errors(struct ping *p, struct net *n)
{
	uint8_t quoted[QUOTED_MAX];
	struct tern_iovec iov = { quoted, sizeof(quoted) };
	char from[NET_ADDR_TEXT_MAX];
	struct tern_msg m;

	for (;;) {
		int64_t len;

		tern_msg_init(&m, &iov, 1);
		len = tern_recvmsg(n->st, p->s, &m, TERN_MSG_ERRQUEUE);
		if (len < 0)
			return;
		if (len < HDR_LEN)
			continue;
		if (net_is_nobody(&m.offender))
			m.offender = p->us;
		p->errors++;
		print_error(p, net_format_addr(n, &m.offender, from),
			    (uint32_t)quoted[6] << 8 | quoted[7], &m);
	}
}

/* Everything so far: false when nobody reads it any more. */
static bool is_printed(void)
{
	return fflush(stdout) == 0 && !ferror(stdout);
}

/* An exit code; not EXIT_DONE after a line of error. */
static int open_socket(struct ping *p, struct net *n)
{
	static const int32_t one = 1;
	uint32_t mtu;
	bool v6;
	int err = net_parse_host(n, p->host, 0, &p->to);

	if (err != EXIT_DONE)
		return err;
	v6 = p->to.family == TERN_AF_INET6;
	err = tern_socket(n->st, p->to.family, TERN_SOCK_DGRAM,
			  v6 ? TERN_IPPROTO_ICMPV6 : TERN_IPPROTO_ICMP, &p->s);
	if (!err)
		err = tern_setsockopt(n->st, p->s, v6 ? TERN_IPPROTO_IPV6 : TERN_IPPROTO_IP,
				      v6 ? TERN_IPV6_RECVERR : TERN_IP_RECVERR, &one, sizeof(one));
	if (!err)
		err = tern_connect(n->st, p->s, &p->to);
	if (!err)
		err = trace_look_at_way(n->st, p->to, &p->us, &mtu);
	return net_refuse_host(n, p->host, err);
}

/* When no answer is waited for any more: later where nobody has said a word so far. */
static tern_time end_of_waiting(const struct ping *p, tern_time last)
{
	bool silent = !p->received && !p->errors;

	if (p->sent < p->count)
		return TERN_NEVER;
	return last + (silent ? LINGER_FOR_WORD_S : LINGER_S) * TERN_SEC;
}

static void ask_and_hear(struct ping *p, struct net *n)
{
	struct tern_event ev;
	tern_time next = 0, last = 0;

	while (p->received < p->count && loop_now() < end_of_waiting(p, last)) {
		if (net_interrupted() || !is_printed())
			return;
		if (loop_now() >= next && p->sent < p->count) {
			send_request(p, n);
			last = loop_now();
			next = last + p->interval;
		}
		net_turn(n, p->sent < p->count ? next : end_of_waiting(p, last), NULL, 0);
		while (tern_event(n->st, &ev))
			continue;
		read_replies(p, n);
		read_errors(p, n);
	}
}

static int run(struct ping *p, struct net *n)
{
	int code = open_socket(p, n);

	if (code != EXIT_DONE) {
		if (p->is_json && code == EXIT_NO)
			net_print_failure(n, p->host);
		return code;
	}
	print_begin(p, n);
	ask_and_hear(p, n);
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

	p = (struct ping){
		.count = UINT32_MAX, .size = 56, .interval = TERN_SEC, .json = { stdout, false }
	};
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
