/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * os.h - one process's sockets: the lock, who drives the devices, and the numbers of descriptors.
 */
#ifndef TERN_HOST_POSIX_OS_H
#define TERN_HOST_POSIX_OS_H

#include <pthread.h>

#include "../../include/tern_posix.h"
#include "../loop/loop.h"
#include "sem.h"

struct posix {
	pthread_mutex_t lock; /* of all below but `ours` */
	struct loop loop;
	struct sem sem;
	int placeholder; /* what every number is a copy of */
	int poke;	 /* an eventfd: whoever drives looks up */
	bool stopped;	 /* tern_posix_stop: the helper ends */
	/* who sleeps on the devices */
	bool driving;
	bool asleep; /* the driver, just now */
	bool helper_drives;
	bool helper_rests; /* until there is nobody who drives */
	bool takeover;	   /* the helper is to leave it to another */
	uint64_t n_calls;  /* ever begun */
	tern_time pumped_at;
	tern_time driver_until; /* it sleeps as long at most */
	struct list sleepers;	/* others that wait */
	pthread_cond_t rest;
	pthread_t helper;
	struct names *names; /* names_ask.c; NULL: no name was asked for */
};

/* The process's; NULL: it could not be made, errno says why. */
struct posix *posix_get(void);
/* The same if there is one. */
struct posix *posix_peek(void);
/* The lock is held from here, and the stack's time is now ... */
void posix_lock(struct posix *);
/* ... to here: what the call has left to send goes, and whoever drives hears of it. */
void posix_unlock(struct posix *);
/* Sleeps as sem_world.wait does, and until one of these is ready, too. */
int posix_wait(struct posix *, struct waiter *, tern_time until, bool always_eintr,
	       struct pollfd *kernel, nfds_t n_kernel);

int posix_start(struct tern_posix_wish *);

/* ---- end.c ---- */

/* At exit peers get what they are owed. */
void posix_end_with_process(void);

/* ---- calls.c: what each call begins and ends with ---- */

/* A call on a socket of ours begins: NULL, and errno is set. */
struct posix *posix_begin(int fd, struct file **f);
int64_t posix_end(struct posix *, struct file *, int64_t result);
/* A result as POSIX has it. */
int64_t told_by_errno(int64_t n);

/* ---- interfaces.c ---- */

/* One of SIOCGIF*: 0 or -errno; -ENOTTY: it is none of them. */
int interface_request(const struct tern_stack *, unsigned long request, void *arg);

/* ---- start.c ---- */

/* The stack as it is wished for, in the loop; false: w->error, and errno. */
bool posix_open_stack(struct loop *, struct tern_posix_wish *w);
bool posix_wish_of_environment(struct tern_posix_wish *w);

/* ---- numbers ---- */

/* What we know of one, without the lock. */
enum number_kind { NUMBER_OTHER, NUMBER_SOCKET, NUMBER_SET };
enum number_kind number_kind_of(int fd);
bool number_is_ours(int fd); /* a socket */
void number_note(int fd, enum number_kind);

#endif
