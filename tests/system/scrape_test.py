"""Scraping: bad targets, discovery, reload, TLS and credentials, and Debian's node_exporter."""

import gzip
import http.server
import json
import os
import shutil
import ssl
import subprocess
import sys
import threading
import time
import unittest
import urllib.parse

import _sonde

TEXT = "text/plain; version=0.0.4; charset=utf-8"
PAGE = b"# TYPE good_total counter\ngood_total 7\n"
PROMETHEUS, NODE_EXPORTER = shutil.which("prometheus"), shutil.which("prometheus-node-exporter")


class Pages:
    """A web server whose paths are functions of a request handler."""

    def __init__(self, test, paths, context=None):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                path = urllib.parse.urlsplit(self.path).path
                try:
                    paths[path](self)
                except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
                    self.close_connection = True

            def log_message(self, *arguments):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request, client_address):
                pass

        self.server = Quiet(("127.0.0.1", 0), Handler)
        if context is not None:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        test.addCleanup(self.server.server_close)
        test.addCleanup(self.server.shutdown)
        self.address = f"127.0.0.1:{self.server.server_address[1]}"


def answer(body, content_type=TEXT, status=200, headers=(), length=None):
    def function(handler):
        handler.send_response(status)
        if content_type:
            handler.send_header("Content-Type", content_type)
        for name, value in headers:
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        handler.end_headers()
        handler.wfile.write(body)
        if length is not None:
            handler.close_connection = True
    return function


def hang(handler):
    time.sleep(30)
    handler.close_connection = True


def drip(handler):
    handler.send_response(200)
    handler.send_header("Content-Type", TEXT)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    for _ in range(300):
        handler.wfile.write(b"#")
        time.sleep(0.1)
    handler.close_connection = True


def huge(handler):
    handler.send_response(200)
    handler.send_header("Content-Type", TEXT)
    handler.send_header("Connection", "close")
    handler.end_headers()
    line = b"# " + b"x" * 65536 + b"\n"
    for _ in range(200):
        handler.wfile.write(line)
    handler.close_connection = True


def again(handler):
    handler.send_response(302)
    handler.send_header("Location", "/loop")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


BOMB = gzip.compress(b"# " + b"x" * 50_000_000 + b"\n", 9)
# path: (handler, words in its error)
BAD = {
    "/hang": (hang, "imed out"),
    "/drip": (drip, "imed out"),
    "/huge": (huge, "more than"),
    "/bomb": (answer(BOMB, headers=[("Content-Encoding", "gzip")]), "more than"),
    "/garbage": (answer(os.urandom(4096)), "line 1"),
    "/type": (answer(b'{"a":1}', "application/json"), "unsupported Content-Type"),
    "/untyped": (answer(PAGE, None), "blank Content-Type"),
    "/missing": (answer(b"no", status=404), "404"),
    "/loop": (again, "redirects"),
    "/cut": (answer(PAGE, length=1000), "transfer closed"),
    "/half": (answer(gzip.compress(PAGE * 100)[:40], headers=[("Content-Encoding", "gzip")]),
              "gzip"),
    "/syntax": (answer(PAGE + b"bad{ 1\n"), "line 3"),
}


def job(name, address, more="", interval="500ms"):
    return (f"- job_name: {name}\n  scrape_interval: {interval}\n  scrape_timeout: {interval}\n"
            f"  body_size_limit: 1MB\n{more}  static_configs: [{{targets: ['{address}']}}]\n")


