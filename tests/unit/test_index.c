/* SPDX-License-Identifier: Apache-2.0 */
/* accounts: the index file from writer to reader, and files that lie. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "accounts/index.h"
#include "accounts/index_hash.h"
#include "accounts/names.h"

#define GID_USERS 1900000000u
#define GID_WEB	  1900000001u

static int add_user(struct index_writer *writer, const char *name, uint32_t uid, uint32_t n_groups)
{
	uint32_t groups[] = { htole32(GID_USERS), htole32(GID_WEB) };
	struct index_user user = {
		.name = name,
		.gecos = "web/sa in kubernetes",
		.home = "/home/x",
		.shell = "/bin/bash",
		.identity = "kubernetes/web/sa",
		.service_account_uid = "7b3a1c52-0d8e-4c4e-9a51-e0a9fd3e6d1b",
		.uid = uid,
		.gid = uid,
		.groups = groups,
		.n_groups = n_groups,
	};
	int r = index_writer_user(writer, &user);

	return r < 0 ? r : index_writer_group(writer, name, uid);
}

/* Two groups and N users k8s_web_<number>, the odd ones in both groups. */
static void make_index(uint32_t n, struct buf *ret)
{
	struct index_writer *writer = index_writer_new(7);
	char name[ACCOUNT_NAME_SIZE], why[256];

	assert_int_equal(index_writer_group(writer, "k8sauth-users", GID_USERS), 0);
	assert_int_equal(index_writer_group(writer, "k8s_web", GID_WEB), 0);
	for (uint32_t i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "k8s_web_%u", i);
		assert_int_equal(add_user(writer, name, 1880000000u + i, 1 + i % 2), 0);
	}
	assert_int_equal(index_writer_finish(writer, ret, why, sizeof(why)), 0);
	index_writer_free(writer);
}

static void check_round_trip(uint32_t n)
{
	AUTO_BUF struct buf image = { 0 };
	struct index_map map;
	struct index_user user;
	struct index_group group;
	char why[256] = "", name[ACCOUNT_NAME_SIZE];

	make_index(n, &image);
	assert_int_equal(index_from_memory(image.data, image.len, &map), 0);
	assert_int_equal(index_check(&map, why, sizeof(why)), 0);
	assert_int_equal(index_generation(&map), 7);
	assert_int_equal(index_n_users(&map), n);
	assert_int_equal(index_n_groups(&map), n + 2);
	for (uint32_t i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "k8s_web_%u", i);
		assert_int_equal(index_user_by_name(&map, name, &user), 0);
		assert_int_equal(user.uid, 1880000000u + i);
		assert_string_equal(user.home, "/home/x");
		assert_string_equal(user.identity, "kubernetes/web/sa");
		assert_int_equal(user.n_groups, 1 + i % 2);
		assert_int_equal(le32toh(user.groups[i % 2]), i % 2 ? GID_WEB : GID_USERS);
		assert_int_equal(index_user_by_id(&map, 1880000000u + i, &user), 0);
		assert_string_equal(user.name, name);
		assert_int_equal(index_group_by_name(&map, name, &group), 0);
		assert_int_equal(group.gid, user.gid);
		assert_int_equal(group.n_members, 0);
	}
	assert_int_equal(index_user_by_name(&map, "k8s_web_", &user), -ENOENT);
	assert_int_equal(index_user_by_id(&map, 1880000000u + n, &user), -ENOENT);
	assert_int_equal(index_group_by_id(&map, GID_WEB, &group), 0);
	assert_string_equal(group.name, "k8s_web");
	assert_int_equal(group.n_members, n / 2);
	if (n > 1) {
		assert_int_equal(index_user_at(&map, le32toh(group.members[0]), &user), 0);
		assert_string_equal(user.name, "k8s_web_1");
	}
	assert_int_equal(index_group_by_name(&map, "k8sauth-users", &group), 0);
	assert_int_equal(group.n_members, n);
}

static void test_round_trip(void **state)
{
	(void)state;
	check_round_trip(0);
	check_round_trip(1);
	check_round_trip(2);
	check_round_trip(333);
	check_round_trip(5000);
}

