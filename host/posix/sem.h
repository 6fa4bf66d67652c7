/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sem.h - what POSIX sockets mean over tern: files, blocking, readiness, time-outs, errors.
 *
 * Nothing here calls an operating system: what can block is a loop of try and wait, and waiting is
 * the world's (struct sem_world): threads, locks and devices in a process (os.c), coroutines and
 * virtual time in the simulator. Every function is called with the world's lock held; only `wait`
 * gives it away. Results are 0 or a count, or a negative errno, which are Linux's.
 *
 * A file is what Linux calls an open file description: numbers name it, dup makes further ones, the
 * last close ends it. Numbers are the world's; here they are looked up.
 */
#ifndef TERN_HOST_POSIX_SEM_H
#define TERN_HOST_POSIX_SEM_H

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "../../core/base/list.h"
#include "../../include/tern.h"
#include "../loop/cork.h"
#include "../loop/option.h"
#include "../loop/sockaddr.h"

enum { SEM_FILES_MAX = 1 << 20 };

struct file;

/* Somebody who sleeps until one of some files has news for them. */
struct waiter {
	bool woken;
	struct watch *watch;
	unsigned n_watches;
	tern_time spin; /* it turns so long before it sleeps */
	void *thread;	/* the world's */
	const void
		*mask; /* the world's: signals that are blocked while it sleeps; NULL: as it is */
};

/* One file that a waiter watches. */
struct watch {
	struct list link; /* file.watches; empty: it has gone */
	struct waiter *waiter;
	unsigned events; /* enum tern_poll; ends and errors always count */
};

struct sem_world {
	/*
	 * Sleeps until w->woken, one of the kernel's descriptors is ready, or `until` has passed:
	 * the caller looks again. 0, or -EINTR: a signal came whose handler does not restart calls;
	 * always_eintr: any handler does so.
	 */
	int (*wait)(void *ctx, struct waiter *w, tern_time until, bool always_eintr);
	void (*wake)(void *ctx, struct waiter *w); /* w->woken has become true */
	tern_time (*now)(void *ctx);
	/* Gives packets that wait their way, and takes those that came: before "would block". */
	void (*pump)(void *ctx);
	/* Of an epoll set: its hidden descriptor becomes readable, or no longer. */
	void (*raise)(void *ctx, struct file *set, bool up);
	void (*end_set)(void *ctx, struct file *set); /* it is no longer needed */
	void *ctx;
};

enum file_kind { FILE_SOCKET, FILE_EPOLL };

struct file {
	uint8_t kind; /* enum file_kind */
	bool nonblocking;
	bool ended;	     /* no number names it any more */
	uint32_t n_numbers;  /* that name it */
	uint32_t n_calls;    /* that are under way */
	struct list watches; /* struct watch */
	struct list items;   /* struct item: the epoll sets it is in */
	/* a socket */
	tern_sock sock;
	int family, type, protocol;
	bool connecting; /* a connect was begun, and its end not told yet */
	bool broken_off; /* it ended by shutdown: ECONNRESET, not told yet */
	uint32_t cmsgs;	 /* enum cmsg_wanted */
	struct idle_options idle;
	struct cork cork;		      /* of datagrams */
	bool port_is_its_own;		      /* it was bound to a port by number */
	tern_time spin;			      /* SO_BUSY_POLL: before it sleeps */
	tern_time recv_timeout, send_timeout; /* durations; TERN_NEVER */
	/* an epoll set */
	struct list members;   /* struct item */
	struct list ready;     /* of these: what may be ready */
	bool raised;	       /* its hidden descriptor is readable */
	struct list in_raised; /* sem.raised, then */
	int set_fd, hidden_fd; /* the world's, which closes the hidden one when the set ends */
};

/* A file in an epoll set. */
struct item {
	struct list in_set;  /* file.members of the set */
	struct list on_file; /* file.items */
	struct list in_ready;
	struct file *file, *set;
	int fd;
	uint32_t events; /* with EPOLLET, EPOLLONESHOT */
	uint64_t data;
	bool disabled; /* EPOLLONESHOT, and told */
};

struct sem {
	struct tern_stack *st;
	struct sem_world world;
	struct file **file; /* by number */
	unsigned n_cap;
	struct list raised; /* sets with something that may be ready: file.in_raised */
};

/* ---- file.c ---- */

void sem_init(struct sem *, struct tern_stack *, const struct sem_world *);
void sem_fini(struct sem *); /* closes all */

