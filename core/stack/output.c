/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * output.c - the way of a packet down, pulled by the device.
 *
 * Each interface has a control queue (ARP, ND, ICMP, RST, SYN-ACK) that goes first and a list of
 * sockets with something to send, served in turn. A segment is built when it is pulled: TCP plans,
 * the header is written, the payload stays where it is. A connection whose next hop is unresolved
 * leaves the list before anything is built.
 */
#include "stack.h"

enum { CONTROL_QUEUE_MAX = 4096, BURST_MAX = 64000 };

void trace_packet(struct tern_stack *st, enum tern_trace_kind kind, const struct tern_pkt *p,
		  enum tern_drop drop)
{
	struct tern_trace r;

	if (!st->env.trace)
		return;
	r = (struct tern_trace){
		.at = st->timers.now, .kind = kind, .stack_id = st->cfg.id, .pkt = p, .drop = drop
	};
	if (kind == TERN_TRACE_PACKET_OUT) {
		r.cause = p->cause;
		r.conn = p->conn;
	}
	st->env.trace(st->env.ctx, &r);
}

/* ---- IP ---- */

static void push_ip(struct tern_stack *st, struct tern_pkt *p, const struct ip_names *n)
{
	ip_push(&st->ss, p, n);
	st->counters[COUNT_IP_OUT_REQUESTS]++;
}

/* An ICMP message gets its checksum and its IP header. RFC 4443 2.3: over a pseudo-header. */
void stack_push_icmp(struct tern_stack *st, struct tern_pkt *p, struct ip_names *n)
{
	bool v4 = addr_is4(&n->dst);
	uint32_t sum = 0;

	n->proto = v4 ? TERN_IPPROTO_ICMP : TERN_IPPROTO_ICMPV6;
	if (!v4)
		sum = checksum_pseudo(&n->src, &n->dst, n->proto, p->len);
	put_be16(p->data + 2, checksum_finish(st->env.sum(p->data, p->len, sum)));
	push_ip(st, p, n);
	st->counters[COUNT_ICMP_OUT_MSGS]++;
}

static bool destination_of(const struct tern_pkt *p, struct addr *dst)
{
	struct ip4 ip4;
	struct ip6 ip6;

	if (p->len && p->data[0] >> 4 == 4 && ip4_parse_quoted(&ip4, p->data, p->len)) {
		*dst = ip4.dst;
		return true;
	}
	if (!ip6_parse_quoted(&ip6, p->data, p->len))
		return false;
	*dst = ip6.dst;
	return true;
}

/*
 * Gives an IP packet its link header. NULL: it waits for the neighbour, or is gone. Takes it.
 */
static struct tern_pkt *link_packet(struct tern_stack *st, struct iface *i, struct tern_pkt *p,
				    const struct addr *next)
{
	struct neigh *n;
	uint8_t mac[6];

	p->ifindex = (uint16_t)i->index;
	if (i->cfg.link != TERN_LINK_ETHERNET)
		return p;
	switch (neighbour_of(st, i, next, &n, mac)) {
	case LINK_READY:
		push_eth(i, p, mac, addr_is4(next) ? ETH_IP4 : ETH_IP6);
		return p;
	case LINK_WAIT:
		p = neigh_queue_put(&st->net, n, p);
		if (p)
			stack_drop(st, p, TERN_DROP_NEIGH_UNRESOLVED);
		return NULL;
	case LINK_NO_MEMORY:
		break;
	}
	stack_drop(st, p, TERN_DROP_NO_MEMORY);
	return NULL;
}

static void put_control(struct tern_stack *st, struct iface *i, struct tern_pkt *p)
{
	if (i->control.n >= CONTROL_QUEUE_MAX)
		stack_drop(st, p, TERN_DROP_RATE_LIMITED);
	else
		pkt_queue_put(&i->control, p);
}

void stack_send_ip(struct tern_stack *st, struct tern_pkt *p, unsigned ifindex)
{
	struct addr dst;
	struct hop hop;
	struct iface *i;

	if (!destination_of(p, &dst) || route_lookup(&st->net, &dst, ifindex, &hop)) {
		stack_drop(st, p, TERN_DROP_NO_ROUTE);
		return;
	}
	i = iface_get(&st->net, hop.ifindex);
	p = link_packet(st, i, p, &hop.next);
	if (p)
		put_control(st, i, p);
}

/* ---- TCP ---- */

