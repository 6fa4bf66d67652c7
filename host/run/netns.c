/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netns.c - a network namespace for the program: one with a device of ours in it, or one that only
 * looks like the stack, for programs that ask the kernel for interfaces and addresses.
 *
 * All is done by the process that becomes the program, so it needs no privilege where user
 * namespaces are open to users. The device is a TAP; where /dev/net/tun is closed to the user it is
 * a veth pair whose far end has a packet socket, which is made inside the namespace, too.
 *
 * Sources: user_namespaces(7), capabilities(7), rtnetlink(7), veth(4).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../dev/dev.h"
#include "inside.h"

#define NEAR "eth0"
#define FAR "tern0"

static bool put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t len = (ssize_t)strlen(text);
	bool good = fd >= 0 && write(fd, text, (size_t)len) == len;

	if (fd >= 0)
		close(fd);
	return good;
}

bool netns_enter(void)
{
	char map[64];
	unsigned uid = getuid(), gid = getgid();

	if (unshare(CLONE_NEWNET) == 0)
		return true;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return false;
	put_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "%u %u 1", gid, gid);
	put_file("/proc/self/gid_map", map);
	snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	put_file("/proc/self/uid_map", map);
	return true;
}

/* ---- links ---- */

struct link_request {
	struct nlmsghdr header;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg addr;
		struct rtmsg route;
	} about;
	char room[256];
};

enum { CREATE = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK };

static struct rtattr *put(struct link_request *q, unsigned short type, const void *data, size_t len)
{
	struct rtattr *a = (struct rtattr *)(void *)((char *)q + NLMSG_ALIGN(q->header.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(a), data, len);
	q->header.nlmsg_len = NLMSG_ALIGN(q->header.nlmsg_len) + RTA_ALIGN(a->rta_len);
	return a;
}

/* What has been put since belongs to it. */
static void end_nest(struct link_request *q, struct rtattr *a)
{
	a->rta_len = (unsigned short)((char *)q + q->header.nlmsg_len - (char *)a);
}

static int ask_kernel(struct link_request *q)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char room[512]; /* of what is quoted */
	} answer;
	int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	ssize_t n = -1;

	if (s >= 0 && send(s, q, q->header.nlmsg_len, 0) >= 0)
		n = recv(s, &answer, sizeof(answer), 0);
	if (s >= 0)
		close(s);
	if (n < (ssize_t)(sizeof(answer.header) + sizeof(int)))
		return -1;
	errno = -answer.error.error;
	return errno ? -1 : 0;
}

/* A link to be made; of a veth pair the other end has a name and an index, too. */
struct new_link {
	const char *kind, *name, *far_name;
	int index, far_index; /* 0: as it comes */
	const uint8_t *mac;   /* NULL: as it comes */
};

static int make_link(const struct new_link *l)
{
	struct link_request q = { .header = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
					      .nlmsg_type = RTM_NEWLINK,
					      .nlmsg_flags = CREATE },
				  .about.link.ifi_index = l->index };
	const struct ifinfomsg peer = { .ifi_family = AF_UNSPEC, .ifi_index = l->far_index };
	const char *kind = l->kind;
	struct rtattr *info, *data, *far_end;

	put(&q, IFLA_IFNAME, l->name, strlen(l->name) + 1);
	if (l->mac)
		put(&q, IFLA_ADDRESS, l->mac, 6);
	info = put(&q, IFLA_LINKINFO, NULL, 0);
	put(&q, IFLA_INFO_KIND, kind, strlen(kind) + 1);
	if (strcmp(kind, "veth") == 0) {
		data = put(&q, IFLA_INFO_DATA, NULL, 0);
		far_end = put(&q, VETH_INFO_PEER, &peer, sizeof(peer));
		put(&q, IFLA_IFNAME, l->far_name, strlen(l->far_name) + 1);
		end_nest(&q, far_end);
		end_nest(&q, data);
	}
	end_nest(&q, info);
	return ask_kernel(&q);
}

