/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * differences.h - where the twins do not say what they say on the kernel, one by one, and why.
 *
 * doc/LIMITATIONS.md repeats each reason. twin_test.c checks that it does, and that what is said to
 * differ does. Some differ by chance, or wait for what never comes: those are not run on that side.
 */
#ifndef TERN_TEST_TWIN_DIFFERENCES_H
#define TERN_TEST_TWIN_DIFFERENCES_H

enum side { ON_KERNEL, ON_POSIX, ON_RUN, N_SIDES };
enum how { DIFFERS, NOT_RUN };

struct difference {
	const char *program;
	enum side side;
	enum how how;
	int version; /* 4, 6; 0: both */
	const char *why;
};

/* ---- of the stack, on both sides ---- */

#define SYN_RETRIES "a SYN goes again seven times (RFC 9293 MUST-23), not six"
#define NO_STAMP "SIOCGSTAMP is not known; SO_TIMESTAMP is"
#define MTU_OF_LO "the loopback's MTU is 65535"

/* ---- of the POSIX layer ---- */

#define FORK "after fork the child's copies of sockets are dead"
#define PASSING "a socket cannot be passed to another process"
#define NO_SPLICE "splice does not know its numbers"
#define NO_SIGURG "no signal tells of urgent data"
#define CLOSE_WAKES "another thread's close ends a call that waits, with EBADF"

/* ---- of programs that are run ---- */

#define FRESH                                                                                      \
	"a stream socket that is not connected takes a first write and polls as writable, and a "  \
	"read, or a receive of more than an octet, waits there"
#define WRBAND "a stream socket polls POLLWRBAND with POLLOUT"
#define PEERLESS "a datagram socket without a peer takes a plain send"
#define OTHER_ERROR "a plain send or receive calls a port unreachable ECONNRESET"
#define UNREAD "FIONREAD of a listener is 0"
#define NO_LINGER "a close does not wait for the time of SO_LINGER"
#define BEYOND_THE_MARK "FIONREAD counts beyond the urgent mark, whose octet resets no close"
#define PLAIN_RECEIVES "SO_RCVLOWAT is not asked by poll, and a peek does not wait for all"
#define ERRORS_OF_A_PAIR                                                                           \
	"after a reset or a refusal the first plain call may say ECONNRESET or EPIPE instead, "    \
	"and "                                                                                     \
	"poll may lack POLLERR"
#define SHUT_READING "a stream that has shut reading loses what comes after that"
#define BINDS_AGAIN "a stream that is over cannot be bound again"
#define LONG_WRITES "a plain write or send of more than a datagram holds is taken, and lost"
#define CLOSE_WAKES_ACCEPT "another thread's close of a listener ends an accept, with EBADF"
#define LISTENS_AGAIN "a listen after a shutdown fails"
#define SHUT_EARLY                                                                                 \
	"a connect that a shutdown ends shows POLLIN and POLLRDHUP, too, and a receive of more "   \
	"than an octet is 0 there"

