/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lex.c - from the text of a script to tokens.
 *
 * Numbers are read as integers: a decimal fraction becomes nanoseconds, so that times mean the same
 * on every machine.
 */
#include "lex.h"

#include <string.h>

static const int64_t NUMBER_MAX = INT64_MAX / 100;
static const uint64_t SECONDS_MAX = 1000000; /* eleven days: enough for any script */

void lex_init(struct lexer *lx, const char *text, size_t len)
{
	lx->begin = lx->p = lx->start = text;
	lx->end = text + len;
	lx->at_line = 1;
}

int lex_column(const struct lexer *lx)
{
	int column = 1;

	for (const char *p = lx->start; p > lx->begin && p[-1] != '\n'; p--)
		column++;
	return column;
}

bool lex_followed_by(const struct lexer *lx, char c)
{
	const char *p = lx->p;

	while (p < lx->end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p < lx->end && *p == c;
}

bool slice_is(struct slice s, const char *word)
{
	return strlen(word) == s.len && memcmp(s.text, word, s.len) == 0;
}

bool lex_define(struct lexer *lx, struct slice name, struct slice value)
{
	if (lx->n_defines == DEFINES_MAX)
		return false;
	lx->names[lx->n_defines] = name;
	lx->values[lx->n_defines++] = value;
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool looking_at(const struct lexer *lx, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(lx->end - lx->p) >= len && memcmp(lx->p, text, len) == 0;
}

static char peek(const struct lexer *lx, size_t ahead)
{
	return (size_t)(lx->end - lx->p) > ahead ? lx->p[ahead] : 0;
}

static void bad(struct lexer *lx, const char *problem)
{
	lx->kind = T_BAD;
	lx->problem = problem;
}

/* Moves behind `closing`, counting lines; false: it never comes. */
static bool skip_behind(struct lexer *lx, const char *closing)
{
	for (; lx->p < lx->end; lx->p++) {
		if (looking_at(lx, closing)) {
			lx->p += strlen(closing);
			return true;
		}
		if (*lx->p == '\n')
			lx->at_line++;
	}
	return false;
}

/* Blanks and comments. */
static bool skip_blank(struct lexer *lx)
{
	while (lx->p < lx->end) {
		if (looking_at(lx, "/*")) {
			lx->line = lx->at_line;
			lx->start = lx->p;
			lx->p += 2;
			if (!skip_behind(lx, "*/"))
				return false;
		} else if (looking_at(lx, "//") || *lx->p == '#') {
			while (lx->p < lx->end && *lx->p != '\n')
				lx->p++;
		} else if (*lx->p == '\n' || *lx->p == ' ' || *lx->p == '\t' || *lx->p == '\r') {
			if (*lx->p++ == '\n')
				lx->at_line++;
		} else {
			break;
		}
	}
	return true;
}

static void take_quoted(struct lexer *lx, enum token kind, const char *open, const char *closing)
{
	lx->p += strlen(open);
	lx->text.text = lx->p;
	lx->kind = kind;
	for (; lx->p < lx->end && !looking_at(lx, closing); lx->p++) {
		if (*lx->p == '\\' && lx->p + 1 < lx->end && kind != T_CODE)
			lx->p++;
		if (*lx->p == '\n')
			lx->at_line++;
	}
	lx->text.len = (size_t)(lx->p - lx->text.text);
	if (!skip_behind(lx, closing))
		bad(lx, "a quotation that never ends");
}

/* ".25" behind the whole seconds in lx->number. */
static void take_fraction(struct lexer *lx)
{
	uint64_t unit = 1000000000;

	lx->kind = T_DECIMAL;
	for (lx->p++; is_digit(peek(lx, 0)); lx->p++) {
		unit /= 10;
		lx->ns += unit * (uint64_t)(*lx->p - '0');
	}
	lx->text.len = (size_t)(lx->p - lx->text.text);
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void take_digits(struct lexer *lx, int base)
{
	int64_t v = 0;

	for (; lx->p < lx->end; lx->p++) {
		int digit = base == 16 ? hex_value(*lx->p) : is_digit(*lx->p) ? *lx->p - '0' : -1;

		if (digit < 0)
			break;
		v = v * base + digit;
		if (v > NUMBER_MAX) {
			bad(lx, "a number that is too large");
			return;
		}
	}
	lx->number = v;
}

static void take_word(struct lexer *lx)
{
	lx->kind = T_WORD;
	while (is_word(peek(lx, 0)))
		lx->p++;
	lx->text.len = (size_t)(lx->p - lx->text.text);
}

void lex_as_word(struct lexer *lx)
{
	lx->p = lx->start;
	lx->text = (struct slice){ lx->p, 0 };
	take_word(lx);
}

static void take_number(struct lexer *lx)
{
	bool negative = *lx->p == '-';
	const char *digits = lx->p += negative;

	lx->kind = T_INT;
	if (looking_at(lx, "0x") && hex_value(peek(lx, 2)) >= 0) {
		lx->p += 2;
		take_digits(lx, 16);
	} else {
		take_digits(lx, 10);
	}
	if (lx->kind == T_BAD)
		return;
	if (is_word(peek(lx, 0)) && !negative) { /* such as the cookie 4ad2 */
		lx->p = digits;
		take_word(lx);
		return;
	}
	lx->text.len = (size_t)(lx->p - lx->text.text);
	if ((uint64_t)lx->number <= SECONDS_MAX)
		lx->ns = (uint64_t)lx->number * 1000000000u;
	else
		lx->ns = UINT64_MAX;
	if (peek(lx, 0) == '.' && is_digit(peek(lx, 1))) {
		if (lx->ns == UINT64_MAX || negative)
			bad(lx, "a time out of range");
		else
			take_fraction(lx);
	}
	if (negative)
		lx->number = -lx->number;
}

/* To the next blank outside quotes. */
static void take_option(struct lexer *lx)
{
	char quote = 0;

	lx->kind = T_OPTION;
	for (; lx->p < lx->end && *lx->p != '\n'; lx->p++) {
		if (!quote && (*lx->p == ' ' || *lx->p == '\t' || *lx->p == '\r'))
			break;
		if (*lx->p == quote)
			quote = 0;
		else if (!quote && (*lx->p == '"' || *lx->p == '`'))
			quote = *lx->p;
	}
	lx->text.len = (size_t)(lx->p - lx->text.text);
}

static void apply_define(struct lexer *lx)
{
	for (unsigned i = 0; i < lx->n_defines; i++) {
		struct slice v = lx->values[i];

		if (lx->names[i].len != lx->text.len ||
		    memcmp(lx->names[i].text, lx->text.text, lx->text.len) != 0)
			continue;
		if (v.len >= 2 && (v.text[0] == '"' || v.text[0] == '`')) {
			lx->kind = v.text[0] == '"' ? T_STRING : T_COMMAND;
			v.text++;
			v.len -= 2;
		}
		lx->text = v;
		return;
	}
}

void lex_next(struct lexer *lx)
{
	if (!skip_blank(lx)) {
		bad(lx, "a comment that never ends");
		return;
	}
	lx->line = lx->at_line;
	lx->start = lx->p;
	lx->text = (struct slice){ lx->p, 0 };
	lx->number = 0;
	lx->ns = 0;
	if (lx->p == lx->end) {
		lx->kind = T_END;
	} else if (looking_at(lx, "...")) {
		lx->kind = T_ELLIPSIS;
		lx->p += 3;
		lx->text.len = 3;
	} else if (looking_at(lx, "%{")) {
		take_quoted(lx, T_CODE, "%{", "}%");
	} else if (*lx->p == '"') {
		take_quoted(lx, T_STRING, "\"", "\"");
	} else if (*lx->p == '`') {
		take_quoted(lx, T_COMMAND, "`", "`");
	} else if (looking_at(lx, "--") && is_word(peek(lx, 2))) {
		take_option(lx);
	} else if (is_digit(*lx->p) || (*lx->p == '-' && is_digit(peek(lx, 1)))) {
		take_number(lx);
	} else if (*lx->p == '.' && is_digit(peek(lx, 1))) {
		take_fraction(lx);
	} else if (is_word(*lx->p)) {
		take_word(lx);
		apply_define(lx);
	} else {
		lx->kind = T_CHAR;
		lx->c = *lx->p++;
		lx->text.len = 1;
	}
}
