#!/usr/bin/env python3
"""A load for the media service of this folder: users that upload, look, encode and search.

    load.py URL [--rate 20] [--seconds 0] [--seed 1]

Requests come at random moments (Poisson) with `rate` a second on average. Some users send broken files,
spend more credits than they have, or give an address that nobody listens on, and every four minutes
somebody has a large film encoded: then the queue grows and jobs run into their deadline. Python
standard library only. Prints what came back, by kind and status.
"""

import argparse
import collections
import http.client
import random
import signal
import socket
import struct
import sys
import threading
import time
import urllib.parse

USERS = [f"user-{i:02d}" for i in range(40)]
WORDS = "lake forest city night portrait wedding concert drone kitchen harbour".split()
PRESETS = ["fast-240p", "fast-480p", "balanced-480p", "balanced-720p", "archive-720p",
           "archive-lossless"]
PRESET_WEIGHTS = [30, 20, 25, 15, 7, 3]
MEDIA_MAX = 420
BURST_PERIOD_S, BURST_S = 240, 20


def medium(rng, frames):
    """A small gray film: a gradient that moves, with noise."""
    width, height = 64, 48
    noise = rng.randbytes(width * height)
    body = bytearray()
    for frame in range(frames):
        body += bytes((x * 3 + y * 2 + frame * 5 + (noise[y * width + x] & 15)) & 255
                      for y in range(height) for x in range(width))
    return b"SMD1" + struct.pack("<HHH", width, height, frames) + bytes(body)


class Listener(threading.Thread):
    """Takes the calls that jobs make when they are done."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.socket.getsockname()[1]
        self.calls = 0

    def run(self):
        while True:
            connection, _ = self.socket.accept()
            self.calls += 1
            connection.close()


def closed_port():
    """A port that nobody listens on (until somebody else takes it)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Load:
    def __init__(self, arguments):
        self.rng = random.Random(arguments.seed)
        self.rate = arguments.rate
        self.host = urllib.parse.urlsplit(arguments.url).netloc
        self.connection = None
        self.media = collections.deque()
        self.films = [medium(self.rng, frames) for frames in (4, 8, 12, 16, 24)]
        self.long_film = medium(self.rng, 160)
        self.listener = Listener()
        self.closed = closed_port()
        self.seen = collections.Counter()
        self.start = time.monotonic()
        self.is_stopped = False

    def ask(self, kind, method, target, body=b""):
        """The answer's status and body; (0, b"") when there was none."""
        for _ in range(2):  # a connection that was idle may be closed by now
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPConnection(self.host, timeout=10)
                self.connection.request(method, target, body)
                response = self.connection.getresponse()
                answer = response.status, response.read()
                break
            except (OSError, http.client.HTTPException):
                self.connection.close()
                self.connection = None
                answer = 0, b""
        self.seen[kind, answer[0]] += 1
        return answer

    def user(self):
        return USERS[min(int(self.rng.expovariate(0.12)), len(USERS) - 1)]

    def pick(self):
        """A medium: the newer, the more often. 0 when there is none."""
        if not self.media:
            return 0
        return self.media[-1 - min(int(self.rng.expovariate(0.012)), len(self.media) - 1)]

    def upload(self):
        body = self.rng.choice(self.films)
        if self.rng.random() < 0.06:
            body = self.rng.choice([body[:-7], b"GIF89a" + body[6:], body[:4] + b"\x07" + body[5:]])
        self.put(body)

    def put(self, body):
        title = "-".join(self.rng.sample(WORDS, 2))
        status, answer = self.ask("upload", "POST", f"/media?user={self.user()}&title={title}", body)
        if status == 201:
            self.media.append(int(answer.decode().split(":")[1].rstrip("}\n")))
        if len(self.media) > MEDIA_MAX:
            self.ask("delete", "DELETE", f"/media/{self.media.popleft()}")

    def thumbnail(self):
        self.ask("thumbnail", "GET", f"/media/{self.pick()}/thumbnail")

    def download(self):
        self.ask("download", "GET", f"/media/{self.pick()}")

    def search(self):
        self.ask("search", "GET", f"/search?q={self.rng.choice(WORDS)}")

    def transcode(self, preset=None):
        preset = preset or self.rng.choices(PRESETS, PRESET_WEIGHTS)[0]
        port = self.closed if self.rng.random() < 0.05 else self.listener.port
        self.ask("transcode", "POST", f"/media/{self.pick()}/transcode?user={self.user()}"
                                      f"&preset={preset}&notify={port}")

    def burst(self):
        """A long film, encoded with care by several users."""
        self.put(self.long_film)
        for _ in range(4):
            self.transcode("archive-lossless")

    def step(self):
        since_s = (time.monotonic() - self.start) % BURST_PERIOD_S
        if BURST_PERIOD_S / 2 < since_s < BURST_PERIOD_S / 2 + BURST_S and self.rng.random() < 0.05:
            self.burst()
            return
        self.rng.choices([self.thumbnail, self.transcode, self.upload, self.download, self.search],
                         [50, 18, 12, 14, 6])[0]()

    def run(self, seconds):
        self.listener.start()
        next_s = time.monotonic()
        for _ in range(20):
            self.upload()
        while not self.is_stopped and (seconds <= 0 or time.monotonic() - self.start < seconds):
            self.step()
            next_s = max(next_s + self.rng.expovariate(self.rate), time.monotonic() - 1)
            time.sleep(max(0.0, next_s - time.monotonic()))

    def stop(self, *_):
        self.is_stopped = True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("--rate", type=float, default=20.0, help="requests a second [20]")
    parser.add_argument("--seconds", type=float, default=0.0, help="0: until a signal")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    load = Load(arguments)
    signal.signal(signal.SIGTERM, load.stop)
    signal.signal(signal.SIGINT, load.stop)
    load.run(arguments.seconds)
    for (kind, status), count in sorted(load.seen.items()):
        print(f"{kind:10} {status or 'no answer'} {count}")
    print(f"webhooks   {load.listener.calls}")
    return 1 if load.seen and all(status == 0 for _, status in load.seen) else 0


if __name__ == "__main__":
    sys.exit(main())
