from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from partners import placement
from payouts import dry_runs
from payouts.choices import DryRunKind
from payouts.dry_runs import asking
from payouts.models import Commission, DryRun, Entry, Transaction
from prm.accounts.models import User
from prm.accounts.policy import Forbidden
from prm.lib.errors import Refused
from prm.runs.choices import RunState
from prm.runs.models import Run
from prm.runs.progress import Reporter
from tests.desk import at_desk, links, words
from tests.house import House, open_house
from tests.people import ada, ana, fiona, mats
from tiers import publishing
from tiers.models import PlanVersion, Rule, Tier

pytestmark = pytest.mark.django_db

JANUARY, MARCH = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def house() -> House:
    """Ana sells 100.00 in January, of which 40.00 come back in February, and 250.00 in February; Ben signs somebody up.

    The plan pays 8 % of sales: 8.00 - 3.20 + 20.00 = 24.80 for Ana and nothing for Ben.
    """
    made = open_house()
    for code in ("ANA", "BEN"):
        made.member(code)
    made.sale("s-1", "100.00", "ANA", datetime(2026, 1, 5, 12, tzinfo=UTC))
    made.sale("s-2", "250.00", "ANA", datetime(2026, 2, 5, 12, tzinfo=UTC))
    made.refund("r-1", "40.00", "ANA", datetime(2026, 2, 6, 12, tzinfo=UTC), of="s-1")
    made.sale("u-1", "0.00", "BEN", datetime(2026, 2, 7, 12, tzinfo=UTC), kind="signup")
    made.rate(AT)
    return made


def draft(house: House, percent: str) -> PlanVersion:
    made = publishing.draft_from(house.program.plan, by=ada(), at=AT)
    made.rules.update(rate=Decimal(percent))
    return made


def tried(house: House, kind: str = DryRunKind.PLAN, **said: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"starts_at": JANUARY, "ends_at": MARCH, "by": mats(), "at": AT, **said}
    made = dry_runs.record(house.program, kind, **values)
    report: dict[str, Any] = dry_runs.work_on(made, Reporter(), at=AT).report
    return report


def row(report: dict[str, Any], table: str, name: str) -> tuple[int, int, int, int]:
    [found] = [each for each in report[table] if each["name"] == name]
    return found["old"], found["new"], found["change"], found["events"]


def test_a_plan_version_is_set_beside_what_is_in_force(house: House) -> None:
    report = tried(house, version=draft(house, "10"))
    # 10 %: 10.00 - 4.00 + 25.00 = 31.00
    assert report["total"] == {"old": 24_80, "new": 31_00, "change": 6_20, "events": 4}
    assert row(report, "partners", "Partner ANA") == (24_80, 31_00, 6_20, 3)
    assert row(report, "partners", "Partner BEN") == (0, 0, 0, 1)
    assert row(report, "tiers", "Registered") == (24_80, 31_00, 6_20, 4)
    assert row(report, "months", "2026-01") == (8_00, 10_00, 2_00, 1)
    assert row(report, "months", "2026-02") == (16_80, 21_00, 4_20, 3)
    assert (report["winners"], report["losers"], report["unchanged"]) == (1, 0, 1)


def test_events_that_no_rule_covers_are_counted_and_named(house: House) -> None:
    report = tried(house, version=draft(house, "10"))
    assert report["uncovered"] == 1
    assert report["uncovered_examples"] == [
        {
            "event": "u-1",
            "kind": "signup",
            "month": "2026-02",
            "tier": "Registered",
            "partner": "Partner BEN",
        }
    ]


def test_only_events_in_the_range_count_and_those_before_it_are_remembered(house: House) -> None:
    report = tried(
        house, version=draft(house, "10"), starts_at=datetime(2026, 2, 1, tzinfo=UTC), ends_at=MARCH
    )
    # The sale of January keeps its 8 %, and so does what came back of it.
    assert report["total"] == {"old": 16_80, "new": 25_00 - 3_20, "change": 5_00, "events": 3}


def test_a_dry_run_writes_nothing_to_the_books(house: House) -> None:
    def books() -> list[Any]:
        tables = (Commission, Transaction, Entry)
        return [list(table._default_manager.order_by("pk").values()) for table in tables]

    version, before = draft(house, "10"), books()
    tried(house, version=version)
    assert books() == before
    assert PlanVersion.objects.get(pk=version.pk).state == "draft"


