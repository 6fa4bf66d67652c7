/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_test.c - questions for names that the gateway knows are answered by whomever was asked; all
 * others, and what is no question, go to the server.
 */
#define _GNU_SOURCE
#include "gateway_fixture.h"

#include "../../core/wire/wire.h"

enum { PORT = 53, QUESTION_MAX = 300 };

static uint8_t message[QUESTION_MAX];
static size_t message_len;

/* A standard query for a dotted name, RFC 1035 4.1. */
static void ask(const char *name, uint8_t type)
{
	static const uint8_t header[12] = { 0x12, 0x34, 1, 0, 0, 1 };
	uint8_t *p = message + 12;

	memcpy(message, header, 12);
	while (*name) {
		size_t len = strcspn(name, ".");

		*p++ = (uint8_t)len;
		memcpy(p, name, len);
		p += len;
		name += len + (name[len] == '.');
	}
	memcpy(p, "\0\0\0\0\1", 5);
	p[2] = type;
	message_len = (size_t)(p + 5 - message);
}

static bool knows(void *ctx, const char *name, int family, struct tern_addr *out)
{
	(void)ctx;
	if (strcmp(name, "db.lab") != 0 && strcmp(name, "four.lab") != 0)
		return false;
	if (family == TERN_AF_INET || strcmp(name, "four.lab") == 0) /* that one does not listen */
		*out = tern_ip4(198, 18, 0, 7, 0);
	return true;
}

/* Of 198.18.0.7 and fd74::7 the name, of 198.18.0.8 that it has none. */
static bool knows_address(void *ctx, const struct tern_addr *a, char name[GATEWAY_NAME_MAX])
{
	struct tern_addr seven = tern_ip4(198, 18, 0, 7, 0), eight = tern_ip4(198, 18, 0, 8, 0);
	static const uint8_t six[16] = { 0xfd, 0x74, [15] = 7 };

	(void)ctx;
	name[0] = 0;
	if (memcmp(a->ip, seven.ip, 16) == 0 || memcmp(a->ip, six, 16) == 0)
		strcpy(name, "db.lab");
	return name[0] || memcmp(a->ip, eight.ip, 16) == 0;
}

static tern_sock s;

static void begin(void)
{
	wish.name = knows;
	open_world();
	check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &s), 0);
}

static int64_t answer(uint8_t *b, size_t room, struct tern_addr *from)
{
	int64_t n;

	wait_until((n = tern_recvfrom(st, s, b, room, 0, from)) != -TERN_EAGAIN);
	return n;
}

/* The server does not even exist. */
static void a_known_name(void)
{
	static const uint8_t want[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 198, 18, 0, 7 };
	struct tern_addr server = tern_ip4(203, 0, 113, 5, PORT), from;
	uint8_t b[QUESTION_MAX];

	begin();
	ask("DB.lab", 1);
	check_eq(tern_sendto(st, s, message, message_len, 0, &server), (int64_t)message_len);
	check_eq(answer(b, sizeof(b), &from), (int64_t)(message_len + sizeof(want)));
	check(memcmp(&from, &server, sizeof(from)) == 0);
	check(memcmp(b, "\x12\x34\x85\x80\0\1\0\1\0\0\0\0", 12) == 0);
	check(memcmp(b + 12, message + 12, message_len - 12) == 0);
	check(memcmp(b + message_len, want, sizeof(want)) == 0);
	close_world();
}

/* It is known, but has none in this family, or the question is for something else: no error. */
static void a_known_name_without_an_address(void)
{
	struct tern_addr server = tern_ip4(203, 0, 113, 5, PORT), from;
	uint8_t b[QUESTION_MAX], type[] = { 28, 15, 28, 15 };

	begin();
	for (int i = 0; i < 4; i++) {
		ask(i < 2 ? "db.lab" : "four.lab", type[i]);
		tern_sendto(st, s, message, message_len, 0, &server);
		check_eq(answer(b, sizeof(b), &from), (int64_t)message_len);
		check(memcmp(b, "\x12\x34\x85\x80\0\1\0\0\0\0\0\0", 12) == 0);
	}
	close_world();
}

/* The message as a packet of this version, from one port to another: is it one of names? */
static bool is_of_names(int version, uint16_t from, uint16_t to, uint8_t proto)
{
	uint8_t packet[QUESTION_MAX + 48] = { (uint8_t)(version == 4 ? 0x45 : 0x60) };
	size_t at = version == 4 ? 20 : 40;

	packet[version == 4 ? 9 : 6] = proto;
	put_be16(packet + at, from);
	put_be16(packet + at + 2, to);
	memcpy(packet + at + 8, message, message_len);
	return gateway_names(g, packet, at + 8 + message_len);
}

static void questions_and_answers_are_known_as_packets(void)
{
	uint8_t packet[QUESTION_MAX + 48] = { 0x45, [9] = 17, [21] = PORT };

	begin();
	ask("db.LAB", 1);
	for (int version = 4; version <= 6; version += 2) {
		message[2] = 1;
		check(is_of_names(version, 40000, PORT, 17));
		check(!is_of_names(version, 40000, PORT, 6));
		check(!is_of_names(version, 40000, 54, 17));
		message[2] = 0x85;
		check(is_of_names(version, PORT, 40000, 17));
	}
	ask("other.lab", 1);
	check(!is_of_names(4, 40000, PORT, 17));
	ask("db.lab", 1);
	memcpy(packet + 28, message, message_len);
	check(gateway_names(g, packet, 28 + message_len));
	for (size_t len = 0; len < 28 + message_len - 4; len++) { /* what is cut is none */
		uint8_t *cut = malloc(len + 1);

		memcpy(cut + 1, packet, len); /* a sanitizer sees whoever reads on */
		check(!gateway_names(g, cut + 1, len));
		free(cut);
	}
	for (int n = 0; n < 5; n++) {
		packet[0] = (uint8_t)(0x40 | n); /* no header is so short */
		check(!gateway_names(g, packet, 28 + message_len));
	}
	close_world();
}

