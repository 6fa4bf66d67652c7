/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_test.c - core/stack/config.c: every setting by its name: what it is at first, its range,
 * and what is refused; and the configurations that tern_new refuses.
 */
#include "test.h"

#include "../../include/tern.h"

static struct test_env counted;
static struct tern_stack *st;

static void start(void)
{
	struct tern_config cfg;
	struct tern_env env;

	counted = (struct test_env){ .fill = 0x11 };
	env = test_env_make(&counted, 1);
	tern_config_default(&cfg);
	st = tern_new(&cfg, &env);
	check(st != NULL);
}

static void finish(void)
{
	tern_free(st);
	check_eq(counted.out, 0);
}

/* In the order of tern_sysctl_name. Figures that Linux has are Linux's (tcp(7), ip(7)). */
static const struct {
	const char *name;
	uint32_t at_first, min, max;
} settings[] = {
	{ "net.core.rmem_default", 212992, 256, 1u << 29 },
	{ "net.core.rmem_max", 4u << 20, 256, 1u << 29 },
	{ "net.core.somaxconn", 4096, 0, 65535 },
	{ "net.core.wmem_default", 212992, 256, 1u << 29 },
	{ "net.core.wmem_max", 4u << 20, 256, 1u << 29 },
	{ "net.ipv4.conf.accept_redirects", 0, 0, 1 },
	{ "net.ipv4.icmp_echo_ignore_all", 0, 0, 1 },
	{ "net.ipv4.icmp_msgs_burst", 50, 0, 65535 },
	{ "net.ipv4.icmp_ratelimit", 10, 0, 3600000 },
	{ "net.ipv4.igmp_max_memberships", 20, 0, 65535 },
	{ "net.ipv4.igmp_max_msf", 64, 0, 65535 },
	{ "net.ipv4.ip_default_ttl", 64, 1, 255 },
	{ "net.ipv4.ip_forward", 0, 0, 1 },
	{ "net.ipv4.ip_local_port_max", 60999, 32768, 65535 }, /* not below the other */
	{ "net.ipv4.ip_local_port_min", 32768, 1, 60999 },
	{ "net.ipv4.ip_no_pmtu_disc", 0, 0, 3 },
	{ "net.ipv4.ip_nonlocal_bind", 0, 0, 1 },
	{ "net.ipv4.ipfrag_high_thresh", 4u << 20, 0, 1u << 30 },
	{ "net.ipv4.ipfrag_source_max", 1u << 20, 0, 1u << 30 },
	{ "net.ipv4.ipfrag_time", 60, 1, 120 },
	{ "net.ipv4.neigh.default.base_reachable_time_ms", 30000, 1, 3600000 },
	{ "net.ipv4.neigh.default.delay_first_probe_time", 5, 0, 3600 },
	{ "net.ipv4.route.max_size", 4096, 0, 1u << 24 },
	{ "net.ipv4.route.min_pmtu", 552, 68, 65535 },
	{ "net.ipv4.route.mtu_expires", 600, 0, 4000000 },
	{ "net.ipv4.tcp_abort_on_overflow", 0, 0, 1 },
	{ "net.ipv4.tcp_available_congestion_control", 0, 0, 0 }, /* only read */
	{ "net.ipv4.tcp_base_mss", 1024, 48, 65535 },
	{ "net.ipv4.tcp_challenge_ack_limit", 10, 0, 255 },
	{ "net.ipv4.tcp_congestion_control", 0, 0, 0 }, /* by hand */
	{ "net.ipv4.tcp_early_retrans", 1, 0, 1 },
	{ "net.ipv4.tcp_ecn", 5, 0, 5 },
	{ "net.ipv4.tcp_ecn_fallback", 1, 0, 1 },
	{ "net.ipv4.tcp_ecn_option", 2, 0, 3 },
	{ "net.ipv4.tcp_fastopen", 0, 0, 65535 },
	{ "net.ipv4.tcp_fin_timeout", 60, 0, 3600 },
	{ "net.ipv4.tcp_frto", 1, 0, 1 },
	{ "net.ipv4.tcp_invalid_ratelimit", 500, 0, 60000 },
	{ "net.ipv4.tcp_keepalive_intvl", 75, 1, 32767 },
	{ "net.ipv4.tcp_keepalive_probes", 9, 1, 127 },
	{ "net.ipv4.tcp_keepalive_time", 7200, 1, 32767 },
	{ "net.ipv4.tcp_max_orphans", 65536, 0, 1u << 24 },
	{ "net.ipv4.tcp_max_syn_backlog", 65536, 1, 1u << 24 },
	{ "net.ipv4.tcp_max_tw_buckets", 65536, 0, 1u << 24 },
	{ "net.ipv4.tcp_min_snd_mss", 48, 28, 65535 },
	{ "net.ipv4.tcp_moderate_rcvbuf", 1, 0, 1 },
	{ "net.ipv4.tcp_mtu_probe_floor", 48, 48, 65535 },
	{ "net.ipv4.tcp_mtu_probing", 1, 0, 2 },
	{ "net.ipv4.tcp_orphan_retries", 8, 0, 255 },
	{ "net.ipv4.tcp_probe_interval", 600, 0, 4000000 },
	{ "net.ipv4.tcp_probe_threshold", 8, 1, 65535 },
	{ "net.ipv4.tcp_retries1", 3, 1, 255 },
	{ "net.ipv4.tcp_retries2", 15, 1, 255 },
	{ "net.ipv4.tcp_rfc1337", 1, 0, 1 },
	{ "net.ipv4.tcp_rmem_default", 512u << 10, 256, 1u << 29 },
	{ "net.ipv4.tcp_rmem_max", 255u << 20, 256, 1u << 29 },
	{ "net.ipv4.tcp_rto_max_ms", 120000, 1000, 120000 },
	{ "net.ipv4.tcp_rto_min_ms", 200, 1, 1000 },
	{ "net.ipv4.tcp_sack", 1, 0, 1 },
	{ "net.ipv4.tcp_syn_retries", 7, 1, 127 },
	{ "net.ipv4.tcp_synack_retries", 3, 1, 127 },
	{ "net.ipv4.tcp_syncookies", 1, 0, 2 },
	{ "net.ipv4.tcp_time_wait_ms", 60000, 1, 3600000 },
	{ "net.ipv4.tcp_timestamps", 1, 0, 1 },
	{ "net.ipv4.tcp_tw_reuse", 2, 0, 2 },
	{ "net.ipv4.tcp_window_scaling", 1, 0, 1 },
	{ "net.ipv4.tcp_wmem_default", 512u << 10, 256, 1u << 29 },
	{ "net.ipv4.tcp_wmem_max", 255u << 20, 256, 1u << 29 },
	{ "net.ipv6.auto_flowlabels", 1, 0, 3 },
	{ "net.ipv6.conf.dad_transmits", 1, 0, 10 },
	{ "net.ipv6.conf.forwarding", 0, 0, 1 },
	{ "net.ipv6.conf.use_tempaddr", 0, 0, 2 },
	{ "net.ipv6.hop_limit", 64, 1, 255 },
	{ "net.ipv6.neigh.default.base_reachable_time_ms", 30000, 1, 3600000 },
	{ "net.ipv6.neigh.default.delay_first_probe_time", 5, 0, 3600 },
	{ "net.tern.ack_segments", 0, 0, 255 },
	{ "net.tern.delayed_ack_ms", 40, 0, 499 },
	{ "net.tern.dhcp_delay_ms", 10000, 0, 60000 },
	{ "net.tern.initial_cwnd", 10, 1, 1000 },
	{ "net.tern.pacing", 1, 0, 1 },
	{ "net.tern.prefixes_max", 16, 0, 1024 },
	{ "net.tern.quick_acks", 16, 0, 255 },
	{ "net.tern.routers_max", 16, 2, 1024 },
	{ "net.tern.servers_max", 32, 0, 1024 },
	{ "net.tern.strong_host", 0, 0, 1 },
};

