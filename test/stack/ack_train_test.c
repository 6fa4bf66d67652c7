/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ack_train_test.c - many ACKs at once: those that come in a batch are taken as one, and what came in
 * a batch is acknowledged in steps.
 */
#include "peer_fixture.h"

#include "../../core/base/rand.h"

enum { FULL = 1400, BATCH_MAX = 20, WINDOW = 40000 };

static const struct tcp_hdr syn_options = {
	.has_mss = true, .mss = FULL, .has_wscale = true, .wscale = 2, .sack_permitted = true
};

struct world {
	struct tern_stack *st;
	tern_sock s;
	uint32_t iss, una, nxt; /* of ours */
};

static struct world batched, single;
static struct rand dice;

static uint32_t roll(uint32_t n)
{
	return (uint32_t)rand_below(&dice, n);
}

/* The next segment that goes out; false: none. */
static bool next_segment(struct world *w, struct tcp_hdr *h, uint32_t *len)
{
	uint8_t buf[2000];
	uint32_t n = next_out(buf, sizeof(buf)), ip_len = buf[0] >> 4 == 4 ? 20 : 40;

	if (!n)
		return false;
	check(tcp_parse(h, buf + ip_len, n - ip_len));
	*len = n - ip_len - h->hdr_len;
	if (h->flags & TCP_SYN)
		w->iss = w->una = w->nxt = h->seq + 1;
	if ((int32_t)(h->seq + *len - w->nxt) > 0)
		w->nxt = h->seq + *len;
	return true;
}

static void drain(struct world *w)
{
	struct tcp_hdr h;
	uint32_t len;

	while (next_segment(w, &h, &len))
		continue;
}

/* name, value, ..., NULL: settings */
static void open_world(struct world *w, bool v6, const char *const *settings)
{
	struct sent answer = { .v6 = v6, .seq = 70, .flags = TCP_SYN | TCP_ACK };
	struct tern_addr from, to;

	new_stack(7);
	*w = (struct world){ .st = st };
	for (; *settings; settings += 2)
		check_eq(tern_sysctl_set(st, settings[0], settings[1]), 0);
	tern_addr_parse(v6 ? "fd00::1" : "10.0.0.1", 80, &from);
	tern_addr_parse(v6 ? "fd00::9" : "10.0.0.9", 5000, &to);
	tern_socket(st, from.family, TERN_SOCK_STREAM, 0, &w->s);
	check_eq(tern_bind(st, w->s, &from), 0);
	check_eq(tern_connect(st, w->s, &to), -TERN_EINPROGRESS);
	drain(w);
	answer.ack = w->iss;
	answer.options = &syn_options;
	put_in(&answer);
	drain(w);
}

/* As many as there is room for. */
static void give_bytes(struct world *w, uint32_t n)
{
	static const uint8_t bytes[20000];
	int64_t sent;

	st = w->st;
	sent = tern_send(st, w->s, bytes, n, 0);
	check(sent > 0 || sent == -TERN_EAGAIN);
	drain(w);
}

static struct tern_tcp_info info_of(struct world *w)
{
	struct tern_tcp_info info;
	size_t len = sizeof(info);

	check_eq(tern_getsockopt(w->st, w->s, TERN_IPPROTO_TCP, TERN_TCP_INFO, &info, &len), 0);
	return info;
}

static void put_batch(struct world *w, const struct sent *list, unsigned n)
{
	struct tern_pkt *head = NULL, **tail = &head;

	st = w->st;
	for (unsigned i = 0; i < n; i++) {
		*tail = packet_of(&list[i]);
		(*tail)->next = NULL;
		tail = &(*tail)->next;
	}
	tern_input_batch(st, head);
}

static void end_world(struct world *w)
{
	st = w->st;
	tern_check(st);
	tern_free(st);
}

/* ---- ACKs of a batch ---- */

/* Mostly one of more; some are spoiled, old, of what was never sent, or say more; often in a row. */
static struct sent draw_ack(bool v6, uint32_t ack, struct tcp_hdr *options)
{
	struct sent s = { .v6 = v6, .seq = 71, .ack = ack, .flags = TCP_ACK, .wnd = WINDOW / 4 };
	static unsigned kind;

