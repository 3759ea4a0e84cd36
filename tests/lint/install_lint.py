"""What `install` puts down can be used: by pkg-config and by CMake, shared and static, C and C++."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import _tree

CONSUMER = """
#include <sonde/sonde.h>
#include <stdio.h>
int main(void) {
    return puts(sonde_version()) < 0;
}
"""
# libsonde-http: exporter and middleware, when it was built.
HTTP_CONSUMER = """
#include <sonde/http_exporter.h>
#include <sonde/microhttpd.h>
#include <stdio.h>
int main(void) {
    sonde_microhttpd_options none = {0};
    return sonde_microhttpd_new(&none, NULL) != NULL || sonde_http_exporter_stop(NULL) != NULL ||
           puts(sonde_version()) < 0;
}
"""
PROJECT = """
cmake_minimum_required(VERSION 3.16)
project(consumer C)
find_package(Sonde REQUIRED)
add_executable(with_shared consumer.c)
target_link_libraries(with_shared Sonde::sonde)
add_executable(with_static consumer.c)
target_link_libraries(with_static Sonde::sonde_static)
"""
HTTP_PROJECT = """
add_executable(http_shared http.c)
target_link_libraries(http_shared Sonde::sonde_http)
add_executable(http_static http.c)
target_link_libraries(http_static Sonde::sonde_http_static)
"""


def check(_root, build):
    has_http = (build / "libsonde-http.so").exists()
    with tempfile.TemporaryDirectory(prefix="sonde-install-") as name:
        work = Path(name)
        prefix = work / "prefix"
        (work / "consumer.c").write_text(CONSUMER)
        (work / "consumer.cpp").write_text(CONSUMER)
        (work / "http.c").write_text(HTTP_CONSUMER)
        (work / "CMakeLists.txt").write_text(PROJECT + (HTTP_PROJECT if has_http else ""))
        try:
            output(["cmake", "--install", build, "--prefix", prefix], work)
            return check_versions(with_pkg_config(work, prefix, has_http) +
                                  with_cmake(work, prefix, has_http))
        except subprocess.CalledProcessError as error:
            return [f"{' '.join(map(str, error.cmd))}: {error.stdout}{error.stderr}"]


def check_versions(found):
    return [f"{what} prints {text!r}, its package says {version!r}"
            for what, text, version in found if text != version]


def with_pkg_config(work, prefix, has_http):
    libraries = next(prefix.rglob("sonde.pc")).parent.parent
    environment = {**os.environ, "PKG_CONFIG_PATH": str(libraries / "pkgconfig"),
                   "LD_LIBRARY_PATH": str(libraries)}
    ask = ["pkg-config", f"--define-variable=prefix={prefix}"]
    version = output([*ask, "--modversion", "sonde"], work, environment)
    shared = output([*ask, "--cflags", "--libs", "sonde"], work, environment).split()
    static = output([*ask, "--static", "--cflags", "--libs", "sonde"], work, environment).split()
    static = ["-l:libsonde.a" if flag == "-lsonde" else flag for flag in static]
    commands = [("c_shared", ["gcc", "-std=c99", "consumer.c", *shared]),
                ("c_static", ["gcc", "-std=c99", "consumer.c", *static]),
                ("cxx_shared", ["g++", "-std=c++17", "consumer.cpp", *shared])]
    if has_http:
        http = output([*ask, "--cflags", "--libs", "sonde-http"], work, environment).split()
        commands.append(("http_shared", ["gcc", "-std=c99", "http.c", *http]))
    found = []
    for what, command in commands:
        output([*command, "-o", what], work, environment)
        found.append((what, output([f"./{what}"], work, environment), version))
    return found


def with_cmake(work, prefix, has_http):
    binary = work / "binary"
    output(["cmake", "-G", "Ninja", "-S", work, "-B", binary, f"-DCMAKE_PREFIX_PATH={prefix}"], work)
    output(["ninja", "-C", binary], work)
    config = _tree.read(next(prefix.rglob("SondeConfigVersion.cmake")))
    version = config.split('PACKAGE_VERSION "')[1].split('"')[0]
    names = ("with_shared", "with_static") + (("http_shared", "http_static") if has_http else ())
    return [(name, output([binary / name], work), version) for name in names]


def output(command, work, environment=None):
    return subprocess.run(command, cwd=work, env=environment, check=True, text=True,
                          capture_output=True).stdout.strip()


if __name__ == "__main__":
    if not (Path(os.environ.get("SONDE_BUILD", "build/dev")) / "libsonde.so").exists():
        print("libsonde is not built")
        sys.exit(77)
    _tree.main(check)
