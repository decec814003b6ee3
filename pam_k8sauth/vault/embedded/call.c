/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a call: it is run, from its start each time, until its handler has everything; then its writes are
 * committed, and when they are durable the reply goes out (core.h).
 */
#include "vault/embedded/core_internal.h"

#include <errno.h>
#include <stdio.h>

#include "base/deadline.h"
#include "base/metrics.h"
#include "vault/embedded/acl.h"
#include "vault/embedded/audit/audit.h"
#include "vault/embedded/seal/seal.h"
#include "vault/embedded/token.h"
#include "vault/embedded/wrapping/wrapping.h"

/* --- made and freed */

static void on_woken(struct store_waiter *waiter, int r)
{
	struct call_private *call = (struct call_private *)(void *)((char *)waiter -
								    offsetof(struct call_private, waiter));

	if (r < 0) {
		call_fault(&call->call, r, "the store could not be read");
		call_finish(call, r);
		return;
	}
	call_enqueue(call);
}

struct call_private *call_new(struct core *core, struct vault_request *request)
{
	struct call_private *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	call->call.response = vault_response_new();
	if (!call->call.response) {
		free(call);
		return NULL;
	}
	call->call.core = core;
	call->call.request = request;
	call->call.private = call;
	call->op = request->op;
	memcpy(call->audited.id, call->call.response->request_id, sizeof(call->audited.id));
	call->refs = 1;
	call->started_ms = monotonic_ms();
	call->began = metric_seconds();
	call->waiter.wake = on_woken;
	STAILQ_INIT(&call->listings);
	TAILQ_INSERT_TAIL(&core->calls, call, link);
	core->n_calls++;
	return call;
}

static void state_drop(struct call_private *call)
{
	if (call->call.state && call->call.state_free)
		call->call.state_free(call->call.state);
	call->call.state = NULL;
	call->call.state_free = NULL;
}

static void run_hooks(struct call_private *call, size_t from, int r)
{
	for (size_t i = from; i < call->hooks.n; i++)
		call->hooks.items[i].after(call->call.core, r, call->hooks.items[i].arg);
	call->hooks.n = from;
}

/* What a run left behind, as if it had not been. */
void call_undo_run(struct call_private *call)
{
	struct call *public = &call->call;

	call_drop_writes(call, 0);
	run_hooks(call, 0, -ECANCELED);
	call->kept_writes = call->kept_hooks = 0;
	call->relaxed = call->hook_lost = false;
	json_decref(call->strings);
	call->strings = NULL;
	for (size_t i = 0; i < call->n_captures; i++)
		free(call->captures[i].value);
	call->n_captures = 0;
	login_auth_free(public->auth);
	public->auth = NULL;
	if (public->token)
		token_free(public->token);
	public->token = NULL;
	if (public->acl)
		acl_free(public->acl);
	public->acl = NULL;
	json_decref(public->entity);
	public->entity = NULL;
	json_decref(public->login);
	public->login = NULL;
	public->entity_created = false;
	audit_forget_run(&call->audited);
	wrapped_free(public->wrapped);
	public->wrapped = NULL;
	public->mount = NULL;
	public->path = NULL;
	public->rest = NULL;
	public->request->op = call->op;
}

/* Lets go of the N records that were pinned first: of an earlier run, which this one did not ask for again. */
static void unpin_first(struct call_private *call, size_t n)
{
	for (size_t i = 0; i < n; i++)
		store_unpin(call->call.core->store, call->pins.items[i]);
	call->pins.n -= n;
	if (n && call->pins.n)
		memmove(call->pins.items, call->pins.items + n, call->pins.n * sizeof(*call->pins.items));
}

static void call_unref(struct call_private *call)
{
	struct core *core = call->call.core;

	if (--call->refs > 0)
		return;
	state_drop(call);
	call_undo_run(call);
	store_abandon(core->store, call->txn);
	unpin_first(call, call->pins.n);
	free(call->writes.items);
	free(call->write_index);
	free(call->hooks.items);
	free(call->pins.items);
	call_listings_free(call);
	if (call->at_end)
		call->at_end(core, call->at_end_arg);
	call_ends_in_mount(call);
	mount_unref(core, call->mount);
	vault_response_free(call->call.response);
	vault_request_free(call->call.request);
	free(call);
}

/* --- the end of one */

static void leave_queues(struct call_private *call)
{
	struct core *core = call->call.core;

	store_forget(&call->waiter);
	if (call->queued)
		TAILQ_REMOVE(&core->ready, call, ready);
	call->queued = false;
}

