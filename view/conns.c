/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conns.c - the conversations of a capture, told apart while it is read.
 *
 * A hash table leads from two endpoints and a protocol to their newest conversation. Each keeps
 * what the ladder's tracking needs of the past, never its packets. What is wanted for a picture
 * goes into the view: packet by packet at first; of a long conversation only what is remarkable,
 * and counts of what lies between.
 */
#include <stdlib.h>

#include "array.h"
#include "capture_impl.h"
#include "decode.h"

enum {
	KEPT_EACH = 400,  /* packets of one conversation, from then on only remarkable ones */
	KEPT_ALL = 50000, /* packets in the view, from then on only those that change a state */
};

/* ---- the table ---- */

/* Where memory lies differs from run to run: nobody can prepare a file of collisions. */
static uint64_t hash_end(const struct capturing *c, const struct tern_addr *a)
{
	uint64_t h = capture_mix((uint64_t)(uintptr_t)c->out, a->port);

	for (size_t i = 0; i < (a->family == TERN_AF_INET ? 4U : 16U); i += 4)
		h = capture_mix(h, get_be32(a->ip + i));
	return h;
}

/* The same for both directions. */
static uint64_t hash_ends(const struct capturing *c, const struct decoded *d)
{
	return capture_mix(d->proto, hash_end(c, &d->src) + hash_end(c, &d->dst));
}

static bool is_between(const struct flow *f, const struct decoded *d)
{
	const struct tern_addr *left = &f->side[0].addr, *right = &f->side[1].addr;

	if (f->proto != d->proto)
		return false;
	return (view_addr_equal(left, &d->src) && view_addr_equal(right, &d->dst)) ||
	       (view_addr_equal(left, &d->dst) && view_addr_equal(right, &d->src));
}

/* The slot of the endpoints, or the empty one where they belong. */
static uint32_t *find_slot(const struct capturing *c, const struct decoded *d)
{
	size_t mask = c->n_slots - 1;
	size_t i = (size_t)hash_ends(c, d) & mask;

	while (c->slot[i] && !is_between(&c->out->conn[c->slot[i] - 1].flow, d))
		i = (i + 1) & mask;
	return &c->slot[i];
}

static bool grow_slots(struct capturing *c)
{
	size_t n = c->n_slots ? c->n_slots * 2 : 1024, old_n = c->n_slots;
	uint32_t *old = c->slot;

	if ((c->out->n_conns + 1) * 2 <= c->n_slots)
		return true;
	c->slot = calloc(n, sizeof(*c->slot));
	if (!c->slot) {
		c->slot = old;
		return false;
	}
	c->n_slots = n;
	for (size_t i = 0; i < old_n; i++) {
		const struct flow *f;
		struct decoded d = { 0 };

		if (!old[i])
			continue;
		f = &c->out->conn[old[i] - 1].flow;
		d.proto = f->proto;
		d.src = f->side[0].addr;
		d.dst = f->side[1].addr;
		*find_slot(c, &d) = old[i];
	}
	free(old);
	return true;
}

static struct capture_conn *add_conn(struct capturing *c, const struct decoded *d)
{
	struct capture *out = c->out;
	struct capture_conn *k, *grown;

	if (out->n_conns == CAPTURE_CONNS_MAX) {
		capture_count(c, &c->uncounted);
		return NULL;
	}
	grown = array_grow(out->conn, out->n_conns, &out->conns_cap, sizeof(*grown));
	if (grown)
		out->conn = grown;
	if (!grown || !grow_slots(c)) {
		c->out_of_memory = true;
		return NULL;
	}
	k = &out->conn[out->n_conns];
	memset(k, 0, sizeof(*k));
	flow_begin(&k->flow, d);
	*find_slot(c, d) = (uint32_t)++out->n_conns;
	k->flow.number = (uint32_t)out->n_conns;
	return k;
}

/* A SYN with another number than the one before opens anew, whatever was seen of the end. */
static struct capture_conn *find_conn(struct capturing *c, const struct decoded *d)
{
	uint32_t found = c->n_slots ? *find_slot(c, d) : 0;
	struct capture_conn *k = found ? &c->out->conn[found - 1] : NULL;

	return k && !flow_has_other_syn(&k->flow, d) ? k : add_conn(c, d);
}

/* ---- into the view ---- */

static bool is_wanted(const struct capturing *c, const struct capture_conn *k)
{
	const struct capture_options *o = c->options;

	if (o->table_only)
		return false;
	return o->conn ? k->flow.number == o->conn : k->flow.number <= capture_drawn_max(o);
}

static bool is_none_left_out(const struct capture_conn *k)
{
	const struct view_fold *f = &k->left_out;

	return f->n_data[0] + f->n_data[1] + f->n_acks[0] + f->n_acks[1] == 0;
}

