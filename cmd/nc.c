/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nc.c - tern nc: standard input to a peer, and what the peer says to standard output.
 *
 * The end of standard input is a half-close: what the peer still has to say is read to its end. Of
 * datagrams there is none: answers are heard until none has come for a while.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "net.h"

enum { PIECE = 65536, DATAGRAM_MAX = 1024 };

struct nc {
	struct net_options net;
	bool listen, udp, keep;
	struct net *n;
	tern_sock listener, s; /* 0: none */
	struct tern_addr peer; /* of datagrams: who spoke last */
	bool connected;
	bool in_ended;	    /* standard input has */
	bool out_ended;	    /* the peer has */
	tern_time wait;	    /* -w */
	tern_time quiet_at; /* of datagrams: when it has waited for so long since the last */
	char in[PIECE];	    /* read, not yet taken by the socket */
	size_t in_len;
	int code; /* -1: go on */
};

static void print_help(void)
{
	printf("usage: tern nc [OPTIONS] HOST PORT\n"
	       "       tern nc -l [OPTIONS] [ADDR] PORT\n\n"
	       "Sends standard input to a peer and prints what it says; the end of the input is\n"
	       "a half-close.\n\n"
	       "  -l                listen, and talk to who calls\n"
	       "  -k                with -l: go on with the next when one has ended\n"
	       "  -u                datagrams; with -l the first to speak is the peer, with -k\n"
	       "                    the last\n"
	       "  -w T              with -u, without -l: how long to wait for an answer, or a\n"
	       "                    further one, at the end of the input (default 1s)\n"
	       "  -4, -6            the host's IPv4 or IPv6 address\n");
	net_print_help("sim");
	printf("\nExit: 0 it ended in order, 1 the peer or the network said no, 2 usage.\n");
}

static enum taken take_option(struct args *a, void *ctx)
{
	struct nc *c = ctx;

	if (args_is(a, "-l"))
		return args_taken(c->listen = true);
	if (args_is(a, "-u"))
		return args_taken(c->udp = true);
	if (args_is(a, "-k"))
		return args_taken(c->keep = true);
	if (args_is(a, "-w"))
		return args_taken(args_time(a, &c->wait));
	if (names_take_family(a, &c->net) == TAKEN)
		return TAKEN;
	return net_take_option(a, &c->net);
}

static int read_options(struct nc *c, struct args *a)
{
	int code = args_read(a, print_help, take_option, c);

	if (code >= 0)
		return code;
	if (a->n_words < (c->listen ? 1 : 2) || a->n_words > 2)
		return args_error(a,
				  c->listen ? "a port is needed" : "a host and a port are needed");
	return -1;
}

static bool parse_port(const char *text, uint16_t *port)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || v == 0 || v > 65535)
		return false;
	*port = (uint16_t)v;
	return true;
}

static void fail(struct nc *c, const char *what, int err)
{
	fprintf(stderr, "%s: %s: %s\n", c->n->command, what, strerror(err < 0 ? -err : err));
	c->code = EXIT_NO;
}

/* ---- standard output ---- */

static bool put_all(const char *bytes, size_t len)
{
	while (len > 0 && !net_interrupted()) {
		ssize_t n = write(STDOUT_FILENO, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) { /* somebody else made it so */
			struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };

			poll(&p, 1, -1);
			continue;
		}
		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return len == 0;
}

static bool put_out(struct nc *c, const char *bytes, size_t len)
{
	if (put_all(bytes, len))
		return true;
	if (net_interrupted()) /* run() sees to it */
		return false;
	fail(c, "standard output", errno);
	c->code = EXIT_USAGE;
	return false;
}

/* ---- the peer ---- */

/* The conversation has failed: with -k the next one may do better. */
static void fail_peer(struct nc *c, const char *what, int err)
{
	fail(c, what, err);
	if (!c->keep || !c->listener)
		return;
	c->code = -1;
	c->in_len = 0;
	tern_abort(c->n->st, c->s);
	c->s = 0;
	c->connected = false;
}

static void read_datagrams(struct nc *c)
{
	static char bytes[PIECE];
	struct tern_addr from;
	int64_t n;

	while ((n = tern_recvfrom(c->n->st, c->s, bytes, sizeof(bytes), 0, &from)) >= 0) {
		if (c->listen && !c->keep && !c->peer.family) /* nobody else is heard */
			tern_connect(c->n->st, c->s, &from);
		c->peer = from;
		c->quiet_at = loop_now() + c->wait;
		if (!put_out(c, bytes, (size_t)n))
			return;
	}
	if (n != -TERN_EAGAIN)
		fail(c, "the peer", (int)n);
}

static void read_stream(struct nc *c)
{
	static char bytes[PIECE];
	int64_t n;

	while ((n = tern_recv(c->n->st, c->s, bytes, sizeof(bytes), 0)) > 0) {
		if (!put_out(c, bytes, (size_t)n))
			return;
	}
	if (n == 0)
		c->out_ended = true;
	else if (n != -TERN_EAGAIN)
		fail_peer(c, c->connected ? "the connection ended" : "the connection was refused",
			  (int)n);
}

static void note_connected(struct nc *c)
{
	int32_t err = 0;
	size_t len = sizeof(err);

	if (c->connected || c->udp || !(tern_poll(c->n->st, c->s) & (TERN_POLLOUT | TERN_POLLERR)))
		return;
	tern_getsockopt(c->n->st, c->s, TERN_SOL_SOCKET, TERN_SO_ERROR, &err, &len);
	if (err)
		fail(c, "cannot connect", err);
	c->connected = err == 0;
}

