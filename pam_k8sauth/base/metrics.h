/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers about the daemon, for Prometheus. They are the process's own, and counted on its loop: no other thread may
 * touch them. The table in metrics_table.c has every one of them; docs/metrics.md says what they mean.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"

enum metric {
	METRIC_BUILD,	     /* version */
	METRIC_LOGINS,	     /* via, result, reason */
	METRIC_PAM_REQUESTS, /* request, result, reason */
	METRIC_REQUESTS,     /* kind; seconds */
	METRIC_LIMITED,	     /* quota */
	METRIC_REVIEWS,	     /* result; seconds */
	METRIC_COMMITS,	     /* seconds */
	METRIC_COMMIT_FAILURES,
	METRIC_AUDIT_FAILURES, /* stage */
	METRIC_SESSIONS,
	METRIC_TOKENS,
	METRIC_LEASES,
	METRIC_CONNECTIONS,
	METRIC_CERTIFICATE, /* listener; unix time */
	METRIC_REVIEWER,    /* mount; unix time */
	METRIC_VAULT_ACTIVE,
	METRIC_VAULT_UNSEALED,
	METRIC_VAULT_IN_FLIGHT,
	METRIC_VAULT_REQUESTS, /* milliseconds */
	METRIC_VAULT_LOGINS,   /* milliseconds */
	METRIC_VAULT_LEASES,
	METRIC_VAULT_AUDIT_REQUESTS,
	METRIC_VAULT_AUDIT_RESPONSES,
	METRIC_CPU,
	METRIC_MEMORY,
	METRIC_OPEN_FDS,
	METRIC_MAX_FDS,
	METRIC_STARTED, /* unix time */
	METRICS_N,
};

enum metric_kind {
	METRIC_COUNTER,
	METRIC_GAUGE,
	METRIC_SUMMARY,	  /* number and sum of what was observed */
	METRIC_HISTOGRAM, /* besides, by metric_bounds */
};

#define METRIC_LABELS_MAX 3
#define METRIC_BOUNDS	  15
#define METRIC_SERIES_MAX 256 /* of one metric; more are counted together, with "other" as their labels */

struct metric_type {
	const char *name;	/* Prometheus's */
	const char *vault_name; /* in Vault's JSON; NULL: the same */
	enum metric_kind kind;
	const char *labels[METRIC_LABELS_MAX]; /* names */
	const char *help;
};

/* One combination of labels. */
struct metric_series {
	struct metric_series *next;
	char *labels[METRIC_LABELS_MAX];  /* values; NULL where the type has no more */
	double value;			  /* counter, gauge; else the sum */
	double minimum, maximum, squares; /* of what was observed; the sum of squares */
	uint64_t count;
	uint64_t below[METRIC_BOUNDS]; /* observed, not above each of metric_bounds */
};

extern const struct metric_type metric_types[METRICS_N];
extern const double metric_bounds[METRIC_BOUNDS]; /* seconds */

/* Values for the labels of a metric, in the order of its table: METRIC_LABELS("api", "success", ""). */
#define METRIC_LABELS(...) ((const char *const[]){ __VA_ARGS__ })

/* One more. Without memory it is not counted. LABELS: NULL where the metric has none. */
void metric_count(enum metric metric, const char *const *labels);
/* A gauge, or a counter that something else counts, is VALUE. */
void metric_set(enum metric metric, const char *const *labels, double value);
/* The same with a whole number. */
void metric_set_number(enum metric metric, const char *const *labels, int64_t value);
/* An observation of a summary or histogram. */
void metric_observe(enum metric metric, const char *const *labels, double value);
/* Forgets every series of METRIC: before those that there are now are set. */
void metric_clear(enum metric metric);

/* The first series of METRIC in a fixed order, NULL for none; the others are its `next`. */
const struct metric_series *metric_first(enum metric metric);

/* SET is called before the metrics are shown, to set gauges; at most METRIC_SETTERS_MAX, or it is a bug. */
#define METRIC_SETTERS_MAX 8
typedef void metric_setter_fn(void *arg);
void metrics_on_show(metric_setter_fn *set, void *arg);
void metrics_off_show(metric_setter_fn *set, void *arg);
/* Asks them, and sets the process's own. */
void metrics_refresh(void);

/* All of them in Prometheus's text format, version 0.0.4; call metrics_refresh before. */
void metrics_text(struct buf *text);

/* Frees all series: at the end, so that a leak check is silent. */
void metrics_free(void);

/* A moment to measure from, and the seconds since then. */
static inline double metric_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
