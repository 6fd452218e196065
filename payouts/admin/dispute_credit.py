"""What the page of a question about credit shows: the decision with every contact and whose it was, what the partner had read of it, and the
lines that came of a correction. Staff see names; the partner never does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from django.utils.translation import gettext as _

from partners.models import Membership
from payouts.disputes.about_credit import corrected_order
from payouts.models import Commission, Dispute
from prm.accounts.back_office import link_to, locale, money_text
from prm.lib import l10n
from referrals.attribution import inquiry, record, words
from referrals.models import Conversion


@dataclass(frozen=True)
class EntryRow:
    """One contact of a decision."""

    who: str
    what: str
    moment: str
    share: str
    label: str
    sentence: str


def credit_of(dispute: Dispute) -> dict[str, Any]:
    """Return what is known of the order, and what the partner was told."""
    zone = dispute.membership.program.zone
    conversion = dispute.conversion or corrected_order(dispute)
    latest = record.latest(conversion) if conversion is not None else None
    entries = latest.candidates if latest is not None else []
    names = _names(entries)
    read = inquiry.read(dispute.inquiry)
    return {
        "conversion": link_to(conversion) if conversion is not None else "",
        "asked": _asked(read),
        "decision": [_row(entry, names.get(entry["membership"], "–"), zone) for entry in entries],
        "reason": latest.reason if latest is not None else "",
        "read": [
            _row(contact.entry, contact.name or words.kind_label(contact.entry["kind"]), zone)
            for story in read.stories
            for contact in story.contacts
        ],
        "loose": len(read.loose),
        "read_at": l10n.datetime_text(read.asked_at, zone, locale()),
        "lines": _lines(dispute, conversion),
    }


def _names(entries: Iterable[dict[str, Any]]) -> dict[int, str]:
    keys = {entry["membership"] for entry in entries}
    rows = Membership.objects.filter(pk__in=keys).select_related("partner")
    return {row.pk: row.partner.name for row in rows}


def _row(entry: dict[str, Any], who: str, zone: tzinfo) -> EntryRow:
    return EntryRow(
        who=who,
        what=words.kind_label(entry["kind"]),
        moment=words.moment(entry["at"], zone),
        share=words.percent(entry["share"]) if entry["share"] else "",
        label=words.label(entry["why"]),
        sentence=words.sentence(entry, zone),
    )


def _asked(read: inquiry.Inquiry) -> str:
    if read.how == inquiry.EMAIL:
        return _("Orders of a customer, by an e-mail address that is not kept")
    if read.how == inquiry.DAY:
        return _("The day %(day)s") % {"day": read.asked}
    return _("The order %(order)s") % {"order": read.asked}


def _lines(dispute: Dispute, conversion: Conversion | None) -> list[dict[str, Any]]:
    """Return the lines the partner that asked has of the order by now."""
    if conversion is None:
        return []
    found = Commission.objects.filter(membership=dispute.membership, conversion=conversion).order_by("pk")
    return [
        {"link": link_to(line, money_text(line.amount)), "state": line.get_state_display()} for line in found
    ]
