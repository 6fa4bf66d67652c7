/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * impair_test.c - weather over a device: what is lost, doubled, late or spoiled is so by the weather
 * alone; a full or vanishing device below it, and what is left in it at the end.
 */
#include "pair_fixture.h"

#include "../../core/wire/wire.h"
#include "../../host/loop/impair.h"
#include "../stack/peer_fixture.h"

enum { TAKEN_MAX = 4000 };

/* The device below: takes notes, gives one frame when it has one. */
struct below {
	struct dev dev;
	unsigned full, n_taken, n_reads;
	uint32_t taken[TAKEN_MAX];
	const uint8_t *frame;
	uint32_t frame_len;
	uint16_t flags, csum_start, csum_off;
	bool gone, closed;
};
static struct below below;
static struct dev *dev;
static tern_time now;

static int below_read(struct dev *d, struct tern_stack *s, unsigned max, struct tern_pkt **list)
{
	struct tern_pkt *p;

	(void)max;
	below.n_reads++;
	if (below.gone)
		return -TERN_ENODEV;
	if (!below.frame)
		return 0;
	p = tern_pkt_new(s, below.frame_len);
	memcpy(p->data, below.frame, below.frame_len);
	p->flags |= below.flags;
	p->csum_start = below.csum_start;
	p->csum_off = below.csum_off;
	p->ifindex = (uint16_t)d->ifindex;
	p->next = NULL;
	*list = p;
	below.frame = NULL;
	return 1;
}

static int below_write(struct dev *d, struct tern_stack *s, const struct tern_pkt *p)
{
	(void)d;
	(void)s;
	if (below.gone)
		return -TERN_ENODEV;
	if (below.full) {
		below.full--;
		return -TERN_EAGAIN;
	}
	if (below.n_taken < TAKEN_MAX)
		tern_pkt_copy(p, 0, &below.taken[below.n_taken++], 4);
	return 1;
}

static void below_close(struct dev *d)
{
	(void)d;
	below.closed = true;
}

/* The same weather both ways. */
static const struct tern_weather *both(const struct tern_weather *w)
{
	static struct tern_weather way[IMPAIR_WAYS];

	way[IMPAIR_OUT] = way[IMPAIR_IN] = *w;
	return way;
}

static void begin(const struct tern_weather *w)
{
	static const struct dev_ops ops = { .read = below_read,
					    .write = below_write,
					    .close = below_close };

	new_stack(1);
	now = TERN_SEC;
	below = (struct below){ .dev = { .ops = &ops, .fd = 7 } };
	below.dev.iface.flags = TERN_IFACE_CSUM | TERN_IFACE_TSO4 | TERN_IFACE_TSO6;
	dev = impair_open(&below.dev, both(w), 5);
	check_eq(dev->fd, 7);
	check_eq(dev->iface.flags, 0); /* the weather is no place for unfinished frames */
	dev_serve(dev, st, 2);
	check_eq(below.dev.ifindex, 2);
}

static void end(void)
{
	dev_close(dev);
	check(below.closed);
	end_stack();
}

static int put(uint32_t number)
{
	struct tern_pkt *p = tern_pkt_new(st, 100);
	int err;

	memset(p->data, 0, 100);
	memcpy(p->data, &number, 4);
	err = dev->ops->write(dev, st, p);
	tern_pkt_free(st, p);
	return err;
}

static tern_time pass(tern_time duration)
{
	now += duration;
	tern_advance(st, now);
	return dev->ops->advance(dev, st, now);
}

static void without_weather_nothing_changes(void)
{
	begin(&(struct tern_weather){ .delay = 0 });
	for (uint32_t i = 0; i < 500; i++)
		check_eq(put(i), 1);
	pass(0);
	check_eq(below.n_taken, 500);
	for (uint32_t i = 0; i < 500; i++)
		check_eq(below.taken[i], i);
	check(!impair_is_sending(dev));
	end();
}

/* From the first frame on, which may go before any time has passed. */
static void delays(void)
{
	begin(&(struct tern_weather){ .delay = 10 * TERN_MS });
	check_eq(put(1), 1);
	check(impair_is_sending(dev));
	check_eq(dev->ops->advance(dev, st, now), now + 10 * TERN_MS);
	pass(9 * TERN_MS);
	check_eq(below.n_taken, 0);
	check_eq(pass(TERN_MS), TERN_NEVER);
	check_eq(below.n_taken, 1);
	check(!impair_is_sending(dev));
	end();
}

