/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frames.c - frames through a descriptor, a system call each.
 *
 * A frame is read straight into the packet that the stack gets, behind its virtio header where
 * there is one; it is written from the packet's parts where they lie.
 */
#define _GNU_SOURCE
#include "frames.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../../core/base/rand.h"
#include "uso.h"
#include "vnet.h"

enum { FRAME_MAX = 65535 + 14 + 8, PARTS_MAX = 2 + TERN_PKT_SPANS_MAX, SMALL_MAX = 256 };
/* Of one turn: what is read should still be in the cache when it is looked at. */
enum { READ_BYTES_MAX = 256 << 10 };

/*
 * What ends a device, and what only ends this frame. ENOBUFS (the host's queue was full) is the
 * frame's end: the descriptor stays writable, to wait for it would be to spin.
 */
static int verdict_of(int err)
{
	if (err == EAGAIN || err == EWOULDBLOCK)
		return -TERN_EAGAIN;
	if (err == EBADF || err == EBADFD || err == ENODEV || err == ENXIO || err == EPIPE ||
	    err == ECONNRESET || err == ENOTCONN || err == ECONNREFUSED)
		return -TERN_ENODEV;
	return 0;
}

/* Bytes of a frame, or -1. A frame longer than the parts has *cut set. */
static ssize_t read_frame(const struct frames *f, struct iovec *iov, int n, bool *cut)
{
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = (size_t)n };
	ssize_t got;

	do
		got = f->socket ? recvmsg(f->dev.fd, &m, MSG_DONTWAIT) : readv(f->dev.fd, iov, n);
	while (got < 0 && errno == EINTR);
	*cut = got > 0 && f->socket && (m.msg_flags & MSG_TRUNC);
	return got;
}

/* A message of no bytes, or the end? Both read as 0. */
static bool far_end_is_closed(const struct frames *f)
{
	struct pollfd p = { .fd = f->dev.fd, .events = POLLRDHUP };

	return f->socket && poll(&p, 1, 0) == 1 && (p.revents & (POLLRDHUP | POLLHUP));
}

/*
 * An interface that goes down may be about to vanish. Of the one the socket tells (ENETDOWN), of
 * the other it does not: it is only bound to none then.
 */
static bool is_unbound(const struct frames *f)
{
	struct sockaddr_ll at = { .sll_ifindex = 0 };
	socklen_t len = sizeof(at);

	return getsockname(f->dev.fd, (struct sockaddr *)&at, &len) == 0 && at.sll_ifindex <= 0;
}

/* 1: there was a frame, in *out unless it was refused; 0: there is none; or -TERN_ENODEV. */
static int read_one(struct frames *f, struct tern_stack *st, struct tern_pkt **out)
{
	struct tern_pkt *p = tern_pkt_new(st, FRAME_MAX);
	struct virtio_net_hdr h;
	uint8_t lost;
	struct iovec iov[2] = { { &h, sizeof(h) }, { &lost, sizeof(lost) } };
	ssize_t n, before = f->vnet ? (ssize_t)sizeof(h) : 0;
	bool cut;

	*out = NULL;
	if (p)
		iov[1] = (struct iovec){ p->data, FRAME_MAX };
	n = f->vnet ? read_frame(f, iov, 2, &cut) : read_frame(f, iov + 1, 1, &cut);
	if (p && n > before && !cut) {
		p->len = p->total_len = (uint32_t)(n - before);
		p->ifindex = (uint16_t)f->dev.ifindex;
		if (!f->vnet || vnet_parse(&h, f->ethernet, p)) {
			*out = p;
			return 1;
		}
	}
	tern_pkt_free(st, p);
	f->down |= n < 0 && errno == ENETDOWN;
	if (n < 0)
		return verdict_of(errno) == -TERN_ENODEV ? -TERN_ENODEV : 0;
	if (n == 0 && far_end_is_closed(f))
		return -TERN_ENODEV;
	f->dev.refused++;
	return 1;
}

static int frames_read(struct dev *d, struct tern_stack *st, unsigned max, struct tern_pkt **list)
{
	struct frames *f = (struct frames *)d;
	int state = 1, n = 0;
	uint32_t bytes = 0;

	*list = NULL;
	if (f->down && is_unbound(f))
		return -TERN_ENODEV;
	for (unsigned i = 0; i < max && bytes < READ_BYTES_MAX && state > 0; i++) {
		struct tern_pkt *p;

		state = read_one(f, st, &p);
		if (!p)
			continue;
		p->next = NULL;
		*list = p;
		list = &p->next;
		f->down = false;
		bytes += p->len;
		n++;
	}
	f->more = state >
		  0; /* nobody has found it empty: who hears of changes alone is not told again */
	return n || state > 0 ? n : state;
}

