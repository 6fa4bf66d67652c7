/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * posix_options_test.c - the manual's table of socket options is what the POSIX layer says.
 *
 * usage: posix_options_test            is man/tern_posix.3 right?
 *        posix_options_test --write    makes it so
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../host/posix/sem.h"
#include "../../include/tern_posix.h"
#include "linux_options.h"
#include "test.h"

static const char manual[] = "man/tern_posix.3";
static const char begin[] = ".\\\" options: posix_options_test --write\n";
static const char end[] = ".\\\" options end\n";

enum state { FULL, ACCEPTED, UNKNOWN, N_STATES };

static int sockets[6];

static void make_sockets(void)
{
	for (int i = 0; i < 6; i++)
		sockets[i] = tern_posix_socket(i & 1 ? AF_INET6 : AF_INET,
					       i & 4 ? SOCK_RAW :
					       i & 2 ? SOCK_DGRAM :
						       SOCK_STREAM,
					       i & 4 ? 99 : 0);
}

/* Some socket knows it, though it may not like the value or the moment. */
static bool is_known(const struct linux_option *o)
{
	for (int i = 0; i < 6; i++) {
		char value[256] = { 0 };
		socklen_t len = sizeof(value);

		if (tern_posix_getsockopt(sockets[i], o->level, o->number, value, &len) == 0 ||
		    (errno != ENOPROTOOPT && errno != EOPNOTSUPP))
			return true;
		if (tern_posix_setsockopt(sockets[i], o->level, o->number, value, 4) == 0 ||
		    errno != ENOPROTOOPT)
			return true;
	}
	return false;
}

static enum state state_of(const struct linux_option *o)
{
	if (idle_option_is(o->level, o->number))
		return is_known(o) ? ACCEPTED : UNKNOWN;
	return is_known(o) ? FULL : UNKNOWN;
}

/* ---- the table ---- */

static const int levels[] = { SOL_SOCKET, IPPROTO_TCP, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_UDP };

static void put_names(FILE *f, int level, enum state state)
{
	const char *between = "";

	for (size_t i = 0; i < N_TESTS(linux_options); i++)
		if (linux_options[i].level == level && state_of(&linux_options[i]) == state) {
			fprintf(f, "%s%s", between, linux_options[i].name);
			between = ",\n";
		}
	fprintf(f, "%s", between[0] ? "\n" : "none\n");
}

static char *make_table(void)
{
	static const char *const heads[] = { "Full", "Accepted, without effect", "ENOPROTOOPT" };
	static const char *const names[] = { "SOL_SOCKET", "IPPROTO_TCP", "IPPROTO_IP",
					     "IPPROTO_IPV6", "IPPROTO_UDP" };
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	for (int state = FULL; state < N_STATES; state++) {
		fprintf(f, ".SS %s\n", heads[state]);
		for (size_t i = 0; i < N_TESTS(levels); i++) {
			fprintf(f, ".TP\n%s\n", names[i]);
			put_names(f, levels[i], (enum state)state);
		}
	}
	fclose(f);
	return text;
}

static char *read_manual(void)
{
	static char text[65536];
	FILE *f = fopen(manual, "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	if (f)
		fclose(f);
	text[n] = 0;
	return text;
}

static void write_manual(const char *table)
{
	char *text = read_manual(), *from = strstr(text, begin), *to = strstr(text, end);
	FILE *f = from && to ? fopen(manual, "w") : NULL;

	if (!f)
		exit(2);
	from += strlen(begin);
	fwrite(text, 1, (size_t)(from - text), f);
	fputs(table, f);
	fputs(to, f);
	fclose(f);
}

static void is_in_the_manual(void)
{
	char *table = make_table(), *text = read_manual(), *from = strstr(text, begin),
	     *to = strstr(text, end);

	check(from && to);
	if (from && to) {
		*to = 0;
		check_str(from + strlen(begin), table);
	}
	free(table);
}

/* Those that a program may count on. */
static void has_what_was_promised(void)
{
	static const char *const names[] = {
		"SO_REUSEADDR",	      "SO_REUSEPORT",	 "SO_KEEPALIVE",
		"SO_LINGER",	      "SO_RCVBUF",	 "SO_SNDBUF",
		"SO_RCVTIMEO",	      "SO_SNDTIMEO",	 "SO_RCVLOWAT",
		"SO_ERROR",	      "SO_TYPE",	 "SO_DOMAIN",
		"SO_PROTOCOL",	      "SO_ACCEPTCONN",	 "SO_BROADCAST",
		"SO_OOBINLINE",	      "SO_BINDTODEVICE", "SO_BUSY_POLL",
		"SO_MAX_PACING_RATE",
	};

	for (size_t i = 0; i < N_TESTS(names); i++) {
		bool found = false;

		test_at("%s", names[i]);
		for (size_t k = 0; k < N_TESTS(linux_options); k++)
			if (strcmp(linux_options[k].name, names[i]) == 0) {
				found = true;
				check_eq(state_of(&linux_options[k]), FULL);
			}
		check(found);
	}
}

static const struct test tests[] = { TEST(is_in_the_manual), TEST(has_what_was_promised) };

int main(int argc, char **argv)
{
	make_sockets();
	if (argc == 2 && strcmp(argv[1], "--write") == 0) {
		write_manual(make_table());
		return 0;
	}
	return test_main(argc, argv, tests, N_TESTS(tests));
}
