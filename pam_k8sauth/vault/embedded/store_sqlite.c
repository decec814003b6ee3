/* SPDX-License-Identifier: Apache-2.0 */
/* The SQLite connection of the store thread: one transaction for many commits, reads. */
#include "vault/embedded/store_sqlite.h"

#include <errno.h>
#include <stdio.h>

#include "base/log.h"

static int run(struct store_db *db, enum statement which)
{
	sqlite3_stmt *statement = db->statements[which];
	int rc = sqlite3_step(statement);

	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return store_db_errno(db->sqlite, rc);
}

static void bind_key(struct store_db *db, enum statement which, int n, const struct store_key *key)
{
	sqlite3_bind_blob(db->statements[which], n, key->bytes, STORE_KEY_SIZE, SQLITE_STATIC);
}

static void bind_blob(struct store_db *db, enum statement which, int n, const struct store_blob *blob)
{
	sqlite3_bind_blob64(db->statements[which], n, blob->data, blob->len, SQLITE_STATIC);
}

/* --- the whole file */

/* The first is told. */
static void note_damage(struct store_db *db, int r)
{
	if (r != -EBADMSG || db->damaged)
		return;
	db->damaged = db->untold = true;
	snprintf(db->what, sizeof(db->what), "%s", sqlite3_errmsg(db->sqlite));
}

const char *store_db_damage(struct store_db *db)
{
	bool untold = db->untold;

	db->untold = false;
	return untold ? db->what : NULL;
}

/* Brings all that the log has into the file. */
static int bring_log(struct store_db *db)
{
	int in_log = 0, brought = 0;
	int rc = sqlite3_wal_checkpoint_v2(db->sqlite, NULL, SQLITE_CHECKPOINT_PASSIVE, &in_log, &brought);
	int r = store_db_errno(db->sqlite, rc);

	note_damage(db, r);
	return r < 0 ? r : brought < in_log ? -EBUSY : 0;
}

void store_db_end_inspection(struct store_db *db)
{
	if (store_inspection_stop(TAKE_PTR(db->inspection)) == -EBADMSG)
		db->damaged = true;
}

/* Whether the file must stand still. The log can wait for that unless it grows faster than the file is looked at. */
static bool is_inspected(struct store_db *db, bool hurry)
{
	if (!db->inspection || (!hurry && !store_inspection_is_over(db->inspection)))
		return db->inspection;
	store_db_end_inspection(db);
	return false;
}

int store_db_inspect(struct store_db *db, store_verdict_fn *verdict, void *arg)
{
	int r;

	if (!db->unseen || is_inspected(db, false) || db->damaged)
		return 0;
	store_db_unprepare(db);
	r = store_pragma_int(db->sqlite, "PRAGMA page_count", &db->inspect_wal);
	if (db->inspect_wal < INSPECT_WAL)
		db->inspect_wal = INSPECT_WAL;
	if (r == 0)
		r = bring_log(db);
	note_damage(db, r);
	return r < 0 ? r : store_inspect(db->path, verdict, arg, &db->inspection);
}

void store_db_checkpoint(struct store_db *db, bool idle)
{
	int pages = db->wal_pages;

	if (db->prepared || pages < db->checkpoint_at || (!idle && pages < CHECKPOINT_LATE) ||
	    is_inspected(db, pages > db->inspect_wal) || db->damaged)
		return;
	/* A failure is no news: the log goes on growing, and takes all writes until its disk is full. */
	if (bring_log(db) == 0)
		pages = 0;
	db->wal_pages = 0;
	db->checkpoint_at = pages + CHECKPOINT_PAGES;
}

/* --- writing */

static void forget_folders(struct store_db *db)
{
	memset(db->is_known, 0, sizeof(db->is_known));
}

/* A folder that exists has all above it. */
static int make_folders(struct store_db *db, const struct store_node *nodes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned slot = nodes[i].key.bytes[0];
		int r;

		if (db->is_known[slot] && memcmp(&db->known[slot], &nodes[i].key, sizeof(nodes[i].key)) == 0)
			return 0;
		bind_key(db, FOLDER, 1, &nodes[i].key);
		bind_key(db, FOLDER, 2, &nodes[i].parent);
		bind_blob(db, FOLDER, 3, &nodes[i].name);
		r = run(db, FOLDER);
		if (r < 0)
			return r;
		db->known[slot] = nodes[i].key;
		db->is_known[slot] = true;
		if (sqlite3_changes(db->sqlite) == 0)
			return 0;
	}
	return 0;
}

