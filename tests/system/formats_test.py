"""What a reader from docs/FORMATS.md (_formats.py) finds on disk, against the server's own answer."""

import json
import math
import random
import sqlite3
import struct
import subprocess
import unittest
import urllib.parse

import _sonde
from _formats import LZ4, ZSTD, Log, read_catalogue, read_exemplars, read_files
from remote_write_test import POSITIVE, TYPE_1, WRITE, double, message, native, number, snappy

GO_NAN = struct.pack("<Q", 0x7ff8000000000001)  # what a text "NaN" becomes


def bits(value):
    return struct.pack("<d", value)


def value_of(text):
    if isinstance(text, str):
        if text == "stale":
            return struct.unpack("<d", struct.pack("<Q", 0x7ff0000000000002))[0]
        if text.startswith("nan:"):
            return struct.unpack("<d", struct.pack("<Q", int(text[4:], 16)))[0]
        if text == "NaN":
            return struct.unpack("<d", struct.pack("<Q", 0x7ff8000000000001))[0]
        return float(text)
    return float(text)


def number_of(text):
    return -0.0 if text == "-0" else int(text)


def histogram_of(entry):
    """A histogram of an export as the reader has it; its sum as bits, which may be a NaN's."""
    hints = ["unknown", "reset", "not_reset", "gauge"]
    return (entry["schema"], hints.index(entry.get("counter_reset_hint", "unknown")),
            entry.get("zero_threshold", 0), entry["count"], entry.get("zero_count", 0),
            bits(value_of(entry["sum"])),
            *([tuple(item) if isinstance(item, list) else item for item in entry.get(name, [])]
              for name in ("positive_spans", "positive_counts", "negative_spans",
                           "negative_counts", "custom_bounds")))


def ours_of(histogram):
    return (*histogram[:5], bits(histogram.sum), *histogram[6:])


