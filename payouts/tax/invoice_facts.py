"""What an invoice freezes: both parties as they stand, its lines added up by rule, the VAT and the words the law wants. Amounts are positive in
invoices and credit notes alike; what goes the other way is a line with a negative quantity, because a price is never negative."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Sum
from django.utils import translation
from django.utils.translation import gettext as _
from stdnum.fr import siren

from payouts.choices import AdjustmentKind, AdjustmentReason, CommissionKind, InvoiceKind, VatMode
from payouts.tax import mentions
from prm.lib.periods import local_day

if TYPE_CHECKING:
    from partners.models import Partner
    from payouts.models import Statement, TaxProfile
    from payouts.tax.terms import VatTerms
    from tiers.models import LegalEntity

LINES_AT_MOST = 50
TYPE_CODES = {InvoiceKind.INVOICE: "389", InvoiceKind.CREDIT_NOTE: "261"}


@dataclass(frozen=True, slots=True)
class Line:
    """What one rule or one person's decision brought in the month, added up."""

    name: str
    count: int
    minor: int


def taxable_lines(statement: Statement) -> list[Line]:
    """Return what the statement's taxable lines add up to, by rule and kind; texts are in the active language."""
    names = {row["rule"]: row["name"] for row in statement.facts.get("rates", ())}
    rows = (
        statement.lines.filter(commission__isnull=False)
        .order_by()
        .values("commission__rule_key", "kind")
        .annotate(minor=Sum("amount_minor"), many=Count("pk"))
        .order_by("commission__rule_key", "kind")
    )
    found = [
        Line(_commission_name(names.get(key, key), kind), many, minor)
        for key, kind, minor, many in rows.values_list("commission__rule_key", "kind", "minor", "many")
    ]
    adjusted = statement.lines.filter(transaction__adjustment__is_taxable=True).order_by("position")
    for kind, reason, minor in adjusted.values_list(
        "transaction__adjustment__kind", "transaction__adjustment__reason", "amount_minor"
    ):
        found.append(Line(f"{AdjustmentKind(kind).label}: {AdjustmentReason(reason).label}", 1, minor))
    return [line for line in found if line.minor]


def net_of(lines: Iterable[Line]) -> int:
    """Return the taxable sum in minor units, with its sign."""
    return sum(line.minor for line in lines)


