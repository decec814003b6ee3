/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person or program answered to the prompt (decision 15; measured in pam-consumers.md): a whole service account
 * token, its framed parts, a ticket, or something that is recognised and named before anybody is asked. Pure functions.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <k8sauth/limits.h>

#include "base/buf.h"

enum credential_verdict {
	CREDENTIAL_COMPLETE,
	CREDENTIAL_MORE, /* ask for part `have + 1` of `parts` */
	CREDENTIAL_EMPTY,
	CREDENTIAL_JUNK,     /* what sshd puts in place of an answer for a user that it does not let in */
	CREDENTIAL_VARIABLE, /* the literal text $TOKEN */
	CREDENTIAL_LONG,
	CREDENTIAL_CUT, /* an application cut it at `answer_len` bytes */
	CREDENTIAL_OTHER,
	CREDENTIAL_PART_FORM,
	CREDENTIAL_PART_LONG,
	CREDENTIAL_PART_ORDER,
	CREDENTIAL_PART_REPEATED, /* the client gives the same answer to every prompt */
	CREDENTIAL_NO_MEMORY,
	N_CREDENTIAL_VERDICTS,
};

struct credential {
	struct buf text; /* the token or ticket, as far as it has come; buf_free() wipes it */
	unsigned have, parts;
	size_t first_len;  /* of the first part's text */
	size_t answer_len; /* of the last answer, as it came */
};

#define CREDENTIAL_INIT                         \
	{                                       \
		.text = BUF_MAX(CREDENTIAL_MAX) \
	}

/*
 * Takes one answer of LEN bytes; blanks and newlines at its end do not count. A verdict other than CREDENTIAL_MORE is
 * final.
 */
enum credential_verdict credential_add(struct credential *credential, const char *answer, size_t len);

/* What is wrong and what to do, for a log line; holds no byte of the answer. */
const char *credential_verdict_text(enum credential_verdict verdict);

/* Whether an answer looks like a token, its first part or a ticket: only such ones may leave the process. */
bool credential_looks_ours(const char *answer, size_t len);

/* Whether the LEN bytes at TEXT are three non-empty parts in strict base64url (RFC 7515 section 3.1). */
bool credential_is_jwt(const char *text, size_t len);

/* Whether the LEN bytes at TEXT are a JWT or have the form of a ticket, a response-wrapping token of a login. */
bool credential_is_whole(const char *text, size_t len);
