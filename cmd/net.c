/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net.c - devices by name, a stack over them, and the end of a command.
 */
#define _GNU_SOURCE
#include "net.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../host/loop/impair.h"
#include "../view/ladder.h"

void net_print_help(const char *dev_default)
{
	printf("  --version         which tern this is\n"
	       "the network:\n"
	       "  --dev D           tap:NAME, tun:NAME, packet:IF, fd:N; gateway: the host's own\n"
	       "                    sockets behind 10.0.2.2, without privilege; sim: a\n"
	       "                    simulated peer, 10.0.0.2 and fd00::2, in this process;\n"
	       "                    net:NAME: a network of this user's processes, 198.18.0.0/16;\n"
	       "                    without --dev it is %s; may be repeated, what follows\n"
	       "                    belongs to the last one\n",
	       dev_default);
	printf("  --addr A/LEN      our IPv4 address (default with sim: 10.0.0.1/24)\n"
	       "  --gw A            the IPv4 gateway\n"
	       "  --addr6 A/LEN     our IPv6 address (default with sim: fd00::1/64)\n"
	       "  --gw6 A           the IPv6 gateway\n"
	       "  --auto            addresses, routes and name servers as the network\n"
	       "                    says: router advertisements, DHCP\n"
	       "  --host-addr A/LEN the host's address on a tap or tun, which is then brought up\n"
	       "  --hosts NAME=A    an address of a name; may be repeated\n"
	       "  --server A        asks this name server for other names; up to three\n"
	       "  --mtu N           largest IP packet\n"
	       "  --no-offload      plain frames, no segmentation or checksums by the host\n"
	       "the wire, both ways, or OUT/IN (--loss 1%%/0):\n"
	       "  --delay T --jitter T --rate R --queue SIZE --loss P --reorder P --duplicate P\n"
	       "  --corrupt P --ecn-mark P --ecn-queue T\n"
	       "  --partition A-B   cut from A to B after the start (2s-5s); B may be left out;\n"
	       "                    may be repeated\n"
	       "  --seed N          of that weather (default 1)\n"
	       "to see it:\n"
	       "  --ladder[=FILE]   draws what happens, on standard error: on a terminal at\n"
	       "                    once, else at the end; or into a file\n"
	       "  --pcap FILE|-     a capture (pcapng); -: on standard output\n");
}

/* ---- options ---- */

static struct net_dev *last_dev(struct net_options *o)
{
	if (o->n_devs == 0) {
		o->dev[0].what = o->dev_default ? o->dev_default : "sim";
		o->n_devs = 1;
	}
	return &o->dev[o->n_devs - 1];
}

static bool take_dev(struct args *a, struct net_options *o)
{
	if (!args_value(a))
		return false;
	if (o->n_devs == NET_DEVS_MAX) {
		args_error(a, "at most %d devices", NET_DEVS_MAX);
		return false;
	}
	o->dev[o->n_devs++] = (struct net_dev){ .what = a->value };
	return true;
}

static bool take_address(struct args *a, int family, struct tern_addr *out)
{
	if (!args_value(a))
		return false;
	if (tern_addr_parse(a->value, 0, out) == 0 && out->family == family)
		return true;
	args_error(a, "%s: '%s' is not an %s address", a->name, a->value,
		   family == TERN_AF_INET ? "IPv4" : "IPv6");
	return false;
}

/* "10.0.0.1/24"; family 0: either. */
static bool take_prefix(struct args *a, int family, struct tern_addr *out, unsigned *len)
{
	char text[TERN_ADDR_TEXT_MAX], *slash, *end = NULL;
	unsigned long v = 0;

	if (!args_value(a))
		return false;
	snprintf(text, sizeof(text), "%s", a->value);
	slash = strchr(text, '/');
	if (slash) {
		*slash = 0;
		v = strtoul(slash + 1, &end, 10);
	}
	if (slash && slash[1] >= '0' && slash[1] <= '9' && *end == 0 &&
	    tern_addr_parse(text, 0, out) == 0 && (!family || out->family == family) &&
	    v <= (out->family == TERN_AF_INET ? 32u : 128u)) {
		*len = (unsigned)v;
		return true;
	}
	args_error(a, "%s: '%s' is not an address with its prefix length, such as %s", a->name,
		   a->value, family == TERN_AF_INET6 ? "fd00::1/64" : "10.0.0.1/24");
	return false;
}

