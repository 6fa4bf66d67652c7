/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * profile.c - whose habits does the stack have? What scripts take for granted and do not set.
 *
 * linux: as Linux comes. rfc: what the standards recommend where they name a figure: RTO of a
 * second at least (RFC 6298 2.4), IW10 (RFC 6928); they leave the order of options open and ask
 * only that an ACK waits less than half a second (RFC 9293 3.8.6.3). freebsd: as FreeBSD comes; its
 * SYN has the options in another order, so that the order is not compared.
 *
 * A script's settings come on top.
 */
#include "profile.h"

#include <string.h>

static const struct drill_profile profiles[] = {
	{ .name = "linux",
	  .rto_initial_ms = 1000,
	  .rto_min_ms = 200,
	  .delayed_ack_ms = 40,
	  .quick_acks = 16,
	  .synack_retries = 5,
	  .initial_cwnd = 10,
	  .pushes_bursts = true },
	{ .name = "rfc",
	  .rto_initial_ms = 1000,
	  .rto_min_ms = 1000,
	  .delayed_ack_ms = 200,
	  .quick_acks = 0,
	  .synack_retries = 3,
	  .initial_cwnd = 10,
	  .any_option_order = true },
	{ .name = "freebsd",
	  .rto_initial_ms = 1000,
	  .rto_min_ms = 30,
	  .delayed_ack_ms = 40,
	  .quick_acks = 0,
	  .synack_retries = 3,
	  .initial_cwnd = 10,
	  .any_option_order = true },
};

const struct drill_profile *drill_profile_find(const char *name)
{
	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
		if (strcmp(profiles[i].name, name) == 0)
			return &profiles[i];
	return NULL;
}

void profile_apply(const struct drill_profile *p, struct tern_config *cfg)
{
	if (!p)
		p = &profiles[0];
	cfg->tcp_rto_initial_ms = p->rto_initial_ms;
	cfg->tcp_rto_min_ms = p->rto_min_ms;
	cfg->tcp_delayed_ack_ms = p->delayed_ack_ms;
	cfg->tcp_synack_retries = p->synack_retries;
	cfg->tcp_quick_acks = p->quick_acks;
	cfg->tcp_initial_cwnd = p->initial_cwnd;
	cfg->tcp_pacing = false; /* no system paces without being asked: windows leave at once */
}
