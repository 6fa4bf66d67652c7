/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fragment.c - the packets around net/frag: what comes in pieces is put together, what is too large
 * is cut.
 *
 * A fragment is looked at alone first: a length or an offset that cannot be, a first one that does
 * not hold all headers. The whole datagram goes up as if it had come so. Whoever sends a packet
 * says to which size it may be cut (cut_to), and it is cut when its neighbour is known, so that one
 * that waits is one packet.
 *
 * Sources: RFC 791 3.2 and RFC 1122 3.3.2, RFC 1858 3 (tiny fragments), RFC 8200 4.5, RFC 7112 5,
 * RFC 6946 (a lone first-and-last fragment is a whole packet), RFC 6980 5.
 */
#include "stack.h"

#include "../net/frag.h"

enum { FRAG6_HDR_LEN = 8, OPTION_COPIED = 0x80 };

/* ---- whole again ---- */

/* The header is the first fragment's; what it said of a fragment is gone. */
static void finish_ip4(struct tern_pkt *p, const struct frag_set *set)
{
	uint8_t *h = p->data, ecn = h[1] & 3;

	frag_ecn(set, &ecn);
	h[1] = (uint8_t)((h[1] & ~3) | ecn);
	put_be16(h + 2, p->len);
	put_be16(h + 6, 0);
	ip4_set_checksum(h);
}

/* Where the chain says that a fragment header follows; the walk has been there. */
static uint32_t fragment_named_at(const uint8_t *hdr)
{
	uint32_t at = 6, off = IP6_HDR_LEN;

	while (hdr[at] != IP6_EXT_FRAGMENT) {
		at = off;
		off += (hdr[off + 1] + 1u) * 8;
	}
	return at;
}

static void finish_ip6(struct tern_pkt *p, const struct frag_set *set)
{
	uint32_t named_at = fragment_named_at(set->hdr);
	uint8_t *h = p->data, ecn = h[1] >> 4 & 3;

	frag_ecn(set, &ecn);
	h[1] = (uint8_t)((h[1] & ~0x30) | ecn << 4);
	h[named_at] = set->hdr[set->hdr_len - FRAG6_HDR_LEN];
	put_be16(h + 4, p->len - IP6_HDR_LEN);
}

static enum tern_drop deliver_ip4(struct tern_stack *st, struct inbound *in)
{
	const uint8_t *h = in->p->data;

	in->tos = h[1];
	in->ttl = h[8];
	in->proto = h[9];
	in->l4_off = ip4_hdr_len(h);
	return transport_input(st, in);
}

static enum tern_drop deliver_ip6(struct tern_stack *st, struct inbound *in)
{
	struct ip6_walk walk;
	struct ip6 ip;

	if (!ip6_parse(&ip, in->p->data, in->p->len))
		return TERN_DROP_IP_MALFORMED;
	if (!ip6_walk(&walk, in->p->data, in->p->len))
		return refuse_ip6_header(st, in, &walk);
	assert(!walk.fragment); /* the first fragment would not have been taken */
	in->tos = ip.traffic_class;
	in->ttl = ip.hop_limit;
	in->proto = walk.proto;
	in->proto_off = walk.bad_pointer;
	in->l4_off = walk.offset;
	return transport_input(st, in);
}

static enum tern_drop refuse_whole(struct tern_stack *st, struct frag_set *set, enum tern_drop why)
{
	frag_free(&st->net, set);
	st->counters[COUNT_IP_REASM_FAILS]++;
	return why;
}

/* The first fragment's header counts, which may be longer than that of those looked at alone. */
static bool fits_length_field(const struct frag_set *set, bool v4, uint32_t hdr_len)
{
	return hdr_len - (v4 ? 0 : IP6_HDR_LEN) + set->end <= 65535;
}

static enum tern_drop deliver_whole(struct tern_stack *st, const struct inbound *last,
				    struct frag_set *set)
{
	bool v4 = addr_is4(&last->dst);
	uint32_t hdr_len = set->hdr_len - (v4 ? 0u : FRAG6_HDR_LEN);
	struct inbound in = *last;
	enum tern_drop drop;
	struct tern_pkt *p;
	uint8_t ecn;

