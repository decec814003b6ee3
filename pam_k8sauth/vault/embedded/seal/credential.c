/* SPDX-License-Identifier: Apache-2.0 */
/* A key from systemd's credentials: LoadCredential= of a file, or LoadCredentialEncrypted= of what systemd-creds made. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/safe_open.h"
#include "vault/embedded/seal/kind.h"

struct credential_seal {
	const char *name; /* the configuration's */
};

/* The credential is the service's own: the manager put it there, for this unit alone. */
static int read_credential(const char *name, struct buf *ret, char *why, size_t why_size)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	char *path AUTO_FREE = NULL;
	int fd AUTO_CLOSE = -1;
	struct stat st;
	int r;

	if (!directory) {
		snprintf(why, why_size, "no credential %s: the service has none (LoadCredential= in its unit)", name);
		return -ENOENT;
	}
	if (!*name || strchr(name, '/')) {
		snprintf(why, why_size, "\"%s\" is not the name of a credential", name);
		return -EINVAL;
	}
	if (asprintf(&path, "%s/%s", directory, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0) {
		r = -errno;
		snprintf(why, why_size, "cannot read the credential %s: %s", path, strerror(-r));
		return r;
	}
	r = S_ISREG(st.st_mode) ? read_all(fd, 1024, ret) : -EINVAL;
	if (r < 0)
		snprintf(why, why_size, "the credential %s is not a file with a key", path);
	return r;
}

static int read_key(const char *name, struct secret **ret, char *why, size_t why_size)
{
	struct buf text AUTO_BUF = BUF_MAX(1024);
	int r = read_credential(name, &text, why, why_size);

	if (r == 0) {
		r = seal_key_read(text.data ? text.data : "", text.len, ret);
		if (r == -EINVAL)
			snprintf(why, why_size,
			    "the credential %s is not a key: 32 bytes are needed, or their hex or base64 text", name);
	}
	return r;
}

static int open_credential(
    struct event_base *base, const struct seal_config *config, void **ret, char *why, size_t why_size)
{
	struct credential_seal *seal = calloc(1, sizeof(*seal));

	(void)base;
	if (!seal) {
		snprintf(why, why_size, "no memory");
		return -ENOMEM;
	}
	seal->name = seal_config_value(config, "name");
	*ret = seal;
	return 0;
}

static void wrap(void *seal, const struct secret *root_key, struct seal_op *op)
{
	struct credential_seal *credential = seal;
	struct secret *key AUTO_SECRET = NULL;

	snprintf(op->why, sizeof(op->why), "no memory");
	op->r = read_key(credential->name, &key, op->why, sizeof(op->why));
	if (op->r == 0)
		op->r = seal_key_wrap(key, root_key, &op->wrapped);
}

static void unwrap(void *seal, const struct store_blob *wrapped, struct seal_op *op)
{
	struct credential_seal *credential = seal;
	struct secret *key AUTO_SECRET = NULL;

	snprintf(op->why, sizeof(op->why), "no memory");
	op->r = read_key(credential->name, &key, op->why, sizeof(op->why));
	if (op->r < 0)
		return;
	op->r = seal_key_unwrap(key, wrapped, &op->root_key);
	if (op->r < 0)
		snprintf(op->why, sizeof(op->why),
		    "the credential %s is not the key that this store was sealed with", credential->name);
}

const struct seal_kind seal_credential = {
	.type = "systemd-credential",
	.open = open_credential,
	.close = free,
	.wrap = wrap,
	.unwrap = unwrap,
};
