/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip.c - tern ip: the addresses, routes and neighbours of a stack, in the words of iproute2.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../view/json.h"
#include "cmd.h"
#include "net.h"

struct ip_command {
	struct net_options net;
	bool is_json;
	struct json json;
};

static void print_help(void)
{
	printf("usage: tern ip [OPTIONS] [addr | route | neigh | link | servers] [show]\n\n"
	       "Opens the device and prints what its stack has: by --auto, what the network told\n"
	       "it.\n\n"
	       "  -4, -6            of IPv4 or IPv6 alone\n"
	       "  --json            the same as a list of objects, with iproute2's names\n");
	net_print_help("sim");
	printf("\nExit: 0 printed, 2 usage, no such device, or no address within 20 s (--auto).\n");
}

static enum taken take_option(struct args *a, void *ctx)
{
	struct ip_command *c = ctx;

	if (args_is(a, "--json"))
		return args_taken(c->is_json = true);
	if (names_take_family(a, &c->net) == TAKEN)
		return TAKEN;
	return net_take_option(a, &c->net);
}

static bool is_asked_for(const struct ip_command *c, const struct tern_addr *a)
{
	return !c->net.family || c->net.family == a->family;
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

static void print_lifetime(struct ip_command *c, const char *name, tern_time until)
{
	tern_time now = loop_now();
	uint64_t seconds = until > now ? (until - now) / TERN_SEC : 0;
	char key[32];

	snprintf(key, sizeof(key), "%s_life_time", name);
	if (c->is_json) /* iproute2's number for ever */
		json_number(&c->json, key, until == TERN_NEVER ? UINT32_MAX : seconds);
	else if (until == TERN_NEVER)
		printf(" %s_lft forever", name);
	else
		printf(" %s_lft %" PRIu64 "sec", name, seconds);
}

/* "10.0.0.0/24", or "default". */
static const char *prefix(struct tern_addr a, unsigned len, char text[TERN_ADDR_TEXT_MAX + 8])
{
	if (len == 0)
		return "default";
	plain(a, text);
	sprintf(text + strlen(text), "/%u", len);
	return text;
}

static void format_mac(const uint8_t mac[6], char text[18])
{
	snprintf(text, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		 mac[5]);
}

/* ---- links ---- */

static const char *link_word(const struct tern_iface *i)
{
	return i->link == TERN_LINK_LOOPBACK ? "loopback" :
	       i->link == TERN_LINK_ETHERNET ? "ether" :
					       "none";
}

static void print_link_text(unsigned index, const struct tern_iface *i, const char *mac)
{
	bool up = !(i->flags & TERN_IFACE_DOWN);

	printf("%u: %s: <%s%s> mtu %u state %s\n    link/%s%s%s\n", index, i->name,
	       i->link == TERN_LINK_LOOPBACK ? "LOOPBACK" :
	       i->link == TERN_LINK_ETHERNET ? "BROADCAST,MULTICAST" :
					       "POINTOPOINT,MULTICAST,NOARP",
	       up ? ",UP" : "", i->mtu, up ? "UP" : "DOWN", link_word(i), mac ? " " : "",
	       mac ? mac : "");
}

static void print_link_json(struct json *j, unsigned index, const struct tern_iface *i,
			    const char *mac)
{
	bool up = !(i->flags & TERN_IFACE_DOWN);

	json_number(j, "ifindex", index);
	json_string(j, "ifname", i->name);
	json_list(j, "flags");
	if (i->link == TERN_LINK_LOOPBACK)
		json_string(j, NULL, "LOOPBACK");
	if (i->link == TERN_LINK_ETHERNET)
		json_string(j, NULL, "BROADCAST");
	if (i->link == TERN_LINK_IP)
		json_string(j, NULL, "POINTOPOINT");
	if (i->link != TERN_LINK_LOOPBACK)
		json_string(j, NULL, "MULTICAST");
	if (i->link == TERN_LINK_IP)
		json_string(j, NULL, "NOARP");
	if (up)
		json_string(j, NULL, "UP");
	json_close(j, ']');
	json_number(j, "mtu", i->mtu);
	json_string(j, "operstate", up ? "UP" : "DOWN");
	json_string(j, "link_type", link_word(i));
	if (mac)
		json_string(j, "address", mac);
}

/* In JSON the object stays open: addresses may follow. */
static void begin_link(struct ip_command *c, unsigned index, const struct tern_iface *i)
{
	char mac[18];
	const char *has_mac = i->link != TERN_LINK_IP ? mac : NULL;

	format_mac(i->mac, mac);
	if (!c->is_json) {
		print_link_text(index, i, has_mac);
		return;
	}
	json_open(&c->json, NULL, '{');
	print_link_json(&c->json, index, i, has_mac);
}

static void end_link(struct ip_command *c)
{
	if (c->is_json)
		json_close(&c->json, '}');
}

static void print_links(struct ip_command *c, struct net *n)
{
	struct tern_iface i;

	for (unsigned k = 0; (k = tern_iface_next(n->st, k));)
		if (tern_iface_get(n->st, k, &i) == 0) {
			begin_link(c, k, &i);
			end_link(c);
		}
}

/* ---- addresses ---- */

static void print_flags(struct ip_command *c, uint32_t flags)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = { { TERN_ADDR_TENTATIVE, "tentative" },
		      { TERN_ADDR_DUPLICATE, "dadfailed" },
		      { TERN_ADDR_DEPRECATED, "deprecated" },
		      { TERN_ADDR_TEMPORARY, "temporary" } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!(flags & names[i].flag))
			continue;
		if (c->is_json)
			json_bool(&c->json, names[i].name, true);
		else
			printf(" %s", names[i].name);
	}
}

