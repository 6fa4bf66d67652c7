/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * get.c - tern get: HTTP/1.1 over tern's own sockets.
 *
 * One connection is kept from URL to URL as long as host and port stay the same and the server lets
 * it. Messages are read by http_parser, which bounds headers; a server that says nothing for a
 * while is given up.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <http_parser.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cmd.h"
#include "get_connect.h"
#include "get_output.h"
#include "http_head.h"
#include "http_url.h"

enum { REDIRECTS_MAX = 10, FIELD_MAX = 4096, PROGRESS_MIN = 100 };
enum { ASK_AGAIN = -1 }; /* beside the exit codes */
enum { DISCARD_MAX = 65536, INTERIM_MAX = 20, SHOWN_MAX = 300 };

/* The value of a header; one that does not fit is empty, but its length is not. */
struct value {
	char text[FIELD_MAX];
	size_t len;
};

struct get {
	struct net_options net;
	const char *output;
	bool remote_name, resume, quiet, on_terminal;
	uint64_t timeout; /* ns without any progress */
	struct net *n;

	tern_sock s; /* 0: none */
	char connected_to[URL_HOST_MAX];
	uint16_t connected_port;
	bool reused; /* this request is not the first of its connection */
	bool heard;  /* something of its answer has come */

	/* of the current request */
	struct url url;
	struct get_output out;
	uint64_t received; /* of the body */
	uint64_t expected; /* UINT64_MAX: not said */
	struct http_field field;
	struct value *value; /* that is read now, or NULL */
	struct value location, range;
	bool complete, keep, write_failed, discard, wrong_part;
	unsigned status, n_interim;
	tern_time begun, shown_at, progress_at;
	uint64_t drip; /* bytes since progress_at */
};

static void print_help(void)
{
	printf("usage: tern get [OPTIONS] URL...\n\n"
	       "Fetches http URLs; the bodies go to standard output.\n\n"
	       "  -o FILE           to this file\n"
	       "  -O                each to a file named as the last part of its path\n"
	       "  -C                resume: fetch what the file does not hold yet\n"
	       "  --timeout T       give up when less than 100 bytes come in so long\n"
	       "                    (default 30s)\n"
	       "  -4, -6            IPv4 or IPv6 addresses of hosts alone\n"
	       "  -q                no progress, no summary\n");
	net_print_help("sim");
	printf("\nExit: 0 all were fetched, 1 a server or the network said no, 2 usage or a\n"
	       "bad file.\n");
}

static enum taken take_option(struct args *a, void *ctx)
{
	struct get *g = ctx;

	if (args_is(a, "-o"))
		return args_taken(args_output(a, &g->output));
	if (args_is(a, "-O"))
		return args_taken(g->remote_name = true);
	if (args_is(a, "-C"))
		return args_taken(g->resume = true);
	if (args_is(a, "-q"))
		return args_taken(g->quiet = true);
	if (args_is(a, "--timeout"))
		return args_taken(args_time(a, &g->timeout));
	if (names_take_family(a, &g->net) == TAKEN)
		return TAKEN;
	return net_take_option(a, &g->net);
}

static int read_options(struct get *g, struct args *a)
{
	int code = args_read(a, print_help, take_option, g);

	if (code >= 0)
		return code;
	if (a->n_words == 0)
		return args_error(a, "a URL is needed");
	if (g->resume && !g->output && !g->remote_name)
		return args_error(a, "-C needs -o FILE or -O");
	if (g->output && a->n_words > 1)
		return args_error(a, "-o is for one URL; -O names a file for each");
	if (!args_files_differ(a, (const char *[]){ g->output, g->net.pcap, g->net.ladder_file },
			       3))
		return EXIT_USAGE;
	return -1;
}

