/* SPDX-License-Identifier: Apache-2.0 */
/* The table of seals; see settings.h. */
#include "vault/embedded/seal/settings.h"

#include "base/macros.h"

const struct seal_settings seal_settings[] = {
	{ .type = "shamir" },
	{ .type = "systemd-credential", .settings = { { "name", SEAL_NAME, "k8sauth.seal", false } } },
	{ .type = "static",
	    .settings = { { "current_key_file", SEAL_FILE, NULL, true }, { "current_key_id", SEAL_TEXT, NULL, true },
		{ "previous_key_file", SEAL_FILE, NULL, false }, { "previous_key_id", SEAL_TEXT, NULL, false } } },
	{ .type = "transit",
	    .settings = { { "address", SEAL_URL, NULL, true }, { "token_file", SEAL_FILE, NULL, true },
		{ "key_name", SEAL_TEXT, NULL, true }, { "mount_path", SEAL_TEXT, "transit", false },
		{ "namespace", SEAL_TEXT, NULL, false }, { "ca_file", SEAL_FILE, NULL, false } } },
	{ NULL },
};

const struct seal_settings *seal_settings_of(const char *type)
{
	for (const struct seal_settings *kind = seal_settings; kind->type; kind++)
		if (streq(kind->type, type))
			return kind;
	return NULL;
}

const char *seal_config_value(const struct seal_config *config, const char *name)
{
	const struct seal_setting *settings = config->kind->settings;

	for (size_t i = 0; i < SEAL_SETTINGS_MAX && settings[i].name; i++)
		if (streq(settings[i].name, name))
			return config->values[i] ? config->values[i] : settings[i].preset;
	return NULL;
}
