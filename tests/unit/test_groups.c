/* SPDX-License-Identifier: Apache-2.0 */
/* Groups on a backend in memory: many members, many levels, and that nothing stays behind. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core_harness.h"
#include "vault/embedded/core_internal.h"
#include "vault/embedded/identity.h"

static struct harness harness;

static int setup(void **state)
{
	(void)state;
	harness_open(&harness, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	harness_close(&harness);
	return 0;
}

static int status_of(enum vault_op op, const char *path, const char *token, json_t *data)
{
	struct vault_response *response = harness_send(&harness, op, path, token, data);
	int status = response->status;

	vault_response_free(response);
	return status;
}

/* Writes what makes a new thing with an id. */
static void make(const char *path, json_t *data, char ret_id[40])
{
	struct vault_response *response = harness_send(&harness, VAULT_UPDATE, path, HARNESS_ROOT, data);

	assert_int_equal(response->status, 200);
	snprintf(ret_id, 40, "%s", json_string_value(json_object_get(response->data, "id")));
	vault_response_free(response);
}

static void make_entity(const char *name, char ret_id[40])
{
	make("identity/entity", json_pack("{s:s}", "name", name), ret_id);
}

static json_t *read_of(const char *folder, const char *id)
{
	char path[160];
	struct vault_response *response;
	json_t *data;

	snprintf(path, sizeof(path), "%s/id/%s", folder, id);
	response = harness_send(&harness, VAULT_READ, path, HARNESS_ROOT, NULL);
	data = json_incref(response->data);
	vault_response_free(response);
	return data;
}

static size_t count_of(const char *folder, const char *id, const char *list)
{
	json_t *record = read_of(folder, id);
	size_t n = json_array_size(json_object_get(record, list));

	json_decref(record);
	return n;
}

static int change(const char *id, json_t *data)
{
	char path[128];

	snprintf(path, sizeof(path), "identity/group/id/%s", id);
	return status_of(VAULT_UPDATE, path, HARNESS_ROOT, data);
}

/* Logs the account ALIAS in. */
static void login(const char *alias, char entity[40], char token[128])
{
	struct login_auth *auth = login_auth_new();
	struct vault_response *response;

	auth->display_name = strdup("x");
	auth->policies = json_array();
	auth->token_type = strdup("default");
	auth->alias_name = strdup(alias);
	auth->alias_metadata = json_object();
	response = harness_login(&harness, "auth/token/", auth, NULL);
	assert_int_equal(response->status, 200);
	snprintf(entity, 40, "%s", json_string_value(json_object_get(response->auth, "entity_id")));
	snprintf(token, 128, "%s", json_string_value(json_object_get(response->auth, "client_token")));
	vault_response_free(response);
}

struct count {
	const char *folder;
	size_t n;
};

static int run_count(struct call *call)
{
	struct count *count = call->state;
	json_t *list = NULL;
	int r = core_list(call, count->folder, &list);

	if (r < 0)
		return r;
	count->n = json_array_size(list);
	json_decref(list);
	return 0;
}

static size_t count_in(const char *folder)
{
	struct count count = { .folder = folder };

	assert_int_equal(harness_run(&harness, run_count, &count), 0);
	return count.n;
}

/* All of a thousand members know the group, and forget it. */
static void test_many_members(void **state)
{
	json_t *members = json_array(), *half = json_array();
	char group[40], id[40] = "", name[32];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "member-%d", i);
		make_entity(name, id);
		json_array_append_new(members, json_string(id));
		if (i % 2 == 0)
			json_array_append_new(half, json_string(id));
	}
	make("identity/group", json_pack("{s:s, s:O}", "name", "many", "member_entity_ids", members), group);
	assert_int_equal(count_of("identity/group", group, "member_entity_ids"), 1000);
	assert_int_equal(count_of("identity/entity", id, "direct_group_ids"), 1);
	assert_int_equal(change(group, json_pack("{s:O}", "member_entity_ids", half)), 204);
	assert_int_equal(count_of("identity/group", group, "member_entity_ids"), 500);
	assert_int_equal(count_of("identity/entity", id, "direct_group_ids"), 0);
	assert_int_equal(change(group, json_pack("{s:[]}", "member_entity_ids")), 204);
	assert_int_equal(
	    count_of("identity/entity", json_string_value(json_array_get(half, 0)), "direct_group_ids"), 0);
	json_decref(members);
	json_decref(half);
}

struct two {
	char ids[2][40];
	json_t *views[2];
};

