"""The OpenAPI document of a server: its operations, examples of requests, a validator for answers.

The validator knows the part of JSON Schema that the document uses and refuses the rest, so that a
keyword it does not know is no keyword that it skips. Objects with `properties` and without
`additionalProperties` may have no others: an answer that grows has to be described.
"""

import json
import re
import urllib.parse

import _sonde

KEYWORDS = {"type", "format", "properties", "required", "additionalProperties", "items", "$ref",
            "prefixItems", "minItems", "anyOf", "allOf", "const", "minimum", "maximum",
            "description"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
METHODS = ("get", "post", "put", "patch", "delete")


class Operation:
    def __init__(self, method, path, spec):
        self.method, self.path, self.spec = method.upper(), path, spec
        self.name = f"{self.method} {path}"
        self.role = spec["x-role"]

    def parameters(self, where):
        return [one for one in self.spec["parameters"] if one["in"] == where]

    def is_endless(self):
        return "text/event-stream" in str(self.spec["responses"])

    def content(self):
        """(content type, schema) of the body, or (None, None)."""
        body = self.spec.get("requestBody")
        return next(((kind, one["schema"]) for kind, one in body["content"].items()), None) \
            if body else (None, None)

    def target(self, path=(), query=()):
        """The path with its names replaced, and the query."""
        values = dict(path)
        text = re.sub(r"\{(\w+)\}", lambda match: values.get(match.group(1), "x"), self.path)
        return text + ("?" + urllib.parse.urlencode(query, doseq=True) if query else "")


class Document:
    def __init__(self, document):
        self.document = document
        self.schemas = document["components"]["schemas"]
        self.operations = [Operation(method, path, item[method])
                           for path, item in document["paths"].items() for method in METHODS
                           if method in item]

    # ---- validating ----

    def problems(self, schema, value, at="$"):
        """What is wrong with a value, one sentence each."""
        unknown = set(schema) - KEYWORDS
        if unknown:
            return [f"{at}: the validator does not know {unknown}"]
        found = []
        if "$ref" in schema:
            found += self.problems(self.schemas[schema["$ref"].rsplit("/", 1)[1]], value, at)
        for part in schema.get("allOf", []):
            found += self.problems(part, value, at)
        if "anyOf" in schema:
            tried = [self.problems(part, value, at) for part in schema["anyOf"]]
            if all(tried):
                found += [f"{at}: none of {len(tried)} fits: {tried[0][0]} ... {tried[-1][0]}"]
        if "const" in schema and value != schema["const"]:
            found.append(f"{at}: {value!r} is not {schema['const']!r}")
        if "type" in schema:
            found += self._check_type(schema, value, at)
        return found

    def _check_type(self, schema, value, at):
        kind = schema["type"]
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        fits = {"string": isinstance(value, str), "boolean": isinstance(value, bool),
                "number": is_number, "integer": is_number and value == int(value),
                "null": value is None, "object": isinstance(value, dict),
                "array": isinstance(value, list)}[kind]
        if not fits:
            return [f"{at}: {json.dumps(value)[:80]} is no {kind}"]
        if kind == "object":
            return self._check_object(schema, value, at)
        if kind == "array":
            return self._check_array(schema, value, at)
        pattern = {"date-time": TIME, "uuid": UUID}.get(schema.get("format"))
        if pattern and not pattern.fullmatch(value):
            return [f"{at}: {value!r} is no {schema['format']}"]
        if value is not None and not schema.get("minimum", value) <= value <= schema.get(
                "maximum", value):
            return [f"{at}: {value} is out of range"]
        return []

    def _check_object(self, schema, value, at):
        properties = schema.get("properties", {})
        found = [f"{at}: {name} is missing" for name in schema.get("required", [])
                 if name not in value]
        more = schema.get("additionalProperties", "properties" not in schema)
        for name, member in value.items():
            if name in properties:
                found += self.problems(properties[name], member, f"{at}.{name}")
            elif isinstance(more, dict):
                found += self.problems(more, member, f"{at}.{name}")
            elif not more:
                found.append(f"{at}: {name} is not described")
        return found

    def _check_array(self, schema, value, at):
        first = schema.get("prefixItems", [])
        found = [] if len(value) >= schema.get("minItems", 0) else [f"{at}: is too short"]
        for i, item in enumerate(value):
            if i < len(first):
                found += self.problems(first[i], item, f"{at}[{i}]")
            elif schema.get("items", True) is False:
                found.append(f"{at}: has too many items")
            elif isinstance(schema.get("items"), dict):
                found += self.problems(schema["items"], item, f"{at}[{i}]")
        return found

    def check_answer(self, operation, reply):
        """What is wrong with an answer by what the document says about it."""
        answer = operation.spec["responses"].get(str(reply.status))
        if answer is None:
            answer = operation.spec["responses"]["default"]
            if "$ref" in answer:
                answer = self.document["components"]["responses"]["Error"]
        contents = answer.get("content")
        if contents is None:
            return [f"{len(reply.body)} bytes where none were described"] if reply.body else []
        kind, content = next(iter(contents.items()))
        found = reply.headers.get_content_type()
        if found != kind and kind != "*/*":
            return [f"{reply.status} has the type {found}, not {kind}"]
        return self.problems(content["schema"], json.loads(reply.body)) \
            if kind == "application/json" else []


def fetch(server, headers=None):
    reply = server.get("/api/v1/openapi.json", headers)
    assert reply.status == 200, reply.body
    return Document(json.loads(reply.body))


# ---- examples ----

PAGE = b"api_example{job=\"a\"} 1\n"
RECORD = {"metric_type": "processing_time", "name": "download", "value": 1.5, "unit": "seconds",
          "service": "crawler", "metadata": {"job": 1}, "description": "one"}
RATE = {"metric_type": "success_rate", "name": "upload", "service": "crawler", "ok": 9, "total": 10}
EVENT = {"app": "shop", "type": "order", "user_id": "u1", "duration_ms": 10.5, "quantity": 2,
         "credits": 3, "items": [{"kind": "pose", "id": "p1", "name": "One", "category": "c",
                                  "count": 2}], "metadata": {"a": [1]}}
FAILED = {"app": "shop", "type": "order", "user_id": "u2", "outcome": "error",
          "error": {"message": "FLUX API: job 7 failed", "type": "HTTPError"}}
OPERATION = {"service": "timeline"}


class Head:
    """An answer without an end, as far as its head."""

    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, b""


class Example:
    """A request that is to succeed."""

    def __init__(self, path=(), query=(), body=None, headers=()):
        self.path, self.query, self.body, self.headers = path, query, body, dict(headers)


def prom(**query):
    return [Example(query=query)]


# By operation; what is missing here has no parameters and no body.
EXAMPLES = {
    "POST /api/v1/metrics": [Example(body=RECORD), Example(body=RATE)],
    "POST /api/v1/metrics/batch": [Example(body=[RECORD, RATE]), Example(body={"metrics": []}),
                                   Example(body=[{**RECORD, "timestamp": 1_600_000_000}])],
    "GET /api/v1/metrics": [Example(), Example(query={"time_window": "1h"}),
                            Example(query={"limit": 1, "name": "upload"})],
    "POST /api/v1/metrics/queues/track": [Example(query={"queue_name": "q", "depth": 3,
                                                         "wait_time": 1.5, "service": "shop"})],
    "POST /api/v1/events": [Example(body=EVENT), Example(body=[EVENT, FAILED]),
                            Example(body={"events": [FAILED]})],
    "GET /api/v1/errors": [Example(query={"state": "any"})],
    "GET /api/v1/errors/{id}": [Example({"id": "1"})],
    "PATCH /api/v1/errors/{id}": [Example({"id": "1"}, body={"resolved": True}),
                                  Example({"id": "1"}, body={"resolved": False})],
    "GET /api/apps/{app}/health": [Example({"app": "shop"})],
    "GET /api/apps/{app}/metrics": [Example({"app": "shop"}), Example({"app": "nobody"})],
    "GET /api/apps/{app}/metrics/top-users": [Example({"app": "shop"}, {"limit": 1})],
    "GET /api/apps/{app}/metrics/errors": [Example({"app": "shop"})],
    "GET /api/apps/{app}/metrics/popular-{kind}": [Example({"app": "shop", "kind": "poses"})],
    "GET /api/v1/overview": [Example(), Example(query={"range": "7d"})],
    "GET /api/v1/services": [Example(), Example(query={"sort": "-name", "limit": 1, "q": "time"})],
    "GET /api/v1/services/{name}": [Example({"name": "timeline"})],
    "POST /api/v1/services/{name}/reset": [Example({"name": "timeline"})],
    "GET /api/v1/search": [Example(query={"q": "time"})],
    "PUT /api/v1/cache/thresholds": [Example(body={"min_hit_rate": 0.5})],
    "GET /api/v1/usage": [Example(), Example(query={"period": "1h", "app": "shop"})],
    "GET /api/v1/trends": [Example(), Example(query={"range": "1h"})],
    "GET /api/v1/history": [Example(query={"metric": "api_example", "job": "a"}),
                            Example(query={"query": "sum(api_example)"})],
    "POST /api/v1/history": [Example(body={"range": "1h", "queries": [
        {"id": "a", "metric": "api_example", "labels": {"job": "a"}}, {"id": "b", "query": "1 +"},
        {"id": "c", "query": "sum(api_example)", "columns": ["max"]}]})],
    "GET /api/v1/stream": prom(topics="tick"),
    "POST /api/v1/import/prometheus": [Example(body=PAGE)],
    "POST /api/v1/write": [Example(body=b"\0", headers={"Content-Encoding": "snappy"})],
    "POST /metrics/job/{rest}": [Example({"rest": "a/b/c"}, body=PAGE)],
    "PUT /metrics/job/{rest}": [Example({"rest": "a"}, body=PAGE)],
    "POST /metrics/job@base64/{rest}": [Example({"rest": "YQ"}, body=PAGE)],
    "PUT /metrics/job@base64/{rest}": [Example({"rest": "YQ"}, body=PAGE)],
    "DELETE /metrics/job@base64/{rest}": [Example({"rest": "YQ"})],
    "POST /api/v1/import": [Example(query={"format": "prometheus"},
                                    body=f"old 1 {_sonde.now_ms()}\n".encode())],
    "POST /v1/metrics": [Example(body={"resourceMetrics": []})],
    "POST /v1/logs": [Example(body={"resourceLogs": []})],
    "POST /api/v1/otlp/v1/metrics": [Example(body={"resourceMetrics": []})],
    "POST /api/v1/otlp/v1/logs": [Example(body={"resourceLogs": []})],
    "GET /api/v1/query": [Example(query={"query": text}) for text in (
        "api_example", "api_example[1h]", "1", "\"a\"", "{__name__=~\".+\"}", "rate(up[5m]) / 0")],
    "GET /api/v1/query_range": prom(query="api_example", start=1, end=2, step=1),
    "GET /api/v1/query_exemplars": prom(query="api_example"),
    "GET /api/v1/format_query": prom(query="1+1"),
    "GET /api/v1/parse_query": prom(query="sum by (a) (rate(b[5m]))"),
    "GET /api/v1/series": [Example(query={"match[]": "api_example"})],
    "GET /api/v1/label/{name}/values": [Example({"name": "job"})],
    "POST /api/v1/admin/tsdb/delete_series": [Example(query={"match[]": "nothing"})],
    "GET /federate": [Example(query={"match[]": "api_example"})],
    "POST /api/v1/commands/reset_service_metrics": [Example(body=OPERATION)],
    "POST /api/v1/commands/get_service_metrics": [Example(body=OPERATION)],
    "POST /api/v1/commands/set_cache_alert_thresholds": [Example(body={"min_hit_rate": 0.5})],
    "POST /api/v1/commands/create_custom_alert": [Example(body={"name": "a", "expr": "up > 1",
                                                                "for": "5m"})],
    "POST /api/v1/commands/get_metrics_history": [Example(body={"query": "api_example",
                                                                "hours": 1})],
}
for _name in ("query", "query_range", "query_exemplars", "format_query", "parse_query", "series"):
    EXAMPLES[f"POST /api/v1/{_name}"] = EXAMPLES[f"GET /api/v1/{_name}"]


def send(server, operation, example, headers=None):
    """Ask as the example says; a form has the query as its body."""
    kind, _ = operation.content()
    body, query = example.body, example.query
    more = {**example.headers, **(headers or {})}
    if kind == "application/x-www-form-urlencoded":
        body, query = urllib.parse.urlencode(query, doseq=True).encode(), ()
    elif body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    if kind and "Content-Type" not in more:
        more["Content-Type"] = kind
    connection = server.connect()
    try:
        connection.request(operation.method, operation.target(example.path, query), body, more)
        response = connection.getresponse()
        is_endless = response.headers.get_content_type() == "text/event-stream"
        return Head(response) if is_endless else _sonde.Reply(response)
    finally:
        connection.close()


# ---- a server with accounts ----

PASSWORD = "correct horse"


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def start_with_accounts(test, config=""):
    """A server that wants sign-in also for ingest, and {role: headers of a token with it alone}."""
    server = _sonde.Server(test, config="ingest_access: token\n" + config,
                           arguments=["--access", "required"])
    server.start()

    def admin(*words, text=""):
        done = _sonde.run("admin", *words, "--data", server.data, input=text)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    admin("user", "add", "root", "--role", "admin", text=PASSWORD + "\n")
    tokens = {role: bearer(admin("token", "add", role, "--user", "root", "--scopes", role))
              for role in ("ingest", "read", "admin")}
    tokens["all"] = bearer(admin("token", "add", "all", "--user", "root", "--scopes",
                                 "ingest,read,admin"))
    # What the command line changed is noticed within a second.
    _sonde.wait_for(lambda: server.get("/api/auth/me", tokens["all"]).status == 200, "the token")
    return server, tokens
