/* SPDX-License-Identifier: Apache-2.0 */
/* The engine "system": mounts, tune, auth methods, UI paths; every answer as Vault 1.21.4 gave it. */
#include "core_fixture.h"

#define UNSUPPORTED_PATH "1 error occurred:\n\t* unsupported path\n\n"
#define UNSUPPORTED_OP	 "1 error occurred:\n\t* unsupported operation\n\n"
#define PREFLIGHT                                                                         \
	"preflight capability check returned 403, please ensure client's policies grant " \
	"access to path "

/* In this order, on one server. */
static const struct {
	enum vault_op op;
	const char *path, *data;
	int status;
	const char *answer; /* the error, or a part of the body; NULL: no body */
} steps[] = {
	{ VAULT_READ, "sys/leader", NULL, 200,
	    "{\"ha_enabled\":false,\"is_self\":false,\"active_time\":\"0001-01-01T00:00:00Z\",\"leader_address\":\"\","
	    "\"leader_cluster_address\":\"\",\"performance_standby\":false,\"performance_standby_last_remote_wal\":"
	    "0}" },
	{ VAULT_READ, "sys/init", NULL, 200, "{\"initialized\":true}" },
	{ VAULT_DELETE, "sys/init", NULL, 405, "" },
	{ VAULT_READ, "sys/internal/specs/openapi", NULL, 200, "{\"openapi\":\"3.0.2\",\"info\":" },
	{ VAULT_HEADER, "sys/health", NULL, 200, "{\"initialized\":true,\"sealed\":false,\"standby\":false," },
	{ VAULT_HEADER, "sys/seal-status", NULL, 405, "" },
	{ VAULT_READ, "sys/health", "{\"activecode\":\"299\"}", 299, "\"initialized\":true" },
	{ VAULT_READ, "sys/health", "{\"activecode\":\"x\"}", 400, "" },
	{ VAULT_READ, "sys/health", "{\"activecode\":\"99\"}", 400, "" },
	{ VAULT_READ, "sys/mounts", "{\"foo\":\"1\"}", 200, "Endpoint ignored these unrecognized parameters: [foo]" },
	{ VAULT_READ, "sys/mounts/", NULL, 404, UNSUPPORTED_PATH },
	{ VAULT_LIST, "sys/mounts/", NULL, 404, UNSUPPORTED_PATH },
	{ VAULT_READ, "sys/mounts/nope", NULL, 400, "No secret engine mount at nope/" },
	{ VAULT_READ, "sys/auth/nope", NULL, 400, "No auth engine at nope/" },
	{ VAULT_READ, "sys/mounts/nope/tune", NULL, 400, "cannot fetch sysview for path \"nope/\"" },
	{ VAULT_READ, "sys/auth/nope/tune", NULL, 400, "cannot fetch sysview for path \"auth/nope/\"" },
	{ VAULT_READ, "sys/mounts/secret/tune", NULL, 200,
	    "\"data\":{\"default_lease_ttl\":2764800,\"description\":\"key/value secret "
	    "storage\",\"force_no_cache\":false,"
	    "\"max_lease_ttl\":2764800,\"options\":{\"version\":\"2\"}}" },
	{ VAULT_READ, "sys/auth/token/tune", NULL, 200, "\"token_type\":\"default-service\"}" },

	{ VAULT_UPDATE, "sys/mounts/kv2",
	    "{\"type\":\"kv-v2\",\"description\":\"d\",\"config\":{\"default_lease_ttl\":\"1h\",\"max_lease_ttl\":7200}"
	    ","
	    "\"foo\":1}",
	    204, NULL },
	{ VAULT_READ, "sys/mounts/kv2", NULL, 200,
	    "\"config\":{\"default_lease_ttl\":3600,\"force_no_cache\":false,\"max_lease_ttl\":7200},"
	    "\"deprecation_status\":\"supported\",\"description\":\"d\",\"external_entropy_access\":false,\"local\":"
	    "false,"
	    "\"options\":{\"version\":\"2\"},\"plugin_version\":\"\"" },
	{ VAULT_READ, "sys/mounts/kv2/", NULL, 200, "\"description\":\"d\"" },
	{ VAULT_UPDATE, "sys/mounts/kv2", "{\"type\":\"kv-v2\"}", 400, "path is already in use at kv2/" },
	{ VAULT_UPDATE, "sys/mounts/kv2/sub", "{\"type\":\"kv-v2\"}", 400, "path is already in use at kv2/" },
	{ VAULT_UPDATE, "sys/mounts/a/b/c", "{\"type\":\"kv\",\"options\":{\"version\":2}}", 204, NULL },
	{ VAULT_READ, "sys/mounts/a/b/c", NULL, 200, "\"options\":{\"version\":\"2\"}" },
	{ VAULT_UPDATE, "sys/mounts/a/b", "{\"type\":\"kv-v2\"}", 400, "path is already in use at a/b/c/" },
	{ VAULT_UPDATE, "sys/mounts/q", "{\"type\":\"kv\",\"options\":{\"version\":\"3\"}}", 400,
	    "nil backend of type \"kv\" returned from factory" },
	{ VAULT_UPDATE, "sys/mounts/kv1", "{\"type\":\"kv-v1\"}", 204, NULL },
	{ VAULT_READ, "sys/mounts/kv1", NULL, 200, "\"options\":{\"version\":\"1\"}" },
	{ VAULT_DELETE, "sys/mounts/kv1", NULL, 204, NULL },
	{ VAULT_UPDATE, "sys/mounts/q", "{}", 400, "backend type must be specified as a string" },
	{ VAULT_UPDATE, "sys/mounts/q", "{\"type\":\"nope\"}", 400, "plugin not found in the catalog: nope" },
	{ VAULT_UPDATE, "sys/mounts/q", "{\"type\":\"system\"}", 400, "mount type of \"system\" is not mountable" },
	{ VAULT_UPDATE, "sys/mounts/q", "{\"type\":\"cubbyhole\"}", 400,
	    "mount type of \"cubbyhole\" is not mountable" },
	{ VAULT_UPDATE, "sys/mounts/sys/x", "{\"type\":\"kv-v2\"}", 400, "cannot mount \"sys/x/\"" },
	{ VAULT_UPDATE, "sys/mounts/auth", "{\"type\":\"kv-v2\"}", 400, "cannot mount \"auth/\"" },
	{ VAULT_UPDATE, "sys/mounts/k8sauth/x", "{\"type\":\"kv-v2\"}", 400, "cannot mount \"k8sauth/x/\"" },
	{ VAULT_UPDATE, "sys/mounts/q",
	    "{\"type\":\"kv-v2\",\"config\":{\"default_lease_ttl\":\"3h\",\"max_lease_ttl\":\"2h\"}}", 400,
	    "given default lease TTL greater than given max lease TTL" },
	{ VAULT_UPDATE, "sys/mounts/q", "{\"type\":\"kv-v2\",\"config\":{\"default_lease_ttl\":\"9999h\"}}", 400,
	    "given default lease TTL greater than system max lease TTL of 2764800" },
	{ VAULT_UPDATE, "sys/mounts/q", "{\"type\":\"kv-v2\",\"config\":{\"default_lease_ttl\":\"x\"}}", 400,
	    "unable to parse default TTL of x: time: invalid duration \"x\"" },
	{ VAULT_UPDATE, "sys/mounts/q", "{\"type\":\"kv-v2\",\"config\":\"x\"}", 400,
	    "Field validation failed: error converting input for field \"config\": '' expected a map, got 'string'" },
	{ VAULT_DELETE, "sys/mounts/a/b/c", NULL, 204, NULL },
	{ VAULT_READ, "sys/mounts/a/b/c", NULL, 400, "No secret engine mount at a/b/c/" },
	{ VAULT_DELETE, "sys/mounts/nope", NULL, 204, NULL },
	{ VAULT_DELETE, "sys/mounts/sys", NULL, 400, "cannot unmount \"sys/\"" },
	{ VAULT_DELETE, "sys/mounts/auth/token", NULL, 400, "cannot unmount \"auth/token/\"" },
	{ VAULT_DELETE, "sys/auth/token", NULL, 400, "token credential backend cannot be disabled" },
	{ VAULT_DELETE, "sys/auth/nope", NULL, 204, NULL },
	{ VAULT_DELETE, "sys/mounts/kv2/tune", NULL, 405, UNSUPPORTED_OP },

	{ VAULT_UPDATE, "sys/auth/k2",
	    "{\"type\":\"kubernetes\",\"description\":\"x\",\"options\":{\"a\":\"b\"},"
	    "\"config\":{\"token_type\":\"service\",\"max_lease_ttl\":\"1h\"}}",
	    204, NULL },
	{ VAULT_READ, "sys/auth/k2", NULL, 200,
	    "\"config\":{\"default_lease_ttl\":0,\"force_no_cache\":false,\"max_lease_ttl\":3600,\"token_type\":"
	    "\"service\"}" },
	{ VAULT_READ, "sys/auth", NULL, 200, ",\"token/\":{\"accessor\":\"auth_token_" },
	{ VAULT_UPDATE, "sys/auth/k2", "{\"type\":\"kubernetes\"}", 400, "path is already in use at k2/" },
	{ VAULT_UPDATE, "sys/auth/token", "{\"type\":\"kubernetes\"}", 400, "path is already in use at token/" },
	{ VAULT_UPDATE, "sys/auth/k3", "{\"type\":\"kubernetes\",\"config\":{\"token_type\":\"x\"}}", 400,
	    "invalid value for 'token_type'" },
	{ VAULT_UPDATE, "sys/auth/k3", "{\"type\":\"kubernetes\",\"config\":{\"token_type\":\"default\"}}", 400,
	    "invalid value for 'token_type'" },
	{ VAULT_UPDATE, "sys/auth/k4", "{\"type\":\"kubernetes\",\"options\":null}", 204, NULL },
	{ VAULT_READ, "sys/auth/k4", NULL, 200, "\"options\":null" },
	{ VAULT_UPDATE, "sys/auth/k5", "{\"type\":\"kubernetes\"}", 204, NULL },
	{ VAULT_READ, "sys/auth/k5", NULL, 200, "\"options\":{}" },
	{ VAULT_UPDATE, "sys/auth/k3", "{\"type\":\"kv\"}", 400, "plugin not found in the catalog: kv" },
	{ VAULT_UPDATE, "sys/auth/k3", "{\"type\":\"token\"}", 400, "token credential backend cannot be instantiated" },
	{ VAULT_READ, "sys/mounts/auth/k2/tune", NULL, 200,
	    "\"data\":{\"default_lease_ttl\":2764800,\"description\":\"x\",\"force_no_cache\":false,\"max_lease_ttl\":"
	    "3600,"
	    "\"options\":{\"a\":\"b\"},\"token_type\":\"service\"}" },
	{ VAULT_UPDATE, "sys/auth/k2/tune",
	    "{\"default_lease_ttl\":\"10m\",\"max_lease_ttl\":\"30m\",\"description\":\"new\",\"token_type\":"
	    "\"default-service\"}",
	    204, NULL },
	{ VAULT_UPDATE, "sys/auth/k2/tune", "{\"token_type\":\"both\"}", 400, "invalid value for 'token_type'" },
	{ VAULT_READ, "sys/auth/k2/tune", NULL, 200,
	    "\"data\":{\"default_lease_ttl\":600,\"description\":\"new\",\"force_no_cache\":false,\"max_lease_ttl\":"
	    "1800,"
	    "\"options\":{\"a\":\"b\"},\"token_type\":\"default-service\"}" },
	{ VAULT_UPDATE, "sys/auth/k2/tune", "{\"default_lease_ttl\":\"1h\"}", 400,
	    "backend max lease TTL of 1800 would be less than backend default lease TTL of 3600" },
	{ VAULT_UPDATE, "sys/auth/k2/tune", "{\"default_lease_ttl\":\"x\"}", 400, "time: invalid duration \"x\"" },
	{ VAULT_UPDATE, "sys/auth/k2/tune", "{\"max_lease_ttl\":\"-1\"}", 400, "max_lease_ttl must not be negative" },
	{ VAULT_UPDATE, "sys/auth/k2/tune", "{\"default_lease_ttl\":\"system\"}", 204, NULL },
	{ VAULT_READ, "sys/auth/k2/tune", NULL, 200,
	    "\"data\":{\"default_lease_ttl\":2764800,\"description\":\"new\"" },
	{ VAULT_UPDATE, "sys/auth/k2/tune", "{\"token_type\":\"nope\"}", 400, "invalid value for 'token_type'" },
	{ VAULT_UPDATE, "sys/auth/k2/tune", "{\"listing_visibility\":\"all\"}", 400, "invalid listing_visibility all" },
	{ VAULT_UPDATE, "sys/auth/k2/tune",
	    "{\"listing_visibility\":\"unauth\",\"audit_non_hmac_request_keys\":\"a,b\"}", 204, NULL },
	{ VAULT_READ, "sys/auth/k2/tune", NULL, 200,
	    "\"audit_non_hmac_request_keys\":[\"a\",\"b\"],\"listing_visibility\":\"unauth\"" },
	{ VAULT_UPDATE, "sys/auth/k2/tune", "{\"user_lockout_config\":{\"lockout_threshold\":\"3\"}}", 400,
	    "tuning of user lockout configuration for auth type \"kubernetes\" not allowed" },
	{ VAULT_UPDATE, "sys/auth/k2/tune", "{\"plugin_version\":\"v1.2\"}", 400,
	    "plugin not found in the catalog: kubernetes, version=v1.2.0" },
	{ VAULT_UPDATE, "sys/auth/k2/tune", "{\"plugin_version\":\"x\"}", 400,
	    "version \"x\" is not a valid semantic version: Malformed version: x" },
	{ VAULT_UPDATE, "sys/auth/nope/tune", "{\"max_lease_ttl\":\"1h\"}", 400,
	    "tune of path \"auth/nope/\" failed: no mount entry found" },
	{ VAULT_UPDATE, "sys/mounts/secret/tune", "{\"options\":{\"version\":\"1\"}}", 400,
	    "cannot downgrade mount from version 2" },
	{ VAULT_UPDATE, "sys/mounts/secret/tune", "{\"options\":{\"version\":\"2\"}}", 204, NULL },
	{ VAULT_UPDATE, "sys/mounts/sys/tune", "{\"max_lease_ttl\":\"1h\"}", 400, "cannot tune \"sys/\"" },
	{ VAULT_DELETE, "sys/auth/k2", NULL, 204, NULL },
	{ VAULT_READ, "auth/k2/role/x", NULL, 404, "no handler for route \"auth/k2/role/x\". route entry not found." },

	{ VAULT_READ, "sys/internal/ui/mounts/secret/data/foo", NULL, 200,
	    "\"config\":{\"default_lease_ttl\":2764800,\"force_no_cache\":false,\"max_lease_ttl\":2764800}" },
	{ VAULT_READ, "sys/internal/ui/mounts/secret", NULL, 200, "\"path\":\"secret/\"},\"wrap_info\":null" },
	{ VAULT_READ, "sys/internal/ui/mounts/auth/token", NULL, 200, "\"path\":\"token/\"" },
	{ VAULT_READ, "sys/internal/ui/mounts/nope/x", NULL, 403, PREFLIGHT "\"nope/x/\"" },
	{ VAULT_READ, "sys/policies/acl", NULL, 405, UNSUPPORTED_OP },
	{ VAULT_LIST, "sys/policies/acl/", NULL, 200, "\"keys\":[\"default\",\"root\"]" },
	{ VAULT_READ, "sys/policy", NULL, 200,
	    "{\"keys\":[\"default\",\"root\"],\"policies\":[\"default\",\"root\"]," },
	{ VAULT_UPDATE, "sys/capabilities-self", "{\"paths\":[\"a\"]}", 200,
	    "{\"a\":[\"root\"],\"capabilities\":[\"root\"]," },
};

