/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor and the key of the store: what would a stolen disk give away? */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include <k8sauth/limits.h>

#include "base/hcl.h"
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
	hex_encode(start, KEY_ID_SIZE, id);
	for (size_t i = 0; i < ARRAY_SIZE(weak_keys); i++) {
		if (streq(id, weak_keys[i].id) && on_store_disk(doctor, i == 0 ? HOST_KEY : path))
			doctor_find(doctor, FINDING_SEAL_HOST, path, "sealed by %s, on the disk of %s",
			    weak_keys[i].name, K8SAUTH_STATE_DIR);
	}
}

/* Where the daemon's unit takes a credential from. */
struct credential {
	char *path; /* NULL: it does not */
	bool sealed;
};

/* One line of the unit: "LoadCredential=NAME:PATH" or "LoadCredentialEncrypted=NAME:PATH". The last one counts; without
 * a value it takes back those in front of it. */
static void read_unit_line(const char *line, size_t len, const char *name, struct credential *credential)
{
	static const char plain[] = "LoadCredential=", sealed[] = "LoadCredentialEncrypted=";
	bool is_sealed = len >= strlen(sealed) && strncmp(line, sealed, strlen(sealed)) == 0;
	size_t key = is_sealed ? strlen(sealed) : strlen(plain), id = strlen(name);

	if (!is_sealed && (len < key || strncmp(line, plain, key) != 0))
		return;
	line += key;
	len -= key;
	if (len > 0 && (len <= id + 1 || strncmp(line, name, id) != 0 || line[id] != ':'))
		return;
	free(credential->path);
	credential->path = len > 0 ? text_of("%.*s", (int)(len - id - 1), line + id + 1) : NULL;
	credential->sealed = is_sealed;
}

/* The unit with its drop-ins as systemctl prints it. `systemctl show` prints no credentials in systemd 252. */
static int read_unit(const char *name, struct credential *credential)
{
	static char systemctl[] = "/usr/bin/systemctl", cat[] = "cat", unit[] = "k8sauthd.service";
	char *const argv[] = { systemctl, cat, unit, NULL };
	AUTO_BUF struct buf text = { 0 };
	int r = look_run(argv, &text);

	if (r != 0 || !text.data)
		return -ENOENT;
	for (const char *line = text.data; *line;) {
		size_t len = strcspn(line, "\n");

		read_unit_line(line, len, name, credential);
		line += len + (line[len] == '\n');
	}
	return 0;
}

static const char *string_of(const struct hcl_value *object, const char *key)
{
	const struct hcl_value *value = config_value(object, key);

	return value && value->type == HCL_STRING ? value->string : NULL;
}

static bool is_disabled(const struct hcl_value *seal)
{
	const struct hcl_value *disabled = config_value(seal, "disabled");

	return disabled && disabled->type == HCL_BOOL && disabled->boolean;
}

/* The type of the seal that CONFIG has, and its block: NULL where it has none. */
static const char *seal_of(const struct hcl_value *config, bool server, const struct hcl_value **block)
{
	*block = NULL;
	for (size_t i = 0; config && i < config->object.n; i++) {
		const struct hcl_item *item = &config->object.items[i];

		if (!streq(item->keys[0], "seal") || item->n_keys < 2 || is_disabled(item->value))
			continue;
		*block = item->value;
		return item->keys[1];
	}
	return server ? "shamir" : "systemd-credential";
}

static void check_file(struct doctor *doctor, const char *path)
{
	if (on_store_disk(doctor, path))
		doctor_find(doctor, FINDING_SEAL_FILE, path, "a plain file on the disk of %s", K8SAUTH_STATE_DIR);
}

static void check_credential(struct doctor *doctor, const char *name)
{
	struct credential credential = { 0 };

	if (read_unit(name, &credential) < 0) {
		doctor_skip(doctor, FINDING_SEAL_HOST, "systemctl cat k8sauthd.service says nothing");
		doctor_skip(doctor, FINDING_SEAL_FILE, "systemctl cat k8sauthd.service says nothing");
		return;
	}
	doctor_looked(doctor, FINDING_SEAL_FILE);
	doctor_looked(doctor, FINDING_SEAL_HOST);
	if (!credential.path || *credential.path != '/')
		doctor_skip(doctor, FINDING_SEAL_HOST, "the unit names no file for the store's key");
	else if (credential.sealed)
		check_sealed(doctor, credential.path);
	else
		check_file(doctor, credential.path);
	free(credential.path);
}

/* Key shares and the key of a transit mount are on no disk of this machine. */
void check_seal(struct doctor *doctor)
{
	AUTO_HCL struct hcl_value *config = doctor_config(doctor);
	const struct hcl_value *block;
	const char *type = seal_of(config, server_only(doctor), &block);
	const char *value;

	if (streq(type, "systemd-credential")) {
		value = string_of(block, "name");
		check_credential(doctor, value ? value : "k8sauth.seal");
		return;
	}
	doctor_looked(doctor, FINDING_SEAL_FILE);
	doctor_looked(doctor, FINDING_SEAL_HOST);
	value = streq(type, "static") ? string_of(block, "current_key_file") : NULL;
	if (value && *value == '/')
		check_file(doctor, value);
}
