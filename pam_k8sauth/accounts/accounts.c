/* SPDX-License-Identifier: Apache-2.0 */
/* Which Unix account a proven service account is, decided from the index, accounts.conf and /etc/passwd. */
#include "accounts/state.h"

#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "accounts/local.h"
#include "base/log.h"

/* --- files that may change under us --------------------------------------------------------------------------- */

static struct file_seen look_at(const char *path)
{
	struct file_seen seen = { 0 };

	seen.exists = path && stat(path, &seen.st) == 0;
	return seen;
}

static bool same(const struct file_seen *a, const struct file_seen *b)
{
	return a->exists == b->exists &&
	       (!a->exists ||
		   (a->st.st_ino == b->st.st_ino && a->st.st_dev == b->st.st_dev && a->st.st_size == b->st.st_size &&
		       a->st.st_ctim.tv_sec == b->st.st_ctim.tv_sec && a->st.st_ctim.tv_nsec == b->st.st_ctim.tv_nsec));
}

/* A broken accounts.conf is not ignored: what it grants no more must not go on because of a typing error. */
static void refresh_conf(struct accounts *accounts)
{
	struct file_seen conf = look_at(accounts->conf_path);
	struct file_seen map = look_at(accounts->conf ? accounts->conf->map_file : NULL);
	struct accounts_conf *loaded = NULL;

	if (accounts->conf_number > 0 && same(&conf, &accounts->conf_seen) && same(&map, &accounts->map_seen))
		return;
	accounts->conf_seen = conf;
	accounts->map_seen = map;
	accounts->conf_number++;
	if (conf_load(accounts->conf_path, accounts->owner, &loaded, accounts->conf_why, sizeof(accounts->conf_why)) <
	    0) {
		if (accounts->conf) /* else the daemon does not start, and says so itself */
			log_error("accounts: %s", accounts->conf_why);
		return;
	}
	accounts->conf_why[0] = '\0';
	conf_free(accounts->conf);
	accounts->conf = loaded;
	accounts->map_seen = look_at(loaded->map_file);
}

static void refresh_index(struct accounts *accounts)
{
	struct file_seen seen = look_at(accounts->index_path);
	int r;

	if (accounts->map.data && same(&seen, &accounts->index_seen))
		return;
	index_close(&accounts->map);
	accounts->index_seen = seen;
	accounts->index_why[0] = '\0';
	r = index_open(accounts->index_path, accounts->owner, &accounts->map);
	if (r == 0)
		return;
	accounts->published_number = 0;
	if (r != -ENOENT)
		snprintf(accounts->index_why, sizeof(accounts->index_why),
		    "%s cannot be used (%s): if it cannot be restored, remove it; every account is then proved anew at "
		    "its next login",
		    accounts->index_path, r == -EBADMSG ? "damaged" : strerror(-r));
}

bool accounts_refresh(struct accounts *accounts, char *why, size_t why_size)
{
	unsigned before = accounts->conf_number;

	refresh_conf(accounts);
	refresh_index(accounts);
	if (accounts->conf_why[0] || accounts->index_why[0]) {
		snprintf(why, why_size, "%s", accounts->conf_why[0] ? accounts->conf_why : accounts->index_why);
		return false;
	}
	if (accounts->conf_number != before)
		publish_soon(accounts);
	return true;
}

unsigned accounts_conf_number(const struct accounts *accounts)
{
	return accounts->conf_number;
}

/* --- open and free -------------------------------------------------------------------------------------------- */

void accounts_free(struct accounts *accounts)
{
	if (!accounts)
		return;
	publish_free(accounts);
	watch_end(accounts);
	if (accounts->publishing) { /* the helper's answer comes back to us */
		accounts->freed = true;
		return;
	}
	conf_free(accounts->conf);
	index_close(&accounts->map);
	free(accounts->index_path);
	free(accounts->conf_path);
	free(accounts->helper_socket);
	free(accounts);
}

