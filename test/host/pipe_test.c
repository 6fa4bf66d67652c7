/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pipe_test.c - the wire inside the process: order, bounds, the end, and what is left in it.
 */
#include "pair_fixture.h"

#include "hunger.h"

static struct dev *end[2];

static void open_wire(void)
{
	struct dev_wish w = { .mtu = 0 };

	check(pipe_open(end, &w));
	new_stack(1);
	dev_serve(end[0], st, 2);
	dev_serve(end[1], st, 3);
}

static void close_wire(void)
{
	dev_close(end[0]);
	dev_close(end[1]);
	end_stack();
}

/* A frame of 20 bytes that holds a number. */
static int write_number(uint32_t v)
{
	struct tern_pkt *p = tern_pkt_new(st, 20);
	int err;

	memset(p->data, 0, 20);
	memcpy(p->data, &v, sizeof(v));
	err = end[0]->ops->write(end[0], st, p);
	tern_pkt_free(st, p);
	return err;
}

static int read_numbers(unsigned max, uint32_t *next)
{
	struct tern_pkt *list, *after;
	int n = end[1]->ops->read(end[1], st, max, &list);
	uint32_t v;

	for (int i = 0; i < n; i++, list = after) {
		after = list->next;
		check_eq(list->total_len, 20);
		check_eq(list->ifindex, 3);
		memcpy(&v, list->data, sizeof(v));
		check_eq(v, (*next)++);
		tern_pkt_free(st, list);
	}
	return n;
}

static void keeps_order_and_bounds(void)
{
	uint32_t n = 0, next = 0;

	open_wire();
	check(!end[1]->ops->pending(end[1]));
	while (n < 5000 && write_number(n) == 1)
		n++;
	check_eq(n, 1000);
	check(end[1]->ops->pending(end[1]));
	check_eq(read_numbers(64, &next), 64);
	check_eq(write_number(n++), 1); /* there is room again */
	while (read_numbers(64, &next) > 0)
		continue;
	check_eq(next, n);
	check(!end[1]->ops->pending(end[1]));
	check_eq(read_numbers(64, &next), 0);
	close_wire();
}

static void what_was_sent_before_the_end_arrives(void)
{
	uint32_t next = 0;

	open_wire();
	check_eq(write_number(0), 1);
	dev_close(end[0]);
	end[0] = NULL;
	check_eq(read_numbers(64, &next), 1);
	check_eq(read_numbers(64, &next), -TERN_ENODEV);
	end[0] = end[1];
	check_eq(write_number(1), -TERN_ENODEV);
	end[0] = NULL;
	close_wire();
}

static void a_frame_without_memory_is_counted(void)
{
	struct dev_wish w = { .mtu = 0 };
	struct tern_pkt *p;

	check(pipe_open(end, &w));
	new_small_stack();
	dev_serve(end[0], st, 2);
	dev_serve(end[1], st, 3);
	p = tern_pkt_new(st, 20);
	take_memory();
	for (int i = 0; i < 3; i++)
		check_eq(end[0]->ops->write(end[0], st, p), 1);
	check_eq(end[1]->refused, 3);
	check(!end[1]->ops->pending(end[1])); /* or a loop would spin */
	give_memory_back();
	tern_pkt_free(st, p);
	close_wire();
}

static void carries_streams(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct dev_wish w = { .mtu = v6 ? 9000 : 1500 };
		struct pair p;

		check(pipe_open(end, &w));
		pair_open(&p, end[0], end[1]);
		pair_connect(&p, v6);
		pair_transfer(&p, 3000000);
		pair_close(&p);
	}
}

