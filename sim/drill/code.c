/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * code.c - %{ assertions }%: `assert condition, remark`, one behind the other. They speak of the
 * tcp_info of the TCP socket opened last, of which a script may name what tern fills in. Scripts
 * often print what they are about to assert: that is read, and shown with --verbose. Any other
 * Python is not supported.
 *
 * Code is read twice: when the script is read, to see whether all of it is understood, and when its
 * time has come.
 */
#include <string.h>

#include "python.h"
#include "run.h"

enum { NAME_SHOWN_MAX = 60 };

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
	FIELD(state),
	FIELD(ca_state),
	FIELD(retransmits),
	FIELD(probes),
	FIELD(backoff),
	FIELD(options),
	{ "tcpi_delivery_rate_app_limited", offsetof(struct tern_tcp_info, app_limited), 1 },
	FIELD(rto),
	FIELD(ato),
	FIELD(snd_mss),
	FIELD(rcv_mss),
	FIELD(unacked),
	FIELD(sacked),
	FIELD(lost),
	FIELD(retrans),
	FIELD(last_data_sent),
	FIELD(last_data_recv),
	FIELD(last_ack_recv),
	FIELD(advmss),
	FIELD(pmtu),
	FIELD(rtt),
	FIELD(rttvar),
	FIELD(snd_ssthresh),
	FIELD(snd_cwnd),
	FIELD(reordering),
	FIELD(rcv_rtt),
	FIELD(rcv_space),
	FIELD(total_retrans),
	FIELD(pacing_rate),
	FIELD(max_pacing_rate),
	FIELD(bytes_acked),
	FIELD(bytes_received),
	FIELD(segs_out),
	FIELD(delivered_ce),
	FIELD(segs_in),
	FIELD(notsent_bytes),
	FIELD(min_rtt),
	FIELD(data_segs_in),
	FIELD(data_segs_out),
	FIELD(delivery_rate),
	FIELD(busy_time),
	FIELD(rwnd_limited),
	FIELD(sndbuf_limited),
	FIELD(delivered),
	FIELD(bytes_sent),
	FIELD(bytes_retrans),
	FIELD(dsack_dups),
	FIELD(reord_seen),
	FIELD(rcv_ooopack),
	FIELD(snd_wnd),
};

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

bool tcp_info_field(const struct tern_tcp_info *info, struct slice name, int64_t *value)
{
	for (size_t i = 0; i < N_ELEMENTS(fields); i++) {
		if (slice_is(name, fields[i].name)) {
			*value = field_value(info, i);
			return true;
		}
	}
	if (slice_is(name, "tcpi_snd_wscale"))
		*value = info->wscale & 15;
	else if (slice_is(name, "tcpi_rcv_wscale"))
		*value = info->wscale >> 4;
	else
		return false;
	return true;
}

static bool find_name(void *ctx, struct slice name, int64_t *value)
{
	return tcp_info_field(ctx, name, value) || symbol_find(name, value);
}

static void skip_statement(struct py_lexer *lx)
{
	while (lx->kind != PY_NEWLINE && lx->kind != PY_END)
		py_next(lx);
}

static void print_fraction(struct fraction f, char buf[48])
{
	if (f.den == 1)
		snprintf(buf, 48, "%lld", (long long)f.num);
	else
		snprintf(buf, 48, "%lld/%lld", (long long)f.num, (long long)f.den);
}

static bool ends_statement(struct py *py)
{
	return py->lx.kind == PY_NEWLINE || py->lx.kind == PY_END ||
	       py_give_up(py, "this part of an assertion");
}

/* One assertion; false: it does not hold, or is not understood. */
static bool read_assertion(struct py *py)
{
	struct fraction v;

	py_next(&py->lx);
	py->compared = false;
	py->left_text = (struct slice){ py->lx.text.text, 0 };
	if (!py_expression(py, &v))
		return false;
	if (!py->compared)
		py->left_text.len = (size_t)(py->lx.text.text - py->left_text.text);
	if (py_is(&py->lx, ",")) /* the remark, which may be any Python */
		skip_statement(&py->lx);
	return ends_statement(py) && (v.num != 0 || py->dry);
}

