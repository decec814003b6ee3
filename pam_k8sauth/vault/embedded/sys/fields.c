/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of the paths of the engine "system". */
#include "vault/embedded/sys/sys.h"

const struct engine_field sys_health_fields[] = {
	{ "activecode", FIELD_INT, "The status to answer with when unsealed." },
	{ "drsecondarycode", FIELD_INT, "Of replication, which there is none of." },
	{ "performancestandbycode", FIELD_INT, "Of replication, which there is none of." },
	{ "perfstandbyok", FIELD_BOOL, "Of replication, which there is none of." },
	{ "sealedcode", FIELD_INT, "The status to answer with when sealed." },
	{ "haunhealthycode", FIELD_INT, "Of standby servers, which there are none of." },
	{ "removedcode", FIELD_INT, "Of servers that were removed, which there are none of." },
	{ "standbycode", FIELD_INT, "Of standby servers, which there are none of." },
	{ "standbyok", FIELD_BOOL, "Of standby servers, which there are none of." },
	{ "uninitcode", FIELD_INT, "The status to answer with when not initialised." },
	{ 0 },
};
const struct engine_field sys_metrics_fields[] = {
	{ "format", FIELD_STRING, "prometheus, or JSON without it." },
	{ 0 },
};
#define MOUNT_DESCRIPTION { "description", FIELD_STRING, "A text for people." }
#define MOUNT_OPTIONS	  { "options", FIELD_MAP, "Options of the engine, such as the version of kv." }
#define MOUNT_PATH	  { "path", FIELD_STRING, "The path of the mount." }
#define MOUNT_VERSION                                                                                        \
	{                                                                                                    \
		"plugin_version", FIELD_STRING, "The version of the engine; only the one that is built in." \
	}
#define TUNED                                                                                                          \
	{ "allowed_managed_keys", FIELD_STRINGS, "Kept and shown; without effect." },                                  \
	    { "allowed_response_headers", FIELD_STRINGS, "Kept and shown; no engine sets headers." },                  \
	    { "audit_non_hmac_request_keys", FIELD_STRINGS, "Names of parameters that the audit log shows in clear." }, \
	    { "audit_non_hmac_response_keys", FIELD_STRINGS, "Names in replies that the audit log shows in clear." },  \
	    { "default_lease_ttl", FIELD_STRING, "The life of a lease or token where nothing else is asked for." },    \
	    { "delegated_auth_accessors", FIELD_STRINGS, "Kept and shown; without effect." },                          \
	    { "identity_token_key", FIELD_STRING, "Kept and shown; no engine here asks for identity tokens." },        \
	    { "listing_visibility", FIELD_STRING, "unauth: the mount is shown to whoever asks; hidden: it is not." },  \
	    { "max_lease_ttl", FIELD_STRING, "The longest life of a lease or token." },                                \
	    { "passthrough_request_headers", FIELD_STRINGS, "Kept and shown; no engine reads headers." },              \
	    { "token_type", FIELD_STRING, "The kind of tokens that an auth method gives." },                           \
	    { "trim_request_trailing_slashes", FIELD_BOOL, "Kept and shown; without effect." },                        \
	{                                                                                                              \
		"user_lockout_config", FIELD_MAP, "Of methods with passwords, which there are none of: refused."       \
	}
