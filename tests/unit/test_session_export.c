/* SPDX-License-Identifier: Apache-2.0 */
/* What a session gets: named blocks, paths of the policies, limits and names. */
#include "session_fakes.h"

#include <stdio.h>

#include "base/macros.h"

static struct export_config blocks[3];
static const char mounts[] = "{\"secret\":{\"secret/\":{\"type\":\"kv\",\"options\":{\"version\":\"2\"}},"
			     "\"kv1/\":{\"type\":\"kv\",\"options\":{\"version\":\"1\"}},"
			     "\"old/\":{\"type\":\"kv\",\"options\":null},"
			     "\"cubbyhole/\":{\"type\":\"cubbyhole\",\"options\":null}},\"auth\":{}}";

static int export_setup(void **state)
{
	world_setup(state);
	memset(blocks, 0, sizeof(blocks));
	world.config.exports = blocks;
	world.mounts = mounts;
	return 0;
}

/* Adds a block; its fields are the caller's to fill. */
static struct export_config *block(const char *name)
{
	struct export_config *added = &blocks[world.config.n_exports++];

	added->name = strdup(name);
	return added;
}

static struct export_config *policy_block(void)
{
	struct export_config *added = block("policy");

	added->policy = true;
	return added;
}

static struct export_config *path_block(const char *name, const char *path)
{
	struct export_config *added = block(name);

	added->path = strdup(path);
	return added;
}

static int export_teardown(void **state)
{
	for (size_t i = 0; i < world.config.n_exports; i++) {
		free(blocks[i].name);
		free(blocks[i].path);
	}
	return world_teardown(state);
}

static char id[64], env[16384];

/* A whole login; how many secret files it has. */
static unsigned open_session(void)
{
	struct wire_conn login, open;

	login_ok(&login);
	world.requests[0] = '\0';
	open_ok(&open, login.handle);
	snprintf(id, sizeof(id), "%s", open.session);
	snprintf(env, sizeof(env), "%s", open.env);
	return world_files(id) - 1;
}

static void test_policy(void **state)
{
	policy_block();
	world.acl = "{\"root\":false,\"exact_paths\":{"
		    "\"secret/data/app/db\":{\"capabilities\":[\"read\"]},"
		    "\"secret/data/app/gone\":{\"capabilities\":[\"read\"]},"
		    "\"secret/data/app/writable\":{\"capabilities\":[\"create\",\"update\"]},"
		    "\"secret/data/app/never\":{\"capabilities\":[\"deny\"]},"
		    "\"secret/metadata/app/db\":{\"capabilities\":[\"read\"]},"
		    "\"kv1/app\":{\"capabilities\":[\"read\"]},"
		    "\"auth/token/lookup-self\":{\"capabilities\":[\"read\"]}},"
		    "\"glob_paths\":{"
		    "\"secret/data/team/\":{\"capabilities\":[\"list\",\"read\"]},"
		    "\"secret/data/team/private\":{\"capabilities\":[\"deny\"]},"
		    "\"secret/data/part/a-\":{\"capabilities\":[\"read\"]},"
		    "\"secret/data/+/x\":{\"capabilities\":[\"read\"]},"
		    "\"cubbyhole/\":{\"capabilities\":[\"read\"]}}}";
	world.secrets =
	    "{\"secret/data/app/db\":{\"data\":{\"user\":\"u\",\"password\":\"s3cr3t\",\"port\":5432,\"rate\":0.1,"
	    "\"tags\":[\"a\", \"b\"],\"none\":null,\"bad key\":\"x\",\"../up\":\"x\",\".hidden\":\"x\"},"
	    "\"metadata\":{\"version\":1}},"
	    "\"secret/metadata/team/\":[\"one\",\"folder/\",\"private\"],"
	    "\"secret/data/team/one\":{\"data\":{\"k\":\"v\"},\"metadata\":{}},"
	    "\"secret/metadata/part/\":[\"a-1\",\"b-1\"],"
	    "\"secret/data/part/a-1\":{\"data\":{\"k\":\"a1\"},\"metadata\":{}}}";
	assert_int_equal(open_session(), 8);
	assert_true(world_file(id, "secrets/secret.data.app.db/rate", "0.1"));
	assert_true(world_file(id, "secrets/secret.data.app.db/user", "u"));
	assert_true(world_file(id, "secrets/secret.data.app.db/password", "s3cr3t"));
	assert_true(world_file(id, "secrets/secret.data.app.db/port", "5432"));
	assert_true(world_file(id, "secrets/secret.data.app.db/tags", "[\"a\",\"b\"]"));
	assert_true(world_file(id, "secrets/secret.data.app.db/none", "null"));
	assert_true(world_file(id, "secrets/secret.data.team.one/k", "v"));
	assert_true(world_file(id, "secrets/secret.data.part.a-1/k", "a1"));
	assert_non_null(strstr(env, "K8SAUTH_SECRETS=/run/k8sauth/sessions/"));
	assert_true(world_logged("secret/data/app/gone cannot be read and is left out: 404"));
	assert_true(world_logged("secret/data/app/db: a key is left out: its name is no safe file name"));
	assert_true(world_logged("secret/data/+/x: paths with + are not followed"));
	assert_false(world_logged("cubbyhole"));
	assert_null(strstr(world.requests, "never"));
	assert_null(strstr(world.requests, "writable"));
	assert_null(strstr(world.requests, "private"));
	assert_null(strstr(world.requests, "b-1"));
	assert_null(strstr(world.requests, "kv1"));
	assert_true(world_logged("is open: 8 secret files"));
}

