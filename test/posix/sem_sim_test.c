/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sem_sim_test.c - the POSIX layer's meaning (host/posix/sem.h) in a world of virtual time, from seeds.
 *
 * Callers are coroutines with blocking calls. Where one waits, the world runs others first, as many
 * as the seed says, so that what it waits for happens between its check and its sleep, during the
 * sleep, or before; signals and wakings without a cause come, too. Every caller must come to its
 * end: one that sleeps for ever has lost a waking. Streams must bring their bytes in order, an
 * edge-triggered set tells exactly when something has come since it last told.
 *
 * usage: sem_sim_test [--seeds N [FIRST]]    else 2000; a failure names its seed
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <ucontext.h>

#include "../../host/posix/sem.h"
#include "test.h"

enum { CALLERS_MAX = 12, STACK_SIZE = 256 * 1024, STEPS_MAX = 200000, SETS = 4 };

struct caller {
	void (*run)(struct caller *);
	ucontext_t context;
	bool finished, sleeping;
	struct waiter *waiter;
	tern_time until;
	/* what it works with */
	struct file *file, *set;
	uint32_t total, epoll_events;
	uint32_t *sum; /* readers of one stream share it */
	bool in_order;
	uint32_t told_at; /* by its set: bytes that had come */
	bool told_end;
	uint16_t port;
	int number; /* of its file, in its set */
};

static struct {
	struct tern_stack *st;
	struct sem sem;
	tern_time now;
	uint64_t random;
	struct caller caller[CALLERS_MAX];
	unsigned n_callers;
	struct caller *running;
	ucontext_t scheduler;
	struct file *listener; /* without a number */
	uint64_t seed;
	bool failed;
} w;

static char stacks[CALLERS_MAX][STACK_SIZE];

static uint32_t draw(uint32_t below)
{
	w.random ^= w.random << 13; /* xorshift64 */
	w.random ^= w.random >> 7;
	w.random ^= w.random << 17;
	return (uint32_t)((w.random >> 32) % below);
}

static void fail(const char *what)
{
	if (!w.failed)
		test_fail(__FILE__, __LINE__, "seed %llu: %s", (unsigned long long)w.seed, what);
	w.failed = true;
}

/* ---- the world ---- */

static int world_wait(void *ctx, struct waiter *waiter, tern_time until, bool always_eintr)
{
	struct caller *c = w.running;

	(void)ctx;
	c->waiter = waiter;
	c->until = until;
	c->sleeping = true;
	swapcontext(&c->context, &w.scheduler);
	c->sleeping = false;
	if (!waiter->woken && w.now < until && draw(4) == 0)
		return always_eintr || draw(2) ? -EINTR : 0; /* a signal, or no cause at all */
	return 0;
}

static void world_wake(void *ctx, struct waiter *waiter)
{
	(void)ctx;
	if (!waiter->woken)
		fail("a waking of who is not woken");
}

static tern_time world_now(void *ctx)
{
	(void)ctx;
	return w.now;
}

static void world_pump(void *ctx)
{
	(void)ctx;
	tern_advance(w.st, w.now);
	sem_take_events(&w.sem);
}

/* set_fd says whether the hidden descriptor is readable. */
static void world_raise(void *ctx, struct file *set, bool up)
{
	(void)ctx;
	if ((set->set_fd != 0) == up)
		fail("a set is raised twice");
	set->set_fd = up;
}

static void world_end_set(void *ctx, struct file *set)
{
	(void)ctx;
	set->hidden_fd = -1;
}

/* ---- what callers do ---- */

static uint8_t byte_at(uint32_t at)
{
	return (uint8_t)(at * 2654435761u >> 24);
}

/* Sends `total` bytes in pieces, then the end. */
static void write_stream(struct caller *c)
{
	uint8_t bytes[3000];
	uint32_t done = 0;

	while (done < c->total) {
		uint32_t n = 1 + draw(sizeof(bytes));
		struct iovec iov = { bytes, n < c->total - done ? n : c->total - done };
		struct io io = { .iov = &iov, .n_iov = 1 };
		int64_t sent;

		for (size_t i = 0; i < iov.iov_len; i++)
			bytes[i] = byte_at(done + (uint32_t)i);
		sent = sem_send(&w.sem, c->file, &io);
		if (sent < 0 && sent != -EINTR)
			fail("a send says an error");
		done += sent > 0 ? (uint32_t)sent : 0;
	}
	sem_shutdown(&w.sem, c->file, SHUT_WR);
}

