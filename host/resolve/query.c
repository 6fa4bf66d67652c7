/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * query.c - one name and one type: whom to ask, how long to wait, and which answer to believe.
 *
 * Servers are asked in turn, each for the time that resolv.conf says, and round again as often as
 * it says. A server that answers to no use (it failed, refuses, is lame) is not asked again.
 *
 * Whoever wants to forge an answer has to guess: each question goes from a fresh socket, with a
 * random port and a random number, to one server, whose answers alone the stack lets through; the
 * answer must repeat the question (RFC 5452 9). What does not fit is ignored, and so is what cannot
 * be read: it ends no waiting. Nobody gets several chances at once: equal questions are one.
 */
#include "resolve_impl.h"

enum { PORT_MIN = 1024, PORT_TRIES = 16, DNS_PORT = 53 };

static unsigned server_now(const struct query *q)
{
	return (q->first + q->tries - 1) % q->n_servers;
}

static void close_question(struct query *q)
{
	struct tern_stack *st = q->r->wish.st;

	if (q->sock && q->state >= QUERY_TCP_CONNECTING && q->state != QUERY_TCP_READING)
		tern_abort(st, q->sock);
	else if (q->sock)
		tern_close(st, q->sock);
	q->sock = 0;
	query_tcp_end(q);
	q->state = QUERY_IDLE;
}

static void end_query(struct query *q, enum tern_resolver_error error)
{
	close_question(q);
	q->error = error;
	q->state = QUERY_DONE;
}

/* ---- asking ---- */

/* RFC 5452 9.2: any port but the well-known ones, drawn anew each time. */
static bool bind_anywhere(struct query *q, uint16_t family)
{
	struct tern_addr at = { .family = family };

	for (int i = 0; i < PORT_TRIES; i++) {
		at.port = (uint16_t)(PORT_MIN + rand_below(&q->r->rand, 65536 - PORT_MIN));
		if (tern_bind(q->r->wish.st, q->sock, &at) == 0)
			return true;
	}
	return false;
}

static bool ask_by_udp(struct query *q, const struct tern_addr *server)
{
	struct tern_stack *st = q->r->wish.st;
	uint8_t buf[DNS_QUERY_MAX];
	size_t len = dns_emit_query(buf, q->id, &q->question, q->edns);

	if (tern_socket(st, server->family, TERN_SOCK_DGRAM, 0, &q->sock) != 0) {
		q->sock = 0;
		return false;
	}
	tern_set_user(st, q->sock, q->r->wish.user);
	q->state = QUERY_UDP;
	return bind_anywhere(q, server->family) && tern_connect(st, q->sock, server) == 0 &&
	       tern_send(st, q->sock, buf, len, 0) == (int64_t)len;
}

/* false: it cannot be reached. */
static bool ask_server(struct query *q)
{
	const struct tern_addr *server = &q->server[server_now(q)];

	close_question(q);
	q->id = (uint16_t)rand_u32(&q->r->rand);
	q->edns = !(q->plain >> server_now(q) & 1);
	q->until = q->r->now + q->r->conf.timeout_s * TERN_SEC;
	return q->by_tcp || q->r->conf.use_tcp ? query_tcp_begin(q, server) : ask_by_udp(q, server);
}

/* Of what servers have done the most hopeful counts: who was silent may answer another time. */
static void note_failure(struct query *q, enum tern_resolver_cause cause)
{
	static const uint8_t rank[] = {
		[TERN_RESOLVER_REFUSED] = 1,  [TERN_RESOLVER_LOOPS] = 2,
		[TERN_RESOLVER_SERVFAIL] = 3, [TERN_RESOLVER_UNREACHABLE] = 4,
		[TERN_RESOLVER_SILENT] = 5,
	};

	if (q->cause == TERN_RESOLVER_BY_SERVER || rank[cause] > rank[q->cause]) {
		q->cause = cause;
		q->told_by = q->server[server_now(q)];
	}
}

static void ask_next_server(struct query *q)
{
	unsigned tries_max = q->n_servers * q->r->conf.attempts;

	q->by_tcp = false;
	while (q->tries < tries_max) {
		q->tries++;
		if (q->given_up >> server_now(q) & 1)
			continue;
		if (ask_server(q))
			return;
		note_failure(q, TERN_RESOLVER_UNREACHABLE);
		q->given_up |= 1u << server_now(q);
	}
	end_query(q, q->cause == TERN_RESOLVER_REFUSED || q->cause == TERN_RESOLVER_LOOPS ?
			     TERN_RESOLVER_FAIL :
			     TERN_RESOLVER_AGAIN);
}

static void give_server_up(struct query *q, enum tern_resolver_cause cause)
{
	note_failure(q, cause);
	q->given_up |= 1u << server_now(q);
	ask_next_server(q);
}

/* ---- answers ---- */

static void take_result(struct query *q, const uint8_t *msg, size_t len)
{
	dns_read_result(msg, len, &q->question, &q->result);
	if (q->result.kind == DNS_LAME) {
		give_server_up(q, TERN_RESOLVER_SERVFAIL);
		return;
	}
	if (q->result.kind == DNS_LOOPS) {
		give_server_up(q, TERN_RESOLVER_LOOPS);
		return;
	}
	q->cause = TERN_RESOLVER_BY_SERVER;
	q->told_by = q->server[server_now(q)];
	cache_put(&q->r->cache, &q->question, &q->result);
	end_query(q, q->result.kind == DNS_FOUND   ? TERN_RESOLVER_OK :
		     q->result.kind == DNS_NO_DATA ? TERN_RESOLVER_NODATA :
						     TERN_RESOLVER_NONAME);
}