	if (!frag_ecn(set, &ecn) || !fits_length_field(set, v4, hdr_len))
		return refuse_whole(st, set, TERN_DROP_FRAG_MALFORMED);
	p = pkt_new(&st->mem, 0, hdr_len + set->end);
	if (!p)
		return refuse_whole(st, set, TERN_DROP_NO_MEMORY);
	memcpy(p->data, set->hdr, hdr_len);
	frag_copy(set, p->data + hdr_len);
	p->ifindex = set->ifindex;
	p->flags = set->link_flags & TERN_PKT_LINK_BROADCAST;
	if (v4)
		finish_ip4(p, set);
	else
		finish_ip6(p, set);
	frag_free(&st->net, set);
	st->counters[COUNT_IP_REASM_OKS]++;
	in.p = p;
	in.rest = NULL;
	in.l3_off = 0;
	in.end = p->len;
	in.was_cut = true;
	drop = v4 ? deliver_ip4(st, &in) : deliver_ip6(st, &in);
	tern_pkt_free(st, p);
	return drop;
}

static enum tern_drop put_fragment(struct tern_stack *st, const struct inbound *in,
				   const struct frag *f)
{
	struct frag_set *whole;
	enum tern_drop drop = frag_put(&st->net, f, &whole);

	st->counters[COUNT_IP_REASM_REQDS]++;
	if (drop != TERN_DROP_NONE)
		st->counters[COUNT_IP_REASM_FAILS]++;
	return whole ? deliver_whole(st, in, whole) : drop;
}

/* ---- one fragment ---- */

/* RFC 1858 3: filters look for TCP's flags in the first fragment, and in no other. */
static bool hides_tcp_header(const struct frag *f)
{
	return f->key.proto == TERN_IPPROTO_TCP &&
	       (f->off == 0 ? f->len < TCP_HDR_LEN : f->off < TCP_HDR_LEN);
}

enum tern_drop fragment4_input(struct tern_stack *st, const struct inbound *in)
{
	const uint8_t *h = in->p->data + in->l3_off;
	uint32_t field = get_be16(h + 6), hdr_len = in->l4_off - in->l3_off;
	struct frag f = { .key = { in->src, in->dst, get_be16(h + 4), in->proto,
				   frag_zone(&in->src, &in->dst, in->iface->index) },
			  .hdr = h,
			  .hdr_len = hdr_len,
			  .bytes = h + hdr_len,
			  .len = in->end - in->l4_off,
			  .off = (field & IP4_FRAG_OFF) * 8,
			  .last = !(field & IP4_MF),
			  .ecn = in->tos & 3,
			  .ifindex = (uint16_t)in->iface->index,
			  .link_flags = in->p->flags };

	if (f.len == 0 || (!f.last && f.len % 8) || f.off + f.len > 65535 - hdr_len ||
	    hides_tcp_header(&f))
		return TERN_DROP_FRAG_MALFORMED;
	return put_fragment(st, in, &f);
}

/* RFC 7112 5: the chain ends with the header of a transport, and that is here, too. */
static bool lacks_header(const struct ip6_walk *walk, uint32_t end)
{
	uint32_t rest = end - walk->offset;

	switch (walk->proto) {
	case TERN_IPPROTO_TCP:
		return rest < TCP_HDR_LEN;
	case TERN_IPPROTO_UDP:
		return rest < UDP_HDR_LEN;
	case TERN_IPPROTO_ICMPV6:
		return rest < ICMP_HDR_LEN;
	default:
		return false;
	}
}

/* The first fragment says what it is part of: of an ICMPv6 error nobody is told. */
static enum tern_drop refuse_fragment(struct tern_stack *st, const struct inbound *in,
				      const struct ip6_walk *walk, uint8_t code, uint32_t pointer)
{
	struct icmp_problem problem = { ICMP6_PARAMETER_PROBLEM, code, pointer };
	struct inbound told = *in;

	told.proto = walk->frag_off ? IP6_EXT_FRAGMENT : walk->proto;
	told.l4_off = in->l3_off + walk->offset;
	icmp_send_error(st, &told, &problem);
	return TERN_DROP_FRAG_MALFORMED;
}

