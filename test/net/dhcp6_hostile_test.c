/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp6_hostile_test.c - core/net/dhcp6.c: forged answers change nothing, leases that cannot be are
 * not taken.
 */
#include "dhcp6_fixture.h"

static void spoil(struct dhcp6 *m, unsigned how)
{
	switch (how) {
	case 0:
		m->xid ^= 0x800000;
		break;
	case 1:
		m->client.b[9] ^= 1;
		break;
	case 2:
		m->client.len = 0;
		break;
	case 3:
		m->server.len = 0;
		break;
	case 4:
		m->server.b[3] ^= 1;
		break;
	case 5:
		m->ia.iaid ^= 1;
		break;
	case 6:
		m->ia.is_there = false;
		break;
	}
}

/* Which of these are good all the same: what the state takes from any server, or without an IA. */
static bool is_good_anyhow(unsigned state, unsigned how)
{
	if (how == 7)
		return true;
	if (state == DHCP6_CONFIRMING || state == DHCP6_DECLINING || state == DHCP6_INFORMING)
		return how >= 4;
	return how == 4 && (state == DHCP6_REBINDING || state == DHCP6_SOLICITING);
}

static void forgeries_change_nothing(void)
{
	for (unsigned state = 0; state < DHCP6_N_STATES; state++) {
		for (unsigned type = DHCP6_SOLICIT; type <= DHCP6_INFORM; type++) {
			for (unsigned how = 0; how < 8; how++) {
				bool waits = state != DHCP6_OFF && state != DHCP6_BOUND &&
					     state != DHCP6_INFORMED;
				bool fits = state == DHCP6_SOLICITING ?
						    type == DHCP6_ADVERTISE :
						    waits && type == DHCP6_REPLY;
				struct dhcp6_client before;
				struct dhcp6 m;

				begin();
				go_to((enum dhcp6_state)state);
				m = answer((enum dhcp6_type)type);
				spoil(&m, how);
				before = *c;
				test_at("state %u, type %u, spoiled %u", state, type, how);
				if (!fits || !is_good_anyhow(state, how)) {
					check_eq(dhcp6_input(&f.net, c, &m), DHCP_NOTHING);
					check_mem(c, &before, sizeof(before));
				} else {
					dhcp6_input(&f.net, c, &m);
					check(memcmp(c, &before, sizeof(before)) != 0);
				}
				end();
			}
		}
	}
}

/* Addresses, lifetimes and times that cannot be: the reply is as if it were lost. */
static void leases_that_cannot_be(void)
{
	static const struct {
		struct addr addr;
		uint32_t preferred, valid, t1, t2;
		bool good;
	} rows[] = {
		{ { { 0xfd, [15] = 5 } }, 500, 1000, 0, 0, true },
		{ { { 0xfd, [15] = 5 } }, 1000, 1000, 0, 0, true },
		{ { { 0xfd, [15] = 5 } }, 0, 1, 0, 0, true },
		{ { { 0xfd, [15] = 5 } }, 1001, 1000, 0, 0, false },
		{ { { 0xfd, [15] = 5 } }, 0, 0, 0, 0, false },
		{ { { 0xfd, [15] = 5 } }, 500, 1000, 200, 100, false },
		{ { { 0xfd, [15] = 5 } }, 500, 1000, 0xffffffff, 1, false },
		{ { { 0xfd, [15] = 5 } }, 500, 1000, 2000, 3000, true },
		{ { { 0 } }, 500, 1000, 0, 0, false },
		{ { { [15] = 1 } }, 500, 1000, 0, 0, false },
		{ { { 0xff, 2, [15] = 1 } }, 500, 1000, 0, 0, false },
		{ { { 0xfe, 0x80, [15] = 1 } }, 500, 1000, 0, 0, false },
		{ { { [10] = 0xff, 0xff, 10, 0, 0, 1 } }, 500, 1000, 0, 0, false },
	};

	for (size_t i = 0; i < N_TESTS(rows); i++) {
		struct dhcp6 m;

		begin();
		go_to(DHCP6_REQUESTING);
		m = answer(DHCP6_REPLY);
		m.ia.t1 = rows[i].t1;
		m.ia.t2 = rows[i].t2;
		m.ia.addr[0] = (struct dhcp6_addr){ .addr = rows[i].addr,
						    .preferred = rows[i].preferred,
						    .valid = rows[i].valid };
		test_at("row %zu", i);
		check_eq(hear(&m), rows[i].good ? DHCP_TAKE : DHCP_NOTHING);
		check(!rows[i].good || c->timer.at > now());
		end();
	}
}

/* Only the good ones of several are taken. */
static void addresses_one_by_one(void)
{
	struct dhcp6 m;

	begin();
	go_to(DHCP6_REQUESTING);
	m = answer(DHCP6_REPLY);
	m.ia.n = DHCP6_ADDRS_MAX;
	for (unsigned i = 1; i < DHCP6_ADDRS_MAX; i++) {
		m.ia.addr[i] = m.ia.addr[0];
		m.ia.addr[i].addr.b[15] = (uint8_t)(5 + i);
	}
	m.ia.addr[0].status = DHCP6_NOT_ON_LINK;
	m.ia.addr[2].valid = m.ia.addr[2].preferred = 0;
	m.ia.addr[3].valid = 2000;
	check_eq(hear(&m), DHCP_TAKE);
	check_eq(c->lease.n, 2);
	check(c->lease.addr[0].addr.b[15] == 6 && c->lease.addr[1].addr.b[15] == 8);
	check_eq(c->lease.valid_until, now() + 2000 * TERN_SEC);
	end();
}

/* A server that takes back each time: it is asked more and more seldom. */
static void failures_slow_it_down(void)
{
	tern_time last = 0;

	begin();
	go_to(DHCP6_REQUESTING);
	for (int i = 0; i < 9; i++) {
		tern_time wait;
		struct dhcp6 m = answer(DHCP6_REPLY);

		m.ia.status = DHCP6_NO_ADDRS_AVAIL;
		check_eq(hear(&m), DHCP_NOTHING);
		check_eq(c->state, DHCP6_SOLICITING);
		wait = c->timer.at - now();
		test_at("failure %d", i);
		check(wait >= TERN_SEC << MIN(i, 6) &&
		      wait < (TERN_SEC << MIN(i, 6)) + 2 * TERN_SEC);
		check(i < 2 || i > 6 || wait > last);
		last = wait;
		wait_for_timer();
		m = answer(DHCP6_ADVERTISE);
		m.preference = 255;
		check_eq(hear(&m), DHCP_SEND);
	}
	end();
}

static const struct test tests[] = {
	TEST(forgeries_change_nothing),
	TEST(leases_that_cannot_be),
	TEST(addresses_one_by_one),
	TEST(failures_slow_it_down),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
