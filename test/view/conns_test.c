/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conns_test.c - the conversations of captures that say nothing but packets: where one ends and the
 * next begins, and what its segments mean.
 */
#include "../../view/list.h"
#include "capture_file.h"
#include "test.h"

/* The same ports again: another conversation; the table has both, --conn takes one. */
static void a_new_number_opens_another_conversation(void)
{
	struct scene s = scene_new(false);
	struct file f = { 0 };
	const char *why;
	struct capture *c;

	scene_send(&s, 0, TCP_SYN, SEG(0, 0, 0, 1000));
	s.isn[0] += 100000;
	scene_send(&s, 0, TCP_SYN, SEG(0, 0, 0, 1000));
	scene_send(&s, 1, TCP_SYN | TCP_ACK, SEG(0, 1, 0, 1000));
	put_head(&f, 0xa1b2c3d4, 1);
	for (size_t i = 0; i < s.view->n_events; i++)
		put_packet(&f, (const uint32_t[2]){ 0, 0 }, &s.view->event[i]);
	c = read_file(f.bytes, f.len, true, &why);
	check(c && c->n_conns == 2 && c->view->n_events == 0);
	if (c) {
		check_eq(c->conn[0].n_packets[0], 1);
		check_eq(c->conn[1].n_packets[0] + c->conn[1].n_packets[1], 2);
		check_str(list_ended(&c->conn[0].flow), "no answer");
		check_str(list_ended(&c->conn[1].flow), "open");
	}
	capture_free(c);
	view_free(s.view);
}

/* Who answers with SYN cookies has another number for a SYN that comes again. */
static void the_last_answer_has_the_number(void)
{
	struct scene s = scene_new(false);
	struct capture *c;

	scene_send(&s, 0, TCP_SYN, SEG(0, 0, 0, 1000));
	scene_send(&s, 1, TCP_SYN | TCP_ACK, SEG(0, 1, 0, 1000));
	scene_send(&s, 0, TCP_SYN, SEG(0, 0, 0, 1000));
	s.isn[1] += 777000;
	scene_send(&s, 1, TCP_SYN | TCP_ACK, SEG(0, 1, 0, 1000));
	scene_send(&s, 0, TCP_ACK, SEG(1, 1, 50, 1000));
	scene_send(&s, 1, TCP_ACK, SEG(1, 51, 20, 1000));
	c = capture_of(&s);
	check(c && c->n_conns == 1);
	check_eq(c ? c->conn[0].flow.side[0].n_bytes : 0, 50);
	check_eq(c ? c->conn[0].flow.side[1].n_bytes : 0, 20);
	capture_free(c);
}

/* But not when the first has been acknowledged: a stray changes nothing. */
static void an_answer_that_counts_stays(void)
{
	struct scene s = scene_new(false);
	struct capture *c;

	scene_send(&s, 0, TCP_SYN, SEG(0, 0, 0, 1000));
	scene_send(&s, 1, TCP_SYN | TCP_ACK, SEG(0, 1, 0, 1000));
	scene_send(&s, 0, TCP_ACK, SEG(1, 1, 0, 1000));
	s.isn[1] -= 777000;
	scene_send(&s, 1, TCP_SYN | TCP_ACK, SEG(0, 1, 0, 1000));
	s.isn[1] += 777000;
	scene_send(&s, 1, TCP_ACK, SEG(1, 1, 20, 1000));
	c = capture_of(&s);
	check(c && c->n_conns == 1);
	check_eq(c ? c->conn[0].flow.side[1].n_bytes : 0, 20);
	capture_free(c);
}

/* The same ports again, captured only where the answers come from. */
static void an_answer_to_another_call_is_another_conversation(void)
{
	struct scene s = scene_new(false);
	struct capture *c;

	for (uint32_t i = 0; i < 2; i++) {
		scene_send(&s, 1, TCP_SYN | TCP_ACK, SEG(0, 1, 0, 1000));
		scene_send(&s, 1, TCP_ACK, SEG(1, 1, 1000 - i * 500, 1000));
		scene_send(&s, 1, TCP_FIN | TCP_ACK, SEG(1001 - i * 500, 2, 0, 1000));
		s.isn[0] += 900000000;
		s.isn[1] += 3000000000U;
	}
	c = capture_of(&s);
	check(c && c->n_conns == 2);
	for (size_t i = 0; c && i < c->n_conns; i++) {
		check_eq(c->conn[i].flow.side[1].n_bytes, 1000 - i * 500);
		check_eq(c->conn[i].flow.side[1].n_retransmitted, 0);
	}
	capture_free(c);
}

