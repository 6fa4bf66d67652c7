/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lex.h - from the text of a script to tokens, one ahead.
 */
#ifndef TERN_DRILL_LEX_H
#define TERN_DRILL_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum token {
	T_END,
	T_INT,	   /* number, and ns as seconds */
	T_DECIMAL, /* ns: "0.25" read as seconds */
	T_WORD,
	T_STRING,  /* without its quotes */
	T_COMMAND, /* `...` without its quotes */
	T_CODE,	   /* %{...}% without its brackets */
	T_OPTION,  /* --name=value, whole */
	T_ELLIPSIS,
	T_CHAR, /* any other character, in c */
	T_BAD	/* problem says why */
};

enum { DEFINES_MAX = 32 };

struct slice {
	const char *text;
	size_t len;
};

struct lexer {
	const char *begin, *p, *end;
	int at_line; /* of p */
	/* the token */
	enum token kind;
	int line;
	struct slice text; /* as written; of quoted ones the inside */
	const char *start; /* of the token, with quotes */
	int64_t number;
	uint64_t ns;
	char c;
	const char *problem;
	/* --define=NAME=VALUE */
	struct slice names[DEFINES_MAX], values[DEFINES_MAX];
	unsigned n_defines;
};

/* Reads this text from now on; definitions stay. The first time, the lexer is all zero. */
void lex_init(struct lexer *, const char *text, size_t len);
void lex_next(struct lexer *);
/* Reads the token again, as a word: such as a cookie that is all digits. */
void lex_as_word(struct lexer *);
/* Of the token, from 1; a tab is one column. */
int lex_column(const struct lexer *);
/* Is the next character behind the token, blanks skipped, this one? */
bool lex_followed_by(const struct lexer *, char);
/* From here on the word is its value; false: too many. */
bool lex_define(struct lexer *, struct slice name, struct slice value);
bool slice_is(struct slice, const char *);

#endif
