/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow.c - the events of a view, sorted into conversations.
 *
 * A frame belongs to the newest flow between its endpoints; a SYN with another ISN, or a
 * connection that opens anew, begins the next flow once the old one is over. A state change finds
 * its flow by the connection's number, or else by its endpoints. Sides are told apart by endpoint,
 * not by host, so that both ends may be one host, and captures without hosts serve as well.
 */
#include "flow.h"

#include <stdlib.h>
#include <string.h>

#include "../include/tern_malloc.h"
#include "array.h"
#include "track.h"

#define NOWHERE UINT32_MAX

/* Where the frame of a SENT event went. */
struct flow_place {
	uint32_t flow, segment;
};

void flow_init(struct flow *f, uint8_t proto, const struct tern_addr *left,
	       const struct tern_addr *right)
{
	memset(f, 0, sizeof(*f));
	f->proto = proto;
	f->to_itself = view_addr_equal(left, right);
	f->side[0].addr = *left;
	f->side[1].addr = *right;
	f->side[0].host = f->side[1].host = -1;
	f->side[0].fin_arrived_at = f->side[1].fin_arrived_at = TERN_NEVER;
	ranges_init(&f->side[0].arrived);
	ranges_init(&f->side[1].arrived);
}

static struct flow *new_flow(struct flows *fs)
{
	struct flow *grown = array_grow(fs->flow, fs->n, &fs->cap, sizeof(*grown));

	if (!grown) {
		fs->incomplete = true;
		return NULL;
	}
	fs->flow = grown;
	return &fs->flow[fs->n++];
}

static struct flow *add_flow(struct flows *fs, uint8_t proto, const struct tern_addr *left,
			     const struct tern_addr *right)
{
	struct flow *f = new_flow(fs);

	if (f) {
		flow_init(f, proto, left, right);
		f->number = (uint32_t)fs->n;
	}
	return f;
}

static bool add_step(struct flows *fs, struct flow *f, struct step step)
{
	struct step *grown = array_grow(f->step, f->n_steps, &f->steps_cap, sizeof(*grown));

	if (!grown) {
		fs->incomplete = true;
		return false;
	}
	f->step = grown;
	f->step[f->n_steps++] = step;
	return true;
}

static struct segment *add_segment(struct flows *fs, struct flow *f)
{
	struct segment *grown =
		array_grow(f->segment, f->n_segments, &f->segments_cap, sizeof(*grown));

	if (!grown) {
		fs->incomplete = true;
		return NULL;
	}
	f->segment = grown;
	memset(&f->segment[f->n_segments], 0, sizeof(*grown));
	return &f->segment[f->n_segments++];
}

/* The newest flow between two endpoints, in either direction. */
static struct flow *find_flow(struct flows *fs, uint8_t proto, const struct tern_addr *a,
			      const struct tern_addr *b)
{
	for (size_t i = fs->n; i-- > 0;) {
		struct flow *f = &fs->flow[i];
		const struct tern_addr *left = &f->side[0].addr, *right = &f->side[1].addr;

		if (f->proto != proto)
			continue;
		if (view_addr_equal(left, a) && view_addr_equal(right, b))
			return f;
		if (view_addr_equal(left, b) && view_addr_equal(right, a))
			return f;
	}
	return NULL;
}

static bool is_closed(const struct flow *f)
{
	return f->side[0].fin_sent && (f->side[1].fin_sent || f->to_itself);
}

bool flow_side_gave_up(const struct flow_side *s)
{
	return s->gave_up || (s->state_known && s->state == TERN_TCP_CLOSED);
}

static bool is_reset(const struct flow *f)
{
	const struct flow_side *l = &f->side[0], *r = &f->side[1];
	bool both_live = l->state_known && l->state != TERN_TCP_CLOSED && r->state_known &&
			 r->state != TERN_TCP_CLOSED;

	/* Neither heeds one with a number beyond the window (RFC 9293 3.10.7.4). */
	return ((l->rst_sent && !l->gave_up) || (r->rst_sent && !r->gave_up)) && !both_live;
}

/* What comes behind two FINs and their ACKs, an answer to a late copy, say, ends nothing. */
enum flow_ending flow_ending(const struct flow *f)
{
	const struct flow_side *l = &f->side[0], *r = &f->side[1];

