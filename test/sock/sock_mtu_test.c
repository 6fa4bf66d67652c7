/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock_mtu_test.c - IP_MTU_DISCOVER and IPV6_MTU_DISCOVER of datagram sockets, value by value: the
 * table at the head of core/sock/sock_mtu.c.
 */
#include "../stack/peer_fixture.h"

enum { N_VALUES = TERN_IP_PMTUDISC_OMIT + 1 };
enum { PATH = 1300, LINK = 1500, UDP_IP4 = 28, UDP_IP6 = 48 };

static tern_sock connected(bool v6, int32_t value)
{
	struct tern_addr to;
	tern_sock s;

	tern_addr_parse(v6 ? "fd00::9" : "10.0.0.9", 5000, &to);
	check_eq(tern_socket(st, to.family, TERN_SOCK_DGRAM, 0, &s), 0);
	check_eq(tern_setsockopt(st, s, v6 ? TERN_IPPROTO_IPV6 : TERN_IPPROTO_IP,
				 v6 ? TERN_IPV6_MTU_DISCOVER : TERN_IP_MTU_DISCOVER, &value,
				 sizeof(value)),
		 0);
	check_eq(tern_connect(st, s, &to), 0);
	return s;
}

/* What goes is fragments of at most max bytes, of one datagram of len; the first has been read. */
static void check_pieces(const uint8_t *first, uint32_t first_len, uint32_t len, uint32_t max)
{
	bool v6 = first[0] >> 4 == 6;
	uint32_t hdr_len = v6 ? 48 : 20, got = first_len, off = 0, n = 0;
	uint8_t piece[LINK + 1];

	memcpy(piece, first, first_len);
	for (; got; got = next_out(piece, sizeof(piece)), n++) {
		uint32_t field = get_be16(piece + (v6 ? 42 : 6)), at = v6 ? field & ~7u : field * 8;

		check(got <= max);
		check_eq(v6 ? at : at & 0xffff, off);
		off += got - hdr_len;
		check_eq(v6 ? field & 1 : field >> 13, off < len - (v6 ? 40 : 20));
	}
	check_eq(off, len - (v6 ? 40 : 20));
	check(n > 1);
}

/*
 * What becomes of a datagram of len bytes, IP header and all: 'D' goes, must not be cut; 'F' goes
 * and may be; 'P' or 'L' goes in fragments as large as the path's or the link's MTU; '-' EMSGSIZE.
 */
static char send_one(tern_sock s, bool v6, uint32_t len)
{
	static const char text[LINK + 1];
	uint32_t n = len - (v6 ? UDP_IP6 : UDP_IP4), got;
	int64_t sent = tern_send(st, s, text, n, 0);
	uint8_t buf[2000];

	if (sent == -TERN_EMSGSIZE)
		return '-';
	check_eq(sent, n);
	got = next_out(buf, sizeof(buf));
	if (got < len) {
		check_pieces(buf, got, len, got > PATH ? LINK : PATH);
		return got > PATH ? 'L' : 'P';
	}
	check_eq(got, len);
	return v6 || (buf[6] & 0x40) ? 'D' : 'F';
}

/* The path's MTU is learned by one socket, and counts for all. Returns whether it was heard. */
static bool router_says(tern_sock s, bool v6)
{
	uint8_t ip[2000], icmp[1000];
	uint32_t ip_len = v6 ? 40 : 20, len, quoted = v6 ? 500 : 60;
	static const char text[LINK];
	struct tern_pkt *p;
	struct icmp h = { .type = v6 ? ICMP6_TOO_BIG : ICMP4_UNREACHABLE,
			  .code = v6 ? 0 : 4,
			  .rest = PATH };
	struct addr router = parse_addr(v6 ? "fd00::77" : "10.0.0.77");
	struct addr us = parse_addr(v6 ? "fd00::1" : "10.0.0.1");
	struct ip4 h4 = { .ttl = 9, .proto = 1, .hdr_len = 20, .src = router, .dst = us };
	struct ip6 h6 = { .hop_limit = 9, .next_header = 58, .src = router, .dst = us };
	int32_t mtu = 0;
	size_t size = sizeof(mtu);

	check(tern_send(st, s, text, LINK - (v6 ? UDP_IP6 : UDP_IP4), 0) > 0);
	check_eq(next_out(ip, sizeof(ip)), LINK);
	icmp_emit(&h, icmp);
	memcpy(icmp + 8, ip, quoted);
	len = 8 + quoted;
	put_be16(icmp + 2, checksum_finish(checksum_add(
				   icmp, len, v6 ? checksum_pseudo(&router, &us, 58, len) : 0)));
	p = tern_pkt_new(st, ip_len + len);
	h4.total_len = (uint16_t)(ip_len + len);
	h6.payload_len = (uint16_t)len;
	if (v6)
		ip6_emit(&h6, p->data);
	else
		ip4_emit(&h4, p->data);
	memcpy(p->data + ip_len, icmp, len);
	p->ifindex = 2;
	tern_input(st, p);
	check_eq(tern_getsockopt(st, s, v6 ? TERN_IPPROTO_IPV6 : TERN_IPPROTO_IP,
				 v6 ? TERN_IPV6_MTU : TERN_IP_MTU, &mtu, &size),
		 0);
	check(mtu == PATH || mtu == LINK);
	return mtu == PATH;
}

