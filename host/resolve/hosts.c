/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hosts.c - what does a text in the form of hosts(5) say of a name, or of an address?
 *
 * A line is an address, its name, and further names; what follows a '#' is for people. A line whose
 * address cannot be read is left alone.
 */
#include "resolve_impl.h"

/* The next line that has an address; *names: what follows it. */
static bool next_host(struct text *rest, struct tern_addr *addr, struct text *names)
{
	struct text word;

	while (text_line(rest, names)) {
		for (size_t i = 0; i < names->len; i++)
			if (names->at[i] == '#')
				names->len = i;
		if (text_word(names, &word) && text_addr(&word, addr))
			return true;
	}
	return false;
}

/* Names are compared as those of DNS are; a dot at the end of either says nothing here. */
static bool is_host_word(const struct text *word, const struct dns_name *name)
{
	struct dns_name n;

	return dns_name_parse(&n, word->at, word->len) && dns_name_equal(&n, name);
}

static void copy_word(char out[TERN_DOMAIN_MAX], const struct text *word)
{
	size_t len = MIN(word->len, TERN_DOMAIN_MAX - 1);

	memcpy(out, word->at, len);
	out[len] = 0;
}

bool hosts_find(const char *text, size_t len, const char *name, int family, struct hosts_found *out)
{
	struct text rest = { text, len }, names, word, first;
	struct dns_name wanted;
	struct tern_addr addr;
	bool known = false;

	out->n = 0;
	out->canonical[0] = 0;
	if (!dns_name_parse(&wanted, name, text_len(name)))
		return false;
	while (next_host(&rest, &addr, &names)) {
		bool has = false;

		if (!text_word(&names, &first))
			continue;
		for (word = first; !has && word.len > 0; text_word(&names, &word))
			has = is_host_word(&word, &wanted);
		if (!has)
			continue;
		if (!known)
			copy_word(out->canonical, &first);
		known = true;
		if ((family == TERN_AF_UNSPEC || addr.family == family) &&
		    out->n < TERN_RESOLVER_ADDRS_MAX)
			out->addr[out->n++] = addr;
	}
	return known;
}

bool hosts_name(const char *text, size_t len, const struct tern_addr *wanted,
		char out[TERN_DOMAIN_MAX])
{
	struct text rest = { text, len }, names, word;
	struct tern_addr addr;

	while (next_host(&rest, &addr, &names)) {
		if (addr.family != wanted->family || memcmp(addr.ip, wanted->ip, 16) != 0 ||
		    (addr.scope_id && addr.scope_id != wanted->scope_id))
			continue;
		if (!text_word(&names, &word))
			continue;
		copy_word(out, &word);
		return true;
	}
	return false;
}
