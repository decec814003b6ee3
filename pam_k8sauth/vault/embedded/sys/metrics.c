/* SPDX-License-Identifier: Apache-2.0 */
/* sys/metrics: in Prometheus's format, or in the JSON that Vault has for people. */
#include "base/metrics.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "base/text.h"
#include "vault/embedded/core_internal.h"
#include "vault/embedded/sys/sys.h"

#define TEXT_MAX (4 * 1024 * 1024) /* bytes */

/* Takes TEXT over; NULL without memory. */
static int answer(struct call *call, int status, const char *type, char *text)
{
	if (!text)
		return -ENOMEM;
	call->response->status = status;
	call->response->text = text;
	call->response->text_type = type;
	return 0;
}

static int show_text(struct call *call)
{
	struct buf text AUTO_BUF = BUF_MAX(TEXT_MAX);

	metrics_text(&text);
	return answer(call, 200, "text/plain; version=0.0.4; charset=utf-8", text.failed ? NULL : buf_take(&text));
}

/* --- JSON */

static json_t *labels_of(const struct metric_type *type, const struct metric_series *one)
{
	json_t *labels = json_object();

	for (size_t i = 0; labels && i < METRIC_LABELS_MAX && type->labels[i]; i++)
		json_object_set_new(labels, type->labels[i], json_string(one->labels[i]));
	return labels;
}

/* All of them since the start; Vault's are of the last ten seconds. */
static json_t *observed(const struct metric_type *type, const struct metric_series *one)
{
	double n = (double)one->count, mean = one->count ? one->value / n : 0;
	bool counter = type->kind == METRIC_COUNTER;
	double variance = n > 1 && !counter ? fmax(0, (one->squares - n * mean * mean) / (n - 1)) : 0;

	return json_pack("{s:s, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:o}", "Name",
	    type->vault_name ? type->vault_name : type->name, "Count",
	    counter ? (json_int_t)one->value : (json_int_t)one->count, "Rate", one->value / 10, "Sum", one->value,
	    "Min", counter ? 1 : one->minimum, "Max", counter ? 1 : one->maximum, "Mean", counter ? 1 : mean, "Stddev",
	    sqrt(variance), "Labels", labels_of(type, one));
}

static json_t *gauge(const struct metric_type *type, const struct metric_series *one)
{
	return json_pack("{s:s, s:f, s:o}", "Name", type->vault_name ? type->vault_name : type->name, "Value",
	    one->value, "Labels", labels_of(type, one));
}

static void add_metric(json_t *lists[static 3], enum metric metric)
{
	const struct metric_type *type = &metric_types[metric];

	for (const struct metric_series *one = metric_first(metric); one; one = one->next) {
		if (type->kind == METRIC_GAUGE)
			json_array_append_new(lists[0], gauge(type, one));
		else
			json_array_append_new(lists[type->kind == METRIC_COUNTER ? 1 : 2], observed(type, one));
	}
}

static int show_json(struct call *call)
{
	json_t *lists[3] = { json_array(), json_array(), json_array() };
	time_t now = time(NULL) / 10 * 10;
	char timestamp[48];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(timestamp, sizeof(timestamp), "%Y-%m-%d %H:%M:%S +0000 UTC", &tm);
	for (unsigned i = 0; i < METRICS_N; i++)
		add_metric(lists, (enum metric)i);
	call->response->status = 200;
	call->response->body = json_pack("{s:s, s:o, s:[], s:o, s:o}", "Timestamp", timestamp, "Gauges", lists[0],
	    "Points", "Counters", lists[1], "Samples", lists[2]);
	return call->response->body ? 0 : -ENOMEM;
}

int sys_metrics(struct call *call)
{
	const struct core *core = call->core;
	const char *format = "";
	char *text;
	int r = call_field_string(call, "format", &format, NULL);

	if (r)
		return r < 0 ? r : 0;
	if (*format && !streq(format, "prometheus")) {
		if (asprintf(&text, "metric response format \"%s\" unknown", format) < 0)
			text = NULL;
		return answer(call, 400, "text/plain", text);
	}
	metric_clear(METRIC_REVIEWER);
	for (size_t i = 0; i < core->n_mounts; i++) {
		const struct mount *mount = core->mounts[i];

		r = mount->engine->set_metrics ? mount->engine->set_metrics(call, mount) : 0;
		if (r < 0)
			return r;
	}
	metrics_refresh();
	return *format ? show_text(call) : show_json(call);
}
