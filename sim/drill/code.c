/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * code.c - %{ assertions }%: lines of `assert tcpi_field == number`, joined by `and`, with a remark
 * behind a comma. They speak of the socket opened last. Any other Python is not supported.
 */
#include <string.h>

#include "run.h"

enum { CODE_DEPTH_MAX = 16 };

#define FIELD(f)                                                                                   \
	{                                                                                          \
		"tcpi_" #f, offsetof(struct tern_tcp_info, f),                                     \
			sizeof(((struct tern_tcp_info *)0)->f)                                     \
	}

/* What tern fills in. */
static const struct {
	const char *name;
	size_t offset, size;
} fields[] = {
	FIELD(state),	       FIELD(ca_state),	  FIELD(retransmits),	FIELD(probes),
	FIELD(backoff),	       FIELD(options),	  FIELD(rto),		FIELD(ato),
	FIELD(snd_mss),	       FIELD(rcv_mss),	  FIELD(unacked),	FIELD(advmss),
	FIELD(pmtu),	       FIELD(rtt),	  FIELD(rttvar),	FIELD(snd_ssthresh),
	FIELD(snd_cwnd),       FIELD(reordering), FIELD(total_retrans), FIELD(bytes_acked),
	FIELD(bytes_received), FIELD(segs_out),	  FIELD(segs_in),	FIELD(notsent_bytes),
	FIELD(min_rtt),	       FIELD(bytes_sent), FIELD(bytes_retrans), FIELD(snd_wnd),
};

struct reader {
	struct lexer lx;
	const struct tern_tcp_info *info;
	const char *problem; /* what is not supported */
	int64_t left, right; /* of the comparison read last that was false */
	struct slice name;
};

static bool give_up(struct reader *r, const char *problem)
{
	if (!r->problem)
		r->problem = problem;
	return false;
}

static bool is_char(const struct reader *r, char c)
{
	return r->lx.kind == T_CHAR && r->lx.c == c;
}

static bool is_word(const struct reader *r, const char *word)
{
	return r->lx.kind == T_WORD && slice_is(r->lx.text, word);
}

static int64_t field_value(const struct tern_tcp_info *info, size_t i)
{
	const uint8_t *at = (const uint8_t *)info + fields[i].offset;
	uint32_t v32;
	uint64_t v64;

	if (fields[i].size == 1)
		return *at;
	if (fields[i].size == 4) {
		memcpy(&v32, at, sizeof(v32));
		return v32;
	}
	memcpy(&v64, at, sizeof(v64));
	return (int64_t)v64;
}

static bool read_operand(struct reader *r, int64_t *out)
{
	*out = 0;
	if (r->lx.kind == T_INT) {
		*out = r->lx.number;
	} else if (r->lx.kind == T_WORD) {
		size_t i = 0;

		while (i < N_ELEMENTS(fields) && !slice_is(r->lx.text, fields[i].name))
			i++;
		if (i < N_ELEMENTS(fields) && r->info)
			*out = field_value(r->info, i);
		else if (i == N_ELEMENTS(fields) && !symbol_find(r->lx.text, out))
			return give_up(r, "this part of an assertion");
	} else {
		return give_up(r, "this part of an assertion");
	}
	lex_next(&r->lx);
	return true;
}

/* ==, !=, <, <=, >, >= as two characters. */
static bool read_operator(struct reader *r, char op[2])
{
	if (r->lx.kind != T_CHAR || !strchr("=!<>", r->lx.c))
		return give_up(r, "this part of an assertion");
	op[0] = r->lx.c;
	op[1] = 0;
	lex_next(&r->lx);
	if (is_char(r, '=')) {
		op[1] = '=';
		lex_next(&r->lx);
	}
	return op[1] || op[0] == '<' || op[0] == '>' || give_up(r, "this part of an assertion");
}

static bool compare(int64_t a, const char op[2], int64_t b)
{
	switch (op[0]) {
	case '=':
		return a == b;
	case '!':
		return a != b;
	case '<':
		return op[1] ? a <= b : a < b;
	default:
		return op[1] ? a >= b : a > b;
	}
}

static bool read_all_of(struct reader *r, bool *holds, int depth);

static bool read_comparison(struct reader *r, bool *holds, int depth)
{
	struct slice name = r->lx.text;
	int64_t a, b;
	char op[2];

	if (is_char(r, '(') && depth < CODE_DEPTH_MAX) {
		lex_next(&r->lx);
		if (!read_all_of(r, holds, depth + 1))
			return false;
		if (!is_char(r, ')'))
			return give_up(r, "this part of an assertion");
		lex_next(&r->lx);
		return true;
	}
	if (!read_operand(r, &a) || !read_operator(r, op) || !read_operand(r, &b))
		return false;
	*holds = compare(a, op, b);
	if (!*holds) {
		r->left = a;
		r->right = b;
		r->name = name;
	}
	return true;
}

static bool read_all_of(struct reader *r, bool *holds, int depth)
{
	bool one;

	*holds = true;
	for (;;) {
		if (!read_comparison(r, &one, depth))
			return false;
		*holds = *holds && one;
		if (!is_word(r, "and"))
			return true;
		lex_next(&r->lx);
	}
}

/* All assertions, or until one does not hold. */
static bool read_code(struct reader *r, struct slice text)
{
	bool holds = true;

	lex_init(&r->lx, text.text, text.len);
	lex_next(&r->lx);
	while (r->lx.kind != T_END && (holds || !r->info)) {
		int line = r->lx.line;

		if (!is_word(r, "assert")) {
			give_up(r, "Python beyond assertions on tcp_info");
			return true;
		}
		lex_next(&r->lx);
		if (!read_all_of(r, &holds, 0))
			return true;
		if (!is_char(r, ',')) {
			if (r->lx.kind != T_END && r->lx.line == line && !is_char(r, ';'))
				give_up(r, "this part of an assertion");
			if (r->problem)
				return true;
			if (is_char(r, ';'))
				lex_next(&r->lx);
			continue;
		}
		while (r->lx.kind != T_END && r->lx.kind != T_BAD && r->lx.line == line)
			lex_next(&r->lx);
		if (r->lx.kind == T_BAD)
			give_up(r, "this part of an assertion");
		if (r->problem)
			return true;
	}
	return holds;
}

const char *code_unsupported(struct slice text)
{
	struct reader r = { .info = NULL };

	read_code(&r, text);
	return r.problem;
}

void code_run(struct drill *d, struct slice text)
{
	const struct fd *fd = fd_find(d, d->last_fd);
	struct tern_tcp_info info;
	struct reader r = { .info = &info };
	size_t len = sizeof(info);

	if (!fd ||
	    tern_getsockopt(d->st, fd->sock, TERN_IPPROTO_TCP, TERN_TCP_INFO, &info, &len) != 0) {
		drill_end(d, DRILL_BROKEN, "an assertion without an open TCP socket");
		return;
	}
	if (!read_code(&r, text))
		drill_end(d, DRILL_FAILED,
			  "the assertion on %.*s does not hold\n  expected  %lld\n"
			  "  actual    %lld",
			  (int)r.name.len, r.name.text, (long long)r.right, (long long)r.left);
}