	kind = roll(3) ? roll(25) : kind;
	switch (kind) {
	case 0:
		s.spoil = 16; /* its checksum */
		break;
	case 1:
		s.wnd = (uint16_t)(WINDOW / 4 - roll(WINDOW / 8));
		break;
	case 2:
		s.ack = batched.una - 1 - roll(FULL);
		break;
	case 3:
		s.ack = batched.nxt + 1 + roll(FULL);
		break;
	case 4:
		*options = (struct tcp_hdr){ .n_sack = 1,
					     .sack = { { ack + FULL, ack + FULL + FULL / 2 } } };
		s.options = options;
		break;
	case 5:
		s.seq -= 1;
		break;
	case 6:
		s.text = "text";
		break;
	case 7:
		s.flags |= TCP_SYN;
		break;
	case 8:
		s.tos = 8;
		break;
	case 9:
		s.spoil = v6 ? 0 : -4; /* the identification */
		break;
	default:
		break;
	}
	return s;
}

static void agree(void)
{
	static const char *const names[] = { "TcpInSegs",
					     "TcpInErrs",
					     "TcpInCsumErrors",
					     "IpInReceives",
					     "Drop-tcp-checksum",
					     "Drop-tcp-sequence",
					     "Drop-tcp-syn-challenged",
					     "Drop-tcp-ack-range",
					     "Drop-ip-checksum",
					     "TcpRetransSegs" };
	struct tern_tcp_info a = info_of(&batched), b = info_of(&single);

	check_eq(a.bytes_acked, b.bytes_acked);
	check_eq(a.snd_wnd, b.snd_wnd);
	check_eq(a.segs_in, b.segs_in);
	check_eq(a.unacked, b.unacked);
	check_eq(batched.nxt, single.nxt);
	for (size_t i = 0; i < N_TESTS(names); i++)
		check_eq(tern_counter(batched.st, names[i]), tern_counter(single.st, names[i]));
	tern_check(batched.st);
	tern_check(single.st);
}

/* The window is the peer's all the time: what congestion control makes of it is another test. */
static const char *const wide[] = { "net.tern.initial_cwnd",
				    "1000",
				    "net.tern.pacing",
				    "0",
				    "net.ipv4.tcp_congestion_control",
				    "reno",
				    "net.ipv4.tcp_invalid_ratelimit",
				    "0",
				    NULL };

static void batch_of_acks_is_one_by_one(void)
{
	for (unsigned seed = 0; seed < 60; seed++) {
		bool v6 = seed % 2;
		uint32_t joined = 0;

		test_at("seed %u", seed);
		rand_init(&dice, (uint8_t[32]){ (uint8_t)seed, 2 }, 0);
		open_world(&batched, v6, wide);
		open_world(&single, v6, wide);
		for (unsigned round = 0; round < 40; round++) {
			unsigned n = 1 + roll(BATCH_MAX);
			struct tcp_hdr options[BATCH_MAX];
			struct sent list[BATCH_MAX];
			uint32_t ack;

			give_bytes(&batched, 20000);
			give_bytes(&single, 20000);
			ack = batched.una;
			for (unsigned i = 0; i < n; i++) {
				uint32_t left = batched.nxt - ack;

				ack += left < 2 * FULL ? left : roll(2 * FULL);
				list[i] = draw_ack(v6, ack, &options[i]);
			}
			put_batch(&batched, list, n);
			drain(&batched);
			st = single.st;
			for (unsigned i = 0; i < n; i++)
				put_in(&list[i]);
			drain(&single);
			batched.una = batched.iss + (uint32_t)info_of(&batched).bytes_acked;
			agree();
			joined += n;
		}
		check(joined > 100);
		end_world(&batched);
		end_world(&single);
	}
}

/* RFC 3465: each of the ACKs opens the window by two segments, as if it had come alone. */
static void each_ack_of_a_batch_counts(void)
{
	static const char *const narrow[] = { "net.tern.initial_cwnd", "10",
					      "net.ipv4.tcp_congestion_control", "reno", NULL };
	struct sent list[5];

	open_world(&batched, false, narrow);
	give_bytes(&batched, 10 * FULL);
	check_eq(batched.nxt - batched.iss, 10 * FULL);
	for (unsigned i = 0; i < 5; i++)
		list[i] = (struct sent){ .seq = 71,
					 .ack = batched.iss + (i + 1) * 2 * FULL,
					 .flags = TCP_ACK };
	put_batch(&batched, list, 5);
	check_eq(info_of(&batched).snd_cwnd, 20);
	check_eq(info_of(&batched).segs_in, 6);
	end_world(&batched);
	open_world(&batched, false, narrow);
	give_bytes(&batched, 10 * FULL);
	list[4].ack = batched.iss + 10 * FULL;
	put_batch(&batched, &list[4], 1);
	check_eq(info_of(&batched).snd_cwnd, 12);
	end_world(&batched);
}

