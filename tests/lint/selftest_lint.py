"""Every check can fail: each is run on a small good tree and on bad ones made from it."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import banned_lint
import docs_lint
import format_lint
import layers_lint
import names_lint
import purity_lint
import size_lint
import symbols_lint
import tests_lint

HERE = Path(__file__).resolve().parent
GOOD = {
    "src/LAYERS": "base:\nmodel: base\nstore: base model\napp: *\n@pure: model\n",
    "src/base/base.h": "int sn_base(int x);\n",
    "src/base/base.c": '#include "base/base.h"\n\nint sn_base(int x) {\n    return x;\n}\n',
    "src/model/model.h": "int sn_model(int x);\n",
    "src/model/model.c": '#include "model/model.h"\n\n#include "base/base.h"\n\n'
                         "int sn_model(int x) {\n    return sn_base(x);\n}\n",
    "src/store/store.c": '#include "model/model.h"\n\nint sn_store(int x);\n'
                         "int sn_store(int x) {\n    return sn_model(x);\n}\n",
    "src/size_debt.txt": "",
    "include/sonde/sonde.h": "typedef struct sonde_thing {\n    int (*x)(void); /* as in {a;} */\n"
                             "} sonde_thing;\nint sonde_do(int x);\n",
    "tests/base/base_test.c": "int main(void) {\n    return 0;\n}\n",
    "tests/model/model_test.c": "int main(void) {\n    return 0;\n}\n",
    "tests/store/store_test.c": "int main(void) {\n    return 0;\n}\n",
    "README.md": "See [the layers](src/LAYERS) and `src/base/base.h`.\n",
}
LONG = "int f(int x);\nint f(int x) {\n" + "    x += 1;\n" * 80 + "    return x;\n}\n"
BRANCHES = ("int f(int x);\nint f(int x) {\n"
            + "".join(f"    if (x == {n}) {{\n        return {n};\n    }}\n" for n in range(16))
            + "    return x;\n}\n")

# (check, what is wrong, {path: text} on top of the good tree, a word of the expected sentence)
BAD = [
    (layers_lint, "forbidden include", {"src/base/x.c": '#include "model/model.h"\n'},
     "may not include model"),
    (layers_lint, "cycle in LAYERS", {"src/LAYERS": "base: model\nmodel: base\n"}, "cycle"),
    (layers_lint, "module without a line", {"src/other/x.c": "int x;\n"}, "not in src/LAYERS"),
    (layers_lint, "OS header in a pure module", {"src/model/x.c": "#include <unistd.h>\n"},
     "unistd.h"),
    (layers_lint, "stdio in a pure module", {"src/model/x.h": "#include <stdio.h>\n"}, "stdio.h"),
    (layers_lint, "base/os.h in a pure module", {"src/model/x.c": '#include "base/os.h"\n'},
     "base/os.h"),
    (layers_lint, "private header of another module",
     {"src/store/x.c": '#include "model/x_priv.h"\n'}, "private"),
    (layers_lint, "excuse that is not needed",
     {"tests/lint/layers_allowed.txt": "src/model/model.c base/os.h because\n"}, "shrink it"),
    (layers_lint, "test that reaches up", {"tests/base/x_test.c": '#include "store/store.h"\n'},
     "may not include store"),
    (layers_lint, "example that sees the inside",
     {"examples/x.c": '#include "base/base.h"\n'}, "only sonde/"),
    (layers_lint, "example that names a header it has not",
     {"examples/y/x.c": '#include "y.h"\n'}, "only sonde/"),
    (purity_lint, "pure module that asks the time",
     {"src/model/x.c": "#include <time.h>\nlong sn_x(void);\nlong sn_x(void) {\n"
                       "    return (long)time(0);\n}\n"}, "calls time"),
    (purity_lint, "entry without a reason", {"tests/lint/purity_allowed.txt": "memcpy\n"},
     "reason"),
    (symbols_lint, "raw malloc",
     {"src/store/x.c": "#include <stdlib.h>\nvoid *sn_x(void);\nvoid *sn_x(void) {\n"
                       "    return malloc(3);\n}\n"}, "calls malloc"),
    (symbols_lint, "system call outside base",
     {"src/store/x.c": "#include <unistd.h>\nint sn_x(void);\nint sn_x(void) {\n"
                       "    return fsync(3);\n}\n"}, "calls fsync"),
    (symbols_lint, "thread outside base",
     {"src/store/x.c": "#include <pthread.h>\nint sn_x(pthread_t *t, void *(*f)(void *));\n"
                       "int sn_x(pthread_t *t, void *(*f)(void *)) {\n"
                       "    return pthread_create(t, 0, f, 0);\n}\n"}, "calls pthread_create"),
    (symbols_lint, "call by a declaration of one's own",
     {"src/model/x.c": "int sn_store(int x);\nint sn_x(void);\nint sn_x(void) {\n"
                       "    return sn_store(1);\n}\n"}, "sn_store of store"),
    (symbols_lint, "global name without prefix", {"src/store/x.c": "int helper;\n"}, "no prefix"),
    (symbols_lint, "exception that is not needed",
     {"tests/lint/symbols_allowed.txt": "store malloc because\n"}, "shrink it"),
    (symbols_lint, "thread started below app",
     {"src/store/x.c": "int sn_x(void) {\n    return sn_thread_start(0);\n}\n"},
     "starts a thread"),
    (symbols_lint, "thread exception that is not needed",
     {"tests/lint/threads_allowed.txt": "src/store/x.c because\n"}, "shrink it"),
    (symbols_lint, "foreign export", {"shared.c": "int other_name(void) {\n    return 1;\n}\n"},
     "exports other_name"),
    (size_lint, "long function", {"src/base/x.c": LONG}, "83 lines"),
    (size_lint, "complex function", {"src/base/x.c": BRANCHES}, "complexity 17"),
    (size_lint, "long file", {"src/base/x.h": "extern int x;\n" * 1001}, "1001 lines"),
    (size_lint, "debt that grew",
     {"src/base/x.c": LONG, "src/size_debt.txt": "src/base/x.c f 82 1\n"}, "more than its debt"),
    (size_lint, "debt that got better",
     {"src/base/x.c": LONG, "src/size_debt.txt": "src/base/x.c f 84 1\n"}, "shrink it"),
    (size_lint, "debt that is paid", {"src/size_debt.txt": "src/base/base.c f 83 1\n"},
     "shrink it"),
    (format_lint, "two spaces", {"src/base/x.c": "int f(void) {\n  return 1;\n}\n"},
     "not formatted"),
    (names_lint, "_t", {"src/base/x.h": "typedef int sn_count_t;\n"}, "_t"),
    (names_lint, "_t of a function pointer", {"src/base/x.h": "typedef int (*sn_f_t)(int);\n"},
     "_t"),
    (names_lint, "struct typedef inside", {"src/base/x.h": "typedef struct sn_x sn_x;\n"},
     "written out"),
    (names_lint, "public type without prefix", {"include/sonde/x.h": "typedef int thing;\n"},
     "sonde_"),
    (names_lint, "work without a number", {"src/base/x.c": "/* TODO: later */\n"}, "TODO(#"),
    (names_lint, "FIXME", {"tests/base/x_test.c": "/* FIXME */\n"}, "TODO(#"),
    (tests_lint, "source without a test", {"src/base/x.c": "int x;\n"}, "no tests/base/x_test.c"),
    (tests_lint, "excuse that is not needed",
     {"tests/lint/untested.txt": "src/base/base.c too hard\n"}, "shrink it"),
    (docs_lint, "dead link", {"README.md": "[a](docs/NOT.md)\n"}, "docs/NOT.md"),
    (docs_lint, "dead path", {"docs/X.md": "See `src/none/x.c`.\n"}, "src/none/x.c"),
    (banned_lint, "banned.h without strcpy",
     {"src/base/banned.h": "#include <stdlib.h>\n#pragma GCC poison malloc\n"}, "strcpy"),
]


def make_tree(root, changes):
    shutil.copy(HERE.parents[1] / ".clang-format", root / ".clang-format")
    files = dict(GOOD)
    files["src/base/banned.h"] = (HERE.parents[1] / "src/base/banned.h").read_text()
    files["tests/lint/purity_allowed.txt"] = "memcpy bytes with a length\n"
    for path, text in {**files, **changes}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def build_tree(root):
    """Archives as the build makes them, and libsonde.so from shared.c where a tree has one."""
    build = root / "build"
    build.mkdir()
    for module in sorted((root / "src").iterdir()):
        objects = []
        for source in sorted(module.glob("*.c")) if module.is_dir() else []:
            target = build / f"{module.name}_{source.stem}.o"
            subprocess.run(["gcc", "-std=gnu11", "-w", "-fPIC", f"-I{root / 'src'}", "-c",
                            str(source), "-o", str(target)], check=True)
            objects.append(str(target))
        if objects:
            subprocess.run(["ar", "rcs", str(build / f"libsn_{module.name}.a"), *objects],
                           check=True)
    if (root / "shared.c").exists():
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(build / "libsonde.so"),
                        str(root / "shared.c")], check=True)
    return build


def problems_of(check, changes):
    with tempfile.TemporaryDirectory(prefix="sonde-lint-") as name:
        root = Path(name)
        make_tree(root, changes)
        needs_build = check in (purity_lint, symbols_lint)
        return check.check(root, build_tree(root) if needs_build else root)


def main():
    failed = 0
    for check in dict.fromkeys(check for check, *_ in BAD):
        problems = problems_of(check, {})
        if problems:
            failed += 1
            print(f"{check.__name__} fails on a good tree: {problems}")
    for check, what, changes, word in BAD:
        problems = problems_of(check, changes)
        if not any(word in problem for problem in problems):
            failed += 1
            print(f"{check.__name__} does not see: {what}; it says {problems}")
    print(f"{len(BAD)} bad trees, {failed} not seen")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
