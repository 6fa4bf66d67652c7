/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp6_fixture.h - a DHCPv6 client without a stack: its timers, its acts, and answers to it.
 */
#ifndef TERN_DHCP6_FIXTURE_H
#define TERN_DHCP6_FIXTURE_H

#include "../../core/net/dhcp.h"
#include "net_fixture.h"

enum { NIC = 2, KIND = 91 };

static struct dhcp6_client *c;
static struct dhcp6 sent;

static inline void begin(void)
{
	struct dhcp_parts parts = { .ifindex = NIC, .timer_kind = KIND };

	start();
	add_iface("nic", TERN_LINK_ETHERNET, NIC);
	c = dhcp6_new(&f.net, &parts);
	check(c != NULL);
}

static inline void end(void)
{
	dhcp6_free(&f.net, c);
	finish();
}

static inline tern_time now(void)
{
	return f.timers.now;
}

/* Goes to the next timer; what the client does then. What it sends is in `sent`. */
static inline unsigned wait_for_timer(void)
{
	unsigned acts;

	check(timer_armed(&c->timer));
	timers_advance(&f.timers, c->timer.at);
	check(timers_take(&f.timers) == &c->timer);
	acts = dhcp6_on_timer(&f.net, c);
	if (acts & DHCP_SEND)
		dhcp6_output(&f.net, c, &sent);
	return acts;
}

/* fd00::5 for 1000 s, preferred for 500 s, from server "s". */
static inline struct dhcp6 answer(enum dhcp6_type type)
{
	struct dhcp6 m = { .type = (uint8_t)type,
			   .xid = c->xid,
			   .client = c->duid,
			   .server = { 4, { 0, 2, 's', 's' } },
			   .ia = { .is_there = true, .n = 1, .iaid = c->iaid } };

	m.ia.addr[0] =
		(struct dhcp6_addr){ .addr = v6(0xfd00, 0, 5), .preferred = 500, .valid = 1000 };
	return m;
}

static inline unsigned hear(const struct dhcp6 *m)
{
	unsigned acts = dhcp6_input(&f.net, c, m);

	if (acts & DHCP_SEND)
		dhcp6_output(&f.net, c, &sent);
	return acts;
}

static inline unsigned hear_type(enum dhcp6_type type)
{
	struct dhcp6 m = answer(type);

	return hear(&m);
}

/* To the state, by the usual way; what is sent there has been sent once. */
static inline void go_to(enum dhcp6_state state)
{
	if (state == DHCP6_OFF)
		return;
	if (state == DHCP6_INFORMING || state == DHCP6_INFORMED) {
		dhcp6_on_flags(&f.net, c, false, true);
		check_eq(wait_for_timer(), DHCP_SEND);
		if (state == DHCP6_INFORMED)
			check_eq(hear_type(DHCP6_REPLY), DHCP_TAKE);
		return;
	}
	dhcp6_on_flags(&f.net, c, true, false);
	check_eq(wait_for_timer(), DHCP_SEND);
	if (state == DHCP6_SOLICITING)
		return;
	check_eq(hear_type(DHCP6_ADVERTISE), DHCP_NOTHING);
	check_eq(wait_for_timer(), DHCP_SEND);
	if (state == DHCP6_REQUESTING)
		return;
	check_eq(hear_type(DHCP6_REPLY), DHCP_TAKE);
	if (state == DHCP6_BOUND)
		return;
	if (state == DHCP6_DECLINING) {
		check_eq(dhcp6_on_conflict(&f.net, c, &c->lease.addr[0].addr),
			 DHCP_SEND | DHCP_DROP);
		dhcp6_output(&f.net, c, &sent);
		return;
	}
	if (state == DHCP6_CONFIRMING) {
		dhcp6_on_link(&f.net, c, false);
		dhcp6_on_link(&f.net, c, true);
	}
	do
		check_eq(wait_for_timer(), DHCP_SEND);
	while (c->state != state);
}

#endif
