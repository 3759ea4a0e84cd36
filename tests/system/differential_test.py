"""Random queries on random samples, asked of Sonde and of Debian's Prometheus 2.42: same answers.

The short form asks the same every time, the long one something else; the seed is printed, and SONDE_SEED=N
repeats it. What 2.42 does otherwise than Prometheus 3 is kept out of the questions, each with its reason:

- Windows and the lookback lost their left end in 3.0: no sample and no step of a subquery lies on the
  end of a window, as samples lie 137 ms behind a second, questions 7 s behind a minute, and subqueries
  are not nested.
- Sums are exact to the last bit in other places (Kahan), powers differ in the last bit: values are
  compared to nine digits, those that rest on differences of near values (deviations, regressions) to
  five; remainders and rounding are asked of samples only, no sine of a power.
- 2.42 looks at the zero point of a counter before it limits the extrapolation, 3 after it: rates are
  asked of counters that stay far above zero, also after resets.
- predict_linear moves the window of @ along with the steps in 2.42, timestamp of @ with an offset does
  not look back the whole lookback: not asked together.
- The deviation of one NaN or infinity is 0 in 2.42, NaN in 3: asked of finite samples only.
- atan2 keeps the metric's name in 2.42. holt_winters has another name. Experimental functions do not
  exist: not asked.
"""

import json
import math
import os
import random
import shutil
import socket
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import _sonde
from _sonde import Server, wait_for
from remote_write_test import STALE, TYPE_1, request_1, snappy

PROMETHEUS = shutil.which("prometheus")
SEED = int(os.environ.get("SONDE_SEED", "0")) or (
    random.SystemRandom().randrange(1, 10 ** 9) if _sonde.IS_LONG else 1)
COUNT = 20_000 if _sonde.IS_LONG else 600
SAMPLES = 160
STEP_S = 15
LOOSE = ("stddev", "stdvar", "deriv", "predict_linear")


