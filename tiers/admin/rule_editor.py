"""The rule editor behind its pages: a form, its table of steps and its conditions as one thing that is read into what a rule stores.
Whatever the engine cannot read is refused beside the field it was typed in, and nothing is saved."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.http import QueryDict
from django.utils.text import slugify
from django.utils.translation import gettext as _

from prm.lib.money import Money
from tiers.admin import rule_initial
from tiers.admin.rule_form import RuleForm
from tiers.admin.rule_models import MODELS, Model, columns, is_counted, short_label
from tiers.admin.rule_rows import ConditionForm, Rows, StepForm, known_values
from tiers.choices import RateKind
from tiers.engine.facts import RuleFacts
from tiers.engine.reading import Unreadable, read_rule
from tiers.models import PlanVersion, Rule

SPARE_STEPS, SPARE_CONDITIONS = 5, 3
MOST_GROUPS = 10
_OURS = re.compile(r"(steps|tests|group-[0-9]+)-([0-9]+-)?[a-z]+")
LIMITS = ("event_min", "event_max", "customer_max", "window_min", "window_max", "budget_max")
_FIELDS = {
    "flat_minor": "flat",
    "limits.window.kind": "limit_window",
    "limits.window.months": "limit_months",
    "limits.budget_window.kind": "budget_window",
    "window.kind": "window",
    "window.months": "window_months",
    "recurring.months": "lasts_for",
    "recurring.payments": "lasts_for",
    "recurring.schedule": "schedule",
}
_PARTS = {"from": "start"}


class Editor:
    """A rule of `version` being written: `rule` when there is one already, `data` what was posted."""

    def __init__(
        self, version: PlanVersion, *, rule: Rule | None = None, data: QueryDict | None = None
    ) -> None:
        self.version, self.program, self.rule, self.data = version, version.plan.program, rule, data
        self.kind, self.metric = self._chosen("kind", RateKind.PERCENT), self._chosen("metric", "revenue")
        initial = rule_initial.of(rule, self.program) if rule else {}
        self.form = RuleForm(
            data,
            initial={**rule_initial.FRESH, **initial},
            program=self.program,
            kind=self.kind,
            metric=self.metric,
        )
        self.steps = self._steps(rule)
        known = known_values(self.program)
        stored = rule_initial.conditions(rule, known) if rule else rule_initial.NO_CONDITIONS
        self.tests = self._conditions("tests", stored.tests, known)
        self.groups = [
            Group(self._conditions(f"group-{at}", tests, known), join, f"group-{at}-join")
            for at, (join, tests) in enumerate(self._grouped(stored))
        ]
        self._read: RuleFacts | None = None

    @property
    def model(self) -> Model:
        return MODELS[self.kind]

    @property
    def kind_label(self) -> str:
        return short_label(self.kind)

    @property
    def has_metric(self) -> bool:
        return "metric" in self.form.fields and self.model.has_steps

    @property
    def is_one_step(self) -> bool:
        """Whether the table has one row and no more."""
        return self.kind == RateKind.LIFETIME_VALUE

    @property
    def columns(self) -> tuple[str, ...]:
        return columns(self.kind, self.metric)

    @property
    def counts(self) -> bool:
        """Whether steps start at whole numbers: pieces, or percents of a target."""
        return self.kind == RateKind.ACCELERATOR or is_counted(self.kind, self.metric)

    def hush(self) -> None:
        """Show what was typed without judging it."""
        self.form.hush()
        for rows in self._rows():
            rows.hush()

    def is_valid(self) -> bool:
        """Say whether a rule can be made of what was typed; faults are then beside their fields."""
        read = [self.form.is_valid(), *(rows.is_valid() for rows in self._rows())]  # all, to name every fault
        if not all(read):
            return False
        try:
            self._read = read_rule(self.stored(), currency=self.program.currency)
        except Unreadable as error:
            self._blame(error)
            return False
        except ValueError as error:  # what reads well by itself and makes no rule together
            self.form.add_error(None, str(error))
            return False
        return True

    @property
    def facts(self) -> RuleFacts:
        """The rule as the engine reads it; only after `is_valid`."""
        assert self._read is not None  # noqa: S101
        return self._read

    @cached_property
    def faults(self) -> list[tuple[str, str]]:
        """Every fault with the id of the field to jump to, in the order of the page."""
        found = [("", str(error)) for error in self.form.non_field_errors()]
        for field in self.form:
            target = f"{field.auto_id}_0" if field.use_fieldset else field.auto_id
            found += [(target, f"{field.label}: {error}") for error in field.errors]
        return found + [fault for rows in self._rows() for fault in rows.faults()]

    def kept(self) -> Iterator[tuple[str, str]]:
        """Yield what was typed for other models, so that choosing one and coming back loses nothing."""
        if self.data is None:
            return
        shown = {field.html_name for field in self.form}.union(*(rows.names() for rows in self._rows()))
        shown |= {group.join_name for group in self.groups}
        for name, values in self.data.lists():
            if name not in shown and (name in RuleForm.base_fields or _OURS.fullmatch(name)):
                yield from ((name, str(value)) for value in values)

    def stored(self) -> dict[str, Any]:
        """Return the rule as it is stored; only after every part could be read."""
        given = self.form.cleaned_data
        flat = given.get("flat")
        return {
            "key": self.rule.key if self.rule else self.new_key(given["name"]),
            "name": given["name"],
            "position": self.rule.position if self.rule else 1,
            "kind": self.kind,
            "rate": given.get("rate") or Decimal(0),
            "flat_minor": flat.minor if isinstance(flat, Money) else 0,
            "flat_on_refund": given.get("flat_on_refund") or "pro_rata",
            "event_kinds": given.get("event_kinds", []),
            "tier_keys": given["tier_keys"],
            "countries": given.get("countries", []),
            "params": self._params(given),
            "conditions": self._stored_conditions(given),
            "unusual": given["unusual"],
        }

    def new_key(self, name: str) -> str:
        """Return a key for a rule of this name that no other rule of the version has."""
        taken = set(self.version.rules.values_list("key", flat=True))
        word = slugify(name)[:34] or "rule"
        tries = (word if at == 1 else f"{word}-{at}" for at in range(1, len(taken) + 2))
        return next(each for each in tries if each not in taken)

    def _params(self, given: Mapping[str, Any]) -> dict[str, Any]:
        params: dict[str, Any] = {}
        if self.model.has_steps:
            params["steps"] = [step.stored() for step in self.steps.filled]
        for name in ("metric", "crossing", "target", "package", "override_of"):
            if given.get(name):
                params[name] = given[name]
        if given.get("stacking"):
            params["stacking"] = True
        if given.get("window"):
            params["window"] = _window(given["window"], given.get("window_months"))
        if given.get("levels"):
            params["levels"] = [format(rate, "f") for rate in given["levels"]]
        if "lasts" in given:
            params["recurring"] = _recurring(given)
        if limits := _limits(given):
            params["limits"] = limits
        return params

    def _stored_conditions(self, given: Mapping[str, Any]) -> dict[str, Any]:
        tests: list[dict[str, Any]] = [row.stored() for row in self.tests.filled]
        tests += [
            {"join": group.join, "tests": [row.stored() for row in group.rows.filled]}
            for group in self.groups
            if group.rows.filled
        ]
        return {"join": given["join"], "tests": tests} if tests else {}

    def _blame(self, error: Unreadable) -> None:
        """Put a refusal of the engine beside the field it is about."""
        text = _(error.message) % dict(error.params)
        path = error.field.split(".")
        if path[0] == "steps" and self.steps.filled:
            row = self.steps.filled[int(path[1])] if len(path) > 1 else self.steps.filled[0]
            name = _PARTS.get(path[-1], path[-1])
            row.add_error(name if name in row.fields else "start", text)
        elif path[0] == "steps" and self.steps.forms:
            self.steps.forms[0].add_error("start", _("Fill in at least one row."))
        elif path[0] == "conditions":
            self._blame_condition(path[2:], text)
        else:
            self.form.add_error(self._field(error.field), text)

    def _blame_condition(self, path: list[str], text: str) -> None:
        rows = self.tests.filled
        if path and int(path[0]) >= len(rows):
            groups = [group.rows.filled for group in self.groups if group.rows.filled]
            rows, path = groups[int(path[0]) - len(rows)], path[2:]
        if not path:
            self.form.add_error(None, text)
            return
        part = path[1] if len(path) > 1 else "attribute"
        rows[int(path[0])].add_error(part, text)

    def _field(self, path: str) -> str | None:
        bare = re.sub(r"\.[0-9]+$", "", path)
        name = _FIELDS.get(bare, bare.removeprefix("limits."))
        return name if name in self.form.fields else None

    def _rows(self) -> list[Rows[Any]]:
        return [self.steps, self.tests, *(group.rows for group in self.groups)]

    def _steps(self, rule: Rule | None) -> Rows[StepForm]:
        initial = rule_initial.steps(rule, self.program) if rule and rule.kind == self.kind else []
        spare = 0
        if self.model.has_steps:
            spare = max(1 - len(initial), 0) if self.is_one_step else SPARE_STEPS
        rows = Rows(
            StepForm,
            "steps",
            data=self.data if self.model.has_steps else None,
            initial=initial if self.model.has_steps else [],
            spare=spare,
            currency=self.program.currency,
            columns=self.columns,
            counts=self.counts,
        )
        if self.is_one_step:
            del rows.forms[1:]
        return rows

    def _conditions(
        self, prefix: str, initial: list[dict[str, Any]], known: dict[str, dict[str, str]]
    ) -> Rows[ConditionForm]:
        return Rows(
            ConditionForm,
            prefix,
            data=self.data,
            initial=initial,
            spare=SPARE_CONDITIONS,
            currency=self.program.currency,
            known=known,
        )

    def _grouped(self, stored: rule_initial.Conditions) -> list[tuple[str, list[dict[str, Any]]]]:
        """Return the groups to show: what is stored and one more, or as many as were posted."""
        if self.data is None:
            return [*stored.groups, ("any", [])]
        posted = [at for at in range(MOST_GROUPS) if f"group-{at}-count" in self.data]
        return [("all" if self.data.get(f"group-{at}-join") == "all" else "any", []) for at in posted] or [
            ("any", [])
        ]

    def _chosen(self, name: str, otherwise: str) -> str:
        if self.data is not None:
            found = str(self.data.get(name, otherwise))
        elif self.rule is not None:
            found = self.rule.kind if name == "kind" else str(self.rule.params.get("metric", otherwise))
        else:
            found = otherwise
        return found if name == "metric" or found in MODELS else otherwise


class Group:
    """A group of conditions inside the others."""

    def __init__(self, rows: Rows[ConditionForm], join: str, join_name: str) -> None:
        self.rows, self.join, self.join_name = rows, join, join_name


def _window(kind: str, months: int | None) -> dict[str, Any]:
    return {"kind": kind, "months": months or 1} if kind in ("trailing", "joining") else {"kind": kind}


def _recurring(given: Mapping[str, Any]) -> dict[str, Any]:
    recurring: dict[str, Any] = {}
    if given["lasts"] in ("months", "payments"):
        recurring[given["lasts"]] = given["lasts_for"]
    if given.get("schedule"):
        recurring["schedule"] = [format(rate, "f") for rate in given["schedule"]]
    return recurring


def _limits(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the limits that were set, each period only beside what it is for."""
    limits: dict[str, Any] = {
        name: amount.minor for name in LIMITS if isinstance(amount := given.get(name), Money)
    }
    if {"window_min", "window_max"} & set(limits):
        limits["window"] = _window(given.get("limit_window") or "month", given.get("limit_months"))
    if "budget_max" in limits:
        limits["budget_window"] = _window(given.get("budget_window") or "lifetime", None)
    return limits