static void the_table(void)
{
	static const struct {
		const char *before;   /* of LINK, LINK + 1 bytes */
		const char *after[2]; /* of PATH, PATH + 1, LINK bytes, by family */
		bool hears, told;
	} table[N_VALUES] = {
		[TERN_IP_PMTUDISC_DONT] = { "FL", { "FPP", "DPP" }, true, false },
		[TERN_IP_PMTUDISC_WANT] = { "DL", { "DPP", "DPP" }, true, true },
		[TERN_IP_PMTUDISC_DO] = { "D-", { "D--", "D--" }, true, true },
		[TERN_IP_PMTUDISC_PROBE] = { "D-", { "DDD", "DDD" }, true, true },
		[TERN_IP_PMTUDISC_INTERFACE] = { "F-", { "FFF", "DDD" }, false, false },
		[TERN_IP_PMTUDISC_OMIT] = { "FL", { "FFF", "DDD" }, false, false },
	};

	for (int32_t value = 0; value < N_VALUES; value++) {
		for (int v6 = 0; v6 < 2; v6++) {
			int32_t err = 0;
			size_t len = sizeof(err);
			tern_sock s;

			test_at("value %d, IPv%d", value, v6 ? 6 : 4);
			new_stack(1);
			s = connected(v6, value);
			check_eq(send_one(s, v6, LINK), v6 ? 'D' : table[value].before[0]);
			check_eq(send_one(s, v6, LINK + 1), table[value].before[1]);
			check_eq(router_says(s, v6), table[value].hears);
			tern_getsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_ERROR, &err, &len);
			check_eq(err, table[value].told ? TERN_EMSGSIZE : 0);
			if (!table[value].hears) {
				tern_sock other = connected(v6, TERN_IP_PMTUDISC_WANT);

				check(router_says(other, v6));
			}
			for (int i = 0; i < 3; i++) {
				static const uint32_t sizes[] = { PATH, PATH + 1, LINK };

				test_at("value %d, IPv%d, %u", value, v6 ? 6 : 4, sizes[i]);
				check_eq(send_one(s, v6, sizes[i]), table[value].after[v6][i]);
			}
			end_stack();
		}
	}
}

/* The value can be asked for, others are EINVAL, and both names are of one. */
static void values(void)
{
	new_stack(1);
	for (int v6 = 0; v6 < 2; v6++) {
		int level = v6 ? TERN_IPPROTO_IPV6 : TERN_IPPROTO_IP;
		int name = v6 ? TERN_IPV6_MTU_DISCOVER : TERN_IP_MTU_DISCOVER;
		tern_sock s = connected(v6, TERN_IP_PMTUDISC_WANT);

		for (int32_t v = -1; v <= N_VALUES; v++) {
			bool good = v >= 0 && v < N_VALUES;
			int32_t got = -1;
			size_t len = sizeof(got);

			check_eq(tern_setsockopt(st, s, level, name, &v, sizeof(v)),
				 good ? 0 : -TERN_EINVAL);
			check_eq(tern_getsockopt(st, s, level, name, &got, &len), 0);
			check(!good || got == v);
		}
	}
	end_stack();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(the_table),
		TEST(values),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
