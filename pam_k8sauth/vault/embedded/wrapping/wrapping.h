/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Response wrapping (vault-core.md 9.4): the answer to a request goes into the cubbyhole of a new token of one use, and
 * the client gets that token instead. sys/wrapping/ opens it.
 */
#pragma once

#include "vault/embedded/core.h"

/* What a request of sys/wrapping/unwrap, lookup or rewrap means: a wrapping token, and what its cubbyhole holds. */
struct wrapped {
	struct token *token;
	json_t *response; /* a string: the wrapped answer, as text */
	json_t *info;	  /* creation_ttl, creation_time, creation_path */
	int status;	  /* of the wrapped answer */
	bool in_body;	  /* the request named it in its body: the caller may be another one */
};
void wrapped_free(struct wrapped *wrapped);

/* Whether TOKEN is a wrapping token. */
bool wrapping_made(const struct token *token);

/*
 * Sets call->wrapped, before anybody asks whether the caller may: Vault tells of a token that is none even to those who
 * may not. 0, 1 after a refusal, -EAGAIN, -errno.
 */
int wrapping_find(struct call *call) NODISCARD;

/* The handler of CALL gave an answer: wraps it where the request asked for that and there is a body. 0 or an errno. */
int wrapping_apply(struct call *call) NODISCARD;

/* sys/wrapping/wrap, unwrap, rewrap, lookup. */
engine_handler wrapping_wrap, wrapping_unwrap, wrapping_rewrap, wrapping_lookup;
