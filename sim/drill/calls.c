/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls.c - one socket call of a script, carried out on tern.
 *
 * Addresses in calls are "..." as in packetdrill: bind takes the local address with the script's
 * port, connect the remote one. Descriptors are numbers from 3, the lowest free one first.
 */
#include "drill.h"

#include <stdlib.h>
#include <string.h>

#include "../../core/base/base.h"

static const struct {
	const char *name;
	int value;
} names[] = {
	{ "AF_INET", 2 },
	{ "PF_INET", 2 },
	{ "AF_INET6", 10 },
	{ "PF_INET6", 10 },
	{ "SOCK_STREAM", 1 },
	{ "SOCK_DGRAM", 2 },
	{ "SOCK_RAW", 3 },
	{ "IPPROTO_TCP", 6 },
	{ "IPPROTO_UDP", 17 },
	{ "IPPROTO_IP", 0 },
	{ "IPPROTO_IPV6", 41 },
	{ "SOL_TCP", 6 },
	{ "SOL_SOCKET", 1 },
	{ "SOL_IP", 0 },
	{ "SO_REUSEADDR", 2 },
	{ "SO_ERROR", 4 },
	{ "SO_BROADCAST", 6 },
	{ "SO_SNDBUF", 7 },
	{ "SO_RCVBUF", 8 },
	{ "SO_KEEPALIVE", 9 },
	{ "SO_OOBINLINE", 10 },
	{ "SO_LINGER", 13 },
	{ "SO_REUSEPORT", 15 },
	{ "SO_RCVLOWAT", 18 },
	{ "TCP_NODELAY", 1 },
	{ "TCP_MAXSEG", 2 },
	{ "TCP_CORK", 3 },
	{ "TCP_KEEPIDLE", 4 },
	{ "TCP_KEEPINTVL", 5 },
	{ "TCP_KEEPCNT", 6 },
	{ "TCP_SYNCNT", 7 },
	{ "TCP_LINGER2", 8 },
	{ "TCP_QUICKACK", 12 },
	{ "TCP_USER_TIMEOUT", 18 },
	{ "IP_TOS", 1 },
	{ "IP_TTL", 2 },
	{ "IP_RECVERR", 11 },
	{ "IPV6_UNICAST_HOPS", 16 },
	{ "IPV6_TCLASS", 67 },
	{ "MSG_OOB", 1 },
	{ "MSG_PEEK", 2 },
	{ "MSG_TRUNC", 0x20 },
	{ "MSG_DONTWAIT", 0x40 },
	{ "MSG_WAITALL", 0x100 },
	{ "MSG_NOSIGNAL", 0x4000 },
	{ "MSG_MORE", 0x8000 },
	{ "SHUT_RD", 0 },
	{ "SHUT_WR", 1 },
	{ "SHUT_RDWR", 2 },
	{ "F_GETFL", 3 },
	{ "F_SETFL", 4 },
	{ "O_RDWR", 2 },
	{ "O_NONBLOCK", 04000 },
	{ "POLLIN", 1 },
	{ "POLLPRI", 2 },
	{ "POLLOUT", 4 },
	{ "POLLERR", 8 },
	{ "POLLHUP", 0x10 },
	{ "POLLRDHUP", 0x2000 },
	{ "SIOCINQ", 0x541B },
	{ "FIONREAD", 0x541B },
	{ "SIOCOUTQ", 0x5411 },
	{ "SIOCATMARK", 0x8905 },
};

enum { MSG_DONTWAIT = 0x40, O_NONBLOCK = 04000 };

/* "A|B", a number, or -1 when a name is unknown. */
static int64_t value_of(const char *text)
{
	int64_t v = 0;

	while (*text) {
		size_t n = strcspn(text, "| ");
		size_t i = 0;

		if (n && ((*text >= '0' && *text <= '9') || *text == '-')) {
			v |= strtol(text, NULL, 0);
		} else if (n) {
			while (i < N_ELEMENTS(names) &&
			       (strlen(names[i].name) != n || strncmp(names[i].name, text, n) != 0))
				i++;
			if (i == N_ELEMENTS(names))
				return -1;
			v |= names[i].value;
		}
		text += n;
		text += strspn(text, "| ");
	}
	return v;
}

