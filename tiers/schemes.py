"""What the tiers of a program ask, version by version. At most one draft is written at a time, a published scheme never changes, and at
every instant at most one of them is in force."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from prm import audit
from prm.accounts import policy
from prm.lib import l10n
from prm.lib.errors import Refused
from tiers import qualify, scheme_lint
from tiers.choices import SchemeState
from tiers.models import Program, Tier, TierScheme
from tiers.scheme_lint import Finding

if TYPE_CHECKING:
    from prm.accounts.models import User

CAPABILITY = "manage_tiers"
Change = Callable[[qualify.Scheme], qualify.Scheme]


class NotADraft(Refused):
    message = _("This version is published and cannot be changed; make a new one.")


class Unreadable(Refused):
    """What was to be stored makes no sense; `field` is the path of the fault."""

    message = _("%(where)s: %(why)s")


class Unfit(Refused):
    """The scheme has faults, `findings`; the message is the first one, at its field."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(self.findings[0].message, field=_field(self.findings[0].where))


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
    """Begin the next version with what the newest one asks, the first one with nothing; an open draft is returned.

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
        definition=qualify.dump(_next_of(newest) if newest else qualify.Scheme()),
        created_at=at,
        created_by=by,
    )
    audit.record(by, "tier_scheme.drafted", row, at=at, number=row.number)
    return row


def _next_of(row: TierScheme) -> qualify.Scheme:
    """Return what a version asks of the tiers that are still in use."""
    in_use = {rung.key for rungs in ladders(row.program).values() for rung in rungs}
    scheme = scheme_of(row)
    return replace(scheme, asks={key: ask for key, ask in scheme.asks.items() if key in in_use})


def edit(row: TierScheme, definition: Mapping[str, Any], *, by: User, at: datetime) -> TierScheme:
    """Replace what a draft says. Raises: Forbidden, NotADraft, Unreadable, Unfit."""
    scheme = _readable(definition)
    return rewrite(row, lambda _before: scheme, by=by, at=at)


@transaction.atomic
def rewrite(row: TierScheme, change: Change, *, by: User, at: datetime, **what: Any) -> TierScheme:
    """Change a draft by `change`, which is told the draft as it is now: two people lose nothing of each other's.

    What is wrong by itself is refused at once; what the rest of the draft may still put right, when it is published.

    Raises: Forbidden, NotADraft, Unreadable, Unfit, and what `change` raises.
    """
    policy.require(by, CAPABILITY)
    held = _locked_draft(row)
    before = scheme_of(held)
    # Read back before it is kept, so that nothing is stored that could not be evaluated.
    definition = qualify.dump(change(before))
    _refuse_faults(held, before, _readable(definition))
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
    meant: Collection[str] = (),
) -> TierScheme:
    """Put a draft in force from `effective_at` on. Reviews that were held keep the version they were held by.

    A report on who would move is kept with it, unless the draft was changed after it was made. `meant` are codes of
    findings a person has confirmed; only `scheme_lint.WINDOWS` can be.

    Raises: Forbidden, NotADraft, NothingChanged, InThePast, BeforeTheLast, Unfit.
    """
    policy.require(by, CAPABILITY)
    held = _locked_draft(row)
    _check(held, effective_at=effective_at, at=at)
    faults = [each for each in findings(held, at=max(effective_at, at)) if each.severity == "error"]
    confirmed = {scheme_lint.WINDOWS} & set(meant)
    if left := [each for each in faults if each.code not in confirmed]:
        raise Unfit(left)
    # One version at most is the newest published, so the one before steps back first.
    TierScheme.objects.filter(program=held.program_id, state=SchemeState.PUBLISHED).update(
        state=SchemeState.SUPERSEDED
    )
    if held.report.get("definition") != fingerprint(held):
        held.report = {}
    held.state, held.effective_at = SchemeState.PUBLISHED, effective_at
    held.published_at, held.published_by = at, by
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


def findings(row: TierScheme, *, at: datetime | None = None) -> list[Finding]:
    """Return what is worth a look in a version, errors first; measured from `at` on when that is known."""
    return scheme_lint.findings_of(scheme_of(row), row.program, ladders(row.program), at=at)


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


def _refuse_faults(row: TierScheme, before: qualify.Scheme, after: qualify.Scheme) -> None:
    rungs = ladders(row.program)
    known = {(each.where, each.message) for each in scheme_lint.findings_of(before, row.program, rungs)}
    found = [
        each
        for each in scheme_lint.findings_of(after, row.program, rungs)
        if each.code in scheme_lint.BY_ITSELF and (each.where, each.message) not in known
    ]
    if found:
        raise Unfit(found)


def _readable(definition: Mapping[str, Any]) -> qualify.Scheme:
    try:
        return qualify.read(definition)
    except qualify.BadScheme as fault:
        raise Unreadable(
            params={"where": fault.where, "why": fault.why}, field=_field(fault.where)
        ) from fault


def _field(where: str) -> str:
    """Return the name of the field at the end of a path."""
    return where.rsplit("/", 1)[-1]


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
