#!/usr/bin/env python3
"""Sonde, VictoriaMetrics and Prometheus take the same remote write requests over HTTP.

    bench/ingest/servers.py SONDE_BINARY [--series N] [--rounds N] [--per-request N] [--repeat N]

The requests are as Prometheus sends them: snappy, ten labels per series, one sample of each of
--per-request series in a request, the same series every 15 s of their time. They are made before the
clock starts and sent over some connections at once; each server begins with an empty directory. Sonde
answers after fsync, the others after they have the samples in memory.

What is printed: samples per second of processor time of the server (user and system time of
/proc/PID/stat, two quiet seconds behind the last answer included) and per second of the wall clock, and
the ratios of Sonde to the others. Each is the best of --repeat runs. The exit status says whether the
ratios are what they shall be. Standard library, and libsnappy through ctypes.
"""

import argparse
import ctypes
import ctypes.util
import math
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

CONNECTIONS = 4
INTERVAL_MS = 15_000
SETTLE_S = 2
# Sonde to the others: processor time, then wall clock.
CPU_RATIO = {"victoria": 1.5, "prometheus": 5.0}
WALL_RATIO = {"victoria": 1.0, "prometheus": 1.0}


# ---- requests ----

def varint(number):
    out = bytearray()
    while number > 0x7f:
        out.append(number & 0x7f | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def message(field, content):
    return varint(field << 3 | 2) + varint(len(content)) + content


def labels_of(series):
    pairs = {
        "__name__": f"http_request_duration_seconds_{series // 50}_total",
        "cluster": f"eu-{series % 3}", "code": str(200 + series % 5), "env": "production",
        "handler": f"/api/v1/items/{series % 50}", "instance": f"10.0.{series % 200}.7:9100",
        "job": f"service-{series % 20}", "namespace": f"team-{series % 8}",
        "path": f"/srv/data/{series % 12}", "pod": f"service-{series % 20}-7f9c4d-{series:06x}",
    }
    return b"".join(message(1, message(1, name.encode()) + message(2, value.encode()))
                    for name, value in pairs.items())


class Snappy:
    def __init__(self):
        self.library = ctypes.CDLL(ctypes.util.find_library("snappy") or "libsnappy.so.1")

    def compress(self, data):
        size = ctypes.c_size_t(self.library.snappy_max_compressed_length(ctypes.c_size_t(len(data))))
        out = ctypes.create_string_buffer(size.value)
        if self.library.snappy_compress(data, ctypes.c_size_t(len(data)), out,
                                        ctypes.byref(size)) != 0:
            sys.exit("snappy failed")
        return out.raw[:size.value]


def make_bodies(arguments):
    """[[body of each request] of each round of time]: a round is complete before the next begins."""
    snappy = Snappy()
    labels = [labels_of(i) for i in range(arguments.series)]
    start_ms = int(time.time() * 1000) - arguments.rounds * INTERVAL_MS
    rounds = []
    for number in range(arguments.rounds):
        time_field = b"\x10" + varint(start_ms + number * INTERVAL_MS)
        bodies = []
        for first in range(0, arguments.series, arguments.per_request):
            parts = []
            for i in range(first, min(first + arguments.per_request, arguments.series)):
                value = struct.pack("<d", float(number * (i % 97 + 1) + i))
                parts.append(message(1, labels[i] + message(2, b"\x09" + value + time_field)))
            bodies.append(snappy.compress(b"".join(parts)))
        rounds.append(bodies)
    return rounds


def make_request(port, body):
    return (f"POST /api/v1/write HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            "Content-Type: application/x-protobuf\r\nContent-Encoding: snappy\r\n"
            "X-Prometheus-Remote-Write-Version: 0.1.0\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


# ---- servers ----

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def commands(sonde):
    return {
        "sonde": [sonde, "serve", "--access", "open", "--listen", "127.0.0.1:{port}", "--data",
                  "{data}", "--config", "{data}.yml"],
        "victoria": ["victoria-metrics", "-storageDataPath={data}",
                     "-httpListenAddr=127.0.0.1:{port}"],
        "prometheus": ["prometheus", "--config.file={data}.yml", "--storage.tsdb.path={data}",
                       "--web.listen-address=127.0.0.1:{port}",
                       "--web.enable-remote-write-receiver"],
    }


class Server:
    def __init__(self, name, command, directory):
        self.name = name
        self.port = free_port()
        data = directory / name
        shutil.rmtree(data, ignore_errors=True)
        Path(f"{data}.yml").write_text("collect: {interval: 1h}\n" if name == "sonde" else "")
        self.log = open(f"{data}.log", "wb")
        self.process = subprocess.Popen([part.format(port=self.port, data=data) for part in command],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 60
        while True:
            try:
                self.connect().close()
                break
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    sys.exit(f"{name} does not start, see {data}.log")
                time.sleep(0.05)
        time.sleep(1)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def cpu_s(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.log.close()


# ---- sending ----

class Sender:
    """One connection; sends its share of a round."""

    def __init__(self, server):
        self.server = server
        self.socket = server.connect()
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, requests):
        for request in requests:
            self.socket.sendall(request)
            head = b""
            while b"\r\n\r\n" not in head:
                more = self.socket.recv(65536)
                if not more:
                    sys.exit(f"{self.server.name} closed the connection")
                head += more
            if head[9:12] != b"204":
                sys.exit(f"{self.server.name} answered {head[:400]!r}")


def run(server, rounds):
    """(samples per processor second, per wall second) without knowing how many: seconds of each."""
    senders = [Sender(server) for _ in range(CONNECTIONS)]
    shares = [[[make_request(server.port, body) for body in bodies[i::CONNECTIONS]]
               for i in range(CONNECTIONS)] for bodies in rounds]
    cpu_start, start = server.cpu_s(), time.monotonic()
    for share in shares:
        threads = [threading.Thread(target=sender.send, args=(requests,))
                   for sender, requests in zip(senders, share) if requests]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    wall_s = time.monotonic() - start
    time.sleep(SETTLE_S)
    return server.cpu_s() - cpu_start, wall_s


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sonde")
    parser.add_argument("--series", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--per-request", type=int, default=2_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", help="one of the servers")
    arguments = parser.parse_args()
    rounds = make_bodies(arguments)
    samples = arguments.series * arguments.rounds
    size = sum(len(body) for bodies in rounds for body in bodies)
    print(f"{samples} samples of {arguments.series} series, {arguments.per_request} per request, "
          f"{size / samples:.1f} bytes per sample", flush=True)
    best = {}
    with tempfile.TemporaryDirectory(prefix="sonde_bench_") as directory:
        for _ in range(arguments.repeat):
            for name, command in commands(arguments.sonde).items():
                if arguments.only and name != arguments.only or not shutil.which(command[0]):
                    continue
                server = Server(name, command, Path(directory))
                try:
                    cpu_s, wall_s = run(server, rounds)
                finally:
                    server.stop()
                old = best.get(name, (math.inf, math.inf))
                best[name] = (min(old[0], cpu_s), min(old[1], wall_s))
    for name, (cpu_s, wall_s) in best.items():
        print(f"{name:11s} {samples / cpu_s / 1e6:6.3f} M samples/s of processor time "
              f"{samples / wall_s / 1e6:6.3f} M samples/s of wall clock")
    return 0 if compare(best) else 1


def compare(best):
    """Print the ratios; whether all are what they shall be."""
    good = True
    for name in best:
        if name == "sonde" or "sonde" not in best:
            continue
        cpu, wall = (best[name][i] / best["sonde"][i] for i in (0, 1))
        good = good and cpu >= CPU_RATIO[name] and wall >= WALL_RATIO[name]
        print(f"sonde / {name}: processor time {cpu:.2f} (>= {CPU_RATIO[name]}), "
              f"wall clock {wall:.2f} (>= {WALL_RATIO[name]})")
    return good


if __name__ == "__main__":
    sys.exit(main())
