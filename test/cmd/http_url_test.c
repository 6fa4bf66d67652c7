/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_url_test.c - URLs and Locations, good and bad, and any bytes at all.
 */
#include "test.h"

#include "../../cmd/http_url.h"
#include "../../core/base/rand.h"

static void good_urls(void)
{
	static const struct {
		const char *text, *to, *host, *path;
	} good[] = {
		{ "http://10.0.0.2/", "10.0.0.2:80", "10.0.0.2", "/" },
		{ "http://10.0.0.2", "10.0.0.2:80", "10.0.0.2", "/" },
		{ "HTTP://10.0.0.2:8080/a/b", "10.0.0.2:8080", "10.0.0.2:8080", "/a/b" },
		{ "http://10.0.0.2:/a", "10.0.0.2:80", NULL, "/a" },
		{ "http://10.0.0.2:65535/", "10.0.0.2:65535", "10.0.0.2:65535", "/" },
		{ "http://10.0.0.2:0080/", "10.0.0.2:80", NULL, "/" },
		{ "http://[fd00::2]/x", "[fd00::2]:80", "[fd00::2]", "/x" },
		{ "http://[fd00::2]:81", "[fd00::2]:81", "[fd00::2]:81", "/" },
		{ "http://[fe80::1%25t0]:81/", "[fe80::1%t0]:81", "[fe80::1]:81", "/" },
		{ "http://[fe80::1%t0]", "[fe80::1%t0]:80", "[fe80::1]", "/" },
		{ "http://[fe80::1%2]/", "[fe80::1%2]:80", "[fe80::1]", "/" },
		{ "http://10.0.0.2?q=1", "10.0.0.2:80", "10.0.0.2", "/?q=1" },
		{ "http://10.0.0.2/a?b#c", "10.0.0.2:80", "10.0.0.2", "/a?b" },
		{ "http://10.0.0.2#c", "10.0.0.2:80", "10.0.0.2", "/" },
		{ "10.0.0.2:81/a", "10.0.0.2:81", "10.0.0.2:81", "/a" },
		{ "10.0.0.2/?to=http://x/", "10.0.0.2:80", "10.0.0.2", "/?to=http://x/" },
		{ "http://10.0.0.2/a@b:c", "10.0.0.2:80", "10.0.0.2", "/a@b:c" },
		{ "http://localhost/", "localhost:80", "localhost", "/" },
		{ "http://www.Example.org:81/a", "www.Example.org:81", "www.Example.org:81", "/a" },
		{ "example_1.org.", "example_1.org.:80", "example_1.org.", "/" },
	};
	char to[URL_HOST_MAX + 16];
	struct url u;

	for (size_t i = 0; i < N_TESTS(good); i++) {
		test_at("%s", good[i].text);
		check(url_parse(&u, good[i].text) == NULL);
		snprintf(to, sizeof(to), strchr(u.name, ':') ? "[%s]:%u" : "%s:%u", u.name, u.port);
		check_str(to, good[i].to);
		check_str(u.path, good[i].path);
		if (good[i].host)
			check_str(u.host, good[i].host);
	}
}

static void bad_urls(void)
{
	static const char *const bad[] = {
		"",
		"http://",
		"http:///a",
		"http://:80/",
		"https://10.0.0.2/",
		"HTTPS://10.0.0.2/",
		"ftp://10.0.0.2/",
		"x-y.z+1://10.0.0.2/",
		"http://[fe80::1%]/",
		"http://[fe80::1%a%b]/",
		"http://[10.0.0.2%t0]/",
		"http://[fe80::1%a\r\nX: y]/",
		"http://[fe80::1%a b]/",
		"http://[fe80::1%25\x1b[2J]/",
		"http://10.0.0.2/a\r\nX: y",
		"http://10.0.0.2\r\nX: y/",
		"http://10.0.0.2/?a\nb",
		"http://-a.org/",
		"http://.a/",
		"http://a%20b/",
		"http://a,b/",
		"http://[example.org]/",
		"http://10.0.0.2:0/",
		"http://10.0.0.2:65536/",
		"http://10.0.0.2:4294967376/",
		"http://10.0.0.2:00000000000080/",
		"http://10.0.0.2:-1/",
		"http://10.0.0.2:+80/",
		"http://10.0.0.2: 80/",
		"http://10.0.0.2:8x/",
		"http://10.0.0.2:80:80/",
		"http://10.0.0.2 /",
		"http://user@10.0.0.2/",
		"http://user:word@10.0.0.2/",
		"http://[fd00::2/",
		"http://[fd00::2",
		"http://[]/",
		"http://[",
		"http://[fd00::2]x/",
		"http://[fd00::2]:x/",
		"http://[10.0.0.2]/",
		"http://fd00::2/",
		"http://10.0.0.2/a b",
		"http://10.0.0.2/a\tb",
		"http://10.0.0.2/a\r\nHost: b",
		"http://10.0.0.2\r\n/",
		"http://10.0.0.2/\xc3\xa4",
		"http://10.0.0.2/\x7f",
	};
	struct url u;

	for (size_t i = 0; i < N_TESTS(bad); i++) {
		test_at("%s", bad[i]);
		check(url_parse(&u, bad[i]) != NULL);
	}
}

