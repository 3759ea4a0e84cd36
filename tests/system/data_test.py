"""Backup, restore, verify, export and import with the real binary: online and without a server."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import unittest
import urllib.parse

import _sonde

MINUTE_MS = 60_000
EXIT_USAGE, EXIT_UNREACHABLE, EXIT_NOT_FOUND, EXIT_BAD_DATA = 2, 3, 5, 6


def lines_of(process):
    return sorted(process.stdout.splitlines())


class Data(unittest.TestCase):
    def setUp(self):
        self.server = _sonde.Server(self, config="collect:\n  interval: 1h\n").start()
        self.url = f"http://127.0.0.1:{self.server.port}"
        self.now_ms = _sonde.now_ms() // MINUTE_MS * MINUTE_MS

    def run_ok(self, *arguments):
        process = _sonde.run(*arguments)
        self.assertEqual(process.returncode, 0, process.stderr)
        return process

    def push(self, count, first=0):
        text = "".join(f'm{{n="{i % 4}",text="a \\"b\\" c"}} {i}.25 {self.now_ms - i * 1000}\n'
                       for i in range(first, first + count))
        process = subprocess.run(
            [_sonde.BINARY, "import", "-", "--url", self.url, "-q"], input=text, text=True,
            capture_output=True, timeout=60, check=False)
        self.assertEqual(process.returncode, 0, process.stderr)

    def export(self, *where, match="m"):
        return lines_of(self.run_ok("export", "--match", match, "-q", *where))

    def test_a_backup_has_everything_and_serves(self):
        backup = self.server.directory / "backup"
        self.push(100)
        self.assertEqual(self.server.push("acknowledged 1\n").status, 200)
        self.run_ok("backup", backup, "--url", self.url, "-q")
        before = self.export("--url", self.url)
        self.assertEqual(sum(len(json.loads(line)["values"]) for line in before), 100)
        self.push(50, first=100)
        self.assertIn(": ok: ", self.run_ok("verify", backup).stdout)
        self.assertEqual(self.export("--data", backup), before)
        self.assertEqual(len(self.export("--data", backup, match="acknowledged")), 1)
        # A second time only what is new is copied.
        self.run_ok("backup", backup, "--url", self.url, "-q")
        after = self.export("--url", self.url)
        self.assertNotEqual(after, before)
        self.assertEqual(self.export("--data", backup), after)
        restored = self.server.directory / "restored"
        self.run_ok("restore", backup, restored, "-q")
        other = _sonde.Server(self, directory=restored.parent)
        other.data = restored
        other.start()
        query = urllib.parse.urlencode({"query": "sum(count_over_time(m[1h]))"})
        self.assertEqual(other.get(f"/api/v1/query?{query}").json()["data"]["result"][0]["value"][1],
                         "150")
        self.assertEqual(os.listdir(self.server.data / "snapshots"), [])

    def test_what_is_damaged_is_named(self):
        self.push(200)
        backup = self.server.directory / "backup"
        self.run_ok("backup", backup, "--url", self.url, "-q")
        segment = sorted((backup / "seg").glob("*.seg"))[0]
        content = bytearray(segment.read_bytes())
        content[len(content) // 3] ^= 1
        segment.write_bytes(content)
        process = _sonde.run("verify", backup)
        self.assertEqual(process.returncode, EXIT_BAD_DATA)
        self.assertIn(f"damaged: seg/{segment.name}: ", process.stderr)
        process = _sonde.run("restore", backup, self.server.directory / "restored", "-q")
        self.assertEqual(process.returncode, EXIT_BAD_DATA)
        self.assertIn("the backup is damaged in 1 places", process.stderr)
        process = _sonde.run("verify", self.server.data)
        self.assertEqual(process.returncode, 1)
        self.assertIn(f"in use by process {self.server.process.pid}", process.stderr)

    def test_every_format_comes_back(self):
        self.push(60)
        self.assertEqual(self.server.push(f'm{{n="x"}} NaN {self.now_ms}\n'
                                          f'm{{n="y"}} -Inf {self.now_ms}\n').status, 200)
        wanted = self.export("--url", self.url)
        for name in ("jsonl", "prometheus", "openmetrics"):
            file = self.server.directory / f"m.{name}"
            self.run_ok("export", "--match", "m", "--format", name, "--output", file, "--url",
                        self.url, "-q")
            again = _sonde.Server(self, directory=_sonde.temporary_directory(self)).start()
            self.run_ok("import", file, "--url", f"http://127.0.0.1:{again.port}")
            self.assertEqual(self.export("--url", f"http://127.0.0.1:{again.port}"), wanted, name)
            again.stop()
            self.run_ok("import", file, "--data", again.data)  # a second time, without a server
            self.assertEqual(self.export("--data", again.data), wanted, name)
        process = _sonde.run("export", "--output", file, "--url", self.url)
        self.assertEqual(process.returncode, 1)
        self.assertIn("File exists", process.stderr)

    def histogram_lines(self):
        """JSON lines of two series, as an export writes them: their text is what is compared."""
        base = self.now_ms - 14 * 86_400_000  # two slices of an export
        native = [{"schema": 3, "count": 12, "sum": 18.25, "zero_threshold": 1e-5, "zero_count": 2,
                   "positive_spans": [[-2, 2], [1, 1]], "positive_counts": [3, 4, 2],
                   "negative_spans": [[0, 1]], "negative_counts": [1]},
                  {"schema": 3, "count": 12.5, "sum": -0.5, "positive_spans": [[0, 1]],
                   "positive_counts": [12.5], "counter_reset_hint": "reset"},
                  {"schema": 0, "count": 0, "sum": "stale"},
                  {"schema": -4, "count": 0, "sum": "NaN", "counter_reset_hint": "gauge"}]
        custom = [{"schema": -53, "count": 3, "sum": 4, "positive_spans": [[0, 1], [1, 1]],
                   "positive_counts": [1, 2], "custom_bounds": [0.5, 1],
                   "counter_reset_hint": "not_reset"}]
        times = [base, base + 15_000, base + 30_000, base + 9 * 86_400_000]
        lines = [{"metric": {"__name__": "h"}, "histograms": native[:3], "timestamps": times[:3],
                  "starts": [base - 1000] * 3},
                 {"metric": {"__name__": "h"}, "histograms": native[3:], "timestamps": times[3:]},
                 {"metric": {"__name__": "h", "kind": "custom"}, "histograms": custom,
                  "timestamps": [self.now_ms]}]
        return sorted(json.dumps(line, separators=(",", ":")).replace("1e-05", "0.00001")
                      for line in lines)

    def test_native_histograms_come_back(self):
        lines = self.histogram_lines()
        file = self.server.directory / "h.jsonl"
        file.write_text("\n".join(lines) + "\n")
        process = self.run_ok("import", file, "--url", self.url)
        self.assertIn("import: 5 samples", process.stderr)
        self.assertEqual(self.export("--url", self.url, match="h"), lines)
        query = urllib.parse.urlencode({"query": 'histogram_count(h)'})
        found = self.server.get(f"/api/v1/query?{query}").json()["data"]["result"]
        self.assertEqual([item["value"][1] for item in found], ["3"])
        # Into a directory, in two parts, and a second time.
        again = _sonde.Server(self, directory=_sonde.temporary_directory(self)).start()
        again.stop()
        other = again.data
        self.run_ok("import", file, "--data", other)
        offset = len(lines[0]) + 1
        self.run_ok("import", file, "--data", other, "--from", offset)
        self.assertEqual(self.export("--data", other, match="h"), lines)
        for name in ("prometheus", "openmetrics"):
            process = self.run_ok("export", "--url", self.url, "--match", "h", "--format", name)
            self.assertIn("5 native histograms were not written: only JSON lines have them",
                          process.stderr)

    def test_more_histograms_than_there_is_room_for_are_exported_in_pieces(self):
        count, buckets = 4200, 2048  # 66 MiB of one series within a week
        histogram = ('{"schema":0,"count":1,"sum":1,"positive_spans":[[0,%d]],"positive_counts":[%s]}'
                     % (buckets, ",".join(["1"] * buckets)))
        file = self.server.directory / "large.jsonl"
        with open(file, "w", encoding="ascii") as out:
            for first in range(0, count, 100):
                times = [self.now_ms - (first + i) * 1000 for i in range(100)]
                out.write('{"metric":{"__name__":"large"},"histograms":[%s],"timestamps":%s}\n'
                          % (",".join([histogram] * 100), json.dumps(times)))
        self.run_ok("import", file, "--url", self.url, "-q")
        exported = [json.loads(line) for line in self.export("--url", self.url, match="large")]
        times = [time_ms for line in exported for time_ms in line["timestamps"]]
        self.assertEqual(sorted(times), [self.now_ms - i * 1000 for i in reversed(range(count))])
        self.assertEqual(exported[0]["histograms"][0], json.loads(histogram))

    def test_histograms_that_cannot_be_are_counted(self):
        file = self.server.directory / "bad.jsonl"
        line = ('{"metric":{"__name__":"h"},"histograms":[{"schema":9,"count":1,"sum":1},'
                f'{{"schema":8,"count":1,"sum":1}}],"timestamps":[{self.now_ms},{self.now_ms + 1}]}}\n')
        file.write_text(line)
        process = _sonde.run("import", file, "--url", self.url)
        self.assertEqual(process.returncode, 1)
        self.assertIn("1 samples were not stored, the first: line 1: histogram schema 9 is none of",
                      process.stderr)
        file.write_text(line.replace('"schema":9', '"schema":"x"'))
        process = _sonde.run("import", file, "--url", self.url)
        self.assertEqual(process.returncode, EXIT_BAD_DATA)
        self.assertIn("line 1: ", process.stderr)

    def test_ranges_and_selectors_narrow_an_export(self):
        self.push(40)
        process = self.run_ok("export", "--url", self.url, "-q", "--match", 'm{n="1"}', "--match",
                              'm{n=~"1|2"}', "--format", "prometheus", "--start",
                              str((self.now_ms - 10_000) / 1000), "--end", str(self.now_ms / 1000))
        self.assertEqual(sorted(line.rsplit(" ", 2)[1] for line in process.stdout.splitlines()
                                if not line.startswith("#")),
                         ["1.25", "10.25", "2.25", "5.25", "6.25", "9.25"])

    def test_old_samples_pass_the_window_and_the_retention_stops_them(self):
        old_ms = self.now_ms - 10 * 86_400_000
        file = self.server.directory / "old.txt"
        file.write_text(f"old 1 {old_ms}\nold 2 {old_ms + 1000}\nold 3 {self.now_ms}\n"
                        f"old 4 {self.now_ms - 40 * 86_400_000}\n")
        process = _sonde.run("import", file, "--url", self.url)
        self.assertEqual(process.returncode, 1)
        self.assertIn("1 samples were not stored, the first: before the retention", process.stderr)
        self.assertIn("import: 3 samples", process.stderr)
        lines = self.export("--url", self.url, match="old")
        values = [value for line in lines for value in json.loads(line)["values"]]
        self.assertEqual(sorted(values), [1, 2, 3])
        # The ordinary way knows the newest sample of the series, and a window behind it.
        self.assertEqual(self.server.push(f"old 4 {self.now_ms + 1000}\n").status, 200)
        self.assertEqual(self.server.push(f"old 5 {old_ms + 2000}\n").status, 400)

    def test_an_import_that_was_stopped_goes_on(self):
        file = self.server.directory / "long.txt"
        with open(file, "w", encoding="ascii") as out:
            for i in range(150_000):
                out.write(f'long{{n="{i % 100}",padding="{"x" * 100}"}} {i} {self.now_ms - i}\n')
        content = file.read_bytes()
        process = subprocess.Popen([_sonde.BINARY, "import", "-", "--url", self.url],
                                   stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        # More than a piece has gone into the pipe: it is at work. It stops behind the next one.
        process.stdin.write(content[:9 << 20])
        process.send_signal(signal.SIGINT)
        try:
            process.stdin.write(content[9 << 20:])
            process.stdin.close()
        except BrokenPipeError:
            pass
        process.stdin = None
        err = process.communicate(timeout=60)[1].decode()
        self.assertEqual(process.returncode, 130, err)
        self.assertIn("go on with: sonde import - --from ", err)
        offset = int(err.split("--from ")[1].split()[0])
        self.assertTrue(0 < offset < len(content))
        self.run_ok("import", file, "--from", offset, "--url", self.url, "-q")
        query = urllib.parse.urlencode({"query": "sum(count_over_time(long[10m]))"})
        found = self.server.get(f"/api/v1/query?{query}").json()["data"]["result"]
        self.assertEqual(found[0]["value"][1], "150000")

    def test_mistakes_have_their_exit_codes(self):
        bad = self.server.directory / "bad.jsonl"
        bad.write_text('{"metric":{"__name__":"a"},"values":[1],"timestamps":[1]}\n{"metric":3}\n')
        nothing = self.server.directory / "nothing"
        cases = [
            (("import", bad, "--url", self.url), EXIT_BAD_DATA, "line 2: "),
            (("import", nothing, "--url", self.url), EXIT_NOT_FOUND, "No such file"),
            (("import", bad, "--url", self.url, "--from", "x"), EXIT_BAD_DATA, "--from"),
            (("import", bad, "--url", self.url, "--format", "xml"), EXIT_BAD_DATA, "none of"),
            (("import",), EXIT_USAGE, "an argument is missing"),
            (("export", "--bogus"), EXIT_USAGE, "unknown option --bogus"),
            (("export", "--data", nothing), EXIT_NOT_FOUND, "there is no data"),
            (("export", "--url", self.url, "--match", "m{"), EXIT_BAD_DATA, "--match m{"),
            (("export", "--url", self.url, "--start", "x"), EXIT_BAD_DATA, "--start"),
            (("backup", nothing, "--url", "http://127.0.0.1:1"), EXIT_UNREACHABLE, "no answer"),
            (("backup", self.server.data, "--url", self.url), 1, "holds no backup"),
            (("backup", "/proc/self", "--url", self.url), 1, "holds no backup"),
            (("restore", nothing, self.server.data), EXIT_NOT_FOUND, "there is no backup"),
            (("restore", self.server.data, nothing), EXIT_BAD_DATA,
             "would be left behind"),
            (("verify", nothing), EXIT_NOT_FOUND, "No such file"),
        ]
        for arguments, code, words in cases:
            process = _sonde.run(*arguments)
            self.assertEqual(process.returncode, code, (arguments, process.stderr))
            self.assertIn(words, process.stderr, arguments)
        for command in ("backup", "restore", "verify", "export", "import"):
            self.assertIn(f"usage: sonde {command} ", _sonde.run(command, "--help").stdout)

    def test_the_routes_are_for_administrators(self):
        closed = _sonde.Server(self, directory=_sonde.temporary_directory(self),
                               arguments=["--access", "required"]).start()
        for path in ("/api/v1/admin/tsdb/snapshot", "/api/v1/admin/tsdb/delete_snapshot?name=x",
                     "/api/v1/import"):
            self.assertEqual(closed.request("POST", path, "").status, 401, path)
        process = _sonde.run("backup", self.server.directory / "no", "--url",
                             f"http://127.0.0.1:{closed.port}")
        self.assertEqual(process.returncode, 4, process.stderr)
        reply = self.server.request("POST", "/api/v1/admin/tsdb/delete_snapshot?name=..", "")
        self.assertEqual(reply.status, 400)

    def test_series_are_deleted_and_the_room_comes_back(self):
        self.push(40)
        query = urllib.parse.urlencode({"query": 'sum(count_over_time(m[1h]))'})
        delete = urllib.parse.urlencode({"match[]": 'm{n="1"}', "end": self.now_ms / 1000 - 5})
        for path in (f"delete_series?{delete}", "clean_tombstones"):
            reply = self.server.request("POST", f"/api/v1/admin/tsdb/{path}", "")
            self.assertEqual(reply.status, 204, reply.body)
            found = self.server.get(f"/api/v1/query?{query}").json()["data"]["result"]
            self.assertEqual(found[0]["value"][1], "31")  # 1 of 10 is newer
        self.assertEqual(self.server.get("/api/v1/status/tsdb").json()["data"]["storage"]
                         ["tombstones"], 0)
        for query in ("", "?match[]=m{", "?match[]=m&start=2&end=1"):
            self.assertEqual(self.server.request(
                "POST", f"/api/v1/admin/tsdb/delete_series{query}", "").status, 400, query)

    def test_limits_are_told_and_counted(self):
        limited = _sonde.Server(self, directory=_sonde.temporary_directory(self), config=(
            "collect:\n  interval: 1h\n"
            "storage:\n  series_per_metric_max: 2\n  future_max: 1m\n")).start()
        reply = limited.push("".join(f'a{{n="{i}"}} 1\n' for i in range(4)) + "b 1\n"
                             f"late 1 {self.now_ms + 200_000}\n")
        self.assertEqual(reply.status, 200)
        self.assertEqual(reply.json()["data"]["accepted"], 3)
        self.assertEqual(reply.json()["data"]["rejected"], {"series_limit": 2, "too_new": 1})
        self.assertIn("beyond the limit of all series or of its metric",
                      reply.json()["data"]["first_reject"])
        page = limited.get("/metrics").body.decode()
        self.assertIn('sonde_rejected_samples_total{reason="series_limit"} 2', page)
        self.assertIn('sonde_rejected_samples_total{reason="too_new"} 1', page)

    def test_the_status_tells_what_there_is(self):
        self.push(20)
        data = self.server.get("/api/v1/status/tsdb?limit=3").json()["data"]
        self.assertEqual(data["seriesCountByLabelName"][0]["name"], "__name__")
        self.assertGreaterEqual(data["storage"]["segmentSamples"], 20)
        self.assertGreater(data["storage"]["bytesPerSample"], 0)
        self.assertGreater(data["seriesCreatedByHour"][-1]["value"], 4)


class Databases(unittest.TestCase):
    """Records and accounts have a file beside the catalogue; in older directories they are in it."""

    def start(self, is_older):
        server = _sonde.Server(self, directory=_sonde.temporary_directory(self),
                               config="collect:\n  interval: 1h\n")
        server.data.mkdir()
        if is_older:  # as older programs left it: the version of tables of ours, and pages of 4 KiB
            with sqlite3.connect(server.data / "sonde.db") as database:
                database.execute("PRAGMA page_size=4096")
                database.execute("CREATE TABLE schema_version(subject TEXT PRIMARY KEY NOT NULL,"
                                 " version INTEGER NOT NULL) WITHOUT ROWID")
            database.close()
        server.start()
        self.record(server, 1)
        done = _sonde.run("admin", "user", "add", "ann", "--role", "admin", "--data", server.data,
                          input="correct horse battery\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        return server

    def record(self, server, value):
        record = {"metric_type": "t", "service": "s", "name": "n", "value": value}
        reply = server.request("POST", "/api/v1/metrics", json.dumps(record).encode(),
                               {"Content-Type": "application/json"})
        self.assertEqual(reply.status, 201, reply.body)
        self.assertEqual(server.push("acknowledged 1\n").status, 200)

    def run_ok(self, *arguments):
        process = _sonde.run(*arguments)
        self.assertEqual(process.returncode, 0, process.stderr)
        return process

    def check(self, data, values, is_older):
        """What is in a directory, which files that takes, and what is in them."""
        server = _sonde.Server(self, directory=data.parent, config="collect:\n  interval: 1h\n")
        server.data = data
        server.start()
        found = server.get("/api/v1/metrics?metric_type=t").json()["metrics"]
        self.assertEqual([record["value"] for record in found], values)
        self.assertIn("ann", self.run_ok("admin", "user", "list", "--data", data).stdout)
        server.stop()
        self.assertEqual(self.tables(data / "sonde.db") >= {"record", "account_user", "setting"},
                         is_older)
        self.assertEqual((data / "records.db").exists(), not is_older)
        self.assertEqual(self.page_bytes(data / "sonde.db"), 4096 if is_older else 1024)
        if not is_older:
            self.assertEqual(self.page_bytes(data / "records.db"), 4096)
            self.assertGreaterEqual(self.tables(data / "records.db"),
                                    {"record", "account_user", "setting"})
            self.assertNotIn("store_meta", self.tables(data / "records.db"))
            self.assertNotIn("schema_version", self.tables(data / "sonde.db"))

    @staticmethod
    def tables(path):
        database = sqlite3.connect(path)
        names = {name for name, in database.execute("SELECT name FROM sqlite_master")}
        database.close()
        return names

    @staticmethod
    def page_bytes(path):
        database = sqlite3.connect(path)
        count, = database.execute("PRAGMA page_size").fetchone()
        database.close()
        return count

    def test_backups_have_the_records_of_both_kinds(self):
        for is_older in (False, True):
            with self.subTest(is_older=is_older):
                server = self.start(is_older)
                backup = server.directory / "backup"
                self.run_ok("backup", backup, "--url", f"http://127.0.0.1:{server.port}", "-q")
                self.assertIn(": ok: ", self.run_ok("verify", backup).stdout)
                self.record(server, 2)
                online = server.directory / "online"
                self.run_ok("restore", backup, online, "-q")
                self.check(online, [1], is_older)
                server.kill()  # the last record is in the log beside the file
                self.run_ok("backup", backup, "--data", server.data, "-q")
                self.assertIn(": ok: ", self.run_ok("verify", backup).stdout)
                offline = server.directory / "offline"
                self.run_ok("restore", backup, offline, "-q")
                self.check(offline, [2, 1], is_older)
                self.check(server.data, [2, 1], is_older)

    def test_a_damaged_records_db_is_named(self):
        server = self.start(False)
        server.stop()
        path = server.data / "records.db"
        content = bytearray(path.read_bytes())
        content[2 * 4096:3 * 4096] = b"x" * 4096
        path.write_bytes(content)
        process = _sonde.run("verify", server.data)
        self.assertEqual(process.returncode, EXIT_BAD_DATA)
        self.assertIn("damaged: records.db: ", process.stderr)
        self.assertNotIn("sonde.db", process.stderr)
        path.write_bytes(b"no database" * 1000)
        process = _sonde.run("verify", server.data)
        self.assertEqual(process.returncode, EXIT_BAD_DATA)
        self.assertIn("damaged: records.db: file is not a database\n", process.stderr)

    def test_a_restore_goes_on_with_its_own_remains_only(self):
        server = self.start(False)
        backup = server.directory / "backup"
        server.stop()
        self.run_ok("backup", backup, "--data", server.data, "-q")
        target = server.directory / "target"
        shutil.copytree(backup, target)
        for name in ("sonde.db", "BACKUP"):
            (target / name).unlink(missing_ok=True)
        names = set(os.listdir(target))
        self.assertEqual(names, {"seg", "wal", "records.db"}, names)
        (target / "records.db").write_bytes(b"half")
        self.run_ok("restore", backup, target, "-q")
        self.check(target, [1], False)
        accounts = server.directory / "accounts"  # nobody's remains: `sonde admin` made it
        accounts.mkdir()
        shutil.copy(backup / "records.db", accounts)
        process = _sonde.run("restore", backup, accounts, "-q")
        self.assertEqual(process.returncode, 1)
        self.assertIn("is not empty", process.stderr)
        self.assertEqual(os.listdir(accounts), ["records.db"])


if __name__ == "__main__":
    _sonde.main()
