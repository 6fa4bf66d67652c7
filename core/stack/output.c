/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * output.c - the way of a packet down, pulled by the device.
 *
 * Each interface has a control queue (ARP, ND, ICMP, RST, SYN-ACK) that goes first, and a list of
 * sockets with something to send, served in turn. How a connection's turn becomes segments is said
 * in gso.c.
 */
#include "stack.h"

enum { CONTROL_QUEUE_MAX = 4096 };

void tell_of_packet(struct tern_stack *st, enum tern_trace_kind kind, const struct tern_pkt *p,
		    enum tern_drop drop)
{
	struct tern_trace r = {
		.at = st->timers.now, .kind = kind, .stack_id = st->cfg.id, .pkt = p, .drop = drop
	};

	if (kind == TERN_TRACE_PACKET_OUT) {
		r.cause = p->cause;
		r.conn = p->conn;
	}
	st->env.trace(st->env.ctx, &r);
}

/* ---- IP ---- */

void stack_push_ip(struct tern_stack *st, struct tern_pkt *p, const struct ip_names *n)
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
	stack_push_ip(st, p, n);
	st->counters[COUNT_ICMP_OUT_MSGS]++;
}

/* What has no ports is a flow by its addresses alone. */
void stack_label_icmp(const struct tern_stack *st, struct ip_names *n)
{
	n->proto = TERN_IPPROTO_ICMPV6;
	ip_label(&st->ss, n, 0, 0, LABEL_BY_DEFAULT);
}

static bool read_key(const struct tern_pkt *p, struct route_key *key)
{
	struct ip6 ip6;

	if (p->len >= IP4_HDR_LEN && p->data[0] >> 4 == 4) {
		if (ip4_hdr_len(p->data) < IP4_HDR_LEN || ip4_hdr_len(p->data) > p->len)
			return false;
		key->src = addr_from4(p->data + 12);
		key->dst = addr_from4(p->data + 16);
		return true;
	}
	if (!ip6_parse_quoted(&ip6, p->data, p->len))
		return false;
	key->dst = ip6.dst;
	key->src = ip6.src;
	return true;
}

void stack_put_control(struct tern_stack *st, struct iface *i, struct tern_pkt *p)
{
	if (i->control.n >= CONTROL_QUEUE_MAX)
		stack_drop(st, p, TERN_DROP_RATE_LIMITED);
	else
		pkt_queue_put(&i->control, p);
}

static void put_all(struct tern_stack *st, struct iface *i, struct pkt_queue *q)
{
	struct tern_pkt *p;

	while ((p = pkt_queue_take(q)))
		stack_put_control(st, i, p);
}

static void make_frames(const struct iface *i, struct pkt_queue *q, const uint8_t mac[6])
{
	if (i->cfg.link == TERN_LINK_ETHERNET)
		for (struct tern_pkt *p = q->head; p; p = p->next)
			push_eth(i, p, mac, p->data[0] >> 4 == 4 ? ETH_IP4 : ETH_IP6);
}

void send_linked(struct tern_stack *st, struct iface *i, struct tern_pkt *p, const uint8_t mac[6])
{
	struct pkt_queue frames;

	fragment_cut(st, p, &frames);
	make_frames(i, &frames, mac);
	put_all(st, i, &frames);
}

/* What of an IP packet goes now: it may wait for its neighbour, or be gone. Takes it. */
static void link_packet(struct tern_stack *st, struct tern_pkt *p, const struct hop *hop,
			struct pkt_queue *frames)
{
	struct iface *i = iface_get(&st->net, hop->ifindex);
	enum link_verdict verdict = LINK_READY;
	struct neigh *n;
	uint8_t mac[6];

	pkt_queue_init(frames);
	p->ifindex = (uint16_t)i->index;
	if (i->cfg.link == TERN_LINK_ETHERNET)
		verdict = neighbour_of(st, i, &hop->next, &n, mac);
	switch (verdict) {
	case LINK_READY:
		fragment_cut(st, p, frames);
		make_frames(i, frames, mac);
		return;
	case LINK_WAIT:
		p = neigh_queue_put(&st->net, n, p);
		if (p)
			stack_drop(st, p, TERN_DROP_NEIGH_UNRESOLVED);
		neighbour_await(st, n);
		return;
	case LINK_NO_MEMORY:
		stack_drop(st, p, TERN_DROP_NO_MEMORY);
	}
}

void send_by_hop(struct tern_stack *st, struct tern_pkt *p, const struct hop *hop)
{
	struct pkt_queue frames;

	link_packet(st, p, hop, &frames);
	put_all(st, iface_get(&st->net, hop->ifindex), &frames);
}

void stack_send_routed(struct tern_stack *st, struct tern_pkt *p, const struct route_key *key)
{
	struct hop hop;

	if (route_lookup(&st->net, key, &hop)) {
		stack_drop(st, p, TERN_DROP_NO_ROUTE);
		return;
	}
	p->cut_to = hop.mtu;
	send_by_hop(st, p, &hop);
}

void stack_send_ip(struct tern_stack *st, struct tern_pkt *p, unsigned ifindex)
{
	struct route_key key = { .ifindex = ifindex };

	if (read_key(p, &key))
		stack_send_routed(st, p, &key);
	else
		stack_drop(st, p, TERN_DROP_NO_ROUTE);
}

/* ---- datagrams ---- */

static struct tern_pkt *output_dgram(struct tern_stack *st, struct iface *i, struct sock *s)
{
	struct tern_pkt *p = sock_dgram_take(&st->ss, s);
	struct route_key key = { .ifindex = i->index };
	struct pkt_queue frames;
	struct hop hop;

