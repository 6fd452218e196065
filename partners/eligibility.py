"""Let rules decide on applications. Rules are asked once, when an application begins to count, in their order; the first that is met
decides, by the same verbs as a person and in the name of whoever switched it on. What it saw is on record, without personal data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Cast

from partners import approval, screening
from partners.choices import ApplicationState, ReferenceAnswer, RuleDecision
from partners.eligibility_conditions import ANSWER, Condition, Known, holds, number, read
from partners.models import Application, EligibilityRule
from partners.screening_around import Around, look_around
from prm import audit
from prm.audit.models import AuditEvent
from prm.lib.errors import Refused
from prm.lib.periods import local_day
from tiers.models import Program

ASKED = "application.rules_asked"
BY_RULE = "application.decided_by_rule"
FLAGGED = "application.flagged_by_rule"
# What may be written into the record: never what a person typed about themselves.
_SHOWN = frozenset({"country", "partnership_type", "signals", "audience", "references_confirmed"})


@dataclass(frozen=True)
class Tried:
    """What a rule would have done with applications that exist."""

    looked_at: int = 0
    met: list[Application] = field(default_factory=list)


def facts_of(application: Application, around: Around) -> dict[str, Known]:
    """Return what rules may ask about an application; what nobody knows is not among it."""
    given = around.references.get(application.pk, [])
    stated = {
        "country": application.country,
        "partnership_type": application.partnership_type or application.program.partnership_type,
        "email_domain": screening.domain_of(application.email),
    }
    known: dict[str, Known] = {name: value for name, value in stated.items() if value}
    known["signals"] = screening.codes_of(screening.signals(application, around))
    known["references_confirmed"] = Decimal(sum(each.answer == ReferenceAnswer.CONFIRMED for each in given))
    audience = audience_of(application)
    if audience is not None:
        known["audience"] = audience
    return known | {f"{ANSWER}{key}": value for key, value in _answers(application.answers)}


def audience_of(application: Application) -> Decimal | None:
    """Return how many people the channels reach together, as far as numbers were given."""
    channels = application.channels if isinstance(application.channels, list) else []
    numbers = [number(each.get("audience")) for each in channels if isinstance(each, dict)]
    given = [each for each in numbers if each is not None]
    return sum(given, Decimal(0)) if given else None


def meets(rule: EligibilityRule, known: Mapping[str, Known]) -> bool:
    """Say whether every condition of a rule holds."""
    return all(holds(condition, known.get(condition.field)) for condition in read(rule.conditions))


def first_met(rules: Iterable[EligibilityRule], known: Mapping[str, Known]) -> EligibilityRule | None:
    """Return the first rule whose conditions all hold."""
    return next((rule for rule in rules if meets(rule, known)), None)


def rules_of(program: Program | int) -> QuerySet[EligibilityRule]:
    """Return the rules a program uses, in their order."""
    found = EligibilityRule.objects.in_use().filter(program=program)
    return found.select_related("activated_by", "tier").order_by("position", "pk")


def decide(application: Application, *, at: datetime) -> EligibilityRule | None:
    """Ask the rules about an application that has just begun to count, and return the one that decided or flagged it.

    An application is asked about once; one that somebody began to look at is left to that person. A rule that is refused, because
    its author may not decide any more or somebody was faster, leaves the application to people.
    """
    application = Application.objects.select_related("program", "rule").get(pk=application.pk)
    if application.state != ApplicationState.SUBMITTED or application.counts_since is None:
        return None
    rules = [rule for rule in rules_of(application.program) if _was_there(rule, application)]
    if not rules or _was_asked(application):
        return None
    known = facts_of(application, look_around([application]))
    rule = first_met(rules, known)
    if rule is None:
        audit.record(None, ASKED, application, at=at, rules=[each.public_id for each in rules])
        return None
    try:
        _carry_out(rule, application, known, at=at)
    except Refused as refusal:
        audit.record(None, ASKED, application, at=at, rule=rule, refused=refusal.code)
        return None
    return rule


def try_on(rule: EligibilityRule, *, most: int = 500) -> Tried:
    """Return which of the newest applications of the program the rule would have been met by; nothing is changed."""
    sent = Application.objects.filter(program=rule.program_id, submitted_at__isnull=False, erased_at=None)
    newest = list(sent.select_related("program", "rule").order_by("-submitted_at", "-pk")[:most])
    around = look_around(newest)
    return Tried(len(newest), [each for each in newest if meets(rule, facts_of(each, around))])


def missed(*, at: datetime, since: timedelta = timedelta(days=7)) -> QuerySet[Application]:
    """Return applications that count, that nobody began to look at, and about which no rule was asked although one was in use."""
    own_rules = EligibilityRule.objects.in_use().filter(program=OuterRef("program"))
    asked = AuditEvent.objects.filter(
        action__in=[ASKED, FLAGGED, BY_RULE],
        object_type=Application._meta.label_lower,
        object_pk=Cast(OuterRef("pk"), CharField()),
    )
    fresh = Application.objects.counting().filter(state=ApplicationState.SUBMITTED)
    recent = Q(submitted_at__gt=at - since) | Q(email_confirmed_at__gt=at - since)
    return fresh.filter(recent, Exists(own_rules), ~Exists(asked)).order_by("pk")


@transaction.atomic
def _carry_out(
    rule: EligibilityRule, application: Application, known: Mapping[str, Known], *, at: datetime
) -> None:
    by = rule.activated_by
    assert by is not None  # noqa: S101  # a rule in use was switched on by somebody
    held = [_on_record(condition, known) for condition in read(rule.conditions)]
    if rule.decision == RuleDecision.FLAG:
        waiting = Application.objects.filter(pk=application.pk, state=ApplicationState.SUBMITTED)
        if waiting.update(rule=rule):
            audit.record(None, FLAGGED, application, at=at, rule=rule, conditions=held)
        return
    if rule.decision == RuleDecision.APPROVE:
        assert rule.tier is not None  # noqa: S101  # the database sees to it
        approval.approve(application, tier=rule.tier, by=by, at=at, note=rule.note, rule=rule)
    else:
        days = rule.reapply_days
        again = local_day(at + timedelta(days=days), application.program.zone) if days else None
        approval.reject(
            application, reason=rule.reason, by=by, at=at, note=rule.note, reapply_on=again, rule=rule
        )
    audit.record(None, BY_RULE, application, at=at, rule=rule, decision=rule.decision, conditions=held)


def _on_record(condition: Condition, known: Mapping[str, Known]) -> dict[str, object]:
    seen = known.get(condition.field)
    shown = sorted(seen) if isinstance(seen, frozenset) else str(seen)
    return {**condition.stored(), **({"seen": shown} if condition.field in _SHOWN else {})}


def _was_there(rule: EligibilityRule, application: Application) -> bool:
    """Say whether a rule was in use when the application began to count: rules do not look back."""
    began, since = application.counts_since, rule.activated_at
    return began is not None and since is not None and since <= began


def _was_asked(application: Application) -> bool:
    events = AuditEvent.objects.filter(
        object_type=application._meta.label_lower, object_pk=str(application.pk)
    )
    return events.filter(action__in=[ASKED, FLAGGED, BY_RULE]).exists()


def _answers(answers: object) -> Iterable[tuple[str, Known]]:
    for key, value in answers.items() if isinstance(answers, dict) else ():
        if isinstance(value, list):
            yield str(key), frozenset(str(each) for each in value)
        elif isinstance(value, bool):
            yield str(key), "yes" if value else "no"
        elif value not in (None, ""):
            yield str(key), str(value)
