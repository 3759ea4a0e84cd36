/*
 * Which sanitizer this file is compiled with: 0 or 1 each. gcc defines a macro, clang has a feature.
 */
#ifndef SN_BASE_SANITIZERS_H
#define SN_BASE_SANITIZERS_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SN_HAS_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define SN_HAS_TSAN 1
#endif
#if __has_feature(memory_sanitizer)
#define SN_HAS_MSAN 1
#endif
#endif

#if defined(__SANITIZE_ADDRESS__) && !defined(SN_HAS_ASAN)
#define SN_HAS_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__) && !defined(SN_HAS_TSAN)
#define SN_HAS_TSAN 1
#endif

#ifndef SN_HAS_ASAN
#define SN_HAS_ASAN 0
#endif
#ifndef SN_HAS_TSAN
#define SN_HAS_TSAN 0
#endif
#ifndef SN_HAS_MSAN
#define SN_HAS_MSAN 0
#endif

#endif
