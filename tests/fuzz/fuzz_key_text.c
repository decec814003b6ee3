/* SPDX-License-Identifier: Apache-2.0 */
/* Key shares as people bring them, one a line: read, collected, and combined. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "vault/embedded/seal/quorum.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), *rest = text, *line;
	struct secret *whole AUTO_SECRET = NULL;
	struct quorum quorum = { 0 };
	const char *why = NULL;

	while ((line = strsep(&rest, "\n"))) {
		struct secret *share AUTO_SECRET = NULL;

		if (key_text_decode(line, &share) == 0 && secret_len(share) >= KEY_SHARE_MIN &&
		    secret_len(share) <= KEY_SHARE_MAX && quorum_add(&quorum, share) == 1 &&
		    quorum_add(&quorum, share) != (quorum.n == 255 ? -ENOSPC : 0))
			abort();
	}
	if (quorum_combine(&quorum, &whole, &why) == 0 && secret_len(whole) > KEY_SHARE_MAX)
		abort();
	if (quorum.n || quorum.parts || !why)
		abort();
	free(text);
	return 0;
}
