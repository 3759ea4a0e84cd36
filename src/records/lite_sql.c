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

static const char *const migrations[] = {version_1};

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
};

sn_status sn_lite_migrate(sqlite3 *db, struct sn_err *err) {
    return sn_sqlite_migrate(db, "records", migrations, sizeof migrations / sizeof migrations[0],
                             err);
}
