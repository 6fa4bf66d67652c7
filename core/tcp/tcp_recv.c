/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_recv.c - where do received bytes go, what window do we show, when do we owe an ACK?
 *
 * Bytes are copied once, to their position in rcv_buf; early ones are noted in `early` and joined
 * when the gap is filled; of bytes that come twice the first count. The right edge of the window,
 * rcv.adv, never moves left (RFC 9293 3.8.6) and moves right only by worthwhile steps
 * (3.8.6.2.2). ACKs are owed, not sent: the plan sends one for all that has arrived until then
 * (MUST-58, MUST-59).
 */
#include "../base/pkt.h"
#include "tcp_impl.h"

/* ---- acknowledging ---- */

void tcp_owe_ack(struct tcp *c, const struct tcp_ctx *x, enum tcp_ack_due due)
{
	if (due > c->ack_due)
		c->ack_due = due & 3u;
	if (c->ack_due >= ACK_NOW)
		c->ack_at = TERN_NEVER;
	else if (c->ack_at == TERN_NEVER)
		c->ack_at = x->now + x->cfg->tcp_delayed_ack_ms * TERN_MS;
}

/*
 * At the start, and after a silence, a peer in slow start loses time by each ACK that waits. So, as
 * on Linux, the first of a window go at once, unless the user answers: with that they go along.
 */
void tcp_begin_quick_acks(struct tcp *c, const struct tcp_ctx *x)
{
	uint64_t half_window = (c->rcv.adv - c->rcv.nxt) / (2 * c->rcv_mss);

	c->quick_acks = (uint8_t)MIN(MAX(half_window, 2), x->cfg->tcp_quick_acks);
}

static bool takes_quick_ack(struct tcp *c)
{
	c->heard_text = true;
	if (c->quick_acks == 0 || c->answers)
		return false;
	c->quick_acks--;
	return true;
}

enum { SURELY_FULL = 536, MAYBE_FULL = 88 }; /* as Linux */

/*
 * The peer's full segments are the largest that came, or smaller ones, where two came in a row: RFC
 * 5681 4.2 counts segments, whatever their size. What is small and pushed may have been all that
 * there was to say.
 */
static void note_size(struct tcp *c, uint32_t size, bool pushed, bool again)
{
	bool smaller = size < c->rcv_mss;

	again = again || c->smaller_text;
	c->smaller_text = smaller && size >= (pushed ? SURELY_FULL : MAYBE_FULL);
	if (!smaller || (c->smaller_text && again))
		c->rcv_mss = (uint16_t)MIN(size, c->adv_mss);
}

/* Of a train all are alike but the last, which may be shorter. */
static APART void note_sizes(const struct arrival *a)
{
	uint32_t part = MIN(a->seg->part ? a->seg->part : a->len, a->len);
	uint32_t last = a->len > part ? a->len % part : 0;
	bool pushed = a->seg->h.flags & TCP_PSH;

	note_size(a->c, part, pushed && !last, a->len >= 2 * part);
	if (last)
		note_size(a->c, last, pushed, false);
}

/* RFC 9293 3.8.6.3: at the latest with every second full segment; RFC 5681 4.2: at gaps at once. */
static void owe_ack_for_text(struct arrival *a, bool in_order)
{
	struct tcp *c = a->c;

	if (a->len >= MAYBE_FULL)
		note_sizes(a);
	if (!in_order) {
		if (c->ack_due == ACK_NOW && c->dup_acks_due < UINT8_MAX)
			c->dup_acks_due++;
		tcp_owe_ack(c, a->x, ACK_NOW);
	} else if (takes_quick_ack(c) || c->opt.quickack ||
		   c->rcv.nxt - c->rcv.acked >= 2 * (uint64_t)c->rcv_mss) {
		tcp_owe_ack(c, a->x, ACK_NOW);
	} else {
		tcp_owe_ack(c, a->x, ACK_LATER);
	}
}

/* ---- arriving text ---- */

