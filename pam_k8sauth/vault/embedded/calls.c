/* SPDX-License-Identifier: Apache-2.0 */
/* Where calls come from (requests, the daemon itself), how many there may be and how long they may take. */
#include "vault/embedded/core_internal.h"

#include <errno.h>
#include <sys/timerfd.h>

#include "base/deadline.h"

#define SWEEP_S 1

/* --- where calls come from */

static int refuse_new(struct call *call)
{
	return call_refuse(call, VAULT_FAILED_OUTAGE, "load", 503,
	    call->core->closing ? "k8sauthd is stopping" : "too many requests in progress", "%zu requests in progress",
	    call->core->n_calls);
}

static void send_request(struct vault *vault, struct vault_request *request, vault_done_fn *done, void *arg)
{
	struct core *core = (struct core *)(void *)vault;
	struct call_private *call = call_new(core, request);

	if (!call) {
		struct vault_response none = { .status = 503, .failure = VAULT_FAILED_OUTAGE };

		/* The one reply from inside: there is no memory to give it later. */
		vault_request_free(request);
		done(arg, &none);
		return;
	}
	call->done = done;
	call->arg = arg;
	call->handler = core->n_calls > CALLS_MAX || core->closing ? refuse_new : router_run;
	call_enqueue(call);
}

static struct call_private *own_call(
    struct core *core, engine_handler *handler, void *state, void (*state_free)(void *))
{
	struct vault_request *request = vault_request_new(VAULT_UPDATE, "");
	struct call_private *call = request ? call_new(core, request) : NULL;

	if (!call) {
		vault_request_free(request);
		return NULL;
	}
	request->internal = true;
	call->handler = handler;
	call->call.state = state;
	call->call.state_free = state_free;
	return call;
}

void core_run(struct core *core, engine_handler *handler, void *state, void (*state_free)(void *),
    void (*done)(void *arg, int r), void *arg)
{
	bool ending = core->closing || core->sealing;
	struct call_private *call = ending ? NULL : own_call(core, handler, state, state_free);

	if (!call) {
		if (state_free)
			state_free(state);
		done(arg, ending ? -ECANCELED : -ENOMEM);
		return;
	}
	call->ran = done;
	call->arg = arg;
	call_enqueue(call);
}

struct now {
	bool done;
	int r;
};

static void on_ran_now(void *arg, int r)
{
	struct now *now = arg;

	*now = (struct now){ .done = true, .r = r };
}

int core_run_now(struct core *core, engine_handler *handler, void *state)
{
	struct call_private *call = own_call(core, handler, state, NULL);
	struct now now = { 0 };

	if (!call)
		return -ENOMEM;
	call->ran = on_ran_now;
	call->arg = &now;
	call_enqueue(call);
	/* The only one that waits for the disk without a limit is the start, which has systemd's. */
	for (calls_run_ready(core); !now.done; calls_run_ready(core))
		store_pump(core->store, -1);
	return now.r;
}

/* --- limits and the end */

static void end_slow(struct core *core, int64_t started_before_ms)
{
	struct call_private *call, *next;

	for (call = TAILQ_FIRST(&core->calls); call; call = next) {
		next = TAILQ_NEXT(call, link);
		if (call->started_ms >= started_before_ms)
			return;
		if (!call->done)
			continue; /* nobody outside waits for it */
		call_drop_rehearsal(call);
		call_refuse(&call->call, VAULT_FAILED_OUTAGE, "store", 503, "request timed out",
		    "no answer of the store, or of the API server, in time");
		call_finish(call, -ETIMEDOUT);
	}
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
	end_slow(arg, monotonic_ms() - CALL_MAX_MS);
}

static void on_run(evutil_socket_t fd, short what, void *arg)
{
	calls_run_ready(arg);
}

static void on_rehearsal(evutil_socket_t fd, short what, void *arg)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) == sizeof(count))
		call_rehearse(arg);
}

int core_calls_init(struct core *core)
{
	struct timeval every = { .tv_sec = SWEEP_S };

	TAILQ_INIT(&core->calls);
	TAILQ_INIT(&core->ready);
	core->vault.send = send_request;
	core->run = event_new(core->base, -1, 0, on_run, core);
	core->sweep = event_new(core->base, -1, EV_PERSIST, on_sweep, core);
	core->rehearsal_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (core->rehearsal_fd < 0)
		return -errno;
	core->rehearsal = event_new(core->base, core->rehearsal_fd, EV_READ | EV_PERSIST, on_rehearsal, core);
	return core->run && core->sweep && core->rehearsal && event_add(core->sweep, &every) == 0 &&
		       event_add(core->rehearsal, NULL) == 0
		   ? 0
		   : -ENOMEM;
}

void core_calls_end(struct core *core, int timeout_ms)
{
	struct deadline deadline = deadline_after_ms(timeout_ms);

	core->closing = true;
	while (!TAILQ_EMPTY(&core->calls) && !deadline_passed(deadline)) {
		/* Where this runs inside the loop itself, the loop cannot: the store alone then. */
		event_base_loop(core->base, EVLOOP_NONBLOCK);
		store_pump(core->store, 10);
		calls_run_ready(core);
	}
	while (!TAILQ_EMPTY(&core->calls)) {
		struct call_private *call = TAILQ_FIRST(&core->calls);

		call_drop_rehearsal(call);
		call_refuse(&call->call, VAULT_FAILED_OUTAGE, "stop", 503, "k8sauthd is stopping", "the daemon stops");
		call_finish(call, -ECANCELED);
	}
}
