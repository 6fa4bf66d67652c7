/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nd_test.c - solicitations and advertisements of neighbours on the wire: which are heard, which are
 * answered and how, what is sent: RFC 4861 7.
 */
#include "advert_fixture.h"

static const struct speaker peer = { "fe80::9", { 2, 0, 0, 0, 2, 9 } };
static const char ours[] = "fe80::1111", group[] = "ff02::1:ff00:1111";

static void begin_static(void)
{
	struct tern_addr a;

	begin();
	check_eq(tern_auto_set(st, 2, 0), 0);
	tern_addr_parse(ours, 0, &a);
	check_eq(tern_addr_add(st, 2, &a, 64), 0);
	pass(3 * TERN_SEC);
	count_out(0);
}

static struct message solicit(const char *target, const uint8_t *mac)
{
	struct ndp ask = { .type = ICMP6_NEIGH_SOLICIT, .target = parse(target), .has_mac = mac };
	struct message m = { .to = group };

	if (mac)
		memcpy(ask.mac, mac, 6);
	m.len = (uint32_t)ndp_emit(&ask, m.bytes);
	return m;
}

/* What makes any message of these malformed: kinds 1 to 6. Others change nothing. */
static void spoil(struct message *m, int wrong)
{
	switch (wrong) {
	case 1:
		m->hop_limit = 254;
		break;
	case 2:
		m->bad_sum = true;
		break;
	case 3:
		m->bytes[1] = 1;
		break;
	case 4:
		m->len = 23;
		break;
	case 5:
		memcpy(m->bytes + 8, parse("ff02::1").b, 16);
		break;
	case 6:
		m->bytes[25] = 0; /* an option of no length */
		break;
	default:
		break;
	}
}

/* ND-1, ND-6, ND-12: what is wrong with it is silence, and nobody is remembered. */
static void malformed_solicitations(void)
{
	static const struct speaker nobody = { "::", { 2, 0, 0, 0, 2, 8 } };

	for (int wrong = 0; wrong < 10; wrong++) {
		struct message m = solicit(ours, peer.mac);
		const struct speaker *from = &peer;
		struct tern_neigh n;

		test_at("wrong: %d", wrong);
		begin_static();
		spoil(&m, wrong);
		switch (wrong) {
		case 7: /* from nobody, with an address all the same */
			from = &nobody;
			break;
		case 8: /* from nobody, to one */
			m = solicit(ours, NULL);
			m.to = ours;
			from = &nobody;
			break;
		case 9:
			m = solicit("fe80::2222", peer.mac); /* not ours */
			break;
		default:
			break;
		}
		put(from, &m);
		check_eq(count_out(ICMP6_NEIGH_ADVERT), wrong == 0);
		check_eq(remembered(peer.ip, &n), wrong == 0);
		end();
	}
}

/* RFC 6980: a solicitation with a fragment header, though it is whole, is not heard. */
static void in_a_fragment(void)
{
	static const uint8_t atomic[8] = { 58, 0, 0, 0, 0, 0, 0, 7 };

	for (int cut = 0; cut < 2; cut++) {
		struct message m = solicit(ours, peer.mac);
		struct addr from = parse(peer.ip), to = parse(group);
		uint32_t extra = cut ? sizeof(atomic) : 0;
		struct tern_pkt *p;
		struct ip6 ip = { .next_header = cut ? IP6_EXT_FRAGMENT : 58,
				  .hop_limit = 255,
				  .payload_len = (uint16_t)(m.len + extra),
				  .src = from,
				  .dst = to };
		struct eth eth = { .dst = { 0x33, 0x33, 0xff, 0, 0x11, 0x11 }, .type = ETH_IP6 };

		begin_static();
		p = tern_pkt_new(st, 54 + extra + m.len);
		memcpy(eth.src, peer.mac, 6);
		eth_emit(&eth, p->data);
		ip6_emit(&ip, p->data + 14);
		memcpy(p->data + 54, atomic, extra);
		put_be16(m.bytes + 2, 0);
		put_be16(m.bytes + 2,
			 checksum_finish(checksum_add(m.bytes, m.len,
						      checksum_pseudo(&from, &to, 58, m.len))));
		memcpy(p->data + 54 + extra, m.bytes, m.len);
		p->ifindex = 2;
		tern_input(st, p);
		check_eq(count_out(ICMP6_NEIGH_ADVERT), !cut);
		end();
	}
}

