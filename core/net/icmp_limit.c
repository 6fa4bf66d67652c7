/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmp_limit.c - how many ICMP errors we send.
 *
 * A token bucket is kept as the instant at which it will be full again: taking a token moves that
 * instant by one interval, and the bucket is empty when it is a whole burst ahead. The stack's
 * bucket is what the configuration says; each destination has a quarter of it, so that none can use
 * up the stack's alone. Now and then the stack pays two tokens for one error, at random, so that
 * nobody can count by what is left how many went to others.
 *
 * Sources: RFC 4443 2.4 (f), RFC 1812 4.3.2.8; CVE-2020-25705 (a limiter as a side channel).
 */
#include "net.h"

enum { DESTINATION_SHARE = 4, PAYS_TWICE_IN = 8 };

static bool has_token(const struct icmp_limit *l, tern_time now, tern_time interval, uint32_t burst)
{
	return burst > 0 && (l->full_at <= now || l->full_at - now <= (burst - 1) * interval);
}

static void take_token(struct icmp_limit *l, tern_time now, tern_time interval)
{
	l->full_at = MAX(l->full_at, now) + interval;
}

bool icmp_limit_take(struct net *net, const struct addr *dst)
{
	tern_time now = net->timers->now, interval = net->cfg->icmp_ratelimit_ms * TERN_MS;
	tern_time price = rand_below(net->rand, PAYS_TWICE_IN) ? interval : 2 * interval;
	uint32_t burst = net->cfg->icmp_burst;
	uint32_t share = (burst + DESTINATION_SHARE - 1) / DESTINATION_SHARE;
	uint64_t hash = siphash13(&net->key, dst, sizeof(*dst));
	struct icmp_limit *one = &net->limit_dst[hash % N_ELEMENTS(net->limit_dst)];

	if (!has_token(one, now, interval * DESTINATION_SHARE, share))
		return false;
	if (!has_token(&net->limit_all, now, interval, burst))
		return false;
	take_token(one, now, interval * DESTINATION_SHARE);
	take_token(&net->limit_all, now, price);
	return true;
}
