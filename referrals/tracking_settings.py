"""How a program's links behave and what its partners see of customers. A program nobody has set up has the defaults of the model, and
every change is on record.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from prm import audit
from prm.accounts import policy
from prm.accounts.models import User
from prm.lib.errors import Refused
from referrals.models import TrackingSettings
from tiers.models import Program

CAPABILITY = "manage_tracking"


class UnknownHost(Refused):
    message = _(
        "This installation does not serve links at %(host)s: name the domain in PRM_LINK_HOSTS first."
    )
    field = "link_host"


@dataclass(frozen=True, slots=True)
class Tracking:
    """What can be set; the defaults hold for a program without settings."""

    link_host: str = ""
    sets_cookie: bool = True
    counts_views: bool = False
    forbids_paid_search: bool = False
    shows_customers: bool = False


def of(program: Program) -> Tracking:
    """Return what holds for a program."""
    row = TrackingSettings.objects.filter(program=program).first()
    return Tracking() if row is None else _said(row)


def hosts() -> list[str]:
    """Return the domains links can be served at, besides the installation's own address."""
    return sorted(settings.LINK_HOSTS)


@transaction.atomic
def change(program: Program, wanted: Tracking, *, by: User, at: datetime) -> TrackingSettings:
    """Set how a program's links behave from now on.

    Raises: Forbidden, UnknownHost.
    """
    policy.require(by, CAPABILITY)
    before = of(program)
    if wanted.link_host and wanted.link_host != before.link_host and wanted.link_host not in hosts():
        raise UnknownHost(params={"host": wanted.link_host})
    row, _is_new = TrackingSettings.objects.update_or_create(program=program, defaults=asdict(wanted))
    was, will_be = asdict(before), asdict(wanted)
    changed = {name: value for name, value in will_be.items() if value != was[name]}
    if changed:
        audit.record(
            by,
            "tracking.changed",
            program,
            at=at,
            before={name: was[name] for name in changed},
            after=changed,
        )
    return row


def _said(row: TrackingSettings) -> Tracking:
    return Tracking(
        row.link_host, row.sets_cookie, row.counts_views, row.forbids_paid_search, row.shows_customers
    )
