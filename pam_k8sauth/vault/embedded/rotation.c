/* SPDX-License-Identifier: Apache-2.0 */
/* See rotation.h. One record has configuration and count; whoever changes the keyring writes it too, so that changes
 * come one after the other. */
#include "vault/embedded/rotation.h"

#include <errno.h>

#include "vault/embedded/nanotime.h"
#include "vault/embedded/seal/seal.h"

#define ROTATION_KEY "core/rotation"
#define LOOK_S	     60
#define NOTE_EVERY   10000 /* records: after a crash so many may be missing in the count */

static const struct rotation_config defaults = { .enabled = true, .max_operations = ROTATION_OPERATIONS_MAX };

/* --- the record */

/* *RET is the caller's; an empty object where nothing is stored. */
static int record_get(struct call *call, json_t **ret)
{
	int r = core_get(call, ROTATION_KEY, ret);

	if (r != -ENOENT)
		return r;
	*ret = json_object();
	return *ret ? 0 : -ENOMEM;
}

static int record_put(struct call *call, json_t *record, const char *name, json_t *value)
{
	if (json_object_set_new(record, name, value) < 0)
		return -ENOMEM;
	return core_put(call, ROTATION_KEY, record);
}

static void read_config(const json_t *record, struct rotation_config *ret)
{
	const json_t *config = json_object_get(record, "config");

	*ret = defaults;
	if (!config)
		return;
	ret->enabled = json_is_true(json_object_get(config, "enabled"));
	ret->max_operations = json_integer_value(json_object_get(config, "max_operations"));
	ret->interval = json_integer_value(json_object_get(config, "interval"));
}

int rotation_config_get(struct call *call, struct rotation_config *ret)
{
	json_auto_t *record = NULL;
	int r = record_get(call, &record);

	if (r == 0)
		read_config(record, ret);
	return r;
}

int rotation_config_put(struct call *call, const struct rotation_config *config)
{
	json_auto_t *record = NULL;
	int r = record_get(call, &record);

	return r < 0 ? r
		     : record_put(call, record, "config",
			   json_pack("{s:b, s:I, s:I}", "enabled", config->enabled, "max_operations",
			       (json_int_t)config->max_operations, "interval", (json_int_t)config->interval));
}

static json_t *count_json(uint32_t term, uint64_t sealed)
{
	return json_pack("{s:I, s:I}", "term", (json_int_t)term, "sealed", (json_int_t)sealed);
}

/* --- a new term */

static int next_new(const struct core *core, struct seal_change **ret)
{
	struct seal_change *next = calloc(1, sizeof(*next));
	int r = next ? barrier_rotated(core->barrier, &next->barrier) : -ENOMEM;

	if (r == 0)
		r = barrier_save(next->barrier, &next->keyring);
	if (r < 0) {
		seal_change_free(next);
		return r;
	}
	*ret = next;
	return 0;
}

int rotation_rotate(struct call *call)
{
	json_auto_t *record = NULL;
	struct barrier_term_info info;
	struct seal_change *next = NULL;
	int r = record_get(call, &record);

	if (r < 0)
		return r;
	r = next_new(call->core, &next);
	if (r < 0)
		return r;
	barrier_term(next->barrier, &info);
	r = record_put(call, record, "count", count_json(info.term, 0));
	if (r < 0)
		seal_change_free(next);
	return r < 0 ? r : seal_change_put(call, next);
}

int rotation_settled(struct call *call)
{
	json_auto_t *record = NULL;

	return record_get(call, &record);
}

int rotation_claim(struct call *call)
{
	json_auto_t *record = NULL;
	int r = record_get(call, &record);

	return r < 0 ? r : core_put(call, ROTATION_KEY, record);
}

/* --- when one is due */

uint64_t rotation_sealed(const struct core *core)
{
	struct barrier_term_info info;

	barrier_term(core->barrier, &info);
	return core->sealed_before + info.sealed;
}

int rotation_start(struct call *call)
{
	struct core *core = call->core;
	json_auto_t *record = NULL;
	struct barrier_term_info info;
	const json_t *count;
	int r = record_get(call, &record);

	if (r < 0)
		return r;
	barrier_term(core->barrier, &info);
	count = json_object_get(record, "count");
	core->sealed_before = core->sealed_noted = 0;
	if (json_integer_value(json_object_get(count, "term")) == info.term)
		core->sealed_before = (uint64_t)json_integer_value(json_object_get(count, "sealed"));
	core->sealed_noted = core->sealed_before;
	return 0;
}

static bool is_due(const struct core *core, const struct rotation_config *config)
{
	struct barrier_term_info info;

	barrier_term(core->barrier, &info);
	if (!config->enabled)
		return false;
	return core->sealed_before + info.sealed >= (uint64_t)config->max_operations ||
	       (config->interval && nanotime_now() >= nanotime_after(info.installed, config->interval));
}

static void on_noted(struct core *core, int r, void *arg)
{
	uint64_t *sealed = arg;

	if (r == 0)
		core->sealed_noted = *sealed;
	free(sealed);
}

static int note_count(struct call *call)
{
	uint64_t *sealed = malloc(sizeof(*sealed));
	json_auto_t *record = NULL;
	struct barrier_term_info info;
	int r = sealed ? record_get(call, &record) : -ENOMEM;

	if (r == 0) {
		barrier_term(call->core->barrier, &info);
		*sealed = rotation_sealed(call->core);
		r = record_put(call, record, "count", count_json(info.term, *sealed));
	}
	if (r < 0)
		free(sealed);
	else
		call_on_commit(call, on_noted, sealed);
	return r;
}

static int look(struct call *call)
{
	struct rotation_config config;
	int r = rotation_config_get(call, &config);

	if (r < 0)
		return r;
	if (is_due(call->core, &config))
		return rotation_rotate(call);
	return rotation_sealed(call->core) - call->core->sealed_noted >= NOTE_EVERY ? note_count(call) : 0;
}

static void on_looked(void *arg, int r)
{
	struct core *core = arg;
	struct barrier_term_info info;

	core->rotation_looking = false;
	if (r == 0 && core->barrier) {
		barrier_term(core->barrier, &info);
		if (info.term != core->rotation_term)
			log_notice("the key that seals new records is a new one by itself: term %u", info.term);
	} else if (r < 0 && r != -ECANCELED) {
		log_error("a new key for new records is due, or their number is to be noted, and it failed: %s; trying "
			  "again in %d s",
		    strerror(-r), LOOK_S);
	}
}

static void on_look(evutil_socket_t fd, short events, void *arg)
{
	struct core *core = arg;
	struct barrier_term_info info;

	if (core_sealed(core) || core->rotation_looking)
		return;
	core->rotation_looking = true;
	barrier_term(core->barrier, &info);
	core->rotation_term = info.term;
	core_run(core, look, NULL, NULL, on_looked, core);
}

int rotation_watch(struct core *core)
{
	struct timeval every = { .tv_sec = LOOK_S };

	core->rotation = event_new(core->base, -1, EV_PERSIST, on_look, core);
	return core->rotation && event_add(core->rotation, &every) == 0 ? 0 : -ENOMEM;
}

void rotation_stop(struct core *core)
{
	if (core->rotation)
		event_free(core->rotation);
	core->rotation = NULL;
}
