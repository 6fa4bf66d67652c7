/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * python.c - expressions: or, and, not, comparisons (also chained), | ^ & << >>, + - * / // %,
 * signs, brackets, abs(), min(), max(), int(), names and numbers.
 *
 * As in Python, `and` and `or` give one of their operands, a comparison gives 0 or 1, and / is
 * exact. Both sides of `and` and `or` are read in any case; nothing has side effects.
 */
#include <string.h>

#include "fraction.h"

enum { PY_DEPTH_MAX = 32 };

static const char not_understood[] = "this part of an assertion";

bool py_give_up(struct py *py, const char *problem)
{
	if (!py->problem)
		py->problem = problem;
	return false;
}

static struct fraction whole(int64_t v)
{
	return (struct fraction){ v, 1 };
}

bool py_accept(struct py *py, const char *text)
{
	if (!py_is(&py->lx, text))
		return false;
	py_next(&py->lx);
	return true;
}

/* ---- numbers ---- */

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

/* 12, 0x1f, 1.5 */
static bool read_literal(struct py *py, struct fraction *out)
{
	struct slice t = py->lx.text;
	bool hex = t.len > 2 && t.text[0] == '0' && (t.text[1] == 'x' || t.text[1] == 'X');
	bool behind_point = false;
	int base = hex ? 16 : 10;

	*out = whole(0);
	for (size_t i = hex ? 2 : 0; i < t.len; i++) {
		int digit = digit_value(t.text[i]);

		if (t.text[i] == '.' && !behind_point && !hex) {
			behind_point = true;
			continue;
		}
		if (digit >= base || out->num > INT64_MAX / 16 - 16 || out->den > INT64_MAX / 16)
			return py_give_up(py, not_understood);
		out->num = out->num * base + digit;
		out->den *= behind_point ? 10 : 1;
	}
	py_next(&py->lx);
	return true;
}

/* ---- operands ---- */

static bool read_or(struct py *, struct fraction *, int depth);

static bool read_arguments(struct py *py, const char *name, struct fraction *out, int depth)
{
	struct fraction v;
	int order;

	if (!read_or(py, out, depth))
		return false;
	if (strcmp(name, "abs") == 0 && out->num < 0)
		out->num = -out->num;
	if (strcmp(name, "int") == 0) /* towards zero */
		*out = whole(out->num / out->den);
	while (name[0] == 'm' && py_accept(py, ",")) {
		if (!read_or(py, &v, depth))
			return false;
		if (!fraction_compare(v, *out, &order))
			return py_give_up(py, not_understood);
		if (strcmp(name, "max") == 0 ? order > 0 : order < 0)
			*out = v;
	}
	return py_accept(py, ")") || py_give_up(py, not_understood);
}

static bool read_name(struct py *py, struct fraction *out, int depth)
{
	static const char *const functions[] = { "abs", "min", "max", "int" };
	struct slice name = py->lx.text;
	int64_t v = 0;

	py_next(&py->lx);
	for (size_t i = 0; i < N_ELEMENTS(functions); i++)
		if (slice_is(name, functions[i]) && py_accept(py, "("))
			return read_arguments(py, functions[i], out, depth);
	if (slice_is(name, "True") || slice_is(name, "False"))
		v = slice_is(name, "True");
	else if (!py->lookup(py->ctx, name, &v)) {
		py->unknown = name;
		return py_give_up(py, not_understood);
	}
	*out = whole(v);
	return true;
}

static bool read_operand(struct py *py, struct fraction *out, int depth)
{
	if (depth > PY_DEPTH_MAX)
		return py_give_up(py, not_understood);
	if (py_accept(py, "+"))
		return read_operand(py, out, depth + 1);
	if (py_accept(py, "-")) {
		if (!read_operand(py, out, depth + 1))
			return false;
		out->num = -out->num;
		return true;
	}
	if (py_accept(py, "("))
		return read_or(py, out, depth + 1) &&
		       (py_accept(py, ")") || py_give_up(py, not_understood));
	if (py->lx.kind == PY_NUMBER)
		return read_literal(py, out);
	if (py->lx.kind == PY_NAME)
		return read_name(py, out, depth + 1);
	return py_give_up(py, not_understood);
}

/* ---- arithmetic ---- */

/* a // b, a % b */
static bool divide_floor(struct fraction a, struct fraction b, bool rest, struct fraction *out)
{
	struct fraction times;

	if (!fraction_divide(a, b, out))
		return false;
	*out = whole(fraction_floor(*out));
	if (!rest)
		return true;
	return fraction_multiply(*out, b, &times) && fraction_subtract(a, times, out);
}

static bool shift(struct fraction a, struct fraction b, bool left, struct fraction *out)
{
	if (a.den != 1 || b.den != 1 || b.num < 0 || b.num > 62)
		return false;
	if (left)
		return fraction_multiply(a, whole((int64_t)1 << b.num), out);
	*out = whole(fraction_floor((struct fraction){ a.num, (int64_t)1 << b.num }));
	return true;
}

