/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenarios.c - what the two hosts of a lab do: one small script for each lesson.
 *
 * A script only makes socket calls, and a few lose one frame of the wire. The client is host a,
 * the server host b.
 */
#include "lab.h"

#include <stdio.h>
#include <string.h>

#include "../core/wire/wire.h"

static const char get_request[] = "GET / HTTP/1.1\r\nHost: b.example\r\n\r\n";

static void start_plain(struct lab *lab)
{
	struct tern_addr to = lab->server.addr;

	to.port = LAB_PORT;
	side_listen(&lab->server, LAB_PORT);
	side_connect(&lab->client, 0, &to);
}

static const char *all_arrived(const struct lab *lab)
{
	if (lab->client.wrong || lab->server.wrong)
		return "a byte arrived that was not sent";
	if (lab->client.received != lab->client.expected ||
	    lab->server.received != lab->server.expected)
		return "not every byte arrived";
	return NULL;
}

static const char *closed_in_order(const struct lab *lab)
{
	if (lab->client.error)
		return tern_errno_name(lab->client.error);
	if (lab->server.error)
		return tern_errno_name(lab->server.error);
	if (!lab->client.closed || !lab->server.closed)
		return "the connection did not close";
	return all_arrived(lab);
}

/* ---- what the wire loses ---- */

static bool tcp_of(const uint8_t *frame, uint32_t len, struct tcp_hdr *h)
{
	uint32_t off = ETH_HDR_LEN + IP4_HDR_LEN;

	if (len < ETH_HDR_LEN + 1)
		return false;
	if (frame[ETH_HDR_LEN] >> 4 == 6)
		off = ETH_HDR_LEN + IP6_HDR_LEN;
	else if (frame[12] != 8 || frame[13] != 0)
		return false;
	return len > off && frame[off == 34 ? 23 : 20] == TERN_IPPROTO_TCP &&
	       tcp_parse(h, frame + off, len - off);
}

static enum tern_sim_verdict lose_first(struct lab *lab, bool wanted)
{
	return wanted && lab->n_filtered++ == 0 ? TERN_SIM_LOSE : TERN_SIM_PASS;
}

static enum tern_sim_verdict lose_first_syn(struct lab *lab, int from, const uint8_t *frame,
					    uint32_t len)
{
	struct tcp_hdr h;

	return lose_first(lab, from == 0 && tcp_of(frame, len, &h) && (h.flags & TCP_SYN));
}

static enum tern_sim_verdict lose_first_fin(struct lab *lab, int from, const uint8_t *frame,
					    uint32_t len)
{
	struct tcp_hdr h;

	return lose_first(lab, from == 0 && tcp_of(frame, len, &h) && (h.flags & TCP_FIN));
}

/* The client's answer to the server's FIN: the last ACK. */
static enum tern_sim_verdict lose_last_ack(struct lab *lab, int from, const uint8_t *frame,
					   uint32_t len)
{
	struct tcp_hdr h;

	if (!tcp_of(frame, len, &h))
		return TERN_SIM_PASS;
	if (from == 1 && (h.flags & TCP_FIN)) {
		lab->step = 2; /* the server's FIN is on its way */
		return TERN_SIM_PASS;
	}
	return lose_first(lab, from == 0 && lab->step == 2 && h.flags == TCP_ACK);
}

/* ---- handshake ---- */

static const char *is_open(const struct lab *lab)
{
	if (lab->client.error)
		return tern_errno_name(lab->client.error);
	return lab->client.connected && lab->server.connected ? NULL : "it did not open";
}

/* ---- http and its relatives: the client asks, the server answers, the client closes ---- */

static void client_closes(struct lab *lab)
{
	side_close(&lab->client);
}

static void server_closes(struct lab *lab)
{
	side_close(&lab->server);
}

static void start_http(struct lab *lab)
{
	start_plain(lab);
	side_send(&lab->client, get_request, sizeof(get_request) - 1);
	snprintf(lab->header, sizeof(lab->header),
		 "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %llu\r\n\r\n",
		 (unsigned long long)lab->bytes);
}

static void progress_http(struct lab *lab, struct side *s)
{
	if (s == &lab->server && side_got_all(s) && s->to_send == 0)
		side_send(s, lab->header, strlen(lab->header) + lab->bytes);
	if (s == &lab->client && side_got_all(s))
		side_close(s);
	/* A server that thinks for a moment: its FIN is a segment of its own. */
	if (s == &lab->server && s->eof && !lab->step++)
		lab_after(lab, 20 * TERN_MS, server_closes);
}

/* The client closes after it has acknowledged the answer, so that only its FIN is repeated. */
static void progress_patient_http(struct lab *lab, struct side *s)
{
	if (s == &lab->client && side_got_all(s) && !s->closed) {
		lab_after(lab, 100 * TERN_MS, client_closes);
		return;
	}
	progress_http(lab, s);
}