static enum taken take_address_option(struct args *a, struct net_options *o)
{
	struct net_dev *d = last_dev(o);

	if (args_is(a, "--addr"))
		return args_taken(take_prefix(a, TERN_AF_INET, &d->addr, &d->len));
	if (args_is(a, "--addr6"))
		return args_taken(take_prefix(a, TERN_AF_INET6, &d->addr6, &d->len6));
	if (args_is(a, "--gw"))
		return args_taken(take_address(a, TERN_AF_INET, &d->gw));
	if (args_is(a, "--gw6"))
		return args_taken(take_address(a, TERN_AF_INET6, &d->gw6));
	if (args_is(a, "--auto"))
		return args_taken(d->is_auto = true);
	if (args_is(a, "--host-addr"))
		return args_taken(take_prefix(a, 0, &d->host_addr, &d->host_len));
	return UNKNOWN;
}

static enum taken take_ladder(struct args *a, struct net_options *o)
{
	o->ladder = true;
	o->ladder_file = a->value;
	return TAKEN;
}

enum taken net_take_option(struct args *a, struct net_options *o)
{
	enum taken taken = weather_take_option(a, o);

	if (taken != UNKNOWN)
		return taken;
	if (args_is(a, "--dev"))
		return args_taken(take_dev(a, o));
	if (args_is(a, "--mtu"))
		return args_taken(args_mtu(a, &o->mtu));
	if (args_is(a, "--seed"))
		return args_taken(args_count(a, UINT64_MAX, &o->seed));
	if (args_is(a, "--hosts"))
		return args_taken(names_take_host(a, o));
	if (args_is(a, "--server"))
		return args_taken(names_take_server(a, o));
	if (args_is(a, "--pcap"))
		return args_taken(args_text(a, &o->pcap));
	if (args_is(a, "--ladder"))
		return take_ladder(a, o);
	if (args_is(a, "--no-offload"))
		return args_taken(o->no_offload = true);
	return take_address_option(a, o);
}

/* ---- opening ---- */

int net_refuse(const struct net *n, const char *format, const char *what)
{
	fprintf(stderr, "%s: ", n->command);
	fprintf(stderr, format, what);
	fputc('\n', stderr);
	return EXIT_USAGE;
}

/* A capture is alone there: what is printed from now on goes to standard error. */
static FILE *take_stdout(void)
{
	int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "wb");

	if (out)
		dup2(STDERR_FILENO, STDOUT_FILENO);
	else if (fd >= 0)
		close(fd);
	return out;
}

static FILE *share_stderr(void)
{
	return stderr;
}

/* "-": the standard one; NULL: none. */
static bool open_file(const struct net *n, const char *name, FILE *standard(void), FILE **out)
{
	if (!name)
		return true;
	*out = strcmp(name, "-") == 0 ? standard() : fopen(name, "wb");
	if (!*out)
		fprintf(stderr, "%s: %s: %s\n", n->command, name, strerror(errno));
	return *out != NULL;
}

/* A ladder on a terminal is drawn while it happens, unless others write there meanwhile. */
static bool begin_live(struct net *n, const struct net_options *o)
{
	FILE *out = n->ladder ? n->ladder : stderr;

	if (!o->ladder || !isatty(fileno(out)) || (!n->ladder && o->ladder_at_end))
		return true;
	n->live = ladder_live_new(out, n->recorder.view, args_in_colour(out));
	return n->live != NULL;
}

static int open_all(struct net *n, struct net_options *o)
{
	struct tern_config cfg;
	int code = EXIT_DONE;

	if (!open_file(n, o->pcap, take_stdout, &n->pcap) ||
	    !open_file(n, o->ladder_file, share_stderr, &n->ladder))
		return EXIT_USAGE;
	if (!recorder_init(&n->recorder, n->pcap, o->ladder) || !begin_live(n, o))
		return net_refuse(n, "%s", "out of memory");
	tern_config_default(&cfg);
	cfg.id = 1;
	auto_configure(o, &cfg);
	n->st = loop_new_stack(&n->loop, &cfg, o->pcap || o->ladder ? recorder_trace : NULL,
			       &n->recorder);
	if (!n->st)
		return net_refuse(n, "%s", "out of memory");
	last_dev(o);
	for (unsigned i = 0; i < o->n_devs && code == EXIT_DONE; i++)
		code = net_open_device(n, &o->dev[i]);
	if (code == EXIT_DONE && o->has_weather)
		code = weather_begin(n);
	return code == EXIT_DONE ? auto_wait(n) : code;
}

