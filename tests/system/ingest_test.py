"""What goes in comes out, bit by bit; what is wrong, huge or slow is refused and harms nobody."""

import gzip
import math
import random
import socket
import struct
import time
import unittest
import zlib

import _sonde
from _sonde import IMPORT, Server, wait_for

QUIET = "collect: {interval: 1h}\n"
BODY_MAX = 32 << 20
# A whole minute of some hours ago.
BASE_MS = _sonde.now_ms() // 60000 * 60000 - 6 * 3_600_000


class IngestTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(cls, config=QUIET).start()
        cls.counter = 0

    def tearDown(self):
        # Whatever a test did, the server lives and takes data.
        self.assertIsNone(self.server.process.poll(), "the server died")
        self.assertEqual(self.server.push("alive 1\n").status, 200)
        self.assertEqual(self.server.get("/readyz").status, 200)

    def name(self):
        """A metric name that no other test has."""
        type(self).counter += 1
        return f"metric_{self.counter}"

    def accepted(self, reply):
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json()["data"]["accepted"]

    def refused(self, reply, status, words):
        self.assertEqual(reply.status, status, reply.body)
        self.assertIn(words, reply.error())

    # ---- values ----

    def test_finite_values_come_out_bit_by_bit(self):
        chance = random.Random(1)
        values = [0.0, -0.0, 1.0, -1.0, 0.1, 1 / 3, 2.0 ** 53, 2.0 ** 53 + 2, 5e-324,
                  2.2250738585072014e-308, 1.7976931348623157e308, -1.7976931348623157e308]
        while len(values) < 1000:
            value = struct.unpack("<d", chance.randbytes(8))[0]
            if math.isfinite(value):
                values.append(value)
        name, start_ms = self.name(), _sonde.now_ms() - 3_600_000
        page = "".join(f"{name} {value!r} {start_ms + i}\n" for i, value in enumerate(values))
        self.assertEqual(self.accepted(self.server.push(page)), len(values))
        found = self.server.values(name, start=start_ms / 1000, step=0.001,
                                   end=(start_ms + len(values) - 1) / 1000)
        self.assertEqual([struct.pack("<d", value) for _, value in found],
                         [struct.pack("<d", value) for value in values])

    def test_infinities_are_counted_and_nan_is_no_value(self):
        name, time_ms = self.name(), _sonde.now_ms()
        page = f"{name} +Inf {time_ms - 30}\n{name} -Inf {time_ms - 20}\n{name} NaN {time_ms - 10}\n"
        self.assertEqual(self.accepted(self.server.push(page)), 3)
        for offset, count in ((30, 1), (20, 1), (10, 0)):
            moment = f"{(time_ms - offset) / 1000:.3f}"
            series = self.server.history(name, start=moment, end=moment, step="0.001")["series"]
            self.assertEqual(sum(sum(one["count"]) for one in series), count)

    def test_numbers_may_be_written_in_every_way(self):
        time_ms = _sonde.now_ms()
        for text, value in (("1", 1), ("+1", 1), ("1e3", 1000), (".5", 0.5), ("5.", 5),
                            ("1E-3", 0.001), ("0x10", None), ("1_000", None), ("1,5", None),
                            ("one", None)):
            name = self.name()
            reply = self.server.push(f"{name} {text} {time_ms}\n")
            if value is None:
                self.assertEqual(reply.status, 400, text)
            else:
                self.assertEqual(self.accepted(reply), 1, text)
                self.assertEqual(self.server.sample(name, time_ms), value)

    def test_averages_minima_and_maxima(self):
        name, time_ms = self.name(), _sonde.now_ms() // 10000 * 10000 - 60000
        page = "".join(f"{name} {value} {time_ms + i * 1000}\n" for i, value in enumerate((3, 1, 8)))
        self.assertEqual(self.accepted(self.server.push(page)), 3)
        data = self.server.history(name, start=time_ms / 1000, end=time_ms / 1000 + 9, step="10s")
        series = data["series"][0]
        self.assertEqual((series["min"], series["avg"], series["max"], series["count"]),
                         ([1], [4], [8], [3]))

    # ---- parameters and encodings ----

    def test_default_time_and_extra_labels(self):
        name, time_ms = self.name(), _sonde.now_ms() - 5000
        query = f"?timestamp={time_ms}&extra_label=job=batch&extra_label=path=%2Fa%20b"
        self.assertEqual(self.accepted(self.server.push(f'{name}{{job="own"}} 7\n', query)), 1)
        self.assertEqual(self.server.sample(name, time_ms, job="batch", path="/a b"), 7)
        self.assertIsNone(self.server.sample(name, time_ms, job="own"))

    def test_gzip(self):
        name, time_ms = self.name(), _sonde.now_ms()
        body = gzip.compress(f"{name} 1 {time_ms}\n".encode())
        self.assertEqual(self.accepted(self.server.push(body, "", {"Content-Encoding": "gzip"})), 1)
        self.assertEqual(self.server.sample(name, time_ms), 1)

    def test_broken_gzip(self):
        body = gzip.compress(b"a 1\n" * 1000)
        for bad in (body[:-9], body[:20], b"no gzip at all", body[:30] + b"x" + body[31:]):
            reply = self.server.push(bad, "", {"Content-Encoding": "gzip"})
            self.assertIn(reply.status, (400, 415), bad[:20])
        self.assertEqual(self.server.push(b"a 1\n", "", {"Content-Encoding": "rot13"}).status, 415)

    def test_a_form_as_curl_sends_it(self):
        name, time_ms = self.name(), _sonde.now_ms()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        self.assertEqual(self.accepted(self.server.push(f"{name} 5 {time_ms}\n", "", headers)), 1)
        self.assertEqual(self.server.sample(name, time_ms), 5)

    def test_any_text_may_be_a_label(self):
        name, time_ms = self.name(), _sonde.now_ms()
        for i, text in enumerate(("ä€😀", 'quote " and \\', "line\nbreak", "\x01\x7f", " ", "a" * 8192)):
            escaped = text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
            page = f'{name}{{i="{i}",text="{escaped}"}} {i} {time_ms}\n'
            self.assertEqual(self.accepted(self.server.push(page)), 1, text)
            if len(text) < 1000:
                self.assertEqual(self.server.sample(name, time_ms, text=text), i)
            labels = self.server.history(name, i=str(i))["series"][0]["labels"]
            self.assertEqual(labels["text"], text)

    # ---- what is refused ----

    def test_a_malformed_page_stores_nothing_and_names_its_line(self):
        name, time_ms = self.name(), _sonde.now_ms()
        self.refused(self.server.push(f"{name} 1 {time_ms}\n{name}{{ 2\n"), 400, "line 2")
        self.refused(self.server.push(b"\x00\xff\n"), 400, "line 1")
        self.assertIsNone(self.server.sample(name, time_ms))

    def test_a_duplicate_with_another_value_is_refused(self):
        name, time_ms = self.name(), _sonde.now_ms()
        self.assertEqual(self.accepted(self.server.push(f"{name} 1 {time_ms}\n")), 1)
        self.assertEqual(self.accepted(self.server.push(f"{name} 1 {time_ms}\n")), 1)
        self.assertEqual(self.server.push(f"{name} 2 {time_ms}\n").status, 400)
        self.assertEqual(self.server.sample(name, time_ms), 1)

    def test_samples_of_the_wrong_time_are_refused_with_a_reason(self):
        name, time_ms = self.name(), _sonde.now_ms()
        page = (f"{name} 1 {time_ms}\n{name} 2 {time_ms + 3_600_000}\n"
                f"{name} 3 {time_ms - 400 * 86_400_000}\n{name} 4 {time_ms - 3_600_000}\n")
        reply = self.server.push(page)
        self.assertEqual(self.accepted(reply), 1)
        rejected = reply.json()["data"]["rejected"]
        self.assertEqual(rejected, {"too_new": 1, "too_old": 1, "out_of_order": 1})
        self.assertTrue(reply.json()["data"]["first_reject"])

    def test_a_million_labels(self):
        labels = ",".join(f'l{i}="v"' for i in range(1_000_000))
        reply = self.server.push(f"{self.name()}{{{labels}}} 1\n")
        self.assertIn(reply.status, (400, 413, 422))
        self.assertTrue(reply.error())

    def test_labels_are_limited_one_by_one(self):
        name = self.name()
        good = ",".join(f'l{i}="v"' for i in range(127))
        page = (f"{name}{{{good}}} 1\n{name}{{{good},more=\"v\"}} 1\n"
                f'{name}{{long="{"x" * 8193}"}} 1\n')
        reply = self.server.push(page)
        self.assertEqual(self.accepted(reply), 1)
        self.assertEqual(reply.json()["data"]["rejected"], {"label_limit": 2})

    def test_a_name_of_a_million_bytes(self):
        reply = self.server.push("n" * 1_000_000 + " 1\n")
        self.assertIn(reply.status, (400, 422))
        self.assertLess(len(reply.error()), 1000)

    def test_bodies_are_limited(self):
        self.refused(self.server.request("POST", IMPORT, b"#" * BODY_MAX + b"\n"), 413, "")
        bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
        body = b"".join(bomb.compress(b"\n" * (1 << 20)) for _ in range(100)) + bomb.flush()
        self.assertLess(len(body), 200_000)
        self.refused(self.server.push(body, "", {"Content-Encoding": "gzip"}), 413, "")

    def test_many_samples_in_one_body(self):
        name, count = self.name(), 200_000
        page = "".join(f'{name}{{n="{i % 1000}"}} {i} {1000 * (i // 1000) + BASE_MS}\n'
                       for i in range(count))
        self.assertEqual(self.accepted(self.server.push(page)), count)
        data = self.server.history(name, start=BASE_MS / 1000, end=BASE_MS / 1000 + 199,
                                   step=1)
        self.assertEqual(sum(sum(series["count"]) for series in data["series"]), count)
        for series in data["series"]:
            first = int(series["labels"]["n"])
            self.assertEqual(series["avg"], [first + 1000 * i for i in range(200)])

    # ---- clients that behave badly ----

    def raw(self, text):
        connection = socket.create_connection(("127.0.0.1", self.server.port), timeout=20)
        self.addCleanup(connection.close)
        connection.sendall(text)
        return connection

    def head(self, length):
        return (f"POST {IMPORT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
                ).encode()

    def test_a_body_that_breaks_off_is_not_stored(self):
        name, time_ms = self.name(), _sonde.now_ms()
        page = f"{name} 1 {time_ms}\n".encode()
        for cut in (0, 1, len(page) - 1, len(page)):
            self.raw(self.head(len(page) + 100) + page[:cut]).close()
        self.assertIsNone(self.server.sample(name, time_ms))

    def test_slow_senders_hold_up_nobody(self):
        slow = [self.raw(self.head(1000) + b"a") for _ in range(200)]
        start = time.monotonic()
        for _ in range(20):
            self.assertEqual(self.server.push("quick 1\n").status, 200)
        self.assertLess(time.monotonic() - start, 10)
        for connection in slow:
            connection.close()

    def test_a_body_sent_byte_by_byte_arrives(self):
        name, time_ms = self.name(), _sonde.now_ms()
        page = f"{name} 1 {time_ms}\n".encode()
        connection = self.raw(self.head(len(page)))
        for byte in page:
            connection.sendall(bytes([byte]))
        self.assertIn(b" 200 ", connection.recv(4096).split(b"\r\n")[0])
        self.assertEqual(self.server.sample(name, time_ms), 1)

    def test_connections_that_vanish_are_cleaned_up(self):
        def open_count():
            page = self.server.get("/metrics").body.decode()
            return int(page.split("\nsonde_http_connections ")[1].split("\n")[0])
        connections = [self.raw(self.head(10) + b"a") for _ in range(200)]
        wait_for(lambda: open_count() > 200, "connections")
        self.assertEqual(self.server.push("meanwhile 1\n").status, 200)
        for connection in connections:
            connection.close()
        wait_for(lambda: open_count() < 20, "their end", 20)


if __name__ == "__main__":
    _sonde.main()