static void tell_left_out(struct capturing *c, struct capture_conn *k)
{
	if (is_none_left_out(k))
		return;
	view_add(c->out->view, &(struct view_event){ .kind = VIEW_LEFT_OUT,
						     .at = k->left_out_at,
						     .flow = k->flow.number,
						     .fold = &k->left_out });
	memset(&k->left_out, 0, sizeof(k->left_out));
}

/* How far a segment moves numbers: its sender's, and what the other side has acknowledged. */
struct moves {
	uint64_t n_new, n_acked;
};

static void leave_out(struct capture_conn *k, const struct segment *g, const struct moves *m)
{
	struct view_fold *f = &k->left_out;

	if (is_none_left_out(k))
		k->left_out_at = g->sent->at;
	f->last_at = g->sent->at;
	k->n_left_out++;
	f->n_data[g->from] += g->len > 0 || k->flow.proto != TERN_IPPROTO_TCP;
	f->n_acks[g->from] += g->len == 0 && k->flow.proto == TERN_IPPROTO_TCP;
	f->n_bytes[g->from] += g->len;
	f->n_new[g->from] += m->n_new;
	f->n_acked[1 - g->from] += m->n_acked;
	f->has_ts[g->from] = k->flow.side[g->from].has_ts;
	f->ts_val[g->from] = k->flow.side[g->from].ts_val;
	f->n_retransmitted[g->from] += !!(g->marks & MARK_RETRANSMITTED);
}

static bool is_remarkable(const struct segment *g, const struct decoded *d)
{
	const uint16_t special = TCP_SYN | TCP_FIN | TCP_RST | TCP_URG;

	return d->proto == TERN_IPPROTO_TCP &&
	       (g->marks || g->tcp.flags & special || g->tcp.n_sack);
}

static bool is_kept(const struct capturing *c, const struct capture_conn *k, bool remarkable,
		    bool changes)
{
	if (changes)
		return true;
	if (c->n_kept >= KEPT_ALL)
		return false;
	return remarkable || c->options->full || k->n_kept < KEPT_EACH;
}

static void tell_state(struct capturing *c, const struct capture_conn *k, tern_time at,
		       const struct deduced_change *change)
{
	const struct flow *f = &k->flow;

	view_add(c->out->view, &(struct view_event){ .kind = VIEW_STATE,
						     .at = at,
						     .flow = f->number,
						     .conn = 2 * (uint64_t)f->number + change->side,
						     .local = f->side[change->side].addr,
						     .remote = f->side[1 - change->side].addr,
						     .old_state = change->old_state,
						     .new_state = change->new_state });
}

struct told {
	const struct deduced_change *change;
	size_t n;
};

static void keep(struct capturing *c, struct capture_conn *k, const struct view_event *sent,
		 bool incomplete, struct told told)
{
	struct view_event ev = *sent;
	size_t i = 0;

	tell_left_out(c, k);
	for (; i < told.n && !told.change[i].on_arrival; i++)
		tell_state(c, k, ev.at, &told.change[i]);
	/* A datagram that is given up may share its number with the packet that is read. */
	while (view_find_frame(c->out->view, ev.frame))
		ev.frame += (uint64_t)1 << 40;
	view_add(c->out->view, &ev);
	ev.kind = incomplete ? VIEW_LOST : VIEW_DELIVERED;
	ev.text = incomplete ? "fragments missing" : NULL;
	view_add(c->out->view, &ev);
	for (; i < told.n; i++)
		tell_state(c, k, ev.at, &told.change[i]);
	c->n_kept++;
	k->n_kept++;
}

/* ---- packets ---- */

static void check_sums(struct capturing *c, const struct whole_packet *p, const struct decoded *d)
{
	struct ip4 ip4;
	struct ip6 ip6;
	struct ip6_walk walk;
	struct addr src, dst;
	uint32_t at = d->transport_at, total;

	if (p->incomplete || d->cut)
		return;
	if (p->bytes[0] >> 4 == 4) {
		if (!ip4_parse_quoted(&ip4, p->bytes, p->kept))
			return;
		total = ip4.total_len;
		src = ip4.src;
		dst = ip4.dst;
	} else {
		if (!ip6_parse_quoted(&ip6, p->bytes, p->kept) ||
		    !ip6_walk(&walk, p->bytes, p->kept))
			return;
		total = ip6.payload_len ? IP6_HDR_LEN + (uint32_t)ip6.payload_len : 0;
		src = ip6.src;
		dst = ip6.dst;
	}
	if (total <= at || total > p->kept)
		return; /* cut off, or a burst that the card was to cut */
	if (d->proto == TERN_IPPROTO_UDP && get_be16(p->bytes + at + 6) == 0)
		return; /* none */
	if (checksum_finish(
		    checksum_add(p->bytes + at, total - at,
				 d->proto == TERN_IPPROTO_ICMP ?
					 0 :
					 checksum_pseudo(&src, &dst, d->proto, total - at))) != 0)
		capture_count(c, &c->bad_checksum);
}

