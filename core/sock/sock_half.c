/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock_half.c - from a SYN to a connection that waits for accept.
 *
 * A SYN makes a half-open record that retransmits its SYN-ACK by itself; the ACK makes the
 * connection, which waits on the accept queue. Limits: as many records as the backlog (a further
 * SYN is answered with a cookie, of which nothing is kept), as many finished connections as the
 * backlog (a further SYN is dropped, and a further ACK: the record stays and asks again). A RST for
 * want of room, with which the peer would give up, only if net.ipv4.tcp_abort_on_overflow says so.
 */
#include "sock_tcp.h"

/* ---- records ---- */

void half_end(struct sockets *ss, struct half *half)
{
	tuple_remove(ss, &half->t);
	list_unlink(&half->link);
	timers_disarm(ss->timers, &half->timer);
	mem_free(ss->mem, half, sizeof(*half));
	ss->n_half--;
}

static void trace_half(struct sockets *ss, const struct half *half, enum tern_tcp_state from,
		       enum tern_tcp_state to)
{
	struct state_change change = { &half->t, half->timer.data, from, to, true };

	trace_state(ss, &change);
}

/* Against whose backlog it counts: who took the SYN, whoever would take one now. */
static struct listener *owner_of(const struct sockets *ss, const struct half *half)
{
	return sock_at(ss, half->t.node.data)->listener;
}

/* The peer reset it, or it was asked too often: back to LISTEN, nobody is told. */
static COLD void half_die(struct sockets *ss, struct half *half)
{
	trace_half(ss, half, TERN_TCP_SYN_RECEIVED, TERN_TCP_CLOSED);
	owner_of(ss, half)->n_half--;
	ss->counters[COUNT_TCP_ATTEMPT_FAILS]++;
	half_end(ss, half);
}

static struct sock *listener_of(const struct sockets *ss, const struct half *half)
{
	struct sock *s = port_match(ss, &half->t, half->t.flags);

	return s && s->state == TERN_TCP_LISTEN ? s : NULL;
}

/* RFC 1122 4.2.3.9: a hard error about our SYN,ACK. false: what it quotes is not that one. */
bool half_refuse(struct sockets *ss, struct half *half, uint32_t seq)
{
	if (seq != half->tcp.iss)
		return false;
	half_die(ss, half);
	return true;
}

/* Without a route only the MTU counts: what every host takes. */
static struct hop hop_to(const struct sockets *ss, const struct tuple *t, unsigned ifindex)
{
	bool local_link = addr_is_link_local(&t->remote);
	struct route_key key = { t->remote, t->local, local_link ? ifindex : 0 };
	struct hop hop;

	if (route_lookup(ss->net, &key, &hop)) {
		hop = (struct hop){ .mtu = addr_is4(&t->remote) ? 576 : IP6_MTU_MIN };
		hop.link_mtu = hop.mtu;
	}
	return hop;
}

static uint32_t ts_offset_of(const struct sockets *ss, const struct half *half)
{
	return half->tcp.ts_ok ? tcp_ts_offset(ss, &half->t) : 0;
}

/* The names of a reply whose header is written. */
static void address_reply(const struct sock *listener, const struct half *half,
			  struct tcp_reply *reply)
{
	const struct ip_choice *choice = sock_choice(listener, addr_is4(&half->t.remote));

	reply->due = true;
	reply->local = half->t.local;
	reply->remote = half->t.remote;
	reply->h.src_port = half->t.lport;
	reply->h.dst_port = half->t.rport;
	reply->conn = half->timer.data;
	reply->tos = choice->tos;
	reply->ttl = ip_ttl(choice);
	reply->label_choice = listener->label_choice;
	reply->ifindex = addr_is_link_local(&half->t.remote) ? half->t.flags : 0;
}

static void reply_synack(struct sockets *ss, const struct sock *listener, const struct half *half,
			 struct tcp_reply *reply)
{
	const struct tcp_ctx *x = sock_ctx(ss);

