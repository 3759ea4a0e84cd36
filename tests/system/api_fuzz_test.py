"""Every route, signed in, with mutated requests: no 5xx, no crash, nothing that a sanitizer tells.

Requests come from the examples and from the schemas of the OpenAPI document and are then broken: wrong
types, deep and huge values, SQL, escapes, cut and foreign bytes. The seed is printed; SONDE_FUZZ_SEED
repeats a run.
"""

import copy
import http.client
import json
import os
import random
import subprocess
import unittest
import urllib.parse

import _openapi
import _sonde

ROUNDS = 150 if _sonde.IS_LONG else 10
# What ends the session or the server's accounts, or waits for what is refused again and again.
OWN = ("/api/auth/", "/api/v1/admin/users/{id}", "/api/v1/admin/tokens/{id}")
TEXTS = ["", " ", "'; DROP TABLE record; --", "' OR '1'='1", "\" OR 1=1", "%27", "\\", "../../etc/passwd",
         "..%2f..%2f", "\u0000", "a\u0000b", "\ud7ff\u202e\U0001f600", "a" * 300, "a" * 70_000, "NaN",
         "-Inf", "1e999", "0x10", "null", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z",
         "2026-02-30T00:00:00Z", "{__name__=~\".+\"}", "((((((((((", "1h", "-1h", "99999999999y",
         "${jndi:ldap://x}", "<script>", "\r\nX-Injected: 1", "$(id)", "%s%n%p"]
NUMBERS = [0, -0.0, 1, -1, 0.5, 1e308, -1e308, 5e-324, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -2**63,
           2**64, 10**40, 1001, 253402300800, 1e15]


def deep(count, is_object):
    value = 1
    for _ in range(count):
        value = {"a": value} if is_object else [value]
    return value


class Mutator:
    def __init__(self, rng, document):
        self.rng, self.document = rng, document

    def value(self):
        """Any JSON value."""
        kind = self.rng.randrange(10)
        if kind < 4:
            return self.rng.choice(TEXTS)
        if kind < 7:
            return self.rng.choice(NUMBERS)
        return self.rng.choice([None, True, False, [], {}, [[]], deep(20, True), deep(200, False),
                                [1] * 2000, {f"k{i}": i for i in range(500)}])

    def valid(self, schema, depth=0):
        """A value that fits a schema, more or less."""
        if "$ref" in schema:
            return self.valid(self.document.schemas[schema["$ref"].rsplit("/", 1)[1]], depth)
        if "allOf" in schema:
            return self.valid(schema["allOf"][0], depth)
        if "anyOf" in schema:
            return self.valid(self.rng.choice(schema["anyOf"]), depth)
        if "const" in schema:
            return schema["const"]
        kind = schema.get("type")
        if kind == "object":
            return {name: self.valid(member, depth + 1)
                    for name, member in schema.get("properties", {"a": {"type": "string"}}).items()
                    if name in schema.get("required", []) or self.rng.random() < 0.5}
        if kind == "array":
            return [self.valid(schema.get("items") or {}, depth + 1)
                    for _ in range(self.rng.randrange(4))]
        simple = {"string": "crawler", "integer": 5, "number": 1.5, "boolean": True, "null": None}
        return simple[kind] if kind in simple and self.rng.random() < 0.8 else self.value()

    def mutate(self, value):
        """The value with one place of it changed."""
        if isinstance(value, dict) and value and self.rng.random() < 0.85:
            name = self.rng.choice(sorted(value))
            changed = dict(value)
            choice = self.rng.randrange(8)
            if choice == 0:
                del changed[name]
            elif choice == 1:
                changed[self.rng.choice(TEXTS)] = self.value()
            else:
                changed[name] = self.mutate(value[name])
            return changed
        if isinstance(value, list) and value and self.rng.random() < 0.85:
            changed = copy.deepcopy(value)
            at = self.rng.randrange(len(changed))
            changed[at] = self.mutate(changed[at])
            is_small = len(changed) < 3 and not isinstance(changed[at], (dict, list))
            return changed * self.rng.choice((1, 1, 2, 1001 if is_small else 1))
        return self.value()

    def bytes_of(self, value):
        """The JSON text of a value, sometimes broken as text."""
        text = value if isinstance(value, bytes) else json.dumps(value).encode()
        choice = self.rng.randrange(12)
        at = self.rng.randrange(len(text) + 1)
        if choice == 0:
            return text[:at]
        if choice == 1:
            return text[:at] + self.rng.randbytes(self.rng.randrange(1, 9)) + text[at:]
        if choice == 2:
            return text.replace(b"{", b'{"name":1,"name":2,', 1)
        if choice == 3:
            return self.rng.choice((b"[" * 100_000, b'{"a":' * 5000, b"\xef\xbb\xbf" + text,
                                    b'"\\ud800"', b"", b" " * 70_000, b'{"metadata":{"a":"\\u0000"}}'))
        return text

    def words(self, examples):
        """Query parameters or pieces of a path."""
        words = dict(examples)
        for name in list(words):
            if self.rng.random() < 0.4:
                words[name] = self.text()
        if self.rng.random() < 0.15:
            words[self.rng.choice(TEXTS)[:200]] = self.text()
        return words

    def text(self):
        value = self.value()
        return (value if isinstance(value, str) else json.dumps(value))[:6000]


