/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp4_inform_test.c - core/net/dhcp4.c: a client whose address the user has given (RFC 2131 3.4).
 */
#include "dhcp4_fixture.h"

/* Nothing is asked for before there is an address to ask with, nor after. */
static void an_address_begins_it(void)
{
	begin(0);
	begin_informing(10000);
	check(!timer_armed(&c->timer));
	check_eq(dhcp4_on_own_address(&f.net, c, 0), DHCP_NOTHING);
	check(!timer_armed(&c->timer));
	check_eq(dhcp4_on_own_address(&f.net, c, OURS), DHCP_NOTHING);
	check(c->timer.at >= now() + TERN_SEC && c->timer.at <= now() + 10 * TERN_SEC);
	check_eq(wait_for_timer(), DHCP_SEND);
	check_eq(c->state, DHCP4_INFORMING);
	check_eq(dhcp4_on_own_address(&f.net, c, OURS), DHCP_NOTHING); /* no news */
	check_eq(c->state, DHCP4_INFORMING);
	check_eq(dhcp4_on_own_address(&f.net, c, OURS + 1), DHCP_NOTHING); /* that is */
	check_eq(c->state, DHCP4_INIT);
	check_eq(wait_for_timer(), DHCP_SEND);
	check_eq(sent.ciaddr, OURS + 1);
	check_eq(dhcp4_on_own_address(&f.net, c, 0), DHCP_DROP);
	check(!timer_armed(&c->timer));
	end();
}

/* One that leases does not care. */
static void who_leases_has_no_own_address(void)
{
	begin(1000);
	go_to(DHCP4_SELECTING);
	check_eq(dhcp4_on_own_address(&f.net, c, OURS), DHCP_NOTHING);
	check(c->state == DHCP4_SELECTING && c->own == 0);
	end();
}

/* RFC 2131 4.4.3, tables 3 and 5. */
static void what_it_says(void)
{
	begin(0);
	go_to(DHCP4_INFORMING);
	check_eq(sent.type, DHCP4_INFORM);
	check(!sent.is_reply && !sent.broadcast);
	check_eq(sent.ciaddr, OURS);
	check_eq(path.src, OURS);
	check_eq(path.dst, 0xffffffff);
	check(sent.yiaddr == 0 && sent.requested == 0 && sent.server == 0 && sent.lease == 0);
	check_eq(sent.client_id.len, c->client_id.len);
	check_mem(sent.mac, c->mac, 6);
	check_eq(sent.max_len, 1500);
	check(sent.asked.len > 5);
	for (unsigned i = 0; i < sent.asked.len; i++)
		check(sent.asked.b[i] != DHCP4_OPT_T1 && sent.asked.b[i] != DHCP4_OPT_T2 &&
		      sent.asked.b[i] != DHCP4_OPT_LEASE);
	end();
}

/* 4.4.3: four times; then once an hour, four times each. */
static void nobody_answers(void)
{
	static const unsigned seconds[] = { 4, 8, 16, 32 };

	begin(0);
	go_to(DHCP4_INFORMING);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 4; i++) {
			tern_time wait = c->timer.at - now();

			check(wait >= (seconds[i] - 1) * TERN_SEC);
			check(wait <= (seconds[i] + 1) * TERN_SEC);
			check_eq(wait_for_timer(), i < 3 ? DHCP_SEND : DHCP_NOTHING);
			check_eq(sent.type, DHCP4_INFORM);
		}
		check_eq(c->state, DHCP4_INIT);
		check_eq(c->timer.at - now(), 3600 * TERN_SEC);
		check_eq(wait_for_timer(), DHCP_SEND);
	}
	end();
}

/* 4.3.5: an address and times do not belong there, and say nothing. */
static void an_answer_is_taken_once(void)
{
	for (int fills_in = 0; fills_in < 2; fills_in++) {
		struct dhcp4 m;

		begin(0);
		go_to(DHCP4_INFORMING);
		m = information();
		m.routers = (struct dhcp4_addrs){ 1, { SERVER } };
		if (fills_in) {
			m.yiaddr = OURS + 7;
			m.lease = 3600;
			m.ciaddr = 0;
		}
		check_eq(hear(&m), DHCP_TAKE);
		check(c->state == DHCP4_INFORMED && c->lease.ip == 0);
		check(c->lease.routers.n == 1 && c->lease.routers.ip[0] == SERVER);
		check_eq(hear(&m), DHCP_NOTHING);
		check_eq(c->timer.at - now(), 86400 * TERN_SEC);
		check_eq(wait_for_timer(), DHCP_SEND);
		check(sent.type == DHCP4_INFORM && c->state == DHCP4_INFORMING);
		end();
	}
}

static void what_is_no_answer(void)
{
	struct dhcp4 m;

	begin(0);
	go_to(DHCP4_INFORMING);
	m = information();
	m.ciaddr = OURS + 1;
	check_eq(hear(&m), DHCP_NOTHING);
	check_eq(hear_type(DHCP4_OFFER), DHCP_NOTHING);
	check_eq(hear_type(DHCP4_NAK), DHCP_NOTHING);
	check_eq(c->state, DHCP4_INFORMING);
	end();
}

static void the_link_goes_and_comes(void)
{
	begin(0);
	go_to(DHCP4_INFORMED);
	check_eq(dhcp4_on_link(&f.net, c, false), DHCP_NOTHING);
	check(!timer_armed(&c->timer));
	check_eq(dhcp4_on_own_address(&f.net, c, OURS + 1), DHCP_NOTHING);
	check(!timer_armed(&c->timer));
	check_eq(dhcp4_on_link(&f.net, c, true), DHCP_NOTHING);
	check_eq(wait_for_timer(), DHCP_SEND);
	check_eq(sent.ciaddr, OURS + 1);
	check_eq(dhcp4_on_own_address(&f.net, c, 0), DHCP_DROP);
	check_eq(dhcp4_on_link(&f.net, c, false), DHCP_NOTHING);
	check_eq(dhcp4_on_link(&f.net, c, true), DHCP_NOTHING);
	check(!timer_armed(&c->timer));
	end();
}

/* There is nothing to release. */
static void it_ends_in_silence(void)
{
	begin(0);
	go_to(DHCP4_INFORMED);
	check_eq(dhcp4_end(&f.net, c), DHCP_DROP);
	check(!timer_armed(&c->timer));
	end();
}

static const struct test tests[] = {
	TEST(an_address_begins_it),
	TEST(who_leases_has_no_own_address),
	TEST(what_it_says),
	TEST(nobody_answers),
	TEST(an_answer_is_taken_once),
	TEST(what_is_no_answer),
	TEST(the_link_goes_and_comes),
	TEST(it_ends_in_silence),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