enum tern_drop fragment6_input(struct tern_stack *st, const struct inbound *in,
			       const struct ip6_walk *walk)
{
	const uint8_t *h = in->p->data + in->l3_off;
	uint32_t hdr_len = walk->frag_hdr_off + (uint32_t)FRAG6_HDR_LEN;
	struct frag f = { .key = { in->src, in->dst, walk->frag_id, 0,
				   frag_zone(&in->src, &in->dst, in->iface->index) },
			  .hdr = h,
			  .hdr_len = hdr_len,
			  .bytes = h + hdr_len,
			  .len = in->end - in->l3_off - hdr_len,
			  .off = walk->frag_off,
			  .last = !walk->mf,
			  .ecn = in->tos & 3,
			  .ifindex = (uint16_t)in->iface->index,
			  .link_flags = in->p->flags };

	if (!f.last && f.len % 8)
		return refuse_fragment(st, in, walk, 0, 4);
	if (f.off + f.len + hdr_len - FRAG6_HDR_LEN - IP6_HDR_LEN > 65535)
		return refuse_fragment(st, in, walk, 0, walk->frag_hdr_off + 2u);
	if (f.off == 0 && lacks_header(walk, in->end - in->l3_off))
		return refuse_fragment(st, in, walk, 3, 0);
	if (f.len == 0 || hdr_len > FRAG_HDR_MAX)
		return TERN_DROP_FRAG_MALFORMED;
	return put_fragment(st, in, &f);
}

/* ---- never whole ---- */

/* RFC 1122 3.3.2, RFC 8200 4.5: told to the sender if the first fragment is here to be quoted. */
static void report_timeout(struct tern_stack *st, const struct frag_set *set)
{
	bool v4 = addr_is4(&set->key.dst);
	struct icmp_problem problem = { v4 ? ICMP4_TIME_EXCEEDED : ICMP6_TIME_EXCEEDED, 1, 0 };
	struct tern_pkt *p = pkt_new(&st->mem, 0, IP6_MTU_MIN);
	struct inbound in = { .p = p,
			      .iface = iface_get(&st->net, set->ifindex),
			      .src = set->key.src,
			      .dst = set->key.dst,
			      .l4_off = set->hdr_len };

	if (!p || !in.iface) {
		tern_pkt_free(st, p);
		return;
	}
	memcpy(p->data, set->hdr, set->hdr_len);
	in.end = set->hdr_len +
		 frag_copy_first(set, p->data + set->hdr_len, IP6_MTU_MIN - set->hdr_len);
	in.proto = v4 ? p->data[9] : p->data[set->hdr_len - FRAG6_HDR_LEN];
	in.to = addr_classify(&st->net, &in.dst, set->ifindex);
	p->flags = set->link_flags & TERN_PKT_LINK_BROADCAST;
	icmp_send_error(st, &in, &problem);
	tern_pkt_free(st, p);
}

void fragment_on_timer(struct tern_stack *st)
{
	struct frag_set *set;

	while ((set = frag_take_expired(&st->net))) {
		st->counters[COUNT_IP_REASM_TIMEOUT]++;
		st->counters[COUNT_IP_REASM_FAILS]++;
		st->drops[TERN_DROP_FRAG_TIMEOUT] += set->n_pieces;
		if (set->hdr_len)
			report_timeout(st, set);
		frag_free(&st->net, set);
	}
}

/* ---- cutting ---- */

/* RFC 791 3.1: later fragments take along the options whose copied flag is set. */
static uint32_t copy_options(const uint8_t *from, uint32_t hdr_len, uint8_t *to)
{
	uint32_t len = IP4_HDR_LEN;

	memcpy(to, from, IP4_HDR_LEN);
	for (uint32_t at = IP4_HDR_LEN; at < hdr_len && from[at] != 0;) {
		uint32_t n = from[at] == 1 || at + 1 == hdr_len ? 1 : from[at + 1];

		if (n == 0 || n > hdr_len - at)
			break;
		if (from[at] & OPTION_COPIED) {
			memcpy(to + len, from + at, n);
			len += n;
		}
		at += n;
	}
	while (len % 4)
		to[len++] = 0;
	to[0] = (uint8_t)(0x40 | len / 4);
	return len;
}

