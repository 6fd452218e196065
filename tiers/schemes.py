"""What the tiers of a program ask, version by version. At most one draft is written at a time, a published scheme never changes, and at
every instant at most one of them is in force."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from prm import audit
from prm.accounts import policy
from prm.lib import l10n
from prm.lib.errors import Refused
from tiers import qualify
from tiers.choices import SchemeState
from tiers.models import Program, Tier, TierScheme
from tiers.qualify import scheme as parts

if TYPE_CHECKING:
    from prm.accounts.models import User

CAPABILITY = "manage_tiers"
Change = Callable[[qualify.Scheme], qualify.Scheme]


class NotADraft(Refused):
    message = _("This version is published and cannot be changed; make a new one.")


class Unreadable(Refused):
    """What was to be stored makes no sense; `field` is the path of the fault."""

    message = _("%(where)s: %(why)s")


class NothingChanged(Refused):
    message = _("The draft asks exactly what the version in force asks.")


class InThePast(Refused):
    message = _(
        "Reviews were held by the version of their time: a new one begins now or later, not on %(moment)s."
        " Leave the date empty to begin at once."
    )
    field = "effective_on"


class BeforeTheLast(Refused):
    message = _("Version %(number)s takes effect on %(moment)s; a newer version begins after it.")
    field = "effective_on"


def in_force(program: Program, *, at: datetime) -> TierScheme | None:
    """Return the version that counts at `at`, None before the first."""
    found = TierScheme.objects.filter(program=program).in_force(at=at).first()
    if found is not None:
        found.program = program
    return found


def scheme_of(row: TierScheme) -> qualify.Scheme:
    """Return what a version says; read once for as long as the row holds the same definition. Raises: qualify.BadScheme."""
    kept: tuple[object, qualify.Scheme] | None = row.__dict__.get("_read_scheme")
    if kept is None or kept[0] is not row.definition:
        kept = row.__dict__["_read_scheme"] = (row.definition, qualify.read(row.definition))
    return kept[1]


def ladders(program: Program) -> dict[str, tuple[qualify.Rung, ...]]:
    """Return the program's ladders by track, each with its tiers in use from the lowest rank up."""
    found: dict[str, list[qualify.Rung]] = {}
    for tier in Tier.objects.filter(program=program).in_use().by_rank():
        found.setdefault(tier.track, []).append(qualify.Rung(tier.key, tier.rank, tier.name))
    return {track: tuple(rungs) for track, rungs in found.items()}


def ladder_of(program: Program, track: str) -> tuple[qualify.Rung, ...]:
    """Return one ladder of a program, from the lowest rank up; empty when no tier of it is in use."""
    return ladders(program).get(track, ())


@transaction.atomic
def draft(program: Program, *, by: User, at: datetime) -> TierScheme:
    """Begin the next version with what the newest one asks; an open draft is returned.

    The first one begins with the net revenue of 12 months that tiers were described by before.

    Raises: Forbidden.
    """
    policy.require(by, CAPABILITY)
    _lock(program)
    mine = TierScheme.objects.filter(program=program)
    found = mine.filter(state=SchemeState.DRAFT).first()
    if found is not None:
        return found
    newest = mine.published().order_by("-number").first()
    row = TierScheme.objects.create(
        program=program,
        number=(mine.aggregate(newest=Max("number"))["newest"] or 0) + 1,
        definition=newest.definition if newest else qualify.dump(first_of(program)),
        created_at=at,
        created_by=by,
    )
    audit.record(by, "tier_scheme.drafted", row, at=at, number=row.number)
    return row


def first_of(program: Program) -> qualify.Scheme:
    """Return a scheme that asks for the revenue which tiers were described by before there were schemes."""
    asks = {}
    for tier in Tier.objects.filter(program=program, revenue_from_minor__gt=0).in_use().by_rank():
        asks[tier.key] = parts.Ask((_revenue(tier.revenue_from_minor),))
    for rungs in ladders(program).values():
        asks.pop(rungs[0].key, None)  # the lowest rung is everybody's
    return qualify.Scheme(asks=asks)


def _revenue(minor: int) -> parts.Requirement:
    question = parts.Question("net_revenue", parts.Window(parts.TRAILING, 12))
    return parts.Requirement("revenue", question, parts.AT_LEAST, Fraction(minor))


