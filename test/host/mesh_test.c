/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mesh_test.c - a network in a directory: numbers and names, streams between two members, who is not
 * there, one that is full, and what is left when all have gone.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "mesh_fixture.h"
#include "pair_fixture.h"

static unsigned files(void)
{
	DIR *d = opendir(dir);
	unsigned n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n > 2 ? n - 2 : 0;
}

static struct pair p;

static void begin(const char *name)
{
	struct dev *first;

	make_dir();
	first = join(name);
	pair_open(&p, first, join(NULL));
	for (int i = 0; i < 2; i++) {
		struct tern_addr four = mesh_addr(p.l.port[i].dev, TERN_AF_INET);
		struct tern_addr six = mesh_addr(p.l.port[i].dev, TERN_AF_INET6);

		check_eq(tern_addr_add(p.st[i], 2, &four, MESH_LEN4), 0);
		check_eq(tern_addr_add(p.st[i], 2, &six, MESH_LEN6), 0);
	}
}

static void end(void)
{
	pair_close(&p);
	check(access(dir, F_OK) != 0); /* the last one has removed it */
}

static void numbers_and_names(void)
{
	struct tern_addr at, want;
	char text[TERN_ADDR_TEXT_MAX];

	begin("db");
	want = mesh_addr(p.l.port[0].dev, TERN_AF_INET);
	check_str(tern_addr_format(&want, false, text), "198.18.0.1");
	want = mesh_addr(p.l.port[1].dev, TERN_AF_INET6);
	check_str(tern_addr_format(&want, false, text), "fd74:6572:6e00::2");
	check(mesh_find(dir, "db", TERN_AF_INET6, &at));
	check_str(tern_addr_format(&at, false, text), "fd74:6572:6e00::1");
	check(!mesh_find(dir, "web", TERN_AF_INET, &at));
	check(!mesh_find(dir, "../@db", TERN_AF_INET, &at));
	check_eq(files(), 3);
	end();
}

static void a_name_is_of_one_member(void)
{
	struct dev_wish w = { .mtu = 0 };

	begin("db");
	check(mesh_open(dir, "db", &w) == NULL);
	check_str(w.error, "db: a member of that name lives");
	check_eq(files(), 3); /* it has left nothing */
	end();
}

/* Who has a number has it at once: nobody takes it for that of a dead one before it listens. */
static void two_join_at_once(void)
{
	char path[100];
	int first = socket(AF_UNIX, SOCK_SEQPACKET, 0), second = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	make_dir();
	snprintf(path, sizeof(path), "%s/1", dir);
	check_eq(own_socket_bind(first, path), 0);
	check_eq(own_socket_bind(second, path), -1);
	check_eq(errno, EADDRINUSE);
	close(first);
	check_eq(own_socket_bind(second, path), 0);
	close(second);
	unlink(path);
	rmdir(dir);
}

/* Numbers and names of those who died without leaving are taken over. */
static void the_dead_are_followed(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	char link[128];
	struct tern_addr who;
	int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct dev *d;

	begin(NULL);
	snprintf(at.sun_path, sizeof(at.sun_path), "%.90s/3", dir);
	check_eq(bind(s, (struct sockaddr *)&at, sizeof(at)), 0);
	close(s);
	snprintf(link, sizeof(link), "%s/@db", dir);
	check_eq(symlink("3", link), 0);
	check(!mesh_find(dir, "db", TERN_AF_INET, &who));
	d = join("db");
	who = mesh_addr(d, TERN_AF_INET);
	check_eq(who.ip[3], 3);
	check(mesh_find(dir, "db", TERN_AF_INET, &who));
	dev_close(d);
	end();
}

static void connect_to(struct tern_addr to)
{
	to.port = 80;
	check_eq(tern_socket(p.st[0], to.family, TERN_SOCK_STREAM, 0, &p.s[0]), 0);
	check_eq(tern_socket(p.st[1], to.family, TERN_SOCK_STREAM, 0, &p.listener), 0);
	check_eq(tern_bind(p.st[1], p.listener, &to), 0);
	check_eq(tern_listen(p.st[1], p.listener, 5), 0);
	check_eq(tern_connect(p.st[0], p.s[0], &to), -TERN_EINPROGRESS);
	while (tern_accept(p.st[1], p.listener, &p.s[1], NULL) != 0)
		pair_turn(&p, loop_now() + TERN_MS);
}

