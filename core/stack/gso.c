/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gso.c - from a connection's turn to segments on an interface.
 *
 * TCP plans one burst; where the device cuts, it goes as one super-frame, elsewhere it is cut here,
 * one segment each time the device asks, so that planning costs once for all of them. What is left
 * of a burst is remembered as positions: a connection that ends takes them along. A connection
 * whose next hop is unresolved leaves the list before anything is built.
 */
#include "../sock/ip_header.h"
#include "stack.h"

/* Bytes of a burst, after which others have a turn; of a super-frame, too. */
enum { BURST_MAX = 64000 };

/*
 * Writes the header before the payload. addr_sum: checksum_addresses; partial: the device completes
 * the checksum.
 */
static inline void push_tcp(struct tern_stack *st, struct tern_pkt *p, const struct tcp_hdr *h,
			    uint32_t addr_sum, bool partial)
{
	uint32_t hdr_len = TCP_HDR_LEN + (uint32_t)tcp_options_len(h), sum;
	uint8_t *data = pkt_push(p, hdr_len);

	tcp_emit(h, data);
	sum = addr_sum + TERN_IPPROTO_TCP + p->total_len;
	if (partial) {
		put_be16(data + 16, (uint16_t)~checksum_finish(sum));
		p->flags |= TERN_PKT_CSUM_PARTIAL;
		p->csum_off = 16;
	} else {
		put_be16(data + 16, checksum_finish(pkt_sum(p, 0, st->env.sum, sum)));
	}
}

void stack_send_reply(struct tern_stack *st, const struct tcp_reply *reply)
{
	struct ip_names names = { .src = reply->local,
				  .dst = reply->remote,
				  .proto = TERN_IPPROTO_TCP,
				  .tos = reply->tos,
				  .ttl = reply->ttl };
	const struct route_key key = { reply->remote, reply->local, reply->ifindex };
	struct tern_pkt *p = pkt_new(&st->mem, PKT_HEAD_ROOM + TCP_HDR_MAX, 0);

	if (!p)
		return;
	push_tcp(st, p, &reply->h, checksum_addresses(&names.src, &names.dst), false);
	ip_label(&st->ss, &names, reply->h.src_port, reply->h.dst_port,
		 (enum label_choice)reply->label_choice);
	stack_push_ip(st, p, &names);
	p->cause = (uint8_t)reply->cause;
	p->conn = reply->conn;
	st->counters[COUNT_TCP_OUT_SEGS]++;
	if (reply->h.flags & TCP_RST)
		st->counters[COUNT_TCP_OUT_RSTS]++;
	if (reply->cause == TERN_CAUSE_CHALLENGE)
		st->counters[COUNT_TCP_CHALLENGE_ACK]++;
	if (reply->cause == TERN_CAUSE_RTO)
		st->counters[COUNT_TCP_RETRANS_SEGS]++;
	stack_send_routed(st, p, &key);
}

static inline void count_segment(struct tern_stack *st, const struct tcp_out *out)
{
	static const uint8_t counter[TERN_N_CAUSES] = {
		[TERN_CAUSE_RTO] = COUNT_TCP_RETRANS_SEGS,
		[TERN_CAUSE_FAST_RETRANSMIT] = COUNT_TCP_RETRANS_SEGS,
		[TERN_CAUSE_PARTIAL_ACK] = COUNT_TCP_RETRANS_SEGS,
		[TERN_CAUSE_PATH_MTU] = COUNT_TCP_RETRANS_SEGS,
		[TERN_CAUSE_TLP] = COUNT_TCP_LOSS_PROBES,
		[TERN_CAUSE_PROBE] = COUNT_TCP_WIN_PROBE,
		[TERN_CAUSE_KEEPALIVE] = COUNT_TCP_KEEPALIVE,
		[TERN_CAUSE_CHALLENGE] = COUNT_TCP_CHALLENGE_ACK,
	};

	enum tern_cause cause = (enum tern_cause)out->cause;

	st->counters[COUNT_IP_OUT_REQUESTS]++;
	st->counters[COUNT_TCP_OUT_SEGS]++;
	if (cause && counter[cause])
		st->counters[counter[cause]]++;
	if (cause == TERN_CAUSE_FAST_RETRANSMIT)
		st->counters[COUNT_TCP_FAST_RETRANS]++;
	else if (cause == TERN_CAUSE_TLP && out->again)
		st->counters[COUNT_TCP_RETRANS_SEGS]++;
	if (out->h.flags & TCP_RST)
		st->counters[COUNT_TCP_OUT_RSTS]++;
}

