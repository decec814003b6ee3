/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens over time: their end, a restart, orphans of a former life, a login mount that goes away, what is on the disk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "core_harness.h"

#include "base/deadline.h"
#include "base/text.h"
#include "vault/embedded/auth_token/tokens.h"
#include "vault/embedded/seal/settings.h"

static struct harness harness;
static char dir[] = "/tmp/k8sauth-test-XXXXXX";
static char store[64];

static const struct core_options *options(void)
{
	static char credential[] = "seal";
	static struct seal_config seal = { .values = { credential } };
	static struct core_options on_disk = { .seal = &seal, .storage_type = "sqlite" };

	seal.kind = seal_settings_of("systemd-credential");
	on_disk.store_path = store;
	return &on_disk;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static int make_dir(void **state)
{
	char key[32], path[80];
	int fd;

	strcpy(dir + sizeof(dir) - 7, "XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(store, sizeof(store), "%s/store.db", dir);
	snprintf(path, sizeof(path), "%s/seal", dir);
	random_bytes(key, sizeof(key));
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_int_equal(write(fd, key, sizeof(key)), sizeof(key));
	close(fd);
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	return 0;
}

static int remove_dir(void **state)
{
	if (harness.core)
		harness_close(&harness);
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return 0;
}

/* A store that is initialised; *ROOT is its root token. */
static void open_first(char **root)
{
	struct vault_request *request = vault_request_new(VAULT_UPDATE, "sys/init");
	struct vault_response *response;

	harness_open(&harness, options());
	request->peer.kind = VAULT_PEER_UNIX;
	request->data = json_pack("{s:i, s:i}", "recovery_shares", 1, "recovery_threshold", 1);
	response = harness_send_request(&harness, request);
	assert_int_equal(response->status, 200);
	*root = strdup(json_string_value(json_object_get(response->body, "root_token")));
	vault_response_free(response);
}

static void login(const char *session, int64_t ttl, char ret_token[static TOKEN_SIGNED_LEN + 1])
{
	char *session_copy AUTO_FREE = session ? strdup(session) : NULL;
	struct vault_pam_login pam = { .session_id = session_copy };
	struct login_auth *auth = login_auth_new();
	struct vault_response *response;

	auth->policies = json_pack("[s]", "p1");
	auth->ttl = ttl;
	response = harness_login(&harness, "auth/token/", auth, session ? &pam : NULL);
	assert_int_equal(response->status, 200);
	snprintf(
	    ret_token, TOKEN_SIGNED_LEN + 1, "%s", json_string_value(json_object_get(response->auth, "client_token")));
	vault_response_free(response);
}

static int lookup(const char *token)
{
	struct vault_response *response = harness_send(&harness, VAULT_READ, "auth/token/lookup-self", token, NULL);
	int status = response->status;

	vault_response_free(response);
	return status;
}

static void test_first_root(void **state)
{
	char *root AUTO_FREE = NULL;
	struct vault_response *response;

	open_first(&root);
	assert_int_equal(strlen(root), TOKEN_ID_LEN);
	response = harness_send(&harness, VAULT_READ, "auth/token/lookup-self", root, NULL);
	assert_string_equal(json_string_value(json_object_get(response->data, "path")), "auth/token/root");
	assert_string_equal(json_string_value(json_object_get(response->data, "display_name")), "root");
	assert_null(json_object_get(response->data, "issue_time"));
	assert_null(json_object_get(response->data, "renewable"));
	vault_response_free(response);
	response = harness_send(&harness, VAULT_UPDATE, "auth/token/renew-self", root, NULL);
	assert_int_equal(response->status, 400);
	assert_string_equal(vault_response_error_text(response), "invalid lease ID");
	vault_response_free(response);
}

/* --- the record of a token */

struct presence {
	const char *token;
	bool there;
};

static int look_for_record(struct call *call)
{
	struct presence *presence = call->state;
	char salted[TOKEN_SALTED_SIZE];
	struct token *token AUTO_TOKEN = NULL;
	int r = token_presented_salted(core_tokens(call->core), presence->token, strlen(presence->token), salted);

	if (r == 0)
		r = token_load(call, salted, &token);
	presence->there = r == 0;
	return r == -ENOENT ? 0 : r;
}

static bool has_record(const char *token)
{
	struct presence presence = { .token = token };

	assert_int_equal(harness_run(&harness, look_for_record, &presence), 0);
	return presence.there;
}

static void wait_until_gone(const char *token)
{
	struct deadline deadline = deadline_after_ms(20000);

	while (has_record(token) && !deadline_passed(deadline))
		harness_loop(&harness, 20);
	assert_false(has_record(token));
}

static void test_expiry(void **state)
{
	char *root AUTO_FREE = NULL, ended[TOKEN_SIGNED_LEN + 1], lasting[TOKEN_SIGNED_LEN + 1];

	open_first(&root);
	login(NULL, 1, ended);
	login(NULL, 3600, lasting);
	assert_int_equal(lookup(ended), 200);
	wait_until_gone(ended);
	assert_int_equal(lookup(ended), 403);
	assert_int_equal(lookup(lasting), 200);
	assert_int_equal(core_tokens(harness.core)->heap.n, 1);
}

/* An ended token is refused whether or not its record has been deleted. */
static void test_ended_is_refused_at_once(void **state)
{
	char *root AUTO_FREE = NULL, token[TOKEN_SIGNED_LEN + 1];
	struct deadline deadline = deadline_after_ms(10000);

	open_first(&root);
	evtimer_del(core_tokens(harness.core)->expiry_timer);
	login(NULL, 1, token);
	evtimer_del(core_tokens(harness.core)->expiry_timer);
	while (lookup(token) == 200 && !deadline_passed(deadline))
		harness_loop(&harness, 20);
	assert_int_equal(lookup(token), 403);
	assert_true(has_record(token));
}

static void test_many_end_together(void **state)
{
	enum { MANY = 3 * TOKEN_BATCH };
	static char tokens[MANY][TOKEN_SIGNED_LEN + 1];
	char *root AUTO_FREE = NULL;

	open_first(&root);
	for (size_t i = 0; i < MANY; i++)
		login(NULL, 1, tokens[i]);
	for (size_t i = 0; i < MANY; i++)
		wait_until_gone(tokens[i]);
	assert_int_equal(core_tokens(harness.core)->heap.n, 0);
}

static void test_revoked_leaves_the_heap(void **state)
{
	char *root AUTO_FREE = NULL, token[TOKEN_SIGNED_LEN + 1];
	struct vault_response *response;

	open_first(&root);
	login(NULL, 3600, token);
	assert_int_equal(core_tokens(harness.core)->heap.n, 1);
	response = harness_send(&harness, VAULT_UPDATE, "auth/token/revoke-self", token, NULL);
	vault_response_free(response);
	assert_int_equal(core_tokens(harness.core)->heap.n, 0);
	assert_false(has_record(token));
}

/* --- restarts */

static void wait_for_scan(void)
{
	struct deadline deadline = deadline_after_ms(20000);

	while (core_tokens(harness.core)->scan.folder < 256 && !deadline_passed(deadline))
		harness_loop(&harness, 10);
	assert_int_equal(core_tokens(harness.core)->scan.folder, 256);
}

static void test_restart(void **state)
{
	enum { MANY = 700 };
	char *root AUTO_FREE = NULL, token[TOKEN_SIGNED_LEN + 1], ended[TOKEN_SIGNED_LEN + 1];

	open_first(&root);
	login(NULL, 1, ended);
	for (size_t i = 0; i < MANY; i++)
		login(NULL, 3600, token);
	harness_close(&harness);
	harness_open(&harness, options());
	assert_int_equal(lookup(token), 200);
	assert_int_equal(lookup(root), 200);
	wait_for_scan();
	wait_until_gone(ended);
	assert_int_equal(core_tokens(harness.core)->heap.n, MANY);
}

/* Keeps the sessions whose names begin as ARG says. */
static bool keep(void *arg, const char *session_id)
{
	return starts_with(session_id, arg);
}

static void test_orphans(void **state)
{
	enum { SESSIONS = 20 };
	char *root AUTO_FREE = NULL, plain[TOKEN_SIGNED_LEN + 1], name[32], kept[] = "kept";
	char of_kept[SESSIONS][TOKEN_SIGNED_LEN + 1], of_lost[SESSIONS][TOKEN_SIGNED_LEN + 1];
	char fresh[TOKEN_SIGNED_LEN + 1];

	open_first(&root);
	for (int i = 0; i < SESSIONS; i++) {
		snprintf(name, sizeof(name), "kept-%d", i);
		login(name, 3600, of_kept[i]);
		snprintf(name, sizeof(name), "lost-%d", i);
		login(name, 3600, of_lost[i]);
	}
	login(NULL, 3600, plain);
	harness_close(&harness);
	harness_open(&harness, options());
	tokens_revoke_orphans(harness.core, keep, kept);
	login("lost-too, but of this life", 3600, fresh);
	wait_for_scan();
	for (int i = 0; i < SESSIONS; i++) {
		assert_int_equal(lookup(of_kept[i]), 200);
		assert_int_equal(lookup(of_lost[i]), 403);
	}
	assert_int_equal(lookup(plain), 200);
	assert_int_equal(lookup(root), 200);
	assert_int_equal(lookup(fresh), 200);
	/* Asked for again, after the pass is over. */
	kept[0] = 'n';
	tokens_revoke_orphans(harness.core, keep, kept);
	wait_for_scan();
	assert_int_equal(lookup(of_kept[0]), 403);
	assert_int_equal(lookup(fresh), 403);
	assert_int_equal(lookup(plain), 200);
}

static int put_broken_record(struct call *call)
{
	json_auto_t *record = json_object();

	return core_put(call, "token/00/00000000000000000000000000000000000000000000000000000000000000", record);
}

/* What is no token keeps neither the pass nor a batch from the others. */
static void test_broken_record(void **state)
{
	const unsigned char key[EXPIRY_KEY_LEN] = { 0 };
	char *root AUTO_FREE = NULL, token[TOKEN_SIGNED_LEN + 1], salted[TOKEN_SALTED_SIZE];

	open_first(&root);
	login("lost", 3600, token);
	assert_int_equal(harness_run(&harness, put_broken_record, NULL), 0);
	harness_close(&harness);
	harness_open(&harness, options());
	tokens_revoke_orphans(harness.core, keep, (char[]){ "kept" });
	wait_for_scan();
	assert_int_equal(lookup(token), 403);
	token_bytes_salted(key, salted);
	assert_int_equal(tokens_expire_at(core_tokens(harness.core), salted, 1), 0);
	login(NULL, 1, token);
	wait_until_gone(token);
	assert_int_equal(core_tokens(harness.core)->heap.n, 0);
}

/* --- a mount that goes away */

static void test_mount_removed(void **state)
{
	char *root AUTO_FREE = NULL;
	struct login_auth *auth = login_auth_new();
	struct vault_response *response;
	const char *token;

	open_first(&root);
	response = harness_send(
	    &harness, VAULT_UPDATE, "sys/auth/kubernetes", root, json_pack("{s:s}", "type", "kubernetes"));
	assert_int_equal(response->status, 204);
	vault_response_free(response);
	auth->policies = json_pack("[s]", "p1");
	response = harness_login(&harness, "auth/kubernetes/", auth, NULL);
	token = json_string_value(json_object_get(response->auth, "client_token"));
	assert_int_equal(lookup(token), 200);
	vault_response_free(harness_send(&harness, VAULT_DELETE, "sys/auth/kubernetes", root, NULL));
	assert_int_equal(lookup(token), 403);
	/* Another mount of its name does not give it back. */
	vault_response_free(harness_send(
	    &harness, VAULT_UPDATE, "sys/auth/kubernetes", root, json_pack("{s:s}", "type", "kubernetes")));
	assert_int_equal(lookup(token), 403);
	vault_response_free(response);
}

/* --- the disk */

static bool file_contains(const char *path, const char *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *bytes AUTO_FREE = NULL;
	bool found;

	if (fd < 0)
		return false;
	assert_int_equal(fstat(fd, &st), 0);
	bytes = malloc((size_t)st.st_size + 1);
	assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
	close(fd);
	found = memmem(bytes, (size_t)st.st_size, text, strlen(text)) != NULL;
	return found;
}

static void test_nothing_in_clear_on_the_disk(void **state)
{
	char *root AUTO_FREE = NULL, token[TOKEN_SIGNED_LEN + 1], bytes[80], id[TOKEN_ID_LEN + 1] = "", path[80];
	struct vault_response *response;

	open_first(&root);
	login("session-in-clear", 3600, token);
	assert_int_equal(base64url_decode(token + 4, TOKEN_SIGNED_LEN - 4, bytes), 68);
	memcpy(id, bytes + 40, TOKEN_ID_LEN);
	response = harness_send(&harness, VAULT_UPDATE, "auth/token/renew-self", token, NULL); /* a durable write */
	assert_int_equal(response->status, 200);
	for (int wal = 0; wal < 2; wal++) {
		snprintf(path, sizeof(path), "%s%s", store, wal ? "-wal" : "");
		assert_false(file_contains(path, token));
		assert_false(file_contains(path, id));
		assert_false(file_contains(path, id + 4));
		assert_false(file_contains(path, root));
		assert_false(file_contains(path, "session-in-clear"));
		assert_false(file_contains(path, "accessor"));
	}
	vault_response_free(response);
}

/* --- what waits for the disk: libsqlite3 finds this one first */

static unsigned flushes;

__attribute__((visibility("default"))) int fdatasync(int fd)
{
	__atomic_add_fetch(&flushes, 1, __ATOMIC_SEQ_CST);
	return fsync(fd);
}

/* Sends it wrapped; the wrapping token (or NULL) is the caller's. *RET_FLUSHED: it waited for the disk. */
static char *send_wrapped(
    enum vault_op op, const char *path, const char *token, json_t *data, int64_t ttl, bool *ret_flushed)
{
	struct vault_request *request = vault_request_new(op, path);
	unsigned before = __atomic_load_n(&flushes, __ATOMIC_SEQ_CST);
	struct vault_response *response;
	const char *wrapping;
	char *copy;

	request->token = secret_copy(token, strlen(token));
	request->peer = (struct vault_peer){ .kind = VAULT_PEER_TCP, .address = "127.0.0.1", .port = 40000 };
	request->data = data;
	request->wrap_ttl = ttl;
	response = harness_send_request(&harness, request);
	assert_int_equal(response->status, 200);
	*ret_flushed = __atomic_load_n(&flushes, __ATOMIC_SEQ_CST) > before;
	wrapping = json_string_value(json_object_get(response->wrap_info, "token"));
	copy = wrapping ? strdup(wrapping) : NULL;
	vault_response_free(response);
	return copy;
}

/* A new token may be lost with the power; what a request did besides may not, and wrapping its answer changes that not.
 */
static void test_wrapping_flushes(void **state)
{
	char *root AUTO_FREE = NULL, *first AUTO_FREE = NULL, *second AUTO_FREE = NULL, *third AUTO_FREE = NULL;
	char token[TOKEN_SIGNED_LEN + 1];
	bool flushed;

	open_first(&root);
	login(NULL, 60, token);
	free(send_wrapped(VAULT_UPDATE, "auth/token/create", root, NULL, 0, &flushed));
	assert_false(flushed);
	first = send_wrapped(
	    VAULT_UPDATE, "auth/token/revoke-accessor", root, json_pack("{s:s}", "accessor", "none"), 60, &flushed);
	assert_true(flushed);
	second = send_wrapped(
	    VAULT_UPDATE, "sys/wrapping/rewrap", root, json_pack("{s:s}", "token", first), 0, &flushed);
	assert_true(flushed);
	third = send_wrapped(
	    VAULT_UPDATE, "sys/wrapping/unwrap", root, json_pack("{s:s}", "token", second), 60, &flushed);
	assert_true(flushed);
	assert_non_null(third);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_first_root),
		TEST(test_wrapping_flushes),
		TEST(test_expiry),
		TEST(test_ended_is_refused_at_once),
		TEST(test_many_end_together),
		TEST(test_revoked_leaves_the_heap),
		TEST(test_restart),
		TEST(test_orphans),
		TEST(test_broken_record),
		TEST(test_mount_removed),
		TEST(test_nothing_in_clear_on_the_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
