/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sec_internet_test.c - attacks on and by way of the internet layer: sources that nobody can have,
 * packets within packets, replies to everybody, floods of what must be answered, forged errors.
 */
#include "inet_fixture.h"

static uint8_t got[66000];

/* ---- SEC-23, IP4-5, UDP-7: sources that nobody can have ---- */

enum { N_KINDS = 6 };

static void fill_kind(struct packet *p, int kind)
{
	switch (kind) {
	case 0:
		fill_echo(p);
		break;
	case 1:
		fill_udp(p, PEER_PORT, 7000, "x", 1);
		break;
	case 2:
		fill_udp(p, PEER_PORT, 7001, "x", 1);
		break;
	case 3:
		fill_tcp(p, PEER_PORT, 80, TCP_SYN);
		break;
	case 4:
		fill_tcp(p, PEER_PORT, 81, TCP_SYN);
		break;
	default:
		fill_echo(p);
		p->proto = 200;
	}
}

static tern_sock udp_hearer, raw_hearer;

static void begin_heard(bool v6)
{
	new_wire();
	add_route("0.0.0.0", 0, "10.0.0.9", 1);
	add_route("::", 0, "fd00::9", 1);
	udp_hearer = open_udp(v6 ? "::" : "0.0.0.0", 7000);
	raw_hearer = open_socket(v6 ? "::" : "0.0.0.0", 0, TERN_SOCK_RAW, 200);
	listen_on((struct tern_addr){ .family = v6 ? TERN_AF_INET6 : TERN_AF_INET, .port = 80 });
}

static void martians(void)
{
	static const char *const sources[] = {
		"0.0.0.0",
		"0.1.2.3",
		"127.0.0.1",
		"127.255.255.254",
		"10.0.0.1",
		"10.0.0.255",
		"224.0.0.1",
		"239.1.2.3",
		"255.255.255.255",
		"240.0.0.1",
		"10.0.0.2",
		"255.255.255.254",
		"::",
		"::1",
		"ff02::1",
		"ff0e::7",
		"fd00::1",
		"::ffff:10.0.0.9",
		"fd00::2",
	};

	for (unsigned i = 0; i < N_TESTS(sources); i++) {
		for (int kind = 0; kind < N_KINDS; kind++) {
			struct packet p = { .src = sources[i], .v6 = i >= 12 };

			test_at("from %s, %d", sources[i], kind);
			begin_heard(p.v6);
			add_address("10.0.0.2", 2, 24);
			add_address("fd00::2", 2, 64);
			fill_kind(&p, kind);
			if (i == 17) { /* the mapped form has no text of its own on the wire */
				uint8_t bytes[100];
				uint32_t len;

				p.src = "fd00::9";
				fill_kind(&p, kind);
				len = packet_bytes(&p, bytes);
				memcpy(bytes + 8, parse_addr("10.0.0.9").b, 16);
				put_bytes(bytes, len, NULL, 0);
			} else {
				put_packet(&p);
			}
			check_eq(count_out(), 0);
			check_eq(hears(udp_hearer), -TERN_EAGAIN);
			check_eq(hears(raw_hearer), -TERN_EAGAIN);
			check_eq(tern_counter(st, "Drop-ip-source"), 1);
			pass(5 * TERN_SEC);
			check_eq(count_out(), 0);
			end_stack();
		}
	}
}

/* Who has no address yet asks everybody: that is heard (RFC 1122 3.2.1.3 (a)). */
static void from_nobody_to_all(void)
{
	struct packet p = { .src = "0.0.0.0", .dst = "255.255.255.255" };

	begin_heard(false);
	fill_udp(&p, PEER_PORT, 7000, "x", 1);
	put_packet(&p);
	check_eq(hears(udp_hearer), 1);
	end_stack();
}

