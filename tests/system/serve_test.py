"""A server from start to stop: it measures the host rightly, keeps what it measured, and obeys signals."""

import os
import re
import shutil
import signal
import sys
import unittest

import _sonde
from _sonde import Server, wait_for

EVERY_SECOND = "collect: {interval: 1s}\nlog: {level: debug}\n"
PERCENTS = ("sonde_host_cpu_percent", "sonde_host_memory_used_percent",
            "sonde_host_disk_used_percent")
SAMPLES_WANTED = 3


def read_meminfo():
    with open("/proc/meminfo", encoding="ascii") as file:
        return {line.split(":")[0]: int(line.split()[1]) * 1024 for line in file}


def read_cpu_seconds():
    """{mode: seconds of all CPUs} as in the first line of /proc/stat."""
    with open("/proc/stat", encoding="ascii") as file:
        fields = file.readline().split()[1:9]
    names = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
    return {name: int(field) / os.sysconf("SC_CLK_TCK") for name, field in zip(names, fields)}


def last_values(server, metric, **labels):
    """{labels: newest average} of every series of a metric in the last minute."""
    now_s = _sonde.now_ms() // 1000
    data = server.history(metric, start=now_s - 60, end=now_s + 1, step=1, **labels)
    found = {}
    for series in data["series"]:
        averages = [value for value, count in zip(series["avg"], series["count"]) if count > 0]
        if averages:
            found[frozenset(series["labels"].items())] = averages[-1]
    return found


def only(values):
    assert len(values) == 1, values
    return next(iter(values.values()))


