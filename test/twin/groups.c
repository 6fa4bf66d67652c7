/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * groups.c - twins: all sources of a group at once (RFC 3678: IP_MSFILTER, MCAST_MSFILTER).
 */
#include "twin.h"

enum { LO = 1, SOURCES_MAX = 70 };

union filter {
	struct group_filter f;
	char bytes[GROUP_FILTER_SIZE(SOURCES_MAX)];
};

static int level(void)
{
	return family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
}

static void put_address(struct sockaddr_storage *out, const char *four, const char *six, unsigned k)
{
	struct name n = { .len = 0 };

	if (family == AF_INET) {
		inet_pton(AF_INET, four, &n.in.sin_addr);
		n.in.sin_addr.s_addr += htonl(k);
	} else {
		inet_pton(AF_INET6, six, &n.in6.sin6_addr);
		n.in6.sin6_addr.s6_addr[15] += (uint8_t)k;
	}
	n.sa.sa_family = (sa_family_t)family;
	memcpy(out, &n.all, sizeof(*out));
}

static int join(int fd)
{
	struct group_req r = { .gr_interface = LO };

	put_address(&r.gr_group, "239.1.2.3", "ff02::1:23", 0);
	return setsockopt(fd, level(), MCAST_JOIN_GROUP, &r, sizeof(r));
}

static int of_source(int fd, int name, unsigned k)
{
	struct group_source_req r = { .gsr_interface = LO };

	put_address(&r.gsr_group, "239.1.2.3", "ff02::1:23", 0);
	put_address(&r.gsr_source, "10.0.0.10", "fd00::10", k);
	return setsockopt(fd, level(), name, &r, sizeof(r));
}

/* The filter with n sources, of which this one comes first. */
static void fill(union filter *f, unsigned mode, unsigned n, unsigned first)
{
	memset(f, 0, sizeof(*f));
	f->f.gf_interface = LO;
	put_address(&f->f.gf_group, "239.1.2.3", "ff02::1:23", 0);
	f->f.gf_fmode = mode;
	f->f.gf_numsrc = n;
	for (unsigned k = 0; k < n; k++)
		put_address((struct sockaddr_storage *)(f->bytes + GROUP_FILTER_SIZE(k)),
			    "10.0.0.10", "fd00::10", first + k);
}

static void set(int fd, unsigned mode, unsigned n, unsigned first)
{
	union filter f;

	fill(&f, mode, n, first);
	say_result(setsockopt(fd, level(), MCAST_MSFILTER, &f, GROUP_FILTER_SIZE(n)));
}

/* What it is, asked with room for so many sources. */
static void ask(int fd, unsigned room)
{
	socklen_t len = GROUP_FILTER_SIZE(room);
	union filter f;
	char text[64];

	fill(&f, 7, room, 50);
	say_result(getsockopt(fd, level(), MCAST_MSFILTER, &f, &len));
	say("mode %u, %u sources, %u bytes:", f.f.gf_fmode, f.f.gf_numsrc, (unsigned)len);
	for (unsigned k = 0; k < room; k++) {
		struct name n;

		memcpy(&n.all, f.bytes + GROUP_FILTER_SIZE(k), sizeof(n.all));
		inet_ntop(family,
			  family == AF_INET ? (void *)&n.in.sin_addr : (void *)&n.in6.sin6_addr,
			  text, sizeof(text));
		say(" %s", text);
	}
	say("\n");
}

static void sets_a_filter(void)
{
	int fd = socket_of(SOCK_DGRAM);

	set(fd, MCAST_EXCLUDE, 1, 0); /* of no member */
	ask(fd, 2);
	set(fd, MCAST_INCLUDE, 0, 0);
	say_result(join(fd));
	ask(fd, 2);
	set(fd, MCAST_EXCLUDE, 3, 0);
	ask(fd, 0);
	ask(fd, 2);
	ask(fd, 5);
	set(fd, MCAST_INCLUDE, 2, 5);
	ask(fd, 5);
	say_result(of_source(fd, MCAST_BLOCK_SOURCE, 1));
	say_result(of_source(fd, MCAST_JOIN_SOURCE_GROUP, 1));
	say_result(of_source(fd, MCAST_LEAVE_SOURCE_GROUP, 5));
	ask(fd, 5);
	set(fd, MCAST_EXCLUDE, 0, 0);
	ask(fd, 5);
	set(fd, MCAST_INCLUDE, 0, 0); /* it leaves */
	ask(fd, 5);
	say_result(join(fd));
}

