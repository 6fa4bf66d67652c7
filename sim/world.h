/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * world.h - what a simulation is made of: hosts, media (the links that interfaces attach to),
 * ports (one interface on one medium, with the wire of what it sends), and an agenda.
 *
 * Hosts, media and ports are never moved or removed before the simulation ends, so that a call-back
 * may add more of them.
 */
#ifndef TERN_SIM_WORLD_H
#define TERN_SIM_WORLD_H

#include "../include/tern_sim.h"
#include "../link/link.h"

struct port;

/* ---- agenda.c: what happens when, in order of (instant, order of asking) ---- */

struct agenda_item {
	tern_time at;
	uint64_t order;
	struct port *port; /* a frame that it sent arrives; NULL: a timer of the user's */
	tern_sim_timer_fn *fn;
	void *ctx;
};

struct agenda {
	struct agenda_item *heap;
	size_t n, cap;
	uint64_t n_ever;
};

void agenda_fini(struct agenda *);
/* Fills in the order. false: no memory. */
bool agenda_put(struct agenda *, struct agenda_item);
tern_time agenda_deadline(const struct agenda *);
/* There must be an item. */
struct agenda_item agenda_take(struct agenda *);

/* ---- the objects ---- */

struct host {
	struct tern_sim *sim;
	int index;
	char name[32];
	struct tern_stack *stack;
	struct port *ports; /* through next_of_host, in order of attaching */
	tern_sim_event_fn *on_event;
	void *event_ctx;
};

struct port {
	struct port *next_of_host, *next_on_medium;
	struct host *host;
	struct medium *medium;
	unsigned ifindex;
	uint8_t mac[6];
	struct link link;
};

struct medium {
	int index;
	uint32_t kind;		     /* enum tern_link of the first interface; 0: none yet */
	struct tern_weather weather; /* of interfaces to come */
	struct port *ports;
	tern_sim_filter_fn *filter;
	void *filter_ctx;
};

struct tern_sim {
	tern_time now;
	uint8_t seed[32];
	struct rand rand; /* for workloads */
	struct agenda agenda;
	struct host **hosts;
	int n_hosts;
	struct medium **media;
	int n_media;
	uint32_t n_ports;
	uint64_t n_frames;
	tern_sim_observe_fn *observe;
	void *observe_ctx;
};

/* Streams of random numbers; the n-th host and port have their own. */
enum { STREAM_WORKLOAD = 0, STREAM_HOST = 1 };
#define STREAM_PORT ((uint64_t)1 << 32)

/* ---- between the files ---- */

/* An array of n pointers with room for one more; NULL: no memory, the old one stays. */
void *sim_array_grow(void *array, int n);
struct host *sim_host(const struct tern_sim *, int index);     /* NULL: no such */
struct medium *sim_medium(const struct tern_sim *, int index); /* NULL: no such */
void sim_note(struct tern_sim *, struct tern_sim_note *);      /* fills in the time */

void host_free(struct host *);
/* News to the user and packets to the wires. true: there was something. */
bool host_serve(struct host *);

/* Puts a packet of the port's interface on its medium; frees it. */
void medium_send(struct port *, struct tern_pkt *);
/* The next frame that the port has sent arrives. */
void medium_deliver(struct port *);
void port_free(struct port *);

#endif
