"""Remote write, 1.0 and 2.0: from an encoder of our own, and from the Prometheus of the machine."""

import http.client
import re
import shutil
import socket
import struct
import subprocess
import unittest
import urllib.parse

import _sonde
from _sonde import Server, wait_for

WRITE = "/api/v1/write"
TYPE_1 = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
TYPE_2 = {"Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
          "Content-Encoding": "snappy"}
STALE = struct.pack("<Q", 0x7ff0000000000002)
QUIET = "collect: {interval: 1h}\n"
PROMETHEUS = shutil.which("prometheus")
PROMETHEUS_S = 60 if _sonde.IS_LONG else 10


# ---- encoder ----

def varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7f:
        out.append(number & 0x7f | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def message(field, content):
    return varint(field << 3 | 2) + varint(len(content)) + content


def number(field, value):
    return varint(field << 3) + varint(value)


def double(field, value):
    bits = value if isinstance(value, bytes) else struct.pack("<d", value)
    return varint(field << 3 | 1) + bits


def snappy(data):
    """Literals only: valid, and not compressed."""
    out = bytearray(varint(len(data)))
    for at in range(0, len(data), 65536):
        piece = data[at:at + 65536]
        out += bytes([61 << 2]) + struct.pack("<H", len(piece) - 1) + piece
    return bytes(out)


def sample(value, time_ms, start_ms=None):
    return double(1, value) + number(2, time_ms) + (number(3, start_ms) if start_ms else b"")


def request_1(*series):
    """Series: (labels, [(value, time_ms)])."""
    return b"".join(
        message(1, b"".join(message(1, message(1, name.encode()) + message(2, value.encode()))
                            for name, value in labels.items())
                + b"".join(message(2, sample(*point)) for point in points))
        for labels, points in series)


def request_2(*series):
    symbols = {"": 0}
    body = b""
    for labels, points in series:
        references = b"".join(varint(symbols.setdefault(text, len(symbols)))
                              for pair in labels.items() for text in pair)
        body += message(5, message(1, references)
                        + b"".join(message(2, sample(*point)) for point in points))
    return b"".join(message(4, text.encode()) for text in symbols) + body


def span(offset, length):
    return number(1, (offset << 1) ^ (offset >> 63)) + number(2, length)


def native(time_ms, field, counts, start_ms=None):
    """An integer histogram of schema 0 whose buckets begin at 1. `field`: of the deltas' sides."""
    deltas = b"".join(varint(((delta << 1) ^ (delta >> 63)) & (1 << 64) - 1) for delta in
                      (count - before for count, before in zip(counts, [0] + counts)))
    total = sum(counts)
    return (number(1, total) + double(3, 2.0 * total) + number(4, 0) + double(5, 1e-128)
            + message(field["spans"], span(1, len(counts))) + message(field["deltas"], deltas)
            + number(15, time_ms) + (number(17, start_ms) if start_ms else b""))


# Fields of one side of a histogram; the same in both versions.
POSITIVE = {"spans": 11, "deltas": 12}


class RemoteWriteTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(cls, config=QUIET).start()
        cls.now_ms = _sonde.now_ms() // 1000 * 1000 - 60_000

    def tearDown(self):
        self.assertIsNone(self.server.process.poll(), "the server died")

    def write(self, body, headers=TYPE_1):
        return self.server.request("POST", WRITE, snappy(body), headers)

    def counter(self, name):
        page = self.server.get("/metrics").body.decode()
        found = re.search(rf"^{re.escape(name)} (\S+)$", page, re.MULTILINE)
        self.assertIsNotNone(found, name)
        return float(found.group(1))

    # ---- our own encoder ----

    def test_both_versions_are_stored(self):
        points = [(float(i), self.now_ms + 1000 * i) for i in range(20)]
        for name, encode, headers in (("rw_one", request_1, TYPE_1), ("rw_two", request_2, TYPE_2)):
            reply = self.write(encode(({"__name__": name, "job": "a"}, points)), headers)
            self.assertEqual(reply.status, 204, reply.body)
            written = reply.headers.get("X-Prometheus-Remote-Write-Samples-Written")
            self.assertEqual(written, "20" if headers is TYPE_2 else None)
            found = self.server.values(name, start=self.now_ms / 1000, step=1,
                                       end=self.now_ms / 1000 + 19)
            self.assertEqual([value for _, value in found], [value for value, _ in points])

    def test_unsorted_labels_name_the_same_series(self):
        for i, labels in enumerate(({"__name__": "rw_order", "a": "1", "z": "2"},
                                    {"z": "2", "a": "1", "__name__": "rw_order"})):
            self.assertEqual(self.write(request_1((labels, [(1.0, self.now_ms + i)]))).status, 204)
        data = self.server.history("rw_order", start=self.now_ms / 1000,
                                   end=self.now_ms / 1000 + 1)
        self.assertEqual(len(data["series"]), 1)

    def test_a_stale_marker_is_no_value(self):
        points = [(1.0, self.now_ms), (STALE, self.now_ms + 1)]
        self.assertEqual(self.write(request_1(({"__name__": "rw_stale"}, points))).status, 204)
        self.assertEqual(self.server.sample("rw_stale", self.now_ms), 1)
        self.assertIsNone(self.server.sample("rw_stale", self.now_ms + 1))

    def test_the_same_again_is_fine_and_another_value_is_not(self):
        body = request_1(({"__name__": "rw_again"}, [(1.0, self.now_ms)]))
        for _ in range(2):
            self.assertEqual(self.write(body).status, 204)
        reply = self.write(request_1(({"__name__": "rw_again"}, [(2.0, self.now_ms)]),
                                     ({"__name__": "rw_beside"}, [(3.0, self.now_ms)])))
        self.assertEqual(reply.status, 400)
        self.assertIn("accepted 1, rejected 1 (1 duplicate)", reply.error())
        self.assertEqual(self.server.sample("rw_beside", self.now_ms), 3)

    def test_what_is_wrong_is_refused_and_counted(self):
        before = self.counter("sonde_ingest_refused_requests_total")
        for body in (b"garbage", snappy(b"\xff\xff\xff\xff"), b"\xff" * 20, b"",
                     varint(1 << 31) + b"\0a"):
            reply = self.server.request("POST", WRITE, body, TYPE_1)
            self.assertIn(reply.status, (400, 413), body)
        self.assertEqual(self.counter("sonde_ingest_refused_requests_total"), before + 1)
        for change in ({"Content-Type": "application/json"}, {"Content-Encoding": "gzip"}):
            reply = self.server.request("POST", WRITE, snappy(b""), {**TYPE_1, **change})
            self.assertEqual(reply.status, 415)
        self.assertEqual(self.write(b"").status, 204)

    def query(self, text, time_ms):
        reply = self.server.get("/api/v1/query?" + urllib.parse.urlencode(
            {"query": text, "time": time_ms / 1000}))
        self.assertEqual(reply.status, 200, reply.body)
        return [float(one["value"][1]) for one in reply.json()["data"]["result"]]

    def series_2(self, name, *parts):
        """A 2.0 request of one series with the label x="y"; symbols 5 and 6 are for exemplars."""
        symbols = ["", "__name__", name, "x", "y", "trace_id", "abc"]
        body = message(1, b"".join(varint(i) for i in (1, 2, 3, 4))) + b"".join(parts)
        return b"".join(message(4, text.encode()) for text in symbols) + message(5, body)

    def test_native_histograms_of_both_versions(self):
        counts = [2, 5, 1]
        labels = b"".join(message(1, message(1, name) + message(2, value)) for name, value in
                          ((b"__name__", b"rw_native_one"), (b"x", b"y")))
        one = message(1, labels + message(4, native(self.now_ms, POSITIVE, counts)))
        self.assertEqual(self.write(one).status, 204)
        two = self.series_2("rw_native_two", message(3, native(self.now_ms, POSITIVE, counts)))
        reply = self.write(two, TYPE_2)
        self.assertEqual(reply.status, 204, reply.body)
        written = {kind: reply.headers[f"X-Prometheus-Remote-Write-{kind}-Written"]
                   for kind in ("Samples", "Histograms", "Exemplars")}
        self.assertEqual(written, {"Samples": "0", "Histograms": "1", "Exemplars": "0"})
        for name in ("rw_native_one", "rw_native_two"):
            self.assertEqual(self.query(f"histogram_count({name})", self.now_ms), [8])
            self.assertEqual(self.query(f"histogram_sum({name})", self.now_ms), [16])
            self.assertEqual(self.query(f"histogram_fraction(0, 2, {name})", self.now_ms), [0.25])

    def test_exemplars_are_stored_and_counted(self):
        exemplar = message(1, varint(5) + varint(6)) + double(2, 0.25) + number(3, self.now_ms)
        body = self.series_2("rw_exemplar_total", message(2, sample(1.0, self.now_ms)),
                             message(4, exemplar))
        reply = self.write(body, TYPE_2)
        self.assertEqual(reply.status, 204, reply.body)
        self.assertEqual(reply.headers["X-Prometheus-Remote-Write-Exemplars-Written"], "1")
        reply = self.server.get("/api/v1/query_exemplars?" + urllib.parse.urlencode(
            {"query": "rw_exemplar_total", "start": self.now_ms / 1000 - 1,
             "end": self.now_ms / 1000 + 1}))
        found = reply.json()["data"]
        self.assertEqual(len(found), 1, found)
        self.assertEqual(found[0]["exemplars"][0]["labels"], {"trace_id": "abc"})
        self.assertEqual(float(found[0]["exemplars"][0]["value"]), 0.25)

    def test_a_start_time_makes_the_first_increment_count(self):
        start_ms = self.now_ms - 20_000
        points = [message(2, sample(value, self.now_ms - 10_000 + i * 5000, start_ms))
                  for i, value in enumerate((7.0, 7.0, 9.0))]
        self.assertEqual(self.write(self.series_2("rw_start_total", *points), TYPE_2).status, 204)
        without = [message(2, sample(value, self.now_ms - 10_000 + i * 5000))
                   for i, value in enumerate((7.0, 7.0, 9.0))]
        self.assertEqual(self.write(self.series_2("rw_plain_total", *without), TYPE_2).status, 204)
        with_start = self.query("increase(rw_start_total[1m])", self.now_ms)[0]
        plain = self.query("increase(rw_plain_total[1m])", self.now_ms)[0]
        self.assertGreater(with_start, 8.9)
        self.assertLess(plain, 8.9)

    def test_a_bad_histogram_is_rejected_and_the_rest_is_taken(self):
        bad = number(1, 1) + double(3, 1.0) + number(4, 0) + message(11, span(1, 3)) \
            + message(12, b"\2") + number(15, self.now_ms)
        body = self.series_2("rw_bad_native", message(3, bad), message(2, sample(1.0, self.now_ms)))
        reply = self.write(body, TYPE_2)
        self.assertEqual(reply.status, 400)
        self.assertIn("accepted 1, rejected 1 (1 invalid_histogram)", reply.error())
        self.assertEqual(reply.headers["X-Prometheus-Remote-Write-Samples-Written"], "1")
        self.assertEqual(reply.headers["X-Prometheus-Remote-Write-Histograms-Written"], "0")

    def test_times_of_another_century_are_rejected(self):
        for time_ms, reason in ((1, "too_old"), (-5, "too_old"), (4_102_444_800_000, "too_new")):
            reply = self.write(request_1(({"__name__": "rw_century"}, [(1.0, time_ms)])))
            self.assertEqual(reply.status, 400, time_ms)
            self.assertIn(reason, reply.error())

    def test_labels_beyond_all_limits_are_rejected_by_name(self):
        many = {"__name__": "rw_many", **{f"l{i:06d}": "v" for i in range(1_000_000)}}
        for labels in (many, {"__name__": "n" * 65536}, {"__name__": "x", "a": "v" * 65536},
                       {"a": "no name"}):
            body = request_1((labels, [(1.0, self.now_ms)]),
                             ({"__name__": "rw_taken"}, [(1.0, self.now_ms)]))
            reply = self.write(body)
            self.assertIn(reply.status, (400, 413), list(labels)[:2])
            if reply.status == 400:
                self.assertIn("accepted 1, rejected 1", reply.error())

    # ---- Prometheus ----

    def start_prometheus(self, server):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        directory = _sonde.temporary_directory(self)
        config = directory / "prometheus.yml"
        config.write_text(f"""\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
- job_name: itself
  static_configs: [{{targets: ['127.0.0.1:{port}']}}]
- job_name: sonde
  static_configs: [{{targets: ['127.0.0.1:{server.port}']}}]
remote_write:
- url: http://127.0.0.1:{server.port}{WRITE}
  send_exemplars: true
  send_native_histograms: true
  metadata_config: {{send_interval: 2s}}
  queue_config: {{batch_send_deadline: 200ms}}
""")
        with open(directory / "log", "wb") as log:
            process = subprocess.Popen(
                [PROMETHEUS, f"--config.file={config}", f"--storage.tsdb.path={directory}/data",
                 f"--web.listen-address=127.0.0.1:{port}", "--enable-feature=exemplar-storage"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=directory)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process, port, directory / "log"

    @staticmethod
    def ask_prometheus(port, query):
        """Result of an instant query; empty while it is starting."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", "/api/v1/query?" + urllib.parse.urlencode({"query": query}))
            reply = _sonde.Reply(connection.getresponse())
        except OSError:
            return []
        finally:
            connection.close()
        return reply.json()["data"]["result"] if reply.status == 200 else []

    def prometheus_value(self, port, query):
        result = self.ask_prometheus(port, query)
        return float(result[0]["value"][1]) if result else None

    def prometheus_points(self, port, selector):
        """[(milliseconds, value)] of the only series."""
        result = self.ask_prometheus(port, f"{selector}[10m]")
        self.assertEqual(len(result), 1)
        return [(round(time_s * 1000), float(value)) for time_s, value in result[0]["values"]]

    @unittest.skipUnless(PROMETHEUS, "no prometheus is installed")
    @unittest.skipIf(_sonde.IS_SLOW_BUILD, "the same server code is tested in the dev build")
    def test_prometheus_writes_what_it_scrapes(self):
        server = Server(self, config=QUIET).start()
        process, port, log = self.start_prometheus(server)

        def enough():
            self.assertIsNone(process.poll(), log.read_text())
            count = self.prometheus_value(port, 'count_over_time(up{job="itself"}[10m])')
            return count is not None and count >= PROMETHEUS_S
        wait_for(enough, "scrapes", timeout_s=PROMETHEUS_S + 60)
        for name in ("up", "process_cpu_seconds_total"):
            points = self.prometheus_points(port, f'{name}{{job="itself"}}')
            self.assertGreaterEqual(len(points), PROMETHEUS_S)
            for time_ms, value in points:  # what was scraped last may still be on its way
                found = wait_for(lambda: server.sample(name, time_ms, job="itself") is not None
                                 and [server.sample(name, time_ms, job="itself")], name)
                self.assertEqual(found, [value])
        for kind in ("failed", "dropped", "retried"):
            query = f"sum(prometheus_remote_storage_samples_{kind}_total)"
            self.assertEqual(self.prometheus_value(port, query), 0, log.read_text())
        self.check_counts(server, process, log)

    def check_counts(self, server, process, log):
        """After Prometheus flushed and stopped, both have counted the same."""
        process.terminate()
        process.wait(timeout=60)
        page = server.get("/metrics").body.decode()
        counters = dict(re.findall(r"^(sonde_(?:in|re)\w+_samples_total\{[^}]*\}) (\S+)$", page,
                                   re.MULTILINE))
        ingested = float(counters['sonde_ingested_samples_total{protocol="remote_write"}'])
        self.assertGreater(ingested, 1000)
        lost = {name: value for name, value in counters.items()
                if name.startswith("sonde_rejected") and float(value) > 0}
        self.assertEqual(lost, {}, log.read_text()[-2000:])
        print(f"prometheus wrote {ingested:.0f} samples")


if __name__ == "__main__":
    _sonde.main()
