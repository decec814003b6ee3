/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to the prompt, one per line: whatever comes, the token stays within its bounds and is whole when it is said
 * to be. */
#include <stdint.h>

#include "module/credential.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct credential credential = CREDENTIAL_INIT;
	enum credential_verdict verdict = CREDENTIAL_MORE;
	const char *at = (const char *)data;
	unsigned answers = 0;

	while (verdict == CREDENTIAL_MORE && size > 0) {
		const char *end = memchr(at, '\n', size);
		size_t len = end ? (size_t)(end - at) : size;
		/* Of its own size, so that a read behind it is seen. */
		AUTO_FREE char *answer = malloc(len ? len : 1);

		if (len > 0)
			memcpy(answer, at, len);
		(void)credential_looks_ours(answer, len);
		verdict = credential_add(&credential, answer, len);
		if (!credential_verdict_text(verdict) || ++answers > CREDENTIAL_PARTS)
			abort();
		at += end ? len + 1 : len;
		size -= end ? len + 1 : len;
	}
	if (credential.text.len > CREDENTIAL_MAX || credential.have > credential.parts)
		abort();
	if (verdict == CREDENTIAL_COMPLETE && !credential_is_whole(credential.text.data, credential.text.len))
		abort();
	buf_free(&credential.text);
	return 0;
}
