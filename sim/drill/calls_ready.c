/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls_ready.c - calls that ask what is ready: poll, and epoll with its levels, edges and
 * EPOLLONESHOT.
 *
 * Readiness is what the stack says of a socket now. With EPOLLET it is reported once each time the
 * stack has news of the socket.
 */
#include <string.h>

#include "run.h"

enum { POLL_INVALID = 0x20 };
enum { CTL_ADD = 1, CTL_DEL = 2, CTL_MOD = 3 };
enum { FLAG_ONESHOT = 1 << 30 };
static const uint32_t FLAG_EDGE = 1u << 31;
static const unsigned ALWAYS = TERN_POLLERR | TERN_POLLHUP;

/* When a call with a time limit in milliseconds returns at the latest. */
static void set_limit(const struct drill *d, struct calling *c, int64_t timeout)
{
	if (!c->started && timeout >= 0)
		c->timer = d->now + MIN((tern_time)timeout, 1000000000) * TERN_MS;
	c->started = true;
}

static bool may_wait(const struct drill *d, const struct calling *c)
{
	return c->ev->call.blocking && d->now < c->timer;
}

/* ---- poll ---- */

struct polled {
	int64_t fd, events, revents;
};

static bool read_pollfd(struct drill *d, const struct calling *c, const struct expr *e,
			struct polled *p)
{
	p->revents = 0;
	if (!expr_number(e, "fd", &p->fd) || !expr_number(e, "events", &p->events) ||
	    (expr_field(e, "revents") && !expr_number(e, "revents", &p->revents)))
		return call_mistyped(d, c, 0, "[{fd=..., events=..., revents=...}]");
	return true;
}

static unsigned ready_of(struct drill *d, const struct polled *p)
{
	const struct fd *fd = fd_find(d, p->fd);

	if (p->fd < 0)
		return 0;
	if (!fd)
		return POLL_INVALID;
	return tern_poll(d->st, fd->sock) & ((unsigned)p->events | ALWAYS);
}

/* How many are ready; with `check`, their revents are compared. Negative: the script has ended. */
static int64_t poll_all(struct drill *d, const struct calling *c, bool check)
{
	const struct expr *list = call_arg(c, 0);
	struct polled p = { 0, 0, 0 };
	int64_t n = 0;

	if (list->kind != EXPR_LIST) {
		call_mistyped(d, c, 0, "a list");
		return -1;
	}
	for (const struct expr *e = list->items; e; e = e->next) {
		unsigned ready;

		if (!read_pollfd(d, c, e, &p))
			return -1;
		ready = ready_of(d, &p);
		n += ready != 0;
		if (check && ready != p.revents)
			call_differs(d, c, "revents", p.revents, ready);
	}
	return n;
}

int64_t run_poll(struct drill *d, struct calling *c)
{
	int64_t n = poll_all(d, c, false), timeout;

	if (n < 0 || !call_int(d, c, 2, &timeout))
		return CALL_ENDED;
	set_limit(d, c, timeout);
	if (n == 0 && may_wait(d, c))
		return CALL_WAIT;
	return poll_all(d, c, true) < 0 ? CALL_ENDED : n;
}

/* ---- epoll: what it looks at ---- */

void epoll_news(struct drill *d, tern_sock sock)
{
	for (int i = 0; i < WATCHES_MAX; i++) {
		struct watch *w = &d->watches[i];
		const struct fd *fd = w->used ? fd_find(d, w->number) : NULL;

		if (fd && fd->type != FD_EPOLL && fd->sock == sock)
			w->fresh = true;
	}
}

void epoll_forget(struct drill *d, const struct fd *fd)
{
	for (int i = 0; i < WATCHES_MAX; i++)
		if (d->watches[i].number == fd->number || d->watches[i].epoll == fd->number)
			d->watches[i].used = false;
}

static struct watch *find_watch(struct drill *d, int epoll, int number)
{
	for (int i = 0; i < WATCHES_MAX; i++)
		if (d->watches[i].used && d->watches[i].epoll == epoll &&
		    d->watches[i].number == number)
			return &d->watches[i];
	return NULL;
}

static struct watch *unused_watch(struct drill *d)
{
	for (int i = 0; i < WATCHES_MAX; i++)
		if (!d->watches[i].used)
			return &d->watches[i];
	return NULL;
}

int64_t run_epoll_create(struct drill *d, struct calling *c)
{
	int64_t size;

	if (!call_int(d, c, 0, &size))
		return CALL_ENDED;
	if (size <= 0 && strcmp(c->ev->call.kind->name, "epoll_create") == 0)
		return -TERN_EINVAL;
	return call_open(d, c, 0, FD_EPOLL, false);
}

