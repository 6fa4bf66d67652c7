/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostile_wire.h - what stack_fuzz.c is about: two sides, and a wire between them that does to each
 * frame what the input's bytes say.
 *
 * Frames travel as a TAP device carries them, behind a struct virtio_net_hdr, so that a checksum
 * may be open, said to be verified, or wrong. The wire passes a frame, loses, repeats, holds back,
 * cuts or damages it; when it is not honest it also rewrites frames so that their checksums are
 * right, and forges others. A frame that is older than half of TIME-WAIT is no more (RFC 9293
 * 3.4.1: the maximum segment lifetime).
 */
#ifndef TERN_HOSTILE_WIRE_H
#define TERN_HOSTILE_WIRE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/wire/wire.h"
#include "../host/dev/vnet.h"

enum { NIC = 2, SLOTS = 10, PIPES = 32, HELD_MAX = 24, ROOM = 1 << 16, QUOTE_MAX = 600 };
/* No stack sends so much without hearing anything. */
enum { FRAMES_MAX = 100000 };
#define LIFETIME (30 * TERN_SEC)

/* Both directions of a connection: byte i of a direction is known beforehand. */
struct pipe {
	int family;
	uint16_t port[2];
	bool spoiled; /* the names were used twice, or urgent bytes left the order */
	uint64_t sent[2];
};

struct slot {
	tern_sock sock;
	int family, type;
	bool deaf;	   /* reading was shut down */
	struct pipe *pipe; /* NULL: nobody knows what comes */
	uint64_t sent, received;
};

struct side {
	struct run *run;
	struct tern_stack *st;
	uint64_t memory;
	uint32_t fails_in, fails; /* after so many allocations, so many fail */
	struct slot slot[SLOTS];
	struct tern_pkt *batch, **batch_tail;
	uint8_t quote[QUOTE_MAX]; /* the last IP packet that it sent */
	uint32_t quote_len;
};

struct frame {
	struct virtio_net_hdr h;
	tern_time at; /* when it was sent */
	int to;
	uint32_t len;
	uint8_t *data;
};

struct run {
	const uint8_t *at, *end; /* of the input */
	bool honest, ethernet, external, batches, completed, defers;
	tern_time now;
	struct side side[2];
	struct pipe pipe[PIPES];
	unsigned n_pipes, n_held;
	struct frame held[HELD_MAX];
	const char *why; /* the first thing that did not hold */
};

static uint8_t room[ROOM];

static void fail(struct run *r, const char *why)
{
	if (!r->why)
		r->why = why;
}

/* ---- the input ---- */

static unsigned draw(struct run *r)
{
	return r->at < r->end ? *r->at++ : 0;
}

static uint32_t draw32(struct run *r)
{
	uint32_t v = draw(r) << 8;

	v = (v | draw(r)) << 8;
	v = (v | draw(r)) << 8;
	return v | draw(r);
}

/* Small ones and large ones. */
static uint32_t draw_len(struct run *r)
{
	static const uint16_t unit[] = { 1, 1, 16, 250 };
	unsigned b = draw(r);

	return draw(r) * unit[b % 4];
}

static void draw_bytes(struct run *r, uint8_t *to, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		to[i] = (uint8_t)draw(r);
}

/* ---- frames ---- */

/* What of a frame is IP, and its transport. */
struct place {
	uint32_t l3, l4, end;
	uint8_t proto;
	struct addr src, dst;
};

static bool find_place(const struct run *r, const struct frame *f, struct place *at)
{
	const uint8_t *ip;
	struct ip4 ip4;
	struct ip6 ip6;

	at->l3 = r->ethernet ? ETH_HDR_LEN : 0;
	if (f->len <= at->l3)
		return false;
	ip = f->data + at->l3;
	if (ip4_parse_quoted(&ip4, ip, f->len - at->l3)) {
		at->l4 = at->l3 + ip4.hdr_len;
		at->end = at->l3 + ip4.total_len;
		at->proto = ip4.proto;
		at->src = ip4.src;
		at->dst = ip4.dst;
	} else if (ip6_parse_quoted(&ip6, ip, f->len - at->l3)) {
		at->l4 = at->l3 + IP6_HDR_LEN;
		at->end = at->l4 + ip6.payload_len;
		at->proto = ip6.next_header;
		at->src = ip6.src;
		at->dst = ip6.dst;
	} else {
		return false;
	}
	at->end = at->end > f->len ? f->len : at->end;
	return at->l4 <= at->end;
}

