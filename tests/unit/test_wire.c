/* SPDX-License-Identifier: Apache-2.0 */
/* wire: frames built, read back, refused and described. */
#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "wire/wire.h"

static int parse(const struct buf *buf, struct wire_frame *ret, const char **ret_why)
{
	return wire_parse(buf->data, buf->len, ret, ret_why);
}

static void assert_refused(struct buf *buf, const char *why)
{
	struct wire_frame frame;
	const char *got = NULL;

	assert_int_equal(wire_end(buf), 0);
	assert_int_equal(parse(buf, &frame, &got), -EPROTO);
	assert_string_equal(got, why);
	buf_free(buf);
}

static void add_file(struct buf *buf, const char *name, const char *content)
{
	char value[64];
	uint16_t len = htole16((uint16_t)strlen(name));

	memcpy(value, &len, sizeof(len));
	memcpy(value + 2, name, strlen(name));
	memcpy(value + 2 + strlen(name), content, strlen(content));
	wire_add(buf, WIRE_FILE, value, 2 + strlen(name) + strlen(content));
}

static void test_round_trip(void **state)
{
	AUTO_BUF struct buf buf = BUF_MAX(WIRE_REQUEST_MAX);
	AUTO_SECRET struct secret *sent = secret_copy("a\0b", 3);
	AUTO_SECRET struct secret *got = NULL;
	AUTO_FREE char *user = NULL;
	AUTO_FREE char *absent = NULL;
	struct wire_frame frame;
	struct wire_item item;
	const char *why;
	uint32_t uid = 0;

	wire_begin(&buf, WIRE_LOGIN);
	wire_add_secret(&buf, WIRE_CREDENTIAL | WIRE_CRITICAL, sent);
	wire_add_str(&buf, WIRE_USER, "k8s_a_b");
	wire_add_str(&buf, WIRE_TTY, NULL);
	wire_add_str(&buf, WIRE_RHOST, "");
	wire_add_u32(&buf, WIRE_UID, 0x01020304);
	assert_int_equal(wire_end(&buf), 0);
	assert_int_equal(wire_frame_len(buf.data, buf.len, WIRE_REQUEST_MAX), buf.len);
	assert_int_equal(parse(&buf, &frame, &why), 0);
	assert_int_equal(frame.type, WIRE_LOGIN);
	got = wire_get_secret(&frame, WIRE_CREDENTIAL);
	assert_int_equal(secret_len(sent), secret_len(got));
	assert_memory_equal(secret_reveal(sent), secret_reveal(got), secret_len(sent));
	user = wire_get_str(&frame, WIRE_USER);
	assert_string_equal(user, "k8s_a_b");
	absent = wire_get_str(&frame, WIRE_TTY);
	assert_null(absent);
	assert_true(wire_get(&frame, WIRE_RHOST, &item));
	assert_int_equal(item.len, 0);
	assert_true(wire_get_u32(&frame, WIRE_UID, &uid));
	assert_int_equal(uid, 0x01020304);
	assert_false(wire_get_u32(&frame, WIRE_GID, &uid));
}

static void test_layout(void **state)
{
	static const unsigned char expected[] = { 18, 0, 0, 0, 1, 6, 0, 0, 5, 0x80, 0, 0, 6, 0, 0, 0, 'k', '8', 's',
		'_', 'a', 'b' };
	AUTO_BUF struct buf buf = { 0 };

	wire_begin(&buf, WIRE_LOOKUP);
	wire_add_str(&buf, WIRE_USER | WIRE_CRITICAL, "k8s_ab");
	assert_int_equal(wire_end(&buf), 0);
	assert_int_equal(buf.len, sizeof(expected));
	assert_memory_equal(buf.data, expected, sizeof(expected));
}

static void test_limits(void **state)
{
	AUTO_BUF struct buf buf = BUF_MAX(64);
	char big[64] = "";

	wire_begin(&buf, WIRE_LOGIN);
	wire_add(&buf, WIRE_CREDENTIAL, big, sizeof(big));
	assert_int_equal(wire_end(&buf), -EMSGSIZE);
	assert_int_equal(wire_frame_len("\x04\0\0", 3, 100), 0);
	assert_int_equal(wire_frame_len("\x04\0\0\0", 4, 100), 8);
	assert_int_equal(wire_frame_len("\x03\0\0\0", 4, 100), -EMSGSIZE);
	assert_int_equal(wire_frame_len("\x60\0\0\0", 4, 100), 100);
	assert_int_equal(wire_frame_len("\x61\0\0\0", 4, 100), -EMSGSIZE);
	assert_int_equal(wire_frame_len("\xff\xff\xff\xff", 4, WIRE_HELPER_MAX), -EMSGSIZE);
	assert_int_equal(wire_frame_len("\xff\xff\xff\xff", 4, 3), -EMSGSIZE);
}

