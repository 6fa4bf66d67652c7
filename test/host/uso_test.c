/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uso_test.c - datagrams of a stack as super-frames: cut again as the kernel cuts them, they are
 * what the stack sent, byte for byte; and what is not alike, or is not known to be right, goes
 * alone.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "../stack/peer_fixture.h"

#include "../../host/dev/frames.h"
#include "../../host/dev/uso.h"

enum { FRAME_CAP = 66000, PORT = 7000 };

static bool ethernet;
static tern_sock udp;
static uint8_t super[FRAME_CAP];

static struct tern_addr to_peer(bool v6, uint16_t port)
{
	struct tern_addr six = { .family = TERN_AF_INET6, .port = port, .ip = { 0xfd, [15] = 9 } };

	return v6 ? six : tern_ip4(10, 0, 0, 9, port);
}

static void free_list(struct tern_pkt *p)
{
	struct tern_pkt *next;

	for (; p; p = next) {
		next = p->next;
		tern_pkt_free(st, p);
	}
}

static struct tern_pkt *take_all(void)
{
	unsigned n;

	return tern_output_batch(st, 2, 1000, &n);
}

/* The fixture's stack, on Ethernet when asked, with a socket that is connected to the peer. */
static void begin(bool on_ethernet, bool v6)
{
	struct tern_iface wire = { "wire", TERN_LINK_ETHERNET, 1500, 0, { 2, 0, 0, 0, 0, 1 } };
	struct tern_addr a = tern_ip4(10, 0, 0, 1, 0), peer = to_peer(v6, 0);
	struct tern_addr six = { .family = TERN_AF_INET6, .ip = { 0xfd, [15] = 1 } };
	struct tern_neigh n = { .addr = peer, .ifindex = 2, .mac = { 2, 0, 0, 0, 0, 9 } };
	struct tern_addr to = to_peer(v6, PORT);

	new_stack(1);
	ethernet = on_ethernet;
	if (ethernet) {
		tern_iface_del(st, 2);
		check_eq(tern_iface_add(st, &wire), 2);
		check_eq(tern_addr_add(st, 2, &a, 24), 0);
		check_eq(tern_addr_add(st, 2, &six, 64), 0);
		check_eq(tern_neigh_add(st, &n), 0);
	}
	tern_advance(st, 5 * TERN_SEC);
	free_list(take_all()); /* what interfaces say when they come up */
	check_eq(tern_socket(st, v6 ? TERN_AF_INET6 : TERN_AF_INET, TERN_SOCK_DGRAM, 0, &udp), 0);
	check_eq(tern_connect(st, udp, &to), 0);
}

static void say(uint32_t len, uint8_t seed)
{
	static uint8_t text[2000];

	for (uint32_t i = 0; i < len; i++)
		text[i] = (uint8_t)(seed + i * 31);
	check_eq(tern_send(st, udp, text, len, 0), len);
}

/* The super-frame in one piece, without its virtio header. */
static uint32_t join(const struct uso *u)
{
	uint32_t len = 0;

	for (int i = 1; i < u->n_iov; i++) {
		check(len + u->iov[i].iov_len <= FRAME_CAP);
		memcpy(super + len, u->iov[i].iov_base, u->iov[i].iov_len);
		len += (uint32_t)u->iov[i].iov_len;
	}
	return len;
}

/* As the kernel cuts: headers again, lengths, identification and checksums anew. */
static uint32_t cut(const struct virtio_net_hdr *h, uint32_t i, uint8_t *out)
{
	uint32_t link_len = ethernet ? 14 : 0, ip_len = h->csum_start - link_len;
	uint32_t len = h->gso_size + 8u;
	uint8_t *ip = out + link_len, *l4 = out + h->csum_start;
	struct addr src, dst;

	memcpy(out, super, h->hdr_len);
	memcpy(out + h->hdr_len, super + h->hdr_len + i * h->gso_size, h->gso_size);
	if (ip[0] >> 4 == 4) {
		put_be16(ip + 2, (uint16_t)(ip_len + len));
		put_be16(ip + 4, (uint16_t)(get_be16(ip + 4) + i));
		ip4_set_checksum(ip);
		src = addr_from4(ip + 12);
		dst = addr_from4(ip + 16);
	} else {
		put_be16(ip + 4, (uint16_t)len);
		src = addr_from6(ip + 8);
		dst = addr_from6(ip + 24);
	}
	put_be16(l4 + 4, (uint16_t)len);
	put_be16(l4 + 6, 0);
	put_be16(l4 + 6,
		 checksum_finish(checksum_add(l4, len, checksum_pseudo(&src, &dst, 17, len))));
	return h->csum_start + len;
}

