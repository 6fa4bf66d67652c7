/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ladder_html_test.c - the page and the diagram: what is lost, copied and crossing, panels, escapes.
 */
#include "scene.h"
#include "test.h"

/* One of everything that a row can be. */
static struct scene full_scene(void)
{
	struct scene s = scene_new(false);
	uint64_t f;

	view_name_host(s.view, 0, "<a&b>");
	scene_handshake(&s);
	scene_send(&s, 0, TCP_PSH | TCP_ACK, SEG(1, 1, 100, 512));
	scene_tell(&s, VIEW_LOST, 0, "filter");
	scene_wait(&s, 2 * TERN_SEC);
	scene_time_out(&s);
	scene_tell(&s, VIEW_CAUSE, 0, "rto");
	f = scene_send(&s, 0, TCP_PSH | TCP_ACK, SEG(1, 1, 100, 512));
	scene_duplicate(&s, f);
	scene_send(&s, 1, TCP_ACK, SEG(1, 1, 0, 512)); /* crosses it */
	scene_arrive(&s, 1, f);
	scene_arrive(&s, 0, s.n_frames);
	scene_arrive(&s, 1, f + 1);
	for (uint32_t i = 0; i < 40; i++)
		scene_pass(&s, 0, TCP_ACK, SEG(101 + i * 10, 1, 10, 512));
	scene_close(&s, 500, 0);
	return s;
}

static void check_holds(const char *text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strstr(text, words[i]))
			test_fail(__FILE__, __LINE__, "lacks %s", words[i]);
}

static void the_page_shows_everything(void)
{
	static const char *const words[] = {
		"<meta name=\"viewport\"",
		"&lt;a&amp;b&gt;, active",
		"<b class=\"box opening left\">SYN-SENT</b>",
		"<b class=\"box waiting left\">TIME-WAIT</b>",
		"lost: filter",
		"<em>(1)</em>",
		"[copy] [duplicate]",
		"timer: rto",
		"2.000 s pass",
		"<dt>sequence</dt><dd>1 (1000000001)</dd>",
		"<dt>window scale</dt><dd>7</dd>",
		"78 78 78 78 78 78 78 78  xxxxxxxx",
		"href=\"#c1\"",
		"</html>",
	};
	struct scene s = full_scene();
	char *full = scene_draw(s.view, ladder_html, true);
	char *folded = scene_draw(s.view, ladder_html, false);

	check_holds(full, words, N_TESTS(words));
	check(!strstr(full, "<a&b>"));
	check(!strstr(full, "<script"));
	check(strstr(folded, "36 segments 360 bytes &gt;"));
	check(strlen(folded) < strlen(full));
	free(full);
	free(folded);
	view_free(s.view);
}

static void the_diagram_shows_everything(void)
{
	static const char *const words[] = {
		"sequenceDiagram\n    participant L as 10.0.0.1:40000\n",
		"    L->>R: SYN seq=0",
		"    Note left of L: SYN-SENT",
		"    L-xR: PSH,ACK seq=1 ack=1 len=100 win=65536 lost: filter",
		"    L-)R: PSH,ACK seq=1 ack=1 len=100 win=65536 [retransmission: rto] (1)",
		"    Note right of R: PSH,ACK seq=1 arrives (1)",
		"    Note left of L: timer: rto",
		"    Note over L,R: ",
		"#59;",
	};
	struct scene s = full_scene();
	char *text = scene_draw(s.view, ladder_mermaid, true);

	check_holds(text, words, N_TESTS(words));
	check(!strstr(text, "<a&b>"));
	free(text);
	view_free(s.view);
}

static const struct test tests[] = {
	TEST(the_page_shows_everything),
	TEST(the_diagram_shows_everything),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
