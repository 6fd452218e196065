"""What somebody says a partner did, and whether it can be: a kind we know, a title, a day within the membership, an address that is one.
Nothing here asks the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files import File
from django.utils.translation import gettext_lazy as _

from partners import profile_fields as fields
from partners.application_forms.validators import printable
from partners.choices import ActivityKind
from partners.models import Membership
from partners.web_addresses import web_address
from prm.lib.errors import Refused
from prm.lib.periods import local_day

_LONGEST_TITLE, _LONGEST_TEXT = 140, 2000


class UnknownKind(Refused):
    message = _("Choose what it was.")
    field = "kind"


class TitleMissing(Refused):
    message = _("Give it a title of up to 140 characters.")
    field = "title"


class DayMissing(Refused):
    message = _("Say on which day it was.")
    field = "held_on"


class DayAhead(Refused):
    message = _("This day has not come yet. Tell it when it has happened.")
    field = "held_on"


class BeforeJoining(Refused):
    message = _("This was before the membership began.")
    field = "held_on"


class BadAddress(Refused):
    message = _("Write a whole address, such as https://www.example.com.")
    field = "url"


class BadDescription(Refused):
    message = _("Describe it in up to 2,000 characters, without invisible ones.")
    field = "description"


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody says a partner did."""

    kind: str
    title: str
    held_on: date | None
    url: str = ""
    description: str = ""
    file: File[bytes] | None = None


def checked(told: Told, membership: Membership, *, at: datetime) -> dict[str, Any]:
    """Return what was told as it is kept, the file apart.

    Raises: UnknownKind, TitleMissing, DayMissing, DayAhead, BeforeJoining, BadAddress, BadDescription.
    """
    if told.kind not in ActivityKind.values:
        raise UnknownKind
    return {
        "kind": told.kind,
        "title": _title(told.title),
        "held_on": _day(told.held_on, membership, at=at),
        "url": web_address(told.url, BadAddress),
        "description": _description(told.description),
    }


def first_day(membership: Membership) -> date:
    """Return the first day on which something counts for a membership."""
    return local_day(membership.joined_at, membership.program.zone)


def _title(text: str) -> str:
    try:
        title = fields.one_line(text, longest=_LONGEST_TITLE)
    except Refused as refusal:
        raise TitleMissing from refusal
    if not title:
        raise TitleMissing
    return title


def _day(day: date | None, membership: Membership, *, at: datetime) -> date:
    if day is None:
        raise DayMissing
    if day > local_day(at, membership.program.zone):
        raise DayAhead
    if day < first_day(membership):
        raise BeforeJoining
    return day


def _description(text: str) -> str:
    said = text.strip()
    try:
        printable(said)
    except ValidationError as error:
        raise BadDescription from error
    if len(said) > _LONGEST_TEXT:
        raise BadDescription
    return said
