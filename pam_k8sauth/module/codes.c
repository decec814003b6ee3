/* SPDX-License-Identifier: Apache-2.0 */
/* From situation to PAM code; see codes.h. */
#include "module/codes.h"

#include <security/_pam_types.h>

#define NONE PAM_SYSTEM_ERR

int module_code(enum phase phase, enum situation situation)
{
	static const int codes[N_SITUATIONS][N_PHASES] = {
#define CODE(situation, text, auth, cred, account, open, close, password) \
	[SITUATION_##situation] = { auth, cred, account, open, close, password },
#include "module/codes.def"
#undef CODE
	};

	return codes[situation][phase];
}

const char *phase_name(enum phase phase)
{
	static const char *const names[N_PHASES] = {
		[PHASE_AUTH] = "authenticate",
		[PHASE_CRED] = "setcred",
		[PHASE_ACCOUNT] = "acct_mgmt",
		[PHASE_OPEN] = "open_session",
		[PHASE_CLOSE] = "close_session",
		[PHASE_PASSWORD] = "chauthtok",
	};

	return names[phase];
}
