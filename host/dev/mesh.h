/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mesh.h - a network of processes of one user: each has a device, and a socket in a directory.
 *
 * There is no process in the middle, so the network lives while a member does. Member N listens at
 * "N" in the directory and is 198.18.(N / 256).(N % 256) (RFC 2544: a network for tests) and
 * fd74:6572:6e00::N; a link "@name" leads to "N". Packets go straight from socket to socket.
 */
#ifndef TERN_HOST_MESH_H
#define TERN_HOST_MESH_H

#include "dev.h"

enum { MESH_LEN4 = 16, MESH_LEN6 = 64, MESH_FILES = 3, MESH_NAME_MAX = 64 };

/*
 * Joins, under a name or (NULL) without. The directory is the user's alone, or is to be made in one
 * that is.
 */
struct dev *mesh_open(const char *dir, const char *name, struct dev_wish *);
/* The device's address in that family. */
struct tern_addr mesh_addr(const struct dev *, int family);
/* What it leaves behind when it is not closed, in the order in which to remove it; or NULL. */
void mesh_files(const struct dev *, const char *file[MESH_FILES]);
/* The member that lives under this name. false: there is none. */
bool mesh_find(const char *dir, const char *name, int family, struct tern_addr *);

#endif