	half_synack(&half->tcp, x, ts_offset_of(ss, half), &reply->h);
	if (half->tcp.give_cookie && half_went_once(&half->tcp))
		fast_open_give_cookie(ss, &half->t, &reply->h);
	address_reply(listener, half, reply);
}

static COLD void reply_challenge(struct sockets *ss, const struct sock *listener,
				 const struct half *half, struct tcp_reply *reply)
{
	const struct tcp_ctx *x = sock_ctx(ss);

	half_ack(&half->tcp, x, ts_offset_of(ss, half), &reply->h);
	address_reply(listener, half, reply);
	reply->cause = TERN_CAUSE_CHALLENGE;
}

static void arm_synack_timer(struct sockets *ss, struct half *half)
{
	uint64_t ms = (uint64_t)ss->cfg->tcp_rto_initial_ms << MIN(half->tcp.n_retries, 16);

	ms = MIN(ms, ss->cfg->tcp_rto_max_ms);
	timers_arm(ss->timers, &half->timer, ss->timers->now + ms * TERN_MS);
}

/* ---- LISTEN ---- */

/* What is to be kept of a SYN; iss 0: one is drawn. */
static void fill_half(struct sockets *ss, const struct sock *listener, const struct tuple *key,
		      const struct tcp_packet *p, uint32_t iss, struct half *half)
{
	uint16_t user_mss = stream_tcp(listener)->opt.user_mss;
	const struct tcp_ctx *x = sock_ctx(ss);
	struct hop hop = hop_to(ss, key, p->ifindex);
	struct tcp_open open;

	memset(half, 0, sizeof(*half));
	half->t = *key;
	half->t.kind = TUPLE_HALF;
	half->t.flags = (uint8_t)p->ifindex;
	timer_init(&half->timer, TIMER_HALF);
	list_init(&half->link);
	open = tcp_open_for(ss, listener, &half->t, &hop);
	open.iss = iss ? iss : tcp_draw_isn(ss, &half->t, &p->min_iss);
	if (user_mss)
		open.adv_mss = MIN(open.adv_mss, user_mss);
	half_init(&half->tcp, x, &p->seg, &open);
}

static struct half *new_half(struct sockets *ss, const struct sock *listener,
			     const struct tuple *key, const struct tcp_packet *p)
{
	struct half *half = mem_new(ss->mem, sizeof(*half));

	if (!half)
		return NULL;
	fill_half(ss, listener, key, p, 0, half);
	half->timer.data = ++ss->next_conn;
	if (!tuple_put(ss, &half->t)) {
		mem_free(ss->mem, half, sizeof(*half));
		return NULL;
	}
	ss->n_half++;
	return half;
}

/* RFC 4987 3.6 */
static void reply_cookie(struct sockets *ss, const struct sock *listener, const struct tuple *key,
			 const struct tcp_packet *p, struct tcp_reply *reply)
{
	struct tcp_packet kept = *p; /* the SYN as the cookie can tell it */
	struct half half;
	uint32_t cookie = cookie_bake(ss, key, &kept.seg.h);

	fill_half(ss, listener, key, &kept, cookie, &half);
	reply_synack(ss, listener, &half, reply);
	if (half.tcp.ts_ok)
		reply->h.ts_val = cookie_ts_val(reply->h.ts_val, &kept.seg.h);
	ss->counters[COUNT_TCP_SYNCOOKIES_SENT]++;
}

/* Not for a user who wants to judge each SYN, nor where our number must be above another. */
static bool may_bake(const struct sockets *ss, struct sock *s, const struct tcp_packet *p)
{
	return ss->cfg->tcp_syncookies && !stream_tcp(s)->opt.defer_syn && !p->min_iss.given;
}

/* ---- SYN-RECEIVED ---- */

