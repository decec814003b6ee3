/* SPDX-License-Identifier: Apache-2.0 */
/* accounts: claims of service accounts, publications through a helper that the test plays, lookups. Needs root. */
#include "accounts_fixture.h"

/* --- tests ---------------------------------------------------------------------------------------------------- */

static void test_first_login(void **state)
{
	struct answer answer;
	struct index_map map;
	struct index_user user;
	int before;

	NEEDS_ROOT();
	start("");
	answer = claim("k8s_web_sa", "web", "sa", "uid-1");
	assert_int_equal(answer.verdict, ACCOUNT_OK);
	assert_string_equal(answer.account.name, "k8s_web_sa");
	assert_int_equal(answer.account.uid, account_hashed_id("k8s_web_sa"));
	assert_int_equal(answer.account.gid, answer.account.uid);
	assert_string_equal(answer.account.home, "/home/k8s_web_sa");
	assert_string_equal(answer.account.gecos, "web/sa");
	assert_int_equal(answer.account.n_groups, 2);
	assert_int_equal(answer.account.groups[0], account_hashed_id("k8sauth-users"));
	assert_int_equal(answer.account.groups[1], account_hashed_id("k8s_web"));
	assert_false(answer.account.local);
	assert_int_equal(index_open(index_path, 0, &map), 0);
	assert_int_equal(index_user_by_name(&map, "k8s_web_sa", &user), 0);
	assert_string_equal(user.identity, "kubernetes/web/sa");
	assert_string_equal(user.service_account_uid, "uid-1");
	index_close(&map);
	before = atomic_load(&published);
	ask("k8s_web_sa", "web", "sa", "uid-1", &answer);
	assert_int_equal(answer.called, 1); /* known: at once */
	assert_int_equal(answer.verdict, ACCOUNT_OK);
	assert_int_equal(atomic_load(&published), before);
	answer = claim("k8s__d5ckgq4eqd36kpkl", "webapp-namespace-long", "webapp-service-account", "uid-2");
	assert_int_equal(answer.verdict, ACCOUNT_OK);
	assert_string_equal(answer.account.gecos, "webapp-namespace-long/webapp-service-account");
}

static void test_wrong_user(void **state)
{
	struct answer answer;

	NEEDS_ROOT();
	start("local \"daemon\" { service_accounts = [\"kubernetes/web/sa\"] }\n"
	      "local \"nosuchuser\" { service_accounts = [\"kubernetes/web/sa\"] }");
	answer = claim("k8s_web_other", "web", "sa", "uid-1");
	assert_int_equal(answer.verdict, ACCOUNT_WRONG_USER);
	assert_string_equal(answer.why, "kubernetes/web/sa is the user k8s_web_sa here, not k8s_web_other");
	answer = claim("root", "web", "sa", "uid-1");
	assert_int_equal(answer.verdict, ACCOUNT_WRONG_USER);
	answer = claim("daemon", "web", "other", "uid-1");
	assert_int_equal(answer.verdict, ACCOUNT_WRONG_USER);
	answer = claim("nosuchuser", "web", "sa", "uid-1");
	assert_int_equal(answer.verdict, ACCOUNT_WRONG_USER);
	assert_non_null(strstr(answer.why, "has no such account"));
	answer = claim("daemon", "web", "sa", "uid-1");
	assert_int_equal(answer.verdict, ACCOUNT_OK);
	assert_true(answer.account.local);
	assert_int_equal(answer.account.uid, 1);
	assert_true(accounts_local_opened(accounts, "daemon", "kubernetes"));
	assert_false(accounts_local_opened(accounts, "daemon", "kubernetes/web"));
	assert_false(accounts_local_opened(accounts, "daemon", "kube"));
	assert_false(accounts_local_opened(accounts, "root", "kubernetes"));
	answer = claim("k8s_web_sa", "web/..", "sa", "uid-1");
	assert_int_equal(answer.verdict, ACCOUNT_WRONG_USER);
}

