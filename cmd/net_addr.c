/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net_addr.c - addresses as people write them: fe80::1%eth0, the interface by its name (RFC 4007
 * 11), where the stack knows its number.
 */
#include <stdio.h>
#include <string.h>

#include "net.h"

static unsigned interface_called(const struct net *n, const char *name)
{
	struct tern_iface i;

	for (unsigned k = 0; (k = tern_iface_next(n->st, k));)
		if (tern_iface_get(n->st, k, &i) == 0 && strcmp(i.name, name) == 0)
			return k;
	return 0;
}

bool net_split_zone(const char *text, char *addr, const char **zone)
{
	const char *percent = strchr(text, '%');
	struct tern_addr a;

	if (!percent || percent - text >= TERN_ADDR_TEXT_MAX || percent[1] == 0)
		return false;
	memcpy(addr, text, (size_t)(percent - text));
	addr[percent - text] = 0;
	*zone = percent + 1;
	return tern_addr_parse(addr, 0, &a) == 0 && a.family == TERN_AF_INET6;
}

enum net_parsed net_parse_addr(const struct net *n, const char *text, uint16_t port,
			       struct tern_addr *out)
{
	char addr[TERN_ADDR_TEXT_MAX];
	const char *zone;
	unsigned k;

	if (tern_addr_parse(text, port, out) == 0)
		return NET_ADDRESS;
	if (!net_split_zone(text, addr, &zone))
		return NET_NO_ADDRESS;
	k = interface_called(n, zone);
	if (!k) {
		net_refuse(n, "'%s': there is no such interface behind its '%%'", text);
		return NET_NO_INTERFACE;
	}
	tern_addr_parse(addr, port, out);
	out->scope_id = k;
	return NET_ADDRESS;
}

const char *net_localhost(const struct net *n, const char *host)
{
	if (strcmp(host, "localhost") != 0)
		return host;
	return n->options->family == TERN_AF_INET6 ? "::1" : "127.0.0.1";
}

bool net_is_nobody(const struct tern_addr *a)
{
	static const uint8_t zeroes[16] = { 0 };

	return a->family == TERN_AF_UNSPEC || memcmp(a->ip, zeroes, sizeof(zeroes)) == 0;
}

char *net_format_addr(const struct net *n, const struct tern_addr *a, char buf[NET_ADDR_TEXT_MAX])
{
	struct tern_addr plain = *a;
	struct tern_iface i;

	plain.scope_id = 0;
	if (!a->scope_id || tern_iface_get(n->st, a->scope_id, &i) != 0)
		return tern_addr_format(a, false, buf);
	tern_addr_format(&plain, false, buf);
	snprintf(buf + strlen(buf), NET_ADDR_TEXT_MAX - strlen(buf), "%%%s", i.name);
	return buf;
}
