/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run.c - tern run: a program, unmodified, with its sockets on tern.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../host/dev/mesh.h"
#include "../host/run/run.h"
#include "cmd.h"
#include "net.h"
#include "run_control.h"

enum { SYSCTLS_MAX = 32, FORWARDS_MAX = 64, EXIT_NOT_RUN = 126, EXIT_NOT_FOUND = 127 };

static const tern_time patience = 10 * TERN_SEC; /* from SIGTERM to the end */

struct run_command {
	struct net_options net;
	struct net n;
	const char *sysctl[SYSCTLS_MAX];
	unsigned n_sysctls;
	const char *cc;
	struct gateway_forward forward[FORWARDS_MAX];
	unsigned n_forwards;
	char **program;	      /* NULL: none given */
	const char *net_name; /* --net; NULL: none */
	struct run_control control;
	bool stats, require, fallback, quiet, netns, own_loopback;
};

static void print_help(void)
{
	printf("usage: tern run [OPTIONS] -- PROGRAM [ARGUMENTS]\n\n"
	       "Runs any program, and all that it starts, with its Internet sockets on a stack\n"
	       "of tern's: the program is not changed, and no privilege is needed.\n\n"
	       "  --link L          gateway (the default): the host's network through sockets of\n"
	       "                    the host's; the program is 10.0.2.15 and fd00::15, the\n"
	       "                    gateway 10.0.2.2 and fd00::2, and 127.0.0.1 leads to the\n"
	       "                    host's unless the program itself listens there;\n"
	       "                    none: only the stack's own loopback;\n"
	       "                    tap:NAME, tun:NAME or packet:IF with --addr and its kin\n"
	       "  -p [ADDR:]HOST:INNER[/udp]   a port of the host's that leads to one of the\n"
	       "                    program's; ADDR is 127.0.0.1 unless given; may be repeated\n"
	       "  --net NAME        also joins the network of that name, which lives while a run\n"
	       "                    of this user's is in it (198.18.0.0/16,\n"
	       "                    fd74:6572:6e00::/64)\n"
	       "  --name NAME       of this run in its network, where it can be looked up, and\n"
	       "                    for 'tern weather'; else it has its process's number\n"
	       "  --own-loopback    127.0.0.1 leads to the program's own sockets alone\n"
	       "  --cc NAME         congestion control\n"
	       "  --sysctl K=V      a setting of the stack's; may be repeated\n"
	       "  --stats           the stack's counters at the end\n"
	       "  --require         fails when an Internet socket was the kernel's\n"
	       "  --fallback        what tern cannot do, the kernel may\n"
	       "  --netns           the program's sockets are the kernel's, in a network of its\n"
	       "                    own whose only way out is tern's gateway: for raw sockets\n"
	       "                    and 32-bit programs; weather, captures and -p as ever\n"
	       "  -q                no line at the end\n");
	net_print_help("gateway");
	printf("\nExit: the program's; 128 and the signal's number when one ended it. 126: it\n"
	       "could not be run. 1: --require was not kept. 2: usage.\n");
}

static enum taken take_sysctl(struct args *a, struct run_command *c)
{
	if (!args_value(a))
		return WRONG;
	if (c->n_sysctls == SYSCTLS_MAX || !strchr(a->value, '=')) {
		args_error(a, "--sysctl takes NAME=VALUE, at most %d times", SYSCTLS_MAX);
		return WRONG;
	}
	c->sysctl[c->n_sysctls++] = a->value;
	return TAKEN;
}

static bool read_port(const char *text, char end, uint16_t *port, const char **rest)
{
	char *after;
	unsigned long v = strtoul(text, &after, 10);

	*rest = after + 1;
	*port = (uint16_t)v;
	return *text >= '0' && *text <= '9' && *after == end && v > 0 && v < 65536;
}

