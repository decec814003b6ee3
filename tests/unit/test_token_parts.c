/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of tokens and KV that need no store: expiry heap, CIDRs, TTL arithmetic, times, values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <errno.h>
#include <cmocka.h>

#include "vault/embedded/auth_token/cidr.h"
#include "vault/embedded/auth_token/expiry_heap.h"
#include "vault/embedded/auth_token/ttl.h"
#include "vault/embedded/kv/kv.h"
#include "vault/embedded/nanotime.h"

#define KEYS 3000

/* Keys that crowd into few slots, so that probing and closing gaps are met. */
static void make_key(unsigned i, unsigned char key[static EXPIRY_KEY_LEN])
{
	memset(key, 0, EXPIRY_KEY_LEN);
	key[0] = (unsigned char)(i % 61);
	key[30] = (unsigned char)(i >> 8);
	key[31] = (unsigned char)i;
}

static void check_heap(const struct expiry_heap *heap, const int64_t *expected, size_t n)
{
	assert_int_equal(heap->n, n);
	for (size_t i = 0; i < heap->n; i++) {
		const struct expiry_item *item = &heap->items[i];
		unsigned id = (unsigned)item->key[30] << 8 | item->key[31];

		assert_int_equal(item->at, expected[id]);
		assert_int_equal(heap->slots[item->slot], i + 1);
		if (i)
			assert_true(heap->items[(i - 1) / 2].at <= item->at);
	}
}

static void test_heap_against_reference(void **state)
{
	struct expiry_heap heap = { 0 };
	int64_t expected[KEYS] = { 0 };
	unsigned char key[EXPIRY_KEY_LEN];
	int64_t last = 0;
	size_t n = 0;
	unsigned random = 12345;

	for (unsigned step = 0; step < 20000; step++) {
		unsigned id;

		random = random * 1103515245u + 12345u;
		id = (random >> 8) % KEYS;
		make_key(id, key);
		random = random * 1103515245u + 12345u;
		if ((random >> 8) % 3 == 0) {
			n -= expected[id] != 0;
			expected[id] = 0;
			expiry_heap_drop(&heap, key);
		} else {
			n += expected[id] == 0;
			expected[id] = 1 + (random >> 8) % 1000;
			assert_int_equal(expiry_heap_set(&heap, key, expected[id]), 0);
		}
		if (step % 500 == 0)
			check_heap(&heap, expected, n);
	}
	check_heap(&heap, expected, n);
	while (heap.n) {
		assert_true(heap.items[0].at >= last);
		last = heap.items[0].at;
		memcpy(key, heap.items[0].key, sizeof(key));
		expiry_heap_drop(&heap, key);
	}
	expiry_heap_free(&heap);
}

static void test_heap_empty(void **state)
{
	struct expiry_heap heap = { 0 };
	unsigned char key[EXPIRY_KEY_LEN] = { 1 };

	expiry_heap_drop(&heap, key);
	assert_int_equal(heap.n, 0);
	expiry_heap_free(&heap);
}

