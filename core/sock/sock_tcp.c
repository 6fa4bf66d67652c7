/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock_tcp.c - stream sockets: from tuples to connections and back.
 *
 * A segment finds a connection, a half-open record, a TIME-WAIT record or a listener; what each
 * says becomes news for the user, a reply, or work for the ready list. What follows for the socket
 * is in sock_settle.c.
 */
#include "sock.h"
#include "sock_tcp.h"

/* ---- numbers to begin with ---- */

/* RFC 6528: a 4 us clock plus a keyed hash of the five-tuple. */
uint32_t tcp_draw_isn(const struct sockets *ss, const struct tuple *t, const struct min_iss *min)
{
	uint32_t iss = (uint32_t)(ss->timers->now / (4 * TERN_US)) +
		       (uint32_t)tuple_hash_secretly(&ss->isn_key, t);

	/* RFC 9293 MAY-2: above all that was used */
	return min->given && (int32_t)(iss - min->iss) <= 0 ? min->iss + 65537 : iss;
}

/* RFC 7323 5.4: an offset of its own for each connection, known from its names alone. */
uint32_t tcp_ts_offset(const struct sockets *ss, const struct tuple *t)
{
	return (uint32_t)tuple_hash_secretly(&ss->ts_key, t);
}

uint16_t mss_for(const struct tuple *t, uint32_t mtu)
{
	uint32_t headers = (addr_is4(&t->remote) ? IP4_HDR_LEN : IP6_HDR_LEN) + TCP_HDR_LEN;

	return (uint16_t)(mtu > headers + 1 ? MIN(mtu - headers, 65535 - headers) : 1);
}

/* How large the window may become: the buffer's present size is 32 units of its field. */
static uint32_t window_to_be(const struct sockets *ss, const struct tcp_options *opt)
{
	uint64_t most = opt->rcvbuf;

	if (!opt->rcvbuf_set)
		most = MAX(most, MIN(most * (65535 / 32), ss->cfg->tcp_rcvbuf_max));
	return (uint32_t)(opt->window_clamp ? MIN(most, opt->window_clamp) : most);
}

struct tcp_open tcp_open_for(const struct sockets *ss, const struct sock *s, const struct tuple *t,
			     const struct hop *hop)
{
	const struct tcp_options *opt = &stream_tcp(s)->opt;

	return (struct tcp_open){
		.ts_off = ss->cfg->tcp_timestamps ? tcp_ts_offset(ss, t) : 0,
		.adv_mss = mss_for(t, hop->link_mtu), /* RFC 6691: whatever the path carries */
		.path_mss = mss_for(t, sock_mtu(s, hop, addr_is4(&t->remote))),
		.default_mss = addr_is4(&t->remote) ? 536 : 1220, /* MUST-15 */
		.carries_1280 = !addr_is4(&t->remote),
		.rcv_buf_max = window_to_be(ss, opt),
	};
}

/* ---- segments ---- */

static void confirm_neighbour(struct sockets *ss, const struct sock *s)
{
	struct iface *i = iface_get(ss->net, s->out_ifindex);
	struct neigh *n;

	if (!i || i->cfg.link != TERN_LINK_ETHERNET)
		return;
	n = neigh_find(ss->net, s->out_ifindex, &s->next_hop);
	if (n)
		neigh_confirm(ss->net, n);
}

/* Back to where the segment came from; nothing is due yet. */
static void begin_reply(struct tcp_reply *reply, const struct tcp_packet *p)
{
	*reply = (struct tcp_reply){ .local = p->dst, .remote = p->src, .ttl = -1 };
	reply->h.src_port = p->seg.h.dst_port;
	reply->h.dst_port = p->seg.h.src_port;
}

COLD void tcp_reply_rst(struct tcp_reply *reply, const struct tcp_rst *rst)
{
	if (!rst->due)
		return;
	reply->due = true;
	reply->h.seq = rst->seq;
	reply->h.flags = TCP_RST;
	if (rst->with_ack) {
		reply->h.flags |= TCP_ACK;
		reply->h.ack = rst->ack;
	}
}

