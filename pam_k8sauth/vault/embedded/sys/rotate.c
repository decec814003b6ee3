/* SPDX-License-Identifier: Apache-2.0 */
/* sys/rotate, sys/rotate/config and sys/key-status: the keys that seal records. */
#include "vault/embedded/sys/sys.h"

#include <errno.h>
#include <inttypes.h>

#include "base/text.h"
#include "vault/embedded/nanotime.h"
#include "vault/embedded/rotation.h"

int sys_key_status(struct call *call)
{
	char installed[NANOTIME_SIZE];
	struct barrier_term_info info;

	barrier_term(call->core->barrier, &info);
	nanotime_format(info.installed, installed);
	call->response->data_on_top = true;
	return call_data(call,
	    json_pack("{s:I, s:s, s:I}", "encryptions", (json_int_t)rotation_sealed(call->core), "install_time",
		installed, "term", (json_int_t)info.term));
}

int sys_rotate(struct call *call)
{
	int r = rotation_rotate(call);

	if (r == -E2BIG)
		return call_error(call, 400, "the keyring has %d keys: it takes no more", BARRIER_TERMS_MAX);
	return r < 0 ? r : call_done(call);
}

int sys_rotate_config_read(struct call *call)
{
	struct rotation_config config;
	char interval[32];
	int r = rotation_config_get(call, &config);

	if (r < 0)
		return r;
	duration_format(config.interval, interval, sizeof(interval));
	return call_data(call,
	    json_pack("{s:b, s:o, s:I}", "enabled", config.enabled, "interval",
		config.interval ? json_string(interval) : json_integer(0), "max_operations",
		(json_int_t)config.max_operations));
}

int sys_rotate_config_write(struct call *call)
{
	struct rotation_config config;
	long long operations;
	int r = rotation_config_get(call, &config);

	if (r < 0)
		return r;
	operations = config.max_operations;
	r = call_field_int(call, "max_operations", &operations, NULL);
	if (r == 0)
		r = call_field_seconds(call, "interval", &config.interval, NULL);
	if (r == 0)
		r = call_field_bool(call, "enabled", &config.enabled, NULL);
	if (r)
		return r < 0 ? r : 0;
	if (config.interval && config.interval < ROTATION_INTERVAL_MIN)
		return call_error(call, 400, "interval must be greater or equal to 24h0m0s");
	if (operations < ROTATION_OPERATIONS_MIN || operations > ROTATION_OPERATIONS_MAX)
		return call_error(call, 400, "max_operations must be in the range [%" PRId64 ",%" PRId64 "]",
		    ROTATION_OPERATIONS_MIN, ROTATION_OPERATIONS_MAX);
	config.max_operations = operations;
	r = rotation_config_put(call, &config);
	return r < 0 ? r : call_done(call);
}