static void test_cidrs(void **state)
{
	static const struct {
		const char *cidr, *address;
		bool match;
	} rows[] = {
		{ "10.0.0.0/8", "10.200.3.4", true },
		{ "10.0.0.0/8", "11.0.0.1", false },
		{ "127.0.0.1", "127.0.0.1", true },
		{ "127.0.0.1", "127.0.0.2", false },
		{ "127.0.0.1/32", "127.0.0.1", true },
		{ "192.168.5.129/25", "192.168.5.200", true },
		{ "192.168.5.129/25", "192.168.5.100", false },
		{ "0.0.0.0/0", "8.8.8.8", true },
		{ "0.0.0.0/0", "::1", false },
		{ "::/0", "8.8.8.8", false },
		{ "::/0", "fe80::1", true },
		{ "::1", "::1", true },
		{ "fe80::/10", "febf::1", true },
		{ "fe80::/10", "fec0::1", false },
		{ "2001:db8:1:2::/63", "2001:db8:1:3::9", true },
		{ "10.0.0.0/8", "::ffff:10.1.1.1", true },
		{ "::ffff:10.0.0.0/104", "10.1.1.1", true },
		{ "::ffff:10.0.0.0/8", "10.1.1.1", false },
		{ "10.0.0.0/33", "10.0.0.0", false },
		{ "10.0.0.0/", "10.0.0.0", false },
		{ "10.0.0.0/-1", "10.0.0.0", false },
		{ "10.0.0.0/8x", "10.0.0.0", false },
		{ "x/99", "10.0.0.1", false },
		{ "/run/socket", "", false },
		{ "10.0.0.0/8", "", false },
		{ "10.0.0.0/8", "10.0.0.1:443", false },
		{ "localhost", "127.0.0.1", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_auto_t *list = json_pack("[s, i, s]", "203.0.113.9", 5, rows[i].cidr);

		if (cidrs_match(list, rows[i].address) != rows[i].match)
			fail_msg("%s against %s", rows[i].address, rows[i].cidr);
	}
	assert_false(cidrs_match(NULL, "10.0.0.1"));
}

#define H     3600
#define MONTH 2764800

static const struct {
	int64_t increment, ttl, max, explicit_max, period, mount_max, age, expected;
	const char *warning;
} ttl_rows[] = {
	{ 0, 0, 0, 0, 0, MONTH, 0, MONTH, NULL },
	{ 0, H, 0, 0, 0, MONTH, 0, H, NULL },
	{ 0, 1000 * H, 0, 0, 0, MONTH, 0, MONTH,
	    "TTL of \"1000h\" exceeded the effective max_ttl of \"768h\"; TTL value is capped accordingly" },
	{ 0, 0, 5400, 0, 0, MONTH, 0, 5400,
	    "TTL of \"768h\" exceeded the effective max_ttl of \"1h30m\"; TTL value is capped accordingly" },
	{ 0, 0, 1000 * H, 0, 0, MONTH, 0, MONTH, NULL },
	{ 0, 1200, 0, 1800, 0, MONTH, 0, 1200, NULL },
	{ 0, 0, 0, 1800, 0, MONTH, 0, 1800,
	    "TTL of \"768h\" exceeded the effective max_ttl of \"30m\"; TTL value is capped accordingly" },
	{ 0, 0, 0, 0, H, MONTH, 0, H, NULL },
	{ 5, 0, 0, 0, H, MONTH, 100000, H, NULL },
	{ 0, 0, 0, 0, 1000 * H, MONTH, 0, MONTH,
	    "period of \"1000h\" exceeded the effective max_ttl of \"768h\"; period value is capped "
	    "accordingly" },
	{ 0, 0, 0, 1800, H, MONTH, 0, 1800,
	    "period of \"1h\" exceeded the effective max_ttl of \"30m\"; period value is capped accordingly" },
	{ 0, 0, 1800, 0, H, MONTH, 0, 1800,
	    "period of \"1h\" exceeded the effective max_ttl of \"30m\"; period value is capped accordingly" },
	{ 6000, H, 5400, 0, 0, MONTH, 1, 5399,
	    "TTL of \"1h40m\" exceeded the effective max_ttl of \"1h29m59s\"; TTL value is capped "
	    "accordingly" },
	{ 4800, H, 5400, 0, 0, MONTH, 0, 4800, NULL },
	{ 0, 2, 2, 0, 0, MONTH, 2, -ERANGE, NULL },
	{ 0, 2, 2, 0, 0, MONTH, 1, 1,
	    "TTL of \"2s\" exceeded the effective max_ttl of \"1s\"; TTL value is capped accordingly" },
	{ 0, 0, 0, 2, 2, MONTH, 2, -ERANGE, NULL },
	{ 0, 11 * H, 0, 0, 0, 10 * H, 0, 10 * H,
	    "TTL of \"11h\" exceeded the effective max_ttl of \"10h\"; TTL value is capped accordingly" },
	{ INT64_MAX, 0, 0, 0, 0, INT64_MAX, 0, NANOTIME_LIFE_MAX, NULL },
};

static void test_ttl(void **state)
{
	int64_t issued = INT64_C(1795568983) * NANOTIME_SECOND + 900000000;

	for (size_t i = 0; i < ARRAY_SIZE(ttl_rows); i++) {
		struct vault_response *response = vault_response_new();
		struct token_life life = { .increment = ttl_rows[i].increment,
			.ttl = ttl_rows[i].ttl,
			.max_ttl = ttl_rows[i].max,
			.explicit_max_ttl = ttl_rows[i].explicit_max,
			.period = ttl_rows[i].period,
			.mount_ttl = MONTH,
			.mount_max = ttl_rows[i].mount_max,
			.issued = issued };
		const char *warning;
		int64_t ttl = 0;
		int r = token_ttl(&life, issued + ttl_rows[i].age * NANOTIME_SECOND, response, &ttl);

		assert_int_equal(r < 0 ? r : ttl, ttl_rows[i].expected);
		warning = json_string_value(json_array_get(response->warnings, 0));
		if (ttl_rows[i].warning)
			assert_string_equal(warning, ttl_rows[i].warning);
		else if (r == 0)
			assert_null(warning);
		vault_response_free(response);
	}
}

static void test_nanotime(void **state)
{
	char text[NANOTIME_SIZE];

	nanotime_format(INT64_C(1795568810) * NANOTIME_SECOND + 427059021, text);
	assert_string_equal(text, "2026-11-25T01:06:50.427059021Z");
	nanotime_format(INT64_C(1795568810) * NANOTIME_SECOND + 40000000, text);
	assert_string_equal(text, "2026-11-25T01:06:50.04Z");
	nanotime_format(INT64_C(1795568810) * NANOTIME_SECOND, text);
	assert_string_equal(text, "2026-11-25T01:06:50Z");
	assert_int_equal(nanotime_after(5, -1), 5);
	assert_int_equal(nanotime_after(5, INT64_MAX), 5 + NANOTIME_LIFE_MAX * NANOTIME_SECOND);
}

static void check_json(json_t *value, const char *expected)
{
	json_auto_t *owned = value;
	char *text AUTO_FREE = json_dumps(owned, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);

	assert_non_null(text);
	assert_string_equal(text, expected);
}

static json_t *parse(const char *text)
{
	return json_loads(text, JSON_DECODE_ANY, NULL);
}

static void test_normalize(void **state)
{
	json_auto_t *in = parse("{\"a\":12345678901234567,\"b\":[1000.0,1.5,-0.0,{\"c\":null}],\"d\":true,\"e\":\"x\","
				"\"f\":9007199254740992,\"g\":1e21,\"h\":9223372036854775807,\"i\":1234567890123456789,"
				"\"j\":-9007199254740993,\"k\":9223372036854774784,\"l\":1e18}");

	check_json(kv_normalize(in), "{\"a\":12345678901234568,\"b\":[1000,1.5,0,{\"c\":null}],\"d\":true,\"e\":\"x\","
				     "\"f\":9007199254740992,\"g\":1e21,\"h\":9.2233720368547758e18,"
				     "\"i\":1234567890123456800,\"j\":-9007199254740992,\"k\":9223372036854775000,"
				     "\"l\":1000000000000000000}");
}

static void test_merge(void **state)
{
	/* Appendix A of RFC 7396. */
	static const char *const rows[][3] = {
		{ "{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
		{ "{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}" },
		{ "{\"a\":\"b\"}", "{\"a\":null}", "{}" },
		{ "{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}" },
		{ "{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
		{ "{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}" },
		{ "{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}" },
		{ "{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}" },
		{ "[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]" },
		{ "{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]" },
		{ "{\"a\":\"foo\"}", "null", "null" },
		{ "{\"e\":null}", "{\"a\":1}", "{\"a\":1,\"e\":null}" },
		{ "[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}" },
		{ "{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_auto_t *target = parse(rows[i][0]), *patch = parse(rows[i][1]);

		check_json(kv_merge(target, patch), rows[i][2]);
		check_json(json_incref(target), rows[i][0]);
	}
}

static void test_subkeys(void **state)
{
	json_auto_t *data = parse("{\"a\":1,\"b\":{\"c\":{\"d\":1},\"e\":[1]},\"n\":null,\"z\":{}}");

	check_json(kv_subkeys(data, 0), "{\"a\":null,\"b\":{\"c\":{\"d\":null},\"e\":null},\"n\":null,\"z\":null}");
	check_json(kv_subkeys(data, 1), "{\"a\":null,\"b\":null,\"n\":null,\"z\":null}");
	check_json(kv_subkeys(data, -3), "{\"a\":null,\"b\":null,\"n\":null,\"z\":null}");
	check_json(kv_subkeys(data, 2), "{\"a\":null,\"b\":{\"c\":null,\"e\":null},\"n\":null,\"z\":null}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heap_against_reference),
		cmocka_unit_test(test_heap_empty),
		cmocka_unit_test(test_cidrs),
		cmocka_unit_test(test_ttl),
		cmocka_unit_test(test_nanotime),
		cmocka_unit_test(test_normalize),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_subkeys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
