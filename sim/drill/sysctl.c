/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sysctl.c - what settings of Linux and FreeBSD mean to a tern stack.
 *
 * A setting that tern has under the same name is set. Some have another name, another unit or hold
 * several values. Some tern has not, but acts as if it had one value of it; that value is taken, no
 * other.
 */
#include "sysctl.h"

#include <stdio.h>
#include <string.h>

#include "script.h"

enum { NAME_MAX = 128, VALUE_LEN = 64 };

static bool is_setting(const char *name)
{
	const char *known;

	for (unsigned i = 0; (known = tern_sysctl_name(i)) != NULL; i++)
		if (strcmp(known, name) == 0)
			return true;
	return false;
}

bool setting_apply(struct tern_stack *st, const char *name, const char *value)
{
	static const char *const prefixes[] = { "", "net.ipv4.", "net.tern." };
	char full[NAME_MAX];

	for (size_t i = 0; i < N_ELEMENTS(prefixes); i++) {
		snprintf(full, sizeof(full), "%s%s", prefixes[i], name);
		if (is_setting(full))
			return tern_sysctl_set(st, full, value) == 0;
	}
	return false;
}

/* ---- values ---- */

static bool read_number(const char *text, uint64_t *out)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	int used = 0;
	unsigned long long v;

	if (text[0] < '0' || text[0] > '9' ||
	    sscanf(text, hex ? "%llx%n" : "%llu%n", &v, &used) != 1 || text[used] != 0)
		return false;
	*out = v;
	return true;
}

/* In decimal digits when it is a number; tern reads no others. */
static bool set_plain(struct tern_stack *st, const char *name, const char *value)
{
	char decimal[VALUE_LEN];
	uint64_t v;

	if (!read_number(value, &v))
		return tern_sysctl_set(st, name, value) == 0;
	snprintf(decimal, sizeof(decimal), "%llu", (unsigned long long)v);
	return tern_sysctl_set(st, name, decimal) == 0;
}

/* ---- the same thing under another name ---- */

static const struct alias {
	const char *name, *tern;
	uint32_t times, per; /* tern's number is theirs times this, per that */
} aliases[] = {
	{ "net.ipv4.tcp_rto_min_us", "net.ipv4.tcp_rto_min_ms", 1, 1000 },
	{ "net.inet.tcp.sack.enable", "net.ipv4.tcp_sack", 1, 1 },
	{ "net.inet.tcp.ecn.enable", "net.ipv4.tcp_ecn", 1, 1 },
	{ "net.inet.tcp.delacktime", "net.tern.delayed_ack_ms", 1, 1 },
	{ "net.inet.tcp.initcwnd_segments", "net.tern.initial_cwnd", 1, 1 },
	{ "net.inet.tcp.rexmit_min", "net.ipv4.tcp_rto_min_ms", 1, 1 },
	{ "net.inet.tcp.msl", "net.ipv4.tcp_time_wait_ms", 2, 1 },
	{ "net.inet.tcp.finwait2_timeout", "net.ipv4.tcp_fin_timeout", 1, 1000 },
	{ "net.inet.tcp.keepidle", "net.ipv4.tcp_keepalive_time", 1, 1000 },
	{ "net.inet.tcp.keepintvl", "net.ipv4.tcp_keepalive_intvl", 1, 1000 },
	{ "net.inet.tcp.keepcnt", "net.ipv4.tcp_keepalive_probes", 1, 1 },
	{ "net.inet.tcp.minmss", "net.ipv4.tcp_min_snd_mss", 1, 1 },
	{ "net.inet.tcp.recvspace", "net.ipv4.tcp_rmem_default", 1, 1 },
	{ "net.inet.tcp.sendspace", "net.ipv4.tcp_wmem_default", 1, 1 },
	{ "net.inet.tcp.recvbuf_max", "net.ipv4.tcp_rmem_max", 1, 1 },
	{ "net.inet.tcp.sendbuf_max", "net.ipv4.tcp_wmem_max", 1, 1 },
	{ "net.inet.udp.recvspace", "net.core.rmem_default", 1, 1 },
	{ "net.inet.tcp.syncookies", "net.ipv4.tcp_syncookies", 1, 1 },
	{ "net.inet.ip.ttl", "net.ipv4.ip_default_ttl", 1, 1 },
	{ "net.inet6.ip6.hlim", "net.ipv6.hop_limit", 1, 1 },
	{ "net.inet.ip.portrange.first", "net.ipv4.ip_local_port_min", 1, 1 },
	{ "net.inet.ip.portrange.last", "net.ipv4.ip_local_port_max", 1, 1 },
	{ "kern.ipc.soacceptqueue", "net.core.somaxconn", 1, 1 },
	{ "kern.ipc.somaxconn", "net.core.somaxconn", 1, 1 },
};

/* A unit that tern counts coarser in must come out even. */
static bool set_alias(struct tern_stack *st, const struct alias *a, const char *value)
{
	char text[VALUE_LEN];
	uint64_t v;

	if (!read_number(value, &v) || v > UINT32_MAX || v * a->times % a->per != 0)
		return false;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)(v * a->times / a->per));
	return tern_sysctl_set(st, a->tern, text) == 0;
}

/* ---- several at once ---- */

static bool set_part(struct tern_stack *st, const char *name, const char *part, const char *value)
{
	char full[NAME_MAX];

	snprintf(full, sizeof(full), "%s_%s", name, part);
	return set_plain(st, full, value);
}

/* "4096 131072 6291456": tern has no least one. */
static bool set_buffers(struct tern_stack *st, const char *name, const char *value)
{
	char least[24], usual[24], most[24];

	return sscanf(value, "%23s %23s %23s", least, usual, most) == 3 &&
	       set_part(st, name, "max", most) && set_part(st, name, "default", usual);
}

