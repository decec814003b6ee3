/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key in a file, and the one before it, for a change of keys: what the previous key wrapped is wrapped again by the
 * current one (vault-core.md 7.3). The id of the key stands before what it wrapped: its length, then its text.
 */
#include <errno.h>
#include <stdio.h>

#include "vault/embedded/seal/kind.h"

#define ID_MAX 255

struct static_key {
	const char *id, *file; /* the configuration's; NULL: there is no such key */
};

struct static_seal {
	struct static_key current, previous;
};

static int open_static(
    struct event_base *base, const struct seal_config *config, void **ret, char *why, size_t why_size)
{
	struct static_seal *seal = calloc(1, sizeof(*seal));
	int r = -EINVAL;

	(void)base;
	if (!seal) {
		snprintf(why, why_size, "no memory");
		return -ENOMEM;
	}
	seal->current.id = seal_config_value(config, "current_key_id");
	seal->current.file = seal_config_value(config, "current_key_file");
	seal->previous.id = seal_config_value(config, "previous_key_id");
	seal->previous.file = seal_config_value(config, "previous_key_file");
	if (!seal->previous.id != !seal->previous.file)
		snprintf(why, why_size, "seal \"static\": previous_key_id and previous_key_file go together");
	else if (seal->previous.id && streq(seal->previous.id, seal->current.id))
		snprintf(why, why_size, "seal \"static\": the ids of the two keys are the same");
	else if (strlen(seal->current.id) > ID_MAX)
		snprintf(why, why_size, "seal \"static\": the id of a key has at most %d bytes", ID_MAX);
	else
		r = 0;
	if (r < 0)
		free(seal);
	else
		*ret = seal;
	return r;
}

static int read_key(const struct static_key *key, struct secret **ret, char *why, size_t why_size)
{
	struct secret *text AUTO_SECRET = NULL;
	int r = seal_file_read(key->file, 1024, &text, why, why_size);

	if (r < 0)
		return r;
	r = seal_key_read(secret_reveal(text), secret_len(text), ret);
	if (r < 0)
		snprintf(why, why_size, "%s is not a key: 32 bytes are needed, or their hex or base64 text", key->file);
	return r;
}

static int check(void *seal, char *why, size_t why_size)
{
	const struct static_seal *keys = seal;
	struct secret *current AUTO_SECRET = NULL, *previous AUTO_SECRET = NULL;
	int r = read_key(&keys->current, &current, why, why_size);

	return r == 0 && keys->previous.id ? read_key(&keys->previous, &previous, why, why_size) : r;
}

static void wrap(void *seal, const struct secret *root_key, struct seal_op *op)
{
	const struct static_key *current = &((struct static_seal *)seal)->current;
	size_t id_len = strlen(current->id);
	struct secret *key AUTO_SECRET = NULL;
	struct store_blob sealed;

	op->r = read_key(current, &key, op->why, sizeof(op->why));
	if (op->r < 0)
		return;
	snprintf(op->why, sizeof(op->why), "no memory");
	op->r = seal_key_wrap(key, root_key, &sealed);
	if (op->r < 0)
		return;
	op->wrapped.data = malloc(1 + id_len + sealed.len);
	op->r = op->wrapped.data ? 0 : -ENOMEM;
	if (op->r == 0) {
		op->wrapped.data[0] = (uint8_t)id_len;
		memcpy(op->wrapped.data + 1, current->id, id_len);
		memcpy(op->wrapped.data + 1 + id_len, sealed.data, sealed.len);
		op->wrapped.len = 1 + id_len + sealed.len;
	}
	free(sealed.data);
}

static bool is_of(const struct static_key *key, const struct store_blob *wrapped)
{
	return key->id && strlen(key->id) == wrapped->data[0] &&
	       memcmp(key->id, wrapped->data + 1, wrapped->data[0]) == 0;
}

static void unwrap(void *seal, const struct store_blob *wrapped, struct seal_op *op)
{
	const struct static_seal *keys = seal;
	struct secret *key AUTO_SECRET = NULL;
	const struct static_key *used;
	struct store_blob sealed;

	if (wrapped->len < 1 || wrapped->len < 1u + wrapped->data[0]) {
		op->r = -EBADMSG;
		snprintf(op->why, sizeof(op->why), "what the store has of the root key was changed");
		return;
	}
	used = is_of(&keys->current, wrapped) ? &keys->current : is_of(&keys->previous, wrapped) ? &keys->previous : NULL;
	if (!used) {
		op->r = -ENOKEY;
		snprintf(op->why, sizeof(op->why), "the store was sealed with the key \"%.*s\", and seal \"static\" has \"%s\"%s%s%s",
		    (int)wrapped->data[0], (const char *)wrapped->data + 1, keys->current.id,
		    keys->previous.id ? " and \"" : "", keys->previous.id ? keys->previous.id : "",
		    keys->previous.id ? "\"" : "");
		return;
	}
	op->r = read_key(used, &key, op->why, sizeof(op->why));
	if (op->r < 0)
		return;
	sealed = (struct store_blob){ .data = wrapped->data + 1 + wrapped->data[0],
		.len = wrapped->len - 1 - wrapped->data[0] };
	op->r = seal_key_unwrap(key, &sealed, &op->root_key);
	op->renew = used == &keys->previous;
	if (op->r < 0)
		snprintf(op->why, sizeof(op->why), "%s is not the key \"%s\" that this store was sealed with", used->file,
		    used->id);
}

const struct seal_kind seal_static = {
	.type = "static",
	.open = open_static,
	.close = free,
	.check = check,
	.wrap = wrap,
	.unwrap = unwrap,
};
