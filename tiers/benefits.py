"""What tiers give besides rates: a catalogue for each program, and what each tier gives of every line of it. A line that is taken away stays
on record and is shown nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from prm.lib.texts import in_language, kept
from tiers.choices import BenefitKind
from tiers.models import Benefit, Program, Tier, TierBenefit

if TYPE_CHECKING:
    from prm.accounts.models import User

CAPABILITY = "manage_tiers"
LANGUAGES = tuple(code for code, _name in settings.LANGUAGES)
LONGEST_NAME, LONGEST_VALUE = 80, 200
MOST = 60


class NeedsAName(Refused):
    message = _("Say what it is: nothing else does.")
    field = "name_en"


class TooLong(Refused):
    message = _("At most %(most)s characters, please.")


class TooMany(Refused):
    message = _("A program has %(most)s benefits at most.")


class Elsewhere(Refused):
    message = _("This tier belongs to another program.")


class Gone(Refused):
    message = _("This benefit was taken away meanwhile.")


@dataclass(frozen=True)
class Given:
    """One benefit as a tier gives it; `value` is empty where there is nothing more to say than yes."""

    kind: str
    label: str
    value: str

    @property
    def text(self) -> str:
        """Return both in one line: Support level: an answer within a day."""
        return f"{self.label}: {self.value}" if self.value else self.label


@dataclass(frozen=True)
class Row:
    """One line of the catalogue with what each tier gives of it, by the tier's id; a tier that gives nothing is left out."""

    benefit: Benefit
    label: str
    cells: Mapping[int, str]


def label_of(benefit: Benefit) -> str:
    """Return what a benefit is called in the language in force."""
    return in_language(benefit.name) or str(BenefitKind(benefit.kind).label)


def catalogue(program: Program) -> list[Benefit]:
    """Return the benefits of a program in their order."""
    return list(Benefit.objects.filter(program=program, removed_at=None).order_by("position", "pk"))


def matrix(program: Program) -> list[Row]:
    """Return the catalogue with what every tier gives, in two queries."""
    rows = catalogue(program)
    cells: dict[int, dict[int, str]] = {}
    for each in TierBenefit.objects.filter(benefit__in=rows):
        cells.setdefault(each.benefit_id, {})[each.tier_id] = in_language(each.value)
    return [Row(each, label_of(each), cells.get(each.pk, {})) for each in rows]


def given_by(tiers: Iterable[Tier]) -> dict[int, tuple[Given, ...]]:
    """Return what each of the tiers gives, by its id: the catalogue's lines in order, then the lines written for the tier alone."""
    wanted = {tier.pk: tier for tier in tiers}
    found: dict[int, list[Given]] = {pk: [] for pk in wanted}
    given = TierBenefit.objects.filter(tier__in=wanted, benefit__removed_at=None).select_related("benefit")
    for each in given.order_by("benefit__position", "benefit_id"):
        benefit = each.benefit
        found[each.tier_id].append(Given(benefit.kind, label_of(benefit), in_language(each.value)))
    for pk, tier in wanted.items():
        lines = (line.strip(" -•") for line in tier.benefits.splitlines())
        found[pk] += [Given("", line, "") for line in lines if line]
    return {pk: tuple(rows) for pk, rows in found.items()}


@transaction.atomic
def add(program: Program, *, kind: str, name: Mapping[str, str], by: User, at: datetime) -> Benefit:
    """Put a line at the end of a program's catalogue. Raises: Forbidden, NeedsAName, TooLong, TooMany."""
    policy.require(by, CAPABILITY)
    Program.objects.select_for_update(no_key=True).values_list("pk").get(pk=program.pk)
    rows = catalogue(program)
    if len(rows) >= MOST:
        raise TooMany(params={"most": MOST})
    made = Benefit.objects.create(
        program=program,
        kind=kind,
        name=_name(kind, name),
        position=max((each.position for each in rows), default=0) + 1,
    )
    audit.record(by, "benefit.added", made, at=at, kind=kind)
    return made