/* SEC-24: nobody outside speaks as ourselves, whoever he speaks to. */
static void land(void)
{
	static const char *const ours[] = { "10.0.0.1", "10.0.0.2", "127.0.0.1", "fd00::1", "::1" };

	for (unsigned i = 0; i < N_TESTS(ours) * 2; i++) {
		struct packet p = { .src = ours[i / 2], .dst = ours[i / 2], .v6 = i >= 6 };

		test_at("%s", ours[i / 2]);
		begin_heard(p.v6);
		add_address("10.0.0.2", 2, 24);
		if (i % 2)
			p.dst = NULL;
		fill_tcp(&p, 80, 80, TCP_SYN);
		put_packet(&p);
		pass(10 * TERN_SEC);
		check_eq(count_out(), 0);
		check_eq(n_records(), 2); /* the two that hear */
		end_stack();
	}
}

/* ---- SEC-36: nobody is answered who asked everybody ---- */

static void smurf(void)
{
	static const char *const to[] = { "10.0.0.255", "255.255.255.255", "224.0.0.1", "10.0.0.1",
					  "ff02::1" };

	for (unsigned i = 0; i < N_TESTS(to); i++) {
		for (int kind = 0; kind < N_KINDS; kind++) {
			struct packet p = { .dst = to[i], .v6 = i == 4 };

			if (i == 4 && kind == 0)
				continue; /* test/stack/icmp_rules_test.c */
			if (i == 3)
				p.link_flags = TERN_PKT_LINK_BROADCAST;
			test_at("to %s, %d", to[i], kind);
			begin_heard(p.v6);
			tern_close(st, raw_hearer);
			fill_kind(&p, kind);
			put_packet(&p);
			pass(5 * TERN_SEC);
			/* RFC 4443 2.4 (e.3): code 2 of a parameter problem alone would be sent */
			check_eq(count_out(), 0);
			end_stack();
		}
	}
}

/* ---- SEC-22: packets within packets ---- */

static void tunnels(void)
{
	static const uint8_t protocols[] = { 4, 41, 47 };

	for (unsigned i = 0; i < 3; i++) {
		for (int v6 = 0; v6 < 2; v6++) {
			struct packet inner = { .v6 = i == 1 }, outer = { .v6 = v6 };
			uint8_t bytes[100];
			unsigned n = 0;

			test_at("protocol %u, IPv%d", protocols[i], v6 ? 6 : 4);
			begin_heard(i == 1);
			fill_udp(&inner, PEER_PORT, 7000, "inside", 6);
			outer.len = packet_bytes(&inner, bytes);
			outer.body = bytes;
			outer.proto = protocols[i];
			check_eq(answer_to(&outer), v6 ? 0x0401 : 0x0302);
			check_eq(hears(udp_hearer), -TERN_EAGAIN);
			for (int k = 0; k < 1000; k++)
				n += answer_to(&outer) >= 0;
			check(n < 50);
			put_be16(bytes + (inner.v6 ? 4 : 2),
				 5); /* what it says of itself is a lie */
			answer_to(&outer);
			check_eq(hears(udp_hearer), -TERN_EAGAIN);
			end_stack();
		}
	}
}

/* ---- SEC-46: what is asked costs no more than asking ---- */

static void nothing_is_amplified(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		for (int kind = 0; kind < N_KINDS; kind++) {
			struct packet p = { .v6 = v6 };
			uint64_t in = 0, out = 0, n = 0;

			test_at("IPv%d, %d", v6 ? 6 : 4, kind);
			new_wire();
			fill_kind(&p, kind);
			for (int i = 0; i < 5000; i++) {
				static uint8_t bytes[100];
				uint32_t len = packet_bytes(&p, bytes);

				put_bytes(bytes, len, NULL, 0);
				in += len;
				while ((len = take_out(got, sizeof(got)))) {
					out += len;
					n++;
				}
				if (i % 10 == 9)
					pass(TERN_MS);
			}
			check(out <= in);
			if (kind == 2 || kind == 5)
				check(n <=
				      50 + 50); /* errors: 100 in a second at most, and a burst */
			end_stack();
		}
	}
}

/* ---- SEC-47: echoes as long as can be ---- */

static void put_in_pieces(const uint8_t *whole, uint32_t len)
{
	for (uint32_t off = 0; off < len; off += 1480) {
		struct packet p = { .proto = ICMP4, .id = 5, .body = whole + off };

		p.len = MIN(1480, len - off);
		p.off = (uint16_t)(off / 8 | (off + p.len < len ? 0x2000 : 0));
		put_packet(&p);
	}
}

