/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of living sessions: what changed is written, what is gone goes, an outage changes nothing. */
#include "session_fakes.h"

#include <fcntl.h>
#include <stdio.h>

#include "base/macros.h"

#define INTERVAL       60
#define EXPORT_TEST_MS 10000

#define ACL		      "{\"root\":false,\"exact_paths\":{},\"glob_paths\":{\"secret/data/app/\":{\"capabilities\":[\"read\"]}}}"
#define MOUNTS		      "{\"secret\":{\"secret/\":{\"type\":\"kv\",\"options\":{\"version\":\"2\"}}}}"
#define SECRET(name, content) "\"secret/data/app/" name "\":{\"data\":{" content "},\"metadata\":{}}"
#define SECRETS(keys, rest)   "{\"secret/metadata/app/\":[" keys "]," rest "}"
#define DIR		      "secrets/secret.data.app."

static struct export_config blocks[3];
static char id[64];

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

static int rotate_setup(void **state)
{
	world_setup(state);
	memset(blocks, 0, sizeof(blocks));
	blocks[0] = (struct export_config){ .name = text_kept("policy"), .policy = true };
	world.config.exports = blocks;
	world.config.n_exports = 1;
	world.config.export_interval = INTERVAL;
	world.mounts = MOUNTS;
	world.acl = ACL;
	world.secrets = SECRETS("\"db\",\"api\"",
	    SECRET("db", "\"user\":\"u\",\"password\":\"s3cr3t\"") "," SECRET("api", "\"key\":\"k1\""));
	return 0;
}

static void begin(void)
{
	struct wire_conn login, open;

	login_ok(&login);
	open_ok(&open, login.handle);
	snprintf(id, sizeof(id), "%s", open.session);
	world.log[0] = '\0';
	world.requests[0] = '\0';
}

/* A whole interval: every session is looked at once, some maybe twice. */
static void interval(void)
{
	world.log[0] = '\0';
	world.requests[0] = '\0';
	world.n_rotated = 0;
	world_wait((int64_t)INTERVAL * 1000);
}

static void test_change(void **state)
{
	begin();
	assert_int_equal(world_files(id), 4);
	interval();
	assert_non_null(strstr(world.requests, "read secret/data/app/db"));
	assert_int_equal(world.n_rotated, 0); /* nothing is written where nothing changed */
	assert_string_equal(world.log, "");
	world.secrets = SECRETS("\"db\",\"new\"",
	    SECRET("db", "\"user\":\"u\",\"password\":\"s3cr3t-2\"") "," SECRET("new", "\"n\":\"1\""));
	interval();
	assert_int_equal(world.n_rotated, 1);
	assert_true(world_file(id, DIR "db/password", "s3cr3t-2"));
	assert_true(world_file(id, DIR "db/user", "u"));
	assert_true(world_file(id, DIR "new/n", "1"));
	assert_int_equal(world_files(id), 4); /* the token; api is gone */
	assert_true(world_logged("secrets changed: secret.data.app.db secret.data.app.new; gone: secret.data.app.api"));
	interval();
	assert_int_equal(world.n_rotated, 0);
	assert_string_equal(world.log, "");
	assert_int_equal(world.tokens, 1); /* no look is a login */
}

/* A key that goes, a policy that goes, and one that names something else. */
static void test_goes(void **state)
{
	begin();
	world.secrets = SECRETS("\"db\",\"api\"", SECRET("db", "\"user\":\"u\"") "," SECRET("api", "\"key\":\"k1\""));
	interval();
	assert_false(world_file(id, DIR "db/password", "s3cr3t"));
	assert_true(world_file(id, DIR "db/user", "u"));
	assert_true(world_logged("secrets changed: none; gone: secret.data.app.db"));
	world.secrets = SECRETS("\"db\",\"api\"", "\"secret/data/app/db\":403," SECRET("api", "\"key\":\"k1\""));
	interval();
	assert_int_equal(world_files(id), 2);
	assert_true(world_logged("gone: secret.data.app.db"));
	assert_false(world_logged("cannot be read"));
	world.acl = "{\"root\":false,\"exact_paths\":{},\"glob_paths\":{}}";
	interval();
	assert_int_equal(world_files(id), 1);
	assert_true(world_logged("gone: secret.data.app.api"));
	world.acl = ACL;
	interval();
	assert_true(world_file(id, DIR "api/key", "k1"));
	assert_true(world_logged("secrets changed: secret.data.app.api"));
}

