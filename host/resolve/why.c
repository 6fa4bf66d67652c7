/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * why.c - why a name has no address, in words.
 */
#include "resolve_impl.h"

struct words {
	char *buf;
	size_t len;
};

static void add_words(struct words *w, const char *text)
{
	size_t len = MIN(text_len(text), TERN_RESOLVER_WHY_MAX - 1 - w->len);

	memcpy(w->buf + w->len, text, len);
	w->len += len;
	w->buf[w->len] = 0;
}

static const char *cause_words(const struct tern_resolver_answer *a)
{
	switch ((enum tern_resolver_cause)a->cause) {
	case TERN_RESOLVER_BY_SERVER:
		return a->error == TERN_RESOLVER_NODATA ? "it has no such address" :
							  "there is no such name";
	case TERN_RESOLVER_BY_RULE:
		return a->error == TERN_RESOLVER_NODATA ? "it has no such address" :
							  "no name server is asked for such a name";
	case TERN_RESOLVER_BY_HOSTS:
		return "the hosts file has no such address of it";
	case TERN_RESOLVER_NO_SERVER:
		return "there is no name server to ask";
	case TERN_RESOLVER_SILENT:
		return "no name server has answered";
	case TERN_RESOLVER_UNREACHABLE:
		return "no name server can be reached";
	case TERN_RESOLVER_SERVFAIL:
		return "the name server has failed";
	case TERN_RESOLVER_REFUSED:
		return "the name server refuses to answer";
	case TERN_RESOLVER_LOOPS:
		return "its aliases lead nowhere";
	case TERN_RESOLVER_NO_MEMORY:
		return "out of memory";
	}
	return "?";
}

char *tern_resolver_why(const struct tern_resolver_answer *a, char buf[TERN_RESOLVER_WHY_MAX])
{
	struct words w = { buf, 0 };
	char server[TERN_ADDR_TEXT_MAX];

	add_words(&w, a->error == TERN_RESOLVER_OK ? "it was found" : cause_words(a));
	if (a->server.family != TERN_AF_UNSPEC) {
		add_words(&w, a->cause == TERN_RESOLVER_SILENT ? " (asked: " : " (");
		add_words(&w, tern_addr_format(&a->server, false, server));
		add_words(&w, a->cause == TERN_RESOLVER_BY_SERVER ? " says so)" : ")");
	}
	return buf;
}