/* The least port may never be above the greatest, so their order depends on where they move. */
static bool set_ports(struct tern_stack *st, const char *name, const char *value)
{
	char first[24], last[24];

	(void)name;
	if (sscanf(value, "%23s %23s", first, last) != 2)
		return false;
	if (set_plain(st, "net.ipv4.ip_local_port_min", first))
		return set_plain(st, "net.ipv4.ip_local_port_max", last);
	return set_plain(st, "net.ipv4.ip_local_port_max", last) &&
	       set_plain(st, "net.ipv4.ip_local_port_min", first);
}

/* FreeBSD's: 0 neither, 1 both, 2 only window scaling, 3 only timestamps. */
static bool set_rfc1323(struct tern_stack *st, const char *name, const char *value)
{
	uint64_t v;

	(void)name;
	return read_number(value, &v) && v <= 3 &&
	       set_plain(st, "net.ipv4.tcp_window_scaling", v == 1 || v == 2 ? "1" : "0") &&
	       set_plain(st, "net.ipv4.tcp_timestamps", v == 1 || v == 3 ? "1" : "0");
}

static bool set_congestion(struct tern_stack *st, const char *name, const char *value)
{
	(void)name;
	return set_plain(st, "net.ipv4.tcp_congestion_control",
			 strcmp(value, "newreno") == 0 ? "reno" : value);
}

/* Delaying is a matter of time here: off is no time at all. */
static bool set_delayed_ack(struct tern_stack *st, const char *name, const char *value)
{
	(void)name;
	return strcmp(value, "1") == 0 ||
	       (strcmp(value, "0") == 0 && set_plain(st, "net.tern.delayed_ack_ms", "0"));
}

/* Linux's 1 and 2 are the same since F-RTO has its SACK form only. */
static bool set_frto(struct tern_stack *st, const char *name, const char *value)
{
	return set_plain(st, name, strcmp(value, "2") == 0 ? "1" : value);
}

/* Of Linux's values 3 and 4 send loss probes. */
static bool set_loss_probes(struct tern_stack *st, const char *name, const char *value)
{
	uint64_t v;

	return read_number(value, &v) && v <= 4 && set_plain(st, name, v >= 3 ? "1" : "0");
}

static const struct {
	const char *name;
	bool (*set)(struct tern_stack *, const char *name, const char *value);
} special[] = {
	{ "net.ipv4.tcp_rmem", set_buffers },
	{ "net.ipv4.tcp_wmem", set_buffers },
	{ "net.ipv4.tcp_frto", set_frto },
	{ "net.ipv4.tcp_early_retrans", set_loss_probes },
	{ "net.ipv4.ip_local_port_range", set_ports },
	{ "net.inet.tcp.rfc1323", set_rfc1323 },
	{ "net.inet.tcp.cc.algorithm", set_congestion },
	{ "net.inet.tcp.delayed_ack", set_delayed_ack },
};

/* ---- what tern has not ---- */

/* It acts as if it had this value; NULL: no value makes a difference to packets here. */
static const struct {
	const char *name, *value;
} harmless[] = {
	{ "net.core.default_qdisc", NULL },
	{ "net.ipv4.tcp_no_metrics_save", NULL },
	{ "net.ipv4.tcp_tso_win_divisor", NULL },
	{ "net.ipv4.tcp_min_tso_segs", NULL },
	{ "net.ipv4.tcp_limit_output_bytes", NULL },
	{ "net.ipv4.tcp_autocorking", "0" },
	{ "net.ipv4.tcp_fack", "0" },
	{ "net.ipv4.tcp_dsack", "1" },
	{ "net.ipv4.tcp_recovery", "1" },
	{ "net.ipv4.tcp_thin_linear_timeouts", "0" },
	{ "net.inet.tcp.hostcache.purgenow", NULL },
	{ "net.inet.tcp.hostcache.enable", "0" },
	{ "net.inet.tcp.tso", NULL },
	{ "net.inet.tcp.ecn.enable", "0" },
	{ "net.inet.tcp.blackhole", "0" },
};

static bool is_harmless(const char *name, const char *value)
{
	for (size_t i = 0; i < N_ELEMENTS(harmless); i++)
		if (strcmp(harmless[i].name, name) == 0)
			return !harmless[i].value || strcmp(harmless[i].value, value) == 0;
	return false;
}

/* /proc/sys/net/ipv4/tcp_sack is net.ipv4.tcp_sack. */
static const char *dotted_name(const char *name, char buf[NAME_MAX])
{
	static const char proc[] = "/proc/sys/";

	if (strncmp(name, proc, sizeof(proc) - 1) != 0)
		return name;
	snprintf(buf, NAME_MAX, "%s", name + sizeof(proc) - 1);
	for (char *p = buf; *p; p++)
		if (*p == '/')
			*p = '.';
	return buf;
}

const char *sysctl_apply(struct tern_stack *st, const char *name, const char *value)
{
	static const char refused[] = "tern does not take this value";
	char buf[NAME_MAX];

	name = dotted_name(name, buf);
	if (is_setting(name))
		return set_plain(st, name, value) ? NULL : refused;
	for (size_t i = 0; i < N_ELEMENTS(special); i++)
		if (strcmp(special[i].name, name) == 0)
			return special[i].set(st, name, value) ? NULL : refused;
	if (is_harmless(name, value))
		return NULL;
	for (size_t i = 0; i < N_ELEMENTS(aliases); i++)
		if (strcmp(aliases[i].name, name) == 0 && is_setting(aliases[i].tern))
			return set_alias(st, &aliases[i], value) ? NULL : refused;
	return "tern has no such setting";
}
