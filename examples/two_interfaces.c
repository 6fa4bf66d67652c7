/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * two_interfaces.c - one stack between two networks: routes choose the interface and the source.
 */
#include "common.h"

/* The interface and source address through which a datagram to `to` leaves. */
static unsigned leaves_by(struct tern_stack *st, struct tern_addr to, char *source)
{
	struct tern_addr name;
	unsigned ifindex;
	struct tern_pkt *p;
	tern_sock sock;

	tern_socket(st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &sock);
	if (tern_connect(st, sock, &to) != 0)
		return 0;
	tern_getsockname(st, sock, &name);
	tern_addr_format(&name, false, source);
	tern_send(st, sock, "x", 1, 0);
	ifindex = tern_output_ready(st, 0);
	while (ifindex && (p = tern_output(st, ifindex)))
		tern_pkt_free(st, p);
	tern_close(st, sock);
	return ifindex;
}

int main(void)
{
	struct tern_stack *st = new_stack(1);
	struct tern_iface left = { "left", TERN_LINK_IP, 1500, 0, { 0 } };
	struct tern_iface right = { "right", TERN_LINK_IP, 1400, 0, { 0 } };
	struct tern_addr a = tern_ip4(10, 0, 0, 1, 0), b = tern_ip4(192, 168, 0, 1, 0);
	struct tern_route by_right = { .prefix_len = 0, .ifindex = 3 };
	char s1[TERN_ADDR_TEXT_MAX] = "", s2[TERN_ADDR_TEXT_MAX] = "";
	unsigned i1, i2;

	by_right.dst.family = TERN_AF_INET;
	by_right.gateway = tern_ip4(192, 168, 0, 254, 0);
	tern_iface_add(st, &left);
	tern_iface_add(st, &right);
	tern_addr_add(st, 2, &a, 24);
	tern_addr_add(st, 3, &b, 24);
	tern_route_add(st, &by_right);
	i1 = leaves_by(st, tern_ip4(10, 0, 0, 9, 53), s1);
	i2 = leaves_by(st, tern_ip4(198, 51, 100, 7, 53), s2);
	printf("to 10.0.0.9 by interface %u from %s\n", i1, s1);
	printf("to 198.51.100.7 by interface %u from %s\n", i2, s2);
	tern_free(st);
	return i1 == 2 && i2 == 3 ? 0 : 1;
}