static void test_writer_refuses(void **state)
{
	struct index_writer *writer = index_writer_new(1);
	AUTO_BUF struct buf image = { 0 };
	char why[256] = "";
	uint32_t many[IDMAP_GROUPS_MAX + 1] = { 0 };
	struct index_user user = { .name = "k8s_a_b",
		.gecos = "",
		.home = "/",
		.shell = "/bin/sh",
		.identity = "",
		.service_account_uid = "",
		.uid = 1880000000u,
		.gid = 1880000000u,
		.groups = many,
		.n_groups = IDMAP_GROUPS_MAX + 1 };

	(void)state;
	assert_int_equal(index_writer_user(writer, &user), -E2BIG);
	index_writer_free(writer);

	writer = index_writer_new(1);
	assert_int_equal(add_user(writer, "k8s_a_b", 1880000000u, 1), 0);
	assert_int_equal(index_writer_finish(writer, &image, why, sizeof(why)), -ENOENT);
	assert_string_equal(why, "user k8s_a_b is in gid 1900000000, which no group has");
	index_writer_free(writer);

	writer = index_writer_new(1);
	assert_int_equal(add_user(writer, "k8s_a_b", 1880000000u, 0), 0);
	assert_int_equal(add_user(writer, "k8s_a_c", 1880000000u, 0), 0);
	assert_int_equal(index_writer_finish(writer, &image, why, sizeof(why)), -EEXIST);
	assert_string_equal(why, "users k8s_a_b and k8s_a_c have the same id");
	index_writer_free(writer);

	writer = index_writer_new(1);
	assert_int_equal(add_user(writer, "k8s_a_b", 1880000000u, 0), 0);
	assert_int_equal(index_writer_group(writer, "k8s_a_b", 1880000001u), 0);
	assert_int_equal(index_writer_finish(writer, &image, why, sizeof(why)), -EEXIST);
	assert_string_equal(why, "groups k8s_a_b and k8s_a_b have the same name");
	index_writer_free(writer);
	assert_null(image.data);
}

/* Follows everything there is; used on files whose every answer may be wrong. */
static void walk(const struct index_map *map)
{
	struct index_user user;
	struct index_group group;
	size_t sum = 0;

	for (uint32_t i = 0; i < index_n_users(map) && i < 64; i++) {
		if (index_user_at(map, i, &user) < 0)
			continue;
		sum += strlen(user.name) + strlen(user.gecos) + strlen(user.home) + strlen(user.shell) +
		       strlen(user.identity) + strlen(user.service_account_uid);
		for (uint32_t j = 0; j < user.n_groups; j++)
			sum += index_group_by_id(map, le32toh(user.groups[j]), &group) == 0;
		assert_false(account_id_forbidden(user.uid));
		assert_true(account_name_is_ours(user.name));
	}
	for (uint32_t i = 0; i < index_n_groups(map) && i < 64; i++) {
		if (index_group_at(map, i, &group) < 0)
			continue;
		for (uint32_t j = 0; j < group.n_members; j++)
			sum += index_user_at(map, le32toh(group.members[j]), &user) == 0;
		assert_false(account_id_forbidden(group.gid));
	}
	for (uint32_t i = 0; i < 5; i++) {
		char name[ACCOUNT_NAME_SIZE];

		snprintf(name, sizeof(name), "k8s_web_%u", i);
		sum += index_user_by_name(map, name, &user) == 0;
		sum += index_user_by_id(map, 1880000000u + i, &user) == 0;
		sum += index_group_by_name(map, name, &group) == 0;
	}
	assert_true(sum < 1000000);
}

static void fix_header(char *image)
{
	struct idmap_header *h = (void *)image;

	h->header_checksum = htole64(index_checksum(h, offsetof(struct idmap_header, header_checksum)));
}

/* Every bit of every byte flipped, with the header's checksum put right, so that the checks behind it are reached. */
static void test_flipped_bits(void **state)
{
	AUTO_BUF struct buf image = { 0 };
	AUTO_FREE char *copy = NULL;
	unsigned opened = 0;

	(void)state;
	make_index(5, &image);
	copy = malloc(image.len);
	for (size_t i = 0; i < image.len * 8; i++) {
		struct index_map map;
		char why[256] = "";

		memcpy(copy, image.data, image.len);
		copy[i / 8] ^= (char)(1 << i % 8);
		if (i / 8 < sizeof(struct idmap_header)) {
			assert_int_equal(index_from_memory(copy, image.len, &map), -EBADMSG);
			fix_header(copy);
		}
		if (index_from_memory(copy, image.len, &map) < 0)
			continue;
		opened++;
		walk(&map);
		if (i / 64 != offsetof(struct idmap_header, generation) / 8 &&
		    i / 64 != offsetof(struct idmap_header, from) / 8 && /* the helper compares it with accounts.conf */
		    i / 64 != offsetof(struct idmap_header, header_checksum) / 8) {
			assert_int_equal(index_check(&map, why, sizeof(why)), -EBADMSG);
			assert_string_not_equal(why, "");
		}
	}
	assert_true(
	    opened > (image.len - sizeof(struct idmap_header)) * 7); /* the body is trusted only piece by piece */
}

static void test_cut(void **state)
{
	AUTO_BUF struct buf image = { 0 };
	struct index_map map;

	(void)state;
	make_index(5, &image);
	for (size_t len = 0; len < image.len; len++) {
		AUTO_FREE char *copy = malloc(len + 1);
		struct idmap_header *h = (void *)copy;

		memcpy(copy, image.data, len);
		assert_int_equal(index_from_memory(copy, len, &map), -EBADMSG);
		if (len < sizeof(*h))
			continue;
		h->file_size = htole64(len);
		fix_header(copy);
		if (index_from_memory(copy, len, &map) == 0)
			walk(&map);
	}
}

