"""Documents, the page that checks them and mails about money speak every language a partner can choose, and a clone needs no compiler."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.utils.translation import gettext, ngettext, override

from payouts.models import Statement
from prm.lib.periods import Month
from prm.mail.models import OutgoingMail
from tests.factories.payouts import close_months
from tests.house import open_house
from tests.people import ana
from tools import messages

MARCH_2 = datetime(2026, 3, 2, 12, tzinfo=UTC)
APRIL_3 = datetime(2026, 4, 3, 9, tzinfo=UTC)


def test_every_message_is_translated_and_no_compiled_file_is_older_than_its_source() -> None:
    assert messages.problems() == []


def test_a_stale_file_and_a_missing_translation_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "compiled", lambda language: b"newer")
    monkeypatch.setattr(messages, "wanted", lambda: {"Nobody translated this": "somewhere.py"})
    told = messages.problems()
    assert any("somewhere.py" in problem and "no translation" in problem for problem in told)
    assert sum("older than its .po" in problem for problem in told) == len(messages.LANGUAGES)


@pytest.mark.parametrize(
    ("count", "wanted"),
    [
        (0, "0 pozycji"),
        (1, "1 pozycja"),
        (2, "2 pozycje"),
        (5, "5 pozycji"),
        (12, "12 pozycji"),
        (22, "22 pozycje"),
    ],
)
def test_polish_counts(count: int, wanted: str) -> None:
    with override("pl"):
        assert ngettext("%(count)s line", "%(count)s lines", count) % {"count": count} == wanted


def test_french_nothing_is_singular() -> None:
    with override("fr"):
        assert ngettext("%(count)s line", "%(count)s lines", 0) % {"count": 0} == "0 ligne"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "month", "ready"),
    [("fr", "mars 2026", "Le relevé HG-2026-00001"), ("pl", "marzec 2026", "Zestawienie HG-2026-00001")],
)
def test_a_partner_reads_mail_and_check_page_in_its_language(
    client: Client, language: str, month: str, ready: str
) -> None:
    house = open_house()
    owner = ana()
    owner.language = language
    owner.save()
    member = house.member("ANA10", at=datetime(2026, 3, 1, tzinfo=UTC), owner=owner)
    member.partner.language = language
    member.partner.save()
    house.sale("s1", "1000.00", "ANA10", MARCH_2)
    house.rate(APRIL_3)
    [statement] = close_months(house.program, Month(2026, 3), at=APRIL_3)
    mail = OutgoingMail.objects.get(kind="statement_ready")
    assert ready in mail.text and month in mail.text
    with override(language):
        assert gettext("Closing balance") in mail.text
        wanted = gettext("This document is genuine")
    page = client.get(
        f"/v/{statement.number}/{statement.check_code}/", headers={"accept-language": language}
    ).content.decode()
    assert wanted in page and month in page
    assert not re.search(r"%\(\w+\)s", mail.text + page)
    assert Statement.objects.get().language == language
