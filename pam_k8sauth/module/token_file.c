/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The credential out of a file (decision 15): a JWT that kubelet, or whoever is root here, keeps fresh. Whoever gets as
 * far as the auth phase is authenticated by it, so it is for services that only this machine can reach.
 */
#include <arpa/inet.h>
#include <syslog.h>

#include "base/safe_open.h"
#include "base/text.h"
#include "module/credential.h"
#include "module/module.h"

static inline void cleanup_credential(struct credential *credential)
{
	buf_free(&credential->text);
}

/* Somebody from another host would be let in by what this machine holds. A name is no proof: it may be what the other
 * host's own DNS says. */
static bool is_remote(const char *rhost)
{
	unsigned char v4[4];

	return rhost && !streq(rhost, "::1") && !(inet_pton(AF_INET, rhost, v4) == 1 && v4[0] == 127);
}

enum situation token_file_read(struct module *module, struct secret **ret_credential)
{
	CLEANUP(cleanup_credential) struct credential credential = CREDENTIAL_INIT;
	AUTO_BUF struct buf text = { 0 };
	enum credential_verdict verdict;
	char why[256] = "";
	int r;

	if (is_remote(module->rhost)) {
		report_refused(
		    module, NULL, NULL, "token_file is for local services, and this user comes from another host");
		return SITUATION_REFUSED;
	}
	r = safe_read_links(module->options.token_file, 0, CREDENTIAL_MAX, &text, why, sizeof(why));
	if (r < 0) {
		report(module, LOG_ERR, "no credential: token_file: %s", *why ? why : strerror(-r));
		return SITUATION_NO_CREDENTIAL;
	}
	verdict = credential_add(&credential, text.data, text.len);
	if (verdict == CREDENTIAL_EMPTY) {
		report(module, LOG_ERR, "no credential: token_file %s is empty", module->options.token_file);
		return SITUATION_NO_CREDENTIAL;
	}
	if (verdict == CREDENTIAL_NO_MEMORY)
		return SITUATION_NO_MEMORY;
	if (verdict != CREDENTIAL_COMPLETE) {
		report_refused(module, NULL, NULL, "token_file %s holds no token (%zu bytes)",
		    module->options.token_file, text.len);
		return SITUATION_BAD_CREDENTIAL;
	}
	*ret_credential = secret_copy(credential.text.data, credential.text.len);
	return *ret_credential ? SITUATION_DONE : SITUATION_NO_MEMORY;
}
