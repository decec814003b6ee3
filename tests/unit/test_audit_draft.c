/* SPDX-License-Identifier: Apache-2.0 */
/* Drafts of audit entries, and the lines that devices with different options make of one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "vault/embedded/audit/audit_internal.h"

#define SALT "7b7e8f2a-0d1c-4a57-93a7-6d2f4f9c1b1e"
/* printf %s root | openssl dgst -sha256 -hmac $SALT */
#define HASH_OF_ROOT \
	"hmac-sha256:" \
	"bf1986d0116fb4fa198a8a59e1cbefbf941d4c82c5793132c5828df734fcd94d"

static char *render(struct audit_draft *draft, struct audit_form form)
{
	struct buf lines = { 0 };

	draft_end(draft);
	form.mac = audit_mac_new(SALT);
	assert_non_null(form.mac);
	assert_int_equal(draft_render(draft->buf.data, draft->buf.len, &form, &lines), 0);
	EVP_MAC_CTX_free(form.mac);
	return buf_take(&lines);
}

static void assert_rendered(struct audit_draft *draft, struct audit_form form, const char *expected)
{
	char *lines = render(draft, form);

	assert_string_equal(lines, expected);
	free(lines);
}

static void hash_of(const char *text, char ret[static AUDIT_HASH_LEN + 1])
{
	EVP_MAC_CTX *mac = audit_mac_new(SALT);

	assert_int_equal(audit_hash(mac, text, strlen(text), ret), 0);
	EVP_MAC_CTX_free(mac);
}

static void test_hash(void **state)
{
	char hash[AUDIT_HASH_LEN + 1];

	hash_of("root", hash);
	assert_string_equal(hash, HASH_OF_ROOT);
	assert_int_equal(strlen(hash), AUDIT_HASH_LEN);
}

static void test_parts(void **state)
{
	struct audit_draft draft = draft_new();
	char expected[512], secret[AUDIT_HASH_LEN + 1], accessor[AUDIT_HASH_LEN + 1], number[AUDIT_HASH_LEN + 1];

	draft_str(&draft, "{\"s\":");
	draft_secret(&draft, "a<b\"", 4);
	draft_str(&draft, ",\"a\":");
	draft_accessor(&draft, "acc");
	draft_str(&draft, ",\"n\":");
	draft_number(&draft, "17");
	draft_str(&draft, ",\"c\":");
	draft_clear(&draft, "x&y", 3);
	draft_str(&draft, ",\"h\":");
	draft_hashed(&draft, "acc", 3); /* even raw */
	draft_str(&draft, "}\n");
	assert_false(draft.buf.failed);
	hash_of("a<b\"", secret);
	hash_of("acc", accessor);
	hash_of("17", number);
	snprintf(expected, sizeof(expected), "{\"s\":\"%s\",\"a\":\"%s\",\"n\":\"%s\",\"c\":\"x\\u0026y\",\"h\":\"%s\"}\n",
	    secret, accessor, number, accessor);
	assert_rendered(&draft, (struct audit_form){ 0 }, expected);
	snprintf(expected, sizeof(expected), "{\"s\":\"%s\",\"a\":\"acc\",\"n\":\"%s\",\"c\":\"x\\u0026y\",\"h\":\"%s\"}\n",
	    secret, number, accessor);
	assert_rendered(&draft, (struct audit_form){ .clear_accessors = true }, expected);
	snprintf(expected, sizeof(expected),
	    "{\"s\":\"a\\u003cb\\\"\",\"a\":\"acc\",\"n\":17,\"c\":\"x\\u0026y\",\"h\":\"%s\"}\n", accessor);
	assert_rendered(&draft, (struct audit_form){ .log_raw = true }, expected);
	buf_free(&draft.buf);
}

static void test_lists(void **state)
{
	struct audit_draft draft = draft_new();
	size_t mark;

	draft_str(&draft, "{\"keys\":");
	mark = draft_begin_list(&draft, 2);
	draft_str(&draft, "[");
	draft_secret(&draft, "a", 1);
	draft_str(&draft, ",");
	draft_secret(&draft, "b", 1);
	draft_str(&draft, "]");
	draft_end_list(&draft, mark);
	draft_str(&draft, "}\n");
	assert_rendered(&draft, (struct audit_form){ .log_raw = true }, "{\"keys\":[\"a\",\"b\"]}\n");
	assert_rendered(&draft, (struct audit_form){ .elide_lists = true }, "{\"keys\":2}\n");
	buf_free(&draft.buf);
}

static void test_values(void **state)
{
	struct audit_draft draft = draft_new();
	json_t *value = json_loads("{\"b\": [\"x\", {\"shown\": \"y\", \"z\": 1.50}], \"a\": {\"shown\": [\"v\", {\"w\": \"u\"}]}, "
				   "\"n\": null, \"t\": true}",
	    0, NULL);
	json_t *clear = json_pack("[s]", "shown");
	struct audit_form clear_form = { .log_raw = true };
	char *lines, hash[AUDIT_HASH_LEN + 1];

	audit_value(&draft, value, AUDIT_SENT, clear);
	lines = render(&draft, (struct audit_form){ 0 });
	hash_of("u", hash);
	assert_non_null(strstr(lines, hash)); /* the name "w" is not one that is shown */
	hash_of("1.5", hash);
	assert_non_null(strstr(lines, hash));
	assert_non_null(strstr(lines, "{\"a\":{\"shown\":[\"v\",{\"w\":\"hmac-sha256:"));
	assert_non_null(strstr(lines, "{\"shown\":\"y\",\"z\":\"hmac-sha256:"));
	assert_non_null(strstr(lines, "\"n\":null,\"t\":true}"));
	free(lines);
	assert_rendered(&draft, clear_form,
	    "{\"a\":{\"shown\":[\"v\",{\"w\":\"u\"}]},\"b\":[\"x\",{\"shown\":\"y\",\"z\":1.5}],\"n\":null,\"t\":true}");
	buf_free(&draft.buf);
	json_decref(value);
	json_decref(clear);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_values),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
