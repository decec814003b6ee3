/* SPDX-License-Identifier: Apache-2.0 */
/* Responses as a Vault client gets them: envelope, errors, the forms without an envelope (vault-core.md 9.2, 9.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "vault/request.h"

/* The body as text, with the request id taken out; "" for none. */
static void assert_body(struct vault_response *response, const char *expected)
{
	json_t *body;
	char *text;

	response->request_id[0] = '\0';
	body = vault_response_body(response);
	text = body ? json_dumps(body, JSON_COMPACT) : strdup("");
	assert_string_equal(text, expected);
	free(text);
	json_decref(body);
}

#define ENVELOPE(data, warnings, type)                                                                  \
	"\"request_id\":\"\",\"lease_id\":\"\",\"renewable\":false,\"lease_duration\":0,\"data\":" data \
	",\"wrap_info\":"                                                                               \
	"null,\"warnings\":" warnings ",\"auth\":null,\"mount_type\":\"" type "\"}"

static void test_envelope(void **state)
{
	struct vault_response *response = vault_response_new();

	(void)state;
	assert_int_equal(strlen(response->request_id), 36);
	response->status = 200;
	assert_body(response, "{" ENVELOPE("null", "null", ""));
	response->data = json_pack("{s:i, s:s}", "data", 1, "lease_id", "mine");
	response->mount_type = "kv";
	vault_response_warn(response, "be %s", "careful");
	vault_response_warn(response, "twice");
	assert_body(response, "{" ENVELOPE("{\"data\":1,\"lease_id\":\"mine\"}", "[\"be careful\",\"twice\"]", "kv"));
	/* A member of the envelope's own name does not hide the envelope's. */
	response->data_on_top = true;
	assert_body(response,
	    "{\"data\":{\"data\":1,\"lease_id\":\"mine\"},\"lease_id\":\"\",\"request_id\":\"\",\"renewable\":false,"
	    "\"lease_duration\":0,\"wrap_info\":null,\"warnings\":[\"be "
	    "careful\",\"twice\"],\"auth\":null,\"mount_type\":"
	    "\"kv\"}");
	response->status = 204;
	assert_body(response, "");
	vault_response_free(response);
}

static void test_lease_and_auth(void **state)
{
	struct vault_response *response = vault_response_new();

	(void)state;
	response->status = 200;
	response->lease_id = strdup("database/creds/x/1");
	response->renewable = true;
	response->lease_duration = 60;
	response->auth = json_pack("{s:s}", "client_token", "t");
	assert_body(response,
	    "{\"request_id\":\"\",\"lease_id\":\"database/creds/x/"
	    "1\",\"renewable\":true,\"lease_duration\":60,\"data\":null,"
	    "\"wrap_info\":null,\"warnings\":null,\"auth\":{\"client_token\":\"t\"},\"mount_type\":\"\"}");
	vault_response_free(response);
}

static void test_errors(void **state)
{
	struct vault_response *response = vault_response_new();

	(void)state;
	response->status = 404;
	assert_body(response, "{\"errors\":[]}");
	assert_string_equal(vault_response_error_text(response), "");
	vault_response_error(response, 400, "no %s", "host");
	assert_int_equal(response->status, 400);
	assert_body(response, "{\"errors\":[\"no host\"]}");
	assert_string_equal(vault_response_error_text(response), "no host");
	vault_response_wrapped_error(response, 500, "%s", "it");
	assert_int_equal(response->status, 500);
	assert_body(response, "{\"errors\":[\"1 error occurred:\\n\\t* it\\n\\n\"]}");
	vault_response_error(response, 400, "\xff");
	assert_body(response, "{\"errors\":[\"internal error\"]}");
	vault_response_free(response);
}

static void test_other_forms(void **state)
{
	struct vault_response *response = vault_response_new();

	(void)state;
	response->status = 404;
	response->envelope_404 = true;
	response->data = json_pack("{s:n}", "data");
	assert_body(response, "{" ENVELOPE("{\"data\":null}", "null", ""));
	response->body = json_pack("{s:b}", "initialized", 1);
	response->status = 501;
	assert_body(response, "{\"initialized\":true}");
	vault_response_free(response);
}

static void test_request(void **state)
{
	struct vault_request *request = vault_request_new(VAULT_LIST, "secret/metadata/");

	(void)state;
	assert_int_equal(request->op, VAULT_LIST);
	assert_string_equal(request->path, "secret/metadata/");
	assert_int_equal(strlen(request->ref), REF_LEN);
	assert_int_equal(request->peer.kind, VAULT_PEER_INTERNAL);
	assert_false(request->internal);
	request->token = secret_copy("t", 1);
	request->data = json_object();
	request->pam = calloc(1, sizeof(*request->pam));
	request->pam->audience = strdup("a");
	request->pam->api_audiences = calloc(2, sizeof(char *));
	request->pam->api_audiences[0] = strdup("b");
	vault_request_free(request);
	vault_request_free(NULL);
	vault_response_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_envelope),
		cmocka_unit_test(test_lease_and_auth),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_other_forms),
		cmocka_unit_test(test_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
