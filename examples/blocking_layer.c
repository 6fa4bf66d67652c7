/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blocking_layer.c - blocking calls on the non-blocking core: try, wait, retry.
 *
 * Whoever waits drives the stack. Over a real device `wait` sleeps in poll() until a frame comes or
 * tern_deadline has passed; here the peer is in the same program and time is virtual.
 */
#include "common.h"

struct process {
	struct tern_stack *st, *peer;
	tern_time now;
};

static void serve_peer(struct tern_stack *st)
{
	static tern_sock listener;
	struct tern_addr at = tern_ip4(10, 0, 0, 2, 13);
	struct tern_event ev;
	tern_sock s;

	if (!listener) {
		tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &listener);
		tern_bind(st, listener, &at);
		tern_listen(st, listener, 4);
	}
	while (tern_event(st, &ev)) {
		if (ev.sock == listener && tern_accept(st, listener, &s, NULL) == 0) {
			tern_send(st, s, "a quarter past nine\n", 20, 0);
			tern_close(st, s);
		}
	}
}

/* One wait: frames move, time passes to the next deadline. */
static void wait(struct process *p)
{
	tern_time next = tern_deadline(p->st), other = tern_deadline(p->peer);
	bool moved;

	serve_peer(p->peer);
	moved = carry(p->st, 2, p->peer, 2);
	moved = carry(p->peer, 2, p->st, 2) || moved;
	if (moved)
		return;
	next = next < other ? next : other;
	if (next != TERN_NEVER && next > p->now)
		p->now = next;
	tern_advance(p->st, p->now);
	tern_advance(p->peer, p->now);
}

static int connect_blocking(struct process *p, tern_sock s, const struct tern_addr *to)
{
	int32_t err = tern_connect(p->st, s, to);
	size_t len = sizeof(err);

	if (err != -TERN_EINPROGRESS)
		return err;
	while (!(tern_poll(p->st, s) & (TERN_POLLOUT | TERN_POLLERR)))
		wait(p);
	tern_getsockopt(p->st, s, TERN_SOL_SOCKET, TERN_SO_ERROR, &err, &len);
	return -err;
}

static int64_t recv_blocking(struct process *p, tern_sock s, void *buf, size_t len)
{
	int64_t n;

	while ((n = tern_recv(p->st, s, buf, len, 0)) == -TERN_EAGAIN)
		wait(p);
	return n;
}

static struct tern_stack *host(uint8_t last)
{
	struct tern_iface wire = { "wire", TERN_LINK_IP, 1500, 0, { 0 } };
	struct tern_addr addr = tern_ip4(10, 0, 0, last, 0);
	struct tern_stack *st = new_stack(last);

	if (!st || tern_iface_add(st, &wire) != 2 || tern_addr_add(st, 2, &addr, 24) != 0)
		exit(1);
	return st;
}

int main(void)
{
	struct process p = { .now = 0 };
	struct tern_addr to = tern_ip4(10, 0, 0, 2, 13);
	char line[64] = "";
	int64_t n, total = 0;
	tern_sock s;

	p.st = host(1);
	p.peer = host(2);
	serve_peer(p.peer);
	tern_socket(p.st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s);
	if (connect_blocking(&p, s, &to) == 0)
		while ((n = recv_blocking(&p, s, line + total, sizeof(line) - 1 - (size_t)total)) >
		       0)
			total += n;
	tern_close(p.st, s);
	printf("%s", line);
	tern_free(p.peer);
	tern_free(p.st);
	return strcmp(line, "a quarter past nine\n") == 0 ? 0 : 1;
}
