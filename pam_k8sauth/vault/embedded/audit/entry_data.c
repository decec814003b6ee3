/* SPDX-License-Identifier: Apache-2.0 */
/* Data of answers that is not all text to Vault: times, which are shown, and lists, which may be counted. */
#include "base/secret.h"
#include "vault/embedded/audit/entry.h"
#include "vault/embedded/token.h"

/* In Vault these are times and addresses, not texts. */
static bool is_no_text(const char *name)
{
	static const char *const names[] = { "bound_cidrs", "expire_time", "issue_time", "last_renewal",
		"token_bound_cidrs" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (streq(names[i], name))
			return true;
	return false;
}

static bool has_more_than_text(const struct call *call)
{
	const struct mount *mount = call->mount;

	return mount && call->response->status < 400 &&
	       (mount->engine->auth || (streq(mount->engine->type, "system") && starts_with(call->rest, "leases/lookup")));
}

/* These keep numbers as the text that came, and so Vault hashes them on their way back, too. */
static bool has_sent_numbers(const struct call *call)
{
	const struct mount *mount = call->mount;
	const char *version = mount ? json_string_value(json_object_get(mount->options, "version")) : NULL;

	/* So does what was wrapped. */
	if (call->response->body)
		return true;
	return mount && (streq(mount->engine->type, "cubbyhole") ||
			    (streq(mount->engine->type, "kv") && !(version && streq(version, "2"))));
}

/* A token in a request about tokens is told of as a caller's is: by the id inside of it. */
void entry_sent_data(struct entry *e, const struct call *call, const json_t *clear)
{
	const json_t *data = call->request->data;
	const char *token = json_string_value(json_object_get(data, "token"));
	json_auto_t *changed = NULL;
	char inner[TOKEN_ID_LEN];

	if (token && call->mount && streq(call->mount->engine->type, "token") &&
	    token_inner_id(token, strlen(token), inner)) {
		changed = json_copy((json_t *)(uintptr_t)data);
		if (!changed || json_object_set_new(changed, "token", json_stringn(inner, sizeof(inner))))
			e->draft->buf.failed = true;
		wipe(inner, sizeof(inner));
	}
	audit_value(e->draft, changed ? changed : data, AUDIT_SENT, clear);
}

void entry_answer_data(struct entry *e, const struct call *call, const json_t *data, const json_t *clear)
{
	json_auto_t *names = NULL;
	const char *name;
	json_t *value;

	if (!has_more_than_text(call)) {
		audit_value(e->draft, data, has_sent_numbers(call) ? AUDIT_SENT : AUDIT_ANSWERED, clear);
		return;
	}
	names = clear ? json_copy((json_t *)(uintptr_t)clear) : json_array();
	json_object_foreach((json_t *)(uintptr_t)data, name, value)
	{
		if (is_no_text(name) && json_array_append_new(names, json_string(name)) < 0)
			e->draft->buf.failed = true;
	}
	audit_value(e->draft, data, AUDIT_ANSWERED, names);
}

static bool is_list(const char *name, const json_t *value)
{
	return (streq(name, "keys") && json_is_array(value)) || (streq(name, "key_info") && json_is_object(value));
}

void entry_list_data(struct entry *e, const json_t *data, const json_t *clear)
{
	const char **names AUTO_FREE = NULL;
	struct entry list = { .draft = e->draft };
	size_t n;

	if (audit_sorted_names(data, &names, &n) < 0) {
		e->draft->buf.failed = true;
		return;
	}
	entry_open(&list);
	for (size_t i = 0; i < n; i++) {
		const json_t *value = json_object_get(data, names[i]);
		bool counted = is_list(names[i], value);
		size_t mark = 0;

		entry_key(&list, names[i]);
		if (counted)
			mark = draft_begin_list(
			    e->draft, json_is_array(value) ? json_array_size(value) : json_object_size(value));
		audit_member(e->draft, names[i], value, clear);
		if (counted)
			draft_end_list(e->draft, mark);
	}
	entry_close(&list);
}