/* "8080:80", "8080:80/udp", "0.0.0.0:8080:80", "[::1]:8080:80" */
static bool read_forward(const char *text, struct gateway_forward *f)
{
	char host[TERN_ADDR_TEXT_MAX] = "127.0.0.1", ports[32];
	const char *colon = strrchr(text, ':'), *rest, *slash;
	uint16_t inner;
	size_t len;

	while (colon && colon > text && colon[-1] != ':')
		colon--; /* the number before the last colon begins here */
	if (!colon || colon == text)
		colon = text;
	len = (size_t)(colon - text);
	if (len > 1 && len < sizeof(host))
		snprintf(host, sizeof(host), "%.*s", (int)(len - 1), text);
	if (host[0] == '[' && host[strlen(host) - 1] == ']') {
		host[strlen(host) - 1] = 0;
		memmove(host, host + 1, strlen(host));
	}
	snprintf(ports, sizeof(ports), "%s", colon);
	slash = strchr(ports, '/');
	f->udp = slash && strcmp(slash, "/udp") == 0;
	if (slash && !f->udp && strcmp(slash, "/tcp") != 0)
		return false;
	if (slash)
		ports[slash - ports] = 0;
	if (!read_port(ports, ':', &f->at.port, &rest) || !read_port(rest, 0, &inner, &rest))
		return false;
	f->to.port = inner;
	return tern_addr_parse(host, f->at.port, &f->at) == 0;
}

static enum taken take_forward(struct args *a, struct run_command *c)
{
	if (!args_value(a))
		return WRONG;
	if (c->n_forwards == FORWARDS_MAX || !read_forward(a->value, &c->forward[c->n_forwards])) {
		args_error(a, "-p takes [ADDR:]HOST:INNER[/udp], such as 8080:80, at most %d times",
			   FORWARDS_MAX);
		return WRONG;
	}
	c->n_forwards++;
	return TAKEN;
}

static bool take_name(struct args *a, const char **out)
{
	if (!args_text(a, out))
		return false;
	if (place_is_name(*out))
		return true;
	args_error(a, "%s: '%s' is not 1 to %d letters, digits, '-', '_' and '.', no '.' first",
		   a->name, *out, PLACE_NAME_MAX - 1);
	return false;
}

/* Of the first device, whether its addresses were given before or come after. */
static bool take_link(struct args *a, struct net_options *o)
{
	if (!args_value(a))
		return false;
	if (o->n_devs == 0 && strcmp(a->value, o->dev_default) == 0)
		return true;
	o->dev[0].what = a->value;
	o->n_devs = o->n_devs ? o->n_devs : 1;
	return true;
}

static enum taken take_option(struct args *a, void *ctx)
{
	struct run_command *c = ctx;

	if (args_is(a, "--")) {
		c->program = a->argv + a->at;
		a->argc = a->at;
		return TAKEN;
	}
	if (args_is(a, "--link"))
		return args_taken(take_link(a, &c->net));
	if (args_is(a, "-p"))
		return take_forward(a, c);
	if (args_is(a, "--name"))
		return args_taken(take_name(a, &c->net.name));
	if (args_is(a, "--net"))
		return args_taken(take_name(a, &c->net_name));
	if (args_is(a, "--cc"))
		return args_taken(args_text(a, &c->cc));
	if (args_is(a, "--sysctl"))
		return take_sysctl(a, c);
	if (args_is(a, "--stats"))
		return args_taken(c->stats = true);
	if (args_is(a, "--require"))
		return args_taken(c->require = true);
	if (args_is(a, "--fallback"))
		return args_taken(c->fallback = true);
	if (args_is(a, "--own-loopback"))
		return args_taken(c->own_loopback = true);
	if (args_is(a, "--netns"))
		return args_taken(c->netns = true);
	if (args_is(a, "-q"))
		return args_taken(c->quiet = true);
	return net_take_option(a, &c->net);
}

static int read_options(struct run_command *c, struct args *a)
{
	int code = args_read(a, print_help, take_option, c);

	if (code >= 0)
		return code;
	if (a->n_words)
		return args_error(a, "'%s': put -- before the program", a->word[0]);
	if (!c->program || !c->program[0])
		return args_error(a, "a program is needed, after --");
	if (c->netns && (c->require || c->fallback || c->net_name || c->net.n_devs))
		return args_error(a, "--netns goes with --link gateway alone, and without "
				     "--require, --fallback and --net");
	return -1;
}

/* ---- the stack ---- */

