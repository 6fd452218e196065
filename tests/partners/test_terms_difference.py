"""What differs between two texts is shown word by word, and nothing of either is lost."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from partners.terms_difference import GONE, NEW, SAME, Piece, sections, words

TEXTS = st.text(alphabet="ab \n.", max_size=40)


@given(TEXTS, TEXTS)
@settings(max_examples=150, deadline=None)
def test_both_texts_can_be_read_off_the_pieces(before: str, after: str) -> None:
    pieces = words(before, after)
    assert "".join(piece.text for piece in pieces if piece.kind != NEW) == before
    assert "".join(piece.text for piece in pieces if piece.kind != GONE) == after


def test_a_changed_word_stands_between_what_stayed() -> None:
    assert words("Commission is 8 % of it.", "Commission is 10 % of it.") == (
        Piece(SAME, "Commission is "),
        Piece(GONE, "8"),
        Piece(NEW, "10"),
        Piece(SAME, " % of it."),
    )


def test_a_changed_phrase_reads_as_one() -> None:
    assert words("by mail only", "on the phone only") == (
        Piece(GONE, "by mail"),
        Piece(NEW, "on the phone"),
        Piece(SAME, " only"),
    )


def test_sections_say_whether_they_changed_and_line_breaks_of_browsers_do_not_count() -> None:
    before = [("pricing", "Pricing", "8 %\nmonthly"), ("support", "Support", "By mail")]
    after = [("pricing", "Pricing", "8 %\r\nmonthly\n"), ("support", "Support", "By phone")]
    found = sections(before, after)
    assert [each.is_changed for each in found] == [False, True]
    assert [each.heading for each in found.changed] == ["Support"]
