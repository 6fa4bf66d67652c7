/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim.c - the simulation: one clock, one agenda, and the loop that every user of a stack writes.
 *
 * A step moves the clock to the next instant at which something is due, on all hosts at once, lets
 * one thing happen there, and then serves every host (news out, packets out) until all are quiet.
 * It first serves what the user's own calls since the last step have caused. All stacks always
 * stand at the simulation's time when one of the user's functions is called.
 *
 * Asking each host at each step costs little for the numbers of hosts that tests have, and leaves
 * no list of busy hosts that a user's direct call could escape.
 */
#include <stdlib.h>

#include "world.h"

struct tern_sim *tern_sim_new(uint64_t seed)
{
	struct tern_sim *sim = calloc(1, sizeof(*sim));

	if (!sim)
		return NULL;
	rand_seed_of(sim->seed, seed);
	rand_init(&sim->rand, sim->seed, STREAM_WORKLOAD);
	return sim;
}

void tern_sim_free(struct tern_sim *sim)
{
	if (!sim)
		return;
	sim->observe = NULL;
	for (int i = 0; i < sim->n_hosts; i++)
		host_free(sim->hosts[i]);
	for (int i = 0; i < sim->n_media; i++)
		free(sim->media[i]);
	free(sim->hosts);
	free(sim->media);
	agenda_fini(&sim->agenda);
	free(sim);
}

void *sim_array_grow(void *array, int n)
{
	return realloc(array, ((size_t)n + 1) * sizeof(void *));
}

struct host *sim_host(const struct tern_sim *sim, int index)
{
	return index >= 0 && index < sim->n_hosts ? sim->hosts[index] : NULL;
}

struct medium *sim_medium(const struct tern_sim *sim, int index)
{
	return index >= 0 && index < sim->n_media ? sim->media[index] : NULL;
}

void tern_sim_observe(struct tern_sim *sim, tern_sim_observe_fn *fn, void *ctx)
{
	sim->observe = fn;
	sim->observe_ctx = ctx;
}

void sim_note(struct tern_sim *sim, struct tern_sim_note *note)
{
	note->at = sim->now;
	if (sim->observe)
		sim->observe(sim->observe_ctx, note);
}

tern_time tern_sim_now(const struct tern_sim *sim)
{
	return sim->now;
}

uint64_t tern_sim_random(struct tern_sim *sim, uint64_t n)
{
	return rand_below(&sim->rand, n);
}

void tern_sim_check(const struct tern_sim *sim)
{
	for (int i = 0; i < sim->n_hosts; i++)
		tern_check(sim->hosts[i]->stack);
}

int tern_sim_at(struct tern_sim *sim, tern_time at, tern_sim_timer_fn *fn, void *ctx)
{
	struct agenda_item item = { .at = MAX(at, sim->now), .fn = fn, .ctx = ctx };

	return agenda_put(&sim->agenda, item) ? 0 : -TERN_ENOMEM;
}

/* Serves all hosts until none has anything left. A call-back may touch any of them. */
static void settle(struct tern_sim *sim)
{
	bool busy;

	do {
		busy = false;
		for (int i = 0; i < sim->n_hosts; i++)
			busy |= host_serve(sim->hosts[i]);
	} while (busy);
}

static void set_clock(struct tern_sim *sim, tern_time now)
{
	sim->now = now;
	for (int i = 0; i < sim->n_hosts; i++)
		tern_advance(sim->hosts[i]->stack, now);
}

static tern_time next_deadline_of_hosts(const struct tern_sim *sim)
{
	tern_time next = TERN_NEVER;

	for (int i = 0; i < sim->n_hosts; i++)
		next = MIN(next, tern_deadline(sim->hosts[i]->stack));
	return next;
}

static void run_item(struct tern_sim *sim)
{
	struct agenda_item item = agenda_take(&sim->agenda);

	if (item.port)
		medium_deliver(item.port);
	else
		item.fn(item.ctx);
}

bool tern_sim_step(struct tern_sim *sim, tern_time until)
{
	tern_time of_hosts, of_agenda, next;

	settle(sim);
	of_hosts = next_deadline_of_hosts(sim);
	of_agenda = agenda_deadline(&sim->agenda);
	next = MIN(of_hosts, of_agenda);
	if (next == TERN_NEVER || next > until) {
		if (until != TERN_NEVER && until > sim->now)
			set_clock(sim, until);
		return false;
	}
	set_clock(sim, MAX(next, sim->now));
	/* Timers of stacks come before the frames of the same instant. */
	if (of_agenda < of_hosts)
		run_item(sim);
	settle(sim);
	return true;
}

void tern_sim_run(struct tern_sim *sim, tern_time until)
{
	while (tern_sim_step(sim, until))
		;
}
