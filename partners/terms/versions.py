"""The versions of a program's terms: which is in force, which is coming, and what each says. Drafts are nobody's terms."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.functional import Promise

from partners import terms_difference
from partners.choices import TermsSection, TermsState
from partners.models import TermsVersion
from tiers.models import Program

if TYPE_CHECKING:
    from django.db.models import QuerySet

    TermsVersions = QuerySet[TermsVersion]

SECTIONS = ("pricing", "what_counts", "how_measured", "support")
TEXTS = ("summary", *SECTIONS)


def published(program: Program) -> TermsVersions:
    """Return every version that was ever published, newest first."""
    versions = TermsVersion.objects.filter(program=program).exclude(state=TermsState.DRAFT)
    return versions.order_by("-effective_at", "-number")


def in_force(program: Program, at: datetime) -> TermsVersion | None:
    """Return the version that is in force at `at`, None before the first."""
    return published(program).filter(effective_at__lte=at).first()


def coming(program: Program, at: datetime) -> TermsVersion | None:
    """Return the published version that is in force next, None when nothing is announced."""
    ahead = published(program).filter(effective_at__gt=at)
    return ahead.order_by("effective_at", "-number").first()


def fingerprint(version: TermsVersion) -> str:
    """Return the SHA-256 of what the version says, in a fixed order of words."""
    said = {name: getattr(version, name) for name in TEXTS}
    said["program"], said["number"] = version.program.public_id, str(version.number)
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


def _told(version: TermsVersion) -> list[tuple[str, str, str]]:
    return [(name, str(heading(name)), getattr(version, name)) for name in TEXTS]
