/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ladder_test.c - pictures of small scenes, and what holds for every picture.
 */
#include "scene.h"
#include "test.h"

static void check_drawn(const struct view *v, const char *want)
{
	char *got = scene_draw(v, ladder_text, false);

	if (strcmp(got, want) != 0)
		test_fail(__FILE__, __LINE__, "the picture is\n%s\nnot\n%s", got, want);
	free(got);
}

static void draws_open_and_close(void)
{
	struct scene s = scene_new(false);

	scene_handshake(&s);
	scene_pass(&s, 0, TCP_PSH | TCP_ACK, SEG(1, 1, 78, 512));
	scene_pass(&s, 1, TCP_PSH | TCP_ACK, SEG(1, 79, 512, 512));
	scene_close(&s, 78, 512);
	check_drawn(
		s.view,
		"             10.0.0.1:40000                                          10.0.0.2:80\n"
		"    seconds  a, active                                                b, passive\n"
		"             CLOSED                                                       LISTEN\n"
		"   0.000000  SYN-SENT                                                          |\n"
		"             |--- SYN seq=0 win=65535 mss=1460 ws=7 sack-ok ts --------------->|\n"
		"   0.010000  |                                                      SYN-RECEIVED\n"
		"             |<-- SYN,ACK seq=0 ack=1 win=65535 mss=1460 ws=7 sack-ok ts ------|\n"
		"   0.020000  ESTABLISHED                                                       |\n"
		"             |--- ACK seq=1 ack=1 win=65536 ---------------------------------->|\n"
		"   0.030000  |                                                       ESTABLISHED\n"
		"             |--- PSH,ACK seq=1 ack=1 len=78 win=65536 ----------------------->|\n"
		"   0.040000  |<-- PSH,ACK seq=1 ack=79 len=512 win=65536 ----------------------|\n"
		"   0.050000  FIN-WAIT-1                                                        |\n"
		"             |--- FIN,ACK seq=79 ack=513 win=65536 --------------------------->|\n"
		"   0.060000  |                                                        CLOSE-WAIT\n"
		"             |<-- ACK seq=513 ack=80 win=65536 --------------------------------|\n"
		"   0.070000  FIN-WAIT-2                                                        |\n"
		"             |                                                          LAST-ACK\n"
		"             |<-- FIN,ACK seq=513 ack=80 win=65536 ----------------------------|\n"
		"   0.080000  TIME-WAIT                                                         |\n"
		"             |--- ACK seq=80 ack=514 win=65536 ------------------------------->|\n"
		"   0.090000  |                                                            CLOSED\n"
		"             :                          59.990 s pass                          :\n"
		"  60.080000  CLOSED                                                            |\n"
		"a opened, a closed; 78 bytes >, 512 <; TIME-WAIT to 60.1 s\n");
	view_free(s.view);
}

