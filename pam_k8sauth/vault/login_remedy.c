/* SPDX-License-Identifier: Apache-2.0 */
/* Remedies of refused logins; see login_remedy.h. */
#include "vault/login_remedy.h"

#include <stdio.h>

#include <k8sauth/limits.h>

#include "base/text.h"

/* Whether TEXT is about times that only a wrong clock makes wrong. One that has expired for the API server alone had
 * not for us, a moment before. */
static bool blames_clock(const char *step, const char *text)
{
	return strstr(text, "not yet valid") || strstr(text, "not valid yet") || strstr(text, "in the future") ||
	       (streq(step, "tokenreview") && strstr(text, "has expired"));
}

/* The API server gave no answer, or none to the reviewer. */
static void remedy_api_server(const char *reason, const char *mount, char *ret)
{
	if (strstr(reason, "token_reviewer_jwt"))
		snprintf(ret, REMEDY_SIZE,
		    "the reviewer's token was revoked or has expired: make a new one, and k8sauth write auth/%s/config "
		    "token_reviewer_jwt=... with all other fields (a write replaces them)",
		    mount);
	else if (strstr(reason, "forbidden"))
		snprintf(ret, REMEDY_SIZE,
		    "give the reviewer its right: kubectl create clusterrolebinding NAME "
		    "--clusterrole=system:auth-delegator --serviceaccount=NAMESPACE:REVIEWER");
	else if (strstr(reason, "certificate"))
		snprintf(ret, REMEDY_SIZE,
		    "is kubernetes_ca_cert the authority of this API server, and the name in kubernetes_host one of "
		    "its "
		    "certificate? k8sauth read auth/%s/config",
		    mount);
	else
		snprintf(ret, REMEDY_SIZE,
		    "is the API server up, and kubernetes_host right? k8sauth read auth/%s/config", mount);
}

/* What stands in the account's way apart from its token. */
static void remedy_account(const char *step, const char *reason, char *ret)
{
	if (streq(step, "entity"))
		snprintf(ret, REMEDY_SIZE,
		    "an administrator disabled it: k8sauth read identity/entity/name/NAME shows who it is, k8sauth "
		    "write identity/entity/name/NAME disabled=false lets it in again");
	else if (strstr(reason, "forbidden"))
		snprintf(ret, REMEDY_SIZE,
		    "give the reviewer the right to get serviceaccounts, or switch use_annotations_as_alias_metadata "
		    "off");
	else
		snprintf(ret, REMEDY_SIZE,
		    "see the annotations vault.hashicorp.com/alias-metadata-...: kubectl get serviceaccount NAME -n "
		    "NAMESPACE -o yaml");
}

static void remedy_outage(const struct vault_response *response, const char *reason, const char *mount, char *ret)
{
	if (response->status == 503 && strstr(vault_response_error_text(response), "sealed"))
		snprintf(
		    ret, REMEDY_SIZE, "see `k8sauth status`; initialise (`k8sauth operator init`) or unseal the store");
	else if (response->step && streq(response->step, "tokenreview"))
		remedy_api_server(reason, mount, ret);
	else if (response->step && streq(response->step, "annotations"))
		remedy_account(response->step, reason, ret);
	else if (response->step && streq(response->step, "config"))
		snprintf(ret, REMEDY_SIZE, "k8sauth write auth/%s/config kubernetes_host=...", mount);
	else if (response->step && streq(response->step, "store"))
		snprintf(ret, REMEDY_SIZE,
		    "make room for the store, and its disk and files writable (by default " K8SAUTH_STATE_DIR
		    "); then it goes on by itself");
	else
		snprintf(ret, REMEDY_SIZE, "see `k8sauth status` and `k8sauth read auth/%s/config`", mount);
}

/* The API server does not know the token: what it is bound to is gone, or it is another cluster's. */
static bool is_unknown_token(const char *reason)
{
	return strstr(reason, "invalid bearer token") || strstr(reason, "jwt not valid") ||
	       strstr(reason, "has been deleted");
}

void login_remedy(const struct vault_response *response, const struct login_place *place, char ret[static REMEDY_SIZE])
{
	const char *step = response->step ? response->step : "", *mount = place->mount;
	const char *audience = place->audience && *place->audience ? place->audience : "AUDIENCE";
	const char *reason = response->reason ? response->reason : vault_response_error_text(response);
	const char *role = *place->role ? place->role : "ROLE";

	if (vault_response_is_outage(response))
		remedy_outage(response, reason, mount, ret);
	else if (blames_clock(step, reason))
		snprintf(ret, REMEDY_SIZE, "compare this machine's clock with the cluster's: timedatectl");
	else if (streq(step, "tokenreview") && strstr(reason, "did not match"))
		snprintf(ret, REMEDY_SIZE,
		    "the API server answers for another account than the token's: is kubernetes_host the token's "
		    "cluster? k8sauth read auth/%s/config",
		    mount);
	else if (streq(step, "tokenreview") && is_unknown_token(reason))
		snprintf(ret, REMEDY_SIZE,
		    "is kubernetes_host the token's cluster (k8sauth read auth/%s/config), and are its service account "
		    "and "
		    "pod still there? make a new token: kubectl create token NAME -n NAMESPACE --audience %s",
		    mount, audience);
	else if (streq(step, "entity") || streq(step, "annotations"))
		remedy_account(step, reason, ret);
	else if (streq(step, "role"))
		snprintf(ret, REMEDY_SIZE, "which roles are there? k8sauth list auth/%s/role", mount);
	else if (streq(step, "name") || streq(step, "namespace"))
		snprintf(ret, REMEDY_SIZE, "see `k8sauth read auth/%s/role/%s`: names, namespaces", mount, role);
	else if (streq(step, "address"))
		snprintf(ret, REMEDY_SIZE, "see `k8sauth read auth/%s/role/%s`: token_bound_cidrs", mount, role);
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
