#!/usr/bin/env python3
"""Pictures of the dashboard: the server and examples/demo run for a while, then shots.mjs takes them.

    shots.py BUILD DIRECTORY [PAGES] [MODES] [SECONDS]
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))
import _sonde  # noqa: E402 (the path comes first)

SOURCE = Path(__file__).resolve().parents[2]


def main(build, directory, pages="all", modes="l,d,m", seconds="120"):
    names = ("DEMO_PORT", "DEMO_METRICS_PORT", "LISTEN_PORT")
    ports = {name: str(_sonde.free_port()) for name in names}
    listen = f"127.0.0.1:{ports.pop('LISTEN_PORT')}"
    with tempfile.TemporaryDirectory(prefix="sonde_shots_") as data:
        demo = subprocess.Popen(
            ["sh", str(SOURCE / "examples/demo/run.sh"), f"{build}/sonde", f"{build}/example_demo", data],
            env={**os.environ, **ports, "DEMO_LISTEN": listen}, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL)
        try:
            time.sleep(float(seconds))
            modules = SOURCE / "build" / "web_tests" / "node_modules"
            return subprocess.call(
                [shutil.which("node"), str(SOURCE / "tests/web/shots.mjs"), f"http://{listen}/",
                 directory, pages, modes],
                env={**os.environ, "SONDE_WEB_MODULES": str(modules)})
        finally:
            demo.terminate()
            demo.wait()


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
