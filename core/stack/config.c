/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config.c - the limits and defaults of a stack, and their names at run time.
 *
 * One table gives each setting its name (Linux's where Linux has one), its place in struct
 * tern_config, its width, range and unit; tern_sysctl_get/set read it.
 */
#include "stack.h"

#include "../base/text.h"

TERN_API void tern_config_default(struct tern_config *c)
{
	memset(c, 0, sizeof(*c));
	*c = (struct tern_config){
		.size = sizeof(*c),
		.memory_max = (uint64_t)1 << 30,
		.sockets_max = 1000000,
		.half_open_max = 65536,
		.time_wait_max = 65536,
		.neighbours_max = 1024,
		.neighbour_queue_max = 8,
		.routes_max = 1024,
		.addresses_max = 64,
		.path_mtus_max = 4096,
		.frag_memory_max = 4 << 20,
		.frag_source_max = 1 << 20,
		.frag_time_ms = 60000, /* RFC 8200 4.5, RFC 1122 3.3.2 */
		.routers_max = 16,
		.prefixes_max = 16,
		.servers_max = 32,
		.groups_max = 20,
		.group_sources_max = 64,
		.dad_transmits = 1,
		.somaxconn = 4096,
		.port_min = 32768,
		.port_max = 60999,
		.rcvbuf_default = 212992,
		.rcvbuf_max = 4 << 20,
		.sndbuf_default = 212992,
		.sndbuf_max = 4 << 20,
		.tcp_rcvbuf_default = 512 << 10,
		.tcp_rcvbuf_max = 255 << 20, /* the most that a window scale of 12 shows */
		.tcp_sndbuf_default = 512 << 10,
		.tcp_sndbuf_max = 255 << 20,
		.tcp_time_wait_ms = 60000,
		.tcp_fin_timeout_ms = 60000,
		.tcp_rto_initial_ms = 1000,
		.tcp_rto_min_ms = 200,
		.tcp_rto_max_ms = 120000,
		.tcp_delayed_ack_ms = 40,
		.tcp_quick_acks = 16,
		.tcp_syn_retries = 7,	 /* 255 s: RFC 9293 MUST-23 asks for 3 minutes at least */
		.tcp_synack_retries = 3, /* a spoofed SYN is not answered often */
		.tcp_retries1 = 3,
		.tcp_retries2 = 15,
		.tcp_orphan_retries = 8,
		.tcp_max_orphans = 65536,
		.tcp_keepalive_time_ms = 7200000,
		.tcp_keepalive_interval_ms = 75000,
		.tcp_keepalive_probes = 9,
		.tcp_challenge_ack_limit = 10,
		.tcp_invalid_ratelimit_ms = 500,
		.tcp_initial_cwnd = 10,
		.tcp_min_snd_mss = 48,
		.tcp_ranges_max = 4096,
		.icmp_ratelimit_ms = 10,
		.icmp_burst = 50,
		.path_mtu_expires_ms = 600000, /* RFC 1191 6.3 */
		.path_mtu_min = 552,
		.tcp_mtu_probing = 1,
		.tcp_base_mss = 1024, /* RFC 4821 7.2 */
		.tcp_mtu_probe_floor = 48,
		.tcp_probe_interval_ms = 600000,
		.tcp_probe_threshold = 8,
		.neighbour_reachable_ms = 30000,
		.neighbour_delay_ms = 5000,
		.dhcp_delay_ms = 10000, /* RFC 2131 4.4.1 */
		.ttl = 64,
		.hop_limit = 64,
		.auto_flowlabels = 1,
		.tcp_window_scaling = true,
		.tcp_timestamps = true,
		.tcp_sack = true,
		.tcp_pacing = true,
		.tcp_moderate_rcvbuf = true,
		.tcp_ecn = 5,
		.tcp_ecn_option = 2,
		.tcp_ecn_fallback = true,
		.tcp_early_retrans = true,
		.tcp_frto = true,
		.tcp_syncookies = 1,
		.tcp_tw_reuse = TW_REUSE_LOOPBACK,
		.tcp_rfc1337 = true,
		.tcp_congestion_control = "cubic",
	};
}

struct setting {
	const char *name;
	uint16_t offset;
	uint8_t width; /* 1, 2, 4 or 8 bytes; 0: text */
	uint32_t unit; /* the field counts in 1/unit of what the name counts in; 0: only read */
	uint32_t min, max;
};

#define FIELD(f) offsetof(struct tern_config, f), sizeof(((struct tern_config *)0)->f)

static const struct setting settings[] = {
	{ "net.core.rmem_default", FIELD(rcvbuf_default), 1, 256, 1u << 29 },
	{ "net.core.rmem_max", FIELD(rcvbuf_max), 1, 256, 1u << 29 },
	{ "net.core.somaxconn", FIELD(somaxconn), 1, 0, 65535 },
	{ "net.core.wmem_default", FIELD(sndbuf_default), 1, 256, 1u << 29 },
	{ "net.core.wmem_max", FIELD(sndbuf_max), 1, 256, 1u << 29 },
	{ "net.ipv4.conf.accept_redirects", FIELD(accept_redirects), 1, 0, 1 },
	{ "net.ipv4.icmp_echo_ignore_all", FIELD(icmp_echo_ignore_all), 1, 0, 1 },
	{ "net.ipv4.icmp_msgs_burst", FIELD(icmp_burst), 1, 0, 65535 },
	{ "net.ipv4.icmp_ratelimit", FIELD(icmp_ratelimit_ms), 1, 0, 3600000 },
	{ "net.ipv4.igmp_max_memberships", FIELD(groups_max), 1, 0, 65535 },
	{ "net.ipv4.igmp_max_msf", FIELD(group_sources_max), 1, 0, 65535 },
	{ "net.ipv4.ip_default_ttl", FIELD(ttl), 1, 1, 255 },
	{ "net.ipv4.ip_forward", FIELD(ip_forward), 1, 0, 1 },
	{ "net.ipv4.ip_local_port_max", FIELD(port_max), 1, 1, 65535 },
	{ "net.ipv4.ip_local_port_min", FIELD(port_min), 1, 1, 65535 },
	{ "net.ipv4.ip_no_pmtu_disc", FIELD(ip_no_pmtu_disc), 1, 0, 3 },
	{ "net.ipv4.ip_nonlocal_bind", FIELD(ip_nonlocal_bind), 1, 0, 1 },
	{ "net.ipv4.ipfrag_high_thresh", FIELD(frag_memory_max), 1, 0, 1u << 30 },
	{ "net.ipv4.ipfrag_source_max", FIELD(frag_source_max), 1, 0, 1u << 30 },
	{ "net.ipv4.ipfrag_time", FIELD(frag_time_ms), 1000, 1, 120 },
	{ "net.ipv4.neigh.default.base_reachable_time_ms", FIELD(neighbour_reachable_ms), 1, 1,
	  3600000 },
	{ "net.ipv4.neigh.default.delay_first_probe_time", FIELD(neighbour_delay_ms), 1000, 0,
	  3600 },
	{ "net.ipv4.route.max_size", FIELD(path_mtus_max), 1, 0, 1u << 24 },
	{ "net.ipv4.route.min_pmtu", FIELD(path_mtu_min), 1, 68, 65535 },
	{ "net.ipv4.route.mtu_expires", FIELD(path_mtu_expires_ms), 1000, 0, 4000000 },
	{ "net.ipv4.tcp_abort_on_overflow", FIELD(tcp_abort_on_overflow), 1, 0, 1 },
	{ "net.ipv4.tcp_available_congestion_control", 0, 0, 0, 0, 0 },
	{ "net.ipv4.tcp_base_mss", FIELD(tcp_base_mss), 1, 48, 65535 },
	{ "net.ipv4.tcp_challenge_ack_limit", FIELD(tcp_challenge_ack_limit), 1, 0, 255 },
	{ "net.ipv4.tcp_congestion_control", offsetof(struct tern_config, tcp_congestion_control),
	  0, 1, 0, 0 },
	{ "net.ipv4.tcp_early_retrans", FIELD(tcp_early_retrans), 1, 0, 1 },
	{ "net.ipv4.tcp_ecn", FIELD(tcp_ecn), 1, 0, 5 },
	{ "net.ipv4.tcp_ecn_fallback", FIELD(tcp_ecn_fallback), 1, 0, 1 },
	{ "net.ipv4.tcp_ecn_option", FIELD(tcp_ecn_option), 1, 0, 3 },
	{ "net.ipv4.tcp_fastopen", FIELD(tcp_fastopen), 1, 0, 0xffff },
	{ "net.ipv4.tcp_fin_timeout", FIELD(tcp_fin_timeout_ms), 1000, 0, 3600 },
	{ "net.ipv4.tcp_frto", FIELD(tcp_frto), 1, 0, 1 },
	{ "net.ipv4.tcp_invalid_ratelimit", FIELD(tcp_invalid_ratelimit_ms), 1, 0, 60000 },
	{ "net.ipv4.tcp_keepalive_intvl", FIELD(tcp_keepalive_interval_ms), 1000, 1, 32767 },
	{ "net.ipv4.tcp_keepalive_probes", FIELD(tcp_keepalive_probes), 1, 1, 127 },
	{ "net.ipv4.tcp_keepalive_time", FIELD(tcp_keepalive_time_ms), 1000, 1, 32767 },
	{ "net.ipv4.tcp_max_orphans", FIELD(tcp_max_orphans), 1, 0, 1u << 24 },
	{ "net.ipv4.tcp_max_syn_backlog", FIELD(half_open_max), 1, 1, 1u << 24 },
	{ "net.ipv4.tcp_max_tw_buckets", FIELD(time_wait_max), 1, 0, 1u << 24 },
	{ "net.ipv4.tcp_min_snd_mss", FIELD(tcp_min_snd_mss), 1, 28, 65535 },
	{ "net.ipv4.tcp_moderate_rcvbuf", FIELD(tcp_moderate_rcvbuf), 1, 0, 1 },
	{ "net.ipv4.tcp_mtu_probe_floor", FIELD(tcp_mtu_probe_floor), 1, 48, 65535 },
	{ "net.ipv4.tcp_mtu_probing", FIELD(tcp_mtu_probing), 1, 0, 2 },
	{ "net.ipv4.tcp_orphan_retries", FIELD(tcp_orphan_retries), 1, 0, 255 },
	{ "net.ipv4.tcp_probe_interval", FIELD(tcp_probe_interval_ms), 1000, 0, 4000000 },
	{ "net.ipv4.tcp_probe_threshold", FIELD(tcp_probe_threshold), 1, 1, 65535 },
	{ "net.ipv4.tcp_retries1", FIELD(tcp_retries1), 1, 1, 255 },
	{ "net.ipv4.tcp_retries2", FIELD(tcp_retries2), 1, 1, 255 },
	{ "net.ipv4.tcp_rfc1337", FIELD(tcp_rfc1337), 1, 0, 1 },
	{ "net.ipv4.tcp_rmem_default", FIELD(tcp_rcvbuf_default), 1, 256, 1u << 29 },
	{ "net.ipv4.tcp_rmem_max", FIELD(tcp_rcvbuf_max), 1, 256, 1u << 29 },
	{ "net.ipv4.tcp_rto_max_ms", FIELD(tcp_rto_max_ms), 1, 1000, 120000 },
	{ "net.ipv4.tcp_rto_min_ms", FIELD(tcp_rto_min_ms), 1, 1, 1000 },
	{ "net.ipv4.tcp_sack", FIELD(tcp_sack), 1, 0, 1 },
	{ "net.ipv4.tcp_syn_retries", FIELD(tcp_syn_retries), 1, 1, 127 },
	{ "net.ipv4.tcp_synack_retries", FIELD(tcp_synack_retries), 1, 1, 127 },
	{ "net.ipv4.tcp_syncookies", FIELD(tcp_syncookies), 1, 0, 2 },
	{ "net.ipv4.tcp_time_wait_ms", FIELD(tcp_time_wait_ms), 1, 1, 3600000 },
	{ "net.ipv4.tcp_timestamps", FIELD(tcp_timestamps), 1, 0, 1 },
	{ "net.ipv4.tcp_tw_reuse", FIELD(tcp_tw_reuse), 1, 0, 2 },
	{ "net.ipv4.tcp_window_scaling", FIELD(tcp_window_scaling), 1, 0, 1 },
	{ "net.ipv4.tcp_wmem_default", FIELD(tcp_sndbuf_default), 1, 256, 1u << 29 },
	{ "net.ipv4.tcp_wmem_max", FIELD(tcp_sndbuf_max), 1, 256, 1u << 29 },
	{ "net.ipv6.auto_flowlabels", FIELD(auto_flowlabels), 1, 0, 3 },
	{ "net.ipv6.conf.dad_transmits", FIELD(dad_transmits), 1, 0, 10 },
	{ "net.ipv6.conf.forwarding", FIELD(ipv6_forward), 1, 0, 1 },
	{ "net.ipv6.conf.use_tempaddr", FIELD(use_tempaddr), 1, 0, 2 },
	{ "net.ipv6.hop_limit", FIELD(hop_limit), 1, 1, 255 },
	{ "net.ipv6.neigh.default.base_reachable_time_ms", FIELD(neighbour_reachable_ms), 1, 1,
	  3600000 },
	{ "net.ipv6.neigh.default.delay_first_probe_time", FIELD(neighbour_delay_ms), 1000, 0,
	  3600 },
	{ "net.tern.ack_segments", FIELD(tcp_ack_segments), 1, 0, 255 },
	{ "net.tern.delayed_ack_ms", FIELD(tcp_delayed_ack_ms), 1, 0, 499 },
	{ "net.tern.dhcp_delay_ms", FIELD(dhcp_delay_ms), 1, 0, 60000 },
	{ "net.tern.initial_cwnd", FIELD(tcp_initial_cwnd), 1, 1, 1000 },
	{ "net.tern.pacing", FIELD(tcp_pacing), 1, 0, 1 },
	{ "net.tern.prefixes_max", FIELD(prefixes_max), 1, 0, 1024 },
	{ "net.tern.quick_acks", FIELD(tcp_quick_acks), 1, 0, 255 },
	{ "net.tern.routers_max", FIELD(routers_max), 1, 2, 1024 },
	{ "net.tern.servers_max", FIELD(servers_max), 1, 0, 1024 },
	{ "net.tern.strong_host", FIELD(strong_host), 1, 0, 1 },
};

static const struct setting *find_setting(const char *name)
{
	for (size_t i = 0; i < N_ELEMENTS(settings); i++)
		if (text_equal(settings[i].name, name))
			return &settings[i];
	return NULL;
}

TERN_API const char *tern_sysctl_name(unsigned i)
{
	return i < N_ELEMENTS(settings) ? settings[i].name : NULL;
}

static bool parse_value(const char *text, uint32_t *out)
{
	uint32_t v = 0;

	if (!*text)
		return false;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (v > (UINT32_MAX - 9) / 10)
			return false;
		v = v * 10 + (uint32_t)(*text - '0');
	}
	*out = v;
	return *text == 0;
}

