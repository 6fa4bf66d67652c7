/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inside.h - what the files of host/run share: the run, its sockets, and the calls it answers.
 *
 * A socket of the program's is a pair of AF_UNIX sockets: the program has one end as its
 * descriptor, whatever it does with it (dup, fork, exec, passing); the other end is ours,
 * beside a socket of the stack. The inode of the program's end names the pair in every call.
 */
#ifndef TERN_HOST_RUN_INSIDE_H
#define TERN_HOST_RUN_INSIDE_H

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "../../core/base/addr.h"
#include "../../core/base/list.h"
#include "../loop/cork.h"
#include "../loop/option.h"
#include "../loop/sockaddr.h"
#include "run.h"

/* ---- one socket ---- */

enum pair_state {
	PAIR_FRESH,	 /* neither connected nor listening; of datagrams: always */
	PAIR_CONNECTING, /* a stream; the program's end is kept unwritable by filling it */
	PAIR_OPEN,	 /* a stream that carries bytes */
	PAIR_LISTENING,
	PAIR_REFUSED, /* a connect that did not block has failed; no other has begun */
	PAIR_DEAD,    /* the connection is over; only names and an error are left */
};

/* A datagram that lies in the pair: what a UNIX socket cannot tell about it. */
struct letter {
	struct letter *next;
	uint64_t put_from, put_until; /* when it was put into the pair: which one it is; ns */
	int ttl, tos;
	uint32_t ifindex, path_mtu, flow_label;
	tern_time at;
	struct tern_addr from, local;
};

/* A datagram for which the pair had no room. */
struct held {
	struct letter *letter;
	uint32_t len;
	uint8_t bytes[];
};

struct pair {
	struct pair *next;	/* of its hash chain */
	struct list all_link;	/* of all */
	struct list named_link; /* of those that others of the tree can reach: see address_route */
	struct list dead_link;	/* of those that are over */
	struct pair *free_next; /* freed at the end of the turn */
	uint64_t ino, cookie;	/* of the program's end */
	int fd;			/* our end; -1: closed */
	tern_sock s;		/* 0: closed */
	int family, type, protocol;
	enum pair_state state;
	uint32_t watched;	/* events of the epoll set that we wait for */
	bool in_set;		/* of the epoll set */
	bool gone;		/* waits to be freed */
	pid_t tid;		/* whoever used it last, */
	int tid_fd;		/* and under which number: a guess, to be verified */
	struct call *waiting;	/* calls that are parked for it */
	int so_error;		/* not yet fetched: of a failed connection, or of a datagram */
	struct tern_addr bound; /* what bind has named it, of a stream; or AF_UNSPEC */
	struct tern_addr shown_peer, shown_local; /* what differs from the stack's; or AF_UNSPEC */
	struct said *said;			  /* options that it has set */
	bool by_gateway; /* the gateway's loopback address is shown as the loopback's own */
	/* streams */
	size_t junk;			   /* bytes that fill the pair while it connects */
	bool gave_up;			   /* its connect ended by shutdown: another may begin */
	bool told_connected;		   /* a second connect has been answered with success */
	bool child_shut_wr, child_shut_rd; /* the program has said so */
	bool out_ended;			   /* all that it wrote is with the stack, and the FIN */
	bool in_ended;			   /* our FIN is with the program */
	bool stack_full, child_full;
	bool more_comes; /* the last send has said so: MSG_MORE */
	int broken;   /* the connection ended with this error; what came before it is still due */
	bool hung_up; /* our end says HUP, and is not watched any longer */
	bool closed;  /* the last copy of its end is gone; its bytes are still being sent */
	/* since then, by the stack's clock, a RST waits for what was written before; 0: none */
	tern_time to_reset;
	/* listeners */
	unsigned n_bytes; /* in the pair: it is readable */
	tern_sock kept;	  /* accepted, but the caller went away; 0: none */
	/* datagrams */
	uint32_t controls; /* control messages that a receive brings: control.c */
	struct cork cork;
	struct idle_options idle;
	struct letter *letters, **letters_end;
	unsigned n_letters;
	struct held *held;
	int watch;	       /* by which its last close is seen; -1: our end hangs up */
	struct pair *by_watch; /* of the chain of these */
	bool error_shown;      /* so_error is, to plain calls, an error of the program's end */
	tern_sock far; /* by which one that is bound to the loopback reaches the host's; 0: none */
	bool far_has_peer;
};

