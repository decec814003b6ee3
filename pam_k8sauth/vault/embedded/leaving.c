/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mount that is about to go, or to move: it takes no new requests, those that wait in it for something are refused when
 * they go on, and those that have committed are waited for, before anybody looks for what the mount has given out. Else a
 * secret that is made in between would be left without its lease.
 */
#include "vault/embedded/core_internal.h"

#include <errno.h>

/* --- tainted: it stays so where it cannot go, also over a restart, as in Vault */

struct tainting {
	struct call *call;
	struct mount *mount; /* referenced */
	int r;
};

static void tainting_free(void *arg)
{
	struct tainting *tainting = arg;

	mount_unref(tainting->call->core, tainting->mount);
	free(tainting);
}

static int taint_step(struct call *call)
{
	struct tainting *tainting = call->state;
	struct mount values = *tainting->mount;
	int r = mounts_settled(call);

	values.tainted = true;
	return r < 0 ? r : mounts_write(call, tainting->mount, &values);
}

static void tainted(void *arg, int r)
{
	struct tainting *tainting = arg;

	tainting->r = r;
	if (r == 0)
		tainting->mount->tainted = true;
	call_resume(tainting->call);
}

int mount_taint(struct call *call, struct mount *mount)
{
	struct tainting *tainting = call->state_free == tainting_free ? call->state : NULL;
	int r = tainting ? tainting->r : 0;

	if (mount->tainted || (r < 0 && r != -EINPROGRESS)) {
		if (tainting) {
			tainting_free(TAKE_PTR(call->state));
			call->state_free = NULL;
		}
		return mount->tainted ? 0 : r;
	}
	if (tainting)
		return -EAGAIN; /* it holds the call */
	tainting = calloc(1, sizeof(*tainting));
	if (!tainting)
		return -ENOMEM;
	*tainting = (struct tainting){ .call = call, .mount = mount, .r = -EINPROGRESS };
	mount_ref(mount);
	call->state = tainting;
	call->state_free = tainting_free;
	call_hold(call);
	core_run(call->core, taint_step, tainting, NULL, tainted, tainting);
	return -EAGAIN;
}

/* --- leaving */

int mount_leave(struct call *call, struct mount *mount)
{
	struct call_private *private = call->private;

	if (!private->leaving) {
		mount_ref(mount);
		mount->leaving++;
		private->leaving = mount;
		call->core->changes++; /* what was rehearsed in it is not committed */
	}
	if (mount->commits == 0)
		return 0;
	private->awaits_commits = true;
	call_hold(call);
	return -EAGAIN;
}

static void stop_waiting(struct call_private *call)
{
	if (!call->awaits_commits)
		return;
	call->awaits_commits = false;
	call_resume(&call->call);
}

void call_stay(struct call_private *call)
{
	struct mount *mount = TAKE_PTR(call->leaving);

	if (!mount)
		return;
	mount->leaving--;
	mount_unref(call->call.core, mount);
	stop_waiting(call);
}

void call_commits_in_mount(struct call_private *call)
{
	if (!call->mount)
		return;
	call->mount->commits++;
	call->counted = true;
}

void call_ends_in_mount(struct call_private *call)
{
	struct call_private *other;

	if (!call->counted)
		return;
	call->counted = false;
	if (--call->mount->commits > 0 || !call->mount->leaving)
		return;
	TAILQ_FOREACH(other, &call->call.core->calls, link)
	if (other->leaving == call->mount)
		stop_waiting(other);
}
