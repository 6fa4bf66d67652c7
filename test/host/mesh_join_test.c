/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mesh_join_test.c - who joins a network and leaves it: whose a number and a name are when others
 * come, go and die at the same time, and how a join is refused.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mesh_fixture.h"

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

enum { RIVALS = 4, ROUNDS = 200 };

/* Joins when the gate opens, and stays until the end does. Exit code: has it joined? */
static _Noreturn void be_rival(const char *name, int gate, int end, int report)
{
	struct dev_wish w = { .mtu = 0 };
	struct dev *d;
	char byte;

	if (read(gate, &byte, 1) != 0)
		_exit(2);
	d = mesh_open(dir, name, &w);
	if (write(report, "", 1) != 1 || read(end, &byte, 1) != 0)
		_exit(2);
	_exit(d ? 1 : strcmp(w.error, "db: a member of that name lives") ? 2 : 0);
}

/* Several that ask for one name at once. How many have it? They die without leaving. */
static int contest(const char *name)
{
	int gate[2], end[2], report[2], n = 0, status;
	char byte;

	check(pipe(gate) == 0 && pipe(end) == 0 && pipe(report) == 0);
	for (int i = 0; i < RIVALS; i++) {
		if (fork() != 0)
			continue;
		close(gate[1]);
		close(end[1]);
		be_rival(name, gate[0], end[0], report[1]);
	}
	close(gate[1]);
	for (int i = 0; i < RIVALS; i++)
		check_eq(read(report[0], &byte, 1), 1);
	close(end[1]);
	while (wait(&status) > 0) {
		check(WIFEXITED(status) && WEXITSTATUS(status) < 2);
		n += WEXITSTATUS(status);
	}
	close(gate[0]);
	close(end[0]);
	close(report[0]);
	close(report[1]);
	return n;
}

static void one_of_several_gets_a_name(void)
{
	make_dir();
	for (int i = 0; i < ROUNDS; i++) {
		test_at("round %d", i);
		check_eq(contest("db"), 1);
	}
	dev_close(join("db"));
	check(access(dir, F_OK) != 0); /* nothing of the dead has stayed */
}

/* A name dies with its member: it does not pass to whoever gets the number. */
static void a_number_comes_without_the_name_of_the_dead(void)
{
	struct tern_addr at, own;
	struct dev *first, *second;
	char path[100];

	make_dir();
	snprintf(path, sizeof(path), "%s/@db", dir);
	check_eq(symlink("1", path), 0);
	first = join(NULL);
	own = mesh_addr(first, TERN_AF_INET);
	check_eq(own.ip[3], 1);
	check(!mesh_find(dir, "db", TERN_AF_INET, &at));
	second = join("db");
	check(mesh_find(dir, "db", TERN_AF_INET, &at));
	check_eq(at.ip[3], 2);
	dev_close(first);
	dev_close(second);
	check(access(dir, F_OK) != 0);
}

/* Who removes what a dead one left comes late: another may have the name and the number by then. */
static void what_somebody_holds_is_not_removed(void)
{
	int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	char number[100], name[200], to[8];

	make_dir();
	snprintf(number, sizeof(number), "%s/1", dir);
	snprintf(name, sizeof(name), "%s/@%064d", dir, 7); /* longer than a socket's path */
	check_eq(own_socket_bind(s, number), 0);
	check_eq(symlink("1", name), 0);
	for (int lives = 1; lives >= 0; lives--) {
		test_at("lives %d", lives);
		if (!lives)
			close(s);
		own_socket_remove(name);
		own_socket_remove(number);
		own_socket_remove(dir);
		check_eq(access(number, F_OK), lives - 1);
		check_eq(readlink(name, to, sizeof(to)), lives ? 1 : -1);
		check_eq(access(dir, F_OK), lives - 1);
	}
}

/* The last one may leave between the making of the directory and the join of the next. */
static void a_network_that_has_just_ended_begins_anew(void)
{
	struct stat made;
	struct dev *d;

	make_dir();
	rmdir(dir);
	d = join(NULL);
	check_eq(stat(dir, &made), 0);
	check_eq(made.st_mode & 0777, 0700);
	dev_close(d);
	check(access(dir, F_OK) != 0);
}

/* Who has waited for the lock of a directory that went meanwhile has the lock of none. */
static void a_lock_is_of_the_directory_that_is_there(void)
{
	int lock, status;

	make_dir();
	lock = own_socket_lock(dir);
	if (fork() == 0) {
		close(lock);
		_exit(own_socket_lock(dir) < 0 && errno == ENOENT ? 0 : 1);
	}
	usleep(20000); /* it should wait by now; it is right, too, when it comes late */
	rmdir(dir);
	own_socket_unlock(lock);
	wait(&status);
	check_eq(status, 0);
}

static void come_and_go(void)
{
	struct dev_wish w = { .mtu = 0 };

	for (int i = 0; i < ROUNDS; i++) {
		struct dev *d = mesh_open(dir, NULL, &w);

		if (!d)
			fprintf(stderr, "%s\n", w.error);
		if (!d)
			_exit(1);
		dev_close(d);
	}
	_exit(0);
}

static void several_come_and_go_at_once(void)
{
	int status, bad = 0;

	make_dir();
	for (int i = 0; i < RIVALS; i++)
		if (fork() == 0)
			come_and_go();
	while (wait(&status) > 0)
		bad += status != 0;
	check_eq(bad, 0);
	check(access(dir, F_OK) != 0);
}

static void check_refusal(const char *at, const char *why)
{
	struct dev_wish w = { .mtu = 0 };

	check(mesh_open(at, NULL, &w) == NULL);
	check(strncmp(w.error, at, 10) == 0);
	check_str(strrchr(w.error, ':'), why);
}

/* Root may write everywhere: it is somebody else for a moment. */
static void a_directory_that_cannot_be_written(void)
{
	uid_t us = geteuid();

	make_dir();
	check_eq(chmod(dir, 0500), 0);
	if (us == 0)
		check(chown(dir, 65534, 65534) == 0 && seteuid(65534) == 0);
	check_refusal(dir, ": it cannot be written; chmod 700 it, or set XDG_RUNTIME_DIR");
	check_eq(seteuid(us), 0);
	rmdir(dir);
}

/* Nor does it touch a directory whose name is the beginning of that. */
static void a_directory_too_long_for_a_socket(void)
{
	char longer[600];
	size_t at;

	make_dir();
	at = (size_t)snprintf(longer, sizeof(longer), "%s/", dir);
	memset(longer + at, 'x', sizeof(longer) - at - 1);
	longer[107] = 0;
	check_eq(mkdir(longer, 0700), 0);
	longer[107] = 'x';
	longer[sizeof(longer) - 1] = 0;
	check_refusal(longer, ": too long for a socket; set XDG_RUNTIME_DIR to a shorter path");
	longer[107] = 0;
	check_eq(rmdir(longer), 0);
	rmdir(dir);
}

static const struct test tests[] = {
	TEST(a_directory_that_cannot_be_written),
	TEST(a_directory_too_long_for_a_socket),
	TEST(a_network_that_has_just_ended_begins_anew),
	TEST(a_lock_is_of_the_directory_that_is_there),
	TEST(several_come_and_go_at_once),
	TEST(one_of_several_gets_a_name),
	TEST(a_number_comes_without_the_name_of_the_dead),
	TEST(what_somebody_holds_is_not_removed),
	TEST(the_living_stay_when_descriptors_are_out),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
