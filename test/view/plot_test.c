/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plot_test.c - plots of scenes played by hand.
 *
 * The scenes last 1079 ms and end at number 3609, so that a column is a millisecond and a row ten
 * numbers: the axis reaches to 3790, 380 rows.
 */
#include "scene.h"
#include "test.h"

#include "../../view/plot_impl.h"

enum { END_MS = PLOT_WIDTH - 1, BOTTOM = PLOT_HEIGHT - 1 };

static void wait_until(struct scene *s, uint64_t ms)
{
	s->now = ms * TERN_MS;
}

/* 1 to 1001 at 100 ms, acknowledged 50 ms later, and 1001 to 3609 at 200 ms. */
static struct scene flying_scene(void)
{
	struct scene s = scene_new(false);

	scene_handshake(&s);
	wait_until(&s, 100);
	scene_send(&s, 0, TCP_ACK, SEG(1, 1, 1000, 512));
	wait_until(&s, 140);
	scene_pass(&s, 1, TCP_ACK, SEG(1, 1001, 0, 20));
	wait_until(&s, 200);
	scene_send(&s, 0, TCP_ACK, SEG(1001, 1, 2608, 512));
	return s;
}

/* All is acknowledged at 250 ms. */
static struct scene plain_scene(void)
{
	struct scene s = flying_scene();

	wait_until(&s, 240);
	scene_pass(&s, 1, TCP_ACK, SEG(1, 3609, 0, 512));
	return s;
}

static void end_scene(struct scene *s)
{
	wait_until(s, END_MS - 10);
	scene_pass(s, 1, TCP_ACK, SEG(1, 3609, 0, 512));
}

static void add_sample(struct plot_samples *ps, const struct scene *s, struct tern_trace t)
{
	t.kind = TERN_TRACE_SAMPLE;
	t.at = s->now;
	if (!t.conn)
		t.conn = s->conn[0];
	plot_samples_take(ps, 0, &t);
}

/* What a plot of the scene holds; free both. */
struct plotted {
	struct flows *flows;
	struct plot *plot;
};

static struct plotted plot_scene(const struct scene *s, const struct plot_samples *ps)
{
	struct plotted d = { .flows = flows_new(s->view) };

	d.plot = plot_new(d.flows, ps ? ps : &(struct plot_samples){ 0 });
	if (!d.plot)
		abort();
	return d;
}

static void free_plotted(struct plotted *d)
{
	free(d->plot);
	flows_free(d->flows);
}

static char *plot_text(const struct view *v, const struct plot_samples *ps)
{
	FILE *f = tmpfile();

	if (!f || !plot_svg(f, v, ps ? ps : &(struct plot_samples){ 0 }, "a <run>"))
		abort();
	return scene_read_back(f);
}

static void check_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		test_fail(__FILE__, __LINE__, "no '%s' in\n%s", part, text);
}

/* The cells of the column that have the mark are those from upper to lower and no other. */
static void check_cells(const struct plot *p, int column, uint8_t mark, const int rows[2])
{
	for (int y = 0; y < PLOT_HEIGHT; y++) {
		bool want = y >= rows[0] && y <= rows[1];

		if (!!(p->mark[column][y] & mark) != want)
			test_fail(__FILE__, __LINE__, "column %d row %d mark %d: %d", column, y,
				  mark, !want);
	}
}

#define ROWS(upper, lower) ((const int[2]){ (upper), (lower) })
#define NONE ROWS(1, 0)

static int count_cells(const struct plot *p, uint8_t mark)
{
	int n = 0;

	for (int x = 0; x < PLOT_WIDTH; x++)
		for (int y = 0; y < PLOT_HEIGHT; y++)
			n += !!(p->mark[x][y] & mark);
	return n;
}

/* ---- where things are ---- */