static struct tcp_early *new_early(struct mem *mem)
{
	struct tcp_early *early = mem_new(mem, sizeof(*early));

	if (!early)
		return NULL;
	memset(early, 0, sizeof(*early));
	ranges_init(&early->set);
	return early;
}

/* The newest goes first; pieces that have become one with it are told with it. */
static void note_recent(struct tcp_early *early, uint64_t pos)
{
	uint64_t older[TCP_SACK_MAX];
	unsigned n = 1;
	struct range r;

	ranges_find(&early->set, pos, &r);
	memcpy(older, early->recent, sizeof(older));
	memset(early->recent, 0, sizeof(early->recent));
	early->recent[0] = pos;
	for (unsigned i = 0; i < TCP_SACK_MAX && n < TCP_SACK_MAX; i++)
		if (older[i] && (older[i] < r.lo || older[i] >= r.hi))
			early->recent[n++] = older[i];
}

/* RFC 2883 4.2.3: the first part of a segment that is here already. */
static void note_early_duplicate(const struct arrival *a)
{
	struct tcp *c = a->c;
	struct range r;

	if (ranges_find(&c->early->set, a->seq, &r) && r.lo < a->seq + a->len)
		tcp_note_duplicate(c, MAX(r.lo, a->seq), MIN(r.hi, a->seq + a->len));
}

/*
 * A new range for each full segment of the window, and some more; what touches one that is there
 * costs nothing.
 */
static bool has_room_for_range(const struct arrival *a)
{
	const struct tcp *c = a->c;
	uint64_t segments = (c->rcv.adv - c->rcv.nxt) / MAX(c->rcv_mss, 1);
	struct range r;

	if (c->early->set.n < a->x->cfg->tcp_ranges_max + segments)
		return true;
	return ranges_find(&c->early->set, a->seq - 1, &r) && r.lo <= a->seq + a->len;
}

static bool note_out_of_order(struct arrival *a)
{
	struct tcp *c = a->c;
	struct mem *mem = a->x->mem;

	if (!c->early)
		c->early = new_early(mem);
	c->has_early = c->early != NULL;
	if (!c->early || !has_room_for_range(a))
		return false;
	if (!ranges_add(&c->early->set, mem, a->seq, a->seq + a->len))
		return false;
	note_recent(c->early, a->seq);
	return true;
}

/* rcv.nxt moved: what was early may now be in order. */
static COLD void join_out_of_order(struct tcp *c, struct mem *mem)
{
	struct range r;

	if (ranges_find(&c->early->set, c->rcv.nxt, &r) && r.lo <= c->rcv.nxt)
		c->rcv.nxt = r.hi;
	ranges_drop_below(&c->early->set, mem, c->rcv.nxt);
	if (ranges_empty(&c->early->set))
		tcp_free_early(c, mem);
}

static COLD void drop_text(struct arrival *a, enum tern_drop why)
{
	a->r.drop = why;
	a->len = 0;
	a->fin = false;
	tcp_owe_ack(a->c, a->x, ACK_NOW);
}

/* The user has closed, or shut both ways: what comes now would never be read. */
static bool is_closed_to_text(const struct tcp *c)
{
	return c->user_gone || (c->rcv_shut && c->fin_queued);
}

/* RFC 9293 SHLD-3. */
static bool refuse_after_close(struct arrival *a)
{
	struct tcp *c = a->c;

	if (!is_closed_to_text(c))
		return false;
	a->r.drop = TERN_DROP_TCP_AFTER_CLOSE;
	a->r.rst = (struct tcp_rst){ .due = true, .seq = (uint32_t)a->ack };
	tcp_end(c, a->x, TERN_ECONNRESET);
	a->r.events |= TCP_ENDED;
	return true;
}

/* ---- landing: copied and summed in one pass ---- */

enum { LAND_SPANS = 4 };

