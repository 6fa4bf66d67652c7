/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list.c - looking inside: sockets and records, counters, the policy table.
 *
 * The cursor of a walk names a place, not a thing: what comes or goes during a walk may be missed
 * or seen, but nothing is seen twice that stays. First all slots, then what has no handle.
 */
#include "stack.h"

#include "../base/text.h"

static void describe_stream(const struct sock *s, struct tern_sock_info *out)
{
	out->state = s->state;
	if (s->state == TERN_TCP_LISTEN) {
		out->recv_queue = s->listener->n_ready;
		out->send_queue = s->listener->backlog;
	} else if (s->tcp) {
		out->timer = tcp_deadline(s->tcp);
		out->recv_queue = tcp_recv_ready(s->tcp);
		out->send_queue = s->tcp->snd.end - MIN(s->tcp->snd.una, s->tcp->snd.end);
	}
}

static void describe_sock(const struct tern_stack *st, const struct sock *s,
			  struct tern_sock_info *out)
{
	*out = (struct tern_sock_info){ .sock = sock_handle(&st->ss, s),
					.family = s->family,
					.type = s->type,
					.protocol = s->protocol,
					.timer = TERN_NEVER };
	sock_addr_out(s, &s->t.local, s->t.lport, &out->local);
	sock_addr_out(s, &s->t.remote, s->t.rport, &out->remote);
	if (sock_is_stream(s)) {
		describe_stream(s, out);
	} else {
		out->recv_queue = s->dgram->recv.size;
		out->send_queue = s->dgram->send_bytes;
	}
}

static void describe_record(const struct tern_stack *st, const struct tuple *t,
			    struct tern_sock_info *out)
{
	bool half = t->kind == TUPLE_HALF;

	*out = (struct tern_sock_info){ .type = TERN_SOCK_STREAM, .protocol = t->proto };
	out->family = addr_is4(&t->local) ? TERN_AF_INET : TERN_AF_INET6;
	addr_to_public(&out->local, &t->local, t->lport);
	addr_to_public(&out->remote, &t->remote, t->rport);
	out->state = half ? TERN_TCP_SYN_RECEIVED : TERN_TCP_TIME_WAIT;
	if (half)
		out->timer = CONTAINER_OF(t, const struct half, t)->timer.at;
	else
		out->timer = time_wait_end_at(&st->ss, CONTAINER_OF(t, const struct time_wait, t));
}

enum { IN_TABLE_SHIFT = 63 };

TERN_API bool tern_sock_next(const struct tern_stack *st, uint64_t *cursor,
			     struct tern_sock_info *out)
{
	const struct sockets *ss = &st->ss;
	struct table_node *n;
	uint64_t walk;

	while (*cursor < ss->n_slots) {
		uint32_t i = (uint32_t)(*cursor)++;
		struct sock *s = ss->pages[i / SLOTS_PER_PAGE][i % SLOTS_PER_PAGE].sock;

		if (s) {
			describe_sock(st, s, out);
			return true;
		}
	}
	if (!(*cursor >> IN_TABLE_SHIFT))
		*cursor = (uint64_t)1 << IN_TABLE_SHIFT;
	walk = *cursor & ~((uint64_t)1 << IN_TABLE_SHIFT);
	while ((n = table_walk(&ss->tuples, &walk))) {
		struct tuple *t = CONTAINER_OF(n, struct tuple, node);
		struct sock *s = CONTAINER_OF(t, struct sock, t);

		*cursor = walk | (uint64_t)1 << IN_TABLE_SHIFT;
		if (t->kind == TUPLE_SOCK && s->index != NO_INDEX)
			continue;
		if (t->kind == TUPLE_SOCK)
			describe_sock(st, s, out);
		else
			describe_record(st, t, out);
		return true;
	}
	return false;
}

TERN_API bool tern_counter_next(const struct tern_stack *st, unsigned *cursor, const char **name,
				uint64_t *value)
{
	unsigned i = (*cursor)++;

	if (i < N_COUNTS) {
		*name = count_name((enum count)i);
		*value = st->counters[i];
		return true;
	}
	i -= N_COUNTS;
	if (i + 1 >= TERN_N_DROPS)
		return false;
	*name = drop_counter_name((enum tern_drop)(i + 1));
	*value = st->drops[i + 1];
	return true;
}

TERN_API uint64_t tern_counter(const struct tern_stack *st, const char *name)
{
	unsigned cursor = 0;
	const char *each;
	uint64_t value;

	while (tern_counter_next(st, &cursor, &each, &value))
		if (text_equal(each, name))
			return value;
	return 0;
}

TERN_API int tern_policy_set(struct tern_stack *st, const struct tern_policy *lines, unsigned n)
{
	return policy_set(&st->net, lines, n);
}

TERN_API bool tern_policy_next(const struct tern_stack *st, unsigned *cursor,
			       struct tern_policy *out)
{
	return policy_next(&st->net, cursor, out);
}

TERN_API void tern_policy_of(const struct tern_stack *st, const struct tern_addr *addr,
			     struct tern_policy *out)
{
	struct addr a;

	if (!addr_from_public(&a, addr))
		a = addr_any(TERN_AF_INET6);
	policy_out(policy_of(&st->net, &a), out);
}
