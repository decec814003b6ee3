/* SPDX-License-Identifier: Apache-2.0 */
/* SANITIZED: 1 where the address sanitizer has its own allocator and looks for leaks by itself, else 0. */
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif
