/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mesh_frames_test.c - packets between the devices of a network, one at a time: who gets them, in
 * which turn they are read, and what is no packet.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "hunger.h"
#include "mesh_fixture.h"

enum { MEMBERS = 3, CONNECTIONS_MAX = 1000 };

static struct dev *member[MEMBERS + 1]; /* by number */

static void begin(void)
{
	new_small_stack();
	make_dir();
	for (unsigned i = 1; i <= MEMBERS; i++) {
		member[i] = join(NULL);
		dev_serve(member[i], st, 2);
	}
}

static void end(void)
{
	for (unsigned i = 1; i <= MEMBERS; i++)
		dev_close(member[i]);
	check(access(dir, F_OK) != 0);
	end_stack();
}

/* A packet with no more than a header, from one member to an address. */
static void write_to(unsigned from, const char *address)
{
	struct tern_pkt *p = tern_pkt_new(st, IP6_HDR_LEN);
	struct tern_addr to, own;
	struct ip4 ip4 = { .total_len = IP4_HDR_LEN, .ttl = 64, .proto = 253 };
	struct ip6 ip6 = { .next_header = 59, .hop_limit = 64 };

	check_eq(tern_addr_parse(address, 0, &to), 0);
	own = mesh_addr(member[from], to.family);
	if (to.family == TERN_AF_INET) {
		ip4.src = addr_from4(own.ip);
		ip4.dst = addr_from4(to.ip);
		ip4_emit(&ip4, p->data);
		p->len = p->total_len = IP4_HDR_LEN;
	} else {
		ip6.src = addr_from6(own.ip);
		ip6.dst = addr_from6(to.ip);
		ip6_emit(&ip6, p->data);
	}
	p->next = NULL;
	check_eq(member[from]->ops->write(member[from], st, p), 1);
	tern_pkt_free(st, p);
}

/* What a member reads at most max packets of: how many came from that address, and how many in all. */
static unsigned read_from(unsigned at, unsigned max, const char *address, unsigned *all)
{
	struct tern_pkt *list = NULL, *next;
	struct tern_addr from;
	unsigned n = 0;

	check_eq(tern_addr_parse(address, 0, &from), 0);
	member[at]->ops->read(member[at], st, max, &list);
	for (*all = 0; list; list = next, ++*all) {
		next = list->next;
		n += list->len == IP4_HDR_LEN && memcmp(list->data + 12, from.ip, 4) == 0;
		tern_pkt_free(st, list);
	}
	return n;
}

/* A non-blocking connection to member 3 that no member has made, or -1. */
static int connect_to_third(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%.90s/3", dir);
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	check_eq(errno, EAGAIN);
	close(fd);
	return -1;
}

/* That nobody is there is said of those who are not, not of one who does not take a connection. */
static void a_busy_member_is_not_unreachable(void)
{
	int fd[CONNECTIONS_MAX], n = 0;

	begin();
	while (n < CONNECTIONS_MAX && (fd[n] = connect_to_third()) >= 0)
		n++;
	write_to(1, "198.18.0.3");
	check(!member[1]->ops->pending(member[1]));
	write_to(1, "198.18.0.4");
	check(member[1]->ops->pending(member[1]));
	while (n > 0)
		close(fd[--n]);
	end();
}

/* Who sends much does not keep what others send from being read, whichever of them came first. */
static void members_take_turns(void)
{
	static const char *const own[] = { "", "198.18.0.1", "198.18.0.2" };
	unsigned all, max = 8;

	begin();
	for (unsigned from = 1; from <= 2; from++) { /* each is connected, and its end taken */
		write_to(from, "198.18.0.3");
		for (all = 0; all == 0;)
			read_from(3, max, own[from], &all);
	}
	for (unsigned loud = 1; loud <= 2; loud++) {
		for (unsigned i = 0; i < 2 * max; i++)
			write_to(loud, "198.18.0.3");
		write_to(3 - loud, "198.18.0.3");
		check_eq(read_from(3, max, own[3 - loud], &all), 1);
		check(all <= max);
		check_eq(read_from(3, 1, own[loud], &all), 1);
		check_eq(all, 1);
		while (all > 0)
			read_from(3, max, own[loud], &all);
	}
	end();
}