class CollectTest(unittest.TestCase):
    """One server for all tests of this class; they only read."""

    @classmethod
    def setUpClass(cls):
        cls.cpu_before = read_cpu_seconds()
        cls.server = Server(cls, config=EVERY_SECOND).start()
        for metric in PERCENTS:
            wait_for(lambda metric=metric: cls.count_of(metric) >= SAMPLES_WANTED,
                     f"{SAMPLES_WANTED} samples of {metric}")

    @classmethod
    def count_of(cls, metric):
        """Samples of the series that has fewest."""
        series = cls.server.history(metric)["series"]
        return min((sum(one["count"]) for one in series), default=0)

    def test_percentages_are_percentages(self):
        for metric in PERCENTS:
            for value in last_values(self.server, metric).values():
                self.assertTrue(0 <= value <= 100, (metric, value))

    def test_memory_agrees_with_proc(self):
        info = read_meminfo()
        total = only(last_values(self.server, "node_memory_MemTotal_bytes"))
        self.assertEqual(total, info["MemTotal"])
        used = 100 * (1 - info["MemAvailable"] / info["MemTotal"])
        self.assertAlmostEqual(only(last_values(self.server, PERCENTS[1])), used, delta=2)

    def test_disks_agree_with_statvfs(self):
        disks = last_values(self.server, PERCENTS[2])
        self.assertGreater(len(disks), 0)
        for labels, value in disks.items():
            facts = os.statvfs(dict(labels)["mountpoint"])
            used = facts.f_blocks - facts.f_bfree
            share = 100 * used / (used + facts.f_bavail) if used + facts.f_bavail else 0
            self.assertAlmostEqual(value, share, delta=2, msg=labels)

    def test_cpu_seconds_agree_with_proc(self):
        after = read_cpu_seconds()
        for mode, before in self.cpu_before.items():
            values = last_values(self.server, "node_cpu_seconds_total", mode=mode)
            self.assertEqual(len(values), os.cpu_count(), mode)
            # 10 ms for each CPU: the kernel rounds each of them and their sum.
            slack = 0.01 * len(values)
            total = sum(values.values())
            self.assertTrue(before * 0.98 - slack <= total <= after[mode] * 1.02 + slack,
                            (mode, before, total, after[mode]))

    def test_samples_carry_job_and_instance(self):
        labels = dict(next(iter(last_values(self.server, PERCENTS[0]))))
        self.assertEqual(labels["job"], "node")
        self.assertEqual(labels["instance"], os.uname().nodename)

    def test_collectors_report_themselves(self):
        for labels, value in last_values(self.server, "sonde_collector_up").items():
            self.assertEqual(value, 1, labels)

    def test_status_of_the_host(self):
        reply = self.server.get("/api/v1/metrics/system/status")
        self.assertEqual(reply.status, 200)
        status = reply.json()
        info = read_meminfo()
        self.assertEqual(status["memory"]["total_bytes"], info["MemTotal"])
        self.assertAlmostEqual(status["memory"]["available_bytes"], info["MemAvailable"],
                               delta=0.02 * info["MemTotal"])
        self.assertEqual(status["hostname"], os.uname().nodename)
        self.assertEqual(status["cpu"]["count"], os.cpu_count())
        self.assertEqual(status["process"]["pid"], self.server.process.pid)

    def test_health(self):
        for path in ("/healthz", "/readyz"):
            reply = self.server.get(path)
            self.assertEqual((reply.status, reply.body), (200, b"ok\n"))

    def test_the_page_and_what_it_loads(self):
        page = self.server.get("/")
        self.assertEqual(page.status, 200)
        names = re.findall(rb'(?:src|href)="(assets/[^"]+)"', page.body)
        self.assertEqual(len(names), 2)
        for name in names:
            reply = self.server.get("/" + name.decode())
            self.assertEqual(reply.status, 200)
            self.assertIn("immutable", reply.headers["Cache-Control"])

    def test_own_metrics_show_what_happens(self):
        page = self.server.get("/metrics")
        self.assertEqual(page.status, 200)
        self.assertTrue(page.headers["Content-Type"].startswith("text/plain; version=0.0.4"))
        values = dict(line.rsplit(" ", 1) for line in page.body.decode().splitlines()
                      if not line.startswith("#"))
        for name in ("sonde_store_series", "sonde_store_samples_total",
                     "sonde_store_log_syncs_total", 'sonde_http_requests_total{class="2xx"}',
                     "sonde_http_connections_total", "sonde_http_sent_body_bytes_total"):
            self.assertGreater(float(values[name]), 0, name)
        self.assertEqual(float(values["sonde_store_refusing_writes"]), 0)

    def test_own_metrics_are_well_formed(self):
        harness = _sonde.SOURCE.parent / "shared/conformance/harness"
        if not (harness / "expofmt.py").exists():
            self.skipTest("no judge of exposition pages here")
        sys.path.insert(0, str(harness))
        import expofmt  # pylint: disable=import-error,import-outside-toplevel
        page = expofmt.parse(self.server.get("/metrics").body, "text", True)
        self.assertGreater(len(page.samples), 50)
        for sample in page.samples:
            self.assertTrue(any(sample.name.startswith(name) for name in page.types), sample.name)

    def test_errors_are_json(self):
        for target, status in (("/nothing", 404), ("/api/v1/history", 400),
                               ("/api/v1/history?metric=up&step=0", 400),
                               ("/api/v1/history?metric=up&start=0&step=1", 422)):
            reply = self.server.get(target)
            self.assertEqual(reply.status, status)
            reply.error()


