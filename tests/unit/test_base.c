/* SPDX-License-Identifier: Apache-2.0 */
/* base: encodings, durations, buffers, secrets, safe open. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <fcntl.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/buf.h"
#include "base/deadline.h"
#include "base/safe_open.h"
#include "base/secret.h"
#include "base/text.h"

static void test_base64url(void **state)
{
	static const char *const bad[] = { "A", "AB==", "AA AA", "AB\nAB", "AB", "A+AA", "AAAAA" };
	char text[64], back[64];

	(void)state;
	for (size_t len = 0; len < 32; len++) {
		unsigned char in[32];

		random_bytes(in, sizeof(in));
		base64url_encode(in, len, text);
		assert_int_equal(strlen(text) + 1, base64url_size(len));
		assert_int_equal(base64url_decode(text, strlen(text), back), len);
		assert_memory_equal(in, back, len);
		base64_encode(in, len, text);
		assert_int_equal(strlen(text) + 1, base64_size(len));
		assert_int_equal(base64_decode(text, strlen(text), back), len);
		assert_memory_equal(in, back, len);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(base64url_decode(bad[i], strlen(bad[i]), back), -EINVAL);
}

static void test_base32_hex(void **state)
{
	char text[64], back[8];

	(void)state;
	base32_encode("foobar", 6, text);
	assert_string_equal(text, "mzxw6ytboi"); /* RFC 4648 section 10 */
	hex_encode("\x00\xff\x1a", 3, text);
	assert_string_equal(text, "00ff1a");
	assert_int_equal(hex_decode("00ff1a", 6, back, sizeof(back)), 3);
	assert_int_equal(hex_decode("0", 1, back, sizeof(back)), -EINVAL);
	assert_int_equal(hex_decode("0g", 2, back, sizeof(back)), -EINVAL);
	assert_int_equal(hex_decode("0011", 4, back, 1), -EINVAL);
}

static void test_durations(void **state)
{
	static const struct {
		const char *text;
		long long seconds;
		int r;
	} rows[] = {
		{ "", 0, 0 },
		{ "90", 90, 0 },
		{ "1h30m", 5400, 0 },
		{ "2d", 172800, 0 },
		{ "1.5h", 5400, 0 },
		{ "1500ms", 1, 0 },
		{ "-5", -5, 0 },
		{ "-1m", -60, 0 },
		{ "1.7", 0, -EINVAL },
		{ "h", 0, -EINVAL },
		{ "1x", 0, -EINVAL },
		{ "1d2h", 0, -EINVAL },
		{ "1h ", 0, -EINVAL },
		{ " 1h", 0, -EINVAL },
		{ "99999999999999999999", 0, -EINVAL },
	};
	static const struct {
		const char *text, *error;
	} refused[] = {
		{ "x", "time: invalid duration \"x\"" },
		{ "-", "time: invalid duration \"-\"" },
		{ " 1h", "time: invalid duration \" 1h\"" },
		{ "1.5", "time: missing unit in duration \"1.5\"" },
		{ "1h2", "time: missing unit in duration \"1h2\"" },
		{ "1w", "time: unknown unit \"w\" in duration \"1w\"" },
		{ "1h ", "time: unknown unit \"h \" in duration \"1h \"" },
		{ "1\xc3\xa9", "time: unknown unit \"\\xc3\\xa9\" in duration \"1\\xc3\\xa9\"" },
		{ "\"x", "time: invalid duration \"\\\"x\"" },
		{ "9999999999999h", "time: invalid duration \"9999999999999h\"" },
		{ "d", "strconv.ParseInt: parsing \"\": invalid syntax" },
		{ "1.5d", "strconv.ParseInt: parsing \"1.5\": invalid syntax" },
		{ "99999999999", "multiplication of durations resulted in overflow, one operand may be too large" },
	};
	char text[32], error[DURATION_ERROR_SIZE];
	long long ns = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		assert_int_equal(duration_parse_ns(refused[i].text, &ns, error, sizeof(error)), -EINVAL);
		assert_string_equal(error, refused[i].error);
	}
	assert_int_equal(duration_parse_ns("1m0.7s2us3ns", &ns, error, sizeof(error)), 0);
	assert_int_equal(ns, 60700002003);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		long long seconds = 0;

		assert_int_equal(duration_parse(rows[i].text, &seconds), rows[i].r);
		assert_int_equal(seconds, rows[i].seconds);
	}
	duration_format(2764800, text, sizeof(text));
	assert_string_equal(text, "768h0m0s");
	duration_format(90, text, sizeof(text));
	assert_string_equal(text, "1m30s");
	duration_format(0, text, sizeof(text));
	assert_string_equal(text, "0s");
}