static void test_outage(void **state)
{
	begin();
	/* Everything is down: one line in a minute, and not a file less. */
	world.outage_status = 503;
	interval();
	assert_int_equal(world_files(id), 4);
	assert_int_equal(world.n_rotated, 0);
	assert_true(world_logged("and maybe others: secrets are not looked at, what is there stays"));
	assert_true(world_logged("503 Vault is sealed"));
	world.outage_status = 0;
	/* One secret: the others are looked at. */
	world.secrets = SECRETS("\"db\",\"api\"", "\"secret/data/app/db\":500," SECRET("api", "\"key\":\"k2\""));
	interval();
	assert_int_equal(world_files(id), 4);
	assert_true(world_file(id, DIR "api/key", "k2"));
	assert_true(world_file(id, DIR "db/password", "s3cr3t"));
	/* The list alone: which secrets there are is not known. */
	world.secrets = "{\"secret/metadata/app/\":500}";
	interval();
	assert_int_equal(world_files(id), 4);
	assert_int_equal(world.n_rotated, 0);
	/* No answer at all, in time. */
	world.secrets = SECRETS("\"db\",\"api\"", SECRET("db", "\"user\":\"u\"") "," SECRET("api", "\"key\":\"k3\""));
	world.hold = "app/db";
	interval();
	world_wait(EXPORT_TEST_MS);
	world_release();
	assert_int_equal(world_files(id), 4);
	interval();
	assert_true(world_file(id, DIR "api/key", "k3"));
	assert_int_equal(world_files(id), 3);
}

/* The same trouble is said once, when it comes; not at every look, not again after a restart. */
static void test_said_once(void **state)
{
	const char *odd = SECRETS(
	    "\"db\",\"api\"", SECRET("db", "\"user\":\"u\",\"bad key\":\"x\"") "," SECRET("api", "\"key\":\"k1\""));

	begin();
	world.secrets = odd;
	interval();
	assert_true(world_logged("secret/data/app/db: a key is left out: its name is no safe file name"));
	interval();
	assert_string_equal(world.log, "");
	world_restart();
	interval();
	assert_false(world_logged("left out"));
	interval();
	assert_string_equal(world.log, "");
}

/* A secret that can never be read keeps the others from nothing, after a restart either, and its files stay. */
static void test_one_unreadable(void **state)
{
	blocks[1] = (struct export_config){ .name = (char[]){ "odd" }, .path = (char[]){ "kv1/odd" } };
	world.config.n_exports = 2;
	world.secrets = SECRETS("\"db\"", SECRET("db", "\"user\":\"u0\"") ",\"kv1/odd\":{\"a\":\"b\"}");
	begin();
	assert_true(world_file(id, DIR "db/user", "u0"));
	assert_true(world_file(id, "secrets/kv1.odd/a", "b"));
	world.secrets = SECRETS("\"db\"", SECRET("db", "\"user\":\"u1\"") ",\"kv1/odd\":400");
	interval();
	interval();
	assert_true(world_file(id, DIR "db/user", "u1"));
	world_restart();
	world.secrets = SECRETS("\"db\"", SECRET("db", "\"user\":\"u2\"") ",\"kv1/odd\":400");
	for (int i = 0; i < 6; i++)
		interval();
	assert_true(world_file(id, DIR "db/user", "u2"));
	assert_true(world_file(id, "secrets/kv1.odd/a", "b"));
	world.secrets = SECRETS("\"db\"", SECRET("db", "\"user\":\"u3\"") ",\"kv1/odd\":{\"a\":\"c\"}");
	interval();
	interval();
	assert_true(world_file(id, DIR "db/user", "u3"));
	assert_true(world_file(id, "secrets/kv1.odd/a", "c"));
}

static void test_restart(void **state)
{
	begin();
	world_restart();
	interval();
	assert_non_null(strstr(world.requests, "read secret/data/app/db"));
	assert_int_equal(world.n_rotated, 0); /* all as the daemon before left it */
	/* Also where that one had rotated. */
	world.secrets = SECRETS("\"db\"", SECRET("db", "\"user\":\"u1\",\"password\":\"s3cr3t\""));
	interval();
	assert_int_equal(world.n_rotated, 1);
	world_restart();
	interval();
	assert_int_equal(world.n_rotated, 0);
	/* What changed while nobody looked. */
	sessions_free(world.sessions);
	world_run();
	world.secrets = SECRETS("\"db\"", SECRET("db", "\"user\":\"u2\",\"password\":\"s3cr3t\""));
	world_start(fcntl(world.kept_fd, F_DUPFD_CLOEXEC, 3));
	sessions_resume(world.sessions);
	/* But nothing before all of it can be read. */
	world.outage_status = 503;
	interval();
	assert_true(world_file(id, DIR "db/user", "u1"));
	world.outage_status = 0;
	interval();
	assert_int_equal(world.n_rotated, 1);
	assert_true(world_file(id, DIR "db/user", "u2"));
	assert_int_equal(world_files(id), 3);
	interval();
	assert_int_equal(world.n_rotated, 0);
}

