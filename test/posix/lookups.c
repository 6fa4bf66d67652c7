/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lookups.c - a program that knows nothing of tern: names, services, the loopback's interface, and the
 * calls that are several of the simple ones. posix.check compiles it both ways and compares.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void show_address(const struct sockaddr *sa, socklen_t len)
{
	char host[NI_MAXHOST], service[NI_MAXSERV];
	int err = getnameinfo(sa, len, host, sizeof(host), service, sizeof(service),
			      NI_NUMERICHOST | NI_NUMERICSERV);

	printf(" %s", err ? gai_strerror(err) : host);
	printf(":%s", err ? "" : service);
}

static void look_up(const char *host, const char *service, int family, int type, int flags)
{
	struct addrinfo hints = { .ai_family = family, .ai_socktype = type, .ai_flags = flags };
	struct addrinfo *list, *a;
	int err = getaddrinfo(host, service, &hints, &list);

	printf("%s %s %d %d %x:", host ? host : "-", service ? service : "-", family, type,
	       (unsigned)flags);
	if (err) {
		printf(" %s\n", gai_strerror(err));
		return;
	}
	for (a = list; a; a = a->ai_next) {
		printf(" %d/%d/%d", a->ai_family, a->ai_socktype, a->ai_protocol);
		show_address(a->ai_addr, a->ai_addrlen);
	}
	if (list->ai_canonname)
		printf(" called %s", list->ai_canonname);
	putchar('\n');
	freeaddrinfo(list);
}

static void names(void)
{
	static const int families[] = { AF_UNSPEC, AF_INET, AF_INET6 };

	for (int i = 0; i < 3; i++) {
		look_up("127.0.0.1", "80", families[i], SOCK_STREAM, 0);
		look_up("::1", "http", families[i], SOCK_STREAM, AI_NUMERICHOST);
		look_up("10.1", "domain", families[i], SOCK_DGRAM, AI_V4MAPPED);
		look_up(NULL, "9", families[i], SOCK_STREAM, AI_PASSIVE);
		look_up(NULL, "9", families[i], SOCK_STREAM, 0);
		look_up("name.invalid", "80", families[i], 0, AI_NUMERICHOST);
		look_up("192.0.2.1", NULL, families[i], 0, AI_CANONNAME);
	}
	look_up("127.0.0.1", "no-such-service", AF_INET, SOCK_STREAM, 0);
	look_up("127.0.0.1", "http", AF_INET, SOCK_STREAM, AI_NUMERICSERV);
	look_up("127.0.0.1", "tftp", AF_INET, SOCK_STREAM, 0);
	look_up(NULL, NULL, AF_INET, SOCK_STREAM, 0);
	look_up("127.0.0.1", "80", AF_UNIX, SOCK_STREAM, 0);
	look_up(NULL, "80", AF_INET, SOCK_STREAM, AI_CANONNAME);
	look_up("fe80::1%1", "80", AF_INET6, SOCK_STREAM, 0);
	look_up("localhost", "80", AF_INET, SOCK_STREAM, 0);
}

static void reverse(int flags, uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	char host[64] = "", service[64] = "";
	int err;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	err = getnameinfo((struct sockaddr *)&in, sizeof(in), host, sizeof(host), service,
			  sizeof(service), flags);
	printf("%x: %s %s %s\n", (unsigned)flags, err ? gai_strerror(err) : "", host, service);
	printf("%d\n", getnameinfo((struct sockaddr *)&in, sizeof(in), host, 4, NULL, 0,
				   flags | NI_NUMERICHOST));
	printf("%d\n", getnameinfo((struct sockaddr *)&in, 3, host, sizeof(host), NULL, 0, flags));
}

