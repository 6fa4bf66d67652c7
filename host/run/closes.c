/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * closes.c - when the last copy of a datagram socket of the program's goes.
 *
 * The ends of a pair of AF_UNIX datagram sockets do not hear of each other's close. But the close
 * of the last copy, wherever it is, is a close of the file, and inotify(7) tells of that one. It
 * is told once no call is in the file any more, so that all that was written lies in the pair.
 *
 * So it is seen, too, of a stream that has shut both ways, or has been refused: the hang-up of our
 * end, which tells of other streams, has come before.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "inside.h"

static struct pair **chain_of(struct run *r, int watch)
{
	return &r->by_watch[(unsigned)watch % PAIRS_HASH];
}

bool closes_watch(struct run *r, struct pair *p, int end)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", end);
	p->watch = r->closes < 0 ? -1 : inotify_add_watch(r->closes, path, IN_CLOSE);
	if (p->watch < 0)
		return false;
	p->by_watch = *chain_of(r, p->watch);
	*chain_of(r, p->watch) = p;
	return true;
}

void closes_forget(struct run *r, struct pair *p)
{
	struct pair **at;

	if (p->watch < 0)
		return;
	for (at = chain_of(r, p->watch); *at != p; at = &(*at)->by_watch)
		continue;
	*at = p->by_watch;
	inotify_rm_watch(r->closes, p->watch);
	p->watch = -1;
}

static void note_close(struct run *r, const struct inotify_event *ev)
{
	struct pair *p = ev->wd >= 0 ? *chain_of(r, ev->wd) : NULL;

	while (p && p->watch != ev->wd)
		p = p->by_watch;
	if (!p || !(ev->mask & IN_CLOSE))
		return;
	p->closed = true;
	pump_hangup(r, p);
}

void closes_news(struct run *r)
{
	_Alignas(struct inotify_event) char bytes[4096];
	ssize_t n = read(r->closes, bytes, sizeof(bytes));

	/* of files, not of directories: no names behind them */
	for (ssize_t at = 0; at < n; at += (ssize_t)sizeof(struct inotify_event))
		note_close(r, (const struct inotify_event *)(const void *)(bytes + at));
}
