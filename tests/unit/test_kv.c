/* SPDX-License-Identifier: Apache-2.0 */
/* The KV engine against recorded answers of Vault 1.21.4 (kv_replies.txt), and what a transcript cannot show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "core_harness.h"

#include "base/deadline.h"
#include "base/text.h"
#include "vault/embedded/kv/kv.h"

static struct harness harness;

static int open_core(void **state)
{
	harness_open(&harness, NULL);
	return 0;
}

static int close_core(void **state)
{
	harness_close(&harness);
	return 0;
}

static struct vault_response *ask(enum vault_op op, const char *path, const char *data)
{
	json_t *body = data ? json_loads(data, 0, NULL) : NULL;

	assert_true(!data || body);
	return harness_send(&harness, op, path, HARNESS_ROOT, body);
}

static void check(enum vault_op op, const char *path, const char *data, int status, const char *expected)
{
	struct vault_response *response = ask(op, path, data);
	char *text AUTO_FREE = harness_text(response);

	if (response->status != status || (expected && !streq(text, expected)))
		fail_msg("%s %s:\n%d %s\nexpected:\n%d %s", path, data ? data : "", response->status, text, status,
		    expected ? expected : "");
	vault_response_free(response);
}

/* --- the transcript */

static enum vault_op op_of(const char *method)
{
	static const struct {
		const char *method;
		enum vault_op op;
	} ops[] = { { "GET", VAULT_READ }, { "LIST", VAULT_LIST }, { "POST", VAULT_UPDATE }, { "PATCH", VAULT_PATCH },
		{ "DELETE", VAULT_DELETE } };

	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		if (streq(ops[i].method, method))
			return ops[i].op;
	}
	fail_msg("unknown method %s", method);
	return VAULT_READ;
}

/* "BY update" is what root shows as created_by and deleted_by: its name, and the hash of its policies. */
static void shorten_actors(json_t *value)
{
	json_t *member;
	const char *name;
	void *next;
	size_t i;

	json_array_foreach(value, i, member) shorten_actors(member);
	json_object_foreach_safe(value, next, name, member)
	{
		char *by AUTO_FREE = NULL;

		shorten_actors(member);
		if (!json_object_get(member, "actor"))
			continue;
		assert_int_equal(json_object_size(member), 3);
		assert_string_equal(json_string_value(json_object_get(member, "actor")), "token");
		assert_string_equal(json_string_value(json_object_get(member, "client_id")),
		    "0DHqvq2D77kL2/JTPSZkTMJbkFVmUu0TzMi0jiXcFy8=");
		assert_int_not_equal(
		    asprintf(&by, "BY %s", json_string_value(json_object_get(member, "operation"))), -1);
		json_object_set_new(value, name, json_string(by));
	}
}

/* 1 if the answer is not the expected one. */
static int check_line(unsigned line, char *request, const char *expected)
{
	const char *method = strtok(request, " "), *path = strtok(NULL, " "), *data = strtok(NULL, "");
	json_t *body = data ? json_loads(data, 0, NULL) : NULL;
	char *full AUTO_FREE = NULL, *text AUTO_FREE = NULL, *whole AUTO_FREE = NULL, *short_text AUTO_FREE = NULL;
	struct vault_response *response;
	json_auto_t *answer = NULL;

	assert_true(path && (!data || body));
	assert_int_not_equal(asprintf(&full, "secret%s", path), -1);
	response = harness_send(&harness, op_of(method), full, HARNESS_ROOT, body);
	text = harness_text(response);
	answer = json_loads(text, 0, NULL);
	shorten_actors(answer);
	short_text = answer ? json_dumps(answer, JSON_COMPACT | JSON_SORT_KEYS) : strdup("");
	assert_int_not_equal(asprintf(&whole, "%d%s%s", response->status, *short_text ? " " : "", short_text), -1);
	vault_response_free(response);
	if (streq(whole, expected))
		return 0;
	print_message("line %u: %s %s\n  Vault: %s\n  here:  %s\n", line, method, path, expected, whole);
	return 1;
}