static void lengths(void)
{
	static char text[3 * URL_PATH_MAX];
	struct url u;

	for (size_t n = URL_PATH_MAX - 4; n < URL_PATH_MAX + 4; n++) {
		size_t at = (size_t)sprintf(text, "http://10.0.0.2");

		test_at("a path of %zu bytes", n);
		memset(text + at, '/', n);
		text[at + n] = 0;
		check_eq(url_parse(&u, text) == NULL, n + 2 <= URL_PATH_MAX);
		check(url_parse(&u, "http://10.0.0.2/dir/") == NULL);
		check_eq(url_follow(&u, &(struct url){ .path = "/a" }, text + at + 2) == NULL,
			 false); /* "//...": no host */
		memset(text, 'x', n);
		text[n] = 0;
		check_eq(url_follow(&u, &(struct url){ .path = "/dir/" }, text) == NULL,
			 n + 5 + 2 <= URL_PATH_MAX);
	}
	memset(text, '1', 1000);
	memcpy(text, "http://", 7);
	text[1000] = 0;
	check(url_parse(&u, text) != NULL);
}

/* RFC 3986 5.4 as far as it is about http, and what a hostile server may think of. */
static void locations(void)
{
	static const struct {
		const char *location, *host, *path; /* path NULL: refused */
	} of[] = {
		{ "/", "10.0.0.2:81", "/" },
		{ "/x/y", "10.0.0.2:81", "/x/y" },
		{ "g", "10.0.0.2:81", "/b/c/g" },
		{ "./g", "10.0.0.2:81", "/b/c/g" },
		{ "g/", "10.0.0.2:81", "/b/c/g/" },
		{ "?y", "10.0.0.2:81", "/b/c/d;p?y" },
		{ "g?y", "10.0.0.2:81", "/b/c/g?y" },
		{ "#s", "10.0.0.2:81", "/b/c/d;p?q" },
		{ "g#s", "10.0.0.2:81", "/b/c/g" },
		{ ";x", "10.0.0.2:81", "/b/c/;x" },
		{ ".", "10.0.0.2:81", "/b/c/" },
		{ "./", "10.0.0.2:81", "/b/c/" },
		{ "..", "10.0.0.2:81", "/b/" },
		{ "../", "10.0.0.2:81", "/b/" },
		{ "../g", "10.0.0.2:81", "/b/g" },
		{ "../..", "10.0.0.2:81", "/" },
		{ "../../g", "10.0.0.2:81", "/g" },
		{ "../../../g", "10.0.0.2:81", "/g" },
		{ "/./g", "10.0.0.2:81", "/g" },
		{ "/../g", "10.0.0.2:81", "/g" },
		{ "g.", "10.0.0.2:81", "/b/c/g." },
		{ ".g", "10.0.0.2:81", "/b/c/.g" },
		{ "..g", "10.0.0.2:81", "/b/c/..g" },
		{ "./../g", "10.0.0.2:81", "/b/g" },
		{ "./g/.", "10.0.0.2:81", "/b/c/g/" },
		{ "g/./h", "10.0.0.2:81", "/b/c/g/h" },
		{ "g/../h", "10.0.0.2:81", "/b/c/h" },
		{ "g?y/../x", "10.0.0.2:81", "/b/c/g?y/../x" },
		{ "/in?to=http://10.0.0.9/", "10.0.0.2:81", "/in?to=http://10.0.0.9/" },
		{ "http://10.0.0.3/z", "10.0.0.3", "/z" },
		{ "//10.0.0.4:5/z", "10.0.0.4:5", "/z" },
		{ "https://10.0.0.2/", NULL, NULL },
		{ "ftp://10.0.0.2/", NULL, NULL },
		{ "http:g", NULL, NULL },
		{ "http:/g", NULL, NULL },
		{ "g:h", NULL, NULL },
		{ "mailto:a@b", NULL, NULL },
		{ "javascript:alert(1)", NULL, NULL },
		{ "file:///etc/passwd", NULL, NULL },
		{ "//", NULL, NULL },
		{ "///etc/passwd", NULL, NULL },
		{ "//user@10.0.0.2/", NULL, NULL },
		{ "http://", NULL, NULL },
		{ "/a b", NULL, NULL },
		{ "/\xff", NULL, NULL },
	};
	struct url base, u;

	check(url_parse(&base, "http://10.0.0.2:81/b/c/d;p?q") == NULL);
	for (size_t i = 0; i < N_TESTS(of); i++) {
		const char *why = url_follow(&u, &base, of[i].location);

		test_at("%s", of[i].location);
		check_eq(why == NULL, of[i].path != NULL);
		if (why || !of[i].path)
			continue;
		check_str(u.path, of[i].path);
		check_str(u.host, of[i].host);
	}
}

