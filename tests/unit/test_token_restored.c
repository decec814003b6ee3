/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of a store that was restored from a backup: none ends because the backup does not know of its renewal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <cmocka.h>

#include "core_harness.h"

#include "base/text.h"
#include "vault/embedded/seal/settings.h"

static struct harness harness;
static char dir[32];
static char store[64], root[TOKEN_SIGNED_LEN + 1];

static void reopen(void)
{
	static char credential[] = "seal";
	static struct seal_config seal = { .values = { credential } };
	const struct core_options options = { .seal = &seal, .storage_type = "sqlite", .store_path = store };

	seal.kind = seal_settings_of("systemd-credential");
	if (harness.core)
		harness_close(&harness);
	harness_open(&harness, &options);
}

static int make_store(void **state)
{
	struct vault_request *request = vault_request_new(VAULT_UPDATE, "sys/init");
	struct vault_response *response;
	char path[80];
	FILE *key;

	(void)state;
	strcpy(dir, "/tmp/k8sauth-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(store, sizeof(store), "%s/store.db", dir);
	snprintf(path, sizeof(path), "%s/seal", dir);
	key = fopen(path, "w");
	assert_int_equal(fputs("0123456789abcdef0123456789abcdef", key) >= 0, 1);
	fclose(key);
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	reopen();
	request->peer.kind = VAULT_PEER_UNIX;
	request->data = json_pack("{s:i, s:i}", "recovery_shares", 1, "recovery_threshold", 1);
	response = harness_send_request(&harness, request);
	assert_int_equal(response->status, 200);
	snprintf(root, sizeof(root), "%s", json_string_value(json_object_get(response->body, "root_token")));
	vault_response_free(response);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int remove_store(void **state)
{
	(void)state;
	harness_close(&harness);
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return 0;
}

static void make(json_t *how, char ret[static TOKEN_SIGNED_LEN + 1])
{
	struct vault_response *response = harness_send(&harness, VAULT_UPDATE, "auth/token/create", root, how);

	assert_int_equal(response->status, 200);
	snprintf(ret, TOKEN_SIGNED_LEN + 1, "%s", json_string_value(json_object_get(response->auth, "client_token")));
	vault_response_free(response);
}

/* The rest of its life, -1 where it is none. */
static long long ttl_of(const char *token)
{
	struct vault_response *response = harness_send(&harness, VAULT_READ, "auth/token/lookup-self", token, NULL);
	long long ttl = response->status == 200 ? json_integer_value(json_object_get(response->data, "ttl")) : -1;

	vault_response_free(response);
	return ttl;
}

static void on_copied(void *arg, int r, int fd, uint64_t size, const char *why)
{
	char path[96], buffer[4096];
	ssize_t n;
	int out;

	(void)size;
	if (r < 0)
		fail_msg("%s", why);
	snprintf(path, sizeof(path), "%s" STORE_RESTORE_SUFFIX, store);
	out = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		assert_int_equal(write(out, buffer, (size_t)n), n);
	close(out);
	close(fd);
	*(bool *)arg = true;
}

static void back_up(void)
{
	bool done = false;

	assert_int_equal(core_backup(harness.core, on_copied, &done), 0);
	while (!done)
		harness_loop(&harness, 10);
}

static void test_restored(void **state)
{
	char renewed[TOKEN_SIGNED_LEN + 1], periodic[TOKEN_SIGNED_LEN + 1], fixed[TOKEN_SIGNED_LEN + 1],
	    limited[TOKEN_SIGNED_LEN + 1], endless[TOKEN_SIGNED_LEN + 1], capped[TOKEN_SIGNED_LEN + 1],
	    later[TOKEN_SIGNED_LEN + 1];
	struct vault_response *response;

	(void)state;
	make(json_pack("{s:s}", "ttl", "2s"), renewed);
	make(json_pack("{s:s}", "period", "2s"), periodic);
	make(json_pack("{s:s, s:b}", "ttl", "2s", "renewable", 0), fixed);
	make(json_pack("{s:s, s:s}", "ttl", "2s", "explicit_max_ttl", "3s"), capped);
	make(json_pack("{s:s, s:i}", "ttl", "1h", "num_uses", 5), limited);
	make(json_pack("{s:s}", "ttl", "1h"), endless);
	assert_int_equal(ttl_of(limited) > 0, 1);
	back_up();
	make(json_pack("{s:s}", "ttl", "1h"), later);
	usleep(3100000);
	reopen();

	/* Their recorded ends are over. What could have been renewed lives one TTL more; the rest has ended. */
	assert_in_range(ttl_of(renewed), 0, 2);
	assert_in_range(ttl_of(periodic), 0, 2);
	assert_int_equal(ttl_of(fixed), -1);
	assert_int_equal(ttl_of(capped), -1);
	assert_int_equal(ttl_of(limited), -1);
	assert_int_equal(ttl_of(later), -1);
	assert_in_range(ttl_of(endless), 3590, 3600);
	assert_int_equal(ttl_of(root), 0);

	/* From here on they are tokens as any other: renewed, and ended. */
	response = harness_send(&harness, VAULT_UPDATE, "auth/token/renew-self", renewed, json_pack("{s:s}", "increment", "1h"));
	assert_int_equal(response->status, 200);
	vault_response_free(response);
	assert_in_range(ttl_of(renewed), 3590, 3600);
	make(json_pack("{s:s, s:i}", "ttl", "1h", "num_uses", 5), limited);
	assert_in_range(ttl_of(limited), 3590, 3600);
	usleep(2200000);
	assert_int_equal(ttl_of(periodic), -1);
}

/* With cp instead of the command: the same, and noted, so that one TTL more is not another one at each start. */
static void test_by_hand(void **state)
{
	char renewed[TOKEN_SIGNED_LEN + 1], limited[TOKEN_SIGNED_LEN + 1], staged[96], log[96];

	(void)state;
	make(json_pack("{s:s}", "ttl", "2s"), renewed);
	make(json_pack("{s:s, s:i}", "ttl", "1h", "num_uses", 5), limited);
	back_up();
	harness_close(&harness);
	snprintf(staged, sizeof(staged), "%s" STORE_RESTORE_SUFFIX, store);
	snprintf(log, sizeof(log), "%s-wal", store);
	assert_int_equal(rename(staged, store), 0);
	(void)unlink(log);
	usleep(2100000);
	reopen();
	assert_in_range(ttl_of(renewed), 0, 2);
	assert_int_equal(ttl_of(limited), -1);
	make(json_pack("{s:s, s:i}", "ttl", "1h", "num_uses", 5), limited);
	usleep(2100000);
	reopen();
	assert_int_equal(ttl_of(renewed), -1);
	assert_in_range(ttl_of(limited), 3590, 3600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_restored, make_store, remove_store),
		cmocka_unit_test_setup_teardown(test_by_hand, make_store, remove_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
