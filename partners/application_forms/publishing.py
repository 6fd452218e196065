"""Which form a program uses. There is at most one draft and exactly one version in use; what was published stays as it was, because
applications keep the version they were filled with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from partners.application_forms.definition import Definition, read
from partners.application_forms.standard import standard_for
from partners.choices import FormState
from partners.models import FormVersion
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from tiers.models import Program, Tier

if TYPE_CHECKING:
    from prm.accounts.models import User


class DraftExists(Refused):
    message = _("This program has a draft already: go on with it, or throw it away first.")


class NoDraft(Refused):
    message = _("This version is published and cannot be changed; make a new one.")


class NothingChanged(Refused):
    message = _("The draft asks exactly what the form in use asks.")


class UnknownTier(Refused):
    message = _("%(key)s: the program has no tier “%(tier)s”.")
    field = "definition"


def in_use(program: Program, *, at: datetime) -> FormVersion:
    """Return the version newcomers fill in; a program that never published one gets the standard form."""
    found = _published(program)
    if found is None:
        found = _make_standard(program, at=at)
    return found


@transaction.atomic
def draft(program: Program, *, definition: Definition, by: User, at: datetime) -> FormVersion:
    """Begin the next version of a program's form.

    Raises: Forbidden, DraftExists, BadDefinition.
    """
    policy.require(by, "manage_forms")
    _lock(program)
    if FormVersion.objects.filter(program=program, state=FormState.DRAFT).exists():
        raise DraftExists
    version = FormVersion.objects.create(
        program=program,
        number=_next_number(program),
        definition=_proven(definition).as_json(),
        created_at=at,
        created_by=by,
    )
    audit.record(by, "form.drafted", version, at=at)
    return version


@transaction.atomic
def edit(
    version: FormVersion, change: Callable[[Definition], Definition], *, by: User, at: datetime
) -> FormVersion:
    """Rewrite a draft by `change`, which is told the draft as it is now: two people lose nothing of each other's.

    Raises: Forbidden, NoDraft, BadDefinition, and what `change` raises.
    """
    policy.require(by, "manage_forms")
    locked = _locked_draft(version)
    locked.definition = _proven(change(read(locked.definition))).as_json()
    locked.save(update_fields=["definition"])
    audit.record(by, "form.edited", locked, at=at)
    return locked


@transaction.atomic
def discard(version: FormVersion, *, by: User, at: datetime) -> Program:
    """Throw a draft away, and return the program it was for.

    Raises: Forbidden, NoDraft.
    """
    policy.require(by, "manage_forms")
    locked = _locked_draft(version)
    audit.record(by, "form.discarded", locked, at=at)
    locked.delete()
    return locked.program


@transaction.atomic
def publish(version: FormVersion, *, by: User, at: datetime) -> FormVersion:
    """Put a draft into use from now on; who has begun to apply goes on with the version before.

    Raises: Forbidden, NoDraft, NothingChanged, UnknownTier, BadDefinition.
    """
    policy.require(by, "manage_forms")
    locked = _locked_draft(version)
    definition = _proven(read(locked.definition))
    before = _published(locked.program)
    if before is not None and before.sha256 == definition.sha256:
        raise NothingChanged
    _refuse_unknown_tiers(locked.program, definition)
    # One version at most is in use, so the old one steps back first.
    FormVersion.objects.filter(program=locked.program_id).in_use().update(state=FormState.SUPERSEDED)
    locked.state, locked.sha256 = FormState.PUBLISHED, definition.sha256
    locked.published_at, locked.published_by = at, by
    locked.save(update_fields=["state", "sha256", "published_at", "published_by"])
    audit.record(by, "form.published", locked, at=at, number=locked.number, fingerprint=locked.sha256)
    return locked


@transaction.atomic
def _make_standard(program: Program, *, at: datetime) -> FormVersion:
    _lock(program)
    found = _published(program)
    if found is not None:
        return found  # somebody came first
    definition = _proven(standard_for(program))
    version = FormVersion.objects.create(
        program=program,
        number=_next_number(program),
        state=FormState.PUBLISHED,
        definition=definition.as_json(),
        is_standard=True,
        created_at=at,
        published_at=at,
        sha256=definition.sha256,
    )
    audit.record(None, "form.standard_published", version, at=at, fingerprint=version.sha256)
    return version


def _lock(program: Program) -> None:
    """Let one at a time make versions of a program's form; applications to it go on meanwhile."""
    Program.objects.select_for_update(no_key=True).values_list("pk").get(pk=program.pk)


def _locked_draft(version: FormVersion) -> FormVersion:
    _lock(version.program)
    locked = FormVersion.objects.lock().select_related("program").filter(pk=version.pk).first()
    if locked is None or locked.state != FormState.DRAFT:
        raise NoDraft
    return locked


def _published(program: Program) -> FormVersion | None:
    return FormVersion.objects.in_use().filter(program=program).first()


def _next_number(program: Program) -> int:
    newest = FormVersion.objects.filter(program=program).aggregate(newest=Max("number"))["newest"]
    return (newest or 0) + 1


def _proven(definition: Definition) -> Definition:
    """Return the definition as it will be read back, so that nothing is stored that cannot be asked."""
    return read(definition.as_json())


def _refuse_unknown_tiers(program: Program, definition: Definition) -> None:
    known = set(Tier.objects.filter(program=program).in_use().values_list("key", flat=True))
    for question in definition.questions:
        for choice in question.choices:
            if choice.tier and choice.tier not in known:
                raise UnknownTier(params={"key": question.key, "tier": choice.tier})
