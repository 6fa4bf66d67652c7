/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bodies.h - small socket programs, as they are written for any POSIX system; included twice by
 * posix_twin_test.c, once for the kernel and once for tern. No guard: that is why.
 */

static struct sockaddr_in SIDE(at_loopback)(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

static uint16_t SIDE(port)(int fd)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	return getsockname(fd, (struct sockaddr *)&a, &len) ? 0 : ntohs(a.sin_port);
}

static int SIDE(bound)(int type)
{
	struct sockaddr_in a = SIDE(at_loopback)(0);
	int fd = socket(AF_INET, type, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0)
		say("bound: %s\n", strerrorname_np(errno));
	return fd;
}

static int SIDE(listening)(void)
{
	int fd = SIDE(bound)(SOCK_STREAM);

	if (listen(fd, 16) != 0)
		say("listen: %s\n", strerrorname_np(errno));
	return fd;
}

static int SIDE(call)(int fd, uint16_t port)
{
	struct sockaddr_in a = SIDE(at_loopback)(port);

	return connect(fd, (struct sockaddr *)&a, sizeof(a));
}

static void SIDE(connection)(int fd[2])
{
	int l = SIDE(listening)();

	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (SIDE(call)(fd[0], SIDE(port)(l)) != 0)
		say("connect: %s\n", strerrorname_np(errno));
	fd[1] = accept(l, NULL, NULL);
	close(l);
}

/* What poll says when all of these have come, or after some seconds. */
static int SIDE(polled)(int fd, int events, int want)
{
	struct pollfd p = { .fd = fd, .events = (short)events };

	for (int i = 0; i < 3000; i++) {
		if (poll(&p, 1, 1) > 0 && (p.revents & want) == want)
			break;
		if (p.revents)
			usleep(1000);
	}
	return p.revents;
}

static int SIDE(so_error)(int fd)
{
	int v = -1;
	socklen_t len = sizeof(v);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &v, &len);
	return v;
}

/* ---- the programs ---- */

static void SIDE(a_fresh_socket)(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char byte;

	say("%#x\n", SIDE(polled)(fd, POLLIN | POLLOUT, POLLOUT));
	say("%s\n", told(send(fd, "x", 1, MSG_NOSIGNAL)));
	say("%s\n", told(recv(fd, &byte, 1, 0)));
	say("%s\n", told(shutdown(fd, SHUT_WR)));
	say("%s\n", told(listen(fd, 1)));
	say("%s\n", told(close(fd)));
	say("%s\n", told(close(fd)));
	say("%s\n", told(send(fd, "x", 1, 0)));
	say("%s\n", told(socket(AF_INET, 77, 0)));
	say("%s\n", told(socket(AF_INET, SOCK_STREAM, 17)));
	say("%s\n", told(accept(0, NULL, NULL)));
}

static void SIDE(talks_and_closes)(void)
{
	int fd[2];
	char text[64];

	SIDE(connection)(fd);
	say("%s\n", told(write(fd[0], "question", 8)));
	say("%s\n", told(read(fd[1], text, sizeof(text))));
	say("%s\n", told(shutdown(fd[0], SHUT_WR)));
	say("%s\n", told(read(fd[1], text, sizeof(text))));
	say("%#x\n", SIDE(polled)(fd[1], POLLIN | POLLOUT | POLLRDHUP, POLLRDHUP));
	say("%s\n", told(write(fd[1], "answer", 6)));
	say("%s\n", told(read(fd[0], text, sizeof(text))));
	say("%s\n", told(close(fd[1])));
	say("%s\n", told(read(fd[0], text, sizeof(text))));
	say("%#x\n", SIDE(polled)(fd[0], POLLIN | POLLOUT | POLLRDHUP, POLLHUP));
	say("%s\n", told(send(fd[0], "x", 1, MSG_NOSIGNAL)));
}

static void SIDE(is_refused)(void)
{
	int l = SIDE(listening)(), fd = socket(AF_INET, SOCK_STREAM, 0);
	uint16_t port = SIDE(port)(l);

	close(l);
	say("%s\n", told(SIDE(call)(fd, port)));
	say("%s\n", told(SIDE(call)(fd, port)));
	say("%d\n", SIDE(so_error)(fd));
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	say("%s\n", told(SIDE(call)(fd, port)));
	say("%#x\n", SIDE(polled)(fd, POLLIN | POLLOUT, POLLERR));
	say("%d\n", SIDE(so_error)(fd));
	say("%d\n", SIDE(so_error)(fd));
}

