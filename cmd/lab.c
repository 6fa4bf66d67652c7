/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lab.c - tern lab: two hosts in one process, in virtual time, drawn.
 *
 * The picture is the data and goes to standard output; remarks go to standard error. Nothing
 * printed depends on wall time.
 */
#include "lab.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../core/wire/wire.h"
#include "../view/ladder.h"
#include "../view/pcapng.h"
#include "../view/plot.h"
#include "args.h"
#include "cmd.h"

enum format { FORMAT_TEXT, FORMAT_SVG, FORMAT_JSON };

struct options {
	const struct scenario *scenario;
	struct tern_weather weather;
	uint64_t seed, mtu, bytes, black_hole;
	bool bytes_given, ipv6, full, list;
	enum format format;
	const char *output, *pcap, *plot;
	const char *ecn; /* net.ipv4.tcp_ecn; NULL: as it comes */
	int argc;	 /* the command line */
	char **argv;
};

/* A lab, and what is kept of its stacks' figures. */
struct watched {
	struct lab lab;
	bool plotted;
	struct plot_samples samples;
};

static void print_help(void)
{
	printf("usage: tern lab [OPTIONS]\n\n"
	       "Two hosts in one process open, talk and close; the picture shows how. No\n"
	       "privilege, virtual time; the same seed gives the same picture everywhere.\n\n"
	       "  --scenario NAME   what they do (default http)\n"
	       "  --list            the scenarios\n"
	       "  --seed N          seed of all randomness (default 1)\n"
	       "  --bytes N         bytes to move, such as 50k, 50M, 50Mi\n"
	       "  --ipv6            over IPv6\n"
	       "  --version         which tern this is\n"
	       "the wire:\n"
	       "  --delay T         one way, such as 10ms (the default), 500us, 1.5s\n"
	       "  --jitter T        up to so much more\n"
	       "  --rate R          such as 10Mbit\n"
	       "  --mtu N           largest IP packet (default 1500)\n"
	       "  --loss P          such as 5%% or 0.05\n"
	       "  --reorder P       held back, others overtake\n"
	       "  --duplicate P\n"
	       "  --corrupt P       one bit is flipped\n"
	       "  --ecn-mark P      ECT packets are marked (CE)\n"
	       "  --ecn-queue T     so are those that wait longer for the rate\n"
	       "  --ecn N           the hosts' net.ipv4.tcp_ecn (default 5; 1 ECN, 3 AccECN)\n"
	       "  --black-hole N    IP packets of more than N bytes vanish, no ICMP says so\n"
	       "the picture:\n"
	       "  --format F        text (default), svg or json\n"
	       "  --full            fold nothing, and draw what neighbours say to each other\n"
	       "  -o FILE           instead of standard output\n"
	       "  --pcap FILE       also a capture (pcapng) with comments\n"
	       "  --plot FILE       also curves (SVG): sequence numbers, windows, round trips\n\n"
	       "Exit: 0 it ended as designed, 1 it did not, 2 usage or a bad file.\n");
}

static void print_scenarios(void)
{
	const struct scenario *s;

	for (unsigned i = 0; (s = scenario_at(i)); i++)
		printf("%-20s %s\n", s->name, s->summary);
}

/* ---- options ---- */

static bool take_scenario(struct args *a, struct options *o)
{
	if (!args_value(a))
		return false;
	o->scenario = scenario_find(a->value);
	if (!o->scenario)
		args_error(a, "there is no scenario '%s'; 'tern lab --list' names them", a->value);
	return o->scenario != NULL;
}

static bool take_format(struct args *a, struct options *o)
{
	static const char *const names[] = { "text", "svg", "json" };

	if (!args_value(a))
		return false;
	for (unsigned i = 0; i < 3; i++) {
		if (strcmp(a->value, names[i]) == 0) {
			o->format = (enum format)i;
			return true;
		}
	}
	args_error(a, "--format: '%s' is not text, svg or json", a->value);
	return false;
}

