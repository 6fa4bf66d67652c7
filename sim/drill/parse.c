/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse.c - from tokens to a script: options, events, calls and their expressions.
 */
#include "parse.h"

#include <stdlib.h>
#include <string.h>

#include "calls.h"

enum { DEPTH_MAX = 16, ARENA_BLOCK = 16384 };

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
	fprintf(p->o->err, "%s:%d: expected %s, found ", p->script->name, lx->line, what);
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
	if (p->outcome == DRILL_PASSED)
		fprintf(p->o->err, "%s:%d: %s\n", p->script->name, p->lx.line, what);
	p->outcome = DRILL_BROKEN;
	return false;
}

bool parse_unsupported(struct parser *p, const char *what)
{
	if (p->outcome != DRILL_PASSED)
		return false;
	p->outcome = DRILL_UNSUPPORTED;
	fprintf(p->o->out, "%s:%d: not supported: %s\n", p->script->name, p->lx.line, what);
	return false;
}

static bool no_memory(struct parser *p)
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

/* ---- expressions ---- */

static bool parse_expr(struct parser *p, struct expr **out, int depth);

/* Items up to the closing bracket, which is taken, too. */
static bool parse_list(struct parser *p, char closing, struct expr **out, int depth)
{
	while (!parse_accept(p, closing)) {
		if (!parse_expr(p, out, depth))
			return false;
		out = &(*out)->next;
		if (!parse_is(p, closing) && !parse_char(p, ','))
			return false;
	}
	return true;
}

/* htons(8080), inet_addr("192.0.2.1"): what is inside, once. */
static bool parse_wrapped(struct parser *p, struct expr *e, int depth)
{
	struct expr *inner = NULL;

	lex_next(&p->lx);
	if (!parse_char(p, '(') || !parse_expr(p, &inner, depth) || !parse_char(p, ')'))
		return false;
	e->kind = inner->kind;
	e->number = inner->number;
	e->text = inner->text;
	return true;
}

/* A number or the name of one. */
static bool parse_term(struct parser *p, int64_t *value)
{
	if (p->lx.kind == T_WORD) {
		if (!symbol_find(p->lx.text, value)) {
			const char *name = script_text(p->script, p->lx.text);

			return name ? parse_unsupported(p, name) : no_memory(p);
		}
	} else if (p->lx.kind == T_INT) {
		*value = p->lx.number;
	} else {
		return parse_expected(p, "a value");
	}
	lex_next(&p->lx);
	return true;
}

static bool parse_integer(struct parser *p, struct expr *e)
{
	int64_t v;

	e->kind = EXPR_INT;
	if (!parse_term(p, &e->number))
		return false;
	while (parse_accept(p, '|')) {
		if (!parse_term(p, &v))
			return false;
		e->number |= v;
	}
	return true;
}

static bool parse_value(struct parser *p, struct expr *e, int depth)
{
	if (p->lx.kind == T_ELLIPSIS) {
		e->kind = EXPR_ANY;
		lex_next(&p->lx);
		return true;
	}
	if (p->lx.kind == T_STRING) {
		e->kind = EXPR_STRING;
		e->text = p->lx.text;
		lex_next(&p->lx);
		if (p->lx.kind == T_STRING)
			return parse_unsupported(p, "strings side by side");
		if (p->lx.kind == T_ELLIPSIS)
			lex_next(&p->lx);
		return true;
	}
	e->kind = EXPR_LIST;
	if (parse_accept(p, '['))
		return parse_list(p, ']', &e->items, depth + 1);
	if (parse_accept(p, '{'))
		return parse_list(p, '}', &e->items, depth + 1);
	if (parse_is_word(p, "htons") || parse_is_word(p, "inet_addr") ||
	    parse_is_word(p, "inet6_addr"))
		return parse_wrapped(p, e, depth + 1);
	return parse_integer(p, e);
}