/* RFC 9293 3.8.4: it may contain one octet of garbage. One that nobody has acknowledged is text. */
static void an_octet_of_garbage_keeps_alive(void)
{
	for (uint32_t acked = 0; acked < 2; acked++) {
		struct scene s = scene_new(false);
		struct capture *c;

		scene_send(&s, 0, TCP_ACK, SEG(1, 1, 10, 1000));
		scene_send(&s, 1, TCP_ACK, SEG(1, acked ? 11 : 10, 0, 1000));
		scene_send(&s, 0, TCP_ACK, SEG(10, 1, 1, 1000));
		c = capture_of(&s);
		test_at("acknowledged: %u", acked);
		check_eq(shows(c, FULL, "[keepalive]"), acked);
		check(!shows(c, FULL, "out-of-order"));
		check_eq(c ? c->conn[0].flow.side[0].n_retransmitted : 9, 1 - acked);
		capture_free(c);
	}
}

/* An ACK that was overtaken by the FIN behind it has that number, too, and says less than it. */
static void an_ack_that_was_overtaken_keeps_nothing_alive(void)
{
	for (uint32_t late = 0; late < 2; late++) {
		struct scene s = scene_new(false);
		struct capture *c;

		scene_send(&s, 0, TCP_ACK, SEG(1, 1, 20, 1000));
		scene_send(&s, 1, TCP_FIN | TCP_ACK, SEG(1, 21, 0, 1000));
		scene_send(&s, 1, TCP_ACK, SEG(1, late ? 11 : 21, 0, 1000));
		c = capture_of(&s);
		test_at("late: %u", late);
		check_eq(shows(c, FULL, "[keepalive]"), !late);
		capture_free(c);
	}
}

/* As Linux asks whether a closed window has opened: no text, the number before the next. */
static void a_number_that_has_been_asks_for_a_window(void)
{
	for (uint32_t open = 0; open < 2; open++) {
		struct scene s = scene_new(false);
		struct capture *c;

		scene_send(&s, 0, TCP_ACK, SEG(1, 1, 1000, 1000));
		scene_send(&s, 1, TCP_ACK, SEG(1, 1001, 0, open));
		scene_send(&s, 0, TCP_ACK, SEG(1000, 1, 0, 1000));
		c = capture_of(&s);
		test_at("open: %u", open);
		check_eq(shows(c, FULL, "[probe]"), !open);
		check_eq(shows(c, FULL, "[keepalive]"), open);
		capture_free(c);
	}
}

/* RFC 9293 3.8.6.1: of one octet that is taken when the window has opened. */
static void the_octet_of_a_probe_counts_when_it_is_taken(void)
{
	struct scene s = scene_new(false);
	struct capture *c;

	scene_send(&s, 0, TCP_ACK, SEG(1, 1, 1000, 1000));
	scene_send(&s, 1, TCP_ACK, SEG(1, 1001, 0, 0));
	scene_send(&s, 0, TCP_ACK, SEG(1001, 1, 1, 1000));
	scene_send(&s, 1, TCP_ACK, SEG(1, 1002, 0, 1000));
	scene_send(&s, 0, TCP_FIN | TCP_ACK, SEG(1002, 1, 0, 1000));
	c = capture_of(&s);
	check(shows(c, FULL, "[probe]") && !shows(c, FULL, "gap before it"));
	check(shows(c, FULL, "1001 bytes >, 0 <"));
	capture_free(c);
}

/* The octet is not taken: a reset with its number is the next. */
static void a_reset_behind_a_refused_probe_counts(void)
{
	struct scene s = scene_new(false);
	struct capture *c;

	scene_send(&s, 0, TCP_ACK, SEG(1, 1, 1000, 1000));
	scene_send(&s, 1, TCP_ACK, SEG(1, 1001, 0, 0));
	scene_send(&s, 0, TCP_ACK, SEG(1001, 1, 1, 1000));
	scene_send(&s, 1, TCP_ACK, SEG(1, 1001, 0, 0));
	scene_send(&s, 0, TCP_RST | TCP_ACK, SEG(1001, 1, 0, 1000));
	c = capture_of(&s);
	check_eq(c ? c->conn[0].deduced.n_resets_ignored : 9, 0);
	check_eq(c ? c->conn[0].deduced.state[1] : 99, TERN_TCP_CLOSED);
	capture_free(c);
}