	if (s->dgram->send.n)
		sock_set_ready_on(&st->ss, s, s->dgram->send.head->ifindex);
	else if (s->index == NO_INDEX)
		sock_free(&st->ss, s);
	if (!p)
		return NULL;
	st->counters[COUNT_IP_OUT_REQUESTS]++;
	if (!read_key(p, &key) || route_lookup(&st->net, &key, &hop)) {
		stack_drop(st, p, TERN_DROP_NO_ROUTE);
		return NULL;
	}
	if (hop.ifindex != i->index) { /* it has become ours meanwhile */
		send_by_hop(st, p, &hop);
		return NULL;
	}
	link_packet(st, p, &hop, &frames);
	p = pkt_queue_take(&frames);
	put_all(st, i, &frames); /* the control queue is next */
	return p;
}

/* ---- pulled by the device ---- */

static struct sock *take_sock(struct list *l)
{
	return CONTAINER_OF(list_take(l), struct sock, ready_link);
}

/* Control packets go first; then who has a turn. */
static APART struct tern_pkt *take_turns(struct tern_stack *st, struct iface *i)
{
	struct tern_pkt *p = pkt_queue_take(&i->control);

	while (!p && !list_empty(&i->ready)) {
		struct sock *s = take_sock(&i->ready);

		p = sock_is_stream(s) ? stack_begin_burst(st, i, s) : output_dgram(st, i, s);
		if (!p) /* what it caused, such as an ARP request, goes now */
			p = pkt_queue_take(&i->control);
	}
	return p;
}

/* Mostly another piece of a burst; without one, its list is empty. */
static inline struct tern_pkt *next_packet(struct tern_stack *st, struct iface *i)
{
	struct tern_pkt *p = NULL;

	if (!i->control.n && !list_empty(&i->cutting))
		p = stack_next_piece(st, i);
	return p ? p : take_turns(st, i);
}

struct tern_pkt *stack_output(struct tern_stack *st, struct iface *i)
{
	struct tern_pkt *p = iface_is_up(i) ? next_packet(st, i) : NULL;

	if (p)
		trace_packet(st, TERN_TRACE_PACKET_OUT, p, TERN_DROP_NONE);
	return p;
}

static bool has_output(const struct iface *i)
{
	return i->control.n || iface_has_ready(i);
}

static bool has_work(const struct iface *i)
{
	return i && iface_is_up(i) && has_output(i);
}

/* ---- an interface that is down: what it is given is lost, as on a wire that is cut ---- */

static struct iface *down_with_output(const struct tern_stack *st)
{
	for (unsigned k = 1; st->net.n_down && k <= IFACES_MAX; k++) {
		struct iface *i = iface_get(&st->net, k);

		if (i && !iface_is_up(i) && has_output(i))
			return i;
	}
	return NULL;
}

bool stack_down_has_work(const struct tern_stack *st)
{
	return down_with_output(st) != NULL;
}

/* Connections go where their routes are now, or lose a segment, which they send again. */
COLD void stack_drop_output(struct tern_stack *st, struct iface *i)
{
	struct tern_pkt *p;

	while ((p = next_packet(st, i)))
		stack_drop(st, p, TERN_DROP_IFACE_DOWN);
}

void stack_down_run(struct tern_stack *st)
{
	struct iface *i;

	while ((i = down_with_output(st)))
		stack_drop_output(st, i);
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

int64_t stack_emit_next(struct tern_stack *st, struct iface *i, void *buf, size_t room)
{
	struct tern_pkt *p = stack_output(st, i);
	int64_t len;

	if (!p)
		return 0;
	len = p->total_len;
	if ((size_t)len > room) {
		stack_drop(st, p, TERN_DROP_TOO_BIG);
		return -TERN_EMSGSIZE;
	}
	tern_pkt_emit(st, p, buf);
	tern_pkt_free(st, p);
	return len;
}

TERN_API unsigned tern_output_ready(const struct tern_stack *st, unsigned ifindex)
{
	if (ifindex)
		return ifindex != LO_INDEX && has_work(iface_get(&st->net, ifindex)) ? ifindex : 0;
	for (unsigned i = LO_INDEX + 1; i <= st->net.top_ifindex; i++)
		if (has_work(iface_get(&st->net, i)))
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

/* Headers that end with TCP's, or what is summed alike, and at most one piece of text. */
static inline bool is_segment(const struct tern_pkt *p)
{
	uint32_t n = p->len - p->csum_start;

	return n >= TCP_HDR_LEN && n <= TCP_HDR_MAX && n % 4 == 0 && p->n_spans <= 1;
}

static inline uint32_t emit_segment(const struct tern_stack *st, const struct tern_pkt *p,
				    uint8_t *out)
{
	const uint8_t *h = p->data + p->csum_start;
	uint32_t rest = p->len - p->csum_start - TCP_HDR_LEN, sum;

	copy_headers(out, p->data, p->len);
	sum = checksum_header(h, TCP_HDR_LEN) + checksum_header(h + TCP_HDR_LEN, rest);
	return p->n_spans ? st->env.copy_sum(out + p->len, p->span[0].ptr, p->span[0].len, sum) :
			    sum;
}

static APART uint32_t emit_pieces(const struct tern_stack *st, const struct tern_pkt *p,
				  uint8_t *out)
{
	uint32_t start = p->csum_start, n = p->len - start, sum;

	memcpy(out, p->data, start);
	sum = st->env.copy_sum(out + start, p->data + start, n, 0);
	return pkt_copy_spans_sum(p, n, out + p->len, st->env.copy_sum, sum);
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
	sum = is_segment(p) ? emit_segment(st, p, out) : emit_pieces(st, p, out);
	put_be16(out + p->csum_start + p->csum_off, checksum_finish(sum));
}
