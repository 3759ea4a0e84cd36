"""Names: nothing ends in _t, structs have no typedef inside, work to come has an issue number."""

import re

import _tree

TYPEDEF = re.compile(r"^\s*typedef\b([^;{]*(?:\{[^}]*\})?[^;]*);", re.M)
TAG = re.compile(r"\b(?:struct|union|enum)\s+(\w+_t)\b\s*\{")
NAME_AT_END = re.compile(r"\(\s*\*\s*(\w+)\s*\)|(\w+)\s*(?:\[[^\]]*\]\s*)?$")
BLOCK = re.compile(r"\{.*\}", re.S)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
LATER = re.compile(r"\b(?:TODO(?!\(#\d+\))|FIXME|XXX|HACK)\b")


def check(root, _build):
    problems = []
    for path in _tree.files(root, _tree.SOURCE_DIRS, (".c", ".h")):
        text = _tree.read(root / path)
        problems += check_types(path, COMMENT.sub(" ", text))
        problems += check_later(path, text)
    for path in _tree.files(root, ("tests/system", "cmake"), (".py", ".cmake", ".sh")):
        problems += check_later(path, _tree.read(root / path))
    return problems


def check_types(path, text):
    problems = [f"{path}: {tag}: names that end in _t belong to POSIX" for tag in TAG.findall(text)]
    for match in TYPEDEF.finditer(text):
        body = BLOCK.sub(" ", match.group(1)).strip()
        found = NAME_AT_END.search(body)
        name = (found.group(1) or found.group(2)) if found else body
        if name.endswith("_t"):
            problems.append(f"{path}: {name}: names that end in _t belong to POSIX")
        if path.parts[0] == "include" and not name.startswith("sonde_"):
            problems.append(f"{path}: {name}: a public type is called sonde_...")
        if path.parts[0] == "src" and re.match(r"(struct|union)\b", body) and "*" not in body:
            problems.append(f"{path}: {name}: inside, a struct is written out (no typedef)")
    return problems


def check_later(path, text):
    return [f"{path}:{number}: work to come is TODO(#issue)"
            for number, line in enumerate(text.splitlines(), 1) if LATER.search(line)]


if __name__ == "__main__":
    _tree.main(check)
