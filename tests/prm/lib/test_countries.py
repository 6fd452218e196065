from __future__ import annotations

import pytest

from prm.lib.countries import code_of, is_code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("FR", "FR"),
        ("fr", "FR"),
        ("France", "FR"),
        ("  united   KINGDOM ", "GB"),
        ("EIRE", "IE"),
        ("USA", "US"),
        ("RSA", "ZA"),
        ("Hong Kong", "HK"),
    ],
)
def test_a_country_is_known_by_code_by_name_and_by_what_shops_write(text: str, code: str) -> None:
    assert code_of(text) == code


def test_what_is_no_country_stays_as_it_was_in_capitals() -> None:
    assert code_of("European Community") == "EUROPEAN COMMUNITY"
    assert code_of("") == ""
    assert not is_code("EU")