/* The listener's options are the child's; nothing else is. */
static void inherit(struct sock *child, const struct sock *parent, const struct half *half)
{
	*child = *parent;
	child->t = (struct tuple){ .local = half->t.local,
				   .remote = half->t.remote,
				   .lport = half->t.lport,
				   .rport = half->t.rport,
				   .proto = half->t.proto,
				   .kind = TUPLE_SOCK };
	child->port = NULL;
	timer_init(&child->timer, TIMER_SOCK);
	child->user = NULL;
	child->index = NO_INDEX;
	child->error = child->soft_error = 0;
	child->urgent_news = child->any_port = false;
	child->bound_port = false; /* its port goes with the connection */
	child->label_given = false;
	child->state = TERN_TCP_SYN_RECEIVED;
	child->conn = half->timer.data;
	child->out_ifindex = 0;
	child->tcp = NULL; /* nothing is in it yet */
	stream_tcp(child)->opt = stream_tcp(parent)->opt;
	stream_tcp(child)->cc.ops = stream_tcp(parent)->cc.ops;
	list_init(&child->bind_link);
	list_init(&child->news_link);
	list_init(&child->ready_link);
	if (addr_is_link_local(&half->t.remote))
		child->bound_ifindex = half->t.flags;
}

static struct sock *make_child(struct sockets *ss, struct sock *parent, struct half *half)
{
	struct port *port =
		parent->any_port ? port_get(ss, half->t.proto, half->t.lport) : parent->port;
	const struct tcp_ctx *x = sock_ctx(ss);
	struct tcp_open open;
	struct sock *child;
	struct hop hop;

	if (!port)
		return NULL;
	if (sock_take_room(ss, TERN_SOCK_STREAM, &child)) {
		port_release(ss, port);
		return NULL;
	}
	inherit(child, parent, half);
	port_attach(child, port, true);
	if (sock_find_route(ss, child, &hop)) {
		sock_free(ss, child);
		return NULL;
	}
	open = tcp_open_for(ss, parent, &half->t, &hop);
	open.iss = half->tcp.iss;
	/* Karn: sent once, so the ACK times it; of a cookie nobody knows */
	if (half_went_once(&half->tcp) && timer_armed(&half->timer)) {
		tern_time sent_at = half->timer.at - ss->cfg->tcp_rto_initial_ms * TERN_MS;

		open.synack_rtt = MAX(x->now - sent_at, 1);
	}
	child->tcp = stream_tcp(child);
	if (!tcp_from_half(child->tcp, x, &half->tcp, &open)) {
		sock_free(ss, child);
		return NULL;
	}
	return child;
}

static void queue_child(struct sockets *ss, struct sock *parent, struct sock *child)
{
	child->in_accept_queue = true;
	list_put_tail(&parent->listener->ready, &child->news_link);
	parent->listener->n_ready++;
	ss->counters[COUNT_TCP_PASSIVE_OPENS]++;
}

/* A child takes the segment that finishes its handshake, and waits for accept. */
static enum tern_drop adopt(struct sockets *ss, struct sock *parent, struct sock *child,
			    const struct tcp_packet *p)
{
	const struct tcp_ctx *x = sock_ctx(ss);
	struct tcp_result r;

	queue_child(ss, parent, child);
	r = tcp_input(child->tcp, x, &p->seg);
	sock_tcp_settle(ss, child, r.events);
	sock_news(ss, parent, NEWS_IN);
	return r.drop;
}

/* The accept queue is full when the handshake would end. */
static bool overflows(struct sockets *ss, const struct sock *parent, const struct tcp_packet *p,
		      struct tcp_reply *reply)
{
	struct tcp_rst rst = { .due = ss->cfg->tcp_abort_on_overflow, .seq = p->seg.h.ack };

	if (parent->listener->n_ready <= parent->listener->backlog)
		return false;
	ss->counters[COUNT_TCP_LISTEN_OVERFLOWS]++;
	tcp_reply_rst(reply, &rst);
	return true;
}

