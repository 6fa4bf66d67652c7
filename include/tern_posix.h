/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tern_posix.h - blocking sockets as POSIX has them, over a stack of the process's own.
 *
 * Each function is the one of its name without the prefix: Linux's constants, structs, results and
 * errno. A descriptor of the kernel's goes to the kernel's call, so programs mix both in poll,
 * select and epoll. Descriptors are real numbers, low, and the caller's to dup and close by the
 * calls below. Any call may be made from any thread.
 *
 * tern_posix_start makes the stack; without it the first socket does, from the environment:
 * TERN_DEV=tap:NAME (or tun:, packet:), TERN_ADDR=10.0.0.2/24, TERN_GW=10.0.0.1, TERN_ADDR6,
 * TERN_GW6; without TERN_DEV there is the stack's own loopback alone.
 *
 * exit closes what is open, and waits up to 10 seconds until peers have acknowledged all of it;
 * _exit and a signal do not.
 *
 * After fork the child's copies of sockets are dead (EBADF); it may open new ones. A number that is
 * not close-on-exec is an unusable descriptor after exec.
 */
#ifndef TERN_POSIX_H
#define TERN_POSIX_H

#include <ifaddrs.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tern.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TERN_POSIX_ERROR_MAX = 200 };

struct tern_posix_wish {
	const char *dev; /* "tap:NAME", "tun:NAME", "packet:IF"; NULL: the loopback alone */
	struct tern_addr addr, addr6;	  /* AF_UNSPEC: none */
	unsigned len, len6;		  /* of their prefixes */
	struct tern_addr gw, gw6;	  /* AF_UNSPEC: none */
	char error[TERN_POSIX_ERROR_MAX]; /* one line that says what to do, when -1 is returned */
};
/* 0; or -1 and a line in error. A process has one stack: EALREADY when there is one. */
TERN_API int tern_posix_start(struct tern_posix_wish *);
/* Is the descriptor one of tern's? */
TERN_API bool tern_posix_is_ours(int fd);

TERN_API int tern_posix_socket(int family, int type, int protocol);
TERN_API int tern_posix_bind(int fd, const struct sockaddr *, socklen_t);
TERN_API int tern_posix_listen(int fd, int backlog);
TERN_API int tern_posix_accept(int fd, struct sockaddr *, socklen_t *);
TERN_API int tern_posix_accept4(int fd, struct sockaddr *, socklen_t *, int flags);
TERN_API int tern_posix_connect(int fd, const struct sockaddr *, socklen_t);
TERN_API int tern_posix_shutdown(int fd, int how);
TERN_API int tern_posix_close(int fd);
TERN_API int tern_posix_getsockname(int fd, struct sockaddr *, socklen_t *);
TERN_API int tern_posix_getpeername(int fd, struct sockaddr *, socklen_t *);
TERN_API int tern_posix_getsockopt(int fd, int level, int name, void *, socklen_t *);
TERN_API int tern_posix_setsockopt(int fd, int level, int name, const void *, socklen_t);

TERN_API ssize_t tern_posix_read(int fd, void *, size_t);
TERN_API ssize_t tern_posix_write(int fd, const void *, size_t);
TERN_API ssize_t tern_posix_readv(int fd, const struct iovec *, int n);
TERN_API ssize_t tern_posix_writev(int fd, const struct iovec *, int n);
TERN_API ssize_t tern_posix_send(int fd, const void *, size_t, int flags);
TERN_API ssize_t tern_posix_recv(int fd, void *, size_t, int flags);
TERN_API ssize_t tern_posix_sendto(int fd, const void *, size_t, int flags, const struct sockaddr *,
				   socklen_t);
TERN_API ssize_t tern_posix_recvfrom(int fd, void *, size_t, int flags, struct sockaddr *,
				     socklen_t *);
