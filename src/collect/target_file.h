/*
 * Lists of targets as file_sd and http_sd have them: [{"targets": ["host:port"], "labels": {...}}] in
 * JSON or YAML. Bytes to groups; opens nothing. Any thread.
 */
#ifndef SN_COLLECT_TARGET_FILE_H
#define SN_COLLECT_TARGET_FILE_H

#include "collect/scrape_config.h"

/* A list of 100,000 targets with some labels each. */
#define SN_TARGET_FILE_BYTES_MAX ((size_t)16 << 20)
#define SN_TARGET_FILE_MEMORY_MAX ((size_t)64 << 20)

/*
 * Read a list.
 *
 *   is_json     JSON, else YAML
 *   origin      name and value of a label that every group gets: __meta_filepath, __meta_url; borrowed
 *   arena       keeps texts and arrays
 *
 * SN_ERR_INVALID (with its place), SN_ERR_LIMIT, SN_ERR_NO_MEMORY.
 */
sn_status sn_target_file_parse(struct sn_str text, bool is_json, struct sn_pair origin,
                               struct sn_arena *arena, struct sn_target_group_list *ret_groups,
                               struct sn_err *err) SN_MUST_USE;

#endif
