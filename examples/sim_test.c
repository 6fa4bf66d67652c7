/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_test.c - testing a program's own protocol over a bad network, deterministically.
 *
 * Host a asks, host b answers in upper case; the wire loses a fifth of the frames. The same seed
 * gives the same run on every machine.
 */
#include <stdio.h>
#include <string.h>

#include <tern_sim.h>

struct test {
	struct tern_sim_pair net;
	tern_sock listener, server, client;
	char answer[64];
	size_t n_answer;
};

static void on_server(void *ctx, int host, const struct tern_event *ev)
{
	struct test *t = ctx;
	char buf[64];
	int64_t n;

	(void)host;
	if (ev->sock == t->listener) {
		tern_accept(t->net.b, t->listener, &t->server, NULL);
		return;
	}
	while ((n = tern_recv(t->net.b, t->server, buf, sizeof(buf), 0)) > 0) {
		for (int64_t i = 0; i < n; i++)
			if (buf[i] >= 'a' && buf[i] <= 'z')
				buf[i] = (char)(buf[i] - 'a' + 'A');
		tern_send(t->net.b, t->server, buf, (size_t)n, 0);
	}
	if (n == 0)
		tern_close(t->net.b, t->server);
}

static void on_client(void *ctx, int host, const struct tern_event *ev)
{
	struct test *t = ctx;
	int64_t n;

	(void)host;
	if ((ev->ready & TERN_POLLOUT) && t->n_answer == 0)
		tern_send(t->net.a, t->client, "hello, tern", 11, 0);
	n = tern_recv(t->net.a, t->client, t->answer + t->n_answer, 11 - t->n_answer, 0);
	if (n > 0)
		t->n_answer += (size_t)n;
	if (t->n_answer == 11)
		tern_close(t->net.a, t->client);
}

int main(void)
{
	struct tern_weather bad = { .delay = 20 * TERN_MS, .loss_ppm = 200000 };
	struct test t = { .n_answer = 0 };
	struct tern_addr at;
	bool right;

	if (tern_sim_pair(&t.net, 42, TERN_AF_INET, TERN_LINK_IP, 1500, &bad) != 0)
		return 1;
	at = t.net.addr_b;
	at.port = 7;
	tern_socket(t.net.b, TERN_AF_INET, TERN_SOCK_STREAM, 0, &t.listener);
	tern_bind(t.net.b, t.listener, &at);
	tern_listen(t.net.b, t.listener, 1);
	tern_sim_on_event(t.net.sim, 1, on_server, &t);
	tern_sim_on_event(t.net.sim, 0, on_client, &t);
	tern_socket(t.net.a, TERN_AF_INET, TERN_SOCK_STREAM, 0, &t.client);
	tern_connect(t.net.a, t.client, &at);
	tern_sim_run(t.net.sim, 600 * TERN_SEC);
	right = t.n_answer >= 11 && memcmp(t.answer, "HELLO, TERN", 11) == 0;
	printf("%.*s\n", (int)t.n_answer, t.answer);
	tern_sim_free(t.net.sim);
	return right ? 0 : 1;
}
