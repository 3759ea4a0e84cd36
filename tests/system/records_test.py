"""Four applications against the real server, and the same on PostgreSQL with an outage."""

import glob
import http.server
import json
import os
import shutil
import socket
import subprocess
import threading
import time
import unittest
import urllib.parse

import _sonde

METRICS = "/api/v1/metrics"
EVENTS = "/api/v1/events"


def find_postgres():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda p: int(p.split("/")[4]))
    return found[-1] if found and int(found[-1].split("/")[4]) >= 15 else None


class Postgres:
    """A cluster of its own on a unix socket in a temporary directory."""

    def __init__(self, test):
        self.bin = find_postgres()
        self.directory = _sonde.temporary_directory(test)
        self.as_user = []
        self.directory.chmod(0o755)
        if os.geteuid() == 0:
            shutil.chown(self.directory, "postgres", "postgres")
            self.as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        self.url = f"postgresql://postgres:pw@/postgres?host={self.directory}"
        self.run("initdb", "-D", self.directory / "data", "-U", "postgres", "-A", "trust", "-N",
                 "--locale=C", "-E", "UTF8")
        self.start()
        test.addCleanup(self.stop)

    def run(self, program, *arguments):
        with open(self.directory.parent / f"{self.directory.name}.log", "ab") as log:
            subprocess.run([*self.as_user, f"{self.bin}/{program}", *map(str, arguments)],
                           check=True, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log,
                           stderr=log, timeout=120)

    def start(self):
        self.run("pg_ctl", "-D", self.directory / "data", "-l", self.directory / "log", "-w", "-o",
                 f"-c listen_addresses='' -k {self.directory} -c fsync=off", "start")
        self.is_running = True

    def stop(self):
        if self.is_running:
            self.run("pg_ctl", "-D", self.directory / "data", "-m", "immediate", "-w", "stop")
            self.is_running = False


