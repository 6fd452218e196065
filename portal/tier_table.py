"""The tiers of a program side by side, as strangers and partners compare them: what is asked, what a sale earns, what else is given. Every
sentence is made from what reviews evaluate and from the rules that pay."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from partners import terms, tier_places
from partners.models import TermsVersion
from portal.formats import active_locale
from tiers import benefits, requirement_sentences, schemes
from tiers.models import Program, Tier
from tiers.narrowing import Names

MANY = 4  # more tiers than this beside each other need the whole width


@dataclass(frozen=True)
class Cell:
    """What one tier says in one row: lines, with a line above them where they go together in some way."""

    tier: Tier
    lines: tuple[str, ...] = ()
    lead: str = ""
    terms: TermsVersion | None = None


@dataclass(frozen=True)
class Row:
    label: str
    cells: tuple[Cell, ...]
    is_benefit: bool = False


@dataclass(frozen=True)
class Ladder:
    """One ladder of a program; `track` is empty where there is only one."""

    track: str
    tiers: tuple[Tier, ...]
    rows: tuple[Row, ...]

    @property
    def is_many(self) -> bool:
        return len(self.tiers) > MANY


def ladders_of(
    program: Program,
    tiers: Sequence[Tier],
    rates: Callable[[Tier], Iterable[str]],
    *,
    at: datetime,
) -> tuple[Ladder, ...]:
    """Return the tables of a program's ladders. `tiers` are those in use, ladder by ladder, lowest rank first; `rates` says what a sale
    earns in one."""
    asked = _Asked(program, tiers, at=at)
    given = benefits.given_by(tiers)
    free = tier_places.free_in(tiers, at=at)
    own = terms.own_of_tiers(program, at)
    tracks = dict.fromkeys(tier.track for tier in tiers)
    found = []
    for track in tracks:
        there = tuple(tier for tier in tiers if tier.track == track)
        rows = [
            Row(_("What we ask"), tuple(asked.cell(tier) for tier in there)),
            Row(_("What you earn"), tuple(Cell(tier, tuple(rates(tier))) for tier in there)),
            *_given(there, given),
        ]
        if any(tier.capacity is not None for tier in there):
            rows.append(Row(_("Places"), tuple(Cell(tier, (_places(tier, free),)) for tier in there)))
        if any(tier.pk in own for tier in there):
            rows.append(Row(_("Terms"), tuple(_terms(tier, own.get(tier.pk)) for tier in there)))
        rows = [row for row in rows if any(cell.lines or cell.terms for cell in row.cells)]
        found.append(Ladder(track if len(tracks) > 1 else "", there, tuple(rows)))
    return tuple(found)


class _Asked:
    """What the scheme in force asks of each tier."""

    def __init__(self, program: Program, tiers: Sequence[Tier], *, at: datetime) -> None:
        self.program = program
        row = schemes.in_force(program, at=at)
        self.scheme = schemes.scheme_of(row) if row is not None else None
        self.lowest = {tier.track: tier for tier in reversed(tiers)}
        self.names = Names(program)

    def cell(self, tier: Tier) -> Cell:
        if self.lowest[tier.track] == tier:
            return Cell(tier, (_("Everybody starts here"),))
        ask = self.scheme.ask_of(tier.key) if self.scheme is not None else None
        if ask is None or not ask.requirements:
            return Cell(tier, (_("We place partners here"),))
        said = requirement_sentences.of_ask(ask, self.program, active_locale(), names=self.names)
        return Cell(tier, tuple(said), lead=requirement_sentences.combined(ask))


def _given(tiers: Sequence[Tier], given: dict[int, tuple[benefits.Given, ...]]) -> list[Row]:
    """Return one row for each line of the catalogue that a tier of the ladder gives, and one for what is written for tiers alone."""
    labels = dict.fromkeys(each.label for tier in tiers for each in given[tier.pk] if each.kind)
    rows = []
    for label in labels:
        values = [
            next((each.value or _("Yes") for each in given[tier.pk] if each.kind and each.label == label), "")
            for tier in tiers
        ]
        cells = [
            Cell(tier, (value,)) if value else Cell(tier) for tier, value in zip(tiers, values, strict=True)
        ]
        rows.append(Row(label, tuple(cells), is_benefit=True))
    free_texts = [tuple(each.label for each in given[tier.pk] if not each.kind) for tier in tiers]
    label = _("Also") if labels else _("What you get")
    rows.append(Row(label, tuple(Cell(tier, lines) for tier, lines in zip(tiers, free_texts, strict=True))))
    return rows


def _places(tier: Tier, free: dict[int, int]) -> str:
    if tier.pk not in free:
        return _("No limit")
    return _("Full at the moment") if free[tier.pk] <= 0 else _("Limited, places are free")


def _terms(tier: Tier, version: TermsVersion | None) -> Cell:
    if version is None:
        return Cell(tier, (_("The terms of the program"),))
    return Cell(
        tier, (_("Terms of its own, version %(number)s") % {"number": version.number},), terms=version
    )
