"""Sign-in at the real binary: first administrator, sessions, tokens, roles, TLS, guessing."""

import base64
import http.client
import json
import os
import shutil
import ssl
import statistics
import subprocess
import time
import unittest

import _sonde

PASSWORD = "correct horse"
READ = "/api/v1/labels"
ADMIN = "/api/v1/admin/users"


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


class Client:
    """One server with sign-in, and what tests say to it."""

    def __init__(self, test, config="", arguments=()):
        self.server = _sonde.Server(test, config=config,
                                    arguments=["--access", "required", *arguments])

    def start(self):
        self.server.start()
        return self

    def post(self, target, document, headers=None):
        return self.server.request("POST", target, json.dumps(document).encode(), headers or {})

    def login(self, name, password=PASSWORD):
        return self.post("/api/auth/login", {"name": name, "password": password})

    def session(self, name, password=PASSWORD):
        reply = self.login(name, password)
        assert reply.status == 200, reply.body
        return reply.json()["data"]["token"]

    def admin(self, *words, text=""):
        return subprocess.run([_sonde.BINARY, "admin", *words, "--data", str(self.server.data)],
                              input=text, text=True, capture_output=True, timeout=60, check=False)

    def add(self, name, role="user"):
        done = self.admin("user", "add", name, "--role", role, text=PASSWORD + "\n")
        assert done.returncode == 0, done.stderr


class FirstMinutes(unittest.TestCase):
    def test_the_setup_code_makes_one_administrator_and_is_spent(self):
        client = Client(self).start()
        path = client.server.data / "setup-code"
        # The server says that it listens before it says where the code is.
        _sonde.wait_for(lambda: "setup-code" in client.server.stdout(), "the setup code")
        code = path.read_text().strip()
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        self.assertIn("setup-code", client.server.stdout())
        self.assertNotIn(code, client.server.stdout() + client.server.stderr())
        # Until then: health, setup, ingest from this machine; nothing else.
        self.assertEqual(client.server.get("/healthz").status, 200)
        self.assertEqual(client.server.get(READ).status, 401)
        self.assertEqual(client.server.push("early 1\n").status, 200)
        self.assertEqual(client.server.get("/api/auth/status").json()["data"],
                         {"access": "required", "has_admin": False})
        document = {"code": code, "name": "boss", "password": PASSWORD}
        reply = client.post("/api/auth/setup", document)
        self.assertEqual(reply.status, 200, reply.body)
        token = reply.json()["data"]["token"]
        self.assertEqual(client.server.get(ADMIN, bearer(token)).status, 200)
        self.assertEqual(client.post("/api/auth/setup", document).status, 401)
        # A restart keeps the session and makes no new code.
        path.unlink()
        client.server.kill()
        client.server.start()
        self.assertEqual(client.server.get(ADMIN, bearer(token)).status, 200)
        self.assertFalse(path.exists())

    def test_an_address_for_everybody_wants_an_administrator_and_tls(self):
        directory = _sonde.temporary_directory(self)

        def serve(config=""):
            (directory / "c.yml").write_text(config)
            return _sonde.run("serve", "--listen", "0.0.0.0:0", "--data", directory / "data",
                              "--config", directory / "c.yml")

        done = serve()
        self.assertEqual(done.returncode, 6)
        self.assertIn("no administrator yet", done.stderr)
        added = subprocess.run([_sonde.BINARY, "admin", "user", "add", "ann", "--role", "admin",
                                "--data", str(directory / "data")], input=PASSWORD + "\n",
                               text=True, capture_output=True, timeout=60, check=False)
        self.assertEqual(added.returncode, 0, added.stderr)
        done = serve()
        self.assertEqual(done.returncode, 6)
        self.assertIn("tls.certificate", done.stderr)
        done = serve("tls: {certificate: /nonexistent.pem, key: /nonexistent.pem}\n")
        self.assertEqual(done.returncode, 5)
        self.assertIn("/nonexistent.pem", done.stderr)