static void sets_a_bad_filter(void)
{
	static const socklen_t lengths[] = { 0, 4, 136, 143, 144, 271, 400 };
	int fd = socket_of(SOCK_DGRAM);
	union filter f;
	socklen_t len;

	say_result(join(fd));
	for (size_t i = 0; i < N_OF(lengths); i++) {
		fill(&f, MCAST_EXCLUDE, 2, 0);
		say_result(setsockopt(fd, level(), MCAST_MSFILTER, &f, lengths[i]));
		len = lengths[i];
		f.f.gf_numsrc = 0;
		say_result(getsockopt(fd, level(), MCAST_MSFILTER, &f, &len));
	}
	set(fd, 2, 1, 0);
	set(fd, (unsigned)-1, 0, 0);
	fill(&f, MCAST_EXCLUDE, 1, 0);
	f.f.gf_interface = 4711;
	say_result(setsockopt(fd, level(), MCAST_MSFILTER, &f, GROUP_FILTER_SIZE(1)));
	len = GROUP_FILTER_SIZE(1);
	say_result(getsockopt(fd, level(), MCAST_MSFILTER, &f, &len));
	fill(&f, MCAST_EXCLUDE, 1, 0);
	put_address(&f.f.gf_group, "10.1.2.3", "fd00::1", 0);
	say_result(setsockopt(fd, level(), MCAST_MSFILTER, &f, GROUP_FILTER_SIZE(1)));
	len = GROUP_FILTER_SIZE(1);
	say_result(getsockopt(fd, level(), MCAST_MSFILTER, &f, &len));
	fill(&f, MCAST_EXCLUDE, 1, 0);
	f.f.gf_group.ss_family = AF_UNIX;
	len = GROUP_FILTER_SIZE(1);
	say_result(getsockopt(fd, level(), MCAST_MSFILTER, &f, &len));
	fill(&f, MCAST_EXCLUDE, 1, 0);
	f.f.gf_numsrc = 0x2000000;
	say_result(setsockopt(fd, level(), MCAST_MSFILTER, &f, GROUP_FILTER_SIZE(1)));
	ask(fd, 1);
}

static void sets_a_filter_of_ipv4(void)
{
	struct {
		struct ip_msfilter f;
		struct in_addr more[4];
	} f = { .f = { .imsf_fmode = MCAST_INCLUDE, .imsf_numsrc = 2 } };
	struct in_addr *list = f.f.imsf_slist;
	int fd = socket_of(SOCK_DGRAM);
	socklen_t len;

	say_result(join(fd));
	f.f.imsf_multiaddr.s_addr = htonl(0xef010203);
	f.f.imsf_interface.s_addr = htonl(INADDR_LOOPBACK);
	list[0].s_addr = htonl(0x0a000001);
	list[1].s_addr = htonl(0x0a000002);
	say_result(setsockopt(fd, IPPROTO_IP, IP_MSFILTER, &f, IP_MSFILTER_SIZE(1)));
	say_result(setsockopt(fd, IPPROTO_IP, IP_MSFILTER, &f, IP_MSFILTER_SIZE(2)));
	ask(fd, 3);
	for (unsigned room = 0; room < 4; room++) {
		f.f.imsf_numsrc = room;
		f.f.imsf_fmode = 9;
		list[0].s_addr = list[1].s_addr = 0;
		len = IP_MSFILTER_SIZE(room);
		say_result(getsockopt(fd, IPPROTO_IP, IP_MSFILTER, &f, &len));
		say("mode %u, %u sources, %u bytes: %x %x\n", f.f.imsf_fmode, f.f.imsf_numsrc,
		    (unsigned)len, ntohl(list[0].s_addr), ntohl(list[1].s_addr));
	}
	f.f.imsf_interface.s_addr = htonl(0x7f000002);
	len = 15;
	say_result(getsockopt(fd, IPPROTO_IP, IP_MSFILTER, &f, &len));
	f.f.imsf_multiaddr.s_addr = htonl(0xef010204);
	f.f.imsf_interface.s_addr = htonl(INADDR_LOOPBACK);
	len = sizeof(f);
	say_result(getsockopt(fd, IPPROTO_IP, IP_MSFILTER, &f, &len));
	f.f.imsf_numsrc = 0;
	f.f.imsf_fmode = MCAST_INCLUDE;
	say_result(setsockopt(fd, IPPROTO_IP, IP_MSFILTER, &f, IP_MSFILTER_SIZE(0)));
	f.f.imsf_multiaddr.s_addr = htonl(0xef010203);
	say_result(setsockopt(fd, IPPROTO_IP, IP_MSFILTER, &f, IP_MSFILTER_SIZE(0)));
	ask(fd, 1);
}

static const struct program programs[] = {
	BOTH(sets_a_filter),
	BOTH(sets_a_bad_filter),
	ONCE(sets_a_filter_of_ipv4),
};
const struct subject of_groups = SUBJECT(programs);
