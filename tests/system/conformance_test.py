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
SYNTAX_PASS_MIN = 205
API_PASS_MIN = {"core": 76, "extra": 16, "new": 8}
FLOAT_PASS_MIN = 850
NATIVE_PASS_MIN = 38

# What the API checks may still fail, with the reason.
API_FAIL_KNOWN = {
    "query.large-post-body": "regular expressions have at most 32 KiB",
    "query_exemplars.content": "exemplars are not stored",
    "cors-headers": "no other web page may read the server, see docs/CONFIGURATION.md",
}

# The cases begin at the Unix epoch: the retention must reach back to it.
CONFIG = "storage: {retention: 100y}\n"

# Each section of a script starts a server of its own: slow builds take the short form.
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
        """Run a tool of the harness and return what it wrote as JSON."""
        report = self.directory / "report.json"
        done = subprocess.run(
            [sys.executable, str(HARNESS / tool), "--json", str(report), *map(str, arguments)],
            text=True, capture_output=True, timeout=timeout_s, check=False,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        print(done.stdout, file=sys.stderr)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return json.loads(report.read_text())

    def test_every_query_parses_or_is_refused_as_in_prometheus(self):
        results = self.judge("promqlsyntax.py", "--start-cmd", start_command(),
                             *sorted((CASES / "syntax").glob("*.jsonl")))
        failed = [r["query"] for r in results if r["status"] == "fail"]
        self.assertEqual(failed, [])
        self.assertGreaterEqual(sum(r["status"] == "pass" for r in results), SYNTAX_PASS_MIN)

    def test_the_http_api_is_that_of_prometheus(self):
        results = self.judge("apicheck.py", "--no-rules", "--no-scrape", "--start-cmd",
                             start_command())
        failed = {r["name"]: r["detail"] for r in results if r["status"] == "fail"}
        for name in API_FAIL_KNOWN:
            failed.pop(name, None)
        self.assertEqual(failed, {})
        for level, least in API_PASS_MIN.items():
            passed = sum(r["status"] == "pass" for r in results if r["level"] == level)
            self.assertGreaterEqual(passed, least, level)

    def run_scripts(self, kind, paths):
        report = self.judge(
            "promqltest.py", "--classes", kind, "--skip-tags", "delayed-name-removal",
            "--start-cmd", start_command(self.config), *paths,
            timeout_s=1800 if _sonde.IS_LONG else 150)
        self.assertEqual(report["crashes"], 0)
        return report["totals"]

    def test_every_float_case_gives_the_values_of_prometheus(self):
        is_short = _sonde.IS_SLOW_BUILD and not _sonde.IS_LONG
        paths = [CASES / "float" / n for n in SHORT_FLOAT] if is_short else [CASES / "float"]
        totals = self.run_scripts("float", paths)
        self.assertEqual(totals.get("fail", 0) + totals.get("annot", 0), 0, totals)
        if not is_short:
            self.assertGreaterEqual(totals["pass"], FLOAT_PASS_MIN)

    @unittest.skipUnless(_sonde.IS_LONG, "SONDE_LONG=1 runs it")
    def test_native_histograms_lose_no_case_that_passed(self):
        totals = self.run_scripts("native", [CASES / "native"])
        self.assertGreaterEqual(totals.get("pass", 0), NATIVE_PASS_MIN)


if __name__ == "__main__":
    if not HARNESS.is_dir():
        print(f"no conformance harness: {HARNESS} does not exist")
        sys.exit(77)
    _sonde.main()