/* ---- interruption ---- */

static volatile sig_atomic_t interrupted;
/* A signal between the look at the flag and the sleep must end the sleep, too: it is readable. */
static int wake_pipe[2];

static void on_interrupt(int sig)
{
	int saved = errno;
	ssize_t n = write(wake_pipe[1], "", 1);

	(void)sig;
	(void)n; /* a full pipe wakes as well */
	interrupted = 1;
	errno = saved;
}

bool net_interrupted(void)
{
	return interrupted;
}

static bool catch_interrupts(void)
{
	struct sigaction act = { .sa_handler = on_interrupt }; /* it ends system calls */

	signal(SIGPIPE, SIG_IGN);
	return pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) == 0 &&
	       sigaction(SIGINT, &act, NULL) == 0 && sigaction(SIGTERM, &act, NULL) == 0;
}

int net_open(struct net *n, struct net_options *o, const struct args *a)
{
	int code;

	memset(n, 0, sizeof(*n));
	if (!args_files_differ(a, (const char *[]){ o->pcap, o->ladder_file }, 2))
		return EXIT_USAGE;
	n->options = o;
	n->command = a->command;
	loop_init(&n->loop);
	if (o->ladder) /* not cell by cell */
		setvbuf(stderr, NULL, _IOLBF, 0);
	if (!catch_interrupts())
		return net_refuse(n, "%s", strerror(errno));
	code = open_all(n, o);
	if (code != EXIT_DONE)
		net_close(n, code);
	return code;
}

/* ---- running ---- */

static bool has_device(const struct net *n)
{
	for (unsigned i = 0; i < n->loop.n_ports; i++)
		if (n->loop.port[i].st == n->st && !n->loop.port[i].gone)
			return true;
	return false;
}

/* The instant to draw what is new of a live ladder: soon, or when much comes, in folds. */
static tern_time draw_at(const struct net *n)
{
	size_t n_new = n->live ? n->recorder.view->n_events - n->n_drawn : 0;

	return n_new == 0 ? TERN_NEVER : n->drawn_at + (n_new < 16 ? 20 : 500) * TERN_MS;
}

static void draw_live(struct net *n)
{
	if (loop_now() < draw_at(n))
		return;
	ladder_live_draw(n->live);
	n->n_drawn = n->recorder.view->n_events;
	n->drawn_at = loop_now();
	if (n->recorder.full)
		fprintf(stderr, "%s: the ladder ends here: it has no more room\n", n->command);
}

void net_turn(struct net *n, tern_time until, struct pollfd *own, unsigned n_own)
{
	struct pollfd fds[2 + NET_OWN_MAX] = { { .fd = wake_pipe[0], .events = POLLIN },
					       { .fd = n->gateway ? gateway_fd(n->gateway) : -1,
						 .events = POLLIN } };
	tern_time at[] = { until, draw_at(n), weather_turn(n),
			   n->gateway ? gateway_deadline(n->gateway) : TERN_NEVER };
	const char *gone;
	char byte;

	if (n->peer)
		sim_peer_turn(n->peer);
	for (unsigned i = 1; i < sizeof(at) / sizeof(at[0]); i++)
		until = at[i] < until ? at[i] : until;
	if (n_own)
		memcpy(fds + 2, own, n_own * sizeof(*own));
	loop_wait(&n->loop, until, fds, 2 + n_own);
	if (n_own)
		memcpy(own, fds + 2, n_own * sizeof(*own));
	while (fds[0].revents && read(wake_pipe[0], &byte, 1) > 0)
		continue;
	loop_pump(&n->loop);
	if (n->gateway)
		gateway_turn(n->gateway);
	while ((gone = loop_take_gone(&n->loop))) {
		fprintf(stderr, "%s: the device %s has gone\n", n->command, gone);
		interrupted |= !has_device(n); /* nothing more can happen */
	}
	draw_live(n);
}