static void test_unknown_items(void **state)
{
	AUTO_BUF struct buf buf = { 0 };
	AUTO_FREE char *user = NULL;
	struct wire_frame frame;
	const char *why;

	wire_begin(&buf, WIRE_LOGIN);
	wire_add_str(&buf, 999, "from the future");
	wire_add_str(&buf, 999, "twice");
	wire_add_str(&buf, 0, "not given to anything");
	wire_add_str(&buf, WIRE_USER, "k8s_a_b");
	assert_int_equal(wire_end(&buf), 0);
	assert_int_equal(parse(&buf, &frame, &why), 0);
	user = wire_get_str(&frame, WIRE_USER);
	assert_string_equal(user, "k8s_a_b");
	buf_free(&buf);

	wire_begin(&buf, WIRE_LOGIN);
	wire_add_str(&buf, WIRE_USER, "k8s_a_b");
	wire_add_str(&buf, 999 | WIRE_CRITICAL, "you must know this");
	assert_refused(&buf, "unknown critical item");
	wire_begin(&buf, WIRE_LOGIN);
	wire_add_str(&buf, WIRE_CRITICAL, "not given to anything");
	assert_refused(&buf, "unknown critical item");
}

static void test_repeats(void **state)
{
	AUTO_BUF struct buf buf = { 0 };
	struct wire_frame frame;
	struct wire_item item;
	const char *why;
	unsigned n = 0;

	wire_begin(&buf, WIRE_OPEN | WIRE_REPLY);
	for (int i = 0; i < 3; i++) {
		wire_add_str(&buf, WIRE_ENV, "A=b");
		wire_add_u32(&buf, WIRE_GROUP, 10001);
		add_file(&buf, "token", "x");
	}
	assert_int_equal(wire_end(&buf), 0);
	assert_int_equal(parse(&buf, &frame, &why), 0);
	for (size_t at = 0; wire_next(&frame, &at, &item);)
		n++;
	assert_int_equal(n, 9);
	buf_free(&buf);

	wire_begin(&buf, WIRE_LOGIN);
	wire_add_str(&buf, WIRE_USER, "a");
	wire_add_str(&buf, WIRE_USER | WIRE_CRITICAL, "b");
	assert_refused(&buf, "item given twice");
	wire_begin(&buf, WIRE_CLOSE);
	wire_add_str(&buf, WIRE_SESSION, "a");
	wire_add_str(&buf, WIRE_SESSION, "b");
	assert_refused(&buf, "item given twice");

	wire_begin(&buf, WIRE_HELPER_LIST | WIRE_REPLY);
	wire_add_str(&buf, WIRE_SESSION, "a");
	wire_add_str(&buf, WIRE_SESSION, "b");
	assert_int_equal(wire_end(&buf), 0);
	assert_int_equal(parse(&buf, &frame, &why), 0);
}