/* RFC 9293 3.10.7.4: beyond the window it is dropped. The list and the last line say so, too. */
static void a_reset_that_does_not_count_ends_nothing(void)
{
	for (uint32_t beyond = 0; beyond < 2; beyond++) {
		struct scene s = scene_new(false);
		struct capture *c;

		scene_send(&s, 0, TCP_SYN, SEG(0, 0, 0, 1000));
		scene_send(&s, 1, TCP_SYN | TCP_ACK, SEG(0, 1, 0, 1000));
		scene_send(&s, 0, TCP_ACK, SEG(1, 1, 10, 1000));
		scene_send(&s, 1, TCP_RST, SEG(1 + beyond * 5000, 0, 0, 1000));
		c = capture_of(&s);
		test_at("beyond: %u", beyond);
		check_str(c ? list_ended(&c->conn[0].flow) : "", beyond ? "open" : "reset");
		check_eq(shows(c, FULL, "ended by a reset"), !beyond);
		check_eq(shows(c, FULL, "none closed"), beyond);
		capture_free(c);
	}
}

/* A reset of who repeats and hears nothing gives up; of who was answered it is a reset. */
static void who_was_answered_does_not_give_up(void)
{
	for (uint32_t answered = 0; answered < 2; answered++) {
		struct scene s = scene_new(false);
		struct capture *c;

		scene_send(&s, 0, TCP_SYN, SEG(0, 0, 0, 1000));
		scene_send(&s, 1, TCP_SYN | TCP_ACK, SEG(0, 1, 0, 1000));
		scene_send(&s, 0, TCP_ACK, SEG(1, 1, 10, 1000));
		scene_send(&s, 0, TCP_ACK, SEG(1, 1, 10, 1000));
		if (answered)
			scene_send(&s, 1, TCP_ACK, SEG(1, 11, 0, 1000));
		scene_send(&s, 0, TCP_RST | TCP_ACK, SEG(11, 1, 0, 0));
		c = capture_of(&s);
		test_at("answered: %u", answered);
		check_str(c ? list_ended(&c->conn[0].flow) : "", answered ? "reset" : "gave up");
		capture_free(c);
	}
}

/* Behind a gap, at once: overtaken on the way. Later: sent again. */
static void reordering_is_no_retransmission(void)
{
	for (uint32_t late = 0; late < 2; late++) {
		struct scene s = scene_new(false);
		struct file f = { 0 };
		const char *why;
		struct capture *c;

		scene_send(&s, 0, TCP_ACK, SEG(1, 1, 10, 1000));
		scene_send(&s, 0, TCP_ACK, SEG(31, 1, 10, 1000));
		scene_send(&s, 0, TCP_ACK, SEG(11, 1, 10, 1000));
		scene_send(&s, 0, TCP_ACK, SEG(21, 1, 10, 1000));
		put_head(&f, 0xa1b2c3d4, 1);
		for (uint32_t i = 0; i < 4; i++)
			put_packet(&f, (const uint32_t[2]){ 0, i * 100 + (i > 1) * late * 50000 },
				   &s.view->event[i]);
		c = read_file(f.bytes, f.len, false, &why);
		test_at("late %u", late);
		check(shows(c, FULL, "seq=31 ack=1 len=10 win=1000 [gap before it]"));
		check_eq(shows(c, FULL, "out-of-order"), !late);
		check_eq(shows(c, FULL, "retransmission"), late);
		check_eq(c ? c->conn[0].flow.side[0].n_retransmitted : 9, 2 * late);
		capture_free(c);
		view_free(s.view);
	}
}

/* Whatever the time: a retransmission bears a later timestamp than what overtook it. */
static void timestamps_tell_what_was_overtaken(void)
{
	for (uint32_t again = 0; again < 2; again++) {
		const uint32_t number[] = { 1, 21, 31, 11 }, ts_val[] = { 7, 9, 9, again ? 11 : 8 };
		struct scene s = scene_new(false);
		struct capture *c;

		for (size_t i = 0; i < 4; i++) {
			for (int j = 0; i == 3 && j < 3; j++) /* 4 ms behind what overtook it */
				scene_send(&s, 1, TCP_ACK, SEG(1, 11, 0, 1000));
			s.options.has_ts = true;
			s.options.ts_val = ts_val[i];
			scene_send(&s, 0, TCP_ACK, SEG(number[i], 1, 10, 1000));
		}
		c = capture_of(&s);
		test_at("again: %u", again);
		check_eq(shows(c, FULL, "out-of-order"), !again);
		check_eq(c ? c->conn[0].flow.side[0].n_retransmitted : 9, again);
		capture_free(c);
	}
}