/* A mount, and its settings at .../tune. */
const struct engine_field sys_mount_fields[] = {
	{ "config", FIELD_MAP, "Settings of the new mount, as its tune path knows them." },
	MOUNT_DESCRIPTION,
	{ "external_entropy_access", FIELD_BOOL, "Kept and shown; without effect." },
	{ "local", FIELD_BOOL, "Kept and shown; without effect." },
	MOUNT_OPTIONS,
	MOUNT_PATH,
	{ "plugin_name", FIELD_STRING, "An older name of type." },
	MOUNT_VERSION,
	{ "seal_wrap", FIELD_BOOL, "Kept and shown; without effect." },
	{ "type", FIELD_STRING, "The engine, such as kv or kubernetes." },
	TUNED,
	{ 0 },
};
const struct engine_field sys_tune_fields[] = { TUNED, MOUNT_DESCRIPTION, MOUNT_OPTIONS, MOUNT_PATH, MOUNT_VERSION, { 0 } };
const struct engine_field sys_remount_fields[] = {
	{ "from", FIELD_STRING, "The path of the mount." },
	{ "to", FIELD_STRING, "The path that it gets." },
	{ 0 },
};
const struct engine_field sys_migration_fields[] = {
	{ "migration_id", FIELD_STRING, "The id that the move was answered with." },
	{ 0 },
};
const struct engine_field sys_hash_fields[] = {
	{ "algorithm", FIELD_STRING, "sha2-224 to sha2-512, or sha3-224 to sha3-512; sha2-256 without it." },
	{ "format", FIELD_STRING, "hex or base64." },
	{ "input", FIELD_STRING, "The data, in base64." },
	{ "urlalgorithm", FIELD_STRING, "The algorithm, in the path." },
	{ 0 },
};
const struct engine_field sys_random_fields[] = {
	{ "bytes", FIELD_INT, "How many; 32 without it." },
	{ "format", FIELD_STRING, "hex or base64." },
	{ "source", FIELD_STRING, "Where they come from: platform." },
	{ "urlbytes", FIELD_STRING, "How many, in the path." },
	{ 0 },
};
const struct engine_field sys_plugin_fields[] = {
	{ "name", FIELD_STRING, "The name of the engine." },
	{ "type", FIELD_STRING, "auth, secret or database." },
	{ "version", FIELD_STRING, "The version that is meant; only the one that is built in." },
	{ 0 },
};
const struct engine_field sys_policy_fields[] = {
	{ "name", FIELD_STRING, "The name of the policy." },
	{ "policy", FIELD_STRING, "The text of the policy." },
	{ "rules", FIELD_STRING, "An older name of policy." },
	{ 0 },
};
#define CAPABILITIES_PATHS                                          \
	{ "path", FIELD_STRINGS, "An older name of paths." },       \
	{                                                           \
		"paths", FIELD_STRINGS, "The paths that are meant." \
	}
const struct engine_field sys_capabilities_fields[] = {
	CAPABILITIES_PATHS,
	{ "token", FIELD_STRING, "The token that is meant." },
	{ 0 },
};
const struct engine_field sys_capabilities_accessor_fields[] = {
	CAPABILITIES_PATHS,
	{ "accessor", FIELD_STRING, "The accessor of the token that is meant." },
	{ 0 },
};

