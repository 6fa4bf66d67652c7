/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * train_test.c - what comes in a batch is what comes one by one: two stacks of one seed get the
 * same segments, some spoiled, odd, early or late, one stack in batches; the user reads the same
 * bytes, the counters agree, and so does the last ACK.
 */
#include "peer_fixture.h"

#include "../../core/base/rand.h"

enum { BYTES = 60000, BATCH_MAX = 20, FULL = 1388 };

static const struct tcp_hdr syn_options = { .has_mss = true,
					    .mss = 1400,
					    .has_wscale = true,
					    .wscale = 2,
					    .has_ts = true,
					    .ts_val = 5000 };

static const struct tcp_hdr later_options = { .has_ts = true, .ts_val = 6000 };

struct world {
	struct tern_stack *st;
	tern_sock s;
	uint8_t got[BYTES];
	uint32_t n_got;
	bool ended;
	uint32_t ack; /* of the last segment that went out */
	uint16_t wnd, flags;
};

static struct world batched, single;
static struct rand dice;
static uint8_t bytes[BYTES];
static uint32_t iss;
static uint32_t ts_now; /* the peer's clock */
static bool v6;
static unsigned ecn; /* net.ipv4.tcp_ecn: none, classic or accurate */
static uint8_t tos;  /* of what comes, until it changes */

static uint32_t roll(uint32_t n)
{
	return (uint32_t)rand_below(&dice, n);
}

static void note_output(struct world *w)
{
	uint8_t buf[2000];
	uint32_t len;
	struct tcp_hdr h;

	while ((len = next_out(buf, sizeof(buf)))) {
		uint32_t ip_len = buf[0] >> 4 == 4 ? 20 : 40;

		check(tcp_parse(&h, buf + ip_len, len - ip_len));
		w->ack = h.ack;
		w->wnd = h.wnd;
		w->flags = h.flags;
		iss = h.flags & TCP_SYN ? h.seq : iss;
	}
}

/* The stack of the fixture is w's from here on. */
static void enter(struct world *w)
{
	st = w->st;
}

static void open_world(struct world *w)
{
	struct tern_addr to;
	static const uint16_t agrees[] = { 0, TCP_ECE, 0, TCP_CWR };
	struct sent answer = { .v6 = v6, .seq = 70, .flags = TCP_SYN | TCP_ACK | agrees[ecn] };
	struct tern_addr from;

	memset(w, 0, sizeof(*w));
	new_stack(7);
	w->st = st;
	tern_sysctl_set(st, "net.tern.quick_acks", "0"); /* they count segments, or trains */
	check_eq(tern_sysctl_set(st, "net.ipv4.tcp_ecn", (char[2]){ (char)('0' + ecn) }), 0);
	tern_addr_parse(v6 ? "fd00::1" : "10.0.0.1", 80, &from);
	tern_addr_parse(v6 ? "fd00::9" : "10.0.0.9", 5000, &to);
	tern_socket(st, from.family, TERN_SOCK_STREAM, 0, &w->s);
	tern_setsockopt(st, w->s, TERN_SOL_SOCKET, TERN_SO_OOBINLINE, &(int32_t){ 1 }, 4);
	check_eq(tern_bind(st, w->s, &from), 0);
	check_eq(tern_connect(st, w->s, &to), -TERN_EINPROGRESS);
	note_output(w);
	answer.ack = iss + 1;
	answer.options = &syn_options;
	put_in(&answer);
	note_output(w);
}

/* A segment of the stream from `at`, mostly of the common kind. */
static struct sent draw_segment(uint32_t at, uint32_t len, char *text, struct tcp_hdr *options)
{
	struct sent s = { .v6 = v6, .seq = 71 + at, .ack = iss + 1, .flags = TCP_ACK };

	*options = later_options;
	options->ts_val = ts_now;
	memcpy(text, bytes + at, len);
	text[len] = 0;
	s.text = len ? text : NULL;
	s.options = options;
	if (ecn && roll(5) == 0)
		tos = (uint8_t)roll(4);
	if (ecn == 3)
		s.flags |= TCP_AE | TCP_ECE; /* the counter as it begins */
	else if (ecn && roll(20) == 0)
		s.flags |= TCP_CWR;
	s.tos = tos;
	if (roll(8) == 0)
		s.flags |= TCP_PSH;
	switch (roll(40)) {
	case 0:
		s.spoil = (int)(16 + roll(20 + len)); /* from its checksum on */
		break;
	case 1:
		s.wnd = 1000;
		break;
	case 2:
		ts_now++;
		break;
	case 3:
		s.ack = iss; /* old */
		break;
	case 4:
		s.flags |= TCP_URG;
		break;
	case 5:
		s.reserved = 2;
		break;
	case 6:
		s.cut_short = (uint16_t)roll(len + 1);
		break;
	default:
		break;
	}
	return s;
}

static void read_all(struct world *w)
{
	int64_t n;

	while ((n = tern_recv(st, w->s, w->got + w->n_got, BYTES - w->n_got, 0)) > 0)
		w->n_got += (uint32_t)n;
	w->ended = w->ended || n == 0;
}