static bool take_second_output(struct args *a, const char **path)
{
	if (!args_output(a, path))
		return false;
	if (!*path)
		args_error(a, "%s: standard output is the ladder's; name a file", a->name);
	return *path != NULL;
}

static enum taken take_option(struct args *a, void *ctx)
{
	struct options *o = ctx;

	if (args_is(a, "--scenario"))
		return args_taken(take_scenario(a, o));
	if (args_is(a, "--list"))
		return args_taken(o->list = true);
	if (args_is(a, "--seed"))
		return args_taken(args_count(a, UINT64_MAX, &o->seed));
	if (args_is(a, "--mtu"))
		return args_taken(args_mtu(a, &o->mtu));
	if (args_is(a, "--black-hole"))
		return args_taken(args_mtu(a, &o->black_hole));
	if (args_is(a, "--format"))
		return args_taken(take_format(a, o));
	if (args_is(a, "-o") || args_is(a, "--output"))
		return args_taken(args_output(a, &o->output));
	if (args_is(a, "--pcap"))
		return args_taken(take_second_output(a, &o->pcap));
	if (args_is(a, "--plot"))
		return args_taken(take_second_output(a, &o->plot));
	if (args_is(a, "--bytes"))
		return args_taken(o->bytes_given = args_size(a, &o->bytes));
	if (args_is(a, "--ecn"))
		return args_taken(args_text(a, &o->ecn));
	if (args_is(a, "--ipv6"))
		return args_taken(o->ipv6 = true);
	if (args_is(a, "--full"))
		return args_taken(o->full = true);
	return args_weather(a, &o->weather);
}

static void tell_unwritten(const char *where)
{
	if (errno == ENOMEM)
		fprintf(stderr,
			"tern lab: memory is short for what goes to %s; fewer --bytes help\n",
			where);
	else
		fprintf(stderr, "tern lab: cannot write %s: %s\n", where, strerror(errno));
}

/* Before anything runs, for that would be lost. */
static int check_files(const struct options *o, const struct args *a)
{
	const char *path[] = { o->output, o->pcap, o->plot };

	if (!args_files_differ(a, path, N_ELEMENTS(path)))
		return EXIT_USAGE;
	for (size_t i = 0; i < N_ELEMENTS(path); i++) {
		if (path[i] && !args_is_writable(path[i])) {
			tell_unwritten(path[i]);
			return EXIT_USAGE;
		}
	}
	return -1;
}

static int read_options(struct options *o, struct args *a)
{
	int code = args_read(a, print_help, take_option, o);

	if (code >= 0)
		return code;
	if (a->n_words > 0)
		return args_error(a, "'%s' is not an option", a->word[0]);
	if (o->ecn && (strlen(o->ecn) != 1 || o->ecn[0] < '0' || o->ecn[0] > '5'))
		return args_error(a, "--ecn: '%s' is not 0 to 5", o->ecn);
	if (o->ipv6 && o->mtu < IP6_MTU_MIN)
		return args_error(a, "--mtu: IPv6 needs 1280 at least");
	return check_files(o, a);
}

/* ---- running ---- */

static void watch_lab(void *ctx, const struct tern_sim_note *n)
{
	struct watched *w = ctx;

	tern_view_note(w->lab.view, n);
	if (w->plotted && n->what == TERN_SIM_TRACE)
		plot_samples_take(&w->samples, n->host, n->trace);
}

static enum tern_sim_verdict filter_frame(void *ctx, int from, const uint8_t *frame, uint32_t len)
{
	struct lab *lab = ctx;

	return lab->scenario->filter(lab, from, frame, len);
}

static void set_up_side(struct lab *lab, struct side *s, int host)
{
	*s = (struct side){ .lab = lab, .host = host, .urgent_byte = -1 };
	s->st = host == 0 ? lab->pair.a : lab->pair.b;
	s->addr = host == 0 ? lab->pair.addr_a : lab->pair.addr_b;
}

