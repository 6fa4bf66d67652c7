/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_peer.c - who is at the other end of --dev sim: a host with a few services, in this process.
 *
 * It answers pings (its stack does), says back what it hears on TCP and UDP port 7, and serves HTTP
 * on port 80: GET /N gives N bytes (/200k, /5M), GET / a line of text. For commands that listen it
 * is the one that calls: it says its text and reads until the end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"

enum { CONNS_MAX = 64, REQUEST_MAX = 4096, PIECE = 16384, ECHO_PORT = 7, HTTP_PORT = 80 };

static const uint64_t SIZE_ASKED_MAX = (uint64_t)1 << 60;

enum conn_kind { CONN_FREE, CONN_ECHO, CONN_HTTP, CONN_CALL };

struct conn {
	tern_sock s;
	enum conn_kind kind;
	char buf[PIECE]; /* to be said */
	size_t len;
	char request[REQUEST_MAX]; /* so far, and what came behind it */
	size_t request_len;
	uint64_t body_left; /* of the answer */
	bool asked;	    /* the request is complete */
	bool said;	    /* CONN_CALL */
};

struct sim_peer {
	struct tern_stack *st;
	tern_sock echo, http, udp;
	struct conn conn[CONNS_MAX];
	struct tern_addr call_to;
	char call_text[256];
	bool wants_call;
};

static tern_sock listen_on(struct tern_stack *st, uint16_t port)
{
	struct tern_addr any = { .family = TERN_AF_INET6, .port = port };
	tern_sock s;

	if (tern_socket(st, TERN_AF_INET6, TERN_SOCK_STREAM, 0, &s))
		return 0;
	if (tern_bind(st, s, &any) || tern_listen(st, s, CONNS_MAX)) {
		tern_close(st, s);
		return 0;
	}
	return s;
}

struct sim_peer *sim_peer_new(struct tern_stack *st)
{
	struct tern_addr any = { .family = TERN_AF_INET6, .port = ECHO_PORT };
	struct sim_peer *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->st = st;
	p->echo = listen_on(st, ECHO_PORT);
	p->http = listen_on(st, HTTP_PORT);
	if (tern_socket(st, TERN_AF_INET6, TERN_SOCK_DGRAM, 0, &p->udp) == 0)
		tern_bind(st, p->udp, &any);
	return p;
}

void sim_peer_free(struct sim_peer *p)
{
	free(p);
}

void sim_peer_call(struct sim_peer *p, uint16_t port, const char *text)
{
	p->call_to = tern_ip4(10, 0, 0, 1, port);
	snprintf(p->call_text, sizeof(p->call_text), "%s", text);
	p->wants_call = true;
}

static struct conn *new_conn(struct sim_peer *p, tern_sock s, enum conn_kind kind)
{
	for (int i = 0; i < CONNS_MAX; i++) {
		if (p->conn[i].kind != CONN_FREE)
			continue;
		memset(&p->conn[i], 0, sizeof(p->conn[i]));
		p->conn[i].s = s;
		p->conn[i].kind = kind;
		return &p->conn[i];
	}
	tern_abort(p->st, s);
	return NULL;
}

static void end_conn(struct sim_peer *p, struct conn *c)
{
	tern_close(p->st, c->s);
	c->kind = CONN_FREE;
}

/* Can the connection not go on? n is what a send or a receive said. */
static bool is_over(int64_t n)
{
	return n < 0 && n != -TERN_EAGAIN;
}

/* Says what is in buf, as far as there is room. false: the connection has ended. */
static bool say(struct sim_peer *p, struct conn *c)
{
	int64_t n = c->len ? tern_send(p->st, c->s, c->buf, c->len, 0) : 0;

	if (is_over(n))
		return false;
	if (n > 0) {
		c->len -= (size_t)n;
		memmove(c->buf, c->buf + n, c->len);
	}
	return true;
}

/* ---- echo ---- */

static void turn_echo(struct sim_peer *p, struct conn *c)
{
	int64_t n = 1;

	while (n > 0) {
		if (c->len == 0) {
			n = tern_recv(p->st, c->s, c->buf, sizeof(c->buf), 0);
			if (n == 0 || is_over(n)) {
				end_conn(p, c);
				return;
			}
			c->len = n > 0 ? (size_t)n : 0;
		}
		if (!say(p, c)) {
			end_conn(p, c);
			return;
		}
		if (c->len)
			return;
	}
}

/* ---- HTTP ---- */

/* "/200k": 200000; what is no such number, or too large a one: UINT64_MAX. */
static uint64_t size_of_path(const char *path)
{
	uint64_t n = 0, unit = 1;
	const char *p = path + 1;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (n > SIZE_ASKED_MAX / 10)
			return UINT64_MAX;
		n = n * 10 + (uint64_t)(*p - '0');
	}
	if (p == path + 1)
		return UINT64_MAX;
	if (*p == 'k' || *p == 'M')
		unit = *p++ == 'k' ? 1000 : 1000000;
	return *p == 0 && n <= SIZE_ASKED_MAX / unit ? n * unit : UINT64_MAX;
}

