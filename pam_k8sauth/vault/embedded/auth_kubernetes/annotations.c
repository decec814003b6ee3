/* SPDX-License-Identifier: Apache-2.0 */
/* Annotations of a service account as metadata of its alias (kubernetes-auth.md 3.8). */
#include <errno.h>

#include "base/text.h"
#include "vault/embedded/auth_kubernetes/login.h"
#include "vault/embedded/go_text.h"

#define PREFIX "vault.hashicorp.com/alias-metadata-"
/* Bytes that they take in an alias: they are the account owner's words, and kept with every entity. */
#define ANNOTATIONS_MAX (16 * 1024)

/* Names that the login itself sets. */
static const char *const reserved[] = { "service_account_uid", "service_account_name", "service_account_namespace",
	"service_account_secret_name" };

static int answer(struct kube_login *login, enum vault_failure failure, int status, const char *text)
{
	call_refuse(login->call, failure, "annotations", status, text, "%s", text);
	return 1;
}

static int refuse_reserved(struct kube_login *login)
{
	AUTO_BUF struct buf text = { 0 };
	bool first = true;

	buf_add_str(&text, "entity alias metadata keys for only internal use found from the client token's associated "
			   "service account annotations: keys=[");
	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++) {
		char name[128];

		snprintf(name, sizeof(name), PREFIX "%s", reserved[i]);
		if (!json_object_get(login->annotations, name))
			continue;
		if (!first)
			buf_add_char(&text, ' ');
		go_quote(&text, reserved[i]);
		first = false;
	}
	buf_add_char(&text, ']');
	return first ? 0 : answer(login, VAULT_FAILED_REFUSED, 400, text.failed ? "no memory" : text.data);
}

/* Those with the prefix, without it. */
static int add_all(struct kube_login *login, json_t *metadata)
{
	const char *name;
	json_t *value;
	size_t total = 0;

	json_object_foreach(login->annotations, name, value)
	{
		const char *bare; /* the loop goes on from NAME itself */

		if (!starts_with(name, PREFIX))
			continue;
		bare = name + strlen(PREFIX);
		total += strlen(bare) + json_string_length(value);
		if (total > ANNOTATIONS_MAX)
			return answer(
			    login, VAULT_FAILED_REFUSED, 500, "the annotations of the service account are too long");
		if (json_object_set(metadata, bare, value))
			return -ENOMEM;
	}
	return 0;
}

int kube_login_annotations(struct kube_login *login, json_t *metadata)
{
	int r;

	if (!login->config->annotations)
		return 0;
	r = kube_login_ask_annotations(login);
	if (r < 0)
		return r;
	if (!login->annotations)
		return answer(login,
		    login->annotations_verdict == KUBE_UNAVAILABLE ? VAULT_FAILED_OUTAGE : VAULT_FAILED_REFUSED, 500,
		    login->annotations_error);
	r = refuse_reserved(login);
	return r ? r : add_all(login, metadata);
}