/* ---- acknowledged in steps ---- */

static void put_segments(struct world *w, bool v6, uint32_t at, unsigned n)
{
	static char text[FULL + 1];
	struct sent list[BATCH_MAX];

	memset(text, 'x', FULL);
	for (unsigned i = 0; i < n; i++)
		list[i] = (struct sent){ .v6 = v6,
					 .seq = 71 + at + i * FULL,
					 .ack = w->iss,
					 .flags = TCP_ACK,
					 .text = text };
	put_batch(w, list, n);
}

/* SHLD-19: two segments to an ACK, the last for what is left; the window's edge stays. */
static void acks_come_in_steps(void)
{
	static const char *const by_two[] = { "net.tern.quick_acks", "0", "net.tern.ack_segments",
					      "2", NULL };

	for (unsigned v6 = 0; v6 < 2; v6++) {
		uint32_t len, edge = 0;
		struct tcp_hdr h;

		open_world(&batched, v6, by_two);
		put_segments(&batched, v6, 0, 11);
		for (unsigned i = 1; i <= 6; i++) {
			test_at("ACK %u over IPv%u", i, v6 ? 6 : 4);
			check(next_segment(&batched, &h, &len));
			check_eq(h.flags, TCP_ACK);
			check_eq(len, 0);
			check_eq(h.ack, 71 + (i < 6 ? i * 2 : 11) * FULL);
			check(i == 1 || h.ack + ((uint32_t)h.wnd << 4) + 16 > edge);
			edge = h.ack + ((uint32_t)h.wnd << 4);
		}
		check(!next_segment(&batched, &h, &len));
		check_eq(info_of(&batched).segs_out, 8);
		end_world(&batched);
	}
}

/* Text of ours takes them along; blocks are told once; without the setting one ACK is for all. */
static void steps_end(void)
{
	static const char *const by_two[] = { "net.tern.quick_acks", "0", "net.tern.ack_segments",
					      "2", NULL };
	struct tcp_hdr h;
	uint32_t len;

	open_world(&batched, false, by_two);
	put_segments(&batched, false, 0, 10);
	check_eq(tern_send(st, batched.s, "answer", 6, 0), 6);
	check(next_segment(&batched, &h, &len));
	check_eq(len, 6);
	check_eq(h.ack, 71 + 10 * FULL);
	check(!next_segment(&batched, &h, &len));
	put_segments(&batched, false, 11 * FULL, 4); /* behind a gap */
	for (unsigned i = 0; i < 4; i++) {
		check(next_segment(&batched, &h, &len));
		check_eq(h.ack, 71 + 10 * FULL);
		check_eq(h.n_sack, 1);
	}
	put_segments(&batched, false, 10 * FULL, 1);
	for (unsigned i = 12; i <= 16; i += 2) {
		check(next_segment(&batched, &h, &len));
		check_eq(h.ack, 71 + (i < 15 ? i : 15) * FULL);
		check_eq(h.n_sack, 0);
	}
	check(!next_segment(&batched, &h, &len));
	put_segments(&batched, false, 15 * FULL, 4); /* with a block, one ACK is for all */
	put_segments(&batched, false, 20 * FULL, 1);
	check(next_segment(&batched, &h, &len));
	check_eq(h.ack, 71 + 19 * FULL);
	check_eq(h.n_sack, 1);
	end_world(&batched);
	open_world(&batched, false, &by_two[4]);
	put_segments(&batched, false, 0, 10);
	check(next_segment(&batched, &h, &len));
	check_eq(h.ack, 71 + 10 * FULL);
	check(!next_segment(&batched, &h, &len));
	end_world(&batched);
}

static const struct test tests[] = { TEST(batch_of_acks_is_one_by_one),
				     TEST(each_ack_of_a_batch_counts), TEST(acks_come_in_steps),
				     TEST(steps_end) };

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