/* Why a packet could not be decoded: cut off, malformed, or none of ours? */
static struct tally *tally_of_failure(struct capturing *c, const struct whole_packet *p,
				      const struct decoded *d)
{
	struct ip4 ip4;
	struct ip6 ip6;
	struct ip6_walk walk;
	bool cut = p->kept < p->len, known = true, header_good = true;
	uint8_t proto;

	if (p->bytes[0] >> 4 == 4) {
		header_good = ip4_parse_quoted(&ip4, p->bytes, p->kept);
		proto = header_good ? ip4.proto : 0;
		header_good = header_good && (!ip4.total_len || ip4.total_len >= ip4.hdr_len);
	} else {
		header_good = ip6_parse_quoted(&ip6, p->bytes, p->kept) &&
			      ip6_walk(&walk, p->bytes, p->kept);
		proto = header_good ? walk.proto : 0;
	}
	if (proto == IP_AUTHENTICATION) /* what it authenticates, where that could be found */
		proto = d->proto;
	known = proto == IP_AUTHENTICATION || proto == TERN_IPPROTO_TCP ||
		proto == TERN_IPPROTO_UDP || proto == TERN_IPPROTO_ICMP ||
		proto == TERN_IPPROTO_ICMPV6;
	if (header_good && !known)
		return &c->no_transport;
	return cut ? &c->cut_header : &c->malformed;
}

/* The sides' sets of arrived numbers are the view's affair; here the highest number is enough. */
static void track(struct capture_conn *k, struct segment *g, const struct decoded *d,
		  const struct view_event *ev, struct moves *m)
{
	int from = flow_sender(&k->flow, d);
	const struct flow_side *s = &k->flow.side[from], *other = &k->flow.side[1 - from];
	int64_t nxt = s->nxt, acked = other->acked;

	memset(g, 0, sizeof(*g));
	flow_sent(&k->flow, g, d, ev);
	k->flow.side[1 - from].repeats = false; /* it has got something */
	k->n_packets[from]++;
	/* In the middle of a connection the first number is not a distance. */
	m->n_new = MIN((uint64_t)(s->nxt - nxt), (uint64_t)g->len);
	m->n_acked = (uint64_t)(other->acked - acked);
}

/* Longer than any segment on the wire: captured before a card cut it, or after one joined it. */
static void look_for_burst(struct capturing *c, struct capture_conn *k, const struct decoded *d)
{
	enum { JUMBO = 9216 };
	int from = flow_sender(&k->flow, d);
	uint32_t max = k->mss[1 - from] ? k->mss[1 - from] : JUMBO;

	if (d->proto != TERN_IPPROTO_TCP)
		return;
	if (d->tcp.flags & TCP_SYN && d->tcp.has_mss)
		k->mss[from] = d->tcp.mss;
	if (d->no_length || d->len > max)
		capture_count(c, &c->bursts);
}

static size_t deduce_of(struct capture_conn *k, const struct segment *g,
			struct deduced_change change[DEDUCED_MAX])
{
	size_t n = deduce(&k->deduced, &k->flow, g, change);

	for (int i = 0; i < 2; i++) { /* how it ended is asked of the flow */
		k->flow.side[i].state_known = k->deduced.known[i];
		k->flow.side[i].state = k->deduced.state[i];
	}
	return n;
}

/* What is given up is told late: at its own time, unless its conversation has gone on since. */
static tern_time time_in(const struct capture_conn *k, const struct whole_packet *p)
{
	return MAX(p->at, k->flow.last_at);
}

void conns_packet(struct capturing *c, const struct whole_packet *p)
{
	struct view_event ev = {
		.kind = VIEW_SENT,
		.frame = c->out->n_packets,
		.raw_ip = true,
		.text = p->cause,
		.bytes = p->bytes,
		.kept = p->kept,
		.len = p->len,
	};
	struct deduced_change change[DEDUCED_MAX];
	struct told told = { change, 0 };
	struct decoded d;
	struct segment g;
	struct capture_conn *k;
	struct moves moves;

	if (!decode_frame(&d, &ev)) {
		capture_count(c, tally_of_failure(c, p, &d));
		return;
	}
	if (d.cut)
		capture_count(c, &c->cut_tcp);
	check_sums(c, p, &d);
	k = find_conn(c, &d);
	if (!k)
		return;
	ev.flow = k->flow.number;
	ev.at = time_in(k, p);
	look_for_burst(c, k, &d);
	track(k, &g, &d, &ev, &moves);
	if (d.proto == TERN_IPPROTO_TCP && !p->incomplete)
		told.n = deduce_of(k, &g, change);
	if (!is_wanted(c, k))
		return;
	if (is_kept(c, k, is_remarkable(&g, &d) || p->incomplete, told.n > 0))
		keep(c, k, &ev, p->incomplete, told);
	else
		leave_out(k, &g, &moves);
}

void conns_end(struct capturing *c)
{
	for (size_t i = 0; i < c->out->n_conns; i++)
		tell_left_out(c, &c->out->conn[i]);
}
