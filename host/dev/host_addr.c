/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host_addr.c - the host's own side of a device: an address, and up. Only when asked to.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dev.h"

static int say(char *error, const char *name, int s)
{
	int err = errno;

	snprintf(error, DEV_ERROR_MAX, "%s: %s%s", name, strerror(err),
		 err == EPERM ? "; run as root, or in a namespace of your own: unshare -Urn" : "");
	if (s >= 0)
		close(s);
	return -1;
}

int host_link_up(const char *name, char *error)
{
	struct ifreq req = { .ifr_flags = 0 };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	if (s < 0 || ioctl(s, SIOCGIFFLAGS, &req) != 0)
		return say(error, name, s);
	req.ifr_flags |= IFF_UP;
	if (ioctl(s, SIOCSIFFLAGS, &req) != 0)
		return say(error, name, s);
	close(s);
	return 0;
}

static void put_ip4(struct ifreq *req, uint32_t host_order)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(host_order) };

	memcpy(&req->ifr_addr, &sin, sizeof(sin));
}

static int add_ip4(int s, const char *name, const struct tern_addr *a, unsigned len)
{
	struct ifreq req = { .ifr_flags = 0 };
	uint32_t ip = (uint32_t)a->ip[0] << 24 | (uint32_t)a->ip[1] << 16 |
		      (uint32_t)a->ip[2] << 8 | a->ip[3];

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	put_ip4(&req, ip);
	if (ioctl(s, SIOCSIFADDR, &req) != 0)
		return -1;
	put_ip4(&req, len ? 0xffffffff << (32 - len) : 0);
	return ioctl(s, SIOCSIFNETMASK, &req);
}

/* struct in6_ifreq of linux/ipv6.h, which not every C library can stand beside. */
struct address6_request {
	uint8_t addr[16];
	uint32_t len;
	int ifindex;
};

static int add_ip6(int s, const char *name, const struct tern_addr *a, unsigned len)
{
	struct address6_request req = { .len = len, .ifindex = (int)if_nametoindex(name) };

	memcpy(req.addr, a->ip, 16);
	return ioctl(s, SIOCSIFADDR, &req) == 0 || errno == EEXIST ? 0 : -1;
}

int host_addr_add(const char *name, const struct tern_addr *a, unsigned prefix_len, char *error)
{
	bool v4 = a->family == TERN_AF_INET;
	int s = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (s < 0 || (v4 ? add_ip4 : add_ip6)(s, name, a, prefix_len) != 0)
		return say(error, name, s);
	close(s);
	return host_link_up(name, error);
}

static int add_route4(int s, const char *name, const struct tern_addr *router)
{
	struct rtentry r = { .rt_flags = RTF_UP | RTF_GATEWAY };
	struct sockaddr_in sin = { .sin_family = AF_INET };
	char text[IFNAMSIZ];

	snprintf(text, sizeof(text), "%s", name);
	r.rt_dev = text;
	memcpy(&r.rt_dst, &sin, sizeof(sin));
	memcpy(&r.rt_genmask, &sin, sizeof(sin));
	memcpy(&sin.sin_addr, router->ip, 4);
	memcpy(&r.rt_gateway, &sin, sizeof(sin));
	return ioctl(s, SIOCADDRT, &r);
}

static int add_route6(int s, const char *name, const struct tern_addr *router)
{
	struct in6_rtmsg r = { .rtmsg_flags = RTF_UP | RTF_GATEWAY,
			       .rtmsg_metric = 1,
			       .rtmsg_ifindex = (int)if_nametoindex(name) };

	memcpy(&r.rtmsg_gateway, router->ip, 16);
	return ioctl(s, SIOCADDRT, &r);
}

int host_route_add(const char *name, const struct tern_addr *router, char *error)
{
	bool v4 = router->family == TERN_AF_INET;
	int s = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (s < 0 || (v4 ? add_route4 : add_route6)(s, name, router) != 0)
		return say(error, name, s);
	close(s);
	return 0;
}
