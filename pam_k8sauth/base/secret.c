/* SPDX-License-Identifier: Apache-2.0 */
/* Secret buffers and wiping allocators; see secret.h. */
#include "base/secret.h"

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>

#include "base/secret_pages.h"

struct secret {
	size_t len;
	size_t mapped;
	char data[];
};

void wipe(void *data, size_t len)
{
	if (len > 0)
		explicit_bzero(data, len);
}

void *secret_pages_map(size_t size)
{
	void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED)
		return NULL;
	(void)madvise(pages, size, MADV_DONTDUMP);
	(void)mlock(pages, size); /* beyond RLIMIT_MEMLOCK the secret is still wiped and undumped */
	return pages;
}

struct secret *secret_new(size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size;
	struct secret *secret;

	if (__builtin_add_overflow(len, sizeof(*secret) + page, &size))
		return NULL;
	size = size / page * page;
	if (size < len + sizeof(*secret) + 1)
		size += page;
	secret = secret_pages_take(size);
	if (!secret)
		return NULL;
	secret->len = len;
	secret->mapped = size;
	return secret;
}

struct secret *secret_copy(const void *data, size_t len)
{
	struct secret *secret = secret_new(len);

	if (secret && len > 0)
		memcpy(secret->data, data, len);
	return secret;
}

void secret_free(struct secret *secret)
{
	int saved = errno;
	size_t mapped;

	if (!secret)
		return;
	mapped = secret->mapped;
	/* A writer within bounds reaches the NUL at most; the pages may become another secret's. */
	wipe(secret, sizeof(*secret) + secret->len + 1);
	secret_pages_give(secret, mapped);
	errno = saved;
}

char *secret_reveal(const struct secret *secret)
{
	return (char *)(uintptr_t)secret->data;
}

size_t secret_len(const struct secret *secret)
{
	return secret->len;
}

bool equal_constant_time(const void *a, const void *b, size_t len)
{
	const volatile unsigned char *x = a, *y = b;
	unsigned char difference = 0;

	for (size_t i = 0; i < len; i++)
		difference |= x[i] ^ y[i];
	return difference == 0;
}

static void *counted(void *data)
{
	if (!data)
		secret_note_failure();
	return data;
}

void *wipe_malloc(size_t size)
{
	return counted(malloc(size));
}

void *wipe_calloc(size_t count, size_t size)
{
	return counted(calloc(count, size));
}

void *wipe_realloc(void *data, size_t size)
{
	size_t old = data ? malloc_usable_size(data) : 0;
	void *fresh;

	if (data && size <= old && size >= old / 2)
		return data;
	fresh = wipe_malloc(size ? size : 1);
	if (!fresh)
		return NULL;
	if (data) {
		memcpy(fresh, data, old < size ? old : size);
		wipe_free(data);
	}
	return fresh;
}

char *wipe_strdup(const char *text)
{
	return counted(strdup(text));
}

void wipe_free(void *data)
{
	if (!data)
		return;
	wipe(data, malloc_usable_size(data));
	free(data);
}
