/* SPDX-License-Identifier: Apache-2.0 */
/* helper: the files of sessions, and requests that try to get others written or removed. Needs root. */
#include "helper_fixture.h"

#include <sched.h>
#include <sys/mount.h>

#include "base/safe_open.h"

#define ID "AbCdEfGhIjKlMnOpQrStUvWx"

static uint32_t uid; /* of k8s_web_sa */

static int test_setup(void **state)
{
	static const struct proof proofs[] = { { "k8s_web_sa", "kubernetes/web/sa", "uid-1" },
		{ "k8s_web_other", "kubernetes/web/other", "uid-2" } };
	AUTO_BUF struct buf image = { 0 };

	(void)state;
	if (getuid() != 0)
		return 0;
	write_text(conf_path, "local \"deploy\" { service_accounts = [\"kubernetes/web/sa\"] }\n"
			      "local \"toor\" { service_accounts = [\"kubernetes/web/sa\"] }\n");
	build(proofs, ARRAY_SIZE(proofs), &image);
	unlink(index_path);
	uid = account_hashed_id("k8s_web_sa");
	return publish_buf(&image, NULL);
}

static int test_teardown(void **state)
{
	(void)state;
	return getuid() == 0 ? files_remove(&places, ID, why, sizeof(why)) : 0;
}

/* --- requests ------------------------------------------------------------------------------------------------- */

struct request {
	const char *session, *user;
	uint32_t uid, gid;
	const char *files[8]; /* name, content, name, content, ... */
};

static void add_file(struct buf *frame, const char *name, const char *content)
{
	AUTO_BUF struct buf item = { 0 };
	uint16_t len = htole16((uint16_t)strlen(name));

	assert_int_equal(buf_add(&item, &len, sizeof(len)), 0);
	assert_int_equal(buf_add_str(&item, name), 0);
	assert_int_equal(buf_add_str(&item, content), 0);
	wire_add(frame, WIRE_FILE | WIRE_CRITICAL, item.data, item.len);
}

static int send_request(const struct request *request)
{
	AUTO_BUF struct buf bytes = { 0 };
	struct wire_frame frame;
	const char *reason;

	wire_begin(&bytes, WIRE_HELPER_SESSION);
	wire_add_str(&bytes, WIRE_SESSION, request->session);
	wire_add_str(&bytes, WIRE_USER, request->user);
	wire_add_u32(&bytes, WIRE_UID, request->uid);
	wire_add_u32(&bytes, WIRE_GID, request->gid);
	for (size_t i = 0; i < ARRAY_SIZE(request->files) && request->files[i]; i += 2)
		add_file(&bytes, request->files[i], request->files[i + 1]);
	assert_int_equal(wire_end(&bytes), 0);
	assert_int_equal(wire_parse(bytes.data, bytes.len, &frame, &reason), 0);
	*why = '\0';
	return files_write(&places, &frame, why, sizeof(why));
}

static int write_one(const char *name, const char *content)
{
	struct request request = { ID, "k8s_web_sa", uid, uid, { name, content } };

	return send_request(&request);
}

/* "mode uid gid" of a path below the sessions, "" if there is none. */
static const char *look(const char *path)
{
	static char text[64], whole[256];
	struct stat st;

	snprintf(whole, sizeof(whole), "%s/%s", sessions, path);
	if (lstat(whole, &st) < 0)
		return "";
	snprintf(text, sizeof(text), "%s%04o %s %s", S_ISDIR(st.st_mode) ? "d" : "", st.st_mode & 07777,
	    st.st_uid == 0     ? "root"
	    : st.st_uid == uid ? "user"
			       : "?",
	    st.st_gid == 0     ? "root"
	    : st.st_gid == uid ? "user"
			       : "?");
	return text;
}

static void assert_content(const char *path, const char *expected)
{
	AUTO_BUF struct buf content = { 0 };
	AUTO_CLOSE int fd = -1;
	char whole[256];

	snprintf(whole, sizeof(whole), "%s/%s", sessions, path);
	fd = open(whole, O_RDONLY | O_CLOEXEC);
	assert_int_equal(read_all(fd, 1 << 20, &content), 0);
	assert_string_equal(content.data, expected);
}

