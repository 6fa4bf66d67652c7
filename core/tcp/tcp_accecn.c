/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_accecn.c - how many packets came with a mark? The accurate feedback mode, RFC 9768.
 *
 * The receiver counts marked packets and, by mark, bytes of text, and keeps telling the low bits of
 * its counters: three bits of the packets in the flags of each ACK (ACE), 24 of the bytes in an
 * option where there is room. The sender keeps its own copies and takes the least step that makes
 * them agree; where ACE may have gone round in between, the safest likely one.
 *
 * The counters are a record of their own: connections without this mode do not pay for it. The
 * sender's count of packets, s.cep, is TCP_ACE_FIRST and what was told since: told_ce.
 *
 * Invariant (tcp_check): the record is there while the mode is the connection's.
 */
#include "tcp_impl.h"

enum { ACE_CYCLE = 8, BYTES_FIRST = 1, BYTES_MASK = 0xffffff };
enum { OPTIONS_ROOM = TCP_HDR_MAX - TCP_HDR_LEN };
enum { OPTION_NEVER, OPTION_SPARINGLY, OPTION_ALWAYS, OPTION_PERSISTS }; /* tcp_ecn_option */

/* Tables 2 and 3: which IP-ECN field came. */
static const uint8_t handshake_ace[4] = {
	[IP_ECN_NOT_ECT] = 2, [IP_ECN_ECT1] = 3, [IP_ECN_ECT0] = 4, [IP_ECN_CE] = 6
};
enum { ACE_NOT_ECT = 2, ACE_CE = 6 };

bool tcp_accecn_begin(struct tcp *c, const struct tcp_ctx *x)
{
	struct tcp_accecn *n = mem_new(x->mem, sizeof(*n));

	if (!n)
		return false;
	*n = (struct tcp_accecn){ .cep = TCP_ACE_FIRST };
	n->came[TCP_ACCECN_E0B] = n->came[TCP_ACCECN_E1B] = BYTES_FIRST;
	n->told[TCP_ACCECN_E0B] = n->told[TCP_ACCECN_E1B] = BYTES_FIRST;
	n->last_bytes = TCP_ACCECN_MAX;
	c->accecn = n;
	c->has_accecn = true;
	return true;
}

void tcp_accecn_end(struct tcp *c, struct mem *mem)
{
	if (!c->accecn)
		return;
	mem_free(mem, c->accecn, sizeof(*c->accecn));
	c->accecn = NULL;
	c->has_accecn = false;
	c->ecn = ECN_NONE;
}

/* ---- the handshake ---- */

void tcp_accecn_put_answer(unsigned syn_ecn, struct tcp_hdr *h)
{
	h->flags |= tcp_flags_of_ace(handshake_ace[syn_ecn]);
}

/* In a SYN-ACK: nothing has come yet. */
void tcp_accecn_put_first_option(struct tcp_hdr *h)
{
	h->has_accecn = true;
	h->n_accecn = TCP_ACCECN_MAX;
	h->accecn[TCP_ACCECN_E0B] = h->accecn[TCP_ACCECN_E1B] = BYTES_FIRST;
	h->accecn[TCP_ACCECN_CEB] = 0;
}

/* 3.2.3.2.4: the first option must not have been cleared on the way. */
static void test_first_option(struct tcp_accecn *n, const struct tcp_hdr *h)
{
	if (h->has_accecn && h->n_accecn == TCP_ACCECN_MAX &&
	    (h->accecn[TCP_ACCECN_E0B] == 0 || h->accecn[TCP_ACCECN_E1B] == 0))
		n->option_ignored = true;
}

/*
 * What the peer says of our SYN or SYN-ACK, which was not ECT. 3.2.2.3: whatever else arrived was
 * made on the way, so what we send is not marked as able; a mark counts all the same.
 */
