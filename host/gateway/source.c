/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source.c - which of the host's descriptors have news?
 *
 * One epoll set, edge-triggered, each descriptor put in once and for all events: a hang-up that
 * lasts is told once. It is taken out before it is closed: a copy of the descriptor in a process
 * that was forked off would else keep it in the set, with a pointer to a record that has gone.
 */
#define _GNU_SOURCE
#include <sys/epoll.h>
#include <unistd.h>

#include "gateway_impl.h"

enum { EVENTS_MAX = 256 };

bool source_add(struct gateway *g, struct source *src, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
				  .data.ptr = src };

	if (epoll_ctl(g->epoll, EPOLL_CTL_ADD, fd, &ev) != 0)
		return false;
	src->fd = fd;
	return true;
}

void source_end(struct gateway *g, struct source *src, bool reset)
{
	struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	if (src->fd < 0)
		return;
	if (reset)
		setsockopt(src->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	epoll_ctl(g->epoll, EPOLL_CTL_DEL, src->fd, NULL);
	close(src->fd);
	src->fd = -1;
}

bool source_poll(struct gateway *g)
{
	struct epoll_event ev[EVENTS_MAX];
	int n = epoll_wait(g->epoll, ev, EVENTS_MAX, 0);

	for (int i = 0; i < n; i++) {
		struct source *src = ev[i].data.ptr;

		if (src->fd >= 0) /* one before it in this batch may have ended it */
			src->on_ready(g, src, ev[i].events);
	}
	return n < EVENTS_MAX;
}
