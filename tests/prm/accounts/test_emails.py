import pytest

from prm.accounts.emails import fold_email


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("Ana@Example.ORG", "ana@example.org"),
        ("  ana@example.org ", "ana@example.org"),
        ("ana@straße.de", "ana@strasse.de"),
        ("ａｎａ@example.org", "ana@example.org"),
        # The dotless i is another letter: PostgreSQL's UPPER would make the two mailboxes one.
        ("mıke@example.org", "mıke@example.org"),
    ],
)
def test_addresses_are_compared_by_their_folded_form(typed: str, folded: str) -> None:
    assert fold_email(typed) == folded


def test_a_dotless_i_is_not_another_spelling_of_mike() -> None:
    assert fold_email("mıke@example.org") != fold_email("mike@example.org")


def test_folding_twice_changes_nothing() -> None:
    for text in ("ŻÓŁW@Example.PL", "ﬁona@example.org", "İx@example.org"):
        assert fold_email(fold_email(text)) == fold_email(text)
