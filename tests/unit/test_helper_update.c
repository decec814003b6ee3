/* SPDX-License-Identifier: Apache-2.0 */
/* helper: secrets of a living session are replaced, kept and taken away, and the hook is told. Needs root. */
#include "helper_fixture.h"

#include <sys/wait.h>

#include "base/safe_open.h"

#define ID   "AbCdEfGhIjKlMnOpQrStUvWx"
#define USER "k8s_web_sa"

static uint32_t uid; /* of USER */
static char hook[128], runner[128], told[128];
static struct helper_places here;

static void write_program(const char *path, mode_t mode, const char *text)
{
	write_text(path, text);
	assert_int_equal(chmod(path, mode), 0);
}

static int test_setup(void **state)
{
	static const struct proof proof = { USER, "kubernetes/web/sa", "uid-1" };
	AUTO_BUF struct buf image = { 0 };
	char text[512];

	(void)state;
	if (getuid() != 0)
		return 0;
	write_text(conf_path, "");
	build(&proof, 1, &image);
	unlink(index_path);
	uid = account_hashed_id(USER);
	snprintf(hook, sizeof(hook), "%s/rotated", dir);
	snprintf(runner, sizeof(runner), "%s/systemd-run", dir);
	snprintf(told, sizeof(told), "%s/told", dir);
	/* In systemd's stead: tells what it would run, and in which environment. */
	snprintf(text, sizeof(text), "#!/bin/sh\n{ env; for a; do echo \"$a\"; done; } > %s.new && mv %s.new %s\n",
	    told, told, told);
	write_program(runner, 0755, text);
	write_program(hook, 0755, "#!/bin/sh\n");
	here = places;
	here.hook = hook;
	here.systemd_run = runner;
	return publish_buf(&image, NULL);
}

static int test_teardown(void **state)
{
	(void)state;
	if (getuid() != 0)
		return 0;
	unlink(hook);
	unlink(runner);
	unlink(told);
	return files_remove(&here, ID, why, sizeof(why));
}

struct update {
	uint8_t type;
	const char *files[16]; /* name, content, name, content, ... */
	const char *keep[8];
};

static int send_update(struct update update)
{
	AUTO_BUF struct buf bytes = { 0 };
	struct wire_frame frame;
	const char *reason;

	wire_begin(&bytes, update.type);
	wire_add_str(&bytes, WIRE_SESSION, ID);
	wire_add_str(&bytes, WIRE_USER, USER);
	wire_add_u32(&bytes, WIRE_UID, uid);
	wire_add_u32(&bytes, WIRE_GID, uid);
	for (size_t i = 0; update.files[i]; i += 2) {
		AUTO_BUF struct buf item = { 0 };
		uint16_t len = htole16((uint16_t)strlen(update.files[i]));

		buf_add(&item, &len, sizeof(len));
		buf_add_str(&item, update.files[i]);
		buf_add_str(&item, update.files[i + 1]);
		wire_add(&bytes, WIRE_FILE | WIRE_CRITICAL, item.data, item.len);
	}
	for (size_t i = 0; update.keep[i]; i++)
		wire_add_str(&bytes, WIRE_KEEP | WIRE_CRITICAL, update.keep[i]);
	assert_int_equal(wire_end(&bytes), 0);
	assert_int_equal(wire_parse(bytes.data, bytes.len, &frame, &reason), 0);
	*why = '\0';
	return update.type == WIRE_HELPER_SESSION ? files_write(&here, &frame, why, sizeof(why))
						  : files_update(&here, &frame, why, sizeof(why));
}

