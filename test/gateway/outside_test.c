/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outside_test.c - where on the host a destination leads: itself, the loopback, or nowhere.
 */
#include "test.h"

#include "../../host/gateway/gateway_impl.h"

static void destinations(void)
{
	static const struct {
		const char *to, *leads; /* NULL: nowhere */
	} cases[] = {
		{ "192.0.2.7", "192.0.2.7" },
		{ "2001:db8::7", "2001:db8::7" },
		{ "10.0.2.15", "10.0.2.15" },
		/* its own */
		{ "10.0.2.2", "127.0.0.1" },
		{ "fd00:2::2", "::1" },
		/* the loopback by other names */
		{ "127.0.0.1", NULL },
		{ "127.255.255.254", NULL },
		{ "0.0.0.0", NULL },
		{ "0.0.0.1", NULL },
		{ "::", NULL },
		{ "::1", NULL },
		{ "::ffff:127.0.0.1", NULL },
		{ "::ffff:192.0.2.7", NULL },
		/* many */
		{ "224.0.0.1", NULL },
		{ "239.255.255.255", NULL },
		{ "255.255.255.255", NULL },
		{ "ff02::1", NULL },
	};
	static struct gateway gate;

	check_eq(tern_addr_parse("10.0.2.2", 0, &gate.wish.addr), 0);
	check_eq(tern_addr_parse("fd00:2::2", 0, &gate.wish.addr6), 0);
	for (unsigned i = 0; i < 2 * N_ELEMENTS(cases); i++) {
		struct tern_addr to, out;
		char text[TERN_ADDR_TEXT_MAX];
		const char *leads = cases[i / 2].leads;
		bool ok;

		test_at("%s, no_loopback %u", cases[i / 2].to, i & 1);
		gate.wish.no_loopback = i & 1;
		check_eq(tern_addr_parse(cases[i / 2].to, 80, &to), 0);
		if (gate.wish.no_loopback && is_own_address(&gate, &to))
			leads = NULL;
		ok = outside_of(&gate, &to, &out);
		check_eq(ok, leads != NULL);
		if (!ok || !leads)
			continue;
		check_str(tern_addr_format(&out, false, text), leads);
		check_eq(out.port, 80);
	}
}

/* An own address that was not wished for is nobody's. */
static void no_own_address_is_no_address(void)
{
	static const struct gateway gate;
	struct tern_addr none = { .family = TERN_AF_INET }, none6 = { .family = TERN_AF_INET6 };

	check(!is_own_address(&gate, &none));
	check(!is_own_address(&gate, &none6));
}

static const struct test tests[] = { TEST(destinations), TEST(no_own_address_is_no_address) };

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
