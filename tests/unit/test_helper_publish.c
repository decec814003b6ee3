/* SPDX-License-Identifier: Apache-2.0 */
/* helper: an index of the daemon's is published, and one that says what root did not allow is refused. Needs root. */
#include "helper_fixture.h"

#define CONF                                                                                                          \
	"account \"k8s_web_decl\" { uid = 20001 groups = [\"k8s-dep\"] home = \"/srv/decl\" shell = \"/bin/zsh\" }\n" \
	"account \"k8s_web_prim\" { uid = 20002 gid = 30000 }\n"                                                      \
	"group \"k8s-dep\" { gid = 30000 }\n"                                                                         \
	"group \"k8s-admins\" { gid = 30001 }\n"

static const struct proof proofs[] = {
	{ "k8s_web_sa", "kubernetes/web/sa", "uid-1" },
	{ "k8s__d5ckgq4eqd36kpkl", "kubernetes/webapp-namespace-long/webapp-service-account", "uid-2" },
	{ "k8s_other_sa", "kubernetes/other/sa", "uid-3" },
};

static int test_setup(void **state)
{
	(void)state;
	if (getuid() != 0)
		return 0;
	unlink(index_path);
	write_text(conf_path, CONF);
	return 0;
}

static void test_good(void **state)
{
	AUTO_BUF struct buf first = { 0 }, second = { 0 };
	struct index_map map;
	struct index_user user;
	struct stat st;

	NEEDS_ROOT();
	build(NULL, 0, &first);
	if (publish_buf(&first, NULL) < 0)
		fail_msg("%s", why);
	build(proofs, ARRAY_SIZE(proofs), &second);
	if (publish_buf(&second, NULL) < 0)
		fail_msg("%s", why);
	assert_int_equal(stat(index_path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(index_open(index_path, 0, &map), 0);
	assert_int_equal(index_generation(&map), 2);
	assert_int_equal(index_user_by_name(&map, "k8s__d5ckgq4eqd36kpkl", &user), 0);
	index_close(&map);
	assert_int_equal(publish_buf(&second, NULL), -EPERM); /* an old one again */
	assert_non_null(strstr(why, "generation 2 is not above"));
}

static void test_bad_descriptors(void **state)
{
	AUTO_BUF struct buf image = { 0 }, huge = { 0 };
	AUTO_CLOSE int unsealed = -1, file = -1, half = -1;

	NEEDS_ROOT();
	build(NULL, 0, &image);
	assert_int_equal(publish(&places, -1, NULL, why, sizeof(why)), -EPERM);
	assert_non_null(strstr(why, "no index came"));
	unsealed = seal(&image, F_SEAL_SHRINK | F_SEAL_GROW);
	assert_int_equal(publish(&places, unsealed, NULL, why, sizeof(why)), -EPERM);
	assert_non_null(strstr(why, "not in a sealed memfd"));
	half = seal(&image, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW);
	assert_int_equal(publish(&places, half, NULL, why, sizeof(why)), -EPERM);
	file = open(conf_path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(publish(&places, file, NULL, why, sizeof(why)), -EPERM);
	assert_int_equal(buf_add(&huge, "short", 5), 0);
	assert_int_equal(publish_buf(&huge, NULL), -EPERM);
	assert_non_null(strstr(why, "an index of 5 bytes"));
	for (size_t i = 0; i < image.len; i++) {
		image.data[i] ^= 1;
		assert_int_equal(publish_buf(&image, NULL), -EPERM);
		assert_string_not_equal(why, "");
		image.data[i] ^= 1;
	}
	assert_int_equal(access(index_path, F_OK), -1);
	assert_int_equal(publish_buf(&image, NULL), 0);
}

/* --- what a daemon that was taken over might try -------------------------------------------------------------- */

/* One of the users or groups of a good index, to be changed on its way into a bad one; false leaves it out. */
struct lie {
	const char *who;
	bool (*user)(struct index_user *user);
	bool (*group)(struct index_group *group);
	const char *why;
	bool drop_private; /* the private group too */
};

static uint32_t more_groups[IDMAP_GROUPS_MAX];

static bool add_gid(struct index_user *user, uint32_t gid)
{
	memcpy(more_groups, user->groups, user->n_groups * sizeof(uint32_t));
	more_groups[user->n_groups++] = htole32(gid);
	user->groups = more_groups;
	return true;
}

static bool outside_range(struct index_user *user)
{
	user->uid = user->gid = 20077;
	return true;
}
static bool another_uid(struct index_user *user)
{
	user->uid = user->gid = user->uid + 1;
	return true;
}
static bool another_gid(struct index_user *user)
{
	user->gid = 30001; /* k8s-admins */
	return true;
}
static bool gid_of_namespace(struct index_user *user)
{
	user->uid = user->gid = account_hashed_id("k8s_web");
	return true;
}
static bool another_home(struct index_user *user)
{
	user->home = "/root";
	return true;
}
static bool another_shell(struct index_user *user)
{
	user->shell = "/tmp/sh";
	return true;
}
static bool become_admin(struct index_user *user)
{
	return add_gid(user, 30001);
}
static bool join_namespace(struct index_user *user)
{
	return add_gid(user, account_hashed_id("k8s_other"));
}
static bool leave_users(struct index_user *user)
{
	user->groups++; /* k8sauth-users is the first */
	user->n_groups--;
	return true;
}
static bool leave_last(struct index_user *user)
{
	user->n_groups--;
	return true;
}
static bool another_identity(struct index_user *user)
{
	user->identity = "kubernetes/web/other";
	return true;
}
static bool no_identity(struct index_user *user)
{
	user->identity = user->service_account_uid = "";
	return true;
}
static bool odd_identity(struct index_user *user)
{
	user->identity = "../sa";
	return true;
}
static bool uid_only(struct index_user *user)
{
	user->identity = "";
	return true;
}
static bool rename_user(struct index_user *user)
{
	user->name = "k8s_web_decl2";
	return true;
}
static bool rename_to_sudo(struct index_group *group)
{
	group->name = "k8s-sudo";
	return true;
}
static bool another_group_gid(struct index_group *group)
{
	group->gid = 30007;
	return true;
}

static void write_lie(const struct index_map *map, const struct lie *lie, struct buf *ret)
{
	struct index_writer *writer = index_writer_new(index_generation(map));
	uint32_t from, to;

	index_range(map, &from, &to);
	index_writer_range(writer, from, to);
	for (uint32_t i = 0; i < index_n_users(map); i++) {
		struct index_user user;

		assert_int_equal(index_user_at(map, i, &user), 0);
		if (streq(user.name, lie->who) && lie->user && !lie->user(&user))
			continue;
		assert_int_equal(index_writer_user(writer, &user), 0);
	}
	for (uint32_t i = 0; i < index_n_groups(map); i++) {
		struct index_group group;
		struct index_user user;

		assert_int_equal(index_group_at(map, i, &group), 0);
		if (streq(group.name, lie->who) && lie->group && !lie->group(&group))
			continue;
		/* Private groups follow their users, so that the lie is the only one. */
		if (lie->user && streq(group.name, lie->who) && index_user_by_name(map, group.name, &user) == 0) {
			if (!lie->user(&user) || user.gid != user.uid || lie->drop_private)
				continue;
			group.name = user.name;
			group.gid = user.gid;
		}
		assert_int_equal(index_writer_group(writer, group.name, group.gid), 0);
	}
	if (index_writer_finish(writer, ret, why, sizeof(why)) < 0)
		fail_msg("%s: %s", lie->who, why);
	index_writer_free(writer);
}

static const struct lie lies[] = {
	{ "k8s_web_sa", outside_range, NULL, "has uid 20077, which" },
	{ "k8s_web_decl", outside_range, NULL, "has uid 20077, which" },
	{ "k8s_web_sa", another_gid, NULL, "has gid 30001, which" },
	{ "k8s_web_prim", another_gid, NULL, "has gid 30001, which" },
	{ "k8s_web_sa", another_home, NULL, "has the home /root, not /home/k8s_web_sa" },
	{ "k8s_web_decl", another_home, NULL, "has the home /root, not /srv/decl" },
	{ "k8s_web_sa", another_shell, NULL, "has the shell /tmp/sh, not /bin/bash" },
	{ "k8s_web_sa", become_admin, NULL, "is in group k8s-admins, which" },
	{ "k8s_web_decl", become_admin, NULL, "is in group k8s-admins, which" },
	{ "k8s_web_sa", join_namespace, NULL, "is in group k8s_other, which" },
	/* The uid is the gid of another namespace's group, which so becomes the private one. */
	{ "k8s_other_sa", gid_of_namespace, NULL, "is in group k8s_web, which", true },
	{ "k8s_web_sa", leave_users, NULL, "is not in every group" },
	{ "k8s_web_sa", leave_last, NULL, "is not in every group" },
	{ "k8s_web_decl", leave_last, NULL, "is not in every group" },
	{ "k8s_web_sa", another_identity, NULL, "is not the name of kubernetes/web/other" },
	{ "k8s_web_sa", odd_identity, NULL, "identity that no service account has" },
	{ "k8s_web_sa", no_identity, NULL, "neither declared nor proved" },
	{ "k8s_web_sa", uid_only, NULL, "but nobody proved it" },
	{ "k8s_web_decl", rename_user, NULL, "neither declared nor proved" },
	{ "k8s-admins", NULL, rename_to_sudo, "group k8s-sudo is not declared" },
	{ "k8s-admins", NULL, another_group_gid, "group k8s-admins has gid 30007, not 30001" },
};

static void test_lies(void **state)
{
	AUTO_BUF struct buf good = { 0 };
	struct index_map map;

	NEEDS_ROOT();
	build(proofs, ARRAY_SIZE(proofs), &good);
	assert_int_equal(index_from_memory(good.data, good.len, &map), 0);
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		AUTO_BUF struct buf bad = { 0 };
		int r;

		write_lie(&map, &lies[i], &bad);
		r = publish_buf(&bad, NULL);
		if (r != -EPERM || !strstr(why, lies[i].why))
			fail_msg("lie %zu about %s: %d, %s", i, lies[i].who, r, why);
		assert_int_equal(access(index_path, F_OK), -1);
	}
	assert_int_equal(publish_buf(&good, NULL), 0);
}

static void test_group_below_range(void **state)
{
	AUTO_BUF struct buf bad = { 0 };
	struct index_writer *writer = index_writer_new(1);

	NEEDS_ROOT();
	assert_int_equal(index_writer_group(writer, "k8sauth-users", account_hashed_id("k8sauth-users")), 0);
	assert_int_equal(index_writer_group(writer, "k8s_web", 20077), 0);
	assert_int_equal(index_writer_finish(writer, &bad, why, sizeof(why)), 0);
	index_writer_free(writer);
	assert_int_equal(publish_buf(&bad, NULL), -EPERM);
	assert_non_null(strstr(why, "group k8s_web has gid 20077, which is not in the range"));
}

/* NSS believes of the daemon what lies in the range. */
static void test_another_range(void **state)
{
	AUTO_BUF struct buf bad = { 0 };
	struct index_writer *writer = index_writer_new(1);

	NEEDS_ROOT();
	index_writer_range(writer, 10000, ACCOUNT_ID_LIMIT - 1);
	assert_int_equal(index_writer_group(writer, "k8sauth-users", account_hashed_id("k8sauth-users")), 0);
	assert_int_equal(index_writer_finish(writer, &bad, why, sizeof(why)), 0);
	index_writer_free(writer);
	assert_int_equal(publish_buf(&bad, NULL), -EPERM);
	assert_non_null(strstr(why, "the range 10000 to 2147352575 is not that of"));
}

/* --- what goes on ---------------------------------------------------------------------------------------- */

static void publish_proofs(const struct proof *some, size_t n, const char *rebind, const char *expected)
{
	AUTO_BUF struct buf image = { 0 };
	int r;

	build(some, n, &image);
	r = publish_buf(&image, rebind);
	if (expected ? r != -EPERM || !strstr(why, expected) : r != 0)
		fail_msg("%d: %s", r, why);
}

static void test_records_go_on(void **state)
{
	const struct proof other_uid = { "k8s_web_sa", "kubernetes/web/sa", "uid-9" };
	const struct proof other_mount = { "k8s_web_sa", "staging/web/sa", "uid-1" };
	const struct proof forgotten = { "k8s_web_sa", "", "" };
	static const struct lie moved = { "k8s_web_sa", another_uid, NULL, "goes from uid" };
	AUTO_BUF struct buf next = { 0 }, bad = { 0 };
	struct index_map map;

	NEEDS_ROOT();
	publish_proofs(proofs, ARRAY_SIZE(proofs), NULL, NULL);
	publish_proofs(&other_uid, 1, NULL, "goes from kubernetes/web/sa (uid uid-1) to kubernetes/web/sa (uid uid-9)");
	publish_proofs(&other_uid, 1, "k8s_other_sa", "goes from");
	publish_proofs(&other_mount, 1, NULL, "goes from");
	publish_proofs(&forgotten, 1, NULL, "user k8s_web_sa, proved by kubernetes/web/sa, is missing");
	publish_proofs(&forgotten, 1, "k8s_other_sa", "is missing");
	publish_proofs(&other_uid, 1, "k8s_web_sa", NULL);
	publish_proofs(&forgotten, 1, "k8s_web_sa", NULL);
	publish_proofs(&proofs[0], 1, NULL, NULL);
	/* A uid that moves without a reason in accounts.conf; and with one. */
	build(NULL, 0, &next);
	assert_int_equal(index_from_memory(next.data, next.len, &map), 0);
	write_lie(&map, &moved, &bad);
	assert_int_equal(publish_buf(&bad, NULL), -EPERM);
	assert_non_null(strstr(why, "goes from uid"));
	write_text(conf_path, CONF "account \"k8s_web_sa\" { uid = 20009 }");
	publish_proofs(NULL, 0, NULL, NULL);
	/* A declared account that nobody proved may go. */
	write_text(conf_path, "account \"k8s_web_sa\" { uid = 20009 }");
	publish_proofs(NULL, 0, NULL, NULL);
}

static void test_local_names(void **state)
{
	static const struct {
		const char *passwd, *group, *why;
	} rows[] = {
		{ "k8s_web_sa:x:1000:1000::/:/bin/sh\n", "", "user k8s_web_sa (id " },
		{ "somebody:x:20001:1000::/:/bin/sh\n", "", "user k8s_web_decl (id 20001)" },
		{ "", "k8sauth-users:x:1000:\n", "group k8sauth-users (id " },
		{ "", "somegroup:x:30000:\n", "group k8s-dep (id 30000)" },
		{ "", "somegroup:x:20001:\n", "group k8s_web_decl (id 20001)" },
	};

	NEEDS_ROOT();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		write_text(passwd_path, rows[i].passwd);
		write_text(group_path, rows[i].group);
		publish_proofs(proofs, ARRAY_SIZE(proofs), NULL, rows[i].why);
	}
	write_text(passwd_path, "");
	write_text(group_path, "");
	publish_proofs(proofs, ARRAY_SIZE(proofs), NULL, NULL);
	/* A local account that is made later does not stop everybody else's first login. */
	write_text(passwd_path, rows[0].passwd);
	publish_proofs(NULL, 0, NULL, NULL);
	write_text(passwd_path, "");
}

static void test_trouble(void **state)
{
	AUTO_BUF struct buf image = { 0 };

	NEEDS_ROOT();
	build(proofs, ARRAY_SIZE(proofs), &image);
	write_text(conf_path, CONF "nonsense = 1\n");
	assert_int_equal(publish_buf(&image, NULL), -EPERM);
	assert_non_null(strstr(why, "accounts.conf:5: nonsense"));
	write_text(conf_path, CONF);
	write_text(index_path, "garbage");
	assert_int_equal(publish_buf(&image, NULL), -EPERM);
	assert_non_null(strstr(why, "damaged"));
	unlink(index_path);
	assert_int_equal(chmod(index_dir, 0777), 0);
	assert_int_equal(publish_buf(&image, NULL), -EPERM);
	assert_non_null(strstr(why, "not root's alone"));
	assert_int_equal(chmod(index_dir, 0755), 0);
	assert_int_equal(publish_buf(&image, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_good, test_setup),
		cmocka_unit_test_setup(test_bad_descriptors, test_setup),
		cmocka_unit_test_setup(test_lies, test_setup),
		cmocka_unit_test_setup(test_group_below_range, test_setup),
		cmocka_unit_test_setup(test_another_range, test_setup),
		cmocka_unit_test_setup(test_records_go_on, test_setup),
		cmocka_unit_test_setup(test_local_names, test_setup),
		cmocka_unit_test_setup(test_trouble, test_setup),
	};

	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