static void SIDE(connects_in_the_background)(void)
{
	int l = SIDE(listening)(), fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	uint16_t port = SIDE(port)(l);

	say("%s\n", told(SIDE(call)(fd, port)));
	say("%#x\n", SIDE(polled)(fd, POLLOUT, POLLOUT));
	say("%d\n", SIDE(so_error)(fd));
	say("%s\n", told(SIDE(call)(fd, port)));
	say("%s\n", told(SIDE(call)(fd, port)));
}

static void SIDE(accepts)(void)
{
	int l = SIDE(listening)(), fd, a;
	struct sockaddr_in name;
	socklen_t len = sizeof(name);

	fcntl(l, F_SETFL, O_NONBLOCK);
	say("%#x\n", fcntl(l, F_GETFL) & (O_NONBLOCK | O_ACCMODE));
	say("%s\n", told(accept(l, NULL, NULL)));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	say("%s\n", told(SIDE(call)(fd, SIDE(port)(l))));
	say("%#x\n", SIDE(polled)(l, POLLIN | POLLOUT, POLLIN));
	a = accept4(l, (struct sockaddr *)&name, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	say("%d %u %d\n", a >= 0, (unsigned)len, ntohs(name.sin_port) == SIDE(port)(fd));
	say("%#x %d\n", fcntl(a, F_GETFL) & O_NONBLOCK, fcntl(a, F_GETFD));
	say("%s\n", told(accept4(l, NULL, NULL, 0x1234)));
	say("%s\n", told(connect(l, (struct sockaddr *)&name, len)));
	say("%s\n", told(shutdown(l, SHUT_RD)));
	say("%s\n", told(accept(l, NULL, NULL)));
}

static void SIDE(reads_as_it_is_told)(void)
{
	char text[32] = { 0 };
	int fd[2], n = -1;
	struct timeval t = { 0, 20000 };

	SIDE(connection)(fd);
	say("%s\n", told(recv(fd[1], text, 8, MSG_DONTWAIT)));
	send(fd[0], "abcdef", 6, 0);
	say("%#x\n", SIDE(polled)(fd[1], POLLIN, POLLIN));
	say("%s", told(recv(fd[1], text, 4, MSG_PEEK)));
	say(" %.4s\n", text);
	say("%s", told(ioctl(fd[1], FIONREAD, &n)));
	say(" %d\n", n);
	say("%s\n", told(setsockopt(fd[1], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t))));
	say("%s\n", told(recv(fd[1], text, 10, MSG_WAITALL)));
	say("%s\n", told(recv(fd[1], text, 10, 0)));
	say("%s\n", told(recv(fd[1], text, 0, MSG_DONTWAIT)));
	say("%s\n", told(read(fd[1], text, 0)));
	say("%s\n", told(recv(fd[1], text, 1, MSG_OOB)));
}

static void SIDE(is_reset)(void)
{
	struct linger now = { 1, 0 };
	int fd[2];
	char byte;

	SIDE(connection)(fd);
	setsockopt(fd[0], SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd[0]);
	say("%#x\n", SIDE(polled)(fd[1], POLLIN | POLLOUT | POLLRDHUP, POLLERR));
	say("%s\n", told(recv(fd[1], &byte, 1, 0)));
	say("%s\n", told(recv(fd[1], &byte, 1, 0)));
	say("%s\n", told(send(fd[1], "x", 1, MSG_NOSIGNAL)));
}

