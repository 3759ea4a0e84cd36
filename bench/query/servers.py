#!/usr/bin/env python3
"""Sonde, Prometheus and VictoriaMetrics answer the same queries over HTTP, on the same data.

    bench/query/servers.py SONDE_BINARY [--data DIR] [--only TEXT] [--rounds N] [--quick]

A day of samples at 15 s of 10,000 counters and 1,200 buckets of histograms goes to all three by
remote write. Then every query is asked of them in turns, several rounds; the best round counts.
What is printed per query: processor time of the server's process (/proc/PID/stat around a batch of
queries, both user and system time) and the time until the last byte of the answer has arrived.
VictoriaMetrics keeps no cache of results (-search.disableCache): the others have none.

Answers of Sonde and Prometheus are compared number by number. The last part asks Sonde alone how
its cost grows with series, range and steps. The exit status says whether everything held.

DIR keeps the loaded data for the next run. Standard library only.
"""

import argparse
import array
import http.client
import itertools
import json
import math
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

INTERVAL_MS = 15_000
DAY_S = 86_400
BATCH_SAMPLES = 120  # half an hour: Prometheus takes nothing that is an hour older than the newest
REQUEST_BYTES = 4 << 20
HOSTS = 100
BUCKETS = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"]
SAMPLE_BYTES = 18

# What must hold, besides being at least as fast as both of the others.
RATE_DAY_CPU_S_MAX = 0.3
EXPONENT_MAX = 1.05


# ---- remote write ----