static bool device_cuts(const struct iface *i, const struct sock *s)
{
	if (!(i->cfg.flags & (TERN_IFACE_TSO4 | TERN_IFACE_TSO6)))
		return false;
	return (i->cfg.flags & (addr_is4(&s->t.remote) ? TERN_IFACE_TSO4 : TERN_IFACE_TSO6)) != 0;
}

static void mark_super_frame(const struct sock *s, const struct tcp_out *out, struct tern_pkt *p,
			     uint32_t len)
{
	uint32_t mss = tcp_piece_mss(s->tcp, out);

	if (len <= mss)
		return;
	p->gso_size = (uint16_t)mss;
	p->flags |= addr_is4(&s->t.remote) ? TERN_PKT_TSO4 : TERN_PKT_TSO6;
}

/* ---- the headers of a piece ---- */

static void write_headers(struct tern_stack *st, const struct iface *i, struct sock *s,
			  struct tern_pkt *p, const struct tcp_hdr *h)
{
	const struct tcp_out *out = &i->burst->out;

	push_tcp(st, p, h, s->addr_sum, (i->cfg.flags & TERN_IFACE_CSUM) || p->gso_size);
	ip_push_stream(&st->ss, p, s, s->tos | (out->ect ? IP_ECN_ECT0 : 0));
}

/* What the pieces behind this one have, too. Identifications, where there are any, differ. */
static void remember_headers(struct burst *b, const struct sock *s, const struct tern_pkt *p)
{
	uint32_t tcp_len = p->len - p->csum_start;
	const uint8_t *tcp = p->data + p->csum_start;

	b->repeated.len = 0;
	if (p->flags != TERN_PKT_CSUM_PARTIAL || p->len > REPEATED_MAX ||
	    p->total_len - p->len > TCP_ALIKE_MAX || (b->out.h.flags & TCP_URG) ||
	    stream_may_be_cut(s))
		return;
	memcpy(b->repeated.bytes, p->data, p->len);
	b->repeated.len = (uint16_t)p->len;
	b->repeated.tcp_len = (uint16_t)tcp_len;
	b->repeated.text = p->total_len - p->len;
	b->repeated.pseudo = get_be16(tcp + 16);
	b->repeated.sum = b->repeated.pseudo + checksum_header(tcp, 4) +
			  checksum_header(tcp + TCP_HDR_LEN, tcp_len - TCP_HDR_LEN);
}

/* Of the fourth word of a header: its length, the flags, the window. */
static inline uint32_t fourth_word(const struct burst *b)
{
	const struct tcp_hdr *h = &b->out.h;

	return (uint32_t)b->repeated.tcp_len << 26 | (h->flags & 0x1ffu) << 16 | h->wnd;
}

/* The headers as they were, but for what is new. The pseudo-header is the same. */
static inline void repeat_headers(const struct burst *b, uint8_t *to, uint32_t fourth)
{
	const struct tcp_hdr *h = &b->out.h;
	uint8_t *tcp = to + b->repeated.len - b->repeated.tcp_len;

	copy_headers(to, b->repeated.bytes, b->repeated.len);
	put_be32(tcp + 4, h->seq);
	put_be32(tcp + 8, h->ack);
	put_be32(tcp + 12, fourth);
	put_be32(tcp + 16, (uint32_t)b->repeated.pseudo << 16 | h->urg);
}

/* ---- pieces ---- */

static void label_piece(struct tern_stack *st, const struct iface *i, const struct sock *s,
			struct tern_pkt *p, const struct tcp_out *out)
{
	p->cause = out->cause;
	p->conn = s->conn;
	p->ifindex = (uint16_t)i->index;
	count_segment(st, out);
}

/* The next piece as the one before it; false: it is not like it, and not begun. p is fresh. */
static inline bool repeat_piece(struct tern_stack *st, const struct iface *i, struct sock *s,
				struct burst *b, struct tern_pkt *p)
{
	struct buf_span span[TCP_ALIKE_SPANS];
	int n = b->repeated.len ? tcp_next_alike(s->tcp, &b->out, b->repeated.text, span) : -1;

