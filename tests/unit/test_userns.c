/* SPDX-License-Identifier: Apache-2.0 */
/* Ids that a container's user namespace has, and those that it has not. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "accounts/accounts.h"
#include "base/macros.h"

static char uid_map[] = "/tmp/k8sauth-uid-map-XXXXXX", gid_map[] = "/tmp/k8sauth-gid-map-XXXXXX", why[256];

static void write_map(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void test_maps(void **state)
{
	static const struct {
		const char *uids, *gids;
		struct account account;
		bool exists, usual;
		const char *why;
	} rows[] = {
		{ "         0          0 4294967295\n", "0 0 4294967295\n",
		    { .uid = 1879048192, .gid = 1879048192, .groups = { 4294967294 }, .n_groups = 1 }, true, true, "" },
		{ "0 524288 65536\n", "0 524288 65536\n", { .uid = 1879048192, .gid = 1879048192 }, false, true,
		    "the uid 1879048192 of k8s_web_app does not exist in this container: its id map has 0 to 65535" },
		{ "0 524288 65536\n", "0 524288 65536\n",
		    { .uid = 20000, .gid = 65535, .groups = { 65535, 65536 }, .n_groups = 2 }, false, true,
		    "the group 65536 of k8s_web_app" },
		{ "0 524288 65536\n", "0 524288 65536\n",
		    { .uid = 20000, .gid = 20000, .groups = { 30000 }, .n_groups = 1 }, true, true, "" },
		{ "0 0 4294967295\n", "0 100000 20000\n", { .uid = 70000, .gid = 70000 }, false, false,
		    "the gid 70000 of k8s_web_app does not exist in this container: its id map has 0 to 19999" },
		{ "0 1000 1\n1 100000 65536\n", "0 1000 1\n1 100000 65536\n", { .uid = 65536, .gid = 0 }, true, true,
		    "" },
		{ "0 1000 1\n1 100000 65536\n", "0 1000 1\n1 100000 65536\n", { .uid = 65537, .gid = 0 }, false, true,
		    "its id map has 0 to 0 and others" },
		{ "4294967290 0 5\n", "0 0 1\n", { .uid = 4294967294, .gid = 0 }, true, false, "" },
		/* Nothing to go by. */
		{ "", "nonsense", { .uid = 1879048192, .gid = 1879048192 }, true, true, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct account account = rows[i].account;
		bool usual, exists;

		snprintf(account.name, sizeof(account.name), "k8s_web_app");
		write_map(uid_map, rows[i].uids);
		write_map(gid_map, rows[i].gids);
		why[0] = '\0';
		exists = account_exists_in(uid_map, gid_map, &account, why, sizeof(why), &usual);
		if (exists != rows[i].exists || usual != rows[i].usual || !strstr(why, rows[i].why))
			fail_msg("row %zu: %d %d %s", i, exists, usual, why);
	}
	assert_true(account_exists_in("/nowhere", "/nowhere", &rows[0].account, why, sizeof(why), &(bool){ false }));
}

static int setup(void **state)
{
	(void)state;
	return mkstemp(uid_map) < 0 || mkstemp(gid_map) < 0;
}

static int teardown(void **state)
{
	(void)state;
	return unlink(uid_map) || unlink(gid_map);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_maps) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