static void test_steps(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		struct reply *reply = ask(world, steps[i].op, steps[i].path, "root", steps[i].data);
		bool as_told = !steps[i].answer		? !*reply->text
			       : steps[i].status >= 400 ? streq(reply->error, steps[i].answer)
							: strstr(reply->text, steps[i].answer) != NULL;

		if (reply->status != steps[i].status || !as_told)
			fail_msg("step %zu, %s %s: %d %s", i, steps[i].path, steps[i].data ? steps[i].data : "",
			    reply->status, reply->text);
	}
}

/* A mount's data goes with it, and does not come back. */
static void test_unmount_deletes(void **state)
{
	struct world *world = *state;

	assert_int_equal(ask(world, VAULT_UPDATE, "sys/mounts/t", "root", "{\"type\":\"kv-v2\"}")->status, 204);
	for (int i = 0; i < 3; i++)
		assert_int_equal(
		    ask(world, VAULT_UPDATE, i ? "t/data/a/b" : "t/data/c", "root", "{\"data\":{\"k\":1}}")->status,
		    200);
	assert_int_equal(ask(world, VAULT_DELETE, "sys/mounts/t", "root", NULL)->status, 204);
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/mounts/t", "root", "{\"type\":\"kv-v2\"}")->status, 204);
	assert_int_equal(ask(world, VAULT_READ, "t/data/c", "root", NULL)->status, 404);
	assert_int_equal(ask(world, VAULT_LIST, "t/metadata/", "root", NULL)->status, 404);
}