/* NULL: no such number. */
struct file *sem_file(const struct sem *, int fd);
/* A socket by number, for a call that begins: *out, which sem_end_call gives back. 0 or -errno. */
int sem_begin_call(struct sem *, int fd, struct file **out);
void sem_end_call(struct sem *, struct file *);

/* A file without a number; NULL: no memory. */
struct file *file_new(enum file_kind);
/* fd names the file from now on; what it named before ends. false: no memory, nothing changed. */
bool sem_name(struct sem *, int fd, struct file *);
/* fd names nothing any more; the last number ends the file. */
void sem_unname(struct sem *, int fd);
/* The same for a number that the table does not have. */
void sem_drop_number(struct sem *, struct file *);

/* Wakes those who watch the file for this. */
void file_wake(struct sem *, struct file *, unsigned news);
/* Takes the stack's events: wakes who waits, marks epoll items. */
void sem_take_events(struct sem *);

/* The waiter watches one more file; w->watch has room. */
void watch_begin(struct waiter *, struct file *, unsigned events);
void watch_end(struct waiter *);
/* One wait of a call for one file. 0, -EINTR, -EBADF (closed by another), -ETIMEDOUT. */
int sem_wait_for(struct sem *, struct file *, unsigned events, tern_time until);
/* The instant at which a duration from now is over. */
tern_time sem_until(const struct sem *, tern_time timeout);

/* ---- sock_calls.c ---- */

int sem_socket(struct sem *, int family, int type, int protocol, struct file **);
int sem_bind(struct sem *, struct file *, const struct sockaddr *, socklen_t);
int sem_listen(struct sem *, struct file *, int backlog);
int sem_connect(struct sem *, struct file *, const struct sockaddr *, socklen_t);
int sem_accept(struct sem *, struct file *, struct sockaddr *, socklen_t *, struct file **);
int sem_shutdown(struct sem *, struct file *, int how);
/* The error that only the file knows, once: 0 or -ECONNRESET. */
int sem_take_error(struct file *);
int sem_name_of(struct sem *, struct file *, bool peer, struct sockaddr *, socklen_t *);
/* Of the last number: what SO_LINGER asks of close. */
void sem_linger(struct sem *, struct file *);
/* Before a stream ends: what was written goes, as far as it can, if a RST would discard it. */
void sem_send_the_last(struct sem *, struct file *);

/* ---- io.c ---- */

struct io {
	const struct iovec *iov;
	size_t n_iov;
	int flags; /* MSG_* */
	const struct sockaddr *to;
	socklen_t to_len;
};
int64_t sem_send(struct sem *, struct file *, const struct io *);
int64_t sem_recv(struct sem *, struct file *, const struct io *, struct sockaddr *, socklen_t *);
int64_t sem_sendmsg(struct sem *, struct file *, const struct msghdr *, int flags);
int64_t sem_recvmsg(struct sem *, struct file *, struct msghdr *, int flags);

/* ---- again.c ---- */

/* AF_UNSPEC: the stream's connection, or its listening, is given up; it is as a fresh socket. */
int sem_dissolve(struct sem *, struct file *);

/* ---- addr.c ---- */

/* As sockaddr_read, for a datagram socket's peer: of IPv6 it may have a name of IPv4. */
int addr_of_peer(const struct file *, const struct sockaddr *, socklen_t, struct tern_addr *);
/* As Linux: copies what there is room for, *len is the whole. */
void addr_to_sockaddr(const struct tern_addr *, struct sockaddr *, socklen_t *len);

/* ---- option.c ---- */

int sem_setsockopt(struct sem *, struct file *, int level, int name, const void *, socklen_t);
int sem_getsockopt(struct sem *, struct file *, int level, int name, void *, socklen_t *);

/* ---- poll.c ---- */

/* What the stack says of readiness, as Linux has it. */
unsigned file_bands(const struct file *, unsigned ready);
/* POLL* of a file now, of those asked for. */
unsigned file_poll(struct sem *, struct file *, unsigned events);
/* poll(2) of a number of ours, without a wait: is there something to tell? */
bool sem_poll_now(struct sem *, struct pollfd *);

/* ---- epoll.c ---- */

int epoll_change(struct sem *, struct file *set, int op, int fd, const struct epoll_event *);
/* At most max of what is ready in the set now. */
int epoll_collect(struct sem *, struct file *set, struct epoll_event *, int max);
/* Before the kernel is asked of sets: those whose members are ready no longer are lowered. */
void epoll_prune(struct sem *);
void epoll_on_news(struct sem *, struct file *, unsigned news);
void epoll_forget_file(struct sem *, struct file *); /* it ends: out of all sets */
void epoll_end_set(struct sem *, struct file *);

#endif