static void segments_lie_at_their_time_and_numbers(void)
{
	struct scene s = plain_scene();
	struct plotted d;
	char *text;

	end_scene(&s);
	d = plot_scene(&s, NULL);
	check_eq(d.plot->top, 3790);
	check_eq(d.plot->span, END_MS * TERN_MS);
	check_cells(d.plot, 100, PLOT_NEW, ROWS(BOTTOM - 98, BOTTOM));
	check_cells(d.plot, 200, PLOT_NEW, ROWS(BOTTOM - 358, BOTTOM - 100));
	check_cells(d.plot, 101, PLOT_NEW, NONE);
	check_eq(count_cells(d.plot, PLOT_AGAIN | PLOT_LOST | PLOT_SACKED | PLOT_PROBE), 0);
	text = plot_text(s.view, NULL);
	check_has(text, "M100 281v99");
	check_has(text, "M200 21v259");
	/* the SYN's at 20 ms, then 1001 at 150 and 3609 at 250 */
	check_has(text, "class=\"acked\" d=\"M20 379H150V279H250V19H1079\"");
	/* 1 + 65535 lies above; 1001 + 2560 at 356 rows; above again */
	check_has(text, "class=\"edge\" d=\"M20 -6H150V23H250V-6H1079\"");
	check_has(text, ">receive window's edge<");
	check_has(text, "3608 bytes in 0.150000 s, 192.426 kbit/s; 4 segments, 0 lost, "
			"0 retransmitted; 0 time-outs, 0 recoveries, 0 probes");
	check_has(text, ">a 10.0.0.1:40000 to b 10.0.0.2:80<");
	check_has(text, ">a &lt;run&gt;<");
	free(text);
	free_plotted(&d);
	view_free(s.view);
}

static void what_is_sent_again_and_lost_is_marked(void)
{
	struct scene s = plain_scene();
	struct plotted d;

	wait_until(&s, 300);
	scene_send(&s, 0, TCP_ACK, SEG(2001, 1, 500, 512));
	scene_tell(&s, VIEW_LOST, 0, "loss");
	end_scene(&s);
	d = plot_scene(&s, NULL);
	check_cells(d.plot, 300, PLOT_AGAIN, ROWS(BOTTOM - 248, BOTTOM - 200));
	check_cells(d.plot, 300, PLOT_NEW, NONE);
	check_cells(d.plot, 300, PLOT_LOST, ROWS(BOTTOM - 225, BOTTOM - 225));
	check_eq(count_cells(d.plot, PLOT_LOST), 1);
	free_plotted(&d);
	view_free(s.view);
}

static void sacked_ranges_are_marked_and_not_in_flight(void)
{
	struct scene s = flying_scene();
	struct plotted d;
	const struct plot_column *flight;

	wait_until(&s, 210);
	s.options = (struct tcp_hdr){ .n_sack = 2,
				      .sack = { { s.isn[0] + 2001, s.isn[0] + 3001 },
						/* a duplicate, told below the ACK: RFC 2883 */
						{ s.isn[0] + 1, s.isn[0] + 501 } } };
	scene_pass(&s, 1, TCP_ACK, SEG(1, 1001, 0, 512));
	end_scene(&s);
	d = plot_scene(&s, NULL);
	check_cells(d.plot, 220, PLOT_SACKED, ROWS(BOTTOM - 298, BOTTOM - 200));
	check_eq(count_cells(d.plot, PLOT_SACKED), 99);
	flight = d.plot->curve[PLOT_IN_FLIGHT];
	check_eq(flight[200].last, 2608);
	check_eq(flight[220].last, 1608);
	free_plotted(&d);
	view_free(s.view);
}

static void old_acks_change_nothing(void)
{
	struct scene s = plain_scene();
	struct plotted d;

	wait_until(&s, 400);
	scene_pass(&s, 1, TCP_ACK, SEG(1, 1001, 0, 1));
	end_scene(&s);
	d = plot_scene(&s, NULL);
	check(!d.plot->curve[PLOT_ACKED][410].any);
	check(!d.plot->curve[PLOT_EDGE][410].any);
	check_eq(d.plot->ended, 250 * TERN_MS);
	free_plotted(&d);
	view_free(s.view);
}