/* Who asks by a name whether a member lives takes no place among those who wait to be heard. */
static void questions_leave_room_for_packets(void)
{
	struct tern_addr at;
	char path[100];
	unsigned all;

	begin();
	snprintf(path, sizeof(path), "%s/@db", dir);
	check_eq(symlink("3", path), 0);
	for (int i = 0; i < CONNECTIONS_MAX; i++)
		check(mesh_find(dir, "db", TERN_AF_INET, &at));
	write_to(1, "198.18.0.3");
	read_from(3, 64, "198.18.0.1", &all); /* the end is taken */
	check_eq(read_from(3, 64, "198.18.0.1", &all), 1);
	end();
}

/* More than a socket holds when nothing is said. */
static void a_burst_waits_for_a_busy_member(void)
{
	unsigned all = 0, got = 0, burst = 400;

	begin();
	for (unsigned i = 0; i < burst; i++)
		write_to(1, "198.18.0.3");
	read_from(3, 8, "198.18.0.1", &all); /* the end is taken */
	do
		got += read_from(3, 8, "198.18.0.1", &all);
	while (all > 0);
	check_eq(got, burst);
	end();
}

/* Addresses of the network that no member can have. */
static void what_is_nobodys_reaches_nobody(void)
{
	static const char *const nobodys[] = { "198.18.0.0",
					       "fd74:6572:6e00::", "fd74:6572:6e00::1:2",
					       "fd74:6572:6e00::1:0:0:2" };
	unsigned all;

	begin();
	write_to(1, "198.18.0.2");
	for (all = 0; all == 0;) /* its end is taken */
		read_from(2, 64, "198.18.0.1", &all);
	for (unsigned i = 0; i < sizeof(nobodys) / sizeof(nobodys[0]); i++) {
		test_at("%s", nobodys[i]);
		write_to(1, nobodys[i]);
		read_from(2, 64, "198.18.0.1", &all);
		check_eq(all, 0);
	}
	write_to(1, "fd74:6572:6e00::2");
	read_from(2, 64, "198.18.0.1", &all);
	check_eq(all, 1);
	end();
}

/* A message longer than any packet, which is not cut to be one; and one as long as a packet can be. */
static void a_message_too_long_is_counted(void)
{
	static const uint8_t much[65536] = { 0x45 };
	unsigned all;
	int fd;

	begin();
	fd = connect_to_third();
	check_eq(send(fd, much, sizeof(much), 0), sizeof(much));
	check_eq(send(fd, much, sizeof(much) - 1, 0), sizeof(much) - 1);
	for (all = 0; all == 0;)
		read_from(3, 64, "198.18.0.1", &all);
	check_eq(all, 1);
	check_eq(member[3]->refused, 1);
	close(fd);
	end();
}

static void a_packet_without_memory_is_counted(void)
{
	unsigned all;

	begin();
	write_to(1, "198.18.0.3");
	for (all = 0; all == 0;) /* its end is taken */
		read_from(3, 64, "198.18.0.1", &all);
	write_to(1, "198.18.0.3");
	write_to(1, "198.18.0.3");
	take_memory();
	read_from(3, 64, "198.18.0.1", &all);
	give_memory_back();
	check_eq(all, 0);
	check_eq(member[3]->refused, 2);
	write_to(1, "198.18.0.3");
	check_eq(read_from(3, 64, "198.18.0.1", &all), 1);
	end();
}

static const struct test tests[] = {
	TEST(members_take_turns),
	TEST(questions_leave_room_for_packets),
	TEST(a_burst_waits_for_a_busy_member),
	TEST(what_is_nobodys_reaches_nobody),
	TEST(a_message_too_long_is_counted),
	TEST(a_packet_without_memory_is_counted),
	TEST(a_busy_member_is_not_unreachable),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
