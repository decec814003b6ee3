/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the audit folder share. */
#pragma once

#include "vault/embedded/audit/audit.h"
#include "vault/embedded/audit/device.h"
#include "vault/embedded/core_internal.h"

#define AUDIT_KEY	  "core/audit"
#define AUDIT_HEADERS_KEY "core/audited-headers"

struct audit {
	struct core *core;
	struct audit_device **devices; /* enabled, in the order in which they were */
	size_t n;
	STAILQ_HEAD(, audit_device) ending; /* disabled: their threads still have something */
	struct audit_results results;
	struct event *wake;	     /* results are there */
	struct event *turn;	     /* runs at the end of the loop's turn: hands over what it made */
	struct event *watch;	     /* looks for devices that hang */
	json_t *headers;	     /* what is told of requests' headers: {name: {"hmac": bool}}, lower-case names */
};

/* --- trail.c */

/*
 * Hands DRAFT (its bytes are taken over) to all devices, or to ONLY. 0: DONE is called once, later, from the loop, with
 * 0 when the first device has accepted it, or the errno when none did (NULL: nobody waits). Or a negative errno: no
 * device took it, and nothing is called.
 */
int audit_submit(struct audit *audit, struct audit_device *only, struct audit_draft *draft,
    void (*done)(void *arg, int r), void *arg) NODISCARD;
/* Makes DEVICE (taken over), which was started, one of those that are enabled. 0 or -ENOMEM. */
int audit_add(struct audit *audit, struct audit_device *device) NODISCARD;
/* Its thread ends with what it has; then it is freed. */
void audit_drop(struct audit *audit, struct audit_device *device);

/* --- entry.c */

enum audit_stage {
	AUDIT_REQUEST,
	AUDIT_RESPONSE,
};
/* Appends the entry of CALL, a line. Errors stick in DRAFT. */
void audit_entry(struct audit_draft *draft, const struct call *call, enum audit_stage stage);
/* Those of its request and of its answer. */
void audit_entries(struct audit_draft *draft, const struct call *call);
/* The entry that a new device is tried with. */
void audit_test_entry(struct audit_draft *draft);

/* --- entry_value.c */

/* What is hashed. */
enum audit_rule {
	AUDIT_CLEAR,	/* nothing */
	AUDIT_SENT,	/* strings and numbers are hashed: they came as text */
	AUDIT_ANSWERED, /* strings are hashed */
	AUDIT_HASHED,	/* so they are, even where all else is logged raw */
};
/*
 * Appends VALUE with its members by name, as Go's maps are written. CLEAR: an array of the names whose values are
 * shown (those of the nearest object count); NULL for none.
 */
void audit_value(struct audit_draft *draft, const json_t *value, enum audit_rule rule, const json_t *clear);
/* The same for VALUE, member NAME of an answer's data. */
void audit_member(struct audit_draft *draft, const char *name, const json_t *value, const json_t *clear);
/* The members of OBJECT by name: the caller frees the array of NAMES. 0 or -ENOMEM. */
int audit_sorted_names(const json_t *object, const char ***names, size_t *ret_n) NODISCARD;

/* --- headers.c */

/* Vault's, when nobody has said anything yet. NULL without memory. */
json_t *audit_default_headers(void) NODISCARD;
/* Tells the listener which headers it is to bring. */
void audit_headers_changed(struct audit *audit);
/* At unseal. */
int audit_headers_load(struct call *call) NODISCARD;
