/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * join.h - a stream inside and a stream of the host's, joined.
 */
#ifndef TERN_HOST_JOIN_H
#define TERN_HOST_JOIN_H

#include "gateway_impl.h"

struct join {
	tern_sock inner;
	int outer;
	/* edges that came and were not yet answered by EAGAIN */
	bool readable, writable;
	bool hung_up;	  /* the host's end has sent its last: what a read says must be heard out */
	bool inner_reset; /* by news: what was read is no longer wanted there */
	bool outer_reset;
	bool in_ended, out_ended; /* inwards, outwards: FIN has been passed on */
};

/* inner may be 0 and set later, before it is moved. */
void join_begin(struct join *, tern_sock inner, int outer);
/* An edge of the host's socket; events are epoll's. */
void join_on_outer(struct join *, uint32_t events);
enum join_state {
	JOIN_GOING,	  /* until news */
	JOIN_MORE,	  /* it had its share of this turn */
	JOIN_ENDED,	  /* both directions, in order */
	JOIN_INNER_BROKE, /* the inside has reset: the host's end has to hear it */
	JOIN_OUTER_BROKE  /* the other way round */
};
/* Moves what can be moved. */
enum join_state join_move(struct gateway *, struct join *);

#endif
