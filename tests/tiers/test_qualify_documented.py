"""Every row of the tables of docs/algorithms/tiers.md is what the code says, and every metric and fault it names is on the page."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tiers import scheme_lint
from tiers.qualify import METRICS, Figure, Question, Rung, Scheme, Window, evaluate, read
from tiers.qualify.windows import bounds
from tiers.requirement_words import figure_text

PAGE = (Path(__file__).parents[2] / "docs" / "algorithms" / "tiers.md").read_text()
LONDON = ZoneInfo("Europe/London")
LADDER = [Rung(key, rank) for rank, key in enumerate(("registered", "silver", "gold", "platinum"), start=1)]
FIGURES = {
    "net_revenue/trailing:12": 100,  # pounds on the page, pence in the figure
    "certified_ratio/now:0": 1,
    "activities/year:0": 1,
    "new_customers/trailing:12": 1,
}


def table(first: str) -> list[list[str]]:
    """Return the rows of the table whose first column has this heading."""
    rows = PAGE.split(f"\n| {first} |")[1].split("\n\n")[0].splitlines()[2:]
    assert rows
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def scheme(fall: str) -> Scheme:
    told = json.loads(PAGE.split("```json\n")[1].split("```")[0])
    return read({**told, "process": {"fall": fall}})


def number(text: str) -> Fraction | None:
    return None if text == "–" else Fraction(text)


def instant(text: str) -> datetime | None:
    return None if text == "–" else datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize("row", table("net revenue"), ids=" ".join)
def test_the_ladder_is_decided_as_the_page_says(row: list[str]) -> None:
    figures = {
        key: Figure(None if (told := number(text)) is None else told * times)
        for (key, times), text in zip(FIGURES.items(), row, strict=False)
    }
    stands_in, weight, reached, *targets = row[4:]
    for fall, target in zip(("measured", "one_step"), targets, strict=True):
        verdict = evaluate(scheme(fall), LADDER, figures, current=stands_in)
        assert f"{verdict.outcome} {verdict.target.key}" == target
        assert verdict.measured.key == reached
        assert (verdict.of("platinum").weight, verdict.of("platinum").needed) == (int(weight), 60)


@pytest.mark.parametrize("row", table("measured at"), ids=" ".join)
def test_windows_begin_and_end_as_the_page_says(row: list[str]) -> None:
    at, (kind, _, months) = instant(row[0]), row[1].partition(" ")
    assert at is not None
    assert bounds(Window(kind, int(months or 0)), at, LONDON) == (instant(row[2]), instant(row[3]))


@pytest.mark.parametrize("row", table("metric | threshold"), ids=" ".join)
def test_figures_are_shown_as_the_page_says(row: list[str]) -> None:
    metric, threshold, figure, shown, missing = row
    value = number(figure)
    gap = None if value is None else max(Fraction(threshold) - value, Fraction(0))
    assert figure_text(Question(metric), value, "GBP", "en_GB") == shown
    assert figure_text(Question(metric), gap, "GBP", "en_GB", is_gap=True) == missing


def test_the_page_names_every_metric_and_whether_it_has_a_window() -> None:
    told = {row[0]: row[2] for row in table("metric | counts")}
    assert told == {key: "yes" if each.is_windowed else "no" for key, each in METRICS.items()}


def test_the_page_names_every_fault_and_when_it_is_refused() -> None:
    told = {row[0]: row[2] for row in table("code")}
    source = "".join(path.read_text() for path in Path(scheme_lint.__file__).parent.glob("scheme_lint*.py"))
    codes = set(re.findall(r'yield \(?\s*"([a-z_]+)"', source))
    assert set(told) == codes - scheme_lint._WARNINGS
    assert {code for code, when in told.items() if when == "when written"} == scheme_lint.BY_ITSELF
    assert told[scheme_lint.WINDOWS] == "when published, unless confirmed"
