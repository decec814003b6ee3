/* SPDX-License-Identifier: Apache-2.0 */
/* What the module says: to the log, and one line to the user. */
#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>
#include <sys/random.h>
#include <security/pam_ext.h>
#include <security/pam_modutil.h>

#include "base/text.h"
#include "module/module.h"

#define LINE_SIZE 512
#define REF_BYTES 3

/* A field of a log line: what the network chose must not forge another one. */
struct field {
	char text[128];
};

static struct field field(const char *text)
{
	struct field field;
	size_t n = 0;

	for (; text && text[n] && n < sizeof(field.text) - 1; n++)
		field.text[n] = text[n] > ' ' && text[n] < 0x7f ? text[n] : '?';
	field.text[n] = '\0';
	return field;
}

/* One line of plain text, whatever it was made of: for the log and for somebody's terminal. */
static void make_plain(char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			*text = '?';
	}
}

static void log_user(const struct module *module, int priority, const char *format, va_list args) PRINTF_LIKE(3, 0);

static void log_user(const struct module *module, int priority, const char *format, va_list args)
{
	char line[LINE_SIZE];

	vsnprintf(line, sizeof(line), format, args);
	make_plain(line);
	pam_syslog(module->pamh, priority, "user %s%s%s: %s", field(module->user).text, module->rhost ? " from " : "",
	    field(module->rhost).text, line);
}

void report(const struct module *module, int priority, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_user(module, priority, format, args);
	va_end(args);
}

void report_debug(const struct module *module, const char *format, ...)
{
	va_list args;

	if (!module->options.debug)
		return;
	va_start(args, format);
	log_user(module, LOG_DEBUG, format, args);
	va_end(args);
}

void report_refused(const struct module *module, const char *ref, const char *message, const char *format, ...)
{
	const char *logname = pam_modutil_getlogin(module->pamh);
	char own[2 * REF_BYTES + 1], line[LINE_SIZE];
	va_list args;

	if (!ref) {
		unsigned char bytes[REF_BYTES] = { 0 };

		/* Not random_bytes(), which ends the process where a sandbox forbids the call: a reference is no
		 * secret. */
		(void)!getrandom(bytes, sizeof(bytes), GRND_NONBLOCK);
		hex_encode(bytes, sizeof(bytes), own);
		ref = own;
	}
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	report(module, LOG_NOTICE, "refused, ref %s: %s", ref, line);
	/* The form of pam_unix, which fail2ban and others look for: nothing may follow the user. */
	if (module->phase == PHASE_AUTH)
		pam_syslog(module->pamh, LOG_NOTICE,
		    "authentication failure; logname=%s uid=%u euid=%u tty=%s ruser=%s rhost=%s  user=%s",
		    field(logname).text, getuid(), geteuid(), field(module->tty).text, field(module->ruser).text,
		    field(module->rhost).text, field(module->user).text);
	snprintf(line, sizeof(line), "k8sauth: refused, ref %s", ref);
	report_user(module, message ? message : line);
}

void report_user(const struct module *module, const char *text)
{
	char line[LINE_SIZE];

	if (module->flags & PAM_SILENT || module->phase == PHASE_CRED || module->phase == PHASE_CLOSE)
		return;
	snprintf(line, sizeof(line), "%s", text);
	make_plain(line);
	(void)pam_info(module->pamh, "%s", line);
}
