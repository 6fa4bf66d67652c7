/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * processes.c - twins: fork, exec, and descriptors that are passed on.
 */
#include "twin.h"

#include <spawn.h>
#include <sys/syscall.h>

static void is_copied_and_inherited(void)
{
	char bytes[16] = { 0 };
	int fd[2], other;

	connection(fd);
	other = dup2(fd[0], 50);
	close(fd[0]);
	if (fork() == 0)
		_exit(write(other, "child", 5) != 5);
	wait(NULL);
	say_result(recv(fd[1], bytes, 5, MSG_WAITALL));
	say("%s\n", bytes);
	say_result(write(other, "parent", 6));
	say_result(recv(fd[1], bytes, 6, MSG_WAITALL));
	say("%s\n", bytes);
	close(other);
	say_result(read(fd[1], bytes, 1));
}

static void ends_when_the_last_closes(void)
{
	char byte;
	int fd[2], way[2];

	connection(fd);
	if (pipe(way))
		return;
	if (fork() == 0) {
		close(fd[1]);
		_exit(read(way[0], &byte, 1) != 1);
	}
	close(fd[0]);
	say_result(recv(fd[1], &byte, 1, MSG_DONTWAIT));
	say_result(write(way[1], "x", 1));
	say_result(read(fd[1], &byte, 1));
	wait(NULL);
}

static void outlives_exec(void)
{
	char bytes[32] = { 0 }, text[80];
	int fd[2];

	connection(fd);
	if (fork() == 0) {
		snprintf(text, sizeof(text), "echo from a shell >&%d", fd[0]);
		execl("/bin/sh", "sh", "-c", text, (char *)NULL);
		_exit(1);
	}
	close(fd[0]);
	wait(NULL);
	say_result(recv(fd[1], bytes, 31, MSG_WAITALL));
	say("%s", bytes);
}

static void does_not_outlive_exec(void)
{
	char text[80], byte;
	int fd[2], status;

	connection(fd);
	fcntl(fd[0], F_SETFD, FD_CLOEXEC);
	if (fork() == 0) {
		snprintf(text, sizeof(text), "echo from a shell 2>/dev/null >&%d", fd[0]);
		execl("/bin/sh", "sh", "-c", text, (char *)NULL);
		_exit(1);
	}
	wait(&status);
	say("%d\n", WEXITSTATUS(status) != 0);
	close(fd[0]);
	say_result(read(fd[1], &byte, 1));
}

static void is_somebodys_output(void)
{
	char bytes[32] = { 0 };
	int fd[2];

	connection(fd);
	if (fork() == 0) {
		dup2(fd[0], 0);
		dup2(fd[0], 1);
		execl("/bin/sh", "sh", "-c", "read line; echo got $line", (char *)NULL);
		_exit(1);
	}
	close(fd[0]);
	say_result(write(fd[1], "a line\n", 7));
	say_result(read_all(fd[1], bytes, 31));
	say("%s", bytes);
	wait(NULL);
}

static void waits_in_processes(void)
{
	int l = listening(), sum = 0, status;
	char byte;

	for (int i = 0; i < 3; i++)
		if (fork() == 0) {
			int fd = accept(l, NULL, NULL);

			_exit(write(fd, "k", 1) == 1 ? 1 : 0);
		}
	for (int i = 0; i < 3; i++)
		sum += read(connected_to(port_of(l)), &byte, 1) == 1;
	for (int i = 0; i < 3; i++) {
		wait(&status);
		sum += WEXITSTATUS(status);
	}
	say("%d\n", sum);
}

static void dies_while_it_waits(void)
{
	int l = listening(), status;
	pid_t pid = fork();

	if (pid == 0) {
		accept(l, NULL, NULL);
		_exit(1);
	}
	usleep(30000);
	kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	say("%d\n", WIFSIGNALED(status) ? WTERMSIG(status) : -1);
	connected_to(port_of(l));
	say("%d\n", accept(l, NULL, NULL) >= 0);
}

static void is_killed_with_a_connection(void)
{
	int fd[2], status;
	pid_t pid;
	char byte;

	connection(fd);
	pid = fork();
	if (pid == 0) {
		close(fd[1]);
		pause();
	}
	close(fd[0]);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	say_result(read(fd[1], &byte, 1));
}

