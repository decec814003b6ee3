/* SPDX-License-Identifier: Apache-2.0 */
/* What a call reads and writes: the store through the barrier, under the call's own writes. */
#include "vault/embedded/core_internal.h"

#include <errno.h>
#include <stdio.h>

#include "base/json_quick.h"
#include "base/text.h"

#define WRITES_FEW 32 /* of a call: no more than can be looked through one by one */

bool call_array_grow(void **items, size_t n, size_t *size, size_t item_size)
{
	size_t more = *size ? *size * 2 : 8;
	void *grown;

	if (n < *size)
		return true;
	grown = reallocarray(*items, more, item_size);
	if (!grown)
		return false;
	*items = grown;
	*size = more;
	return true;
}

struct barrier *call_barrier(const struct call_private *call)
{
	return call->barrier ? call->barrier : call->call.core->barrier;
}

/* Relative to the mount's data. */
static int mount_key(const struct call *call, const char *key, char ret[static STORE_KEY_MAX])
{
	int n = snprintf(ret, STORE_KEY_MAX, MOUNT_DATA "%s", call->mount->uuid, key);

	return n < STORE_KEY_MAX ? 0 : -ENAMETOOLONG;
}

/* --- reading */

static bool is_record(const struct call_write *write)
{
	return write->kind == WRITE_PUT || write->kind == WRITE_DELETE;
}

