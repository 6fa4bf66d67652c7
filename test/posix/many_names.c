/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * many_names.c - many threads that look names up at once, and one that is their name server, on the
 * stack's own loopback. posix.check runs it, and tools/run-threads under ThreadSanitizer.
 *
 * usage: many_names SEED, with TERN_RESOLV_CONF as a file that names 127.0.0.1
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tern_posix_map.h"

enum { N_THREADS = 8, LOOK_UPS = 40, NAMES = 100, HEADER = 12 };

static unsigned seed;

static void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

/* "n17.test" has 10.1.0.17 and no address of IPv6. Returns the answer's length. */
static size_t write_answer(unsigned char *m, size_t len)
{
	unsigned char a[] = { 0xc0, HEADER, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 1, 0, 0 };
	size_t end = HEADER;

	while (end < len && m[end])
		end += 1u + m[end];
	end += 5;
	if (end > len || m[HEADER] < 2)
		return 0;
	m[2] = 0x81;
	m[3] = 0x80;
	m[11] = 0; /* no EDNS */
	if (m[end - 3] != 1)
		return end;
	m[7] = 1;
	a[15] = (unsigned char)strtoul((char *)m + HEADER + 2, NULL, 10);
	memcpy(m + end, a, sizeof(a));
	return end + sizeof(a);
}

static void *serve(void *ctx)
{
	unsigned char m[512];
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	int s = *(int *)ctx;
	ssize_t n;

	while ((n = recvfrom(s, m, 400, 0, (struct sockaddr *)&from, &from_len)) > HEADER) {
		size_t len = write_answer(m, (size_t)n);

		if (len && sendto(s, m, len, 0, (struct sockaddr *)&from, from_len) < 0)
			die("sendto");
	}
	return NULL;
}

static void look_up(unsigned n)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	struct sockaddr_in *in;
	char name[32];
	int err;

	snprintf(name, sizeof(name), "n%u.test", n);
	err = getaddrinfo(name, "80", &hints, &list);
	if (err) {
		fprintf(stderr, "%s: %s\n", name, gai_strerror(err));
		exit(1);
	}
	in = (struct sockaddr_in *)(void *)list->ai_addr;
	if (list->ai_next || in->sin_addr.s_addr != htonl(0x0a010000 + n)) {
		fprintf(stderr, "%s: another one's address\n", name);
		exit(1);
	}
	freeaddrinfo(list);
}

static void *look_many_up(void *ctx)
{
	unsigned x = seed * 7919 + (unsigned)(size_t)ctx;

	for (int i = 0; i < LOOK_UPS; i++) {
		x = x * 1664525 + 1013904223;
		look_up((x >> 16) % NAMES);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(53) };
	pthread_t server, thread[N_THREADS];
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	seed = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (s < 0 || bind(s, (struct sockaddr *)&at, sizeof(at)))
		die("bind");
	pthread_create(&server, NULL, serve, &s);
	for (size_t i = 0; i < N_THREADS; i++)
		pthread_create(&thread[i], NULL, look_many_up, (void *)i);
	for (size_t i = 0; i < N_THREADS; i++)
		pthread_join(thread[i], NULL);
	/* what is too short to be a question ends the server */
	sendto(s, "", 1, 0, (struct sockaddr *)&at, sizeof(at));
	pthread_join(server, NULL);
	printf("%d names were found\n", N_THREADS * LOOK_UPS);
	return 0;
}
