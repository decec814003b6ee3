/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the doctor reads of others: the first byte says which reader, the rest is its text. Files that the text includes
 * are not there.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/nsswitch.h"
#include "cli/pam_stack.h"
#include "cli/sudoers.h"

#define NOWHERE "/nowhere"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_sudoers(const char *text, size_t len)
{
	struct sudoers sudoers;

	sudoers_parse(NOWHERE, "/etc/sudoers", text, len, &sudoers);
	for (size_t i = 0; i < sudoers.n_defaults; i++) {
		if (!sudoers.defaults[i].name[0])
			abort();
		sudoers_covers(&sudoers, sudoers.defaults[i].list);
	}
	for (size_t i = 0; i < sudoers.n_rules; i++)
		sudoers_covers(&sudoers, sudoers.rules[i].users);
	sudoers_free(&sudoers);
}

static void read_stack(const char *text, size_t len)
{
	struct pam_stack stack;

	pam_stack_parse(NOWHERE, "sshd", text, len, &stack);
	for (unsigned phase = 0; phase < PAM_PHASES; phase++) {
		const struct pam_chain *chain = &stack.phases[phase];

		for (size_t i = 1; i < chain->n; i++) {
			pam_skips(chain, 0, i, "success");
			/* Who refuses ends nothing by success. */
			if (strcmp(chain->lines[i - 1].control, "required") == 0 &&
			    pam_skips(chain, i - 1, i, "success"))
				abort();
			pam_option(&chain->lines[i], "require=");
		}
	}
	pam_stack_free(&stack);
}

static void read_nsswitch(const char *text, size_t len)
{
	unsigned line;

	if ((nsswitch_find(text, len, "passwd", "k8sauth", &line) == NSSWITCH_NO_LINE) != (line == 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;

	if (size == 0)
		return 0;
	if (*data == 's')
		read_sudoers(text, size - 1);
	else if (*data == 'p')
		read_stack(text, size - 1);
	else
		read_nsswitch(text, size - 1);
	return 0;
}
