"""What the payouts app keeps about a partner: commission with its reasons, statements, payments with the account masked, taxes, questions. Notes
that staff write for staff stay out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import F, Q, QuerySet

from partners.personal_data import Row, Subject, learn_section, rows
from partners.personal_sections import LEFT_OUT
from payouts import models

_DEEDS = "Names who of our staff did something; what a person did is in their own “deeds”."
_LEDGER = "What moved is told by commission lines, adjustments, statements and payments."
LEFT_OUT_HERE = {
    "payouts.account": _LEDGER,
    "payouts.chainlink": _LEDGER,
    "payouts.transaction": _LEDGER,
    "payouts.dryrun": _DEEDS,
    "payouts.fxrate": _DEEDS,
    "payouts.payrun": _DEEDS,
    "payouts.payrunexception": "Says in a run why a balance is not paid yet; the portal says it at any time.",
    "payouts.payruncheck": "Art. 15(4): what is checked against fraud stays with those who check it.",
    "payouts.accountsignal": "Art. 15(4): what is checked against fraud stays with those who check it.",
    "payouts.risksignal": "Art. 15(4): what is checked against fraud stays with those who check it; the reason of a case is told.",
    "payouts.risksettings": _DEEDS,
    "payouts.paymentfile": _DEEDS,
    "payouts.paymentfiletaken": _DEEDS,
    "payouts.payabledatechange": _DEEDS,
    "payouts.period": _DEEDS,
    "payouts.resultfile": _DEEDS,
    "payouts.paymentresult": _DEEDS,
}


def learn() -> None:
    """Name the sections of this app."""
    LEFT_OUT.update(LEFT_OUT_HERE)
    for name, read, covers in (
        ("partner-commissions", _commissions, ["payouts.commission"]),
        ("partner-statements", _statements, ["payouts.statement"]),
        ("partner-statement-lines", _statement_lines, ["payouts.statementline"]),
        ("partner-payments", _payments, ["payouts.payment"]),
        ("partner-adjustments", _adjustments, ["payouts.adjustment"]),
        ("partner-payment-methods", _methods, ["payouts.paymentmethod"]),
        ("partner-pauses", _pauses, ["payouts.pause"]),
        ("partner-reviews-of-lines", _cases, ["payouts.riskcase", "payouts.riskcaseline"]),
        ("partner-answers-to-reviews", _case_answers, ["payouts.risknote"]),
        ("partner-longer-holds", _reserves, ["payouts.reserve"]),
        ("partner-questions", _disputes, ["payouts.dispute"]),
        ("partner-question-messages", _messages, ["payouts.disputemessage"]),
        ("partner-tax-profiles", _tax_profiles, ["payouts.taxprofile"]),
        ("partner-tax-forms", _tax_forms, ["payouts.taxform"]),
        ("partner-taxes-withheld", _withholdings, ["payouts.withholding"]),
        ("partner-self-billing", _mandates, ["payouts.selfbillingmandate"]),
        ("partner-invoices", _invoices, ["payouts.invoice"]),
        ("partner-postbacks", _postbacks, ["payouts.postback"]),
        ("partner-postback-calls", _calls, ["payouts.postbackdelivery"]),
    ):
        learn_section(name, read, covers=covers)


def _told(found: QuerySet[Any], same: str, **more: str) -> Iterator[Row]:
    return rows(found, **more, **{name: name for name in same.split()})


def _mine(subject: Subject) -> Q:
    return Q(membership__partner__in=subject.partners)


def _commissions(subject: Subject) -> Iterator[Row]:
    found = models.Commission.objects.filter(_mine(subject))
    same = "kind rule_key window base_minor rate flat_minor amount_minor currency state effective_at payable_at because"
    return _told(
        found,
        same,
        id="public_id",
        membership="membership__public_id",
        event="conversion__external_id",
        statement="statement__number",
    )


def _statements(subject: Subject) -> Iterator[Row]:
    found = models.Statement.objects.filter(_mine(subject))
    same = "number kind state currency opening_minor closing_minor issued_at due_on sha256 facts"
    return _told(
        found,
        same,
        id="public_id",
        membership="membership__public_id",
        year="period__year",
        month="period__month",
    )


def _statement_lines(subject: Subject) -> Iterator[Row]:
    found = models.StatementLine.objects.filter(statement__membership__partner__in=subject.partners)
    return _told(found, "kind order_id customer amount_minor", statement="statement__number")


def _payments(subject: Subject) -> Iterator[Row]:
    found = models.Payment.objects.filter(_mine(subject))
    same = "state amount_minor currency withheld_minor sent_minor sent_currency kind holder ending end_to_end_id bank_reference"
    return _told(
        found, same, id="public_id", membership="membership__public_id", statement="statement__number"
    )


def _adjustments(subject: Subject) -> Iterator[Row]:
    found = models.Adjustment.objects.filter(_mine(subject))
    same = "kind amount_minor currency reason note state proposed_at decided_at"
    return _told(found, same, membership="membership__public_id")


def _methods(subject: Subject) -> Iterator[Row]:
    found = models.PaymentMethod.objects.filter(partner__in=subject.partners)
    same = "currency payout_currency kind holder ending bic added_at usable_at replaced_at"
    return _told(found, same, id="public_id", partner="partner__public_id")


def _pauses(subject: Subject) -> Iterator[Row]:
    found = models.Pause.objects.filter(_mine(subject))
    same = "cause reason review_on paused_at ended_at outcome"
    return _told(found, same, membership="membership__public_id", line="commission__public_id")


def _cases(subject: Subject) -> Iterator[Row]:
    found = models.RiskCase.objects.filter(_mine(subject))
    same = "state reason opened_at review_on decided_at outcome sanction"
    lines = "lines__commission__public_id"
    return _told(found, same, id="public_id", membership="membership__public_id", line=lines)


def _case_answers(subject: Subject) -> Iterator[Row]:
    # What staff note for staff stays out; what the team wrote, and what the person wrote, is told.
    team = Q(
        written_by__partner_places__partner=F("case__membership__partner"),
        written_by__partner_places__joined_at__lte=F("written_at"),
    )
    mine = Q(case__membership__partner__in=subject.partners) & team | Q(written_by=subject.user)
    found = models.RiskNote.objects.filter(mine).distinct()
    return _told(found, "text written_at evidence_name", case="case__public_id")


def _reserves(subject: Subject) -> Iterator[Row]:
    found = models.Reserve.objects.filter(_mine(subject))
    return _told(found, "product category hold_days reason", membership="membership__public_id")


def _disputes(subject: Subject) -> Iterator[Row]:
    mine = _mine(subject) | Q(opened_by=subject.user)
    found = models.Dispute.objects.filter(mine)
    return _told(found, "cause state opened_at decided_at", id="public_id", line="commission__public_id")


def _messages(subject: Subject) -> Iterator[Row]:
    mine = Q(dispute__membership__partner__in=subject.partners) | Q(written_by=subject.user)
    found = models.DisputeMessage.objects.filter(mine)
    same = "is_from_partner text written_at evidence_name"
    return _told(found, same, question="dispute__public_id")


def _tax_profiles(subject: Subject) -> Iterator[Row]:
    found = models.TaxProfile.objects.filter(partner__in=subject.partners)
    same = "country_code status vat_mode vat_rate vat_number registration_number exemption_reason starts_at ends_at"
    return _told(found, same, partner="partner__public_id")


def _tax_forms(subject: Subject) -> Iterator[Row]:
    found = models.TaxForm.objects.filter(partner__in=subject.partners)
    same = "kind tax_number_ending signed_on expires_on document_name received_at revoked_at"
    return _told(found, same, partner="partner__public_id")


def _withholdings(subject: Subject) -> Iterator[Row]:
    found = models.Withholding.objects.filter(partner__in=subject.partners)
    return _told(found, "rate basis starts_on ends_on", partner="partner__public_id")


def _mandates(subject: Subject) -> Iterator[Row]:
    found = models.SelfBillingMandate.objects.filter(partner__in=subject.partners)
    same = "agreement_version agreement_text series_prefix agreed_at agreed_from ended_at"
    return _told(found, same, partner="partner__public_id")


def _invoices(subject: Subject) -> Iterator[Row]:
    found = models.Invoice.objects.filter(statement__membership__partner__in=subject.partners)
    same = "kind number currency net_minor vat_minor gross_minor vat_mode vat_rate issued_at facts sha256"
    return _told(found, same, id="public_id", statement="statement__number")


def _postbacks(subject: Subject) -> Iterator[Row]:
    found = models.Postback.objects.filter(_mine(subject))
    same = "url events created_at failures disabled_at disabled_because removed_at"
    return _told(found, same, id="public_id", membership="membership__public_id")


def _calls(subject: Subject) -> Iterator[Row]:
    found = models.PostbackDelivery.objects.filter(postback__membership__partner__in=subject.partners)
    same = "event body state attempts created_at sent_at last_status last_error"
    return _told(found, same, id="public_id", postback="postback__public_id")
