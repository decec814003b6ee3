/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions in memory: the hash over the table, look-ups, and which request goes where; see session.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "accounts/local.h"
#include "base/safe_open.h"
#include "base/text.h"
#include "session/state.h"
#include "session/verify.h"

uint32_t text_hash(const char *text)
{
	uint32_t hash = 0x811c9dc5u;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x01000193u;
	return hash;
}

static unsigned hash_of(const char *id)
{
	return text_hash(id) % HASH_SIZE;
}

static void on_session_timer(evutil_socket_t fd, short events, void *arg)
{
	struct session *session = arg;

	session_arm(session);
}

static struct session *session_link(struct sessions *all, unsigned slot, const struct session_record *record)
{
	struct session *session = calloc(1, sizeof(*session));
	struct session **chain = &all->hash[hash_of(record->id)];

	if (!session)
		return NULL;
	session->all = all;
	session->slot = slot;
	session->record = *record;
	session->pidfd = -1;
	session->timer = evtimer_new(all->options.base, on_session_timer, session);
	if (!session->timer) {
		free(session);
		return NULL;
	}
	session->next = *chain;
	*chain = session;
	all->count++;
	return session;
}

struct session *session_new(struct sessions *all)
{
	struct session_record record = { .state = SESSION_LOGIN, .audit_session = AUDIT_SESSION_UNSET };
	struct session *session;
	int slot = table_take(all->table);

	if (slot < 0)
		return NULL;
	do
		random_base62(record.id, SESSION_ID_LEN);
	while (session_find(all, record.id));
	memcpy(record.token_session, record.id, sizeof(record.token_session));
	session = session_link(all, (unsigned)slot, &record);
	if (!session)
		table_release(all->table, (unsigned)slot);
	return session;
}

/* Forgets SESSION; its record stays in the table. */
static void session_unlink(struct session *session)
{
	struct session **at = &session->all->hash[hash_of(session->record.id)];

	while (*at != session)
		at = &(*at)->next;
	*at = session->next;
	session->all->count--;
	session_waiters_answer(session, false);
	rotation_end(session);
	block_leases_drop(session);
	relogin_session_gone(session);
	processes_forget(session);
	leader_unwatch(session);
	event_free(session->timer);
	free(session);
}

void session_drop(struct session *session)
{
	table_release(session->all->table, session->slot);
	session_unlink(session);
}

struct session *session_find(struct sessions *all, const char *id)
{
	for (struct session *s = all->hash[hash_of(id)]; s; s = s->next) {
		if (streq(s->record.id, id))
			return s;
	}
	return NULL;
}

int session_save(struct session *session, const struct session_secrets *secrets)
{
	int r = table_put(session->all->table, session->slot, &session->record, secrets);

	if (r < 0)
		log_error("session %s: cannot write its record: %s", session->record.id, strerror(-r));
	return r;
}

struct secret *session_token(const struct session *session)
{
	struct session_secrets secrets AUTO_SECRETS = { 0 };
	struct session_record record;

	if (table_get(session->all->table, session->slot, &record, &secrets) < 0 || !secrets.token[0])
		return NULL;
	return secret_copy(secrets.token, strlen(secrets.token));
}

struct session *session_by_handle(struct sessions *all, const struct secret *handle)
{
	struct session_secrets secrets AUTO_SECRETS = { 0 };
	struct session_record record;
	struct session *session;
	char id[SESSION_ID_LEN + 1];

	/* The handle is the session's id, which is no secret and finds the record, and what only PAM's caller knows. */
	if (!handle || secret_len(handle) != SESSION_ID_LEN + HANDLE_SECRET_LEN)
		return NULL;
	memcpy(id, secret_reveal(handle), SESSION_ID_LEN);
	id[SESSION_ID_LEN] = '\0';
	session = session_find(all, id);
	if (!session || session->record.state != SESSION_PENDING || monotonic_ms() >= session->record.pending_until)
		return NULL;
	if (table_get(all->table, session->slot, &record, &secrets) < 0 ||
	    strlen(secrets.handle) != HANDLE_SECRET_LEN ||
	    !equal_constant_time(secrets.handle, secret_reveal(handle) + SESSION_ID_LEN, HANDLE_SECRET_LEN))
		return NULL;
	return session;
}

const struct cluster_config *sessions_cluster(const struct sessions *all, const char *user)
{
	const struct session_config *config = all->options.config;
	size_t len = account_prefix_len(user);

	for (size_t i = 0; len > 0 && user[len] && i < config->n_clusters; i++) {
		const char *prefix = config->clusters[i].unix_prefix;

		if (strlen(prefix) == len && strncmp(prefix, user, len) == 0)
			return &config->clusters[i];
	}
	return NULL;
}

const struct cluster_config *sessions_login_cluster(const struct sessions *all, const char *user)
{
	const struct session_config *config = all->options.config;
	const struct cluster_config *cluster = sessions_cluster(all, user);

	for (size_t i = 0; !cluster && account_prefix_len(user) == 0 && i < config->n_clusters; i++) {
		if (accounts_local_opened(all->options.accounts, user, config->clusters[i].mount))
			cluster = &config->clusters[i];
	}
	return cluster;
}

