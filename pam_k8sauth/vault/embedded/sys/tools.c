/* SPDX-License-Identifier: Apache-2.0 */
/* sys/tools: digests and random bytes for clients without tools of their own; policy "default" lets everybody ask. */
#include "vault/embedded/sys/sys.h"

#include <errno.h>
#include <openssl/evp.h>

#include "base/text.h"
#include "vault/embedded/go_text.h"

#define RANDOM_MAX (128 * 1024) /* bytes; Vault's */

/* --- in which form they come */

/* QUOTE is what Vault puts around a wrong one. 0, 1 after a refusal, or an errno. */
static int read_format(struct call *call, const char *format, const char *quote, bool *ret_hex)
{
	int r = call_field_string(call, "format", &format, NULL);

	if (r)
		return r;
	*ret_hex = streq(format, "hex");
	if (*ret_hex || streq(format, "base64"))
		return 0;
	call_error(
	    call, 400, "unsupported encoding format %s%s%s; must be \"hex\" or \"base64\"", quote, format, quote);
	return 1;
}

static int answer(struct call *call, const char *name, const uint8_t *bytes, size_t len, bool hex)
{
	char *text AUTO_WIPE_STR = malloc(hex ? len * 2 + 1 : base64_size(len));

	if (!text)
		return -ENOMEM;
	if (hex)
		hex_encode(bytes, len, text);
	else
		base64_encode(bytes, len, text);
	return call_data(call, json_pack("{s:s}", name, text));
}

/* --- hash */

static const EVP_MD *digest_of(const char *algorithm)
{
	static const struct {
		const char *name;
		const EVP_MD *(*digest)(void);
	} digests[] = {
		{ "sha2-224", EVP_sha224 },
		{ "sha2-256", EVP_sha256 },
		{ "sha2-384", EVP_sha384 },
		{ "sha2-512", EVP_sha512 },
		{ "sha3-224", EVP_sha3_224 },
		{ "sha3-256", EVP_sha3_256 },
		{ "sha3-384", EVP_sha3_384 },
		{ "sha3-512", EVP_sha3_512 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(digests); i++)
		if (streq(digests[i].name, algorithm))
			return digests[i].digest();
	return NULL;
}

int sys_tools_hash(struct call *call)
{
	const char *input = "", *algorithm = "sha2-256";
	uint8_t digest[EVP_MAX_MD_SIZE], *bytes AUTO_FREE = NULL;
	unsigned digest_len;
	size_t len = 0;
	ssize_t fault;
	bool hex;
	int r = call_field_string(call, "input", &input, NULL);

	if (r == 0)
		r = call_field_string(call, "algorithm", &algorithm, NULL);
	if (r)
		return r < 0 ? r : 0;
	if (*call_capture(call, "urlalgorithm"))
		algorithm = call_capture(call, "urlalgorithm");
	bytes = malloc(GO_BASE64_SIZE(strlen(input)));
	if (!bytes)
		return -ENOMEM;
	fault = go_base64_decode(input, bytes, &len);
	if (fault >= 0)
		return call_error(
		    call, 400, "unable to decode input as base64: illegal base64 data at input byte %zd", fault);
	r = read_format(call, "hex", "", &hex);
	if (r)
		return r < 0 ? r : 0;
	if (!digest_of(algorithm))
		return call_error(call, 400, "unsupported algorithm %s", algorithm);
	if (EVP_Digest(bytes, len, digest, &digest_len, digest_of(algorithm), NULL) != 1)
		return -EIO;
	return answer(call, "sum", digest, digest_len, hex);
}

/* --- random bytes */

/* How many: by path, else by field. 0, 1 after a refusal, or an errno. */
static int read_count(struct call *call, const char *in_path, size_t *ret)
{
	long long count = 32;
	char *end;
	int r = 0;

	if (*in_path) {
		count = strtoll(in_path, &end, 10);
		if (*end) {
			call_error(call, 400,
			    "error parsing url-set byte count: strconv.Atoi: parsing \"%s\": invalid syntax", in_path);
			return 1;
		}
	} else {
		r = call_field_int(call, "bytes", &count, NULL);
	}
	if (r)
		return r;
	if (count < 1)
		call_error(call, 400, "\"bytes\" cannot be less than 1");
	else if (count > RANDOM_MAX)
		call_error(call, 400, "\"bytes\" should be less than %d", RANDOM_MAX);
	else {
		*ret = (size_t)count;
		return 0;
	}
	return 1;
}

static bool is_source(const char *name)
{
	return streq(name, "platform") || streq(name, "seal") || streq(name, "all");
}

/* The kernel's is the only source here; Vault without a hardware module does the same. 0 or 1 after a refusal. */
static int check_source(struct call *call, const char *source)
{
	if (!is_source(source)) {
		call_error(call, 400, "unsupported entropy source \"%s\"; must be \"platform\" or \"seal\", or \"all\"",
		    source);
		return 1;
	}
	if (streq(source, "seal"))
		call_warn(call, "no seal/entropy augmentation available, using platform entropy source");
	return 0;
}

int sys_tools_random(struct call *call)
{
	const char *source = call_capture(call, "source"), *count_text = call_capture(call, "urlbytes");
	uint8_t *bytes AUTO_FREE = NULL;
	size_t count;
	bool hex;
	int r;

	if (!*source && json_object_get(call->request->data, "source"))
		call_warn(call, "Endpoint replaced the value of these parameters with the values captured from the "
				"endpoint's path: [source]");
	if (!*source && is_source(count_text)) {
		source = count_text;
		count_text = "";
	}
	r = read_count(call, count_text, &count);
	if (r == 0)
		r = read_format(call, "base64", "\"", &hex);
	if (r == 0)
		r = check_source(call, *source ? source : "platform");
	if (r)
		return r < 0 ? r : 0;
	bytes = malloc(count);
	if (!bytes)
		return -ENOMEM;
	random_bytes(bytes, count);
	return answer(call, "random_bytes", bytes, count, hex);
}
