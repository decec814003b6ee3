/* SPDX-License-Identifier: Apache-2.0 */
/* The engine "system": its paths (vault-core.md 9.5). */
#include "vault/embedded/sys/sys.h"

#include "vault/embedded/audit/audit.h"
#include "vault/embedded/leases.h"
#include "vault/embedded/policies.h"
#include "vault/embedded/wrapping/wrapping.h"

static const struct engine_field no_fields[] = { { 0 } };
static const struct engine_field health_fields[] = {
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
static const struct engine_field mount_fields[] = {
	{ "config", FIELD_MAP, "Settings of the new mount, as its tune path knows them." },
	{ "description", FIELD_STRING, "A text for people." },
	{ "external_entropy_access", FIELD_BOOL, "Kept and shown; without effect." },
	{ "local", FIELD_BOOL, "Kept and shown; without effect." },
	{ "options", FIELD_MAP, "Options of the engine, such as the version of kv." },
	{ "path", FIELD_STRING, "The path of the mount." },
	{ "plugin_name", FIELD_STRING, "An older name of type." },
	{ "plugin_version", FIELD_STRING, "The version of the engine; only the one that is built in." },
	{ "seal_wrap", FIELD_BOOL, "Kept and shown; without effect." },
	{ "type", FIELD_STRING, "The engine, such as kv or kubernetes." },
	/* of tune */
	{ "allowed_managed_keys", FIELD_STRINGS, "Kept and shown; without effect." },
	{ "allowed_response_headers", FIELD_STRINGS, "Kept and shown; no engine sets headers." },
	{ "audit_non_hmac_request_keys", FIELD_STRINGS, "Names of parameters that the audit log shows in clear." },
	{ "audit_non_hmac_response_keys", FIELD_STRINGS, "Names in replies that the audit log shows in clear." },
	{ "default_lease_ttl", FIELD_SECONDS, "The life of a lease or token where nothing else is asked for." },
	{ "listing_visibility", FIELD_STRING, "unauth: the mount is shown to whoever asks; hidden: it is not." },
	{ "max_lease_ttl", FIELD_SECONDS, "The longest life of a lease or token." },
	{ "passthrough_request_headers", FIELD_STRINGS, "Kept and shown; no engine reads headers." },
	{ "delegated_auth_accessors", FIELD_STRINGS, "Kept and shown; without effect." },
	{ "identity_token_key", FIELD_STRING, "Kept and shown; no engine here asks for identity tokens." },
	{ "token_type", FIELD_STRING, "The kind of tokens that an auth method gives." },
	{ "trim_request_trailing_slashes", FIELD_BOOL, "Kept and shown; without effect." },
	{ "user_lockout_config", FIELD_MAP, "Of methods with passwords, which there are none of: refused." },
	{ 0 },
};
static const struct engine_field remount_fields[] = {
	{ "from", FIELD_STRING, "The path of the mount." },
	{ "to", FIELD_STRING, "The path that it gets." },
	{ 0 },
};
static const struct engine_field migration_fields[] = {
	{ "migration_id", FIELD_STRING, "The id that the move was answered with." },
	{ 0 },
};
static const struct engine_field hash_fields[] = {
	{ "algorithm", FIELD_STRING, "sha2-224 to sha2-512, or sha3-224 to sha3-512; sha2-256 without it." },
	{ "format", FIELD_STRING, "hex or base64." },
	{ "input", FIELD_STRING, "The data, in base64." },
	{ "urlalgorithm", FIELD_STRING, "The algorithm, in the path." },
	{ 0 },
};
static const struct engine_field random_fields[] = {
	{ "bytes", FIELD_INT, "How many; 32 without it." },
	{ "format", FIELD_STRING, "hex or base64." },
	{ "source", FIELD_STRING, "Where they come from: platform." },
	{ "urlbytes", FIELD_STRING, "How many, in the path." },
	{ 0 },
};
static const struct engine_field plugin_fields[] = {
	{ "name", FIELD_STRING, "The name of the engine." },
	{ "type", FIELD_STRING, "auth, secret or database." },
	{ "version", FIELD_STRING, "The version that is meant; only the one that is built in." },
	{ 0 },
};
static const struct engine_field policy_fields[] = {
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
static const struct engine_field capabilities_fields[] = {
	CAPABILITIES_PATHS,
	{ "token", FIELD_STRING, "The token that is meant." },
	{ 0 },
};
static const struct engine_field capabilities_accessor_fields[] = {
	CAPABILITIES_PATHS,
	{ "accessor", FIELD_STRING, "The accessor of the token that is meant." },
	{ 0 },
};

static const struct engine_field rotate_fields[] = {
	{ "enabled", FIELD_BOOL, "Whether it is made." },
	{ "interval", FIELD_SECONDS, "After this time; 0 for never, or at least 24h." },
	{ "max_operations", FIELD_INT, "After so many sealed records." },
	{ 0 },
};
static const struct engine_field leases_fields[] = {
	{ "include_child_namespaces", FIELD_BOOL, "Of namespaces, which there are none of." },
	{ "limit", FIELD_STRING, "How many to tell." },
	{ "type", FIELD_STRING, "Which kind: irrevocable." },
	{ 0 },
};
static const struct engine_field leases_count_fields[] = {
	{ "include_child_namespaces", FIELD_BOOL, "Of namespaces, which there are none of." },
	{ "type", FIELD_STRING, "Which kind: irrevocable." },
	{ 0 },
};
static const struct engine_field lease_prefix_fields[] = {
	{ "prefix", FIELD_STRING, "How the ids of the leases begin." },
	{ "sync", FIELD_BOOL, "Whether to wait until it is done." },
	{ 0 },
};
static const struct engine_field lease_fields[] = {
	{ "increment", FIELD_SECONDS, "The life that is wished from now on." },
	{ "lease_id", FIELD_STRING, "The id of the lease." },
	{ "sync", FIELD_BOOL, "Whether to wait until it is done." },
	{ "url_lease_id", FIELD_STRING, "The id of the lease, in the path." },
	{ 0 },
};
/* Each has an older name, with the id in the path or in the body. */
#define LEASES_RENEW(p)                                                                                  \
	{                                                                                                \
		.pattern = (p), .update = leases_renew, .fields = lease_fields, .help = "Renew a lease." \
	}
#define LEASES_REVOKE(p)                                                                                   \
	{                                                                                                  \
		.pattern = (p), .update = leases_revoke, .fields = lease_fields, .help = "Revoke a lease." \
	}
#define LEASES_BELOW(p, handler)                                                                          \
	{                                                                                                 \
		.pattern = (p), .flags = ENGINE_SUDO, .update = (handler), .fields = lease_prefix_fields, \
		.help = "Revoke the leases below a prefix."                                               \
	}
static const struct engine_field wrapping_fields[] = {
	{ "token", FIELD_STRING, "The wrapping token; without it the request's own is meant." },
	{ 0 },
};

static const struct engine_field audit_fields[] = {
	{ "description", FIELD_STRING, "A text for people." },
	{ "local", FIELD_BOOL, "Kept and shown; without effect." },
	{ "options", FIELD_MAP, "Options of the device." },
	{ "path", FIELD_STRING, "The name of the device." },
	{ "type", FIELD_STRING, "The kind of device: file, syslog or socket." },
	{ 0 },
};
static const struct engine_field audit_hash_fields[] = {
	{ "input", FIELD_STRING, "The text." },
	{ "path", FIELD_STRING, "The name of the device." },
	{ 0 },
};
static const struct engine_field audited_header_fields[] = {
	{ "header", FIELD_STRING, "The name of the header." },
	{ "hmac", FIELD_BOOL, "Whether its values are hashed." },
	{ 0 },
};

#define PLUGINS_OF(kind, text)                                                                          \
	{                                                                                               \
		.pattern = "plugins/catalog/" kind,                                                     \
		.flags = ENGINE_SUDO,                                                                   \
	},                                                                                              \
	{                                                                                               \
		.pattern = "plugins/catalog/" kind "/", .flags = ENGINE_SUDO, .list = sys_plugins_list, \
		.fields = plugin_fields, .help = text,                                                  \
	}

#define REKEY(prefix, what)                                                           \
	{                                                                             \
		.pattern = prefix "/init",                                            \
		.flags = ENGINE_RAW | ENGINE_SUDO,                                    \
		.read = sys_rekey_status,                                             \
		.update = sys_rekey_start,                                            \
		.delete = sys_rekey_cancel,                                           \
		.help = "Begin to replace " what "; how far it is; give it up.",      \
	},                                                                            \
	{                                                                             \
		.pattern = prefix "/update",                                          \
		.flags = ENGINE_RAW | ENGINE_SUDO,                                    \
		.update = sys_rekey_update,                                           \
		.help = "Bring a share of the old key; enough of them replace it.",   \
	},                                                                            \
	{                                                                             \
		.pattern = prefix "/verify", .flags = ENGINE_RAW | ENGINE_SUDO,       \
		.read = sys_rekey_verify_status, .update = sys_rekey_verify,          \
		.delete = sys_rekey_verify_restart,                                   \
		.help = "Show the new shares; enough of them put the new key in use.", \
	}

static const struct engine_path paths[] = {
	{ .pattern = "health",
	    .flags = ENGINE_RAW | ENGINE_HEAD,
	    .read = sys_health,
	    .fields = health_fields,
	    .help = "Whether this server is initialised and unsealed, told by the status." },
	{ .pattern = "seal-status",
	    .flags = ENGINE_RAW,
	    .read = sys_seal_status,
	    .help = "The seal: its kind and its state." },
	{ .pattern = "leader", .flags = ENGINE_RAW, .read = sys_leader, .help = "Who is active: always this server." },
	{ .pattern = "init",
	    .flags = ENGINE_RAW,
	    .read = sys_init_status,
	    .update = sys_init,
	    .help = "Whether the store is initialised; initialise it." },
	{ .pattern = "unseal",
	    .flags = ENGINE_RAW,
	    .update = sys_unseal,
	    .help = "Bring a key share; enough of them open the store." },
	{ .pattern = "seal",
	    .flags = ENGINE_RAW | ENGINE_SUDO,
	    .update = sys_seal,
	    .help = "Close the store: everything is refused until it is unsealed." },
	{ .pattern = "step-down",
	    .flags = ENGINE_RAW,
	    .update = sys_step_down,
	    .help = "Does nothing: there is no other server to take over." },
	REKEY("rekey", "the unseal key"),
	REKEY("rekey-recovery-key", "the recovery key"),
	{ .pattern = "rekey/backup",
	    .read = sys_rekey_backup,
	    .delete = sys_rekey_backup_delete,
	    .fields = no_fields,
	    .help = "Shares that were kept encrypted: none, as PGP is not built." },
	{ .pattern = "rekey/recovery-key-backup",
	    .read = sys_rekey_backup,
	    .delete = sys_rekey_backup_delete,
	    .fields = no_fields,
	    .help = "Shares that were kept encrypted: none, as PGP is not built." },
	{ .pattern = "generate-root/attempt",
	    .flags = ENGINE_RAW | ENGINE_SUDO,
	    .read = sys_generate_root_status,
	    .update = sys_generate_root_start,
	    .delete = sys_generate_root_cancel,
	    .help = "Begin to make a root token by key shares; how far it is; give it up." },
	{ .pattern = "generate-root/update",
	    .flags = ENGINE_RAW | ENGINE_SUDO,
	    .update = sys_generate_root_update,
	    .help = "Bring a key share; enough of them make the root token." },
	{ .pattern = "mounts", .read = sys_mounts_list, .fields = no_fields, .help = "The secret engines." },
	{ .pattern = "mounts/{path...}",
	    .read = sys_mounts_read,
	    .update = sys_mounts_write,
	    .delete = sys_mounts_delete,
	    .fields = mount_fields,
	    .help = "A secret engine: read, enable, disable; its settings at .../tune." },
	{ .pattern = "auth", .read = sys_auth_list, .fields = no_fields, .help = "The auth methods." },
	{ .pattern = "auth/{path...}",
	    .flags = ENGINE_SUDO,
	    .read = sys_auth_read,
	    .update = sys_auth_write,
	    .delete = sys_auth_delete,
	    .fields = mount_fields,
	    .help = "An auth method: read, enable, disable; its settings at .../tune." },
	{ .pattern = "audit",
	    .flags = ENGINE_SUDO,
	    .read = audit_list,
	    .fields = no_fields,
	    .help = "The audit devices." },
	{ .pattern = "audit/{path...}",
	    .flags = ENGINE_SUDO,
	    .update = audit_enable,
	    .delete = audit_disable,
	    .fields = audit_fields,
	    .help = "An audit device: enable, disable." },
	{ .pattern = "audit-hash/{path...}",
	    .update = audit_hash_input,
	    .fields = audit_hash_fields,
	    .help = "How an audit device shows a text." },
	{ .pattern = "config/auditing/request-headers",
	    .flags = ENGINE_SUDO,
	    .read = audit_headers_list,
	    .fields = no_fields,
	    .help = "The headers of requests that audit devices show." },
	{ .pattern = "config/auditing/request-headers/{header...}",
	    .flags = ENGINE_SUDO,
	    .read = audit_header_read,
	    .update = audit_header_write,
	    .delete = audit_header_delete,
	    .fields = audited_header_fields,
	    .help = "Whether audit devices show a header of requests." },
	{ .pattern = "remount",
	    .flags = ENGINE_SUDO,
	    .update = sys_remount,
	    .fields = remount_fields,
	    .help = "Move a mount to another path." },
	{ .pattern = "remount/status/{migration_id}",
	    .read = sys_remount_status,
	    .fields = migration_fields,
	    .help = "How a move went." },
	{ .pattern = "policies/acl/",
	    .list = policies_list,
	    .fields = policy_fields,
	    .help = "The names of the policies." },
	{ .pattern = "policies/acl/{name...}",
	    .read = policies_read,
	    .update = policies_write,
	    .delete = policies_delete,
	    .fields = policy_fields,
	    .help = "A policy: read, write, delete." },
	{ .pattern = "policy/",
	    .read = policies_legacy_list,
	    .list = policies_legacy_list,
	    .fields = policy_fields,
	    .help = "The names of the policies, in an older form." },
	{ .pattern = "policy/{name...}",
	    .read = policies_legacy_read,
	    .update = policies_legacy_write,
	    .delete = policies_delete,
	    .fields = policy_fields,
	    .help = "A policy in an older form: read, write, delete." },
	{ .pattern = "leases",
	    .flags = ENGINE_SUDO,
	    .read = leases_irrevocable,
	    .fields = leases_fields,
	    .help = "The leases that cannot be revoked." },
	{ .pattern = "leases/count",
	    .read = leases_count,
	    .fields = leases_count_fields,
	    .help = "How many leases cannot be revoked, by mount." },
	{ .pattern = "leases/tidy",
	    .update = leases_tidy,
	    .fields = no_fields,
	    .help = "Does nothing: there are no leftovers to look for." },
	{ .pattern = "leases/lookup/{prefix...?}",
	    .flags = ENGINE_SUDO,
	    .list = leases_list,
	    .fields = lease_prefix_fields,
	    .help = "The leases below a prefix." },
	{ .pattern = "leases/lookup",
	    .update = leases_lookup,
	    .fields = lease_fields,
	    .help = "What is known of a lease." },
	LEASES_RENEW("leases/renew"),
	LEASES_RENEW("leases/renew/{url_lease_id...}"),
	LEASES_RENEW("renew"),
	LEASES_RENEW("renew/{url_lease_id...}"),
	LEASES_REVOKE("leases/revoke"),
	LEASES_REVOKE("leases/revoke/{url_lease_id...}"),
	LEASES_REVOKE("revoke"),
	LEASES_REVOKE("revoke/{url_lease_id...}"),
	LEASES_BELOW("leases/revoke-prefix/{prefix...}", leases_revoke_prefix),
	LEASES_BELOW("leases/revoke-force/{prefix...}", leases_revoke_force),
	LEASES_BELOW("revoke-prefix/{prefix...}", leases_revoke_prefix),
	LEASES_BELOW("revoke-force/{prefix...}", leases_revoke_force),
	{ .pattern = "capabilities",
	    .update = capabilities_of_token,
	    .fields = capabilities_fields,
	    .help = "What a token may do on paths." },
	{ .pattern = "capabilities-accessor",
	    .update = capabilities_of_accessor,
	    .fields = capabilities_accessor_fields,
	    .help = "What the token of an accessor may do on paths." },
	{ .pattern = "capabilities-self",
	    .update = capabilities_self,
	    .fields = capabilities_fields,
	    .help = "What the token of the request may do on paths." },
	{ .pattern = "tools/hash", .update = sys_tools_hash, .fields = hash_fields, .help = "The digest of data." },
	{ .pattern = "tools/hash/{urlalgorithm...}",
	    .update = sys_tools_hash,
	    .fields = hash_fields,
	    .help = "The digest of data, with the algorithm in the path." },
	{ .pattern = "tools/random", .update = sys_tools_random, .fields = random_fields, .help = "Random bytes." },
	{ .pattern = "tools/random/{urlbytes}",
	    .update = sys_tools_random,
	    .fields = random_fields,
	    .help = "Random bytes: so many, or from such a source." },
	{ .pattern = "tools/random/{source}/{urlbytes}",
	    .update = sys_tools_random,
	    .fields = random_fields,
	    .help = "So many random bytes from such a source." },
	{ .pattern = "plugins/catalog",
	    .read = sys_plugins_list_all,
	    .fields = no_fields,
	    .help = "The engines that can be mounted." },
	{ .pattern = "plugins/catalog/",
	    .flags = ENGINE_SUDO,
	    .read = sys_plugins_list_all,
	    .fields = no_fields,
	    .help = "The engines that can be mounted." },
	PLUGINS_OF("auth", "The auth methods that can be mounted."),
	PLUGINS_OF("secret", "The secret engines that can be mounted."),
	PLUGINS_OF("database", "The database plugins: none here."),
	{ .pattern = "plugins/catalog/{name...}",
	    .flags = ENGINE_SUDO,
	    .read = sys_plugins_read,
	    .fields = plugin_fields,
	    .help = "An engine that can be mounted, by kind and name." },
	{ .pattern = "plugins/pins",
	    .read = sys_plugins_pins,
	    .fields = no_fields,
	    .help = "The versions that are pinned: none, as all engines are built in." },
	{ .pattern = "plugins/pins/" },
	{ .pattern = "plugins/runtimes/catalog",
	    .read = sys_plugins_runtimes,
	    .fields = no_fields,
	    .help = "The container runtimes of plugins: none." },
	{ .pattern = "plugins/runtimes/catalog/",
	    .list = sys_plugins_runtimes,
	    .fields = no_fields,
	    .help = "The container runtimes of plugins: none." },
	{ .pattern = "key-status",
	    .read = sys_key_status,
	    .fields = no_fields,
	    .help = "The key that seals new records, and how many it has sealed." },
	{ .pattern = "rotate",
	    .flags = ENGINE_SUDO,
	    .update = sys_rotate,
	    .fields = no_fields,
	    .help = "Seal new records with a new key; the older ones go on opening what they sealed." },
	{ .pattern = "rotate/config",
	    .read = sys_rotate_config_read,
	    .update = sys_rotate_config_write,
	    .fields = rotate_fields,
	    .help = "When a new key is made without anybody asking for it." },
	{ .pattern = "ha-status", .read = sys_ha_status, .fields = no_fields, .help = "The servers: always this one." },
	{ .pattern = "replication/status",
	    .flags = ENGINE_UNAUTHENTICATED,
	    .read = sys_replication_status,
	    .fields = no_fields,
	    .help = "Replication: there is none." },
	{ .pattern = "version-history/",
	    .list = sys_version_history,
	    .fields = no_fields,
	    .help = "The versions that used this store." },
	{ .pattern = "internal/ui/namespaces",
	    .flags = ENGINE_UNAUTHENTICATED,
	    .read = sys_ui_namespaces,
	    .fields = no_fields,
	    .help = "The namespaces that the caller may know of: the one that there is." },
	{ .pattern = "wrapping/wrap",
	    .update = wrapping_wrap,
	    .help = "Give the data of the request as a wrapped answer." },
	{ .pattern = "wrapping/unwrap",
	    .flags = ENGINE_WRAPPED,
	    .update = wrapping_unwrap,
	    .fields = wrapping_fields,
	    .help = "The answer that a wrapping token holds; once." },
	{ .pattern = "wrapping/rewrap",
	    .flags = ENGINE_WRAPPED,
	    .update = wrapping_rewrap,
	    .fields = wrapping_fields,
	    .help = "Put the answer that a wrapping token holds into a new one." },
	{ .pattern = "wrapping/lookup",
	    .flags = ENGINE_UNAUTHENTICATED | ENGINE_WRAPPED,
	    .read = wrapping_lookup,
	    .update = wrapping_lookup,
	    .fields = wrapping_fields,
	    .help = "Where and when a wrapping token was made." },
	{ .pattern = "internal/ui/resultant-acl",
	    .read = resultant_acl,
	    .fields = no_fields,
	    .help = "What the policies of the request's token come to." },
	{ .pattern = "internal/ui/mounts",
	    .flags = ENGINE_UNAUTHENTICATED,
	    .read = sys_ui_mounts,
	    .fields = no_fields,
	    .help = "The mounts that the caller may know of." },
	{ .pattern = "internal/ui/mounts/{path...}",
	    .flags = ENGINE_UNAUTHENTICATED,
	    .read = sys_ui_mount,
	    .fields = no_fields,
	    .help = "The mount that a path belongs to." },
	{ NULL },
};

const struct engine system_engine = {
	.type = "system",
	.help = "Mounts, policies, status and seal.",
	.paths = paths,
	.mounted = sys_mounted,
	.unmounted = sys_unmounted,
};
