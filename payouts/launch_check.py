"""Look whether a program could pay: the file its bank would get is made for one trial payment and checked as every payment file is. It is
made in memory and thrown away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners.launching import Check, CheckState
from partners.models import Membership, Partner
from payouts.choices import PaymentMethodKind
from payouts.exports import nacha, sepa_checks, sepa_pain001
from payouts.exports.bank_days import next_bank_day
from payouts.exports.checks import FileRefused, Problem
from payouts.models import Payment, PayRun, Statement
from prm.lib.money import exponent
from prm.lib.periods import local_day
from tiers.models import LegalEntity, Program

# Accounts banks print in their examples; no money ever goes there.
_IBANS = ("DE89370400440532013000", "FR1420041010050500013M02606")
_US_DETAILS = {"routing_number": "021000021", "account_number": "000123456789", "account_type": "checking"}


def payment_file(program: Program, at: datetime) -> Check:
    """Tell whether a payment file can be made for the program's legal entity and currency."""
    entity = program.legal_entity
    title = gettext_lazy("Payment file")
    url = reverse("admin:tiers_legalentity_change", args=[entity.pk])
    if not entity.iban and not _has_us_account(program):
        said = _("%(entity)s has no account payments leave from.") % {"entity": entity.name}
        return Check(CheckState.MISSING, title, said, url)
    kind = PaymentMethodKind.US_ACCOUNT if _has_us_account(program) else PaymentMethodKind.BANK_IBAN
    run = _run(program, at)
    payment = _payment(program, run, kind)
    if kind == PaymentMethodKind.US_ACCOUNT:
        form, problems = nacha.FORMAT, list(_problems_ach(run, payment, at))
    else:
        form, problems = entity.bank_file, list(_problems_iban(run, payment, at))
    if problems:
        return Check(CheckState.MISSING, title, str(FileRefused(problems)), url)
    said = _("One was made for a trial payment in %(currency)s and passed every check (%(form)s).")
    return Check(CheckState.OK, title, said % {"currency": program.currency, "form": form}, url)


def _has_us_account(program: Program) -> bool:
    return program.currency == nacha.CURRENCY and bool(program.legal_entity.us_routing_number)


def _problems_iban(run: PayRun, payment: Payment, at: datetime) -> Iterator[Problem]:
    message = sepa_pain001.render(run, [payment], version=run.legal_entity.bank_file)
    yield from sepa_checks.problems_in(message, on=at.date(), expected=sepa_pain001.expected([payment]))


def _problems_ach(run: PayRun, payment: Payment, at: datetime) -> Iterator[Problem]:
    found = list(nacha.problems(run, [payment], on=at.date()))
    if not found:
        nacha.render(run, [payment], people=frozenset())
    yield from found


def _run(program: Program, at: datetime) -> PayRun:
    day = max(local_day(at, program.zone), at.date())
    return PayRun(
        legal_entity=program.legal_entity,
        currency=program.currency,
        execute_on=next_bank_day(day, program.currency),
        message_id="TRIAL",
        prepared_at=at,
    )


def _payment(program: Program, run: PayRun, kind: str) -> Payment:
    """Return a payment of ten units of the program's currency to nobody."""
    minor = 10 * 10 ** exponent(program.currency)
    is_iban = kind == PaymentMethodKind.BANK_IBAN
    partner = Partner(name="Trial payment", country="Germany")
    return Payment(
        pay_run=run,
        membership=Membership(partner=partner, program=program),
        statement=Statement(number="TRIAL-1"),
        kind=kind,
        amount_minor=minor,
        currency=program.currency,
        sent_minor=minor,
        sent_currency=program.currency,
        holder="Trial payment",
        iban=_other_account(program.legal_entity) if is_iban else "",
        details="" if is_iban else json.dumps(_US_DETAILS),
        end_to_end_id="TRIAL-PAYMENT-1",
    )


def _other_account(entity: LegalEntity) -> str:
    """Return an account that is not the entity's own, which a file must not pay."""
    return next(iban for iban in _IBANS if iban != entity.iban)
