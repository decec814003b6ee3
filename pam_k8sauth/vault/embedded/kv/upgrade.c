/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From version 1 to version 2: the tune that asks for it marks the mount's configuration, and its secrets move in the
 * background, some at a time, each as the first version of its key. Until the mark is gone the mount
 * refuses its requests; the first of them after a crash goes on where the last step ended.
 */
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "vault/embedded/core_internal.h"
#include "vault/embedded/kv/kv.h"

#define STEP_MAX 256 /* secrets that one transaction moves */

/* A folder on the way. */
struct frame {
	char *folder;	  /* "", "a/" */
	json_t *names;	  /* NULL: not listed yet */
	size_t at, below; /* the next secret, the next folder */
};

struct upgrade {
	struct core *core;
	struct mount *mount; /* referenced */
	bool done;
	struct frame frames[KV_SEGMENTS_MAX];
	size_t depth;
	size_t next; /* where the top one goes on when the step is durable */
};

static bool is_mounted(const struct core *core, const struct mount *mount)
{
	for (size_t i = 0; i < core->n_mounts; i++)
		if (core->mounts[i] == mount)
			return true;
	return false;
}

/* What shows as who made a version that was moved. NULL without memory. */
static json_t *mover(void)
{
	return json_pack("{s:s, s:s}", "actor", "kv_upgrade", "operation", "upgrade");
}

/* PATH becomes a key with one version. */
static int move_secret(struct call *call, json_t *config, const char *path)
{
	struct kv_key key AUTO_KEY = { .path = strdup(path), .config = json_incref(config), .now = nanotime_now() };
	json_auto_t *secret = NULL, *data = NULL;
	char *old AUTO_FREE = NULL;
	long long version;
	int r;

	if (!key.path || asprintf(&old, KV_V1_FOLDER "%s", path) < 0) {
		old = NULL;
		return -ENOMEM;
	}
	r = call_get(call, old, &secret);
	if (r < 0)
		return r;
	data = kv_normalize(secret);
	r = data ? kv_key_new(&key) : -ENOMEM;
	if (r == 0)
		r = kv_key_add_version(call, &key, data, &version);
	if (r == 0 && (json_object_set_new(kv_version(&key, version), "created_by", mover()) ||
			  json_object_set_new(key.meta, "last_updated_by", mover()) ||
			  json_object_set_new(key.meta, "oldest", json_integer(version))))
		r = -ENOMEM;
	if (r == 0)
		r = kv_key_store(call, &key);
	return r == 0 ? call_delete(call, old) : r;
}

/* --- the way through the folders: each is listed once, its own secrets move first */

static void frame_clear(struct frame *frame)
{
	free(frame->folder);
	json_decref(frame->names);
	*frame = (struct frame){ 0 };
}

/* NAME in the folder of the frame on top, or the mount itself. */
static int push(struct upgrade *upgrade, const char *name)
{
	const char *above = upgrade->depth ? upgrade->frames[upgrade->depth - 1].folder : "";
	char *folder;

	if (upgrade->depth == ARRAY_SIZE(upgrade->frames))
		return -ENAMETOOLONG;
	if (asprintf(&folder, "%s%s", above, name) < 0)
		return -ENOMEM;
	upgrade->frames[upgrade->depth++].folder = folder;
	return 0;
}

static int list_frame(struct call *call, struct frame *frame)
{
	char *whole AUTO_FREE = NULL;

	if (frame->names)
		return 0;
	if (asprintf(&whole, KV_V1_FOLDER "%s", frame->folder) < 0) {
		whole = NULL;
		return -ENOMEM;
	}
	return call_list(call, whole, &frame->names);
}

static const char *name_at(const struct frame *frame, size_t i)
{
	return json_string_value(json_array_get(frame->names, i));
}