class Roles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.client = Client(cls).start()
        cls.server = cls.client.server
        cls.client.add("root", "admin")
        cls.client.add("ann")
        cls.root = cls.client.session("root")
        cls.ann = cls.client.session("ann")

    def status(self, target, token=None, method="GET", body=None):
        headers = bearer(token) if token else {}
        return self.server.request(method, target, body, headers).status

    def test_each_role_reaches_what_is_its_own(self):
        for target, nobody, user, admin in (("/healthz", 200, 200, 200), (READ, 401, 200, 200),
                                            ("/metrics", 401, 200, 200), (ADMIN, 401, 403, 200),
                                            ("/api/v1/admin/audit", 401, 403, 200)):
            self.assertEqual([self.status(target), self.status(target, self.ann),
                              self.status(target, self.root)], [nobody, user, admin], target)

    def test_an_api_token_has_its_scopes_until_it_is_revoked(self):
        done = self.client.admin("token", "add", "ci", "--user", "ann", "--scopes", "ingest")
        token = done.stdout.strip()
        self.assertEqual(done.returncode, 0, done.stderr)
        # A change by the command line is noticed within a second.
        _sonde.wait_for(lambda: self.server.push("a 1\n", headers=bearer(token)).status == 200,
                        "the token")
        self.assertEqual(self.status(READ, token), 403)
        basic = base64.b64encode(f"anybody:{token}".encode()).decode()
        self.assertEqual(
            self.server.push("b 2\n", headers={"Authorization": f"Basic {basic}"}).status, 200)
        number = self.server.get("/api/v1/admin/tokens", bearer(self.root)).json()["data"][0]["id"]
        self.assertEqual(
            self.status(f"/api/v1/admin/tokens/{int(number)}", self.root, "DELETE"), 204)
        self.assertEqual(self.server.push("a 3\n", headers=bearer(token)).status, 401)

    def test_forged_tokens_are_refused_everywhere(self):
        for token in ("", "x", self.ann[:-1], self.ann[:-1] + ("A" if self.ann[-1] != "A" else "B"),
                      "sns_" + "A" * 43, "' OR 1=1 --", "A" * 4000):
            self.assertEqual(self.status(READ, token or None), 401, token)
        self.assertEqual(self.server.push("a 1\n", headers=bearer("forged")).status, 401)

    def test_signing_out_and_changing_the_password_end_sessions(self):
        self.client.add("carl")
        one, two = self.client.session("carl"), self.client.session("carl")
        self.assertEqual(self.status("/api/auth/logout", one, "POST"), 204)
        self.assertEqual(self.status(READ, one), 401)
        self.assertEqual(self.status(READ, two), 200)
        done = self.client.admin("user", "password", "carl", text="another password\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        _sonde.wait_for(lambda: self.status(READ, two) == 401, "the end of the session")
        self.assertEqual(self.client.login("carl").status, 401)
        self.assertEqual(self.client.login("carl", "another password").status, 200)

    def test_injections_are_only_wrong_names(self):
        for text in ("'", "\"", "ann'--", "ann\u0000", "a" * 5000, "\u202e", "' UNION SELECT 1"):
            reply = self.client.login(text, "some password")
            self.assertIn(reply.status, (400, 401, 429), text)
            reply = self.client.post(ADMIN, {"name": text, "password": PASSWORD, "role": "user"},
                                     bearer(self.root))
            self.assertEqual(reply.status, 400, text)

    def test_deep_and_huge_documents_are_refused(self):
        headers = bearer(self.root)
        for body, wanted in ((b"[" * 5000, 400), (b"{" + b" " * 100_000 + b"}", 413),
                             (b'{"name":"a","name":"b"}', 400), (b"\xff\xfe", 400), (b"", 400)):
            self.assertEqual(self.server.request("POST", ADMIN, body, headers).status, wanted,
                             body[:20])

    def test_a_page_from_elsewhere_cannot_write(self):
        self.assertEqual(self.server.push("a 1\n", headers={"Origin": "http://evil.example"}).status,
                         401)
        self.assertEqual(self.server.push("a 1\n", headers={"Host": "evil.example"}).status, 401)

    def test_every_answer_says_nosniff(self):
        for target in ("/healthz", READ, "/nothing"):
            self.assertEqual(self.server.get(target).headers["X-Content-Type-Options"], "nosniff")


class Guessing(unittest.TestCase):
    def test_thousands_of_guesses_are_throttled_and_the_server_stays_quick(self):
        client = Client(self).start()
        client.add("ann")
        _sonde.wait_for(lambda: client.login("ann").status == 200, "the user")
        count = 300 if _sonde.IS_SLOW_BUILD else 10_000 if _sonde.IS_LONG else 3000
        connection = client.server.connect()
        statuses = {}
        start = time.monotonic()
        for _ in range(count):
            connection.request("POST", "/api/auth/login",
                               json.dumps({"name": "ann", "password": "wrong password"}))
            response = connection.getresponse()
            response.read()
            statuses[response.status] = statuses.get(response.status, 0) + 1
        elapsed_s = time.monotonic() - start
        connection.close()
        self.assertEqual(set(statuses), {401, 429})
        # Five are free; then the waits double from 1 s to 60 s.
        self.assertLess(statuses[401], 8 + elapsed_s)
        self.assertEqual(client.server.get("/healthz").status, 200)

    def test_an_unknown_name_takes_as_long_as_a_known_one(self):
        client = Client(self).start()
        client.add("ann")
        _sonde.wait_for(lambda: client.login("ann").status == 200, "the user")

        def seconds(name):
            start = time.monotonic()
            self.assertEqual(client.login(name, "wrong password").status, 401)
            return time.monotonic() - start

        # Two names each, so that no throttle is met.
        known = statistics.median([seconds("ann") for _ in range(2)])
        unknown = statistics.median([seconds(f"nobody{i}") for i in range(2)])
        # Without the hash an answer takes a hundredth.
        self.assertGreater(unknown, known / 10)


@unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
class Tls(unittest.TestCase):
    def test_tls_is_spoken_and_plain_text_is_not(self):
        directory = _sonde.temporary_directory(self)
        certificate, key = directory / "cert.pem", directory / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                        "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                        str(key), "-out", str(certificate)],
                       check=True, capture_output=True, timeout=60)
        client = Client(self, f"tls: {{certificate: {certificate}, key: {key}}}\n")
        client.server.tls = ssl.create_default_context(cafile=str(certificate))
        client.start()
        reply = client.server.get("/healthz")
        self.assertEqual(reply.status, 200)
        self.assertIn("max-age", reply.headers["Strict-Transport-Security"])
        self.assertEqual(client.server.push("up 1\n" * 50_000).status, 200)
        plain = http.client.HTTPConnection("127.0.0.1", client.server.port, timeout=20)
        with self.assertRaises((http.client.HTTPException, OSError)):
            plain.request("GET", "/healthz")
            plain.getresponse()
        plain.close()
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        client.server.tls = old
        with self.assertRaises((ssl.SSLError, OSError)):
            client.server.get("/healthz")

    def test_a_key_that_does_not_fit_is_named(self):
        directory = _sonde.temporary_directory(self)
        junk = directory / "junk.pem"
        junk.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        (directory / "c.yml").write_text(f"tls: {{certificate: {junk}, key: {junk}}}\n")
        done = _sonde.run("serve", "--listen", "127.0.0.1:0", "--data", directory / "data",
                          "--config", directory / "c.yml")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("TLS cannot use the certificate", done.stderr)


if __name__ == "__main__":
    assert os.environ.get("SONDE_ADMIN_PASSWORD_FILE") is None
    _sonde.main()
