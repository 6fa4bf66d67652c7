/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * call.c - making a call and judging its result; arguments and descriptors.
 */
#include "calls.h"

#include <string.h>

#include "run.h"

static const struct call_kind kinds[] = {
	{ "socket", 3, 3, run_socket, true },
	{ "bind", 3, 3, run_bind, false },
	{ "listen", 2, 2, run_listen, false },
	{ "accept", 3, 3, run_accept, true },
	{ "accept4", 4, 4, run_accept, true },
	{ "connect", 3, 3, run_connect, false },
	{ "shutdown", 2, 2, run_shutdown, false },
	{ "close", 1, 1, run_close, false },
	{ "fcntl", 2, 3, run_fcntl, false },
	{ "ioctl", 3, 3, run_ioctl, false },
	{ "getsockname", 3, 3, run_getsockname, false },
	{ "getpeername", 3, 3, run_getpeername, false },
	{ "poll", 3, 3, run_poll, false },
	{ "epoll_create", 1, 1, run_epoll_create, true },
	{ "epoll_create1", 1, 1, run_epoll_create, true },
	{ "epoll_ctl", 4, 4, run_epoll_ctl, false },
	{ "epoll_wait", 4, 4, run_epoll_wait, false },
	{ "getsockopt", 5, 5, run_getsockopt, false },
	{ "setsockopt", 5, 5, run_setsockopt, false },
	{ "read", 3, 3, run_read, false },
	{ "recv", 4, 4, run_recv, false },
	{ "recvfrom", 6, 6, run_recv, false },
	{ "recvmsg", 3, 3, run_recvmsg, false },
	{ "readv", 3, 3, run_readv, false },
	{ "write", 3, 3, run_write, false },
	{ "send", 4, 4, run_send, false },
	{ "sendto", 6, 6, run_sendto, false },
	{ "sendmsg", 3, 3, run_sendmsg, false },
	{ "writev", 3, 3, run_writev, false },
};

const struct call_kind *call_find(struct slice name)
{
	for (size_t i = 0; i < N_ELEMENTS(kinds); i++)
		if (slice_is(name, kinds[i].name))
			return &kinds[i];
	return NULL;
}

bool call_is_missing(struct slice name)
{
	static const char *const names[] = {
		"cap_set",     "open",	 "pipe",	 "sendfile",	 "splice",
		"epoll_pwait", "ppoll",	 "psp_rx_assoc", "psp_tx_assoc", "pselect",
		"recvmmsg",    "select", "sendmmsg",
	};
	static const char prefix[] = "sctp_"; /* there is a packetdrill for it, too */

	for (size_t i = 0; i < N_ELEMENTS(names); i++)
		if (slice_is(name, names[i]))
			return true;
	return name.len >= sizeof(prefix) && memcmp(name.text, prefix, sizeof(prefix) - 1) == 0;
}

/* ---- arguments ---- */

const struct expr *call_arg(const struct calling *c, unsigned i)
{
	const struct expr *e = c->ev->call.args;

	while (e && i-- > 0)
		e = e->next;
	return e;
}

bool call_mistyped(struct drill *d, const struct calling *c, unsigned i, const char *wanted)
{
	drill_end(d, DRILL_BROKEN, "%s: argument %u must be %s", c->ev->call.kind->name, i + 1,
		  wanted);
	return false;
}

bool call_int(struct drill *d, const struct calling *c, unsigned i, int64_t *out)
{
	const struct expr *e = call_arg(c, i);

	if (!e || e->kind != EXPR_INT)
		return call_mistyped(d, c, i, "a number");
	*out = e->number;
	return true;
}

bool call_boxed(struct drill *d, const struct calling *c, unsigned i, bool *given, int64_t *out)
{
	const struct expr *e = call_arg(c, i);

	*given = e && e->kind != EXPR_ANY;
	*out = 0;
	if (!*given)
		return true;
	if (e->kind != EXPR_LIST || !e->items || e->items->kind != EXPR_INT || e->items->next)
		return call_mistyped(d, c, i, "one number in brackets, or ...");
	*out = e->items->number;
	return true;
}