TERN_API ssize_t tern_posix_sendmsg(int fd, const struct msghdr *, int flags);
TERN_API ssize_t tern_posix_recvmsg(int fd, struct msghdr *, int flags);
struct mmsghdr; /* of _GNU_SOURCE */
TERN_API int tern_posix_sendmmsg(int fd, struct mmsghdr *, unsigned n, int flags);
TERN_API int tern_posix_recvmmsg(int fd, struct mmsghdr *, unsigned n, int flags,
				 struct timespec *);
TERN_API ssize_t tern_posix_sendfile64(int fd, int file, int64_t *offset, size_t);
static inline ssize_t tern_posix_sendfile(int fd, int file, off_t *offset, size_t count)
{
	int64_t at = offset ? *offset : 0;
	ssize_t n = tern_posix_sendfile64(fd, file, offset ? &at : NULL, count);

	if (offset)
		*offset = (off_t)at;
	return n;
}
/* Streams of the C library's; fileno does not know such a one (-1, EBADF). */
TERN_API FILE *tern_posix_fdopen(int fd, const char *mode);
TERN_API int tern_posix_dprintf(int fd, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));
TERN_API int tern_posix_vdprintf(int fd, const char *format, va_list)
	__attribute__((__format__(__printf__, 2, 0)));

TERN_API int tern_posix_dup(int fd);
TERN_API int tern_posix_dup2(int fd, int to);
TERN_API int tern_posix_dup3(int fd, int to, int flags);
/* F_GETFL, F_SETFL, F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD; others are EINVAL. */
TERN_API int tern_posix_fcntl(int fd, int command, ...);
/*
 * FIONREAD, FIONBIO, SIOCOUTQ, SIOCOUTQNSD, SIOCATMARK, and of interfaces SIOCGIFCONF, SIOCGIFADDR,
 * SIOCGIFNETMASK, SIOCGIFBRDADDR, SIOCGIFFLAGS, SIOCGIFMTU, SIOCGIFINDEX, SIOCGIFNAME and
 * SIOCGIFHWADDR; others are ENOTTY.
 */
TERN_API int tern_posix_ioctl(int fd, unsigned long request, ...);

struct addrinfo; /* of netdb.h, where the C library shows it */
/*
 * Numbers, services and hosts(5), then the name servers of resolv.conf(5), or of the file that
 * TERN_RESOLV_CONF names.
 */
TERN_API int tern_posix_getaddrinfo(const char *host, const char *service, const struct addrinfo *,
				    struct addrinfo **);
TERN_API void tern_posix_freeaddrinfo(struct addrinfo *);
TERN_API int tern_posix_getnameinfo(const struct sockaddr *, socklen_t, char *host, socklen_t,
				    char *service, socklen_t, int flags);
TERN_API int tern_posix_getifaddrs(struct ifaddrs **);
TERN_API void tern_posix_freeifaddrs(struct ifaddrs *);
TERN_API unsigned tern_posix_if_nametoindex(const char *name);
TERN_API char *tern_posix_if_indextoname(unsigned ifindex, char *name); /* IF_NAMESIZE bytes */

TERN_API int tern_posix_poll(struct pollfd *, nfds_t n, int timeout_ms);
TERN_API int tern_posix_ppoll(struct pollfd *, nfds_t n, const struct timespec *, const sigset_t *);
TERN_API int tern_posix_select(int n, fd_set *, fd_set *, fd_set *, struct timeval *);
TERN_API int tern_posix_pselect(int n, fd_set *, fd_set *, fd_set *, const struct timespec *,
				const sigset_t *);
TERN_API int tern_posix_epoll_create1(int flags);
TERN_API int tern_posix_epoll_ctl(int set, int op, int fd, struct epoll_event *);
TERN_API int tern_posix_epoll_wait(int set, struct epoll_event *, int max, int timeout_ms);
TERN_API int tern_posix_epoll_pwait(int set, struct epoll_event *, int max, int timeout_ms,
				    const sigset_t *);

#ifdef __cplusplus
}
#endif
#endif
