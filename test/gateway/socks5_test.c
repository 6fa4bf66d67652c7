/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * socks5_test.c - the client's side of SOCKS5: what is said, in every split and truncation of what
 * is heard, and servers that lie.
 */
#include "test.h"

#include "../../host/gateway/socks5.h"

struct heard {
	enum socks5_status status;
	size_t taken; /* bytes of the server's that were asked for */
	size_t said_len;
	uint8_t said[600];
	struct tern_addr bound;
};

/* A conversation in which the server's bytes come in pieces of at most `step`. */
static struct heard converse(const struct socks5_ask *ask, const uint8_t *server, size_t len,
			     size_t step)
{
	struct heard h = { .taken = 0 };
	struct socks5 s;

	socks5_begin(&s, ask);
	for (int i = 0; i < 2000 && socks5_status(&s) == SOCKS5_GOING; i++) {
		size_t n;
		const uint8_t *out = socks5_out(&s, &n);

		if (n) {
			check_eq(socks5_wants(&s), 0);
			n = n < step ? n : step;
			memcpy(h.said + h.said_len, out, n);
			h.said_len += n;
			socks5_sent(&s, n);
			continue;
		}
		n = socks5_wants(&s);
		check(n > 0 && n <= SOCKS5_IN_MAX);
		n = n < step ? n : step;
		n = n < len - h.taken ? n : len - h.taken;
		if (n == 0)
			break;
		socks5_input(&s, server + h.taken, n);
		h.taken += n;
	}
	h.status = socks5_status(&s);
	h.bound = s.bound;
	if (h.status != SOCKS5_GOING)
		check_eq(socks5_wants(&s), 0);
	return h;
}

static struct socks5_ask ask_for(const char *user, bool v6)
{
	struct socks5_ask a = { SOCKS5_CONNECT, tern_ip4(192, 0, 2, 7, 443), user,
				user ? "secret" : NULL };

	if (v6)
		check_eq(tern_addr_parse("2001:db8::7", 443, &a.to), 0);
	return a;
}

/* for a field of a table, and its length; for an argument, and its length */
#define BYTES(...) { __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })
#define LENT(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })
#define GRANTED4 5, 0, 0, 1, 10, 0, 0, 1, 0x12, 0x34

/* ---- what is said ---- */

static void says_what_the_rfc_wants(void)
{
	static const struct {
		const char *user;
		bool v6;
		uint8_t server[40];
		size_t server_len;
		uint8_t said[40];
		size_t said_len;
	} cases[] = {
		{ NULL, false, BYTES(5, 0, GRANTED4),
		  BYTES(5, 1, 0, 5, 1, 0, 1, 192, 0, 2, 7, 1, 187) },
		{ "me", false, BYTES(5, 0, GRANTED4),
		  BYTES(5, 2, 0, 2, 5, 1, 0, 1, 192, 0, 2, 7, 1, 187) },
		{ "me", false, BYTES(5, 2, 1, 0, GRANTED4),
		  BYTES(5, 2, 0, 2, 1, 2, 'm', 'e', 6, 's', 'e', 'c', 'r', 'e', 't', 5, 1, 0, 1,
			192, 0, 2, 7, 1, 187) },
		{ NULL, true, BYTES(5, 0, GRANTED4),
		  BYTES(5, 1, 0, 5, 1, 0, 4, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
			7, 1, 187) },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct socks5_ask ask = ask_for(cases[i].user, cases[i].v6);

		for (size_t step = 1; step < 40; step++) {
			struct heard h = converse(&ask, cases[i].server, cases[i].server_len, step);

			test_at("case %u, pieces of %zu", i, step);
			check_eq(h.status, SOCKS5_DONE);
			check_eq(h.taken, cases[i].server_len);
			check_eq(h.said_len, cases[i].said_len);
			check_mem(h.said, cases[i].said, cases[i].said_len);
			check_eq(h.bound.family, TERN_AF_INET);
			check_eq(h.bound.port, 0x1234);
			check_eq(h.bound.ip[0], 10);
		}
	}
}

