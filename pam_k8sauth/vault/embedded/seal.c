/* SPDX-License-Identifier: Apache-2.0 */
/* The key from systemd credentials, and the root key under it. */
#include "vault/embedded/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/safe_open.h"
#include "base/text.h"
#include "vault/embedded/barrier.h"

#define ROOT_KEY_PATH "core/root-key"
#define HEX_LEN	      (2 * BARRIER_KEY_SIZE)
#define BASE64_LEN    (base64_size(BARRIER_KEY_SIZE) - 1)

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

int seal_credential_key(const char *name, struct secret **ret, char *why, size_t why_size)
{
	struct buf text AUTO_BUF = BUF_MAX(1024);
	struct secret *key AUTO_SECRET = secret_new(BARRIER_KEY_SIZE);
	size_t len;
	ssize_t n = -EINVAL;
	int r;

	if (!key)
		return -ENOMEM;
	r = read_credential(name, &text, why, why_size);
	if (r < 0)
		return r;
	len = text.len;
	while (len > 0 && text.data[len - 1] && strchr(" \t\r\n", text.data[len - 1]))
		len--;
	if (text.len == BARRIER_KEY_SIZE) {
		memcpy(secret_reveal(key), text.data, text.len);
		n = BARRIER_KEY_SIZE;
	} else if (len == HEX_LEN) {
		n = hex_decode(text.data, len, secret_reveal(key), BARRIER_KEY_SIZE);
	} else if (len == BASE64_LEN && text.data[len - 1] == '=' && text.data[len - 2] != '=') {
		n = base64_decode(text.data, len, secret_reveal(key));
	}
	if (n != BARRIER_KEY_SIZE) {
		snprintf(why, why_size,
		    "the credential %s is not a key: 32 bytes are needed, or their hex or base64 text", name);
		return -EINVAL;
	}
	*ret = TAKE_PTR(key);
	return 0;
}

int seal_wrap(const struct secret *seal_key, const struct secret *root_key, struct store_blob *ret)
{
	return aead_seal(seal_key, 0, ROOT_KEY_PATH, secret_reveal(root_key), secret_len(root_key), ret);
}

int seal_unwrap(const struct secret *seal_key, const struct store_blob *wrapped, struct secret **ret)
{
	return aead_open(seal_key, ROOT_KEY_PATH, wrapped->data, wrapped->len, ret);
}
