/* SPDX-License-Identifier: Apache-2.0 */
/* Builds an index file in memory: collects records, then sorts them and lays the sections out. */
#include "accounts/index.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>

#include <k8sauth/limits.h>

#include "accounts/index_hash.h"

struct numbers {
	uint32_t *at;
	size_t n, size;
};

/* The fields of a user that hold text, and the name of a group. */
enum text {
	TEXT_NAME,
	TEXT_GECOS,
	TEXT_HOME,
	TEXT_SHELL,
	TEXT_IDENTITY,
	TEXT_SERVICE_ACCOUNT_UID,
	N_TEXTS,
};

struct index_writer {
	uint64_t generation;
	uint32_t from, to;
	struct idmap_user *users; /* in host order until they are placed; so are the groups */
	struct idmap_group *groups;
	size_t n_users, users_size, n_groups, groups_size;
	struct numbers memberships; /* little-endian */
	struct buf strings;
	uint32_t last[N_TEXTS]; /* where each field's last text is */
};

/* Makes room for MORE records of RECORD bytes behind the N that are there. */
static int grow(void *array, size_t *size, size_t n, size_t more, size_t record)
{
	void *old = *(void **)array, *new;
	size_t wanted = *size ? *size : 64;

	while (wanted < n + more)
		wanted *= 2;
	if (wanted == *size)
		return 0;
	new = reallocarray(old, wanted, record);
	if (!new)
		return -ENOMEM;
	*(void **)array = new;
	*size = wanted;
	return 0;
}

struct index_writer *index_writer_new(uint64_t generation)
{
	struct index_writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return NULL;
	writer->generation = generation;
	writer->from = ACCOUNT_ID_BASE;
	writer->to = ACCOUNT_ID_LIMIT - 1;
	writer->strings.max = IDMAP_SIZE_MAX;
	if (buf_add_char(&writer->strings, '\0') < 0) {
		free(writer);
		return NULL;
	}
	return writer;
}

void index_writer_range(struct index_writer *writer, uint32_t from, uint32_t to)
{
	writer->from = from;
	writer->to = to;
}

void index_writer_free(struct index_writer *writer)
{
	if (!writer)
		return;
	free(writer->users);
	free(writer->groups);
	free(writer->memberships.at);
	buf_free(&writer->strings);
	free(writer);
}

/* Adds TEXT to the strings, unless it is what the field had last: shells mostly, and the name of a private group. */
static int add_string(struct index_writer *writer, enum text field, const char *text, uint32_t *ret)
{
	uint32_t *last = &writer->last[field];
	int r;

	if (*text == '\0') {
		*ret = 0;
		return 0;
	}
	if (!streq(writer->strings.data + *last, text)) {
		*last = (uint32_t)writer->strings.len;
		r = buf_add(&writer->strings, text, strlen(text) + 1);
		if (r < 0)
			return r == -EMSGSIZE ? -E2BIG : r;
	}
	*ret = *last;
	return 0;
}

static int add_strings(struct index_writer *writer, const struct index_user *user, struct idmap_user *ret)
{
	const struct {
		const char *text;
		uint32_t *offset;
	} fields[N_TEXTS] = {
		[TEXT_NAME] = { user->name, &ret->name },
		[TEXT_GECOS] = { user->gecos, &ret->gecos },
		[TEXT_HOME] = { user->home, &ret->home },
		[TEXT_SHELL] = { user->shell, &ret->shell },
		[TEXT_IDENTITY] = { user->identity, &ret->identity },
		[TEXT_SERVICE_ACCOUNT_UID] = { user->service_account_uid, &ret->service_account_uid },
	};
	int r = 0;

	for (int i = 0; i < N_TEXTS && r == 0; i++)
		r = add_string(writer, i, fields[i].text, fields[i].offset);
	return r;
}

