"""StatsD and DogStatsD into the real server, over UDP and a unix socket."""

import re
import socket
import unittest

import _sonde
from _sonde import Server, wait_for


class StatsdTest(unittest.TestCase):
    def setUp(self):
        directory = _sonde.temporary_directory(self)
        self.path = directory / "statsd.socket"
        self.server = Server(self, directory, config=(
            f"statsd: {{listen: '127.0.0.1:0', socket: '{self.path}', flush_interval: 200ms}}\n"
            "collect: {interval: 1h}\n")).start()
        found = wait_for(lambda: re.search(r"statsd.*listening on 127\.0\.0\.1:(\d+)",
                                           self.server.stderr()), "the port in the log")
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.udp.close)
        self.udp.connect(("127.0.0.1", int(found.group(1))))

    def send_unix(self, text):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            client.connect(str(self.path))
            client.send(text.encode())

    def query(self, text):
        reply = self.server.get("/api/v1/query?query=" + _sonde.urllib.parse.quote(text))
        self.assertEqual(reply.status, 200, reply.body)
        found = reply.json()["data"]["result"]
        return float(found[0]["value"][1]) if found else None

    def await_value(self, query, value):
        wait_for(lambda: self.query(query) == value, f"{query} == {value}")

    def counter(self, name):
        page = self.server.get("/metrics").body.decode()
        return float(re.search(rf"^{re.escape(name)} (\S+)$", page, re.MULTILINE).group(1))

    def test_every_type_over_both_sockets(self):
        for _ in range(10):
            self.udp.send(b"web.hits:1|c|#site:a,env:prod\nweb.hits:2|c|@0.5|#env:prod,site:a")
        self.send_unix("temp:20|g\ntemp:+2|g\nload:250:750|ms|#q:x\nusers:a:b:a|s\n")
        self.await_value('web_hits{site="a",env="prod"}', 50)
        self.await_value("temp", 22)
        self.await_value('load_count{q="x"}', 2)
        self.await_value('load_sum{q="x"}', 1)
        self.await_value("max_over_time(users[1m])", 2)
        self.await_value('abs(max_over_time(load{quantile="0.99"}[1m]) - 0.75) < bool 0.01', 1)
        reply = self.server.get("/api/v1/metadata?metric=web_hits")
        self.assertEqual(reply.json()["data"]["web_hits"][0]["type"], "counter")

    def test_what_cannot_be_used_is_counted_and_named_in_the_log(self):
        self.udp.send(b"good:1|c\nnonsense\n_e{1,1}:a|b\n_sc|x|0\ngood:x|c\n")
        self.await_value("good", 1)
        wait_for(lambda: self.counter("sonde_statsd_lines_total") == 5, "lines")
        name = "sonde_rejected_samples_total{reason=\"%s\"}"
        self.assertEqual(self.counter(name % "malformed"), 2)
        self.assertEqual(self.counter(name % "unsupported"), 2)
        wait_for(lambda: '"nonsense"' in self.server.stderr(), "a line in the log")

    def test_what_came_before_the_stop_is_stored(self):
        self.udp.send(b"late:1|c")
        self.await_value("late", 1)
        self.udp.send(b"late:41|c")
        self.assertEqual(self.server.stop()[0], 0)
        self.assertFalse(self.path.exists())
        self.server.start()
        self.assertEqual(self.query("last_over_time(late[5m])"), 42)


if __name__ == "__main__":
    _sonde.main()
