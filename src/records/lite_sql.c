/*
 * The schema of the records in SQLite, its history, and the statements. See lite.h.
 */
#include "records/lite_priv.h"

/* ---- migrations: version n is what [0..n-1] have made; texts are never changed afterwards ---- */

/* Randomness of SQLite is good enough: the secrets keep ids of one database out of another. */
static const char version_1[] =
    "CREATE TABLE records_meta(key TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE record_dim(k INTEGER PRIMARY KEY NOT NULL, metric_type TEXT NOT NULL,"
    " name TEXT NOT NULL, service TEXT NOT NULL, unit TEXT NOT NULL, description TEXT,"
    " UNIQUE(metric_type, name, service, unit));"
    "CREATE TABLE record(n INTEGER PRIMARY KEY NOT NULL, ts INTEGER NOT NULL, k INTEGER NOT NULL,"
    " value REAL NOT NULL, meta TEXT, description TEXT, ok INTEGER, total INTEGER);"
    "CREATE INDEX record_by_kind ON record(k, ts, value);"
    "INSERT INTO records_meta VALUES"
    " ('id_a', random() & 17179869183), ('id_b', random() & 17179869183),"
    " ('id_c', random() & 17179869183);"
    "CREATE VIEW system_metrics AS SELECT"
    " printf('%08x-%04x-7%03x-%04x-%012x', ts >> 16, ts & 65535, tag >> 22,"
    "  32768 | (((n << 22) | (tag & 4194303)) >> 48),"
    "  ((n << 22) | (tag & 4194303)) & 281474976710655)"
    "  AS id,"
    " strftime('%Y-%m-%dT%H:%M:%S', ts / 1000, 'unixepoch') || printf('.%03dZ', ts % 1000)"
    "  AS timestamp,"
    " metric_type, name, value, unit, metadata, service, description, ok, total FROM ("
    "  SELECT r.n, r.ts, r.value, r.meta AS metadata, r.ok, r.total,"
    "   coalesce(r.description, d.description) AS description,"
    "   d.metric_type, d.name, d.service, d.unit,"
    "   (r.n % 65521) * (SELECT value FROM records_meta WHERE key = 'id_a')"
    "   + (r.ts % 65521) * (SELECT value FROM records_meta WHERE key = 'id_b')"
    "   + (SELECT value FROM records_meta WHERE key = 'id_c') & 17179869183 AS tag"
    "  FROM record r JOIN record_dim d ON d.k = r.k);";

static const char version_2[] =
    "CREATE TABLE event(n INTEGER PRIMARY KEY NOT NULL, ts INTEGER NOT NULL, app TEXT NOT NULL,"
    " type TEXT NOT NULL, user TEXT NOT NULL, outcome INTEGER NOT NULL, duration REAL,"
    " quantity REAL NOT NULL, credits REAL NOT NULL, items BLOB, class TEXT, message TEXT,"
    " error_type TEXT, meta TEXT);"
    "CREATE INDEX event_by_app ON event(app, ts);"
    "CREATE TABLE error_group(id INTEGER PRIMARY KEY NOT NULL, app TEXT NOT NULL,"
    " operation TEXT NOT NULL, class TEXT NOT NULL, message TEXT NOT NULL, count INTEGER NOT NULL,"
    " first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, sample TEXT NOT NULL,"
    " sample_type TEXT NOT NULL, reopened INTEGER NOT NULL, resolved_ms INTEGER,"
    " UNIQUE(app, operation, class, message));"
    "CREATE TABLE error_user(id INTEGER NOT NULL, user TEXT NOT NULL, count INTEGER NOT NULL,"
    " PRIMARY KEY(id, user)) WITHOUT ROWID;"
    "CREATE TABLE usage_hour(app TEXT NOT NULL, hour INTEGER NOT NULL, summary BLOB NOT NULL,"
    " PRIMARY KEY(app, hour));"
    "CREATE TABLE usage_dirty(app TEXT NOT NULL, hour INTEGER NOT NULL,"
    " PRIMARY KEY(app, hour)) WITHOUT ROWID;";

static const char *const migrations[] = {version_1, version_2};

