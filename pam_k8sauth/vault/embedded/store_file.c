/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at a store's file; see store_file.h. */
#include "vault/embedded/store_file.h"

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "vault/embedded/store_sqlite.h"

/* The meta entry NAME as a text; "" where there is none, or it does not fit. */
static int read_meta(sqlite3 *sqlite, const char *name, char *ret, size_t size)
{
	sqlite3_stmt *get = NULL;
	int rc = sqlite3_prepare_v2(sqlite, "SELECT value FROM meta WHERE name=?1", -1, &get, NULL);

	*ret = '\0';
	if (rc == SQLITE_OK) {
		sqlite3_bind_text(get, 1, name, -1, SQLITE_STATIC);
		rc = sqlite3_step(get);
	}
	if (rc == SQLITE_ROW && (size_t)sqlite3_column_bytes(get, 0) < size)
		snprintf(ret, size, "%.*s", sqlite3_column_bytes(get, 0), (const char *)sqlite3_column_blob(get, 0));
	sqlite3_finalize(get);
	return store_db_errno(sqlite, rc);
}

static int look(sqlite3 *sqlite, const char *path, bool whole, struct store_file *file, char *why, size_t why_size)
{
	char what[256];
	int r = store_schema_read(sqlite, path, &file->format, why, why_size);

	if (r < 0)
		return r;
	if (file->format == 0) {
		snprintf(why, why_size, "%s is empty", path);
		return -EPROTO;
	}
	r = whole ? store_check(sqlite, "PRAGMA integrity_check(1)", what, sizeof(what)) : 0;
	if (r < 0) {
		snprintf(why, why_size, "%s is damaged: %s", path, what);
		return r;
	}
	r = read_meta(sqlite, STORE_META_BACKUP, file->mark, sizeof(file->mark));
	if (r == 0)
		r = read_meta(sqlite, STORE_META_CLUSTER, file->cluster, sizeof(file->cluster));
	file->backup = *file->mark != '\0';
	if (r < 0)
		snprintf(why, why_size, "cannot read %s: %s", path, sqlite3_errmsg(sqlite));
	return r;
}

int store_file_look(const char *path, bool whole, struct store_file *ret, char *why, size_t why_size)
{
	struct store_file file = { 0 };
	sqlite3 *sqlite = NULL;
	int rc = sqlite3_open_v2(path, &sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL), r;

	if (rc == SQLITE_OK) {
		sqlite3_db_config(sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
		sqlite3_db_config(sqlite, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
		rc = sqlite3_exec(sqlite, "PRAGMA cell_size_check=ON; PRAGMA locking_mode=EXCLUSIVE; BEGIN; "
					  "SELECT count(*) FROM sqlite_schema; COMMIT",
		    NULL, NULL, NULL);
	}
	r = store_db_errno(sqlite, rc);
	if (r == -EBUSY)
		snprintf(why, why_size, "%s is in use", path);
	else if (r == -EBADMSG)
		snprintf(why, why_size, "%s is damaged: %s", path, sqlite3_errmsg(sqlite));
	else if (r < 0)
		snprintf(why, why_size, "cannot open %s: %s", path, sqlite ? sqlite3_errmsg(sqlite) : "no memory");
	if (r == 0)
		r = look(sqlite, path, whole, &file, why, why_size);
	sqlite3_close(sqlite);
	if (r == 0)
		*ret = file;
	return r;
}
