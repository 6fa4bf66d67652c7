/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lab_test.c - each scenario's capture, read back, gives the same picture; over both families, and
 * in bad weather.
 */
#define _POSIX_C_SOURCE 200809L
#include "test.h"

#include <stdlib.h>
#include <unistd.h>

#include "../../cmd/cmd.h"
#include "../../cmd/lab.h"
#include "../../view/ladder.h"
#include "../../view/pcapng.h"

static char dir[] = "/tmp/tern-lab-XXXXXX";
static char picture_path[64], capture_path[64], again_path[64];

static void set_paths(void)
{
	snprintf(picture_path, sizeof(picture_path), "%s/picture", dir);
	snprintf(capture_path, sizeof(capture_path), "%s/capture", dir);
	snprintf(again_path, sizeof(again_path), "%s/again", dir);
}

static char *read_all(const char *path)
{
	FILE *f = fopen(path, "rb");
	char *text = calloc(1, 1 << 22);

	if (f && text && fread(text, 1, (1 << 22) - 1, f) == 0)
		text[0] = 0;
	if (f)
		fclose(f);
	return text;
}

/* The text ladder of the capture, into again_path. */
static bool draw_capture(void)
{
	struct ladder_options options = { .without_link_talk = true };
	FILE *in = fopen(capture_path, "rb"), *out = fopen(again_path, "wb");
	const char *why = "";
	struct view *v = in ? pcapng_read(in, &why) : NULL;
	bool good = v && out && ladder_text(out, v, &options);

	if (!good)
		test_fail(__FILE__, __LINE__, "the capture cannot be drawn: %s", why);
	view_free(v);
	if (in)
		fclose(in);
	if (out)
		fclose(out);
	return good;
}

/* Runs the lab with these options (words between blanks) and compares the two pictures. */
static void round_trip(const char *options)
{
	char line[256], *argv[24], *word, *picture, *again;
	int argc = 0;

	snprintf(line, sizeof(line), "lab %s -o %s --pcap %s", options, picture_path, capture_path);
	for (word = strtok(line, " "); word && argc < 23; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	test_at("%s", options);
	check_eq(cmd_lab(argc, argv), 0);
	if (!draw_capture())
		return;
	picture = read_all(picture_path);
	again = read_all(again_path);
	check(strlen(picture) > 100);
	check_str(again, picture);
	free(picture);
	free(again);
}

static void every_scenario(void)
{
	const struct scenario *s;
	char options[64];

	for (unsigned i = 0; (s = scenario_at(i)); i++) {
		snprintf(options, sizeof(options), "--scenario %s", s->name);
		round_trip(options);
		snprintf(options, sizeof(options), "--scenario %s --ipv6", s->name);
		round_trip(options);
	}
}

static void bad_weather(void)
{
	round_trip("--loss 5% --reorder 5% --duplicate 5% --corrupt 1% --bytes 200k --seed 3");
}

/* It ends as designed all the same. */
static void a_black_hole(void)
{
	round_trip("--black-hole 700 --bytes 60k");
	round_trip("--black-hole 1300 --bytes 60k --ipv6");
}

static const struct test tests[] = { TEST(every_scenario), TEST(bad_weather), TEST(a_black_hole) };

int main(int argc, char **argv)
{
	int code;

	if (!mkdtemp(dir))
		return 1;
	set_paths();
	code = test_main(argc, argv, tests, N_TESTS(tests));
	unlink(picture_path);
	unlink(capture_path);
	unlink(again_path);
	rmdir(dir);
	return code;
}
