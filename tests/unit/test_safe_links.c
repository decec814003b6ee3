/* SPDX-License-Identifier: Apache-2.0 */
/* base: reading a file through the links that lead to it, as kubelet makes them, and every way in which it is refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "base/safe_open.h"

static char dir[128];

/* DIR/NAME, good until the eighth next. */
static const char *at(const char *name)
{
	static char paths[8][256];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static void write_file(const char *name, const char *text)
{
	AUTO_CLOSE int fd = open(at(name), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static int setup(void **state)
{
	snprintf(dir, sizeof(dir), "/root/.k8sauth-test-XXXXXX");
	if (getuid() != 0 || !mkdtemp(dir))
		return -1;
	/* dir/token -> ..data/token, dir/..data -> ..1 */
	assert_int_equal(mkdir(at("..1"), 0755), 0);
	write_file("..1/token", "one");
	assert_int_equal(symlink("..1", at("..data")), 0);
	assert_int_equal(symlink("..data/token", at("token")), 0);
	return 0;
}

static int teardown(void **state)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -rf --one-file-system %s", dir);
	return system(command);
}

/* What is read of NAME, or a negative errno; WHY must hold PART. */
static void expect(const char *name, int r, const char *part)
{
	AUTO_BUF struct buf text = { 0 };
	char why[512] = "";

	assert_int_equal(safe_read_links(*name == '/' ? name : at(name), 0, 8, &text, why, sizeof(why)), r);
	if (r == 0)
		assert_string_equal(text.data, part);
	else if (!strstr(why, part))
		fail_msg("%s instead of %s", why, part);
}

static void test_links(void **state)
{
	expect("token", 0, "one");
	/* kubelet's change: a new folder, and the link renamed over. */
	assert_int_equal(mkdir(at("..2"), 0755), 0);
	write_file("..2/token", "two");
	assert_int_equal(symlink("..2", at("..tmp")), 0);
	assert_int_equal(rename(at("..tmp"), at("..data")), 0);
	expect("token", 0, "two");
	assert_int_equal(symlink(at("token"), at("absolute")), 0);
	expect("absolute", 0, "two");
	expect("..1//./token", 0, "one");
}

static void test_folders(void **state)
{
	assert_int_equal(chmod(dir, 01777), 0);
	expect("token", 0, "one");
	assert_int_equal(chmod(dir, 0777), 0);
	expect("token", -EPERM, "is a directory that others may write");
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(chown(at("..1"), 4242, 0), 0);
	expect("token", -EPERM, "..1 is not root's");
}

/* What somebody else has put into a sticky folder. */
static void test_owners(void **state)
{
	assert_int_equal(lchown(at("..data"), 4242, 0), 0);
	expect("token", -EPERM, "..data is not root's");
	assert_int_equal(lchown(at("..data"), 0, 0), 0);
	assert_int_equal(chown(at("..1/token"), 4242, 0), 0);
	expect("token", -EPERM, "token is not root's");
	assert_int_equal(chown(at("..1/token"), 0, 0), 0);
	assert_int_equal(link(at("..1/token"), at("planted")), 0);
	expect("planted", -EINVAL, "is no regular file with one name");
}

static void test_files(void **state)
{
	assert_int_equal(chmod(at("..1/token"), 0664), 0);
	expect("token", -EPERM, "is a file that others may write");
	assert_int_equal(chmod(at("..1/token"), 0400), 0);
	expect("token", 0, "one");
	write_file("large", "123456789");
	expect("large", -EFBIG, "large is too large");
	write_file("empty", "");
	expect("empty", 0, "");
	expect("..1", -EINVAL, "is no regular file");
	assert_int_equal(mkfifo(at("fifo"), 0600), 0);
	expect("fifo", -EINVAL, "is no regular file");
	expect("nothing", -ENOENT, "nothing: No such file");
	expect("large/token", -ENOTDIR, "large is no directory");
}

static void test_odd_paths(void **state)
{
	char longest[5000];
	AUTO_BUF struct buf text = { 0 };
	char why[512];

	assert_int_equal(symlink("loop", at("loop")), 0);
	expect("loop", -ELOOP, "loop is one link too many");
	assert_int_equal(symlink("../..1/token", at("..1/up")), 0);
	expect("..1/up", -EINVAL, ".. is no part of such a path");
	expect("..1/../..1/token", -EINVAL, ".. is no part of such a path");
	expect("/", -EINVAL, "does not name a file");
	expect("token/", -ENOTDIR, "token is no directory");
	assert_int_equal(safe_read_links("token", 0, 8, &text, why, sizeof(why)), -EINVAL);
	memset(longest, 'a', sizeof(longest) - 1);
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(safe_read_links(longest, 0, 8, &text, why, sizeof(why)), -EINVAL);
	longest[300] = '\0';
	assert_int_equal(safe_read_links(longest, 0, 8, &text, why, sizeof(why)), -EINVAL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_links),
		TEST(test_folders),
		TEST(test_owners),
		TEST(test_files),
		TEST(test_odd_paths),
	};

	if (getuid() != 0) {
		printf("1..0 # SKIP needs root, whose files they are\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
