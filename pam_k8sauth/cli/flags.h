/* SPDX-License-Identifier: Apache-2.0 */
/* Flags of the command line: one table, from which parser, help and completion are made. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"

enum flag_id {
	FLAG_END,
	/* the connection: every verb that asks the server */
	FLAG_ADDRESS,
	FLAG_AGENT_ADDRESS,
	FLAG_CA_CERT,
	FLAG_CA_PATH,
	FLAG_CLIENT_CERT,
	FLAG_CLIENT_KEY,
	FLAG_DISABLE_REDIRECTS,
	FLAG_HEADER,
	FLAG_NAMESPACE,
	FLAG_NON_INTERACTIVE,
	FLAG_OUTPUT_CURL_STRING,
	FLAG_OUTPUT_POLICY,
	FLAG_POLICY_OVERRIDE,
	FLAG_TLS_SERVER_NAME,
	FLAG_TLS_SKIP_VERIFY,
	FLAG_WRAP_TTL,
	FLAG_LAST_HTTP = FLAG_WRAP_TTL,
	/* output */
	FLAG_DETAILED,
	FLAG_FIELD,
	FLAG_FORMAT,
	/* the verbs' own */
	FLAG_ACCESSOR,
	FLAG_ALLOWED_MANAGED_KEYS,
	FLAG_ALLOWED_RESPONSE_HEADERS,
	FLAG_AUDIT_NON_HMAC_REQUEST_KEYS,
	FLAG_AUDIT_NON_HMAC_RESPONSE_KEYS,
	FLAG_CANCEL,
	FLAG_CAS,
	FLAG_CAS_REQUIRED,
	FLAG_CUSTOM_METADATA,
	FLAG_DECODE,
	FLAG_DEFAULT_LEASE_TTL,
	FLAG_DELETE_VERSION_AFTER,
	FLAG_DESCRIPTION,
	FLAG_DISPLAY_NAME,
	FLAG_ENTITY_ALIAS,
	FLAG_EXPLICIT_MAX_TTL,
	FLAG_EXTERNAL_ENTROPY_ACCESS,
	FLAG_FORCE,
	FLAG_FORCE_NO_CACHE,
	FLAG_GENERATE_OTP,
	FLAG_ID,
	FLAG_INCREMENT,
	FLAG_INIT,
	FLAG_KEY_SHARES,
	FLAG_KEY_THRESHOLD,
	FLAG_LISTING_VISIBILITY,
	FLAG_LOCAL,
	FLAG_MAX_LEASE_TTL,
	FLAG_MAX_VERSIONS,
	FLAG_METADATA,
	FLAG_METHOD,
	FLAG_MIGRATE,
	FLAG_MODE,
	FLAG_MOUNT,
	FLAG_NONCE,
	FLAG_NO_DEFAULT_POLICY,
	FLAG_NO_PRINT,
	FLAG_NO_STORE,
	FLAG_OPTIONS,
	FLAG_ORPHAN,
	FLAG_OTP,
	FLAG_PASSTHROUGH_REQUEST_HEADERS,
	FLAG_PATH,
	FLAG_PERIOD,
	FLAG_PLUGIN_NAME,
	FLAG_PLUGIN_VERSION,
	FLAG_POLICY,
	FLAG_PREFIX,
	FLAG_RECOVERY_SHARES,
	FLAG_RECOVERY_THRESHOLD,
	FLAG_REMOVE_CUSTOM_METADATA,
	FLAG_REMOVE_DATA,
	FLAG_RENEWABLE,
	FLAG_RESET,
	FLAG_RHOST,
	FLAG_ROLE,
	FLAG_SEAL_WRAP,
	FLAG_SELF,
	FLAG_SERVICE,
	FLAG_SESSION,
	FLAG_STATUS,
	FLAG_SYNC,
	FLAG_TARGET,
	FLAG_TOKEN_FILE,
	FLAG_TOKEN_ONLY,
	FLAG_TOKEN_TYPE,
	FLAG_TTL,
	FLAG_TYPE,
	FLAG_USE_LIMIT,
	FLAG_USER,
	FLAG_VERBOSE,
	FLAG_VERIFY,
	FLAG_VERSION,
	FLAG_VERSIONS,
	FLAG_COUNT,
};

enum flag_kind {
	FLAG_STRING,
	FLAG_BOOL,
	FLAG_INT,
	FLAG_DURATION,
	FLAG_STRINGS, /* separated by commas, or the flag again */
	FLAG_PAIRS,   /* key=value, the flag again for the next */
};

struct flag_info {
	const char *name, *alias;
	enum flag_kind kind;
	const char *completes; /* words to choose from; "file"; NULL for anything */
	const char *help;
};

/* What was given. */
struct flag_value {
	const char **texts; /* a bool has "true" or "false" */
	size_t n;
};

extern const struct flag_info flag_table[FLAG_COUNT];

struct cli;
struct verb;

/* Whether VERB takes the flag. */
bool verb_takes(const struct verb *verb, enum flag_id id);

/*
 * Reads the flags at the start of ARGV, as Go's flag package does; the rest are the arguments of CLI. CLI_OK, or
 * CLI_LOCAL after the reason was printed.
 */
int flags_parse(struct cli *cli, int argc, char **argv);
void flags_free(struct cli *cli);

bool flag_given(const struct cli *cli, enum flag_id id);
/* The last text given; NULL without. */
const char *flag_text(const struct cli *cli, enum flag_id id);
/* The same, "" without. */
const char *flag_or_empty(const struct cli *cli, enum flag_id id);
bool flag_true(const struct cli *cli, enum flag_id id);
/* A whole number; OTHERWISE without. */
long long flag_int(const struct cli *cli, enum flag_id id, long long otherwise);
/* A duration in whole seconds; 0 without. */
long long flag_seconds(const struct cli *cli, enum flag_id id);
/* Texts of a FLAG_STRINGS or members of a FLAG_PAIRS; NULL without. The caller owns it. */
struct value *flag_list(const struct cli *cli, enum flag_id id);
struct value *flag_map(const struct cli *cli, enum flag_id id);