/* To the next folder that has secrets left. Nothing but the way is changed. *RET NULL: there is none. */
static int find_frame(struct call *call, struct upgrade *upgrade, struct frame **ret)
{
	int r = upgrade->depth ? 0 : push(upgrade, "");

	*ret = NULL;
	while (r == 0 && upgrade->depth) {
		struct frame *top = &upgrade->frames[upgrade->depth - 1];

		r = list_frame(call, top);
		while (r == 0 && name_at(top, top->at) && ends_with(name_at(top, top->at), "/"))
			top->at++;
		if (r < 0 || name_at(top, top->at)) {
			*ret = top;
			return r;
		}
		while (name_at(top, top->below) && !ends_with(name_at(top, top->below), "/"))
			top->below++;
		if (name_at(top, top->below))
			r = push(upgrade, name_at(top, top->below++));
		else
			frame_clear(&upgrade->frames[--upgrade->depth]);
	}
	return r;
}

/* Moves the next secrets of FRAME. *RET_NEXT: where those behind them begin. */
static int move_some(struct call *call, json_t *config, const struct frame *frame, size_t *ret_next)
{
	bool waiting = false;
	size_t i, moved = 0;

	for (i = frame->at; name_at(frame, i) && moved < STEP_MAX; i++) {
		char *path AUTO_FREE = NULL;
		int r;

		if (ends_with(name_at(frame, i), "/"))
			continue;
		if (asprintf(&path, "%s%s", frame->folder, name_at(frame, i)) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		moved++;
		r = move_secret(call, config, path);
		if (r == -EAGAIN)
			waiting = true; /* the store is asked for all of them at once */
		else if (r < 0)
			return r;
	}
	*ret_next = i;
	return waiting ? -EAGAIN : 0;
}

static int step(struct call *call)
{
	struct upgrade *upgrade = call->state;
	json_auto_t *config = NULL;
	struct frame *frame;
	int r = mounts_settled(call);

	if (r < 0)
		return r;
	upgrade->done = !is_mounted(call->core, upgrade->mount);
	if (upgrade->done)
		return 0;
	call->mount = upgrade->mount;
	r = kv_config_get(call, &config);
	if (r < 0)
		return r;
	upgrade->done = !json_is_true(json_object_get(config, KV_UPGRADING));
	if (upgrade->done)
		return 0;
	r = find_frame(call, upgrade, &frame);
	if (r < 0)
		return r;
	if (frame)
		return move_some(call, config, frame, &upgrade->next);
	upgrade->done = true;
	json_object_del(config, KV_UPGRADING);
	return kv_config_store(call, config);
}

static void on_step(void *arg, int r)
{
	struct upgrade *upgrade = arg;

	if (r == 0 && !upgrade->done) {
		upgrade->frames[upgrade->depth - 1].at = upgrade->next;
		core_run(upgrade->core, step, upgrade, NULL, on_step, upgrade);
		return;
	}
	if (r < 0 && r != -ECANCELED) /* the daemon stops */
		log_error("moving the secrets of %s to version 2 failed: %s; its next request tries again",
		    upgrade->mount->path, strerror(-r));
	while (upgrade->depth)
		frame_clear(&upgrade->frames[--upgrade->depth]);
	upgrade->mount->state = NULL;
	mount_unref(upgrade->core, upgrade->mount);
	free(upgrade);
}

void kv_upgrade_continue(struct core *core, struct mount *mount)
{
	struct upgrade *upgrade = mount->state ? NULL : calloc(1, sizeof(*upgrade));

	if (!upgrade)
		return;
	mount_ref(mount);
	mount->state = upgrade;
	upgrade->core = core;
	upgrade->mount = mount;
	core_run(core, step, upgrade, NULL, on_step, upgrade);
}

int kv_upgrade_mark(struct call *call, struct mount *mount)
{
	struct mount *own = call->mount;
	json_auto_t *config = json_pack("{s:b}", KV_UPGRADING, 1);
	int r;

	if (!config)
		return -ENOMEM;
	call->mount = mount;
	r = kv_config_store(call, config);
	call->mount = own;
	return r;
}
