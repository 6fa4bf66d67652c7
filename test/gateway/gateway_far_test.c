/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gateway_far_test.c - what goes to addresses that are not the gateway's own, in a network namespace
 * that the test makes: its loopback has 192.0.2.7 and 2001:db8::7, and no way leads further. Echo
 * requests by the host's echo sockets, where they are allowed and where not.
 */
#define _GNU_SOURCE
#include "gateway_fixture.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>

static uint8_t bytes[4000];
static bool isolated;

static bool put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

static bool leave_host(void)
{
	uid_t uid = getuid();
	gid_t gid = getgid();
	char map[40];

	if (uid == 0)
		return unshare(CLONE_NEWNET) == 0;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return false;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	put_file("/proc/self/setgroups", "deny");
	if (!put_file("/proc/self/uid_map", map))
		return false;
	snprintf(map, sizeof(map), "0 %u 1", gid);
	return put_file("/proc/self/gid_map", map);
}

struct ifreq6 { /* as ipv6(7) has it */
	struct in6_addr addr;
	uint32_t prefix_len;
	int index;
};

/* The kernel takes an IPv6 address into use a little later, and until then nothing comes to it. */
static bool gets_into_use(int s6, const struct in6_addr *addr)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_addr = *addr };

	for (int i = 0; i < 1000; i++) {
		if (bind(s6, (const struct sockaddr *)&at, sizeof(at)) == 0)
			return true;
		usleep(10000);
	}
	return false;
}

static bool set_up_loopback(void)
{
	int s4 = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int s6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in a = { .sin_family = AF_INET };
	struct ifreq r = { .ifr_flags = IFF_UP };
	struct ifreq6 r6 = { .prefix_len = 128, .index = 1 };
	bool ok;

	strcpy(r.ifr_name, "lo");
	ok = ioctl(s4, SIOCSIFFLAGS, &r) == 0;
	strcpy(r.ifr_name, "lo:1");
	inet_pton(AF_INET, "192.0.2.7", &a.sin_addr);
	memcpy(&r.ifr_addr, &a, sizeof(a));
	ok = ok && ioctl(s4, SIOCSIFADDR, &r) == 0;
	inet_pton(AF_INET, "255.255.255.255", &a.sin_addr);
	memcpy(&r.ifr_netmask, &a, sizeof(a));
	ok = ok && ioctl(s4, SIOCSIFNETMASK, &r) == 0;
	inet_pton(AF_INET6, "2001:db8::7", &r6.addr);
	ok = ok && ioctl(s6, SIOCSIFADDR, &r6) == 0 && gets_into_use(s6, &r6.addr);
	close(s4);
	close(s6);
	return ok;
}

/* false: the running test is skipped. */
static bool is_isolated(void)
{
	if (!isolated)
		test_skip("no network namespace can be made");
	return isolated;
}

static struct tern_addr far_addr(int family, uint16_t port)
{
	struct tern_addr a;

	check_eq(tern_addr_parse(family == AF_INET ? "192.0.2.7" : "2001:db8::7", port, &a), 0);
	return a;
}

static const int families[] = { AF_INET, AF_INET6 };

/* ---- echo ---- */

static tern_sock echo_socket(int family)
{
	tern_sock s = 0;
	int proto = family == AF_INET ? TERN_IPPROTO_ICMP : TERN_IPPROTO_ICMPV6;

	check_eq(tern_socket(st, family, TERN_SOCK_DGRAM, proto, &s), 0);
	return s;
}

static void ask_for_echo(tern_sock s, const struct tern_addr *to, uint16_t seq, size_t len)
{
	memset(bytes, 0, 8);
	bytes[0] = to->family == TERN_AF_INET ? 8 : 128;
	bytes[6] = (uint8_t)(seq >> 8);
	bytes[7] = (uint8_t)seq;
	fill(bytes + 8, len - 8, seq);
	check_eq(tern_sendto(st, s, bytes, len, 0, to), len);
}

static void hear_echo(tern_sock s, const struct tern_addr *to, uint16_t seq, size_t len)
{
	struct tern_addr from = { .family = 0 };

	memset(bytes, 0, sizeof(bytes));
	wait_until(tern_recvfrom(st, s, bytes, sizeof(bytes), 0, &from) == (int64_t)len);
	check_eq(bytes[0], to->family == TERN_AF_INET ? 0 : 129);
	check_eq(bytes[6] << 8 | bytes[7], seq);
	check(is_filled(bytes + 8, len - 8, seq));
	check_mem(from.ip, to->ip, 16);
}

static void echo_goes_far_and_comes_back(void)
{
	if (!is_isolated())
		return;
	check(put_file("/proc/sys/net/ipv4/ping_group_range", "0 0"));
	for (unsigned i = 0; i < 2; i++) {
		struct tern_addr to = far_addr(families[i], 0);
		tern_sock s, t;

		test_at("family %d", families[i]);
		open_world();
		s = echo_socket(families[i]);
		t = echo_socket(families[i]);
		for (uint16_t seq = 1; seq < 10; seq++) {
			ask_for_echo(s, &to, seq, 8u + seq * 100u);
			ask_for_echo(t, &to, (uint16_t)(seq + 1000), 16);
			hear_echo(s, &to, seq, 8u + seq * 100u);
			hear_echo(t, &to, (uint16_t)(seq + 1000), 16);
		}
		check_eq(gateway_counts(g).echo, 2); /* two that ask: two flows */
		check_eq(gateway_flows(g), 2);
		check_eq(tern_recv(st, s, bytes, 100, 0), -TERN_EAGAIN);
		close_world();
	}
}