static inline void cleanup_accounts(struct accounts **accounts)
{
	accounts_free(*accounts);
}

int accounts_open(struct event_base *base, const char *index_path, const char *conf_path, const char *helper_socket,
    struct accounts **ret, char *why, size_t why_size)
{
	CLEANUP(cleanup_accounts) struct accounts *accounts = calloc(1, sizeof(*accounts));
	char reason[512];

	if (!accounts)
		return -ENOMEM;
	accounts->base = base;
	accounts->passwd = LOCAL_PASSWD;
	accounts->group = LOCAL_GROUP;
	accounts->index_path = strdup(index_path);
	accounts->conf_path = strdup(conf_path);
	accounts->helper_socket = strdup(helper_socket);
	if (!accounts->index_path || !accounts->conf_path || !accounts->helper_socket) {
		snprintf(why, why_size, "no memory");
		return -ENOMEM;
	}
	if (!accounts_refresh(accounts, reason, sizeof(reason))) {
		if (accounts->conf_why[0]) {
			snprintf(why, why_size, "%s", reason);
			return -EINVAL;
		}
		log_error("accounts: %s", reason);
	}
	watch_begin(accounts);
	publish_soon(accounts);
	*ret = TAKE_PTR(accounts);
	return 0;
}

/* --- claims --------------------------------------------------------------------------------------------------- */

void accounts_fill(const struct index_user *user, struct account *ret)
{
	*ret = (struct account){ .uid = user->uid, .gid = user->gid };
	snprintf(ret->name, sizeof(ret->name), "%s", user->name);
	snprintf(ret->home, sizeof(ret->home), "%s", user->home);
	snprintf(ret->shell, sizeof(ret->shell), "%s", user->shell);
	snprintf(ret->gecos, sizeof(ret->gecos), "%s", user->gecos);
	for (uint32_t i = 0; i < user->n_groups && ret->n_groups < ARRAY_SIZE(ret->groups); i++)
		ret->groups[ret->n_groups++] = le32toh(user->groups[i]);
}

/* A decision under way: what is asked, and what came out. */
struct decision {
	struct accounts *accounts;
	const struct account_identity *identity;
	char identity_text[IDENTITY_SIZE];
	struct account account; /* for ACCOUNT_OK */
	bool publish;		/* ACCOUNT_OK, once it is published */
	char why[512];
};

static enum account_verdict PRINTF_LIKE(3, 4)
    no(struct decision *d, enum account_verdict verdict, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(d->why, sizeof(d->why), format, args);
	va_end(args);
	return verdict;
}

static enum account_verdict decide_local(struct decision *d, const char *name)
{
	struct local_user user;
	int r = local_find_user(d->accounts->passwd, name, LOCAL_NO_ID, &user);

	if (r < 0)
		return no(d, ACCOUNT_WRONG_USER, "%s is opened to %s in %s, but %s has no such account", name,
		    d->identity_text, d->accounts->conf_path, d->accounts->passwd);
	if (user.uid == 0)
		return no(d, ACCOUNT_WRONG_USER, "%s has uid 0, and root is never opened to a service account", name);
	d->account = (struct account){ .uid = user.uid, .gid = user.gid, .local = true };
	snprintf(d->account.name, sizeof(d->account.name), "%s", name);
	memcpy(d->account.home, user.home, sizeof(user.home));
	memcpy(d->account.shell, user.shell, sizeof(user.shell));
	memcpy(d->account.gecos, user.gecos, sizeof(user.gecos));
	return ACCOUNT_OK;
}

static enum account_verdict decide_known(
    struct decision *d, const char *name, const char *identity, const char *service_account_uid)
{
	if (!streq(identity, d->identity_text))
		return no(d, ACCOUNT_RECREATED,
		    "%s belongs to %s, not to %s; to give it over: k8sauth accounts rebind %s", name, identity,
		    d->identity_text, name);
	if (!streq(service_account_uid, d->identity->service_account_uid))
		return no(d, ACCOUNT_RECREATED,
		    "the service account %s was deleted and made again (uid %s, known is %s); if the new one may have "
		    "the "
		    "old one's files: k8sauth accounts rebind %s",
		    d->identity_text, d->identity->service_account_uid, service_account_uid, name);
	return ACCOUNT_OK;
}