	if (n < 0)
		return false;
	for (int k = 0; k < n; k++)
		pkt_add_span(p, &span[k]);
	repeat_headers(b, pkt_push(p, b->repeated.len), fourth_word(b));
	p->flags = TERN_PKT_CSUM_PARTIAL;
	p->csum_start = (uint16_t)(b->repeated.len - b->repeated.tcp_len);
	p->csum_off = 16;
	label_piece(st, i, s, p, &b->out);
	return true;
}

/* Headers and payload of the next piece; NULL: none is left, and p is freed. */
static struct tern_pkt *fill_piece(struct tern_stack *st, const struct iface *i, struct sock *s,
				   struct burst *b, struct tern_pkt *p)
{
	struct tcp_out *out = &b->out;
	/* Devices leave CWR in the first segment only; it may be part of a counter (RFC 9768). */
	bool leave_to_device = device_cuts(i, s) && !(out->h.flags & TCP_CWR);
	struct tcp_piece piece;

	if (!tcp_next_piece(s->tcp, out, leave_to_device ? BURST_MAX : 0, &piece)) {
		out->done = true;
		pkt_free(&st->mem, p);
		return NULL;
	}
	for (int k = 0; k < piece.n_spans; k++)
		pkt_add_span(p, &piece.span[k]);
	if (leave_to_device)
		mark_super_frame(s, out, p, piece.len);
	write_headers(st, i, s, p, piece.h);
	if (!out->done)
		remember_headers(b, s, p);
	label_piece(st, i, s, p, out);
	return p;
}

/* ---- a message: a segment that is all there is to say ---- */

static void count_message(struct tern_stack *st)
{
	st->counters[COUNT_IP_OUT_REQUESTS]++;
	st->counters[COUNT_TCP_OUT_SEGS]++;
}

static struct tern_pkt *pack_message(struct tern_stack *st, const struct iface *i, struct sock *s,
				     struct tern_pkt *p, const struct tcp_message *m)
{
	struct tcp_hdr h;

	tcp_hdr_init(&h);
	h.src_port = s->t.lport;
	h.dst_port = s->t.rport;
	h.seq = m->seq;
	h.ack = m->ack;
	h.flags = TCP_ACK | TCP_PSH;
	h.wnd = m->wnd;
	h.has_ts = m->has_ts;
	h.ts_val = m->ts_val;
	h.ts_ecr = m->ts_ecr;
	pkt_add_span(p, &m->text);
	push_tcp(st, p, &h, s->addr_sum, i->cfg.flags & TERN_IFACE_CSUM);
	ip_push_stream(&st->ss, p, s, s->tos);
	p->conn = s->conn;
	p->ifindex = (uint16_t)i->index;
	count_message(st);
	return p;
}

/* The header of a message at `to`; its sum without the text, and with the pseudo-header. */
static inline uint32_t put_message_header(const struct sock *s, const struct tcp_message *m,
					  uint8_t *to, uint32_t hdr_len)
{
	uint32_t ports = (uint32_t)s->t.lport << 16 | s->t.rport;
	uint32_t fourth = hdr_len << 26 | (TCP_ACK | TCP_PSH) << 16 | m->wnd;
	uint64_t sum = (uint64_t)ports + m->seq + m->ack + fourth;

	put_be32(to, ports);
	put_be32(to + 4, m->seq);
	put_be32(to + 8, m->ack);
	put_be32(to + 12, fourth);
	if (m->has_ts) {
		put_be32(to + 20, TCP_TIMESTAMPS_ALONE);
		put_be32(to + 24, m->ts_val);
		put_be32(to + 28, m->ts_ecr);
		sum += (uint64_t)TCP_TIMESTAMPS_ALONE + m->ts_val + m->ts_ecr;
	}
	return s->addr_sum + TERN_IPPROTO_TCP + hdr_len + m->text.len + checksum_words(sum);
}

/* Can it be written where it goes: is its way known, and is it to be one packet? */
static bool goes_at_once(struct tern_stack *st, struct iface *i, const struct sock *s)
{
	struct neigh *n;

	if (s->out_ifindex != i->index || s->route_version != st->net.routes_version ||
	    stream_may_be_cut(s) || !iface_is_up(i))
		return false;
	if (i->cfg.link != TERN_LINK_ETHERNET)
		return true;
	return tcp_has_message(s->tcp) && /* else nobody is asked for */
	       neighbour_of(st, i, &s->next_hop, &n, i->burst->mac) == LINK_READY;
}