static void test_transcript(void **state)
{
	FILE *file = fopen(KV_REPLIES, "r");
	char *line AUTO_FREE = NULL, *request AUTO_FREE = NULL;
	unsigned number = 0, checked = 0;
	int faults = 0;
	size_t size = 0;

	assert_non_null(file);
	while (getline(&line, &size, file) > 0) {
		number++;
		line[strcspn(line, "\n")] = 0;
		if (line[0] == ' ') {
			assert_non_null(request);
			faults += check_line(number, request, line + strspn(line, " "));
			checked++;
		} else if (line[0] && line[0] != '#') {
			free(request);
			request = strdup(line);
		}
	}
	fclose(file);
	assert_int_equal(faults, 0);
	assert_true(checked > 150);
}

/* --- the rest */

static json_t *read_metadata(const char *path)
{
	struct vault_response *response = ask(VAULT_READ, path, NULL);
	json_t *data = json_incref(response->data);

	assert_int_equal(response->status, 200);
	vault_response_free(response);
	return data;
}

static long long number_of(const json_t *data, const char *name)
{
	return json_integer_value(json_object_get(data, name));
}

static void write_times(const char *path, int n)
{
	for (int i = 0; i < n; i++)
		check(VAULT_UPDATE, path, "{\"data\":{\"i\":1}}", 200, NULL);
}

static void test_pruning(void **state)
{
	json_auto_t *ten = NULL, *three = NULL, *largest = NULL;

	write_times("secret/data/p", 12);
	ten = read_metadata("secret/metadata/p");
	assert_int_equal(number_of(ten, "oldest_version"), 3);
	assert_int_equal(json_object_size(json_object_get(ten, "versions")), 10);
	check(VAULT_UPDATE, "secret/metadata/p", "{\"max_versions\":3}", 204, "");
	write_times("secret/data/p", 1);
	three = read_metadata("secret/metadata/p");
	assert_int_equal(number_of(three, "current_version"), 13);
	assert_int_equal(number_of(three, "oldest_version"), 11);
	assert_int_equal(json_object_size(json_object_get(three, "versions")), 3);
	check(VAULT_READ, "secret/data/p", "{\"version\":10}", 404, "{\"errors\":[]}");
	check(VAULT_READ, "secret/data/p", "{\"version\":11}", 200, NULL);
	/* The mount's larger number counts. */
	check(VAULT_UPDATE, "secret/config", "{\"max_versions\":5}", 204, "");
	write_times("secret/data/p", 4);
	largest = read_metadata("secret/metadata/p");
	assert_int_equal(json_object_size(json_object_get(largest, "versions")), 5);
	/* All of it goes, and the next one begins again. */
	check(VAULT_DELETE, "secret/metadata/p", NULL, 204, "");
	check(VAULT_UPDATE, "secret/data/p", "{\"data\":{},\"options\":{\"cas\":0}}", 200, NULL);
	check(VAULT_READ, "secret/data/p", "{\"version\":17}", 404, NULL);
}

static void test_deleted_by_itself(void **state)
{
	struct deadline deadline = deadline_after_ms(10000);
	struct vault_response *response;
	int status = 200;

	check(VAULT_UPDATE, "secret/metadata/t", "{\"delete_version_after\":1}", 204, "");
	check(VAULT_UPDATE, "secret/data/t", "{\"data\":{\"a\":1}}", 200,
	    "{\"data\":{\"created_time\":\"T\",\"custom_metadata\":null,\"deletion_time\":\"T\",\"destroyed\":false,"
	    "\"version\":1}}");
	while (status == 200 && !deadline_passed(deadline)) {
		harness_loop(&harness, 50);
		response = ask(VAULT_READ, "secret/data/t", NULL);
		status = response->status;
		vault_response_free(response);
	}
	assert_int_equal(status, 404);
	check(VAULT_UPDATE, "secret/metadata/t", "{\"delete_version_after\":0}", 204, "");
	check(VAULT_UPDATE, "secret/undelete/t", "{\"versions\":1}", 204, "");
	check(VAULT_READ, "secret/data/t", NULL, 200,
	    "{\"data\":{\"data\":{\"a\":1},\"metadata\":{\"created_time\":\"T\",\"custom_metadata\":null,"
	    "\"deletion_time\":\"\",\"destroyed\":false,\"version\":1}}}");
}

