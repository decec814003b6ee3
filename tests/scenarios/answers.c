/* SPDX-License-Identifier: Apache-2.0 */
/* What is answered in scenarios: tokens, parts of them, and other texts. */
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "scenario.h"

/* A token of SIZE bytes, RS256; its payload is the letter A, which is as good as any here. */
static char *make_token(size_t size)
{
	static const unsigned char signature[256];
	char header[64], header64[96], sig64[base64url_size(sizeof(signature))];
	size_t payload = 1;
	char *token = NULL, *filling;

	base64url_encode(signature, sizeof(signature), sig64);
	for (int kid = 1; payload % 4 == 1; kid *= 10) {
		snprintf(header, sizeof(header), "{\"alg\":\"RS256\",\"kid\":\"%d\"}", kid);
		base64url_encode(header, strlen(header), header64);
		payload = size - strlen(header64) - strlen(sig64) - 2;
	}
	if (payload > size)
		return NULL;
	filling = malloc(payload + 1);
	memset(filling, 'A', payload);
	filling[payload] = '\0';
	if (asprintf(&token, "%s.%s.%s", header64, filling, sig64) < 0)
		token = NULL;
	free(filling);
	return token;
}

static char *slice(const char *text, size_t at, size_t len)
{
	return at > strlen(text) ? NULL : strndup(text + at, len);
}

/* Part I of N, cut as k8sauth-askpass does. */
static char *make_part(const char *which, size_t size)
{
	AUTO_FREE char *token = make_token(size);
	AUTO_FREE char *text = NULL;
	char *part = NULL;
	unsigned i, n;

	if (!token || sscanf(which, "%u/%u", &i, &n) != 2 || i == 0)
		return NULL;
	text = slice(token, (i - 1) * 990ul, 990);
	if (!text || asprintf(&part, "k1:%u/%u:%s", i, n, text) < 0)
		return NULL;
	return part;
}

char *scenario_answer(const struct list *words, size_t at)
{
	const char *kind = words->items[at];
	char *const *w = words->items + at;
	size_t n = words->n - at;

	if (streq(kind, "text") && n == 2)
		return strdup(w[1]);
	if (streq(kind, "token") && n == 2)
		return make_token(strtoul(w[1], NULL, 10));
	if (streq(kind, "cut") && n == 4) {
		AUTO_FREE char *token = make_token(strtoul(w[3], NULL, 10));

		return token ? slice(token, 0, strtoul(w[1], NULL, 10)) : NULL;
	}
	if (streq(kind, "part") && n == 4)
		return make_part(w[1], strtoul(w[3], NULL, 10));
	if (streq(kind, "fill") && n == 3) {
		size_t count = strtoul(w[2], NULL, 10);
		char *text = calloc(1, count + 1);

		memset(text, w[1][0], count);
		return text;
	}
	return NULL;
}