/* Writes the header before the payload; partial: the device completes the checksum. */
static void push_tcp(struct tern_stack *st, struct tern_pkt *p, const struct tcp_hdr *h,
		     const struct ip_names *n, bool partial)
{
	uint32_t hdr_len = TCP_HDR_LEN + (uint32_t)tcp_options_len(h), sum;
	uint8_t *data = pkt_push(p, hdr_len);

	tcp_emit(h, data);
	sum = checksum_pseudo(&n->src, &n->dst, TERN_IPPROTO_TCP, p->total_len);
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
	struct tern_pkt *p = pkt_new(&st->mem, PKT_HEAD_ROOM + TCP_HDR_MAX, 0);

	if (!p)
		return;
	push_tcp(st, p, &reply->h, &names, false);
	push_ip(st, p, &names);
	p->cause = (uint8_t)reply->cause;
	p->conn = reply->conn;
	st->counters[COUNT_TCP_OUT_SEGS]++;
	if (reply->h.flags & TCP_RST)
		st->counters[COUNT_TCP_OUT_RSTS]++;
	if (reply->cause == TERN_CAUSE_CHALLENGE)
		st->counters[COUNT_TCP_CHALLENGE_ACK]++;
	if (reply->cause == TERN_CAUSE_RTO)
		st->counters[COUNT_TCP_RETRANS_SEGS]++;
	stack_send_ip(st, p, reply->ifindex);
}

static void count_segment(struct tern_stack *st, const struct tcp_out *out)
{
	static const uint8_t counter[TERN_N_CAUSES] = {
		[TERN_CAUSE_RTO] = COUNT_TCP_RETRANS_SEGS,
		[TERN_CAUSE_FAST_RETRANSMIT] = COUNT_TCP_RETRANS_SEGS,
		[TERN_CAUSE_PARTIAL_ACK] = COUNT_TCP_RETRANS_SEGS,
		[TERN_CAUSE_PROBE] = COUNT_TCP_WIN_PROBE,
		[TERN_CAUSE_KEEPALIVE] = COUNT_TCP_KEEPALIVE,
		[TERN_CAUSE_CHALLENGE] = COUNT_TCP_CHALLENGE_ACK,
	};

	st->counters[COUNT_TCP_OUT_SEGS]++;
	if (out->cause && counter[out->cause])
		st->counters[counter[out->cause]]++;
	if (out->cause == TERN_CAUSE_FAST_RETRANSMIT)
		st->counters[COUNT_TCP_FAST_RETRANS]++;
	if (out->h.flags & TCP_RST)
		st->counters[COUNT_TCP_OUT_RSTS]++;
}

static uint32_t burst_for(const struct iface *i, const struct sock *s)
{
	bool v4 = addr_is4(&s->t.remote);

	return i->cfg.flags & (v4 ? TERN_IFACE_TSO4 : TERN_IFACE_TSO6) ? BURST_MAX : 0;
}

static void mark_super_frame(const struct sock *s, struct tern_pkt *p, uint32_t len)
{
	if (len <= s->tcp->snd_mss)
		return;
	p->gso_size = s->tcp->snd_mss;
	p->flags |= addr_is4(&s->t.remote) ? TERN_PKT_TSO4 : TERN_PKT_TSO6;
}

/* The segment that the plan asks for, with its IP header; NULL: no memory, nothing has changed. */
static struct tern_pkt *build_segment(struct tern_stack *st, const struct iface *i, struct sock *s,
				      const struct tcp_plan *plan)
{
	struct tern_pkt *p = pkt_new(&st->mem, PKT_HEAD_ROOM + TCP_HDR_MAX, 0);
	struct ip_names names = { .src = s->t.local,
				  .dst = s->t.remote,
				  .proto = TERN_IPPROTO_TCP,
				  .tos = s->tos,
				  .ttl = s->ttl };
	struct tcp_ctx x = sock_ctx(&st->ss);
	struct tcp_out out;

	if (!p)
		return NULL;
	tcp_output(s->tcp, &x, plan, &out);
	out.h.src_port = s->t.lport;
	out.h.dst_port = s->t.rport;
	for (int k = 0; k < out.n_spans; k++)
		pkt_add_span(p, &out.span[k]);
	mark_super_frame(s, p, out.len);
	push_tcp(st, p, &out.h, &names, (i->cfg.flags & TERN_IFACE_CSUM) || p->gso_size);
	push_ip(st, p, &names);
	p->cause = (uint8_t)out.cause;
	p->conn = s->conn;
	count_segment(st, &out);
	return p;
}

