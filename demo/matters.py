"""What befalls money in a real house besides sales: a business that is invoiced for, one that is paid in euros, tax withheld, a payment that
comes back, and matters that wait for somebody. Without them half of the back office would be empty."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from demo.people import FINANCE_APPROVES, FINANCE_PREPARES, PARTNER_CODE
from partners.models import Member, Membership
from payouts import adjustments, disputes, fx_import, pay_runs, payment_methods
from payouts.choices import PaymentState
from payouts.models import Commission, FxRate, Payment, Statement
from payouts.tax import agreement, mandates, profiles, withholding
from payouts.tax.profiles import TaxFacts
from prm.accounts.models import User
from prm.lib.money import Money
from prm.lib.periods import Month
from prm.mail.outbox import quiet

INVOICED, IN_EUROS, WITHHELD = PARTNER_CODE, "DIST-GERMANY", "DIST-USA"
MOVED_BANK, ASKS, THANKED = "UK-31", PARTNER_CODE, "UK-32"
# Made up like everything here, and entered by hand: what one euro is worth in pounds.
RATES = (Decimal("0.8655"), Decimal("0.8702"), Decimal("0.8731"), Decimal("0.8718"))


def agree(*, at: datetime) -> None:
    """Let one partner be invoiced for, another one be paid in euros, and withhold tax from a third."""
    member = _member(INVOICED)
    owner, partner = _owner(member), member.partner
    payment_methods.set_address(
        partner,
        street="Quayside",
        building_number="27",
        postcode="BS1 6UZ",
        town="Bristol",
        country="GB",
        by=owner,
        at=at,
    )
    facts = TaxFacts(country_code="GB", status="business", vat_number="GB802300006")
    profiles.set_profile(partner, facts, by=owner, at=at)
    partner.refresh_from_db()
    entity = member.program.legal_entity
    mandates.agree(partner, entity, version=agreement.VERSION, by=owner, at=at, address="192.0.2.27")
    german = _member(IN_EUROS)
    payment_methods.add(
        german.partner,
        currency=german.program.currency,
        payout_currency="EUR",
        holder=german.partner.name,
        iban="DE89370400440532013000",
        by=_owner(german),
        at=at,
    )
    withholding.set_rate(
        _member(WITHHELD).partner,
        rate=Decimal(10),
        basis="Treaty, article 12",
        starts_on=at.date(),
        by=FINANCE_APPROVES.user(),
        at=at,
    )


def enter_rate(number: int, *, on: date, at: datetime) -> None:
    """Enter the exchange rate of a day, as finance does before a run."""
    fx_import.enter("EUR", "GBP", str(RATES[number]), on=on, by=FINANCE_PREPARES.user(), at=at)


def send_back(*, at: datetime) -> None:
    """Let the bank send back a payment that was settled last; the partner names another account two days later."""
    member = _member(MOVED_BANK)
    paid = Payment.objects.filter(membership=member, state=PaymentState.SETTLED, settled_at__lt=at)
    payment = paid.select_related("pay_run").order_by("settled_at").last()
    if payment is None:
        return
    pay_runs.fail(
        payment,
        reason="Account closed",
        code="AC04",
        reference="RETURN-1",
        booked_on=at.date(),
        by=FINANCE_APPROVES.user(),
        at=at,
    )
    payment_methods.add(
        member.partner,
        currency=member.program.currency,
        holder=payment.holder,
        iban="GB29NWBK60161331926819",
        bic="NWBKGB2L",
        by=_owner(member),
        at=at + timedelta(days=2),
    )


def leave_waiting(month: Month, *, now: datetime) -> None:
    """Leave a question of a partner without an answer, and an adjustment without its second person; today has its rate."""
    if not FxRate.objects.filter(rate_on=now.date()).exists():
        enter_rate(3, on=now.date(), at=now)
    asks, thanked = _member(ASKS), _member(THANKED)
    statement = Statement.objects.in_force().get(
        membership=asks, period__year=month.year, period__month=month.month
    )
    # Lately, and while the month can still be asked about.
    at = max(statement.issued_at, min(now - timedelta(days=1), statement.issued_at + timedelta(days=25)))
    line = Commission.objects.filter(statement=statement, amount_minor__gt=0).order_by("pk").first()
    if line is not None:
        text = "The customer ordered for more than this: could you look at the amount again?"
        disputes.open(line, cause="amount", text=text, by=_owner(asks), at=at)
    with quiet():
        adjustments.propose(
            thanked,
            kind="bonus",
            amount=Money(75_00, thanked.program.currency),
            reason="campaign",
            note="Autumn fair: agreed with your account manager",
            by=FINANCE_PREPARES.user(),
            at=at,
        )


def _member(code: str) -> Membership:
    return Membership.objects.select_related("partner", "program__legal_entity").get(codes__code=code)


def _owner(membership: Membership) -> User:
    return Member.objects.select_related("user").get(partner=membership.partner_id, role="owner").user