const struct expr *expr_field(const struct expr *e, const char *name)
{
	if (!e || e->kind != EXPR_LIST)
		return NULL;
	for (e = e->items; e; e = e->next)
		if (e->name && strcmp(e->name, name) == 0)
			return e;
	return NULL;
}

bool expr_number(const struct expr *e, const char *name, int64_t *out)
{
	e = expr_field(e, name);
	if (!e || e->kind != EXPR_INT)
		return false;
	*out = e->number;
	return true;
}

/* {sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr("192.0.2.1")} */
static bool read_addr(const struct expr *e, struct tern_addr *out)
{
	const struct expr *ip = expr_field(e, "sin_addr");
	int64_t family, port;
	char text[64];

	if (!expr_number(e, "sa_family", &family) || !expr_number(e, "sin_port", &port) || !ip ||
	    ip->kind != EXPR_STRING || ip->text.len >= sizeof(text))
		return false;
	memcpy(text, ip->text.text, ip->text.len);
	text[ip->text.len] = 0;
	if (tern_addr_parse(text, (uint16_t)port, out) != 0)
		return false;
	out->family = (uint16_t)family;
	return true;
}

bool call_addr(struct drill *d, const struct calling *c, unsigned i, bool remote,
	       struct tern_addr *out)
{
	const struct expr *e = call_arg(c, i);

	if (e && e->kind == EXPR_INT && e->number == TERN_AF_UNSPEC) {
		*out = (struct tern_addr){ .family = TERN_AF_UNSPEC };
		return true;
	}
	*out = drill_addr(d, remote, remote ? d->s->connect_port : d->s->bind_port);
	return !e || e->kind == EXPR_ANY || read_addr(e, out) ||
	       call_mistyped(d, c, i, "{sa_family=..., sin_port=..., sin_addr=...} or ...");
}

bool call_read_addr(struct drill *d, const struct calling *c, const struct expr *e,
		    struct tern_addr *out)
{
	if (read_addr(e, out))
		return true;
	drill_end(d, DRILL_BROKEN,
		  "%s: an address is {sa_family=..., sin_port=..., sin_addr=...} or ...",
		  c->ev->call.kind->name);
	return false;
}

void call_check_addr_expr(struct drill *d, const struct calling *c, const struct expr *e,
			  const struct tern_addr *got)
{
	char wanted[TERN_ADDR_TEXT_MAX], actual[TERN_ADDR_TEXT_MAX];
	struct tern_addr want;

	if (!e || e->kind == EXPR_ANY || !call_read_addr(d, c, e, &want))
		return;
	if (want.family != got->family || want.port != got->port ||
	    memcmp(want.ip, got->ip, sizeof(want.ip)) != 0)
		drill_end(d, DRILL_FAILED,
			  "the address of %.*s differs\n  expected  %s\n"
			  "  actual    %s",
			  (int)c->ev->call.text.len, c->ev->call.text.text,
			  tern_addr_format(&want, true, wanted),
			  tern_addr_format(got, true, actual));
}

void call_check_addr(struct drill *d, const struct calling *c, unsigned i,
		     const struct tern_addr *got)
{
	call_check_addr_expr(d, c, call_arg(c, i), got);
}

void call_differs(struct drill *d, const struct calling *c, const char *what, int64_t want,
		  int64_t got)
{
	drill_end(d, DRILL_FAILED, "%s of %.*s differs\n  expected  %lld\n  actual    %lld", what,
		  (int)c->ev->call.text.len, c->ev->call.text.text, (long long)want,
		  (long long)got);
}

/* ---- descriptors ---- */

struct fd *fd_find(struct drill *d, int64_t number)
{
	for (int i = 0; i < FDS_MAX; i++)
		if (d->fds[i].used && d->fds[i].number == number)
			return &d->fds[i];
	return NULL;
}

