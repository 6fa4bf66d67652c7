/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names.h - the process's resolver: one for all threads, on the process's stack.
 */
#ifndef TERN_HOST_POSIX_NAMES_H
#define TERN_HOST_POSIX_NAMES_H

#include "../../include/tern_resolve.h"
#include "os.h"

/* Asks, and waits for the answer, which may say EAI_SYSTEM and errno. It takes the lock. */
void names_ask(const struct tern_resolver_question *, struct tern_resolver_answer *);
/* The domain of this host, as resolv.conf has it when asked last; "": none. */
void names_domain(char out[TERN_DOMAIN_MAX]);

#endif
