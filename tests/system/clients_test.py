"""What others wrote: the OpenTelemetry SDK, hot-shots and prom-client push to the real server.

The clients are npm packages of tests/clients, installed into build/clients by ./dev (`npm ci`).
"""

import json
import os
import re
import shutil
import subprocess
import unittest

import _sonde
from _sonde import Server, wait_for

NODE = shutil.which("node")
MODULES = _sonde.SOURCE / "build" / "clients" / "node_modules"
CONFIG = """\
statsd: {listen: '127.0.0.1:0', flush_interval: 200ms}
pushgateway: {interval: 1s}
collect: {interval: 1h}
"""
CLIENT_TIMEOUT_S = 60


@unittest.skipUnless(NODE and MODULES.is_dir(),
                     "no node, or build/clients is not installed (./dev test does it)")
@unittest.skipIf(_sonde.IS_SLOW_BUILD, "the same server code is tested in the dev build")
class ClientsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(cls, config=CONFIG).start()

    def node(self, script, *arguments):
        """Run a client to its end; what it printed."""
        done = subprocess.run([NODE, str(_sonde.SOURCE / "tests" / "clients" / script),
                               *map(str, arguments)], capture_output=True, text=True, check=False,
                              timeout=CLIENT_TIMEOUT_S,
                              env={**os.environ, "NODE_PATH": str(MODULES)})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def query(self, text):
        reply = self.server.get("/api/v1/query?query=" + _sonde.urllib.parse.quote(text))
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json()["data"]["result"]

    def value(self, text):
        found = self.query(text)
        return float(found[0]["value"][1]) if len(found) == 1 and "value" in found[0] else None

    def check(self, query, expected):
        self.assertEqual(self.value(query), expected, f"{query}: {self.query(query)}")

    # ---- OpenTelemetry ----

    def check_otlp(self, form, temporality):
        url = f"http://127.0.0.1:{self.server.port}/v1/metrics"
        results = json.loads(self.node("otlp.cjs", form, temporality, url))["results"]
        self.assertGreaterEqual(len(results), 2)
        self.assertEqual([code for code in results if code != 0], [])
        job = f'{{job="shop/{form}-{temporality}"}}'
        self.check(f"http_requests_total{job}", 6)
        self.check(f"queue_length{job}", 4)
        self.check(f"room_temperature_celsius{job}", 21.5)
        self.check(f"http_duration_seconds_count{job}", 6)
        self.check(f'http_duration_seconds_bucket{job[:-1]},le="1"}}', 4)
        self.check(f"http_duration_seconds_sum{job} > bool 11.09", 1)
        self.check(f'target_info{job[:-1]},host_name="test-host",instance="i1"}}', 1)
        self.check(f"histogram_count(job_size_bytes{job})", 8)
        self.check(f"histogram_sum(job_size_bytes{job})", 2014)

    def test_opentelemetry_in_json(self):
        self.check_otlp("json", "cumulative")

    def test_opentelemetry_in_protobuf(self):
        self.check_otlp("proto", "cumulative")

    def test_opentelemetry_with_deltas(self):
        self.check_otlp("proto", "delta")

    # ---- StatsD ----

    def test_hot_shots(self):
        found = wait_for(lambda: re.search(r"statsd.*listening on 127\.0\.0\.1:(\d+)",
                                           self.server.stderr()), "the port in the log")
        self.node("statsd.cjs", found.group(1))
        wait_for(lambda: self.value('hot_hits{env="test",path="/a"}') == 20, "hits")
        wait_for(lambda: self.value("hot_took_count") == 2, "timings")
        self.check("hot_level", 23)
        self.check("hot_took_sum", 1)
        self.check("hot_size_sum", 100)
        self.check("hot_spread_count", 1)
        self.check("max_over_time(hot_users[5m])", 2)
        page = self.server.get("/metrics").body.decode()
        self.assertIn('sonde_rejected_samples_total{reason="unsupported"} 2\n', page)

    # ---- Pushgateway ----

    def test_prom_client(self):
        url = f"http://127.0.0.1:{self.server.port}"
        labels = '{job="nightly/etl",instance="db1"}'
        self.assertEqual(self.node("pushgateway.cjs", url, "push").strip(), "200")
        self.check(f"batch_rows_total{labels}", 42)
        self.check(f'batch_seconds_bucket{labels[:-1]},le="1"}}', 1)
        self.assertEqual(self.node("pushgateway.cjs", url, "pushAdd").strip(), "200")
        self.check(f"batch_level{labels}", 2)
        self.check(f"batch_rows_total{labels}", 42)
        self.assertEqual(self.node("pushgateway.cjs", url, "delete").strip(), "202")
        wait_for(lambda: not self.query("batch_rows_total or batch_level"), "the end of the group")


if __name__ == "__main__":
    _sonde.main()