static void SIDE(fills_up)(void)
{
	static char bytes[70000];
	int fd[2], size = 10000, total = 0, got = 0;
	struct timeval t = { 0, 20000 };
	ssize_t n;

	SIDE(connection)(fd);
	setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	while ((n = send(fd[0], bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		total += (int)n;
	say("%s\n", told(n));
	say("%#x\n", SIDE(polled)(fd[0], POLLOUT, 0));
	setsockopt(fd[0], SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
	n = send(fd[0], bytes, sizeof(bytes), 0); /* a part, or the time is over */
	say("%d\n", n > 0 ? n < (ssize_t)sizeof(bytes) : errno == EAGAIN);
	total += n > 0 ? (int)n : 0;
	while (got < total && (n = recv(fd[1], bytes, sizeof(bytes), 0)) > 0)
		got += (int)n;
	say("%d\n", got == total);
	say("%#x\n", SIDE(polled)(fd[0], POLLOUT, POLLOUT));
}

static void SIDE(copies_numbers)(void)
{
	int fd[2], copy, at;
	char byte;

	SIDE(connection)(fd);
	copy = dup(fd[0]);
	close(fd[0]);
	say("%s\n", told(send(copy, "x", 1, 0)));
	say("%s\n", told(recv(fd[1], &byte, 1, 0)));
	at = fcntl(copy, F_DUPFD_CLOEXEC, 200);
	say("%d %d\n", at >= 200, fcntl(at, F_GETFD));
	say("%d\n", dup2(copy, 300));
	say("%d\n", dup3(copy, 301, O_CLOEXEC));
	say("%s\n", told(dup3(copy, copy, 0)));
	close(copy);
	close(at);
	close(301);
	say("%s\n", told(recv(fd[1], &byte, 1, MSG_DONTWAIT)));
	say("%d\n", dup2(0, 300)); /* ends it */
	say("%s\n", told(recv(fd[1], &byte, 1, 0)));
}

static void SIDE(moves_datagrams)(void)
{
	int a = SIDE(bound)(SOCK_DGRAM), b = SIDE(bound)(SOCK_DGRAM);
	struct sockaddr_in to = SIDE(at_loopback)(SIDE(port)(b)), from;
	socklen_t len = sizeof(from);
	char text[8];
	struct iovec iov = { text, 4 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	say("%s\n", told(send(a, "x", 1, 0)));
	say("%s\n", told(sendto(a, "longer", 6, 0, (struct sockaddr *)&to, sizeof(to))));
	say("%s\n", told(sendto(a, "", 0, 0, (struct sockaddr *)&to, sizeof(to))));
	say("%s\n", told(connect(a, (struct sockaddr *)&to, sizeof(to))));
	say("%s\n", told(write(a, "abc", 3)));
	say("%s", told(recvmsg(b, &m, MSG_TRUNC)));
	say(" %d\n", m.msg_flags & MSG_TRUNC);
	say("%s", told(recvfrom(b, text, 8, 0, (struct sockaddr *)&from, &len)));
	say(" %u %d\n", (unsigned)len, ntohs(from.sin_port) == SIDE(port)(a));
	say("%s\n", told(recv(b, text, 8, 0)));
	say("%s\n", told(recv(b, text, 8, MSG_DONTWAIT)));
	say("%s\n", told(sendto(a, "x", 1, 0, (struct sockaddr *)&to, 5)));
	close(b);
	say("%s\n", told(write(a, "x", 1)));
	say("%#x\n", SIDE(polled)(a, POLLIN | POLLOUT, POLLERR));
	say("%s\n", told(read(a, text, 8)));
}

static int SIDE(epolled)(int set, int wait_ms)
{
	struct epoll_event ev[8];
	int n = epoll_wait(set, ev, 8, wait_ms);

	say("%d:", n);
	for (int i = 0; i < n; i++)
		say(" %#x %u", ev[i].events, ev[i].data.u32);
	say("\n");
	return n;
}

static void SIDE(watches_with_epoll)(void)
{
	int fd[2], set = epoll_create1(0), outer = epoll_create1(0), pipes[2];
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = 7 };
	char byte;

	SIDE(connection)(fd);
	if (pipe(pipes))
		return;
	say("%s\n", told(epoll_ctl(set, EPOLL_CTL_MOD, fd[1], &ev)));
	say("%s\n", told(epoll_ctl(set, EPOLL_CTL_ADD, fd[1], &ev)));
	say("%s\n", told(epoll_ctl(set, EPOLL_CTL_ADD, fd[1], &ev)));
	ev.data.u32 = 8;
	say("%s\n", told(epoll_ctl(set, EPOLL_CTL_ADD, pipes[0], &ev)));
	ev.data.u32 = 9;
	say("%s\n", told(epoll_ctl(outer, EPOLL_CTL_ADD, set, &ev)));
	SIDE(epolled)(set, 0);
	SIDE(epolled)(outer, 0);
	send(fd[0], "ab", 2, 0);
	SIDE(epolled)(set, 1000);
	SIDE(epolled)(set, 0); /* level: again */
	SIDE(epolled)(outer, 1000);
	recv(fd[1], &byte, 1, 0);
	SIDE(epolled)(set, 0);
	recv(fd[1], &byte, 1, 0);
	SIDE(epolled)(set, 0);
	if (write(pipes[1], "x", 1) == 1)
		SIDE(epolled)(set, 1000);
	if (read(pipes[0], &byte, 1) == 1)
		SIDE(epolled)(set, 0);
	/* edges */
	ev = (struct epoll_event){ .events = EPOLLIN | EPOLLET, .data.u32 = 10 };
	say("%s\n", told(epoll_ctl(set, EPOLL_CTL_MOD, fd[1], &ev)));
	SIDE(epolled)(set, 0);
	send(fd[0], "a", 1, 0);
	SIDE(epolled)(set, 1000);
	SIDE(epolled)(set, 0);
	send(fd[0], "a", 1, 0);
	SIDE(epolled)(set, 1000);
	send(fd[1], "a", 1, 0); /* its acknowledgment is no news */
	usleep(20000);
	SIDE(epolled)(set, 0);
	/* once */
	ev.events = EPOLLIN | EPOLLONESHOT;
	say("%s\n", told(epoll_ctl(set, EPOLL_CTL_MOD, fd[1], &ev)));
	SIDE(epolled)(set, 1000);
	send(fd[0], "a", 1, 0);
	usleep(20000);
	SIDE(epolled)(set, 0);
	say("%s\n", told(epoll_ctl(set, EPOLL_CTL_MOD, fd[1], &ev)));
	SIDE(epolled)(set, 1000);
	say("%s\n", told(epoll_ctl(set, EPOLL_CTL_DEL, fd[1], NULL)));
	say("%s\n", told(epoll_ctl(set, EPOLL_CTL_DEL, fd[1], NULL)));
	SIDE(epolled)(set, 10);
	/* a member that is closed is none */
	ev.events = EPOLLIN;
	epoll_ctl(set, EPOLL_CTL_ADD, fd[1], &ev);
	close(fd[1]);
	SIDE(epolled)(set, 0);
	say("%s\n", told(epoll_wait(set, &ev, 0, 0)));
}

static void SIDE(selects)(void)
{
	struct timeval t = { 0, 20000 };
	int fd[2], pipes[2];
	fd_set r, w;

	SIDE(connection)(fd);
	if (pipe(pipes))
		return;
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_SET(fd[1], &r);
	FD_SET(pipes[0], &r);
	say("%s %d\n", told(select(100, &r, NULL, NULL, &t)), t.tv_sec == 0 && t.tv_usec == 0);
	send(fd[0], "x", 1, 0);
	FD_SET(fd[1], &r);
	FD_SET(pipes[0], &r);
	FD_SET(fd[0], &w);
	t.tv_sec = 2;
	usleep(10000);
	say("%s", told(select(100, &r, &w, NULL, &t)));
	say(" %d %d %d\n", FD_ISSET(fd[1], &r), FD_ISSET(pipes[0], &r), FD_ISSET(fd[0], &w));
	FD_ZERO(&r);
	FD_SET(60, &r); /* from 64 Linux may look away: it stops at the end of its table */
	FD_SET(fd[1], &r);
	say("%s\n", told(select(61, &r, NULL, NULL, &t)));
}

static volatile int SIDE(n_signals);
static void SIDE(count_signal)(int sig)
{
	(void)sig;
	SIDE(n_signals)++;
}

static void SIDE(hears_signals)(void)
{
	struct sigaction a = { .sa_handler = SIDE(count_signal) };
	struct itimerval once = { { 0, 0 }, { 0, 30000 } };
	struct timeval t = { 0, 200000 };
	struct pollfd p = { .events = POLLIN };
	int fd[2];
	char byte;

	SIDE(connection)(fd);
	sigaction(SIGALRM, &a, NULL);
	setitimer(ITIMER_REAL, &once, NULL);
	say("%s", told(recv(fd[1], &byte, 1, 0)));
	say(" %d\n", SIDE(n_signals));
	p.fd = fd[1];
	setitimer(ITIMER_REAL, &once, NULL);
	say("%s", told(poll(&p, 1, 1000)));
	say(" %d\n", SIDE(n_signals));
	/* restarts; a time-out makes the difference */
	a.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &a, NULL);
	setsockopt(fd[1], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setitimer(ITIMER_REAL, &once, NULL);
	say("%s", told(recv(fd[1], &byte, 1, 0)));
	say(" %d\n", SIDE(n_signals));
	sigaction(SIGPIPE, &a, NULL);
	close(fd[1]);
	SIDE(polled)(fd[0], POLLIN | POLLRDHUP, POLLRDHUP);
	send(fd[0], "x", 1, 0);
	usleep(10000);
	say("%s", told(write(fd[0], "x", 1)));
	say(" %d\n", SIDE(n_signals));
}

static void *SIDE(say_later)(void *fd)
{
	usleep(30000);
	send(*(int *)fd, "late", 4, 0);
	return NULL;
}

static void *SIDE(take_one)(void *fd)
{
	int a = accept(*(int *)fd, NULL, NULL);

	close(a);
	return (void *)(intptr_t)(a >= 0);
}

static void SIDE(shares_with_threads)(void)
{
	int fd[2], l = SIDE(listening)(), callers[3];
	pthread_t t, takers[3];
	char text[8];
	void *result;
	int n = 0;

	SIDE(connection)(fd);
	pthread_create(&t, NULL, SIDE(say_later), &fd[0]);
	say("%s\n", told(recv(fd[1], text, 8, 0)));
	pthread_join(t, NULL);
	for (int i = 0; i < 3; i++)
		pthread_create(&takers[i], NULL, SIDE(take_one), &l);
	usleep(20000);
	for (int i = 0; i < 3; i++) {
		callers[i] = socket(AF_INET, SOCK_STREAM, 0);
		say("%s\n", told(SIDE(call)(callers[i], SIDE(port)(l))));
	}
	for (int i = 0; i < 3; i++) {
		pthread_join(takers[i], &result);
		n += (int)(intptr_t)result;
	}
	say("%d\n", n);
}

static void SIDE(sets_options)(void)
{
	static const struct {
		int level, name;
	} asked[] = {
		{ SOL_SOCKET, SO_TYPE },      { SOL_SOCKET, SO_DOMAIN },
		{ SOL_SOCKET, SO_PROTOCOL },  { SOL_SOCKET, SO_ACCEPTCONN },
		{ SOL_SOCKET, SO_REUSEADDR }, { SOL_SOCKET, SO_KEEPALIVE },
		{ SOL_SOCKET, SO_BROADCAST }, { SOL_SOCKET, SO_RCVLOWAT },
		{ SOL_SOCKET, SO_DEBUG },     { SOL_SOCKET, SO_DONTROUTE },
		{ IPPROTO_TCP, TCP_NODELAY }, { IPPROTO_TCP, TCP_KEEPIDLE },
		{ IPPROTO_IP, IP_TTL },	      { SOL_SOCKET, 9999 },
	};
	struct timeval tv = { 1, 500000 }, got = { 0 };
	int l = SIDE(listening)(), v, one = 1;
	socklen_t len;

	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		v = -1;
		len = sizeof(v);
		say("%s", told(getsockopt(l, asked[i].level, asked[i].name, &v, &len)));
		say(" %d %u\n", v, (unsigned)len);
	}
	say("%s\n", told(setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv))));
	len = sizeof(got);
	say("%s", told(getsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &got, &len)));
	say(" %ld %ld %u\n", (long)got.tv_sec, (long)got.tv_usec, (unsigned)len);
	tv.tv_usec = 1000000;
	say("%s\n", told(setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv))));
	say("%s\n", told(setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &one, sizeof(one))));
	say("%s\n", told(setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, 2)));
	say("%s\n", told(setsockopt(l, SOL_SOCKET, SO_BINDTODEVICE, "nothing", 7)));
	say("%s\n", told(setsockopt(l, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one))));
}

