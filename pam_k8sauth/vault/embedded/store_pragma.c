/* SPDX-License-Identifier: Apache-2.0 */
/* What all users of the store's file ask of SQLite: errors in errno's words, settings, whether all is well. */
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "vault/embedded/store_sqlite.h"

int store_db_errno(sqlite3 *sqlite, int rc)
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
	case SQLITE_CORRUPT:
		return -EBADMSG;
	case SQLITE_IOERR:
		return system == ENOSPC || system == EROFS || system == EDQUOT || system == EFBIG ? -system : -EIO;
	default:
		return -EIO;
	}
}

int store_pragma_int(sqlite3 *sqlite, const char *text, int *ret)
{
	sqlite3_stmt *statement;
	int rc = sqlite3_prepare_v2(sqlite, text, -1, &statement, NULL);

	if (rc != SQLITE_OK)
		return store_db_errno(sqlite, rc);
	rc = sqlite3_step(statement);
	if (rc == SQLITE_ROW)
		*ret = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return store_db_errno(sqlite, rc);
}

int store_check(sqlite3 *sqlite, const char *pragma, char *why, size_t why_size)
{
	sqlite3_stmt *statement = NULL;
	int rc = sqlite3_prepare_v2(sqlite, pragma, -1, &statement, NULL), r;
	const char *text = "";

	if (rc == SQLITE_OK)
		rc = sqlite3_step(statement);
	if (rc == SQLITE_ROW)
		text = (const char *)sqlite3_column_text(statement, 0);
	if (rc == SQLITE_ROW && text && streq(text, "ok"))
		r = 0;
	else if (rc == SQLITE_NOMEM || rc == SQLITE_INTERRUPT || (rc == SQLITE_ROW && !text))
		r = rc == SQLITE_INTERRUPT ? -EINTR : -ENOMEM;
	else
		r = -EBADMSG;
	if (r < 0)
		snprintf(why, why_size, "%s", rc == SQLITE_ROW && text ? text : sqlite3_errmsg(sqlite));
	sqlite3_finalize(statement);
	return r;
}
