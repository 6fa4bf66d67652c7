/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * os.c - threads that wait, and the one of them that drives.
 *
 * Whoever waits drives the stack: it takes what the devices have, lets the stack's time pass, and
 * tells others that wait. They sleep on a word of their own; when the driver has what it wanted,
 * the first of them goes on driving. While nobody waits a helper thread drives, but not at once: a
 * caller that comes back soon finds the wheel free, and neither has paid for a wake-up. So the
 * helper leaves the wheel when a call comes, looks now and then while callers come and go, and
 * rests while one drives for long. A caller that never waits drives by its calls.
 *
 * A signal ends a wait as on Linux: with EINTR where there is a time-out; else the call goes on
 * when the handler was installed with SA_RESTART. The kernel does not say which handler ran, so a
 * driver goes on only if all of the process's restart calls.
 */
#define _GNU_SOURCE
#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const tern_time look_again = 2 * TERN_MS;
static const tern_time devices_after = 20 * TERN_US; /* in a call, since the last time */
enum { LOOKS_BEFORE_REST = 5 };

/* A thread that waits while another drives. */
struct sleeper {
	struct list link;
	_Atomic uint32_t word; /* 1: up */
	int fd;		       /* an eventfd where it waits for the kernel's descriptors, too; -1 */
};

/* ---- signals ---- */

/* What a program does to itself, which does not happen while it waits. */
static bool is_fault(int sig)
{
	return sig == SIGSEGV || sig == SIGBUS || sig == SIGFPE || sig == SIGILL ||
	       sig == SIGTRAP || sig == SIGABRT;
}

static bool all_handlers_restart(void)
{
	struct sigaction a;

	for (int sig = 1; sig < NSIG; sig++)
		if (!is_fault(sig) && sigaction(sig, NULL, &a) == 0 && a.sa_handler != SIG_DFL &&
		    a.sa_handler != SIG_IGN && !(a.sa_flags & SA_RESTART))
			return false;
	return true;
}

static int interrupted(bool always)
{
	return always || !all_handlers_restart() ? -EINTR : 0;
}

/* ---- waking ---- */

static void poke_driver(struct posix *p)
{
	uint64_t one = 1;
	ssize_t n = write(p->poke, &one, sizeof(one));

	(void)n; /* it is poked already */
}

/* Leave the wheel: to a thread that waits, or to one whose calls come so often that they drive. */
static void take_from_helper(struct posix *p)
{
	if (!p->helper_drives || p->takeover)
		return;
	p->takeover = true;
	poke_driver(p);
}