/* What is on its way keeps its instant; each way has its own weather. */
static void changes_from_now_on(void)
{
	struct tern_weather way[IMPAIR_WAYS] = { { .down = true }, { .delay = TERN_SEC } };

	begin(&(struct tern_weather){ .delay = 10 * TERN_MS });
	put(1);
	impair_change(dev, way);
	put(2);
	check_eq(pass(10 * TERN_MS), TERN_NEVER);
	check_eq(below.n_taken, 1);
	way[IMPAIR_OUT] = (struct tern_weather){ .delay = 0 };
	impair_change(dev, way);
	put(3);
	pass(0);
	check_eq(below.n_taken, 2);
	check_eq(below.taken[1], 3);
	end();
}

static bool is_odd(void *ctx, const uint8_t *packet, size_t len)
{
	uint32_t v;

	check(ctx == &below);
	memcpy(&v, packet, sizeof(v));
	return len >= sizeof(v) && v % 2;
}

/* It overtakes what the weather holds back, and asks for no chance: the others fare as before. */
static void spares_what_it_is_told_to(void)
{
	struct tern_weather way[IMPAIR_WAYS] = { { .down = true }, { .down = true } };

	begin(&(struct tern_weather){ .delay = 10 * TERN_MS });
	impair_spare(dev, is_odd, &below);
	for (uint32_t i = 0; i < 6; i++)
		check_eq(put(i), 1);
	pass(0);
	check_eq(below.n_taken, 3);
	pass(10 * TERN_MS);
	check_eq(below.n_taken, 6);
	for (uint32_t i = 0; i < 6; i++)
		check_eq(below.taken[i], i < 3 ? 2 * i + 1 : 2 * (i - 3));
	impair_change(dev, way); /* a wire that is cut is cut */
	put(7);
	check_eq(pass(TERN_SEC), TERN_NEVER);
	check_eq(below.n_taken, 6);
	end();
}

static void loses_and_doubles_as_often_as_told(void)
{
	begin(&(struct tern_weather){ .loss_ppm = 250000 });
	for (uint32_t i = 0; i < 2000; i++)
		put(i);
	pass(0);
	check(below.n_taken > 1350 && below.n_taken < 1650);
	for (unsigned i = 1; i < below.n_taken; i++)
		check(below.taken[i] > below.taken[i - 1]);
	end();
	begin(&(struct tern_weather){ .duplicate_ppm = 250000 });
	for (uint32_t i = 0; i < 2000; i++)
		put(i);
	pass(0);
	check(below.n_taken > 2350 && below.n_taken < 2650);
	end();
}

static void one_seed_is_one_weather(void)
{
	static uint32_t first[TAKEN_MAX];
	unsigned n = 0;

	for (int round = 0; round < 2; round++) {
		begin(&(struct tern_weather){ .loss_ppm = 100000, .reorder_ppm = 100000 });
		for (uint32_t i = 0; i < 1000; i++)
			put(i);
		pass(TERN_SEC);
		if (round == 0) {
			n = below.n_taken;
			memcpy(first, below.taken, sizeof(first));
		}
		check_eq(below.n_taken, n);
		check(memcmp(below.taken, first, sizeof(first)) == 0);
		end();
	}
}

/* A device without room keeps what the weather let through, and its order. */
static void a_full_device_loses_nothing(void)
{
	uint32_t i = 0;

	begin(&(struct tern_weather){ .delay = TERN_MS });
	for (; i < 10; i++)
		check_eq(put(i), 1);
	below.full = 5;
	check(pass(TERN_MS) > now); /* later, but not never: no descriptor tells of it */
	check_eq(below.n_taken, 0);
	check_eq(put(i), -TERN_EAGAIN);
	check(impair_is_sending(dev));
	for (int turn = 0; turn < 4; turn++) {
		tern_time next = pass(TERN_MS);

		check(next > now && next != TERN_NEVER);
	}
	pass(TERN_MS);
	check_eq(below.n_taken, 10);
	check_eq(put(i), 1);
	pass(TERN_MS);
	check_eq(below.n_taken, 11);
	for (i = 0; i < 11; i++)
		check_eq(below.taken[i], i);
	put(99);
	below.full = 5;
	pass(TERN_MS);
	end(); /* with one frame stuck */
}

/* A segment with a checksum that is still open, as a veth gives it. */
static uint32_t make_open(uint8_t *b)
{
	struct addr src = parse_addr("10.0.0.9"), dst = parse_addr("10.0.0.1");
	struct ip4 ip = { .ttl = 9, .proto = 17, .hdr_len = 20, .total_len = 128 };

	ip.src = src;
	ip.dst = dst;
	memset(b, 0x55, 128);
	ip4_emit(&ip, b);
	put_be16(b + 20, 5000);
	put_be16(b + 22, 9);
	put_be16(b + 24, 108);
	put_be16(b + 26, (uint16_t)~checksum_finish(checksum_pseudo(&src, &dst, 17, 108)));
	return 128;
}

