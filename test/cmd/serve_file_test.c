/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * serve_file_test.c - which file a request names, which part of it, and what is never served.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "test.h"

#include "../../cmd/serve.h"

static char dir[] = "/tmp/tern-serve-XXXXXX";
static int root = -1;

static void paths(void)
{
	static const struct {
		const char *target, *path; /* NULL: refused */
	} of[] = {
		{ "/", "." },
		{ "//", "." },
		{ "/.", "." },
		{ "/./", "." },
		{ "/a", "a" },
		{ "/a/b", "a/b" },
		{ "//a///b//", "a/b" },
		{ "/a/./b/.", "a/b" },
		{ "/a?b=/../c", "a" },
		{ "/a#b", "a" },
		{ "/a%20b", "a b" },
		{ "/%41%2F%62", "A/b" },
		{ "/a%3Fb", "a?b" },
		{ "/%C3%A4", "\xc3\xa4" },
		{ "/...", "..." },
		{ "/..a", "..a" },
		{ "/a..", "a.." },
		{ "/a\\..\\b", "a\\..\\b" },	 /* one odd name */
		{ "/%252e%252e/x", "%2e%2e/x" }, /* decoded once */
		{ "http://10.0.0.1/a/b?c", "a/b" },
		{ "http://10.0.0.1", "." },
		{ "HTTP://x?y", "." },
		{ "/..", NULL },
		{ "/../", NULL },
		{ "/a/../b", NULL },
		{ "/%2e%2e/x", NULL },
		{ "/%2E./x", NULL },
		{ "/.%2e", NULL },
		{ "/..%2fx", NULL },
		{ "/%2f..", NULL },
		{ "/a/%2e%2e%2f%2e%2e", NULL },
		{ "http://10.0.0.1/../x", NULL },
		{ "/%00", NULL },
		{ "/a%00b", NULL },
		{ "/%", NULL },
		{ "/%4", NULL },
		{ "/%zz", NULL },
		{ "/%-1", NULL },
		{ "", NULL },
		{ "*", NULL },
		{ "a", NULL },
		{ "https://x/", NULL },
	};
	char out[SERVE_PATH_MAX];

	for (size_t i = 0; i < N_TESTS(of); i++) {
		bool good = serve_path(of[i].target, out, sizeof(out));

		test_at("%s", of[i].target);
		check_eq(good, of[i].path != NULL);
		if (good && of[i].path)
			check_str(out, of[i].path);
	}
}

static void long_paths(void)
{
	char target[2 * SERVE_PATH_MAX], out[16];

	for (size_t n = 0; n < 40; n++) {
		char *exact = malloc(sizeof(out));

		target[0] = '/';
		memset(target + 1, 'a', n);
		target[1 + n] = 0;
		test_at("%zu bytes", n);
		check_eq(serve_path(target, exact, sizeof(out)), n + 2 <= sizeof(out));
		for (size_t i = 1; i + 1 < n; i += 2)
			target[i] = '/';
		serve_path(target, exact, sizeof(out)); /* the sanitizer is the judge */
		free(exact);
	}
	memset(target, '/', sizeof(target) - 1);
	target[sizeof(target) - 1] = 0;
	check(!serve_path(target, out, sizeof(out)));
}

static void ranges(void)
{
	static const struct {
		const char *header;
		uint64_t size;
		int is;
		uint64_t from, to;
	} of[] = {
		{ "bytes=0-0", 10, 1, 0, 0 },
		{ "bytes=0-", 10, 1, 0, 9 },
		{ "bytes=9-", 10, 1, 9, 9 },
		{ "bytes=2-5", 10, 1, 2, 5 },
		{ "Bytes=2-5", 10, 1, 2, 5 },
		{ "bytes=5-100", 10, 1, 5, 9 },
		{ "bytes=-1", 10, 1, 9, 9 },
		{ "bytes=-10", 10, 1, 0, 9 },
		{ "bytes=-100", 10, 1, 0, 9 },
		{ "bytes=10-", 10, -1, 0, 0 },
		{ "bytes=10-20", 10, -1, 0, 0 },
		{ "bytes=-0", 10, -1, 0, 0 },
		{ "bytes=0-0", 0, -1, 0, 0 },
		{ "bytes=-5", 0, -1, 0, 0 },
		{ "bytes=0-18446744073709551615", 10, 1, 0, 9 },
		{ "bytes=0-99999999999999999999999", 10, 1, 0, 9 },
		{ "bytes=-99999999999999999999999", 10, 1, 0, 9 },
		{ "bytes=18446744073709551615-", 10, -1, 0, 0 },
		{ "bytes=99999999999999999999999-", 10, -1, 0, 0 },
		{ "bytes=99999999999999999999999-5", 10, 0, 0, 0 },
		{ "bytes=0-0", UINT64_MAX, 1, 0, 0 },
		{ "bytes=-1", UINT64_MAX, 1, UINT64_MAX - 1, UINT64_MAX - 1 },
		{ "bytes=5-4", 10, 0, 0, 0 },
		{ "bytes=-", 10, 0, 0, 0 },
		{ "bytes=", 10, 0, 0, 0 },
		{ "bytes", 10, 0, 0, 0 },
		{ "", 10, 0, 0, 0 },
		{ "bytes=0", 10, 0, 0, 0 },
		{ "bytes=a-b", 10, 0, 0, 0 },
		{ "bytes=0-1,3-4", 10, 0, 0, 0 },
		{ "bytes= 0-1", 10, 0, 0, 0 },
		{ "bytes=+0-1", 10, 0, 0, 0 },
		{ "bytes=0--1", 10, 0, 0, 0 },
		{ "bytes=--1", 10, 0, 0, 0 },
		{ "bytes=0x1-2", 10, 0, 0, 0 },
		{ "lines=0-1", 10, 0, 0, 0 },
	};

	for (size_t i = 0; i < N_TESTS(of); i++) {
		uint64_t from = 0, to = 0;
		int is = serve_range(of[i].header, of[i].size, &from, &to);

		test_at("'%s' of %llu", of[i].header, (unsigned long long)of[i].size);
		check_eq(is, of[i].is);
		if (is > 0) {
			check_eq(from, of[i].from);
			check_eq(to, of[i].to);
		}
	}
}

