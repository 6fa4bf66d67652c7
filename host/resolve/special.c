/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * special.c - which names are never a matter of name servers? RFC 6761 6, RFC 6762 3, RFC 7686 2.
 */
#include "resolve_impl.h"

static bool is_in_zone(const struct dns_name *n, const char *zone)
{
	struct dns_name z;

	dns_name_parse(&z, zone, text_len(zone));
	return dns_name_is_under(n, &z);
}

/* "10.1", "1.2.3.4.5": whatever it is meant to be, it is a number. */
static bool ends_with_number(const struct dns_name *n)
{
	size_t last = 0;

	for (size_t at = 0; n->wire[at]; at += 1u + n->wire[at])
		last = at;
	for (size_t i = 1; i <= n->wire[last]; i++)
		if (n->wire[last + i] < '0' || n->wire[last + i] > '9')
			return false;
	return true;
}

enum special special_of(const struct dns_name *n, bool ask_for_local)
{
	if (is_in_zone(n, "localhost"))
		return SPECIAL_LOOPBACK;
	if (is_in_zone(n, "invalid") || is_in_zone(n, "onion") || ends_with_number(n))
		return SPECIAL_NEVER;
	return is_in_zone(n, "local") && !ask_for_local ? SPECIAL_NEVER : SPECIAL_NONE;
}
