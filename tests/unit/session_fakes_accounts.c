/* SPDX-License-Identifier: Apache-2.0 */
/* The accounts of the sessions' tests; see session_fakes.h. */
#include "session_fakes.h"

#include <errno.h>
#include <stdio.h>

#include "base/text.h"

/* A claim that is answered later. */
static struct {
	account_claimed_fn *done;
	void *arg;
} claimed;

static void claim_answer(account_claimed_fn *done, void *arg)
{
	struct account account = { .uid = world.uid, .gid = world.uid };

	done(arg, world.verdict, world.verdict == ACCOUNT_OK ? &account : NULL,
	    world.verdict == ACCOUNT_OK ? NULL : "the account does not fit");
}

void accounts_claim(struct accounts *accounts, const char *unix_name, const struct account_identity *identity,
    account_claimed_fn *done, void *arg)
{
	assert_string_equal(unix_name, world.local ? world.local : FAKE_USER);
	assert_string_equal(identity->mount, "kubernetes");
	assert_string_equal(identity->prefix, "k8s_");
	if (!world.any_identity) {
		assert_string_equal(identity->namespace_name, "web");
		assert_string_equal(identity->service_account, "app");
		assert_string_equal(identity->service_account_uid, "uid-1");
	}
	if (!world.claim_later) {
		claim_answer(done, arg);
		return;
	}
	claimed.done = done;
	claimed.arg = arg;
}

enum account_verdict accounts_judge(struct accounts *accounts, const char *unix_name,
    const struct account_identity *identity, struct account *ret, char *why, size_t why_size)
{
	assert_string_equal(unix_name, FAKE_USER);
	assert_string_equal(identity->service_account_uid, "uid-1");
	*ret = (struct account){ .uid = world.uid, .gid = world.uid };
	snprintf(why, why_size, "the account does not fit");
	return world.verdict;
}

void fake_accounts_release(void)
{
	account_claimed_fn *done = TAKE_PTR(claimed.done);

	if (done)
		claim_answer(done, claimed.arg);
}

void fake_accounts_forget(void)
{
	claimed.done = NULL;
}

unsigned accounts_conf_number(const struct accounts *accounts)
{
	return world.accounts_conf;
}

bool accounts_local_opened(struct accounts *accounts, const char *unix_name, const char *mount)
{
	assert_string_equal(mount, "kubernetes");
	return world.local && streq(unix_name, world.local);
}

int accounts_lookup(struct accounts *accounts, const char *unix_name, const char *const *prefixes, struct account *ret)
{
	assert_string_equal(prefixes[0], "k8s_");
	assert_null(prefixes[1]);
	if (world.verdict == ACCOUNT_INDEX_BROKEN)
		return -EBADMSG;
	if (!streq(unix_name, FAKE_USER))
		return -ENOENT;
	*ret = (struct account){ .name = FAKE_USER, .uid = 70001, .gid = 70001, .home = "/home/x", .n_groups = 1 };
	ret->groups[0] = 70002;
	return 0;
}

int accounts_name(struct accounts *accounts, const char *prefix, const char *ns, const char *service_account,
    struct account *ret, char *why, size_t size)
{
	assert_string_equal(prefix, "k8s_");
	*ret = (struct account){ .uid = 70001, .gid = 70001 };
	snprintf(ret->name, sizeof(ret->name), "k8s_%s_%s", ns, service_account);
	return 0;
}
