/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * serve_file.c - from a request to a file below the root, or to why not.
 *
 * A target is decoded once; dot segments never leave the root, and the file is opened beneath it by
 * openat2 with RESOLVE_BENEATH, so that no symbolic link leads outside either.
 *
 * Sources: RFC 9110 14 (ranges), RFC 9112, RFC 3986 2.1.
 */
#define _GNU_SOURCE
#include "serve.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <http_parser.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* ---- paths ---- */

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 32);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool decode(const char *in, char *out, size_t size)
{
	size_t n = 0;

	for (; *in && *in != '?' && *in != '#'; in++) {
		int c = (unsigned char)*in;

		if (c == '%') {
			if (hex(in[1]) < 0 || hex(in[2]) < 0)
				return false;
			c = hex(in[1]) * 16 + hex(in[2]);
			in += 2;
		}
		if (c == 0 || n + 1 >= size)
			return false;
		out[n++] = (char)c;
	}
	out[n] = 0;
	return true;
}

/* The path of a target, which may be a whole URL, RFC 9112 3.2.2. */
static const char *path_of(const char *target)
{
	const char *rest = strncasecmp(target, "http://", 7) == 0 ? target + 7 : NULL;

	if (!rest)
		return target;
	rest += strcspn(rest, "/?#");
	return *rest == '/' ? rest : "/";
}

/* Takes "." away and refuses "..": nobody needs it who has read our listings. */
bool serve_path(const char *target, char *out, size_t size)
{
	char text[SERVE_PATH_MAX];
	char *part, *rest = text;
	size_t n = 0;

	target = path_of(target);
	if (target[0] != '/' || !decode(target, text, sizeof(text)))
		return false;
	while ((part = strsep(&rest, "/"))) {
		size_t len = strlen(part);

		if (len == 0 || strcmp(part, ".") == 0)
			continue;
		if (strcmp(part, "..") == 0 || n + len + 2 > size)
			return false;
		if (n)
			out[n++] = '/';
		memcpy(out + n, part, len);
		n += len;
	}
	if (n == 0)
		out[n++] = '.';
	out[n] = 0;
	return true;
}

static int open_beneath(int root, const char *path, int flags)
{
	struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC | O_NONBLOCK),
				.resolve = RESOLVE_BENEATH };

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

/* ---- ranges ---- */

static bool read_number(const char **p, uint64_t *v)
{
	char *end;

	if (**p < '0' || **p > '9')
		return false;
	*v = strtoull(*p, &end, 10); /* beyond 64 bits: the largest, which no file reaches */
	*p = end;
	return true;
}

int serve_range(const char *header, uint64_t size, uint64_t *from, uint64_t *to)
{
	const char *p = header;
	bool has_from, has_to;

	if (strncasecmp(p, "bytes=", 6) != 0)
		return 0;
	p += 6;
	has_from = read_number(&p, from);
	if (*p++ != '-')
		return 0;
	has_to = read_number(&p, to);
	if (*p != 0 || (!has_from && !has_to)) /* several, or none: the whole file is an answer */
		return 0;
	if (!has_from) { /* the last bytes */
		if (*to == 0 || size == 0)
			return -1;
		*from = *to < size ? size - *to : 0;
		*to = size - 1;
		return 1;
	}
	if (has_to && *to < *from)
		return 0;
	if (*from >= size)
		return -1;
	if (!has_to || *to >= size)
		*to = size - 1;
	return 1;
}

/* ---- answers ---- */

void body_fini(struct body *b)
{
	if (b->fd >= 0)
		close(b->fd);
	free(b->bytes);
	*b = (struct body){ .fd = -1 };
}

static void put_head(struct answer *a, unsigned status, const char *fields)
{
	char date[64] = "";
	time_t now = time(NULL);
	struct tm tm;

	if (gmtime_r(&now, &tm))
		strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	a->status = status;
	snprintf(a->head, sizeof(a->head),
		 "HTTP/1.1 %u %s\r\nServer: tern\r\nDate: %s\r\n%sConnection: %s\r\n\r\n", status,
		 http_status_str((enum http_status)status), date, fields,
		 a->keep ? "keep-alive" : "close");
}

static void say(unsigned status, struct answer *a)
{
	char fields[128];
	int len = asprintf(&a->body.bytes, "%u %s\n", status,
			   http_status_str((enum http_status)status));

	a->body.left = len > 0 ? (uint64_t)len : 0;
	snprintf(fields, sizeof(fields), "Content-Type: text/plain\r\nContent-Length: %llu\r\n%s",
		 (unsigned long long)a->body.left, status == 405 ? "Allow: GET, HEAD\r\n" : "");
	put_head(a, status, fields);
}

static const char *type_of(const char *path)
{
	static const char *const types[][2] = {
		{ ".html", "text/html; charset=utf-8" },
		{ ".txt", "text/plain; charset=utf-8" },
		{ ".md", "text/plain; charset=utf-8" },
		{ ".c", "text/plain; charset=utf-8" },
		{ ".h", "text/plain; charset=utf-8" },
		{ ".css", "text/css" },
		{ ".js", "text/javascript" },
		{ ".json", "application/json" },
		{ ".svg", "image/svg+xml" },
		{ ".png", "image/png" },
		{ ".jpg", "image/jpeg" },
		{ ".pdf", "application/pdf" },
	};
	size_t len = strlen(path);

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		size_t n = strlen(types[i][0]);

		if (len >= n && strcmp(path + len - n, types[i][0]) == 0)
			return types[i][1];
	}
	return "application/octet-stream";
}