const char *const sn_lite_sql_text[SN_LITE_COUNT] = {
    [SN_LITE_BEGIN] = "BEGIN",
    [SN_LITE_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [SN_LITE_COMMIT] = "COMMIT",
    [SN_LITE_GET_META] = "SELECT value FROM records_meta WHERE key = ?",
    [SN_LITE_PUT_META] = "INSERT OR REPLACE INTO records_meta VALUES(?, ?)",
    [SN_LITE_LOAD_DIMENSIONS] =
        "SELECT k, metric_type, name, service, unit, description FROM record_dim",
    [SN_LITE_ADD_DIMENSION] = "INSERT INTO record_dim VALUES(?, ?, ?, ?, ?, ?)",
    [SN_LITE_FIND_DIMENSIONS] =
        "SELECT k, metric_type FROM record_dim WHERE (?1 IS NULL OR metric_type = ?1)"
        " AND (?2 IS NULL OR name = ?2) AND (?3 IS NULL OR service = ?3)",
    [SN_LITE_LAST_ROW] = "SELECT max(n) FROM record",
    [SN_LITE_ADD_RECORD] = "INSERT INTO record VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
    [SN_LITE_NEWEST] = "SELECT n, ts FROM record INDEXED BY record_by_kind"
                       " WHERE k = ?1 AND ts >= ?2 AND ts <= ?3 AND (ts < ?3 OR n < ?4)"
                       " ORDER BY ts DESC, n DESC LIMIT ?5",
    [SN_LITE_GET_RECORD] =
        "SELECT r.n, r.ts, r.value, r.meta, coalesce(r.description, d.description), r.ok, r.total,"
        " d.metric_type, d.name, d.service, d.unit"
        " FROM record r JOIN record_dim d ON d.k = r.k WHERE r.n = ?",
    [SN_LITE_SCAN_VALUES] = "SELECT ts, value FROM record INDEXED BY record_by_kind"
                            " WHERE k = ?1 AND ts >= ?2 AND ts <= ?3",
    [SN_LITE_SCAN_COUNTS] = "SELECT ts, value, ok, total FROM record INDEXED BY record_by_kind"
                            " WHERE k = ?1 AND ts >= ?2 AND ts <= ?3",
    [SN_LITE_PURGE] =
        "DELETE FROM record WHERE n IN (SELECT n FROM record INDEXED BY record_by_kind"
        " WHERE k = ?1 AND ts < ?2 LIMIT ?3)",
    [SN_LITE_ADD_EVENT] = "INSERT INTO event VALUES(NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [SN_LITE_ADD_DIRTY] = "INSERT OR IGNORE INTO usage_dirty VALUES(?, ?)",
    [SN_LITE_ADD_ERROR] =
        "INSERT INTO error_group VALUES(NULL, ?1, ?2, ?3, ?4, 1, ?5, ?5, ?6, ?7, 0, NULL)"
        " ON CONFLICT(app, operation, class, message) DO UPDATE SET count = count + 1,"
        " first_ms = min(first_ms, ?5), last_ms = max(last_ms, ?5),"
        " sample = CASE WHEN ?5 >= last_ms THEN ?6 ELSE sample END,"
        " sample_type = CASE WHEN ?5 >= last_ms THEN ?7 ELSE sample_type END,"
        " reopened = reopened + (resolved_ms IS NOT NULL AND ?5 > resolved_ms),"
        " resolved_ms = CASE WHEN ?5 > resolved_ms THEN NULL ELSE resolved_ms END"
        " RETURNING id, count",
    [SN_LITE_ADD_ERROR_USER] = "INSERT INTO error_user VALUES(?1, ?2, 1)"
                               " ON CONFLICT(id, user) DO UPDATE SET count = count + 1",
    [SN_LITE_COUNT_ERRORS] = "SELECT count(*) FROM error_group",
    [SN_LITE_SCAN_EVENTS] =
        "SELECT ts, type, user, outcome, duration, quantity, credits, items, class, message,"
        " error_type FROM event WHERE app = ?1 AND ts >= ?2 AND ts < ?3",
    [SN_LITE_SCAN_USAGE] =
        "SELECT d.app, d.hour, NULL FROM usage_dirty d"
        " WHERE (?1 IS NULL OR d.app = ?1) AND d.hour >= ?2 AND d.hour < ?3"
        " UNION ALL SELECT u.app, u.hour, u.summary FROM usage_hour u"
        " WHERE ?1 IS NOT NULL AND u.app = ?1 AND u.hour >= ?2 AND u.hour < ?3 AND NOT EXISTS"
        " (SELECT 1 FROM usage_dirty d WHERE d.app = u.app AND d.hour = u.hour)",
    [SN_LITE_LIST_ERRORS] =
        "SELECT g.id, g.app, g.operation, g.class, g.message, g.sample, g.sample_type, g.count,"
        " (SELECT count(*) FROM error_user u WHERE u.id = g.id), g.reopened, g.first_ms,"
        " g.last_ms, g.resolved_ms FROM error_group g WHERE (?1 IS NULL OR g.app = ?1)"
        " AND (?2 IS NULL OR g.class = ?2) AND (?3 = 0 OR (g.resolved_ms IS NULL) = (?3 = 1))"
        " AND (?4 = 0 OR g.id = ?4) ORDER BY g.last_ms DESC, g.id DESC LIMIT ?5",
    [SN_LITE_RESOLVE_ERROR] =
        "UPDATE error_group SET resolved_ms = coalesce(resolved_ms, ?2) WHERE id = ?1",
    [SN_LITE_REOPEN_ERROR] = "UPDATE error_group SET reopened = reopened + (resolved_ms IS NOT"
                             " NULL), resolved_ms = NULL WHERE id = ?1",
    [SN_LITE_COUNT_EVENTS] = "SELECT count(*) FROM event WHERE app = ? AND ts >= ? AND ts < ?",
    [SN_LITE_PUT_USAGE] = "INSERT OR REPLACE INTO usage_hour VALUES(?, ?, ?)",
    [SN_LITE_DROP_DIRTY] = "DELETE FROM usage_dirty WHERE app = ? AND hour = ?",
    [SN_LITE_PURGE_EVENTS] =
        "DELETE FROM event WHERE n IN (SELECT e.n FROM event e WHERE e.ts < ?1 LIMIT ?2)",
    [SN_LITE_PURGE_ERRORS] = "DELETE FROM error_group WHERE last_ms < ?",
    [SN_LITE_PURGE_ERROR_USERS] = "DELETE FROM error_user WHERE id NOT IN"
                                  " (SELECT id FROM error_group)",
    [SN_LITE_PURGE_USAGE] = "DELETE FROM usage_dirty WHERE hour < ?",
};

sn_status sn_lite_migrate(sqlite3 *db, struct sn_err *err) {
    return sn_sqlite_migrate(db, "records", migrations, sizeof migrations / sizeof migrations[0],
                             err);
}