static void interfaces(void)
{
	static const unsigned long requests[] = { SIOCGIFADDR,	SIOCGIFNETMASK, SIOCGIFFLAGS,
						  SIOCGIFMTU,	SIOCGIFINDEX,	SIOCGIFHWADDR,
						  SIOCGIFMETRIC };
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifaddrs *list, *a;
	struct ifreq room[32];
	struct ifconf conf = { .ifc_len = sizeof(room), .ifc_req = room };
	char name[IF_NAMESIZE];

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct ifreq r = { .ifr_name = "lo" };
		int n = ioctl(s, requests[i], &r);

		printf("%lx: %d", requests[i], n);
		if (i < 2)
			printf(" %s",
			       inet_ntoa(((struct sockaddr_in *)(void *)&r.ifr_addr)->sin_addr));
		else if (i == 2)
			printf(" %x", (unsigned)r.ifr_flags);
		else if (i == 3) /* the kernel's is 65536, more than an IPv4 packet can be */
			printf(" %d", r.ifr_mtu > 65000);
		else if (i == 5)
			printf(" %d", r.ifr_hwaddr.sa_family);
		else
			printf(" %d", r.ifr_ifindex);
		strcpy(r.ifr_name, "nonesuch");
		n = ioctl(s, requests[i], &r);
		printf(" %d %s\n", n, strerror(errno));
	}
	if (ioctl(s, SIOCGIFCONF, &conf) != 0)
		printf("no list\n");
	for (int i = 0; i < conf.ifc_len / (int)sizeof(room[0]); i++)
		if (strcmp(room[i].ifr_name, "lo") == 0)
			printf("listed: lo %s\n",
			       inet_ntoa(((struct sockaddr_in *)(void *)&room[i].ifr_addr)
						 ->sin_addr));
	printf("%u %s\n", if_nametoindex("lo"), if_indextoname(1, name));
	printf("%u %s", if_nametoindex("nonesuch"), strerror(errno));
	printf(" %d %s\n", if_indextoname(9999, name) != NULL, strerror(errno));
	if (getifaddrs(&list) != 0)
		return;
	for (a = list; a; a = a->ifa_next) {
		if (strcmp(a->ifa_name, "lo") != 0 || !a->ifa_addr)
			continue;
		printf("lo %x %d", a->ifa_flags, a->ifa_addr->sa_family);
		if (a->ifa_addr->sa_family != AF_PACKET) {
			socklen_t len = a->ifa_addr->sa_family == AF_INET ?
						sizeof(struct sockaddr_in) :
						sizeof(struct sockaddr_in6);

			show_address(a->ifa_addr, len);
			show_address(a->ifa_netmask, len);
		}
		putchar('\n');
	}
	freeifaddrs(list);
	close(s);
}

/* ---- several at once ---- */

static void datagrams(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	char text[4][8] = { "a", "bb", "ccc", "dddd" }, back[4][8] = { "" };
	struct iovec out[4], in[4];
	struct mmsghdr m[4], r[4];
	struct timespec none = { 0, 0 }, some = { 0, 50000000 };
	int s = socket(AF_INET, SOCK_DGRAM, 0), t = socket(AF_INET, SOCK_DGRAM, 0), n;
	socklen_t len = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(t, (struct sockaddr *)&at, sizeof(at));
	getsockname(t, (struct sockaddr *)&at, &len);
	memset(m, 0, sizeof(m));
	memset(r, 0, sizeof(r));
	for (int i = 0; i < 4; i++) {
		out[i] = (struct iovec){ text[i], strlen(text[i]) };
		in[i] = (struct iovec){ back[i], 3 };
		m[i].msg_hdr = (struct msghdr){ .msg_name = &at,
						.msg_namelen = sizeof(at),
						.msg_iov = &out[i],
						.msg_iovlen = 1 };
		r[i].msg_hdr = (struct msghdr){ .msg_iov = &in[i], .msg_iovlen = 1 };
	}
	printf("%d\n", sendmmsg(s, m, 4, 0));
	usleep(10000);
	printf("%d\n", recvmmsg(t, r, 3, 0, NULL));
	for (int i = 0; i < 3; i++)
		printf("%u %.3s %x\n", r[i].msg_len, back[i], (unsigned)r[i].msg_hdr.msg_flags);
	n = recvmmsg(t, r, 4, MSG_WAITFORONE, NULL);
	printf("%d %u %x\n", n, r[0].msg_len, (unsigned)r[0].msg_hdr.msg_flags);
	n = recvmmsg(t, r, 4, MSG_DONTWAIT, NULL);
	printf("%d %s\n", n, strerror(errno));
	sendmmsg(s, m, 2, 0);
	usleep(10000);
	n = recvmmsg(t, r, 4, MSG_DONTWAIT, &some);
	printf("%d %d\n", n, some.tv_nsec < 50000000);
	some.tv_nsec = -1;
	n = recvmmsg(t, r, 4, MSG_DONTWAIT, &some);
	printf("%d %s\n", n, strerror(errno));
	n = recvmmsg(t, r, 0, MSG_DONTWAIT, &none);
	printf("%d %d\n", n, sendmmsg(s, m, 0, 0));
	m[1].msg_hdr.msg_namelen = 3;
	printf("%d\n", sendmmsg(s, m, 4, 0));
	n = sendmmsg(s, m + 1, 3, 0);
	printf("%d %s\n", n, strerror(errno));
	close(s);
	close(t);
}