static void print_address(struct ip_command *c, const struct tern_iface_addr *a)
{
	const char *family = a->addr.family == TERN_AF_INET ? "inet" : "inet6";
	const char *scope = scope_of_address(&a->addr), *origin = origin_names[a->origin];
	char text[TERN_ADDR_TEXT_MAX];

	plain(a->addr, text);
	if (c->is_json) {
		json_open(&c->json, NULL, '{');
		json_string(&c->json, "family", family);
		json_string(&c->json, "local", text);
		json_number(&c->json, "prefixlen", a->prefix_len);
		json_string(&c->json, "scope", scope);
		json_string(&c->json, "protocol", origin);
	} else {
		printf("    %s %s/%u scope %s proto %s", family, text, a->prefix_len, scope,
		       origin);
	}
	print_flags(c, a->flags);
	if (!c->is_json)
		printf("\n      ");
	print_lifetime(c, "valid", a->valid_until);
	print_lifetime(c, "preferred", a->preferred_until);
	if (c->is_json)
		json_close(&c->json, '}');
	else
		putchar('\n');
}

static void print_addresses(struct ip_command *c, struct net *n)
{
	struct tern_iface i;

	for (unsigned k = 0; (k = tern_iface_next(n->st, k));) {
		struct tern_iface_addr a;
		unsigned cursor = 0;

		if (tern_iface_get(n->st, k, &i) != 0)
			continue;
		begin_link(c, k, &i);
		if (c->is_json)
			json_list(&c->json, "addr_info");
		while (tern_addr_next(n->st, &cursor, &a))
			if (a.ifindex == k && is_asked_for(c, &a.addr))
				print_address(c, &a);
		if (c->is_json)
			json_close(&c->json, ']');
		end_link(c);
	}
}

/* ---- routes ---- */

static bool is_in_prefix(const struct tern_addr *a, const struct tern_route *r)
{
	unsigned whole = r->prefix_len / 8, rest = r->prefix_len % 8;

	return a->family == r->dst.family && memcmp(a->ip, r->dst.ip, whole) == 0 &&
	       (rest == 0 || (a->ip[whole] ^ r->dst.ip[whole]) >> (8 - rest) == 0);
}

