/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse.c - from tokens to a script: options, events and calls.
 */
#include "parse.h"

#include <stdlib.h>
#include <string.h>

#include "calls.h"

enum { ARENA_BLOCK = 16384 };

/* ---- the arena ---- */

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	_Alignas(max_align_t) uint8_t bytes[];
};

void *script_alloc(struct script *s, size_t size)
{
	struct arena_block *b = s->arena;

	size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	if (!b || b->size - b->used < size) {
		size_t room = MAX(size, (size_t)ARENA_BLOCK);

		b = calloc(1, sizeof(*b) + room);
		if (!b)
			return NULL;
		b->size = room;
		b->next = s->arena;
		s->arena = b;
	}
	b->used += size;
	return b->bytes + b->used - size;
}

const char *script_text(struct script *s, struct slice text)
{
	char *copy = script_alloc(s, text.len + 1);

	if (copy)
		memcpy(copy, text.text, text.len);
	return copy;
}

void script_init(struct script *s, const char *name)
{
	memset(s, 0, sizeof(*s));
	s->name = name;
	s->family = s->socket_family = TERN_AF_INET;
	s->tolerance = 4 * TERN_MS;
	s->mtu = 1500;
	s->bind_port = s->connect_port = 8080;
}

void script_fini(struct script *s)
{
	struct arena_block *next;

	for (; s->arena; s->arena = next) {
		next = s->arena->next;
		free(s->arena);
	}
}

/* ---- helpers ---- */

bool parse_expected(struct parser *p, const char *what)
{
	const struct lexer *lx = &p->lx;

	if (p->outcome != DRILL_PASSED)
		return false;
	p->outcome = DRILL_BROKEN;
	fprintf(p->o->err, "%s:%d:%d: expected %s, found ", p->script->name, lx->line,
		lex_column(lx), what);
	if (lx->kind == T_END)
		fprintf(p->o->err, "the end\n");
	else if (lx->kind == T_BAD)
		fprintf(p->o->err, "%s\n", lx->problem);
	else
		fprintf(p->o->err, "'%.*s'\n", (int)MIN(lx->text.len, 40), lx->text.text);
	return false;
}

bool parse_wrong(struct parser *p, const char *what)
{
	if (p->outcome == DRILL_PASSED && p->problem)
		snprintf(p->problem, DRILL_PROBLEM_MAX, "%s", what);
	else if (p->outcome == DRILL_PASSED)
		fprintf(p->o->err, "%s:%d:%d: %s\n", p->script->name, p->lx.line,
			lex_column(&p->lx), what);
	p->outcome = DRILL_BROKEN;
	return false;
}

bool parse_unsupported(struct parser *p, const char *what)
{
	if (p->outcome != DRILL_PASSED)
		return false;
	p->outcome = DRILL_UNSUPPORTED;
	if (!p->problem)
		fprintf(p->o->out, "%s:%d: not supported: %s\n", p->script->name, p->lx.line, what);
	return false;
}

bool parse_unknown_name(struct parser *p)
{
	const char *name = script_text(p->script, p->lx.text);

	return name ? parse_unsupported(p, name) : parse_no_memory(p);
}

bool parse_no_memory(struct parser *p)
{
	return parse_wrong(p, "memory is short");
}

bool parse_is(const struct parser *p, char c)
{
	return p->lx.kind == T_CHAR && p->lx.c == c;
}

bool parse_is_word(const struct parser *p, const char *word)
{
	return p->lx.kind == T_WORD && slice_is(p->lx.text, word);
}

bool parse_accept(struct parser *p, char c)
{
	if (!parse_is(p, c))
		return false;
	lex_next(&p->lx);
	return true;
}

bool parse_accept_word(struct parser *p, const char *word)
{
	if (!parse_is_word(p, word))
		return false;
	lex_next(&p->lx);
	return true;
}

bool parse_char(struct parser *p, char c)
{
	const char what[] = { '\'', c, '\'', 0 };

	return parse_accept(p, c) || parse_expected(p, what);
}

bool parse_number(struct parser *p, const char *what, uint32_t max, uint32_t *out)
{
	if (p->lx.kind != T_INT || p->lx.number < 0)
		return parse_expected(p, what);
	if (p->lx.number > max)
		return parse_wrong(p, "a number that is too large for its place");
	*out = (uint32_t)p->lx.number;
	lex_next(&p->lx);
	return true;
}

/* ---- times ---- */

