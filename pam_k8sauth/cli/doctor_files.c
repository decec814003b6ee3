/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor and our own files: who may write or read them, the account index, where sessions' files are. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include <k8sauth/limits.h>

#include "accounts/index.h"
#include "base/text.h"
#include "cli/doctor.h"

struct hcl_value *doctor_config(const struct doctor *doctor)
{
	AUTO_BUF struct buf text = { 0 };
	struct hcl_value *config = NULL;
	struct hcl_error error;

	if (look_read(doctor->root, K8SAUTH_CONFIG, &text) < 0 || !text.data ||
	    hcl_parse(text.data, text.len, &config, &error) < 0)
		return NULL;
	return config;
}

const struct hcl_value *config_value(const struct hcl_value *object, const char *key)
{
	for (size_t i = 0; object && object->type == HCL_OBJECT && i < object->object.n; i++) {
		if (streq(object->object.items[i].keys[0], key))
			return object->object.items[i].value;
	}
	return NULL;
}

bool server_only(const struct doctor *doctor)
{
	AUTO_HCL struct hcl_value *config = doctor_config(doctor);
	const struct hcl_value *mode = config_value(config, "mode");

	return mode && mode->type == HCL_STRING && streq(mode->string, "server");
}

/* Root's; no bit of FORBIDDEN set. What is not there is no fault: the daemon says so itself. */
static const struct {
	const char *path;
	mode_t forbidden;
} places[] = {
	{ "/etc/k8sauth", 022 },
	{ K8SAUTH_CONFIG, 022 },
	{ K8SAUTH_ACCOUNTS_CONF, 022 },
	{ "/etc/k8sauth/seal.key", 077 },
	{ "/etc/k8sauth/hooks", 022 },
	{ K8SAUTH_HOOK_ROTATED, 022 },
	{ "/etc/pam.d", 022 },
	{ "/etc/nsswitch.conf", 022 },
	{ K8SAUTH_RUN_DIR, 022 },
	{ K8SAUTH_SESSIONS_DIR, 022 },
	{ "/var/lib/k8sauth-index", 022 },
};

void check_files(struct doctor *doctor)
{
	doctor_looked(doctor, FINDING_FILE_MODE);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		AUTO_FREE char *path = text_of("%s%s", doctor->root, places[i].path);
		struct stat st;

		if (stat(path, &st) < 0) {
			if (errno == EACCES)
				doctor_skip(doctor, FINDING_FILE_MODE, "%s: %s", places[i].path, strerror(EACCES));
			continue;
		}
		if (st.st_uid != doctor->owner)
			doctor_find(
			    doctor, FINDING_FILE_MODE, places[i].path, "belongs to uid %u, not to root", st.st_uid);
		else if (st.st_mode & places[i].forbidden)
			doctor_find(doctor, FINDING_FILE_MODE, places[i].path,
			    "has mode %04o, and none of %04o is right", st.st_mode & 07777, places[i].forbidden);
	}
}

void check_index(struct doctor *doctor)
{
	AUTO_FREE char *path = text_of("%s%s", doctor->root, K8SAUTH_INDEX);
	struct index_map map = { 0 };
	int r = index_open(path, doctor->owner, &map);

	doctor_looked(doctor, FINDING_INDEX);
	if (r == 0)
		index_close(&map);
	else
		doctor_find(doctor, FINDING_INDEX, K8SAUTH_INDEX, "%s",
		    r == -EPERM	    ? "not root's alone to write"
		    : r == -EBADMSG ? "not a valid index"
				    : strerror(-r));
}

/* Whether the mount options OPTIONS have NAME. */
static bool has_option(const char *options, const char *name)
{
	size_t len = strlen(name);

	for (const char *c = strstr(options, name); c; c = strstr(c + 1, name)) {
		if ((c == options || c[-1] == ',') && (c[len] == ',' || !c[len]))
			return true;
	}
	return false;
}

/* TYPE and OPTIONS of the mount on the sessions' folder. */
static void check_mount(struct doctor *doctor, const char *type, const char *options)
{
	static const char *const needed[] = { "nosuid", "nodev", "noexec" };
	AUTO_BUF struct buf missing = { 0 };

	if (!streq(type, "tmpfs"))
		doctor_find(doctor, FINDING_SESSIONS_MOUNT, K8SAUTH_SESSIONS_DIR, "it is %s", type);
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		if (!has_option(options, needed[i]))
			buf_printf(&missing, " %s", needed[i]);
	}
	if (missing.len > 0)
		doctor_find(doctor, FINDING_SESSIONS_MOUNT, K8SAUTH_SESSIONS_DIR, "mounted without%s", missing.data);
}

void check_sessions(struct doctor *doctor)
{
	static const char mounts[] = "/proc/self/mounts";
	AUTO_BUF struct buf text = { 0 };
	int r = look_read(doctor->root, mounts, &text);
	char *rest = text.data, *line;
	AUTO_FREE char *type = NULL, *options = NULL;

	if (r < 0) {
		doctor_unread(doctor, FINDING_SESSIONS_MOUNT, r, mounts);
		return;
	}
	doctor_looked(doctor, FINDING_SESSIONS_MOUNT);
	/* DEVICE FOLDER TYPE OPTIONS ...; the last one on a folder counts. */
	while ((line = strsep(&rest, "\n"))) {
		char *device = strsep(&line, " "), *folder = strsep(&line, " "), *kind = strsep(&line, " ");
		char *with = strsep(&line, " ");

		if (!device || !folder || !kind || !with || !streq(folder, K8SAUTH_SESSIONS_DIR))
			continue;
		free(type);
		free(options);
		type = text_of("%s", kind);
		options = text_of("%s", with);
	}
	if (type)
		check_mount(doctor, type, options);
	else
		doctor_find(doctor, FINDING_SESSIONS_MOUNT, K8SAUTH_SESSIONS_DIR, "nothing is mounted there");
}
