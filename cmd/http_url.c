/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_url.c - http://HOST[:PORT][/PATH][?QUERY][#FRAGMENT], RFC 9110 4.2.1, RFC 3986.
 */
#include "http_url.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Bytes that may stand in a request line; the rest must have been escaped. */
static bool is_plain(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] <= ' ' || (unsigned char)s[i] >= 127)
			return false;
	return true;
}

static const char *take_path(struct url *u, const char *p)
{
	size_t len = strcspn(p, "#");

	if (len + 2 > sizeof(u->path))
		return "its path is too long";
	if (!is_plain(p, len))
		return "its path holds a blank or a byte that must be escaped (%20)";
	snprintf(u->path, sizeof(u->path), "%s%.*s", *p == '/' ? "" : "/", (int)len, p);
	return NULL;
}

static const char *take_port(const char *text, size_t len, uint16_t *port)
{
	char digits[8];
	char *end;
	unsigned long v;

	*port = 80;
	if (len == 0)
		return NULL;
	if (len >= sizeof(digits))
		return "its port is not a number from 1 to 65535";
	memcpy(digits, text, len);
	digits[len] = 0;
	v = strtoul(digits, &end, 10);
	if (*end || digits[0] < '0' || digits[0] > '9' || v == 0 || v > 65535)
		return "its port is not a number from 1 to 65535";
	*port = (uint16_t)v;
	return NULL;
}

/* An IPv6 address; "%25eth0" behind it (RFC 6874), or "%eth0", becomes "%eth0". */
static bool take_zone(char *host)
{
	char *zone = strchr(host, '%');
	struct tern_addr a;
	bool is_address;

	if (zone && strncmp(zone, "%25", 3) == 0 && zone[3])
		memmove(zone + 1, zone + 3, strlen(zone + 3) + 1);
	if (zone && (zone[1] == 0 || strchr(zone + 1, '%') || !is_plain(zone, strlen(zone))))
		return false;
	if (zone)
		*zone = 0;
	is_address = tern_addr_parse(host, 0, &a) == 0 && a.family == TERN_AF_INET6;
	if (zone)
		*zone = '%';
	return is_address;
}

/* An address, or what names may consist of. */
static bool is_host(char *host, bool six)
{
	if (six)
		return take_zone(host);
	for (const char *c = host; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
			return false;
	return *host != '-' && *host != '.';
}

/* HOST or [HOST], then maybe :PORT, in [p, p + len). */
static const char *take_host(struct url *u, const char *p, size_t len)
{
	bool six = len > 0 && *p == '[';
	const char *end = six ? memchr(p, ']', len) : memchr(p, ':', len);
	size_t host_len = end ? (size_t)(end - p) + six : len;
	const char *rest = p + host_len, *why, *zone = six ? memchr(p, '%', host_len) : NULL;

	if (six && !end)
		return "its [address] has no end";
	if (host_len == 0 || host_len - 2 * six >= sizeof(u->name) || len >= sizeof(u->host))
		return "it names no host";
	if (host_len < len && *rest != ':')
		return "after its host comes neither a port nor a path";
	memcpy(u->name, p + six, host_len - 2 * six);
	u->name[host_len - 2 * six] = 0;
	why = take_port(rest + 1, host_len < len ? len - host_len - 1 : 0, &u->port);
	if (why)
		return why;
	if (!is_host(u->name, six))
		return "its host is neither an address nor a name";
	if (zone) /* it is this host's alone: RFC 6874 4 */
		snprintf(u->host, sizeof(u->host), "%.*s]%.*s", (int)(zone - p), p,
			 (int)(p + len - rest), rest);
	else
		snprintf(u->host, sizeof(u->host), "%.*s", (int)len, p);
	return NULL;
}

/* "http" of "http://x/", RFC 3986 3.1; 0: none. */
static size_t scheme_len(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]) || (n && s[n] && strchr("+-.", s[n])))
		n++;
	return isalpha((unsigned char)*s) && s[n] == ':' ? n : 0;
}

/* RFC 3986 5.2.4, in place; what follows a '?' is left alone. */
static void remove_dot_segments(char *path)
{
	char *query = path + strcspn(path, "?"), *in = path, *out = path;

	while (in < query) {
		size_t len = 1 + strcspn(in + 1, "/?"); /* with its leading slash */
		bool dot = len == 2 && in[1] == '.',
		     dots = len == 3 && in[1] == '.' && in[2] == '.';

		while (dots && out > path && *--out != '/')
			continue;
		if (!dot && !dots) {
			memmove(out, in, len);
			out += len;
		}
		in += len;
		if ((dot || dots) && in == query)
			*out++ = '/';
	}
	memmove(out, query, strlen(query) + 1);
}

const char *url_parse(struct url *u, const char *text)
{
	const char *why;
	size_t len;

	memset(u, 0, sizeof(*u));
	if (strncasecmp(text, "https://", 8) == 0)
		return "https is not spoken here, only http";
	if (strncasecmp(text, "http://", 7) == 0)
		text += 7;
	else if (scheme_len(text) && strncmp(text + scheme_len(text), "://", 3) == 0)
		return "only http:// URLs are understood";
	len = strcspn(text, "/?#");
	if (memchr(text, '@', len))
		return "names and passwords in URLs are not understood";
	why = take_host(u, text, len);
	return why ? why : take_path(u, text + len);
}

/* The path of a reference that is relative to a base's: RFC 3986 5.2.3. */
static const char *join_path(struct url *u, const struct url *base, const char *location)
{
	size_t keep = strcspn(base->path, *location == '#' ? "" : "?"), len;
	char path[URL_PATH_MAX];

	if (*location != '?' && *location != '#')
		while (keep > 0 && base->path[keep - 1] != '/')
			keep--;
	len = strcspn(location, "#");
	if (keep + len + 1 > sizeof(path))
		return "its path is too long";
	memcpy(path, base->path, keep);
	memcpy(path + keep, location, len);
	path[keep + len] = 0;
	return take_path(u, path);
}

const char *url_follow(struct url *u, const struct url *base, const char *location)
{
	const char *why;

	if (scheme_len(location)) {
		if (strncasecmp(location, "http:", 5) == 0 && strncmp(location + 5, "//", 2) != 0)
			return "it names no host";
		if (!strstr(location, "://"))
			return "only http:// URLs are understood";
		return url_parse(u, location);
	}
	*u = *base;
	if (strncmp(location, "//", 2) == 0)
		return url_parse(u, location + 2);
	why = *location == '/' ? take_path(u, location) : join_path(u, base, location);
	if (!why)
		remove_dot_segments(u->path);
	return why;
}

void url_file_name(const struct url *u, char *out, size_t size)
{
	size_t len = strcspn(u->path, "?");
	size_t from = len;

	while (from > 0 && u->path[from - 1] != '/')
		from--;
	if (from == len)
		snprintf(out, size, "index.html");
	else
		snprintf(out, size, "%.*s", (int)(len - from), u->path + from);
}

const char *url_shown(const char *text, char *buf, size_t size)
{
	size_t n = 0;

	for (; *text && n + 4 <= size; text++) {
		bool plain = is_plain(text, 1) || *text == ' ';

		n += (size_t)snprintf(buf + n, size - n, plain ? "%c" : "%%%02X",
				      (unsigned char)*text);
	}
	buf[n] = 0;
	return buf;
}
