/*
 * Faults by order: which call of which kind fails, and the text form for system tests.
 *
 * Each kind counts its calls; a plan is a range of those numbers. Everything is an atomic, because
 * a test arms while other threads work. A plan's range is written last and read first, so that a
 * call that sees the range sees the errno that belongs to it. Arming one kind from two threads at
 * once is the test's mistake and not defended against.
 */
#include "base/os_priv.h"

#include "base/check.h"

#include <errno.h>
#include <stdatomic.h>

#ifdef SN_FAULTS

struct plan {
    _Atomic uint64_t call_count;
    _Atomic uint64_t first; /* number of the first call to fail, from 1; 0: disarmed */
    _Atomic uint64_t count; /* how many calls in a row */
    _Atomic int errno_value;
};

static struct plan plans[SN_FAULT_KIND_COUNT];
static _Atomic uint64_t fired_count;

/* Count a call of one plan; true with *ret_errno when it is in the armed range. */
static bool plan_hits(struct plan *plan, int *ret_errno) {
    uint64_t number = atomic_fetch_add_explicit(&plan->call_count, 1, memory_order_relaxed) + 1;
    /* Acquire: pairs with the release in sn_fault_arm. */
    uint64_t first = atomic_load_explicit(&plan->first, memory_order_acquire);
    if (SN_LIKELY(first == 0 || number < first))
        return false;
    if (number - first >= atomic_load_explicit(&plan->count, memory_order_relaxed))
        return false;
    *ret_errno = atomic_load_explicit(&plan->errno_value, memory_order_relaxed);
    atomic_fetch_add_explicit(&fired_count, 1, memory_order_relaxed);
    return true;
}

/* The log is no part of "any": see os.h. */
static bool hits(enum sn_fault_kind kind, int *ret_errno) {
    bool is_hit = kind != SN_FAULT_LOG && plan_hits(&plans[SN_FAULT_ANY], ret_errno);
    /* Both count; the kind's own plan wins. */
    if (kind != SN_FAULT_ANY)
        is_hit |= plan_hits(&plans[kind], ret_errno);
    return is_hit;
}

bool sn_fault_hits(enum sn_fault_kind kind) {
    int errno_value;
    if (!hits(kind, &errno_value))
        return false;
    errno = errno_value ? errno_value : EIO; /* nothing here can be short */
    return true;
}

bool sn_fault_hits_transfer(enum sn_fault_kind kind, size_t *len) {
    int errno_value;
    if (!hits(kind, &errno_value))
        return false;
    if (errno_value == 0) {
        *len = *len > 1 ? *len / 2 : *len;
        return false;
    }
    errno = errno_value;
    return true;
}

void sn_fault_arm(enum sn_fault_kind kind, uint64_t nth, uint64_t count, int errno_value) {
    SN_CHECK(kind < SN_FAULT_KIND_COUNT);
    struct plan *plan = &plans[kind];
    atomic_store_explicit(&plan->first, 0, memory_order_relaxed);
    atomic_store_explicit(&fired_count, 0, memory_order_relaxed);
    if (nth == 0)
        return;
    uint64_t calls = atomic_load_explicit(&plan->call_count, memory_order_relaxed);
    uint64_t first = nth < UINT64_MAX - calls ? calls + nth : UINT64_MAX;
    atomic_store_explicit(&plan->count, count, memory_order_relaxed);
    atomic_store_explicit(&plan->errno_value, errno_value, memory_order_relaxed);
    /* Release: pairs with the acquire in plan_hits. */
    atomic_store_explicit(&plan->first, first, memory_order_release);
}

void sn_fault_disarm_all(void) {
    for (size_t kind = 0; kind < SN_FAULT_KIND_COUNT; kind++)
        atomic_store_explicit(&plans[kind].first, 0, memory_order_relaxed);
}

uint64_t sn_fault_fired_count(void) {
    return atomic_load_explicit(&fired_count, memory_order_relaxed);
}

uint64_t sn_fault_calls(enum sn_fault_kind kind) {
    SN_CHECK(kind < SN_FAULT_KIND_COUNT);
    return atomic_load_explicit(&plans[kind].call_count, memory_order_relaxed);
}

/* One "kind:nth:ERRNO" of the text. */
struct order {
    enum sn_fault_kind kind;
    uint64_t nth;
    uint64_t count;
    int errno_value;
};

