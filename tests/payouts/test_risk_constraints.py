"""What the tables about risk refuse whoever writes to them, and what was seen and written that nobody rewrites."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from payouts.models import RiskCase, RiskCaseLine, RiskNote, RiskSettings, RiskSignal
from tests.factories import tracking as rows
from tests.people import mats
from tests.refusing import assert_refused

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 21, 9, tzinfo=UTC)
DECIDED = {"decided_at": AT, "outcome": "Looked at."}

OUTSIDE: list[tuple[str, Any, Callable[[], dict[str, Any]]]] = [
    ("payouts_riskcase_state", rows.RiskCaseFactory, lambda: {"state": "lost"}),
    ("payouts_riskcase_open_or_decided", rows.RiskCaseFactory, lambda: {"state": "cleared"}),
    (
        "payouts_riskcase_open_or_decided",
        rows.RiskCaseFactory,
        lambda: {"state": "confirmed", "decided_at": AT, "decided_by": mats()},
    ),
    (
        "payouts_riskcase_open_or_decided",
        rows.RiskCaseFactory,
        lambda: {"decided_at": AT, "decided_by": mats()},
    ),
    ("payouts_riskcase_decided_pair", rows.RiskCaseFactory, lambda: {"state": "cleared", **DECIDED}),
    ("payouts_riskcase_decided_pair", rows.RiskCaseFactory, lambda: {"decided_by": mats()}),
    ("payouts_riskcase_has_a_reason", rows.RiskCaseFactory, lambda: {"reason": ""}),
    ("payouts_riskcase_sanction_is_confirmed", rows.RiskCaseFactory, lambda: {"sanction": "ban"}),
    ("payouts_risknote_says_something", rows.RiskNoteFactory, lambda: {"text": ""}),
    ("payouts_risksignal_kind", rows.RiskSignalFactory, lambda: {"kind": "weather"}),
    ("payouts_risksignal_severity", rows.RiskSignalFactory, lambda: {"severity": "awful"}),
    ("payouts_risksignal_dismissed_pair", rows.RiskSignalFactory, lambda: {"dismissed_at": AT}),
    ("payouts_risksignal_dismissed_pair", rows.RiskSignalFactory, lambda: {"dismissed_by": mats()}),
]
# A state nobody knows is neither open nor decided.
NEIGHBOURS = {"payouts_riskcase_state": "payouts_riskcase_open_or_decided"}


@pytest.mark.parametrize(("name", "row", "values"), OUTSIDE)
def test_the_database_refuses(name: str, row: Any, values: Callable[[], dict[str, Any]]) -> None:
    given = values()
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        row.create(**given)
    said = str(refusal.value)
    assert name in said or NEIGHBOURS.get(name, name) in said


def test_a_partner_has_one_open_case() -> None:
    there = rows.RiskCaseFactory.create(state="investigating")
    again = lambda: rows.RiskCaseFactory.create(membership=there.membership)  # noqa: E731
    assert_refused("payouts_riskcase_one_open", RiskCase, again)
    RiskCase.objects.filter(pk=there.pk).update(state="cleared", decided_by=mats(), **DECIDED)
    assert rows.RiskCaseFactory.create(membership=there.membership).state == "open"


def test_a_line_is_once_in_a_case_and_a_signal_once_raised_and_a_program_has_one_row() -> None:
    line = rows.RiskCaseLineFactory.create()
    assert_refused(
        "payouts_riskcaseline_once",
        RiskCaseLine,
        lambda: rows.RiskCaseLineFactory.create(case=line.case, commission=line.commission),
    )
    signal = rows.RiskSignalFactory.create()
    assert_refused(
        "payouts_risksignal_once",
        RiskSignal,
        lambda: rows.RiskSignalFactory.create(fingerprint=signal.fingerprint),
    )
    assert rows.RiskSignalFactory.create(fingerprint=signal.fingerprint, kind="pixel").pk
    kept = rows.RiskSettingsFactory.create()
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.RiskSettingsFactory.create(program=kept.program)
    assert RiskSettings.objects.count() == 1


REWRITTEN: list[tuple[Any, type[Any], dict[str, Any]]] = [
    (rows.RiskSignalFactory, RiskSignal, {"severity": "low"}),
    (rows.RiskSignalFactory, RiskSignal, {"evidence": {"clicks": 1}}),
    (rows.RiskSignalFactory, RiskSignal, {"fingerprint": "0"}),
    (rows.RiskNoteFactory, RiskNote, {"text": "I never wrote that."}),
]


@pytest.mark.parametrize(("row", "table", "change"), REWRITTEN)
def test_what_was_seen_and_written_stays(row: Any, table: type[Any], change: dict[str, Any]) -> None:
    row.create()
    before = list(table.objects.values())
    with pytest.raises(DatabaseError), transaction.atomic():
        table.objects.update(**change)
    assert list(table.objects.values()) == before


@pytest.mark.parametrize(
    ("row", "table"),
    [
        (rows.RiskSignalFactory, RiskSignal),
        (rows.RiskCaseFactory, RiskCase),
        (rows.RiskCaseLineFactory, RiskCaseLine),
        (rows.RiskNoteFactory, RiskNote),
    ],
)
def test_nothing_about_a_case_is_deleted(row: Any, table: type[Any]) -> None:
    made = row.create()
    with pytest.raises(DatabaseError), transaction.atomic():
        table.objects.filter(pk=made.pk).delete()
    assert table.objects.filter(pk=made.pk).exists()


@pytest.mark.parametrize("state", ["open", "investigating", "confirmed"])
def test_a_decided_case_stays_decided(state: str) -> None:
    case = rows.RiskCaseFactory.create(state="cleared", decided_by=mats(), **DECIDED)
    change = {"state": state} | ({} if state == "confirmed" else {"decided_at": None, "decided_by": None})
    with pytest.raises(DatabaseError) as refusal, transaction.atomic():
        RiskCase.objects.filter(pk=case.pk).update(**change)
    assert "A case is decided once." in str(refusal.value)
