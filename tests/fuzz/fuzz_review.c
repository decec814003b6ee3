/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of an API server that is not what it should be. First byte: HTTP status (200 + n), second: bit 0 audiences,
 * bit 1 self. */
#include <stdint.h>

#include "kube/names.h"
#include "kube/review.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const wanted[] = { "a", "b", NULL };
	struct exchange_result result = { 0 };
	struct answer answer;
	bool found = false;

	if (size < 2)
		return 0;
	result.status = 200 + data[0];
	result.body = (const char *)data + 2;
	result.len = size - 2;
	answer_judge(&answer, &result, data[1] & 1 ? wanted : NULL, data[1] & 2);
	if (answer.review.verdict != KUBE_OK) {
		if (!answer.review.reason[0])
			abort();
		answer_clear(&answer);
		return 0;
	}
	/* Whatever was sent: a yes names an account, and one of the audiences that were asked for. */
	for (const char *const *each = answer.review.audiences; *each; each++)
		found = found || streq(*each, "a") || streq(*each, "b");
	if (result.status > 206 || ((data[1] & 1) && !found) || !answer.review.uid[0] ||
	    !kube_namespace_valid(answer.review.namespace_name) || !kube_name_valid(answer.review.service_account))
		abort();
	answer_clear(&answer);
	return 0;
}