static bool parse_kind(struct sn_str text, enum sn_fault_kind *ret_kind) {
    static const char *const names[SN_FAULT_KIND_COUNT] = {
        [SN_FAULT_ANY] = "any",       [SN_FAULT_OPEN] = "open",
        [SN_FAULT_READ] = "read",     [SN_FAULT_WRITE] = "write",
        [SN_FAULT_FSYNC] = "fsync",   [SN_FAULT_RENAME] = "rename",
        [SN_FAULT_UNLINK] = "unlink", [SN_FAULT_MMAP] = "mmap",
        [SN_FAULT_STAT] = "stat",     [SN_FAULT_TRUNCATE] = "truncate",
        [SN_FAULT_MKDIR] = "mkdir",   [SN_FAULT_DIR] = "dir",
        [SN_FAULT_SOCKET] = "socket", [SN_FAULT_SEND] = "send",
        [SN_FAULT_RECV] = "recv",     [SN_FAULT_POLL] = "poll",
        [SN_FAULT_RANDOM] = "random", [SN_FAULT_LOG] = "log",
    };
    for (size_t kind = 0; kind < SN_FAULT_KIND_COUNT; kind++) {
        if (sn_str_equal(text, sn_str_from(names[kind]))) {
            *ret_kind = (enum sn_fault_kind)kind;
            return true;
        }
    }
    return false;
}

/* Digits, at least 1 as a number, with an optional "+" behind. */
static bool parse_nth(struct sn_str text, struct order *ret_order) {
    bool is_lasting = sn_str_ends_with(text, SN_STR("+"));
    uint64_t nth = 0;
    text.len -= is_lasting;
    if (text.len == 0 || text.len > 18) /* 18 digits cannot overflow */
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        nth = nth * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    ret_order->nth = nth;
    ret_order->count = is_lasting ? UINT64_MAX : 1;
    return nth > 0;
}

static bool parse_errno(struct sn_str text, int *ret_errno) {
    static const struct {
        const char *name;
        int value;
    } errors[] = {
        {"SHORT", 0},       {"EIO", EIO},     {"ENOSPC", ENOSPC},       {"EACCES", EACCES},
        {"EMFILE", EMFILE}, {"EINTR", EINTR}, {"EAGAIN", EAGAIN},       {"ENOMEM", ENOMEM},
        {"EDQUOT", EDQUOT}, {"EROFS", EROFS}, {"ETIMEDOUT", ETIMEDOUT}, {"ECONNRESET", ECONNRESET},
    };
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        if (sn_str_equal(text, sn_str_from(errors[i].name))) {
            *ret_errno = errors[i].value;
            return true;
        }
    }
    return false;
}

static bool may_be_short(enum sn_fault_kind kind) {
    return kind == SN_FAULT_WRITE || kind == SN_FAULT_READ || kind == SN_FAULT_SEND ||
           kind == SN_FAULT_RECV;
}

static sn_status parse_order(struct sn_str text, struct order *ret_order, struct sn_err *err) {
    struct sn_str kind;
    struct sn_str nth;
    struct sn_str error;
    struct sn_str rest;
    if (!sn_str_cut(text, ':', &kind, &rest) || !sn_str_cut(rest, ':', &nth, &error))
        return sn_err_set(err, SN_ERR_INVALID, "fault \"%.*s\" is not kind:nth:ERRNO",
                          SN_STR_ARG(text));
    if (!parse_kind(kind, &ret_order->kind))
        return sn_err_set(err, SN_ERR_INVALID, "unknown kind of fault \"%.*s\"", SN_STR_ARG(kind));
    if (!parse_nth(nth, ret_order))
        return sn_err_set(
            err, SN_ERR_INVALID,
            "\"%.*s\" does not say which call fails: 1 is the next, 1+ all from it on",
            SN_STR_ARG(nth));
    if (!parse_errno(error, &ret_order->errno_value))
        return sn_err_set(err, SN_ERR_INVALID, "unknown error \"%.*s\" of a fault",
                          SN_STR_ARG(error));
    if (ret_order->errno_value == 0 && !may_be_short(ret_order->kind))
        return sn_err_set(err, SN_ERR_INVALID, "a call of kind %.*s cannot be SHORT",
                          SN_STR_ARG(kind));
    return SN_OK;
}

/* Read all orders; arm them only when asked to. */
static sn_status walk_orders(struct sn_str text, bool is_arming, struct sn_err *err) {
    struct sn_str rest = text;
    bool has_more = true;
    while (has_more) {
        struct sn_str one;
        struct order order = {.nth = 0};
        has_more = sn_str_cut(rest, ',', &one, &rest);
        SN_TRY(parse_order(one, &order, err));
        if (is_arming)
            sn_fault_arm(order.kind, order.nth, order.count, order.errno_value);
    }
    return SN_OK;
}

sn_status sn_fault_arm_text(struct sn_str text, struct sn_err *err) {
    SN_TRY(walk_orders(text, false, err));
    return walk_orders(text, true, err);
}

#else

void sn_fault_arm(enum sn_fault_kind kind, uint64_t nth, uint64_t count, int errno_value) {
    (void)kind;
    (void)nth;
    (void)count;
    (void)errno_value;
}

void sn_fault_disarm_all(void) {
}

uint64_t sn_fault_fired_count(void) {
    return 0;
}

uint64_t sn_fault_calls(enum sn_fault_kind kind) {
    (void)kind;
    return 0;
}

sn_status sn_fault_arm_text(struct sn_str text, struct sn_err *err) {
    (void)text;
    return sn_err_set(err, SN_ERR_UNSUPPORTED, "this build cannot make system calls fail");
}

#endif
