"""Kept figures equal counted ones, and both equal what an oracle adds up row by row, after any history in any order and in any chunks."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from payouts import reconcile
from payouts.models import Commission, DailyTotal
from payouts.reports import keeping
from payouts.reports.counting import count
from payouts.reports.figures import COLUMNS
from prm.lib.money import Money
from referrals import conversions, merging
from referrals.attribution.correct import NothingChanges, Share, correct
from referrals.facts import Event, EventLine
from referrals.marks import mark
from referrals.models import Click, Conversion, Credit, Link, RollupMark
from tests.house import House, open_house
from tests.people import ada

pytestmark = pytest.mark.django_db

BEGIN = datetime(2026, 10, 24, 12, tzinfo=UTC)  # over the night in which London's clocks go back
END = BEGIN + timedelta(days=4)
BACK = frozenset({"refund", "chargeback"})
Row = tuple[int | None, int | None, date, str, str, str]


def never() -> bool:
    return False


def kept() -> dict[Row, dict[str, int]]:
    columns = ("program_id", "membership_id", "happened_on", "dimension", "key", "currency")
    rows = DailyTotal.objects.values(*columns, *COLUMNS)
    return {tuple(row[name] for name in columns): {name: row[name] for name in COLUMNS} for row in rows}  # type: ignore[misc]


def house_of_three() -> tuple[House, list[Link]]:
    house = open_house(percent="7.5", event_kinds=("sale", "renewal", "refund", "signup"), flat_minor=25)
    links = [
        Link.objects.create(
            membership=house.member(code),
            slug=code.lower(),
            label=code,
            destination_url="https://shop.halden.example/",
            created_at=BEGIN,
        )
        for code in ("ANA10", "BEN10", "CAT10")
    ]
    return house, links


class History:
    """Things that happen in a random order, by the product's own verbs."""

    def __init__(self, house: House, links: list[Link], seed: int) -> None:
        self.house, self.links, self.chance = house, links, random.Random(seed)
        self.number = 0
        self.clicked: list[str] = []

    def moment(self) -> datetime:
        return BEGIN + timedelta(seconds=self.chance.randrange(int((END - BEGIN).total_seconds())))

    def click(self) -> None:
        self.number += 1
        at = self.moment()
        told = {
            "click_id": f"{self.number:026d}",
            "kind": self.chance.choice(["person", "person", "person", "bot", "view", "own"]),
            "visitor": self.chance.choice(["", f"{self.chance.randrange(4):026d}"]),
            "sub_id": self.chance.choice(["", "a", "b"]),
            "sub3": self.chance.choice(["", "a"]),
            "campaign": self.chance.choice(["", "autumn"]),
            "country": self.chance.choice(["", "FR", "GB"]),
        }
        self.write_click(self.chance.choice(self.links), at, told)
        self.clicked.append(told["click_id"])

    def write_click(self, link: Link, at: datetime, told: dict[str, str]) -> None:
        Click.objects.create(link=link, clicked_at=at, **told)
        mark([(link.membership.program_id, at.astimezone(self.house.program.zone).date())])

    def event(self) -> None:
        self.number += 1
        amount = self.chance.randrange(0, 90_00)
        kind = self.chance.choice(["sale", "sale", "renewal", "signup", "qualified_lead", "install"])
        amounts = [amount // 2, amount // 3][: self.chance.randrange(3)]
        lines = tuple(EventLine(each, self.chance.choice(["Desk", "Lamp"])) for each in amounts)
        facts: dict[str, object] = {
            "kind": kind,
            "lines": lines,
            "customer_id": f"c{self.chance.randrange(5)}",
        }
        facts |= {"country": self.chance.choice(["", "FR"]), "campaign": self.chance.choice(["", "mail"])}
        facts["product"] = "" if lines else self.chance.choice(["", "Sofa"])
        way = self.chance.randrange(3)
        if way == 0:
            facts["code"] = self.chance.choice(list(self.house.members))
        elif way == 1 and self.clicked:
            facts["click_id"] = self.chance.choice(self.clicked)
        self.tell(f"e{self.number}", amount, **facts)

    def refund(self) -> None:
        """Take something back: of a sale that is here, or of one that is told later, or of none."""
        self.number += 1
        later = f"e{self.number + self.chance.randrange(1, 4)}"
        earlier = [f"e{number}" for number in range(1, self.number)]
        facts = self.chance.choice([{"original_external_id": later}, {"code": "BEN10"}, {}])
        if earlier and self.chance.random() < 0.6:
            facts = {"original_external_id": self.chance.choice(earlier)}
        kind = self.chance.choice(["refund", "chargeback"])
        self.tell(f"r{self.number}", self.chance.randrange(1, 40_00), kind=kind, **facts)

    def tell(self, name: str, minor: int, **told: object) -> None:
        facts = {"source": "shop", "external_id": name, "kind": "sale", "occurred_at": self.moment(), **told}
        conversions.record_many([Event(amount=Money(minor, "GBP"), **facts)], at=END)  # type: ignore[arg-type]

    def correct(self) -> None:
        rows = list(
            Conversion.objects.filter(original=None, original_external_id="")
            .exclude(state="rejected")
            .order_by("pk")
        )
        if not rows:
            return
        who = self.chance.sample(list(self.house.members.values()), self.chance.randrange(4))
        shares = {0: [], 1: ["1"], 2: ["0.3", "0.7"], 3: ["0.333334", "0.333333", "0.333333"]}[len(who)]
        with suppress(NothingChanges):
            correct(
                self.chance.choice(rows),
                credits=[Share(member, Decimal(share)) for member, share in zip(who, shares, strict=True)],
                by=ada(),
                reason="Looked at again.",
                at=END,
            )

    def rate(self) -> None:
        self.house.rate(END)
        reconcile.reconcile_superseded(list(Conversion.objects.values_list("pk", flat=True)), at=END)

    def count_some(self) -> None:
        turns = iter([False] * self.chance.randrange(1, 6))
        keeping.work(until=lambda: next(turns, True))

    def go_on(self, steps: int) -> None:
        ways = [
            self.click,
            self.click,
            self.event,
            self.event,
            self.refund,
            self.correct,
            self.rate,
            self.count_some,
        ]
        for _step in range(steps):
            self.chance.choice(ways)()


def oracle(house: House) -> dict[tuple[int | None, date, str], Counter[str]]:
    """Add up the whole of each day one row at a time, with no query that groups: by who, day and dimension `all`."""
    zone = house.program.zone
    found: dict[tuple[int | None, date, str], Counter[str]] = defaultdict(Counter)
    visitors: dict[tuple[int | None, date, str], set[str]] = defaultdict(set)
    for hit in Click.objects.select_related("link"):
        at: tuple[int | None, date, str] = (
            hit.link.membership_id,
            hit.clicked_at.astimezone(zone).date(),
            "GBP",
        )
        if hit.kind == "person":
            found[at]["clicks"] += 1
            visitors[at].add(hit.visitor or f"alone {hit.pk}")
        elif hit.kind != "view":
            found[at]["uncounted"] += 1
    for at, seen in visitors.items():
        found[at]["visitors"] += len(seen)
    for event in Conversion.objects.exclude(state="rejected"):
        credits = list(
            Credit.objects.filter(conversion=event, superseded_at=None)
            .exclude(role="assisted")
            .order_by("pk")
        )
        signed = -1 if event.kind in BACK else 1
        if not credits:
            if event.original_external_id and event.original_id is None:
                continue
            _told(
                found[None, event.occurred_at.date(), event.currency],
                event,
                event.amount_minor * signed,
                None,
            )
            continue
        parts = Money(event.amount_minor, "GBP").allocate([credit.share for credit in credits])
        for credit, part in zip(credits, parts, strict=True):
            at = (credit.membership_id, event.occurred_at.astimezone(zone).date(), "GBP")
            _told(found[at], event, part.minor * signed, credit.click)
    for line in Commission.objects.select_related("conversion"):
        assert line.conversion is not None
        at = (line.membership_id, line.conversion.occurred_at.astimezone(zone).date(), "GBP")
        found[at]["earned_minor"] += line.amount_minor
    return {at: each for at, each in found.items() if any(each.values())}


def _told(row: Counter[str], event: Conversion, minor: int, click: Click | None) -> None:
    row["revenue_minor"] += minor
    if event.kind in BACK:
        row["refunds"] += 1
    elif event.kind in ("signup", "qualified_lead"):
        row["leads"] += 1
        row["qualified"] += event.kind == "qualified_lead"
    else:
        row["conversions"] += 1
        if click is not None:
            row["from_clicks"] += 1
            row["waited_minutes"] += max(int((event.occurred_at - click.clicked_at).total_seconds() // 60), 0)


def assert_dimensions_add_up(found: dict[Row, dict[str, int]]) -> None:
    """See each dimension come to the whole in what can be added up; of orders with several products only the amounts can."""
    names = ("leads", "conversions", "refunds", "revenue_minor", "earned_minor")
    whole: Counter[tuple[object, str]] = Counter()
    for dimension in ("all", "link", "code", "sub_id", "campaign", "country", "product"):
        added: Counter[tuple[object, str]] = Counter()
        for (program, member, day, kind, key, currency), row in found.items():
            is_first = kind != "sub_id" or key[:2] in ("", "1:")
            for name in names if kind == dimension and is_first else ():
                added[(program, member, day, currency), name] += row[name]
        if dimension == "all":
            whole = added
        chosen = {"revenue_minor", "earned_minor"} if dimension == "product" else set(names)
        assert {at: n for at, n in added.items() if n and at[1] in chosen} == {
            at: n for at, n in whole.items() if n and at[1] in chosen
        }, dimension


@pytest.mark.parametrize("seed", range(4))
def test_kept_equals_rebuilt_and_both_what_the_rows_add_up_to(seed: int) -> None:
    house, links = house_of_three()
    history = History(house, links, seed)
    history.go_on(45)
    history.rate()
    keeping.work(until=never)
    assert not RollupMark.objects.exists()
    found = kept()

    whole = {
        (member, day, currency): {name: value for name, value in row.items() if value}
        for (_program, member, day, dimension, _key, currency), row in found.items()
        if dimension == "all"
    }
    assert whole == {at: {name: n for name, n in row.items() if n} for at, row in oracle(house).items()}
    assert_dimensions_add_up(found)

    call_command("rebuild_reports", "--json", stdout=StringIO(), stderr=StringIO())
    assert kept() == found


def test_a_mark_that_comes_while_a_day_is_counted_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    house, links = house_of_three()
    history = History(house, links, 1)
    history.tell("e1", 50_00, code="ANA10")
    counted = count

    def count_and_be_overtaken(program: object, day: date) -> object:
        found = counted(program, day)  # type: ignore[arg-type]
        if not Conversion.objects.filter(external_id="e2").exists():
            first = Conversion.objects.get(external_id="e1")
            event = Event("shop", "e2", "sale", first.occurred_at, Money(30_00, "GBP"), code="ANA10")
            conversions.record_many([event], at=END)
        return found

    monkeypatch.setattr(keeping, "count", count_and_be_overtaken)
    keeping.work(until=never)
    [row] = DailyTotal.objects.filter(dimension="all")
    assert (row.conversions, row.revenue_minor) == (2, 80_00)


def test_a_kept_row_that_differs_is_told_with_exit_code_1_and_put_right_by_a_rebuild() -> None:
    house, links = house_of_three()
    History(house, links, 1).tell("e1", 50_00, code="ANA10")
    keeping.work(until=never)
    DailyTotal.objects.filter(dimension="all").update(revenue_minor=49_00)
    out = StringIO()
    with pytest.raises(CommandError, match="1 kept rows differ") as stop:
        call_command("rebuild_reports", "--check", stdout=out, stderr=StringIO())
    assert stop.value.returncode == 1
    assert (
        "kept {'conversions': 1, 'revenue_minor': 4900}, counted {'conversions': 1, 'revenue_minor': 5000}"
        in out.getvalue()
    )
    call_command("rebuild_reports", "--program", house.program.slug, stdout=StringIO(), stderr=StringIO())
    assert DailyTotal.objects.get(dimension="all").revenue_minor == 50_00
    call_command("rebuild_reports", "--check", stdout=StringIO(), stderr=StringIO())


def test_what_was_written_without_a_mark_is_found_within_the_hour() -> None:
    _house, links = house_of_three()
    Click.objects.create(click_id="0" * 26, link=links[0], clicked_at=END - timedelta(hours=20))
    keeping.work(until=never)
    assert not DailyTotal.objects.exists()
    assert keeping.mark_recent(at=END) == 4  # today and yesterday, of the program and of nobody
    keeping.work(until=never)
    assert DailyTotal.objects.filter(dimension="all").get().clicks == 1


def test_links_of_a_duplicate_take_their_clicks_with_them() -> None:
    house, links = house_of_three()
    history = History(house, links, 1)
    history.write_click(links[0], BEGIN, {"click_id": "0" * 26})
    keeping.work(until=never)
    merging._mark_clicks(links[0].membership)
    Link.objects.filter(pk=links[0].pk).update(membership=links[1].membership)
    keeping.work(until=never)
    assert [row.membership_id for row in DailyTotal.objects.filter(dimension="all")] == [
        links[1].membership_id
    ]
