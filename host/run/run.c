/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run.c - the face of host/run: one turn of the supervisor.
 *
 * One epoll set holds where calls come from, the keeper, and our ends of all pairs. A turn
 * takes the stack's events, then what the set has, and looks at the parked calls when that is
 * due.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inside.h"

/* of 6.6: the answer wakes the caller on this processor, which is several times faster */
#define NOTIF_SET_FLAGS _IOW('!', 4, uint64_t)
enum { NOTIF_SYNC_WAKE_UP = 1, EVENTS_MAX = 64 };

void run_warn(struct run *r, const char *format, ...)
{
	va_list ap;

	if (r->warned) /* one line: the cause is the same */
		return;
	r->warned = true;
	va_start(ap, format);
	fputs("tern run: ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
}

static bool watch_own(struct run *r, int *fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = fd };

	return epoll_ctl(r->set, EPOLL_CTL_ADD, *fd, &ev) == 0;
}

struct run *run_start(struct tern_stack *st, struct run_wish *w)
{
	struct run *r = calloc(1, sizeof(*r));

	if (!r) {
		snprintf(w->error, sizeof(w->error), "out of memory");
		return NULL;
	}
	r->st = st;
	r->listener = r->keeper = -1;
	r->closes = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	r->loopback = w->loopback;
	r->loopback6 = w->loopback6;
	r->fallback = w->fallback;
	list_init(&r->all);
	list_init(&r->named);
	list_init(&r->dead);
	r->can_restart = !w->kernel_tcp && run_probe() == RUN_PROBE_GOOD;
	r->set = epoll_create1(EPOLL_CLOEXEC);
	if (r->set < 0) {
		snprintf(w->error, sizeof(w->error), "epoll: %s", strerror(errno));
		run_free(r);
		return NULL;
	}
	if (!launch(r, w)) {
		run_free(r);
		return NULL;
	}
	if (!w->kernel_tcp) {
		ioctl(r->listener, NOTIF_SET_FLAGS, (unsigned long)NOTIF_SYNC_WAKE_UP);
		watch_own(r, &r->listener);
	}
	watch_own(r, &r->keeper);
	watch_own(r, &r->closes);
	return r;
}

void run_free(struct run *r)
{
	if (!r)
		return;
	if (r->keeper >= 0)
		close(r->keeper); /* it ends what still lives, and then itself */
	if (r->keeper_pid > 0 && !r->over)
		while (waitpid(r->keeper_pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	while (r->parked)
		call_answer(r, r->parked, -EINTR);
	pairs_fini(r);
	if (r->listener >= 0)
		close(r->listener);
	if (r->closes >= 0)
		close(r->closes);
	if (r->set >= 0)
		close(r->set);
	free(r);
}

int run_device(const struct run *r)
{
	return r->listener;
}

int run_fd(const struct run *r)
{
	return r->set;
}

static void pair_news(struct run *r, struct pair *p)
{
	if (p->gone || !p->s)
		return;
	if (p->type != SOCK_STREAM) {
		letters_pump(r, p);
		call_look_again(r, p);
	} else if (p->state == PAIR_CONNECTING) {
		connect_news(r, p);
	} else if (p->state == PAIR_LISTENING) {
		listener_news(r, p);
	} else {
		pump_stream(r, p);
		call_look_again(r, p);
	}
}

static void take_stack_events(struct run *r)
{
	struct tern_event ev;

	while (r->st && tern_event(r->st, &ev))
		if (ev.user)
			pair_news(r, ev.user);
}

static void take_event(struct run *r, const struct epoll_event *ev)
{
	struct pair *p = ev->data.ptr;

	if (ev->data.ptr == &r->keeper) {
		launch_news(r);
	} else if (ev->data.ptr == &r->closes) {
		closes_news(r);
	} else if (ev->data.ptr == &r->listener) {
		if (ev->events & EPOLLIN)
			call_take(r);
		else /* no task has the filter any more; the keeper tells of it, too */
			epoll_ctl(r->set, EPOLL_CTL_DEL, r->listener, NULL);
	} else if (!p->gone && p->fd >= 0) {
		if (ev->events & EPOLLHUP)
			pump_hangup(r, p);
		else
			pair_news(r, p);
	}
}

void run_turn(struct run *r)
{
	struct epoll_event ev[EVENTS_MAX];
	int n;

	take_stack_events(r);
	n = epoll_wait(r->set, ev, EVENTS_MAX, 0);
	for (int i = 0; i < n; i++)
		take_event(r, &ev[i]);
	parked_look(r);
	take_stack_events(r);
	pairs_free_gone(r);
}

tern_time run_deadline(const struct run *r)
{
	return r->over ? 0 : parked_deadline(r); /* that it is over is news */
}

bool run_exited(const struct run *r, int *status)
{
	if (r->first_ended)
		*status = r->status;
	return r->first_ended;
}

bool run_is_over(const struct run *r)
{
	return r->over;
}

bool run_has_unsaid(const struct run *r)
{
	for (const struct list *l = r->all.next; l != &r->all; l = l->next) {
		const struct pair *p = CONTAINER_OF(l, struct pair, all_link);

		if (p->type == SOCK_STREAM && p->state == PAIR_OPEN && !p->gone && !p->broken)
			return true;
	}
	return false;
}

void run_signal(struct run *r, int sig)
{
	r->passed_on = sig;
	if (r->first > 0)
		kill(r->first, sig);
	else if (!r->over)
		keeper_signal_children(r->keeper_pid, sig);
}

struct run_counts run_counts(const struct run *r)
{
	return r->counts;
}
