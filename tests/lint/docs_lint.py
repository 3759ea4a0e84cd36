"""Links and paths in the documents lead to files that exist."""

import re

import _tree

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE_PATH = re.compile(
    r"`((?:src|include|tests|bench|examples|docs|cmake|packaging|web)/[\w./-]*[\w/])`")


def check(root, _build):
    problems = []
    documents = sorted(root.glob("*.md")) + sorted((root / "docs").glob("**/*.md"))
    for path in documents:
        text = _tree.read(path)
        name = path.relative_to(root)
        for target in LINK.findall(text):
            target = target.split("#")[0]
            if target and ":" not in target and not (path.parent / target).exists():
                problems.append(f"{name}: link to {target}, which does not exist")
        for target in CODE_PATH.findall(text):
            if not (root / target).exists():
                problems.append(f"{name}: names {target}, which does not exist")
    return problems


if __name__ == "__main__":
    _tree.main(check)
