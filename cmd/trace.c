/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace.c - datagrams that die on their way: sent on a UDP socket, answered in its error queue.
 */
#include "cmd.h"
#include "trace.h"

/* A socket of its own asks: the one that sends stays without a peer. */
int trace_look_at_way(struct tern_stack *st, struct tern_addr to, struct tern_addr *us,
		      uint32_t *mtu_out)
{
	bool v6 = to.family == TERN_AF_INET6;
	int32_t mtu = 0;
	size_t size = sizeof(mtu);
	tern_sock s;
	int err = tern_socket(st, to.family, TERN_SOCK_DGRAM, 0, &s);

	if (err)
		return err;
	to.port = TRACE_FIRST_PORT; /* any */
	err = tern_connect(st, s, &to);
	if (!err)
		err = tern_getsockopt(st, s, v6 ? TERN_IPPROTO_IPV6 : TERN_IPPROTO_IP,
				      v6 ? TERN_IPV6_MTU : TERN_IP_MTU, &mtu, &size);
	if (!err)
		err = tern_getsockname(st, s, us);
	*mtu_out = (uint32_t)mtu;
	us->port = 0;
	tern_close(st, s);
	return err;
}

int trace_open(struct trace *t, struct net *n, const char *host, int32_t discover)
{
	static const int32_t one = 1;
	bool v6;
	int level, err;

	t->n = n;
	t->host = host;
	err = net_parse_host(n, host, TRACE_FIRST_PORT, &t->to);
	if (err != EXIT_DONE)
		return err;
	v6 = t->to.family == TERN_AF_INET6;
	level = v6 ? TERN_IPPROTO_IPV6 : TERN_IPPROTO_IP;
	err = trace_look_at_way(n->st, t->to, &t->us, &t->mtu);
	if (!err)
		err = tern_socket(n->st, t->to.family, TERN_SOCK_DGRAM, 0, &t->s);
	if (!err)
		err = tern_setsockopt(n->st, t->s, level, v6 ? TERN_IPV6_RECVERR : TERN_IP_RECVERR,
				      &one, sizeof(one));
	if (!err)
		err = tern_setsockopt(n->st, t->s, level,
				      v6 ? TERN_IPV6_MTU_DISCOVER : TERN_IP_MTU_DISCOVER, &discover,
				      sizeof(discover));
	return net_refuse_host(n, host, err);
}

int trace_send(struct trace *t, int ttl, uint32_t len)
{
	static const uint8_t zeroes[65536];
	uint32_t headers = t->to.family == TERN_AF_INET6 ? 48 : 28;
	struct tern_iovec iov = { (void *)zeroes, len > headers ? len - headers : 0 };
	struct tern_msg m;
	int64_t sent;

	if (t->n_sent == TRACE_PROBES_MAX)
		return -1;
	tern_msg_init(&m, &iov, 1);
	m.addr = t->to;
	m.addr.port = (uint16_t)(TRACE_FIRST_PORT + t->n_sent);
	m.ttl = ttl;
	t->sent_at[t->n_sent] = loop_now();
	t->answer[t->n_sent] = (struct trace_answer){ .word = TRACE_NOTHING };
	sent = tern_sendmsg(t->n->st, t->s, &m, 0);
	return sent < 0 ? (int)sent : (int)t->n_sent++;
}

/* What Linux's traceroute prints of RFC 792's codes, and of RFC 4443's. */
static const char *mark_of(const struct tern_msg *m)
{
	static const char *const four[] = {
		[0] = "!N", [1] = "!H", [2] = "!P", [7] = "!H", [9] = "!X", [10] = "!X", [13] = "!X"
	};
	static const char *const six[] = { [0] = "!N", [1] = "!X", [2] = "!S", [3] = "!H" };

	if (m->origin == 2 && m->code < sizeof(four) / sizeof(four[0]) && four[m->code])
		return four[m->code];
	if (m->origin == 3 && m->code < sizeof(six) / sizeof(six[0]))
		return six[m->code];
	return "!?";
}

static enum trace_word word_of(const struct tern_msg *m)
{
	bool v6 = m->origin == 3;

	if (m->type == (v6 ? 3 : 11))
		return TRACE_HOP;
	if (m->error == TERN_EMSGSIZE)
		return TRACE_TOO_BIG;
	if (m->type == (v6 ? 1 : 3) && m->code == (v6 ? 4 : 3))
		return TRACE_REACHED;
	return TRACE_UNREACHABLE;
}

static void note_answer(struct trace *t, const struct tern_msg *m)
{
	unsigned i = (unsigned)m->addr.port - TRACE_FIRST_PORT;
	struct trace_answer *a = &t->answer[i % TRACE_PROBES_MAX];

	if (m->addr.port < TRACE_FIRST_PORT || i >= t->n_sent || a->word != TRACE_NOTHING)
		return;
	*a = (struct trace_answer){ .word = word_of(m),
				    .from = m->offender,
				    .took = loop_now() - t->sent_at[i],
				    .mtu = m->info };
	if (a->word == TRACE_UNREACHABLE)
		a->mark = mark_of(m);
	if (net_is_nobody(&m->offender))
		a->from = t->us;
}

static void read_answers(struct trace *t)
{
	char buf[2000];
	struct tern_iovec iov = { buf, sizeof(buf) };
	struct tern_event ev;
	struct tern_msg m;

	while (tern_event(t->n->st, &ev))
		continue;
	for (;;) {
		int64_t n;

		tern_msg_init(&m, &iov, 1);
		n = tern_recvmsg(t->n->st, t->s, &m, TERN_MSG_ERRQUEUE);
		if (n < 0)
			break;
		note_answer(t, &m);
	}
	/* somebody listens there, and answers: its port tells which */
	for (;;) {
		tern_msg_init(&m, &iov, 1);
		if (tern_recvmsg(t->n->st, t->s, &m, 0) < 0)
			break;
		m.origin = t->to.family == TERN_AF_INET6 ? 3 : 2;
		m.type = m.origin == 3 ? 1 : 3;
		m.code = m.origin == 3 ? 4 : 3;
		m.offender = m.addr;
		m.offender.port = 0;
		note_answer(t, &m);
	}
}

static bool all_answered(const struct trace *t, unsigned first, unsigned n)
{
	for (unsigned i = first; i < first + n; i++)
		if (t->answer[i].word == TRACE_NOTHING)
			return false;
	return true;
}

bool trace_wait(struct trace *t, unsigned first, unsigned n, tern_time at_most)
{
	tern_time end = loop_now() + at_most;

	while (loop_now() < end && !all_answered(t, first, n)) {
		if (net_interrupted())
			return false;
		net_turn(t->n, end, NULL, 0);
		read_answers(t);
	}
	return !net_interrupted();
}