static void crossing_segments_are_two_lines(void)
{
	struct scene s = scene_new(false);
	uint64_t f, g;

	scene_state(&s, 0, TERN_TCP_CLOSED, TERN_TCP_SYN_SENT);
	f = scene_send(&s, 0, TCP_SYN, SEG(0, 0, 0, 1000));
	scene_state(&s, 1, TERN_TCP_CLOSED, TERN_TCP_SYN_SENT);
	g = scene_send(&s, 1, TCP_SYN, SEG(0, 0, 0, 1000));
	scene_wait(&s, 10 * TERN_MS);
	scene_arrive(&s, 1, f);
	scene_state(&s, 1, TERN_TCP_SYN_SENT, TERN_TCP_SYN_RECEIVED);
	f = scene_send(&s, 1, TCP_SYN | TCP_ACK, SEG(0, 1, 0, 1000));
	scene_arrive(&s, 0, g);
	scene_state(&s, 0, TERN_TCP_SYN_SENT, TERN_TCP_SYN_RECEIVED);
	g = scene_send(&s, 0, TCP_SYN | TCP_ACK, SEG(0, 1, 0, 1000));
	scene_wait(&s, 10 * TERN_MS);
	scene_arrive(&s, 0, f);
	scene_state(&s, 0, TERN_TCP_SYN_RECEIVED, TERN_TCP_ESTABLISHED);
	scene_arrive(&s, 1, g);
	scene_state(&s, 1, TERN_TCP_SYN_RECEIVED, TERN_TCP_ESTABLISHED);
	check_drawn(
		s.view,
		"             10.0.0.1:40000                                          10.0.0.2:80\n"
		"    seconds  a, active                                                 b, active\n"
		"             CLOSED                                                       CLOSED\n"
		"   0.000000  SYN-SENT                                                          |\n"
		"             |--- SYN seq=0 win=1000 ----------------> (1)                     |\n"
		"             |                                                          SYN-SENT\n"
		"             |<-- SYN seq=0 win=1000 ------------------------------------------|\n"
		"   0.010000  |                                        (1) --- SYN seq=0 ------>|\n"
		"             |                                                      SYN-RECEIVED\n"
		"             |                     (2) <-- SYN,ACK seq=0 ack=1 win=1000 -------|\n"
		"             SYN-RECEIVED                                                      |\n"
		"             |--- SYN,ACK seq=0 ack=1 win=1000 ------------------------------->|\n"
		"   0.020000  |<-- SYN,ACK seq=0 ack=1 ------- (2)                              |\n"
		"             ESTABLISHED                                                       |\n"
		"             |                                                       ESTABLISHED\n"
		"both opened, none closed; 0 bytes >, 0 <; still open\n");
	view_free(s.view);
}

static void a_loss_ends_on_the_way(void)
{
	struct scene s = scene_new(false);

	scene_send(&s, 0, TCP_SYN, SEG(0, 0, 0, 1000));
	scene_tell(&s, VIEW_LOST, 0, "filter");
	scene_wait(&s, TERN_SEC);
	scene_tell(&s, VIEW_CAUSE, 0, "rto");
	scene_pass(&s, 0, TCP_SYN, SEG(0, 0, 0, 1000));
	scene_tell(&s, VIEW_DROP, 1, "tcp-no-socket");
	s.isn[1] = 0;
	scene_pass(&s, 1, TCP_RST | TCP_ACK, SEG(0, 1, 0, 0));
	check_drawn(
		s.view,
		"             10.0.0.1:40000                                          10.0.0.2:80\n"
		"    seconds  a, active                                                b, passive\n"
		"             |                                                                 |\n"
		"   0.000000  |--- SYN seq=0 win=1000 ----------------X lost: filter            |\n"
		"             :                          1.000 s pass                           :\n"
		"   1.000000  |--- SYN seq=0 win=1000 [retransmission: rto] ------------------->|\n"
		"             |    [dropped: tcp-no-socket]                                     |\n"
		"   1.010000  |<-- RST,ACK seq=0 ack=1 win=0 -----------------------------------|\n"
		"a opened, b refused; 0 bytes >, 0 <; 1 lost, 1 resent;\n"
		"  nothing listens at 10.0.0.2:80\n");
	view_free(s.view);
}

/* 100 segments with an ACK for every second one; number 50 arrives a second time. */
static struct scene long_scene(void)
{
	struct scene s = scene_new(true);
	uint64_t f;

