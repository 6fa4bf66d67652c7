/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls_option.c - getsockopt and setsockopt: integers, text, and structs.
 */
#include <string.h>

#include "run.h"

enum { VALUE_MAX = 512 };

/* A struct of two numbers, as {onoff=1, linger=5}; their size in bytes. */
static const struct pair {
	const char *first, *second;
	size_t size;
} pairs[] = {
	{ "onoff", "linger", 4 },
	{ "tv_sec", "tv_usec", 8 },
};

static const struct pair *find_pair(const struct expr *e)
{
	for (size_t i = 0; i < N_ELEMENTS(pairs); i++)
		if (expr_field(e, pairs[i].first) && expr_field(e, pairs[i].second))
			return &pairs[i];
	return NULL;
}

static void put_number(uint8_t *at, size_t size, int64_t v)
{
	int32_t v32 = (int32_t)v;

	memcpy(at, size == 8 ? (const void *)&v : (const void *)&v32, size);
}

static int64_t get_number(const uint8_t *at, size_t size)
{
	int64_t v;
	int32_t v32;

	if (size == 8) {
		memcpy(&v, at, sizeof(v));
		return v;
	}
	memcpy(&v32, at, sizeof(v32));
	return v32;
}

static bool is_info(int64_t level, int64_t name)
{
	return level == TERN_IPPROTO_TCP && name == TERN_TCP_INFO;
}

/* The value of an option as bytes; *size 0: "...". */
static bool value_bytes(struct drill *d, const struct calling *c, uint8_t bytes[VALUE_MAX],
			size_t *size)
{
	const struct expr *e = call_arg(c, 3);
	const struct pair *pair = find_pair(e);
	int64_t first, second;

	memset(bytes, 0, VALUE_MAX);
	*size = 0;
	if (e->kind == EXPR_ANY)
		return true;
	if (pair && expr_number(e, pair->first, &first) && expr_number(e, pair->second, &second)) {
		*size = 2 * pair->size;
		put_number(bytes, pair->size, first);
		put_number(bytes + pair->size, pair->size, second);
		return true;
	}
	if (e->kind == EXPR_STRING && e->text.len < VALUE_MAX) {
		*size = e->text.len + 1;
		memcpy(bytes, e->text.text, e->text.len);
		return true;
	}
	if (e->kind != EXPR_LIST || !e->items || e->items->kind != EXPR_INT || e->items->next)
		return call_mistyped(d, c, 3, "[number], {onoff=..., linger=...}, text or ...");
	*size = sizeof(int32_t);
	put_number(bytes, sizeof(int32_t), e->items->number);
	return true;
}

/* An option that the stack has not ends the script, unless it is what the script is about. */
static int64_t judge_option(struct drill *d, const struct calling *c, int r)
{
	const struct expr *want = c->ev->call.result, *name = call_arg(c, 2);

	if (r != -TERN_ENOPROTOOPT || (want->kind == EXPR_INT && want->number < 0))
		return r;
	drill_end(d, DRILL_UNSUPPORTED, "socket option %.*s", (int)name->text.len, name->text.text);
	return CALL_ENDED;
}

int64_t run_setsockopt(struct drill *d, struct calling *c)
{
	uint8_t bytes[VALUE_MAX];
	int64_t level, name, len, error;
	struct fd *fd = call_fd(d, c, 0, &error);
	size_t size;

	if (!fd)
		return error;
	if (!call_int(d, c, 1, &level) || !call_int(d, c, 2, &name) ||
	    !value_bytes(d, c, bytes, &size) || !call_int(d, c, 4, &len))
		return CALL_ENDED;
	if (len < 0 || len > VALUE_MAX)
		return -TERN_EINVAL;
	return judge_option(
		d, c, tern_setsockopt(d->st, fd->sock, (int)level, (int)name, bytes, (size_t)len));
}

/* Each field that the script names: {tcpi_state=TCP_ESTABLISHED, tcpi_snd_cwnd=10}. */
static void compare_info(struct drill *d, const struct calling *c, const uint8_t *got)
{
	struct tern_tcp_info info;
	int64_t value;

	memcpy(&info, got, sizeof(info));
	for (const struct expr *e = call_arg(c, 3)->items; e; e = e->next) {
		const char *name = e->name ? e->name : "...";

		if (!tcp_info_field(&info, (struct slice){ name, strlen(name) }, &value)) {
			drill_end(d, DRILL_UNSUPPORTED, "%s of tcp_info", name);
			return;
		}
		if (e->kind == EXPR_INT && e->number != value)
			call_differs(d, c, name, e->number, value);
	}
}

static void compare_value(struct drill *d, const struct calling *c, const uint8_t *want,
			  const uint8_t *got)
{
	const struct expr *e = call_arg(c, 3);
	const struct pair *pair = find_pair(e);
	size_t size = pair ? pair->size : sizeof(int32_t);

	if (e->kind == EXPR_STRING) {
		if (strcmp((const char *)want, (const char *)got) != 0)
			drill_end(d, DRILL_FAILED,
				  "the value differs\n  expected  \"%s\"\n"
				  "  actual    \"%s\"",
				  (const char *)want, (const char *)got);
		return;
	}
	if (get_number(want, size) != get_number(got, size))
		call_differs(d, c, pair ? pair->first : "the value", get_number(want, size),
			     get_number(got, size));
	if (pair && get_number(want + size, size) != get_number(got + size, size))
		call_differs(d, c, pair->second, get_number(want + size, size),
			     get_number(got + size, size));
}

int64_t run_getsockopt(struct drill *d, struct calling *c)
{
	uint8_t want[VALUE_MAX], got[VALUE_MAX] = { 0 };
	int64_t level, name, room, error;
	struct fd *fd = call_fd(d, c, 0, &error);
	size_t size = 0, len;
	bool given;
	int r;

	if (!fd)
		return error;
	if (!call_int(d, c, 1, &level) || !call_int(d, c, 2, &name) ||
	    !call_boxed(d, c, 4, &given, &room) ||
	    (!is_info(level, name) && !value_bytes(d, c, want, &size)))
		return CALL_ENDED;
	if (given && room < 0)
		return -TERN_EINVAL;
	len = given ? (size_t)MIN(room, VALUE_MAX - 1) : VALUE_MAX - 1;
	r = tern_getsockopt(d->st, fd->sock, (int)level, (int)name, got, &len);
	if (r == 0 && is_info(level, name) && call_arg(c, 3)->kind == EXPR_LIST)
		compare_info(d, c, got);
	else if (r == 0 && size > 0)
		compare_value(d, c, want, got);
	return judge_option(d, c, r);
}