/* The message of who is next, written to buf. Returns its length; 0: what is next is none. */
static size_t write_message(struct tern_stack *st, struct iface *i, uint8_t *buf)
{
	struct sock *s = CONTAINER_OF(i->ready.next, struct sock, ready_link);
	const struct tcp_ctx *x = sock_ctx(&st->ss);
	uint32_t hdr_len, sum;
	uint8_t *ip = buf, *tcp;
	struct tcp_message m;

	if (!sock_is_stream(s) || !goes_at_once(st, i, s) || !tcp_put_message(s->tcp, x, &m))
		return 0;
	list_unlink(&s->ready_link);
	if (i->cfg.link == TERN_LINK_ETHERNET)
		ip += put_eth(i, buf, i->burst->mac, addr_is4(&s->t.remote) ? ETH_IP4 : ETH_IP6);
	hdr_len = TCP_HDR_LEN;
	if (m.has_ts)
		hdr_len += TCP_TIMESTAMPS_LEN;
	ip_write_stream(&st->ss, s, ip, s->tos, hdr_len + m.text.len);
	tcp = ip + ip_hdr_len(s);
	sum = put_message_header(s, &m, tcp, hdr_len);
	sum = st->env.copy_sum(tcp + hdr_len, m.text.ptr, m.text.len, sum);
	put_be32(tcp + 16, (uint32_t)checksum_finish(sum) << 16);
	count_message(st);
	sock_tcp_message_sent(&st->ss, s);
	return (size_t)(tcp - buf) + hdr_len + m.text.len;
}

/* Carries the plan out as far as one piece. NULL: no memory, nothing has changed. */
static struct tern_pkt *first_piece(struct tern_stack *st, const struct iface *i, struct sock *s,
				    const struct tcp_plan *plan)
{
	struct tern_pkt *p = pkt_new(&st->mem, PKT_HEAD_ROOM + TCP_HDR_MAX, 0);
	struct burst *b = i->burst;
	const struct tcp_ctx *x = sock_ctx(&st->ss);
	struct tcp_message m;

	if (!p)
		return NULL;
	if (plan->what == SEND_DATA && tcp_put_message(s->tcp, x, &m)) {
		b->out.done = true;
		return pack_message(st, i, s, p, &m);
	}
	if (!tcp_output(s->tcp, x, plan, &b->out)) {
		pkt_free(&st->mem, p);
		return NULL;
	}
	b->out.h.src_port = s->t.lport;
	b->out.h.dst_port = s->t.rport;
	return fill_piece(st, i, s, b, p);
}

/* The rest of its burst is next, or the socket, which is on no list then, waits for a turn. */
static inline void after_piece(struct tern_stack *st, struct iface *i, struct sock *s,
			       const struct burst *b)
{
	if (b->out.done) {
		list_unlink(&s->ready_link);
		sock_tcp_sent(&st->ss, s);
	} else if (list_empty(&s->ready_link)) {
		list_put_tail(&i->cutting, &s->ready_link);
	}
}

static struct tern_pkt *send_piece(struct tern_stack *st, struct iface *i, struct sock *s,
				   const struct burst *b, struct tern_pkt *p)
{
	if (p && i->cfg.link == TERN_LINK_ETHERNET)
		push_eth(i, p, b->mac, addr_is4(&s->t.remote) ? ETH_IP4 : ETH_IP6);
	after_piece(st, i, s, b);
	return p;
}

struct tern_pkt *stack_next_piece(struct tern_stack *st, struct iface *i)
{
	struct sock *s = CONTAINER_OF(i->cutting.next, struct sock, ready_link);
	struct tern_pkt *p = pkt_new(&st->mem, PKT_HEAD_ROOM + TCP_HDR_MAX, 0);
	struct burst *b = i->burst;

	if (!p)
		b->out.done = true; /* no memory: lost, and repaired as such */
	else if (!repeat_piece(st, i, s, b, p))
		p = fill_piece(st, i, s, b, p);
	return send_piece(st, i, s, b, p);
}

