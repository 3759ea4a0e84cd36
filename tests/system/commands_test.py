"""The commands over HTTP, on the metrics of a service as any Prometheus client would give them."""

import json
import math
import unittest

import _sonde

OPERATIONS = [("render", 100, 4, 1), ("upload", 50, 0, 0)]
BOUNDS = ["0.1", "0.5", "1", "+Inf"]


def page(scale, time_ms):
    """An exposition page whose counters are `scale` times a base."""
    lines = []

    def add(name, labels, value):
        text = ",".join(f'{key}="{one}"' for key, one in labels.items())
        lines.append(f"{name}{{{text}}} {value} {time_ms}\n")

    for operation, ok, errors, aborted in OPERATIONS:
        labels = {"service": "timeline", "operation": operation}
        for outcome, count in (("ok", ok), ("error", errors), ("aborted", aborted)):
            add("sonde_operations_total", {**labels, "outcome": outcome}, count * scale)
        total = (ok + errors + aborted) * scale
        for bound, share in zip(BOUNDS, (0.5, 0.9, 1, 1)):
            add("sonde_operation_duration_seconds_bucket", {**labels, "le": bound}, total * share)
        add("sonde_operation_duration_seconds_sum", labels, total * 0.2)
        add("sonde_operation_duration_seconds_count", labels, total)
        add("sonde_operation_duration_min_seconds", labels, 0.01)
        add("sonde_operation_duration_max_seconds", labels, 0.9 if operation == "render" else 0.7)
        add("sonde_operations_active", labels, 2)
        add("sonde_operation_last_timestamp_seconds", labels, time_ms / 1000 - 3)
    add("sonde_service_start_time_seconds", {"service": "timeline"}, time_ms / 1000 - 600)
    cache = {"service": "timeline", "cache": "frames"}
    add("sonde_cache_hits_total", cache, 70 * scale)
    add("sonde_cache_misses_total", cache, 30 * scale)
    add("sonde_cache_memory_bytes", cache, 600 * 1024 * 1024)
    add("sonde_cache_fragmentation_ratio", cache, 0.1)
    add("sonde_cache_response_seconds_sum", cache, 0.05 * scale)
    add("sonde_cache_response_seconds_count", cache, 100 * scale)
    add("sonde_memory_bytes", {"service": "timeline"}, 1000)
    add("sonde_memory_peak_bytes", {"service": "timeline"}, 2000)
    return "".join(lines)


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = _sonde.Server(cls).start()
        cls.now_ms = _sonde.now_ms()
        for scale, age_ms in ((1, 60_000), (2, 0)):
            reply = cls.server.push(page(scale, cls.now_ms - age_ms))
            assert reply.status == 200, reply.body

    def ask(self, name, status=200, /, **arguments):
        reply = self.server.request("POST", f"/api/v1/commands/{name}",
                                    json.dumps(arguments).encode() if arguments else b"")
        self.assertEqual(reply.status, status, reply.body)
        return reply.json()

    def test_services_and_operations_are_counted(self):
        document = self.ask("get_all_metrics")
        timeline = next(one for one in document["services"] if one["service"] == "timeline")
        self.assertEqual(timeline["count"], 310)
        self.assertEqual(timeline["ok_count"], 300)
        self.assertEqual(timeline["error_count"], 8)
        self.assertEqual(timeline["aborted_count"], 2)
        self.assertEqual(timeline["active"], 4)
        self.assertAlmostEqual(timeline["error_rate"], 8 / 310)
        self.assertEqual([one["operation"] for one in timeline["operations"]],
                         ["render", "upload"])
        single = self.ask("get_service_metrics", service="timeline")
        render = single["operations"][0]
        self.assertEqual(render["count"], 210)
        durations = render["duration_seconds"]
        self.assertAlmostEqual(durations["average"], 0.2)
        self.assertEqual((durations["min"], durations["max"]), (0.01, 0.9))
        # Half of them lie in the first bucket, 40 % in the second.
        self.assertAlmostEqual(durations["p50"], 0.1)
        self.assertAlmostEqual(durations["p90"], 0.5)
        self.assertAlmostEqual(durations["p95"], 0.75)

    def test_what_is_asked_for_must_exist(self):
        self.assertIn("no service", self.ask("get_service_metrics", 404, service="nobody")["error"])
        self.assertIn("missing", self.ask("get_service_metrics", 400)["error"])
        self.assertIn("did you mean", self.ask("get_all_metric", 404)["error"])
        self.assertIn("no argument", self.ask("get_all_metrics", 400, service="x")["error"])
        self.assertIn("limit", self.ask("get_slow_operations", 400, limit=0)["error"])
        self.assertIn("limit", self.ask("get_slow_operations", 400, limit=1.5)["error"])
        reply = self.server.request("POST", "/api/v1/commands/get_all_metrics", b"[[[[")
        self.assertEqual(reply.status, 400)
        reply = self.server.request("POST", "/api/v1/commands/get_all_metrics", b" " * 70_000)
        self.assertEqual(reply.status, 413)
        self.assertEqual(self.server.get("/api/v1/commands/get_all_metrics").status, 405)

    def test_active_errors_and_slow_operations(self):
        active = self.ask("get_active_operations_count", service="timeline")
        self.assertEqual(active["active"], 4)
        errors = self.ask("get_error_statistics", service="timeline")
        self.assertEqual((errors["count"], errors["error_count"]), (310, 8))
        self.assertEqual([one["operation"] for one in errors["services"][0]["operations"]],
                         ["render"])
        slow = self.ask("get_slow_operations", service="timeline", limit=1)["operations"]
        self.assertEqual([(one["service"], one["operation"]) for one in slow],
                         [("timeline", "render")])

    def test_a_reset_is_a_view_and_counters_go_on(self):
        # Another service, so that the other tests do not see it.
        def lines(scale, time_ms):
            return page(scale, time_ms).replace('"timeline"', '"resettable"')

        self.assertEqual(self.server.push(lines(1, _sonde.now_ms() - 1000)).status, 200)
        done = self.ask("reset_service_metrics", service="resettable")
        self.assertEqual(done["operations"], 2)
        self.assertEqual(self.ask("get_service_metrics", service="resettable")["count"], 0)
        self.assertEqual(self.server.push(lines(3, _sonde.now_ms())).status, 200)
        after = self.ask("get_service_metrics", service="resettable")
        self.assertEqual(after["count"], 310)  # three times the base less once
        self.assertEqual(after["reset_time_ms"], done["reset_time_ms"])
        stored = self.server.get("/api/v1/query?query=sum(sonde_operations_total"
                                 "%7Bservice%3D%22resettable%22%7D)").json()
        self.assertEqual(stored["data"]["result"][0]["value"][1], "465")
        self.server.kill()
        self.server.start()
        self.assertEqual(self.ask("get_service_metrics", service="resettable")["count"], 310)

    def test_caches_and_their_alerts(self):
        def mine(answer):
            return [one for one in answer if one["service"] == "timeline"]

        cache = mine(self.ask("get_cache_performance_metrics")["caches"])[0]
        self.assertEqual((cache["cache"], cache["hits"], cache["misses"]), ("frames", 140, 60))
        self.assertAlmostEqual(cache["hit_rate"], 0.7)
        self.assertAlmostEqual(cache["response_time_avg_ms"], 0.5)
        self.assertEqual(cache["thresholds"], {"min_hit_rate": 0.8, "max_memory_usage_mb": 512,
                                               "max_response_time_ms": 100,
                                               "max_fragmentation": 0.3})
        alerts = {one["alert"]: one for one in mine(self.ask("get_cache_alerts")["alerts"])}
        self.assertEqual(set(alerts), {"low_hit_rate", "high_memory_usage"})
        self.assertEqual(alerts["high_memory_usage"]["value"], 600)
        answer = self.ask("set_cache_alert_thresholds", service="timeline", cache="frames",
                          min_hit_rate=0.5, max_memory_usage_mb=1000)
        self.assertEqual(answer["thresholds"]["min_hit_rate"], 0.5)
        self.assertEqual(mine(self.ask("get_cache_alerts")["alerts"]), [])
        self.ask("set_cache_alert_thresholds", 400, min_hit_rate=2)
        self.ask("set_cache_alert_thresholds", 400, service="timeline")

    def test_memory_and_gpus(self):
        services = self.ask("get_memory_usage_metrics")["services"]
        timeline = next(one for one in services if one["service"] == "timeline")
        self.assertEqual((timeline["memory_bytes"], timeline["memory_peak_bytes"]), (1000, 2000))
        self.assertEqual(self.ask("get_gpu_utilization_metrics"),
                         {"gpus": [], "message": "no GPU found"})

    def test_history_has_numbers_and_a_trend(self):
        base_ms = self.now_ms - 3_600_000
        lines = "".join(f"trend_value {minute} {base_ms + minute * 60_000}\n"
                        for minute in range(61))
        self.assertEqual(self.server.push(lines).status, 200)
        answer = self.ask("get_metrics_history", query="trend_value", start=base_ms / 1000,
                          end=(base_ms + 3_600_000) / 1000, step="1m")
        series = answer["series"][0]
        self.assertEqual((series["count"], series["min"], series["max"], series["avg"]),
                         (61, 0, 60, 30))
        self.assertEqual(series["p95"], 57)
        self.assertEqual(series["trend"]["direction"], "rising")
        self.assertTrue(math.isclose(series["trend"]["slope_per_hour"], 60))
        self.assertEqual(series["trend"]["change"], 60)
        self.assertEqual(self.ask("get_metrics_history", query="nothing", hours=1)["series"], [])
        for wrong in ({"query": "rat("}, {"query": "up", "hours": 0}, {"query": "up", "step": "x"},
                      {"query": "up", "hours": 1, "days": 1}, {"query": "up", "start": "never"},
                      {"hours": 1}, {"query": "up", "start": 2, "end": 1}):
            self.ask("get_metrics_history", 400, **wrong)

    def test_alerts_of_ones_own_are_kept(self):
        rule = self.ask("create_custom_alert", name="Many errors", expr="error_ratio > 0.1",
                        **{"for": "5m"}, severity="critical")
        self.assertEqual(rule["for_seconds"], 300)
        again = self.ask("create_custom_alert", name="Many errors", expr="error_ratio > 0.2")
        self.assertEqual(again["id"], rule["id"])
        for wrong in ({"name": "x", "expr": "rat("}, {"name": "", "expr": "up"},
                      {"name": "x", "expr": "up", "severity": "bad"},
                      {"name": "x", "expr": "up", "for": "long"}, {"name": "x"}):
            self.ask("create_custom_alert", 400, **wrong)

    def test_an_export_can_be_read_back(self):
        text = self.ask("export_metrics_prometheus",
                        match='{__name__=~"sonde_operations_total",service="timeline"}')["text"]
        self.assertEqual(len([line for line in text.splitlines() if not line.startswith("#")]), 6)
        self.assertIn('operation="render",outcome="ok",service="timeline"} 200\n', text)
        self.assertEqual(self.server.push(text.replace("timeline", "copy")).status, 200)

    # ---- the command line ----

    def run_cli(self, *words, url=None):
        return _sonde.run(*words, "--url", url or f"http://127.0.0.1:{self.server.port}/")

    def test_sonde_command_prints_the_answer(self):
        done = self.run_cli("command", "get_service_metrics", '{"service":"timeline"}')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["count"], 310)
        for words, code, sentence in (
                (("command", "get_service_metrics", '{"service":"nobody"}'), 5, "no service"),
                (("command", "get_service_metrics", "{}"), 6, "missing"),
                (("command", "get_all_metrics/../x"), 5, "no command"),
                (("command",), 2, "--help"), (("command", "a", "b", "c"), 2, "--help")):
            done = self.run_cli(*words)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(sentence, done.stderr)
        done = self.run_cli("command", "get_all_metrics", url="http://127.0.0.1:1")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("no answer from http://127.0.0.1:1", done.stderr)

    def test_sonde_services_shows_tables(self):
        done = self.run_cli("services")
        self.assertEqual(done.returncode, 0, done.stderr)
        row = next(line for line in done.stdout.splitlines() if line.startswith("timeline "))
        self.assertEqual(row.split()[1], "310")
        done = self.run_cli("services", "timeline")
        self.assertRegex(done.stdout, r"render +210 .* 200\.0 ms +750\.0 ms")
        self.assertEqual(json.loads(self.run_cli("services", "timeline", "--json").stdout)["count"],
                         310)
        self.assertEqual(self.run_cli("services", "nobody").returncode, 5)


if __name__ == "__main__":
    _sonde.main()
