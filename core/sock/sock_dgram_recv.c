/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock_dgram_recv.c - what has a datagram, raw or echo socket heard: datagrams and errors?
 *
 * A datagram is copied into a record of its own size; the sum of the records' sizes is charged to
 * SO_RCVBUF, and what does not fit is dropped and counted. ICMP errors become the socket's pending
 * error when it is connected, and records of the error queue when IP_RECVERR asks for them (RFC
 * 1122 4.1.3.3).
 */
#include "sock_dgram.h"

enum { ERRORS_SIZE_MAX = 16384 };

static void queue_put(struct dgram_queue *q, struct dgram_rec *rec)
{
	rec->next = NULL;
	*q->tail = rec;
	q->tail = &rec->next;
	q->size += rec->size;
}

static void queue_drop_first(struct sockets *ss, struct dgram_queue *q)
{
	struct dgram_rec *rec = q->head;

	q->head = rec->next;
	if (!q->head)
		q->tail = &q->head;
	q->size -= rec->size;
	mem_free(ss->mem, rec, rec->size);
}

static struct dgram_rec *new_rec(struct sockets *ss, uint32_t len)
{
	uint32_t size = (uint32_t)sizeof(struct dgram_rec) + len;
	struct dgram_rec *rec = mem_new(ss->mem, size);

	if (!rec)
		return NULL;
	memset(rec, 0, sizeof(*rec));
	rec->size = size;
	rec->len = len;
	rec->at = ss->timers->now;
	return rec;
}

enum tern_drop dgram_put(struct sockets *ss, struct sock *s, const struct dgram_in *in)
{
	struct dgram *d = s->dgram;
	struct dgram_rec *rec;

	if (s->index == NO_INDEX) /* closed; what it sent is still to go */
		return TERN_DROP_SOCK_QUEUE_FULL;
	if (d->recv.head && d->recv.size + sizeof(*rec) + in->len > d->rcvbuf) {
		d->drops++;
		if (s->type == TERN_SOCK_DGRAM && s->protocol == TERN_IPPROTO_UDP)
			ss->counters[COUNT_UDP_RCVBUF_ERRORS]++;
		return TERN_DROP_SOCK_QUEUE_FULL;
	}
	rec = new_rec(ss, in->len);
	if (!rec) {
		d->drops++;
		return TERN_DROP_NO_MEMORY;
	}
	pkt_copy_out(in->pkt, in->off, rec->bytes, in->len);
	rec->from = in->src;
	rec->to = in->dst;
	rec->from_port = in->sport;
	rec->to_port = in->dport;
	rec->ifindex = in->ifindex;
	rec->ttl = in->ttl;
	rec->tos = in->tos;
	rec->flow_label = in->flow_label;
	queue_put(&d->recv, rec);
	sock_news(ss, s, NEWS_IN);
	return TERN_DROP_NONE;
}

/* ---- errors ---- */

static void queue_error(struct sockets *ss, struct sock *s, const struct dgram_error *e)
{
	struct dgram_rec *rec = NULL;

	if (s->dgram->errors.size <= ERRORS_SIZE_MAX)
		rec = new_rec(ss, e->quoted_len);
	if (!rec)
		return;
	if (e->quoted_len)
		memcpy(rec->bytes, e->quoted, e->quoted_len);
	rec->from = e->dst;
	rec->from_port = e->dport;
	rec->to = e->to;
	rec->ifindex = e->ifindex;
	rec->ttl = e->ttl;
	rec->tos = e->tos;
	rec->error = e->error;
	rec->origin = e->origin;
	rec->type = e->type;
	rec->code = e->code;
	rec->info = e->info;
	rec->offender = e->offender;
	queue_put(&s->dgram->errors, rec);
}

/* As Linux: without IP_RECVERR only hard errors of a connected socket are told. */
void dgram_on_error(struct sockets *ss, struct sock *s, const struct dgram_error *e)
{
	if (sock_choice(s, addr_is4(&e->dst))->recverr)
		queue_error(ss, s, e);
	else if (!s->connected || !e->hard)
		return;
	s->error = e->error;
	sock_news(ss, s, NEWS_ENDS);
}

