"""Read the worked tables of docs/algorithms/commission.md and play their events through the engine, row by row."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from prm.lib.money import Money
from prm.lib.periods import Month
from tests.tiers.engine.facts import AT
from tiers.engine import Deduction, Event, Line, Original, PlanFacts, Rater, Standing, prepare
from tiers.engine.fold import Fold
from tiers.engine.memory import Memory
from tiers.engine.months import MonthSoFar, month_lines
from tiers.engine.reading import read_rule

PAGE = Path(__file__).parents[3] / "docs" / "algorithms" / "commission.md"
CURRENCY = "GBP"
NONE = "–"

Row = dict[str, str]


class Worked(NamedTuple):
    """A plan as the page gives it, under its heading, and the table below it."""

    heading: str
    plan: Any
    rows: list[Row]


def worked() -> Iterator[Worked]:
    """Yield each block of JSON with the table that follows it."""
    heading, plan = "", None
    block: list[str] | None = None
    lines = iter(PAGE.read_text().splitlines())
    for line in lines:
        if line.startswith("#"):
            heading = line.strip("# ")
        elif line == "```json":
            block = []
        elif line == "```" and block is not None:
            plan, block = json.loads("\n".join(block)), None
        elif block is not None:
            block.append(line)
        elif line.startswith("| event |") and plan is not None:
            yield Worked(heading, plan, list(_rows(line, lines)))
            plan = None


def tables(first: str) -> Iterator[list[Row]]:
    """Yield each table whose first column has this name."""
    lines = iter(PAGE.read_text().splitlines())
    for line in lines:
        if line.startswith(f"| {first} |"):
            yield list(_rows(line, lines))


def _rows(header: str, lines: Iterator[str]) -> Iterator[Row]:
    names = _cells(header)
    next(lines)  # the rule under the header
    for line in lines:
        if not line.startswith("|"):
            return
        yield dict(zip(names, _cells(line), strict=True))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def played(table: Worked) -> list[Row]:
    """Return the table as the engine fills it in."""
    house = House(_raters(table.plan))
    return [{name: found[name] for name in row} for row in table.rows if (found := house.row(row["event"]))]


@dataclass
class House:
    """One partner whose events come one after the other, each a minute later unless it says its day."""

    raters: list[Rater]
    memory: Memory = field(default_factory=Memory)
    now: datetime = AT
    in_all: int = 0
    by_month: dict[Month, int] = field(default_factory=dict)
    outstanding: int = 0
    sales: dict[str, Event] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.fold = Fold(self.memory)

    def row(self, text: str) -> Row:
        """Return what an event comes to, in every column that a table of the page can have."""
        lines = self._month(text) if text.startswith("end of ") else self._event(text)
        self.in_all += sum(line.amount.minor for line in lines)
        return {"event": text, "in all": shown(self.in_all), **_columns(lines)}

    def _month(self, text: str) -> list[Line]:
        month, rater = Month.parse(text.removeprefix("end of ")), self.raters[-1]
        draws = {rule.key: self.outstanding for rule in rater.plan.rules if rule.kind == "draw"}
        so_far = MonthSoFar(CURRENCY, self.by_month.get(month, 0), draws)
        lines = list(month_lines(rater, Standing("standard"), month, so_far, self.memory))
        self.outstanding += sum(line.amount.minor for line in lines if line.what in ("draw", "recovery"))
        return lines

    def _event(self, text: str) -> list[Line]:
        event, standing = self._read(text)
        rated = self.fold.add(event, standing, self._rater(event.occurred_at))
        lines = [line for _, each in rated for line in each]
        month = self.memory.month(event.occurred_at)
        earned = sum(line.amount.minor for line in lines)
        self.by_month[month] = self.by_month.get(month, 0) + earned
        return lines

    def _rater(self, at: datetime) -> Rater:
        return [rater for rater in self.raters if rater.plan.effective_at <= at][-1]

    def _read(self, text: str) -> tuple[Event, Standing]:
        said, *more = text.split(" · ")
        found = re.fullmatch(
            r"(?:(?P<key>\w+): )?(?P<kind>\w+) (?:of (?P<of>\w+) )?(?P<amount>[0-9.,]+)", said
        )
        assert found is not None, said
        self.now += timedelta(minutes=1)
        key = found["key"] or f"{found['kind']}-{self.now:%d%H%M}"
        event = Event(key, found["kind"], self.now, _pounds(found["amount"]))
        standing = Standing("standard")
        for word in more:
            event, standing = self._with(event, standing, word)
        self.now = event.occurred_at
        if found["of"]:
            sale = self.sales[found["of"]]
            original = Original(sale.key, sale.amount, _pounds("0"), ())  # the fold knows the rest
            return replace(event, original=original, customer=sale.customer), standing
        self.sales[key] = event
        return event, standing

    def _with(self, event: Event, standing: Standing, word: str) -> tuple[Event, Standing]:
        """Return the event and the standing with one more thing that a row says of them."""
        match word.split():
            case ["tier", key]:
                return event, replace(standing, tier_key=key)
            case ["level", depth]:
                return event, replace(standing, depth=int(depth))
            case ["assisted"]:
                return replace(event, role="assisted"), standing
            case ["customer", name]:
                return replace(event, customer=name), standing
            case ["product", name]:
                return replace(event, product=name), standing
            case [number, "pieces"]:
                return replace(event, quantity=int(number)), standing
            case ["recruit", "earned", amount]:
                return replace(event, recruit_amount=_pounds(amount)), standing
            case ["share", at, "of", weights]:
                shares = tuple(Decimal(weight) for weight in weights.split(":"))
                return replace(event, shares=shares, share_at=int(at) - 1), standing
            case ["tax" | "shipping" as kind, amount]:
                taken = Deduction(kind, _pounds(amount))
                return replace(event, deductions=(*event.deductions, taken)), standing
        day = datetime.fromisoformat(f"{word}T10:00:00+00:00")
        return replace(event, occurred_at=day + timedelta(minutes=len(self.sales))), standing


def shown(minor: int) -> str:
    """Return an amount as the page prints it: 1,200.00."""
    return format(Money(minor, CURRENCY).decimal(), ",")


def _columns(lines: list[Line]) -> Row:
    """Return the columns that come from the lines; the first line speaks for what belongs to an event as a whole."""
    own, true_ups = _split(lines)
    because = own[0].because if own else {}
    window, recurring, metric = because.get("window"), because.get("recurring"), because.get("metric")
    return {
        "line": " + ".join(shown(line.amount.minor) for line in own) or NONE,
        "rule": " + ".join(line.rule_key for line in own) or NONE,
        "true-up": " + ".join(shown(line.amount.minor) for line in true_ups) or NONE,
        "base": shown(own[0].base.minor) if own else NONE,
        "exact": _major(because["rounding"]["exact"]) if own else NONE,
        "holds": _counted(window["metric"], window["after"]) if window else NONE,
        "month": f"{recurring['month']} of {recurring['of']}" if recurring else NONE,
        "metric": _counted(metric["name"], metric["value"]) if metric else NONE,
        "over": shown(because["cap"]["over"]) if because.get("cap") else NONE,
    }


def _split(lines: list[Line]) -> tuple[list[Line], list[Line]]:
    own = [line for line in lines if line.what != "true_up"]
    return own, [line for line in lines if line.what == "true_up"]


def _counted(metric: str, volume: int) -> str:
    return shown(volume) if metric == "revenue" else str(volume)


def _major(exact: str) -> str:
    """Return an exact figure of pence in pounds, without padding."""
    pounds = Fraction(exact) / 100
    text = format(Decimal(pounds.numerator) / Decimal(pounds.denominator), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _pounds(text: str) -> Money:
    return Money.parse(text.replace(",", ""), CURRENCY)


def _raters(plan: Any) -> list[Rater]:
    """Return the versions of a plan: a rule alone, a list of rules, a plan, or a row of versions."""
    if isinstance(plan, list):
        plan = {"rules": plan}
    if "kind" in plan:
        plan = {"rules": [plan]}
    versions = plan.get("versions", [plan])
    return [prepare(_version(number, each)) for number, each in enumerate(versions, start=1)]


def _version(number: int, plan: dict[str, Any]) -> PlanFacts:
    rules = [
        read_rule({"key": rule["kind"], "name": rule["kind"], "position": at, **rule}, currency=CURRENCY)
        for at, rule in enumerate(plan["rules"], start=1)
    ]
    known: dict[str, Any] = {"clawback_days": plan.get("clawback_days")}
    if "deducts" in plan:
        known["deducts"] = frozenset(plan["deducts"])
    return PlanFacts(
        plan_key="worked",
        version_number=number,
        version_id=number,
        effective_at=datetime.fromisoformat(plan.get("from", "2025-01-01")).replace(tzinfo=UTC),
        combine=plan.get("combine", "first_match"),
        rules=tuple(rules),
        excluded_products=frozenset(plan.get("excluded_products", ())),
        **known,
    )
