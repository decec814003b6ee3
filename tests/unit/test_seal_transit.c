/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed by a transit mount that answers late, not at all, or by another key: what happens meanwhile, and afterwards. */
#include <event2/buffer.h>
#include <event2/http.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "base/text.h"
#include "core_fixture.h"

/* The other Vault. */
static struct {
	struct evhttp *http;
	char address[64], token_file[64];
	unsigned version;	  /* of the key */
	const char *down;	  /* the text of its refusals; NULL: it answers */
	const char *hold;	     /* what waits: "/encrypt/" or "/decrypt/"; NULL: nothing */
	struct evhttp_request *held; /* the one that does */
	unsigned encrypted, renewed;
	int ttl; /* that a renewal gives */
} vault;

static char keys[3][80], root_token[128], nonce[UUID_SIZE];

static void answer(struct evhttp_request *request, int status, const char *text)
{
	struct evbuffer *body = evbuffer_new();

	evbuffer_add(body, text, strlen(text));
	evhttp_send_reply(request, status, "", body);
	evbuffer_free(body);
}

/* The member NAME of the request's body. */
static void member(struct evhttp_request *request, const char *name, char ret[static 256])
{
	struct evbuffer *body = evhttp_request_get_input_buffer(request);
	size_t len = evbuffer_get_length(body);
	json_auto_t *json = json_loadb((const char *)evbuffer_pullup(body, -1), len, 0, NULL);

	assert_non_null(json_object_get(json, name));
	snprintf(ret, 256, "%s", json_string_value(json_object_get(json, name)));
}

static void serve(struct evhttp_request *request)
{
	const char *uri = evhttp_request_get_uri(request);
	char text[512], given[256];

	if (vault.down) {
		snprintf(text, sizeof(text), "{\"errors\":[\"%s\"]}", vault.down);
		answer(request, 503, text);
		return;
	}
	if (strstr(uri, "/renew-self")) {
		vault.renewed++;
		snprintf(text, sizeof(text), "{\"auth\":{\"lease_duration\":%d,\"renewable\":true}}", vault.ttl);
	} else if (strstr(uri, "/encrypt/")) {
		vault.encrypted++;
		member(request, "plaintext", given);
		snprintf(text, sizeof(text), "{\"data\":{\"ciphertext\":\"vault:v%u:%s\"}}", vault.version, given);
	} else {
		member(request, "ciphertext", given);
		snprintf(text, sizeof(text), "{\"data\":{\"plaintext\":\"%s\"}}", given + strlen("vault:v1:"));
	}
	answer(request, 200, text);
}

static void on_request(struct evhttp_request *request, void *arg)
{
	(void)arg;
	assert_string_equal(
	    evhttp_find_header(evhttp_request_get_input_headers(request), "X-Vault-Token"), "the-token");
	if (vault.hold && strstr(evhttp_request_get_uri(request), vault.hold)) {
		assert_null(vault.held);
		vault.held = request;
		return;
	}
	serve(request);
}

static void wait_held(struct world *world)
{
	while (!vault.held)
		assert_int_equal(event_base_loop(world->base, EVLOOP_ONCE), 0);
}

static void let_go(void)
{
	struct evhttp_request *request = vault.held;

	vault.held = NULL;
	vault.hold = NULL;
	serve(request);
}

static struct reply *as_root(struct world *world, enum vault_op op, const char *path, const char *data)
{
	return ask_as(world, &(struct ask){ .op = op, .path = path, .data = data, .peer = VAULT_PEER_UNIX });
}

static void wait_log(struct world *world, const char *text)
{
	while (!strstr(world->log, text))
		assert_int_equal(event_base_loop(world->base, EVLOOP_ONCE), 0);
}

static void wait_open(struct world *world)
{
	while (core_sealed(world->core))
		assert_int_equal(event_base_loop(world->base, EVLOOP_ONCE), 0);
}

/* Closed and opened again; its log is empty then. */
static void restart(struct world *world)
{
	world->log[0] = '\0';
	world_open(world, true);
}

static void take_keys(const struct world *world, const char *member)
{
	const json_t *list = json_object_get(world->last.body, member);

	assert_int_equal(json_array_size(list), ARRAY_SIZE(keys));
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		snprintf(keys[i], sizeof(keys[i]), "%s", json_string_value(json_array_get(list, i)));
}

static void start_vault(struct world *world)
{
	struct evhttp_bound_socket *bound;
	struct sockaddr_in where;
	socklen_t len = sizeof(where);

	vault.http = evhttp_new(world->base);
	bound = evhttp_bind_socket_with_handle(vault.http, "127.0.0.1", 0);
	assert_non_null(bound);
	assert_int_equal(getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&where, &len), 0);
	evhttp_set_gencb(vault.http, on_request, NULL);
	snprintf(vault.address, sizeof(vault.address), "http://127.0.0.1:%u", ntohs(where.sin_port));
	vault.version = 1;
	vault.ttl = 3600;
}

