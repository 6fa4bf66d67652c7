/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip.c - tern ip: the addresses, routes and neighbours of a stack, in the words of iproute2.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "net.h"

struct ip_command {
	struct net_options net;
	bool json;
	const char *what;
	const char *comma; /* before the next object of the list */
};

static void print_help(void)
{
	printf("usage: tern ip [OPTIONS] [addr | route | neigh | link | servers]\n\n"
	       "Opens the device and prints what its stack has: by --auto, what the network told "
	       "it.\n\n"
	       "  --json            the same as a list of objects\n");
	net_print_help();
	printf("\nExit: 0 printed, 1 nothing was told within 20 s (--auto), 2 usage or no such "
	       "device.\n");
}

static enum taken take_option(struct args *a, void *ctx)
{
	struct ip_command *c = ctx;

	if (args_is(a, "--json")) {
		c->json = true;
		return TAKEN;
	}
	return net_take_option(a, &c->net);
}

/* ---- words ---- */

static const char *const origin_names[TERN_N_ORIGINS] = {
	[TERN_ORIGIN_STATIC] = "static",
	[TERN_ORIGIN_RA] = "ra",
	[TERN_ORIGIN_DHCP4] = "dhcp",
	[TERN_ORIGIN_DHCP6] = "dhcp6",
	[TERN_ORIGIN_LINK_LOCAL] = "link-local",
};

static const char *name_of(struct net *n, unsigned ifindex, char name[16])
{
	struct tern_iface i;

	if (tern_iface_get(n->st, ifindex, &i) == 0)
		memcpy(name, i.name, 16);
	else
		strcpy(name, "?");
	return name;
}

/* Where an address means something: iproute2's words. */
static const char *scope_of_address(const struct tern_addr *a)
{
	if (a->family == TERN_AF_INET)
		return a->ip[0] == 127			  ? "host" :
		       a->ip[0] == 169 && a->ip[1] == 254 ? "link" :
							    "global";
	if (a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80)
		return "link";
	return a->ip[0] == 0 && a->ip[15] == 1 ? "host" : "global";
}

/* An address without its interface, which stands beside it. */
static const char *plain(struct tern_addr a, char *text)
{
	a.scope_id = 0;
	return tern_addr_format(&a, false, text);
}

static void begin_object(struct ip_command *c)
{
	printf("%s\n  {", c->comma);
	c->comma = ",";
}

static void print_lifetime(const struct ip_command *c, const char *name, tern_time until)
{
	tern_time now = loop_now();

	if (c->json && until != TERN_NEVER)
		printf(",\"%s_life_time\":%" PRIu64, name,
		       until > now ? (until - now) / TERN_SEC : 0);
	else if (!c->json && until == TERN_NEVER)
		printf(" %s_lft forever", name);
	else if (!c->json)
		printf(" %s_lft %" PRIu64 "sec", name, until > now ? (until - now) / TERN_SEC : 0);
}

/* ---- links ---- */

static void print_link(struct ip_command *c, unsigned index, const struct tern_iface *i)
{
	bool up = !(i->flags & TERN_IFACE_DOWN), lo = i->link == TERN_LINK_LOOPBACK;
	const char *link = lo ? "loopback" : i->link == TERN_LINK_ETHERNET ? "ether" : "none";
	bool has_mac = i->link != TERN_LINK_IP;
	char mac[18];

	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", i->mac[0], i->mac[1], i->mac[2],
		 i->mac[3], i->mac[4], i->mac[5]);
	if (c->json) {
		begin_object(c);
		printf("\"ifindex\":%u,\"ifname\":\"%s\",\"mtu\":%u,\"operstate\":\"%s\","
		       "\"link_type\":\"%s\"",
		       index, i->name, i->mtu, up ? "UP" : "DOWN", link);
		if (has_mac)
			printf(",\"address\":\"%s\"", mac);
		printf("}");
		return;
	}
	printf("%u: %s: <%s%s> mtu %u state %s\n    link/%s%s%s\n", index, i->name,
	       lo			     ? "LOOPBACK" :
	       i->link == TERN_LINK_ETHERNET ? "BROADCAST,MULTICAST" :
					       "POINTOPOINT,MULTICAST,NOARP",
	       up ? ",UP" : "", i->mtu, up ? "UP" : "DOWN", link, has_mac ? " " : "",
	       has_mac ? mac : "");
}

