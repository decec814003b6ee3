/* SPDX-License-Identifier: Apache-2.0 */
/* accounts: accounts.conf, what it may say and how its faults are told. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "accounts/conf.h"

/* safe_open() refuses a sticky /tmp on the way, so the folder is root's own. */
static char dir[] = "/root/.k8sauth-test-XXXXXX", path[64], map[64], why[512];

static int setup(void **state)
{
	(void)state;
	if (getuid() != 0)
		return 0;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/conf", dir);
	snprintf(map, sizeof(map), "%s/map", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	unlink(map);
	rmdir(dir);
	return 0;
}

static void write_file(const char *name, const char *text)
{
	int fd = open(name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static int load(const char *text, struct accounts_conf **ret)
{
	write_file(path, text);
	*why = '\0';
	return conf_load(path, 0, ret, why, sizeof(why));
}

static void test_defaults(void **state)
{
	AUTO_CONF struct accounts_conf *conf = NULL, *none = NULL;
	char home[CONF_FIELD_SIZE];

	(void)state;
	if (getuid() != 0)
		skip();
	assert_int_equal(load("", &conf), 0);
	assert_false(conf->has_range);
	assert_int_equal(conf->from, 1879048192);
	assert_int_equal(conf->to, 2147352575);
	conf_home(conf, "k8s_web_sa", home);
	assert_string_equal(home, "/home/k8s_web_sa");
	assert_string_equal(conf_shell(conf, "k8s_web_sa"), "/bin/bash");
	assert_null(conf_account(conf, "k8s_web_sa"));
	unlink(path);
	assert_int_equal(conf_load(path, 0, &none, why, sizeof(why)), 0);
	assert_string_equal(none->home, "/home/{user}");
}

static void test_everything(void **state)
{
	AUTO_CONF struct accounts_conf *conf = NULL;
	const struct conf_account *account;
	const struct conf_local *local;
	char home[CONF_FIELD_SIZE], text[2048];

	(void)state;
	if (getuid() != 0)
		skip();
	write_file(map, "# from the directory\nk8s_map_a 20100\n\tk8s_map_b\t20101 # b\r\n\nk8s_map_c 20102");
	snprintf(text, sizeof(text),
	    "range { from = 100000  to = 499999 }\n"
	    "home = \"/srv/{user}/home\"\n"
	    "shell = \"/bin/sh\"\n"
	    "map_file = \"%s\"\n"
	    "account \"k8s_web_deployer\" {\n"
	    "  uid = 20001\n gid = 20001\n groups = [\"k8s-deployers\", \"k8s-all\"]\n"
	    "  home = \"/srv/deployer\"\n shell = \"/usr/bin/zsh\"\n}\n"
	    "account \"k8s__d5ckgq4eqd36kpkl\" { gid = 30000 }\n"
	    "group \"k8s-deployers\" { gid = 30000 }\n"
	    "group \"k8s-all\" { gid = 30001 }\n"
	    "group \"k8sauth-users\" { gid = 30002 }\n"
	    "group \"k8s_web\" { gid = 30003 }\n"
	    "local \"deploy\" { service_accounts = [\"kubernetes/web/deployer\", \"k8s/prod/web/a.b\"] }\n",
	    map);
	if (load(text, &conf) < 0)
		fail_msg("%s", why);
	assert_int_equal(conf->from, 100000);
	assert_int_equal(conf->to, 499999);
	assert_int_equal(conf->n_accounts, 5);
	account = conf_account(conf, "k8s_web_deployer");
	assert_non_null(account);
	assert_true(account->has_uid);
	assert_int_equal(account->uid, 20001);
	assert_int_equal(account->gid_group, 0);
	assert_int_equal(account->n_groups, 2);
	assert_int_equal(account->groups[1], 30001);
	conf_home(conf, "k8s_web_deployer", home);
	assert_string_equal(home, "/srv/deployer");
	assert_string_equal(conf_shell(conf, "k8s_web_deployer"), "/usr/bin/zsh");
	account = conf_account(conf, "k8s__d5ckgq4eqd36kpkl");
	assert_non_null(account);
	assert_false(account->has_uid);
	assert_int_equal(account->gid_group, 30000);
	conf_home(conf, "k8s_map_b", home);
	assert_string_equal(home, "/srv/k8s_map_b/home");
	assert_int_equal(conf_account(conf, "k8s_map_b")->uid, 20101);
	assert_int_equal(conf_account(conf, "k8s_map_c")->uid, 20102);
	assert_int_equal(conf_group(conf, "k8sauth-users")->gid, 30002);
	assert_string_equal(conf_group_by_gid(conf, 30003)->name, "k8s_web");
	local = conf_local(conf, "deploy");
	assert_non_null(local);
	assert_true(conf_local_allows(local, "kubernetes/web/deployer"));
	assert_true(conf_local_allows(local, "k8s/prod/web/a.b"));
	assert_false(conf_local_allows(local, "kubernetes/web/other"));
	assert_null(conf_local(conf, "root"));
}

static void test_faults(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "range { from = 1 to = 2 }", ":1: from = 1: an id must be" },
		{ "range { from = 70000 to = 60000 }", ":1: range needs from and to" },
		{ "range { from = 70000 }", ":1: range needs" },
		{ "range { from = 20000 to = 70000 }", "systemd's" },
		{ "range { from = 500000 to = 1879048192 }", "systemd's" },
		{ "range { from = 70000 to = 80000 }\nrange { from = 70000 to = 80000 }", ":2: range stands twice" },
		{ "range { first = 1 }", ":1: first is not known in range" },
		{ "range = 5", ":1: write range" },
		{ "\n\nuid = 5", ":3: uid is not known" },
		{ "home = 5", ":1: home must be a string" },
		{ "home = \"home\"", ":1: home must be an absolute path" },
		{ "home = \"/home/../etc\"", "must not contain .." },
		{ "home = \"/home/..\"", "must not contain .." },
		{ "home = \"/home:x\"", "passwd line" },
		{ "home = \"/home/x\\ny\"", "passwd line" },
		{ "home = \"/home/{namespace}\"", "only {user}" },
		{ "home = \"/home/{user}/{user}\"", "only {user}" },
		{ "shell = \"/bin/{user}\"", "only {user}" },
		{ "shell = \"sh\"", ":1: shell must be" },
		{ "account \"root\" { uid = 20000 }", ":1: \"root\" is no name of a service account" },
		{ "account \"k8s_web\" { uid = 20000 }", ":1: \"k8s_web\" is no name of a service account" },
		{ "account \"k8s_a_b\" { uid = 0 }", ":1: uid = 0: an id must be" },
		{ "account \"k8s_a_b\" { uid = 999 }", "an id must be" },
		{ "account \"k8s_a_b\" { uid = 4294987296 }", "an id must be" },
		{ "account \"k8s_a_b\" { uid = \"20000\" }", "uid must be a number" },
		{ "account \"k8s_a_b\" {\n  gid = 30000\n}", "neither its uid nor a declared group's" },
		{ "account \"k8s_a_b\" { groups = [\"sudo\"] }", "must be declared by a group block" },
		{ "group \"k8s-a\" { gid = 30000 }\naccount \"k8s_a_b\" { groups = [\"k8s-a\", \"k8s-a\"] }",
		    "stands twice" },
		{ "group \"k8s-a\" { gid = 30000 }\naccount \"k8s_a_b\" { gid = 30000 groups = [\"k8s-a\"] }",
		    "stands in groups" },
		{ "account \"k8s_a_b\" { sudo = true }", ":1: sudo is not known in account" },
		{ "account \"k8s_a_b\" \"x\" { }", ":1: write account" },
		{ "account \"k8s_a_b\" { }\naccount \"k8s_a_b\" { }", "declared twice, in lines" },
		{ "account \"k8s_a_b\" { uid = 20000 }\naccount \"k8s_a_c\" { uid = 20000 }",
		    "have the same uid 20000" },
		{ "account \"k8s_a_b\" { uid = 20000 }\ngroup \"k8s-x\" { gid = 20000 }", "has the id of group k8s-x" },
		{ "group \"sudo\" { gid = 30000 }", ":1: group \"sudo\": a group of ours is named" },
		{ "group \"k8s_a_b\" { gid = 30000 }", "a group of ours is named" },
		{ "group \"k8s-A\" { gid = 30000 }", "a group of ours is named" },
		{ "group \"k8s-aaaaaaaaaaaaaaaaaaaaaaaaaaaa\" { gid = 30000 }", "a group of ours is named" },
		{ "group \"k8s-a\" { gid = 27 }", "an id must be" },
		{ "group \"k8s-a\" { }", "needs a gid" },
		{ "group \"k8s-a\" { gid = 30000 }\ngroup \"k8s-b\" { gid = 30000 }", "has the name or the gid of" },
		{ "local \"root\" { service_accounts = [\"kubernetes/a/b\"] }", ":1: local \"root\"" },
		{ "local \"k8sauth\" { service_accounts = [\"kubernetes/a/b\"] }", ":1: local \"k8sauth\"" },
		{ "local \"k8s_a_b\" { service_accounts = [\"kubernetes/a/b\"] }", ":1: local \"k8s_a_b\"" },
		{ "local \"deploy\" { service_accounts = [\"a/b\"] }", "write \"<mount>" },
		{ "local \"deploy\" { service_accounts = [\"kubernetes/a/b_c\"] }", "write \"<mount>" },
		{ "local \"deploy\" { service_accounts = [\"kubernetes/*/b\"] }", "write \"<mount>" },
		{ "local \"deploy\" { }\nlocal \"deploy\" { }", "stands twice" },
		{ "home = \"/a\"\nbroken", ":2: " },
		{ "map_file = \"/nonexistent/map\"", "/nonexistent" },
	};

	(void)state;
	if (getuid() != 0)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct accounts_conf *conf = NULL;
		int r = load(rows[i].text, &conf);

		if (r == 0 || conf || !strstr(why, rows[i].why))
			fail_msg("%s: %d, %s", rows[i].text, r, why);
	}
}

