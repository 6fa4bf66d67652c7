/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns_fuzz.c - any bytes as messages and texts, and a name server whose answers an input decides.
 *
 * The bytes are read as a message, as a name at each offset, as resolv.conf and as hosts. Then a
 * resolver asks in virtual time: what comes back has the right number and question, mostly, and
 * goes on with bytes of the input, over UDP and TCP.
 *
 * What must hold: nothing is read that is not there, a message that was checked stays good, names
 * keep their limits, each question is answered in the time that resolv.conf asks for, and all
 * memory comes back.
 *
 * With clang and -DTERN_FUZZ=ON this is a libFuzzer target. Elsewhere it is a program that draws
 * its inputs from seeds: dns_fuzz [FIRST_SEED [COUNT]].
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../host/resolve/resolve_impl.h"
#include "../include/tern_sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1500, ANSWER_SECONDS_MAX = 2 * 2 * 2 + 1, TRIES_MAX = 100000 };

struct run {
	const uint8_t *at, *end;
	struct tern_sim *sim;
	struct tern_stack *server;
	struct tern_resolver *r;
	tern_sock udp, listener, conn;
	uint64_t memory;
	uint8_t reply[2 + 4096];
};

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "dns_fuzz: %s\n", what);
	abort();
}

/* ---- as messages and texts ---- */

static void try_name(const uint8_t *data, size_t size, size_t at)
{
	char text[DNS_TEXT_MAX];
	struct dns_name n, back;
	size_t end = dns_name_read(data, size, at, &n);

	must(end <= size, "a name ends behind the message");
	if (end == 0)
		return;
	must(n.len >= 1 && n.wire[n.len - 1] == 0, "a name without an end");
	dns_name_format(&n, text);
	must(strlen(text) < DNS_TEXT_MAX, "a text that is too long");
	if (dns_name_is_host(&n))
		must(dns_name_parse(&back, text, strlen(text)) && dns_name_equal(&n, &back),
		     "a name that is another one as text");
	must(dns_name_is_under(&n, &n), "a name that is not its own zone");
}

static void try_message(const uint8_t *data, size_t size)
{
	static const uint16_t types[] = { DNS_A, DNS_AAAA, DNS_PTR };
	struct dns_question q;
	struct dns_result result;
	struct dns_record r;
	struct dns_walk w;
	struct dns_head h;

	if (!dns_check(data, size, &h))
		return;
	must(dns_walk_begin(&w, data, size), "a good message cannot be walked");
	while (dns_walk_next(&w, &r)) {
		must(r.data + r.data_len <= size, "data behind the message");
		for (int i = 0; i < 3; i++) {
			q = (struct dns_question){ r.owner, types[i] };
			dns_read_result(data, size, &q, &result);
			must(result.n_addrs <= DNS_ADDRS_MAX && result.ttl <= INT32_MAX,
			     "a result beyond its limits");
		}
	}
	must(!w.malformed, "a good message is malformed");
}

static void try_texts(const uint8_t *data, size_t size)
{
	struct tern_resolver_conf conf;
	struct hosts_found found;
	char name[TERN_DOMAIN_MAX];
	struct tern_addr a = tern_ip4(127, 0, 0, 1, 0);

	tern_resolver_conf_default(&conf);
	tern_resolver_conf_parse(&conf, (const char *)data, size);
	must(conf.n_servers <= TERN_RESOLVER_SERVERS_MAX &&
		     conf.n_search <= TERN_RESOLVER_SEARCH_MAX && conf.timeout_s >= 1 &&
		     conf.attempts >= 1,
	     "a configuration beyond its limits");
	hosts_find((const char *)data, size, "localhost", TERN_AF_UNSPEC, &found);
	must(found.n <= TERN_RESOLVER_ADDRS_MAX, "more hosts than there is room for");
	hosts_name((const char *)data, size, &a, name);
}

/* ---- a server ---- */

static unsigned draw(struct run *r)
{
	return r->at < r->end ? *r->at++ : 0;
}

/* A name: the question's, a label and that, or a pointer to anywhere. */
static size_t write_name(struct run *r, uint8_t *out)
{
	unsigned b = draw(r);
	size_t len = 0;

	if (b % 4 == 1) {
		out[len++] = 1;
		out[len++] = (uint8_t)('a' + (b >> 4) % 4);
	}
	out[len++] = 0xc0;
	out[len++] = (uint8_t)(b & 14 ? 12 : draw(r));
	return len;
}

