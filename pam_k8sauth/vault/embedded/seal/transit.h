/* SPDX-License-Identifier: Apache-2.0 */
/* What the two files of the seal "transit" share: the operations, and the token that they are done with. */
#pragma once

#include <event2/event.h>

#include "vault/embedded/seal/https_call.h"
#include "vault/embedded/seal/settings.h"

/*
 * A POST of BODY (taken over) to URL with the token of CONFIG's file, which is read now. NULL with *RET_R a negative errno
 * and WHY.
 */
struct https_call *transit_post(struct event_base *base, const struct seal_config *config, const char *url,
    struct buf *body, https_done_fn *done, void *arg, int *ret_r, char *why, size_t why_size) NODISCARD;
/* WHY a call to URL failed: Vault's first error in its own words, of what can be printed, or ERROR where STATUS is 0. */
void transit_tell(char *why, size_t why_size, const char *url, int status, const char *answer, size_t len,
    const char *error);

/* --- transit_token.c */

struct transit_token;

/*
 * Keeps the token of CONFIG alive, as Vault's own transit seal does: renewed at once, and again when two thirds of what it
 * got are over. What cannot be renewed is said once, and tried again. ADDRESS: up to "/v1/". NULL without memory.
 */
struct transit_token *transit_token_keep(
    struct event_base *base, const struct seal_config *config, const char *address) NODISCARD;
void transit_token_free(struct transit_token *token);
