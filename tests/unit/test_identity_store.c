/* SPDX-License-Identifier: Apache-2.0 */
/* Entities on a store of their own: an account is the same one after a restart, and nothing of it lies there in clear.
 */
#include <fcntl.h>

#include "core_fixture.h"
#include "base/safe_open.h"
#include "vault/embedded/identity.h"

#define ALIAS	"uid-that-shows"
#define VALUE	"value-that-shows"
#define ACCOUNT "identity/account/"

struct login {
	char entity[64];
	bool done;
};

static int run_login(struct call *call)
{
	struct login *login = call->state;
	int r;

	call->mount = core_mount_of(call->core, "auth/token/");
	call->auth = login_auth_new();
	call->auth->alias_name = strdup(ALIAS);
	call->auth->alias_metadata = json_pack("{s:s}", "service_account_name", VALUE);
	r = identity_login(call);
	if (r == 0)
		snprintf(
		    login->entity, sizeof(login->entity), "%s", json_string_value(json_object_get(call->entity, "id")));
	call->mount = NULL;
	return r;
}

static void on_login(void *arg, int r)
{
	struct login *login = arg;

	assert_int_equal(r, 0);
	login->done = true;
}

static void log_in(struct world *world, struct login *login)
{
	core_run(world->core, run_login, login, NULL, on_login, login);
	while (!login->done)
		event_base_loop(world->base, EVLOOP_ONCE);
}

static bool file_has(const char *path, const char *text)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO_BUF struct buf content = { 0 };

	if (fd < 0)
		return false;
	assert_int_equal(read_all(fd, 64 * 1024 * 1024, &content), 0);
	return content.len && memmem(content.data, content.len, text, strlen(text)) != NULL;
}

static void test_restart(void **state)
{
	struct world *world = *state;
	struct login before = { 0 }, after = { 0 };
	const char *const secrets[] = { ALIAS, VALUE, before.entity, ACCOUNT };
	char journal[160];

	world_open(world, true);
	assert_int_equal(
	    ask_as(world, &(struct ask){ .op = VAULT_UPDATE, .path = "sys/init", .data = WORLD_INIT, .peer = VAULT_PEER_UNIX })->status,
	    200);
	log_in(world, &before);
	assert_int_equal(strlen(before.entity), 36);
	world_open(world, false);
	log_in(world, &after);
	assert_string_equal(after.entity, before.entity);
	snprintf(journal, sizeof(journal), "%s-wal", world->store);
	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
		assert_false(file_has(world->store, secrets[i]));
		assert_false(file_has(journal, secrets[i]));
	}
	/* What stands there in clear, to see that these were the files. */
	assert_true(file_has(world->store, "CREATE TABLE") || file_has(journal, "CREATE TABLE"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_restart, world_setup_store, world_teardown),
	};

	return cmocka_run_group_tests_name("identity store", tests, NULL, NULL);
}
