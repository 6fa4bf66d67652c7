/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse_expr.c - the values of calls: numbers and names joined by |, text, [lists],
 * {fields=of, structs=too}, and ... for any.
 */
#include <string.h>

#include "parse.h"

enum { DEPTH_MAX = 16 };

bool parse_list(struct parser *p, char closing, struct expr **out, int depth)
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
		if (!symbol_find(p->lx.text, value))
			return parse_unknown_name(p);
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
	e->text = p->lx.text;
	if (!parse_term(p, &e->number))
		return false;
	while (parse_accept(p, '|')) {
		if (!parse_term(p, &v))
			return false;
		e->number |= v;
	}
	return true;
}

/* "one" "two" is one text, as in C. */
static bool join_strings(struct parser *p, struct expr *e)
{
	size_t len = e->text.len + p->lx.text.len;
	char *joined = script_alloc(p->script, len + 1);

	if (!joined)
		return parse_no_memory(p);
	memcpy(joined, e->text.text, e->text.len);
	memcpy(joined + e->text.len, p->lx.text.text, p->lx.text.len);
	e->text = (struct slice){ joined, len };
	return true;
}

static bool parse_text(struct parser *p, struct expr *e)
{
	e->kind = EXPR_STRING;
	e->text = p->lx.text;
	lex_next(&p->lx);
	for (; p->lx.kind == T_STRING; lex_next(&p->lx))
		if (!join_strings(p, e))
			return false;
	if (p->lx.kind == T_ELLIPSIS)
		lex_next(&p->lx);
	return true;
}

static bool parse_value(struct parser *p, struct expr *e, int depth)
{
	if (p->lx.kind == T_ELLIPSIS) {
		e->kind = EXPR_ANY;
		lex_next(&p->lx);
		return true;
	}
	if (p->lx.kind == T_STRING)
		return parse_text(p, e);
	e->kind = EXPR_LIST;
	if (parse_accept(p, '['))
		return parse_list(p, ']', &e->items, depth + 1);
	if (parse_accept(p, '{'))
		return parse_list(p, '}', &e->items, depth + 1);
	if (parse_is_word(p, "htons") || parse_is_word(p, "htonl") ||
	    parse_is_word(p, "inet_addr") || parse_is_word(p, "inet6_addr"))
		return parse_wrapped(p, e, depth + 1);
	return parse_integer(p, e);
}

/* msg_iov(2)=[...] says the length as well, which the list knows itself. */
static bool parse_field_name(struct parser *p, struct expr *e, int depth)
{
	struct expr *length;

	e->name = script_text(p->script, p->lx.text);
	if (!e->name)
		return parse_no_memory(p);
	lex_next(&p->lx);
	if (parse_accept(p, '(') && (!parse_expr(p, &length, depth + 1) || !parse_char(p, ')')))
		return false;
	return parse_char(p, '=');
}

bool parse_expr(struct parser *p, struct expr **out, int depth)
{
	struct expr *e = script_alloc(p->script, sizeof(*e));

	if (!e)
		return parse_no_memory(p);
	if (depth > DEPTH_MAX)
		return parse_wrong(p, "brackets nested too deeply");
	*out = e;
	if (p->lx.kind == T_WORD &&
	    (lex_followed_by(&p->lx, '=') || parse_is_word(p, "msg_name") ||
	     parse_is_word(p, "msg_iov")) &&
	    !parse_field_name(p, e, depth))
		return false;
	return parse_value(p, e, depth);
}
