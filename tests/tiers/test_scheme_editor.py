"""A scheme of tiers is written page by page without a script, looked over beside what it asks, and published with a date."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.desk import at_desk, links, words
from tests.factories.tiering import TierSchemeFactory
from tests.factories.tiers import ProgramFactory, TierFactory
from tests.pages import submit, went_on
from tests.people import ada, fiona, mats
from tiers import scheme_lint, schemes
from tiers.choices import SchemeState
from tiers.models import Program, TierScheme
from tiers.qualify import Cycle, PointRate, Window

pytestmark = pytest.mark.django_db

NAME = "admin:tiers_tierscheme_"


@pytest.fixture
def program() -> Program:
    program: Program = ProgramFactory(name="Affiliates")
    for rank, key in enumerate(("basic", "silver", "gold"), start=1):
        TierFactory(program=program, key=key, name=key.title(), rank=rank)
    return program


@pytest.fixture
def desk() -> Client:
    return at_desk(ada())


def draft(program: Program, **tiers: list[dict[str, Any]]) -> TierScheme:
    asks = {tier: {"requirements": rows} for tier, rows in tiers.items()}
    row: TierScheme = TierSchemeFactory(program=program, number=1, definition={"tiers": asks})
    return row


def revenue(threshold: int, **more: Any) -> dict[str, Any]:
    row = {"key": "net_revenue", "metric": "net_revenue", "window": "trailing", "months": 12}
    return {**row, "threshold": threshold, **more}


def scheme(row: TierScheme) -> Any:
    return schemes.scheme_of(TierScheme.objects.get(pk=row.pk))


def test_a_scheme_goes_from_nothing_into_force(desk: Client, program: Program) -> None:
    begin = reverse(f"{NAME}begin", args=[program.pk])
    assert begin in links(desk.get(reverse(f"{NAME}changelist")))
    page = went_on(submit(desk, begin))
    row = program.tier_schemes.get()
    add = reverse(f"{NAME}add_requirement", args=[row.pk, "silver"])
    assert add in links(desk.get(page))
    assert "?metric=net_revenue" in links(desk.get(add))
    went_on(submit(desk, f"{add}?metric=net_revenue", operator="at_least", threshold="10000.00"))
    gold = add.replace("silver", "gold")
    went_on(submit(desk, f"{gold}?metric=net_revenue", threshold="£50 000", window="quarter"))
    role = {"threshold": "80 %", "role": ["sales"], "country": "France\nGB"}
    went_on(submit(desk, f"{gold}?metric=certified_ratio", role))
    shown = words(desk.get(page))
    assert "Net revenue of at least £10,000.00 in the last 12 months" in shown
    assert "Net revenue of at least £50,000.00 in the last whole quarter" in shown
    assert "At least 80% of your staff certified (France or United Kingdom, Sales)" in shown
    publish = reverse(f"{NAME}publish", args=[row.pk])
    assert "Reviews from its date on follow it, for 0 memberships of Affiliates." in words(desk.get(publish))
    went_on(submit(desk, publish, effective_on="2026-01-01"))
    row.refresh_from_db()
    assert (row.state, row.effective_at) == (SchemeState.PUBLISHED, datetime(2026, 1, 1, tzinfo=UTC))
    staff = scheme(row).ask_of("gold").requirements[1]
    assert (staff.threshold, dict(staff.question.params)["country"]) == (80, ("France", "United Kingdom"))
    assert "This version is in force" in words(desk.get(page))


@pytest.mark.parametrize(
    ("metric", "given", "says"),
    [
        ("net_revenue", {"threshold": "0"}, "asks for nothing: it is always met."),
        ("net_revenue", {"threshold": "12.345"}, "GBP has 2 decimals"),
        ("net_revenue", {"threshold": "1", "months": ""}, "Say how many months."),
        ("certified_ratio", {"threshold": "101"}, "can never be met: it is 100% at most."),
        ("certified_ratio", {"threshold": "80", "country": "Atlantis"}, "“Atlantis” is no country we know."),
        ("sales", {"threshold": ""}, "This field is required."),
    ],
)
def test_what_cannot_be_meant_is_refused_at_its_field_and_nothing_is_saved(
    desk: Client, program: Program, metric: str, given: dict[str, str], says: str
) -> None:
    row = draft(program)
    answer = submit(
        desk, reverse(f"{NAME}add_requirement", args=[row.pk, "silver"]) + f"?metric={metric}", given
    )
    assert answer.status_code == 422
    assert says in words(answer)
    assert "There is 1 thing to fix" in words(answer)
    assert "<title>Error: " in answer.content.decode()
    assert scheme(row).asks == {}


def test_a_requirement_is_shown_as_it_is_typed_and_changed_or_taken_out(
    desk: Client, program: Program
) -> None:
    row = draft(program, silver=[revenue(1_000_050)])
    edit = reverse(f"{NAME}requirement", args=[row.pk, "silver", "net_revenue"])
    assert 'value="10000.50"' in desk.get(edit).content.decode()
    went_on(submit(desk, edit, threshold="2000", window="ever"))
    (found,) = scheme(row).ask_of("silver").requirements
    assert (found.key, found.threshold, found.question.window) == ("net_revenue", 200_000, Window("ever"))
    went_on(submit(desk, reverse(f"{NAME}change", args=[row.pk]), form="net_revenue/remove"))
    assert scheme(row).ask_of("silver").requirements == ()


def test_requirements_are_weighed_on_one_page(desk: Client, program: Program) -> None:
    staff = {"key": "staff", "metric": "certified_ratio", "threshold": 80}
    row = draft(program, silver=[revenue(1_000_000), staff])
    combine = reverse(f"{NAME}combine", args=[row.pk, "silver"])
    refused = submit(desk, combine, combine="weights")
    assert (refused.status_code, "Say how much has to be met together." in words(refused)) == (422, True)
    went_on(submit(desk, combine, combine="weights", needed="50", weight_1="30", weight_2="10"))
    page = words(desk.get(reverse(f"{NAME}change", args=[row.pk])))
    assert "What is met has to count 50 together:" in page
    assert "At least 80% of your staff certified: counts 10" in page
    assert "Silver can never be reached: all its requirements count 40 together, 50 are needed." in page
    assert combine in links(desk.get(reverse(f"{NAME}change", args=[row.pk])))


def test_points_have_rates_with_multipliers_by_market(desk: Client, program: Program) -> None:
    row = draft(program)
    add = reverse(f"{NAME}add_rate", args=[row.pk])
    assert "?source=revenue" in links(desk.get(add))
    given = {"points": "5", "per_amount": "100", "role": "sourced", "multipliers": "Germany 2\nFR 1,5"}
    went_on(submit(desk, f"{add}?source=revenue", given))
    times = (("DE", Fraction(2)), ("FR", Fraction(3, 2)))
    assert scheme(row).points == (PointRate("revenue", Fraction(5), 10_000, "sourced", "", times),)
    page = words(desk.get(reverse(f"{NAME}change", args=[row.pk])))
    assert "5 points for each £100.00 of net revenue (Sourced): 2 × in Germany and 1.5 × in France" in page
    bad = submit(desk, f"{add}?source=activity", points="1", multipliers="Germany")
    assert (bad.status_code, "write a country and a number" in words(bad)) == (422, True)
    edit = reverse(f"{NAME}rate", args=[row.pk, 1])
    assert "Germany 2\nFrance 1.5" in desk.get(edit).content.decode()
    went_on(submit(desk, edit, points="2.5"))
    assert scheme(row).points[0].points == Fraction(5, 2)
    went_on(submit(desk, reverse(f"{NAME}change", args=[row.pk]), form="points/1/remove"))
    assert scheme(row).points == ()


def test_calendar_and_process_are_set_and_told_in_sentences(desk: Client, program: Program) -> None:
    row = draft(program)
    calendar = {"promotion_every": "month", "promotion_day": "3", "demotion_every": "half_year"}
    went_on(submit(desk, reverse(f"{NAME}calendar", args=[row.pk]), calendar, demotion_month="2"))
    assert scheme(row).calendar.promotion == Cycle("month", 3, 1)
    process = {"up": "automatic", "grace_days": "30", "keep": "months", "keep_months": "12"}
    went_on(submit(desk, reverse(f"{NAME}process", args=[row.pk]), process))
    found = scheme(row).process
    assert (found.up, found.down, found.grace_days, found.customers_keep_months) == (
        "automatic",
        "person",
        30,
        12,
    )
    page = words(desk.get(reverse(f"{NAME}change", args=[row.pk])))
    for said in (
        "Rises are reviewed every month, on day 3.",
        "Whether a tier is kept is reviewed every six months, on day 1, from February on.",
        "Whoever reaches a higher tier moves up without anybody's decision.",
        "After the notice there are 30 days to reach the tier again.",
        "customers from before keep earning at the former tier's rates for 12 months.",
    ):
        assert said in page
    went_on(submit(desk, reverse(f"{NAME}process", args=[row.pk]), keep="for_good"))
    assert scheme(row).process.customers_keep_months is None


def test_a_draft_shows_what_it_asks_differently_and_keeps_its_findings_from_being_published(
    desk: Client, program: Program
) -> None:
    asks = {"silver": {"requirements": [revenue(1_000_000)]}, "gold": {"requirements": [revenue(5_000_000)]}}
    TierSchemeFactory(published=True, program=program, number=1, definition={"tiers": asks})
    row = schemes.draft(program, by=ada(), at=datetime(2026, 6, 1, tzinfo=UTC))
    address = reverse(f"{NAME}requirement", args=[row.pk, "gold", "net_revenue"])
    went_on(submit(desk, address, threshold="9000"))
    publish = reverse(f"{NAME}publish", args=[row.pk])
    page = words(desk.get(publish))
    assert (
        "Gold: Net revenue of at least £9,000.00 in the last 12 months"
        " (before: Net revenue of at least £50,000.00 in the last 12 months)" in page
    )
    assert "Version 1 is superseded on that date." in page
    refused = submit(desk, publish)
    assert refused.status_code == 422
    assert "Gold asks for less than Silver below it" in words(refused)
    assert address in links(refused)
    went_on(submit(desk, address, threshold="60000"))
    past = submit(desk, publish, effective_on="2020-01-01")
    assert (past.status_code, "a new one begins now or later" in words(past)) == (422, True)
    row.refresh_from_db()
    assert row.state == SchemeState.DRAFT


def test_a_window_before_the_data_has_to_be_confirmed(
    desk: Client, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    since = datetime(2026, 5, 1, tzinfo=UTC)
    monkeypatch.setattr(scheme_lint, "_metrics", [(lambda: {"net_revenue"}, lambda *_what: since)])
    row = draft(program, silver=[revenue(1_000_000)], gold=[revenue(5_000_000)])
    publish = reverse(f"{NAME}publish", args=[row.pk])
    refused = submit(desk, publish, effective_on="2026-06-01")
    assert (refused.status_code, "the data begins on 1 May 2026" in words(refused)) == (422, True)
    went_on(submit(desk, publish, windows_meant="on", effective_on="2026-06-01"))


def test_a_draft_is_thrown_away_and_a_published_version_has_no_pages_to_write_it(
    desk: Client, program: Program
) -> None:
    row = draft(program, silver=[revenue(1)])
    went_on(submit(desk, reverse(f"{NAME}discard", args=[row.pk])))
    assert not program.tier_schemes.exists()
    done = TierSchemeFactory(published=True, program=program)
    pages = [("publish", []), ("calendar", []), ("combine", ["silver"]), ("add_requirement", ["silver"])]
    for name, more in pages:
        assert desk.get(reverse(f"{NAME}{name}", args=[done.pk, *more])).status_code == 404
    for tier in ("basic", "nowhere"):  # everybody begins in the first and nobody in the second
        address = reverse(f"{NAME}add_requirement", args=[draft(ProgramFactory()).pk, tier])
        assert desk.get(address).status_code == 404


def test_all_staff_read_and_administrators_write(program: Program) -> None:
    row = draft(program, silver=[revenue(1_000_000)])
    page = reverse(f"{NAME}change", args=[row.pk])
    for person in (mats(), fiona()):
        client = at_desk(person)
        shown = client.get(page)
        assert "Net revenue of at least £10,000.00" in words(shown)
        assert "Administrators write and publish what tiers ask." in words(shown)
        assert not {address for address in links(shown) if "/asks/" in address or "/publish/" in address}
        for name, more in (("publish", []), ("process", []), ("combine", ["silver"]), ("add_rate", [])):
            assert client.get(reverse(f"{NAME}{name}", args=[row.pk, *more])).status_code == 403
    panel = at_desk(mats()).get(reverse("admin:tiers_program_change", args=[program.pk]))
    assert page in links(panel)