static int set_one(struct run_command *c, const struct args *a, const char *text)
{
	const char *equals = strchr(text, '=');
	char name[80];
	int err;

	snprintf(name, sizeof(name), "%.*s", (int)(equals - text), text);
	err = tern_sysctl_set(c->n.st, name, equals + 1);
	if (err == 0)
		return EXIT_DONE;
	return args_error(a,
			  err == -TERN_ENOENT ? "--sysctl: there is no '%s'" :
						"--sysctl: '%s' cannot be so",
			  text);
}

static int add_forward(struct run_command *c, struct gateway_forward *f)
{
	const struct net_dev *d = &c->net.dev[0];
	char text[TERN_ADDR_TEXT_MAX];
	uint16_t port = f->to.port;
	int err;

	if (!c->n.gateway) {
		fprintf(stderr, "tern run: -p needs --link gateway\n");
		return EXIT_USAGE;
	}
	f->to = d->addr;
	f->to.port = port;
	err = gateway_forward(c->n.gateway, f);
	if (err == 0)
		return EXIT_DONE;
	fprintf(stderr, "tern run: -p: %s: %s\n", tern_addr_format(&f->at, true, text),
		strerror(-err));
	return EXIT_USAGE;
}

static int set_up(struct run_command *c, const struct args *a)
{
	int code = EXIT_DONE;

	for (unsigned i = 0; i < c->n_sysctls && code == EXIT_DONE; i++)
		code = set_one(c, a, c->sysctl[i]);
	for (unsigned i = 0; i < c->n_forwards && code == EXIT_DONE; i++)
		code = add_forward(c, &c->forward[i]);
	if (code == EXIT_DONE && c->cc &&
	    tern_sysctl_set(c->n.st, "net.ipv4.tcp_congestion_control", c->cc) != 0)
		code = args_error(a, "there is no congestion control '%s'", c->cc);
	return code;
}

static bool open_control(struct run_command *c)
{
	char number[16], error[DEV_ERROR_MAX];

	snprintf(number, sizeof(number), "%d", (int)getpid());
	if (run_control_open(&c->control, c->net.name ? c->net.name : number, error,
			     sizeof(error)) ||
	    !c->net.name) /* without it the run is as good, but its weather stays */
		return true;
	fprintf(stderr, "tern run: %s\n", error);
	return false;
}

/* ---- running ---- */

static void print_sum(const struct run_command *c, const struct run_counts *n)
{
	unsigned long long again = tern_counter(c->n.st, "TcpRetransSegs");
	struct tern_gateway_counts g;

	if (!c->netns) {
		fprintf(stderr,
			"tern run: %llu sockets on tern, %llu on the kernel; %llu bytes sent, %llu "
			"received, %llu segments retransmitted\n",
			(unsigned long long)n->on_tern, (unsigned long long)n->on_kernel,
			(unsigned long long)n->bytes_sent, (unsigned long long)n->bytes_received,
			again);
		return;
	}
	g = gateway_counts(c->n.gateway);
	fprintf(stderr,
		"tern run: %llu connections and %llu flows of datagrams by the gateway; %llu bytes "
		"sent, %llu received, %llu segments retransmitted\n",
		(unsigned long long)(g.tcp + g.forwarded), (unsigned long long)g.udp,
		(unsigned long long)g.bytes_out, (unsigned long long)g.bytes_in, again);
}

static void print_end(const struct run_command *c, const struct run_counts *n)
{
	if (c->stats) {
		const char *name;
		unsigned cursor = 0;
		uint64_t value;

		while (tern_counter_next(c->n.st, &cursor, &name, &value))
			if (value)
				fprintf(stderr, "%-32s %llu\n", name, (unsigned long long)value);
	}
	if (!c->quiet)
		print_sum(c, n);
}

