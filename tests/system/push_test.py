"""The push client against the real server: what is recorded arrives exactly, also when the server
is killed and started again meanwhile. Drives examples/push."""

import os
import re
import subprocess
import sys
import time
import unittest
from pathlib import Path

import _sonde

EXAMPLE = Path(_sonde.BINARY).parent / "example_push"
PER_JOB = 6  # samples of one round of the example


class PushTest(unittest.TestCase):
    def start_example(self, server, jobs, pause_ms=0):
        return subprocess.Popen([EXAMPLE, f"http://127.0.0.1:{server.port}", str(jobs),
                                 str(pause_ms)], stdout=subprocess.PIPE, text=True)

    def finish(self, process):
        """The example's own numbers: {submitted, sent, dropped, failures}."""
        out, _ = process.communicate(timeout=90)
        self.assertEqual(process.returncode, 0, out)
        return {name: int(value) for name, value in re.findall(r"(\w+) (\d+)", out)}

    def samples(self, server, metric, start_ms, **labels):
        """Every value of a series in order of time, one step per millisecond."""
        values, step = [], 10_000
        for at in range(start_ms - 1000, _sonde.now_ms() + 11_000, step):
            values += server.values(metric, start=f"{at / 1000:.3f}",
                                    end=f"{(at + step - 1) / 1000:.3f}", step="0.001", **labels)
        return [value for _, value in sorted(values)]

    def check_jobs(self, server, jobs, start_ms):
        all_jobs = range(jobs)
        at = self.samples
        labels = {"service": "resizer", "metric_type": "processing_time"}
        self.assertEqual(at(server, "resize_seconds", start_ms, outcome="ok", **labels),
                         [0.001 * i for i in all_jobs if i % 10 != 9])
        self.assertEqual(at(server, "resize_seconds", start_ms, outcome="error",
                            error="unknown colour space", **labels),
                         [0.001 * i for i in all_jobs if i % 10 == 9])
        self.assertEqual(at(server, "upload_seconds", start_ms, format="png", **labels),
                         [0.25 * i for i in all_jobs if i % 2 == 0])
        self.assertEqual(at(server, "upload_seconds", start_ms, format="webp", **labels),
                         [0.25 * i for i in all_jobs if i % 2 == 1])
        self.assertEqual(at(server, "jobs_succeeded", start_ms, metric_type="success_rate"),
                         list(all_jobs))
        self.assertEqual(at(server, "jobs_attempted", start_ms, metric_type="success_rate"),
                         [i + 1 for i in all_jobs])
        self.assertEqual(at(server, "inbox_depth", start_ms, metric_type="queue_metrics"),
                         [100 - i % 100 for i in all_jobs])
        self.assertEqual(at(server, "inbox_wait_seconds", start_ms, metric_type="queue_metrics"),
                         [0.5 * i for i in all_jobs])
        totals = at(server, "jobs_done_total", start_ms, service="resizer")
        self.assertEqual(totals[-1], jobs)
        self.assertEqual(totals, sorted(totals))

    def test_values_arrive_exactly(self):
        server, start_ms = _sonde.Server(self).start(), _sonde.now_ms()
        numbers = self.finish(self.start_example(server, 200))
        self.assertGreater(numbers["sent"], 200 * PER_JOB)
        self.assertEqual((numbers["dropped"], numbers["failures"]), (0, 0))
        self.check_jobs(server, 200, start_ms)

    def test_nothing_is_lost_while_the_server_is_killed_and_comes_back(self):
        server, start_ms = _sonde.Server(self).start(), _sonde.now_ms()
        server.arguments += ["--listen", f"127.0.0.1:{server.port}"]
        jobs = 600
        process = self.start_example(server, jobs, pause_ms=10)
        for _ in range(3):
            time.sleep(0.7)
            server.kill()
            time.sleep(0.5)
            server.start()
        numbers = self.finish(process)
        self.assertGreater(numbers["sent"], jobs * PER_JOB)
        self.assertEqual(numbers["dropped"], 0)
        self.assertGreater(numbers["failures"], 0)
        self.check_jobs(server, jobs, start_ms)


if __name__ == "__main__":
    if not os.access(EXAMPLE, os.X_OK):
        print(f"no {EXAMPLE}")
        sys.exit(77)
    _sonde.main()
