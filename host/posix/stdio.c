/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stdio.c - streams of the C library's over sockets of ours: fdopen, dprintf.
 *
 * The C library reads and writes by its own calls, which know no numbers of ours: so the stream is
 * one of fopencookie, whose cookie is the number. fileno does not know it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os.h"

static int number_in(const void *cookie)
{
	return (int)(intptr_t)cookie;
}

static ssize_t read_stream(void *cookie, char *bytes, size_t len)
{
	return tern_posix_read(number_in(cookie), bytes, len);
}

/* All of it, as the C library's own does; 0 is its word for an error here. */
static ssize_t write_stream(void *cookie, const char *bytes, size_t len)
{
	size_t done = 0;
	ssize_t n = 1;

	while (done < len && n > 0) {
		n = tern_posix_write(number_in(cookie), bytes + done, len - done);
		done += n > 0 ? (size_t)n : 0;
	}
	return (ssize_t)done;
}

static int seek_nowhere(void *cookie, off64_t *at, int whence)
{
	(void)cookie;
	(void)at;
	(void)whence;
	errno = ESPIPE;
	return -1;
}

static int close_stream_of(void *cookie)
{
	return tern_posix_close(number_in(cookie));
}

FILE *tern_posix_fdopen(int fd, const char *mode)
{
	static const cookie_io_functions_t calls = { read_stream, write_stream, seek_nowhere,
						     close_stream_of };

	if (!number_is_ours(fd))
		return fdopen(fd, mode);
	if (!mode || !mode[0] || !strchr("rwa", mode[0])) {
		errno = EINVAL;
		return NULL;
	}
	return fopencookie((void *)(intptr_t)fd, mode, calls);
}

int tern_posix_vdprintf(int fd, const char *format, va_list args)
{
	char *text;
	int len;

	if (!number_is_ours(fd))
		return vdprintf(fd, format, args);
	len = vasprintf(&text, format, args);
	if (len < 0)
		return -1;
	if (write_stream((void *)(intptr_t)fd, text, (size_t)len) < len)
		len = -1;
	free(text);
	return len;
}

int tern_posix_dprintf(int fd, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = tern_posix_vdprintf(fd, format, args);
	va_end(args);
	return n;
}