static void echo_that_is_not_allowed_goes_nowhere(void)
{
	struct tern_addr to = far_addr(AF_INET, 0);
	tern_sock s;

	if (!is_isolated())
		return;
	check(put_file("/proc/sys/net/ipv4/ping_group_range", "1 0"));
	open_world();
	s = echo_socket(AF_INET);
	for (uint16_t seq = 0; seq < 5; seq++)
		ask_for_echo(s, &to, seq, 50);
	turns(20);
	check_eq(tern_recv(st, s, bytes, 100, 0), -TERN_EAGAIN);
	check_eq(gateway_flows(g), 0);
	close_world();
}

static void the_oldest_echo_makes_room(void)
{
	struct tern_addr to = far_addr(AF_INET, 0);
	tern_sock s;

	if (!is_isolated())
		return;
	check(put_file("/proc/sys/net/ipv4/ping_group_range", "0 0"));
	wish.flows_max = 3;
	open_world();
	for (uint16_t i = 0; i < 10; i++) {
		s = echo_socket(AF_INET);
		ask_for_echo(s, &to, i, 50);
		hear_echo(s, &to, i, 50);
		check(gateway_flows(g) <= 3);
	}
	close_world();
}

/* ---- streams and datagrams ---- */

static void streams_and_datagrams_reach_the_address_itself(void)
{
	if (!is_isolated())
		return;
	for (unsigned i = 0; i < 2; i++) {
		struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(4000) };
		int listener = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		int udp = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), fd = -1;
		int yes = 1;
		struct tern_addr to = far_addr(families[i], 4000), from;
		struct sockaddr_in6 name, peer;
		socklen_t len = sizeof(name), peer_len = sizeof(peer);
		tern_sock s, u = 0;

		test_at("family %d", families[i]);
		setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
		check_eq(bind(listener, (struct sockaddr *)&any, sizeof(any)), 0);
		check_eq(listen(listener, 4), 0);
		check_eq(bind(udp, (struct sockaddr *)&any, sizeof(any)), 0);
		wish.no_loopback = true; /* which is another matter */
		open_world();
		s = inner_connect(&to);
		wait_until(is_open(s));
		wait_until((fd = accept_now(listener)) >= 0);
		check_eq(getsockname(fd, (struct sockaddr *)&name, &len), 0);
		check_eq(name.sin6_addr.s6_addr[15], 7);
		check_eq(tern_socket(st, families[i], TERN_SOCK_DGRAM, 0, &u), 0);
		check_eq(tern_sendto(st, u, "hello", 5, 0, &to), 5);
		wait_until(recvfrom(udp, bytes, 100, 0, (struct sockaddr *)&peer, &peer_len) == 5);
		check_eq(sendto(udp, "hi", 2, 0, (struct sockaddr *)&peer, peer_len), 2);
		wait_until(tern_recvfrom(st, u, bytes, 100, 0, &from) == 2);
		check_mem(&from, &to, sizeof(from));
		tern_close(st, s);
		close(fd);
		wait_until(gateway_flows(g) == 1);
		close_world();
		close(listener);
		close(udp);
	}
}

static void where_no_way_leads_nobody_answers(void)
{
	static const char *const to[] = { "203.0.113.9", "2001:db8:1::9" };

	if (!is_isolated())
		return;
	for (unsigned i = 0; i < 2; i++) {
		struct tern_addr a;
		tern_sock s, u = 0;

		test_at("%s", to[i]);
		check_eq(tern_addr_parse(to[i], 80, &a), 0);
		open_world();
		s = inner_connect(&a);
		check_eq(tern_socket(st, a.family, TERN_SOCK_DGRAM, 0, &u), 0);
		check_eq(tern_sendto(st, u, "x", 1, 0, &a), 1);
		wait_until(gateway_counts(g).timed_out == 1 && gateway_counts(g).udp == 1);
		turns(5);
		check_eq(gateway_flows(g), 0);
		check_eq(tern_poll(st, s), 0);
		tern_close(st, s);
		close_world();
	}
}

/* What comes from far away needs no address of the gateway's. */
static void without_a_name_of_its_own(void)
{
	if (!is_isolated())
		return;
	check(put_file("/proc/sys/net/ipv4/ping_group_range", "0 0"));
	for (unsigned i = 0; i < 2; i++) {
		struct tern_addr to = far_addr(families[i], 4001);
		tern_sock s, u = 0;

		test_at("family %d", families[i]);
		nameless = true;
		open_world();
		s = inner_connect(&to);
		wait_until(tern_poll(st, s) & TERN_POLLERR);
		check_eq(inner_error(s), TERN_ECONNREFUSED);
		check_eq(tern_socket(st, families[i], TERN_SOCK_DGRAM, 0, &u), 0);
		check_eq(tern_connect(st, u, &to), 0);
		check_eq(tern_send(st, u, "x", 1, 0), 1);
		wait_until(tern_recv(st, u, bytes, 10, 0) == -TERN_ECONNREFUSED);
		s = echo_socket(families[i]);
		to.port = 0;
		ask_for_echo(s, &to, 5, 100);
		hear_echo(s, &to, 5, 100);
		close_world();
	}
}

static const struct test tests[] = {
	TEST(echo_goes_far_and_comes_back),
	TEST(echo_that_is_not_allowed_goes_nowhere),
	TEST(the_oldest_echo_makes_room),
	TEST(streams_and_datagrams_reach_the_address_itself),
	TEST(where_no_way_leads_nobody_answers),
	TEST(without_a_name_of_its_own),
};

int main(int argc, char **argv)
{
	isolated = leave_host() && set_up_loopback();
	return test_main(argc, argv, tests, N_TESTS(tests));
}