static bool frames_pending(const struct dev *d)
{
	return ((const struct frames *)d)->more;
}

/* A small packet in one piece: copying it costs the kernel and us less than a list of parts. */
static ssize_t write_small(const struct frames *f, int fd, const struct tern_pkt *p)
{
	uint8_t frame[sizeof(struct virtio_net_hdr) + SMALL_MAX];
	struct virtio_net_hdr h;
	size_t len = 0;

	if (f->vnet) {
		vnet_emit(p, &h);
		memcpy(frame, &h, sizeof(h));
		len = sizeof(h);
	}
	memcpy(frame + len, p->data, p->len);
	len += p->len;
	return f->socket ? send(fd, frame, len, MSG_DONTWAIT | MSG_NOSIGNAL) :
			   write(fd, frame, len);
}

static ssize_t write_iov(const struct frames *f, int fd, struct iovec *iov, int n)
{
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = (size_t)n };

	return f->socket ? sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) : writev(fd, iov, n);
}

static ssize_t write_parts(const struct frames *f, int fd, const struct tern_pkt *p)
{
	struct virtio_net_hdr h;
	struct iovec iov[PARTS_MAX];
	int n = 0;

	if (f->vnet) {
		vnet_emit(p, &h);
		iov[n++] = (struct iovec){ &h, sizeof(h) };
	}
	iov[n++] = (struct iovec){ p->data, p->len };
	for (unsigned i = 0; i < p->n_spans; i++)
		iov[n++] = (struct iovec){ p->span[i].ptr, p->span[i].len };
	return write_iov(f, fd, iov, n);
}

static ssize_t write_one(const struct frames *f, int fd, const struct tern_pkt *p)
{
	return p->n_spans == 0 && p->len <= SMALL_MAX ? write_small(f, fd, p) :
							write_parts(f, fd, p);
}

static int frames_write(struct dev *d, struct tern_stack *st, const struct tern_pkt *list)
{
	struct frames *f = (struct frames *)d;
	struct uso u;
	unsigned n;
	ssize_t sent;
	int err;

	(void)st;
	do {
		n = f->uso ? uso_build(&u, list, f->ethernet) : 0;
		sent = n ? write_iov(f, d->fd, u.iov, u.n_iov) : write_one(f, d->fd, list);
		/* a kernel that knows no such frames says so by the first one */
		f->uso = f->uso && !(n && sent < 0 && errno == EINVAL);
	} while (sent < 0 && (errno == EINTR || (n && !f->uso)));
	err = sent < 0 ? verdict_of(errno) : 0;
	return err ? err : (int)(n ? n : 1);
}

/* One that is down is looked at now and then. */
static tern_time frames_advance(struct dev *d, struct tern_stack *st, tern_time now)
{
	const struct frames *f = (const struct frames *)d;

	(void)st;
	return f->down ? now + 100 * TERN_MS : TERN_NEVER;
}

/* A message socket gives what the kernel has: only what it takes is plain then. */
static void frames_plain(struct dev *d)
{
	if (!((const struct frames *)d)->socket)
		ioctl(d->fd, TUNSETOFFLOAD, 0);
	d->iface.flags &= ~(uint32_t)(TERN_IFACE_CSUM | TERN_IFACE_TSO4 | TERN_IFACE_TSO6);
}

static void frames_close(struct dev *d)
{
	close(d->fd);
	free(d);
}

struct dev *frames_new(int fd, const struct tern_iface *iface, bool vnet, bool socket)
{
	static const struct dev_ops ops = { .read = frames_read,
					    .write = frames_write,
					    .advance = frames_advance,
					    .pending = frames_pending,
					    .plain = frames_plain,
					    .close = frames_close };
	struct frames *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->dev = (struct dev){ .ops = &ops, .iface = *iface, .fd = fd };
	f->ethernet = iface->link == TERN_LINK_ETHERNET;
	f->vnet = vnet;
	f->uso = vnet && (iface->flags & TERN_IFACE_CSUM);
	f->socket = socket;
	return &f->dev;
}

void draw_mac(uint8_t mac[6], const struct dev_wish *w, const char *name)
{
	struct sip_key key = { 1, 2 };
	uint64_t v;

	if (w->seed)
		memcpy(&key, w->seed, sizeof(key));
	v = siphash24(&key, name, strlen(name));
	memcpy(mac, &v, 6);
	mac[0] = (uint8_t)((mac[0] & ~1u) | 2);
}
