/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pairs.c - the sockets of the program: from their making to the close of their last copy.
 *
 * A pair is found by the inode of the program's end. Its own end is in the epoll set until it
 * has hung up; of datagrams see closes.c. Freeing waits for the end of a turn, because events that
 * name it may still be at hand. Of a dead one (no descriptor of ours is left, so its last close is
 * not seen) names stay, and the oldest go when there are too many.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inside.h"

/*
 * What a pair holds in each direction: a kernel doubles it, as far as net.core.wmem_max lets it.
 * Small datagrams cost twice their length there, and a burst that the program sends is to have room
 * as a whole; what it receives is lost where its socket has no room.
 */
static const int room = 131072, burst_room = 262144;

static struct pair **bucket(const struct run *r, uint64_t ino)
{
	return (struct pair **)&r->hash[ino % PAIRS_HASH];
}

struct pair *pair_by_ino(const struct run *r, uint64_t ino)
{
	struct pair *p = *bucket(r, ino);

	while (p && p->ino != ino)
		p = p->next;
	return p;
}

static void unlink_ino(struct run *r, struct pair *p)
{
	struct pair **at = bucket(r, p->ino);

	while (*at && *at != p)
		at = &(*at)->next;
	if (*at)
		*at = p->next;
}

static void unlink_pair(struct run *r, struct pair *p)
{
	unlink_ino(r, p);
	r->n_dead -= !list_empty(&p->dead_link);
	list_unlink(&p->dead_link);
	list_unlink(&p->named_link);
	list_unlink(&p->all_link);
}

static void free_pair(struct pair *p)
{
	letters_fini(p);
	said_fini(p);
	free(p);
}

static void free_at_end_of_turn(struct run *r, struct pair *p)
{
	unlink_pair(r, p);
	p->gone = true;
	p->free_next = r->to_free;
	r->to_free = p;
}

static bool name_end(struct pair *p, int end)
{
	socklen_t len = sizeof(p->cookie);
	struct stat st;

	if (fstat(end, &st) != 0 || getsockopt(end, SOL_SOCKET, SO_COOKIE, &p->cookie, &len) != 0)
		return false;
	p->ino = st.st_ino;
	return true;
}

static void link_ino(struct run *r, struct pair *p)
{
	struct pair *old = pair_by_ino(r, p->ino);

	if (old &&
	    old->state == PAIR_DEAD) /* its last copy is gone: the kernel uses the number again */
		free_at_end_of_turn(r, old);
	p->next = *bucket(r, p->ino);
	*bucket(r, p->ino) = p;
}

static void link_pair(struct run *r, struct pair *p)
{
	link_ino(r, p);
	list_init(&p->dead_link);
	list_init(&p->named_link);
	list_put_tail(&r->all, &p->all_link);
	if (p->type != SOCK_STREAM)
		pair_note_named(r, p);
}

void pair_note_named(struct run *r, struct pair *p)
{
	if (list_empty(&p->named_link))
		list_put_tail(&r->named, &p->named_link);
}

