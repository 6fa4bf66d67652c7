/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mesh.c - a device whose far ends are the other processes of a network.
 *
 * Whoever has a packet for a member connects to it once; what comes is read from the connections
 * that others made. A packet for a member that is not there is answered with "host unreachable", as
 * the last router would; a packet for all goes to each. Whoever has no room for a packet misses it,
 * as behind a full port of a switch: nobody waits for a member that does not read.
 */
#define _GNU_SOURCE
#include "mesh.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../core/base/addr.h"
#include "../../core/wire/wire.h"
#include "own_socket.h"

enum {
	NUMBER_MAX = 65534,
	ENDS_MAX = 4096, /* connections, both those made and those taken */
	EVENTS_MAX = 32,
	PACKET_MAX = 65535,
	ROOM = 1048576,	 /* bytes that wait for a member: more than Linux gives unasked */
	TRIES_MAX = 100, /* to be in the directory before the last one removes it */
	QUOTE_MAX = 548, /* of a packet in an ICMP error: RFC 1812 4.3.2.3 */
	PARTS_MAX = 1 + TERN_PKT_SPANS_MAX,
	PATH_ROOM = sizeof(((struct sockaddr_un *)0)->sun_path),
	DIR_MAX = PATH_ROOM - sizeof("/65534"),
};
enum kind { LISTENER, FROM, TO };

static const uint8_t prefix4[2] = { 198, 18 }, prefix6[14] = { 0xfd, 0x74, 0x65, 0x72, 0x6e };

struct far_end {
	unsigned number; /* 0: it has come to us, and only speaks */
	int fd;
};

struct mesh {
	struct dev dev; /* its descriptor is the epoll set */
	unsigned number;
	int listener;
	char dir[PATH_ROOM], path[PATH_ROOM], link[PATH_ROOM + MESH_NAME_MAX];
	struct far_end end[ENDS_MAX];
	unsigned n_ends;
	uint8_t answer[IP6_HDR_LEN + 8 + QUOTE_MAX]; /* unreachable: waits to be read */
	uint32_t answer_len;
};

/* ---- members ---- */

/* 0: the text is no member's number. */
static unsigned number_of(const char *text)
{
	char *end;
	unsigned long n = text[0] >= '1' && text[0] <= '9' ? strtoul(text, &end, 10) : 0;

	return n > 0 && n <= NUMBER_MAX && !*end ? (unsigned)n : 0;
}

static bool path_of(const char *dir, unsigned number, struct sockaddr_un *at)
{
	at->sun_family = AF_UNIX;
	return snprintf(at->sun_path, sizeof(at->sun_path), "%s/%u", dir, number) <
	       (int)sizeof(at->sun_path);
}

static bool watch(struct mesh *m, int fd, enum kind kind, uint32_t events)
{
	struct epoll_event ev = { .events = events,
				  .data.u64 = (uint64_t)kind << 32 | (uint32_t)fd };

	return epoll_ctl(m->dev.fd, EPOLL_CTL_ADD, fd, &ev) == 0;
}

static void forget(struct mesh *m, int fd)
{
	for (unsigned i = 0; i < m->n_ends; i++)
		if (m->end[i].fd == fd)
			m->end[i--] = m->end[--m->n_ends];
	close(fd);
}

/* false: it has been closed, and errno says why. */
static bool keep_end(struct mesh *m, unsigned number, int fd)
{
	if (m->n_ends == ENDS_MAX) {
		errno = EMFILE;
	} else if (watch(m, fd, number ? TO : FROM, number ? 0 : EPOLLIN)) {
		m->end[m->n_ends++] = (struct far_end){ number, fd };
		return true;
	}
	close(fd);
	return false;
}

/* A connection to the member, or -1 and errno. */
static int reach(struct mesh *m, unsigned number)
{
	struct sockaddr_un at;
	int fd, room = ROOM;

	for (unsigned i = 0; i < m->n_ends; i++)
		if (m->end[i].number == number)
			return m->end[i].fd;
	if (!path_of(m->dir, number, &at))
		return -1;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
		close(fd);
		return -1;
	}
	return keep_end(m, number, fd) ? fd : -1;
}

/* ---- out ---- */

