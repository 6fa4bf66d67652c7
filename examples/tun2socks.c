/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tun2socks.c - a stack that answers for every address and decides about each SYN.
 *
 * The heart of a VPN's local end: flows to any destination come in by one interface; each SYN waits
 * until the program has opened the same flow elsewhere (here: it only looks at the port), and is
 * then accepted or refused. The caller of the flow is a second stack in the same program.
 */
#include "common.h"

enum { TUN = 2 };

static struct tern_stack *gateway, *user;

static void judge_flows(tern_sock listener)
{
	struct tern_pending p;
	char text[TERN_ADDR_TEXT_MAX];

	while (tern_pending_next(gateway, listener, &p) == 0) {
		bool good = p.local.port != 25;

		printf("a flow to %s: %s\n", tern_addr_format(&p.local, true, text),
		       good ? "accepted" : "refused");
		tern_pending_answer(gateway, listener, p.id,
				    good ? TERN_PENDING_ACCEPT : TERN_PENDING_REFUSE);
	}
}

static tern_sock listen_on(uint16_t port)
{
	struct tern_addr any = { .family = TERN_AF_INET, .port = port };
	int32_t yes = 1;
	tern_sock s;

	tern_socket(gateway, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s);
	tern_bind(gateway, s, &any);
	tern_listen(gateway, s, 64);
	tern_setsockopt(gateway, s, TERN_SOL_SOCKET, TERN_SO_DEFER_SYN, &yes, sizeof(yes));
	return s;
}

static int try_flow(struct tern_addr to, tern_sock listener)
{
	int32_t err = 0;
	size_t len = sizeof(err);
	tern_sock s;

	tern_socket(user, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s);
	tern_connect(user, s, &to);
	for (int i = 0; i < 4; i++) {
		carry(user, TUN, gateway, TUN);
		judge_flows(listener);
		carry(gateway, TUN, user, TUN);
	}
	tern_getsockopt(user, s, TERN_SOL_SOCKET, TERN_SO_ERROR, &err, &len);
	tern_close(user, s);
	return err;
}

int main(void)
{
	struct tern_iface tun = { "tun", TERN_LINK_IP, 1500, TERN_IFACE_ANY_ADDRESS, { 0 } };
	struct tern_addr own = tern_ip4(10, 0, 0, 2, 0);
	struct tern_route everything = { .ifindex = TUN };
	int web, mail;

	everything.dst.family = TERN_AF_INET;
	gateway = new_stack(1);
	user = new_stack(2);
	tern_iface_add(gateway, &tun);
	tern_route_add(gateway, &everything);
	tun.flags = 0;
	tern_iface_add(user, &tun);
	tern_addr_add(user, TUN, &own, 24);
	tern_route_add(user, &everything);
	web = try_flow(tern_ip4(203, 0, 113, 5, 443), listen_on(443));
	mail = try_flow(tern_ip4(203, 0, 113, 5, 25), listen_on(25));
	printf("443: %s, 25: %s\n", web ? tern_errno_name(web) : "open",
	       mail ? tern_errno_name(mail) : "open");
	tern_free(user);
	tern_free(gateway);
	return web == 0 && mail == TERN_ECONNREFUSED ? 0 : 1;
}