/* Who of ours but NAME has the uid or the gid ID? "" if nobody. */
static void find_owner_of_ours(struct accounts *accounts, const char *name, uint32_t id, char *ret, size_t size)
{
	const struct conf_group *declared = conf_group_by_gid(accounts->conf, id);
	struct index_user user;
	struct index_group group;

	*ret = '\0';
	if (accounts->map.data && index_user_by_id(&accounts->map, id, &user) == 0 && !streq(user.name, name))
		snprintf(ret, size, "account %s", user.name);
	else if (accounts->map.data && index_group_by_id(&accounts->map, id, &group) == 0 && !streq(group.name, name))
		snprintf(ret, size, "group %s", group.name);
	else if (declared && !streq(declared->name, name))
		snprintf(ret, size, "group %s of %s", declared->name, accounts->conf_path);
	for (int list = 0; list < 2 && !*ret; list++) {
		for (struct claim *c = list ? accounts->in_flight : accounts->waiting; c; c = c->next) {
			if (c->uid == id && !streq(c->name, name))
				snprintf(ret, size, "account %s", c->name);
		}
	}
}

/* The same, and who of the machine's own accounts has the id, or the name itself. */
static void find_owner(struct accounts *accounts, const char *name, uint32_t id, char *ret, size_t size)
{
	struct local_user user;
	char group[64];

	find_owner_of_ours(accounts, name, id, ret, size);
	if (*ret)
		return;
	if (local_find_user(accounts->passwd, name, id, &user) == 0)
		snprintf(ret, size, "user %s of %s", user.name, accounts->passwd);
	else if (local_find_group(accounts->group, name, id, group) == 0)
		snprintf(ret, size, "group %s of %s", group, accounts->group);
}

/* An id that nobody has, for the line that a refusal proposes; /etc/passwd is read for few of them. */
static uint32_t free_id(struct accounts *accounts)
{
	char owner[160];

	for (uint32_t id = 20000; id < 60000; id++) {
		find_owner_of_ours(accounts, "", id, owner, sizeof(owner));
		if (!*owner)
			find_owner(accounts, "", id, owner, sizeof(owner));
		if (!*owner)
			return id;
	}
	return 60000;
}

static enum account_verdict decide_new(struct decision *d, const char *name)
{
	struct accounts *accounts = d->accounts;
	struct derived derived;
	char owner[160];

	account_derive(accounts->conf, name, d->identity->namespace_name, &derived);
	d->account.uid = derived.uid;
	find_owner(accounts, name, derived.uid, owner, sizeof(owner));
	if (*owner)
		return no(d, ACCOUNT_COLLISION,
		    "the uid %u of %s is taken by %s; declare another one in %s: account \"%s\" { uid = %u }",
		    derived.uid, name, owner, accounts->conf_path, name, free_id(accounts));
	find_owner(accounts, derived.namespace_group, derived.namespace_gid, owner, sizeof(owner));
	if (*owner || derived.namespace_gid == derived.uid)
		return no(d, ACCOUNT_COLLISION,
		    "the gid %u of %s is taken by %s; declare another one in %s: group \"%s\" { gid = %u }",
		    derived.namespace_gid, derived.namespace_group, *owner ? owner : name, accounts->conf_path,
		    derived.namespace_group, free_id(accounts));
	return ACCOUNT_OK;
}

static enum account_verdict decide_ours(struct decision *d, const char *name)
{
	struct accounts *accounts = d->accounts;
	enum account_verdict verdict;
	struct index_user user;
	int r = accounts->map.data ? index_user_by_name(&accounts->map, name, &user) : -ENOENT;