static struct tern_pkt *new_piece(struct tern_stack *st, const struct tern_pkt *p, uint32_t len)
{
	struct tern_pkt *piece = pkt_new(&st->mem, PKT_HEAD_ROOM, len);

	if (!piece)
		return NULL;
	piece->ifindex = p->ifindex;
	piece->cause = p->cause;
	piece->conn = p->conn;
	return piece;
}

static COLD bool cut_ip4(struct tern_stack *st, const struct tern_pkt *p, struct pkt_queue *out)
{
	uint32_t hdr_len = ip4_hdr_len(p->data), len = p->len - hdr_len;
	uint32_t step = (p->cut_to - hdr_len) & ~7u;
	uint32_t field = get_be16(p->data + 6); /* a fragment may be cut again on its way */
	uint8_t hdr[IP4_HDR_MAX];
	uint32_t n, cut_len = hdr_len;

	memcpy(hdr, p->data, hdr_len);
	for (uint32_t off = 0; off < len; off += n) {
		struct tern_pkt *piece;
		bool more;

		n = MIN(step, len - off);
		more = off + n < len || (field & IP4_MF);
		piece = new_piece(st, p, cut_len + n);
		if (!piece)
			return false;
		put_be16(hdr + 2, cut_len + n);
		put_be16(hdr + 6, ((field & IP4_FRAG_OFF) + off / 8) | (more ? IP4_MF : 0));
		ip4_set_checksum(hdr);
		memcpy(piece->data, hdr, cut_len);
		memcpy(piece->data + cut_len, p->data + hdr_len + off, n);
		pkt_queue_put(out, piece);
		if (off == 0)
			cut_len = copy_options(p->data, hdr_len, hdr);
	}
	return true;
}

/* Only what this host sends is cut: its headers end with the IPv6 header (RFC 8200 4.5). */
static COLD bool cut_ip6(struct tern_stack *st, const struct tern_pkt *p, struct pkt_queue *out)
{
	uint32_t hdr_len = IP6_HDR_LEN + FRAG6_HDR_LEN, len = p->len - IP6_HDR_LEN;
	uint32_t step = (p->cut_to - hdr_len) & ~7u, id = rand_u32(&st->rand); /* RFC 7739 */
	uint32_t n;

	for (uint32_t off = 0; off < len; off += n) {
		struct tern_pkt *piece;
		uint8_t *h;

		n = MIN(step, len - off);
		piece = new_piece(st, p, hdr_len + n);
		if (!piece)
			return false;
		h = piece->data;
		memcpy(h, p->data, IP6_HDR_LEN);
		put_be16(h + 4, FRAG6_HDR_LEN + n);
		h[6] = IP6_EXT_FRAGMENT;
		h[IP6_HDR_LEN] = p->data[6];
		h[IP6_HDR_LEN + 1] = 0;
		put_be16(h + IP6_HDR_LEN + 2, off | (off + n < len ? 1 : 0));
		put_be32(h + IP6_HDR_LEN + 4, id);
		memcpy(h + hdr_len, p->data + IP6_HDR_LEN + off, n);
		pkt_queue_put(out, piece);
	}
	return true;
}

void fragment_cut(struct tern_stack *st, struct tern_pkt *p, struct pkt_queue *out)
{
	bool done;

	pkt_queue_init(out);
	if (p->cut_to == 0 || p->total_len <= p->cut_to) {
		pkt_queue_put(out, p);
		return;
	}
	assert(p->n_spans == 0 && p->gso_size == 0);
	tern_pkt_complete(st, p);
	done = p->data[0] >> 4 == 4 ? cut_ip4(st, p, out) : cut_ip6(st, p, out);
	if (done) {
		tern_pkt_free(st, p);
		st->counters[COUNT_IP_FRAG_OKS]++;
		st->counters[COUNT_IP_FRAG_CREATES] += out->n;
		return;
	}
	pkt_queue_fini(out, &st->mem);
	pkt_queue_init(out);
	st->counters[COUNT_IP_FRAG_FAILS]++;
	stack_drop(st, p, TERN_DROP_NO_MEMORY);
}