/* What the gateway lets pass, reaches this socket of the host's. */
static int server_socket(struct tern_addr *inside)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	check_eq(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	getsockname(fd, (struct sockaddr *)&at, &len);
	*inside = own_addr(AF_INET, ntohs(at.sin_port));
	return fd;
}

/* Only port 53 is looked at, so that nothing else can be meant. */
static void another_port_is_not_looked_at(void)
{
	struct tern_addr to;
	uint8_t b[QUESTION_MAX];
	int fd;

	begin();
	fd = server_socket(&to);
	ask("db.lab", 1);
	tern_sendto(st, s, message, message_len, 0, &to);
	wait_until(recv(fd, b, sizeof(b), 0) == (ssize_t)message_len);
	close(fd);
	close_world();
}

/*
 * Each message that is not one whole question for a known name gets no answer of ours: all its
 * truncations, all its headers with one bit changed that matters, names that do not end.
 */
static void what_is_no_question(void)
{
	struct tern_addr server = tern_ip4(203, 0, 113, 5, PORT);
	static const uint8_t changed[][2] = { { 2, 0x80 }, { 2, 0x08 }, { 2, 0x02 }, { 5, 2 },
					      { 5, 0 },	   { 7, 1 },	{ 9, 1 },    { 12, 0xc0 },
					      { 12, 64 },  { 12, 63 } };
	uint8_t b[QUESTION_MAX], whole[QUESTION_MAX];
	size_t len;

	begin();
	ask("db.lab", 1);
	len = message_len;
	memcpy(whole, message, len);
	for (size_t n = 0; n < len; n++)
		check_eq(tern_sendto(st, s, whole, n, 0, &server), (int64_t)n);
	for (size_t i = 0; i < sizeof(changed) / sizeof(changed[0]); i++) {
		memcpy(message, whole, len);
		message[changed[i][0]] = changed[i][1];
		tern_sendto(st, s, message, len, 0, &server);
	}
	ask("db.lab.example", 1);
	tern_sendto(st, s, message, message_len, 0, &server);
	turns(20);
	/* some networks have a server behind every address: it may answer, but with less authority */
	while (tern_recv(st, s, b, sizeof(b), 0) > 0)
		check(!(b[2] & 4));
	close_world();
}

/* RFC 1035 3.5, RFC 3596 2.5. What is no whole address, or is another's, goes its way. */
static void addresses(void)
{
	static const char six[] =
		"7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.4.7.d.F.ip6.arpa";
	static const struct {
		const char *name;
		bool is_ours, has_name;
	} cases[] = {
		{ "7.0.18.198.in-addr.arpa", true, true },
		{ "7.0.18.198.IN-ADDR.ARPA", true, true },
		{ six, true, true },
		{ "8.0.18.198.in-addr.arpa", true, false },
		{ "2.2.0.10.in-addr.arpa", true, false }, /* the gateway itself */
		{ "9.0.18.198.in-addr.arpa", false, false },
		{ "0.18.198.in-addr.arpa", false, false },
		{ "7.7.0.18.198.in-addr.arpa", false, false },
		{ "263.0.18.198.in-addr.arpa", false, false },
		{ "7.0.18.198.in-addr.arpa.x", false, false },
		{ "x.0.18.198.in-addr.arpa", false, false },
		{ six + 2, false, false },
		{ "g.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.4.7.d.f.ip6.arpa", false,
		  false },
	};
	static const uint8_t want[] = "\xc0\14\0\14\0\1\0\0\0\1\0\10\2db\3lab"; /* and the root */
	struct tern_addr server = tern_ip4(203, 0, 113, 5, PORT), from;
	uint8_t b[QUESTION_MAX];

	wish.named = knows_address;
	begin();
	for (unsigned i = 0; i < N_TESTS(cases); i++) {
		size_t len = cases[i].has_name ? sizeof(want) : 0;

		test_at("%s", cases[i].name);
		ask(cases[i].name, 12);
		check_eq(is_of_names(4, 40000, PORT, 17), cases[i].is_ours);
		if (!cases[i].is_ours)
			continue;
		tern_sendto(st, s, message, message_len, 0, &server);
		check_eq(answer(b, sizeof(b), &from), (int64_t)(message_len + len));
		check_eq(b[7], cases[i].has_name);
		check(memcmp(b + message_len, want, len) == 0);
	}
	close_world();
	wish.named = NULL;
	begin();
	ask("7.0.18.198.in-addr.arpa", 12);
	check(!is_of_names(4, 40000, PORT, 17));
	close_world();
}

static const struct test tests[] = {
	TEST(a_known_name),
	TEST(addresses),
	TEST(questions_and_answers_are_known_as_packets),
	TEST(a_known_name_without_an_address),
	TEST(another_port_is_not_looked_at),
	TEST(what_is_no_question),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
