/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * twin.h - small socket programs that are run three times: on the kernel, on the POSIX layer
 * (compiled with tern_posix_map.h) and under a run of tern's. What they say must be equal.
 *
 * A program is a function that says what each call gave. It runs as a process of its own, once for
 * IPv4 and once for IPv6 (`family`), with the loopback only. It never says a number of a
 * descriptor, a port or a duration. What it waits for, it waits for with `polled`; a short sleep
 * stands only where something must *not* happen.
 */
#ifndef TERN_TEST_TWIN_H
#define TERN_TEST_TWIN_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct program {
	const char *name;
	void (*run)(void);
	bool v4_only; /* what it is about is of IPv4 alone, or of neither */
};

#define BOTH(fn)                                                                                   \
	{                                                                                          \
#fn, fn, false                                                                     \
	}
#define ONCE(fn)                                                                                   \
	{                                                                                          \
#fn, fn, true                                                                      \
	}

struct subject {
	const struct program *programs;
	size_t n;
};

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))
#define SUBJECT(array)                                                                             \
	{                                                                                          \
		array, N_OF(array)                                                                 \
	}

extern const struct subject of_streams, of_ends, of_listeners, of_datagrams, of_options, of_epoll,
	of_polls, of_signals, of_threads, of_processes, of_flags, of_errors, of_requests,
	of_controls, of_error_queue, of_names, of_interfaces, of_connects, of_groups, of_refused,
	of_asked, of_lengths, of_strays;

/* ---- what programs use ---- */

extern int family; /* AF_INET, AF_INET6 */

struct name {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_storage all;
	};
	socklen_t len;
};

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A result as a number, or the name of its error. */
const char *told(long long result);
/* told, on a line of its own; and with a space behind it */
void say_result(long long result);

struct name loopback_at(uint16_t port);
struct name loopback6_at(uint16_t port);
struct name any_at(uint16_t port);
uint16_t port_of(int fd);
uint16_t port_in(const struct name *);
int socket_of(int type);
int bound(int type);
int listening(void);
int connect_to(int fd, uint16_t port);
int connected_to(uint16_t port);
void connection(int fd[2]); /* both ends, connected first */
void reset(int fd);	    /* closes it by a RST */
/* A port on which nobody listens. */
uint16_t closed_port(void);
ssize_t send_to(int fd, const void *, size_t, uint16_t port);
/* Two datagram sockets, each connected to the other. */
void friends(int fd[2]);

/* ::ffff:127.0.0.1 */
struct name mapped_loopback_at(uint16_t port);
int bound_to_both(void); /* versions of IP, with datagrams */

struct mail {
	struct msghdr m;
	struct iovec iov;
	struct name name;
	char bytes[16];
	_Alignas(struct cmsghdr) char controls[256];
};

/* For a receive, with so much room for control messages. */
struct msghdr *mail_of(struct mail *, size_t controls);
void say_controls(struct msghdr *);
void ask_for_all(int fd); /* where it went to, TTL, TOS */

/* What poll says when all of `want` has come; after some seconds what it says then. */
int polled(int fd, int events, int want);
int polled_now(int fd, int events);
/* Sleeps while something that must not happen could. */
void a_moment(void);
int so_error(int fd);
int get_int(int fd, int level, int option); /* says its errors */
int set_int(int fd, int level, int option, int value);
void set_nonblocking(int fd);
/* The head of a control message with so many bytes of data. */
void put_control(struct cmsghdr *, size_t size, int level, int type);
void set_timeout(int fd, int option, int ms);
/* Sends until neither end of a stream has room. */
void fill_up(int fd);
/* Reads until n bytes came, or the end. */
ssize_t read_all(int fd, void *, size_t n);

/* A thread that begins after a moment. */
pthread_t later(void *(*)(void *), void *);
void count_signals(int sig, int flags); /* of sigaction */
extern volatile sig_atomic_t n_signals;
void alarm_in(int ms, int flags);

#endif
