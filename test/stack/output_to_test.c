/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * output_to_test.c - the ways by which packets leave give the same bytes: whole ones, those whose
 * checksum is left to the device and whose headers so may repeat, and those written to buffers.
 */
#include "peer_fixture.h"

enum { FULL = 1400, MTU = 1500, ROOM_MAX = 65535 + 14, TEXT_MAX = 64000 };

enum way { WHOLE, PARTIAL, WRITTEN, N_WAYS };

static struct tern_stack *by[N_WAYS];
static struct test_env env_of[N_WAYS];
static tern_sock sock_of[N_WAYS];
static uint8_t text[TEXT_MAX];

struct life {
	bool v6, ethernet, timestamps;
	uint16_t mss; /* 0: FULL */
	uint32_t mtu; /* 0: MTU */
	void (*trace)(void *, const struct tern_trace *);
};
static struct life life;

static uint32_t mtu(void)
{
	return life.mtu ? life.mtu : MTU;
}

static uint32_t room(void)
{
	return mtu() + 14;
}

/* Text of a full segment. */
static uint32_t full(void)
{
	return (life.mss ? life.mss : FULL) - (life.timestamps ? 12 : 0);
}

static const uint8_t peer_mac[6] = { 2, 0, 0, 0, 0, 9 };

static struct tern_addr address_of(bool peer)
{
	struct tern_addr a;

	tern_addr_parse(life.v6 ? (peer ? "fd00::9" : "fd00::1") : (peer ? "10.0.0.9" : "10.0.0.1"),
			peer ? 5000 : 80, &a);
	return a;
}

static struct tern_stack *new_sender(enum way way)
{
	struct tern_iface wire = { "wire",
				   life.ethernet ? TERN_LINK_ETHERNET : TERN_LINK_IP,
				   mtu(),
				   way == WHOLE ? 0 : TERN_IFACE_CSUM,
				   { 2, 0, 0, 0, 0, 1 } };
	struct tern_neigh peer = { .ifindex = 2, .addr = address_of(true) };
	struct tern_addr own = address_of(false);
	struct tern_env env;
	struct tern_config cfg;

	env_of[way] = (struct test_env){ .fill = 0x77 };
	env = test_env_make(&env_of[way], 7);
	env.trace = life.trace;
	tern_config_default(&cfg);
	cfg.tcp_ack_segments = 2;
	cfg.tcp_timestamps = life.timestamps;
	st = tern_new(&cfg, &env);
	tern_advance(st, TERN_SEC);
	check_eq(tern_iface_add(st, &wire), 2);
	check_eq(tern_addr_add(st, 2, &own, life.v6 ? 64 : 24), 0);
	memcpy(peer.mac, peer_mac, 6);
	peer.addr.port = 0;
	if (life.ethernet)
		check_eq(tern_neigh_add(st, &peer), 0);
	tern_advance(st, 5 * TERN_SEC); /* an address of IPv6 is sure of itself */
	return st;
}

static uint32_t emit_next(enum way way, uint8_t buf[ROOM_MAX])
{
	struct tern_pkt *p;
	uint32_t len;

	if (way == WRITTEN) {
		int64_t n = tern_output_to(by[way], 2, buf, room());

		check(n >= 0);
		return (uint32_t)n;
	}
	p = tern_output(by[way], 2);
	len = p ? p->total_len : 0;
	if (p)
		tern_pkt_emit(by[way], p, buf);
	tern_pkt_free(by[way], p);
	return len;
}

/* The same packets by all ways, so many at most; how many. The first repeats no headers. */
static unsigned compare_some(unsigned most)
{
	static uint8_t whole[ROOM_MAX], other[ROOM_MAX];
	unsigned n = 0;
	uint32_t len;

	do {
		len = emit_next(WHOLE, whole);
		for (int way = PARTIAL; way < N_WAYS; way++) {
			test_at("v6 %d, ethernet %d, timestamps %d, packet %u, way %d", life.v6,
				life.ethernet, life.timestamps, n, way);
			check_eq(emit_next(way, other), len);
			check(memcmp(whole, other, len) == 0);
		}
		n += len > 0;
	} while (len && n < most);
	return n;
}

static unsigned compare_output(void)
{
	return compare_some(UINT32_MAX);
}

/* A closed socket has no information. */
static void compare_counters(void)
{
	static const char *const names[] = { "IpOutRequests", "TcpOutSegs", "TcpRetransSegs" };
	struct tern_tcp_info info[N_WAYS];
	int err[N_WAYS];

	memset(info, 0, sizeof(info));
	for (int way = 0; way < N_WAYS; way++) {
		size_t len = sizeof(info[way]);

		err[way] = tern_getsockopt(by[way], sock_of[way], TERN_IPPROTO_TCP, TERN_TCP_INFO,
					   &info[way], &len);
		check_eq(err[way], err[WHOLE]);
		check(memcmp(&info[way], &info[WHOLE], sizeof(info[way])) == 0);
		for (size_t i = 0; i < N_TESTS(names); i++)
			check_eq(tern_counter(by[way], names[i]),
				 tern_counter(by[WHOLE], names[i]));
	}
}

