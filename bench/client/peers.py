"""libsonde against the client libraries of other languages: same workloads, same machine, same run.

    python3 bench/client/peers.py RECORD_BENCH [BUILD_DIR]

RECORD_BENCH is bench_client_record of a release build. Each peer is one program in bench/client/peers/,
built here from Debian's packages (Rust, Go, C++) and npm (Node). A peer whose tools are missing is left
out with one line. Figures are nanoseconds per operation (one thread: the best of many slices; two
threads on one metric: processor time of all of them) and milliseconds per page; beside each peer's
stands how many times libsonde's that is.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent / "peers"
REGISTRY = Path("/usr/share/cargo/registry")
GOPATH = Path("/usr/share/gocode")
ROWS = [("counter inc", "counter_inc"), ("gauge set", "gauge_set"), ("gauge add", "gauge_add"),
        ("histogram observe, 11 bounds", "histogram_observe"),
        ("inc by 3 labels, 750 children", "labels_random"),
        ("operation, start to complete", "operation_tracked")]
PAGE = "page.1000000_lines"


def run(command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=900, **options)


def build_rust(out):
    """Cargo, offline: Debian keeps crates as a directory."""
    folder = out / "rust"
    shutil.copytree(HERE / "rust", folder, dirs_exist_ok=True)
    (folder / ".cargo").mkdir(exist_ok=True)
    (folder / ".cargo" / "config.toml").write_text(
        '[source.crates-io]\nreplace-with = "debian"\n'
        f'[source.debian]\ndirectory = "{REGISTRY}"\n')
    # Debian's own compiler fits its crates; another one in PATH may not.
    tools = {"RUSTC": "/usr/bin/rustc"} if Path("/usr/bin/rustc").exists() else {}
    cargo = "/usr/bin/cargo" if Path("/usr/bin/cargo").exists() else "cargo"
    run([cargo, "build", "--release", "--offline"], cwd=folder, env={**os.environ, **tools})
    return [folder / "target" / "release" / "peer"]


def build_go(out):
    program = out / "go_peer"
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": str(GOPATH), "GOFLAGS": ""}
    run(["/usr/bin/go" if Path("/usr/bin/go").exists() else "go", "build", "-o", str(program),
         str(HERE / "go" / "main.go")], env=environment)
    return [program]


def build_cpp(out):
    program = out / "cpp_peer"
    run(["g++", "-O2", "-std=c++17", str(HERE / "cpp" / "main.cpp"), "-o", str(program),
         "-lprometheus-cpp-core", "-lpthread"])
    return [program]


def build_node(out):
    folder = out / "node"
    shutil.copytree(HERE / "node", folder, dirs_exist_ok=True)
    run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder)
    return ["node", "--max-old-space-size=8192", folder / "main.js"]


PEERS = [("rust prometheus", build_rust), ("prometheus-cpp", build_cpp),
         ("client_golang", build_go), ("prom-client", build_node)]


def figures_of(command):
    figures = {}
    for line in run(command).stdout.splitlines():
        words = line.replace("client.", "", 1).split()
        if len(words) >= 2 and "." in words[0]:
            try:
                figures[words[0]] = float(words[1])
            except ValueError:
                continue
    return figures


def cell(figures, own, key):
    value = figures.get(key)
    if value is None:
        return "-"
    if figures is own:
        return f"{value:.2f}"
    return f"{value:.1f} ({value / own[key]:.1f}x)"


def print_table(own, peers):
    names = ["libsonde"] + [name for name, _ in peers]
    columns = [own] + [figures for _, figures in peers]
    print("| ns, 1 / 2 threads | " + " | ".join(names) + " |")
    print("|---" * (len(names) + 1) + "|")
    for title, key in ROWS:
        cells = [f"{cell(column, own, key + '.1_thread')} / {cell(column, own, key + '.2_thread_cpu')}"
                 for column in columns]
        print(f"| {title} | " + " | ".join(cells) + " |")
    print("| page of 1 M lines, ms | " + " | ".join(cell(c, own, PAGE) for c in columns) + " |")


def main():
    record_bench = sys.argv[1]
    out = Path(sys.argv[2] if len(sys.argv) > 2 else "build/peers").resolve()
    out.mkdir(parents=True, exist_ok=True)
    peers = []
    for name, build in PEERS:
        print(f"peers: building and running {name}", flush=True)
        try:
            peers.append((name, figures_of(build(out))))
        except (OSError, subprocess.SubprocessError) as error:
            reason = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
            print(f"peers: {name} is left out: {reason[-1] if reason else error}")
    print("peers: running libsonde", flush=True)
    print_table(figures_of([record_bench]), peers)


if __name__ == "__main__":
    main()
