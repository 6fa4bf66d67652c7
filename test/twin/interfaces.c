/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * interfaces.c - twins: what the loopback interface says of itself.
 */
#include "twin.h"

#include <ifaddrs.h>
#include <net/if.h>

static struct ifreq request_of(const char *name)
{
	struct ifreq r = { .ifr_flags = 0 };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	return r;
}

static void say_name(const struct sockaddr *sa)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)sa;

	say("%d %s\n", sa->sa_family, inet_ntoa(in->sin_addr));
}

static void tells_addresses(void)
{
	static const unsigned long requests[] = { SIOCGIFADDR, SIOCGIFNETMASK, SIOCGIFBRDADDR };
	int fd = socket_of(SOCK_DGRAM);

	for (int i = 0; i < 3; i++) {
		struct ifreq r = request_of("lo");

		say_result(ioctl(fd, requests[i], &r));
		say_name(&r.ifr_addr);
	}
}

static void tells_flags_and_numbers(void)
{
	struct ifreq r = request_of("lo");
	int fd = socket_of(SOCK_STREAM);

	say_result(ioctl(fd, SIOCGIFFLAGS, &r));
	say("%#x\n", r.ifr_flags & (IFF_UP | IFF_LOOPBACK | IFF_RUNNING | IFF_BROADCAST));
	r = request_of("lo");
	say_result(ioctl(fd, SIOCGIFINDEX, &r));
	say("%d\n", r.ifr_ifindex);
	memset(r.ifr_name, 0, sizeof(r.ifr_name));
	r.ifr_ifindex = 1;
	say_result(ioctl(fd, SIOCGIFNAME, &r));
	say("%s\n", r.ifr_name);
	say_result(ioctl(fd, SIOCGIFHWADDR, &r));
	say("%d %d\n", r.ifr_hwaddr.sa_family, r.ifr_hwaddr.sa_data[0]);
}

static void tells_the_mtu_of_the_loopback(void)
{
	struct ifreq r = request_of("lo");

	say_result(ioctl(socket_of(SOCK_STREAM), SIOCGIFMTU, &r));
	say("%d\n", r.ifr_mtu);
}

static void asks_for_an_interface_that_is_not(void)
{
	static const unsigned long requests[] = { SIOCGIFADDR, SIOCGIFFLAGS, SIOCGIFMTU,
						  SIOCGIFINDEX, SIOCGIFHWADDR };
	int fd = socket_of(SOCK_DGRAM);
	struct ifreq r;

	for (int i = 0; i < 5; i++) {
		r = request_of("nothing");
		say_result(ioctl(fd, requests[i], &r));
	}
	r.ifr_ifindex = 9999;
	say_result(ioctl(fd, SIOCGIFNAME, &r));
}

static void lists_interfaces(void)
{
	struct ifreq r[8];
	struct ifconf c = { .ifc_len = sizeof(r) };
	int fd = socket_of(SOCK_DGRAM);

	c.ifc_req = r;
	say_result(ioctl(fd, SIOCGIFCONF, &c));
	say("%d %s ", c.ifc_len >= (int)sizeof(r[0]), r[0].ifr_name);
	say_name(&r[0].ifr_addr);
	c.ifc_len = 3;
	say_result(ioctl(fd, SIOCGIFCONF, &c));
	say("%d\n", c.ifc_len);
	c = (struct ifconf){ .ifc_len = 0 };
	say_result(ioctl(fd, SIOCGIFCONF, &c));
	say("%d\n", c.ifc_len >= (int)sizeof(r[0]));
}

/* The addresses of the loopback: its own order is AF_PACKET, IPv4, IPv6. */
static void lists_addresses(void)
{
	struct ifaddrs *list = NULL;

	say_result(getifaddrs(&list));
	for (struct ifaddrs *a = list; a; a = a->ifa_next) {
		char text[64] = "";

		if (strcmp(a->ifa_name, "lo") != 0 || !a->ifa_addr)
			continue;
		if (a->ifa_addr->sa_family == AF_INET)
			inet_ntop(AF_INET, &((struct sockaddr_in *)(void *)a->ifa_addr)->sin_addr,
				  text, sizeof(text));
		else if (a->ifa_addr->sa_family == AF_INET6)
			inet_ntop(AF_INET6,
				  &((struct sockaddr_in6 *)(void *)a->ifa_addr)->sin6_addr, text,
				  sizeof(text));
		say("%s %d %s %#x %d\n", a->ifa_name, a->ifa_addr->sa_family, text,
		    a->ifa_flags & (IFF_UP | IFF_LOOPBACK | IFF_RUNNING), a->ifa_netmask != NULL);
	}
	freeifaddrs(list);
}

static const struct program programs[] = {
	ONCE(tells_addresses),
	ONCE(tells_flags_and_numbers),
	ONCE(tells_the_mtu_of_the_loopback),
	ONCE(asks_for_an_interface_that_is_not),
	ONCE(lists_interfaces),
	ONCE(lists_addresses),
};
const struct subject of_interfaces = SUBJECT(programs);