static void large_echoes(void)
{
	static uint8_t whole[66000], back[66000];

	for (uint32_t len = 65400; len <= 65535; len += len < 65500 ? 20 : 1) {
		struct packet p = { .v6 = false };
		uint32_t n, sum = 0;

		test_at("%u bytes", len);
		new_wire();
		for (uint32_t i = 0; i < len; i++)
			whole[i] = (uint8_t)(i * 11 + i / 257);
		fill_icmp(&p, &(struct icmp){ .type = ICMP4_ECHO, .rest = 9 }, whole, len - 8);
		memcpy(whole, scratch, len);
		put_in_pieces(whole, len);
		while ((n = take_out(got, sizeof(got)))) {
			uint32_t off = (get_be16(got + 6) & 0x1fffu) * 8;

			memcpy(back + off, got + 20, n - 20);
			sum += n - 20;
		}
		check_eq(sum, len <= 65515 ? len : 0); /* 65535 with its header */
		if (sum) {
			check_eq(back[0], ICMP4_ECHO_REPLY);
			check_mem(back + 4, whole + 4, len - 4);
			check_eq(checksum_finish(checksum_add(back, len, 0)), 0);
		}
		end_stack();
	}
}

/* ---- SEC-44: what one can see of answers says nothing of what another hit ---- */

/* Thirty guesses as another, one of which may be right; then, how many of ours are answered? */
static unsigned answers_after(uint64_t seed, bool one_is_open)
{
	struct packet as_other = { .src = "10.0.0.8" }, own = { .src = "10.0.0.9" };
	unsigned n = 0;
	tern_sock s;

	new_stack(seed);
	s = open_udp("0.0.0.0", 7025);
	check_eq(connect_to(s, one_is_open ? "10.0.0.8" : "10.0.0.7", PEER_PORT), 0);
	for (uint16_t i = 0; i < 30; i++) {
		fill_udp(&as_other, PEER_PORT, (uint16_t)(7000 + i), "?", 1);
		put_packet(&as_other);
	}
	check_eq(hears(s), one_is_open ? 1 : -TERN_EAGAIN);
	count_out(); /* to the other */
	for (uint16_t i = 0; i < 50; i++) {
		fill_udp(&own, PEER_PORT, (uint16_t)(8000 + i), "?", 1);
		n += answer_to(&own) >= 0;
	}
	end_stack();
	return n;
}

static void ports_are_not_told(void)
{
	unsigned closed = 0, open = 0;

	on_ethernet = false;
	for (uint64_t seed = 1; seed <= 150; seed++) {
		closed += answers_after(seed, false);
		open += answers_after(seed + 1000, true);
	}
	check(closed > 150 && open > 150);
	check(closed - open + 50 <= 100); /* with one bucket for all it would be 150 */
}

/* A connected socket is nobody else's: a third party hears that there is none (SEC-69). */
static void third_parties(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		static const uint32_t spoilt[] = { 0, 15, 19, 21, 23, 9 };

		for (unsigned i = 0; i < N_TESTS(spoilt); i++) {
			struct packet p = { .v6 = v6, .src = v6 ? "fd00::77" : "10.0.0.77" };
			uint8_t sent[100];
			uint32_t len, at = spoilt[i];
			tern_sock s;

			test_at("IPv%d, byte %u", v6 ? 6 : 4, at);
			new_wire();
			s = open_udp(v6 ? "::" : "0.0.0.0", 7000);
			connect_to(s, v6 ? "fd00::9" : "10.0.0.9", PEER_PORT);
			fill_udp(&p, PEER_PORT, 7000, "x", 1);
			check_eq(answer_to(&p), v6 ? 0x0104 : 0x0303);
			check_eq(hears(s), -TERN_EAGAIN);
			check_eq(tern_send(st, s, "x", 1, 0), 1);
			len = take_out(sent, sizeof(sent));
			if (v6 && at) /* the same fields: addresses, ports, the protocol */
				at = at == 15 ? 23 : at == 19 ? 39 : at == 9 ? 6 : at + 20;
			if (at)
				sent[at] ^= 1;
			fill_icmp(&p, &(struct icmp){ v6 ? 1 : 3, v6 ? 4 : 3, 0, 0 }, sent, len);
			put_packet(&p);
			check_eq(hears(s), i ? -TERN_EAGAIN : -TERN_ECONNREFUSED);
			end_stack();
		}
	}
}