static void take_handshake_ace(struct arrival *a, unsigned ace)
{
	bool says = ace == ACE_NOT_ECT || ace == handshake_ace[IP_ECN_ECT1] ||
		    ace == handshake_ace[IP_ECN_ECT0] || ace == ACE_CE;

	if (says && ace != ACE_NOT_ECT)
		a->c->not_ect = true;
	if (ace == ACE_CE)
		a->marks = 1;
}

/* The SYN-ACK, or the SYN of a simultaneous open, with which the mode begins. */
void tcp_accecn_take_syn(struct arrival *a)
{
	const struct tcp_hdr *h = &a->seg->h;
	struct tcp_accecn *n = a->c->accecn;

	n->syn_ecn = a->seg->ecn;
	if (!(h->flags & TCP_ACK))
		return;
	tcp_accecn_take_mark(a); /* a SYN-ACK is a packet that counts */
	take_handshake_ace(a, tcp_ace(h->flags));
	test_first_option(n, h);
	n->option_due = 2; /* 3.2.3.2.1: in our ACK and our first text */
	a->c->ack_first = true;
}

/*
 * A SYN-ACK came again, or at last in a simultaneous open: the ACK that is owed tells of it
 * (3.2.2.1), and a mark on it counts once (3.2.2.2).
 */
void tcp_accecn_take_synack_again(struct arrival *a)
{
	uint16_t both = TCP_SYN | TCP_ACK;
	struct tcp *c = a->c;
	struct tcp_accecn *n = c->accecn;

	if ((a->seg->h.flags & both) != both || c->opened_passively ||
	    a->seg->h.seq != c->rcv.irs || a->seg->h.ack != c->snd.iss + 1)
		return;
	n->syn_ecn = a->seg->ecn;
	if (n->syn_ecn == IP_ECN_CE && n->cep == TCP_ACE_FIRST && !a->syn_known)
		n->cep++; /* else it counts as what it is, a packet that is accepted */
	c->ack_first = true;
}

/* Never again: what the peer says of marks is not to be relied on (note 1 of table 4, 3.2.2.4). */
static void distrust_feedback(struct tcp *c)
{
	c->not_ect = true;
	c->accecn->ignored = true;
}

/*
 * The segment that ends the handshake, at the one who was asked. Of a pure ACK the flags tell what
 * became of our SYN-ACK (table 4); with text, or blocks, they are the counter.
 */
void tcp_accecn_take_third_ack(struct arrival *a)
{
	const struct tcp_hdr *h = &a->seg->h;
	unsigned ace = tcp_ace(h->flags);
	struct tcp *c = a->c;

	if (h->flags & TCP_SYN) /* 3.2.2: no counter is in it */
		return;
	test_first_option(c->accecn, h);
	if (ace == 0)
		distrust_feedback(c);
	else if (a->seg->len == 0 && h->n_sack == 0)
		take_handshake_ace(a, ace);
	else
		a->marks = (ace - TCP_ACE_FIRST) % ACE_CYCLE;
	c->accecn->told_ce += a->marks;
}

/* ---- as a receiver: what came ---- */

/* Is the option due (3.2.3.3)? */
static void count_bytes(struct arrival *a, enum tcp_accecn_field field)
{
	struct tcp_accecn *n = a->c->accecn;
	uint32_t before = n->came[field];
	uint8_t due = field != n->last_bytes ? 2 : 1; /* a change is told twice */

	n->came[field] += a->seg->len;
	n->changed |= (uint8_t)(1u << field);
	n->untold |= (uint8_t)(1u << field);
	if (a->x->cfg->tcp_ecn_option == OPTION_SPARINGLY && field == n->last_bytes &&
	    field != TCP_ACCECN_CEB && (before ^ n->came[field]) >> 22 == 0)
		due = 0;
	n->last_bytes = (uint8_t)field;
	n->option_due = MAX(n->option_due, due);
}

