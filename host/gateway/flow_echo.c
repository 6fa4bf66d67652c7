/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow_echo.c - echo requests through the gateway. RFC 792, RFC 4443 4.
 *
 * To its own addresses the gateway answers. Others go out by the host's echo sockets, one for each
 * (asker, identifier, far end): the host puts an identifier of its own in, and only what answers it
 * comes back, with the old one. Where the host does not let us (net.ipv4.ping_group_range), and
 * through a proxy, they go nowhere. The stack itself is told to answer none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include "../../core/base/addr.h"
#include "../../core/wire/wire.h"
#include "gateway_impl.h"

struct echo_flow {
	struct flow f; /* inner.port is the identifier */
	struct source src;
};

enum { ECHO_SHARE = 64, ID_OFF = 4 };

static uint8_t reply_type(const struct tern_addr *a)
{
	return a->family == TERN_AF_INET ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY;
}

/* ---- inwards ---- */

static void move_echo(struct gateway *g, struct flow *f)
{
	struct echo_flow *e = CONTAINER_OF(f, struct echo_flow, f);
	uint8_t *text = g->scratch + SCRATCH_OFF;

	for (int i = 0; i < ECHO_SHARE; i++) {
		ssize_t n = recv(e->src.fd, text, SCRATCH_CAP - SCRATCH_OFF, 0);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n < ICMP_HDR_LEN || text[0] != reply_type(&f->outer))
			continue;
		put_be16(text + ID_OFF, f->inner.port);
		raw_icmp(g, &f->outer, &f->inner, SCRATCH_OFF, (size_t)n);
		g->counts.bytes_in += (uint64_t)n;
	}
	flow_wake(g, f);
}

static void on_echo_ready(struct gateway *g, struct source *src, uint32_t events)
{
	(void)events;
	flow_wake(g, &CONTAINER_OF(src, struct echo_flow, src)->f);
}

static void close_echo(struct gateway *g, struct flow *f)
{
	source_end(g, &CONTAINER_OF(f, struct echo_flow, f)->src, false);
}

static const struct flow_ops echo_ops = { FLOW_ECHO, move_echo, flow_end, close_echo };

/* ---- outwards ---- */

static bool open_echo(struct gateway *g, struct echo_flow *e)
{
	bool v4 = e->f.outer.family == TERN_AF_INET;
	struct sockaddr_storage addr;
	socklen_t len = sockaddr_from(&e->f.outer, &addr);
	int fd = host_socket(e->f.outer.family, SOCK_DGRAM, v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);

	if (fd < 0) {
		note_starved(g, fd);
		return false;
	}
	if (connect(fd, (struct sockaddr *)&addr, len) == 0 && source_add(g, &e->src, fd))
		return true;
	close(fd);
	return false;
}

static struct echo_flow *find_echo_flow(struct gateway *g, const struct tern_addr *inner,
					const struct tern_addr *outer)
{
	struct flow_key key = flow_key(FLOW_ECHO, inner, outer);
	struct flow *f = flow_find(g, &key);
	struct tern_addr there;
	struct echo_flow *e;

	if (f)
		return CONTAINER_OF(f, struct echo_flow, f);
	if (g->wish.socks.family || !outside_of(g, outer, &there))
		return NULL;
	g->counts.echo++;
	e = flow_new(g, &echo_ops, sizeof(*e));
	if (!e) {
		g->counts.starved++;
		return NULL;
	}
	e->src = (struct source){ -1, on_echo_ready };
	e->f.inner = *inner;
	e->f.outer = *outer;
	flow_put(g, &e->f, &key);
	if (open_echo(g, e))
		return e;
	flow_end(g, &e->f);
	return NULL;
}

/* A request in scratch from off on. */
static void on_request(struct gateway *g, struct tern_msg *m, size_t off, size_t len)
{
	uint8_t *text = g->scratch + off;
	struct echo_flow *e;

	m->addr.port = get_be16(text + ID_OFF);
	m->local.port = 0;
	if (is_own_address(g, &m->local)) {
		text[0] = reply_type(&m->local);
		raw_icmp(g, &m->local, &m->addr, off, len);
		return;
	}
	e = find_echo_flow(g, &m->addr, &m->local);
	if (!e)
		return;
	flow_set_age(g, &e->f, AGE_ECHO);
	if (send(e->src.fd, text, len, MSG_NOSIGNAL) >= 0)
		g->counts.bytes_out += len;
}

/* Raw sockets get a message before anybody has looked at it. */
static bool is_good_request(const struct tern_msg *m, const uint8_t *text, size_t len)
{
	bool v4 = m->local.family == TERN_AF_INET;
	struct addr src = v4 ? addr_from4(m->addr.ip) : addr_from6(m->addr.ip);
	struct addr dst = v4 ? addr_from4(m->local.ip) : addr_from6(m->local.ip);
	uint32_t sum = v4 ? 0 : checksum_pseudo(&src, &dst, TERN_IPPROTO_ICMPV6, (uint32_t)len);

	return len >= ICMP_HDR_LEN && text[0] == (v4 ? ICMP4_ECHO : ICMP6_ECHO) && text[1] == 0 &&
	       checksum_finish(checksum_add(text, len, sum)) == 0;
}

void echo_flows_take(struct gateway *g, unsigned family)
{
	struct tern_iovec iov = { g->scratch + SCRATCH_OFF, SCRATCH_CAP - SCRATCH_OFF };
	struct tern_msg m;
	int64_t n;

	for (;;) {
		size_t header = 0;

		tern_msg_init(&m, &iov, 1);
		n = tern_recvmsg(g->st, g->icmp[family], &m, 0);
		if (n == -TERN_EAGAIN || n == -TERN_EBADF)
			return;
		if (n > 0 && family == V4) /* of IPv4 the header comes, too */
			header = (size_t)(g->scratch[SCRATCH_OFF] & 15) * 4;
		if (n < (int64_t)header)
			continue;
		if (is_good_request(&m, g->scratch + SCRATCH_OFF + header, (size_t)n - header))
			on_request(g, &m, SCRATCH_OFF + header, (size_t)n - header);
	}
}
