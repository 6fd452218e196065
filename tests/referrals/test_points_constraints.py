"""What the database itself refuses about points, whoever asks."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from referrals.models import PointEntry
from tests.factories.tiering import PointEntryFactory

pytestmark = pytest.mark.django_db


def test_referrals_pointentry_once() -> None:
    entry = PointEntryFactory(reference="cnv_1:7")
    with pytest.raises(IntegrityError), transaction.atomic():
        PointEntryFactory(membership=entry.membership, scheme=entry.scheme, reference="cnv_1:7")
    PointEntryFactory(membership=entry.membership, scheme=entry.scheme, reference="cnv_1:7", source="sale")
    assert PointEntry.objects.count() == 2


def test_referrals_pointentry_source() -> None:
    with pytest.raises(IntegrityError, match="referrals_pointentry_source"), transaction.atomic():
        PointEntryFactory(source="charm")
    assert not PointEntry.objects.exists()


def test_points_that_were_earned_cannot_change() -> None:
    entry = PointEntryFactory()
    for act in (
        lambda rows: rows.update(milli_points=1),
        lambda rows: rows.update(multiplier="9"),
        lambda rows: rows.delete(),
    ):
        with pytest.raises(IntegrityError, match="Points cannot change"), transaction.atomic():
            act(PointEntry.objects.filter(pk=entry.pk))
    assert PointEntry.objects.get().milli_points == 5_000
