"""What each payee was paid in a calendar year, for the returns a payer files: 1099-NEC, DAC-like reports. Counted by the day the bank
confirmed, over all programs of a legal entity; what came back is not counted, and what a payment network reports itself stands apart."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import xlsxwriter
from django.db import models

from partners.models import Partner
from payouts.choices import PaymentMethodKind, PaymentState
from payouts.exports.payments_xlsx import CONTENT_TYPE as XLSX_TYPE
from payouts.exports.payments_xlsx import OPTIONS, amount_format
from payouts.exports.rows import plain
from payouts.models import Payment, TaxForm, TaxProfile
from prm.lib import countries
from prm.lib.cells import formula_safe
from prm.lib.money import Money, exponent
from prm.lib.periods import Month

if TYPE_CHECKING:
    from tiers.models import LegalEntity

CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": XLSX_TYPE}
# Whoever runs the network files for these (Form 1099-K), so the payer must not count them again.
NETWORKS = frozenset({PaymentMethodKind.PAYPAL.value, "card"})
# Form 1099-NEC: 2,000 US dollars for payments after 31 December 2025, 600 before. From 2027 on it follows prices; until a year's figure
# is published this one stands.
_THRESHOLD_FROM, _NEW_THRESHOLD, _OLD_THRESHOLD = 2026, 2_000_00, 600_00
HEADER = (
    "year",
    "legal_entity",
    "partner",
    "legal_name",
    "street",
    "building_number",
    "postcode",
    "town",
    "country",
    "tax_form",
    "tax_number_ending",
    "vat_number",
    "currency",
    "payments",
    "paid",
    "paid_by_network",
    "reportable",
    "withheld",
    "quarter_1",
    "quarter_2",
    "quarter_3",
    "quarter_4",
    "threshold",
    "reaches_threshold",
)
_READ = (
    "membership__partner",
    "currency",
    "kind",
    "amount_minor",
    "withheld_minor",
    "settled_at",
    "membership__program__time_zone",
)


@dataclass
class Payee:
    """One partner's year in one currency; amounts are what left its balances, before tax was withheld."""

    partner: Partner
    currency: str
    year: int
    payments: int = 0
    paid_minor: int = 0
    network_minor: int = 0
    withheld_minor: int = 0
    quarters: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    country_code: str = ""
    vat_number: str = ""
    tax_form: str = ""
    tax_number_ending: str = ""

    def count(self, kind: str, minor: int, withheld: int, on: date) -> None:
        self.payments += 1
        self.paid_minor += minor
        self.withheld_minor += withheld
        self.quarters[(on.month - 1) // 3] += minor
        if kind in NETWORKS:
            self.network_minor += minor

    @property
    def paid(self) -> Money:
        return Money(self.paid_minor, self.currency)

    @property
    def by_network(self) -> Money:
        return Money(self.network_minor, self.currency)

    @property
    def reportable(self) -> Money:
        return self.paid - self.by_network

    @property
    def withheld(self) -> Money:
        return Money(self.withheld_minor, self.currency)

    @property
    def threshold(self) -> Money | None:
        """What a payer has to report from; the law counts US dollars, so other currencies have none here."""
        if self.currency != "USD":
            return None
        return Money(_NEW_THRESHOLD if self.year >= _THRESHOLD_FROM else _OLD_THRESHOLD, "USD")

    @property
    def reaches_threshold(self) -> bool | None:
        return None if self.threshold is None else self.reportable >= self.threshold


def payees_of(legal_entity: LegalEntity, year: int) -> list[Payee]:
    """Return everybody who was paid in a year, by name and currency."""
    found: dict[tuple[int, str], Payee] = {}
    partners: dict[int, Partner] = {}
    zones = {program.time_zone: program.zone for program in legal_entity.programs.order_by("pk")}
    rows = list(_settled(legal_entity, year, zones).values_list(*_READ))
    for partner in Partner.objects.filter(pk__in={row[0] for row in rows}):
        partners[partner.pk] = partner
    for pk, currency, kind, minor, withheld, settled_at, zone in rows:
        payee = found.setdefault((pk, currency), Payee(partners[pk], currency, year))
        payee.count(kind, minor, withheld, settled_at.astimezone(zones[zone]).date())
    payees = sorted(found.values(), key=lambda each: (each.partner.name, each.partner.pk, each.currency))
    _add_tax_facts(payees, ends_at=datetime(year + 1, 1, 1, tzinfo=UTC))
    return payees


def totals(payees: Iterable[Payee]) -> dict[str, Money]:
    """Return what was paid in each currency."""
    found: dict[str, Money] = {}
    for payee in payees:
        found[payee.currency] = found.get(payee.currency, Money(0, payee.currency)) + payee.paid
    return dict(sorted(found.items()))


def render_csv(legal_entity: LegalEntity, payees: Sequence[Payee]) -> bytes:
    """Return the list as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    for payee in payees:
        writer.writerow([_cell(value) for value in _facts(legal_entity, payee)])
    return text.getvalue().encode()


def render_xlsx(legal_entity: LegalEntity, payees: Sequence[Payee]) -> bytes:
    """Return the list as a workbook; the same list gives the same bytes."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, OPTIONS) as book:
        made_at = datetime(payees[0].year if payees else 2026, 12, 31, tzinfo=UTC)
        book.set_properties({"title": f"Payments {legal_entity.name}", "created": made_at})
        sheet, bold = book.add_worksheet("Payees"), book.add_format({"bold": True})
        sheet.set_column(0, len(HEADER) - 1, 16)
        sheet.freeze_panes(1, 0)
        for column, name in enumerate(HEADER):
            sheet.write_string(0, column, name, bold)
        formats = {
            places: book.add_format({"num_format": amount_format(places)})
            for places in sorted({exponent(payee.currency) for payee in payees})
        }
        for number, payee in enumerate(payees, start=1):
            for column, value in enumerate(_facts(legal_entity, payee)):
                if isinstance(value, Money):
                    sheet.write_number(number, column, value.decimal(), formats[exponent(value.currency)])
                elif isinstance(value, int):
                    sheet.write_number(number, column, value)
                else:
                    sheet.write_string(number, column, value)
    return target.getvalue()


def _settled(
    legal_entity: LegalEntity, year: int, zones: Mapping[str, ZoneInfo]
) -> models.QuerySet[Payment, Payment]:
    """Return payments that arrived in the year as each program's zone has it, and stayed where they arrived."""
    within = models.Q(pk__in=[])
    for name, zone in zones.items():
        within |= models.Q(
            membership__program__time_zone=name,
            settled_at__gte=Month(year, 1).starts_at(zone),
            settled_at__lt=Month(year, 12).ends_at(zone),
        )
    paid = Payment.objects.filter(pay_run__legal_entity=legal_entity, state=PaymentState.SETTLED)
    return paid.filter(within).order_by("pk")


def _add_tax_facts(payees: Sequence[Payee], *, ends_at: datetime) -> None:
    """Fill in what is known of each payee at the end of the year; the newest row counts."""
    partners = {payee.partner.pk for payee in payees}
    profiles = {
        profile.partner_id: profile
        for profile in TaxProfile.objects.filter(partner__in=partners, starts_at__lt=ends_at).order_by(
            "starts_at", "pk"
        )
    }
    forms = {
        form.partner_id: form
        for form in TaxForm.objects.filter(partner__in=partners, revoked_at=None).order_by("signed_on", "pk")
    }
    for payee in payees:
        profile, form = profiles.get(payee.partner.pk), forms.get(payee.partner.pk)
        if profile is not None:
            payee.country_code, payee.vat_number = profile.country_code, profile.vat_number
        payee.country_code = payee.country_code or countries.code_of(payee.partner.country)
        payee.vat_number = payee.vat_number or payee.partner.vat_number
        if form is not None:
            payee.tax_form, payee.tax_number_ending = form.kind, form.tax_number_ending


def _facts(legal_entity: LegalEntity, payee: Payee) -> list[str | int | Money]:
    partner, reaches = payee.partner, payee.reaches_threshold
    return [
        payee.year,
        legal_entity.name,
        partner.name,
        partner.legal_name or partner.name,
        partner.street,
        partner.building_number,
        partner.postcode,
        partner.town,
        payee.country_code,
        payee.tax_form,
        payee.tax_number_ending,
        payee.vat_number,
        payee.currency,
        payee.payments,
        payee.paid,
        payee.by_network,
        payee.reportable,
        payee.withheld,
        *(Money(minor, payee.currency) for minor in payee.quarters),
        payee.threshold or "",
        "" if reaches is None else "yes" if reaches else "no",
    ]


def _cell(value: str | int | Money) -> str:
    if isinstance(value, Money):
        return plain(value)
    return str(value) if isinstance(value, int) else formula_safe(value)