static const struct difference differences[] = {
	{ "sets_numbers_of_tcp", ON_POSIX, DIFFERS, 0, SYN_RETRIES },
	{ "sets_numbers_of_tcp", ON_RUN, DIFFERS, 0, SYN_RETRIES },
	{ "tells_the_mtu_of_the_loopback", ON_POSIX, DIFFERS, 0, MTU_OF_LO },
	{ "tells_the_mtu_of_the_loopback", ON_RUN, DIFFERS, 0, MTU_OF_LO },
	{ "asks_when_one_came", ON_POSIX, DIFFERS, 0, NO_STAMP },
	{ "asks_when_one_came", ON_RUN, DIFFERS, 0, NO_STAMP },

	{ "is_copied_and_inherited", ON_POSIX, NOT_RUN, 0, FORK },
	{ "ends_when_the_last_closes", ON_POSIX, NOT_RUN, 0, FORK },
	{ "outlives_exec", ON_POSIX, NOT_RUN, 0, FORK },
	{ "is_somebodys_output", ON_POSIX, NOT_RUN, 0, FORK },
	{ "waits_in_processes", ON_POSIX, NOT_RUN, 0, FORK },
	{ "dies_while_it_waits", ON_POSIX, NOT_RUN, 0, FORK },
	{ "two_processes_wait_for_datagrams", ON_POSIX, NOT_RUN, 0, FORK },
	{ "shares_flags_with_a_child", ON_POSIX, NOT_RUN, 0, FORK },
	{ "connects_to_its_child", ON_POSIX, NOT_RUN, 0, FORK },
	{ "begins_again_after_a_stop", ON_POSIX, NOT_RUN, 0, FORK },
	{ "tells_a_copy", ON_POSIX, NOT_RUN, 0, FORK },
	{ "passes_a_socket", ON_POSIX, NOT_RUN, 0, PASSING },
	{ "passes_a_listener", ON_POSIX, NOT_RUN, 0, PASSING },
	{ "passes_a_datagram_socket", ON_POSIX, NOT_RUN, 0, PASSING },
	{ "splices", ON_POSIX, NOT_RUN, 0, NO_SPLICE },
	{ "signals_urgent_data", ON_POSIX, DIFFERS, 0, NO_SIGURG },
	{ "closes_under_a_receive", ON_POSIX, DIFFERS, 0, CLOSE_WAKES },
	{ "closes_under_an_accept", ON_POSIX, DIFFERS, 0, CLOSE_WAKES },

	{ "uses_a_fresh_socket", ON_RUN, DIFFERS, 0, FRESH },
	{ "uses_a_bound_socket", ON_RUN, NOT_RUN, 0, FRESH },
	{ "reads_a_listener", ON_RUN, NOT_RUN, 0, FRESH },
	{ "sends_without_a_receiver", ON_RUN, DIFFERS, 0, FRESH },
	{ "raises_a_pipe_when_unconnected", ON_RUN, DIFFERS, 0, FRESH },
	{ "sends_no_file", ON_RUN, DIFFERS, 0, FRESH },
	{ "tells_of_a_fresh_socket", ON_RUN, DIFFERS, 0, FRESH },
	{ "tells_that_it_connected", ON_RUN, NOT_RUN, 0, FRESH },
	{ "is_refused", ON_RUN, DIFFERS, 0, FRESH },
	{ "polls_a_fresh_socket", ON_RUN, DIFFERS, 0, WRBAND },
	{ "polls_a_connection", ON_RUN, DIFFERS, 0, WRBAND },
	{ "polls_both_kinds_of_end", ON_RUN, DIFFERS, 0, WRBAND },
	{ "polls_what_it_shut_itself", ON_RUN, DIFFERS, 0, WRBAND },
	{ "leaves_its_peer", ON_RUN, DIFFERS, 0, PEERLESS },
	{ "needs_a_receiver", ON_RUN, DIFFERS, 0, PEERLESS },
	{ "hears_of_a_closed_port_by_a_send", ON_RUN, DIFFERS, 0, OTHER_ERROR },
	{ "tells_what_is_unread", ON_RUN, DIFFERS, 0, UNREAD },
	{ "lingers_until_the_peer_has_it", ON_RUN, NOT_RUN, 0, NO_LINGER },
	{ "shuts_before_it_is_connected", ON_RUN, DIFFERS, 0, SHUT_EARLY },
	{ "counts_to_the_urgent_mark", ON_RUN, DIFFERS, 0, BEYOND_THE_MARK },
	{ "waits_for_a_low_mark", ON_RUN, DIFFERS, 0, PLAIN_RECEIVES },
	{ "peeks_for_all", ON_RUN, DIFFERS, 0, PLAIN_RECEIVES },
	{ "writes_after_a_reset", ON_RUN, DIFFERS, 0, ERRORS_OF_A_PAIR },
	{ "is_refused_later_and_reads_it", ON_RUN, DIFFERS, 0, ERRORS_OF_A_PAIR },
	{ "is_refused_later_and_writes", ON_RUN, DIFFERS, 0, ERRORS_OF_A_PAIR },
	{ "is_told_of_a_broken_pipe", ON_RUN, DIFFERS, 0, ERRORS_OF_A_PAIR },
	{ "hears_a_reset_while_it_writes", ON_RUN, NOT_RUN, 0, ERRORS_OF_A_PAIR },
	{ "shuts_a_listener", ON_RUN, DIFFERS, 0, LISTENS_AGAIN },
	{ "binds_after_it_stopped_listening", ON_RUN, DIFFERS, 0, LISTENS_AGAIN },
	{ "reads_what_comes_after_it_shut", ON_RUN, DIFFERS, 0, SHUT_READING },
	{ "binds_when_it_is_over", ON_RUN, DIFFERS, 0, BINDS_AGAIN },
	{ "writes_plainly_what_is_too_long", ON_RUN, DIFFERS, 0, LONG_WRITES },
	{ "sends_plainly_what_is_too_long", ON_RUN, DIFFERS, 0, LONG_WRITES },
	{ "closes_under_an_accept", ON_RUN, DIFFERS, 0, CLOSE_WAKES_ACCEPT },
};

#endif