int index_writer_user(struct index_writer *writer, const struct index_user *user)
{
	struct idmap_user u = { .uid = user->uid, .gid = user->gid, .n_groups = user->n_groups };
	struct numbers *memberships = &writer->memberships;
	int r;

	if (writer->n_users >= IDMAP_COUNT_MAX || user->n_groups > IDMAP_GROUPS_MAX)
		return -E2BIG;
	r = grow(&writer->users, &writer->users_size, writer->n_users, 1, sizeof(u));
	if (r == 0)
		r = grow(&memberships->at, &memberships->size, memberships->n, user->n_groups, sizeof(uint32_t));
	if (r == 0)
		r = add_strings(writer, user, &u);
	if (r < 0)
		return r;
	u.groups = (uint32_t)memberships->n;
	if (user->n_groups > 0)
		memcpy(memberships->at + memberships->n, user->groups, user->n_groups * sizeof(uint32_t));
	memberships->n += user->n_groups;
	writer->users[writer->n_users++] = u;
	return 0;
}

int index_writer_group(struct index_writer *writer, const char *name, uint32_t gid)
{
	struct idmap_group g = { .gid = gid };
	int r;

	if (writer->n_groups >= IDMAP_COUNT_MAX)
		return -E2BIG;
	r = grow(&writer->groups, &writer->groups_size, writer->n_groups, 1, sizeof(g));
	if (r == 0)
		r = add_string(writer, TEXT_NAME, name, &g.name);
	if (r == 0)
		writer->groups[writer->n_groups++] = g;
	return r;
}

/* --- laying out ----------------------------------------------------------------------------------------------- */

struct image {
	unsigned char *data;
	size_t size;
	uint32_t count[IDMAP_N_SECTIONS];
	uint64_t offset[IDMAP_N_SECTIONS];
};

static uint32_t buckets_for(size_t n)
{
	uint32_t buckets = 2;

	while (buckets / 2 < n)
		buckets *= 2;
	return buckets;
}

static int place(const struct index_writer *writer, struct image *image)
{
	uint64_t at = sizeof(struct idmap_header);

	image->count[IDMAP_USERS] = (uint32_t)writer->n_users;
	image->count[IDMAP_GROUPS] = (uint32_t)writer->n_groups;
	image->count[IDMAP_USER_BY_NAME] = image->count[IDMAP_USER_BY_ID] = buckets_for(writer->n_users);
	image->count[IDMAP_GROUP_BY_NAME] = image->count[IDMAP_GROUP_BY_ID] = buckets_for(writer->n_groups);
	image->count[IDMAP_MEMBERSHIPS] = image->count[IDMAP_MEMBERS] = (uint32_t)writer->memberships.n;
	image->count[IDMAP_STRINGS] = (uint32_t)writer->strings.len;
	for (int i = 0; i < IDMAP_N_SECTIONS; i++) {
		image->offset[i] = index_align(at);
		at = image->offset[i] + image->count[i] * index_record_size(i);
	}
	if (at > IDMAP_SIZE_MAX)
		return -E2BIG;
	image->size = (size_t)at;
	image->data = calloc(1, image->size + 1);
	return image->data ? 0 : -ENOMEM;
}

static void *part(const struct image *image, enum idmap_section_id id)
{
	return image->data + image->offset[id];
}

/* Users and groups start with the offset of their name. */
static int compare_records(const void *a, const void *b, void *strings)
{
	const uint32_t *x = a, *y = b;

	return strcmp((const char *)strings + *x, (const char *)strings + *y);
}

/* By name. Mostly it is sorted but for a few records at the end, so those are sorted and merged in. */
static int sort_records(const struct index_writer *writer, void *records, size_t n, size_t size)
{
	AUTO_FREE char *tail = NULL;
	char *all = records, *strings = writer->strings.data;
	size_t sorted = 1, left, right;

	while (sorted < n && compare_records(all + (sorted - 1) * size, all + sorted * size, strings) < 0)
		sorted++;
	if (sorted >= n)
		return 0;
	qsort_r(all + sorted * size, n - sorted, size, compare_records, strings);
	tail = malloc((n - sorted) * size);
	if (!tail)
		return -ENOMEM;
	memcpy(tail, all + sorted * size, (n - sorted) * size);
	left = sorted;
	right = n - sorted;
	while (right > 0) { /* from the end, so that nothing is overwritten before it has moved */
		const char *a = left > 0 ? all + (left - 1) * size : NULL, *b = tail + (right - 1) * size;
		bool take_left = a && compare_records(a, b, strings) > 0;

		memcpy(all + (left + right - 1) * size, take_left ? a : b, size);
		if (take_left)
			left--;
		else
			right--;
	}
	return 0;
}