static bool set_up(struct watched *w, const struct options *o)
{
	struct tern_weather weather = o->weather;
	struct lab *lab = &w->lab;

	if (o->black_hole)
		weather.black_hole = (uint32_t)o->black_hole + ETH_HDR_LEN;
	if (o->bytes_given && !o->scenario->bytes)
		fprintf(stderr, "tern lab: %s moves no bytes that --bytes could change\n",
			o->scenario->name);
	*lab = (struct lab){ .scenario = o->scenario, .seed = o->seed };
	lab->bytes = o->bytes_given ? o->bytes : o->scenario->bytes;
	lab->family = o->ipv6 ? TERN_AF_INET6 : TERN_AF_INET;
	lab->view = tern_view_new(o->pcap ? 0 : 160);
	if (!lab->view || tern_sim_pair(&lab->pair, o->seed, lab->family, TERN_LINK_ETHERNET,
					(uint32_t)o->mtu, &weather) != 0)
		return false;
	if (o->ecn && (tern_sysctl_set(lab->pair.a, "net.ipv4.tcp_ecn", o->ecn) != 0 ||
		       tern_sysctl_set(lab->pair.b, "net.ipv4.tcp_ecn", o->ecn) != 0))
		return false;
	tern_view_name(lab->view, 0, "a");
	tern_view_name(lab->view, 1, "b");
	tern_sim_observe(lab->pair.sim, watch_lab, w);
	set_up_side(lab, &lab->client, 0);
	set_up_side(lab, &lab->server, 1);
	tern_sim_on_event(lab->pair.sim, 0, lab_on_event, lab);
	tern_sim_on_event(lab->pair.sim, 1, lab_on_event, lab);
	if (o->scenario->filter)
		tern_sim_filter(lab->pair.sim, lab->pair.link, filter_frame, lab);
	return true;
}

/* A day is enough for any weather that lets something through. */
static void run(struct lab *lab)
{
	const tern_time limit = 24 * 3600 * TERN_SEC;

	lab->scenario->start(lab);
	while (tern_sim_step(lab->pair.sim, limit) && !lab->failure)
		continue;
	if (!lab->failure)
		lab->failure = lab->scenario->verdict(lab);
	if (!lab->failure && lab->view->events->incomplete)
		lab->failure = "memory is short: the picture is incomplete";
}

/* ---- drawing ---- */

static void fill_json_head(const struct lab *lab, char *buf, size_t len)
{
	snprintf(buf, len,
		 "\"scenario\":\"%s\",\"seed\":%llu,\"family\":\"%s\","
		 "\"as_designed\":%s,\"failure\":\"%s\",\"bytes_right\":%s,"
		 "\"client\":{\"sent\":%llu,\"received\":%llu,\"error\":\"%s\"},"
		 "\"server\":{\"sent\":%llu,\"received\":%llu,\"error\":\"%s\"}",
		 lab->scenario->name, (unsigned long long)lab->seed,
		 lab->family == TERN_AF_INET ? "ipv4" : "ipv6", lab->failure ? "false" : "true",
		 lab->failure ? lab->failure : "",
		 !lab->client.wrong && !lab->server.wrong &&
				 lab->client.received == lab->client.expected &&
				 lab->server.received == lab->server.expected ?
			 "true" :
			 "false",
		 (unsigned long long)lab->client.sent, (unsigned long long)lab->client.received,
		 lab->client.error ? tern_errno_name(lab->client.error) : "",
		 (unsigned long long)lab->server.sent, (unsigned long long)lab->server.received,
		 lab->server.error ? tern_errno_name(lab->server.error) : "");
}

static bool draw(const struct lab *lab, const struct options *o, FILE *out)
{
	char head[1024];
	struct ladder_options lo = { .full = o->full,
				     .without_link_talk = !o->full,
				     .json_head = head };

	fill_json_head(lab, head, sizeof(head));
	lo.colour = o->format == FORMAT_TEXT && !o->output && args_in_colour(stdout);
	switch (o->format) {
	case FORMAT_SVG:
		return ladder_svg(out, lab->view->events, &lo);
	case FORMAT_JSON:
		return ladder_json(out, lab->view->events, &lo);
	case FORMAT_TEXT:
		break;
	}
	return ladder_text(out, lab->view->events, &lo);
}

