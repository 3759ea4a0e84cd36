"""What the lint checks share: the tree they look at, src/LAYERS, lists with reasons, nm.

A check is a module with `check(root, build) -> list of problems`, one sentence each. `main` runs
it on the tree of this build; `selftest_lint.py` runs it on small bad trees.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

SOURCE_DIRS = ("src", "include", "tests", "bench", "examples")


def main(check):
    root = Path(os.environ.get("SONDE_SOURCE", Path(__file__).resolve().parents[2]))
    build = Path(os.environ.get("SONDE_BUILD", root / "build" / "dev"))
    problems = check(root, build)
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)


def files(root, dirs, suffixes):
    """Files below `dirs` with one of the suffixes, as sorted paths relative to root."""
    found = []
    for top in dirs:
        for path in (root / top).rglob("*"):
            if path.suffix in suffixes and path.is_file():
                found.append(path.relative_to(root))
    return sorted(found)


def read(path):
    return path.read_text(encoding="utf-8", errors="replace")


class Layers:
    """src/LAYERS: `order` (lowest module first), `allowed` {module: set}, `pure` set."""

    def __init__(self, root):
        self.order, self.allowed, self.pure, self.problems = [], {}, set(), []
        for number, line in enumerate(read(root / "src/LAYERS").splitlines(), 1):
            line = line.split("#")[0].strip()
            if line:
                self._take(number, line)

    def _take(self, number, line):
        name, colon, rest = line.partition(":")
        names = self.order if rest.strip() == "*" else rest.split()
        if not colon:
            self.problems.append(f"src/LAYERS:{number}: a line is 'module: modules'")
            return
        for other in names:
            if other not in self.allowed:
                self.problems.append(
                    f"src/LAYERS:{number}: {name} names {other}, which is not above it: "
                    "a cycle, or an unknown module")
        if name == "@pure":
            self.pure = set(names)
        else:
            self.allowed[name] = set(names)
            self.order.append(name)


def reasons(path, key_count):
    """A list file: `key_count` words, then a reason. Returns ({keys: reason}, problems)."""
    entries, problems = {}, []
    if not path.exists():
        return entries, problems
    for number, line in enumerate(read(path).splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        words = line.split(None, key_count)
        if len(words) <= key_count:
            problems.append(f"{path.name}:{number}: an entry needs a reason")
        entries[tuple(words[:key_count])] = words[-1]
    return entries, problems


def run(*command):
    return subprocess.run(command, check=True, text=True, capture_output=True).stdout


def undefined_symbols(archive):
    """{symbol: set of objects that need it}, without those the archive defines itself."""
    needed, defined, current = {}, set(), ""
    for line in run("nm", str(archive)).splitlines():
        if line.endswith(":"):
            current = line[:-1]
            continue
        match = re.match(r"^[0-9a-f ]*\s([A-Za-z])\s(\S+)$", line)
        if not match:
            continue
        kind, symbol = match.group(1), match.group(2).split("@")[0]
        if kind in "Uvw":
            needed.setdefault(symbol, set()).add(current)
        elif kind.isupper():
            defined.add(symbol)
    return {symbol: objects for symbol, objects in needed.items() if symbol not in defined}


def defined_symbols(archive):
    """Global symbols that the archive defines."""
    lines = run("nm", "--defined-only", "--extern-only", str(archive)).splitlines()
    return {line.split()[-1] for line in lines if len(line.split()) == 3}


def module_archives(layers, build):
    """{module: libsn_<module>.a} for the modules that have been built."""
    paths = {module: build / f"libsn_{module}.a" for module in layers.order}
    return {module: path for module, path in paths.items() if path.exists()}


def is_compiler_symbol(symbol):
    """Symbols that the compiler asks for and no source names."""
    return symbol == "_GLOBAL_OFFSET_TABLE_" or symbol in (
        "__stack_chk_fail", "__tls_get_addr", "__assert_fail") or symbol.startswith("__gcov")