def test_another_tier_is_tried_on_those_who_stood_in_one(house: House) -> None:
    gold = Tier.objects.create(program=house.program, key="gold", name="Gold", rank=2)
    version = publishing.draft_from(house.program.plan, by=ada(), at=AT)
    Rule.objects.create(
        version=version, key="gold", name="Gold", position=2, rate=Decimal(12), tier_keys=["gold"]
    )
    publishing.publish(version, effective_at=AT, by=ada(), at=AT)
    later = datetime(2026, 3, 3, 12, tzinfo=UTC)
    house.sale("s-3", "50.00", "ANA", later)
    placement.place(house.members["BEN"], tier=gold, by=mats(), at=later, because="test")
    house.sale("s-4", "50.00", "BEN", later)
    report = tried(
        house,
        DryRunKind.TIER,
        changes={"from": "registered", "to": "gold"},
        ends_at=datetime(2026, 4, 1, tzinfo=UTC),
    )
    # Ana's 50.00 of March at 12 % instead of 8 %; January and February had one rate for everybody; Ben stood there already.
    assert row(report, "partners", "Partner ANA")[:3] == (24_80 + 4_00, 24_80 + 6_00, 2_00)
    assert row(report, "partners", "Partner BEN")[:3] == (6_00, 6_00, 0)


def test_a_claw_back_window_is_tried_without_being_set(house: House) -> None:
    report = tried(house, DryRunKind.SETTING, changes={"clawback_days": 30})
    # The refund came 32 days after its sale: its 3.20 would have stayed with the partner.
    assert report["total"] == {"old": 24_80, "new": 28_00, "change": 3_20, "events": 4}
    house.program.refresh_from_db()
    assert house.program.clawback_days is None


def test_the_tables_add_up_to_the_same_totals_in_the_file_too(house: House) -> None:
    made = dry_runs.record(
        house.program,
        DryRunKind.PLAN,
        version=draft(house, "10"),
        starts_at=JANUARY,
        ends_at=MARCH,
        by=mats(),
        at=AT,
    )
    dry_runs.work_on(made, Reporter(), at=AT)
    answer = at_desk(mats()).get(reverse("admin:payouts_dryrun_csv", args=[made.pk]))
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
    for table in ("partners", "tiers", "products", "months", "total"):
        found = [each for each in rows if each["table"] == table]
        assert sum(Decimal(each["new"]) for each in found) == Decimal("31.00")
        assert sum(Decimal(each["change"]) for each in found) == Decimal("6.20")


