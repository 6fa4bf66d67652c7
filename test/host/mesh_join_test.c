/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mesh_join_test.c - who joins a network and leaves it: whose a number and a name are when others
 * come, go and die at the same time, and how a join is refused.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

#include "../../host/dev/mesh.h"

static char dir[] = "/tmp/tern-join-XXXXXX";

static void make_dir(void)
{
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	check(mkdtemp(dir) != NULL);
}

static struct dev *join(const char *name)
{
	struct dev_wish w = { .mtu = 0 };
	struct dev *d = mesh_open(dir, name, &w);

	if (!d)
		test_fail(__FILE__, __LINE__, "%s", w.error);
	return d;
}

/* From now on this process can have n descriptors more; what was allowed before is returned. */
static struct rlimit leave_descriptors(unsigned n)
{
	struct rlimit before, now;
	int free_one = dup(STDIN_FILENO);

	close(free_one);
	getrlimit(RLIMIT_NOFILE, &before);
	now = before;
	now.rlim_cur = (rlim_t)free_one + n;
	setrlimit(RLIMIT_NOFILE, &now);
	return before;
}

/* Who cannot ask whether a member lives does not take its place. */
static void the_living_stay_when_descriptors_are_out(void)
{
	char path[100];
	int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct rlimit before;
	struct tern_addr at;
	struct dev *d;

	make_dir();
	d = join("db");
	snprintf(path, sizeof(path), "%s/1", dir);
	before = leave_descriptors(1); /* for the lock of the directory, not for the question */
	check_eq(own_socket_bind(s, path), -1);
	setrlimit(RLIMIT_NOFILE, &before);
	check(mesh_find(dir, "db", TERN_AF_INET, &at));
	close(s);
	dev_close(d);
	check(access(dir, F_OK) != 0);
}

static const struct test tests[] = {
	TEST(the_living_stay_when_descriptors_are_out),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
