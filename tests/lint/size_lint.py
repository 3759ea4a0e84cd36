"""Functions of at most 70 lines and complexity 15 (pmccabe, modified), files of at most 1000.

src/size_debt.txt lists what was larger when the rule came, and may only shrink:

    path function lines complexity
    path - lines
"""

import subprocess

import _tree

FUNCTION_LINES_MAX = 70
COMPLEXITY_MAX = 15
FILE_LINES_MAX = 1000


def check(root, _build):
    measured = {**large_files(root), **large_functions(root)}
    debts, problems = read_debts(root / "src/size_debt.txt")
    for key, size in sorted(measured.items()):
        problems += judge(key, size, debts.get(key))
    for key in sorted(debts.keys() - measured.keys()):
        problems.append(f"size_debt.txt: {' '.join(key)} is within the limits: shrink it")
    return problems


def judge(key, size, debt):
    name = " ".join(key)
    if debt is None:
        return [f"{name}: {describe(size)}"]
    if any(now > was for now, was in zip(size, debt)):
        return [f"{name}: {describe(size)}, more than its debt {debt}"]
    if size != debt:
        return [f"size_debt.txt: {name} has {size} now instead of {debt}: shrink it"]
    return []


def describe(size):
    if len(size) == 1:
        return f"{size[0]} lines, {FILE_LINES_MAX} is the limit of a file"
    return (f"{size[0]} lines, complexity {size[1]}; "
            f"{FUNCTION_LINES_MAX} and {COMPLEXITY_MAX} are the limits of a function")


def read_debts(path):
    debts, problems = {}, []
    for number, line in enumerate(_tree.read(path).splitlines() if path.exists() else [], 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        numbers = words[2:]
        if len(words) < 3 or not all(word.isdigit() for word in numbers):
            problems.append(f"size_debt.txt:{number}: want 'path function lines complexity'")
            continue
        debts[(words[0], words[1])] = tuple(int(word) for word in numbers)
    return debts, problems


def large_files(root):
    sizes = {}
    for path in _tree.files(root, _tree.SOURCE_DIRS, (".c", ".h", ".py")):
        count = _tree.read(root / path).count("\n")
        if count > FILE_LINES_MAX:
            sizes[(str(path), "-")] = (count,)
    return sizes


def large_functions(root):
    sizes = {}
    paths = [str(path) for path in _tree.files(root, _tree.SOURCE_DIRS, (".c", ".h"))]
    if not paths:
        return sizes
    output = subprocess.run(["pmccabe", *paths], cwd=root, check=False, text=True,
                            capture_output=True).stdout
    for line in output.splitlines():
        # modified complexity, traditional, statements, first line, lines, file(line): function
        fields = line.split("\t")
        if len(fields) < 6:
            continue
        complexity, lines = int(fields[0]), int(fields[4])
        place, _, function = fields[5].partition(": ")
        if lines > FUNCTION_LINES_MAX or complexity > COMPLEXITY_MAX:
            sizes[(place.split("(")[0], function.strip())] = (lines, complexity)
    return sizes


if __name__ == "__main__":
    _tree.main(check)
