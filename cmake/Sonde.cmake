# The functions that turn a directory into targets.
#
#   src/<module>/*.c                        static library sn_<module>
#   src/<module>/CMakeLists.txt             optional, only sets variables:
#       SN_EXTERNAL       pkg-config names that the module needs
#       SN_EXTERNAL_LIBRARY  libraries without a pkg-config file, by the name that the linker knows
#       SN_TEST_EXTERNAL  pkg-config names that only its tests need
#       SN_TEST_SUPPORT   support files of other modules' tests: <module>/<file> of
#                         tests/<module>/<file>_support.c
#       SN_TEST_NOT_MSAN  tests that MemorySanitizer cannot run: <file> of tests/<module>/<file>_test.c
#       SN_FAST           sources compiled with -O3 in release: loops over all samples
#       SN_EMBEDS_WEB     ON: the dashboard is embedded in the module, see cmake/Web.cmake
#       SN_RAW_ALLOC      sources compiled with -DSN_BANNED_ALLOW_ALLOC (see base/banned.h)
#   bench/<module>/<name>_bench.c           bench_<module>_<name>, by target "bench"
#   examples/<name>.c, <name>/*.c           example_<name>
#
# A module that has no source yet is skipped.

find_package(PkgConfig REQUIRED)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

# Read LAYERS into SN_MODULES, SN_PURE and SN_ALLOWED_<module>.
function(sn_read_layers file)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
    file(STRINGS "${file}" lines REGEX "^[^#]+:")
    set(modules "")
    foreach(line IN LISTS lines)
        string(REGEX MATCH "^([@a-z]+):(.*)$" _ "${line}")
        set(name "${CMAKE_MATCH_1}")
        string(STRIP "${CMAKE_MATCH_2}" allowed)
        string(REGEX REPLACE "[ \t]+" ";" allowed "${allowed}")
        if(name STREQUAL "@pure")
            set(SN_PURE "${allowed}" PARENT_SCOPE)
            continue()
        endif()
        if(allowed STREQUAL "*")
            set(allowed "${modules}")
        endif()
        foreach(other IN LISTS allowed)
            if(NOT other IN_LIST modules)
                message(FATAL_ERROR "src/LAYERS: ${name} names ${other}, which is not above it")
            endif()
        endforeach()
        set(SN_ALLOWED_${name} "${allowed}" PARENT_SCOPE)
        list(APPEND modules "${name}")
    endforeach()
    set(SN_MODULES "${modules}" PARENT_SCOPE)
endfunction()

# Set ret to the imported targets of pkg-config names.
function(sn_externals ret)
    set(targets "")
    foreach(name IN LISTS ARGN)
        string(MAKE_C_IDENTIFIER "SN_PKG_${name}" id)
        if(NOT TARGET PkgConfig::${id})
            pkg_check_modules(${id} REQUIRED IMPORTED_TARGET GLOBAL ${name})
        endif()
        list(APPEND targets PkgConfig::${id})
    endforeach()
    set(${ret} "${targets}" PARENT_SCOPE)
endfunction()

# Set ret to those of the named modules that exist as targets.
function(sn_existing ret)
    set(targets "")
    foreach(module IN LISTS ARGN)
        if(TARGET sn_${module})
            list(APPEND targets sn_${module})
        endif()
    endforeach()
    set(${ret} "${targets}" PARENT_SCOPE)
endfunction()

# Everything that sees the sources of the tree, with the banned names switched on.
function(sn_internal_target target)
    target_include_directories(${target} PRIVATE "${CMAKE_SOURCE_DIR}/src"
                                                 "${CMAKE_SOURCE_DIR}/include")
    target_compile_options(${target} PRIVATE
        "$<${SN_C_ONLY}:SHELL:-include ${CMAKE_SOURCE_DIR}/src/base/banned.h>")
    set_target_properties(${target} PROPERTIES UNITY_BUILD OFF)
endfunction()

# Embed a file: const unsigned char sn_asset_<symbol>[], const size_t sn_asset_<symbol>_len.
# A NUL follows the last byte and is not counted.
function(sn_embed target file symbol)
    cmake_path(ABSOLUTE_PATH file NORMALIZE OUTPUT_VARIABLE SN_EMBED_FILE)
    set(SN_EMBED_SYMBOL "sn_asset_${symbol}")
    set(source "${CMAKE_BINARY_DIR}/embed/${target}_${symbol}.S")
    configure_file("${CMAKE_SOURCE_DIR}/cmake/embed.S.in" "${source}" @ONLY)
    set_source_files_properties("${source}" PROPERTIES OBJECT_DEPENDS "${SN_EMBED_FILE}")
    target_sources(${target} PRIVATE "${source}")
endfunction()

