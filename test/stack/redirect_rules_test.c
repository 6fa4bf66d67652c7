/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redirect_rules_test.c - ICMPv4 redirects: which are heard, what they change, for how long. RFC
 * 1122 3.2.2.2. Those of neighbour discovery are in nd_router_rules_test.c and router_test.c.
 *
 * The host is 10.0.0.1/24. Gateways are 10.0.0.9 (that of its default route), .10 and .11, whose
 * link addresses end in the same number.
 */
#include "inet_fixture.h"

static const char far_away[] = "192.0.2.7";

static void know_gateway(const char *ip, uint8_t number)
{
	struct tern_neigh n = { .ifindex = 2, .mac = { 2, 0, 0, 0, 0, number } };

	tern_addr_parse(ip, 0, &n.addr);
	check_eq(tern_neigh_add(st, &n), 0);
}

static void begin_redirected(const char *accept)
{
	new_ethernet(24, true);
	know_gateway("10.0.0.10", 10);
	know_gateway("10.0.0.11", 11);
	add_route("0.0.0.0", 0, "10.0.0.9", 0);
	check_eq(tern_sysctl_set(st, "net.ipv4.conf.accept_redirects", accept), 0);
}

/* A redirect, and the packet that it says caused it. */
struct redirected {
	const char *by, *from, *to, *gateway;
	uint8_t code;
	const char *sent_to; /* NULL: to us */
};

static void hear(const struct redirected *r)
{
	struct addr gateway = parse_addr(r->gateway);
	struct ip4 ip = { .ttl = 60, .proto = UDP, .hdr_len = 20, .total_len = 50 };
	struct packet p = { .src = r->by, .dst = r->sent_to };
	uint8_t quoted[28] = { 0 };
	struct icmp h = { .type = ICMP4_REDIRECT, .code = r->code };

	ip.src = parse_addr(r->from);
	ip.dst = parse_addr(r->to);
	ip4_emit(&ip, quoted);
	h.rest = get_be32(gateway.b + 12);
	fill_icmp(&p, &h, quoted, sizeof(quoted));
	put_packet(&p);
}

/* The number of the gateway that the next IPv4 packet goes to; reports of groups are passed over. */
static int next_way(void)
{
	uint8_t frame[100] = { 0 };

	while (next_out(frame, sizeof(frame)))
		if (get_be16(frame + 12) == ETH_IP4 && !(frame[0] & 1))
			return frame[5];
	return -1;
}

/* The number of the gateway that a datagram to there goes by. */
static int way_to(const char *to)
{
	tern_sock s = open_socket("0.0.0.0", 0, TERN_SOCK_DGRAM, 0);
	int way;

	check_eq(send_to(s, to, 9, "x", 1), 1);
	way = next_way();
	tern_close(st, s);
	return way;
}

static const struct redirected good = { "10.0.0.9", "10.0.0.1", far_away, "10.0.0.10", 1, NULL };

/* Each code means the host; others stay as they were. */
static void followed(void)
{
	for (uint8_t code = 0; code < 4; code++) {
		struct redirected r = good;

		test_at("code %u", code);
		begin_redirected("1");
		check_eq(way_to(far_away), 9);
		r.code = code;
		hear(&r);
		check_eq(way_to(far_away), 10);
		check_eq(way_to("192.0.2.8"), 9);
		check_eq(count_out(), 0);
		end_stack();
	}
}

/* What is open goes the new way from its next packet on. */
static void connections_follow(void)
{
	tern_sock s;

	begin_redirected("1");
	s = open_socket("0.0.0.0", 0, TERN_SOCK_STREAM, 0);
	check_eq(connect_to(s, far_away, 80), -TERN_EINPROGRESS);
	check_eq(next_way(), 9);
	hear(&good);
	pass(2 * TERN_SEC);
	check_eq(next_way(), 10);
	end_stack();
}

/* Each is good but for one thing. */
static void ignored(void)
{
	static const struct {
		const char *what;
		struct redirected r;
	} cases[] = {
		{ "another gateway's",
		  { "10.0.0.11", "10.0.0.1", far_away, "10.0.0.10", 1, NULL } },
		{ "its destination's", { far_away, "10.0.0.1", far_away, "10.0.0.10", 1, NULL } },
		{ "a stranger's packet",
		  { "10.0.0.9", "10.0.0.2", far_away, "10.0.0.10", 1, NULL } },
		{ "beyond the link", { "10.0.0.9", "10.0.0.1", far_away, "10.0.1.10", 1, NULL } },
		{ "to ourselves", { "10.0.0.9", "10.0.0.1", far_away, "10.0.0.1", 1, NULL } },
		{ "to all", { "10.0.0.9", "10.0.0.1", far_away, "10.0.0.255", 1, NULL } },
		{ "to a group", { "10.0.0.9", "10.0.0.1", far_away, "224.0.0.1", 1, NULL } },
		{ "an unknown code", { "10.0.0.9", "10.0.0.1", far_away, "10.0.0.10", 4, NULL } },
		{ "told to all",
		  { "10.0.0.9", "10.0.0.1", far_away, "10.0.0.10", 1, "10.0.0.255" } },
	};

	for (size_t i = 0; i < N_TESTS(cases); i++) {
		test_at("%s", cases[i].what);
		begin_redirected("1");
		hear(&cases[i].r);
		check_eq(way_to(far_away), 9);
		end_stack();
	}
}

