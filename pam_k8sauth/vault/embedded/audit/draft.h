/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A draft: the entries of one request before a device has hashed them. The loop writes it once; each device makes its
 * own lines of it, since each has a salt and options of its own. Pure: no device, no core.
 */
#pragma once

#include <openssl/evp.h>

#include "base/buf.h"

#define AUDIT_HASH_PREFIX "hmac-sha256:"
#define AUDIT_HASH_LEN	  (sizeof(AUDIT_HASH_PREFIX) - 1 + 64) /* of a hash's text */

/*
 * Bytes in BUF: a kind, a length, so many bytes, and again. Holds secrets: buf_free wipes it. Errors stick in BUF.
 */
struct audit_draft {
	struct buf buf;
	size_t run; /* 1 + where the literal at the end begins, whose length is not written yet; 0: there is none */
};

/* An empty one with room for what most requests need. */
struct audit_draft draft_new(void) NODISCARD;
/* After the last part. */
void draft_end(struct audit_draft *draft);

/* JSON as it stands. */
void draft_literal(struct audit_draft *draft, const char *text, size_t len);
void draft_str(struct audit_draft *draft, const char *text);
/* `"NAME":`, after a comma unless it is the FIRST of its object. NAME has nothing to escape. */
void draft_key(struct audit_draft *draft, const char *name, bool first);
/* Where the next part begins. */
size_t draft_mark(struct audit_draft *draft);
/* The parts from FROM to TO (marks) once more. */
void draft_repeat(struct audit_draft *draft, size_t from, size_t to);
/* A string that every device shows. */
void draft_clear(struct audit_draft *draft, const char *text, size_t len);
/* A string that devices hash. */
void draft_secret(struct audit_draft *draft, const char *text, size_t len);
/* A string that devices hash, even those that log everything raw. */
void draft_hashed(struct audit_draft *draft, const char *text, size_t len);
/* An accessor: hashed unless hmac_accessor is off. */
void draft_accessor(struct audit_draft *draft, const char *text);
/* A number that came in a request: hashed as its text. */
void draft_number(struct audit_draft *draft, const char *text);
/*
 * What follows up to draft_end_list is a list of COUNT, which devices with elide_list_responses show as that number.
 * Returns the mark for draft_end_list.
 */
size_t draft_begin_list(struct audit_draft *draft, size_t count);
void draft_end_list(struct audit_draft *draft, size_t mark);

/* How a device makes its lines. */
struct audit_form {
	EVP_MAC_CTX *mac; /* keyed with the salt */
	bool log_raw, clear_accessors, elide_lists;
	const char *prefix; /* of each line; NULL */
};

/* A context for FORM, keyed with SALT. NULL without memory. */
EVP_MAC_CTX *audit_mac_new(const char *salt) NODISCARD;
/* "hmac-sha256:..." of the LEN bytes at TEXT, and a NUL. 0 or -EIO. */
int audit_hash(EVP_MAC_CTX *mac, const char *text, size_t len, char ret[static AUDIT_HASH_LEN + 1]) NODISCARD;
/* Appends the lines of the LEN bytes at DRAFT. 0, -EIO (a hash failed), -ENOMEM: then a part of them may be there. */
int draft_render(const char *draft, size_t len, const struct audit_form *form, struct buf *ret) NODISCARD;
