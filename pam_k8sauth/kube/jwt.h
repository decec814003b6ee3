/* SPDX-License-Identifier: Apache-2.0 */
/* Service account JWTs: strict reading, claims, times, signatures (kubernetes-auth.md 3.3, 3.4, 4.2). No network. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>

#include "base/secret.h"

enum jwt_alg {
	JWT_RS256,
	JWT_RS384,
	JWT_RS512,
	JWT_PS256,
	JWT_PS384,
	JWT_PS512,
	JWT_ES256,
	JWT_ES384,
	JWT_ES512,
};

/* Why a token was refused: HTTP status and text as Vault's (3.2 steps 7 to 9), and what the journal may know. */
struct jwt_error {
	int status;	  /* 403 or 500; 0: no error */
	bool audience;	  /* it is the wrong one: another role may want it */
	char text[256];	  /* for the client */
	char reason[256]; /* for the journal: never a claim value */
};

/* A read token. Strings are owned by it; none of it is verified until jwt_verify or a TokenReview says so. */
struct jwt {
	enum jwt_alg alg;
	char *kid;				/* for logs only; NULL if absent */
	bool critical;				/* the header has "crit": fails where a signature is verified */
	json_t *claims;				/* the payload object */
	char *issuer;				/* NULL if absent */
	char **audiences;			/* NULL-terminated; NULL if absent */
	bool audience_is_string;		/* "aud" was one string (kubernetes-auth.md 3.4) */
	int64_t expires, not_before, issued_at; /* unix; 0 if absent, null or 0 */
	/* service account claims (3.4); NULL if absent */
	char *namespace_name, *service_account, *service_account_uid, *secret_name, *pod_name, *node_name;
	char *signed_part; /* header.payload, a copy */
	size_t signed_len;
	unsigned char *signature;
	size_t signature_len; /* 0: not signed, which jwt_check refuses */
	/* Claims of a wrong type; their fields above are as if absent. jwt_check tells them in Vault's order. */
	struct jwt_error claims_error;	/* registered claims (3.3 step 3) */
	struct jwt_error account_error; /* service account claims (3.4) */
};

/*
 * Reads compact serialisation of at most 16 KiB: three parts, strict base64url (one trailing newline tolerated), no
 * duplicate member, no registered claim in another case, UTF-8 without NUL, integers within int64, nesting at most 16;
 * alg in the list. -EINVAL with *RET_ERROR, -ENOMEM. LOOSE (set where pem_keys are configured) also tolerates white
 * space and '=' around the parts.
 */
int jwt_read(const struct secret *token, bool loose, struct jwt **ret, struct jwt_error *ret_error) NODISCARD;
void jwt_free(struct jwt *jwt);

/*
 * Public keys of pem_keys (array of strings): each element's first PEM block, as PKIX key or certificate (1.2 item 3).
 * -EINVAL with Vault's text in ERROR, -ENOMEM.
 */
struct jwt_keys;
int jwt_keys_new(const json_t *pem_keys, struct jwt_keys **ret, char *error, size_t error_size) NODISCARD;
void jwt_keys_free(struct jwt_keys *keys);

/* The signature by any of KEYS; alg bound to key type, ES* to exact raw r||s length and curve. 0 or -EKEYREJECTED. */
int jwt_verify(const struct jwt *jwt, const struct jwt_keys *keys) NODISCARD;

/*
 * Everything else at NOW (unix), in Vault's order with its texts: 3.3 steps 1 to 10, then the types of 3.4. ISSUER,
 * AUDIENCE: NULL or "" skips. 0 or -EINVAL with *RET_ERROR.
 */
int jwt_check(const struct jwt *jwt, int64_t now, const char *issuer, const char *audience,
    struct jwt_error *ret_error) NODISCARD;