/* Lies with every checksum right: what index_check alone can find. */
struct lie {
	size_t offset; /* of a u32 in the users or groups section */
	bool group;
	uint32_t record, value;
	const char *why;
};

#define USER(n, field, v, text)                                             \
	{                                                                   \
		offsetof(struct idmap_user, field), false, (n), (v), (text) \
	}
#define GROUP(n, field, v, text)                                            \
	{                                                                   \
		offsetof(struct idmap_group, field), true, (n), (v), (text) \
	}

static void test_lies(void **state)
{
	static const struct lie lies[] = {
		USER(1, uid, 0, "user record 1"),
		USER(1, uid, 999, "user record 1"),
		USER(1, uid, 1880000000u, "by its id"),
		USER(1, uid, 1880000077u, "by its id"),
		USER(1, gid, 1880000077u, "no group"),
		USER(1, gid, 0, "user record 1"),
		USER(1, name, 0, "user record 1"),
		USER(1, name, 0xffffffffu, "user record 1"),
		USER(1, n_groups, 65, "user record 1"),
		USER(1, n_groups, 1, "does not know"),
		USER(1, groups, 1u << 30, "user record 1"),
		USER(1, groups, 0, "twice"),
		GROUP(0, gid, 27, "is no group"),
		GROUP(0, gid, 1900000009u, "no group"),
		GROUP(0, members, 1, "out of order"),
		GROUP(0, n_members, 0, "do not fit"),
		GROUP(0, n_members, 1u << 20, "is no group"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		AUTO_BUF struct buf image = { 0 };
		struct idmap_header *h;
		struct index_map map;
		char why[256] = "", *record;
		uint32_t value = htole32(lies[i].value);

		make_index(5, &image);
		h = (void *)image.data;
		record = image.data + le64toh(h->sections[lies[i].group ? IDMAP_GROUPS : IDMAP_USERS].offset);
		record += lies[i].record * (lies[i].group ? sizeof(struct idmap_group) : sizeof(struct idmap_user));
		memcpy(record + lies[i].offset, &value, sizeof(value));
		h->body_checksum = htole64(index_checksum(h + 1, image.len - sizeof(*h)));
		fix_header(image.data);
		assert_int_equal(index_from_memory(image.data, image.len, &map), 0);
		walk(&map);
		assert_int_equal(index_check(&map, why, sizeof(why)), -EBADMSG);
		if (!strstr(why, lies[i].why))
			fail_msg("lie %zu: %s", i, why);
	}
}

static void test_bad_fields(void **state)
{
	static const char *const bad[] = { "/home/a:b", "/home/a\nroot::0:0::/:", "/home/\x01", "/home/\xff" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct index_writer *writer = index_writer_new(1);
		AUTO_BUF struct buf image = { 0 };
		struct index_user user = { .name = "k8s_a_b",
			.gecos = "",
			.home = bad[i],
			.shell = "/bin/sh",
			.identity = "",
			.service_account_uid = "",
			.uid = 1880000000u,
			.gid = 1880000000u };
		struct index_map map;
		char why[256] = "";

		assert_int_equal(index_writer_user(writer, &user), 0);
		assert_int_equal(index_writer_group(writer, "k8s_a_b", 1880000000u), 0);
		assert_int_equal(index_writer_finish(writer, &image, why, sizeof(why)), 0);
		index_writer_free(writer);
		assert_int_equal(index_from_memory(image.data, image.len, &map), 0);
		assert_int_equal(index_check(&map, why, sizeof(why)), -EBADMSG);
		assert_non_null(strstr(why, "passwd line"));
	}
}

static void test_open(void **state)
{
	char dir[] = "/tmp/k8sauth-test-XXXXXX", path[128], link_path[128];
	AUTO_BUF struct buf image = { 0 };
	struct index_map map;
	struct index_user user;
	int fd;

	(void)state;
	make_index(5, &image);
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/accounts", dir);
	snprintf(link_path, sizeof(link_path), "%s/link", dir);
	assert_int_equal(index_open(path, getuid(), &map), -ENOENT);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	assert_int_equal(index_open(path, getuid(), &map), -EBADMSG);
	assert_int_equal(write(fd, image.data, image.len), image.len);
	close(fd);
	assert_int_equal(index_open(path, getuid(), &map), 0);
	assert_int_equal(index_user_by_name(&map, "k8s_web_3", &user), 0);
	index_close(&map);
	assert_int_equal(index_open(path, getuid() + 1, &map), -EPERM);
	assert_int_equal(symlink(path, link_path), 0);
	assert_int_equal(index_open(link_path, getuid(), &map), -ELOOP);
	assert_int_equal(index_open(dir, getuid(), &map), -EPERM);
	assert_int_equal(chmod(path, 0664), 0);
	assert_int_equal(index_open(path, getuid(), &map), -EPERM);
	unlink(link_path);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_writer_refuses),
		cmocka_unit_test(test_flipped_bits),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_bad_fields),
		cmocka_unit_test(test_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