static int exit_code(const struct run_command *c, const struct run *r)
{
	int status = 0;

	if (c->require && run_counts(r).on_kernel) {
		fprintf(stderr, "tern run: --require: %llu Internet sockets were the kernel's\n",
			(unsigned long long)run_counts(r).on_kernel);
		return EXIT_NO;
	}
	if (!run_exited(r, &status))
		return 128 + SIGTERM;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static struct run *start(struct run_command *c)
{
	const struct net_dev *d = &c->net.dev[0];
	struct run_netns netns = { .addr = d->addr,
				   .addr6 = d->addr6,
				   .router = d->gw,
				   .router6 = d->gw6,
				   .len = d->len,
				   .len6 = d->len6,
				   .mtu = (uint32_t)c->net.mtu };
	struct run_wish wish = { .argv = c->program,
				 .fallback = c->fallback,
				 .netns = &netns,
				 .kernel_tcp = c->netns,
				 .remove = { c->control.at.sun_path } };
	char resolv_conf[NET_RESOLV_MAX];
	struct run *r;

	net_print_resolv_conf(&c->n, resolv_conf);
	if (resolv_conf[0] && !c->netns)
		wish.resolv_conf = resolv_conf;
	if (c->n.mesh)
		mesh_files(c->n.mesh, wish.remove + 1);
	if (c->n.gateway && !c->own_loopback) {
		wish.loopback = d->gw;
		wish.loopback6 = d->gw6;
	}
	r = run_start(c->netns ? NULL : c->n.st, &wish);
	if (!r)
		fprintf(stderr, "tern run: %s\n", wish.error);
	return r;
}

/* SIGTERM is the program's, which may have to tidy up; but it cannot take for ever. */
static bool is_to_end(struct run *r, tern_time *end_at)
{
	if (net_interrupted() && *end_at == TERN_NEVER) {
		run_signal(r, SIGTERM);
		*end_at = loop_now() + patience;
	}
	return loop_now() >= *end_at;
}

/* What the program wrote before it ended arrives, as it does natively. net_drain does the rest. */
static void say_the_last(struct run_command *c, struct run *r)
{
	tern_time until = loop_now() + 60 * TERN_SEC;

	while (run_has_unsaid(r) && !net_interrupted() && loop_now() < until) {
		struct pollfd own = { run_fd(r), POLLIN, 0 };

		net_turn(&c->n, loop_now() + 10 * TERN_MS, &own, 1);
		run_turn(r);
	}
}

static int run_program(struct run_command *c, const struct args *a)
{
	tern_time end_at = TERN_NEVER;
	struct run_counts counts;
	struct run *r = start(c);
	int code = EXIT_DONE;

	if (!r)
		return EXIT_NOT_RUN;
	if (c->netns)
		code = net_open_far_side(&c->n, run_device(r));
	if (c->netns && code == EXIT_DONE)
		code = set_up(c, a);
	if (code != EXIT_DONE) {
		run_free(r);
		return code;
	}
	signal(SIGINT, SIG_IGN); /* of a terminal it reaches the program as well, which decides */
	while (!run_is_over(r) && !is_to_end(r, &end_at)) {
		struct pollfd own[] = { { run_fd(r), POLLIN, 0 }, { c->control.fd, POLLIN, 0 } };

		net_turn(&c->n, run_deadline(r) < end_at ? run_deadline(r) : end_at, own, 2);
		run_turn(r);
		if (own[1].revents)
			run_control_turn(&c->control, &c->n);
	}
	say_the_last(c, r);
	code = exit_code(c, r);
	counts = run_counts(r);
	run_free(r);
	net_drain(&c->n);
	print_end(c, &counts);
	return code;
}

int cmd_run(int argc, char **argv)
{
	static struct run_command c;
	struct args a = args_of("tern run", argc, argv);
	char mesh[PLACE_NAME_MAX + 8];
	int code;

	memset(&c, 0, sizeof(c));
	c.net.dev_default = "gateway";
	c.control.fd = -1;
	c.net.ladder_at_end = isatty(STDOUT_FILENO);
	code = read_options(&c, &a);
	if (code >= 0)
		return code;
	if (c.net.n_devs == 0)
		c.net.dev[c.net.n_devs++].what = c.netns ? "none" : c.net.dev_default;
	if (c.netns)
		net_default_addresses(&c.net);
	if (c.net_name && c.net.n_devs < NET_DEVS_MAX) {
		snprintf(mesh, sizeof(mesh), "net:%s", c.net_name);
		c.net.dev[c.net.n_devs++].what = mesh;
	}
	code = net_open(&c.n, &c.net, &a);
	if (code != EXIT_DONE)
		return code;
	code = c.netns ? EXIT_DONE : set_up(&c, &a);
	if (code == EXIT_DONE)
		code = open_control(&c) ? run_program(&c, &a) : EXIT_USAGE;
	run_control_close(&c.control);
	return net_close(&c.n, code);
}