/* What is printed: expressions and texts. */
static bool read_printed(struct py *py, FILE *out)
{
	struct fraction v;
	char text[48];

	do {
		if (py->lx.kind == PY_TEXT) {
			if (out)
				fprintf(out, " %.*s", (int)py->lx.text.len - 2,
					py->lx.text.text + 1);
			py_next(&py->lx);
			continue;
		}
		if (!py_expression(py, &v))
			return false;
		print_fraction(v, text);
		if (out)
			fprintf(out, " %s", text);
	} while (py_accept(py, ","));
	return true;
}

/* print(a, b), or print a, b as scripts did once; out NULL: nobody wants to see it. */
static bool read_print(struct py *py, FILE *out)
{
	bool bracket;

	py_next(&py->lx);
	bracket = py_accept(py, "(");
	if (out)
		fprintf(out, " ");
	if (!read_printed(py, out) ||
	    (bracket && !py_accept(py, ")") && !py_give_up(py, "this part of a print")))
		return false;
	if (out)
		fprintf(out, "\n");
	return ends_statement(py);
}

static bool read_statement(struct py *py, FILE *out)
{
	if (py_is(&py->lx, "assert"))
		return read_assertion(py);
	if (py_is(&py->lx, "print"))
		return read_print(py, out);
	return py_give_up(py, "Python beyond assertions on tcp_info");
}

/* All of them, or until one does not hold. */
static bool read_code(struct py *py, struct slice text, FILE *out)
{
	py_init(&py->lx, text);
	while (py->lx.kind != PY_END) {
		if (py->lx.kind == PY_NEWLINE)
			py_next(&py->lx);
		else if (!read_statement(py, out))
			return false;
	}
	return true;
}

const char *code_unsupported(struct script *s, struct slice text)
{
	struct tern_tcp_info info = { 0 };
	struct py py = { .lookup = find_name, .ctx = &info, .dry = true };
	char *problem;

	read_code(&py, text, NULL);
	if (py.unknown.len == 0 || py.unknown.len > NAME_SHOWN_MAX)
		return py.problem;
	problem = script_alloc(s, NAME_SHOWN_MAX + 20);
	if (!problem)
		return py.problem;
	snprintf(problem, NAME_SHOWN_MAX + 20, "%.*s in an assertion", (int)py.unknown.len,
		 py.unknown.text);
	return problem;
}

/* ---- what did not hold ---- */

static void tell_failure(struct drill *d, const struct py *py)
{
	struct slice name = py->left_text, op = py->operator;
	char left[48], right[48];

	while (name.len > 0 && strchr(" \t(\n", name.text[0])) {
		name.text++;
		name.len--;
	}
	while (name.len > 0 && strchr(" \t\n", name.text[name.len - 1]))
		name.len--;
	if (!py->compared) {
		drill_end(d, DRILL_FAILED, "the assertion on %.*s does not hold", (int)name.len,
			  name.text);
		return;
	}
	if (slice_is(op, "=="))
		op.len = 0;
	print_fraction(py->left, left);
	print_fraction(py->right, right);
	drill_end(d, DRILL_FAILED,
		  "the assertion on %.*s does not hold\n  expected  %.*s%s%s\n  actual    %s",
		  (int)name.len, name.text, (int)op.len, op.text, op.len ? " " : "", right, left);
}

void code_run(struct drill *d, struct slice text)
{
	const struct fd *fd = fd_find(d, d->last_fd);
	struct tern_tcp_info info;
	struct py py = { .lookup = find_name, .ctx = &info };
	size_t len = sizeof(info);

	if (!fd ||
	    tern_getsockopt(d->st, fd->sock, TERN_IPPROTO_TCP, TERN_TCP_INFO, &info, &len) != 0)
		drill_end(d, DRILL_BROKEN, "an assertion without an open TCP socket");
	else if (read_code(&py, text, d->o->verbose ? d->o->out : NULL))
		return;
	else if (py.problem)
		drill_end(d, DRILL_UNSUPPORTED, "%s", py.problem);
	else
		tell_failure(d, &py);
}
