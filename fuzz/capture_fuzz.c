/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capture_fuzz.c - any bytes as a capture file, read, listed and drawn in every format.
 *
 * With clang and -DTERN_FUZZ=ON this is a libFuzzer target: build/fuzz/capture_fuzz test/captures.
 * Everywhere it is also a program that takes files: each is tried whole, cut off at many places,
 * and with damaged bytes; a crash, a leak or a hang is the failure.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../view/ladder.h"
#include "../view/list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void draw_all(const struct capture *c, FILE *out)
{
	const struct ladder_options options = {
		.numbered = true, .title = "fuzz", .remark = c->remark, .n_remarks = c->n_remarks
	};

	list_text(out, c, 0);
	list_json(out, c, 0);
	ladder_text(out, c->view, &options);
	ladder_svg(out, c->view, &options);
	ladder_html(out, c->view, &options);
	ladder_mermaid(out, c->view, &options);
	ladder_json(out, c->view, &options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct capture_options options = { .keep = 1600 };
	static FILE *nowhere;
	FILE *in = fmemopen((void *)(uintptr_t)data, size ? size : 1, "rb");
	struct capture *c;
	const char *why;

	if (!nowhere)
		nowhere = fopen("/dev/null", "wb");
	if (!in || !nowhere)
		abort();
	c = capture_read(in, &options, &why);
	if (!c && !why)
		abort(); /* a refusal says why */
	if (c)
		draw_all(c, nowhere);
	capture_free(c);
	fclose(in);
	return 0;
}

#ifndef TERN_LIBFUZZER

enum { CUTS = 400, ROUNDS = 400, FILE_MAX = 1 << 20 };

static void try_damaged(uint8_t *copy, const uint8_t *bytes, size_t len)
{
	uint32_t random = 1;

	for (int i = 0; i < ROUNDS && len; i++) {
		memcpy(copy, bytes, len);
		for (int j = 0; j < 1 + i % 4; j++) {
			random = random * 1664525 + 1013904223;
			/* Half of the damage goes to the beginning, where the heads are. */
			copy[(random >> 8) % (j % 2 && len > 120 ? 120 : len)] ^=
				(uint8_t)(1 << (random >> 5) % 8);
		}
		LLVMFuzzerTestOneInput(copy, len);
	}
}

static bool try_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *bytes = malloc(FILE_MAX), *copy = malloc(FILE_MAX);
	size_t len = f && bytes && copy ? fread(bytes, 1, FILE_MAX, f) : 0;

	if (f && bytes && copy) {
		LLVMFuzzerTestOneInput(bytes, len);
		for (size_t cut = 0; cut < len; cut += len / CUTS + 1)
			LLVMFuzzerTestOneInput(bytes, cut);
		try_damaged(copy, bytes, len);
		fclose(f);
	}
	free(bytes);
	free(copy);
	return f != NULL;
}

int main(int argc, char **argv)
{
	int n_failed = 0;

	for (int i = 1; i < argc; i++) {
		if (try_file(argv[i]))
			continue;
		fprintf(stderr, "capture_fuzz: cannot read %s\n", argv[i]);
		n_failed++;
	}
	printf("%d passed, %d failed, 0 skipped\n", argc - 1 - n_failed, n_failed);
	return n_failed > 0;
}

#endif