/* A record; its parts are right, mostly. */
static size_t write_record(struct run *r, uint8_t *out)
{
	static const uint8_t types[] = { DNS_A,	 DNS_AAAA, DNS_CNAME, DNS_PTR,
					 DNS_NS, DNS_SOA,  DNS_OPT,   99 };
	static const uint8_t lens[] = { 4, 16, 0, 0, 0, 22, 0, 4 };
	unsigned b = draw(r), kind = b % 8;
	size_t at = kind == 6 ? 1 : write_name(r, out), begin, len = lens[kind];

	out[0] = kind == 6 ? 0 : out[0]; /* OPT is the root's */
	memset(out + at, 0, 10);
	out[at + 1] = types[kind];
	out[at + 3] = (uint8_t)(b & 0xe0 ? DNS_IN : draw(r));
	out[at + 4] = (uint8_t)(b & 0x80 ? 0 : draw(r));
	out[at + 7] = (uint8_t)draw(r);
	begin = at + 10;
	if (kind >= 2 && kind <= 4)
		len = write_name(r, out + begin);
	else
		for (size_t i = 0; i < len; i++)
			out[begin + i] = (uint8_t)(kind == 5 && i < 2 ? 0 : draw(r));
	out[at + 9] = (uint8_t)(b & 0x18 ? len : draw(r));
	return begin + len;
}

/* The question's head and itself, and records, with some damage or none. */
static size_t write_reply(struct run *r, const uint8_t *query, size_t len, uint8_t *out)
{
	unsigned how = draw(r), n_records = draw(r) % 12;
	size_t size = len < 300 ? len : 300;

	memcpy(out, query, size);
	if (out[11] && size > 11) { /* without the OPT record */
		out[11] = 0;
		size -= 11;
	}
	out[2] = (uint8_t)(0x80 | (how & 0xe0 ? 0 : draw(r) % 8));
	out[3] = (uint8_t)(0x80 | (how & 0x60 ? 0 : draw(r) % 8));
	for (unsigned i = 0; i < n_records; i++) {
		unsigned section = 7 + 2 * (draw(r) % 8 ? draw(r) % 2 : 2);

		/* they come in the order of sections only by chance */
		out[section]++;
		size += write_record(r, out + size);
	}
	if (!(how & 0x1c))
		out[draw(r) % size] ^= (uint8_t)draw(r);
	return how & 3 ? size : size - draw(r) % size;
}

static void answer_datagrams(struct run *r)
{
	struct tern_addr from;
	uint8_t query[512];
	int64_t n;

	while ((n = tern_recvfrom(r->server, r->udp, query, sizeof(query), 0, &from)) > 12)
		for (unsigned i = draw(r) % 3; i < 3; i++)
			tern_sendto(r->server, r->udp, r->reply,
				    write_reply(r, query, (size_t)n, r->reply), 0, &from);
}

static void answer_stream(struct run *r)
{
	uint8_t query[512];
	size_t len;
	int64_t n;

	if (tern_accept(r->server, r->listener, &r->conn, NULL) != 0 && !r->conn)
		return;
	while ((n = tern_recv(r->server, r->conn, query, sizeof(query), 0)) > 14) {
		len = write_reply(r, query + 2, (size_t)n - 2, r->reply + 2);
		r->reply[0] = (uint8_t)(len >> 8);
		r->reply[1] = (uint8_t)len;
		if (draw(r) % 8 == 0)
			r->reply[0] = (uint8_t)draw(r);
		tern_send(r->server, r->conn, r->reply, 2 + len, 0);
		if (draw(r) % 4 == 0)
			break;
	}
	if (n == 0 || draw(r) % 4 == 0) {
		tern_close(r->server, r->conn);
		r->conn = 0;
	}
}

static void on_server(void *ctx, int host, const struct tern_event *ev)
{
	struct run *r = ctx;

	(void)host;
	if (ev->sock == r->udp)
		answer_datagrams(r);
	else
		answer_stream(r);
}

static void on_client(void *ctx, int host, const struct tern_event *ev)
{
	struct run *r = ctx;

	(void)host;
	must(tern_resolver_on_event(r->r, ev), "news of a socket that nobody has");
}

static void *allocate(void *ctx, size_t size)
{
	struct run *r = ctx;
	void *p = malloc(size);

	must(p != NULL, "no memory");
	memset(p, 0xa5, size);
	r->memory += size;
	return p;
}

static void deallocate(void *ctx, void *p, size_t size)
{
	struct run *r = ctx;

	r->memory -= size;
	free(p);
}