static void test_collision(void **state)
{
	const char *const prefixes[] = { "k8s_", NULL };
	struct answer answer, waiting;
	struct account account;

	NEEDS_ROOT();
	start("");
	/* Already while the first one waits for its publication. */
	ask("k8s_ns_s6960", "ns", "s6960", "uid-1", &waiting);
	answer = claim("k8s_ns_s29877", "ns", "s29877", "uid-2");
	assert_int_equal(answer.verdict, ACCOUNT_COLLISION);
	wait_answer(&waiting);
	assert_int_equal(waiting.verdict, ACCOUNT_OK);
	answer = claim("k8s_ns_s29877", "ns", "s29877", "uid-2");
	assert_int_equal(answer.verdict, ACCOUNT_COLLISION);
	assert_non_null(strstr(answer.why, "the uid 2082996761 of k8s_ns_s29877 is taken by account k8s_ns_s6960"));
	assert_non_null(strstr(answer.why, "account \"k8s_ns_s29877\" { uid = 20000 }"));
	assert_int_equal(accounts_lookup(accounts, "k8s_ns_s29877", prefixes, &account), -ENOENT);
	write_conf("account \"k8s_ns_s29877\" { uid = 20000 }");
	answer = claim("k8s_ns_s29877", "ns", "s29877", "uid-2");
	assert_int_equal(answer.verdict, ACCOUNT_OK);
	assert_int_equal(answer.account.uid, 20000);
	assert_int_equal(accounts_lookup(accounts, "k8s_ns_s29877", prefixes, &account), 0);
	assert_int_equal(account.uid, 20000);
}

static void test_recreated(void **state)
{
	struct answer answer, other;

	NEEDS_ROOT();
	start("");
	ask("k8s_web_sa", "web", "sa", "uid-1", &other);
	answer = claim("k8s_web_sa", "web", "sa", "uid-2"); /* in the same turn */
	assert_int_equal(answer.verdict, ACCOUNT_RECREATED);
	wait_answer(&other);
	assert_int_equal(other.verdict, ACCOUNT_OK);
	answer = claim("k8s_web_sa", "web", "sa", "uid-2");
	assert_int_equal(answer.verdict, ACCOUNT_RECREATED);
	assert_non_null(strstr(answer.why, "k8sauth accounts rebind k8s_web_sa"));
	accounts_rebind(accounts, "k8s_web_none", on_claimed, memset(&answer, 0, sizeof(answer)));
	assert_int_equal(answer.verdict, ACCOUNT_WRONG_USER);
	accounts_rebind(accounts, "k8s_web_sa", on_claimed, memset(&answer, 0, sizeof(answer)));
	wait_answer(&answer);
	assert_int_equal(answer.verdict, ACCOUNT_OK);
	assert_string_equal(rebind_name, "k8s_web_sa");
	answer = claim("k8s_web_sa", "web", "sa", "uid-2");
	assert_int_equal(answer.verdict, ACCOUNT_OK);
	answer = claim("k8s_web_sa", "web", "sa", "uid-1");
	assert_int_equal(answer.verdict, ACCOUNT_RECREATED);
}

/* Everything claimed in one turn shares a publication; what comes while it is under way shares the next. */
static void test_batches(void **state)
{
	struct answer answers[40];
	char user[64], sa[32];
	int before;

	NEEDS_ROOT();
	start("");
	wait_published(1);
	before = atomic_load(&published);
	for (int i = 0; i < 40; i++) {
		snprintf(sa, sizeof(sa), "s%d", i);
		snprintf(user, sizeof(user), "k8s_web_%s", sa);
		ask(user, "web", sa, "uid", &answers[i]);
		if (i == 19)
			event_base_loop(base, EVLOOP_NONBLOCK);
	}
	for (int i = 0; i < 40; i++) {
		wait_answer(&answers[i]);
		assert_int_equal(answers[i].verdict, ACCOUNT_OK);
	}
	assert_int_equal(atomic_load(&published) - before, 2);
	/* However it came together, the next daemon would build the same, and publishes nothing. */
	accounts_free(TAKE_PTR(accounts));
	start("");
	ask("k8s_web_s7", "web", "s7", "uid", &answers[0]);
	assert_int_equal(answers[0].called, 0); /* not before that was compared */
	wait_answer(&answers[0]);
	assert_int_equal(answers[0].verdict, ACCOUNT_OK);
	assert_int_equal(atomic_load(&published), 0);
}