static bool parse_time(struct parser *p, tern_time *out)
{
	if ((p->lx.kind != T_INT && p->lx.kind != T_DECIMAL) || p->lx.number < 0)
		return parse_expected(p, "a time in seconds");
	if (p->lx.ns == UINT64_MAX)
		return parse_wrong(p, "a time out of range");
	*out = p->lx.ns;
	lex_next(&p->lx);
	return true;
}

static bool parse_when(struct parser *p, struct when *w)
{
	*w = (struct when){ .kind = WHEN_AT };
	if (parse_accept(p, '*')) {
		w->kind = WHEN_ANY;
		return true;
	}
	if (parse_accept(p, '+'))
		w->kind = WHEN_AFTER;
	if (!parse_time(p, &w->from))
		return false;
	w->to = w->from;
	if (!parse_accept(p, '~'))
		return true;
	if (w->kind == WHEN_AFTER)
		parse_accept(p, '+');
	if (!parse_time(p, &w->to))
		return false;
	return w->to >= w->from || parse_wrong(p, "a range of time that runs backwards");
}

/* ---- calls ---- */

/* (Resource temporarily unavailable) */
static bool skip_note(struct parser *p)
{
	if (!parse_accept(p, '('))
		return true;
	while (!parse_is(p, ')')) {
		if (p->lx.kind == T_END || p->lx.kind == T_BAD)
			return parse_expected(p, "')'");
		lex_next(&p->lx);
	}
	lex_next(&p->lx);
	return true;
}

