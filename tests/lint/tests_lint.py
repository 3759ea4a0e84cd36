"""src/<module>/<file>.c has tests/<module>/<file>_test.c, or a reason in untested.txt."""

import _tree


def check(root, _build):
    excused, problems = _tree.reasons(root / "tests/lint/untested.txt", 1)
    sources = {str(path) for path in _tree.files(root, ("src",), (".c",))}
    for source in sorted(sources):
        module, name = source.split("/")[1], source.split("/")[-1][:-2]
        has_test = (root / f"tests/{module}/{name}_test.c").exists()
        if not has_test and (source,) not in excused:
            problems.append(f"{source}: no tests/{module}/{name}_test.c")
        if has_test and (source,) in excused:
            problems.append(f"untested.txt: {source} has a test now: shrink it")
    for (source,) in sorted(excused.keys()):
        if source not in sources:
            problems.append(f"untested.txt: {source} does not exist: shrink it")
    return problems


if __name__ == "__main__":
    _tree.main(check)
