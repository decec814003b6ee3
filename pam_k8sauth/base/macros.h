/* SPDX-License-Identifier: Apache-2.0 */
/* Cleanup attributes and the few macros that every room uses. */
#pragma once

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(a)	     (sizeof(a) / sizeof((a)[0]))
#define CLEANUP(f)	     __attribute__((cleanup(f)))
#define PRINTF_LIKE(fmt, va) __attribute__((format(printf, fmt, va)))
#define NODISCARD	     __attribute__((warn_unused_result))

/* Hands a pointer over: the variable is NULL afterwards, so that its cleanup does nothing. */
#define TAKE_PTR(p)                            \
	__extension__({                        \
		__typeof__(p) *take_p = &(p);  \
		__typeof__(p) taken = *take_p; \
		*take_p = NULL;                \
		taken;                         \
	})

/* The same for a file descriptor. */
#define TAKE_FD(fd)                  \
	__extension__({              \
		int *take_f = &(fd); \
		int taken = *take_f; \
		*take_f = -1;        \
		taken;               \
	})

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define AUTO_FREE  CLEANUP(cleanup_free)
#define AUTO_CLOSE CLEANUP(cleanup_close)

static inline int streq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}