struct fd *call_fd(struct drill *d, const struct calling *c, unsigned i, int64_t *error)
{
	struct fd *fd;
	int64_t number;

	*error = CALL_ENDED;
	if (!call_int(d, c, i, &number))
		return NULL;
	fd = fd_find(d, number);
	*error = -TERN_EBADF;
	return fd;
}

int64_t call_open(struct drill *d, const struct calling *c, tern_sock sock, int type, bool nonblock)
{
	const struct expr *want = c->ev->call.result;
	int number = 3;

	if (want->kind == EXPR_INT && want->number >= 0 && want->number <= INT32_MAX)
		number = (int)want->number;
	else
		while (fd_find(d, number))
			number++;
	if (fd_find(d, number)) {
		drill_end(d, DRILL_BROKEN, "descriptor %d is open already", number);
		tern_close(d->st, sock);
		return CALL_ENDED;
	}
	for (int i = 0; i < FDS_MAX; i++) {
		if (d->fds[i].used)
			continue;
		d->fds[i] = (struct fd){ .used = true,
					 .nonblock = nonblock,
					 .number = number,
					 .type = type,
					 .sock = sock };
		if (type == TERN_SOCK_STREAM)
			d->last_fd = number;
		return number;
	}
	drill_end(d, DRILL_UNSUPPORTED, "more than %d open descriptors", FDS_MAX);
	tern_close(d->st, sock);
	return CALL_ENDED;
}

int64_t call_or_wait(const struct calling *c, const struct fd *fd, int64_t result)
{
	if (result == -TERN_EAGAIN && c->ev->call.blocking && !fd->nonblock)
		return CALL_WAIT;
	return result;
}

/* ---- results ---- */

static bool as_expected(const struct call *call, int64_t result)
{
	int64_t value = result < 0 ? -1 : result;

	if (call->result->kind == EXPR_ANY)
		return true;
	if (call->result->kind != EXPR_INT || call->result->number != value)
		return false;
	return !call->error || result == -call->error;
}

static void print_result(int64_t result, char *buf, size_t len)
{
	if (result >= 0)
		snprintf(buf, len, "%lld", (long long)result);
	else
		snprintf(buf, len, "-1 %s", tern_errno_name((int)result));
}

static void judge_result(struct drill *d, const struct calling *c, int64_t result)
{
	const struct call *call = &c->ev->call;
	tern_time slack = d->s->tolerance;
	char text[40], wanted[24], actual[24];

	if (result == CALL_ENDED || d->outcome != DRILL_PASSED)
		return;
	d->line = c->ev->line;
	if (!as_expected(call, result)) {
		print_result(result, text, sizeof(text));
		drill_end(d, DRILL_FAILED,
			  "result differs\n  expected  %.*s = %.*s\n"
			  "  actual    %.*s = %s",
			  (int)call->text.len, call->text.text, (int)call->result_text.len,
			  call->result_text.text, (int)call->text.len, call->text.text, text);
	} else if (call->blocking && (d->now + slack < c->end || d->now > c->end + slack)) {
		drill_end(d, DRILL_FAILED,
			  "%.*s returns at another time\n  expected  %s\n"
			  "  actual    %s",
			  (int)call->text.len, call->text.text, drill_time(d, c->end, wanted),
			  drill_time(d, d->now, actual));
	}
}

void call_start(struct drill *d, const struct event *ev, tern_time end)
{
	struct calling c = { .ev = ev, .end = end, .timer = TERN_NEVER };
	int64_t result = ev->call.kind->run(d, &c);

	if (result == CALL_WAIT)
		d->calling = c;
	else
		judge_result(d, &c, result);
	drill_settle(d);
}

bool call_retry(struct drill *d)
{
	struct calling c = d->calling;
	int64_t done = c.done, result = c.ev->call.kind->run(d, &c);

	if (result == CALL_WAIT) {
		d->calling = c;
		return c.done != done;
	}
	d->calling.ev = NULL;
	judge_result(d, &c, result);
	return true;
}
