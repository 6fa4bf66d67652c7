/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net_names.c - names of hosts: those of --hosts and of the members of its network a command knows
 * by itself; others it looks up, in the hosts file and by name servers.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "../host/dev/mesh.h"
#include "../include/tern_malloc.h"
#include "../view/json.h"
#include "net.h"

/* "db=10.0.0.7" */
bool names_take_host(struct args *a, struct net_options *o)
{
	struct net_host *h = &o->host[o->n_hosts];
	const char *equals;

	if (!args_value(a))
		return false;
	equals = strchr(a->value, '=');
	if (!equals || equals == a->value || o->n_hosts == NET_HOSTS_MAX ||
	    tern_addr_parse(equals + 1, 0, &h->addr) != 0) {
		args_error(a, "--hosts takes NAME=ADDRESS, such as db=10.0.0.7, at most %d times",
			   NET_HOSTS_MAX);
		return false;
	}
	h->name = a->value;
	h->len = (size_t)(equals - a->value);
	o->n_hosts++;
	return true;
}

enum taken names_take_family(struct args *a, struct net_options *o)
{
	if (args_is(a, "-4"))
		o->family = TERN_AF_INET;
	else if (args_is(a, "-6"))
		o->family = TERN_AF_INET6;
	else
		return UNKNOWN;
	return TAKEN;
}

bool names_take_server(struct args *a, struct net_options *o)
{
	char plain[TERN_ADDR_TEXT_MAX];
	struct tern_addr addr;
	const char *zone;

	if (!args_value(a))
		return false;
	if (o->n_servers == TERN_RESOLVER_SERVERS_MAX) {
		args_error(a, "at most %d name servers", TERN_RESOLVER_SERVERS_MAX);
		return false;
	}
	if (tern_addr_parse(a->value, 0, &addr) != 0 && !net_split_zone(a->value, plain, &zone)) {
		args_error(a, "--server: '%s' is not an address", a->value);
		return false;
	}
	o->server[o->n_servers++] = a->value;
	return true;
}

bool names_find(void *ctx, const char *name, int family, struct tern_addr *out)
{
	const struct net *n = ctx;
	struct tern_addr member;
	bool known = false;

	for (unsigned i = 0; i < n->options->n_hosts; i++) {
		const struct net_host *h = &n->options->host[i];

		if (strlen(name) != h->len || strncasecmp(name, h->name, h->len) != 0)
			continue;
		known = true;
		if (h->addr.family == family && out->family == TERN_AF_UNSPEC)
			*out = h->addr;
	}
	if (known || !n->mesh || !mesh_find(n->mesh_dir, name, family, &member))
		return known;
	if (family)
		*out = member;
	return true;
}

/* The member that has it; with or without a name it is of this network. */
static bool find_member(const struct net *n, const struct tern_addr *a, char *name)
{
	struct tern_addr own = mesh_addr(n->mesh, a->family), member;
	size_t prefix = (a->family == TERN_AF_INET ? MESH_LEN4 : MESH_LEN6) / 8;
	struct dirent *e;
	DIR *dir;

	if (memcmp(own.ip, a->ip, prefix) != 0)
		return false;
	dir = opendir(n->mesh_dir);
	while (dir && !name[0] && (e = readdir(dir)))
		if (e->d_name[0] == '@' &&
		    mesh_find(n->mesh_dir, e->d_name + 1, a->family, &member) &&
		    gateway_same_host(&member, a))
			snprintf(name, GATEWAY_NAME_MAX, "%s", e->d_name + 1);
	if (dir)
		closedir(dir);
	return true;
}

bool names_find_address(void *ctx, const struct tern_addr *a, char name[GATEWAY_NAME_MAX])
{
	const struct net *n = ctx;

	name[0] = 0;
	for (unsigned i = 0; i < n->options->n_hosts; i++) {
		const struct net_host *h = &n->options->host[i];

		if (h->len < GATEWAY_NAME_MAX && gateway_same_host(&h->addr, a)) {
			snprintf(name, GATEWAY_NAME_MAX, "%.*s", (int)h->len, h->name);
			return true;
		}
	}
	if (n->mesh && find_member(n, a, name))
		return true;
	for (unsigned i = 0; i < n->options->n_devs; i++)
		if (gateway_same_host(&n->options->dev[i].addr, a) ||
		    gateway_same_host(&n->options->dev[i].addr6, a))
			return true;
	return false;
}

/* ---- looking up ---- */