static int count_folders(struct call *call)
{
	json_t *names;
	int r = core_list(call, "logical/", &names);

	if (r < 0)
		return r;
	*(size_t *)call->state = json_array_size(names);
	json_decref(names);
	return 0;
}

static void test_nothing_left(void **state)
{
	struct world *world = *state;
	size_t before, after;

	assert_int_equal(core_run_now(world->core, count_folders, &before), 0);
	test_unmount_deletes(state);
	assert_int_equal(ask(world, VAULT_DELETE, "sys/mounts/t", "root", NULL)->status, 204);
	assert_int_equal(core_run_now(world->core, count_folders, &after), 0);
	assert_int_equal(before, after);
}

/* Requests on their way while a mount comes and goes see it whole or not at all, and leave nothing behind. */
static void test_mount_and_use(void **state)
{
	struct world *world = *state;
	struct ask mount = { .op = VAULT_UPDATE, .path = "sys/mounts/u", .data = "{\"type\":\"kv-v2\"}" };
	struct ask write = { .op = VAULT_UPDATE, .path = "u/data/x", .data = "{\"data\":{\"k\":1}}" };
	struct ask unmount = { .op = VAULT_DELETE, .path = "sys/mounts/u" };
	struct reply replies[12] = { 0 };
	size_t before, after;

	assert_int_equal(core_run_now(world->core, count_folders, &before), 0);
	send_ask(world, &mount, &replies[0]);
	for (size_t i = 1; i < 11; i++)
		send_ask(world, i == 6 ? &unmount : &write, &replies[i]);
	for (size_t i = 0; i < 11; i++)
		wait_for(world, &replies[i]);
	send_ask(world, &write, &replies[11]);
	wait_for(world, &replies[11]);
	assert_int_equal(replies[0].status, 204);
	assert_int_equal(replies[6].status, 204);
	assert_int_equal(replies[11].status, 404);
	for (size_t i = 0; i < 12; i++) {
		assert_true(replies[i].status == 204 || replies[i].status == 200 || replies[i].status == 404);
		reply_clear(&replies[i]);
	}
	assert_int_equal(core_run_now(world->core, count_folders, &after), 0);
	assert_int_equal(before, after);
}

