/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loop.c - moving frames between devices and stacks, and sleeping in between.
 */
#define _GNU_SOURCE
#include "loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>

#include "../../include/tern_malloc.h"
#include "../simd/simd.h"

/* Frames taken from, and given to, one device before others have their turn. */
enum { BUDGET = 64 };

tern_time loop_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (tern_time)t.tv_sec * TERN_SEC + (tern_time)t.tv_nsec;
}

void loop_raise_descriptor_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

void loop_init(struct loop *l)
{
	memset(l, 0, sizeof(*l));
}

static void drop_first_held(struct loop_port *p)
{
	struct tern_pkt *pkt = p->held;

	p->held = pkt->next;
	tern_pkt_free(p->st, pkt);
}

void loop_fini(struct loop *l)
{
	for (unsigned i = 0; i < l->n_ports; i++) {
		while (l->port[i].held)
			drop_first_held(&l->port[i]);
		dev_close(l->port[i].dev);
	}
	for (unsigned i = 0; i < l->n_stacks; i++)
		tern_free(l->stack[i]);
	loop_init(l);
}

struct tern_stack *loop_new_stack(struct loop *l, const struct tern_config *cfg,
				  void (*trace)(void *, const struct tern_trace *), void *ctx)
{
	struct tern_env env = { .alloc = tern_malloc,
				.free = tern_malloc_free,
				.trace = trace,
				.sum = simd_sum(),
				.copy_sum = simd_copy_sum(),
				.ctx = ctx };
	struct tern_stack *st;

	if (l->n_stacks == LOOP_STACKS_MAX ||
	    getrandom(env.seed, sizeof(env.seed), 0) != (ssize_t)sizeof(env.seed))
		return NULL;
	st = tern_new(cfg, &env);
	if (!st)
		return NULL;
	tern_advance(st, loop_now());
	l->stack[l->n_stacks++] = st;
	return st;
}

int loop_add(struct loop *l, struct tern_stack *st, struct dev *d)
{
	int ifindex;

	if (l->n_ports == LOOP_PORTS_MAX)
		return -TERN_ENOMEM;
	ifindex = tern_iface_add(st, &d->iface);
	if (ifindex < 0)
		return ifindex;
	dev_serve(d, st, (unsigned)ifindex);
	l->port[l->n_ports++] = (struct loop_port){ .st = st, .dev = d };
	return ifindex;
}

void loop_plain(struct loop *l)
{
	for (unsigned i = 0; i < l->n_ports; i++) {
		struct dev *d = l->port[i].dev;
		uint32_t before = d->iface.flags;
		struct tern_iface now;

		if (!d->ops->plain || tern_iface_get(d->st, d->ifindex, &now) != 0)
			continue;
		d->ops->plain(d);
		tern_iface_set(d->st, d->ifindex, now.mtu, now.flags & ~(before & ~d->iface.flags));
	}
}

/* ---- frames ---- */

/* Linux's fate of a device that vanishes: its interface is down, connections time out. */
static void lose_device(struct loop *l, struct loop_port *p)
{
	const struct tern_iface *i = &p->dev->iface;

	p->gone = true;
	l->n_gone++;
	tern_iface_set(p->st, p->dev->ifindex, i->mtu, i->flags | TERN_IFACE_DOWN);
}

const char *loop_take_gone(struct loop *l)
{
	for (unsigned i = 0; i < l->n_ports; i++) {
		struct loop_port *p = &l->port[i];

		if (!p->gone || p->gone_told)
			continue;
		p->gone_told = true;
		return p->dev->iface.name;
	}
	return NULL;
}

static void port_read(struct loop *l, struct loop_port *p)
{
	struct tern_pkt *list;
	int n = p->gone ? 0 : p->dev->ops->read(p->dev, p->st, BUDGET, &list);

	if (n > 0)
		tern_input_batch(p->st, list);
	else if (n < 0)
		lose_device(l, p);
}

static void port_write(struct loop *l, struct loop_port *p)
{
	unsigned pulled;
	int n = 0;

	if (!p->held)
		p->held = tern_output_batch(p->st, p->dev->ifindex, BUDGET, &pulled);
	while (p->held && n != -TERN_EAGAIN) {
		n = p->gone ? -TERN_ENODEV : p->dev->ops->write(p->dev, p->st, p->held);
		if (n == -TERN_ENODEV) { /* what it was given is lost */
			if (!p->gone)
				lose_device(l, p);
			n = 1;
		}
		for (int i = 0; i < n; i++)
			drop_first_held(p);
	}
}

