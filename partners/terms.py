"""Publish terms and record who accepted them. A version is published whole, with all four mandatory sections saying something, and
an acceptance holds the hash of the text that was shown."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from partners.choices import TermsState
from partners.models import Acceptance, Application, Membership, TermsVersion
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from tiers.models import Program

if TYPE_CHECKING:
    from prm.accounts.models import User

SECTIONS = ("pricing", "what_counts", "how_measured", "support")


class IncompleteTerms(Refused):
    message = _("These sections of the terms are empty: %(sections)s.")


class AlreadyPublished(Refused):
    message = _("This version is published already; make a new one.")


class NotPublished(Refused):
    message = _("Only published terms can be accepted.")


@transaction.atomic
def draft(program: Program, *, sections: Mapping[str, str], by: User, at: datetime) -> TermsVersion:
    """Make the next version of a program's terms; `sections` may hold summary, pricing, what_counts and so on.

    Raises: Forbidden.
    """
    policy.require(by, "publish_terms")
    newest = program.terms_versions.order_by("-number").first()
    known = {name: sections[name] for name in ("summary", *SECTIONS) if name in sections}
    number = newest.number + 1 if newest else 1
    version = TermsVersion.objects.create(program=program, number=number, **known)
    audit.record(by, "terms.drafted", version, at=at)
    return version


@transaction.atomic
def publish(version: TermsVersion, *, effective_at: datetime, by: User, at: datetime) -> TermsVersion:
    """Publish a draft so that it is what newcomers accept from `effective_at` on.

    Raises: Forbidden, AlreadyPublished, IncompleteTerms.
    """
    policy.require(by, "publish_terms")
    locked = TermsVersion.objects.select_for_update(of=("self",)).select_related("program").get(pk=version.pk)
    if locked.state != TermsState.DRAFT:
        raise AlreadyPublished
    _refuse_gaps(locked)
    locked.state, locked.effective_at = TermsState.PUBLISHED, effective_at
    locked.published_at, locked.published_by = at, by
    locked.sha256 = fingerprint(locked)
    locked.save(update_fields=["state", "effective_at", "published_at", "published_by", "sha256"])
    _supersede(locked.program, at=at)
    audit.record(by, "terms.published", locked, at=at, effective_at=effective_at, fingerprint=locked.sha256)
    return locked


@transaction.atomic
def accept(
    version: TermsVersion,
    *,
    name: str,
    email: str,
    at: datetime,
    application: Application | None = None,
    membership: Membership | None = None,
    address: str | None = None,
) -> Acceptance:
    """Record that a person accepted `version`; for an application the first acceptance stands.

    Raises: NotPublished.
    """
    if version.state == TermsState.DRAFT:
        raise NotPublished
    values = {
        "accepted_name": name,
        "accepted_email": email,
        "accepted_at": at,
        "membership": membership,
        "address": address,
        "text_sha256": version.sha256,
    }
    if application is None:
        return Acceptance.objects.create(terms_version=version, **values)
    acceptance, _created = Acceptance.objects.get_or_create(
        terms_version=version, application=application, defaults=values
    )
    return acceptance


def in_force(program: Program, at: datetime) -> TermsVersion | None:
    """Return the version that is in force at `at`, None before the first."""
    return published(program).filter(effective_at__lte=at).order_by("-effective_at", "-number").first()


def published(program: Program) -> TermsVersions:
    """Return every version that was ever published, newest first."""
    versions = TermsVersion.objects.filter(program=program).exclude(state=TermsState.DRAFT)
    return versions.order_by("-effective_at", "-number")


def fingerprint(version: TermsVersion) -> str:
    """Return the SHA-256 of what the version says, in a fixed order of words."""
    said = {name: getattr(version, name) for name in ("summary", *SECTIONS)}
    said["program"], said["number"] = version.program.public_id, str(version.number)
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def sections(version: TermsVersion) -> list[tuple[str, str]]:
    """Return heading and text of each section, in the order they are read."""
    return [(str(_heading(name)), getattr(version, name)) for name in SECTIONS]


def _heading(name: str) -> str | Promise:
    found: str | Promise = TermsVersion._meta.get_field(name).verbose_name  # type: ignore[union-attr]
    return found


def _refuse_gaps(version: TermsVersion) -> None:
    empty = [_heading(name) for name in SECTIONS if not getattr(version, name).strip()]
    if empty:
        raise IncompleteTerms(params={"sections": format_lazy("{}" + ", {}" * (len(empty) - 1), *empty)})


def _supersede(program: Program, *, at: datetime) -> None:
    """Mark what is no longer in force; a version dated ahead leaves the present one standing."""
    current = in_force(program, at)
    if current is not None:
        earlier = published(program).exclude(pk=current.pk).filter(effective_at__lte=current.effective_at)
        earlier.order_by().update(state=TermsState.SUPERSEDED)


if TYPE_CHECKING:
    from django.db.models import QuerySet

    TermsVersions = QuerySet[TermsVersion]
