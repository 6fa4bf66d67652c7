/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net.h - what the commands that talk to a network share: the device options, the stack over them,
 * and the end that loses no bytes, also of a command that is interrupted.
 */
#ifndef TERN_CMD_NET_H
#define TERN_CMD_NET_H

#include "../host/gateway/gateway.h"
#include "../host/loop/loop.h"
#include "../host/loop/record.h"
#include "../include/tern_sim.h"
#include "args.h"

enum { NET_DEVS_MAX = 4 };

/* One --dev and the options that follow it. */
struct net_dev {
	const char *what; /* "tap:tern0", "sim", "gateway", "none", ... */
	struct tern_addr addr, addr6, gw, gw6, host_addr;
	unsigned len, len6, host_len; /* of prefixes; of an address of family AF_UNSPEC: 0 */
};

struct net_options {
	struct net_dev dev[NET_DEVS_MAX];
	unsigned n_devs;
	struct tern_weather weather;
	bool has_weather;
	uint64_t mtu, seed;
	bool ladder, no_offload;
	const char *pcap;
	const char *ladder_file; /* --ladder=FILE; NULL: standard error */
	bool ladder_at_end;	 /* also on a terminal: a program writes there meanwhile */
};

/* The lines of --help about these options and what every command takes. */
void net_print_help(void);
/* Takes the option just read when it is one of these. */
enum taken net_take_option(struct args *, struct net_options *);

struct sim_peer;
struct net {
	const struct net_options *options;
	const char *command; /* "tern ping": for messages */
	struct loop loop;
	struct tern_stack *st;
	struct recorder recorder;
	struct ladder_live *live; /* NULL: the ladder, if any, is drawn at the end */
	size_t n_drawn;		  /* of the recorder's events */
	tern_time drawn_at;
	FILE *pcap;
	struct sim_peer *peer;	 /* of --dev sim; else NULL */
	struct gateway *gateway; /* of the device "gateway"; else NULL */
};

/* Opens devices and stack; an exit code: EXIT_DONE, or another after a line of error. */
int net_open(struct net *, struct net_options *, const struct args *);
/*
 * One turn: frames, time, and sleep until `until` or until the caller's own descriptor (or NULL) is
 * ready.
 * The caller has handled all events before.
 */
void net_turn(struct net *, tern_time until, struct pollfd *own);
/*
 * SIGINT or SIGTERM has come since net_open (the turn that runs ends, a system call fails with
 * EINTR), or the last device has gone: the command is to end in order.
 */
bool net_interrupted(void);
/*
 * Goes on until what was sent is acknowledged and what was closed is finished; at most 60 s, of an
 * interrupted command 2 s.
 */
void net_drain(struct net *);
/* Draws what is wanted of a ladder and not drawn yet, and frees all. Returns code, or worse. */
int net_close(struct net *, int code);

/* "10.0.0.2" or "fd00::2": false after a line of error. */
bool net_parse_host(const struct net *, const char *text, uint16_t port, struct tern_addr *);

/* ---- sim_peer.c: who is at the other end of --dev sim ---- */

struct sim_peer *sim_peer_new(struct tern_stack *);
void sim_peer_free(struct sim_peer *); /* the stack is the loop's */
void sim_peer_turn(struct sim_peer *);
/* For a command that listens: the peer calls port at 10.0.0.1, says text and reads to the end. */
void sim_peer_call(struct sim_peer *, uint16_t port, const char *text);

#endif
