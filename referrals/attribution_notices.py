"""Tell partners that credit is given by other rules from a day on: what is new and what no longer holds, in their language. Each mailbox
is told once about a version.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import CharField, Exists, OuterRef, QuerySet
from django.db.models.functions import Cast
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from partners.mails import moment_text
from partners.models import Membership
from partners.readers import Reader, readers_of
from prm import audit
from prm.audit.models import AuditEvent
from prm.lib.addresses import absolute
from prm.mail import outbox
from referrals.attribution_sentences import order_of, sentences
from referrals.attribution_versions import before, settings_of
from referrals.models import AttributionVersion

ANNOUNCED = "attribution_version.announced"
SWEEP_SINCE = timedelta(days=7)  # a change of last month is no news


def tell(version_id: int, *, at: datetime) -> int:
    """Write to the active members of a program whose rules of credit change, and return how many mailboxes that were.

    Calling again writes to nobody twice.
    """
    version = _untold().filter(pk=version_id).select_related("program").first()
    if version is None or version.effective_at is None:
        return 0
    members = Membership.objects.active().filter(program=version.program, ended_at=None)
    count = 0
    for membership in members.select_related("partner", "program").order_by("pk"):
        for reader in readers_of(membership.partner):
            count += _write(version, membership, reader)
    audit.record(None, ANNOUNCED, version, at=at, mails=count)
    return count


def sweep(*, at: datetime) -> int:
    """Tell what bells missed; return how many mailboxes were written to."""
    recent = _untold().filter(published_at__gt=at - SWEEP_SINCE).order_by("pk")
    return sum(tell(pk, at=at) for pk in list(recent.values_list("pk", flat=True)))


def changed(version: AttributionVersion, *, locale: str) -> tuple[list[str], list[str]]:
    """Return what no longer holds and what is new, in the language in force; nothing where it reads the same."""
    program = version.program
    was, will_be = settings_of(before(version), program), settings_of(version, program)
    old = sentences(was, currency=program.currency, locale=locale)
    new = sentences(will_be, currency=program.currency, locale=locale)
    # Who comes after whom is only understood as a whole.
    old_order, new_order = order_of(was, locale=locale), order_of(will_be, locale=locale)
    whole_old, whole_new = (set(), set()) if old_order == new_order else (set(old_order), set(new_order))
    return (
        [each for each in old if each not in new or each in whole_old],
        [each for each in new if each not in old or each in whole_new],
    )


def _untold() -> QuerySet[AttributionVersion]:
    told = AuditEvent.objects.filter(
        action=ANNOUNCED, object_public_id=Cast(OuterRef("public_id"), CharField())
    )
    return AttributionVersion.objects.published().filter(~Exists(told), published_by__isnull=False)


def _write(version: AttributionVersion, membership: Membership, reader: Reader) -> int:
    with translation.override(reader.language):
        gone, new = changed(version, locale=reader.locale)
    if version.effective_at is None or not (gone or new):
        return 0
    outbox.queue(
        "attribution_changed",
        to=reader.email,
        key=f"attribution_changed:{version.public_id}:{membership.public_id}:{reader.email.casefold()}",
        about=version.public_id,
        language=reader.language,
        context={
            "name": reader.name,
            "partner": membership.partner.name,
            "program": membership.program.name,
            "from_text": moment_text(version.effective_at, membership, reader.locale),
            "before": gone,
            "after": new,
            "button_text": _("See who gets the credit"),
            "button_url": absolute("/portal/rates/#credit"),
        },
    )
    return 1
