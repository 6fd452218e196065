"""Keep the rules by which a program gives credit, in versions. An event is judged by the version in force when it happened; a program
that has published none gives credit as `standard` says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils.translation import gettext_lazy as _

from prm import audit
from prm.accounts import policy
from prm.accounts.models import User
from prm.lib import l10n
from prm.lib.errors import Refused
from prm.lib.events import announce
from referrals import attribution_lint
from referrals.attribution.settings import Settings, dump, read, standard
from referrals.attribution_lint import Finding
from referrals.choices import AttributionState
from referrals.events import AttributionPublished
from referrals.models import AttributionVersion, Credit
from tiers.models import Program

CAPABILITY = "manage_attribution"


class NotADraft(Refused):
    message = _("This version is published and cannot be changed: make a new one.")


class Unreadable(Refused):
    message = _("These rules cannot be read: %(why)s")


class Unfit(Refused):
    """The rules have faults, `findings`; the message is the first one, at its field."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(findings[0].message, field=findings[0].field)


class NothingChanged(Refused):
    message = _("The draft gives credit exactly as the rules before it do.")


class InThePast(Refused):
    message = _(
        "Credit was given by the rules of its time: a new version begins now or later, not on %(moment)s. Leave the"
        " date empty to begin at once."
    )
    field = "effective_on"


class BeforeTheLast(Refused):
    message = _("Version %(number)s takes effect on %(moment)s: a newer version begins after it.")
    field = "effective_on"


class CreditGivenSince(Refused):
    """The first version reaches back over events that were credited without it."""

    message = _(
        "The first version can reach back, but not over what was credited already: the last such event was on %(moment)s."
    )
    field = "effective_on"


def in_force(program: Program, *, at: datetime) -> AttributionVersion | None:
    """Return the version that judges events at `at`; nothing where none had begun."""
    found = AttributionVersion.objects.filter(program=program).in_force(at=at).first()
    if found is not None:
        found.program = program
    return found


def coming(program: Program, *, at: datetime) -> list[AttributionVersion]:
    """Return the versions that are published and begin after `at`, the next one first."""
    rows = AttributionVersion.objects.filter(program=program).published().filter(effective_at__gt=at)
    return list(rows.order_by("effective_at", "number"))


def settings_at(program: Program, *, at: datetime) -> Settings:
    """Return how credit is given for events at `at`."""
    return settings_of(in_force(program, at=at), program)


def settings_of_all(programs: Sequence[Program], *, at: datetime) -> dict[int, Settings]:
    """Return how credit is given in each program for events at `at`, in one query."""
    rows = AttributionVersion.objects.filter(program__in=programs).in_force(at=at)
    newest: dict[int, AttributionVersion] = {}
    for row in rows:
        newest.setdefault(row.program_id, row)
    return {program.pk: settings_of(newest.get(program.pk), program) for program in programs}


def settings_of(version: AttributionVersion | None, program: Program) -> Settings:
    """Return what a version says; without one, what holds for a program that published nothing."""
    return standard(program.cookie_days) if version is None else read(version.definition)


def findings(version: AttributionVersion) -> list[Finding]:
    """Return what is worth a look in a version, errors first."""
    return attribution_lint.findings_of(read(version.definition), version.program)


@transaction.atomic
def draft(program: Program, *, by: User, at: datetime) -> AttributionVersion:
    """Begin the next version with what the newest one says, the first one with what holds without any; an open draft is returned.

    Raises: Forbidden.
    """
    policy.require(by, CAPABILITY)
    _lock(program)
    mine = AttributionVersion.objects.filter(program=program)
    found = mine.filter(state=AttributionState.DRAFT).first()
    if found is not None:
        return found
    row = AttributionVersion.objects.create(
        program=program,
        number=(mine.aggregate(newest=Max("number"))["newest"] or 0) + 1,
        definition=dump(settings_of(_newest(program), program)),
        created_at=at,
        created_by=by,
    )
    audit.record(by, "attribution_version.drafted", row, at=at, number=row.number)
    return row


