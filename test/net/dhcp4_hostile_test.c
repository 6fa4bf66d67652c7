/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp4_hostile_test.c - core/net/dhcp4.c: forged answers change nothing, leases that cannot be are
 * not taken.
 */
#include "dhcp4_fixture.h"

/* ---- what changes nothing ---- */

static void spoil(struct dhcp4 *m, unsigned how)
{
	switch (how) {
	case 0:
		m->xid ^= 1u << 31;
		break;
	case 1:
		m->mac[5] ^= 1;
		break;
	case 2:
		m->is_reply = false;
		break;
	case 3:
		m->server += 1;
		break;
	case 4:
		m->client_id.b[14] ^= 1;
		break;
	case 5:
		m->client_id.len--;
		break;
	case 6:
		m->server = 0;
		break;
	case 7:
		m->yiaddr ^= 2;
		break;
	}
}

/* In every state: each type but those that belong there; and those, each wrong in one thing. */
static void forgeries_change_nothing(void)
{
	for (unsigned state = 0; state < DHCP4_N_STATES; state++) {
		for (unsigned type = DHCP4_DISCOVER; type <= DHCP4_INFORM; type++) {
			for (unsigned how = 0; how < 9; how++) {
				bool asks = state == DHCP4_REQUESTING || state == DHCP4_REBOOTING ||
					    state == DHCP4_RENEWING || state == DHCP4_REBINDING;
				bool ends = type == DHCP4_ACK || type == DHCP4_NAK;
				bool informs = state == DHCP4_INFORMING && type == DHCP4_ACK;
				bool fits = state == DHCP4_SELECTING ? type == DHCP4_OFFER :
								       (asks && ends) || informs;
				bool any_server = state == DHCP4_REBINDING ||
						  state == DHCP4_REBOOTING ||
						  state == DHCP4_SELECTING || informs;
				struct dhcp4_client before;
				struct dhcp4 m;

				begin(1000);
				go_to((enum dhcp4_state)state);
				m = answer((enum dhcp4_type)type);
				spoil(&m, how);
				/* good after all: another server's, and an offer of another one */
				if (how == 8 || (how == 3 && any_server) ||
				    (how == 7 &&
				     (type == DHCP4_OFFER || type == DHCP4_NAK || informs))) {
					if (fits) {
						end();
						continue;
					}
				}
				before = *c;
				test_at("state %u, type %u, spoiled %u", state, type, how);
				check_eq(dhcp4_input(&f.net, c, &m), DHCP_NOTHING);
				check_mem(c, &before, sizeof(before));
				end();
			}
		}
	}
}

/* RFC 6842: an answer without the identity is of an old server, and good. */
static void an_answer_without_identity(void)
{
	struct dhcp4 m;

	begin(1000);
	go_to(DHCP4_SELECTING);
	m = answer(DHCP4_OFFER);
	m.client_id.len = 0;
	check_eq(hear(&m), DHCP_SEND);
	end();
}

/* SEC-152: every address, mask and time that cannot be, alone and together. */
static void leases_that_cannot_be(void)
{
	static const uint32_t ips[] = { OURS,	    0,		0xffffffff, 0xe0000001, 0xf0000001,
					0x7f000001, 0x00000005, 0x0a0000ff, 0x0a000000 };
	static const uint32_t masks[] = {
		MASK24, 0, 0xff00ff00, 0x00ffffff, 0xffffffff, 0xfffffffe
	};
	static const uint32_t leases[] = { 3600, 0, 1, 2, DHCP_FOREVER };
	static const uint32_t times[] = { 0, 1, 1800, 0xffffffff };

	for (size_t n = 0; n < 9 * 6 * 5 * 4 * 4; n++) {
		struct dhcp4 m;
		uint32_t ip = ips[n % 9], mask = masks[n / 9 % 6], lease = leases[n / 54 % 5];
		unsigned acts;

		begin(1000);
		go_to(DHCP4_SELECTING);
		m = answer(DHCP4_OFFER);
		m.yiaddr = ip;
		m.mask = mask;
		acts = hear(&m);
		test_at("address %x, mask %x, lease %u", ip, mask, lease);
		check_eq(acts == DHCP_SEND, ip == OURS || ((ip == 0x0a0000ff || ip == 0x0a000000) &&
							   (mask >= 0xfffffffe ||
							    (mask != MASK24 && ip == 0x0a0000ff))));
		if (acts == DHCP_SEND) {
			m = answer(DHCP4_ACK);
			m.yiaddr = ip;
			m.mask = mask;
			m.lease = lease;
			m.t1 = times[n / 270 % 4];
			m.t2 = times[n / 1080 % 4];
			check_eq(hear(&m) == DHCP_TAKE, lease != 0);
		}
		if (c->lease.ip) {
			uint32_t rest = ~c->lease.mask;

			check((rest & (rest + 1)) == 0 && c->lease.mask != 0);
			check(c->lease.t1_at <= c->lease.t2_at);
			check(c->lease.t2_at <= c->lease.expires_at);
			check(lease == DHCP_FOREVER || c->timer.at > now());
		}
		end();
	}
}

/* 4.1: unicast may come before we have an address, but only what we wait for. */
static void unicast_is_awaited(void)
{
	begin(1000);
	check(!dhcp4_awaits(c, OURS));
	go_to(DHCP4_SELECTING);
	check(dhcp4_awaits(c, OURS) && !dhcp4_awaits(c, 0x7f000001) && !dhcp4_awaits(c, 0));
	hear_type(DHCP4_OFFER);
	check(dhcp4_awaits(c, OURS) && !dhcp4_awaits(c, OURS + 1));
	hear_type(DHCP4_ACK);
	check(!dhcp4_awaits(c, OURS));
	end();
}

static const struct test tests[] = {
	TEST(forgeries_change_nothing),
	TEST(an_answer_without_identity),
	TEST(leases_that_cannot_be),
	TEST(unicast_is_awaited),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