const struct engine_field sys_rotate_fields[] = {
	{ "enabled", FIELD_BOOL, "Whether it is made." },
	{ "interval", FIELD_SECONDS, "After this time; 0 for never, or at least 24h." },
	{ "max_operations", FIELD_INT, "After so many sealed records." },
	{ 0 },
};
const struct engine_field sys_quota_fields[] = {
	{ "block_interval", FIELD_SECONDS, "How long who exceeds it gets nothing; 0: until the interval is over." },
	{ "group_by", FIELD_STRING, "Whose requests are counted together: ip." },
	{ "inheritable", FIELD_BOOL, "Of namespaces: true for a quota without a path." },
	{ "interval", FIELD_SECONDS, "The time that the rate is for; a second without it." },
	{ "name", FIELD_STRING, "The name of the quota." },
	{ "path", FIELD_STRING,
	    "The mount or path that is meant; all without it. A * at the end stands for any rest." },
	{ "rate", FIELD_FLOAT, "How many requests a client may make in the interval." },
	{ "role", FIELD_STRING, "Only logins with this role of the auth method at the path." },
	{ "secondary_rate", FIELD_FLOAT, "Of other groupings, which there are none of." },
	{ "type", FIELD_STRING, "The kind of quota: rate-limit." },
	{ 0 },
};
const struct engine_field sys_quotas_fields[] = {
	{ "absolute_rate_limit_exempt_paths", FIELD_STRINGS, "Paths that are never counted." },
	{ "enable_rate_limit_audit_logging", FIELD_BOOL, "Whether the audit trail tells of refused requests." },
	{ "enable_rate_limit_response_headers", FIELD_BOOL, "Whether replies tell how much is left." },
	{ "rate_limit_exempt_paths", FIELD_STRINGS,
	    "Paths that are never counted. A * at the end stands for any rest." },
	{ 0 },
};
const struct engine_field sys_leases_fields[] = {
	{ "include_child_namespaces", FIELD_BOOL, "Of namespaces, which there are none of." },
	{ "limit", FIELD_STRING, "How many to tell." },
	{ "type", FIELD_STRING, "Which kind: irrevocable." },
	{ 0 },
};
const struct engine_field sys_leases_count_fields[] = {
	{ "include_child_namespaces", FIELD_BOOL, "Of namespaces, which there are none of." },
	{ "type", FIELD_STRING, "Which kind: irrevocable." },
	{ 0 },
};
#define LEASE_ID     { "lease_id", FIELD_STRING, "The id of the lease." }
#define LEASE_IN_URL { "url_lease_id", FIELD_STRING, "The id of the lease, in the path." }
#define LEASE_PREFIX { "prefix", FIELD_STRING, "How the ids of the leases begin." }
#define LEASE_SYNC   { "sync", FIELD_BOOL, "Whether to wait until it is done." }
const struct engine_field sys_lease_prefix_fields[] = { LEASE_PREFIX, { 0 } };
const struct engine_field sys_lease_revoke_prefix_fields[] = { LEASE_PREFIX, LEASE_SYNC, { 0 } };
const struct engine_field sys_lease_lookup_fields[] = { LEASE_ID, { 0 } };
const struct engine_field sys_lease_renew_fields[] = {
	{ "increment", FIELD_SECONDS, "The life that is wished from now on." },
	LEASE_ID,
	LEASE_IN_URL,
	{ 0 },
};
const struct engine_field sys_lease_revoke_fields[] = { LEASE_ID, LEASE_SYNC, LEASE_IN_URL, { 0 } };
const struct engine_field sys_wrapping_fields[] = {
	{ "token", FIELD_STRING, "The wrapping token; without it the request's own is meant." },
	{ 0 },
};
const struct engine_field sys_decode_fields[] = {
	{ "encoded_token", FIELD_STRING, "The token as it was answered." },
	{ "otp", FIELD_STRING, "What it was hidden with." },
	{ 0 },
};
const struct engine_field sys_logger_fields[] = {
	{ "level", FIELD_STRING, "error, warn, info or debug." },
	{ "name", FIELD_STRING, "The logger: k8sauth." },
	{ 0 },
};
/* Of paths that answer in every state: their handlers read them by themselves. */
#define SHARE { "key", FIELD_STRING, "A share of the key." }
#define NONCE { "nonce", FIELD_STRING, "The nonce of the operation." }
#define SHAPE(prefix, what)                                                                                 \
	{ prefix "_shares", FIELD_INT, "How many shares of the " what " there are to be." }, {              \
		prefix "_threshold", FIELD_INT, "How many of them are needed."                              \
	}
const struct engine_field sys_init_fields[] = {
	SHAPE("recovery", "recovery key"),
	SHAPE("secret", "unseal key"),
	{ 0 },
};
const struct engine_field sys_unseal_fields[] = {
	SHARE,
	{ "reset", FIELD_BOOL, "Whether the shares that came so far are forgotten." },
	{ 0 },
};
const struct engine_field sys_rekey_fields[] = {
	{ "require_verification", FIELD_BOOL, "Whether the new shares must be shown before the new key is used." },
	SHAPE("secret", "new key"),
	{ 0 },
};
const struct engine_field sys_share_fields[] = { SHARE, NONCE, { 0 } };
const struct engine_field sys_generate_root_fields[] = {
	{ "otp", FIELD_STRING, "What the token is hidden with; one is made without it." },
	{ 0 },
};
