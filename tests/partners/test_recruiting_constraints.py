"""What the database refuses about recruiting links, visits, waiting mailboxes and texts, whoever writes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, models, transaction

from partners.models import AbandonedDraft, ProgramText, ProgramVisit, RecruitingLink, WaitingMailbox
from tests.factories.partners import MembershipFactory
from tests.factories.recruiting import (
    AbandonedDraftFactory,
    ProgramTextFactory,
    ProgramVisitFactory,
    RecruitingLinkFactory,
    WaitingMailboxFactory,
)
from tests.factories.tiers import EPOCH

pytestmark = pytest.mark.django_db


def same_word() -> None:
    link = RecruitingLinkFactory()
    RecruitingLinkFactory(program=link.program, key=link.key)


def second_own_link() -> None:
    membership = MembershipFactory()
    RecruitingLinkFactory.create_batch(2, program=membership.program, membership=membership)


def same_day() -> None:
    visit = ProgramVisitFactory()
    ProgramVisitFactory(program=visit.program)


def same_way() -> None:
    row = AbandonedDraftFactory()
    AbandonedDraftFactory(form=row.form)


def waits_twice() -> None:
    row = WaitingMailboxFactory()
    WaitingMailboxFactory(program=row.program, email=row.email.upper())


def same_language() -> None:
    text = ProgramTextFactory()
    ProgramTextFactory(program=text.program)


REFUSALS: list[tuple[str, type[models.Model], Callable[[], object]]] = [
    ("partners_recruitinglink_one_per_key", RecruitingLink, same_word),
    (
        "partners_recruitinglink_channel",
        RecruitingLink,
        lambda: RecruitingLinkFactory(channel="pigeon"),
    ),
    ("partners_recruitinglink_one_per_member", RecruitingLink, second_own_link),
    ("partners_programvisit_one_per_day", ProgramVisit, same_day),
    ("partners_abandoneddraft_one_per_day", AbandonedDraft, same_way),
    ("partners_waitingmailbox_one_waiting", WaitingMailbox, waits_twice),
    ("partners_programtext_one_per_language", ProgramText, same_language),
]


@pytest.mark.parametrize(
    ("name", "model", "write"), REFUSALS, ids=[name for name, _model, _write in REFUSALS]
)
def test_the_database_refuses(name: str, model: type[models.Model], write: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        write()
    assert name in str(refusal.value) or (connection.vendor == "sqlite" and "UNIQUE" in str(refusal.value))
    assert not model._default_manager.exists()


def test_what_is_over_leaves_room_for_the_next() -> None:
    membership = MembershipFactory()
    RecruitingLinkFactory(program=membership.program, membership=membership, retired_at=EPOCH)
    RecruitingLinkFactory(program=membership.program, membership=membership)
    told = WaitingMailboxFactory(told_at=EPOCH, email="")
    WaitingMailboxFactory(program=told.program, told_at=EPOCH, email="")
    assert RecruitingLink.objects.count() == WaitingMailbox.objects.count() == 2