static bool send_packet(int fd, const struct tern_pkt *p)
{
	struct iovec iov[PARTS_MAX] = { { p->data, p->len } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 1 };

	for (unsigned i = 0; i < p->n_spans; i++)
		iov[m.msg_iovlen++] = (struct iovec){ p->span[i].ptr, p->span[i].len };
	return sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

/* No member has the number 0. */
static int member_of(const uint8_t *number)
{
	return get_be16(number) ? get_be16(number) : -1;
}

/* Whom the packet is for: a number, 0 for all, or -1 for nobody here. */
static int addressee(const uint8_t *p, uint32_t len)
{
	if (len >= IP4_HDR_LEN && p[0] >> 4 == 4) {
		bool ours = memcmp(p + 16, prefix4, sizeof(prefix4)) == 0;

		if (p[16] >= 224 || (ours && get_be16(p + 18) == 0xffff))
			return 0;
		return ours ? member_of(p + 18) : -1;
	}
	if (len >= IP6_HDR_LEN && p[0] >> 4 == 6) {
		if (p[24] == 0xff)
			return 0;
		return memcmp(p + 24, prefix6, sizeof(prefix6)) == 0 ? member_of(p + 38) : -1;
	}
	return -1;
}

static void send_to_all(struct mesh *m, const struct tern_pkt *p)
{
	DIR *dir = opendir(m->dir);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		unsigned number = number_of(e->d_name);
		int fd = number && number != m->number ? reach(m, number) : -1;

		if (fd >= 0)
			send_packet(fd, p);
	}
	if (dir)
		closedir(dir);
}

/* RFC 792, RFC 4443 3.1. There is no router that could say so: the address itself does. */
static void answer_unreachable(struct mesh *m, const struct tern_pkt *p)
{
	bool v4 = p->data[0] >> 4 == 4;
	struct icmp icmp = { .type = v4 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE,
			     .code = v4 ? 1 : 3 };
	uint32_t head = v4 ? IP4_HDR_LEN : IP6_HDR_LEN, len = MIN(p->total_len, QUOTE_MAX);
	uint8_t *text = m->answer + head, *quote = text + icmp_emit(&icmp, text);
	struct addr us = v4 ? addr_from4(p->data + 12) : addr_from6(p->data + 8);
	struct addr it = v4 ? addr_from4(p->data + 16) : addr_from6(p->data + 24);
	struct ip4 ip4 = { .ttl = 64, .proto = TERN_IPPROTO_ICMP, .src = it, .dst = us };
	struct ip6 ip6 = {
		.hop_limit = 64, .next_header = TERN_IPPROTO_ICMPV6, .src = it, .dst = us
	};
	uint32_t sum;

	tern_pkt_copy(p, 0, quote, len);
	len += (uint32_t)(quote - text);
	sum = v4 ? 0 : checksum_pseudo(&it, &us, TERN_IPPROTO_ICMPV6, len);
	put_be16(text + 2, 0);
	put_be16(text + 2, checksum_finish(checksum_add(text, len, sum)));
	ip4.total_len = (uint16_t)(head + len);
	ip6.payload_len = (uint16_t)len;
	if (v4)
		ip4_emit(&ip4, m->answer);
	else
		ip6_emit(&ip6, m->answer);
	m->answer_len = head + len;
}

static int mesh_write(struct dev *d, struct tern_stack *st, const struct tern_pkt *p)
{
	struct mesh *m = (struct mesh *)d;
	int number = addressee(p->data, p->len), fd;

	(void)st;
	if (number == 0)
		send_to_all(m, p);
	if (number <= 0)
		return 1;
	fd = reach(m, (unsigned)number);
	if (fd < 0 && (errno == ENOENT || errno == ECONNREFUSED))
		answer_unreachable(m, p);
	if (fd >= 0 && !send_packet(fd, p) && errno != EAGAIN) /* it has gone */
		forget(m, fd);
	return 1;
}

/* ---- in ---- */

static void welcome(struct mesh *m)
{
	int fd = accept4(m->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0)
		keep_end(m, 0, fd);
}

struct taking {
	struct tern_pkt **last;
	int n, share; /* so many from each that has some */
};