/* A neighbour has no first hop: what is said in its name leads nobody elsewhere. */
static void of_a_neighbour(void)
{
	begin_redirected("1");
	hear(&(struct redirected){ "10.0.0.11", "10.0.0.1", "10.0.0.11", "10.0.0.10", 1, NULL });
	check_eq(way_to("10.0.0.11"), 11);
	end_stack();
}

/* Cut anywhere, it is not heard. */
static void cut(void)
{
	for (uint32_t len = 0; len < 28; len++) {
		struct packet p = { .src = "10.0.0.9" };
		struct ip4 ip = { .ttl = 60, .proto = UDP, .hdr_len = 20, .total_len = 50 };
		struct icmp h = { .type = ICMP4_REDIRECT, .rest = 0x0a00000a };
		uint8_t quoted[28] = { 0 };

		test_at("%u bytes quoted", len);
		begin_redirected("1");
		ip.src = parse_addr("10.0.0.1");
		ip.dst = parse_addr(far_away);
		ip4_emit(&ip, quoted);
		fill_icmp(&p, &h, quoted, len);
		put_packet(&p);
		check_eq(way_to(far_away), len < 20 ? 9 : 10);
		end_stack();
	}
}

static void only_where_wanted(void)
{
	begin_redirected("0"); /* the default */
	hear(&good);
	check_eq(way_to(far_away), 9);
	check_eq(tern_sysctl_set(st, "net.ipv4.conf.accept_redirects", "1"), 0);
	check_eq(tern_sysctl_set(st, "net.ipv4.ip_forward", "1"), 0);
	hear(&good);
	check_eq(way_to(far_away), 9);
	end_stack();
}

/* Who was redirected may be again, by the gateway that is the first hop now. */
static void redirected_again(void)
{
	struct redirected r = good;

	begin_redirected("1");
	hear(&good);
	r.gateway = "10.0.0.11";
	hear(&r); /* by who is no longer the first hop */
	check_eq(way_to(far_away), 10);
	r.by = "10.0.0.10";
	hear(&r);
	check_eq(way_to(far_away), 11);
	end_stack();
}

/* What the user said wins, and a redirect ends of itself. */
static void how_long(void)
{
	begin_redirected("1");
	hear(&good);
	pass(599 * TERN_SEC);
	check_eq(way_to(far_away), 10);
	pass(2 * TERN_SEC);
	check_eq(way_to(far_away), 9);
	hear(&good);
	add_route(far_away, 32, "10.0.0.11", 0);
	check_eq(way_to(far_away), 11);
	end_stack();
}

/* A gateway that redirects all it sees makes no more routes than the configuration says. */
static void how_many(void)
{
	unsigned cursor = 0, n = 0;
	struct tern_route route;

	begin_redirected("1");
	for (unsigned i = 1; i < 200; i++) {
		char to[20];
		struct redirected r = good;

		snprintf(to, sizeof(to), "198.51.100.%u", i);
		r.to = to;
		hear(&r);
	}
	while (tern_route_next(st, &cursor, &route))
		n += route.origin == TERN_ORIGIN_RA;
	check_eq(n, 16);
	end_stack();
}

/* ICMP-6: a router that sends a packet back by the link it came from says nothing. */
static void never_sent(void)
{
	struct packet p = { .src = "10.0.0.10", .dst = far_away };

	for (int router = 0; router < 2; router++) {
		begin_redirected("1");
		check_eq(tern_sysctl_set(st, "net.ipv4.ip_forward", router ? "1" : "0"), 0);
		for (int i = 0; i < 5; i++) {
			fill_udp(&p, 1, 2, "text", 4);
			put_packet(&p);
			check_eq(next_way(), router ? 9 : -1);
			check_eq(next_way(), -1);
		}
		end_stack();
	}
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(followed),
		TEST(connections_follow),
		TEST(ignored),
		TEST(of_a_neighbour),
		TEST(cut),
		TEST(only_where_wanted),
		TEST(redirected_again),
		TEST(how_long),
		TEST(how_many),
		TEST(never_sent),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