/* Makes all checksums of a frame right: it came from somebody who meant it. */
static void repair(const struct run *r, struct frame *f)
{
	struct place at;
	uint8_t *ip, *sum;
	uint32_t len, start = 0;

	f->h = (struct virtio_net_hdr){ .flags = 0 };
	if (!find_place(r, f, &at))
		return;
	ip = f->data + at.l3;
	if (ip[0] >> 4 == 4) {
		put_be16(ip + 10, 0);
		put_be16(ip + 10, checksum_finish(checksum_add(ip, at.l4 - at.l3, 0)));
	}
	len = at.end - at.l4;
	sum = f->data + at.l4 +
	      (at.proto == TERN_IPPROTO_TCP ? 16 :
	       at.proto == TERN_IPPROTO_UDP ? 6 :
					      2);
	if (sum + 2 > f->data + at.end)
		return;
	if (at.proto != TERN_IPPROTO_ICMP)
		start = checksum_pseudo(&at.src, &at.dst, at.proto, len);
	put_be16(sum, 0);
	put_be16(sum, checksum_finish(checksum_add(f->data + at.l4, len, start)));
}

static struct frame copy_frame(const struct frame *f)
{
	struct frame copy = *f;

	copy.data = malloc(f->len ? f->len : 1);
	if (!copy.data)
		abort();
	memcpy(copy.data, f->data, f->len);
	return copy;
}

static void flush(struct side *to)
{
	struct tern_pkt *list = to->batch;

	*to->batch_tail = NULL;
	to->batch = NULL;
	to->batch_tail = &to->batch;
	tern_input_batch(to->st, list);
}

/* A plain packet that goes alone is lent, in as many bytes as it has. */
static void lend(struct side *to, struct tern_pkt *p)
{
	uint32_t len = p->len;
	uint8_t *lent = malloc(len ? len : 1);

	if (!lent)
		abort();
	memcpy(lent, p->data, len);
	tern_pkt_free(to->st, p);
	tern_input_from(to->st, NIC, lent, len);
	free(lent);
}

/* Takes the frame, as a device reads it. */
static void deliver(struct run *r, struct frame *f)
{
	struct side *to = &r->side[f->to];
	bool external = r->external && f->len;
	struct tern_pkt *p = NULL;

	if (f->len && f->at + LIFETIME >= r->now)
		p = external ? tern_pkt_new_external(to->st, f->data, f->len, f->data) :
			       tern_pkt_new(to->st, f->len);
	if (p && !external)
		memcpy(p->data, f->data, f->len);
	if (!p || !external)
		free(f->data);
	if (!p)
		return;
	p->ifindex = NIC;
	if (!vnet_parse(&f->h, r->ethernet, p)) {
		tern_pkt_free(to->st, p);
		return;
	}
	if (!r->batches && p->flags == 0) {
		lend(to, p);
		return;
	}
	*to->batch_tail = p;
	to->batch_tail = &p->next;
	if (!r->batches)
		flush(to);
}

/* Of a device that has buffers of its own; false: it cuts super-frames, or there is nothing. */
static bool take_written(struct run *r, struct side *s, struct frame *f)
{
	static uint8_t buf[ETH_HDR_LEN + UINT16_MAX];
	int64_t len = r->completed ? tern_output_to(s->st, NIC, buf, sizeof(buf)) : 0;

	if (len <= 0)
		return false;
	f->len = (uint32_t)len;
	f->data = buf;
	*f = copy_frame(f);
	return true;
}

static bool take_packet(struct run *r, struct side *s, struct frame *f)
{
	struct tern_pkt *p = tern_output(s->st, NIC);

	if (!p)
		return false;
	f->len = p->total_len;
	f->data = malloc(f->len);
	if (!f->data)
		abort();
	if (r->completed && !p->gso_size) {
		tern_pkt_emit(s->st, p, f->data);
	} else {
		vnet_emit(p, &f->h);
		if (tern_pkt_copy(p, 0, f->data, f->len) != f->len)
			fail(r, "a packet is shorter than it says");
	}
	tern_pkt_free(s->st, p);
	return true;
}

static bool take_frame(struct run *r, int from, struct frame *f)
{
	struct side *s = &r->side[from];
	uint32_t l3 = r->ethernet ? ETH_HDR_LEN : 0;

	*f = (struct frame){ .at = r->now, .to = !from };
	if (!take_written(r, s, f) && !take_packet(r, s, f))
		return false;
	s->quote_len = f->len - l3 < QUOTE_MAX ? f->len - l3 : QUOTE_MAX;
	memcpy(s->quote, f->data + l3, s->quote_len);
	return true;
}