static enum tern_drop complete(struct sockets *ss, struct sock *parent, struct half *half,
			       const struct tcp_packet *p, struct tcp_reply *reply)
{
	struct sock *child;

	if (overflows(ss, parent, p, reply)) {
		if (reply->due)
			half_die(ss, half);
		return TERN_DROP_TCP_ACCEPT_QUEUE_FULL;
	}
	child = make_child(ss, parent, half);
	if (!child)
		return TERN_DROP_NO_MEMORY;
	owner_of(ss, half)->n_half--;
	tuple_replace(ss, &half->t, &child->t);
	half_end(ss, half);
	return adopt(ss, parent, child, p);
}

/* The same for a handshake of which nothing was kept but what the cookie says. */
static enum tern_drop complete_from_cookie(struct sockets *ss, struct sock *parent,
					   const struct tuple *key, const struct tcp_packet *p,
					   const struct tcp_packet *syn, struct tcp_reply *reply)
{
	struct sock *child;
	struct half half;

	ss->counters[COUNT_TCP_SYNCOOKIES_RECV]++;
	if (overflows(ss, parent, p, reply))
		return TERN_DROP_TCP_ACCEPT_QUEUE_FULL;
	fill_half(ss, parent, key, syn, p->seg.h.ack - 1, &half);
	half.timer.data = ++ss->next_conn;
	child = make_child(ss, parent, &half);
	if (!child)
		return TERN_DROP_NO_MEMORY;
	if (!tuple_put(ss, &child->t)) {
		sock_free(ss, child);
		return TERN_DROP_NO_MEMORY;
	}
	trace_half(ss, &half, TERN_TCP_LISTEN, TERN_TCP_SYN_RECEIVED);
	return adopt(ss, parent, child, p);
}

/*
 * RFC 7413 4.2.2: a SYN with a good cookie makes the connection at once; its SYN-ACK is its own to
 * send. It counts against TCP_FASTOPEN until the handshake ends.
 */
static enum tern_drop open_fast(struct sockets *ss, struct sock *parent, const struct tuple *key,
				const struct tcp_packet *p)
{
	const struct tcp_ctx *x = sock_ctx(ss);
	struct sock *child;
	struct half half;

	fill_half(ss, parent, key, p, 0, &half);
	half.timer.data = ++ss->next_conn;
	child = make_child(ss, parent, &half);
	if (!child)
		return TERN_DROP_NO_MEMORY;
	if (!tcp_accept_fast(child->tcp, x, &p->seg) || !tuple_put(ss, &child->t)) {
		sock_free(ss, child);
		return TERN_DROP_NO_MEMORY;
	}
	trace_half(ss, &half, TERN_TCP_LISTEN, TERN_TCP_SYN_RECEIVED);
	queue_child(ss, parent, child);
	fast_open_begins(ss, child);
	sock_tcp_settle(ss, child, TCP_READABLE);
	sock_news(ss, parent, NEWS_IN);
	return TERN_DROP_NONE;
}

static enum tern_drop admit_syn(struct sockets *ss, struct sock *s, const struct tuple *key,
				const struct tcp_packet *p, struct tcp_reply *reply)
{
	struct listener *l = s->listener;
	enum fast_open_verdict fast = fast_open_judge(ss, s, key, &p->seg);
	bool defers = stream_tcp(s)->opt.defer_syn;
	bool full = l->n_half > l->backlog || ss->n_half >= ss->cfg->half_open_max;
	struct half *half = NULL;

	if (l->n_ready > l->backlog) {
		ss->counters[COUNT_TCP_LISTEN_OVERFLOWS]++;
		ss->counters[COUNT_TCP_LISTEN_DROPS]++;
		return TERN_DROP_TCP_ACCEPT_QUEUE_FULL;
	}
	if (fast == FAST_OPEN_TAKE && !defers)
		return open_fast(ss, s, key, p);
	if (!full && (ss->cfg->tcp_syncookies != SYNCOOKIES_ALWAYS || !may_bake(ss, s, p)))
		half = new_half(ss, s, key, p);
	if (!half && may_bake(ss, s, p)) {
		reply_cookie(ss, s, key, p, reply);
		return TERN_DROP_NONE;
	}
	if (!half) {
		ss->counters[COUNT_TCP_LISTEN_DROPS]++;
		return full ? TERN_DROP_TCP_SYN_QUEUE_FULL : TERN_DROP_NO_MEMORY;
	}
	half->tcp.give_cookie = fast == FAST_OPEN_GIVE;
	half->t.node.data = s->index;
	list_put_tail(defers ? &l->unshown : &l->half, &half->link);
	l->n_half++;
	trace_half(ss, half, TERN_TCP_LISTEN, TERN_TCP_SYN_RECEIVED);
	if (defers) {
		half->tcp.held = true;
		s->urgent_news = true;
		sock_news(ss, s, NEWS_IN);
	} else {
		reply_synack(ss, s, half, reply);
	}
	arm_synack_timer(ss, half);
	return TERN_DROP_NONE;
}

