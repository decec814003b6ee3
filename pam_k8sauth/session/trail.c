/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the audit trail tells of a request that was made for a PAM service (docs/audit.md): who asked, beside what was
 * asked. The entries have it among the headers, under names that no client can send.
 */
#include "session/state.h"

struct told {
	const char *name, *text;
};

/* False without memory. Empty ones are left out. */
static bool tell(struct vault_request *request, const struct told *told, size_t n)
{
	if (!request->headers)
		request->headers = json_object();
	for (size_t i = 0; i < n; i++) {
		json_t *text = *told[i].text ? json_pack("[s]", told[i].text) : NULL;

		if (*told[i].text && (!text || json_object_set_new(request->headers, told[i].name, text)))
			return false;
	}
	return request->headers;
}

bool trail_caller(struct vault_request *request, const struct caller *caller)
{
	const struct told told[] = {
		{ VAULT_TOLD_REF, caller->ref },
		{ VAULT_TOLD_RHOST, caller->rhost },
		{ VAULT_TOLD_SERVICE, caller->service },
		{ VAULT_TOLD_TTY, caller->tty },
		{ VAULT_TOLD_USER, caller->user },
	};

	return tell(request, told, ARRAY_SIZE(told));
}

bool trail_session(struct vault_request *request, const struct session_record *record, const char *ref)
{
	const struct told told[] = {
		{ VAULT_TOLD_REF, ref },
		{ VAULT_TOLD_RHOST, record->rhost },
		{ VAULT_TOLD_SERVICE, record->service },
		{ VAULT_TOLD_SESSION, record->id },
		{ VAULT_TOLD_TTY, record->tty },
		{ VAULT_TOLD_USER, record->user },
	};

	return tell(request, told, ARRAY_SIZE(told));
}

bool trail_path(struct vault_request *request, const char *path, const char *capability)
{
	request->told_path = strdup(path);
	request->told_capability = strdup(capability);
	return request->told_path && request->told_capability;
}
