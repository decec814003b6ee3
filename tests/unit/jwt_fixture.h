/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of kube/jwt share: tokens in pieces. */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"
#include "kube/jwt.h"

#define NOW    1700000000
#define HEADER "{\"alg\":\"RS256\",\"kid\":\"k1\"}"
#define ACCOUNT                                                                                                  \
	"\"kubernetes.io\":{\"namespace\":\"ns\",\"serviceaccount\":{\"name\":\"sa\",\"uid\":\"u-1\"},\"pod\":{" \
	"\"name\":\"p-0\"},\"node\":{\"name\":\"n-1\"}}"
#define GOOD                  \
	"{\"iss\":\"https://" \
	"k\",\"aud\":[\"a\",\"b\"],\"exp\":1700000600,\"iat\":1700000000,\"nbf\":1700000000," ACCOUNT "}"

static inline void add_base64url(struct buf *buf, const void *data, size_t len)
{
	char text[base64url_size(1 << 14)];

	assert_true(len <= 1 << 14);
	base64url_encode(data, len, text);
	buf_add_str(buf, text);
}

static inline struct secret *secret_of(struct buf *buf)
{
	struct secret *secret = secret_copy(buf->data, buf->len);

	assert_false(buf->failed);
	assert_non_null(secret);
	return secret;
}
