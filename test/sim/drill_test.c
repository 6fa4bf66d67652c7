/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drill_test.c - what tern drill says of scripts that do not pass: outcome and text.
 */
#include <stdlib.h>

#include "../../sim/drill/drill.h"
#include "test.h"

enum { TEXT_MAX = 4000 };

static unsigned n_skipped; /* of the script run last */

/* Runs a script; what it printed, on either stream, is left in said. */
static enum drill_outcome drill(const char *script, char said[TEXT_MAX])
{
	FILE *f = tmpfile();
	struct drill_options o = { .out = f, .err = f, .n_skipped = &n_skipped };
	enum drill_outcome outcome;
	size_t n;

	said[0] = 0;
	n_skipped = 0;
	if (!f) {
		test_skip("no temporary file");
		return DRILL_BROKEN;
	}
	outcome = drill_text("t.pkt", script, strlen(script), &o);
	rewind(f);
	n = fread(said, 1, TEXT_MAX - 1, f);
	said[n] = 0;
	fclose(f);
	return outcome;
}

static void expect(const char *script, enum drill_outcome outcome, const char *text)
{
	char said[TEXT_MAX];

	test_at("%.60s", script);
	check_eq(drill(script, said), outcome);
	check_str(said, text);
}

#define OPEN                                                                                       \
	"--tern=tcp_timestamps=0\n"                                                                \
	"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"                                            \
	"+0 bind(3, ..., ...) = 0\n"                                                               \
	"+0 listen(3, 1) = 0\n"                                                                    \
	"+0 < S 0:0(0) win 1000 <mss 1000>\n"

#define ESTABLISHED                                                                                \
	OPEN "+0 > S. 0:0(0) ack 1 <mss 1460>\n"                                                   \
	     "+0 < . 1:1(0) ack 1 win 1000\n"                                                      \
	     "+0 accept(3, ..., ...) = 4\n"

static void shows_what_differs(void)
{
	expect(ESTABLISHED "+0 close(4) = 0\n+0 > FP. 1:1(0) ack 1\n", DRILL_FAILED,
	       "t.pkt:10: flags differ\n"
	       "  expected  > FP. 1:1(0) ack 1\n"
	       "  actual    > F.  1:1(0) ack 1\n");
	expect(OPEN "+0 > S. 5:5(0) ack 10 <mss 1460,nop,wscale 7>\n", DRILL_FAILED,
	       "t.pkt:6: acknowledgment number differs\n"
	       "  expected  > S. 5:5(0) ack 10 <mss 1460,nop,wscale 7>\n"
	       "  actual    > S. 5:5(0) ack 1  <mss 1460>\n");
	expect(OPEN "+0 > udp (5)\n", DRILL_FAILED,
	       "t.pkt:6: another kind of packet came\n"
	       "  expected  > udp (5)\n"
	       "  actual    > S.  0:0(0) ack 1 <mss 1460>\n");
	expect(OPEN "+0 > 8080>7 S. 0:0(0) ack 1 <...>\n", DRILL_FAILED,
	       "t.pkt:6: the packet is of another connection\n"
	       "  expected  > 8080 > 7     S. 0:0(0) ack 1 <...>\n"
	       "  actual    > 8080 > 40001 S. 0:0(0) ack 1 <...>\n");
}

static void shows_when(void)
{
	expect(OPEN "+.1 > S. 0:0(0) ack 1 <...>\n", DRILL_FAILED,
	       "t.pkt:6: the packet comes too early\n"
	       "  expected  0.100000  > S. 0:0(0) ack 1 <...>\n"
	       "  actual    0.000000  > S. 0:0(0) ack 1 <...>\n");
	expect(OPEN "+0 > S. 0:0(0) ack 1 <...>\n+.5~+.6 > S. 0:0(0) ack 1 <...>\n", DRILL_FAILED,
	       "t.pkt:7: the packet comes too late\n"
	       "  expected  0.500000~0.600000  > S. 0:0(0) ack 1 <...>\n"
	       "  actual    1.000000           > S. 0:0(0) ack 1 <...>\n");
	expect(ESTABLISHED "+0 > . 1:1(0) ack 1\n", DRILL_FAILED,
	       "t.pkt:9: no packet comes\n"
	       "  expected  > . 1:1(0) ack 1\n"
	       "  actual    nothing\n");
}