	if (r < 0 && r != -ENOENT)
		return no(d, ACCOUNT_INDEX_BROKEN, "%s is damaged at the record of %s", accounts->index_path, name);
	for (int list = 0; list < 2; list++) { /* somebody else who proves the same name in this moment */
		for (struct claim *c = list ? accounts->in_flight : accounts->waiting; c; c = c->next) {
			if (!streq(c->name, name) || c->rebind)
				continue;
			verdict = decide_known(d, name, c->identity, c->service_account_uid);
			if (verdict != ACCOUNT_OK)
				return verdict;
		}
	}
	d->publish = true;
	if (r == -ENOENT)
		return decide_new(d, name);
	accounts_fill(&user, &d->account);
	if (user.identity[0] == '\0')
		return ACCOUNT_OK; /* declared; this is its first login */
	/* A known account waits too where accounts.conf has just changed: its ids may be others. */
	d->publish = accounts->published_number != accounts->conf_number;
	return decide_known(d, name, user.identity, user.service_account_uid);
}

static enum account_verdict decide(struct decision *d, const char *unix_name)
{
	const struct account_identity *identity = d->identity;
	const struct conf_local *local;
	char ours[ACCOUNT_NAME_SIZE];

	if (!accounts_refresh(d->accounts, d->why, sizeof(d->why)))
		return ACCOUNT_INDEX_BROKEN;
	if (account_unix_name(identity->prefix, identity->namespace_name, identity->service_account, ours) < 0 ||
	    strlen(identity->service_account_uid) >= SERVICE_ACCOUNT_UID_SIZE || !*identity->service_account_uid ||
	    snprintf(d->identity_text, sizeof(d->identity_text), "%s/%s/%s", identity->mount, identity->namespace_name,
		identity->service_account) >= (int)sizeof(d->identity_text))
		return no(
		    d, ACCOUNT_WRONG_USER, "the API server named a service account that no account can be made of");
	if (streq(unix_name, ours))
		return decide_ours(d, ours);
	local = conf_local(d->accounts->conf, unix_name);
	if (local && conf_local_allows(local, d->identity_text))
		return decide_local(d, unix_name);
	return no(d, ACCOUNT_WRONG_USER, "%s is the user %s here, not %s", d->identity_text, ours, unix_name);
}

static struct claim *claim_new(const char *name, account_claimed_fn *done, void *arg)
{
	struct claim *claim = calloc(1, sizeof(*claim));

	if (!claim)
		return NULL;
	snprintf(claim->name, sizeof(claim->name), "%s", name);
	claim->done = done;
	claim->arg = arg;
	return claim;
}

static void wait_for_publication(struct accounts *accounts, struct claim *claim)
{
	struct claim **end = &accounts->waiting;

	while (*end)
		end = &(*end)->next;
	*end = claim;
	publish_soon(accounts);
}

void accounts_claim(struct accounts *accounts, const char *unix_name, const struct account_identity *identity,
    account_claimed_fn *done, void *arg)
{
	struct decision d = { .accounts = accounts, .identity = identity };
	enum account_verdict verdict = decide(&d, unix_name);
	struct claim *claim;

	if (verdict != ACCOUNT_OK || !d.publish) {
		done(arg, verdict, verdict == ACCOUNT_OK ? &d.account : NULL, d.why);
		return;
	}
	claim = claim_new(unix_name, done, arg);
	if (!claim) {
		done(arg, ACCOUNT_HELPER_DOWN, NULL, "no memory");
		return;
	}
	claim->uid = d.account.uid;
	memcpy(claim->identity, d.identity_text, sizeof(claim->identity));
	snprintf(claim->service_account_uid, sizeof(claim->service_account_uid), "%s", identity->service_account_uid);
	wait_for_publication(accounts, claim);
}

