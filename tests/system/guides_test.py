"""The curl lines of docs/guides/ingest.md do what the page says."""

import os
import re
import shutil
import subprocess
import unittest

import _sonde
from _sonde import Server, wait_for

PAGE = _sonde.SOURCE / "docs" / "guides" / "ingest.md"
CURL = shutil.which("curl")


@unittest.skipUnless(CURL, "no curl")
class GuidesTest(unittest.TestCase):
    def setUp(self):
        self.server = Server(self, config="collect: {interval: 1h}\n").start()
        # A curl that fails where people would see a failure, and says why.
        tools = _sonde.temporary_directory(self)
        curl = tools / "curl"
        curl.write_text(f'#!/bin/sh\nexec {CURL} -sS --fail-with-body --max-time 20 "$@"\n')
        curl.chmod(0o755)
        self.environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}

    def query(self, text):
        reply = self.server.get("/api/v1/query?query=" + _sonde.urllib.parse.quote(text))
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json()["data"]["result"]

    def run_lines(self, script):
        script = script.replace("127.0.0.1:9464", f"127.0.0.1:{self.server.port}")
        done = subprocess.run(["sh", "-euc", script], env=self.environment, text=True,
                              capture_output=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, f"{script}\n{done.stdout}{done.stderr}")
        return done.stdout

    def test_every_way_in_is_short_and_works(self):
        blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
        self.assertGreaterEqual(len(blocks), 3)
        for block in blocks:
            self.assertLessEqual(len(block.splitlines()), 6, block)
            self.assertIn("curl ", block)
        by_word = {word: next(block for block in blocks if word in block)
                   for word in ("import/prometheus", "/metrics/job/", "/v1/metrics")}
        self.run_lines(by_word["import/prometheus"])
        self.assertEqual(self.query('room_temperature_celsius{room="lab"}')[0]["value"][1], "21.5")
        push, delete = by_word["/metrics/job/"].splitlines()
        self.run_lines(push)
        self.assertEqual(self.query('backup_rows{job="backup",instance="db1"}')[0]["value"][1],
                         "1042")
        self.run_lines(delete)
        wait_for(lambda: not self.query("backup_rows"), "the end of the group")
        self.assertEqual(self.run_lines(by_word["/v1/metrics"]), "{}")


if __name__ == "__main__":
    _sonde.main()