class Questions:
    """PromQL that is valid, of limited depth."""

    def __init__(self, chance):
        self.chance = chance
        self.is_inside = False  # of a subquery, whose steps lie on whole minutes

    def pick(self, *choices):
        return self.chance.choice(choices)

    def matchers(self):
        return self.pick("", "", '{job="a"}', '{job!="a"}', '{host=~"h[01]"}', '{host!~"h1|h2"}',
                         '{job="a",host="h0"}', '{absent=""}')

    def moved(self):
        return self.pick("", "", "", " offset 3m", " offset -2m", " @ start()", " @ end() offset 1m")

    def selector(self):
        return self.pick("gauge", "gauge", "other", "work_total") + self.matchers() + self.moved()

    def window(self):
        return self.pick("45s", "1m", "2m", "5m", "11m")

    def range(self, depth):
        if depth > 0 and not self.is_inside and self.chance.random() < 0.25:
            self.is_inside = True
            inner = self.vector(depth - 1)
            self.is_inside = False
            return f"({inner})[{self.pick('4m', '7m')}:1m]"
        name = self.pick("gauge", "other", "work_total")
        return name + self.matchers() + f"[{self.window()}]" + self.moved()

    def number(self):
        return self.pick("0", "1", "2", "0.5", "-3", "100", "1e3", "NaN", "Inf")

    def call(self, depth):
        kind = self.chance.randrange(6)
        if kind == 0:
            if self.chance.random() < 0.5:
                counter = f"work_total{self.matchers()}"
                window = "[7m:1m]" if depth > 1 and not self.is_inside else f"[{self.window()}]"
                return f"{self.pick('rate', 'increase', 'irate')}({counter}{window}{self.moved()})"
            name = self.pick("delta", "idelta", "changes", "resets", "deriv")
            return f"{name}({self.range(depth)})"
        if kind == 1:
            name = self.pick("avg", "sum", "min", "max", "count", "stddev", "stdvar", "last", "present")
            return f"{name}_over_time({self.range(depth)})"
        if kind == 2:
            return self.pick(f"quantile_over_time({self.pick('0', '0.3', '0.5', '1', '2')}, {self.range(depth)})",
                             f"predict_linear({self.range(depth)}, 60)",
                             f"absent_over_time({self.range(depth)})")
        if kind == 3:
            name = self.pick("abs", "exp", "sqrt", "ln", "log2", "timestamp", "absent", "sin", "atan", "deg")
            whole = self.pick("ceil", "floor", "round", "sgn", "minute")
            return self.pick(f"{name}({self.vector(depth - 1)})", f"{name}({self.vector(depth - 1)})",
                             f"{whole}({self.selector()})")
        if kind == 4:
            inner = self.vector(depth - 1)
            return self.pick(f"clamp({inner}, 10, 60)", f"clamp_min({inner}, 20)", f"round({self.selector()}, 0.5)",
                             f"clamp_max({inner}, 20)",
                             f'label_replace({inner}, "new", "$1-x", "host", "h(.)")',
                             f'label_join({inner}, "both", "/", "job", "host")')
        buckets = f"rate(size_bucket{self.matchers()}[{self.pick('2m', '5m')}])"
        grouped = self.pick(buckets, f"sum by (le) ({buckets})", f"sum by (le, job) ({buckets})")
        return f"histogram_quantile({self.pick('0', '0.5', '0.95', '1', '1.5')}, {grouped})"

    def aggregate(self, depth):
        inner = self.vector(depth - 1)
        by = self.pick("", " by (job)", " by (host)", " without (host)", " by (job, host)", " by (none)")
        kind = self.pick("plain", "plain", "plain", "k", "quantile", "values", "spread")
        if kind == "k":
            return f"{self.pick('topk', 'bottomk')}{by} ({self.pick('1', '2', '5')}, gauge{self.matchers()})"
        if kind == "quantile":
            return f"quantile{by} ({self.pick('0.1', '0.5', '0.9')}, {inner})"
        if kind == "values":
            return f'count_values{by} ("v", floor({self.selector()}))'
        if kind == "spread":
            return f"{self.pick('stddev', 'stdvar')}{by} ({self.selector()})"
        name = self.pick("sum", "avg", "min", "max", "count", "group")
        return f"{name}{by} ({inner})"

    def binary(self, depth):
        left, right = self.vector(depth - 1), self.vector(depth - 1)
        kind = self.chance.randrange(4)
        arithmetic = self.pick("+", "-", "*", "/")
        compare = self.pick("==", "!=", "<", ">", "<=", ">=")
        if kind == 0:
            return self.pick(f"{self.selector()} % {self.number()}", f"({left}) ^ {self.number()}",
                             f"({left}) {arithmetic} {self.number()}", f"{self.number()} {arithmetic} ({left})",
                             f"({left}) {compare} bool {self.number()}", f"({left}) {compare} {self.number()}")
        if kind == 1:
            return f"({left}) {self.pick('and', 'or', 'unless')} {self.pick('', 'on (job) ', 'ignoring (host) ')}({right})"
        if kind == 2:
            return f"({left}) {arithmetic} on (job, host) ({right})"
        return f"({left}) {arithmetic} on (job) group_left sum by (job) ({right})"

    def vector(self, depth):
        if depth <= 0:
            return self.selector()
        return self.pick(self.call, self.call, self.aggregate, self.binary)(depth)

    def query(self):
        text = self.vector(self.pick(1, 1, 2, 2, 3))
        if " ^ " in text and "sin(" in text:
            return text.replace(" ^ ", " * ")
        if "predict_linear" in text or "timestamp" in text:
            return text.replace(" @ start()", "").replace(" @ end()", "")
        return text