bool sessions_user_is(const struct sessions *all, const char *user, uid_t uid)
{
	struct local_user local;
	struct account account;

	if (!user[0])
		return false;
	if (sessions_cluster(all, user))
		return accounts_lookup(all->options.accounts, user, (const char *const *)all->prefixes, &account) ==
			   0 &&
		       account.uid == uid;
	return local_find_user(LOCAL_PASSWD, user, LOCAL_NO_ID, &local) == 0 && local.uid == uid;
}

const struct service_config *sessions_service(const struct sessions *all, const char *name)
{
	const struct session_config *config = all->options.config;

	for (size_t i = 0; i < config->n_services; i++) {
		if (streq(config->services[i].name, name))
			return &config->services[i];
	}
	return NULL;
}

void session_timer(struct session *session, int64_t ms)
{
	struct timeval after;

	if (ms < 1)
		ms = 1;
	after = (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	if (event_add(session->timer, &after) < 0)
		log_error("session %s: out of memory for its timer", session->record.id);
}

static bool field_read(const struct wire_frame *request, uint16_t tag, bool needed, char *ret, size_t size)
{
	struct wire_item item;

	ret[0] = '\0';
	if (!wire_get(request, tag, &item))
		return !needed;
	if (item.len >= size || (needed && item.len == 0))
		return false;
	memcpy(ret, item.value, item.len);
	ret[item.len] = '\0';
	/* Journal and audit trail show it, on terminals too. */
	if (utf8_printable(ret))
		return true;
	ret[0] = '\0';
	return false;
}

bool caller_read(const struct wire_frame *request, struct caller *ret, const char **why)
{
	static const struct {
		uint16_t tag;
		bool needed;
		size_t offset, size;
		const char *why;
	} fields[] = {
		{ WIRE_USER, true, offsetof(struct caller, user), sizeof(ret->user),
		    "user name absent, too long or odd" },
		{ WIRE_SERVICE, true, offsetof(struct caller, service), sizeof(ret->service),
		    "PAM service absent, too long or odd" },
		{ WIRE_RHOST, false, offsetof(struct caller, rhost), sizeof(ret->rhost),
		    "remote host too long or odd" },
		{ WIRE_TTY, false, offsetof(struct caller, tty), sizeof(ret->tty), "terminal too long or odd" },
		{ WIRE_ROLE, false, offsetof(struct caller, role), sizeof(ret->role), "role= too long or odd" },
	};
	bool good = true;

	*ret = (struct caller){ 0 };
	log_new_ref(ret->ref);
	/* All of them, so that a refusal can name those that are well-formed. */
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (field_read(
			request, fields[i].tag, fields[i].needed, (char *)ret + fields[i].offset, fields[i].size))
			continue;
		if (good)
			*why = fields[i].why;
		good = false;
	}
	return good;
}

bool session_settled(const struct session *session)
{
	return session->record.state >= SESSION_PENDING && session->record.uid != 0;
}

bool session_visible(const struct session *session, uid_t uid)
{
	return session_settled(session) && (uid == 0 || session->record.uid == uid);
}

int session_for(struct sessions *all, uid_t uid, const char *id, struct session **ret)
{
	struct session *session = session_find(all, id);

	if (session && session_visible(session, uid)) {
		*ret = session;
		return 0;
	}
	return uid == 0 ? -ENOENT : -EACCES;
}

/* --- the owner's side ------------------------------------------------------------------------ */

static int boot_id_read(char ret[static BOOT_ID_SIZE])
{
	int fd AUTO_CLOSE = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, BOOT_ID_SIZE - 1);

	if (n != BOOT_ID_SIZE - 1)
		return -EIO;
	ret[BOOT_ID_SIZE - 1] = '\0';
	return 0;
}

/* The kept table, or a new one where it is of no use. */
static int table_find(struct sessions *all, char *why, size_t why_size)
{
	int r;

	if (all->options.table_fd >= 0) {
		r = table_open(all->options.table_fd, all->boot_id, &all->table, why, why_size);
		if (r == 0)
			return 0;
		log_warning(
		    "%s: it is dropped and a new one begun; tokens of its sessions are revoked as orphans", why);
	}
	r = table_open(-1, all->boot_id, &all->table, why, why_size);
	if (r == 0 && all->options.keep_fd)
		all->options.keep_fd(table_fd(all->table));
	return r;
}

static int table_load(struct sessions *all)
{
	for (unsigned slot = 0; slot < TABLE_RECORDS; slot++) {
		struct session_record record;
		int r = table_get(all->table, slot, &record, NULL);

		if (r == 0 && !session_find(all, record.id)) {
			if (!session_link(all, slot, &record))
				return -ENOMEM;
		} else if (r != -ENOENT) {
			log_warning("session table: record %u cannot be used and is dropped", slot);
			table_release(all->table, slot);
		}
	}
	return 0;
}

