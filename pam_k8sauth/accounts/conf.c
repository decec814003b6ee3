/* SPDX-License-Identifier: Apache-2.0 */
/* What was declared, once it is read: finding it, and giving it back. */
#include "accounts/conf.h"

#include <stdio.h>

void conf_free(struct accounts_conf *conf)
{
	if (!conf)
		return;
	for (size_t i = 0; i < conf->n_accounts; i++) {
		free(conf->accounts[i].groups);
		free(conf->accounts[i].home);
		free(conf->accounts[i].shell);
	}
	for (size_t i = 0; i < conf->n_locals; i++) {
		for (size_t j = 0; j < conf->locals[i].n_service_accounts; j++)
			free(conf->locals[i].service_accounts[j]);
		free(conf->locals[i].service_accounts);
		free(conf->locals[i].name);
	}
	free(conf->accounts);
	free(conf->groups);
	free(conf->locals);
	free(conf->home);
	free(conf->shell);
	free(conf->map_file);
	free(conf);
}

static int compare_account(const void *name, const void *account)
{
	return strcmp(name, ((const struct conf_account *)account)->name);
}

static int compare_group(const void *name, const void *group)
{
	return strcmp(name, ((const struct conf_group *)group)->name);
}

const struct conf_account *conf_account(const struct accounts_conf *conf, const char *name)
{
	return conf->n_accounts
		   ? bsearch(name, conf->accounts, conf->n_accounts, sizeof(*conf->accounts), compare_account)
		   : NULL;
}

const struct conf_group *conf_group(const struct accounts_conf *conf, const char *name)
{
	return conf->n_groups ? bsearch(name, conf->groups, conf->n_groups, sizeof(*conf->groups), compare_group)
			      : NULL;
}

const struct conf_group *conf_group_by_gid(const struct accounts_conf *conf, uint32_t gid)
{
	for (size_t i = 0; i < conf->n_groups; i++) {
		if (conf->groups[i].gid == gid)
			return &conf->groups[i];
	}
	return NULL;
}

const struct conf_local *conf_local(const struct accounts_conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->n_locals; i++) {
		if (streq(conf->locals[i].name, name))
			return &conf->locals[i];
	}
	return NULL;
}

bool conf_local_allows(const struct conf_local *local, const char *identity)
{
	for (size_t i = 0; i < local->n_service_accounts; i++) {
		if (streq(local->service_accounts[i], identity))
			return true;
	}
	return false;
}

void conf_home(const struct accounts_conf *conf, const char *name, char ret[static CONF_FIELD_SIZE])
{
	const struct conf_account *account = conf_account(conf, name);
	const char *template = account && account->home ? account->home : conf->home;
	const char *user = strstr(template, "{user}");

	if (user)
		snprintf(
		    ret, CONF_FIELD_SIZE, "%.*s%s%s", (int)(user - template), template, name, user + strlen("{user}"));
	else
		snprintf(ret, CONF_FIELD_SIZE, "%s", template);
}

const char *conf_shell(const struct accounts_conf *conf, const char *name)
{
	const struct conf_account *account = conf_account(conf, name);

	return account && account->shell ? account->shell : conf->shell;
}
