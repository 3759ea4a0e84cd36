"""VictoriaMetrics of the machine and Sonde take the same remote write requests and answer alike."""

import http.client
import json
import random
import shutil
import socket
import subprocess
import time
import unittest
import urllib.parse

import _sonde
from _sonde import Server, wait_for
from remote_write_test import TYPE_1, request_1, snappy

VICTORIA = shutil.which("victoria-metrics")
SERIES, SAMPLES, STEP_MS = 40, 240, 15_000


@unittest.skipUnless(VICTORIA, "no victoria-metrics is installed")
@unittest.skipIf(_sonde.IS_SLOW_BUILD, "the same server code is tested in the dev build")
class PeersTest(unittest.TestCase):
    def setUp(self):
        self.server = Server(self, config="collect: {interval: 1h}\n").start()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        directory = _sonde.temporary_directory(self)
        with open(directory / "log", "wb") as log:
            process = subprocess.Popen(
                [VICTORIA, f"-storageDataPath={directory}/data", "-retentionPeriod=1d",
                 f"-httpListenAddr=127.0.0.1:{self.port}", "-search.latencyOffset=0s"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        wait_for(self.is_up, "victoria-metrics")

    def is_up(self):
        try:
            return self.ask(self.port, "GET", "/health")[0] == 200
        except OSError:
            return False

    @staticmethod
    def ask(port, method, target, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request(method, target, body, headers or {})
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def query(self, port, text, time_ms):
        """{labels without the name, which VictoriaMetrics keeps more often: value} at one moment."""
        status, body = self.ask(port, "GET", "/api/v1/query?" + urllib.parse.urlencode(
            {"query": text, "time": time_ms / 1000, "nocache": 1}))
        self.assertEqual(status, 200, body)
        return {tuple(sorted(pair for pair in one["metric"].items() if pair[0] != "__name__")):
                float(one["value"][1]) for one in json.loads(body)["data"]["result"]}

    def test_the_same_data_give_the_same_answers(self):
        chance = random.Random(7)
        end_ms = int(time.time()) * 1000 - 60_000
        start_ms = end_ms - (SAMPLES - 1) * STEP_MS
        totals = [0.0] * SERIES
        for first in range(0, SAMPLES, 20):
            series = []
            for i in range(SERIES):
                points = []
                for j in range(first, first + 20):
                    totals[i] += chance.randrange(100)
                    points.append((totals[i], start_ms + j * STEP_MS))
                series.append(({"__name__": "same_total", "host": f"h{i % 8}", "n": str(i)}, points))
            body = snappy(request_1(*series))
            for port in (self.server.port, self.port):
                status, answer = self.ask(port, "POST", "/api/v1/write", body, TYPE_1)
                self.assertEqual(status, 204, answer)
        wait_for(lambda: len(self.query(self.port, "same_total", end_ms)) == SERIES,
                 "victoria-metrics to show what it has")
        for text in ("same_total", "sum by (host) (same_total)", "count(same_total)",
                     "max_over_time(same_total[10m])", "topk(3, same_total)",
                     "count_over_time(same_total[55m])", "avg_over_time(same_total[5m])",
                     "quantile(0.9, same_total)", "same_total{host=~'h[1-3]'} > 100",
                     "stddev_over_time(same_total[20m])"):
            for time_ms in (end_ms, end_ms - 17 * STEP_MS):
                ours, theirs = (self.query(port, text, time_ms)
                                for port in (self.server.port, self.port))
                self.assertEqual(set(ours), set(theirs), text)
                self.assertTrue(ours, text)
                for labels, value in theirs.items():
                    self.assertAlmostEqual(ours[labels], value, delta=1e-9 * abs(value), msg=text)


if __name__ == "__main__":
    _sonde.main()
