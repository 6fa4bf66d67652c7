/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * python.h - the small part of Python that scripts assert with.
 *
 * Values are exact fractions; there is no floating point. Each operand remembers the text it comes
 * from, so that a failed assertion can show both sides.
 */
#ifndef TERN_DRILL_PYTHON_H
#define TERN_DRILL_PYTHON_H

#include "script.h"

enum py_token {
	PY_END,	    /* of the code */
	PY_NEWLINE, /* or ; */
	PY_NUMBER,
	PY_NAME,
	PY_TEXT,
	PY_OPERATOR, /* one or two characters, in text */
	PY_BAD
};

struct py_lexer {
	const char *p, *end;
	int depth; /* of brackets: inside, the end of a line is blank */
	enum py_token kind;
	struct slice text;
};

void py_init(struct py_lexer *, struct slice code);
void py_next(struct py_lexer *);
bool py_is(const struct py_lexer *, const char *text); /* a name or an operator */

/* num / den, den > 0, without common factors. */
struct fraction {
	int64_t num, den;
};

/* The names that code may use; false: there is no such name. */
typedef bool py_lookup(void *ctx, struct slice name, int64_t *value);

struct py {
	struct py_lexer lx;
	py_lookup *lookup;
	void *ctx;
	bool dry;	      /* only to see whether all of it is understood: values mean nothing */
	const char *problem;  /* what is not understood; NULL: nothing */
	struct slice unknown; /* the name that it is, or empty */
	/* of the comparison read last that did not hold */
	struct slice left_text, operator;
	struct fraction left, right;
	bool compared;
};

/* An expression; false: py->problem says what is not understood. */
bool py_expression(struct py *, struct fraction *);
/* Takes the token if it is this name or operator. */
bool py_accept(struct py *, const char *text);
/* Remembers what is not understood; false. */
bool py_give_up(struct py *, const char *problem);

#endif
