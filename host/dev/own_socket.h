/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * own_socket.h - sockets and names of a user's own in a directory that is theirs alone: who holds
 * one, and who may have it after a dead one.
 */
#ifndef TERN_OWN_SOCKET_H
#define TERN_OWN_SOCKET_H

#include <stdbool.h>

struct sockaddr_un;

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
