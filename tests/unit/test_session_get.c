/* SPDX-License-Identifier: Apache-2.0 */
/* `k8sauth get`: whose session, which block, one lease for all who ask, and the file that appears. */
#include "session_fakes.h"

#include <stdio.h>

#include "base/macros.h"

#define UID 70001 /* of FAKE_USER */

static struct export_config blocks[5];
static char id[64];

static struct answer {
	unsigned n;
	int status;
	char text[512]; /* JSON, or why not */
} answer;

static void on_got(void *arg, int status, json_t *reply, const char *why)
{
	struct answer *got = arg;
	char *text = reply ? json_dumps(reply, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

	got->n++;
	got->status = status;
	snprintf(got->text, sizeof(got->text), "%s", text ? text : why);
	free(text);
	json_decref(reply);
}

static void get_as(uid_t uid, const char *name, const char *session)
{
	answer = (struct answer){ 0 };
	sessions_admin_get(world.sessions, uid, name, session, on_got, &answer);
	world_run();
}

static void expect(int status, const char *text)
{
	if (answer.n != 1 || answer.status != status || !strstr(answer.text, text))
		fail_msg("%u answers, %d %s; not %d %s", answer.n, answer.status, answer.text, status, text);
}

/* A changeable copy; the room is enough for a test. */
static char *text_kept(const char *text)
{
	static char room[1024];
	static size_t at;
	size_t len = strlen(text) + 1;
	char *copy;

	if (at + len > sizeof(room))
		at = 0;
	copy = memcpy(room + at, text, len);
	at += len;
	return copy;
}

static int get_setup(void **state)
{
	static char *others[2];

	world_setup(state);
	others[0] = text_kept("su");
	memset(blocks, 0, sizeof(blocks));
	blocks[0] = (struct export_config){ .name = text_kept("policy"), .policy = true };
	blocks[1] = (struct export_config){ .name = text_kept("password"),
		.path = text_kept("secret/data/{namespace}/db"),
		.field = text_kept("password"),
		.at_use = true };
	blocks[2] = (struct export_config){
		.name = text_kept("whole"), .path = text_kept("kv1/app"), .file = text_kept("whole"), .at_use = true
	};
	blocks[3] = (struct export_config){ .name = text_kept("role"),
		.path = text_kept("database/creds/app"),
		.field = text_kept("role"),
		.file = text_kept("role"),
		.at_use = true };
	blocks[4] = (struct export_config){
		.name = text_kept("other"), .path = text_kept("kv1/other"), .services = others, .at_use = true
	};
	world.config.exports = blocks;
	world.config.n_exports = ARRAY_SIZE(blocks);
	world.config.export_interval = 60;
	world.acl = "{\"root\":false,\"exact_paths\":{},\"glob_paths\":{}}";
	world.mounts = "{\"secret\":{}}";
	world.lease_of = "database/creds/app";
	world.secrets = "{\"secret/data/web/db\":{\"data\":{\"password\":\"s3cr3t\",\"user\":\"u\"},\"metadata\":{}},"
			"\"kv1/app\":{\"a\":\"1\",\"b\":\"2\"},\"database/creds/app\":{}}";
	return 0;
}

static void begin(void)
{
	struct wire_conn login, open;

	login_ok(&login);
	open_ok(&open, login.handle);
	snprintf(id, sizeof(id), "%s", open.session);
	world.requests[0] = '\0';
}

static void test_value(void **state)
{
	begin();
	assert_int_equal(world_files(id), 1); /* nothing of it is read at login */
	get_as(UID, "password", id);
	expect(200, "{\"data\":{\"password\":\"s3cr3t\"},\"field\":\"password\"}");
	assert_string_equal(world.requests, "read secret/data/web/db\n");
	assert_int_equal(world_files(id), 1); /* the block names no file */
	/* What has no lease is what it is now. */
	world.secrets = "{\"secret/data/web/db\":{\"data\":{\"password\":\"s3cr3t-2\"},\"metadata\":{}}}";
	get_as(UID, "password", "");
	expect(200, "s3cr3t-2");
	get_as(0, "password", "");
	expect(200, "s3cr3t-2");
	assert_string_equal(strstr(world.log, "is open") ? "said" : "", "said");
}

static void test_whose(void **state)
{
	char first[64];

	get_as(UID, "password", "");
	expect(404, "no open session of yours");
	begin();
	memcpy(first, id, sizeof(first));
	get_as(UID + 1, "password", "");
	expect(404, "no open session of yours");
	get_as(UID + 1, "password", id);
	expect(403, "is not yours");
	get_as(UID + 1, "password", "nonsense");
	expect(403, "is not yours");
	get_as(0, "password", "nonsense");
	expect(404, "no session nonsense");
	begin();
	get_as(UID, "password", "");
	expect(400, "several sessions are open");
	get_as(UID, "password", first);
	expect(200, "s3cr3t");
	get_as(UID, "nothing", first);
	expect(404, "no export block of that name for service sshd");
	get_as(UID, "other", first);
	expect(404, "no export block of that name for service sshd");
	get_as(UID, "policy", first);
	expect(404, "no export block of that name for service sshd");
	world.lease = 1;
	world.renew_status = 403;
	world_wait(3600000);
	get_as(UID, "password", first);
	expect(400, "has expired");
}

static void test_troubles(void **state)
{
	begin();
	world.secrets = "{\"secret/data/web/db\":403,\"kv1/app\":{}}";
	get_as(UID, "password", id);
	expect(403, "export block \"password\": secret/data/web/db cannot be read");
	world.secrets = "{}";
	get_as(UID, "password", id);
	expect(404, "404");
	world.secrets = "{\"secret/data/web/db\":{\"data\":{\"user\":\"u\"},\"metadata\":{}}}";
	get_as(UID, "password", id);
	expect(404, "secret/data/web/db has no field password");
	world.outage_status = 503;
	get_as(UID, "password", id);
	expect(503, "Vault is sealed");
	world.outage_status = 0;
	/* Nobody can fill the journal with that. */
	assert_false(world_logged("cannot be read"));
	world.secrets = "{\"kv1/app\":{\"a\":\"1\"}}";
	world.helper_status = WIRE_STATUS_UNAVAILABLE;
	get_as(UID, "whole", id);
	expect(503, "the file whole cannot be written: helper: no space left");
	world.helper_status = WIRE_STATUS_OK;
	get_as(UID, "whole", id);
	expect(200, "\"a\":\"1\"");
	assert_true(world_file(id, "secrets/whole/a", "1"));
}

/* Once it is used, its file is rotated like the others, also by the next daemon. */
static void test_file(void **state)
{
	begin();
	get_as(UID, "whole", id);
	expect(200, "{\"data\":{\"a\":\"1\",\"b\":\"2\"}}");
	assert_true(world_file(id, "secrets/whole/a", "1"));
	assert_int_equal(world_files(id), 3);
	world.log[0] = '\0';
	world_wait(60000);
	assert_int_equal(world.n_rotated, 0);
	world.secrets = "{\"kv1/app\":{\"a\":\"3\"}}";
	world_wait(60000);
	assert_true(world_file(id, "secrets/whole/a", "3"));
	assert_int_equal(world_files(id), 2);
	assert_int_equal(world.n_rotated, 1);
	world_restart();
	world_wait(60000);
	assert_int_equal(world.n_rotated, 1);
	assert_int_equal(world_files(id), 2);
	world.secrets = "{\"kv1/app\":{\"a\":\"4\"}}";
	world_wait(60000);
	assert_true(world_file(id, "secrets/whole/a", "4"));
	/* Fetched between a restart and the first look. */
	world_restart();
	get_as(UID, "whole", id);
	expect(200, "4");
	world_wait(60000);
	world_wait(60000);
	assert_true(world_file(id, "secrets/whole/a", "4"));
}

/* While a rotation is under way, its file stays and is not forgotten. */
static void test_file_meanwhile(void **state)
{
	begin();
	world.hold = "resultant-acl";
	world_wait(60000);
	get_as(UID, "whole", id);
	expect(200, "\"a\":\"1\"");
	world_release();
	assert_int_equal(world_files(id), 3);
	world_wait(60000);
	assert_int_equal(world_files(id), 3);
	assert_int_equal(world.n_rotated, 0);
}

static void test_lease(void **state)
{
	struct answer first = { 0 }, second = { 0 };

	begin();
	/* Both at once: one database role. */
	sessions_admin_get(world.sessions, UID, "role", id, on_got, &first);
	sessions_admin_get(world.sessions, UID, "role", id, on_got, &second);
	world_run();
	assert_int_equal(first.status, 200);
	assert_string_equal(first.text,
	    "{\"data\":{\"role\":\"lease-1\"},\"field\":\"role\",\"lease_duration\":60,\"lease_id\":\"lease-1\","
	    "\"renewable\":false}");
	assert_string_equal(second.text, first.text);
	get_as(UID, "role", id);
	expect(200, "lease-1");
	assert_int_equal(world.leases, 1);
	assert_true(world_file(id, "secrets/role", "lease-1"));
	/* It is not looked at, and stays. */
	world_wait(30000);
	get_as(UID, "role", id);
	expect(200, "lease-1");
	/* Its lease is over. */
	world_wait(31000);
	assert_int_equal(world.leases, 1);
	assert_true(world_file(id, "secrets/role", "lease-1"));
	get_as(UID, "role", id);
	expect(200, "lease-2");
	assert_true(world_file(id, "secrets/role", "lease-2"));
	/* Another session's is another one. */
	begin();
	get_as(UID, "role", id);
	expect(200, "lease-3");
}

static void on_login(void *arg, const struct session_login_result *result)
{
	*(enum wire_status *)arg = result->status;
	json_decref(result->data);
}

/* What was made with the token that the session had has died with it. */
static void test_other_token_meanwhile(void **state)
{
	enum wire_status status = WIRE_STATUS_INTERNAL;
	char why[256];

	begin();
	world.hold = "creds/app";
	get_as(UID, "role", id);
	assert_int_equal(answer.n, 0);
	assert_int_equal(sessions_admin_login(world.sessions, UID, id, secret_copy(FAKE_JWT, strlen(FAKE_JWT)), on_login,
			     &status, why, sizeof(why)),
	    0);
	world_run();
	assert_int_equal(status, WIRE_STATUS_OK);
	world_release();
	expect(200, "lease-2");
	get_as(UID, "role", id);
	expect(200, "lease-2");
}

static void test_ends_meanwhile(void **state)
{
	struct wire_conn conn;
	struct answer behind = { 0 };

	begin();
	world.hold = "web/db";
	get_as(UID, "password", id);
	assert_int_equal(answer.n, 0);
	sessions_admin_get(world.sessions, UID, "password", id, on_got, &behind);
	ask(&conn, ask_close(id));
	world_release();
	expect(404, "the session has ended");
	assert_int_equal(behind.status, 404);
	/* The daemon ends. */
	begin();
	world.hold = "web/db";
	get_as(UID, "password", id);
	behind = (struct answer){ 0 };
	sessions_admin_get(world.sessions, UID, "password", id, on_got, &behind);
	world_restart();
	expect(503, "restarting");
	assert_int_equal(behind.status, 503);
	assert_int_equal(behind.n, 1);
}

/* All who wait behind one are answered once, whoever is freed first. */
static void test_many_wait(void **state)
{
	struct answer behind[3] = { 0 };

	begin();
	world.hold = "web/db";
	get_as(UID, "password", id);
	for (size_t i = 0; i < ARRAY_SIZE(behind); i++)
		sessions_admin_get(world.sessions, UID, "password", id, on_got, &behind[i]);
	world_restart();
	expect(503, "restarting");
	for (size_t i = 0; i < ARRAY_SIZE(behind); i++) {
		assert_int_equal(behind[i].n, 1);
		assert_int_equal(behind[i].status, 503);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_value, get_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_whose, get_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_troubles, get_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_file, get_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_file_meanwhile, get_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_lease, get_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_other_token_meanwhile, get_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_many_wait, get_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_ends_meanwhile, get_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