static void file_names(void)
{
	static const char *const of[][2] = {
		{ "/", "index.html" },	 { "/a", "a" },		  { "/a/b.c", "b.c" },
		{ "/a/", "index.html" }, { "/a?b/c", "a" },	  { "/?x", "index.html" },
		{ "/a/b?c#d", "b" },	 { "/%2e%2e", "%2e%2e" },
	};
	char name[64], small[4];
	struct url u;

	for (size_t i = 0; i < N_TESTS(of); i++) {
		strcpy(u.path, of[i][0]);
		url_file_name(&u, name, sizeof(name));
		check_str(name, of[i][1]);
	}
	strcpy(u.path, "/abcdef");
	url_file_name(&u, small, sizeof(small));
	check_str(small, "abc");
}

/* A request line and a Host header are made of what is accepted: nothing may break out of them. */
static void check_clean(const struct url *u)
{
	size_t n = 0;

	check_eq(u->path[0], '/');
	check(memchr(u->path, 0, sizeof(u->path)) && memchr(u->host, 0, sizeof(u->host)));
	for (const char *p = u->path; *p; p++)
		n += *p <= ' ' || *p == 127 || *p == '#';
	for (const char *p = u->host; *p; p++)
		n += *p <= ' ' || *p == 127 || strchr("/?#@", *p);
	check_eq(n, 0);
	check(u->host[0]);
	check(u->port != 0 && u->name[0] != 0);
}

static void any_bytes(void)
{
	static const char *const pieces[] = { "http://", "10.0.0.2", "[fd00::2]", ":80", "/",  "..",
					      ".",	 "?",	     "#",	  "%",	 "//", "@",
					      ":",	 "[",	     "]",	  "a" };
	static const uint8_t key[32] = { 9 };
	unsigned n_good = 0;
	struct url base, u;
	struct rand r;

	rand_init(&r, key, 0);
	check(url_parse(&base, "http://10.0.0.2:81/b/c/d;p?q") == NULL);
	for (int i = 0; i < 200000; i++) {
		char text[200];
		size_t len = 0;

		if (i & 1)
			len = (size_t)sprintf(text, "http://10.0.0.2");
		for (uint64_t n = rand_below(&r, 12); n > 0; n--) {
			if (rand_below(&r, 4))
				len += (size_t)sprintf(text + len, "%s",
						       pieces[rand_below(&r, N_TESTS(pieces))]);
			else
				text[len++] = (char)(1 + rand_below(&r, 255));
		}
		text[len] = 0;
		test_at("%s", text);
		if (!url_parse(&u, text)) {
			n_good++;
			check_clean(&u);
		}
		if (!url_follow(&u, &base, text)) {
			n_good++;
			check_clean(&u);
		}
	}
	check(n_good > 10000);
}

static const struct test tests[] = {
	TEST(good_urls), TEST(bad_urls),   TEST(lengths),
	TEST(locations), TEST(file_names), TEST(any_bytes),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
