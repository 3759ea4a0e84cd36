"""Starting the real binary and talking to it, for the system tests. Standard library only.

Environment: SONDE_BIN the binary, SONDE_SOURCE the source tree, SONDE_SANITIZE not empty in builds
that are slow by design, SONDE_LONG=1 for the long form of a test. Each test file is a unittest
program that ends in `_sonde.main()`; exit code 77 means that it could not run here.
"""

import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
from pathlib import Path

BINARY = os.environ.get("SONDE_BIN", "")
SOURCE = Path(os.environ.get("SONDE_SOURCE", Path(__file__).resolve().parents[2]))
IS_LONG = os.environ.get("SONDE_LONG", "") == "1"
IS_SLOW_BUILD = os.environ.get("SONDE_SANITIZE", "") != ""

START_TIMEOUT_S = 30
HTTP_TIMEOUT_S = 20
# What the server promises; instrumented builds get more.
STOP_TIMEOUT_S = 10 if IS_SLOW_BUILD else 2
IMPORT = "/api/v1/import/prometheus"


def main():
    if not os.access(BINARY, os.X_OK):
        print("no binary: set SONDE_BIN")
        sys.exit(77)
    unittest.main(verbosity=2)


def wait_for(condition, what, timeout_s=START_TIMEOUT_S):
    """Ask until the answer is true, and return it."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout_s} s")
        time.sleep(0.02)


def temporary_directory(test):
    """A new directory that goes when the test (or the class) is over."""
    path = Path(tempfile.mkdtemp(prefix="sonde_system_"))
    cleanup = test.addClassCleanup if isinstance(test, type) else test.addCleanup
    cleanup(shutil.rmtree, path, ignore_errors=True)
    return path


def run(*arguments, timeout_s=START_TIMEOUT_S, **more):
    """Run `sonde ...` to its end."""
    return subprocess.run([BINARY, *map(str, arguments)], text=True, capture_output=True,
                          timeout=timeout_s, check=False, **more)


class Reply:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        # Every number as float: -0 is not 0.
        return json.loads(self.body, parse_int=float)

    def error(self):
        document = json.loads(self.body)
        assert set(document) == {"status", "errorType", "error"}, document
        assert document["status"] == "error" and document["error"], document
        return document["error"]


class Server:
    """One `sonde serve` on a free port. Restart it on the same data with start()."""

    def __init__(self, test, directory=None, config="", arguments=(), environment=None):
        self.directory = directory or temporary_directory(test)
        self.data = self.directory / "data"
        self.config = self.directory / "sonde.yml"
        self.config.write_text(config)
        self.arguments = list(arguments)
        self.environment = environment or {}
        self.process = None
        self.tls = None  # an ssl.SSLContext: the server speaks TLS
        self.port = 0
        self.runs = 0
        cleanup = test.addClassCleanup if isinstance(test, type) else test.addCleanup
        cleanup(self.kill)

    # ---- life ----

    def spawn(self):
        """Start the process and do not wait for it."""
        self.runs += 1
        with open(self._log("out"), "wb") as out, open(self._log("err"), "wb") as err:
            self.process = subprocess.Popen(
                [BINARY, "serve", "--access", "open", "--listen", "127.0.0.1:0", "--data",
                 str(self.data), "--config", str(self.config), *self.arguments],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                env={**os.environ, **self.environment})

    def start(self):
        self.spawn()
        self.port = int(wait_for(self._find_port, "listening on"))
        return self

    def _find_port(self):
        if self.process.poll() is not None:
            raise AssertionError(f"ended with {self.process.returncode}: {self.stderr()}")
        found = re.search(r"listening on https?://127\.0\.0\.1:(\d+)\n", self.stdout())
        return found and found.group(1)

    def _log(self, kind):
        return self.directory / f"{kind}.{self.runs}"

    def stdout(self):
        return self._log("out").read_text()

    def stderr(self):
        return self._log("err").read_text()

    def send(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM):
        """Stop gracefully. Returns (exit code, seconds it took)."""
        start = time.monotonic()
        self.send(number)
        code = self.process.wait(timeout=30)
        self.process = None
        return code, time.monotonic() - start

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    # ---- talk ----

    def connect(self):
        if self.tls is not None:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=HTTP_TIMEOUT_S,
                                               context=self.tls)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=HTTP_TIMEOUT_S)

    def request(self, method, target, body=None, headers=None):
        connection = self.connect()
        try:
            connection.request(method, target, body, headers or {})
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def get(self, target, headers=None):
        return self.request("GET", target, None, headers)

    def push(self, text, query="", headers=None):
        body = text if isinstance(text, bytes) else text.encode()
        return self.request("POST", IMPORT + query, body, headers)

    def metric(self, name, headers=None):
        """One of the server's own numbers, by name and labels as they are written."""
        page = self.get("/metrics", headers).body.decode()
        return float(re.search(rf"^{re.escape(name)} (\S+)$", page, re.M).group(1))

    def memory_kb(self, name="VmRSS"):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(rf"{name}:\s+(\d+)", status.read()).group(1))

    def history(self, metric, **parameters):
        """Data of /api/v1/history."""
        query = urllib.parse.urlencode({"metric": metric, **parameters})
        reply = self.get(f"/api/v1/history?{query}")
        assert reply.status == 200, reply.body
        return reply.json()["data"]

    def values(self, metric, **parameters):
        """[(start of the step, average)] of the steps with samples of the only series."""
        data = self.history(metric, **parameters)
        assert len(data["series"]) <= 1, data["series"]
        return [(time_s, average)
                for series in data["series"]
                for time_s, average, count in zip(data["t"], series["avg"], series["count"])
                if count > 0]

    def sample(self, metric, time_ms, **labels):
        """Value of the sample at one moment, or None."""
        time_s = f"{time_ms // 1000}.{time_ms % 1000:03d}"
        found = self.values(metric, start=time_s, end=time_s, step="0.001", **labels)
        return found[0][1] if found else None


def free_port():
    """A port for a program that must be told one. Below those that the kernel hands out by itself,
    so that no connection of another test takes it in between."""
    while True:
        port = random.randrange(15000, 30000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def compile_host(folder):
    """tests/system/native_host.c, linked with the library of this build."""
    compiler = shutil.which("cc")
    if compiler is None or IS_SLOW_BUILD:
        raise unittest.SkipTest("needs cc and a build without sanitizers")
    program, build = folder / "native_host", Path(os.environ.get("SONDE_BUILD", ""))
    subprocess.run([compiler, "-std=gnu11", f"-I{SOURCE}/include",
                    str(SOURCE / "tests" / "system" / "native_host.c"),
                    str(build / "libsonde-http.a"), str(build / "libsonde.a"), "-o",
                    str(program), "-lmicrohttpd", "-lz", "-lpthread", "-lm", "-ldl"],
                   check=True, timeout=120)
    return program


def now_ms():
    return time.time_ns() // 1_000_000