/* Datagrams: only SOCK_DGRAM can show an error and go on, but it does not hang up. */
static bool make_ends(struct run *r, struct pair *p, int type, int both[2])
{
	static const int on = 1;
	int unix_type = type == SOCK_STREAM ? SOCK_STREAM : SOCK_DGRAM;
	const int *own_room = type == SOCK_STREAM ? &room : &burst_room;

	if (socketpair(AF_UNIX, unix_type | SOCK_CLOEXEC, 0, both) != 0)
		return false;
	if (unix_type == SOCK_DGRAM && !closes_watch(r, p, both[1])) {
		close(both[0]);
		close(both[1]);
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, both) != 0)
			return false;
	}
	if (unix_type == SOCK_DGRAM) /* letters_find */
		setsockopt(both[1], SOL_SOCKET, TIMESTAMPNS_NEW, &on, sizeof(on));
	setsockopt(both[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	setsockopt(both[1], SOL_SOCKET, SO_SNDBUF, own_room, sizeof(*own_room));
	return true;
}

bool pair_new_ends(struct run *r, struct pair *p, int *end)
{
	struct pair is = *p;
	int both[2];

	if (!make_ends(r, p, SOCK_STREAM, both))
		return false;
	if (!name_end(&is, both[1])) {
		close(both[0]);
		close(both[1]);
		return false;
	}
	pair_drop_end(r, p);
	unlink_ino(r, p);
	p->ino = is.ino;
	p->cookie = is.cookie;
	p->fd = both[0];
	link_ino(r, p);
	r->n_dead -= !list_empty(&p->dead_link);
	list_unlink(&p->dead_link);
	*end = both[1];
	return true;
}

struct pair *pair_new(struct run *r, tern_sock s, int family, int type, int *end)
{
	struct pair *p = calloc(1, sizeof(*p));
	int both[2];

	if (!p)
		return NULL;
	p->watch = -1;
	if (!make_ends(r, p, type, both)) {
		free(p);
		return NULL;
	}
	p->fd = both[0];
	*end = both[1];
	p->family = family;
	p->type = type;
	p->s = s;
	p->letters_end = &p->letters;
	if (!name_end(p, both[1]) || tern_set_user(r->st, s, p) != 0) {
		closes_forget(r, p);
		close(both[0]);
		close(both[1]);
		free(p);
		return NULL;
	}
	link_pair(r, p);
	if (type == SOCK_STREAM)
		pump_keep_inline(r, s);
	pair_watch(r, p, type == SOCK_STREAM ? 0 : EPOLLIN);
	return p;
}

void pair_watch(struct run *r, struct pair *p, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = p };

	if (p->fd < 0 || p->hung_up || (p->in_set && p->watched == events))
		return;
	if (epoll_ctl(r->set, p->in_set ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, p->fd, &ev) != 0)
		return;
	p->in_set = true;
	p->watched = events;
}

void pair_unwatch(struct run *r, struct pair *p)
{
	if (p->in_set)
		epoll_ctl(r->set, EPOLL_CTL_DEL, p->fd, NULL);
	p->in_set = false;
}

void pair_drop_end(struct run *r, struct pair *p)
{
	pair_unwatch(r, p);
	closes_forget(r, p);
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

static void close_both(struct run *r, struct pair *p)
{
	pair_drop_end(r, p);
	if (p->s)
		tern_close(r->st, p->s);
	far_close(r, p);
	if (p->kept)
		tern_abort(r->st, p->kept);
	p->s = p->kept = 0;
}

void pair_end(struct run *r, struct pair *p)
{
	if (p->gone)
		return;
	close_both(r, p);
	while (p->waiting)
		call_answer(r, p->waiting, -EBADF);
	free_at_end_of_turn(r, p);
}

void pair_die(struct run *r, struct pair *p, int so_error)
{
	struct tern_addr at;

	if (p->gone || p->state == PAIR_DEAD)
		return;
	if (!p->shown_local.family && tern_getsockname(r->st, p->s, &at) == 0)
		p->shown_local = address_shown(r, p, &at);
	if (!p->shown_peer.family && tern_getpeername(r->st, p->s, &at) == 0)
		p->shown_peer = address_shown(r, p, &at);
	close_both(r, p);
	p->so_error = so_error;
	p->state = PAIR_DEAD;
	list_unlink(&p->named_link);
	list_put_tail(&r->dead, &p->dead_link);
	if (++r->n_dead > DEAD_MAX)
		free_at_end_of_turn(r, CONTAINER_OF(r->dead.next, struct pair, dead_link));
	call_look_again(r, p);
}

static bool is_hung_up(const struct pair *p)
{
	struct pollfd f = { .fd = p->fd };

	return p->fd >= 0 && p->in_set && poll(&f, 1, 0) > 0 && (f.revents & POLLHUP);
}

bool pairs_see_closes(struct run *r)
{
	struct pair *before = r->to_free, *p;
	struct list *l, *next;

	closes_news(r);
	for (l = r->all.next; l != &r->all; l = next) {
		next = l->next;
		p = CONTAINER_OF(l, struct pair, all_link);
		if (is_hung_up(p))
			pump_hangup(r, p);
	}
	return r->to_free != before;
}

void pairs_free_gone(struct run *r)
{
	while (r->to_free) {
		struct pair *p = r->to_free;

		r->to_free = p->free_next;
		free_pair(p);
	}
}

void pairs_fini(struct run *r)
{
	while (!list_empty(&r->all))
		pair_end(r, CONTAINER_OF(r->all.next, struct pair, all_link));
	pairs_free_gone(r);
}