static bool is_next_text(const struct tcp *c, const struct tcp_seg *seg)
{
	if (seg->len < TCP_LAND_MIN || c->early || is_closed_to_text(c) || (seg->h.flags & TCP_SYN))
		return false;
	if (c->state != TERN_TCP_ESTABLISHED && c->state != TERN_TCP_FIN_WAIT_1 &&
	    c->state != TERN_TCP_FIN_WAIT_2)
		return false;
	return seg->h.seq == (uint32_t)c->rcv.nxt && c->rcv.nxt + seg->len <= c->rcv.adv &&
	       c->rcv.fin == TCP_NO_POS;
}

/* Where a chunk ends or is to be made: piece by piece. */
static bool land_in_pieces(struct tcp *c, const struct tcp_ctx *x, uint64_t pos,
			   copy_sum_fn copy_sum, struct tcp_wagon *t)
{
	struct buf_span span[LAND_SPANS];
	uint32_t done = 0;
	int n = buf_reserve(&c->rcv_buf, x->mem, pos, t->len, span, LAND_SPANS);

	for (int i = 0; i < n; i++) {
		uint32_t piece = copy_sum(span[i].ptr, t->data + done, span[i].len, 0);

		t->sum = sum_add_piece(t->sum, piece, done & 1);
		done += span[i].len;
	}
	return done == t->len;
}

static bool land_at(struct tcp *c, const struct tcp_ctx *x, uint64_t pos, copy_sum_fn copy_sum,
		    struct tcp_wagon *t)
{
	uint8_t *place = buf_place(&c->rcv_buf, x->mem, pos, t->len);

	if (!place)
		return land_in_pieces(c, x, pos, copy_sum, t);
	t->sum = copy_sum(place, t->data, t->len, t->sum);
	return true;
}

bool tcp_land(struct tcp *c, const struct tcp_ctx *x, struct tcp_seg *seg, copy_sum_fn copy_sum,
	      uint32_t *sum)
{
	struct tcp_wagon t = { .data = seg->data, .len = seg->len, .sum = *sum };

	if (!is_next_text(c, seg))
		return false;
	if (!land_at(c, x, c->rcv.nxt, copy_sum, &t)) {
		tcp_unland(c, x);
		return false;
	}
	*sum = t.sum;
	seg->landed = true;
	return true;
}

bool tcp_land_more(struct tcp *c, const struct tcp_ctx *x, struct tcp_seg *seg,
		   copy_sum_fn copy_sum, const struct tcp_wagon *wagon)
{
	uint64_t pos = c->rcv.nxt + seg->len;
	struct tcp_wagon t = *wagon;

	if (pos + t.len > c->rcv.adv)
		return false;
	if (!land_at(c, x, pos, copy_sum, &t) || checksum_finish(t.sum) != 0) {
		buf_cut(&c->rcv_buf, x->mem, pos);
		return false;
	}
	seg->len += t.len;
	seg->h.flags = (uint16_t)((seg->h.flags & ~TCP_PSH) | t.push);
	return true;
}

void tcp_unland(struct tcp *c, const struct tcp_ctx *x)
{
	uint64_t end = tcp_data_end(c);

	if (!c->early && c->rcv_buf.end > end)
		buf_cut(&c->rcv_buf, x->mem, end);
}

/* Where there is some already it stays: what came first was told in a SACK block (SEC-117). */
static bool write_text(const struct arrival *a)
{
	struct tcp *c = a->c;
	uint64_t pos = a->seq, end = a->seq + a->len;
	struct range r;

	while (pos < end) {
		bool more = c->early && ranges_find(&c->early->set, pos, &r);
		uint64_t gap = more ? MIN(MAX(r.lo, pos), end) : end;
		uint32_t len = (uint32_t)(gap - pos);

		if (len &&
		    buf_write(&c->rcv_buf, a->x->mem, pos, a->data + (pos - a->seq), len) < len)
			return false;
		pos = more ? MAX(r.hi, gap) : end;
	}
	return true;
}

