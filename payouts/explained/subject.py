"""Say what a commission line is about: whose order, through what it came, or which month. Customers are only ever shown masked, and
those of a recruited partner not at all."""

from __future__ import annotations

from datetime import tzinfo

from django.conf import settings
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from payouts.choices import CommissionKind
from payouts.explained import texts
from payouts.models import Commission
from prm.lib.addresses import absolute
from prm.lib.money import Money
from prm.lib.periods import Month
from referrals.models import Conversion, Credit, Link
from tiers.choices import EventKind

# What the functions here read of a line, besides the line.
READ_WITH = (
    "conversion__customer",
    "conversion__original__customer",
    "credit__code",
    "credit__touch",
    "credit__click__link__membership__program__tracking",
    "credit__membership__partner",
)
# Kinds whose name says no more than the event does.
_OF_THE_EVENT = frozenset({CommissionKind.EARNED, CommissionKind.REFUND, CommissionKind.REVERSAL})
_TO_THE_CUSTOMER = frozenset({EventKind.REFUND, EventKind.CHARGEBACK})


def is_of_a_recruit(line: Commission) -> bool:
    """Tell whether a line is earned on what a recruited partner sold."""
    return line.credit is not None and line.credit.membership_id != line.membership_id


def recruit_text(line: Commission) -> str:
    """Return the partner who made the sale of an override, nothing for other lines.

    Who recruited it knows its name; those further up do not.
    """
    if line.credit is None or not is_of_a_recruit(line):
        return ""
    seller = line.credit.membership
    return (
        seller.partner.name
        if seller.recruiter_id == line.membership_id
        else _("a partner recruited below you")
    )


def order_text(line: Commission) -> str:
    """Return the order a line is about, nothing for what no event earns."""
    return line.conversion.external_id if line.conversion is not None else ""


def masked_customer(line: Commission) -> str:
    """Return the customer's mask, nothing when nobody knows the customer or it is a recruit's.

    A refund that names no customer is its sale's customer's.
    """
    if line.conversion is None or is_of_a_recruit(line):
        return ""
    sale = line.conversion.original
    customer = line.conversion.customer or (sale.customer if sale is not None else None)
    return customer.masked if customer is not None else ""


def who_text(line: Commission, zone: tzinfo) -> str:
    """Return whom or what a line is about: the customer, the recruited partner, or the month."""
    if line.conversion is None:
        return period_text(line, zone)
    if is_of_a_recruit(line):
        return capfirst(recruit_text(line))
    masked = masked_customer(line)
    return _("Customer %(masked)s") % {"masked": masked} if masked else _("Customer not named")


def title_text(line: Commission, zone: tzinfo) -> str:
    """Return the order a line is about, or its kind and period."""
    if line.conversion is not None:
        return line.conversion.external_id
    params = {"kind": str(CommissionKind(line.kind).label), "period": period_text(line, zone)}
    return _("%(kind)s, %(period)s") % params


def detail_text(line: Commission) -> str:
    """Return what happened and through what it came."""
    kind = str(CommissionKind(line.kind).label)
    if line.conversion is None:
        return kind
    event = str(EventKind(line.conversion.kind).label)
    if is_of_a_recruit(line):
        return _("%(kind)s, %(event)s") % {"kind": CommissionKind.OVERRIDE.label, "event": event}
    if line.kind not in _OF_THE_EVENT:
        return _("%(kind)s, %(event)s") % {"kind": kind, "event": event}
    return _with_via(event, line.credit)


def via_text(line: Commission) -> str:
    """Return the code or the short address of the link a sale came through, nothing when it is a recruit's."""
    credit = line.credit
    if credit is None or is_of_a_recruit(line):
        return ""
    if credit.code is not None:
        return credit.code.code
    return shown_url(credit.click.link) if credit.click is not None else ""


def signed_sale(line: Commission) -> Money | None:
    """Return the sale's amount; of a refund, what went back, as a negative; nothing for what no event earns."""
    conversion = line.conversion
    return None if conversion is None else signed_amount(conversion)


def signed_amount(conversion: Conversion) -> Money:
    """Return an event's amount, negative when money went back to the customer."""
    return -conversion.amount if conversion.kind in _TO_THE_CUSTOMER else conversion.amount


def period_text(line: Commission, zone: tzinfo) -> str:
    """Return the month, or the longer period, a line without an event is for."""
    return texts.window(line.window or str(Month.of(line.effective_at, zone)))


def link_url(link: Link) -> str:
    """Return a link's address as it is handed out: on the program's own domain when it has one that this installation serves."""
    served = getattr(settings, "LINK_HOSTS", ())
    if served:
        tracking = getattr(link.membership.program, "tracking", None)
        if tracking is not None and tracking.link_host in served:
            return f"https://{tracking.link_host}/{link.slug}"
    return absolute(f"/r/{link.slug}")


def shown_url(link: Link) -> str:
    """Return a link's address without its scheme, for reading."""
    return link_url(link).partition("://")[2]


def _with_via(event: str, credit: Credit | None) -> str:
    if credit is not None and credit.code is not None:
        return _("%(event)s, via code %(via)s") % {"event": event, "via": credit.code.code}
    if credit is not None and credit.click is not None:
        return _("%(event)s, via %(via)s") % {"event": event, "via": shown_url(credit.click.link)}
    return event