/* 3.2: each acceptable packet with CE, and the text of each with any mark. */
void tcp_accecn_take_mark(struct arrival *a)
{
	static const uint8_t field[4] = { [IP_ECN_ECT1] = TCP_ACCECN_E1B,
					  [IP_ECN_ECT0] = TCP_ACCECN_E0B,
					  [IP_ECN_CE] = TCP_ACCECN_CEB };
	struct tcp_accecn *n = a->c->accecn;
	uint8_t ecn = a->seg->ecn;

	if (ecn == IP_ECN_CE) {
		uint32_t packets = tcp_n_segments(a->seg);

		n->ack_now = n->ack_now || (a->seg->len && n->last_ecn != IP_ECN_CE);
		n->cep += packets;
		n->ce_unacked = (uint8_t)MIN(n->ce_unacked + packets, UINT8_MAX);
	}
	n->last_ecn = ecn;
	if (ecn && a->seg->len)
		count_bytes(a, (enum tcp_accecn_field)field[ecn]);
}

/*
 * 3.2.2.5.1, once the text is taken: an ACK when marks begin, and for every second packet with one;
 * for every third, where there is nothing else to acknowledge.
 */
void tcp_accecn_owe_ack(struct arrival *a)
{
	struct tcp *c = a->c;
	struct tcp_accecn *n = c->accecn;
	bool text_waits = c->rcv.nxt != c->rcv.acked || c->early;

	if (c->rcv.nxt != c->rcv.acked && n->option_out) { /* an ACK with the option got there */
		n->option_out = false;
		n->n_again = 0;
	}
	if (n->ack_now || n->ce_unacked >= (text_waits ? 2 : 3))
		tcp_owe_ack(c, a->x, ACK_NOW);
	n->ack_now = false;
}

/*
 * 3.2.3.2.2: text that was acknowledged with an option comes again, twice in a row: something on
 * the way drops such ACKs.
 */
void tcp_accecn_note_again(struct arrival *a)
{
	struct tcp_accecn *n = a->c->accecn;

	if (!n->option_out || a->x->cfg->tcp_ecn_option == OPTION_PERSISTS)
		return;
	n->option_out = false;
	if (++n->n_again == 2)
		n->option_off = true;
}

/* ---- as a receiver: what is told ---- */

/* 3.2.2.1, 3.2.2.2. */
void tcp_accecn_put(struct tcp *c, struct tcp_hdr *h)
{
	struct tcp_accecn *n = c->accecn;

	h->flags |= tcp_flags_of_ace(c->ack_first ? handshake_ace[n->syn_ecn] : n->cep);
	c->ack_first = false;
	n->ce_unacked = 0;
}

/* As many fields as it takes to tell these counters. */
static unsigned fields_for(unsigned counters, unsigned order)
{
	unsigned ends[2] = { counters & 1u << TCP_ACCECN_E0B, counters & 1u << TCP_ACCECN_E1B };

	if (ends[!order])
		return 3;
	if (counters & 1u << TCP_ACCECN_CEB)
		return 2;
	return ends[order] ? 1 : 0;
}

/* 3.2.3.3: two SACK blocks go first; it goes before more of them. */
static bool has_room(const struct tcp_hdr *h, unsigned n_fields, uint64_t spare)
{
	unsigned blocks = MIN(h->n_sack, 2);
	size_t len = tcp_accecn_len(n_fields);

	return len <= spare &&
	       (h->has_ts ? 12 : 0) + len + (blocks ? 4 + 8 * blocks : 0) <= OPTIONS_ROOM;
}

/*
 * Each counter that ever changed, or, where there is little room, those that changed since they
 * were told (3.2.3.3). spare: bytes by which the segment may grow.
 */
void tcp_accecn_put_option(struct tcp *c, const struct tcp_ctx *x, struct tcp_hdr *h,
			   uint64_t spare)
{
	struct tcp_accecn *n = c->accecn;
	unsigned order =
		(n->changed & 1u << TCP_ACCECN_E1B) && !(n->changed & 1u << TCP_ACCECN_E0B);
	unsigned fields = n->changed ? fields_for(n->changed, order) : TCP_ACCECN_MAX;

	if (n->option_due == 0 || n->option_off || x->cfg->tcp_ecn_option == OPTION_NEVER)
		return;
	if (!has_room(h, fields, spare))
		fields = fields_for(n->untold, order);
	if (!has_room(h, fields, spare))
		return;
	h->has_accecn = true;
	h->accecn_order = (uint8_t)order;
	h->n_accecn = (uint8_t)fields;
	memcpy(h->accecn, n->came, sizeof(h->accecn));
	n->option_due--;
	n->untold = 0;
	n->option_out = true;
}

