/* SPDX-License-Identifier: Apache-2.0 */
/* The session table's bytes: header, halves, checks; see table.h. */
#include "session/table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/log.h"

#define TABLE_MAGIC   0x656c626154533801ull
#define TABLE_VERSION 3
#define TABLE_SEALS   (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

struct header {
	uint64_t magic;
	uint32_t version, half, records, payload;
	char boot_id[BOOT_ID_SIZE + 3];
	uint64_t check;
};

struct half {
	uint64_t check; /* FNV-1a 64 of what follows */
	uint64_t sequence;
	struct session_record record;
	struct session_secrets secrets;
};

_Static_assert(sizeof(struct half) <= TABLE_HALF, "a record must fit its half");

struct table {
	int fd;
	uint64_t sequence;
	uint32_t n_free;
	uint16_t free_slots[TABLE_RECORDS]; /* a stack; the lowest slot on top at first */
	uint8_t current[TABLE_RECORDS];	    /* which half is valid */
	bool used[TABLE_RECORDS];	    /* whether one is */
};

static void cleanup_half(struct half *half)
{
	wipe(half, sizeof(*half));
}

static uint64_t fnv64(const void *data, size_t len)
{
	const unsigned char *bytes = data;
	uint64_t hash = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3ull;
	return hash;
}

static uint64_t half_check(const struct half *half)
{
	return fnv64(&half->sequence, sizeof(*half) - offsetof(struct half, sequence));
}

static off_t half_offset(unsigned slot, unsigned half)
{
	return (off_t)TABLE_PAGE * (slot + 1) + (off_t)TABLE_HALF * half;
}