static void add(const struct mesh *m, struct taking *t, struct tern_pkt *p)
{
	p->ifindex = (uint16_t)m->dev.ifindex;
	p->next = NULL;
	*t->last = p;
	t->last = &p->next;
	t->n++;
}

static void take_answer(struct mesh *m, struct tern_stack *st, struct taking *t)
{
	struct tern_pkt *p = m->answer_len ? tern_pkt_new(st, m->answer_len) : NULL;

	if (p) {
		memcpy(p->data, m->answer, m->answer_len);
		add(m, t, p);
	}
	m->answer_len = 0;
}

/* false: there was none. */
static bool take_message(struct mesh *m, struct tern_stack *st, int fd, struct taking *t)
{
	struct tern_pkt *p = tern_pkt_new(st, PACKET_MAX);
	uint8_t lost;
	ssize_t n = recv(fd, p ? p->data : &lost, p ? PACKET_MAX : sizeof(lost),
			 MSG_DONTWAIT | MSG_TRUNC);

	if (p && n > 0 && n <= PACKET_MAX) {
		p->len = p->total_len = (uint32_t)n;
		add(m, t, p);
		return true;
	}
	tern_pkt_free(st, p);
	if (n > 0)
		m->dev.refused++;
	else if (n == 0 || errno != EAGAIN)
		forget(m, fd); /* that member has gone */
	return n > 0;
}

static void take_event(struct mesh *m, struct tern_stack *st, const struct epoll_event *ev,
		       struct taking *t)
{
	int fd = (int)(uint32_t)ev->data.u64;

	switch ((enum kind)(ev->data.u64 >> 32)) {
	case LISTENER:
		welcome(m);
		return;
	case FROM:
		for (int i = 0; i < t->share && take_message(m, st, fd, t); i++)
			continue;
		return;
	case TO: /* it has gone: nothing else is told of it */
		forget(m, fd);
		return;
	}
}

static int mesh_read(struct dev *d, struct tern_stack *st, unsigned max, struct tern_pkt **list)
{
	struct mesh *m = (struct mesh *)d;
	struct taking t = { list, 0, 0 };
	struct epoll_event ev[EVENTS_MAX];
	int room, n;

	*list = NULL;
	take_answer(m, st, &t);
	room = (int)max - t.n;
	n = room > 0 ? epoll_wait(d->fd, ev, MIN(EVENTS_MAX, room), 0) : 0;
	t.share = n > 0 ? room / n : 0;
	for (int i = 0; i < n; i++)
		take_event(m, st, &ev[i], &t);
	return t.n;
}

static bool mesh_pending(const struct dev *d)
{
	return ((const struct mesh *)d)->answer_len != 0;
}

/* ---- joining and leaving ---- */

static const char *reason(int err)
{
	switch (err) {
	case EEXIST:
		return "a member of that name lives";
	case EADDRINUSE:
		return "the network is full";
	default:
		return own_socket_trouble(err);
	}
}

static struct dev *refuse(struct dev_wish *w, const char *what, int err)
{
	snprintf(w->error, sizeof(w->error), "%.*s: %s", PATH_ROOM, what, reason(err));
	return NULL;
}

static bool is_of_the_dead(const char *dir, const char *file)
{
	unsigned number = number_of(file);
	struct tern_addr member;
	struct sockaddr_un at;

	if (file[0] == '@')
		return !mesh_find(dir, file + 1, TERN_AF_INET, &member);
	return number && path_of(dir, number, &at) && !own_socket_is_held(&at);
}

/* Under the lock. A name that stayed would lead to whoever gets the number next. */
static void bury_the_dead(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (is_of_the_dead(dir, e->d_name))
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
}

static void leave(struct mesh *m)
{
	int lock = own_socket_lock(m->dir);

	if (m->link[0])
		unlink(m->link);
	if (m->path[0])
		unlink(m->path);
	if (lock >= 0)
		bury_the_dead(m->dir);
	rmdir(m->dir); /* of the last one */
	if (lock >= 0)
		own_socket_unlock(lock);
}

static void mesh_close(struct dev *d)
{
	struct mesh *m = (struct mesh *)d;

	leave(m);
	while (m->n_ends)
		forget(m, m->end[0].fd);
	if (m->listener >= 0)
		close(m->listener);
	if (d->fd >= 0)
		close(d->fd);
	free(m);
}