static void two_processes_wait_for_datagrams(void)
{
	int a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM), status;
	struct name from = { .len = sizeof(from.all) };
	char bytes[8];

	for (int i = 0; i < 2; i++)
		if (fork() == 0)
			_exit(recvfrom(b, bytes, 8, 0, &from.sa, &from.len) != 1 ||
			      port_in(&from) != port_of(a));
	usleep(50000);
	say_result(send_to(a, "x", 1, port_of(b)));
	say_result(send_to(a, "y", 1, port_of(b)));
	for (int i = 0; i < 2; i++) {
		pid_t child = wait(&status);

		say("%d %d\n", child > 0, status);
	}
}

static void shares_flags_with_a_child(void)
{
	int fd[2];

	connection(fd);
	if (fork() == 0) {
		set_nonblocking(fd[0]);
		_exit(0);
	}
	wait(NULL);
	say("%#x\n", fcntl(fd[0], F_GETFL) & O_NONBLOCK);
}

static void connects_to_its_child(void)
{
	int l = listening();
	uint16_t port = port_of(l);
	char text[8] = "";

	if (fork() == 0) {
		int fd = connected_to(port);

		_exit(write(fd, "child", 5) != 5);
	}
	say_result(read_all(accept(l, NULL, NULL), text, 8));
	say("%s\n", text);
	wait(NULL);
}

static void begins_again_after_a_stop(void)
{
	int fd[2], status;
	pid_t pid;
	char byte;

	connection(fd);
	pid = fork();
	if (pid == 0)
		_exit(read(fd[1], &byte, 1) != 1);
	usleep(20000);
	kill(pid, SIGSTOP);
	waitpid(pid, &status, WUNTRACED);
	say("%d\n", WIFSTOPPED(status));
	say_result(write(fd[0], "x", 1));
	kill(pid, SIGCONT);
	waitpid(pid, &status, 0);
	say("%d\n", status);
}

/* ---- passing ---- */

static ssize_t pass(int way, int fd)
{
	_Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(int))] = { 0 };
	char byte = 'x';
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = room,
			    .msg_controllen = sizeof(room) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	return sendmsg(way, &m, 0);
}

static int take(int way)
{
	_Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(int))];
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = room,
			    .msg_controllen = sizeof(room) };
	int fd = -1;

	if (recvmsg(way, &m, 0) == 1 && CMSG_FIRSTHDR(&m))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
	return fd;
}

static void passes_a_socket(void)
{
	char bytes[8];
	int fd[2], way[2], got;

	connection(fd);
	socketpair(AF_UNIX, SOCK_STREAM, 0, way);
	say_result(pass(way[0], fd[0]));
	close(fd[0]);
	got = take(way[1]);
	say("%d\n", port_of(got) != 0);
	say_result(write(got, "hi", 2));
	say_result(read(fd[1], bytes, 2));
	close(got);
	say_result(read(fd[1], bytes, 2));
}

static void passes_a_listener(void)
{
	int way[2], l = listening(), status;
	uint16_t port = port_of(l);

	socketpair(AF_UNIX, SOCK_STREAM, 0, way);
	if (fork() == 0) {
		int got;

		close(l);
		got = take(way[1]);
		_exit(accept(got, NULL, NULL) < 0);
	}
	say_result(pass(way[0], l));
	close(l);
	connected_to(port);
	wait(&status);
	say("%d\n", status);
}

static void passes_a_datagram_socket(void)
{
	int way[2], a = bound(SOCK_DGRAM), b = bound(SOCK_DGRAM), got;
	uint16_t port = port_of(b);
	char byte;

	socketpair(AF_UNIX, SOCK_STREAM, 0, way);
	say_result(pass(way[0], b));
	close(b);
	send_to(a, "x", 1, port);
	got = take(way[1]);
	say("%d\n", port_of(got) == port);
	say_result(recv(got, &byte, 1, 0));
}

static const struct program programs[] = {
	BOTH(is_copied_and_inherited),
	ONCE(ends_when_the_last_closes),
	ONCE(outlives_exec),
	ONCE(does_not_outlive_exec),
	BOTH(is_somebodys_output),
	ONCE(waits_in_processes),
	ONCE(dies_while_it_waits),
	ONCE(is_killed_with_a_connection),
	ONCE(two_processes_wait_for_datagrams),
	ONCE(shares_flags_with_a_child),
	BOTH(connects_to_its_child),
	ONCE(begins_again_after_a_stop),
	BOTH(passes_a_socket),
	ONCE(passes_a_listener),
	ONCE(passes_a_datagram_socket),
};
const struct subject of_processes = SUBJECT(programs);