/* By a buffer that is lent for the call alone. */
static void put_lent(const struct sent *s)
{
	static uint8_t lent[2048];
	struct tern_pkt *p = packet_of(s);
	uint32_t len = p->len;

	memcpy(lent, p->data, len);
	tern_pkt_free(st, p);
	tern_input_from(st, 2, lent, len);
	memset(lent, 0xee, len);
}

/* One batch for the first stack, the same one by one for the other, by packets and buffers. */
static void put_both(const struct sent *list, unsigned n)
{
	struct tern_pkt *head = NULL, **tail = &head;

	enter(&batched);
	for (unsigned i = 0; i < n; i++) {
		*tail = packet_of(&list[i]);
		(*tail)->next = NULL;
		tail = &(*tail)->next;
	}
	tern_input_batch(st, head);
	note_output(&batched);
	read_all(&batched);
	note_output(&batched);
	enter(&single);
	for (unsigned i = 0; i < n; i++) {
		if (i % 2)
			put_lent(&list[i]);
		else
			put_in(&list[i]);
	}
	note_output(&single);
	read_all(&single);
	note_output(&single);
}

/* Goes on from *at with up to BATCH_MAX segments; they may be lost, doubled, or exchanged. */
static void one_batch(uint32_t *at)
{
	static char text[BATCH_MAX][FULL + 1];
	struct tcp_hdr options[BATCH_MAX];
	struct sent list[BATCH_MAX];
	unsigned n = 1 + roll(BATCH_MAX);
	uint32_t pos = *at;

	for (unsigned i = 0; i < n; i++) {
		uint32_t len = roll(6) ? FULL : 1 + roll(FULL);

		len = len < BYTES - pos ? len : BYTES - pos;
		list[i] = draw_segment(pos, len, text[i], &options[i]);
		if (roll(30))
			pos += len;
	}
	if (roll(4) == 0) {
		unsigned a = roll(n), b = roll(n);
		struct sent s = list[a];

		list[a] = list[b];
		list[b] = s;
	}
	put_both(list, n);
	*at = batched.n_got; /* what is missing comes again */
}

static void agree(void)
{
	static const char *const names[] = { "TcpInSegs", "TcpInErrs", "TcpInCsumErrors",
					     "IpInReceives", "Drop-tcp-checksum" };

	check_eq(batched.n_got, single.n_got);
	check(memcmp(batched.got, bytes, batched.n_got) == 0);
	check(memcmp(single.got, bytes, single.n_got) == 0);
	check_eq(batched.ack, single.ack);
	check_eq(batched.flags, single.flags); /* marks, too: counted packet by packet */
	check_eq(batched.ended, single.ended);
	for (size_t i = 0; i < N_TESTS(names); i++)
		check_eq(tern_counter(batched.st, names[i]), tern_counter(single.st, names[i]));
	tern_check(batched.st);
	tern_check(single.st);
}

static void end_world(struct world *w)
{
	enter(w);
	tern_free(st);
}

static void batch_is_one_by_one(void)
{
	for (unsigned seed = 0; seed < 60; seed++) {
		uint32_t at = 0;

		ts_now = 6000;
		test_at("seed %u", seed);
		rand_init(&dice, (uint8_t[32]){ (uint8_t)seed, 1 }, 0);
		for (unsigned i = 0; i < BYTES; i++)
			bytes[i] =
				(uint8_t)(1 + roll(255)); /* packet_of takes text that ends at 0 */
		v6 = seed % 2;
		ecn = (seed / 2 % 3) * 3 / 2; /* 0, 1, 3 */
		tos = 0;
		open_world(&batched);
		open_world(&single);
		for (unsigned i = 0; i < 200 && at < BYTES; i++) {
			one_batch(&at);
			agree();
		}
		check_eq(at, BYTES);
		end_world(&batched);
		end_world(&single);
	}
}

/* Ten full segments in one batch are one segment to TCP: that is what the train is for. */
static void train_is_one(void)
{
	struct sent list[10];
	static char text[10][FULL + 1];
	struct tern_tcp_info info;
	size_t len = sizeof(info);

	rand_init(&dice, (uint8_t[32]){ 9 }, 0);
	memset(bytes, 'x', sizeof(bytes));
	v6 = false;
	open_world(&batched);
	open_world(&single);
	for (unsigned i = 0; i < 10; i++) {
		memset(text[i], 'x', FULL);
		list[i] = (struct sent){ .seq = 71 + i * FULL,
					 .ack = iss + 1,
					 .flags = TCP_ACK,
					 .options = &later_options,
					 .text = text[i] };
	}
	put_both(list, 10);
	agree();
	check_eq(batched.n_got, 10 * FULL);
	tern_getsockopt(batched.st, batched.s, TERN_IPPROTO_TCP, TERN_TCP_INFO, &info, &len);
	check_eq(info.segs_in, 11);
	check_eq(info.rcv_mss, FULL);
	end_world(&batched);
	end_world(&single);
}

static const struct test tests[] = { TEST(batch_is_one_by_one), TEST(train_is_one) };

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
