/* SPDX-License-Identifier: Apache-2.0 */
/* Paths that answer in every state, without an envelope: health, seal-status, leader, init (vault-core.md 7). */
#include "vault/embedded/sys/sys.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "vault/embedded/nanotime.h"

static int answer(struct call *call, int status, json_t *body)
{
	if (!body)
		return -ENOMEM;
	call->response->status = status;
	call->response->body = body;
	return 0;
}

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
	return answer(call, status, body);
}

int sys_seal_status(struct call *call)
{
	const struct core *core = call->core;
	bool sealed = core_sealed(core), by_key = core->seal == SEAL_CREDENTIAL;
	int shares = by_key ? 0 : 1;
	json_t *body = json_pack("{s:s, s:b, s:b, s:i, s:i, s:i, s:s, s:s, s:s, s:b}", "type", core_seal_name(core),
	    "initialized", core->initialised, "sealed", sealed, "t", shares, "n", shares, "progress", 0, "nonce", "",
	    "version", SYS_VAULT_VERSION, "build_date", "", "migration", 0);

	if (body && !sealed) {
		json_object_set_new(body, "cluster_name", json_string(core->cluster_name));
		json_object_set_new(body, "cluster_id", json_string(core->cluster_id));
	}
	if (body) {
		/* So that `vault operator init` does not ask for key shares. */
		json_object_set_new(body, "recovery_seal", json_boolean(by_key));
		json_object_set_new(body, "storage_type", json_string(core->storage_type));
	}
	return answer(call, 200, body);
}

int sys_leader(struct call *call)
{
	return answer(call, 200,
	    json_pack("{s:b, s:b, s:s, s:s, s:s, s:b, s:i}", "ha_enabled", 0, "is_self", 0, "active_time",
		"0001-01-01T00:00:00Z", "leader_address", "", "leader_cluster_address", "", "performance_standby", 0,
		"performance_standby_last_remote_wal", 0));
}

int sys_init_status(struct call *call)
{
	return answer(call, 200, json_pack("{s:b}", "initialized", call->core->initialised));
}

/* The root token of a new store is for root of this machine alone; a server's for who asks first (design.md 4). */
static bool may_initialise(const struct call *call)
{
	const struct vault_peer *peer = &call->request->peer;

	return call->request->internal || (peer->kind == VAULT_PEER_UNIX && peer->uid == 0) ||
	       (peer->kind == VAULT_PEER_TCP && call->core->init_over_tcp);
}

/* What this seal has no use for, or what is not built: said by name. 0 or 1 after a refusal. */
static int refuse_parameters(struct call *call)
{
	static const char *const pgp[] = { "pgp_keys", "recovery_pgp_keys", "root_token_pgp_key" };
	long long shares = 0, threshold = 0;

	for (size_t i = 0; i < ARRAY_SIZE(pgp); i++) {
		const json_t *value = json_object_get(call->request->data, pgp[i]);

		if (json_array_size(value) || json_string_length(value)) {
			call_error(call, 400, "%s is not supported", pgp[i]);
			return 1;
		}
	}
	if (call_field_int(call, "secret_shares", &shares, NULL) ||
	    call_field_int(call, "secret_threshold", &threshold, NULL))
		return 1;
	if (shares || threshold) {
		call_error(call, 400, "parameters secret_shares,secret_threshold not applicable to seal type %s",
		    core_seal_name(call->core));
		return 1;
	}
	return 0;
}

int sys_init(struct call *call)
{
	const struct secret *root_token;
	int r;

	if (!may_initialise(call))
		return call_error(call, 403,
		    "initialising is for root of this machine: ask the api socket as root, not over the network");
	if (call->core->initialised || (call->core->initialising && !call->state))
		return call_error(call, 400, "Vault is already initialized");
	if (refuse_parameters(call))
		return 0;
	r = core_initialise(call, NULL, &root_token);
	if (r == -ENOENT || r == -EINVAL)
		return call_error(call, 500, "the seal has no usable key: the journal of k8sauthd says why");
	if (r < 0)
		return r;
	return answer(call, 200,
	    json_pack("{s:[], s:[], s:[], s:[], s:s}", "keys", "keys_base64", "recovery_keys", "recovery_keys_base64",
		"root_token", secret_reveal(root_token)));
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