@pytest.mark.parametrize(
    ("said", "refusal", "field"),
    [
        ({"starts_at": MARCH, "ends_at": MARCH}, asking.EmptyRange, "ends_at"),
        ({}, asking.NoVersion, "version"),
        ({"kind": DryRunKind.TIER, "changes": {"from": "", "to": "gold"}}, asking.UnknownTier, "to_tier"),
        (
            {"kind": DryRunKind.TIER, "changes": {"from": "registered", "to": "registered"}},
            asking.SameTier,
            "to_tier",
        ),
        (
            {
                "kind": DryRunKind.TIER,
                "changes": {"from": "", "to": "registered", "memberships": ["mem_x"]},
            },
            asking.UnknownMembership,
            "memberships",
        ),
        ({"kind": DryRunKind.SETTING}, asking.NothingToTry, "changes"),
        ({"kind": DryRunKind.SETTING, "changes": {"clawback_days": -1}}, asking.BadSetting, "changes"),
        ({"kind": DryRunKind.SETTING, "changes": {"deducts": ["love"]}}, asking.BadSetting, "changes"),
        ({"kind": DryRunKind.SETTING, "changes": {"colour": ["red"]}}, asking.BadSetting, "changes"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(
    house: House, said: dict[str, Any], refusal: type[Refused], field: str
) -> None:
    values: dict[str, Any] = {"kind": DryRunKind.PLAN, "starts_at": JANUARY, "ends_at": MARCH, **said}
    with pytest.raises(refusal) as found:
        dry_runs.record(house.program, values.pop("kind"), by=mats(), at=AT, **values)
    assert found.value.field == field
    assert not DryRun.objects.exists()


def test_a_partner_tries_nothing(house: House) -> None:
    with pytest.raises(Forbidden):
        tried(house, version=draft(house, "10"), by=ana())


def test_a_version_keeps_what_its_dry_run_said_without_the_partners(house: House) -> None:
    version = draft(house, "10")
    tried(house, version=version)
    publishing.publish(version, effective_at=AT, by=ada(), at=AT)
    version.refresh_from_db()
    assert version.report["total"] == {"old": 24_80, "new": 31_00, "change": 6_20, "events": 4}
    assert "partners" not in version.report


def test_a_dry_run_of_what_is_published_changes_nothing_about_it(house: House) -> None:
    version = PlanVersion.objects.get()
    tried(house, version=version)
    version.refresh_from_db()
    assert version.report == {}


def test_a_draft_changed_after_its_dry_run_says_so(house: House) -> None:
    version = draft(house, "10")
    desk, page = at_desk(ada()), reverse("admin:tiers_planversion_change", args=[version.pk])
    assert "None was made" in words(desk.get(page))
    tried(house, version=version)
    assert "On past events it costs £6.20 more: 1 earn more, 0 less." in words(desk.get(page))
    version.rules.update(rate=Decimal(11))
    assert "The draft was changed after the last one: make another." in words(desk.get(page))


def test_the_page_of_a_version_shows_its_dry_runs_and_leads_to_a_new_one(house: House) -> None:
    version = draft(house, "10")
    desk, page = at_desk(ada()), reverse("admin:tiers_planversion_change", args=[version.pk])
    ask = f"{reverse('admin:payouts_dryrun_add')}?program={house.program.pk}&version={version.pk}"
    before = desk.get(page)
    assert "Nobody has tried this version on past events yet." in words(before)
    assert ask in links(before)
    tried(house, version=version)
    assert "£6.20, 1 gain, 0 lose" in words(desk.get(page))


def test_somebody_asks_on_the_page_a_worker_does_it_and_the_report_is_read(
    house: House, eager_tasks: object, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    version = draft(house, "10")
    desk = at_desk(mats())
    page = desk.get(reverse("admin:payouts_dryrun_add"), {"version": version.pk})
    assert "Dry run for" in words(page)
    with django_capture_on_commit_callbacks(execute=True):
        answer = desk.post(
            reverse("admin:payouts_dryrun_add"),
            {"kind": "plan", "version": version.pk, "starts_on": "2026-01-01", "ends_on": "2026-02-28"},
        )
    made = DryRun.objects.get()
    assert answer.url == reverse("admin:payouts_dryrun_change", args=[made.pk])
    assert (made.starts_at, made.ends_at) == (JANUARY, MARCH)
    assert Run.objects.get(subject=made.public_id).state == RunState.FINISHED
    said = words(desk.get(answer.url))
    for text in ("£24.80", "£31.00", "£6.20", "Partner ANA", "January 2026", "u-1"):
        assert text in said


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"kind": "plan"}, "Choose the plan version to try."),
        ({"kind": "tier"}, "Choose the tier to try."),
        ({"kind": "setting"}, "Say which setting to try."),
        ({"kind": "plan", "ends_on": "2025-12-31"}, "The range of events must end after it begins."),
    ],
)
def test_the_form_says_what_is_missing_and_keeps_the_rest(
    house: House, told: dict[str, str], said: str
) -> None:
    answer = at_desk(mats()).post(
        reverse("admin:payouts_dryrun_add"), {"starts_on": "2026-01-01", "ends_on": "2026-02-28", **told}
    )
    assert answer.status_code == 422
    assert said in words(answer)
    assert 'value="2026-01-01"' in answer.content.decode()
    assert not DryRun.objects.exists()


def command(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command("plan_dry_run", *arguments, "--json", "--no-progress", stdout=out, stderr=StringIO())
    told: dict[str, Any] = json.loads(out.getvalue())
    return told


RANGE = ("--from", "2026-01-01", "--to", "2026-02-28")


def test_the_command_prints_the_totals_and_writes_the_tables(house: House, tmp_path: Path) -> None:
    version = draft(house, "10")
    file = tmp_path / "tables.csv"
    told = command(
        house.program.slug,
        "--version-number",
        str(version.number),
        *RANGE,
        "--by",
        fiona().email,
        "--csv",
        str(file),
    )
    assert told["total"]["change"] == 6_20
    with file.open(newline="", encoding="utf-8") as rows:
        [total] = [each for each in csv.DictReader(rows) if each["table"] == "total"]
    assert (total["old"], total["new"], total["currency"]) == ("24.80", "31.00", "GBP")


@pytest.mark.parametrize(
    "arguments",
    [
        ("nowhere", "--version-number", "1"),
        ("affiliates",),
        ("affiliates", "--version-number", "9"),
        ("affiliates", "--to-tier", "gold"),
        ("affiliates", "--changes", "{"),
        ("affiliates", "--changes", "[1]"),
        ("affiliates", "--version-number", "1", "--from", "yesterday"),
    ],
)
def test_the_command_used_wrongly_says_so_with_code_2(house: House, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as found:
        command(*arguments, "--by", fiona().email)
    assert found.value.returncode == 2
    assert not DryRun.objects.exists()


def test_the_command_needs_a_name(house: House) -> None:
    with pytest.raises(CommandError, match="--by"):
        command(house.program.slug, "--version-number", "1")


@pytest.mark.parametrize("person", [mats, fiona])
def test_who_may_try_plans_reads_the_reports(house: House, person: Callable[[], User]) -> None:
    tried(house, version=draft(house, "10"))
    made = DryRun.objects.get()
    answer = at_desk(person()).get(reverse("admin:payouts_dryrun_change", args=[made.pk]))
    assert "With the change" in words(answer)
