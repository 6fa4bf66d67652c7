/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * twin.c - one side of the twins: runs one of the programs.
 *
 * usage: twin_SIDE --list                 each: NAME, and "4" or "46"
 *        twin_SIDE NAME 4|6 FILE          runs it; what it says goes into the file
 *        twin_SIDE =SEED 4|6 FILE         runs what the seed draws
 */
#include "twin.h"

#include <stdarg.h>

#include "draws.h"

int family = AF_INET;
volatile sig_atomic_t n_signals;

void say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	fflush(stdout);
}

const char *told(long long result)
{
	static char text[4][40];
	static int at;
	char *t = text[at = (at + 1) % 4];

	if (result < 0)
		snprintf(t, 40, "%s", strerror(errno));
	else
		snprintf(t, 40, "%lld", result);
	return t;
}

void say_result(long long result)
{
	say("%s\n", told(result));
}

/* ---- names ---- */

struct name any_at(uint16_t port)
{
	struct name n = { .len = 0 };

	n.sa.sa_family = (sa_family_t)family;
	n.len = family == AF_INET ? sizeof(n.in) : sizeof(n.in6);
	if (family == AF_INET)
		n.in.sin_port = htons(port);
	else
		n.in6.sin6_port = htons(port);
	return n;
}

struct name loopback6_at(uint16_t port)
{
	struct name n = { .in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) },
			  .len = sizeof(n.in6) };

	n.in6.sin6_addr = in6addr_loopback;
	return n;
}

struct name loopback_at(uint16_t port)
{
	struct name n = any_at(port);

	if (family == AF_INET6)
		return loopback6_at(port);
	n.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return n;
}

uint16_t port_in(const struct name *n)
{
	return ntohs(n->sa.sa_family == AF_INET6 ? n->in6.sin6_port : n->in.sin_port);
}

uint16_t port_of(int fd)
{
	struct name n = { .len = sizeof(n.all) };

	return getsockname(fd, &n.sa, &n.len) ? 0 : port_in(&n);
}

/* ---- sockets ---- */

int socket_of(int type)
{
	int fd = socket(family, type, 0);

	if (fd < 0)
		say("socket: %s\n", strerror(errno));
	return fd;
}

int bound(int type)
{
	struct name n = loopback_at(0);
	int fd = socket_of(type);

	if (bind(fd, &n.sa, n.len) != 0)
		say("bound: %s\n", strerror(errno));
	return fd;
}

int listening(void)
{
	int fd = bound(SOCK_STREAM);

	if (listen(fd, 16) != 0)
		say("listen: %s\n", strerror(errno));
	return fd;
}

int connect_to(int fd, uint16_t port)
{
	struct name n = loopback_at(port);

	return connect(fd, &n.sa, n.len);
}

int connected_to(uint16_t port)
{
	int fd = socket_of(SOCK_STREAM);

	if (connect_to(fd, port) != 0)
		say("connect: %s\n", strerror(errno));
	return fd;
}

void connection(int fd[2])
{
	int l = listening();

	fd[0] = connected_to(port_of(l));
	fd[1] = accept(l, NULL, NULL);
	if (fd[1] < 0)
		say("accept: %s\n", strerror(errno));
	close(l);
}