	scene_handshake(&s);
	for (uint32_t i = 0; i < 100; i++) {
		f = scene_send(&s, 0, TCP_ACK, SEG(1 + 1000 * i, 1, 1000, 512));
		if (i == 50)
			scene_duplicate(&s, f);
		scene_wait(&s, TERN_MS);
		scene_arrive(&s, 1, f);
		if (i == 50)
			scene_arrive(&s, 1, f + 1);
		if (i % 2)
			scene_pass(&s, 1, TCP_ACK, SEG(1, 1001 + 1000 * i, 0, 512));
	}
	return s;
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void folds_what_is_even(void)
{
	struct scene s = long_scene();
	char *folded = scene_draw(s.view, ladder_text, false);
	char *full = scene_draw(s.view, ladder_text, true);

	check(strstr(folded, "... 47 segments 47000 bytes >, 24 ACKs < ..."));
	check(strstr(folded, "... 47 segments 47000 bytes >, 23 ACKs < ..."));
	check(strstr(folded, "copy --- ACK seq=50001 [duplicate] ---"));
	check(count_lines(folded) < 40);
	check(!strstr(full, "..."));
	check(count_lines(full) > 160);
	free(folded);
	free(full);
	view_free(s.view);
}

static void marks_what_is_remarkable(void)
{
	struct scene s = scene_new(false);
	uint64_t late;
	char *text;

	scene_handshake(&s);
	late = scene_send(&s, 0, TCP_ACK, SEG(1, 1, 100, 512));
	scene_pass(&s, 0, TCP_ACK, SEG(101, 1, 100, 512));
	scene_arrive(&s, 1, late);
	scene_pass(&s, 0, TCP_ACK, SEG(1, 1, 100, 512));
	scene_pass(&s, 1, TCP_ACK, SEG(1, 201, 0, 0));
	scene_pass(&s, 0, TCP_ACK, SEG(201, 1, 1, 512));
	scene_pass(&s, 1, TCP_ACK, SEG(0, 201, 0, 0));
	scene_send(&s, 0, TCP_PSH | TCP_ACK, SEG(202, 1, 10, 512));
	scene_tell(&s, VIEW_CORRUPTED, 0, NULL);
	scene_arrive(&s, 1, s.n_frames);
	scene_tell(&s, VIEW_DROP, 1, "tcp-checksum");
	text = scene_draw(s.view, ladder_text, false);
	check(strstr(text, "(1) --- ACK seq=1 [out-of-order] ---"));
	check(strstr(text, "seq=1 ack=1 len=100 win=65536 [retransmission] ---"));
	check(strstr(text, "ack=201 win=0 [zero-window] "));
	check(strstr(text, "seq=201 ack=1 len=1 win=65536 [probe] ---"));
	check(strstr(text, "seq=0 ack=201 win=0 [keepalive] [zero-window] "));
	check(strstr(text, "[corrupted]"));
	check(strstr(text, "[dropped: tcp-checksum]"));
	free(text);
	view_free(s.view);
}

/* Every kind of scene, for what must hold of all pictures. */
static struct scene any_scene(int i)
{
	struct scene s = i == 0 ? long_scene() : scene_new(i & 1);