/* What is open in the super-frame's checksum is its pseudo-header, over the length it shows. */
static void check_open_checksum(const struct virtio_net_hdr *h, uint32_t len)
{
	const uint8_t *ip = super + (ethernet ? 14 : 0), *l4 = super + h->csum_start;
	bool v4 = ip[0] >> 4 == 4;
	struct addr src = v4 ? addr_from4(ip + 12) : addr_from6(ip + 8);
	struct addr dst = v4 ? addr_from4(ip + 16) : addr_from6(ip + 24);

	check_eq(get_be16(l4 + 4), len - h->csum_start);
	check_eq(v4 ? get_be16(ip + 2) : get_be16(ip + 4) + 40u, (uint32_t)(super + len - ip));
	check_eq((uint16_t)~get_be16(l4 + 6),
		 checksum_finish(checksum_pseudo(&src, &dst, 17, get_be16(l4 + 4))));
}

/* The list goes as super-frames of so many each, and arrives as it was sent. */
static void goes_as(struct tern_pkt *list, const unsigned *sizes, unsigned n_sizes)
{
	static uint8_t is[FRAME_CAP], want[FRAME_CAP];
	struct tern_pkt *p = list;

	for (unsigned k = 0; k < n_sizes; k++) {
		struct uso u;
		uint32_t len;

		test_at("frame %u", k);
		check(p != NULL);
		check_eq(uso_build(&u, p, ethernet), sizes[k]);
		if (sizes[k] == 0) {
			p = p->next;
			continue;
		}
		check_eq(u.h.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
		check_eq(u.h.csum_offset, 6);
		len = join(&u);
		check_eq(len, u.h.hdr_len + sizes[k] * u.h.gso_size);
		check_open_checksum(&u.h, len);
		for (uint32_t i = 0; i < sizes[k]; i++, p = p->next) {
			check_eq(cut(&u.h, i, is), p->total_len);
			tern_pkt_emit(st, p, want);
			if (want[ethernet ? 14 : 0] >> 4 == 4) { /* means nothing: DF is set */
				put_be16(is + (ethernet ? 18 : 4),
					 get_be16(want + (ethernet ? 18 : 4)));
				ip4_set_checksum(is + (ethernet ? 14 : 0));
			}
			check_eq(memcmp(is, want, p->total_len), 0);
		}
	}
	check(p == NULL);
	free_list(list);
}

#define GOES_AS(...)                                                                               \
	goes_as(take_all(), (const unsigned[]){ __VA_ARGS__ },                                     \
		sizeof((const unsigned[]){ __VA_ARGS__ }) / sizeof(unsigned))

static void datagrams_of_one_length(void)
{
	static const uint32_t lens[] = { 1, 2, 18, 64, 333, 1452 };

	for (unsigned kind = 0; kind < 4; kind++)
		for (unsigned i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
			begin(kind & 1, kind & 2);
			for (uint8_t k = 0; k < 5; k++)
				say(lens[i], k);
			GOES_AS(5);
			end_stack();
		}
}

static void no_more_than_the_kernel_cuts(void)
{
	begin(true, false);
	for (uint8_t k = 0; k < 130; k++)
		say(64, k);
	GOES_AS(64, 64, 2);
	for (uint8_t k = 0; k < 64; k++) /* 44 x 1472 and the headers are 65 535 or less */
		say(1472, k);
	GOES_AS(44, 20);
	end_stack();
}

static void what_differs_goes_apart(void)
{
	int32_t tos = 0x10;

	begin(true, false);
	say(64, 0);
	say(64, 1);
	say(65, 2); /* another length */
	say(0, 3);  /* nothing to cut */
	say(0, 4);
	say(64, 5);
	check_eq(tern_setsockopt(st, udp, TERN_IPPROTO_IP, TERN_IP_TOS, &tos, sizeof(tos)), 0);
	say(64, 6);
	say(64, 7);
	GOES_AS(2, 0, 0, 0, 0, 2);
	end_stack();
}

/* Routers may cut them: the identifications, drawn one by one, would become a row. */
static void those_that_may_be_cut_go_alone(void)
{
	int32_t off = TERN_IP_PMTUDISC_DONT;
	struct tern_pkt *list;

	begin(true, false);
	check_eq(tern_setsockopt(st, udp, TERN_IPPROTO_IP, TERN_IP_MTU_DISCOVER, &off, sizeof(off)),
		 0);
	say(64, 0);
	say(64, 1);
	say(2000, 2); /* in fragments */
	list = take_all();
	for (struct tern_pkt *p = list; p; p = p->next) { /* be they the same by chance */
		put_be16(p->data + 18, 77);
		ip4_set_checksum(p->data + 14);
	}
	goes_as(list, (const unsigned[]){ 0, 0, 0, 0 }, 4);
	end_stack();
}

/* A raw socket's checksum may be wrong on purpose. */
static void what_others_made_goes_alone(void)
{
	struct tern_addr to = to_peer(false, 0);
	uint8_t packet[28 + 10] = { 0x45, 0, 0, 38, 0, 7, 0x40, 0, 64, 17, [16] = 10, 0, 0, 9 };
	tern_sock raw;

	begin(true, false);
	put_be16(packet + 24, 18);
	put_be16(packet + 26, 0xbad);
	check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_RAW, TERN_IPPROTO_RAW, &raw), 0);
	check_eq(tern_connect(st, raw, &to), 0);
	for (int i = 0; i < 2; i++)
		check_eq(tern_send(st, raw, packet, sizeof(packet), 0), (int64_t)sizeof(packet));
	GOES_AS(0, 0);
	end_stack();
}

