"""Keep what helps partners of a program to sell: files of ours and addresses. What is taken away is no longer shown and stays on record."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.db.models import QuerySet
from django.http import FileResponse
from django.utils.translation import gettext_lazy as _

from partners import profile_fields as fields
from partners.choices import ResourceKind
from partners.models import ProgramResource
from partners.uploads import checked
from partners.web_addresses import web_address
from prm import audit
from prm.accounts import policy
from prm.lib import uploads
from prm.lib.errors import Refused

if TYPE_CHECKING:
    from prm.accounts.models import User
    from tiers.models import Program

_FOLDER = "resources"
_TYPES = {"pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}


class TitleMissing(Refused):
    message = _("Give it a title of up to 140 characters.")
    field = "title"


class DescriptionTooLong(Refused):
    message = _("Describe it in up to 300 characters.")
    field = "description"


class UnknownKind(Refused):
    message = _("Choose what kind of resource it is.")
    field = "kind"


class UnknownLanguage(Refused):
    message = _("Choose one of the languages, or none.")
    field = "language"


class LeadsNowhere(Refused):
    message = _("Give either a file or an address.")
    field = "url"


class BadAddress(Refused):
    message = _("Write a whole address, such as https://www.example.com.")
    field = "url"


class AlreadyRemoved(Refused):
    message = _("This was taken away already.")


@transaction.atomic
def add(
    program: Program,
    *,
    kind: str,
    title: str,
    by: User,
    at: datetime,
    description: str = "",
    language: str = "",
    url: str = "",
    file: File[bytes] | None = None,
) -> ProgramResource:
    """Add a file or an address for the partners of a program.

    Raises: Forbidden, UnknownKind, TitleMissing, DescriptionTooLong, UnknownLanguage, LeadsNowhere, BadAddress, and what
    `uploads.checked` raises.
    """
    policy.require(by, "manage_program_pages")
    if kind not in ResourceKind.values:
        raise UnknownKind
    values = {"kind": kind, "title": _title(title), "description": _description(description)}
    values |= {"language": _language(language), "url": web_address(url, BadAddress)}
    if bool(values["url"]) == (file is not None):
        raise LeadsNowhere
    upload = checked(file) if file is not None else None
    place = uploads.keep(_FOLDER, upload.content, upload.kind) if upload else ""
    try:
        resource = ProgramResource.objects.create(
            program=program,
            file=place,
            file_name=upload.name if upload else "",
            added_at=at,
            added_by=by,
            **values,
        )
        audit.record(by, "resource.added", resource, at=at, program=program, kind=kind)
    except BaseException:
        if place:
            uploads.discard(place)
        raise
    return resource


@transaction.atomic
def remove(resource: ProgramResource, *, by: User, at: datetime) -> ProgramResource:
    """Show a resource to nobody any more.

    Raises: Forbidden, AlreadyRemoved.
    """
    policy.require(by, "manage_program_pages")
    open_ones = ProgramResource.objects.filter(pk=resource.pk, removed_at=None)
    if not open_ones.update(removed_at=at, removed_by=by):
        raise AlreadyRemoved
    resource.refresh_from_db()
    audit.record(by, "resource.removed", resource, at=at)
    return resource


def shown(program: Program, *, kind: str = "", language: str = "") -> QuerySet[ProgramResource]:
    """Return what partners of a program see, by kind and title; what is for every language belongs to each."""
    found = ProgramResource.objects.filter(program=program, removed_at=None)
    if kind:
        found = found.filter(kind=kind)
    if language:
        found = found.filter(language__in=["", language])
    return found.order_by("kind", "title", "pk")


def attachment(resource: ProgramResource) -> FileResponse:
    """Return the file as a download; the caller has asked who is asking."""
    return uploads.attachment(resource.file, resource.file_name, types=_TYPES)


def _title(text: str) -> str:
    try:
        title = fields.one_line(text, longest=140)
    except Refused as refusal:
        raise TitleMissing from refusal
    if not title:
        raise TitleMissing
    return title


def _description(text: str) -> str:
    try:
        return fields.one_line(text, longest=300)
    except Refused as refusal:
        raise DescriptionTooLong from refusal


def _language(code: str) -> str:
    if code and code not in dict(settings.LANGUAGES):
        raise UnknownLanguage
    return code
