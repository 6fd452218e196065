"""Write the invoice that belongs to a statement, under the next number of its mandate's series. It is written once, in the transaction that
issues the statement; to correct it, the opposite document is written and names it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from partners.models import Membership
from payouts import numbers
from payouts.choices import InvoiceKind, StatementKind, VatMode
from payouts.einvoice import cii
from payouts.models import Invoice, SelfBillingMandate, Statement
from payouts.tax import invoice_facts, mandates
from payouts.tax.terms import terms_for
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from prm.lib.money import Money
from prm.lib.periods import local_day

if TYPE_CHECKING:
    from prm.accounts.models import User


class DisagreesWithStatement(RuntimeError):
    """The VAT of the invoice is not what its statement booked. Nothing is issued; this is a fault of ours."""


class ReasonMissing(Refused):
    message = _("Say why the invoice is taken back; the partner reads it.")
    field = "reason"


@transaction.atomic
def issue_for(statement: Statement, *, at: datetime, by: User | None = None) -> Invoice | None:
    """Write the invoice of a statement, or the credit note when more was taken than earned; the one there is comes back.

    None where no mandate is in force or nothing taxable happened. The caller holds the membership and has written every line. The terms
    are those the statement froze, as they stood at the end of its month.

    Raises: DisagreesWithStatement, ProfileMissing, NotForPrivatePersons, AddressMissing, EntityIncomplete.
    """
    if statement.kind != StatementKind.STATEMENT:
        return None
    written = Invoice.objects.filter(statement=statement, credits=None).first()
    if written is not None:
        return written
    # The terms the statement froze: those of the month's end, or of its correction.
    tax = statement.facts.get("tax")
    as_of = datetime.fromisoformat(tax["as_of"]) if tax else at
    terms = terms_for(statement.membership, at=as_of)
    if terms is None:
        return None
    with translation.override(statement.language):
        lines = invoice_facts.taxable_lines(statement)
    net = Money(invoice_facts.net_of(lines), statement.currency)
    vat = terms.vat_on(net)
    # A corrected statement books the difference in the open month; its own column still says what was booked first.
    booked = tax["vat_minor"] if tax else statement.vat_minor
    if vat.minor != booked:
        raise DisagreesWithStatement(f"{statement.number} booked {booked}, not {vat.minor}.")
    if not net:
        return None
    mandates.require_possible(
        statement.membership.partner, statement.membership.program.legal_entity, at=as_of
    )
    year, sequence, number = _next_number(terms.mandate, statement, at=at)
    facts = invoice_facts.collect(
        statement,
        terms,
        lines,
        number=number,
        vat_minor=vat.minor,
        at=at,
        refers_to=_last_before(terms.mandate, statement),
    )
    return _write(terms.mandate, statement, facts, year=year, sequence=sequence, by=by, at=at)


@transaction.atomic
def credit(invoice: Invoice, *, reason: str, by: User, at: datetime) -> Invoice:
    """Take a document back by the opposite one that names it; the one written before comes back.

    Raises: Forbidden, ReasonMissing.
    """
    policy.require(by, "issue_statements")
    why = " ".join(reason.split())
    if not why:
        raise ReasonMissing
    statement = Statement.objects.select_related("membership__program").get(pk=invoice.statement_id)
    Membership.objects.lock().get(pk=statement.membership_id)
    written = Invoice.objects.filter(credits=invoice).first()
    if written is not None:
        return written
    year, sequence, number = _next_number(invoice.mandate, statement, at=at)
    day = local_day(at, statement.membership.program.zone)
    facts = invoice_facts.reversing(invoice.facts, number=number, issued_on=day, reason=why)
    return _write(
        invoice.mandate, statement, facts, year=year, sequence=sequence, by=by, at=at, credits=invoice
    )


def is_unchanged(invoice: Invoice) -> bool:
    """Tell whether the stored invoice still says what was issued, amounts included."""
    columns = ("number", "currency", "net_minor", "vat_minor", "gross_minor", "kind")
    if any(getattr(invoice, name) != invoice.facts[name] for name in columns):
        return False
    return invoice_facts.content_hash(invoice.facts) == invoice.sha256


def _last_before(mandate: SelfBillingMandate, statement: Statement) -> dict[str, str] | None:
    """Return how to refer to the membership's last invoice that stands."""
    found = Invoice.objects.filter(
        mandate=mandate,
        statement__membership=statement.membership_id,
        kind=InvoiceKind.INVOICE,
        credits=None,
        credited_by=None,
    )
    last = found.order_by("-year", "-sequence").first()
    return invoice_facts.named(last.facts) if last is not None else None


def _next_number(mandate: SelfBillingMandate, statement: Statement, *, at: datetime) -> tuple[int, int, str]:
    """Return year, sequence and number, such as HG-SB-0007-2026-0001."""
    year = at.astimezone(statement.membership.program.zone).year
    sequence = numbers.draw(mandate.legal_entity, series=f"invoice:{mandate.public_id}", year=year)
    return year, sequence, f"{mandate.series_prefix}-{year}-{sequence:04d}"


def _write(
    mandate: SelfBillingMandate,
    statement: Statement,
    facts: dict[str, Any],
    *,
    year: int,
    sequence: int,
    by: User | None,
    at: datetime,
    credits: Invoice | None = None,
) -> Invoice:
    invoice = Invoice.objects.create(
        mandate=mandate,
        statement=statement,
        kind=facts["kind"],
        credits=credits,
        number=facts["number"],
        year=year,
        sequence=sequence,
        currency=facts["currency"],
        net_minor=facts["net_minor"],
        vat_minor=facts["vat_minor"],
        gross_minor=facts["gross_minor"],
        vat_mode=VatMode(facts["vat"]["mode"]),
        vat_rate=Decimal(facts["vat"]["rate"]),
        issued_at=at,
        language=facts["language"],
        facts=facts,
        sha256=invoice_facts.content_hash(facts),
        cii_xml=cii.message(facts).decode() if cii.is_possible(facts) else "",
    )
    audit.record(
        by,
        "invoice.credited" if credits is not None else "invoice.issued",
        invoice,
        at=at,
        number=invoice.number,
        gross_minor=invoice.gross_minor,
        credits=credits,
        note=facts["reason"],
    )
    return invoice