/* Every frame has a bit flipped: not one may be believed, whatever was open or known to be good. */
static void corruption_is_never_believed(void)
{
	static const uint16_t flags[] = { TERN_PKT_CSUM_PARTIAL, TERN_PKT_CSUM_GOOD };
	struct tern_addr any = { .family = TERN_AF_INET, .port = 9 };
	unsigned n_got = 0;
	uint8_t b[200];
	tern_sock s;

	for (unsigned i = 0; i < 2; i++) {
		begin(&(struct tern_weather){ .corrupt_ppm = 1000000 });
		check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &s), 0);
		check_eq(tern_bind(st, s, &any), 0);
		for (int k = 0; k < 1000; k++) {
			struct tern_pkt *list = NULL;

			below.frame = b;
			below.frame_len = make_open(b);
			below.flags = flags[i];
			below.csum_start = 20;
			below.csum_off = 6;
			check_eq(dev->ops->read(dev, st, 64, &list), 1);
			if (list)
				tern_input_batch(st, list);
			n_got += tern_recv(st, s, b, sizeof(b), 0) >= 0;
		}
		check_eq(n_got, 0);
		check(tern_counter(st, "Drop-udp-checksum") > 500);
		end();
	}
}

static void an_open_checksum_stays_good_without_corruption(void)
{
	struct tern_addr any = { .family = TERN_AF_INET, .port = 9 };
	struct tern_pkt *list = NULL;
	uint8_t b[200];
	tern_sock s;

	begin(&(struct tern_weather){ .delay = 0 });
	check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &s), 0);
	check_eq(tern_bind(st, s, &any), 0);
	below.frame = b;
	below.frame_len = make_open(b);
	below.flags = TERN_PKT_CSUM_PARTIAL;
	below.csum_start = 20;
	below.csum_off = 6;
	check_eq(dev->ops->read(dev, st, 64, &list), 1);
	tern_input_batch(st, list);
	check_eq(tern_recv(st, s, b, sizeof(b), 0), 100);
	end();
}

/* With frames on their way both ways: told once, and the loop above it sleeps. */
static void vanishes_with_frames_in_flight(void)
{
	struct tern_weather w = { .delay = 5 * TERN_MS };
	struct dev_wish wish = { .mtu = 0 };
	struct dev *end_of[2];
	struct pair p;
	tern_time begun;
	int turns;

	check(pipe_open(end_of, &wish));
	pair_open(&p, impair_open(end_of[0], both(&w), 1), end_of[1]);
	pair_connect(&p, false);
	pair_send_some(&p, 100000);
	pair_turn(&p, loop_now());
	/* the far end goes: its port keeps a device that nobody calls */
	dev_close(end_of[1]);
	p.l.n_ports = 1;
	begun = loop_now();
	while (!p.l.n_gone && loop_now() - begun < 5 * TERN_SEC)
		pair_turn(&p, loop_now() + 10 * TERN_MS);
	check_str(loop_take_gone(&p.l), "wire");
	tern_abort(p.st[0], p.s[0]);
	begun = loop_now();
	/* five sleeps of 10 ms, and one for each timer that was set before */
	for (turns = 0; loop_now() - begun < 50 * TERN_MS; turns++)
		pair_turn(&p, loop_now() + 10 * TERN_MS);
	check(turns <= 8);
	check(loop_take_gone(&p.l) == NULL);
	pair_close(&p);
}

static void carries_streams_in_bad_weather(void)
{
	struct tern_weather w = { .delay = TERN_MS,
				  .jitter = TERN_MS,
				  .loss_ppm = 5000,
				  .reorder_ppm = 10000,
				  .duplicate_ppm = 10000,
				  .corrupt_ppm = 5000 };
	struct dev_wish wish = { .mtu = 0 };
	struct dev *end_of[2];
	struct pair p;

	check(pipe_open(end_of, &wish));
	pair_open(&p, impair_open(end_of[0], both(&w), 3), end_of[1]);
	pair_connect(&p, true);
	pair_transfer(&p, 200000);
	pair_send_some(&p, 1000000);
	pair_turn(&p, loop_now());
	pair_close(&p); /* with frames in the weather: the leak check is the judge */
}

static const struct test tests[] = {
	TEST(without_weather_nothing_changes),
	TEST(delays),
	TEST(changes_from_now_on),
	TEST(spares_what_it_is_told_to),
	TEST(loses_and_doubles_as_often_as_told),
	TEST(one_seed_is_one_weather),
	TEST(a_full_device_loses_nothing),
	TEST(corruption_is_never_believed),
	TEST(an_open_checksum_stays_good_without_corruption),
	TEST(vanishes_with_frames_in_flight),
	TEST(carries_streams_in_bad_weather),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