class Formats(unittest.TestCase):
    def answer(self, *where, match="t"):
        """What the program says: {labels: {time: (bits, start)}}, of histograms (histogram, start)."""
        process = subprocess.run([_sonde.BINARY, "export", "-q", "--match", match, *map(str, where)],
                                 text=True, capture_output=True, timeout=120, check=True)
        found = {}
        for line in process.stdout.splitlines():
            entry = json.loads(line, parse_int=number_of)
            labels = tuple(sorted(entry["metric"].items()))
            starts = entry.get("starts") or [0] * len(entry["timestamps"])
            values = [bits(value_of(value)) for value in entry["values"]] if "values" in entry \
                else [histogram_of(item) for item in entry["histograms"]]
            found.setdefault(labels, {}).update(zip(entry["timestamps"], zip(values, starts)))
        return found

    def assert_same(self, found, wanted):
        """As assertEqual, which takes minutes to print a difference of megabytes."""
        self.assertEqual(set(found), set(wanted))
        for labels, by_time in wanted.items():
            for time, value in by_time.items():
                self.assertEqual(found[labels].get(time), value, (labels, time))
            self.assertEqual(len(found[labels]), len(by_time), labels)

    def ours(self, samples, series, name="t", form=bits):
        return {series[number]: {time: (form(value), start)
                                 for time, (value, start) in by_time.items()}
                for number, by_time in samples.items() if ("__name__", name) in series[number]}

    def make_samples(self, now_ms):
        """Series of every kind of block: constants, lines, decimals, noise, huge, special, gaps."""
        rng = random.Random(7)
        shapes = {
            "constant": lambda i: 42.5,
            "line": lambda i: i * 3.0,
            "tenths": lambda i: rng.randrange(1000) / 10,
            "noise": lambda i: rng.random(),
            "huge": lambda i: float(rng.randrange(1 << 50)) * 1024.0,
            "tiny": lambda i: rng.randrange(1, 99) * 1e-12,
            "counter": lambda i: float(i * i),
            "special": lambda i: [math.inf, -math.inf, -0.0, math.nan, 5e-324, 1e300][i % 6],
            "spikes": lambda i: 1e9 if i % 97 == 0 else float(i % 3),
        }
        for name, shape in shapes.items():
            for n in range(3):
                times = [now_ms - (700 - i) * 1000 + (rng.randrange(300) if n == 1 else 0)
                         for i in range(700) if n != 2 or i % 7]
                yield {"__name__": "t", "shape": name, "n": str(n), "text": 'ä"\\\n'}, \
                    [(time, shape(i)) for i, time in enumerate(times)]

    def test_a_reader_from_the_document_reads_log_and_segments(self):
        server = _sonde.Server(self, config="collect:\n  interval: 1h\n").start()
        now_ms = _sonde.now_ms()
        pushed = {}
        text = []
        for labels, samples in self.make_samples(now_ms):
            key = tuple(sorted(labels.items()))
            pushed[key] = {time: GO_NAN if math.isnan(value) else bits(value)
                           for time, value in samples}
            escaped = ",".join(f'{k}="{v}"' for k, v in
                               ((k, v.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n"))
                                for k, v in labels.items() if k != "__name__"))
            text += [f"t{{{escaped}}} {value!r} {time}\n".replace("inf", "Inf").replace("nan", "NaN")
                     for time, value in samples]
        for at in range(0, len(text), 5000):
            self.assertEqual(server.push("".join(text[at:at + 5000])).status, 200)
        server.kill()

        # The log, as the crash left it.
        series = {}
        logs = sorted((server.data / "wal").glob("*.log"))
        self.assertGreaterEqual(len(logs), 1)
        from_log = {}
        for log in logs:
            for number, by_time in Log(log.read_bytes(), series).samples.items():
                from_log.setdefault(number, {}).update(by_time)
        found = self.ours(from_log, series)
        self.assert_same({key: {time: value for time, (value, _) in by_time.items()}
                          for key, by_time in found.items()}, pushed)

        # The same from segments, after a restart, and what the program answers.
        wanted = self.answer("--data", server.data)
        self.assert_same(found, wanted)
        database = sqlite3.connect(server.data / "sonde.db")
        catalogue = read_catalogue(database)
        self.assertEqual(sorted(catalogue), list(range(len(catalogue))))
        self.assertEqual({n: catalogue[n] for n in series}, series)
        merged = read_files(server.data, database, catalogue)[0]["float"]
        database.close()
        self.assert_same(self.ours(merged, catalogue), wanted)
        self.assertEqual(sum(map(len, wanted.values())), len(text))

    # ---- merged segments and rollups ----

    def make_old_samples(self, base):
        """JSON lines in two halves: a series with every second, others with every 15; many of them are
        alike, so that their packs can be compressed."""
        rng = random.Random(11)
        halves = ["", ""]
        noise = [rng.randrange(-900, 900) / 10 for _ in range(700)]
        shapes = [lambda i: float(i % 250), lambda i: rng.randrange(-900, 900) / 10,
                  lambda i: rng.random() if i % 1000 else math.nan] + 8 * [lambda i: noise[i]]
        for n, shape in enumerate(shapes):
            step, count = (1, 5000) if n == 2 else (15, 700)
            values = [shape(i) for i in range(count)]
            texts = ["NaN" if math.isnan(value) else value for value in values]
            if n == 1:
                texts[100] = texts[-1] = "stale"
            times = [base + 1000 * step * i + n for i in range(count)]
            for half, part in enumerate((slice(0, count // 2), slice(count // 2, count))):
                line = {"metric": {"__name__": "t", "n": str(n)}, "values": texts[part],
                        "timestamps": times[part]}
                if n == 0:
                    line["starts"] = [base - 1] * len(line["values"])
                halves[half] += json.dumps(line) + "\n"
        return halves

    def rolled_up(self, samples, start_ms, end_ms):
        """What the samples of (start, end] sum up to; None: nothing. NaN is a value, stale is none."""
        inside = [(time, *pair) for time, pair in sorted(samples.items())
                  if start_ms < time <= end_ms]
        stale = bits(value_of("stale"))
        values = [(time, struct.unpack("<d", raw)[0], start) for time, raw, start in inside
                  if raw != stale]
        if not values:
            return None
        numbers = [value for _, value, _ in values]
        real = [value for value in numbers if not math.isnan(value)]
        falls = sum(before for before, after in zip(numbers, numbers[1:]) if after < before)
        return {"count": len(values), "first_ms": values[0][0], "last_ms": values[-1][0],
                "first": numbers[0], "last": numbers[-1], "sum": math.fsum(numbers),
                "min": min(real), "max": max(real), "falls": falls,
                "is_stale_end": inside[-1][1] == stale,
                "has_start": any(start for _, _, start in values)}

    def assert_rollups(self, found, wanted, width):
        """Each series of the answer has exactly the buckets that its samples make."""
        for labels, samples in wanted.items():
            buckets = found.get(labels, {})
            ends = {-(-time // width) * width for time in samples}
            expected = {end: rolled for end in ends
                        if (rolled := self.rolled_up(samples, end - width, end))}
            self.assertEqual(set(buckets), set(expected), labels)
            for end, rolled in expected.items():
                for name, value in rolled.items():
                    ours = getattr(buckets[end][0], name)
                    both_nan = ours != ours and value != value
                    self.assertTrue(both_nan or math.isclose(ours, value, rel_tol=1e-12),
                                    (labels, end, name, ours, value))

    def ask(self, server, query, time_ms):
        text = urllib.parse.urlencode({"query": query, "time": time_ms / 1000})
        reply = server.get(f"/api/v1/query?{text}")
        self.assertEqual(reply.status, 200, reply.body)
        return {item["metric"]["n"]: float(item["value"][1])
                for item in reply.json()["data"]["result"]}

    def roll_up(self, server, base):
        """Two segments of one day that has passed become one, and files of rollups are made of it."""
        server.start()
        server.stop()
        for i, half in enumerate(self.make_old_samples(base)):
            file = server.directory / f"half{i}.jsonl"
            file.write_text(half)
            self.assertEqual(_sonde.run("import", file, "--data", server.data).returncode, 0)
        server.start()
        _sonde.wait_for(lambda: server.metric("sonde_store_rollup_files") >= 2
                        and server.metric("sonde_store_compactions_total") >= 1, "rollups")
        server.stop()

    def assert_rollup_answers(self, server, rollups, width, catalogue):
        """The samples are gone: what the server says is what the files say."""
        for query, member in (("count", "count"), ("sum", "sum"), ("min", "min"), ("max", "max"),
                              ("last", "last")):
            ends = sorted({end for by_end in rollups.values() for end in by_end})
            for end in ends:
                ours = {dict(catalogue[number])["n"]: getattr(by_end[end][0], member)
                        for number, by_end in rollups.items()
                        if end in by_end and ("__name__", "t") in catalogue[number]}
                theirs = self.ask(server, f"{query}_over_time(t[{width // 1000}s])", end)
                self.assertEqual(set(theirs), set(ours), (query, end))
                for n, value in ours.items():
                    both_nan = value != value and theirs[n] != theirs[n]
                    self.assertTrue(both_nan or math.isclose(theirs[n], value, rel_tol=1e-9),
                                    (query, end, n, theirs[n], value))

    def test_a_reader_from_the_document_reads_merged_segments_and_rollups(self):
        day = 86_400_000
        base = (_sonde.now_ms() // day - 3) * day + 12 * 3_600_000
        server = _sonde.Server(self, config="collect: {interval: 1h}\n"
                                            "storage: {flush_interval: 1s}\n")
        self.roll_up(server, base)
        wanted = self.answer("--data", server.data)
        database = sqlite3.connect(server.data / "sonde.db")
        catalogue = read_catalogue(database)
        found, encodings = read_files(server.data, database, catalogue)
        self.assert_same(self.ours(found["float"], catalogue), wanted)
        self.assertIn(2, encodings, "no pack is compressed with zstd")
        widths = {}
        for width, in database.execute("SELECT DISTINCT width_ms FROM rollup").fetchall():
            widths[width] = read_files(server.data, database, catalogue, "rollup", "bucket_count",
                                       f"width_ms = {width}")[0]["rollup"]
        database.close()
        self.assertEqual(sorted(widths), [300_000, 3_600_000])
        for width, rollups in widths.items():
            named = {catalogue[number]: by_end for number, by_end in rollups.items()}
            some = {labels: samples for labels, samples in wanted.items()
                    if width == 3_600_000 or ("n", "2") in labels}
            self.assert_rollups(named, some, width)
        server.config.write_text("collect: {interval: 1h}\n"
                                 "storage: {flush_interval: 1s, retention: 1d}\n")
        server.start()
        _sonde.wait_for(lambda: server.metric("sonde_store_expired_segments_total") >= 1,
                        "retention")
        # What is shorter than a bucket has no answer any more.
        self.assertEqual(self.ask(server, "count_over_time(t[1m])", base + 600_000), {})
        self.assert_rollup_answers(server, widths[3_600_000], 3_600_000, catalogue)

    # ---- histograms and exemplars ----

    def test_a_reader_from_the_document_reads_histograms_and_exemplars(self):
        server = _sonde.Server(self, config="collect: {interval: 1h}\n").start()
        now_ms = _sonde.now_ms() // 1000 * 1000 - 60_000
        body = b""
        for n in range(2):
            labels = b"".join(message(1, message(1, key) + message(2, value)) for key, value in
                              ((b"__name__", b"t"), (b"n", b"%d" % n)))
            histograms = b"".join(message(4, native(now_ms + 100 * i, POSITIVE, [i, 3, i * n, 1]))
                                  for i in range(100))
            exemplar = message(1, message(1, b"trace_id") + message(2, b"t%d" % n)) \
                + double(2, 0.5 + n) + number(3, now_ms)
            body += message(1, labels + histograms + message(3, exemplar))
        reply = server.request("POST", WRITE, snappy(body), TYPE_1)
        self.assertEqual(reply.status, 204, reply.body)
        text = urllib.parse.urlencode({"query": "t", "start": now_ms / 1000 - 1,
                                       "end": now_ms / 1000 + 1})
        answer = server.get(f"/api/v1/query_exemplars?{text}").json()["data"]
        wanted_exemplars = {
            tuple(sorted(item["seriesLabels"].items())):
                [(round(one["timestamp"] * 1000), float(one["value"]),
                  tuple(sorted(one["labels"].items()))) for one in item["exemplars"]]
            for item in answer}
        self.assertEqual(len(wanted_exemplars), 2)
        server.kill()
        series = {}
        log = None
        for path in sorted((server.data / "wal").glob("*.log")):
            found = Log(path.read_bytes(), series)
            log = found if found.histograms else log
        wanted = self.answer("--data", server.data)
        self.assertEqual(sum(map(len, wanted.values())), 200)
        self.assert_same(self.ours(log.histograms, series, form=ours_of), wanted)
        self.assertEqual({series[key]: found for key, found in log.exemplars.items()},
                         wanted_exemplars)
        database = sqlite3.connect(server.data / "sonde.db")
        catalogue = read_catalogue(database)
        stored = read_files(server.data, database, catalogue)[0]["histogram"]
        exemplars = read_exemplars(database, catalogue)
        database.close()
        self.assert_same(self.ours(stored, catalogue, form=ours_of), wanted)
        self.assertEqual({catalogue[key]: found for key, found in exemplars.items()},
                         wanted_exemplars)


if __name__ == "__main__":
    if ZSTD is None or LZ4 is None:
        print("no libzstd or liblz4")
        raise SystemExit(77)
    _sonde.main()
