/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plot.c - a connection's steps and its stack's figures, put into columns of pixels.
 *
 * One walk over the steps keeps what the sender knows: the highest number sent, the highest one
 * acknowledged. Segments count when they are sent, acknowledgements when they arrive; what its
 * receiver dropped says nothing. Numbers are those of the ladder: the SYN is 0, the first byte 1.
 * Time is the run's, so that a place in the picture can be found in the ladder.
 *
 * A recovery is deduced (RFC 6675, RFC 8985): it begins with a segment that is sent for a fast
 * retransmission and ends when all is acknowledged that had been sent by then, or with a time-out.
 */
#include "plot.h"

#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "plot_impl.h"

/* What stacks say for a threshold that is not yet known. */
enum { SSTHRESH_INFINITE = 0x7fffffff };

/* ---- samples ---- */

void plot_samples_take(struct plot_samples *ps, int host, const struct tern_trace *t)
{
	struct plot_sample *grown;

	if (t->kind != TERN_TRACE_SAMPLE)
		return;
	grown = array_grow(ps->sample, ps->n, &ps->cap, sizeof(*grown));
	if (!grown) {
		ps->incomplete = true;
		return;
	}
	ps->sample = grown;
	ps->sample[ps->n++] = (struct plot_sample){ .at = t->at,
						    .host = host,
						    .conn = t->conn,
						    .cwnd = t->cwnd,
						    .ssthresh = t->ssthresh,
						    .srtt = t->srtt,
						    .rto = t->rto };
}

void plot_samples_fini(struct plot_samples *ps)
{
	free(ps->sample);
	*ps = (struct plot_samples){ 0 };
}

/* ---- the grid ---- */

static size_t column_of(const struct plot *p, tern_time at)
{
	return (size_t)((at - p->start) * (PLOT_WIDTH - 1) / p->span);
}

/* The row of a number; numbers beyond the axis lie on its ends. */
static int row_of(const struct plot *p, int64_t number)
{
	uint64_t n = number < 0 ? 0 : MIN((uint64_t)number, p->top);

	return PLOT_HEIGHT - 1 - (int)(n * (PLOT_HEIGHT - 1) / p->top);
}

/*
 * Fills the cells of the numbers from lo up to hi: one at least. Neighbours do not overlap, and
 * where there is room a gap shows that they are two.
 */
static void mark_numbers(struct plot *p, size_t column, const int64_t range[2], uint8_t mark)
{
	int bottom = row_of(p, range[0]), upper = row_of(p, range[1]) + 1;

	if (bottom - upper >= 5)
		upper++;
	for (int row = MIN(upper, bottom); row <= bottom; row++)
		p->mark[column][row] |= mark;
}

static void extend_curve(struct plot *p, enum plot_curve curve, tern_time at, uint64_t value)
{
	struct plot_column *c = &p->curve[curve][column_of(p, at)];

	if (!c->any)
		*c = (struct plot_column){ value, value, value, value, true };
	c->last = value;
	c->lo = MIN(c->lo, value);
	c->hi = MAX(c->hi, value);
}

/* ---- the walk ---- */

struct walk {
	struct plot *p;
	int64_t sent, data_sent; /* beyond the highest number, and beyond the highest byte's */
	int64_t acked;
	struct ranges sacked; /* above acked */
	struct mem *mem;
	bool memory_is_short;
	bool recovering;
	int64_t recovery_end; /* this acknowledged, it is over */
	tern_time recovery_at;
};

static void end_recovery(struct walk *w, tern_time at)
{
	size_t last = column_of(w->p, at);

	if (!w->recovering)
		return;
	w->recovering = false;
	for (size_t i = column_of(w->p, w->recovery_at); i <= last; i++)
		w->p->event[i] |= PLOT_RECOVERY;
}

static bool is_sent_for(const struct segment *g, enum tern_cause cause)
{
	return g->sent->text && strcmp(g->sent->text, tern_cause_name(cause)) == 0;
}

