/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ends of tokens. Lookup refuses an ended token by its entry; here its record is deleted some time later, in batches of
 * its own. What ends when is not in the store in an order, so after a start a pass over all tokens fills the heap in
 * the background, one folder of names after the other, while requests are served.
 */
#include <errno.h>

#include "base/log.h"
#include "vault/embedded/auth_token/tokens.h"

#define FOLDERS	      256
#define BATCH_PAUSE_S 1	 /* at least, between two batches that are not full */
#define LOOK_S	      60 /* at most, until the clock is looked at again: it may have been set */
#define RETRY_S	      60 /* after a batch that the store refused */
#define SEALED_S      1	 /* until it is looked whether the initialisation that began has ended */

static void arm(struct event *timer, int64_t delay_ns)
{
	struct timeval delay = { .tv_sec = delay_ns / NANOTIME_SECOND, .tv_usec = delay_ns % NANOTIME_SECOND / 1000 };

	if (timer)
		evtimer_add(timer, &delay);
}

/* A record that is gone, or broken: it is no token, and must not keep the others from their end. */
static bool can_skip(int r)
{
	return r == -ENOENT || r == -EIO;
}

/* --- batches of ended tokens */

static void arm_expiry(struct tokens *tokens)
{
	int64_t delay;

	if (tokens->expiring || tokens->heap.n == 0)
		return;
	delay = tokens->heap.items[0].at - nanotime_now();
	if (delay < BATCH_PAUSE_S * NANOTIME_SECOND)
		delay = tokens->batch_full ? 0 : BATCH_PAUSE_S * NANOTIME_SECOND;
	if (delay > LOOK_S * NANOTIME_SECOND)
		delay = LOOK_S * NANOTIME_SECOND;
	arm(tokens->expiry_timer, delay);
}

/* Looks at every token of the batch: deletes it, or notes when it really ends. */
static int expire_batch(struct call *call)
{
	struct tokens *tokens = call->state;
	bool waiting = false;

	for (size_t i = 0; i < tokens->batch_n; i++) {
		struct expiry_item *item = &tokens->batch[i];
		struct token *token AUTO_TOKEN = NULL;
		char salted[TOKEN_SALTED_SIZE];
		int r;

		token_bytes_salted(item->key, salted);
		r = token_load(call, salted, &token);
		item->at = 0;
		if (r == 0 && token->expire_time > nanotime_now())
			item->at = token->expire_time;
		else if (r == 0)
			r = token_revoke(call, token);
		if (r == -EAGAIN)
			waiting = true; /* ask for the others before waiting for this one */
		else if (r < 0 && !can_skip(r))
			return r;
	}
	if (waiting)
		return -EAGAIN;
	call_relaxed(call); /* an ended token whose deletion is lost is found again */
	return 0;
}

static void batch_done(void *arg, int r)
{
	struct tokens *tokens = arg;

	if (r < 0 && r != -ECANCELED) /* the daemon stops */
		log_warning("deleting %zu expired tokens failed: %s; trying again in %d s", tokens->batch_n,
		    strerror(-r), RETRY_S);
	for (size_t i = 0; i < tokens->batch_n; i++) {
		const struct expiry_item *item = &tokens->batch[i];
		int64_t at = r < 0 ? nanotime_after(nanotime_now(), RETRY_S) : item->at;

		/* Without memory the record stays until the next start finds it. */
		if (at && expiry_heap_set(&tokens->heap, item->key, at) < 0)
			log_warning("no memory to keep an expiry time");
	}
	tokens->batch_full = r == 0 && tokens->batch_n == TOKEN_BATCH;
	tokens->expiring = false;
	arm_expiry(tokens);
}

static void on_expiry(evutil_socket_t fd, short events, void *arg)
{
	struct tokens *tokens = arg;
	int64_t now = nanotime_now();

	if (core_sealed(tokens->core)) {
		arm(tokens->expiry_timer, SEALED_S * NANOTIME_SECOND);
		return;
	}
	for (tokens->batch_n = 0; tokens->batch_n < TOKEN_BATCH; tokens->batch_n++) {
		if (tokens->heap.n == 0 || tokens->heap.items[0].at > now)
			break;
		tokens->batch[tokens->batch_n] = tokens->heap.items[0];
		expiry_heap_drop(&tokens->heap, tokens->batch[tokens->batch_n].key);
	}
	tokens->batch_full = false;
	if (tokens->batch_n == 0) {
		arm_expiry(tokens);
		return;
	}
	tokens->expiring = true;
	core_run(tokens->core, expire_batch, tokens, NULL, batch_done, tokens);
}

int tokens_expire_at(struct tokens *tokens, const char *salted, int64_t at)
{
	unsigned char key[EXPIRY_KEY_LEN];
	bool first;
	int r;

	if (at == 0)
		return 0;
	token_salted_bytes(salted, key);
	first = tokens->heap.n == 0 || at < tokens->heap.items[0].at;
	r = expiry_heap_set(&tokens->heap, key, at);
	if (r == 0 && first)
		arm_expiry(tokens);
	return r;
}

static void expire_never(struct tokens *tokens, const char *salted)
{
	unsigned char key[EXPIRY_KEY_LEN];

	token_salted_bytes(salted, key);
	expiry_heap_drop(&tokens->heap, key);
}

struct minted {
	char salted[TOKEN_SALTED_SIZE];
	int64_t at;
};

static void on_minted(struct core *core, int r, void *arg)
{
	struct minted *minted = arg;

	if (r == 0 && minted->at == 0)
		expire_never(core_tokens(core), minted->salted);
	else if (r == 0 && tokens_expire_at(core_tokens(core), minted->salted, minted->at) < 0)
		log_warning("no memory to keep an expiry time");
	free(minted);
}