struct call {
	struct drill *d;
	const struct drill_call *c;
	int line;
	struct drill_fd *fd; /* of the first argument; NULL: none */
};

static int not_supported(const struct call *k, const char *what)
{
	fprintf(k->d->out, "%s:%d: not supported: %s of %s\n", k->d->script->name, k->line, what,
		k->c->name);
	return -1;
}

static int64_t arg(const struct call *k, int i)
{
	return i < k->c->n_args ? value_of(k->c->arg[i]) : 0;
}

static struct drill_fd *fd_of(struct drill *d, int64_t number)
{
	if (number < 3 || number >= 3 + DRILL_FDS_MAX || !d->fd[number - 3].sock)
		return NULL;
	return &d->fd[number - 3];
}

static int64_t new_fd(struct drill *d, tern_sock sock, int type)
{
	for (int i = 0; i < DRILL_FDS_MAX; i++) {
		if (d->fd[i].sock)
			continue;
		d->fd[i] = (struct drill_fd){ .sock = sock, .type = type };
		return i + 3;
	}
	return -TERN_ENFILE;
}

/* A call that would block does so unless the descriptor or the flags say otherwise. */
static int finish(const struct call *k, int64_t r, int flags, int64_t *result)
{
	if (r == -TERN_EAGAIN && !k->fd->nonblocking && !(flags & MSG_DONTWAIT))
		return DRILL_WAITS;
	*result = r;
	return 0;
}

/* ---- the calls ---- */

static int call_socket(struct call *k, int64_t *result)
{
	int family = k->d->script->ipv6 ? TERN_AF_INET6 : TERN_AF_INET;
	int64_t type = arg(k, 1), protocol = arg(k, 2);
	tern_sock sock;

	if (type < 0 || protocol < 0)
		return not_supported(k, "an argument");
	*result = tern_socket(k->d->st, family, (int)type, (int)protocol, &sock);
	if (*result == 0)
		*result = new_fd(k->d, sock, (int)type);
	return 0;
}

static int call_bind(struct call *k, int64_t *result)
{
	*result = tern_bind(k->d->st, k->fd->sock, &k->d->local);
	return 0;
}

static int call_listen(struct call *k, int64_t *result)
{
	*result = tern_listen(k->d->st, k->fd->sock, (int)arg(k, 1));
	k->fd->listens = *result == 0;
	return 0;
}

static int call_accept(struct call *k, int64_t *result)
{
	tern_sock sock;
	int64_t r = tern_accept(k->d->st, k->fd->sock, &sock, NULL);

	return finish(k, r == 0 ? new_fd(k->d, sock, TERN_SOCK_STREAM) : r, 0, result);
}

static int call_connect(struct call *k, int64_t *result)
{
	struct drill *d = k->d;
	int32_t err = 0;
	size_t len = sizeof(err);
	struct tern_addr name;

	if (d->pending != k->c) {
		*result = tern_connect(d->st, k->fd->sock, &d->remote);
		tern_getsockname(d->st, k->fd->sock, &name);
		d->local.port = name.port;
		if (*result != -TERN_EINPROGRESS || k->fd->nonblocking)
			return 0;
	}
	if (!(tern_poll(d->st, k->fd->sock) & (TERN_POLLOUT | TERN_POLLERR)))
		return DRILL_WAITS;
	tern_getsockopt(d->st, k->fd->sock, TERN_SOL_SOCKET, TERN_SO_ERROR, &err, &len);
	*result = -err;
	return 0;
}

