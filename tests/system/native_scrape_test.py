"""A real Prometheus, with native histograms switched on, scrapes a program with libsonde over protobuf."""

import json
import shutil
import subprocess
import unittest
import urllib.parse
import urllib.request

import _sonde

PROMETHEUS = shutil.which("prometheus")


class NativeScrape(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if PROMETHEUS is None:
            raise unittest.SkipTest("needs prometheus")
        cls.folder = _sonde.temporary_directory(cls)
        program = _sonde.compile_host(cls.folder)
        cls.host = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        cls.addClassCleanup(cls.stop, cls.host)
        cls.target = f"127.0.0.1:{int(cls.host.stdout.readline())}"
        cls.start_prometheus()

    @staticmethod
    def stop(process):
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()

    @classmethod
    def start_prometheus(cls):
        config = cls.folder / "prometheus.yml"
        config.write_text("global: {scrape_interval: 1s}\nscrape_configs:\n"
                          "  - job_name: host\n    static_configs:\n"
                          f"      - targets: ['{cls.target}']\n")
        for _ in range(5):  # somebody else may take the port first
            cls.port = _sonde.free_port()
            server = subprocess.Popen(
                [PROMETHEUS, f"--config.file={config}", f"--storage.tsdb.path={cls.folder}/tsdb",
                 f"--web.listen-address=127.0.0.1:{cls.port}",
                 "--enable-feature=native-histograms", "--log.level=error"])
            cls.addClassCleanup(cls.stop, server)
            _sonde.wait_for(lambda s=server: s.poll() is not None or cls.has_scraped(), "a scrape",
                            60)
            if server.poll() is None:
                return
        raise AssertionError("prometheus does not start")

    @classmethod
    def ask(cls, query):
        url = f"http://127.0.0.1:{cls.port}/api/v1/query?" + urllib.parse.urlencode({"query": query})
        with urllib.request.urlopen(url, timeout=_sonde.HTTP_TIMEOUT_S) as reply:
            return json.load(reply)["data"]["result"]

    @classmethod
    def has_scraped(cls):
        try:
            return cls.ask('up{job="host"} == 1')
        except OSError:
            return False

    def value(self, query):
        result = self.ask(query)
        self.assertEqual(len(result), 1, query)
        return float(result[0]["value"][1])

    def test_the_native_histogram_arrives(self):
        self.assertEqual(self.value("histogram_count(frame_seconds)"), 1002)
        self.assertAlmostEqual(self.value("histogram_sum(frame_seconds)"), 1e9 + 500.5, delta=1e-3)
        # 9 % wide buckets.
        for q in (0.1, 0.5, 0.9):
            self.assertAlmostEqual(self.value(f"histogram_quantile({q}, frame_seconds)"), q,
                                   delta=0.1 * q)
        self.assertAlmostEqual(self.value("histogram_fraction(0, 0.5, frame_seconds)"), 0.5, delta=0.05)
        self.assertEqual(self.ask("frame_seconds_bucket"), [])

    def test_the_rest_arrives_as_from_text(self):
        self.assertEqual(self.value("jobs_total"), 42)
        operations = "service='video',operation='render'"
        self.assertEqual(self.value(f"sonde_operations_total{{{operations},outcome='error'}}"), 1)
        self.assertEqual(
            self.value(f"sonde_operation_duration_seconds_bucket{{{operations},le='+Inf'}}"), 1)
        self.assertEqual(self.value(f"sonde_operation_duration_seconds_count{{{operations}}}"), 1)


if __name__ == "__main__":
    _sonde.main()
