/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * draws.c - calls drawn from a seed, on six sockets and three ports: what nobody would think of.
 *
 * Sides to which the calls give the same draw the same. Nothing blocks, and after each call there is
 * time for what follows from it. What is known to differ (doc/LIMITATIONS.md) is not drawn.
 */
#include "draws.h"
#include "twin.h"

enum { N_SLOTS = 6, N_PORTS = 3, N_CALLS = 60, FIRST_PORT = 23450, REST_US = 3000 };

struct slot {
	int fd; /* below 0: empty */
	bool stream;
	bool mapped; /* says ::ffff:127.0.0.1 for the loopback */
};

static struct slot slots[N_SLOTS];
static uint64_t state;

/* A linear congruence (Knuth's MMIX), its upper half. */
static unsigned draw(unsigned n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % n;
}

/* Of what the system chose only that it is there. */
static const char *port_name(uint16_t port)
{
	static const char *const names[] = { "A", "B", "C" };

	if (port == 0)
		return "none";
	return port >= FIRST_PORT && port < FIRST_PORT + N_PORTS ? names[port - FIRST_PORT] :
								   "some";
}

static uint16_t any_port(void)
{
	return (uint16_t)(FIRST_PORT + draw(N_PORTS));
}

static struct name loopback_for(const struct slot *s, uint16_t port)
{
	return s->mapped ? mapped_loopback_at(port) : loopback_at(port);
}

static void say_name(int result, const struct name *n)
{
	if (result < 0)
		say("%s", told(result));
	else
		say("%s", port_name(port_in(n)));
}

static bool listens_now(const struct slot *s)
{
	return s->fd >= 0 && s->stream && get_int(s->fd, SOL_SOCKET, SO_ACCEPTCONN) == 1;
}

/* From a drawn one on; NULL: none. */
static struct slot *find(bool (*is_so)(const struct slot *))
{
	unsigned first = draw(N_SLOTS);

	for (unsigned i = 0; i < N_SLOTS; i++)
		if (is_so(&slots[(first + i) % N_SLOTS]))
			return &slots[(first + i) % N_SLOTS];
	return NULL;
}

static bool is_empty(const struct slot *s)
{
	return s->fd < 0;
}

/* ---- the calls: each says what it does and what came of it ---- */

static void makes(struct slot *s)
{
	bool stream = draw(3) != 0, pair = draw(3) == 0;
	struct slot *other;
	int fd[2];

	if (!pair) {
		s->fd = socket(family, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK, 0);
		s->stream = stream;
		s->mapped = family == AF_INET6 && draw(4) == 0;
		say("%s socket", stream ? "stream" : "datagram");
		return;
	}
	s->fd = 0;
	other = find(is_empty);
	s->fd = -1;
	if (!other)
		return;
	if (stream)
		connection(fd);
	else
		friends(fd);
	set_nonblocking(fd[0]);
	set_nonblocking(fd[1]);
	*s = (struct slot){ fd[0], stream, false };
	*other = (struct slot){ fd[1], stream, false };
	say("%s pair with %d", stream ? "stream" : "datagram", (int)(other - slots));
}

static void binds(struct slot *s)
{
	uint16_t port = draw(4) ? any_port() : 0;
	struct name n = draw(4) ? loopback_for(s, port) : any_at(port);

	say("bind %s: %s", port_name(port), told(bind(s->fd, &n.sa, n.len)));
}

static void listens(struct slot *s)
{
	int backlog = (int)draw(4);

	say("listen %d: %s", backlog, told(listen(s->fd, backlog)));
}

static void connects(struct slot *s)
{
	struct slot *to = draw(2) ? find(listens_now) : NULL;
	uint16_t port = to ? port_of(to->fd) : any_port();
	struct name n = loopback_for(s, port);

	say("connect %s: %s", port_name(port), told(connect(s->fd, &n.sa, n.len)));
}

static void leaves_its_peer(struct slot *s)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	if (!s->stream)
		say("dissolve: %s", told(connect(s->fd, &none, sizeof(none))));
}

static void accepts(struct slot *s)
{
	struct name n = { .len = sizeof(n.all) };
	struct slot *from = find(listens_now), *to = find(is_empty);
	int fd;

	if (!to)
		return;
	fd = accept4((from ? from : s)->fd, &n.sa, &n.len, SOCK_NONBLOCK);
	say("accept: %s", fd < 0 ? told(fd) : port_name(port_in(&n)));
	if (fd >= 0)
		*to = (struct slot){ fd, true, false };
}

static void sends(struct slot *s)
{
	static const char text[400];
	size_t len = draw(4) ? draw(sizeof(text)) : 0;
	int flag = draw(5) ? 0 : MSG_OOB;

	say("send %zu %#x: %s", len, flag, told(send(s->fd, text, len, flag | MSG_NOSIGNAL)));
}

static void sends_to(struct slot *s)
{
	uint16_t port = any_port();
	struct name n = loopback_for(s, port);

	if (!s->stream)
		say("send to %s: %s", port_name(port),
		    told(sendto(s->fd, "text", 4, 0, &n.sa, n.len)));
}