static void test_map_faults(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "k8s_a_b", "map:1: write a name and an id" },
		{ "k8s_a_b 20000\nk8s_a_c 0", "map:2: write a name and an id" },
		{ "k8s_a_b -1", "map:1: write" },
		{ "k8s_a_b 20000x", "map:1: write" },
		{ "k8s_a_b 20000 20000", "map:1: write" },
		{ "root 20000", "map:1: \"root\" is no name" },
		{ "k8s_a_b 20000\nk8s_a_c 20000", "have the same uid" },
	};
	char text[128];

	(void)state;
	if (getuid() != 0)
		skip();
	snprintf(text, sizeof(text), "map_file = \"%s\"", map);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct accounts_conf *conf = NULL;

		write_file(map, rows[i].text);
		if (load(text, &conf) == 0 || !strstr(why, rows[i].why))
			fail_msg("%s: %s", rows[i].text, why);
	}
}

static void test_owner(void **state)
{
	struct accounts_conf *conf = NULL;

	(void)state;
	if (getuid() != 0)
		skip();
	write_file(path, "");
	assert_int_equal(chmod(path, 0664), 0);
	assert_int_equal(conf_load(path, 0, &conf, why, sizeof(why)), -EPERM);
	assert_non_null(strstr(why, "writable by group"));
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(chown(path, 4242, 0), 0);
	assert_int_equal(conf_load(path, 0, &conf, why, sizeof(why)), -EPERM);
	assert_null(conf);
	assert_int_equal(chown(path, 0, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_map_faults),
		cmocka_unit_test(test_owner),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
