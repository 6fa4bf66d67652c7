/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ladder_live_test.c - a ladder that is drawn while its view grows.
 */
#include "scene.h"
#include "test.h"

struct live {
	FILE *f;
	struct ladder_live *ladder;
};

static struct live live_new(struct scene *s)
{
	struct live l = { .f = tmpfile() };

	if (!l.f || !view_reserve(s->view, 4096))
		abort();
	l.ladder = ladder_live_new(l.f, s->view, false);
	if (!l.ladder)
		abort();
	return l;
}

/* What was drawn so far; the caller frees it. */
static char *text_of(const struct live *l)
{
	long len = ftell(l->f);
	char *text = calloc(1, (size_t)len + 1);

	rewind(l->f);
	if (!text || fread(text, 1, (size_t)len, l->f) != (size_t)len)
		abort();
	fseek(l->f, 0, SEEK_END);
	return text;
}

static void live_free(struct live *l)
{
	ladder_live_free(l->ladder);
	fclose(l->f);
}

static void check_holds(const struct live *l, const char *words, bool wanted)
{
	char *text = text_of(l);

	if ((strstr(text, words) != NULL) != wanted)
		test_fail(__FILE__, __LINE__, "%s '%s'", wanted ? "lacks" : "holds", words);
	free(text);
}

/* Drawn step by step it is, in the end, what is drawn at once: times, gaps and states included. */
static void step_by_step_is_the_same(void)
{
	struct scene s = scene_new(false);
	struct live l = live_new(&s);
	char *live, *whole;

	scene_handshake(&s);
	check(ladder_live_draw(l.ladder));
	check_holds(&l, "ESTABLISHED", true);
	check_holds(&l, "len=100", false);
	scene_pass(&s, 0, TCP_PSH | TCP_ACK, SEG(1, 1, 100, 512));
	check(ladder_live_draw(l.ladder));
	check_holds(&l, "len=100", true);
	check(ladder_live_draw(l.ladder)); /* nothing is new */
	scene_wait(&s, 3 * TERN_SEC);
	scene_pass(&s, 0, TCP_PSH | TCP_ACK, SEG(1, 1, 100, 512)); /* again */
	check(ladder_live_draw(l.ladder));
	scene_close(&s, 100, 0);
	check(ladder_live_end(l.ladder));
	live = text_of(&l);
	whole = scene_draw(s.view, ladder_text, false);
	check_str(live, whole);
	check(strstr(whole, "3.010 s pass") != NULL);
	check(strstr(whole, "retransmission") != NULL);
	free(live);
	free(whole);
	live_free(&l);
	view_free(s.view);
}

static void folds_what_comes_between_two_drawings(void)
{
	struct scene s = scene_new(true);
	struct live l = live_new(&s);

	scene_handshake(&s);
	ladder_live_draw(l.ladder);
	for (uint32_t i = 0; i < 40; i++)
		scene_pass(&s, 0, TCP_ACK, SEG(1 + i * 10, 1, 10, 512));
	ladder_live_draw(l.ladder);
	check_holds(&l, "36 segments 360 bytes >", true);
	for (uint32_t i = 40; i < 60; i++)
		scene_pass(&s, 0, TCP_ACK, SEG(1 + i * 10, 1, 10, 512));
	ladder_live_draw(l.ladder);
	check_holds(&l, "16 segments 160 bytes >", true);
	check(ladder_live_end(l.ladder));
	check_holds(&l, "600 bytes >", true);
	live_free(&l);
	view_free(s.view);
}

/* Two conversations: each goes on under its own endpoints. */
static void conversations_take_turns(void)
{
	struct scene s = scene_new(false);
	struct live l = live_new(&s);
	struct tern_addr first = s.addr[0];

	scene_handshake(&s);
	ladder_live_draw(l.ladder);
	s.addr[0].port = 41000;
	scene_pass(&s, 0, TCP_SYN, SEG(0, 0, 0, 512));
	ladder_live_draw(l.ladder);
	s.addr[0] = first;
	scene_pass(&s, 0, TCP_PSH | TCP_ACK, SEG(1, 1, 100, 512));
	ladder_live_draw(l.ladder);
	check_holds(&l, ":41000", true);
	check_holds(&l, "\n\n        ...  10.0.0.1:40000", true);
	ladder_live_end(l.ladder);
	live_free(&l);
	view_free(s.view);
}

static void what_others_say_is_left_out(void)
{
	struct scene s = scene_new(false);
	struct live l = live_new(&s);

	scene_pass(&s, 0, TCP_SYN, SEG(0, 0, 0, 512));
	scene_tell(&s, VIEW_DROP, 1, "eth-not-ours");
	check(ladder_live_end(l.ladder));
	check_eq(ftell(l.f), 0);
	check(ladder_text(l.f, s.view, &(struct ladder_options){ .own = true }));
	check_eq(ftell(l.f), 0);
	check(ladder_text(l.f, s.view, &(struct ladder_options){ .own = false }));
	check(ftell(l.f) > 0);
	live_free(&l);
	view_free(s.view);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		TEST(step_by_step_is_the_same),
		TEST(folds_what_comes_between_two_drawings),
		TEST(conversations_take_turns),
		TEST(what_others_say_is_left_out),
	};

	return test_main(argc, argv, tests, N_TESTS(tests));
}
