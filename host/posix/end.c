/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * end.c - what is owed to peers when the process ends.
 *
 * The kernel would go on sending for a process that has gone. Here the stack goes with the process:
 * so exit closes what is open, and waits, not for ever, until all that was sent is acknowledged,
 * the FINs too. Over the loopback alone there is no peer that remains.
 */
#define _GNU_SOURCE
#include "os.h"

#include <stdlib.h>

static const tern_time end_max = 10 * TERN_SEC;

static bool is_owed_something(const struct tern_sock_info *i)
{
	return i->type == SOCK_STREAM &&
	       (i->state == TERN_TCP_FIN_WAIT_1 || i->state == TERN_TCP_CLOSING ||
		i->state == TERN_TCP_LAST_ACK);
}

static bool anybody_is(const struct tern_stack *st)
{
	struct tern_sock_info i;
	uint64_t cursor = 0;

	while (tern_sock_next(st, &cursor, &i))
		if (is_owed_something(&i))
			return true;
	return false;
}

static void end_in_order(void)
{
	struct waiter nobody = { .woken = false };
	struct posix *p = posix_peek();
	tern_time until = loop_now() + end_max;

	if (!p || !p->loop.n_ports)
		return;
	posix_lock(p);
	for (int fd = 0; fd < (int)p->sem.n_cap; fd++)
		if (sem_file(&p->sem, fd)) {
			number_note(fd, NUMBER_OTHER);
			sem_unname(&p->sem, fd);
		}
	p->sem.world.pump(p);
	while (anybody_is(p->sem.st) && loop_now() < until)
		posix_wait(p, &nobody, loop_now() + 10 * TERN_MS, false, NULL, 0);
	posix_unlock(p);
}

void posix_end_with_process(void)
{
	atexit(end_in_order);
}
