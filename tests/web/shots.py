#!/usr/bin/env python3
"""Pictures of the dashboard: the server and examples/demo run for a while, then shots.mjs takes them.

    shots.py BUILD DIRECTORY [PAGES] [MODES] [SECONDS]
"""

import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))
import _web  # noqa: E402 (the path comes first)


def main(build, directory, pages="all", modes="l,d,m", seconds="120"):
    with _web.demo(build) as base:
        time.sleep(float(seconds))
        return subprocess.call([_web.NODE, str(_web.SCRIPTS / "shots.mjs"), base, directory, pages, modes],
                               env=_web.environment())


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
