/* SPDX-License-Identifier: Apache-2.0 */
/* Vault's limits for custom metadata, which secrets and aliases have. */
#include "vault/embedded/custom_metadata.h"

#include "base/buf.h"
#include "base/text.h"
#include "vault/embedded/go_text.h"

#define KEYS_MAX      64
#define KEY_LEN_MAX   128
#define VALUE_LEN_MAX 512
#define FAILED	      "custom_metadata validation failed: "

/* The errors of one member, one per line of Vault's multi-error. */
static void check_member(const char *key, const char *value, struct buf *faults, unsigned *n)
{
	struct buf quoted AUTO_BUF = BUF_MAX(4 * KEY_LEN_MAX * 1024);

	go_quote(&quoted, key);
	if (strlen(key) == 0 || strlen(key) > KEY_LEN_MAX) {
		buf_printf(faults, "\t* " FAILED "length of key %s is %zu but must be 0 < len(key) <= %d\n",
		    quoted.data, strlen(key), KEY_LEN_MAX);
		++*n;
	}
	if (!utf8_printable(key)) {
		buf_printf(faults, "\t* " FAILED "key %s (%s) contains unprintable characters\n", quoted.data, key);
		++*n;
	}
	if (strlen(value) == 0 || strlen(value) > VALUE_LEN_MAX) {
		buf_printf(faults, "\t* " FAILED "length of value for key %s is %zu but must be 0 < len(value) <= %d\n",
		    quoted.data, strlen(value), VALUE_LEN_MAX);
		++*n;
	}
	if (!utf8_printable(value)) {
		buf_printf(faults, "\t* " FAILED "value for key %s contains unprintable characters\n", quoted.data);
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
