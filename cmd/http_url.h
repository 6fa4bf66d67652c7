/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_url.h - http URLs, as far as a client needs them.
 */
#ifndef TERN_CMD_HTTP_URL_H
#define TERN_CMD_HTTP_URL_H

#include "../include/tern.h"

enum { URL_PATH_MAX = 4096, URL_HOST_MAX = 300 };

struct url {
	char name[URL_HOST_MAX]; /* of the host: an address without brackets, or a name */
	uint16_t port;
	char host[URL_HOST_MAX]; /* as in the Host header, with port when it is not 80 */
	char path[URL_PATH_MAX]; /* with query, without fragment; at least "/" */
};

/* NULL, or what is wrong with it. */
const char *url_parse(struct url *, const char *text);
/* A Location: absolute, or relative to `base`. NULL, or what is wrong with it. */
const char *url_follow(struct url *, const struct url *base, const char *location);
/* The last part of the path, for a file name; "index.html" when there is none. */
void url_file_name(const struct url *, char *out, size_t size);
/* For a terminal: what a URL may not hold, such as the end of a line, as "%0A". Returns buf. */
const char *url_shown(const char *text, char *buf, size_t size);

#endif