static int set(const char *name, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
	return tern_sysctl_set(st, name, text);
}

static void check_value(const char *name, uint64_t want)
{
	char got[24], text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)want);
	check_eq(tern_sysctl_get(st, name, got, sizeof(got)), 0);
	check_str(got, text);
}

static void names_are_in_order(void)
{
	for (unsigned i = 0; i < N_TESTS(settings); i++) {
		check_str(tern_sysctl_name(i), settings[i].name);
		check(i == 0 || strcmp(settings[i - 1].name, settings[i].name) < 0);
	}
	check(tern_sysctl_name(N_TESTS(settings)) == NULL);
	check(tern_sysctl_name(UINT32_MAX) == NULL);
}

static void every_range(void)
{
	start();
	for (unsigned i = 0; i < N_TESTS(settings); i++) {
		const char *name = settings[i].name;
		uint32_t min = settings[i].min, max = settings[i].max, mid = min + (max - min) / 3;

		test_at("%s", name);
		if (max == 0)
			continue;
		check_value(name, settings[i].at_first);
		check_eq(set(name, mid), 0);
		check_value(name, mid);
		check_eq(set(name, (uint64_t)max + 1), -TERN_EINVAL);
		check_eq(set(name, min ? min - 1 : (uint64_t)UINT32_MAX), -TERN_EINVAL);
		check_eq(set(name, UINT32_MAX), -TERN_EINVAL);
		check_eq(set(name, (uint64_t)UINT32_MAX + 1 + mid), -TERN_EINVAL);
		check_value(name, mid);
		check_eq(set(name, min), 0);
		check_value(name, min);
		check_eq(set(name, max), 0);
		check_value(name, max);
		check_eq(set(name, settings[i].at_first), 0); /* for those that are tied to it */
	}
	for (unsigned i = 0; i < N_TESTS(settings); i++) /* nothing has changed beside it */
		if (settings[i].max)
			check_value(settings[i].name, settings[i].at_first);
	finish();
}

