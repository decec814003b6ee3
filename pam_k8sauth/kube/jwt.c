/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the three parts of a token; see jwt.h. Claims: jwt_claims.c, signatures: jwt_keys.c. */
#include "kube/jwt.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "k8sauth/limits.h"
#include "kube/jwt_claims.h"
#include "kube/strict_json.h"

#define JSON_DEPTH 16

void jwt_set_error(struct jwt_error *error, int status, const char *text, const char *reason_format, ...)
{
	va_list args;

	if (error->status)
		return;
	error->status = status;
	snprintf(error->text, sizeof(error->text), "%s", text);
	va_start(args, reason_format);
	vsnprintf(error->reason, sizeof(error->reason), reason_format, args);
	va_end(args);
}

/* Whatever is wrong with the form of a token, the client is told the same (3.2 step 7). */
static int malformed(struct jwt_error *ret_error, const char *reason)
{
	ret_error->status = 0;
	jwt_set_error(ret_error, 403, "permission denied", "error verifying token signature: %s", reason);
	return -EINVAL;
}

void jwt_free(struct jwt *jwt)
{
	if (!jwt)
		return;
	free(jwt->kid);
	json_decref(jwt->claims);
	free(jwt->issuer);
	for (char **audience = jwt->audiences; audience && *audience; audience++)
		free(*audience);
	free(jwt->audiences);
	free(jwt->namespace_name);
	free(jwt->service_account);
	free(jwt->service_account_uid);
	free(jwt->secret_name);
	free(jwt->pod_name);
	free(jwt->node_name);
	wipe_free(jwt->signed_part);
	wipe_free(jwt->signature);
	free(jwt);
}

static void cleanup_jwt(struct jwt **jwt)
{
	jwt_free(*jwt);
}

/* For pieces of a token in ordinary memory: a mapping of its own for each would cost more than reading the token. */
static void cleanup_wiped(char **text)
{
	wipe_free(*text);
}

struct part {
	char *text;
	size_t len;
};

/* Cuts TEXT at its dots. False unless there are exactly three parts. */
static bool split(char *text, size_t len, bool loose, struct part parts[3])
{
	char *end = text + len;

	for (size_t i = 0; i < 3; i++) {
		char *dot = memchr(text, '.', (size_t)(end - text));

		if ((dot == NULL) != (i == 2))
			return false;
		parts[i].text = text;
		parts[i].len = (size_t)((dot ? dot : end) - text);
		if (dot)
			text = dot + 1;
		while (loose && parts[i].len > 0 && parts[i].text[parts[i].len - 1] == '=')
			parts[i].len--;
	}
	return true;
}

/* The decoded object of a part; NULL. */
static json_t *part_object(const struct part *part)
{
	CLEANUP(cleanup_wiped) char *bytes = wipe_malloc(part->len + 1);
	ssize_t len;

	if (!bytes)
		return NULL;
	len = base64url_decode(part->text, part->len, bytes);
	return len < 0 ? NULL : strict_json_object(bytes, (size_t)len, JSON_DEPTH);
}

static const char *const alg_names[] = {
	[JWT_RS256] = "RS256",
	[JWT_RS384] = "RS384",
	[JWT_RS512] = "RS512",
	[JWT_PS256] = "PS256",
	[JWT_PS384] = "PS384",
	[JWT_PS512] = "PS512",
	[JWT_ES256] = "ES256",
	[JWT_ES384] = "ES384",
	[JWT_ES512] = "ES512",
};

static int read_header(struct jwt *jwt, const struct part *part, struct jwt_error *ret_error)
{
	json_t *header = part_object(part), *kid;
	const char *alg;
	size_t i = 0;
	int r = 0;

	if (!header)
		return malformed(
		    ret_error, "the first part is not base64url of a JSON object without duplicate members");
	alg = json_string_value(json_object_get(header, "alg"));
	while (i < ARRAY_SIZE(alg_names) && !(alg && streq(alg, alg_names[i])))
		i++;
	kid = json_object_get(header, "kid");
	jwt->alg = (enum jwt_alg)i;
	jwt->critical = json_object_get(header, "crit") != NULL;
	if (i == ARRAY_SIZE(alg_names))
		r = malformed(ret_error, "the algorithm is not one of RS, PS, ES with 256, 384, 512");
	else if (kid && !json_is_string(kid) && !json_is_null(kid))
		r = malformed(ret_error, "the key id is not a string");
	else if (json_is_string(kid) && !(jwt->kid = strdup(json_string_value(kid))))
		r = -ENOMEM;
	json_decref(header);
	return r;
}

static int read_signature(struct jwt *jwt, const struct part *part, struct jwt_error *ret_error)
{
	ssize_t len;

	jwt->signature = wipe_malloc(part->len + 1);
	if (!jwt->signature)
		return -ENOMEM;
	len = base64url_decode(part->text, part->len, jwt->signature);
	if (len < 0)
		return malformed(ret_error, "the signature is not base64url");
	jwt->signature_len = (size_t)len;
	return 0;
}

/* header.payload, without what LOOSE tolerated: the signature was made over that. */
static int keep_signed_part(struct jwt *jwt, const struct part parts[3])
{
	size_t len = parts[0].len + 1 + parts[1].len;
	char *copy = wipe_malloc(len + 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, parts[0].text, parts[0].len);
	copy[parts[0].len] = '.';
	memcpy(copy + parts[0].len + 1, parts[1].text, parts[1].len);
	copy[len] = '\0';
	jwt->signed_part = copy;
	jwt->signed_len = len;
	return 0;
}

/* Removes line ends, which Go's base64 skips, and if LOOSE all blanks, as the older parser does. The new length. */
static size_t tolerate(char *text, size_t len, bool loose)
{
	const char *skipped = loose ? " \t\r\n\v\f" : "\r\n";
	size_t kept = 0;

	while (kept < len && (unsigned char)text[kept] > ' ')
		kept++;
	for (size_t i = kept; i < len; i++) {
		if (text[i] == '\0' || !strchr(skipped, text[i]))
			text[kept++] = text[i];
	}
	return kept;
}

int jwt_read(const struct secret *token, bool loose, struct jwt **ret, struct jwt_error *ret_error)
{
	CLEANUP(cleanup_jwt) struct jwt *jwt = NULL;
	CLEANUP(cleanup_wiped) char *copy = NULL;
	struct part parts[3];
	size_t len = secret_len(token);
	int r;

	if (len > CREDENTIAL_MAX)
		return malformed(ret_error, "the token is longer than 16384 bytes");
	copy = wipe_malloc(len + 1);
	jwt = calloc(1, sizeof(*jwt));
	if (!copy || !jwt)
		return -ENOMEM;
	memcpy(copy, secret_reveal(token), len);
	len = tolerate(copy, len, loose);
	if (!split(copy, len, loose, parts))
		return malformed(ret_error, "the token has not three parts");
	r = read_header(jwt, &parts[0], ret_error);
	if (r < 0)
		return r;
	jwt->claims = part_object(&parts[1]);
	if (!jwt->claims)
		return malformed(
		    ret_error, "the second part is not base64url of a JSON object without duplicate members");
	r = read_signature(jwt, &parts[2], ret_error);
	if (r == 0)
		r = keep_signed_part(jwt, parts);
	if (r == 0)
		r = jwt_read_claims(jwt, ret_error);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(jwt);
	return 0;
}
