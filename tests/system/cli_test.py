"""The command line: help, mistakes and their hints, exit codes, what keeps a server from starting."""

import json
import os
import re
import socket
import unittest

import _sonde
from _sonde import Server, run

OK, FAILED, USAGE, DENIED, NOT_FOUND, BAD_DATA = 0, 1, 2, 4, 5, 6


class CommandTest(unittest.TestCase):
    def complains(self, done, code, first, second=None):
        """Nothing on stdout, one sentence on stderr, perhaps a line of help."""
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, "")
        lines = done.stderr.splitlines()
        self.assertRegex(lines[0], f"^sonde: {first}$")
        self.assertEqual(lines[1:], [f"  {second}"] if second else [], done.stderr)

    def test_version(self):
        for word in ("version", "--version"):
            done = run(word)
            self.assertEqual((done.returncode, done.stderr), (OK, ""))
            self.assertRegex(done.stdout, r"^sonde \d+\.\d+\.\d+\n$")

    def test_help_names_every_command(self):
        for words in ((), ("help",), ("--help",), ("-h",)):
            done = run(*words)
            self.assertEqual((done.returncode, done.stderr), (OK, ""))
            for command in ("serve", "check-config", "version"):
                self.assertIn(f"\n  {command} ", done.stdout)

    def test_help_of_a_command_is_whole(self):
        for word in ("--help", "-h"):
            done = run("serve", word)
            self.assertEqual((done.returncode, done.stderr), (OK, ""))
            self.assertTrue(done.stdout.startswith("usage: sonde serve "))
            self.assertTrue(done.stdout.endswith("sonde serve --listen 127.0.0.1:9500 --config "
                                                 "sonde.yml\n"), done.stdout)
            done = run("check-config", word)
            self.assertEqual((done.returncode, done.stderr), (OK, ""))
            self.assertTrue(done.stdout.startswith("usage: sonde check-config FILE\n"))

    def test_a_misspelt_command_gets_a_hint(self):
        self.complains(run("sevre"), USAGE, "sevre: there is no such command",
                       'did you mean "serve"?')
        self.complains(run("chek-config"), USAGE, "chek-config: there is no such command",
                       'did you mean "check-config"?')
        self.complains(run("frobnicate"), USAGE, "frobnicate: there is no such command",
                       "see: sonde help")

    def test_wrong_options_of_serve(self):
        see = "see: sonde serve --help"
        cases = {
            ("--bogus",): "unknown option --bogus",
            ("--bogus=1",): "unknown option --bogus=1",
            ("-x",): "unknown option -x",
            ("-xh",): "unknown option -x",
            ("--help", "-hx"): "unknown option -x",
            ("--listen",): "option --listen needs a value",
            ("somewhere",): 'unexpected argument "somewhere"',
            ("--help=5",): "unknown option --help=5",
        }
        for words, sentence in cases.items():
            self.complains(run("serve", *words), USAGE, f"serve: {sentence}", see)

    def test_wrong_values_of_options(self):
        self.complains(run("serve", "--access", "opne"), BAD_DATA,
                       'serve: "opne" is neither "required" nor "open"')
        self.complains(run("serve", "--config", "/nonexistent/sonde.yml"), NOT_FOUND,
                       "serve: .*/nonexistent/sonde.yml.*: No such file or directory")
        self.complains(run("serve", "--listen", "nowhere"), BAD_DATA, "serve: .*nowhere.*")

    def test_open_access_is_for_this_machine_only(self):
        for address in ("0.0.0.0:0", "[::]:0", "10.0.0.1:9464"):
            self.complains(run("serve", "--access", "open", "--listen", address), BAD_DATA,
                           "serve: access open is for loopback addresses only, not for "
                           + re.escape(address) + ": .*")


class QueryTest(unittest.TestCase):
    def ask(self, *words):
        return run("query", *words, "--url", f"http://127.0.0.1:{self.server.port}")

    def test_a_query_is_answered_as_a_table_or_json(self):
        self.server = Server(self, config="collect: {sources: {}}\n").start()
        now = _sonde.now_ms()
        for age, value in ((60, 1), (0, 3)):
            self.server.push(f'shop_orders{{kind="a"}} {value} {now - age * 1000}\n')
        done = self.ask("shop_orders * 2", "--time", str(now / 1000))
        self.assertEqual((done.returncode, done.stdout, done.stderr), (OK, "KIND  VALUE\na     6\n", ""))
        done = self.ask("shop_orders", "--time", str(now / 1000), "--range", "1m", "--step", "60s")
        rows = [line.split() for line in done.stdout.splitlines()]
        self.assertEqual(rows[0], ["METRIC", "KIND", "TIME", "VALUE"])
        self.assertEqual([row[3] for row in rows[1:]], ["1", "3"])
        self.assertEqual(json.loads(self.ask("1 + 1", "--json").stdout)["data"]["result"][1], "2")
        done = self.ask("nothing_of_it")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (OK, "", "no series\n"))
        done = self.ask("sum(rat(x[5m]))")
        self.assertEqual((done.returncode, done.stdout), (BAD_DATA, ""))
        self.assertEqual(done.stderr.splitlines(), [
            'sonde: query: unknown function with name "rat" at 1:5',
            "  sum(rat(x[5m]))",
            '      ^^^  did you mean "rate"?'])

    def test_a_long_complaint_is_shown_whole(self):
        self.server = Server(self, config="collect: {sources: {}}\n").start()
        wide = "v" * 400
        for number in (1, 2):
            self.server.push(f'long_name{{wide="{wide}",number="{number}"}} {number}\n')
        done = self.ask("long_name + on (wide) long_name")
        self.assertNotEqual(done.returncode, OK)
        self.assertEqual(done.stderr.count(wide), 3)
        self.assertIn("many-to-many matching not allowed", done.stderr)


