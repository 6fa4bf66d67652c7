/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host.c - one stack in the simulated world: its memory, its secrets, its news.
 *
 * The stack's seed comes from the simulation's seed and the host's index, so that adding a host
 * does not change the others.
 */
#include <stdlib.h>

#include "../include/tern_malloc.h"
#include "world.h"

static void host_trace(void *ctx, const struct tern_trace *t)
{
	const struct host *h = ctx;
	struct tern_sim_note note = {
		.what = TERN_SIM_TRACE, .host = h->index, .link = -1, .trace = t
	};

	sim_note(h->sim, &note);
}

static void copy_name(struct host *h, const char *name)
{
	size_t n = 0;

	while (name && name[n] && n < sizeof(h->name) - 1) {
		h->name[n] = name[n];
		n++;
	}
	h->name[n] = 0;
}

static struct tern_stack *new_stack(struct host *h, const struct tern_config *given)
{
	struct tern_env env = {
		.alloc = tern_malloc, .free = tern_malloc_free, .trace = host_trace, .ctx = h
	};
	struct tern_config cfg;
	struct rand r;

	tern_config_default(&cfg);
	if (given)
		cfg = *given;
	cfg.id = (uint32_t)h->index + 1;
	rand_init(&r, h->sim->seed, STREAM_HOST + (uint64_t)h->index);
	rand_bytes(&r, env.seed, sizeof(env.seed));
	return tern_new(&cfg, &env);
}

int tern_sim_host_add(struct tern_sim *sim, const char *name, const struct tern_config *cfg)
{
	struct host **grown = sim_array_grow(sim->hosts, sim->n_hosts);
	struct host *h;

	if (!grown)
		return -TERN_ENOMEM;
	sim->hosts = grown;
	h = calloc(1, sizeof(*h));
	if (!h)
		return -TERN_ENOMEM;
	h->sim = sim;
	h->index = sim->n_hosts;
	copy_name(h, name);
	h->stack = new_stack(h, cfg);
	if (!h->stack) {
		free(h);
		return -TERN_EINVAL;
	}
	sim->hosts[sim->n_hosts++] = h;
	tern_advance(h->stack, sim->now);
	return h->index;
}

void host_free(struct host *h)
{
	struct port *p, *next;

	for (p = h->ports; p; p = next) {
		next = p->next_of_host;
		port_free(p);
	}
	tern_free(h->stack);
	free(h);
}

struct tern_stack *tern_sim_stack(struct tern_sim *sim, int host)
{
	struct host *h = sim_host(sim, host);

	return h ? h->stack : NULL;
}

const char *tern_sim_host_name(const struct tern_sim *sim, int host)
{
	const struct host *h = sim_host(sim, host);

	return h ? h->name : "";
}

void tern_sim_on_event(struct tern_sim *sim, int host, tern_sim_event_fn *fn, void *ctx)
{
	struct host *h = sim_host(sim, host);

	if (!h)
		return;
	h->on_event = fn;
	h->event_ctx = ctx;
}

bool host_serve(struct host *h)
{
	struct tern_event ev;
	struct tern_pkt *pkt;
	bool busy = false;

	/* Without a call-back the news stays for whoever asks the stack itself. */
	while (h->on_event && tern_event(h->stack, &ev)) {
		h->on_event(h->event_ctx, h->index, &ev);
		busy = true;
	}
	for (struct port *p = h->ports; p; p = p->next_of_host) {
		while ((pkt = tern_output(h->stack, p->ifindex)) != NULL) {
			medium_send(p, pkt);
			busy = true;
		}
	}
	return busy;
}