	if (r->rst_sent && !f->answered && l->opened_by_syn)
		return FLOW_REFUSED;
	if (is_closed(f) && (f->to_itself || (l->fin_acked && r->fin_acked)))
		return FLOW_CLOSED;
	if (is_reset(f))
		return FLOW_RESET;
	if (is_closed(f))
		return FLOW_CLOSED;
	if (flow_side_gave_up(l) || flow_side_gave_up(r))
		return FLOW_GAVE_UP;
	return l->fin_sent || r->fin_sent ? FLOW_HALF_CLOSED : FLOW_OPEN;
}

static bool is_link_talk(const struct flow *f)
{
	for (size_t i = 0; i < f->n_segments; i++)
		if (f->segment[i].icmp.type < MLD_QUERY || f->segment[i].icmp.type > MLD2_REPORT)
			return false;
	return f->proto == TERN_IPPROTO_ICMPV6 && f->n_segments > 0;
}

bool flow_is_drawn(const struct flows *fs, const struct flow *f, uint32_t conn,
		   bool without_link_talk)
{
	if (conn)
		return f->number == conn;
	if (!without_link_talk || !is_link_talk(f))
		return true;
	for (size_t i = 0; i < fs->n; i++)
		if (!is_link_talk(&fs->flow[i]))
			return false;
	return true;
}

static bool is_over(const struct flow *f)
{
	const struct flow_side *l = &f->side[0], *r = &f->side[1];

	if (l->rst_sent || r->rst_sent || (l->fin_sent && r->fin_sent))
		return true;
	return (l->state_known || r->state_known) &&
	       (!l->state_known || l->state == TERN_TCP_CLOSED) &&
	       (!r->state_known || r->state == TERN_TCP_CLOSED);
}

/* ---- frames ---- */

int flow_sender(const struct flow *f, const struct decoded *d)
{
	return view_addr_equal(&f->side[0].addr, &d->src) ? 0 : 1;
}

bool flow_has_other_syn(const struct flow *f, const struct decoded *d)
{
	int from = flow_sender(f, d);
	const struct flow_side *s = &f->side[from], *other = &f->side[1 - from];

	if (d->proto != TERN_IPPROTO_TCP || !(d->tcp.flags & TCP_SYN) || !s->isn_known ||
	    s->isn == d->tcp.seq)
		return false;
	return !(d->tcp.flags & TCP_ACK) || (other->isn_known && other->isn != d->tcp.ack - 1);
}

/* Who is on the left: who opens; in the middle of a conversation the higher port. */
static bool sender_is_left(const struct decoded *d)
{
	if (d->proto == TERN_IPPROTO_TCP && (d->tcp.flags & TCP_SYN))
		return !(d->tcp.flags & TCP_ACK);
	return d->proto != TERN_IPPROTO_TCP || d->src.port >= d->dst.port;
}

void flow_begin(struct flow *f, const struct decoded *first)
{
	if (sender_is_left(first))
		flow_init(f, first->proto, &first->src, &first->dst);
	else
		flow_init(f, first->proto, &first->dst, &first->src);
}

static struct flow *flow_of_number(struct flows *fs, uint32_t number)
{
	for (size_t i = fs->n; i-- > 0;)
		if (fs->flow[i].number == number)
			return &fs->flow[i];
	return NULL;
}

static struct flow *flow_of_frame(struct flows *fs, const struct decoded *d, uint32_t number)
{
	struct flow *f =
		number ? flow_of_number(fs, number) : find_flow(fs, d->proto, &d->src, &d->dst);

	if (f && (number || !is_over(f) || !flow_has_other_syn(f, d)))
		return f;
	f = new_flow(fs);
	if (f) {
		flow_begin(f, d);
		f->number = number ? number : (uint32_t)fs->n;
	}
	return f;
}

static bool has_answered(const struct segment *g)
{
	return g->from == 1 && !(g->tcp.flags & TCP_RST);
}

void flow_sent(struct flow *f, struct segment *g, const struct decoded *d,
	       const struct view_event *ev)
{
	g->sent = ev;
	g->from = flow_sender(f, d);
	g->len = d->len;
	g->tcp = d->tcp;
	g->icmp = d->icmp;
	g->arrived_at = TERN_NEVER;
	f->side[g->from].host = ev->host;
	f->answered |= has_answered(g);
	if (f->side[0].n_segments + f->side[1].n_segments == 0)
		f->first_at = ev->at;
	f->last_at = ev->at;
	if (f->proto == TERN_IPPROTO_TCP) {
		track_sent(f, g);
	} else {
		f->side[g->from].n_segments++;
		f->side[g->from].n_bytes += g->len;
	}
}