/* The same written to buf, where it repeats the one before. Returns its length; 0: it does not. */
static inline size_t write_piece(struct tern_stack *st, struct iface *i, uint8_t *buf)
{
	struct sock *s = CONTAINER_OF(i->cutting.next, struct sock, ready_link);
	struct burst *b = i->burst;
	const struct tcp_hdr *h = &b->out.h;
	struct buf_span span[TCP_ALIKE_SPANS];
	int n = b->repeated.len ? tcp_next_alike(s->tcp, &b->out, b->repeated.text, span) : -1;
	uint8_t *ip = buf, *end;
	uint32_t fourth, sum;

	if (n < 0)
		return 0;
	if (i->cfg.link == TERN_LINK_ETHERNET)
		ip += put_eth(i, buf, b->mac, addr_is4(&s->t.remote) ? ETH_IP4 : ETH_IP6);
	end = ip + b->repeated.len;
	fourth = fourth_word(b);
	repeat_headers(b, ip, fourth);
	sum = b->repeated.sum + checksum_words((uint64_t)h->seq + h->ack + fourth + h->urg);
	if (n > 0)
		sum = st->env.copy_sum(end, span[0].ptr, span[0].len, sum);
	if (n > 1)
		sum = sum_add_piece(
			sum, st->env.copy_sum(end + span[0].len, span[1].ptr, span[1].len, 0),
			span[0].len & 1);
	put_be16(end - b->repeated.tcp_len + 16, checksum_finish(sum));
	count_segment(st, &b->out);
	after_piece(st, i, s, b);
	return (size_t)(end - buf) + b->repeated.text;
}

TERN_API int64_t tern_output_to(struct tern_stack *st, unsigned ifindex, void *buf, size_t room)
{
	struct iface *i = iface_get(&st->net, ifindex);
	size_t len = 0;

	if (!i || ifindex == LO_INDEX)
		return 0;
	if (i->cfg.flags & (TERN_IFACE_TSO4 | TERN_IFACE_TSO6) || room < ETH_HDR_LEN + i->cfg.mtu)
		return -TERN_EINVAL;
	if (i->control.n || st->env.trace) /* these are packets, or want to see one */
		return stack_emit_next(st, i, buf, room);
	if (!list_empty(&i->cutting))
		len = write_piece(st, i, buf);
	else if (!list_empty(&i->ready))
		len = write_message(st, i, buf);
	return len ? (int64_t)len : stack_emit_next(st, i, buf, room);
}

/* Later: its timers, or the next packet that comes. */
static COLD void wait_for_memory(struct tern_stack *st, struct sock *s)
{
	timers_arm(&st->timers, &s->timer, st->timers.now + 10 * TERN_MS);
}

COLD void stack_lose_segment(struct tern_stack *st, struct sock *s)
{
	struct iface *out = iface_get(&st->net, s->out_ifindex);
	struct iface *i = out ? out : iface_get(&st->net, LO_INDEX);
	struct tcp_plan plan = tcp_plan(s->tcp, 0);
	struct tern_pkt *p;

	if (plan.what == SEND_NOTHING) {
		sock_tcp_rest(&st->ss, s);
		return;
	}
	if (list_empty(&i->cutting)) {
		p = first_piece(st, i, s, &plan);
		if (!p) {
			wait_for_memory(st, s);
			return;
		}
		stack_drop(st, p, TERN_DROP_NEIGH_UNRESOLVED);
	}
	sock_tcp_settle(&st->ss, s, 0);
}

/* The route may have changed since the socket got ready. */
static bool is_still_here(struct tern_stack *st, struct iface *i, struct sock *s)
{
	if (sock_route(&st->ss, s)) {
		s->soft_error = TERN_ENETUNREACH;
		stack_lose_segment(st, s);
		return false;
	}
	if (s->out_ifindex == i->index)
		return true;
	sock_set_ready(&st->ss, s);
	return false;
}

/* The turn of a connection that has just been unlinked from the ready list. */
struct tern_pkt *stack_begin_burst(struct tern_stack *st, struct iface *i, struct sock *s)
{
	struct tcp_plan plan;
	struct tern_pkt *p;
	struct neigh *n;

	if (!is_still_here(st, i, s))
		return NULL;
	plan = tcp_plan(s->tcp, BURST_MAX);
	if (plan.what == SEND_NOTHING) {
		sock_tcp_rest(&st->ss, s);
		return NULL;
	}
	if (i->cfg.link == TERN_LINK_ETHERNET) {
		switch (neighbour_of(st, i, &s->next_hop, &n, i->burst->mac)) {
		case LINK_READY:
			break;
		case LINK_WAIT:
			list_put_tail(&n->waiters, &s->ready_link);
			neighbour_await(st, n);
			return NULL;
		case LINK_NO_MEMORY:
			stack_lose_segment(st, s);
			return NULL;
		}
	}
	p = first_piece(st, i, s, &plan);
	if (!p) {
		wait_for_memory(st, s);
		return NULL;
	}
	return send_piece(st, i, s, i->burst, p);
}