static void get_up(struct sleeper *s)
{
	uint64_t one = 1;

	if (atomic_exchange(&s->word, 1))
		return;
	if (s->fd >= 0) {
		ssize_t n = write(s->fd, &one, sizeof(one));

		(void)n;
	} else {
		syscall(SYS_futex, &s->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	}
}

/* thread: its struct sleeper; NULL: it drives, and looks itself, unless another has woken it. */
static void wake_thread(void *ctx, struct waiter *w)
{
	struct posix *p = ctx;

	if (w->thread)
		get_up(w->thread);
	else if (p->asleep)
		poke_driver(p);
}

/* ---- driving ---- */

static struct timespec as_timespec(tern_time t)
{
	return (struct timespec){ (time_t)(t / TERN_SEC), (long)(t % TERN_SEC) };
}

static void drain(int fd)
{
	uint64_t n;
	ssize_t got = read(fd, &n, sizeof(n));

	(void)got;
}

static void pump(void *ctx)
{
	struct posix *p = ctx;

	p->pumped_at = loop_now();
	loop_pump(&p->loop);
	sem_take_events(&p->sem);
}

/* One sleep on the devices, and on these. What ppoll says. */
static int sleep_on_devices(struct posix *p, tern_time until, struct pollfd *kernel,
			    nfds_t n_kernel, const sigset_t *mask)
{
	struct pollfd few[LOOP_PORTS_MAX + 8], *fds = few;
	struct timespec t;
	tern_time wait;
	unsigned n;
	int ready;

	if (n_kernel + LOOP_PORTS_MAX + 1 > sizeof(few) / sizeof(few[0]))
		fds = malloc((n_kernel + LOOP_PORTS_MAX + 1) * sizeof(*fds));
	if (!fds)
		return 0;
	n = loop_prepare_wait(&p->loop, until, fds, &wait);
	p->driver_until = loop_now() + wait;
	fds[n++] = (struct pollfd){ .fd = p->poke, .events = POLLIN };
	if (n_kernel)
		memcpy(fds + n, kernel, n_kernel * sizeof(*kernel));
	t = as_timespec(wait);
	p->asleep = true;
	pthread_mutex_unlock(&p->lock);
	ready = ppoll(fds, n + n_kernel, &t, mask);
	if (ready < 0)
		ready = -errno;
	pthread_mutex_lock(&p->lock);
	p->asleep = false;
	if (ready > 0 && fds[n - 1].revents)
		drain(p->poke);
	for (nfds_t i = 0; i < n_kernel; i++)
		kernel[i].revents = ready > 0 ? fds[n + i].revents : 0;
	if (fds != few)
		free(fds);
	return ready;
}

static bool any_ready(const struct pollfd *fds, nfds_t n)
{
	for (nfds_t i = 0; i < n; i++)
		if (fds[i].revents)
			return true;
	return false;
}

static void hand_over(struct posix *p)
{
	p->driving = p->helper_drives = p->takeover = false;
	if (!list_empty(&p->sleepers))
		get_up(CONTAINER_OF(p->sleepers.next, struct sleeper, link));
	else if (p->helper_rests)
		pthread_cond_signal(&p->rest);
}

static int drive(struct posix *p, struct waiter *w, tern_time until, bool always,
		 struct pollfd *kernel, nfds_t n_kernel)
{
	int ready = 0;

	p->driving = true;
	while (!w->woken && !p->takeover && !p->stopped && loop_now() < until) {
		ready = sleep_on_devices(p, until, kernel, n_kernel, w->mask);
		pump(p);
		if (ready == -EINTR || any_ready(kernel, n_kernel))
			break;
	}
	hand_over(p);
	return ready == -EINTR && !w->woken ? interrupted(always) : 0;
}

/* ---- waiting while another drives ---- */

static int sleep_on_word(struct posix *p, struct sleeper *s, tern_time until)
{
	tern_time now = loop_now();
	struct timespec t = as_timespec(until > now ? until - now : 0);
	int err = 0;

	pthread_mutex_unlock(&p->lock);
	while (!err && !atomic_load(&s->word))
		if (syscall(SYS_futex, &s->word, FUTEX_WAIT_PRIVATE, 0,
			    until == TERN_NEVER ? NULL : &t, NULL, 0) < 0 &&
		    errno != EAGAIN)
			err = errno;
	pthread_mutex_lock(&p->lock);
	return err == EINTR ? -EINTR : 0;
}

static int sleep_on_kernel(struct posix *p, struct sleeper *s, tern_time until,
			   struct pollfd *kernel, nfds_t n, const sigset_t *mask)
{
	struct pollfd *fds = malloc((n + 1) * sizeof(*fds));
	tern_time now = loop_now();
	struct timespec t = as_timespec(until > now ? until - now : 0);
	int ready;

	if (!fds)
		return 0;
	if (n)
		memcpy(fds, kernel, n * sizeof(*fds));
	fds[n] = (struct pollfd){ .fd = s->fd, .events = POLLIN };
	pthread_mutex_unlock(&p->lock);
	ready = ppoll(fds, n + 1, until == TERN_NEVER ? NULL : &t, mask);
	ready = ready < 0 ? -errno : ready;
	pthread_mutex_lock(&p->lock);
	for (nfds_t i = 0; i < n; i++)
		kernel[i].revents = ready > 0 ? fds[i].revents : 0;
	free(fds);
	return ready < 0 ? ready : 0;
}

static int sleep_beside(struct posix *p, struct waiter *w, tern_time until, struct pollfd *kernel,
			nfds_t n)
{
	bool by_poll = n || w->mask; /* a futex has no mask */
	struct sleeper s = { .fd = by_poll ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : -1 };
	int err;

	if (by_poll && s.fd < 0)
		return 0; /* it looks again, as often as it takes */
	list_init(&s.link);
	list_put_tail(&p->sleepers, &s.link);
	w->thread = &s;
	take_from_helper(p);
	err = by_poll ? sleep_on_kernel(p, &s, until, kernel, n, w->mask) :
			sleep_on_word(p, &s, until);
	w->thread = NULL;
	list_unlink(&s.link);
	if (s.fd >= 0)
		close(s.fd);
	/* whoever was called to drive and does not must call the next */
	if (!p->driving && !list_empty(&p->sleepers))
		get_up(CONTAINER_OF(p->sleepers.next, struct sleeper, link));
	return err;
}

/* SO_BUSY_POLL: turns without a sleep, for less delay; others may have the lock in between. */
static void spin(struct posix *p, struct waiter *w, tern_time until)
{
	tern_time end = loop_now() + w->spin;

	p->driving = true;
	while (!w->woken && !p->stopped && loop_now() < end && loop_now() < until) {
		pump(p);
		pthread_mutex_unlock(&p->lock);
		sched_yield();
		pthread_mutex_lock(&p->lock);
	}
	hand_over(p);
}

int posix_wait(struct posix *p, struct waiter *w, tern_time until, bool always,
	       struct pollfd *kernel, nfds_t n_kernel)
{
	if (p->stopped || w->woken)
		return 0;
	if (w->spin && !p->driving)
		spin(p, w, until);
	if (w->woken)
		return 0;
	if (p->driving)
		return sleep_beside(p, w, until, kernel, n_kernel);
	return drive(p, w, until, always, kernel, n_kernel);
}

static int wait_in_process(void *ctx, struct waiter *w, tern_time until, bool always)
{
	return posix_wait(ctx, w, until, always, NULL, 0);
}

/* ---- the helper ---- */

/* Returns when nobody drives and nobody has for a while. */
static void wait_for_idleness(struct posix *p)
{
	uint64_t before = p->n_calls;
	unsigned looks = 0;

	while (!p->stopped && (p->driving || p->n_calls != before || looks == 0)) {
		struct timespec at;

		if (p->driving && looks >= LOOKS_BEFORE_REST) {
			p->helper_rests = true;
			pthread_cond_wait(&p->rest, &p->lock);
			p->helper_rests = false;
			looks = 0;
		}
		before = p->n_calls;
		looks++;
		at = as_timespec(loop_now() + look_again);
		pthread_cond_timedwait(&p->rest, &p->lock, &at);
	}
}

static void *help(void *ctx)
{
	struct posix *p = ctx;
	struct waiter nobody = { .woken = false };

	pthread_mutex_lock(&p->lock);
	while (!p->stopped) {
		wait_for_idleness(p);
		if (p->stopped)
			break;
		p->helper_drives = true;
		pump(p);
		drive(p, &nobody, TERN_NEVER, true, NULL, 0);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* ---- the world of sem ---- */

static tern_time world_now(void *ctx)
{
	(void)ctx;
	return loop_now();
}

static void raise_set(void *ctx, struct file *set, bool up)
{
	uint64_t one = 1;

	(void)ctx;
	if (up) {
		ssize_t n = write(set->hidden_fd, &one, sizeof(one));

		(void)n;
	} else {
		drain(set->hidden_fd);
	}
}

static void end_set(void *ctx, struct file *set)
{
	(void)ctx;
	close(set->hidden_fd);
	set->hidden_fd = -1;
}

/* ---- the process's ---- */

static _Atomic(struct posix *) the_process; /* plain names have no argument for it */
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint8_t ours[SEM_FILES_MAX]; /* enum number_kind */

enum number_kind number_kind_of(int fd)
{
	if (fd < 0 || fd >= SEM_FILES_MAX)
		return NUMBER_OTHER;
	return (enum number_kind)atomic_load_explicit(&ours[fd], memory_order_acquire);
}

bool number_is_ours(int fd)
{
	return number_kind_of(fd) == NUMBER_SOCKET;
}

void number_note(int fd, enum number_kind kind)
{
	if (fd >= 0 && fd < SEM_FILES_MAX)
		atomic_store_explicit(&ours[fd], (uint8_t)kind, memory_order_release);
}

/* In the child the stack is the parent's: its numbers are dead, and its secrets not to be used. */
static void forget_in_child(void)
{
	the_process = NULL;
	pthread_mutex_init(&making, NULL);
}

static void free_process(struct posix *p)
{
	loop_fini(&p->loop);
	if (p->placeholder >= 0)
		close(p->placeholder);
	if (p->poke >= 0)
		close(p->poke);
	free(p);
}

static bool start_helper(struct posix *p)
{
	pthread_condattr_t attr;
	sigset_t all, before;
	bool good;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->rest, &attr);
	pthread_condattr_destroy(&attr);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the program's threads */
	good = pthread_create(&p->helper, NULL, help, p) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return good;
}

static struct posix *make_process(struct tern_posix_wish *w)
{
	struct posix *p = calloc(1, sizeof(*p));
	struct sem_world world = { wait_in_process, wake_thread, world_now, pump,
				   raise_set,	    end_set,	 p };

	if (!p)
		return NULL;
	pthread_mutex_init(&p->lock, NULL);
	list_init(&p->sleepers);
	loop_init(&p->loop);
	p->placeholder = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	p->poke = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->placeholder < 0 || p->poke < 0 || !posix_open_stack(&p->loop, w)) {
		free_process(p);
		return NULL;
	}
	sem_init(&p->sem, p->loop.stack[0], &world);
	if (start_helper(p))
		return p;
	free_process(p);
	return NULL;
}

static struct posix *make_once(struct tern_posix_wish *w)
{
	static bool registered;
	struct posix *p;

	pthread_mutex_lock(&making);
	if (!registered) {
		registered = pthread_atfork(NULL, NULL, forget_in_child) == 0;
		posix_end_with_process();
	}
	p = the_process;
	if (!p)
		p = make_process(w);
	the_process = p;
	pthread_mutex_unlock(&making);
	return p;
}

struct posix *posix_get(void)
{
	struct tern_posix_wish w = { .dev = NULL };
	struct posix *p = the_process;

	if (p)
		return p;
	if (!posix_wish_of_environment(&w))
		return NULL;
	p = make_once(&w);
	if (!p && w.error[0]) /* who calls socket has nowhere else to hear it */
		fprintf(stderr, "tern: %s\n", w.error);
	return p;
}

struct posix *posix_peek(void)
{
	return the_process;
}

int posix_start(struct tern_posix_wish *w)
{
	if (the_process) {
		snprintf(w->error, sizeof(w->error), "this process has a stack already");
		errno = EALREADY;
		return -1;
	}
	return make_once(w) ? 0 : -1;
}

void posix_lock(struct posix *p)
{
	tern_time now;

	pthread_mutex_lock(&p->lock);
	p->n_calls++;
	now = loop_now();
	if (p->loop.n_ports && !p->driving && now - p->pumped_at >= devices_after)
		pump(p);
	else
		tern_advance(p->sem.st, now);
}

void posix_unlock(struct posix *p)
{
	if (p->loop.n_ports && tern_output_ready(p->sem.st, 0))
		loop_flush(&p->loop);
	sem_take_events(&p->sem); /* of room that this has made, too */
	take_from_helper(p);
	if (p->asleep && !p->takeover && tern_deadline(p->sem.st) < p->driver_until)
		poke_driver(p);
	pthread_mutex_unlock(&p->lock);
}