/* ---- as a sender ---- */

/* 3.2.3.1: the least steps that make ours agree. Returns how many bytes came with CE. */
static uint32_t take_option(struct tcp_accecn *n, const struct tcp_hdr *h)
{
	uint32_t ceb = n->told[TCP_ACCECN_CEB];

	for (unsigned i = 0; i < h->n_accecn; i++) {
		unsigned k = h->accecn_order ? TCP_ACCECN_E1B - i : i;

		n->told[k] += (h->accecn[k] - n->told[k]) & BYTES_MASK;
	}
	return n->told[TCP_ACCECN_CEB] - ceb;
}

/* Appendix A.2.1: each of so many full segments may have been marked. */
static uint32_t safer(uint32_t least, uint32_t segments)
{
	return segments > least ? segments - (segments - least) % ACE_CYCLE : least;
}

/* Appendix A.2.2: bytes tell whether that many marks are likely. */
static uint32_t likely(uint32_t least, uint32_t safe, uint64_t bytes, uint32_t mss)
{
	if (bytes <= (uint64_t)least * mss && bytes * 2 < (uint64_t)safe * mss)
		return least;
	return safe;
}

/* An ACK for many segments is usual on some paths: then a cycle of ACE is no news (A.2.1). */
enum { MANY_SEGMENTS = 4, AVERAGE_SHIFT = 3 };
static bool is_usual(struct tcp_accecn *n, uint32_t segments)
{
	bool many = n->segments_avg >= MANY_SEGMENTS << AVERAGE_SHIFT;

	n->segments_avg = (uint16_t)(n->segments_avg - (n->segments_avg >> AVERAGE_SHIFT) +
				     MIN(segments, 1000));
	return many;
}

/* Of the segments that an ACK tells of, how many were marked? */
static uint32_t count_marks(struct arrival *a, unsigned ace)
{
	const struct tcp_hdr *h = &a->seg->h;
	struct tcp *c = a->c;
	struct tcp_accecn *n = c->accecn;
	uint32_t segments = (uint32_t)MIN(a->d.bytes / c->snd_mss, UINT32_MAX);
	uint32_t least = (ace - TCP_ACE_FIRST - n->told_ce) % ACE_CYCLE;
	uint32_t safe = safer(least, segments);
	bool many = is_usual(n, segments), in_step = !n->bytes_behind;
	uint64_t bytes;

	if (!h->has_accecn || n->option_ignored) {
		n->bytes_behind = n->bytes_behind || least > 0;
		return many ? least : safe;
	}
	bytes = take_option(n, h);
	if (h->n_accecn >= 2)
		n->bytes_behind = false;
	/* without the field there were no marks, unless others speak of some */
	if (!in_step || (h->n_accecn < 2 && (least || n->told[TCP_ACCECN_CEB])))
		return many ? least : safe;
	if (bytes > 0 && least == 0 && segments < ACE_CYCLE) /* 3.2.3.2.5: one of them lies */
		c->not_ect = true;
	return likely(least, safe, bytes, c->snd_mss);
}

/* 3.2.2.2: unless a later ACK has been here already. */
uint32_t tcp_accecn_marks(struct arrival *a)
{
	unsigned ace = tcp_ace(a->seg->h.flags);
	struct tcp_accecn *n = a->c->accecn;

	if ((a->seg->h.flags & TCP_SYN) || !(a->r.progress || a->d.sacked || a->later))
		return 0;
	if (ace == 0 && !n->heard) /* 3.2.2.4: cleared on the way */
		distrust_feedback(a->c);
	n->heard = true;
	return n->ignored ? 0 : count_marks(a, ace);
}