/* The same, when step is used to watch the wire: the server closes at once. */
static void progress_prompt_http(struct lab *lab, struct side *s)
{
	if (s == &lab->server && s->eof)
		side_close(s);
	if (s == &lab->server && side_got_all(s) && s->to_send == 0)
		side_send(s, lab->header, strlen(lab->header) + lab->bytes);
	if (s == &lab->client && side_got_all(s))
		side_close(s);
}

/* ---- half-close ---- */

static void start_half_close(struct lab *lab)
{
	start_plain(lab);
	side_send(&lab->client, "sort these lines\n", 17);
}

static void server_answers(struct lab *lab)
{
	side_send(&lab->server, NULL, lab->bytes);
	side_close(&lab->server);
}

static void progress_half_close(struct lab *lab, struct side *s)
{
	if (s == &lab->client && s->connected && !s->error && lab->step == 0) {
		lab->step = 1;
		side_shut(s); /* no more from us; we still read */
	}
	if (s == &lab->server && s->eof && lab->step == 1) {
		lab->step = 2;
		lab_after(lab, 50 * TERN_MS, server_answers);
	}
	if (s == &lab->client && s->eof)
		side_close(s);
}

/* ---- both at once ---- */

static void start_simultaneous_open(struct lab *lab)
{
	struct tern_addr a = lab->client.addr, b = lab->server.addr;

	a.port = 1000;
	b.port = 2000;
	side_connect(&lab->client, 1000, &b);
	side_connect(&lab->server, 2000, &a);
}

static void both_close(struct lab *lab)
{
	side_close(&lab->client);
	side_close(&lab->server);
}

static void progress_simultaneous_open(struct lab *lab, struct side *s)
{
	if (s->eof && s == &lab->server)
		side_close(s);
	if (s == &lab->client && lab->client.connected && !lab->client.error && !lab->step++)
		lab_after(lab, 100 * TERN_MS, client_closes);
}

static void progress_simultaneous_close(struct lab *lab, struct side *s)
{
	if (s == &lab->server && s->connected && !lab->step++)
		lab_after(lab, 100 * TERN_MS, both_close);
}

/* ---- reset and refused ---- */

static void client_aborts(struct lab *lab)
{
	side_abort(&lab->client);
}

static void start_reset(struct lab *lab)
{
	start_plain(lab);
	side_send(&lab->client, "never mind", 10);
}

static void progress_reset(struct lab *lab, struct side *s)
{
	if (s == &lab->server && side_got_all(s) && !lab->step++)
		lab_after(lab, 100 * TERN_MS, client_aborts);
}

static const char *is_reset(const struct lab *lab)
{
	if (lab->server.error != TERN_ECONNRESET)
		return "the server was not told ECONNRESET";
	return NULL;
}

static void start_refused(struct lab *lab)
{
	struct tern_addr to = lab->server.addr;

	to.port = LAB_PORT + 1;
	side_connect(&lab->client, 0, &to);
}

static const char *is_refused(const struct lab *lab)
{
	return lab->client.error == TERN_ECONNREFUSED ? NULL : "the client was not refused";
}

/* ---- zero window ---- */

static void server_reads(struct lab *lab)
{
	side_resume(&lab->server);
}

static void start_zero_window(struct lab *lab)
{
	start_plain(lab);
	/* Small buffers, so that few segments fill them; doubled as on Linux. */
	side_set(&lab->server, TERN_SOL_SOCKET, TERN_SO_RCVBUF, 4000);
	lab->server.paused = true;
	side_send(&lab->client, NULL, lab->bytes);
	lab_after(lab, 3 * TERN_SEC, server_reads);
}

static void progress_zero_window(struct lab *lab, struct side *s)
{
	if (s == &lab->client && s->connected && s->sent == s->to_send)
		side_close(s);
	if (s == &lab->server && s->eof)
		side_close(s);
}

/* ---- keepalive ---- */

static void peer_vanishes(struct lab *lab)
{
	lab->step = 1;
}

static enum tern_sim_verdict lose_after_vanishing(struct lab *lab, int from, const uint8_t *frame,
						  uint32_t len)
{
	struct tcp_hdr h;

	(void)from;
	return lab->step == 1 && tcp_of(frame, len, &h) ? TERN_SIM_LOSE : TERN_SIM_PASS;
}

