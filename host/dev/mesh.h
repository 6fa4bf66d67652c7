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

/*
 * Of two that want a socket or a name in a directory one is first. A descriptor, or -1 and errno:
 * ENOENT also of a directory that went while it was waited for.
 */
int own_socket_lock(const char *dir);
/* Leaves errno as it is. */
void own_socket_unlock(int lock);
/*
 * Under that lock: binds a socket of the user's own to a path, and lets one of connections listen;
 * one whose owner has died is replaced. 0 or -1 and errno: EADDRINUSE when its owner lives.
 */
int own_socket_hold(int fd, const char *path);
/* Both, for the directory of that path. */
int own_socket_bind(int fd, const char *path);
struct sockaddr_un;
/*
 * What one who has died left: a socket, a name that leads to one, or their directory. Not what
 * somebody holds by now, and not a directory in which something is.
 */
void own_socket_remove(const char *path);
/* Why there is no socket of the user's own in a directory, and what to do; not of EADDRINUSE. */
const char *own_socket_trouble(int err);
/* Does somebody hold the socket there? */
bool own_socket_is_held(const struct sockaddr_un *);

#endif
