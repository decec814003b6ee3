/* SPDX-License-Identifier: Apache-2.0 */
/* sys/internal/specs/openapi: of the mounts that the caller may know of. */
#include "vault/embedded/openapi.h"

#include <errno.h>

#include "vault/embedded/core_internal.h"
#include "vault/embedded/sys/sys.h"

int sys_openapi(struct call *call)
{
	struct sys_viewer viewer AUTO_SYS_VIEWER = { 0 };
	struct mount **sorted AUTO_FREE = NULL;
	json_auto_t *document = NULL;
	int r = sys_find_viewer(call, &viewer);

	if (r)
		return r < 0 ? r : 0;
	document = openapi_new();
	sorted = sys_mounts_sorted(call->core);
	if (!document || !sorted)
		return -ENOMEM;
	for (size_t i = 0; i < call->core->n_mounts; i++) {
		const struct mount *mount = sorted[i];

		for (const struct engine_path *path = engine_paths(mount); sys_sees(&viewer, mount) && path->pattern;
		     path++) {
			r = openapi_add(document, mount, path);
			if (r < 0)
				return r;
		}
	}
	call->response->status = 200;
	call->response->body = json_incref(document);
	return 0;
}