/* ND-13, ND-14: who asks is remembered as STALE, and answered alone; who has no address, all are. */
static void answers(void)
{
	static const struct speaker nobody = { "::", { 2, 0, 0, 0, 2, 8 } };
	struct addr asker = parse(peer.ip), all = parse("ff02::1"), target = parse(ours);

	for (int from_nobody = 0; from_nobody < 2; from_nobody++) {
		struct message m = solicit(ours, from_nobody ? NULL : peer.mac);
		struct tern_neigh n;
		struct heard h;

		begin_static();
		put(from_nobody ? &nobody : &peer, &m);
		check(hear(&h));
		check_eq(h.type, ICMP6_NEIGH_ADVERT);
		check_eq(h.hop_limit, 255);
		check(addr_equal(&h.src, &target) && addr_equal(&h.target, &target));
		check(addr_equal(&h.dst, from_nobody ? &all : &asker));
		check_eq(h.message[4],
			 from_nobody ? 0x20 : 0x60); /* override; solicited; no router */
		check_eq(h.len, 32);
		check_mem(h.message + 26, our_mac, 6);
		check_eq(remembered(peer.ip, &n), !from_nobody);
		if (!from_nobody)
			check_eq(n.state, TERN_NEIGH_STALE);
		end();
	}
}

static struct message advertise(uint8_t flags, bool has_mac)
{
	struct ndp say = { .type = ICMP6_NEIGH_ADVERT,
			   .router = flags & 0x80,
			   .solicited = flags & 0x40,
			   .override = flags & 0x20,
			   .target = parse(peer.ip),
			   .has_mac = has_mac };
	struct message m = { .to = ours };

	memcpy(say.mac, peer.mac, 6);
	m.len = (uint32_t)ndp_emit(&say, m.bytes);
	return m;
}

/*
 * ND-2, ND-5: an advertisement that is wrong in one way tells nothing; the right one does. ND-8,
 * ND-10, ND-11: what is asked, how often, who waits, and what they hear in the end.
 */
static void asking(void)
{
	struct addr solicited = parse("ff02::1:ff00:9"), us = parse(ours);

	for (int wrong = 0; wrong < 8; wrong++) {
		struct message m = advertise(0x60, true);
		struct tern_addr to;
		struct tern_neigh n;
		struct heard h;
		int32_t one = 1;
		char c;
		tern_sock s;

		test_at("wrong: %d", wrong);
		begin_static();
		tern_addr_parse("fe80::9%2", 9, &to);
		check_eq(tern_socket(st, TERN_AF_INET6, TERN_SOCK_DGRAM, 0, &s), 0);
		check_eq(tern_setsockopt(st, s, TERN_IPPROTO_IPV6, TERN_IPV6_RECVERR, &one, 4), 0);
		check_eq(tern_connect(st, s, &to), 0);
		check_eq(tern_send(st, s, "x", 1, 0), 1);
		check(hear(&h));
		check_eq(h.type, ICMP6_NEIGH_SOLICIT);
		check(addr_equal(&h.dst, &solicited) && addr_equal(&h.src, &us));
		check_eq(h.len, 32);
		check_mem(h.message + 26, our_mac, 6);
		spoil(&m, wrong);
		if (wrong == 7) /* solicited, to everybody */
			m.to = NULL;
		put(&peer, &m);
		check(remembered(peer.ip, &n));
		check_eq(n.state, wrong ? TERN_NEIGH_INCOMPLETE : TERN_NEIGH_REACHABLE);
		pass(10 * TERN_SEC);
		check_eq(count_out(ICMP6_NEIGH_SOLICIT), wrong ? 2 : 0); /* three in all */
		check_eq(tern_recv(st, s, &c, 1, 0), wrong ? -TERN_EHOSTUNREACH : -TERN_EAGAIN);
		check_eq(remembered(peer.ip, &n), !wrong);
		end();
	}
}

/* ND-15: an advertisement of somebody whom nobody asked for is not remembered. */
static void strangers(void)
{
	struct message m = advertise(0x20, true);
	struct tern_neigh n;

	begin_static();
	put(&peer, &m);
	check(!remembered(peer.ip, &n));
	end();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = { TEST(malformed_solicitations), TEST(answers),
					     TEST(in_a_fragment), TEST(asking), TEST(strangers) };

	return test_main(argc, argv, tests, N_TESTS(tests));
}
