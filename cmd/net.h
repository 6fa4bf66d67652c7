/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net.h - what the commands that talk to a network share: the device options, the stack over them,
 * and the end that loses no bytes, also of a command that is interrupted.
 */
#ifndef TERN_CMD_NET_H
#define TERN_CMD_NET_H

#include "../host/gateway/gateway.h"
#include "../host/loop/impair.h"
#include "../host/loop/loop.h"
#include "../host/loop/record.h"
#include "../include/tern_resolve.h"
#include "../include/tern_sim.h"
#include "args.h"

enum {
	NET_DEVS_MAX = 4,
	NET_CUTS_MAX = 16,
	NET_OWN_MAX = 2,
	NET_HOSTS_MAX = 64,
	NET_WHY_MAX = TERN_RESOLVER_WHY_MAX
};

/* One --dev and the options that follow it. */
struct net_dev {
	const char *what; /* "tap:tern0", "sim", "gateway", "none", ... */
	struct tern_addr addr, addr6, gw, gw6, host_addr;
	unsigned len, len6, host_len; /* of prefixes; of an address of family AF_UNSPEC: 0 */
	bool is_auto;		      /* the network says */
	unsigned ifindex;	      /* of one that is; else 0 */
};

/* The wire is cut from one instant to another, after the start. */
struct net_cut {
	tern_time from, to;
};

struct net_host {
	const char *name; /* its first len characters */
	size_t len;
	struct tern_addr addr;
};

struct net_options {
	struct net_dev dev[NET_DEVS_MAX];
	unsigned n_devs;
	const char *dev_default; /* what --addr and the like are of, without --dev; NULL: "sim" */
	struct tern_weather weather[IMPAIR_WAYS];
	bool has_weather;
	struct net_cut cut[NET_CUTS_MAX];
	unsigned n_cuts;
	struct net_host host[NET_HOSTS_MAX];
	unsigned n_hosts;
	const char *server[TERN_RESOLVER_SERVERS_MAX]; /* addresses, to ask for names */
	unsigned n_servers;
	int family;	  /* of the addresses of names; TERN_AF_UNSPEC: either */
	const char *name; /* among the members of a network; NULL: none */
	uint64_t mtu, seed;
	bool ladder, no_offload;
	const char *pcap;
	const char *ladder_file; /* --ladder=FILE; NULL: standard error */
	bool ladder_at_end;	 /* also where that is a terminal: others write there */
};

/* The lines of --help about these options, of which --dev has that default, and --version. */
void net_print_help(const char *dev_default);
/* Takes the option just read when it is one of these. */
enum taken net_take_option(struct args *, struct net_options *);

/* The weather of all devices, as it is now. */
struct net_weather {
	bool is_there; /* each device is under it */
	bool cut;      /* by hand, beside the schedule */
	bool down;     /* as it is applied */
	tern_time began;
	struct tern_weather way[IMPAIR_WAYS];
};

struct sim_peer;
struct net {
	const struct net_options *options;
	const char *command; /* "tern ping": for messages */
	struct loop loop;
	struct tern_stack *st; /* whose wire is recorded and weathered */
	struct recorder recorder;
	struct ladder_live *live; /* NULL: the ladder, if any, is drawn at the end */
	size_t n_drawn;		  /* of the recorder's events */
	tern_time drawn_at;
	FILE *pcap, *ladder;	 /* NULL: none, and standard error */
	struct sim_peer *peer;	 /* of --dev sim; else NULL */
	struct gateway *gateway; /* of the device "gateway"; else NULL */
	struct net_weather weather;
	struct dev *mesh; /* the device of a network of this user's processes; NULL: none */
	char mesh_dir[108];
	struct tern_resolver *resolver; /* net_resolver; NULL: not needed so far */
	char why[NET_WHY_MAX];		/* the last name had no address */
	bool datagrams_only_ask;	/* once interrupted, nobody hears the answers */
};

/* Opens devices and stack; an exit code: EXIT_DONE, or another after a line of error. */
int net_open(struct net *, struct net_options *, const struct args *);
/*
 * One turn: frames, time, and sleep until `until` or until one of the caller's own descriptors
 * (NET_OWN_MAX at most) is ready. The caller has handled all events before.
 */
void net_turn(struct net *, tern_time until, struct pollfd *own, unsigned n_own);
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

/* An error about the network in one line; EXIT_USAGE. */
int net_refuse(const struct net *, const char *format, const char *what);

/* ---- net_device.c ---- */

int net_open_device(struct net *, struct net_dev *);
/* The addresses of a program behind the gateway, for the first device. */
void net_default_addresses(struct net_options *);
/*
 * A gateway that serves the network behind a descriptor of frames: its stack becomes the net's, so
 * that captures and weather are of that. An exit code.
 */
int net_open_far_side(struct net *, int fd);

/* ---- net_auto.c ---- */

