/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lex.c - the small pieces of a script: words, numbers, times.
 *
 * The first failure is kept with its line; later ones say less.
 */
#include "drill.h"

#include <string.h>

bool lex_fail(struct lexer *lx, const char *expected)
{
	if (!lx->error)
		lx->error = expected;
	return false;
}

bool lex_unsupported(struct lexer *lx, const char *what)
{
	if (!lx->error) {
		lx->error = what;
		lx->unsupported = true;
	}
	return false;
}

static void skip_comment(struct lexer *lx)
{
	lx->at += 2;
	while (*lx->at && !(lx->at[0] == '*' && lx->at[1] == '/')) {
		lx->line += *lx->at == '\n';
		lx->at++;
	}
	lx->at += *lx->at ? 2 : 0;
}

void lex_blank(struct lexer *lx)
{
	for (;;) {
		if (*lx->at == ' ' || *lx->at == '\t' || *lx->at == '\r')
			lx->at++;
		else if (lx->at[0] == '/' && lx->at[1] == '*')
			skip_comment(lx);
		else if ((lx->at[0] == '/' && lx->at[1] == '/') || *lx->at == '#')
			lx->at += strcspn(lx->at, "\n");
		else
			return;
	}
}

bool lex_is(struct lexer *lx, const char *word)
{
	size_t n = strlen(word);
	char last = word[n - 1], next;

	lex_blank(lx);
	if (strncmp(lx->at, word, n) != 0)
		return false;
	next = lx->at[n];
	/* a word ends where its letters end */
	if (((last >= 'a' && last <= 'z') || (last >= 'A' && last <= 'Z')) &&
	    ((next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z') || next == '_'))
		return false;
	lx->at += n;
	return true;
}

bool lex_expect(struct lexer *lx, const char *word)
{
	return lex_is(lx, word) || lex_fail(lx, word);
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

bool lex_number(struct lexer *lx, uint64_t *out)
{
	int base = 10;
	uint64_t v = 0;

	lex_blank(lx);
	if (lx->at[0] == '0' && lx->at[1] == 'x') {
		base = 16;
		lx->at += 2;
	}
	if (digit(*lx->at) >= base)
		return lex_fail(lx, "a number");
	for (; digit(*lx->at) < base; lx->at++) {
		if (v > UINT32_MAX)
			return lex_fail(lx, "a number that fits in 32 bits");
		v = v * (uint64_t)base + (uint64_t)digit(*lx->at);
	}
	*out = v;
	return true;
}

bool lex_time(struct lexer *lx, tern_time *out)
{
	tern_time unit = TERN_SEC, t = 0;
	bool any = false;

	lex_blank(lx);
	for (; digit(*lx->at) < 10; lx->at++, any = true) {
		if (t > 1000000 * TERN_SEC)
			return lex_fail(lx, "a time below a million seconds");
		t = t * 10 + (tern_time)digit(*lx->at) * TERN_SEC;
	}
	if (lx->at[0] == '.' && digit(lx->at[1]) < 10) {
		for (lx->at++; digit(*lx->at) < 10; lx->at++, any = true) {
			unit /= 10;
			t += (tern_time)digit(*lx->at) * unit;
		}
	}
	*out = t;
	return any || lex_fail(lx, "a time in seconds");
}

size_t lex_word(struct lexer *lx, char *buf, size_t size)
{
	size_t n = 0;

	lex_blank(lx);
	while (digit(*lx->at) < 10 || *lx->at == '_' || (*lx->at >= 'a' && *lx->at <= 'z') ||
	       (*lx->at >= 'A' && *lx->at <= 'Z')) {
		if (n + 1 < size)
			buf[n++] = *lx->at;
		lx->at++;
	}
	buf[n] = 0;
	return n;
}