function(sn_module module)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "EXTERNAL")
    set(dir "${CMAKE_SOURCE_DIR}/src/${module}")
    file(GLOB sources CONFIGURE_DEPENDS "${dir}/*.c")
    list(REMOVE_ITEM sources "${CMAKE_SOURCE_DIR}/src/app/main.c")
    if(NOT sources OR (SN_ONLY AND NOT module IN_LIST SN_ONLY))
        return()
    endif()
    set(SN_EXTERNAL "")
    set(SN_EXTERNAL_LIBRARY "")
    set(SN_TEST_EXTERNAL "")
    set(SN_TEST_SUPPORT "")
    set(SN_TEST_NOT_MSAN "")
    set(SN_RAW_ALLOC "")
    set(SN_FAST "")
    set(SN_EMBEDS_WEB OFF)
    include("${dir}/CMakeLists.txt" OPTIONAL)
    set_property(GLOBAL PROPERTY SN_TEST_EXTERNAL_${module} "${SN_TEST_EXTERNAL}")
    set_property(GLOBAL PROPERTY SN_TEST_SUPPORT_${module} "${SN_TEST_SUPPORT}")
    set_property(GLOBAL PROPERTY SN_TEST_NOT_MSAN_${module} "${SN_TEST_NOT_MSAN}")

    set(target sn_${module})
    add_library(${target} STATIC ${sources})
    sn_internal_target(${target})
    foreach(source IN LISTS SN_RAW_ALLOC)
        set_property(SOURCE "${dir}/${source}" APPEND PROPERTY
                     COMPILE_DEFINITIONS SN_BANNED_ALLOW_ALLOC)
    endforeach()
    foreach(source IN LISTS SN_FAST)
        set_property(SOURCE "${dir}/${source}" APPEND PROPERTY
                     COMPILE_OPTIONS "$<$<CONFIG:RelWithDebInfo>:-O3;-falign-loops=32>")
    endforeach()
    if(SN_EMBEDS_WEB)
        sn_embed_web(${target})
    endif()
    sn_existing(below ${SN_ALLOWED_${module}})
    sn_externals(external ${SN_EXTERNAL} ${arg_EXTERNAL})
    foreach(name IN LISTS SN_EXTERNAL_LIBRARY)
        find_library(SN_LIBRARY_${name} ${name} REQUIRED)
        mark_as_advanced(SN_LIBRARY_${name})
        list(APPEND external "${SN_LIBRARY_${name}}")
    endforeach()
    # The archive that is used comes before the archives it uses: last module first.
    list(REVERSE below)
    target_link_libraries(${target} PUBLIC ${below} ${external} Threads::Threads m)
    if(SN_LINK_CHECK)
        sn_link_check(${module})
    endif()
endfunction()

