/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * get_output.c - where tern get puts what it fetches: a file, or standard output.
 *
 * The file is opened before the network is asked, for what cannot be written need not be fetched.
 */
#define _GNU_SOURCE
#include "get_output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "args.h"

bool get_output_find(struct get_output *o, bool resume)
{
	int fd = open(o->name, O_WRONLY | O_CLOEXEC);
	struct stat about;

	o->file = NULL;
	o->had = 0;
	if (fd < 0)
		return errno == ENOENT && args_is_writable(o->name);
	o->file = fdopen(fd, "wb");
	if (!o->file) {
		close(fd);
		return false;
	}
	if (resume && fstat(fd, &about) == 0 && fseek(o->file, 0, SEEK_END) == 0)
		o->had = (uint64_t)about.st_size;
	return true;
}

bool get_output_begin(struct get_output *o, bool behind)
{
	struct stat about;

	if (o->file == stdout || (o->file && behind))
		return true;
	o->had = 0;
	if (!o->file) {
		o->file = fopen(o->name, "wb");
		return o->file != NULL;
	}
	if (fstat(fileno(o->file), &about) != 0 || !S_ISREG(about.st_mode)) /* a device, a pipe */
		return true;
	return fseek(o->file, 0, SEEK_SET) == 0 && ftruncate(fileno(o->file), 0) == 0;
}

bool get_output_end(struct get_output *o)
{
	FILE *f = o->file;

	o->file = NULL;
	return !f || (fflush(f) == 0 && (f == stdout || fclose(f) == 0));
}
