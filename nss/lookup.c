/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who answers (decision 13): a name that does not look ours is answered here, before anything is opened (measured: boot
 * takes 0.5 s, and 25 s with a module that asks its daemon for every name); then the index; then, for a name whose
 * account follows from its text, the daemon, 250 ms at most. Ids never ask the daemon.
 */
#include "lookup.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>

#include "accounts/names.h"
#include "wire/wire.h"

/*
 * systemd resolves User= and groups of a service in the process that becomes the service, and names it here: if that is
 * our own daemon, asking it would wait for ourselves. Not believed in a setuid program.
 */
static bool in_own_unit(void)
{
	const char *unit = secure_getenv("SYSTEMD_ACTIVATION_UNIT");

	return unit && (streq(unit, "k8sauthd.service") || streq(unit, "k8sauth-helper.service"));
}

/* Text of the daemon's that becomes a field of a passwd line. */
static bool field_valid(const char *text)
{
	for (const char *c = text; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f || *c == ':')
			return false;
	}
	return true;
}

static bool in_range(const struct index_map *map, uint32_t id)
{
	uint32_t from, to;

	index_range(map, &from, &to);
	return id >= from && id <= to && !account_id_forbidden(id);
}

/*
 * An account that nobody proved has an id of the range that is no other account's and no group's, and a private group:
 * else a daemon that was taken over could let its own logins in as somebody of this machine.
 */
static bool ids_free(const struct index_map *map, const struct index_user *user)
{
	struct index_user other;
	struct index_group group;

	if (user->gid != user->uid || !in_range(map, user->uid))
		return false;
	return !map->data || (index_user_by_id(map, user->uid, &other) == -ENOENT &&
				 index_group_by_id(map, user->uid, &group) == -ENOENT);
}

/* Its groups are k8sauth-users and the namespace's, and these may be new; every other one could be in sudoers. */
static bool group_due(const struct index_map *map, const char *name, uint32_t gid)
{
	size_t namespace_len = account_prefix_len(name) + strcspn(name + account_prefix_len(name), "_");
	struct index_group group;
	struct index_user user;

	if (!map->data || index_group_by_id(map, gid, &group) == -ENOENT)
		return in_range(map, gid) && (!map->data || index_user_by_id(map, gid, &user) == -ENOENT);
	return index_group_by_id(map, gid, &group) == 0 &&
	       (streq(group.name, K8SAUTH_USERS_GROUP) ||
		   (strlen(group.name) == namespace_len && strncmp(group.name, name, namespace_len) == 0));
}

/* The daemon is trusted with names and ids of ours, and with no others. */
static int take_answer(const struct wire_frame *reply, const char *name, struct lookup *lookup, struct index_user *ret)
{
	const struct index_map *map = &lookup->index.map;
	struct index_user user = { .name = name, .identity = "", .service_account_uid = "", .groups = lookup->groups };
	struct wire_item item;
	size_t at = 0;

	lookup->gecos = wire_get_str(reply, WIRE_GECOS);
	lookup->home = wire_get_str(reply, WIRE_HOME);
	lookup->shell = wire_get_str(reply, WIRE_SHELL);
	if (!wire_get_u32(reply, WIRE_UID, &user.uid) || !wire_get_u32(reply, WIRE_GID, &user.gid) || !lookup->home ||
	    !lookup->shell)
		return -EPROTO;
	user.gecos = lookup->gecos ? lookup->gecos : "";
	user.home = lookup->home;
	user.shell = lookup->shell;
	if (!ids_free(map, &user) || !field_valid(user.gecos) || *user.home != '/' || !field_valid(user.home) ||
	    *user.shell != '/' || !field_valid(user.shell))
		return -EPROTO;
	while (wire_next(reply, &at, &item)) {
		uint32_t gid;

		if (item.tag != WIRE_GROUP || item.len != sizeof(uint32_t) || user.n_groups == IDMAP_GROUPS_MAX)
			continue;
		memcpy(&gid, item.value, sizeof(gid));
		if (group_due(map, name, le32toh(gid)))
			lookup->groups[user.n_groups++] = gid;
	}
	*ret = user;
	return 0;
}

