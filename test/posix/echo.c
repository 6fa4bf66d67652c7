/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * echo.c - a program that knows nothing of tern: a server in a thread, a client that counts what
 * comes back. posix.check compiles it as it is, and with tern_posix_map.h.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void *serve(void *ctx)
{
	int fd = accept(*(int *)ctx, NULL, NULL);
	char bytes[4096];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		if (write(fd, bytes, (size_t)n) != n)
			break;
	close(fd);
	return NULL;
}

int main(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
	char bytes[4096], back[4096];
	size_t total = 0, wrong = 0;
	pthread_t t;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(l, (struct sockaddr *)&a, len) || listen(l, 1) ||
	    getsockname(l, (struct sockaddr *)&a, &len) || pthread_create(&t, NULL, serve, &l) ||
	    connect(fd, (struct sockaddr *)&a, len))
		return 1;
	for (int i = 0; i < 250; i++) {
		memset(bytes, i, sizeof(bytes));
		if (write(fd, bytes, sizeof(bytes)) != sizeof(bytes))
			return 1;
		for (size_t got = 0; got < sizeof(back);) {
			ssize_t n = recv(fd, back + got, sizeof(back) - got, MSG_WAITALL);

			if (n <= 0)
				return 1;
			got += (size_t)n;
		}
		wrong += memcmp(bytes, back, sizeof(back)) != 0;
		total += sizeof(back);
	}
	shutdown(fd, SHUT_WR);
	if (read(fd, back, sizeof(back)) != 0)
		return 1;
	close(fd);
	pthread_join(t, NULL);
	printf("%zu bytes came back, %zu pieces of them wrong\n", total, wrong);
	return 0;
}
