/* SPDX-License-Identifier: Apache-2.0 */
/* The session table: what survives a kill at any byte, and what is refused. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/text.h"
#include "session/table.h"

#define BOOT  "0d4c5a3e-0000-4000-8000-000000000001"
#define OTHER "0d4c5a3e-0000-4000-8000-000000000002"

static char why[256];

static struct table *table_begin(int fd)
{
	struct table *table;

	assert_int_equal(table_open(fd, BOOT, &table, why, sizeof(why)), 0);
	return table;
}

/* The next daemon's view of the same memory. */
static struct table *table_again(struct table *table)
{
	int fd = fcntl(table_fd(table), F_DUPFD_CLOEXEC, 3);

	table_close(table);
	return table_begin(fd);
}

static struct session_record record_of(char c)
{
	struct session_record record = { .state = SESSION_OPEN, .uid = 70001, .gid = 70001 };

	memset(record.id, c, SESSION_ID_LEN);
	memset(record.token_session, c, SESSION_ID_LEN);
	snprintf(record.user, sizeof(record.user), "k8s_web_app");
	return record;
}

static struct session_secrets secrets_of(const char *token)
{
	struct session_secrets secrets = { 0 };

	snprintf(secrets.token, sizeof(secrets.token), "%s", token);
	return secrets;
}

static void expect_token(const struct table *table, unsigned slot, char id, const char *token)
{
	struct session_record record;
	struct session_secrets secrets;

	assert_int_equal(table_get(table, slot, &record, &secrets), 0);
	assert_int_equal(record.id[0], id);
	assert_string_equal(secrets.token, token);
}

/* Where TEXT lies in the memfd; -1. */
static off_t find_bytes(const struct table *table, const char *text, off_t from)
{
	char page[TABLE_PAGE];

	for (off_t at = from; at < (off_t)(64 * TABLE_PAGE); at += TABLE_PAGE) {
		char *found;

		assert_int_equal(pread(table_fd(table), page, sizeof(page), at), sizeof(page));
		found = memmem(page, sizeof(page), text, strlen(text));
		if (found)
			return at + (found - page);
	}
	return -1;
}

static void test_put_get(void **state)
{
	struct table *table = table_begin(-1);
	struct session_record record = record_of('a'), got;
	struct session_secrets secrets = secrets_of("hvs.ONE");
	int slot = table_take(table);

	assert_int_equal(slot, 0);
	assert_int_equal(table_get(table, 0, &got, NULL), -ENOENT);
	assert_int_equal(table_put(table, 0, &record, NULL), -EBADMSG); /* no secrets yet to keep */
	assert_int_equal(table_put(table, 0, &record, &secrets), 0);
	record.state = SESSION_EXPIRED;
	assert_int_equal(table_put(table, 0, &record, NULL), 0);
	expect_token(table, 0, 'a', "hvs.ONE");
	secrets = secrets_of("hvs.TWO");
	assert_int_equal(table_put(table, 0, &record, &secrets), 0);
	expect_token(table, 0, 'a', "hvs.TWO");
	assert_int_equal(find_bytes(table, "hvs.ONE", 0), -1); /* the old half is wiped */
	table = table_again(table);
	expect_token(table, 0, 'a', "hvs.TWO");
	assert_int_equal(table_get(table, 0, &got, NULL), 0);
	assert_int_equal(got.state, SESSION_EXPIRED);
	assert_int_equal(table_free_slots(table), TABLE_RECORDS - 1);
	table_release(table, 0);
	assert_int_equal(find_bytes(table, "hvs.", 0), -1);
	assert_int_equal(table_get(table, 0, &got, NULL), -ENOENT);
	assert_int_equal(table_free_slots(table), TABLE_RECORDS);
	table_close(table);
}

static void test_full(void **state)
{
	struct table *table = table_begin(-1);
	struct stat st;

	for (unsigned i = 0; i < TABLE_RECORDS; i++)
		assert_int_equal(table_take(table), i);
	assert_int_equal(table_take(table), -ENOSPC);
	table_release(table, 17);
	assert_int_equal(table_take(table), 17);
	/* Taking costs no memory; a released record gives its page back. */
	assert_int_equal(fstat(table_fd(table), &st), 0);
	assert_true(st.st_blocks * 512 <= (off_t)(2 * TABLE_PAGE));
	table_close(table);
}