/* The place of KEY in the index, free or not. There is always a free one: at most half of them are used. */
static uint32_t *index_slot(struct call_private *call, const char *key)
{
	uint64_t hash = 14695981039346656037u; /* FNV-1a */
	size_t slot;

	for (const char *c = key; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 1099511628211u;
	slot = (size_t)(hash ^ hash >> 32) & (call->write_index_size - 1);
	while (call->write_index[slot] && !streq(call->writes.items[call->write_index[slot] - 1].key, key))
		slot = (slot + 1) & (call->write_index_size - 1);
	return &call->write_index[slot];
}

/* Brings the index up to date. False without memory. */
static bool index_writes(struct call_private *call)
{
	size_t size = 4 * WRITES_FEW;

	if (2 * call->writes.n > call->write_index_size) {
		while (size < 4 * call->writes.n)
			size *= 2;
		free(call->write_index);
		call->write_index = calloc(size, sizeof(*call->write_index));
		call->write_index_size = call->write_index ? size : 0;
		call->writes_indexed = 0;
	}
	if (!call->write_index)
		return false;
	for (; call->writes_indexed < call->writes.n; call->writes_indexed++) {
		const struct call_write *write = &call->writes.items[call->writes_indexed];

		if (is_record(write))
			*index_slot(call, write->key) = (uint32_t)(call->writes_indexed + 1);
	}
	return true;
}

struct call_write *call_own_write(struct call_private *call, const char *key)
{
	if (call->writes.n > WRITES_FEW && index_writes(call)) {
		uint32_t at = *index_slot(call, key);

		return at ? &call->writes.items[at - 1] : NULL;
	}
	for (size_t i = call->writes.n; i > 0; i--) {
		struct call_write *write = &call->writes.items[i - 1];

		if (is_record(write) && streq(write->key, key))
			return write;
	}
	return NULL;
}

static int parse(const char *text, size_t len, json_t **ret)
{
	errno = 0;
	*ret = json_quick_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	/* Nobody may take a record for a broken one that there was no memory to read. */
	return *ret ? 0 : errno == ENOMEM ? -ENOMEM : -EIO;
}

int call_read(struct call *call, const struct store_key *key, struct store_blob *ret)
{
	struct call_private *private = private_of(call);
	struct store_entry *entry;
	int r = store_get(call->core->store, key, &private->waiter, &entry, ret);

	if (r == -ENOMEM)
		return r;
	if (!CALL_ARRAY_GROW(private->pins)) {
		store_unpin(call->core->store, entry);
		return -ENOMEM;
	}
	private->pins.items[private->pins.n++] = entry;
	return r;
}

static int open_record(struct call *call, const char *key, const struct store_blob *sealed, json_t **ret)
{
	struct store_blob plain;
	int r = barrier_open(call_barrier(call->private), key, strlen(key), sealed, &plain);

	if (r == 0) {
		r = parse((const char *)plain.data, plain.len, ret);
		wipe(plain.data, plain.len);
		free(plain.data);
	}
	if (r == -EBADMSG || r == -EIO) {
		log_line(LOG_ERR, call->request->ref,
		    "store: the record of %s was changed, or put in this place, by somebody else: refused", key);
		r = -EIO;
	}
	return r;
}

int core_get(struct call *call, const char *key, json_t **ret)
{
	struct call_private *private = private_of(call);
	const struct barrier *barrier = call_barrier(private);
	struct call_write *write = call_own_write(private, key);
	struct store_blob sealed;
	struct store_key hash;
	int r;

	if (write)
		return write->kind == WRITE_PUT ? parse(write->text, write->len, ret) : -ENOENT;
	if (!barrier)
		return -EIO; /* sealed */
	r = barrier_hash(barrier, key, strlen(key), &hash);
	if (r == 0)
		r = call_read(call, &hash, &sealed);
	return r < 0 ? r : open_record(call, key, &sealed, ret);
}

int call_get(struct call *call, const char *key, json_t **ret)
{
	char whole[STORE_KEY_MAX];
	int r = mount_key(call, key, whole);

	return r < 0 ? r : core_get(call, whole, ret);
}

int call_list(struct call *call, const char *prefix, json_t **ret)
{
	char whole[STORE_KEY_MAX];
	int r = mount_key(call, prefix, whole);

	return r < 0 ? r : core_list(call, whole, ret);
}

/* --- writing */

static void write_clear(struct call_write *write)
{
	free(write->key);
	if (write->text)
		wipe(write->text, write->len);
	free(write->text);
}

void call_drop_writes(struct call_private *call, size_t kept)
{
	if (call->writes_indexed > kept) {
		memset(call->write_index, 0, call->write_index_size * sizeof(*call->write_index));
		call->writes_indexed = 0;
	}
	while (call->writes.n > kept)
		write_clear(&call->writes.items[--call->writes.n]);
}

/* KEY is copied; TEXT is taken over, also on failure. */
static int add_write(struct call *call, enum call_write_kind kind, const char *key, char *text, size_t len)
{
	struct call_private *private = private_of(call);
	struct call_write write = { .kind = kind, .key = strdup(key), .text = text, .len = len };

	if (!write.key || !CALL_ARRAY_GROW(private->writes)) {
		write_clear(&write);
		return -ENOMEM;
	}
	private->writes.items[private->writes.n++] = write;
	return 0;
}

/* A record's key: not empty, and no folder's. */
static bool is_record_key(const char *key)
{
	return *key && !ends_with(key, "/") && strlen(key) < STORE_KEY_MAX;
}

int core_put(struct call *call, const char *key, json_t *value)
{
	char *text;

	if (!is_record_key(key))
		return -EINVAL;
	text = json_quick_dumps(value);
	if (!text)
		return -ENOMEM;
	return add_write(call, WRITE_PUT, key, text, strlen(text));
}

int call_put(struct call *call, const char *key, json_t *value)
{
	char whole[STORE_KEY_MAX];
	int r = mount_key(call, key, whole);

	return r < 0 ? r : core_put(call, whole, value);
}

int core_delete(struct call *call, const char *key)
{
	return is_record_key(key) ? add_write(call, WRITE_DELETE, key, NULL, 0) : -EINVAL;
}

int call_delete(struct call *call, const char *key)
{
	char whole[STORE_KEY_MAX];
	int r = mount_key(call, key, whole);

	return r < 0 ? r : core_delete(call, whole);
}

int call_delete_tree(struct call *call, const char *folder)
{
	return ends_with(folder, "/") ? add_write(call, WRITE_DELETE_TREE, folder, NULL, 0) : -EINVAL;
}

int call_put_meta(struct call *call, const char *name, const void *data, size_t len)
{
	char *copy = malloc(len);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, data, len);
	return add_write(call, WRITE_META, name, copy, len);
}