static void to_little_endian(void *records, size_t bytes)
{
	uint32_t *numbers = records;

	for (size_t i = 0; i < bytes / sizeof(uint32_t); i++)
		numbers[i] = htole32(numbers[i]);
}

/* Groups are copied when their members are counted. */
static int place_records(struct index_writer *writer, const struct image *image)
{
	size_t users_len = writer->n_users * sizeof(struct idmap_user);
	int r = sort_records(writer, writer->users, writer->n_users, sizeof(struct idmap_user));

	if (r == 0)
		r = sort_records(writer, writer->groups, writer->n_groups, sizeof(struct idmap_group));
	if (r < 0)
		return r;
	if (users_len > 0)
		memcpy(part(image, IDMAP_USERS), writer->users, users_len);
	to_little_endian(part(image, IDMAP_USERS), users_len);
	if (writer->memberships.n > 0)
		memcpy(
		    part(image, IDMAP_MEMBERSHIPS), writer->memberships.at, writer->memberships.n * sizeof(uint32_t));
	memcpy(part(image, IDMAP_STRINGS), writer->strings.data, writer->strings.len);
	return 0;
}

/* One record and what may stand once only: its number, name, id, and the strings for saying who clashes. */
struct key {
	const struct index_writer *writer;
	const char *what; /* "user" or "group" */
	const void *records;
	size_t record_size, id_offset;
	uint32_t number;
};

static uint32_t field(const struct key *key, uint32_t number, size_t offset)
{
	uint32_t value;

	memcpy(&value, (const char *)key->records + number * key->record_size + offset, sizeof(value));
	return value;
}

static bool same(const struct key *key, uint32_t other, size_t offset)
{
	uint32_t a = field(key, other, offset), b = field(key, key->number, offset);
	const char *strings = key->writer->strings.data;

	return a == b || (offset == 0 && streq(strings + a, strings + b));
}

/* Puts a record into a table, where none with the same name (at offset 0) or id may be. */
static int enter(const struct key *key, const struct image *image, enum idmap_section_id table, uint32_t hash,
    size_t offset, char *why, size_t why_size)
{
	uint32_t *buckets = part(image, table), mask = image->count[table] - 1, i = hash & mask;
	const char *strings = key->writer->strings.data;

	for (; buckets[i]; i = (i + 1) & mask) {
		uint32_t other = le32toh(buckets[i]) - 1;

		if (!same(key, other, offset))
			continue;
		snprintf(why, why_size, "%ss %s and %s have the same %s", key->what, strings + field(key, other, 0),
		    strings + field(key, key->number, 0), offset == 0 ? "name" : "id");
		return -EEXIST;
	}
	buckets[i] = htole32(key->number + 1);
	return 0;
}

static int enter_both(const struct key *key, const struct image *image, enum idmap_section_id by_name,
    enum idmap_section_id by_id, char *why, size_t why_size)
{
	uint32_t name = field(key, key->number, 0), id = field(key, key->number, key->id_offset);
	int r = enter(key, image, by_name, index_hash_name(key->writer->strings.data + name), 0, why, why_size);

	return r < 0 ? r : enter(key, image, by_id, index_hash_id(id), key->id_offset, why, why_size);
}

static int place_tables(const struct index_writer *writer, const struct image *image, char *why, size_t why_size)
{
	struct key user = { writer, "user", writer->users, sizeof(struct idmap_user), offsetof(struct idmap_user, uid),
		0 };
	struct key group = { writer, "group", writer->groups, sizeof(struct idmap_group),
		offsetof(struct idmap_group, gid), 0 };
	int r = 0;

	for (; user.number < writer->n_users && r == 0; user.number++)
		r = enter_both(&user, image, IDMAP_USER_BY_NAME, IDMAP_USER_BY_ID, why, why_size);
	for (; group.number < writer->n_groups && r == 0; group.number++)
		r = enter_both(&group, image, IDMAP_GROUP_BY_NAME, IDMAP_GROUP_BY_ID, why, why_size);
	return r;
}

