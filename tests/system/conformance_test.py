"""Prometheus' own test cases and the checks of its HTTP API, by the conformance harness.

The harness and its cases lie beside the source tree, in ../shared/conformance; where they are not,
the test says so and is skipped. What passed once must pass for ever: the numbers below only rise.
"""

import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

import _sonde

CONFORMANCE = Path(os.environ.get("SONDE_CONFORMANCE", _sonde.SOURCE.parent / "shared/conformance"))
HARNESS = CONFORMANCE / "harness"
CASES = CONFORMANCE / "cases"

# Ratchets: how many pass. Raise them with the work that earns it.
SYNTAX_PASS_MIN = 261  # those with experimental syntax among them
API_PASS_MIN = {"core": 79, "extra": 19, "new": 8}
FLOAT_PASS_MIN = 850
# One start-timestamp case begins a counter after its first sample, which the store takes as unknown.
# Five experimental ones want names to be dropped late, which is not built.
OTHER_PASS_MIN = {"native": 549, "experimental": 231, "start-timestamp": 15}
OTHER_FAIL_MAX = {"native": 0, "experimental": 0, "start-timestamp": 1}

# Pages whose x_created lines Prometheus stores as series by default; here they are start times.
CREATED_IS_NO_SERIES = {"om/counter_unit", "own/om/42", "prom/TestOpenMetricsParse",
                        "prom/alltypes.5mfs.om.txt"}

PORT_TRIES = 4

# The cases begin at the Unix epoch: the retention must reach back to it.
CONFIG = "storage: {retention: 100y}\n"

# Each section of a script starts a server of its own: slow builds take the short form.
SHORT_OTHER = ["native/histograms.test", "start-timestamp"]
SHORT_FLOAT = ["aggregators.test", "operators.test", "histograms.test", "staleness.test"]


def start_command(config=None):
    command = f"{_sonde.BINARY} serve --listen 127.0.0.1:{{port}} --data {{data}} --access open"
    return command + (f" --config {config}" if config else "")


class Conformance(unittest.TestCase):
    def setUp(self):
        self.directory = _sonde.temporary_directory(self)
        self.config = self.directory / "sonde.yml"
        self.config.write_text(CONFIG)

    def judge(self, tool, *arguments, timeout_s=150):
        """Run a tool of the harness and return what it wrote as JSON.

        The harness picks a free port and gives it to the server, and in between another program may
        take it: then the run says nothing about us and is repeated.
        """
        report = self.directory / "report.json"
        for _ in range(PORT_TRIES):
            done = subprocess.run(
                [sys.executable, str(HARNESS / tool), "--json", str(report), *map(str, arguments)],
                text=True, capture_output=True, timeout=timeout_s, check=False,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
            print(done.stdout, done.stderr, file=sys.stderr)
            if "address already in use" not in done.stdout + done.stderr:
                break
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return json.loads(report.read_text())

    def test_every_query_parses_or_is_refused_as_in_prometheus(self):
        results = self.judge("promqlsyntax.py", "--experimental", "--start-cmd", start_command(),
                             *sorted((CASES / "syntax").glob("*.jsonl")))
        failed = [r["query"] for r in results if r["status"] == "fail"]
        self.assertEqual(failed, [])
        self.assertGreaterEqual(sum(r["status"] == "pass" for r in results), SYNTAX_PASS_MIN)

    def test_the_http_api_is_that_of_prometheus(self):
        results = self.judge("apicheck.py", "--no-rules", "--start-cmd",
                             start_command("{dir}/server.yml"))
        failed = {r["name"]: r["detail"] for r in results if r["status"] == "fail"}
        self.assertEqual(failed, {})
        for level, least in API_PASS_MIN.items():
            passed = sum(r["status"] == "pass" for r in results if r["level"] == level)
            self.assertGreaterEqual(passed, least, level)

    @unittest.skipIf(_sonde.IS_SLOW_BUILD, "test_wire_text_conformance has them all")
    def test_every_page_gets_the_verdict_of_prometheus(self):
        failed = {}
        for _ in range(3):  # 415 targets a second from one Python server: some may time out
            results = self.judge("exposition.py", "--start-cmd", start_command("{dir}/scrape.yml"),
                                 *sorted((CASES / "exposition").glob("*.jsonl")))
            failed = {r["id"]: r["detail"] for r in results if r["status"] == "fail"}
            if set(failed) <= CREATED_IS_NO_SERIES:
                break
        self.assertLessEqual(set(failed), CREATED_IS_NO_SERIES, failed)
        self.assertTrue(all("_created" in detail for detail in failed.values()), failed)

    def run_scripts(self, kinds, paths, *arguments):
        report = self.judge(
            "promqltest.py", "--classes", kinds, "--skip-tags", "delayed-name-removal",
            "--jobs", "6", "--start-cmd", start_command(self.config), *arguments, *paths,
            timeout_s=1800 if _sonde.IS_LONG else 150)
        self.assertEqual(report["crashes"], 0)
        return report

    def test_every_float_case_gives_the_values_of_prometheus(self):
        is_short = _sonde.IS_SLOW_BUILD and not _sonde.IS_LONG
        paths = [CASES / "float" / n for n in SHORT_FLOAT] if is_short else [CASES / "float"]
        totals = self.run_scripts("float", paths)["totals"]
        self.assertEqual(totals.get("fail", 0) + totals.get("annot", 0), 0, totals)
        if not is_short:
            self.assertGreaterEqual(totals["pass"], FLOAT_PASS_MIN)

    def test_histograms_start_times_and_experiments_as_in_prometheus(self):
        is_short = _sonde.IS_SLOW_BUILD and not _sonde.IS_LONG
        names = SHORT_OTHER if is_short else OTHER_PASS_MIN
        # Only remote write 2.0 carries start times.
        report = self.run_scripts(",".join(OTHER_PASS_MIN), [CASES / n for n in names], "--rw", "2")
        for kind, totals in report["per_class"].items():
            failed = totals.get("fail", 0) + totals.get("annot", 0)
            self.assertLessEqual(failed, OTHER_FAIL_MAX[kind], totals)
            if not is_short:
                self.assertGreaterEqual(totals["pass"], OTHER_PASS_MIN[kind])


if __name__ == "__main__":
    if not HARNESS.is_dir():
        print(f"no conformance harness: {HARNESS} does not exist")
        sys.exit(77)
    _sonde.main()
