/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dhcp_input_test.c - core/stack/dhcp4.c: frames of a server byte by byte: unicast to a host that has
 * no address yet, messages cut anywhere, forged ones, and ports that nobody configures by.
 */
#include "test.h"

#include "../../serve/serve.h"

enum { NIC = 2, FRAME_MAX = 1500, OURS = 0x0a000005, SERVER = 0x0a000001 };

static struct test_env counted;
static struct tern_stack *st;
static tern_time now;
static struct dhcp4 asked;
static unsigned n_asked;

static void start(unsigned means)
{
	struct tern_iface nic = { "nic", TERN_LINK_ETHERNET, 1500, 0, { 2, 0, 0, 0, 0, 1 } };
	struct tern_config cfg;
	struct tern_env env;

	counted = (struct test_env){ .fill = 0x77 };
	env = test_env_make(&counted, 1);
	tern_config_default(&cfg);
	cfg.dad_transmits = 0;
	st = tern_new(&cfg, &env);
	now = n_asked = 0;
	check_eq(tern_iface_add(st, &nic), NIC);
	check_eq(tern_auto_set(st, NIC, means), 0);
}

static void finish(void)
{
	tern_check(st);
	tern_free(st);
	check_eq(counted.out, 0);
}

/* What is sent; of DHCP messages the last is kept. Returns how many packets. */
static unsigned take_output(void)
{
	struct tern_pkt *p;
	unsigned n = 0;

	while ((p = tern_output(st, NIC))) {
		uint8_t f[FRAME_MAX];
		uint32_t len = tern_pkt_copy(p, 0, f, sizeof(f));

		if (len > 42 && f[23] == TERN_IPPROTO_UDP && dhcp4_parse(&asked, f + 42, len - 42))
			n_asked++;
		tern_pkt_free(st, p);
		n++;
	}
	return n;
}

/* Until so many messages were sent. */
static void wait_for(unsigned n)
{
	for (int i = 0; i < 1000 && n_asked < n; i++) {
		now = tern_deadline(st);
		tern_advance(st, now);
		take_output();
	}
	check_eq(n_asked, n);
}

struct frame {
	uint8_t b[FRAME_MAX];
	uint32_t len;
};

/* A frame from SERVER with that body, to that address. */
static struct frame frame_of(const uint8_t *body, size_t len, uint32_t dst, uint16_t port)
{
	struct frame f = { .len = (uint32_t)(42 + len) };
	struct ip4 ip = { .ttl = 64, .proto = TERN_IPPROTO_UDP, .hdr_len = 20 };
	struct udp h = { DHCP4_SERVER_PORT, port, (uint16_t)(8 + len), 0 };
	uint8_t a[4];

	memset(f.b, 0xff, 6);
	if (dst != 0xffffffff)
		memcpy(f.b, (const uint8_t[6]){ 2, 0, 0, 0, 0, 1 }, 6);
	memcpy(f.b + 6, (const uint8_t[6]){ 2, 0, 0, 0, 0, 9 }, 6);
	put_be16(f.b + 12, ETH_IP4);
	put_be32(a, SERVER);
	ip.src = addr_from4(a);
	put_be32(a, dst);
	ip.dst = addr_from4(a);
	ip.total_len = (uint16_t)(28 + len);
	ip4_emit(&ip, f.b + 14);
	udp_emit(&h, f.b + 34);
	memcpy(f.b + 42, body, len);
	put_be16(f.b + 40, checksum_finish(checksum_add(
				   f.b + 34, h.len, checksum_pseudo(&ip.src, &ip.dst, 17, h.len))));
	return f;
}

static void input(const struct frame *f)
{
	struct tern_pkt *p = tern_pkt_new(st, f->len);

	memcpy(p->data, f->b, f->len);
	p->ifindex = NIC;
	tern_input(st, p);
}

static struct dhcp4 answer(enum dhcp4_type type)
{
	struct dhcp4 m = { .is_reply = true,
			   .type = (uint8_t)type,
			   .xid = asked.xid,
			   .yiaddr = OURS,
			   .server = SERVER,
			   .mask = 0xffffff00,
			   .lease = 3600,
			   .routers = { 1, { SERVER } } };

	memcpy(m.mac, asked.mac, 6);
	return m;
}

static void send_answer(enum dhcp4_type type, uint32_t dst)
{
	struct dhcp4 m = answer(type);
	uint8_t body[600];
	struct frame f = frame_of(body, dhcp4_emit(&m, body, sizeof(body)), dst, DHCP4_CLIENT_PORT);

	input(&f);
	take_output();
}