static void test_policy_wide(void **state)
{
	static const char *const acls[] = {
		"{\"root\":false,\"exact_paths\":{},\"glob_paths\":{\"secret/\":{\"capabilities\":[\"read\"]}}}",
		"{\"root\":false,\"exact_paths\":{},\"glob_paths\":{\"\":{\"capabilities\":[\"read\"]}}}",
		"{\"root\":false,\"exact_paths\":{},\"glob_paths\":{\"secret/data/\":{\"capabilities\":[\"read\"]}}}",
		"{\"root\":false,\"exact_paths\":{},\"glob_paths\":{\"secret/da\":{\"capabilities\":[\"read\"]}}}",
	};

	policy_block();
	world.secrets = "{\"secret/metadata/\":[\"top\",\"folder/\"],"
			"\"secret/data/top\":{\"data\":{\"k\":\"v\"},\"metadata\":{}}}";
	for (size_t i = 0; i < ARRAY_SIZE(acls); i++) {
		world.acl = acls[i];
		assert_int_equal(open_session(), 1);
		assert_true(world_file(id, "secrets/secret.data.top/k", "v"));
	}
}

static void test_policy_troubles(void **state)
{
	policy_block();
	/* The endpoint is forbidden or the backend is down: the login goes on without. */
	world.acl = NULL;
	world.secrets = "{\"sys/internal/ui/resultant-acl\":403,\"sys/internal/ui/mounts\":500}";
	assert_int_equal(open_session(), 0);
	assert_true(world_logged(
	    "the policies cannot be read (sys/internal/ui/resultant-acl), nothing is derived from them: 403"));
	assert_null(strstr(env, "K8SAUTH_SECRETS"));
	world.acl = "{\"root\":true}";
	assert_int_equal(open_session(), 0);
	assert_true(world_logged("a root token allows everything"));
	world.acl =
	    "{\"root\":false,\"exact_paths\":{\"secret/data/a\":{\"capabilities\":[\"read\"]}},\"glob_paths\":{}}";
	world.mounts = NULL;
	assert_int_equal(open_session(), 0);
	assert_true(world_logged("the mounts cannot be read, nothing is derived from the policies: 500"));
	world.mounts = mounts;
	world.acl = "{\"root\":false,\"glob_paths\":{\"secret/data/a/\":{\"capabilities\":[\"read\"]}}}";
	world.secrets = "{\"secret/metadata/a/\":403}";
	assert_int_equal(open_session(), 0);
	assert_true(world_logged("secret/metadata/a/ cannot be listed (the policy needs list there)"));
	/* Odd answers. */
	world.acl = "{\"root\":false,\"exact_paths\":[1],\"glob_paths\":\"x\"}";
	assert_int_equal(open_session(), 0);
	world.acl = "{\"exact_paths\":{\"secret/data/a\":7,\"secret/data/\":{\"capabilities\":[\"read\"]}}}";
	world.mounts = "{\"secret\":[]}";
	assert_int_equal(open_session(), 0);
}

