/*
 * Names that no Sonde source may use. The build force-includes this file into every C source, so
 * a banned call is a compile error and not a review comment.
 *
 * 1. Every system header that declares a poisoned name is included here first: poisoning hits
 *    whatever comes later, system headers too.
 * 2. Heap memory goes through base/mem.h (limits, fail-the-nth). The one file that implements it,
 *    and files that include a third-party header which names free() or malloc(), are compiled
 *    with -DSN_BANNED_ALLOW_ALLOC; they are listed in SN_RAW_ALLOC of src/<module>/CMakeLists.txt.
 *    tests/lint/symbols.py still refuses the symbols there unless they are listed with a reason.
 * 3. Tests, benchmarks and fuzz targets may allocate as they like; the rest holds for them too.
 */
#ifndef SN_BASE_BANNED_H
#define SN_BASE_BANNED_H

/* The build says this as well; here for a compiler that is called by hand. Before any header. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <ctype.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#if defined(__x86_64__)
/* Every SSE header includes this one, and it calls free(). */
#include <mm_malloc.h>
#endif

#ifndef __cplusplus

/* glibc has some of them as macros too, and poisoning a macro is a warning. */
#undef sprintf
#undef vsprintf
#undef asprintf
#undef vasprintf
#undef isalpha
#undef isdigit
#undef isalnum
#undef isspace
#undef isupper
#undef islower
#undef isxdigit
#undef ispunct
#undef isprint
#undef isgraph
#undef iscntrl
#undef isblank
#undef toupper
#undef tolower

/* No bound on what they write, or a cut that nobody sees. Use base/str.h and base/buf.h. */
#pragma GCC poison gets strcpy stpcpy strcat strncpy strncat sprintf vsprintf

/* Input whose errors vanish (atoi), that overflows, or that keeps hidden state between calls. */
#pragma GCC poison atoi atol atoll strtok scanf fscanf sscanf vscanf vfscanf vsscanf
#pragma GCC poison tmpnam tempnam mktemp

/* The locale of the host program decides what they do: 1,5 instead of 1.5. Use codec. */
#pragma GCC poison atof strtod strtof strtold strcoll strxfrm
#pragma GCC poison isalpha isdigit isalnum isspace isupper islower isxdigit ispunct isprint
#pragma GCC poison isgraph iscntrl isblank toupper tolower strcasecmp strncasecmp

/* One static buffer for all threads. */
#pragma GCC poison gmtime localtime ctime asctime strerror strsignal rand srand random srandom

#ifndef SN_BANNED_ALLOW_ALLOC
#pragma GCC poison malloc calloc realloc reallocarray free strdup strndup asprintf vasprintf
#pragma GCC poison posix_memalign aligned_alloc memalign valloc pvalloc
#endif

#endif /* __cplusplus */

#endif
