"""Lists of people to invite: what is read, what is said of each row, and that one bad row holds up no other."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from partners import invitation_lists as lists
from partners import pasted_lists
from partners.invitation_lists import Outcome
from partners.models import ProgramInvitation
from prm.mail.models import OutgoingMail
from tests.factories.partners import ApplicationFactory, TermsVersionFactory
from tests.factories.recruiting import ProgramInvitationFactory
from tests.house import open_house
from tests.people import ana, mats

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "Ana Prado, ana@x.example, Prado Ltd",
        "Ana Prado;ana@x.example;Prado Ltd\r\n",
        "\ufeffCompany;E-mail;Name\nPrado Ltd;ana@x.example;Ana Prado",
        "ana@x.example\tAna Prado\tPrado Ltd",
        '\n"Ana Prado","ana@x.example","Prado Ltd"\n\n',
    ],
)
def test_lists_are_read_however_they_are_kept(text: str) -> None:
    (row,) = lists.parse(text)
    assert (row.full_name, row.email, row.company, row.fault) == (
        "Ana Prado",
        "ana@x.example",
        "Prado Ltd",
        "",
    )


def test_a_faulty_row_is_named_by_line_and_field() -> None:
    rows = lists.parse("Ana, ana@x.example\nBen, ben at x\n\nCyd\n" + "D" * 121 + ", d@x.example")
    assert [(row.line, row.fault) for row in rows] == [
        (1, ""),
        (2, "E-mail: this is no address."),
        (4, "E-mail: there is none."),
        (5, "Name: up to 120 characters."),
    ]


def test_files_are_read_in_utf8_and_latin1_and_nothing_else() -> None:
    assert (
        pasted_lists.read_file("Inês".encode()) == pasted_lists.read_file("Inês".encode("latin-1")) == "Inês"
    )
    with pytest.raises(pasted_lists.NotText):
        pasted_lists.read_file(b"PK\x03\x04\x00\x00")
    with pytest.raises(pasted_lists.TooLarge):
        pasted_lists.read_file(b"x" * 1_000_001)


def test_lists_that_are_empty_too_long_or_without_addresses_are_refused() -> None:
    with pytest.raises(lists.EmptyList):
        lists.parse(" \n\n")
    with pytest.raises(lists.NoMailColumn):
        lists.parse("name,company\nAna,Prado")
    assert len(lists.parse("a@x.example\n" * 500)) == 500
    with pytest.raises(lists.TooLong):
        lists.parse("a@x.example\n" * 501)


@pytest.mark.django_db
def test_each_row_says_what_becomes_of_it_and_only_new_ones_are_invited() -> None:
    house = open_house()
    TermsVersionFactory(program=house.program, published=True)
    house.member("ANA10", owner=ana())
    ApplicationFactory(program=house.program, email="waits@x.example")
    ProgramInvitationFactory(program=house.program, tier=house.tier, email="guest@x.example")
    rows = lists.parse(
        "New, new@x.example\nAna, ANA@studio.example\nWaits, waits@x.example\nGuest, guest@x.example\n"
        "Again, NEW@x.example\nBad, nothing"
    )
    found = [each.outcome for each in lists.check(house.program, rows)]
    assert found == [
        Outcome.NEW,
        Outcome.MEMBER,
        Outcome.APPLIED,
        Outcome.INVITED,
        Outcome.TWICE,
        Outcome.BAD,
    ]
    assert not OutgoingMail.objects.exists()
    sent = lists.invite_all(
        house.program,
        rows,
        tier=house.tier,
        language="en",
        message="",
        addendum="",
        by=mats(),
        at=NOW,
    )
    assert (sent.invited, len(sent.refused)) == (1, 5)
    assert list(OutgoingMail.objects.values_list("to", flat=True)) == ["new@x.example"]
    assert ProgramInvitation.objects.get(email="new@x.example").sent_at == NOW