/* All of a file of the host's, TERN_RESOLVER_HOSTS_MAX bytes at most; NULL: there is none. */
static char *read_text(const char *path, size_t *len)
{
	FILE *f = fopen(path, "re");
	char *text = f ? malloc(TERN_RESOLVER_HOSTS_MAX) : NULL;

	*len = text ? fread(text, 1, TERN_RESOLVER_HOSTS_MAX, f) : 0;
	if (f)
		fclose(f);
	return text;
}

static bool has_gateway(const struct net *n)
{
	return n->gateway && n->st != gateway_stack(n->gateway);
}

/* What the host calls its loopback has this address behind a gateway. */
static void leave_loopback(struct tern_addr *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	if (a->family == TERN_AF_INET && a->ip[0] == 127)
		*a = tern_ip4(10, 0, 2, 2, a->port);
	else if (a->family == TERN_AF_INET6 && memcmp(a->ip, one, 16) == 0)
		*a = (struct tern_addr){ .family = TERN_AF_INET6, .ip = { 0xfd, [15] = 2 } };
}

/* Through a gateway the host's own servers are reached as the host reaches them. */
static void read_servers_of_host(struct tern_resolver_conf *conf)
{
	size_t len;
	char *text = read_text("/etc/resolv.conf", &len);

	tern_resolver_conf_parse(conf, text, len);
	free(text);
	for (unsigned i = 0; i < conf->n_servers; i++)
		leave_loopback(&conf->server[i]);
}

/* false after a line of error. */
static bool configure_names(struct net *n)
{
	struct tern_resolver_conf conf;
	size_t len;
	char *hosts;
	int err;

	tern_resolver_conf_default(&conf);
	for (unsigned i = 0; i < n->options->n_servers; i++)
		if (net_parse_addr(n, n->options->server[i], 0, &conf.server[conf.n_servers++]) !=
		    NET_ADDRESS)
			return false;
	if (n->options->n_servers == 0 && has_gateway(n))
		read_servers_of_host(&conf);
	hosts = read_text("/etc/hosts", &len);
	err = tern_resolver_configure(n->resolver, &conf, hosts, len);
	free(hosts);
	if (err)
		net_refuse(n, "%s", "out of memory");
	return err == 0;
}

struct tern_resolver *net_resolver(struct net *n)
{
	struct tern_resolver_wish wish = { .st = n->st,
					   .alloc = tern_malloc,
					   .free = tern_malloc_free };

	if (n->resolver)
		return n->resolver;
	if (getrandom(wish.seed, sizeof(wish.seed), 0) < 0) {
		net_refuse(n, "no random numbers: %s", strerror(errno));
		return NULL;
	}
	n->resolver = tern_resolver_new(&wish);
	if (!n->resolver)
		net_refuse(n, "%s", "out of memory");
	else if (!configure_names(n)) {
		tern_resolver_free(n->resolver);
		n->resolver = NULL;
	}
	return n->resolver;
}

static void add_text(char text[NET_RESOLV_MAX], const char *before, const char *word)
{
	size_t len = strlen(text);

	snprintf(text + len, NET_RESOLV_MAX - len, "%s%s", before, word);
}

/* A domain that router advertisements and DHCP both name stands there once. */
static void add_domains(const struct net *n, char text[NET_RESOLV_MAX])
{
	char line[NET_RESOLV_MAX] = "search ", word[NET_RESOLV_MAX];
	struct tern_server s;
	unsigned cursor = 0;

	while (tern_server_next(n->st, &cursor, &s)) {
		snprintf(word, sizeof(word), " %s ", s.domain);
		if (s.kind == TERN_SERVER_SEARCH && !strstr(line, word))
			add_text(line, "", word + 1);
	}
	if (line[7]) {
		line[strlen(line) - 1] = '\n';
		add_text(text, "", line);
	}
}

void net_print_resolv_conf(const struct net *n, char text[NET_RESOLV_MAX])
{
	char addr[NET_ADDR_TEXT_MAX];
	struct tern_server s;
	unsigned cursor = 0;

	text[0] = 0;
	for (unsigned i = 0; i < n->options->n_servers; i++) {
		add_text(text, "nameserver ", n->options->server[i]);
		add_text(text, "\n", "");
	}
	while (n->options->n_servers == 0 && tern_server_next(n->st, &cursor, &s)) {
		if (s.kind != TERN_SERVER_DNS)
			continue;
		add_text(text, "nameserver ", net_format_addr(n, &s.addr, addr));
		add_text(text, "\n", "");
	}
	add_domains(n, text);
}

