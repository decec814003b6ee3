/* SPDX-License-Identifier: Apache-2.0 */
/* The block consumer "SERVICE" { }: which program that is not root may ask k8sauthd to verify (decision 22). */
#include "daemon/config_read.h"

#include <errno.h>
#include <stdint.h>

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
#define UNIT_CHARS NAME_CHARS ":@\\*?" /* what systemd allows in unit names, and two wildcards */

static bool is_root(const char *uid)
{
	return streq(uid, "root") || strspn(uid, "0") == strlen(uid);
}

/* A name, or a number that is an id. */
static bool is_user(const char *uid)
{
	bool number = strspn(uid, "0123456789") == strlen(uid);

	return strspn(uid, NAME_CHARS) == strlen(uid) && (!number || strtoull(uid, NULL, 10) < UINT32_MAX);
}

static int check_consumer(struct config_reader *reader, unsigned line, const struct consumer_config *consumer)
{
	if (!consumer->uid)
		return config_fail(reader, line,
		    "a consumer needs the uid that its program runs as, like uid = \"postgres\": every other one is "
		    "refused");
	if (!is_user(consumer->uid))
		return config_fail(reader, line, "uid must be a name of /etc/passwd, or a number in quotes");
	if (is_root(consumer->uid))
		return config_fail(reader, line,
		    "a program of root needs no consumer block: set its roles in service \"%s\" { }",
		    consumer->service);
	if (consumer->unit && strspn(consumer->unit, UNIT_CHARS) != strlen(consumer->unit))
		return config_fail(
		    reader, line, "unit must be a systemd unit with * and ?, like \"postgresql@*.service\"");
	if (consumer->unit && !strchr(consumer->unit, '.') && !strchr(consumer->unit, '*'))
		return config_fail(reader, line, "unit needs its type: write \"%s.service\"", consumer->unit);
	if (consumer->users && strspn(consumer->users, NAME_CHARS "*?") != strlen(consumer->users))
		return config_fail(reader, line, "users must be a Unix name with * and ?, like \"k8s_prod_*\"");
	return 0;
}

int config_read_consumer(struct config_reader *reader, const struct hcl_item *block, struct consumer_config *consumer)
{
	static const struct config_key keys[] = {
		{ "uid", KEY_STRING, offsetof(struct consumer_config, uid) },
		{ "unit", KEY_STRING, offsetof(struct consumer_config, unit) },
		{ "users", KEY_STRING, offsetof(struct consumer_config, users) },
		{ "roles", KEY_STRINGS, offsetof(struct consumer_config, roles) },
	};
	int r = config_read_keys(reader, block, keys, ARRAY_SIZE(keys), consumer);

	return r < 0 ? r : check_consumer(reader, block->line, consumer);
}
