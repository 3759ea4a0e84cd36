"""Limits of labels from the configuration, by every way in."""

import json
import re
import socket
import unittest

import _sonde
from _sonde import Server, wait_for
from remote_write_test import TYPE_1, TYPE_2, WRITE, request_1, request_2, snappy
from scrape_test import Pages, answer, job

LONG = "x" * 129
WORDS = 'value of label "long" has 129 bytes, the limit is 128'


class LabelLimits(unittest.TestCase):
    def start(self, more="", limits="label_value_size_max: 128, labels_max: 16"):
        self.server = Server(self, config=(
            f"storage: {{{limits}}}\ncollect: {{interval: 1h}}\n{more}")).start()
        self.now_ms = _sonde.now_ms()

    def rejected(self):
        page = self.server.get("/metrics").body.decode()
        return float(re.search(r'^sonde_rejected_samples_total{reason="label_limit"} (\S+)$', page,
                               re.MULTILINE).group(1))

    def assert_one(self, name):
        """Of the two series of a name only the short one is there, and one sample is counted."""
        found = self.server.get(f"/api/v1/series?match[]={name}").json()["data"]
        self.assertEqual([labels.get("long") for labels in found], ["y" * 128], name)

    def test_text_names_what_is_too_long(self):
        self.start()
        reply = self.server.push(f'm{{long="{LONG}"}} 1\nm{{long="{"y" * 128}"}} 1\n')
        self.assertEqual(reply.status, 200)
        self.assertEqual(reply.json()["data"]["rejected"], {"label_limit": 1})
        self.assertIn(WORDS, reply.json()["data"]["first_reject"])
        self.assert_one("m")
        reply = self.server.push("".join(
            f"many{{{','.join(f'l{i}=%s' % json.dumps('v') for i in range(count))}}} 1\n"
            for count in (15, 16)))
        self.assertEqual(reply.json()["data"]["accepted"], 1)
        self.assertIn("a series has 17 labels, the limit is 16",
                      reply.json()["data"]["first_reject"])
        self.assertEqual(self.rejected(), 2)

    def test_names_and_all_together_have_a_limit(self):
        self.start(limits="label_name_size_max: 32, labels_size_max: 1KiB")
        reply = self.server.push(f'm{{{"n" * 33}="v"}} 1\nm{{{"n" * 32}="v"}} 1\n'
                                 f'm{{a="{LONG * 4}",b="{LONG * 4}"}} 1\n')
        self.assertEqual(reply.json()["data"]["accepted"], 1)
        self.assertEqual(reply.json()["data"]["rejected"], {"label_limit": 2})
        self.assertIn("has 33 bytes, the limit is 32", reply.json()["data"]["first_reject"])

    def test_remote_write_and_import(self):
        self.start()
        for name, encode, headers in (("rw1", request_1, TYPE_1), ("rw2", request_2, TYPE_2)):
            body = encode(({"__name__": name, "long": LONG}, [(1.0, self.now_ms)]),
                          ({"__name__": name, "long": "y" * 128}, [(1.0, self.now_ms)]))
            reply = self.server.request("POST", WRITE, snappy(body), headers)
            self.assertEqual(reply.status, 400)
            self.assertIn(WORDS, reply.json()["error"])
            self.assert_one(name)
        body = "".join(json.dumps({"metric": {"__name__": "lines", "long": text}, "values": [1],
                                   "timestamps": [self.now_ms]}) + "\n"
                       for text in (LONG, "y" * 128))
        reply = self.server.request("POST", "/api/v1/import?format=jsonl", body)
        self.assertIn(WORDS, reply.json()["data"]["first_reject"])
        self.assertEqual(reply.json()["data"]["rejected"], {"label_limit": 1})
        self.assert_one("lines")
        self.assertEqual(self.rejected(), 3)
        self.assertEqual(
            self.server.metric('sonde_ingested_samples_total{protocol="json_lines"}'), 1)

    def test_otlp(self):
        self.start()
        points = [{"asDouble": 1, "timeUnixNano": str(self.now_ms * 1_000_000),
                   "attributes": [{"key": "long", "value": {"stringValue": text}}]}
                  for text in (LONG, "y" * 128)]
        body = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [
            {"name": "otlp", "gauge": {"dataPoints": points}}]}]}]}
        reply = self.server.request("POST", "/v1/metrics", json.dumps(body),
                                    {"Content-Type": "application/json"})
        self.assertEqual(reply.status, 200, reply.body)
        partial = reply.json()["partialSuccess"]
        self.assertEqual(int(partial["rejectedDataPoints"]), 1)
        self.assertIn(WORDS, partial["errorMessage"])
        self.assert_one("otlp")
        self.assertEqual(self.rejected(), 1)

    def test_what_the_server_samples_itself(self):
        page = f'paged{{long="{LONG}"}} 1\npaged{{long="{"y" * 128}"}} 1\n'.encode()
        pages = Pages(self, {"/metrics": answer(page)})
        path = _sonde.temporary_directory(self) / "statsd.socket"
        self.start(f"pushgateway: {{interval: 1s}}\nstatsd: {{socket: '{path}', "
                   f"flush_interval: 200ms}}\nscrape_configs:\n{job('p', pages.address)}")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            client.connect(str(path))
            client.send(f"dogs:1|g|#long:{LONG}\ndogs:1|g|#long:{'y' * 128}".encode())
        reply = self.server.request("PUT", "/metrics/job/pushed", page.replace(b"paged", b"pushed"))
        self.assertEqual(reply.status, 200, reply.body)
        for name in ("paged", "dogs", "pushed"):
            wait_for(lambda wanted=name: self.server.get(
                f"/api/v1/series?match[]={wanted}").json()["data"], name)
            self.assert_one(name)
        wait_for(lambda: self.rejected() >= 3, "three rejects")


if __name__ == "__main__":
    _sonde.main()
