/*
 * Four strengths of saying what must hold. Pick by what happens when it does not.
 *
 *   assert(x)         proved by the code around it; gone with NDEBUG. (<assert.h>)
 *   SN_CHECK(x)       guards memory or stored data; stays in release; a violation aborts, because
 *                     going on would destroy more than stopping.
 *   SN_NEVER(x)       believed false and handled anyway: `if (SN_NEVER(p == NULL)) return ...;`
 *                     counts in release, aborts in debug builds (SN_FAULTS) so that tests find it.
 *   SN_SOMETIMES(x)   legal but rare: counts that the branch was taken, so that a test can show
 *                     that it has been exercised.
 *
 * Foreign bytes (network, disk, configuration) are validated, never asserted.
 */
#ifndef SN_BASE_CHECK_H
#define SN_BASE_CHECK_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#define SN_LIKELY(x) __builtin_expect(!!(x), 1)
#define SN_UNLIKELY(x) __builtin_expect(!!(x), 0)

_Noreturn void sn_check_failed(const char *expression, const char *file, int line);
bool sn_never_happened(const char *expression, const char *file, int line);
bool sn_sometimes_happened(const char *file, int line);

#define SN_CHECK(x) ((x) ? (void)0 : sn_check_failed(#x, __FILE__, __LINE__))
#define SN_NEVER(x) (SN_UNLIKELY(x) && sn_never_happened(#x, __FILE__, __LINE__))
#define SN_SOMETIMES(x) (SN_UNLIKELY(x) && sn_sometimes_happened(__FILE__, __LINE__))

/* How often SN_NEVER and SN_SOMETIMES conditions were true since start. Any thread. */
uint64_t sn_never_count(void);
uint64_t sn_sometimes_count(void);

#endif