def varint(number):
    out = bytearray()
    while number > 0x7f:
        out.append(number & 0x7f | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def message(field, content):
    return varint(field << 3 | 2) + varint(len(content)) + content


def snappy(data):
    """Literals only: valid, and not compressed."""
    out = [varint(len(data))]
    for at in range(0, len(data), 65536):
        piece = data[at:at + 65536]
        out.append(bytes([61 << 2]) + struct.pack("<H", len(piece) - 1) + piece)
    return b"".join(out)


def sample_template(times):
    """Samples without their values: every one has the same length, so that columns of bytes fit."""
    return bytearray(b"".join(b"\x12\x10\x09" + bytes(8) + b"\x10" + varint(t) for t in times))


def put_values(template, values):
    raw = values.tobytes()
    for byte in range(8):
        template[3 + byte::SAMPLE_BYTES] = raw[byte::8]
    return bytes(template)


class Data:
    """Series and their values. The same for the same seed."""

    def __init__(self, series_count, end_ms, hours):
        rng = random.Random(5)
        self.end_ms = end_ms
        self.count = hours * 3_600_000 // INTERVAL_MS
        self.times = [end_ms - (self.count - 1 - i) * INTERVAL_MS for i in range(self.count)]
        # One long walk; each series is a part of it, so its values are its own.
        self.walk = array.array("d", itertools.accumulate(
            (rng.randrange(100) for _ in range(self.count + 1_000_000)), initial=0.0))
        self.series = []
        for i in range(series_count):
            self.series.append(({"__name__": "requests_total", "job": "shop",
                                 "shard": str(i % 10), "host": f"host{i // 10 % HOSTS:03}",
                                 "id": f"{i:06}"}, rng.randrange(1_000_000)))
        for host in range(HOSTS):
            for le in BUCKETS:
                self.series.append(({"__name__": "latency_seconds_bucket", "job": "shop", "le": le,
                                     "host": f"host{host:03}"}, rng.randrange(1_000_000)))

    def requests(self):
        """Bodies of remote write, in the order of time."""
        heads = [b"".join(message(1, message(1, k.encode()) + message(2, v.encode()))
                          for k, v in sorted(labels.items())) for labels, _ in self.series]
        for at in range(0, self.count, BATCH_SAMPLES):
            times = self.times[at:at + BATCH_SAMPLES]
            template = sample_template(times)
            body = bytearray()
            for head, (_, offset) in zip(heads, self.series):
                values = self.walk[offset + at:offset + at + len(times)]
                body += message(1, head + put_values(template, values))
                if len(body) > REQUEST_BYTES:
                    yield snappy(bytes(body))
                    body.clear()
            if body:
                yield snappy(bytes(body))


# ---- servers ----

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, name, command, data, prefix=""):
        self.name = name
        self.port = free_port()
        self.data = data
        self.prefix = prefix
        self.command = [part.format(port=self.port, data=data) for part in command]
        self.process = None
        self.log = None
        self.socket = None
        self.buffer = bytearray(1 << 20)

    def start(self):
        self.data.mkdir(parents=True, exist_ok=True)
        self.log = open(f"{self.data}.log", "wb")
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log, cwd=self.data.parent)
        deadline = time.monotonic() + 120
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5):
                    break
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    sys.exit(f"{self.name} does not start, see {self.data}.log")
                time.sleep(0.1)
        while (status := self.get("/api/v1/query?query=1")[0]) != 200:
            if time.monotonic() > deadline:
                sys.exit(f"{self.name} answers {status}")
            time.sleep(0.1)

    def stop(self):
        self.hang_up()
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None
            self.log.close()

    def load(self, data):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy",
                   "X-Prometheus-Remote-Write-Version": "0.1.0"}
        start, before = time.monotonic(), self.cpu_s()
        for body in data.requests():
            connection.request("POST", self.prefix + "/api/v1/write", body, headers)
            reply = connection.getresponse()
            text = reply.read()
            if reply.status not in (200, 204):
                sys.exit(f"{self.name} does not take the data: {reply.status} {text[:300]}")
        count = len(data.series) * data.count
        print(f"{self.name}: {count / 1e6:.1f} M samples loaded in "
              f"{time.monotonic() - start:.1f} s, {self.cpu_s() - before:.1f} s of its CPU",
              flush=True)

    def cpu_s(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def settle(self):
        """Wait until it is busy with nothing of its own."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            before = self.cpu_s()
            time.sleep(1.0)
            if self.cpu_s() - before <= 0.03:
                return

    # ---- one request, with as little of a client as possible ----

    def get(self, path):
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=180)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(f"GET {self.prefix}{path} HTTP/1.1\r\n"
                            f"Host: 127.0.0.1:{self.port}\r\n\r\n".encode())
        return self.read_answer()

    def read_answer(self):
        parts, head, left = [], b"", None
        while True:
            got = self.socket.recv_into(self.buffer)
            if got == 0:
                raise OSError(f"{self.name} closed the connection")
            piece = bytes(memoryview(self.buffer)[:got])
            if left is None:
                head += piece
                end = head.find(b"\r\n\r\n")
                if end < 0:
                    continue
                piece, head = head[end + 4:], head[:end].lower()
                found = head.partition(b"content-length:")[2]
                left = int(found.split(b"\r\n")[0]) if found else -1
            parts.append(piece)
            if left >= 0:
                left -= len(piece)
                if left == 0:
                    break
            elif b"".join(parts[-2:])[-5:] == b"0\r\n\r\n":
                break
        return int(head.split(b" ")[1]), parts, b"chunked" in head

    def hang_up(self):
        """Idle connections are closed after a while: each case begins with a new one."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def json(self, path):
        self.hang_up()
        status, parts, is_chunked = self.get(path)
        raw = b"".join(parts)
        if is_chunked:
            body, at = bytearray(), 0
            while True:
                end = raw.index(b"\r\n", at)
                size = int(raw[at:end], 16)
                if size == 0:
                    break
                body += raw[end + 2:end + 2 + size]
                at = end + 4 + size
            raw = bytes(body)
        if status != 200:
            sys.exit(f"{self.name}: {path}: {status} {raw[:300]}")
        return json.loads(raw)

    def measure(self, path, batch_s):
        """Seconds of CPU and of waiting per query, of a batch that takes long enough."""
        self.hang_up()
        self.get(path)
        count, before, start = 0, self.cpu_s(), time.monotonic()
        while True:
            self.get(path)
            count += 1
            took = time.monotonic() - start
            if took >= batch_s and count >= 2:
                break
        wall = took / count
        # What is done after the answer counts, too: a pause of ours would show it as idle.
        return (self.cpu_s() - before) / count, wall


def make_servers(binary, directory):
    config = directory / "sonde.yml"
    # What runs for more than half an hour has its samples in segments: here they come in minutes.
    config.write_text("collect: {interval: 1h}\nstorage: {flush_interval: 10s}\n")
    prometheus = directory / "prometheus.yml"
    prometheus.write_text("global: {scrape_interval: 1h}\n")
    return [
        Server("sonde", [str(binary.resolve()), "serve", "--access", "open",
                         "--listen", "127.0.0.1:{port}", "--data", "{data}",
                         "--config", str(config)], directory / "sonde"),
        Server("prometheus", ["prometheus", f"--config.file={prometheus}",
                              "--storage.tsdb.path={data}", "--web.listen-address=127.0.0.1:{port}",
                              "--web.enable-remote-write-receiver",
                              "--query.max-samples=1000000000"], directory / "prometheus"),
        Server("victoria", ["victoria-metrics", "-storageDataPath={data}",
                            "-httpListenAddr=127.0.0.1:{port}", "-search.disableCache",
                            "-search.maxConcurrentRequests=4", "-search.maxQueryDuration=120s"],
               directory / "victoria"),
    ]


# ---- queries ----

class Case:
    def __init__(self, name, path, kind="query"):
        self.name = name
        self.path = path
        self.kind = kind


def instant(name, expression, end_s):
    return Case(name, f"/api/v1/query?time={end_s}&query={urllib.parse.quote(expression)}")


def ranged(name, expression, end_s, hours=24, step_s=60, kind="range"):
    return Case(name, f"/api/v1/query_range?start={end_s - hours * 3600}&end={end_s}&step={step_s}"
                      f"&query={urllib.parse.quote(expression)}", kind)


def make_cases(end_s):
    window = f"start={end_s - DAY_S}&end={end_s}"
    # Between two samples: whether a window holds what lies on its left edge has changed in
    # Prometheus 3.
    end_s -= 7
    rate = "sum by (host) (rate(requests_total{}[5m]))"
    match = urllib.parse.quote('requests_total{host="host007"}')
    return [
        instant("instant, one series", 'requests_total{id="000777"}', end_s),
        instant("sum by rate, 1 k series", rate.replace("{}", '{shard="3"}'), end_s),
        instant("sum by rate, 10 k series", rate.replace("{}", ""), end_s),
        instant("topk of rate, 10 k series", "topk(5, rate(requests_total[5m]))", end_s),
        instant("histogram_quantile, 1.2 k buckets",
                "histogram_quantile(0.95, sum by (le) (rate(latency_seconds_bucket[5m])))", end_s),
        instant("regex ids, 10 k series", 'count(requests_total{id=~"0.*7"})', end_s),
        instant("regex prefix, 10 k series", 'count(requests_total{host=~"host01.+"})', end_s),
        instant("regex alternation, 10 k series",
                'count(requests_total{host=~"host001|host017|host033"})', end_s),
        instant("regex negative, 10 k series", 'count(requests_total{id!~".+[0-4]"})', end_s),
        ranged("24 h of 1 series", 'requests_total{id="000777"}', end_s),
        ranged("24 h of 100 series", 'requests_total{host="host007"}', end_s),
        ranged("24 h of 1 k series", 'requests_total{shard="3"}', end_s),
        ranged("24 h sum by rate, 100 series", rate.replace("{}", '{host="host007"}'), end_s),
        ranged("24 h sum by rate, 1 k series", rate.replace("{}", '{shard="3"}'), end_s),
        ranged("24 h sum by rate, 10 k series", rate.replace("{}", ""), end_s),
        ranged("24 h histogram_quantile",
               "histogram_quantile(0.95, sum by (le) (rate(latency_seconds_bucket[5m])))", end_s),
        ranged("24 h topk of rate, 1 k series", 'topk(5, rate(requests_total{shard="3"}[5m]))',
               end_s, kind="top"),
        Case("label values, 100", f"/api/v1/label/host/values?{window}", "list"),
        Case("label values, 10 k", f"/api/v1/label/id/values?{window}", "list"),
        Case("label values, matched", f"/api/v1/label/id/values?{window}&match[]={match}", "list"),
        Case("series, 100", f"/api/v1/series?{window}&match[]={match}", "list"),
        Case("series, 10 k", f"/api/v1/series?{window}&match[]=requests_total", "list"),
    ]


# ---- comparing answers ----

def points(document):
    """{labels: [(time, value)]} of a vector or matrix."""
    found = {}
    for series in document["data"]["result"]:
        key = tuple(sorted(series["metric"].items()))
        found[key] = series.get("values") or [series["value"]]
    return found


def values_by_time(series):
    """{time: [(place, value)]}: what is there, whoever has it."""
    found = {}
    for time_s, value in itertools.chain.from_iterable(series.values()):
        found.setdefault(time_s, []).append(float(value))
    return {t: list(enumerate(sorted(values))) for t, values in found.items()}


def is_near(a, b):
    x, y = float(a), float(b)
    return a == b or (math.isnan(x) and math.isnan(y)) or math.isclose(x, y, rel_tol=1e-9)


def difference(case, ours, theirs):
    if case.kind == "list":
        key = json.dumps
        same = sorted(map(key, ours["data"])) == sorted(map(key, theirs["data"]))
        return "" if same else f"{len(ours['data'])} against {len(theirs['data'])} items"
    left, right = points(ours), points(theirs)
    if case.kind == "top":
        # Among equal values any may be chosen.
        left, right = values_by_time(left), values_by_time(right)
    if set(left) != set(right):
        return f"{len(left)} against {len(right)} series, {len(set(left) & set(right))} in both"
    for key, values in left.items():
        if [t for t, _ in values] != [t for t, _ in right[key]]:
            return f"times of {key}"
        for (t, a), (_, b) in zip(values, right[key]):
            if not is_near(a, b):
                return f"{key} at {t}: {a} against {b}"
    return ""


# ---- the run ----

def compare_case(servers, case, arguments):
    """One line. Returns whether Sonde is at least as fast as both."""
    verdict = difference(case, servers[0].json(case.path), servers[1].json(case.path))
    best = [[math.inf, math.inf] for _ in servers]
    for _ in range(arguments.rounds):
        for i, server in enumerate(servers):
            cpu, wall = server.measure(case.path, 0.1 if arguments.quick else 0.4)
            best[i] = [min(best[i][0], cpu), min(best[i][1], wall)]
    ratios = [min(best[1][k], best[2][k]) / max(best[0][k], 1e-7) for k in (0, 1)]
    cells = "".join(f"{1e3 * cpu:10.3f} {1e3 * wall:10.3f}" for cpu, wall in best)
    is_fast = min(ratios) >= 1
    print(f"{case.name:34}{cells}{ratios[0]:8.1f}x{ratios[1]:7.1f}x"
          f"{'' if is_fast else '  SLOWER'}{'  DIFFERS: ' + verdict if verdict else ''}", flush=True)
    return is_fast and not verdict


def best_cpu(server, path, rounds):
    return min(server.measure(path, 0.5)[0] for _ in range(rounds))


def check_growth(sonde, end_s, rounds):
    """CPU of rate() as series, range and steps grow tenfold, apart from what an empty query costs."""
    expression = "sum by (host) (rate(requests_total{}[5m]))"
    end_s -= 7
    ok = True
    cases = [
        ("series x10", ranged("", expression.replace("{}", '{shard="3"}'), end_s),
         ranged("", expression.replace("{}", ""), end_s)),
        ("range x10", Case("", f"/api/v1/query_range?start={end_s - 8640}&end={end_s}&step=60"
                               f"&query={urllib.parse.quote(expression.replace('{}', ''))}"),
         ranged("", expression.replace("{}", ""), end_s)),
        ("steps x10", ranged("", expression.replace("{}", '{shard="3"}'), end_s, step_s=600),
         ranged("", expression.replace("{}", '{shard="3"}'), end_s)),
    ]
    for name, small, large in cases:
        a, b = best_cpu(sonde, small.path, rounds), best_cpu(sonde, large.path, rounds)
        exponent = math.log10(b / a)
        print(f"rate, {name}: {1e3 * a:.2f} ms -> {1e3 * b:.2f} ms, exponent {exponent:.2f}"
              f"{'' if exponent <= EXPONENT_MAX else '  TOO MUCH'}")
        ok &= exponent <= EXPONENT_MAX
    return ok


def check_rate_day(sonde, end_s, rounds):
    path = ranged("", "sum by (host) (rate(requests_total[5m]))", end_s).path
    cpu = best_cpu(sonde, path, rounds)
    ok = cpu <= RATE_DAY_CPU_S_MAX
    print(f"rate() of 10 k series over 24 h: {cpu:.3f} s of CPU{'' if ok else '  TOO SLOW'}")
    return ok


def prepare(arguments, directory):
    """Start and fill the servers. Returns them and the end of the data in seconds."""
    mark = directory / "loaded.json"
    servers = make_servers(arguments.binary, directory)
    loaded = json.loads(mark.read_text()) if mark.exists() else {}
    end_s = loaded.get("end_s") or int(time.time()) // 60 * 60 - 120
    data = None
    for server in servers:
        if server.name not in loaded:
            shutil.rmtree(server.data, ignore_errors=True)
        server.start()
        if server.name not in loaded:
            data = data or Data(10_000, end_s * 1000, 25)
            server.load(data)
            loaded = {**loaded, "end_s": end_s, server.name: True}
            mark.write_text(json.dumps(loaded))
            server.settle()
            server.stop()
            server.start()
    time.sleep(12)  # for the flush
    for server in servers:
        server.settle()
    return servers, end_s


def run(arguments, directory):
    servers = []
    try:
        servers, end_s = prepare(arguments, directory)
        print(f"{'ms per query':34}{''.join(f'{s.name:>14}  wall' for s in servers)}"
              f"   CPU      wall: how much faster than the faster of the others")
        cases = [c for c in make_cases(end_s) if arguments.only in c.name]
        results = [compare_case(servers, case, arguments) for case in cases]
        if not arguments.only:
            results.append(check_rate_day(servers[0], end_s, arguments.rounds))
            results.append(check_growth(servers[0], end_s, arguments.rounds))
        return all(results)
    finally:
        for server in servers:
            server.stop()


def interrupted(number, _frame):
    sys.exit(f"ended by signal {number}")


def main():
    signal.signal(signal.SIGTERM, interrupted)  # servers are stopped on the way out
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("binary", type=Path, help="the sonde to measure")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="short batches")
    arguments = parser.parse_args()
    if arguments.data is not None:
        arguments.data.mkdir(parents=True, exist_ok=True)
        return 0 if run(arguments, arguments.data.resolve()) else 1
    with tempfile.TemporaryDirectory(prefix="sonde_bench_") as directory:
        return 0 if run(arguments, Path(directory)) else 1


if __name__ == "__main__":
    sys.exit(main())