static int read_at(int fd, void *data, size_t len, off_t offset)
{
	ssize_t n = pread(fd, data, len, offset);

	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

static int write_at(int fd, const void *data, size_t len, off_t offset)
{
	ssize_t n = pwrite(fd, data, len, offset);

	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

static bool terminated(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

/* The check says that the bytes are as written; this, that they were written by a sane program. */
static bool half_sane(const struct half *half)
{
	const struct session_record *r = &half->record;

	return r->state >= SESSION_PENDING && r->state <= SESSION_ENDED && r->kill_due <= KILL_USER &&
	       r->files_due <= FILES_REPLACE && strnlen(r->id, sizeof(r->id)) == SESSION_ID_LEN &&
	       strnlen(r->token_session, sizeof(r->token_session)) == SESSION_ID_LEN &&
	       terminated(r->user, sizeof(r->user)) && terminated(r->service, sizeof(r->service)) &&
	       terminated(r->rhost, sizeof(r->rhost)) && terminated(r->tty, sizeof(r->tty)) &&
	       terminated(r->mount, sizeof(r->mount)) && terminated(r->namespace_name, sizeof(r->namespace_name)) &&
	       terminated(r->service_account, sizeof(r->service_account)) &&
	       terminated(r->service_account_uid, sizeof(r->service_account_uid)) &&
	       terminated(r->role, sizeof(r->role)) && terminated(r->accessor, sizeof(r->accessor)) &&
	       terminated(half->secrets.handle, sizeof(half->secrets.handle)) &&
	       terminated(half->secrets.token, sizeof(half->secrets.token));
}

enum half_state {
	HALF_EMPTY,
	HALF_VALID,
	HALF_DAMAGED,
};

static enum half_state half_read(int fd, unsigned slot, unsigned which, struct half *ret)
{
	static const struct half empty;

	if (read_at(fd, ret, sizeof(*ret), half_offset(slot, which)) < 0)
		return HALF_DAMAGED;
	if (memcmp(ret, &empty, sizeof(empty)) == 0)
		return HALF_EMPTY;
	return ret->check == half_check(ret) && half_sane(ret) ? HALF_VALID : HALF_DAMAGED;
}

static int half_wipe(int fd, unsigned slot, unsigned which)
{
	static const struct half empty;

	return write_at(fd, &empty, sizeof(empty), half_offset(slot, which));
}

static int table_create(const char *boot_id, int *ret)
{
	struct header header = {
		.magic = TABLE_MAGIC,
		.version = TABLE_VERSION,
		.half = TABLE_HALF,
		.records = TABLE_RECORDS,
		.payload = sizeof(struct half),
	};
	int fd AUTO_CLOSE = memfd_create("k8sauth-sessions", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r;

	if (fd < 0)
		return -errno;
	snprintf(header.boot_id, sizeof(header.boot_id), "%s", boot_id);
	header.check = fnv64(&header, offsetof(struct header, check));
	if (ftruncate(fd, (off_t)TABLE_FD_BYTES) < 0 || fcntl(fd, F_ADD_SEALS, TABLE_SEALS) < 0)
		return -errno;
	r = write_at(fd, &header, sizeof(header), 0);
	if (r < 0)
		return r;
	*ret = TAKE_FD(fd);
	return 0;
}

static int header_check(int fd, const char *boot_id, char *why, size_t why_size)
{
	struct header header;
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || (seals & TABLE_SEALS) != TABLE_SEALS || fstat(fd, &st) < 0 ||
	    st.st_size != (off_t)TABLE_FD_BYTES) {
		snprintf(why, why_size, "session table: not a sealed table of the right size");
		return -EBADMSG;
	}
	if (read_at(fd, &header, sizeof(header), 0) < 0 || header.magic != TABLE_MAGIC ||
	    header.version != TABLE_VERSION || header.half != TABLE_HALF || header.records != TABLE_RECORDS ||
	    header.payload != sizeof(struct half) || header.check != fnv64(&header, offsetof(struct header, check))) {
		snprintf(why, why_size, "session table: its header is not this version's");
		return -EBADMSG;
	}
	if (strncmp(header.boot_id, boot_id, sizeof(header.boot_id)) != 0) {
		snprintf(why, why_size, "session table: it is of another boot of this machine");
		return -ESTALE;
	}
	return 0;
}

/* Finds the valid half of SLOT; wipes the other one and whatever is damaged. */
static void slot_load(struct table *table, unsigned slot)
{
	struct half halves[2];
	enum half_state states[2];
	bool damaged;

	for (unsigned i = 0; i < 2; i++)
		states[i] = half_read(table->fd, slot, i, &halves[i]);
	damaged = states[0] == HALF_DAMAGED || states[1] == HALF_DAMAGED;
	if (states[0] == HALF_VALID || states[1] == HALF_VALID) {
		unsigned best = states[1] != HALF_VALID ||
					(states[0] == HALF_VALID && halves[0].sequence > halves[1].sequence)
				    ? 0
				    : 1;

		table->used[slot] = true;
		table->current[slot] = (uint8_t)best;
		if (halves[best].sequence > table->sequence)
			table->sequence = halves[best].sequence;
		if (damaged)
			log_notice("session table: the last change of session %s was cut off and is undone",
			    halves[best].record.id);
		if (states[!best] != HALF_EMPTY && half_wipe(table->fd, slot, !best) < 0)
			log_warning("session table: record %u: cannot wipe its old half", slot);
	} else if (damaged) {
		log_warning("session table: record %u is damaged and dropped; its token is revoked as an orphan", slot);
		if (half_wipe(table->fd, slot, 0) < 0 || half_wipe(table->fd, slot, 1) < 0)
			log_warning("session table: record %u: cannot wipe it", slot);
	}
	wipe(halves, sizeof(halves));
}

/* Looks only where something was written: most pages of the table have never been touched. */
static void table_load(struct table *table)
{
	off_t at = TABLE_PAGE;

	while ((at = lseek(table->fd, at, SEEK_DATA)) >= 0 && at < (off_t)TABLE_FD_BYTES) {
		unsigned slot = (unsigned)(at / TABLE_PAGE) - 1;

		slot_load(table, slot);
		at = half_offset(slot + 1, 0);
	}
}

int table_open(int fd_in, const char *boot_id, struct table **ret, char *why, size_t why_size)
{
	int fd AUTO_CLOSE = fd_in;
	struct table *table;
	bool fresh = fd < 0;
	int r = fresh ? table_create(boot_id, &fd) : header_check(fd, boot_id, why, why_size);

	if (r < 0) {
		if (fresh)
			snprintf(why, why_size, "session table: cannot make it: %s", strerror(-r));
		return r;
	}
	table = calloc(1, sizeof(*table));
	if (!table) {
		snprintf(why, why_size, "session table: out of memory");
		return -ENOMEM;
	}
	table->fd = TAKE_FD(fd);
	if (!fresh)
		table_load(table);
	for (unsigned slot = TABLE_RECORDS; slot-- > 0;) {
		if (!table->used[slot])
			table->free_slots[table->n_free++] = (uint16_t)slot;
	}
	*ret = table;
	return 0;
}

void table_close(struct table *table)
{
	if (!table)
		return;
	close(table->fd);
	free(table);
}

int table_fd(const struct table *table)
{
	return table->fd;
}

int table_take(struct table *table)
{
	return table->n_free > 0 ? table->free_slots[--table->n_free] : -ENOSPC;
}

unsigned table_free_slots(const struct table *table)
{
	return table->n_free;
}

void table_release(struct table *table, unsigned slot)
{
	if (table->used[slot]) {
		if (half_wipe(table->fd, slot, 0) < 0 || half_wipe(table->fd, slot, 1) < 0)
			log_warning("session table: record %u: cannot wipe it", slot);
		/* Wiped first: a punched page keeps its bytes until the kernel uses it again. */
		(void)fallocate(
		    table->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, half_offset(slot, 0), TABLE_PAGE);
	}
	table->used[slot] = false;
	table->current[slot] = 0;
	table->free_slots[table->n_free++] = (uint16_t)slot;
}

int table_put(
    struct table *table, unsigned slot, const struct session_record *record, const struct session_secrets *secrets)
{
	struct half half CLEANUP(cleanup_half) = { 0 };
	unsigned old = table->current[slot], new = table->used[slot] ? !old : 0;
	int r;

	if (!secrets && (!table->used[slot] || half_read(table->fd, slot, old, &half) != HALF_VALID))
		return -EBADMSG;
	if (secrets)
		half.secrets = *secrets;
	half.record = *record;
	half.sequence = ++table->sequence;
	half.check = half_check(&half);
	r = write_at(table->fd, &half, sizeof(half), half_offset(slot, new));
	if (r < 0)
		return r;
	if (table->used[slot] && half_wipe(table->fd, slot, old) < 0)
		log_warning("session table: record %u: cannot wipe its old half", slot);
	table->used[slot] = true;
	table->current[slot] = (uint8_t)new;
	return 0;
}

int table_get(const struct table *table, unsigned slot, struct session_record *ret, struct session_secrets *secrets)
{
	struct half half CLEANUP(cleanup_half);

	if (!table->used[slot])
		return -ENOENT;
	if (half_read(table->fd, slot, table->current[slot], &half) != HALF_VALID)
		return -EBADMSG;
	*ret = half.record;
	if (secrets)
		*secrets = half.secrets;
	return 0;
}
