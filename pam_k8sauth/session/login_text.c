/* SPDX-License-Identifier: Apache-2.0 */
/* Words for refused logins: what is wrong with a credential's form, and what to do about a backend's answer. */
#include <stdio.h>

#include "base/text.h"
#include "session/login.h"

#define SIGNATURE_MIN 86 /* base64url characters of the shortest one, ES256 */

bool credential_is_cut_length(size_t len)
{
	static const size_t lengths[] = { 127, 511, 1023, 1024, 2047, 4095 };

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		if (len == lengths[i])
			return true;
	}
	return false;
}

/* Three parts of base64url, none empty, the last as long as a signature is; one newline at the end is tolerated. */
static bool jwt_form(const char *text, size_t len, bool *ret_charset)
{
	size_t dots = 0, part = 0;

	*ret_charset = true;
	if (len > 0 && text[len - 1] == '\n')
		len--;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '.') {
			if (part == 0)
				return false;
			dots++;
			part = 0;
		} else if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
			   c == '_') {
			part++;
		} else {
			*ret_charset = false;
			return false;
		}
	}
	return dots == 2 && part >= SIGNATURE_MIN;
}

bool credential_check(const struct secret *credential, char *why, size_t why_size, const char **ret_remedy)
{
	const char *text = secret_reveal(credential);
	size_t len = secret_len(credential);
	bool charset;

	*ret_remedy = "send a service account token: kubectl create token NAME -n NAMESPACE --audience AUDIENCE";
	if (len > CREDENTIAL_MAX) {
		snprintf(why, why_size, "the credential is too long: %zu bytes, at most %d", len, CREDENTIAL_MAX);
		return false;
	}
	if (jwt_form(text, len, &charset) || is_service_token(text, len))
		return true;
	if (len == 0)
		snprintf(why, why_size, "the credential is empty");
	else if (text[0] == '$')
		snprintf(
		    why, why_size, "the credential looks like a shell variable that nothing expanded, such as $TOKEN");
	else if (starts_with(text, "hvs.") || starts_with(text, "hvb."))
		snprintf(
		    why, why_size, "the credential is a Vault token, but no ticket, and proves no service account");
	else if (charset && credential_is_cut_length(len)) {
		snprintf(why, why_size, "the credential was cut by the application at %zu bytes", len);
		*ret_remedy = "send the token in parts: SSH_ASKPASS=k8sauth-askpass SSH_ASKPASS_REQUIRE=force ssh ...";
	} else
		snprintf(why, why_size, "the credential is no JWT (%zu bytes, %s)", len,
		    charset ? "not three parts with a signature" : "with characters that no JWT has");
	return false;
}

void login_cure(
    const struct login *login, const struct vault_response *response, const char *role, char ret[static REMEDY_SIZE])
{
	const struct login_place place = {
		.mount = login->cluster->mount, .role = role, .audience = login->cluster->audience
	};

	if (vault_response_is_outage(response) || !credential_is_cut_length(secret_len(login->credential)))
		login_remedy(response, &place, ret);
	else
		snprintf(ret, REMEDY_SIZE,
		    "the token has exactly %zu bytes, where applications cut an answer: send it in parts "
		    "(k8sauth-askpass)",
		    secret_len(login->credential));
}
