/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor and the key of the store: what would a stolen disk give away? */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include <k8sauth/limits.h>

#include "base/text.h"
#include "cli/doctor.h"

#define HOST_KEY "/var/lib/systemd/credential.secret"

/* How systemd-creds has sealed a file stands at its start: 16 bytes, here in hex. */
#define KEY_ID_SIZE  16
#define KEY_ID_CHARS 24 /* base64 of 18 bytes */
static const struct {
	const char *id, *name;
} weak_keys[] = {
	{ "5a1c6a86df9d4096b1d5a65e0862f19a", "the host key alone" },
	{ "058469daf6f54324800549da0f8ea2fb", "no key at all" },
};

/* Whether the folder of PATH is on the store's disk. */
static bool on_store_disk(const struct doctor *doctor, const char *path)
{
	AUTO_FREE char *store = text_of("%s%s", doctor->root, K8SAUTH_STATE_DIR);
	AUTO_FREE char *folder = text_of("%s%s", doctor->root, path);
	struct stat a, b;

	*strrchr(folder, '/') = '\0';
	return stat(store, &a) == 0 && stat(*folder ? folder : "/", &b) == 0 && a.st_dev == b.st_dev;
}

/* A credential that systemd-creds has sealed: by what? */
static void check_sealed(struct doctor *doctor, const char *path)
{
	AUTO_BUF struct buf text = { 0 };
	unsigned char start[KEY_ID_CHARS];
	char id[2 * KEY_ID_SIZE + 1];
	int r = look_read(doctor->root, path, &text);

	if (r < 0 || text.len < KEY_ID_CHARS || base64_decode(text.data, KEY_ID_CHARS, start) < KEY_ID_SIZE) {
		doctor_skip(doctor, FINDING_SEAL_HOST, "%s: %s", path, r < 0 ? strerror(-r) : "not of systemd-creds");
		return;
	}
	doctor_looked(doctor, FINDING_SEAL_HOST);
	hex_encode(start, KEY_ID_SIZE, id);
	for (size_t i = 0; i < ARRAY_SIZE(weak_keys); i++) {
		if (streq(id, weak_keys[i].id) && on_store_disk(doctor, i == 0 ? HOST_KEY : path))
			doctor_find(doctor, FINDING_SEAL_HOST, path, "sealed by %s, on the disk of %s",
			    weak_keys[i].name, K8SAUTH_STATE_DIR);
	}
}

/* The path behind "k8sauth.seal:" in what systemctl shows of SETTING; NULL. */
static char *credential_path(const struct buf *shown, const char *setting)
{
	AUTO_FREE char *key = text_of("%s=k8sauth.seal", setting);

	return shown->data ? look_value(shown->data, key, ':') : NULL;
}

void check_seal(struct doctor *doctor)
{
	static char systemctl[] = "/usr/bin/systemctl", show[] = "show", unit[] = "k8sauthd.service", option[] = "-p",
		    properties[] = "LoadCredential,LoadCredentialEncrypted";
	char *const argv[] = { systemctl, show, unit, option, properties, NULL };
	AUTO_BUF struct buf shown = { 0 };
	AUTO_FREE char *plain = NULL, *sealed = NULL;
	int r = look_run(argv, &shown);

	if (r != 0) {
		doctor_skip(doctor, FINDING_SEAL_HOST, "systemctl show k8sauthd.service says nothing");
		doctor_skip(doctor, FINDING_SEAL_FILE, "systemctl show k8sauthd.service says nothing");
		return;
	}
	doctor_looked(doctor, FINDING_SEAL_FILE);
	plain = credential_path(&shown, "LoadCredential");
	sealed = credential_path(&shown, "LoadCredentialEncrypted");
	if (plain && *plain == '/' && on_store_disk(doctor, plain))
		doctor_find(doctor, FINDING_SEAL_FILE, plain, "on the disk of %s", K8SAUTH_STATE_DIR);
	if (sealed && *sealed == '/')
		check_sealed(doctor, sealed);
}