/* {events=EPOLLIN, fd=4}; also ptr, u32 or u64 instead of fd. */
static bool read_event(const struct expr *e, uint32_t *events, uint64_t *data)
{
	static const char *const names[] = { "fd", "ptr", "u32", "u64" };
	int64_t v;

	if (!expr_number(e, "events", &v))
		return false;
	*events = (uint32_t)v;
	for (size_t i = 0; i < N_ELEMENTS(names); i++) {
		if (expr_number(e, names[i], &v)) {
			*data = (uint64_t)v;
			return true;
		}
	}
	return false;
}

static int64_t set_watch(struct drill *d, const struct calling *c, struct watch *w, struct watch to)
{
	if (!read_event(call_arg(c, 3), &to.events, &to.data)) {
		call_mistyped(d, c, 3, "{events=..., fd=...}");
		return CALL_ENDED;
	}
	if (!w) {
		drill_end(d, DRILL_UNSUPPORTED, "more than %d watched descriptors", WATCHES_MAX);
		return CALL_ENDED;
	}
	*w = to;
	return 0;
}

int64_t run_epoll_ctl(struct drill *d, struct calling *c)
{
	int64_t error, how, error2;
	const struct fd *epoll = call_fd(d, c, 0, &error), *fd = call_fd(d, c, 2, &error2);
	struct watch *w, to = { .used = true, .fresh = true };

	if (!epoll || !fd)
		return epoll ? error2 : error;
	if (!call_int(d, c, 1, &how))
		return CALL_ENDED;
	if (epoll->type != FD_EPOLL || fd->type == FD_EPOLL)
		return -TERN_EINVAL;
	to.epoll = epoll->number;
	to.number = fd->number;
	w = find_watch(d, to.epoll, to.number);
	if (how == CTL_ADD)
		return w ? -TERN_EEXIST : set_watch(d, c, unused_watch(d), to);
	if (how != CTL_DEL && how != CTL_MOD)
		return -TERN_EINVAL;
	if (!w)
		return -TERN_ENOENT;
	if (how == CTL_MOD)
		return set_watch(d, c, w, to);
	w->used = false;
	return 0;
}

/* ---- epoll_wait ---- */

/* What is to be reported of it; 0: nothing. */
static uint32_t report_of(struct drill *d, const struct watch *w)
{
	const struct fd *fd = fd_find(d, w->number);

	/* EPOLLONESHOT has left no events: not even errors are reported then. */
	if (!fd || !(w->events & ~(FLAG_EDGE | FLAG_ONESHOT)))
		return 0;
	if ((w->events & FLAG_EDGE) && !w->fresh)
		return 0;
	return tern_poll(d->st, fd->sock) & (w->events | ALWAYS);
}

struct found {
	struct watch *watch[WATCHES_MAX];
	int64_t n;
};

/* Up to max of those with something to report. */
static void collect(struct drill *d, int epoll, int64_t max, struct found *f)
{
	f->n = 0;
	for (int i = 0; i < WATCHES_MAX && f->n < max; i++)
		if (d->watches[i].used && d->watches[i].epoll == epoll &&
		    report_of(d, &d->watches[i]))
			f->watch[f->n++] = &d->watches[i];
}

/* One of those found is as the script says. */
static void check_event(struct drill *d, const struct calling *c, const struct expr *e,
			const struct found *f)
{
	uint64_t data;
	uint32_t events;

	if (!read_event(e, &events, &data)) {
		call_mistyped(d, c, 1, "{events=..., fd=...}, or several in brackets");
		return;
	}
	for (int64_t i = 0; i < f->n; i++) {
		if (f->watch[i]->data != data)
			continue;
		if (report_of(d, f->watch[i]) != events)
			call_differs(d, c, "events", events, report_of(d, f->watch[i]));
		return;
	}
	call_differs(d, c, "what is ready", (int64_t)data, (int64_t)f->watch[0]->data);
}

static void check_events(struct drill *d, const struct calling *c, const struct found *f)
{
	const struct expr *e = call_arg(c, 1);

	if (e->kind != EXPR_LIST || f->n == 0)
		return;
	if (expr_field(e, "events")) {
		check_event(d, c, e, f);
		return;
	}
	for (e = e->items; e; e = e->next)
		check_event(d, c, e, f);
}

int64_t run_epoll_wait(struct drill *d, struct calling *c)
{
	struct found f;
	int64_t error, max, timeout;
	const struct fd *epoll = call_fd(d, c, 0, &error);

	if (!epoll)
		return error;
	if (!call_int(d, c, 2, &max) || !call_int(d, c, 3, &timeout))
		return CALL_ENDED;
	if (epoll->type != FD_EPOLL || max <= 0)
		return -TERN_EINVAL;
	set_limit(d, c, timeout);
	collect(d, epoll->number, max, &f);
	if (f.n == 0 && may_wait(d, c))
		return CALL_WAIT;
	check_events(d, c, &f);
	for (int64_t i = 0; i < f.n; i++) {
		f.watch[i]->fresh = false;
		if (f.watch[i]->events & FLAG_ONESHOT)
			f.watch[i]->events = 0;
	}
	return f.n;
}