/* One receive; what came is counted and, of a reader that is alone, looked at. */
static int64_t take(struct caller *c, int flags)
{
	uint8_t bytes[4000];
	struct iovec iov = { bytes, 1 + draw(sizeof(bytes)) };
	struct io io = { .iov = &iov, .n_iov = 1, .flags = flags };
	int64_t n = sem_recv(&w.sem, c->file, &io, NULL, NULL);

	for (int64_t i = 0; c->in_order && i < n; i++)
		if (bytes[i] != byte_at(*c->sum + (uint32_t)i)) {
			fail("bytes out of order");
			break;
		}
	if (n > 0 && !(flags & MSG_PEEK))
		*c->sum += (uint32_t)n;
	return n;
}

static void read_stream(struct caller *c)
{
	int64_t n;

	do {
		int flags = c->in_order && draw(8) == 0 ? MSG_PEEK : draw(6) == 0 ? MSG_WAITALL : 0;

		n = take(c, flags);
		if (n < 0 && n != -EINTR)
			fail("a receive says an error");
	} while (n != 0);
}

/* As epoll_wait: false when a signal ended it. */
static bool wait_for_set(struct caller *c, struct epoll_event *ev)
{
	for (;;) {
		struct watch watch;
		struct waiter waiter = { .watch = &watch };
		int err;

		world_pump(NULL);
		if (epoll_collect(&w.sem, c->set, ev, 1))
			return true;
		watch_begin(&waiter, c->set, TERN_POLLIN);
		err = world_wait(NULL, &waiter, TERN_NEVER, true);
		watch_end(&waiter);
		if (err)
			return false;
	}
}

static uint32_t come_so_far(const struct caller *c)
{
	int unread = 0;
	size_t len = sizeof(unread);

	tern_getsockopt(w.st, c->file->sock, TERN_SOL_SOCKET, TERN_SO_SIOCINQ, &unread, &len);
	return *c->sum + (uint32_t)unread;
}

/* An edge is told when bytes have come since the last one, and when the end has. */
static void note_told(struct caller *c)
{
	bool ended = tern_poll(w.st, c->file->sock) & TERN_POLLRDHUP;

	if ((c->epoll_events & EPOLLET) && come_so_far(c) == c->told_at && ended == c->told_end)
		fail("an edge of nothing");
	c->told_at = come_so_far(c);
	c->told_end = ended;
}

static void read_by_epoll(struct caller *c)
{
	struct epoll_event change = { .events = c->epoll_events }, ev;
	int64_t n = 1;

	while (n != 0) {
		if (!wait_for_set(c, &ev))
			continue;
		note_told(c);
		do
			n = take(c, MSG_DONTWAIT);
		while (n > 0 && ((c->epoll_events & EPOLLET) || draw(2)));
		if (n < 0 && n != -EAGAIN)
			fail("a receive behind epoll says an error");
		if ((c->epoll_events & EPOLLONESHOT) && n != 0)
			epoll_change(&w.sem, c->set, EPOLL_CTL_MOD, c->number, &change);
	}
}

static void accept_one(struct caller *c)
{
	struct file *child;
	int err;

	while ((err = sem_accept(&w.sem, c->file, NULL, NULL, &child)) == -EINTR)
		continue;
	if (err) {
		fail("an accept says an error");
		return;
	}
	child->n_numbers = 1;
	sem_drop_number(&w.sem, child);
}

static void connect_one(struct caller *c)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(c->port) };
	struct file *f;
	int err = sem_socket(&w.sem, AF_INET, SOCK_STREAM, 0, &f);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	f->n_numbers = 1;
	while (!err && (err = sem_connect(&w.sem, f, (struct sockaddr *)&a, sizeof(a))) == -EINTR)
		err = 0;
	if (err && err != -EISCONN) /* as it was interrupted, and finished meanwhile */
		fail("a connect says an error");
	sem_drop_number(&w.sem, f);
}