static void asks_for_an_association(void)
{
	struct socks5_ask ask = { .command = SOCKS5_UDP_ASSOCIATE };
	struct heard h = converse(&ask, LENT(5, 0, GRANTED4), 100);

	check_eq(h.status, SOCKS5_DONE);
	check_mem(h.said + 3, ((const uint8_t[]){ 5, 3, 0, 1, 0, 0, 0, 0, 0, 0 }), 10);
}

/* ---- what is heard ---- */

static void verdicts(void)
{
	static const struct {
		const char *user;
		uint8_t server[40];
		size_t len, taken;
		enum socks5_status want;
	} cases[] = {
		/* replies, RFC 1928 section 6 */
		{ NULL, BYTES(5, 0, 5, 1, 0, 1, 0, 0, 0, 0, 0, 0), 7, SOCKS5_FAILED },
		{ NULL, BYTES(5, 0, 5, 2, 0, 1, 0, 0, 0, 0, 0, 0), 7, SOCKS5_FAILED },
		{ NULL, BYTES(5, 0, 5, 3, 0, 1, 0, 0, 0, 0, 0, 0), 7, SOCKS5_FAILED },
		{ NULL, BYTES(5, 0, 5, 4, 0, 1, 0, 0, 0, 0, 0, 0), 7, SOCKS5_FAILED },
		{ NULL, BYTES(5, 0, 5, 5, 0, 1, 0, 0, 0, 0, 0, 0), 7, SOCKS5_REFUSED },
		{ NULL, BYTES(5, 0, 5, 6, 0, 1, 0, 0, 0, 0, 0, 0), 7, SOCKS5_FAILED },
		{ NULL, BYTES(5, 0, 5, 255, 0, 1, 0, 0, 0, 0, 0, 0), 7, SOCKS5_FAILED },
		/* an error needs no address that makes sense */
		{ NULL, BYTES(5, 0, 5, 5, 0, 9, 0), 7, SOCKS5_REFUSED },
		/* methods: another version, none acceptable, one that was not offered */
		{ NULL, BYTES(4, 0), 2, SOCKS5_FAILED },
		{ NULL, BYTES('H', 'T', 'T', 'P'), 2, SOCKS5_FAILED },
		{ NULL, BYTES(5, 255), 2, SOCKS5_FAILED },
		{ NULL, BYTES(5, 2), 2, SOCKS5_FAILED },
		{ NULL, BYTES(5, 1), 2, SOCKS5_FAILED },
		{ "me", BYTES(5, 1), 2, SOCKS5_FAILED },
		/* name and password: refused, another version */
		{ "me", BYTES(5, 2, 1, 1), 4, SOCKS5_FAILED },
		{ "me", BYTES(5, 2, 0, 0), 4, SOCKS5_FAILED },
		{ "me", BYTES(5, 2, 5, 0, GRANTED4), 14, SOCKS5_DONE },
		/* replies of another version, or with an unknown kind of address */
		{ NULL, BYTES(5, 0, 4, 0, 0, 1, 0, 0, 0, 0, 0, 0), 7, SOCKS5_FAILED },
		{ NULL, BYTES(5, 0, 5, 0, 0, 2, 0, 0, 0, 0, 0, 0), 7, SOCKS5_FAILED },
		{ NULL, BYTES(5, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0), 7, SOCKS5_FAILED },
		/* the stream's first bytes stay where they are */
		{ NULL, BYTES(5, 0, GRANTED4, 'a', 'b'), 12, SOCKS5_DONE },
		{ NULL, BYTES(5, 0, 5, 0, 0, 3, 1, 'x', 0, 80, 'a'), 10, SOCKS5_DONE },
		{ NULL, BYTES(5, 0, 5, 0, 0, 3, 0, 0, 80, 'a'), 9, SOCKS5_DONE },
		{ NULL,
		  BYTES(5, 0, 5, 0, 0, 4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0,
			80, 'a'),
		  24, SOCKS5_DONE },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct socks5_ask ask = ask_for(cases[i].user, false);

		for (size_t step = 1; step < 30; step++) {
			struct heard h = converse(&ask, cases[i].server, cases[i].len, step);

			test_at("case %u, pieces of %zu", i, step);
			check_eq(h.status, cases[i].want);
			check_eq(h.taken, cases[i].taken);
		}
	}
}