static void test_utf8(void **state)
{
	(void)state;
	assert_true(utf8_valid("h\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 10));
	assert_false(utf8_valid("\xc0\x80", 2));
	assert_false(utf8_valid("\xed\xa0\x80", 3));
	assert_false(utf8_valid("\xf4\x90\x80\x80", 4));
	assert_false(utf8_valid("\xe2\x82", 2));
	assert_false(utf8_valid("a\0b", 3));
	assert_false(utf8_valid("\xff", 1));
}

static void test_utf8_mend(void **state)
{
	static const char text[] = "\xff" "a\xc3\xa9\xc3" "b\xe2\x82\0\xf0\x9f\x98\x80\xed\xa0\x80\xe2\x82";
	AUTO_BUF struct buf mended = { 0 }, tight = BUF_MAX(4);

	(void)state;
#define BAD "\xef\xbf\xbd"
	utf8_mend(text, sizeof(text) - 1, &mended);
	assert_string_equal(mended.data,
	    BAD "a\xc3\xa9" BAD "b" BAD BAD BAD "\xf0\x9f\x98\x80" BAD BAD BAD BAD BAD);
	utf8_mend("\xff\xff", 2, &tight);
	assert_true(tight.failed);
}

static void test_buf_limits(void **state)
{
	AUTO_BUF struct buf buf = BUF_MAX(10);

	(void)state;
	assert_int_equal(buf_add_str(&buf, "12345"), 0);
	assert_int_equal(buf_printf(&buf, "%d", 67890), 0);
	assert_string_equal(buf.data, "1234567890");
	assert_int_equal(buf_add_char(&buf, 'x'), -EMSGSIZE);
	assert_true(buf.failed);
	assert_null(buf_take(&buf));
	buf_free(&buf);
	assert_int_equal(buf_add_str(&buf, "abcdef"), 0);
	assert_string_equal(buf.data, "abcdef");
}

static void test_secret(void **state)
{
	AUTO_SECRET struct secret *a = secret_copy("hunter2", 7), *b = secret_copy("hunter2", 7);
	AUTO_SECRET struct secret *c = secret_copy("hunter", 6), *big = secret_new(3 * 4096);

	(void)state;
	assert_true(equal_constant_time(secret_reveal(a), secret_reveal(b), 7));
	assert_false(equal_constant_time(secret_reveal(a), secret_reveal(c), 7));
	assert_int_equal(secret_len(a), 7);
	assert_string_equal(secret_reveal(a), "hunter2");
	memset(secret_reveal(big), 'x', 3 * 4096);
	assert_int_equal(secret_reveal(big)[3 * 4096], 0);
}

/* With secret_pool.c: the next secret has the page of the last one, and nothing of what was in it. */
static void test_secret_pool(void **state)
{
	struct secret *first, *next, *big;
	const char *page;

	(void)state;
	first = secret_copy("hunter2", 7);
	page = secret_reveal(first);
	secret_free(first);
	next = secret_new(100);
	assert_ptr_equal(secret_reveal(next), page);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(secret_reveal(next)[i], 0);
	big = secret_new(3 * 4096);
	assert_ptr_not_equal(secret_reveal(big), page);
	secret_free(big);
	secret_free(next);
}

static void test_wipe_realloc(void **state)
{
	char *text = wipe_malloc(8);

	(void)state;
	memcpy(text, "1234567", 8);
	text = wipe_realloc(text, 4096);
	assert_string_equal(text, "1234567");
	text = wipe_realloc(text, 8);
	assert_string_equal(text, "1234567");
	wipe_free(text);
}

static void test_deadline(void **state)
{
	struct deadline past = deadline_after_ms(-1), later = deadline_after_ms(60000);

	(void)state;
	assert_true(deadline_passed(past));
	assert_int_equal(deadline_left_ms(past), 0);
	assert_in_range(deadline_left_ms(later), 50000, 60000);
}

/* Files under the build folder: every component above belongs to whoever builds, so the owner is the caller. */
static unsigned lines_said;

static void count_lines(int level, const char *ref, const char *line)
{
	lines_said++;
}

/* What strangers can cause must not fill the journal: the line that says so is the last one of the window. */
static void test_log_limit(void **state)
{
	struct log_limit limit = { 0 };
	unsigned allowed = 0;

	lines_said = 0;
	log_set_sink(count_lines);
	for (int i = 0; i < 3 * LOG_LIMIT_LINES; i++)
		allowed += log_allowed(&limit, "bad requests");
	log_set_sink(NULL);
	assert_int_equal(allowed, LOG_LIMIT_LINES - 1);
	assert_int_equal(lines_said, 1);
	limit.window -= LOG_LIMIT_MS;
	assert_true(log_allowed(&limit, "bad requests"));
}

static void test_safe_open(void **state)
{
	char dir[] = "/root/.k8sauth-test-XXXXXX", path[128], link_path[128], why[256] = "";
	int fd = -1;

	(void)state;
	if (getuid() != 0 || !mkdtemp(dir)) {
		skip();
		return;
	}
	snprintf(path, sizeof(path), "%s/file", dir);
	snprintf(link_path, sizeof(link_path), "%s/link", dir);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "hello", 5), 5);
	close(fd);
	assert_int_equal(safe_open(path, 0, 5, &fd, why, sizeof(why)), 0);
	close(fd);
	assert_int_equal(safe_open(path, 0, 4, &fd, why, sizeof(why)), -EFBIG);
	assert_int_equal(chmod(path, 0620), 0);
	assert_int_equal(safe_open(path, 0, 5, &fd, why, sizeof(why)), -EPERM);
	assert_non_null(strstr(why, "writable"));
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(chown(path, 4242, 0), 0);
	assert_int_equal(safe_open(path, 0, 5, &fd, why, sizeof(why)), -EPERM);
	assert_int_equal(safe_open(path, 4242, 5, &fd, why, sizeof(why)), 0);
	close(fd);
	assert_int_equal(symlink(path, link_path), 0);
	assert_int_equal(safe_open(link_path, 4242, 5, &fd, why, sizeof(why)), -ELOOP);
	assert_int_equal(safe_open(dir, 0, 5, &fd, why, sizeof(why)), -EINVAL);
	assert_int_equal(safe_open("relative", 0, 5, &fd, why, sizeof(why)), -EINVAL);
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(safe_open(path, 4242, 5, &fd, why, sizeof(why)), -EPERM);
	unlink(link_path);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64url),
		cmocka_unit_test(test_base32_hex),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_utf8_mend),
		cmocka_unit_test(test_buf_limits),
		cmocka_unit_test(test_secret),
		cmocka_unit_test(test_secret_pool),
		cmocka_unit_test(test_wipe_realloc),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_log_limit),
		cmocka_unit_test(test_safe_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
