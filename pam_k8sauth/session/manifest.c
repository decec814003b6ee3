/* SPDX-License-Identifier: Apache-2.0 */
/* MACs of a session's secret files; see manifest.h. */
#include "session/manifest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

static struct manifest_file *grow(struct manifest *manifest, const char *name)
{
	struct manifest_file *files = reallocarray(manifest->files, manifest->n + 1, sizeof(*files));

	if (!files)
		return NULL;
	manifest->files = files;
	files[manifest->n] = (struct manifest_file){ .name = strdup(name) };
	return files[manifest->n].name ? &files[manifest->n++] : NULL;
}

const struct manifest_file *manifest_add(
    struct manifest *manifest, const char *name, const struct secret *key, const void *data, size_t len)
{
	struct manifest_file *file = grow(manifest, name);
	unsigned char mac[EVP_MAX_MD_SIZE];

	if (!file)
		return NULL;
	if (!HMAC(EVP_sha256(), secret_reveal(key), (int)secret_len(key), data, len, mac, NULL)) {
		manifest->n--;
		free(file->name);
		return NULL;
	}
	memcpy(file->mac, mac, sizeof(file->mac));
	return file;
}

bool manifest_add_copy(struct manifest *manifest, const struct manifest_file *file)
{
	struct manifest_file *copy = grow(manifest, file->name);

	if (copy)
		memcpy(copy->mac, file->mac, sizeof(copy->mac));
	return copy;
}

const struct manifest_file *manifest_find(const struct manifest *manifest, const char *name, size_t *at)
{
	for (size_t i = 0; i < manifest->n; i++) {
		const struct manifest_file *file = &manifest->files[(*at + i) % manifest->n];

		if (streq(file->name, name)) {
			*at = (*at + i + 1) % manifest->n;
			return file;
		}
	}
	return NULL;
}

void manifest_digest(const struct manifest *manifest, unsigned char ret[static MANIFEST_MAC])
{
	/* Names are in the MACs and no two are equal: nothing cancels out. */
	memset(ret, 0, MANIFEST_MAC);
	for (size_t i = 0; i < manifest->n; i++) {
		for (size_t b = 0; b < MANIFEST_MAC; b++)
			ret[b] ^= manifest->files[i].mac[b];
	}
}

void manifest_clear(struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->n; i++)
		free(manifest->files[i].name);
	free(manifest->files);
	*manifest = (struct manifest){ 0 };
}
