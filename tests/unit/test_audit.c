/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit trail where devices fail, hang, come back, and outlive a restart; what entries say is compared with Vault's
 * by tests/conformance.
 */
#include <setjmp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "core_harness.h"

#include "base/deadline.h"
#include "base/text.h"
#include "vault/embedded/core_internal.h"

static struct harness harness;
static char folder[64];

static int open_core(void **state)
{
	snprintf(folder, sizeof(folder), "/tmp/test-audit.XXXXXX");
	assert_non_null(mkdtemp(folder));
	harness_open(&harness, NULL);
	return 0;
}

static int close_core(void **state)
{
	char command[128];

	harness_close(&harness);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

static const char *place(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static int ask(enum vault_op op, const char *path, json_t *data)
{
	struct vault_response *response = harness_send(&harness, op, path, HARNESS_ROOT, data);
	int status = response->status;

	vault_response_free(response);
	return status;
}

static int enable(const char *name, const char *file)
{
	char path[64];

	snprintf(path, sizeof(path), "sys/audit/%s", name);
	return ask(VAULT_UPDATE, path, json_pack("{s:s, s:{s:s}}", "type", "file", "options", "file_path", file));
}

static int write_secret(int value)
{
	return ask(VAULT_UPDATE, "secret/data/a", json_pack("{s:{s:i}}", "data", "n", value));
}

static int read_secret(int *ret)
{
	struct vault_response *response = harness_send(&harness, VAULT_READ, "secret/data/a", HARNESS_ROOT, NULL);
	int status = response->status;

	*ret = (int)json_integer_value(json_object_get(json_object_get(response->data, "data"), "n"));
	vault_response_free(response);
	return status;
}

/* The lines of a file, and how many of them are of TYPE. */
static unsigned count_lines(const char *path, const char *type)
{
	FILE *file = fopen(path, "r");
	char *line = NULL, wanted[64];
	size_t size = 0;
	unsigned n = 0;

	snprintf(wanted, sizeof(wanted), "\"type\":\"%s\"}\n", type);
	while (file && getline(&line, &size, file) > 0) {
		json_t *entry = json_loads(line, 0, NULL);

		assert_non_null(entry);
		json_decref(entry);
		n += ends_with(line, wanted);
	}
	free(line);
	if (file)
		fclose(file);
	return n;
}

static void test_entries(void **state)
{
	int value;

	assert_int_equal(enable("file", place("log")), 204);
	assert_int_equal(count_lines(place("log"), "request"), 1); /* the trial */
	assert_int_equal(count_lines(place("log"), "response"), 1);
	assert_int_equal(write_secret(1), 200);
	assert_int_equal(read_secret(&value), 200);
	assert_int_equal(count_lines(place("log"), "request"), 3);
	assert_int_equal(count_lines(place("log"), "response"), 3);
	assert_int_equal(ask(VAULT_DELETE, "sys/audit/file", NULL), 204);
	assert_int_equal(read_secret(&value), 200);
	assert_int_equal(count_lines(place("log"), "request"), 4);
	assert_int_equal(count_lines(place("log"), "response"), 3);
}

/* A folder in the file's place: nothing is done, nothing is told; and it heals by itself. */
static void test_fails_closed(void **state)
{
	int value;

	assert_int_equal(write_secret(1), 200);
	assert_int_equal(enable("file", place("log")), 204);
	assert_int_equal(unlink(place("log")), 0);
	assert_int_equal(mkdir(place("log"), 0700), 0);
	core_reopen(harness.core);
	assert_int_equal(write_secret(2), 500);
	assert_int_equal(read_secret(&value), 500);
	assert_int_equal(ask(VAULT_DELETE, "sys/audit/file", NULL), 500);
	assert_int_equal(enable("other", place("other")), 500);
	assert_int_equal(ask(VAULT_READ, "sys/health", NULL), 200);
	assert_int_equal(rmdir(place("log")), 0);
	assert_int_equal(read_secret(&value), 200);
	assert_int_equal(value, 1);
	assert_int_equal(write_secret(3), 200);
	assert_int_equal(ask(VAULT_DELETE, "sys/audit/file", NULL), 204);
}

static void test_one_is_enough(void **state)
{
	assert_int_equal(enable("file", place("log")), 204);
	assert_int_equal(enable("other", place("other")), 204);
	assert_int_equal(unlink(place("log")), 0);
	assert_int_equal(mkdir(place("log"), 0700), 0);
	core_reopen(harness.core);
	assert_int_equal(write_secret(2), 200);
	assert_int_equal(ask(VAULT_DELETE, "sys/audit/file", NULL), 204);
	assert_int_equal(ask(VAULT_DELETE, "sys/audit/other", NULL), 204);
}

struct answer {
	bool done;
	int status;
};

static void on_answer(void *arg, struct vault_response *response)
{
	*(struct answer *)arg = (struct answer){ .done = true, .status = response->status };
}

/* A secret of so many members that two entries of it do not fit into a small pipe. */
static void send_large_write(struct answer *answer)
{
	struct vault_request *request = vault_request_new(VAULT_UPDATE, "secret/data/a");
	json_t *data = json_object();

	for (int i = 0; i < 20; i++) {
		char name[8];

		snprintf(name, sizeof(name), "n%d", i);
		json_object_set_new(data, name, json_string("x"));
	}
	json_object_set_new(data, "n", json_integer(5));
	request->token = secret_copy(HARNESS_ROOT, strlen(HARNESS_ROOT));
	request->data = json_pack("{s:o}", "data", data);
	*answer = (struct answer){ 0 };
	vault_send(core_vault(harness.core), request, on_answer, answer);
}

static void wait_answer(struct answer *answer, int64_t limit_ms)
{
	int64_t until = monotonic_ms() + limit_ms;

	while (!answer->done && monotonic_ms() < until)
		event_base_loop(harness.base, EVLOOP_ONCE);
	assert_true(answer->done);
}

/* The request's entry fits, the answer's does not: what was asked for is done, but nobody hears so. */
static void test_answer_fails_closed(void **state)
{
	struct answer answer;
	char bytes[4096];
	int fd, value;

	assert_int_equal(mkfifo(place("pipe"), 0600), 0);
	assert_int_equal(write_secret(1), 200);
	assert_int_equal(enable("pipe", place("pipe")), 400); /* nobody reads it */
	fd = open(place("pipe"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_SETPIPE_SZ, 4096), 4096);
	assert_int_equal(enable("pipe", place("pipe")), 204);
	while (read(fd, bytes, sizeof(bytes)) > 0)
		continue;
	send_large_write(&answer);
	harness_loop(&harness, 300);
	assert_false(answer.done);
	close(fd);
	wait_answer(&answer, 5000);
	assert_int_equal(answer.status, 500);
	fd = open(place("pipe"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(read_secret(&value), 200);
	assert_int_equal(value, 5);
	assert_int_equal(ask(VAULT_DELETE, "sys/audit/pipe", NULL), 204);
	close(fd);
}

/* A pipe that is full, beside a file: whoever asks does not wait, and the loop turns. */
static void test_hanging_device(void **state)
{
	int fd, value;
	int64_t began;

	assert_int_equal(write_secret(1), 200);
	assert_int_equal(mkfifo(place("full"), 0600), 0);
	fd = open(place("full"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(enable("full", place("full")), 204);
	assert_int_equal(enable("file", place("log")), 204);
	began = monotonic_ms();
	for (int i = 0; i < 200; i++)
		assert_int_equal(read_secret(&value), 200);
	assert_true(monotonic_ms() - began < 3000);
	assert_int_equal(ask(VAULT_DELETE, "sys/audit/full", NULL), 204);
	assert_int_equal(ask(VAULT_DELETE, "sys/audit/file", NULL), 204);
	close(fd); /* which ends the thread's wait */
}

/* The last line of a file: the caller's. */
static json_t *last_entry(const char *path)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;
	json_t *entry = NULL;

	while (getline(&line, &size, file) > 0) {
		json_decref(entry);
		entry = json_loads(line, 0, NULL);
	}
	free(line);
	fclose(file);
	assert_non_null(entry);
	return entry;
}

static const json_t *at(const json_t *entry, const char *a, const char *b, const char *c)
{
	const json_t *value = json_object_get(json_object_get(entry, a), b);

	return c ? json_object_get(value, c) : value;
}

/* What the gate of sudo asks: told of as the path that it is about, and who asked by which service. */
static json_t *ask_gate(const char *token, const char *path)
{
	struct vault_request *request = vault_request_new(VAULT_UPDATE, "sys/capabilities-self");

	request->data = json_pack("{s:[s]}", "paths", path);
	request->token = secret_copy(token, strlen(token));
	request->told_path = strdup(path);
	request->told_capability = strdup("update");
	request->headers = json_pack("{s:[s], s:[s]}", VAULT_TOLD_SERVICE, "sudo", VAULT_TOLD_REF, "7f3a2c");
	vault_response_free(harness_send_request(&harness, request));
	return last_entry(place("log"));
}

static void test_questions(void **state)
{
	static const char policy[] = "path \"k8sauth/sudo/web-1\" { capabilities = [\"update\"] }";
	struct vault_response *made;
	const json_t *granting;
	char token[256];
	json_t *entry;

	assert_int_equal(ask(VAULT_UPDATE, "sys/policies/acl/sudo", json_pack("{s:s}", "policy", policy)), 204);
	made = harness_send(
	    &harness, VAULT_UPDATE, "auth/token/create", HARNESS_ROOT, json_pack("{s:[s]}", "policies", "sudo"));
	snprintf(token, sizeof(token), "%s", json_string_value(json_object_get(made->auth, "client_token")));
	vault_response_free(made);
	assert_int_equal(enable("file", place("log")), 204);

	entry = ask_gate(token, "k8sauth/sudo/web-1");
	assert_string_equal(json_string_value(at(entry, "request", "path", NULL)), "k8sauth/sudo/web-1");
	assert_string_equal(json_string_value(at(entry, "request", "operation", NULL)), "update");
	assert_string_equal(json_string_value(json_array_get(at(entry, "request", "headers", "k8sauth-service"), 0)), "sudo");
	assert_string_equal(json_string_value(json_array_get(at(entry, "request", "headers", "k8sauth-ref"), 0)), "7f3a2c");
	assert_true(json_is_true(at(entry, "auth", "policy_results", "allowed")));
	granting = at(entry, "auth", "policy_results", "granting_policies");
	assert_string_equal(json_string_value(json_object_get(json_array_get(granting, 1), "name")), "sudo");
	assert_null(json_object_get(entry, "error"));
	json_decref(entry);

	entry = ask_gate(token, "k8sauth/sudo/web-2");
	assert_true(json_is_false(at(entry, "auth", "policy_results", "allowed")));
	assert_string_equal(
	    json_string_value(json_object_get(entry, "error")), "1 error occurred:\n\t* permission denied\n\n");
	json_decref(entry);
	assert_int_equal(ask(VAULT_UPDATE, "sys/config/auditing/request-headers/k8sauth-user", NULL), 400);
	assert_int_equal(ask(VAULT_DELETE, "sys/audit/file", NULL), 204);
}

static json_t *tell(const char *path, const char *told_path, const char *refusal, int status)
{
	struct vault_request *request = vault_request_new(VAULT_TELL, path);
	struct vault_response *response;

	request->internal = true;
	request->told_path = told_path ? strdup(told_path) : NULL;
	request->told_capability = told_path ? strdup("update") : NULL;
	request->told_refusal = refusal ? strdup(refusal) : NULL;
	request->headers = json_pack("{s:[s], s:[s]}", VAULT_TOLD_SERVICE, "\"<&>\\", VAULT_TOLD_REF, "7f3a2c");
	response = harness_send_request(&harness, request);
	assert_int_equal(response->status, status);
	vault_response_free(response);
	return status == 204 && core_vault(harness.core)->audited_headers ? last_entry(place("log")) : NULL;
}

/* What was decided without the backend: an entry for its request, one for its answer, and nothing else. */
static void test_told(void **state)
{
	json_t *entry;

	assert_null(tell("auth/kubernetes/login", NULL, "no JWT", 204)); /* there is no trail */
	assert_int_equal(ask(VAULT_UPDATE, "sys/auth/kubernetes", json_pack("{s:s}", "type", "kubernetes")), 204);
	assert_int_equal(enable("file", place("log")), 204);

	entry = tell("auth/kubernetes/login", NULL, "no JWT\nbut text", 204);
	assert_string_equal(json_string_value(json_object_get(entry, "error")), "no JWT\nbut text");
	assert_string_equal(json_string_value(at(entry, "request", "path", NULL)), "auth/kubernetes/login");
	assert_string_equal(json_string_value(at(entry, "request", "mount_type", NULL)), "kubernetes");
	assert_string_equal(json_string_value(at(entry, "request", "operation", NULL)), "update");
	assert_string_equal(json_string_value(json_array_get(at(entry, "request", "headers", "k8sauth-service"), 0)), "\"<&>\\");
	assert_null(json_object_get(entry, "response"));
	json_decref(entry);

	entry = tell("k8sauth", "k8sauth/verify/../db", NULL, 204);
	assert_null(json_object_get(entry, "error"));
	assert_null(json_object_get(entry, "auth"));
	assert_string_equal(json_string_value(at(entry, "request", "path", NULL)), "k8sauth/verify/../db");
	json_decref(entry);
	assert_int_equal(count_lines(place("log"), "request"), 3); /* with the trial */
	assert_int_equal(count_lines(place("log"), "response"), 3);

	assert_int_equal(unlink(place("log")), 0);
	assert_int_equal(mkdir(place("log"), 0700), 0);
	core_reopen(harness.core);
	tell("k8sauth", "k8sauth/verify/db", NULL, 500);
	assert_int_equal(rmdir(place("log")), 0);
	assert_int_equal(ask(VAULT_DELETE, "sys/audit/file", NULL), 204);
}

static void test_reopen(void **state)
{
	int value;

	assert_int_equal(write_secret(1), 200);
	assert_int_equal(enable("file", place("log")), 204);
	assert_int_equal(rename(place("log"), place("log.1")), 0);
	assert_int_equal(read_secret(&value), 200);
	assert_int_equal(access(place("log"), F_OK), -1);
	core_reopen(harness.core);
	assert_int_equal(read_secret(&value), 200);
	assert_int_equal(count_lines(place("log.1"), "response"), 2);
	assert_int_equal(count_lines(place("log"), "response"), 1);
	assert_int_equal(ask(VAULT_DELETE, "sys/audit/file", NULL), 204);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_entries, open_core, close_core),
		cmocka_unit_test_setup_teardown(test_fails_closed, open_core, close_core),
		cmocka_unit_test_setup_teardown(test_one_is_enough, open_core, close_core),
		cmocka_unit_test_setup_teardown(test_answer_fails_closed, open_core, close_core),
		cmocka_unit_test_setup_teardown(test_hanging_device, open_core, close_core),
		cmocka_unit_test_setup_teardown(test_reopen, open_core, close_core),
		cmocka_unit_test_setup_teardown(test_told, open_core, close_core),
		cmocka_unit_test_setup_teardown(test_questions, open_core, close_core),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