static bool is_field_name(struct slice s)
{
	static const char *const names[] = {
		"sa_family",   "sin_port", "sin_addr", "msg_name", "msg_iov", "msg_flags",
		"msg_control", "fd",	   "events",   "revents",  "onoff",   "linger",
	};

	for (size_t i = 0; i < N_ELEMENTS(names); i++)
		if (slice_is(s, names[i]))
			return true;
	return false;
}

/* field=value, field(...)=value, or a value. */
static bool parse_expr(struct parser *p, struct expr **out, int depth)
{
	struct expr *e = script_alloc(p->script, sizeof(*e)), *length;

	if (!e)
		return no_memory(p);
	if (depth > DEPTH_MAX)
		return parse_wrong(p, "brackets nested too deeply");
	*out = e;
	if (p->lx.kind == T_WORD && is_field_name(p->lx.text)) {
		e->name = script_text(p->script, p->lx.text);
		if (!e->name)
			return no_memory(p);
		lex_next(&p->lx);
		if (parse_accept(p, '(') &&
		    (!parse_expr(p, &length, depth + 1) || !parse_char(p, ')')))
			return false;
		if (!parse_char(p, '='))
			return false;
	}
	return parse_value(p, e, depth);
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
			return parse_unsupported(p, "an error that tern has not");
		end = p->lx.text.text + p->lx.text.len;
		lex_next(&p->lx);
	}
	while (end > start && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\n'))
		end--;
	c->result_text = (struct slice){ start, (size_t)(end - start) };
	return skip_note(p);
}

static bool parse_call(struct parser *p, struct call *c)
{
	const char *start, *name;

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
	if (!c->kind) {
		name = script_text(p->script, p->lx.text);
		lex_next(&p->lx);
		if (!parse_is(p, '('))
			return parse_expected(p, "'(' behind the name of a call");
		return name ? parse_unsupported(p, name) : no_memory(p);
	}
	lex_next(&p->lx);
	if (!parse_char(p, '(') || !parse_list(p, ')', &c->args, 0))
		return false;
	c->text = (struct slice){ start, (size_t)(p->lx.start - start) };
	while (c->text.len > 0 && start[c->text.len - 1] != ')')
		c->text.len--;
	for (const struct expr *e = c->args; e; e = e->next)
		c->n_args++;
	if (!call_takes(c->kind, c->n_args))
		return parse_wrong(p, "a wrong number of arguments");
	return parse_char(p, '=') && parse_result(p, c);
}

/* ---- events ---- */

static bool parse_text(struct parser *p, struct event *ev)
{
	const char *problem;

	ev->kind = p->lx.kind == T_CODE ? EVENT_CODE : EVENT_COMMAND;
	ev->text = p->lx.text;
	problem =
		ev->kind == EVENT_CODE ? code_unsupported(ev->text) : command_unsupported(ev->text);
	if (problem)
		return parse_unsupported(p, problem);
	lex_next(&p->lx);
	return true;
}

static bool parse_event(struct parser *p, struct event *ev)
{
	bool good;

	ev->line = p->lx.line;
	if (!parse_when(p, &ev->when))
		return false;
	if (parse_is(p, '<') || parse_is(p, '>')) {
		ev->kind = EVENT_PACKET;
		good = parse_packet(p, &ev->packet);
	} else if (p->lx.kind == T_COMMAND || p->lx.kind == T_CODE) {
		good = parse_text(p, ev);
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

static bool parse_all(struct parser *p)
{
	struct event **tail = &p->script->events;
	const char *problem;

	lex_next(&p->lx);
	while (p->lx.kind == T_OPTION)
		if (!parse_option(p))
			return false;
	if (p->lx.kind == T_COMMAND) {
		p->script->init_command = p->lx.text;
		problem = command_unsupported(p->lx.text);
		if (problem)
			return parse_unsupported(p, problem);
		lex_next(&p->lx);
	}
	while (p->lx.kind != T_END) {
		if (p->lx.kind == T_COMMAND) { /* the clean-up at the end */
			lex_next(&p->lx);
			return p->lx.kind == T_END || parse_expected(p, "a time");
		}
		*tail = script_alloc(p->script, sizeof(**tail));
		if (!*tail)
			return no_memory(p);
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
