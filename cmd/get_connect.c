/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * get_connect.c - to which address of a URL's host? The first that answers (RFC 8305).
 *
 * Names that the command knows by itself are not looked up; all others go to the resolver. When
 * nothing comes of it, one line says what became of each address.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "get_connect.h"

static void say_why(struct get_connect *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void say_why(struct get_connect *c, const char *format, ...)
{
	size_t len = strlen(c->why);
	va_list ap;

	va_start(ap, format);
	vsnprintf(c->why + len, sizeof(c->why) - len, format, ap);
	va_end(ap);
}

static bool is_wanted(const struct get_connect *c, const struct tern_addr *a)
{
	return !c->n->options->family || a->family == c->n->options->family;
}

/* The addresses that need no look-up: of a number, or a name of the command's own. */
static unsigned known_addresses(struct get_connect *c, struct tern_addr out[2], bool *known,
				enum net_parsed *parsed)
{
	const char *host = net_localhost(c->n, c->host);
	struct tern_resolver_question q = { .name = host,
					    .family = c->n->options->family,
					    .addr = { .port = c->port } };
	struct tern_resolver_answer a;

	*parsed = net_parse_addr(c->n, host, c->port, &out[0]);
	*known = *parsed != NET_NO_ADDRESS;
	if (*known)
		return *parsed == NET_ADDRESS && is_wanted(c, &out[0]);
	*known = net_find_own(c->n, &q, &a);
	memcpy(out, a.addr, a.n_addrs * sizeof(a.addr[0])); /* one of each family at most */
	return a.n_addrs;
}

static enum tern_eyeballs_state advance(struct get_connect *c, struct tern_eyeballs *e,
					tern_time until)
{
	struct tern_resolver_answer a;
	tern_time at = tern_eyeballs_deadline(e);

	net_turn_names(c->n, at < until ? at : until);
	while (c->n->resolver && tern_resolver_answer(c->n->resolver, &a))
		tern_eyeballs_on_answer(e, &a);
	return tern_eyeballs_advance(e, loop_now());
}

/* "fd00::2: no answer, 10.0.0.2: Connection refused"; of a single address as if it were the host */
static void say_attempts(struct get_connect *c, const struct tern_eyeballs *e)
{
	char text[NET_ADDR_TEXT_MAX];

	for (unsigned i = 0; i < e->n_attempts; i++) {
		const struct tern_eyeballs_attempt *t = &e->attempt[i];

		if (i > 0)
			say_why(c, ", ");
		if (strcmp(net_format_addr(c->n, &t->addr, text), c->host) != 0)
			say_why(c, "%s: ", text);
		say_why(c, "%s", t->error ? strerror(t->error) : "no answer");
	}
}

static int give_connect_up(struct get_connect *c, const struct tern_eyeballs *e, bool in_time)
{
	char why[TERN_RESOLVER_WHY_MAX];

	say_why(c, "cannot connect: ");
	if (net_interrupted()) {
		c->why[0] = 0;
		say_why(c, "interrupted; 0 bytes were received");
	} else if (e->n_attempts > 0) {
		say_attempts(c, e);
		if (!in_time)
			say_why(c, "; nothing has come for %g s", (double)c->timeout / 1e9);
	} else if (!in_time) {
		say_why(c, "its name: nothing has come for %g s", (double)c->timeout / 1e9);
	} else {
		say_why(c, "%s%s", tern_resolver_why(&e->failure, why), net_advice(&e->failure));
	}
	return !net_interrupted() && e->failure.cause == TERN_RESOLVER_NO_SERVER && !e->n_attempts ?
		       EXIT_USAGE :
		       EXIT_NO;
}

/*
 * -4 and -6: all addresses of one family, looked up before the first is tried. An exit code; not
 * EXIT_DONE after a line of error, or with one in c->why.
 */
static int look_up_one_family(struct get_connect *c, struct tern_resolver_answer *a)
{
	struct tern_resolver_question q = { .name = c->host,
					    .family = c->n->options->family,
					    .addr = { .port = c->port } };
	char why[TERN_RESOLVER_WHY_MAX];
	int code = net_look_up(c->n, &q, a);

	if (code != EXIT_DONE || a->error == TERN_RESOLVER_OK)
		return code;
	say_why(c, "cannot connect: %s%s", tern_resolver_why(a, why), net_advice(a));
	return a->cause == TERN_RESOLVER_NO_SERVER ? EXIT_USAGE : EXIT_NO;
}

int get_connect(struct get_connect *c)
{
	tern_time until = loop_now() + c->timeout;
	struct tern_addr addr[3] = { { .family = TERN_AF_UNSPEC } };
	struct tern_eyeballs_wish wish = {
		.st = c->n->st, .host = c->host, .port = c->port, .addr = addr
	};
	enum tern_eyeballs_state state = TERN_EYEBALLS_BUSY;
	struct tern_resolver_answer found;
	struct tern_eyeballs e;
	enum net_parsed parsed;
	bool known;
	int code = EXIT_DONE;

	c->why[0] = 0;
	c->s = 0;
	wish.n_addrs = known_addresses(c, addr, &known, &parsed);
	if (parsed == NET_NO_INTERFACE)
		return EXIT_USAGE;
	if (known && wish.n_addrs == 0) {
		say_why(c, "cannot connect: it has no such address");
		return EXIT_NO;
	}
	if (!known && c->n->options->family) {
		code = look_up_one_family(c, &found);
		wish.addr = found.addr;
		wish.n_addrs = found.n_addrs;
	} else if (!known && !(wish.r = net_resolver(c->n))) {
		code = EXIT_USAGE;
	}
	if (code != EXIT_DONE)
		return code;
	if (tern_eyeballs_begin(&e, &wish, loop_now()) != 0) {
		say_why(c, "out of memory");
		return EXIT_NO;
	}
	state = tern_eyeballs_advance(&e, loop_now());
	while (state == TERN_EYEBALLS_BUSY && !net_interrupted() && loop_now() < until)
		state = advance(c, &e, until);
	if (state == TERN_EYEBALLS_CONNECTED)
		c->s = e.sock;
	else
		code = give_connect_up(c, &e, state == TERN_EYEBALLS_FAILED);
	tern_eyeballs_end(&e);
	return code;
}