/* The head of the answer to the request in buf, to be said first. */
static void answer(struct conn *c)
{
	static const char hello[] = "hello from the other end of a simulated wire\n";
	char path[256] = "";
	const char *status = "200 OK", *text = "";
	uint64_t n = 0;

	if (sscanf(c->request, "GET %255s HTTP/1.", path) != 1 || path[0] != '/') {
		status = "400 Bad Request";
	} else if (strcmp(path, "/") == 0) {
		text = hello;
	} else if ((n = size_of_path(path)) == UINT64_MAX) {
		status = "404 Not Found";
		n = 0;
	}
	c->len = (size_t)snprintf(c->buf, sizeof(c->buf),
				  "HTTP/1.1 %s\r\nContent-Length: %llu\r\n\r\n%s", status,
				  (unsigned long long)(n + strlen(text)), text);
	c->body_left = n;
	c->asked = true;
}

/* true: all of the answer is said. */
static bool send_answer(struct sim_peer *p, struct conn *c, bool *over)
{
	static const char line[] =
		"0123456789abcdefghijklmnopqrstuvwxyz-all-that-there-is-to-say--\n";
	char piece[PIECE];
	int64_t n = 1;

	*over = !say(p, c);
	if (*over || c->len)
		return false;
	for (size_t i = 0; i < sizeof(piece); i++)
		piece[i] = line[i % (sizeof(line) - 1)];
	while (c->body_left && n > 0) {
		size_t len = c->body_left < PIECE ? (size_t)c->body_left : PIECE;

		n = tern_send(p->st, c->s, piece, len, 0);
		if (n > 0)
			c->body_left -= (uint64_t)n;
	}
	*over = is_over(n);
	return c->body_left == 0;
}

/* Reads more of the request; false: there is nothing more now, or *over. */
static bool read_request(struct sim_peer *p, struct conn *c, bool *over)
{
	int64_t n = tern_recv(p->st, c->s, c->request + c->request_len,
			      REQUEST_MAX - 1 - c->request_len, 0);

	*over = n == 0 || is_over(n); /* no room for more of it: n is 0, too */
	if (n <= 0)
		return false;
	c->request_len += (size_t)n;
	c->request[c->request_len] = 0;
	return true;
}

static void turn_http(struct sim_peer *p, struct conn *c)
{
	bool over = false, more = true;

	while (more && !over) {
		const char *end = c->asked ? NULL : strstr(c->request, "\r\n\r\n");

		if (end) {
			answer(c);
			c->request_len -= (size_t)(end + 4 - c->request);
			memmove(c->request, end + 4, c->request_len + 1);
		}
		if (c->asked) {
			more = send_answer(p, c, &over);
			c->asked = !more;
		} else {
			more = read_request(p, c, &over);
		}
	}
	if (over)
		end_conn(p, c);
}

/* ---- calling ---- */

static void turn_call(struct sim_peer *p, struct conn *c)
{
	int64_t n;

	if (!c->said && (tern_poll(p->st, c->s) & TERN_POLLOUT)) {
		tern_send(p->st, c->s, p->call_text, strlen(p->call_text), 0);
		tern_shutdown(p->st, c->s, TERN_SHUT_WR);
		c->said = true;
	}
	while ((n = tern_recv(p->st, c->s, c->buf, sizeof(c->buf), 0)) > 0)
		continue;
	if (n != -TERN_EAGAIN)
		end_conn(p, c);
}

static void begin_call(struct sim_peer *p)
{
	tern_sock s;

	if (!p->wants_call || tern_socket(p->st, p->call_to.family, TERN_SOCK_STREAM, 0, &s))
		return;
	p->wants_call = false;
	if (tern_connect(p->st, s, &p->call_to) == -TERN_EINPROGRESS)
		new_conn(p, s, CONN_CALL);
	else
		tern_close(p->st, s);
}

/* ---- all ---- */

static void accept_all(struct sim_peer *p, tern_sock listener, enum conn_kind kind)
{
	tern_sock s;

	while (listener && tern_accept(p->st, listener, &s, NULL) == 0)
		new_conn(p, s, kind);
}

static void echo_datagrams(struct sim_peer *p)
{
	static char bytes[65536];
	struct tern_addr from;
	int64_t n;

	while ((n = tern_recvfrom(p->st, p->udp, bytes, sizeof(bytes), 0, &from)) >= 0)
		tern_sendto(p->st, p->udp, bytes, (size_t)n, 0, &from);
}

void sim_peer_turn(struct sim_peer *p)
{
	struct tern_event ev;

	while (tern_event(p->st, &ev))
		continue;
	begin_call(p);
	accept_all(p, p->echo, CONN_ECHO);
	accept_all(p, p->http, CONN_HTTP);
	if (p->udp)
		echo_datagrams(p);
	for (int i = 0; i < CONNS_MAX; i++) {
		struct conn *c = &p->conn[i];

		if (c->kind == CONN_ECHO)
			turn_echo(p, c);
		else if (c->kind == CONN_HTTP)
			turn_http(p, c);
		else if (c->kind == CONN_CALL)
			turn_call(p, c);
	}
}