static void on_sent(struct flows *fs, size_t event, struct flow_place *place)
{
	const struct view_event *ev = &fs->view->event[event];
	struct decoded d;
	struct flow *f;
	struct segment *g;

	if (!decode_frame(&d, ev)) {
		fs->n_other++;
		return;
	}
	f = flow_of_frame(fs, &d, ev->flow);
	g = f ? add_segment(fs, f) : NULL;
	if (!g)
		return;
	flow_sent(f, g, &d, ev);
	if (d.marked)
		g->marks |= MARK_CE;
	place->flow = (uint32_t)(f - fs->flow);
	place->segment = (uint32_t)(g - f->segment);
	add_step(fs, f,
		 (struct step){ .at = ev->at,
				.kind = STEP_SEND,
				.side = (uint8_t)g->from,
				.segment = place->segment });
}

/* On a shared medium others hear a frame too; what they ignored is no arrival. */
static bool is_bystander(const struct view_event *ev)
{
	return ev->text && (strcmp(ev->text, tern_drop_name(TERN_DROP_ETH_NOT_OURS)) == 0 ||
			    strcmp(ev->text, tern_drop_name(TERN_DROP_IP_NOT_OURS)) == 0);
}

static void on_delivered(struct flows *fs, const struct view_event *ev)
{
	const struct view_frame *frame = view_find_frame(fs->view, ev->frame);
	const struct flow_place *place = frame ? &fs->place[frame->sent] : NULL;
	struct decoded d;
	struct flow *f;
	struct segment *g;
	struct step step = {
		.at = ev->at, .kind = STEP_ARRIVE, .text = ev->text, .guessed = ev->guessed
	};

	if (!place || place->flow == NOWHERE)
		return;
	f = &fs->flow[place->flow];
	g = &f->segment[place->segment];
	if (is_bystander(ev)) {
		g->ignored = true;
		return;
	}
	step.side = (uint8_t)(1 - g->from);
	step.segment = place->segment;
	step.copy = ev->copy_of != 0 || g->n_arrivals > 0;
	if (f->side[step.side].host < 0)
		f->side[step.side].host = ev->host;
	if (!step.copy) {
		g->arrived_at = ev->at;
		g->dropped = ev->text;
	}
	g->n_arrivals++;
	if (ev->bytes != g->sent->bytes && decode_frame(&d, ev) && d.marked) /* on the way */
		g->marks |= MARK_CE;
	if (f->proto == TERN_IPPROTO_TCP)
		track_arrival(f, g, &step, &fs->mem);
	add_step(fs, f, step);
}

/* ---- connections ---- */

static struct flow *flow_of_conn(struct flows *fs, const struct view_event *ev, int *side)
{
	for (size_t i = fs->n; i-- > 0;) {
		for (*side = 0; *side < 2; ++*side) {
			const struct flow_side *s = &fs->flow[i].side[*side];

			if (ev->conn && s->conn == ev->conn && s->host == ev->host)
				return &fs->flow[i];
		}
	}
	return NULL;
}

static struct flow *flow_of_state(struct flows *fs, const struct view_event *ev, int *side)
{
	struct flow *f = flow_of_conn(fs, ev, side);

	if (f)
		return f;
	f = find_flow(fs, TERN_IPPROTO_TCP, &ev->local, &ev->remote);
	if (!f || (is_over(f) && ev->new_state == TERN_TCP_SYN_SENT))
		f = ev->by_listen ? add_flow(fs, TERN_IPPROTO_TCP, &ev->remote, &ev->local) :
				    add_flow(fs, TERN_IPPROTO_TCP, &ev->local, &ev->remote);
	if (f)
		*side = view_addr_equal(&f->side[0].addr, &ev->local) ? 0 : 1;
	return f;
}

static void on_state(struct flows *fs, const struct view_event *ev)
{
	struct flow *f;
	struct flow_side *s;
	int side = 0;

	if (ev->remote.family == TERN_AF_UNSPEC || ev->remote.port == 0)
		return; /* a listener */
	f = ev->flow ? flow_of_number(fs, ev->flow) : flow_of_state(fs, ev, &side);
	if (!f && ev->flow) {
		f = add_flow(fs, TERN_IPPROTO_TCP, &ev->local, &ev->remote);
		if (f)
			f->number = ev->flow;
	}
	if (!f)
		return;
	if (ev->flow)
		side = view_addr_equal(&f->side[0].addr, &ev->local) ? 0 : 1;
	s = &f->side[side];
	if (!s->state_known) {
		s->state_known = true;
		s->first_state = (uint8_t)ev->old_state;
	}
	s->host = ev->host;
	s->conn = ev->conn;
	s->state = (uint8_t)ev->new_state;
	s->by_listen |= ev->by_listen;
	if (ev->old_state == ev->new_state)
		return;
	add_step(fs, f,
		 (struct step){ .at = ev->at,
				.kind = STEP_STATE,
				.side = (uint8_t)side,
				.old_state = (uint8_t)ev->old_state,
				.new_state = (uint8_t)ev->new_state });
}

