/* SPDX-License-Identifier: Apache-2.0 */
/* The table of kinds, and what those with a key of their own share; see kind.h. */
#include "vault/embedded/seal/kind.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/safe_open.h"
#include "base/text.h"
#include "vault/embedded/barrier.h"

#define ROOT_KEY_PATH "core/root-key"
#define HEX_LEN	      (2 * BARRIER_KEY_SIZE)
#define BASE64_LEN    (base64_size(BARRIER_KEY_SIZE) - 1)

/* One line per kind. */
static const struct seal_kind *const seal_kinds[] = { &seal_shamir, &seal_credential, &seal_static,
	&seal_transit };

const struct seal_kind seal_shamir = { .type = "shamir", .by_shares = true };

const struct seal_kind *seal_kind_of(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(seal_kinds); i++)
		if (streq(seal_kinds[i]->type, type))
			return seal_kinds[i];
	return NULL;
}

int seal_config_check(const struct seal_config *config, char *why, size_t why_size)
{
	const struct seal_kind *kind = seal_kind_of(config->kind->type);
	struct event_base *base;
	void *seal = NULL;
	int r;

	if (!kind || !kind->check)
		return 0;
	base = event_base_new(); /* never run: nothing is asked */
	r = base ? kind->open(base, config, &seal, why, why_size) : -ENOMEM;
	if (r == 0) {
		r = kind->check(seal, why, why_size);
		kind->close(seal);
	}
	if (base)
		event_base_free(base);
	return r;
}

void seal_op_end(struct seal_op *op)
{
	if (op->r == -EINPROGRESS && op->cancel)
		op->cancel(op->state);
	free(op->wrapped.data);
	secret_free(op->root_key);
	*op = (struct seal_op){ 0 };
}

void seal_op_begin(struct seal_op *op, void (*done)(void *arg), void *arg)
{
	seal_op_end(op);
	op->done = done;
	op->arg = arg;
}

int seal_file_read(const char *path, size_t max, struct secret **ret, char *why, size_t why_size)
{
	struct buf text AUTO_BUF = { .max = max };
	int fd AUTO_CLOSE = -1;
	struct stat st;
	int r = safe_open(path, geteuid(), max, &fd, why, why_size);

	if (r < 0)
		return r;
	if (fstat(fd, &st) == 0 && (st.st_mode & S_IRWXO)) {
		snprintf(why, why_size, "%s: everybody may read this secret: chmod o= it", path);
		return -EPERM;
	}
	r = read_all(fd, max, &text);
	*ret = r == 0 ? secret_copy(text.data ? text.data : "", text.len) : NULL;
	if (*ret)
		return 0;
	snprintf(why, why_size, "cannot read %s: %s", path, r < 0 ? strerror(-r) : "no memory");
	return r < 0 ? r : -ENOMEM;
}

int seal_key_read(const char *text, size_t text_len, struct secret **ret)
{
	struct secret *key AUTO_SECRET = secret_new(BARRIER_KEY_SIZE);
	size_t len = text_len;
	ssize_t n = -EINVAL;

	if (!key)
		return -ENOMEM;
	while (len > 0 && text[len - 1] && strchr(" \t\r\n", text[len - 1]))
		len--;
	if (text_len == BARRIER_KEY_SIZE) {
		memcpy(secret_reveal(key), text, text_len);
		n = BARRIER_KEY_SIZE;
	} else if (len == HEX_LEN) {
		n = hex_decode(text, len, secret_reveal(key), BARRIER_KEY_SIZE);
	} else if (len == BASE64_LEN && text[len - 1] == '=' && text[len - 2] != '=') {
		n = base64_decode(text, len, secret_reveal(key));
	}
	if (n != BARRIER_KEY_SIZE)
		return -EINVAL;
	*ret = TAKE_PTR(key);
	return 0;
}

int seal_key_wrap(const struct secret *key, const struct secret *root_key, struct store_blob *ret)
{
	return aead_seal(key, 0, ROOT_KEY_PATH, secret_reveal(root_key), secret_len(root_key), ret);
}

int seal_key_unwrap(const struct secret *key, const struct store_blob *wrapped, struct secret **ret)
{
	return aead_open(key, ROOT_KEY_PATH, wrapped->data, wrapped->len, ret);
}
