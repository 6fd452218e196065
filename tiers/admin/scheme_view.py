"""A scheme of tiers as its page shows it: every tier with its requirements in sentences, what earns points, how reviews go, what is worth a
look and what is different from the version in force."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from prm.accounts.back_office import locale, row_url
from tiers import schemes
from tiers.choices import SchemeState
from tiers.models import Program, Tier, TierScheme
from tiers.narrowing import Names
from tiers.process_sentences import process_sentences, rate_sentence
from tiers.qualify import Ask, Scheme
from tiers.requirement_sentences import combined, of_ask
from tiers.scheme_differences import Difference, differences
from tiers.scheme_lint import Finding

CALENDAR = ("promotion", "demotion")


@dataclass(frozen=True, slots=True)
class Line:
    """A requirement with its key, in words."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Card:
    """A tier with what it asks. `is_gone` when it is not in use any more: what it asks can only be taken out."""

    key: str
    name: str
    colour: str
    rank: int
    is_lowest: bool
    is_gone: bool
    how: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Track:
    """A ladder, the highest tier first, as people think of one."""

    name: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """A finding with the page on which it can be put right."""

    finding: Finding
    href: str


def context(row: TierScheme, *, at: datetime) -> dict[str, Any]:
    """Return what the page of a version shows besides its buttons."""
    scheme, names, program = schemes.scheme_of(row), Names(row.program), row.program
    is_draft = row.state == SchemeState.DRAFT
    told = process_sentences(scheme, locale())
    before = compared(row, at=at)
    return {
        "scheme": row,
        "program": program,
        "is_draft": is_draft,
        "is_in_force": schemes.in_force(program, at=at) == row,
        "tracks": _tracks(scheme, program, names),
        "rates": [rate_sentence(each, program, locale(), names=names) for each in scheme.points],
        "calendar": [told[name] for name in CALENDAR],
        "process": [text for name, text in told.items() if name not in CALENDAR],
        "looks": looks(row, at=at) if is_draft else [],
        "before": before,
        "differences": different(before, row) if before is not None else [],
    }


def looks(row: TierScheme, *, at: datetime) -> list[Look]:
    """Return what is worth a look in a draft, errors first, each with where to put it right."""
    known = {rung.key for rungs in schemes.ladders(row.program).values() for rung in rungs}
    return [Look(each, _href(row, each, known)) for each in schemes.findings(row, at=at)]


def compared(row: TierScheme, *, at: datetime) -> TierScheme | None:
    """Return the version another one is compared with: the one before it, of a draft the newest published."""
    earlier = TierScheme.objects.filter(program=row.program, number__lt=row.number).published()
    return earlier.order_by("-number").first()


def different(before: TierScheme, row: TierScheme) -> list[Difference]:
    """Return what `row` asks differently from the version before it."""
    ladders = schemes.ladders(row.program)
    scheme_before, scheme = schemes.scheme_of(before), schemes.scheme_of(row)
    return differences(scheme_before, scheme, row.program, ladders, locale())


def _tracks(scheme: Scheme, program: Program, names: Names) -> list[Track]:
    colours = dict(Tier.objects.filter(program=program).values_list("key", "colour"))
    ladders = schemes.ladders(program)
    found = []
    for track, rungs in ladders.items():
        cards = [
            Card(
                key=rung.key,
                name=rung.name,
                colour=colours[rung.key],
                rank=rung.rank,
                is_lowest=rung == rungs[0],
                is_gone=False,
                how=combined(scheme.ask_of(rung.key)),
                lines=_lines(scheme.ask_of(rung.key), program, names),
            )
            for rung in reversed(rungs)
        ]
        found.append(Track(track if len(ladders) > 1 else "", tuple(cards)))
    known = {rung.key for rungs in ladders.values() for rung in rungs}
    gone = tuple(_gone(scheme, program, names, known))
    return [*found, Track(_("No longer in use"), gone)] if gone else found


def _gone(scheme: Scheme, program: Program, names: Names, known: set[str]) -> Iterator[Card]:
    for key, ask in scheme.asks.items():
        if key not in known and ask.requirements:
            yield Card(key, key, "slate", 0, False, True, combined(ask), _lines(ask, program, names))


def _lines(ask: Ask, program: Program, names: Names) -> tuple[Line, ...]:
    told = of_ask(ask, program, locale(), names=names)
    return tuple(Line(each.key, text) for each, text in zip(ask.requirements, told, strict=True))


def _href(row: TierScheme, finding: Finding, known: set[str]) -> str:
    """Return the page on which a finding can be put right; the place on the draft's own page where there is none."""
    area, *rest = finding.where.split("/")
    if area in ("calendar", "process"):
        return reverse(f"admin:tiers_tierscheme_{area}", args=[row.pk])
    if area == "points":
        return f"{row_url(row)}#points"
    if rest[0] not in known or len(rest) < 2:
        return f"{row_url(row)}#tier-{rest[0]}"
    if rest[1] == "needed" or rest[-1] == "weight":
        return reverse("admin:tiers_tierscheme_combine", args=[row.pk, rest[0]])
    return reverse("admin:tiers_tierscheme_requirement", args=[row.pk, rest[0], rest[1]])
