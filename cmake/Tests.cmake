# Tests found by their place:
#
#   tests/<module>/<file>_test.c         test_<module>_<file>, label <module>; *_support.c linked in
#                                        in preset dev also as <test>.de_DE, see below;
#                                        with <file>_oracle.cpp beside it: only where C++ and the
#                                        library <file> of pkg-config are
#   tests/fuzz/<module>_<name>_fuzz.c    fuzz_<module>_<name>; replays tests/fuzz/corpus/<module>_<name>
#   tests/system/*.py                    label system, drives the real binary (SONDE_BIN)
#   tests/lint/*_lint.py                 label lint, preset dev only
#   examples/*.c, *.cpp                  example_<name>, run with --self-test; C++ where the build
#                                        has a compiler for it
#   examples/<name>/*.c                  example_<name>, of several files

set(SN_TEST_TIMEOUT_S 120 CACHE STRING "Seconds that one test may take")
set(SN_PYTHON "/usr/bin/python3")
if(NOT EXISTS "${SN_PYTHON}")
    find_program(SN_PYTHON_FOUND python3 REQUIRED)
    set(SN_PYTHON "${SN_PYTHON_FOUND}")
endif()

# clang 14's ThreadSanitizer and MemorySanitizer cannot place their shadow when the kernel
# randomises with more than 28 bits; setarch -R switches that off where the machine allows it.
set(SN_TEST_LAUNCHER "")
if(SN_SANITIZE MATCHES "thread|memory")
    execute_process(COMMAND setarch -R true RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
    if(status EQUAL 0)
        set(SN_TEST_LAUNCHER setarch -R)
    endif()
endif()

set(SN_TEST_ENVIRONMENT
    "SONDE_BIN=${CMAKE_BINARY_DIR}/sonde" "SONDE_SOURCE=${CMAKE_SOURCE_DIR}"
    "SONDE_BUILD=${CMAKE_BINARY_DIR}" "SONDE_SANITIZE=${SN_SANITIZE}"
    "ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1"
    "UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1"
    "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1"
    "PYTHONDONTWRITEBYTECODE=1")
find_program(SN_SYMBOLIZER NAMES llvm-symbolizer-14 llvm-symbolizer)
mark_as_advanced(SN_SYMBOLIZER)
if(SN_SYMBOLIZER)
    foreach(tool ASAN UBSAN MSAN)
        list(APPEND SN_TEST_ENVIRONMENT "${tool}_SYMBOLIZER_PATH=${SN_SYMBOLIZER}")
    endforeach()
endif()

# Modules whose tests run a second time after setlocale(LC_ALL, "de_DE.UTF-8"), as a host program
# may have called it: those that turn numbers or times into text or back.
set(SN_LOCALE_MODULES base model codec wire client collect query records engine api app)
set(SN_LOCALE_DIR "${CMAKE_BINARY_DIR}/locale")

# Make the locale in the build directory: the machine need not have it switched on.
function(sn_make_locale)
    find_program(SN_LOCALEDEF localedef)
    mark_as_advanced(SN_LOCALEDEF)
    if(SN_LOCALEDEF AND NOT EXISTS "${SN_LOCALE_DIR}/de_DE.UTF-8/LC_NUMERIC")
        file(MAKE_DIRECTORY "${SN_LOCALE_DIR}")
        execute_process(COMMAND "${SN_LOCALEDEF}" -i de_DE -f UTF-8 "${SN_LOCALE_DIR}/de_DE.UTF-8"
                        OUTPUT_QUIET ERROR_QUIET)
    endif()
    if(NOT EXISTS "${SN_LOCALE_DIR}/de_DE.UTF-8/LC_NUMERIC")
        message(FATAL_ERROR "cannot make the locale de_DE.UTF-8: install the package locales")
    endif()
endfunction()

# Register one test with the environment, timeout and label that all tests share.
function(sn_add_test name label)
    add_test(NAME ${name} COMMAND ${SN_TEST_LAUNCHER} ${ARGN})
    set_tests_properties(${name} PROPERTIES
        LABELS ${label} TIMEOUT ${SN_TEST_TIMEOUT_S} SKIP_RETURN_CODE 77
        ENVIRONMENT "${SN_TEST_ENVIRONMENT}")
endfunction()

function(sn_register_tests)
    sn_externals(cmocka cmocka)
    add_library(test_locale OBJECT "${CMAKE_SOURCE_DIR}/tests/locale_constructor.c")
    if(SN_LINT)
        sn_make_locale()
    endif()
    foreach(module IN LISTS SN_MODULES)
        if(TARGET sn_${module})
            sn_module_tests(${module} ${cmocka})
        endif()
    endforeach()
    sn_fuzz_tests()
    if(TARGET sonde)
        sn_python_tests(system "${CMAKE_SOURCE_DIR}/tests/system/*.py")
    endif()
    if(SN_LINT)
        sn_web_tests()
        sn_python_tests(lint "${CMAKE_SOURCE_DIR}/tests/lint/*_lint.py")
    endif()
endfunction()

# A C++ library that a test compares with, behind a wrapper in C: <file>_oracle.cpp, linked with the
# library <file> of pkg-config. Sets ret to nothing where one of the two is missing.
function(sn_oracle ret source package)
    get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
    pkg_check_modules(SN_ORACLE_${package} QUIET IMPORTED_TARGET ${package})
    set(${ret} "" PARENT_SCOPE)
    if("CXX" IN_LIST languages AND SN_ORACLE_${package}_FOUND)
        add_library(oracle_${package} STATIC "${source}")
        target_link_libraries(oracle_${package} PUBLIC PkgConfig::SN_ORACLE_${package} stdc++)
        set(${ret} oracle_${package} PARENT_SCOPE)
    endif()
endfunction()

function(sn_module_tests module cmocka)
    set(dir "${CMAKE_SOURCE_DIR}/tests/${module}")
    file(GLOB sources CONFIGURE_DEPENDS "${dir}/*_test.c")
    file(GLOB support CONFIGURE_DEPENDS "${dir}/*_support.c")
    get_property(others GLOBAL PROPERTY SN_TEST_SUPPORT_${module})
    foreach(other IN LISTS others)
        list(APPEND support "${CMAKE_SOURCE_DIR}/tests/${other}_support.c")
    endforeach()
    list(TRANSFORM others REPLACE "/.*" "" OUTPUT_VARIABLE other_modules)
    list(TRANSFORM other_modules PREPEND "${CMAKE_SOURCE_DIR}/tests/")
    get_property(names GLOBAL PROPERTY SN_TEST_EXTERNAL_${module})
    sn_externals(external ${names})
    get_property(not_msan GLOBAL PROPERTY SN_TEST_NOT_MSAN_${module})
    foreach(source IN LISTS sources)
        get_filename_component(name "${source}" NAME_WE)
        string(REGEX REPLACE "_test$" "" name "${name}")
        # A library that is not instrumented hands out bytes that look uninitialised.
        if(SN_SANITIZE STREQUAL "memory" AND name IN_LIST not_msan)
            continue()
        endif()
        set(target test_${module}_${name})
        set(oracle "")
        if(EXISTS "${dir}/${name}_oracle.cpp")
            sn_oracle(oracle "${dir}/${name}_oracle.cpp" "${name}")
            if(NOT oracle)
                message(STATUS "${target} is left out: it needs C++ and ${name}")
                continue()
            endif()
        endif()
        add_executable(${target} "${source}" ${support} "$<TARGET_OBJECTS:test_locale>")
        target_link_libraries(${target} PRIVATE ${oracle})
        sn_internal_target(${target})
        target_compile_definitions(${target} PRIVATE SN_BANNED_ALLOW_ALLOC)
        target_include_directories(${target} PRIVATE ${other_modules})
        target_link_libraries(${target} PRIVATE sn_${module} ${external} ${cmocka})
        sn_add_test(${target} ${module} "$<TARGET_FILE:${target}>")
        if(SN_LINT AND module IN_LIST SN_LOCALE_MODULES)
            sn_add_test(${target}.de_DE locale "$<TARGET_FILE:${target}>")
            set_property(TEST ${target}.de_DE APPEND PROPERTY ENVIRONMENT
                         "LOCPATH=${SN_LOCALE_DIR}" SN_TEST_LOCALE=de_DE.UTF-8)
        endif()
    endforeach()
endfunction()

function(sn_fuzz_tests)
    file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/fuzz/*_fuzz.c")
    foreach(source IN LISTS sources)
        get_filename_component(name "${source}" NAME_WE)
        string(REGEX REPLACE "_fuzz$" "" name "${name}")
        string(REGEX REPLACE "_.*$" "" module "${name}")
        if(NOT TARGET sn_${module})
            continue()
        endif()
        set(corpus "${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name}")
        set(target fuzz_${name})
        add_executable(${target} "${source}")
        sn_internal_target(${target})
        target_compile_definitions(${target} PRIVATE SN_BANNED_ALLOW_ALLOC)
        # libFuzzer calls the entry point by name; nobody declares it.
        target_compile_options(${target} PRIVATE -Wno-missing-prototypes)
        target_link_libraries(${target} PRIVATE sn_${module})
        if(SN_FUZZ)
            target_link_options(${target} PRIVATE -fsanitize=fuzzer)
            sn_add_test(${target} fuzz "$<TARGET_FILE:${target}>" -runs=0 "${corpus}")
        else()
            target_sources(${target} PRIVATE "${CMAKE_SOURCE_DIR}/tests/fuzz/replay_main.c")
            sn_add_test(${target} fuzz "$<TARGET_FILE:${target}>" "${corpus}")
        endif()
    endforeach()
endfunction()

function(sn_python_tests label pattern)
    file(GLOB scripts CONFIGURE_DEPENDS "${pattern}")
    foreach(script IN LISTS scripts)
        get_filename_component(name "${script}" NAME_WE)
        # A name that starts with an underscore is a module that the tests import.
        if(NOT name MATCHES "^_")
            string(REGEX REPLACE "_(lint|test)$" "" name "${name}")
            sn_add_test(${label}_${name} ${label} "${SN_PYTHON}" "${script}")
        endif()
    endforeach()
endfunction()