static int setup(void **state)
{
	static char key[] = "seal";
	struct world *world;
	FILE *file;

	/* Below /tmp, where everybody may write, the file could be anybody's: that is refused. */
	if (geteuid() != 0)
		return 0;
	world_setup_store(state);
	world = *state;
	memset(&vault, 0, sizeof(vault));
	start_vault(world);
	snprintf(vault.token_file, sizeof(vault.token_file), "/run/test_seal_transit.%d", getpid());
	file = fopen(vault.token_file, "w");
	fputs("the-token\n", file);
	fclose(file);
	chmod(vault.token_file, 0600);
	world->seal.kind = seal_settings_of("transit");
	world->seal.values[0] = vault.address;
	world->seal.values[1] = vault.token_file;
	world->seal.values[2] = key;
	world_open(world, true);
	as_root(world, VAULT_UPDATE, "sys/init", "{\"recovery_shares\":3,\"recovery_threshold\":2}");
	assert_int_equal(world->last.status, 200);
	take_keys(world, "recovery_keys");
	snprintf(root_token, sizeof(root_token), "%s",
	    json_string_value(json_object_get(world->last.body, "root_token")));
	assert_false(core_sealed(world->core));
	return 0;
}

static int teardown(void **state)
{
	if (!*state)
		return 0;
	unlink(vault.token_file);
	evhttp_free(vault.http);
	return world_teardown(state);
}

/* Seconds of the loop, for what must not happen in them. */
static void pass(struct world *world, int seconds)
{
	const struct timeval time = { .tv_sec = seconds };

	event_base_loopexit(world->base, &time);
	assert_int_equal(event_base_dispatch(world->base), 0);
}

static struct reply *unseal(struct world *world, const char *key)
{
	char data[128];

	snprintf(data, sizeof(data), "{\"key\":\"%s\"}", key);
	return as_root(world, VAULT_UPDATE, "sys/unseal", data);
}

/* The seal's own token is renewed as long as the daemon runs; what stops that is said once. */
static void test_token(void **state)
{
	struct world *world = *state;

	if (!world)
		skip();
	vault.ttl = 3;
	restart(world);
	wait_open(world);
	while (vault.renewed < 4) /* one was by the daemon that initialised */
		assert_int_equal(event_base_loop(world->base, EVLOOP_ONCE), 0);
	assert_null(strstr(world->log, "renewed"));
	vault.ttl = 2;
	wait_log(world, "ends in 2 s, whatever is renewed");
	vault.down = "Vault is sealed";
	wait_log(world, "cannot be renewed: ");
	assert_non_null(strstr(world->log, "/v1/auth/token/renew-self: HTTP 503: Vault is sealed; when it ends"));
}

/* When the key was rotated over there, the next start moves on to it, so that the old version can be given up. */
static void test_rotated_key(void **state)
{
	struct world *world = *state;
	unsigned encrypted;

	if (!world)
		skip();
	encrypted = vault.encrypted;
	restart(world);
	wait_open(world);
	while (vault.encrypted == encrypted)
		assert_int_equal(event_base_loop(world->base, EVLOOP_ONCE), 0);
	vault.version = 2;
	restart(world);
	wait_open(world);
	wait_log(world, "the previous one is not needed any more");
	assert_memory_equal(world->core->seal->root_key.data, "vault:v2:", 9);
	restart(world);
	assert_memory_equal(world->core->seal->root_key.data, "vault:v2:", 9);
	wait_open(world);
	assert_int_equal(ask(world, VAULT_READ, "auth/token/lookup-self", root_token, NULL)->status, 200);
}

/* A new term of the keyring meanwhile is no new root key: what was said to be wrapped is. */
static void test_rotate_meanwhile(void **state)
{
	struct world *world = *state;

	if (!world)
		skip();
	restart(world);
	vault.version = 2;
	vault.hold = "/encrypt/";
	wait_open(world);
	wait_held(world);
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/rotate", root_token, NULL)->status, 204);
	let_go();
	wait_log(world, "the previous one is not needed any more");
	assert_memory_equal(world->core->seal->root_key.data, "vault:v2:", 9);
	restart(world);
	wait_open(world);
	assert_int_equal(ask(world, VAULT_READ, "auth/token/lookup-self", root_token, NULL)->status, 200);
}