class CheckConfigTest(unittest.TestCase):
    def setUp(self):
        self.directory = _sonde.temporary_directory(self)

    def check(self, text):
        path = self.directory / "sonde.yml"
        path.write_bytes(text)
        return path, run("check-config", path)

    def test_good_files(self):
        for text in (b"", b"# nothing\n", b"listen: 127.0.0.1:9464\r\nlog:\r\n  level: warn\r\n",
                     b"storage: {retention: 30d, log_size: 16MiB}\n", b"collect:\n"):
            path, done = self.check(text)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (OK, f"{path}: ok\n", ""))

    def test_a_mistake_is_shown_where_it_is(self):
        cases = {
            b"lisen: x\n": (1, 1, 'unknown key "lisen", did you mean "listen"?'),
            b"log:\n  level: loud\n": (2, 10, '"loud" is not known here, did you mean "debug"?'),
            b"\nstorage:\n  retention: 5\n": (3, 14, None),
            b"listen: a\nlisten: b\n": (2, 1, 'key "listen" stands here twice'),
            b"a: &x 1\nb: *x\n": (1, 1, 'unknown key "a"'),
            b"listen: [1]\n": (1, 9, "listen: expected a single value"),
            b"- a\n": (1, 1, "configuration: expected a map of keys"),
            b"listen: 'x\n": (2, 1, None),
            b"collect:\n\tinterval: 5s\n": (2, 1, None),
        }
        for text, (line, column, sentence) in cases.items():
            path, done = self.check(text)
            self.assertEqual((done.returncode, done.stdout), (BAD_DATA, ""), text)
            start = f"sonde: check-config: {path}:{line}:{column}: "
            self.assertTrue(done.stderr.startswith(start), done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1)
            if sentence:
                self.assertEqual(done.stderr, f"{start}{sentence}\n")

    def test_what_no_key_tells_alone(self):
        _, done = self.check(b"access: open\nlisten: 0.0.0.0:9464\n")
        self.assertEqual(done.returncode, BAD_DATA)
        self.assertIn("loopback", done.stderr)

    def test_it_takes_one_file_that_exists(self):
        for words in ((), ("a", "b")):
            done = run("check-config", *words)
            self.assertEqual(done.returncode, USAGE)
            self.assertEqual(done.stderr, "sonde: check-config: expected the name of one file\n"
                                          "  usage: sonde check-config FILE\n")
        self.assertEqual(run("check-config", self.directory / "none").returncode, NOT_FOUND)
        self.assertEqual(run("check-config", self.directory).returncode, FAILED)

    def test_long_names_are_shown_whole(self):
        deep = self.directory
        while len(str(deep)) < 2000:
            deep = deep / ("d" * 200)
        deep.mkdir(parents=True)
        path = deep / "sonde.yml"
        path.write_text("")
        done = run("check-config", path)
        self.assertEqual((done.returncode, done.stdout), (OK, f"{path}: ok\n"))


class StartTest(unittest.TestCase):
    def serve(self, *arguments):
        return run("serve", "--access", "open", *arguments)

    def test_a_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            done = self.serve("--listen", address, "--data", _sonde.temporary_directory(self))
        self.assertEqual((done.returncode, done.stdout), (FAILED, ""))
        self.assertEqual(done.stderr.splitlines()[-2:],
                         [f"sonde: serve: cannot listen on {address}: address already in use",
                          "  stop it, or choose another address with --listen"])

    def test_two_servers_on_one_directory(self):
        server = Server(self).start()
        done = self.serve("--listen", "127.0.0.1:0", "--data", server.data)
        self.assertEqual((done.returncode, done.stdout), (FAILED, ""))
        lines = done.stderr.splitlines()
        self.assertRegex(lines[-2], rf"^sonde: serve: .*\b{server.process.pid}\b")
        self.assertEqual(lines[-1], "  stop it, or choose another directory with --data")
        self.assertEqual(server.get("/readyz").status, 200)

    def test_a_directory_that_cannot_be_made(self):
        directory = _sonde.temporary_directory(self)
        (directory / "file").write_text("")
        done = self.serve("--listen", "127.0.0.1:0", "--data", directory / "file" / "data")
        self.assertNotEqual(done.returncode, OK)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr.splitlines()[-1], r"^sonde: serve: .*/file.*: Not a directory$")

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_a_directory_that_is_not_ours(self):
        directory = _sonde.temporary_directory(self)
        directory.chmod(0o500)
        done = self.serve("--listen", "127.0.0.1:0", "--data", directory / "data")
        self.assertEqual(done.returncode, DENIED)


if __name__ == "__main__":
    _sonde.main()