/* The content of a file of the session; NULL: none is there. */
static const char *content(const char *name)
{
	static struct buf text;
	char path[512];
	AUTO_CLOSE int fd = -1;

	buf_free(&text);
	snprintf(path, sizeof(path), "%s/" ID "/%s", sessions, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	assert_int_equal(read_all(fd, 4096, &text), 0);
	return text.data;
}

/* What the hook would be told; "" if nobody told it anything. */
static const char *hook_told(void)
{
	static char text[16384];
	AUTO_CLOSE int fd = -1;
	ssize_t n = 0;

	while (wait(NULL) > 0)
		;
	fd = open(told, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		n = read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	unlink(told);
	return text;
}

static void begin(void)
{
	if (send_update((struct update){ .type = WIRE_HELPER_SESSION,
		.files = { "token", "hvs.1", "secrets/a/x", "1", "secrets/a/y", "2", "secrets/b/x", "3",
		    "secrets/single", "4" } }) < 0)
		fail_msg("%s", why);
	assert_string_equal(hook_told(), "");
}

static void test_rotates(void **state)
{
	const char *text;
	char line[512];

	NEEDS_ROOT();
	begin();
	if (send_update((struct update){ .type = WIRE_HELPER_ROTATE,
		.files = { "secrets/a/x", "new", "secrets/c/z", "5" },
		.keep = { "secrets/a/y", "secrets/single" } }) < 0)
		fail_msg("%s", why);
	assert_string_equal(content("token"), "hvs.1");
	assert_string_equal(content("secrets/a/x"), "new");
	assert_string_equal(content("secrets/a/y"), "2");
	assert_string_equal(content("secrets/single"), "4");
	assert_string_equal(content("secrets/c/z"), "5");
	assert_null(content("secrets/b/x"));
	assert_null(content("secrets/b")); /* an empty folder goes, too */
	text = hook_told();
	assert_non_null(strstr(text, "\n--setenv=K8SAUTH_CHANGED=secrets/b secrets/a secrets/c\n"));
	assert_non_null(strstr(text, "\n--setenv=K8SAUTH_SESSION=" ID "\n"));
	snprintf(line, sizeof(line), "\n--setenv=K8SAUTH_DIR=%s/" ID "\n", sessions);
	assert_non_null(strstr(text, line));
	snprintf(line, sizeof(line), "\n--uid=%u\n--gid=%u\n", uid, uid);
	assert_non_null(strstr(text, line));
	assert_non_null(strstr(text, "\n--no-block\n"));
	assert_non_null(strstr(text, "\n--property=RuntimeMaxSec=60\n"));
	snprintf(line, sizeof(line), "\n--\n%s\n", hook);
	assert_non_null(strstr(text, line));
	assert_null(strstr(text, "new")); /* no value, nowhere */
}

/* A whole folder is kept by its name; a folder becomes a file and a file a folder. */
static void test_kinds_change(void **state)
{
	NEEDS_ROOT();
	begin();
	assert_int_equal(send_update((struct update){ .type = WIRE_HELPER_ROTATE,
			     .files = { "secrets/b", "file", "secrets/single/key", "k" },
			     .keep = { "secrets/a" } }),
	    0);
	assert_string_equal(content("secrets/a/x"), "1");
	assert_string_equal(content("secrets/a/y"), "2");
	assert_string_equal(content("secrets/b"), "file");
	assert_string_equal(content("secrets/single/key"), "k");
	(void)hook_told();
	/* Nothing is a secret any more. */
	assert_int_equal(send_update((struct update){ .type = WIRE_HELPER_ROTATE }), 0);
	assert_null(content("secrets/a/x"));
	assert_null(content("secrets/b"));
	assert_string_equal(content("token"), "hvs.1");
	assert_non_null(strstr(hook_told(), "K8SAUTH_CHANGED="));
	assert_int_equal(send_update((struct update){ .type = WIRE_HELPER_ROTATE }), 0);
	assert_string_equal(hook_told(), ""); /* nothing changed: nothing to tell */
}

/* What comes late for a session that is gone makes no files; UPDATE takes nothing away and tells nobody. */
static void test_update(void **state)
{
	NEEDS_ROOT();
	assert_int_equal(
	    send_update((struct update){ .type = WIRE_HELPER_ROTATE, .files = { "secrets/x", "1" } }), -ENOENT);
	assert_int_equal(
	    send_update((struct update){ .type = WIRE_HELPER_UPDATE, .files = { "secrets/x", "1" } }), -ENOENT);
	assert_null(content("secrets/x"));
	begin();
	assert_int_equal(send_update((struct update){ .type = WIRE_HELPER_UPDATE, .files = { "secrets/x", "1" } }), 0);
	assert_string_equal(content("secrets/x"), "1");
	assert_string_equal(content("secrets/a/x"), "1");
	assert_string_equal(hook_told(), "");
}

/* What a helper that was killed left behind goes, and is no secret that changed. */
static void test_left_behind(void **state)
{
	char path[256];

	NEEDS_ROOT();
	begin();
	snprintf(path, sizeof(path), "%s/" ID "/secrets/a/.new", sessions);
	write_text(path, "half a sec");
	assert_int_equal(send_update((struct update){ .type = WIRE_HELPER_ROTATE,
			     .keep = { "secrets/a/x", "secrets/a/y", "secrets/b", "secrets/single" } }),
	    0);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_string_equal(content("secrets/a/x"), "1");
	assert_string_equal(hook_told(), "");
}

/* Links and deep folders that nobody of us made. */
static void test_planted(void **state)
{
	char path[256], victim[128];

	NEEDS_ROOT();
	begin();
	snprintf(victim, sizeof(victim), "%s/victim", dir);
	assert_int_equal(mkdir(victim, 0755), 0);
	snprintf(path, sizeof(path), "%s/" ID "/secrets/link", sessions);
	assert_int_equal(symlink(victim, path), 0);
	assert_int_equal(send_update((struct update){ .type = WIRE_HELPER_ROTATE, .keep = { "secrets/a" } }), 0);
	assert_int_equal(access(victim, F_OK), 0);
	assert_int_not_equal(access(path, F_OK), 0);
	snprintf(path, sizeof(path), "%s/" ID "/secrets/a/deeper", sessions);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_true(send_update((struct update){ .type = WIRE_HELPER_ROTATE }) < 0);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(victim), 0);
	while (wait(NULL) > 0)
		;
}

static void rotate_and_expect_no_hook(const char *content_of_x)
{
	assert_int_equal(
	    send_update((struct update){ .type = WIRE_HELPER_ROTATE, .files = { "secrets/a/x", content_of_x } }), 0);
	assert_string_equal(hook_told(), "");
}

/* A hook that somebody else than root could have written runs for nobody; the files are written all the same. */
static void test_untrusted_hook(void **state)
{
	char target[160];

	NEEDS_ROOT();
	begin();
	assert_int_equal(unlink(hook), 0);
	rotate_and_expect_no_hook("none");
	write_program(hook, 0644, "#!/bin/sh\n");
	rotate_and_expect_no_hook("not executable");
	write_program(hook, 0775, "#!/bin/sh\n");
	rotate_and_expect_no_hook("the group may write");
	write_program(hook, 0755, "#!/bin/sh\n");
	assert_int_equal(chown(hook, uid, 0), 0);
	rotate_and_expect_no_hook("a user's");
	snprintf(target, sizeof(target), "%s.target", hook);
	assert_int_equal(chown(hook, 0, 0), 0);
	assert_int_equal(rename(hook, target), 0);
	assert_int_equal(symlink(target, hook), 0);
	rotate_and_expect_no_hook("a link");
	assert_int_equal(rename(target, hook), 0);
	assert_int_equal(chmod(dir, 0777), 0);
	rotate_and_expect_no_hook("anybody could have put it there");
	assert_int_equal(chmod(dir, 0700), 0);
	assert_string_equal(content("secrets/a/x"), "anybody could have put it there");
	/* And this one may. */
	assert_int_equal(
	    send_update((struct update){ .type = WIRE_HELPER_ROTATE, .files = { "secrets/a/x", "!" } }), 0);
	assert_non_null(strstr(hook_told(), "K8SAUTH_CHANGED=secrets/a\n"));
}

/* As many and as long names as there can be. */
static void test_many_names(void **state)
{
	AUTO_BUF struct buf bytes = { 0 };
	struct wire_frame frame;
	const char *reason;
	char name[160];

	NEEDS_ROOT();
	begin();
	wire_begin(&bytes, WIRE_HELPER_ROTATE);
	wire_add_str(&bytes, WIRE_SESSION, ID);
	wire_add_str(&bytes, WIRE_USER, USER);
	wire_add_u32(&bytes, WIRE_UID, uid);
	wire_add_u32(&bytes, WIRE_GID, uid);
	for (unsigned i = 0; i < 64; i++) {
		uint16_t len = htole16((uint16_t)snprintf(name, sizeof(name), "..secrets/%0128u", i) - 2);

		memcpy(name, &len, sizeof(len));
		wire_add(&bytes, WIRE_FILE | WIRE_CRITICAL, name, sizeof(len) + le16toh(len));
	}
	assert_int_equal(wire_end(&bytes), 0);
	assert_int_equal(wire_parse(bytes.data, bytes.len, &frame, &reason), 0);
	if (files_update(&here, &frame, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	assert_true(strlen(hook_told()) > 64 * 137);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rotates, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_kinds_change, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_update, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_left_behind, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_planted, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_untrusted_hook, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_many_names, test_setup, test_teardown),
	};

	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
