"""Every C file is as clang-format 14 lays it out; `./dev format` does that."""

import re
import subprocess

import _tree


def check(root, _build):
    paths = [str(path) for path in _tree.files(root, _tree.SOURCE_DIRS, (".c", ".h"))]
    if not paths:
        return []
    done = subprocess.run(["clang-format-14", "--dry-run", "--Werror", "--ferror-limit=1", *paths],
                          cwd=root, check=False, text=True, capture_output=True)
    if done.returncode == 0:
        return []
    places = re.findall(r"^(\S+?):(\d+):\d+: error", done.stderr, re.M)
    return [f"{path}:{line}: not formatted; run ./dev format" for path, line in places] or [
        done.stderr]


if __name__ == "__main__":
    _tree.main(check)