static int call_recv(struct call *k, int64_t *result)
{
	static uint8_t buf[1 << 20];
	int64_t flags = k->c->n_args > 3 ? arg(k, 3) : 0;
	int64_t len = arg(k, 2);

	if (flags < 0 || len < 0 || len > (int64_t)sizeof(buf))
		return not_supported(k, "an argument");
	return finish(k, tern_recv(k->d->st, k->fd->sock, buf, (size_t)len, (int)flags), (int)flags,
		      result);
}

static int call_send(struct call *k, int64_t *result)
{
	static const uint8_t data[1 << 20];
	int64_t flags = k->c->n_args > 3 ? arg(k, 3) : 0, len = arg(k, 2), r;
	bool to = strcmp(k->c->name, "sendto") == 0;

	if (flags < 0 || len < 0 || len > (int64_t)sizeof(data))
		return not_supported(k, "an argument");
	r = tern_sendto(k->d->st, k->fd->sock, data, (size_t)len, (int)flags,
			to ? &k->d->remote : NULL);
	return finish(k, r, (int)flags, result);
}

static int call_close(struct call *k, int64_t *result)
{
	*result = tern_close(k->d->st, k->fd->sock);
	k->fd->sock = 0;
	return 0;
}

static int call_shutdown(struct call *k, int64_t *result)
{
	*result = tern_shutdown(k->d->st, k->fd->sock, (int)arg(k, 1));
	return 0;
}

/* [1], {onoff=1, linger=0} or a bare number */
static int call_setsockopt(struct call *k, int64_t *result)
{
	const char *text = k->c->arg[3];
	int64_t level = arg(k, 1), name = arg(k, 2);
	struct tern_linger linger = { 0, 0 };
	int32_t v;

	if (level < 0 || name < 0)
		return not_supported(k, "an option");
	if (strchr(text, '{')) {
		const char *on = strstr(text, "onoff="), *time = strstr(text, "linger=");

		if (!on || !time)
			return not_supported(k, "this struct");
		linger.onoff = (int32_t)strtol(on + 6, NULL, 0);
		linger.linger = (int32_t)strtol(time + 7, NULL, 0);
		*result = tern_setsockopt(k->d->st, k->fd->sock, (int)level, (int)name, &linger,
					  sizeof(linger));
		return 0;
	}
	v = (int32_t)strtol(text + strspn(text, "[ "), NULL, 0);
	*result = tern_setsockopt(k->d->st, k->fd->sock, (int)level, (int)name, &v, sizeof(v));
	return 0;
}

/* The value in brackets is what the option must be. */
static int call_getsockopt(struct call *k, int64_t *result)
{
	const char *text = k->c->arg[3];
	int64_t level = arg(k, 1), name = arg(k, 2), want;
	size_t len = sizeof(int32_t);
	int32_t v = 0;

	if (level < 0 || name < 0)
		return not_supported(k, "an option");
	*result = tern_getsockopt(k->d->st, k->fd->sock, (int)level, (int)name, &v, &len);
	text += strspn(text, "[ ");
	if (*result != 0 || strncmp(text, "...", 3) == 0)
		return 0;
	if (*text == 'E') { /* an error by its name */
		size_t n = strcspn(text, "] ");

		if (strlen(tern_errno_name(v)) == n && strncmp(text, tern_errno_name(v), n) == 0)
			return 0;
		fprintf(k->d->out, "%s:%d: the option is %s\n", k->d->script->name, k->line,
			tern_errno_name(v));
		*result = -TERN_EINVAL;
		return 0;
	}
	want = strtol(text, NULL, 0);
	if (v != want) {
		fprintf(k->d->out, "%s:%d: the option is %d\n", k->d->script->name, k->line, v);
		*result = -TERN_EINVAL;
	}
	return 0;
}

static int call_fcntl(struct call *k, int64_t *result)
{
	int64_t flags = arg(k, 2);

	if (arg(k, 1) == 4) {
		if (flags < 0)
			return not_supported(k, "a flag");
		k->fd->nonblocking = (flags & O_NONBLOCK) != 0;
		*result = 0;
	} else {
		*result = 2 | (k->fd->nonblocking ? O_NONBLOCK : 0);
	}
	return 0;
}

