"""The versions of a program's terms: which is in force, which is coming, and what each says. Drafts are nobody's terms; a tier with terms of
its own does not have the program's."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils.functional import Promise

from partners import terms_difference
from partners.choices import TermsSection, TermsState
from partners.models import Membership, Placement, TermsVersion
from tiers.models import Program, Tier

if TYPE_CHECKING:
    from django.db.models import QuerySet

    TermsVersions = QuerySet[TermsVersion]

SECTIONS = ("pricing", "what_counts", "how_measured", "support")
TEXTS = ("summary", *SECTIONS)


def published(program: Program) -> TermsVersions:
    """Return every version that was ever published, for the program or for one of its tiers, newest first."""
    versions = TermsVersion.objects.filter(program=program).exclude(state=TermsState.DRAFT)
    return versions.select_related("tier").order_by("-effective_at", "-number")


def published_for(program: Program, tier: Tier | int | None) -> TermsVersions:
    """Return the versions published for one tier, or, without a tier, for everybody else."""
    return published(program).filter(tier=tier)


def published_to(membership: Membership) -> TermsVersions:
    """Return every version that was ever a membership's: those for everybody, and those of the tiers it stood in."""
    stood = Placement.objects.filter(membership=membership).values("tier")
    return published(membership.program).filter(Q(tier=None) | Q(tier__in=stood))


def in_force(program: Program, at: datetime, *, tier: Tier | int | None = None) -> TermsVersion | None:
    """Return the version that is in force at `at`, None before the first: the tier's own, else the program's."""
    own = published_for(program, tier).filter(effective_at__lte=at).first() if tier is not None else None
    return own or published_for(program, None).filter(effective_at__lte=at).first()


def coming(program: Program, at: datetime, *, tier: Tier | int | None = None) -> TermsVersion | None:
    """Return the published version that is in force next, None when nothing is announced."""
    current = in_force(program, at, tier=tier)
    scope = [tier] if current is not None and current.tier_id is not None else {tier, None}
    ahead = [
        published_for(program, each).filter(effective_at__gt=at).order_by("effective_at", "-number").first()
        for each in scope
    ]
    return min((each for each in ahead if each is not None), key=_begins, default=None)


def for_member(membership: Membership, at: datetime) -> TermsVersion | None:
    """Return the version that is in force for a membership, by the tier it stands in at `at`."""
    return in_force(membership.program, at, tier=tier_of(membership, at))


def tier_of(membership: Membership, at: datetime) -> int | None:
    """Return the id of the tier a membership stands in at `at`."""
    here = Placement.objects.in_force(at=at).filter(membership=membership)
    return here.values_list("tier", flat=True).first()


def for_newcomers(program: Program, at: datetime) -> TermsVersion | None:
    """Return the version applicants accept: that of the tier newcomers begin in."""
    return in_force(program, at, tier=Tier.objects.filter(program=program).in_use().by_rank().first())


def own_of_tiers(program: Program, at: datetime) -> dict[int, TermsVersion]:
    """Return the version in force of every tier that has terms of its own, by the tier's id, in one query."""
    found: dict[int, TermsVersion] = {}
    for version in published(program).filter(effective_at__lte=at, tier__isnull=False):
        assert version.tier_id is not None  # noqa: S101
        found.setdefault(version.tier_id, version)
    return found


def fingerprint(version: TermsVersion) -> str:
    """Return the SHA-256 of what the version says, in a fixed order of words."""
    said = {name: getattr(version, name) for name in TEXTS}
    said["program"], said["number"] = version.program.public_id, str(version.number)
    if version.tier is not None:
        said["tier"] = version.tier.public_id
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def sections(version: TermsVersion) -> list[tuple[str, str]]:
    """Return heading and text of each mandatory section, in the order they are read."""
    return [(str(heading(name)), getattr(version, name)) for name in SECTIONS]


def compare(before: TermsVersion, after: TermsVersion) -> terms_difference.Difference:
    """Return what differs between two versions, section by section, the summary first."""
    return terms_difference.sections(_told(before), _told(after))


def heading(name: str) -> str | Promise:
    """Return what a section is called, in the words readers of the terms know it by."""
    return TermsSection(name).label


def _begins(version: TermsVersion) -> tuple[datetime, int]:
    assert version.effective_at is not None  # noqa: S101
    return version.effective_at, -version.number


def _told(version: TermsVersion) -> list[tuple[str, str, str]]:
    return [(name, str(heading(name)), getattr(version, name)) for name in TEXTS]