static void start_keepalive(struct lab *lab)
{
	start_plain(lab);
	side_set(&lab->client, TERN_SOL_SOCKET, TERN_SO_KEEPALIVE, 1);
	side_set(&lab->client, TERN_IPPROTO_TCP, TERN_TCP_KEEPIDLE, 10);
	side_set(&lab->client, TERN_IPPROTO_TCP, TERN_TCP_KEEPINTVL, 5);
	side_set(&lab->client, TERN_IPPROTO_TCP, TERN_TCP_KEEPCNT, 3);
	lab_after(lab, 25 * TERN_SEC, peer_vanishes); /* two probes are answered, then none */
}

static const char *is_timed_out(const struct lab *lab)
{
	if (!lab->client.connected || !lab->server.connected)
		return "it did not open";
	if (lab->client.error != TERN_ETIMEDOUT && lab->client.error != TERN_EHOSTUNREACH)
		return "the client did not notice that its peer is gone";
	return NULL;
}

/* ---- urgent ---- */

static void start_urgent(struct lab *lab)
{
	start_plain(lab);
	side_send(&lab->client, "stop", 4);
}

static void progress_urgent(struct lab *lab, struct side *s)
{
	if (s == &lab->client && s->connected && !lab->step++) {
		/* one byte out of band: the receiver fetches it by MSG_OOB */
		if (tern_send(s->st, s->sock, "!", 1, TERN_MSG_OOB) != 1)
			lab->failure = "the urgent byte was not taken";
		side_close(s);
	}
	if (s == &lab->server && s->eof)
		side_close(s);
}

static const char *got_urgent(const struct lab *lab)
{
	if (lab->server.urgent_byte != '!')
		return "the urgent byte did not arrive";
	return closed_in_order(lab);
}

/* ---- self-connect ---- */

static void start_self_connect(struct lab *lab)
{
	struct tern_addr self = lab->client.addr;

	memset(self.ip, 0, sizeof(self.ip));
	if (self.family == TERN_AF_INET) {
		self.ip[0] = 127;
		self.ip[3] = 1;
	} else {
		self.ip[15] = 1;
	}
	self.port = 4000;
	lab->to_itself = true;
	lab->client.addr = self;
	side_connect(&lab->client, 4000, &self);
}

static void progress_self_connect(struct lab *lab, struct side *s)
{
	if (!s->connected || s->closed)
		return;
	if (!lab->step++)
		side_send(s, "me", 2);
	if (side_got_all(s))
		side_close(s);
}

static const char *talked_to_itself(const struct lab *lab)
{
	if (lab->client.error)
		return tern_errno_name(lab->client.error);
	return lab->client.closed ? NULL : "its own bytes did not come back";
}

/* ---- the list ---- */

static const struct scenario scenarios[] = {
	{ "http", "a GET, its answer, and a close in four segments (the default)", 1000, start_http,
	  progress_http, NULL, closed_in_order },
	{ "handshake", "the three-way handshake, and nothing else", 0, start_plain, NULL, NULL,
	  is_open },
	{ "half-close", "the client has said all and still listens", 3000, start_half_close,
	  progress_half_close, NULL, closed_in_order },
	{ "simultaneous-open", "both connect at the same time", 0, start_simultaneous_open,
	  progress_simultaneous_open, NULL, closed_in_order },
	{ "simultaneous-close", "both close at the same time", 0, start_plain,
	  progress_simultaneous_close, NULL, closed_in_order },
	{ "reset", "the client aborts", 0, start_reset, progress_reset, NULL, is_reset },
	{ "refused", "nobody listens on the port", 0, start_refused, NULL, NULL, is_refused },
	{ "lost-syn", "the first SYN is lost", 1000, start_http, progress_http, lose_first_syn,
	  closed_in_order },
	{ "lost-fin", "the first FIN is lost", 1000, start_http, progress_patient_http,
	  lose_first_fin, closed_in_order },
	{ "zero-window", "the server does not read for three seconds", 30000, start_zero_window,
	  progress_zero_window, NULL, closed_in_order },
	{ "time-wait", "the last ACK is lost: TIME-WAIT answers the FIN again", 100, start_http,
	  progress_prompt_http, lose_last_ack, closed_in_order },
	{ "keepalive", "an idle connection is probed until the peer is gone", 0, start_keepalive,
	  NULL, lose_after_vanishing, is_timed_out },
	{ "urgent", "one byte out of band", 0, start_urgent, progress_urgent, NULL, got_urgent },
	{ "self-connect", "a socket connects to itself", 0, start_self_connect,
	  progress_self_connect, NULL, talked_to_itself },
};

const struct scenario *scenario_at(unsigned i)
{
	return i < sizeof(scenarios) / sizeof(scenarios[0]) ? &scenarios[i] : NULL;
}

const struct scenario *scenario_find(const char *name)
{
	const struct scenario *s;

	for (unsigned i = 0; (s = scenario_at(i)); i++)
		if (strcmp(s->name, name) == 0)
			return s;
	return NULL;
}
