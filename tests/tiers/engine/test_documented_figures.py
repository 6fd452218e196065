"""Every worked figure of docs/algorithms/commission.md is what the engine says, and every code and key it stores is on the page."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from prm.lib.periods import Month
from tests.tiers.engine.documented import PAGE, Row, Worked, played, tables, worked
from tests.tiers.engine.facts import earned, percent, sale
from tiers.engine import windows
from tiers.engine.facts import Window
from tiers.engine.reading import KINDS

WORKED = list(worked())
ENGINE = Path(windows.__file__).parent


@pytest.mark.parametrize("table", WORKED, ids=[f"{at}-{table.heading}" for at, table in enumerate(WORKED)])
def test_the_engine_says_what_the_page_says(table: Worked) -> None:
    assert played(table) == table.rows


def test_every_kind_of_rule_has_a_worked_table() -> None:
    kinds = {kind for table in WORKED for kind in re.findall(r"'kind': '(\w+)'", str(table.plan))}
    assert set(KINDS) <= kinds


@pytest.mark.parametrize("row", [row for table in tables("window") for row in table], ids=str)
def test_a_window_has_the_key_the_page_says(row: Row) -> None:
    kind, _, joining = row["window"].partition(" ")
    months, _, joined = joining.partition(", from ")
    window = Window(kind, int(months or 1))  # type: ignore[arg-type]  # the page's word
    month = Month.of(datetime.fromisoformat(row["instant"]), ZoneInfo(row["zone"]))
    assert windows.key_of(window, month, Month.parse(joined) if joined else None) == row["key"]


@pytest.mark.parametrize("row", [row for table in tables("start") for row in table], ids=str)
def test_an_anniversary_comes_when_the_page_says(row: Row) -> None:
    start, zone = datetime.fromisoformat(row["start"]), ZoneInfo(row["zone"])
    found = windows.anniversary(start, int(row["months"]), zone)
    assert found == datetime.fromisoformat(row["anniversary"])


def test_every_key_of_an_explanation_is_on_the_page() -> None:
    (keys,) = tables("key")
    named = {name for row in keys for name in re.findall(r"`(\w+)`", row["key"])}
    (line,) = earned(sale("100.00"), percent("0.08"))
    assert named == set(line.because)


def test_every_code_of_the_engine_is_on_the_page() -> None:
    source = "".join(path.read_text() for path in sorted(ENGINE.rglob("*.py")))
    codes = set(re.findall(r'\b(?:WhyNot|Part|part)\(\s*"(\w+)"', source))
    assert codes
    assert codes <= set(re.findall(r"`(\w+)`", PAGE.read_text()))
