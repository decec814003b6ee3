/* SPDX-License-Identifier: Apache-2.0 */
/* sys/config/auditing/request-headers: which headers of requests the audit trail tells of. */
#include <ctype.h>
#include <errno.h>

#include "vault/embedded/audit/audit_internal.h"

#define HEADERS_MAX 64 /* names; a request has no more of them either */
#define NAME_MAX_LEN 256

json_t *audit_default_headers(void)
{
	return json_pack("{s:{s:b}, s:{s:b}, s:{s:b}}", "correlation-id", "hmac", 0, "user-agent", "hmac", 0,
	    "x-correlation-id", "hmac", 0);
}

void audit_headers_changed(struct audit *audit)
{
	audit->core->vault.audited_headers = audit_enabled(audit) ? audit->headers : NULL;
}

int audit_headers_load(struct call *call)
{
	struct audit *audit = core_audit(call->core);
	json_t *headers;
	int r = core_get(call, AUDIT_HEADERS_KEY, &headers);

	if (r == -ENOENT) {
		headers = audit_default_headers();
		r = headers ? 0 : -ENOMEM;
	}
	if (r < 0)
		return r;
	json_decref(audit->headers);
	audit->headers = headers;
	audit_headers_changed(audit);
	return 0;
}

/* The header of the path, in lower case. NULL without memory. */
static char *header_name(const struct call *call)
{
	char *name = strdup(call_capture(call, "header"));

	for (char *c = name; c && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return name;
}

int audit_headers_list(struct call *call)
{
	call->response->data_on_top = true;
	return call_data(call, json_pack("{s:O}", "headers", core_audit(call->core)->headers));
}

int audit_header_read(struct call *call)
{
	char *name AUTO_FREE = header_name(call);
	json_t *header = name ? json_object_get(core_audit(call->core)->headers, name) : NULL;

	if (!name)
		return -ENOMEM;
	if (!header)
		return call_error(call, 400, "Could not find header in config");
	call->response->data_on_top = true;
	return call_data(call, json_pack("{s:O}", call_capture(call, "header"), header));
}

static void after_change(struct core *core, int r, void *arg)
{
	struct audit *audit = core_audit(core);
	json_t *headers = arg;

	if (r < 0) {
		json_decref(headers);
		return;
	}
	json_decref(audit->headers);
	audit->headers = headers;
	audit_headers_changed(audit);
}

/* Writes HEADERS (taken over). */
static int change(struct call *call, json_t *headers)
{
	int r = headers ? core_put(call, AUDIT_HEADERS_KEY, headers) : -ENOMEM;

	if (r < 0) {
		json_decref(headers);
		return r;
	}
	call_on_commit(call, after_change, headers);
	return call_done(call);
}

int audit_header_write(struct call *call)
{
	const json_t *now = core_audit(call->core)->headers;
	char *name AUTO_FREE = header_name(call);
	bool hmac = false;
	json_t *headers;
	int r = call_field_bool(call, "hmac", &hmac, NULL);

	if (r)
		return r < 0 ? r : 0;
	if (!name)
		return -ENOMEM;
	if (starts_with(name, VAULT_TOLD_PREFIX))
		return call_error(call, 400, "headers that begin with " VAULT_TOLD_PREFIX " are the server's own");
	if (strlen(name) > NAME_MAX_LEN ||
	    (json_object_size(now) >= HEADERS_MAX && !json_object_get(now, name)))
		return call_error(call, 400, "at most %d headers of %d bytes can be audited", HEADERS_MAX, NAME_MAX_LEN);
	headers = json_copy((json_t *)(uintptr_t)now);
	if (headers && json_object_set_new(headers, name, json_pack("{s:b}", "hmac", hmac))) {
		json_decref(headers);
		headers = NULL;
	}
	return change(call, headers);
}

int audit_header_delete(struct call *call)
{
	const json_t *now = core_audit(call->core)->headers;
	char *name AUTO_FREE = header_name(call);
	json_t *headers;

	if (!name)
		return -ENOMEM;
	if (!json_object_get(now, name))
		return call_done(call);
	headers = json_copy((json_t *)(uintptr_t)now);
	if (headers)
		json_object_del(headers, name);
	return change(call, headers);
}