static bool has_lease(void)
{
	struct tern_iface_addr a;
	unsigned cursor = 0;

	while (tern_addr_next(st, &cursor, &a))
		if (a.origin == TERN_ORIGIN_DHCP4)
			return true;
	return false;
}

/* RFC 2131 4.1: the BROADCAST bit is not set, so answers may be unicast. */
static void unicast_before_an_address(void)
{
	for (int broadcast = 0; broadcast < 2; broadcast++) {
		start(TERN_AUTO_DHCP4);
		wait_for(1);
		check(asked.type == DHCP4_DISCOVER && !asked.broadcast);
		send_answer(DHCP4_OFFER, broadcast ? 0xffffffff : OURS);
		check_eq(asked.type, DHCP4_REQUEST);
		if (!broadcast) {
			send_answer(DHCP4_ACK, OURS + 1); /* that is not what we wait for */
			check(!has_lease());
			check_eq(tern_counter(st, "Drop-ip-not-ours"), 1);
		}
		send_answer(DHCP4_ACK, broadcast ? 0xffffffff : OURS);
		check(has_lease());
		finish();
	}
}

/* A message cut at each byte, and each byte of its head changed: taken whole, or not at all. */
static void every_cut_and_change(void)
{
	uint8_t body[600];
	struct frame f;
	struct dhcp4 m;
	size_t len;

	start(TERN_AUTO_DHCP4);
	wait_for(1);
	send_answer(DHCP4_OFFER, 0xffffffff);
	check_eq(asked.type, DHCP4_REQUEST);
	m = answer(DHCP4_ACK);
	len = dhcp4_emit(&m, body, sizeof(body));
	for (size_t cut = 0; cut < 255; cut++) { /* type, server and lease end there */
		f = frame_of(body, cut, 0xffffffff, DHCP4_CLIENT_PORT);
		input(&f);
		test_at("cut at %zu", cut);
		check(!has_lease() && take_output() == 0);
	}
	for (size_t at = 0; at < 240; at++) {
		/* secs, flags, ciaddr, siaddr, giaddr, the rest of chaddr, sname, file: not ours to judge */
		bool matters =
			at < 8 || (at >= 16 && at < 20) || (at >= 28 && at < 34) || at >= 236;

		if (!matters || at == 3) /* hops */
			continue;
		body[at] ^= 0x40;
		f = frame_of(body, len, 0xffffffff, DHCP4_CLIENT_PORT);
		input(&f);
		body[at] ^= 0x40;
		test_at("byte %zu changed", at);
		check(!has_lease() && take_output() == 0);
	}
	f = frame_of(body, len, 0xffffffff, DHCP4_CLIENT_PORT);
	input(&f);
	check(has_lease());
	finish();
}

/* Where nobody asks by DHCP its port is a port like any other. */
static void the_port_of_nobody(void)
{
	struct tern_addr own = tern_ip4(10, 0, 0, 5, 0), any = tern_ip4(0, 0, 0, 0, 68);
	struct frame f = frame_of((const uint8_t *)"hello", 5, OURS, DHCP4_CLIENT_PORT);
	char buf[8];
	tern_sock s;

	start(0);
	check_eq(tern_addr_add(st, NIC, &own, 24), 0);
	input(&f);
	check_eq(tern_counter(st, "Drop-udp-no-socket"), 1);
	check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &s), 0);
	check_eq(tern_bind(st, s, &any), 0);
	input(&f);
	check_eq(tern_recv(st, s, buf, sizeof(buf), 0), 5);
	finish();
}

/* A flood of forged answers costs no memory and asks for no answer. */
static void a_flood_of_forgeries(void)
{
	uint64_t memory = 0;

	start(TERN_AUTO_DHCP4);
	wait_for(1);
	for (uint32_t i = 0; i < 10000; i++) {
		struct dhcp4 m = answer((enum dhcp4_type)(1 + i % 8));
		uint8_t body[600];
		struct frame f;

		memory = i < 100 ? tern_memory(st) : memory;
		m.xid += 1 + i;
		f = frame_of(body, dhcp4_emit(&m, body, sizeof(body)), 0xffffffff,
			     DHCP4_CLIENT_PORT);
		input(&f);
		check_eq(take_output(), 0);
	}
	check_eq(tern_memory(st), memory);
	send_answer(DHCP4_OFFER, 0xffffffff); /* the honest one is heard */
	check_eq(asked.type, DHCP4_REQUEST);
	finish();
}

static const struct test tests[] = {
	TEST(unicast_before_an_address),
	TEST(every_cut_and_change),
	TEST(the_port_of_nobody),
	TEST(a_flood_of_forgeries),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
