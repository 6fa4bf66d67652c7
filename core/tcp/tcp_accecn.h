/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_accecn.h - what a connection holds that has agreed on Accurate ECN: RFC 9768 3.2.
 */
#ifndef TERN_TCP_ACCECN_H
#define TERN_TCP_ACCECN_H

#include "../wire/wire.h"

struct tcp_accecn {
	/* as a receiver: r.cep; r.e0b, r.ceb and r.e1b */
	uint32_t cep;
	uint32_t came[TCP_ACCECN_MAX];
	/* as a sender: s.e0b, s.ceb and s.e1b; s.cep is its first value and told_ce */
	uint32_t told_ce;
	uint32_t told[TCP_ACCECN_MAX];
	uint16_t segments_avg;	 /* acknowledged at once, in eighths */
	uint8_t ce_unacked;	 /* packets with a mark since our last ACK */
	uint8_t syn_ecn;	 /* how the peer's last SYN-ACK (or SYN) came */
	uint8_t last_ecn;	 /* and the last packet */
	uint8_t last_bytes;	 /* enum tcp_accecn_field: the counter that changed last */
	uint8_t changed;	 /* bits: the counters that ever did */
	uint8_t untold;		 /* and those that did since the last option */
	uint8_t option_due;	 /* it is to be in so many ACKs */
	uint8_t n_again;	 /* times in a row that acknowledged text came again */
	bool ack_now : 1;	 /* marks begin */
	bool option_out : 1;	 /* it went, and no new text has come since */
	bool option_off : 1;	 /* it does not get through */
	bool heard : 1;		 /* ACE has come */
	bool ignored : 1;	 /* it says nothing: table 4, 3.2.2.4 */
	bool option_ignored : 1; /* it came cleared: 3.2.3.2.4 */
	bool bytes_behind : 1;	 /* marks were told by ACE alone */
};

#endif