# A shared object of the whole module and what it may use, with no symbol left open: a call to
# something that the module may not use does not link.
function(sn_link_check module)
    set(stub "${CMAKE_BINARY_DIR}/link_check/empty.c")
    if(NOT EXISTS "${stub}")
        file(WRITE "${stub}" "extern int sn_link_check_empty;\nint sn_link_check_empty;\n")
    endif()
    add_library(link_check_${module} SHARED "${stub}")
    set_target_properties(link_check_${module} PROPERTIES
        LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/link_check")
    target_link_options(link_check_${module} PRIVATE -Wl,-z,defs)
    target_link_libraries(link_check_${module} PRIVATE
        "$<LINK_LIBRARY:WHOLE_ARCHIVE,sn_${module}>")
endfunction()

# The server: src/app/main.c and all modules.
function(sn_server)
    set(main "${CMAKE_SOURCE_DIR}/src/app/main.c")
    file(GLOB found CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/app/main.*")
    if(NOT main IN_LIST found OR SN_ONLY)
        return()
    endif()
    add_executable(sonde "${main}")
    sn_internal_target(sonde)
    set(modules ${SN_MODULES})
    list(REVERSE modules)
    sn_existing(all ${modules})
    target_link_libraries(sonde PRIVATE ${all})
    install(TARGETS sonde RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endfunction()

# libsonde: the client module and what it needs of the modules below, exporting sonde_* only.
function(sn_library)
    if(NOT TARGET sn_client)
        return()
    endif()
    set(map "${CMAKE_SOURCE_DIR}/cmake/libsonde.map")
    sn_existing(below ${SN_ALLOWED_client})
    set(objects "")
    foreach(lib IN LISTS below)
        list(APPEND objects "$<TARGET_OBJECTS:${lib}>")
    endforeach()

    add_library(sonde_shared SHARED "$<TARGET_OBJECTS:sn_client>")
    list(REVERSE below)
    target_link_libraries(sonde_shared PRIVATE ${below} Threads::Threads m)
    # A thread's exit hook and fork handlers stay registered: dlclose must not unmap their code.
    target_link_options(sonde_shared PRIVATE "-Wl,--version-script=${map}" -Wl,--exclude-libs,ALL
                        -Wl,-z,nodelete)
    set_target_properties(sonde_shared PROPERTIES
        OUTPUT_NAME sonde VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
        LINK_DEPENDS "${map}" EXPORT_NAME sonde)
    add_library(sonde_static STATIC "$<TARGET_OBJECTS:sn_client>" ${objects})
    set_target_properties(sonde_static PROPERTIES OUTPUT_NAME sonde LINKER_LANGUAGE C)
    target_link_libraries(sonde_static INTERFACE Threads::Threads m)
    foreach(lib sonde_shared sonde_static)
        target_include_directories(${lib} INTERFACE
            "$<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>"
            "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
    endforeach()
    sn_http_library()
    sn_install_library()
endfunction()

# libsonde-http: the module clienthttp on top of libsonde, for programs that have libmicrohttpd.
# The shared one carries its own hidden copy of base; the static one finds base in libsonde.a.
function(sn_http_library)
    if(NOT TARGET sn_clienthttp)
        return()
    endif()
    set(map "${CMAKE_SOURCE_DIR}/cmake/libsonde.map")
    include("${CMAKE_SOURCE_DIR}/src/clienthttp/CMakeLists.txt")
    sn_externals(external ${SN_EXTERNAL})
    add_library(sonde_http_shared SHARED "$<TARGET_OBJECTS:sn_clienthttp>")
    target_link_libraries(sonde_http_shared PUBLIC sonde_shared
                          PRIVATE sn_base ${external} Threads::Threads)
    target_link_options(sonde_http_shared PRIVATE "-Wl,--version-script=${map}"
                        -Wl,--exclude-libs,ALL)
    set_target_properties(sonde_http_shared PROPERTIES
        OUTPUT_NAME sonde-http VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
        LINK_DEPENDS "${map}" EXPORT_NAME sonde_http)
    add_library(sonde_http_static STATIC "$<TARGET_OBJECTS:sn_clienthttp>")
    set_target_properties(sonde_http_static PROPERTIES OUTPUT_NAME sonde-http LINKER_LANGUAGE C)
    target_link_libraries(sonde_http_static INTERFACE sonde_static microhttpd z)
endfunction()

function(sn_install_library)
    include(CMakePackageConfigHelpers)
    set(config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/Sonde")
    set(http "")
    if(TARGET sonde_http_shared)
        set(http sonde_http_shared sonde_http_static)
        configure_file("${CMAKE_SOURCE_DIR}/packaging/sonde-http.pc.in"
                       "${CMAKE_BINARY_DIR}/sonde-http.pc" @ONLY)
        install(FILES "${CMAKE_BINARY_DIR}/sonde-http.pc"
                DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
    endif()
    install(TARGETS sonde_shared sonde_static ${http} EXPORT SondeTargets
            LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
            ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
    install(EXPORT SondeTargets NAMESPACE Sonde:: DESTINATION "${config_dir}")
    install(DIRECTORY "${CMAKE_SOURCE_DIR}/include/sonde"
            DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h")
    configure_file("${CMAKE_SOURCE_DIR}/packaging/sonde.pc.in" "${CMAKE_BINARY_DIR}/sonde.pc" @ONLY)
    install(FILES "${CMAKE_BINARY_DIR}/sonde.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
    configure_package_config_file("${CMAKE_SOURCE_DIR}/packaging/SondeConfig.cmake.in"
        "${CMAKE_BINARY_DIR}/SondeConfig.cmake" INSTALL_DESTINATION "${config_dir}")
    write_basic_package_version_file("${CMAKE_BINARY_DIR}/SondeConfigVersion.cmake"
                                     COMPATIBILITY SameMinorVersion)
    install(FILES "${CMAKE_BINARY_DIR}/SondeConfig.cmake"
                  "${CMAKE_BINARY_DIR}/SondeConfigVersion.cmake" DESTINATION "${config_dir}")
endfunction()

# bench/<module>/<name>_bench.c with *_support.c beside it, linked like the module's tests.
function(sn_benchmarks)
    add_custom_target(bench)
    foreach(module IN LISTS SN_MODULES)
        file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/bench/${module}/*_bench.c")
        file(GLOB support CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/bench/${module}/*_support.c")
        # What the module's tests compare with, where it is installed: a plain build must not need
        # it, so that the benchmark asks by __has_include.
        get_property(names GLOBAL PROPERTY SN_TEST_EXTERNAL_${module})
        set(external "")
        foreach(name IN LISTS names)
            string(MAKE_C_IDENTIFIER "SN_BENCH_${name}" id)
            pkg_check_modules(${id} QUIET IMPORTED_TARGET ${name})
            if(${id}_FOUND)
                list(APPEND external PkgConfig::${id})
            endif()
        endforeach()
        foreach(source IN LISTS sources)
            if(NOT TARGET sn_${module})
                continue()
            endif()
            get_filename_component(name "${source}" NAME_WE)
            string(REGEX REPLACE "_bench$" "" name "${name}")
            set(target bench_${module}_${name})
            add_executable(${target} EXCLUDE_FROM_ALL "${source}" ${support})
            sn_internal_target(${target})
            target_compile_definitions(${target} PRIVATE SN_BANNED_ALLOW_ALLOC)
            # A short loop that crosses a line of the cache takes two cycles per turn whatever is in
            # it: where the linker puts it must not be what is measured.
            target_compile_options(${target} PRIVATE -falign-loops=64)
            target_link_libraries(${target} PRIVATE sn_${module} ${external})
            add_dependencies(bench ${target})
        endforeach()
    endforeach()
endfunction()

# Examples see what an installed libsonde shows and nothing more. One that includes a header of
# libsonde-http is linked with it and with libmicrohttpd. A folder is one example. Without tests they
# are built when named only.
function(sn_examples)
    file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/examples/*.c"
                                        "${CMAKE_SOURCE_DIR}/examples/*.cpp")
    foreach(source IN LISTS sources)
        get_filename_component(name "${source}" NAME_WE)
        sn_example(${name} "${source}")
    endforeach()
    file(GLOB mains CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/examples/*/main.c")
    foreach(source IN LISTS mains)
        get_filename_component(folder "${source}" DIRECTORY)
        get_filename_component(name "${folder}" NAME)
        file(GLOB parts CONFIGURE_DEPENDS "${folder}/*.c")
        sn_example(${name} ${parts})
    endforeach()
endfunction()

function(sn_example name)
    get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
    set(http "")
    foreach(source IN LISTS ARGN)
        file(STRINGS "${source}" lines REGEX "#include <sonde/(microhttpd|http_exporter)\\.h>")
        list(APPEND http ${lines})
    endforeach()
    if(NOT TARGET sonde_shared OR (http AND NOT TARGET sonde_http_shared) OR
       (ARGN MATCHES "\\.cpp$" AND NOT "CXX" IN_LIST languages))
        return()
    endif()
    add_executable(example_${name} ${ARGN})
    target_link_libraries(example_${name} PRIVATE sonde_shared Threads::Threads m)
    if(http)
        sn_externals(microhttpd libmicrohttpd)
        target_link_libraries(example_${name} PRIVATE sonde_http_shared ${microhttpd})
    endif()
    target_compile_options(example_${name} PRIVATE
                           "$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-pedantic-errors>")
    if(SN_TESTS)
        sn_add_test(example_${name} examples "$<TARGET_FILE:example_${name}>" --self-test)
    else()
        set_target_properties(example_${name} PROPERTIES EXCLUDE_FROM_ALL ON)
    endif()
endfunction()

# One object per header: it must compile with nothing before it. Public headers also as C99 and
# as C++17 without extensions.
function(sn_header_check)
    file(GLOB private RELATIVE "${CMAKE_SOURCE_DIR}/src" CONFIGURE_DEPENDS
         "${CMAKE_SOURCE_DIR}/src/*/*.h")
    file(GLOB public RELATIVE "${CMAKE_SOURCE_DIR}/include" CONFIGURE_DEPENDS
         "${CMAKE_SOURCE_DIR}/include/sonde/*.h")
    sn_header_objects(header_check_c11 c "-std=gnu11" ${private} ${public})
    sn_header_objects(header_check_c99 c "-std=c99;-pedantic-errors" ${public})
    if(CMAKE_CXX_COMPILER)
        sn_header_objects(header_check_cxx17 cpp "-std=c++17;-pedantic-errors;-Wall;-Wextra" ${public})
    endif()
endfunction()

function(sn_header_objects target suffix options)
    set(sources "")
    foreach(header IN LISTS ARGN)
        set(source "${CMAKE_BINARY_DIR}/${target}/${header}.${suffix}")
        # The declaration keeps a header of macros only from being an empty translation unit.
        file(CONFIGURE OUTPUT "${source}" @ONLY
             CONTENT "#include \"${header}\"\nextern int sn_header_check;\n")
        list(APPEND sources "${source}")
    endforeach()
    if(sources)
        add_library(${target} OBJECT ${sources})
        target_include_directories(${target} PRIVATE "${CMAKE_SOURCE_DIR}/src"
                                                     "${CMAKE_SOURCE_DIR}/include")
        target_compile_options(${target} PRIVATE ${options})
    endif()
endfunction()