/* The address whose network this is: nobody has added that route, it came with the address. */
static bool find_address_of(struct net *n, const struct tern_route *r, struct tern_addr *out)
{
	struct tern_iface_addr a;
	unsigned cursor = 0;

	if (r->origin != TERN_ORIGIN_STATIC || r->gateway.family != TERN_AF_UNSPEC)
		return false;
	while (tern_addr_next(n->st, &cursor, &a))
		if (a.ifindex == r->ifindex && a.prefix_len == r->prefix_len &&
		    is_in_prefix(&a.addr, r)) {
			*out = a.addr;
			return true;
		}
	return false;
}

/* What is printed of a route, in words; "" or 0: nothing. */
struct route_words {
	char dst[TERN_ADDR_TEXT_MAX + 8], from[TERN_ADDR_TEXT_MAX + 8], via[TERN_ADDR_TEXT_MAX],
		src[TERN_ADDR_TEXT_MAX], dev[16];
	const char *protocol;
};

static void find_route_words(struct net *n, const struct tern_route *r, struct route_words *w)
{
	struct tern_addr src;
	char text[TERN_ADDR_TEXT_MAX + 8];

	memset(w, 0, sizeof(*w));
	snprintf(w->dst, sizeof(w->dst), "%s", prefix(r->dst, r->prefix_len, text));
	if (r->src.family != TERN_AF_UNSPEC)
		snprintf(w->from, sizeof(w->from), "%s", prefix(r->src, r->src_len, text));
	if (r->gateway.family != TERN_AF_UNSPEC)
		plain(r->gateway, w->via);
	w->protocol = origin_names[r->origin];
	if (find_address_of(n, r, &src)) {
		w->protocol = "kernel";
		plain(src, w->src);
	}
	name_of(n, r->ifindex, w->dev);
}

static void print_route_json(struct json *j, const struct tern_route *r,
			     const struct route_words *w)
{
	json_open(j, NULL, '{');
	json_string(j, "dst", w->dst);
	json_string(j, "family", r->dst.family == TERN_AF_INET ? "inet" : "inet6");
	if (w->from[0])
		json_string(j, "from", w->from);
	if (w->via[0])
		json_string(j, "gateway", w->via);
	json_string(j, "dev", w->dev);
	json_string(j, "protocol", w->protocol);
	if (!w->via[0])
		json_string(j, "scope", "link");
	if (w->src[0])
		json_string(j, "prefsrc", w->src);
	json_number(j, "metric", r->metric);
	if (r->mtu)
		json_number(j, "mtu", r->mtu);
	json_close(j, '}');
}

static void print_route(struct ip_command *c, struct net *n, const struct tern_route *r)
{
	struct route_words w;

	find_route_words(n, r, &w);
	if (c->is_json) {
		print_route_json(&c->json, r, &w);
		return;
	}
	printf("%s", w.dst);
	if (w.from[0])
		printf(" from %s", w.from);
	if (w.via[0])
		printf(" via %s", w.via);
	printf(" dev %s proto %s", w.dev, w.protocol);
	if (!w.via[0] && r->dst.family == TERN_AF_INET)
		printf(" scope link");
	if (w.src[0] && r->dst.family == TERN_AF_INET)
		printf(" src %s", w.src);
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
		fprintf(stderr, "tern ip: out of memory\n");
		exit(EXIT_USAGE);
	}
	for (cursor = 0, n_routes = 0; tern_route_next(n->st, &cursor, &all[n_routes]);)
		n_routes++;
	qsort(all, n_routes, sizeof(*all), by_rank);
	for (size_t i = 0; i < n_routes; i++)
		if (all[i].ifindex != 1 && is_asked_for(c, &all[i].dst))
			print_route(c, n, &all[i]);
	free(all);
}

/* ---- neighbours and servers ---- */