/* ---- one call ---- */

struct call {
	uint64_t id;
	pid_t tid;
	int nr;
	uint64_t args[6];
	const struct call_kind *kind;
	int pidfd;	   /* of the caller; -1: not open */
	int dup;	   /* a copy of descriptor args[0] while the call is looked at; -1: none */
	struct pair *pair; /* whose end that is */
	/* of a parked call */
	struct call *next, **link;	     /* all parked calls */
	struct call *pair_next, **pair_link; /* of its pair */
	bool again;			     /* it has been looked at before */
	tern_time began, until;
	uint64_t done;	   /* progress that a further look needs, of this message */
	uint64_t messages; /* of sendmmsg and recvmmsg: those before it */
};

/* What becomes of a call, apart from a result (0 and up) or an error (-1 to -4095). */
enum {
	CALL_ANSWERED = -10000, /* it has been answered with a descriptor */
	CALL_CONTINUE,		/* the kernel carries it out */
	CALL_WAIT_RECV,		/* parked; at most SO_RCVTIMEO */
	CALL_WAIT_SEND,		/* parked; at most SO_SNDTIMEO */
};

struct call_kind {
	int nr;
	const char *name;
	bool on_socket; /* args[0] is a descriptor; what is not ours is the kernel's */
	int64_t (*carry_out)(struct run *, struct call *);
};

/* ---- the run ---- */

enum { PAIRS_HASH = 4096, DEAD_MAX = 16384, PIECE_LEN = 65536 };

struct run {
	struct tern_stack *st;
	struct tern_addr loopback, loopback6;
	bool fallback;
	int listener;		 /* where calls come from; with netns: the device */
	int keeper;		 /* control socket of the keeper; -1: it has gone */
	pid_t keeper_pid, first; /* the latter: 0 when it has ended */
	int set;		 /* epoll */
	int closes;		 /* inotify: last closes of datagram sockets; -1: cannot be */
	bool first_ended, over;
	int status;	  /* of the first process */
	int passed_on;	  /* the signal that it was sent; 0: none */
	bool can_restart; /* the kernel takes -ERESTARTSYS as an answer */
	struct pair *hash[PAIRS_HASH], *by_watch[PAIRS_HASH];
	struct list all, named, dead; /* of pairs; the dead: oldest first */
	unsigned n_dead;
	struct pair *to_free;
	struct call *parked;
	unsigned n_parked;
	tern_time look_at; /* the parked calls are looked at again */
	bool warned;
	struct run_counts counts;
	uint8_t piece[PIECE_LEN]; /* one datagram, or a piece of a stream */
};