static void begin_recovery(struct walk *w, const struct segment *g)
{
	if (w->recovering || !is_sent_for(g, TERN_CAUSE_FAST_RETRANSMIT))
		return;
	w->recovering = true;
	w->recovery_end = w->sent;
	w->recovery_at = g->sent->at;
	w->p->n_recoveries++;
}

/* What was lost counts until it is acknowledged: its sender can only guess. */
static void place_flight(struct walk *w, tern_time at)
{
	int64_t n = MAX(w->sent - w->acked, 0);
	struct range r = { 0 };

	while (ranges_find(&w->sacked, r.hi, &r))
		n -= (int64_t)(r.hi - r.lo);
	extend_curve(w->p, PLOT_IN_FLIGHT, at, (uint64_t)MAX(n, 0));
}

static int64_t end_of_numbers(const struct segment *g)
{
	return g->seq + g->len + !!(g->tcp.flags & TCP_SYN) + !!(g->tcp.flags & TCP_FIN);
}

static void place_segment(struct walk *w, const struct segment *g)
{
	struct plot *p = w->p;
	size_t column = column_of(p, g->sent->at);
	const int64_t range[2] = { g->seq, end_of_numbers(g) };
	int middle = row_of(p, range[0] + (range[1] - range[0]) / 2);

	if (g->marks & (MARK_PROBE | MARK_KEEPALIVE))
		mark_numbers(p, column, range, PLOT_PROBE);
	else if (range[1] == range[0])
		return;
	else
		mark_numbers(p, column, range,
			     g->marks & MARK_RETRANSMITTED ? PLOT_AGAIN : PLOT_NEW);
	if (g->sent->lost || g->dropped)
		p->mark[column][middle] |= PLOT_LOST;
}

static void on_data(struct walk *w, const struct segment *g)
{
	struct plot *p = w->p;

	place_segment(w, g);
	begin_recovery(w, g);
	if ((g->marks & MARK_PROBE) || is_sent_for(g, TERN_CAUSE_TLP))
		p->n_probes++;
	/* The byte of a probe will be sent again with its fellows. */
	if (g->marks & MARK_PROBE || g->tcp.flags & TCP_RST)
		return;
	if (g->len && !w->data_sent)
		p->began = g->sent->at;
	if (g->len)
		w->data_sent = MAX(w->data_sent, g->seq + g->len);
	w->sent = MAX(w->sent, end_of_numbers(g));
	place_flight(w, g->sent->at);
}

static void take_sacks(struct walk *w, const struct segment *g, tern_time at)
{
	for (int i = 0; i < g->tcp.n_sack; i++) {
		const struct tcp_sack *b = &g->tcp.sack[i];
		const int64_t range[2] = { g->ack + (int32_t)(b->lo - g->tcp.ack),
					   g->ack + (int32_t)(b->hi - g->tcp.ack) };

		/* Below the acknowledgement it tells of a duplicate, RFC 2883. */
		if (range[0] <= g->ack || range[1] <= range[0] || range[1] > w->sent)
			continue;
		mark_numbers(w->p, column_of(w->p, at), range, PLOT_SACKED);
		if (range[0] > w->acked &&
		    !ranges_add(&w->sacked, w->mem, (uint64_t)range[0], (uint64_t)range[1]))
			w->memory_is_short = true;
	}
}

static void on_ack(struct walk *w, const struct segment *g, tern_time at)
{
	struct plot *p = w->p;

	if (!(g->tcp.flags & TCP_ACK) || (g->tcp.flags & TCP_RST))
		return;
	take_sacks(w, g, at);
	if (g->ack < w->acked) /* overtaken on the way: its window is old too */
		return;
	if (g->ack > w->acked && w->acked < w->data_sent)
		p->ended = at;
	w->acked = g->ack;
	extend_curve(p, PLOT_ACKED, at, (uint64_t)w->acked);
	extend_curve(p, PLOT_EDGE, at, (uint64_t)w->acked + g->wnd);
	ranges_drop_below(&w->sacked, w->mem, (uint64_t)w->acked);
	place_flight(w, at);
	if (w->recovering && w->acked >= w->recovery_end)
		end_recovery(w, at);
}

