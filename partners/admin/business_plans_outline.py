"""The form of an outline: the plan's days and words, its goals row by row, and its checkpoints. Every mistake is named at its field, also when it
is the verbs that know of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners.admin.forms import DATE
from partners.application_forms.validators import one_line, printable
from partners.business_plans import goals, refusals
from partners.business_plans.fields import read_target, typed
from partners.business_plans.goals import GoalLine, Outline
from partners.models import BusinessPlan, Goal
from prm.lib.errors import Refused
from tiers.targets import GOALS

SPARE_GOALS, SPARE_CHECKPOINTS = 3, 2
_LONG = {"rows": 4}


class PeriodForm(forms.Form):
    """What a new plan is called and when it is for."""

    use_required_attribute = False

    title = forms.CharField(
        label=gettext_lazy("Title"),
        max_length=refusals.LONGEST_TITLE,
        validators=[printable, one_line],
        error_messages={"required": refusals.NoTitle.message},
    )
    starts_on = forms.DateField(label=gettext_lazy("First day"), widget=DATE)
    ends_on = forms.DateField(
        label=gettext_lazy("Last day"), widget=DATE, help_text=gettext_lazy("At most three years later.")
    )


@dataclass(frozen=True)
class GoalCells:
    """The fields of one goal in a row."""

    metric: BoundField
    target: BoundField
    due_on: BoundField

    @property
    def cells(self) -> tuple[BoundField, ...]:
        return self.metric, self.target, self.due_on


class OutlineForm(PeriodForm):
    """Everything an outline holds. A row without a goal and a target is left out; an empty deadline means the last day."""

    partner_does = forms.CharField(
        label=gettext_lazy("What the partner does"),
        required=False,
        max_length=refusals.LONGEST_TEXT,
        validators=[printable],
        widget=forms.Textarea(attrs=_LONG),
    )
    we_do = forms.CharField(
        label=gettext_lazy("What we do"),
        required=False,
        max_length=refusals.LONGEST_TEXT,
        validators=[printable],
        widget=forms.Textarea(attrs=_LONG),
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, plan: BusinessPlan) -> None:
        self.currency = plan.membership.program.currency
        lines = list(plan.goals.order_by("due_on", "pk"))
        days = list(plan.checkpoints.order_by("due_on").values_list("due_on", flat=True))
        super().__init__(data, initial=_initial(plan, lines, days, self.currency))
        self.goal_count = _count(data, "goal_", len(lines) + SPARE_GOALS, refusals.MOST_GOALS)
        self.checkpoint_count = _count(
            data, "checkpoint_", len(days) + SPARE_CHECKPOINTS, refusals.MOST_CHECKPOINTS
        )
        self._add_rows()
        self.outline: Outline | None = None

    def plain_fields(self) -> list[BoundField]:
        """Return the fields that stand alone."""
        return [self[name] for name in ("title", "starts_on", "ends_on", "partner_does", "we_do")]

    def goal_rows(self) -> list[GoalCells]:
        """Return the rows of goals."""
        return [
            GoalCells(self[f"goal_{row}_metric"], self[f"goal_{row}_target"], self[f"goal_{row}_due_on"])
            for row in range(self.goal_count)
        ]

    def checkpoint_fields(self) -> list[BoundField]:
        """Return the fields of checkpoints."""
        return [self[f"checkpoint_{row}"] for row in range(self.checkpoint_count)]

    def clean(self) -> dict[str, Any]:
        """Put the rows together and name what is wrong with them."""
        given = super().clean() or {}
        lines = list(self._lines(given))
        days = [(row, given[name]) for row, name in self._named("checkpoint_") if given.get(name)]
        if given.get("starts_on") is None or given.get("ends_on") is None:
            return given
        outline = Outline(
            title=given.get("title") or "–",
            starts_on=given["starts_on"],
            ends_on=given["ends_on"],
            partner_does=given.get("partner_does", ""),
            we_do=given.get("we_do", ""),
            goals=[line for _row, line in lines],
            checkpoints=[day for _row, day in days],
        )
        places = {"goal": [row for row, _line in lines], "checkpoint": [row for row, _day in days]}
        for fault in goals.faults(outline, self.currency):
            self.add_error(_field_of(fault, places), str(fault))
        self.outline = outline
        return given

    def _add_rows(self) -> None:
        choices = [("", "–"), *((key, label) for key, label in GOALS.items())]
        for row in range(self.goal_count):
            number = {"number": row + 1}
            self.fields[f"goal_{row}_metric"] = forms.ChoiceField(
                label=_("Goal %(number)s") % number, choices=choices, required=False
            )
            self.fields[f"goal_{row}_target"] = forms.CharField(
                label=_("Target %(number)s") % number,
                required=False,
                max_length=40,
                widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
            )
            self.fields[f"goal_{row}_due_on"] = forms.DateField(
                label=_("Deadline %(number)s") % number, required=False, widget=DATE
            )
        for row in range(self.checkpoint_count):
            self.fields[f"checkpoint_{row}"] = forms.DateField(
                label=_("Checkpoint %(number)s") % {"number": row + 1}, required=False, widget=DATE
            )

    def _named(self, beginning: str) -> Iterator[tuple[int, str]]:
        count = self.goal_count if beginning == "goal_" else self.checkpoint_count
        for row in range(count):
            yield row, f"{beginning}{row}"

    def _lines(self, given: Mapping[str, Any]) -> Iterator[tuple[int, GoalLine]]:
        for row, name in self._named("goal_"):
            metric, text = given.get(f"{name}_metric", ""), given.get(f"{name}_target", "")
            if not metric and not text:
                continue
            if not metric:
                self.add_error(f"{name}_metric", str(refusals.UnknownGoal.message))
                continue
            target = self._target(f"{name}_target", text, metric)
            due_on = given.get(f"{name}_due_on") or given.get("ends_on")
            if target is not None and due_on is not None:
                yield row, GoalLine(metric, target, due_on)

    def _target(self, name: str, text: str, metric: str) -> int | None:
        try:
            target = read_target(text, metric, self.currency)
        except ValidationError as error:
            self.add_error(name, error)
            return None
        if target is None:
            self.add_error(name, _("Write what is to be reached."))
        return target


def _initial(plan: BusinessPlan, lines: list[Goal], days: list[date], currency: str) -> dict[str, Any]:
    found = {name: getattr(plan, name) for name in ("title", "starts_on", "ends_on", "partner_does", "we_do")}
    for row, goal in enumerate(lines):
        found[f"goal_{row}_metric"] = goal.metric
        found[f"goal_{row}_target"] = typed(goal.target, goal.metric, currency)
        found[f"goal_{row}_due_on"] = goal.due_on
    return {**found, **{f"checkpoint_{row}": day for row, day in enumerate(days)}}


def _count(data: Mapping[str, Any] | None, beginning: str, usual: int, most: int) -> int:
    """Return how many rows there are: as many as were sent, and never more than a plan may have."""
    row = re.compile(rf"{beginning}([0-9]{{1,3}})(?:_[a-z_]+)?")
    sent = [int(found[1]) for key in data or () if (found := row.fullmatch(key))]
    return min(max([usual, *(number + 1 for number in sent if number < most)]), most)


def _field_of(fault: Refused, places: Mapping[str, list[int]]) -> str | None:
    """Return the field of the form a fault is about: rows left empty do not count for the verbs."""
    name = fault.field or ""
    kind, _under, rest = name.partition("_")
    if kind not in places:
        return name or None
    number, under, column = rest.partition("_")
    return f"{kind}_{places[kind][int(number)]}{under}{column}"