@transaction.atomic
def change(benefit: Benefit, *, kind: str, name: Mapping[str, str], by: User, at: datetime) -> Benefit:
    """Change what a line is. Raises: Forbidden, Gone, NeedsAName, TooLong."""
    policy.require(by, CAPABILITY)
    held = _held(benefit)
    before = (held.kind, held.name)
    held.kind, held.name = kind, _name(kind, name)
    if (held.kind, held.name) != before:
        held.save(update_fields=["kind", "name"])
        audit.record(by, "benefit.changed", held, at=at, kind=kind)
    return held


@transaction.atomic
def give(benefit: Benefit, values: Mapping[int, Mapping[str, str] | None], *, by: User, at: datetime) -> None:
    """Say what each tier gives of a line: texts by language, no text for a plain yes, None for nothing.

    Tiers that are not named keep what they give.

    Raises: Forbidden, Gone, Elsewhere, TooLong.
    """
    policy.require(by, CAPABILITY)
    held = _held(benefit)
    own = set(Tier.objects.filter(program=held.program_id, pk__in=values).values_list("pk", flat=True))
    if own != set(values):
        raise Elsewhere
    now = {each.tier_id: each.value for each in TierBenefit.objects.filter(benefit=held, tier__in=own)}
    changed = []
    for tier_id, told in values.items():
        value = None if told is None else _value(told, tier_id)
        if value == now.get(tier_id):
            continue
        changed.append(tier_id)
        if value is None:
            TierBenefit.objects.filter(benefit=held, tier=tier_id).delete()
        else:
            TierBenefit.objects.update_or_create(benefit=held, tier_id=tier_id, defaults={"value": value})
    if changed:
        keys = Tier.objects.filter(pk__in=changed).order_by("key").values_list("key", flat=True)
        audit.record(by, "benefit.given", held, at=at, tiers=list(keys))


@transaction.atomic
def move(benefit: Benefit, *, up: bool, by: User, at: datetime) -> None:
    """Exchange a line with the one above or below it; at the end nothing happens. Raises: Forbidden, Gone."""
    policy.require(by, CAPABILITY)
    held = _held(benefit)
    rows = catalogue(held.program)
    place = rows.index(held)
    other = place - 1 if up else place + 1
    if not 0 <= other < len(rows):
        return
    rows[place], rows[other] = rows[other], rows[place]
    for position, each in enumerate(rows, start=1):
        Benefit.objects.filter(pk=each.pk).exclude(position=position).update(position=position)
    audit.record(by, "benefit.moved", held, at=at)


@transaction.atomic
def remove(benefit: Benefit, *, by: User, at: datetime) -> Benefit:
    """Take a line away: no tier gives it any more. Raises: Forbidden, Gone."""
    policy.require(by, CAPABILITY)
    held = _held(benefit)
    held.removed_at = at
    held.save(update_fields=["removed_at"])
    audit.record(by, "benefit.removed", held, at=at)
    return held


def _held(benefit: Benefit) -> Benefit:
    """Return the line as it is now; whoever writes the catalogue holds the program, so that two do it one after the other."""
    Program.objects.select_for_update(no_key=True).values_list("pk").get(pk=benefit.program_id)
    held = Benefit.objects.select_related("program").get(pk=benefit.pk)
    if held.removed_at is not None:
        raise Gone
    return held


def _name(kind: str, name: Mapping[str, str]) -> dict[str, str]:
    told = kept(name, languages=LANGUAGES)
    if kind == BenefitKind.OTHER and not told:
        raise NeedsAName
    for code, text in told.items():
        if len(text) > LONGEST_NAME:
            raise TooLong(params={"most": LONGEST_NAME}, field=f"name_{code}")
    return told


def _value(told: Mapping[str, str], tier_id: int) -> dict[str, str]:
    value = kept(told, languages=LANGUAGES)
    for code, text in value.items():
        if len(text) > LONGEST_VALUE:
            raise TooLong(params={"most": LONGEST_VALUE}, field=f"value_{tier_id}_{code}")
    return value
