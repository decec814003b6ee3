/* SPDX-License-Identifier: Apache-2.0 */
/* sys/policies/acl and sys/policy (vault-core.md 1.13; vault-1.21.4.md). */
#include <errno.h>

#include "base/text.h"
#include "vault/embedded/acl/policies_internal.h"

#define MAX_NAME 1024

/*
 * Names as Vault's storage walks them, where a '/' makes a folder: what lies in a folder itself comes first, in order,
 * then its folders, the last one first.
 */
static int compare_names(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;

	for (;;) {
		size_t x_len = strcspn(x, "/"), y_len = strcspn(y, "/");

		if (!x[x_len] || !y[y_len])
			return x[x_len] ? 1 : y[y_len] ? -1 : strcmp(x, y);
		if (x_len != y_len || strncmp(x, y, x_len) != 0)
			return -strcmp(x, y);
		x += x_len + 1;
		y += y_len + 1;
	}
}

/* A name as its record's key has it, back to what it is. */
static void decode_name(char *name)
{
	char *to = name;

	for (const char *from = name; *from; from++) {
		if (*from == '%' && hex_decode(from + 1, 2, to, 1) == 1) {
			to++;
			from += 2;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
}

/* The names of all policies that can be listed, root last. */
static int list_names(struct call *call, json_t **ret)
{
	AUTO_FREE char **names = NULL;
	json_t *records = NULL, *list = json_array(), *item;
	size_t n = 0, i;
	int r = list ? core_list(call, POLICY_FOLDER, &records) : -ENOMEM;

	if (r == 0) {
		names = calloc(json_array_size(records) + 1, sizeof(*names));
		r = names ? 0 : -ENOMEM;
	}
	json_array_foreach(records, i, item)
	{
		if (r == 0 && !(names[n++] = strdup(json_string_value(item))))
			r = -ENOMEM;
		else if (r == 0)
			decode_name(names[n - 1]);
	}
	if (r == 0)
		qsort(names, n, sizeof(*names), compare_names);
	for (i = 0; i < n; i++) {
		if (r == 0 && json_array_append_new(list, json_string(names[i])) < 0)
			r = -ENOMEM;
		free(names[i]);
	}
	json_decref(records);
	if (r == 0 && json_array_append_new(list, json_string("root")) < 0)
		r = -ENOMEM;
	if (r < 0)
		json_decref(list);
	else
		*ret = list;
	return r;
}

int policies_list(struct call *call)
{
	json_t *names = NULL, *data;
	int r = list_names(call, &names);

	if (r < 0)
		return r;
	data = json_pack("{s:o}", "keys", names);
	return data ? call_data(call, data) : -ENOMEM;
}

int policies_legacy_list(struct call *call)
{
	json_t *names = NULL, *data;
	int r = list_names(call, &names);

	if (r < 0)
		return r;
	data = json_pack("{s:O, s:o}", "keys", names, "policies", names);
	if (!data)
		return -ENOMEM;
	call->response->data_on_top = true;
	return call_data(call, data);
}

/* 0, or 1 after the refusal of a name that Vault's store takes for a relative path. WHAT failed is told. */
static int check_name(struct call *call, const char *name, const char *what)
{
	if (!strstr(name, ".."))
		return 0;
	call_error(call, 400, "%s policy: relative paths not supported", what);
	return 1;
}

/* The policy's name and text, the text as MEMBER. */
static int read_policy(struct call *call, const char *member)
{
	AUTO_FREE char *name = policy_name(call_capture(call, "name")), *text = NULL;
	json_t *data;
	int r = name ? check_name(call, name, "failed to read") : -ENOMEM;

	if (r == 0)
		r = policy_load(call, name, &text);
	if (r == -ENOENT)
		return call_data(call, NULL);
	if (r)
		return r < 0 ? r : 0;
	data = json_pack("{s:s, s:s}", "name", name, member, text);
	return data ? call_data(call, data) : -ENOMEM;
}

int policies_read(struct call *call)
{
	return read_policy(call, "policy");
}

int policies_legacy_read(struct call *call)
{
	call->response->data_on_top = true;
	return read_policy(call, "rules");
}

/* Texts may come in base64: what can be decoded is. Line ends in it do not count, as in Go. */
static int decode_text(const char *text, char **ret, size_t *ret_len)
{
	size_t len = strlen(text), n = 0;
	AUTO_FREE char *packed = malloc(len + 1), *decoded = malloc(len + 1);
	ssize_t size;

	if (!packed || !decoded)
		return -ENOMEM;
	for (size_t i = 0; i < len; i++) {
		if (text[i] != '\r' && text[i] != '\n')
			packed[n++] = text[i];
	}
	size = base64_decode(packed, n, decoded);
	if (size > 0) {
		decoded[size] = '\0';
		*ret = TAKE_PTR(decoded);
		*ret_len = (size_t)size;
		return 0;
	}
	memcpy(packed, text, len + 1);
	*ret = TAKE_PTR(packed);
	*ret_len = len;
	return 0;
}

/* 0, 1 after a refusal, -errno. */
static int check_text(struct call *call, const char *text, size_t len)
{
	struct policy *policy = NULL;
	AUTO_FREE char *error = NULL;
	int r;

	if (strlen(text) != len) {
		call_error(call, 400, "failed to parse policy: unexpected null character (0x00)");
		return 1;
	}
	r = policy_parse(text, &policy, &error);
	policy_free(policy);
	if (r != -EINVAL)
		return r;
	call_error(call, 400, "failed to parse policy: %s", error);
	return 1;
}

static int store_text(struct call *call, const char *name, const char *text)
{
	AUTO_FREE char *key = policy_key(name);
	json_t *record = json_pack("{s:s}", "policy", text);
	int r = key && record ? core_put(call, key, record) : -ENOMEM;

	json_decref(record);
	return r;
}

/* TEXT is what the client sent. */
static int write_policy(struct call *call, const char *text, bool deprecated)
{
	const char *wanted = call_capture(call, "name");
	AUTO_FREE char *name = policy_name(wanted), *decoded = NULL;
	size_t len = 0;
	int r;

	if (!text || !*text)
		return call_error(call, 400, "'policy' parameter not supplied or empty");
	r = name ? decode_text(text, &decoded, &len) : -ENOMEM;
	if (r == 0)
		r = check_text(call, decoded, len);
	if (r)
		return r < 0 ? r : 0;
	if (!*name || strlen(name) > MAX_NAME)
		return call_error(call, 400, "a policy's name has 1 to %d bytes", MAX_NAME);
	if (policy_fixed_text(name))
		return call_error(call, 400, "cannot update \"%s\" policy", name);
	r = check_name(call, name, "failed looking up conflicting");
	if (r == 0)
		r = store_text(call, name, decoded);
	if (r)
		return r < 0 ? r : 0;
	policies_changed(call);
	if (!strstr(wanted, name))
		call_warn(call, "policy name was converted to %s", name);
	if (deprecated)
		call_warn(call, "'rules' is deprecated, please use 'policy' instead");
	return call_done(call);
}

int policies_write(struct call *call)
{
	const char *text = NULL;
	int r = call_field_string(call, "policy", &text, NULL);

	return r ? (r < 0 ? r : 0) : write_policy(call, text, false);
}

int policies_legacy_write(struct call *call)
{
	const char *text = NULL, *rules = NULL;
	bool deprecated;
	int r = call_field_string(call, "policy", &text, NULL);

	if (r == 0)
		r = call_field_string(call, "rules", &rules, NULL);
	if (r)
		return r < 0 ? r : 0;
	deprecated = (!text || !*text) && rules && *rules;
	return write_policy(call, deprecated ? rules : text, deprecated);
}

int policies_delete(struct call *call)
{
	AUTO_FREE char *name = policy_name(call_capture(call, "name")), *key = NULL;
	int r;

	if (!name)
		return -ENOMEM;
	if (streq(name, "default"))
		return call_error(call, 400, "cannot delete default policy");
	if (policy_fixed_text(name))
		return call_error(call, 400, "cannot delete \"%s\" policy", name);
	key = policy_key(name);
	r = key ? check_name(call, name, "failed to delete") : -ENOMEM;
	if (r == 0)
		r = core_delete(call, key);
	if (r)
		return r < 0 ? r : 0;
	policies_changed(call);
	return call_done(call);
}