static void test_named(void **state)
{
	char *sshd[] = { (char[]){ "su" }, (char[]){ "sshd" }, NULL }, *others[] = { (char[]){ "su" }, NULL };
	struct export_config *db = path_block("db-password", "secret/data/{namespace}/{service_account}/{host}/{user}");
	struct export_config *whole = path_block("whole", "kv1/app");
	struct export_config *other = path_block("other", "kv1/other");

	db->field = (char[]){ "password" };
	db->file = (char[]){ "db-password" };
	db->variable = (char[]){ "K8SAUTH_DB_PASSWORD" };
	db->services = sshd;
	other->services = others;
	world.secrets = "{\"secret/data/web/app/web-1/k8s_web_app\":{\"data\":{\"password\":\"s3cr3t\",\"user\":\"u\"},"
			"\"metadata\":{}},\"kv1/app\":{\"data\":\"d\",\"x\":\"y\"}}";
	assert_int_equal(open_session(), 3);
	assert_true(world_file(id, "secrets/db-password", "s3cr3t"));
	assert_true(world_file(id, "secrets/kv1.app/data", "d"));
	assert_true(world_file(id, "secrets/kv1.app/x", "y"));
	assert_non_null(strstr(env, "K8SAUTH_DB_PASSWORD=s3cr3t\n"));
	assert_null(strstr(world.requests, "other"));
	/* A name of its own for the directory; a variable without a field has no value. */
	whole->file = (char[]){ "app" };
	whole->variable = (char[]){ "K8SAUTH_APP" };
	assert_int_equal(open_session(), 3);
	assert_true(world_file(id, "secrets/app/x", "y"));
	assert_null(strstr(env, "K8SAUTH_APP="));
	assert_true(world_logged("block \"whole\": a variable needs a field"));
	db->field = (char[]){ "nothing" };
	assert_int_equal(open_session(), 2);
	assert_true(world_logged("block \"db-password\": secret/data/web/app/web-1/k8s_web_app has no field nothing"));
}

static void test_variables(void **state)
{
	static const char *const bad[] = { "VAULT_TOKEN", "K8SAUTH_DIR", "", "1A", "A-B", "A=B" };
	struct export_config *added = path_block("v", "kv1/v");

	added->field = (char[]){ "k" };
	world.secrets = "{\"kv1/v\":{\"k\":\"value\"}}";
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char name[32];

		snprintf(name, sizeof(name), "%s", bad[i]);
		added->variable = name;
		assert_int_equal(open_session(), 1);
		assert_null(strstr(env, "=value"));
		added->variable = NULL;
	}
	added->variable = (char[]){ "APP_V" };
	open_session();
	assert_non_null(strstr(env, "APP_V=value\n"));
	world.secrets = "{\"kv1/v\":{\"k\":{\"a\": 1}}}";
	open_session();
	assert_non_null(strstr(env, "APP_V={\"a\":1}\n"));
}

static void test_templates(void **state)
{
	static const char *const bad[] = { "secret/data/{pod}", "secret/data/{namespace", "/secret/x", "secret//x",
		"secret/../x", "secret/{host}/x" };
	struct export_config *added = path_block("t", "");
	char host[] = "a/b";

	world.config.host = host;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		free(added->path);
		added->path = strdup(bad[i]);
		assert_int_equal(open_session(), 0);
		assert_string_equal(world.requests, "");
	}
	assert_true(world_logged("block \"t\" is left out: it has an unknown template"));
	assert_true(world_logged("block \"t\" is left out: a template's value is no single path segment"));
	free(added->path);
	added->path = NULL;
	assert_int_equal(open_session(), 0);
	assert_true(world_logged("block \"t\" is left out: it has no path"));
}

