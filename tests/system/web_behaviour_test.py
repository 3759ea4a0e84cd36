"""The dashboard used: keys, pointer, address, what happens when something fails."""

import _web


class Behaviour(_web.Dashboard):
    def test_keys_pointer_and_address_do_what_they_should(self):
        _web.node("behaviour.mjs", self.base)


if __name__ == "__main__":
    _web.main()
