#!/usr/bin/env python3
"""The budgets of the dashboard: a server with 1,000 services and examples/demo, then budgets.mjs.

    budgets.py BUILD
"""

import subprocess
import sys
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "system"))
import _sonde  # noqa: E402 (the path comes first)
import _web  # noqa: E402

SERVICES = 1000
STEP_S = 15
MINUTES = 60
WARM_UP_S = 20


def push(base):
    """An hour of counters of 1,000 services with two operations each."""
    now = int(time.time() // STEP_S * STEP_S)
    for first in range(0, SERVICES, 100):
        lines = []
        for index in range(first, first + 100):
            for operation in ("read", "write"):
                labels = f'service="svc-{index:03d}",operation="{operation}"'
                for step in range(0, MINUTES * 60 // STEP_S, 4):
                    at = (now - MINUTES * 60 + step * STEP_S) * 1000
                    lines.append(f'sonde_operations_total{{{labels},outcome="ok"}} {step * (index + 1)} {at}')
                    lines.append(f'sonde_operations_total{{{labels},outcome="error"}} {step * (index % 7)} {at}')
        request = urllib.request.Request(f"{base}api/v1/import/prometheus", "\n".join(lines + [""]).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.status == 200


def main(build):
    with _web.demo(build) as base:
        _sonde.wait_for(lambda: is_up(base), "the server")
        push(base)
        time.sleep(WARM_UP_S)
        return subprocess.call([_web.NODE, str(Path(__file__).with_suffix(".mjs")), base], env=_web.environment())


def is_up(base):
    try:
        with urllib.request.urlopen(f"{base}healthz", timeout=1) as answer:
            return answer.status == 200
    except OSError:
        return False


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
