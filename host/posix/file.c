/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file.c - which file does a number name, who waits for it, and when does it end?
 *
 * A file lives while numbers name it or calls use it. The last number's going ends it at once: its
 * socket is closed, and calls that still wait for it fail with EBADF.
 */
#define _GNU_SOURCE
#include "sem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void sem_init(struct sem *sem, struct tern_stack *st, const struct sem_world *world)
{
	*sem = (struct sem){ .st = st, .world = *world };
	list_init(&sem->raised);
}

void sem_fini(struct sem *sem)
{
	for (unsigned fd = 0; fd < sem->n_cap; fd++)
		if (sem->file[fd])
			sem_unname(sem, (int)fd);
	free(sem->file);
	sem->file = NULL;
	sem->n_cap = 0;
}

/* ---- files and numbers ---- */

struct file *file_new(enum file_kind kind)
{
	struct file *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->kind = (uint8_t)kind;
	f->recv_timeout = f->send_timeout = TERN_NEVER;
	f->set_fd = f->hidden_fd = -1;
	list_init(&f->watches);
	list_init(&f->items);
	list_init(&f->members);
	list_init(&f->ready);
	list_init(&f->in_raised);
	return f;
}

struct file *sem_file(const struct sem *sem, int fd)
{
	return fd >= 0 && (unsigned)fd < sem->n_cap ? sem->file[fd] : NULL;
}

static bool make_room(struct sem *sem, int fd)
{
	unsigned cap = sem->n_cap ? sem->n_cap : 64;
	struct file **grown;

	if ((unsigned)fd < sem->n_cap)
		return true;
	while (cap <= (unsigned)fd)
		cap *= 2;
	grown = realloc(sem->file, cap * sizeof(struct file *));
	if (!grown)
		return false;
	memset(grown + sem->n_cap, 0, (cap - sem->n_cap) * sizeof(struct file *));
	sem->file = grown;
	sem->n_cap = cap;
	return true;
}

static void free_unused(struct file *f)
{
	if (f->n_numbers == 0 && f->n_calls == 0)
		free(f);
}

/* The kernel may have given a number out anew that was closed behind our back. */
bool sem_name(struct sem *sem, int fd, struct file *f)
{
	if (fd >= SEM_FILES_MAX || !make_room(sem, fd))
		return false;
	f->n_numbers++;
	if (sem->file[fd])
		sem_unname(sem, fd);
	sem->file[fd] = f;
	return true;
}

static void wake_watch(struct sem *sem, struct watch *w)
{
	if (w->waiter->woken)
		return;
	w->waiter->woken = true;
	sem->world.wake(sem->world.ctx, w->waiter);
}

static void close_socket(struct sem *sem, struct file *f)
{
	sem_send_the_last(sem, f);
	tern_close(sem->st, f->sock);
}

static void end_file(struct sem *sem, struct file *f)
{
	struct list *l;

	f->ended = true;
	while ((l = list_take(&f->watches)))
		wake_watch(sem, CONTAINER_OF(l, struct watch, link));
	epoll_forget_file(sem, f);
	if (f->kind == FILE_EPOLL)
		epoll_end_set(sem, f);
	else
		close_socket(sem, f);
	cork_drop(&f->cork);
	free_unused(f);
}

void sem_drop_number(struct sem *sem, struct file *f)
{
	if (--f->n_numbers == 0)
		end_file(sem, f);
}

void sem_unname(struct sem *sem, int fd)
{
	struct file *f = sem->file[fd];

	sem->file[fd] = NULL;
	sem_drop_number(sem, f);
}

int sem_begin_call(struct sem *sem, int fd, struct file **out)
{
	struct file *f = sem_file(sem, fd);

	if (!f)
		return -EBADF;
	if (f->kind != FILE_SOCKET)
		return -ENOTSOCK;
	f->n_calls++;
	*out = f;
	return 0;
}

void sem_end_call(struct sem *sem, struct file *f)
{
	(void)sem;
	f->n_calls--;
	free_unused(f);
}

/* ---- waiting ---- */

void watch_begin(struct waiter *w, struct file *f, unsigned events)
{
	struct watch *watch = &w->watch[w->n_watches++];

	watch->waiter = w;
	watch->events = events | TERN_POLLERR | TERN_POLLHUP;
	list_init(&watch->link);
	list_put_tail(&f->watches, &watch->link);
}

void watch_end(struct waiter *w)
{
	for (unsigned i = 0; i < w->n_watches; i++)
		list_unlink(&w->watch[i].link);
}

tern_time sem_until(const struct sem *sem, tern_time timeout)
{
	tern_time now;

	if (timeout == TERN_NEVER)
		return TERN_NEVER;
	now = sem->world.now(sem->world.ctx);
	return timeout < TERN_NEVER - now ? now + timeout : TERN_NEVER;
}

int sem_wait_for(struct sem *sem, struct file *f, unsigned events, tern_time until)
{
	struct watch watch;
	struct waiter w = { .watch = &watch, .spin = f->spin };
	int err;

	if (until != TERN_NEVER && sem->world.now(sem->world.ctx) >= until)
		return -ETIMEDOUT;
	watch_begin(&w, f, events);
	err = sem->world.wait(sem->world.ctx, &w, until, until != TERN_NEVER);
	watch_end(&w);
	return f->ended ? -EBADF : err;
}

void file_wake(struct sem *sem, struct file *f, unsigned news)
{
	for (struct list *l = f->watches.next; l != &f->watches; l = l->next) {
		struct watch *w = CONTAINER_OF(l, struct watch, link);

		if (w->events & news)
			wake_watch(sem, w);
	}
}

void sem_take_events(struct sem *sem)
{
	struct tern_event ev;

	while (tern_event(sem->st, &ev))
		if (ev.user) {
			file_wake(sem, ev.user, ev.news);
			epoll_on_news(sem, ev.user, ev.news);
		}
}