static enum tern_drop input_to_sock(struct sockets *ss, struct sock *s, const struct tcp_packet *p,
				    struct tcp_reply *reply)
{
	const struct tcp_ctx *x = sock_ctx(ss);
	uint32_t cwnd = s->tcp->cc.cwnd;
	bool opening = s->state == TERN_TCP_SYN_SENT;
	struct tcp_result r = tcp_input(s->tcp, x, &p->seg);

	if (opening && s->tcp->fast_open && s->tcp->state == TERN_TCP_ESTABLISHED)
		fast_open_learn(ss, s, &p->seg.h);

	if (r.rst.due) {
		begin_reply(reply, p);
		tcp_reply_rst(reply, &r.rst);
		reply->label_choice = s->label_choice;
		reply->conn = s->conn;
	}
	if (r.progress) {
		s->soft_error = 0; /* the path works */
		confirm_neighbour(ss, s);
	}
	if (r.progress || s->tcp->cc.cwnd != cwnd)
		trace_sample(ss, s);
	if (r.drop == TERN_DROP_TCP_PAWS)
		ss->counters[COUNT_TCP_PAWS_ESTAB]++;
	sock_tcp_settle(ss, s, r.events);
	return r.drop;
}

bool sock_tcp_input_message(struct sockets *ss, struct sock *s, const struct tcp_seg *seg)
{
	if (!tcp_input_message(s->tcp, sock_ctx(ss), seg))
		return false;
	s->soft_error = 0;
	confirm_neighbour(ss, s);
	trace_sample(ss, s);
	sock_tcp_message_taken(ss, s);
	return true;
}

/*
 * MUST-63: sources that cannot be. Broadcast and multicast ones, and our own from outside, were
 * refused where the IP header was read.
 */
static bool has_bad_names(const struct tcp_packet *p)
{
	return p->seg.h.src_port == 0 || p->seg.h.dst_port == 0 || addr_is_unspecified(&p->src);
}

static struct tuple key_of(const struct tcp_packet *p)
{
	return (struct tuple){ .local = p->dst,
			       .remote = p->src,
			       .lport = p->seg.h.dst_port,
			       .rport = p->seg.h.src_port,
			       .proto = TERN_IPPROTO_TCP };
}

/* As tuple_find, but for a train no key is made. */
struct tuple *sock_tcp_find(struct sockets *ss, const struct tcp_packet *p)
{
	struct tuple *t = ss->recent, key;

	if (t && t->rport == p->seg.h.src_port && t->lport == p->seg.h.dst_port &&
	    t->proto == TERN_IPPROTO_TCP && addr_equal(&t->remote, &p->src) &&
	    addr_equal(&t->local, &p->dst))
		return tuple_hears(t, p->ifindex) ? t : NULL;
	key = key_of(p);
	return tuple_find_on(ss, &key, p->ifindex);
}

struct tcp *sock_tcp_of(struct tuple *t)
{
	return t && t->kind == TUPLE_SOCK ? CONTAINER_OF(t, struct sock, t)->tcp : NULL;
}

static uint32_t add_text(const struct sockets *ss, const struct tcp_packet *p)
{
	return p->seg.len ? ss->env->sum(p->seg.data, p->seg.len, p->sum) : p->sum;
}

bool sock_tcp_verify(struct sockets *ss, struct tuple *t, struct tcp_packet *p)
{
	const struct tcp_ctx *x = sock_ctx(ss);
	struct tcp *c = sock_tcp_of(t);

	if (p->verified)
		return true;
	if (p->seg.len < TCP_LAND_MIN || !c || !tcp_land(c, x, &p->seg, ss->env->copy_sum, &p->sum))
		p->sum = add_text(ss, p);
	if (checksum_finish(p->sum) == 0)
		return true;
	if (p->seg.landed)
		tcp_unland(c, x);
	return false;
}

enum tern_drop sock_tcp_input(struct sockets *ss, struct tuple *t, const struct tcp_packet *p,
			      struct tcp_reply *reply)
{
	enum tern_drop drop;
	struct tuple key;
	struct tcp_rst rst;

