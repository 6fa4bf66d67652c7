/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls_option.c - getsockopt and setsockopt: integers, struct linger, and text.
 */
#include <string.h>

#include "run.h"

enum { VALUE_MAX = 256 };

/* The value of an option as bytes; *size 0: "...". */
static bool value_bytes(struct drill *d, const struct calling *c, uint8_t bytes[VALUE_MAX],
			size_t *size)
{
	const struct expr *e = call_arg(c, 3), *on = expr_field(e, "onoff"),
			  *linger = expr_field(e, "linger");
	struct tern_linger l;
	int32_t v;

	memset(bytes, 0, VALUE_MAX);
	*size = 0;
	if (e->kind == EXPR_ANY)
		return true;
	if (on && linger) {
		l = (struct tern_linger){ (int32_t)on->number, (int32_t)linger->number };
		*size = sizeof(l);
		memcpy(bytes, &l, sizeof(l));
		return true;
	}
	if (e->kind == EXPR_STRING && e->text.len < VALUE_MAX) {
		*size = e->text.len + 1;
		memcpy(bytes, e->text.text, e->text.len);
		return true;
	}
	if (e->kind != EXPR_LIST || !e->items || e->items->kind != EXPR_INT || e->items->next)
		return call_mistyped(d, c, 3, "[number], {onoff=..., linger=...}, text or ...");
	v = (int32_t)e->items->number;
	*size = sizeof(v);
	memcpy(bytes, &v, sizeof(v));
	return true;
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
	return tern_setsockopt(d->st, fd->sock, (int)level, (int)name, bytes, (size_t)len);
}

static void compare_value(struct drill *d, const struct calling *c, const uint8_t *want,
			  const uint8_t *got)
{
	const struct expr *e = call_arg(c, 3);
	struct tern_linger wl, gl;
	int32_t wv, gv;

	if (e->kind == EXPR_STRING) {
		if (strcmp((const char *)want, (const char *)got) != 0)
			drill_end(d, DRILL_FAILED,
				  "the value differs\n  expected  \"%s\"\n"
				  "  actual    \"%s\"",
				  (const char *)want, (const char *)got);
		return;
	}
	if (expr_field(e, "onoff")) {
		memcpy(&wl, want, sizeof(wl));
		memcpy(&gl, got, sizeof(gl));
		if (wl.onoff != gl.onoff)
			call_differs(d, c, "onoff", wl.onoff, gl.onoff);
		if (wl.linger != gl.linger)
			call_differs(d, c, "linger", wl.linger, gl.linger);
		return;
	}
	memcpy(&wv, want, sizeof(wv));
	memcpy(&gv, got, sizeof(gv));
	if (wv != gv)
		call_differs(d, c, "the value", wv, gv);
}

int64_t run_getsockopt(struct drill *d, struct calling *c)
{
	uint8_t want[VALUE_MAX], got[VALUE_MAX] = { 0 };
	int64_t level, name, room, error;
	struct fd *fd = call_fd(d, c, 0, &error);
	size_t size, len;
	bool given;
	int r;

	if (!fd)
		return error;
	if (!call_int(d, c, 1, &level) || !call_int(d, c, 2, &name) ||
	    !value_bytes(d, c, want, &size) || !call_boxed(d, c, 4, &given, &room))
		return CALL_ENDED;
	if (given && room < 0)
		return -TERN_EINVAL;
	len = given ? (size_t)MIN(room, VALUE_MAX - 1) : VALUE_MAX - 1;
	r = tern_getsockopt(d->st, fd->sock, (int)level, (int)name, got, &len);
	if (r == 0 && size > 0)
		compare_value(d, c, want, got);
	return r;
}