/* ---- answers about a tree ---- */

static void put_file(const char *name, const char *text)
{
	int fd = openat(root, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	check(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void make_tree(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	if (!mkdtemp(dir) || (root = open(dir, O_RDONLY | O_DIRECTORY)) < 0)
		abort();
	put_file("ten", "0123456789");
	put_file("empty", "");
	put_file("odd <b>&\"'?#%\n name", "x");
	mkdirat(root, "sub", 0755);
	mkdirat(root, "bare", 0755);
	mkdirat(root, "bare/in \"it", 0755);
	put_file("sub/index.html", "a page");
	put_file("bare/.hidden", "x");
	put_file("bare/<script>", "x");
	check_eq(symlinkat("/etc/passwd", root, "out"), 0);
	check_eq(symlinkat("../../../../../../etc/passwd", root, "up"), 0);
	check_eq(symlinkat("/", root, "slash"), 0);
	check_eq(symlinkat("sub/index.html", root, "within"), 0);
	check_eq(symlinkat("round", root, "round"), 0);
	check_eq(symlinkat("nowhere", root, "broken"), 0);
	check_eq(symlinkat("/proc/self/root", root, "magic"), 0);
	check_eq(mkfifoat(root, "fifo", 0644), 0);
	mknodat(root, "zero", S_IFCHR | 0644, 0x105); /* may be forbidden */
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/sock", dir);
	check_eq(bind(s, (struct sockaddr *)&at, sizeof(at)), 0);
	close(s);
}

static struct answer ask(const char *target, const char *range, bool head)
{
	struct request r = { .known_method = true, .head = head };
	struct answer a = { .keep = true };

	snprintf(r.target, sizeof(r.target), "%s", target);
	snprintf(r.range, sizeof(r.range), "%s", range);
	serve_answer(root, &r, &a);
	return a;
}

static void statuses(void)
{
	static const struct {
		const char *target;
		unsigned status, or ;
	} of[] = {
		{ "/ten", 200, 0 },
		{ "/empty", 200, 0 },
		{ "/", 200, 0 },
		{ "/sub/", 200, 0 },
		{ "/bare/", 200, 0 },
		{ "/within", 200, 0 },
		{ "/sub", 301, 0 },
		{ "/nothing", 404, 0 },
		{ "/ten/more", 404, 0 },
		{ "/broken", 404, 0 },
		{ "/round", 404, 0 },
		{ "/out", 403, 0 },
		{ "/up", 403, 0 },
		{ "/slash/etc", 403, 0 },
		{ "/magic/etc", 403, 404 },
		{ "/fifo", 403, 0 },
		{ "/sock", 403, 0 },
		{ "/zero", 403, 404 },
		{ "/../etc/passwd", 400, 0 },
		{ "/%00", 400, 0 },
	};

	for (size_t i = 0; i < N_TESTS(of); i++) {
		struct answer a = ask(of[i].target, "", false);

		test_at("%s", of[i].target);
		if (a.status != of[i].or)
			check_eq(a.status, of[i].status);
		check(strstr(a.head, "\r\n\r\n") != NULL);
		check(strstr(a.head, "Content-Length: ") != NULL);
		body_fini(&a.body);
	}
}

static void a_name_of_every_length(void)
{
	char target[SERVE_PATH_MAX];

	for (size_t n = 1; n < sizeof(target) - 1; n += n < 300 ? 1 : 97) {
		struct answer a;

		target[0] = '/';
		memset(target + 1, 'a', n);
		target[n + 1] = 0;
		a = ask(target, "", false);
		test_at("%zu bytes", n);
		check(a.status == 404 || a.status == 400);
		check(strlen(a.head) < sizeof(a.head) - 1);
		body_fini(&a.body);
	}
}

static void check_body(struct answer *a, const char *want)
{
	char got[64] = "";

	check_eq(a->body.left, strlen(want));
	if (a->body.fd >= 0)
		check_eq(pread(a->body.fd, got, a->body.left, (off_t)a->body.off),
			 (ssize_t)strlen(want));
	check_str(got, want);
}

static void parts_and_heads(void)
{
	struct answer a = ask("/ten", "bytes=2-4", false);

	check_eq(a.status, 206);
	check(strstr(a.head, "Content-Range: bytes 2-4/10\r\n") != NULL);
	check(strstr(a.head, "Content-Length: 3\r\n") != NULL);
	check_body(&a, "234");
	body_fini(&a.body);
	a = ask("/ten", "bytes=10-", false);
	check_eq(a.status, 416);
	check(strstr(a.head, "Content-Range: bytes */10\r\n") != NULL);
	check_eq(a.body.left, 0);
	body_fini(&a.body);
	a = ask("/ten", "nonsense", false);
	check_eq(a.status, 200);
	check_body(&a, "0123456789");
	body_fini(&a.body);
	a = ask("/ten", "bytes=2-4", true); /* RFC 9110 14.2: a range is for GET */
	check_eq(a.status, 200);
	check(strstr(a.head, "Content-Length: 10\r\n") != NULL);
	check_eq(a.body.left, 0);
	check_eq(a.body.fd, -1);
	a = ask("/nothing", "", true);
	check_eq(a.status, 404);
	check_eq(a.body.left, 0);
	check(a.body.bytes == NULL);
}

/* Names are text in the page and in its links, whatever they hold. */
static void listings(void)
{
	struct answer a = ask("/bare/", "", false);

	check(a.body.bytes && memchr(a.body.bytes, 0, a.body.left) == NULL);
	check(a.body.bytes && strstr(a.body.bytes, "<script>") == NULL);
	check(a.body.bytes && strstr(a.body.bytes, "./%3Cscript%3E\"") != NULL);
	check(a.body.bytes && strstr(a.body.bytes, "./in%20%22it/\"") != NULL);
	check(a.body.bytes && strstr(a.body.bytes, ".hidden") == NULL);
	body_fini(&a.body);
	a = ask("/", "", false);
	check(a.body.bytes && strstr(a.body.bytes, "%3Cb%3E%26%22'%3F%23%25%0A%20name\"") != NULL);
	body_fini(&a.body);
	a = ask("/odd%20%3Cb%3E%26%22'%3F%23%25%0A%20name", "", false); /* and the link is right */
	check_eq(a.status, 200);
	body_fini(&a.body);
}

/* A doubled slash at the beginning of a Location would name a host. */
static void redirections_stay_here(void)
{
	static const char *const of[][2] = {
		{ "/sub", "Location: /sub/\r\n" },
		{ "//sub", "Location: /sub/\r\n" },
		{ "////sub?x", "Location: /sub/\r\n" },
		{ "http://elsewhere//sub", "Location: /sub/\r\n" },
		{ "/.//sub", "Location: /.//sub/\r\n" },
	};

	for (size_t i = 0; i < N_TESTS(of); i++) {
		struct answer a = ask(of[i][0], "", false);

		test_at("%s", of[i][0]);
		check_eq(a.status, 301);
		check(strstr(a.head, of[i][1]) != NULL);
		body_fini(&a.body);
	}
}

static int n_open(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void descriptors(void)
{
	static const char *const targets[] = { "/ten",	"/",	"/sub",	    "/sub/",
					       "/fifo", "/out", "/nothing", "/bare/" };
	struct rlimit old, none = { 0, 0 };
	int before = n_open();
	struct answer a;

	for (size_t i = 0; i < 4 * N_TESTS(targets); i++) {
		a = ask(targets[i / 4], i & 1 ? "bytes=100-" : "", i & 2);
		body_fini(&a.body);
		test_at("%s", targets[i / 4]);
		check_eq(n_open(), before);
	}
	getrlimit(RLIMIT_NOFILE, &old);
	none.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_NOFILE, &none);
	a = ask("/ten", "", false); /* the file is there: it is the server that cannot */
	setrlimit(RLIMIT_NOFILE, &old);
	check_eq(a.status, 503);
	body_fini(&a.body);
}

static void unreadable(void)
{
	struct answer a;

	put_file("secret", "x");
	check_eq(fchmodat(root, "secret", 0, 0), 0);
	if (geteuid() == 0 && seteuid(65534) != 0) {
		test_skip("root reads everything");
		return;
	}
	check_eq(faccessat(root, "secret", R_OK, AT_EACCESS), -1);
	a = ask("/secret", "", false);
	check(seteuid(getuid()) == 0);
	check_eq(a.status, 403);
	body_fini(&a.body);
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
	(void)about;
	(void)kind;
	(void)where;
	return remove(path);
}

static const struct test tests[] = {
	TEST(paths),
	TEST(long_paths),
	TEST(ranges),
	TEST(statuses),
	TEST(a_name_of_every_length),
	TEST(parts_and_heads),
	TEST(listings),
	TEST(redirections_stay_here),
	TEST(descriptors),
	TEST(unreadable),
};

int main(int argc, char **argv)
{
	int code;

	make_tree();
	fchmod(root, 0755);
	code = test_main(argc, argv, tests, N_TESTS(tests));
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return code;
}
