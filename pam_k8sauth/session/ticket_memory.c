/* SPDX-License-Identifier: Apache-2.0 */
/* Which tickets were presented within the last minute; see struct ticket_memory. No ticket is kept, only its HMAC. */
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/text.h"
#include "session/state.h"

#define REPEAT_MS 60000

static bool ticket_mac(const struct ticket_memory *memory, const struct secret *ticket, const struct caller *caller,
    unsigned char ret[static TICKET_MAC_SIZE])
{
	AUTO_BUF struct buf text = { 0 };
	unsigned len = TICKET_MAC_SIZE;

	/* With their NULs, so that ("a", "bc") is not ("ab", "c"); a ticket has none. */
	if (buf_add(&text, caller->user, strlen(caller->user) + 1) < 0 ||
	    buf_add(&text, caller->rhost, strlen(caller->rhost) + 1) < 0 ||
	    buf_add(&text, secret_reveal(ticket), secret_len(ticket)) < 0)
		return false;
	return HMAC(EVP_sha256(), memory->key, sizeof(memory->key), (const unsigned char *)text.data, text.len, ret,
		   &len) != NULL;
}

const char *ticket_remember(
    struct sessions *all, const struct secret *ticket, const struct caller *caller, const char *session)
{
	struct ticket_memory *memory = &all->tickets;
	struct ticket_entry entry = { .until = monotonic_ms() + REPEAT_MS };

	if (!ticket_mac(memory, ticket, caller, entry.mac))
		return NULL;
	for (size_t i = 0; i < TICKETS_REMEMBERED; i++) {
		const struct ticket_entry *known = &memory->entries[i];

		if (known->until > entry.until - REPEAT_MS &&
		    equal_constant_time(known->mac, entry.mac, sizeof(entry.mac)))
			return known->ref;
	}
	memcpy(entry.ref, caller->ref, sizeof(entry.ref));
	memcpy(entry.session, session, sizeof(entry.session));
	memory->entries[memory->next] = entry;
	memory->next = (memory->next + 1) % TICKETS_REMEMBERED;
	return "";
}

void ticket_forget(struct sessions *all, const char *session)
{
	for (size_t i = 0; i < TICKETS_REMEMBERED; i++) {
		struct ticket_entry *entry = &all->tickets.entries[i];

		if (entry->until && streq(entry->session, session))
			*entry = (struct ticket_entry){ 0 };
	}
}
