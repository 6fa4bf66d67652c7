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
#include <sys/random.h>
#include <unistd.h>

#include "../core/wire/wire.h"
#include "../host/loop/impair.h"
#include "../view/ladder.h"

void net_print_help(void)
{
	printf("  --version         which tern this is\n"
	       "the network:\n"
	       "  --dev D           tap:NAME, tun:NAME, packet:IF, fd:N; gateway: the host's own\n"
	       "                    sockets behind 10.0.2.2, without privilege; or sim (the\n"
	       "                    default: a simulated peer, 10.0.0.2 and fd00::2, in this\n"
	       "                    process);\n"
	       "                    may be repeated, what follows belongs to the last one\n"
	       "  --addr A/LEN      our IPv4 address (default with sim: 10.0.0.1/24)\n"
	       "  --gw A            the IPv4 gateway\n"
	       "  --addr6 A/LEN     our IPv6 address (default with sim: fd00::1/64)\n"
	       "  --gw6 A           the IPv6 gateway\n"
	       "  --host-addr A/LEN the host's address on a tap or tun, which is then brought up\n"
	       "  --mtu N           largest IP packet\n"
	       "  --no-offload      plain frames, no segmentation or checksums by the host\n"
	       "the wire:\n"
	       "  --delay T --jitter T --rate R --loss P --reorder P --duplicate P --corrupt P\n"
	       "  --ecn-mark P --ecn-queue T\n"
	       "  --seed N          of that weather (default 1)\n"
	       "to see it:\n"
	       "  --ladder[=FILE]   draws what happens, on standard error: on a terminal at once,\n"
	       "                    else at the end; or into a file\n"
	       "  --pcap FILE       a capture (pcapng)\n");
}

/* ---- options ---- */