static bool parse_result(struct parser *p, struct call *c)
{
	const char *start = p->lx.start, *end;

	if (!parse_expr(p, &c->result, 0))
		return false;
	end = p->lx.start;
	if (p->lx.kind == T_WORD) {
		c->error = errno_find(p->lx.text);
		if (!c->error)
			return parse_unknown_name(p);
		end = p->lx.text.text + p->lx.text.len;
		lex_next(&p->lx);
	}
	while (end > start && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\n'))
		end--;
	c->result_text = (struct slice){ start, (size_t)(end - start) };
	return skip_note(p);
}

/* Told where the call begins. */
static bool wrong_arguments(struct parser *p, const struct call *c, const char *start)
{
	char what[80];

	for (const char *at = start; at < p->lx.start; at++)
		p->lx.line -= *at == '\n';
	p->lx.start = start;
	if (c->kind->min_args == c->kind->max_args)
		snprintf(what, sizeof(what), "%s takes %u arguments, not %u", c->kind->name,
			 c->kind->min_args, c->n_args);
	else
		snprintf(what, sizeof(what), "%s takes %u to %u arguments, not %u", c->kind->name,
			 c->kind->min_args, c->kind->max_args, c->n_args);
	return parse_wrong(p, what);
}

/* What the runner has not is told apart from what nobody has: a slip of the pen. */
static bool no_such_call(struct parser *p)
{
	struct slice name = p->lx.text;
	char what[80];

	if (!lex_followed_by(&p->lx, '(')) {
		lex_next(&p->lx);
		return parse_expected(p, "'(' behind the name of a call");
	}
	if (call_is_missing(name))
		return parse_unknown_name(p);
	snprintf(what, sizeof(what), "there is no call '%.*s'", (int)MIN(name.len, 40), name.text);
	return parse_wrong(p, what);
}

static bool parse_call(struct parser *p, struct call *c)
{
	const char *start;

	if (p->lx.kind == T_ELLIPSIS) {
		lex_next(&p->lx);
		parse_accept(p, '+');
		c->blocking = true;
		if (!parse_time(p, &c->end))
			return false;
	}
	start = p->lx.start;
	if (p->lx.kind != T_WORD)
		return parse_expected(p, "a packet or a call");
	c->kind = call_find(p->lx.text);
	if (!c->kind)
		return no_such_call(p);
	lex_next(&p->lx);
	if (!parse_char(p, '(') || !parse_list(p, ')', &c->args, 0))
		return false;
	c->text = (struct slice){ start, (size_t)(p->lx.start - start) };
	while (c->text.len > 0 && start[c->text.len - 1] != ')')
		c->text.len--;
	for (const struct expr *e = c->args; e; e = e->next)
		c->n_args++;
	if (c->n_args < c->kind->min_args || c->n_args > c->kind->max_args)
		return wrong_arguments(p, c, start);
	return parse_char(p, '=') && parse_result(p, c);
}

/* ---- events ---- */

static bool parse_code(struct parser *p, struct event *ev)
{
	const char *problem = code_unsupported(p->script, p->lx.text);

	ev->kind = EVENT_CODE;
	ev->text = p->lx.text;
	if (problem)
		return parse_unsupported(p, problem);
	lex_next(&p->lx);
	return true;
}

static bool parse_command(struct parser *p, struct event *ev)
{
	ev->kind = EVENT_COMMAND;
	ev->text = p->lx.text;
	lex_next(&p->lx);
	return true;
}

static bool parse_event(struct parser *p, struct event *ev)
{
	bool good;

	ev->line = p->lx.line;
	if (!parse_when(p, &ev->when))
		return false;
	ev->column = lex_column(&p->lx);
	if (parse_is(p, '<') || parse_is(p, '>')) {
		ev->kind = EVENT_PACKET;
		good = parse_packet(p, &ev->packet);
	} else if (p->lx.kind == T_COMMAND) {
		good = parse_command(p, ev);
	} else if (p->lx.kind == T_CODE) {
		good = parse_code(p, ev);
	} else {
		ev->kind = EVENT_CALL;
		good = parse_call(p, &ev->call);
	}
	if (!good)
		return false;
	if (ev->kind == EVENT_PACKET && !ev->packet.inbound)
		return true;
	if (ev->when.kind == WHEN_ANY || ev->when.from != ev->when.to)
		return parse_wrong(p, "only an expected packet may come at any of several times");
	return true;
}

bool parse_init_command(struct parser *p, struct slice text)
{
	struct init_command **tail = &p->script->init_commands;

	while (*tail)
		tail = &(*tail)->next;
	*tail = script_alloc(p->script, sizeof(**tail));
	if (!*tail)
		return parse_no_memory(p);
	**tail = (struct init_command){ .line = p->lx.line, .text = text };
	return true;
}

/* What comes ahead of the events. */
static bool parse_head(struct parser *p)
{
	if (p->lx.kind == T_OPTION)
		return parse_option(p);
	if (!parse_init_command(p, p->lx.text))
		return false;
	lex_next(&p->lx);
	return true;
}

/* Options of the command line win over those of the script. */
static bool parse_given_options(struct parser *p)
{
	const char *name = p->script->name;
	struct lexer *lx = &p->lx, script = p->lx;

	p->script->name = "command line";
	for (const char *const *o = p->o->script_options; o && *o; o++) {
		lex_init(lx, *o, strlen(*o));
		lex_next(lx);
		if (lx->kind != T_OPTION || !parse_option(p))
			return parse_expected(p, "an option");
	}
	p->script->name = name;
	memcpy(script.names, lx->names, sizeof(lx->names));
	memcpy(script.values, lx->values, sizeof(lx->values));
	script.n_defines = lx->n_defines;
	*lx = script;
	return true;
}

/* Words that the public suites define for each family on packetdrill's command line. */
static bool define_by_family(struct parser *p)
{
	static const struct slice level = { "CMSG_LEVEL_IP", 13 },
				  type = { "CMSG_TYPE_RECVERR", 17 };
	static const struct slice v4[] = { { "SOL_IP", 6 }, { "IP_RECVERR", 10 } };
	static const struct slice v6[] = { { "SOL_IPV6", 8 }, { "IPV6_RECVERR", 12 } };
	const struct slice *value = p->script->socket_family == TERN_AF_INET6 ? v6 : v4;

	return (lex_define(&p->lx, level, value[0]) && lex_define(&p->lx, type, value[1])) ||
	       parse_wrong(p, "too many --define");
}

static bool parse_all(struct parser *p)
{
	struct event **tail = &p->script->events;

	lex_next(&p->lx);
	while (p->lx.kind == T_OPTION || p->lx.kind == T_COMMAND)
		if (!parse_head(p))
			return false;
	if (!parse_given_options(p) || !define_by_family(p))
		return false;
	while (p->lx.kind != T_END) {
		if (p->lx.kind == T_COMMAND) { /* the clean-up at the end */
			lex_next(&p->lx);
			return p->lx.kind == T_END || parse_expected(p, "a time");
		}
		*tail = script_alloc(p->script, sizeof(**tail));
		if (!*tail)
			return parse_no_memory(p);
		if (!parse_event(p, *tail))
			return false;
		tail = &(*tail)->next;
	}
	return p->script->events || parse_expected(p, "an event");
}

enum drill_outcome parse_script(struct script *s, const char *text, size_t len,
				const struct drill_options *o)
{
	struct parser p = { .script = s, .o = o };

	lex_init(&p.lx, text, len);
	parse_all(&p);
	return p.outcome;
}
