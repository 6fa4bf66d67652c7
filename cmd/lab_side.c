/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lab_side.c - one side of a lab: a small event-driven program on tern's socket calls.
 *
 * What it sends is a text and then a pattern that depends on the position and the sender, so that
 * the other side can check every byte without keeping any.
 */
#include "lab.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE = 16384, SPANS = 6 };

static struct side *other_side(struct side *s)
{
	if (s->lab->to_itself)
		return s;
	return s == &s->lab->client ? &s->lab->server : &s->lab->client;
}

static void fill(const struct side *sender, uint64_t from, uint8_t *buf, size_t len)
{
	size_t text_len = sender->text ? strlen(sender->text) : 0;

	for (uint64_t i = from; i < from + len; i++)
		*buf++ = i < text_len ?
				 (uint8_t)sender->text[i] :
				 (uint8_t)(i * 31 + (i >> 8) * 17 + (uint64_t)sender->host * 101);
}

static void note_error(struct side *s, int64_t result)
{
	if (result < 0 && result != -TERN_EAGAIN && !s->error)
		s->error = (int)-result;
}

/* ---- what a scenario may say ---- */

void side_listen(struct side *s, uint16_t port)
{
	struct tern_addr at = s->addr;

	at.port = port;
	note_error(s, tern_socket(s->st, s->lab->family, TERN_SOCK_STREAM, 0, &s->listener));
	note_error(s, tern_bind(s->st, s->listener, &at));
	note_error(s, tern_listen(s->st, s->listener, 8));
}

void side_connect(struct side *s, uint16_t from_port, const struct tern_addr *to)
{
	struct tern_addr from = s->addr;
	int err;

	note_error(s, tern_socket(s->st, s->lab->family, TERN_SOCK_STREAM, 0, &s->sock));
	if (from_port) {
		from.port = from_port;
		note_error(s, tern_bind(s->st, s->sock, &from));
	}
	err = tern_connect(s->st, s->sock, to);
	if (err != -TERN_EINPROGRESS)
		note_error(s, err);
}

/* Straight into the send buffer, as much as it takes. */
static void pump(struct side *s)
{
	struct tern_span span[SPANS];

	while (s->sock && s->sent < s->to_send) {
		int n = tern_send_space(s->st, s->sock, span, SPANS), err;
		size_t len = 0;

		for (int i = 0; i < n; i++) {
			uint64_t left = s->to_send - s->sent - len;
			size_t take = left < span[i].len ? (size_t)left : span[i].len;

			fill(s, s->sent + len, span[i].ptr, take);
			len += take;
		}
		err = n > 0 ? tern_send_commit(s->st, s->sock, len, 0) : n;
		note_error(s, err);
		if (err)
			return;
		s->sent += len;
	}
}

void side_send(struct side *s, const char *text, uint64_t n_bytes)
{
	if (text)
		s->text = text;
	s->to_send += n_bytes;
	other_side(s)->expected = s->to_send;
	pump(s);
}

void side_shut(struct side *s)
{
	note_error(s, tern_shutdown(s->st, s->sock, TERN_SHUT_WR));
}

void side_close(struct side *s)
{
	if (s->closed || !s->sock)
		return;
	note_error(s, tern_close(s->st, s->sock));
	s->closed = true;
}

void side_abort(struct side *s)
{
	note_error(s, tern_abort(s->st, s->sock));
	s->closed = true;
}

void side_set(struct side *s, int level, int name, int value)
{
	int32_t v = value;

	note_error(s, tern_setsockopt(s->st, s->sock ? s->sock : s->listener, level, name, &v,
				      sizeof(v)));
}

bool side_got_all(const struct side *s)
{
	return s->expected > 0 && s->received >= s->expected && !s->wrong;
}

struct later {
	struct lab *lab;
	void (*fn)(struct lab *);
};

static void run_later(void *ctx)
{
	struct later l = *(struct later *)ctx;

	free(ctx);
	l.fn(l.lab);
}

void lab_after(struct lab *lab, tern_time delay, void (*fn)(struct lab *))
{
	struct later *l = malloc(sizeof(*l));

	if (!l || tern_sim_at(lab->pair.sim, tern_sim_now(lab->pair.sim) + delay, run_later, l)) {
		free(l);
		lab->failure = "memory is short";
		return;
	}
	*l = (struct later){ lab, fn };
}

/* ---- what happens to it ---- */

static void take_bytes(struct side *s, const uint8_t *buf, size_t n)
{
	uint8_t want[PIECE];

	fill(other_side(s), s->received, want, n);
	if (memcmp(buf, want, n) != 0)
		s->wrong = true;
	s->received += n;
}

static void drain(struct side *s)
{
	uint8_t buf[PIECE];

	while (!s->paused && s->sock && !s->closed && !s->eof) {
		int64_t n = tern_recv(s->st, s->sock, buf, sizeof(buf), 0);

		if (n > 0) {
			take_bytes(s, buf, (size_t)n);
			continue;
		}
		if (n == 0)
			s->eof = true;
		note_error(s, n);
		return;
	}
}

void side_resume(struct side *s)
{
	s->paused = false;
	drain(s);
	if (s->lab->scenario->progress)
		s->lab->scenario->progress(s->lab, s);
}

static void take_urgent(struct side *s)
{
	uint8_t byte;

	if (tern_recv(s->st, s->sock, &byte, 1, TERN_MSG_OOB) == 1) {
		s->urgent_byte = byte;
	}
}

static void take_error(struct side *s)
{
	int32_t err = 0;
	size_t len = sizeof(err);

	tern_getsockopt(s->st, s->sock, TERN_SOL_SOCKET, TERN_SO_ERROR, &err, &len);
	if (err && !s->error)
		s->error = err;
}

void lab_on_event(void *ctx, int host, const struct tern_event *ev)
{
	struct lab *lab = ctx;
	struct side *s = host == 0 ? &lab->client : &lab->server;

	if (ev->sock == s->listener) {
		if (!s->sock && tern_accept(s->st, s->listener, &s->sock, NULL) == 0)
			s->connected = true;
	} else if (ev->sock != s->sock || s->closed) {
		return;
	}
	if (ev->sock == s->sock) {
		if (ev->ready & TERN_POLLERR)
			take_error(s);
		else if (ev->ready & TERN_POLLOUT)
			s->connected = true;
	}
	if (s->sock && (tern_poll(s->st, s->sock) & TERN_POLLPRI))
		take_urgent(s);
	if (s->connected && !s->error)
		pump(s);
	drain(s);
	if (lab->scenario->progress)
		lab->scenario->progress(lab, s);
}
