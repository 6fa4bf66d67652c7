/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * serve.h - what the files of tern serve say to each other.
 */
#ifndef TERN_CMD_SERVE_H
#define TERN_CMD_SERVE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { SERVE_PATH_MAX = 4096 };

/* Where the body of an answer comes from: a file, or bytes in memory (an error, a listing). */
struct body {
	int fd; /* -1: memory */
	char *bytes;
	uint64_t off, left;
};

/* What a request asks for. */
struct request {
	char target[SERVE_PATH_MAX]; /* as it came */
	bool head;		     /* HEAD */
	bool known_method;
	bool too_long;
	char range[128]; /* the Range header, or "" */
};

struct answer {
	bool keep; /* the connection stays: set before */
	unsigned status;
	char head[SERVE_PATH_MAX + 512];
	struct body body;
};

/* The answer to a request about the tree below root, an open directory. */
void serve_answer(int root, const struct request *, struct answer *);
void body_fini(struct body *);

/*
 * The path below the root that a target names: decoded, without query, without a leading slash,
 * "." for the root. false: it is malformed, or leaves the root.
 */
bool serve_path(const char *target, char *out, size_t size);
/* One range of a file of size bytes: 1: [*from, *to], 0: none that we serve, -1: impossible. */
int serve_range(const char *header, uint64_t size, uint64_t *from, uint64_t *to);

#endif