void call_relaxed(struct call *call)
{
	private_of(call)->relaxed = true;
}

/* --- the transaction */

/* The length of the folder that the first LEN bytes of KEY lie in: up to and with the '/' before the last part. */
static size_t parent_len(const char *key, size_t len)
{
	if (len)
		len--; /* a folder's own '/' */
	while (len && key[len - 1] != '/')
		len--;
	return len;
}

/* The keys of KEY and of the folders above it; the root is nobody's child. At most PATH_PARTS_MAX + 8. 0 or an errno.
 */
static int keys_up(
    const struct barrier *barrier, const char *key, struct store_key *ret, size_t *ret_lens, size_t *ret_n)
{
	size_t len = strlen(key), n = 0;
	int r = 0;

	while (r == 0 && len && n < PATH_PARTS_MAX + 8) {
		ret_lens[n] = len;
		r = barrier_hash(barrier, key, len, &ret[n++]);
		len = parent_len(key, len);
	}
	*ret_n = n;
	return r < 0 ? r : len || !n ? -ENAMETOOLONG : 0;
}

static void free_names(struct store_node *nodes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(nodes[i].name.data);
}

static int txn_put(struct barrier *barrier, struct store_txn *txn, const struct call_write *write)
{
	struct store_key keys[PATH_PARTS_MAX + 9];
	struct store_node nodes[PATH_PARTS_MAX + 8];
	size_t lens[PATH_PARTS_MAX + 8], n;
	struct store_blob value;
	int r = keys_up(barrier, write->key, keys, lens, &n);

	if (r == 0)
		r = barrier_hash(barrier, "", 0, &keys[n]);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		size_t up = parent_len(write->key, lens[i]);

		nodes[i].key = keys[i];
		nodes[i].parent = keys[i + 1];
		r = barrier_seal(barrier, write->key, up, write->key + up, lens[i] - up, &nodes[i].name);
		if (r < 0) {
			free_names(nodes, i);
			return r;
		}
	}
	r = barrier_seal(barrier, write->key, lens[0], write->text, write->len, &value);
	if (r < 0) {
		free_names(nodes, n);
		return r;
	}
	return store_txn_put(txn, nodes, n, value);
}

static int txn_delete(const struct barrier *barrier, struct store_txn *txn, const struct call_write *write)
{
	struct store_key keys[PATH_PARTS_MAX + 8];
	size_t lens[PATH_PARTS_MAX + 8], n;
	int r = keys_up(barrier, write->key, keys, lens, &n);

	if (r < 0)
		return r;
	if (write->kind == WRITE_DELETE_TREE)
		return store_txn_delete_tree(txn, keys, n);
	return store_txn_delete(txn, keys, n);
}

static int txn_meta(struct store_txn *txn, const struct call_write *write)
{
	struct store_blob value = { .data = malloc(write->len), .len = write->len };

	if (!value.data)
		return -ENOMEM;
	memcpy(value.data, write->text, write->len);
	return store_txn_meta(txn, write->key, value);
}

int call_make_txn(struct call_private *call, struct store_txn **ret)
{
	struct barrier *barrier = call_barrier(call);
	struct store_txn *txn = store_txn_new();
	int r = !txn ? -ENOMEM : !barrier ? -EIO : 0;

	for (size_t i = 0; r == 0 && i < call->writes.n; i++) {
		struct call_write *write = &call->writes.items[i];

		if (write->kind == WRITE_META)
			r = txn_meta(txn, write);
		else if (write->kind == WRITE_DELETE_TREE)
			r = txn_delete(barrier, txn, write);
		else if (call_own_write(call, write->key) != write)
			continue; /* a later one of the same key stands */
		else
			r = write->kind == WRITE_PUT ? txn_put(barrier, txn, write) : txn_delete(barrier, txn, write);
	}
	if (r < 0)
		store_txn_free(txn);
	else
		*ret = txn;
	return r;
}