/* ---- SEC-40, SEC-41: forged errors about an open connection ---- */

/* Brings one about; what follows of it begins with *seq, of which 4 bytes are in flight. */
static tern_sock open_stream(bool v6, uint8_t *sent, uint32_t *seq)
{
	struct tern_addr at = { .family = v6 ? TERN_AF_INET6 : TERN_AF_INET, .port = 80 };
	tern_sock l = listen_on(at), s;
	uint32_t hdr_len = v6 ? 40 : 20;

	put_in(&(struct sent){ .v6 = v6, .seq = 100, .flags = TCP_SYN });
	check(take_out(sent, 100) > 0);
	*seq = get_be32(sent + hdr_len + 4) + 1;
	put_in(&(struct sent){ .v6 = v6, .seq = 101, .ack = *seq, .flags = TCP_ACK });
	check_eq(tern_accept(st, l, &s, NULL), 0);
	check_eq(tern_send(st, s, "text", 4, 0), 4);
	check(take_out(sent, 100) > 0);
	return s;
}

/* All codes of a type, with numbers in flight and not, about what was sent last. */
static void tell_all(bool v6, uint8_t type, uint8_t *sent, uint32_t seq, tern_sock s)
{
	static const int64_t offs[] = { -1, 0, 3, 4, 5, 1000, -1000000 };
	struct packet p = { .v6 = v6, .src = v6 ? "fd00::77" : "10.0.0.77" };

	for (uint8_t code = 0; code < 16; code++) {
		if (v6 ? type == 2 : type == 3 && code == 4)
			continue; /* sizes: test/stack/sec_icmp_test.c */
		for (unsigned i = 0; i < N_TESTS(offs); i++) {
			put_be32(sent + (v6 ? 44 : 24), (uint32_t)(seq + offs[i]));
			fill_icmp(&p, &(struct icmp){ type, code, 0, 0 }, sent, v6 ? 64 : 44);
			put_packet(&p);
			if (tern_poll(st, s) & (TERN_POLLERR | TERN_POLLHUP))
				test_fail(__FILE__, __LINE__, "code %u, %d", code, (int)offs[i]);
		}
	}
}

static struct tern_tcp_info info_of(tern_sock s)
{
	struct tern_tcp_info info;
	size_t size = sizeof(info);

	check_eq(tern_getsockopt(st, s, TERN_IPPROTO_TCP, TERN_TCP_INFO, &info, &size), 0);
	return info;
}

/* ICMP-18: an open connection stays so whatever is said; SEC-41: and as fast. */
static void streams_survive(void)
{
	enum { OPEN, WE_ENDED, PEER_ENDED, N_WAYS };

	for (unsigned i = 0; i < 2 * 13 * N_WAYS; i++) {
		bool v6 = i % 2;
		uint8_t type = (uint8_t)(1 + i / 2 % 13), sent[200];
		unsigned way = i / 26;
		struct tern_tcp_info before, after;
		uint32_t seq;
		tern_sock s;

		if (type == 8 || (v6 && type > 4))
			continue;
		test_at("IPv%d, type %u, %u", v6 ? 6 : 4, type, way);
		new_wire();
		s = open_stream(v6, sent, &seq);
		if (way == WE_ENDED)
			check_eq(tern_shutdown(st, s, TERN_SHUT_WR), 0);
		if (way == PEER_ENDED)
			put_in(&(struct sent){
				.v6 = v6, .seq = 101, .ack = seq, .flags = TCP_ACK | TCP_FIN });
		check_eq(count_out(), way != OPEN);
		before = info_of(s);
		tell_all(v6, type, sent, seq, s);
		after = info_of(s);
		check_eq(after.state, before.state);
		check_eq(after.snd_cwnd, before.snd_cwnd);
		check_eq(after.snd_mss, before.snd_mss);
		check_eq(count_out(), 0);
		put_in(&(struct sent){ .v6 = v6,
				       .seq = way == PEER_ENDED ? 102 : 101,
				       .ack = seq + 4,
				       .flags = TCP_ACK });
		if (way != WE_ENDED) {
			check_eq(tern_send(st, s, "more", 4, 0), 4);
			check_eq(count_out(), 1);
		}
		end_stack();
	}
}