static void test_sealed(void **state)
{
	struct table *table = table_begin(-1);
	int seals = fcntl(table_fd(table), F_GET_SEALS);

	assert_int_equal(seals, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	assert_int_equal(ftruncate(table_fd(table), 0), -1);
	table_close(table);
}

/* A kill in the middle of a write: what is written of the new half is cut at every length. */
static void test_cut_write(void **state)
{
	struct session_record record = record_of('a');
	struct session_secrets one = secrets_of("hvs.ONE"), two = secrets_of("hvs.TWO");
	char before[TABLE_PAGE], after[TABLE_PAGE], mixed[TABLE_PAGE];

	for (unsigned cut = 0; cut <= TABLE_HALF; cut += cut < 64 ? 1 : 37) {
		struct table *table = table_begin(-1);

		assert_int_equal(table_take(table), 0);
		assert_int_equal(table_put(table, 0, &record, &one), 0);
		assert_int_equal(pread(table_fd(table), before, TABLE_PAGE, TABLE_PAGE), TABLE_PAGE);
		assert_int_equal(table_put(table, 0, &record, &two), 0);
		assert_int_equal(pread(table_fd(table), after, TABLE_PAGE, TABLE_PAGE), TABLE_PAGE);
		/* The new half came second; the old one was not wiped yet. */
		memcpy(mixed, before, TABLE_PAGE);
		memcpy(mixed + TABLE_HALF, after + TABLE_HALF, cut);
		assert_int_equal(pwrite(table_fd(table), mixed, TABLE_PAGE, TABLE_PAGE), TABLE_PAGE);
		table = table_again(table);
		expect_token(table, 0, 'a',
		    memcmp(mixed + TABLE_HALF, after + TABLE_HALF, TABLE_HALF) == 0 ? "hvs.TWO" : "hvs.ONE");
		/* It goes on from there. */
		assert_int_equal(table_put(table, 0, &record, &two), 0);
		table = table_again(table);
		expect_token(table, 0, 'a', "hvs.TWO");
		table_close(table);
	}
}

static void test_damaged_record(void **state)
{
	struct session_record record = record_of('a'), got;
	struct session_secrets secrets = secrets_of("hvs.ONE");
	struct table *table = table_begin(-1);
	off_t at;

	for (unsigned i = 0; i < 3; i++) {
		memset(record.id, 'a' + (int)i, SESSION_ID_LEN);
		assert_int_equal(table_take(table), i);
		assert_int_equal(table_put(table, i, &record, &secrets), 0);
	}
	at = find_bytes(table, "hvs.ONE", 2 * TABLE_PAGE);
	assert_int_equal(pwrite(table_fd(table), "hvs.EVIL", 8, at), 8);
	assert_int_equal(table_get(table, 1, &got, NULL), -EBADMSG);
	table = table_again(table);
	expect_token(table, 0, 'a', "hvs.ONE");
	assert_int_equal(table_get(table, 1, &got, NULL), -ENOENT);
	expect_token(table, 2, 'c', "hvs.ONE");
	assert_int_equal(find_bytes(table, "hvs.EVIL", 0), -1);
	assert_int_equal(table_take(table), 1); /* its slot is free again */
	table_close(table);
}

static void test_other_boot(void **state)
{
	struct table *table = table_begin(-1);
	int fd = fcntl(table_fd(table), F_DUPFD_CLOEXEC, 3);

	table_close(table);
	assert_int_equal(table_open(fd, OTHER, &table, why, sizeof(why)), -ESTALE);
	assert_non_null(strstr(why, "another boot"));
}

static void test_foreign_descriptors(void **state)
{
	struct table *table = table_begin(-1);
	int fd = fcntl(table_fd(table), F_DUPFD_CLOEXEC, 3);

	/* A damaged header. */
	assert_int_equal(pwrite(fd, "X", 1, 9), 1);
	table_close(table);
	assert_int_equal(table_open(fd, BOOT, &table, why, sizeof(why)), -EBADMSG);
	/* Right size, no seals. */
	fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(fd, (off_t)TABLE_FD_BYTES), 0);
	assert_int_equal(table_open(fd, BOOT, &table, why, sizeof(why)), -EBADMSG);
	/* Seals, another size. */
	fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(fd, TABLE_PAGE), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
	assert_int_equal(table_open(fd, BOOT, &table, why, sizeof(why)), -EBADMSG);
	/* No memfd at all. */
	assert_int_equal(table_open(open("/dev/null", O_RDWR | O_CLOEXEC), BOOT, &table, why, sizeof(why)), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put_get),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_sealed),
		cmocka_unit_test(test_cut_write),
		cmocka_unit_test(test_damaged_record),
		cmocka_unit_test(test_other_boot),
		cmocka_unit_test(test_foreign_descriptors),
	};

	log_set_level(LOG_EMERG);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
