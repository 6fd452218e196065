"""What the database refuses about schemes of tiers. Every name here is a constraint or a trigger that was seen to bite."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, models, transaction

from tests.factories.prm import UserFactory
from tests.factories.tiering import TierSchemeFactory
from tests.factories.tiers import EPOCH
from tiers.models import TierScheme

pytestmark = pytest.mark.django_db


def second_of_a_number() -> None:
    row = TierSchemeFactory(published=True)
    TierSchemeFactory(program=row.program, number=row.number)


def second_draft() -> None:
    TierSchemeFactory(program=TierSchemeFactory().program)


def second_published() -> None:
    TierSchemeFactory(published=True, program=TierSchemeFactory(published=True).program)


REFUSALS: list[tuple[str, Callable[[], object]]] = [
    ("tiers_tierscheme_one_per_number", second_of_a_number),
    ("tiers_tierscheme_state", lambda: TierSchemeFactory(published=True, state="dreamt")),
    ("tiers_tierscheme_one_draft", second_draft),
    ("tiers_tierscheme_one_published", second_published),
    ("tiers_tierscheme_published_has_dates", lambda: TierSchemeFactory(state="published")),
    ("tiers_tierscheme_published_has_dates", lambda: TierSchemeFactory(published=True, effective_at=None)),
    ("tiers_tierscheme_published_has_dates", lambda: TierSchemeFactory(published_at=EPOCH)),
]


@pytest.mark.parametrize(("name", "act"), REFUSALS)
def test_the_database_refuses(name: str, act: Callable[[], object]) -> None:
    constraint = next(each for each in TierScheme._meta.constraints if each.name == name)
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        act()
    if connection.vendor == "postgresql" or isinstance(constraint, models.CheckConstraint):
        assert name in str(refusal.value)
    else:  # SQLite names the columns of a unique index, not the index
        assert isinstance(constraint, models.UniqueConstraint)
        assert all(f".{field}" in str(refusal.value) for field in _columns(constraint))


CHANGES: list[tuple[str, object]] = [
    ("definition", {"tiers": {}}),
    ("number", 99),
    ("effective_at", EPOCH + timedelta(days=1)),
    ("report", {"up": 1}),
    ("published_at", EPOCH + timedelta(days=1)),
    ("sha256", "1" * 64),
]


@pytest.mark.parametrize(("column", "value"), CHANGES)
def test_what_is_published_is_frozen(column: str, value: object) -> None:
    """The trigger tiers_tierscheme_frozen."""
    row = TierSchemeFactory(published=True)
    with pytest.raises(IntegrityError, match="cannot change: make a new version"), transaction.atomic():
        TierScheme.objects.filter(pk=row.pk).update(**{column: value})


def test_who_published_and_for_which_program_is_frozen_too() -> None:
    row, other = TierSchemeFactory(published=True), TierSchemeFactory()
    for values in ({"published_by": UserFactory()}, {"program": other.program}):
        with pytest.raises(IntegrityError, match="cannot change"), transaction.atomic():
            TierScheme.objects.filter(pk=row.pk).update(**values)


def test_what_is_published_is_kept_and_stays_published() -> None:
    """The triggers tiers_tierscheme_keep and tiers_tierscheme_stays_published."""
    row = TierSchemeFactory(published=True)
    with pytest.raises(IntegrityError, match="kept for ever"), transaction.atomic():
        TierScheme.objects.filter(pk=row.pk).delete()
    with pytest.raises(IntegrityError, match="does not become a draft again"), transaction.atomic():
        TierScheme.objects.filter(pk=row.pk).update(state="draft")
    assert TierScheme.objects.filter(pk=row.pk).update(state="superseded") == 1


def test_a_draft_may_change_and_go() -> None:
    row = TierSchemeFactory()
    assert TierScheme.objects.filter(pk=row.pk).update(definition={"tiers": {}}, number=7) == 1
    assert row.delete()[0] == 1


def _columns(constraint: models.UniqueConstraint) -> list[str]:
    return [str(TierScheme._meta.get_field(name).column) for name in constraint.fields]  # type: ignore[union-attr]