static void print_links(struct ip_command *c, struct net *n)
{
	struct tern_iface i;

	for (unsigned k = 0; (k = tern_iface_next(n->st, k));)
		if (tern_iface_get(n->st, k, &i) == 0)
			print_link(c, k, &i);
}

/* ---- addresses ---- */

static void print_flags(const struct ip_command *c, uint32_t flags)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = { { TERN_ADDR_TENTATIVE, "tentative" },
		      { TERN_ADDR_DUPLICATE, "dadfailed" },
		      { TERN_ADDR_DEPRECATED, "deprecated" },
		      { TERN_ADDR_TEMPORARY, "temporary" } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (flags & names[i].flag)
			printf(c->json ? ",\"%s\":true" : " %s", names[i].name);
}

static void print_address(struct ip_command *c, struct net *n, const struct tern_iface_addr *a)
{
	const char *family = a->addr.family == TERN_AF_INET ? "inet" : "inet6";
	char text[TERN_ADDR_TEXT_MAX], name[16];

	if (c->json) {
		begin_object(c);
		printf("\"ifname\":\"%s\",\"family\":\"%s\",\"local\":\"%s\",\"prefixlen\":%u,"
		       "\"scope\":\"%s\",\"protocol\":\"%s\"",
		       name_of(n, a->ifindex, name), family, plain(a->addr, text), a->prefix_len,
		       scope_of_address(&a->addr), origin_names[a->origin]);
	} else {
		printf("    %s %s/%u scope %s proto %s", family, plain(a->addr, text),
		       a->prefix_len, scope_of_address(&a->addr), origin_names[a->origin]);
	}
	print_flags(c, a->flags);
	if (!c->json)
		printf("\n      ");
	print_lifetime(c, "valid", a->valid_until);
	print_lifetime(c, "preferred", a->preferred_until);
	printf(c->json ? "}" : "\n");
}

static void print_addresses(struct ip_command *c, struct net *n)
{
	struct tern_iface i;

	for (unsigned k = 0; (k = tern_iface_next(n->st, k));) {
		struct tern_iface_addr a;
		unsigned cursor = 0;

		if (!c->json && tern_iface_get(n->st, k, &i) == 0)
			print_link(c, k, &i);
		while (tern_addr_next(n->st, &cursor, &a))
			if (a.ifindex == k)
				print_address(c, n, &a);
	}
}

/* ---- routes ---- */

static void print_route(struct ip_command *c, struct net *n, const struct tern_route *r)
{
	char dst[TERN_ADDR_TEXT_MAX + 4] = "default", via[TERN_ADDR_TEXT_MAX], name[16];
	bool has_gateway = r->gateway.family != TERN_AF_UNSPEC;

	if (r->prefix_len > 0)
		sprintf(dst + strlen(plain(r->dst, dst)), "/%u", r->prefix_len);
	if (c->json) {
		begin_object(c);
		printf("\"dst\":\"%s\",\"family\":\"%s\"", dst,
		       r->dst.family == TERN_AF_INET ? "inet" : "inet6");
		if (has_gateway)
			printf(",\"gateway\":\"%s\"", plain(r->gateway, via));
		printf(",\"dev\":\"%s\",\"protocol\":\"%s\",\"metric\":%u",
		       name_of(n, r->ifindex, name), origin_names[r->origin], r->metric);
		if (r->mtu)
			printf(",\"mtu\":%u", r->mtu);
		printf("}");
		return;
	}
	printf("%s", dst);
	if (has_gateway)
		printf(" via %s", plain(r->gateway, via));
	printf(" dev %s proto %s", name_of(n, r->ifindex, name), origin_names[r->origin]);
	if (r->metric)
		printf(" metric %u", r->metric);
	if (r->mtu)
		printf(" mtu %u", r->mtu);
	putchar('\n');
}

/* IPv4 first; then as they are tried: the longest prefix, the lowest metric. */
static int by_rank(const void *a, const void *b)
{
	const struct tern_route *r = a, *other = b;

	if (r->dst.family != other->dst.family)
		return r->dst.family == TERN_AF_INET ? -1 : 1;
	if (r->prefix_len != other->prefix_len)
		return r->prefix_len > other->prefix_len ? -1 : 1;
	if (r->metric != other->metric)
		return r->metric < other->metric ? -1 : 1;
	return memcmp(r->dst.ip, other->dst.ip, sizeof(r->dst.ip));
}

