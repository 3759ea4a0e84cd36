"""Every page of the dashboard, dark, at both widths in both languages: nothing to complain about."""

import _web


class Views(_web.Dashboard):
    def test_every_page_is_clean(self):
        _web.node("views.mjs", self.base, _web.VIEWS, "dark")


if __name__ == "__main__":
    _web.main()