enum account_verdict accounts_judge(struct accounts *accounts, const char *unix_name,
    const struct account_identity *identity, struct account *ret, char *why, size_t why_size)
{
	struct decision d = { .accounts = accounts, .identity = identity };
	enum account_verdict verdict = decide(&d, unix_name);

	*ret = d.account;
	snprintf(why, why_size, "%s", d.why);
	return verdict;
}

void accounts_rebind(struct accounts *accounts, const char *unix_name, account_claimed_fn *done, void *arg)
{
	struct index_user user;
	struct claim *claim;
	char why[512];

	if (!accounts_refresh(accounts, why, sizeof(why))) {
		done(arg, ACCOUNT_INDEX_BROKEN, NULL, why);
		return;
	}
	if (!accounts->map.data || index_user_by_name(&accounts->map, unix_name, &user) < 0) {
		done(arg, ACCOUNT_WRONG_USER, NULL, "no service account has logged in under this name");
		return;
	}
	claim = claim_new(unix_name, done, arg);
	if (!claim) {
		done(arg, ACCOUNT_HELPER_DOWN, NULL, "no memory");
		return;
	}
	claim->rebind = true;
	wait_for_publication(accounts, claim);
}

bool accounts_local_opened(struct accounts *accounts, const char *unix_name, const char *mount)
{
	const struct conf_local *local;
	size_t len = strlen(mount);
	char why[512];

	if (!accounts_refresh(accounts, why, sizeof(why)))
		return false; /* a local account goes on as if we were not there */
	local = conf_local(accounts->conf, unix_name);
	for (size_t i = 0; local && i < local->n_service_accounts; i++) {
		const char *identity = local->service_accounts[i], *slash;

		/* A mount may hold '/' itself: what is left must be "<namespace>/<name>". */
		if (strncmp(identity, mount, len) != 0 || identity[len] != '/')
			continue;
		slash = strchr(identity + len + 1, '/');
		if (slash && !strchr(slash + 1, '/'))
			return true;
	}
	return false;
}

/* --- lookups -------------------------------------------------------------------------------------------------- */

/* The account that a name of full form would get at its first login. */
static int compute(struct accounts *accounts, const char *name, struct account *ret)
{
	struct derived derived;
	char owner[160], ns[64], home[CONF_FIELD_SIZE];

	if (!account_namespace(name, "", ns))
		return -ENOENT;
	account_derive(accounts->conf, name, ns, &derived);
	find_owner(accounts, name, derived.uid, owner, sizeof(owner));
	if (*owner)
		return -ENOENT; /* its login would be refused */
	*ret = (struct account){ .uid = derived.uid, .gid = derived.gid, .n_groups = derived.n_groups };
	memcpy(ret->groups, derived.groups, derived.n_groups * sizeof(derived.groups[0]));
	conf_home(accounts->conf, name, home);
	memcpy(ret->home, home, sizeof(ret->home));
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	snprintf(ret->shell, sizeof(ret->shell), "%s", conf_shell(accounts->conf, name));
	account_gecos(name, "", ret->gecos, sizeof(ret->gecos));
	return 0;
}

int accounts_lookup(struct accounts *accounts, const char *unix_name, const char *const *prefixes, struct account *ret)
{
	size_t len = account_prefix_len(unix_name);
	struct index_user user;
	char why[512];
	int r;

	if (!accounts_refresh(accounts, why, sizeof(why)))
		return -EBADMSG;
	r = accounts->map.data ? index_user_by_name(&accounts->map, unix_name, &user) : -ENOENT;
	if (r == 0) {
		accounts_fill(&user, ret);
		return 0;
	}
	if (r != -ENOENT)
		return -EBADMSG;
	for (; *prefixes; prefixes++) {
		if (len > 0 && strlen(*prefixes) == len && strncmp(*prefixes, unix_name, len) == 0)
			return account_name_form(unix_name) == ACCOUNT_FORM_FULL ? compute(accounts, unix_name, ret)
										 : -ENOENT;
	}
	return -ENOENT;
}
