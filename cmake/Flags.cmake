# Flags of every target: language, warnings, hardening, sanitizers (STYLE 47 to 49).

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

find_program(SN_CCACHE ccache)
mark_as_advanced(SN_CCACHE)
if(SN_CCACHE)
    set(CMAKE_C_COMPILER_LAUNCHER "${SN_CCACHE}")
    set(CMAKE_CXX_COMPILER_LAUNCHER "${SN_CCACHE}")
endif()

# Objects carry machine code beside the intermediate form: an installed libsonde.a must link with
# any compiler. CMake's own default is -fno-fat-lto-objects.
if(CMAKE_INTERPROCEDURAL_OPTIMIZATION AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
    set(CMAKE_C_COMPILE_OPTIONS_IPO -flto=auto -ffat-lto-objects)
    # Said to every link: where only the objects say it, gcc works serially and warns about it.
    add_link_options(-flto=auto)
endif()

set(SN_WARNINGS
    -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wdouble-promotion
    -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef
    -Wvla -Walloca -Wformat=2 -Wimplicit-fallthrough -Wswitch -Wnull-dereference)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    list(APPEND SN_WARNINGS -Wlogical-op -Wduplicated-cond -Wduplicated-branches)
else()
    list(APPEND SN_WARNINGS -Wthread-safety -Wunreachable-code-aggressive
         -Wconditional-uninitialized)
endif()
if(NOT SN_SANITIZE)
    # Sanitizers pad every frame, so the number would mean nothing there.
    list(APPEND SN_WARNINGS -Wframe-larger-than=16384)
endif()
if(SN_WERROR)
    list(APPEND SN_WARNINGS -Werror)
endif()

set(SN_C_ONLY "$<COMPILE_LANGUAGE:C>")
add_compile_definitions(_GNU_SOURCE=1)
if(SN_FAULTS)
    add_compile_definitions(SN_FAULTS=1)
endif()
add_compile_options("$<${SN_C_ONLY}:${SN_WARNINGS}>")

# Hardening.
add_compile_options("$<${SN_C_ONLY}:-fstack-protector-strong>")
add_link_options(-Wl,-z,relro,-z,now)
if(NOT SN_SANITIZE)
    # The checked libc entry points hide calls from the sanitizers' interceptors.
    add_compile_options("$<${SN_C_ONLY}:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=2>")
endif()
# Debug paths in the binary do not depend on where the tree was checked out.
add_compile_options("$<${SN_C_ONLY}:-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=>")

if(SN_SANITIZE)
    # STYLE 47: float-divide-by-zero and unsigned-integer-overflow stay off.
    add_compile_options(-fsanitize=${SN_SANITIZE} -fno-sanitize-recover=all
                        -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${SN_SANITIZE})
    if(SN_SANITIZE MATCHES "memory")
        add_compile_options(-fsanitize-memory-track-origins)
    endif()
endif()
if(SN_FUZZ)
    add_compile_options("$<${SN_C_ONLY}:-fsanitize=fuzzer-no-link>")
endif()
if(SN_COVERAGE)
    add_compile_options("$<${SN_C_ONLY}:--coverage>")
    add_link_options(--coverage)
endif()