static void shows_results(void)
{
	expect(ESTABLISHED "+0 read(4, ..., 10) = 5\n", DRILL_FAILED,
	       "t.pkt:9: result differs\n"
	       "  expected  read(4, ..., 10) = 5\n"
	       "  actual    read(4, ..., 10) = -1 EAGAIN\n");
	expect(ESTABLISHED "+0...0.1 read(4, ..., 10) = 5\n+.2 < P. 1:6(5) ack 1 win 1000\n",
	       DRILL_FAILED,
	       "t.pkt:9: read(4, ..., 10) returns at another time\n"
	       "  expected  0.100000\n"
	       "  actual    0.200000\n");
	expect(ESTABLISHED "+0...0.1 read(4, ..., 10) = 5\n", DRILL_FAILED,
	       "t.pkt:9: read(4, ..., 10) does not return\n");
	expect(ESTABLISHED "+0 %{ assert tcpi_state == TCP_CLOSE, 'x' }%\n", DRILL_FAILED,
	       "t.pkt:9: the assertion on tcpi_state does not hold\n"
	       "  expected  7\n"
	       "  actual    1\n");
	expect(ESTABLISHED "+0 ioctl(4, SIOCOUTQ, [3]) = 0\n", DRILL_FAILED,
	       "t.pkt:9: the number of ioctl(4, SIOCOUTQ, [3]) differs\n"
	       "  expected  3\n"
	       "  actual    0\n");
}

/* What was left out shows where it may be the reason, and is counted in any case. */
static void tells_what_it_left_out(void)
{
	expect("`iptables -F`\n" ESTABLISHED, DRILL_PASSED, "");
	check_eq(n_skipped, 1);
	expect("--wire_client\n`iptables -F; sysctl -q net.ipv4.tcp_mem=3 && true`\n" ESTABLISHED
	       "+0 %{ assert tcpi_state == TCP_CLOSE }%\n",
	       DRILL_FAILED,
	       "t.pkt:1: skipped: --wire_client\n"
	       "t.pkt:2: skipped: iptables -F\n"
	       "t.pkt:2: skipped: net.ipv4.tcp_mem=3: tern has no such setting\n"
	       "t.pkt:2: skipped: true\n"
	       "t.pkt:11: the assertion on tcpi_state does not hold\n"
	       "  expected  7\n"
	       "  actual    1\n");
	check_eq(n_skipped, 4);
}

static void counts_apart_what_it_has_not(void)
{
	expect("0 splice(1) = 3\n", DRILL_UNSUPPORTED, "t.pkt:1: not supported: splice\n");
	expect("0 select(1) = 3\n", DRILL_UNSUPPORTED, "t.pkt:1: not supported: select\n");
	expect("0 sendmmsg(1) = 3\n", DRILL_UNSUPPORTED, "t.pkt:1: not supported: sendmmsg\n");
	expect("0 sctp_peeloff(1) = 3\n", DRILL_UNSUPPORTED,
	       "t.pkt:1: not supported: sctp_peeloff\n");
	expect(ESTABLISHED "+0 setsockopt(4, SOL_TCP, TCP_REPAIR, [1], 4) = 0\n", DRILL_UNSUPPORTED,
	       "t.pkt:9: not supported: socket option TCP_REPAIR\n");
	expect(ESTABLISHED "+0 setsockopt(4, SOL_TCP, TCP_NONE, [1], 4) = 0\n", DRILL_UNSUPPORTED,
	       "t.pkt:9: not supported: TCP_NONE\n");
	expect(ESTABLISHED "+0 %{ assert tcpi_none == 1 }%\n", DRILL_UNSUPPORTED,
	       "t.pkt:9: not supported: tcpi_none in an assertion\n");
	expect(ESTABLISHED "+0 read(4, ..., 1) = -1 EDEADLK\n", DRILL_UNSUPPORTED,
	       "t.pkt:9: not supported: EDEADLK\n");
	expect(ESTABLISHED "+0 < sctp: ABORT[]\n", DRILL_UNSUPPORTED,
	       "t.pkt:9: not supported: this protocol\n");
	expect("0 < S 0:0(0) win 1 <mss 1000,mpcapable v1 nokey>\n", DRILL_UNSUPPORTED,
	       "t.pkt:1: not supported: this TCP option\n");
	expect(ESTABLISHED "+0 %{ import os }%\n", DRILL_UNSUPPORTED,
	       "t.pkt:9: not supported: Python beyond assertions on tcp_info\n");
	expect("--mpls\n" ESTABLISHED, DRILL_UNSUPPORTED, "t.pkt:1: not supported: --mpls\n");
}

static void names_what_it_expected(void)
{
	expect("", DRILL_BROKEN, "t.pkt:1:1: expected an event, found the end\n");
	expect("0 <\n", DRILL_BROKEN,
	       "t.pkt:2:1: expected a packet (flags of SFRPUEWA and .), found the end\n");
	expect("0 < S 0:1(0) win 5\n", DRILL_BROKEN,
	       "t.pkt:1:12: sequence numbers and length do not agree\n");
	expect("0 < S 0:0(0)\n", DRILL_BROKEN,
	       "t.pkt:2:1: expected 'win': an injected segment has a window, found the end\n");
	expect("0 > S 0:0(0) <mss 1460,nop>\n", DRILL_BROKEN,
	       "t.pkt:1:27: TCP options must fill words of 4 bytes: add nop\n");
	expect("/* never", DRILL_BROKEN,
	       "t.pkt:1:1: expected a time in seconds, found a comment that never ends\n");
	expect("0 close(3 = 0\n", DRILL_BROKEN, "t.pkt:1:11: expected ',', found '='\n");
	expect("0 close(...) = 0\n", DRILL_BROKEN,
	       "t.pkt:1:3: close: argument 1 must be a number\n");
	expect("0 lissten(3, 1) = 0\n", DRILL_BROKEN, "t.pkt:1:3: there is no call 'lissten'\n");
	expect("0 ...0.1 accept5(3) = 4\n", DRILL_BROKEN,
	       "t.pkt:1:10: there is no call 'accept5'\n");
	expect("* < S 0:0(0) win 5\n", DRILL_BROKEN,
	       "t.pkt:2:1: only an expected packet may come at any of several times\n");
}

