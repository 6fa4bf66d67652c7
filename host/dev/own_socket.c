/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * own_socket.c - who holds the socket at a path? Two that ask at once do not both get it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "mesh.h"

enum { BACKLOG = 128 };

/*
 * A question of another type than the socket's is enough, and who has connections to take is not
 * woken by it (EPROTOTYPE).
 */
bool own_socket_is_held(const struct sockaddr_un *at)
{
	int probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* what we have no descriptor to ask may be that of one who lives */
	bool held = probe < 0 || connect(probe, (const struct sockaddr *)at, sizeof(*at)) == 0 ||
		    (errno != ECONNREFUSED && errno != ENOENT);

	if (probe >= 0)
		close(probe);
	return held;
}

static int bind_at(int fd, const struct sockaddr_un *at)
{
	if (bind(fd, (const struct sockaddr *)at, sizeof(*at)) == 0)
		return 0;
	if (errno != EADDRINUSE)
		return -1;
	if (own_socket_is_held(at)) {
		errno = EADDRINUSE;
		return -1;
	}
	unlink(at->sun_path);
	return bind(fd, (const struct sockaddr *)at, sizeof(*at));
}

void own_socket_unlock(int lock)
{
	int err = errno;

	close(lock);
	errno = err;
}

int own_socket_lock(const char *dir)
{
	int lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat s;

	if (lock < 0)
		return -1;
	if (flock(lock, LOCK_EX) == 0 && fstat(lock, &s) == 0) {
		if (s.st_nlink > 0)
			return lock;
		errno = ENOENT; /* it was removed while we waited */
	}
	own_socket_unlock(lock);
	return -1;
}

/* One that does not listen yet would look as if its owner had died. */
int own_socket_hold(int fd, const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int type = SOCK_DGRAM;
	socklen_t len = sizeof(type);

	if (strlen(path) >= sizeof(at.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(at.sun_path, path);
	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len);
	if (bind_at(fd, &at) != 0)
		return -1;
	return type == SOCK_DGRAM ? 0 : listen(fd, BACKLOG);
}

int own_socket_bind(int fd, const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];
	int lock, result;

	snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
	lock = own_socket_lock(dir);
	if (lock < 0)
		return -1;
	result = own_socket_hold(fd, path);
	own_socket_unlock(lock);
	return result;
}
