/* SPDX-License-Identifier: Apache-2.0 */
/* The SQLite connection of the store thread: schema, one transaction for many commits, reads. */
#include "vault/embedded/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/log.h"

#define APPLICATION_ID 0x6b387361 /* "k8sa" */
#define SCHEMA_VERSION 1
#define KNOWN_FOLDERS  256

/* Keys look random: WITHOUT ROWID saves a second tree. A folder has no value, and lives as long as it is not empty. */
static const char schema[] = "CREATE TABLE meta(name TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;"
			     "CREATE TABLE record(key BLOB PRIMARY KEY NOT NULL, parent BLOB NOT NULL,"
			     " name BLOB NOT NULL, value BLOB) WITHOUT ROWID;"
			     "CREATE INDEX record_parent ON record(parent);";

enum statement { BEGIN, COMMIT, ROLLBACK, GET, PUT, FOLDER, DELETE, PRUNE, DELETE_TREE, CHILDREN, META_GET, META_PUT };

#define N_STATEMENTS (META_PUT + 1)

static const char *const statement_text[N_STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[GET] = "SELECT value FROM record WHERE key=?1 AND value IS NOT NULL",
	[PUT] = "INSERT INTO record(key,parent,name,value) VALUES(?1,?2,?3,?4)"
		" ON CONFLICT(key) DO UPDATE SET value=excluded.value",
	[FOLDER] = "INSERT INTO record(key,parent,name,value) VALUES(?1,?2,?3,NULL) ON CONFLICT(key) DO NOTHING",
	[DELETE] = "DELETE FROM record WHERE key=?1",
	[PRUNE] = "DELETE FROM record WHERE key=?1 AND value IS NULL"
		  " AND NOT EXISTS(SELECT 1 FROM record WHERE parent=?1)",
	[DELETE_TREE] = "WITH RECURSIVE folder(key) AS (VALUES(?1) UNION ALL"
			" SELECT r.key FROM record r JOIN folder f ON r.parent=f.key WHERE r.value IS NULL)"
			" DELETE FROM record WHERE parent IN (SELECT key FROM folder)",
	[CHILDREN] = "SELECT key,name FROM record WHERE parent=?1",
	[META_GET] = "SELECT value FROM meta WHERE name=?1",
	[META_PUT] = "INSERT INTO meta(name,value) VALUES(?1,?2)"
		     " ON CONFLICT(name) DO UPDATE SET value=excluded.value",
};

struct store_db {
	sqlite3 *sqlite;
	sqlite3_stmt *statements[N_STATEMENTS];
	char *path;
	bool relaxed; /* as the connection is set now */
	bool broken;  /* the last write failed: said once, until one succeeds */
	/* Folders that exist for sure: most writes go below the same few. */
	struct store_key known[KNOWN_FOLDERS];
	bool is_known[KNOWN_FOLDERS];
};

/* What SQLite's last failure is in errno's words. */
static int errno_of(sqlite3 *sqlite, int rc)
{
	int system = sqlite3_system_errno(sqlite);

	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
		return -EBUSY;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CANTOPEN:
		return system ? -system : -EIO;
	case SQLITE_NOTADB:
		return -EPROTO;
	case SQLITE_IOERR:
		return system == ENOSPC || system == EROFS || system == EDQUOT || system == EFBIG ? -system : -EIO;
	default:
		return -EIO;
	}
}

static int run(struct store_db *db, enum statement which)
{
	sqlite3_stmt *statement = db->statements[which];
	int rc = sqlite3_step(statement);

	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return errno_of(db->sqlite, rc);
}

static void bind_key(struct store_db *db, enum statement which, int n, const struct store_key *key)
{
	sqlite3_bind_blob(db->statements[which], n, key->bytes, STORE_KEY_SIZE, SQLITE_STATIC);
}

static void bind_blob(struct store_db *db, enum statement which, int n, const struct store_blob *blob)
{
	sqlite3_bind_blob64(db->statements[which], n, blob->data, blob->len, SQLITE_STATIC);
}

/* --- opening */

static int pragma_int(sqlite3 *sqlite, const char *text, int *ret)
{
	sqlite3_stmt *statement;
	int rc = sqlite3_prepare_v2(sqlite, text, -1, &statement, NULL);

	if (rc != SQLITE_OK)
		return errno_of(sqlite, rc);
	rc = sqlite3_step(statement);
	if (rc == SQLITE_ROW)
		*ret = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return errno_of(sqlite, rc);
}

/* EXCLUSIVE: one daemon, no shared memory file. WAL: a commit is one write and one flush. */
static int set_up_connection(struct store_db *db)
{
	int rc;

	sqlite3_extended_result_codes(db->sqlite, 1);
	sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	rc = sqlite3_exec(db->sqlite,
	    "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA "
	    "cell_size_check=ON;"
	    "PRAGMA cache_size=-8192; PRAGMA temp_store=MEMORY; PRAGMA journal_size_limit=16777216;"
	    "BEGIN IMMEDIATE; COMMIT;",
	    NULL, NULL, NULL);
	return errno_of(db->sqlite, rc);
}