/* RFC 9293 3.10.7.2, second step: an ACK is of no connection, unless it brings a cookie back. */
static COLD enum tern_drop ack_to_listener(struct sockets *ss, struct sock *s,
					   const struct tuple *key, const struct tcp_packet *p,
					   struct tcp_reply *reply)
{
	struct tcp_packet syn = *p;
	struct tcp_rst rst;

	if (!(p->seg.h.flags & TCP_SYN) && ss->cfg->tcp_syncookies) {
		if (cookie_taste(ss, key, &p->seg.h, &syn.seg.h))
			return complete_from_cookie(ss, s, key, p, &syn, reply);
		ss->counters[COUNT_TCP_SYNCOOKIES_FAILED]++;
	}
	rst = tcp_rst_for(&p->seg);
	tcp_reply_rst(reply, &rst);
	return TERN_DROP_TCP_FLAGS;
}

/* RFC 9293 3.10.7.2. false: nobody listens there. */
bool input_to_listener(struct sockets *ss, const struct tuple *key, const struct tcp_packet *p,
		       struct tcp_reply *reply, enum tern_drop *drop)
{
	struct sock *s = port_match(ss, key, p->ifindex);
	uint16_t flags = p->seg.h.flags;

	if (!s)
		return false;
	*drop = TERN_DROP_TCP_FLAGS;
	if (flags & TCP_RST)
		return true;
	if (flags & TCP_ACK)
		*drop = ack_to_listener(ss, s, key, p, reply);
	else if (flags & TCP_SYN)
		*drop = admit_syn(ss, s, key, p, reply);
	return true;
}

/* TCP_DEFER_ACCEPT: until that many time-outs a bare ACK makes no connection; it is remembered. */
static bool defers_accept(struct sockets *ss, const struct sock *parent, struct half *half,
			  const struct tcp_packet *p)
{
	if (half->tcp.n_retries >= stream_tcp(parent)->opt.defer_accept || p->seg.len ||
	    (p->seg.h.flags & TCP_FIN))
		return false;
	half->tcp.acked = true;
	ss->counters[COUNT_TCP_DEFER_ACCEPT_DROP]++;
	return true;
}

enum tern_drop input_to_half(struct sockets *ss, struct half *half, const struct tcp_packet *p,
			     struct tcp_reply *reply)
{
	struct sock *parent = listener_of(ss, half);
	const struct tcp_ctx *x = sock_ctx(ss);
	struct half_result r;
	enum half_verdict verdict;

	if (!parent) {
		half_die(ss, half);
		return TERN_DROP_TCP_NO_SOCKET;
	}
	verdict = half_input(&half->tcp, x, &p->seg, &r);
	reply->conn = half->timer.data;
	reply->label_choice = parent->label_choice;
	if (half->tcp.held && verdict != HALF_DIE && verdict != HALF_ABORT)
		return TERN_DROP_TCP_FLAGS; /* nothing was promised yet */
	switch (verdict) {
	case HALF_DROP:
		break;
	case HALF_RST:
		tcp_reply_rst(reply, &r.rst);
		break;
	case HALF_RESEND:
		half->tcp.syn_again = true;
		reply_synack(ss, parent, half, reply);
		reply->cause = TERN_CAUSE_SYN_AGAIN;
		break;
	case HALF_CHALLENGE:
		reply_challenge(ss, parent, half, reply);
		break;
	case HALF_ABORT:
		tcp_reply_rst(reply, &r.rst);
		half_die(ss, half);
		break;
	case HALF_DIE:
		half_die(ss, half);
		break;
	case HALF_COMPLETE:
		if (defers_accept(ss, parent, half, p))
			return TERN_DROP_NONE;
		return complete(ss, parent, half, p, reply);
	}
	return r.drop;
}

