/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run_place.h - where the runs of one user find each other: a directory that only they can enter.
 *
 * Each run has a datagram socket there, named as the run is; a request is one line, so is the
 * answer. A socket that nobody answers is a dead run's, and is removed by whoever wants its name.
 */
#ifndef TERN_CMD_RUN_PLACE_H
#define TERN_CMD_RUN_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/un.h>

enum { PLACE_NAME_MAX = 32, PLACE_LINE_MAX = 1024 };

/*
 * $XDG_RUNTIME_DIR/tern, else /tmp/tern-UID, and a directory in it, made when missing. The length,
 * or -1 after errno is set (EPERM: what is there is not the user's alone), and the path of that.
 */
int place_dir(const char *inside, char *path, size_t room);
/* Letters, digits, '-', '_' and '.', and no dot first. */
bool place_is_name(const char *);
/* A socket with this name in the directory: a descriptor, or -1 (EADDRINUSE: its owner lives). */
int place_bind(const char *inside, const char *name, struct sockaddr_un *at);
/* Sends one line to the run and waits for the answer; its length, or -1 (ENOENT: no such run). */
int place_ask(const char *inside, const char *name, const char *line, char answer[PLACE_LINE_MAX]);

#endif
