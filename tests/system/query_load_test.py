"""Many queries while samples come in: acknowledgements keep coming, and what is asked is right."""

import json
import statistics
import threading
import time
import unittest
import urllib.parse

import _sonde
from _sonde import Server

SERIES = 300
HISTORY = 120 if _sonde.IS_SLOW_BUILD else 480  # samples of each series, 15 s apart
INTERVAL_MS = 15_000
QUERY_THREADS = 4
PHASE_S = 20 if _sonde.IS_LONG else 3
# A push waits for a disk and, here, for a processor: between the two phases the machine may have
# become busy with other things. What must not happen is that a push waits for a query to end.
RATIO_MAX = 30
SLACK_S = 1.0
QUIET = "collect: {interval: 1h}\n"


def page(sample, time_ms):
    """One sample of every series: a counter that grows by its number."""
    return "".join(f'load_total{{host="h{i % 10}",n="{i}"}} {i * sample} {time_ms}\n'
                   for i in range(SERIES))


class Acknowledgements:
    """Pushes one page after the other and remembers how long each took."""

    def __init__(self, server, first, start_ms):
        self.server = server
        self.next = first
        self.start_ms = start_ms
        self.acknowledged = first - 1  # number of the newest sample that queries must see

    def push(self):
        before = time.monotonic()
        reply = self.server.push(page(self.next, self.start_ms + self.next * INTERVAL_MS))
        took = time.monotonic() - before
        assert reply.status in (200, 204), reply.body
        self.acknowledged = self.next
        self.next += 1
        return took

    def run(self, seconds):
        deadline = time.monotonic() + seconds
        times = []
        while time.monotonic() < deadline or len(times) < 20:
            times.append(self.push())
        return times


def late(times):
    """What 99 of 100 stay below."""
    return statistics.quantiles(times, n=100)[-1]


class QueryLoadTest(unittest.TestCase):
    def setUp(self):
        self.server = Server(self, config=QUIET).start()
        self.start_ms = _sonde.now_ms() // INTERVAL_MS * INTERVAL_MS - 6 * 86_400_000
        self.errors = []
        self.asked = 0
        self.lock = threading.Lock()
        self.over = threading.Event()

    # ---- queries, each with an answer that is known ----

    def query(self, expression, sample, steps=None):
        """The values of the only series: at one sample, or at `steps` samples up to it."""
        end = (self.start_ms + sample * INTERVAL_MS) / 1000
        parameters = {"query": expression}
        if steps is None:
            parameters["time"] = end
        else:
            parameters |= {"start": end - (steps - 1) * INTERVAL_MS / 1000, "end": end,
                           "step": INTERVAL_MS / 1000}
        path = "query" if steps is None else "query_range"
        reply = self.server.get(f"/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
        assert reply.status == 200, reply.body
        result = json.loads(reply.body)["data"]["result"]
        assert len(result) == 1, (expression, len(result))
        return [float(v) for _, v in result[0].get("values") or [result[0]["value"]]]

    def ask_all(self, acknowledged):
        total = SERIES * (SERIES - 1) // 2  # of all numbers, which is what one step adds
        expected = total * acknowledged
        self.assertEqual(self.query("sum(load_total)", acknowledged), [expected])
        self.assertEqual(self.query("count(load_total)", acknowledged), [SERIES])
        self.assertEqual(self.query("sum(load_total)", HISTORY, HISTORY - 1),
                         [total * i for i in range(2, HISTORY + 1)])
        for rate in self.query("sum(rate(load_total[5m]))", HISTORY, HISTORY - 40):
            self.assertAlmostEqual(rate, total * 1000 / INTERVAL_MS, places=3)
        self.assertEqual(self.query("max(topk(3, load_total))", acknowledged),
                         [(SERIES - 1) * acknowledged])

    def ask(self, pushing):
        try:
            while not self.over.is_set():
                self.ask_all(pushing.acknowledged)
                with self.lock:
                    self.asked += 1
        except BaseException as error:  # pylint: disable=broad-exception-caught
            self.errors.append(error)
            raise

    # ---- the test ----

    def test_queries_do_not_hold_up_acknowledgements_and_are_right(self):
        pushing = Acknowledgements(self.server, 1, self.start_ms)
        while pushing.next <= HISTORY:
            pushing.push()
        quiet = late(pushing.run(PHASE_S))
        threads = [threading.Thread(target=self.ask, args=(pushing,))
                   for _ in range(QUERY_THREADS)]
        for thread in threads:
            thread.start()
        loaded = late(pushing.run(PHASE_S))
        self.over.set()
        for thread in threads:
            thread.join(60)
        self.assertEqual(self.errors, [])
        self.ask_all(pushing.acknowledged)
        print(f"p99 of acknowledgements {1e3 * quiet:.1f} ms, with {self.asked * 5} queries "
              f"{1e3 * loaded:.1f} ms")
        if not _sonde.IS_SLOW_BUILD:
            self.assertLess(loaded, RATIO_MAX * quiet + SLACK_S)
        self.assertIsNone(self.server.process.poll(), "the server died")


if __name__ == "__main__":
    _sonde.main()
