/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes malloc(), calloc() and mmap() over: this program exports its own, and the loader prefers a program's symbols to
 * libc's. Who calls is told by the return address. See memory.h.
 */
#include "memory.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"
#include "sanitized.h"

#define EXPORT __attribute__((visibility("default"), noinline))

static _Thread_local bool failing;

bool memory_can_fail(void)
{
	return !SANITIZED;
}

void memory_fails(bool fails)
{
	failing = fails;
}

#if !SANITIZED
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);

/* Whether CALLER gets nothing. */
static bool denied(const void *caller)
{
	Dl_info info;

	if (!failing)
		return false;
	failing = false; /* dladdr() may allocate */
	if (dladdr(caller, &info) == 0 || !info.dli_fname || !ends_with(info.dli_fname, "/pam_k8sauth.so")) {
		failing = true;
		return false;
	}
	failing = true;
	errno = ENOMEM;
	return true;
}

EXPORT void *malloc(size_t size)
{
	return denied(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

EXPORT void *calloc(size_t count, size_t size)
{
	return denied(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

EXPORT void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
	long mapped;

	if (denied(__builtin_return_address(0)))
		return MAP_FAILED;
	mapped = syscall(SYS_mmap, address, size, protection, flags, fd, offset);
	return (void *)mapped;
}
#endif
