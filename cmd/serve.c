/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * serve.c - tern serve: the files below a directory by HTTP/1.1 over tern's own sockets.
 *
 * Each connection is a small machine: read a request, say its head, say its body, and again. Bodies
 * are read from the file straight into the send buffer. A connection that takes too long for a
 * request, does not read its answer, or sends more of a head than anyone needs, is ended.
 */
#define _GNU_SOURCE
#include "serve.h"

#include <errno.h>
#include <fcntl.h>
#include <http_parser.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "../core/base/addr.h"
#include "cmd.h"
#include "http_head.h"
#include "net.h"

enum { CONNS_MAX = 4096, READ_MAX = 16384 };

static const tern_time IDLE_MAX = 60 * TERN_SEC;

enum phase { READING, SAYING_HEAD, SAYING_BODY };

struct conn {
	struct conn *next, **prev; /* of the server's list */
	struct server *server;
	tern_sock s;
	enum phase phase;
	http_parser parser;
	struct request request;
	struct http_field field;
	size_t target_len, range_len;
	bool is_range, complete, keep;
	struct answer answer;
	size_t head_said;
	uint64_t body_said;
	tern_time moved_at; /* when the request began to be waited for, or last bytes were said */
};

struct server {
	struct net_options net;
	uint64_t port, count; /* count: requests after which it ends; 0: never */
	bool quiet;
	struct net *n;
	int root;
	tern_sock listener;
	struct conn *conns;
	unsigned n_conns;
	uint64_t n_requests;
};

static void print_help(void)
{
	printf("usage: tern serve [OPTIONS] DIR\n\n"
	       "Serves the files below a directory by HTTP.\n\n"
	       "  --port N          where (default 80)\n"
	       "  --count N         end after N requests (default: when interrupted)\n"
	       "  -q                no line for each request\n");
	net_print_help("sim");
	printf("\nExit: 0 it was told to end, 2 usage, no such directory or device.\n");
}

/* ---- a request, as http_parser reads it ---- */

static int on_target(http_parser *parser, const char *at, size_t len)
{
	struct conn *c = parser->data;

	if (c->target_len + len >= sizeof(c->request.target)) {
		c->request.too_long = true;
		return 0;
	}
	memcpy(c->request.target + c->target_len, at, len);
	c->target_len += len;
	c->request.target[c->target_len] = 0;
	return 0;
}

static int on_field(http_parser *parser, const char *at, size_t len)
{
	struct conn *c = parser->data;

	http_field_name(&c->field, at, len);
	return 0;
}

static int on_value(http_parser *parser, const char *at, size_t len)
{
	struct conn *c = parser->data;

	if (http_field_value(&c->field))
		c->is_range = strcasecmp(c->field.name, "Range") == 0;
	if (c->is_range)
		http_add(c->request.range, sizeof(c->request.range), &c->range_len, at, len);
	return 0;
}

static int on_complete(http_parser *parser)
{
	struct conn *c = parser->data;

	c->complete = true;
	c->keep = http_should_keep_alive(parser);
	c->request.head = parser->method == HTTP_HEAD;
	c->request.known_method = parser->method == HTTP_GET || parser->method == HTTP_HEAD;
	http_parser_pause(parser, 1);
	return 0;
}

static const http_parser_settings *settings(void)
{
	static http_parser_settings s;

	http_parser_settings_init(&s);
	s.on_url = on_target;
	s.on_header_field = on_field;
	s.on_header_value = on_value;
	s.on_message_complete = on_complete;
	return &s;
}

/* ---- a connection ---- */

static void begin_request(struct conn *c)
{
	memset(&c->request, 0, sizeof(c->request));
	c->field = (struct http_field){ .len = 0 };
	c->target_len = c->range_len = 0;
	c->complete = false;
	c->phase = READING;
	c->moved_at = loop_now();
	http_parser_init(&c->parser, HTTP_REQUEST);
	c->parser.data = c;
}

static void end_conn(struct conn *c)
{
	if (c->phase != READING)
		body_fini(&c->answer.body);
	tern_close(c->server->n->st, c->s);
	*c->prev = c->next;
	if (c->next)
		c->next->prev = c->prev;
	c->server->n_conns--;
	free(c);
}