static int create_schema(struct store_db *db)
{
	char text[sizeof(schema) + 128];

	snprintf(text, sizeof(text), "BEGIN; %s PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT;", schema,
	    APPLICATION_ID, SCHEMA_VERSION);
	return errno_of(db->sqlite, sqlite3_exec(db->sqlite, text, NULL, NULL, NULL));
}

static int check_schema(struct store_db *db, char *why, size_t why_size)
{
	int id = 0, version = 0, tables = 0, r;

	r = pragma_int(db->sqlite, "PRAGMA application_id", &id);
	if (r == 0)
		r = pragma_int(db->sqlite, "PRAGMA user_version", &version);
	if (r == 0)
		r = pragma_int(db->sqlite, "SELECT count(*) FROM sqlite_schema", &tables);
	if (r == 0 && id == 0 && version == 0 && tables == 0)
		r = create_schema(db);
	else if (r == 0 && id != APPLICATION_ID) {
		snprintf(why, why_size, "%s is an SQLite file of another program", db->path);
		return -EPROTO;
	} else if (r == 0 && version != SCHEMA_VERSION) {
		snprintf(why, why_size, "%s has format %d, this k8sauthd knows only %d: use the version that wrote it",
		    db->path, version, SCHEMA_VERSION);
		return -EPROTO;
	}
	if (r < 0)
		snprintf(why, why_size, "cannot read or create %s: %s", db->path, sqlite3_errmsg(db->sqlite));
	return r;
}

static int prepare_statements(struct store_db *db, char *why, size_t why_size)
{
	for (int i = 0; i < N_STATEMENTS; i++) {
		int rc = sqlite3_prepare_v3(
		    db->sqlite, statement_text[i], -1, SQLITE_PREPARE_PERSISTENT, &db->statements[i], NULL);

		if (rc != SQLITE_OK) {
			snprintf(why, why_size, "%s does not have the expected tables: %s", db->path,
			    sqlite3_errmsg(db->sqlite));
			return errno_of(db->sqlite, rc);
		}
	}
	return 0;
}

/* SQLite would make the file with the umask's mode, and says little where it cannot. */
static int make_file(const char *path, char *why, size_t why_size)
{
	int fd AUTO_CLOSE = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0) {
		r = -errno;
		snprintf(why, why_size, "cannot open %s for writing: %s", path, strerror(-r));
		return r;
	}
	if (!S_ISREG(st.st_mode)) {
		snprintf(why, why_size, "%s is not a regular file", path);
		return -EPROTO;
	}
	return 0;
}

static int open_connection(struct store_db *db, char *why, size_t why_size)
{
	int rc, r;

	rc = sqlite3_open_v2(
	    db->path, &db->sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	r = errno_of(db->sqlite, rc);
	if (r == 0)
		r = set_up_connection(db);
	if (r == -EBUSY)
		snprintf(why, why_size, "%s is in use by another k8sauthd: stop that one first", db->path);
	else if (r < 0)
		snprintf(why, why_size, "cannot open %s: %s", db->path,
		    db->sqlite ? sqlite3_errmsg(db->sqlite) : "no memory");
	if (r < 0)
		return r;
	r = check_schema(db, why, why_size);
	return r < 0 ? r : prepare_statements(db, why, why_size);
}

int store_db_open(const char *path, struct store_db **ret, char *why, size_t why_size)
{
	struct store_db *db;
	int r = path ? make_file(path, why, why_size) : 0;

	if (r < 0)
		return r;
	db = calloc(1, sizeof(*db));
	if (!db)
		return -ENOMEM;
	db->path = strdup(path ? path : ":memory:");
	r = db->path ? open_connection(db, why, why_size) : -ENOMEM;
	if (r < 0) {
		store_db_close(db);
		return r;
	}
	*ret = db;
	return 0;
}

void store_db_close(struct store_db *db)
{
	for (int i = 0; i < N_STATEMENTS; i++)
		sqlite3_finalize(db->statements[i]);
	sqlite3_close(db->sqlite);
	free(db->path);
	free(db);
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

static int delete (struct store_db *db, const struct store_op *op)
{
	int r;

	if (op->kind == STORE_DELETE_TREE) {
		bind_key(db, DELETE_TREE, 1, &op->nodes[0].key);
		r = run(db, DELETE_TREE);
		if (r < 0)
			return r;
		forget_folders(db);
	}
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

static int apply(struct store_db *db, const struct store_op *op)
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
	return errno_of(db->sqlite, rc);
}

static int commit(struct store_db *db, struct store_txns *txns, bool relaxed)
{
	const struct store_txn *txn;
	int r = set_durability(db, relaxed);

	if (r < 0)
		return r;
	r = run(db, BEGIN);
	TAILQ_FOREACH(txn, txns, link)
	{
		const struct store_op *op;

		STAILQ_FOREACH(op, &txn->ops, link)
		if (r == 0)
			r = apply(db, op);
	}
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
	say_health(db, r);
	if (r < 0) {
		forget_folders(db);
		if (!sqlite3_get_autocommit(db->sqlite))
			run(db, ROLLBACK);
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
	int rc = sqlite3_step(statement), r = errno_of(db->sqlite, rc);

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
		r = errno_of(db->sqlite, rc);
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
	if (load->r < 0 && load->r != -ENOENT)
		log_error("store: cannot read %s: %s", db->path, sqlite3_errmsg(db->sqlite));
}
