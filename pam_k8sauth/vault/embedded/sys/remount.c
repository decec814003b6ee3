/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sys/remount: a mount gets another path. Its data is kept under its uuid, so the one record of the mount table is all
 * that changes: the move is whole or not at all, whenever the machine stops. What was given out under the old path
 * (tokens of an auth method) ends, as in Vault. There the move runs in the background and clients ask for its state by
 * an id; here it is done when the reply goes out, and the last moves are remembered for those clients.
 */
#include "vault/embedded/leases.h"
#include "vault/embedded/sys/sys.h"

#include <errno.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/text.h"
#include "vault/embedded/go_text.h"
#include "vault/embedded/nanotime.h"
#include "vault/embedded/quota/quota.h"
#include "vault/embedded/token.h"

#define MOVES_MAX 64 /* remembered */

struct move {
	char id[UUID_SIZE];
	char *source, *target;
	bool failed;
};

struct sys_state {
	struct move moves[MOVES_MAX];
	size_t next;
};

int sys_mounted(struct core *core, struct mount *mount)
{
	(void)core;
	mount->state = calloc(1, sizeof(struct sys_state));
	return mount->state ? 0 : -ENOMEM;
}

static void move_clear(struct move *move)
{
	free(move->source);
	free(move->target);
	*move = (struct move){ 0 };
}

void sys_unmounted(struct core *core, struct mount *mount)
{
	struct sys_state *state = mount->state;

	(void)core;
	for (size_t i = 0; i < MOVES_MAX; i++)
		move_clear(&state->moves[i]);
	free(state);
	mount->state = NULL;
}

/* --- checks */

static bool is_below(const char *path, const char *const *places)
{
	for (; *places; places++)
		if (starts_with(path, *places))
			return true;
	return false;
}

/* 0 or 1 after a refusal. */
static int check_kinds(struct call *call, const char *source, const char *target)
{
	static const char *const auths[] = { "auth/token/", NULL };
	static const char *const secrets[] = { "audit/", "auth/", "sys/", "cubbyhole/", "identity/", "k8sauth/", NULL };
	bool auth = starts_with(source, "auth/");

	if (auth && !starts_with(target, "auth/"))
		call_error(call, 400, "cannot remount auth mount to non-auth mount \"%s\"", target);
	else if (is_below(source, auth ? auths : secrets))
		call_error(call, 400, "cannot remount \"%s\"", source);
	else if (is_below(target, auth ? auths : secrets))
		call_error(call, 400,
		    auth ? "cannot remount to destination \"%s\"" : "cannot remount to destination %s", target);
	else
		return 0;
	return 1;
}

/* Field NAME as it was sent. 0, 1 after a refusal, or an errno. */
static int read_path(struct call *call, const char *name, const char **ret)
{
	const char *text = "";
	int r = call_field_string(call, name, &text, NULL);

	if (r)
		return r;
	if (starts_with(text, " ") || ends_with(text, " ")) {
		call_error(call, 400, "'%s' path cannot contain trailing whitespace", name);
		return 1;
	}
	*ret = text;
	return 0;
}

/* Without '/' before it and with one behind it. NULL without memory. */
static char *place_of(const char *path)
{
	const char *slash = ends_with(path, "/") ? "" : "/";
	char *place;

	return asprintf(&place, "%s%s", path + strspn(path, "/"), slash) < 0 ? NULL : place;
}

void sys_clean_path(const char *place, char *ret)
{
	char *end = ret;

	while (*place) {
		size_t len = strcspn(place, "/");

		if (len == 2 && strncmp(place, "..", 2) == 0) {
			if (end > ret)
				end--;
			while (end > ret && end[-1] != '/')
				end--;
		} else if (len && !(len == 1 && *place == '.')) {
			memcpy(end, place, len);
			end += len;
			*end++ = '/';
		}
		place += len + (place[len] == '/');
	}
	if (end == ret)
		*end++ = '.';
	*end = '\0';
}

/* 0, 1 after a refusal, or an errno. */
static int check_target(struct call *call, const char *target)
{
	char *clean AUTO_FREE = malloc(strlen(target) + 2);

	if (!clean)
		return -ENOMEM;
	if (!path_is_printable(target)) {
		call_error(call, 400, "invalid destination mount: path cannot contain non-printable characters");
		return 1;
	}
	sys_clean_path(target, clean);
	if (streq(clean, target))
		return 0;
	call_error(call, 400, "invalid destination mount: path '%s' does not match cleaned path '%s'", target, clean);
	return 1;
}

/* The mount to move. 0 or 1 after a refusal. */
static int check_places(struct call *call, const char *source, const char *target, struct mount **ret)
{
	struct mount *mount = core_mount_of(call->core, source);
	struct buf quoted AUTO_BUF = BUF_MAX(2 * PATH_LEN_MAX);
	const struct mount *other;

	if (!mount || !streq(mount->path, source)) {
		go_quote(&quoted, source);
		call_error(call, 400, "no matching mount at %s", quoted.failed ? "that path" : quoted.data);
		return 1;
	}
	other = mounts_conflict(call->core, target);
	if (other) {
		call_error(call, 400, "path already in use at \"%s\"", other->path);
		return 1;
	}
	*ret = mount;
	return 0;
}