static void test_path_limits(void **state)
{
	char path[4096] = "secret/data/";
	size_t len = strlen(path);

	memset(path + len, 'x', 512);
	check(VAULT_UPDATE, path, "{\"data\":{}}", 200, NULL);
	path[len + 512] = 'x';
	check(VAULT_UPDATE, path, "{\"data\":{}}", 400, NULL);
	for (size_t i = 0; i < 100; i++)
		memcpy(path + len + 2 * i, "y/", 2);
	path[len + 199] = 0;
	check(VAULT_UPDATE, path, "{\"data\":{\"deep\":true}}", 200, NULL);
	check(VAULT_READ, path, NULL, 200, NULL);
	for (size_t i = 0; i < 10; i++) {
		memset(path + len + 250 * i, 'y', 249);
		path[len + 250 * i + 249] = '/';
	}
	path[len + 2499] = 0;
	check(VAULT_UPDATE, path, "{\"data\":{}}", 400, NULL);
}

/* 63 and 64 custom keys of the greatest lengths fit; destroying takes the data only. */
static void test_custom_metadata_limits(void **state)
{
	json_t *custom = json_object(), *body = json_pack("{s:o}", "custom_metadata", custom);
	char key[130], value[513];
	char *text AUTO_FREE = NULL;

	memset(value, 'v', 512);
	value[512] = 0;
	for (int i = 0; i < 64; i++) {
		snprintf(key, sizeof(key), "%0128d", i);
		json_object_set_new(custom, key, json_string(value));
	}
	text = json_dumps(body, 0);
	check(VAULT_UPDATE, "secret/metadata/c", text, 204, "");
	json_object_set_new(custom, "one more", json_string("x"));
	free(text);
	text = json_dumps(body, 0);
	check(VAULT_UPDATE, "secret/metadata/c", text, 400,
	    "{\"errors\":[\"1 error occurred:\\n\\t* custom_metadata validation failed: payload must contain at most "
	    "64 "
	    "keys, provided 65\\n\\n\"]}");
	json_decref(body);
}

/* Who did it: the token's display name and the hash of its policies (the pair was computed by Vault). */
static void test_actor(void **state)
{
	struct login_auth *auth = login_auth_new();
	struct vault_response *login, *response;
	json_auto_t *data = NULL;
	json_t *by;

	check(VAULT_UPDATE, "sys/policies/acl/k4",
	    "{\"policy\":\"path \\\"secret/*\\\" { capabilities = [\\\"create\\\", \\\"update\\\"] }\"}", 204, "");
	auth->display_name = strdup("x-y");
	auth->policies = json_pack("[s, s, s]", "k4", "zz", "aa");
	login = harness_login(&harness, "auth/token/", auth, NULL);
	response = harness_send(&harness, VAULT_UPDATE, "secret/data/who",
	    json_string_value(json_object_get(login->auth, "client_token")), json_pack("{s:{}}", "data"));
	assert_int_equal(response->status, 200);
	data = read_metadata("secret/metadata/who");
	by = json_object_get(data, "last_updated_by");
	assert_string_equal(json_string_value(json_object_get(by, "actor")), "token-x-y");
	assert_string_equal(json_string_value(json_object_get(by, "operation")), "create");
	assert_string_equal(
	    json_string_value(json_object_get(by, "client_id")), "k4WCjQf0H8HCJKLliRMr9GoXBCvnK5pfgXIeDDruMGs=");
	vault_response_free(response);
	vault_response_free(login);
}

/* Create and update are two capabilities: the existence check tells which is asked for. */
static void test_create_and_update(void **state)
{
	struct login_auth *auth = login_auth_new();
	struct vault_response *login, *response;
	const char *token;

	check(VAULT_UPDATE, "sys/policies/acl/creator",
	    "{\"policy\":\"path \\\"secret/data/*\\\" { capabilities = [\\\"create\\\"] }\"}", 204, "");
	auth->policies = json_pack("[s]", "creator");
	login = harness_login(&harness, "auth/token/", auth, NULL);
	token = json_string_value(json_object_get(login->auth, "client_token"));
	response = harness_send(&harness, VAULT_UPDATE, "secret/data/once", token, json_pack("{s:{}}", "data"));
	assert_int_equal(response->status, 200);
	vault_response_free(response);
	response = harness_send(&harness, VAULT_UPDATE, "secret/data/once", token, json_pack("{s:{}}", "data"));
	assert_int_equal(response->status, 403);
	vault_response_free(response);
	check(VAULT_DELETE, "secret/data/once", NULL, 204, "");
	response = harness_send(&harness, VAULT_UPDATE, "secret/data/once", token, json_pack("{s:{}}", "data"));
	assert_int_equal(response->status, 403);
	vault_response_free(response);
	vault_response_free(login);
}

