/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the mount of a key-value secret and its version: the verbs of kv ask before they do anything. */
#include "cli/kv.h"

#include <stdio.h>

#include "base/text.h"

void kv_place_free(struct kv_place *place)
{
	free(place->mount);
	free(place->path);
	free(place->rest);
}

static char *copy(const char *text)
{
	return text_of("%s", text);
}

static void set_paths(struct kv_place *place, const char *arg, bool below)
{
	size_t len = strlen(place->mount);

	if (below) {
		place->rest = copy(arg);
		place->path = text_of("%s%s", place->mount, arg);
		return;
	}
	place->path = copy(arg);
	if (strncmp(arg, place->mount, len) == 0)
		place->rest = copy(arg + len);
	else /* the mount itself, without its slash */
		place->rest = copy(len > 0 && strncmp(arg, place->mount, len - 1) == 0 ? arg + len - 1 : arg);
}

int kv_find(struct cli *cli, struct kv_place *ret)
{
	AUTO_FREE char *mount_flag = flag_given(cli, FLAG_MOUNT) ? copy(flag_text(cli, FLAG_MOUNT)) : NULL;
	const char *arg = cli->n_args > 0 ? trim_path(cli->args[0]) : "";
	const char *asked = mount_flag && *mount_flag ? trim_path(mount_flag) : arg;
	AUTO_FREE char *path = text_of("sys/internal/ui/mounts/%s", asked);
	AUTO_REPLY struct reply reply = { 0 };
	const struct value *data;
	const char *mount, *version;
	int r;

	cli->asking = true;
	r = client_send(cli, "GET", path, NULL, NULL, &reply);
	cli->asking = false;
	/* A server without this path has no versions. */
	if (r < 0 && reply.status == 404) {
		ret->mount = text_of("%s", mount_flag ? asked : "");
		set_paths(ret, arg, mount_flag != NULL);
		return CLI_OK;
	}
	if (r < 0)
		return ui_fail(cli, CLI_SERVER, "%s", reply.error);
	data = value_get(reply.json, "data");
	mount = value_get_text(data, "path");
	version = value_get_text(value_get(data, "options"), "version");
	ret->mount = copy(mount ? mount : "");
	ret->v2 = version && streq(version, "2");
	set_paths(ret, arg, mount_flag && *mount_flag);
	return CLI_OK;
}

char *kv_api_path(const struct kv_place *place, const char *folder)
{
	if (!place->v2)
		return copy(place->path);
	return text_of("%s%s%s%s", place->mount, folder, *place->rest ? "/" : "", place->rest);
}

struct value *kv_versions(const struct cli *cli)
{
	struct value *body = value_new(VALUE_MAP), *list = value_new(VALUE_LIST);

	for (size_t i = 0; i < cli->flags[FLAG_VERSIONS].n; i++) {
		const char *text = cli->flags[FLAG_VERSIONS].texts[i];

		for (;;) {
			size_t len = strcspn(text, ",");

			value_add(list, value_string_n(text, len));
			if (!text[len])
				break;
			text += len + 1;
		}
	}
	value_set(body, "versions", list);
	return body;
}

int kv_written(const struct cli *cli, const char *path, const struct reply *reply)
{
	if (reply->json)
		return print_whole_secret(cli, reply->json);
	if (cli->format == FORMAT_TABLE)
		ui_output("Success! Data written to: %s", path);
	return CLI_OK;
}