/* How many words of the command line at i only say what is shown of the run, and where. */
static int words_of_output(const struct options *o, int i)
{
	static const char *const names[] = { "--plot", "--pcap", "--format", "--output", "-o" };
	size_t len = strcspn(o->argv[i], "=");

	if (strcmp(o->argv[i], "--full") == 0)
		return 1;
	for (size_t k = 0; k < N_ELEMENTS(names); k++)
		if (strlen(names[k]) == len && memcmp(o->argv[i], names[k], len) == 0)
			return o->argv[i][len] ? 1 : 2;
	return 0;
}

/* What to type to have this run again. */
static void tell_command(const struct options *o, char *buf, size_t size)
{
	int n = snprintf(buf, size, "tern lab"), skip;

	for (int i = 1; i < o->argc && n >= 0 && (size_t)n < size; i += MAX(skip, 1)) {
		skip = words_of_output(o, i);
		if (!skip)
			n += snprintf(buf + n, size - (size_t)n, " %s", o->argv[i]);
	}
}

static bool draw_plot(const struct watched *w, const struct options *o, FILE *out)
{
	char command[120];

	tell_command(o, command, sizeof(command));
	return plot_svg(out, w->lab.view->events, &w->samples, command);
}

enum content { CONTENT_PICTURE, CONTENT_PCAP, CONTENT_PLOT };

static bool put_content(FILE *f, const struct watched *w, const struct options *o, enum content c)
{
	switch (c) {
	case CONTENT_PCAP:
		return pcapng_write(f, w->lab.view->events);
	case CONTENT_PLOT:
		return draw_plot(w, o, f);
	case CONTENT_PICTURE:
		break;
	}
	return draw(&w->lab, o, f);
}

/* path: NULL means that it is not wanted. */
static bool write_file(const char *path, const struct watched *w, const struct options *o,
		       enum content c)
{
	FILE *f;
	bool good;

	if (!path)
		return true;
	f = fopen(path, "wb");
	good = f && put_content(f, w, o, c);
	if (f && fclose(f) != 0)
		good = false;
	if (!good)
		tell_unwritten(path);
	return good;
}

static bool show(const struct lab *lab, const struct options *o)
{
	if (draw(lab, o, stdout) && fflush(stdout) == 0)
		return true;
	tell_unwritten("standard output");
	return false;
}

static int finish(const struct watched *w, const struct options *o)
{
	const struct lab *lab = &w->lab;
	bool good = o->output ? write_file(o->output, w, o, CONTENT_PICTURE) : show(lab, o);

	good &= write_file(o->pcap, w, o, CONTENT_PCAP);
	good &= write_file(o->plot, w, o, CONTENT_PLOT);
	if (!good)
		return EXIT_USAGE;
	if (!lab->failure)
		return EXIT_DONE;
	fprintf(stderr, "tern lab: %s did not end as designed: %s\n", lab->scenario->name,
		lab->failure);
	return EXIT_NO;
}

int cmd_lab(int argc, char **argv)
{
	struct options o = {
		.scenario = scenario_at(0), .seed = 1, .mtu = 1500, .argc = argc, .argv = argv
	};
	struct args a = args_of("tern lab", argc, argv);
	struct watched w = { 0 };
	int code;

	o.weather.delay = 10 * TERN_MS;
	code = read_options(&o, &a);
	if (code >= 0)
		return code;
	if (o.list) {
		print_scenarios();
		return EXIT_DONE;
	}
	w.plotted = o.plot != NULL;
	if (set_up(&w, &o)) {
		run(&w.lab);
		code = finish(&w, &o);
	} else {
		fprintf(stderr, "tern lab: memory is short\n");
		code = EXIT_USAGE;
	}
	plot_samples_fini(&w.samples);
	tern_sim_free(w.lab.pair.sim);
	tern_view_free(w.lab.view);
	return code;
}