def edit(row: TierScheme, definition: Mapping[str, Any], *, by: User, at: datetime) -> TierScheme:
    """Replace what a draft says. Raises: Forbidden, NotADraft, Unreadable."""
    try:
        scheme = qualify.read(definition)
    except qualify.BadScheme as fault:
        raise Unreadable(params={"where": fault.where, "why": fault.why}, field=fault.where) from fault
    return rewrite(row, lambda _before: scheme, by=by, at=at)


@transaction.atomic
def rewrite(row: TierScheme, change: Change, *, by: User, at: datetime, **what: Any) -> TierScheme:
    """Change a draft by `change`, which is told the draft as it is now: two people lose nothing of each other's.

    Raises: Forbidden, NotADraft, Unreadable, and what `change` raises.
    """
    policy.require(by, CAPABILITY)
    held = _locked_draft(row)
    # Read back before it is kept, so that nothing is stored that could not be evaluated.
    definition = qualify.dump(change(scheme_of(held)))
    try:
        qualify.read(definition)
    except qualify.BadScheme as fault:
        raise Unreadable(params={"where": fault.where, "why": fault.why}, field=fault.where) from fault
    held.definition = definition
    held.save(update_fields=["definition"])
    audit.record(by, "tier_scheme.edited", held, at=at, **what)
    return held


@transaction.atomic
def publish(
    row: TierScheme,
    *,
    effective_at: datetime,
    by: User,
    at: datetime,
    report: Mapping[str, Any] | None = None,
) -> TierScheme:
    """Put a draft in force from `effective_at` on. Reviews that were held keep the version they were held by.

    `report` says who would have moved, as it was looked at before.

    Raises: Forbidden, NotADraft, NothingChanged, InThePast, BeforeTheLast.
    """
    policy.require(by, CAPABILITY)
    held = _locked_draft(row)
    _check(held, effective_at=effective_at, at=at)
    # One version at most is the newest published, so the one before steps back first.
    TierScheme.objects.filter(program=held.program_id, state=SchemeState.PUBLISHED).update(
        state=SchemeState.SUPERSEDED
    )
    held.state, held.effective_at = SchemeState.PUBLISHED, effective_at
    held.published_at, held.published_by = at, by
    held.report = dict(report or {})
    held.sha256 = fingerprint(held)
    held.save()
    audit.record(
        by,
        "tier_scheme.published",
        held,
        at=at,
        number=held.number,
        effective_at=effective_at,
        fingerprint=held.sha256,
    )
    return held


@transaction.atomic
def discard(row: TierScheme, *, by: User, at: datetime) -> Program:
    """Throw a draft away, and return the program it was for. Raises: Forbidden, NotADraft."""
    policy.require(by, CAPABILITY)
    held = _locked_draft(row)
    audit.record(by, "tier_scheme.discarded", held, at=at, number=held.number)
    held.delete()
    return held.program


def fingerprint(row: TierScheme) -> str:
    """Return the SHA-256 of what a version says and from when on."""
    said = {
        "program": row.program.public_id,
        "number": row.number,
        "effective_at": row.effective_at.astimezone(UTC).isoformat() if row.effective_at else None,
        "definition": row.definition,
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _check(held: TierScheme, *, effective_at: datetime, at: datetime) -> None:
    newest = TierScheme.objects.filter(program=held.program_id).published().order_by("-number").first()
    if newest is None or newest.effective_at is None:
        return
    if newest.definition == held.definition:
        raise NothingChanged
    if effective_at < at:
        raise InThePast(params={"moment": _moment(held, effective_at)})
    if effective_at <= newest.effective_at:
        raise BeforeTheLast(
            params={"number": newest.number, "moment": _moment(held, newest.effective_at)},
        )


def _moment(row: TierScheme, instant: datetime) -> str:
    return l10n.datetime_text(instant, row.program.zone, l10n.active_locale())


def _lock(program: Program) -> None:
    """Let one at a time make versions of a program's scheme; what else happens to it goes on meanwhile."""
    Program.objects.select_for_update(no_key=True).values_list("pk").get(pk=program.pk)


def _locked_draft(row: TierScheme) -> TierScheme:
    _lock(row.program)
    held = TierScheme.objects.lock().select_related("program").filter(pk=row.pk).first()
    if held is None or held.state != SchemeState.DRAFT:
        raise NotADraft
    return held
