/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parked.c - calls that wait: their deadlines, their signals, and their end.
 *
 * A caller whose call is being answered sleeps where only a fatal signal reaches it; else a
 * signal between question and answer would undo an answer whose effect is done. A call that
 * waits long has no effect yet, so here it is looked every now and then whether a signal waits
 * that the caller would take, and the call is given back to the kernel (-ERESTARTSYS), which
 * delivers the signal and then makes EINTR of it, or begins the call anew, as the program has
 * asked for with SA_RESTART. A stream of which a part has gone is answered with that.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "../loop/loop.h"
#include "inside.h"

enum { ERESTARTSYS_KERNEL = 512 }; /* of no header: never seen outside the kernel */

static const tern_time look_every = 20 * TERN_MS;

/* The instant at which the wait is over, of a socket with SO_RCVTIMEO or SO_SNDTIMEO. */
static tern_time until_of(const struct call *c, bool send)
{
	struct timeval t = { 0, 0 };
	socklen_t len = sizeof(t);

	if (getsockopt(c->dup, SOL_SOCKET, send ? SO_SNDTIMEO : SO_RCVTIMEO, &t, &len) != 0 ||
	    (t.tv_sec == 0 && t.tv_usec == 0))
		return TERN_NEVER;
	return loop_now() + (tern_time)t.tv_sec * TERN_SEC + (tern_time)t.tv_usec * TERN_US;
}

void parked_add(struct run *r, struct call *one, bool send)
{
	struct call *c = malloc(sizeof(*c)), **at;

	if (!c) {
		call_answer(r, one, -ENOMEM);
		return;
	}
	one->until = until_of(one, send);
	*c = *one;
	tracee_forget(c);
	c->next = r->parked;
	c->link = &r->parked;
	if (c->next)
		c->next->link = &c->next;
	r->parked = c;
	if (r->n_parked++ == 0)
		r->look_at = loop_now() + look_every;
	for (at = &c->pair->waiting; *at; at = &(*at)->pair_next)
		continue;
	*at = c; /* who came first is served first */
	c->pair_next = NULL;
	c->pair_link = at;
}

void parked_remove(struct run *r, struct call *c)
{
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	*c->pair_link = c->pair_next;
	if (c->pair_next)
		c->pair_next->pair_link = c->pair_link;
	c->link = NULL;
	r->n_parked--;
}

/* Is there a signal that would be delivered to this thread if it were not in our call? */
static bool has_signal(pid_t tid)
{
	unsigned long long own = 0, shared = 0, blocked = 0;
	char path[40], line[160];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		sscanf(line, "SigPnd: %llx", &own);
		sscanf(line, "ShdPnd: %llx", &shared);
		if (sscanf(line, "SigBlk: %llx", &blocked) == 1)
			break;
	}
	fclose(f);
	return ((own | shared) & ~blocked) != 0;
}

/* What has gone is told, and not sent again; a message of several counts with a part of it. */
static int64_t part_or(const struct call *c, int64_t error)
{
	bool several = c->nr == SYS_sendmmsg || c->nr == SYS_recvmmsg;
	uint64_t done = several ? c->messages + (c->done > 0) : c->done;

	return done ? (int64_t)done : error;
}

/* As Linux: what waits with a time-out would wait as long anew, so that no handler restarts it. */
static int64_t interruption_of(const struct call *c)
{
	return c->until == TERN_NEVER ? -ERESTARTSYS_KERNEL : -EINTR;
}

static void look_at(struct run *r, struct call *c, tern_time now)
{
	bool connects = c->kind->carry_out == on_connect;

	if (!tracee_is_valid(r, c)) {
		call_answer(r, c, -EINTR); /* to nobody: it is only forgotten */
	} else if (now >= c->until) {
		call_answer(r, c, part_or(c, connects ? -EINPROGRESS : -EAGAIN));
	} else if (r->can_restart && has_signal(c->tid)) {
		call_answer(r, c, part_or(c, interruption_of(c)));
	}
}

void parked_look(struct run *r)
{
	tern_time now = loop_now(), first = TERN_NEVER;
	struct call *c, *next;

	if (!r->parked || now < parked_deadline(r))
		return;
	for (c = r->parked; c; c = next) {
		next = c->next;
		look_at(r, c, now);
	}
	for (c = r->parked; c; c = c->next)
		first = c->until < first ? c->until : first;
	r->look_at = first < now + look_every ? first : now + look_every;
}

tern_time parked_deadline(const struct run *r)
{
	return r->parked ? r->look_at : TERN_NEVER;
}
