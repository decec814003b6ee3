/* SPDX-License-Identifier: Apache-2.0 */
/* Recognising and joining answers; see credential.h. */
#include "module/credential.h"

#include <stdint.h>

#include "base/secret.h"
#include "base/text.h"

#define FRAME_START "k1:"

/* sshd's auth-pam.c: the answer of a user that it refuses anyway. */
static const char sshd_junk[] = "\b\n\r\177INCORRECT";

/* Where the consumers of pam-consumers.md cut an answer without a word. */
static const size_t cut_lengths[] = { 127, 511, 1023, 1024, 2047, 4095 };

static int base64url_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

static bool is_base64url(const char *text, size_t len)
{
	int value = 0;

	for (size_t i = 0; i < len && value >= 0; i++)
		value = base64url_value(text[i]);
	if (value < 0 || len == 0 || len % 4 == 1)
		return false;
	/* The last character may hold bits that belong to no byte: they must be zero, or two texts were one token. */
	return len % 4 == 2 ? (value & 15) == 0 : len % 4 == 3 ? (value & 3) == 0 : true;
}

/* The lengths of the three parts; false where there are not exactly three. */
static bool split(const char *text, size_t len, size_t lens[static 3])
{
	const char *first = memchr(text, '.', len);
	const char *second = first ? memchr(first + 1, '.', len - (size_t)(first + 1 - text)) : NULL;

	if (!second)
		return false;
	lens[0] = (size_t)(first - text);
	lens[1] = (size_t)(second - first) - 1;
	lens[2] = len - lens[0] - lens[1] - 2;
	return true;
}

bool credential_is_jwt(const char *text, size_t len)
{
	size_t lens[3];

	return split(text, len, lens) && is_base64url(text, lens[0]) && is_base64url(text + lens[0] + 1, lens[1]) &&
	       is_base64url(text + lens[0] + lens[1] + 2, lens[2]);
}

bool credential_is_whole(const char *text, size_t len)
{
	return credential_is_jwt(text, len) || is_service_token(text, len);
}

static bool only_token_characters(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] != '.' && base64url_value(text[i]) < 0)
			return false;
	}
	return true;
}

/* Whether a signature of SIZE bytes can belong to the algorithm that the header names (RFC 7518 section 3). */
static bool signature_fits(const char *header, size_t size)
{
	static const struct {
		const char *alg;
		size_t size;
	} fixed[] = { { "\"ES256\"", 64 }, { "\"ES384\"", 96 }, { "\"ES512\"", 132 }, { "\"EdDSA\"", 64 } };

	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++) {
		if (strstr(header, fixed[i].alg))
			return size == fixed[i].size;
	}
	/* RSA: as long as the modulus, and keys come in steps of 512 bits. */
	if (strstr(header, "\"RS") || strstr(header, "\"PS"))
		return size >= 128 && size % 64 == 0;
	return true;
}

/* A cut token often still has three parts: then its signature has a length that no key gives. */
static bool is_cut(const char *text, size_t len)
{
	char header[1024];
	bool at_limit = false;
	size_t lens[3];
	ssize_t n;

	for (size_t i = 0; i < ARRAY_SIZE(cut_lengths); i++)
		at_limit = at_limit || len == cut_lengths[i];
	if (!at_limit)
		return false;
	if (!credential_is_jwt(text, len))
		return only_token_characters(text, len);
	if (!split(text, len, lens) || lens[0] / 4 * 3 + 3 >= sizeof(header))
		return false;
	n = base64url_decode(text, lens[0], header);
	if (n < 0)
		return false;
	header[n] = '\0';
	return !signature_fits(header, lens[2] * 3 / 4);
}

static bool is_junk(const char *answer, size_t len)
{
	size_t known = strlen(sshd_junk);

	return len > 0 && memcmp(answer, sshd_junk, len < known ? len : known) == 0;
}

static size_t trimmed(const char *answer, size_t len)
{
	while (len > 0 && (answer[len - 1] == '\n' || answer[len - 1] == '\r' || answer[len - 1] == ' ' ||
			      answer[len - 1] == '\t'))
		len--;
	return len;
}

static bool has_start(const char *text, size_t len, const char *start)
{
	return len >= strlen(start) && memcmp(text, start, strlen(start)) == 0;
}

/* One or two digits without a leading zero, then END. */
static bool frame_number(const char **at, const char *limit, char end, unsigned *ret)
{
	unsigned number = 0;
	const char *c = *at;

	for (; c < limit && c - *at < 2 && *c >= '0' && *c <= '9'; c++)
		number = number * 10 + (unsigned)(*c - '0');
	if (c == *at || **at == '0' || c == limit || *c != end)
		return false;
	*at = c + 1;
	*ret = number;
	return true;
}