static void test_helper_in_trouble(void **state)
{
	struct answer answer;

	NEEDS_ROOT();
	start("");
	wait_published(1);
	atomic_store(&refuses, true);
	answer = claim("k8s_web_sa", "web", "sa", "uid-1");
	assert_int_equal(answer.verdict, ACCOUNT_HELPER_DOWN);
	assert_non_null(strstr(answer.why, "the test does not like it"));
	atomic_store(&refuses, false);
	helper_stop();
	answer = claim("k8s_web_sa", "web", "sa", "uid-1");
	assert_int_equal(answer.verdict, ACCOUNT_HELPER_DOWN);
	helper_start();
	answer = claim("k8s_web_sa", "web", "sa", "uid-1");
	assert_int_equal(answer.verdict, ACCOUNT_OK);
	helper_stop(); /* a known account needs no helper */
	answer = claim("k8s_web_sa", "web", "sa", "uid-1");
	assert_int_equal(answer.verdict, ACCOUNT_OK);
}

static void test_declared(void **state)
{
	struct answer answer;
	struct index_map map;
	struct index_user user;
	struct index_group group;

	NEEDS_ROOT();
	start("account \"k8s_web_sa\" { uid = 20001 groups = [\"k8s-deployers\"] home = \"/srv/web\" shell = "
	      "\"/bin/sh\" }\n"
	      "account \"k8s_web_hashed\" { gid = 30000 }\n"
	      "group \"k8s-deployers\" { gid = 30000 }\n"
	      "group \"k8s_web\" { gid = 30001 }\n"
	      "group \"k8sauth-users\" { gid = 30002 }");
	wait_published(1);
	assert_int_equal(index_open(index_path, 0, &map), 0);
	assert_int_equal(index_user_by_name(&map, "k8s_web_sa", &user), 0);
	assert_int_equal(user.uid, 20001);
	assert_string_equal(user.home, "/srv/web");
	assert_string_equal(user.identity, "");
	assert_int_equal(index_user_by_name(&map, "k8s_web_hashed", &user), 0);
	assert_int_equal(user.uid, account_hashed_id("k8s_web_hashed"));
	assert_int_equal(user.gid, 30000);
	assert_int_equal(index_group_by_name(&map, "k8s_web_hashed", &group), -ENOENT);
	assert_int_equal(index_group_by_name(&map, "k8s_web", &group), 0);
	assert_int_equal(group.gid, 30001);
	assert_int_equal(group.n_members, 2);
	assert_int_equal(index_group_by_name(&map, "k8sauth-users", &group), 0);
	assert_int_equal(group.gid, 30002);
	index_close(&map);
	answer = claim("k8s_web_sa", "web", "sa", "uid-1");
	assert_int_equal(answer.verdict, ACCOUNT_OK);
	assert_int_equal(answer.account.uid, 20001);
	assert_int_equal(answer.account.n_groups, 3);
	assert_string_equal(answer.account.shell, "/bin/sh");
	answer = claim("k8s_web_sa", "web", "sa", "uid-2");
	assert_int_equal(answer.verdict, ACCOUNT_RECREATED);
}