static int put(struct store_db *db, const struct store_op *op)
{
	int r;

	bind_key(db, PUT, 1, &op->nodes[0].key);
	bind_key(db, PUT, 2, &op->nodes[0].parent);
	bind_blob(db, PUT, 3, &op->nodes[0].name);
	bind_blob(db, PUT, 4, &op->value);
	r = run(db, PUT);
	return r < 0 ? r : make_folders(db, op->nodes + 1, op->n_nodes - 1);
}

static int prune(struct store_db *db, const struct store_op *op)
{
	for (size_t i = 1; i < op->n_nodes; i++) {
		int r;

		bind_key(db, PRUNE, 1, &op->nodes[i].key);
		r = run(db, PRUNE);
		if (r < 0 || sqlite3_changes(db->sqlite) == 0)
			return r;
		forget_folders(db);
	}
	return 0;
}

static int note_removed(struct store_op *op, sqlite3_stmt *statement)
{
	if (op->n_removed == op->removed_size) {
		size_t size = op->removed_size ? 2 * op->removed_size : 16;
		struct store_key *more = reallocarray(op->removed, size, sizeof(*more));

		if (!more)
			return -ENOMEM;
		op->removed = more;
		op->removed_size = size;
	}
	if (sqlite3_column_bytes(statement, 0) != STORE_KEY_SIZE)
		return 0; /* nobody's record: no key of ours finds it */
	memcpy(&op->removed[op->n_removed++], sqlite3_column_blob(statement, 0), STORE_KEY_SIZE);
	return 0;
}

static int delete_tree(struct store_db *db, struct store_op *op)
{
	sqlite3_stmt *statement = db->statements[DELETE_TREE];
	int rc, r = 0;

	op->n_removed = 0; /* it may have been applied and undone before */
	bind_key(db, DELETE_TREE, 1, &op->nodes[0].key);
	while (r == 0 && (rc = sqlite3_step(statement)) == SQLITE_ROW)
		r = note_removed(op, statement);
	if (r == 0)
		r = store_db_errno(db->sqlite, rc);
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	forget_folders(db);
	return r;
}

static int delete (struct store_db *db, struct store_op *op)
{
	int r = op->kind == STORE_DELETE_TREE ? delete_tree(db, op) : 0;

	if (r < 0)
		return r;
	bind_key(db, DELETE, 1, &op->nodes[0].key);
	r = run(db, DELETE);
	if (r < 0 || sqlite3_changes(db->sqlite) == 0)
		return r;
	return prune(db, op);
}

static int meta_put(struct store_db *db, const struct store_op *op)
{
	sqlite3_bind_text(db->statements[META_PUT], 1, op->meta_name, -1, SQLITE_STATIC);
	bind_blob(db, META_PUT, 2, &op->value);
	return run(db, META_PUT);
}

static int apply(struct store_db *db, struct store_op *op)
{
	switch (op->kind) {
	case STORE_PUT:
		return put(db, op);
	case STORE_DELETE:
	case STORE_DELETE_TREE:
		return delete (db, op);
	case STORE_META:
		return meta_put(db, op);
	}
	return -EINVAL;
}

