/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net_names.c - names that a command knows by itself: those of --hosts, and of the members of its
 * network.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "../host/dev/mesh.h"
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

bool net_parse_host(struct net *n, const char *text, uint16_t port, struct tern_addr *out)
{
	struct tern_addr at = { .family = TERN_AF_UNSPEC };

	if (strcmp(text, "localhost") == 0)
		text = "127.0.0.1";
	if (tern_addr_parse(text, port, out) == 0)
		return true;
	if (names_find(n, text, TERN_AF_INET, &at) &&
	    (at.family || names_find(n, text, TERN_AF_INET6, &at))) {
		*out = at;
		out->port = port;
		return true;
	}
	fprintf(stderr, "%s: '%s' is not an address; names are not looked up yet\n", n->command,
		text);
	return false;
}
