/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resolv_file.c - a resolv.conf of the program's own, where the network says whom to ask for names.
 *
 * It lies over the host's in a mount namespace that only the program and what it starts see; the
 * file behind it has no name any more. Sources: mount_namespaces(7), resolv.conf(5).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inside.h"

#define RESOLV_CONF "/etc/resolv.conf"

/* A file with this text, that all of the program's users may read; its name is left in path. */
static bool make_file(char *path, const char *text)
{
	size_t len = strlen(text);
	int fd = mkstemp(path);
	bool good;

	if (fd < 0)
		return false;
	good = write(fd, text, len) == (ssize_t)len && fchmod(fd, 0644) == 0;
	close(fd);
	if (!good)
		unlink(path);
	return good;
}

bool resolv_file_show(const char *text)
{
	char path[] = "/tmp/tern-resolv-XXXXXX";
	bool good;

	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) != 0 ||
	    !make_file(path, text))
		return false;
	good = mount(path, RESOLV_CONF, NULL, MS_BIND, NULL) == 0;
	unlink(path);
	return good;
}