/* Has a device no room for a packet yet, or the weather frames that it has not let go? */
static bool is_sending(const struct net *n)
{
	for (unsigned i = 0; i < n->loop.n_ports; i++) {
		const struct loop_port *p = &n->loop.port[i];

		if (p->st != n->st || p->gone)
			continue;
		if (p->held || (n->weather.is_there && impair_is_sending(p->dev)))
			return true;
	}
	return false;
}

/* For a neighbour; perhaps. */
static bool datagrams_wait(const struct net *n)
{
	struct tern_neigh neigh;
	unsigned at = 0;

	while (tern_neigh_next(n->st, &at, &neigh))
		if (neigh.state == TERN_NEIGH_INCOMPLETE)
			return true;
	return false;
}

/* Is anything still on its way to a peer? TIME-WAIT is not waited for. */
static bool is_busy(const struct net *n)
{
	struct tern_sock_info i;
	uint64_t cursor = 0;

	if (is_sending(n) || (n->gateway && gateway_is_sending(n->gateway)))
		return true;
	if (datagrams_wait(n) && !(interrupted && n->datagrams_only_ask))
		return true;
	while (tern_sock_next(n->st, &cursor, &i)) {
		if (i.type != TERN_SOCK_STREAM)
			continue;
		if (i.state == TERN_TCP_FIN_WAIT_1 || i.state == TERN_TCP_CLOSING ||
		    i.state == TERN_TCP_LAST_ACK)
			return true;
		if ((i.state == TERN_TCP_ESTABLISHED || i.state == TERN_TCP_CLOSE_WAIT) &&
		    i.send_queue)
			return true;
	}
	return false;
}

/* Its events are not ours to take. */
static bool is_gateways(const struct net *n)
{
	return n->gateway && n->st == gateway_stack(n->gateway);
}

void net_drain(struct net *n)
{
	tern_time until = loop_now() + (interrupted ? 2 : 60) * TERN_SEC, wait = 0;
	struct tern_event ev;

	do {
		while (!is_gateways(n) && tern_event(n->st, &ev))
			continue;
		net_turn(n, loop_now() + wait, NULL, 0);
		wait = 10 * TERN_MS;
	} while (is_busy(n) && has_device(n) && loop_now() < until);
	/* The last ACK of a close may just have become due, and the weather may keep it. */
	do
		net_turn(n, loop_now() + TERN_MS, NULL, 0);
	while (is_sending(n) && loop_now() < until);
}

/* false: the file could not be written. */
static bool draw_at_end(const struct net *n)
{
	static const struct ladder_options own = { .own = true };
	FILE *out = n->ladder ? n->ladder : stderr;
	bool good = ladder_text(out, n->recorder.view, &own) && fflush(out) == 0;

	if (n->recorder.full)
		fprintf(stderr, "%s: the ladder ends where its room ended\n", n->command);
	if (n->ladder && !good)
		fprintf(stderr, "%s: %s: could not be written\n", n->command,
			n->options->ladder_file);
	return good || !n->ladder;
}

int net_close(struct net *n, int code)
{
	auto_end(n);
	if (n->live)
		ladder_live_end(n->live);
	else if (n->recorder.view && n->recorder.view->n_events && !draw_at_end(n))
		code = code == EXIT_DONE ? EXIT_USAGE : code;
	if (n->loop.n_ports && !has_device(n) && code == EXIT_DONE)
		code = EXIT_NO;
	if (n->pcap && (fclose(n->pcap) != 0 || n->recorder.failed)) {
		fprintf(stderr, "%s: %s: could not be written\n", n->command, n->options->pcap);
		code = code == EXIT_DONE ? EXIT_USAGE : code;
	}
	ladder_live_free(n->live);
	if (n->ladder && n->ladder != stderr)
		fclose(n->ladder);
	tern_resolver_free(n->resolver);
	sim_peer_free(n->peer);
	gateway_free(n->gateway);
	loop_fini(&n->loop);
	recorder_fini(&n->recorder);
	return code;
}