class Scrape(unittest.TestCase):
    def server(self, config):
        return _sonde.Server(self, config=config).start()

    def vector(self, server, query):
        reply = server.get("/api/v1/query?" + urllib.parse.urlencode({"query": query}))
        self.assertEqual(reply.status, 200, reply.body)
        return json.loads(reply.body)["data"]["result"]

    def value(self, server, query):
        rows = self.vector(server, query)
        return float(rows[0]["value"][1]) if rows else None

    def wait_value(self, server, query, value):
        _sonde.wait_for(lambda: self.value(server, query) == value, f"{query} == {value}")

    def targets(self, server):
        data = json.loads(server.get("/api/v1/targets").body)["data"]
        return {t["scrapePool"]: t for t in data["activeTargets"]}

    def wait_error(self, server, pool, words):
        """A target is down, and says why; a busy machine may let it time out first."""
        def is_said():
            target = self.targets(server)[pool]
            return target["health"] == "down" and words in target["lastError"]
        _sonde.wait_for(is_said, f"{pool}: {words}")

    def test_bad_targets_are_down_with_a_reason_and_delay_no_other(self):
        pages = Pages(self, {"/good": answer(PAGE), **{p: f for p, (f, _) in BAD.items()}})
        names = {path: path[1:] for path in BAD}
        config = "scrape_configs:\n" + job("good", pages.address, "  metrics_path: /good\n",
                                           "1s")
        for path, name in names.items():
            config += job(name, pages.address, f"  metrics_path: {path}\n", "1s")
        server = self.server(config)
        self.wait_value(server, 'up{job="good"}', 1)
        for path, (_, words) in BAD.items():
            self.wait_error(server, names[path], words)
            self.wait_value(server, f'up{{job="{names[path]}"}}', 0)
        # The good one kept its pace beside those that hang.
        _sonde.wait_for(lambda: (self.value(server, 'count_over_time(up{job="good"}[1m])') or 0) >= 3,
                        "three scrapes of the good target")
        self.wait_value(server, 'up{job="good"}', 1)
        self.assertEqual(self.vector(server, 'good_total{job!="good"}'), [])

    def test_scrape_list_shows_those_that_are_down_first(self):
        pages = Pages(self, {"/good": answer(PAGE), "/bad": answer(b"no", status=503)})
        server = self.server("scrape_configs:\n" + job("good", pages.address, "  metrics_path: /good\n")
                             + job("bad", pages.address, "  metrics_path: /bad\n"))
        self.wait_value(server, 'up{job="good"}', 1)
        self.wait_value(server, 'up{job="bad"}', 0)
        url = f"http://127.0.0.1:{server.port}"
        done = _sonde.run("scrape", "list", "--url", url)
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = [line.split() for line in done.stdout.splitlines()]
        self.assertEqual([row[:2] for row in rows[1:3]], [["down", "bad"], ["up", "good"]])
        self.assertIn("503", done.stdout.splitlines()[1])
        self.assertEqual(done.stdout.splitlines()[-1], "2 targets, 1 down")
        done = _sonde.run("scrape", "list", "--down", "--url", url)
        self.assertEqual(done.returncode, 1)
        self.assertNotIn("good", done.stdout)
        done = _sonde.run("scrape", "list", "--json", "--url", url)
        self.assertEqual(len(json.loads(done.stdout)["data"]["activeTargets"]), 2)

    def test_external_labels_are_on_the_page_for_federation(self):
        server = self.server("global: {external_labels: {zone: '${SONDE_TEST_NONE}eu'}}\n")
        self.assertEqual(server.push("room 1\n").status, 200)
        page = server.get("/federate?match[]=room").body.decode()
        self.assertIn('room{zone="eu",instance=""} 1 ', page)

    def test_odd_samples_do_not_spoil_a_page(self):
        now = int(time.time() * 1000)
        page = (f"twice 1\ntwice 2\nold 1 5\nfar 1 {now + 10**12}\nfine{{}} 3\n"
                f"# TYPE h histogram\nh_bucket{{le=\"1\"}} 1\nh_bucket{{le=\"+Inf\"}} 1\n").encode()
        pages = Pages(self, {"/metrics": answer(page)})
        server = self.server("scrape_configs:\n" + job("odd", pages.address))
        self.wait_value(server, 'up{job="odd"}', 1)
        self.assertEqual(self.value(server, "fine"), 3)
        self.assertIn(self.value(server, "twice"), (1, 2))
        self.assertEqual(self.vector(server, "old"), [])
        self.assertEqual(self.value(server, "count(h_bucket{le='1.0'})"), 1)

    def test_files_and_urls_of_targets_are_followed(self):
        pages = Pages(self, {"/metrics": answer(PAGE)})
        lists = Pages(self, {"/sd": answer(json.dumps(
            [{"targets": [pages.address], "labels": {"from": "url"}}]).encode(),
            "application/json")})
        directory = _sonde.temporary_directory(self)
        listed = directory / "targets.yml"
        listed.write_text(f"- targets: ['{pages.address}']\n  labels: {{from: file}}\n")
        server = self.server(
            "scrape_configs:\n- job_name: found\n  scrape_interval: 500ms\n"
            f"  file_sd_configs: [{{files: ['{directory}/*.yml']}}]\n"
            f"  http_sd_configs: [{{url: 'http://{lists.address}/sd', refresh_interval: 1s}}]\n"
            "  relabel_configs:\n  - {source_labels: [__meta_filepath], regex: '.*/(.*)',"
            " target_label: file}\n")
        self.wait_value(server, 'up{from="url"}', 1)
        self.wait_value(server, 'up{from="file",file="targets.yml"}', 1)
        listed.write_text("[]\n")
        _sonde.wait_for(lambda: not self.vector(server, 'up{from="file"}'), "the target goes")
        _sonde.wait_for(lambda: not self.vector(server, 'good_total{from="file"}'), "its series go")
        self.assertEqual(self.value(server, 'good_total{from="url"}'), 7)

    def test_a_reload_takes_what_the_file_says_now(self):
        pages = Pages(self, {"/metrics": answer(PAGE)})
        server = self.server("scrape_configs:\n" + job("first", pages.address))
        self.wait_value(server, 'up{job="first"}', 1)
        server.config.write_text("scrape_configs:\n" + job("second", pages.address))
        self.assertEqual(server.request("POST", "/-/reload").status, 200)
        self.wait_value(server, 'up{job="second"}', 1)
        _sonde.wait_for(lambda: not self.vector(server, 'up{job="first"}'), "the first job goes")
        server.config.write_text("scrape_configs: [{job_nam: x}]\n")
        reply = server.request("POST", "/-/reload")
        self.assertEqual(reply.status, 400)
        self.assertIn("did you mean", reply.error())
        self.assertEqual(list(self.targets(server)), ["second"])

    def test_tls_and_credentials(self):
        if shutil.which("openssl") is None:
            self.skipTest("no openssl to make a certificate")
        directory = _sonde.temporary_directory(self)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                        "/CN=target.test", "-addext", "subjectAltName=DNS:target.test",
                        "-keyout", "key.pem", "-out", "cert.pem"],
                       cwd=directory, check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(directory / "cert.pem", directory / "key.pem")

        def guarded(handler):
            is_known = handler.headers.get("Authorization") in (
                "Basic dXM6aHVzaA==", "Bearer sesame")
            (answer(PAGE) if is_known else answer(b"who?", status=401))(handler)
        pages = Pages(self, {"/metrics": guarded}, context)
        (directory / "password").write_text("hush\n")
        tls = (f"  scheme: https\n  tls_config: {{ca_file: {directory}/cert.pem, "
               "server_name: target.test}\n")
        basic = f"  basic_auth: {{username: us, password_file: {directory}/password}}\n"
        server = self.server(
            "scrape_configs:\n" + job("basic", pages.address, tls + basic) +
            job("bearer", pages.address, tls + "  authorization: {credentials: sesame}\n") +
            job("nobody", pages.address, tls) +
            job("untrusted", pages.address, "  scheme: https\n" + basic) +
            job("trusting", pages.address,
                "  scheme: https\n  tls_config: {insecure_skip_verify: true}\n" + basic))
        for name, is_up in (("basic", 1), ("bearer", 1), ("nobody", 0), ("untrusted", 0),
                            ("trusting", 1)):
            self.wait_value(server, f'up{{job="{name}"}}', is_up)
        self.wait_error(server, "nobody", "401")
        self.wait_error(server, "untrusted", "certificate")

    def test_check_config_reads_prometheus_files(self):
        directory = _sonde.temporary_directory(self)
        path = directory / "prometheus.yml"
        path.write_text("global: {scrape_interval: 15s}\nalerting: {}\nscrape_configs:\n" +
                        job("a", "b:1"))
        done = _sonde.run("check-config", path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("warning", done.stdout)
        path.write_text("scrape_configs:\n- job_name: a\n  consul_sd_configs: []\n")
        done = _sonde.run("check-config", path)
        self.assertEqual(done.returncode, 6)
        self.assertIn("prometheus.yml:3:3: consul_sd_configs is not supported", done.stderr)

    @unittest.skipIf(_sonde.IS_SLOW_BUILD, "once is enough")
    @unittest.skipUnless(PROMETHEUS and NODE_EXPORTER, "no prometheus or node_exporter")
    def test_node_exporter_gives_the_series_that_prometheus_has(self):
        exporter_port, peer_port = _sonde.free_port(), _sonde.free_port()
        self.spawn([NODE_EXPORTER, f"--web.listen-address=127.0.0.1:{exporter_port}"])
        config = ("global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n"
                  f"- job_name: node\n  static_configs: [{{targets: ['127.0.0.1:{exporter_port}']}}]\n"
                  "  metric_relabel_configs: [{source_labels: [__name__], regex: 'go_.*',"
                  " action: drop}]\n")
        directory = _sonde.temporary_directory(self)
        (directory / "prometheus.yml").write_text(config)
        self.spawn([PROMETHEUS, f"--config.file={directory}/prometheus.yml",
                    f"--storage.tsdb.path={directory}/tsdb",
                    f"--web.listen-address=127.0.0.1:{peer_port}"])
        server = self.server(config)
        peer = Peer(peer_port)
        self.wait_value(server, 'up{job="node"}', 1)
        _sonde.wait_for(lambda: peer.ask('up{job="node"} == 1'), "prometheus scrapes")
        _sonde.wait_for(lambda: self.names(self.vector(server, '{job="node"}')) ==
                        self.names(peer.ask('{job="node"}')), "the same series")
        self.assertGreater(len(self.vector(server, '{job="node"}')), 200)

    @staticmethod
    def names(rows):
        # Host series of our own collectors have the same job and another instance.
        return {tuple(sorted(r["metric"].items())) for r in rows
                if r["metric"].get("instance", "").startswith("127.0.0.1:") and
                not r["metric"]["__name__"].startswith("node_scrape")}

    def spawn(self, arguments):
        process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait, 20)
        self.addCleanup(process.kill)
        return process


class Peer:
    def __init__(self, port):
        self.port = port

    def ask(self, query):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", "/api/v1/query?" + urllib.parse.urlencode({"query": query}))
            return json.loads(connection.getresponse().read())["data"]["result"]
        except (OSError, ValueError, KeyError):
            return []
        finally:
            connection.close()


if __name__ == "__main__":
    _sonde.main()
