/* SPDX-License-Identifier: Apache-2.0 */
/* Marks and leases of export blocks; see blocks.h. */
#include "session/blocks.h"

#include "session/state.h"

#define MARKS (BLOCK_USED | BLOCK_LEASED)

/* Names are told apart by their hash: one that is taken for another costs a read too many or too few, no secret. */
static uint32_t block_key(const struct export_config *block)
{
	return text_hash(block->name) & ~(uint32_t)MARKS;
}

unsigned block_marks(const struct session_record *record, const struct export_config *block)
{
	for (size_t i = 0; i < SESSION_BLOCKS; i++) {
		if (record->blocks[i] && (record->blocks[i] & ~(uint32_t)MARKS) == block_key(block))
			return record->blocks[i] & MARKS;
	}
	return 0;
}

bool block_mark(struct session_record *record, const struct export_config *block, unsigned marks)
{
	for (size_t i = 0; i < SESSION_BLOCKS; i++) {
		if (record->blocks[i] && (record->blocks[i] & ~(uint32_t)MARKS) != block_key(block))
			continue;
		record->blocks[i] |= block_key(block) | marks;
		return true;
	}
	return false;
}

struct block_lease *block_lease_new(const struct export_config *block, const struct vault_response *response)
{
	struct block_lease *lease = calloc(1, sizeof(*lease));
	int64_t seconds = response->lease_duration < LEASE_MAX_SECONDS ? response->lease_duration : LEASE_MAX_SECONDS;

	if (!lease)
		return NULL;
	*lease = (struct block_lease){
		.block = block,
		.data = json_incref(response->data),
		.id = strdup(response->lease_id),
		.renewable = response->renewable,
		.duration = response->lease_duration,
		.expires_at = monotonic_ms() + seconds * 1000,
	};
	if (lease->id)
		return lease;
	block_lease_free(lease);
	return NULL;
}

void block_lease_free(struct block_lease *lease)
{
	if (!lease)
		return;
	json_decref(lease->data);
	free(lease->id);
	free(lease);
}

void block_lease_keep(struct session *session, struct block_lease *lease)
{
	for (struct block_lease **at = &session->leases; *at; at = &(*at)->next) {
		struct block_lease *old = *at;

		if (old->block != lease->block)
			continue;
		*at = old->next;
		block_lease_free(old);
		break;
	}
	lease->next = session->leases;
	session->leases = lease;
}

const struct block_lease *block_lease_find(const struct session *session, const struct export_config *block)
{
	for (const struct block_lease *lease = session->leases; lease; lease = lease->next) {
		if (lease->block == block && monotonic_ms() < lease->expires_at)
			return lease;
	}
	return NULL;
}

void block_leases_drop(struct session *session)
{
	while (session->leases) {
		struct block_lease *lease = session->leases;

		session->leases = lease->next;
		block_lease_free(lease);
	}
}
