/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eyeballs.c - which address of a host to connect to, when several may or may not answer?
 *
 * RFC 8305. IPv6 and IPv4 addresses are asked for at once. An answer with IPv6 begins at once, one
 * with IPv4 alone waits a little for the other (3). Addresses are ordered by RFC 6724, families
 * take turns (4). An attempt that has not ended after a quarter of a second gets company, one that
 * fails a successor at once (5). The first connection wins, and the others are reset.
 */
#include "resolve_impl.h"

enum { SIX, FOUR };

static const tern_time resolution_delay = 50 * TERN_MS;
static const tern_time attempt_delay = 250 * TERN_MS;

/* ---- addresses ---- */

static void add_waiting(struct tern_eyeballs *e, const struct tern_addr *addr, unsigned n)
{
	for (unsigned i = 0; i < n && e->n_waiting < TERN_RESOLVER_ADDRS_MAX; i++) {
		e->waiting[e->n_waiting] = addr[i];
		e->waiting[e->n_waiting++].port = e->wish.port;
	}
	order_addresses(e->wish.st, e->waiting, e->n_waiting);
}

static int ask_family(struct tern_eyeballs *e, int which)
{
	struct tern_resolver_question q = { .name = e->wish.host,
					    .family = which == SIX ? TERN_AF_INET6 : TERN_AF_INET,
					    .first_name_only = true,
					    .user = e };

	return tern_resolver_ask(e->wish.r, &q, &e->ask[which]);
}

int tern_eyeballs_begin(struct tern_eyeballs *e, const struct tern_eyeballs_wish *wish,
			tern_time now)
{
	int err = 0;

	memset(e, 0, sizeof(*e));
	e->wish = *wish;
	e->now = e->next_at = now;
	if (wish->n_addrs > 0) {
		add_waiting(e, wish->addr, wish->n_addrs);
		return 0;
	}
	err = ask_family(e, SIX);
	if (!err)
		err = ask_family(e, FOUR);
	if (err)
		tern_eyeballs_end(e);
	return err;
}

bool tern_eyeballs_on_answer(struct tern_eyeballs *e, const struct tern_resolver_answer *a)
{
	int which = a->id == e->ask[SIX] ? SIX : FOUR;

	if (a->id == 0 || a->id != e->ask[which])
		return false;
	e->now = MAX(e->now, tern_now(e->wish.st));
	e->ask[which] = 0;
	if (a->error == TERN_RESOLVER_OK && e->n_attempts == 0) {
		/* 3: IPv6 may be about to come */
		e->next_at = e->now + (e->ask[SIX] ? resolution_delay : 0);
	} else if (e->n_waiting > 0 && e->n_attempts == 0) {
		e->next_at = e->now; /* it does not come */
	}
	if (a->error == TERN_RESOLVER_OK)
		add_waiting(e, a->addr, a->n_addrs);
	else if (a->error > e->failure.error)
		e->failure = *a;
	return true;
}

/* 4: the best of the family that was not last in turn; there is one that waits. */
static struct tern_addr take_waiting(struct tern_eyeballs *e)
{
	unsigned at = 0;
	struct tern_addr a;

	if (e->n_attempts > 0)
		while (at < e->n_waiting &&
		       e->waiting[at].family == e->attempt[e->n_attempts - 1].addr.family)
			at++;
	at = at < e->n_waiting ? at : 0;
	a = e->waiting[at];
	e->n_waiting--;
	memmove(e->waiting + at, e->waiting + at + 1, (e->n_waiting - at) * sizeof(a));
	return a;
}

/* ---- attempts ---- */

static void end_attempt(struct tern_eyeballs *e, struct tern_eyeballs_attempt *t, int error)
{
	if (t->sock)
		tern_abort(e->wish.st, t->sock);
	t->sock = 0;
	t->error = error;
	e->next_at = MIN(e->next_at, e->now);
}

static void begin_attempt(struct tern_eyeballs *e)
{
	struct tern_eyeballs_attempt *t = &e->attempt[e->n_attempts];
	int err;

	t->addr = take_waiting(e);
	t->error = 0;
	e->n_attempts++;
	e->next_at = e->now + attempt_delay;
	err = tern_socket(e->wish.st, t->addr.family, TERN_SOCK_STREAM, 0, &t->sock);
	if (err)
		t->sock = 0;
	else
		err = tern_connect(e->wish.st, t->sock, &t->addr);
	if (err != -TERN_EINPROGRESS)
		end_attempt(e, t, -err);
}

static void win(struct tern_eyeballs *e, struct tern_eyeballs_attempt *t)
{
	e->state = TERN_EYEBALLS_CONNECTED;
	e->sock = t->sock;
	e->addr = t->addr;
	t->sock = 0;
	tern_eyeballs_end(e);
}

static void look_at_attempt(struct tern_eyeballs *e, struct tern_eyeballs_attempt *t)
{
	int32_t error = 0;
	size_t len = sizeof(error);

	if (!(tern_poll(e->wish.st, t->sock) & (TERN_POLLOUT | TERN_POLLERR | TERN_POLLHUP)))
		return;
	tern_getsockopt(e->wish.st, t->sock, TERN_SOL_SOCKET, TERN_SO_ERROR, &error, &len);
	if (error)
		end_attempt(e, t, error);
	else
		win(e, t);
}

static bool is_next_possible(const struct tern_eyeballs *e)
{
	return e->state == TERN_EYEBALLS_BUSY && e->n_waiting > 0 &&
	       e->n_attempts < TERN_EYEBALLS_ATTEMPTS_MAX;
}

static bool is_anything_under_way(const struct tern_eyeballs *e)
{
	for (unsigned i = 0; i < e->n_attempts; i++)
		if (e->attempt[i].sock)
			return true;
	return e->ask[SIX] || e->ask[FOUR] || is_next_possible(e);
}

enum tern_eyeballs_state tern_eyeballs_advance(struct tern_eyeballs *e, tern_time now)
{
	e->now = MAX(e->now, now);
	for (unsigned i = 0; i < e->n_attempts && e->state == TERN_EYEBALLS_BUSY; i++)
		if (e->attempt[i].sock)
			look_at_attempt(e, &e->attempt[i]);
	while (is_next_possible(e) && e->now >= e->next_at)
		begin_attempt(e);
	if (e->state == TERN_EYEBALLS_BUSY && !is_anything_under_way(e))
		e->state = TERN_EYEBALLS_FAILED;
	return e->state;
}

tern_time tern_eyeballs_deadline(const struct tern_eyeballs *e)
{
	return is_next_possible(e) ? e->next_at : TERN_NEVER;
}

void tern_eyeballs_end(struct tern_eyeballs *e)
{
	for (unsigned i = 0; i < e->n_attempts; i++)
		if (e->attempt[i].sock)
			end_attempt(e, &e->attempt[i], 0);
	for (int i = 0; i < 2; i++)
		if (e->ask[i])
			tern_resolver_cancel(e->wish.r, e->ask[i]);
	e->ask[SIX] = e->ask[FOUR] = 0;
}