/* One secret by block and by policy: its field's variable, and each file once. */
static void test_same_secret_twice(void **state)
{
	struct export_config *field = path_block("field", "secret/data/a");

	field->field = (char[]){ "k" };
	field->variable = (char[]){ "APP_K" };
	policy_block();
	world.acl = "{\"exact_paths\":{\"secret/data/a\":{\"capabilities\":[\"read\"]}}}";
	world.secrets = "{\"secret/data/a\":{\"data\":{\"k\":\"v\",\"l\":\"w\"},\"metadata\":{}}}";
	assert_int_equal(open_session(), 2);
	assert_non_null(strstr(env, "APP_K=v\n"));
	field->field = NULL;
	field->variable = NULL;
	assert_int_equal(open_session(), 2);
	field->file = (char[]){ "named" };
	assert_int_equal(open_session(), 2);
	assert_true(world_file(id, "secrets/named/k", "v"));
}

static void test_collisions(void **state)
{
	struct export_config *first, *second;

	policy_block();
	world.acl =
	    "{\"exact_paths\":{\"secret/data/a/b\":{\"capabilities\":[\"read\"]},"
	    "\"secret/data/a.b\":{\"capabilities\":[\"read\"]},\"secret/data/c\":{\"capabilities\":[\"read\"]},"
	    "\"secret/data/d e\":{\"capabilities\":[\"read\"]},\"secret/data/..\":{\"capabilities\":[\"read\"]}}}";
	world.secrets = "{\"secret/data/a/b\":{\"data\":{\"k\":\"1\"},\"metadata\":{}},"
			"\"secret/data/a.b\":{\"data\":{\"k\":\"2\"},\"metadata\":{}},"
			"\"secret/data/c\":{\"data\":{\"k\":\"3\",\"l\":\"4\"},\"metadata\":{}},"
			"\"secret/data/d e\":{\"data\":{\"k\":\"4\"},\"metadata\":{}}}";
	assert_int_equal(open_session(), 2);
	assert_true(world_file(id, "secrets/secret.data.c/k", "3"));
	assert_true(world_logged("secret/data/a/b is left out: another secret has the same name, secret.data.a.b"));
	assert_true(world_logged("secret/data/a.b is left out: another secret has the same name, secret.data.a.b"));
	assert_true(world_logged("secret/data/d e is left out: its name is no safe file name"));
	/* Two fields into one file, and the same field twice. */
	first = path_block("one", "secret/data/c");
	second = path_block("two", "secret/data/c");
	first->field = second->field = (char[]){ "k" };
	first->file = second->file = (char[]){ "f" };
	assert_int_equal(open_session(), 3);
	assert_true(world_file(id, "secrets/f", "3"));
	second->field = (char[]){ "l" };
	assert_int_equal(open_session(), 2);
	assert_true(world_logged("secret/data/c is left out: another secret has the same name, f"));
}

/* A deleted version has no data. */
static void test_no_data(void **state)
{
	path_block("d", "secret/data/d");
	world.secrets = "{\"secret/data/d\":{\"data\":null,\"metadata\":{\"destroyed\":true}}}";
	assert_int_equal(open_session(), 0);
}

static void test_limits(void **state)
{
	char *acl = calloc(1, 1 << 16), *secrets = calloc(1, 6 << 20), *big = calloc(1, 70001), *at = acl,
	     *to = secrets;

	policy_block();
	/* Over 64 KiB alone; 70 secrets; over 2 MiB together. */
	at += sprintf(at, "{\"exact_paths\":{");
	to += sprintf(to, "{");
	for (int i = 0; i < 70; i++) {
		memset(big, 'x', 70000);
		big[i == 0 ? 70000 : 40000] = '\0';
		at += sprintf(at, "%s\"secret/data/s%02d\":{\"capabilities\":[\"read\"]}", i ? "," : "", i);
		to += sprintf(
		    to, "%s\"secret/data/s%02d\":{\"data\":{\"k\":\"%s\"},\"metadata\":{}}", i ? "," : "", i, big);
	}
	strcpy(at, "}}");
	strcpy(to, "}");
	world.acl = acl;
	world.secrets = secrets;
	open_session();
	assert_true(world_logged("secret/data/s00 is left out: more than 64 KiB"));
	assert_true(world_logged("more than 64 secrets: "));
	assert_true(world_logged("is open: 52 secret files")); /* 2 MiB / 40,003 bytes */
	free(acl);
	free(secrets);
	free(big);
}

