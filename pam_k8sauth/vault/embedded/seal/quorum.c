/* SPDX-License-Identifier: Apache-2.0 */
/* Shares that are collected; see quorum.h. */
#include "vault/embedded/seal/quorum.h"

#include <errno.h>

#include "vault/embedded/go_text.h"
#include "vault/embedded/seal/shamir.h"

#define TEXT_MAX 1024 /* characters of a share */

/* In the one secret that holds them all. */
struct part {
	uint8_t len;
	uint8_t bytes[KEY_SHARE_MAX];
};

int key_text_decode(const char *text, struct secret **ret)
{
	size_t len = strlen(text), n = 0;
	uint8_t bytes[GO_BASE64_SIZE(TEXT_MAX)];
	ssize_t hex;

	if (len > TEXT_MAX)
		return -EINVAL;
	hex = hex_decode(text, len, bytes, KEY_SHARE_MAX);
	if (hex >= KEY_SHARE_MIN)
		n = (size_t)hex;
	else if (go_base64_decode(text, bytes, &n) >= 0)
		n = 0;
	*ret = n ? secret_copy(bytes, n) : NULL;
	wipe(bytes, sizeof(bytes));
	return *ret ? 0 : n ? -ENOMEM : -EINVAL;
}

static struct part *parts_of(const struct quorum *quorum)
{
	return (struct part *)(void *)secret_reveal(quorum->parts);
}

int quorum_add(struct quorum *quorum, const struct secret *part)
{
	size_t len = secret_len(part);

	if (len > KEY_SHARE_MAX || quorum->n >= SHAMIR_SHARES_MAX)
		return -ENOSPC;
	if (!quorum->parts)
		quorum->parts = secret_new(SHAMIR_SHARES_MAX * sizeof(struct part));
	if (!quorum->parts)
		return -ENOMEM;
	for (size_t i = 0; i < quorum->n; i++)
		if (parts_of(quorum)[i].len == len &&
		    equal_constant_time(parts_of(quorum)[i].bytes, secret_reveal(part), len))
			return 0;
	parts_of(quorum)[quorum->n].len = (uint8_t)len;
	memcpy(parts_of(quorum)[quorum->n].bytes, secret_reveal(part), len);
	quorum->n++;
	return 1;
}

void quorum_forget(struct quorum *quorum)
{
	secret_free(quorum->parts);
	quorum->parts = NULL;
	quorum->n = 0;
}

void quorum_end(struct quorum *quorum)
{
	quorum_forget(quorum);
	quorum->nonce[0] = '\0';
}

static int combine(const struct quorum *quorum, struct secret **ret, const char **ret_why)
{
	const struct part *parts = parts_of(quorum);
	size_t len = parts[0].len;
	struct secret *shares AUTO_SECRET = NULL, *key AUTO_SECRET = NULL;
	int r;

	*ret_why = "all parts must be the same length";
	for (size_t i = 1; i < quorum->n; i++)
		if (parts[i].len != len)
			return -EINVAL;
	shares = secret_new(quorum->n * len);
	key = secret_new(len - 1);
	*ret_why = "no memory";
	if (!shares || !key)
		return -ENOMEM;
	for (size_t i = 0; i < quorum->n; i++)
		memcpy(secret_reveal(shares) + i * len, parts[i].bytes, len);
	*ret_why = "duplicate part detected";
	r = shamir_combine(
	    (const uint8_t *)secret_reveal(shares), quorum->n, len, (uint8_t *)secret_reveal(key));
	if (r == 0)
		*ret = TAKE_PTR(key);
	return r;
}

int quorum_combine(struct quorum *quorum, struct secret **ret, const char **ret_why)
{
	int r;

	*ret_why = "no memory";
	if (quorum->n == 1) {
		*ret = secret_copy(parts_of(quorum)[0].bytes, parts_of(quorum)[0].len);
		r = *ret ? 0 : -ENOMEM;
	} else {
		r = quorum->n ? combine(quorum, ret, ret_why) : -EINVAL;
	}
	quorum_forget(quorum);
	return r;
}