/* ---- by a device ---- */

/* A device with a virtio header whose far end is *far, and three datagrams alike for it. */
static struct dev *open_device(uint32_t flags, int *far)
{
	struct tern_iface iface = { "fd", TERN_LINK_ETHERNET, 1500, flags, { 0 } };
	int fd[2];

	begin(true, false);
	check_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd), 0);
	*far = fd[1];
	for (uint8_t k = 0; k < 3; k++)
		say(64, k);
	return frames_new(fd[0], &iface, true, true);
}

static void close_device(struct dev *d, int far, struct tern_pkt *list)
{
	free_list(list);
	dev_close(d);
	close(far);
	end_stack();
}

static void one_message_for_all(void)
{
	int far;
	struct dev *d = open_device(TERN_IFACE_CSUM, &far);
	struct tern_pkt *list;

	say(9, 3);
	list = take_all();
	check_eq(d->ops->write(d, st, list), 3);
	check_eq(d->ops->write(d, st, list->next->next->next), 1);
	check_eq(recv(far, super, sizeof(super), 0), 10 + 42 + 3 * 64);
	check_eq(recv(far, super, sizeof(super), 0), 10 + 42 + 9);
	close_device(d, far, list);
}

/* One whose frames are to be complete gets them so. */
static void none_without_offload(void)
{
	int far;
	struct dev *d = open_device(0, &far);
	struct tern_pkt *list = take_all();

	check_eq(d->ops->write(d, st, list), 1);
	check_eq(recv(far, super, sizeof(super), 0), 10 + 42 + 64);
	close_device(d, far, list);
}

/* A descriptor that answers every frame by EINVAL, as an old kernel does this kind. */
static void a_kernel_that_knows_none_is_asked_once(void)
{
	struct tern_iface iface = { "fd", TERN_LINK_ETHERNET, 1500, TERN_IFACE_CSUM, { 0 } };
	struct tern_pkt *list;
	struct dev *d;

	begin(true, false);
	d = frames_new(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), &iface, true, false);
	for (uint8_t k = 0; k < 3; k++)
		say(64, k);
	list = take_all();
	check_eq(d->ops->write(d, st, list), 1);
	check(!((struct frames *)d)->uso);
	free_list(list);
	dev_close(d);
	end_stack();
}

static const struct test tests[] = {
	TEST(datagrams_of_one_length),	   TEST(no_more_than_the_kernel_cuts),
	TEST(what_differs_goes_apart),	   TEST(those_that_may_be_cut_go_alone),
	TEST(what_others_made_goes_alone), TEST(one_message_for_all),
	TEST(none_without_offload),	   TEST(a_kernel_that_knows_none_is_asked_once),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
