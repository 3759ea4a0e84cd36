"""The first increment of a new counter is not lost: libsonde tells when it began, the server asks that.

A program is scraped, or pushes; then it makes a counter, increments it once, and is scraped again. The
only value that is ever seen is 1, and increase() is 1.
"""

import subprocess
import unittest
import urllib.parse

import _sonde
from _sonde import Server


class Birth:
    """Subclasses start `server` and `host`."""

    name = ""

    @classmethod
    def start_host(cls, *command):
        cls.host = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        cls.addClassCleanup(cls.stop_host)
        return int(cls.host.stdout.readline())

    @classmethod
    def stop_host(cls):
        cls.host.kill()
        cls.host.wait()
        cls.host.stdin.close()
        cls.host.stdout.close()

    def ask(self, query):
        reply = self.server.get("/api/v1/query?" + urllib.parse.urlencode({"query": query}))
        self.assertEqual(reply.status, 200, reply.body)
        return [float(one["value"][1]) for one in reply.json()["data"]["result"]]

    def test_the_first_increment_is_an_increase(self):
        _sonde.wait_for(lambda: self.ask("jobs_total == 42"), "a first page")
        self.assertEqual(self.ask("births_total"), [])
        self.host.stdin.write(b"\n")
        self.host.stdin.flush()
        _sonde.wait_for(lambda: self.ask("births_total"), "the new counter")
        seen = _sonde.wait_for(lambda: self.ask("increase(births_total[1m])"), "an increase")
        self.assertEqual(self.ask("births_total"), [1])
        print(self.name, "increase:", seen)
        self.assertEqual(len(seen), 1)
        self.assertAlmostEqual(seen[0], 1, delta=0.001)


class Scraped(Birth):
    @classmethod
    def setUpClass(cls):
        folder = _sonde.temporary_directory(cls)
        port = cls.start_host(_sonde.compile_host(folder))
        config = ("scrape_configs:\n  - job_name: host\n    scrape_interval: 1s\n"
                  f"    scrape_protocols: [{cls.name}]\n"
                  f"    static_configs:\n      - targets: ['127.0.0.1:{port}']\n")
        (folder / "check.yml").write_text(config)
        if _sonde.run("check-config", folder / "check.yml").returncode != 0:
            raise unittest.SkipTest("this server does not scrape")
        cls.server = Server(cls, config=config).start()


class OpenMetrics(Scraped, unittest.TestCase):
    name = "OpenMetricsText1.0.0"


class Protobuf(Scraped, unittest.TestCase):
    name = "PrometheusProto"


class Pushed(Birth, unittest.TestCase):
    name = "push"

    @classmethod
    def setUpClass(cls):
        program = _sonde.compile_host(_sonde.temporary_directory(cls))
        cls.server = Server(cls).start()
        cls.start_host(program, f"http://127.0.0.1:{cls.server.port}")


if __name__ == "__main__":
    _sonde.main()
