"""Includes between modules are those of src/LAYERS, and pure modules see no OS header."""

import re

import _tree

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)

# What a pure module may include with angle brackets: language, memory, numbers. No stdio.h: it is
# files; formatting goes through base.
PURE_SYSTEM_HEADERS = {
    "assert.h", "errno.h", "float.h", "inttypes.h", "limits.h", "math.h", "stdalign.h", "stdarg.h",
    "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h", "stdlib.h", "string.h", "tgmath.h",
    "immintrin.h", "nmmintrin.h", "smmintrin.h", "emmintrin.h", "arm_acle.h", "arm_neon.h",
}
# Libraries that turn bytes into bytes.
PURE_LIBRARY_HEADERS = {"zlib.h", "zstd.h", "lz4.h", "snappy-c.h", "pcre2.h"}
# The rooms of base that ask the operating system.
BASE_OS_HEADERS = {"base/os.h", "base/lock.h", "base/log.h"}


def check(root, _build):
    layers = _tree.Layers(root)
    problems = list(layers.problems)
    excused, bad_entries = _tree.reasons(root / "tests/lint/layers_allowed.txt", 2)
    problems += bad_entries
    for path in _tree.files(root, ("src",), (".c", ".h")):
        problems += check_file(root, layers, path, path.parts[1], excused)
    problems += check_excuses(root, excused)
    for path in _tree.files(root, ("tests", "bench"), (".c", ".h")):
        if path.parts[1] in layers.allowed:
            problems += check_file(root, layers, path, path.parts[1])
    for path in _tree.files(root, ("include", "examples"), (".c", ".h")):
        for bracket, name in INCLUDE.findall(_tree.read(root / path)):
            if bracket == '"' and not name.startswith("sonde/") and not is_beside(root, path, name):
                problems.append(f"{path}: includes {name}; only sonde/ exists for our users")
    return problems


def is_beside(root, path, name):
    """A header of the example's own folder."""
    return path.parts[0] == "examples" and len(path.parts) == 3 and "/" not in name and \
        (root / path.parent / name).exists()


def check_excuses(root, excused):
    return [f"layers_allowed.txt: {path} does not include {header}: shrink it"
            for path, header in sorted(excused)
            if not (root / path).exists() or header not in _tree.read(root / path)]


def check_file(root, layers, path, module, excused=()):
    if module not in layers.allowed:
        return [f"{path}: {module} is not in src/LAYERS"]
    problems = []
    for bracket, name in INCLUDE.findall(_tree.read(root / path)):
        if bracket == '"':
            problems += check_own(layers, path, module, name)
        is_excused = (str(path), name) in excused
        if path.parts[0] == "src" and module in layers.pure and not is_excused:
            problems += check_pure(path, bracket, name)
    return problems


def check_own(layers, path, module, name):
    other = name.split("/")[0]
    if "/" not in name:
        # A test's support header lies beside it; sources always say the module.
        return [] if path.parts[0] != "src" else [f"{path}: \"{name}\" must name its module"]
    if other in ("sonde", module):
        return []
    if other not in layers.allowed:
        return [f"{path}: includes {name}, and {other} is no module"]
    if other not in layers.allowed[module]:
        return [f"{path}: {module} may not include {other} ({name})"]
    if name.endswith("_priv.h"):
        return [f"{path}: {name} is private to {other}"]
    return []


def check_pure(path, bracket, name):
    if bracket == "<" and name not in PURE_SYSTEM_HEADERS | PURE_LIBRARY_HEADERS:
        return [f"{path}: a pure module may not include <{name}>"]
    if bracket == '"' and name in BASE_OS_HEADERS:
        return [f"{path}: a pure module may not include {name}"]
    return []


if __name__ == "__main__":
    _tree.main(check)
