/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loop.h - the loop of tern.h over real devices: clock, readiness, budgets, wake-ups.
 *
 *	while (!done) {
 *		loop_pump(&l);                 time and frames in
 *		while (tern_event(st, &ev)) ... news out
 *		loop_wait(&l, until, NULL, 0);  frames out, and sleep
 *	}
 *
 * One loop drives any number of stacks and devices in one thread.
 */
#ifndef TERN_HOST_LOOP_H
#define TERN_HOST_LOOP_H

#include <poll.h>

#include "../../include/tern.h"
#include "../dev/dev.h"

enum { LOOP_STACKS_MAX = 4, LOOP_PORTS_MAX = 8 };

struct loop_port {
	struct tern_stack *st;
	struct dev *dev;
	struct tern_pkt *held; /* a list: the device had no room for them */
	bool gone;	       /* the device has vanished; its interface is down */
	bool gone_told;	       /* loop_take_gone has said so */
};

struct loop {
	struct tern_stack *stack[LOOP_STACKS_MAX];
	unsigned n_stacks;
	struct loop_port port[LOOP_PORTS_MAX];
	unsigned n_ports;
	unsigned n_gone; /* devices that have vanished */
};

/* The instant, of the clock that stacks in a loop live by. */
tern_time loop_now(void);

/* As many descriptors as this process may have. */
void loop_raise_descriptor_limit(void);

void loop_init(struct loop *);
/* Frees stacks and devices. */
void loop_fini(struct loop *);

/* A stack with the vector checksums, a secret from the kernel, and this trace hook (or NULL). */
struct tern_stack *loop_new_stack(struct loop *, const struct tern_config *,
				  void (*trace)(void *, const struct tern_trace *), void *ctx);
/* Makes the device an interface of the stack: its index, or a negative error (the device stays). */
int loop_add(struct loop *, struct tern_stack *, struct dev *);
/* From now on each frame is one segment, as far as a device can see to that (dev_ops.plain). */
void loop_plain(struct loop *);

/* Time and what devices have (a bounded share of each) go in, what stacks have to say goes out. */
void loop_pump(struct loop *);
/*
 * Sends what is ready, then sleeps until a frame comes, a timer is due, a stack has an event, one
 * of the caller's descriptors is ready (revents say which), or `until` has passed.
 */
void loop_wait(struct loop *, tern_time until, struct pollfd *extra, unsigned n_extra);
/*
 * The same in two halves, for callers that must not sleep with what they hold: sends what is ready
 * and says which descriptors to wait for (LOOP_PORTS_MAX at most), and how long.
 */
unsigned loop_prepare_wait(struct loop *, tern_time until, struct pollfd *fds, tern_time *wait);
/* Sends what is ready. */
void loop_flush(struct loop *);
/* The name of a device that has vanished, each once; NULL: no further one. */
const char *loop_take_gone(struct loop *);

#endif
