/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Audit (vault-core.md 6, vault-1.21.4.md): what is asked and what is answered goes to every device that is enabled, in
 * Vault's format. Before a request changes anything one device must have its entry, before its answer goes out one must
 * have that: otherwise the request fails. A request that changes nothing is told of in one step with its answer, which
 * nobody can tell from outside.
 */
#pragma once

#include "vault/embedded/core.h"

struct audit;

/* 0 or a negative errno. */
int audit_new(struct core *core, struct audit **ret) NODISCARD;
/* Waits for what is on its way, as far as the devices let it. */
void audit_free(struct audit *audit);

/* At unseal: makes the devices that the store has. 0, -EAGAIN, -errno. */
int audit_load(struct call *call) NODISCARD;
/* At seal: lets go of the devices; what they have is written. */
void audit_unload(struct audit *audit);
/* Every device opens its file or connection anew (SIGHUP, for logrotate). */
void audit_reopen(struct audit *audit);

/* Whether any device is enabled. */
bool audit_enabled(const struct audit *audit);

/* --- calls (audit_call.c); `audited` in struct call_private says how far one is */

/* A path that needs no token: who asks all the same is noted where the trail wants to know. 0, -EAGAIN, -errno. */
int audit_find_caller(struct call *call) NODISCARD;
/* The engine is about to be asked whether what is written exists: the trail knows its mount from here on, as Vault's. */
void audit_note_lookup(struct call *call);

struct call_audit;
/* What one run of a call noted. */
void audit_forget_run(struct call_audit *audited);
/*
 * Before the handler: a request that will change something, or reach outside, waits here until its entry is accepted.
 * 0, 1 after the refusal, -EAGAIN, -errno.
 */
int audit_gate(struct call *call) NODISCARD;
/* After a run that wrote, though it did not look so: whether the call must wait for its entry, and be run again. */
bool audit_must_wait(struct call *call);
/*
 * The answer of CALL is there: tells of it, and of the request where that was not told yet. True: ENDED is called when
 * that is accepted, or the answer replaced by a refusal; false: there is nothing to tell.
 */
bool audit_answer(struct call *call, void (*ended)(struct call *call));
/* CALL ends in another way than by its answer (too slow, a fault): what was not told yet is, but nobody waits. */
void audit_abandoned(struct call *call);

/* --- handlers of sys/audit, sys/audit-hash and sys/config/auditing/request-headers, for the sys engine's table */
engine_handler audit_list, audit_enable, audit_disable, audit_hash_input;
engine_handler audit_headers_list, audit_header_read, audit_header_write, audit_header_delete;