def answer_of(url, path, parameters):
    """The document, also of a refusal."""
    form = urllib.parse.urlencode(parameters).encode()
    try:
        with urllib.request.urlopen(f"{url}{path}", form, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refusal:
        return json.load(refusal)


def points_of(answer):
    """{labels: {time: value}}; None: refused."""
    if answer["status"] != "success":
        return None
    points = {}
    for series in answer["data"]["result"]:
        values = series["values"] if "values" in series else [series["value"]]
        points[tuple(sorted(series["metric"].items()))] = {t: float(v) for t, v in values}
    return points


def is_near(a, b, digits, scale):
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return a == b or abs(a - b) <= 10 ** -digits * max(abs(a), abs(b), scale)


def difference(ours, theirs, digits):
    """A sentence, or None."""
    if ours is None or theirs is None:
        return None if ours is theirs else f"refused by one only: {ours} {theirs}"[:300]
    if ours.keys() != theirs.keys():
        return f"series differ: {sorted(ours.keys() ^ theirs.keys())}"[:600]
    for labels, values in theirs.items():
        if values.keys() != ours[labels].keys():
            return (f"times of {labels}: Sonde {sorted(ours[labels])}, Prometheus {sorted(values)}")[:600]
        for at, value in values.items():
            if not is_near(ours[labels][at], value, digits, 1e-3 if digits < 9 else 1e-9):
                return f"{labels} at {at}: {ours[labels][at]!r}, Prometheus {value!r}"
    return None


@unittest.skipIf(_sonde.IS_SLOW_BUILD and not _sonde.IS_LONG, "SONDE_LONG=1 runs it in slow builds")
@unittest.skipUnless(PROMETHEUS, "there is no prometheus")
class Differential(unittest.TestCase):
    def start_prometheus(self):
        directory = _sonde.temporary_directory(self)
        (directory / "prometheus.yml").write_text("global: {scrape_interval: 1h}\n")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        process = subprocess.Popen(
            [PROMETHEUS, f"--config.file={directory}/prometheus.yml",
             f"--storage.tsdb.path={directory}/data", f"--web.listen-address=127.0.0.1:{port}",
             "--web.enable-remote-write-receiver"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        url = f"http://127.0.0.1:{port}"

        def is_ready():
            try:
                return urllib.request.urlopen(f"{url}/-/ready", timeout=5).status == 200
            except OSError:
                return False
        wait_for(is_ready, "Prometheus")
        return url

    def series(self, chance, begin_ms):
        """Labels and samples: gauges with gaps and ends, counters with resets, buckets."""
        times = [begin_ms + 137 + i * STEP_S * 1000 for i in range(SAMPLES)]
        for job in "ab":
            for host in ("h0", "h1", "h2"):
                more = {"job": job, "host": host}
                for name in ("gauge", "other"):
                    yield {"__name__": name, **more}, self.gauge(chance, times)
                yield {"__name__": "work_total", **more}, self.counter(chance, times)
                counts = [0] * 5
                rows = [[] for _ in counts]
                for time_ms in times:
                    for i in range(5):
                        counts[i] += chance.randrange(4)
                        rows[i].append((1000 + sum(counts[:i + 1]), time_ms))
                for row, le in zip(rows, ("0.1", "0.5", "1", "5", "+Inf")):
                    yield {"__name__": "size_bucket", "le": le, **more}, row

    @staticmethod
    def gauge(chance, times):
        samples, is_gone = [], False
        for time_ms in times:
            if chance.random() < 0.02:
                is_gone = not is_gone
                if is_gone and chance.random() < 0.5:
                    samples.append((STALE, time_ms))
                    continue
            if not is_gone:
                samples.append((chance.choice((chance.uniform(-50, 100), chance.uniform(0, 70),
                                               chance.uniform(0, 1e6) if chance.random() < 0.02
                                               else chance.uniform(0, 9))), time_ms))
        return samples

    @staticmethod
    def counter(chance, times):
        samples, value = [], 100_000
        for time_ms in times:
            value = 50_000 + chance.randrange(1000) if chance.random() < 0.02 else value
            value += chance.randrange(9)
            samples.append((value, time_ms))
        return samples

    def write(self, urls, chance, begin_ms):
        request = snappy(request_1(*((dict(sorted(labels.items())), points)
                                     for labels, points in self.series(chance, begin_ms))))
        for url in urls:
            urllib.request.urlopen(urllib.request.Request(
                f"{url}/api/v1/write", request,
                {**TYPE_1, "X-Prometheus-Remote-Write-Version": "0.1.0"}), timeout=30).close()

    def test_random_queries_are_answered_as_by_prometheus(self):
        print(f"SONDE_SEED={SEED}", file=sys.stderr)
        chance = random.Random(SEED)
        server = Server(self, config="collect: {sources: {}}\n").start()
        ours, theirs = f"http://127.0.0.1:{server.port}", self.start_prometheus()
        end_s = int(time.time()) // 60 * 60
        begin_s = end_s - SAMPLES * STEP_S
        self.write((ours, theirs), chance, begin_s * 1000)
        questions, answered, failures = Questions(chance), 0, []
        for _ in range(COUNT):
            query = questions.query()
            at = begin_s + chance.randrange(3, SAMPLES * STEP_S // 60) * 60 + 7
            if chance.random() < 0.5:
                path, parameters = "/api/v1/query", {"query": query, "time": at}
            else:
                path = "/api/v1/query_range"
                parameters = {"query": query, "start": at, "end": at + 600, "step": 60}
            digits = 5 if any(name in query for name in LOOSE) else 9
            got = [points_of(answer_of(url, path, parameters)) for url in (ours, theirs)]
            answered += bool(got[1])
            what = difference(*got, digits)
            if what is not None:
                failures.append(f"{path} {parameters}: {what}")
        print(f"{COUNT} queries, {answered} with an answer", file=sys.stderr)
        print("\n".join(failures[:10]), file=sys.stderr)
        self.assertEqual(failures[:10], [], f"SONDE_SEED={SEED}: {len(failures)} differ")
        self.assertGreater(answered, COUNT // 3)


if __name__ == "__main__":
    _sonde.main()
