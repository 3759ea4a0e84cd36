"""Durations against the monotonic clock while the measuring thread goes from processor to processor.

A second in the usual form; ten minutes with SONDE_LONG=1, where an error of one part in ten thousand
would be 60 ms. What a busy machine does between two readings of two clocks is allowed for.
"""

import os
import shutil
import subprocess
import unittest
from pathlib import Path

import _sonde

BUILD = Path(os.environ.get("SONDE_BUILD", ""))
COMPILER = shutil.which("cc")
SECONDS = 600 if _sonde.IS_LONG else 1
# A thread that is put aside between the readings of the two clocks makes a run shorter, never longer.
READING_S = 0.05 if _sonde.IS_LONG else 0.5
DRIFT_MAX = 2e-5 if _sonde.IS_LONG else 1e-3


class Drift(unittest.TestCase):
    def test_durations_do_not_drift(self):
        library = BUILD / "libsonde.a"
        if COMPILER is None or not library.exists() or _sonde.IS_SLOW_BUILD:
            self.skipTest("needs cc and libsonde.a of a build without sanitizers")
        program = _sonde.temporary_directory(self) / "drift_host"
        source = _sonde.SOURCE / "tests" / "system" / "drift_host.c"
        subprocess.run([COMPILER, "-std=gnu11", f"-I{_sonde.SOURCE}/include", str(source),
                        str(library), "-o", str(program), "-lpthread", "-lm", "-ldl"],
                       check=True, timeout=120)
        done = subprocess.run([program, str(SECONDS)], capture_output=True, text=True,
                              timeout=SECONDS + 120, check=True)
        words = done.stdout.split()
        elapsed, by_long, in_parts, by_parts = map(float, words[1:5])
        print(f"{words[0]}, {words[5]} processors: {elapsed:.6f} s, off by "
              f"{(by_long / elapsed - 1) * 1e6:.2f} ppm in one run, "
              f"{(by_parts / in_parts - 1) * 1e6:.2f} ppm in many")
        self.assertLessEqual(by_long, elapsed * (1 + DRIFT_MAX) + 0.001)
        self.assertGreaterEqual(by_long, elapsed * (1 - DRIFT_MAX) - READING_S)
        self.assertLessEqual(by_parts, in_parts * (1 + DRIFT_MAX) + 0.001)
        self.assertGreater(by_parts, in_parts * 0.5)


if __name__ == "__main__":
    _sonde.main()