static void test_conf_changes(void **state)
{
	const char *const prefixes[] = { "k8s_", NULL };
	struct account account;
	struct answer answer;
	int before;

	NEEDS_ROOT();
	start("range { from = 100000 to = 199999 }");
	answer = claim("k8s_a_b", "a", "b", "uid-1");
	assert_int_equal(answer.account.uid, 126279);
	/* A login that comes with the change waits for it. */
	write_conf("range { from = 100000 to = 199999 }\nhome = \"/srv/{user}\"\n");
	answer = claim("k8s_a_b", "a", "b", "uid-1");
	assert_int_equal(answer.verdict, ACCOUNT_OK);
	assert_string_equal(answer.account.home, "/srv/k8s_a_b");
	/* A lookup notices it too. */
	write_conf("range { from = 100000 to = 199999 }\nshell = \"/bin/sh\"\n");
	assert_int_equal(accounts_lookup(accounts, "k8s_a_b", prefixes, &account), 0);
	wait_published(3);
	assert_int_equal(accounts_lookup(accounts, "k8s_a_b", prefixes, &account), 0);
	assert_string_equal(account.shell, "/bin/sh");
	/* A change that nobody asks about; the daemon sees it. */
	write_conf("range { from = 100000 to = 199999 }\nshell = \"/bin/dash\"\n");
	wait_published(4);
	/* Ids become others in the moment of a login, whose application has looked up the old ones. */
	write_conf("range { from = 300000 to = 399999 }\n");
	answer = claim("k8s_a_b", "a", "b", "uid-1");
	assert_int_equal(answer.verdict, ACCOUNT_MOVED);
	assert_non_null(strstr(answer.why, "is 326279 from now on, not 126279 any more: log in again"));
	answer = claim("k8s_a_b", "a", "b", "uid-1");
	assert_int_equal(answer.verdict, ACCOUNT_OK);
	assert_int_equal(answer.account.uid, 326279);
	write_conf("range { from = 100000\n  to = 5 }");
	answer = claim("k8s_a_b", "a", "b", "uid-1");
	assert_int_equal(answer.verdict, ACCOUNT_INDEX_BROKEN);
	assert_non_null(strstr(answer.why, "accounts.conf:2: to = 5"));
	assert_int_equal(accounts_lookup(accounts, "k8s_a_b", prefixes, &account), -EBADMSG);
	write_conf("range { from = 300000 to = 399999 }\nshell = \"/bin/sh\"\n");
	answer = claim("k8s_a_b", "a", "b", "uid-1");
	assert_int_equal(answer.verdict, ACCOUNT_OK);
	/* The next daemon finds that the index says what accounts.conf says. */
	accounts_free(TAKE_PTR(accounts));
	before = atomic_load(&published);
	start("range { from = 300000 to = 399999 }\nshell = \"/bin/sh\"\n");
	while (accounts->published_number != accounts->conf_number) /* until the two are compared */
		assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
	assert_int_equal(atomic_load(&published), 0);
	assert_true(before > 0);
	ask("k8s_a_b", "a", "b", "uid-1", &answer);
	assert_int_equal(answer.called, 1);
}

