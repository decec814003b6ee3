/* SPDX-License-Identifier: Apache-2.0 */
/* Vault's limits for custom metadata, which secrets and aliases have. */
#include "vault/embedded/custom_metadata.h"

#include "base/buf.h"

#define KEYS_MAX      64
#define KEY_LEN_MAX   128
#define VALUE_LEN_MAX 512
#define FAILED	      "custom_metadata validation failed: "

/* What people can see: neither control nor format characters, nor blanks other than the plain one. TEXT is UTF-8. */
static bool printable(const char *text)
{
	static const struct {
		unsigned first, last;
	} hidden[] = { { 0, 0x1f }, { 0x7f, 0xa0 }, { 0xad, 0xad }, { 0x1680, 0x1680 }, { 0x180e, 0x180e },
		{ 0x2000, 0x200f }, { 0x2028, 0x202f }, { 0x205f, 0x206f }, { 0x3000, 0x3000 }, { 0xe000, 0xf8ff },
		{ 0xfeff, 0xfeff }, { 0xfff0, 0xfffb }, { 0xffff, 0xffff }, { 0xe0000, 0x10ffff } };

	for (const unsigned char *at = (const unsigned char *)text; *at;) {
		unsigned more = *at < 0x80 ? 0 : *at < 0xe0 ? 1 : *at < 0xf0 ? 2 : 3;
		unsigned rune = more ? *at & (0x3fu >> more) : *at;

		for (at++; more && *at; more--)
			rune = rune << 6 | (*at++ & 0x3f);
		for (size_t i = 0; i < ARRAY_SIZE(hidden); i++) {
			if (rune >= hidden[i].first && rune <= hidden[i].last)
				return false;
		}
	}
	return true;
}

/* The errors of one member, one per line of Vault's multi-error. */
static void check_member(const char *key, const char *value, struct buf *faults, unsigned *n)
{
	json_auto_t *name = json_string(key);
	char *quoted AUTO_FREE = json_dumps(name, JSON_ENCODE_ANY);

	if (strlen(key) == 0 || strlen(key) > KEY_LEN_MAX) {
		buf_printf(faults, "\t* " FAILED "length of key %s is %zu but must be 0 < len(key) <= %d\n",
		    quoted ? quoted : "", strlen(key), KEY_LEN_MAX);
		++*n;
	}
	if (!printable(key)) {
		buf_printf(
		    faults, "\t* " FAILED "key %s (%s) contains unprintable characters\n", quoted ? quoted : "", key);
		++*n;
	}
	if (strlen(value) == 0 || strlen(value) > VALUE_LEN_MAX) {
		buf_printf(faults, "\t* " FAILED "length of value for key %s is %zu but must be 0 < len(value) <= %d\n",
		    quoted ? quoted : "", strlen(value), VALUE_LEN_MAX);
		++*n;
	}
	if (!printable(value)) {
		buf_printf(
		    faults, "\t* " FAILED "value for key %s contains unprintable characters\n", quoted ? quoted : "");
		++*n;
	}
}

int custom_metadata_check(struct call *call, const json_t *metadata, int status)
{
	struct buf faults AUTO_BUF = BUF_MAX(256 * 1024);
	json_t *value;
	const char *key;
	unsigned n = 0;

	if (json_object_size(metadata) > KEYS_MAX) {
		buf_printf(&faults, "\t* " FAILED "payload must contain at most %d keys, provided %zu\n", KEYS_MAX,
		    json_object_size(metadata));
		n = 1;
	} else {
		json_object_foreach((json_t *)(uintptr_t)metadata, key, value)
		{
			if (!json_is_null(value)) /* of a patch: removes the key */
				check_member(key, json_string_value(value), &faults, &n);
		}
	}
	if (n == 0)
		return 0;
	call_error(call, status, "%u error%s occurred:\n%s\n", n, n == 1 ? "" : "s", faults.data ? faults.data : "");
	return 1;
}