static void put_setting(const char *link, const char *setting, const char *text)
{
	char path[96];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/%s", link, setting);
	put_file(path, text);
}

/* Up, and nothing of the kernel's own says anything there. */
static bool silence(const char *name)
{
	struct ifreq req = { .ifr_flags = IFF_UP | IFF_NOARP };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool good;

	put_setting(name, "disable_ipv6", "1");
	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	good = ioctl(s, SIOCSIFFLAGS, &req) == 0;
	close(s);
	return good;
}

/* ---- the device ---- */

static bool set_mtu(const char *name, uint32_t mtu)
{
	struct ifreq req = { .ifr_mtu = (int)mtu };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool good;

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	good = mtu == 0 || ioctl(s, SIOCSIFMTU, &req) == 0;
	close(s);
	return good;
}

/* Its descriptor; the device around it is the supervisor's to make. */
static int open_device(uint32_t mtu)
{
	const struct new_link pair = { .kind = "veth", .name = NEAR, .far_name = FAR };
	struct dev_wish w = { .mtu = 0 };
	struct dev *d = tap_open(NEAR, true, &w);

	if (d)
		return set_mtu(NEAR, mtu) ? d->fd : -1;
	if (make_link(&pair) != 0 || !set_mtu(NEAR, mtu) || !set_mtu(FAR, mtu) || !silence(FAR))
		return -1;
	d = packet_open(FAR, &w);
	return d ? d->fd : -1;
}

static bool has_ip6(const struct run_netns *n)
{
	/* a kernel without IPv6 goes without */
	return n->addr6.family != TERN_AF_UNSPEC && access("/proc/sys/net/ipv6", F_OK) == 0;
}

static bool add_addresses(const struct run_netns *n)
{
	char error[DEV_ERROR_MAX];

	/* nobody else is there who could have our address, or tell us of routers */
	put_setting(NEAR, "accept_dad", "0");
	put_setting(NEAR, "accept_ra", "0");
	if (n->addr.family && host_addr_add(NEAR, &n->addr, n->len, error) != 0)
		return false;
	return !has_ip6(n) || host_addr_add(NEAR, &n->addr6, n->len6, error) == 0;
}

static bool add_routes(const struct run_netns *n)
{
	char error[DEV_ERROR_MAX];

	return host_link_up("lo", error) == 0 && host_route_add(NEAR, &n->router, error) == 0 &&
	       (!has_ip6(n) || host_route_add(NEAR, &n->router6, error) == 0);
}

/* In its own network the program may do what it likes: raw sockets, low ports, addresses. */
static void keep_network_rights(void)
{
	static const unsigned rights[] = { CAP_NET_RAW, CAP_NET_ADMIN, CAP_NET_BIND_SERVICE };
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data) != 0)
		return;
	for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++)
		data[0].inheritable |= data[0].permitted & 1u << rights[i];
	if (syscall(SYS_capset, &head, data) != 0)
		return;
	for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++)
		prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, rights[i], 0, 0);
}

int netns_make(const struct run_netns *n)
{
	int fd;

	if (!netns_enter())
		return -1;
	fd = open_device(n->mtu);
	if (fd < 0 || !add_addresses(n) || !add_routes(n))
		return -1;
	keep_network_rights();
	return fd;
}

/* ---- what is only there to be seen ---- */

