/* SPDX-License-Identifier: Apache-2.0 */
/* Threads beside the loop. */
#pragma once

#include <pthread.h>

#include "base/macros.h"

/*
 * Starts a thread that gets no signal: they are the loop's. Like pthread_create(3), whose error is returned as a
 * negative errno.
 */
int thread_start(pthread_t *ret, void *(*run)(void *arg), void *arg) NODISCARD;