class Base(unittest.TestCase):
    headers = {}  # of whoever asks

    def post(self, server, path, document, status=201):
        reply = server.request("POST", path, json.dumps(document).encode(),
                               {"Content-Type": "application/json", **self.headers})
        self.assertEqual(reply.status, status, reply.body)
        return reply.json()

    def get(self, server, path, status=200):
        reply = server.get(path, self.headers)
        self.assertEqual(reply.status, status, reply.body)
        return reply.json()

    def crawl(self, server):
        """A crawl job: phases with their success rates."""
        for job in range(10):
            batch = [{"metric_type": "processing_time", "service": "crawler", "name": phase,
                      "value": 1 + job, "unit": "seconds", "metadata": {"job": job}}
                     for phase in ("download", "validate", "upload", "total")]
            batch += [{"metric_type": "success_rate", "service": "crawler", "name": phase,
                       "ok": 9, "total": 10} for phase in ("download", "validate", "upload")]
            self.assertEqual(self.post(server, METRICS + "/batch", batch)["accepted"], 7)
        windows = self.get(server, METRICS + "?name=download&service=crawler"
                           "&metric_type=processing_time&time_window=365d"
                           "&start_time=2000-01-01T00:00:00Z")["windows"]
        self.assertEqual(sum(window["count"] for window in windows), 10)
        self.assertEqual(sum(window["sum"] for window in windows), 55)
        windows = self.get(server, METRICS + "?name=upload&metric_type=success_rate"
                           "&time_window=365d&start_time=2000-01-01T00:00:00Z")["windows"]
        self.assertEqual(sum(window["ok"] for window in windows), 90)
        self.assertEqual(sum(window["total"] for window in windows), 100)
        samples = self.get(server, "/api/v1/query?query=" + urllib.parse.quote("sum(sum_over_time(upload_succeeded[1h]))"
                               " / sum(sum_over_time(upload_attempted[1h]))"))["data"]["result"]
        self.assertEqual(float(samples[0]["value"][1]), 0.9)

    def generate(self, server):
        """A pose generator: events, then what its administrator asks."""
        for i in range(20):
            event = {"app": "pose-generator", "type": "generation", "user_id": f"u{i % 4}",
                     "duration_ms": 10000, "quantity": 2, "credits": 2,
                     "items": [{"kind": "pose", "id": f"p{i % 5}", "name": f"Pose {i % 5}",
                                "category": "standing"}]}
            if i % 10 == 9:
                event.update(credits=-2, outcome="error",
                             error={"message": f"FLUX API: job {i} failed", "type": "HTTPError"})
            self.assertEqual(self.post(server, EVENTS, event)["accepted"], 1)
        app = "/api/apps/pose-generator/metrics"
        document = self.get(server, app + "?period=24h")
        self.assertEqual((document["total"], document["ok"], document["errors"]), (20, 18, 2))
        self.assertEqual(document["credits_used"], 36)
        self.assertEqual(document["credits_refunded"], 4)
        self.assertEqual(document["items"], 40)
        self.assertTrue(document["exact"])
        users = self.get(server, app + "/top-users?limit=2")["users"]
        self.assertEqual([user["user_id"] for user in users], ["u0", "u1"])
        self.assertEqual(users[0]["generation_count"], 5)
        poses = self.get(server, app + "/popular-poses")["items"]
        self.assertEqual([(pose["id"], pose["usage_count"]) for pose in poses],
                         [(f"p{i}", 4) for i in range(5)])
        errors = self.get(server, app + "/errors")["errors"]
        self.assertEqual([(e["error_type"], e["count"]) for e in errors], [("FLUX_API_ERROR", 2)])
        groups = self.get(server, "/api/v1/errors?app=pose-generator")["errors"]
        self.assertEqual([(g["count"], g["users"]) for g in groups], [(2, 2)])

    def serve_media(self, server):
        """A media gateway: queues and counters as records, the host as records."""
        self.post(server, METRICS + "/queues/track?queue_name=transcode&depth=7&wait_time=2.5"
                  "&service=media", None)
        records = self.get(server, METRICS + "?metric_type=queue_metrics&service=media")["metrics"]
        self.assertEqual({r["name"]: r["value"] for r in records},
                         {"transcode_depth": 7, "transcode_wait_seconds": 2.5})
        taken = self.post(server, METRICS + "/collect?service_name=media", None)
        self.assertGreater(taken["accepted"], 5)
        records = self.get(server, METRICS + "?metric_type=resource_usage&service=media")
        self.assertEqual(records["count"], taken["accepted"])

    def edit(self, server):
        """A timeline service: its operations as any Prometheus client gives them, then commands."""
        now_ms = _sonde.now_ms()
        counts = {"cut": (90, 8, 2), "export": (40, 0, 0)}

        def page(scale, time_ms):
            lines = []
            for operation, outcomes in counts.items():
                labels = f'service="timeline",operation="{operation}"'
                lines += [f'sonde_operations_total{{{labels},outcome="{outcome}"}} {count * scale}'
                          for outcome, count in zip(("ok", "error", "aborted"), outcomes)]
                total = sum(outcomes) * scale
                lines += [f'sonde_operation_duration_seconds_bucket{{{labels},le="{le}"}} {total}'
                          for le in ("0.5", "+Inf")]
                lines += [f"sonde_operation_duration_seconds_sum{{{labels}}} {total * 0.25}",
                          f"sonde_operation_duration_seconds_count{{{labels}}} {total}",
                          f"sonde_operation_duration_max_seconds{{{labels}}} "
                          f"{0.5 if operation == 'export' else 0.4}",
                          f"sonde_operations_active{{{labels}}} 3"]
            lines += ['sonde_cache_hits_total{service="timeline",cache="frames"} ' + str(60 * scale),
                      'sonde_cache_misses_total{service="timeline",cache="frames"} '
                      + str(40 * scale)]
            return "".join(f"{line} {time_ms}\n" for line in lines)

        def ask(name, **arguments):
            return self.post(server, f"/api/v1/commands/{name}", arguments, 200)

        for scale, age_ms in ((1, 60_000), (2, 0)):
            reply = server.push(page(scale, now_ms - age_ms), headers=self.headers)
            self.assertEqual(reply.status, 200, reply.body)
        service = ask("get_service_metrics", service="timeline")
        self.assertEqual([service[key] for key in ("count", "ok_count", "error_count",
                                                   "aborted_count", "active")],
                         [280, 260, 16, 4, 6])
        cut = next(one for one in service["operations"] if one["operation"] == "cut")
        self.assertEqual((cut["count"], cut["error_count"]), (200, 16))
        self.assertAlmostEqual(cut["duration_seconds"]["average"], 0.25)
        errors = ask("get_error_statistics", service="timeline")
        self.assertEqual((errors["count"], errors["error_count"]), (280, 16))
        slow = ask("get_slow_operations", service="timeline", limit=1)["operations"]
        self.assertEqual([one["operation"] for one in slow], ["export"])
        self.assertEqual(ask("get_active_operations_count", service="timeline")["active"], 6)
        cache = [one for one in ask("get_cache_performance_metrics")["caches"]
                 if one["service"] == "timeline"][0]
        self.assertEqual((cache["hits"], cache["misses"]), (120, 80))
        self.assertAlmostEqual(cache["hit_rate"], 0.6)
        alerts = [one["alert"] for one in ask("get_cache_alerts")["alerts"]
                  if one["service"] == "timeline"]
        self.assertEqual(alerts, ["low_hit_rate"])
        ask("set_cache_alert_thresholds", service="timeline", cache="frames", min_hit_rate=0.5)
        self.assertEqual([one for one in ask("get_cache_alerts")["alerts"]
                          if one["service"] == "timeline"], [])
        history = ask("get_metrics_history", query='sum(sonde_operations_total{service="timeline"})',
                      start=(now_ms - 60_000) / 1000, end=now_ms / 1000, step="60s")["series"][0]
        self.assertEqual((history["min"], history["max"], history["trend"]["change"]),
                         (140, 280, 140))
        self.assertEqual(ask("reset_service_metrics", service="timeline")["operations"], 2)
        self.assertEqual(ask("get_service_metrics", service="timeline")["count"], 0)
        stored = self.get(server, "/api/v1/query?query=" + urllib.parse.quote(
            'sum(sonde_operations_total{service="timeline"})'))["data"]["result"]
        self.assertEqual(float(stored[0]["value"][1]), 280)


    sign_in = {"name": "root", "password": "correct horse"}

    def login(self, server):
        return server.request("POST", "/api/auth/login", json.dumps(self.sign_in))

    def become_admin(self, server, *place):
        """Make the administrator on the command line and sign in."""
        done = _sonde.run("admin", "user", "add", "root", "--role", "admin", *place,
                          input=self.sign_in["password"] + "\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        _sonde.wait_for(lambda: self.login(server).status == 200, "the account")
        self.get(server, "/api/apps/pose-generator/metrics", 401)
        token = self.login(server).json()["data"]["token"]
        self.headers = {"Authorization": f"Bearer {token}"}

    def play(self, server):
        self.crawl(server)
        self.generate(server)
        self.serve_media(server)
        self.edit(server)
        health = self.get(server, "/api/apps/pose-generator/health")
        self.assertEqual(health["status"], "healthy")


class OnSqlite(Base):
    def test_numbers_come_back_as_they_were_sent(self):
        server = _sonde.Server(self, arguments=["--access", "required"]).start()
        self.become_admin(server, "--data", server.data)
        self.play(server)

    @unittest.skipUnless(shutil.which("redis-server"), "Redis is not installed")
    def test_health_asks_redis_and_http(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        redis = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1",
                                  "--save", "", "--dir", str(_sonde.temporary_directory(self))],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.addCleanup(redis.wait)
        self.addCleanup(redis.kill)
        site = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
        site.RequestHandlerClass.log_message = lambda *_: None
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(site.server_close)
        self.addCleanup(site.shutdown)
        server = _sonde.Server(self, config=(
            "apps:\n  shop:\n    checks:\n"
            f"      cache: {{redis: '127.0.0.1:{port}', timeout: 5s}}\n"
            f"      site: {{http: 'http://127.0.0.1:{site.server_port}/'}}\n")).start()

        def health():
            reply = server.get("/api/apps/shop/health")
            return reply.status, {c["name"]: c["status"] for c in reply.json()["checks"]}
        healthy = (200, {"sqlite": "ok", "cache": "ok", "site": "ok"})
        _sonde.wait_for(lambda: health() == healthy, "Redis is up")
        redis.kill()
        redis.wait()
        self.assertEqual(health(), (503, {"sqlite": "ok", "cache": "failed", "site": "ok"}))

    def test_command_line_pushes_lists_and_resolves(self):
        server = _sonde.Server(self).start()
        url = ("--url", f"http://127.0.0.1:{server.port}")
        file = server.directory / "one.json"
        file.write_text('{"metric_type": "t", "name": "n", "value": 1}')
        done = _sonde.run("push", *url, file)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["accepted"], 1)
        file.write_text('[{"app": "a", "type": "t", "error": {"message": "timed out"}}]')
        self.assertEqual(_sonde.run("push", "--events", *url, file).returncode, 0)
        file.write_text('[{"name": 1}]')
        done = _sonde.run("push", *url, file)
        self.assertEqual(done.returncode, 6)
        self.assertIn("not valid", done.stderr)
        listed = _sonde.run("errors", *url)
        self.assertIn("TIMEOUT_ERROR  a/t: timed out", listed.stdout)
        self.assertEqual(_sonde.run("errors", *url, "resolve", 1).returncode, 0)
        self.assertEqual(_sonde.run("errors", *url).stdout, "")
        self.assertIn("resolved", _sonde.run("errors", *url, "--state", "any").stdout)
        self.assertEqual(_sonde.run("errors", *url, "resolve", 99).returncode, 5)
        self.assertEqual(_sonde.run("errors", "explode", 1).returncode, 2)


