/* SPDX-License-Identifier: Apache-2.0 */
/* Reads accounts.conf and the map it names, and checks what only the whole can show. */
#include "accounts/conf_loader.h"

#include <errno.h>
#include <stdio.h>

#include "base/safe_open.h"

#define CONF_MAX      (1024 * 1024)
#define MAP_MAX	      (32 * 1024 * 1024)
#define DEFAULT_HOME  "/home/{user}"
#define DEFAULT_SHELL "/bin/bash" /* Debian's own default; essential there. Machines without it declare another one */

/* A line of the map: a name, blanks, an id; '#' starts a comment. */
static int load_map_line(struct conf_loader *l, unsigned line, char *text)
{
	struct conf_account *account;
	char *id, *end;
	unsigned long uid;
	int r;

	text[strcspn(text, "#\r")] = '\0';
	text += strspn(text, " \t");
	if (*text == '\0')
		return 0;
	id = text + strcspn(text, " \t");
	if (*id != '\0')
		*id++ = '\0';
	id += strspn(id, " \t");
	errno = 0;
	uid = strtoul(id, &end, 10);
	if (*id < '0' || *id > '9' || errno || end[strspn(end, " \t")] != '\0' || uid > UINT32_MAX ||
	    account_id_forbidden((uint32_t)uid))
		return conf_fail(l, line, "write a name and an id that accounts may have");
	r = conf_add_account(l, line, text, &account);
	if (r < 0)
		return r;
	account->has_uid = true;
	account->uid = (uint32_t)uid;
	return 0;
}

static int load_map(struct conf_loader *l)
{
	AUTO_BUF struct buf text = { 0 };
	unsigned line = 1;
	char *at, *next;
	int r;

	l->path = l->conf->map_file;
	r = safe_read(l->conf->map_file, l->owner, MAP_MAX, &text, l->why, l->why_size);
	if (r < 0)
		return r;
	if (strlen(text.data) != text.len)
		return conf_fail(l, 0, "contains a NUL byte");
	for (at = text.data; at && r == 0; at = next, line++) {
		next = strchr(at, '\n');
		if (next)
			*next++ = '\0';
		r = load_map_line(l, line, at);
	}
	return r;
}

static int compare_uids(const void *a, const void *b)
{
	const struct conf_account *x = *(struct conf_account *const *)a, *y = *(struct conf_account *const *)b;

	return x->uid < y->uid ? -1 : x->uid > y->uid;
}

/* No name and no id twice, among accounts and groups together: a private group has its account's id. */
static int check_unique(struct conf_loader *l)
{
	AUTO_FREE struct conf_account **by_uid = calloc(l->conf->n_accounts + 1, sizeof(*by_uid));
	struct conf_account *accounts = l->conf->accounts;
	size_t n = 0;

	if (!by_uid)
		return -ENOMEM;
	if (l->conf->n_accounts > 0)
		qsort(accounts, l->conf->n_accounts, sizeof(*accounts), conf_compare_names);
	for (size_t i = 0; i < l->conf->n_accounts; i++) {
		const struct conf_group *group = conf_group_by_gid(l->conf, accounts[i].uid);

		if (i > 0 && streq(accounts[i].name, accounts[i - 1].name))
			return conf_fail(l, 0, "account %s is declared twice, in lines %u and %u", accounts[i].name,
			    accounts[i - 1].line, accounts[i].line);
		if (accounts[i].has_uid && group)
			return conf_fail(l, 0, "account %s (line %u) has the id of group %s", accounts[i].name,
			    accounts[i].line, group->name);
		if (accounts[i].has_uid)
			by_uid[n++] = &accounts[i];
	}
	if (n > 0)
		qsort(by_uid, n, sizeof(*by_uid), compare_uids);
	for (size_t i = 1; i < n; i++) {
		if (by_uid[i]->uid == by_uid[i - 1]->uid)
			return conf_fail(l, 0, "accounts %s (line %u) and %s (line %u) have the same uid %u",
			    by_uid[i - 1]->name, by_uid[i - 1]->line, by_uid[i]->name, by_uid[i]->line, by_uid[i]->uid);
	}
	return 0;
}

static int set_defaults(struct accounts_conf *conf)
{
	if (!conf->has_range) {
		conf->from = ACCOUNT_ID_BASE;
		conf->to = ACCOUNT_ID_LIMIT - 1;
	}
	if (!conf->home)
		conf->home = strdup(DEFAULT_HOME);
	if (!conf->shell)
		conf->shell = strdup(DEFAULT_SHELL);
	return conf->home && conf->shell ? 0 : -ENOMEM;
}

static int load_text(struct conf_loader *l, const struct buf *text)
{
	AUTO_HCL struct hcl_value *top = NULL;
	struct hcl_error error = { 0 };
	int r = hcl_parse(text->data, text->len, &top, &error);

	if (r == -EINVAL)
		return conf_fail(l, error.line, "%s", error.text);
	if (r == 0)
		r = conf_load_items(l, top);
	if (r == 0 && l->conf->map_file)
		r = load_map(l);
	return r == 0 ? check_unique(l) : r;
}

int conf_load(const char *path, uid_t owner, struct accounts_conf **ret, char *why, size_t why_size)
{
	AUTO_CONF struct accounts_conf *conf = calloc(1, sizeof(*conf));
	struct conf_loader l = { .conf = conf, .path = path, .owner = owner, .why = why, .why_size = why_size };
	AUTO_BUF struct buf text = { 0 };
	int r;

	if (!conf)
		return -ENOMEM;
	r = safe_read(path, owner, CONF_MAX, &text, why, why_size);
	if (r < 0 && r != -ENOENT)
		return r;
	r = r == 0 ? load_text(&l, &text) : 0;
	if (r == 0)
		r = set_defaults(conf);
	if (r == -ENOMEM)
		snprintf(why, why_size, "%s: no memory", path);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(conf);
	return 0;
}