/* --- tests ----------------------------------------------------------------------------------------------- */

static void test_writes(void **state)
{
	struct request request = { ID, "k8s_web_sa", 0, 0,
		{ "token", "hvs.1", "secrets/secret.data.web/password", "pw", "secrets/db-password", "x",
		    "secrets/empty/e", "" } };
	const struct request local = { ID "2", "deploy", 1500, 1500, { "token", "t" } };

	NEEDS_ROOT();
	request.uid = request.gid = uid;
	umask(0);
	if (send_request(&request) < 0)
		fail_msg("%s", why);
	assert_string_equal(look(ID), "d0750 root user");
	assert_string_equal(look(ID "/token"), "0400 user user");
	assert_string_equal(look(ID "/secrets"), "d0750 root user");
	assert_string_equal(look(ID "/secrets/secret.data.web"), "d0750 root user");
	assert_string_equal(look(ID "/secrets/secret.data.web/password"), "0400 user user");
	assert_string_equal(look(ID "/secrets/db-password"), "0400 user user");
	assert_content(ID "/secrets/secret.data.web/password", "pw");
	assert_content(ID "/secrets/empty/e", "");
	/* Rotation: one file replaced whole, the others stay. */
	assert_int_equal(write_one("token", "hvs.2"), 0);
	assert_content(ID "/token", "hvs.2");
	assert_content(ID "/secrets/db-password", "x");
	assert_string_equal(look(ID "/.new"), "");
	assert_int_equal(files_remove(&places, ID, why, sizeof(why)), 0);
	assert_string_equal(look(ID), "");
	assert_int_equal(files_remove(&places, ID, why, sizeof(why)), 0); /* again */
	if (send_request(&local) < 0)
		fail_msg("%s", why);
	assert_int_equal(files_remove(&places, ID "2", why, sizeof(why)), 0);
}

static void test_refused_accounts(void **state)
{
	static const struct {
		struct request request;
		const char *why;
	} rows[] = {
		{ { ID, "k8s_web_sa", 0, 0, { "token", "t" } }, "root has no sessions" },
		{ { ID, "k8s_web_sa", 1930716171, 0, { "token", "t" } }, "root has no sessions" },
		{ { ID, "root", 0, 0, { "token", "t" } }, "root has no sessions" },
		{ { ID, "root", 1, 1, { "token", "t" } }, "root is not opened" },
		{ { ID, "k8s_web_sa", 1500, 1500, { "token", "t" } }, "is not in the account index" },
		{ { ID, "k8s_web_none", 1500, 1500, { "token", "t" } }, "is not in the account index" },
		{ { ID, "deploy", 1501, 1500, { "token", "t" } }, "deploy with uid 1501 and gid 1500 is not in" },
		{ { ID, "toor", 1500, 1500, { "token", "t" } }, "toor with uid 1500" },
		{ { ID, "daemon", 1, 1, { "token", "t" } }, "daemon is not opened" },
		{ { "short", "deploy", 1500, 1500, { "token", "t" } }, "no session id" },
		{ { "../../../../../../tmp/abcdef", "deploy", 1500, 1500, { "token", "t" } }, "no session id" },
		{ { "AbCdEfGhIjKlMnOpQr/tUvWx", "deploy", 1500, 1500, { "token", "t" } }, "no session id" },
		{ { "................", "deploy", 1500, 1500, { "token", "t" } }, "no session id" },
		{ { NULL, "deploy", 1500, 1500, { "token", "t" } }, "are needed" },
		{ { ID, NULL, 1500, 1500, { "token", "t" } }, "are needed" },
	};

	NEEDS_ROOT();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int r = send_request(&rows[i].request);

		if (r != -EPERM || !strstr(why, rows[i].why))
			fail_msg("row %zu: %d, %s", i, r, why);
		assert_string_equal(look(ID), "");
	}
}