/* Before the stack is made: what --auto wants of it. */
void auto_configure(const struct net_options *, struct tern_config *);
/* Does what --auto asks of a device that has been added, if it does; an exit code. */
int auto_begin(const struct net *, struct net_dev *, unsigned ifindex);
/* Until each such device has an address, 20 s at most; an exit code. */
int auto_wait(struct net *);
/* Gives back what was lent. */
void auto_end(struct net *);

/* ---- net_addr.c ---- */

enum { NET_ADDR_TEXT_MAX = TERN_ADDR_TEXT_MAX + 16 };
enum net_parsed { NET_ADDRESS, NET_NO_ADDRESS, NET_NO_INTERFACE /* after a line of error */ };
/* An address, also one with the name of an interface behind a '%': "fe80::1%eth0". */
enum net_parsed net_parse_addr(const struct net *, const char *text, uint16_t port,
			       struct tern_addr *);
/* Its two parts, addr of TERN_ADDR_TEXT_MAX bytes; false: it is no such address. */
bool net_split_zone(const char *text, char *addr, const char **zone);
/* The host, but "localhost" as an address: no file and no server is asked for it. */
const char *net_localhost(const struct net *, const char *host);
/* Who says so of an error of this host's own. */
bool net_is_nobody(const struct tern_addr *);
/* The other way; returns buf. */
char *net_format_addr(const struct net *, const struct tern_addr *, char buf[NET_ADDR_TEXT_MAX]);

/* ---- net_names.c ---- */

/* -4 and -6, of commands that find one host by its name. */
enum taken names_take_family(struct args *, struct net_options *);
bool names_take_host(struct args *, struct net_options *);
bool names_take_server(struct args *, struct net_options *);
/*
 * Is it a name that struct net *ctx knows? *out is its address in that family, or stays AF_UNSPEC.
 */
bool names_find(void *ctx, const char *name, int family, struct tern_addr *out);
/* Is it an address that it knows? Its name, or "": one of our own networks that has none. */
bool names_find_address(void *ctx, const struct tern_addr *, char name[GATEWAY_NAME_MAX]);
/*
 * Who looks names up: in the hosts file, then by name servers (--server, else those that the stack
 * has learned, else behind a gateway the host's own). NULL after a line of error.
 */
struct tern_resolver *net_resolver(struct net *);
/* What resolv.conf(5) would be of --server, else of what --auto has learned; "": of neither. */
enum { NET_RESOLV_MAX = 2048 };
void net_print_resolv_conf(const struct net *, char text[NET_RESOLV_MAX]);
/* A turn that also moves the resolver, if there is one; no user event is left. */
void net_turn_names(struct net *, tern_time until);
/* The names that no file and no server is asked for: an answer without waiting; false: no such. */
bool net_find_own(struct net *, const struct tern_resolver_question *,
		  struct tern_resolver_answer *);
/*
 * Asks net_find_own, then the resolver, and waits for the answer. An exit code; not EXIT_DONE,
 * without an answer, after a line of error.
 */
int net_look_up(struct net *, const struct tern_resolver_question *, struct tern_resolver_answer *);
/*
 * An address, or the best one of a name. An exit code; not EXIT_DONE after a line of error, which
 * n->why has, too.
 */
int net_parse_host(struct net *, const char *text, uint16_t port, struct tern_addr *);
/* What helps where there is no answer, behind tern_resolver_why: "; give one: ...", or "". */
const char *net_advice(const struct tern_resolver_answer *);
/* err of a call about a host: EXIT_DONE, or EXIT_NO after a line of error (n->why). */
int net_refuse_host(struct net *, const char *host, int err);
/* --json: an object that says why there was nothing else to print (n->why). */
void net_print_failure(const struct net *, const char *host);
/* The line of error about a name without an answer; an exit code. */
int net_refuse_name(struct net *, const char *name, const struct tern_resolver_answer *);

/* ---- net_weather.c ---- */

/* Takes the option just read when it is about weather. */
enum taken weather_take_option(struct args *, struct net_options *);
/* Puts all devices under the weather of the options; an exit code. */
int weather_begin(struct net *);
/* Applies what has changed by now; the next instant at which something will. */
tern_time weather_turn(struct net *);
/* From now on. false: a device cuts its segments itself, and was not opened for weather. */
bool weather_change(struct net *, const struct tern_weather way[IMPAIR_WAYS], bool cut);
/* One line, as the options that make it. */
void weather_print(FILE *, const struct net_weather *);

/* ---- sim_peer.c: who is at the other end of --dev sim ---- */

struct sim_peer *sim_peer_new(struct tern_stack *);
void sim_peer_free(struct sim_peer *); /* the stack is the loop's */
void sim_peer_turn(struct sim_peer *);
/* For a command that listens: the peer calls port at 10.0.0.1, says text and reads to the end. */
void sim_peer_call(struct sim_peer *, uint16_t port, const char *text);

#endif