/* ---- bytes that are injected ---- */

struct injected {
	uint8_t frame[100];
	size_t len;
};

static void keep_injected(void *ctx, const struct drill_note *n)
{
	struct injected *i = ctx;

	if (n->what != DRILL_INJECTED || n->len > sizeof(i->frame))
		return;
	memcpy(i->frame, n->frame, n->len);
	i->len = n->len;
}

/* The segment of a script's line, from the flags on: 02 for SYN, then the options. */
static void injects(const char *line, const char *hex)
{
	struct injected i = { .len = 0 };
	FILE *f = tmpfile();
	struct drill_options o = { .out = f, .err = f, .watch = keep_injected, .ctx = &i };
	char text[300], got[201] = "";

	if (!f) {
		test_skip("no temporary file");
		return;
	}
	test_at("%s", line);
	snprintf(text, sizeof(text), "0 < %s\n", line);
	check_eq(drill_text("t.pkt", text, strlen(text), &o), DRILL_PASSED);
	fclose(f);
	check(i.len >= 40);
	snprintf(got, sizeof(got), "%x%02x", i.frame[32] & 15, i.frame[33]);
	for (size_t b = 40; b < i.len; b++)
		snprintf(got + strlen(got), 3, "%02x", i.frame[b]);
	check_str(got, hex);
}

static void makes_bytes_of_flags(void)
{
	injects("- 0:0(0) win 1", "000");
	injects("FSRP. 0:0(0) win 1", "01f");
	injects("UEWA 0:0(0) win 1", "1e0");
	injects(".5 0:0(0) win 1", "150");
	injects("5. 0:0(0) win 1", "150");
	injects("P3. 0:0(0) win 1", "0d8");
	injects("S.6 0:0(0) win 1", "192");
	injects(". 0:0(0) win 1", "010");
	injects("1 > 2 0. 0:0(0) win 1", "010");
}

static void makes_bytes_of_options(void)
{
	injects("S 0:0(0) win 1 <mss 1460,nop,wscale 7>", "002020405b401030307");
	injects("S 0:0(0) win 1 <sackOK,eol,nop>", "00204020001");
	injects(". 0:0(0) win 1 <nop,nop,sack 1:2 3:4>", "01001010512"
							 "00000001000000020000000300000004");
	injects(". 0:0(0) win 1 <nop,nop,TS val 1 ecr 0>", "0100101080a0000000100000000");
	injects("S 0:0(0) win 1 <FO,nop,nop>", "00222020101");
	injects("S 0:0(0) win 1 <FO 12345678,nop,nop>", "0022206123456780101");
	injects("S 0:0(0) win 1 <FO 1234567812345678,nop,nop>", "002220a12345678123456780101");
	injects("S 0:0(0) win 1 <FOEXP a1b2,nop,nop>", "002fe06f989a1b20101");
	injects("S 0:0(0) win 1 <md5 00112233445566778899001122334455,nop,nop>",
		"0021312001122334455667788990011223344550101");
	injects(". 0:0(0) win 1 <ECN e0b 1 ceb 131072 e1b 3,nop>", "010ac0b00000102000000000301");
	injects(". 0:0(0) win 1 <ECN e1b 1 ceb 2,nop,nop,nop,nop>", "010ae0800000100000201010101");
	injects(". 0:0(0) win 1 <AccECN0 EE0B 1,nop,nop,nop>", "010ac05000001010101");
	injects(". 0:0(0) win 1 <AccECN1,nop,nop>", "010ae020101");
	injects(". 0:0(0) win 1 <exp-AccECN1 EE1B 9,nop>", "010fe07acc100000901");
	injects(". 0:0(0) win 1 <kind 253 len 5 1 2 3>", "010fd05010203000000");
	injects(". 0:0(0) win 1 <kind 3 len 99 1 2>", "01003630102");
}

static const struct test tests[] = {
	TEST(shows_what_differs),
	TEST(shows_when),
	TEST(shows_results),
	TEST(tells_what_it_left_out),
	TEST(counts_apart_what_it_has_not),
	TEST(names_what_it_expected),
	TEST(makes_bytes_of_flags),
	TEST(makes_bytes_of_options),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
