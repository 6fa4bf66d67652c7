/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * python_lex.c - from Python's text to tokens. Indentation means nothing: there are no blocks.
 */
#include <string.h>

#include "python.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

void py_init(struct py_lexer *lx, struct slice code)
{
	*lx = (struct py_lexer){ .p = code.text, .end = code.text + code.len };
	py_next(lx);
}

bool py_is(const struct py_lexer *lx, const char *text)
{
	return (lx->kind == PY_NAME || lx->kind == PY_OPERATOR) && slice_is(lx->text, text);
}

/* Blanks, comments, lines that go on: behind a backslash, and inside brackets. */
static void skip(struct py_lexer *lx)
{
	while (lx->p < lx->end) {
		char c = *lx->p;

		if (c == '#') {
			while (lx->p < lx->end && *lx->p != '\n')
				lx->p++;
		} else if (c == '\\' && lx->p + 1 < lx->end && lx->p[1] == '\n') {
			lx->p += 2;
		} else if (c == ' ' || c == '\t' || c == '\r' || (c == '\n' && lx->depth > 0)) {
			lx->p++;
		} else {
			return;
		}
	}
}

static void take_text(struct py_lexer *lx)
{
	char quote = *lx->p++;

	lx->kind = PY_TEXT;
	while (lx->p < lx->end && *lx->p != quote && *lx->p != '\n') {
		if (*lx->p == '\\' && lx->p + 1 < lx->end)
			lx->p++;
		lx->p++;
	}
	if (lx->p < lx->end && *lx->p == quote)
		lx->p++;
	else
		lx->kind = PY_BAD;
}

static void take_operator(struct py_lexer *lx)
{
	static const char *const pairs[] = { "==", "!=", "<=", ">=", "//", "<<", ">>", "**" };
	char c = *lx->p;

	lx->kind = PY_OPERATOR;
	for (size_t i = 0; i < N_ELEMENTS(pairs); i++) {
		if (lx->end - lx->p >= 2 && memcmp(lx->p, pairs[i], 2) == 0) {
			lx->p += 2;
			return;
		}
	}
	if (c == '(' || c == '[')
		lx->depth++;
	if ((c == ')' || c == ']') && lx->depth > 0)
		lx->depth--;
	lx->p++;
}

void py_next(struct py_lexer *lx)
{
	skip(lx);
	lx->text.text = lx->p;
	if (lx->p == lx->end) {
		lx->kind = PY_END;
	} else if (*lx->p == '\n' || *lx->p == ';') {
		lx->kind = PY_NEWLINE;
		lx->p++;
	} else if (is_digit(*lx->p)) {
		lx->kind = PY_NUMBER;
		while (lx->p < lx->end && (is_digit(*lx->p) || is_letter(*lx->p) || *lx->p == '.'))
			lx->p++;
	} else if (is_letter(*lx->p)) {
		lx->kind = PY_NAME;
		while (lx->p < lx->end && (is_digit(*lx->p) || is_letter(*lx->p)))
			lx->p++;
	} else if (*lx->p == '"' || *lx->p == '\'') {
		take_text(lx);
	} else {
		take_operator(lx);
	}
	lx->text.len = (size_t)(lx->p - lx->text.text);
}