/* What was early may follow it. */
void tcp_take_placed_text(struct arrival *a)
{
	struct tcp *c = a->c;
	bool in_order = c->early == NULL;

	if (c->ts_ok)
		tcp_measure_peer_rtt(a);
	c->rcv.nxt += a->len;
	c->pushed = (a->seg->h.flags & TCP_PSH) != 0;
	if (!in_order)
		join_out_of_order(c, a->x->mem);
	owe_ack_for_text(a, in_order);
	c->dup_acks_due = 0; /* one ACK of what is here now says more than they would */
	a->r.events |= TCP_READABLE;
}

/* Seventh step of RFC 9293 3.10.7.4; the text is trimmed to the window already. */
static void take_any_text(struct arrival *a)
{
	struct tcp *c = a->c;
	bool in_order = a->seq == c->rcv.nxt;

	if (c->state != TERN_TCP_ESTABLISHED && c->state != TERN_TCP_FIN_WAIT_1 &&
	    c->state != TERN_TCP_FIN_WAIT_2 && !c->fast_open)
		return;
	if (refuse_after_close(a))
		return;
	if (a->seq + a->len > c->rcv.fin) { /* bytes after the peer's FIN cannot be */
		drop_text(a, TERN_DROP_TCP_SEQUENCE);
		return;
	}
	if (!a->seg->landed && !write_text(a)) {
		tcp_unland(c, a->x);
		drop_text(a, TERN_DROP_TCP_MEMORY);
		return;
	}
	if (c->early && c->dsack_lo == c->dsack_hi)
		note_early_duplicate(a);
	if (!in_order) {
		if (!note_out_of_order(a)) {
			drop_text(a, TERN_DROP_TCP_MEMORY);
			return;
		}
		if (c->tally)
			c->tally->n_early += tcp_n_segments(a->seg);
		owe_ack_for_text(a, false);
		return;
	}
	tcp_take_placed_text(a);
}

/* The next text of an open connection is never refused, but for want of memory. */
void tcp_take_text(struct arrival *a)
{
	struct tcp *c = a->c;

	if (a->len == 0)
		return;
	if (!tcp_is_calm(c) || a->seq != c->rcv.nxt)
		take_any_text(a);
	else if (a->seg->landed ||
		 buf_write(&c->rcv_buf, a->x->mem, a->seq, a->data, a->len) == a->len)
		tcp_take_placed_text(a);
	else
		take_any_text(a);
}

/* Eighth step: the FIN counts once everything before it is here. */
void tcp_take_fin(struct arrival *a)
{
	struct tcp *c = a->c;

	if (a->fin && c->rcv.fin == TCP_NO_POS) {
		struct range last;
		uint64_t pos = a->seq + a->len;

		/* A FIN left of bytes that were sent after it is a lie. */
		if (pos < c->rcv.nxt ||
		    (c->early && ranges_last(&c->early->set, &last) && last.hi > pos)) {
			drop_text(a, TERN_DROP_TCP_SEQUENCE);
			return;
		}
		c->rcv.fin = pos;
		c->fin_came = true;
	}
	if (a->fin && c->rcv.nxt < c->rcv.fin) /* early, each time it comes: RFC 5681 4.2 */
		tcp_owe_ack(c, a->x, ACK_NOW);
	if (c->rcv.nxt != c->rcv.fin)
		return;
	c->rcv.nxt++;
	tcp_owe_ack(c, a->x, ACK_NOW);
	a->r.events |= TCP_READABLE;
	switch (c->state) {
	case TERN_TCP_ESTABLISHED:
		tcp_enter(c, TERN_TCP_CLOSE_WAIT);
		break;
	case TERN_TCP_FIN_WAIT_1:
		tcp_enter(c, tcp_fin_acked(c) ? TERN_TCP_TIME_WAIT : TERN_TCP_CLOSING);
		break;
	case TERN_TCP_FIN_WAIT_2:
		tcp_enter(c, TERN_TCP_TIME_WAIT);
		break;
	default:
		break;
	}
}

