/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the files of an open session again, after its token was replaced. That they are due stands in the record, so
 * the next daemon does it where this one did not come to its end; what fails is tried again.
 */
#include <stdio.h>

#include "base/text.h"
#include "session/export.h"

#define RETRY_MS 10000

struct refresh {
	struct sessions *all;
	char id[SESSION_ID_LEN + 1];
	char token_session[SESSION_ID_LEN + 1]; /* whose token it is */
	struct buf files, env;			/* the environment is the session's since long: ENV goes nowhere */
	struct export export;
};

static void refresh_free(struct refresh *refresh)
{
	export_clear(&refresh->export);
	buf_free(&refresh->files);
	buf_free(&refresh->env);
	sessions_unref(refresh->all);
	free(refresh);
}

static struct session *refresh_session(const struct refresh *refresh)
{
	return refresh->all->closing ? NULL : session_find(refresh->all, refresh->id);
}

/* One try is over: WHY it failed, NULL where the files are written, with EXPORT. */
static void session_refreshed(
    struct session *session, const char *token_session, struct export *export, const char *why)
{
	struct session_record *record = &session->record;

	session->refreshing = false;
	if (record->state == SESSION_OPEN && why) {
		session->refresh_at = monotonic_ms() + RETRY_MS;
		record->files_due = FILES_ANEW; /* what is there may be gone */
		log_warning("session %s of %s: its files are not written yet, next try in %d s: %s", record->id,
		    record->user, RETRY_MS / 1000, why);
	} else if (record->state == SESSION_OPEN && streq(record->token_session, token_session)) {
		record->files_due = FILES_DONE;
		rotation_begin(session, export);
		if (session_save(session, NULL) < 0)
			log_warning("session %s: the next daemon will write its files again", record->id);
	}
	if (record->state != SESSION_OPEN) {
		relogin_refreshed(session, why ? why : "the session has ended");
		return;
	}
	/* Written with a token that it has no more: those of the new one are still to come. */
	if (streq(record->token_session, token_session))
		relogin_refreshed(session, why);
	session_arm(session);
}

static void refresh_over(struct refresh *refresh, const char *why)
{
	struct session *session = refresh_session(refresh);

	if (session)
		session_refreshed(session, refresh->token_session, &refresh->export, why);
	refresh_free(refresh);
}

static void on_written(void *arg, int r, const struct wire_frame *reply)
{
	struct refresh *refresh = arg;
	const struct session *session = refresh_session(refresh);
	uint32_t status = WIRE_STATUS_INTERNAL;
	char *message AUTO_FREE = NULL;
	char why[256];

	/* Its end may have overtaken the writing. */
	if (!refresh->all->closing && (!session || session->record.state != SESSION_OPEN) &&
	    !files_remove(refresh->all, refresh->id))
		log_warning("session %s: out of memory: its files stay until the next start", refresh->id);
	if (r == 0 && wire_get_u32(reply, WIRE_STATUS, &status) && status == WIRE_STATUS_OK) {
		refresh_over(refresh, NULL);
		return;
	}
	message = r == 0 ? wire_get_str(reply, WIRE_MESSAGE) : NULL;
	snprintf(why, sizeof(why), "helper: %s", r < 0 ? strerror(-r) : message ? message : wire_status_name(status));
	refresh_over(refresh, why);
}

static void on_exported(void *arg)
{
	struct refresh *refresh = arg;
	const struct session *session = refresh_session(refresh);

	if (!session || session->record.state != SESSION_OPEN)
		refresh_over(refresh, "the session has ended");
	else if (wire_end(&refresh->files) < 0)
		refresh_over(refresh, "they are too large, or no memory");
	else
		wire_call_async(refresh->all->options.base, refresh->all->helper_socket, &refresh->files, -1,
		    HELPER_CALL_MS, on_written, refresh);
}

void session_refresh(struct session *session)
{
	struct refresh *refresh = calloc(1, sizeof(*refresh));
	struct export *export = refresh ? &refresh->export : NULL;

	session->refreshing = true;
	if (!refresh) {
		session_refreshed(session, session->record.token_session, NULL, "out of memory");
		return;
	}
	refresh->all = sessions_ref(session->all);
	memcpy(refresh->id, session->record.id, sizeof(refresh->id));
	memcpy(refresh->token_session, session->record.token_session, sizeof(refresh->token_session));
	export->token = session_token(session);
	if (!export->token) {
		refresh_over(refresh, "its token is lost, or no memory");
		return;
	}
	session_files_begin(&refresh->files,
	    session->record.files_due == FILES_REPLACE ? WIRE_HELPER_ROTATE : WIRE_HELPER_SESSION, &session->record,
	    export->token);
	refresh->env.max = WIRE_REPLY_MAX;
	wire_begin(&refresh->env, WIRE_OPEN | WIRE_REPLY);
	export->all = refresh->all;
	export->record = session->record;
	log_new_ref(export->ref);
	export->files = &refresh->files;
	export->env = &refresh->env;
	export->until = deadline_after_ms(EXPORT_MS);
	export->done = on_exported;
	export->arg = refresh;
	export_start(export);
}