static void test_broken_at_start(void **state)
{
	struct answer answer;
	char why[512] = "";
	int fd;

	NEEDS_ROOT();
	write_conf("\n\nnonsense = 1\n");
	assert_int_equal(accounts_open(base, index_path, conf_path, socket_path, &accounts, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "accounts.conf:3: nonsense"));
	fd = open(index_path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
	assert_int_equal(write(fd, "garbage", 7), 7);
	close(fd);
	start("");
	answer = claim("k8s_a_b", "a", "b", "uid-1");
	assert_int_equal(answer.verdict, ACCOUNT_INDEX_BROKEN);
	assert_non_null(strstr(answer.why, "damaged"));
	assert_int_equal(atomic_load(&published), 0); /* what it knew is not overwritten */
	unlink(index_path);
	answer = claim("k8s_a_b", "a", "b", "uid-1");
	assert_int_equal(answer.verdict, ACCOUNT_OK);
}

static void test_lookup(void **state)
{
	const char *const prefixes[] = { "k8s_", "k8sprod_", NULL };
	struct account account;

	NEEDS_ROOT();
	start("");
	wait_published(1);
	assert_int_equal(accounts_lookup(accounts, "k8s_web_sa", prefixes, &account), 0);
	assert_int_equal(account.uid, account_hashed_id("k8s_web_sa"));
	assert_string_equal(account.home, "/home/k8s_web_sa");
	assert_string_equal(account.gecos, "web/sa");
	assert_int_equal(account.n_groups, 2);
	assert_int_equal(account.groups[1], account_hashed_id("k8s_web"));
	assert_int_equal(accounts_lookup(accounts, "k8sprod_web_sa", prefixes, &account), 0);
	assert_int_equal(accounts_lookup(accounts, "k8stest_web_sa", prefixes, &account), -ENOENT);
	assert_int_equal(accounts_lookup(accounts, "k8s_web", prefixes, &account), -ENOENT);
	assert_int_equal(accounts_lookup(accounts, "k8s__d5ckgq4eqd36kpkl", prefixes, &account), -ENOENT);
	assert_int_equal(accounts_lookup(accounts, "root", prefixes, &account), -ENOENT);
}

static int count_user(void *arg, const struct index_user *user)
{
	unsigned *n = arg;

	assert_true(streq(user->name, "k8s_web_sa") || streq(user->name, "k8s_web_named"));
	assert_string_equal(user->identity, streq(user->name, "k8s_web_sa") ? "kubernetes/web/sa" : "");
	return ++*n > 2 ? -ENOMEM : 0;
}

static void test_list_and_name(void **state)
{
	const char *const prefixes[] = { "k8s_", NULL };
	struct account account, looked_up;
	char why[512] = "";
	unsigned n = 0;

	NEEDS_ROOT();
	start("account \"k8s_web_named\" { uid = 54321 }\n");
	wait_published(1);
	/* Before the first login as after it; also where the name is a hash, which a lookup cannot know. */
	assert_int_equal(accounts_name(accounts, "k8s_", "web", "sa", &account, why, sizeof(why)), 0);
	assert_int_equal(accounts_lookup(accounts, "k8s_web_sa", prefixes, &looked_up), 0);
	assert_string_equal(account.name, "k8s_web_sa");
	assert_int_equal(account.uid, looked_up.uid);
	assert_int_equal(account.gid, looked_up.gid);
	assert_int_equal(accounts_name(accounts, "k8s_", "web", "named", &account, why, sizeof(why)), 0);
	assert_int_equal(account.uid, 54321);
	assert_int_equal(
	    accounts_name(accounts, "k8s_", "a-long-namespace", "a-long-service-account", &account, why, sizeof(why)),
	    0);
	assert_int_equal(strlen(account.name), strlen("k8s__") + 16);
	assert_int_equal(account.uid, account_hashed_id(account.name));
	assert_int_equal(accounts_name(accounts, "k8s_", "Web", "sa", &account, why, sizeof(why)), -EINVAL);
	assert_int_equal(claim("k8s_web_sa", "web", "sa", "uid-1").verdict, ACCOUNT_OK);
	assert_int_equal(accounts_each(accounts, count_user, &n, why, sizeof(why)), 0);
	assert_int_equal(n, 2); /* a declared one too */
	assert_int_equal(accounts_each(accounts, count_user, &n, why, sizeof(why)), -ENOMEM);
	write_conf("nonsense = 1\n");
	assert_int_equal(accounts_each(accounts, count_user, &n, why, sizeof(why)), -EBADMSG);
	assert_int_equal(accounts_name(accounts, "k8s_", "web", "sa", &account, why, sizeof(why)), -EBADMSG);
	assert_non_null(strstr(why, "nonsense"));
}

static void test_freed_while_publishing(void **state)
{
	struct answer answer;

	NEEDS_ROOT();
	start("");
	atomic_store(&holds, true); /* else its answer may come in the same turn */
	ask("k8s_web_sa", "web", "sa", "uid-1", &answer);
	event_base_loop(base, EVLOOP_NONBLOCK);
	assert_true(accounts->publishing);
	accounts_free(TAKE_PTR(accounts));
	atomic_store(&holds, false);
	event_base_loop(base, 0); /* until the helper's answer has come */
	assert_int_equal(atomic_load(&published), 1);
	assert_int_equal(answer.called, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_first_login, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_wrong_user, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_collision, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_recreated, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_batches, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_helper_in_trouble, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_declared, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_conf_changes, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_broken_at_start, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_lookup, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_list_and_name, test_setup, test_teardown),
		cmocka_unit_test_setup_teardown(test_freed_while_publishing, test_setup, test_teardown),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