def collect(
    statement: Statement,
    terms: VatTerms,
    lines: list[Line],
    *,
    number: str,
    vat_minor: int,
    at: datetime,
    refers_to: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Return the facts of the invoice or credit note of a statement, in values JSON keeps exactly.

    A credit note takes back commissions of earlier invoices, so it refers to the last one.
    """
    membership = statement.membership
    net_minor = net_of(lines)
    kind = InvoiceKind.INVOICE if net_minor > 0 else InvoiceKind.CREDIT_NOTE
    sign = 1 if net_minor > 0 else -1
    seller = seller_of(membership.partner, terms.profile)
    buyer = buyer_of(membership.program.legal_entity)
    month = statement.period.as_month
    words = mentions.no_vat(
        terms.mode,
        language=statement.language,
        seller_country=seller["country"],
        reason=terms.profile.exemption_reason if terms.mode == VatMode(terms.profile.vat_mode) else "",
    )
    return {
        "number": number,
        "kind": kind.value,
        "type_code": TYPE_CODES[kind],
        "issued_on": local_day(at, membership.program.zone).isoformat(),
        "due_on": _due_on(statement, kind),
        "payment_terms": _payment_terms(statement, kind),
        "period": [month.first_on.isoformat(), month.last_on.isoformat()],
        "currency": statement.currency,
        "language": statement.language,
        "time_zone": membership.program.time_zone,
        "program": membership.program.name,
        "statement": statement.number,
        "mandate": {
            "id": terms.mandate.public_id,
            "series": terms.mandate.series_prefix,
            "version": terms.mandate.agreement_version,
            "agreed_on": local_day(terms.mandate.agreed_at, membership.program.zone).isoformat(),
            "accepts_after_days": terms.mandate.accepts_after_days,
        },
        "seller": seller,
        "buyer": buyer,
        "lines": [
            {"name": line.name, "count": line.count, "amount_minor": sign * line.minor}
            for line in at_most(lines)
        ],
        "net_minor": abs(net_minor),
        "vat_minor": abs(vat_minor),
        "gross_minor": abs(net_minor) + abs(vat_minor),
        "vat": {
            "mode": terms.mode.value,
            "rate": format(terms.rate, "f"),
            "category": words.category,
            "reason": words.reason,
            "code": words.code,
        },
        "mentions": _mentions(statement.language, seller, buyer),
        "terms": [list(pair) for pair in mentions.french_terms(seller["country"], buyer["country"])],
        "process": "S1" if "FR" in (seller["country"], buyer["country"]) else "",
        "refers_to": refers_to if kind == InvoiceKind.CREDIT_NOTE else None,
        "reason": "",
    }


def reversing(facts: dict[str, Any], *, number: str, issued_on: date, reason: str) -> dict[str, Any]:
    """Return the facts of the document that takes another one back: the same parties, lines and sums, of the other kind."""
    was = InvoiceKind(facts["kind"])
    kind = InvoiceKind.CREDIT_NOTE if was == InvoiceKind.INVOICE else InvoiceKind.INVOICE
    with translation.override(facts["language"]):
        terms = _("It is settled with the corrected statement.")
    return {
        **facts,
        "number": number,
        "kind": kind.value,
        "type_code": TYPE_CODES[kind],
        "issued_on": issued_on.isoformat(),
        "due_on": None,
        "payment_terms": terms,
        "refers_to": named(facts),
        "reason": reason,
    }


def named(facts: dict[str, Any]) -> dict[str, str]:
    """Return how another document refers to the one with these facts."""
    return {"number": facts["number"], "issued_on": facts["issued_on"]}


def content_hash(facts: dict[str, Any]) -> str:
    """Return the SHA-256 of everything the invoice says, in one canonical form."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def at_most(lines: list[Line], most: int = LINES_AT_MOST) -> list[Line]:
    """Return the lines, the smallest of too many added up into one."""
    if len(lines) <= most:
        return lines
    by_size = sorted(range(len(lines)), key=lambda index: -abs(lines[index].minor))
    named = set(by_size[: most - 1])
    rest = [line for index, line in enumerate(lines) if index not in named]
    kept = [line for index, line in enumerate(lines) if index in named]
    return [*kept, Line(_("Other commissions"), sum(line.count for line in rest), net_of(rest))]


def seller_of(partner: Partner, profile: TaxProfile) -> dict[str, Any]:
    """Return the partner as an invoice names it."""
    return _party(
        partner.public_id,
        partner.legal_name or partner.name,
        partner,
        country=profile.country_code,
        vat_number=profile.vat_number,
        registration=profile.registration_number,
        email=partner.email,
    )


def buyer_of(entity: LegalEntity) -> dict[str, Any]:
    """Return the legal entity as an invoice names it."""
    return _party(
        entity.public_id,
        entity.name,
        entity,
        country=entity.country_code,
        vat_number=entity.vat_number.replace(" ", ""),
        registration=entity.registration_number,
        email=entity.contact_email,
    )


def _party(
    public_id: str,
    name: str,
    place: Partner | LegalEntity,
    *,
    country: str,
    vat_number: str,
    registration: str,
    email: str,
) -> dict[str, Any]:
    digits = registration.replace(" ", "")
    is_siren = country == "FR" and siren.is_valid(digits)
    # French platforms deliver by SIREN, everybody else can at least be written to.
    address = ["0225", digits] if is_siren else ["EM", email] if email else None
    return {
        "id": public_id,
        "name": name,
        "street": f"{place.street} {place.building_number}".strip(),
        "postcode": place.postcode,
        "town": place.town,
        "country": country,
        "vat_number": vat_number,
        "registration": digits if is_siren else registration,
        "registration_scheme": "0002" if is_siren else "",
        "email": email,
        "electronic_address": address,
    }


def _mentions(language: str, seller: dict[str, Any], buyer: dict[str, Any]) -> list[str]:
    with translation.override(language):
        who = _("Issued by %(buyer)s in the name and on behalf of %(seller)s.")
    return [
        mentions.self_billing(language, seller["country"]),
        who % {"buyer": buyer["name"], "seller": seller["name"]},
    ]


def _due_on(statement: Statement, kind: InvoiceKind) -> str | None:
    is_paid = statement.due_on is not None and kind == InvoiceKind.INVOICE
    return statement.due_on.isoformat() if is_paid and statement.due_on else None


def _payment_terms(statement: Statement, kind: InvoiceKind) -> str:
    number = {"number": statement.number}
    with translation.override(statement.language):
        if kind == InvoiceKind.CREDIT_NOTE:
            return _("It is set off in statement %(number)s.") % number
        return _("Paid with statement %(number)s, once its balance reaches the minimum payment.") % number


def _commission_name(rule: str, kind: str) -> str:
    said = _("Commission: %(rule)s") % {"rule": rule}
    return said if kind == CommissionKind.EARNED else f"{said} ({CommissionKind(kind).label})"