static void on_time_out(struct walk *w, tern_time at)
{
	end_recovery(w, at);
	w->p->n_time_outs++;
	w->p->event[column_of(w->p, at)] |= PLOT_TIME_OUT;
}

static void walk_step(struct walk *w, const struct step *s)
{
	const struct flow *f = w->p->flow;
	const struct segment *g = &f->segment[s->segment];
	int from = w->p->from;

	if (s->at < w->p->start || s->at > w->p->start + w->p->span)
		return;
	switch (s->kind) {
	case STEP_SEND:
		if (g->from == from)
			on_data(w, g);
		break;
	case STEP_ARRIVE:
		if (!s->text && (g->from != from || f->to_itself))
			on_ack(w, g, s->at);
		break;
	case STEP_TIMER:
		if (s->side == from && strcmp(s->text, "rto") == 0)
			on_time_out(w, s->at);
		break;
	default:
		break;
	}
}

static void walk_samples(struct plot *p, const struct plot_samples *ps)
{
	const struct flow_side *from = &p->flow->side[p->from];

	for (size_t i = 0; i < ps->n; i++) {
		const struct plot_sample *s = &ps->sample[i];

		if (s->host != from->host || s->conn != from->conn || s->at < p->start ||
		    s->at > p->start + p->span)
			continue;
		extend_curve(p, PLOT_CWND, s->at, s->cwnd);
		if (s->ssthresh < SSTHRESH_INFINITE)
			extend_curve(p, PLOT_SSTHRESH, s->at, s->ssthresh);
		if (s->srtt)
			extend_curve(p, PLOT_SRTT, s->at, s->srtt);
		if (s->rto)
			extend_curve(p, PLOT_RTO, s->at, s->rto);
	}
}

/* ---- which connection, which time ---- */

static uint64_t bytes_of(const struct flow *f)
{
	return MAX(f->side[0].n_bytes, f->side[1].n_bytes);
}

static void choose_connection(struct plot *p)
{
	for (size_t i = 0; i < p->flows->n; i++) {
		const struct flow *f = &p->flows->flow[i];

		if (f->proto != TERN_IPPROTO_TCP || f->n_segments == 0)
			continue;
		p->n_connections++;
		if (!p->flow || bytes_of(f) > bytes_of(p->flow))
			p->flow = f;
	}
	if (p->flow)
		p->from = p->flow->side[1].n_bytes > p->flow->side[0].n_bytes;
}

/* From the first frame to the last that leaves or arrives: not to the end of TIME-WAIT. */
static void choose_axes(struct plot *p)
{
	const struct flow *f = p->flow;
	tern_time end = f->last_at;

	for (size_t i = 0; i < f->n_steps; i++)
		if (f->step[i].kind == STEP_ARRIVE)
			end = MAX(end, f->step[i].at);
	p->start = f->first_at;
	p->span = MAX(end - p->start, TERN_US);
	p->top = (uint64_t)MAX(f->side[p->from].nxt, 1);
	p->top += p->top / 20 + 1;
}

static bool walk_steps(struct plot *p, struct mem *mem)
{
	struct walk w = { .p = p, .mem = mem };

	ranges_init(&w.sacked);
	for (size_t i = 0; i < p->flow->n_steps; i++)
		walk_step(&w, &p->flow->step[i]);
	end_recovery(&w, p->start + p->span);
	ranges_fini(&w.sacked, mem);
	return !w.memory_is_short;
}

struct plot *plot_new(struct flows *fs, const struct plot_samples *ps)
{
	struct plot *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->flows = fs;
	choose_connection(p);
	if (!p->flow)
		return p;
	choose_axes(p);
	walk_samples(p, ps);
	if (walk_steps(p, &fs->mem))
		return p;
	free(p);
	return NULL;
}