static void stop_expecting(struct call_private *call)
{
	if (call->call.core->expecting == call)
		call->call.core->expecting = NULL;
	call->confirmed = NULL;
}

static int run_result(const struct call_private *call, int r)
{
	/* A handler of the daemon's own that refused: nothing was written. */
	return r == 0 && call->call.response->status >= 400 ? -EINVAL : r;
}

void call_finish(struct call_private *call, int r)
{
	struct core *core = call->call.core;
	struct vault_response *response = call->call.response;

	audit_abandoned(&call->call);
	leave_queues(call);
	stop_expecting(call);
	unpin_first(call, call->pins.n);
	call->phase = CALL_FINISHED;
	TAILQ_REMOVE(&core->calls, call, link);
	core->n_calls--;
	call_stay(call);
	if (response->failure == VAULT_FAILED_NOT && response->status >= 400)
		response->failure = response->status >= 500 ? VAULT_FAILED_OUTAGE : VAULT_FAILED_REFUSED;
	core_count(call);
	if (call->done)
		call->done(call->arg, response);
	else if (call->ran)
		call->ran(call->arg, run_result(call, r));
	call_unref(call);
}

void call_fault(struct call *call, int r, const char *what)
{
	struct vault_response *response = call->response;

	log_line(LOG_ERR, call->request->ref, "request of %s failed: %s: %s", call->request->path, what, strerror(-r));
	json_decref(response->data);
	json_decref(response->auth);
	json_decref(response->body);
	response->data = response->auth = response->body = NULL;
	response->envelope_404 = false;
	call_wrapped_error(call, 500, "internal error");
	response->failure = VAULT_FAILED_OUTAGE;
	response->step = "store";
	free(response->reason);
	if (asprintf(&response->reason, "%s: %s", what, strerror(-r)) < 0)
		response->reason = NULL;
}

static void on_told(struct call *call)
{
	struct call_private *private = private_of(call);

	if (private->phase != CALL_FINISHED)
		call_finish(private, private->result);
	call_unref(private);
}

/* Answers, when the audit trail knows. */
static void conclude(struct call_private *call)
{
	call->phase = CALL_AUDITING;
	call->refs++;
	if (audit_answer(&call->call, on_told))
		return;
	call_finish(call, call->result);
	call_unref(call);
}

/* Answers, unless a hook of the commit holds the call. */
static void settle(struct call_private *call, int r)
{
	call->result = r;
	call->phase = CALL_SETTLING;
	if (call->holds == 0)
		conclude(call);
}

static void on_committed(void *arg, int r)
{
	struct call_private *call = arg;
	struct core *core = call->call.core;

	if (r < 0)
		metric_count(METRIC_COMMIT_FAILURES, NULL);
	else
		metric_observe(METRIC_COMMITS, NULL, metric_seconds() - call->commit_began);
	core->changes++;
	if (router_decides_logins(&call->call))
		core->vault.logins_changed++;
	run_hooks(call, 0, r);
	core->commits--;
	core_seal_go_on(core);
	if (call->phase == CALL_FINISHED) {
		/* It took too long, and was answered. */
		call_unref(call);
		return;
	}
	if (r < 0)
		call_fault(&call->call, r, "the store could not be written");
	call_unref(call);
	settle(call, r);
}

static void commit(struct call_private *call)
{
	struct store_txn *txn = TAKE_PTR(call->txn);
	int r = 0;

	call->phase = CALL_COMMITTING;
	leave_queues(call);
	if (call->writes.n == 0) {
		run_hooks(call, 0, 0);
		settle(call, 0);
		return;
	}
	call_commits_in_mount(call);
	if (!txn)
		r = call_make_txn(call, &txn);
	folders_forget(call);
	if (r == 0) {
		call->call.core->changes++;
		call->refs++;
		call->commit_began = metric_seconds();
		r = store_commit(call->call.core->store, txn, call->relaxed, on_committed, call);
		if (r < 0)
			call->refs--;
		else
			call->call.core->commits++;
	}
	if (r < 0) {
		run_hooks(call, 0, r);
		call_fault(&call->call, r, "the store could not be written");
		call_finish(call, r);
	}
}

/* --- runs */

static bool is_waiting(const struct call_private *call)
{
	return call->waiter.entry || call->listings_n || call->holds || call->queued;
}

void call_forget_answer(struct call_private *call)
{
	vault_response_clear(call->call.response);
	memcpy(call->call.response->request_id, call->audited.id, sizeof(call->audited.id));
}