/* --- with policies */

static char limited[128];

static int log_in(struct call *call)
{
	call->auth = login_auth_new();
	call->auth->display_name = strdup("somebody");
	call->auth->policies = json_pack("[s]", "limited");
	return 0;
}

static const struct engine_path login_paths[] = {
	{ .pattern = "login", .flags = ENGINE_UNAUTHENTICATED, .update = log_in },
	{ NULL },
};
static const struct engine login_engine = { .type = "kubernetes", .auth = true, .paths = login_paths };

static void log_in_with(struct world *world, const char *policy)
{
	json_t *data = json_pack("{s:s}", "policy", policy);
	char *text = json_dumps(data, JSON_COMPACT);

	assert_int_equal(ask(world, VAULT_UPDATE, "sys/policies/acl/limited", "root", text)->status, 204);
	free(text);
	json_decref(data);
	if (!core_mount_of(world->core, "auth/l/login"))
		add_mount(world, &login_engine, "auth/l/");
	assert_int_equal(ask(world, VAULT_UPDATE, "auth/l/login", NULL, NULL)->status, 200);
	snprintf(limited, sizeof(limited), "%s",
	    json_string_value(json_object_get(json_object_get(world->last.body, "auth"), "client_token")));
}

static void test_who_sees_mounts(void **state)
{
	struct world *world = *state;

	assert_int_equal(ask(world, VAULT_READ, "sys/internal/ui/mounts", NULL, NULL)->status, 200);
	assert_non_null(strstr(world->last.text, "\"data\":{\"auth\":{},\"secret\":{}}"));
	assert_int_equal(ask(world, VAULT_READ, "sys/internal/ui/mounts/secret", NULL, NULL)->status, 403);
	assert_string_equal(world->last.error, "permission denied");
	assert_int_equal(ask(world, VAULT_READ, "sys/internal/ui/mounts", "bad", NULL)->status, 403);
	assert_string_equal(world->last.error, "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n");

	log_in_with(world, "path \"other/x\" { capabilities = [\"read\"] }");
	assert_int_equal(ask(world, VAULT_READ, "sys/internal/ui/mounts/secret/data/x", limited, NULL)->status, 403);
	assert_string_equal(world->last.error, PREFLIGHT "\"secret/data/x/\"");
	assert_int_equal(ask(world, VAULT_READ, "sys/internal/ui/mounts", limited, NULL)->status, 200);
	assert_null(strstr(world->last.text, "\"secret/\""));
	assert_non_null(strstr(world->last.text, "\"token/\""));
	for (int i = 0; i < 4; i++) {
		static const char *const policies[] = { "path \"secret/data/app/*\" { capabilities = [\"create\"] }",
			"path \"secret/*\" { capabilities = [\"list\"] }",
			"path \"+/data/x\" { capabilities = [\"read\"] }",
			"path \"se*\" { capabilities = [\"update\"] }" };

		log_in_with(world, policies[i]);
		assert_int_equal(
		    ask(world, VAULT_READ, "sys/internal/ui/mounts/secret/data/x", limited, NULL)->status, 200);
	}
	log_in_with(world,
	    "path \"secret/data/x\" { capabilities = [\"deny\"] } path \"+\" { capabilities = [\"read\"] }"
	    " path \"other/+/x\" { capabilities = [\"read\"] }");
	assert_int_equal(ask(world, VAULT_READ, "sys/internal/ui/mounts/secret/data/x", limited, NULL)->status, 200);
	log_in_with(world, "path \"secret/data/x\" { capabilities = [\"deny\"] }"
			   " path \"other/+/x\" { capabilities = [\"read\"] }");
	assert_int_equal(ask(world, VAULT_READ, "sys/internal/ui/mounts/secret/data/x", limited, NULL)->status, 403);
}

static void test_sudo(void **state)
{
	struct world *world = *state;
	const char *body = "{\"type\":\"kubernetes\"}";

	log_in_with(world, "path \"sys/auth/*\" { capabilities = [\"create\", \"update\", \"delete\"] }"
			   " path \"sys/mounts/*\" { capabilities = [\"update\"] }");
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/auth/k9", limited, body)->status, 403);
	assert_string_equal(world->last.error, "1 error occurred:\n\t* permission denied\n\n");
	assert_non_null(strstr(world->last.reason, "sudo"));
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/mounts/kv9", limited, "{\"type\":\"kv-v2\"}")->status, 204);
	assert_int_equal(ask(world, VAULT_DELETE, "sys/mounts/kv9", limited, NULL)->status, 403);
	log_in_with(world, "path \"sys/auth/*\" { capabilities = [\"update\", \"sudo\"] }");
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/auth/k9", limited, body)->status, 204);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_steps, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_unmount_deletes, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_nothing_left, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_mount_and_use, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_who_sees_mounts, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_sudo, world_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