static struct tern_pkt *framed(struct tern_pkt *p)
{
	struct tern_pkt *frame;

	if (!life.ethernet)
		return p;
	frame = tern_pkt_new(st, 14 + p->len);
	memcpy(frame->data, (uint8_t[6]){ 2, 0, 0, 0, 0, 1 }, 6);
	memcpy(frame->data + 6, peer_mac, 6);
	put_be16(frame->data + 12, life.v6 ? ETH_IP6 : ETH_IP4);
	memcpy(frame->data + 14, p->data, p->len);
	frame->ifindex = 2;
	tern_pkt_free(st, p);
	return frame;
}

/* A segment of the peer's, n times, each that much behind the one before, in one batch. */
static void put_batch(struct sent t, unsigned n, uint32_t step)
{
	struct tcp_hdr options = { .has_ts = life.timestamps, .ts_val = 3 };
	uint32_t first = t.seq;

	t.v6 = life.v6;
	if (!t.options)
		t.options = &options;
	for (int way = 0; way < N_WAYS; way++) {
		struct tern_pkt *head = NULL, **tail = &head;

		st = by[way];
		for (unsigned i = 0; i < n; i++) {
			t.seq = first + i * step;
			*tail = framed(packet_of(&t));
			tail = &(*tail)->next;
		}
		*tail = NULL;
		tern_input_batch(st, head);
	}
}

static void send_text(uint32_t len, int flags)
{
	for (int way = 0; way < N_WAYS; way++)
		check_eq(tern_send(by[way], sock_of[way], text, len, flags), len);
}

/* Returns the number of our first byte. */
static uint32_t connect_all(void)
{
	struct tcp_hdr options = { .has_mss = true,
				   .mss = life.mss ? life.mss : FULL,
				   .has_wscale = true,
				   .wscale = 2,
				   .sack_permitted = true,
				   .has_ts = life.timestamps,
				   .ts_val = 2 };
	struct sent answer = { .seq = 70, .flags = TCP_SYN | TCP_ACK, .options = &options };
	struct tern_addr own = address_of(false), peer = address_of(true);
	uint32_t tcp = (life.ethernet ? 14 : 0) + (life.v6 ? 40 : 20), iss = 0;
	static uint8_t buf[ROOM_MAX];

	for (int way = 0; way < N_WAYS; way++) {
		by[way] = new_sender(way);
		while (emit_next(way, buf)) /* what an address of IPv6 asks */
			continue;
		check_eq(tern_socket(st, own.family, TERN_SOCK_STREAM, 0, &sock_of[way]), 0);
		check_eq(tern_bind(st, sock_of[way], &own), 0);
		check_eq(tern_connect(st, sock_of[way], &peer), -TERN_EINPROGRESS);
		check(emit_next(way, buf) > 0);
		iss = get_be32(buf + tcp + 4);
	}
	answer.ack = iss + 1;
	put_batch(answer, 1, 0);
	check_eq(compare_output(), 1);
	return iss + 1;
}

static void free_all(void)
{
	for (int way = 0; way < N_WAYS; way++) {
		tern_check(by[way]);
		tern_free(by[way]);
		check_eq(env_of[way].out, 0);
	}
}

static void end_all(void)
{
	compare_counters();
	free_all();
}

/* Text of all lengths, PSH at the end, urgent text, ACKs alone in steps, the end. */
static void live(void)
{
	uint32_t first = connect_all();
	struct sent ack = { .seq = 71, .ack = first, .flags = TCP_ACK };
	struct sent data = { .seq = 71, .flags = TCP_ACK, .text = "twelve bytes" };

	send_text(9 * full() + 77, 0);
	check_eq(compare_output(), 10);
	ack.ack += 9 * full() + 77;
	put_batch(ack, 1, 0);
	send_text(3 * full(), 0);
	check_eq(compare_output(), 3);
	ack.ack += 3 * full();
	put_batch(ack, 1, 0);
	send_text(6, TERN_MSG_OOB);
	send_text(10 * full(), 0);
	check_eq(compare_output(), 11);
	ack.ack += 6 + 10 * full();
	put_batch(ack, 1, 0);
	data.ack = ack.ack;
	put_batch(data, 9, 12);
	check(compare_output() > 0);
	for (int way = 0; way < N_WAYS; way++)
		tern_close(by[way], sock_of[way]); /* bytes are unread: it is reset */
	check_eq(compare_output(), 1);
	end_all();
}