/* The helper is down, or its disk is full: tried again, and all of it is written then. */
static void test_helper_trouble(void **state)
{
	begin();
	world.secrets = SECRETS("\"db\",\"api\"",
	    SECRET("db", "\"user\":\"u2\",\"password\":\"s3cr3t\"") "," SECRET("api", "\"key\":\"k1\""));
	world.helper_status = WIRE_STATUS_UNAVAILABLE;
	interval();
	assert_true(world_logged("changed secrets are not written: helper: no space left"));
	interval();
	assert_int_equal(world.n_rotated, 1);
	assert_false(world_logged("no space left"));
	world.helper_status = WIRE_STATUS_OK;
	interval();
	assert_true(world_file(id, DIR "db/user", "u2"));
	assert_int_equal(world_files(id), 4);
	/* Half of them may be written: what is as it was before is written, too. */
	world.secrets = SECRETS("\"db\"", SECRET("db", "\"user\":\"u3\""));
	world.helper_status = WIRE_STATUS_UNAVAILABLE;
	interval();
	world.secrets = SECRETS("\"db\",\"api\"",
	    SECRET("db", "\"user\":\"u2\",\"password\":\"s3cr3t\"") "," SECRET("api", "\"key\":\"k1\""));
	world.helper_status = WIRE_STATUS_OK;
	interval();
	assert_int_equal(world.n_rotated, 1);
	assert_true(world_logged("secrets changed: secret.data.app.db secret.data.app.api"));
	interval();
	assert_int_equal(world.n_rotated, 0);
}

/* The session ends while a look is under way: nothing comes of it. */
static void test_ends_meanwhile(void **state)
{
	struct wire_conn conn;

	begin();
	world.hold = "app/db";
	interval();
	ask(&conn, ask_close(id));
	world_release();
	assert_int_equal(world_files(id), 0);
	assert_int_equal(world.n_rotated, 0);
	assert_int_equal(sessions_count(world.sessions), 0);
	/* And while the helper writes. */
	begin();
	world.secrets = SECRETS("\"db\"", SECRET("db", "\"user\":\"u9\""));
	world.helper_hold = true;
	interval();
	ask(&conn, ask_close(id));
	world_release();
	assert_int_equal(sessions_count(world.sessions), 0);
	/* And the daemon. */
	world.secrets = SECRETS("\"db\"", SECRET("db", "\"user\":\"u\""));
	begin();
	world.hold = "app/db";
	interval();
}

/* Many sessions: all are looked at in an interval, a few at a time, spread over it. */
static void test_many(void **state)
{
	enum { SESSIONS = 100 };
	static char ids[SESSIONS][64];
	unsigned early = 0;

	world.secrets = SECRETS("\"db\"", SECRET("db", "\"user\":\"u\""));
	for (unsigned i = 0; i < SESSIONS; i++) {
		begin();
		memcpy(ids[i], id, sizeof(id));
	}
	world.secrets = SECRETS("\"db\"", SECRET("db", "\"user\":\"v\""));
	world_wait((int64_t)INTERVAL * 750);
	for (unsigned i = 0; i < SESSIONS; i++)
		early += world_file(ids[i], DIR "db/user", "v");
	assert_in_range(early, SESSIONS / 5, SESSIONS * 4 / 5);
	world_wait((int64_t)INTERVAL * 250);
	for (unsigned i = 0; i < SESSIONS; i++)
		assert_true(world_file(ids[i], DIR "db/user", "v"));
	/* All at once, with the backend silent: no more than a few are asked about. */
	world.hold = "resultant-acl";
	world.requests[0] = '\0';
	world_wait((int64_t)INTERVAL * 1000);
	unsigned asked = 0;
	for (const char *at = world.requests; (at = strstr(at, "resultant-acl")); at++)
		asked++;
	assert_in_range(asked, 1, 8);
	world_release();
	world_wait((int64_t)INTERVAL * 1000);
	assert_int_equal(sessions_count(world.sessions), SESSIONS);
}

static void test_off(void **state)
{
	world.config.export_interval = 0;
	begin();
	interval();
	assert_string_equal(world.requests, "");
	world_restart();
	interval();
	assert_null(strstr(world.requests, "secret"));
}

/* A block that makes something anew when it is read is read once. */
static void test_leased(void **state)
{
	blocks[1] = (struct export_config){ .name = (char[]){ "role" },
		.path = (char[]){ "database/creds/app" },
		.field = (char[]){ "role" },
		.file = (char[]){ "role" } };
	world.config.n_exports = 2;
	world.lease_of = "database/creds/app";
	world.secrets = SECRETS("\"db\"", SECRET("db", "\"user\":\"u\"") ",\"database/creds/app\":{}");
	begin();
	assert_true(world_file(id, "secrets/role", "lease-1"));
	world.secrets = SECRETS("\"db\"", SECRET("db", "\"user\":\"v\"") ",\"database/creds/app\":{}");
	interval();
	assert_true(world_file(id, DIR "db/user", "v"));
	assert_true(world_file(id, "secrets/role", "lease-1"));
	world_restart();
	world.secrets = SECRETS("\"db\"", SECRET("db", "\"user\":\"w\"") ",\"database/creds/app\":{}");
	interval();
	assert_true(world_file(id, DIR "db/user", "w"));
	assert_true(world_file(id, "secrets/role", "lease-1"));
	assert_int_equal(world.leases, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_change, rotate_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_one_unreadable, rotate_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_goes, rotate_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_outage, rotate_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_said_once, rotate_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_restart, rotate_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_helper_trouble, rotate_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_ends_meanwhile, rotate_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_many, rotate_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_off, rotate_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_leased, rotate_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
