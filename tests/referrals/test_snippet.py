"""What shops load into their pages: small, made from what is read here, and fit for a strict content policy."""

from __future__ import annotations

import re

from tools.minify_js import SOURCE, TARGET, minified

MOST_BYTES = 3000


def test_the_small_file_is_made_from_the_source_and_stays_small() -> None:
    small = TARGET.read_text(encoding="utf-8")
    assert small == minified(SOURCE.read_text(encoding="utf-8")), "run python tools/minify_js.py"
    assert TARGET.stat().st_size < MOST_BYTES


def test_nothing_in_it_needs_more_than_a_strict_policy_allows() -> None:
    small = TARGET.read_text(encoding="utf-8")
    for what in (
        r"\beval\b",
        r"new Function",
        r"innerHTML",
        r"document\.write",
        r"createElement",
        r"fetch\(",
        r"setTimeout",
    ):
        assert not re.search(what, small), what


def test_only_comments_and_blanks_are_taken_away() -> None:
    assert minified('// a\n  if (x) {\n\n    y("// b");\n  }\n') == 'if (x) {\ny("// b");\n}\n'