void reset(int fd)
{
	struct linger now = { 1, 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

uint16_t closed_port(void)
{
	int fd = bound(SOCK_STREAM);
	uint16_t port = port_of(fd);

	close(fd);
	return port;
}

ssize_t send_to(int fd, const void *bytes, size_t len, uint16_t port)
{
	struct name n = loopback_at(port);

	return sendto(fd, bytes, len, 0, &n.sa, n.len);
}

void friends(int fd[2])
{
	fd[0] = bound(SOCK_DGRAM);
	fd[1] = bound(SOCK_DGRAM);
	if (connect_to(fd[0], port_of(fd[1])) || connect_to(fd[1], port_of(fd[0])))
		say("connect: %s\n", strerror(errno));
}

ssize_t read_all(int fd, void *bytes, size_t n)
{
	size_t got = 0;
	ssize_t k = 0;

	while (got < n && (k = read(fd, (char *)bytes + got, n - got)) > 0)
		got += (size_t)k;
	return got ? (ssize_t)got : k;
}

void put_control(struct cmsghdr *c, size_t size, int level, int type)
{
	memset(c, 0, sizeof(*c));
	c->cmsg_len = CMSG_LEN(size);
	c->cmsg_level = level;
	c->cmsg_type = type;
}

void fill_up(int fd)
{
	static char bytes[100000];

	for (int full = 0; full < 3; a_moment())
		full = send(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0 ? 0 : full + 1;
}

/* ---- readiness and options ---- */

int polled_now(int fd, int events)
{
	struct pollfd p = { .fd = fd, .events = (short)events };

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

int polled(int fd, int events, int want)
{
	struct pollfd p = { .fd = fd, .events = (short)events };

	for (int i = 0; i < 5000; i++) {
		if (poll(&p, 1, 1) > 0 && (p.revents & want) == want)
			break;
		if (p.revents)
			usleep(1000);
	}
	return p.revents;
}

void a_moment(void)
{
	usleep(20000);
}

int get_int(int fd, int level, int option)
{
	int v = -1;
	socklen_t len = sizeof(v);

	if (getsockopt(fd, level, option, &v, &len) != 0)
		say("getsockopt: %s\n", strerror(errno));
	return v;
}

int so_error(int fd)
{
	return get_int(fd, SOL_SOCKET, SO_ERROR);
}

int set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

void set_nonblocking(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void set_timeout(int fd, int option, int ms)
{
	struct timeval t = { ms / 1000, ms % 1000 * 1000 };

	if (setsockopt(fd, SOL_SOCKET, option, &t, sizeof(t)) != 0)
		say("a time-out: %s\n", strerror(errno));
}

/* ---- threads and signals ---- */

struct task {
	void *(*run)(void *);
	void *ctx;
};

static void *run_later(void *ctx)
{
	struct task t = *(struct task *)ctx;

	free(ctx);
	a_moment();
	return t.run(t.ctx);
}

pthread_t later(void *(*run)(void *), void *ctx)
{
	struct task *t = malloc(sizeof(*t));
	pthread_t thread;

	*t = (struct task){ run, ctx };
	if (pthread_create(&thread, NULL, run_later, t) != 0)
		abort();
	return thread;
}

static void count(int sig)
{
	(void)sig;
	n_signals++;
}

void count_signals(int sig, int flags)
{
	struct sigaction act = { .sa_handler = count, .sa_flags = flags };

	sigaction(sig, &act, NULL);
}

void alarm_in(int ms, int flags)
{
	/* again each second: on a machine that stood still the first came before what waits for it */
	struct itimerval t = { { 1, 0 }, { ms / 1000, ms % 1000 * 1000 } };

	count_signals(SIGALRM, flags);
	setitimer(ITIMER_REAL, &t, NULL);
}

/* ---- main ---- */

static const struct subject *const subjects[] = {
	&of_streams,  &of_ends,	    &of_listeners,   &of_datagrams, &of_options,    &of_epoll,
	&of_polls,    &of_signals,  &of_threads,     &of_processes, &of_flags,	    &of_errors,
	&of_requests, &of_controls, &of_error_queue, &of_names,	    &of_interfaces, &of_connects,
	&of_groups,   &of_refused,  &of_asked,	     &of_lengths,   &of_strays,
};

static const struct program *next_program(size_t *i, size_t *k)
{
	for (; *i < N_OF(subjects); (*i)++, *k = 0)
		if (*k < subjects[*i]->n)
			return &subjects[*i]->programs[(*k)++];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct program *p;
	size_t i = 0, k = 0;

	if (argc == 2 && strcmp(argv[1], "--list") == 0) {
		while ((p = next_program(&i, &k)))
			printf("%s %s\n", p->name, p->v4_only ? "4" : "46");
		return 0;
	}
	if (argc != 4 || !freopen("/dev/null", "r", stdin) || !freopen(argv[3], "w", stdout))
		return 98;
	family = argv[2][0] == '6' ? AF_INET6 : AF_INET;
	if (argv[1][0] == '=') {
		draw_calls(strtoull(argv[1] + 1, NULL, 10));
		return 0;
	}
	while ((p = next_program(&i, &k)))
		if (strcmp(p->name, argv[1]) == 0) {
			p->run();
			return 0;
		}
	return 97;
}