static void on_timer(struct flows *fs, const struct view_event *ev)
{
	int side = 0;
	struct flow *f = flow_of_conn(fs, ev, &side);

	if (!f || !ev->text)
		return;
	add_step(fs, f,
		 (struct step){ .at = ev->at,
				.kind = STEP_TIMER,
				.side = (uint8_t)side,
				.text = ev->text });
}

static void on_left_out(struct flows *fs, const struct view_event *ev)
{
	struct flow *f = flow_of_number(fs, ev->flow);

	if (!f)
		return;
	for (int i = 0; i < 2; i++)
		track_left_out(f, i, ev->fold, &fs->mem);
	f->last_at = ev->fold->last_at;
	add_step(fs, f, (struct step){ .at = ev->at, .kind = STEP_LEFT_OUT, .fold = ev->fold });
}

/* ---- all of them ---- */

static void sort_event(struct flows *fs, size_t event)
{
	const struct view_event *ev = &fs->view->event[event];
	struct flow_place *place = &fs->place[event];

	place->flow = NOWHERE;
	switch (ev->kind) {
	case VIEW_SENT:
		on_sent(fs, event, place);
		break;
	case VIEW_DELIVERED:
		on_delivered(fs, ev);
		break;
	case VIEW_STATE:
		on_state(fs, ev);
		break;
	case VIEW_TIMER:
		on_timer(fs, ev);
		break;
	case VIEW_LEFT_OUT:
		on_left_out(fs, ev);
		break;
	default:
		break;
	}
}

void flows_read_on(struct flows *fs)
{
	for (; fs->n_read < fs->view->n_events; fs->n_read++) {
		struct flow_place *grown =
			array_grow(fs->place, fs->n_read, &fs->places_cap, sizeof(*grown));

		if (!grown) {
			fs->incomplete = true;
			return;
		}
		fs->place = grown;
		sort_event(fs, fs->n_read);
	}
	fs->incomplete |= fs->view->incomplete;
}

struct flows *flows_new(const struct view *v)
{
	struct flows *fs = calloc(1, sizeof(*fs));

	if (!fs)
		return NULL;
	fs->view = v;
	mem_init(&fs->mem, tern_malloc, tern_malloc_free, NULL, UINT64_MAX);
	flows_read_on(fs);
	return fs;
}

void flows_free(struct flows *fs)
{
	if (!fs)
		return;
	for (size_t i = 0; i < fs->n; i++) {
		struct flow *f = &fs->flow[i];

		ranges_fini(&f->side[0].arrived, &fs->mem);
		ranges_fini(&f->side[1].arrived, &fs->mem);
		free(f->segment);
		free(f->step);
	}
	mem_fini(&fs->mem);
	free(fs->flow);
	free(fs->place);
	free(fs);
}

char *flow_endpoint(const struct flow *f, int side, char *buf)
{
	bool has_port = f->proto == TERN_IPPROTO_TCP || f->proto == TERN_IPPROTO_UDP;

	return tern_addr_format(&f->side[side].addr, has_port, buf);
}

const char *flow_side_name(const struct flows *fs, const struct flow *f, int side)
{
	int host = f->side[side].host, other = f->side[!side].host;

	if (host < 0 && f->n_segments == 0 && fs->view->n_hosts == 2 && other >= 0)
		host = !other; /* nothing went there: of two it is the one that was called */
	if (host >= 0 && fs->view->host[host].name[0])
		return fs->view->host[host].name;
	return side == 0 ? "left" : "right";
}

const char *flow_role(const struct flow *f, int side)
{
	const struct flow_side *s = &f->side[side];

	if (f->proto != TERN_IPPROTO_TCP)
		return "";
	if (f->to_itself)
		return side == 0 ? "to itself" : "the same endpoint";
	if (s->by_listen || (!s->opened_by_syn && f->side[1 - side].opened_by_syn))
		return "passive";
	return s->opened_by_syn ? "active" : "";
}
