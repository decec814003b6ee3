/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of a request against those that its path knows: warnings, what is not kept. */
#include "vault/embedded/core_internal.h"

#include <errno.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/text.h"

const struct engine_field engine_no_fields[] = { { 0 } };

static bool is_field(const struct engine_path *path, const char *name)
{
	for (size_t i = 0; path->fields[i].name; i++)
		if (streq(path->fields[i].name, name))
			return true;
	return false;
}

/*
 * Strangers' requests may wait for an API server: what no handler reads is not kept meanwhile, since it can take many
 * times the memory of its text. Its names stay, for the warning about them.
 */
void parameters_forget_unknown(struct call *call)
{
	json_t *data = call->request->data, *value;
	const char *name;

	if (!(call->path->flags & ENGINE_UNAUTHENTICATED) || !call->path->fields)
		return;
	json_object_foreach(data, name, value)
	{
		if (!is_field(call->path, name) && !json_is_null(value))
			json_object_set_new(data, name, json_null());
	}
}

/* A name may be empty. */
static void add_name(struct buf *names, size_t *n, const char *name)
{
	if ((*n)++)
		buf_add_char(names, ' ');
	buf_add_str(names, name);
}

static bool is_capture(const struct call_private *call, const char *name)
{
	for (size_t i = 0; i < call->n_captures; i++)
		if (strlen(name) == call->captures[i].name_len &&
		    strncmp(name, call->captures[i].name, call->captures[i].name_len) == 0)
			return true;
	return false;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Vault's two warnings about parameters; only a reply with a body shows them, and a list of nothing gets one then. */
void parameters_warn(struct call *call)
{
	size_t n = 0, n_ignored = 0, n_replaced = 0, size = json_object_size(call->request->data);
	const char **names AUTO_FREE = NULL;
	AUTO_BUF struct buf ignored = { 0 }, replaced = { 0 };
	const char *key;
	json_t *value;

	if (!size || (call->response->status != 200 && !call_listed_nothing(call)) || call->response->body)
		return;
	names = calloc(size, sizeof(*names));
	if (!names)
		return;
	json_object_foreach(call->request->data, key, value) names[n++] = key;
	qsort(names, n, sizeof(*names), compare_names);
	for (size_t i = 0; i < n; i++) {
		if (is_capture(call->private, names[i]))
			add_name(&replaced, &n_replaced, names[i]);
		else if (call->path->fields && !is_field(call->path, names[i]))
			add_name(&ignored, &n_ignored, names[i]);
	}
	if (n_ignored + n_replaced && call_listed_nothing(call) && call_data(call, json_object()) < 0)
		return;
	if (n_ignored)
		call_warn(call, "Endpoint ignored these unrecognized parameters: [%s]", ignored.data);
	if (n_replaced)
		call_warn(call,
		    "Endpoint replaced the value of these parameters with the values captured from the endpoint's "
		    "path: [%s]",
		    replaced.data);
}