/* ioctl(3, SIOCINQ, [1000]) = 0 */
static int call_ioctl(struct call *k, int64_t *result)
{
	int64_t request = arg(k, 1),
		want = strtol(k->c->arg[2] + strspn(k->c->arg[2], "[ "), NULL, 0);
	int name = request == 0x541B ? TERN_SO_SIOCINQ :
		   request == 0x5411 ? TERN_SO_SIOCOUTQ :
				       TERN_SO_ATMARK;
	size_t len = sizeof(int32_t);
	int32_t v = 0;

	if (request < 0)
		return not_supported(k, "a request");
	*result = tern_getsockopt(k->d->st, k->fd->sock, TERN_SOL_SOCKET, name, &v, &len);
	if (*result == 0 && v != want) {
		fprintf(k->d->out, "%s:%d: the value is %d\n", k->d->script->name, k->line, v);
		*result = -TERN_EINVAL;
	}
	return 0;
}

/* poll([{fd=3, events=POLLIN, revents=POLLIN}], 1, 0) = 1 */
static int call_poll(struct call *k, int64_t *result)
{
	const char *text = k->c->arg[0], *fd = strstr(text, "fd="), *in = strstr(text, "events="),
		   *out = strstr(text, "revents=");
	char word[64];
	struct drill_fd *f;
	int64_t asked, want;
	unsigned got;

	if (!fd || !in || !out)
		return not_supported(k, "this form");
	f = fd_of(k->d, strtol(fd + 3, NULL, 0));
	snprintf(word, sizeof(word), "%.*s", (int)strcspn(in + 7, ",}"), in + 7);
	asked = value_of(word);
	snprintf(word, sizeof(word), "%.*s", (int)strcspn(out + 8, ",}"), out + 8);
	want = value_of(word);
	if (!f || asked < 0 || want < 0)
		return not_supported(k, "an event");
	got = tern_poll(k->d->st, f->sock) & ((unsigned)asked | TERN_POLLERR | TERN_POLLHUP);
	if (got == 0 && arg(k, 2) != 0)
		return DRILL_WAITS;
	*result = got ? 1 : 0;
	if (got != (unsigned)want) {
		fprintf(k->d->out, "%s:%d: the events are 0x%x, not 0x%x\n", k->d->script->name,
			k->line, got, (unsigned)want);
		*result = -TERN_EINVAL;
	}
	return 0;
}

static const struct {
	const char *name;
	int (*make)(struct call *, int64_t *);
	bool no_fd;
} calls[] = {
	{ "socket", call_socket, true },
	{ "bind", call_bind, false },
	{ "listen", call_listen, false },
	{ "accept", call_accept, false },
	{ "connect", call_connect, false },
	{ "read", call_recv, false },
	{ "recv", call_recv, false },
	{ "recvfrom", call_recv, false },
	{ "write", call_send, false },
	{ "send", call_send, false },
	{ "sendto", call_send, false },
	{ "close", call_close, false },
	{ "shutdown", call_shutdown, false },
	{ "setsockopt", call_setsockopt, false },
	{ "getsockopt", call_getsockopt, false },
	{ "fcntl", call_fcntl, false },
	{ "ioctl", call_ioctl, false },
	{ "poll", call_poll, true },
};

int calls_try(struct drill *d, const struct drill_call *c, int line, int64_t *result)
{
	struct call k = { d, c, line, NULL };

	for (size_t i = 0; i < N_ELEMENTS(calls); i++) {
		if (strcmp(calls[i].name, c->name) != 0)
			continue;
		k.fd = fd_of(d, arg(&k, 0));
		if (!k.fd && !calls[i].no_fd) {
			*result = -TERN_EBADF;
			return 0;
		}
		return calls[i].make(&k, result);
	}
	return not_supported(&k, "the call");
}