static int note_end(struct call *call, const struct token *token, int64_t at)
{
	struct minted *minted = calloc(1, sizeof(*minted));

	if (!minted)
		return -ENOMEM;
	memcpy(minted->salted, token->salted, sizeof(minted->salted));
	minted->at = at;
	call_on_commit(call, on_minted, minted);
	return 0;
}

int token_expires(struct call *call, const struct token *token)
{
	return note_end(call, token, token->expire_time);
}

int token_expires_never(struct call *call, const struct token *token)
{
	return note_end(call, token, 0);
}

/* --- the pass over all tokens */

/* An orphan: made for a session of a former life of the daemon that nobody keeps. */
static bool is_orphan(const struct tokens *tokens, const struct token *token)
{
	const char *session = json_string_value(json_object_get(token->meta, "k8sauth_session"));

	return tokens->keep && session && token->creation_time < tokens->keep_before &&
	       !tokens->keep(tokens->keep_arg, session);
}

static int scan_token(struct call *call, struct tokens *tokens, const char *name, size_t *orphans)
{
	struct token *token AUTO_TOKEN = NULL;
	char salted[TOKEN_SALTED_SIZE];
	int r;

	if (strlen(name) != 62 || strspn(name, "0123456789abcdef") != 62)
		return -ENOENT;
	snprintf(salted, sizeof(salted), "h%02x%s", tokens->scan.folder, name);
	r = token_load(call, salted, &token);
	if (r < 0)
		return r;
	if (is_orphan(tokens, token)) {
		++*orphans;
		return token_revoke(call, token);
	}
	if (!token_mount_is_there(call->core, token)) /* disabled, and then we were stopped */
		return token_revoke(call, token);
	return tokens_expire_at(tokens, salted, token->expire_time);
}

static int scan_some(struct call *call)
{
	struct tokens *tokens = call->state;
	struct token_scan *scan = &tokens->scan;
	size_t orphans = 0;
	bool waiting = false;
	char folder[32];
	int r;

	if (!scan->names) {
		snprintf(folder, sizeof(folder), "token/%02x/", scan->folder);
		r = core_list(call, folder, &scan->names);
		if (r < 0)
			return r;
	}
	for (size_t i = scan->at; i < scan->at + TOKEN_BATCH && i < json_array_size(scan->names); i++) {
		r = scan_token(call, tokens, json_string_value(json_array_get(scan->names, i)), &orphans);
		if (r == -EAGAIN)
			waiting = true;
		else if (r < 0 && !can_skip(r))
			return r;
	}
	if (waiting)
		return -EAGAIN;
	scan->found = orphans;
	return 0;
}

static void scan_next(struct tokens *tokens)
{
	struct token_scan *scan = &tokens->scan;

	scan->at += TOKEN_BATCH;
	scan->orphans += scan->found;
	if (scan->at >= json_array_size(scan->names)) {
		json_decref(scan->names);
		scan->names = NULL;
		scan->at = 0;
		scan->folder++;
	}
}

static void scan_done(void *arg, int r)
{
	struct tokens *tokens = arg;
	struct token_scan *scan = &tokens->scan;

	scan->running = false;
	if (r == 0)
		scan_next(tokens);
	else if (r != -ECANCELED) /* the daemon stops */
		log_warning("reading the stored tokens failed: %s; trying again in %d s", strerror(-r), RETRY_S);
	if (scan->restart) {
		json_decref(scan->names);
		*scan = (struct token_scan){ 0 };
	}
	if (scan->folder < FOLDERS)
		arm(tokens->scan_timer, r == 0 ? 0 : RETRY_S * NANOTIME_SECOND);
	else if (scan->orphans)
		log_notice("tokens of sessions that are gone: revoked %zu", scan->orphans);
}

static void on_scan(evutil_socket_t fd, short events, void *arg)
{
	struct tokens *tokens = arg;

	if (core_sealed(tokens->core)) {
		arm(tokens->scan_timer, SEALED_S * NANOTIME_SECOND);
		return;
	}
	if (!tokens->trees_resumed)
		tokens_trees_resume(tokens);
	tokens->trees_resumed = true;
	tokens->scan.running = true;
	tokens->scan.found = 0;
	core_run(tokens->core, scan_some, tokens, NULL, scan_done, tokens);
}

void tokens_revoke_orphans(struct core *core, bool (*keep)(void *arg, const char *session_id), void *arg)
{
	struct tokens *tokens = core_tokens(core);

	tokens->keep = keep;
	tokens->keep_arg = arg;
	tokens->keep_before = nanotime_now();
	tokens_scan_again(tokens);
}

void tokens_scan_again(struct tokens *tokens)
{
	if (tokens->scan.running) {
		tokens->scan.restart = true;
		return;
	}
	json_decref(tokens->scan.names);
	tokens->scan = (struct token_scan){ 0 };
	arm(tokens->scan_timer, 0); /* no timer yet: tokens_expiry_start begins the pass */
}

size_t tokens_count(const struct tokens *tokens)
{
	return tokens->heap.n;
}

int tokens_expiry_start(struct tokens *tokens)
{
	if (tokens->expiry_timer)
		return 0;
	tokens->expiry_timer = evtimer_new(core_base(tokens->core), on_expiry, tokens);
	tokens->scan_timer = evtimer_new(core_base(tokens->core), on_scan, tokens);
	if (!tokens->expiry_timer || !tokens->scan_timer)
		return -ENOMEM;
	arm(tokens->scan_timer, 0);
	return 0;
}

void tokens_expiry_stop(struct tokens *tokens)
{
	if (tokens->expiry_timer)
		event_free(tokens->expiry_timer);
	if (tokens->scan_timer)
		event_free(tokens->scan_timer);
	json_decref(tokens->scan.names);
	expiry_heap_free(&tokens->heap);
}