static int prefixes_collect(struct sessions *all)
{
	const struct session_config *config = all->options.config;

	all->prefixes = calloc(config->n_clusters + 1, sizeof(*all->prefixes));
	for (size_t i = 0; all->prefixes && i < config->n_clusters; i++)
		all->prefixes[i] = config->clusters[i].unix_prefix;
	return all->prefixes ? 0 : -ENOMEM;
}

int sessions_new(const struct sessions_options *options, struct sessions **ret, char *why, size_t why_size)
{
	struct sessions *all = calloc(1, sizeof(*all));
	int r = -ENOMEM;

	if (!all)
		goto fail;
	all->options = *options;
	all->refs = 1;
	all->rotations.last = &all->rotations.first;
	all->helper_socket = strdup(options->helper_socket);
	all->refusals = calloc(2, sizeof(*all->refusals));
	all->buckets = calloc(RATE_BUCKETS, sizeof(*all->buckets));
	random_bytes(&all->rate_seed, sizeof(all->rate_seed));
	random_bytes(all->tickets.key, sizeof(all->tickets.key));
	all->verifier = verifier_new();
	if (!all->verifier || !all->helper_socket || !all->refusals || !all->buckets || prefixes_collect(all) < 0)
		goto fail;
	r = boot_id_read(all->boot_id);
	if (r < 0) {
		snprintf(why, why_size, "cannot read /proc/sys/kernel/random/boot_id");
		goto fail_said;
	}
	r = table_find(all, why, why_size);
	if (r < 0)
		goto fail_said;
	r = table_load(all);
	if (r == 0) {
		*ret = all;
		return 0;
	}
fail:
	snprintf(why, why_size, "sessions: out of memory");
fail_said:
	sessions_free(all);
	return r;
}

struct sessions *sessions_ref(struct sessions *all)
{
	all->refs++;
	return all;
}

void sessions_unref(struct sessions *all)
{
	if (--all->refs > 0)
		return;
	verifier_free(all->verifier);
	free(all->consumer_uids);
	free(all->helper_socket);
	free(all->refusals);
	free(all->buckets);
	free(all->prefixes);
	free(all);
}

void sessions_free(struct sessions *all)
{
	if (!all)
		return;
	all->closing = true;
	late_replies_flush(all);
	gets_stop(all);
	recheck_stop(all);
	for (size_t i = 0; i < HASH_SIZE; i++) {
		while (all->hash[i])
			session_unlink(all->hash[i]);
	}
	table_close(TAKE_PTR(all->table));
	if (all->leader_poll)
		event_free(TAKE_PTR(all->leader_poll));
	if (all->sweep_timer)
		event_free(TAKE_PTR(all->sweep_timer));
	sessions_unref(all);
}

bool sessions_know(void *arg, const char *session_id)
{
	const struct sessions *all = arg;
	const struct session *own = session_find(arg, session_id);

	if (own && streq(own->record.token_session, session_id))
		return true;
	for (size_t i = 0; i < HASH_SIZE; i++) {
		for (const struct session *s = all->hash[i]; s; s = s->next) {
			if (streq(s->record.token_session, session_id))
				return true;
		}
	}
	return false;
}

size_t sessions_count(const struct sessions *all)
{
	size_t n = 0;

	for (size_t i = 0; i < HASH_SIZE; i++) {
		for (const struct session *s = all->hash[i]; s; s = s->next)
			n += s->record.state >= SESSION_PENDING && s->record.state <= SESSION_EXPIRED;
	}
	return n;
}

/* Only root may have sessions (section 4). One line a minute for each uid: anybody can make us write it. */
static void deny(struct sessions *all, struct wire_conn *conn, const struct wire_frame *request, uid_t uid)
{
	if (rate_say(all, "only root", uid))
		log_warning("uid %u asked for what only root may ask (request type %u; said once a minute)", uid,
		    request->type);
	wire_reply_status(conn, request->type, WIRE_STATUS_DENIED, NULL, "k8sauth: only root may ask that");
}

void sessions_request(void *arg, struct wire_conn *conn, const struct wire_frame *request, const struct wire_peer *peer)
{
	struct sessions *all = arg;

	if (request->type == WIRE_LOOKUP) {
		lookup_request(all, conn, request, peer);
		return;
	}
	if (request->type == WIRE_VERIFY) {
		verify_request(all, conn, request, peer);
		return;
	}
	if (peer->uid != 0) {
		deny(all, conn, request, peer->uid);
		return;
	}
	switch (request->type) {
	case WIRE_LOGIN:
		login_request(all, conn, request);
		break;
	case WIRE_OPEN:
		open_request(all, conn, request, peer);
		break;
	case WIRE_CLOSE:
		close_request(all, conn, request, peer);
		break;
	case WIRE_CHECK:
		check_request(all, conn, request);
		break;
	case WIRE_ACCOUNT:
		account_request(all, conn, request);
		break;
	default:
		wire_reply_status(conn, request->type, WIRE_STATUS_PROTOCOL, NULL, "k8sauth: unknown request type");
	}
}