static void store(struct tern_config *c, const struct setting *set, uint32_t v)
{
	uint8_t *at = (uint8_t *)c + set->offset;
	uint8_t v8 = (uint8_t)v;
	uint16_t v16 = (uint16_t)v;

	if (set->width == 1)
		memcpy(at, &v8, 1);
	else if (set->width == 2)
		memcpy(at, &v16, 2);
	else
		memcpy(at, &v, 4);
}

static uint32_t load(const struct tern_config *c, const struct setting *set)
{
	const uint8_t *at = (const uint8_t *)c + set->offset;
	uint16_t v16;
	uint32_t v;

	if (set->width == 1)
		return *at;
	if (set->width == 2) {
		memcpy(&v16, at, 2);
		return v16;
	}
	memcpy(&v, at, 4);
	return v;
}

/* Of those that are tied to one another the one that does not fit, or NULL. */
static const char *misfit(const struct tern_config *c)
{
	if (c->port_min > c->port_max)
		return "net.ipv4.ip_local_port_min";
	if (c->tcp_rto_min_ms > c->tcp_rto_initial_ms || c->tcp_rto_initial_ms > c->tcp_rto_max_ms)
		return "tcp_rto_initial_ms";
	return NULL;
}

const char *config_out_of_range(const struct tern_config *c)
{
	for (size_t i = 0; i < N_ELEMENTS(settings); i++) {
		const struct setting *set = &settings[i];
		uint32_t v;

		if (set->width == 0)
			continue;
		v = load(c, set);
		if (v < set->min * set->unit || v > set->max * set->unit)
			return set->name;
	}
	return misfit(c);
}

