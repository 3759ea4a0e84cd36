"""What the tests of the dashboard share: Chromium against the real server, fed by examples/demo.

Chromium (Debian's) is driven by the scripts of tests/web; playwright-core and axe-core come from npm
into build/web_tests by ./dev. Only in the build `dev`: what runs in the browser is the same in all.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
from pathlib import Path

import _sonde
from _sonde import Server, wait_for

NODE = shutil.which("node")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
MODULES = _sonde.SOURCE / "build" / "web_tests" / "node_modules"
SCRIPTS = _sonde.SOURCE / "tests" / "web"
BUILD = Path(os.environ.get("SONDE_BUILD", ""))
DEMO = BUILD / "example_demo"
LOAD = _sonde.SOURCE / "examples" / "demo" / "load.py"
CONFIG = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: media-studio
    static_configs: [{{targets: ["127.0.0.1:{metrics}"]}}]
collect: {{interval: 1s}}
"""
SCRIPT_TIMEOUT_S = 900 if _sonde.IS_LONG else 110
LIVE_S = 120 if _sonde.IS_LONG else 8
VIEWS = "all" if _sonde.IS_LONG else "short"


def reason_to_skip():
    if not NODE:
        return "no node"
    if not CHROMIUM:
        return "no chromium (./dev test installs it)"
    if not (MODULES / "playwright-core").is_dir():
        return "build/web_tests is not installed (./dev test does it)"
    if _sonde.IS_SLOW_BUILD or BUILD.name not in ("dev", "release"):
        return "the browser runs against the builds dev and release"
    return None


def environment():
    """What the scripts in node read."""
    return {**os.environ, "SONDE_WEB_MODULES": str(MODULES),
            **({"CHROMIUM": CHROMIUM} if CHROMIUM else {})}


@contextlib.contextmanager
def demo(build):
    """The server and examples/demo under load, for pictures and budgets: the server's address."""
    listen, port, metrics = (_sonde.free_port() for _ in range(3))
    with tempfile.TemporaryDirectory(prefix="sonde_demo_") as data:
        process = subprocess.Popen(
            ["sh", str(LOAD.with_name("run.sh")), f"{build}/sonde", f"{build}/example_demo", data],
            env={**os.environ, "DEMO_PORT": str(port), "DEMO_METRICS_PORT": str(metrics),
                 "DEMO_LISTEN": f"127.0.0.1:{listen}"},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            yield f"http://127.0.0.1:{listen}/"
        finally:
            process.terminate()
            process.wait()


def node(script, *arguments):
    """Run a script of tests/web; its output is the test's."""
    done = subprocess.run([NODE, str(SCRIPTS / script), *map(str, arguments)], text=True,
                          capture_output=True, timeout=SCRIPT_TIMEOUT_S, check=False,
                          env=environment())
    print(done.stdout, done.stderr, sep="", flush=True)
    assert done.returncode == 0, f"{script} found something"


def start(test, *command):
    """Start a program that ends with the test."""
    process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL)
    test.addClassCleanup(process.wait)
    test.addClassCleanup(process.terminate)
    return process


class Dashboard(unittest.TestCase):
    """A server with data of every kind."""

    @classmethod
    def setUpClass(cls):
        metrics, port = _sonde.free_port(), _sonde.free_port()
        cls.server = Server(cls, config=CONFIG.format(metrics=metrics)).start()
        cls.base = f"http://127.0.0.1:{cls.server.port}/"
        start(cls, DEMO, "--port", port, "--metrics", f"127.0.0.1:{metrics}",
              "--events", cls.base.rstrip("/"))
        start(cls, sys.executable, LOAD, f"http://127.0.0.1:{port}", "--rate", "30")
        wait_for(cls.has_data, "data of every kind", 60)

    @classmethod
    def count(cls, query):
        reply = cls.server.get("/api/v1/query?query=" + urllib.parse.quote(query))
        result = reply.json()["data"]["result"] if reply.status == 200 else []
        return float(result[0]["value"][1]) if result else 0

    @classmethod
    def has_data(cls):
        errors = cls.server.get("/api/v1/errors")
        return (cls.count("count(rate(sonde_operations_total[1m]) > 0)") >= 8
                and cls.count("sum(sonde_cache_hits_total)") > 0
                and cls.count("count(rate(node_cpu_seconds_total[1m]))") > 0
                and errors.status == 200 and errors.json()["count"] > 0)


def main():
    reason = reason_to_skip()
    if reason:
        print(reason)
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="sonde_browser_") as home:
        os.environ["HOME"] = home  # the browser's files
        _sonde.main()