/* ---- the window ---- */

/* Where the right edge could be: what the buffer still takes and the field can say. */
static uint64_t roomiest_edge(const struct tcp *c)
{
	uint64_t most = c->rcv.nxt + ((uint64_t)65535 << c->rcv_wscale);
	uint32_t least = 2u << c->rcv_wscale; /* the field says no less than one unit */

	if (c->opt.window_clamp)
		most = MIN(most, c->rcv.nxt + MAX(c->opt.window_clamp, least));
	return MIN(MAX(c->rcv_buf.head + MAX(c->opt.rcvbuf, least), c->rcv.nxt), most);
}

/* RFC 9293 3.8.6.2.2: the edge moves by min(half the buffer, MSS) at least, or stays. */
static uint32_t worthwhile_step(const struct tcp *c)
{
	return MIN(tcp_window_max(&c->opt) / 2, c->adv_mss);
}

static uint64_t worthwhile_edge(const struct tcp *c, uint64_t roomiest)
{
	return roomiest >= c->rcv.adv + worthwhile_step(c) ? roomiest : MAX(c->rcv.adv, c->rcv.nxt);
}

uint64_t tcp_window_edge(const struct tcp *c)
{
	return worthwhile_edge(c, roomiest_edge(c));
}

/*
 * The window field beside this ACK, and in *edge the right edge that it shows. Scaling cannot say
 * every number: rounding up keeps the edge from moving left, unless that had already gone one unit
 * beyond the buffer (RFC 7323 2.4 foresees the retreat; we accept up to rcv.adv all the same).
 */
uint16_t tcp_window_field(const struct tcp *c, uint64_t ack, uint64_t *edge)
{
	uint64_t roomiest = roomiest_edge(c), adv = c->rcv.adv, units, shown;

	if (adv > c->rcv.nxt && roomiest >= adv && roomiest < adv + worthwhile_step(c)) {
		units = (adv - ack + (1u << c->rcv_wscale) - 1) >> c->rcv_wscale; /* it stays */
		*edge = ack + (units << c->rcv_wscale);
		return (uint16_t)units;
	}
	units = (worthwhile_edge(c, roomiest) - ack) >> c->rcv_wscale;
	shown = ack + (units << c->rcv_wscale);
	if (shown < c->rcv.adv && c->rcv.adv > c->rcv.nxt && shown <= roomiest)
		units++;
	units = MIN(units, 65535);
	*edge = MAX(c->rcv.adv, ack + (units << c->rcv_wscale));
	return (uint16_t)units;
}

/*
 * Who has read all that was said, and does not answer, lets no ACK wait: as on Linux. A peer may
 * hold back the rest until then (Nagle), or have no room for it.
 */
static inline bool is_ack_of_use(const struct tcp *c)
{
	return !c->answers && c->pushed && c->ack_due == ACK_LATER && c->rcv_buf.head == c->rcv.nxt;
}

/* Reading made room: tell a peer that may be waiting for it. */
static void show_room(struct tcp *c, const struct tcp_ctx *x, uint64_t open, uint64_t most)
{
	uint64_t gain;

	gain = tcp_window_edge(c) - MAX(c->rcv.adv, c->rcv.nxt);
	if (gain == 0 || !tcp_is_synchronized(c) || c->rcv.fin != TCP_NO_POS)
		return;
	if (gain >= most / 2 || (open < 2 * (uint64_t)c->adv_mss && gain >= worthwhile_step(c)))
		tcp_owe_ack(c, x, ACK_NOW);
}

static inline void after_read(struct tcp *c, const struct tcp_ctx *x)
{
	uint64_t open = c->rcv.adv > c->rcv.nxt ? c->rcv.adv - c->rcv.nxt : 0;
	uint64_t most = MIN(tcp_window_max(&c->opt), (uint64_t)65535 << c->rcv_wscale);

	if (c->urgent_came)
		tcp_forget_mark(c);
	if (is_ack_of_use(c))
		tcp_owe_ack(c, x, ACK_NOW);
	if (open <= most / 2 || open < 2 * (uint64_t)c->adv_mss) /* else it is less than half */
		show_room(c, x, open, most);
}