/* No prepared statement: SQLite obeys this pragma when it is compiled, not when it is run. */
static int set_durability(struct store_db *db, bool relaxed)
{
	int rc;

	if (relaxed == db->relaxed)
		return 0;
	rc = sqlite3_exec(
	    db->sqlite, relaxed ? "PRAGMA synchronous=NORMAL" : "PRAGMA synchronous=FULL", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		db->relaxed = relaxed;
	return store_db_errno(db->sqlite, rc);
}

static int begin(struct store_db *db, bool relaxed)
{
	int r = set_durability(db, relaxed);

	return r < 0 ? r : run(db, BEGIN);
}

static int apply_all(struct store_db *db, struct store_txn *txn)
{
	struct store_op *op;
	int r = 0;

	STAILQ_FOREACH(op, &txn->ops, link)
	if (r == 0)
		r = apply(db, op);
	return r;
}

static void roll_back(struct store_db *db)
{
	forget_folders(db);
	if (!sqlite3_get_autocommit(db->sqlite))
		run(db, ROLLBACK);
}

void store_db_prepare(struct store_db *db, struct store_txn *txn)
{
	int r;

	store_db_unprepare(db);
	r = begin(db, txn->relaxed);
	if (r == 0)
		r = apply_all(db, txn);
	/* Into the log, too: what is without the mark of a commit there counts for nothing. */
	if (r == 0)
		r = store_db_errno(db->sqlite, sqlite3_db_cacheflush(db->sqlite));
	if (r == 0)
		db->prepared = txn;
	else
		roll_back(db);
}

void store_db_unprepare(struct store_db *db)
{
	if (db->prepared)
		roll_back(db);
	db->prepared = NULL;
}

void store_db_forget(struct store_db *db, const struct store_txn *txn)
{
	if (db->prepared == txn)
		store_db_unprepare(db);
}

static int commit(struct store_db *db, struct store_txns *txns, bool relaxed)
{
	struct store_txn *txn = TAILQ_FIRST(txns);
	int r;

	if (db->prepared == txn && !TAILQ_NEXT(txn, link)) {
		db->prepared = NULL;
		return run(db, COMMIT);
	}
	store_db_unprepare(db);
	r = begin(db, relaxed);
	TAILQ_FOREACH(txn, txns, link)
	if (r == 0)
		r = apply_all(db, txn);
	return r < 0 ? r : run(db, COMMIT);
}

/* Once when it breaks and once when it heals: a full disk is no reason to fill the journal. */
static void say_health(struct store_db *db, int r)
{
	if (r < 0 && !db->broken)
		log_error("store: cannot write %s: %s (%s); requests that write are refused until it works again",
		    db->path, strerror(-r), sqlite3_errmsg(db->sqlite));
	else if (r == 0 && db->broken)
		log_notice("store: %s can be written again", db->path);
	db->broken = r < 0;
}

void store_db_commit(struct store_db *db, struct store_txns *txns)
{
	struct store_txn *txn;
	bool relaxed = true;
	int r;

	TAILQ_FOREACH(txn, txns, link)
	relaxed = relaxed && txn->relaxed;
	r = commit(db, txns, relaxed);
	note_damage(db, r);
	say_health(db, r);
	if (r < 0) {
		roll_back(db);
		is_inspected(db, true); /* the disk may be full because the log was not brought into the file */
	}
	TAILQ_FOREACH(txn, txns, link)
	txn->r = r;
}

/* --- reading */

static int take_blob(sqlite3_stmt *statement, int column, struct store_blob *ret)
{
	const void *data = sqlite3_column_blob(statement, column);
	size_t len = (size_t)sqlite3_column_bytes(statement, column);

	ret->data = malloc(len ? len : 1);
	if (!ret->data)
		return -ENOMEM;
	if (len)
		memcpy(ret->data, data, len);
	ret->len = len;
	return 0;
}

static int load_one(struct store_db *db, enum statement which, struct store_load *load)
{
	sqlite3_stmt *statement = db->statements[which];
	int rc = sqlite3_step(statement), r = store_db_errno(db->sqlite, rc);

	if (rc == SQLITE_ROW)
		r = take_blob(statement, 0, &load->value);
	else if (rc == SQLITE_DONE)
		r = -ENOENT;
	sqlite3_reset(statement);
	return r;
}

static int add_child(struct store_load *load, size_t *size, sqlite3_stmt *statement)
{
	struct store_child *child;

	if (load->n_children == STORE_LIST_MAX)
		return -EFBIG;
	if (load->n_children == *size) {
		size_t more = *size ? *size * 2 : 16;

		child = reallocarray(load->children, more, sizeof(*child));
		if (!child)
			return -ENOMEM;
		load->children = child;
		*size = more;
	}
	child = &load->children[load->n_children];
	if (sqlite3_column_bytes(statement, 0) != STORE_KEY_SIZE)
		return -EIO;
	memcpy(child->key.bytes, sqlite3_column_blob(statement, 0), STORE_KEY_SIZE);
	if (take_blob(statement, 1, &child->name) < 0)
		return -ENOMEM;
	load->n_children++;
	return 0;
}

static int load_children(struct store_db *db, struct store_load *load)
{
	sqlite3_stmt *statement = db->statements[CHILDREN];
	size_t size = 0;
	int rc, r = 0;

	bind_key(db, CHILDREN, 1, &load->key);
	while (r == 0 && (rc = sqlite3_step(statement)) == SQLITE_ROW)
		r = add_child(load, &size, statement);
	if (r == 0)
		r = store_db_errno(db->sqlite, rc);
	sqlite3_reset(statement);
	return r;
}

void store_db_load(struct store_db *db, struct store_load *load)
{
	switch (load->kind) {
	case STORE_LOAD_RECORD:
		bind_key(db, GET, 1, &load->key);
		load->r = load_one(db, GET, load);
		break;
	case STORE_LOAD_META:
		sqlite3_bind_text(db->statements[META_GET], 1, load->meta_name, -1, SQLITE_STATIC);
		load->r = load_one(db, META_GET, load);
		break;
	case STORE_LOAD_CHILDREN:
		load->r = load_children(db, load);
		break;
	}
	note_damage(db, load->r);
	if (load->r < 0 && load->r != -ENOENT)
		log_error("store: cannot read %s: %s", db->path, sqlite3_errmsg(db->sqlite));
}
