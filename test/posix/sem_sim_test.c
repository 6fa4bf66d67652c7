/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sem_sim_test.c - blocking calls in virtual time: callers are coroutines, and a seed decides who
 * runs, when packets move and when time passes, also between a caller's look and its sleep.
 *
 * Every run must come to its end: a caller that sleeps although what it waits for is there has lost
 * its wake-up. Bytes arrive in order and once; an edge is told once for what happened, a level as
 * long as it lasts.
 *
 *	sem_sim_test            2000 seeds
 *	sem_sim_test SEEDS [FIRST]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "test.h"

#include "../../core/base/rand.h"
#include "../../host/posix/sem.h"

enum { ACTORS = 4, STACK = 128 << 10, STEPS_MAX = 100000, FD_LISTENER = 1, FD_SET = 60 };

struct actor {
	ucontext_t context;
	void (*play)(void);
	char *stack;
	struct waiter *waits; /* NULL: it does not */
	tern_time until;
	bool done;
};

static struct world {
	struct test_env env;
	struct tern_stack *st;
	struct sem sem;
	struct rand rand;
	tern_time now;
	ucontext_t scheduler;
	struct actor actor[ACTORS];
	struct actor *runs;
	struct file *set;
	int next_fd;
	struct sockaddr_in at;
	/* what is transferred */
	int client, server; /* numbers; 0: not open yet */
	uint64_t total, sent, got;
	bool edge, use_set, time_out, nonblocking_reader;
	unsigned interrupts; /* signals that are left */
	char why[200];
} * w;

static uint32_t draw(uint32_t below)
{
	return (uint32_t)rand_below(&w->rand, below);
}

static void fail(const char *why)
{
	if (!w->why[0])
		snprintf(w->why, sizeof(w->why), "%s", why);
}

/* ---- the world of sem ---- */

static void to_scheduler(void)
{
	swapcontext(&w->runs->context, &w->scheduler);
}

static int wait_in_world(void *ctx, struct waiter *waiter, tern_time until, bool always_eintr)
{
	struct actor *a = w->runs;

	(void)ctx;
	if (w->interrupts && draw(8) == 0 && always_eintr) {
		w->interrupts--;
		return -EINTR;
	}
	a->waits = waiter;
	a->until = until;
	to_scheduler();
	a->waits = NULL;
	return 0;
}

static void wake(void *ctx, struct waiter *waiter)
{
	(void)ctx;
	(void)waiter; /* woken is true: the scheduler looks at that alone */
}

static tern_time now_of(void *ctx)
{
	(void)ctx;
	return w->now;
}

static void pump(void *ctx)
{
	(void)ctx;
	tern_advance(w->st, w->now);
	sem_take_events(&w->sem);
}

static void raise_set(void *ctx, struct file *set, bool up)
{
	(void)ctx;
	(void)set;
	(void)up;
}

static void end_set(void *ctx, struct file *set)
{
	(void)ctx;
	(void)set;
}

/* Between any two steps of a caller others may run. */
static void breathe(void)
{
	if (draw(3) == 0)
		to_scheduler();
}

/* ---- calls by number, as the world's public ones are ---- */

static int named(struct file *f)
{
	int fd = w->next_fd++;

	check(sem_name(&w->sem, fd, f));
	tern_set_user(w->st, f->sock, f);
	return fd;
}

static int new_socket(void)
{
	struct file *f;

	check_eq(sem_socket(&w->sem, AF_INET, SOCK_STREAM, 0, &f), 0);
	return named(f);
}

static int64_t call_io(int fd, char *bytes, size_t len, bool send, int flags)
{
	struct iovec iov = { bytes, len };
	struct io io = { .iov = &iov, .n_iov = 1, .flags = flags };
	struct file *f;
	int64_t n = sem_begin_call(&w->sem, fd, &f);

	if (n)
		return n;
	n = send ? sem_send(&w->sem, f, &io) : sem_recv(&w->sem, f, &io, NULL, NULL);
	sem_end_call(&w->sem, f);
	sem_take_events(&w->sem);
	return n;
}

/* ---- the callers ---- */

static char byte_at(uint64_t i)
{
	return (char)(i * 13 + i / 251);
}

