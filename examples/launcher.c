/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * launcher.c - what a launcher does with a program's socket: bytes move between a descriptor and
 * tern's buffers in place, without a copy of its own.
 *
 * The program's descriptor is one end of a socket pair; the supervisor holds the other. Here the
 * program is a few lines of this file and the stream goes over lo.
 */
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common.h"

enum { SPANS = 4 };

static size_t to_iovecs(const struct tern_span *span, int n, struct iovec *iov)
{
	for (int i = 0; i < n; i++)
		iov[i] = (struct iovec){ span[i].ptr, span[i].len };
	return (size_t)n;
}

/* program -> network: read straight into the send buffer */
static bool move_out(struct tern_stack *st, int fd, tern_sock s)
{
	struct tern_span span[SPANS];
	struct iovec iov[SPANS];
	int n = tern_send_space(st, s, span, SPANS);
	ssize_t got;

	if (n <= 0)
		return false;
	got = readv(fd, iov, (int)to_iovecs(span, n, iov));
	/* also where nothing came: what was lent goes back */
	tern_send_commit(st, s, got > 0 ? (size_t)got : 0, 0);
	if (got == 0)
		tern_shutdown(st, s, TERN_SHUT_WR);
	return got > 0;
}

/* network -> program: write straight from the receive buffer */
static bool move_in(struct tern_stack *st, tern_sock s, int fd)
{
	struct tern_span span[SPANS];
	struct iovec iov[SPANS];
	int n = tern_recv_data(st, s, span, SPANS);
	ssize_t put;

	if (n <= 0)
		return false;
	put = writev(fd, iov, (int)to_iovecs(span, n, iov));
	return put > 0 && tern_recv_consume(st, s, (size_t)put) == 0;
}

int main(void)
{
	struct tern_addr at = tern_ip4(127, 0, 0, 1, 9000);
	struct tern_stack *st = new_stack(3);
	tern_sock listener, client, server = 0;
	char answer[32] = "";
	int out[2], in[2];

	if (!st || socketpair(AF_UNIX, SOCK_STREAM, 0, out) ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, in))
		return 1;
	tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &listener);
	tern_bind(st, listener, &at);
	tern_listen(st, listener, 4);
	tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &client);
	tern_connect(st, client, &at);
	tern_advance(st, TERN_MS); /* lo runs */
	tern_accept(st, listener, &server, NULL);
	if (write(out[0], "from the program\n", 17) != 17)
		return 1;
	move_out(st, out[1], client);
	tern_advance(st, 2 * TERN_MS);
	move_in(st, server, in[0]);
	if (read(in[1], answer, sizeof(answer) - 1) != 17)
		return 1;
	printf("%s", answer);
	tern_free(st);
	return strcmp(answer, "from the program\n") == 0 ? 0 : 1;
}
