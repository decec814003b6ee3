/* SPDX-License-Identifier: Apache-2.0 */
/* Words for refused logins: what is wrong with a credential's form, and what to do about a backend's answer. */
#include <stdio.h>

#include "base/text.h"
#include "session/login.h"

#define SIGNATURE_MIN 86 /* base64url characters of the shortest one, ES256 */

bool credential_is_cut_length(size_t len)
{
	static const size_t lengths[] = { 127, 511, 1023, 1024, 4095 };

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
	if (jwt_form(text, len, &charset))
		return true;
	if (len == 0)
		snprintf(why, why_size, "the credential is empty");
	else if (text[0] == '$')
		snprintf(
		    why, why_size, "the credential looks like a shell variable that nothing expanded, such as $TOKEN");
	else if (starts_with(text, "hvs.") || starts_with(text, "hvb."))
		snprintf(why, why_size, "the credential is a Vault token, which proves no service account");
	else if (charset && credential_is_cut_length(len)) {
		snprintf(why, why_size, "the credential was cut by the application at %zu bytes", len);
		*ret_remedy = "send the token in parts: SSH_ASKPASS=k8sauth-askpass SSH_ASKPASS_REQUIRE=force ssh ...";
	} else
		snprintf(why, why_size, "the credential is no JWT (%zu bytes, %s)", len,
		    charset ? "not three parts with a signature" : "with characters that no JWT has");
	return false;
}

bool response_is_outage(const struct vault_response *response)
{
	if (response->failure != VAULT_FAILED_NOT)
		return response->failure == VAULT_FAILED_OUTAGE;
	return response->status >= 500 || response->status == 429;
}

/* Whether TEXT is about times that only a wrong clock makes wrong. One that has expired for the API server alone had
 * not for us, a moment before. */
static bool blames_clock(const char *step, const char *text)
{
	return strstr(text, "not yet valid") || strstr(text, "not valid yet") || strstr(text, "in the future") ||
	       (streq(step, "tokenreview") && strstr(text, "has expired"));
}

static void remedy_outage(const struct login *login, const struct vault_response *response, char *ret)
{
	const char *mount = login->cluster->mount;

	if (response->status == 503 && strstr(vault_response_error_text(response), "sealed"))
		snprintf(
		    ret, REMEDY_SIZE, "see `k8sauth status`; initialise (`k8sauth operator init`) or unseal the store");
	else if (response->step && streq(response->step, "tokenreview"))
		snprintf(ret, REMEDY_SIZE,
		    "is the API server up, and kubernetes_host right? k8sauth read auth/%s/config", mount);
	else if (response->step && streq(response->step, "store"))
		snprintf(ret, REMEDY_SIZE,
		    "make room for the store, and its disk and files writable (by default " K8SAUTH_STATE_DIR
		    "); then it goes on by itself");
	else
		snprintf(ret, REMEDY_SIZE, "see `k8sauth status` and `k8sauth read auth/%s/config`", mount);
}

void login_remedy(
    const struct login *login, const struct vault_response *response, const char *role, char ret[static REMEDY_SIZE])
{
	const char *step = response->step ? response->step : "", *mount = login->cluster->mount;
	const char *audience = login->cluster->audience ? login->cluster->audience : "AUDIENCE";
	const char *reason = response->reason ? response->reason : vault_response_error_text(response);

	if (!role[0])
		role = "ROLE";
	if (response_is_outage(response))
		remedy_outage(login, response, ret);
	else if (credential_is_cut_length(secret_len(login->jwt)))
		snprintf(ret, REMEDY_SIZE,
		    "the token has exactly %zu bytes, where applications cut an answer: send it in parts "
		    "(k8sauth-askpass)",
		    secret_len(login->jwt));
	else if (blames_clock(step, reason))
		snprintf(ret, REMEDY_SIZE, "compare this machine's clock with the cluster's: timedatectl");
	else if (streq(step, "tokenreview") && strstr(reason, "did not match"))
		snprintf(ret, REMEDY_SIZE,
		    "the API server answers for another account than the token's: is kubernetes_host the token's "
		    "cluster? "
		    "k8sauth read auth/%s/config",
		    mount);
	else if (streq(step, "config"))
		snprintf(ret, REMEDY_SIZE, "k8sauth write auth/%s/config kubernetes_host=...", mount);
	else if (streq(step, "role") || streq(step, "name") || streq(step, "namespace"))
		snprintf(ret, REMEDY_SIZE, "see `k8sauth read auth/%s/role/%s`: names, namespaces", mount, role);
	else if (streq(step, "audience") && strstr(reason, "the role has no audience"))
		snprintf(ret, REMEDY_SIZE, "k8sauth write auth/%s/role/%s audience=%s (keeps its other fields)", mount,
		    role, audience);
	else if (response->status == 404)
		snprintf(ret, REMEDY_SIZE, "is there a mount? k8sauth auth enable -path=%s kubernetes", mount);
	else
		snprintf(ret, REMEDY_SIZE,
		    "make a new token: kubectl create token NAME -n NAMESPACE --audience %s (role: k8sauth read "
		    "auth/%s/role/%s)",
		    audience, mount, role);
}
