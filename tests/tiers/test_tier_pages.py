"""The pages of tiers, benefits and targets in the back office, and the comparison partners see."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from partners.models import Placement
from tests.desk import at_desk, words
from tests.factories.partners import MemberFactory, PlacementFactory, TermsVersionFactory
from tests.factories.tiering import BenefitFactory
from tests.factories.tiers import ProgramFactory, TierFactory, published_plan
from tests.people import ada, ana, mats
from tests.tier_asking import asks_revenue
from tiers import benefits
from tiers.choices import TierColour
from tiers.models import Benefit, Program, Tier, TierBenefit, TierTarget

pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    program: Program = ProgramFactory.create(name="Affiliates")
    TierFactory.create(program=program, key="start", name="Registered", rank=1)
    TierFactory.create(program=program, key="gold", name="Gold", rank=2)
    asks_revenue(program, {"gold": 10_000_00})
    return program


def url(program: Program, page: str, *more: int) -> str:
    return reverse(f"admin:tiers_program_{page}", args=[program.pk, *more])


def form(**changed: object) -> dict[str, object]:
    return {"name": "Platinum", "key": "platinum", "rank": 3, "colour": "violet", **changed}


def test_the_ladder_is_shown_from_the_top_with_what_it_asks_and_who_stands_there(program: Program) -> None:
    PlacementFactory.create(tier=program.tiers.get(key="gold"), membership__program=program)
    told = words(at_desk(mats()).get(url(program, "tiers")))
    assert "Gold 2 Net revenue of at least £10,000.00 in the last 12 months 1 Registered 1" in told
    assert "Nothing: newcomers begin here" in told and "Add a tier" not in told
    assert "Gold 1 partner" in words(
        at_desk(ada()).get(reverse("admin:tiers_program_change", args=[program.pk]))
    )


def test_a_tier_is_added_with_a_word_about_what_it_asks_and_changed_on_its_page(program: Program) -> None:
    desk = at_desk(ada())
    refused = desk.post(url(program, "tier_add"), form(rank=2))
    assert refused.status_code == 422
    assert "Another tier of this ladder has this rank: Gold." in words(refused)
    assert 'value="Platinum"' in refused.content.decode() and 'href="#id_rank"' in refused.content.decode()
    page = desk.post(url(program, "tier_add"), form(), follow=True)
    assert "“Platinum” asks for nothing yet" in words(page)
    tier = Tier.objects.get(key="platinum")
    change = reverse("admin:tiers_tier_change", args=[tier.pk])
    assert desk.post(change, form(name="Diamond", capacity=3)).status_code == 302
    tier.refresh_from_db()
    assert (tier.name, tier.capacity, tier.key) == ("Diamond", 3, "platinum")
    assert at_desk(mats()).post(change, form()).status_code == 403


def test_a_tier_leaves_use_on_a_page_that_says_what_stands_in_the_way(program: Program) -> None:
    gold, desk = program.tiers.get(key="gold"), at_desk(ada())
    retire = reverse("admin:tiers_tier_retire", args=[gold.pk])
    placement = PlacementFactory.create(tier=gold, membership__program=program)
    page = desk.get(retire)
    assert (
        "Not yet 1 partner stands in it" in words(page) and 'type="submit">Take' not in page.content.decode()
    )
    assert "cannot be taken out of use" in words(desk.post(retire, follow=True))
    gold.refresh_from_db()
    assert gold.retired_at is None
    Placement.objects.filter(pk=placement.pk).update(ends_at=placement.starts_at + timedelta(days=1))
    assert desk.post(retire).status_code == 302
    told = words(desk.get(url(program, "tiers")))
    assert "Out of use Gold since" in told
    restore = reverse("admin:tiers_tier_restore", args=[gold.pk])
    assert "at rank 2" in words(desk.get(restore))
    assert desk.post(restore).status_code == 302
    assert Tier.objects.in_use().count() == 2


def test_a_benefit_is_given_by_tier_and_language_on_one_page(program: Program) -> None:
    gold, desk = program.tiers.get(key="gold"), at_desk(ada())
    typed = {"kind": "support", f"value_{gold.pk}_en": "Within a day", f"value_{gold.pk}_fr": "En un jour"}
    refused = desk.post(url(program, "benefit_add"), typed)
    assert refused.status_code == 422 and "Tick it, or remove what is written for Gold." in words(refused)
    assert not Benefit.objects.exists()
    assert desk.post(url(program, "benefit_add"), {**typed, f"given_{gold.pk}": "on"}).status_code == 302
    assert TierBenefit.objects.get().value == {"en": "Within a day", "fr": "En un jour"}
    benefit = BenefitFactory.create(program=program, kind="press_release", position=2)
    told = words(desk.get(url(program, "benefits")))
    assert "Support level – Not in this tier Within a day" in told
    assert desk.post(url(program, "benefit_move", benefit.pk), {"to": "up"}).status_code == 302
    assert [row.label for row in benefits.matrix(program)] == ["Press release", "Support level"]
    assert desk.post(url(program, "benefit_remove", benefit.pk)).status_code == 302
    assert len(benefits.catalogue(program)) == 1
    assert at_desk(mats()).get(url(program, "benefits")).status_code == 200
    assert at_desk(mats()).post(url(program, "benefit_add"), typed).status_code == 403


def test_targets_are_typed_in_the_programs_currency_and_refused_at_their_field(program: Program) -> None:
    gold, desk = program.tiers.get(key="gold"), at_desk(ada())
    refused = desk.post(url(program, "targets"), {f"net_revenue_{gold.pk}": "much"})
    assert refused.status_code == 422 and "Write an amount such as" in words(refused)
    typed = {f"net_revenue_{gold.pk}": "50 000.00", f"sales_{gold.pk}": "40"}
    assert desk.post(url(program, "targets"), typed).status_code == 302
    assert dict(TierTarget.objects.values_list("metric", "target")) == {"net_revenue": 50_000_00, "sales": 40}


def test_a_partner_compares_the_tiers_and_sees_the_own_one(program: Program, client: Client) -> None:
    published_plan(program, {"tier_keys": ["gold"], "rate": 12}, {}, by=ada())
    gold = program.tiers.get(key="gold")
    TermsVersionFactory.create(published=True, program=program, number=7, tier=gold)
    membership = PlacementFactory.create(tier=gold, membership__program=program).membership
    MemberFactory.create(partner=membership.partner, user=ana())
    client.force_login(ana())
    told = words(client.get("/portal/tier/compare/"))
    assert "Affiliates. You stand in Gold." in told and "Gold You are here" in told
    assert "What we ask Registered Everybody starts here" in told
    assert "What you earn Registered 8% of every order Gold" in told and "12% of every order" in told
    assert "Terms Registered The terms of the program Gold You are here Terms of its own, version 7" in told


def test_every_colour_is_readable_on_every_ground_light_and_dark() -> None:
    css = (Path(settings.BASE_DIR) / "static/prm/shared.css").read_text()
    grounds = [light_dark(css, f"--{name}") for name in ("bg", "surface", "sunken")]
    for colour in TierColour.values:
        found = re.search(rf"\.tier-{colour} {{ --tier: light-dark\((#\w+), (#\w+)\)", css)
        assert found is not None, colour
        for mode in (0, 1):
            assert all(contrast(found.group(mode + 1), ground[mode]) >= 4.5 for ground in grounds), colour


def light_dark(css: str, name: str) -> tuple[str, str]:
    found = re.search(rf"{name}: light-dark\((#\w+), (#\w+)\)", css)
    assert found is not None
    return found.group(1), found.group(2)


def contrast(one: str, other: str) -> float:
    """Return the ratio the Web Content Accessibility Guidelines define."""
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
