"""A disk that is full or fails: writes are refused, reads go on, nothing acknowledged is lost.

The faults are made inside the binary (SONDE_FAULT, base/os.h), from the moment it has started.
"""

import sys
import unittest

import _sonde
from _sonde import Server, wait_for

QUIET = "log: {level: warn}\ncollect: {interval: 1h}\n"
FOR_EVER = {
    "full disk": "write:1+:ENOSPC",
    "failing disk": "write:1+:EIO",
    "failing sync": "fsync:1+:EIO",
    "full disk at sync": "fsync:1+:ENOSPC",
}


class FaultsTest(unittest.TestCase):
    def setUp(self):
        self.server = Server(self, config=QUIET)
        self.acknowledged = {}  # time: value
        self.attempts = 0

    def push(self):
        """Push the next sample; remember it when it was acknowledged. Returns the reply."""
        self.attempts += 1
        time_ms = _sonde.now_ms() // 1000 * 1000 - 3_600_000 + self.attempts * 10
        reply = self.server.push(f"kept {self.attempts} {time_ms}\n")
        if reply.status == 200:
            self.acknowledged[time_ms] = self.attempts
        return reply

    def assert_all_there(self):
        for time_ms, value in self.acknowledged.items():
            self.assertEqual(self.server.sample("kept", time_ms), value)

    def start_healthy(self):
        self.server.environment = {}
        self.server.start()

    def start_with(self, fault):
        self.server.environment = {"SONDE_FAULT": fault}
        self.server.start()

    def wait_until_refusing(self):
        """The faults are armed just after the server has said that it listens."""
        wait_for(lambda: self.push().status != 200, "a refused write")

    def assert_refusing(self):
        for _ in range(5):
            reply = self.push()
            self.assertEqual(reply.status, 503, reply.body)
            self.assertTrue(reply.error())
        reply = self.server.get("/readyz")
        self.assertEqual(reply.status, 503)
        self.assertTrue(reply.error())
        self.assertEqual(self.server.get("/healthz").status, 200)
        self.assertEqual(self.server.get("/metrics").status, 200)
        self.assertIn(b"\nsonde_store_refusing_writes 1\n", self.server.get("/metrics").body)

    def one_failing_run(self, fault, end):
        self.start_healthy()
        self.assertEqual(self.push().status, 200)
        self.assertEqual(self.server.stop()[0], 0)
        self.start_with(fault)
        self.wait_until_refusing()
        self.assert_refusing()
        self.assert_all_there()
        if end == "kill":
            self.server.kill()
        else:
            code, seconds = self.server.stop()
            self.assertEqual(code, 0)
            self.assertLess(seconds, _sonde.STOP_TIMEOUT_S)
        self.start_healthy()
        self.assert_all_there()
        self.assertEqual(self.push().status, 200)
        self.assertEqual(self.server.get("/readyz").status, 200)

    def test_writes_are_refused_and_reads_go_on_while_the_disk_fails(self):
        for name, fault in FOR_EVER.items():
            for end in ("stop", "kill"):
                with self.subTest(name, end=end):
                    self.one_failing_run(fault, end)
                self.server.kill()

    def test_the_reason_is_said(self):
        self.start_with("write:1+:ENOSPC")
        self.wait_until_refusing()
        self.assertIn("No space left on device", self.push().error())
        self.assertIn("No space left on device", self.server.get("/readyz").error())

    def test_one_failure_is_survived_without_a_restart(self):
        for fault in ("fsync:2:EIO", "write:2:EIO", "write:2:ENOSPC", "fsync:3:ENOSPC"):
            with self.subTest(fault):
                self.start_with(fault)
                for _ in range(10):
                    self.assertIn(self.push().status, (200, 503))
                wait_for(lambda: self.push().status == 200, "a write that is taken")
                wait_for(lambda: self.server.get("/readyz").status == 200, "ready")
                self.assert_all_there()
                self.server.kill()
                self.start_healthy()
                self.assert_all_there()
            self.server.kill()

    def test_short_writes_are_no_failure(self):
        self.start_with("write:1+:SHORT")
        for _ in range(20):
            self.assertEqual(self.push().status, 200)
        self.server.kill()
        self.start_healthy()
        self.assert_all_there()


def can_inject():
    """Release builds have no faults."""
    class Probe(unittest.TestCase):
        def runTest(self):
            server = Server(self, environment={"SONDE_FAULT": "log:1:EIO"})
            server.spawn()
            wait_for(lambda: "listening on" in server.stdout() or
                     server.process.poll() is not None, "a start or an end")
            server.stop() if server.process.poll() is None else None
            self.assertNotIn("SONDE_FAULT", server.stderr())
    return Probe().run().wasSuccessful()


if __name__ == "__main__":
    if _sonde.BINARY and not can_inject():
        print("this build has no faults to inject")
        sys.exit(77)
    _sonde.main()