static void probes_are_told_apart(void)
{
	struct scene s = plain_scene();
	struct plotted d;

	wait_until(&s, 300);
	scene_tell(&s, VIEW_CAUSE, 0, "probe");
	scene_send(&s, 0, TCP_ACK, SEG(3609, 1, 1, 512));
	end_scene(&s);
	d = plot_scene(&s, NULL);
	check_cells(d.plot, 300, PLOT_PROBE, ROWS(BOTTOM - 360, BOTTOM - 360));
	check_eq(d.plot->n_probes, 1);
	check_eq(count_cells(d.plot, PLOT_AGAIN), 0);
	check(!d.plot->curve[PLOT_IN_FLIGHT][300].any);
	free_plotted(&d);
	view_free(s.view);
}

/* ---- recoveries and time-outs ---- */

static void lose_and_repair(struct scene *s, uint64_t ms)
{
	wait_until(s, ms);
	scene_tell(s, VIEW_CAUSE, 0, "fast-retransmit");
	scene_send(s, 0, TCP_ACK, SEG(1001, 1, 100, 512));
}

static void a_recovery_lasts_until_all_is_acknowledged(void)
{
	struct scene s = flying_scene();
	struct plotted d;

	lose_and_repair(&s, 210);
	lose_and_repair(&s, 220); /* the same one */
	wait_until(&s, 230);
	scene_pass(&s, 1, TCP_ACK, SEG(1, 3001, 0, 512)); /* not all */
	wait_until(&s, 290);
	scene_pass(&s, 1, TCP_ACK, SEG(1, 3609, 0, 512));
	end_scene(&s);
	d = plot_scene(&s, NULL);
	check_eq(d.plot->n_recoveries, 1);
	for (int x = 0; x < PLOT_WIDTH; x++)
		check_eq(d.plot->event[x], x >= 210 && x <= 300 ? PLOT_RECOVERY : 0);
	free_plotted(&d);
	view_free(s.view);
}

static void a_time_out_ends_a_recovery(void)
{
	struct scene s = flying_scene();
	struct plotted d;

	lose_and_repair(&s, 300);
	wait_until(&s, 500);
	scene_time_out(&s);
	lose_and_repair(&s, 600);
	end_scene(&s);
	d = plot_scene(&s, NULL);
	check_eq(d.plot->n_time_outs, 1);
	check_eq(d.plot->n_recoveries, 2);
	check_eq(d.plot->event[499], PLOT_RECOVERY);
	check_eq(d.plot->event[500], PLOT_RECOVERY | PLOT_TIME_OUT);
	check_eq(d.plot->event[501], 0);
	check_eq(d.plot->event[600], PLOT_RECOVERY);
	free_plotted(&d);
	view_free(s.view);
}

/* ---- figures of the stack ---- */

static void samples_become_curves(void)
{
	struct plot_samples ps = { 0 };
	struct scene s = plain_scene();
	char *text;

	wait_until(&s, 300);
	add_sample(&ps, &s,
		   (struct tern_trace){ .cwnd = 10000,
					.ssthresh = 0x7fffffff,
					.srtt = 20 * TERN_MS,
					.rto = 200 * TERN_MS });
	wait_until(&s, 400);
	add_sample(&ps, &s, (struct tern_trace){ .cwnd = 5000, .ssthresh = 5000 });
	add_sample(&ps, &s, (struct tern_trace){ .conn = 77, .cwnd = 999999 }); /* another's */
	end_scene(&s);
	text = plot_text(s.view, &ps);
	check_eq(ps.n, 3);
	check(!ps.incomplete);
	/* The axis reaches to 10501 over 200 rows. */
	check_has(text, "class=\"cwnd\" d=\"M300 10H400V105H1079\"");
	check_has(text, "class=\"ssthresh\" d=\"M400 105H1079\"");
	/* From 10 to 500 ms over 130 rows: 20 ms is one octave above the first of 5.7. */
	check_has(text, "class=\"srtt\" d=\"M300 107H1079\"");
	check_has(text, ">200 ms<");
	free(text);
	plot_samples_fini(&ps);
	view_free(s.view);
}

