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
	expect("0 epoll_create(1) = 3\n", DRILL_UNSUPPORTED,
	       "t.pkt:1: not supported: epoll_create\n");
	expect(ESTABLISHED "+0 setsockopt(4, SOL_TCP, TCP_FASTOPEN, [1], 4) = 0\n",
	       DRILL_UNSUPPORTED, "t.pkt:9: not supported: TCP_FASTOPEN\n");
	expect(ESTABLISHED "+0 %{ print(tcpi_state) }%\n", DRILL_UNSUPPORTED,
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
	expect("* < S 0:0(0) win 5\n", DRILL_BROKEN,
	       "t.pkt:2:1: only an expected packet may come at any of several times\n");
}

static const struct test tests[] = {
	TEST(shows_what_differs),
	TEST(shows_when),
	TEST(shows_results),
	TEST(tells_what_it_left_out),
	TEST(counts_apart_what_it_has_not),
	TEST(names_what_it_expected),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
