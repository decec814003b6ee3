/* SPDX-License-Identifier: Apache-2.0 */
/* The journal as a log sink: the only part of the log that links libsystemd. */
#include "base/log.h"

#include <systemd/sd-journal.h>

void log_journal_sink(int level, const char *ref, const char *line)
{
	if (ref)
		sd_journal_send("MESSAGE=%s [ref %s]", line, ref, "PRIORITY=%d", level, "K8SAUTH_REF=%s", ref, NULL);
	else
		sd_journal_send("MESSAGE=%s", line, "PRIORITY=%d", level, NULL);
}