static void show_address(const struct tern_iface_addr *a)
{
	bool v4 = a->addr.family == TERN_AF_INET;
	size_t len = v4 ? 4 : 16;
	struct link_request q = { .header = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg)),
					      .nlmsg_type = RTM_NEWADDR,
					      .nlmsg_flags = CREATE },
				  .about.addr = { .ifa_family = (uint8_t)a->addr.family,
						  .ifa_prefixlen = (uint8_t)a->prefix_len,
						  .ifa_flags = v4 ? 0 : IFA_F_NODAD,
						  .ifa_index = a->ifindex } };
	uint8_t broadcast[4];

	put(&q, IFA_LOCAL, a->addr.ip, len);
	put(&q, IFA_ADDRESS, a->addr.ip, len);
	for (unsigned i = 0; v4 && i < 4; i++) {
		unsigned ours = a->prefix_len > 8 * i ? a->prefix_len - 8 * i : 0;

		broadcast[i] = (uint8_t)(a->addr.ip[i] | (ours < 8 ? 0xff >> ours : 0));
	}
	if (v4 && a->prefix_len < 31)
		put(&q, IFA_BROADCAST, broadcast, sizeof(broadcast));
	ask_kernel(&q);
}

/* Up, with groups: a dummy says that it has none. */
static void raise_shown(const char *name)
{
	struct ifreq req = { .ifr_flags = IFF_UP | IFF_MULTICAST | IFF_NOARP };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	ioctl(s, SIOCSIFFLAGS, &req);
	close(s);
}

static void show_interface(const struct tern_stack *st, unsigned index)
{
	enum { FAR_INDEX = 0x10000 }; /* above those of every stack */
	struct new_link l = { .index = (int)index, .far_index = FAR_INDEX + (int)index };
	struct tern_iface_addr a;
	struct tern_iface iface;
	char far_name[IFNAMSIZ];
	unsigned cursor = 0;

	if (tern_iface_get(st, index, &iface) != 0)
		return;
	snprintf(far_name, sizeof(far_name), "unused%u", index & 0xffff);
	l.name = iface.name;
	l.far_name = far_name;
	l.mac = iface.link == TERN_LINK_ETHERNET ? iface.mac : NULL;
	/* an ordinary user gets no modules loaded, but one of them may be there */
	l.kind = "dummy";
	if (make_link(&l) != 0) {
		l.kind = "veth";
		if (make_link(&l) != 0 || !silence(far_name))
			return;
	}
	set_mtu(iface.name, iface.mtu);
	put_setting(iface.name, "accept_ra", "0");
	put_setting(iface.name, "addr_gen_mode", "1"); /* no address that the stack has not */
	while (tern_addr_next(st, &cursor, &a))
		if (a.ifindex == index)
			show_address(&a);
	raise_shown(iface.name);
}

/* Those of the prefixes of addresses are the kernel's own already: EEXIST. */
static void show_route(const struct tern_route *r)
{
	size_t len = r->dst.family == TERN_AF_INET ? 4 : 16;
	bool direct = r->gateway.family == TERN_AF_UNSPEC;
	struct link_request q = {
		.header = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
			    .nlmsg_type = RTM_NEWROUTE,
			    .nlmsg_flags = CREATE },
		.about.route = { .rtm_family = (uint8_t)r->dst.family,
				 .rtm_dst_len = (uint8_t)r->prefix_len,
				 .rtm_table = RT_TABLE_MAIN,
				 .rtm_protocol = RTPROT_STATIC,
				 .rtm_scope = direct ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
				 .rtm_type = RTN_UNICAST },
	};

	if (r->ifindex == 1 || r->src.family != TERN_AF_UNSPEC)
		return;
	if (r->prefix_len > 0)
		put(&q, RTA_DST, r->dst.ip, len);
	if (!direct)
		put(&q, RTA_GATEWAY, r->gateway.ip, len);
	put(&q, RTA_OIF, &r->ifindex, sizeof(r->ifindex));
	if (r->metric)
		put(&q, RTA_PRIORITY, &r->metric, sizeof(r->metric));
	ask_kernel(&q);
}

void netns_show(const struct tern_stack *st)
{
	char error[DEV_ERROR_MAX];
	struct tern_route route;
	unsigned cursor = 0;

	host_link_up("lo", error);
	for (unsigned i = tern_iface_next(st, 1); i; i = tern_iface_next(st, i))
		show_interface(st, i);
	while (tern_route_next(st, &cursor, &route))
		show_route(&route);
}
