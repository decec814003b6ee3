/* SPDX-License-Identifier: Apache-2.0 */
/* Paths that answer in every state, without an envelope: health, leader (vault-core.md 7). */
#include "vault/embedded/sys/sys.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "vault/embedded/nanotime.h"

/* Vault's 400 without a text. */
static int bad_query(struct call *call)
{
	json_decref(call->response->errors);
	call->response->errors = NULL;
	call->response->status = 400;
	return 1;
}

/* The status that the query wants for this state: `activecode=299`. STATE is the parameter that counts, but all must be
   good. 0, 1 after a refusal, or an errno. */
static int wanted_status(struct call *call, const char *state, int *status)
{
	static const char *const codes[] = { "activecode", "drsecondarycode", "haunhealthycode",
		"performancestandbycode", "removedcode", "sealedcode", "standbycode", "uninitcode" };
	static const char *const flags[] = { "perfstandbyok", "standbyok" };
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		const char *text = json_string_value(json_object_get(call->request->data, codes[i]));
		long long code = *status;

		r = call_field_int(call, codes[i], &code, NULL);
		if (r < 0)
			return r;
		if (r > 0 || (text && !*text) || code < 100 || code > 599)
			return bad_query(call);
		if (streq(codes[i], state))
			*status = (int)code;
	}
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		bool unused;

		r = call_field_bool(call, flags[i], &unused, NULL);
		if (r)
			return r < 0 ? r : bad_query(call);
	}
	return 0;
}

int sys_health(struct call *call)
{
	const struct core *core = call->core;
	bool sealed = core_sealed(core);
	const char *replication = sealed ? "unknown" : "disabled";
	int status = !core->initialised ? 501 : sealed ? 503 : 200, r;
	json_t *body;

	r = wanted_status(call, !core->initialised ? "uninitcode" : sealed ? "sealedcode" : "activecode", &status);
	if (r)
		return r < 0 ? r : 0;
	body = json_pack("{s:b, s:b, s:b, s:b, s:s, s:s, s:I, s:s, s:b}", "initialized", core->initialised, "sealed",
	    sealed, "standby", sealed, "performance_standby", 0, "replication_performance_mode", replication,
	    "replication_dr_mode", replication, "server_time_utc", (json_int_t)time(NULL), "version", SYS_VAULT_VERSION,
	    "enterprise", 0);
	if (body && !sealed) {
		json_object_set_new(body, "cluster_name", json_string(core->cluster_name));
		json_object_set_new(body, "cluster_id", json_string(core->cluster_id));
	}
	if (body) {
		json_object_set_new(body, "echo_duration_ms", json_integer(0));
		json_object_set_new(body, "clock_skew_ms", json_integer(0));
		json_object_set_new(body, "replication_primary_canary_age_ms", json_integer(0));
	}
	return sys_answer(call, status, body);
}

int sys_leader(struct call *call)
{
	return sys_answer(call, 200,
	    json_pack("{s:b, s:b, s:s, s:s, s:s, s:b, s:i}", "ha_enabled", 0, "is_self", 0, "active_time",
		"0001-01-01T00:00:00Z", "leader_address", "", "leader_cluster_address", "", "performance_standby", 0,
		"performance_standby_last_remote_wal", 0));
}

int sys_ha_status(struct call *call)
{
	char host[256] = "";
	json_t *node;

	gethostname(host, sizeof(host) - 1);
	node = json_pack("{s:b, s:s, s:i, s:s, s:i, s:s, s:n, s:i, s:s}", "active_node", 1, "api_address", "",
	    "clock_skew_ms", 0, "cluster_address", "", "echo_duration_ms", 0, "hostname", host, "last_echo",
	    "replication_primary_canary_age_ms", 0, "version", SYS_VAULT_VERSION);
	call->response->data_on_top = true;
	return node ? call_data(call, json_pack("{s:[o]}", "nodes", node)) : -ENOMEM;
}

/* Vault keeps every version that the store has seen; here it is the running one, since the store was made. */
int sys_version_history(struct call *call)
{
	char created[NANOTIME_SIZE];

	nanotime_format(call->core->created / NANOTIME_SECOND * NANOTIME_SECOND, created);
	return call_data(call, json_pack("{s:{s:{s:s, s:n, s:s}}, s:[s]}", "key_info", SYS_VAULT_VERSION, "build_date",
				   "", "previous_version", "timestamp_installed", created, "keys", SYS_VAULT_VERSION));
}

int sys_replication_status(struct call *call)
{
	return call_data(call, json_pack("{s:s}", "mode", "disabled"));
}
