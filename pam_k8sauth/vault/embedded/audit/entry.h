/* SPDX-License-Identifier: Apache-2.0 */
/* How an entry is put together: shared by entry.c and entry_auth.c. Members that are empty are left out. */
#pragma once

#include "vault/embedded/audit/audit_internal.h"

struct entry {
	struct audit_draft *draft;
	bool first; /* of the object that is open */
};

void entry_open(struct entry *e);
void entry_close(struct entry *e);
void entry_key(struct entry *e, const char *name);
void entry_text(struct entry *e, const char *name, const char *text);
void entry_secret(struct entry *e, const char *name, const char *text, size_t len);
void entry_accessor(struct entry *e, const char *name, const char *accessor);
void entry_number(struct entry *e, const char *name, long long number);
void entry_json(struct entry *e, const char *name, const json_t *value);

/* --- entry_auth.c */

/* The token that the request came with, where it is a valid one; NULL. */
const struct token *entry_caller(const struct call *call);
/* Whether the request only asks if something is allowed, and is told of as that (told_path). */
bool entry_is_question(const struct call *call);
/* What its policies say to what it is told of as. */
struct acl_verdict entry_verdict(const struct call *call);
/* Member `auth` of the entry. */
void entry_auth(struct entry *e, const struct call *call, enum audit_stage stage);
/* Member `auth` of an answer: AUTH is what the client gets. */
void entry_auth_answered(struct entry *e, const struct call *call, const json_t *auth);

/* --- entry_error.c */

/* The error of the request's entry: why it was denied; NULL for none. */
const char *entry_request_error(const struct call *call);
/*
 * The error of the answer's entry; NULL for none. OWN is room for one that is made of the answer's text. *RET_TEXT: what
 * the answer's data tells; NULL for nothing.
 */
const char *entry_answer_error(const struct call *call, struct buf *own, const char **ret_text);

/* --- entry_data.c */

/* The data of the request. */
void entry_sent_data(struct entry *e, const struct call *call, const json_t *clear);

/* The data of an answer: some texts are times, which Vault shows. */
void entry_answer_data(struct entry *e, const struct call *call, const json_t *data, const json_t *clear);
/* The same for a list, which a device may show as a number. */
void entry_list_data(struct entry *e, const json_t *data, const json_t *clear);