	reply->due = false;
	if (t && t->kind == TUPLE_SOCK)
		return input_to_sock(ss, CONTAINER_OF(t, struct sock, t), p, reply);
	begin_reply(reply, p);
	if (has_bad_names(p))
		return TERN_DROP_TCP_ADDRESS;
	if (t && t->kind == TUPLE_HALF)
		return input_to_half(ss, CONTAINER_OF(t, struct half, t), p, reply);
	if (t)
		return input_to_time_wait(ss, CONTAINER_OF(t, struct time_wait, t), p, reply);
	key = key_of(p);
	if (input_to_listener(ss, &key, p, reply, &drop))
		return drop;
	rst = tcp_rst_for(&p->seg);
	tcp_reply_rst(reply, &rst);
	return TERN_DROP_TCP_NO_SOCKET;
}

/* ---- opening ---- */

/* MUST-46 */
static bool is_group(const struct sockets *ss, const struct addr *remote)
{
	enum addr_kind kind = addr_classify(ss->net, remote, 0);

	return kind == ADDR_BROADCAST || kind == ADDR_MULTICAST;
}

/* Also the way there. *min_iss: above what our number must be, where a TIME-WAIT gives way. */
static int take_names(struct sockets *ss, struct sock *s, struct hop *hop, struct min_iss *min_iss)
{
	bool agree = addrs_agree(&s->t.local, &s->t.remote);
	int err = s->any_port ? -TERN_EINVAL :
		  !agree      ? -TERN_EAFNOSUPPORT : /* bound to a mapped address, to a v6 one */
				sock_find_route(ss, s, hop);

	if (err)
		return err;
	if (!s->port) {
		err = port_pick_for_connect(ss, s);
		if (err)
			return err;
	} else {
		if (!tuple_is_free(ss, &s->t))
			return -TERN_EADDRNOTAVAIL;
		port_attach(s, s->port, true);
	}
	time_wait_give_way(ss, &s->t, min_iss);
	if (!tuple_put(ss, &s->t))
		return -TERN_EADDRNOTAVAIL;
	return 0;
}

static COLD void forget_names(struct sock *s, const struct addr *old_local)
{
	s->t.remote = addr_any(s->family);
	s->t.rport = 0;
	s->t.local = *old_local;
	s->out_ifindex = 0;
	if (s->port)
		port_attach(s, s->port, false);
}

/* A connection that was never established may be tried again, as on Linux. */
static COLD bool was_refused(const struct sock *s)
{
	return s->tcp->state == TERN_TCP_CLOSED && s->tcp->snd.una == seq_first(s->tcp->snd.iss) &&
	       !s->tcp->rst_due;
}

/* Linux: tcp_disconnect. What the user bound and chose stays. */
COLD void sock_tcp_start_afresh(struct sockets *ss, struct sock *s)
{
	struct addr local = s->bound_addr ? s->t.local : addr_any(s->family);

	tcp_fini(s->tcp, sock_ctx(ss));
	s->tcp = NULL;
	s->state = TERN_TCP_CLOSED;
	s->shut_rd = s->shut_wr = s->urgent_news = false;
	forget_names(s, &local);
}

/* Before anything is said of the peer, as on Linux. */
int sock_tcp_may_open(struct sockets *ss, struct sock *s)
{
	switch (s->state) {
	case TERN_TCP_CLOSED:
		break;
	case TERN_TCP_LISTEN:
		return -TERN_EOPNOTSUPP;
	case TERN_TCP_SYN_SENT:
	case TERN_TCP_SYN_RECEIVED:
		return tcp_waits_for_text(s->tcp) ? -TERN_EISCONN : -TERN_EALREADY;
	default:
		return -TERN_EISCONN;
	}
	if (!s->tcp)
		return 0;
	if (!was_refused(s))
		return -TERN_EISCONN;
	sock_tcp_start_afresh(ss, s);
	return sock_take_error(s);
}