static void every_truncation_waits_for_more(void)
{
	static const uint8_t server[] = { 5, 2, 1, 0, GRANTED4 };
	struct socks5_ask ask = ask_for("me", false);

	for (size_t len = 0; len < sizeof(server); len++) {
		test_at("%zu bytes", len);
		check_eq(converse(&ask, server, len, 100).status, SOCKS5_GOING);
	}
}

static void the_longest_name_fits(void)
{
	uint8_t server[2 + 5 + 255 + 2 + 10] = { 5, 0, 5, 0, 0, 3, 255 };
	struct socks5_ask ask = ask_for(NULL, false);
	struct heard h = converse(&ask, server, sizeof(server), 1000);

	check_eq(h.status, SOCKS5_DONE);
	check_eq(h.taken, sizeof(server) - 10);
	check_eq(h.bound.family, TERN_AF_UNSPEC);
}

/* Each byte changed to each value: it ends or waits, and never reads on. */
static void every_lie(void)
{
	static const uint8_t honest[] = { 5, 2, 1, 0, GRANTED4 };
	struct socks5_ask ask = ask_for("me", false);

	for (size_t at = 0; at < sizeof(honest); at++) {
		for (unsigned v = 0; v < 256; v++) {
			uint8_t server[sizeof(honest) + 300] = { 0 };
			struct heard h;

			memcpy(server, honest, sizeof(honest));
			server[at] = (uint8_t)v;
			test_at("byte %zu is %u", at, v);
			h = converse(&ask, server, sizeof(server), 7);
			check(h.status != SOCKS5_GOING);
			check(h.taken <= 4 + SOCKS5_IN_MAX);
		}
	}
}

static void the_longest_credentials(void)
{
	char user[257], password[257];
	struct socks5_ask ask = ask_for(NULL, true);
	struct heard h;

	memset(user, 'u', sizeof(user));
	memset(password, 'p', sizeof(password));
	user[256] = password[256] = 0;
	check(!socks5_credentials_fit(user, "p"));
	check(!socks5_credentials_fit("u", password));
	check(!socks5_credentials_fit("", "p"));
	check(!socks5_credentials_fit("u", ""));
	check(!socks5_credentials_fit("u", NULL));
	user[255] = password[255] = 0;
	check(socks5_credentials_fit(user, password));
	ask.user = user;
	ask.password = password;
	h = converse(&ask, LENT(5, 2, 1, 0, GRANTED4), 13);
	check_eq(h.status, SOCKS5_DONE);
	check_eq(h.said_len, 4 + 3 + 255 + 255 + 22);
}

/* ---- datagrams ---- */

static void datagram_headers_there_and_back(void)
{
	static const char *const to[] = { "192.0.2.1", "2001:db8::1" };

	for (unsigned i = 0; i < 2; i++) {
		uint8_t bytes[SOCKS5_UDP_HEADER_MAX + 4];
		struct tern_addr a, from = { .port = 9 };
		size_t n;

		check_eq(tern_addr_parse(to[i], 53, &a), 0);
		n = socks5_udp_emit(&a, bytes);
		check_eq(n, i ? 22 : 10);
		for (size_t len = 0; len < n; len++) {
			test_at("%s, %zu bytes", to[i], len);
			check_eq(socks5_udp_parse(bytes, len, &from), 0);
		}
		check_eq(socks5_udp_parse(bytes, n, &from), n);
		check_eq(socks5_udp_parse(bytes, n + 4, &from), n);
		check_mem(&from, &a, sizeof(a));
		bytes[2] = 1; /* cut */
		check_eq(socks5_udp_parse(bytes, n, &from), 0);
		bytes[2] = 0;
		for (unsigned type = 0; type < 256; type++) {
			bytes[3] = (uint8_t)type;
			n = socks5_udp_parse(bytes, 26, &from);
			check_eq(n, type == 1 ? 10 : type == 4 ? 22 : 0);
		}
	}
}

static const struct test tests[] = {
	TEST(says_what_the_rfc_wants),
	TEST(asks_for_an_association),
	TEST(verdicts),
	TEST(every_truncation_waits_for_more),
	TEST(the_longest_name_fits),
	TEST(every_lie),
	TEST(the_longest_credentials),
	TEST(datagram_headers_there_and_back),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
