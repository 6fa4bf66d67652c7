/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * medium.c - links in the simulated world: any number of interfaces on one medium.
 *
 * Each port has a wire of its own for what it sends (its rate, queue and faults); at the far end
 * of that wire a frame reaches the other ports: on Ethernet those it is addressed to, or all when
 * nobody owns the address; on a raw IP link all.
 *
 * A frame on a wire is one piece of memory. Where the interface offers segmentation, a super-frame
 * travels whole, its checksum still open; it is one frame to the weather.
 */
#include <stdlib.h>

#include "world.h"

enum { FLAGS_CARRIED = TERN_PKT_CSUM_PARTIAL | TERN_PKT_TSO4 | TERN_PKT_TSO6 };

int tern_sim_link_add(struct tern_sim *sim, const struct tern_weather *weather)
{
	struct medium **grown = sim_array_grow(sim->media, sim->n_media);
	struct medium *m;

	if (!grown)
		return -TERN_ENOMEM;
	sim->media = grown;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -TERN_ENOMEM;
	m->index = sim->n_media;
	if (weather)
		m->weather = *weather;
	sim->media[sim->n_media++] = m;
	return m->index;
}

static void join(struct port *p)
{
	struct port **at;

	for (at = &p->host->ports; *at; at = &(*at)->next_of_host)
		;
	*at = p;
	for (at = &p->medium->ports; *at; at = &(*at)->next_on_medium)
		;
	*at = p;
}

int tern_sim_attach(struct tern_sim *sim, int link, int host, const struct tern_iface *iface)
{
	struct medium *m = sim_medium(sim, link);
	struct host *h = sim_host(sim, host);
	struct port *p;
	struct rand r;
	int ifindex;

	if (!m || !h || !iface || (m->kind && m->kind != iface->link))
		return -TERN_EINVAL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -TERN_ENOMEM;
	ifindex = tern_iface_add(h->stack, iface);
	if (ifindex < 0) {
		free(p);
		return ifindex;
	}
	m->kind = iface->link;
	p->host = h;
	p->medium = m;
	p->ifindex = (unsigned)ifindex;
	memcpy(p->mac, iface->mac, sizeof(p->mac));
	rand_init(&r, sim->seed, STREAM_PORT + sim->n_ports++);
	link_init(&p->link, &m->weather, &r);
	join(p);
	return ifindex;
}

void port_free(struct port *p)
{
	struct link_frame *f;

	while ((f = link_take(&p->link, TERN_NEVER)) != NULL)
		free(f);
	free(p);
}

int tern_sim_weather(struct tern_sim *sim, int link, int host, const struct tern_weather *w)
{
	struct medium *m = sim_medium(sim, link);

	if (!m || !w || (host != -1 && !sim_host(sim, host)))
		return -TERN_EINVAL;
	if (host == -1)
		m->weather = *w;
	for (struct port *p = m->ports; p; p = p->next_on_medium)
		if (host == -1 || p->host->index == host)
			p->link.weather = *w;
	return 0;
}

void tern_sim_filter(struct tern_sim *sim, int link, tern_sim_filter_fn *fn, void *ctx)
{
	struct medium *m = sim_medium(sim, link);

	if (!m)
		return;
	m->filter = fn;
	m->filter_ctx = ctx;
}

static void note_frame(const struct port *p, uint32_t what, const struct link_frame *f,
		       const char *why)
{
	struct tern_sim_note note = { .what = what,
				      .host = p->host->index,
				      .link = p->medium->index,
				      .link_kind = p->medium->kind,
				      .frame_id = f->id,
				      .frame = f->data,
				      .len = f->len,
				      .csum_partial = f->flags & TERN_PKT_CSUM_PARTIAL,
				      .csum_start = f->csum_start,
				      .csum_off = f->csum_off,
				      .why = why };

	sim_note(p->host->sim, &note);
}

/* The packet in one piece, as it is on the wire. NULL: no memory. */
static struct link_frame *frame_of_packet(struct port *p, struct tern_pkt *pkt)
{
	struct link_frame *f;

	if ((pkt->flags & TERN_PKT_CSUM_PARTIAL) && !pkt->gso_size)
		tern_pkt_complete(p->host->stack, pkt);
	f = malloc(sizeof(*f) + pkt->total_len);
	if (!f)
		return NULL;
	f->next = NULL;
	f->id = ++p->host->sim->n_frames;
	f->flags = pkt->flags & FLAGS_CARRIED;
	f->csum_start = pkt->csum_start;
	f->csum_off = pkt->csum_off;
	f->gso_size = pkt->gso_size;
	f->len = pkt->total_len;
	tern_pkt_copy(pkt, 0, f->data, f->len);
	return f;
}