static bool combine_bits(struct fraction a, struct fraction b, char op, struct fraction *out)
{
	if (a.den != 1 || b.den != 1)
		return false;
	*out = whole(op == '|' ? a.num | b.num : op == '^' ? a.num ^ b.num : a.num & b.num);
	return true;
}

static bool calculate(struct fraction a, struct fraction b, struct slice op, struct fraction *out)
{
	char c = op.text[0];

	if (op.len == 2 && c != '/')
		return shift(a, b, c == '<', out);
	if (op.len == 2 || c == '%')
		return divide_floor(a, b, c == '%', out);
	switch (c) {
	case '+':
		return fraction_add(a, b, out);
	case '-':
		return fraction_subtract(a, b, out);
	case '*':
		return fraction_multiply(a, b, out);
	case '/':
		return fraction_divide(a, b, out);
	default:
		return combine_bits(a, b, c, out);
	}
}

/* Loosest first; the operators of a level go from left to right. */
static const char *const levels[][4] = {
	{ "|" }, { "^" }, { "&" }, { "<<", ">>" }, { "+", "-" }, { "*", "//", "/", "%" },
};

static bool at_level(const struct py *py, size_t level)
{
	for (size_t i = 0; i < N_ELEMENTS(levels[0]) && levels[level][i]; i++)
		if (py->lx.kind == PY_OPERATOR && py_is(&py->lx, levels[level][i]))
			return true;
	return false;
}

static bool read_arithmetic(struct py *py, struct fraction *out, size_t level, int depth)
{
	struct fraction b;
	struct slice op;

	if (level == N_ELEMENTS(levels))
		return read_operand(py, out, depth);
	if (!read_arithmetic(py, out, level + 1, depth))
		return false;
	while (at_level(py, level)) {
		op = py->lx.text;
		py_next(&py->lx);
		if (!read_arithmetic(py, &b, level + 1, depth))
			return false;
		/* In a dry run the values mean nothing: a divisor may well be 0. */
		if (!py->dry && !calculate(*out, b, op, out))
			return py_give_up(py, "an assertion whose value cannot be calculated");
	}
	return true;
}

/* ---- comparisons and logic ---- */

static bool is_comparison(const struct py_lexer *lx)
{
	static const char *const operators[] = { "==", "!=", "<=", ">=", "<", ">" };

	for (size_t i = 0; lx->kind == PY_OPERATOR && i < N_ELEMENTS(operators); i++)
		if (slice_is(lx->text, operators[i]))
			return true;
	return false;
}

static bool holds(int order, struct slice op)
{
	switch (op.text[0]) {
	case '=':
		return order == 0;
	case '!':
		return order != 0;
	case '<':
		return order < 0 || (order == 0 && op.len == 2);
	default:
		return order > 0 || (order == 0 && op.len == 2);
	}
}

static void remember(struct py *py, struct slice text, struct slice op, const struct fraction v[2])
{
	py->left_text = text;
	py->operator= op;
	py->left = v[0];
	py->right = v[1];
	py->compared = true;
}

/* a < b < c holds when a < b and b < c do. */
static bool read_comparison(struct py *py, struct fraction *out, int depth)
{
	struct slice text = { py->lx.text.text, 0 }, op;
	struct fraction v[2];
	bool all = true, any = false;
	int order;

	if (!read_arithmetic(py, &v[0], 0, depth))
		return false;
	*out = v[0];
	for (; is_comparison(&py->lx); v[0] = v[1]) {
		op = py->lx.text;
		text.len = (size_t)(op.text - text.text);
		any = true;
		py_next(&py->lx);
		if (!read_arithmetic(py, &v[1], 0, depth))
			return false;
		if (!fraction_compare(v[0], v[1], &order))
			return py_give_up(py, "an assertion whose value cannot be calculated");
		if (all && !holds(order, op)) {
			all = false;
			remember(py, text, op, v);
		}
		text.text = op.text + op.len;
	}
	if (any)
		*out = whole(all);
	return true;
}

static bool read_not(struct py *py, struct fraction *out, int depth)
{
	if (depth > PY_DEPTH_MAX)
		return py_give_up(py, not_understood);
	if (!py_accept(py, "not"))
		return read_comparison(py, out, depth);
	if (!read_not(py, out, depth + 1))
		return false;
	*out = whole(out->num == 0);
	return true;
}

static bool read_and(struct py *py, struct fraction *out, int depth)
{
	struct fraction b;

	if (!read_not(py, out, depth))
		return false;
	while (py_accept(py, "and")) {
		if (!read_not(py, &b, depth))
			return false;
		*out = out->num ? b : *out;
	}
	return true;
}

static bool read_or(struct py *py, struct fraction *out, int depth)
{
	struct fraction b;

	if (!read_and(py, out, depth))
		return false;
	while (py_accept(py, "or")) {
		if (!read_and(py, &b, depth))
			return false;
		*out = out->num ? *out : b;
	}
	return true;
}

bool py_expression(struct py *py, struct fraction *out)
{
	return read_or(py, out, 0);
}