static void SIDE(brings_controls)(void)
{
	int a = SIDE(bound)(SOCK_DGRAM), b = SIDE(bound)(SOCK_DGRAM), one = 1, ttl = 9;
	struct sockaddr_in to = SIDE(at_loopback)(SIDE(port)(b));
	char bytes[4], room[CMSG_SPACE(sizeof(int))];
	_Alignas(struct cmsghdr) char controls[256];
	struct iovec iov = { bytes, 4 };
	struct msghdr m = { &to, sizeof(to), &iov, 1, room, sizeof(room), 0 };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	setsockopt(b, IPPROTO_IP, IP_RECVTTL, &one, sizeof(one));
	setsockopt(b, IPPROTO_IP, IP_RECVTOS, &one, sizeof(one));
	*c = (struct cmsghdr){ CMSG_LEN(sizeof(int)), IPPROTO_IP, IP_TTL };
	memcpy(CMSG_DATA(c), &ttl, sizeof(ttl));
	say("%s\n", told(sendmsg(a, &m, 0)));
	m.msg_control = controls;
	m.msg_controllen = sizeof(controls);
	say("%s\n", told(recvmsg(b, &m, 0)));
	for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		say("%d %d %u %d\n", c->cmsg_level, c->cmsg_type, (unsigned)c->cmsg_len,
		    CMSG_DATA(c)[0]);
}