/* Its file is closed under it. */
static void read_until_closed(struct caller *c)
{
	int64_t n;

	while ((n = take(c, 0)) == -EINTR)
		continue;
	if (n != -EBADF)
		fail("a close does not end a receive");
	sem_end_call(&w.sem, c->file);
}

static void close_later(struct caller *c)
{
	struct waiter nobody = { .woken = false };

	while (draw(4))
		world_wait(NULL, &nobody, w.now + draw(1000) * TERN_US, false);
	sem_drop_number(&w.sem, c->file);
}

/* ---- what there is ---- */

static struct caller *add(void (*run)(struct caller *), struct file *f)
{
	struct caller *c = &w.caller[w.n_callers++];

	*c = (struct caller){ .run = run, .file = f };
	return c;
}

static uint16_t listen_at(struct file **out)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sem_socket(&w.sem, AF_INET, SOCK_STREAM, 0, out);
	(*out)->n_numbers = 1;
	sem_bind(&w.sem, *out, (struct sockaddr *)&a, sizeof(a));
	sem_listen(&w.sem, *out, 8);
	sem_name_of(&w.sem, *out, false, (struct sockaddr *)&a, &len);
	return ntohs(a.sin_port);
}

/* Both ends; the first has the number *fd, the second the next. */
static void connection(struct file *out[2], int *fd)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int size = 4608 << draw(6), err;
	struct file *l;

	a.sin_port = htons(listen_at(&l));
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sem_socket(&w.sem, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, &out[0]);
	err = sem_connect(&w.sem, out[0], (struct sockaddr *)&a, sizeof(a));
	world_pump(NULL);
	if ((err && err != -EINPROGRESS) || sem_accept(&w.sem, l, NULL, NULL, &out[1]) ||
	    sem_connect(&w.sem, out[0], (struct sockaddr *)&a, sizeof(a)))
		fail("no connection");
	out[0]->nonblocking = false;
	tern_setsockopt(w.st, out[0]->sock, TERN_SOL_SOCKET, TERN_SO_SNDBUF, &size, sizeof(size));
	for (int i = 0; i < 2; i++)
		sem_name(&w.sem, (*fd)++, out[i]);
	sem_drop_number(&w.sem, l);
}

static void watch_with_set(struct caller *c, int fd)
{
	static const uint32_t kinds[] = { EPOLLIN, EPOLLIN | EPOLLET, EPOLLIN | EPOLLONESHOT,
					  EPOLLIN | EPOLLET | EPOLLRDHUP };
	struct epoll_event ev = { .events = kinds[draw(4)] };

	c->set = file_new(FILE_EPOLL);
	c->set->set_fd = 0;
	c->set->n_numbers = 1;
	c->epoll_events = ev.events;
	c->in_order = true;
	c->number = fd;
	epoll_change(&w.sem, c->set, EPOLL_CTL_ADD, fd, &ev);
}

static uint32_t sums[SETS];

static void add_stream(unsigned k, int *fd)
{
	struct file *f[2];
	struct caller *c;
	uint32_t how = draw(3);

	connection(f, fd);
	sums[k] = 0;
	c = add(write_stream, f[0]);
	c->total = draw(3) ? draw(60000) : draw(200);
	if (how == 0) { /* two that read */
		add(read_stream, f[1])->sum = &sums[k];
		add(read_stream, f[1])->sum = &sums[k];
		return;
	}
	c = add(how == 1 ? read_stream : read_by_epoll, f[1]);
	c->sum = &sums[k];
	c->in_order = true;
	if (how == 2)
		watch_with_set(c, *fd - 1);
}

static void add_listener(void)
{
	uint32_t n = 1 + draw(3);
	struct file *l;
	uint16_t port = listen_at(&l);

	w.listener = l;
	for (uint32_t i = 0; i < n; i++) {
		add(accept_one, l);
		add(connect_one, NULL)->port = port;
	}
}

static void add_closer(int *fd)
{
	static uint32_t none;
	struct file *f[2];

	connection(f, fd);
	f[1]->n_numbers++; /* the second goes with close_later, the first with the table */
	sem_unname(&w.sem, *fd - 1);
	f[1]->n_calls++;
	add(read_until_closed, f[1])->sum = &none;
	add(close_later, f[1]);
}

