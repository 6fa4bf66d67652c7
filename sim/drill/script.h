/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script.h - what a script is once it has been read: a list of events.
 *
 * Everything in a script lives as long as the script itself, in its arena.
 */
#ifndef TERN_DRILL_SCRIPT_H
#define TERN_DRILL_SCRIPT_H

#include "../../core/wire/wire.h"
#include "../../include/tern.h"
#include "lex.h"

enum when_kind {
	WHEN_AT,    /* 0.1 or 0.1~0.2: since the start of the script */
	WHEN_AFTER, /* +0.1 or +0.1~+0.2: since the event before */
	WHEN_ANY    /* * */
};

struct when {
	enum when_kind kind;
	tern_time from, to;
};

/* ---- packets: one form for what a script says and for what the stack has sent ---- */

enum { WIN_ANY = -1, TCP_OPTIONS_MAX = 40 };

enum ecn_check { TOS_UNCHECKED, TOS_WHOLE, TOS_ECN, TOS_ECT01, TOS_DSCP };

struct packet {
	bool inbound;
	uint8_t proto;	   /* TERN_IPPROTO_TCP, _UDP or _ICMP (for ICMPv6, too) */
	uint16_t src, dst; /* ports; 0: not said */
	enum ecn_check tos_check;
	uint8_t tos;
	uint8_t ttl;	     /* 0: not said */
	uint32_t flow_label; /* 0: not said */
	uint32_t seq, len;   /* of ICMP: those of the packet it quotes */
	/* TCP */
	uint16_t flags; /* enum tcp_flag */
	uint16_t urg;
	uint32_t ack;
	int32_t win; /* as on the wire, or WIN_ANY */
	bool any_options, any_ts_val, any_ts_ecr;
	uint8_t options[TCP_OPTIONS_MAX], options_len;
	/* ICMP */
	uint8_t type, code;
	bool has_mtu;
	uint32_t mtu;
	uint16_t id;	/* of echo; 0: not said */
	uint8_t quoted; /* proto of what it quotes; TERN_IPPROTO_RAW: len in all; 0 */
};

/* ---- calls ---- */

enum expr_kind { EXPR_ANY, EXPR_INT, EXPR_STRING, EXPR_LIST };

struct expr {
	struct expr *next; /* of the list it is in */
	const char *name;  /* of a field: onoff=1; NULL */
	enum expr_kind kind;
	int64_t number;
	struct slice text;
	struct expr *items;
};

struct call_kind;
struct call {
	const struct call_kind *kind;
	struct slice text; /* as written, up to the result */
	struct slice result_text;
	struct expr *args;
	unsigned n_args;
	struct expr *result;
	int error; /* errno that goes with -1; 0: none said */
	bool blocking;
	tern_time end; /* on the time scale of its event */
};

/* ---- events ---- */

enum event_kind { EVENT_PACKET, EVENT_CALL, EVENT_COMMAND, EVENT_CODE };

struct event {
	struct event *next;
	int line, column; /* of what happens */
	struct when when;
	enum event_kind kind;
	struct packet packet;
	struct call call;
	struct slice text; /* of a command or code */
};

struct setting {
	struct setting *next;
	const char *name, *value;
};

/* A shell line ahead of the events. */
struct init_command {
	struct init_command *next;
	int line;
	struct slice text;
};

/* An option that means nothing here and is told so. */
struct left_out {
	struct left_out *next;
	int line;
	const char *text;
};

struct script {
	const char *name;
	struct event *events;
	struct init_command *init_commands;
	struct left_out *left_out;
	/* options */
	int family;	   /* of packets: TERN_AF_INET or _INET6 */
	int socket_family; /* differs for ipv4-mapped IPv6 */
	tern_time tolerance;
	uint32_t tolerance_percent; /* of the time an event is expected after the one before */
	bool forgives_packets, forgives_calls; /* --non_fatal */
	uint32_t mtu;
	uint16_t bind_port, connect_port;
	bool strict_ts;			/* --tcp_ts_tick_usecs=1000 */
	struct tern_addr local, remote; /* without ports; family UNSPEC: the default */
	struct setting *settings;	/* --tern=name=value */
	struct arena_block *arena;
};

void script_init(struct script *, const char *name);
void script_fini(struct script *);
/* Zeroed; NULL: no memory. */
void *script_alloc(struct script *, size_t);
/* A copy that ends in a zero byte. */
const char *script_text(struct script *, struct slice);

/* ---- symbols.c: constants by Linux's names ---- */

bool symbol_find(struct slice name, int64_t *value);
int errno_find(struct slice name); /* 0: unknown */

/* ---- code.c: %{ assertions }% ---- */

/* What the runner cannot do in the text; NULL: nothing. */
const char *code_unsupported(struct script *, struct slice);

/* ---- packet_bytes.c: walks TCP options as they are on the wire ---- */

enum {
	OPT_EOL = 0,
	OPT_NOP = 1,
	OPT_MSS = 2,
	OPT_WSCALE = 3,
	OPT_SACK_OK = 4,
	OPT_SACK = 5,
	OPT_TS = 8,
	OPT_MD5 = 19,
	OPT_FASTOPEN = 34,
	OPT_ACCECN0 = 172,
	OPT_ACCECN1 = 174,
	OPT_EXPERIMENT = 254
};

/* Experiments, by the 16 bits behind an option's length (RFC 6994). */
enum { EXID_FASTOPEN = 0xf989, EXID_ACCECN0 = 0xacc0, EXID_ACCECN1 = 0xacc1 };

struct option_at {
	uint8_t kind, len; /* len with kind and length bytes */
	uint8_t *data;	   /* behind them */
};
/* The option at *pos, which moves on; false: none is left, or what is left is malformed. */
bool option_next(uint8_t *options, unsigned len, unsigned *pos, struct option_at *);

#endif
