/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run_place.c - the directory of a user's runs, and the sockets in it.
 */
#define _GNU_SOURCE
#include "run_place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "../host/dev/own_socket.h"

/* In /tmp anybody may have made it before us, with who knows what rights. */
static bool make_own_dir(const char *path)
{
	struct stat s;

	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return false;
	if (lstat(path, &s) != 0)
		return false;
	if (S_ISDIR(s.st_mode) && s.st_uid == geteuid() && (s.st_mode & 077) == 0)
		return true;
	errno = EPERM;
	return false;
}

int place_dir(const char *inside, char *path, size_t room)
{
	const char *own = getenv("XDG_RUNTIME_DIR");
	int n;

	if (own && own[0] == '/' && access(own, W_OK) == 0)
		n = snprintf(path, room, "%s/tern", own);
	else
		n = snprintf(path, room, "/tmp/tern-%u", (unsigned)geteuid());
	if (n < 0 || (size_t)n + strlen(inside) + 2 > room) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (!make_own_dir(path))
		return -1;
	n += snprintf(path + n, room - (size_t)n, "/%s", inside);
	return make_own_dir(path) ? n : -1;
}

bool place_is_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < PLACE_NAME_MAX && name[0] != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
		       len;
}

static bool address_of(const char *inside, const char *name, struct sockaddr_un *at)
{
	int n = place_dir(inside, at->sun_path, sizeof(at->sun_path));

	at->sun_family = AF_UNIX;
	if (n < 0)
		return false;
	if ((size_t)n + strlen(name) + 2 > sizeof(at->sun_path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	snprintf(at->sun_path + n, sizeof(at->sun_path) - (size_t)n, "/%s", name);
	return true;
}

int place_bind(const char *inside, const char *name, struct sockaddr_un *at)
{
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (s >= 0 && address_of(inside, name, at) && own_socket_bind(s, at->sun_path) == 0)
		return s;
	if (s >= 0)
		close(s);
	return -1;
}

int place_ask(const char *inside, const char *name, const char *line, char answer[PLACE_LINE_MAX])
{
	struct sockaddr_un at, own = { .sun_family = AF_UNIX };
	struct timeval wait = { .tv_sec = 5 };
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ssize_t n = -1;

	/* a name of the kernel's choice, so that it can answer */
	if (s >= 0 && address_of(inside, name, &at) &&
	    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == 0 &&
	    bind(s, (struct sockaddr *)&own, sizeof(own.sun_family)) == 0 &&
	    connect(s, (struct sockaddr *)&at, sizeof(at)) == 0 &&
	    send(s, line, strlen(line), 0) >= 0)
		n = recv(s, answer, PLACE_LINE_MAX - 1, 0);
	if (n >= 0)
		answer[n] = 0;
	if (s >= 0)
		close(s);
	return (int)n;
}
