"""More than the server can take at once: it answers all, says 429 or 503 to some, and its memory stays
where it is; and senders that behave badly, over every way in."""

import socket
import threading
import time
import unittest
import zlib

import _sonde
from _sonde import Server
from remote_write_test import TYPE_1, request_1, snappy, varint

SENDERS = 4 if _sonde.IS_SLOW_BUILD else 32
REQUESTS = 4 if _sonde.IS_SLOW_BUILD else 10
SERIES = 4000
# What 32 bodies of 200 kB in flight need, several times over; the flood sends 64 MB.
GROWTH_KB_MAX = 400_000
OTLP = {"Content-Type": "application/json"}
PROTOBUF = {"Content-Type": "application/x-protobuf"}


class FloodTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(cls, config="collect: {interval: 1h}\nhttp: {body_max: 8MiB}\n").start()

    def tearDown(self):
        self.assertIsNone(self.server.process.poll(), "the server died")
        self.assertEqual(self.server.push("alive 1\n").status, 200)

    def test_memory_is_flat_under_a_flood(self):
        now_ms = _sonde.now_ms() - 60_000
        pages = ["".join(f'flood{{s="{sender}",n="{n}"}} {{value}} {{time}}\n' for n in range(SERIES))
                 for sender in range(SENDERS)]
        answers, memory = [], []
        before = self.server.metric('sonde_ingested_samples_total{protocol="prometheus_text"}')

        def send(sender):
            for i in range(REQUESTS):
                page = pages[sender].replace("{value}", str(i)).replace("{time}", str(now_ms + i))
                reply = self.server.push(page)
                answers.append((reply.status, reply.headers.get("Retry-After")))
                memory.append(self.server.memory_kb())

        self.assertEqual(self.server.push(pages[0].replace(" {value} {time}", " 0")).status, 200)
        start_kb = self.server.memory_kb()
        threads = [threading.Thread(target=send, args=(i,)) for i in range(SENDERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(answers), SENDERS * REQUESTS)
        for status, retry in answers:
            self.assertIn(status, (200, 429, 503))
            self.assertTrue(status == 200 or retry, status)
        taken = sum(status == 200 for status, _ in answers) * SERIES
        after = self.server.metric('sonde_ingested_samples_total{protocol="prometheus_text"}')
        self.assertEqual(after - before - SERIES, taken)
        if not _sonde.IS_SLOW_BUILD:  # sanitizers keep what was freed
            self.assertLess(max(memory) - start_kb, GROWTH_KB_MAX)

    # ---- bodies that are not what they say ----

    def routes(self):
        """(method, path, headers, a body that is taken)."""
        now_ns = _sonde.now_ms() * 1_000_000
        gauge = ('{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"g","gauge":{"dataPoints":'
                 '[{"timeUnixNano":"%d","asInt":1}]}}]}]}]}' % now_ns).encode()
        return [("POST", _sonde.IMPORT, {}, b"routes 1\n"),
                ("PUT", "/metrics/job/routes", {}, b"routes 1\n"),
                ("POST", "/v1/metrics", OTLP, gauge),
                ("POST", "/v1/metrics", PROTOBUF, b""),
                ("POST", "/v1/logs", OTLP, b"{}")]

    def test_every_route_inflates_and_none_explodes(self):
        pack = zlib.compressobj(9, zlib.DEFLATED, 31)
        bomb = b"".join(pack.compress(b"\n" * (1 << 20)) for _ in range(64)) + pack.flush()
        snappy_bomb = varint(64 << 20) + b"\x00a" + b"\xfe\x01\x00" * 1000
        for method, path, headers, body in self.routes():
            pack = zlib.compressobj(9, zlib.DEFLATED, 31)
            packed = pack.compress(body) + pack.flush()
            for encoding, content, expected in (("gzip", packed, (200,)), ("gzip", bomb, (413,)),
                                                ("snappy", snappy(body), (200,)),
                                                ("snappy", snappy_bomb, (400, 413)),
                                                ("zstd", b"\x28\xb5\x2f\xfd garbage", (400,)),
                                                ("gzip", packed[:-4], (400,)),
                                                ("gzip", b"garbage", (400,))):
                reply = self.server.request(method, path, content,
                                            {**headers, "Content-Encoding": encoding})
                self.assertIn(reply.status, expected, (path, encoding, content[:20], reply.body))

    def test_garbage_is_refused_everywhere(self):
        for method, path, headers, _ in self.routes():
            for garbage in (b"\xff" * 100, b"\x00", b"{" * 1000, b"[1,2", b"\x0a\xff\xff\xff\xff\x0f"):
                reply = self.server.request(method, path, garbage, headers)
                self.assertIn(reply.status, (400, 422), (path, garbage[:10], reply.body))
        reply = self.server.request("POST", "/api/v1/write", snappy(b"\xff" * 100), TYPE_1)
        self.assertEqual(reply.status, 400)

    def test_a_body_that_breaks_off_and_one_that_creeps_harm_nobody(self):
        connections = []
        for method, path, headers, body in self.routes():
            head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            for cut in (0, len(body)):
                connection = socket.create_connection(("127.0.0.1", self.server.port), timeout=20)
                connection.sendall((f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{head}"
                                    f"Content-Length: {len(body) + 10}\r\n\r\n").encode() + body[:cut])
                connections.append(connection)
        start = time.monotonic()
        body = request_1(({"__name__": "beside"}, [(1.0, _sonde.now_ms())]))
        self.assertEqual(self.server.request("POST", "/api/v1/write", snappy(body), TYPE_1).status, 204)
        self.assertLess(time.monotonic() - start, 10)
        for connection in connections:
            connection.close()
        reply = self.server.get("/api/v1/query?query=routes")
        self.assertEqual(reply.status, 200)


if __name__ == "__main__":
    _sonde.main()