static struct net_dev *last_dev(struct net_options *o)
{
	if (o->n_devs == 0) {
		o->dev[0].what = "sim";
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
	enum taken taken = args_weather(a, &o->weather);

	if (taken != UNKNOWN) {
		o->has_weather = true;
		return taken;
	}
	if (args_is(a, "--dev"))
		return args_taken(take_dev(a, o));
	if (args_is(a, "--mtu"))
		return args_taken(args_mtu(a, &o->mtu));
	if (args_is(a, "--seed"))
		return args_taken(args_count(a, UINT64_MAX, &o->seed));
	if (args_is(a, "--pcap"))
		return args_taken(args_text(a, &o->pcap));
	if (args_is(a, "--ladder"))
		return take_ladder(a, o);
	if (args_is(a, "--no-offload"))
		return args_taken(o->no_offload = true);
	return take_address_option(a, o);
}

/* ---- opening ---- */

static int refuse(const struct net *n, const char *format, const char *what)
{
	fprintf(stderr, "%s: ", n->command);
	fprintf(stderr, format, what);
	fputc('\n', stderr);
	return EXIT_USAGE;
}

static const char *after(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

/* The peer's side of a simulated wire, in the same loop. */
static bool open_peer(struct net *n, struct dev *end)
{
	static const uint8_t six[16] = { 0xfd, [15] = 2 };
	struct tern_addr v4 = tern_ip4(10, 0, 0, 2, 0), v6 = { .family = TERN_AF_INET6 };
	struct tern_config cfg;
	struct tern_stack *st;
	int ifindex;

	tern_config_default(&cfg);
	cfg.id = 2;
	st = loop_new_stack(&n->loop, &cfg, NULL, NULL);
	ifindex = st ? loop_add(&n->loop, st, end) : -TERN_ENOMEM;
	if (ifindex < 0) {
		dev_close(end);
		return false;
	}
	memcpy(v6.ip, six, 16);
	tern_addr_add(st, (unsigned)ifindex, &v4, 24);
	tern_addr_add(st, (unsigned)ifindex, &v6, 64);
	n->peer = sim_peer_new(st);
	return n->peer != NULL;
}

static struct dev *open_sim(struct net *n, struct net_dev *d, struct dev_wish *w)
{
	static const uint8_t six[16] = { 0xfd, [15] = 1 };
	struct dev *end[2];

	if (n->peer) {
		snprintf(w->error, sizeof(w->error), "only one device can be sim");
		return NULL;
	}
	if (!pipe_open(end, w))
		return NULL;
	if (!open_peer(n, end[1])) {
		snprintf(w->error, sizeof(w->error), "out of memory");
		dev_close(end[0]);
		return NULL;
	}
	if (d->addr.family == TERN_AF_UNSPEC && d->addr6.family == TERN_AF_UNSPEC) {
		d->addr = tern_ip4(10, 0, 0, 1, 0);
		d->len = 24;
		if (end[0]->iface.mtu < IP6_MTU_MIN)
			return end[0];
		d->addr6.family = TERN_AF_INET6;
		memcpy(d->addr6.ip, six, 16);
		d->len6 = 64;
	}
	return end[0];
}

static struct tern_addr six_at(uint8_t last)
{
	struct tern_addr a = { .family = TERN_AF_INET6, .ip = { 0xfd, [15] = last } };

	return a;
}

/* A gateway of tern's at the other end of a wire in this loop: the host's own sockets beyond. */
static struct dev *open_gateway(struct net *n, struct net_dev *d, struct dev_wish *w)
{
	struct gateway_wish wish = { .addr = tern_ip4(10, 0, 2, 2, 0) };
	struct dev *end[2];

	if (n->gateway) {
		snprintf(w->error, sizeof(w->error), "only one device can be the gateway");
		return NULL;
	}
	if (!pipe_open(end, w))
		return NULL;
	if (end[0]->iface.mtu >= IP6_MTU_MIN)
		wish.addr6 = six_at(2);
	n->gateway = gateway_new(&n->loop, end[1], &wish);
	if (!n->gateway) {
		snprintf(w->error, sizeof(w->error), "%s", wish.error);
		dev_close(end[0]);
		dev_close(end[1]);
		return NULL;
	}
	if (d->addr.family == TERN_AF_UNSPEC && d->addr6.family == TERN_AF_UNSPEC) {
		d->addr = tern_ip4(10, 0, 2, 15, 0);
		d->len = 24;
		d->gw = wish.addr;
		if (wish.addr6.family)
			d->addr6 = six_at(15);
		d->len6 = 64;
		d->gw6 = wish.addr6;
	}
	return end[0];
}

static struct dev *open_named(struct net *n, struct net_dev *d, struct dev_wish *w)
{
	const char *name;

	if (strcmp(d->what, "sim") == 0)
		return open_sim(n, d, w);
	if (strcmp(d->what, "gateway") == 0)
		return open_gateway(n, d, w);
	if ((name = after(d->what, "tap:")) && *name)
		return tap_open(name, true, w);
	if ((name = after(d->what, "tun:")) && *name)
		return tap_open(name, false, w);
	if ((name = after(d->what, "packet:")) && *name)
		return packet_open(name, w);
	if ((name = after(d->what, "fd:")) && *name && strlen(name) < 8 &&
	    strspn(name, "0123456789") == strlen(name))
		return fd_open(atoi(name), true, w);
	snprintf(w->error, sizeof(w->error),
		 "%s: not tap:NAME, tun:NAME, packet:IF, fd:N, sim or gateway", d->what);
	return NULL;
}

static int add_addresses(struct net *n, const struct net_dev *d, unsigned ifindex)
{
	struct tern_route via = { .ifindex = ifindex };
	struct tern_iface iface;

	if (d->addr.family == TERN_AF_UNSPEC && d->addr6.family == TERN_AF_UNSPEC)
		return refuse(n, "%s has no address; give it one: --addr 10.0.0.1/24", d->what);
	tern_iface_get(n->st, ifindex, &iface);
	if (d->addr6.family && iface.mtu < IP6_MTU_MIN)
		return refuse(n, "%s: IPv6 needs an MTU of 1280 at least", d->what);
	if ((d->addr.family && tern_addr_add(n->st, ifindex, &d->addr, d->len)) ||
	    (d->addr6.family && tern_addr_add(n->st, ifindex, &d->addr6, d->len6)))
		return refuse(n, "the address of %s cannot be used", d->what);
	via.dst.family = TERN_AF_INET;
	via.gateway = d->gw;
	if (d->gw.family && tern_route_add(n->st, &via))
		return refuse(n, "%s: the gateway is not on its network", d->what);
	via.dst.family = TERN_AF_INET6;
	via.gateway = d->gw6;
	if (d->gw6.family && tern_route_add(n->st, &via))
		return refuse(n, "%s: the IPv6 gateway is not on its network", d->what);
	return EXIT_DONE;
}

static int open_device(struct net *n, struct net_dev *d)
{
	uint8_t seed[32];
	struct dev_wish w = { .mtu = (uint32_t)n->options->mtu,
			      .no_offload = n->options->has_weather || n->options->no_offload,
			      .seed = seed };
	struct dev *dev, *wrapped;
	int ifindex;

	if (strcmp(d->what, "none") == 0) /* the stack's own loopback is all there is */
		return EXIT_DONE;
	if (getrandom(seed, sizeof(seed), 0) < 0)
		return refuse(n, "no random numbers: %s", strerror(errno));
	dev = open_named(n, d, &w);
	if (!dev)
		return refuse(n, "%s", w.error);
	if (d->host_addr.family &&
	    host_addr_add(dev->iface.name, &d->host_addr, d->host_len, w.error) != 0) {
		dev_close(dev);
		return refuse(n, "--host-addr: %s", w.error);
	}
	if (n->options->has_weather) {
		wrapped = impair_open(dev, &n->options->weather,
				      n->options->seed ? n->options->seed : 1);
		if (!wrapped) {
			dev_close(dev);
			return refuse(n, "%s", "out of memory");
		}
		dev = wrapped;
	}
	ifindex = loop_add(&n->loop, n->st, dev);
	if (ifindex < 0) {
		dev_close(dev);
		return refuse(n, "%s cannot be added", d->what);
	}
	recorder_note_link(&n->recorder, (unsigned)ifindex, dev->iface.link);
	return add_addresses(n, d, (unsigned)ifindex);
}

static int open_all(struct net *n, struct net_options *o)
{
	struct tern_config cfg;
	int code = EXIT_DONE;

	if (o->pcap && !(n->pcap = fopen(o->pcap, "wb"))) {
		fprintf(stderr, "%s: %s: %s\n", n->command, o->pcap, strerror(errno));
		return EXIT_USAGE;
	}
	if (!recorder_init(&n->recorder, n->pcap, o->ladder))
		return refuse(n, "%s", "out of memory");
	if (o->ladder && !o->ladder_file && !o->ladder_at_end && isatty(STDERR_FILENO) &&
	    !(n->live = ladder_live_new(stderr, n->recorder.view, true)))
		return refuse(n, "%s", "out of memory");
	tern_config_default(&cfg);
	cfg.id = 1;
	n->st = loop_new_stack(&n->loop, &cfg, o->pcap || o->ladder ? recorder_trace : NULL,
			       &n->recorder);
	if (!n->st)
		return refuse(n, "%s", "out of memory");
	last_dev(o);
	for (unsigned i = 0; i < o->n_devs && code == EXIT_DONE; i++)
		code = open_device(n, &o->dev[i]);
	return code;
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
	n->options = o;
	n->command = a->command;
	loop_init(&n->loop);
	if (o->ladder) /* not cell by cell */
		setvbuf(stderr, NULL, _IOLBF, 0);
	if (!catch_interrupts())
		return refuse(n, "%s", strerror(errno));
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

void net_turn(struct net *n, tern_time until, struct pollfd *own)
{
	struct pollfd fds[3] = { { .fd = wake_pipe[0], .events = POLLIN },
				 { .fd = -1 },
				 { .fd = n->gateway ? gateway_fd(n->gateway) : -1,
				   .events = POLLIN } };
	const char *gone;
	char byte;

	if (n->peer)
		sim_peer_turn(n->peer);
	if (own)
		fds[1] = *own;
	if (n->gateway && gateway_deadline(n->gateway) < until)
		until = gateway_deadline(n->gateway);
	loop_wait(&n->loop, draw_at(n) < until ? draw_at(n) : until, fds, 3);
	if (own)
		own->revents = fds[1].revents;
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
		if (p->held || (n->options->has_weather && impair_is_sending(p->dev)))
			return true;
	}
	return false;
}

/* Is anything still on its way to a peer? TIME-WAIT is not waited for. */
static bool is_busy(const struct net *n)
{
	struct tern_sock_info i;
	struct tern_neigh neigh;
	uint64_t cursor = 0;
	unsigned at = 0;

	if (is_sending(n))
		return true;
	while (tern_neigh_next(n->st, &at, &neigh)) /* datagrams may wait for it */
		if (neigh.state == TERN_NEIGH_INCOMPLETE)
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

void net_drain(struct net *n)
{
	tern_time until = loop_now() + (interrupted ? 2 : 60) * TERN_SEC;
	struct tern_event ev;

	do {
		while (tern_event(n->st, &ev))
			continue;
		net_turn(n, loop_now() + 10 * TERN_MS, NULL);
	} while (is_busy(n) && has_device(n) && loop_now() < until);
	/* The last ACK of a close may just have become due, and the weather may keep it. */
	do
		net_turn(n, loop_now() + TERN_MS, NULL);
	while (is_sending(n) && loop_now() < until);
}

/* false: the file could not be written. */
static bool draw_at_end(const struct net *n)
{
	static const struct ladder_options own = { .own = true };
	const char *file = n->options->ladder_file;
	FILE *out = file ? fopen(file, "w") : stderr;
	bool good = out && ladder_text(out, n->recorder.view, &own);

	if (n->recorder.full)
		fprintf(stderr, "%s: the ladder ends where its room ended\n", n->command);
	if (file && out)
		good = fclose(out) == 0 && good;
	if (file && !good)
		fprintf(stderr, "%s: %s: could not be written\n", n->command, file);
	return good || !file;
}

int net_close(struct net *n, int code)
{
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
	sim_peer_free(n->peer);
	gateway_free(n->gateway);
	loop_fini(&n->loop);
	recorder_fini(&n->recorder);
	return code;
}

bool net_parse_host(const struct net *n, const char *text, uint16_t port, struct tern_addr *out)
{
	if (strcmp(text, "localhost") == 0)
		text = "127.0.0.1";
	if (tern_addr_parse(text, port, out) == 0)
		return true;
	fprintf(stderr, "%s: '%s' is not an address; names are not looked up yet\n", n->command,
		text);
	return false;
}
