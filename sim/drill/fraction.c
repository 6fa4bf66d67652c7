/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fraction.c - exact arithmetic on num / den.
 */
#include "fraction.h"

static int64_t magnitude(int64_t v)
{
	return v < 0 ? -v : v;
}

static int64_t common_divisor(int64_t a, int64_t b)
{
	int64_t rest;

	for (; b; b = rest) {
		rest = a % b;
		a = b;
	}
	return a ? a : 1;
}

static bool multiply(int64_t a, int64_t b, int64_t *out)
{
	if (a && magnitude(b) > INT64_MAX / magnitude(a))
		return false;
	*out = a * b;
	return true;
}

static bool sum(int64_t a, int64_t b, int64_t *out)
{
	if (magnitude(a) > INT64_MAX - magnitude(b))
		return false;
	*out = a + b;
	return true;
}

static void lower_terms(struct fraction *f)
{
	int64_t by = common_divisor(magnitude(f->num), f->den);

	f->num /= by;
	f->den /= by;
}

bool fraction_add(struct fraction a, struct fraction b, struct fraction *out)
{
	int64_t left, right;

	if (!multiply(a.num, b.den, &left) || !multiply(b.num, a.den, &right) ||
	    !sum(left, right, &out->num) || !multiply(a.den, b.den, &out->den))
		return false;
	lower_terms(out);
	return true;
}

bool fraction_subtract(struct fraction a, struct fraction b, struct fraction *out)
{
	b.num = -b.num;
	return fraction_add(a, b, out);
}

bool fraction_multiply(struct fraction a, struct fraction b, struct fraction *out)
{
	if (!multiply(a.num, b.num, &out->num) || !multiply(a.den, b.den, &out->den))
		return false;
	lower_terms(out);
	return true;
}

bool fraction_divide(struct fraction a, struct fraction b, struct fraction *out)
{
	if (b.num == 0)
		return false;
	if (b.num < 0)
		return fraction_multiply(a, (struct fraction){ -b.den, -b.num }, out);
	return fraction_multiply(a, (struct fraction){ b.den, b.num }, out);
}

int64_t fraction_floor(struct fraction f)
{
	return f.num / f.den - (f.num % f.den < 0);
}

bool fraction_compare(struct fraction a, struct fraction b, int *out)
{
	struct fraction d;

	if (a.den == b.den) {
		*out = (a.num > b.num) - (a.num < b.num);
		return true;
	}
	if (!fraction_subtract(a, b, &d))
		return false;
	*out = (d.num > 0) - (d.num < 0);
	return true;
}
