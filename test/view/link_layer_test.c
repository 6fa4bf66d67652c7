/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link_layer_test.c - where the IP packet begins, for each kind of frame; cut at every byte.
 */
#include "../../view/link_layer.h"
#include "test.h"

static const struct row {
	const char *name;
	uint32_t type;
	const char *bytes; /* up to and with the first byte of IP */
	enum link_verdict verdict;
} rows[] = {
	{ "Ethernet, IPv4", 1, "020000000002 020000000001 0800 45", LINK_IP },
	{ "Ethernet, IPv6", 1, "020000000002 020000000001 86dd 60", LINK_IP },
	{ "Ethernet, ARP", 1, "020000000002 020000000001 0806 00", LINK_OTHER },
	{ "Ethernet, IPv4 type, no IP", 1, "020000000002 020000000001 0800 15", LINK_OTHER },
	{ "one VLAN tag", 1, "020000000002 020000000001 8100 0001 0800 45", LINK_IP },
	{ "two VLAN tags", 1, "020000000002 020000000001 88a8 0001 8100 0002 86dd 60", LINK_IP },
	{ "an old tag before another", 1, "020000000002 020000000001 9100 0001 8100 0002 0800 45",
	  LINK_IP },
	{ "a tag, then ARP", 1, "020000000002 020000000001 8100 0001 0806 00", LINK_OTHER },
	{ "PPPoE", 1, "020000000002 020000000001 8864 1100 0001 0016 0021 45", LINK_IP },
	{ "PPPoE, no IP", 1, "020000000002 020000000001 8864 1100 0001 0016 c021 01", LINK_OTHER },
	{ "cooked", 113, "0000 0001 0006 0200000000010000 0800 45", LINK_IP },
	{ "cooked, a tag", 113, "0000 0001 0006 0200000000010000 8100 0007 86dd 60", LINK_IP },
	{ "cooked 2", 276, "0800 0000 00000002 0001 00 06 0200000000010000 45", LINK_IP },
	{ "cooked 2, ARP", 276, "0806 0000 00000002 0001 00 06 0200000000010000 00", LINK_OTHER },
	{ "loopback, little-endian", 0, "02000000 45", LINK_IP },
	{ "loopback, big-endian", 0, "00000002 45", LINK_IP },
	{ "loopback, IPv6 of FreeBSD", 0, "1c000000 60", LINK_IP },
	{ "loopback, IPv6 of macOS", 0, "1e000000 60", LINK_IP },
	{ "loopback, something else", 0, "07000000 45", LINK_OTHER },
	{ "loopback of OpenBSD", 108, "00000018 60", LINK_IP },
	{ "raw IPv4", 101, "45", LINK_IP },
	{ "raw IPv6", 101, "60", LINK_IP },
	{ "raw, no IP", 101, "00", LINK_OTHER },
	{ "raw of BSD", 12, "45", LINK_IP },
	{ "raw of OpenBSD", 14, "45", LINK_IP },
	{ "IPv4 only", 228, "45", LINK_IP },
	{ "IPv6 only", 229, "60", LINK_IP },
	{ "802.11", 105, "0800", LINK_UNKNOWN },
};

static size_t read_bytes(const char *text, uint8_t *out)
{
	size_t n = 0;
	unsigned byte;

	for (; *text; text++) {
		if (*text == ' ')
			continue;
		sscanf(text, "%2x", &byte);
		out[n++] = (uint8_t)byte;
		text++;
	}
	return n;
}

static void finds_the_packet(void)
{
	for (size_t i = 0; i < N_TESTS(rows); i++) {
		uint8_t bytes[64];
		size_t n = read_bytes(rows[i].bytes, bytes), offset = 99;

		test_at("%s", rows[i].name);
		check_eq(link_find_ip(rows[i].type, bytes, n, &offset), rows[i].verdict);
		if (rows[i].verdict == LINK_IP)
			check_eq(offset, n - 1);
	}
}

static void a_cut_frame_is_cut(void)
{
	for (size_t i = 0; i < N_TESTS(rows); i++) {
		uint8_t bytes[64];
		size_t n = read_bytes(rows[i].bytes, bytes), offset;

		if (rows[i].verdict != LINK_IP)
			continue;
		for (size_t kept = 0; kept < n; kept++) {
			test_at("%s, %zu bytes", rows[i].name, kept);
			check_eq(link_find_ip(rows[i].type, bytes, kept, &offset), LINK_CUT);
		}
	}
}

static void tags_do_not_go_on_for_ever(void)
{
	uint8_t bytes[14 + 4 * 20 + 1] = { 0 };
	size_t offset;

	for (size_t at = 12; at + 4 < sizeof(bytes); at += 4)
		bytes[at] = 0x81;
	check_eq(link_find_ip(1, bytes, sizeof(bytes), &offset), LINK_OTHER);
}

static const struct test tests[] = {
	TEST(finds_the_packet),
	TEST(a_cut_frame_is_cut),
	TEST(tags_do_not_go_on_for_ever),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