class KeepTest(unittest.TestCase):
    """What is durable is there after every kind of end."""

    def collected(self, server):
        """What all collectors have stored so far: {(metric, labels, time): value}."""
        found = {}
        for metric in (*PERCENTS, "node_cpu_seconds_total", "node_load1"):
            now_s = _sonde.now_ms() // 1000
            data = server.history(metric, start=now_s - 300, end=now_s, step=1)
            for series in data["series"]:
                for time_s, value, count in zip(data["t"], series["avg"], series["count"]):
                    if count == 1:
                        key = (metric, frozenset(series["labels"].items()), time_s)
                        found[key] = value
        return found

    def test_collected_samples_survive_a_kill(self):
        server = Server(self, config=EVERY_SECOND).start()
        wait_for(lambda: len(server.values(PERCENTS[0])) >= 1 and
                 len(server.values(PERCENTS[0], step=1)) >= SAMPLES_WANTED, "samples")
        before = self.collected(server)
        self.assertGreater(len(before), 10)
        # Readers see samples a moment before they are durable; the log keeps the order, so what
        # stands before an acknowledged sample is durable too.
        self.assertEqual(server.push("barrier 1\n").status, 200)
        # In this second the next life may add a sample of its own.
        killed_s = _sonde.now_ms() // 1000
        server.kill()
        server.start()
        after = self.collected(server)
        for key, value in before.items():
            if key[2] < killed_s:
                self.assertEqual(after.get(key), value, key)

    def test_pushed_samples_survive_every_end(self):
        server = Server(self).start()
        expected = {}
        for end in ("kill", signal.SIGTERM, "kill", signal.SIGINT, signal.SIGTERM):
            time_ms = _sonde.now_ms()
            expected[time_ms] = len(expected) + 0.1
            self.assertEqual(server.push(f"kept {expected[time_ms]} {time_ms}\n").status, 200)
            if end == "kill":
                server.kill()
            else:
                code, seconds = server.stop(end)
                self.assertEqual(code, 0)
                self.assertLess(seconds, _sonde.STOP_TIMEOUT_S)
            server.start()
            for moment, value in expected.items():
                self.assertEqual(server.sample("kept", moment), value, end)

    def test_a_stopped_server_leaves_its_directory_to_the_next(self):
        server = Server(self).start()
        self.assertEqual(server.stop()[0], 0)
        moved = server.data.with_name("moved")
        shutil.move(server.data, moved)
        server.data = moved
        server.start()
        self.assertEqual(server.get("/readyz").status, 200)

    def test_stopping_is_quick_while_clients_hold_connections(self):
        server = Server(self, config=EVERY_SECOND).start()
        connections = [server.connect() for _ in range(50)]
        for connection in connections:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        # Half a request: headers that never end, a body that never comes.
        connections[0].sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: ")
        connections[1].sock.sendall(b"POST " + _sonde.IMPORT.encode() +
                                    b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\na")
        code, seconds = server.stop()
        self.assertEqual(code, 0)
        self.assertLess(seconds, _sonde.STOP_TIMEOUT_S)
        for connection in connections:
            connection.close()


class ReloadTest(unittest.TestCase):
    def reload(self, server, config, words):
        """Returns the line of the log that says how it went."""
        server.config.write_text(config)
        known = server.stderr().count("\n")
        server.send(signal.SIGHUP)

        def find():
            lines = server.stderr().splitlines()[known:]
            return next((line for line in lines if words in line), None)
        return wait_for(find, words)

    def test_a_good_file_changes_the_collectors(self):
        server = Server(self, config="collect: {interval: 1h}\n").start()
        self.reload(server, EVERY_SECOND, "settings reloaded")
        wait_for(lambda: len(server.values(PERCENTS[0], step=1)) >= SAMPLES_WANTED, "samples")
        line = self.reload(server, "collect: {interval: 1s, sources: {cpu: {disabled: yes}}}\n",
                           "settings reloaded")
        self.assertNotIn("restart", line)
        wait_for(lambda: len(server.values("node_load1", step=1)) > 8, "samples of load")
        loads = server.values("node_load1", step=1)
        cpus = server.values(PERCENTS[0], step=1)
        self.assertLess(len(cpus), len(loads))
        self.assertEqual(server.stop()[0], 0)

    def test_what_needs_a_restart_is_said(self):
        server = Server(self, config=EVERY_SECOND).start()
        line = self.reload(server, EVERY_SECOND + "storage: {retention: 7d}\n", "settings reloaded")
        self.assertIn("need a restart", line)

    def test_a_bad_file_changes_nothing(self):
        server = Server(self, config=EVERY_SECOND).start()
        for config, words in (("collect: {intervall: 1s}\n", 'did you mean "interval"?'),
                              ("collect: {sources: {cpuu: {interval: 1s}}}\n", "cpuu"),
                              ("listen: 0.0.0.0:1\n", "")):
            if words:
                line = self.reload(server, config, "reload failed, the old settings stay: ")
                self.assertIn(words, line)
            else:  # --listen of the command line wins over it: not an error
                self.reload(server, config, "settings reloaded")
        self.assertEqual(server.get("/readyz").status, 200)
        count = len(server.values(PERCENTS[0], step=1))
        wait_for(lambda: len(server.values(PERCENTS[0], step=1)) > count, "more samples")

    def test_many_reloads_leave_no_threads_behind(self):
        server = Server(self, config=EVERY_SECOND).start()
        tasks = f"/proc/{server.process.pid}/task"
        count = len(os.listdir(tasks))
        for _ in range(10):
            self.reload(server, EVERY_SECOND, "settings reloaded")
        self.assertEqual(len(os.listdir(tasks)), count)
        self.assertEqual(server.stop()[0], 0)


if __name__ == "__main__":
    _sonde.main()
