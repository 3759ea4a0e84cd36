"""The pages of GET /metrics, judged by strict parsers: text 0.0.4 and OpenMetrics 1.0.

The judges are not part of the tree: expofmt.py (SONDE_EXPOFMT names it) and promtool of Debian's
package prometheus. A part whose judge is missing is skipped and says so; the rules that matter most
are checked here in any case.
"""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import unittest
from pathlib import Path

import _sonde
from _sonde import Server

TEXT = "text/plain;version=0.0.4"
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
EXPOFMT = os.environ.get("SONDE_EXPOFMT", "")
PROMTOOL = shutil.which("promtool")
BUILD = Path(os.environ.get("SONDE_BUILD", ""))
COMPILER = shutil.which("cc")


def load_expofmt():
    if not EXPOFMT:
        return None
    spec = importlib.util.spec_from_file_location("expofmt", EXPOFMT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Judged:
    """Tests of a pair of pages, from whatever program."""

    def page(self, accept):
        raise NotImplementedError

    def test_expofmt_accepts_both(self):
        expofmt = load_expofmt()
        if expofmt is None:
            self.skipTest("no expofmt.py: set SONDE_EXPOFMT")
        text = expofmt.parse(self.page(TEXT), "text")
        openmetrics = expofmt.parse(self.page(OPENMETRICS), "openmetrics", strict=True)
        created = {s.name for s in openmetrics.samples if s.name.endswith("_created")}
        self.assertTrue(created)
        self.assertFalse({s.name for s in text.samples} & created)
        # The same series in both, but for what only OpenMetrics tells and how it writes le.
        self.assertEqual(self.series(text), self.series(openmetrics))

    @staticmethod
    def series(page):
        return {(s.name, frozenset((k, float(v) if k == "le" else v) for k, v in s.labels.items()))
                for s in page.samples if not s.name.endswith("_created")}

    def test_promtool_accepts_the_text_page(self):
        if PROMTOOL is None:
            self.skipTest("no promtool: install Debian's package prometheus")
        done = subprocess.run([PROMTOOL, "check", "metrics"], input=self.page(TEXT), text=True,
                              capture_output=True, timeout=60, check=False)
        # It ends with 3 for matters of style; those are shown, and judged by people.
        self.assertIn(done.returncode, (0, 3), done.stdout + done.stderr)
        self.assertNotIn("error while linting", done.stderr)
        if done.stderr:
            print("promtool:", done.stderr.strip().replace("\n", "; "))

    def test_rules_of_openmetrics(self):
        page = self.page(OPENMETRICS)
        self.assertTrue(page.endswith("\n# EOF\n"))
        self.assertEqual(len(re.findall(r"^# EOF$", page, re.M)), 1)
        types = re.findall(r"^# TYPE (\S+) (\S+)$", page, re.M)
        self.assertEqual(len(types), len({name for name, _ in types}))
        for name, kind in types:
            self.assertFalse(kind == "counter" and name.endswith("_total"), name)
        for bound in re.findall(r'^\w+_bucket{.*le="([^"]*)"} ', page, re.M):
            self.assertRegex(bound, r"^(\+Inf|.*[.e].*)$")


class ServerTest(Judged, unittest.TestCase):
    """The server's own metrics."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server(cls).start()

    def page(self, accept):
        reply = self.server.get("/metrics", {"Accept": accept})
        self.assertEqual(reply.status, 200)
        self.assertTrue(reply.headers["Content-Type"].startswith(accept.split(";")[0]))
        return reply.body.decode()


class HostileTest(Judged, unittest.TestCase):
    """A program with quotes, line feeds, backslashes, bytes that are no text, and a megabyte."""

    @classmethod
    def setUpClass(cls):
        library = BUILD / "libsonde.a"
        if COMPILER is None or not library.exists() or _sonde.IS_SLOW_BUILD:
            raise unittest.SkipTest("needs cc and libsonde.a of a build without sanitizers")
        cls.program = _sonde.temporary_directory(cls) / "hostile_labels"
        source = _sonde.SOURCE / "tests" / "system" / "hostile_labels.c"
        subprocess.run([COMPILER, "-std=gnu11", f"-I{_sonde.SOURCE}/include", str(source),
                        str(library), "-o", str(cls.program), "-lpthread", "-lm", "-ldl"],
                       check=True, timeout=120)

    def page(self, accept):
        form = "openmetrics" if accept == OPENMETRICS else "text"
        done = subprocess.run([self.program, form], capture_output=True, timeout=60, check=True)
        return done.stdout.decode()

    def test_the_snapshot_agrees_with_the_page(self):
        done = subprocess.run([self.program, "json"], capture_output=True, timeout=60, check=True)
        snapshot = json.loads(done.stdout, parse_constant=self.fail)
        families = {family["name"] for family in snapshot["families"]}
        self.assertLessEqual({"hostile_total", "work_seconds", "jobs", "jobs_total"}, families)
        errors = {service["service"]: service["error_count"] for service in snapshot["services"]}
        page = self.page(TEXT)
        counted = sum(map(int, re.findall(r'outcome="error"} (\d+)$', page, re.M)))
        self.assertEqual(sum(errors.values()), counted)
        self.assertIn('"} 1\nforged_total 1\n# EOF\n', errors)

    def test_nothing_is_forged(self):
        for accept in (TEXT, OPENMETRICS):
            page = self.page(accept)
            self.assertNotRegex(page, r"(?m)^forged")
            self.assertIn('__other__', page)
            self.assertLess(max(map(len, page.split("\n"))), 40_000)


if __name__ == "__main__":
    _sonde.main()
