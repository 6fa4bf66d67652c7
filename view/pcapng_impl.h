/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcapng_impl.h - numbers of the pcapng format, for its writers and its reader.
 */
#ifndef TERN_VIEW_PCAPNG_IMPL_H
#define TERN_VIEW_PCAPNG_IMPL_H

#include <stdint.h>

#define BLOCK_SECTION 0x0a0d0d0aU
#define BYTE_ORDER_MAGIC 0x1a2b3c4dU

enum {
	BLOCK_INTERFACE = 1,
	BLOCK_OBSOLETE_PACKET = 2,
	BLOCK_SIMPLE_PACKET = 3,
	BLOCK_STATISTICS = 5,
	BLOCK_PACKET = 6,
};

enum {
	OPT_END = 0,
	OPT_COMMENT = 1,
	OPT_EPB_FLAGS = 2,
	OPT_IF_NAME = 2,
	OPT_IF_DESCRIPTION = 3,
	OPT_SHB_USERAPPL = 4,
	OPT_IF_TSRESOL = 9,
	OPT_IF_TSOFFSET = 14,
};

enum { LINKTYPE_ETHERNET = 1, LINKTYPE_RAW = 101 };
enum { DIRECTION_IN = 1, DIRECTION_OUT = 2 };
enum { PCAPNG_COMMENT_MAX = 320 };

#endif