/* ip(7), IP_RECVERR; RFC 3542 11.3: who wants to hears how much goes, when a datagram does not. */
COLD int dgram_refuse_large(struct sockets *ss, struct sock *s, const struct dgram_path *path)
{
	bool v4 = addr_is4(&path->dst);
	struct dgram_error e = { .dst = path->dst,
				 .dport = path->dport,
				 .ifindex = (uint16_t)path->hop.ifindex,
				 .error = TERN_EMSGSIZE,
				 .origin = ORIGIN_LOCAL,
				 .info = sock_mtu(s, &path->hop, v4) };

	if (sock_choice(s, v4)->recverr) {
		queue_error(ss, s, &e);
		sock_news(ss, s, NEWS_ENDS);
	}
	if (s->dgram->tells_path_mtu && !v4) {
		s->dgram->path_mtu = e.info;
		s->dgram->too_far = path->dst;
		sock_news(ss, s, NEWS_IN);
	}
	return -TERN_EMSGSIZE;
}

/* ---- reading ---- */

static size_t copy_to_iov(const struct tern_msg *m, const uint8_t *bytes, size_t len)
{
	size_t done = 0;

	for (size_t i = 0; i < m->n_iov && done < len; i++) {
		size_t n = MIN(m->iov[i].len, len - done);

		if (n)
			memcpy(m->iov[i].base, bytes + done, n);
		done += n;
	}
	return done;
}

static void describe(const struct sock *s, const struct dgram_rec *rec, struct tern_msg *m)
{
	sock_addr_out(s, &rec->from, rec->from_port, &m->addr);
	sock_addr_out(s, &rec->to, s->any_port ? rec->to_port : s->t.lport, &m->local);
	m->ifindex = rec->ifindex;
	if (addr_is_link_local(&rec->from) && !addr_is4(&rec->from))
		m->addr.scope_id = rec->ifindex;
	m->ttl = rec->ttl;
	m->tos = rec->tos;
	m->at = rec->at;
}

static COLD int64_t recv_error(struct sockets *ss, struct sock *s, struct tern_msg *m)
{
	const struct dgram_rec *rec = s->dgram->errors.head;
	size_t n;

	if (!rec)
		return -TERN_EAGAIN;
	describe(s, rec, m);
	m->flags |= TERN_MSG_ERRQUEUE;
	m->error = rec->error;
	m->origin = rec->origin;
	m->type = rec->type;
	m->code = rec->code;
	m->info = rec->info;
	if (rec->origin == ORIGIN_LOCAL) { /* nobody sent it */
		m->local.family = TERN_AF_UNSPEC;
		m->offender = m->local;
	} else {
		addr_to_public(&m->offender, &rec->offender, 0);
		if (addr_is_link_local(&rec->offender) && !addr_is4(&rec->offender))
			m->offender.scope_id = rec->ifindex;
	}
	n = copy_to_iov(m, rec->bytes, rec->len);
	if (n < rec->len)
		m->flags |= TERN_MSG_TRUNC;
	queue_drop_first(ss, &s->dgram->errors);
	s->error = s->dgram->errors.head ? s->dgram->errors.head->error : 0;
	return (int64_t)n;
}

/* RFC 3542 11.3: no datagram, and no bytes; the last one counts. */
static COLD int64_t recv_path_mtu(struct sock *s, struct tern_msg *m)
{
	sock_addr_out(s, &s->dgram->too_far, 0, &m->addr);
	m->flags |= TERN_MSG_PATHMTU;
	m->info = s->dgram->path_mtu;
	s->dgram->path_mtu = 0;
	return 0;
}

int64_t sock_dgram_recv(struct sockets *ss, struct sock *s, struct tern_msg *m, int flags)
{
	struct dgram_rec *rec = s->dgram->recv.head;
	size_t n, len;

	if (flags & TERN_MSG_ERRQUEUE)
		return recv_error(ss, s, m);
	if (s->dgram->path_mtu)
		return recv_path_mtu(s, m);
	if (s->error)
		return sock_take_error(s);
	if (!rec)
		return s->shut_rd ? 0 : -TERN_EAGAIN;
	describe(s, rec, m);
	m->flow_label = rec->flow_label;
	n = copy_to_iov(m, rec->bytes, rec->len);
	len = rec->len;
	if (n < len)
		m->flags |= TERN_MSG_TRUNC;
	if (!(flags & TERN_MSG_PEEK))
		queue_drop_first(ss, &s->dgram->recv);
	return (int64_t)(flags & TERN_MSG_TRUNC ? len : n);
}

void dgram_drop_queues(struct sockets *ss, struct dgram *d)
{
	while (d->recv.head)
		queue_drop_first(ss, &d->recv);
	while (d->errors.head)
		queue_drop_first(ss, &d->errors);
}