/* ICMP-17: a connection that begins is ended only by who has seen its number. */
static void numbers_must_be_known(void)
{
	static const int64_t offs[] = { -1, 0, 1, 2, 65535, -65536, INT32_MAX };

	for (int v6 = 0; v6 < 2; v6++) {
		for (unsigned i = 0; i < N_TESTS(offs); i++) {
			struct packet p = { .v6 = v6, .src = v6 ? "fd00::77" : "10.0.0.77" };
			uint8_t sent[200];
			uint32_t len;
			tern_sock s;

			test_at("IPv%d, %d", v6 ? 6 : 4, (int)offs[i]);
			new_wire();
			s = open_socket(v6 ? "::" : "0.0.0.0", 0, TERN_SOCK_STREAM, 0);
			connect_to(s, v6 ? "fd00::9" : "10.0.0.9", PEER_PORT);
			len = take_out(sent, sizeof(sent));
			put_be32(sent + (v6 ? 44 : 24),
				 get_be32(sent + (v6 ? 44 : 24)) + (uint32_t)offs[i]);
			fill_icmp(&p, &(struct icmp){ v6 ? 1 : 3, v6 ? 4 : 3, 0, 0 }, sent, len);
			put_packet(&p);
			check_eq((tern_poll(st, s) & TERN_POLLERR) != 0, offs[i] == 0);
			end_stack();
		}
	}
}

/* ---- SEC-67, SEC-68 ---- */

/* Nothing that is an answer is answered: two hosts that get each other's fall silent. */
static void answers_end(void)
{
	for (int kind = 0; kind < N_KINDS; kind++) {
		struct packet p = { .src = NULL };
		unsigned n = 0;

		test_at("%d", kind);
		new_wire(); /* plays both: what goes out comes back with its addresses exchanged */
		fill_kind(&p, kind);
		put_packet(&p);
		for (uint32_t len; n < 100 && (len = take_out(got, sizeof(got))); n++) {
			uint8_t swap[4];

			memcpy(swap, got + 12, 4);
			memcpy(got + 12, got + 16, 4);
			memcpy(got + 16, swap, 4);
			put_bytes(got, len, NULL, 0);
		}
		check_eq(n, 1);
		end_stack();
	}
}

/* The ports that sockets get say nothing of each other, and are of the whole range. */
static void ports_are_drawn(void)
{
	unsigned n_near = 0, n_up = 0, last = 0, octants[8] = { 0 };
	struct tern_config cfg;

	new_wire();
	tern_config_default(&cfg);
	for (int i = 0; i < 4000; i++) {
		unsigned range = cfg.port_max - cfg.port_min + 1u;
		tern_sock s = open_udp("0.0.0.0", 0);
		struct tern_addr at;

		check_eq(send_to(s, "10.0.0.9", 9, "x", 1), 1);
		check_eq(tern_getsockname(st, s, &at), 0);
		check(at.port >= cfg.port_min && at.port <= cfg.port_max);
		n_near += at.port - last + 16 < 32;
		n_up += at.port > last;
		octants[(at.port - cfg.port_min) * 8 / range]++;
		last = at.port;
		count_out();
		tern_close(st, s);
	}
	check(n_near < 30); /* by chance about 4 */
	check(n_up > 1800 && n_up < 2200);
	for (int i = 0; i < 8; i++)
		check(octants[i] > 400 && octants[i] < 600);
	end_stack();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(martians),
		TEST(from_nobody_to_all),
		TEST(land),
		TEST(smurf),
		TEST(tunnels),
		TEST(nothing_is_amplified),
		TEST(large_echoes),
		TEST(ports_are_not_told),
		TEST(third_parties),
		TEST(streams_survive),
		TEST(answers_end),
		TEST(ports_are_drawn),
		TEST(numbers_must_be_known),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
