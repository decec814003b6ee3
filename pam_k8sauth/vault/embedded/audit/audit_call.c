/* SPDX-License-Identifier: Apache-2.0 */
/* Where a call meets the audit trail: before it changes anything, and before its answer goes out. */
#include <errno.h>

#include "base/metrics.h"
#include "vault/embedded/audit/audit_internal.h"
#include "vault/embedded/token.h"

void audit_forget_run(struct call_audit *audited)
{
	if (audited->caller)
		token_free(audited->caller);
	audited->caller = NULL;
	audited->reached = audited->denied = audited->hidden = audited->unread = audited->looked = false;
	audited->uses = 0;
	audited->verdict = (struct acl_verdict){ 0 };
}

static bool is_told_of(const struct call_private *call)
{
	return call->done && call->audited.reached && audit_enabled(call->call.core->audit);
}

static int refuse(struct call *call)
{
	return call_refuse(call, VAULT_FAILED_OUTAGE, "audit", 500, "internal error",
	    "no audit device accepted the entry of the request: see k8sauthd's journal for what is wrong with each");
}

/* --- what it notes */

void audit_note_lookup(struct call *call)
{
	enum vault_op op = call->request->op;

	call->private->audited.looked = op == VAULT_UPDATE || op == VAULT_CREATE;
}

int audit_find_caller(struct call *call)
{
	const struct secret *presented = call->request->token;
	int r;

	if (!call->private->done || !audit_enabled(call->core->audit))
		return 0;
	audit_note_lookup(call);
	if (!presented || !secret_len(presented))
		return 0;
	r = token_lookup(call, presented, &call->private->audited.caller);
	return r == -ENOENT || r == -EACCES ? 0 : r;
}

/* --- before it changes anything */

static void on_request_accepted(void *arg, int r)
{
	struct call_private *call = arg;

	if (r < 0) {
		metric_count(METRIC_AUDIT_FAILURES, METRIC_LABELS("request"));
		metric_count(METRIC_VAULT_AUDIT_REQUESTS, NULL);
	}
	call->audited.request = r < 0 ? CALL_AUDIT_FAILED : CALL_AUDIT_TOLD;
	call_resume(&call->call);
}

static bool changes_something(const struct call *call)
{
	switch (call->request->op) {
	case VAULT_UPDATE:
	case VAULT_CREATE:
	case VAULT_PATCH:
	case VAULT_DELETE:
	case VAULT_VERIFY:
		return true;
	default:
		return false;
	}
}

/* -EAGAIN; 1 after the refusal where no device even took it. */
static int tell_request(struct call *call)
{
	struct call_private *private = call->private;
	struct audit_draft draft;

	draft = draft_new();
	audit_entry(&draft, call, AUDIT_REQUEST);
	call_hold(call);
	private->audited.request = CALL_AUDIT_ASKED;
	if (audit_submit(call->core->audit, NULL, &draft, on_request_accepted, private) == 0)
		return -EAGAIN;
	private->audited.request = CALL_AUDIT_FAILED;
	call_resume(call);
	return -EAGAIN;
}

int audit_gate(struct call *call)
{
	struct call_private *private = call->private;

	if (!is_told_of(private) || private->audited.request == CALL_AUDIT_TOLD)
		return 0;
	if (private->audited.request == CALL_AUDIT_FAILED) {
		refuse(call);
		return 1;
	}
	return changes_something(call) ? tell_request(call) : 0;
}

bool audit_must_wait(struct call *call)
{
	struct call_private *private = call->private;

	if (!is_told_of(private) || private->audited.request != CALL_AUDIT_UNTOLD)
		return false;
	(void)tell_request(call);
	return true;
}

/* --- before the answer goes out */

static void fail_answer(struct call *call)
{
	vault_response_clear(call->response);
	refuse(call);
}

static void on_answer_accepted(void *arg, int r)
{
	struct call_private *call = arg;

	if (r < 0) {
		metric_count(METRIC_AUDIT_FAILURES, METRIC_LABELS("response"));
		metric_count(METRIC_VAULT_AUDIT_RESPONSES, NULL);
	}
	/* One that took too long was answered already. */
	if (r < 0 && call->phase != CALL_FINISHED)
		fail_answer(&call->call);
	call->audited.ended(&call->call);
}

/* What is still to be told of CALL. */
static void write_rest(const struct call_private *call, struct audit_draft *draft)
{
	/* Where devices came while it was on its way, its writes are not taken back, and its answer is told alone. */
	if (call->quota.refused)
		audit_entry(draft, &call->call, AUDIT_REQUEST); /* as Vault has it: the answer is its error */
	else if (call->audited.request == CALL_AUDIT_UNTOLD && call->writes.n == 0)
		audit_entries(draft, &call->call);
	else
		audit_entry(draft, &call->call, AUDIT_RESPONSE);
}

bool audit_answer(struct call *call, void (*ended)(struct call *call))
{
	struct call_private *private = call->private;
	struct audit_draft draft;

	if (!is_told_of(private) || private->audited.request == CALL_AUDIT_FAILED || private->audited.answered)
		return false;
	private->audited.answered = true;
	private->audited.ended = ended;
	draft = draft_new();
	write_rest(private, &draft);
	if (audit_submit(call->core->audit, NULL, &draft, on_answer_accepted, private) == 0)
		return true;
	fail_answer(call);
	return false;
}

void audit_abandoned(struct call *call)
{
	struct call_private *private = call->private;
	struct audit_draft draft;

	if (!is_told_of(private) || private->audited.answered || private->audited.request == CALL_AUDIT_FAILED)
		return;
	private->audited.answered = true;
	draft = draft_new();
	write_rest(private, &draft);
	(void)!audit_submit(call->core->audit, NULL, &draft, NULL, NULL);
}
