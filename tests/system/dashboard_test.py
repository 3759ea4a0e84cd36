"""The dashboard's answers from a live server: exact numbers, and strips that survive a restart."""

import json
import unittest

import _sonde

SLOT_MS = 1_800_000
STEP_MS = 15_000


def page(now):
    """A service with 9 good and 1 bad operation a second since the half hour before the last began."""
    start = now // SLOT_MS * SLOT_MS - 2 * SLOT_MS
    lines = []
    for at in range(start, now + 1, STEP_MS):
        seconds = (at - start) / 1000
        for outcome, rate in (("ok", 9), ("error", 1)):
            lines.append(f'sonde_operations_total{{service="shop",operation="buy",'
                         f'outcome="{outcome}"}} {rate * seconds} {at}')
    return start, "\n".join(lines) + "\n"


class Dashboard(unittest.TestCase):
    def setUp(self):
        self.server = _sonde.Server(self)
        self.server.start()

    def data(self, path):
        reply = self.server.get(path)
        self.assertEqual(reply.status, 200, reply.body[:1000])
        return reply.json()["data"]

    def strip(self):
        rows = self.data("/api/v1/overview")["services"]["rows"]
        return rows[0]["strip"] if rows else ""

    def test_a_service_has_exact_numbers_and_a_strip_that_stays(self):
        now = _sonde.now_ms() // STEP_MS * STEP_MS
        start, lines = page(now)
        self.server.push(lines)
        # Two half hours are over, of which the last one perhaps since less than a minute.
        _sonde.wait_for(lambda: self.strip()[-3:-2] == "w", "the half hours", timeout_s=60)
        service = self.data("/api/v1/services/shop?range=15m")
        self.assertEqual(service["totals"]["count"], (now - start) // 100)
        self.assertEqual(service["totals"]["errors"], (now - start) // 1000)
        self.assertAlmostEqual(service["window"]["error_ratio"], 0.1, places=6)
        row = self.data("/api/v1/services?q=SHOP")["rows"][0]
        self.assertAlmostEqual(row["operations_per_second"], 10, places=3)
        self.assertEqual(row["status"], "warning")
        stored = "/api/v1/query?query=count_over_time(sonde_service_status%5B2h%5D)"
        _sonde.wait_for(lambda: self.data(stored)["result"], "what is stored", timeout_s=60)
        strip = self.strip()
        self.server.stop()
        self.server.start()
        self.assertEqual(self.strip()[-3:-2], strip[-3:-2])
        self.assertTrue(self.data(stored)["result"])

    def test_search_and_usage_see_what_was_sent(self):
        event = {"app": "shop", "type": "order", "user_id": "u1", "outcome": "ok", "quantity": 2}
        reply = self.server.request("POST", "/api/v1/events", json.dumps(event))
        self.assertEqual(reply.status, 201, reply.body)
        usage = self.data("/api/v1/usage?period=1h")
        self.assertEqual((usage["apps"], usage["totals"]["items"]), (["shop"], 2))
        self.assertEqual(sum(usage["series"]["ok"]), 1)
        self.server.push("shop_orders_total 1\n")
        _sonde.wait_for(lambda: self.data("/api/v1/search?q=shop")["metrics"], "the metric")
        self.assertEqual(self.data("/api/v1/label/__name__/values?q=SHOP_o"),
                         ["shop_orders_total"])


if __name__ == "__main__":
    _sonde.main()
