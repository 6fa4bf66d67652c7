/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * count.c - the names of the counters, Linux's as nstat prints them.
 */
#include "count.h"

static const char *const count_names[] = {
	[COUNT_IP_IN_RECEIVES] = "IpInReceives",
	[COUNT_IP_IN_DELIVERS] = "IpInDelivers",
	[COUNT_IP_OUT_REQUESTS] = "IpOutRequests",
	[COUNT_IP_FORW_DATAGRAMS] = "IpForwDatagrams",
	[COUNT_IP_REASM_REQDS] = "IpReasmReqds",
	[COUNT_IP_REASM_OKS] = "IpReasmOKs",
	[COUNT_IP_REASM_FAILS] = "IpReasmFails",
	[COUNT_IP_REASM_TIMEOUT] = "IpReasmTimeout",
	[COUNT_IP_FRAG_OKS] = "IpFragOKs",
	[COUNT_IP_FRAG_FAILS] = "IpFragFails",
	[COUNT_IP_FRAG_CREATES] = "IpFragCreates",
	[COUNT_ICMP_IN_MSGS] = "IcmpInMsgs",
	[COUNT_ICMP_OUT_MSGS] = "IcmpOutMsgs",
	[COUNT_UDP_IN_DATAGRAMS] = "UdpInDatagrams",
	[COUNT_UDP_OUT_DATAGRAMS] = "UdpOutDatagrams",
	[COUNT_UDP_NO_PORTS] = "UdpNoPorts",
	[COUNT_UDP_RCVBUF_ERRORS] = "UdpRcvbufErrors",
	[COUNT_TCP_ACTIVE_OPENS] = "TcpActiveOpens",
	[COUNT_TCP_PASSIVE_OPENS] = "TcpPassiveOpens",
	[COUNT_TCP_ATTEMPT_FAILS] = "TcpAttemptFails",
	[COUNT_TCP_ESTAB_RESETS] = "TcpEstabResets",
	[COUNT_TCP_IN_SEGS] = "TcpInSegs",
	[COUNT_TCP_OUT_SEGS] = "TcpOutSegs",
	[COUNT_TCP_RETRANS_SEGS] = "TcpRetransSegs",
	[COUNT_TCP_IN_ERRS] = "TcpInErrs",
	[COUNT_TCP_OUT_RSTS] = "TcpOutRsts",
	[COUNT_TCP_IN_CSUM_ERRORS] = "TcpInCsumErrors",
	[COUNT_TCP_TIMEOUTS] = "TcpExtTCPTimeouts",
	[COUNT_TCP_FAST_RETRANS] = "TcpExtTCPFastRetrans",
	[COUNT_TCP_LISTEN_OVERFLOWS] = "TcpExtListenOverflows",
	[COUNT_TCP_LISTEN_DROPS] = "TcpExtListenDrops",
	[COUNT_TCP_SYNCOOKIES_SENT] = "TcpExtSyncookiesSent",
	[COUNT_TCP_SYNCOOKIES_RECV] = "TcpExtSyncookiesRecv",
	[COUNT_TCP_SYNCOOKIES_FAILED] = "TcpExtSyncookiesFailed",
	[COUNT_TCP_DEFER_ACCEPT_DROP] = "TcpExtTCPDeferAcceptDrop",
	[COUNT_TCP_FAST_OPEN_ACTIVE] = "TcpExtTCPFastOpenActive",
	[COUNT_TCP_FAST_OPEN_ACTIVE_FAIL] = "TcpExtTCPFastOpenActiveFail",
	[COUNT_TCP_FAST_OPEN_PASSIVE] = "TcpExtTCPFastOpenPassive",
	[COUNT_TCP_FAST_OPEN_PASSIVE_FAIL] = "TcpExtTCPFastOpenPassiveFail",
	[COUNT_TCP_FAST_OPEN_OVERFLOW] = "TcpExtTCPFastOpenListenOverflow",
	[COUNT_TCP_ABORT_ON_MEMORY] = "TcpExtTCPAbortOnMemory",
	[COUNT_TCP_OFO_PRUNED] = "TcpExtOfoPruned",
	[COUNT_TCP_CHALLENGE_ACK] = "TcpExtTCPChallengeACK",
	[COUNT_TCP_TW] = "TcpExtTW",
	[COUNT_TCP_TW_OVERFLOW] = "TcpExtTCPTimeWaitOverflow",
	[COUNT_TCP_LOSS_PROBES] = "TcpExtTCPLossProbes",
	[COUNT_TCP_SACK_RECOVERY] = "TcpExtTCPSackRecovery",
	[COUNT_TCP_RENO_RECOVERY] = "TcpExtTCPRenoRecovery",
	[COUNT_TCP_LOST_RETRANSMIT] = "TcpExtTCPLostRetransmit",
	[COUNT_TCP_SACK_RENEGING] = "TcpExtTCPSACKReneging",
	[COUNT_TCP_SPURIOUS_RTOS] = "TcpExtTCPSpuriousRTOs",
	[COUNT_TCP_FULL_UNDO] = "TcpExtTCPFullUndo",
	[COUNT_TCP_DSACK_UNDO] = "TcpExtTCPDSACKUndo",
	[COUNT_TCP_DSACK_RECV] = "TcpExtTCPDSACKRecv",
	[COUNT_TCP_DSACK_SENT] = "TcpExtTCPDSACKOldSent",
	[COUNT_TCP_PROBE_RECOVERY] = "TcpExtTCPLossProbeRecovery",
	[COUNT_TCP_WIN_PROBE] = "TcpExtTCPWinProbe",
	[COUNT_TCP_KEEPALIVE] = "TcpExtTCPKeepAlive",
	[COUNT_TCP_PAWS_ESTAB] = "TcpExtPAWSEstab",
};

_Static_assert(N_ELEMENTS(count_names) == N_COUNTS, "every counter has a name");

const char *count_name(enum count c)
{
	return count_names[c];
}