static void print_neighbour(struct ip_command *c, struct net *n, const struct tern_neigh *e)
{
	static const char *const states[] = {
		[TERN_NEIGH_INCOMPLETE] = "INCOMPLETE", [TERN_NEIGH_REACHABLE] = "REACHABLE",
		[TERN_NEIGH_STALE] = "STALE",		[TERN_NEIGH_DELAY] = "DELAY",
		[TERN_NEIGH_PROBE] = "PROBE",		[TERN_NEIGH_PERMANENT] = "PERMANENT",
	};
	bool has_mac = e->state != TERN_NEIGH_INCOMPLETE;
	char text[TERN_ADDR_TEXT_MAX], name[16], mac[18];

	plain(e->addr, text);
	name_of(n, e->ifindex, name);
	format_mac(e->mac, mac);
	if (!c->is_json) {
		printf("%s dev %s%s%s %s\n", text, name, has_mac ? " lladdr " : "",
		       has_mac ? mac : "", states[e->state]);
		return;
	}
	json_open(&c->json, NULL, '{');
	json_string(&c->json, "dst", text);
	json_string(&c->json, "dev", name);
	if (has_mac)
		json_string(&c->json, "lladdr", mac);
	json_list(&c->json, "state");
	json_string(&c->json, NULL, states[e->state]);
	json_close(&c->json, ']');
	json_close(&c->json, '}');
}

static void print_neighbours(struct ip_command *c, struct net *n)
{
	struct tern_neigh e;
	unsigned cursor = 0;

	while (tern_neigh_next(n->st, &cursor, &e))
		if (is_asked_for(c, &e.addr))
			print_neighbour(c, n, &e);
}

static void print_server(struct ip_command *c, struct net *n, const struct tern_server *s)
{
	static const char *const kinds[] = { [TERN_SERVER_DNS] = "nameserver",
					     [TERN_SERVER_SEARCH] = "search",
					     [TERN_SERVER_NTP] = "ntp" };
	const char *origin = origin_names[s->origin];
	char text[NET_ADDR_TEXT_MAX], name[16];
	const char *value =
		s->kind == TERN_SERVER_SEARCH ? s->domain : net_format_addr(n, &s->addr, text);

	name_of(n, s->ifindex, name);
	if (!c->is_json) {
		printf("%s %s dev %s proto %s", kinds[s->kind], value, name, origin);
		print_lifetime(c, "valid", s->valid_until);
		putchar('\n');
		return;
	}
	json_open(&c->json, NULL, '{');
	json_string(&c->json, "kind", kinds[s->kind]);
	json_string(&c->json, "value", value);
	json_string(&c->json, "dev", name);
	json_string(&c->json, "protocol", origin);
	print_lifetime(c, "valid", s->valid_until);
	json_close(&c->json, '}');
}

static void print_servers(struct ip_command *c, struct net *n)
{
	struct tern_server s;
	unsigned cursor = 0;

	while (tern_server_next(n->st, &cursor, &s))
		print_server(c, n, &s);
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

/* "addr", "addr show"; below 0 after a line of error. */
static int read_object(const struct args *a)
{
	bool shows = a->n_words < 2 || (a->n_words == 2 && (strcmp(a->word[1], "show") == 0 ||
							    strcmp(a->word[1], "list") == 0));
	int object = find_object(a->n_words ? a->word[0] : "address");

	if (object < 0 || !shows)
		args_error(
			a,
			"it shows one of addr, route, neigh, link, servers, and changes nothing");
	return shows ? object : -1;
}

int cmd_ip(int argc, char **argv)
{
	struct ip_command c = { .json = { stdout, false } };
	struct args a = args_of("tern ip", argc, argv);
	int object, code = args_read(&a, print_help, take_option, &c);
	struct net n;

	if (code >= 0)
		return code;
	object = read_object(&a);
	if (object < 0)
		return EXIT_USAGE;
	code = net_open(&n, &c.net, &a);
	if (code != EXIT_DONE)
		return code;
	if (c.is_json)
		putchar('[');
	objects[object].print(&c, &n);
	if (c.is_json)
		printf("]\n");
	return net_close(&n, code);
}
