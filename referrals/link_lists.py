"""Make many links at once: one for each chosen partner, or what a list says row by row. What is wrong is said before anything is made, and
doing the same again makes nothing twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from partners.models import Membership
from prm.accounts import policy
from prm.lib.errors import Refused
from referrals import links, listed_rows
from referrals.link_facts import UTM, Facts, require_later
from referrals.listed_rows import Fault, Row
from referrals.models import Link
from referrals.partner_cells import Known, look_up
from tiers.models import Program

if TYPE_CHECKING:
    from prm.accounts.models import User

CAPABILITY = "manage_links"
NEEDED = ("partner", "label")
COLUMNS = (*NEEDED, "destination", "slug", "campaign", *UTM, "expires")
_COLUMN_OF = {"destination_url": "destination", "expires_at": "expires"}


class Outcome(models.TextChoices):
    """What becomes of a row."""

    NEW = "new", _("Is made")
    SAME = "same", _("There already")
    BAD = "bad", _("Left out")


@dataclass(frozen=True)
class Wanted:
    """A link somebody asks for, for one membership."""

    membership: Membership
    facts: Facts
    slug: str = ""


@dataclass(frozen=True)
class Checked:
    """A row and what would become of it, or became of it."""

    row: Row
    outcome: Outcome
    wanted: Wanted | None = None
    fault: Fault | None = None
    link: Link | None = None


@dataclass(frozen=True)
class Made:
    """What was done: how many links are new and how many were there, row by row; nothing is kept when `kept` is not set."""

    rows: list[Checked]
    kept: bool = True

    def count(self, outcome: Outcome) -> int:
        """Return how many rows came to this."""
        return sum(each.outcome == outcome for each in self.rows)


class _NoneOfThem(Exception):
    """Leave the transaction without keeping anything."""


def parse(text: str) -> list[Row]:
    """Return the rows of a list of links.

    Raises: EmptyList, TooLong, ColumnMissing, UnknownColumn, ColumnTwice, TooLarge, NotText.
    """
    return listed_rows.parse(text, needed=NEEDED, known=COLUMNS)


def for_everybody(program: Program, memberships: Iterable[Membership], facts: Facts) -> list[Row]:
    """Return the rows of a list that gives each of the memberships the same link."""
    told = {
        "label": facts.label,
        "destination": facts.destination_url,
        "campaign": facts.campaign,
        "expires": str(listed_rows.day_before_end(facts.expires_at, program.zone) or ""),
        **facts.utm,
    }
    return [
        Row(number, {**told, "partner": each.public_id}) for number, each in enumerate(memberships, start=1)
    ]


def check(program: Program, rows: Sequence[Row], *, at: datetime) -> list[Checked]:
    """Say what would become of each row; the number of queries does not depend on how many there are."""
    known = look_up(program, (row.cell("partner") for row in rows))
    there = _there(known, rows)
    seen: dict[str, int] = {}
    return [_checked(program, row, known, there, seen, at=at) for row in rows]


def make_all(
    program: Program,
    rows: Sequence[Row],
    *,
    by: User,
    at: datetime,
    atomic: bool = False,
) -> Made:
    """Make the links of the rows that are in order, each in a transaction of its own, or with `atomic` all of them or none.

    Raises: Forbidden.
    """
    policy.require(by, CAPABILITY)
    found = check(program, rows, at=at)
    if not atomic:
        return Made([_made(each, by=by, at=at) for each in found])
    made: list[Checked] = []
    try:
        with transaction.atomic():
            made = [_made(each, by=by, at=at) for each in found]
            if any(each.outcome == Outcome.BAD for each in made):
                raise _NoneOfThem
    except _NoneOfThem:
        return Made(made, kept=False)
    return Made(made)


def _made(each: Checked, *, by: User, at: datetime) -> Checked:
    if each.outcome != Outcome.NEW or each.wanted is None:
        return each
    try:
        link = links.make(
            each.wanted.membership, slug=each.wanted.slug, **links.vars_of(each.wanted.facts), by=by, at=at
        )
    except policy.Forbidden:
        raise
    except Refused as refusal:  # somebody was faster
        return replace(each, outcome=Outcome.BAD, fault=_fault(each.row, refusal))
    return replace(each, link=link)


def _checked(
    program: Program,
    row: Row,
    known: Known,
    there: Mapping[str | int, list[Link]],
    seen: dict[str, int],
    *,
    at: datetime,
) -> Checked:
    membership, why = known.of(row.cell("partner"))
    if membership is None:
        return Checked(row, Outcome.BAD, fault=Fault(row.line, "partner", why))
    slug = row.cell("slug").lower()
    try:
        links.require_slug(slug)
        facts = links.checked(_facts(program, row), program=program)
        link = _same(there, membership, slug, facts)
        if link is None:
            require_later(facts.expires_at, at=at)
    except Refused as refusal:
        return Checked(row, Outcome.BAD, fault=_fault(row, refusal))
    if link is not None:
        return Checked(row, Outcome.SAME, Wanted(membership, facts, slug), link=link)
    key = slug or f"{membership.pk} {_key(facts)}"
    if key in seen:
        message = str(_("Line %(line)s asks for the same link.") % {"line": seen[key]})
        return Checked(row, Outcome.BAD, fault=Fault(row.line, "slug" if slug else "label", message))
    seen[key] = row.line
    return Checked(row, Outcome.NEW, Wanted(membership, facts, slug))


def _facts(program: Program, row: Row) -> Facts:
    return Facts(
        label=row.cell("label"),
        destination_url=row.cell("destination"),
        campaign=row.cell("campaign"),
        utm={name: row.cell(name) for name in UTM},
        expires_at=listed_rows.end_of(row.cell("expires"), program.zone, column="expires"),
    )


def _same(
    there: Mapping[str | int, list[Link]], membership: Membership, slug: str, facts: Facts
) -> Link | None:
    """Return the link a row asks for when it is there already.

    Raises: SlugTaken when the address is there and says something else.
    """
    for link in there.get(slug or membership.pk, ()):
        if link.membership_id == membership.pk and _says(link, facts):
            return link
    if slug and there.get(slug):
        raise links.SlugTaken
    return None


def _says(link: Link, facts: Facts) -> bool:
    return all(getattr(link, name) == value for name, value in links.vars_of(facts).items())


def _there(known: Known, rows: Sequence[Row]) -> dict[str | int, list[Link]]:
    """Return the links there are, by short address and by membership."""
    slugs = {row.cell("slug").lower() for row in rows} - {""}
    labels = {row.cell("label").strip() for row in rows}
    wanted = models.Q(slug__in=slugs) | models.Q(membership__in=list(known.rows), label__in=labels)
    found: dict[str | int, list[Link]] = {}
    for link in Link.objects.filter(wanted).order_by("pk"):
        found.setdefault(link.slug, []).append(link)
        found.setdefault(link.membership_id, []).append(link)
    return found


def _key(facts: Facts) -> str:
    return repr(sorted((name, str(value)) for name, value in links.vars_of(facts).items()))


def _fault(row: Row, refusal: Refused) -> Fault:
    name = refusal.field or ""
    return Fault(row.line, _COLUMN_OF.get(name, name), str(refusal))
