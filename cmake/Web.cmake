# The dashboard: web/ becomes build/web/*, once for all presets, and is embedded.
#
# web/build.mjs does the work and leaves it when nothing in web/ has changed. Node.js is needed to
# build, never to run; where there is none, a build/web made elsewhere will do.

set(SN_WEB_DIR "${CMAKE_SOURCE_DIR}/build/web")
set(SN_WEB_FILES index.html.gz app.js.gz app.css.gz app.js.name app.css.name)

# Embed each file: sn_asset_<file_name>[], sn_asset_<file_name>_len.
function(sn_embed_web target)
    sn_web_target()
    foreach(name IN LISTS SN_WEB_FILES)
        string(MAKE_C_IDENTIFIER "${name}" symbol)
        sn_embed(${target} "${SN_WEB_DIR}/${name}" "${symbol}")
    endforeach()
    if(TARGET web)
        add_dependencies(${target} web)
    endif()
endfunction()

# The target "web", which makes the files, or a clear word where they cannot be made.
function(sn_web_target)
    find_program(SN_NODE node)
    find_program(SN_NPM npm)
    mark_as_advanced(SN_NODE SN_NPM)
    set(outputs "")
    set(missing "")
    foreach(name IN LISTS SN_WEB_FILES)
        list(APPEND outputs "${SN_WEB_DIR}/${name}")
        if(NOT EXISTS "${SN_WEB_DIR}/${name}")
            set(missing "${name}")
        endif()
    endforeach()
    if(NOT SN_NODE OR NOT SN_NPM)
        if(missing)
            message(FATAL_ERROR "The dashboard is not built (${SN_WEB_DIR}/${missing} is missing) and "
                    "there is no Node.js with npm to build it. Run ./dev build, which installs both.")
        endif()
        message(STATUS "no Node.js: the dashboard in build/web is embedded as it is")
        return()
    endif()
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/web/src/*")
    add_custom_command(OUTPUT ${outputs}
        COMMAND "${SN_NODE}" "${CMAKE_SOURCE_DIR}/web/build.mjs"
        DEPENDS ${sources} "${CMAKE_SOURCE_DIR}/web/build.mjs"
                "${CMAKE_SOURCE_DIR}/web/package-lock.json"
        COMMENT "Building the dashboard" VERBATIM)
    add_custom_target(web DEPENDS ${outputs})
endfunction()

# The types of web/src, and web/test/*_test.ts under node: label web. Once is enough, whatever the compiler: preset dev.
function(sn_web_tests)
    find_program(SN_NODE node)
    if(NOT SN_NODE OR NOT TARGET web)
        return()
    endif()
    sn_add_test(web_types web "${SN_NODE}" "${CMAKE_SOURCE_DIR}/web/check.mjs" types)
    sn_add_test(web_unit web "${SN_NODE}" "${CMAKE_SOURCE_DIR}/web/check.mjs" unit)
endfunction()