static void log_request(const struct conn *c)
{
	char peer[TERN_ADDR_TEXT_MAX];
	struct tern_addr a;

	if (c->server->quiet || tern_getpeername(c->server->n->st, c->s, &a) != 0)
		return;
	a = addr_plain(&a); /* who came by IPv4 is called so: one socket hears both */
	fprintf(stderr, "%s %s %s %u\n", tern_addr_format(&a, true, peer),
		http_method_str((enum http_method)c->parser.method), c->request.target,
		c->answer.status);
}

/* 1: some of it was read, 0: there is no more of it now, -1: the connection has ended. */
static int read_request(struct conn *c)
{
	char bytes[READ_MAX];
	size_t used;
	int64_t n = tern_recv(c->server->n->st, c->s, bytes, sizeof(bytes), TERN_MSG_PEEK);

	if (n <= 0)
		return n == -TERN_EAGAIN ? 0 : -1;
	used = http_parser_execute(&c->parser, settings(), bytes, (size_t)n);
	if (!c->complete && HTTP_PARSER_ERRNO(&c->parser) != HPE_OK) {
		used = (size_t)n;	  /* unread bytes would make the close a reset */
		c->request.target[0] = 0; /* not HTTP, or too much of it: 400, and the end */
		c->request.known_method = true;
		c->complete = true;
		c->keep = false;
	}
	tern_recv(c->server->n->st, c->s, bytes, used, 0); /* what follows is the next request */
	if (!c->complete)
		return 1;
	c->answer.keep = c->keep;
	serve_answer(c->server->root, &c->request, &c->answer);
	c->server->n_requests++;
	c->head_said = 0;
	c->body_said = 0;
	c->phase = SAYING_HEAD;
	log_request(c);
	return 1;
}

/* 1: all is said, 0: there is no more room now, -1: the connection has ended. */
static int say_head(struct conn *c)
{
	size_t len = strlen(c->answer.head);
	int more = c->answer.body.left ? TERN_MSG_MORE : 0;

	while (c->head_said < len) {
		int64_t n = tern_send(c->server->n->st, c->s, c->answer.head + c->head_said,
				      len - c->head_said, more);

		if (n <= 0)
			return n == -TERN_EAGAIN ? 0 : -1;
		c->head_said += (size_t)n;
		c->moved_at = loop_now();
	}
	return 1;
}

/* Bytes of the body into a span of the send buffer; 0: the file ends too early. */
static size_t fill_span(struct body *b, uint64_t said, const struct tern_span *span)
{
	size_t want = span->len < b->left ? span->len : (size_t)b->left;
	ssize_t n;

	if (b->fd < 0) {
		memcpy(span->ptr, b->bytes + said, want);
		return want;
	}
	n = pread(b->fd, span->ptr, want, (off_t)(b->off + said));
	return n > 0 ? (size_t)n : 0;
}

static int say_body(struct conn *c)
{
	struct tern_stack *st = c->server->n->st;
	struct body *b = &c->answer.body;

	while (b->left) {
		struct tern_span span[4];
		size_t len = 0;
		int n = tern_send_space(st, c->s, span, 4);

		if (n < 0)
			return n == -TERN_EAGAIN ? 0 : -1;
		for (int i = 0; i < n && b->left; i++) {
			size_t got = fill_span(b, c->body_said, &span[i]);

			if (got == 0) { /* it has shrunk: what was promised cannot be kept */
				tern_abort(st, c->s);
				return -1;
			}
			len += got;
			c->body_said += got;
			b->left -= got;
			if (got < span[i].len)
				break;
		}
		if (tern_send_commit(st, c->s, len, 0) != 0)
			return -1;
		c->moved_at = loop_now();
	}
	return 1;
}

/* Goes as far as it goes; frees c when the connection has ended. */
static void turn_conn(struct conn *c)
{
	for (;;) {
		int done = 1;

		while (c->phase == READING && done > 0)
			done = read_request(c);
		if (done > 0 && c->phase == SAYING_HEAD)
			done = say_head(c);
		if (done > 0) {
			c->phase = SAYING_BODY;
			done = say_body(c);
		}
		if (done == 0)
			return;
		body_fini(&c->answer.body);
		if (done < 0 || !c->keep)
			break;
		begin_request(c);
	}
	end_conn(c);
}

/* ---- the server ---- */

