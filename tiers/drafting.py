"""Write drafts of plan versions: settings, rules in their order, and examples. Only a draft can be written, one person at a time, and
each change is noted with who made it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from tiers.choices import VersionState
from tiers.models import PlanCase, PlanVersion, Rule

if TYPE_CHECKING:
    from prm.accounts.models import User

MOST_POSITIONS = 30_000


class NotADraft(Refused):
    message = _("Only a draft can be changed; this version is %(state)s.")


class NameTaken(Refused):
    message = _("Another example of this version has this name.")
    field = "name"


class TooManyRules(Refused):
    message = _("This version has too many rules.")


SETTINGS = (
    "combine",
    "deducts",
    "excluded_products",
    "excluded_categories",
    "grandfather",
    "notice_days",
)


@contextmanager
def _open(version: PlanVersion, *, by: User, at: datetime, **what: Any) -> Iterator[PlanVersion]:
    """Hold the draft while it is changed, and note the change when that went well."""
    policy.require(by, "publish_plans")
    with transaction.atomic():
        held = PlanVersion.objects.select_for_update().get(pk=version.pk)
        if held.state != VersionState.DRAFT:
            raise NotADraft(params={"state": held.get_state_display()})
        yield held
        audit.record(by, "plan_version.edited", held, at=at, **what)


def write_settings(version: PlanVersion, values: Mapping[str, Any], *, by: User, at: datetime) -> PlanVersion:
    """Set what holds for the whole version. Raises: Forbidden, NotADraft."""
    with _open(version, by=by, at=at, what="settings") as held:
        for name in SETTINGS:
            setattr(held, name, values[name])
        held.save(update_fields=[*SETTINGS])
    return held


def write_rule(
    version: PlanVersion, values: Mapping[str, Any], *, rule: Rule | None = None, by: User, at: datetime
) -> Rule:
    """Save a rule that can be read, a new one behind all others. Raises: Forbidden, NotADraft, TooManyRules."""
    with _open(version, by=by, at=at, what="rule", rule=values["key"]) as held:
        row = Rule.objects.get(pk=rule.pk, version=held) if rule else Rule(version=held)
        for name, value in values.items():
            if name not in ("position", "key") or rule is None:
                setattr(row, name, value)
        if rule is None:
            row.position = _next_position(held)
        row.save()
    return row


def remove_rule(rule: Rule, *, by: User, at: datetime) -> str:
    """Take a rule out of a draft and return its key. Raises: Forbidden, NotADraft."""
    with _open(rule.version, by=by, at=at, what="rule removed", rule=rule.key):
        rule.delete()
    return rule.key


def swap_rules(first: Rule, second: Rule, *, by: User, at: datetime) -> None:
    """Let two rules of a draft change places. Raises: Forbidden, NotADraft, TooManyRules."""
    with _open(first.version, by=by, at=at, what="order", rule=first.key) as held:
        rules = {rule.pk: rule for rule in Rule.objects.filter(version=held, pk__in=(first.pk, second.pk))}
        one, other = rules[first.pk], rules[second.pk]
        places = other.position, one.position
        one.position = _next_position(held)  # no two rules may share a place, not even for a moment
        one.save(update_fields=["position"])
        other.position, one.position = places[1], places[0]
        other.save(update_fields=["position"])
        one.save(update_fields=["position"])


def write_case(
    version: PlanVersion,
    *,
    name: str,
    facts: Mapping[str, Any],
    expected_minor: int,
    case: PlanCase | None = None,
    by: User,
    at: datetime,
) -> PlanCase:
    """Save an example of a draft. Raises: Forbidden, NotADraft, NameTaken."""
    with _open(version, by=by, at=at, what="example", example=name) as held:
        same = PlanCase.objects.filter(version=held, name=name)
        if (same.exclude(pk=case.pk) if case else same).exists():
            raise NameTaken
        row = PlanCase.objects.get(pk=case.pk, version=held) if case else PlanCase(version=held)
        row.name, row.facts, row.expected_minor = name, dict(facts), expected_minor
        row.save()
    return row


def remove_case(case: PlanCase, *, by: User, at: datetime) -> str:
    """Take an example out of a draft and return its name. Raises: Forbidden, NotADraft."""
    with _open(case.version, by=by, at=at, what="example removed", example=case.name):
        case.delete()
    return case.name


def _next_position(version: PlanVersion) -> int:
    last = Rule.objects.filter(version=version).aggregate(last=Max("position"))["last"] or 0
    if last >= MOST_POSITIONS:
        raise TooManyRules
    return last + 1
