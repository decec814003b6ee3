/* SPDX-License-Identifier: Apache-2.0 */
/* The engine "system": its paths (vault-core.md 9.5). */
#include "vault/embedded/sys/sys.h"

#include "vault/embedded/policies.h"

static const char *const no_fields[] = { NULL };
static const char *const health_fields[] = { "activecode", "drsecondarycode", "performancestandbycode", "perfstandbyok",
	"sealedcode", "standbycode", "standbyok", "uninitcode", NULL };
static const char *const mount_fields[] = { "config", "description", "external_entropy_access", "local", "options",
	"path", "plugin_name", "plugin_version", "seal_wrap", "type",
	/* of tune */
	"allowed_managed_keys", "allowed_response_headers", "audit_non_hmac_request_keys",
	"audit_non_hmac_response_keys", "default_lease_ttl", "listing_visibility", "max_lease_ttl",
	"passthrough_request_headers", "token_type", "user_lockout_config", NULL };
static const char *const policy_fields[] = { "name", "policy", "rules", NULL };
static const char *const capabilities_fields[] = { "path", "paths", NULL };

static const struct engine_path paths[] = {
	{ .pattern = "health", .flags = ENGINE_RAW | ENGINE_HEAD, .read = sys_health, .fields = health_fields },
	{ .pattern = "seal-status", .flags = ENGINE_RAW, .read = sys_seal_status },
	{ .pattern = "leader", .flags = ENGINE_RAW, .read = sys_leader },
	{ .pattern = "init", .flags = ENGINE_RAW, .read = sys_init_status, .update = sys_init },
	{ .pattern = "mounts", .read = sys_mounts_list, .fields = no_fields },
	{ .pattern = "mounts/{path...}",
	    .read = sys_mounts_read,
	    .update = sys_mounts_write,
	    .delete = sys_mounts_delete,
	    .fields = mount_fields },
	{ .pattern = "auth", .read = sys_auth_list, .fields = no_fields },
	{ .pattern = "auth/{path...}",
	    .flags = ENGINE_SUDO,
	    .read = sys_auth_read,
	    .update = sys_auth_write,
	    .delete = sys_auth_delete,
	    .fields = mount_fields },
	{ .pattern = "policies/acl/", .list = policies_list, .fields = policy_fields },
	{ .pattern = "policies/acl/{name...}",
	    .read = policies_read,
	    .update = policies_write,
	    .delete = policies_delete,
	    .fields = policy_fields },
	{ .pattern = "policy/", .read = policies_legacy_list, .list = policies_legacy_list, .fields = policy_fields },
	{ .pattern = "policy/{name...}",
	    .read = policies_legacy_read,
	    .update = policies_legacy_write,
	    .delete = policies_delete,
	    .fields = policy_fields },
	{ .pattern = "capabilities-self", .update = capabilities_self, .fields = capabilities_fields },
	{ .pattern = "internal/ui/resultant-acl", .read = resultant_acl, .fields = no_fields },
	{ .pattern = "internal/ui/mounts",
	    .flags = ENGINE_UNAUTHENTICATED,
	    .read = sys_ui_mounts,
	    .fields = no_fields },
	{ .pattern = "internal/ui/mounts/{path...}",
	    .flags = ENGINE_UNAUTHENTICATED,
	    .read = sys_ui_mount,
	    .fields = no_fields },
	{ NULL },
};

const struct engine system_engine = {
	.type = "system",
	.paths = paths,
};