static void bad_values(void)
{
	static const char *const bad[] = { "",	   " ",		"-1",	"+1",
					   "0x10", "1.0",	"10 ",	" 10",
					   "1e3",  "ten",	"10\n", "99999999999999999999999",
					   "1,2",  "4294967306" };

	start();
	for (unsigned i = 0; i < N_TESTS(settings); i++) {
		for (unsigned k = 0; k < N_TESTS(bad); k++) {
			test_at("%s = \"%s\"", settings[i].name, bad[k]);
			check_eq(tern_sysctl_set(st, settings[i].name, bad[k]), -TERN_EINVAL);
		}
		if (settings[i].max)
			check_value(settings[i].name, settings[i].at_first);
	}
	check_eq(tern_sysctl_set(st, "net.ipv4.ip_default_ttl", "0064"), 0); /* as Linux */
	check_value("net.ipv4.ip_default_ttl", 64);
	finish();
}

static void bad_names(void)
{
	static const char *const bad[] = { "",
					   "net",
					   "net.ipv4.tcp_sac",
					   "net.ipv4.tcp_sackk",
					   "NET.IPV4.TCP_SACK",
					   "net/ipv4/tcp_sack",
					   "tcp_sack" };
	char buf[24];

	start();
	for (unsigned i = 0; i < N_TESTS(bad); i++) {
		test_at("\"%s\"", bad[i]);
		check_eq(tern_sysctl_set(st, bad[i], "1"), -TERN_ENOENT);
		check_eq(tern_sysctl_get(st, bad[i], buf, sizeof(buf)), -TERN_ENOENT);
	}
	finish();
}

static void short_buffers(void)
{
	start();
	for (unsigned i = 0; i < N_TESTS(settings); i++) {
		char whole[24], buf[25];
		size_t need;

		test_at("%s", settings[i].name);
		check_eq(tern_sysctl_get(st, settings[i].name, whole, sizeof(whole)), 0);
		need = strlen(whole) + 1;
		for (size_t len = 0; len < sizeof(buf); len++) {
			memset(buf, 'z', sizeof(buf));
			check_eq(tern_sysctl_get(st, settings[i].name, buf, len),
				 len < need ? -TERN_EINVAL : 0);
			check_eq(buf[len < need ? 0 : need], 'z'); /* not a byte more */
		}
	}
	finish();
}

static void congestion_control(void)
{
	char buf[24], name[24] = { 0 };
	size_t len = sizeof(name);
	tern_sock s;

	start();
	check_eq(tern_sysctl_get(st, "net.ipv4.tcp_congestion_control", buf, sizeof(buf)), 0);
	check_str(buf, "cubic");
	check_eq(tern_sysctl_set(st, "net.ipv4.tcp_congestion_control", "fixed"), 0);
	check_eq(tern_sysctl_set(st, "net.ipv4.tcp_congestion_control", "vegas"), -TERN_EINVAL);
	check_eq(tern_sysctl_get(st, "net.ipv4.tcp_congestion_control", buf, sizeof(buf)), 0);
	check_str(buf, "fixed");
	check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s), 0);
	check_eq(tern_getsockopt(st, s, TERN_IPPROTO_TCP, TERN_TCP_CONGESTION, name, &len), 0);
	check_str(name, "fixed"); /* sockets that are made from now on */
	finish();
}