static void test_refused_names(void **state)
{
	static const char *const names[] = { "secret", "token/x", "/token", "../token", "secrets", "secrets/",
		"secrets//x", "secrets/.", "secrets/..", "secrets/.hidden", "secrets/a/..", "secrets/../token",
		"secrets/a/.x", "secrets/a/b/c", "secrets/a b", "secrets/a\nb", "secrets/\xc3\xa9", ".new", "token ",
		"secrets/a/",
		"secrets/"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };

	NEEDS_ROOT();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(write_one(names[i], "x"), -EPERM);
		if (!strstr(why, "is no name of a session's file"))
			fail_msg("%s: %s", names[i], why);
		assert_string_equal(look(ID), ""); /* a session that does not begin leaves nothing */
	}
	assert_int_equal(write_one("token", "t"), 0);
	assert_int_equal(write_one("secrets/a", "x"), 0);
	assert_int_equal(write_one("secrets/a/b", "x"), -ENOTDIR); /* a file is there */
	assert_int_equal(write_one("secrets/d/b", "x"), 0);
	assert_int_equal(write_one("secrets/d", "x"), -EISDIR);
	assert_content(ID "/token", "t"); /* what was there before stays */
}

/* What a user, or a program that was root for a moment, may have left lying about. */
static void test_planted(void **state)
{
	const struct request other = { ID, "k8s_web_other", account_hashed_id("k8s_web_other"),
		account_hashed_id("k8s_web_other"), { "token", "t" } };
	char path[256], victim[128];
	struct stat st;

	NEEDS_ROOT();
	snprintf(victim, sizeof(victim), "%s/victim", dir);
	write_text(victim, "precious");
	/* The session's directory is a link. */
	snprintf(path, sizeof(path), "%s/%s", sessions, ID);
	assert_int_equal(symlink(dir, path), 0);
	assert_true(write_one("token", "t") < 0);
	assert_true(files_remove(&places, ID, why, sizeof(why)) < 0);
	assert_int_equal(stat(victim, &st), 0);
	unlink(path);
	/* It is the user's. */
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(chown(path, uid, uid), 0);
	assert_int_equal(write_one("token", "t"), -EPERM);
	assert_non_null(strstr(why, "is not root's alone to write"));
	assert_int_equal(files_remove(&places, ID, why, sizeof(why)), -EPERM);
	assert_int_equal(chown(path, 0, 0), 0);
	rmdir(path);
	/* It is another account's. */
	assert_int_equal(write_one("token", "t"), 0);
	assert_int_equal(send_request(&other), -EPERM);
	assert_non_null(strstr(why, "another account's session"));
	assert_content(ID "/token", "t");
	/* Links where files and directories go: replaced and removed, never followed. */
	snprintf(path, sizeof(path), "%s/%s/token", sessions, ID);
	unlink(path);
	assert_int_equal(symlink(victim, path), 0);
	assert_int_equal(write_one("token", "new"), 0);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	snprintf(path, sizeof(path), "%s/%s/.new", sessions, ID);
	assert_int_equal(symlink(victim, path), 0);
	assert_int_equal(write_one("token", "newer"), 0);
	snprintf(path, sizeof(path), "%s/%s/secrets", sessions, ID);
	assert_int_equal(symlink(dir, path), 0);
	assert_true(write_one("secrets/victim", "x") < 0);
	assert_int_equal(files_remove(&places, ID, why, sizeof(why)), 0);
	assert_string_equal(look(ID), "");
	assert_content("../victim", "precious");
	unlink(victim);
}

static void test_too_deep(void **state)
{
	char path[256];

	NEEDS_ROOT();
	assert_int_equal(write_one("secrets/a/b", "t"), 0);
	snprintf(path, sizeof(path), "%s/%s/secrets/a/deeper", sessions, ID);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(files_remove(&places, ID, why, sizeof(why)) < 0); /* not ours: it is left for somebody to look at */
	assert_int_equal(rmdir(path), 0);
}

