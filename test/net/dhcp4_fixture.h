/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp4_fixture.h - a DHCPv4 client without a stack: its timers, its acts, and answers to it.
 */
#ifndef TERN_DHCP4_FIXTURE_H
#define TERN_DHCP4_FIXTURE_H

#include "../../core/net/dhcp.h"
#include "net_fixture.h"

enum { NIC = 2, KIND = 90, RANDOM_RUNS = 200 };
enum { OURS = 0x0a000005, SERVER = 0x0a000001 };
#define MASK24 0xffffff00u

static struct dhcp4_client *c;
static struct dhcp4 sent;
static struct dhcp4_path path;

static inline void begin(uint32_t delay_ms)
{
	struct dhcp_parts parts = { NIC, KIND, delay_ms, false };

	start();
	add_iface("nic", TERN_LINK_ETHERNET, NIC);
	c = dhcp4_new(&f.net, &parts);
	check(c != NULL);
}

static inline void end(void)
{
	dhcp4_free(&f.net, c);
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
	acts = dhcp4_on_timer(&f.net, c);
	if (acts & DHCP_SEND)
		dhcp4_output(c, &sent, &path);
	return acts;
}

static inline struct dhcp4 answer(enum dhcp4_type type)
{
	struct dhcp4 m = { .is_reply = true,
			   .type = (uint8_t)type,
			   .xid = c->xid,
			   .yiaddr = type == DHCP4_NAK ? 0 : OURS,
			   .server = SERVER,
			   .mask = MASK24,
			   .lease = type == DHCP4_NAK ? 0 : 3600,
			   .client_id = c->client_id };

	memcpy(m.mac, c->mac, 6);
	return m;
}

static inline unsigned hear(const struct dhcp4 *m)
{
	unsigned acts = dhcp4_input(&f.net, c, m);

	if (acts & DHCP_SEND)
		dhcp4_output(c, &sent, &path);
	return acts;
}

static inline unsigned hear_type(enum dhcp4_type type)
{
	struct dhcp4 m = answer(type);

	return hear(&m);
}

/* Makes it one that informs, and has no address yet. */
static inline void begin_informing(uint32_t delay_ms)
{
	struct dhcp_parts parts = { NIC, KIND, delay_ms, true };

	dhcp4_free(&f.net, c);
	c = dhcp4_new(&f.net, &parts);
	check(c != NULL);
}

static inline struct dhcp4 information(void)
{
	struct dhcp4 m = answer(DHCP4_ACK);

	m.ciaddr = OURS;
	m.yiaddr = m.lease = 0;
	return m;
}

/* To the state, by the usual way. */
static inline void go_to(enum dhcp4_state state)
{
	if (state == DHCP4_INFORMING || state == DHCP4_INFORMED) {
		struct dhcp4 m;

		begin_informing(1000);
		check_eq(dhcp4_on_own_address(&f.net, c, OURS), DHCP_NOTHING);
		check_eq(wait_for_timer(), DHCP_SEND);
		m = information();
		if (state == DHCP4_INFORMED)
			check_eq(hear(&m), DHCP_TAKE);
		return;
	}
	if (state == DHCP4_INIT)
		return;
	check_eq(wait_for_timer(), DHCP_SEND);
	if (state == DHCP4_SELECTING)
		return;
	check_eq(hear_type(DHCP4_OFFER), DHCP_SEND);
	if (state == DHCP4_REQUESTING)
		return;
	check_eq(hear_type(DHCP4_ACK), DHCP_TAKE);
	if (state == DHCP4_BOUND)
		return;
	if (state == DHCP4_INIT_REBOOT || state == DHCP4_REBOOTING) {
		check_eq(dhcp4_on_link(&f.net, c, false), DHCP_NOTHING);
		if (state == DHCP4_REBOOTING) {
			check_eq(dhcp4_on_link(&f.net, c, true), DHCP_SEND);
			dhcp4_output(c, &sent, &path);
		}
		return;
	}
	check_eq(wait_for_timer(), DHCP_SEND);
	while (c->state != state)
		check_eq(wait_for_timer(), DHCP_SEND);
}

#endif