/* ---- the wire's malice ---- */

/* A number of one, two or four bytes becomes another, near the old one or not. */
static void rewrite(struct run *r, struct frame *f)
{
	struct place at;
	unsigned what = draw(r), width = 1u << what % 4 % 3;
	uint32_t from = 0, to = f->len, v;
	bool placed = what & 0xc0 && find_place(r, f, &at);
	uint8_t *p;

	if (placed) {
		from = what & 0x80 ? at.l4 : at.l3;
		to = what & 0x80 ? from + TCP_HDR_MAX : at.l4;
		to = to > f->len ? f->len : to;
	}
	if (from + width > to)
		return;
	from += draw(r) % (to - from - width + 1);
	/* fields stand at multiples of their length */
	if (placed)
		from -= (from - (r->ethernet ? ETH_HDR_LEN : 0)) % width;
	p = f->data + from;
	v = width == 1 ? p[0] : width == 2 ? get_be16(p) : get_be32(p);
	if (what & 0x10)
		v = width == 4 ? draw32(r) : width == 2 ? draw32(r) >> 16 : draw(r);
	else
		v += (uint32_t)(int8_t)draw(r) << draw(r) % (8 * width);
	if (width == 1)
		p[0] = (uint8_t)v;
	else if (width == 2)
		put_be16(p, v);
	else
		put_be32(p, v);
}

/* TCP's flags, and options that may take their room from the text. */
static void rewrite_tcp(struct run *r, struct frame *f)
{
	struct place at;
	unsigned what = draw(r);
	uint8_t *tcp;

	if (!find_place(r, f, &at) || at.proto != TERN_IPPROTO_TCP || at.end - at.l4 < TCP_HDR_LEN)
		return;
	tcp = f->data + at.l4;
	if (what & 1)
		tcp[13] = (uint8_t)draw(r);
	if (what & 2)
		tcp[12] = (uint8_t)draw(r);
	if (what & 4 && at.end - at.l4 >= TCP_HDR_LEN + 12)
		draw_bytes(r, tcp + TCP_HDR_LEN, 12);
}

static void rewrite_vnet(struct run *r, struct frame *f)
{
	struct place at;
	unsigned what = draw(r);

	if (what & 1) {
		draw_bytes(r, (uint8_t *)&f->h, sizeof(f->h));
		return;
	}
	f->h.flags = what & 2 ? VIRTIO_NET_HDR_F_NEEDS_CSUM : VIRTIO_NET_HDR_F_DATA_VALID;
	if (!find_place(r, f, &at))
		return;
	f->h.csum_start = (uint16_t)at.l4;
	f->h.csum_offset = at.proto == TERN_IPPROTO_TCP ? 16 : 6;
	if (what & 4) {
		f->h.gso_type = f->data[at.l3] >> 4 == 4 ? VIRTIO_NET_HDR_GSO_TCPV4 :
							   VIRTIO_NET_HDR_GSO_TCPV6;
		f->h.gso_size = (uint16_t)draw_len(r);
	}
}

/* Truncates it, or turns a bit; an honest wire where a checksum shows it. */
static void damage(struct run *r, struct frame *f)
{
	struct place at;
	unsigned what = draw(r);
	uint32_t where = draw32(r), from = 0;

	if (r->honest) {
		repair(r, f);
		if (!find_place(r, f, &at) || at.l4 == at.end)
			return;
		from = at.l4;
	}
	if (what & 1)
		f->len = from + where % (f->len - from);
	else
		f->data[from + where % (f->len - from)] ^= (uint8_t)(1u << (what >> 1) % 8);
}

static void deliver_damaged(struct run *r, struct frame *f, unsigned how)
{
	unsigned n = 1 + (how >> 4) % 4;

	if (!f->len) {
		deliver(r, f);
		return;
	}
	if (how & 8 && !r->honest) {
		for (unsigned i = 0; i < n; i++)
			(how & 4 ? rewrite_tcp : rewrite)(r, f);
		if (how & 0xc0)
			repair(r, f);
		if (how & 2)
			rewrite_vnet(r, f);
	} else {
		damage(r, f);
	}
	deliver(r, f);
}