static void open_run(struct run *r)
{
	struct tern_sim_pair pair;
	struct tern_addr at = { .family = TERN_AF_INET, .port = 53 };
	struct tern_resolver_wish wish = {
		.alloc = allocate, .free = deallocate, .ctx = r, .seed = { 1 }, .cache_max = 4
	};
	static const char conf_text[] = "nameserver 10.0.0.2\nnameserver 10.0.0.2\n"
					"options timeout:1 attempts:2\nsearch a.test\n";
	struct tern_resolver_conf conf;

	must(tern_sim_pair(&pair, 1, TERN_AF_INET, TERN_LINK_IP, 1500, NULL) == 0, "no pair");
	r->sim = pair.sim;
	r->server = pair.b;
	tern_socket(r->server, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &r->udp);
	tern_socket(r->server, TERN_AF_INET, TERN_SOCK_STREAM, 0, &r->listener);
	must(tern_bind(r->server, r->udp, &at) == 0 &&
		     tern_bind(r->server, r->listener, &at) == 0 &&
		     tern_listen(r->server, r->listener, 4) == 0,
	     "no server");
	wish.st = pair.a;
	r->r = tern_resolver_new(&wish);
	tern_resolver_conf_default(&conf);
	tern_resolver_conf_parse(&conf, conf_text, sizeof(conf_text) - 1);
	must(tern_resolver_configure(r->r, &conf, NULL, 0) == 0, "no configuration");
	tern_sim_on_event(r->sim, 0, on_client, r);
	tern_sim_on_event(r->sim, 1, on_server, r);
}

static void ask(struct run *r, const char *name)
{
	struct tern_resolver_question q = { .name = name, .addr = tern_ip4(10, 0, 0, 9, 0) };
	tern_time begun = tern_sim_now(r->sim), at;
	struct tern_resolver_answer a;
	int tries = 0;

	must(tern_resolver_ask(r->r, &q, NULL) == 0, "no question");
	while (!tern_resolver_answer(r->r, &a)) {
		at = tern_resolver_deadline(r->r);
		must(at != TERN_NEVER && tries++ < TRIES_MAX, "it waits for ever");
		if (!tern_sim_step(r->sim, at))
			tern_resolver_advance(r->r, tern_sim_now(r->sim));
		/* two names at most, each with its tries, and a try over TCP after each of UDP */
		must(tern_sim_now(r->sim) <= begun + 2 * ANSWER_SECONDS_MAX * TERN_SEC,
		     "it takes too long");
	}
	must(a.n_addrs <= TERN_RESOLVER_ADDRS_MAX && strlen(a.name) < TERN_DOMAIN_MAX,
	     "an answer beyond its limits");
	must((a.error == TERN_RESOLVER_OK) == (a.n_addrs > 0 || (!name && a.name[0])),
	     "an answer that is an error, or the other way round");
}

static void try_server(const uint8_t *data, size_t size)
{
	struct run r = { .at = data, .end = data + size };

	open_run(&r);
	ask(&r, "www.a.test");
	ask(&r, "www");
	ask(&r, NULL);
	ask(&r, "www.a.test");
	tern_resolver_free(r.r);
	must(r.memory == 0, "memory is lost");
	tern_sim_check(r.sim);
	tern_sim_free(r.sim);
}

void tern_panic(const char *file, int line)
{
	fprintf(stderr, "%s:%d: an assertion does not hold\n", file, line);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (size_t at = 0; at < size && at < 64; at++)
		try_name(data, size, at);
	try_message(data, size);
	try_texts(data, size);
	try_server(data, size);
	return 0;
}

#ifndef TERN_LIBFUZZER

/* xorshift: most are random, some like a message, or like a text. */
static size_t draw_input(uint64_t seed, uint8_t *input)
{
	static const uint8_t like_message[] = { 0xc0, 12, 1, 'a', 0, 0, 1, 0,
						1,    0,  0, 0,	  9, 0, 4, 28 };
	static const char like_text[] =
		"nameserver 10.0.0.1\nsearch a\noptions ndots:1\t#localhost :";
	uint64_t x = (seed + 1) * 0x9e3779b97f4a7c15;
	size_t len = INPUT_MAX;

	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		input[i] = (uint8_t)(x >> 32);
		if (seed % 8 == 1 && x & 3)
			input[i] = like_message[(x >> 8) % sizeof(like_message)];
		if (seed % 8 == 2 && x & 31)
			input[i] = (uint8_t)like_text[i % (sizeof(like_text) - 1)];
		if (i == 0)
			len = 20 + (size_t)(x >> 40) % (INPUT_MAX - 20);
	}
	if (seed % 8 == 1)
		memset(input + 4, 0, 8);
	if (seed % 8 == 1)
		input[7] = (uint8_t)(seed % 5);
	return len;
}

int main(int argc, char **argv)
{
	unsigned long first = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 10) : 300;
	static uint8_t input[INPUT_MAX];

	for (unsigned long seed = first; seed < first + count; seed++) {
		size_t len = draw_input(seed, input);
		uint8_t *exact = malloc(len); /* a sanitizer sees what is behind */

		must(exact != NULL, "no memory");
		memcpy(exact, input, len);
		LLVMFuzzerTestOneInput(exact, len);
		free(exact);
	}
	printf("%lu passed, 0 failed, 0 skipped\n", count);
	return 0;
}

#endif