/* An open of which nothing has gone yet. */
static int begin_to_open(struct sockets *ss, struct sock *s, const struct addr *remote,
			 uint16_t port)
{
	const struct tcp_ctx *x = sock_ctx(ss);
	struct addr old_local;
	struct min_iss min_iss = { .given = false };
	struct tcp_open open;
	struct hop hop;
	int err;

	if (is_group(ss, remote))
		return -TERN_ENETUNREACH;
	s->soft_error = 0;
	old_local = s->t.local;
	s->t.remote = *remote;
	s->t.rport = port;
	sock_name_this_host(s, &s->t.remote);
	err = take_names(ss, s, &hop, &min_iss);
	if (err) {
		forget_names(s, &old_local);
		return err;
	}
	open = tcp_open_for(ss, s, &s->t, &hop);
	open.iss = tcp_draw_isn(ss, &s->t, &min_iss);
	s->tcp = stream_tcp(s);
	s->conn = ++ss->next_conn;
	tcp_connect(s->tcp, x, &open);
	ss->counters[COUNT_TCP_ACTIVE_OPENS]++;
	return 0;
}

int sock_tcp_connect(struct sockets *ss, struct sock *s, const struct addr *remote, uint16_t port)
{
	int err = begin_to_open(ss, s, remote, port);
	bool waits;

	if (err)
		return err;
	if (s->tcp->opt.fast_open_connect && (ss->cfg->tcp_fastopen & FAST_OPEN_CLIENT))
		fast_open_offer(ss, s, true);
	waits = tcp_waits_for_text(s->tcp);
	sock_tcp_settle(ss, s, 0);
	return waits ? 0 : -TERN_EINPROGRESS;
}

int sock_tcp_open_with(struct sockets *ss, struct sock *s, const struct addr *remote, uint16_t port,
		       bool has_text)
{
	int err;

	if (!(ss->cfg->tcp_fastopen & FAST_OPEN_CLIENT))
		return -TERN_EOPNOTSUPP;
	err = sock_tcp_may_open(ss, s);
	if (!err)
		err = begin_to_open(ss, s, remote, port);
	if (err)
		return err;
	fast_open_offer(ss, s, has_text);
	if (tcp_waits_for_text(s->tcp))
		return 0;
	sock_tcp_settle(ss, s, 0);
	return -TERN_EINPROGRESS;
}

/* ---- ending ---- */

void sock_tcp_close(struct sockets *ss, struct sock *s, bool abort)
{
	const struct tcp_ctx *x = sock_ctx(ss);

	sock_drop_slot(ss, s);
	if (s->state == TERN_TCP_LISTEN)
		listener_end(ss, s);
	if (!s->tcp || s->state == TERN_TCP_LISTEN || !s->t.in_table) {
		if (s->tcp && s->state != TERN_TCP_LISTEN && s->tcp->rst_due)
			return; /* its last segment is still to go */
		sock_free(ss, s);
		return;
	}
	s->orphan = true;
	ss->n_orphans++;
	if (ss->n_orphans > ss->cfg->tcp_max_orphans) {
		ss->counters[COUNT_TCP_ABORT_ON_MEMORY]++;
		abort = true;
	}
	if (abort || s->linger_s == 0) {
		s->tcp->user_gone = true;
		tcp_abort(s->tcp, x, 0);
	} else {
		tcp_close(s->tcp, x);
	}
	sock_tcp_settle(ss, s, 0);
}

int sock_tcp_shutdown(struct sockets *ss, struct sock *s, int how)
{
	const struct tcp_ctx *x = sock_ctx(ss);

	if (how < TERN_SHUT_RD || how > TERN_SHUT_RDWR)
		return -TERN_EINVAL;
	if (s->state == TERN_TCP_LISTEN)
		return listener_shutdown(ss, s, how);
	if (!s->tcp || s->state == TERN_TCP_CLOSED || s->state == TERN_TCP_TIME_WAIT)
		return -TERN_ENOTCONN;
	if (how != TERN_SHUT_WR && !s->shut_rd) {
		s->shut_rd = s->tcp->rcv_shut = true;
		sock_news(ss, s, NEWS_ALL);
	}
	if (how != TERN_SHUT_RD && !s->shut_wr) {
		s->shut_wr = true;
		tcp_close_send(s->tcp, x);
		sock_news(ss, s, NEWS_ALL);
		if (s->t.in_table)
			sock_tcp_settle(ss, s, s->tcp->state == TERN_TCP_CLOSED ? TCP_ENDED : 0);
	}
	return 0;
}
