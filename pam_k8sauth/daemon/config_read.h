/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of reading k8sauth.hcl share: config.c (the whole file) and config_blocks.c (blocks and keys). */
#pragma once

#include <stdbool.h>

#include "base/hcl.h"
#include "daemon/config.h"

struct config_reader {
	struct daemon_config *config;
	const char *path;
	char *why;
	size_t why_size;
	unsigned storage_line, seal_line, old_seal_line; /* of the blocks that may stand once; 0: not yet */
};

/* Adds a line "PATH:LINE: reason" for the caller of config_load(); -EINVAL. */
int config_fail(struct config_reader *reader, unsigned line, const char *format, ...) PRINTF_LIKE(3, 4);

/* --- values (config_values.c): 0, -EINVAL after config_fail, -ENOMEM ---------------------------------------------- */

/* Not empty, UTF-8, no control bytes. */
bool config_plain_text(const char *text);

/* A string into *RET, which must be NULL. */
int config_take_string(struct config_reader *reader, const struct hcl_item *item, char **ret) NODISCARD;

/* One of the words CHOICES (NULL-terminated): its number. */
int config_take_choice(
    struct config_reader *reader, const struct hcl_item *item, const char *const *choices, unsigned *ret) NODISCARD;

/* The time between things that are done again and again: like "5m", or 0 for never, in seconds. */
int config_take_interval(struct config_reader *reader, const struct hcl_item *item, long long *ret) NODISCARD;

enum config_key_type {
	KEY_STRING,  /* char * */
	KEY_STRINGS, /* char **, NULL-terminated */
	KEY_BOOL,    /* as Vault takes it: true, "true", 1 */
	KEY_ALLOW, /* bool: "deny" or "allow" */
	KEY_USE,   /* bool: "login" or "use" */
	KEY_END,   /* enum session_kill: "none", "kill-session" or "kill-user" */
	KEY_TIME,  /* long long, seconds: a time like "5m", or 0 */
	KEY_TLS,     /* bool: "tls12" or "tls13" */
	KEY_BLOCK,   /* a block without a label: its own KEYS, into the same target */
	KEY_LATER,   /* known, but not built yet */
};

struct config_key {
	const char *name;
	enum config_key_type type;
	size_t offset; /* in the target */
	const struct config_key *keys;
	size_t n_keys;
};

#define CONFIG_KEYS_MAX 16

/* The keys of BLOCK into TARGET; other keys than KEYS (at most CONFIG_KEYS_MAX) are refused. All faults are told. */
int config_read_keys(struct config_reader *reader, const struct hcl_item *block, const struct config_key *keys,
    size_t n_keys, void *target) NODISCARD;

/* --- blocks (config_blocks.c) --------------------------------------------------------------------------------------
 */

/* One item of the file's top level: 0, -EINVAL, -ENOMEM. */
int config_read_item(struct config_reader *reader, const struct hcl_item *item) NODISCARD;

/* The label of BLOCK into *RET, the block's own. */
int config_check_label(struct config_reader *reader, const struct hcl_item *block, const char **ret) NODISCARD;

/* The seal block (config_seal.c), whichever kind it is of: 0, -EINVAL, -ENOMEM. */
int config_read_seal(struct config_reader *reader, const struct hcl_item *block) NODISCARD;

/* The keys of a consumer block (config_consumer.c) into CONSUMER: 0, -EINVAL, -ENOMEM. */
int config_read_consumer(
    struct config_reader *reader, const struct hcl_item *block, struct consumer_config *consumer) NODISCARD;

/* --- words (config_words.c) --------------------------------------------------------------------------------------- */

/*
 * Refuses ITEM, whose word is not one of KNOWN (NULL-terminated): says what to do where it is Vault's in a BLOCK ("" at the
 * top), which known word is close, or all of them. WHERE, as " in a listener block", goes behind the word. -EINVAL.
 */
int config_unknown(struct config_reader *reader, const struct hcl_item *item, const char *block, const char *where,
    const char *const *known);

/* The keys of a listener block (config_listener.c) into LISTENER: 0, -EINVAL, -ENOMEM. */
int config_read_listener(
    struct config_reader *reader, const struct hcl_item *block, struct listener_config *listener) NODISCARD;

/* Whether HOST can stand in a policy path: what a short host name has, in lower case. */
bool config_host_valid(const char *host);