/*
 * As Linux: who has acknowledged and is waited for (TCP_DEFER_ACCEPT) is left in peace, and asked
 * once more when the wait is over: the answer makes the connection.
 */
void sock_half_on_timer(struct sockets *ss, struct half *half, struct tcp_reply *reply)
{
	struct sock *parent = listener_of(ss, half);
	const struct tcp_options *opt = parent ? &stream_tcp(parent)->opt : NULL;
	unsigned n = half->tcp.n_retries;
	bool over;

	*reply = (struct tcp_reply){ .ttl = -1 };
	over = !parent || n >= (opt->syn_retries ? opt->syn_retries : ss->cfg->tcp_synack_retries);
	if (over && (!parent || !half->tcp.acked || n >= opt->defer_accept)) {
		half_die(ss, half);
		return;
	}
	half->tcp.n_retries++;
	arm_synack_timer(ss, half);
	if (half->tcp.held || (half->tcp.acked && n + 1 < opt->defer_accept))
		return;
	reply_synack(ss, parent, half, reply);
	reply->cause = TERN_CAUSE_RTO;
}

/* ---- deferred SYNs ---- */

/* What is handed out says by which hash it is found again, and which connection it is. */
int sock_pending_next(struct sockets *ss, struct sock *s, struct tern_pending *out)
{
	struct list *l;
	struct half *half;

	(void)ss;
	if (s->state != TERN_TCP_LISTEN)
		return -TERN_EINVAL;
	l = list_take(&s->listener->unshown);
	if (!l) {
		s->urgent_news = false;
		return -TERN_EAGAIN;
	}
	list_put_tail(&s->listener->half, l);
	half = CONTAINER_OF(l, struct half, link);
	out->id = (uint64_t)half->t.node.hash << 32 | half->timer.data;
	addr_to_public(&out->local, &half->t.local, half->t.lport);
	addr_to_public(&out->remote, &half->t.remote, half->t.rport);
	return 0;
}

static struct half *find_pending(const struct sockets *ss, const struct sock *s, uint64_t id)
{
	uint32_t hash = (uint32_t)(id >> 32), number = (uint32_t)id;

	for (struct table_node *n = table_first(&ss->tuples, hash); n; n = table_next(n, hash)) {
		struct tuple *t = CONTAINER_OF(n, struct tuple, node);
		struct half *half = CONTAINER_OF(t, struct half, t);

		if (t->kind == TUPLE_HALF && n->data == s->index && half->tcp.held &&
		    half->timer.data == number)
			return half;
	}
	return NULL;
}

int sock_pending_answer(struct sockets *ss, struct sock *s, uint64_t id, int verdict,
			struct tcp_reply *reply)
{
	struct half *half = s->state == TERN_TCP_LISTEN ? find_pending(ss, s, id) : NULL;

	*reply = (struct tcp_reply){ .ttl = -1 };
	if (!half)
		return -TERN_ENOENT;
	half->tcp.held = false;
	if (verdict == TERN_PENDING_ACCEPT) {
		half->tcp.n_retries = 0;
		arm_synack_timer(ss, half);
		reply_synack(ss, s, half, reply);
		return 0;
	}
	if (verdict == TERN_PENDING_REFUSE) {
		struct tcp_rst rst = { .due = true, .with_ack = true, .ack = half->tcp.irs + 1 };

		address_reply(s, half, reply);
		tcp_reply_rst(reply, &rst);
	}
	half_die(ss, half);
	return 0;
}