/* ---- the user reads ---- */

/* Urgent octets are counted, too. */
static uint64_t unread(const struct tcp *c)
{
	uint64_t end;

	if (!tcp_is_synchronized(c) && c->state != TERN_TCP_CLOSED && !c->syn_text_acked)
		return 0;
	end = tcp_data_end(c);
	return end > c->rcv_buf.head ? end - c->rcv_buf.head : 0;
}

size_t tcp_unread(const struct tcp *c)
{
	if (c->opt.oob_inline)
		return (size_t)unread(c);
	return tcp_at_mark(c) ? 0 : tcp_recv_ready(c);
}

size_t tcp_recv_ready(const struct tcp *c)
{
	uint64_t n, head = c->rcv_buf.head, end;

	if (tcp_is_calm(c))
		return (size_t)(c->rcv.nxt - head);
	n = unread(c);
	end = head + n;
	if (n == 0)
		return 0;
	if (c->rcv.up == TCP_NO_POS || c->rcv.up <= head || c->rcv.up > end)
		return (size_t)n;
	if (head < c->rcv.up - 1)
		return (size_t)(c->rcv.up - 1 - head); /* a read stops at the mark */
	return (size_t)n - (c->opt.oob_inline ? 0 : 1);
}

bool tcp_has_heard_all(const struct tcp *c)
{
	return c->rcv.nxt > c->rcv.fin;
}

bool tcp_recv_ended(const struct tcp *c)
{
	if (c->state == TERN_TCP_SYN_SENT || c->state == TERN_TCP_SYN_RECEIVED)
		return false;
	return tcp_has_heard_all(c) || c->rcv_shut || c->state == TERN_TCP_CLOSED;
}

size_t tcp_peek(const struct tcp *c, size_t off, void *dst, size_t len)
{
	size_t ready = tcp_recv_ready(c), n = off < ready ? MIN(len, ready - off) : 0;
	uint64_t skip = tcp_at_mark(c) && !c->opt.oob_inline ? 1 : 0;

	if (n)
		buf_read(&c->rcv_buf, c->rcv_buf.head + skip + off, dst, n);
	return n;
}

size_t tcp_recv(struct tcp *c, const struct tcp_ctx *x, void *dst, size_t len)
{
	size_t n;

	if (!tcp_is_calm(c))
		tcp_skip_urgent(c, x);
	n = MIN(len, tcp_recv_ready(c));
	if (n == 0)
		return 0;
	buf_take(&c->rcv_buf, x->mem, dst, n);
	tcp_tune_receive_buffer(c, x);
	after_read(c, x);
	return n;
}

int tcp_recv_data(struct tcp *c, const struct tcp_ctx *x, struct tern_span *out, int max)
{
	struct buf_span spans[TERN_PKT_SPANS_MAX];
	size_t n_bytes;
	int n;

	tcp_skip_urgent(c, x);
	n_bytes = tcp_recv_ready(c);
	if (n_bytes == 0)
		return 0;
	n = buf_spans(&c->rcv_buf, c->rcv_buf.head, n_bytes, spans, MIN(max, TERN_PKT_SPANS_MAX));
	for (int i = 0; i < n; i++)
		out[i] = (struct tern_span){ spans[i].ptr, spans[i].len };
	return n;
}

int tcp_recv_consume(struct tcp *c, const struct tcp_ctx *x, size_t len)
{
	if (len > tcp_recv_ready(c))
		return -TERN_EINVAL;
	buf_drop(&c->rcv_buf, x->mem, c->rcv_buf.head + len);
	tcp_tune_receive_buffer(c, x);
	after_read(c, x);
	return 0;
}