/* More than a socket holds. */
static void streams_pass(void)
{
	for (int family = 0; family < 2; family++) {
		begin("a");
		connect_to(mesh_addr(p.l.port[1].dev, family ? TERN_AF_INET6 : TERN_AF_INET));
		pair_transfer(&p, 3000000);
		end();
	}
}

/* "Host unreachable", which a socket of datagrams does not make an error of (RFC 1122 4.1.3.3). */
static void nobody_is_there(void)
{
	struct tern_addr to = tern_ip4(198, 18, 0, 9, 7);
	tern_time until = loop_now() + 5 * TERN_SEC;
	uint8_t packet[100];
	tern_sock ear, s;
	int64_t n = 0;

	begin(NULL);
	check_eq(tern_socket(p.st[0], TERN_AF_INET, TERN_SOCK_RAW, TERN_IPPROTO_ICMP, &ear), 0);
	check_eq(tern_socket(p.st[0], TERN_AF_INET, TERN_SOCK_DGRAM, 0, &s), 0);
	check_eq(tern_sendto(p.st[0], s, "x", 1, 0, &to), 1);
	while (n <= 0 && loop_now() < until) {
		pair_turn(&p, loop_now() + TERN_MS);
		n = tern_recv(p.st[0], ear, packet, sizeof(packet), 0);
	}
	check_eq(n, 20 + 8 + 29); /* all of what could not be delivered is quoted */
	check_eq(packet[20], 3);
	check_eq(packet[21], 1);
	end();
}

static void all_hear_a_broadcast(void)
{
	struct tern_addr all = tern_ip4(198, 18, 255, 255, 7), any = tern_ip4(0, 0, 0, 0, 7);
	tern_time until = loop_now() + 5 * TERN_SEC;
	int32_t on = 1;
	char b[4];
	tern_sock s, r;

	begin(NULL);
	check_eq(tern_socket(p.st[0], TERN_AF_INET, TERN_SOCK_DGRAM, 0, &s), 0);
	check_eq(tern_socket(p.st[1], TERN_AF_INET, TERN_SOCK_DGRAM, 0, &r), 0);
	check_eq(tern_bind(p.st[1], r, &any), 0);
	check_eq(tern_setsockopt(p.st[0], s, TERN_SOL_SOCKET, TERN_SO_BROADCAST, &on, sizeof(on)),
		 0);
	check_eq(tern_sendto(p.st[0], s, "all", 3, 0, &all), 3);
	while (tern_recv(p.st[1], r, b, sizeof(b), 0) != 3 && loop_now() < until)
		pair_turn(&p, loop_now() + TERN_MS);
	check(loop_now() < until);
	end();
}

/* A member that does not read misses what it has no room for; who sends to it as well goes on. */
static void a_full_member_stops_nobody(void)
{
	struct dev *deaf;
	struct tern_addr to_deaf, to_other;
	tern_time until = loop_now() + 5 * TERN_SEC;
	char b[1000] = "";
	tern_sock s, r;
	int64_t n = 0;

	begin(NULL);
	deaf = join(NULL);
	to_deaf = mesh_addr(deaf, TERN_AF_INET);
	to_other = mesh_addr(p.l.port[1].dev, TERN_AF_INET);
	to_deaf.port = to_other.port = 7;
	check_eq(tern_socket(p.st[0], TERN_AF_INET, TERN_SOCK_DGRAM, 0, &s), 0);
	check_eq(tern_socket(p.st[1], TERN_AF_INET, TERN_SOCK_DGRAM, 0, &r), 0);
	check_eq(tern_bind(p.st[1], r, &to_other), 0);
	for (int i = 0; i < 1000; i++) {
		tern_sendto(p.st[0], s, b, sizeof(b), 0, &to_deaf);
		loop_flush(&p.l);
	}
	check_eq(tern_sendto(p.st[0], s, "on", 2, 0, &to_other), 2);
	while ((n = tern_recv(p.st[1], r, b, sizeof(b), 0)) != 2 && loop_now() < until)
		pair_turn(&p, loop_now() + TERN_MS);
	check_eq(n, 2);
	dev_close(deaf);
	end();
}

static const struct test tests[] = {
	TEST(numbers_and_names),    TEST(a_name_is_of_one_member),
	TEST(two_join_at_once),	    TEST(the_dead_are_followed),
	TEST(streams_pass),	    TEST(nobody_is_there),
	TEST(all_hear_a_broadcast), TEST(a_full_member_stops_nobody),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
