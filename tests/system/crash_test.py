"""kill -9 again and again while clients write: nothing acknowledged is lost, no value is wrong.

Writers push batches with times and values that follow from (writer, batch) alone, and write down
which batches were answered with 200. After every restart the batches of the last run are looked up,
at the end all of them. Small limits make the server flush to segments many times while it dies.
"""

import http.client
import os
import random
import threading
import time
import unittest

import _sonde
from _sonde import Server

CYCLES = 400 if _sonde.IS_LONG else 20
WRITERS = 3
SERIES = 8  # of each writer, all in every batch
SPACING_MS = 50  # between the samples of a series
QUERY_STEPS = 10000
RUN_S = (0.05, 0.9)  # how long a server may live once it listens
CONFIG = """
log: {level: warn}
storage: {log_size: 1MiB, flush_interval: 1s}
collect: {interval: 1s}
"""


def value_of(writer, series, batch):
    """Fractions, so that a value of another sample or one bit less is seen."""
    return batch * 1000.0 + writer * 100 + series + 1 / (batch + 3)


class Writer:
    """Pushes batch after batch over one connection; its batches never repeat."""

    def __init__(self, number, base_ms):
        self.number = number
        self.base_ms = base_ms
        self.next_batch = 0
        self.acknowledged = []
        self.refused = []
        self.thread = None

    def start(self, server):
        self.thread = threading.Thread(target=self.run, args=(server,))
        self.thread.start()

    def join(self):
        self.thread.join()

    def body(self, batch):
        time_ms = self.base_ms + batch * SPACING_MS
        return "".join(f'crash{{writer="w{self.number}",series="s{series}"}} '
                       f"{value_of(self.number, series, batch)!r} {time_ms}\n"
                       for series in range(SERIES))

    def run(self, server):
        connection = server.connect()
        try:
            while True:
                batch = self.next_batch
                self.next_batch += 1
                connection.request("POST", _sonde.IMPORT, self.body(batch))
                reply = connection.getresponse()
                text = reply.read()
                if reply.status == 200:
                    self.acknowledged.append(batch)
                else:
                    self.refused.append((batch, reply.status, text))
        except (OSError, http.client.HTTPException):
            pass  # the server is dead: whether this batch arrived is open
        finally:
            connection.close()


class Reader:
    """Reads what is being written until the server dies: no value may be wrong."""

    def __init__(self, test, server, writer):
        self.test, self.server, self.writer = test, server, writer
        self.wrong = []
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        try:
            # A flush and a snapshot are under way as well.
            self.server.request("POST", "/api/v1/admin/tsdb/snapshot", "")
            while not self.wrong:
                last = self.writer.next_batch
                first = max(0, last - QUERY_STEPS // 10)
                found = self.test.stored(self.server, self.writer, first, last)
                self.wrong = [(key, value) for key, value in found.items()
                              if value != value_of(self.writer.number, *key)]
        except (OSError, http.client.HTTPException, ValueError):
            pass  # the server is dead, perhaps in the middle of an answer


class CrashTest(unittest.TestCase):
    def stored(self, server, writer, first, last):
        """{(series, batch): value} of the batches first..last."""
        found = {}
        for start in range(first, last + 1, QUERY_STEPS):
            end = min(last, start + QUERY_STEPS - 1)
            data = server.history(
                "crash", writer=f"w{writer.number}", step=SPACING_MS / 1000,
                start=(writer.base_ms + start * SPACING_MS) / 1000,
                end=(writer.base_ms + end * SPACING_MS) / 1000)
            for series in data["series"]:
                number = int(series["labels"]["series"][1:])
                for step, count in enumerate(series["count"]):
                    if count > 0:
                        self.assertEqual(count, 1)
                        found[(number, start + step)] = series["avg"][step]
        return found

    def check(self, server, writer, first):
        """All batches from `first` on. Returns how many samples were looked at."""
        last = writer.next_batch - 1
        if last < first:
            return 0
        found = self.stored(server, writer, first, last)
        for (series, batch), value in found.items():
            self.assertEqual(value, value_of(writer.number, series, batch), (series, batch))
        for batch in writer.acknowledged:
            if batch >= first:
                for series in range(SERIES):
                    self.assertIn((series, batch), found, f"writer {writer.number}: lost")
        return len(found)

    def one_life(self, server, writers, chance):
        """Start, write, kill."""
        if chance.random() < 0.15:  # dies while it reads its log
            server.spawn()
            time.sleep(chance.uniform(0, 0.05))
            server.kill()
        server.start()
        for writer in writers:
            writer.start(server)
        reader = Reader(self, server, chance.choice(writers))
        time.sleep(chance.uniform(*RUN_S))
        server.kill()
        reader.thread.join()
        self.assertEqual(reader.wrong, [])
        for writer in writers:
            writer.join()

    def test_nothing_acknowledged_is_lost_by_kill_9(self):
        seed = int(os.environ.get("SONDE_SEED", time.time_ns() % 1_000_000))
        print(f"SONDE_SEED={seed}", flush=True)
        chance = random.Random(seed)
        # Far enough back for all batches, far from the edge of any window.
        base_ms = (_sonde.now_ms() - 12 * 3600 * 1000) // 1000 * 1000
        writers = [Writer(number, base_ms) for number in range(WRITERS)]
        server = Server(self, config=CONFIG)
        for cycle in range(CYCLES):
            first = [writer.next_batch for writer in writers]
            self.one_life(server, writers, chance)
            if cycle % 4 == 3:
                server.start()
                for writer, batch in zip(writers, first):
                    self.check(server, writer, batch)
                server.kill()
        server.start()
        looked_at = sum(self.check(server, writer, 0) for writer in writers)
        acknowledged = sum(len(writer.acknowledged) for writer in writers)
        self.assertEqual([writer.refused for writer in writers], [[]] * WRITERS)
        self.assertGreaterEqual(looked_at, acknowledged * SERIES)
        self.assertGreater(acknowledged, CYCLES)
        self.assertGreater(len(list((server.data / "seg").iterdir())), 0, "never flushed")
        self.assertEqual(server.stop()[0], 0)
        print(f"{CYCLES} kills, {acknowledged * SERIES} samples acknowledged, {looked_at} found",
              flush=True)


if __name__ == "__main__":
    _sonde.main()