/* A warning, or an error that only concerns the program's call. */
void run_warn(struct run *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- filter.c ---- */

/* A time with 64 bits; some headers do not know it. */
enum { TIMESTAMPNS_NEW = 64 };

#ifndef SYS_accept
#define SYS_accept (-1) /* some machines have accept4 alone */
#endif

/* Are this machine's calls known? If not the filter means nothing. */
bool filter_is_known(void);
/* Installs the filter for this process and what it starts; the listener, or -1 and errno. */
int filter_install(void);
/* ---- resolv_file.c ---- */

/* In the namespaces of netns_enter: this text is resolv.conf. false: it stays the host's. */
bool resolv_file_show(const char *text);

/* ---- netns.c ---- */

/* A network namespace with nothing in it, for this process. false: there are none for us. */
bool netns_enter(void);
/* Puts the stack's interfaces, addresses and routes into it, as they are now, to be seen. */
void netns_show(const struct tern_stack *);
/* One with a device whose far side is ours: its descriptor, or -1 and errno. */
int netns_make(const struct run_netns *);

struct sock_fprog;
/* The program of the filter; its instructions are static. */
bool filter_make(struct sock_fprog *);

/* ---- launch.c, keeper.c ---- */

/* As fork, but with one table of descriptors. */
pid_t fork_with_descriptors(void);
/* Starts the keeper and, below it, the program. false: wish->error says why. */
bool launch(struct run *, struct run_wish *);
/* News of the keeper's. */
void launch_news(struct run *);
/* The keeper's own life: it starts the program and outlives all that comes from it. */
_Noreturn void keep(int control, const struct run_wish *, const struct tern_stack *);
/* To all children of the keeper's: the first process, and those that have lost their parent. */
void keeper_signal_children(pid_t keeper, int sig);

/* What the keeper tells. */
enum news_kind { NEWS_LISTENER, NEWS_FAILED, NEWS_STARTED, NEWS_EXITED };
struct news {
	int32_t kind;
	int32_t error;	/* of NEWS_FAILED: an errno */
	int32_t status; /* of NEWS_EXITED; of NEWS_STARTED: the program's number */
	char what[64];	/* of NEWS_FAILED */
};

/* ---- tracee.c ---- */

bool tracee_is_valid(const struct run *, const struct call *);
/* Finds the pair of descriptor args[0]: 0, CALL_CONTINUE for what is not ours, or an error. */
int tracee_find(struct run *, struct call *);
void tracee_forget(struct call *);
/* To the thread that calls; it takes it once its call is answered. */
void tracee_signal(const struct run *, const struct call *, int sig);
/* A copy of the program's end, wherever it is; -1: nobody can be found who has it. */
int tracee_end_of(struct run *, struct pair *);
/* The number behind a key in a file of /proc, an octal one as it is; `otherwise` where none is. */
unsigned long tracee_number(const char *path, const char *key, unsigned long otherwise);
/* false: the caller is to have EFAULT. */
bool tracee_read(const struct call *, uint64_t at, void *, size_t);
bool tracee_write(const struct call *, uint64_t at, const void *, size_t);

enum { TRACEE_IOV_MAX = 1024 };
/* Pieces of the caller's memory, as its msghdr names them: how many, or a negative errno. */
int tracee_iov(const struct call *, uint64_t at, uint64_t n, struct iovec *);
/* Copies between bytes and such pieces; how many, or -EFAULT. */
int64_t tracee_gather(const struct call *, const struct iovec *, int n, void *, size_t cap);
int64_t tracee_scatter(const struct call *, const struct iovec *, int n, const void *, size_t len);

/* ---- address.c ---- */

/*
 * What the caller gave as an address for a socket of this family; 0 or a negative errno. One of no
 * family has any length, and what would be IPv4's.
 */
int address_read(const struct call *, uint64_t at, uint64_t len, int family, struct tern_addr *);
/* Only which family it says it is of, whatever else it is: 0 or a negative errno. */
int address_read_family(const struct call *, uint64_t at, uint64_t len, int *family);
/* As address_read, of a peer of the call's datagram socket: of IPv6 it may have a name of IPv4. */
int address_read_peer(const struct call *, uint64_t at, uint64_t len, struct tern_addr *);
/* Writes it as the family of the socket has it; *len_at is the room, then the length. */
int address_write(const struct call *, const struct pair *, const struct tern_addr *, uint64_t at,
		  uint64_t len_at);
/* The same into a buffer: the length that it has. */
socklen_t address_put(const struct pair *, const struct tern_addr *, struct sockaddr_storage *);
bool address_is_loopback(const struct tern_addr *);
bool address_is_any(const struct tern_addr *);
/* As the stack's socket of the pair has it: mapped, of an IPv6 socket. */
struct tern_addr address_for_stack(const struct pair *, const struct tern_addr *);
/*
 * Where a destination leads, for the stack: the loopback's to a socket of the tree or to the
 * gateway. What is any address becomes the loopback's, which it means.
 */
struct tern_addr address_route(struct run *, struct pair *, struct tern_addr *to);
/* Is it how the stack calls the host's loopback, behind a gateway? */
bool address_is_hosts_loopback(const struct run *, const struct tern_addr *);
/* What the program is to see of an address of the stack's. */
struct tern_addr address_shown(const struct run *, const struct pair *, const struct tern_addr *);
/* The same of a datagram: from where it came, and where it went to. */
void address_show_message(const struct run *, const struct pair *, struct tern_msg *);
/* A datagram that is to come from the loopback, which is a gateway: by the way there. */
void address_leave_loopback(const struct pair *, struct tern_msg *);

/* ---- pairs.c ---- */

struct pair *pair_by_ino(const struct run *, uint64_t ino);
/* A pair around a socket of the stack's; *end is the program's end, for the caller to close. */
struct pair *pair_new(struct run *, tern_sock, int family, int type, int *end);
/* Our end, and all that watches the pair. */
void pair_drop_end(struct run *, struct pair *);
/* Others in their place; of a stream. *end is the program's, for the caller to close. */
bool pair_new_ends(struct run *, struct pair *, int *end);

/* ---- anew.c ---- */

/* The descriptor of the call is as it was before it had a peer: 0, or a negative error. */
int stream_begins_anew(struct run *, struct call *);
/*
 * Another socket of the stack takes the place of its own, with the options that the program has set
 * and, unless that is AF_UNSPEC, this name. 0, or a negative error.
 */
int pair_renew(struct run *, struct pair *, const struct tern_addr *name);
/* What the kernel keeps of an end of the program's: calls_option.c says KERNEL of these. */
void end_copy_options(int from, int to);

/* ---- pairs.c, on ---- */

/* Others of the tree can reach it now. */
void pair_note_named(struct run *, struct pair *);
/* The program has no copy of its end any longer: closes all and frees at the end of the turn. */
void pair_end(struct run *, struct pair *);
/* The connection is over, the program's end is not: keeps names and the error. */
void pair_die(struct run *, struct pair *, int so_error);
/* Watches our end for these (EPOLLIN, EPOLLOUT; HUP comes in any case). */
void pair_watch(struct run *, struct pair *, uint32_t events);
void pair_unwatch(struct run *, struct pair *);
void pairs_free_gone(struct run *);
/* Ends what the program has closed, ahead of the turn that would; false: nothing. */
bool pairs_see_closes(struct run *);
void pairs_fini(struct run *);

/* ---- pump.c: streams ---- */

/* The stack's socket leaves urgent bytes where they are: the pair decides what reads see. */
void pump_keep_inline(struct run *, tern_sock);
/* The program's end cannot be written and shows nothing until pump_open or pump_refuse. */
void pump_block(struct pair *, int end);
void pump_unblock(struct run *, struct pair *, int end); /* end: or -1 */
void pump_open(struct run *, struct pair *, int end);
/* A connect that did not block has failed: the program's end shows an error. */
void pump_refuse(struct run *, struct pair *, int error);
void pump_stream(struct run *, struct pair *); /* moves what can move, both ways */
int pump_untaken(const struct pair *);	       /* bytes in the pair that the stack has not taken */
void pump_hangup(struct run *, struct pair *); /* our end says HUP */
void pump_shut(struct run *, struct pair *, int end, int how);

/* ---- closes.c: when the last copy of a datagram socket goes ---- */

/* Our end of a datagram pair is told of it by the run, and p->watch is set; false: it cannot be. */
bool closes_watch(struct run *, struct pair *, int end);
void closes_forget(struct run *, struct pair *);
void closes_news(struct run *);

/* ---- said.c: options that the program has set ---- */

void said_note(struct pair *, int level, int name, const void *value, size_t len);
/* Sets them on another socket. */
void said_again(struct run *, const struct pair *, tern_sock);
void said_fini(struct pair *);

/* ---- far.c: sockets that are bound to the loopback, and the host's ---- */

/* The socket that has the peer. */
tern_sock far_or_near_of_peer(const struct pair *);
/*
 * The one that sends to what address_route has given; NULL or AF_UNSPEC: to the peer. What is
 * added to a datagram that is held back goes where that goes.
 */
tern_sock far_or_near(struct run *, struct pair *, const struct tern_addr *to);
/* tern_connect of either: the same results, or -TERN_ENOBUFS. */
int far_connect(struct run *, struct pair *, const struct tern_addr *to);
void far_close(struct run *, struct pair *);
/* A stream that is to connect there: 0, or a negative error. */
int far_leave_loopback(struct run *, struct pair *, const struct tern_addr *to);

/* ---- letters.c: datagrams ---- */

void letters_pump(struct run *, struct pair *);
/* What was written without a call goes first; false: there is no room now for all of it. */
bool letters_flush(struct run *, struct pair *);
/* What is known of the datagram that was put into the pair at this time; NULL: nothing. */
struct letter *letters_find(struct pair *, uint64_t put_at);
void letter_tell(const struct letter *, struct tern_msg *); /* what lies beside the bytes */
void letters_drop(struct pair *);			    /* the first has been taken */
/* The error that waits, once; 0: none, or a plain call has told it. */
int letters_take_error(struct pair *, int end);
void letters_fini(struct pair *);

/* ---- control.c: control messages of datagrams ---- */

struct msghdr;
/* An option that asks for one has been set on the stack's socket. */
void control_note_option(struct pair *, int level, int name, bool on);
/* What the caller sends along; 0 or a negative errno. */
int control_read(const struct call *, uint64_t at, uint64_t len, struct tern_msg *);
/* Writes what was asked for; m gets msg_controllen, and MSG_CTRUNC. false: EFAULT. */
bool control_write(const struct call *, const struct tern_msg *, uint64_t at, uint64_t len,
		   struct msghdr *m);

/* ---- calls ---- */

const struct call_kind *call_kind_of(int nr);
void call_take(struct run *); /* one from the listener */
void call_answer(struct run *, struct call *, int64_t result);
/* Gives a descriptor as the answer: the number, or a negative errno. */
int call_answer_fd(struct run *, struct call *, int fd, bool cloexec);
/* Only gives it: the caller waits on. */
int call_give_fd(struct run *, struct call *, int fd, bool cloexec);
bool call_blocks(const struct call *, int flags);
void call_look_again(struct run *, struct pair *); /* something has changed: its parked calls */

/* ---- calls_data.c, calls_stream.c ---- */

/* One message of the caller's: where its parts are in its memory. */
struct order {
	struct iovec iov[TRACEE_IOV_MAX];
	int n_iov;
	uint64_t name, name_len;
	uint64_t control, control_len;
	int flags;
};

int64_t stream_send(struct run *, struct call *, struct order *);
/* A receive that ends at once, because there has been no connection. */
bool stream_lacks_peer(const struct call *);
/* With MSG_TRUNC or MSG_ERRQUEUE. */
int64_t stream_recv(struct run *, struct call *, const struct order *);

/* ---- parked.c ---- */

void parked_add(struct run *, struct call *, bool send);
void parked_remove(struct run *, struct call *);
void parked_look(struct run *); /* deadlines, signals, callers that died */
tern_time parked_deadline(const struct run *);

/* calls_open.c */
int64_t on_socket(struct run *, struct call *);
int64_t on_bind(struct run *, struct call *);
int64_t on_connect(struct run *, struct call *);
int64_t on_listen(struct run *, struct call *);
int64_t on_accept(struct run *, struct call *);
int64_t on_shutdown(struct run *, struct call *);
int64_t on_getsockname(struct run *, struct call *);
int64_t on_getpeername(struct run *, struct call *);
void listener_news(struct run *, struct pair *);
void connect_news(struct run *, struct pair *);
/* Before a stream opens: where that leads, or a negative error. And once it has begun to. */
int connect_prepare(struct run *, struct pair *, struct tern_addr *to, struct tern_addr *by);
void connect_begins(struct call *, const struct tern_addr *to, const struct tern_addr *by);
/* calls_data.c */
int64_t on_sendto(struct run *, struct call *);
int64_t on_recvfrom(struct run *, struct call *);
int64_t on_sendmsg(struct run *, struct call *);
int64_t on_recvmsg(struct run *, struct call *);
int64_t on_sendmmsg(struct run *, struct call *);
int64_t on_recvmmsg(struct run *, struct call *);
/* calls_option.c */
int64_t on_getsockopt(struct run *, struct call *);
int64_t on_setsockopt(struct run *, struct call *);
int64_t on_ioctl(struct run *, struct call *);

#endif
