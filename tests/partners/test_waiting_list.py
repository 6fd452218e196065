"""Who waits for a program is written to once, when it opens or a place becomes free, and forgotten with that."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from partners import launching, waiting_list
from partners.models import WaitingMailbox
from prm.mail.models import OutgoingMail
from tests.factories.partners import MembershipFactory, TermsVersionFactory
from tests.factories.tiers import ProgramFactory
from tests.partners.test_launching import ready
from tests.people import ada
from tiers.models import Program

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def closed() -> Program:
    program = ProgramFactory.create(is_open=False, name="Gift Circle", slug="gift-circle")
    TermsVersionFactory.create(published=True, program=program)
    return program


def ask(program: Program, email: str = "Zofia@Example.com", language: str = "en") -> None:
    waiting_list.ask(program, email=email, language=language, at=NOW)


def test_a_mailbox_that_asks_twice_waits_once() -> None:
    program = closed()
    ask(program)
    ask(program, "zofia@example.com", "pl")
    row = WaitingMailbox.objects.get()
    assert (row.email, row.language, row.told_at) == ("Zofia@Example.com", "en", None)


def test_nobody_is_told_while_the_program_is_closed() -> None:
    program = closed()
    ask(program)
    assert (waiting_list.tell(program, at=NOW), waiting_list.sweep(at=NOW)) == (0, 0)
    assert not OutgoingMail.objects.exists()


def test_opening_tells_everybody_once_and_forgets_the_addresses(
    eager_tasks: Any, django_capture_on_commit_callbacks: Any
) -> None:
    program = ready(name="Gift Circle", slug="gift-circle")
    ask(program)
    ask(program, "jan@example.com")
    with django_capture_on_commit_callbacks(execute=True):
        launching.open_program(program, by=ada(), at=NOW)
    assert sorted(OutgoingMail.objects.values_list("to", flat=True)) == [
        "Zofia@Example.com",
        "jan@example.com",
    ]
    mail = OutgoingMail.objects.get(to="jan@example.com")
    assert mail.subject == "Gift Circle takes applications"
    assert "http://testserver/p/gift-circle/" in mail.text and "this is the only mail" in mail.text
    assert not WaitingMailbox.objects.exclude(email="", email_folded="").exists()
    assert waiting_list.sweep(at=NOW) == 0
    ask(program)  # who asks again, later, waits again
    assert WaitingMailbox.objects.filter(told_at=None).count() == 1


def test_a_place_that_becomes_free_is_found_by_the_sweep() -> None:
    program = closed()
    Program.objects.filter(pk=program.pk).update(is_open=True, most_partners=1)
    member = MembershipFactory.create(program=program, state="active")
    ask(program)
    assert waiting_list.sweep(at=NOW) == 0
    member.state, member.ended_at = "ended", NOW
    member.save(update_fields=["state", "ended_at"])
    assert waiting_list.sweep(at=NOW) == 1
    assert OutgoingMail.objects.get().key == f"program-open:{WaitingMailbox.objects.get().pk}"