class Fuzz(unittest.TestCase):
    def setUp(self):
        self.seed = int(os.environ.get("SONDE_FUZZ_SEED", random.randrange(2**32)))
        print(f"SONDE_FUZZ_SEED={self.seed}", flush=True)
        self.server, self.tokens = _openapi.start_with_accounts(self)
        self.document = _openapi.fetch(self.server, self.tokens["all"])
        self.mutator = Mutator(random.Random(self.seed), self.document)
        self.connection = self.server.connect()
        self.counts = {}
        self.addCleanup(lambda: self.connection.close())

    def request_of(self, operation):
        """(target, body, headers)."""
        mutator, rng = self.mutator, self.mutator.rng
        kind, schema = operation.content()
        examples = _openapi.EXAMPLES.get(operation.name, [])
        example = rng.choice(examples) if examples and rng.random() < 0.6 else None
        path = dict(example.path) if example else {
            one["name"]: "1" for one in operation.parameters("path")}
        query = dict(example.query) if example else {
            one["name"]: mutator.valid(one["schema"]) for one in operation.parameters("query")
            if one["required"] or rng.random() < 0.5}
        body = example.body if example and example.body is not None else (
            mutator.valid(schema) if schema else None)
        path = {name: urllib.parse.quote(text, safe="" if rng.random() < 0.9 else "/%")[:6000] or "x"
                for name, text in mutator.words(path).items()}
        query = urllib.parse.urlencode(
            {name: value if isinstance(value, (str, list)) else json.dumps(value)
             for name, value in mutator.words(query).items()}, doseq=True)
        headers = {**self.tokens["all"], **(example.headers if example else {})}
        if kind:
            headers["Content-Type"] = kind
        if kind == "application/x-www-form-urlencoded":
            return operation.target(path), query.encode(), headers
        target = operation.target(path) + ("?" + query if query else "")
        if body is None:
            return target, None, headers
        for _ in range(rng.randrange(3)):
            body = mutator.mutate(body) if not isinstance(body, bytes) else body
        return target, mutator.bytes_of(body), headers

    def ask(self, method, target, body, headers):
        """The status; 0: no answer, twice. Once is what happens after an answer that closes."""
        for _ in range(2):
            try:
                self.connection.request(method, target, body, headers)
                reply = _sonde.Reply(self.connection.getresponse())
                return reply.status, reply.body
            except (http.client.HTTPException, OSError):
                self.connection.close()
        try:  # a crash takes a moment to be told
            self.server.process.wait(2)
            self.fail(f"{method} {target[:500]} {(body or b'')[:2000]}\n{self.server.stderr()[-3000:]}")
        except subprocess.TimeoutExpired:
            return 0, b""

    def check(self, operation, target, body, headers):
        status, answer = self.ask(operation.method, target, body, headers)
        if status == 0:  # a body that is refused is not read: the answer may be lost with it
            self.assertGreater(len(body or b"") + len(target), 2000, (operation.name, target))
        documented = [int(code) for code in operation.spec["responses"] if code != "default"]
        if status >= 500 and status not in documented:
            self.fail(f"{operation.name}: {status} {answer[:300]}\n{target[:500]}\n"
                      f"{(body or b'')[:2000]}")
        self.counts[status // 100] = self.counts.get(status // 100, 0) + 1

    def test_no_request_breaks_the_server(self):
        # A stream that is opened does not end; its mistakes are in openapi_test.
        operations = [one for one in self.document.operations
                      if not one.path.startswith(OWN) and not one.is_endless()]
        for _ in range(ROUNDS):
            for operation in operations:
                self.check(operation, *self.request_of(operation))
        print(f"answers by class: {dict(sorted(self.counts.items()))}", flush=True)
        # Most are refused, and enough get through to the code behind.
        self.assertGreater(self.counts.get(2, 0), len(operations))
        self.assertGreater(self.counts.get(4, 0), len(operations))
        self.still_works()

    def test_accounts_take_no_harm(self):
        operations = [one for one in self.document.operations if one.path.startswith(OWN)]
        for _ in range(2 * ROUNDS):
            for operation in operations:
                target, body, headers = self.request_of(operation)
                if operation.path.endswith("{id}"):  # not those that this test needs
                    target = operation.path.replace("{id}", self.mutator.rng.choice(
                        ("0", "-1", "99", "9" * 30, "1%27", "x", "1.0", "%00")))
                self.check(operation, target, body, headers)
        reply = self.server.get("/api/auth/me", self.tokens["all"])
        self.assertEqual(reply.status, 200, reply.body)
        self.still_works()

    def still_works(self):
        headers = {**self.tokens["all"], "Content-Type": "application/json"}
        reply = self.server.request("POST", "/api/v1/metrics", json.dumps(
            {**_openapi.RECORD, "name": "afterwards"}), headers)
        self.assertEqual(reply.status, 201, reply.body)
        reply = self.server.get("/api/v1/metrics?name=afterwards", self.tokens["all"])
        self.assertGreaterEqual(reply.json()["count"], 1)
        code, _ = self.server.stop()
        self.assertEqual(code, 0, self.server.stderr())
        self.assertNotIn("Sanitizer", self.server.stderr())


if __name__ == "__main__":
    _sonde.main()
