"""The dashboard on data that is known and on data that goes on: exact values, two tabs that stay open."""

import _web


class Live(_web.Dashboard):
    def test_a_known_series_is_shown_exactly(self):
        _web.node("values.mjs", self.base)

    def test_two_live_tabs_do_not_grow(self):
        _web.node("live.mjs", self.base, _web.LIVE_S)


if __name__ == "__main__":
    _web.main()
