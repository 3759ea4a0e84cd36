/*
 * Loggers: a tree of names by their dots, and the levels in it. Changed under sn_log_mu; callers
 * only read the level in force, and the writer reads entries that are complete.
 */
#include "client/log_priv.h"

#include "base/mem.h"

static sonde_logger nowhere; /* log is NULL: every line is dropped and counted */

const sonde_logger *sn_logger_at(const sonde_log *log, uint32_t index) {
    /* Acquire pairs with add_locked. */
    if (index >= atomic_load_explicit(&log->logger_count, memory_order_acquire))
        return NULL;
    return atomic_load_explicit(&log->loggers[index], memory_order_relaxed);
}

static sonde_logger *entry(const sonde_log *log, uint32_t index) {
    return atomic_load_explicit(&log->loggers[index], memory_order_relaxed);
}

static uint32_t count_of(const sonde_log *log) {
    return atomic_load_explicit(&log->logger_count, memory_order_relaxed);
}

/* A parent stands before its children, so one pass is enough. */
static void spread_levels_locked(sonde_log *log) {
    for (uint32_t i = 0; i < count_of(log); i++) {
        sonde_logger *logger = entry(log, i);
        uint32_t level = (uint32_t)logger->own_level;
        if (level == SONDE_LEVEL_DEFAULT)
            level = logger->parent != NULL ? logger->parent->head.level : SONDE_LEVEL_INFO;
        __atomic_store_n(&logger->head.level, level, __ATOMIC_RELAXED);
    }
}

static sonde_logger *add_locked(sonde_log *log, sonde_logger *parent, struct sn_str name) {
    uint32_t index = count_of(log);
    if (index == SONDE_LOG_LOGGERS_MAX)
        return NULL;
    sonde_logger *logger = sn_alloc_zero(1, sizeof *logger);
    if (logger == NULL)
        return NULL;
    logger->index = (uint16_t)index;
    logger->log = log;
    logger->parent = parent;
    logger->name_len = name.len;
    if (name.len > 0)
        memcpy(logger->name, name.ptr, name.len);
    for (size_t i = 0; i < log->sink_count; i++)
        logger->sink_mask |= (uint32_t)sn_log_sink_wants(&log->sinks[i], name) << i;
    atomic_store_explicit(&log->loggers[index], logger, memory_order_relaxed);
    /* Release pairs with sn_logger_at. */
    atomic_store_explicit(&log->logger_count, index + 1, memory_order_release);
    spread_levels_locked(log);
    return logger;
}

sn_status sn_logger_init_root(sonde_log *log, sonde_level level, struct sn_err *err) {
    sn_mutex_lock(&sn_log_mu);
    sonde_logger *root = add_locked(log, NULL, SN_STR(""));
    if (root != NULL) {
        root->own_level = level;
        spread_levels_locked(log);
    }
    sn_mutex_unlock(&sn_log_mu);
    return root != NULL ? SN_OK : sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a logger");
}

void sn_logger_release_all(sonde_log *log) {
    for (uint32_t i = 0; i < count_of(log); i++)
        sn_free(entry(log, i));
}

static sonde_logger *find_locked(const sonde_log *log, struct sn_str name) {
    for (uint32_t i = 0; i < count_of(log); i++) {
        sonde_logger *logger = entry(log, i);
        if (sn_str_equal(sn_str_make(logger->name, logger->name_len), name))
            return logger;
    }
    return NULL;
}

/* Words between dots, none of them empty. */
static bool is_name(struct sn_str name) {
    bool is_word_start = true;
    if (name.len > SONDE_LOG_NAME_BYTES_MAX || !sn_str_is_utf8(name))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t byte = (uint8_t)name.ptr[i];
        if (byte < 0x20 || byte == 0x7F || (byte == '.' && is_word_start))
            return false;
        is_word_start = byte == '.';
    }
    return !is_word_start;
}

/* From the top down: every beginning that ends before a dot is a logger. */
static sonde_logger *get_locked(sonde_log *log, struct sn_str name) {
    sonde_logger *at = entry(log, 0);
    for (size_t len = 1; len <= name.len; len++) {
        if (len < name.len && name.ptr[len] != '.')
            continue;
        struct sn_str path = sn_str_make(name.ptr, len);
        sonde_logger *next = find_locked(log, path);
        if (next == NULL)
            next = add_locked(log, at, path);
        if (next == NULL)
            break;
        at = next;
    }
    return at;
}

static sonde_logger *get(sonde_log *log, struct sn_str name) {
    if (log == NULL)
        return &nowhere;
    sn_mutex_lock(&sn_log_mu);
    sonde_logger *logger = is_name(name) ? get_locked(log, name) : entry(log, 0);
    sn_mutex_unlock(&sn_log_mu);
    return logger;
}

sonde_logger *sonde_logger_get(sonde_log *log, const char *name) {
    return get(log, sn_str_from(name));
}

sonde_logger *sonde_logger_child(sonde_logger *parent, const char *name) {
    char path[2 * SONDE_LOG_NAME_BYTES_MAX + 2];
    struct sn_str last = sn_str_from(name);
    if (parent == NULL || parent->log == NULL)
        return &nowhere;
    if (!is_name(last) || parent->name_len + 1 + last.len > SONDE_LOG_NAME_BYTES_MAX)
        return parent;
    size_t len = parent->name_len;
    memcpy(path, parent->name, len);
    if (len > 0)
        path[len++] = '.';
    memcpy(path + len, last.ptr, last.len);
    return get(parent->log, sn_str_make(path, len + last.len));
}

void sonde_logger_set_level(sonde_logger *logger, sonde_level level) {
    if (logger == NULL || logger->log == NULL || level < SONDE_LEVEL_DEFAULT ||
        level > SONDE_LEVEL_OFF)
        return;
    sn_mutex_lock(&sn_log_mu);
    logger->own_level = level;
    spread_levels_locked(logger->log);
    sn_mutex_unlock(&sn_log_mu);
}

sonde_level sonde_logger_level(const sonde_logger *logger) {
    if (logger == NULL)
        return SONDE_LEVEL_DEFAULT;
    return (sonde_level)__atomic_load_n(&logger->head.level, __ATOMIC_RELAXED);
}

const char *sonde_logger_name(const sonde_logger *logger) {
    return logger != NULL ? logger->name : "";
}