static void other_records_are_no_samples(void)
{
	struct plot_samples ps = { 0 };

	for (uint32_t kind = 0; kind <= TERN_TRACE_TIMER; kind++)
		plot_samples_take(&ps, 0, &(struct tern_trace){ .kind = kind, .cwnd = 1 });
	check_eq(ps.n, 1);
	plot_samples_fini(&ps);
}

/* Of the many values of one column none of the extremes is lost. */
static void a_column_keeps_its_extremes(void)
{
	struct plot_samples ps = { 0 };
	struct scene s = plain_scene();
	struct plotted d;
	const struct plot_column *c;

	wait_until(&s, 300);
	for (uint64_t i = 0; i < 1000; i++) {
		s.now += 100;
		add_sample(&ps, &s,
			   (struct tern_trace){ .cwnd = i == 400 ? 1 :
							i == 500 ? 90000 :
								   4000 + i });
	}
	end_scene(&s);
	d = plot_scene(&s, &ps);
	c = &d.plot->curve[PLOT_CWND][300];
	check_eq(c->first, 4000);
	check_eq(c->last, 4999);
	check_eq(c->lo, 1);
	check_eq(c->hi, 90000);
	free_plotted(&d);
	plot_samples_fini(&ps);
	view_free(s.view);
}

/* ---- much, little, nothing ---- */

static void thinning_keeps_every_place_of_a_retransmission(void)
{
	enum { N = 100000, LEN = 1000 };
	struct scene s = scene_new(false);
	struct plotted d;
	char *text;

	scene_handshake(&s);
	for (uint32_t i = 0; i < N; i++) {
		scene_wait(&s, 10 * TERN_US);
		scene_send(&s, 0, TCP_ACK, SEG(1 + i * LEN, 1, LEN, 512));
		if (i == N / 2) /* the same number as a quarter ago */
			scene_send(&s, 0, TCP_ACK, SEG(1 + N / 4 * LEN, 1, LEN, 512));
	}
	d = plot_scene(&s, NULL);
	check_eq(count_cells(d.plot, PLOT_AGAIN), 1);
	check(count_cells(d.plot, PLOT_NEW) >= PLOT_WIDTH - 100);
	free_plotted(&d);
	text = plot_text(s.view, NULL);
	check(strlen(text) < 100000);
	check_has(text, ">100 M<");
	check_has(text, "1 retransmitted");
	free(text);
	view_free(s.view);
}

static void nothing_is_told(void)
{
	struct view *empty = view_new(0);
	struct scene s = scene_new(true);
	char *text = plot_text(empty, NULL);

	check_has(text, "no TCP connection");
	check_has(text, "</svg>");
	free(text);
	view_free(empty);
	scene_handshake(&s);
	text = plot_text(s.view, NULL);
	check_has(text, "no data was sent");
	check_has(text, "no round trip was measured");
	check_has(text, ">0 bytes; 2 segments, ");
	check_has(text, "[fd00::1]:40000 to b [fd00::2]:80");
	free(text);
	view_free(s.view);
}

static void one_frame_alone_can_be_drawn(void)
{
	struct scene s = scene_new(false);
	char *text;

	wait_until(&s, 5000);
	scene_send(&s, 0, TCP_SYN, SEG(0, 0, 0, 1000));
	text = plot_text(s.view, NULL);
	check_has(text, "M0 192v188"); /* the SYN takes half of an axis of 2 */
	free(text);
	view_free(s.view);
}

