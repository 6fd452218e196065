"""What the database itself refuses about tiers, what they give and what they should bring in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, models, transaction

from tests.factories.tiering import BenefitFactory, TierBenefitFactory, TierTargetFactory
from tests.factories.tiers import EPOCH, ProgramFactory, TierFactory
from tests.people import ada
from tiers.models import Benefit, Tier, TierBenefit, TierTarget

pytestmark = pytest.mark.django_db


def same_rank() -> None:
    first = TierFactory.create(rank=1, track="Co-selling")
    TierFactory.create(program=first.program, rank=1, track="Co-selling")


def same_key() -> None:
    first = TierFactory.create(key="gold", rank=1)
    TierFactory.create(program=first.program, key="gold", rank=2)


def given_twice() -> None:
    first = TierBenefitFactory.create()
    TierBenefitFactory.create(tier=first.tier, benefit=first.benefit)


def aimed_at_twice() -> None:
    first = TierTargetFactory.create()
    TierTargetFactory.create(tier=first.tier, metric=first.metric)


REFUSED: list[tuple[str, type[models.Model], Callable[[], object]]] = [
    ("tiers_tier_one_per_rank", Tier, same_rank),
    ("tiers_tier_one_per_key", Tier, same_key),
    ("tiers_tier_colour", Tier, lambda: TierFactory.create(colour="pink")),
    ("tiers_tier_retired_pair", Tier, lambda: TierFactory.create(retired_at=EPOCH)),
    ("tiers_benefit_kind", Benefit, lambda: BenefitFactory.create(kind="car")),
    ("tiers_tierbenefit_once", TierBenefit, given_twice),
    ("tiers_tiertarget_once_per_metric", TierTarget, aimed_at_twice),
    ("tiers_tiertarget_not_negative", TierTarget, lambda: TierTargetFactory.create(target=-1)),
]


@pytest.mark.parametrize(("name", "model", "write"), REFUSED, ids=[row[0] for row in REFUSED])
def test_the_database_refuses(name: str, model: type[models.Model], write: Callable[[], object]) -> None:
    assert name in {each.name for each in model._meta.constraints}
    with pytest.raises(IntegrityError), transaction.atomic():
        write()


def test_ranks_are_free_on_another_ladder_and_below_a_tier_out_of_use() -> None:
    program = ProgramFactory.create()
    TierFactory.create(program=program, rank=1, retired_at=EPOCH, retired_by=ada())
    TierFactory.create(program=program, rank=1)
    TierFactory.create(program=program, rank=1, track="Co-selling")
    assert Tier.objects.in_use().count() == 2
