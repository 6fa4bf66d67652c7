/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * train.c - segments of one stream that come in one batch, taken as one.
 *
 * A device without offload hands over full segments one by one. Those that go on where the one
 * before ends, and say nothing else, differ from it in number and checksum alone: their text lands
 * behind its text, and TCP sees one large segment. So one lookup, one ACK decision and one look at
 * the timers serve the whole train. In the other direction go ACKs of more and more: the last says
 * what they all say. Whatever differs in any other way is a segment of its own.
 */
#include "stack.h"

/* Of a segment whose header others may repeat. */
struct engine {
	const struct inbound *in;
	struct tcp_packet *tp;
	struct tcp *c;
	const uint8_t *alike; /* which bits of the TCP header they have in common */
	bool is_ip4;
	uint32_t hdr_len;     /* of TCP */
	uint32_t head;	      /* of all headers */
	uint32_t least, most; /* text */
	uint32_t ip_sum;      /* of IPv4's header, but for what may differ */
	uint32_t sum;	      /* of the addresses, protocol, ports and options */
};

/* Which bits of headers are the same: lengths, identification and checksum may differ, ... */
static const uint8_t ip4_alike[IP4_HDR_LEN] = { 255, 255, 0,   0,   0,	 0,   255, 255, 255, 255,
						0,   0,	  255, 255, 255, 255, 255, 255, 255, 255 };
/* ... beside a text the number, PSH and the checksum, ... */
static const uint8_t text_alike[TCP_HDR_LEN] = { 255, 255, 255, 255, 0,	  0,   0,
						 0,   255, 255, 255, 255, 255, 255 ^ TCP_PSH,
						 255, 255, 0,	0,   255, 255 };
/* ... and else the ACK, the window and the checksum. */
static const uint8_t ack_alike[TCP_HDR_LEN] = { 255, 255, 255, 255, 255, 255, 255, 255, 0,   0,
						0,   0,	  255, 255, 0,	 0,   0,   0,	255, 255 };

static inline uint64_t eight_at(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return v;
}

/* Of 20 bytes, which are two loads and one that overlaps. */
static inline bool are_alike(const uint8_t *a, const uint8_t *b, const uint8_t *alike)
{
	return (((eight_at(a) ^ eight_at(b)) & eight_at(alike)) |
		((eight_at(a + 8) ^ eight_at(b + 8)) & eight_at(alike + 8)) |
		((eight_at(a + 12) ^ eight_at(b + 12)) & eight_at(alike + 12))) == 0;
}

static inline bool same_bytes(const uint8_t *a, const uint8_t *b, uint32_t from, uint32_t to)
{
	return from == to || memcmp(a + from, b + from, to - from) == 0;
}

static inline uint32_t sum_ip4_own(const uint8_t *h)
{
	return (uint32_t)get_be16(h + 2) + get_be16(h + 4) + get_be16(h + 10);
}

/* Where IP's packet ends whose header is not the engine's all the same, or 0. */
static APART uint32_t end_of_other(const struct engine *e, const uint8_t *a, const uint8_t *b)
{
	uint32_t end = e->in->l3_off;

	if (e->is_ip4) {
		end += get_be16(b + 2);
		if (!are_alike(a, b, ip4_alike) || checksum_finish(e->ip_sum + sum_ip4_own(b)) != 0)
			return 0;
	} else {
		end += IP6_HDR_LEN + get_be16(b + 4);
		if (!same_bytes(a, b, 0, 4) || !same_bytes(a, b, 6, IP6_HDR_LEN))
			return 0;
	}
	return end >= e->head + e->least && end <= e->head + e->most ? end : 0;
}

/* Where the IP packet ends, or 0. Who does not count packets sends the same header again. */
static inline uint32_t follow_ip(const struct engine *e, const struct tern_pkt *q)
{
	const struct inbound *in = e->in;
	const uint8_t *a = in->p->data + in->l3_off, *b = q->data + in->l3_off;

	return e->is_ip4 && same_bytes(a, b, 0, IP4_HDR_LEN) ? in->end : end_of_other(e, a, b);
}

