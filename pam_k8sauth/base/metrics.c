/* SPDX-License-Identifier: Apache-2.0 */
/* The series of every metric, and how they are shown; see metrics.h. */
#include "base/metrics.h"

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define OTHER "other"

struct setter {
	metric_setter_fn *set;
	void *arg;
};

static struct metric_series *series[METRICS_N];
static unsigned n_series[METRICS_N];
static struct setter setters[METRIC_SETTERS_MAX];
static size_t n_setters;

/* --- series */

static void series_free(struct metric_series *one)
{
	for (size_t i = 0; i < METRIC_LABELS_MAX; i++)
		free(one->labels[i]);
	free(one);
}

void metric_clear(enum metric metric)
{
	while (series[metric]) {
		struct metric_series *one = series[metric];

		series[metric] = one->next;
		series_free(one);
	}
	n_series[metric] = 0;
}

void metrics_free(void)
{
	for (unsigned i = 0; i < METRICS_N; i++)
		metric_clear((enum metric)i);
}

const struct metric_series *metric_first(enum metric metric)
{
	return series[metric];
}

/* As strcmp, label by label; LABELS NULL: all are OTHER. */
static int compare(const struct metric_type *type, const struct metric_series *one, const char *const *labels)
{
	int order = 0;

	for (size_t i = 0; order == 0 && i < METRIC_LABELS_MAX && type->labels[i]; i++)
		order = strcmp(one->labels[i], labels ? labels[i] : OTHER);
	return order;
}

static struct metric_series *series_new(const struct metric_type *type, const char *const *labels)
{
	struct metric_series *one = calloc(1, sizeof(*one));

	for (size_t i = 0; one && i < METRIC_LABELS_MAX && type->labels[i]; i++) {
		one->labels[i] = strdup(labels ? labels[i] : OTHER);
		if (!one->labels[i]) {
			series_free(one);
			return NULL;
		}
	}
	return one;
}

/* The series of LABELS, a new one if need be. NULL without memory. */
static struct metric_series *find(enum metric metric, const char *const *labels)
{
	const struct metric_type *type = &metric_types[metric];
	struct metric_series **place = &series[metric], *one;

	while (*place && compare(type, *place, labels) < 0)
		place = &(*place)->next;
	if (*place && compare(type, *place, labels) == 0)
		return *place;
	if (n_series[metric] >= METRIC_SERIES_MAX && labels)
		return find(metric, NULL);
	one = series_new(type, labels);
	if (!one)
		return NULL;
	one->next = *place;
	*place = one;
	n_series[metric]++;
	return one;
}

void metric_count(enum metric metric, const char *const *labels)
{
	struct metric_series *one = find(metric, labels);

	if (!one)
		return;
	one->value++;
	one->count++;
}

void metric_set(enum metric metric, const char *const *labels, double value)
{
	struct metric_series *one = find(metric, labels);

	if (one)
		one->value = value;
}

void metric_set_number(enum metric metric, const char *const *labels, int64_t value)
{
	metric_set(metric, labels, (double)value);
}

void metric_observe(enum metric metric, const char *const *labels, double value)
{
	struct metric_series *one = find(metric, labels);

	if (!one)
		return;
	if (!one->count || value < one->minimum)
		one->minimum = value;
	if (!one->count || value > one->maximum)
		one->maximum = value;
	one->count++;
	one->value += value;
	one->squares += value * value;
	for (size_t i = METRIC_BOUNDS; i > 0 && value <= metric_bounds[i - 1]; i--)
		one->below[i - 1]++;
}

/* --- before they are shown */

void metrics_on_show(metric_setter_fn *set, void *arg)
{
	assert(n_setters < METRIC_SETTERS_MAX);
	setters[n_setters++] = (struct setter){ set, arg };
}

void metrics_off_show(metric_setter_fn *set, void *arg)
{
	for (size_t i = 0; i < n_setters; i++) {
		if (setters[i].set != set || setters[i].arg != arg)
			continue;
		setters[i] = setters[--n_setters];
		return;
	}
}

static double count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	double n = -3; /* ".", ".." and this one */

	if (!dir)
		return 0;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static double resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;
	long page = sysconf(_SC_PAGESIZE);

	if (!file)
		return 0;
	if (fscanf(file, "%*u %lu", &pages) != 1)
		pages = 0;
	fclose(file);
	return (double)pages * (double)page;
}

