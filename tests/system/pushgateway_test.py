"""Pushgateway paths of the real server: what was pushed stays, also over a restart, until it goes."""

import base64
import gzip
import unittest

import _sonde
from _sonde import Server, wait_for

CONFIG = "pushgateway: {interval: 1s}\ncollect: {interval: 1h}\n"


class PushgatewayTest(unittest.TestCase):
    def setUp(self):
        self.server = Server(self, config=CONFIG).start()

    def push(self, method, path, page=None, headers=None):
        body = page.encode() if isinstance(page, str) else page
        return self.server.request(method, "/metrics/job" + path, body, headers)

    def query(self, text):
        """{labels without the name: value} now."""
        reply = self.server.get("/api/v1/query?query=" + _sonde.urllib.parse.quote(text))
        self.assertEqual(reply.status, 200, reply.body)
        return {tuple(sorted((k, v) for k, v in one["metric"].items() if k != "__name__")):
                float(one["value"][1]) for one in reply.json()["data"]["result"]}

    def test_a_job_is_shown_until_it_is_deleted(self):
        page = "# TYPE rows_total counter\nrows_total 7\nseconds{step=\"a\"} 1.5\n"
        self.assertEqual(self.push("PUT", "/nightly/instance/db1", page).status, 200)
        labels = (("instance", "db1"), ("job", "nightly"))
        self.assertEqual(self.query("rows_total"), {labels: 7})
        self.assertEqual(self.push("POST", "/nightly/instance/db1", "rows_total 8\n").status, 200)
        self.assertEqual(self.query("rows_total"), {labels: 8})
        self.assertEqual(self.query("seconds"), {labels + (("step", "a"),): 1.5})
        age = self.query("time() - push_time_seconds")[labels]
        self.assertTrue(-1 <= age < 60, age)
        # Sampled again and again, also after a restart.
        wait_for(lambda: self.query("count_over_time(rows_total[1m])")[labels] >= 4, "samples")
        self.assertEqual(self.server.stop()[0], 0)
        self.server.start()
        before = self.query("count_over_time(rows_total[1m])")[labels]
        wait_for(lambda: self.query("count_over_time(rows_total[1m])")[labels] > before, "samples")
        self.assertEqual(self.push("DELETE", "/nightly/instance/db1").status, 202)
        wait_for(lambda: not self.query("rows_total or seconds or push_time_seconds"), "stale")
        self.assertEqual(self.query("last_over_time(rows_total[5m])"), {labels: 8})

    def test_labels_in_base64_and_gzip(self):
        name = base64.urlsafe_b64encode("a/b ä".encode()).decode().rstrip("=")
        reply = self.push("PUT", f"@base64/{name}", gzip.compress(b"packed 1\n"),
                          {"Content-Encoding": "gzip"})
        self.assertEqual(reply.status, 200, reply.body)
        self.assertEqual(self.query("packed"), {(("job", "a/b ä"),): 1})

    def test_what_is_wrong_is_refused_and_noted(self):
        self.assertEqual(self.push("PUT", "/x", "a 1\n").status, 200)
        for page in ("a 1 1700000000000\n", "a{ 1\n", "a 1\na 2\n"):
            reply = self.push("PUT", "/x", page)
            self.assertEqual(reply.status, 400)
            self.assertIn("line", reply.error())
        self.assertEqual(self.query("a"), {(("job", "x"),): 1})
        self.assertTrue(self.query("push_failure_time_seconds > push_time_seconds - 1"))
        self.assertEqual(self.push("PUT", "/x/odd", "a 1\n").status, 400)


if __name__ == "__main__":
    _sonde.main()