static int set_default_congestion(struct tern_stack *st, const char *value)
{
	const struct tern_cc_ops *ops = cc_find(&st->ss.own_cc, value);
	size_t n = 0;

	if (!ops)
		return -TERN_EINVAL;
	while (value[n])
		n++;
	memcpy(st->cfg.tcp_congestion_control, value, n + 1);
	st->ss.cc = ops;
	return 0;
}

TERN_API int tern_sysctl_set(struct tern_stack *st, const char *name, const char *value)
{
	const struct setting *set = find_setting(name);
	struct tern_config changed = st->cfg;
	uint32_t v;

	if (!set)
		return -TERN_ENOENT;
	if (set->unit == 0)
		return -TERN_EINVAL;
	if (set->width == 0)
		return set_default_congestion(st, value);
	if (!parse_value(value, &v) || v < set->min || v > set->max)
		return -TERN_EINVAL;
	store(&changed, set, v * set->unit);
	if (misfit(&changed))
		return -TERN_EINVAL;
	st->cfg = changed;
	stack_copy_limits(st);
	path_mtu_expire(&st->net);
	return 0;
}

static size_t put_text(char *buf, const char *text)
{
	size_t n = 0;

	for (; text[n]; n++)
		buf[n] = text[n];
	buf[n] = 0;
	return n;
}

/* As Linux lists them: with a blank in between. */
static size_t put_algorithms(char *buf, const struct cc_set *own)
{
	const char *name;
	size_t n = 0;

	for (unsigned i = 0; (name = cc_name(own, i)); i++) {
		if (i)
			buf[n++] = ' ';
		n += put_text(buf + n, name);
	}
	return n;
}

/* Four of ours and all that a user may register, or a number. */
enum { TEXT_MAX = (4 + TERN_CC_OWN_MAX) * TERN_CC_NAME_MAX };

TERN_API int tern_sysctl_get(const struct tern_stack *st, const char *name, char *buf, size_t len)
{
	const struct setting *set = find_setting(name);
	char text[TEXT_MAX];
	size_t n = 0;

	if (!set)
		return -TERN_ENOENT;
	if (set->unit == 0) {
		n = put_algorithms(text, &st->ss.own_cc);
	} else if (set->width == 0) {
		n = put_text(text, st->cfg.tcp_congestion_control);
	} else {
		n = (size_t)(text_put_number(text, load(&st->cfg, set) / set->unit) - text);
		text[n] = 0;
	}
	if (n + 1 > len)
		return -TERN_EINVAL;
	memcpy(buf, text, n + 1);
	return 0;
}