/* RFC 6891 7: it does not understand EDNS; without, it may understand us. */
static bool is_edns_to_blame(const struct query *q, unsigned rcode)
{
	return q->edns && (rcode == DNS_FORMERR || rcode == DNS_NOTIMP || rcode == DNS_BADVERS);
}

static void ask_plainly(struct query *q)
{
	q->plain |= 1u << server_now(q);
	if (!ask_server(q))
		give_server_up(q, TERN_RESOLVER_UNREACHABLE);
}

static void ask_again_by_tcp(struct query *q)
{
	q->by_tcp = true;
	if (!ask_server(q))
		give_server_up(q, TERN_RESOLVER_UNREACHABLE);
}

/* Is it an answer to what we asked? A server that did not read the question may leave it out. */
static bool is_answer(const struct query *q, const uint8_t *msg, size_t len)
{
	struct dns_head h;

	if (!dns_read_head(msg, len, &h) || h.id != q->id || !(h.flags & DNS_QR) ||
	    (h.flags & DNS_OPCODE))
		return false;
	if (h.n[DNS_QUESTION] == 0 && is_edns_to_blame(q, h.rcode))
		return true;
	return dns_asks(msg, len, &q->question);
}

/* false: it is not what we wait for. */
static bool take_message(struct query *q, const uint8_t *msg, size_t len)
{
	struct dns_head h;

	if (!is_answer(q, msg, len))
		return false;
	dns_read_head(msg, len, &h);
	if ((h.flags & DNS_TC) && q->state == QUERY_UDP) { /* it may end anywhere: RFC 7766 5 */
		ask_again_by_tcp(q);
		return true;
	}
	if (!dns_check(msg, len, &h))
		return false;
	if (is_edns_to_blame(q, h.rcode))
		ask_plainly(q);
	else if (h.rcode == DNS_NOERROR || h.rcode == DNS_NXDOMAIN)
		take_result(q, msg, len);
	else
		give_server_up(q, h.rcode == DNS_SERVFAIL ? TERN_RESOLVER_SERVFAIL :
							    TERN_RESOLVER_REFUSED);
	return true;
}

static void advance_udp(struct query *q)
{
	uint8_t buf[DNS_UDP_MAX];
	struct tern_iovec iov = { buf, sizeof(buf) };
	struct tern_msg m;
	tern_sock sock = q->sock;

	while (q->state == QUERY_UDP && q->sock == sock) {
		int64_t n;

		tern_msg_init(&m, &iov, 1);
		n = tern_recvmsg(q->r->wish.st, q->sock, &m, 0);
		if (n == -TERN_EAGAIN)
			return;
		if (n == -TERN_ECONNREFUSED) {
			give_server_up(q, TERN_RESOLVER_UNREACHABLE);
		} else if (n < 0) { /* the way may be another next time */
			note_failure(q, TERN_RESOLVER_UNREACHABLE);
			ask_next_server(q);
		} else if (!(m.flags & TERN_MSG_TRUNC)) { /* larger than we said: it is no answer */
			take_message(q, buf, (size_t)n);
		}
	}
}

static void advance_tcp(struct query *q)
{
	tern_sock sock = q->sock;

	while (q->sock == sock && sock) {
		enum stream_news news = query_tcp_advance(q);

		if (news == STREAM_WAITS)
			return;
		if (news == STREAM_FAILED)
			give_server_up(q, TERN_RESOLVER_UNREACHABLE);
		else if (!take_message(q, q->stream->bytes + 2, q->stream->len - 2))
			query_tcp_next(q);
	}
}

void query_advance(struct query *q)
{
	if (q->state == QUERY_UDP)
		advance_udp(q);
	if (q->state >= QUERY_TCP_CONNECTING && q->state <= QUERY_TCP_READING)
		advance_tcp(q);
	if (q->state != QUERY_DONE && q->r->now >= q->until) {
		note_failure(q, TERN_RESOLVER_SILENT);
		ask_next_server(q);
	}
}

/* ---- beginning and ending ---- */

static struct query *find_query(struct tern_resolver *r, const struct dns_question *question)
{
	for (struct list *l = r->queries.next; l != &r->queries; l = l->next) {
		struct query *q = CONTAINER_OF(l, struct query, link);

		if (q->state != QUERY_DONE && q->question.type == question->type &&
		    dns_name_equal(&q->question.name, &question->name))
			return q;
	}
	return NULL;
}

struct query *query_begin(struct tern_resolver *r, const struct dns_question *question)
{
	struct query *q = find_query(r, question);

	if (q) { /* RFC 5452 5: two of one kind would double a forger's chances */
		q->n_asks++;
		return q;
	}
	q = resolver_alloc(r, sizeof(*q));
	if (!q)
		return NULL;
	memset(q, 0, sizeof(*q));
	q->r = r;
	q->question = *question;
	q->n_asks = 1;
	q->n_servers = resolver_servers(r, q->server);
	for (unsigned i = 0; i < q->n_servers; i++)
		if (q->server[i].port == 0)
			q->server[i].port = DNS_PORT;
	list_init(&q->link);
	list_put_tail(&r->queries, &q->link);
	if (q->n_servers == 0) {
		q->cause = TERN_RESOLVER_NO_SERVER;
		end_query(q, TERN_RESOLVER_AGAIN);
		return q;
	}
	q->first = r->conf.rotate ? r->n_begun % q->n_servers : 0;
	r->n_begun++;
	ask_next_server(q);
	return q;
}

void query_leave(struct query *q)
{
	if (--q->n_asks > 0)
		return;
	close_question(q);
	list_unlink(&q->link);
	resolver_dispose(q->r, q, sizeof(*q));
}
