"""PromQL and the rest of Prometheus' HTTP API at the real server, on data that were pushed."""

import json
import signal
import time
import unittest
import urllib.parse

import _sonde

SHOP = """\
# HELP shop_orders_total Orders taken.
# TYPE shop_orders_total counter
"""


class PromApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = _sonde.Server(cls).start()
        cls.now_s = _sonde.now_ms() // 1000
        lines = [SHOP]
        for age_s in range(240, -1, -15):
            time_ms = (cls.now_s - age_s) * 1000
            for shop, per_s in (("north", 2), ("south", 3)):
                lines.append(f'shop_orders_total{{shop="{shop}"}} {per_s * (240 - age_s)} {time_ms}\n')
        reply = cls.server.push("".join(lines))
        assert reply.status < 300, reply.body

    def ask(self, call, **parameters):
        reply = self.server.get(f"/api/v1/{call}?{urllib.parse.urlencode(parameters, doseq=True)}")
        self.assertEqual(reply.status, 200, reply.body)
        document = json.loads(reply.body)
        self.assertEqual(document["status"], "success")
        return document["data"]

    def values(self, query, **parameters):
        data = self.ask("query", query=query, time=self.now_s, **parameters)
        return {series["metric"].get("shop", ""): float(series["value"][1])
                for series in data["result"]}

    def test_the_queries_of_the_guide_are_valid(self):
        guide = (_sonde.SOURCE / "docs/guides/grafana.md").read_text()
        blocks = guide[guide.index("## Six queries"):guide.index("## Limits")].split("```")[1::2]
        queries = []
        for line in "".join(blocks).splitlines():
            if line.startswith("    "):
                continue  # an answer
            if line.startswith("  "):
                queries[-1] += line
            elif line:
                queries.append(line)
        self.assertEqual(len(queries), 7)
        for query in queries:
            self.ask("query", query=query)

    def test_rates_are_those_of_the_counters(self):
        rates = self.values("rate(shop_orders_total[2m])")
        self.assertEqual(set(rates), {"north", "south"})
        self.assertAlmostEqual(rates["north"], 2, places=9)
        self.assertAlmostEqual(rates["south"], 3, places=9)
        self.assertAlmostEqual(self.values("sum(rate(shop_orders_total[2m]))")[""], 5, places=9)

    def test_a_range_query_gives_one_point_per_step(self):
        data = self.ask("query_range", query="shop_orders_total{shop='north'}",
                        start=self.now_s - 60, end=self.now_s, step="30s")
        values = data["result"][0]["values"]
        self.assertEqual([point[0] for point in values],
                         [self.now_s - 60, self.now_s - 30, self.now_s])
        self.assertEqual([point[1] for point in values], ["360", "420", "480"])

    def test_what_is_stored_is_listed(self):
        self.assertEqual(self.ask("label/shop/values"), ["north", "south"])
        self.assertEqual(self.ask("series", **{"match[]": "shop_orders_total"}),
                         [{"__name__": "shop_orders_total", "shop": shop}
                          for shop in ("north", "south")])
        self.assertEqual(self.ask("metadata", metric="shop_orders_total"),
                         {"shop_orders_total": [
                             {"type": "counter", "help": "Orders taken.", "unit": ""}]})

    def test_a_series_is_not_listed_outside_of_its_life(self):
        found = self.ask("series", start=self.now_s - 7200, end=self.now_s - 3600,
                         **{"match[]": "shop_orders_total"})
        self.assertEqual(found, [])

    def test_the_server_counts_its_series(self):
        data = self.ask("status/tsdb", limit=1000)
        rows = {row["name"]: row["value"] for row in data["seriesCountByMetricName"]}
        self.assertEqual(rows["shop_orders_total"], 2)
        self.assertGreaterEqual(data["headStats"]["numSeries"], 2)

    def test_another_prometheus_can_scrape_the_newest_samples(self):
        match = urllib.parse.quote("shop_orders_total")
        reply = self.server.get(f"/federate?match[]={match}")
        self.assertEqual(reply.status, 200)
        self.assertEqual(reply.body.decode().splitlines(), [
            "# TYPE shop_orders_total untyped",
            f'shop_orders_total{{shop="north",instance=""}} 480 {self.now_s * 1000}',
            f'shop_orders_total{{shop="south",instance=""}} 720 {self.now_s * 1000}',
        ])

    def test_the_configuration_in_effect_is_shown_also_after_a_reload(self):
        self.assertIn("retention: 15d", self.ask("status/config")["yaml"])
        self.server.config.write_text("log: {level: debug}\n")
        self.server.send(signal.SIGHUP)
        _sonde.wait_for(lambda: "level: debug" in self.ask("status/config")["yaml"], "new text")

    # Needs no data, and more time than any machine has: 11,000 windows of 86,400 values to sort.
    ENDLESS = "sum(quantile_over_time(0.5, vector(1)[1d:1s]))"

    def endless_target(self, **parameters):
        return "/api/v1/query_range?" + urllib.parse.urlencode(
            {"query": self.ENDLESS, "start": self.now_s - 11000, "end": self.now_s, "step": 1,
             **parameters})

    def test_a_timeout_holds_inside_of_one_series(self):
        reply = self.server.get(self.endless_target(timeout="300ms"))
        self.assertEqual(reply.status, 503, reply.body)
        self.assertEqual(json.loads(reply.body)["errorType"], "timeout")

    def test_a_query_of_a_client_that_left_ends_soon(self):
        # More of them than there are workers; each would run until its timeout of two minutes.
        abandoned = [self.server.connect() for _ in range(4)]
        for connection in abandoned:
            connection.request("GET", self.endless_target())
        waiting = self.server.connect()
        waiting.request("GET", "/api/v1/query?query=vector(1)")
        for connection in abandoned:
            connection.close()
        start = time.monotonic()
        self.assertEqual(waiting.getresponse().status, 200)
        self.assertLess(time.monotonic() - start, 60)
        waiting.close()


if __name__ == "__main__":
    _sonde.main()