@transaction.atomic
def edit(
    version: AttributionVersion, said: Settings | Mapping[str, Any], *, by: User, at: datetime
) -> AttributionVersion:
    """Replace what a draft says; faults in it are told when it is published.

    Raises: Forbidden, NotADraft, Unreadable.
    """
    policy.require(by, CAPABILITY)
    held = _locked_draft(version)
    before, held.definition = held.definition, _readable(said)
    if before == held.definition:
        return held
    held.save(update_fields=["definition"])
    changed = sorted(key for key, value in held.definition.items() if value != before.get(key))
    audit.record(by, "attribution_version.edited", held, at=at, fields=changed)
    return held


@transaction.atomic
def publish(
    version: AttributionVersion, *, effective_at: datetime, by: User, at: datetime
) -> AttributionVersion:
    """Let a draft judge the events from `effective_at` on. What was credited before keeps its credit.

    Raises: Forbidden, NotADraft, NothingChanged, InThePast, BeforeTheLast, CreditGivenSince, Unfit.
    """
    policy.require(by, CAPABILITY)
    held = _locked_draft(version)
    _check(held, effective_at=effective_at, at=at)
    faults = [each for each in findings(held) if each.severity == "error"]
    if faults:
        raise Unfit(faults)
    AttributionVersion.objects.filter(program=held.program_id, state=AttributionState.PUBLISHED).update(
        state=AttributionState.SUPERSEDED
    )
    held.state, held.effective_at = AttributionState.PUBLISHED, effective_at
    held.published_at, held.published_by = at, by
    held.save()
    audit.record(
        by, "attribution_version.published", held, at=at, number=held.number, effective_at=effective_at
    )
    announce(AttributionPublished(held.pk))
    return held


@transaction.atomic
def discard(version: AttributionVersion, *, by: User, at: datetime) -> Program:
    """Throw a draft away, and return the program it was for. Raises: Forbidden, NotADraft."""
    policy.require(by, CAPABILITY)
    held = _locked_draft(version)
    audit.record(by, "attribution_version.discarded", held, at=at, number=held.number)
    held.delete()
    return held.program


def before(version: AttributionVersion) -> AttributionVersion | None:
    """Return the version that holds until this one begins; for a draft the newest published one."""
    rows = AttributionVersion.objects.filter(program=version.program_id).published()
    return rows.filter(number__lt=version.number).order_by("-number").first()


def _newest(program: Program) -> AttributionVersion | None:
    published: QuerySet[AttributionVersion] = AttributionVersion.objects.filter(program=program).published()
    return published.order_by("-number").first()


def _check(held: AttributionVersion, *, effective_at: datetime, at: datetime) -> None:
    newest = _newest(held.program)
    if newest is None or newest.effective_at is None:
        _check_first(held, effective_at=effective_at, at=at)
        return
    if newest.definition == held.definition:
        raise NothingChanged
    if effective_at < at:
        raise InThePast(params={"moment": _moment(held, effective_at)})
    if effective_at <= newest.effective_at:
        raise BeforeTheLast(
            params={"number": newest.number, "moment": _moment(held, newest.effective_at)},
        )


def _check_first(held: AttributionVersion, *, effective_at: datetime, at: datetime) -> None:
    """Let the first version begin with the program, unless credit was given by other rules since."""
    if held.definition == dump(standard(held.program.cookie_days)):
        raise NothingChanged
    if effective_at >= at:
        return
    given = Credit.objects.filter(membership__program=held.program, occurred_at__gte=effective_at)
    last = given.order_by("-occurred_at").values_list("occurred_at", flat=True).first()
    if last is not None:
        raise CreditGivenSince(params={"moment": _moment(held, last)})


def _readable(said: Settings | Mapping[str, Any]) -> dict[str, Any]:
    """Return the rules as they are stored, read back once so that nothing is kept that could not be evaluated."""
    try:
        return dump(read(dump(said) if isinstance(said, Settings) else said))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(params={"why": str(error)}) from error


def _moment(row: AttributionVersion, instant: datetime) -> str:
    return l10n.datetime_text(instant, row.program.zone, l10n.active_locale())


def _lock(program: Program) -> None:
    """Let one at a time make versions of a program's rules; what else happens to it goes on meanwhile."""
    Program.objects.select_for_update(no_key=True).values_list("pk").get(pk=program.pk)


def _locked_draft(version: AttributionVersion) -> AttributionVersion:
    _lock(version.program)
    held = AttributionVersion.objects.lock().select_related("program").filter(pk=version.pk).first()
    if held is None or held.state != AttributionState.DRAFT:
        raise NotADraft
    return held