static bool follow_tcp(const struct engine *e, const uint8_t *b, struct tcp_wagon *wagon)
{
	const uint8_t *a = e->in->p->data + e->in->l4_off;
	const struct tcp_seg *seg = &e->tp->seg;
	uint32_t seq = get_be32(b + 4);

	if (!are_alike(a, b, e->alike) || seq != seg->h.seq + seg->len ||
	    !same_bytes(a, b, TCP_HDR_LEN, e->hdr_len))
		return false;
	wagon->ack = get_be32(b + 8);
	wagon->wnd = get_be16(b + 14);
	wagon->push = b[13] & TCP_PSH;
	wagon->sum =
		e->sum + e->hdr_len + wagon->len +
		checksum_words((uint64_t)seq + wagon->ack + get_be32(b + 12) + get_be32(b + 16));
	return true;
}

/* Does q say the same as the engine, but for what the wagon says? */
static bool couple(const struct engine *e, const struct tern_pkt *q, struct tcp_wagon *wagon)
{
	const struct inbound *in = e->in;
	uint32_t end;

	if (q->ifindex != in->p->ifindex || q->flags != in->p->flags || q->len < e->head)
		return false;
	if (!same_bytes(in->p->data, q->data, 0, in->l3_off))
		return false;
	end = follow_ip(e, q);
	if (end == 0 || end > q->len)
		return false;
	wagon->data = q->data + e->head;
	wagon->len = end - e->head;
	return follow_tcp(e, q->data + in->l4_off, wagon);
}

/* The text of the first is behind it already (tcp_land). */
static bool pull(const struct tern_stack *st, const struct engine *e, const struct tcp_wagon *wagon)
{
	const struct tcp_ctx *x = sock_ctx(&st->ss);
	struct tcp_seg *seg = &e->tp->seg;

	if (seg->landed)
		return tcp_land_more(e->c, x, seg, st->env.copy_sum, wagon);
	return (e->tp->verified || checksum_finish(wagon->sum) == 0) &&
	       tcp_join_ack(e->c, seg, wagon);
}

static bool is_plain(const struct tern_stack *st, const struct inbound *in)
{
	uint32_t ip_len = addr_is4(&in->src) ? IP4_HDR_LEN : IP6_HDR_LEN;

	return list_empty(&st->ss.raws) && in->l4_off == in->l3_off + ip_len;
}

/* Beside texts some flags may be set, in all: see text_alike. */
static bool is_engine(const struct tcp_seg *seg)
{
	const uint16_t others = TCP_PSH | TCP_ECE | TCP_CWR | TCP_AE;

	return seg->part == 0 && (seg->h.flags & ~(seg->len ? others : 0)) == TCP_ACK;
}

/* The header's sum was right, so what is common to all is what its own part lacks. */
static void begin_train(struct engine *e)
{
	const struct inbound *in = e->in;
	const uint8_t *ip = in->p->data + in->l3_off, *h = in->p->data + in->l4_off;
	struct tcp_seg *seg = &e->tp->seg;

	seg->part = (uint16_t)seg->len;
	e->alike = seg->len ? text_alike : ack_alike;
	e->least = seg->len ? 1 : 0;
	e->most = seg->len;
	e->hdr_len = seg->h.hdr_len;
	e->head = in->l4_off + e->hdr_len;
	e->is_ip4 = addr_is4(&in->src);
	if (e->is_ip4)
		e->ip_sum = 4 * 0xffff - sum_ip4_own(ip); /* 0, and nothing is negative */
	e->sum = in->addr_sum + TERN_IPPROTO_TCP + checksum_header(h, 4) +
		 checksum_header(h + TCP_HDR_LEN, e->hdr_len - TCP_HDR_LEN);
}

void take_train(struct tern_stack *st, const struct inbound *in, struct tuple *t,
		struct tcp_packet *tp)
{
	struct engine e = { .in = in, .tp = tp, .c = sock_tcp_of(t) };
	struct tcp_wagon wagon;
	struct tern_pkt *q;
	unsigned n = 0;

	if (!e.c || !is_engine(&tp->seg) || !is_plain(st, in))
		return;
	begin_train(&e);
	while ((q = *in->rest) && couple(&e, q, &wagon) && pull(st, &e, &wagon)) {
		trace_packet(st, TERN_TRACE_PACKET_IN, q, TERN_DROP_NONE);
		*in->rest = q->next;
		tern_pkt_free(st, q);
		n++;
		if (wagon.len < e.most) /* the last wagon is the short one */
			break;
	}
	st->counters[COUNT_IP_IN_RECEIVES] += n;
	st->counters[COUNT_IP_IN_DELIVERS] += n;
	st->counters[COUNT_TCP_IN_SEGS] += n;
}
