/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * train.c - segments of one stream that come in one batch, taken as one.
 *
 * A device without offload hands over full segments one by one. Those that go on where the one
 * before ends, and say nothing else, differ from it in number and checksum alone: their text lands
 * behind its text, and TCP sees one large segment. So one lookup, one ACK decision and one look at
 * the timers serve the whole train. Whatever differs in any other way is a segment of its own.
 */
#include "stack.h"

/* Of a segment whose header another one may repeat. */
struct engine {
	const struct inbound *in;
	const struct tcp_packet *tp;
	uint32_t hdr_len; /* of TCP */
};

static bool same_bytes(const uint8_t *a, const uint8_t *b, uint32_t from, uint32_t to)
{
	return memcmp(a + from, b + from, to - from) == 0;
}

/* The IP header: all but lengths, identification and checksum. Where the packet ends, or 0. */
static uint32_t follow_ip(const struct inbound *in, const struct tern_pkt *q)
{
	const uint8_t *a = in->p->data + in->l3_off, *b = q->data + in->l3_off;
	uint32_t len;

	if (addr_is4(&in->src)) {
		len = get_be16(b + 2);
		if (!same_bytes(a, b, 0, 2) || !same_bytes(a, b, 6, 10) ||
		    !same_bytes(a, b, 12, 20))
			return 0;
		if (checksum_finish(checksum_header(b, IP4_HDR_LEN)) != 0)
			return 0;
	} else {
		len = IP6_HDR_LEN + get_be16(b + 4);
		if (!same_bytes(a, b, 0, 4) || !same_bytes(a, b, 6, IP6_HDR_LEN))
			return 0;
	}
	return in->l3_off + len <= q->len ? in->l3_off + len : 0;
}

/* The TCP header: all but number, PSH and checksum. */
static bool follows_tcp(const struct engine *e, const struct tern_pkt *q)
{
	const uint8_t *a = e->in->p->data + e->in->l4_off, *b = q->data + e->in->l4_off;

	return get_be32(b + 4) == e->tp->seg.h.seq + e->tp->seg.len && same_bytes(a, b, 0, 4) &&
	       same_bytes(a, b, 8, 13) && ((a[13] ^ b[13]) & ~TCP_PSH) == 0 &&
	       same_bytes(a, b, 14, 16) && same_bytes(a, b, 18, e->hdr_len);
}

/* Does q go on where the engine's text ends? Then its text. */
static bool couple(const struct engine *e, const struct tern_pkt *q, struct tcp_text *text)
{
	const struct inbound *in = e->in;
	uint32_t head = in->l4_off + e->hdr_len, end;

	if (q->ifindex != in->p->ifindex || q->flags != in->p->flags || q->len <= head)
		return false;
	if (!same_bytes(in->p->data, q->data, 0, in->l3_off))
		return false;
	end = follow_ip(in, q);
	if (end <= head || end - head > e->tp->seg.part || !follows_tcp(e, q))
		return false;
	text->data = q->data + head;
	text->len = end - head;
	text->sum = in->addr_sum + TERN_IPPROTO_TCP + (end - in->l4_off) +
		    checksum_header(q->data + in->l4_off, e->hdr_len);
	return true;
}

static bool is_plain(const struct tern_stack *st, const struct inbound *in)
{
	uint32_t ip_len = addr_is4(&in->src) ? IP4_HDR_LEN : IP6_HDR_LEN;

	return list_empty(&st->ss.raws) && in->l4_off == in->l3_off + ip_len;
}

void take_train(struct tern_stack *st, const struct inbound *in, struct tuple *t,
		struct tcp_packet *tp)
{
	struct engine e = { in, tp, tp->seg.h.hdr_len };
	const uint16_t alike = TCP_PSH | TCP_ECE | TCP_CWR | TCP_AE; /* in all: see follows_tcp */
	struct tern_pkt *q;
	struct tcp_text text;

	if ((tp->seg.h.flags & ~alike) != TCP_ACK || tp->seg.part || !is_plain(st, in))
		return;
	tp->seg.part = (uint16_t)tp->seg.len;
	while ((q = *in->rest) && couple(&e, q, &text) && sock_tcp_join(&st->ss, t, tp, &text)) {
		tp->seg.h.flags |= q->data[in->l4_off + 13] & TCP_PSH;
		trace_packet(st, TERN_TRACE_PACKET_IN, q, TERN_DROP_NONE);
		st->counters[COUNT_IP_IN_RECEIVES]++;
		st->counters[COUNT_IP_IN_DELIVERS]++;
		st->counters[COUNT_TCP_IN_SEGS]++;
		*in->rest = q->next;
		tern_pkt_free(st, q);
		if (text.len < tp->seg.part) /* the last wagon is the short one */
			break;
	}
}
