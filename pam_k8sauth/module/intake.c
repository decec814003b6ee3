/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gets the credential (decision 15). One message per conversation call and echo off only: more than one, or another
 * style, breaks apache, squid, saslauthd and others (pam-consumers.md).
 */
#include <stdio.h>
#include <syslog.h>
#include <security/pam_ext.h>

#include "module/credential.h"
#include "module/module.h"

#define DEFAULT_PROMPT "Password: "

static inline void cleanup_credential(struct credential *credential)
{
	buf_free(&credential->text);
}

/* The prompt for the first part, or "Password (part 2 of 3): " for a later one. */
static char *make_prompt(const struct module *module, const struct credential *credential)
{
	const char *base = module->options.prompt ? module->options.prompt : DEFAULT_PROMPT;
	size_t len = strlen(base);
	char *prompt;

	if (credential->have == 0)
		return strdup(base);
	while (len > 0 && (base[len - 1] == ' ' || base[len - 1] == ':'))
		len--;
	if (asprintf(&prompt, "%.*s (part %u of %u): ", (int)len, base, credential->have + 1, credential->parts) < 0)
		return NULL;
	return prompt;
}

static enum situation prompt_for(struct module *module, const struct credential *credential, char **ret_answer)
{
	AUTO_FREE char *prompt = make_prompt(module, credential);
	AUTO_WIPE_STR char *answer = NULL;
	int r;

	if (!prompt)
		return SITUATION_NO_MEMORY;
	r = pam_prompt(module->pamh, PAM_PROMPT_ECHO_OFF, &answer, "%s", prompt);
	if (r == PAM_CONV_AGAIN)
		return SITUATION_AGAIN;
	if (r == PAM_BUF_ERR)
		return SITUATION_NO_MEMORY;
	if (r != PAM_SUCCESS) /* libpam has logged it */
		return SITUATION_CONVERSATION;
	if (!answer) {
		report(module, LOG_NOTICE, "no credential: the application gave no answer");
		return SITUATION_NO_CREDENTIAL;
	}
	*ret_answer = TAKE_PTR(answer);
	return SITUATION_DONE;
}

/* The answer that an earlier module of the stack got, where the line wants it; NULL where to ask. */
static const char *stacked_answer(const struct module *module)
{
	const void *item = NULL;
	const char *answer;

	if (!module->options.try_first_pass && !module->options.use_first_pass)
		return NULL;
	if (pam_get_item(module->pamh, PAM_AUTHTOK, &item) != PAM_SUCCESS || !item)
		return NULL;
	answer = item;
	return module->options.use_first_pass || credential_looks_ours(answer, strlen(answer)) ? answer : NULL;
}

static enum situation finish(struct module *module, const struct credential *credential,
    enum credential_verdict verdict, struct secret **ret_credential)
{
	switch (verdict) {
	case CREDENTIAL_COMPLETE:
		*ret_credential = secret_copy(credential->text.data, credential->text.len);
		return *ret_credential ? SITUATION_DONE : SITUATION_NO_MEMORY;
	case CREDENTIAL_NO_MEMORY:
		return SITUATION_NO_MEMORY;
	case CREDENTIAL_EMPTY:
		report(module, LOG_NOTICE, "%s", credential_verdict_text(verdict));
		return SITUATION_NO_CREDENTIAL;
	case CREDENTIAL_CUT:
		report_refused(module, NULL, NULL, "credential cut at %zu bytes: %s", credential->answer_len,
		    credential_verdict_text(verdict));
		break;
	default:
		report_refused(module, NULL, NULL, "%s (an answer of %zu bytes)", credential_verdict_text(verdict),
		    credential->answer_len);
		break;
	}
	return SITUATION_BAD_CREDENTIAL;
}

/* A local user's password is for the next module, and never for k8sauthd. */
static enum situation leave_to_next(struct module *module, const char *answer, bool stacked)
{
	report_debug(module, "the answer is no token: left to the next module");
	if (!stacked && pam_set_item(module->pamh, PAM_AUTHTOK, answer) != PAM_SUCCESS)
		return SITUATION_NO_MEMORY;
	return SITUATION_NOT_OURS;
}

enum situation intake(struct module *module, struct secret **ret_credential)
{
	CLEANUP(cleanup_credential) struct credential credential = CREDENTIAL_INIT;
	const char *stacked = stacked_answer(module);
	enum credential_verdict verdict = CREDENTIAL_MORE;
	enum situation situation;

	while (verdict == CREDENTIAL_MORE) {
		bool first = credential.have == 0;
		AUTO_WIPE_STR char *asked = NULL;
		const char *answer = first ? stacked : NULL;

		if (!answer && module->options.use_first_pass) {
			report(module, LOG_NOTICE, "no credential: use_first_pass, and no earlier module has %s",
			    first ? "asked" : "asked for the next part");
			return SITUATION_NO_CREDENTIAL;
		}
		if (!answer) {
			situation = prompt_for(module, &credential, &asked);
			if (situation != SITUATION_DONE)
				return situation;
			answer = asked;
		}
		if (first && !module->ours && !credential_looks_ours(answer, strlen(answer)))
			return leave_to_next(module, answer, answer == stacked);
		verdict = credential_add(&credential, answer, strlen(answer));
	}
	situation = finish(module, &credential, verdict, ret_credential);
	/* For modules behind us: without it they would ask the same user again. */
	if (situation == SITUATION_DONE && !stacked &&
	    pam_set_item(module->pamh, PAM_AUTHTOK, secret_reveal(*ret_credential)) != PAM_SUCCESS) {
		secret_free(TAKE_PTR(*ret_credential));
		return SITUATION_NO_MEMORY;
	}
	return situation;
}