/* Every IP packet from the other side begins so. Returns the length of the headers. */
static uint32_t emit_headers(struct run *r, int to, unsigned version, uint8_t proto, uint32_t len,
			     uint8_t *buf)
{
	struct eth eth = { { 2, 0, 0, 0, 0, (uint8_t)(to + 1) },
			   { 2, 0, 0, 0, 0, (uint8_t)(2 - to) },
			   version == 4 ? ETH_IP4 : ETH_IP6 };
	uint8_t src[16] = { 10, 0, 0, (uint8_t)(2 - to) },
		dst[16] = { 10, 0, 0, (uint8_t)(to + 1) };
	uint8_t src6[16] = { 0xfd, [15] = (uint8_t)(2 - to) },
		dst6[16] = { 0xfd, [15] = (uint8_t)(to + 1) };
	struct ip4 ip4 = {
		.ttl = 255, .proto = proto, .src = addr_from4(src), .dst = addr_from4(dst)
	};
	struct ip6 ip6 = { .hop_limit = 255,
			   .next_header = proto,
			   .src = addr_from6(src6),
			   .dst = addr_from6(dst6) };
	uint32_t n = r->ethernet ? (uint32_t)eth_emit(&eth, buf) : 0;

	ip4.total_len = (uint16_t)(IP4_HDR_LEN + len);
	ip6.payload_len = (uint16_t)len;
	return n + (uint32_t)(version == 4 ? ip4_emit(&ip4, buf + n) : ip6_emit(&ip6, buf + n));
}

/* A frame that nobody sent: bytes, a packet of bytes, or an ICMP error about a packet. */
static void forge(struct run *r)
{
	static const uint8_t protos[] = { 6, 17, 1, 58, 0, 44, 60, 253 };
	unsigned what = draw(r), version = what & 8 ? 6 : 4;
	struct frame f = { .at = r->now, .to = what & 1, .data = room };
	const struct side *about = &r->side[f.to];
	uint8_t proto = protos[what >> 5];
	uint32_t len = draw(r), head;

	if ((what & 6) == 0) {
		draw_bytes(r, room, f.len = len);
	} else if ((what & 6) == 2) {
		head = emit_headers(r, f.to, version, proto, len, room);
		draw_bytes(r, room + head, len);
		f.len = head + len;
	} else {
		version = about->quote_len ? about->quote[0] >> 4 : 4;
		proto = version == 4 ? TERN_IPPROTO_ICMP : TERN_IPPROTO_ICMPV6;
		head = emit_headers(r, f.to, version, proto, ICMP_HDR_LEN + about->quote_len, room);
		room[head] = (uint8_t)(what & 16 ? draw(r) : version == 4 ? 3 : 1 + draw(r) % 4);
		room[head + 1] = (uint8_t)(what & 32 ? draw(r) : 4);
		put_be32(room + head + 4, draw_len(r));
		memcpy(room + head + ICMP_HDR_LEN, about->quote, about->quote_len);
		f.len = head + ICMP_HDR_LEN + about->quote_len;
	}
	if (len % 8)
		repair(r, &f);
	if (len % 4 == 0)
		rewrite_vnet(r, &f);
	f = copy_frame(&f);
	deliver(r, &f);
}

static void release(struct run *r, unsigned i)
{
	struct frame f = r->held[i];

	r->held[i] = r->held[--r->n_held];
	deliver(r, &f);
}

/* One frame meets its fate. */
static void pass(struct run *r, struct frame *f, unsigned fate)
{
	struct frame copy;

	switch (fate % 8) {
	case 0:
		free(f->data);
		return;
	case 1:
		copy = copy_frame(f);
		deliver(r, &copy);
		break;
	case 2:
		if (r->n_held == HELD_MAX)
			break;
		r->held[r->n_held++] = *f;
		return;
	case 3:
		if (r->n_held)
			release(r, fate % r->n_held);
		break;
	case 4: /* the true one may follow */
		copy = copy_frame(f);
		deliver_damaged(r, &copy, draw(r));
		break;
	case 5:
	case 6:
		deliver_damaged(r, f, draw(r));
		return;
	}
	deliver(r, f);
}

/* Up to max frames from each side; a fair sky lets them all pass. */
static void carry(struct run *r, unsigned max, bool fair)
{
	struct frame f;

	for (int from = 0; from < 2; from++) {
		for (unsigned i = 0; i < max && take_frame(r, from, &f); i++) {
			if (i == FRAMES_MAX)
				fail(r, "no end of output");
			pass(r, &f, fair ? 7 : draw(r));
		}
		flush(&r->side[!from]);
		flush(&r->side[from]);
	}
}

#endif