static void files(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	char path[] = "/tmp/tern-lookups-XXXXXX", bytes[20000], back[20000];
	int file = mkstemp(path), l = socket(AF_INET, SOCK_STREAM, 0);
	int c = socket(AF_INET, SOCK_STREAM, 0), s, pipes[2];
	socklen_t len = sizeof(at);
	off_t at_byte = 5000;
	ssize_t n;

	unlink(path);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7 / 3);
	if (write(file, bytes, sizeof(bytes)) != (ssize_t)sizeof(bytes) || pipe(pipes) != 0)
		return;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(l, (struct sockaddr *)&at, sizeof(at));
	listen(l, 1);
	getsockname(l, (struct sockaddr *)&at, &len);
	connect(c, (struct sockaddr *)&at, sizeof(at));
	s = accept(l, NULL, NULL);
	printf("%zd %ld\n", sendfile(c, file, &at_byte, 10000), (long)lseek(file, 0, SEEK_CUR));
	printf("%ld\n", (long)at_byte);
	n = recv(s, back, 10000, MSG_WAITALL);
	printf("%zd %d\n", n, memcmp(back, bytes + 5000, 10000));
	lseek(file, 19000, SEEK_SET);
	n = sendfile(c, file, NULL, 10000);
	printf("%zd %ld\n", n, (long)lseek(file, 0, SEEK_CUR));
	n = recv(s, back, 1000, MSG_WAITALL);
	printf("%zd %d\n", n, memcmp(back, bytes + 19000, 1000));
	printf("%zd\n", sendfile(c, file, NULL, 10));
	n = sendfile(c, -1, NULL, 10);
	printf("%zd %s\n", n, strerror(errno));
	close(l);
	close(c);
	close(s);
}

/* Each argument: its addresses; of an address its name. */
static int look_up_these(int n, char **arg)
{
	static const int flags[] = { 0, AI_CANONNAME, AI_V4MAPPED, AI_V4MAPPED | AI_ALL };

	for (int i = 0; i < n; i++) {
		struct sockaddr_in in = { .sin_family = AF_INET };
		char host[NI_MAXHOST];
		int err;

		if (inet_pton(AF_INET, arg[i], &in.sin_addr) == 1) {
			err = getnameinfo((struct sockaddr *)&in, sizeof(in), host, sizeof(host),
					  NULL, 0, NI_NAMEREQD);
			printf("%s: %s\n", arg[i], err ? gai_strerror(err) : host);
			err = getnameinfo((struct sockaddr *)&in, sizeof(in), host, sizeof(host),
					  NULL, 0, NI_NOFQDN);
			printf("%s: %s\n", arg[i], err ? gai_strerror(err) : host);
			continue;
		}
		for (size_t k = 0; k < sizeof(flags) / sizeof(flags[0]); k++)
			look_up(arg[i], "80", k < 2 ? AF_UNSPEC : AF_INET6, SOCK_STREAM, flags[k]);
		look_up(arg[i], "80", AF_INET, SOCK_STREAM, AI_ADDRCONFIG);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return look_up_these(argc - 1, argv + 1);
	names();
	reverse(0, 80);
	reverse(NI_NUMERICSERV, 80);
	reverse(NI_DGRAM, 53);
	reverse(NI_NAMEREQD, 64999);
	interfaces();
	datagrams();
	files();
	return 0;
}