/* Hands the frame to the wire, and to the agenda the instant of its arrival. */
static void launch(struct port *p, struct link_frame *f, const struct link_fate *fate)
{
	struct agenda_item item = { .at = fate->due, .port = p };

	if (!agenda_put(&p->host->sim->agenda, item)) {
		note_frame(p, TERN_SIM_FRAME_LOST, f, "memory");
		free(f);
		return;
	}
	link_put(&p->link, f, fate);
}

static struct link_frame *duplicate(struct port *p, const struct link_frame *f)
{
	struct link_frame *copy = malloc(sizeof(*f) + f->len);
	struct tern_sim_note note = { .what = TERN_SIM_FRAME_DUPLICATED,
				      .host = p->host->index,
				      .link = p->medium->index,
				      .link_kind = p->medium->kind,
				      .copy_of = f->id,
				      .frame = f->data,
				      .len = f->len,
				      .csum_partial = f->flags & TERN_PKT_CSUM_PARTIAL,
				      .csum_start = f->csum_start,
				      .csum_off = f->csum_off };

	if (!copy)
		return NULL;
	memcpy(copy, f, sizeof(*f) + f->len);
	copy->id = ++p->host->sim->n_frames;
	note.frame_id = copy->id;
	sim_note(p->host->sim, &note);
	return copy;
}

/* Takes the frame through filter and weather. */
static void expose(struct port *p, struct link_frame *f)
{
	struct medium *m = p->medium;
	enum tern_sim_verdict verdict = TERN_SIM_PASS;
	struct link_fate fate;
	struct link_frame *copy = NULL;

	if (m->filter)
		verdict = m->filter(m->filter_ctx, p->host->index, f->data, f->len);
	if (verdict == TERN_SIM_LOSE) {
		note_frame(p, TERN_SIM_FRAME_LOST, f, "filter");
		free(f);
		return;
	}
	fate = link_decide(&p->link, p->host->sim->now, f->len);
	/* What an open checksum cannot guard must not arrive damaged: the device discards it. */
	if (!fate.lost && fate.corrupted && (f->flags & TERN_PKT_CSUM_PARTIAL))
		fate.lost = "loss";
	if (fate.lost) {
		note_frame(p, TERN_SIM_FRAME_LOST, f, fate.lost);
		free(f);
		return;
	}
	if (fate.marked) /* of a super-frame, all its packets */
		link_mark((enum tern_link)m->kind, f->data, f->len);
	if (fate.duplicated || verdict == TERN_SIM_DUPLICATE)
		copy = duplicate(p, f);
	if (fate.corrupted) {
		f->data[fate.bit / 8] ^= (uint8_t)(0x80 >> fate.bit % 8);
		note_frame(p, TERN_SIM_FRAME_CORRUPTED, f, NULL);
	}
	launch(p, f, &fate);
	if (copy)
		launch(p, copy, &fate);
}

void medium_send(struct port *p, struct tern_pkt *pkt)
{
	struct link_frame *f = frame_of_packet(p, pkt);

	tern_pkt_free(p->host->stack, pkt);
	if (!f)
		return;
	note_frame(p, TERN_SIM_FRAME_SENT, f, NULL);
	expose(p, f);
}

static bool is_addressed_to(const struct link_frame *f, const struct port *p)
{
	return memcmp(f->data, p->mac, sizeof(p->mac)) == 0;
}

/* Does the frame reach everybody else: a raw IP link, a group address, an unknown one? */
static bool is_for_all(const struct port *from, const struct link_frame *f)
{
	const struct medium *m = from->medium;

	if (m->kind != TERN_LINK_ETHERNET || f->len < sizeof(from->mac) || (f->data[0] & 1))
		return true;
	for (const struct port *p = m->ports; p; p = p->next_on_medium)
		if (is_addressed_to(f, p))
			return false;
	return true;
}

static void hand_over(struct port *to, const struct link_frame *f)
{
	struct tern_pkt *pkt = tern_pkt_new(to->host->stack, f->len);

	if (!pkt) {
		note_frame(to, TERN_SIM_FRAME_LOST, f, "memory");
		return;
	}
	memcpy(pkt->data, f->data, f->len);
	pkt->ifindex = (uint16_t)to->ifindex;
	pkt->flags |= f->flags;
	pkt->csum_start = f->csum_start;
	pkt->csum_off = f->csum_off;
	pkt->gso_size = f->gso_size;
	note_frame(to, TERN_SIM_FRAME_DELIVERED, f, NULL);
	tern_input(to->host->stack, pkt);
}

void medium_deliver(struct port *from)
{
	struct link_frame *f = link_take(&from->link, from->host->sim->now);
	bool for_all;

	if (!f)
		return;
	for_all = is_for_all(from, f);
	for (struct port *p = from->medium->ports; p; p = p->next_on_medium)
		if (p != from && (for_all || is_addressed_to(f, p)))
			hand_over(p, f);
	free(f);
}
