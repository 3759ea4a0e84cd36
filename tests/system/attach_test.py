"""`sonde attach`: the metrics of prefork workers while they live and after kill -9, by real processes."""

import http.client
import json
import os
import signal
import subprocess
import time
import unittest
from pathlib import Path

import _sonde

EXAMPLE = Path(os.environ.get("SONDE_BUILD", "")) / "example_prefork"
REQUESTS = 60


def children_of(pid):
    children = []
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue
        if entry.name.isdigit() and fields[1] == str(pid) and fields[0] != "Z":
            children.append(int(entry.name))
    return children


class Attach(unittest.TestCase):
    def setUp(self):
        if not EXAMPLE.is_file():
            self.skipTest("no example_prefork: set SONDE_BUILD")
        self.file = _sonde.temporary_directory(self) / "metrics.sonde"

    def attach(self, *arguments, code=0):
        done = subprocess.run([_sonde.BINARY, "attach", *arguments], capture_output=True,
                              text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout if code == 0 else done.stderr

    def start(self):
        for _ in range(5):  # somebody else may take the port before the example does
            self.port = _sonde.free_port()
            host = subprocess.Popen([EXAMPLE, self.file, str(self.port)],
                                    start_new_session=True)
            self.addCleanup(self.kill_all, host)
            try:
                _sonde.wait_for(lambda h=host: h.poll() is not None or self.answers(), "an answer")
            except AssertionError:
                continue
            if host.poll() is None:
                return host
        raise AssertionError("the example does not start")

    @staticmethod
    def kill_all(host):
        try:
            os.killpg(host.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        host.wait()

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=_sonde.HTTP_TIMEOUT_S)
        connection.request("GET", path)
        body = connection.getresponse().read().decode()
        connection.close()
        return body

    def answers(self):
        try:
            return self.get("/start") == "hello\n"
        except OSError:
            return False

    def value(self, page, series):
        for line in page.splitlines():
            if line.startswith(series + " "):
                return float(line[len(series) + 1:])
        return None

    def served(self, page):
        return self.value(page, 'prefork_requests_total{path="/"}')

    def test_workers_are_killed_and_nothing_is_lost(self):
        host = self.start()
        before = self.served(self.attach(str(self.file)))
        self.assertGreaterEqual(before, 1)
        for i in range(REQUESTS):
            self.assertEqual(self.get("/"), "hello\n")
            if i == REQUESTS // 2:  # idle ones: no request is in their hands
                time.sleep(0.1)
                killed = set(children_of(host.pid)[:2])
                for worker in killed:
                    os.kill(worker, signal.SIGKILL)
                # Gone altogether: a dying one could still take a connection out of the queue.
                _sonde.wait_for(lambda gone=killed: not gone & set(children_of(host.pid)) and
                                len(children_of(host.pid)) >= 4, "new workers")
        # Any worker shows the sums of all, dead ones included; so does the file.
        self.assertEqual(self.served(self.get("/metrics")), before + REQUESTS)
        self.assertEqual(self.served(self.attach(str(self.file))), before + REQUESTS)
        self.assertIn("5 living", self.attach("--info", str(self.file)))
        self.kill_all(host)
        # Now nobody is left but the file.
        page = self.attach(str(self.file))
        self.assertEqual(self.served(page), before + REQUESTS)
        self.assertEqual(self.value(page, 'prefork_requests_total{path="/metrics"}'), 1)
        snapshot = json.loads(self.attach("--format", "json", str(self.file)))
        service = snapshot["services"][0]
        self.assertEqual((service["service"], service["ok_count"]), ("prefork", before + REQUESTS + 1))
        openmetrics = self.attach("--format=openmetrics", str(self.file))
        self.assertTrue(openmetrics.endswith("# EOF\n"))
        self.assertIn('prefork_requests_created{path="/"} ', openmetrics)
        self.assertIn("0 living", self.attach("--info", str(self.file)))

    def test_foreign_and_torn_files_are_named(self):
        self.file.write_bytes(b"no metrics here" * 100)
        self.assertIn("is no shared file of libsonde", self.attach(str(self.file), code=6))
        self.assertIn("cannot open", self.attach(str(self.file) + ".not", code=5))
        self.file.unlink()
        host = self.start()
        self.kill_all(host)
        os.truncate(self.file, self.file.stat().st_size // 2)
        self.assertIn("is cut off", self.attach(str(self.file), code=6))

    def test_the_command_line_is_checked(self):
        self.assertIn("usage: sonde attach", self.attach(code=2))
        self.assertIn("--format is text", self.attach("--format", "xml", "a", code=2))
        self.assertIn("usage", self.attach("--help"))


if __name__ == "__main__":
    _sonde.main()
