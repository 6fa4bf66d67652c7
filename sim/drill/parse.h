/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse.h - from tokens to a script.
 *
 * Every parse function returns false once something is wrong; the first problem has been told then.
 */
#ifndef TERN_DRILL_PARSE_H
#define TERN_DRILL_PARSE_H

#include "drill.h"
#include "script.h"

struct parser {
	struct lexer lx;
	struct script *script;
	const struct drill_options *o;
	char *problem; /* DRILL_PROBLEM_MAX bytes for what is wrong; NULL: it is printed */
	enum drill_outcome outcome; /* DRILL_PASSED: all is well so far */
};

/* Reads a whole script. */
enum drill_outcome parse_script(struct script *, const char *text, size_t len,
				const struct drill_options *);

/* parse_packet.c: behind the time; the token is < or >. */
bool parse_packet(struct parser *, struct packet *);
/* parse_option.c: the token is --name=value. */
bool parse_option(struct parser *);
/* parse_expr.c: field=value, field(...)=value, or a value; items up to the closing bracket. */
bool parse_expr(struct parser *, struct expr **out, int depth);
bool parse_list(struct parser *, char closing, struct expr **out, int depth);
/* parse_tcp_option.c: behind <, through >. */
bool parse_tcp_options(struct parser *, struct packet *);

/* parse.c: a shell line ahead of the events. */
bool parse_init_command(struct parser *, struct slice text);

/* ---- helpers ---- */

bool parse_expected(struct parser *, const char *what);
bool parse_unsupported(struct parser *, const char *what);
/* Something that is understood but cannot be. */
bool parse_wrong(struct parser *, const char *what);
bool parse_no_memory(struct parser *);
/* The token names something that tern or the runner has not. */
bool parse_unknown_name(struct parser *);

bool parse_is(const struct parser *, char c);
bool parse_is_word(const struct parser *, const char *word);
bool parse_accept(struct parser *, char c);
bool parse_accept_word(struct parser *, const char *word);
bool parse_char(struct parser *, char c);
/* An integer in 0..max. */
bool parse_number(struct parser *, const char *what, uint32_t max, uint32_t *out);

#endif
