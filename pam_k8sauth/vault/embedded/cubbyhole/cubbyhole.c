/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of single tokens; see cubbyhole.h. Records are the core's "cubbyhole/<salted id>/<path>". */
#include "vault/embedded/cubbyhole/cubbyhole.h"

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "vault/embedded/core_internal.h"
#include "vault/embedded/token.h"
#include "vault/embedded/wrapping/wrapping.h"

static char *record_key(const struct call *call, const char *path)
{
	char *key;

	return asprintf(&key, CUBBYHOLE_FOLDER "%s/%s", call->token->salted, path) < 0 ? NULL : key;
}

/* The path that a request means; "" is the root, where no secret lies. */
static const char *path_of(const struct call *call)
{
	return call_capture(call, "path");
}

/* What is kept at the request's path: NULL for nothing. 0, -EAGAIN... */
static int load(struct call *call, json_t **ret)
{
	char *key AUTO_FREE = record_key(call, path_of(call));
	int r = key ? core_get(call, key, ret) : -ENOMEM;

	return r == -ENOENT ? 0 : r;
}

/* 1 after a refusal: the daemon itself has no token, and so no cubbyhole. */
static int refuse(struct call *call)
{
	if (call->token && *call->token->salted)
		return call_refuse_dots(call, path_of(call));
	if (call->token)
		call_error(call, 400, "cubbyhole operations are only supported by \"service\" type tokens");
	else
		call_wrapped_error(call, 500, "client token empty");
	return 1;
}

/* Whether a secret can be at the request's path. */
static bool names_secret(const struct call *call)
{
	return *path_of(call) && !ends_with(path_of(call), "/");
}

static int is_there(struct call *call)
{
	json_auto_t *secret = NULL;
	int r = 0;

	if (refuse(call))
		return 0;
	if (names_secret(call))
		r = load(call, &secret);
	return r < 0 ? r : secret != NULL;
}

static int read_secret(struct call *call)
{
	json_t *secret = NULL;
	int r = 0;

	if (refuse(call))
		return 0;
	if (!*path_of(call))
		return call_wrapped_error(call, 500, "missing path");
	if (names_secret(call))
		r = load(call, &secret);
	if (r == 0 && secret && wrapping_made(call->token) && streq(path_of(call), "response"))
		call_warn(call,
		    "Reading from 'cubbyhole/response' is deprecated. Please use sys/wrapping/unwrap to unwrap "
		    "responses, as it provides additional security checks and other benefits.");
	return r < 0 ? r : call_data(call, secret);
}

static int list_secrets(struct call *call)
{
	json_auto_t *keys = NULL;
	char *folder AUTO_FREE = NULL;
	json_t *data;
	int r;

	if (refuse(call))
		return 0;
	folder = record_key(call, path_of(call));
	r = folder ? core_list(call, folder, &keys) : -ENOMEM;
	if (r < 0)
		return r;
	if (json_array_size(keys) == 0)
		return call_data(call, NULL);
	data = json_pack("{s:O}", "keys", keys);
	return data ? call_data(call, data) : -ENOMEM;
}

static int write_secret(struct call *call)
{
	char *key AUTO_FREE = NULL;
	int r;

	if (refuse(call))
		return 0;
	if (json_object_size(call->request->data) == 0)
		return call_wrapped_error(call, 500, "missing data fields");
	if (!*path_of(call))
		return call_wrapped_error(call, 500, "missing path");
	key = record_key(call, path_of(call));
	if (!key)
		return -ENOMEM;
	/* A token that is used for the last time is gone already: nobody could read this, or remove it. */
	r = call->token->num_uses < 0 ? 0 : core_put(call, key, call->request->data);
	return r < 0 ? r : call_done(call);
}

static int delete_secret(struct call *call)
{
	char *key AUTO_FREE = NULL;
	int r;

	if (refuse(call))
		return 0;
	if (!names_secret(call))
		return call_done(call);
	key = record_key(call, path_of(call));
	r = key ? core_delete(call, key) : -ENOMEM;
	return r < 0 ? r : call_done(call);
}

int cubbyhole_forget(struct call *call, const char *salted)
{
	char *folder AUTO_FREE = NULL;

	if (asprintf(&folder, CUBBYHOLE_FOLDER "%s/", salted) < 0) {
		folder = NULL;
		return -ENOMEM;
	}
	return call_delete_tree(call, folder);
}

static const struct engine_path paths[] = {
	{ .pattern = "{path...?}",
	    .read = read_secret,
	    .list = list_secrets,
	    .update = write_secret,
	    .delete = delete_secret,
	    .exists = is_there,
	    .help = "Read, write, list and delete secrets that only this token sees." },
	{ NULL },
};

const struct engine cubbyhole_engine = {
	.type = "cubbyhole",
	.help = "Keeps secrets of a token for as long as it lives.",
	.paths = paths,
};
