"""The OpenAPI document against a live server: every operation answers as it says, to whom it says."""

import json
import re
import unittest

import _openapi
import _sonde

# Asked last, for they end what others need.
LAST = ("POST /api/auth/logout", "POST /api/auth/password")


def order(operation):
    """Writers before readers, and what removes after what uses."""
    rank = ("POST", "PUT", "PATCH", "GET", "DELETE").index(operation.method)
    return (operation.name in LAST, rank, operation.name)


class Answers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server, cls.tokens = _openapi.start_with_accounts(cls)
        cls.document = _openapi.fetch(cls.server, cls.tokens["all"])
        cls.examples = dict(_openapi.EXAMPLES)

    def ask(self, operation, example, headers=None):
        reply = _openapi.send(self.server, operation, example, headers or self.tokens["all"])
        problems = self.document.check_answer(operation, reply)
        self.assertFalse(problems, f"{operation.name}: {reply.body[:2000]}")
        return reply

    def prepare(self):
        """What operations need that is not the same in every run."""
        example = _openapi.Example
        record = self.server.request("POST", "/api/v1/metrics", json.dumps(_openapi.RECORD),
                                     self.tokens["ingest"]).json()
        users = "/api/v1/admin/users"
        numbers = []
        for name in ("ann", "bob"):
            reply = self.server.request("POST", users, json.dumps(
                {"name": name, "password": _openapi.PASSWORD, "role": "user"}), self.tokens["admin"])
            numbers.append(int(reply.json()["data"]["id"]))
        token = self.server.request("POST", "/api/v1/admin/tokens", json.dumps(
            {"name": "t", "scopes": "read", "user": "ann"}), self.tokens["all"]).json()["data"]
        snapshot = self.server.request("POST", "/api/v1/admin/tsdb/snapshot", b"",
                                       self.tokens["admin"]).json()["data"]
        self.server.push("sonde_operations_total{service=\"timeline\",operation=\"o\","
                         "outcome=\"ok\"} 1\nsonde_cache_hits_total{service=\"timeline\","
                         "cache=\"c\"} 1\nsonde_memory_bytes{service=\"timeline\"} 1\n",
                         headers=self.tokens["ingest"])
        asset = re.search(r'assets/([^"]+)"', self.server.get("/").body.decode()).group(1)
        login = {"name": "ann", "password": _openapi.PASSWORD}
        self.examples.update({
            "GET /assets/{name}": [example({"name": asset})],
            "GET /api/v1/metrics/{id}": [example({"id": record["id"]})],
            "POST /api/auth/login": [example(body=login)],
            "POST /api/v1/admin/users": [example(body={**login, "name": "carl", "role": "admin"})],
            "PATCH /api/v1/admin/users/{id}": [example({"id": str(numbers[1])},
                                                       body={"role": "admin"})],
            "DELETE /api/v1/admin/users/{id}": [example({"id": str(numbers[1])})],
            "POST /api/v1/admin/tokens": [example(body={"name": "u", "scopes": "read"})],
            "DELETE /api/v1/admin/tokens/{id}": [example({"id": str(int(token["id"]))})],
            "POST /api/v1/admin/tsdb/delete_snapshot": [example(query={"name": snapshot["name"]})],
        })

    def session(self):
        reply = self.server.request("POST", "/api/auth/login", json.dumps(
            {"name": "ann", "password": _openapi.PASSWORD}))
        self.assertEqual(reply.status, 200, reply.body)
        return _openapi.bearer(reply.json()["data"]["token"])

    def test_every_operation_answers_as_described(self):
        self.prepare()
        for operation in sorted(self.document.operations, key=order):
            with self.subTest(operation.name):
                self.answer(operation)

    def answer(self, operation):
        wanted = [int(code) for code in operation.spec["responses"] if code != "default"]
        headers = None
        if operation.name in LAST:
            headers = self.session()
            body = {"password": _openapi.PASSWORD, "new_password": "another horse"}
            self.examples["POST /api/auth/password"] = [_openapi.Example(body=body)]
        if operation.name == "POST /api/auth/setup":  # there is an administrator
            body = {"code": "x", "name": "boss", "password": _openapi.PASSWORD}
            self.assertEqual(self.ask(operation, _openapi.Example(body=body)).status, 401)
            return
        for example in self.examples.get(operation.name, [_openapi.Example()]):
            reply = self.ask(operation, example, headers)
            self.assertIn(reply.status, wanted, f"{operation.name}: {reply.body[:500]}\n"
                          "a new operation needs an example in tests/system/_openapi.py")

    def test_mistakes_are_answered_as_described(self):
        for operation in self.document.operations:
            for example in (_openapi.Example(query={"limit": "x", "nonsense": "\u0000"}, body=b"[{"),
                            _openapi.Example({"id": "0", "app": "%00"}, body=b"\xff")):
                if operation.name in LAST:
                    continue
                with self.subTest(operation.name):
                    reply = self.ask(operation, example)
                    self.assertLess(reply.status, 500, reply.body)

    def test_the_document_is_whole(self):
        names = [one.spec["operationId"] for one in self.document.operations]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(self.document.document["openapi"], "3.1.0")
        used = set()

        def walk(value):
            if isinstance(value, dict):
                if isinstance(value.get("$ref"), str):
                    used.add(value["$ref"])
                for one in value.values():
                    walk(one)
            elif isinstance(value, list):
                for one in value:
                    walk(one)
        walk(self.document.document)
        for reference in used:
            self.assertIn(reference.rsplit("/", 1)[1], {**self.document.schemas, "Error": 1})
        self.assertEqual(set(self.document.schemas) - {one.rsplit("/", 1)[1] for one in used},
                         set(), "schemas that nothing uses")


class Roles(unittest.TestCase):
    def test_every_operation_is_for_its_role_alone(self):
        server, tokens = _openapi.start_with_accounts(self)
        document = _openapi.fetch(server, tokens["all"])
        for operation in document.operations:
            example = _openapi.Example({"id": "999999", "app": "a", "kind": "b"}, body=b"{")

            def ask(headers):
                reply = _openapi.send(server, operation, example, headers)
                problems = document.check_answer(operation, reply)
                self.assertFalse(problems, f"{operation.name}: {reply.status} {reply.body[:500]}")
                return reply.status

            with self.subTest(operation.name):
                forged = ask(_openapi.bearer("sns_" + "A" * 43))
                if operation.role == "public":
                    self.assertNotIn(forged, (403, 404, 405))
                    continue
                self.assertEqual(ask({}), 401)
                self.assertEqual(forged, 401)
                for role in ("ingest", "read", "admin"):
                    if role == operation.role:
                        self.assertNotIn(ask(tokens[role]), (401, 403, 405))
                    else:
                        self.assertEqual(ask(tokens[role]), 403, role)


if __name__ == "__main__":
    _sonde.main()