/* It is told late: at its own time, unless its conversation has gone on since. */
static void a_datagram_with_missing_fragments_stands_at_its_own_time(void)
{
	enum { FRAME = 14 + 20 + 80, FLAGS_OF_SECOND = 24 + 16 + FRAME + 16 + 14 + 6 };

	for (int goes_on = 0; goes_on < 2; goes_on++) {
		struct scene s = scene_new(false);
		struct file f = { 0 };
		const char *why;
		struct capture *c;

		s.proto = TERN_IPPROTO_UDP;
		for (int i = 0; i < 3; i++) {
			s.addr[0].port = i == 2 && !goes_on ? 50000 : 40000;
			scene_send(&s, 0, 0, SEG(0, 0, 60, 0));
		}
		put_head(&f, 0xa1b2c3d4, 1);
		for (uint32_t i = 0; i < 3; i++)
			put_packet(&f, (const uint32_t[2]){ i, 0 }, &s.view->event[i]);
		put_be16(f.bytes + FLAGS_OF_SECOND, 0x2000); /* more fragments */
		c = read_file(f.bytes, f.len, false, &why);
		test_at("goes on: %d", goes_on);
		check(has_remark(c, "is where a datagram with missing fragments is given up"));
		check_eq(c ? c->conn[0].flow.last_at : 9, (goes_on ? 2 : 1) * TERN_SEC);
		check_eq(c ? c->conn[0].n_packets[0] : 9, goes_on ? 3 : 2);
		check(shows(c, FULL, "fragments missing"));
		check_eq(shows(c, FULL, "1.000000"), !goes_on);
		capture_free(c);
		view_free(s.view);
	}
}

/* What the scene has just sent goes to a file, and is forgotten: no view holds so many. */
static void move_to_file(FILE *in, struct scene *s, const uint32_t time[2])
{
	struct file f = { 0 };

	if (ftell(in) == 0)
		put_head(&f, 0xa1b2c3d4, 1);
	put_packet(&f, time, &s->view->event[0]);
	fwrite(f.bytes, 1, f.len, in);
	view_free(s->view);
	s->view = view_new(0);
	s->n_frames = 0;
}

/* Ten thousand packets: the view holds few, the table and the picture count all. */
static void a_long_conversation_is_folded(void)
{
	enum { N = 10000 };
	struct scene s = scene_new(false);
	FILE *in = tmpfile();
	const char *why;
	struct capture *c;

	for (uint32_t i = 0; in && i < N; i++) {
		scene_send(&s, 0, TCP_ACK, SEG(1 + i * 10, 1, 10, 1000));
		move_to_file(in, &s, (const uint32_t[2]){ 0, i });
	}
	c = read_stream(in, false, &why);
	check(c && c->n_packets == N && c->view->n_events < 1500);
	check(has_remark(c, "counted in the picture, not drawn"));
	check(shows(c, FOLDED, "9998 segments 99980 bytes >"));
	check(shows(c, FOLDED, "100000 bytes >, 0 <"));
	capture_free(c);
	view_free(s.view);
}

/* What is left out stands where it was: silence is what follows it. */
static void silence_behind_what_is_left_out_is_told(void)
{
	enum { N = 1000 };
	struct scene s = scene_new(false);
	FILE *in = tmpfile();
	const char *why;
	struct capture *c;

	for (uint32_t i = 0; in && i <= N; i++) {
		scene_send(&s, 0, i < N ? TCP_ACK : TCP_FIN | TCP_ACK,
			   SEG(1 + i * 10, 1, i < N ? 10 : 0, 1000));
		move_to_file(in, &s,
			     (const uint32_t[2]){ i * 2 / N + 60 * (i == N), i % (N / 2) * 2000 });
	}
	c = read_stream(in, false, &why);
	check(shows(c, FOLDED, "60.002 s pass"));
	check(shows(c, FOLDED, "0.004000  : ... 998 segments"));
	capture_free(c);
	view_free(s.view);
}

static const struct test tests[] = {
	TEST(a_new_number_opens_another_conversation),
	TEST(the_last_answer_has_the_number),
	TEST(an_answer_that_counts_stays),
	TEST(an_answer_to_another_call_is_another_conversation),
	TEST(an_octet_of_garbage_keeps_alive),
	TEST(an_ack_that_was_overtaken_keeps_nothing_alive),
	TEST(a_number_that_has_been_asks_for_a_window),
	TEST(the_octet_of_a_probe_counts_when_it_is_taken),
	TEST(a_reset_behind_a_refused_probe_counts),
	TEST(a_reset_that_does_not_count_ends_nothing),
	TEST(who_was_answered_does_not_give_up),
	TEST(reordering_is_no_retransmission),
	TEST(timestamps_tell_what_was_overtaken),
	TEST(a_datagram_with_missing_fragments_stands_at_its_own_time),
	TEST(a_long_conversation_is_folded),
	TEST(silence_behind_what_is_left_out_is_told),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