/* --- the move */

struct moving {
	struct mount *mount; /* referenced */
	struct mount values; /* its entry with the new path */
	struct move move;
};

static void moving_free(struct core *core, struct moving *moving)
{
	mount_unref(core, moving->mount);
	free(moving->values.path);
	move_clear(&moving->move);
	free(moving);
}

/* For clients that ask for its state. MOVE is taken over. */
static void remember(struct core *core, struct move *move)
{
	struct sys_state *state = core_mount_of(core, "sys/")->state;

	move_clear(&state->moves[state->next]);
	state->moves[state->next] = *move;
	state->next = (state->next + 1) % MOVES_MAX;
	*move = (struct move){ 0 };
}

static void after_move(struct core *core, int r, void *arg)
{
	struct moving *moving = arg;
	struct mount *mount = moving->mount;

	if (r == 0 && !moving->move.failed) {
		free(mount->path);
		mount->path = TAKE_PTR(moving->values.path);
		mount->moved_at = moving->values.moved_at;
		mount->tainted = false;
		core->vault.logins_changed++;
	}
	if (r == 0)
		remember(core, &moving->move);
	moving_free(core, moving);
}

/* SOURCE and TARGET are copied. NULL without memory. */
static struct moving *moving_new(struct core *core, struct mount *mount, const char *target)
{
	struct moving *moving = calloc(1, sizeof(*moving));

	if (!moving)
		return NULL;
	mount_ref(mount);
	moving->mount = mount;
	moving->values = *mount;
	moving->values.path = strdup(target);
	moving->values.moved_at = nanotime_now();
	moving->values.tainted = false;
	moving->move.source = strdup(mount->path);
	moving->move.target = strdup(target);
	random_uuid(moving->move.id);
	if (moving->values.path && moving->move.source && moving->move.target)
		return moving;
	moving_free(core, moving);
	return NULL;
}

/* FAILED: leases of the mount could not be revoked, so it stays where it is, tainted. As in Vault the client has to ask. */
static int move_mount(struct call *call, struct mount *mount, const char *target, bool failed)
{
	struct moving *moving = moving_new(call->core, mount, target);
	json_t *data;
	int r;

	if (!moving)
		return -ENOMEM;
	moving->move.failed = failed;
	data = json_pack("{s:s}", "migration_id", moving->move.id);
	r = data ? 0 : -ENOMEM;
	if (r == 0 && !failed)
		r = mounts_write(call, mount, &moving->values);
	if (r == 0 && !failed)
		r = quotas_move_mount(call, mount, target);
	if (r == 0 && mount->engine->auth)
		r = tokens_revoke_mount(call, mount);
	if (r < 0) {
		json_decref(data);
		moving_free(call->core, moving);
		return r;
	}
	call_on_commit(call, after_move, moving);
	call->response->data_on_top = true;
	call_warn(call, "Mount move has been queued. Progress will be reported in Vault's server log, tagged with the "
			"returned migration_id");
	return call_data(call, data);
}

int sys_remount(struct call *call)
{
	const char *from = "", *to = "";
	char *source AUTO_FREE = NULL, *target AUTO_FREE = NULL;
	struct mount *mount;
	int r = read_path(call, "from", &from);

	if (r == 0)
		r = read_path(call, "to", &to);
	if (r)
		return r < 0 ? r : 0;
	if (!*from || !*to)
		return call_error(call, 400, "both 'from' and 'to' path must be specified as a string");
	source = place_of(from);
	target = place_of(to);
	r = source && target ? check_target(call, target) : -ENOMEM;
	if (r)
		return r < 0 ? r : 0;
	if (check_kinds(call, source, target) || check_places(call, source, target, &mount))
		return 0;
	r = mount->engine->auth ? 0 : leases_revoke_mount(call, mount);
	if (r < 0)
		return r;
	if (r == 1) {
		log_error("%s cannot be moved to %s: %s", source, target, vault_response_error_text(call->response));
		vault_response_clear(call->response);
	}
	return move_mount(call, mount, target, r == 1);
}

int sys_remount_status(struct call *call)
{
	const struct sys_state *state = call->mount->state;
	const char *id = call_capture(call, "migration_id");

	for (size_t i = 0; i < MOVES_MAX; i++) {
		const struct move *move = &state->moves[i];

		if (*move->id && streq(move->id, id))
			return call_data(
			    call, json_pack("{s:s, s:{s:s, s:s, s:s}}", "migration_id", id, "migration_info",
				      "source_mount", move->source, "status", move->failed ? "failure" : "success", "target_mount",
				      move->target));
	}
	return call_data(call, NULL);
}