/* ---- turning ---- */

static void enter(void)
{
	struct caller *c = w.running;

	c->run(c);
	c->finished = true;
	setcontext(&w.scheduler);
}

static bool is_runnable(const struct caller *c)
{
	return !c->finished && (!c->sleeping || c->waiter->woken || w.now >= c->until);
}

static bool nobody_is_runnable(void)
{
	for (unsigned i = 0; i < w.n_callers; i++)
		if (is_runnable(&w.caller[i]))
			return false;
	return true;
}

static void let_run(struct caller *c)
{
	w.running = c;
	swapcontext(&w.scheduler, &c->context);
}

/* Nobody can go on: time passes to the next that has a time. false: nobody has. */
static bool let_time_pass(void)
{
	tern_time next = tern_deadline(w.st);

	for (unsigned i = 0; i < w.n_callers; i++)
		if (!w.caller[i].finished && w.caller[i].sleeping && w.caller[i].until < next)
			next = w.caller[i].until;
	if (next == TERN_NEVER)
		return false;
	w.now = next > w.now ? next : w.now;
	world_pump(NULL);
	return true;
}

static unsigned n_unfinished(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w.n_callers; i++)
		n += !w.caller[i].finished;
	return n;
}

static void turn(void)
{
	for (unsigned step = 0; step < STEPS_MAX && n_unfinished() && !w.failed; step++) {
		struct caller *c = &w.caller[draw(w.n_callers)];

		if (draw(16) == 0)
			world_pump(NULL); /* packets come whenever they do */
		if (is_runnable(c) || (!c->finished && draw(64) == 0))
			let_run(c);
		else if (nobody_is_runnable() && !let_time_pass())
			fail("somebody sleeps for ever");
	}
	if (n_unfinished() && !w.failed)
		fail("they do not come to an end");
}

static void end_world(void)
{
	if (w.listener)
		sem_drop_number(&w.sem, w.listener);
	for (unsigned i = 0; i < w.n_callers; i++)
		if (w.caller[i].set)
			sem_drop_number(&w.sem, w.caller[i].set);
	sem_fini(&w.sem);
	tern_free(w.st);
}

static void run_seed(uint64_t seed)
{
	struct sem_world world = { world_wait,	world_wake,    world_now, world_pump,
				   world_raise, world_end_set, NULL };
	struct tern_config cfg;
	static struct test_env counted;
	struct tern_env env = test_env_make(&counted, seed);
	int fd = 0;

	counted = (struct test_env){ .fill = 0xa5 };
	memset(&w, 0, sizeof(w));
	w.seed = seed;
	w.random = seed * 0x9e3779b97f4a7c15 + 1;
	w.now = TERN_SEC;
	tern_config_default(&cfg);
	w.st = tern_new(&cfg, &env);
	tern_advance(w.st, w.now);
	sem_init(&w.sem, w.st, &world);
	for (unsigned k = 0; k < 1 + draw(2); k++)
		add_stream(k, &fd);
	if (draw(2))
		add_listener();
	if (w.n_callers <= CALLERS_MAX - 2 && draw(2))
		add_closer(&fd);
	for (unsigned i = 0; i < w.n_callers; i++) {
		struct caller *c = &w.caller[i];

		getcontext(&c->context);
		c->context.uc_stack.ss_sp = stacks[i];
		c->context.uc_stack.ss_size = STACK_SIZE;
		makecontext(&c->context, enter, 0);
	}
	turn();
	if (!w.failed)
		end_world();
	check_eq(w.failed ? 0 : counted.out, 0);
}

static uint64_t n_seeds = 2000, first_seed = 1;

static void nobody_sleeps_for_ever(void)
{
	for (uint64_t s = first_seed; s < first_seed + n_seeds && !w.failed; s++)
		run_seed(s);
}

static const struct test tests[] = { TEST(nobody_sleeps_for_ever) };

int main(int argc, char **argv)
{
	if (argc >= 3 && strcmp(argv[1], "--seeds") == 0) {
		n_seeds = strtoull(argv[2], NULL, 10);
		first_seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
		argc = 1;
	}
	return test_main(argc, argv, tests, N_TESTS(tests));
}