void net_turn_names(struct net *n, tern_time until)
{
	struct tern_resolver *r = n->resolver;
	struct tern_event ev;

	if (r && tern_resolver_deadline(r) < until)
		until = tern_resolver_deadline(r);
	net_turn(n, until, NULL, 0);
	while (tern_event(n->st, &ev))
		if (r)
			tern_resolver_on_event(r, &ev);
	if (r)
		tern_resolver_advance(r, loop_now());
}

bool net_find_own(struct net *n, const struct tern_resolver_question *q,
		  struct tern_resolver_answer *out)
{
	static const int families[] = { TERN_AF_INET, TERN_AF_INET6 };
	bool known = false;

	memset(out, 0, sizeof(*out));
	for (int i = 0; i < 2 && q->name; i++) {
		struct tern_addr a = { .family = TERN_AF_UNSPEC };

		if (q->family != TERN_AF_UNSPEC && q->family != families[i])
			continue;
		known = names_find(n, q->name, families[i], &a) || known;
		if (a.family != TERN_AF_UNSPEC) {
			a.port = q->addr.port;
			out->addr[out->n_addrs++] = a;
		}
	}
	out->cause = TERN_RESOLVER_BY_HOSTS;
	out->error = out->n_addrs ? TERN_RESOLVER_OK : TERN_RESOLVER_NODATA;
	if (known)
		snprintf(out->name, sizeof(out->name), "%s", q->name);
	return known;
}

int net_look_up(struct net *n, const struct tern_resolver_question *q,
		struct tern_resolver_answer *out)
{
	struct tern_resolver *r;

	if (net_find_own(n, q, out))
		return EXIT_DONE;
	r = net_resolver(n);
	if (!r)
		return EXIT_USAGE;
	if (tern_resolver_ask(r, q, NULL) != 0)
		return net_refuse(n, "%s", "out of memory");
	while (!tern_resolver_answer(r, out)) {
		if (net_interrupted()) {
			snprintf(n->why, sizeof(n->why), "interrupted before there was an answer");
			fprintf(stderr, "%s: '%s': %s\n", n->command,
				q->name ? q->name : "an address", n->why);
			return EXIT_NO;
		}
		net_turn_names(n, TERN_NEVER);
	}
	return EXIT_DONE;
}

const char *net_advice(const struct tern_resolver_answer *a)
{
	return a->cause == TERN_RESOLVER_NO_SERVER ? "; give one: --server ADDRESS" : "";
}

int net_refuse_name(struct net *n, const char *name, const struct tern_resolver_answer *a)
{
	fprintf(stderr, "%s: '%s': %s%s\n", n->command, name, tern_resolver_why(a, n->why),
		net_advice(a));
	return a->cause == TERN_RESOLVER_NO_SERVER ? EXIT_USAGE : EXIT_NO;
}

int net_refuse_host(struct net *n, const char *host, int err)
{
	if (!err)
		return EXIT_DONE;
	snprintf(n->why, sizeof(n->why), "%s", strerror(-err));
	fprintf(stderr, "%s: %s: %s\n", n->command, host, n->why);
	return EXIT_NO;
}

void net_print_failure(const struct net *n, const char *host)
{
	struct json j = { stdout, false };

	putchar('{');
	json_string(&j, "host", host);
	json_string(&j, "why", n->why);
	printf("}\n");
}

/* An address of another family than -4 or -6 asks for is refused. */
static int check_family(struct net *n, const char *text, const struct tern_addr *a)
{
	if (!n->options->family || a->family == n->options->family)
		return EXIT_DONE;
	return net_refuse(n,
			  n->options->family == TERN_AF_INET ? "'%s' is no IPv4 address (-4)" :
							       "'%s' is no IPv6 address (-6)",
			  text);
}

int net_parse_host(struct net *n, const char *text, uint16_t port, struct tern_addr *out)
{
	struct tern_resolver_question q = { .name = text,
					    .family = n->options->family,
					    .addr = { .port = port } };
	struct tern_resolver_answer a;
	int code;

	switch (net_parse_addr(n, net_localhost(n, text), port, out)) {
	case NET_ADDRESS:
		return check_family(n, text, out);
	case NET_NO_INTERFACE:
		return EXIT_USAGE;
	case NET_NO_ADDRESS:
		break;
	}
	code = net_look_up(n, &q, &a);
	if (code != EXIT_DONE)
		return code;
	if (a.error != TERN_RESOLVER_OK)
		return net_refuse_name(n, text, &a);
	*out = a.addr[0];
	return EXIT_DONE;
}
