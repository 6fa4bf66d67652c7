/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hunger.h - a stack of one megabyte, whose memory a test takes away and gives back.
 */
#ifndef TERN_HUNGER_H
#define TERN_HUNGER_H

#include "../stack/peer_fixture.h"

static struct tern_pkt *hoard;

static inline void new_small_stack(void)
{
	struct tern_env env;
	struct tern_config cfg;
	struct tern_iface wire = { "wire", TERN_LINK_IP, 1500, 0, { 0 } };

	counted = (struct test_env){ .fill = 0x77 };
	env = test_env_make(&counted, 1);
	tern_config_default(&cfg);
	cfg.memory_max = 1 << 20;
	st = tern_new(&cfg, &env);
	check(st != NULL);
	tern_advance(st, TERN_SEC);
	tern_iface_add(st, &wire);
}

/* No packet of any size can be had from now on. */
static inline void take_memory(void)
{
	struct tern_pkt *p;

	for (uint32_t len = 65536; len > 0; len = len > 4096 ? len / 2 : len - 1) {
		while ((p = tern_pkt_new(st, len))) {
			p->next = hoard;
			hoard = p;
		}
	}
}

static inline void give_memory_back(void)
{
	struct tern_pkt *p;

	while ((p = hoard)) {
		hoard = p->next;
		tern_pkt_free(st, p);
	}
}

#endif
