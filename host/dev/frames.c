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
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../../core/base/rand.h"
#include "vnet.h"

enum { FRAME_MAX = 65535 + 14 + 8, PARTS_MAX = 2 + TERN_PKT_SPANS_MAX };
/* Of one turn: what is read should still be in the cache when it is looked at. */
enum { READ_BYTES_MAX = 256 << 10 };

/* What ends a device, and what only ends this frame. */
static int verdict_of(int err)
{
	if (err == EAGAIN || err == EWOULDBLOCK || err == ENOBUFS)
		return -TERN_EAGAIN;
	if (err == EBADF || err == EBADFD || err == ENODEV || err == ENXIO || err == EPIPE ||
	    err == ECONNRESET || err == ENOTCONN || err == ECONNREFUSED)
		return -TERN_ENODEV;
	return 0;
}

static ssize_t read_frame(const struct frames *f, struct iovec *iov, int n)
{
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = (size_t)n };
	ssize_t got;

	do
		got = f->socket ? recvmsg(f->dev.fd, &m, MSG_DONTWAIT) : readv(f->dev.fd, iov, n);
	while (got < 0 && errno == EINTR);
	return got;
}

/* NULL: none; *err: 0, or -TERN_ENODEV. *dropped: there was one that made no sense. */
static struct tern_pkt *read_one(struct frames *f, struct tern_stack *st, int *err, bool *dropped)
{
	struct tern_pkt *p = tern_pkt_new(st, FRAME_MAX);
	struct virtio_net_hdr h;
	struct iovec iov[2] = { { &h, sizeof(h) }, { NULL, FRAME_MAX } };
	ssize_t n, before = f->vnet ? (ssize_t)sizeof(h) : 0;

	*err = 0;
	*dropped = false;
	if (!p)
		return NULL;
	iov[1].iov_base = p->data;
	n = f->vnet ? read_frame(f, iov, 2) : read_frame(f, iov + 1, 1);
	if (n > before) {
		p->len = p->total_len = (uint32_t)(n - before);
		p->ifindex = (uint16_t)f->dev.ifindex;
		if (!f->vnet || vnet_parse(&h, f->ethernet, p))
			return p;
		*dropped = true;
	} else if (n < 0) {
		*err = verdict_of(errno) == -TERN_ENODEV ? -TERN_ENODEV : 0;
	} else if (n == 0 && f->socket) {
		*err = -TERN_ENODEV; /* the far end is closed */
	}
	tern_pkt_free(st, p);
	return NULL;
}

static int frames_read(struct dev *d, struct tern_stack *st, unsigned max, struct tern_pkt **list)
{
	struct frames *f = (struct frames *)d;
	uint32_t bytes = 0;
	int err = 0, n = 0;
	bool dropped = true;

	*list = NULL;
	while ((unsigned)n < max && bytes < READ_BYTES_MAX) {
		struct tern_pkt *p = read_one(f, st, &err, &dropped);

		if (!p && !dropped)
			break;
		if (!p)
			continue;
		p->next = NULL;
		*list = p;
		list = &p->next;
		bytes += p->len;
		n++;
	}
	return n ? n : err;
}

static int frames_write(struct dev *d, struct tern_stack *st, const struct tern_pkt *p)
{
	const struct frames *f = (const struct frames *)d;
	struct virtio_net_hdr h;
	struct iovec iov[PARTS_MAX];
	struct msghdr m = { .msg_iov = iov };
	int n = 0;
	ssize_t sent;

	(void)st;
	if (f->vnet) {
		vnet_emit(p, f->ethernet, &h);
		iov[n++] = (struct iovec){ &h, sizeof(h) };
	}
	iov[n++] = (struct iovec){ p->data, p->len };
	for (unsigned i = 0; i < p->n_spans; i++)
		iov[n++] = (struct iovec){ p->span[i].ptr, p->span[i].len };
	m.msg_iovlen = (size_t)n;
	do
		sent = f->socket ? sendmsg(d->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) :
				   writev(d->fd, iov, n);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? verdict_of(errno) : 0;
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
					    .close = frames_close };
	struct frames *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->dev = (struct dev){ .ops = &ops, .iface = *iface, .fd = fd };
	f->ethernet = iface->link == TERN_LINK_ETHERNET;
	f->vnet = vnet;
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