/* Takes fd, as the next one does. */
static void answer_file(int fd, const struct stat *about, const char *path, const struct request *r,
			struct answer *a)
{
	uint64_t from = 0, to = 0, len = (uint64_t)about->st_size;
	char fields[512], part[128] = "";
	int range = r->range[0] && !r->head ? serve_range(r->range, len, &from, &to) : 0;

	if (range < 0) {
		close(fd);
		snprintf(fields, sizeof(fields),
			 "Content-Range: bytes */%llu\r\nContent-Length: 0\r\n",
			 (unsigned long long)len);
		put_head(a, 416, fields);
		return;
	}
	a->body.fd = fd;
	a->body.off = range ? from : 0;
	a->body.left = range ? to - from + 1 : len;
	if (range)
		snprintf(part, sizeof(part), "Content-Range: bytes %llu-%llu/%llu\r\n",
			 (unsigned long long)from, (unsigned long long)to, (unsigned long long)len);
	snprintf(fields, sizeof(fields),
		 "Content-Type: %s\r\nContent-Length: %llu\r\nAccept-Ranges: bytes\r\n%s",
		 type_of(path), (unsigned long long)a->body.left, part);
	put_head(a, range ? 206 : 200, fields);
}

/* ---- listings ---- */

static void put_escaped(FILE *out, const char *name, bool in_url)
{
	for (; *name; name++) {
		unsigned char c = (unsigned char)*name;

		if (in_url && (c <= ' ' || c >= 127 || strchr("%?#\"<>&\\", c)))
			fprintf(out, "%%%02X", c);
		else if (!in_url && strchr("<>&\"", c))
			fprintf(out, "&#%d;", c);
		else
			fputc(c, out);
	}
}

static int not_hidden(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static bool list_directory(int fd, const char *path, struct body *b)
{
	struct dirent **names = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&b->bytes, &size);
	int n = scandirat(fd, ".", &names, not_hidden, alphasort);
	bool top = strcmp(path, ".") == 0;

	if (!out || n < 0)
		n = n < 0 ? 0 : n;
	if (out) {
		fputs("<!doctype html><meta charset=utf-8><meta name=viewport "
		      "content=\"width=device-width\"><title>",
		      out);
		put_escaped(out, top ? "/" : path, false);
		fputs("</title><style>body{font:16px/1.6 system-ui;margin:2em}</style><h1>", out);
		put_escaped(out, top ? "/" : path, false);
		fputs("</h1><ul>", out);
		if (!top)
			fputs("<li><a href=\"..\">..</a>", out);
	}
	for (int i = 0; i < n; i++) {
		const char *slash = names[i]->d_type == DT_DIR ? "/" : "";

		if (out) {
			fputs("<li><a href=\"./", out);
			put_escaped(out, names[i]->d_name, true);
			fprintf(out, "%s\">", slash);
			put_escaped(out, names[i]->d_name, false);
			fprintf(out, "%s</a>", slash);
		}
		free(names[i]);
	}
	free(names);
	if (!out)
		return false;
	fputs("</ul>\n", out);
	if (fclose(out) != 0)
		return false;
	b->left = size;
	return true;
}

static void answer_directory(int fd, const char *path, const struct request *r, struct answer *a)
{
	const char *target = path_of(r->target);
	size_t len = strcspn(target, "?#");
	struct stat about;
	char fields[SERVE_PATH_MAX + 64];
	int index;

	if (len == 0 || target[len - 1] != '/') { /* so that relative links in it are right */
		close(fd);
		while (target[0] == '/' && target[1] == '/') { /* or it would name a host */
			target++;
			len--;
		}
		snprintf(fields, sizeof(fields), "Location: %.*s/\r\nContent-Length: 0\r\n",
			 (int)len, target);
		put_head(a, 301, fields);
		return;
	}
	index = open_beneath(fd, "index.html", O_RDONLY);
	if (index >= 0 && fstat(index, &about) == 0 && S_ISREG(about.st_mode)) {
		close(fd);
		answer_file(index, &about, "index.html", r, a);
		return;
	}
	if (index >= 0)
		close(index);
	if (!list_directory(fd, path, &a->body)) {
		close(fd);
		say(500, a);
		return;
	}
	close(fd);
	snprintf(fields, sizeof(fields),
		 "Content-Type: text/html; charset=utf-8\r\nContent-Length: %llu\r\n",
		 (unsigned long long)a->body.left);
	put_head(a, 200, fields);
}

static unsigned status_of(int err)
{
	if (err == EACCES || err == EPERM || err == EXDEV || err == ENXIO)
		return 403;
	if (err == EMFILE || err == ENFILE || err == ENOMEM)
		return 503;
	return 404;
}

static void find_and_answer(int root, const struct request *r, struct answer *a)
{
	char path[SERVE_PATH_MAX];
	struct stat about;
	int fd = -1;

	if (r->too_long) {
		say(414, a);
	} else if (!r->known_method) {
		say(405, a);
	} else if (!serve_path(r->target, path, sizeof(path))) {
		say(400, a);
	} else if ((fd = open_beneath(root, path, O_RDONLY)) < 0 || fstat(fd, &about) != 0) {
		say(status_of(errno), a);
	} else if (S_ISDIR(about.st_mode)) {
		answer_directory(fd, path, r, a);
		return; /* which has fd */
	} else if (S_ISREG(about.st_mode)) {
		answer_file(fd, &about, path, r, a);
		return;
	} else {
		say(403, a);
	}
	if (fd >= 0)
		close(fd);
}

void serve_answer(int root, const struct request *r, struct answer *a)
{
	a->body = (struct body){ .fd = -1 };
	find_and_answer(root, r, a);
	if (r->head)
		body_fini(&a->body);
}