/* Whether the call goes on. */
static bool run_again_later(struct call_private *call)
{
	call->phase = CALL_WAITING;
	call_undo_run(call);
	call_forget_answer(call);
	if (is_waiting(call))
		return true;
	call_fault(&call->call, -EDEADLK, "its handler waits for nothing");
	call_finish(call, -EDEADLK);
	return false;
}

/* Not every 404 is one: what was wrapped may be "not found", and has been unwrapped then. */
static bool is_refused(const struct vault_response *response)
{
	return response->status >= 400 && !(response->status == 404 && (response->envelope_404 || response->empty_404));
}

int call_run_handler(struct call_private *call)
{
	unsigned failures = wipe_failures();
	int r = call->handler(&call->call);

	/* Something may be missing in what it read, means to write, answers or remembers. */
	if ((r == 0 || r == -EAGAIN) && wipe_failures() != failures)
		return -ENOMEM;
	/* A handler that got no memory for a field ends without an answer. */
	if (r == 0 && call->done && call->call.response->status == 0)
		r = -ENOMEM;
	/* Nor may it write what nobody would hear of. */
	return r == 0 && call->hook_lost ? -ENOMEM : r;
}

static void run(struct call_private *call)
{
	size_t old_pins = call->pins.n;
	int r;

	if (call_rehearsal_holds(call)) {
		commit(call);
		return;
	}
	call->phase = CALL_RUNNING;
	stop_expecting(call);
	store_forget(&call->waiter);
	r = call_run_handler(call);
	unpin_first(call, old_pins);
	if (r == -EAGAIN) {
		if (run_again_later(call))
			call_rehearse_soon(call);
		return;
	}
	if (r < 0)
		call_fault(&call->call, r, "its handler");
	if (call->writes.n && audit_must_wait(&call->call)) {
		run_again_later(call);
		return;
	}
	if (r < 0 || is_refused(call->call.response)) {
		call_drop_writes(call, call->kept_writes);
		run_hooks(call, call->kept_hooks, -ECANCELED);
		call->relaxed = false;
	}
	if (r < 0 && call->writes.n == 0) {
		call_finish(call, r);
		return;
	}
	commit(call);
}

void calls_run_ready(struct core *core)
{
	struct call_private *call, *last = TAILQ_LAST(&core->ready, call_list);

	while ((call = TAILQ_FIRST(&core->ready))) {
		bool is_last = call == last;

		TAILQ_REMOVE(&core->ready, call, ready);
		call->queued = false;
		run(call);
		if (is_last)
			break;
	}
	if (!TAILQ_EMPTY(&core->ready))
		event_active(core->run, EV_TIMEOUT, 0);
}

void call_enqueue(struct call_private *call)
{
	struct core *core = call->call.core;

	if (call->queued || call->phase > CALL_RUNNING)
		return;
	call->queued = true;
	TAILQ_INSERT_TAIL(&core->ready, call, ready);
	event_active(core->run, EV_TIMEOUT, 0);
}

/* --- what starts the next run */

void call_list_started(struct call_private *call)
{
	call->refs++;
	call->listings_n++;
}

void call_listed(struct call_private *call, int r)
{
	call->listings_n--;
	if (r < 0 && call->phase == CALL_WAITING) {
		call_drop_rehearsal(call);
		call_fault(&call->call, r, "the store could not be read");
		call_finish(call, r);
	} else {
		call_enqueue(call);
	}
	call_unref(call);
}

void call_hold(struct call *call)
{
	private_of(call)->refs++;
	private_of(call)->holds++;
}

void call_yield(struct call *call)
{
	call_enqueue(private_of(call));
}

void call_resume(struct call *call)
{
	struct call_private *private = private_of(call);

	private->holds--;
	if (private->phase == CALL_SETTLING && private->holds == 0) {
		conclude(private);
	} else if (private->holds == 0 && call_rehearsal_holds(private)) {
		/* At once, before whoever brought the answer tidies up behind it. */
		commit(private);
		store_flush(call->core->store);
	} else {
		call_enqueue(private);
	}
	call_unref(private);
}

void call_on_commit(struct call *call, void (*after)(struct core *core, int r, void *arg), void *arg)
{
	struct call_private *private = private_of(call);

	if (!CALL_ARRAY_GROW(private->hooks)) {
		after(call->core, -ECANCELED, arg);
		private->hook_lost = true;
		return;
	}
	private->hooks.items[private->hooks.n++] = (struct call_hook){ .after = after, .arg = arg };
}

void call_at_end(struct call *call, void (*ended)(struct core *core, void *arg), void *arg)
{
	private_of(call)->at_end = ended;
	private_of(call)->at_end_arg = arg;
}