/* The user's algorithms: found by name, at once and by sockets that are there already. */
static void own_congestion_control(void)
{
	struct tern_cc_ops mine = { .name = "mine" };
	char buf[64];
	tern_sock s;

	start();
	check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s), 0);
	check_eq(tern_setsockopt(st, s, TERN_IPPROTO_TCP, TERN_TCP_CONGESTION, "mine", 4),
		 -TERN_ENOENT);
	check_eq(tern_cc_register(st, &mine), 0);
	check_eq(tern_cc_register(st, &mine), -TERN_EEXIST);
	check_eq(tern_sysctl_get(st, "net.ipv4.tcp_available_congestion_control", buf, sizeof(buf)),
		 0);
	check_str(buf, "reno cubic bbr fixed mine");
	check_eq(tern_setsockopt(st, s, TERN_IPPROTO_TCP, TERN_TCP_CONGESTION, "mine", 4), 0);
	check_eq(tern_sysctl_set(st, "net.ipv4.tcp_congestion_control", "mine"), 0);
	check_eq(tern_sysctl_get(st, "net.ipv4.tcp_congestion_control", buf, sizeof(buf)), 0);
	check_str(buf, "mine");
	finish();
}

/* Two settings that are tied to each other. */
static void pairs(void)
{
	start();
	check_eq(set("net.ipv4.ip_local_port_min", 61000), -TERN_EINVAL);
	check_eq(set("net.ipv4.ip_local_port_max", 32767), -TERN_EINVAL);
	check_eq(set("net.ipv4.ip_local_port_max", 32768), 0); /* one port is a range */
	check_eq(set("net.ipv4.ip_local_port_max", 65535), 0);
	check_eq(set("net.ipv4.ip_local_port_min", 61000), 0);
	finish();
}

/* What a setting is for: the new value is what counts from then on. */
static void settings_have_effect(void)
{
	int32_t v = 0;
	size_t len = sizeof(v);
	tern_sock s;

	start();
	check_eq(set("net.ipv4.ip_default_ttl", 9), 0);
	check_eq(set("net.core.rmem_default", 5000), 0);
	check_eq(set("net.core.wmem_max", 8000), 0);
	check_eq(set("net.ipv4.tcp_keepalive_time", 11), 0);
	check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_DGRAM, 0, &s), 0);
	check_eq(tern_getsockopt(st, s, TERN_IPPROTO_IP, TERN_IP_TTL, &v, &len), 0);
	check_eq(v, 9);
	check_eq(tern_getsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_RCVBUF, &v, &len), 0);
	check_eq(v, 5000);
	v = 100000;
	check_eq(tern_setsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_SNDBUF, &v, sizeof(v)), 0);
	check_eq(tern_getsockopt(st, s, TERN_SOL_SOCKET, TERN_SO_SNDBUF, &v, &len), 0);
	check_eq(v, 16000);
	check_eq(tern_socket(st, TERN_AF_INET, TERN_SOCK_STREAM, 0, &s), 0);
	check_eq(tern_getsockopt(st, s, TERN_IPPROTO_TCP, TERN_TCP_KEEPIDLE, &v, &len), 0);
	check_eq(v, 11);
	finish();
}

/* ---- tern_new ---- */

#define BAD(field, value)                                                                          \
	{                                                                                          \
#field, offsetof(struct tern_config, field),                                       \
			sizeof(((struct tern_config *)0)->field), value                            \
	}

