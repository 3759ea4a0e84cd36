"""base/banned.h does refuse what it bans, with both compilers, and lets the rest through."""

import re
import shutil
import subprocess

import _tree

# The names that matter most must be in the header whatever else is.
MUST_BE_BANNED = {
    "malloc", "calloc", "realloc", "free", "strdup", "strcpy", "strcat", "sprintf", "vsprintf",
    "gets", "strtok", "strtod", "strtof", "atof", "atoi", "sscanf", "isalpha", "tolower",
    "strcasecmp", "gmtime", "localtime", "strerror", "rand",
}
# Headers that mention the banned names and come after banned.h in every source.
HEADERS = ("stdlib.h", "string.h", "stdio.h", "pthread.h", "unistd.h", "time.h", "ctype.h",
           "sys/socket.h", "netdb.h", "math.h", "locale.h", "wchar.h", "immintrin.h")


def check(root, _build):
    header = root / "src/base/banned.h"
    names = set()
    for line in re.findall(r"^#pragma GCC poison (.*)$", _tree.read(header), re.M):
        names.update(line.split())
    problems = [f"base/banned.h does not poison {name}" for name in
                sorted(MUST_BE_BANNED - names)]
    for compiler in ("gcc", "clang"):
        if shutil.which(compiler):
            problems += check_compiler(compiler, header, names)
    return problems


def check_compiler(compiler, header, names):
    # Every name on its own line: an error in each line and in no other is what we want.
    text = "".join(f"int use_{name} = sizeof({name});\n" for name in sorted(names))
    errors = compile_text(compiler, header, text).stderr
    problems = [f"{compiler} lets {name} through" for number, name in enumerate(sorted(names), 1)
                if not re.search(rf"<stdin>:{number}:\d+: error:.*poison", errors)]
    includes = "".join(f"#include <{name}>\n" for name in HEADERS
                       if name != "immintrin.h" or has_sse(compiler))
    done = compile_text(compiler, header, includes)
    if done.returncode != 0:
        problems.append(f"{compiler}: a system header no longer compiles: {done.stderr}")
    return problems


def has_sse(compiler):
    return "__SSE__" in subprocess.run([compiler, "-dM", "-E", "-x", "c", "/dev/null"], text=True,
                                       check=True, capture_output=True).stdout


def compile_text(compiler, header, text):
    limit = "-fmax-errors=0" if compiler == "gcc" else "-ferror-limit=0"
    return subprocess.run([compiler, "-std=gnu11", "-fsyntax-only", "-Wall", "-Werror", limit,
                           "-include", str(header), "-x", "c", "-"], input=text, text=True,
                          check=False, capture_output=True)


if __name__ == "__main__":
    _tree.main(check)
