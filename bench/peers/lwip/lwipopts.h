/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lwipopts.h - lwIP as the bench wants it: the raw interface, no operating system, IPv4 and TCP,
 * large windows, checksums made and verified with the same vector sum as tern's.
 */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

#include <stdint.h>

#include "../../waiting.h"

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_SOCKET 0
#define LWIP_NETCONN 0
#define LWIP_IPV4 1
#define LWIP_IPV6 0
#define LWIP_UDP 0
#define LWIP_ARP 0
#define LWIP_ICMP 0
#define LWIP_STATS 0
#define LWIP_NETIF_API 0
#define LWIP_HAVE_LOOPIF 0
#define LWIP_SINGLE_NETIF 0

#define MEM_LIBC_MALLOC 1
#define MEMP_MEM_MALLOC 0
#define MEM_ALIGNMENT 8
#define MEMP_NUM_TCP_PCB 60000
#define MEMP_NUM_TCP_PCB_LISTEN 4
#define MEMP_NUM_TCP_SEG 4096
#define MEMP_NUM_PBUF 4096
#define PBUF_POOL_SIZE 4096
#define PBUF_POOL_BUFSIZE 1600

#define TCP_MSS 1460
#define LWIP_WND_SCALE 1
#define TCP_RCV_SCALE 4
#define TCP_WND (512 * 1024)
#define TCP_SND_BUF (512 * 1024)
#define TCP_SND_QUEUELEN 2048
#define TCP_SNDLOWAT 16384
#define TCP_SNDQUEUELOWAT 512
#define TCP_LISTEN_BACKLOG 0
#define LWIP_TCP_TIMESTAMPS 0
#ifdef BENCH_LONG_WAIT
#define BENCH_WAIT_MS LONG_WAIT_MS
#define BENCH_N_WAITING LONG_N_WAITING
#else
#define BENCH_WAIT_MS BRIEF_WAIT_MS
#define BENCH_N_WAITING BRIEF_N_WAITING
#endif
#define TCP_MSL (BENCH_WAIT_MS / 2)
#define LWIP_TCP_PCB_NUM_EXT_ARGS 0

uint16_t bench_chksum(const void *data, int len);
#define LWIP_CHKSUM bench_chksum
#define CHECKSUM_GEN_IP 1
#define CHECKSUM_CHECK_IP 1
#define CHECKSUM_GEN_TCP 1
#define CHECKSUM_CHECK_TCP 1

#endif