static bool is_connected(const struct slot *s)
{
	struct name n = { .len = sizeof(n.all) };

	return getpeername(s->fd, &n.sa, &n.len) == 0;
}

static void receives(struct slot *s)
{
	struct name n = { .len = sizeof(n.all) };
	static const int some[] = { 0, 0, 0, 0, MSG_PEEK, MSG_PEEK, MSG_TRUNC, MSG_OOB };
	int flags = some[draw(s->stream && is_connected(s) ? 8 : 7)];
	size_t len = draw(500);
	char text[500];
	ssize_t result;

	n.in.sin_port = 0;
	result = recvfrom(s->fd, text, len, flags, &n.sa, &n.len);
	say("receive %zu %#x: %s", len, flags, told(result));
	if (result >= 0 && !s->stream)
		say(" from %s", port_name(port_in(&n)));
}

static void shuts(struct slot *s)
{
	int how = (int)draw(3);

	if (s->stream && (is_connected(s) || listens_now(s)))
		say("shutdown %d: %s", how, told(shutdown(s->fd, how)));
}

static void closes(struct slot *s)
{
	if (draw(2))
		return;
	close(s->fd);
	s->fd = -1;
	say("close");
}

static void resets(struct slot *s)
{
	if (draw(2) || !s->stream)
		return;
	reset(s->fd);
	s->fd = -1;
	say("close with a reset");
}

static void polls(struct slot *s)
{
	int events = POLLIN | POLLOUT | POLLRDHUP | POLLPRI;

	say("poll: %#x", (unsigned)polled_now(s->fd, events));
}

static void says_its_name(struct slot *s)
{
	struct name n = { .len = sizeof(n.all) };
	int result = getsockname(s->fd, &n.sa, &n.len);

	say("name: ");
	say_name(result, &n);
}

static void says_its_peer(struct slot *s)
{
	struct name n = { .len = sizeof(n.all) };
	int result = getpeername(s->fd, &n.sa, &n.len);

	say("peer: ");
	say_name(result, &n);
}

static void says_its_error(struct slot *s)
{
	int e = so_error(s->fd);

	say("error: %s", e ? strerror(e) : "none");
}

static void says_its_state(struct slot *s)
{
	struct tcp_info i = { 0 };
	socklen_t len = sizeof(i);

	if (!s->stream)
		return;
	getsockopt(s->fd, IPPROTO_TCP, TCP_INFO, &i, &len);
	if (i.tcpi_state == TCP_TIME_WAIT) /* which is another socket's on Linux */
		i.tcpi_state = TCP_CLOSE;
	if (i.tcpi_state == TCP_FIN_WAIT1) /* the ACK may be delayed */
		i.tcpi_state = TCP_FIN_WAIT2;
	say("listens: %d, ", listens_now(s));
	say("state: %d", i.tcpi_state);
}

static void counts(struct slot *s)
{
	int n = -1, result = ioctl(s->fd, FIONREAD, &n);

	say("unread: %s", result < 0 ? told(result) : told(n));
}

static void chooses(struct slot *s)
{
	static const struct {
		int level, name;
	} options[] = { { SOL_SOCKET, SO_REUSEADDR }, { SOL_SOCKET, SO_REUSEPORT },
			{ SOL_SOCKET, SO_KEEPALIVE }, { SOL_SOCKET, SO_OOBINLINE },
			{ SOL_SOCKET, SO_RCVLOWAT },  { IPPROTO_TCP, TCP_NODELAY },
			{ IPPROTO_IPV6, IPV6_V6ONLY } };
	unsigned i = draw(N_OF(options));
	int value = (int)draw(2) * (options[i].name == SO_RCVLOWAT ? 100 : 1), got = -1;
	socklen_t len = sizeof(got);

	say("option %u = %d: %s, ", i, value,
	    told(setsockopt(s->fd, options[i].level, options[i].name, &value, sizeof(int))));
	say("%s ", told(getsockopt(s->fd, options[i].level, options[i].name, &got, &len)));
	say("%d", got);
}

/* As often as they are named. */
static void (*const calls[])(struct slot *) = {
	binds,	       binds,	       listens,	       listens,	 connects, connects,
	connects,      accepts,	       accepts,	       accepts,	 sends,	   sends,
	sends,	       sends_to,       receives,       receives, receives, shuts,
	shuts,	       closes,	       resets,	       polls,	 polls,	   says_its_name,
	says_its_peer, says_its_error, says_its_state, counts,	 chooses,  leaves_its_peer,
};

void draw_calls(uint64_t seed)
{
	state = seed * 0x9e3779b97f4a7c15u;
	for (unsigned i = 0; i < N_SLOTS; i++)
		slots[i].fd = -1;
	for (unsigned i = 0; i < N_CALLS; i++) {
		unsigned at = draw(N_SLOTS), what = draw(N_OF(calls));

		say("%u: %u ", i, at);
		if (slots[at].fd < 0)
			makes(&slots[at]);
		else
			calls[what](&slots[at]);
		say("\n");
		usleep(REST_US);
	}
}