static int run_view_both(struct call *call)
{
	struct two *two = call->state;

	for (size_t i = 0; i < 2; i++) {
		int r = identity_entity(call, two->ids[i], &two->views[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

/* The group that both are in: what is remembered of it. */
static const json_t *view_both(struct two *two)
{
	const json_t *group;

	for (size_t i = 0; i < 2; i++)
		json_decref(two->views[i]);
	assert_int_equal(harness_run(&harness, run_view_both, two), 0);
	group = json_array_get(json_object_get(two->views[0], "groups"), 0);
	assert_ptr_equal(group, json_array_get(json_object_get(two->views[1], "groups"), 0));
	return group;
}

/* Members share what they know of their group, and that is not its members: else memory grows with the square of them. */
static void test_members_share_their_group(void **state)
{
	struct two two = { 0 };
	const json_t *group;
	char id[40];

	(void)state;
	make_entity("sharing-1", two.ids[0]);
	make_entity("sharing-2", two.ids[1]);
	make("identity/group", json_pack("{s:s, s:[s, s], s:[s]}", "name", "shared", "member_entity_ids", two.ids[0], two.ids[1],
				   "policies", "old"), id);
	group = view_both(&two);
	assert_string_equal(json_string_value(json_object_get(group, "name")), "shared");
	assert_null(json_object_get(group, "member_entity_ids"));
	assert_int_equal(change(id, json_pack("{s:[s], s:{s:s}}", "policies", "new", "metadata", "a", "b")), 204);
	group = view_both(&two);
	assert_string_equal(json_string_value(json_array_get(json_object_get(group, "policies"), 0)), "new");
	assert_string_equal(json_string_value(json_object_get(json_object_get(group, "metadata"), "a")), "b");
	for (size_t i = 0; i < 2; i++)
		json_decref(two.views[i]);
}

struct sent {
	size_t answered;
	int statuses[2];
};

static void on_answered(void *arg, struct vault_response *response)
{
	struct sent *sent = arg;

	sent->statuses[sent->answered++] = response->status;
}

/* Sends that GROUP has MEMBER, and does not wait for the answer. */
static void send_member(const char *group, const char *member, struct sent *sent)
{
	struct vault_request *request;
	char path[128];

	snprintf(path, sizeof(path), "identity/group/id/%s", group);
	request = vault_request_new(VAULT_UPDATE, path);
	request->token = secret_copy(HARNESS_ROOT, strlen(HARNESS_ROOT));
	request->data = json_pack("{s:[s]}", "member_group_ids", member);
	request->peer = (struct vault_peer){ .kind = VAULT_PEER_TCP, .address = "127.0.0.1" };
	vault_send(core_vault(harness.core), request, on_answered, sent);
}

/* Two changes at once that would make a ring together: the second one knows of the first, though it is not durable yet. */
static void test_no_ring_of_two_changes(void **state)
{
	struct sent sent = { 0 };
	char ids[4][40], entity[40], token[128];

	(void)state;
	login("uid-ring", entity, token);
	make("identity/group", json_pack("{s:s, s:[s]}", "name", "ring-0", "member_entity_ids", entity), ids[0]);
	make("identity/group", json_pack("{s:s, s:[s]}", "name", "ring-1", "member_group_ids", ids[0]), ids[1]);
	make("identity/group", json_pack("{s:s}", "name", "ring-2"), ids[2]);
	make("identity/group", json_pack("{s:s, s:[s]}", "name", "ring-3", "member_group_ids", ids[2]), ids[3]);
	/* What the entity's tokens may do is remembered. */
	assert_int_equal(status_of(VAULT_READ, "auth/token/lookup-self", token, NULL), 200);
	send_member(ids[2], ids[1], &sent);
	send_member(ids[0], ids[3], &sent);
	for (int i = 0; i < 100 && sent.answered < 2; i++)
		harness_loop(&harness, 10);
	assert_int_equal(sent.answered, 2);
	assert_int_equal(sent.statuses[0], 204);
	assert_int_equal(sent.statuses[1], 400);
	assert_int_equal(count_of("identity/entity", entity, "group_ids"), 4);
}

static void test_too_many_members(void **state)
{
	json_t *members = json_array();
	char group[40];

	(void)state;
	for (int i = 0; i < 4097; i++)
		json_array_append_new(members, json_sprintf("%d", i));
	make("identity/group", json_pack("{s:s}", "name", "too-many"), group);
	assert_int_equal(change(group, json_pack("{s:O}", "member_entity_ids", members)), 400);
	assert_int_equal(change(group, json_pack("{s:O}", "member_group_ids", members)), 400);
	json_decref(members);
}

/* A policy comes down through many groups; the first cannot become a member of the last one's members. */
static void test_many_levels(void **state)
{
	char entity[40], token[128], ids[200][40], name[32];

	(void)state;
	assert_int_equal(status_of(VAULT_UPDATE, "sys/policies/acl/deep", HARNESS_ROOT,
			     json_pack("{s:s}", "policy", "path \"secret/data/deep\" { capabilities = [\"read\"] }")),
	    204);
	login("uid-deep", entity, token);
	make("identity/group", json_pack("{s:s, s:[s]}", "name", "level-0", "member_entity_ids", entity), ids[0]);
	for (int i = 1; i < 200; i++) {
		snprintf(name, sizeof(name), "level-%d", i);
		make("identity/group", json_pack("{s:s, s:[s]}", "name", name, "member_group_ids", ids[i - 1]), ids[i]);
	}
	assert_int_equal(status_of(VAULT_READ, "secret/data/deep", token, NULL), 403);
	assert_int_equal(change(ids[199], json_pack("{s:s}", "policies", "deep")), 204);
	assert_int_equal(status_of(VAULT_READ, "secret/data/deep", token, NULL), 404);
	assert_int_equal(count_of("identity/entity", entity, "inherited_group_ids"), 199);
	assert_int_equal(change(ids[0], json_pack("{s:[s]}", "member_group_ids", ids[199])), 400);
	assert_int_equal(change(ids[100], json_pack("{s:[]}", "member_group_ids")), 204);
	assert_int_equal(status_of(VAULT_READ, "secret/data/deep", token, NULL), 403);
	assert_int_equal(change(ids[0], json_pack("{s:[s]}", "member_group_ids", ids[199])), 204);
	assert_int_equal(change(ids[100], json_pack("{s:[s]}", "member_group_ids", ids[99])), 400);
}

/* More groups above an entity than anybody could see through end its requests; fewer make them work again. */
static void test_too_many_above(void **state)
{
	json_t *groups = json_array();
	char entity[40], token[128], id[40], top[40], name[32];

	(void)state;
	login("uid-wide", entity, token);
	for (int i = 0; i < 1025; i++) {
		snprintf(name, sizeof(name), "wide-%d", i);
		make("identity/group", json_pack("{s:s, s:[s]}", "name", name, "member_entity_ids", entity), id);
		json_array_append_new(groups, json_string(id));
	}
	assert_int_equal(status_of(VAULT_READ, "auth/token/lookup-self", token, NULL), 500);
	make("identity/group", json_pack("{s:s, s:O}", "name", "top", "member_group_ids", groups), top);
	assert_int_equal(change(id, json_pack("{s:[]}", "member_entity_ids")), 204);
	assert_int_equal(status_of(VAULT_READ, "auth/token/lookup-self", token, NULL), 500);
	assert_int_equal(change(top, json_pack("{s:[]}", "member_group_ids")), 204);
	assert_int_equal(status_of(VAULT_READ, "auth/token/lookup-self", token, NULL), 200);
	json_decref(groups);
}

static void test_nothing_stays_behind(void **state)
{
	static const char *const folders[] = { "identity/group/", "identity/group-name/", "identity/group-alias/",
		"identity/entity/", "identity/name/", "identity/merged/", "identity/alias/" };
	size_t before[ARRAY_SIZE(folders)];
	char one[40], two[40], last[40], group[40], other[40], token[128], path[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		before[i] = count_in(folders[i]);
	login("uid-one", one, token);
	make_entity("two", two);
	make_entity("last", last);
	make("identity/group", json_pack("{s:s, s:[s, s]}", "name", "a", "member_entity_ids", one, two), group);
	make("identity/group", json_pack("{s:s, s:[s]}", "name", "b", "member_group_ids", group), other);
	assert_int_equal(status_of(VAULT_UPDATE, "identity/entity/merge", HARNESS_ROOT,
			     json_pack("{s:[s], s:s}", "from_entity_ids", one, "to_entity_id", two)),
	    204);
	assert_int_equal(status_of(VAULT_UPDATE, "identity/entity/merge", HARNESS_ROOT,
			     json_pack("{s:[s], s:s}", "from_entity_ids", two, "to_entity_id", last)),
	    204);
	assert_int_equal(count_in("identity/merged/"), before[5] + 2);
	assert_int_equal(count_of("identity/group", group, "member_entity_ids"), 1);
	assert_int_equal(status_of(VAULT_READ, "auth/token/lookup-self", token, NULL), 200);
	snprintf(path, sizeof(path), "identity/entity/id/%s", last);
	assert_int_equal(status_of(VAULT_DELETE, path, HARNESS_ROOT, NULL), 204);
	assert_int_equal(status_of(VAULT_READ, "auth/token/lookup-self", token, NULL), 403);
	assert_int_equal(count_of("identity/group", group, "member_entity_ids"), 0);
	snprintf(path, sizeof(path), "identity/group/id/%s", other);
	assert_int_equal(status_of(VAULT_DELETE, path, HARNESS_ROOT, NULL), 204);
	assert_int_equal(count_of("identity/group", group, "parent_group_ids"), 0);
	assert_int_equal(status_of(VAULT_DELETE, "identity/group/name/A", HARNESS_ROOT, NULL), 204);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		assert_int_equal(count_in(folders[i]), before[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_members),
		cmocka_unit_test(test_members_share_their_group),
		cmocka_unit_test(test_no_ring_of_two_changes),
		cmocka_unit_test(test_too_many_members),
		cmocka_unit_test(test_many_levels),
		cmocka_unit_test(test_too_many_above),
		cmocka_unit_test(test_nothing_stays_behind),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
