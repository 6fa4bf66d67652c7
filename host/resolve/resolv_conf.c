/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resolv_conf.c - what does a text in the form of resolv.conf(5) say? And how are lines cut?
 */
#include "resolve_impl.h"

bool text_line(struct text *t, struct text *line)
{
	const char *end;

	if (t->len == 0)
		return false;
	for (end = t->at; end < t->at + t->len && *end != '\n'; end++)
		continue;
	*line = (struct text){ t->at, (size_t)(end - t->at) };
	t->len -= line->len + (line->len < t->len);
	t->at = end + 1;
	return true;
}

static bool is_blank_or_return(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

bool text_word(struct text *line, struct text *word)
{
	const char *p = line->at, *end = line->at + line->len;

	while (p < end && is_blank_or_return(*p))
		p++;
	word->at = p;
	while (p < end && !is_blank_or_return(*p))
		p++;
	word->len = (size_t)(p - word->at);
	*line = (struct text){ p, (size_t)(end - p) };
	return word->len > 0;
}

bool text_is(const struct text *word, const char *what)
{
	size_t len = 0;

	while (what[len])
		len++;
	return word->len == len && memcmp(word->at, what, len) == 0;
}

bool text_addr(const struct text *word, struct tern_addr *out)
{
	char buf[TERN_ADDR_TEXT_MAX];

	if (word->len >= sizeof(buf))
		return false;
	memcpy(buf, word->at, word->len);
	buf[word->len] = 0;
	return tern_addr_parse(buf, 0, out) == 0;
}

void tern_resolver_conf_default(struct tern_resolver_conf *c)
{
	memset(c, 0, sizeof(*c));
	c->size = sizeof(*c);
	c->ndots = 1;
	c->timeout_s = 5;
	c->attempts = 2;
}

static void take_search(struct tern_resolver_conf *c, struct text *line, unsigned max)
{
	struct dns_name name;
	struct text word;

	c->n_search = 0; /* of several lines the last counts */
	while (c->n_search < max && text_word(line, &word)) {
		if (!dns_name_parse(&name, word.at, word.len) || word.len >= TERN_DOMAIN_MAX)
			continue;
		memcpy(c->search[c->n_search], word.at, word.len);
		c->search[c->n_search++][word.len] = 0;
	}
}

/* "ndots:2": its number, max at most; false: it is another option. */
static bool take_numbered(const struct text *word, const char *name, unsigned max, unsigned *out)
{
	unsigned v = 0;
	size_t at = 0;

	while (at < word->len && name[at] && word->at[at] == name[at])
		at++;
	if (name[at] || at == word->len)
		return false;
	for (; at < word->len; at++) {
		if (word->at[at] < '0' || word->at[at] > '9')
			return false;
		v = MIN(v * 10 + (unsigned)(word->at[at] - '0'), max);
	}
	*out = v;
	return true;
}

static void take_conf_option(struct tern_resolver_conf *c, const struct text *word)
{
	unsigned n;

	/* the most that each may be is resolv.conf(5)'s */
	if (take_numbered(word, "ndots:", 15, &c->ndots))
		return;
	if (take_numbered(word, "timeout:", 30, &n))
		c->timeout_s = MAX(n, 1);
	else if (take_numbered(word, "attempts:", 5, &n))
		c->attempts = MAX(n, 1);
	else if (text_is(word, "rotate"))
		c->rotate = true;
	else if (text_is(word, "single-request") || text_is(word, "single-request-reopen"))
		c->single_request = true;
	else if (text_is(word, "use-vc"))
		c->use_tcp = true;
	else if (text_is(word, "no-aaaa"))
		c->no_aaaa = true;
	else if (text_is(word, "no-tld-query"))
		c->no_tld_query = true;
	/* edns0 is always so; the rest is not known */
}

void tern_resolver_conf_parse(struct tern_resolver_conf *c, const char *text, size_t len)
{
	struct text rest = { text, len }, line, word;
	struct tern_addr server;

	while (text_line(&rest, &line)) {
		if (line.len > 0 &&
		    (is_blank_or_return(*line.at) || *line.at == '#' || *line.at == ';'))
			continue;
		if (!text_word(&line, &word))
			continue;
		if (text_is(&word, "nameserver")) {
			if (text_word(&line, &word) && text_addr(&word, &server) &&
			    c->n_servers < TERN_RESOLVER_SERVERS_MAX)
				c->server[c->n_servers++] = server;
		} else if (text_is(&word, "search")) {
			take_search(c, &line, TERN_RESOLVER_SEARCH_MAX);
		} else if (text_is(&word, "domain")) {
			take_search(c, &line, 1);
		} else if (text_is(&word, "options")) {
			while (text_word(&line, &word))
				take_conf_option(c, &word);
		}
	}
}
