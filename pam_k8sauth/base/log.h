/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log lines for programs of ours (not for the PAM and NSS objects, which live in other people's processes). A line
 * about one login or request carries its reference id: journald keeps it as K8SAUTH_REF=, and `k8sauth explain REF`
 * finds it. Never give it a secret; long lines end in a mark that says that they were cut.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <syslog.h>

#include "base/macros.h"

#define REF_LEN	 6 /* hex digits of a reference id */
#define REF_SIZE (REF_LEN + 1)

/* Where lines go. REF may be NULL. LEVEL is syslog's. */
typedef void log_sink(int level, const char *ref, const char *line);

/* Lines above LEVEL (syslog numbers: LOG_DEBUG is the highest) are dropped; default LOG_INFO. */
void log_set_level(int level);
/* Until further notice; negative: what was set last by log_set_level. */
void log_change_level(int level);
int log_level(void);

/* Replaces the sink; the default (NULL) writes `<level>line` to stderr where journald listens there, a plain line
 * elsewhere.
 */
void log_set_sink(log_sink *sink);

/* A sink by sd_journal_send with PRIORITY= and K8SAUTH_REF= (daemon and CLI only: links libsystemd). */
log_sink log_journal_sink;

/* A new random reference id. */
void log_new_ref(char ret_ref[static REF_SIZE]);

void log_line(int level, const char *ref, const char *format, ...) PRINTF_LIKE(3, 4);

/*
 * Lines that anybody can cause are limited, each kind by itself (starts as {}): beyond its own limit journald drops
 * whatever a service says, and so the lines that count.
 */
struct log_limit {
	int64_t window; /* monotonic ms when counting began */
	unsigned lines;
};
#define LOG_LIMIT_MS	10000
#define LOG_LIMIT_LINES 100 /* in LOG_LIMIT_MS */

/* Counts one; whether it may be written. Says when it begins to leave lines out: WHAT is the kind, static text. */
bool log_allowed(struct log_limit *limit, const char *what);

#define log_error(...)	 log_line(LOG_ERR, NULL, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, NULL, __VA_ARGS__)
#define log_notice(...)	 log_line(LOG_NOTICE, NULL, __VA_ARGS__)
#define log_info(...)	 log_line(LOG_INFO, NULL, __VA_ARGS__)
#define log_debug(...)	 log_line(LOG_DEBUG, NULL, __VA_ARGS__)
