"""The dashboard where people sign in: the first administrator, sessions, tokens."""

import unittest

import _sonde
import _web


class SignIn(unittest.TestCase):
    def test_first_administrator_sessions_and_tokens(self):
        server = _sonde.Server(self, arguments=["--access", "required"]).start()
        code = server.data / "setup-code"
        _sonde.wait_for(lambda: "setup-code" in server.stdout() and code.exists(), "the setup code")
        _web.node("sign_in.mjs", f"http://127.0.0.1:{server.port}/", code.read_text().strip())


if __name__ == "__main__":
    _web.main()