static void advance_all(struct loop *l)
{
	tern_time now = loop_now();

	for (unsigned i = 0; i < l->n_stacks; i++)
		tern_advance(l->stack[i], now);
	for (unsigned i = 0; i < l->n_ports; i++)
		if (!l->port[i].gone && l->port[i].dev->ops->advance)
			l->port[i].dev->ops->advance(l->port[i].dev, l->port[i].st, now);
}

static void write_all(struct loop *l)
{
	for (unsigned i = 0; i < l->n_ports; i++)
		port_write(l, &l->port[i]);
}

void loop_pump(struct loop *l)
{
	advance_all(l);
	for (unsigned i = 0; i < l->n_ports; i++)
		port_read(l, &l->port[i]);
	write_all(l);
}

/* ---- waiting ---- */

/*
 * Work that waits for nothing: frames of a wire in this process, more than a budget to send, or
 * news that its user is to hear.
 */
static bool has_work(const struct loop *l)
{
	for (unsigned i = 0; i < l->n_stacks; i++)
		if (tern_event_ready(l->stack[i]))
			return true;
	for (unsigned i = 0; i < l->n_ports; i++) {
		const struct loop_port *p = &l->port[i];

		if (p->gone)
			continue;
		if (!p->held && tern_output_ready(p->st, p->dev->ifindex))
			return true;
		if (p->dev->ops->pending && p->dev->ops->pending(p->dev))
			return true;
	}
	return false;
}

static tern_time next_deadline(struct loop *l, tern_time until)
{
	tern_time now = loop_now();

	for (unsigned i = 0; i < l->n_stacks; i++) {
		tern_time at = tern_deadline(l->stack[i]);

		until = at < until ? at : until;
	}
	for (unsigned i = 0; i < l->n_ports; i++) {
		const struct loop_port *p = &l->port[i];
		tern_time at = TERN_NEVER;

		if (!p->gone && p->dev->ops->advance)
			at = p->dev->ops->advance(p->dev, p->st, now);

		until = at < until ? at : until;
	}
	return until;
}

static unsigned fill_pollfds(const struct loop *l, struct pollfd *fds)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->n_ports; i++) {
		const struct loop_port *p = &l->port[i];

		if (p->gone || p->dev->fd < 0)
			continue;
		fds[n++] = (struct pollfd){ .fd = p->dev->fd,
					    .events = (short)(POLLIN | (p->held ? POLLOUT : 0)) };
	}
	return n;
}

enum { EXTRA_MAX = 64 };

static const tern_time WAIT_MAX = 3600 * TERN_SEC;

void loop_flush(struct loop *l)
{
	write_all(l);
}

unsigned loop_prepare_wait(struct loop *l, tern_time until, struct pollfd *fds, tern_time *wait)
{
	unsigned n_gone = l->n_gone;
	tern_time now;

	write_all(l);
	until = next_deadline(l, until);
	now = loop_now();
	/* that a device has just vanished is news: the caller wants to know it now */
	*wait = has_work(l) || l->n_gone != n_gone || until <= now ? 0 : until - now;
	if (*wait > WAIT_MAX)
		*wait = WAIT_MAX; /* ppoll takes no "never" that fits */
	return fill_pollfds(l, fds);
}

void loop_wait(struct loop *l, tern_time until, struct pollfd *extra, unsigned n_extra)
{
	struct pollfd fds[LOOP_PORTS_MAX + EXTRA_MAX];
	struct timespec t;
	tern_time wait;
	unsigned n;

	if (n_extra > EXTRA_MAX)
		n_extra = EXTRA_MAX;
	n = loop_prepare_wait(l, until, fds, &wait);
	t = (struct timespec){ (time_t)(wait / TERN_SEC), (long)(wait % TERN_SEC) };
	if (n_extra)
		memcpy(fds + n, extra, n_extra * sizeof(*extra));
	if (ppoll(fds, n + n_extra, &t, NULL) <= 0)
		memset(fds, 0, sizeof(fds));
	for (unsigned i = 0; i < n_extra; i++)
		extra[i].revents = fds[n + i].revents;
}
