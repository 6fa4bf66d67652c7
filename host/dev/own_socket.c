/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * own_socket.c - who holds the socket at a path? Two that ask at once do not both get it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "mesh.h"

enum { BACKLOG = 128 };

bool own_socket_is_held(const struct sockaddr_un *at, int type)
{
	int probe = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* a full queue is that of one who lives, and so may be what we have no descriptor to ask */
	bool held = probe < 0 || connect(probe, (const struct sockaddr *)at, sizeof(*at)) == 0 ||
		    (errno != ECONNREFUSED && errno != ENOENT);

	if (probe >= 0)
		close(probe);
	return held;
}

static int bind_at(int fd, int type, const struct sockaddr_un *at)
{
	if (bind(fd, (const struct sockaddr *)at, sizeof(*at)) == 0)
		return 0;
	if (errno != EADDRINUSE)
		return -1;
	if (own_socket_is_held(at, type)) {
		errno = EADDRINUSE;
		return -1;
	}
	unlink(at->sun_path);
	return bind(fd, (const struct sockaddr *)at, sizeof(*at));
}

/* One that does not listen yet would look as if its owner had died. */
static int hold(int fd, const struct sockaddr_un *at)
{
	int type = SOCK_DGRAM;
	socklen_t len = sizeof(type);

	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len);
	if (bind_at(fd, type, at) != 0)
		return -1;
	return type == SOCK_DGRAM ? 0 : listen(fd, BACKLOG);
}

int own_socket_bind(int fd, const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	char *slash;
	int dir, result, err;

	if (strlen(path) >= sizeof(at.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(at.sun_path, path);
	slash = strrchr(at.sun_path, '/');
	*slash = 0;
	dir = open(at.sun_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*slash = '/';
	if (dir < 0 || flock(dir, LOCK_EX) != 0)
		return -1;
	result = hold(fd, &at);
	err = errno;
	close(dir);
	errno = err;
	return result;
}