static void the_busiest_connection_is_shown(void)
{
	struct scene s = plain_scene();
	char *text;

	s.addr[0].port = 40001;
	s.conn[0] = 3;
	s.conn[1] = 4;
	scene_handshake(&s);
	scene_pass(&s, 1, TCP_ACK, SEG(1, 1, 3700, 512));
	text = plot_text(s.view, NULL);
	check_has(text, "b 10.0.0.2:80 to a 10.0.0.1:40001, the busiest of 2 connections");
	check_has(text, ">3700 bytes");
	free(text);
	view_free(s.view);
}

/* ---- axes ---- */

static void ticks_are_round(void)
{
	static const struct {
		enum plot_measure measure;
		uint64_t lo, hi;
		unsigned n_max;
		uint64_t step, at;
		const char *label;
	} cases[] = {
		{ PLOT_BYTES, 0, 1120, 8, 200, 1000, "1000" },
		{ PLOT_BYTES, 0, 3790, 8, 500, 3500, "3.5 k" },
		{ PLOT_BYTES, 0, 31501, 8, 5000, 30000, "30 k" },
		{ PLOT_BYTES, 0, 105000076, 8, 20000000, 100000000, "100 M" },
		{ PLOT_BYTES, 0, 3150000, 8, 500000, 500000, "0.5 M" },
		{ PLOT_BYTES, 0, 2, 8, 1, 2, "2" },
		{ PLOT_BYTES, 0, 3, 8, 1, 0, "0" },
		{ PLOT_TIME, 20 * TERN_MS, 110 * TERN_MS, 12, 10 * TERN_MS, 30 * TERN_MS, "30 ms" },
		{ PLOT_TIME, 0, 863 * TERN_SEC, 12, 100 * TERN_SEC, 200 * TERN_SEC, "200 s" },
		{ PLOT_TIME, 5 * TERN_SEC, 5 * TERN_SEC + TERN_MS, 12, 100 * TERN_US,
		  5 * TERN_SEC + 200 * TERN_US, "5.0002 s" },
		{ PLOT_TIME, 0, 1000, 12, 100, 200, "200 ns" },
	};
	char label[PLOT_LABEL_MAX];

	for (size_t i = 0; i < N_TESTS(cases); i++) {
		struct plot_axis a =
			plot_axis_of(cases[i].measure, cases[i].lo, cases[i].hi, cases[i].n_max);

		test_at("case %zu", i);
		check_eq(a.step, cases[i].step);
		check_str(plot_axis_label(&a, cases[i].at, label), cases[i].label);
	}
	test_at("all");
}

static void round_numbers_follow_each_other(void)
{
	static const uint64_t want[] = { 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000 };

	for (size_t i = 0; i + 1 < N_TESTS(want); i++) {
		check_eq(plot_round_next(want[i]), want[i + 1]);
		check_eq(plot_round_down(want[i]), want[i]);
		check_eq(plot_round_down(want[i + 1] - 1), want[i]);
	}
	check_eq(plot_log(1), 0);
	check_eq(plot_log(2), 1024);
	check_eq(plot_log(3), 1536);
	check_eq(plot_log((uint64_t)1 << 40), 40 * 1024);
	for (uint64_t n = 1; n < 5000; n++)
		check(plot_log(n) <= plot_log(n + 1));
}

static const struct test tests[] = {
	TEST(segments_lie_at_their_time_and_numbers),
	TEST(what_is_sent_again_and_lost_is_marked),
	TEST(sacked_ranges_are_marked_and_not_in_flight),
	TEST(old_acks_change_nothing),
	TEST(probes_are_told_apart),
	TEST(a_recovery_lasts_until_all_is_acknowledged),
	TEST(a_time_out_ends_a_recovery),
	TEST(samples_become_curves),
	TEST(other_records_are_no_samples),
	TEST(a_column_keeps_its_extremes),
	TEST(thinning_keeps_every_place_of_a_retransmission),
	TEST(nothing_is_told),
	TEST(one_frame_alone_can_be_drawn),
	TEST(the_busiest_connection_is_shown),
	TEST(ticks_are_round),
	TEST(round_numbers_follow_each_other),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