	if (i == 0)
		return s;
	s.raw_ip = i & 2;
	if (i & 1)
		for (int b = 1; b < 15; b++)
			s.addr[0].ip[b] = s.addr[1].ip[b] = (uint8_t)(0x11 * b);
	scene_handshake(&s);
	s.options.n_sack = 3;
	for (uint32_t b = 0; b < 3; b++)
		s.options.sack[b] = (struct tcp_sack){ s.isn[0] + 1000000000 * b,
						       s.isn[0] + 1000000000 * b + 65535 };
	scene_pass(&s, 1, TCP_PSH | TCP_URG | TCP_ACK, SEG(2000000000, 2100000000, 10, 65535));
	scene_tell(&s, VIEW_DROP, 0, "a-reason-that-is-as-long-as-reasons-get");
	scene_send(&s, 1, TCP_PSH | TCP_URG | TCP_ACK, SEG(2000000000, 2100000000, 10, 65535));
	scene_tell(&s, VIEW_LOST, 1, "another-reason-that-is-much-too-long-for-a-line");
	scene_wait(&s, 20000000 * TERN_SEC);
	scene_close(&s, 0, 2000000009);
	return s;
}

static void no_line_is_wider_than_80(void)
{
	for (int i = 0; i < 4; i++) {
		struct scene s = any_scene(i);
		char *text = scene_draw(s.view, ladder_text, true);

		for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
			if (strlen(line) > 80)
				test_fail(__FILE__, __LINE__, "too wide: %s", line);
		free(text);
		view_free(s.view);
	}
}

/* The tags nest, attributes are quoted, entities are known: enough for what we write. */
static bool is_well_formed(const char *p)
{
	char open[16][16];
	int depth = 0;

	while ((p = strpbrk(p, "<&")) != NULL) {
		const char *end = strpbrk(p, *p == '<' ? ">" : ";"), *name = p + 1;
		size_t n;

		if (!end)
			return false;
		if (*p == '&') {
			if (strncmp(p, "&lt;", 4) && strncmp(p, "&gt;", 4) &&
			    strncmp(p, "&amp;", 5))
				return false;
			p = end;
			continue;
		}
		name += *name == '/';
		n = strcspn(name, " />");
		if (n == 0 || n > 15)
			return false;
		if (p[1] == '/') {
			if (depth == 0 || strlen(open[--depth]) != n ||
			    strncmp(open[depth], name, n))
				return false;
		} else if (end[-1] != '/') {
			if (depth == 16)
				return false;
			memcpy(open[depth], name, n);
			open[depth++][n] = 0;
		}
		p = end;
	}
	return depth == 0;
}

static void svg_is_well_formed(void)
{
	for (int i = 0; i < 4; i++) {
		struct scene s = any_scene(i);
		char *text;

		view_name_host(s.view, 0, "<a & \"b\">");
		text = scene_draw(s.view, ladder_svg, false);
		test_at("scene %d", i);
		check(strncmp(text, "<svg ", 5) == 0);
		check(is_well_formed(text));
		check(strstr(text, ">TIME-WAIT</text>") || i == 0);
		free(text);
		view_free(s.view);
	}
}

/* Brackets and quotes match, and nothing but JSON's own characters stands outside strings. */
static bool is_balanced_json(const char *p)
{
	char open[64];
	int depth = 0;

	for (; *p; p++) {
		if (*p == '"') {
			for (p++; *p && *p != '"'; p++)
				p += *p == '\\';
			if (!*p)
				return false;
		} else if (*p == '{' || *p == '[') {
			if (depth == 64)
				return false;
			open[depth++] = *p;
		} else if (*p == '}' || *p == ']') {
			if (depth == 0 || open[--depth] != (*p == '}' ? '{' : '['))
				return false;
			if (p[-1] == ',')
				return false;
		}
	}
	return depth == 0;
}

static void json_is_complete(void)
{
	for (int i = 0; i < 4; i++) {
		struct scene s = any_scene(i);
		char *text;

		view_name_host(s.view, 1, "quote \" and \\");
		text = scene_draw(s.view, ladder_json, false);
		test_at("scene %d", i);
		check(is_balanced_json(text));
		check(strstr(text, "\"flags\":\"SYN,ACK\",\"seq\":0,\"ack\":1,\"window\":65535,"));
		check(strstr(text, "\"name\":\"quote \\\" and \\\\\""));
		free(text);
		view_free(s.view);
	}
}

/* A frame of the view that is not TCP. */
static void send_other(struct scene *s, uint8_t proto, int from, const uint8_t body[16])
{
	uint8_t frame[128];
	size_t l3 = scene_link_header(s, from, frame), l4;

	s->proto = proto;
	l4 = l3 + scene_ip_header(s, from, 16, frame + l3);
	memcpy(frame + l4, body, 16);
	scene_frame(s, from, frame, l4 + 16);
	scene_wait(s, TERN_MS);
	scene_arrive(s, 1 - from, s->n_frames);
}

static void draws_datagrams_and_echo(void)
{
	struct scene s = scene_new(false);

	send_other(&s, TERN_IPPROTO_UDP, 0, (const uint8_t[16]){ 0x9c, 0x40, 0, 53, 0, 16 });
	send_other(&s, TERN_IPPROTO_ICMP, 0, (const uint8_t[16]){ 8, 0, 0, 0, 0, 7, 0, 1 });
	send_other(&s, TERN_IPPROTO_ICMP, 1, (const uint8_t[16]){ 0, 0, 0, 0, 0, 7, 0, 1 });
	check_drawn(
		s.view,
		"             10.0.0.1:40000                                          10.0.0.2:53\n"
		"    seconds  a                                                                 b\n"
		"             |                                                                 |\n"
		"   0.000000  |--- UDP len=8 -------------------------------------------------->|\n"
		"1 packet; 8 bytes >, 0 <\n"
		"\n"
		"             10.0.0.1                                                   10.0.0.2\n"
		"    seconds  a                                                                 b\n"
		"             |                                                                 |\n"
		"   0.001000  |--- echo-request id=7 seq=1 len=8 ------------------------------>|\n"
		"   0.002000  |<-- echo-reply id=7 seq=1 len=8 ---------------------------------|\n"
		"2 packets; 8 bytes >, 8 <\n");
	view_free(s.view);
}

static void an_endpoint_may_talk_to_itself(void)
{
	struct scene s = scene_new(false);
	char *text;

	s.addr[1] = s.addr[0];
	s.isn[1] = s.isn[0];
	s.raw_ip = true;
	scene_state(&s, 0, TERN_TCP_CLOSED, TERN_TCP_SYN_SENT);
	scene_pass(&s, 0, TCP_SYN, SEG(0, 0, 0, 1000));
	scene_state(&s, 0, TERN_TCP_SYN_SENT, TERN_TCP_SYN_RECEIVED);
	scene_pass(&s, 0, TCP_SYN | TCP_ACK, SEG(0, 1, 0, 1000));
	scene_state(&s, 0, TERN_TCP_SYN_RECEIVED, TERN_TCP_ESTABLISHED);
	text = scene_draw(s.view, ladder_text, false);
	check(strstr(text, "a, to itself"));
	check(strstr(text, "|--- SYN,ACK seq=0 ack=1 win=1000 ---"));
	check(strstr(text, "a opened to itself, none closed; "));
	free(text);
	view_free(s.view);
}

/* A stack's clock stands still while it answers: the order decides, not the instant. */
static void who_answers_at_once_has_not_closed_first(void)
{
	struct scene s = scene_new(false);
	uint64_t f;
	char *text;

	scene_handshake(&s);
	f = scene_send(&s, 1, TCP_FIN | TCP_ACK, SEG(1, 1, 0, 512));
	scene_arrive(&s, 0, f);
	f = scene_send(&s, 0, TCP_FIN | TCP_ACK, SEG(1, 2, 0, 512));
	scene_arrive(&s, 1, f);
	text = scene_draw(s.view, ladder_text, false);
	check(strstr(text, "a opened, b closed; "));
	free(text);
	view_free(s.view);
}

static void a_port_used_again_is_another_conversation(void)
{
	struct scene s = scene_new(false);
	char *text;

	scene_handshake(&s);
	scene_close(&s, 0, 0);
	s.isn[0] += 12345;
	s.isn[1] += 12345;
	s.conn[0] = 3;
	s.conn[1] = 4;
	scene_handshake(&s);
	text = scene_draw(s.view, ladder_text, false);
	check(strstr(text, "a opened, a closed; "));
	check(strstr(text, "a opened, none closed; "));
	check(!strstr(text, "retransmission"));
	free(text);
	view_free(s.view);
}

static void refuses_events_without_sense(void)
{
	struct scene s = scene_new(false);
	const uint8_t byte = 0;

	check(!scene_add(&s, (struct view_event){ .kind = VIEW_SENT,
						  .host = VIEW_HOSTS_MAX,
						  .frame = 1,
						  .bytes = &byte,
						  .len = 1,
						  .kept = 1 }));
	check(!scene_add(&s, (struct view_event){ .kind = VIEW_DELIVERED, .frame = 9 }));
	check(!scene_add(&s, (struct view_event){ .kind = VIEW_LOST, .frame = 9, .text = "x" }));
	check(!scene_add(&s, (struct view_event){ .kind = VIEW_STATE, .new_state = 99 }));
	check(!scene_add(&s, (struct view_event){ .kind = 77 }));
	check_eq(s.view->n_events, 0);
	scene_send(&s, 0, TCP_SYN, SEG(0, 0, 0, 0));
	s.n_frames = 0;
	scene_send(&s, 0, TCP_SYN, SEG(0, 0, 0, 0)); /* the same number again */
	check_eq(s.view->n_events, 1);
	view_free(s.view);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(draws_open_and_close),
		TEST(crossing_segments_are_two_lines),
		TEST(a_loss_ends_on_the_way),
		TEST(folds_what_is_even),
		TEST(marks_what_is_remarkable),
		TEST(no_line_is_wider_than_80),
		TEST(svg_is_well_formed),
		TEST(json_is_complete),
		TEST(draws_datagrams_and_echo),
		TEST(an_endpoint_may_talk_to_itself),
		TEST(who_answers_at_once_has_not_closed_first),
		TEST(a_port_used_again_is_another_conversation),
		TEST(refuses_events_without_sense),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