static void super_frames_are_bounded_by_their_bytes(void)
{
	struct tern_pkt *p, *list;
	int n = 0;

	open_wire();
	p = tern_pkt_new(st, 60000);
	memset(p->data, 7, 60000);
	p->flags = TERN_PKT_TSO6 | TERN_PKT_CSUM_PARTIAL | TERN_PKT_LINK_BROADCAST;
	p->gso_size = 1440;
	p->csum_start = 40;
	p->csum_off = 16;
	while (end[0]->ops->write(end[0], st, p) == 1)
		n++;
	check(n >= 2 && n < 32);
	tern_pkt_free(st, p);
	check_eq(end[1]->ops->read(end[1], st, 1, &list), 1);
	check_eq(list->flags, TERN_PKT_TSO6 | TERN_PKT_CSUM_PARTIAL); /* as it was, not more */
	check_eq(list->gso_size, 1440);
	check_eq(list->csum_start, 40);
	check_eq(list->csum_off, 16);
	check_eq(list->total_len, 60000);
	check_eq(list->data[59999], 7);
	tern_pkt_free(st, list);
	close_wire();
}

/* Packets that side 0 needs for n bytes. */
static uint64_t packets_for(struct pair *p, uint64_t n)
{
	uint64_t before = tern_counter(p->st[0], "TcpOutSegs");

	pair_transfer(p, p->sent + n);
	return tern_counter(p->st[0], "TcpOutSegs") - before;
}

enum { A_MEGABYTE = 1 << 20, ITS_SEGMENTS = A_MEGABYTE / 1460 };

static void is_opened_plain(void)
{
	struct dev_wish w = { .no_offload = true };
	struct pair p;

	check(pipe_open(end, &w));
	pair_open(&p, end[0], end[1]);
	pair_connect(&p, false);
	check(packets_for(&p, A_MEGABYTE) >= ITS_SEGMENTS);
	pair_close(&p);
}

/* With super-frames on their way, of both ends. */
static void becomes_plain(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct dev_wish w = { .mtu = 0 };
		struct tern_iface now;
		struct pair p;

		check(pipe_open(end, &w));
		pair_open(&p, end[0], end[1]);
		pair_connect(&p, v6);
		check(packets_for(&p, 4 * A_MEGABYTE) < ITS_SEGMENTS / 2);
		check_eq(tern_iface_set(p.st[0], 2, 1400,
					TERN_IFACE_CSUM | TERN_IFACE_TSO4 | TERN_IFACE_TSO6 |
						TERN_IFACE_ANY_ADDRESS),
			 0);
		pair_send_some(&p, p.sent + A_MEGABYTE);
		loop_wait(&p.l, loop_now(), NULL, 0);
		check(end[1]->ops->pending(end[1]));
		loop_plain(&p.l);
		for (int i = 0; i < 2; i++) { /* nothing else has changed */
			tern_iface_get(p.st[i], 2, &now);
			check_eq(now.flags, TERN_IFACE_CSUM | (i ? 0 : TERN_IFACE_ANY_ADDRESS));
			check_eq(now.mtu, i ? 1500 : 1400);
		}
		check(packets_for(&p, A_MEGABYTE) >= ITS_SEGMENTS);
		pair_close(&p);
	}
}

/* The sanitizers' leak check is the judge of this one. */
static void ends_with_frames_in_it(void)
{
	struct dev_wish w = { .mtu = 0 };
	struct pair p;

	check(pipe_open(end, &w));
	pair_open(&p, end[0], end[1]);
	pair_connect(&p, false);
	pair_send_some(&p, 1000000);
	loop_wait(&p.l, loop_now(), NULL, 0); /* a budget of them is in the wire now */
	check(end[1]->ops->pending(end[1]));
	check(p.sent > 0);
	pair_close(&p);
}

static const struct test tests[] = {
	TEST(keeps_order_and_bounds),
	TEST(what_was_sent_before_the_end_arrives),
	TEST(a_frame_without_memory_is_counted),
	TEST(carries_streams),
	TEST(super_frames_are_bounded_by_their_bytes),
	TEST(is_opened_plain),
	TEST(becomes_plain),
	TEST(ends_with_frames_in_it),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