@unittest.skipUnless(find_postgres(), "PostgreSQL is not installed")
@unittest.skipIf(_sonde.IS_SLOW_BUILD, "once, in the quick build")
class OnPostgres(Base):
    def server(self, postgres):
        return _sonde.Server(self, config=f"records: '{postgres.url}'\n",
                             arguments=["--access", "required"])

    def test_the_same_numbers_and_an_outage_under_load(self):
        postgres = Postgres(self)
        server = self.server(postgres).start()
        self.become_admin(server, "--config", server.config)
        self.play(server)
        config = self.get(server, "/api/v1/status/config")["data"]["yaml"]
        self.assertIn("postgres:<secret>@", config)
        acknowledged = []
        is_over = threading.Event()

        def push():
            while not is_over.is_set():
                document = [{"metric_type": "t", "name": "load", "value": 1}] * 5
                self.post(server, METRICS + "/batch", document)
                acknowledged.append(5)

        def more(count=20):
            before = len(acknowledged)
            _sonde.wait_for(lambda: len(acknowledged) >= before + count, "pushes")

        thread = threading.Thread(target=push)
        thread.start()
        try:
            more()
            postgres.stop()
            stopped = time.monotonic()
            more()
            if _sonde.IS_LONG:
                _sonde.wait_for(lambda: time.monotonic() > stopped + 20, "20 s without it")
            self.assertIn("the database is away", self.get(server, METRICS, 503)["error"])
            reply = self.login(server)
            self.assertEqual(reply.status, 503, reply.body)
            self.assertIn("the database is away", reply.error())
            self.get(server, "/api/apps/pose-generator/metrics", 503)
            self.assertEqual(server.metric("sonde_records_database_away", self.headers), 1)
            self.assertGreater(server.metric("sonde_records_spool_bytes", self.headers), 0)
            postgres.start()
            more()
        finally:
            is_over.set()
            thread.join()

        def count():
            windows = self.get(server, METRICS + "?name=load&time_window=365d"
                               "&start_time=2000-01-01T00:00:00Z")["windows"]
            return sum(window["count"] for window in windows)
        _sonde.wait_for(lambda: count() == sum(acknowledged), "what was acknowledged", 60)
        _sonde.wait_for(lambda: server.metric("sonde_records_spool_bytes", self.headers) == 0, "the spool")
        self.assertEqual(server.metric("sonde_records_database_away", self.headers), 0)
        self.assertEqual(server.metric("sonde_records_spool_lost_total", self.headers), 0)
        _sonde.wait_for(lambda: self.login(server).status == 200, "a sign-in after the outage")

    def test_two_servers_share_accounts_and_settings(self):
        postgres = Postgres(self)
        servers = [self.server(postgres).start() for _ in range(2)]
        self.become_admin(servers[0], "--config", servers[0].config)

        def status(server, target="/api/v1/labels", headers=None):
            return server.get(target, headers or self.headers).status

        # A session, a token and their end are known to the other one soon.
        _sonde.wait_for(lambda: status(servers[1]) == 200, "the session")
        token = self.post(servers[1], "/api/v1/admin/tokens",
                          {"name": "ci", "user": "root", "scopes": "read"}, 200)["data"]
        bearer = {"Authorization": f"Bearer {token['token']}"}
        _sonde.wait_for(lambda: status(servers[0], headers=bearer) == 200, "the token")
        reply = servers[0].request("DELETE", f"/api/v1/admin/tokens/{token['id']:.0f}",
                                   headers=self.headers)
        self.assertEqual(reply.status, 204, reply.body)
        self.assertEqual(status(servers[0], headers=bearer), 401)
        _sonde.wait_for(lambda: status(servers[1], headers=bearer) == 401, "the end of the token")
        self.post(servers[0], "/api/v1/commands/set_cache_alert_thresholds",
                  {"min_hit_rate": 0.25}, 200)
        limits = self.get(servers[1], "/api/v1/cache")["data"]["thresholds"]
        self.assertEqual(limits["min_hit_rate"], 0.25)
        # What is of one server's data alone is not: when a copy of it was made.
        self.post(servers[0], "/api/v1/admin/tsdb/snapshot", None, 200)
        backups = [self.get(server, "/api/v1/admin/storage")["data"]["last_backup_at"]
                   for server in servers]
        self.assertEqual([bool(backup) for backup in backups], [True, False])
        # Without the database: who is known stays known, also where measurements come in.
        postgres.stop()
        self.post(servers[0], METRICS, {"metric_type": "t", "name": "n", "value": 1})
        self.assertEqual([status(server) for server in servers], [200, 200])
        # A server that starts now knows nobody, and everybody when the database is there.
        servers[1].stop()
        servers[1].start()
        reply = servers[1].get("/api/v1/labels", self.headers)
        self.assertEqual(reply.status, 503, reply.body)
        self.assertIn("the database is away", reply.error())
        self.assertEqual(self.login(servers[1]).status, 503)
        self.assertEqual(servers[1].get("/api/auth/status").json()["data"]["has_admin"], True)
        self.assertEqual(servers[1].push("early 1\n").status, 200)  # from this machine, as ever
        postgres.start()
        _sonde.wait_for(lambda: status(servers[1]) == 200, "the session after the outage")
        self.assertEqual(self.login(servers[1]).status, 200)
        self.assertIn("nobody can sign in", servers[1].stderr())
        reply = servers[1].request("POST", "/api/auth/logout", headers=self.headers)
        self.assertEqual(reply.status, 204, reply.body)
        self.assertEqual(status(servers[1]), 401)
        _sonde.wait_for(lambda: status(servers[0]) == 401, "the end of the session")


if __name__ == "__main__":
    _sonde.main()
