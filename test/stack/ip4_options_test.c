/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip4_options_test.c - options of IPv4 headers: SEC-20, SEC-21, RFC 1122 3.2.1.8. An echo request
 * with any of them is answered without any, refused, or told to be malformed.
 */
#include "peer_fixture.h"

enum { ECHO_LEN = 16 };

static void put_echo(const uint8_t *options, uint8_t len)
{
	struct ip4 ip = { .ttl = 9,
			  .proto = 1,
			  .hdr_len = (uint8_t)(20 + len),
			  .total_len = (uint16_t)(20 + len + ECHO_LEN),
			  .src = parse_addr("10.0.0.9"),
			  .dst = parse_addr("10.0.0.1"),
			  .options = len ? options : NULL };
	struct tern_pkt *p = tern_pkt_new(st, ip.total_len);
	uint8_t echo[ECHO_LEN] = { 8 };

	put_be16(echo + 2, checksum_finish(checksum_add(echo, ECHO_LEN, 0)));
	ip4_emit(&ip, p->data);
	memcpy(p->data + ip.hdr_len, echo, ECHO_LEN);
	p->ifindex = 2;
	tern_input(st, p);
	tern_check(st);
}

/* The type of the ICMP message that goes out, to the sender and nobody else; -1: none. */
static int answer(uint8_t *pointer)
{
	uint8_t buf[200];
	uint32_t len = next_out(buf, sizeof(buf));
	struct addr peer = parse_addr("10.0.0.9"), to;

	if (!len)
		return -1;
	check_eq(buf[0], 0x45); /* no options of ours */
	to = addr_from4(buf + 16);
	check(addr_equal(&to, &peer));
	*pointer = buf[24];
	return buf[20];
}

static void known_ones(void)
{
	static const struct {
		uint8_t bytes[12];
		int type;
		uint8_t pointer;
	} cases[] = {
		{ { 1, 1, 1, 0 }, 0, 0 },
		{ { 0x5a, 4, 1, 2 }, 0, 0 },		   /* nobody knows it */
		{ { 7, 7, 4, 0, 0, 0, 0, 0 }, 0, 0 },	   /* record route: not recorded */
		{ { 148, 4, 0, 0 }, 0, 0 },		   /* router alert */
		{ { 131, 7, 4, 192, 0, 2, 1, 0 }, -1, 0 }, /* loose source route */
		{ { 137, 7, 4, 192, 0, 2, 1, 0 }, -1, 0 }, /* strict */
		{ { 1, 131, 3, 4, 137, 3, 4, 0 }, -1, 0 }, /* two */
		{ { 0x5a, 0, 0, 0 }, 12, 21 },		   /* no length */
		{ { 0x5a, 1, 0, 0 }, 12, 21 },
		{ { 1, 0x5a, 40, 0 }, 12, 22 }, /* longer than the header */
		{ { 1, 1, 1, 0x5a }, 12, 24 },	/* without its length */
	};

	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		uint8_t pointer = 0;

		test_at("case %zu", i);
		new_stack(1);
		put_echo(cases[i].bytes, 12);
		check_eq(answer(&pointer), cases[i].type);
		if (cases[i].type == 12)
			check_eq(pointer, cases[i].pointer);
		end_stack();
	}
}

/* Every kind and length at every place of four bytes: nothing breaks, nobody else is answered. */
static void every_one(void)
{
	uint8_t pointer;

	new_stack(1);
	for (unsigned kind = 0; kind < 256; kind++) {
		for (unsigned len = 0; len < 256; len++) {
			uint8_t options[40] = { 1, (uint8_t)kind, (uint8_t)len, 4, 192, 0, 2, 1 };

			put_echo(options, (uint8_t)(4 + 4 * (len % 10)));
			while (answer(&pointer) >= 0)
				continue;
		}
	}
	end_stack();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = { TEST(known_ones), TEST(every_one) };

	return test_main(argc, argv, tests, N_TESTS(tests));
}