static void test_big_value(void **state)
{
	char *value AUTO_FREE = malloc(1000001), *text AUTO_FREE = NULL;
	struct vault_response *response;

	memset(value, 'b', 1000000);
	value[1000000] = 0;
	assert_int_not_equal(asprintf(&text, "{\"data\":{\"big\":\"%s\"}}", value), -1);
	check(VAULT_UPDATE, "secret/data/big", text, 200, NULL);
	response = ask(VAULT_READ, "secret/data/big", NULL);
	assert_string_equal(json_string_value(json_object_get(json_object_get(response->data, "data"), "big")), value);
	vault_response_free(response);
}

/* --- version 1 */

static void check_lease(const char *path, int64_t seconds)
{
	struct vault_response *response = ask(VAULT_READ, path, NULL);

	assert_int_equal(response->status, 200);
	assert_int_equal(response->lease_duration, seconds);
	assert_false(response->renewable);
	vault_response_free(response);
}

static void test_version_1(void **state)
{
	struct vault_response *response;

	check(VAULT_UPDATE, "sys/mounts/old", "{\"type\":\"kv\"}", 204, "");
	check(VAULT_READ, "old/a", NULL, 404, "{\"errors\":[]}");
	check(VAULT_UPDATE, "old/a", NULL, 400, "{\"errors\":[\"missing data fields\"]}");
	check(VAULT_UPDATE, "old/a", "{\"x\":1,\"path\":\"y\"}", 204, "");
	check(VAULT_UPDATE, "old/a/b/c", "{\"ttl\":\"1h\"}", 204, "");
	check(VAULT_UPDATE, "old/d", "{\"lease\":30}", 204, "");
	check(VAULT_UPDATE, "old/e", "{\"ttl\":\"x\"}", 204, "");
	check(VAULT_LIST, "old/", NULL, 200, "{\"data\":{\"keys\":[\"a\",\"a/\",\"d\",\"e\"]}}");
	check(VAULT_LIST, "old/a/", NULL, 200, "{\"data\":{\"keys\":[\"b/\"]}}");
	check_lease("old/a", 2764800);
	check(VAULT_READ, "old/a", NULL, 200, "{\"data\":{\"path\":\"y\",\"x\":1}}");
	check_lease("old/a/b/c", 3600);
	check_lease("old/d", 30);
	check_lease("old/e", 2764800);
	check(VAULT_UPDATE, "sys/mounts/old/tune", "{\"default_lease_ttl\":\"2h\"}", 204, "");
	check_lease("old/a", 7200);
	check(VAULT_DELETE, "old/a", NULL, 204, "");
	check(VAULT_READ, "old/a", NULL, 404, "{\"errors\":[]}");
	check(VAULT_DELETE, "old/a", NULL, 204, "");
	response = ask(VAULT_PATCH, "old/a", "{\"x\":1}");
	assert_int_equal(response->status, 405);
	vault_response_free(response);
}

/* Waits until MOUNT has its secrets back. */
static void wait_for_upgrade(const char *path)
{
	int64_t end = monotonic_ms() + 20000;
	int status = 400;

	while (status == 400 && monotonic_ms() < end) {
		struct vault_response *response = ask(VAULT_LIST, path, NULL);

		status = response->status;
		vault_response_free(response);
	}
	assert_int_equal(status, 200);
}

