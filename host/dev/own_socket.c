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

#include "own_socket.h"

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

const char *own_socket_trouble(int err)
{
	switch (err) {
	case ENAMETOOLONG:
		return "too long for a socket; set XDG_RUNTIME_DIR to a shorter path";
	case EACCES:
	case EROFS:
		return "it cannot be written; chmod 700 it, or set XDG_RUNTIME_DIR";
	case EPERM:
		return "it is another's, or others may enter it; chmod 700 it, or set "
		       "XDG_RUNTIME_DIR";
	default:
		return strerror(err);
	}
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

/* How long the name of its directory is. */
static int len_of_place(const char *path)
{
	return (int)(strrchr(path, '/') - path);
}

static int lock_place_of(const char *path)
{
	char dir[PATH_MAX];

	snprintf(dir, sizeof(dir), "%.*s", len_of_place(path), path);
	return own_socket_lock(dir);
}

/* Of a name, which may be longer than a socket's: the socket beside it that it leads to. */
static bool find_socket(const char *path, struct sockaddr_un *at)
{
	char beside[PATH_MAX];
	ssize_t n = readlink(path, beside, sizeof(beside));

	at->sun_family = AF_UNIX;
	if (n < 0)
		n = snprintf(at->sun_path, sizeof(at->sun_path), "%s", path);
	else
		n = snprintf(at->sun_path, sizeof(at->sun_path), "%.*s/%.*s", len_of_place(path),
			     path, (int)n, beside);
	return n < (ssize_t)sizeof(at->sun_path);
}

void own_socket_remove(const char *path)
{
	int lock = lock_place_of(path);
	struct sockaddr_un at;

	if (lock < 0)
		return;
	if (find_socket(path, &at) && !own_socket_is_held(&at))
		remove(path);
	own_socket_unlock(lock);
}

int own_socket_bind(int fd, const char *path)
{
	int lock = lock_place_of(path), result;

	if (lock < 0)
		return -1;
	result = own_socket_hold(fd, path);
	own_socket_unlock(lock);
	return result;
}