static void print_routes(struct ip_command *c, struct net *n)
{
	struct tern_route *all, r;
	unsigned cursor = 0;
	size_t n_routes = 0;

	while (tern_route_next(n->st, &cursor, &r))
		n_routes++;
	all = calloc(n_routes + 1, sizeof(*all));
	if (!all) {
		fprintf(stderr, "tern ip: memory is short\n");
		exit(1);
	}
	for (cursor = 0, n_routes = 0; tern_route_next(n->st, &cursor, &all[n_routes]);)
		n_routes++;
	qsort(all, n_routes, sizeof(*all), by_rank);
	for (size_t i = 0; i < n_routes; i++)
		if (all[i].ifindex != 1)
			print_route(c, n, &all[i]);
	free(all);
}

/* ---- neighbours and servers ---- */

static void print_neighbours(struct ip_command *c, struct net *n)
{
	static const char *const states[] = {
		[TERN_NEIGH_INCOMPLETE] = "INCOMPLETE", [TERN_NEIGH_REACHABLE] = "REACHABLE",
		[TERN_NEIGH_STALE] = "STALE",		[TERN_NEIGH_DELAY] = "DELAY",
		[TERN_NEIGH_PROBE] = "PROBE",		[TERN_NEIGH_PERMANENT] = "PERMANENT",
	};
	char text[TERN_ADDR_TEXT_MAX], name[16];
	struct tern_neigh e;
	unsigned cursor = 0;

	while (tern_neigh_next(n->st, &cursor, &e)) {
		const char *format = "%s dev %s lladdr %02x:%02x:%02x:%02x:%02x:%02x %s\n";

		if (c->json) {
			begin_object(c);
			format = "\"dst\":\"%s\",\"dev\":\"%s\",\"lladdr\":"
				 "\"%02x:%02x:%02x:%02x:%02x:%02x\",\"state\":[\"%s\"]}";
		}
		printf(format, plain(e.addr, text), name_of(n, e.ifindex, name), e.mac[0], e.mac[1],
		       e.mac[2], e.mac[3], e.mac[4], e.mac[5], states[e.state]);
	}
}

static void print_servers(struct ip_command *c, struct net *n)
{
	static const char *const kinds[] = { [TERN_SERVER_DNS] = "nameserver",
					     [TERN_SERVER_SEARCH] = "search",
					     [TERN_SERVER_NTP] = "ntp" };
	char text[TERN_ADDR_TEXT_MAX], name[16];
	struct tern_server s;
	unsigned cursor = 0;

	while (tern_server_next(n->st, &cursor, &s)) {
		const char *value = s.kind == TERN_SERVER_SEARCH ?
					    s.domain :
					    tern_addr_format(&s.addr, false, text);

		if (c->json) {
			begin_object(c);
			printf("\"kind\":\"%s\",\"value\":\"%s\",\"dev\":\"%s\",\"protocol\":\"%"
			       "s\"}",
			       kinds[s.kind], value, name_of(n, s.ifindex, name),
			       origin_names[s.origin]);
			continue;
		}
		printf("%s %s dev %s proto %s", kinds[s.kind], value, name_of(n, s.ifindex, name),
		       origin_names[s.origin]);
		print_lifetime(c, "valid", s.valid_until);
		putchar('\n');
	}
}

/* ---- the command ---- */

static const struct {
	const char *name;
	void (*print)(struct ip_command *, struct net *);
} objects[] = {
	{ "address", print_addresses },	   { "route", print_routes },
	{ "neighbour", print_neighbours }, { "neighbor", print_neighbours },
	{ "link", print_links },	   { "servers", print_servers },
};

/* As iproute2: any beginning of the word will do. */
static int find_object(const char *word)
{
	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++)
		if (word[0] && strncmp(objects[i].name, word, strlen(word)) == 0)
			return (int)i;
	return -1;
}

int cmd_ip(int argc, char **argv)
{
	struct ip_command c = { .what = "address", .comma = "" };
	struct args a = args_of("tern ip", argc, argv);
	struct net n;
	int object, code = args_read(&a, print_help, take_option, &c);

	if (code >= 0)
		return code;
	if (a.n_words > 1)
		return args_error(&a, "one of addr, route, neigh, link, servers");
	if (a.n_words == 1)
		c.what = a.word[0];
	object = find_object(c.what);
	if (object < 0)
		return args_error(&a, "one of addr, route, neigh, link, servers");
	code = net_open(&n, &c.net, &a);
	if (code != EXIT_DONE)
		return code;
	if (c.json)
		printf("[");
	objects[object].print(&c, &n);
	if (c.json)
		printf("\n]\n");
	return net_close(&n, code);
}