static void test_many_keys(void **state)
{
	char *secrets = calloc(1, 1 << 16), *at = secrets;

	path_block("m", "kv1/m");
	at += sprintf(at, "{\"kv1/m\":{");
	for (int i = 0; i < 1100; i++)
		at += sprintf(at, "%s\"k%d\":\"\"", i ? "," : "", i);
	strcpy(at, "}}");
	world.secrets = secrets;
	assert_int_equal(open_session(), 1024);
	assert_true(world_logged("more than 1024 files"));
	free(secrets);
}

static void test_many_lists(void **state)
{
	char *acl = calloc(1, 1 << 16), *at = acl;

	policy_block();
	at += sprintf(at, "{\"glob_paths\":{");
	for (int i = 0; i < 66; i++)
		at += sprintf(at, "%s\"secret/data/d%d/\":{\"capabilities\":[\"read\"]}", i ? "," : "", i);
	strcpy(at, "}}");
	world.acl = acl;
	assert_int_equal(open_session(), 0);
	assert_true(world_logged("more than 64 paths with *"));
	free(acl);
}

static void test_variables_together(void **state)
{
	static char field[] = "k", names[3][2] = { "A", "B", "C" };
	char *secrets = calloc(1, 1 << 20), *big = calloc(1, 60001);

	memset(big, 'x', 60000);
	sprintf(secrets, "{\"kv1/a\":{\"k\":\"%s\"},\"kv1/b\":{\"k\":\"%s\"},\"kv1/c\":{\"k\":\"%s\"}}", big, big, big);
	world.secrets = secrets;
	for (int i = 0; i < 3; i++) {
		char path[] = "kv1/a";
		struct export_config *added;

		path[4] = (char)('a' + i);
		added = path_block(path, path);
		added->field = field;
		added->variable = names[i];
	}
	open_session();
	assert_true(world_logged("block \"kv1/c\": C is left out"));
	assert_false(world_logged("block \"kv1/b\": B is left out"));
	free(secrets);
	free(big);
}

/* What is not read in time is left out; the session opens. */
static void test_slow(void **state)
{
	struct wire_conn login, open;

	path_block("a", "kv1/a");
	path_block("b", "kv1/b");
	world.secrets = "{\"kv1/a\":{\"k\":\"1\"},\"kv1/b\":{\"k\":\"2\"}}";
	login_ok(&login);
	world.hold = "kv1/a";
	ask(&open, ask_open(login.handle));
	world_wait(8000);
	assert_false(open.answered);
	world_release();
	assert_int_equal(open.status, WIRE_STATUS_OK);
	assert_true(world_logged("not done within 7 s: the rest is left out"));
	assert_int_equal(world_files(open.session), 1);
	/* A backend that never answers: the module is told before it gives up. */
	login_ok(&login);
	world.hold = "kv1/a";
	ask(&open, ask_open(login.handle));
	world_wait(13100);
	assert_int_equal(open.status, WIRE_STATUS_UNAVAILABLE);
	world_release();
	assert_int_equal(sessions_count(world.sessions), 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, export_setup, export_teardown)
	const struct CMUnitTest tests[] = {
		T(test_policy),
		T(test_policy_wide),
		T(test_policy_troubles),
		T(test_named),
		T(test_variables),
		T(test_templates),
		T(test_same_secret_twice),
		T(test_collisions),
		T(test_no_data),
		T(test_limits),
		T(test_many_keys),
		T(test_many_lists),
		T(test_variables_together),
		T(test_slow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
