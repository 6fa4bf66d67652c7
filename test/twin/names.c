/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names.c - twins: getaddrinfo and getnameinfo, of what needs no question to anybody.
 */
#include "twin.h"

#include <netdb.h>

static const char *error_name(int err)
{
	return err == 0		     ? "0" :
	       err == EAI_NONAME     ? "EAI_NONAME" :
	       err == EAI_SERVICE    ? "EAI_SERVICE" :
	       err == EAI_FAMILY     ? "EAI_FAMILY" :
	       err == EAI_SOCKTYPE   ? "EAI_SOCKTYPE" :
	       err == EAI_BADFLAGS   ? "EAI_BADFLAGS" :
	       err == EAI_ADDRFAMILY ? "EAI_ADDRFAMILY" :
	       err == EAI_OVERFLOW   ? "EAI_OVERFLOW" :
				       gai_strerror(err);
}

static void look_up(const char *host, const char *service, const struct addrinfo *hints)
{
	struct addrinfo *list = NULL;
	int err = getaddrinfo(host, service, hints, &list);

	say("%s", error_name(err));
	for (struct addrinfo *a = list; a && !err; a = a->ai_next) {
		struct name n = { .len = a->ai_addrlen };
		char text[64];

		memcpy(&n.all, a->ai_addr, a->ai_addrlen);
		say(" %d/%d/%d %s %d", a->ai_family, a->ai_socktype, a->ai_protocol,
		    inet_ntop(a->ai_family,
			      a->ai_family == AF_INET ? (void *)&n.in.sin_addr :
							(void *)&n.in6.sin6_addr,
			      text, sizeof(text)),
		    port_in(&n));
		if (a->ai_canonname)
			say(" %s", a->ai_canonname);
	}
	say("\n");
	if (!err)
		freeaddrinfo(list);
}

static void looks_up_numbers(void)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };

	look_up("127.0.0.1", "80", &hints);
	look_up("::1", "80", &hints);
	look_up("10.1.2.3", NULL, &hints);
	look_up("::ffff:1.2.3.4", "1", &hints);
	look_up("127.1", "80", &hints);
	look_up("0x7f000001", "80", &hints);
	look_up("127.0.0.1", "65535", NULL);
}

static void looks_up_services(void)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };

	look_up("127.0.0.1", "http", &hints);
	look_up("127.0.0.1", "no-such-service", &hints);
	look_up("127.0.0.1", "65536", &hints);
	hints.ai_flags = AI_NUMERICSERV;
	look_up("127.0.0.1", "http", &hints);
	look_up("127.0.0.1", "8080", &hints);
}

static void looks_up_nothing(void)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };

	look_up(NULL, NULL, &hints);
	look_up(NULL, "80", &hints);
	hints.ai_flags = AI_PASSIVE;
	look_up(NULL, "80", &hints);
	hints.ai_family = AF_INET6;
	look_up(NULL, "80", &hints);
	hints.ai_flags = 0;
	look_up(NULL, "80", &hints);
}

static void looks_up_badly(void)
{
	struct addrinfo hints = { .ai_family = 77 };

	look_up("127.0.0.1", "80", &hints);
	hints = (struct addrinfo){ .ai_socktype = 77 };
	look_up("127.0.0.1", "80", &hints);
	hints = (struct addrinfo){ .ai_flags = AI_CANONNAME };
	look_up(NULL, "80", &hints);
	hints = (struct addrinfo){ .ai_flags = AI_NUMERICHOST };
	look_up("localhost", "80", &hints);
	look_up("1.2.3.4.5", "80", &hints);
	hints = (struct addrinfo){ .ai_flags = 0x800000 };
	look_up("127.0.0.1", "80", &hints);
	hints = (struct addrinfo){ .ai_family = AF_INET6 };
	look_up("127.0.0.1", "80", &hints);
	hints = (struct addrinfo){ .ai_family = AF_INET };
	look_up("::1", "80", &hints);
}

static void looks_up_a_canonical_name(void)
{
	struct addrinfo hints = { .ai_flags = AI_CANONNAME, .ai_socktype = SOCK_STREAM };

	look_up("127.0.0.1", "80", &hints);
	hints.ai_family = AF_INET;
	look_up("localhost", "80", &hints);
}

static void looks_up_this_host(void)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };

	look_up("localhost", "80", &hints);
	look_up("LocalHost", "http", &hints);
	hints.ai_socktype = 0;
	look_up("localhost", "80", &hints);
}

static void connects_by_name(void)
{
	struct addrinfo hints = { .ai_family = family, .ai_socktype = SOCK_STREAM }, *list;
	char port[8];
	int l = listening(), fd;

	snprintf(port, sizeof(port), "%d", port_of(l));
	say_result(getaddrinfo(family == AF_INET ? "127.0.0.1" : "::1", port, &hints, &list));
	fd = socket(list->ai_family, list->ai_socktype, list->ai_protocol);
	say_result(connect(fd, list->ai_addr, list->ai_addrlen));
	freeaddrinfo(list);
}

static void name_it(const struct name *n, socklen_t len, size_t host_len, int flags)
{
	char host[NI_MAXHOST] = "", service[NI_MAXSERV] = "";
	int err = getnameinfo(&n->sa, len, host, (socklen_t)host_len, service, sizeof(service),
			      flags);

	say("%s %s %s\n", error_name(err), err ? "" : host, err ? "" : service);
}

static void names_numbers(void)
{
	struct name n = loopback_at(80);

	name_it(&n, n.len, NI_MAXHOST, NI_NUMERICHOST | NI_NUMERICSERV);
	name_it(&n, n.len, NI_MAXHOST, NI_NUMERICHOST);
	name_it(&n, n.len, 4, NI_NUMERICHOST | NI_NUMERICSERV);
	name_it(&n, 3, NI_MAXHOST, NI_NUMERICHOST);
	name_it(&n, n.len, 0, NI_NUMERICSERV);
	name_it(&n, n.len, NI_MAXHOST, NI_NUMERICHOST | NI_NUMERICSERV | NI_DGRAM);
	n.sa.sa_family = 77;
	name_it(&n, n.len, NI_MAXHOST, NI_NUMERICHOST);
}

static void names_this_host(void)
{
	struct name n = loopback_at(22);

	name_it(&n, n.len, NI_MAXHOST, 0);
	name_it(&n, n.len, NI_MAXHOST, NI_NAMEREQD);
}

static const struct program programs[] = {
	ONCE(looks_up_numbers),		 ONCE(looks_up_services),
	ONCE(looks_up_nothing),		 ONCE(looks_up_badly),
	ONCE(looks_up_a_canonical_name), ONCE(looks_up_this_host),
	BOTH(connects_by_name),		 BOTH(names_numbers),
	ONCE(names_this_host),
};
const struct subject of_names = SUBJECT(programs);