static void test_full(void **state)
{
	AUTO_FREE char *big = malloc(200001);

	NEEDS_ROOT();
	/* A small tmpfs, seen by this process alone. */
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", sessions, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=64k,mode=755") < 0)
		skip();
	memset(big, 'x', 200000);
	big[200000] = '\0';
	assert_int_equal(write_one("token", big), -ENOSPC);
	assert_non_null(strstr(why, "No space left"));
	assert_string_equal(look(ID), ""); /* it did not begin */
	assert_int_equal(write_one("token", "small"), 0);
	assert_int_equal(write_one("secrets/big", big), -ENOSPC);
	assert_content(ID "/token", "small");
	assert_string_equal(look(ID "/secrets/.new"), "");
	assert_int_equal(write_one("token", "other"), 0);
	assert_content(ID "/token", "other");
	assert_int_equal(umount(sessions), 0);
}

static void test_list(void **state)
{
	AUTO_BUF struct buf reply = { 0 };
	struct wire_frame frame;
	struct wire_item item;
	const char *reason;
	char path[256];
	size_t at = 0, n = 0;

	NEEDS_ROOT();
	assert_int_equal(write_one("token", "t"), 0);
	snprintf(path, sizeof(path), "%s/lost+found", sessions);
	assert_int_equal(mkdir(path, 0700), 0);
	wire_begin(&reply, WIRE_HELPER_LIST | WIRE_REPLY);
	assert_int_equal(files_list(&places, &reply, why, sizeof(why)), 0);
	assert_int_equal(wire_end(&reply), 0);
	assert_int_equal(wire_parse(reply.data, reply.len, &frame, &reason), 0);
	while (wire_next(&frame, &at, &item)) {
		assert_int_equal(item.tag, WIRE_SESSION);
		assert_int_equal(item.len, strlen(ID));
		assert_memory_equal(item.value, ID, item.len);
		n++;
	}
	assert_int_equal(n, 1);
	rmdir(path);
}

/* Through the dispatcher: statuses, and a reason that is text whatever was asked. */
static void test_answers(void **state)
{
	static const struct {
		uint8_t type;
		const char *session;
		enum wire_status status;
	} rows[] = {
		{ WIRE_HELPER_REMOVE, ID, WIRE_STATUS_OK },
		{ WIRE_HELPER_REMOVE, "../../etc", WIRE_STATUS_REFUSED },
		{ WIRE_HELPER_REMOVE, NULL, WIRE_STATUS_REFUSED },
		{ WIRE_HELPER_LIST, NULL, WIRE_STATUS_OK },
		{ WIRE_HELPER_PUBLISH, NULL, WIRE_STATUS_REFUSED },
		{ WIRE_HELPER_SESSION, ID, WIRE_STATUS_REFUSED },
		{ WIRE_LOGIN, NULL, WIRE_STATUS_REFUSED },
		{ 99, NULL, WIRE_STATUS_REFUSED },
	};

	NEEDS_ROOT();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO_BUF struct buf bytes = { 0 }, reply = { 0 };
		struct wire_frame frame, answer;
		const char *reason;
		uint32_t status;

		wire_begin(&bytes, rows[i].type);
		wire_add_str(&bytes, WIRE_SESSION, rows[i].session);
		assert_int_equal(wire_end(&bytes), 0);
		assert_int_equal(wire_parse(bytes.data, bytes.len, &frame, &reason), 0);
		helper_answer(&places, &frame, -1, &reply);
		assert_int_equal(wire_parse(reply.data, reply.len, &answer, &reason), 0);
		assert_int_equal(answer.type, rows[i].type | WIRE_REPLY);
		assert_true(wire_get_u32(&answer, WIRE_STATUS, &status));
		assert_int_equal(status, rows[i].status);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_writes, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_refused_accounts, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_refused_names, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_planted, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_too_deep, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_full, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_list, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_answers, test_setup, test_teardown),
	};

	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