static void all_ways_give_the_same(void)
{
	for (unsigned i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 7 + i / 251);
	for (unsigned i = 0; i < 8; i++) {
		life = (struct life){ .v6 = i & 1, .ethernet = i & 2, .timestamps = i & 4 };
		live();
	}
}

/* Segments that begin in one chunk of the buffer and end in another: at an odd byte, or two further. */
static void chunks(void)
{
	static const struct life lives[] = { { .mss = 1365 }, { .mss = 20000, .mtu = 65535 } };

	for (size_t i = 0; i < N_TESTS(lives); i++) {
		life = lives[i];
		connect_all();
		send_text(60000, 0);
		check_eq(compare_output(), i ? 2 : 10); /* the initial window, RFC 6928 */
		end_all();
	}
}

/* A packet of the peer's to each stack. */
static void put_packet(const uint8_t *bytes, uint32_t len)
{
	for (int way = 0; way < N_WAYS; way++) {
		struct tern_pkt *p = tern_pkt_new(by[way], len);

		memcpy(p->data, bytes, len);
		p->ifindex = 2;
		tern_input(by[way], p);
	}
}

/* An ICMP message from the peer; quoted: the packet it is about, 28 bytes of it. */
static uint32_t make_icmp(uint8_t type, uint8_t code, uint32_t rest, const uint8_t *quoted,
			  uint32_t len, uint8_t *packet)
{
	struct ip4 ip = { .ttl = 9,
			  .proto = 1,
			  .total_len = (uint16_t)(28 + len),
			  .src = parse_addr("10.0.0.9"),
			  .dst = parse_addr("10.0.0.1") };
	uint8_t *icmp = packet + ip4_emit(&ip, packet);

	icmp[0] = type;
	icmp[1] = code;
	put_be16(icmp + 2, 0);
	put_be32(icmp + 4, rest);
	memcpy(icmp + 8, quoted, len);
	put_be16(icmp + 2, checksum_finish(checksum_add(icmp, 8 + len, 0)));
	return 28 + len;
}

/* What changes in the middle of a burst: urgent text, what is acknowledged, the path; others go first. */
static void in_the_middle(void)
{
	static uint8_t sent[ROOM_MAX], packet[ROOM_MAX];

	for (int what = 0; what < 4; what++) {
		struct sent ack = { .seq = 71, .flags = TCP_ACK };
		uint32_t len;

		life = (struct life){ .v6 = false };
		ack.ack = connect_all() + 6 * FULL;
		send_text(9 * FULL, 0);
		check_eq(compare_some(2), 2);
		for (int way = 0; way < N_WAYS; way++)
			len = emit_next(way, sent);
		check_eq(len, 40 + FULL);
		switch (what) {
		case 0:
			send_text(1, TERN_MSG_OOB);
			check_eq(compare_output(), 7);
			break;
		case 1:
			put_batch(ack, 1, 0);
			check_eq(compare_output(), 3);
			break;
		case 2: /* RFC 1191: at most 600 bytes */
			put_packet(packet, make_icmp(3, 4, 600, sent, 28, packet));
			check(compare_output() > 15);
			break;
		case 3:
			put_packet(packet, make_icmp(8, 0, 1, sent, 500, packet));
			check_eq(compare_output(), 7);
			break;
		}
		end_all();
	}
}

/* Identifications differ from packet to packet where a path may cut them. */
static void may_be_cut(void)
{
	int no = 0;

	life = (struct life){ .v6 = false };
	connect_all();
	for (int way = 0; way < N_WAYS; way++)
		check_eq(tern_setsockopt(by[way], sock_of[way], TERN_IPPROTO_IP,
					 TERN_IP_MTU_DISCOVER, &no, sizeof(no)),
			 0);
	send_text(9 * FULL, 0);
	check_eq(compare_output(), 9);
	end_all();
}

static unsigned n_traced;

static void count_packets(void *ctx, const struct tern_trace *r)
{
	(void)ctx;
	n_traced += r->kind == TERN_TRACE_PACKET_OUT;
}

static void each_is_traced(void)
{
	life = (struct life){ .trace = count_packets };
	connect_all();
	send_text(9 * FULL, 0);
	n_traced = 0;
	check_eq(compare_output(), 9);
	check_eq(n_traced, N_WAYS * 9);
	end_all();
}

/* Full segments in one batch: an ACK for two of them, in one burst, whose headers repeat. */
static void acks_in_steps(void)
{
	static char full[FULL + 1];

	memset(full, 'x', FULL);
	for (unsigned i = 0; i < 4; i++) {
		uint32_t first;

		life = (struct life){ .v6 = i & 1, .ethernet = i & 2 };
		first = connect_all();
		put_batch((struct sent){ .seq = 71, .ack = first, .flags = TCP_ACK, .text = full },
			  9, FULL);
		check_eq(compare_output(), 5);
		end_all();
	}
}

