/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tern_sim.h - networks of tern stacks in one process, in virtual time, from one seed.
 *
 * A simulation holds hosts (each one struct tern_stack), links between them and one clock. Nothing
 * happens between events, so an hour of silence costs nothing. The same seed and the same calls
 * give the same frames, byte for byte, on every machine. It is in libtern.so (-ltern, CMake's
 * tern::tern_shared) and, for programs linked statically, in libtern_sim.a, which goes before
 * libtern.a (-ltern_sim -ltern, what pkg-config says of tern_sim, CMake's tern::tern_sim).
 *
 * tern_sim_pair is a function, and a struct, too: the type is written with `struct`, in C++ as
 * well.
 */
#ifndef TERN_SIM_H
#define TERN_SIM_H

#include "tern.h"

#ifdef __cplusplus
extern "C" {
#if defined(__GNUC__) /* a function has the name of a struct, as said above */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif
#endif

struct tern_sim;

TERN_API struct tern_sim *tern_sim_new(uint64_t seed); /* NULL: no memory */
TERN_API void tern_sim_free(struct tern_sim *);	       /* NULL is allowed */
TERN_API tern_time tern_sim_now(const struct tern_sim *);

/*
 * Adds a host. cfg may be NULL for the defaults; its id becomes the host's index + 1.
 * Returns the host's index (0 and up) or -TERN_ENOMEM, -TERN_EINVAL.
 */
TERN_API int tern_sim_host_add(struct tern_sim *, const char *name, const struct tern_config *cfg);
/* NULL, and "", of no such host. */
TERN_API struct tern_stack *tern_sim_stack(struct tern_sim *, int host);
TERN_API const char *tern_sim_host_name(const struct tern_sim *, int host);

/* The weather of one direction of a link. All zero but mtu: a perfect wire. */
struct tern_weather {
	tern_time delay;      /* of propagation */
	tern_time jitter;     /* added: uniform in [0, jitter]; keeps the order of frames */
	uint64_t rate_bps;    /* bits per second; 0: unlimited */
	uint64_t queue_bytes; /* waiting for the rate; 0: 256 KiB */
	uint32_t loss_ppm;    /* probabilities in parts per million; 1000000 and more: always */
	uint32_t reorder_ppm; /* the frame is held back, others overtake it */
	uint32_t duplicate_ppm;
	uint32_t corrupt_ppm; /* one random bit is flipped */
	uint32_t mark_ppm;    /* an ECT packet gets CE, RFC 3168 */
	tern_time mark_above; /* so does each that waits longer for the rate; 0: none */
	uint32_t black_hole;  /* frames of more bytes vanish, and no router tells; 0: none */
	bool down;	      /* partition: nothing passes */
};

/* A link that any number of interfaces attach to. Returns its index or -TERN_ENOMEM. */
TERN_API int tern_sim_link_add(struct tern_sim *, const struct tern_weather *);
/* Attaches a new interface of the host. Returns its ifindex or a negative error. */
TERN_API int tern_sim_attach(struct tern_sim *, int link, int host, const struct tern_iface *);
/* Changes the weather from now on; host -1: of all attached, else only of what this host sends. */
TERN_API int tern_sim_weather(struct tern_sim *, int link, int host, const struct tern_weather *);

enum tern_sim_verdict { TERN_SIM_PASS = 0, TERN_SIM_LOSE = 1, TERN_SIM_DUPLICATE = 2 };
/*
 * Asked for each frame before the weather; NULL removes it. One for each link. A frame begins with
 * its Ethernet header, on links of TERN_LINK_IP with that of IP.
 */
typedef enum tern_sim_verdict tern_sim_filter_fn(void *ctx, int from_host, const uint8_t *frame,
						 uint32_t len);
TERN_API void tern_sim_filter(struct tern_sim *, int link, tern_sim_filter_fn *, void *ctx);

/*
 * News of a host's sockets, handed over as they happen. NULL removes it: then, as before it was
 * set, they wait for tern_event.
 */
typedef void tern_sim_event_fn(void *ctx, int host, const struct tern_event *);
TERN_API void tern_sim_on_event(struct tern_sim *, int host, tern_sim_event_fn *, void *ctx);

/* Calls fn once at the given instant. 0 or -TERN_ENOMEM. */
typedef void tern_sim_timer_fn(void *ctx);
TERN_API int tern_sim_at(struct tern_sim *, tern_time, tern_sim_timer_fn *, void *ctx);

/*
 * Runs the next event (a frame arrives, a timer passes) if it is not after `until`; false: there
 * was none, and the clock stands at `until` (unless that is TERN_NEVER).
 */
TERN_API bool tern_sim_step(struct tern_sim *, tern_time until);
/* Steps until nothing is left up to and including `until`. */
TERN_API void tern_sim_run(struct tern_sim *, tern_time until);

/* What an observer is told, in order of time. */
enum tern_sim_what {
	TERN_SIM_FRAME_SENT,	  /* a host put the frame on the link */
	TERN_SIM_FRAME_DELIVERED, /* a host got it */
	TERN_SIM_FRAME_LOST, /* it never arrives; why: "loss", "queue", "down", "filter", ... */
	TERN_SIM_FRAME_CORRUPTED,  /* a bit was flipped; it is delivered all the same */
	TERN_SIM_FRAME_DUPLICATED, /* a second copy, with its own id, follows; copy_of: of which */
	TERN_SIM_TRACE,		   /* a trace record of a host's stack */
};
struct tern_sim_note {
	tern_time at;
	uint32_t what; /* enum tern_sim_what */
	int host;      /* who sent, got or traced */
	int link;
	uint32_t link_kind; /* enum tern_link: how its frames begin */
	uint64_t frame_id;  /* unique; the same for sent, delivered and lost */
	uint64_t copy_of;
	const uint8_t *frame; /* borrowed for the call */
	uint32_t len;
	/*
	 * Of a super-frame: the checksum is not made yet, of what is behind csum_start; its place
	 * is csum_off behind that.
	 */
	bool csum_partial;
	uint16_t csum_start, csum_off;
	const char *why;
	const struct tern_trace *trace;
};
/* tern_view.h draws what it is told. */
typedef void tern_sim_observe_fn(void *ctx, const struct tern_sim_note *);
TERN_API void tern_sim_observe(struct tern_sim *, tern_sim_observe_fn *, void *ctx);

/* Random numbers from the simulation's seed, for workloads: below n; n > 0. */
TERN_API uint64_t tern_sim_random(struct tern_sim *, uint64_t n);

/* tern_check on every host. */
TERN_API void tern_sim_check(const struct tern_sim *);

/* ---- the common case: two hosts, "a" and "b", on one link -------------------------------- */

struct tern_sim_pair {
	struct tern_sim *sim;
	struct tern_stack *a, *b;	 /* hosts 0 and 1, interfaces with index 2 */
	struct tern_addr addr_a, addr_b; /* 10.0.0.1 and 10.0.0.2, or fd00::1 and fd00::2 */
	int link;
};
/* link_kind: TERN_LINK_ETHERNET or TERN_LINK_IP. 0 or a negative error; end with tern_sim_free. */
TERN_API int tern_sim_pair(struct tern_sim_pair *, uint64_t seed, int family, int link_kind,
			   uint32_t mtu, const struct tern_weather *);

#ifdef __cplusplus
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
}
#endif
#endif
