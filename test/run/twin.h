/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * twin.h - small socket programs that are run twice, on the kernel and under a run of tern's; what
 * they say must be equal.
 *
 * A program is a function that says what it sees. It is started as a process of its own (this test
 * program again, with --twin NAME FILE); both have the loopback only.
 */
#ifndef TERN_TEST_RUN_TWIN_H
#define TERN_TEST_RUN_TWIN_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../host/loop/loop.h"
#include "../../host/run/run.h"
#include "test.h"

enum { TWIN_OUTPUT_MAX = 65536, TWIN_SECONDS = 30 };

struct twin {
	const char *name;
	void (*body)(void);
};

/* ---- what programs use ---- */

static inline void say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	fflush(stdout);
}

/* A result as a number, or the name of its error. */
static inline const char *told(long long result)
{
	static char text[4][40];
	static int at;
	char *t = text[at = (at + 1) % 4];

	if (result < 0)
		snprintf(t, 40, "%s", strerrorname_np(errno));
	else
		snprintf(t, 40, "%lld", result);
	return t;
}

/* What poll says, when one of these has come, or after some seconds. */
static inline int polled(int fd, int events, int want)
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

static inline int so_error(int fd)
{
	int v = -1;
	socklen_t len = sizeof(v);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &v, &len);
	return v;
}

static inline struct sockaddr_in loopback_at(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

static inline uint16_t port_of(int fd)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	return getsockname(fd, (struct sockaddr *)&a, &len) ? 0 : ntohs(a.sin_port);
}

static inline int bound(int type)
{
	struct sockaddr_in a = loopback_at(0);
	int fd = socket(AF_INET, type, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0)
		say("bound: %s\n", strerrorname_np(errno));
	return fd;
}

static inline int listening(void)
{
	int fd = bound(SOCK_STREAM);

	if (listen(fd, 16) != 0)
		say("listen: %s\n", strerrorname_np(errno));
	return fd;
}

static inline int connected_to(uint16_t port)
{
	struct sockaddr_in a = loopback_at(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0)
		say("connect: %s\n", strerrorname_np(errno));
	return fd;
}

/* Both ends of a connection. */
static inline void connection(int fd[2])
{
	int l = listening();

	fd[0] = connected_to(port_of(l));
	fd[1] = accept(l, NULL, NULL);
	if (fd[1] < 0)
		say("accept: %s\n", strerrorname_np(errno));
	close(l);
}

static inline void set_nonblocking(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* ---- running them ---- */

static inline bool read_output(const char *path, char *out)
{
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(out, 1, TWIN_OUTPUT_MAX - 1, f) : 0;

	out[n] = 0;
	if (f)
		fclose(f);
	return f != NULL;
}

static inline void twin_native(const char *name, const char *path)
{
	tern_time until = loop_now() + TWIN_SECONDS * TERN_SEC;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execl("/proc/self/exe", "twin", "--twin", name, path, (char *)NULL);
		_exit(99);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (loop_now() > until)
			kill(pid, SIGKILL);
		usleep(1000);
	}
	check(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static inline void twin_on_tern(const char *name, const char *path)
{
	char self[] = "/proc/self/exe", flag[] = "--twin", word[80], file[80];
	char *argv[] = { self, flag, word, file, NULL };
	struct run_wish wish = { .argv = argv };
	tern_time until = loop_now() + TWIN_SECONDS * TERN_SEC;
	struct tern_config cfg;
	struct loop l;
	struct run *r;
	int status = -1;

	snprintf(word, sizeof(word), "%s", name);
	snprintf(file, sizeof(file), "%s", path);
	loop_init(&l);
	tern_config_default(&cfg);
	r = run_start(loop_new_stack(&l, &cfg, NULL, NULL), &wish);
	if (!r) {
		test_fail(__FILE__, __LINE__, "%s", wish.error);
		loop_fini(&l);
		return;
	}
	while (!run_is_over(r) && loop_now() < until) {
		struct pollfd own = { run_fd(r), POLLIN, 0 };

		loop_pump(&l);
		run_turn(r);
		loop_wait(&l, run_deadline(r) < until ? run_deadline(r) : until, &own, 1);
	}
	if (!run_is_over(r))
		test_fail(__FILE__, __LINE__, "%s does not end", name);
	else
		check(run_exited(r, &status) && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	check_eq(run_counts(r).on_kernel, 0);
	run_free(r);
	tern_check(l.stack[0]);
	loop_fini(&l);
}

static inline void twin_compare(const char *name)
{
	static char native[TWIN_OUTPUT_MAX], tern[TWIN_OUTPUT_MAX];
	char path[] = "/tmp/twin.XXXXXX";
	int fd = mkstemp(path);

	test_at("%s", name);
	close(fd);
	twin_native(name, path);
	check(read_output(path, native) && native[0]);
	twin_on_tern(name, path);
	check(read_output(path, tern));
	check_str(tern, native);
	unlink(path);
}

static inline int twin_main(int argc, char **argv, const struct twin *twins, size_t n_twins,
			    const struct test *tests)
{
	if (argc < 4 || strcmp(argv[1], "--twin") != 0)
		return test_main(argc, argv, tests, n_twins);
	if (!freopen(argv[3], "w", stdout))
		return 98;
	for (size_t i = 0; i < n_twins; i++)
		if (strcmp(twins[i].name, argv[2]) == 0) {
			twins[i].body();
			return 0;
		}
	return 97;
}

/* A list is a macro that names each once: #define TWINS(X) X(one) X(two) */
#define TWIN_RUN(fn)                                                                               \
	static void twin_of_##fn(void)                                                             \
	{                                                                                          \
		twin_compare(#fn);                                                                 \
	}
#define TWIN_ENTRY(fn) { #fn, fn },
#define TWIN_TEST(fn) { #fn, twin_of_##fn },
#define TWIN_MAIN(LIST)                                                                            \
	LIST(TWIN_RUN)                                                                             \
	int main(int argc, char **argv)                                                            \
	{                                                                                          \
		static const struct twin twins[] = { LIST(TWIN_ENTRY) };                           \
		static const struct test tests[] = { LIST(TWIN_TEST) };                            \
                                                                                                   \
		return twin_main(argc, argv, twins, N_TESTS(tests), tests);                        \
	}

#endif