/* A packet that was made before the MTU shrank. */
static void larger_than_room(void)
{
	static uint8_t packet[ROOM_MAX], bytes[1372];
	uint32_t len = make_icmp(8, 0, 1, bytes, sizeof(bytes), packet);

	life = (struct life){ .v6 = false };
	connect_all();
	put_packet(packet, len);
	check_eq(emit_next(WHOLE, packet), len);
	check_eq(emit_next(PARTIAL, packet), len);
	check_eq(tern_iface_set(by[WRITTEN], 2, 600, TERN_IFACE_CSUM), 0);
	check_eq(tern_output_to(by[WRITTEN], 2, packet, 614), -TERN_EMSGSIZE);
	check_eq(tern_counter(by[WRITTEN], "Drop-too-big"), 1);
	check_eq(tern_output_to(by[WRITTEN], 2, packet, 614), 0);
	check_eq(tern_iface_set(by[WRITTEN], 2, MTU, TERN_IFACE_CSUM), 0);
	end_all();
}

/* What the call refuses loses nothing. */
static void errors(void)
{
	static uint8_t buf[ROOM_MAX];
	static const uint32_t flags[] = { TERN_IFACE_TSO4, TERN_IFACE_TSO6 };

	life = (struct life){ .v6 = false };
	connect_all();
	send_text(2 * FULL, 0);
	check_eq(tern_output_to(by[WRITTEN], 2, buf, room() - 1), -TERN_EINVAL);
	for (int i = 0; i < 2; i++) {
		check_eq(tern_iface_set(by[WRITTEN], 2, MTU, TERN_IFACE_CSUM | flags[i]), 0);
		check_eq(tern_output_to(by[WRITTEN], 2, buf, room()), -TERN_EINVAL);
	}
	check_eq(tern_iface_set(by[WRITTEN], 2, MTU, TERN_IFACE_CSUM), 0);
	check_eq(tern_output_to(by[WRITTEN], 7, buf, room()), 0);
	check_eq(tern_output_to(by[WRITTEN], 1, buf, room()), 0);
	check_eq(compare_output(), 2);
	end_all();
}

/* What a device cuts says of what size; what is no longer than a segment is none of it. */
static void super_frames(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		uint32_t flag = v6 ? TERN_PKT_TSO6 : TERN_PKT_TSO4;
		uint32_t len[] = { 4 * FULL + 100, FULL };

		life = (struct life){ .v6 = v6, .timestamps = true };
		connect_all();
		check_eq(tern_iface_set(by[PARTIAL], 2, MTU,
					TERN_IFACE_CSUM | TERN_IFACE_TSO4 | TERN_IFACE_TSO6),
			 0);
		len[1] = full();
		for (int i = 0; i < 2; i++) {
			struct tern_pkt *p;

			send_text(len[i], 0);
			p = tern_output(by[PARTIAL], 2);
			check_eq(p->total_len, (v6 ? 40 : 20) + 32 + len[i]);
			check_eq(p->flags & (TERN_PKT_TSO4 | TERN_PKT_TSO6), i ? 0 : flag);
			check_eq(p->gso_size, i ? 0 : full());
			tern_pkt_free(by[PARTIAL], p);
		}
		free_all();
	}
}

/* Who completes checksums may change in the middle of a burst. */
static void checksums_change_hands(void)
{
	static uint8_t buf[ROOM_MAX];

	life = (struct life){ .v6 = false };
	connect_all();
	send_text(6 * FULL, 0);
	for (unsigned i = 0; i < 6; i++) {
		bool whole = i == 2 || i == 3;
		struct tern_pkt *p;

		check_eq(tern_iface_set(by[PARTIAL], 2, MTU, whole ? 0 : TERN_IFACE_CSUM), 0);
		p = tern_output(by[PARTIAL], 2);
		check_eq(p->flags & TERN_PKT_CSUM_PARTIAL, whole ? 0 : TERN_PKT_CSUM_PARTIAL);
		tern_pkt_free(by[PARTIAL], p);
		check(emit_next(WHOLE, buf) > 0);
		check(emit_next(WRITTEN, buf) > 0);
	}
	end_all();
}

static const struct test tests[] = {
	TEST(all_ways_give_the_same), TEST(chunks),	   TEST(in_the_middle),	   TEST(may_be_cut),
	TEST(each_is_traced),	      TEST(acks_in_steps), TEST(larger_than_room), TEST(errors),
	TEST(checksums_change_hands), TEST(super_frames),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