/* People who try in vain do not keep the daemon from trying. */
static void test_people_in_vain(void **state)
{
	struct world *world = *state;

	if (!world)
		skip();
	vault.hold = "/decrypt/";
	restart(world);
	wait_held(world);
	vault.down = "Vault is sealed";
	vault.hold = NULL;
	vault.held = NULL; /* it ends with the daemon's attempt, in the midst of which people come */
	unseal(world, keys[0]);
	unseal(world, keys[1]);
	assert_int_equal(world->last.status, 400);
	assert_non_null(strstr(world->last.error, "HTTP 503: Vault is sealed"));
	vault.down = NULL;
	wait_open(world);
	/* And sealed by hand it stays so. */
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/seal", root_token, NULL)->status, 204);
	pass(world, 3);
	assert_true(core_sealed(world->core));
	unseal(world, keys[1]);
	unseal(world, keys[2]);
	assert_false(core_sealed(world->core));
}

/* What people opened, while the daemon was about to try again, and sealed then, is not opened by that. */
static void test_sealed_stays_sealed(void **state)
{
	struct world *world = *state;

	if (!world)
		skip();
	vault.down = "Vault is sealed";
	restart(world);
	wait_log(world, "unsealing is tried again in 1 s");
	vault.down = NULL;
	unseal(world, keys[0]);
	unseal(world, keys[1]);
	assert_false(core_sealed(world->core));
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/seal", root_token, NULL)->status, 204);
	pass(world, 3);
	assert_true(core_sealed(world->core));
}

static void begin(struct world *world, const char *path)
{
	assert_int_equal(
	    as_root(world, VAULT_UPDATE, path, "{\"secret_shares\":3,\"secret_threshold\":2}")->status, 200);
	snprintf(nonce, sizeof(nonce), "%s", json_string_value(json_object_get(world->last.body, "nonce")));
}

static void bring(struct world *world, const char *path, const char *key, struct reply *later)
{
	char data[256];

	snprintf(data, sizeof(data), "{\"key\":\"%s\",\"nonce\":\"%s\"}", key, nonce);
	if (later)
		send_ask(world,
		    &(struct ask){ .op = VAULT_UPDATE, .path = path, .data = data, .peer = VAULT_PEER_UNIX }, later);
	else
		as_root(world, VAULT_UPDATE, path, data);
}

/* Another recovery key while the new root key is on its way: it stays, and the old one does not come back. */
static void test_two_rekeys(void **state)
{
	struct world *world = *state;
	struct reply root_key = { 0 };

	if (!world)
		skip();
	begin(world, "sys/rekey/init");
	bring(world, "sys/rekey/update", keys[0], NULL);
	vault.hold = "/encrypt/";
	bring(world, "sys/rekey/update", keys[1], &root_key);
	wait_held(world);
	begin(world, "sys/rekey-recovery-key/init");
	bring(world, "sys/rekey-recovery-key/update", keys[0], NULL);
	bring(world, "sys/rekey-recovery-key/update", keys[1], NULL);
	assert_int_equal(world->last.status, 200);
	take_keys(world, "keys");
	let_go();
	wait_for(world, &root_key);
	assert_int_equal(root_key.status, 400);
	assert_non_null(strstr(root_key.error, "recovery key does not match submitted values"));
	reply_clear(&root_key);
	restart(world);
	wait_open(world);
	assert_int_equal(ask(world, VAULT_UPDATE, "sys/seal", root_token, NULL)->status, 204);
	unseal(world, keys[0]);
	unseal(world, keys[1]);
	assert_false(core_sealed(world->core));
}

/* Who cancels, and begins another one, does not get what was agreed to before. */
static void test_cancelled_rekey(void **state)
{
	struct world *world = *state;
	struct reply root_key = { 0 };

	if (!world)
		skip();
	begin(world, "sys/rekey/init");
	bring(world, "sys/rekey/update", keys[0], NULL);
	vault.hold = "/encrypt/";
	bring(world, "sys/rekey/update", keys[1], &root_key);
	wait_held(world);
	assert_int_equal(ask(world, VAULT_DELETE, "sys/rekey/init", root_token, "{}")->status, 400);
	bring(world, "sys/rekey/update", keys[0], NULL); /* the same one goes on */
	assert_int_equal(world->last.status, 200);
	{
		char data[64];

		snprintf(data, sizeof(data), "{\"nonce\":\"%s\"}", nonce);
		assert_int_equal(as_root(world, VAULT_DELETE, "sys/rekey/init", data)->status, 204);
	}
	begin(world, "sys/rekey/init");
	let_go();
	wait_for(world, &root_key);
	assert_int_equal(root_key.status, 400);
	assert_string_equal(root_key.error, "no barrier rekey in progress");
	reply_clear(&root_key);
	as_root(world, VAULT_READ, "sys/rekey/init", NULL);
	assert_non_null(strstr(world->last.text, "\"started\":true"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_token, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rotated_key, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rotate_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_people_in_vain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sealed_stays_sealed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two_rekeys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cancelled_rekey, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
