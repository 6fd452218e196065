"""What the database refuses about activities and figures entered by hand. Every name here is a constraint or trigger that was seen to bite."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import DatabaseError

from partners.models import Activity, StaffFigure
from tests.factories.prm import UserFactory
from tests.factories.tiering import DAY, ActivityFactory, StaffFigureFactory
from tests.factories.tiers import EPOCH

pytestmark = pytest.mark.django_db


def declined_without_a_reason() -> None:
    ActivityFactory(state="declined", decided_at=EPOCH, decided_by=UserFactory())


REFUSALS: list[tuple[str, Callable[[], object]]] = [
    ("partners_activity_kind", lambda: ActivityFactory(kind="dance")),
    ("partners_activity_state", lambda: ActivityFactory(state="forgotten")),
    ("partners_activity_decided_pair", lambda: ActivityFactory(decided_at=EPOCH)),
    ("partners_activity_declined_with_a_reason", declined_without_a_reason),
    ("partners_activity_decided_has_date", lambda: ActivityFactory(state="confirmed")),
    ("partners_stafffigure_metric", lambda: StaffFigureFactory(metric="net_revenue")),
    ("partners_stafffigure_not_negative", lambda: StaffFigureFactory(value=-1)),
]


@pytest.mark.parametrize(("name", "act"), REFUSALS, ids=[name for name, _act in REFUSALS])
def test_the_database_refuses(name: str, act: Callable[[], object]) -> None:
    named = {each.name for model in (Activity, StaffFigure) for each in model._meta.constraints}
    assert name in named
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        act()
    # SQLite and PostgreSQL both name the check.
    assert name in str(refusal.value) or connection.vendor not in ("sqlite", "postgresql")


def test_every_constraint_is_seen_to_bite() -> None:
    checks = {each.name for model in (Activity, StaffFigure) for each in model._meta.constraints}
    assert checks == {name for name, _act in REFUSALS}


@pytest.mark.parametrize(
    "changed", [{"value": 71}, {"counted_on": DAY.replace(day=3)}, {"metric": "joint_customers"}]
)
def test_partners_stafffigure_a_figure_cannot_change(changed: dict[str, object]) -> None:
    figure = StaffFigureFactory()
    with pytest.raises(DatabaseError, match="A figure cannot change"), transaction.atomic():
        StaffFigure.objects.filter(pk=figure.pk).update(**changed)


def test_partners_stafffigure_a_figure_is_never_deleted() -> None:
    figure = StaffFigureFactory()
    with pytest.raises(DatabaseError, match="Figures are never deleted"), transaction.atomic():
        StaffFigure.objects.filter(pk=figure.pk).delete()


def test_where_a_figure_comes_from_can_lose_a_person() -> None:
    figure = StaffFigureFactory(note="Zoë said so.")
    StaffFigure.objects.filter(pk=figure.pk).update(note="[erased] said so.")
    figure.refresh_from_db()
    assert figure.note == "[erased] said so."