static int ask_daemon(const char *name, struct lookup *lookup, struct index_user *ret)
{
	AUTO_BUF struct buf request = BUF_MAX(WIRE_REQUEST_MAX);
	AUTO_BUF struct buf data = { 0 };
	struct wire_frame reply;
	uint32_t status;
	int r;

	if (in_own_unit())
		return -EBUSY;
	wire_begin(&request, WIRE_LOOKUP);
	wire_add_str(&request, WIRE_USER | WIRE_CRITICAL, name);
	r = wire_end(&request);
	if (r == 0)
		r = wire_call_trusting(
		    NSS_SOCKET, NSS_OWNER, &request, WIRE_REPLY_MAX, deadline_after_ms(NSS_LOOKUP_MS), &data, &reply);
	if (r < 0)
		return r == -ENOENT ? -ECONNREFUSED : r; /* no socket is no answer about a name */
	if (!wire_get_u32(&reply, WIRE_STATUS, &status))
		return -EPROTO;
	switch (status) {
	case WIRE_STATUS_OK:
		return take_answer(&reply, name, lookup, ret);
	case WIRE_STATUS_NOT_OURS:
	case WIRE_STATUS_NOT_FOUND:
		return -ENOENT;
	default:
		return -EIO;
	}
}

int lookup_user_by_name(const char *name, struct lookup *lookup, struct index_user *ret)
{
	int r;

	if (!account_name_is_ours(name))
		return -ENOENT;
	switch (account_name_form(name)) {
	case ACCOUNT_FORM_NONE:
	case ACCOUNT_FORM_GROUP:
		return -ENOENT; /* no account can have this name */
	case ACCOUNT_FORM_HASHED:
	case ACCOUNT_FORM_FULL:
		break;
	}
	r = kept_acquire(&lookup->index);
	if (r == 0)
		r = index_user_by_name(&lookup->index.map, name, ret);
	if ((r == -ENOENT || r == -ENODATA) && account_name_form(name) == ACCOUNT_FORM_FULL)
		return ask_daemon(name, lookup, ret);
	return r;
}

int lookup_user_by_id(uint32_t uid, struct lookup *lookup, struct index_user *ret)
{
	int r;

	if (account_id_forbidden(uid))
		return -ENOENT;
	r = kept_acquire(&lookup->index);
	return r < 0 ? r : index_user_by_id(&lookup->index.map, uid, ret);
}

int lookup_group_by_name(const char *name, struct lookup *lookup, struct index_group *ret)
{
	struct index_user user;
	int r;

	if (!account_group_is_ours(name) || strnlen(name, ACCOUNT_NAME_SIZE) > ACCOUNT_NAME_MAX)
		return -ENOENT;
	r = kept_acquire(&lookup->index);
	if (r == 0)
		r = index_group_by_name(&lookup->index.map, name, ret);
	if ((r != -ENOENT && r != -ENODATA) || account_name_form(name) != ACCOUNT_FORM_FULL)
		return r;
	/* The private group of an account that nobody has proved yet. */
	r = ask_daemon(name, lookup, &user);
	if (r < 0)
		return r;
	if (user.gid != user.uid)
		return -ENOENT;
	*ret = (struct index_group){ .name = name, .gid = user.gid };
	return 0;
}

int lookup_group_by_id(uint32_t gid, struct lookup *lookup, struct index_group *ret)
{
	int r;

	if (account_id_forbidden(gid))
		return -ENOENT;
	r = kept_acquire(&lookup->index);
	return r < 0 ? r : index_group_by_id(&lookup->index.map, gid, ret);
}

void lookup_release(struct lookup *lookup)
{
	kept_release(&lookup->index);
	free(lookup->gecos);
	free(lookup->home);
	free(lookup->shell);
}
