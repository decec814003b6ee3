/* SPDX-License-Identifier: Apache-2.0 */
/* The world that core_fixture.h describes. */
#include "core_fixture.h"

static struct world *logging;

static void keep_log(int level, const char *ref, const char *line)
{
	size_t len = logging ? strlen(logging->log) : 0;

	(void)level;
	(void)ref;
	if (logging)
		snprintf(logging->log + len, sizeof(logging->log) - len, "%s\n", line);
}

static struct world *world_new(void)
{
	struct world *world = calloc(1, sizeof(*world));

	logging = world;
	log_set_sink(keep_log);
	world->base = event_base_new();
	return world;
}

static void open_with(struct world *world, const struct core_options *options)
{
	char why[512] = "";

	if (core_open(world->base, options, &world->core, why, sizeof(why)) < 0)
		fail_msg("core_open: %s", why);
}

int world_setup(void **state)
{
	struct core_options options = { .dev_root_token = "root" };
	struct world *world = world_new();

	open_with(world, &options);
	*state = world;
	return 0;
}

int world_setup_store(void **state)
{
	struct world *world = world_new();

	strcpy(world->dir, "/tmp/test_core.XXXXXX");
	assert_non_null(mkdtemp(world->dir));
	snprintf(world->store, sizeof(world->store), "%s/store.db", world->dir);
	setenv("CREDENTIALS_DIRECTORY", world->dir, 1);
	world_write_credential(world, 'k');
	world->seal.kind = seal_settings_of("systemd-credential");
	world->seal.values[0] = world->credential;
	strcpy(world->credential, "seal");
	*state = world;
	return 0;
}

void world_write_credential(struct world *world, char fill)
{
	char path[128], key[BARRIER_KEY_SIZE];
	FILE *file;

	memset(key, fill, sizeof(key));
	snprintf(path, sizeof(path), "%s/seal", world->dir);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(key, 1, sizeof(key), file), sizeof(key));
	fclose(file);
}

void world_open(struct world *world, bool sealed)
{
	struct core_options options = {
		.store_path = world->store, .seal = &world->seal, .init_over_tcp = world->init_over_tcp
	};

	options.old_seal = world->old_seal.kind ? &world->old_seal : NULL;

	core_close(world->core);
	world->core = NULL;
	open_with(world, &options);
	assert_int_equal(core_sealed(world->core), sealed);
}

int world_teardown(void **state)
{
	struct world *world = *state;
	char command[128];

	core_close(world->core);
	event_base_free(world->base);
	reply_clear(&world->last);
	if (*world->dir) {
		snprintf(command, sizeof(command), "rm -rf %s", world->dir);
		assert_int_equal(system(command), 0);
	}
	logging = NULL;
	free(world);
	return 0;
}

void reply_clear(struct reply *reply)
{
	json_decref(reply->body);
	memset(reply, 0, sizeof(*reply));
}

static void on_reply(void *arg, struct vault_response *response)
{
	struct reply *reply = arg;
	char *text = NULL;

	assert_false(reply->done);
	reply->done = true;
	reply->status = response->status;
	reply->failure = response->failure;
	reply->body = vault_response_body(response);
	if (reply->body)
		text = json_dumps(reply->body, JSON_COMPACT);
	snprintf(reply->text, sizeof(reply->text), "%s", text ? text : "");
	snprintf(reply->error, sizeof(reply->error), "%s", vault_response_error_text(response));
	snprintf(reply->reason, sizeof(reply->reason), "%s", response->reason ? response->reason : "");
	free(text);
}

void send_ask(struct world *world, const struct ask *ask, struct reply *reply)
{
	struct vault_request *request = vault_request_new(ask->op, ask->path);

	assert_non_null(request);
	request->internal = ask->peer == VAULT_PEER_INTERNAL;
	request->peer.kind = ask->peer;
	request->peer.uid = ask->uid;
	request->wrap_ttl = ask->wrap_ttl;
	request->peer.open_metrics = ask->open_metrics;
	if (ask->token)
		request->token = secret_copy(ask->token, strlen(ask->token));
	if (ask->data) {
		request->data = json_loads(ask->data, 0, NULL);
		assert_non_null(request->data);
	}
	vault_send(core_vault(world->core), request, on_reply, reply);
	assert_false(reply->done);
}

void wait_for(struct world *world, struct reply *reply)
{
	while (!reply->done)
		assert_int_equal(event_base_loop(world->base, EVLOOP_ONCE), 0);
}

struct reply *ask_as(struct world *world, const struct ask *ask)
{
	reply_clear(&world->last);
	send_ask(world, ask, &world->last);
	wait_for(world, &world->last);
	return &world->last;
}

struct reply *ask(struct world *world, enum vault_op op, const char *path, const char *token, const char *data)
{
	return ask_as(
	    world, &(struct ask){ .op = op, .path = path, .token = token, .data = data, .peer = VAULT_PEER_TCP });
}

struct mount *add_mount(struct world *world, const struct engine *engine, const char *path)
{
	struct mount *mount = mount_new(engine, path, "", NULL);

	assert_non_null(mount);
	assert_int_equal(mounts_add(world->core, mount), 0);
	return mount;
}
