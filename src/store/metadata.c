/* Type, help and unit of metrics: see metadata.h. */
#include "store/metadata.h"

#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"
#include "store/log_record.h"

void sn_metadata_table_init(struct sn_metadata_table *table, uint64_t seed) {
    *table = (struct sn_metadata_table){0};
    sn_map_init(&table->numbers, SN_METADATA_METRICS_MAX, seed);
}

void sn_metadata_table_release(struct sn_metadata_table *table) {
    for (size_t i = 0; i < table->count; i++)
        sn_free(table->entries[i].text);
    sn_free(table->entries);
    sn_map_release(&table->numbers);
    *table = (struct sn_metadata_table){0};
}

struct sn_metadata sn_metadata_table_at(const struct sn_metadata_table *table, size_t number) {
    const struct sn_metadata_entry *entry = &table->entries[number];
    const char *help = entry->text + entry->name_len;
    return (struct sn_metadata){.metric_name = sn_str_make(entry->text, entry->name_len),
                                .type = entry->type,
                                .help = sn_str_make(help, entry->help_len),
                                .unit = sn_str_make(help + entry->help_len, entry->unit_len)};
}

bool sn_metadata_table_find(const struct sn_metadata_table *table, struct sn_str metric_name,
                            struct sn_metadata *ret_metadata) {
    uint64_t number;
    if (!sn_map_get(&table->numbers, metric_name, &number))
        return false;
    *ret_metadata = sn_metadata_table_at(table, number);
    return true;
}

static char *put(char *at, struct sn_str text) {
    if (text.len)
        memcpy(at, text.ptr, text.len);
    return at + text.len;
}

static sn_status make_entry(const struct sn_metadata *metadata, struct sn_metadata_entry *entry) {
    size_t bytes = metadata->metric_name.len + metadata->help.len + metadata->unit.len;
    if (metadata->metric_name.len > SN_LABEL_VALUE_BYTES_MAX ||
        metadata->help.len > SN_METADATA_BYTES_MAX || metadata->unit.len > SN_METADATA_BYTES_MAX)
        return SN_ERR_LIMIT;
    *entry = (struct sn_metadata_entry){.text = sn_alloc(bytes + 1),
                                        .name_len = (uint32_t)metadata->metric_name.len,
                                        .help_len = (uint16_t)metadata->help.len,
                                        .unit_len = (uint16_t)metadata->unit.len,
                                        .type = metadata->type};
    if (!entry->text)
        return SN_ERR_NO_MEMORY;
    (void)put(put(put(entry->text, metadata->metric_name), metadata->help), metadata->unit);
    return SN_OK;
}

static bool is_same(const struct sn_metadata *a, const struct sn_metadata *b) {
    return a->type == b->type && sn_str_equal(a->help, b->help) && sn_str_equal(a->unit, b->unit);
}

static sn_status add_number(struct sn_metadata_table *table, struct sn_str metric_name) {
    if (table->count == table->capacity) {
        size_t capacity = table->capacity ? table->capacity * 2 : 64;
        struct sn_metadata_entry *entries =
            sn_realloc_array(table->entries, capacity, sizeof *entries);
        if (!entries)
            return SN_ERR_NO_MEMORY;
        table->entries = entries;
        table->capacity = capacity;
    }
    SN_TRY(sn_map_put(&table->numbers, metric_name, table->count));
    table->entries[table->count++] = (struct sn_metadata_entry){.state = SN_METADATA_STORED};
    return SN_OK;
}

sn_status sn_metadata_table_put(struct sn_metadata_table *table, const struct sn_metadata *metadata,
                                bool is_stored, bool *ret_changed) {
    struct sn_metadata old;
    bool is_known = sn_metadata_table_find(table, metadata->metric_name, &old);
    *ret_changed = !is_known || !is_same(&old, metadata);
    if (!*ret_changed)
        return SN_OK;
    struct sn_metadata_entry entry;
    SN_TRY(make_entry(metadata, &entry));
    entry.state = is_stored ? SN_METADATA_STORED : SN_METADATA_NEW;
    sn_status status = is_known ? SN_OK : add_number(table, metadata->metric_name);
    if (status != SN_OK) {
        sn_free(entry.text);
        return status;
    }
    uint64_t number = 0;
    SN_CHECK(sn_map_get(&table->numbers, metadata->metric_name, &number));
    struct sn_metadata_entry *place = &table->entries[number];
    table->unstored_count += entry.state != SN_METADATA_STORED;
    table->unstored_count -= place->state != SN_METADATA_STORED;
    sn_free(place->text);
    *place = entry;
    return SN_OK;
}

void sn_metadata_table_begin_store(struct sn_metadata_table *table, struct sn_buf *records) {
    for (size_t i = 0; i < table->count && table->unstored_count > 0; i++) {
        if (table->entries[i].state == SN_METADATA_STORED)
            continue;
        struct sn_metadata metadata = sn_metadata_table_at(table, i);
        sn_log_put_metadata(records, &metadata);
        table->entries[i].state = SN_METADATA_STORING;
    }
}

void sn_metadata_table_end_store(struct sn_metadata_table *table) {
    for (size_t i = 0; i < table->count && table->unstored_count > 0; i++) {
        if (table->entries[i].state != SN_METADATA_STORING)
            continue;
        table->entries[i].state = SN_METADATA_STORED;
        table->unstored_count--;
    }
}