static const struct {
	const char *name;
	size_t off, size;
	uint32_t value;
} bad_configs[] = {
	BAD(size, sizeof(struct tern_config) - 1),
	BAD(shard, 256),
	BAD(memory_max, 0),
	BAD(sockets_max, 0),
	BAD(port_min, 0),
	BAD(port_min, 61000), /* above port_max */
	BAD(tcp_rcvbuf_default, 255),
	BAD(tcp_sndbuf_default, 255),
	BAD(tcp_rcvbuf_max, (1u << 29) + 1),
	BAD(tcp_sndbuf_max, (1u << 29) + 1),
	BAD(tcp_rto_min_ms, 0),
	BAD(tcp_rto_min_ms, 1001), /* above the first one */
	BAD(tcp_rto_initial_ms, 120001),
	BAD(tcp_delayed_ack_ms, 500),
	BAD(tcp_syn_retries, 128),
	BAD(tcp_retries2, 256),
	BAD(tcp_initial_cwnd, 0),
	BAD(tcp_initial_cwnd, 1001),
	BAD(tcp_min_snd_mss, 27),
	BAD(tcp_min_snd_mss, 65536),
	BAD(ttl, 0),
	BAD(hop_limit, 0),
	BAD(tcp_ecn, 6),
	BAD(tcp_ecn_option, 4),
	BAD(tcp_synack_retries, 0),
	BAD(tcp_synack_retries, 256),
	BAD(tcp_retries1, 0),
	BAD(tcp_orphan_retries, 256),
	BAD(tcp_challenge_ack_limit, 256),
	BAD(tcp_keepalive_time_ms, 999),      /* in units of the setting: below 1 s */
	BAD(tcp_keepalive_time_ms, 1u << 31), /* and above 32767 s */
	BAD(tcp_keepalive_probes, 128),
	BAD(tcp_mtu_probing, 3),
	BAD(tcp_tw_reuse, 3),
	BAD(group_sources_max, 65536),
	BAD(routers_max, 1),
	BAD(servers_max, 1025),
	BAD(rcvbuf_default, 255),
	BAD(sndbuf_max, (1u << 29) + 1),
	BAD(path_mtu_min, 67),
	BAD(dad_transmits, 11),
	BAD(auto_flowlabels, 4),
	BAD(tcp_congestion_control, 0x61616161), /* "aaaa" and what follows */
};

static void put_number(void *at, size_t size, uint32_t v)
{
	uint8_t v8 = (uint8_t)v;
	uint16_t v16 = (uint16_t)v;
	uint64_t v64 = v;

	if (size == 8)
		memcpy(at, &v64, 8);
	else if (size == 2)
		memcpy(at, &v16, 2);
	else if (size == 1)
		memcpy(at, &v8, 1);
	else
		memcpy(at, &v, 4);
}

static void bad_configurations(void)
{
	for (size_t i = 0; i < N_TESTS(bad_configs); i++) {
		struct tern_config cfg;
		struct tern_env env;

		test_at("%s = %u", bad_configs[i].name, bad_configs[i].value);
		counted = (struct test_env){ .fill = 1 };
		env = test_env_make(&counted, 1);
		tern_config_default(&cfg);
		put_number((char *)&cfg + bad_configs[i].off, bad_configs[i].size,
			   bad_configs[i].value);
		check(tern_config_fault(&cfg) != NULL);
		check(tern_new(&cfg, &env) == NULL);
		check_eq(counted.out, 0);
	}
}

static void check_fault(const struct tern_config *cfg, const char *name)
{
	const char *fault = tern_config_fault(cfg);

	check(fault && strcmp(fault, name) == 0);
}

static void a_fault_is_named(void)
{
	struct tern_config good, cfg;

	tern_config_default(&good);
	check(tern_config_fault(&good) == NULL);
	cfg = good;
	cfg.size = 4;
	check_fault(&cfg, "size");
	cfg = good;
	cfg.memory_max = 1000;
	check_fault(&cfg, "memory_max");
	cfg = good;
	cfg.ttl = 0;
	check_fault(&cfg, "net.ipv4.ip_default_ttl");
	cfg = good;
	cfg.port_min = 61000;
	check_fault(&cfg, "net.ipv4.ip_local_port_min");
	cfg = good;
	cfg.tcp_rto_min_ms = 900;
	cfg.tcp_rto_initial_ms = 800;
	check_fault(&cfg, "tcp_rto_initial_ms");
	cfg = good;
	memcpy(cfg.tcp_congestion_control, "vegas", 6);
	check_fault(&cfg, "net.ipv4.tcp_congestion_control");
}

static const struct test tests[] = {
	TEST(names_are_in_order),
	TEST(every_range),
	TEST(bad_values),
	TEST(bad_names),
	TEST(short_buffers),
	TEST(congestion_control),
	TEST(own_congestion_control),
	TEST(pairs),
	TEST(settings_have_effect),
	TEST(bad_configurations),
	TEST(a_fault_is_named),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, N_TESTS(tests));
}