/* More secrets than one transaction moves, in several folders. */
static void test_upgrade(void **state)
{
	struct vault_response *response;
	char path[64];

	check(VAULT_UPDATE, "sys/mounts/old", "{\"type\":\"kv\",\"options\":{\"version\":1}}", 204, "");
	for (int i = 0; i < 300; i++) {
		snprintf(path, sizeof(path), "old/f%d/%d", i % 3, i);
		check(VAULT_UPDATE, path, "{\"big\":12345678901234567,\"s\":\"v\"}", 204, "");
	}
	check(VAULT_UPDATE, "old/f0", "{\"at\":\"the top\"}", 204, "");
	for (int i = 0; i < 300; i++) {
		snprintf(path, sizeof(path), "old/%d", i);
		check(VAULT_UPDATE, path, "{\"n\":1}", 204, "");
	}
	check(VAULT_UPDATE, "sys/mounts/old/tune", "{\"options\":{\"version\":\"3\"}}", 400, NULL);
	check(VAULT_READ, "old/7", NULL, 200, NULL);
	response = ask(VAULT_UPDATE, "sys/mounts/old/tune", "{\"options\":{\"version\":\"2\"}}");
	assert_int_equal(response->status, 200);
	assert_int_equal(json_array_size(response->warnings), 1);
	vault_response_free(response);
	wait_for_upgrade("old/metadata/");
	for (int i = 0; i < 300; i++) {
		snprintf(path, sizeof(path), "old/data/f%d/%d", i % 3, i);
		response = ask(VAULT_READ, path, NULL);
		assert_int_equal(response->status, 200);
		assert_int_equal(json_integer_value(json_object_get(json_object_get(response->data, "data"), "big")),
		    12345678901234568);
		vault_response_free(response);
	}
	check(VAULT_READ, "old/data/f0", NULL, 200,
	    "{\"data\":{\"data\":{\"at\":\"the top\"},\"metadata\":{\"created_time\":\"T\",\"custom_metadata\":null,"
	    "\"deletion_time\":\"\",\"destroyed\":false,\"version\":1}}}");
	check(VAULT_READ, "old/data/299", NULL, 200, NULL);
	check(VAULT_UPDATE, "old/data/f0", "{\"data\":{\"a\":1}}", 200, NULL);
	check(VAULT_READ, "old/7", NULL, 404, NULL);
	check(VAULT_UPDATE, "sys/mounts/old/tune", "{\"options\":{\"version\":\"1\"}}", 400, NULL);
}

/* What is marked refuses, and goes on by itself: as after a crash in the middle of an upgrade. */
static int mark(struct call *call)
{
	return kv_upgrade_mark(call, core_mount_of(call->core, "secret/"));
}

static void test_upgrade_goes_on(void **state)
{
	check(VAULT_UPDATE, "secret/data/a", "{\"data\":{\"x\":1}}", 200, NULL);
	assert_int_equal(harness_run(&harness, mark, NULL), 0);
	check(VAULT_LIST, "secret/metadata/", NULL, 400,
	    "{\"errors\":[\"Upgrading from non-versioned to versioned data. This backend will be unavailable for a "
	    "brief period and will resume service shortly.\"]}");
	wait_for_upgrade("secret/metadata/");
	check(VAULT_READ, "secret/data/a", NULL, 200, NULL);
}

static void test_versions_of_mounts(void **state)
{
	check(VAULT_UPDATE, "sys/mounts/new", "{\"type\":\"kv\",\"options\":{\"version\":\"2\"}}", 204, "");
	check(VAULT_UPDATE, "new/data/a", "{\"data\":{}}", 200, NULL);
	check(VAULT_READ, "secret/data/a", NULL, 404, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_transcript, open_core, close_core),
		cmocka_unit_test_setup_teardown(test_pruning, open_core, close_core),
		cmocka_unit_test_setup_teardown(test_deleted_by_itself, open_core, close_core),
		cmocka_unit_test_setup_teardown(test_path_limits, open_core, close_core),
		cmocka_unit_test_setup_teardown(test_custom_metadata_limits, open_core, close_core),
		cmocka_unit_test_setup_teardown(test_actor, open_core, close_core),
		cmocka_unit_test_setup_teardown(test_create_and_update, open_core, close_core),
		cmocka_unit_test_setup_teardown(test_big_value, open_core, close_core),
		cmocka_unit_test_setup_teardown(test_versions_of_mounts, open_core, close_core),
		cmocka_unit_test_setup_teardown(test_version_1, open_core, close_core),
		cmocka_unit_test_setup_teardown(test_upgrade, open_core, close_core),
		cmocka_unit_test_setup_teardown(test_upgrade_goes_on, open_core, close_core),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