static enum credential_verdict add_part(struct credential *credential, const char *answer, size_t len)
{
	const char *at = answer + strlen(FRAME_START), *limit = answer + len;
	unsigned number, parts;
	size_t text_len;

	if (!has_start(answer, len, FRAME_START) || !frame_number(&at, limit, '/', &number) ||
	    !frame_number(&at, limit, ':', &parts) || at == limit || parts > CREDENTIAL_PARTS)
		return CREDENTIAL_PART_FORM;
	text_len = (size_t)(limit - at);
	if (len > CREDENTIAL_PART_MAX)
		return CREDENTIAL_PART_LONG;
	if (credential->have > 0 && number == 1 && text_len == credential->first_len &&
	    equal_constant_time(at, credential->text.data, text_len))
		return CREDENTIAL_PART_REPEATED;
	if (number != credential->have + 1 || number > parts || (credential->have > 0 && parts != credential->parts))
		return CREDENTIAL_PART_ORDER;
	if (credential->text.len + text_len > CREDENTIAL_MAX)
		return CREDENTIAL_LONG;
	if (buf_add(&credential->text, at, text_len) < 0)
		return CREDENTIAL_NO_MEMORY;
	if (number == 1)
		credential->first_len = text_len;
	credential->have = number;
	credential->parts = parts;
	if (number < parts)
		return CREDENTIAL_MORE;
	return credential_is_whole(credential->text.data, credential->text.len) ? CREDENTIAL_COMPLETE
										: CREDENTIAL_OTHER;
}

static enum credential_verdict add_whole(struct credential *credential, const char *answer, size_t len)
{
	if ((len == 6 && memcmp(answer, "$TOKEN", len) == 0) || (len == 8 && memcmp(answer, "${TOKEN}", len) == 0))
		return CREDENTIAL_VARIABLE;
	if (len > CREDENTIAL_MAX)
		return CREDENTIAL_LONG;
	if (is_cut(answer, len))
		return CREDENTIAL_CUT;
	if (!credential_is_whole(answer, len))
		return CREDENTIAL_OTHER;
	return buf_add(&credential->text, answer, len) < 0 ? CREDENTIAL_NO_MEMORY : CREDENTIAL_COMPLETE;
}

enum credential_verdict credential_add(struct credential *credential, const char *answer, size_t len)
{
	credential->answer_len = len;
	if (is_junk(answer, len))
		return CREDENTIAL_JUNK;
	len = trimmed(answer, len);
	if (len == 0)
		return CREDENTIAL_EMPTY;
	if (credential->have > 0 || has_start(answer, len, FRAME_START))
		return add_part(credential, answer, len);
	return add_whole(credential, answer, len);
}

bool credential_looks_ours(const char *answer, size_t len)
{
	len = trimmed(answer, len);
	return has_start(answer, len, FRAME_START) || (len <= CREDENTIAL_MAX && credential_is_whole(answer, len));
}

const char *credential_verdict_text(enum credential_verdict verdict)
{
	static const char *const texts[N_CREDENTIAL_VERDICTS] = {
		[CREDENTIAL_COMPLETE] = "the credential is complete",
		[CREDENTIAL_MORE] = "the credential goes on in the next part",
		[CREDENTIAL_EMPTY] = "no credential: the answer is empty",
		[CREDENTIAL_JUNK] = "no credential: sshd does not let this user in and put junk in place of the answer "
				    "(unknown to NSS, as while k8sauthd is down, or denied in sshd_config)",
		[CREDENTIAL_VARIABLE] = "the credential is the literal text $TOKEN: quotes kept the shell from putting "
					"the token in its place",
		[CREDENTIAL_LONG] = "the credential is longer than 16384 bytes",
		[CREDENTIAL_CUT] = "the application or its client has cut the credential: ssh hands it over in parts with "
				   "keyboard-interactive and k8sauth-askpass, others have room for a ticket",
		[CREDENTIAL_OTHER] =
		    "the credential is no service account token (three parts of base64url characters) and no "
		    "ticket",
		[CREDENTIAL_PART_FORM] = "a part of the credential is expected as k1:<number>/<parts>:<text>, with at "
					 "most 16 parts",
		[CREDENTIAL_PART_LONG] = "a part of the credential is longer than 1000 bytes",
		[CREDENTIAL_PART_ORDER] = "a part of the credential has a wrong number",
		[CREDENTIAL_PART_REPEATED] = "the client gives the same answer to every prompt: it cannot hand a "
					     "credential over in parts (sshd: use keyboard-interactive, not password)",
		[CREDENTIAL_NO_MEMORY] = "there is no memory for the credential",
	};

	return texts[verdict];
}