static void test_bad_values(void **state)
{
	AUTO_BUF struct buf buf = { 0 };
	static const struct {
		uint16_t tag;
		size_t len;
		const char *value;
	} rows[] = {
		{ WIRE_USER, 3, "a\0b" },
		{ WIRE_USER, 2, "\xc3\x28" },
		{ WIRE_USER, 2, "\xc0\x80" },
		{ WIRE_RHOST, 3, "\xed\xa0\x80" },
		{ WIRE_HANDLE, 1, "\xff" },
		{ WIRE_ENV, 4, "A=\0b" },
		{ WIRE_UID, 3, "abc" },
		{ WIRE_STATUS, 5, "abcde" },
		{ WIRE_FILE, 1, "\x01" },
		{ WIRE_FILE, 2, "\0\0" },
		{ WIRE_FILE, 4, "\x03\0ab" },
		{ WIRE_FILE, 5, "\x02\0a\0b" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		wire_begin(&buf, WIRE_LOGIN);
		wire_add(&buf, rows[i].tag, rows[i].value, rows[i].len);
		assert_refused(&buf, "malformed item value");
	}
}

/* Every prefix of a frame, and every frame with one byte of its header or first item changed, is refused or whole. */
static void test_bad_frames(void **state)
{
	AUTO_BUF struct buf buf = { 0 };
	struct wire_frame frame;
	const char *why;

	wire_begin(&buf, WIRE_LOOKUP);
	wire_add_str(&buf, WIRE_USER, "k8s_a_b");
	assert_int_equal(wire_end(&buf), 0);
	for (size_t len = 0; len < buf.len; len++) {
		why = NULL;
		assert_int_equal(wire_parse(buf.data, len, &frame, &why), -EPROTO);
		assert_non_null(why);
	}
	buf.data[4] = 2;
	assert_int_equal(parse(&buf, &frame, &why), -EPROTO);
	assert_string_equal(why, "unknown protocol version");
	buf.data[4] = WIRE_VERSION;
	buf.data[6] = 1;
	assert_int_equal(parse(&buf, &frame, &why), -EPROTO);
	assert_string_equal(why, "reserved field is not zero");
	buf.data[6] = 0;
	buf.data[11] = 1;
	assert_int_equal(parse(&buf, &frame, &why), -EPROTO);
	assert_string_equal(why, "reserved field is not zero");
	buf.data[11] = 0;
	for (int byte = 12; byte < 16; byte++) {
		char saved = buf.data[byte];

		buf.data[byte] = (char)0xff;
		assert_int_equal(parse(&buf, &frame, &why), -EPROTO);
		assert_string_equal(why, "item runs past the end of the frame");
		buf.data[byte] = saved;
	}
	assert_int_equal(parse(&buf, &frame, &why), 0);
}

static void test_too_many_items(void **state)
{
	AUTO_BUF struct buf buf = { 0 };

	wire_begin(&buf, WIRE_OPEN | WIRE_REPLY);
	for (int i = 0; i <= WIRE_ITEMS_MAX; i++)
		wire_add_str(&buf, WIRE_ENV, "");
	assert_refused(&buf, "too many items");
}

static void test_describe(void **state)
{
	AUTO_BUF struct buf buf = { 0 };
	struct wire_frame frame;
	const char *why;
	char text[512], small[24];

	wire_begin(&buf, WIRE_LOGIN);
	wire_add_str(&buf, WIRE_USER, "k8s_a_b");
	wire_add_str(&buf, WIRE_SERVICE, "ss hd\n\x7f\xc3\xa4");
	wire_add_str(&buf, WIRE_CREDENTIAL, "eyJhbGci");
	wire_add_str(&buf, WIRE_HANDLE, "kept quiet");
	wire_add_str(&buf, WIRE_ENV, "VAULT_TOKEN=hvs.x");
	wire_add_str(&buf, WIRE_ENV, "no name here");
	add_file(&buf, "secrets/a/b", "hunter2");
	wire_add_str(&buf, 999, "what");
	assert_int_equal(wire_end(&buf), 0);
	assert_int_equal(parse(&buf, &frame, &why), 0);
	wire_describe(&frame, text, sizeof(text));
	assert_string_equal(text, "login user=k8s_a_b service=ss\\x20hd\\x0a\\x7f\\xc3\\xa4 credential=(8 bytes) "
				  "handle=(10 bytes) env=VAULT_TOKEN(17 bytes) env=(12 bytes) "
				  "file=secrets/a/b(20 bytes) item-999=(4 bytes)");
	wire_describe(&frame, small, sizeof(small));
	assert_string_equal(small, "login user=k8s_a_b...");
	buf_free(&buf);

	wire_begin(&buf, WIRE_LOGIN | WIRE_REPLY);
	wire_add_u32(&buf, WIRE_STATUS, WIRE_STATUS_NOT_OURS);
	wire_add_u32(&buf, WIRE_UID, 4000000000u);
	assert_int_equal(wire_end(&buf), 0);
	assert_int_equal(parse(&buf, &frame, &why), 0);
	wire_describe(&frame, text, sizeof(text));
	assert_string_equal(text, "login-reply status=(not ours) uid=4000000000");
	assert_string_equal(wire_status_name(77), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_unknown_items),
		cmocka_unit_test(test_repeats),
		cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_bad_frames),
		cmocka_unit_test(test_too_many_items),
		cmocka_unit_test(test_describe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
