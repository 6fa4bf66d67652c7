/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse.c - a file of events -> struct drill_script.
 *
 * One event begins with its time; what follows says its kind: < or > a packet, a name and an open
 * parenthesis a call, %{ an assertion, a back quote a shell command (of which only sysctl means
 * something here). Before the first event, lines of options (--ip_version=ipv6).
 */
#include "drill.h"

#include <stdlib.h>
#include <string.h>

static void skip_lines(struct lexer *lx)
{
	for (lex_blank(lx); *lx->at == '\n'; lex_blank(lx)) {
		lx->line++;
		lx->at++;
	}
}

/* ---- options and settings ---- */

static bool add_setting(struct drill_script *s, struct lexer *lx, const char *text)
{
	const char *equals = strchr(text, '=');
	size_t n = equals ? (size_t)(equals - text) : 0;

	if (!equals || n >= 64 || strlen(equals + 1) >= 64 || s->n_settings == 16)
		return lex_fail(lx, "name=value (16 at most)");
	memcpy(s->setting[s->n_settings][0], text, n);
	strcpy(s->setting[s->n_settings++][1], equals + 1);
	return true;
}

static bool apply_option(struct drill_script *s, struct lexer *lx, const char *name,
			 const char *value)
{
	if (strcmp(name, "ip_version") == 0) {
		if (strcmp(value, "ipv4") != 0 && strcmp(value, "ipv6") != 0)
			return lex_unsupported(lx, "this value of --ip_version");
		s->ipv6 = strcmp(value, "ipv6") == 0;
		return true;
	}
	if (strcmp(name, "tolerance_usecs") == 0) {
		s->tolerance = strtoul(value, NULL, 10) * TERN_US;
		return true;
	}
	if (strcmp(name, "mtu") == 0) {
		s->mtu = (uint32_t)strtoul(value, NULL, 10);
		return s->mtu >= 576 && s->mtu <= 9000 ? true : lex_fail(lx, "an MTU of 576..9000");
	}
	if (strcmp(name, "tern") == 0)
		return add_setting(s, lx, value);
	return lex_unsupported(lx, "this option line");
}

static bool parse_options(struct drill_script *s, struct lexer *lx)
{
	for (skip_lines(lx); lx->at[0] == '-' && lx->at[1] == '-'; skip_lines(lx)) {
		char name[32], value[128];
		size_t n;

		lx->at += 2;
		lex_word(lx, name, sizeof(name));
		if (!lex_expect(lx, "="))
			return false;
		n = strcspn(lx->at, " \t\r\n");
		if (n >= sizeof(value))
			return lex_fail(lx, "a shorter value");
		memcpy(value, lx->at, n);
		value[n] = 0;
		lx->at += n;
		if (!apply_option(s, lx, name, value))
			return false;
	}
	return true;
}

/* `sysctl -q net.ipv4.tcp_sack=0` */
static bool parse_shell(struct drill_script *s, struct lexer *lx)
{
	const char *end = strchr(lx->at + 1, '`');
	char word[128];

	if (!end)
		return lex_fail(lx, "a closing back quote");
	for (lx->at++; lx->at < end;) {
		size_t n = strcspn(lx->at, " \t\n`;");

		if (n < sizeof(word)) {
			memcpy(word, lx->at, n);
			word[n] = 0;
			if (strncmp(word, "net.", 4) == 0 && !add_setting(s, lx, word))
				return false;
			if (n && strncmp(word, "net.", 4) != 0 && strcmp(word, "sysctl") != 0 &&
			    strcmp(word, "-q") != 0 && strcmp(word, "-w") != 0)
				return lex_unsupported(lx, "this shell command");
		}
		lx->at += n;
		while (lx->at < end && strchr(" \t\n;", *lx->at)) {
			lx->line += *lx->at == '\n';
			lx->at++;
		}
	}
	lx->at = end + 1;
	return true;
}

/* ---- times ---- */

static bool parse_when(struct lexer *lx, struct drill_event *e)
{
	if (lex_is(lx, "*")) {
		e->when = WHEN_ANY;
		return true;
	}
	e->when = lex_is(lx, "+") ? WHEN_RELATIVE : WHEN_ABSOLUTE;
	if (!lex_time(lx, &e->from))
		return false;
	e->to = e->from;
	if (lex_is(lx, "~")) {
		e->is_range = true;
		lex_is(lx, "+");
		if (!lex_time(lx, &e->to))
			return false;
	}
	if (lex_is(lx, "...")) {
		e->call.blocks = true;
		/* as the time of the event itself: absolute, or so long after its beginning */
		return lex_time(lx, &e->call.returns_at);
	}
	return true;
}

/* ---- calls ---- */

/* One argument, up to a comma or the closing parenthesis outside brackets and quotes. */
static bool parse_argument(struct lexer *lx, char *out)
{
	int depth = 0;
	bool quoted = false;
	size_t n = 0;

	lex_blank(lx);
	for (; *lx->at && *lx->at != '\n'; lx->at++) {
		char c = *lx->at;

		if (c == '"')
			quoted = !quoted;
		if (!quoted && depth == 0 && (c == ',' || c == ')'))
			break;
		depth += !quoted && (c == '[' || c == '{' || c == '(');
		depth -= !quoted && (c == ']' || c == '}' || c == ')');
		if (n + 1 < DRILL_ARG_LEN)
			out[n++] = c;
	}
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = 0;
	return true;
}

static bool parse_result(struct lexer *lx, struct drill_call *c)
{
	uint64_t v;
	bool negative;

	if (!lex_expect(lx, "="))
		return false;
	if (lex_is(lx, "...")) {
		c->any_result = true;
		return true;
	}
	negative = lex_is(lx, "-");
	if (!lex_number(lx, &v))
		return false;
	c->result = negative ? -(int64_t)v : (int64_t)v;
	lex_blank(lx);
	if (*lx->at == 'E')
		lex_word(lx, c->error, sizeof(c->error));
	if (lex_is(lx, "("))
		lx->at += strcspn(lx->at, "\n");
	return true;
}

static bool parse_call(struct lexer *lx, struct drill_call *c)
{
	if (!lex_word(lx, c->name, sizeof(c->name)))
		return lex_fail(lx, "<, >, a call or %{");
	if (!lex_expect(lx, "("))
		return false;
	if (!lex_is(lx, ")")) {
		do {
			if (c->n_args == DRILL_ARGS_MAX)
				return lex_fail(lx, "at most eight arguments");
			parse_argument(lx, c->arg[c->n_args++]);
		} while (lex_is(lx, ","));
		if (!lex_expect(lx, ")"))
			return false;
	}
	return parse_result(lx, c);
}

/* ---- events ---- */

static struct drill_event *add_event(struct drill_script *s)
{
	if (s->n_events == s->events_cap) {
		size_t cap = s->events_cap ? 2 * s->events_cap : 64;
		struct drill_event *grown = realloc(s->event, cap * sizeof(*grown));

		if (!grown)
			return NULL;
		s->event = grown;
		s->events_cap = cap;
	}
	memset(&s->event[s->n_events], 0, sizeof(*s->event));
	return &s->event[s->n_events++];
}

static bool parse_event(struct drill_script *s, struct lexer *lx)
{
	struct drill_event *e;

	lex_blank(lx);
	if (*lx->at == '`')
		return parse_shell(s, lx);
	e = add_event(s);
	if (!e)
		return lex_fail(lx, "less memory");
	e->line = lx->line;
	if (!parse_when(lx, e))
		return false;
	lex_blank(lx);
	if (*lx->at == '`')
		return s->n_events--, parse_shell(s, lx);
	if (strncmp(lx->at, "%{", 2) == 0)
		return lex_unsupported(lx, "a %{ }% block");
	if (lex_is(lx, "<")) {
		e->kind = DRILL_INJECT;
		return packet_parse(lx, &e->packet);
	}
	if (lex_is(lx, ">")) {
		e->kind = DRILL_EXPECT;
		return packet_parse(lx, &e->packet);
	}
	e->kind = DRILL_CALL;
	return parse_call(lx, &e->call);
}

bool drill_parse(struct drill_script *s, struct lexer *lx)
{
	*s = (struct drill_script){ .name = lx->name, .tolerance = 4 * TERN_MS, .mtu = 1500 };
	if (!parse_options(s, lx))
		return false;
	for (skip_lines(lx); *lx->at; skip_lines(lx)) {
		if (!parse_event(s, lx))
			return false;
		lex_blank(lx);
		if (*lx->at && *lx->at != '\n')
			return lex_fail(lx, "the end of the line");
	}
	return true;
}

void drill_script_fini(struct drill_script *s)
{
	free(s->event);
	s->event = NULL;
}
