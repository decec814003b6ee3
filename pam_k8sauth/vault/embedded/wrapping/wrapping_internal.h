/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of response wrapping share. */
#pragma once

#include "vault/embedded/wrapping/wrapping.h"

#define WRAPPING_POLICY "response-wrapping"
#define WRAPPED_STATUS	"status" /* of the wrapped answer; in its info, which nobody but this room reads */

/* The store's key of NAME in the cubbyhole of the token of SALTED. NULL without memory. */
char *wrapping_key(const char *salted, const char *name) NODISCARD;

struct wrapping_order {
	const char *path;     /* creation_path */
	const char *mount;    /* uuid of its mount: the token ends with it */
	int64_t ttl;	      /* seconds */
	bool jwt;	      /* the client gets the token as a JWT */
	json_t *response;     /* a string: the answer's text, "" for none; stays the caller's */
	int status;	      /* the answer's */
	const char *accessor; /* of the token inside the answer; NULL or "": none. May be the response's own */
};

/* Makes the token, and makes it the answer of CALL. 0 or an errno. */
int wrapping_make(struct call *call, const struct wrapping_order *order) NODISCARD;

/* ID, the id of TOKEN, as a signed JWT, which is the caller's to wipe. 0, -EAGAIN, -errno. */
int wrapping_jwt_make(struct call *call, const struct token *token, const char *id, char **ret) NODISCARD;
/* Whether PRESENTED is in the form of a JWT: then it is no id. */
bool wrapping_jwt_looks_so(const struct secret *presented);
/* The id in such a JWT. 0, -EACCES for one that was not made here, -EAGAIN, -errno. */
int wrapping_jwt_read(struct call *call, const struct secret *presented, struct secret **ret) NODISCARD;