static struct idmap_group *group_of(const struct index_writer *writer, const struct image *image, uint32_t gid)
{
	const uint32_t *buckets = part(image, IDMAP_GROUP_BY_ID);
	uint32_t mask = image->count[IDMAP_GROUP_BY_ID] - 1;

	for (uint32_t i = index_hash_id(gid) & mask; buckets[i]; i = (i + 1) & mask) {
		struct idmap_group *g = &writer->groups[le32toh(buckets[i]) - 1];

		if (g->gid == gid)
			return g;
	}
	return NULL;
}

/* The members of each group are counted by the users' lists, which may name no group that is not there. */
static int count_members(const struct index_writer *writer, const struct image *image, char *why, size_t why_size)
{
	for (size_t i = 0; i < writer->n_users; i++) {
		const struct idmap_user *u = &writer->users[i];
		uint32_t gid = u->gid;

		for (uint32_t j = 0; j <= u->n_groups; j++) {
			struct idmap_group *g = group_of(writer, image, gid);

			if (!g) {
				snprintf(why, why_size, "user %s is in gid %u, which no group has",
				    writer->strings.data + u->name, gid);
				return -ENOENT;
			}
			if (j > 0)
				g->n_members++;
			if (j < u->n_groups)
				gid = le32toh(writer->memberships.at[u->groups + j]);
		}
	}
	return 0;
}

/* Gives each group a run and fills the runs in the order of the users. */
static void place_members(const struct index_writer *writer, const struct image *image)
{
	uint32_t *members = part(image, IDMAP_MEMBERS), at = 0;
	size_t groups_len = writer->n_groups * sizeof(struct idmap_group);

	for (size_t i = 0; i < writer->n_groups; i++) {
		struct idmap_group *g = &writer->groups[i];

		g->members = at;
		at += g->n_members;
		g->n_members = 0;
	}
	for (uint32_t i = 0; i < writer->n_users; i++) {
		const struct idmap_user *u = &writer->users[i];

		for (uint32_t j = 0; j < u->n_groups; j++) {
			uint32_t gid = le32toh(writer->memberships.at[u->groups + j]);
			struct idmap_group *g = group_of(writer, image, gid);

			members[g->members + g->n_members++] = htole32(i);
		}
	}
	if (groups_len > 0)
		memcpy(part(image, IDMAP_GROUPS), writer->groups, groups_len);
	to_little_endian(part(image, IDMAP_GROUPS), groups_len);
}

static void place_header(const struct index_writer *writer, const struct image *image)
{
	struct idmap_header *h = (void *)image->data;

	h->magic = htole64(IDMAP_MAGIC);
	h->version = htole32(IDMAP_VERSION);
	h->header_size = htole32(sizeof(*h));
	h->file_size = htole64(image->size);
	h->generation = htole64(writer->generation);
	h->from = htole32(writer->from);
	h->to = htole32(writer->to);
	for (int i = 0; i < IDMAP_N_SECTIONS; i++) {
		h->sections[i].offset = htole64(image->offset[i]);
		h->sections[i].count = htole64(image->count[i]);
	}
	h->body_checksum = htole64(index_checksum(image->data + sizeof(*h), image->size - sizeof(*h)));
	h->header_checksum = htole64(index_checksum(h, offsetof(struct idmap_header, header_checksum)));
}

int index_writer_finish(struct index_writer *writer, struct buf *ret, char *why, size_t why_size)
{
	struct image image = { 0 };
	int r = place(writer, &image);

	if (r < 0)
		return r;
	r = place_records(writer, &image);
	if (r == 0)
		r = place_tables(writer, &image, why, why_size);
	if (r == 0)
		r = count_members(writer, &image, why, why_size);
	if (r < 0) {
		free(image.data);
		return r;
	}
	place_members(writer, &image);
	place_header(writer, &image);
	*ret = (struct buf){ .data = (char *)image.data, .len = image.size, .size = image.size + 1 };
	return 0;
}
