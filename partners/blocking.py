"""Keep the list of domains, mailboxes and countries a program takes nobody from. An entry only warns: a person decides, or a rule
somebody switched on."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from partners.choices import BlockedKind
from partners.models import Blocked
from partners.screening_words import PUBLIC_MAIL, domain_of
from prm import audit
from prm.accounts import policy
from prm.accounts.emails import fold_email
from prm.lib import country_names
from prm.lib.errors import Refused
from tiers.models import Program

if TYPE_CHECKING:
    from prm.accounts.models import User


class NothingToBlock(Refused):
    message = _("Write a domain such as spam.example, an e-mail address, or the name of a country.")
    field = "value"


class WouldBlockEverybody(Refused):
    message = _("%(domain)s is a public provider: block single addresses there.")
    field = "value"


class BlockedAlready(Refused):
    message = _("This is blocked already.")
    field = "value"


class NoReasonGiven(Refused):
    message = _("Say why.")
    field = "reason"


class EndedAlready(Refused):
    message = _("This entry has ended already.")


@transaction.atomic
def block(*, kind: str, value: str, reason: str, program: Program | None, by: User, at: datetime) -> Blocked:
    """Warn about a domain, a mailbox or a country from now on; without a program, in every program.

    Raises: Forbidden, NothingToBlock, WouldBlockEverybody, BlockedAlready, NoReasonGiven.
    """
    policy.require(by, "manage_eligibility")
    value = _clean(kind, value)
    if not reason.strip():
        raise NoReasonGiven
    try:
        with transaction.atomic():
            entry = Blocked.objects.create(
                kind=kind, value=value, program=program, reason=reason.strip(), created_at=at, created_by=by
            )
    except IntegrityError:
        raise BlockedAlready from None
    audit.record(by, "blocked.added", entry, at=at, kind=kind, program=program)
    return entry


@transaction.atomic
def unblock(entry: Blocked, *, by: User, at: datetime) -> Blocked:
    """End an entry; the row stays, so that one sees what held when.

    Raises: Forbidden, EndedAlready.
    """
    policy.require(by, "manage_eligibility")
    if not Blocked.objects.filter(pk=entry.pk, ended_at=None).update(ended_at=at, ended_by=by):
        raise EndedAlready
    entry.refresh_from_db()
    audit.record(by, "blocked.ended", entry, at=at, kind=entry.kind)
    return entry


def _country(value: str) -> str:
    known = {name.casefold(): name for name, _shown in country_names.choices("en")}
    found = known.get(country_names.name(value.upper(), "en").casefold()) or known.get(value.casefold())
    if found is None:
        raise NothingToBlock
    return found


def _clean(kind: str, value: str) -> str:
    value = value.strip()
    if kind == BlockedKind.COUNTRY:
        return _country(value)
    if kind == BlockedKind.EMAIL and "@" in value:
        return fold_email(value)
    domain = domain_of(value) if kind == BlockedKind.DOMAIN else ""
    if "." not in domain or " " in domain:
        raise NothingToBlock
    if domain in PUBLIC_MAIL:
        raise WouldBlockEverybody(params={"domain": domain})
    return domain