/* The first number that nobody lives under. */
static bool take_number(struct mesh *m)
{
	struct sockaddr_un at;

	for (unsigned n = 1; n <= NUMBER_MAX && path_of(m->dir, n, &at); n++) {
		if (own_socket_hold(m->listener, at.sun_path) == 0) {
			m->number = n;
			snprintf(m->path, sizeof(m->path), "%s", at.sun_path);
			return true;
		}
		if (errno != EADDRINUSE)
			return false;
	}
	return false;
}

static bool take_name(struct mesh *m, const char *name)
{
	char number[16];

	snprintf(m->link, sizeof(m->link), "%s/@%s", m->dir, name);
	snprintf(number, sizeof(number), "%u", m->number);
	if (symlink(number, m->link) == 0)
		return true;
	m->link[0] = 0;
	return false;
}

/* The lock of a directory that is there: the last member may have just left. */
static int lock_network(const char *dir)
{
	int lock = -1;

	for (int i = 0; i < TRIES_MAX && lock < 0; i++) {
		if (mkdir(dir, 0700) != 0 && errno != EEXIST)
			return -1;
		lock = own_socket_lock(dir);
		if (lock < 0 && errno != ENOENT)
			return -1;
	}
	return lock;
}

/* Under a lock: of two that come at once each finds what the other has taken. */
static bool join(struct mesh *m, const char *name)
{
	int lock = lock_network(m->dir);
	bool joined;

	if (lock < 0)
		return false;
	bury_the_dead(m->dir);
	joined = take_number(m) && (!name || take_name(m, name));
	own_socket_unlock(lock);
	return joined;
}

struct dev *mesh_open(const char *dir, const char *name, struct dev_wish *w)
{
	static const struct dev_ops ops = {
		.read = mesh_read, .write = mesh_write, .pending = mesh_pending, .close = mesh_close
	};
	bool fits = strlen(dir) <= DIR_MAX;
	struct mesh *m = fits ? calloc(1, sizeof(*m)) : NULL;
	int err;

	if (!m)
		return refuse(w, dir, fits ? ENOMEM : ENAMETOOLONG);
	snprintf(m->dir, sizeof(m->dir), "%s", dir);
	m->dev = (struct dev){ .ops = &ops, .fd = epoll_create1(EPOLL_CLOEXEC) };
	m->dev.iface = (struct tern_iface){ .name = "net",
					    .link = TERN_LINK_IP,
					    .mtu = w->mtu ? w->mtu : 1500 };
	m->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (m->dev.fd >= 0 && m->listener >= 0 && join(m, name) &&
	    watch(m, m->listener, LISTENER, EPOLLIN))
		return &m->dev;
	err = errno;
	mesh_close(&m->dev);
	return refuse(w, name && err == EEXIST ? name : dir, err);
}

/* ---- names and numbers ---- */

static struct tern_addr addr_of(unsigned number, int family)
{
	struct tern_addr a = { .family = TERN_AF_INET6 };

	if (family == TERN_AF_INET)
		return tern_ip4(prefix4[0], prefix4[1], (uint8_t)(number >> 8), (uint8_t)number, 0);
	memcpy(a.ip, prefix6, sizeof(prefix6));
	put_be16(a.ip + 14, number);
	return a;
}

struct tern_addr mesh_addr(const struct dev *d, int family)
{
	return addr_of(((const struct mesh *)d)->number, family);
}

void mesh_files(const struct dev *d, const char *file[MESH_FILES])
{
	const struct mesh *m = (const struct mesh *)d;

	file[0] = m->link[0] ? m->link : NULL;
	file[1] = m->path;
	file[2] = m->dir;
}

bool mesh_find(const char *dir, const char *name, int family, struct tern_addr *out)
{
	struct sockaddr_un at;
	char path[PATH_MAX], text[16] = "";
	unsigned number;

	if (strchr(name, '/') || snprintf(path, sizeof(path), "%s/@%s", dir, name) < 0 ||
	    readlink(path, text, sizeof(text) - 1) <= 0)
		return false;
	number = number_of(text);
	if (!number || !path_of(dir, number, &at))
		return false;
	*out = addr_of(number, family);
	return own_socket_is_held(&at);
}
