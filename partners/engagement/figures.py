"""Figures that only a person can know: shared customers, the installed base, a score. One is entered with the day it stands for and where it
comes from, and never changed; a newer one counts instead."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils.translation import gettext_lazy as _

from partners import profile_fields as fields
from partners.engagement.activities import CAPABILITY
from partners.models import Membership, StaffFigure
from partners.models.engagement import STAFF_METRICS
from partners.own_team import refuse_own
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from prm.lib.periods import local_day

if TYPE_CHECKING:
    from prm.accounts.models import User

LABELS = {
    "joint_customers": _("Shared customers"),
    "installed_base": _("Installed base"),
    "manual_score": _("Score, 0 to 100"),
}
MOST = {"joint_customers": 10**9, "installed_base": 10**12, "manual_score": 100}
_LONGEST_NOTE = 300
_REFERENCE = "figure-"
_NAMED = re.compile(rf"{_REFERENCE}[0-9]{{1,18}}")


class UnknownFigure(Refused):
    message = _("Choose a figure.")
    field = "metric"


class ScoreOutOfRange(Refused):
    message = _("A score is a whole number from 0 to 100.")
    field = "value"


class BadValue(Refused):
    message = _("Write a whole number, zero or more.")
    field = "value"


class DayAhead(Refused):
    message = _("This day has not come yet.")
    field = "counted_on"


class BeforeJoining(Refused):
    message = _("This was before the membership began.")
    field = "counted_on"


class NoSource(Refused):
    message = _("Say where the figure comes from, in up to 300 characters.")
    field = "note"


class EnteredAlready(Refused):
    message = _("This figure stands already as of that day, with the same value.")
    field = "value"


@transaction.atomic
def enter(
    membership: Membership,
    *,
    metric: str,
    value: int,
    counted_on: date,
    note: str,
    by: User,
    at: datetime,
) -> StaffFigure:
    """Enter a figure as of a day.

    Raises: Forbidden, OwnTeam, UnknownFigure, BadValue, ScoreOutOfRange, DayAhead, BeforeJoining, NoSource, EnteredAlready.
    """
    policy.require(by, CAPABILITY)
    refuse_own(membership.partner_id, by)
    source = check(membership, metric=metric, value=value, counted_on=counted_on, note=note, at=at)
    Membership.objects.lock().get(pk=membership.pk)
    latest = membership.staff_figures.filter(metric=metric, counted_on=counted_on)
    newest = latest.order_by("-entered_at", "-pk").first()
    if newest is not None and newest.value == value:
        raise EnteredAlready
    figure = StaffFigure.objects.create(
        membership=membership,
        metric=metric,
        value=value,
        counted_on=counted_on,
        note=source,
        entered_at=at,
        entered_by=by,
    )
    audit.record(by, "figure.entered", figure, at=at, membership=membership.public_id, value=value)
    return figure


def reference(pk: int) -> str:
    """Return what names a figure in evidence."""
    return f"{_REFERENCE}{pk}"


def in_words(membership_id: int, rows: Iterable[Sequence[str]]) -> list[list[str]]:
    """Return rows of evidence of one membership with where its figures come from, in the words that stand today."""
    told = [list(row) for row in rows]
    ids = [int(row[0].removeprefix(_REFERENCE)) for row in told if _NAMED.fullmatch(row[0])]
    if not ids:
        return told
    known = StaffFigure.objects.filter(membership=membership_id, pk__in=ids)
    words = {reference(pk): note for pk, note in known.values_list("pk", "note")}
    return [[words.get(row[0], row[0]), *row[1:]] for row in told]


def check(
    membership: Membership, *, metric: str, value: int, counted_on: date, note: str, at: datetime
) -> str:
    """Refuse what cannot be entered, and return the note as it is kept. Asks the database nothing.

    Raises: UnknownFigure, BadValue, ScoreOutOfRange, DayAhead, BeforeJoining, NoSource.
    """
    if metric not in STAFF_METRICS:
        raise UnknownFigure
    if not 0 <= value <= MOST[metric]:
        raise ScoreOutOfRange if metric == "manual_score" else BadValue
    zone = membership.program.zone
    if counted_on > local_day(at, zone):
        raise DayAhead
    if counted_on < local_day(membership.joined_at, zone):
        raise BeforeJoining
    try:
        source = fields.one_line(note, longest=_LONGEST_NOTE)
    except Refused as refusal:
        raise NoSource from refusal
    if not source:
        raise NoSource
    return source


def newest(figures: QuerySet[StaffFigure]) -> QuerySet[StaffFigure]:
    """Return of each membership and figure the one that counts: the latest day, and of one day what was entered last."""
    place = Window(
        RowNumber(),
        partition_by=[F("membership_id"), F("metric")],
        order_by=[F("counted_on").desc(), F("entered_at").desc(), F("pk").desc()],
    )
    return figures.annotate(place=place).filter(place=1)


def history(membership: Membership) -> QuerySet[StaffFigure]:
    """Return every figure of a membership, the newest first."""
    return membership.staff_figures.select_related("entered_by").order_by("-counted_on", "-entered_at", "-pk")
