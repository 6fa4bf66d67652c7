/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * epoll.c - which files of ours are in an epoll set, and which of them have something to tell?
 *
 * The set itself is the kernel's: its other members are there, and one hidden descriptor that is
 * readable while something of ours may be ready, so that the set can be polled, and be a member of
 * another set. Ours are items here. An item is on the set's list of what may be ready from the
 * moment something happens to its file (or it is added or changed) until a look finds nothing:
 * level-triggered ones are looked at again each time, edge-triggered ones once for what happened.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>

#include "sem.h"

#define FLAGS (EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE | EPOLLWAKEUP)

static struct item *find_item(const struct file *set, const struct file *f, int fd)
{
	for (const struct list *l = f->items.next; l != &f->items; l = l->next) {
		struct item *it = CONTAINER_OF(l, struct item, on_file);

		if (it->set == set && it->fd == fd)
			return it;
	}
	return NULL;
}

static void review_raised(struct sem *sem, struct file *set)
{
	bool up = !list_empty(&set->ready);

	if (up == set->raised)
		return;
	set->raised = up;
	if (up)
		list_put_tail(&sem->raised, &set->in_raised);
	else
		list_unlink(&set->in_raised);
	sem->world.raise(sem->world.ctx, set, up);
}

/* What epoll_wait would tell of it now. */
static uint32_t ready_events(struct sem *sem, const struct item *it)
{
	return it->disabled ? 0 : file_poll(sem, it->file, it->events & ~(uint32_t)FLAGS);
}

/* What was read meanwhile is ready no longer, and nobody has told the set. One that is will do. */
static void prune(struct sem *sem, struct file *set)
{
	while (!list_empty(&set->ready)) {
		struct item *it = CONTAINER_OF(set->ready.next, struct item, in_ready);

		if (ready_events(sem, it))
			break;
		list_unlink(&it->in_ready);
	}
	review_raised(sem, set);
}

void epoll_prune(struct sem *sem)
{
	struct list *l = sem->raised.next;

	while (l != &sem->raised) {
		struct file *set = CONTAINER_OF(l, struct file, in_raised);

		l = l->next;
		prune(sem, set);
	}
}

static void note(struct sem *sem, struct item *it)
{
	if (!list_empty(&it->in_ready))
		return;
	list_put_tail(&it->set->ready, &it->in_ready);
	review_raised(sem, it->set);
	file_wake(sem, it->set, TERN_POLLIN);
}

static void note_if_ready(struct sem *sem, struct item *it)
{
	if (ready_events(sem, it))
		note(sem, it);
}

void epoll_on_news(struct sem *sem, struct file *f, unsigned news)
{
	news = file_bands(f, news);
	for (struct list *l = f->items.next; l != &f->items; l = l->next) {
		struct item *it = CONTAINER_OF(l, struct item, on_file);

		if (news & (it->events | EPOLLERR | EPOLLHUP))
			note_if_ready(sem, it);
	}
}

/* ---- epoll_ctl ---- */

static void drop_item(struct sem *sem, struct item *it)
{
	list_unlink(&it->in_set);
	list_unlink(&it->on_file);
	list_unlink(&it->in_ready);
	review_raised(sem, it->set);
	free(it);
}

static int add_item(struct sem *sem, struct file *set, struct file *f, int fd,
		    const struct epoll_event *ev)
{
	struct item *it;

	if (find_item(set, f, fd))
		return -EEXIST;
	it = calloc(1, sizeof(*it));
	if (!it)
		return -ENOMEM;
	*it = (struct item){
		.file = f, .set = set, .fd = fd, .events = ev->events, .data = ev->data.u64
	};
	list_init(&it->in_ready);
	list_init(&it->in_set);
	list_init(&it->on_file);
	list_put_tail(&set->members, &it->in_set);
	list_put_tail(&f->items, &it->on_file);
	note_if_ready(sem, it);
	return 0;
}

static int modify_item(struct sem *sem, struct item *it, const struct epoll_event *ev)
{
	if ((it->events | ev->events) & EPOLLEXCLUSIVE)
		return -EINVAL;
	it->events = ev->events;
	it->data = ev->data.u64;
	it->disabled = false;
	note_if_ready(sem, it);
	return 0;
}

/* EPOLLEXCLUSIVE is for EPOLL_CTL_ADD, and not beside EPOLLONESHOT and such. */
static bool is_sound(int op, const struct epoll_event *ev)
{
	static const uint32_t beside =
		EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE;

	return op == EPOLL_CTL_DEL || !(ev->events & EPOLLEXCLUSIVE) ||
	       (op == EPOLL_CTL_ADD && !(ev->events & ~beside));
}

int epoll_change(struct sem *sem, struct file *set, int op, int fd, const struct epoll_event *ev)
{
	struct file *f = sem_file(sem, fd);
	struct item *it = f ? find_item(set, f, fd) : NULL;

	if (!f)
		return -EBADF;
	if (!is_sound(op, ev))
		return -EINVAL;
	switch (op) {
	case EPOLL_CTL_ADD:
		return add_item(sem, set, f, fd, ev);
	case EPOLL_CTL_MOD:
		return it ? modify_item(sem, it, ev) : -ENOENT;
	case EPOLL_CTL_DEL:
		if (!it)
			return -ENOENT;
		drop_item(sem, it);
		return 0;
	default:
		return -EINVAL;
	}
}

/* ---- epoll_wait ---- */

int epoll_collect(struct sem *sem, struct file *set, struct epoll_event *out, int max)
{
	struct list again, *l;
	int n = 0;

	list_init(&again);
	while (n < max && (l = list_take(&set->ready))) {
		struct item *it = CONTAINER_OF(l, struct item, in_ready);
		uint32_t ready = ready_events(sem, it);

		if (!ready)
			continue;
		out[n].events = ready;
		out[n++].data.u64 = it->data;
		it->disabled = (it->events & EPOLLONESHOT) != 0;
		if (!(it->events & (EPOLLONESHOT | EPOLLET)))
			list_put_tail(&again, &it->in_ready);
	}
	/* behind those that had no turn */
	while ((l = list_take(&again)))
		list_put_tail(&set->ready, l);
	review_raised(sem, set);
	return n;
}

/* ---- ends ---- */

void epoll_forget_file(struct sem *sem, struct file *f)
{
	while (!list_empty(&f->items))
		drop_item(sem, CONTAINER_OF(f->items.next, struct item, on_file));
}

void epoll_end_set(struct sem *sem, struct file *set)
{
	while (!list_empty(&set->members))
		drop_item(sem, CONTAINER_OF(set->members.next, struct item, in_set));
	list_unlink(&set->in_raised);
	sem->world.end_set(sem->world.ctx, set);
}