/* One line of error; the exit code EXIT_NO. */
static int refuse(const struct get *g, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int refuse(const struct get *g, const char *format, ...)
{
	va_list ap;

	fprintf(stderr, "%s: http://%s%s: ", g->n->command, g->url.host, g->url.path);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return EXIT_NO;
}

/* What comes cannot be written. */
static int refuse_output(const struct get *g)
{
	fprintf(stderr, "%s: %s: %s\n", g->n->command, g->out.name, strerror(errno));
	return EXIT_USAGE;
}

/* ---- the answer, as http_parser reads it ---- */

static int on_field(http_parser *parser, const char *at, size_t len)
{
	struct get *g = parser->data;

	http_field_name(&g->field, at, len);
	return 0;
}

static int on_value(http_parser *parser, const char *at, size_t len)
{
	struct get *g = parser->data;

	if (http_field_value(&g->field)) {
		g->value = strcasecmp(g->field.name, "Location") == 0	   ? &g->location :
			   strcasecmp(g->field.name, "Content-Range") == 0 ? &g->range :
									     NULL;
		if (g->value) /* of several the last */
			g->value->len = 0;
	}
	if (g->value)
		http_add(g->value->text, sizeof(g->value->text), &g->value->len, at, len);
	return 0;
}

static bool is_redirect(unsigned status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Does the part that comes begin where our file ends? RFC 9110 14.4. */
static bool is_part_wanted(const struct get *g)
{
	char *end;

	if (!g->out.had || strncasecmp(g->range.text, "bytes ", 6) != 0)
		return false;
	return strtoull(g->range.text + 6, &end, 10) == g->out.had && *end == '-';
}

/* What was said about the answer in its head. */
static void forget_values(struct get *g)
{
	g->location.len = g->range.len = 0;
	g->location.text[0] = g->range.text[0] = 0;
}

static int on_headers(http_parser *parser)
{
	struct get *g = parser->data;

	if (parser->status_code / 100 == 1) { /* an interim answer: the true one follows */
		forget_values(g);
		return 0;
	}
	g->status = parser->status_code;
	g->expected = parser->content_length;
	g->wrong_part = g->status == 206 && !is_part_wanted(g);
	g->discard = is_redirect(g->status) || g->status >= 400 || g->wrong_part;
	g->write_failed = !g->discard && !get_output_begin(&g->out, g->status == 206);
	return g->write_failed ? -1 : 0;
}

static int on_body(http_parser *parser, const char *at, size_t len)
{
	struct get *g = parser->data;

	g->received += len;
	if (g->discard && g->received > DISCARD_MAX) { /* what nobody reads need not end */
		g->complete = true;
		g->keep = false;
		http_parser_pause(parser, 1);
	}
	if (g->discard)
		return 0;
	if (fwrite(at, 1, len, g->out.file) != len)
		g->write_failed = true;
	return g->write_failed;
}

static int on_complete(http_parser *parser)
{
	struct get *g = parser->data;

	if (parser->status_code / 100 == 1)
		return ++g->n_interim > INTERIM_MAX || parser->status_code == 101;
	g->complete = true;
	g->keep = http_should_keep_alive(parser);
	http_parser_pause(parser, 1);
	return 0;
}

static const http_parser_settings *settings(void)
{
	static http_parser_settings s;

	http_parser_settings_init(&s);
	s.on_header_field = on_field;
	s.on_header_value = on_value;
	s.on_headers_complete = on_headers;
	s.on_body = on_body;
	s.on_message_complete = on_complete;
	return &s;
}

/* ---- progress ---- */

static void show_progress(struct get *g, bool last)
{
	double seconds = (double)(loop_now() - g->begun) / 1e9,
	       megabytes = (double)g->received / 1e6;
	double rate = seconds > 0 ? megabytes * 8 / seconds : 0;
	unsigned done = 0;

	if (g->quiet || g->discard)
		return;
	if (last) {
		fprintf(stderr, "%s%s: ", g->on_terminal ? "\r\033[K" : "", g->url.path);
		if (g->received < 10000 && seconds < 1)
			fprintf(stderr, "%" PRIu64 " bytes in %.3g ms\n", g->received,
				seconds * 1e3);
		else if (g->received < 10000)
			fprintf(stderr, "%" PRIu64 " bytes in %.3g s\n", g->received, seconds);
		else
			fprintf(stderr, "%.6g MB in %.3g s, %.4g Mbit/s\n", megabytes, seconds,
				rate);
		return;
	}
	if (g->net.ladder || !g->on_terminal || loop_now() - g->shown_at < 100 * TERN_MS)
		return;
	g->shown_at = loop_now();
	if (g->expected && g->expected != UINT64_MAX)
		done = (unsigned)(40 * g->received / g->expected);
	fprintf(stderr, "\r\033[K[%.*s%*s] %.1f MB %.0f Mbit/s", (int)done,
		"########################################", (int)(40 - done), "", megabytes, rate);
	fflush(stderr);
}

/* ---- one request ---- */

static void disconnect(struct get *g)
{
	if (g->s)
		tern_close(g->n->st, g->s);
	g->s = 0;
}

static bool is_connected_to(const struct get *g, const struct url *u)
{
	return g->s && g->connected_port == u->port && strcasecmp(g->connected_to, u->name) == 0;
}

/*
 * A turn, unless nothing has moved for too long or the user wants no more: then false. It does not
 * sleep while bytes lie in the socket, for which no other event will come.
 */
static bool wait_more(struct get *g)
{
	tern_time until = g->progress_at + g->timeout, now = loop_now();
	bool readable = (tern_poll(g->n->st, g->s) & TERN_POLLIN) != 0;
	struct tern_event ev;

	if (net_interrupted() || now >= until)
		return false;
	net_turn(g->n, readable ? now : until, NULL, 0);
	while (tern_event(g->n->st, &ev))
		continue;
	return true;
}

static int give_up(const struct get *g, const char *why)
{
	if (net_interrupted())
		return refuse(g, "interrupted; %" PRIu64 " bytes were received", g->received);
	if (g->drip)
		return refuse(g, "%s: only %" PRIu64 " bytes in %g s; %" PRIu64 " were received",
			      why, g->drip, (double)g->timeout / 1e9, g->received);
	return refuse(g, "%s: nothing has come for %g s; %" PRIu64 " bytes were received", why,
		      (double)g->timeout / 1e9, g->received);
}

static int connect_to(struct get *g)
{
	struct get_connect c = { .n = g->n, .port = g->url.port, .timeout = g->timeout };
	int code;

	/* a server that says something unasked, or the end, is not asked again */
	g->reused = is_connected_to(g, &g->url) &&
		    !(tern_poll(g->n->st, g->s) & (TERN_POLLIN | TERN_POLLERR | TERN_POLLHUP));
	if (g->reused)
		return EXIT_DONE;
	disconnect(g);
	c.host = g->url.name;
	code = get_connect(&c);
	if (code != EXIT_DONE) {
		if (c.why[0])
			refuse(g, "%s", c.why);
		return code;
	}
	g->s = c.s;
	snprintf(g->connected_to, sizeof(g->connected_to), "%s", g->url.name);
	g->connected_port = g->url.port;
	return EXIT_DONE;
}

static int send_request(struct get *g)
{
	char text[URL_PATH_MAX + 512], range[64] = "";
	size_t len, done = 0;

	if (g->out.had)
		snprintf(range, sizeof(range), "Range: bytes=%" PRIu64 "-\r\n", g->out.had);
	len = (size_t)snprintf(text, sizeof(text),
			       "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: tern/%s\r\n"
			       "Accept: */*\r\n%s\r\n",
			       g->url.path, g->url.host, tern_version(), range);
	while (done < len) {
		int64_t n = tern_send(g->n->st, g->s, text + done, len - done, 0);

		if (n < 0 && n != -TERN_EAGAIN && g->reused)
			return ASK_AGAIN;
		if (n < 0 && n != -TERN_EAGAIN)
			return refuse(g, "cannot send: %s", strerror((int)-n));
		done += n > 0 ? (size_t)n : 0;
		if (done < len && !wait_more(g))
			return give_up(g, "cannot send: the server takes nothing");
	}
	return EXIT_DONE;
}

/* What has come, read where it lies. 1: more may come, 0: complete, below 0: -errno, it ended. */
static int parse_arrived(struct get *g, http_parser *parser)
{
	struct tern_span span[4];
	int n = tern_recv_data(g->n->st, g->s, span, 4);

	if (n == 0) {
		http_parser_execute(parser, settings(), "", 0); /* an end may be what ends it */
		return g->complete ? 0 : -ECONNRESET;
	}
	for (int i = 0; i < n; i++) {
		size_t used =
			http_parser_execute(parser, settings(), (char *)span[i].ptr, span[i].len);

		g->heard = true;
		tern_recv_consume(g->n->st, g->s, used);
		g->drip += used;
		if (g->drip >= PROGRESS_MIN) { /* a server that drips byte by byte makes none */
			g->progress_at = loop_now();
			g->drip = 0;
		}
		if (g->complete || g->write_failed)
			return 0;
		if (HTTP_PARSER_ERRNO(parser) != HPE_OK)
			return -EPROTO;
	}
	return n < 0 && n != -TERN_EAGAIN ? n : 1;
}

static int read_answer(struct get *g)
{
	http_parser parser;
	int state;

	http_parser_init(&parser, HTTP_RESPONSE);
	parser.data = g;
	g->heard = false;
	while ((state = parse_arrived(g, &parser)) > 0) {
		show_progress(g, false);
		if (!wait_more(g))
			return give_up(g, "the server has fallen silent");
	}
	if (g->write_failed && net_interrupted()) /* nobody took what it printed */
		return give_up(g, g->out.name);
	if (g->write_failed)
		return refuse_output(g);
	if (state < 0 && g->reused && !g->heard)
		return ASK_AGAIN;
	if (state == -EPROTO && g->n_interim)
		return refuse(g, "interim answers and no other");
	if (state == -EPROTO)
		return refuse(g, "the answer is not HTTP: %s",
			      http_errno_description(HTTP_PARSER_ERRNO(&parser)));
	if (state < 0 && g->expected != UINT64_MAX && g->status)
		return refuse(g, "the connection ended after %" PRIu64 " of %" PRIu64 " bytes",
			      g->received, g->expected);
	if (state < 0)
		return refuse(g, "the connection ended before the answer was complete");
	if (!g->keep)
		disconnect(g);
	return EXIT_DONE;
}

static int ask_once(struct get *g)
{
	int code;

	g->received = g->drip = g->status = g->n_interim = 0;
	g->expected = UINT64_MAX;
	g->complete = g->keep = g->write_failed = g->discard = g->wrong_part = false;
	g->field = (struct http_field){ .len = 0 };
	forget_values(g);
	g->begun = loop_now();
	code = connect_to(g);
	g->progress_at = loop_now();
	if (code == EXIT_DONE)
		code = send_request(g);
	if (code == EXIT_DONE)
		code = read_answer(g);
	if (code != EXIT_DONE)
		disconnect(g);
	return code;
}

/* A kept connection may end just when it is used again: that says nothing of the server. */
static int one_request(struct get *g)
{
	int code = ask_once(g);

	return code == ASK_AGAIN ? ask_once(g) : code;
}

/* ---- one URL ---- */

static int open_output(struct get *g)
{
	struct get_output *o = &g->out;

	if (!g->output && !g->remote_name) {
		*o = (struct get_output){ .name = "standard output", .file = stdout };
		return EXIT_DONE;
	}
	if (g->output)
		snprintf(o->name, sizeof(o->name), "%s", g->output);
	else
		url_file_name(&g->url, o->name, sizeof(o->name));
	return get_output_find(o, g->resume) ? EXIT_DONE : refuse_output(g);
}

/* Does what there is (Content-Range: bytes *, slash, N) end where our file does? May be unsaid. */
static bool is_all_had(const struct get *g)
{
	const char *slash = strchr(g->range.text, '/');

	return g->status == 416 && g->out.had &&
	       (!slash || strtoull(slash + 1, NULL, 10) == g->out.had);
}

static int judge(struct get *g)
{
	if (g->wrong_part)
		return refuse(g, "the server sends another part than it was asked for");
	if (is_all_had(g)) {
		fprintf(stderr, "%s: %s is complete already\n", g->n->command, g->out.name);
		return EXIT_DONE;
	}
	if (g->status >= 400)
		return refuse(g, "the server says %u %s", g->status,
			      http_status_str((enum http_status)g->status));
	show_progress(g, true);
	return EXIT_DONE;
}

static int fetch(struct get *g, const char *text)
{
	const char *why = url_parse(&g->url, text);
	char shown[SHOWN_MAX];
	struct url next;
	int code;

	if (why) {
		fprintf(stderr, "%s: %s: %s\n", g->n->command,
			url_shown(text, shown, sizeof(shown)), why);
		return EXIT_USAGE;
	}
	code = open_output(g);
	for (int i = 0; code == EXIT_DONE; i++) {
		code = one_request(g);
		if (code != EXIT_DONE || !is_redirect(g->status))
			break;
		why = !g->location.len	   ? "it does not say where" :
		      !g->location.text[0] ? "it is too long" :
		      i == REDIRECTS_MAX   ? "too many in a row" :
					     url_follow(&next, &g->url, g->location.text);
		if (why) {
			code = refuse(g, "redirected to '%.200s': %s",
				      url_shown(g->location.text, shown, sizeof(shown)), why);
			break;
		}
		g->url = next;
	}
	if (code == EXIT_DONE)
		code = judge(g);
	return get_output_end(&g->out) ? code : refuse_output(g);
}

int cmd_get(int argc, char **argv)
{
	static struct get g;
	struct args a = args_of("tern get", argc, argv);
	struct net n;
	int code, worst = EXIT_DONE;

	memset(&g, 0, sizeof(g));
	g.timeout = 30 * TERN_SEC;
	g.on_terminal = isatty(STDERR_FILENO);
	code = read_options(&g, &a);
	if (code >= 0)
		return code;
	code = net_open(&n, &g.net, &a);
	if (code != EXIT_DONE)
		return code;
	g.n = &n;
	n.datagrams_only_ask = true;
	for (int i = 0; i < a.n_words && !net_interrupted(); i++) {
		code = fetch(&g, a.word[i]);
		worst = code > worst ? code : worst;
	}
	disconnect(&g);
	net_drain(&n);
	return net_close(&n, worst);
}