/* The 22nd number behind the name, in clock ticks since the machine was started; unix time. */
static double started(void)
{
	FILE *file = fopen("/proc/self/stat", "re");
	unsigned long long ticks = 0;
	long hertz = sysconf(_SC_CLK_TCK);
	struct timespec boot, now;

	if (!file)
		return 0;
	if (fscanf(file,
		"%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
		&ticks) != 1)
		ticks = 0;
	fclose(file);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_REALTIME, &now);
	return (double)(now.tv_sec - boot.tv_sec) + (double)ticks / (double)hertz;
}

void metrics_refresh(void)
{
	struct rusage usage;
	struct rlimit limit;

	for (size_t i = 0; i < n_setters; i++)
		setters[i].set(setters[i].arg);
	getrusage(RUSAGE_SELF, &usage);
	metric_set(METRIC_CPU, NULL,
	    (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
	metric_set(METRIC_MEMORY, NULL, resident_bytes());
	metric_set(METRIC_OPEN_FDS, NULL, count_fds());
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		metric_set(METRIC_MAX_FDS, NULL, (double)limit.rlim_cur);
	/* What has not happened yet is shown as 0, so that the first time is seen as a change. */
	for (unsigned i = 0; i < METRICS_N; i++)
		if (metric_types[i].kind != METRIC_GAUGE && !metric_types[i].labels[0])
			(void)find((enum metric)i, NULL);
	(void)find(METRIC_AUDIT_FAILURES, METRIC_LABELS("request"));
	(void)find(METRIC_AUDIT_FAILURES, METRIC_LABELS("response"));
	if (!series[METRIC_STARTED])
		metric_set(METRIC_STARTED, NULL, started());
	metric_set(METRIC_BUILD, METRIC_LABELS(K8SAUTH_VERSION), 1);
}

/* --- the text */

static void add_escaped(struct buf *text, const char *value)
{
	for (; *value; value++) {
		if (*value == '\n')
			buf_add_str(text, "\\n");
		else if (*value == '"' || *value == '\\')
			buf_printf(text, "\\%c", *value);
		else
			buf_add_char(text, *value);
	}
}

/* NAME and the labels; LE is one more of them where it is not NULL. */
static void add_name(struct buf *text, const struct metric_type *type, const char *suffix,
    const struct metric_series *one, const char *le)
{
	char separator = '{';

	buf_printf(text, "%s%s", type->name, suffix);
	for (size_t i = 0; i < METRIC_LABELS_MAX && type->labels[i]; i++) {
		buf_printf(text, "%c%s=\"", separator, type->labels[i]);
		add_escaped(text, one->labels[i]);
		buf_add_char(text, '"');
		separator = ',';
	}
	if (le) {
		buf_printf(text, "%cle=\"%s\"", separator, le);
		separator = ',';
	}
	buf_add_str(text, separator == '{' ? " " : "} ");
}

static void add_observed(struct buf *text, const struct metric_type *type, const struct metric_series *one)
{
	char le[32];

	for (size_t i = 0; type->kind == METRIC_HISTOGRAM && i <= METRIC_BOUNDS; i++) {
		if (i < METRIC_BOUNDS)
			snprintf(le, sizeof(le), "%g", metric_bounds[i]);
		add_name(text, type, "_bucket", one, i < METRIC_BOUNDS ? le : "+Inf");
		buf_printf(text, "%llu\n", (unsigned long long)(i < METRIC_BOUNDS ? one->below[i] : one->count));
	}
	add_name(text, type, "_sum", one, NULL);
	buf_printf(text, "%.15g\n", one->value);
	add_name(text, type, "_count", one, NULL);
	buf_printf(text, "%llu\n", (unsigned long long)one->count);
}

void metrics_text(struct buf *text)
{
	static const char *const kinds[] = { "counter", "gauge", "summary", "histogram" };

	for (size_t i = 0; i < METRICS_N; i++) {
		const struct metric_type *type = &metric_types[i];

		if (!series[i])
			continue;
		buf_printf(text, "# HELP %s %s\n# TYPE %s %s\n", type->name, type->help, type->name, kinds[type->kind]);
		for (const struct metric_series *one = series[i]; one; one = one->next) {
			if (type->kind == METRIC_SUMMARY || type->kind == METRIC_HISTOGRAM) {
				add_observed(text, type, one);
				continue;
			}
			add_name(text, type, "", one, NULL);
			buf_printf(text, "%.15g\n", one->value);
		}
	}
}
