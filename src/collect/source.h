/*
 * What a collector source is, and what it gets to work with.
 *
 * A source reads one place (a file of /proc, say) and adds samples to a batch. It runs on a thread
 * of its own, so a source that hangs delays nobody else. A new source is one file, one row in
 * collect.c's table and one fixture folder in the tests.
 */
#ifndef SN_COLLECT_SOURCE_H
#define SN_COLLECT_SOURCE_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/status.h"
#include "model/batch.h"

/* Kernel files above this size are refused: the largest seen, mountinfo of a build host, has 1 MB. */
#define SN_COLLECT_FILE_BYTES_MAX ((size_t)4 << 20)

/* Where to look. Tests point these at fixture folders. Borrowed. */
struct sn_collect_roots {
    const char *proc; /* "/proc" */
    const char *sys;  /* "/sys" */
};

/* A metric that a source can give. */
struct sn_collect_family {
    const char *name;
    enum sn_metric_type type;
    const char *help;
};

/* One pass of one source. Owned by the runner, one thread. */
struct sn_gather {
    struct sn_batch_builder batch;
    struct sn_buf file; /* scratch: contents of the file being read */
    struct sn_collect_roots roots;
    const struct sn_clock *clock;
    int64_t time_ms;   /* timestamp of every sample of this pass */
    struct sn_str job; /* labels on every sample */
    struct sn_str instance;
    bool wants_metadata; /* first pass, and once an hour after it */
};

struct sn_source {
    const char *name;    /* value of the label "collector", and the key in the configuration */
    bool is_about_sonde; /* label job="sonde" instead of job="node" */
    const struct sn_collect_family *families;
    size_t family_count;
    /*
     * Take one reading. `state` starts as NULL and belongs to the source (NULL for most).
     * A failure drops the whole pass of this source and shows as sonde_collector_up 0.
     */
    sn_status (*collect)(struct sn_gather *gather, void **state, struct sn_err *err);
    void (*close)(void *state); /* NULL when there is no state */
};

/*
 * Read roots.proc/`name` (or roots.sys) into gather->file and return its text, valid until the next
 * read. Statuses of sn_os_read_file.
 */
sn_status sn_gather_read_proc(struct sn_gather *gather, const char *name, struct sn_str *ret_text,
                              struct sn_err *err) SN_MUST_USE;
sn_status sn_gather_read_sys(struct sn_gather *gather, const char *name, struct sn_str *ret_text,
                             struct sn_err *err) SN_MUST_USE;

/*
 * Add one sample: metric name plus pair_count labels as name, value, ... (at most 12 pairs); job
 * and instance are added. Label values that are not UTF-8 are shown with "?" for each bad byte.
 * SN_ERR_NO_MEMORY, SN_ERR_LIMIT.
 */
sn_status sn_gather_add(struct sn_gather *gather, struct sn_str name, const struct sn_str *pairs,
                        size_t pair_count, double value, struct sn_err *err) SN_MUST_USE;

/* One sample without further labels, or with one. */
sn_status sn_gather_add_plain(struct sn_gather *gather, const char *name, double value,
                              struct sn_err *err) SN_MUST_USE;
sn_status sn_gather_add_labelled(struct sn_gather *gather, const char *name, struct sn_str label,
                                 struct sn_str label_value, double value,
                                 struct sn_err *err) SN_MUST_USE;

/* The sources of this program. */
extern const struct sn_source sn_source_cpu;
extern const struct sn_source sn_source_loadavg;
extern const struct sn_source sn_source_meminfo;
extern const struct sn_source sn_source_vmstat;
extern const struct sn_source sn_source_diskstats;
extern const struct sn_source sn_source_filesystem;
extern const struct sn_source sn_source_netdev;
extern const struct sn_source sn_source_pressure;
extern const struct sn_source sn_source_uname;
extern const struct sn_source sn_source_time;
extern const struct sn_source sn_source_process;
extern const struct sn_source sn_source_self;

#endif
