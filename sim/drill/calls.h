/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls.h - the socket calls that scripts make.
 *
 * A call is tried once, or, when it blocks, again each time something has happened, until it has a
 * result.
 */
#ifndef TERN_DRILL_CALLS_H
#define TERN_DRILL_CALLS_H

#include "script.h"

struct drill;
struct calling;
struct fd;

/* Results that are none. */
#define CALL_WAIT INT64_MIN	   /* not yet */
#define CALL_ENDED (INT64_MIN + 1) /* the outcome of the script is clear already */

struct call_kind {
	const char *name;
	unsigned min_args, max_args;
	/* The result, or a negative errno. */
	int64_t (*run)(struct drill *, struct calling *);
	bool opens; /* the result names a new descriptor */
};

const struct call_kind *call_find(struct slice name); /* NULL: no such */
/* Is it a call that scripts for packetdrill may make, and this runner has not? */
bool call_is_missing(struct slice name);

/* ---- call.c: arguments. Those that return false have ended the script. ---- */

const struct expr *call_arg(const struct calling *, unsigned i);
bool call_int(struct drill *, const struct calling *, unsigned i, int64_t *);
/* The number in [4]; `...`: false in *given. */
bool call_boxed(struct drill *, const struct calling *, unsigned i, bool *given, int64_t *);
/* An address, or the default one. */
bool call_addr(struct drill *, const struct calling *, unsigned i, bool remote, struct tern_addr *);
/* The field of {a=1, b=2}; NULL: none. */
const struct expr *expr_field(const struct expr *, const char *name);
bool call_mistyped(struct drill *, const struct calling *, unsigned i, const char *wanted);
/* Argument i, where it is an address, is this one. */
void call_check_addr(struct drill *, const struct calling *, unsigned i, const struct tern_addr *);
bool call_read_addr(struct drill *, const struct calling *, const struct expr *,
		    struct tern_addr *);
/* The same for any expression that the call holds. */
void call_check_addr_expr(struct drill *, const struct calling *, const struct expr *,
			  const struct tern_addr *);
/* The first such field's number; false: there is none, or it is no number. */
bool expr_number(const struct expr *, const char *name, int64_t *);
/* What an inner value of a call was, and what it should have been. */
void call_differs(struct drill *, const struct calling *, const char *what, int64_t want,
		  int64_t got);

/* ---- descriptors ---- */

struct fd *fd_find(struct drill *, int64_t number);
/* The descriptor in argument i; NULL and -EBADF in *error when it is not open. */
struct fd *call_fd(struct drill *, const struct calling *, unsigned i, int64_t *error);
/* Gives the socket the number that the script expects as result. */
int64_t call_open(struct drill *, const struct calling *, tern_sock, int type, bool nonblock);
/* EAGAIN becomes CALL_WAIT where the call may block. */
int64_t call_or_wait(const struct calling *, const struct fd *, int64_t result);

/* How the handshake ended, or CALL_WAIT. */
int64_t handshake_result(struct drill *, struct fd *);

/* ---- calls_cmsg.c: ancillary data ---- */

/* Into what is sent; false: the script has ended. */
bool cmsg_put(struct drill *, const struct calling *, const struct expr *control,
	      struct tern_msg *);
/* Compares what came with what msg_control= names. */
void cmsg_check(struct drill *, const struct calling *, const struct fd *, const struct tern_msg *);

/* ---- the calls ---- */

int64_t run_socket(struct drill *, struct calling *);
int64_t run_bind(struct drill *, struct calling *);
int64_t run_listen(struct drill *, struct calling *);
int64_t run_accept(struct drill *, struct calling *);
int64_t run_connect(struct drill *, struct calling *);
int64_t run_shutdown(struct drill *, struct calling *);
int64_t run_close(struct drill *, struct calling *);
int64_t run_fcntl(struct drill *, struct calling *);
int64_t run_ioctl(struct drill *, struct calling *);
int64_t run_getsockname(struct drill *, struct calling *);
int64_t run_getpeername(struct drill *, struct calling *);
int64_t run_poll(struct drill *, struct calling *);
int64_t run_epoll_create(struct drill *, struct calling *);
int64_t run_epoll_ctl(struct drill *, struct calling *);
int64_t run_epoll_wait(struct drill *, struct calling *);
int64_t run_getsockopt(struct drill *, struct calling *);
int64_t run_setsockopt(struct drill *, struct calling *);
int64_t run_read(struct drill *, struct calling *);
int64_t run_recv(struct drill *, struct calling *);
int64_t run_recvmsg(struct drill *, struct calling *);
int64_t run_readv(struct drill *, struct calling *);
int64_t run_write(struct drill *, struct calling *);
int64_t run_send(struct drill *, struct calling *);
int64_t run_sendto(struct drill *, struct calling *);
int64_t run_sendmsg(struct drill *, struct calling *);
int64_t run_writev(struct drill *, struct calling *);

#endif
