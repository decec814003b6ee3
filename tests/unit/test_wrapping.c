/* SPDX-License-Identifier: Apache-2.0 */
/* Response wrapping: what tests/conformance cannot see: two who unwrap at the same moment, and what is left behind. */
#include <setjmp.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "core_harness.h"

#include "base/deadline.h"
#include "base/text.h"

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

static struct vault_request *request(enum vault_op op, const char *path, json_t *data, int64_t wrap_ttl)
{
	struct vault_request *request = vault_request_new(op, path);

	request->token = secret_copy(HARNESS_ROOT, strlen(HARNESS_ROOT));
	request->peer = (struct vault_peer){ .kind = VAULT_PEER_TCP, .address = "127.0.0.1", .port = 40000 };
	request->data = data;
	request->wrap_ttl = wrap_ttl;
	return request;
}

/* Wraps {"key": "hunter2"}; RET is the wrapping token. */
static void wrap(int64_t ttl, char ret[static TOKEN_SIGNED_LEN + 1])
{
	struct vault_response *response = harness_send_request(
	    &harness, request(VAULT_UPDATE, "sys/wrapping/wrap", json_pack("{s:s}", "key", "hunter2"), ttl));

	assert_int_equal(response->status, 200);
	assert_null(response->data);
	snprintf(ret, TOKEN_SIGNED_LEN + 1, "%s", json_string_value(json_object_get(response->wrap_info, "token")));
	assert_int_equal(strlen(ret), TOKEN_SIGNED_LEN);
	vault_response_free(response);
}

struct outcome {
	int status, answers;
};

static void on_unwrapped(void *arg, struct vault_response *response)
{
	struct outcome *outcome = arg;

	outcome->status = response->status;
	outcome->answers++;
	if (response->status == 200)
		assert_string_equal(
		    "hunter2", json_string_value(json_object_get(json_object_get(response->body, "data"), "key")));
}

static void test_one_opens(void **state)
{
	struct outcome outcomes[8] = { 0 };
	char token[TOKEN_SIGNED_LEN + 1];
	int opened = 0;

	wrap(60, token);
	for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++)
		vault_send(core_vault(harness.core),
		    request(VAULT_UPDATE, "sys/wrapping/unwrap", json_pack("{s:s}", "token", token), 0), on_unwrapped,
		    &outcomes[i]);
	harness_loop(&harness, 500);
	for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++) {
		assert_int_equal(outcomes[i].answers, 1);
		assert_true(outcomes[i].status == 200 || outcomes[i].status == 400);
		opened += outcomes[i].status == 200;
	}
	assert_int_equal(opened, 1);
}

static int none_left(struct call *call)
{
	json_auto_t *names = NULL;
	int r = core_list(call, "cubbyhole/", &names);

	return r < 0 ? r : json_array_size(names) == 0 ? 0 : -EEXIST;
}

static void test_nothing_left(void **state)
{
	struct deadline deadline = deadline_after_ms(20000);
	struct vault_response *response;
	char token[TOKEN_SIGNED_LEN + 1];

	wrap(60, token);
	assert_int_equal(harness_run(&harness, none_left, NULL), -EEXIST);
	response = harness_send(&harness, VAULT_UPDATE, "sys/wrapping/unwrap", token, NULL);
	assert_int_equal(response->status, 200);
	vault_response_free(response);
	assert_int_equal(harness_run(&harness, none_left, NULL), 0);
	wrap(1, token);
	while (harness_run(&harness, none_left, NULL) != 0 && !deadline_passed(deadline))
		harness_loop(&harness, 100);
	assert_int_equal(harness_run(&harness, none_left, NULL), 0);
	response = harness_send(&harness, VAULT_UPDATE, "sys/wrapping/unwrap", token, NULL);
	assert_int_equal(response->status, 400);
	vault_response_free(response);
}

static int look_up(const char *token)
{
	struct vault_response *response = harness_send_request(
	    &harness, request(VAULT_UPDATE, "sys/wrapping/lookup", json_pack("{s:s}", "token", token), 0));
	int status = response->status;

	vault_response_free(response);
	return status;
}

/* No byte of a JWT can be another one, none can be missing, and none can be added. */
static void test_jwt_to_the_byte(void **state)
{
	struct vault_request *wanted = request(VAULT_UPDATE, "sys/wrapping/wrap", json_pack("{s:s}", "key", "x"), 60);
	struct vault_response *response;
	char token[1024], longer[1026];
	size_t len;

	(void)state;
	wanted->wrap_jwt = true;
	response = harness_send_request(&harness, wanted);
	snprintf(token, sizeof(token), "%s", json_string_value(json_object_get(response->wrap_info, "token")));
	vault_response_free(response);
	len = strlen(token);
	assert_true(starts_with(token, "eyJ") && len > 300);
	for (size_t i = 0; i < len; i++) {
		char kept = token[i];

		token[i] = kept == 'A' ? 'B' : 'A';
		assert_int_not_equal(look_up(token), 200);
		token[i] = kept;
	}
	snprintf(longer, sizeof(longer), "%sA", token);
	assert_int_equal(look_up(longer), 403);
	assert_int_equal(look_up(token), 200);
	for (size_t n = len - 1; n > 0; n -= n > 300 ? 1 : 50) {
		token[n] = '\0';
		assert_int_not_equal(look_up(token), 200);
		if (n <= 50)
			break;
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_opens, open_core, close_core),
		cmocka_unit_test_setup_teardown(test_nothing_left, open_core, close_core),
		cmocka_unit_test_setup_teardown(test_jwt_to_the_byte, open_core, close_core),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
