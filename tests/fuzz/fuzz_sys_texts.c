/* SPDX-License-Identifier: Apache-2.0 */
/* Texts that sys/ reads by itself: base64 for a digest, the path that a mount is moved to. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "vault/embedded/go_text.h"
#include "vault/embedded/sys/sys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is read comes back when it is written and read again; a fault lies inside the text or at its end. */
static void check_base64(const char *text)
{
	size_t len = strlen(text), decoded_len, again_len;
	uint8_t *decoded = malloc(GO_BASE64_SIZE(len)), *again;
	ssize_t fault = go_base64_decode(text, decoded, &decoded_len);
	char *encoded;

	if (fault >= 0) {
		if ((size_t)fault > len)
			abort();
		fault = go_base64_decode_unpadded(text, decoded, &decoded_len);
		if (fault >= 0 ? (size_t)fault > len : decoded_len > len)
			abort();
		free(decoded);
		return;
	}
	encoded = malloc(base64_size(decoded_len));
	again = malloc(GO_BASE64_SIZE(base64_size(decoded_len)));
	base64_encode(decoded, decoded_len, encoded);
	if (go_base64_decode(encoded, again, &again_len) >= 0 || again_len != decoded_len ||
	    memcmp(again, decoded, decoded_len) != 0)
		abort();
	free(encoded);
	free(again);
	free(decoded);
}

/* A clean path stays as it is, and has no part that a client would take away. */
static void check_path(const char *text)
{
	char *once = malloc(strlen(text) + 2), *twice;

	sys_clean_path(text, once);
	twice = malloc(strlen(once) + 2);
	sys_clean_path(once, twice);
	if (strcmp(once, ".") != 0 && (strcmp(once, twice) != 0 || strstr(once, "//") || *once == '/'))
		abort();
	free(once);
	free(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 2), *place;

	memcpy(text, data, size);
	text[size] = '\0';
	check_base64(text);
	place = malloc(strlen(text) + 2);
	strcpy(place, text);
	strcat(place, "/");
	check_path(place);
	free(place);
	free(text);
	return 0;
}
