/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sys/internal/ui/mounts: what every `vault kv` command asks first. The paths are unauthenticated, but ask for a token
 * themselves (vault-core.md 1.12, 9.5).
 */
#include "vault/embedded/sys/sys.h"

#include <errno.h>

#include "base/text.h"
#include "vault/embedded/acl.h"
#include "vault/embedded/policies.h"
#include "vault/embedded/token.h"

void sys_cleanup_viewer(struct sys_viewer *viewer)
{
	if (viewer->token)
		token_free(viewer->token);
	if (viewer->acl)
		acl_free(viewer->acl);
	json_decref(viewer->entity);
}

int sys_find_viewer(struct call *call, struct sys_viewer *viewer)
{
	const struct secret *presented = call->request->token;
	int r;

	viewer->all = call->request->internal;
	if (viewer->all || !presented || !secret_len(presented))
		return 0; /* somebody: sees what is open to all */
	r = token_lookup(call, presented, &viewer->token);
	if (r == -ENOENT || r == -EACCES) {
		call_error(call, 403, "%s",
		    r == -EACCES ? "permission denied"
				 : "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n");
		return 1;
	}
	if (r == 0)
		r = token_acl(call, viewer->token, &viewer->entity, &viewer->acl);
	if (r != -EACCES)
		return r;
	call_error(call, 403, "permission denied");
	return 1;
}

/* Whether the mount is shown to whoever asks, so that people can choose where to log in. */
static bool is_open(const struct mount *mount)
{
	const char *visibility = json_string_value(json_object_get(mount->config, "listing_visibility"));

	return visibility && streq(visibility, "unauth");
}

bool sys_sees(const struct sys_viewer *viewer, const struct mount *mount)
{
	return viewer->all || (viewer->acl && acl_reaches(viewer->acl, mount->path));
}

/* What those without a token see of an open mount. */
static json_t *open_info(const struct mount *mount)
{
	return json_pack("{s:s, s:O?, s:s}", "description", mount->description, "options", mount->options, "type",
	    mount->engine->type);
}

static json_t *visible(const struct core *core, const struct sys_viewer *viewer, bool auth)
{
	struct mount **sorted AUTO_FREE = sys_mounts_sorted(core);
	json_t *mounts = sorted ? json_object() : NULL;

	for (size_t i = 0; mounts && i < core->n_mounts; i++) {
		const struct mount *mount = sorted[i];
		bool known = viewer->all || viewer->acl;

		if (mount->engine->auth == auth && (is_open(mount) || sys_sees(viewer, mount)))
			json_object_set_new(
			    mounts, sys_mount_name(mount), known ? sys_mount_info(mount, true) : open_info(mount));
	}
	return mounts;
}

int sys_ui_mounts(struct call *call)
{
	struct sys_viewer viewer AUTO_SYS_VIEWER = { 0 };
	json_t *data;
	int r = sys_find_viewer(call, &viewer);

	if (r)
		return r < 0 ? r : 0;
	data = json_pack(
	    "{s:o, s:o}", "auth", visible(call->core, &viewer, true), "secret", visible(call->core, &viewer, false));
	return data ? call_data(call, data) : -ENOMEM;
}

int sys_ui_mount(struct call *call)
{
	struct sys_viewer viewer AUTO_SYS_VIEWER = { 0 };
	const char *path = call_capture(call, "path");
	const struct mount *mount;
	json_t *data;
	int r = sys_find_viewer(call, &viewer);

	if (r)
		return r < 0 ? r : 0;
	if (!viewer.all && !viewer.acl)
		return call_error(call, 403, "permission denied");
	mount = core_mount_of(call->core, path);
	if (!mount || !sys_sees(&viewer, mount))
		return call_error(call, 403,
		    "preflight capability check returned 403, please ensure client's policies grant access to path "
		    "\"%s%s\"",
		    path, ends_with(path, "/") ? "" : "/");
	data = sys_mount_info(mount, true);
	if (!data)
		return -ENOMEM;
	json_object_set_new(data, "path", json_string(sys_mount_name(mount)));
	return call_data(call, data);
}

int sys_ui_namespaces(struct call *call)
{
	struct sys_viewer viewer AUTO_SYS_VIEWER = { 0 };
	int r = sys_find_viewer(call, &viewer);

	if (r)
		return r < 0 ? r : 0;
	if (!viewer.all && !viewer.acl)
		return call_error(call, 500, "client token empty");
	return call_data(call, json_pack("{s:[s]}", "keys", ""));
}