static void accept_all(struct server *v)
{
	tern_sock s;

	while (v->n_conns < CONNS_MAX && tern_accept(v->n->st, v->listener, &s, NULL) == 0) {
		struct conn *c = calloc(1, sizeof(*c));

		if (!c) {
			tern_abort(v->n->st, s);
			continue;
		}
		c->server = v;
		c->s = s;
		c->answer.body.fd = -1;
		c->next = v->conns;
		c->prev = &v->conns;
		if (c->next)
			c->next->prev = &c->next;
		v->conns = c;
		v->n_conns++;
		tern_set_user(v->n->st, s, c);
		begin_request(c);
		turn_conn(c);
	}
}

static void end_idle(struct server *v)
{
	struct conn *c, *next;

	for (c = v->conns; c; c = next) {
		next = c->next;
		if (loop_now() - c->moved_at <= IDLE_MAX)
			continue;
		if (c->phase != READING) /* whoever does not read an answer is not waited for */
			tern_abort(v->n->st, c->s);
		end_conn(c);
	}
}

static int begin(struct server *v)
{
	struct tern_addr any = { .family = TERN_AF_INET6, .port = (uint16_t)v->port };
	int err = tern_socket(v->n->st, TERN_AF_INET6, TERN_SOCK_STREAM, 0, &v->listener);

	if (!err)
		err = tern_bind(v->n->st, v->listener, &any);
	if (!err)
		err = tern_listen(v->n->st, v->listener, 1024);
	if (!err)
		return EXIT_DONE;
	fprintf(stderr, "%s: port %u: %s\n", v->n->command, (unsigned)v->port, strerror(-err));
	return EXIT_USAGE;
}

static int run(struct server *v)
{
	tern_time sweep_at = loop_now() + TERN_SEC;
	struct tern_event ev;

	if (begin(v) != EXIT_DONE)
		return EXIT_USAGE;
	if (!v->quiet)
		fprintf(stderr, "%s: listening on port %u\n", v->n->command, (unsigned)v->port);
	if (v->n->peer) { /* who else would call? */
		sim_peer_call(v->n->peer, (uint16_t)v->port,
			      "GET / HTTP/1.1\r\nHost: 10.0.0.1\r\nConnection: close\r\n\r\n");
		v->count = v->count ? v->count : 1;
	}
	while (!net_interrupted() && (v->count == 0 || v->n_requests < v->count || v->conns)) {
		net_turn(v->n, sweep_at, NULL, 0);
		while (tern_event(v->n->st, &ev)) {
			if (ev.sock != v->listener && ev.user)
				turn_conn(ev.user);
		}
		accept_all(v); /* also those for whom there was no room before */
		if (loop_now() < sweep_at)
			continue;
		end_idle(v);
		sweep_at = loop_now() + TERN_SEC;
	}
	tern_close(v->n->st, v->listener);
	while (v->conns)
		end_conn(v->conns);
	net_drain(v->n);
	return EXIT_DONE;
}

static enum taken take_option(struct args *a, void *ctx)
{
	struct server *v = ctx;

	if (args_is(a, "--port"))
		return args_taken(args_count(a, 65535, &v->port));
	if (args_is(a, "--count"))
		return args_taken(args_count(a, UINT32_MAX, &v->count));
	if (args_is(a, "-q"))
		return args_taken(v->quiet = true);
	return net_take_option(a, &v->net);
}

static int read_options(struct server *v, struct args *a)
{
	int code = args_read(a, print_help, take_option, v);

	if (code >= 0)
		return code;
	if (a->n_words != 1)
		return args_error(a, "one directory is needed");
	if (v->port == 0)
		return args_error(a, "--port: 0 is no port that anyone could ask");
	v->root = open(a->word[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (v->root >= 0)
		return -1;
	fprintf(stderr, "%s: %s: %s\n", a->command, a->word[0], strerror(errno));
	return EXIT_USAGE;
}

int cmd_serve(int argc, char **argv)
{
	static struct server v;
	struct args a = args_of("tern serve", argc, argv);
	struct net n;
	int code;

	v = (struct server){ .port = 80, .root = -1 };
	code = read_options(&v, &a);
	if (code >= 0)
		return code;
	code = net_open(&n, &v.net, &a);
	if (code != EXIT_DONE)
		return code;
	v.n = &n;
	code = run(&v);
	close(v.root);
	return net_close(&n, code);
}