void stack_lose_segment(struct tern_stack *st, struct sock *s)
{
	struct iface *i = iface_get(&st->net, s->out_ifindex);
	struct tcp_plan plan = tcp_plan(s->tcp, 0);
	struct tern_pkt *p;

	if (i && plan.what != SEND_NOTHING) {
		p = build_segment(st, i, s, &plan);
		if (p)
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

/* One segment of a connection that has just been unlinked from the ready list. */
static struct tern_pkt *output_stream(struct tern_stack *st, struct iface *i, struct sock *s)
{
	struct tcp_plan plan;
	struct tern_pkt *p;
	struct neigh *n;
	uint8_t mac[6];

	if (!is_still_here(st, i, s))
		return NULL;
	plan = tcp_plan(s->tcp, burst_for(i, s));
	if (plan.what == SEND_NOTHING) {
		sock_tcp_settle(&st->ss, s, 0);
		return NULL;
	}
	if (i->cfg.link == TERN_LINK_ETHERNET) {
		switch (neighbour_of(st, i, &s->next_hop, &n, mac)) {
		case LINK_READY:
			break;
		case LINK_WAIT:
			list_put_tail(&n->waiters, &s->ready_link);
			return NULL;
		case LINK_NO_MEMORY:
			stack_lose_segment(st, s);
			return NULL;
		}
	}
	p = build_segment(st, i, s, &plan);
	if (!p) { /* later: its timers, or the next packet that comes */
		timers_arm(&st->timers, &s->timer, st->timers.now + 10 * TERN_MS);
		return NULL;
	}
	p->ifindex = (uint16_t)i->index;
	if (i->cfg.link == TERN_LINK_ETHERNET)
		push_eth(i, p, mac, addr_is4(&s->t.remote) ? ETH_IP4 : ETH_IP6);
	sock_tcp_settle(&st->ss, s, 0);
	return p;
}

/* ---- datagrams ---- */

static struct tern_pkt *output_dgram(struct tern_stack *st, struct iface *i, struct sock *s)
{
	struct tern_pkt *p = sock_dgram_take(&st->ss, s);
	struct addr dst;
	struct hop hop;

	if (s->dgram->send.n)
		list_put_tail(&iface_get(&st->net, s->dgram->send.head->ifindex)->ready,
			      &s->ready_link);
	else if (s->index == NO_INDEX)
		sock_free(&st->ss, s);
	if (!p)
		return NULL;
	st->counters[COUNT_IP_OUT_REQUESTS]++;
	if (!destination_of(p, &dst) || route_lookup(&st->net, &dst, i->index, &hop)) {
		stack_drop(st, p, TERN_DROP_NO_ROUTE);
		return NULL;
	}
	return link_packet(st, i, p, &hop.next);
}

/* ---- pulled by the device ---- */

static struct tern_pkt *next_packet(struct tern_stack *st, struct iface *i)
{
	struct tern_pkt *p = pkt_queue_take(&i->control);

	while (!p && !list_empty(&i->ready)) {
		struct sock *s = CONTAINER_OF(list_take(&i->ready), struct sock, ready_link);

		p = sock_is_stream(s) ? output_stream(st, i, s) : output_dgram(st, i, s);
		if (!p) /* what it caused, such as an ARP request, goes now */
			p = pkt_queue_take(&i->control);
	}
	return p;
}

struct tern_pkt *stack_output(struct tern_stack *st, struct iface *i)
{
	struct tern_pkt *p = iface_is_up(i) ? next_packet(st, i) : NULL;

	if (p)
		trace_packet(st, TERN_TRACE_PACKET_OUT, p, TERN_DROP_NONE);
	return p;
}

TERN_API struct tern_pkt *tern_output(struct tern_stack *st, unsigned ifindex)
{
	struct iface *i = iface_get(&st->net, ifindex);

	return i && ifindex != LO_INDEX ? stack_output(st, i) : NULL;
}

TERN_API struct tern_pkt *tern_output_batch(struct tern_stack *st, unsigned ifindex, unsigned max,
					    unsigned *n)
{
	struct tern_pkt *head = NULL, **tail = &head;

	for (*n = 0; *n < max; ++*n) {
		struct tern_pkt *p = tern_output(st, ifindex);

		if (!p)
			break;
		p->next = NULL;
		*tail = p;
		tail = &p->next;
	}
	return head;
}

static bool has_work(const struct tern_stack *st, unsigned ifindex)
{
	const struct iface *i = iface_get(&st->net, ifindex);

	return i && iface_is_up(i) && (i->control.n || !list_empty(&i->ready));
}

TERN_API unsigned tern_output_ready(const struct tern_stack *st, unsigned ifindex)
{
	if (ifindex)
		return ifindex != LO_INDEX && has_work(st, ifindex) ? ifindex : 0;
	for (unsigned i = LO_INDEX + 1; i <= IFACES_MAX; i++)
		if (has_work(st, i))
			return i;
	return 0;
}

TERN_API void tern_pkt_complete(struct tern_stack *st, struct tern_pkt *p)
{
	uint32_t sum;

	if (!(p->flags & TERN_PKT_CSUM_PARTIAL))
		return;
	assert(p->gso_size == 0);
	sum = pkt_sum(p, p->csum_start, st->env.sum, 0);
	put_be16(p->data + p->csum_start + p->csum_off, checksum_finish(sum));
	p->flags &= (uint16_t)~TERN_PKT_CSUM_PARTIAL;
}

TERN_API void tern_pkt_emit(const struct tern_stack *st, const struct tern_pkt *p, void *buf)
{
	uint8_t *out = buf;
	uint32_t sum;

	if (!(p->flags & TERN_PKT_CSUM_PARTIAL)) {
		pkt_copy_out(p, 0, out, p->total_len);
		return;
	}
	assert(p->gso_size == 0);
	memcpy(out, p->data, p->csum_start);
	sum = pkt_copy_sum(p, p->csum_start, out + p->csum_start, st->env.copy_sum);
	put_be16(out + p->csum_start + p->csum_off, checksum_finish(sum));
}