static void play_server(void)
{
	struct file *f, *child;
	int n, l = new_socket();
	socklen_t len = sizeof(w->at);

	f = sem_file(&w->sem, l);
	w->at = (struct sockaddr_in){ .sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	check_eq(sem_bind(&w->sem, f, (struct sockaddr *)&w->at, sizeof(w->at)), 0);
	check_eq(sem_listen(&w->sem, f, 4), 0);
	check_eq(sem_name_of(&w->sem, f, false, (struct sockaddr *)&w->at, &len), 0);
	breathe();
	if (draw(2))
		f->recv_timeout = TERN_MS * (1 + draw(50));
	do
		n = sem_accept(&w->sem, f, NULL, NULL, &child);
	while (n == -EINTR || n == -EAGAIN);
	if (n) {
		fail("accept");
		return;
	}
	w->server = named(child);
	sem_unname(&w->sem, l);
}

static void take(const char *bytes, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		if (bytes[i] != byte_at(w->got + (uint64_t)i))
			fail("a wrong byte");
	w->got += (uint64_t)n;
}

/* A level is told again while it lasts; an edge is not, if nothing has happened. */
static void check_told_again(const struct epoll_event *told)
{
	struct epoll_event ev;
	int n = epoll_collect(&w->sem, w->set, &ev, 1);

	if (w->edge ? n != 0 : n != 1 || ev.events != told->events)
		fail(w->edge ? "an edge was told twice" : "a level was told once");
}

/* One wait for the set, as epoll_wait does; *out is what it says. */
static int wait_for_set(struct epoll_event *out)
{
	struct watch watch;
	int n;

	for (;;) {
		struct waiter waiter = { .watch = &watch };

		pump(NULL);
		n = epoll_collect(&w->sem, w->set, out, 1);
		if (n)
			break;
		breathe();
		watch_begin(&waiter, w->set, TERN_POLLIN);
		/* it may have become ready since the look: who sleeps looks first */
		if (list_empty(&w->set->ready))
			wait_in_world(NULL, &waiter, TERN_NEVER, false);
		watch_end(&waiter);
	}
	check_told_again(out);
	return n;
}

static int64_t read_some(int flags)
{
	static char bytes[8192];
	int64_t n = call_io(w->server, bytes, 1 + draw(sizeof(bytes) - 1), false, flags);

	if (n > 0)
		take(bytes, n);
	return n;
}

static void read_by_set(void)
{
	struct epoll_event ev = { .events = EPOLLIN | (w->edge ? EPOLLET : 0) };
	int64_t n = 1;

	check_eq(epoll_change(&w->sem, w->set, EPOLL_CTL_ADD, w->server, &ev), 0);
	while (n != 0) {
		wait_for_set(&ev);
		breathe();
		do
			n = read_some(MSG_DONTWAIT);
		while (n > 0 && (w->edge || draw(2)));
		if (n < 0 && n != -EAGAIN) {
			fail("a read by epoll");
			return;
		}
	}
}

static void play_reader(void)
{
	int64_t n;

	while (!w->server && !w->why[0])
		to_scheduler();
	if (w->use_set) {
		read_by_set();
		return;
	}
	if (w->time_out)
		sem_file(&w->sem, w->server)->recv_timeout = TERN_MS * (1 + draw(20));
	do {
		n = read_some(draw(4) ? 0 : MSG_WAITALL);
		breathe();
	} while (n > 0 || n == -EAGAIN || n == -EINTR);
	if (n)
		fail("a read");
}

static void play_writer(void)
{
	static char bytes[20000];
	struct file *f;
	int64_t n;

	while (!w->at.sin_port && !w->why[0])
		to_scheduler();
	w->client = new_socket();
	f = sem_file(&w->sem, w->client);
	n = sem_connect(&w->sem, f, (struct sockaddr *)&w->at, sizeof(w->at));
	if (n) {
		fail("connect");
		return;
	}
	if (draw(2))
		f->send_timeout = TERN_MS * (1 + draw(20));
	while (w->sent < w->total) {
		size_t len = 1 + draw(sizeof(bytes) - 1);

		len = len < w->total - w->sent ? len : (size_t)(w->total - w->sent);
		for (size_t i = 0; i < len; i++)
			bytes[i] = byte_at(w->sent + i);
		n = call_io(w->client, bytes, len, true, MSG_NOSIGNAL);
		if (n < 0 && n != -EAGAIN && n != -EINTR) {
			fail("a write");
			return;
		}
		w->sent += n > 0 ? (uint64_t)n : 0;
		breathe();
	}
	if (draw(2))
		sem_shutdown(&w->sem, f, SHUT_WR);
	else
		sem_unname(&w->sem, w->client);
}

/* Somebody who waits for what never comes, until another closes it under it. */
static void play_closed(void)
{
	static int fd;
	struct file *f, *child;
	struct sockaddr_in any = { .sin_family = AF_INET };
	int n;

	fd = new_socket();
	f = sem_file(&w->sem, fd);
	sem_bind(&w->sem, f, (struct sockaddr *)&any, sizeof(any));
	sem_listen(&w->sem, f, 1);
	if (sem_begin_call(&w->sem, fd, &f))
		return;
	n = sem_accept(&w->sem, f, NULL, NULL, &child);
	sem_end_call(&w->sem, f);
	if (n != -EBADF)
		fail("a wait for a closed number did not say EBADF");
}

/* ---- the scheduler ---- */

static void enter(void)
{
	w->runs->play();
	w->runs->done = true;
	to_scheduler();
}

static bool can_run(const struct actor *a)
{
	return !a->done && (!a->waits || a->waits->woken || w->now >= a->until);
}

static void run_actor(struct actor *a)
{
	w->runs = a;
	swapcontext(&w->scheduler, &a->context);
}

static bool run_any(void)
{
	unsigned first = draw(ACTORS);

	for (unsigned i = 0; i < ACTORS; i++) {
		struct actor *a = &w->actor[(first + i) % ACTORS];

		if (can_run(a)) {
			run_actor(a);
			return true;
		}
	}
	return false;
}

/* The next instant at which something happens by itself. */
static tern_time next_instant(void)
{
	tern_time at = tern_deadline(w->st);

	for (unsigned i = 0; i < ACTORS; i++)
		if (!w->actor[i].done && w->actor[i].waits && w->actor[i].until < at)
			at = w->actor[i].until;
	return at;
}

static bool transfer_is_over(void)
{
	return w->actor[0].done && w->actor[1].done && w->actor[2].done;
}

/* The last caller waits for nothing that could come: its number is closed. */
static void close_the_waiting(void)
{
	for (int fd = 1; fd < w->next_fd; fd++) {
		struct file *f = sem_file(&w->sem, fd);

		if (f && f->kind == FILE_SOCKET && f->n_calls > 0)
			sem_unname(&w->sem, fd);
	}
}

static void run_world(void)
{
	for (unsigned step = 0; step < STEPS_MAX; step++) {
		bool moved = false;
		tern_time at;

		if (w->why[0])
			return;
		if (transfer_is_over() && w->actor[3].done)
			return;
		if (transfer_is_over())
			close_the_waiting();
		if (draw(3))
			moved = run_any();
		if (draw(3) == 0) {
			pump(NULL);
			moved = true;
		}
		if (moved || run_any())
			continue;
		pump(NULL);
		at = next_instant();
		if (at == TERN_NEVER && !run_any()) {
			fail("a caller sleeps for ever");
			return;
		}
		w->now = at > w->now && at != TERN_NEVER ? at : w->now + TERN_US;
	}
	fail("it does not end");
}

static void begin(uint64_t seed)
{
	static void (*const plays[ACTORS])(void) = { play_server, play_reader, play_writer,
						     play_closed };
	const struct sem_world world = {
		wait_in_world, wake, now_of, pump, raise_set, end_set, NULL
	};
	uint8_t key[32] = { 0 };
	struct tern_config cfg;
	struct tern_env env;

	w = calloc(1, sizeof(*w));
	memcpy(key, &seed, sizeof(seed));
	rand_init(&w->rand, key, 1);
	env = test_env_make(&w->env, (uint8_t)seed);
	tern_config_default(&cfg);
	cfg.tcp_sndbuf_default = cfg.tcp_sndbuf_max = 4096 << draw(4);
	cfg.tcp_rcvbuf_default = cfg.tcp_rcvbuf_max = 4096 << draw(4);
	w->st = tern_new(&cfg, &env);
	w->now = TERN_SEC;
	tern_advance(w->st, w->now);
	sem_init(&w->sem, w->st, &world);
	w->next_fd = 1;
	w->total = 1 + draw(100000);
	w->use_set = draw(2);
	w->edge = draw(2);
	w->time_out = draw(2);
	w->interrupts = draw(5);
	w->set = file_new(FILE_EPOLL);
	check(sem_name(&w->sem, FD_SET, w->set));
	for (unsigned i = 0; i < ACTORS; i++) {
		struct actor *a = &w->actor[i];

		a->play = plays[i];
		a->stack = malloc(STACK);
		getcontext(&a->context);
		a->context.uc_stack.ss_sp = a->stack;
		a->context.uc_stack.ss_size = STACK;
		makecontext(&a->context, enter, 0);
	}
}

static void end(void)
{
	sem_fini(&w->sem);
	tern_free(w->st);
	for (unsigned i = 0; i < ACTORS; i++)
		free(w->actor[i].stack);
	free(w);
}

static bool one_seed(uint64_t seed)
{
	bool good;

	begin(seed);
	run_world();
	if (!w->why[0] && w->got != w->total)
		fail("bytes are missing");
	good = !w->why[0];
	if (!good)
		test_fail(__FILE__, __LINE__,
			  "seed %llu: %s (%llu of %llu bytes, set %d, edge %d); again: "
			  "sem_sim_test 1 %llu",
			  (unsigned long long)seed, w->why, (unsigned long long)w->got,
			  (unsigned long long)w->total, w->use_set, w->edge,
			  (unsigned long long)seed);
	if (good)
		end();
	return good;
}

static uint64_t n_seeds = 2000, first_seed = 1;

static void no_wake_up_is_lost(void)
{
	for (uint64_t i = 0; i < n_seeds; i++)
		if (!one_seed(first_seed + i))
			return;
}

static const struct test tests[] = { TEST(no_wake_up_is_lost) };

int main(int argc, char **argv)
{
	if (argc > 1 && argv[1][0] >= '0' && argv[1][0] <= '9') {
		n_seeds = strtoull(argv[1], NULL, 10);
		first_seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
		argc = 1;
	}
	return test_main(argc, argv, tests, N_TESTS(tests));
}
