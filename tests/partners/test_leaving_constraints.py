"""What the database refuses about suspensions and endings, whoever writes to it. Every name here is a constraint or a trigger that was seen to
bite."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, models, transaction

from partners.models import Ending, Suspension
from tests.factories.prm import UserFactory
from tests.factories.recruiting import EndingFactory, SuspensionFactory
from tests.factories.tiers import EPOCH

pytestmark = pytest.mark.django_db
LATER = EPOCH + timedelta(days=30)


def update(row: models.Model, **values: object) -> None:
    type(row)._default_manager.filter(pk=row.pk).update(**values)


def second_open_suspension() -> None:
    SuspensionFactory.create(membership=SuspensionFactory.create().membership)


def second_notice() -> None:
    EndingFactory.create(membership=EndingFactory.create().membership)


REFUSED: list[tuple[str, str, Callable[[], object]]] = [
    ("partners_suspension_reason", "", lambda: SuspensionFactory.create(reason="dislike")),
    ("partners_suspension_one_open", "membership_id", second_open_suspension),
    (
        "partners_suspension_lifted_after",
        "",
        lambda: SuspensionFactory.create(suspended_at=LATER, lifted_at=EPOCH),
    ),
    ("partners_ending_kind", "", lambda: EndingFactory.create(kind="vanished")),
    ("partners_ending_reason", "", lambda: EndingFactory.create(reason="dislike")),
    (
        "partners_ending_cancelled_pair",
        "",
        lambda: EndingFactory.create(cancelled_at=LATER, cancelled_by=None),
    ),
    ("partners_ending_one_waiting", "membership_id", second_notice),
    ("partners_ending_not_in_the_past", "", lambda: EndingFactory.create(given_at=LATER, effective_at=EPOCH)),
    (
        "partners_suspension_frozen",
        "A suspension cannot be changed, only lifted.",
        lambda: update(SuspensionFactory.create(), suspended_at=LATER),
    ),
    (
        "partners_suspension_no_delete",
        "Suspensions are never deleted.",
        lambda: Suspension.objects.filter(pk=SuspensionFactory.create().pk).delete(),
    ),
    (
        "partners_ending_frozen",
        "A notice cannot be changed: cancel it and give a new one.",
        lambda: update(EndingFactory.create(), effective_at=LATER + timedelta(days=400)),
    ),
    (
        "partners_ending_no_delete",
        "Endings are never deleted.",
        lambda: Ending.objects.filter(pk=EndingFactory.create().pk).delete(),
    ),
]


@pytest.mark.parametrize(
    ("name", "says", "attempt"), REFUSED, ids=[name for name, _says, _attempt in REFUSED]
)
def test_the_database_refuses(name: str, says: str, attempt: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        attempt()
    text = str(refusal.value)
    assert name in text or (says and says in text), text


def test_what_may_follow_is_taken() -> None:
    lifted = SuspensionFactory.create()
    update(lifted, lifted_at=LATER, lifted_by=UserFactory.create(), note="Shorter.")
    SuspensionFactory.create(membership=lifted.membership, suspended_at=LATER)
    cancelled = EndingFactory.create()
    update(cancelled, cancelled_at=LATER, cancelled_by=UserFactory.create())
    EndingFactory.create(membership=cancelled.membership)
    assert Suspension.objects.filter(lifted_at=None).get().membership == lifted.membership
    assert Ending.objects.filter(cancelled_at=None).get().membership == cancelled.membership
