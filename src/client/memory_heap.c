/*
 * The heap of the process: jemalloc's numbers when it is loaded, else those of the C library.
 *
 * Any thread. Allocators answer under their own locks and may take milliseconds, so the callbacks of
 * one scrape share an answer.
 */
#include "client/memory_priv.h"

#include "base/os.h"

#include <dlfcn.h>
#include <malloc.h>
#include <unistd.h>

#define RECENT_NS INT64_C(1000000000)

static double share_unused(uint64_t used, uint64_t reserved) {
    return reserved > used ? 1 - (double)used / (double)reserved : 0;
}

bool sn_memory_heap_jemalloc(sn_mallctl mallctl, sonde_memory_heap *ret_heap) {
    uint64_t epoch = 1; /* writing it makes jemalloc refresh its numbers */
    size_t epoch_size = sizeof epoch, used = 0, active = 0, size = sizeof used;
    if (mallctl("epoch", &epoch, &epoch_size, &epoch, sizeof epoch) != 0 ||
        mallctl("stats.allocated", &used, &size, NULL, 0) != 0 || size != sizeof used ||
        mallctl("stats.active", &active, &size, NULL, 0) != 0 || size != sizeof active)
        return false;
    *ret_heap = (sonde_memory_heap){.source = "jemalloc",
                                    .used_bytes = used,
                                    .reserved_bytes = active,
                                    .fragmentation = share_unused(used, active)};
    return true;
}

static bool ask_jemalloc(sonde_memory_heap *ret_heap) {
    void *symbol = dlsym(RTLD_DEFAULT, "mallctl");
    sn_mallctl mallctl;
    _Static_assert(sizeof symbol == sizeof mallctl, "POSIX: a symbol may be a function");
    if (symbol == NULL)
        return false;
    memcpy(&mallctl, &symbol, sizeof mallctl);
    return sn_memory_heap_jemalloc(mallctl, ret_heap);
}

#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 33)
#define HAS_MALLINFO2 1
#endif
#endif

/* False when the C library cannot tell, or when another allocator took over without saying so. */
#ifdef HAS_MALLINFO2
static bool ask_libc(sonde_memory_heap *ret_heap) {
    struct mallinfo2 info = mallinfo2();
    uint64_t reserved = (uint64_t)info.arena + info.hblkhd;
    uint64_t used = (uint64_t)info.uordblks + info.hblkhd;
    *ret_heap = (sonde_memory_heap){.source = "mallinfo2",
                                    .used_bytes = used,
                                    .reserved_bytes = reserved,
                                    .fragmentation = share_unused(used, reserved)};
    return reserved > 0;
}
#else
static bool ask_libc(sonde_memory_heap *ret_heap) {
    (void)ret_heap;
    return false;
}
#endif

static void ask(sonde_memory_heap *ret_heap) {
    if (!ask_jemalloc(ret_heap) && !ask_libc(ret_heap))
        *ret_heap = (sonde_memory_heap){.source = "none"};
}

/* The second number of statm: pages in memory. */
static uint64_t read_rss(void) {
    struct sn_buf text;
    uint64_t pages = 0;
    sn_buf_init(&text, 256);
    if (sn_os_read_file("/proc/self/statm", &text, NULL) == SN_OK) {
        struct sn_str size, rest;
        (void)sn_str_cut(sn_buf_str(&text), ' ', &size, &rest);
        for (size_t i = 0; i < rest.len && rest.ptr[i] >= '0' && rest.ptr[i] <= '9'; i++)
            pages = pages * 10 + (uint64_t)(rest.ptr[i] - '0');
    }
    sn_buf_release(&text);
    long page_bytes = sysconf(_SC_PAGESIZE);
    return page_bytes > 0 ? pages * (uint64_t)page_bytes : 0;
}

void sonde_memory_heap_read(sonde_memory_heap *ret_heap) {
    ask(ret_heap);
    ret_heap->rss_bytes = read_rss();
}

void sn_memory_heap_recent(int64_t now_ns, sonde_memory_heap *ret_heap) {
    static _Atomic int64_t asked_ns = INT64_MIN / 2;
    static _Atomic uint64_t used, reserved;
    int64_t last_ns = atomic_load_explicit(&asked_ns, memory_order_relaxed);
    bool is_old = now_ns - last_ns >= RECENT_NS || now_ns < last_ns;
    /* Two readers at once may show the two numbers of two answers: they are a scrape apart. */
    if (is_old && atomic_compare_exchange_strong(&asked_ns, &last_ns, now_ns)) {
        sonde_memory_heap heap;
        ask(&heap);
        atomic_store_explicit(&used, heap.used_bytes, memory_order_relaxed);
        atomic_store_explicit(&reserved, heap.reserved_bytes, memory_order_relaxed);
    }
    uint64_t used_now = atomic_load_explicit(&used, memory_order_relaxed);
    uint64_t reserved_now = atomic_load_explicit(&reserved, memory_order_relaxed);
    *ret_heap = (sonde_memory_heap){.source = "",
                                    .used_bytes = used_now,
                                    .reserved_bytes = reserved_now,
                                    .fragmentation = share_unused(used_now, reserved_now)};
}
