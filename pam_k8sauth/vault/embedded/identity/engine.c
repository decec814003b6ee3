/* SPDX-License-Identifier: Apache-2.0 */
/* The engine "identity": its paths. */
#include <errno.h>

#include "vault/embedded/identity/identity_internal.h"

static int read_entity(struct call *call)
{
	json_auto_t *entity = NULL;
	json_t *data;
	int r = entity_load(call, call_capture(call, "id"), &entity);

	if (r == -ENOENT)
		return call_data(call, NULL);
	if (r < 0)
		return r;
	data = entity_show(call->core, entity);
	return data ? call_data(call, data) : -ENOMEM;
}

static const struct engine_field id_field[] = {
	{ "id", FIELD_STRING, "The id of the entity." },
	{ 0 },
};

static const struct engine_path paths[] = {
	{ .pattern = "entity/id/{id}", .read = read_entity, .fields = id_field, .help = "Reads an entity." },
	{ NULL },
};

const struct engine identity_engine = {
	.type = "identity",
	.help = "Entities: who is behind a token, and by which aliases it logs in.",
	.paths = paths,
};
