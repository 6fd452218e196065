"""Say what a link may carry besides where it leads: a campaign, UTM parameters, an end, and which short addresses nobody may have. Texts
that come out of here are ready to be stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from partners.application_forms.validators import one_line, printable
from prm.lib.errors import Refused

LONGEST_CAMPAIGN = 64
LONGEST_UTM = 100
UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
# First words of our own addresses: on a domain of its own a link stands where they stand. And words that look like ours.
_WORDS = """
    about account accounts admin api app application apply assets checkout contact credentials css dashboard demo docs download error
    favicon fonts health help home html i i18n images img in index invitation invited js l landing legal link links livez login logout
    mail media metrics null official p partners password payment payments ping pixel portal postback privacy prm programs public px r
    readyz register reports robots security settings share signin signup sitemap snippet staff static status statusz style-guide
    support team terms undefined v verify well-known www
"""
RESERVED = frozenset(_WORDS.split())


class ReservedSlug(Refused):
    """The short address is one of our own, or looks like one."""

    message = _("This short address is reserved. Choose another one.")
    field = "slug"


class BadCampaign(Refused):
    """The campaign is too long, or not something people type."""

    message = _("A campaign is one line of up to 64 characters.")
    field = "campaign"


class BadUtm(Refused):
    """A UTM parameter is unknown, too long, or not something people type."""

    message = _("%(name)s is one line of up to 100 characters.")


class UnknownUtm(Refused):
    """Somebody asks for a parameter that is none of the five."""

    message = _("There is no parameter %(name)s.")
    field = "utm"


class EndsInThePast(Refused):
    """The link would be over before it is made."""

    message = _("The link has to end later than now.")
    field = "expires_at"


@dataclass(frozen=True)
class Facts:
    """What a link says, as it is asked for."""

    label: str
    destination_url: str = ""
    campaign: str = ""
    utm: Mapping[str, str] = field(default_factory=dict)
    expires_at: datetime | None = None


def campaign_of(text: str) -> str:
    """Return a campaign without blanks around it.

    Raises: BadCampaign.
    """
    text = text.strip()
    if len(text) > LONGEST_CAMPAIGN or not _is_a_line(text):
        raise BadCampaign
    return text


def utm_of(given: Mapping[str, str]) -> dict[str, str]:
    """Return the UTM parameters that say something, in their usual order.

    Raises: UnknownUtm, BadUtm.
    """
    for name in given:
        if name not in UTM:
            raise UnknownUtm(params={"name": str(name)[:40]})
    kept = {name: text for name in UTM if (text := str(given.get(name, "")).strip())}
    for name, text in kept.items():
        if len(text) > LONGEST_UTM or not _is_a_line(text):
            raise BadUtm(field=name, params={"name": name})
    return kept


def require_later(expires_at: datetime | None, *, at: datetime) -> None:
    """Let an end through that lies ahead, or none.

    Raises: EndsInThePast.
    """
    if expires_at is not None and expires_at <= at:
        raise EndsInThePast


def require_free_word(slug: str) -> None:
    """Let a short address through that is none of our own.

    Raises: ReservedSlug.
    """
    if slug in RESERVED:
        raise ReservedSlug


def _is_a_line(text: str) -> bool:
    try:
        printable(text)
        one_line(text)
    except ValidationError:
        return False
    return True
