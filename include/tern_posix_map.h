/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tern_posix_map.h - the plain names of tern_posix.h: existing source compiles unchanged.
 *
 *	cc -include tern_posix_map.h program.c -ltern_posix -lpthread
 *
 * The names are macros without arguments, so that pointers to functions and members of structs are
 * renamed alike. What declares them is included here, before.
 *
 * It is for C: in C++ members of the library are renamed, too, and what calls them (std::ostream's
 * write, std::ofstream's close) does not link. Such a program calls tern_posix_* itself, or runs by
 * `tern run`. gethostbyname(3) stays the C library's, which asks over the host's network.
 */
#ifndef TERN_POSIX_MAP_H
#define TERN_POSIX_MAP_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* what these headers declare must not depend on who includes them first */
#endif
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/types.h>

#include "tern_posix.h"

#define socket tern_posix_socket
#define bind tern_posix_bind
#define listen tern_posix_listen
#define accept tern_posix_accept
#define accept4 tern_posix_accept4
#define connect tern_posix_connect
#define shutdown tern_posix_shutdown
#define close tern_posix_close
#define getsockname tern_posix_getsockname
#define getpeername tern_posix_getpeername
#define getsockopt tern_posix_getsockopt
#define setsockopt tern_posix_setsockopt
#define read tern_posix_read
#define write tern_posix_write
#define readv tern_posix_readv
#define writev tern_posix_writev
#define send tern_posix_send
#define recv tern_posix_recv
#define sendto tern_posix_sendto
#define recvfrom tern_posix_recvfrom
#define sendmsg tern_posix_sendmsg
#define recvmsg tern_posix_recvmsg
#define sendmmsg tern_posix_sendmmsg
#define recvmmsg tern_posix_recvmmsg
#define sendfile tern_posix_sendfile
#undef sendfile64 /* a macro of some C libraries */
#define sendfile64 tern_posix_sendfile64
#define fdopen tern_posix_fdopen
#define dprintf tern_posix_dprintf
#define vdprintf tern_posix_vdprintf
#define getaddrinfo tern_posix_getaddrinfo
#define freeaddrinfo tern_posix_freeaddrinfo
#define getnameinfo tern_posix_getnameinfo
#define getifaddrs tern_posix_getifaddrs
#define freeifaddrs tern_posix_freeifaddrs
#define dup tern_posix_dup
#define dup2 tern_posix_dup2
#define dup3 tern_posix_dup3
#define fcntl tern_posix_fcntl
#define ioctl tern_posix_ioctl
#define poll tern_posix_poll
#define ppoll tern_posix_ppoll
#define select tern_posix_select
#define pselect tern_posix_pselect
#define if_nametoindex tern_posix_if_nametoindex
#define if_indextoname tern_posix_if_indextoname
#define epoll_create1 tern_posix_epoll_create1
#define epoll_ctl tern_posix_epoll_ctl
#define epoll_wait tern_posix_epoll_wait
#define epoll_pwait tern_posix_epoll_pwait

#endif
