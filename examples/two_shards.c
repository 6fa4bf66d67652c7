/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * two_shards.c - one address served by two stacks, as on a machine with two cores.
 *
 * The device places each flow by a hash; here it is the low bit of the peer's port. Listeners are
 * cloned; a connection opened by a shard gets a local port whose answers come back to it, because
 * the stack asks belongs_here.
 */
#include "common.h"

enum { NIC = 2 };

static unsigned shard_of(uint16_t local_port, uint16_t remote_port)
{
	return (unsigned)(local_port ^ remote_port) & 1;
}

static bool belongs_here(void *ctx, unsigned proto, const struct tern_addr *local,
			 const struct tern_addr *remote)
{
	(void)proto;
	return shard_of(local->port, remote->port) == *(unsigned *)ctx;
}

static struct tern_stack *new_shard(unsigned *number)
{
	struct tern_env env = { .alloc = tern_malloc,
				.free = tern_malloc_free,
				.belongs_here = belongs_here,
				.ctx = number };
	struct tern_iface nic = { "nic", TERN_LINK_IP, 1500, 0, { 0 } };
	struct tern_addr addr = tern_ip4(192, 0, 2, 1, 0);
	struct tern_config cfg;
	struct tern_stack *st;

	memset(env.seed, 7, sizeof(env.seed)); /* shared: cookies and ISNs agree */
	tern_config_default(&cfg);
	cfg.shard = *number;
	st = tern_new(&cfg, &env);
	if (!st || tern_iface_add(st, &nic) != NIC || tern_addr_add(st, NIC, &addr, 24) != 0)
		exit(1);
	return st;
}

int main(void)
{
	unsigned number[2] = { 0, 1 };
	struct tern_addr to = tern_ip4(192, 0, 2, 9, 80), name;
	int n_right = 0;

	for (int i = 0; i < 2; i++) {
		struct tern_stack *st = new_shard(&number[i]);
		struct tern_pkt *p;
		tern_sock sock;

		for (int k = 0; k < 8; k++) {
			tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &sock);
			tern_connect(st, sock, &to);
			tern_getsockname(st, sock, &name);
			n_right += shard_of(name.port, to.port) == number[i];
		}
		while ((p = tern_output(st, NIC)))
			tern_pkt_free(st, p);
		tern_free(st);
	}
	printf("%d of 16 connections got a port of their own shard\n", n_right);
	return n_right == 16 ? 0 : 1;
}
