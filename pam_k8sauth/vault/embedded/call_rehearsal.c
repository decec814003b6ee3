/* SPDX-License-Identifier: Apache-2.0 */
/* Rehearsals: a call is run in the time in which it waits for an answer that is as good as known (core.h). */
#include "vault/embedded/core_internal.h"

#include <errno.h>
#include <sys/timerfd.h>

#include "base/deadline.h"

/*
 * A rehearsal is held in the time in which the answer is awaited: a millisecond and more, in which this processor would
 * sleep. Not at once: an API server on this machine shall have it first.
 */
#define REHEARSAL_US 150
#define REHEARSAL_MS 100 /* the times of a token that was rehearsed are so much older than they should be */


void call_expect(struct call *call, bool (*confirmed)(struct call *call))
{
	private_of(call)->confirmed = confirmed;
}

bool call_is_rehearsal(const struct call *call)
{
	return call->private->rehearsing;
}

void call_drop_rehearsal(struct call_private *call)
{
	if (!call->rehearsed)
		return;
	call->rehearsed = false;
	store_abandon(call->call.core->store, TAKE_PTR(call->txn));
	call_undo_run(call);
	call_forget_answer(call);
}

/* Only where no other call is under way: with many, their work is waiting, and their commits undo the rehearsal. */
void call_rehearse_soon(struct call_private *call)
{
	const struct itimerspec soon = { .it_value.tv_nsec = REHEARSAL_US * 1000 };
	struct core *core = call->call.core;

	if (call->confirmed && core->n_calls == 1 && timerfd_settime(core->rehearsal_fd, 0, &soon, NULL) == 0)
		core->expecting = call;
}

void call_rehearse(struct core *core)
{
	struct call_private *call = TAKE_PTR(core->expecting);
	int r;

	if (!call || core->n_calls > 1 || call->queued)
		return;
	call->rehearsing = true;
	r = call_run_handler(call);
	call->rehearsing = false;
	store_forget(&call->waiter); /* nothing shall begin the next run but the answer */
	if (r == 0 && call->call.response->status < 400 && call->writes.n)
		r = call_make_txn(call, &call->txn);
	call->rehearsed = true;
	call->rehearsed_changes = core->changes;
	call->rehearsed_ms = monotonic_ms();
	if (r < 0 || !call->txn)
		call_drop_rehearsal(call);
	else
		store_prepare(core->store, call->txn, call->relaxed);
}

/* Whether what was rehearsed is what a run would make now; it is forgotten otherwise. */
bool call_rehearsal_holds(struct call_private *call)
{
	struct core *core = call->call.core;

	if (!call->rehearsed)
		return false;
	if (call->confirmed(&call->call) && call->rehearsed_changes == core->changes && !core_sealed(core) &&
	    monotonic_ms() - call->rehearsed_ms <= REHEARSAL_MS) {
		call->rehearsed = false;
		return true;
	}
	call_drop_rehearsal(call);
	return false;
}
