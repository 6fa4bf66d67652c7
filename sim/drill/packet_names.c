/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet_names.c - letters of TCP flags, names of ICMP types and codes.
 */
#include <stdio.h>
#include <string.h>

#include "packet.h"

uint16_t packet_flag(char letter)
{
	static const char letters[] = "FSRP.UEWA"; /* from bit 0 on */
	const char *found = letter ? strchr(letters, letter) : NULL;

	if (letter == 'C') /* another letter for CWR */
		return TCP_CWR;
	return found ? (uint16_t)(1u << (found - letters)) : 0;
}

struct icmp_name {
	int family;
	uint8_t type;
	int16_t code; /* -1: names the type itself */
	const char *name;
};

#define V4(type, code, name)                                                                       \
	{                                                                                          \
		TERN_AF_INET, type, code, name                                                     \
	}
#define V6(type, code, name)                                                                       \
	{                                                                                          \
		TERN_AF_INET6, type, code, name                                                    \
	}

static const struct icmp_name names[] = {
	V4(0, -1, "echo_reply"),
	V4(3, -1, "unreachable"),
	V4(3, 0, "net_unreachable"),
	V4(3, 1, "host_unreachable"),
	V4(3, 2, "protocol_unreachable"),
	V4(3, 3, "port_unreachable"),
	V4(3, 4, "frag_needed"),
	V4(3, 5, "source_route_failed"),
	V4(3, 6, "net_unknown"),
	V4(3, 7, "host_unknown"),
	V4(3, 8, "source_host_isolated"),
	V4(3, 9, "net_prohibited"),
	V4(3, 10, "host_prohibited"),
	V4(3, 11, "net_unreachable_for_tos"),
	V4(3, 12, "host_unreachable_for_tos"),
	V4(3, 13, "packet_filtered"),
	V4(3, 14, "precedence_violation"),
	V4(3, 15, "precedence_cutoff"),
	V4(4, -1, "source_quench"),
	V4(5, -1, "redirect"),
	V4(8, -1, "echo_request"),
	V4(11, -1, "time_exceeded"),
	V4(12, -1, "parameter_problem"),
	V4(13, -1, "timestamp_request"),
	V4(14, -1, "timestamp_reply"),
	V4(15, -1, "information_request"),
	V4(16, -1, "information_reply"),
	V4(17, -1, "address_mask_request"),
	V4(18, -1, "address_mask_reply"),
	V6(1, -1, "unreachable"),
	V6(1, 0, "no_route"),
	V6(1, 0, "net_unreachable"),
	V6(1, 1, "admin_prohibited"),
	V6(1, 2, "not_neighbour"),
	V6(1, 3, "address_unreachable"),
	V6(1, 4, "port_unreachable"),
	V6(2, -1, "packet_too_big"),
	V6(3, -1, "time_exceeded"),
	V6(3, 0, "exceeded_hop_limit"),
	V6(3, 1, "exceeded_frag_time"),
	V6(4, -1, "parameter_problem"),
	V6(4, 0, "header_field"),
	V6(4, 1, "unknown_next_header"),
	V6(4, 2, "unknown_option"),
	V6(128, -1, "echo_request"),
	V6(129, -1, "echo_reply"),
};

bool icmp_is_error(int family, uint8_t type)
{
	return family == TERN_AF_INET6 ?
		       type < 128 :
		       type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

/* type_7, code_3 */
static bool read_numbered(struct slice s, const char *prefix, uint8_t *out)
{
	size_t skip = strlen(prefix);
	unsigned v = 0;

	if (s.len <= skip || memcmp(s.text, prefix, skip) != 0)
		return false;
	for (size_t i = skip; i < s.len; i++) {
		if (s.text[i] < '0' || s.text[i] > '9')
			return false;
		v = v * 10 + (unsigned)(s.text[i] - '0');
		if (v > 255)
			return false;
	}
	*out = (uint8_t)v;
	return true;
}

bool icmp_type_find(int family, struct slice name, uint8_t *type)
{
	for (size_t i = 0; i < N_ELEMENTS(names); i++) {
		if (names[i].family == family && names[i].code < 0 &&
		    slice_is(name, names[i].name)) {
			*type = names[i].type;
			return true;
		}
	}
	return read_numbered(name, "type_", type);
}

bool icmp_code_find(int family, uint8_t type, struct slice name, uint8_t *code)
{
	for (size_t i = 0; i < N_ELEMENTS(names); i++) {
		if (names[i].family == family && names[i].type == type && names[i].code >= 0 &&
		    slice_is(name, names[i].name)) {
			*code = (uint8_t)names[i].code;
			return true;
		}
	}
	return read_numbered(name, "code_", code);
}

static const char *name_of(int family, uint8_t type, int code)
{
	for (size_t i = 0; i < N_ELEMENTS(names); i++)
		if (names[i].family == family && names[i].type == type && names[i].code == code)
			return names[i].name;
	return NULL;
}

char *icmp_type_name(int family, uint8_t type, char *buf)
{
	const char *name = name_of(family, type, -1);

	if (name)
		snprintf(buf, 40, "%s", name);
	else
		snprintf(buf, 40, "type_%u", type);
	return buf;
}

char *icmp_code_name(int family, uint8_t type, uint8_t code, char *buf)
{
	const char *name = name_of(family, type, code);

	if (name)
		snprintf(buf, 40, "%s", name);
	else if (code)
		snprintf(buf, 40, "code_%u", code);
	else
		buf[0] = 0;
	return buf;
}