/* What was read of standard input goes, as far as there is room. */
static void write_peer(struct nc *c)
{
	int64_t n = 0;

	if (c->in_len == 0)
		return;
	if (c->udp && c->peer.family)
		n = tern_sendto(c->n->st, c->s, c->in, c->in_len, 0, &c->peer);
	else if (c->connected)
		n = tern_send(c->n->st, c->s, c->in, c->in_len, 0);
	if (n < 0 && n != -TERN_EAGAIN) {
		fail_peer(c, "cannot send", (int)n);
		return;
	}
	if (n > 0) {
		c->in_len -= (size_t)n;
		memmove(c->in, c->in + n, c->in_len);
	}
	if (c->in_len == 0 && c->in_ended && !c->udp)
		tern_shutdown(c->n->st, c->s, TERN_SHUT_WR);
}

static void read_input(struct nc *c)
{
	ssize_t n = read(STDIN_FILENO, c->in, c->udp ? DATAGRAM_MAX : sizeof(c->in));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		fail(c, "standard input", errno);
		c->code = EXIT_USAGE;
		return;
	}
	if (n == 0) {
		c->in_ended = true;
		c->quiet_at = loop_now() + c->wait;
		if (c->connected)
			tern_shutdown(c->n->st, c->s, TERN_SHUT_WR);
		return;
	}
	c->in_len = (size_t)n;
}

/* ---- beginning and ending ---- */

static int begin(struct nc *c, const struct args *a)
{
	const char *host = a->n_words == 2 ? a->word[0] : "::";
	struct tern_stack *st = c->n->st;
	struct tern_addr at;
	uint16_t port;
	tern_sock s;
	int err;

	if (!parse_port(a->word[a->n_words - 1], &port))
		return args_error(a, "'%s' is not a port", a->word[a->n_words - 1]);
	err = net_parse_host(c->n, host, port, &at);
	if (err != EXIT_DONE)
		return err;
	err = tern_socket(st, at.family, c->udp ? TERN_SOCK_DGRAM : TERN_SOCK_STREAM, 0, &s);
	if (!err && c->listen)
		err = tern_bind(st, s, &at);
	if (!err && c->listen && !c->udp)
		err = tern_listen(st, s, 16);
	if (!err && !c->listen)
		err = tern_connect(st, s, &at);
	if (err && err != -TERN_EINPROGRESS) {
		fail(c, a->word[0], err);
		return c->code;
	}
	if (c->listen && !c->udp)
		c->listener = s;
	else
		c->s = s;
	if (!c->listen)
		c->peer = at;
	if (c->listener && c->n->peer) /* who else would call? */
		sim_peer_call(c->n->peer, port, "hello from the other end of a simulated wire\n");
	return -1;
}

static void accept_one(struct nc *c)
{
	if (c->s || !c->listener || tern_accept(c->n->st, c->listener, &c->s, NULL) != 0)
		return;
	c->connected = true;
	c->out_ended = false;
	if (c->in_ended && c->in_len == 0)
		tern_shutdown(c->n->st, c->s, TERN_SHUT_WR);
}

/* Until when to wait for more; who listens to datagrams waits for others, too. */
static tern_time end_of_wait(const struct nc *c)
{
	return c->udp && !c->listen && c->in_ended && c->in_len == 0 ? c->quiet_at : TERN_NEVER;
}

static void end_conversation(struct nc *c)
{
	bool over = c->udp ? loop_now() >= end_of_wait(c) :
			     c->out_ended && c->in_ended && c->in_len == 0;

	if (c->code >= 0 || !over)
		return;
	tern_close(c->n->st, c->s);
	c->s = 0;
	c->connected = false;
	if (!c->keep || !c->listen)
		c->code = EXIT_DONE;
}

static int run(struct nc *c, const struct args *a)
{
	struct tern_event ev;

	c->code = begin(c, a);
	while (c->code < 0 && !net_interrupted()) {
		bool wants_input = !c->in_ended && c->in_len == 0 &&
				   (c->connected || (c->udp && c->peer.family));
		struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };

		net_turn(c->n, end_of_wait(c), &in, wants_input);
		while (tern_event(c->n->st, &ev))
			continue;
		accept_one(c);
		if (!c->s)
			continue;
		note_connected(c);
		if (wants_input && in.revents)
			read_input(c);
		if (c->code < 0)
			write_peer(c);
		if (c->code < 0 && c->s && c->udp)
			read_datagrams(c);
		else if (c->code < 0 && c->s)
			read_stream(c);
		if (c->s)
			end_conversation(c);
	}
	if (c->code < 0) {
		c->code = c->s ? EXIT_NO : EXIT_DONE;
		tern_close(c->n->st, c->s);
	} else if (c->s) { /* it failed: the peer is told, too */
		tern_abort(c->n->st, c->s);
	}
	net_drain(c->n);
	return c->code;
}

int cmd_nc(int argc, char **argv)
{
	static struct nc c;
	struct args a = args_of("tern nc", argc, argv);
	struct net n;
	int code;

	memset(&c, 0, sizeof(c));
	c.wait = TERN_SEC;
	code = read_options(&c, &a);
	if (code >= 0)
		return code;
	code = net_open(&n, &c.net, &a);
	if (code != EXIT_DONE)
		return code;
	c.n = &n;
	return net_close(&n, run(&c, &a));
}
